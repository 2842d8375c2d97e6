//! DISCONNECT and AUTH (3.14, 3.15).
use super::{Binary, ReasonCode, Text, UserProperties};

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
