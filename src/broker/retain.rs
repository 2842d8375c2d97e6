//! Retained messages: the last one of each topic, for those who subscribe later.

use super::{
    Broker,
    deadlines::Due,
    message::{Message, Origin},
    route::Subscription,
    session::SessionId,
};
use crate::topic::{NameTree, TopicFilter, TopicName};
use alloc::{sync::Arc, vec::Vec};

/// The retained messages and their total size.
#[derive(Debug, Default)]
pub(super) struct Retained {
    messages: NameTree<Arc<Message>>,
    bytes: usize,
}

/// One message more than the broker may retain.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetainedFull;

impl Retained {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Broker {
    /// Replaces what is retained for the message's topic; an empty payload removes it. [MQTT-3.3.1-5] [MQTT-3.3.1-6]
    pub(super) fn retain_message(&mut self, message: &Arc<Message>) -> Result<(), RetainedFull> {
        if !message.payload.is_empty() {
            let old = self.retained.messages.get(&message.topic).map_or(0, |old| old.size());
            let is_new = old == 0;
            let bytes = self.retained.bytes - old + message.size();
            let too_many = is_new && self.retained.messages.len() >= self.config.maximum_retained_messages;
            if too_many || bytes > self.config.maximum_retained_bytes {
                return Err(RetainedFull);
            }
        }
        self.remove_retained(&message.topic);
        // [MQTT-3.3.1-7]
        if !message.payload.is_empty() {
            self.retained.bytes += message.size();
            self.retained.messages.insert(&message.topic, message.clone());
            self.deadlines.set(Due::RetainedExpiry(message.topic.clone()), None, message.expires_at);
        }
        Ok(())
    }

    pub(super) fn remove_retained(&mut self, topic: &TopicName) {
        if let Some(old) = self.retained.messages.remove(topic) {
            self.retained.bytes -= old.size();
            self.deadlines.set(Due::RetainedExpiry(topic.clone()), old.expires_at, None);
        }
    }

    /// Queues what is retained for the topics of a new subscription; the caller pumps. [MQTT-3.3.1-9]
    pub(super) fn send_retained(&mut self, session: SessionId, filter: &TopicFilter, subscription: &Subscription) {
        let mut found: Vec<Arc<Message>> = self.sys_messages(filter);
        self.retained.messages.visit(filter, &mut |message: &Arc<Message>| found.push(message.clone()));
        for message in found {
            self.enqueue(session, subscription.delivery(&message, Origin::Retained));
        }
    }
}
