//! UNSUBSCRIBE and UNSUBACK (3.10, 3.11).
use super::{AckProperties, PacketId, ReasonCode, Text, UserProperties};
use alloc::vec::Vec;

/// A client no longer asks for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Packet Identifier.
    pub packet_id: PacketId,
    /// User Properties, the only kind here.
    pub user_properties: UserProperties,
    /// At least one. [MQTT-3.10.3-2]
    pub filters: Vec<Text>,
}

/// The server's answer to an UNSUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsubAck {
    /// Packet Identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// Properties.
    pub properties: AckProperties,
    /// One for each filter, in order; 3.1.1 has none, and decodes to an empty list. [MQTT-3.11.3-1]
    pub reasons: Vec<ReasonCode>,
}
