//! What the broker reports to its host. Never a payload, never a secret.

use super::{ConnectionId, TracedPacket};
use crate::{
    codec::{ProtocolVersion, ReasonCode, Text},
    session::Violation,
};
use alloc::boxed::Box;

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")
)]
pub enum Event {
    /// A client was let in.
    Connected {
        /// Its connection.
        connection: ConnectionId,
        /// Who.
        client_id: Text,
        /// The version that it speaks.
        version: ProtocolVersion,
        /// Whether it came back to its session.
        session_present: bool,
    },
    /// A connection ended before its client was let in.
    Refused {
        /// Its connection.
        connection: ConnectionId,
        /// Why.
        refusal: Refusal,
    },
    /// A client's connection ended.
    Disconnected {
        /// Its connection.
        connection: ConnectionId,
        /// Who.
        client_id: Text,
        /// Why: 0x00 and 0x04 by the client's DISCONNECT, 0x80 when the network failed, else what it was told.
        refusal: Refusal,
    },
    /// A message was not accepted: a limit, a missing right, an invalid topic, a rule or a review.
    PublishRefused {
        /// Who published it; the host itself if `None`.
        client_id: Option<Text>,
        /// Its Topic Name.
        topic: Text,
        /// Why: 0x87, 0x90 or 0x97, or what a review says; 0x95, 0x9A or 0x9B to the host alone, since a client is closed for that.
        reason: ReasonCode,
    },
    /// The host did not decide about a message in time, or could not: the fallback counts.
    ReviewFailed {
        /// Who publishes it.
        client_id: Text,
        /// Its Topic Name.
        topic: Text,
    },
    /// A packet of a client that is watched went by.
    Packet(Box<TracedPacket>),
    /// Messages did not reach a session, because a limit of this broker or of the client was met. Once for each session
    /// and limit that an input met.
    Dropped {
        /// Whose.
        client_id: Text,
        /// Which limit.
        why: &'static str,
        /// How many.
        count: u64,
    },
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Refusal {
    /// Reason Code.
    pub reason: ReasonCode,
    /// One sentence for people.
    pub message: &'static str,
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self { reason: violation.reason, message: violation.rule }
    }
}
