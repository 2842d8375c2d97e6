//! One Network Connection: from bytes to packets, from silence or a broken rule to its end.

use super::{
    Action, Broker, ConnectionId, Decision, Durability, Event, Refusal, connect::Pending, deadlines::Due,
    effort::PACKET, grants::Rights, mirror::Mirror, pace::Pace, remember::Remembered, review::Review,
    session::SessionId,
};
use crate::{
    codec::{
        ConnAckProperties, DecodeError, Disconnect, DisconnectProperties, Framer, Packet, PacketId, ProtocolVersion,
        ReasonCode, Text,
    },
    session::{AliasAssigner, KeepAlive, TopicAliases, Violation},
    store,
    time::Timestamp,
};
use alloc::boxed::Box;
use bytes::Bytes;
use core::num::NonZeroU32;

/// Answers alone may fill this many send buffers before a client that does not read is closed.
const ANSWER_BUFFERS: usize = 4;

/// A client that sends on although it is behind may have so many of the largest packets wait, or of small ones.
const UNREAD_PACKETS: usize = 4;
const SMALL_PACKET: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Connection {
    framer: Framer,
    /// A message that was read, and is not taken before the host has reviewed it; and its packet.
    pub(super) review: Option<Box<Review>>,
    held: Option<Bytes>,
    /// How many bytes it has brought.
    received: u64,
    pub(super) version: ProtocolVersion,
    pub(super) stage: Stage,
    /// The client's Maximum Packet Size. [MQTT-3.1.2-24]
    pub(super) maximum_packet_size: usize,
    /// Request Problem Information. [MQTT-3.1.2-29]
    pub(super) problem_information: bool,
    /// Whether the host closed it while packets waited: these are processed still, but nothing is sent.
    pub(super) is_gone: bool,
    /// Whether the host speaks something else on it.
    is_foreign: bool,
    /// Bytes handed to the host and not reported written.
    pub(super) unsent: usize,
    /// When it is to be closed for silence, as the queue of deadlines knows it.
    silence_at: Option<Timestamp>,
    /// What the host was last asked to remember.
    pub(super) remembered: Remembered,
    pub(super) pace: Pace,
    /// The Client Identifier of its CONNECT, if anybody was watched when that came.
    pub(super) says_it_is: Option<Text>,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing came yet but, perhaps, a part of the CONNECT.
    New,
    /// The CONNECT came; the host or the client has to speak next.
    Authenticating(Box<Pending>),
    /// The client was let in.
    Open(Box<Link>),
}

/// What an open connection agreed on.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: SessionId,
    pub(super) rights: Rights,
    /// When the host's verdict ends.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) connected_at: Timestamp,
    pub(super) keep_alive: KeepAlive,
    pub(super) aliases: TopicAliases,
    pub(super) assigner: AliasAssigner,
    pub(super) user_name: Option<Text>,
    /// Session Expiry Interval of the CONNECT, before this broker's maximum cut it.
    pub(super) asked_expiry_interval: u32,
    /// Authentication Method of the CONNECT.
    pub(super) method: Option<Text>,
    pub(super) re_authentication: ReAuthentication,
    /// Receive Maximum of the client, as far as this broker uses it.
    pub(super) receive_maximum: u16,
}

/// Where a re-authentication of an open connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReAuthentication {
    None,
    HostIsAsked,
    ClientIsAsked,
}

/// How a connection ends, for its will. [MQTT-3.1.2-8]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By the client's DISCONNECT with 0x00.
    Clean,
    /// In any other way.
    Failed,
}

impl Connection {
    pub(super) fn new(maximum_packet_size: u32) -> Self {
        Self {
            framer: Framer::new(maximum_packet_size),
            review: None,
            held: None,
            received: 0,
            version: ProtocolVersion::V5,
            stage: Stage::New,
            maximum_packet_size: usize::MAX,
            problem_information: true,
            is_gone: false,
            is_foreign: false,
            unsent: 0,
            silence_at: None,
            remembered: Remembered::default(),
            pace: Pace::default(),
            says_it_is: None,
        }
    }

