//! PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7): four packets of one shape.
use super::{
    DecodeError, PacketId, ProtocolVersion, ReasonCode, Text, UserProperties,
    property::{Properties, properties},
    wire::{Reader, Sink},
};

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

properties!(AckProperties {
    0x1F reason_string: Text,
    0x26 user_properties: (Text, Text),
});

impl Ack {
    /// Decodes what follows the fixed header; `reasons` are the Reason Codes of the packet's type.
    pub(super) fn decode(
        reader: &mut Reader,
        version: ProtocolVersion,
        reasons: &[ReasonCode],
    ) -> Result<Self, DecodeError> {
        let mut ack = Self::from(reader.read::<PacketId>()?);
        // What a shorter packet leaves out is Success, and no properties.
        if version == ProtocolVersion::V5 && !reader.is_empty() {
            ack.reason = ReasonCode::decode(reader, reasons)?;
            if !reader.is_empty() {
                ack.properties = AckProperties::decode(reader, version)?;
            }
        }
        Ok(ack)
    }

    /// Whether it says Success and nothing else: it is its Packet Identifier alone then.
    pub(super) fn is_plain(&self) -> bool {
        self.reason == ReasonCode::Success && self.properties.is_empty()
    }

    /// Writes what follows the fixed header, in the shortest form there is.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<PacketId>(&self.packet_id);
        if version == ProtocolVersion::V3_1_1 || self.is_plain() {
            return;
        }
        sink.write::<u8>(&self.reason.value());
        if !self.properties.is_empty() {
            self.properties.encode(version, sink);
        }
    }
}

/// Reason Codes of PUBACK and PUBREC. [MQTT-3.4.2-1] [MQTT-3.5.2-1]
pub(super) const RECEIVED: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::NoMatchingSubscribers,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicNameInvalid,
    ReasonCode::PacketIdentifierInUse,
    ReasonCode::QuotaExceeded,
    ReasonCode::PayloadFormatInvalid,
];

/// Reason Codes of PUBREL and PUBCOMP. [MQTT-3.6.2-1] [MQTT-3.7.2-1]
pub(super) const RELEASED: &[ReasonCode] = &[ReasonCode::Success, ReasonCode::PacketIdentifierNotFound];
