//! What the model knows, and what of it a restart of the broker leaves.

use super::{
    delivery::{Delivery, Float, InFlight, Message, Origin, Subscription},
    trace::Setup,
};
use bytes::Bytes;
use mqlite::{
    broker::ConnectionId,
    codec::{
        Ack, ConnAck, ConnAckProperties, Connect, Packet, PacketId, ProtocolVersion, Publish, QoS, ReasonCode, Text,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

#[derive(Clone, Default)]
pub struct Model {
    pub setup: Rc<Setup>,
    pub now: u64,
    pub connections: BTreeMap<ConnectionId, Connection>,
    /// In the order of their beginning.
    pub sessions: Vec<Session>,
    pub retained: Vec<Rc<Message>>,
    /// When each is published, and who published it, in the order in which they came.
    pub delayed: Vec<(u64, u64, Publish)>,
    /// What the host keeps.
    pub kept: BTreeMap<Text, Bytes>,
    /// Messages of shared subscriptions that some member is to get.
    pub floats: Vec<Float>,
    pub last: u64,
    /// How often each message of QoS 2 was accepted: a client may send it into a session that is not the one it knew.
    pub accepted: BTreeMap<Bytes, u64>,
    /// What this input causes: packets other than PUBLISH, and the ends of connections.
    pub answers: Vec<(ConnectionId, Packet)>,
    pub closes: Vec<(ConnectionId, ReasonCode)>,
    /// The connections that it ends, as they were before: they may have been sent something first.
    pub ended: BTreeMap<ConnectionId, (Session, Vec<Float>)>,
    /// Connections that the broker of before had and this one has not.
    pub lost: Vec<ConnectionId>,
    /// Whose connection or session it ends.
    pub over: BTreeSet<Text>,
    /// Whether this input changed what must outlive a crash.
    pub is_touched: bool,
    /// What was numbered last before it.
    pub before: u64,
}

#[derive(Clone, Default)]
pub struct Connection {
    pub version: ProtocolVersion,
    pub session: Option<u64>,
    /// Since when nothing came.
    pub last: u64,
    /// Since when, as far as is remembered; a sixteenth of the Keep Alive late, at most.
    pub noted: Option<u64>,
    /// When to see whether something came.
    pub silence_at: Option<u64>,
    pub keep_alive: u16,
    pub receive_maximum: usize,
    pub aliases: BTreeMap<u16, Text>,
    pub pending: Option<Box<Connect>>,
    /// What came behind a CONNECT that the host has not answered.
    pub held: Vec<Packet>,
}

#[derive(Clone, Default)]
pub struct Session {
    pub number: u64,
    pub client_id: Text,
    pub connection: Option<ConnectionId>,
    pub expiry: u32,
    pub expires_at: Option<u64>,
    pub subscriptions: Vec<Subscription>,
    pub waiting: Vec<Delivery>,
    pub in_flight: Vec<InFlight>,
    pub received: BTreeSet<PacketId>,
    pub will: Option<(Publish, u32)>,
    pub will_at: Option<u64>,
    /// The last message sent of each publisher, topic and QoS.
    pub order: BTreeMap<(Option<u64>, Text, QoS, QoS), u64>,
}

impl Model {
    pub fn new(setup: Rc<Setup>) -> Self {
        Self { setup, ..Self::default() }
    }

    /// Another broker takes over, with these connections; the rest has lost theirs.
    pub fn restarted(&mut self, resumed: &[ConnectionId]) {
        self.now = 0;
        self.lost = self.connections.keys().filter(|id| !resumed.contains(id)).copied().collect();
        self.lost.sort_by_key(|id| std::cmp::Reverse(self.connections[id].session));
        for session in &mut self.sessions {
            session.waiting.retain(Delivery::is_kept);
            // Its own end loses what a clean session had in flight.
            let is_lost = session.expiry == 0 && session.connection.is_some_and(|id| self.lost.contains(&id));
            session.in_flight.iter_mut().for_each(|it| it.delivery.is_optional |= is_lost);
        }
    }

    pub fn resumed(&mut self, id: ConnectionId) {
        let connection = self.connections.get_mut(&id).expect("the host has it still");
        connection.last = *connection.noted.get_or_insert(self.now);
        let patience = if connection.session.is_some() { u64::from(connection.keep_alive) * 1_500 } else { 10_000 };
        connection.silence_at = Some(connection.last + patience).filter(|_| patience > 0);
        if connection.pending.is_some() {
            self.refuse(id, ReasonCode::ServerBusy);
        }
    }

    /// Whether a connection has been silent for as long as it may be, as far as is remembered.
    pub fn is_silent(&self, now: u64) -> bool {
        let is_dead = |it: &Connection| {
            it.keep_alive > 0 && it.noted.is_some_and(|noted| noted + u64::from(it.keep_alive) * 1_500 <= now)
        };
        self.connections.values().any(is_dead)
    }

    pub fn keep(&mut self, (name, value): (Text, Option<Bytes>)) {
        match value {
            Some(value) => _ = self.kept.insert(name, value),
            None => _ = self.kept.remove(&name),
        }
    }

    pub fn touch(&mut self, number: u64, is_changed: bool) {
        self.is_touched |= is_changed && self.session(number).expiry > 0;
    }

    pub fn session(&mut self, number: u64) -> &mut Session {
        self.sessions.iter_mut().find(|it| it.number == number).expect("the session is there")
    }

    /// What is to happen next.
    pub fn due(&self) -> Option<(u64, Due)> {
        let silence = self.connections.iter().filter_map(|(id, it)| Some((it.silence_at?, Due::Silence(*id))));
        let wills = self.sessions.iter().filter_map(|it| Some((it.will_at?, Due::Will(it.number))));
        let ends = self.sessions.iter().filter_map(|it| Some((it.expires_at?, Due::End(it.number))));
        let retained = self.retained.iter().enumerate();
        let retained = retained.filter_map(|(index, it)| Some((it.expires_at?, Due::Retained(index))));
        let delayed = self.delayed.iter().enumerate().map(|(index, (at, ..))| (*at, Due::Delayed(index)));
        silence.chain(wills).chain(delayed).chain(ends).chain(retained).min()
    }

    /// What the input before caused is no longer new.
    pub fn forget_input(&mut self) {
        self.is_touched = false;
        self.before = self.last;
        self.ended.clear();
        self.over.clear();
        self.sessions.iter_mut().flat_map(|session| &mut session.waiting).for_each(|it| it.is_fresh = false);
        self.floats.iter_mut().flat_map(|float| &mut float.candidates).for_each(|(_, it)| it.is_fresh = false);
    }
}

impl Session {
    /// Messages of QoS 1 and 2 that are there for certain: what is retained and still to come is not held for a session.
    pub fn sure_messages(&self) -> usize {
        let is_sure = |it: &&Delivery| it.qos > QoS::AtMostOnce && it.origin == Origin::Live && !it.is_optional;
        self.waiting.iter().filter(is_sure).count() + self.in_flight.iter().filter(|it| !it.is_released).count()
    }

    pub fn finish(&mut self, id: PacketId) {
        self.in_flight.retain(|it| it.id != id);
    }
}

pub fn answer(packet_id: PacketId, is_known: bool) -> Ack {
    let reason = if is_known { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
    Ack { reason, ..packet_id.into() }
}

pub fn connack(session_present: bool, reason: ReasonCode) -> Packet {
    Packet::ConnAck(Box::new(ConnAck { session_present, reason, properties: ConnAckProperties::default() }))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Silence(ConnectionId),
    Will(u64),
    Delayed(usize),
    End(u64),
    Retained(usize),
}