    /// The connection that a store knows, before its stage is. Its unread bytes begin at `position`.
    pub(super) fn restored(record: &store::Connection, maximum_packet_size: u32, position: u64, unread: Bytes) -> Self {
        let mut connection = Self::new(maximum_packet_size);
        connection.version = record.version;
        connection.maximum_packet_size = record.maximum_packet_size.map_or(usize::MAX, |size| size.get() as usize);
        connection.problem_information = record.problem_information;
        connection.received = position;
        connection.push(unread);
        connection
    }

    pub(super) fn to_record(&self, link: Option<store::Link>) -> store::Connection {
        store::Connection {
            version: self.version,
            // The largest is no limit, on every platform.
            maximum_packet_size: u32::try_from(self.maximum_packet_size)
                .ok()
                .filter(|size| *size < u32::MAX)
                .and_then(NonZeroU32::new),
            problem_information: self.problem_information,
            is_pending: matches!(self.stage, Stage::Authenticating(_)),
            silence_at: self.remembered.silence_at,
            link,
        }
    }

    /// What the host is to remember, if that is not what it does: `agreed` when that has changed, and what is unread.
    pub(super) fn remember(&mut self, agreed: Option<Bytes>, mirror: &mut Mirror) -> Option<Bytes> {
        // What follows a CONNECT is of no use without it, and may be a secret.
        let is_of_use = !matches!(self.stage, Stage::Authenticating(_));
        let unread = if is_of_use { self.unread() } else { 0 };
        let (held, framer) = (self.held.as_deref().unwrap_or_default(), &self.framer);
        let behind = |stored: usize| match held.get(stored..) {
            _ if !is_of_use => Bytes::new(),
            Some(rest) if !rest.is_empty() => [rest, &framer.unread_behind(0)].concat().into(),
            _ => framer.unread_behind(stored - held.len()),
        };
        self.remembered.update(agreed, self.received - unread as u64, behind, mirror)
    }

    /// The client was let in: from now on the limits of clients apply.
    pub(super) fn open(&mut self, link: Box<Link>, maximum_packet_size: u32) {
        self.framer.set_maximum_packet_size(maximum_packet_size);
        self.remembered.silence_at = link.keep_alive.peer_is_dead_at();
        self.stage = Stage::Open(link);
    }

    fn push(&mut self, bytes: Bytes) {
        self.received += bytes.len() as u64;
        self.framer.push(bytes);
    }

    /// Maximum Packet Size that applies to what it brings.
    pub(super) const fn accepted_packet_size(&self) -> usize {
        self.framer.maximum_packet_size()
    }

    /// Bytes that were received and not processed.
    pub(super) fn unread(&self) -> usize {
        self.held.as_ref().map_or(0, Bytes::len) + self.framer.unread()
    }

    /// The next packet: the one that was reviewed, if it was.
    fn next(&mut self) -> Result<Option<Bytes>, DecodeError> {
        match self.held.take() {
            None => self.framer.next(),
            held => Ok(held),
        }
    }

    /// Whether packets wait unread until the host has answered.
    fn is_held(&self) -> bool {
        matches!(&self.stage, Stage::Authenticating(pending) if pending.host_is_asked) || self.is_in_review()
    }

    pub(super) fn is_in_review(&self) -> bool {
        self.review.as_ref().is_some_and(|review| !review.is_decided())
    }

    const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Whether it was too fast and is gone: of what is unread nothing counts any more but that the client left in order.
    pub(super) const fn is_given_up(&self) -> bool {
        self.is_gone && self.pace.is_paused()
    }

    /// What was decided about the packet that is read again.
    pub(super) fn take_decision(&mut self) -> Option<Decision> {
        self.review.take().and_then(|review| review.into_decision())
    }
}

