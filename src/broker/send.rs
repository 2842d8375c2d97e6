//! Hands packets to the host, within the client's Maximum Packet Size.

use super::{Action, Broker, ConnectionId, Frame, HEADS, connection::Ending, effort};
use crate::{
    codec::{Disconnect, DisconnectProperties, Packet, ProtocolVersion, ReasonCode},
    session::Violation,
};
use bytes::{Bytes, BytesMut};

impl Broker {
    /// Sends a packet other than PUBLISH. One that the client's Maximum Packet Size forbids loses its Reason String and
    /// User Properties; if that does not help, the connection ends. [MQTT-3.1.2-24]
    pub(super) fn send(&mut self, id: ConnectionId, packet: &Packet) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (version, limit) = (connection.version, connection.maximum_packet_size);
        match self.encode_within(version, limit, packet) {
            None => self.end_connection_and_close(id, ANSWER_TOO_LARGE.into(), Ending::Failed),
            Some(head) if head.is_empty() => {}
            Some(head) => {
                self.trace_sent(id, packet, head.len());
                self.send_frame(id, Frame { head, payload: Bytes::new() });
            }
        }
    }

    /// The packet as the client can take it, empty if its version has no such packet; `None` if it is too large.
    fn encode_within(&mut self, version: ProtocolVersion, limit: usize, packet: &Packet) -> Option<Bytes> {
        let mut is_written = packet.encode(version, &mut self.heads).is_ok();
        if !is_written || self.heads.len() > limit {
            self.heads.clear();
            is_written = without_explanations(packet.clone()).encode(version, &mut self.heads).is_ok();
        }
        let head = take_head(&mut self.heads);
        (is_written && head.len() <= limit).then_some(head)
    }

    /// Whether the client can take the packet.
    pub(super) fn is_within_limit(&mut self, id: ConnectionId, packet: &Packet) -> bool {
        let Some(connection) = self.connections.get(&id) else { return false };
        let (version, limit) = (connection.version, connection.maximum_packet_size);
        self.encode_within(version, limit, packet).is_some()
    }

    /// Tells an MQTT 5 client why its connection ends; 3.1.1 knows no DISCONNECT from the server.
    pub(super) fn tell(&mut self, id: ConnectionId, reason: ReasonCode, properties: DisconnectProperties) {
        if self.connections.get(&id).is_some_and(|connection| connection.version == ProtocolVersion::V5) {
            self.send(id, &Packet::Disconnect(Disconnect { reason, properties }));
        }
    }

    pub(super) fn send_frame(&mut self, id: ConnectionId, frame: Frame) {
        let Some(connection) = self.connections.get_mut(&id).filter(|connection| !connection.is_gone) else { return };
        connection.unsent += frame.len();
        self.effort.add(effort::frame(frame.len()));
        self.statistics.bytes_sent += frame.len() as u64;
        self.actions.push_back(Action::Send { connection: id, frame });
    }
}

/// The bytes that were written last. Many take their room with them: later ones would keep it for less.
pub(super) fn take_head(heads: &mut BytesMut) -> Bytes {
    let head = heads.split().freeze();
    if head.len() > HEADS {
        *heads = BytesMut::with_capacity(HEADS);
    }
    head
}

/// The packet without its Reason String and User Properties. [MQTT-3.4.2-2] [MQTT-3.4.2-3]
fn without_explanations(mut packet: Packet) -> Packet {
    let explanations = match &mut packet {
        Packet::ConnAck(connack) => (&mut connack.properties.reason_string, &mut connack.properties.user_properties),
        Packet::Disconnect(disconnect) => {
            (&mut disconnect.properties.reason_string, &mut disconnect.properties.user_properties)
        }
        Packet::Auth(auth) => (&mut auth.properties.reason_string, &mut auth.properties.user_properties),
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            (&mut ack.properties.reason_string, &mut ack.properties.user_properties)
        }
        Packet::SubAck(ack) => (&mut ack.properties.reason_string, &mut ack.properties.user_properties),
        Packet::UnsubAck(ack) => (&mut ack.properties.reason_string, &mut ack.properties.user_properties),
        _ => return packet,
    };
    *explanations.0 = None;
    explanations.1.clear();
    packet
}

pub(super) const ANSWER_TOO_LARGE: Violation = Violation::new(
    ReasonCode::PacketTooLarge,
    "an answer that must be sent exceeds the client's Maximum Packet Size [MQTT-3.1.2-24]",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bytes_do_not_keep_the_room_of_many() {
        let mut heads = BytesMut::with_capacity(HEADS);
        heads.resize(100_000, 7);
        assert_eq!(take_head(&mut heads).len(), 100_000);
        heads.extend_from_slice(b"ab");
        let few = take_head(&mut heads);
        drop(heads);
        assert_eq!(few, "ab");
        assert!(few.try_into_mut().unwrap().capacity() <= HEADS);
    }
}
