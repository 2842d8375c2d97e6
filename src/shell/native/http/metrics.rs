//! What the broker counts, in the text format of Prometheus.

use super::{Visitor, failure::Failure, query::Query, router::Rooms};
use crate::broker::Statistics;
use axum::{
    extract::{Extension, State},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use std::fmt::Write;

/// `GET /metrics`
pub(super) async fn metrics(
    State(Rooms { site, door }): State<Rooms>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    site.gate.caller(&headers, None, visitor, "metrics").await?;
    Query::parse(&uri, &[], &[])?;
    let counted = door.line().look(|engine| engine.counted()).await?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text(&counted)).into_response())
}

/// What an engine counts.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Counted {
    pub statistics: Statistics,
    pub uptime_seconds: u64,
    pub authentication_failures: u64,
}

fn text(counted: &Counted) -> String {
    let Counted { statistics, uptime_seconds, authentication_failures } = *counted;
    let version = env!("CARGO_PKG_VERSION");
    let mut text =
        format!("# HELP mqlite_info The version.\n# TYPE mqlite_info gauge\nmqlite_info{{version=\"{version}\"}} 1\n");
    for (name, help, value) in [
        ("uptime_seconds", "Seconds since the broker began.", uptime_seconds),
        ("clients_connected", "Clients connected now.", statistics.clients_connected),
        ("clients_maximum", "Most clients ever connected at a time.", statistics.clients_maximum),
        ("sessions", "Sessions now, connected or not.", statistics.sessions),
        ("subscriptions", "Subscriptions now.", statistics.subscriptions),
        ("subscription_bytes", "Bytes that these take now, about.", statistics.subscription_bytes),
        ("retained_messages", "Retained messages now.", statistics.retained_messages),
        ("retained_bytes", "Bytes of retained messages now.", statistics.retained_bytes),
        ("message_bytes", "Bytes of all messages now.", statistics.message_bytes),
        ("messages_stored", "Messages that wait or are in flight now.", statistics.messages_stored),
        ("messages_delayed", "Messages that are to be published later, now.", statistics.messages_delayed),
        ("messages_in_review", "Messages that wait for a review now.", statistics.messages_in_review),
        ("messages_received_total", "Messages received from clients.", statistics.messages_received),
        ("messages_sent_total", "Messages sent to clients.", statistics.messages_sent),
        ("messages_dropped_total", "Messages dropped because of a limit.", statistics.messages_dropped),
        ("messages_refused_total", "Messages refused to their publisher.", statistics.messages_refused),
        ("bytes_received_total", "Bytes received.", statistics.bytes_received),
        ("bytes_sent_total", "Bytes sent.", statistics.bytes_sent),
        (
            "connections_refused_total",
            "Connections refused, or closed for breaking a rule.",
            statistics.connections_refused,
        ),
        ("authentication_failures_total", "Clients that were not who they said they are.", authentication_failures),
    ] {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let name = format!("mqlite_{name}");
        // Writing to a string does not fail.
        _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_figure_of_the_broker_is_told() {
        let told = text(&Counted {
            statistics: Statistics {
                clients_connected: 1_001,
                clients_maximum: 1_002,
                sessions: 1_003,
                subscriptions: 1_004,
                subscription_bytes: 1_005,
                retained_messages: 1_006,
                retained_bytes: 1_007,
                message_bytes: 1_008,
                messages_stored: 1_009,
                messages_delayed: 1_010,
                messages_in_review: 1_011,
                bytes_received: 1_012,
                bytes_sent: 1_013,
                messages_received: 1_014,
                messages_sent: 1_015,
                messages_dropped: 1_016,
                messages_refused: 1_017,
                connections_refused: 1_018,
            },
            uptime_seconds: 0,
            authentication_failures: 0,
        });
        for figure in 1_001..=1_018 {
            assert!(told.contains(&format!(" {figure}\n")), "{figure}\n{told}");
        }
        assert!(told.contains("\nmqlite_messages_in_review 1011\n"), "{told}");
    }

    #[test]
    fn each_figure_is_told_once() {
        let counted = Counted { statistics: Statistics::default(), uptime_seconds: 0, authentication_failures: 0 };
        let text = text(&counted);
        let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{text}");
        assert_eq!(text.lines().count(), 3 * names.len());
    }
}
