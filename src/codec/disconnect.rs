//! DISCONNECT and AUTH (3.14, 3.15).
use super::{
    Binary, DecodeError, ProtocolVersion, ReasonCode, Text, UserProperties,
    property::{Properties, properties},
    wire::{Reader, Sink},
};

/// The last packet of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// Disconnect Reason Code; 3.1.1 has none.
    pub reason: ReasonCode,
    /// Properties; 3.1.1 has none.
    pub properties: DisconnectProperties,
}

/// DISCONNECT Properties (3.14.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisconnectProperties {
    /// Session Expiry Interval in seconds; never from the server. [MQTT-3.14.2-2]
    pub session_expiry_interval: Option<u32>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties.
    pub user_properties: UserProperties,
    /// Server Reference.
    pub server_reference: Option<Text>,
}

/// A step of enhanced authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Success, Continue authentication or Re-authenticate. [MQTT-3.15.2-1]
    pub reason: ReasonCode,
    /// AUTH Properties.
    pub properties: AuthProperties,
}

/// AUTH Properties (3.15.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthProperties {
    /// Authentication Method; required unless the packet is the short form of Success.
    pub authentication_method: Option<Text>,
    /// Authentication Data.
    pub authentication_data: Option<Binary>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties.
    pub user_properties: UserProperties,
}

properties!(DisconnectProperties {
    0x11 session_expiry_interval: u32,
    0x1F reason_string: Text,
    0x26 user_properties: (Text, Text),
    0x1C server_reference: Text,
});

properties!(AuthProperties {
    0x15 authentication_method: Text,
    0x16 authentication_data: Binary,
    0x1F reason_string: Text,
    0x26 user_properties: (Text, Text),
});

impl From<ReasonCode> for Disconnect {
    /// A DISCONNECT that says its reason and no more.
    fn from(reason: ReasonCode) -> Self {
        Self { reason, properties: DisconnectProperties::default() }
    }
}

impl Disconnect {
    /// `reason`, or the nearest that a server's DISCONNECT may carry. [MQTT-3.14.2-1]
    pub fn reason_from_server(reason: ReasonCode) -> ReasonCode {
        match reason {
            ReasonCode::ClientIdentifierNotValid
            | ReasonCode::BadUserNameOrPassword
            | ReasonCode::Banned
            // Section 2.4 gives it to DISCONNECT, but the list in section 3.14.2.1 does not.
            | ReasonCode::BadAuthenticationMethod => ReasonCode::NotAuthorized,
            ReasonCode::ServerUnavailable => ReasonCode::ServerBusy,
            ReasonCode::Success | ReasonCode::DisconnectWithWillMessage => ReasonCode::UnspecifiedError,
            reason => nearest(reason, DISCONNECT_REASONS),
        }
    }

    /// `reason`, or the nearest that a client's DISCONNECT may carry. [MQTT-3.14.2-1]
    pub fn reason_from_client(reason: ReasonCode) -> ReasonCode {
        nearest(reason, CLIENT_DISCONNECT_REASONS)
    }

    /// Decodes what follows the fixed header.
    pub(super) fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let mut disconnect = Self::from(ReasonCode::Success);
        // What a shorter packet leaves out is Success, and no properties.
        if version == ProtocolVersion::V5 && !reader.is_empty() {
            disconnect.reason = ReasonCode::decode(reader, DISCONNECT_REASONS)?;
            if !reader.is_empty() {
                disconnect.properties = DisconnectProperties::decode(reader, version)?;
            }
        }
        Ok(disconnect)
    }

    /// Writes what follows the fixed header, in the shortest form there is.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        let no_properties = self.properties == DisconnectProperties::default();
        if version == ProtocolVersion::V3_1_1 || (self.reason == ReasonCode::Success && no_properties) {
            return;
        }
        sink.write::<u8>(&self.reason.value());
        if !no_properties {
            self.properties.encode(version, sink);
        }
    }
}

impl Auth {
    /// Decodes what follows the fixed header.
    pub(super) fn decode(reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        if version == ProtocolVersion::V3_1_1 {
            return Err(DecodeError::malformed("MQTT 3.1.1 has no AUTH"));
        }
        if reader.is_empty() {
            return Ok(Self { reason: ReasonCode::Success, properties: AuthProperties::default() });
        }
        let reason = ReasonCode::decode(reader, AUTH_REASONS)?;
        let auth = Self { reason, properties: AuthProperties::decode(reader, version)? };
        // Section 3.15.2.2.2: only the packet that says no more than Success may leave the method out.
        if auth.properties.authentication_method.is_none() && !auth.is_plain_success() {
            return Err(DecodeError::protocol("AUTH without Authentication Method"));
        }
        Ok(auth)
    }

