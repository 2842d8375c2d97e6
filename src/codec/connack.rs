//! CONNACK (3.2).
use super::{
    Binary, DecodeError, ProtocolVersion, QoS, ReasonCode, Text, UserProperties,
    property::{Properties, properties},
    wire::{Field, Reader, Sink},
};
use core::num::{NonZeroU16, NonZeroU32};

/// The server's answer to a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnAck {
    /// Session Present.
    pub session_present: bool,
    /// Connect Reason Code; in 3.1.1 the nearest return code.
    pub reason: ReasonCode,
    /// CONNACK Properties.
    pub properties: ConnAckProperties,
}

/// CONNACK Properties (3.2.2.3); absent ones are `None` and take the standard's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnAckProperties {
    /// Session Expiry Interval in seconds; absent is the client's.
    pub session_expiry_interval: Option<u32>,
    /// Receive Maximum; absent is 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// Maximum QoS: only 0 or 1 is ever sent; absent is 2.
    pub maximum_qos: Option<QoS>,
    /// Retain Available; absent is true.
    pub retain_available: Option<bool>,
    /// Maximum Packet Size in bytes; absent is no limit.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// Assigned Client Identifier.
    pub assigned_client_identifier: Option<Text>,
    /// Topic Alias Maximum; absent is 0.
    pub topic_alias_maximum: Option<u16>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties.
    pub user_properties: UserProperties,
    /// Wildcard Subscription Available; absent is true.
    pub wildcard_subscription_available: Option<bool>,
    /// Subscription Identifiers Available; absent is true.
    pub subscription_identifiers_available: Option<bool>,
    /// Shared Subscription Available; absent is true.
    pub shared_subscription_available: Option<bool>,
    /// Server Keep Alive in seconds; absent is the client's.
    pub server_keep_alive: Option<u16>,
    /// Response Information.
    pub response_information: Option<Text>,
    /// Server Reference.
    pub server_reference: Option<Text>,
    /// Authentication Method.
    pub authentication_method: Option<Text>,
    /// Authentication Data.
    pub authentication_data: Option<Binary>,
}

properties!(ConnAckProperties {
    0x11 session_expiry_interval: u32,
    0x21 receive_maximum: NonZeroU16,
    0x24 maximum_qos: MaximumQoS,
    0x25 retain_available: bool,
    0x27 maximum_packet_size: NonZeroU32,
    0x12 assigned_client_identifier: Text,
    0x22 topic_alias_maximum: u16,
    0x1F reason_string: Text,
    0x26 user_properties: (Text, Text),
    0x28 wildcard_subscription_available: bool,
    0x29 subscription_identifiers_available: bool,
    0x2A shared_subscription_available: bool,
    0x13 server_keep_alive: u16,
    0x1A response_information: Text,
    0x1C server_reference: Text,
    0x15 authentication_method: Text,
    0x16 authentication_data: Binary,
});

/// Maximum QoS: 0 or 1, because 2 is said by its absence.
struct MaximumQoS;

impl Field for MaximumQoS {
    type Value = QoS;

    fn read(reader: &mut Reader) -> Result<QoS, DecodeError> {
        match reader.read::<u8>()? {
            0 => Ok(QoS::AtMostOnce),
            1 => Ok(QoS::AtLeastOnce),
            _ => Err(DecodeError::protocol("Maximum QoS is neither 0 nor 1")),
        }
    }

    fn write(value: &QoS, sink: &mut Sink<'_>) {
        sink.write::<u8>(&(*value as u8));
    }
}

impl ConnAck {
    /// `reason`, or the nearest that a CONNACK which refuses may carry. [MQTT-3.2.2-8]
    pub fn refusal(reason: ReasonCode) -> ReasonCode {
        match reason {
            ReasonCode::ServerShuttingDown => ReasonCode::ServerUnavailable,
            ReasonCode::MessageRateTooHigh => ReasonCode::ConnectionRateExceeded,
            ReasonCode::AdministrativeAction => ReasonCode::NotAuthorized,
            ReasonCode::TopicAliasInvalid => ReasonCode::ProtocolError,
            reason if reason.is_failure() && REASONS.contains(&reason) => reason,
            _ => ReasonCode::UnspecifiedError,
        }
    }

    /// Decodes what follows the fixed header.
    pub(super) fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let session_present = match reader.read::<u8>()? {
            0 => false,
            1 => true,
            // [MQTT-3.2.2-1]
            _ => return Err(DecodeError::malformed("reserved Connect Acknowledge Flags are set")),
        };
        let reason = match version {
            ProtocolVersion::V5 => ReasonCode::decode(reader, REASONS)?,
            ProtocolVersion::V3_1_1 => ReasonCode::from_return_code(reader.read::<u8>()?)
                .ok_or(DecodeError::protocol("the return code is reserved"))?,
        };
        // [MQTT-3.2.2-6]
        if session_present && reason != ReasonCode::Success {
            return Err(DecodeError::protocol("a refused connection cannot have a session"));
        }
        Ok(Self { session_present, reason, properties: ConnAckProperties::decode(reader, version)? })
    }

    /// Writes what follows the fixed header.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<u8>(&u8::from(self.session_present));
        sink.write::<u8>(&match version {
            ProtocolVersion::V5 => self.reason.value(),
            ProtocolVersion::V3_1_1 => self.reason.return_code(),
        });
        self.properties.encode(version, sink);
    }
}

/// Connect Reason Codes. [MQTT-3.2.2-8]
const REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
    ReasonCode::ServerUnavailable,
    ReasonCode::ServerBusy,
    ReasonCode::Banned,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::TopicNameInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::QuotaExceeded,
    ReasonCode::PayloadFormatInvalid,
    ReasonCode::RetainNotSupported,
    ReasonCode::QoSNotSupported,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::ConnectionRateExceeded,
];

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    #[test]
    fn a_refusal_always_carries_a_failure_that_connack_has() {
        assert_eq!(ConnAck::refusal(ReasonCode::Banned), ReasonCode::Banned);
        assert_eq!(ConnAck::refusal(ReasonCode::ServerShuttingDown), ReasonCode::ServerUnavailable);
        for reason in (0..=255).filter_map(ReasonCode::from_u8).map(ConnAck::refusal) {
            assert!(reason.is_failure() && REASONS.contains(&reason), "{reason}");
        }
    }

    #[test]
    fn a_reason_that_3_1_1_lacks_becomes_the_nearest_return_code() {
        for (reason, code) in [
            (ReasonCode::Success, 0),
            (ReasonCode::UnsupportedProtocolVersion, 1),
            (ReasonCode::ClientIdentifierNotValid, 2),
            (ReasonCode::ServerBusy, 3),
            (ReasonCode::UseAnotherServer, 3),
            (ReasonCode::BadUserNameOrPassword, 4),
            (ReasonCode::Banned, 5),
            (ReasonCode::QoSNotSupported, 5),
        ] {
            let mut bytes = BytesMut::new();
            ConnAck { session_present: false, reason, properties: ConnAckProperties::default() }
                .encode(ProtocolVersion::V3_1_1, &mut Sink::to(&mut bytes));
            assert_eq!(bytes, [0, code][..], "{reason}");
        }
    }
}
