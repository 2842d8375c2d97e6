//! What the broker does, action by action, against what the model says it must do, and against each client's limits.

use super::{
    delivery::{Delivery, Float, InFlight, Origin},
    state::{Model, Session},
    trace::Setup,
};
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{Action, ConnectionId, Event, Frame},
    codec::{ConnAckProperties, DisconnectProperties, Packet, ProtocolVersion, Publish, QoS, ReasonCode, Text},
};
use std::{collections::BTreeMap, panic};

/// An invariant that did not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: &'static str,
    pub detail: String,
}

/// Ends the run.
pub fn violated(invariant: &'static str, detail: String) -> ! {
    panic::resume_unwind(Box::new(Violation { invariant, detail }))
}

/// What is known of the Network Connections, as the broker's frames go out.
#[derive(Default)]
pub struct Check {
    wires: BTreeMap<ConnectionId, Wire>,
}

struct Wire {
    version: ProtocolVersion,
    maximum_packet_size: usize,
    alias_maximum: u16,
    aliases: BTreeMap<u16, Text>,
    /// Bytes handed over and not reported written.
    unsent: usize,
    is_closed: bool,
}

impl Check {
    pub fn opened(&mut self, id: ConnectionId) {
        let (version, maximum_packet_size, alias_maximum) = (ProtocolVersion::V5, usize::MAX, 0);
        let (aliases, unsent, is_closed) = (BTreeMap::new(), 0, false);
        self.wires.insert(id, Wire { version, maximum_packet_size, alias_maximum, aliases, unsent, is_closed });
    }

    pub fn connect(&mut self, id: ConnectionId, connect: &mqlite::codec::Connect) {
        let wire = self.wires.get_mut(&id).expect("it was opened");
        wire.version = connect.version;
        wire.maximum_packet_size =
            connect.properties.maximum_packet_size.map_or(usize::MAX, |size| size.get() as usize);
        wire.alias_maximum = connect.properties.topic_alias_maximum.unwrap_or(0);
    }

    pub fn closed(&mut self, id: ConnectionId) {
        self.wires.remove(&id);
    }

    /// Another broker has the connections that are left, and counts anew what they have not read.
    pub fn restarted(&mut self, resumed: &[ConnectionId]) {
        self.wires.retain(|id, _| resumed.contains(id));
        self.wires.values_mut().for_each(|wire| wire.unsent = 0);
    }

    pub fn written(&mut self, id: ConnectionId) {
        if let Some(wire) = self.wires.get_mut(&id) {
            wire.unsent = 0;
        }
    }

    pub fn version(&self, id: ConnectionId) -> ProtocolVersion {
        self.wires.get(&id).map_or(ProtocolVersion::V5, |wire| wire.version)
    }

    /// The actions of one input, for which the model has spoken.
    pub fn actions(&mut self, model: &mut Model, setup: &Setup, actions: &[Action]) {
        let drops = |action: &Action| match action {
            Action::Report(Event::Dropped { client_id, why, count }) => {
                Some((client_id.clone(), *why, *count as usize))
            }
            _ => None,
        };
        // What is too large was passed over; what found no room was so after what was sent.
        let (too_large, others): (Vec<_>, Vec<_>) =
            actions.iter().filter_map(drops).partition(|(_, why, _)| *why == TOO_LARGE);
        // The will of a client that is closed for reading nothing comes on top of what the model knows here.
        let gives_up = actions.iter().any(|it| matches!(it, Action::Close { reason: ReasonCode::QuotaExceeded, .. }));
        let had_room = |(client_id, why, _): &(Text, &'static str, usize)| {
            let session = model.sessions.iter().find(|session| session.client_id == *client_id);
            *why == QUEUE_IS_FULL
                && !gives_up
                && session.is_some_and(|it| queued(it, &model.floats) <= setup.queued as usize)
        };
        if let Some((client_id, ..)) = others.iter().find(|it| !model.over.contains(&it.0) && had_room(it)) {
            violated("nothing is dropped without need", format!("{client_id}: the queue has room"));
        }
        // What was dropped left nothing that must outlive a crash.
        model.is_touched &= too_large.is_empty() && others.is_empty();
        too_large.into_iter().for_each(|(client_id, why, count)| self.dropped(model, setup, &client_id, why, count));
        for action in actions {
            match action {
                Action::Send { connection, frame } => self.sent(model, setup, *connection, frame),
                Action::Close { connection, reason } => self.close(model, setup, *connection, *reason),
                _ => {}
            }
        }
        others.into_iter().for_each(|(client_id, why, count)| self.dropped(model, setup, &client_id, why, count));
        if let Some((id, packet)) = model.answers.first() {
            violated("an answer is missing", format!("{id:?} {packet:?}"));
        }
        if let Some((id, reason)) = model.closes.first() {
            violated("a connection should be closed", format!("{id:?} {reason:?}"));
        }
    }

