//! What an input changes in the host's storage: collected here, handed over as one, before anything that the input sends.
//! A message is written once, however many sessions need it, and is gone when the last of them no longer does.

use super::{
    Action, Broker, ConnectionId, Durability,
    message::{Delivery, Message},
    route::Subscription,
    session::{Session, SessionId, Waiting},
};
use crate::{
    codec::{PacketId, QoS},
    store::{Key, Received, Record},
    topic::TopicFilter,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use bytes::Bytes;

#[derive(Debug, Default)]
pub(super) struct Mirror {
    writes: BTreeMap<Key, Write>,
    /// How many records need each message that has one.
    uses: BTreeMap<u64, usize>,
    /// Connections that changed in what the host remembers of them.
    changed: BTreeSet<ConnectionId>,
}

/// What becomes of a record.
#[derive(Debug)]
enum Write {
    /// There was none before this input.
    New(Bytes),
    Put(Bytes),
    Deleted,
}

impl Mirror {
    pub(super) fn put(&mut self, key: Key, record: &impl Record) {
        let value = record.to_value();
        let write = match self.writes.get(&key) {
            Some(Write::New(_)) => Write::New(value),
            _ => Write::Put(value),
        };
        self.writes.insert(key, write);
    }

    /// Puts what was not there when the input came, so that what it also takes away was never written.
    fn put_new(&mut self, key: Key, record: &impl Record) {
        let value = record.to_value();
        let write = if self.writes.contains_key(&key) { Write::Put(value) } else { Write::New(value) };
        self.writes.insert(key, write);
    }

    pub(super) fn delete(&mut self, key: Key) {
        match self.writes.remove(&key) {
            Some(Write::New(_)) => {}
            _ => _ = self.writes.insert(key, Write::Deleted),
        }
    }

    /// One record more needs `message`.
    fn add_use(&mut self, message: &Message) {
        let uses = self.uses.entry(message.number).or_default();
        *uses += 1;
        if *uses == 1 {
            self.put_new(Key::Message(message.number), &message.content());
        }
    }

    /// A record that needed the message no longer does.
    fn remove_use(&mut self, message: u64) {
        let Some(uses) = self.uses.get_mut(&message) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.uses.remove(&message);
            self.delete(Key::Message(message));
        }
    }

    /// A restored record needs `message`, which is there.
    pub(super) fn count_use(&mut self, message: u64) {
        *self.uses.entry(message).or_default() += 1;
    }
}

impl Broker {
    /// Whether anything is to be written at all.
    pub(super) fn is_durable(&self) -> bool {
        self.config.durability != Durability::None
    }

    /// The session has records from now on, if it can outlive this broker.
    pub(super) fn keep_session(&mut self, id: SessionId) {
        let durability = self.config.durability;
        let Some(session) = self.sessions.get_mut(&id).filter(|session| !session.is_kept) else { return };
        session.is_kept = match durability {
            Durability::None => false,
            Durability::Sessions => session.outlives_its_connection() || session.will.is_some(),
            Durability::Connections => true,
        };
        if session.is_kept {
            let filters: Vec<_> = session.subscriptions.iter().cloned().collect();
            let connection = session.connection;
            filters.iter().for_each(|filter| self.write_subscription(id, filter));
            self.write_replays(id);
            connection.into_iter().for_each(|connection| self.connection_changed(connection));
            self.write_session(id);
        }
    }

    pub(super) fn write_session(&mut self, id: SessionId) {
        if let Some(session) = self.kept(id) {
            let record = session.to_record();
            self.mirror.put(Key::Session(id.0), &record);
        }
    }

    pub(super) fn write_will(&mut self, id: SessionId) {
        let Some(session) = self.kept(id) else { return };
        match session.will.as_ref().map(|will| will.to_record()) {
            Some(record) => self.mirror.put(Key::Will(id.0), &record),
            None => self.mirror.delete(Key::Will(id.0)),
        }
    }

    /// The subscription of a session as it is now, or none. What has no records is remembered with its connection.
    pub(super) fn write_subscription(&mut self, id: SessionId, filter: &TopicFilter) {
        let Some(session) = self.sessions.get(&id).filter(|_| self.is_durable()) else { return };
        if !session.is_kept {
            return session.connection.into_iter().for_each(|connection| self.connection_changed(connection));
        }
        let key = Key::Subscription(id.0, filter.text().clone());
        match self.subscription(filter, id).map(Subscription::to_record) {
            Some(record) => self.mirror.put(key, &record),
            None => self.mirror.delete(key),
        }
    }