    /// Writes what follows the fixed header, in the shortest form there is.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        if !self.is_plain_success() {
            sink.write::<u8>(&self.reason.value());
            self.properties.encode(version, sink);
        }
    }

    fn is_plain_success(&self) -> bool {
        self.reason == ReasonCode::Success && self.properties == AuthProperties::default()
    }
}

fn nearest(reason: ReasonCode, allowed: &[ReasonCode]) -> ReasonCode {
    match reason {
        reason if allowed.contains(&reason) => reason,
        ReasonCode::UnsupportedProtocolVersion
        | ReasonCode::PacketIdentifierInUse
        | ReasonCode::PacketIdentifierNotFound => ReasonCode::ProtocolError,
        _ => ReasonCode::UnspecifiedError,
    }
}

/// Disconnect Reason Codes. [MQTT-3.14.2-1]
const DISCONNECT_REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::DisconnectWithWillMessage,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::ServerBusy,
    ReasonCode::ServerShuttingDown,
    // Missing from the list in section 3.14.2.1, but section 2.4 gives it to DISCONNECT.
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::KeepAliveTimeout,
    ReasonCode::SessionTakenOver,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::TopicNameInvalid,
    ReasonCode::ReceiveMaximumExceeded,
    ReasonCode::TopicAliasInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::MessageRateTooHigh,
    ReasonCode::QuotaExceeded,
    ReasonCode::AdministrativeAction,
    ReasonCode::PayloadFormatInvalid,
    ReasonCode::RetainNotSupported,
    ReasonCode::QoSNotSupported,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::SharedSubscriptionsNotSupported,
    ReasonCode::ConnectionRateExceeded,
    ReasonCode::MaximumConnectTime,
    ReasonCode::SubscriptionIdentifiersNotSupported,
    ReasonCode::WildcardSubscriptionsNotSupported,
];

/// Those that the list in section 3.14.2.1 gives to clients.
const CLIENT_DISCONNECT_REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::DisconnectWithWillMessage,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::TopicNameInvalid,
    ReasonCode::ReceiveMaximumExceeded,
    ReasonCode::TopicAliasInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::MessageRateTooHigh,
    ReasonCode::QuotaExceeded,
    ReasonCode::AdministrativeAction,
    ReasonCode::PayloadFormatInvalid,
];

/// Authenticate Reason Codes. [MQTT-3.15.2-1]
const AUTH_REASONS: &[ReasonCode] =
    &[ReasonCode::Success, ReasonCode::ContinueAuthentication, ReasonCode::ReAuthenticate];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_disconnect_lacks_becomes_the_nearest_one() {
        for (reason, from_server, from_client) in [
            (ReasonCode::Success, ReasonCode::UnspecifiedError, ReasonCode::Success),
            (ReasonCode::ProtocolError, ReasonCode::ProtocolError, ReasonCode::ProtocolError),
            (ReasonCode::UnsupportedProtocolVersion, ReasonCode::ProtocolError, ReasonCode::ProtocolError),
            (ReasonCode::BadUserNameOrPassword, ReasonCode::NotAuthorized, ReasonCode::UnspecifiedError),
            (ReasonCode::BadAuthenticationMethod, ReasonCode::NotAuthorized, ReasonCode::UnspecifiedError),
            (ReasonCode::ServerUnavailable, ReasonCode::ServerBusy, ReasonCode::UnspecifiedError),
            (ReasonCode::ServerShuttingDown, ReasonCode::ServerShuttingDown, ReasonCode::UnspecifiedError),
        ] {
            assert_eq!(Disconnect::reason_from_server(reason), from_server, "{reason}");
            assert_eq!(Disconnect::reason_from_client(reason), from_client, "{reason}");
        }
        for reason in (0..=255).filter_map(ReasonCode::from_u8) {
            assert!(DISCONNECT_REASONS.contains(&Disconnect::reason_from_server(reason)));
            assert!(CLIENT_DISCONNECT_REASONS.contains(&Disconnect::reason_from_client(reason)));
        }
    }
}
