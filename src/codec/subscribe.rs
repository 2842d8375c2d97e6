//! SUBSCRIBE and SUBACK (3.8, 3.9).
use super::{AckProperties, PacketId, QoS, ReasonCode, Text, UserProperties};
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
