//! Retained messages: the last one of each topic, for those who subscribe later.

use super::{
    Broker, Caller, Page,
    deadlines::Due,
    effort::{self, Effort, NODE},
    host::page_size,
    message::{Delivery, Message, Origin},
    mirror::Mirror,
    session::{SessionId, Waiting},
};
use crate::{
    codec::{Publish, QoS, ReasonCode, Text},
    store::{self, Key},
    time::Timestamp,
    topic::{NameTree, Place, TopicFilter, TopicName},
};
use alloc::{sync::Arc, vec::Vec};
use bytes::Bytes;
use core::ops::ControlFlow;

/// The retained messages and the total of their sizes.
#[derive(Debug, Default)]
pub(super) struct Retained {
    messages: NameTree<Kept>,
    bytes: usize,
    /// The number of the last message that was retained.
    last: u64,
}

#[derive(Debug)]
struct Kept {
    message: Arc<Message>,
    number: u64,
}

/// How far a new subscription has come through what was retained when it began: nothing is held of what is to follow.
#[derive(Debug)]
pub(super) struct Replay {
    filter: TopicFilter,
    place: Place,
    /// The number of the last message that was retained then: the session gets later ones as they are published.
    last: u64,
}

/// What the next step of a replay gave.
#[derive(Debug)]
pub(super) enum Replayed {
    Message(Delivery),
    /// Enough was looked at for now.
    Nothing,
    /// It may give a message of QoS 1 or 2, for which there is no room in flight.
    WindowIsClosed,
    End,
}

/// One message more than the broker may retain.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetainedFull;

impl Retained {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// With the levels of their topics.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes + self.messages.bytes()
    }
}

impl Broker {
    /// Replaces what is retained for the message's topic; an empty payload removes it. [MQTT-3.3.1-5] [MQTT-3.3.1-6]
    pub(super) fn retain_message(&mut self, message: &Arc<Message>) -> Result<(), RetainedFull> {
        if !message.payload.is_empty() {
            let old = self.retained.messages.get(&message.topic).map_or(0, |old| old.message.size());
            let is_new = old == 0;
            let missing = self.retained.messages.bytes_missing(&message.topic);
            let bytes = self.retained.bytes() - old + message.size() + missing;
            let too_many = is_new && self.retained.messages.len() >= self.config.maximum_retained_messages;
            if too_many || bytes > self.config.maximum_retained_bytes {
                return Err(RetainedFull);
            }
        }
        self.remove_retained(&message.topic);
        // [MQTT-3.3.1-7]
        if !message.payload.is_empty() {
            self.retained.last += 1;
            let kept = Kept { message: message.clone(), number: self.retained.last };
            if self.is_durable() {
                self.mirror.put(kept.key(), &kept.to_record());
            }
            self.insert_retained(kept.message, kept.number);
        }
        Ok(())
    }

