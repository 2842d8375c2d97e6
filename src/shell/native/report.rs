//! What the broker reports, as lines of the log. Text of a client is quoted and escaped: it cannot forge a line.
//! What a client can cause many times over a connection is shown at level debug only.

use super::{access::Address, peer::Peers};
use crate::{
    broker::{Event, Refusal},
    codec::{ProtocolVersion, ReasonCode},
};
use tracing::{debug, field, info};

/// Logs an event. `why` replaces the broker's guess about a connection that the host saw end.
pub(super) fn event(event: &Event, peers: &Peers, why: Option<&str>) {
    let from = |connection| peers.get(connection).map(|peer| field::display(peer.address));
    match event {
        Event::Connected { connection, client_id, version, session_present } => {
            let mqtt = if *version == ProtocolVersion::V5 { "5.0" } else { "3.1.1" };
            let session = if *session_present { "resumed" } else { "new" };
            info!(client = ?client_id, from = from(connection), %mqtt, %session, "connected");
        }
        Event::Refused { connection, refusal } => {
            let (why, reason) = explain(refusal, why);
            info!(from = from(connection), reason, "refused: {why}");
        }
        Event::Disconnected { connection, client_id, refusal } => {
            let (why, reason) = explain(refusal, why);
            info!(client = ?client_id, from = from(connection), reason, "disconnected: {why}");
        }
        Event::PublishRefused { client_id, topic, reason } => {
            debug!(client = client_id.as_ref().map(field::debug), ?topic, %reason, "publish refused");
        }
        Event::ReviewFailed { client_id, topic } => debug!(client = ?client_id, ?topic, "not reviewed"),
        Event::Packet(traced) => {
            debug!(client = ?traced.client_id, packet = traced.packet, bytes = traced.bytes, "{:?}", traced.direction);
        }
        Event::Dropped { client_id, why, count } => debug!(client = ?client_id, count, "messages dropped: {why}"),
    }
}

/// The sentence, and the Reason Code if it says more.
fn explain<'a>(refusal: &'a Refusal, why: Option<&'a str>) -> (&'a str, Option<field::DisplayValue<ReasonCode>>) {
    match why {
        Some(why) => (why, None),
        None => (refusal.message, Some(field::display(refusal.reason))),
    }
}

/// Logs that the broker closes a connection.
pub(super) fn closing(from: Address, reason: ReasonCode) {
    debug!(%from, %reason, "closing");
}
