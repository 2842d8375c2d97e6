//! PUBLISH (3.3).
use super::{Binary, PacketId, QoS, Text, UserProperties};
use alloc::vec::Vec;
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};

/// An Application Message on its way between client and server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// DUP: an earlier attempt may have been made.
    pub dup: bool,
    /// Quality of Service.
    pub qos: QoS,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name; empty only beside a Topic Alias. Whether it is a valid name is for [`crate::topic`] to say.
    pub topic: Text,
    /// Packet Identifier: present exactly when QoS > 0; the encoder writes none at QoS 0. [MQTT-2.2.1-2]
    pub packet_id: Option<PacketId>,
    /// PUBLISH Properties.
    pub properties: PublishProperties,
    /// Payload.
    pub payload: Bytes,
}

/// PUBLISH Properties (3.3.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishProperties {
    /// Payload Format Indicator: true is UTF-8.
    pub payload_format_indicator: Option<bool>,
    /// Message Expiry Interval in seconds; absent is never.
    pub message_expiry_interval: Option<u32>,
    /// Topic Alias, never 0. [MQTT-3.3.2-8]
    pub topic_alias: Option<NonZeroU16>,
    /// Response Topic.
    pub response_topic: Option<Text>,
    /// Correlation Data.
    pub correlation_data: Option<Binary>,
    /// User Properties.
    pub user_properties: UserProperties,
    /// Subscription Identifiers, 1 to 268,435,455; several only from the server.
    pub subscription_identifiers: Vec<NonZeroU32>,
    /// Content Type.
    pub content_type: Option<Text>,
}
