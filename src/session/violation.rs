//! The peer broke a rule of the standard.

use crate::codec::{DecodeError, ReasonCode};

/// What a peer did wrong: the Reason Code to tell it, and one sentence that says which rule it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The Reason Code that the standard names.
    pub reason: ReasonCode,
    /// One sentence for people, with the statement's number where there is one.
    pub rule: &'static str,
}

impl Violation {
    /// A violation of `rule`, answered with `reason`.
    pub const fn new(reason: ReasonCode, rule: &'static str) -> Self {
        Self { reason, rule }
    }

    /// A Protocol Error (0x82).
    pub const fn protocol_error(rule: &'static str) -> Self {
        Self::new(ReasonCode::ProtocolError, rule)
    }
}

impl From<DecodeError> for Violation {
    fn from(error: DecodeError) -> Self {
        Self::new(error.reason, error.message)
    }
}
