//! What can be wrong with bytes, and with a packet that is to become bytes.
use super::{ProtocolVersion, ReasonCode};
use core::fmt;

/// The bytes are not a packet that the standard allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The Reason Code that the standard names for it.
    pub reason: ReasonCode,
    /// One sentence for people: what was wrong.
    pub message: &'static str,
    /// The version that a bad CONNECT named, when it came that far: it decides whether and how to answer. Of an unknown
    /// version the nearest: 3.1.1 below 5.
    pub version: Option<ProtocolVersion>,
}

/// A packet would be longer than [`super::MAXIMUM_PACKET_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketTooLarge;

impl DecodeError {
    pub(super) const fn new(reason: ReasonCode, message: &'static str) -> Self {
        Self { reason, message, version: None }
    }

    /// 0x81: the bytes cannot be parsed.
    pub(crate) const fn malformed(message: &'static str) -> Self {
        Self::new(ReasonCode::MalformedPacket, message)
    }

    /// 0x82: the bytes say what the protocol does not allow.
    pub(super) const fn protocol(message: &'static str) -> Self {
        Self::new(ReasonCode::ProtocolError, message)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.reason, self.message)
    }
}

impl core::error::Error for DecodeError {}

impl fmt::Display for PacketTooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a packet holds at most {} bytes", super::MAXIMUM_PACKET_SIZE)
    }
}

impl core::error::Error for PacketTooLarge {}
