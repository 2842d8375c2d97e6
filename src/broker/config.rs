//! What a broker allows: every limit finite by default, every limit the host's to choose.

use super::{Grants, PublishRule, ReviewFallback};
use crate::{
    codec::{ProtocolVersion, QoS, Text},
    session::AliasRoom,
    topic::TopicName,
};
use alloc::vec::Vec;

/// The broker's settings. Times are in the unit that their name ends with; sizes are bytes.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default, deny_unknown_fields))]
pub struct Config {
    /// Who is let in. Data says nothing of it: that is code's to decide.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub authentication: Authentication,
    /// Whether Client Identifiers that begin with `$` are for the host's own clients: who wants one is asked about, even where
    /// everybody is let in. Data says nothing of it: only a host that answers can do so.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub asks_about_reserved: bool,
    /// What the host keeps for a broker that comes after this one. Data says nothing of it: a host can or cannot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub durability: Durability,
    /// What is done with messages by their topics; the first rule that matches counts, and without one a message is published.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub rules: Vec<PublishRule>,
    /// How long the host may take to review a message for which a rule asks that.
    pub review_timeout_millis: u64,
    /// What becomes of the message when it takes longer, or cannot decide.
    pub review_fallback: ReviewFallback,
    /// Network Connections at a time; one more is closed at once.
    pub maximum_connections: usize,
    /// Network Connections of one user at a time, where the host finds out who a client is ([`Authentication::Ask`]); one more is
    /// refused with 0x97 (3.1.1: 3). Clients without a User Name are no user.
    pub maximum_connections_per_user: usize,
    /// Sessions, connected or not; one more is refused with 0x97 (3.1.1: 3).
    pub maximum_sessions: usize,
    /// Sessions of one user, counted and refused as `maximum_connections_per_user` are.
    pub maximum_sessions_per_user: usize,
    /// How long a connection may be open without a CONNECT, or wait for a verdict.
    pub connect_timeout_millis: u64,
    /// Largest packet accepted; announced to MQTT 5 clients, 0x95 beyond.
    pub maximum_packet_size: u32,
    /// Bytes that a client may send before it is let in: its CONNECT, and what comes before the verdict. At most
    /// `maximum_packet_size`; closed with 0x95 or 0x97 beyond.
    pub maximum_connect_size: u32,
    /// Messages that one connection may publish a second, on average; a second's worth may come at once. Then reading pauses, and
    /// what comes regardless closes the connection with 0x96. 0 counts as 1.
    pub publish_messages_per_second: u32,
    /// Bytes that one connection may publish a second, likewise: those of its PUBLISH packets.
    pub publish_bytes_per_second: u32,
    /// What one connection may ask for a second, on average: pings, authentications, each filter of SUBSCRIBE and UNSUBSCRIBE,
    /// and small pieces of packets. Ten seconds' worth may come at once; otherwise as `publish_messages_per_second`.
    pub requests_per_second: u32,
    /// QoS 1 and 2 messages that an MQTT 5 client may have unacknowledged; announced, 0x93 beyond. 0 counts as 1.
    pub receive_maximum: u16,
    /// Topic Aliases that a client may set; announced, 0x94 beyond. Their topics may take 128 KiB, 0x97 beyond;
    /// with [`Durability::Connections`] 16 KiB, 4 bytes of them for each alias.
    pub topic_alias_maximum: u16,
    /// Topic Aliases that the broker sets for a client that allows them, at most, and as far as the same room, once more,
    /// goes for their topics.
    pub assigned_topic_aliases: u16,
    /// Highest QoS of messages from clients; announced, 0x9B beyond.
    pub maximum_qos: QoS,
    /// Whether retained messages are kept; announced, 0x9A when not.
    pub retain_available: bool,
    /// Whether filters may hold wildcards; announced, 0xA2 when not.
    pub wildcard_subscription_available: bool,
    /// Whether SUBSCRIBE may carry a Subscription Identifier; announced, 0xA1 when not.
    pub subscription_identifiers_available: bool,
    /// Whether `$share` filters are allowed; announced, 0x9E when not.
    pub shared_subscription_available: bool,
    /// Keep Alive imposed on MQTT 5 clients instead of their own; 0 switches keep-alive off for them.
    pub server_keep_alive_seconds: Option<u16>,
    /// Longest Session Expiry Interval; a client that asks for more is told this. `u32::MAX` is no limit.
    pub maximum_session_expiry_seconds: u32,
    /// Subscriptions of one session; each one more is refused with 0x97.
    pub maximum_subscriptions: usize,
    /// Bytes that the subscriptions of all sessions take in memory, about; each one beyond is refused with 0x97.
    pub maximum_subscription_bytes: usize,
    /// Levels of a Topic Name or Topic Filter, at most 256; more is refused with 0x90 or 0x8F.
    pub maximum_topic_levels: usize,
    /// QoS 1 and 2 messages in flight to one client, if its Receive Maximum allows as many. With [`Durability::Connections`]
    /// each acknowledgement of what a client came back to writes 2 to 4 bytes again for each such message that is left.
    pub maximum_in_flight: u16,
    /// Messages that wait for one session; one more is dropped and counted.
    pub maximum_queued_messages: usize,
    /// Bytes of messages that wait for one session; a message beyond is dropped and counted.
    pub maximum_queued_bytes: usize,
    /// Bytes handed to the host for one connection and not yet written: beyond it QoS 0 is dropped and counted, QoS 1 and 2
    /// wait in the queue, and a client that lets answers alone grow to four times as much is closed with 0x97.
    pub send_buffer: usize,
    /// Retained messages; a new topic beyond is refused with 0x97.
    pub maximum_retained_messages: usize,
    /// Bytes of retained messages; a message beyond is refused with 0x97.
    pub maximum_retained_bytes: usize,
    /// Bytes of all messages that are retained, wait, are in flight, delayed or in review, or are a will. Beyond it QoS 1 and 2, new wills and new
    /// retained messages are refused with 0x97, and QoS 0 reaches only those who can take it at once.
    ///
    /// Like all bytes of messages here they are about what the message takes in memory: several hundred more than its
    /// topic, payload and properties have. However many sessions a message waits for, it counts once.
    pub maximum_message_bytes: usize,
    /// Messages to `$delayed/SECONDS/topic` that are not due yet, with messages of no connection that wait for a review; one
    /// more is refused with 0x97. Their bytes are part of `maximum_message_bytes`, and so are those of wills that wait for a
    /// review, of which that alone is the limit.
    pub maximum_delayed_messages: usize,
    /// How many of these may be one user's or, of clients that are no user's and where the host does not find out who a
    /// client is ([`Authentication::Ask`]), one Client Identifier's; one more is refused with 0x97. What the host publishes
    /// on nobody's behalf has no limit but the one before.
    pub maximum_delayed_messages_per_user: usize,
    /// The most seconds by which such a message may be delayed; more is refused with 0x90.
    pub maximum_delay_seconds: u32,
    /// Values that the host keeps with [`super::Input::Keep`]; one more is refused.
    pub maximum_kept_records: usize,
    /// Bytes of these values and their names, and about 200 for each; what goes beyond is refused.
    pub maximum_kept_bytes: usize,
    /// How often `$SYS` topics are published while anybody subscribes to them; 0 never.
    pub sys_interval_seconds: u32,
    /// Response Information for clients that request it: the prefix of the topics they should use for responses.
    pub response_information: Option<Text>,
}