    /// Something waits in the session's queue from now on, behind all others.
    pub(super) fn write_last_waiting(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id).filter(|session| session.is_kept) else { return };
        match session.queue.last() {
            Some((place, Waiting::Message(delivery))) if delivery.qos > QoS::AtMostOnce => {
                self.mirror.add_use(&delivery.message);
                self.mirror.put_new(Key::Waiting(id.0, *place), &delivery.to_record());
            }
            Some((place, Waiting::Replay(replay))) => {
                self.mirror.put_new(Key::Replay(id.0, *place), &replay.to_record())
            }
            _ => {}
        }
    }

    /// Replays alone may wait before a session is kept.
    fn write_replays(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else { return };
        for (place, replay) in session.queue.replays() {
            self.mirror.put_new(Key::Replay(id.0, place), &replay.to_record());
        }
    }

    /// The replay that is first in the session's queue has gone on.
    pub(super) fn write_first_replay(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id).filter(|session| session.is_kept) else { return };
        if let Some((place, Waiting::Replay(replay))) = session.queue.first() {
            self.mirror.put(Key::Replay(id.0, *place), &replay.to_record());
        }
    }

    pub(super) fn erase_waiting(&mut self, id: SessionId, place: u64, waiting: &Waiting) {
        if self.kept(id).is_some() {
            self.mirror.erase_waiting(id, place, waiting);
        }
    }

    /// A message is in flight from now on.
    pub(super) fn write_in_flight(&mut self, id: SessionId, packet_id: PacketId, delivery: &Delivery) {
        let Some(session) = self.kept(id) else { return };
        if let Some(record) = session.in_flight(packet_id) {
            self.mirror.add_use(&delivery.message);
            self.mirror.put_new(Key::InFlight(id.0, packet_id), &record);
        }
    }

    /// PUBREL is due: the message itself is forgotten. [MQTT-4.3.3-6]
    pub(super) fn write_released(&mut self, id: SessionId, packet_id: PacketId, delivery: &Delivery) {
        let Some(session) = self.kept(id) else { return };
        if let Some(record) = session.in_flight(packet_id) {
            self.mirror.put(Key::InFlight(id.0, packet_id), &record);
            self.mirror.remove_use(delivery.message.number);
        }
    }

    /// An exchange is over, of which `delivery` was left.
    pub(super) fn erase_in_flight(&mut self, id: SessionId, packet_id: PacketId, delivery: Option<&Delivery>) {
        if self.kept(id).is_some() {
            self.mirror.erase_in_flight(id, packet_id, delivery);
        }
    }

    /// A QoS 2 message came that its client has yet to release.
    pub(super) fn write_received(&mut self, id: SessionId, packet_id: PacketId) {
        self.keep_session(id);
        if self.kept(id).is_some() {
            self.mirror.put_new(Key::Received(id.0, packet_id), &Received {});
        }
    }

    pub(super) fn erase_received(&mut self, id: SessionId, packet_id: PacketId) {
        if self.kept(id).is_some() {
            self.mirror.delete(Key::Received(id.0, packet_id));
        }
    }

    /// What the host remembers of the connection is no longer what it is.
    pub(super) fn connection_changed(&mut self, id: ConnectionId) {
        if self.config.durability == Durability::Connections {
            self.mirror.changed.insert(id);
        }
    }

    /// Hands over what the input has changed, before the actions from `start` on, which it caused.
    pub(super) fn flush_mirror(&mut self, start: usize) {
        if !self.is_durable() {
            return;
        }
        let caused = self.actions.split_off(start);
        let mut remembered = Vec::new();
        let changed = core::mem::take(&mut self.mirror.changed);
        for session in changed.iter().filter_map(|connection| self.session_of(*connection)).collect::<Vec<_>>() {
            if self.sessions.get(&session).is_some_and(|session| session.queue.has_replays()) {
                self.keep_session(session);
            }
        }
        for connection in changed {
            if let Some(state) = self.remember(connection) {
                remembered.push(Action::Remember { connection, state });
            }
        }
        for (key, write) in core::mem::take(&mut self.mirror.writes) {
            let key = key.to_bytes();
            self.actions.push_back(match write {
                Write::New(value) | Write::Put(value) => Action::Put { key, value },
                Write::Deleted => Action::Delete { key },
            });
        }
        self.actions.extend(remembered);
        self.actions.extend(caused);
    }

    fn kept(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id).filter(|session| session.is_kept)
    }
}

impl Mirror {
    pub(super) fn erase_waiting(&mut self, id: SessionId, place: u64, waiting: &Waiting) {
        match waiting {
            Waiting::Replay(_) => self.delete(Key::Replay(id.0, place)),
            Waiting::Message(delivery) if delivery.qos > QoS::AtMostOnce => {
                self.delete(Key::Waiting(id.0, place));
                self.remove_use(delivery.message.number);
            }
            Waiting::Message(_) => {}
        }
    }

    pub(super) fn erase_in_flight(&mut self, id: SessionId, packet_id: PacketId, delivery: Option<&Delivery>) {
        self.delete(Key::InFlight(id.0, packet_id));
        if let Some(delivery) = delivery {
            self.remove_use(delivery.message.number);
        }
    }
}
