//! What can be wrong with bytes, and with a packet that is to become bytes.
use super::{ProtocolVersion, ReasonCode};

/// The bytes are not a packet that the standard allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The Reason Code that the standard names for it.
    pub reason: ReasonCode,
    /// One sentence for people: what was wrong.
    pub message: &'static str,
    /// The version that a bad CONNECT named, when it came that far: it decides whether and how to answer.
    pub version: Option<ProtocolVersion>,
}

/// A packet would be longer than [`super::MAXIMUM_PACKET_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketTooLarge;
