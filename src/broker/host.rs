//! What the host does itself, on its own behalf or on somebody's: publish, close a client's connection, look at clients.

use super::{
    Action, Broker, Grants, Refusal,
    authenticate::failure,
    connection::{Ending, Stage},
    delay::Publisher,
    grants::Rights,
    session::{Session, SessionId},
};
use crate::{
    codec::{Disconnect, DisconnectProperties, Packet, ProtocolVersion, Publish, ReasonCode, Text},
    time::Timestamp,
    topic::TopicName,
};
use alloc::vec::Vec;
use core::ops::Bound;

/// Somebody who acts through the host without a connection, as over HTTP. Its Grants count as those of a client do; `%c`
/// stands for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Who it is, as the host has found out: `%u`.
    pub user_name: Option<Text>,
    /// What it may do.
    pub grants: Grants,
}

/// A part of a list, in the order of the bytes of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The part; it may be empty although more follows.
    pub items: Vec<T>,
    /// What to say as `after` to go on, unless this was the end.
    pub next: Option<Text>,
}

/// A client that is connected, or has a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDetails {
    /// Client Identifier.
    pub client_id: Text,
    /// Whose session it is.
    pub user_name: Option<Text>,
    /// Whether it has a Network Connection; the next three are of that.
    pub connected: bool,
    /// The version that it speaks.
    pub protocol_version: Option<ProtocolVersion>,
    /// When it was let in.
    pub connected_at: Option<Timestamp>,
    /// Keep Alive in seconds; 0 is none.
    pub keep_alive: Option<u16>,
    /// Session Expiry Interval in seconds; `u32::MAX` is never.
    pub session_expiry_interval: u32,
    /// How many subscriptions it has.
    pub subscriptions: usize,
    /// How many messages wait for it.
    pub queued: usize,
    /// How many messages of QoS 1 and 2 are on their way to it.
    pub in_flight: usize,
}

impl Caller {
    pub(super) fn rights(&self) -> Rights {
        Rights::new(&self.grants, &Text::default(), self.user_name.as_ref())
    }
}

impl Broker {
    /// The clients whose identifiers come after this one: at most `limit`, and never more than 1,000.
    pub fn clients(&self, after: Option<&Text>, limit: usize) -> Page<ClientDetails> {
        let limit = page_size(limit);
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = self.by_client_id.range::<Text, _>((after, Bound::Unbounded));
        let details = |(_, id): (&Text, &SessionId)| Some(self.details(self.sessions.get(id)?));
        let items: Vec<_> = found.by_ref().take(limit).filter_map(details).collect();
        let next = found.next().and(items.last()).map(|last| last.client_id.clone());
        Page { items, next }
    }

    /// The client with this identifier.
    pub fn client(&self, client_id: &Text) -> Option<ClientDetails> {
        Some(self.details(self.sessions.get(self.by_client_id.get(client_id)?)?))
    }

    /// The host publishes. [`Action::Published`] tells the outcome.
    pub(super) fn publish_from_host(&mut self, mut publish: Publish, caller: Option<&Caller>) {
        publish.properties.topic_alias = None;
        publish.properties.subscription_identifiers = Vec::new();
        let name = publish.topic.clone();
        let reason = match self.take_from_host(publish, caller) {
            Ok(true) => ReasonCode::Success,
            Ok(false) => ReasonCode::NoMatchingSubscribers,
            Err(reason) => {
                self.refuse_message(None, name, reason);
                reason
            }
        };
        self.actions.push_back(Action::Published { reason });
    }

    fn take_from_host(&mut self, publish: Publish, caller: Option<&Caller>) -> Result<bool, ReasonCode> {
        let config = &self.config;
        let topic = TopicName::parse(publish.topic.clone()).map_err(|_| ReasonCode::TopicNameInvalid)?;
        // [MQTT-3.3.2-14]
        let response_topic = publish.properties.response_topic.clone().map(TopicName::parse).transpose();
        if caller.is_some_and(|caller| !caller.rights().may_publish(&topic, publish.qos, publish.retain)) {
            return Err(ReasonCode::NotAuthorized);
        }
        let (seconds, meant) = self.delay_of(topic.clone()).ok_or(ReasonCode::TopicNameInvalid)?;
        if response_topic.is_err() || config.forbids_levels(meant.level_count()) {
            return Err(ReasonCode::TopicNameInvalid);
        }
        if publish.qos > config.maximum_qos {
            return Err(ReasonCode::QoSNotSupported);
        }
        if publish.retain && !config.retain_available {
            return Err(ReasonCode::RetainNotSupported);
        }
        if Packet::Publish(publish.clone()).size(ProtocolVersion::V5) > config.maximum_packet_size as usize {
            return Err(ReasonCode::PacketTooLarge);
        }
        match caller {
            Some(caller) => {
                let publisher = Publisher { client_id: Text::default(), user_name: caller.user_name.clone() };
                self.publish_by_rules(topic, publish, &publisher, None)
            }
            None => {
                let publish = Publish { topic: meant.text().clone(), ..publish };
                self.take_or_delay(meant, publish, seconds, &Publisher::default(), None)
            }
        }
    }

    /// The host closes a client's connection, or ends its session, or both.
    pub(super) fn disconnect_client(&mut self, client_id: &Text, reason: ReasonCode, end_session: bool) {
        let Some(id) = self.by_client_id.get(client_id).copied() else { return };
        self.abandon(id);
        if let Some(connection) = self.sessions.get(&id).and_then(|session| session.connection) {
            let reason = Disconnect::reason_from_server(failure(reason));
            self.tell(connection, reason, DisconnectProperties::default());
            let refusal = Refusal { reason, message: "the host closed the connection" };
            self.end_connection_and_close(connection, refusal, Ending::Failed);
        }
        if end_session {
            self.end_session(id);
        }
    }

    fn details(&self, session: &Session) -> ClientDetails {
        let connection = session.connection.and_then(|id| self.connections.get(&id));
        let link = connection.and_then(|connection| match &connection.stage {
            Stage::Open(link) => Some(link),
            _ => None,
        });
        ClientDetails {
            client_id: session.client_id.clone(),
            user_name: session.user_name.clone(),
            connected: connection.is_some(),
            protocol_version: connection.map(|connection| connection.version),
            connected_at: link.map(|link| link.connected_at),
            keep_alive: link.map(|link| link.keep_alive.seconds()),
            session_expiry_interval: session.expiry_interval,
            subscriptions: session.subscriptions.len(),
            queued: session.queue.len(),
            in_flight: session.outbound.len(),
        }
    }
}

/// How many items a page has that was asked for with this limit.
pub(super) fn page_size(limit: usize) -> usize {
    limit.clamp(1, MOST_ITEMS)
}

const MOST_ITEMS: usize = 1_000;
