//! CONNACK (3.2).
use super::{Binary, QoS, ReasonCode, Text, UserProperties};
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
