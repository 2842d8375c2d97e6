//! What an input changes in the host's storage: collected here, handed over as one, before anything that the input sends.
//! A message is written once, however many sessions need it, and is gone when the last of them no longer does; what is
//! retained has a copy of its own.

use super::{
    Action, Broker, ConnectionId, Durability,
    message::{Delivery, Message},
    remember::MAXIMUM_STATE,
    route::Subscription,
    session::{Session, SessionId, Waiting},
};
use crate::{
    codec::{PacketId, QoS},
    session::Novelty,
    store::{self, Key, Received, Record},
    topic::TopicFilter,
};
use alloc::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    vec::Vec,
};
use bytes::Bytes;

#[derive(Debug, Default)]
pub(super) struct Mirror {
    writes: BTreeMap<Bytes, Write>,
    /// Whether one of them is for more than connections that outlive the broker.
    is_urgent: bool,
    /// Connections that changed in what the host remembers of them.
    changed: BTreeSet<ConnectionId>,
    /// The last place that a connection had for its records.
    last_place: u64,
}

/// What a subscription without a record takes beside a connection, besides its filter.
const SUBSCRIPTION: usize = 10;

/// What becomes of a record.
#[derive(Debug)]
struct Write {
    /// Whether there may have been one before this input.
    was_there: bool,
    change: Change,
}

#[derive(Debug)]
enum Change {
    None,
    Put(Bytes),
    Delete,
}

/// What a record does to the message that it needs.
type Need = fn(&mut Mirror, &Message);

impl Mirror {
    pub(super) fn put(&mut self, key: Key, record: &impl Record) {
        self.put_value(key, record.to_value());
    }

    pub(super) fn put_value(&mut self, key: Key, value: Bytes) {
        self.write(key, Write { was_there: true, change: Change::Put(value) });
    }

    /// A place that no connection had.
    pub(super) const fn next_place(&mut self) -> u64 {
        self.last_place += 1;
        self.last_place
    }

    /// No connection will be given this place from now on.
    pub(super) fn skip_place(&mut self, place: u64) {
        self.last_place = self.last_place.max(place);
    }

    /// Puts what was not there when the input came, so that what it also takes away was never written.
    pub(super) fn put_new(&mut self, key: Key, record: &impl Record) {
        self.write(key, Write { was_there: false, change: Change::Put(record.to_value()) });
    }

    pub(super) fn delete(&mut self, key: Key) {
        self.write(key, Write { was_there: true, change: Change::Delete });
    }

    /// What `write` does is of use to nobody but a connection that outlives the broker, if it `may_wait`.
    pub(super) fn write_late(&mut self, may_wait: bool, write: impl FnOnce(&mut Self)) {
        let was_urgent = self.is_urgent;
        write(self);
        if may_wait {
            self.is_urgent = was_urgent;
        }
    }

    fn write(&mut self, key: Key, write: Write) {
        self.is_urgent = true;
        match self.writes.entry(key.to_bytes()) {
            Entry::Vacant(entry) => _ = entry.insert(write),
            Entry::Occupied(mut entry) => entry.get_mut().change = write.change,
        }
    }

    fn write_waiting(&mut self, id: SessionId, (place, waiting): &(u64, Waiting), need: Need) {
        match waiting {
            Waiting::Message(delivery) if delivery.qos > QoS::AtMostOnce => {
                need(self, &delivery.message);
                self.put_new(Key::Waiting(id.0, *place), &delivery.to_record());
            }
            Waiting::Message(_) => {}
            Waiting::Replay(replay) => self.put_new(Key::Replay(id.0, *place), &replay.to_record()),
        }
    }

    pub(super) fn erase_waiting(&mut self, id: SessionId, place: u64, waiting: &Waiting) {
        match waiting {
            Waiting::Replay(_) => self.delete(Key::Replay(id.0, place)),
            Waiting::Message(delivery) if delivery.qos > QoS::AtMostOnce => {
                self.delete(Key::Waiting(id.0, place));
                self.remove_use(&delivery.message);
            }
            Waiting::Message(_) => {}
        }
    }

    pub(super) fn erase_in_flight(&mut self, id: SessionId, packet_id: PacketId, delivery: Option<&Delivery>) {
        self.delete(Key::InFlight(id.0, packet_id));
        if let Some(delivery) = delivery {
            self.remove_use(&delivery.message);
        }
    }

    /// A message that a record needs, without counting that.
    fn put_message(&mut self, message: &Message) {
        let key = Key::Message(message.number);
        if !self.writes.contains_key(&key.to_bytes()) {
            self.put_new(key, &message.content());
        }
    }

