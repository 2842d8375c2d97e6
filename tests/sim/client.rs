//! A scripted client: keeps to the rules in its own ways. It acknowledges late, refuses messages with error codes, sends
//! again with DUP, sets aliases, and takes the server's limits to their edge.

use super::trace::{self, Operation};
use bytes::{Bytes, BytesMut};
use mqlite::codec::{
    Ack, Binary, ConnectProperties, Disconnect, Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId, ProtocolVersion,
    Publish, QoS, ReasonCode, RetainHandling, Subscribe, SubscribeFilter, SubscriptionOptions, Text, Unsubscribe,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::{NonZeroU16, NonZeroU32},
};

/// What a client wants of its host, and what it tells the simulation.
#[derive(Default)]
pub struct Outbox {
    pub bytes: BytesMut,
    pub closes: bool,
    /// Payloads of messages that the client's application got: at QoS 2, not retained.
    pub delivered: Vec<Bytes>,
    /// The server has no session: what comes is no repetition.
    pub begins_anew: bool,
}

pub struct Scripted {
    id: Text,
    connect: trace::Connect,
    /// The connection, once the server has accepted it.
    is_online: bool,
    framer: Framer,
    receive_maximum: usize,
    alias_maximum: u16,
    aliases: BTreeMap<u16, Text>,
    aliases_in: BTreeMap<NonZeroU16, Text>,
    last_id: u16,
    /// What was sent and is not acknowledged, in order.
    outgoing: Vec<Outgoing>,
    waiting: VecDeque<(Publish, u16)>,
    asked: BTreeSet<PacketId>,
    /// QoS 2 messages that came and are not released.
    received: BTreeSet<PacketId>,
    /// Acknowledgements owed.
    owed: VecDeque<(QoS, PacketId, ReasonCode)>,
    /// What is to be done once online.
    postponed: Vec<Operation>,
}

struct Outgoing {
    id: PacketId,
    publish: Publish,
    is_released: bool,
    is_due: bool,
    is_counted: bool,
}

impl Scripted {
    pub fn new(client: u64) -> Self {
        Self {
            id: name_of(client),
            connect: trace::Connect::default(),
            is_online: false,
            framer: Framer::new(MAXIMUM_PACKET_SIZE),
            receive_maximum: 0,
            alias_maximum: 0,
            aliases: BTreeMap::new(),
            aliases_in: BTreeMap::new(),
            last_id: 0,
            outgoing: Vec::new(),
            waiting: VecDeque::new(),
            asked: BTreeSet::new(),
            received: BTreeSet::new(),
            owed: VecDeque::new(),
            postponed: Vec::new(),
        }
    }

    /// A connection was opened for this CONNECT; one that was open before is forgotten.
    pub fn connect(&mut self, connect: &trace::Connect, out: &mut Outbox) {
        self.closed();
        self.connect = connect.clone();
        self.framer = Framer::new(MAXIMUM_PACKET_SIZE);
        self.send(&Packet::Connect(Box::new(packet(&self.id, connect))), out);
    }

    pub fn operate(&mut self, operation: &Operation, out: &mut Outbox) {
        let is_kept = |it: &Operation| {
            matches!(it, Operation::Publish { .. } | Operation::Subscribe { .. } | Operation::Unsubscribe { .. })
        };
        if !self.is_online {
            return self.postponed.extend(Some(operation).filter(|it| is_kept(it)).cloned());
        }
        match operation {
            Operation::Publish { alias, .. } => {
                self.waiting.push_back((message(operation, self.version()), *alias));
                self.advance(out);
            }
            Operation::Subscribe { identifier, filters, .. } => {
                let Some(packet_id) = self.next_id() else { return };
                self.asked.insert(packet_id);
                let mut subscribe =
                    Subscribe { packet_id, properties: Default::default(), filters: filters_of(filters) };
                subscribe.properties.subscription_identifier = NonZeroU32::new(*identifier);
                self.send(&Packet::Subscribe(subscribe), out);
            }
            Operation::Unsubscribe { filter, .. } => {
                let Some(packet_id) = self.next_id() else { return };
                self.asked.insert(packet_id);
                let unsubscribe = Unsubscribe { packet_id, user_properties: Vec::new(), filters: vec![text(filter)] };
                self.send(&Packet::Unsubscribe(unsubscribe), out);
            }
            Operation::Acknowledge { .. } => self.acknowledge(out),
            Operation::Ping { .. } => self.send(&Packet::PingReq, out),
            Operation::Disconnect { reason, expiry, .. } => {
                self.send(&Packet::Disconnect(disconnect(*reason, *expiry, &self.connect)), out);
                out.closes = true;
                self.closed();
            }
            _ => {}
        }
    }

