//! A message that is not published yet: a will, or one that is delayed. Knows not when it will be.

use super::{
    message,
    tally::{Charge, Tally},
};
use crate::{codec::Publish, store, topic::TopicName};
use bytes::Bytes;

/// A message as it was given, with its valid topic: its Message Expiry Interval counts from the time it is published.
#[derive(Debug)]
pub(super) struct Draft {
    topic: TopicName,
    publish: Publish,
    _charge: Charge,
}

impl Draft {
    /// A copy that keeps no receive buffer alive.
    pub(super) fn new(topic: &TopicName, publish: Publish, tally: &Tally) -> Self {
        let Publish { qos, retain, properties, payload, .. } = publish;
        let (properties, payload) = (message::detached(&properties), Bytes::copy_from_slice(&payload));
        Self {
            _charge: tally.charge(message::size(topic.text(), &payload, Some(&properties))),
            topic: topic.detached(),
            publish: Publish { qos, retain, properties, payload, ..Default::default() },
        }
    }

    pub(super) fn restored(content: store::Content, topic: &TopicName, tally: &Tally) -> Self {
        let store::Content { qos, retain, properties, payload, .. } = content;
        Self::new(topic, Publish { qos, retain, properties, payload, ..Default::default() }, tally)
    }

    pub(super) fn content(&self) -> store::Content {
        let Publish { qos, retain, properties, payload, .. } = self.publish.clone();
        store::Content { topic: self.topic.text().clone(), qos, retain, expires_at: None, properties, payload }
    }

    pub(super) const fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// All but its topic.
    pub(super) const fn publish(&self) -> &Publish {
        &self.publish
    }

    /// It counts no more: what becomes of it counts itself.
    pub(super) fn into_parts(self) -> (TopicName, Publish) {
        let publish = Publish { topic: self.topic.text().clone(), ..self.publish };
        (self.topic, publish)
    }
}
