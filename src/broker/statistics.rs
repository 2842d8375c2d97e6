//! What the broker counts.

/// Counters since the broker began, and gauges of now. `$SYS` shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Statistics {
    /// Clients connected now.
    pub clients_connected: u64,
    /// Most clients ever connected at a time.
    pub clients_maximum: u64,
    /// Sessions now, connected or not.
    pub sessions: u64,
    /// Subscriptions now.
    pub subscriptions: u64,
    /// Bytes that these take now, about.
    pub subscription_bytes: u64,
    /// Retained messages now.
    pub retained_messages: u64,
    /// Bytes of retained messages now.
    pub retained_bytes: u64,
    /// Bytes of all messages now: retained, waiting, in flight, and wills. Each counts once.
    pub message_bytes: u64,
    /// Messages that wait in queues or are in flight now.
    pub messages_stored: u64,
    /// Messages that are published later, now: delayed ones, and those of nobody connected that the host has yet to review.
    pub messages_delayed: u64,
    /// Messages that wait for the host's review now.
    pub messages_in_review: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Application Messages received from clients.
    pub messages_received: u64,
    /// Application Messages sent to clients.
    pub messages_sent: u64,
    /// Application Messages dropped for one subscriber, because of a limit.
    pub messages_dropped: u64,
    /// Application Messages refused to their publisher.
    pub messages_refused: u64,
    /// Connections refused, or closed for breaking a rule.
    pub connections_refused: u64,
}
