//! From a delivery to a PUBLISH on the wire, now or when there is room.

use super::{
    Action, Broker, ConnectionId, Event, Frame,
    connection::Stage,
    effort::NODE,
    message::{Delivery, Message},
    retain::Replayed,
    send,
    session::{SessionId, Waiting},
};
use crate::{
    codec::{Packet, PacketId, ProtocolVersion, Publish, QoS, Text, publish::PublishHead},
    session::{AliasUse, Resend},
    time::Timestamp,
};
use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use bytes::{Bytes, BytesMut};

/// What the deliveries of one message to many sessions can share.
#[derive(Default)]
pub(super) struct Shared {
    /// Whether there are many, so that it pays to keep the heads.
    is_among_many: bool,
    /// The heads of its PUBLISH packets, with any Packet Identifier.
    heads: Vec<(HeadKind, Bytes)>,
    /// The message without its receive buffer.
    detached: Option<Arc<Message>>,
}

/// What heads differ in that name neither an alias nor a subscription, besides their Packet Identifiers.
type HeadKind = (ProtocolVersion, QoS, bool);

/// How many deliveries the current input has dropped, and why.
#[derive(Debug, Default)]
pub(super) struct Dropped(BTreeMap<(SessionId, &'static str), (Text, u64)>);

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Sent,
    /// The client's Maximum Packet Size forbids it: discarded as if it had been sent. [MQTT-3.1.2-25]
    TooLarge,
}

impl Broker {
    /// Sends a message to one session, or queues it, or drops and counts it.
    pub(super) fn deliver(&mut self, session_id: SessionId, delivery: Delivery, shared: &mut Shared) {
        self.effort.add(NODE);
        let limit = self.config.send_buffer;
        let Some(session) = self.sessions.get(&session_id) else { return };
        let connection = session.connection.and_then(|id| Some((id, self.connections.get(&id)?)));
        let Some((id, connection)) = connection.filter(|(_, connection)| !connection.is_gone) else {
            if delivery.qos > QoS::AtMostOnce {
                self.enqueue(session_id, delivery, shared);
            }
            return;
        };
        let has_room = connection.unsent < limit;
        let is_first = match delivery.qos {
            QoS::AtMostOnce => !session.queue.holds_at_most_once(),
            _ => session.queue.is_empty() && session.outbound.is_ready(),
        };
        match delivery.qos {
            _ if !is_first => self.enqueue(session_id, delivery, shared),
            _ if has_room && self.effort.is_enough() => self.postpone(id, session_id, delivery, shared),
            QoS::AtMostOnce if !has_room => self.drop_delivery(session_id, "the client reads too slowly"),
            QoS::AtMostOnce => self.send_delivery(id, session_id, &delivery, None, shared),
            _ if has_room => self.begin_delivery(id, session_id, delivery, shared),
            _ => self.enqueue(session_id, delivery, shared),
        }
    }

    /// What [`super::Input::Writable`] says, of a host that has still `left` bytes to write. Returns whether something waits for the room:
    /// then that is to be fed, too.
    pub fn written(&mut self, connection: ConnectionId, left: usize) -> bool {
        self.has_room(connection, left).is_some()
    }

    pub(super) fn writable(&mut self, id: ConnectionId) {
        if let Some(session) = self.has_room(id, 0) {
            self.pump(session);
        }
    }

    /// All but so many bytes are written. Returns the session for which something waits.
    fn has_room(&mut self, id: ConnectionId, unsent: usize) -> Option<SessionId> {
        let connection = self.connections.get_mut(&id).filter(|connection| !connection.is_gone)?;
        connection.unsent = unsent;
        let Stage::Open(link) = &connection.stage else { return None };
        self.sessions.get(&link.session)?.has_more().then_some(link.session)
    }

    /// Sends again what a resumed session began, then what waits, as far as the client's window and buffer go and one
    /// input may.
    pub(super) fn pump(&mut self, session_id: SessionId) {
        let now = self.now;
        loop {
            let Some(session) = self.sessions.get_mut(&session_id) else { return };
            let Some(id) = session.connection else { return };
            let has_room =
                self.connections.get(&id).is_some_and(|it| it.unsent < self.config.send_buffer && !it.is_gone);
            if !has_room || session.queue.is_empty() && session.outbound.is_empty() {
                return;
            }
            if self.effort.is_enough() {
                return self.fall_behind(id);
            }
            self.effort.add(NODE);
            if let Some((packet_id, resend)) = session.outbound.resend() {
                self.connection_changed(id);
                self.send_again(id, session_id, packet_id, resend);
                continue;
            }
            let is_ready = session.outbound.is_ready();
            let replayed = match session.queue.first() {
                None => return,
                Some((_, Waiting::Message(next))) if next.qos > QoS::AtMostOnce && !is_ready => return,
                Some((_, Waiting::Message(_))) => Replayed::End,
                Some((_, Waiting::Replay(_))) => self.replay(session_id),
            };
            let next = match replayed {
                Replayed::Message(delivery) => Some(delivery),
                Replayed::Nothing => None,
                Replayed::WindowIsClosed => return,
                Replayed::End => self.take_first(session_id),
            };
            let Some(delivery) = next.filter(|delivery| !delivery.message.is_expired(now)) else { continue };
            let shared = &mut Shared::default();
            match delivery.qos {
                QoS::AtMostOnce => self.send_delivery(id, session_id, &delivery, None, shared),
                _ => self.begin_delivery(id, session_id, delivery, shared),
            }
        }
    }

    /// Takes out what is first in the session's queue; a replay gives no message.
    fn take_first(&mut self, session_id: SessionId) -> Option<Delivery> {
        let (place, waiting) = self.sessions.get_mut(&session_id)?.queue.pop()?;
        self.erase_waiting(session_id, place, &waiting);
        waiting.message()
    }

    /// Lets a delivery wait its turn, or drops and counts it when the queue is full.
    pub(super) fn enqueue(&mut self, session_id: SessionId, delivery: Delivery, shared: &mut Shared) {
        let Some(session) = self.sessions.get_mut(&session_id) else { return };
        let (queue, size) = (&mut session.queue, delivery.message.size());
        if queue.may_purge(self.now) && queue.is_full(&self.config, size) {
            self.effort.add(queue.len() * NODE);
            for (place, waiting) in queue.purge(self.now) {
                self.erase_waiting(session_id, place, &waiting);
            }
        }
        if self.sessions.get(&session_id).is_some_and(|session| session.queue.is_full(&self.config, size)) {
            self.drop_delivery(session_id, QUEUE_IS_FULL);
        } else {
            self.push(session_id, delivery, shared);
        }
    }

    /// Lets a delivery wait that could be sent now, had this input not caused enough. Alone it may be of any size.
    fn postpone(&mut self, id: ConnectionId, session_id: SessionId, delivery: Delivery, shared: &mut Shared) {
        self.fall_behind(id);
        match self.sessions.get(&session_id) {
            Some(session) if session.queue.is_empty() => self.push(session_id, delivery, shared),
            _ => self.enqueue(session_id, delivery, shared),
        }
    }

    fn push(&mut self, session_id: SessionId, mut delivery: Delivery, shared: &mut Shared) {
        // What was published with more was refused to its publisher instead.
        if delivery.message.qos == QoS::AtMostOnce && self.holds_too_much() {
            return self.drop_delivery(session_id, BROKER_IS_FULL);
        }
        if !delivery.message.is_detached() {
            let detached = shared.detached.get_or_insert_with(|| Arc::new(delivery.message.detached()));
            delivery.message = detached.clone();
        }
        if delivery.qos > QoS::AtMostOnce {
            self.keep_session(session_id, delivery.is_shared());
        }
        if let Some(session) = self.sessions.get_mut(&session_id) {
            session.queue.push(Waiting::Message(delivery));
            self.write_last_waiting(session_id);
        }
    }

    /// Begins a QoS 1 or 2 exchange. The caller has seen that the window is open.
    fn begin_delivery(&mut self, id: ConnectionId, session_id: SessionId, delivery: Delivery, shared: &mut Shared) {
        self.keep_session(session_id, delivery.is_shared());
        let Some(session) = self.sessions.get_mut(&session_id) else { return };
        if let Some(packet_id) = session.outbound.send(delivery.qos, delivery.clone()) {
            self.write_in_flight(session_id, packet_id, &delivery);
            self.send_delivery(id, session_id, &delivery, Some((packet_id, false)), shared);
        }
    }

    fn send_again(&mut self, id: ConnectionId, session_id: SessionId, packet_id: PacketId, resend: Resend<Delivery>) {
        match resend {
            Resend::PubRel => self.send(id, &Packet::PubRel(packet_id.into())),
            // [MQTT-3.3.1-1] [MQTT-4.4.0-1]
            Resend::Publish(delivery) => {
                self.send_delivery(id, session_id, &delivery, Some((packet_id, true)), &mut Shared::default());
            }
        }
    }

    /// Writes one PUBLISH; `exchange` is the Packet Identifier and DUP of QoS 1 and 2.
    fn send_delivery(
        &mut self,
        id: ConnectionId,
        session_id: SessionId,
        delivery: &Delivery,
        exchange: Option<(PacketId, bool)>,
        shared: &mut Shared,
    ) {
        let fate = self.write_delivery(id, delivery, exchange, shared);
        if fate == Fate::TooLarge {
            if let (Some((packet_id, _)), Some(session)) = (exchange, self.sessions.get_mut(&session_id)) {
                session.outbound.abandon(packet_id);
                self.erase_in_flight(session_id, packet_id, Some(delivery));
            }
            self.drop_delivery(session_id, TOO_LARGE);
        }
    }

    fn write_delivery(
        &mut self,
        id: ConnectionId,
        delivery: &Delivery,
        exchange: Option<(PacketId, bool)>,
        shared: &mut Shared,
    ) -> Fate {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else { return Fate::Sent };
        let version = connection.version;
        let limit = connection.maximum_packet_size;
        let Stage::Open(link) = &mut connection.stage else { return Fate::Sent };
        let topic = delivery.message.topic.text();
        let alias = link.assigner.look_up(topic);
        let mut has_set_alias = false;
        let is_again = exchange.is_some_and(|(_, dup)| dup);
        let is_common = !is_again && alias == AliasUse::None && delivery.identifiers.is_empty();
        let kind = (version, delivery.qos, delivery.retain);
        let head = match (shared.find_head(kind).filter(|_| is_common), exchange) {
            (Some(head), None) => head.clone(),
            (Some(head), Some((packet_id, _))) => {
                self.heads.extend_from_slice(head);
                Publish::renumber_head(&mut self.heads, packet_id);
                send::take_head(&mut self.heads)
            }
            (None, _) => {
                let mut head = encode_head(delivery, exchange, now, version, alias, &mut self.heads);
                let fits = !head.is_empty() && head.len() + delivery.message.payload.len() <= limit;
                match alias {
                    AliasUse::Set(alias) if fits => {
                        link.assigner.set(topic, alias);
                        has_set_alias = true;
                    }
                    AliasUse::Set(_) | AliasUse::Alone(_) if !fits => {
                        // An alias may be longer than its topic, and alone too much.
                        head = encode_head(delivery, exchange, now, version, AliasUse::None, &mut self.heads);
                    }
                    _ => {}
                }
                if is_common && shared.is_among_many {
                    shared.heads.push((kind, head.clone()));
                }
                head
            }
        };
        let frame = Frame { head, payload: delivery.message.payload.clone() };
        if frame.head.is_empty() || frame.len() > limit {
            return Fate::TooLarge;
        }
        self.statistics.messages_sent += 1;
        if has_set_alias {
            self.connection_changed(id);
        }
        self.trace_delivery(id, delivery, exchange, frame.len());
        self.send_frame(id, frame);
        Fate::Sent
    }

    fn drop_delivery(&mut self, session_id: SessionId, why: &'static str) {
        self.effort.add(NODE);
        self.statistics.messages_dropped += 1;
        if let Some(session) = self.sessions.get(&session_id) {
            let counted = || (session.client_id.clone(), 0);
            self.dropped.0.entry((session_id, why)).or_insert_with(counted).1 += 1;
        }
    }

    /// Reports what the input that ends here has dropped.
    pub(super) fn report_dropped(&mut self) {
        while let Some(((_, why), (client_id, count))) = self.dropped.0.pop_first() {
            self.actions.push_back(Action::Report(Event::Dropped { client_id, why, count }));
        }
    }
}

impl Shared {
    /// For so many deliveries.
    pub(super) fn among(count: usize) -> Self {
        Self { is_among_many: count > 1, ..Self::default() }
    }

    fn find_head(&self, kind: HeadKind) -> Option<&Bytes> {
        self.heads.iter().find(|(other, _)| *other == kind).map(|(_, head)| head)
    }
}

/// The bytes before the payload; empty when the packet would be larger than any may be.
fn encode_head(
    delivery: &Delivery,
    exchange: Option<(PacketId, bool)>,
    now: Timestamp,
    version: ProtocolVersion,
    alias: AliasUse,
    heads: &mut BytesMut,
) -> Bytes {
    let message = &delivery.message;
    let number = match alias {
        AliasUse::None => None,
        AliasUse::Set(alias) | AliasUse::Alone(alias) => Some(alias),
    };
    let properties = delivery.properties(number, now);
    let no_topic = Text::default();
    let head = PublishHead {
        dup: exchange.is_some_and(|(_, dup)| dup),
        qos: delivery.qos,
        retain: delivery.retain,
        topic: if let AliasUse::Alone(_) = alias { &no_topic } else { message.topic.text() },
        packet_id: exchange.map(|(packet_id, _)| packet_id),
        properties: properties.as_deref(),
        payload_length: message.payload.len(),
    };
    if head.encode(version, heads).is_ok() { send::take_head(heads) } else { Bytes::new() }
}

const QUEUE_IS_FULL: &str = "the session's queue is full";
const BROKER_IS_FULL: &str = "the broker holds as many messages as it may";
const TOO_LARGE: &str = "the message is larger than the client's Maximum Packet Size";