    pub fn received(&mut self, bytes: Bytes, out: &mut Outbox) {
        self.framer.push(bytes);
        while let Some(frame) = self.framer.next().expect("the broker's frames were checked") {
            let packet = Packet::decode(frame, self.version()).expect("the broker's packets were checked");
            self.process(packet, out);
        }
        if !self.connect.lazy {
            self.acknowledge(out);
        }
        self.advance(out);
    }

    pub fn closed(&mut self) {
        let is_kept = if self.connect.v5 { self.connect.expiry > 0 } else { !self.connect.clean };
        if self.is_online && !is_kept {
            self.outgoing.clear();
            self.received.clear();
        }
        self.is_online = false;
        self.owed.clear();
        self.asked.clear();
        self.aliases.clear();
        self.aliases_in.clear();
    }

    /// Whether all that it sent was acknowledged.
    pub fn is_idle(&self) -> bool {
        self.outgoing.is_empty() && self.waiting.is_empty() && self.postponed.is_empty() && self.asked.is_empty()
    }

    fn process(&mut self, packet: Packet, out: &mut Outbox) {
        match packet {
            Packet::ConnAck(connack) if connack.reason == ReasonCode::Success => {
                self.is_online = true;
                self.receive_maximum = connack.properties.receive_maximum.map_or(65_535, |it| it.get().into());
                self.alias_maximum = connack.properties.topic_alias_maximum.unwrap_or(0);
                if !connack.session_present {
                    out.begins_anew = true;
                    self.outgoing.clear();
                    self.received.clear();
                }
                self.outgoing.iter_mut().for_each(|it| (it.is_due, it.is_counted) = (true, false));
                for operation in std::mem::take(&mut self.postponed) {
                    self.operate(&operation, out);
                }
            }
            Packet::Publish(publish) => self.published(publish, out),
            Packet::PubAck(ack) => self.outgoing.retain(|it| it.id != ack.packet_id),
            Packet::PubRec(ack) if ack.reason.is_failure() => self.outgoing.retain(|it| it.id != ack.packet_id),
            Packet::PubRec(ack) => {
                if let Some(it) = self.outgoing.iter_mut().find(|it| it.id == ack.packet_id) {
                    it.is_released = true;
                }
                self.send(&Packet::PubRel(ack.packet_id.into()), out);
            }
            Packet::PubComp(ack) => self.outgoing.retain(|it| it.id != ack.packet_id),
            Packet::PubRel(ack) => {
                let is_known = self.received.remove(&ack.packet_id);
                let reason = if is_known { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
                self.send(&Packet::PubComp(Ack { reason, ..ack.packet_id.into() }), out);
            }
            Packet::SubAck(ack) => _ = self.asked.remove(&ack.packet_id),
            Packet::UnsubAck(ack) => _ = self.asked.remove(&ack.packet_id),
            _ => {}
        }
    }

    fn published(&mut self, mut publish: Publish, out: &mut Outbox) {
        if let Some(alias) = publish.properties.topic_alias {
            if publish.topic.is_empty() {
                publish.topic = self.aliases_in[&alias].clone();
            }
            self.aliases_in.insert(alias, publish.topic.clone());
        }
        let Some(packet_id) = publish.packet_id else { return };
        let number = number(&publish.payload);
        let is_refused = self.connect.refuses && self.connect.v5 && number % 4 == 1;
        let reason = if is_refused { ReasonCode::QuotaExceeded } else { ReasonCode::Success };
        if publish.qos == QoS::ExactlyOnce && self.received.insert(packet_id) && !is_refused && !publish.retain {
            out.delivered.push(publish.payload);
        }
        self.owed.push_back((publish.qos, packet_id, reason));
    }

    fn acknowledge(&mut self, out: &mut Outbox) {
        while let Some((qos, packet_id, reason)) = self.owed.pop_front() {
            let ack = Ack { reason, ..packet_id.into() };
            if reason.is_failure() {
                self.received.remove(&packet_id);
            }
            self.send(&if qos == QoS::AtLeastOnce { Packet::PubAck(ack) } else { Packet::PubRec(ack) }, out);
        }
    }

    /// Sends again what is due, then what waits, as far as the server's Receive Maximum goes.
    fn advance(&mut self, out: &mut Outbox) {
        if !self.is_online {
            return;
        }
        for index in 0..self.outgoing.len() {
            let has_room = self.has_room();
            let it = &mut self.outgoing[index];
            let packet = match (it.is_due, it.is_released) {
                (false, _) => continue,
                (true, true) => Packet::PubRel(it.id.into()),
                (true, false) if !has_room => return,
                (true, false) => {
                    it.is_counted = true;
                    Packet::Publish(Publish { dup: true, packet_id: Some(it.id), ..it.publish.clone() })
                }
            };
            it.is_due = false;
            self.send(&packet, out);
        }
        while let Some((publish, _)) = self.waiting.front() {
            if publish.qos > QoS::AtMostOnce && !self.has_room() {
                return;
            }
            let Some((publish, alias)) = self.waiting.pop_front() else { return };
            let mut sent = publish.clone();
            if publish.qos > QoS::AtMostOnce {
                let Some(id) = self.next_id() else { return };
                sent.packet_id = Some(id);
                self.outgoing.push(Outgoing { id, publish, is_released: false, is_due: false, is_counted: true });
            }
            let sent = self.aliased(sent, alias);
            self.send(&Packet::Publish(sent), out);
        }
    }

    fn aliased(&mut self, mut publish: Publish, alias: u16) -> Publish {
        if !self.connect.v5 || alias == 0 || alias > self.alias_maximum {
            return publish;
        }
        publish.properties.topic_alias = NonZeroU16::new(alias);
        match self.aliases.insert(alias, publish.topic.clone()) {
            Some(old) if old == publish.topic => Publish { topic: Text::default(), ..publish },
            _ => publish,
        }
    }

    fn has_room(&self) -> bool {
        self.outgoing.iter().filter(|it| it.is_counted).count() < self.receive_maximum
    }

    /// The next of few identifiers that is free: they are used again soon.
    fn next_id(&mut self) -> Option<PacketId> {
        let is_free = |id: &PacketId| !self.asked.contains(id) && self.outgoing.iter().all(|it| it.id != *id);
        let all = (0..40).map(|step| (self.last_id + step) % 40 + 1);
        let id = all.filter_map(PacketId::new).find(is_free)?;
        self.last_id = id.value();
        Some(id)
    }

    fn version(&self) -> ProtocolVersion {
        if self.connect.v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 }
    }

