//! An Application Message inside the broker, and its way to one session.

use super::tally::{Charge, Tally};
use crate::{
    codec::{Binary, Publish, PublishProperties, QoS, Text, property::Properties},
    store,
    time::Timestamp,
    topic::{TopicFilter, TopicName},
};
use alloc::{borrow::Cow, boxed::Box, sync::Arc, vec::Vec};
use bytes::Bytes;
use core::{
    num::{NonZeroU16, NonZeroU32},
    sync::atomic::{AtomicUsize, Ordering},
};

/// What was published, shared by all sessions that it goes to.
#[derive(Debug)]
pub(super) struct Message {
    /// Never the same for two messages of one broker.
    pub(super) number: u64,
    pub(super) topic: TopicName,
    pub(super) payload: Bytes,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) expires_at: Option<Timestamp>,
    /// Without Topic Alias, Message Expiry Interval and Subscription Identifiers: those belong to one packet. Most have none.
    properties: Option<Box<PublishProperties>>,
    /// Whether it keeps no receive buffer alive.
    is_detached: bool,
    charge: Charge,
    /// How many stored records need it.
    uses: AtomicUsize,
}

/// A message on its way to one session.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) message: Arc<Message>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) identifiers: Vec<NonZeroU32>,
    pub(super) origin: Origin,
}

/// Why a session gets a message.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// It was published while the session subscribed.
    Live,
    /// It was retained when the session subscribed.
    Retained,
    /// The session was its turn's member of this shared subscription.
    Shared(Box<TopicFilter>),
}

impl Message {
    /// The message of a PUBLISH that came `now` for `topic`; takes its payload and properties. What may be kept is copied out
    /// of the receive buffer once.
    pub(super) fn new(publish: &mut Publish, topic: TopicName, now: Timestamp, tally: &Tally) -> Self {
        let (qos, retain, payload) = (publish.qos, publish.retain, core::mem::take(&mut publish.payload));
        let properties = &mut publish.properties;
        let expires_at = properties.message_expiry_interval.take().map(|seconds| now.plus_secs(seconds.into()));
        properties.topic_alias = None;
        properties.subscription_identifiers = Vec::new();
        let is_kept = retain || qos > QoS::AtMostOnce || payload.len() >= SHARED;
        let properties = if properties.is_empty() { None } else { boxed(core::mem::take(properties)) };
        let parts = (topic, payload, properties);
        let number = tally.number_message();
        Self::of_parts(if is_kept { copied(&parts) } else { parts }, qos, retain, expires_at, is_kept, number, tally)
    }

    fn of_parts(
        (topic, payload, properties): Parts,
        qos: QoS,
        retain: bool,
        expires_at: Option<Timestamp>,
        is_detached: bool,
        number: u64,
        tally: &Tally,
    ) -> Self {
        let charge = tally.charge(size(topic.text(), &payload, properties.as_deref()));
        let uses = AtomicUsize::new(0);
        Self { number, topic, payload, qos, retain, expires_at, properties, is_detached, charge, uses }
    }

    /// The message that a store knows by `number`.
    pub(super) fn restored(number: u64, content: store::Content, topic: TopicName, tally: &Tally) -> Self {
        let store::Content { topic: _, qos, retain, expires_at, properties, payload } = content;
        tally.skip_number(number);
        let parts = copied(&(topic, payload, boxed(properties)));
        Self::of_parts(parts, qos, retain, expires_at, true, number, tally)
    }

    /// One record more needs it; tells how many do now.
    pub(super) fn add_use(&self) -> usize {
        self.uses.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One record that needed it no longer does; tells how many do now.
    pub(super) fn remove_use(&self) -> usize {
        self.uses.fetch_sub(1, Ordering::Relaxed) - 1
    }

    /// As it was published, but for its Message Expiry Interval. [MQTT-3.3.2-6]
    pub(super) fn to_publish(&self, now: Timestamp) -> Publish {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: self.topic.text().clone(),
            packet_id: None,
            properties: self.properties(now),
            payload: self.payload.clone(),
        }
    }

    fn properties(&self, now: Timestamp) -> PublishProperties {
        let mut properties = self.properties.as_deref().cloned().unwrap_or_default();
        // The interval received, less the time it waited here.
        let remaining = self.expires_at.map(|at| at.millis_since(now).div_ceil(1_000));
        properties.message_expiry_interval = remaining.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        properties
    }

    pub(super) fn content(&self) -> store::Content {
        store::Content {
            topic: self.topic.text().clone(),
            qos: self.qos,
            retain: self.retain,
            expires_at: self.expires_at,
            properties: self.properties.as_deref().cloned().unwrap_or_default(),
            payload: self.payload.clone(),
        }
    }

    pub(super) const fn is_detached(&self) -> bool {
        self.is_detached
    }

    /// A copy that keeps no larger buffer alive.
    pub(super) fn detached(&self) -> Self {
        let parts = copied(&(self.topic.clone(), self.payload.clone(), self.properties.clone()));
        Self::of_parts(parts, self.qos, self.retain, self.expires_at, true, self.number, self.charge.tally())
    }

    /// The bytes that count against limits of stored messages: about what it takes in memory.
    pub(super) const fn size(&self) -> usize {
        self.charge.bytes()
    }

