//! PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7): four packets of one shape.
use super::{PacketId, ReasonCode, Text, UserProperties};

/// The acknowledgement of one step of a QoS 1 or QoS 2 delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Packet Identifier of the PUBLISH.
    pub packet_id: PacketId,
    /// Reason Code; 3.1.1 has none.
    pub reason: ReasonCode,
    /// Properties; 3.1.1 has none.
    pub properties: AckProperties,
}

/// Properties of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AckProperties {
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties.
    pub user_properties: UserProperties,
}

impl From<PacketId> for Ack {
    /// A plain success.
    fn from(packet_id: PacketId) -> Self {
        Self { packet_id, reason: ReasonCode::Success, properties: AckProperties::default() }
    }
}
