//! The Session of one client: what outlives its Network Connection.

use super::{Config, ConnectionId, message::Delivery, retain::Replay, will::StoredWill};
use crate::{
    codec::{PacketId, QoS, Text},
    session::{Inbound, Outbound},
    store,
    time::Timestamp,
    topic::TopicFilter,
};
use alloc::{
    boxed::Box,
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};

/// A Session's number, never used twice by one broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId(pub(super) u64);

impl From<SessionId> for u64 {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

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
    /// How many of these are of `$SYS` topics, and whether the broker counts the session among those who watch.
    pub(super) sys_subscriptions: usize,
    pub(super) watches_sys: bool,
    pub(super) outbound: Outbound<Delivery>,
    pub(super) inbound: Inbound,
    pub(super) queue: Queue,
    pub(super) will: Option<Box<StoredWill>>,
    /// Whether the host's storage has it.
    pub(super) is_kept: bool,
    /// Whether it was connected when it was stored, and its connection has neither come back nor been given up.
    pub(super) is_orphan: bool,
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
            sys_subscriptions: 0,
            watches_sys: false,
            outbound: Outbound::new(),
            inbound: Inbound::new(1),
            queue: Queue::default(),
            will: None,
            is_kept: false,
            is_orphan: false,
        }
    }

    pub(super) const fn outlives_its_connection(&self) -> bool {
        self.expiry_interval > 0
    }

    /// Whether nothing is left of it, and nothing comes of it, when its connection ends.
    pub(super) const fn ends_with_its_connection(&self) -> bool {
        !self.outlives_its_connection() && self.will.is_none()
    }

    /// Whether something is to be sent once there is room.
    pub(super) fn has_more(&self) -> bool {
        !self.queue.is_empty() || self.outbound.is_resending()
    }

    pub(super) fn to_record(&self) -> store::Session {
        store::Session {
            client_id: self.client_id.clone(),
            user_name: self.user_name.clone(),
            expiry_interval: self.expiry_interval,
            is_connected: self.connection.is_some() || self.is_orphan,
            expires_at: self.expires_at,
        }
    }

    /// The record of what is in flight with this identifier.
    pub(super) fn in_flight(&self, packet_id: PacketId) -> Option<store::InFlight> {
        let (sequence, step) = self.outbound.get(packet_id)?;
        Some(store::InFlight { sequence, delivery: step.message().map(Delivery::to_record) })
    }
}

/// What waits for one session, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Each with its place, which only rises.
    entries: VecDeque<(u64, Waiting)>,
    last_place: u64,
    replays: usize,
    /// Messages of QoS 0.
    at_most_once: usize,
    bytes: usize,
    /// When the first message may expire: never later than that.
    expires_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) enum Waiting {
    Message(Delivery),
    /// All that is retained for a new subscription: what came later waits behind it.
    Replay(Replay),
}

impl Waiting {
    /// Whether another session is given it when this one ends.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Message(delivery) if delivery.is_shared())
    }

    pub(super) fn message(self) -> Option<Delivery> {
        match self {
            Self::Message(delivery) => Some(delivery),
            Self::Replay(_) => None,
        }
    }
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many messages wait. What is retained is not held here.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.replays
    }

    /// Whether a message of `size` bytes is one too many, or too large.
    pub(super) fn is_full(&self, config: &Config, size: usize) -> bool {
        self.len() >= config.maximum_queued_messages || self.bytes.saturating_add(size) > config.maximum_queued_bytes
    }

    /// Whether a message may have expired.
    pub(super) fn may_purge(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Takes out the messages that have expired.
    pub(super) fn purge(&mut self, now: Timestamp) -> Vec<(u64, Waiting)> {
        let expired = self.take_if(|waiting| matches!(waiting, Waiting::Message(next) if next.message.is_expired(now)));
        let times = self.entries.iter().filter_map(|(_, waiting)| match waiting {
            Waiting::Message(next) => next.message.expires_at,
            Waiting::Replay(_) => None,
        });
        self.expires_at = times.min();
        expired
    }

    /// Whether a message of QoS 0 must join the queue, so that it overtakes none and nothing retained. [MQTT-4.6.0-6]
    pub(super) const fn holds_at_most_once(&self) -> bool {
        self.replays > 0 || self.at_most_once > 0
    }

    /// Lets it wait behind all others.
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.restore(self.last_place + 1, waiting);
    }

    /// Puts back what waited at `place`, behind all that is there.
    pub(super) fn restore(&mut self, place: u64, waiting: Waiting) {
        self.last_place = self.last_place.max(place);
        match &waiting {
            Waiting::Replay(_) => self.replays += 1,
            Waiting::Message(delivery) => {
                self.count(delivery, true);
                self.expires_at = [self.expires_at, delivery.message.expires_at].into_iter().flatten().min();
            }
        }
        self.entries.push_back((place, waiting));
    }

    /// Takes out a subscription's replay.
    pub(super) fn end_replay(&mut self, filter: &TopicFilter) -> Vec<(u64, Waiting)> {
        if self.replays == 0 {
            return Vec::new();
        }
        self.take_if(|waiting| matches!(waiting, Waiting::Replay(replay) if replay.filter() == filter))
    }

    pub(super) const fn has_replays(&self) -> bool {
        self.replays > 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(u64, Waiting)> {
        self.entries.iter()
    }

    pub(super) fn first(&self) -> Option<&(u64, Waiting)> {
        self.entries.front()
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Waiting> {
        self.entries.front_mut().map(|(_, waiting)| waiting)
    }

    pub(super) fn last(&self) -> Option<&(u64, Waiting)> {
        self.entries.back()
    }

    pub(super) fn pop(&mut self) -> Option<(u64, Waiting)> {
        let (place, waiting) = self.entries.pop_front()?;
        self.forget(&waiting);
        Some((place, waiting))
    }

    /// Takes out what `is_taken` says.
    pub(super) fn take_if(&mut self, is_taken: impl Fn(&Waiting) -> bool) -> Vec<(u64, Waiting)> {
        if !self.entries.iter().any(|(_, waiting)| is_taken(waiting)) {
            return Vec::new();
        }
        let (mut taken, mut left) = (Vec::new(), VecDeque::new());
        for (place, waiting) in core::mem::take(&mut self.entries) {
            if is_taken(&waiting) {
                self.forget(&waiting);
                taken.push((place, waiting));
            } else {
                left.push_back((place, waiting));
            }
        }
        self.entries = left;
        taken
    }

    fn forget(&mut self, waiting: &Waiting) {
        match waiting {
            Waiting::Message(delivery) => self.count(delivery, false),
            Waiting::Replay(_) => self.replays -= 1,
        }
    }

    fn count(&mut self, delivery: &Delivery, comes: bool) {
        let counter = |counter: &mut usize, by: usize| *counter = if comes { *counter + by } else { *counter - by };
        counter(&mut self.bytes, delivery.message.size());
        counter(&mut self.at_most_once, usize::from(delivery.qos == QoS::AtMostOnce));
    }
}