    /// Whether the Message Expiry Interval has passed. [MQTT-3.3.2-5]
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// Topic, payload and properties.
type Parts = (TopicName, Bytes, Option<Box<PublishProperties>>);

fn boxed(properties: PublishProperties) -> Option<Box<PublishProperties>> {
    (!properties.is_empty()).then(|| Box::new(properties))
}

/// A copy that keeps no larger buffer alive: topic and payload have one together.
fn copied((topic, payload, properties): &Parts) -> Parts {
    let (topic, payload) = topic.detached_with(payload);
    (topic, payload, properties.as_deref().map(|properties| Box::new(detached(properties))))
}

/// About what a message with these parts takes in memory.
pub(super) fn size(topic: &Text, payload: &Bytes, properties: Option<&PublishProperties>) -> usize {
    let text = |length: usize| if length > 0 { length + ALLOCATION } else { 0 };
    MESSAGE + text(topic.len()) + text(payload.len()) + properties.map_or(0, properties_size)
}

fn properties_size(properties: &PublishProperties) -> usize {
    let text = |length: usize| if length > 0 { length + ALLOCATION } else { 0 };
    let user = properties.user_properties.iter();
    let user: usize = user.map(|(name, value)| size_of::<(Text, Text)>() + text(name.len()) + text(value.len())).sum();
    let texts = [&properties.response_topic, &properties.content_type].into_iter().flatten();
    let correlation = properties.correlation_data.as_ref().map_or(0, |data| text(data.bytes().len()));
    size_of::<PublishProperties>() + texts.map(|it| text(it.len())).sum::<usize>() + user + correlation
}

/// A copy that keeps no larger buffer alive.
pub(super) fn detached(properties: &PublishProperties) -> PublishProperties {
    let user = properties.user_properties.iter();
    PublishProperties {
        response_topic: properties.response_topic.as_ref().map(Text::detached),
        correlation_data: properties.correlation_data.as_ref().map(Binary::detached),
        content_type: properties.content_type.as_ref().map(Text::detached),
        user_properties: user.map(|(name, value)| (name.detached(), value.detached())).collect(),
        subscription_identifiers: Vec::new(),
        ..*properties
    }
}

impl Delivery {
    pub(super) fn new(
        message: &Arc<Message>,
        qos: QoS,
        retain: bool,
        identifier: Option<NonZeroU32>,
        origin: Origin,
    ) -> Self {
        let delivery =
            Self { message: message.clone(), qos, retain, identifiers: identifier.into_iter().collect(), origin };
        message.charge.tally().add_delivery(delivery.size());
        delivery
    }

    /// Whether it goes to another member of a Shared Subscription when this one's session ends.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self.origin, Origin::Shared(_))
    }

    /// What a store knows of it.
    pub(super) fn restored(record: store::Delivery, message: Arc<Message>, origin: Origin) -> Self {
        let store::Delivery { qos, retain, identifiers, .. } = record;
        let delivery = Self { message, qos, retain, identifiers, origin };
        delivery.message.charge.tally().add_delivery(delivery.size());
        delivery
    }

    /// What it takes besides its message.
    fn size(&self) -> usize {
        size_of::<Self>() + ALLOCATION + self.identifiers.len() * size_of::<NonZeroU32>()
    }

    pub(super) fn to_record(&self) -> store::Delivery {
        let (was_retained, share) = match &self.origin {
            Origin::Live => (false, None),
            Origin::Retained => (true, None),
            Origin::Shared(filter) => (false, Some(filter.text().clone())),
        };
        store::Delivery {
            message: self.message.number,
            qos: self.qos,
            retain: self.retain,
            identifiers: self.identifiers.clone(),
            was_retained,
            share,
        }
    }

    /// One delivery instead of two of the same message to the same session: the highest QoS of its matching subscriptions and
    /// all their identifiers. [MQTT-3.3.4-2] [MQTT-3.3.4-4]
    pub(super) fn merge(&mut self, other: &mut Self) {
        self.qos = self.qos.max(other.qos);
        self.retain |= other.retain;
        self.identifiers.append(&mut other.identifiers);
    }

    /// The properties of the PUBLISH that carries it, if it has any.
    pub(super) fn properties(&self, alias: Option<NonZeroU16>, now: Timestamp) -> Option<Cow<'_, PublishProperties>> {
        if alias.is_none() && self.message.expires_at.is_none() && self.identifiers.is_empty() {
            return self.message.properties.as_deref().map(Cow::Borrowed);
        }
        let subscription_identifiers = self.identifiers.clone();
        let properties = self.message.properties(now);
        Some(Cow::Owned(PublishProperties { topic_alias: alias, subscription_identifiers, ..properties }))
    }
}

impl Clone for Delivery {
    fn clone(&self) -> Self {
        self.message.charge.tally().add_delivery(self.size());
        let Self { message, qos, retain, identifiers, origin } = self;
        Self {
            message: message.clone(),
            qos: *qos,
            retain: *retain,
            identifiers: identifiers.clone(),
            origin: origin.clone(),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.message.charge.tally().subtract_delivery(self.size());
    }
}

/// What a block of memory takes besides its bytes, with the counter that makes it shared.
const ALLOCATION: usize = 48;
/// Hosts let a payload from this size on wait as it is, and with it all that came beside it, unless it has a buffer of its own.
const SHARED: usize = 4 << 10;
/// A message without its parts.
const MESSAGE: usize = size_of::<Message>() + ALLOCATION;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_hosts_do_not_copy_keeps_nothing_that_came_beside_it() {
        let came = Bytes::from(alloc::vec![7; 10 * SHARED]);
        for (length, is_copied) in [(SHARED - 1, false), (SHARED, true)] {
            let mut publish = Publish { payload: came.slice(..length), ..Publish::default() };
            let topic = TopicName::parse(Text::from_static("a")).unwrap();
            let message = Message::new(&mut publish, topic, Timestamp(0), &Tally::default());
            assert_eq!((message.payload.len(), message.payload.as_ptr() != came.as_ptr()), (length, is_copied));
        }
    }
}