/// What the host keeps for [`super::Broker::restore`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Nothing.
    #[default]
    None,
    /// Retained and delayed messages, the sessions that outlive their connections, wills, and what the host keeps:
    /// [`super::Action::Put`] and [`super::Action::Delete`].
    Sessions,
    /// Connections too, which may outlive the broker: [`super::Action::Remember`]. A session that ends with its connection
    /// is stored as well from its first message of QoS 1 or 2 on.
    Connections,
}

/// Who is let in.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// Everybody, with these grants.
    Open(Grants),
    /// Whom the host allows: each CONNECT becomes [`super::Action::Authenticate`].
    Ask,
}

impl Config {
    /// How many QoS 1 and 2 messages a client of `version` may have unacknowledged.
    pub(super) fn receive_maximum_for(&self, version: ProtocolVersion) -> u16 {
        match version {
            ProtocolVersion::V5 => self.receive_maximum.max(1),
            // 3.1.1 has no way to announce a limit, and 65,535 identifiers.
            ProtocolVersion::V3_1_1 => u16::MAX,
        }
    }

    /// What a connection takes along, it writes again with each alias.
    pub(super) fn alias_room(&self) -> AliasRoom {
        match self.durability {
            Durability::Connections => AliasRoom::STORED,
            Durability::None | Durability::Sessions => AliasRoom::MEMORY,
        }
    }

    pub(super) fn connect_size(&self) -> u32 {
        self.maximum_connect_size.min(self.maximum_packet_size)
    }

    /// Whether a Topic Name or Topic Filter has more levels than are allowed.
    pub(super) fn forbids_levels(&self, count: usize) -> bool {
        count > self.most_levels()
    }

    /// The same for a topic: what is shorter than it may have levels need not be counted.
    pub(super) fn forbids_levels_of(&self, topic: &TopicName) -> bool {
        topic.text().len() >= self.most_levels() && self.forbids_levels(topic.level_count())
    }

    /// The trees recurse once a level.
    fn most_levels(&self) -> usize {
        self.maximum_topic_levels.min(256)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            authentication: Authentication::Open(Grants::all()),
            asks_about_reserved: false,
            durability: Durability::None,
            rules: Vec::new(),
            review_timeout_millis: 5_000,
            review_fallback: ReviewFallback::Refuse,
            maximum_connections: 10_000,
            maximum_connections_per_user: 2_000,
            maximum_sessions_per_user: 4_000,
            maximum_sessions: 20_000,
            connect_timeout_millis: 10_000,
            maximum_packet_size: 1 << 20,
            maximum_connect_size: 128 << 10,
            publish_messages_per_second: 100_000,
            publish_bytes_per_second: 128 << 20,
            requests_per_second: 1_000,
            receive_maximum: 256,
            topic_alias_maximum: 64,
            assigned_topic_aliases: 64,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifiers_available: true,
            shared_subscription_available: true,
            server_keep_alive_seconds: None,
            maximum_session_expiry_seconds: 7 * 24 * 3_600,
            maximum_subscriptions: 1_000,
            maximum_subscription_bytes: 64 << 20,
            maximum_topic_levels: 128,
            maximum_in_flight: 256,
            maximum_queued_messages: 1_000,
            maximum_queued_bytes: 8 << 20,
            send_buffer: 1 << 20,
            maximum_retained_messages: 100_000,
            maximum_retained_bytes: 64 << 20,
            maximum_message_bytes: 256 << 20,
            maximum_delayed_messages: 10_000,
            maximum_delayed_messages_per_user: 1_000,
            maximum_delay_seconds: 7 * 24 * 3_600,
            maximum_kept_records: 10_000,
            maximum_kept_bytes: 16 << 20,
            sys_interval_seconds: 10,
            response_information: None,
        }
    }
}