    /// One record more needs `message`.
    fn add_use(&mut self, message: &Message) {
        if message.add_use() > 1 {
            return;
        }
        let key = Key::Message(message.number);
        match self.writes.get_mut(&key.to_bytes()) {
            // Messages do not change: the record that was to be deleted is the one that is needed.
            Some(Write { was_there: true, change }) => *change = Change::None,
            _ => self.put_new(key, &message.content()),
        }
    }

    /// A record that needed the message no longer does.
    fn remove_use(&mut self, message: &Message) {
        if message.remove_use() == 0 {
            self.delete(Key::Message(message.number));
        }
    }
}

impl Broker {
    /// Whether anything is to be written at all.
    pub(super) fn is_durable(&self) -> bool {
        self.config.durability != Durability::None
    }

    /// The session has records from now on, if it can outlive this broker, or holds what goes to others when it ends.
    pub(super) fn keep_session(&mut self, id: SessionId, holds_for_others: bool) {
        let durability = self.config.durability;
        if durability == Durability::None {
            return;
        }
        let Some(session) = self.sessions.get_mut(&id).filter(|session| !session.is_kept) else { return };
        session.is_kept = match durability {
            Durability::Connections => true,
            _ => holds_for_others || session.outlives_its_connection() || session.will.is_some(),
        };
        if session.is_kept {
            let connection = session.connection;
            connection.into_iter().for_each(|connection| self.connection_changed(connection));
            let mut mirror = core::mem::take(&mut self.mirror);
            let may_wait = !holds_for_others && self.may_wait(id);
            mirror.write_late(may_wait, |mirror| self.write_all(id, mirror, Mirror::add_use));
            self.mirror = mirror;
        }
    }

    /// What a broker of [`Durability::Sessions`] has stored at this moment, and one of [`Durability::Connections`] but for its
    /// connections. Without durability: what outlives its connection or has a will, what is retained, and what is
    /// kept.
    pub fn records(&self) -> Vec<(Bytes, Bytes)> {
        let mut mirror = Mirror::default();
        let is_kept = |it: &Session| it.is_kept || it.outlives_its_connection() || it.will.is_some();
        for id in self.sessions.keys() {
            if self.sessions.get(&id).is_some_and(is_kept) {
                self.write_all(id, &mut mirror, Mirror::put_message);
            }
        }
        self.write_retained(&mut mirror);
        self.write_delayed(&mut mirror);
        self.write_kept(&mut mirror);
        let value = |write: Write| if let Change::Put(value) = write.change { Some(value) } else { None };
        mirror.writes.into_iter().filter_map(|(key, write)| Some((key, value(write)?))).collect()
    }

    /// All records of a session that had none.
    fn write_all(&self, id: SessionId, mirror: &mut Mirror, need: Need) {
        let Some(session) = self.sessions.get(&id) else { return };
        mirror.put_new(Key::Session(id.0), &session.to_record());
        if let Some(will) = &session.will {
            mirror.put_new(Key::Will(id.0), &will.to_record());
        }
        for filter in &session.subscriptions {
            if let Some(subscription) = self.subscription(filter, id) {
                mirror.put_new(Key::Subscription(id.0, filter.text().clone()), &subscription.to_record());
            }
        }
        for entry in session.queue.iter() {
            mirror.write_waiting(id, entry, need);
        }
        for (packet_id, sequence, step) in session.outbound.in_flight() {
            let delivery = step.message();
            delivery.into_iter().for_each(|delivery| need(mirror, &delivery.message));
            let record = store::InFlight { sequence, delivery: delivery.map(Delivery::to_record) };
            mirror.put_new(Key::InFlight(id.0, packet_id), &record);
        }
        for (packet_id, connection) in session.inbound.exactly_once() {
            mirror.put_new(Key::Received(id.0, packet_id), &Received { connection });
        }
    }

    pub(super) fn write_session(&mut self, id: SessionId) {
        if let Some(session) = self.stored(id) {
            let record = session.to_record();
            self.mirror.put(Key::Session(id.0), &record);
        }
    }

