//! From the records that a host kept to a broker that goes on.

use super::{
    Broker, Config,
    connection::Ending,
    deadlines::Due,
    effort::PACKET,
    message::{Delivery, Message, Origin},
    retain::Replay,
    route::Subscription,
    session::{Session, SessionId, Waiting},
    will::StoredWill,
};
use crate::{
    codec::{PacketId, QoS, Text},
    session::InFlight,
    store::{self, Key, Record, RestoreError},
    topic::{TopicFilter, TopicName},
};
use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};
use bytes::{Bytes, BytesMut};

/// A broker made of what another one left.
#[derive(Debug)]
pub struct Restored {
    /// It has everything that is sound.
    pub broker: Broker,
    /// Records that are not, and that it does not know: the host may show them, and delete them.
    pub rejected: Vec<RestoreError>,
}

/// What waits for its connection to be resumed, until the first other input.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    sessions: Vec<SessionId>,
    /// What is stored of connections, in the order of keys, until it is taken.
    records: Vec<(Key, Bytes)>,
}

impl Orphans {
    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.records.is_empty()
    }

    /// What is stored of the connection at a place, but for its unread bytes.
    pub(super) fn connection(&self, place: u64) -> Option<Bytes> {
        self.of(Key::Connection(place), Key::Connection(place + 1)).first().map(|(_, value)| value.clone())
    }

    /// Those bytes, and where each record of them begins. `None` when they are not all there, or do not fit together.
    pub(super) fn unread(&self, place: u64, unread: &store::Unread) -> Option<(BytesMut, Vec<u64>)> {
        let (mut bytes, mut starts) = (BytesMut::new(), Vec::new());
        let end = unread.position + unread.stored;
        let mut next = unread.position;
        for (key, value) in self.of(Key::Unread(place, 0), Key::Unread(place + 1, 0)) {
            let Key::Unread(_, start) = *key else { continue };
            let piece = store::Piece::from_value(Key::UNREAD, value.clone()).ok()?.bytes;
            let is_next = if starts.is_empty() { start <= next } else { start == next };
            next = start + piece.len() as u64;
            if !is_next || next <= unread.position || next > end {
                return None;
            }
            let skipped = unread.position.saturating_sub(start);
            bytes.extend_from_slice(piece.get(usize::try_from(skipped).ok()?..)?);
            starts.push(start);
        }
        (next == end).then_some((bytes, starts))
    }

    /// The records from one key on, in front of another.
    fn of(&self, first: Key, end: Key) -> &[(Key, Bytes)] {
        let place = |key: Key| self.records.partition_point(|(other, _)| *other < key);
        &self.records[place(first)..place(end)]
    }

    /// The connection at a place goes on, and has its records from now on.
    pub(super) fn take(&mut self, place: u64) {
        self.records.retain(|(key, _)| !matches!(key, Key::Connection(at) | Key::Unread(at, _) if *at == place));
    }
}

impl Broker {
    /// The broker that had its host put `records`, in any order, with all that was durable. Its connections are gone until
    /// [`super::Input::Resumed`] brings them back. What a record says beyond the limits of `config` is kept all the same.
    pub fn restore(config: Config, seed: [u8; 32], records: impl IntoIterator<Item = (Bytes, Bytes)>) -> Restored {
        let mut restored = Restored { broker: Self::new(config, seed), rejected: Vec::new() };
        // By kind: what others need comes first.
        let mut steps: BTreeMap<(u8, Key), (Bytes, Bytes)> = BTreeMap::new();
        for (key, value) in records {
            match Key::parse(key.clone()) {
                Ok(parsed) => {
                    restored.broker.skip_numbers(&parsed);
                    steps.insert((step(&parsed), parsed), (key, value));
                }
                Err(reason) => restored.rejected.push(RestoreError { key, reason }),
            }
        }
        let mut messages = Messages::default();
        let mut queue = BTreeMap::new();
        for ((_, key), (bytes, value)) in steps {
            let outcome = restored.broker.restore_record(key, value, &bytes, &mut messages, &mut queue);
            restored.rejected.extend(outcome.err().map(|reason| RestoreError { key: bytes, reason }));
        }
        for ((session, place), waiting) in queue {
            if let Some(session) = restored.broker.sessions.get_mut(&session) {
                session.queue.restore(place, waiting);
            }
        }
        let unused = messages.0.into_values().filter(|(_, message)| Arc::strong_count(message) == 1);
        restored.rejected.extend(unused.map(|(key, _)| RestoreError { key, reason: UNUSED }));
        restored
    }

