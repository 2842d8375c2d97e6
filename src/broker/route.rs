//! From a message to the sessions that subscribe to its topic: one copy each, however many subscriptions match.

use super::{
    Broker,
    deliver::Shared,
    effort::NODE,
    message::{Delivery, Message, Origin},
    session::SessionId,
    share::Group,
};
use crate::{codec::QoS, store, topic::TopicFilter};
use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use core::num::NonZeroU32;

/// What one session was granted for one filter.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) qos: QoS,
    pub(super) no_local: bool,
    pub(super) retain_as_published: bool,
    pub(super) identifier: Option<NonZeroU32>,
}

/// All subscriptions to one filter.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    members: BTreeMap<SessionId, Subscription>,
    pub(super) shares: BTreeMap<String, Group>,
}

impl Subscribers {
    /// What the session was granted for the filter without a share.
    pub(super) fn of(&self, session: SessionId) -> Option<&Subscription> {
        self.members.get(&session)
    }
}

impl Broker {
    /// Delivers `message` to every session with a matching subscription, and tells whether there was one.
    pub(super) fn route(&mut self, message: &Arc<Message>, publisher: Option<SessionId>) -> bool {
        let mut matched = core::mem::take(&mut self.matched);
        let mut groups: Vec<TopicFilter> = Vec::new();
        let nodes = self.routes.visit(&message.topic, &mut |subscribers: &Subscribers| {
            for (session, subscription) in &subscribers.members {
                // [MQTT-3.8.3-3]
                if !(subscription.no_local && publisher == Some(*session)) {
                    matched.push((*session, subscription.delivery(message, Origin::Live)));
                }
            }
            groups.extend(subscribers.shares.values().map(|group| group.filter().clone()));
        });
        self.effort.add(nodes * NODE);
        let is_matched = !matched.is_empty() || !groups.is_empty();
        matched.sort_unstable_by_key(|(session, _)| *session);
        // One delivery a session. [MQTT-3.3.4-2] [MQTT-3.3.4-4]
        matched.dedup_by(|(session, delivery), (last, first)| {
            let is_same = session == last;
            if is_same {
                first.merge(delivery);
            }
            is_same
        });
        let mut shared = Shared::among(matched.len());
        for (session, delivery) in matched.drain(..) {
            self.deliver(session, delivery, &mut shared);
        }
        if matched.capacity() <= KEPT {
            self.matched = matched;
        }
        for filter in groups {
            self.route_to_share(&filter, message);
        }
        is_matched
    }

    pub(super) fn insert_route(&mut self, filter: &TopicFilter, session: SessionId, subscription: Subscription) {
        let subscribers = self.routes.entry(filter);
        let old = match filter.share_name() {
            None => subscribers.members.insert(session, subscription),
            Some(name) => {
                let group = subscribers.shares.entry(name.into()).or_insert_with(|| {
                    self.subscription_bytes += group_size(filter);
                    Group::new(filter.clone())
                });
                group.insert(session, subscription)
            }
        };
        if old.is_none() {
            self.subscription_count += 1;
            self.subscription_bytes += subscription_size(filter);
        }
    }

    pub(super) fn subscription(&self, filter: &TopicFilter, session: SessionId) -> Option<&Subscription> {
        let subscribers = self.routes.get(filter)?;
        match filter.share_name() {
            None => subscribers.members.get(&session),
            Some(name) => subscribers.shares.get(name)?.subscription(session),
        }
    }

    pub(super) fn subscription_mut(&mut self, filter: &TopicFilter, session: SessionId) -> Option<&mut Subscription> {
        let subscribers = self.routes.get_mut(filter)?;
        match filter.share_name() {
            None => subscribers.members.get_mut(&session),
            Some(name) => subscribers.shares.get_mut(name)?.subscription_mut(session),
        }
    }

    pub(super) fn remove_route(&mut self, filter: &TopicFilter, session: SessionId) {
        let Some(subscribers) = self.routes.get_mut(filter) else { return };
        let removed = match filter.share_name() {
            None => subscribers.members.remove(&session),
            Some(name) => match subscribers.shares.get_mut(name) {
                None => None,
                Some(group) => {
                    let removed = group.remove(session);
                    if group.is_empty() {
                        subscribers.shares.remove(name);
                        self.subscription_bytes -= group_size(filter);
                    }
                    removed
                }
            },
        };
        if subscribers.members.is_empty() && subscribers.shares.is_empty() {
            self.routes.remove(filter);
        }
        if removed.is_some() {
            self.subscription_count -= 1;
            self.subscription_bytes -= subscription_size(filter);
        }
    }

    /// About what all subscriptions take in memory.
    pub(super) const fn subscription_bytes(&self) -> usize {
        self.subscription_bytes + self.routes.bytes()
    }

    /// Whether one subscription more would take more memory than all may.
    pub(super) fn has_no_room_for(&self, filter: &TopicFilter) -> bool {
        let group = if filter.share_name().is_some() { group_size(filter) } else { 0 };
        let more = self.routes.bytes_missing(filter) + subscription_size(filter) + group;
        self.subscription_bytes() + more > self.config.maximum_subscription_bytes
    }
}

/// About what a subscription takes besides the levels of its filter: with its session, and with those who have the same.
fn subscription_size(filter: &TopicFilter) -> usize {
    256 + filter.text().len()
}

/// About what the group of a shared subscription takes.
fn group_size(filter: &TopicFilter) -> usize {
    512 + 2 * filter.text().len()
}

impl Subscription {
    pub(super) fn restored(record: store::Subscription) -> Self {
        let store::Subscription { qos, no_local, retain_as_published, identifier } = record;
        Self { qos, no_local, retain_as_published, identifier }
    }

    pub(super) fn to_record(&self) -> store::Subscription {
        let Self { qos, no_local, retain_as_published, identifier } = *self;
        store::Subscription { qos, no_local, retain_as_published, identifier }
    }

    /// The way of `message` to the session that holds this subscription.
    pub(super) fn delivery(&self, message: &Arc<Message>, origin: Origin) -> Delivery {
        let qos = message.qos.min(self.qos); // [MQTT-3.8.4-8]
        let retain = match origin {
            Origin::Retained => true,
            // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
            Origin::Live | Origin::Shared(_) => message.retain && self.retain_as_published,
        };
        Delivery::new(message, qos, retain, self.identifier, origin)
    }
}

/// Room for so many deliveries is kept from one message to the next.
const KEPT: usize = 4_096;