    fn send(&self, packet: &Packet, out: &mut Outbox) {
        packet.encode(self.version(), &mut out.bytes).expect("small packets");
    }
}

/// The CONNECT that a line of a scenario means.
pub fn packet(client_id: &Text, connect: &trace::Connect) -> mqlite::codec::Connect {
    let mut properties = ConnectProperties::default();
    if connect.v5 {
        properties.session_expiry_interval = Some(connect.expiry);
        properties.receive_maximum = connect.receive_maximum.and_then(NonZeroU16::new);
        properties.maximum_packet_size = connect.maximum_packet_size.and_then(NonZeroU32::new);
        properties.topic_alias_maximum = Some(connect.aliases);
    }
    mqlite::codec::Connect {
        version: if connect.v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 },
        clean_start: connect.clean,
        keep_alive: connect.keep_alive,
        properties,
        client_id: client_id.clone(),
        will: connect.will.as_ref().map(|will| mqlite::codec::Will {
            qos: qos(will.qos),
            retain: will.retain,
            properties: mqlite::codec::WillProperties {
                will_delay_interval: Some(will.delay).filter(|_| connect.v5),
                message_expiry_interval: will.expiry.filter(|_| connect.v5),
                ..Default::default()
            },
            topic: text(&will.topic),
            // No number: a will that is published again is another message.
            payload: Binary::new(format!("will {}", will.number).into()).expect("it is short"),
        }),
        ..Default::default()
    }
}

