//! The data types of section 1.5: strings, binary data, integers, and the two identifiers made of them.
use alloc::string::String;
use bytes::Bytes;
use core::num::NonZeroU16;

/// A UTF-8 Encoded String: well formed, without U+0000, at most 65,535 bytes. [MQTT-1.5.4-1] [MQTT-1.5.4-2]
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Bytes);

/// Binary Data: at most 65,535 bytes.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Binary(Bytes);

/// The value is longer than 65,535 bytes, or is no valid UTF-8 Encoded String.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// A Packet Identifier, never 0. [MQTT-2.2.1-3]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(NonZeroU16);

/// How hard the sender tries to deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// At most once delivery.
    #[default]
    AtMostOnce = 0,
    /// At least once delivery.
    AtLeastOnce = 1,
    /// Exactly once delivery.
    ExactlyOnce = 2,
}
