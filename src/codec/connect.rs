//! CONNECT (3.1).
use super::{Binary, QoS, Text, UserProperties};
use core::num::{NonZeroU16, NonZeroU32};

/// The Protocol Level of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ProtocolVersion {
    /// MQTT 3.1.1.
    V3_1_1 = 4,
    /// MQTT 5.0.
    #[default]
    V5 = 5,
}

/// The first packet of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// Protocol Version.
    pub version: ProtocolVersion,
    /// Clean Start; in 3.1.1 Clean Session.
    pub clean_start: bool,
    /// Keep Alive in seconds; 0 switches it off.
    pub keep_alive: u16,
    /// CONNECT Properties.
    pub properties: ConnectProperties,
    /// Client Identifier; empty asks the server for one.
    pub client_id: Text,
    /// Will Message.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password.
    pub password: Option<Binary>,
}

/// CONNECT Properties (3.1.2.11); absent ones are `None` and take the standard's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectProperties {
    /// Session Expiry Interval in seconds; absent is 0, `u32::MAX` is never.
    pub session_expiry_interval: Option<u32>,
    /// Receive Maximum; absent is 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// Maximum Packet Size in bytes; absent is no limit.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// Topic Alias Maximum; absent is 0.
    pub topic_alias_maximum: Option<u16>,
    /// Request Response Information; absent is false.
    pub request_response_information: Option<bool>,
    /// Request Problem Information; absent is true.
    pub request_problem_information: Option<bool>,
    /// User Properties.
    pub user_properties: UserProperties,
    /// Authentication Method.
    pub authentication_method: Option<Text>,
    /// Authentication Data; only beside a method.
    pub authentication_data: Option<Binary>,
}

/// The message that the server publishes when the connection ends badly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Will {
    /// Will QoS.
    pub qos: QoS,
    /// Will Retain.
    pub retain: bool,
    /// Will Properties.
    pub properties: WillProperties,
    /// Will Topic.
    pub topic: Text,
    /// Will Payload.
    pub payload: Binary,
}

/// Will Properties (3.1.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WillProperties {
    /// Will Delay Interval in seconds; absent is 0.
    pub will_delay_interval: Option<u32>,
    /// Payload Format Indicator: true is UTF-8.
    pub payload_format_indicator: Option<bool>,
    /// Message Expiry Interval in seconds; absent is never.
    pub message_expiry_interval: Option<u32>,
    /// Content Type.
    pub content_type: Option<Text>,
    /// Response Topic.
    pub response_topic: Option<Text>,
    /// Correlation Data.
    pub correlation_data: Option<Binary>,
    /// User Properties.
    pub user_properties: UserProperties,
}
