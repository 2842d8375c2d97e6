//! An Application Message inside the broker, and its way to one session.

use crate::{
    codec::{Publish, PublishProperties, QoS},
    time::Timestamp,
    topic::{TopicFilter, TopicName},
};
use alloc::{boxed::Box, sync::Arc, vec::Vec};
use bytes::Bytes;
use core::num::NonZeroU32;

/// What was published, shared by all sessions that it goes to.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) topic: TopicName,
    pub(super) payload: Bytes,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) expires_at: Option<Timestamp>,
    /// Without Topic Alias, Message Expiry Interval and Subscription Identifiers: those belong to one packet.
    properties: PublishProperties,
}

/// A message on its way to one session.
#[derive(Clone, Debug)]
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
    /// The message of a PUBLISH that came `now` for `topic`. What may be kept is copied out of the receive buffer once.
    pub(super) fn new(publish: Publish, topic: TopicName, now: Timestamp) -> Self {
        let Publish { qos, retain, mut properties, payload, .. } = publish;
        let expires_at = properties.message_expiry_interval.take().map(|seconds| now.plus_secs(seconds.into()));
        properties.topic_alias = None;
        properties.subscription_identifiers = Vec::new();
        let is_kept = retain || qos > QoS::AtMostOnce;
        let mut message = Self { topic, payload, qos, retain, expires_at, properties };
        if is_kept {
            message.detach();
        }
        message
    }

    fn detach(&mut self) {
        self.topic = self.topic.detached();
        self.payload = Bytes::copy_from_slice(&self.payload);
        let properties = &mut self.properties;
        for text in [&mut properties.response_topic, &mut properties.content_type].into_iter().flatten() {
            *text = text.detached();
        }
        if let Some(data) = &mut properties.correlation_data {
            *data = data.detached();
        }
        for (name, value) in &mut properties.user_properties {
            (*name, *value) = (name.detached(), value.detached());
        }
    }

    /// The bytes that count against limits of stored messages.
    pub(super) fn size(&self) -> usize {
        let properties = &self.properties;
        let user: usize = properties.user_properties.iter().map(|(name, value)| name.len() + value.len()).sum();
        let texts = [&properties.response_topic, &properties.content_type].into_iter().flatten();
        let correlation = properties.correlation_data.as_ref().map_or(0, |data| data.bytes().len());
        self.topic.text().len() + self.payload.len() + user + texts.map(|text| text.len()).sum::<usize>() + correlation
    }

    /// Whether the Message Expiry Interval has passed. [MQTT-3.3.2-5]
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl Delivery {
    /// The PUBLISH that carries it: no identifier, no alias, DUP 0.
    pub(super) fn to_publish(&self, now: Timestamp) -> Publish {
        let message = &*self.message;
        let mut properties = message.properties.clone();
        // [MQTT-3.3.2-6] the interval received, less the time it waited here
        let remaining = message.expires_at.map(|at| at.millis_since(now).div_ceil(1_000));
        properties.message_expiry_interval = remaining.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        properties.subscription_identifiers.clone_from(&self.identifiers);
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: message.topic.text().clone(),
            packet_id: None,
            properties,
            payload: message.payload.clone(),
        }
    }
}
