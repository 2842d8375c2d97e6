//! The Will Message: kept with the session, published late, or taken back.

use super::{Broker, deadlines::Due, message::Message, session::SessionId};
use crate::{
    codec::{Publish, PublishProperties, QoS, Will},
    time::Timestamp,
    topic::TopicName,
};
use alloc::sync::Arc;

/// A will with its valid topic.
#[derive(Clone, Debug)]
pub(super) struct StoredWill {
    topic: TopicName,
    delay_seconds: u32,
    /// The message as it was given: expiry counts from the time it is published.
    publish: Publish,
    /// When it is to be published, once the connection is gone.
    at: Option<Timestamp>,
}

impl StoredWill {
    pub(super) fn new(topic: TopicName, will: &Will) -> Self {
        let properties = PublishProperties {
            payload_format_indicator: will.properties.payload_format_indicator,
            message_expiry_interval: will.properties.message_expiry_interval,
            response_topic: will.properties.response_topic.as_ref().map(|text| text.detached()),
            correlation_data: will.properties.correlation_data.as_ref().map(|data| data.detached()),
            content_type: will.properties.content_type.as_ref().map(|text| text.detached()),
            user_properties: will
                .properties
                .user_properties
                .iter()
                .map(|(name, value)| (name.detached(), value.detached()))
                .collect(),
            ..Default::default()
        };
        let payload = will.payload.detached().bytes().clone();
        Self {
            topic: topic.detached(),
            delay_seconds: will.properties.will_delay_interval.unwrap_or(0),
            publish: Publish { qos: will.qos, retain: will.retain, properties, payload, ..Default::default() },
            at: None,
        }
    }
}

impl StoredWill {
    pub(super) const fn topic(&self) -> &TopicName {
        &self.topic
    }

    pub(super) const fn qos(&self) -> QoS {
        self.publish.qos
    }

    pub(super) const fn retain(&self) -> bool {
        self.publish.retain
    }
}

impl Broker {
    /// The connection ended badly: the will is published now, or once its delay or the session has passed. [MQTT-3.1.2-8]
    pub(super) fn begin_will(&mut self, id: SessionId) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let expiry = session.expiry_interval;
        let Some(will) = &mut session.will else { return };
        let delay = will.delay_seconds.min(expiry);
        if delay == 0 {
            return self.publish_will(id);
        }
        let at = Some(now.plus_secs(delay.into()));
        will.at = at;
        self.deadlines.set(Due::Will(id), None, at);
    }

    /// The client is back before the delay has passed. [MQTT-3.1.3-9]
    pub(super) fn forget_will(&mut self, id: SessionId) {
        if let Some(will) = self.sessions.get_mut(&id).and_then(|session| session.will.take()) {
            self.deadlines.set(Due::Will(id), will.at, None);
        }
    }

    /// Publishes the will, if there is one, and removes it. [MQTT-3.1.2-10]
    pub(super) fn publish_will(&mut self, id: SessionId) {
        let Some(will) = self.sessions.get_mut(&id).and_then(|session| session.will.take()) else { return };
        self.deadlines.set(Due::Will(id), will.at, None);
        let message = Arc::new(Message::new(will.publish, will.topic, self.now));
        if message.retain && self.retain_message(&message).is_err() {
            self.statistics.messages_refused += 1;
        }
        self.route(&message, Some(id));
    }
}
