//! The Will Message: kept with the session, published late, or taken back.

use super::{Broker, deadlines::Due, delay::Publisher, draft::Draft, session::SessionId, tally::Tally};
use crate::{
    codec::{Publish, PublishProperties, QoS, Will},
    store,
    time::Timestamp,
    topic::TopicName,
};

/// A will with its valid topic.
#[derive(Debug)]
pub(super) struct StoredWill {
    draft: Draft,
    delay_seconds: u32,
    /// When it is to be published, once the connection is gone.
    at: Option<Timestamp>,
}

impl StoredWill {
    pub(super) fn new(topic: &TopicName, will: &Will, tally: &Tally) -> Self {
        let properties = PublishProperties {
            payload_format_indicator: will.properties.payload_format_indicator,
            message_expiry_interval: will.properties.message_expiry_interval,
            response_topic: will.properties.response_topic.clone(),
            correlation_data: will.properties.correlation_data.clone(),
            content_type: will.properties.content_type.clone(),
            user_properties: will.properties.user_properties.clone(),
            ..Default::default()
        };
        let payload = will.payload.bytes().clone();
        let publish = Publish { qos: will.qos, retain: will.retain, properties, payload, ..Default::default() };
        Self {
            draft: Draft::new(topic, publish, tally),
            delay_seconds: will.properties.will_delay_interval.unwrap_or(0),
            at: None,
        }
    }

    pub(super) fn restored(record: store::Will, topic: &TopicName, tally: &Tally) -> Self {
        let store::Will { delay_seconds, at, content } = record;
        Self { draft: Draft::restored(content, topic, tally), delay_seconds, at }
    }

    pub(super) fn to_record(&self) -> store::Will {
        store::Will { delay_seconds: self.delay_seconds, at: self.at, content: self.draft.content() }
    }

    /// When it is to be published, once the connection is gone.
    pub(super) const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    pub(super) const fn topic(&self) -> &TopicName {
        self.draft.topic()
    }

    pub(super) const fn qos(&self) -> QoS {
        self.draft.publish().qos
    }

    pub(super) const fn retain(&self) -> bool {
        self.draft.publish().retain
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
        self.write_will(id);
    }

    /// The client is back: before the delay has passed, nothing is published. [MQTT-3.1.3-9]
    pub(super) fn forget_will(&mut self, id: SessionId) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.will.as_ref().is_some_and(|will| will.at.is_some_and(|at| at <= now)) {
            return self.publish_will(id);
        }
        if let Some(will) = session.will.take() {
            self.deadlines.set(Due::Will(id), will.at, None);
            self.write_will(id);
        }
    }

    /// Publishes the will, if there is one, and removes it. [MQTT-3.1.2-10]
    pub(super) fn publish_will(&mut self, id: SessionId) {
        let Some(will) = self.sessions.get_mut(&id).and_then(|session| session.will.take()) else { return };
        self.deadlines.set(Due::Will(id), will.at, None);
        self.write_will(id);
        let Some(session) = self.sessions.get(&id) else { return };
        let publisher = Publisher { client_id: session.client_id.clone(), user_name: session.user_name.clone() };
        let (topic, publish) = will.draft.into_parts();
        let named = topic.text().clone();
        if let Err(reason) = self.publish_by_rules(topic, publish, &publisher, Some(id)) {
            self.refuse_message(Some(publisher.client_id), named, reason);
        }
    }
}
