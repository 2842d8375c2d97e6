//! PUBACK, PUBREC and PUBCOMP from a subscriber: each makes room for what waits.

use super::{Broker, ConnectionId, session::SessionId};
use crate::{
    codec::{Ack, Packet, ReasonCode},
    session::{Received, Violation},
};

impl Broker {
    pub(super) fn publish_acknowledged(&mut self, session_id: SessionId, ack: &Ack) -> Result<(), Violation> {
        let Some(session) = self.sessions.get_mut(&session_id) else { return Ok(()) };
        // [MQTT-4.4.0-2] whatever the Reason Code, the message counts as acknowledged
        session.outbound.acknowledged(ack.packet_id)?;
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
        match session.outbound.received(ack.packet_id, !ack.reason.is_failure())? {
            // [MQTT-4.3.3-4]
            Received::Accepted(_) | Received::Again => self.send(id, &Packet::PubRel(ack.packet_id.into())),
            Received::Refused(_) => self.pump(session_id),
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
        session.outbound.completed(ack.packet_id)?;
        self.pump(session_id);
        Ok(())
    }
}