/// The message that a line of a scenario means.
pub fn message(operation: &Operation, version: ProtocolVersion) -> Publish {
    let (number, topic, level, retain, length, expiry) = match operation {
        Operation::Publish { number, topic, qos, retain, length, expiry, delay, .. } => {
            let topic = delay.map_or(topic.clone(), |delay| format!("$delayed/{delay}/{topic}"));
            (*number, topic, *qos, *retain, *length, *expiry)
        }
        Operation::HostPublish { number, topic, qos, retain, length } => {
            (*number, topic.clone(), *qos, *retain, *length, None)
        }
        other => unreachable!("{other:?} publishes nothing"),
    };
    let payload = payload(number, length);
    let mut publish = Publish { qos: qos(level), retain, topic: text(&topic), payload, ..Publish::default() };
    if version == ProtocolVersion::V5 {
        publish.properties.message_expiry_interval = expiry;
        if number % 3 == 0 {
            publish.properties.user_properties.push((text("number"), text(&number.to_string())));
            publish.properties.response_topic = Some(text("answers"));
        }
    }
    publish
}

pub fn filters_of(filters: &[trace::Filter]) -> Vec<SubscribeFilter> {
    let each = filters.iter().map(|trace::Filter { filter, options }| SubscribeFilter {
        filter: text(filter),
        options: SubscriptionOptions {
            qos: qos(u64::from(options & 3)),
            no_local: options & 4 != 0,
            retain_as_published: options & 8 != 0,
            retain_handling: RetainHandling::from_u8(options >> 4).expect("0 to 2"),
        },
    });
    each.collect()
}

pub fn disconnect(reason: u64, expiry: Option<u32>, connect: &trace::Connect) -> Disconnect {
    let reason = if reason == 0 || !connect.v5 { ReasonCode::Success } else { ReasonCode::DisconnectWithWillMessage };
    let mut disconnect = Disconnect::from(reason);
    // (3.14.2.2.2) not raised from 0
    disconnect.properties.session_expiry_interval = expiry.filter(|_| connect.v5 && connect.expiry > 0);
    disconnect
}

/// The number of a message, by its payload; 0 for an empty one.
pub fn number(payload: &[u8]) -> u64 {
    payload.iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |all, digit| all * 10 + u64::from(digit - b'0'))
}

/// The Client Identifier of a client.
pub fn name_of(client: u64) -> Text {
    text(&format!("c{client}"))
}

pub fn text(text: &str) -> Text {
    Text::try_from(text).expect("it is short")
}

fn payload(number: u64, length: u64) -> Bytes {
    let text = format!("{number:.<width$}", width = length as usize);
    if length == 0 { Bytes::new() } else { text.into() }
}

fn qos(level: u64) -> QoS {
    QoS::from_u8(level as u8).expect("0 to 2")
}