    /// Nothing waits that need not, and no more than may.
    pub fn nobody_waits(&self, model: &mut Model, setup: &Setup) {
        self.limits(model, setup);
        let has_room = |id| self.wires.get(&id).is_some_and(|wire| wire.unsent < setup.send_buffer as usize);
        model.check_nobody_waits(has_room);
    }

    fn sent(&mut self, model: &mut Model, setup: &Setup, id: ConnectionId, frame: &Frame) {
        let Some(wire) = self.wires.get_mut(&id).filter(|wire| !wire.is_closed) else {
            violated("nothing after Close", format!("{id:?} {frame:?}"));
        };
        let has_room = wire.unsent < setup.send_buffer as usize;
        wire.unsent += frame.len();
        if frame.len() > wire.maximum_packet_size {
            violated("Maximum Packet Size", format!("[MQTT-3.1.2-24] {} bytes to {id:?}", frame.len()));
        }
        let version = wire.version;
        let mut bytes = BytesMut::new();
        frame.write_to(&mut bytes);
        let packet = Packet::decode(bytes.freeze(), version);
        let packet = packet.unwrap_or_else(|error| violated("a frame is one packet", format!("{error:?} {frame:?}")));
        match packet {
            Packet::Publish(publish) => {
                let publish = wire.resolve(publish);
                if !has_room {
                    violated("send buffer", format!("{} bytes are unsent to {id:?}", wire.unsent));
                }
                model.sent(id, version, &publish);
            }
            packet => {
                let is_full = wire.unsent > 4 * setup.send_buffer as usize;
                self.answered(model, id, version, packet, is_full);
            }
        }
    }

    /// A packet other than PUBLISH: the next answer that the model has for the connection, or a PUBREL sent again.
    fn answered(&self, model: &mut Model, id: ConnectionId, version: ProtocolVersion, packet: Packet, is_full: bool) {
        let index = model.answers.iter().position(|(other, _)| *other == id);
        let expected = index.map(|index| &model.answers[index].1);
        if expected.is_some_and(|expected| bare(expected, version) == bare(&packet, version)) {
            model.answers.remove(index.unwrap_or_default());
            return;
        }
        match packet {
            Packet::PubRel(ack) if ack.reason == ReasonCode::Success => model.released_again(id, ack.packet_id),
            Packet::Disconnect(disconnect) if disconnect.reason == ReasonCode::QuotaExceeded && is_full => {}
            packet => violated("each packet has its answer", format!("{id:?} {packet:?}, not {expected:?}")),
        }
    }

    fn close(&mut self, model: &mut Model, setup: &Setup, id: ConnectionId, reason: ReasonCode) {
        let Some(wire) = self.wires.get_mut(&id).filter(|wire| !wire.is_closed) else {
            violated("nothing after Close", format!("{id:?} is closed again"));
        };
        wire.is_closed = true;
        if let Some(index) = model.closes.iter().position(|close| *close == (id, reason)) {
            model.closes.remove(index);
        } else if reason == ReasonCode::QuotaExceeded && wire.unsent > 4 * setup.send_buffer as usize {
            model.closed(id);
        } else {
            violated("who keeps to the rules is not closed", format!("{id:?} {reason:?}, not {:?}", model.closes));
        }
    }

