//! UNSUBSCRIBE and UNSUBACK (3.10, 3.11).
use super::{
    AckProperties, DecodeError, PacketId, ProtocolVersion, ReasonCode, Text, UserProperties,
    property::{MISPLACED, Properties, write_property},
    wire::{Reader, Sink},
};
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

/// UNSUBSCRIBE carries no other property, so the list is the section.
impl Properties for UserProperties {
    fn read_value(&mut self, identifier: usize, reader: &mut Reader) -> Result<(), DecodeError> {
        match identifier {
            0x26 => self.push(reader.read::<(Text, Text)>()?),
            _ => return Err(MISPLACED),
        }
        Ok(())
    }

    fn write_values(&self, sink: &mut Sink<'_>) {
        write_property::<(Text, Text)>(0x26, self, sink);
    }
}

impl Unsubscribe {
    /// Decodes what follows the fixed header.
    pub(super) fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let packet_id = reader.read::<PacketId>()?;
        let user_properties = UserProperties::decode(reader, version)?;
        let mut filters = Vec::new();
        while !reader.is_empty() {
            filters.push(reader.read::<Text>()?);
        }
        // [MQTT-3.10.3-2]
        if filters.is_empty() {
            return Err(DecodeError::protocol("UNSUBSCRIBE without a Topic Filter"));
        }
        Ok(Self { packet_id, user_properties, filters })
    }

    /// Writes what follows the fixed header.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<PacketId>(&self.packet_id);
        self.user_properties.encode(version, sink);
        for filter in &self.filters {
            sink.write::<Text>(filter);
        }
    }
}

impl UnsubAck {
    /// Decodes what follows the fixed header.
    pub(super) fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let packet_id = reader.read::<PacketId>()?;
        let properties = AckProperties::decode(reader, version)?;
        let mut reasons = Vec::new();
        if version == ProtocolVersion::V5 {
            while !reader.is_empty() {
                reasons.push(ReasonCode::decode(reader, REASONS)?);
            }
            // An UNSUBSCRIBE has at least one filter, so its answer has at least one code.
            if reasons.is_empty() {
                return Err(DecodeError::protocol("UNSUBACK without a Reason Code"));
            }
        }
        Ok(Self { packet_id, properties, reasons })
    }

    /// Writes what follows the fixed header.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<PacketId>(&self.packet_id);
        self.properties.encode(version, sink);
        if version == ProtocolVersion::V5 {
            for reason in &self.reasons {
                sink.write::<u8>(&reason.value());
            }
        }
    }
}

/// Unsubscribe Reason Codes. [MQTT-3.11.3-2]
const REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::NoSubscriptionExisted,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::PacketIdentifierInUse,
];
