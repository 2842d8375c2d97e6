//! The Will Message: kept with the session, published late, or taken back.

use super::{
    Broker,
    deadlines::Due,
    message::{self, Message},
    rules::Ruling,
    session::SessionId,
    tally::{Charge, Tally},
};
use crate::{
    codec::{Publish, PublishProperties, QoS, Will},
    store,
    time::Timestamp,
    topic::TopicName,
};
use bytes::Bytes;

/// A will with its valid topic.
#[derive(Debug)]
pub(super) struct StoredWill {
    topic: TopicName,
    delay_seconds: u32,
    /// The message as it was given: expiry counts from the time it is published.
    publish: Publish,
    /// When it is to be published, once the connection is gone.
    at: Option<Timestamp>,
    charge: Charge,
}

impl StoredWill {
    pub(super) fn new(topic: TopicName, will: &Will, tally: &Tally) -> Self {
        let properties = PublishProperties {
            payload_format_indicator: will.properties.payload_format_indicator,
            message_expiry_interval: will.properties.message_expiry_interval,
            response_topic: will.properties.response_topic.clone(),
            correlation_data: will.properties.correlation_data.clone(),
            content_type: will.properties.content_type.clone(),
            user_properties: will.properties.user_properties.clone(),
            ..Default::default()
        };
        let properties = message::detached(&properties);
        let payload = will.payload.detached().bytes().clone();
        Self {
            charge: tally.charge(message::size(topic.text(), &payload, &properties)),
            topic: topic.detached(),
            delay_seconds: will.properties.will_delay_interval.unwrap_or(0),
            publish: Publish { qos: will.qos, retain: will.retain, properties, payload, ..Default::default() },
            at: None,
        }
    }
}

impl StoredWill {
    pub(super) fn restored(record: store::Will, topic: TopicName, tally: &Tally) -> Self {
        let store::Will { delay_seconds, at, content } = record;
        let store::Content { qos, retain, properties, payload, .. } = content;
        let (properties, payload) = (message::detached(&properties), Bytes::copy_from_slice(&payload));
        Self {
            charge: tally.charge(message::size(topic.text(), &payload, &properties)),
            topic: topic.detached(),
            delay_seconds,
            publish: Publish { qos, retain, properties, payload, ..Default::default() },
            at,
        }
    }

    pub(super) fn to_record(&self) -> store::Will {
        let Publish { qos, retain, properties, payload, .. } = self.publish.clone();
        let content =
            store::Content { topic: self.topic.text().clone(), qos, retain, expires_at: None, properties, payload };
        store::Will { delay_seconds: self.delay_seconds, at: self.at, content }
    }

    /// When it is to be published, once the connection is gone.
    pub(super) const fn at(&self) -> Option<Timestamp> {
        self.at
    }

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
        drop(will.charge); // the message counts itself
        let Some(session) = self.sessions.get(&id) else { return };
        let (client_id, user_name) = (session.client_id.clone(), session.user_name.clone());
        let decision = match self.ruling(&will.topic, &client_id, user_name.as_ref()) {
            Ruling::Decided(decision) => decision,
            Ruling::Review => self.config.review_fallback.decision(),
        };
        let topic = will.topic.text().clone();
        let taken = match self.decided(decision, will.topic, will.publish) {
            Ok(None) => return,
            Ok(Some((topic, publish))) => {
                let message = Message::new(publish, topic, self.now, &self.tally);
                self.take(message, Some(id))
            }
            Err(reason) => Err(reason),
        };
        if let Err(reason) = taken {
            self.refuse_message(Some(client_id), topic, reason);
        }
    }
}