    /// Messages were dropped for one session: they must be such as could be.
    fn dropped(&self, model: &mut Model, setup: &Setup, client_id: &Text, why: &'static str, count: usize) {
        let now = model.now;
        let Some(session) = model.sessions.iter_mut().find(|session| session.client_id == *client_id) else { return };
        let number = session.number;
        let wire = session.connection.and_then(|id| self.wires.get(&id));
        let (version, maximum, unsent) =
            wire.map_or((ProtocolVersion::V5, usize::MAX, 0), |it| (it.version, it.maximum_packet_size, it.unsent));
        let is_slow = unsent >= setup.send_buffer as usize;
        let could_be = |it: &Delivery| match why {
            QUEUE_IS_FULL => it.is_fresh,
            READS_TOO_SLOWLY => it.is_fresh && it.qos == QoS::AtMostOnce && is_slow,
            _ => it.is_too_large(version, now, maximum),
        };
        let is_begun = |it: &InFlight| it.is_due && !it.is_released && why == TOO_LARGE && could_be(&it.delivery);
        let is_his = |(member, delivery): &(u64, Delivery)| *member == number && could_be(delivery);
        let floats = model.floats.iter_mut().filter(|float| float.candidates.iter().any(is_his));
        let begun = session.in_flight.iter().filter(|it| is_begun(it)).count();
        let found = begun + floats.count() + session.waiting.iter().filter(|it| could_be(it)).count();
        let is_over = model.over.contains(client_id);
        if !is_over && found < count {
            violated("nothing is dropped without need", format!("{client_id}: {count} of {found}, {why}"));
        }
        // What was begun is sent again before anything else.
        let mut left = count.min(begun);
        session.in_flight.retain(|it| {
            let goes = left > 0 && is_begun(it);
            left -= usize::from(goes);
            !goes
        });
        // Which of several it was, the broker does not say.
        let all = found - begun <= count.saturating_sub(begun);
        session.waiting.retain(|it| !(all && could_be(it)));
        session.waiting.iter_mut().for_each(|it| it.is_optional |= count > begun && could_be(it));
        model.floats.retain(|float| !(all && float.candidates.iter().any(is_his)));
        let floats = model.floats.iter_mut().filter(|float| float.candidates.iter().any(is_his));
        floats.for_each(|float| float.is_optional |= count > begun);
    }

    fn limits(&self, model: &Model, setup: &Setup) {
        for session in &model.sessions {
            let waiting = session.waiting.iter();
            let sure = waiting.filter(|it| !matches!(it.origin, Origin::Retained(_)) && !it.is_optional);
            let sure = sure.filter(|it| !it.is_expired(model.now)).count();
            if sure > setup.queued as usize {
                violated("queue limits", format!("{sure} messages wait for {:?}", session.client_id));
            }
        }
    }
}

/// How many messages may wait for a session, at most, with those of this input.
fn queued(session: &Session, floats: &[Float]) -> usize {
    let is_candidate = |float: &&Float| float.candidates.iter().any(|(member, _)| *member == session.number);
    session.waiting.len() + floats.iter().filter(is_candidate).count()
}

impl Wire {
    /// The PUBLISH with the topic that its alias stands for, and without alias.
    fn resolve(&mut self, mut publish: Publish) -> Publish {
        let Some(alias) = publish.properties.topic_alias.take().map(|alias| alias.get()) else { return publish };
        if alias > self.alias_maximum {
            violated("Topic Alias Maximum", format!("[MQTT-3.1.2-26] {alias} of {}", self.alias_maximum));
        }
        if publish.topic.is_empty() {
            let topic = self.aliases.get(&alias).cloned();
            publish.topic = topic.unwrap_or_else(|| violated("an alias was set", format!("{alias}")));
        } else {
            self.aliases.insert(alias, publish.topic.clone());
        }
        publish
    }
}

/// The packet's bytes without what the model leaves open: properties and, in 3.1.1, most reasons.
fn bare(packet: &Packet, version: ProtocolVersion) -> Bytes {
    let mut packet = packet.clone();
    match &mut packet {
        Packet::ConnAck(connack) => connack.properties = ConnAckProperties::default(),
        Packet::Disconnect(disconnect) => disconnect.properties = DisconnectProperties::default(),
        _ => {}
    }
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).expect("small packets");
    bytes.freeze()
}

const QUEUE_IS_FULL: &str = "the session's queue is full";
const READS_TOO_SLOWLY: &str = "the client reads too slowly";
const TOO_LARGE: &str = "the message is larger than the client's Maximum Packet Size";