    pub(super) fn write_will(&mut self, id: SessionId) {
        let Some(session) = self.stored(id) else { return };
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
        if let Some(entry) = session.queue.last() {
            let may_wait = session.ends_with_its_connection() && !entry.1.is_shared();
            self.mirror.write_late(may_wait, |mirror| mirror.write_waiting(id, entry, Mirror::add_use));
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
        if self.stored(id).is_some() {
            let may_wait = self.may_wait(id) && !waiting.is_shared();
            self.mirror.write_late(may_wait, |mirror| mirror.erase_waiting(id, place, waiting));
        }
    }

    /// A message is in flight from now on.
    pub(super) fn write_in_flight(&mut self, id: SessionId, packet_id: PacketId, delivery: &Delivery) {
        let Some(session) = self.stored(id) else { return };
        if let Some(record) = session.in_flight(packet_id) {
            let may_wait = session.ends_with_its_connection() && !delivery.is_shared();
            self.mirror.write_late(may_wait, |mirror| {
                mirror.add_use(&delivery.message);
                mirror.put_new(Key::InFlight(id.0, packet_id), &record);
            });
        }
    }

    /// PUBREL is due: the message itself is forgotten. [MQTT-4.3.3-6]
    pub(super) fn write_released(&mut self, id: SessionId, packet_id: PacketId, delivery: &Delivery) {
        let Some(session) = self.stored(id) else { return };
        if let Some(record) = session.in_flight(packet_id) {
            self.mirror.put(Key::InFlight(id.0, packet_id), &record);
            self.mirror.remove_use(&delivery.message);
        }
    }

    /// An exchange is over, of which `delivery` was left.
    pub(super) fn erase_in_flight(&mut self, id: SessionId, packet_id: PacketId, delivery: Option<&Delivery>) {
        if self.stored(id).is_some() {
            let may_wait = self.may_wait(id) && !delivery.is_some_and(Delivery::is_shared);
            self.mirror.write_late(may_wait, |mirror| mirror.erase_in_flight(id, packet_id, delivery));
        }
    }

    /// A QoS 2 message came that its client has yet to release, or came again over another connection.
    pub(super) fn write_received(&mut self, id: SessionId, packet_id: PacketId, novelty: Novelty) {
        self.keep_session(id, false);
        let Some(session) = self.stored(id) else { return };
        let (_, connection) = session.inbound.parts();
        let (key, record) = (Key::Received(id.0, packet_id), Received { connection });
        self.mirror.write_late(session.ends_with_its_connection(), |mirror| match novelty {
            Novelty::New => mirror.put_new(key, &record),
            Novelty::Duplicate => mirror.put(key, &record),
        });
    }

    pub(super) fn erase_received(&mut self, id: SessionId, packet_id: PacketId) {
        if self.stored(id).is_some() {
            self.mirror.write_late(self.may_wait(id), |mirror| mirror.delete(Key::Received(id.0, packet_id)));
        }
    }

    /// What a connection agreed on, and so what the host remembers of it, is no longer what it was.
    pub(super) fn connection_changed(&mut self, id: ConnectionId) {
        self.unread_changed(id);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.remembered.is_stale = true;
        }
    }

    /// The unread bytes of a connection are no longer what they were.
    pub(super) fn unread_changed(&mut self, id: ConnectionId) {
        if self.config.durability == Durability::Connections {
            self.mirror.changed.insert(id);
        }
    }

    /// Hands over what the input has changed, before the actions from `start` on, which it caused.
    pub(super) fn flush_mirror(&mut self, start: usize) {
        if !self.is_durable() {
            return;
        }
        let caused = self.actions.len() - start;
        let mut remembered = Vec::new();
        let outgrown: Vec<_> = self.mirror.changed.iter().filter_map(|id| self.outgrown(*id)).collect();
        outgrown.into_iter().for_each(|session| self.keep_session(session, false));
        self.writes_may_wait = !self.mirror.is_urgent && (start == 0 || self.writes_may_wait);
        for connection in core::mem::take(&mut self.mirror.changed) {
            if let Some(state) = self.remember(connection) {
                remembered.push(Action::Remember { connection, state });
            }
        }
        // What a connection is remembered by is for itself alone.
        self.mirror.is_urgent = false;
        for (key, write) in core::mem::take(&mut self.mirror.writes) {
            match write.change {
                Change::Put(value) => self.actions.push_back(Action::Put { key, value }),
                Change::Delete if write.was_there => self.actions.push_back(Action::Delete { key }),
                Change::Delete | Change::None => {}
            }
        }
        self.actions.extend(remembered);
        self.actions.make_contiguous()[start..].rotate_left(caused);
    }

    /// The session of a connection, when that can no longer carry it along.
    fn outgrown(&self, id: ConnectionId) -> Option<SessionId> {
        let session_id = self.session_of(id)?;
        let session = self.sessions.get(&session_id).filter(|session| !session.is_kept)?;
        let bytes: usize = session.subscriptions.iter().map(|filter| filter.text().len() + SUBSCRIPTION).sum();
        let is_stored = self.connections.get(&id).is_some_and(|connection| connection.remembered.is_stored);
        let is_too_large = bytes > if is_stored { 0 } else { MAXIMUM_STATE / 2 };
        (session.queue.has_replays() || is_too_large).then_some(session_id)
    }

    /// Whether what is written of the session is of use to nobody but its connection, but for what is delivered for others.
    fn may_wait(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(Session::ends_with_its_connection)
    }

    fn stored(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id).filter(|session| session.is_kept)
    }
}
