//! PUBACK, PUBREC and PUBCOMP from a subscriber: each makes room for what waits.

use super::{Broker, ConnectionId, message::Delivery, session::SessionId};
use crate::{
    codec::{Ack, Packet, PacketId, ReasonCode},
    session::{Received, Violation},
};

impl Broker {
    pub(super) fn publish_acknowledged(&mut self, session_id: SessionId, ack: &Ack) -> Result<(), Violation> {
        let Some(session) = self.sessions.get_mut(&session_id) else { return Ok(()) };
        let is_uncarried = session.outbound.is_uncarried(ack.packet_id);
        // [MQTT-4.4.0-2] whatever the Reason Code, the message counts as acknowledged
        if let Some(delivery) = session.outbound.acknowledged(ack.packet_id)? {
            self.end_exchange(session_id, ack.packet_id, Some(&delivery), is_uncarried);
        }
        self.pump(session_id);
        Ok(())
    }

    pub(super) fn publish_received(
        &mut self,
        id: ConnectionId,
        session_id: SessionId,
        ack: &Ack,
    ) -> Result<(), Violation> {
        let Some(session) = self.sessions.get_mut(&session_id) else { return Ok(()) };
        let is_uncarried = session.outbound.is_uncarried(ack.packet_id);
        match session.outbound.received(ack.packet_id, !ack.reason.is_failure())? {
            // [MQTT-4.3.3-4]
            Received::Accepted(delivery) => {
                self.write_released(session_id, ack.packet_id, &delivery);
                self.send(id, &Packet::PubRel(ack.packet_id.into()));
            }
            Received::Again => self.send(id, &Packet::PubRel(ack.packet_id.into())),
            Received::Refused(delivery) => {
                self.end_exchange(session_id, ack.packet_id, Some(&delivery), is_uncarried);
                self.pump(session_id);
            }
            Received::Unknown if ack.reason.is_failure() => {}
            Received::Unknown => {
                let reason = ReasonCode::PacketIdentifierNotFound;
                self.send(id, &Packet::PubRel(Ack { reason, ..ack.packet_id.into() }));
            }
        }
        Ok(())
    }

    pub(super) fn publish_completed(&mut self, session_id: SessionId, ack: &Ack) -> Result<(), Violation> {
        let Some(session) = self.sessions.get_mut(&session_id) else { return Ok(()) };
        let is_uncarried = session.outbound.is_uncarried(ack.packet_id);
        if session.outbound.completed(ack.packet_id)? {
            self.end_exchange(session_id, ack.packet_id, None, is_uncarried);
        }
        self.pump(session_id);
        Ok(())
    }

    /// `is_uncarried` when the connection's own record named it.
    fn end_exchange(&mut self, id: SessionId, packet_id: PacketId, delivery: Option<&Delivery>, is_uncarried: bool) {
        self.erase_in_flight(id, packet_id, delivery);
        if is_uncarried && let Some(connection) = self.sessions.get(&id).and_then(|session| session.connection) {
            self.connection_changed(connection);
        }
    }
}
