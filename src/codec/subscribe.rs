//! SUBSCRIBE and SUBACK (3.8, 3.9).
use super::{
    AckProperties, DecodeError, PacketId, ProtocolVersion, QoS, ReasonCode, Text, UserProperties,
    property::{Properties, SubscriptionIdentifier, properties},
    wire::{Reader, Sink},
};
use alloc::vec::Vec;
use core::num::NonZeroU32;

/// A client asks for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// Packet Identifier.
    pub packet_id: PacketId,
    /// SUBSCRIBE Properties.
    pub properties: SubscribeProperties,
    /// At least one. [MQTT-3.8.3-2]
    pub filters: Vec<SubscribeFilter>,
}

/// SUBSCRIBE Properties (3.8.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscribeProperties {
    /// Subscription Identifier, 1 to 268,435,455.
    pub subscription_identifier: Option<NonZeroU32>,
    /// User Properties.
    pub user_properties: UserProperties,
}

/// One Topic Filter with its Subscription Options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// Topic Filter; whether it is a valid one is for [`crate::topic`] to say.
    pub filter: Text,
    /// Subscription Options.
    pub options: SubscriptionOptions,
}

/// Subscription Options (3.8.3.1); 3.1.1 has only the QoS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// Maximum QoS.
    pub qos: QoS,
    /// No Local.
    pub no_local: bool,
    /// Retain As Published.
    pub retain_as_published: bool,
    /// Retain Handling.
    pub retain_handling: RetainHandling,
}

/// When retained messages are sent for a new subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum RetainHandling {
    /// At every SUBSCRIBE.
    #[default]
    Send = 0,
    /// Only if the subscription did not exist yet.
    SendIfNew = 1,
    /// Never.
    DoNotSend = 2,
}

/// The server's answer to a SUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubAck {
    /// Packet Identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// Properties.
    pub properties: AckProperties,
    /// One for each filter, in order. [MQTT-3.9.3-1]
    pub reasons: Vec<ReasonCode>,
}

properties!(SubscribeProperties {
    0x0B subscription_identifier: SubscriptionIdentifier,
    0x26 user_properties: (Text, Text),
});

impl Subscribe {
    /// Decodes what follows the fixed header.
    pub(super) fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let packet_id = reader.read::<PacketId>()?;
        let properties = SubscribeProperties::decode(reader, version)?;
        let mut filters = Vec::new();
        while !reader.is_empty() {
            let filter = reader.read::<Text>()?;
            filters.push(SubscribeFilter { filter, options: SubscriptionOptions::decode(reader, version)? });
        }
        // [MQTT-3.8.3-2]
        if filters.is_empty() {
            return Err(DecodeError::protocol("SUBSCRIBE without a Topic Filter"));
        }
        Ok(Self { packet_id, properties, filters })
    }

    /// Writes what follows the fixed header.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<PacketId>(&self.packet_id);
        self.properties.encode(version, sink);
        for SubscribeFilter { filter, options } in &self.filters {
            sink.write::<Text>(filter);
            options.encode(version, sink);
        }
    }
}

impl SubscriptionOptions {
    fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let byte = reader.read::<u8>()?;
        let reserved = match version {
            ProtocolVersion::V5 => 0b1100_0000,
            ProtocolVersion::V3_1_1 => 0b1111_1100,
        };
        // [MQTT-3.8.3-5]
        if byte & reserved != 0 {
            return Err(DecodeError::malformed("reserved Subscription Options are set"));
        }
        Ok(Self {
            qos: QoS::from_u8(byte & 3).ok_or(match version {
                ProtocolVersion::V5 => DecodeError::protocol("Maximum QoS of a subscription is 3"),
                // [3.1.1 MQTT-3-8.3-4]
                ProtocolVersion::V3_1_1 => DecodeError::malformed("Requested QoS is 3"),
            })?,
            no_local: byte & 0b100 != 0,
            retain_as_published: byte & 0b1000 != 0,
            retain_handling: RetainHandling::from_u8(byte >> 4).ok_or(DecodeError::protocol("Retain Handling is 3"))?,
        })
    }

    fn encode(self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<u8>(&match version {
            ProtocolVersion::V5 => self.to_u8(),
            ProtocolVersion::V3_1_1 => self.qos as u8,
        });
    }

    /// The options as MQTT 5 packs them into one byte.
    pub const fn to_u8(self) -> u8 {
        (self.retain_handling as u8) << 4
            | (self.retain_as_published as u8) << 3
            | (self.no_local as u8) << 2
            | self.qos as u8
    }
}

impl RetainHandling {
    /// The option that `value` names, if there is one.
    pub const fn from_u8(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Send),
            1 => Some(Self::SendIfNew),
            2 => Some(Self::DoNotSend),
            _ => None,
        }
    }
}

impl SubAck {
    /// Decodes what follows the fixed header.
    pub(super) fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let packet_id = reader.read::<PacketId>()?;
        let properties = AckProperties::decode(reader, version)?;
        let allowed = match version {
            ProtocolVersion::V5 => REASONS,
            ProtocolVersion::V3_1_1 => RETURN_CODES,
        };
        let mut reasons = Vec::new();
        while !reader.is_empty() {
            reasons.push(ReasonCode::decode(reader, allowed)?);
        }
        // [MQTT-3.8.4-6] a SUBSCRIBE has at least one filter, so its answer has at least one code
        if reasons.is_empty() {
            return Err(DecodeError::protocol("SUBACK without a Reason Code"));
        }
        Ok(Self { packet_id, properties, reasons })
    }

    /// Writes what follows the fixed header.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<PacketId>(&self.packet_id);
        self.properties.encode(version, sink);
        for &reason in &self.reasons {
            let known = version == ProtocolVersion::V5 || RETURN_CODES.contains(&reason);
            sink.write::<u8>(&if known { reason } else { ReasonCode::UnspecifiedError }.value());
        }
    }
}

/// Subscribe Reason Codes. [MQTT-3.9.3-2]
const REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::GrantedQoS1,
    ReasonCode::GrantedQoS2,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::PacketIdentifierInUse,
    ReasonCode::QuotaExceeded,
    ReasonCode::SharedSubscriptionsNotSupported,
    ReasonCode::SubscriptionIdentifiersNotSupported,
    ReasonCode::WildcardSubscriptionsNotSupported,
];

/// Return codes of 3.1.1. [3.1.1 MQTT-3.9.3-2]
const RETURN_CODES: &[ReasonCode] =
    &[ReasonCode::Success, ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS2, ReasonCode::UnspecifiedError];