    /// The retained messages that `filter` matches and whose topics come after this one: level by level in the order of bytes,
    /// at most `limit`, and never more than 1,000 or, but for the first, than one input may cause. On behalf of somebody only
    /// what its grants let it subscribe to.
    ///
    /// # Errors
    /// 0x8F for what is no Topic Filter, or one of a share, and 0x87.
    pub fn retained(
        &self,
        now: Timestamp,
        filter: &Text,
        after: Option<&Text>,
        limit: usize,
        caller: Option<&Caller>,
    ) -> Result<Page<Publish>, ReasonCode> {
        let is_usable = |it: &TopicFilter| it.share_name().is_none() && !self.config.forbids_levels(it.level_count());
        let filter = TopicFilter::parse(filter.clone()).ok().filter(is_usable).ok_or(ReasonCode::TopicFilterInvalid)?;
        if caller.is_some_and(|caller| caller.rights().may_subscribe(&filter).is_none()) {
            return Err(ReasonCode::NotAuthorized);
        }
        let limit = page_size(limit);
        let mut place = Place::behind(after.map(|after| after.as_str().as_bytes().to_vec()));
        let (mut items, mut effort) = (Vec::new(), Effort::default());
        let flow = self.retained.messages.walk(&filter, &mut place, &mut |kept: Option<&Kept>| {
            effort.add(NODE);
            if let Some(Kept { message, .. }) = kept.filter(|kept| !kept.message.is_expired(now)) {
                effort.add(effort::frame(message.size()));
                items.push(message.to_publish(now));
            }
            if items.len() >= limit || effort.is_enough() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let reached = place.path().and_then(|path| core::str::from_utf8(path).ok());
        let next = reached.filter(|_| flow.is_break()).and_then(|path| Text::try_from(path).ok());
        Ok(Page { items, next })
    }

    /// Writes all that is retained.
    pub(super) fn write_retained(&self, mirror: &mut Mirror) {
        self.retained.messages.visit_all(&mut |kept| mirror.put(kept.key(), &kept.to_record()));
    }

    /// Retains a message as the `number`th of all.
    pub(super) fn insert_retained(&mut self, message: Arc<Message>, number: u64) {
        let (topic, expires_at) = (message.topic.clone(), message.expires_at);
        self.retained.bytes += message.size();
        self.count_retained(number);
        self.retained.messages.insert(&topic, Kept { message, number });
        self.deadlines.set(Due::RetainedExpiry(topic), None, expires_at);
    }

    /// So many messages were retained, although the last ones may be so no more: what comes later has a higher number.
    pub(super) fn count_retained(&mut self, number: u64) {
        self.retained.last = self.retained.last.max(number);
    }

    pub(super) fn remove_retained(&mut self, topic: &TopicName) {
        if let Some(old) = self.retained.messages.remove(topic) {
            self.retained.bytes -= old.message.size();
            self.deadlines.set(Due::RetainedExpiry(topic.clone()), old.message.expires_at, None);
            if self.is_durable() {
                self.mirror.delete(Key::Retained(topic.text().clone()));
            }
        }
    }

    /// Lets what is retained for a new subscription follow; the caller pumps. [MQTT-3.3.1-9]
    pub(super) fn begin_replay(&mut self, session: SessionId, filter: TopicFilter) {
        self.end_replay(session, &filter);
        let replay = Replay { filter, place: Place::default(), last: self.retained.last };
        if let Some(queue) = self.sessions.get_mut(&session).map(|session| &mut session.queue) {
            queue.push(Waiting::Replay(replay));
            self.write_last_waiting(session);
        }
    }

    /// A subscription was removed, or begins anew.
    pub(super) fn end_replay(&mut self, session: SessionId, filter: &TopicFilter) {
        let ended = self.sessions.get_mut(&session).map(|session| session.queue.end_replay(filter));
        for (place, waiting) in ended.into_iter().flatten() {
            self.erase_waiting(session, place, &waiting);
        }
    }

    /// The next step of the replay that is first in the session's queue.
    pub(super) fn replay(&mut self, session_id: SessionId) -> Replayed {
        let Some(session) = self.sessions.get_mut(&session_id) else { return Replayed::End };
        let is_ready = session.outbound.is_ready();
        let Some(Waiting::Replay(replay)) = session.queue.first_mut() else { return Replayed::End };
        let Some(subscription) = self.routes.get(&replay.filter).and_then(|all| all.of(session_id)) else {
            return Replayed::End;
        };
        if subscription.qos > QoS::AtMostOnce && !is_ready {
            return Replayed::WindowIsClosed;
        }
        let (mut found, last) = (None, replay.last);
        let flow = self.retained.messages.walk(&replay.filter, &mut replay.place, &mut |kept: Option<&Kept>| {
            self.effort.add(NODE);
            found = kept.filter(|kept| kept.number <= last).map(|kept| &kept.message);
            if found.is_some() || self.effort.is_enough() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let replayed = match found {
            Some(message) => Replayed::Message(subscription.delivery(message, Origin::Retained)),
            None if flow.is_break() => Replayed::Nothing,
            None => return Replayed::End,
        };
        self.write_first_replay(session_id);
        replayed
    }
}

impl Kept {
    fn key(&self) -> Key {
        Key::Retained(self.message.topic.text().clone())
    }

    fn to_record(&self) -> store::Retained {
        store::Retained { message: self.message.number, number: self.number, content: self.message.content() }
    }
}

impl Replay {
    pub(super) fn restored(record: store::Replay, filter: TopicFilter) -> Self {
        Self { filter, place: Place::behind(record.path.map(Vec::from)), last: record.last }
    }

    pub(super) fn to_record(&self) -> store::Replay {
        let path = self.place.path().map(Bytes::copy_from_slice);
        store::Replay { filter: self.filter.text().clone(), last: self.last, path }
    }

    pub(super) const fn filter(&self) -> &TopicFilter {
        &self.filter
    }
}