    /// What comes takes no number of a record, not even of one that is rejected and may stay.
    fn skip_numbers(&mut self, key: &Key) {
        if let Some(session) = key.session() {
            self.last_session = self.last_session.max(session);
        }
        match key {
            Key::Message(number) => self.tally.skip_number(*number),
            Key::Delayed(number) => self.delayed.skip_number(*number),
            Key::Connection(place) | Key::Unread(place, _) => self.mirror.skip_place(*place),
            _ => {}
        }
    }

    fn restore_record(
        &mut self,
        key: Key,
        value: Bytes,
        bytes: &Bytes,
        messages: &mut Messages,
        queue: &mut BTreeMap<(SessionId, u64), Waiting>,
    ) -> Result<(), &'static str> {
        let kind = bytes[0];
        match key {
            Key::Message(number) => {
                let message = self.restore_message(number, store::Content::from_value(kind, value)?)?;
                messages.0.insert(number, (bytes.clone(), message));
            }
            Key::Retained(topic) => {
                let store::Retained { message, number, content } = Record::from_value(kind, value)?;
                let retained = match messages.find(message) {
                    Ok(shared) if shared.content() == content => shared,
                    _ => self.restore_message(message, content)?,
                };
                if *retained.topic.text() != topic || retained.payload.is_empty() {
                    return Err("what is retained is not for the topic of its key, or has no payload");
                }
                self.insert_retained(retained, number);
            }
            Key::Delayed(number) => {
                let record: store::Delayed = Record::from_value(kind, value)?;
                let topic = self.restore_topic(record.content.topic.clone())?;
                self.restore_delayed(number, record, &topic);
            }
            Key::Kept(name) => {
                let store::Kept { value } = Record::from_value(kind, value)?;
                self.keepsakes.insert(&name, &value);
            }
            Key::Session(number) => self.restore_session(SessionId(number), Record::from_value(kind, value)?)?,
            Key::Will(session) => {
                let record: store::Will = Record::from_value(kind, value)?;
                let topic = self.restore_topic(record.content.topic.clone())?;
                let will = StoredWill::restored(record, &topic, &self.tally);
                let at = will.at();
                self.known_session(session)?.will = Some(Box::new(will));
                self.deadlines.set(Due::Will(SessionId(session)), None, at);
            }
            Key::Subscription(session, filter) => {
                let subscription = Subscription::restored(Record::from_value(kind, value)?);
                let filter = restore_filter(&filter)?;
                self.known_session(session)?;
                if !self.restore_subscription(SessionId(session), filter, subscription) {
                    return Err(TOO_DEEP);
                }
            }
            Key::Received(session, packet_id) => {
                let store::Received { connection } = Record::from_value(kind, value)?;
                self.known_session(session)?.inbound.restore(packet_id, connection);
            }
            Key::InFlight(session, packet_id) => {
                self.restore_in_flight(session, packet_id, Record::from_value(kind, value)?, messages)?;
            }
            Key::Waiting(session, place) => {
                let delivery = Self::restore_delivery(Record::from_value(kind, value)?, messages)?;
                self.known_session(session)?;
                delivery.message.add_use();
                queue.insert((SessionId(session), place), Waiting::Message(delivery));
            }
            Key::Replay(session, place) => {
                let record: store::Replay = Record::from_value(kind, value)?;
                let filter = restore_filter(&record.filter)?;
                self.known_session(session)?;
                self.count_retained(record.last);
                queue.insert((SessionId(session), place), Waiting::Replay(Replay::restored(record, filter)));
            }
            // Whether it is sound shows when it is resumed; what is not goes with all that is not.
            Key::Connection(_) | Key::Unread(..) => self.orphans.records.push((key, value)),
        }
        Ok(())
    }

    fn restore_session(&mut self, id: SessionId, record: store::Session) -> Result<(), &'static str> {
        let store::Session { client_id, user_name, expiry_interval, is_connected, expires_at } = record;
        let client_id = client_id.detached();
        if self.by_client_id.contains_key(&client_id) {
            return Err("another session has the same Client Identifier");
        }
        if !is_connected && expires_at.is_none() && expiry_interval != u32::MAX {
            return Err("the session is not connected and does not say when it ends");
        }
        self.insert_session(id, client_id, user_name.as_ref().map(Text::detached));
        let is_kept = self.is_durable();
        let session = self.known_session(id.0)?;
        session.is_kept = is_kept;
        session.expiry_interval = expiry_interval;
        if is_connected {
            session.is_orphan = true;
            self.orphans.sessions.push(id);
        } else {
            session.expires_at = expires_at;
            self.deadlines.set(Due::SessionExpiry(id), None, expires_at);
        }
        Ok(())
    }

    fn restore_message(&self, number: u64, content: store::Content) -> Result<Arc<Message>, &'static str> {
        let topic = self.restore_topic(content.topic.clone())?;
        Ok(Arc::new(Message::restored(number, content, topic, &self.tally)))
    }

    fn restore_delivery(record: store::Delivery, messages: &Messages) -> Result<Delivery, &'static str> {
        if record.qos == QoS::AtMostOnce {
            return Err("a message of QoS 0 is not kept");
        }
        let origin = match &record.share {
            Some(filter) => Origin::Shared(Box::new(restore_filter(filter)?)),
            None if record.was_retained => Origin::Retained,
            None => Origin::Live,
        };
        let message = messages.find(record.message)?;
        Ok(Delivery::restored(record, message, origin))
    }

    fn restore_in_flight(
        &mut self,
        session: u64,
        packet_id: PacketId,
        record: store::InFlight,
        messages: &Messages,
    ) -> Result<(), &'static str> {
        let delivery = record.delivery.map(|delivery| Self::restore_delivery(delivery, messages)).transpose()?;
        self.known_session(session)?;
        if let Some(delivery) = &delivery {
            delivery.message.add_use();
        }
        let step = match delivery {
            None => InFlight::PubComp,
            Some(delivery) if delivery.qos == QoS::AtLeastOnce => InFlight::PubAck(delivery),
            Some(delivery) => InFlight::PubRec(delivery),
        };
        self.known_session(session)?.outbound.restore(packet_id, record.sequence, step);
        Ok(())
    }

    fn restore_topic(&self, topic: Text) -> Result<TopicName, &'static str> {
        let topic = TopicName::parse(topic).map_err(|error| error.rule)?;
        if self.config.forbids_levels(topic.level_count()) { Err(TOO_DEEP) } else { Ok(topic) }
    }

    fn known_session(&mut self, number: u64) -> Result<&mut Session, &'static str> {
        self.sessions.get_mut(&SessionId(number)).ok_or("the session that it belongs to is not there")
    }

    /// The sessions that no connection was resumed for have lost theirs, as far as this input may go.
    pub(super) fn abandon_orphans(&mut self) {
        if self.orphans.is_empty() {
            return;
        }
        for (key, _) in core::mem::take(&mut self.orphans.records) {
            if self.is_durable() {
                self.mirror.delete(key);
            }
        }
        while !self.effort.is_enough()
            && let Some(session) = self.orphans.sessions.pop()
        {
            self.effort.add(PACKET);
            self.abandon(session);
        }
    }

    /// The session has lost its connection, if that was not resumed.
    pub(super) fn abandon(&mut self, id: SessionId) {
        if self.take_orphan(id) {
            self.detach_session(id, Ending::Failed);
        }
    }

    /// Whether the session waited for its connection to be resumed.
    pub(super) fn take_orphan(&mut self, id: SessionId) -> bool {
        self.sessions.get_mut(&id).is_some_and(|session| core::mem::take(&mut session.is_orphan))
    }
}

/// The messages that records refer to, with their keys.
#[derive(Default)]
struct Messages(BTreeMap<u64, (Bytes, Arc<Message>)>);

impl Messages {
    fn find(&self, number: u64) -> Result<Arc<Message>, &'static str> {
        self.0.get(&number).map(|(_, message)| message.clone()).ok_or("the message that it needs is not there")
    }
}

fn restore_filter(text: &Text) -> Result<TopicFilter, &'static str> {
    TopicFilter::parse(text.detached()).map_err(|error| error.rule)
}

/// When a record's turn is: after those that it needs.
const fn step(key: &Key) -> u8 {
    match key {
        Key::Message(_) | Key::Session(_) => 0,
        _ => 1,
    }
}

const TOO_DEEP: &str = "the topic has more levels than this broker allows";
const UNUSED: &str = "no record needs this message";