impl Broker {
    /// What is spoken on this connection, on which nothing was received, is not MQTT: until it is closed it counts among the
    /// others, and nothing more.
    pub fn leave_to_host(&mut self, connection: ConnectionId) {
        self.set_silence(connection, None);
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.is_foreign = true;
        }
    }

    /// Whether the client has not acknowledged what it was sent as `packet_id`; `None` when there is no such session.
    pub fn is_in_flight(&self, client_id: &Text, packet_id: PacketId) -> Option<bool> {
        let session = self.sessions.get(self.by_client_id.get(client_id)?)?;
        Some(session.outbound.get(packet_id).is_some())
    }

    pub(super) fn opened(&mut self, id: ConnectionId) {
        if self.connections.len() >= self.config.maximum_connections {
            self.statistics.connections_refused += 1;
            return self.actions.push_back(Action::Close { connection: id, reason: ReasonCode::QuotaExceeded });
        }
        self.connections.insert(id, Connection::new(self.config.connect_size()));
        self.set_silence(id, Some(self.now.plus_millis(self.config.connect_timeout_millis)));
    }

    pub(super) fn received(&mut self, id: ConnectionId, bytes: Bytes) {
        self.statistics.bytes_received += bytes.len() as u64;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let is_piece = bytes.len() < PIECE;
        connection.push(bytes);
        let limit = connection.accepted_packet_size();
        let unread = connection.unread();
        if connection.pace.is_paused() {
            return self.came_too_early(id);
        }
        let is_in_review = connection.is_in_review();
        if !is_in_review && !self.behind.contains(id) {
            self.read(id);
            // A packet may come in pieces, but to look at each costs what a packet does.
            let is_partial = self.connections.get(&id).is_some_and(|it| is_piece && it.unread() > 0);
            if is_partial {
                self.asks(id, 1);
            }
            return;
        }
        if unread > limit.max(SMALL_PACKET).saturating_mul(UNREAD_PACKETS) {
            return self.violated(id, TOO_FAR_BEHIND);
        }
        self.unread_changed(id);
    }

    /// Processes the packets that are there, until none is left, the host must answer first, or enough was done.
    pub(super) fn read(&mut self, id: ConnectionId) {
        self.read_packets(id);
        if self.config.durability == Durability::Connections
            && self.connections.get(&id).is_some_and(|it| it.unread() > 0 || it.remembered.has_unread())
        {
            self.unread_changed(id);
        }
    }

    fn read_packets(&mut self, id: ConnectionId) {
        let is_remembered = self.config.durability == Durability::Connections;
        let may_be_read = |connection: &&mut Connection| !connection.pace.is_paused() || connection.is_given_up();
        while let Some(connection) = self.connections.get_mut(&id).filter(may_be_read) {
            let version = connection.version;
            let is_held = connection.is_held();
            let was_held = connection.held.is_some();
            let next = if is_held { Ok(None) } else { connection.next() };
            if connection.is_given_up() && !was_held && matches!(&next, Ok(Some(frame)) if frame[0] >> 4 != DISCONNECT)
            {
                self.effort.add(PACKET);
                if self.effort.is_enough() {
                    return self.fall_behind(id);
                }
                continue;
            }
            let length = if let Ok(Some(frame)) = &next { frame.len() } else { 0 };
            if let Stage::Authenticating(pending) = &mut connection.stage {
                pending.read += length;
                let unread = if let Ok(None) = next { connection.framer.unread() } else { 0 };
                if pending.read + unread > self.config.connect_size() as usize {
                    return self.violated(id, TOO_MUCH_HELD);
                }
            }
            // Only a rule lets a message be reviewed.
            let held = if self.config.rules.is_empty() { None } else { next.clone().ok().flatten() };
            let mut packet = match next {
                Ok(None) if connection.is_gone && !is_held => {
                    return self.end_connection(id, NETWORK_FAILED, Ending::Failed);
                }
                Ok(None) => return,
                // [MQTT-3.1.0-1]
                Ok(Some(frame)) if matches!(connection.stage, Stage::New) && frame[0] >> 4 != CONNECT => {
                    return self.hang_up(id, CONNECT_FIRST);
                }
                // Whatever it says: it must not change what the first one settled.
                Ok(Some(frame)) if !matches!(connection.stage, Stage::New) && frame[0] >> 4 == CONNECT => {
                    return self.violated(id, SECOND_CONNECT);
                }
                Ok(Some(frame)) => Packet::decode(frame, version),
                Err(error) => Err(error),
            };
            let mut has_spoken = false;
            if let Stage::Open(link) = &mut connection.stage {
                link.keep_alive.touch(self.now);
                has_spoken = is_remembered && connection.remembered.has_heard(&link.keep_alive);
            }
            match &mut packet {
                Err(error) => {
                    connection.version = error.version.unwrap_or(version);
                    if error.version.is_some() || !matches!(connection.stage, Stage::New) {
                        self.violated(id, (*error).into());
                    } else {
                        self.hang_up(id, (*error).into());
                    }
                }
                Ok(packet) => {
                    if !was_held {
                        self.trace_received(id, packet, length);
                        self.counts(id, packet, length);
                    }
                    if let Err(violation) = self.process(id, packet) {
                        self.violated(id, violation);
                    }
                }
            }
            self.effort.add(PACKET);
            if has_spoken {
                self.put_off_silence(id);
            }
            let Some(connection) = self.connections.get_mut(&id) else { return };
            if connection.is_in_review() {
                connection.held = held;
            }
            let (unsent, has_more) = (connection.unsent, connection.unread() > 0);
            let is_read = !has_more && !connection.is_gone;
            if unsent > self.config.send_buffer.saturating_mul(ANSWER_BUFFERS) {
                return self.violated(id, NEVER_READS);
            }
            if self.effort.is_enough() && has_more {
                return self.fall_behind(id);
            }
            if is_read {
                return;
            }
        }
    }

    fn process(&mut self, id: ConnectionId, packet: &mut Packet) -> Result<(), Violation> {
        let Some(connection) = self.connections.get(&id) else { return Ok(()) };
        if let Stage::Open(link) = &connection.stage {
            let session = link.session;
            return self.process_open(id, session, packet);
        }
        match (&connection.stage, taken(packet)) {
            (Stage::New, Packet::Connect(connect)) => self.connect(id, connect),
            (Stage::New, _) => {
                self.hang_up(id, CONNECT_FIRST);
                Ok(())
            }
            (Stage::Authenticating(_), Packet::Auth(auth)) => self.authenticate(id, auth),
            (Stage::Authenticating(_), Packet::Disconnect(_)) => {
                self.hang_up(id, Violation::new(ReasonCode::Success, "the client left before it was let in"));
                Ok(())
            }
            (Stage::Authenticating(_), _) => {
                Err(Violation::protocol_error("only AUTH and DISCONNECT may precede the CONNACK [MQTT-3.1.2-30]"))
            }
            (Stage::Open(_), _) => Ok(()),
        }
    }

    fn process_open(&mut self, id: ConnectionId, session: SessionId, packet: &mut Packet) -> Result<(), Violation> {
        match packet {
            Packet::Connect(_) => return Err(SECOND_CONNECT),
            Packet::Publish(publish) => return self.publish(id, session, publish),
            Packet::PubAck(ack) => return self.publish_acknowledged(session, ack),
            Packet::PubRec(ack) => return self.publish_received(id, session, ack),
            Packet::PubRel(ack) => self.publish_released(id, session, ack),
            Packet::PubComp(ack) => return self.publish_completed(session, ack),
            Packet::PingReq => self.send(id, &Packet::PingResp), // [MQTT-3.12.4-1]
            Packet::Disconnect(disconnect) => return self.disconnect(id, session, disconnect),
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                return Err(Violation::protocol_error("only a server sends this packet (2.1.2)"));
            }
            Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Auth(_) => {}
        }
        match taken(packet) {
            Packet::Subscribe(subscribe) => self.subscribe(id, session, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(id, session, unsubscribe),
            Packet::Auth(auth) => self.authenticate(id, auth),
            _ => Ok(()),
        }
    }

    /// The host says that the Network Connection is gone.
    pub(super) fn closed(&mut self, id: ConnectionId) {
        let is_behind = self.is_behind(id);
        let may_have_left = |it: &&mut Connection| is_behind && (!it.pace.is_paused() || it.is_open());
        let Some(connection) = self.connections.get_mut(&id).filter(may_have_left) else {
            return self.end_connection(id, NETWORK_FAILED, Ending::Failed);
        };
        connection.is_gone = true; // a DISCONNECT may be among what it sent
        if connection.is_given_up() {
            self.read(id);
        }
    }

    /// The client broke a rule: tells it, where its version and stage allow, and closes. [MQTT-4.13.1-1]
    pub(super) fn violated(&mut self, id: ConnectionId, violation: Violation) {
        self.violated_with(id, violation, None);
    }

    /// The same with a Reason String of the host's, if it has one.
    pub(super) fn violated_with(&mut self, id: ConnectionId, violation: Violation, message: Option<Text>) {
        let Some(connection) = self.connections.get(&id) else { return };
        if !matches!(connection.stage, Stage::Open(_)) {
            // [MQTT-3.14.0-1] before the CONNACK there is no DISCONNECT
            return self.refuse(id, violation, ConnAckProperties::default());
        }
        let reason_string =
            connection.problem_information.then(|| message.unwrap_or(Text::from_static(violation.rule)));
        let violation = Violation { reason: Disconnect::reason_from_server(violation.reason), ..violation };
        self.tell(id, violation.reason, DisconnectProperties { reason_string, ..Default::default() });
        self.hang_up(id, violation);
    }

    /// Closes without a word.
    pub(super) fn hang_up(&mut self, id: ConnectionId, violation: Violation) {
        self.end_connection_and_close(id, violation.into(), Ending::Failed);
    }

    pub(super) fn end_connection_and_close(&mut self, id: ConnectionId, refusal: Refusal, ending: Ending) {
        if self.connections.contains_key(&id) {
            self.actions.push_back(Action::Close { connection: id, reason: refusal.reason });
            self.end_connection(id, refusal, ending);
        }
    }

    fn end_connection(&mut self, id: ConnectionId, refusal: Refusal, ending: Ending) {
        self.set_silence(id, None);
        self.set_verdict_expiry(id, None);
        self.end_review(id);
        self.pause(id, None);
        self.behind.remove(id);
        let Some(connection) = self.connections.remove(&id) else { return };
        if self.is_durable() {
            // Nobody waits for this: what a crash leaves of it is abandoned when the broker is restored.
            self.mirror.write_late(true, |mirror| connection.remembered.erase(mirror));
        }
        let Stage::Open(link) = connection.stage else {
            if connection.is_foreign {
                return;
            }
            self.statistics.connections_refused += 1;
            return self.actions.push_back(Action::Report(Event::Refused { connection: id, refusal }));
        };
        self.users.connections.remove(link.user_name.as_ref());
        self.statistics.clients_connected -= 1;
        if let Some(session) = self.sessions.get(&link.session) {
            let client_id = session.client_id.clone();
            self.actions.push_back(Action::Report(Event::Disconnected { connection: id, client_id, refusal }));
        }
        self.detach_session(link.session, ending);
    }

    /// Sets or clears the time at which the connection is closed for silence.
    pub(super) fn set_silence(&mut self, id: ConnectionId, at: Option<Timestamp>) {
        if let Some(connection) = self.connections.get_mut(&id) {
            self.deadlines.set(Due::Silence(id), connection.silence_at, at);
            connection.silence_at = at;
        }
    }

    /// The same for a connection that was resumed: until it speaks, this time stays however often that happens.
    pub(super) fn set_silence_for_good(&mut self, id: ConnectionId, at: Option<Timestamp>) {
        self.set_silence(id, at);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.remembered.silence_at = at;
            self.connection_changed(id);
        }
    }

    /// It spoke: a host that sleeps is not to be woken for a time that has moved on.
    fn put_off_silence(&mut self, id: ConnectionId) {
        if let Some(at) = self.connections.get(&id).and_then(|connection| connection.remembered.silence_at) {
            self.set_silence(id, Some(at));
        }
        self.connection_changed(id);
    }

    /// The time set has come: the client is closed unless it spoke since. [MQTT-3.1.2-22]
    pub(super) fn silence_is_due(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.silence_at = None;
        match &mut connection.stage {
            Stage::New => self.hang_up(id, NO_CONNECT),
            Stage::Authenticating(_) => self.violated(id, NO_VERDICT),
            Stage::Open(link) if connection.review.is_some() || connection.pace.is_paused() => {
                link.keep_alive.touch(self.now); // what it said meanwhile is not read yet
                let later = link.keep_alive.peer_is_dead_at();
                self.set_silence_for_good(id, later);
            }
            Stage::Open(link) => match link.keep_alive.peer_is_dead_at() {
                Some(at) if at <= self.now => self.violated(id, SILENT),
                later => self.set_silence(id, later),
            },
        }
    }

    /// The session of an open connection.
    pub(super) fn session_of(&self, id: ConnectionId) -> Option<SessionId> {
        match &self.connections.get(&id)?.stage {
            Stage::Open(link) => Some(link.session),
            _ => None,
        }
    }

    pub(super) fn link_mut(&mut self, id: ConnectionId) -> Option<&mut Link> {
        match &mut self.connections.get_mut(&id)?.stage {
            Stage::Open(link) => Some(link),
            _ => None,
        }
    }
}

