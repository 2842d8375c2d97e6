//! Watching single clients, on demand and for a time: each packet is told to the host, without its payload or secrets.

use super::{Action, Broker, ConnectionId, Event, connection::Stage, message::Delivery};
use crate::{
    codec::{Packet, PacketId, QoS, ReasonCode, Text},
    time::Timestamp,
};
use alloc::{boxed::Box, collections::BTreeMap};

/// A packet of a client that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct TracedPacket {
    /// Its connection.
    pub connection: ConnectionId,
    /// Who; before the CONNACK, who it says that it is.
    pub client_id: Text,
    /// Who sent it.
    pub direction: Direction,
    /// Its type in the standard's spelling, such as `PUBLISH`.
    pub packet: &'static str,
    /// Packet Identifier.
    pub packet_id: Option<u16>,
    /// Of a PUBLISH, also where an alias stands for it.
    pub topic: Option<Text>,
    /// Of a PUBLISH.
    pub qos: Option<QoS>,
    /// Of a PUBLISH.
    pub retain: Option<bool>,
    /// Of a PUBLISH.
    pub dup: Option<bool>,
    /// Where the packet has one, and no more than one.
    pub reason_code: Option<ReasonCode>,
    /// The length of the whole packet.
    pub bytes: usize,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub enum Direction {
    /// From the client.
    Received,
    /// To the client.
    Sent,
}

/// Who is watched, and until when.
#[derive(Debug, Default)]
pub(super) struct Watched(BTreeMap<Text, Timestamp>);

impl Watched {
    fn is_watched(&self, client_id: &Text, now: Timestamp) -> bool {
        self.0.get(client_id).is_some_and(|until| *until > now)
    }
}

impl Broker {
    /// Watches a client from now on, or no longer. One more than may be watched takes the place of the one whose time ends first.
    pub(super) fn watch(&mut self, client_id: &Text, until: Timestamp) {
        let now = self.now;
        self.watched.0.retain(|other, until| other != client_id && *until > now);
        if until <= now {
            return;
        }
        if self.watched.0.len() >= MOST_WATCHED
            && let Some(first) = self.watched.0.iter().min_by_key(|(_, until)| **until).map(|(first, _)| first.clone())
        {
            self.watched.0.remove(&first);
        }
        self.watched.0.insert(client_id.detached(), until);
    }

    /// A packet came. Called before anything comes of it.
    pub(super) fn trace_received(&mut self, id: ConnectionId, packet: &Packet, bytes: usize) {
        if self.watched.0.is_empty() {
            return;
        }
        if let (Packet::Connect(connect), Some(connection)) = (packet, self.connections.get_mut(&id)) {
            connection.says_it_is = Some(connect.client_id.detached());
        }
        let Some(mut traced) = self.traced(id, Direction::Received, packet, bytes) else { return };
        if let Packet::Publish(publish) = packet
            && publish.topic.is_empty()
            && let (Some(alias), Some(link)) = (publish.properties.topic_alias, self.link_mut(id))
        {
            traced.topic = link.aliases.topic(alias).cloned();
        }
        self.actions.push_back(Action::Report(Event::Packet(Box::new(traced))));
    }

    /// A packet other than PUBLISH was sent.
    pub(super) fn trace_sent(&mut self, id: ConnectionId, packet: &Packet, bytes: usize) {
        if !self.watched.0.is_empty()
            && let Some(traced) = self.traced(id, Direction::Sent, packet, bytes)
        {
            self.actions.push_back(Action::Report(Event::Packet(Box::new(traced))));
        }
    }

    /// A message was sent.
    pub(super) fn trace_delivery(
        &mut self,
        id: ConnectionId,
        delivery: &Delivery,
        exchange: Option<(PacketId, bool)>,
        bytes: usize,
    ) {
        if self.watched.0.is_empty() {
            return;
        }
        let Some(client_id) = self.watched_client(id) else { return };
        let traced = TracedPacket {
            connection: id,
            client_id,
            direction: Direction::Sent,
            packet: "PUBLISH",
            packet_id: exchange.map(|(packet_id, _)| packet_id.value()),
            topic: Some(delivery.message.topic.text().clone()),
            qos: Some(delivery.qos),
            retain: Some(delivery.retain),
            dup: Some(exchange.is_some_and(|(_, dup)| dup)),
            reason_code: None,
            bytes,
        };
        self.actions.push_back(Action::Report(Event::Packet(Box::new(traced))));
    }

    fn traced(&self, id: ConnectionId, direction: Direction, packet: &Packet, bytes: usize) -> Option<TracedPacket> {
        let client_id = self.watched_client(id)?;
        let (name, packet_id, reason_code) = match packet {
            Packet::Connect(_) => ("CONNECT", None, None),
            Packet::ConnAck(connack) => ("CONNACK", None, Some(connack.reason)),
            Packet::Publish(publish) => ("PUBLISH", publish.packet_id, None),
            Packet::PubAck(ack) => ("PUBACK", Some(ack.packet_id), Some(ack.reason)),
            Packet::PubRec(ack) => ("PUBREC", Some(ack.packet_id), Some(ack.reason)),
            Packet::PubRel(ack) => ("PUBREL", Some(ack.packet_id), Some(ack.reason)),
            Packet::PubComp(ack) => ("PUBCOMP", Some(ack.packet_id), Some(ack.reason)),
            Packet::Subscribe(subscribe) => ("SUBSCRIBE", Some(subscribe.packet_id), None),
            Packet::SubAck(ack) => ("SUBACK", Some(ack.packet_id), only(&ack.reasons)),
            Packet::Unsubscribe(unsubscribe) => ("UNSUBSCRIBE", Some(unsubscribe.packet_id), None),
            Packet::UnsubAck(ack) => ("UNSUBACK", Some(ack.packet_id), only(&ack.reasons)),
            Packet::PingReq => ("PINGREQ", None, None),
            Packet::PingResp => ("PINGRESP", None, None),
            Packet::Disconnect(disconnect) => ("DISCONNECT", None, Some(disconnect.reason)),
            Packet::Auth(auth) => ("AUTH", None, Some(auth.reason)),
        };
        let publish = if let Packet::Publish(publish) = packet { Some(publish) } else { None };
        Some(TracedPacket {
            connection: id,
            client_id,
            direction,
            packet: name,
            packet_id: packet_id.map(PacketId::value),
            topic: publish.map(|publish| publish.topic.clone()),
            qos: publish.map(|publish| publish.qos),
            retain: publish.map(|publish| publish.retain),
            dup: publish.map(|publish| publish.dup),
            reason_code,
            bytes,
        })
    }

    /// The client of a connection, if it is watched.
    fn watched_client(&self, id: ConnectionId) -> Option<Text> {
        let connection = self.connections.get(&id)?;
        let client_id = match &connection.stage {
            Stage::Open(link) => &self.sessions.get(&link.session)?.client_id,
            Stage::New | Stage::Authenticating(_) => connection.says_it_is.as_ref()?,
        };
        self.watched.is_watched(client_id, self.now).then(|| client_id.clone())
    }
}

fn only(reasons: &[ReasonCode]) -> Option<ReasonCode> {
    if let [reason] = reasons { Some(*reason) } else { None }
}

const MOST_WATCHED: usize = 64;
