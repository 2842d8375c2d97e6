//! What a host can ask for that cannot be done.

use crate::{
    codec::{QoS, ReasonCode},
    topic::InvalidTopic,
};
use core::fmt;

/// The host asked for what breaks a rule of the standard or a limit that the server has set. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The CONNECT contradicts itself: which rule it breaks.
    InvalidConnect(&'static str),
    /// A topic or filter is not valid.
    InvalidTopic(InvalidTopic),
    /// A SUBSCRIBE or UNSUBSCRIBE without a filter. [MQTT-3.8.3-2] [MQTT-3.10.3-2]
    NoFilters,
    /// No Local on a Shared Subscription. [MQTT-3.8.3-4]
    NoLocalOnShared,
    /// A Subscription Identifier above 268,435,455.
    InvalidSubscriptionIdentifier,
    /// The QoS is above the server's Maximum QoS. [MQTT-3.2.2-11]
    QoSNotSupported {
        /// The server's Maximum QoS.
        maximum: QoS,
    },
    /// The server keeps no retained messages. [MQTT-3.2.2-14]
    RetainNotSupported,
    /// The packet is larger than the server accepts. [MQTT-3.2.2-15]
    PacketTooLarge {
        /// Bytes of the packet.
        size: usize,
        /// The server's Maximum Packet Size.
        maximum: usize,
    },
    /// The server has no Wildcard Subscriptions.
    WildcardSubscriptionsNotSupported,
    /// The server has no Shared Subscriptions.
    SharedSubscriptionsNotSupported,
    /// The server has no Subscription Identifiers; 3.1.1 never has.
    SubscriptionIdentifiersNotSupported,
    /// As much waits already as [`super::Options::outbox`] allows, or 65,535 SUBSCRIBEs and UNSUBSCRIBEs.
    QueueFull,
    /// All 65,535 Packet Identifiers are in use.
    PacketIdentifiersExhausted,
}

impl Misuse {
    /// The Reason Code with which a server would have refused it.
    pub(super) const fn reason(&self) -> ReasonCode {
        match self {
            Self::InvalidTopic(_) => ReasonCode::TopicFilterInvalid,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::WildcardSubscriptionsNotSupported => ReasonCode::WildcardSubscriptionsNotSupported,
            Self::SharedSubscriptionsNotSupported => ReasonCode::SharedSubscriptionsNotSupported,
            Self::SubscriptionIdentifiersNotSupported => ReasonCode::SubscriptionIdentifiersNotSupported,
            Self::QueueFull | Self::PacketIdentifiersExhausted => ReasonCode::QuotaExceeded,
            _ => ReasonCode::ImplementationSpecificError,
        }
    }
}

impl From<InvalidTopic> for Misuse {
    fn from(invalid: InvalidTopic) -> Self {
        Self::InvalidTopic(invalid)
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidConnect(rule) => rule,
            Self::InvalidTopic(invalid) => invalid.rule,
            Self::NoFilters => "there is no Topic Filter",
            Self::NoLocalOnShared => "a Shared Subscription cannot be No Local",
            Self::InvalidSubscriptionIdentifier => "a Subscription Identifier is at most 268,435,455",
            Self::QoSNotSupported { maximum } => {
                return write!(formatter, "the server's Maximum QoS is {}", *maximum as u8);
            }
            Self::RetainNotSupported => "the server keeps no retained messages",
            Self::PacketTooLarge { size, maximum } => {
                return write!(formatter, "the packet has {size} bytes, the server's Maximum Packet Size is {maximum}");
            }
            Self::WildcardSubscriptionsNotSupported => "the server has no Wildcard Subscriptions",
            Self::SharedSubscriptionsNotSupported => "the server has no Shared Subscriptions",
            Self::SubscriptionIdentifiersNotSupported => "the server has no Subscription Identifiers",
            Self::QueueFull => "too many requests wait already",
            Self::PacketIdentifiersExhausted => "all Packet Identifiers are in use",
        })
    }
}

impl core::error::Error for Misuse {}