/// A packet, to be taken apart. Those that come most often stay where they are, as it takes long to move one.
fn taken(packet: &mut Packet) -> Packet {
    core::mem::replace(packet, Packet::PingReq)
}

/// Shorter than what a network carries at a time.
const PIECE: usize = 256;

/// The packet type of CONNECT: the version, and so the rest, is known only from there on.
const CONNECT: u8 = 1;
const DISCONNECT: u8 = 14;

const CONNECT_FIRST: Violation = Violation::protocol_error("the first packet must be a CONNECT [MQTT-3.1.0-1]");
const SECOND_CONNECT: Violation = Violation::protocol_error("a second CONNECT on one connection [MQTT-3.1.0-2]");
const NO_CONNECT: Violation = Violation::new(ReasonCode::KeepAliveTimeout, "no CONNECT came in time (3.1)");
const NO_VERDICT: Violation = Violation::new(ReasonCode::ServerBusy, "authentication took too long (4.12)");
const SILENT: Violation = Violation::new(
    ReasonCode::KeepAliveTimeout,
    "nothing came for one and a half times the Keep Alive [MQTT-3.1.2-22]",
);
const NEVER_READS: Violation =
    Violation::new(ReasonCode::QuotaExceeded, "the answers that wait to be read exceed this server's limit");
const TOO_FAR_BEHIND: Violation =
    Violation::new(ReasonCode::QuotaExceeded, "more was sent at once than this server can process in time");
const TOO_MUCH_HELD: Violation =
    Violation::new(ReasonCode::QuotaExceeded, "too much was sent before authentication ended (4.12)");
const NETWORK_FAILED: Refusal =
    Refusal { reason: ReasonCode::UnspecifiedError, message: "the Network Connection was closed without a DISCONNECT" };
