//! The Session of one client: what outlives its Network Connection.

use super::{ConnectionId, message::Delivery, will::StoredWill};
use crate::{
    codec::Text,
    session::{Inbound, Outbound},
    time::Timestamp,
    topic::TopicFilter,
};
use alloc::{
    boxed::Box,
    collections::{BTreeSet, VecDeque},
};

/// A Session's number, never used twice by one broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId(pub(super) u64);

#[derive(Debug)]
pub(super) struct Session {
    pub(super) client_id: Text,
    /// Of the CONNECT that began the session.
    pub(super) user_name: Option<Text>,
    pub(super) connection: Option<ConnectionId>,
    /// Session Expiry Interval in seconds; `u32::MAX` is never.
    pub(super) expiry_interval: u32,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) subscriptions: BTreeSet<TopicFilter>,
    pub(super) outbound: Outbound<Delivery>,
    pub(super) inbound: Inbound,
    pub(super) queue: Queue,
    pub(super) will: Option<Box<StoredWill>>,
}

impl Session {
    pub(super) fn new(client_id: Text, user_name: Option<Text>) -> Self {
        Self {
            client_id,
            user_name,
            connection: None,
            expiry_interval: 0,
            expires_at: None,
            subscriptions: BTreeSet::new(),
            outbound: Outbound::new(),
            inbound: Inbound::new(1),
            queue: Queue::default(),
            will: None,
        }
    }
}

/// What waits for one session, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    deliveries: VecDeque<Delivery>,
    live_bytes: usize,
    retained: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// How many were retained messages; they are bounded by what the broker retains, not by the queue's own limits.
    pub(super) const fn retained(&self) -> usize {
        self.retained
    }

    /// How many were published while the session subscribed.
    pub(super) fn live(&self) -> usize {
        self.deliveries.len() - self.retained
    }

    pub(super) const fn live_bytes(&self) -> usize {
        self.live_bytes
    }

    pub(super) fn push(&mut self, delivery: Delivery) {
        self.count(&delivery, true);
        self.deliveries.push_back(delivery);
    }

    pub(super) fn first(&self) -> Option<&Delivery> {
        self.deliveries.front()
    }

    pub(super) fn pop(&mut self) -> Option<Delivery> {
        let delivery = self.deliveries.pop_front()?;
        self.count(&delivery, false);
        Some(delivery)
    }

    /// Keeps what `keep` says.
    pub(super) fn retain(&mut self, keep: impl Fn(&Delivery) -> bool) {
        for delivery in core::mem::take(self).deliveries {
            if keep(&delivery) {
                self.push(delivery);
            }
        }
    }

    fn count(&mut self, delivery: &Delivery, comes: bool) {
        let counter = |counter: &mut usize, by: usize| {
            *counter = if comes { counter.saturating_add(by) } else { counter.saturating_sub(by) };
        };
        match delivery.origin {
            super::message::Origin::Retained => counter(&mut self.retained, 1),
            _ => counter(&mut self.live_bytes, delivery.message.size()),
        }
    }
}
