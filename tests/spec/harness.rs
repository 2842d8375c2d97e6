//! Scripts that read as an MQTT trace: who sends what, who hears what, at which time. They run on any host.

use crate::host::{self, Host, Output};
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{
        AuthenticationRequest, Broker, Caller, Config, ConnectionId, Decision, Event, Input, ReviewId, ReviewRequest,
        Statistics, Verdict,
    },
    codec::{
        Ack, Binary, ConnAck, Connect, ConnectProperties, Disconnect, DisconnectProperties, Framer,
        MAXIMUM_PACKET_SIZE, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, QoS, ReasonCode,
        RetainHandling, SubAck, Subscribe, SubscribeFilter, SubscribeProperties, SubscriptionOptions, Text, UnsubAck,
        Unsubscribe, Will,
    },
    time::Timestamp,
};
use std::collections::{BTreeMap, VecDeque};

pub use ProtocolVersion::{V3_1_1, V5};
pub use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// Runs a script for both versions.
pub fn both(script: impl Fn(ProtocolVersion)) {
    script(V3_1_1);
    script(V5);
}

/// A broker, its clock, and the clients that talk to it by name.
pub struct Trace {
    host: Box<dyn Host>,
    now: Timestamp,
    version: ProtocolVersion,
    peers: BTreeMap<&'static str, Peer>,
    last_connection: u64,
    events: Vec<Event>,
    questions: VecDeque<(ConnectionId, AuthenticationRequest)>,
}

struct Peer {
    connection: ConnectionId,
    version: ProtocolVersion,
    framer: Framer,
    heard: VecDeque<Packet>,
    end: Option<End>,
}

/// The broker closed the connection; why, only some hosts know.
#[derive(Debug)]
struct End {
    reason: Option<ReasonCode>,
}

impl Trace {
    /// A broker with the default configuration for clients of `version`.
    pub fn new(version: ProtocolVersion) -> Self {
        Self::with(version, Config::default())
    }

    pub fn with(version: ProtocolVersion, config: Config) -> Self {
        Self {
            host: host::start(config),
            now: Timestamp(1_000_000),
            version,
            peers: BTreeMap::new(),
            last_connection: 0,
            events: Vec::new(),
            questions: VecDeque::new(),
        }
    }

    /// Opens a Network Connection for `name`; its old one, if any, is left as it is.
    pub fn open(&mut self, name: &'static str) {
        self.open_as(name, self.version);
    }

    pub fn open_as(&mut self, name: &'static str, version: ProtocolVersion) {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        let framer = Framer::new(MAXIMUM_PACKET_SIZE);
        self.peers.insert(name, Peer { connection, version, framer, heard: VecDeque::new(), end: None });
        self.input(Input::Opened { connection });
    }

    /// `name` connects with Clean Start and hears a success.
    pub fn connect(&mut self, name: &'static str) {
        let present = self.connect_with(name, connect(name));
        assert!(!present, "{name}: a clean start has no session");
    }

    /// `name` connects to a session that outlives the connection by an hour (3.1.1: for good); tells Session Present.
    pub fn resume(&mut self, name: &'static str) -> bool {
        let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
        self.connect_with(name, Connect { clean_start: false, properties, ..connect(name) })
    }

    /// Sends this CONNECT and expects a success; tells Session Present.
    pub fn connect_with(&mut self, name: &'static str, connect: Connect) -> bool {
        self.open(name);
        self.send(name, Packet::Connect(Box::new(connect)));
        let connack = self.hear_connack(name);
        assert_eq!(connack.reason, ReasonCode::Success, "{name}");
        connack.session_present
    }

    /// `name` subscribes and hears that each filter was granted as asked.
    pub fn subscribe(&mut self, name: &'static str, filter: &str, qos: QoS) {
        self.send(name, subscribe(9, &[(filter, qos)]));
        let reason = [ReasonCode::Success, ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS2][qos as usize];
        self.expect(name, suback(9, &[reason]));
    }

    /// `name` sends a packet.
    pub fn send(&mut self, name: &'static str, mut packet: Packet) {
        let version = self.peers[name].version;
        if let Packet::Connect(connect) = &mut packet {
            connect.version = version;
        }
        let mut bytes = BytesMut::new();
        packet.encode(version, &mut bytes).unwrap();
        self.send_bytes(name, bytes.freeze());
    }

    pub fn send_bytes(&mut self, name: &'static str, bytes: impl Into<Bytes>) {
        let connection = self.connection(name);
        self.input(Input::Received { connection, bytes: bytes.into() });
    }

    /// The network of `name` fails.
    pub fn cut(&mut self, name: &'static str) {
        let connection = self.connection(name);
        self.input(Input::Closed { connection });
    }

    /// `name` sends DISCONNECT 0x00.
    pub fn leave(&mut self, name: &'static str) {
        self.send(name, disconnect(ReasonCode::Success));
        self.expect_closed(name, ReasonCode::Success);
    }

    /// Lets time pass, as a host does: the broker is called at each of its deadlines.
    pub fn wait_secs(&mut self, seconds: u64) {
        let until = self.now.plus_secs(seconds);
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= until) {
            self.now = deadline;
            self.input(Input::Timeout);
        }
        self.now = until;
    }

    /// Lets the broker go on with what it has put off, as a host does at once.
    pub fn catch_up(&mut self) {
        self.host.catch_up(self.now);
    }

    /// What the host is asked: the oldest question.
    pub fn question(&mut self) -> &AuthenticationRequest {
        self.settle();
        &self.questions.front().expect("a question").1
    }

    /// The host answers the oldest question.
    pub fn answer(&mut self, verdict: Verdict) {
        self.settle();
        let (connection, _) = self.questions.pop_front().expect("a question");
        self.input(Input::Authenticated { connection, verdict });
    }

    /// The host publishes.
    pub fn publish(&mut self, publish: Publish) {
        self.input(Input::Publish { publish, caller: None });
    }

    /// The host publishes on behalf of somebody.
    pub fn publish_for(&mut self, user_name: &str, publish: Publish) {
        let caller = Caller { user_name: Some(text(user_name)), ..Default::default() };
        self.input(Input::Publish { publish, caller: Some(Box::new(caller)) });
    }

    /// The host closes the connection of `client_id`, and ends its session if it says so.
    pub fn disconnect(&mut self, client_id: &str, reason: ReasonCode, end_session: bool) {
        self.input(Input::Disconnect { client_id: text(client_id), reason, end_session });
    }

    /// The host has moved.
    pub fn move_to(&mut self, server: &str, permanent: bool) {
        self.input(Input::Moved { server: text(server), permanent });
    }

    /// The host is about to end.
    pub fn shut_down(&mut self) {
        self.input(Input::ShutDown);
    }

    /// The next packet that `name` heard.
    pub fn hear(&mut self, name: &'static str) -> Packet {
        let peer = self.peer(name);
        peer.heard.pop_front().unwrap_or_else(|| panic!("{name} heard nothing ({:?})", peer.end))
    }

    /// Topic and payload of each PUBLISH that `name` heard.
    pub fn peer_publishes(&mut self, name: &'static str) -> Vec<(String, String)> {
        let heard = self.peer(name).heard.iter().filter_map(|packet| match packet {
            Packet::Publish(publish) => {
                Some((publish.topic.to_string(), String::from_utf8_lossy(&publish.payload).into()))
            }
            _ => None,
        });
        heard.collect()
    }

    /// `name` acknowledges every PUBLISH that it heard, and forgets it.
    pub fn acknowledge_all(&mut self, name: &'static str) {
        for packet in std::mem::take(&mut self.peer(name).heard) {
            if let Packet::Publish(Publish { packet_id: Some(packet_id), qos, .. }) = packet {
                let ack = packet_id.into();
                self.send(name, if qos == AtLeastOnce { Packet::PubAck(ack) } else { Packet::PubRec(ack) });
                if qos == ExactlyOnce {
                    self.send(name, Packet::PubComp(packet_id.into()));
                    self.count(name);
                }
            }
        }
    }

    pub fn is_open(&mut self, name: &'static str) -> bool {
        self.peer(name).end.is_none()
    }

    /// How many packets `name` heard.
    pub fn count(&mut self, name: &'static str) -> usize {
        self.peer(name).heard.drain(..).count()
    }

    #[track_caller]
    pub fn hear_connack(&mut self, name: &'static str) -> ConnAck {
        match self.hear(name) {
            Packet::ConnAck(connack) => *connack,
            other => panic!("{name} expected CONNACK, heard {other:?}"),
        }
    }

    pub fn hear_publish(&mut self, name: &'static str) -> Publish {
        match self.hear(name) {
            Packet::Publish(publish) => publish,
            other => panic!("{name} expected PUBLISH, heard {other:?}"),
        }
    }

    /// The next packet that `name` heard is this one.
    #[track_caller]
    pub fn expect(&mut self, name: &'static str, packet: Packet) {
        let version = self.peers[name].version;
        let mut bytes = BytesMut::new();
        packet.encode(version, &mut bytes).unwrap();
        let expected = Packet::decode(bytes.freeze(), version).unwrap();
        assert_eq!(self.hear(name), expected, "{name}, {version:?}");
    }

    #[track_caller]
    pub fn expect_nothing(&mut self, name: &'static str) {
        let peer = self.peer(name);
        assert!(peer.heard.is_empty(), "{name} expected nothing, heard {:?}", peer.heard);
        assert!(peer.end.is_none(), "{name} was closed: {:?}", peer.end);
    }

    /// `name` was closed, with `reason` where that can be known, and heard nothing more.
    #[track_caller]
    pub fn expect_closed(&mut self, name: &'static str, reason: ReasonCode) {
        let peer = self.peer(name);
        assert!(peer.heard.is_empty(), "{name} expected the end, heard {:?}", peer.heard);
        match &peer.end {
            Some(end) => assert_eq!(end.reason.unwrap_or(reason), reason, "{name}"),
            None => panic!("{name} is still connected"),
        }
    }

    /// `name` broke a rule: in MQTT 5 it hears DISCONNECT with `reason`, then it is closed; in 3.1.1 it is closed at once.
    #[track_caller]
    pub fn expect_thrown_out(&mut self, name: &'static str, reason: ReasonCode) {
        if self.peers[name].version == V5 {
            match self.hear(name) {
                Packet::Disconnect(disconnect) => assert_eq!(disconnect.reason, reason, "{name}: {disconnect:?}"),
                other => panic!("{name} expected DISCONNECT, heard {other:?}"),
            }
        }
        self.expect_closed(name, reason);
    }

    pub fn statistics(&mut self) -> Statistics {
        self.settle();
        self.host.statistics()
    }

    /// What the host heard of, since it last forgot.
    pub fn events(&mut self) -> &[Event] {
        self.settle();
        &self.events
    }

    pub fn forget_events(&mut self) {
        self.settle();
        self.events.clear();
    }

    /// When the host is to wake the broker next.
    pub fn deadline(&mut self) -> Option<Timestamp> {
        self.settle();
        self.host.deadline()
    }

    fn input(&mut self, input: Input) {
        self.host.input(self.now, input);
    }

    fn connection(&self, name: &'static str) -> ConnectionId {
        self.peers[name].connection
    }

    fn peer(&mut self, name: &'static str) -> &mut Peer {
        self.settle();
        self.peers.get_mut(name).unwrap()
    }

    fn settle(&mut self) {
        for output in self.host.outputs() {
            self.record(output);
        }
    }

    fn record(&mut self, output: Output) {
        match output {
            Output::Sent { connection, bytes } => {
                let Some(peer) = self.peers.values_mut().find(|peer| peer.connection == connection) else { return };
                assert!(peer.end.is_none(), "nothing is sent after Close");
                peer.framer.push(bytes);
                while let Some(frame) = peer.framer.next().unwrap() {
                    peer.heard.push_back(Packet::decode(frame, peer.version).unwrap());
                }
            }
            Output::Closed { connection, reason } => {
                let Some(peer) = self.peers.values_mut().find(|peer| peer.connection == connection) else { return };
                assert!(peer.end.replace(End { reason }).is_none(), "closed twice");
            }
            Output::Asked { connection, request } => self.questions.push_back((connection, request)),
            Output::Reported(event) => self.events.push(event),
        }
    }
}

/// What only the broker in this process can be asked.
impl Trace {
    pub fn broker(&mut self) -> &mut Broker {
        &mut self.host.in_process().broker
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Time passes, and the broker is not called.
    pub fn miss_secs(&mut self, seconds: u64) {
        self.host.in_process();
        self.now = self.now.plus_secs(seconds);
    }

    /// `name` no longer reads; what it is sent is never reported written.
    pub fn stall(&mut self, name: &'static str) {
        self.settle();
        let connection = self.connection(name);
        self.host.in_process().stall(connection);
    }

    /// `name` reads again.
    pub fn unstall(&mut self, name: &'static str) {
        let connection = self.connection(name);
        self.host.in_process().unstall(self.now, connection);
    }

    /// The oldest question about a message, which waits on.
    #[track_caller]
    pub fn review(&mut self) -> (ReviewId, ReviewRequest) {
        self.host.in_process().reviews.pop_front().expect("a question about a message")
    }

    /// The topic that the oldest question is about.
    pub fn review_topic(&mut self) -> String {
        self.host.in_process().reviews.front().expect("a question about a message").1.publish.topic.to_string()
    }

    /// How many such questions there are.
    pub fn reviews(&mut self) -> usize {
        self.host.in_process().reviews.len()
    }

    /// The host decides about the oldest.
    pub fn decide(&mut self, decision: Decision) {
        let (review, _) = self.review();
        self.reviewed(review, Some(decision));
    }

    pub fn reviewed(&mut self, review: ReviewId, decision: Option<Decision>) {
        self.input(Input::Reviewed { review, decision });
    }

    /// The host watches a client for so many seconds.
    pub fn watch(&mut self, client_id: &str, seconds: u64) {
        self.host.in_process();
        let until = self.now.plus_secs(seconds);
        self.input(Input::Trace { client_id: text(client_id), until });
    }

    /// The broker is killed and restored from what it had put; every connection is gone.
    pub fn crash(&mut self) {
        self.host.in_process().restart(self.now, false);
    }

    /// The broker sleeps: it is gone, and restored with the connections, which stay open.
    pub fn sleep(&mut self) {
        self.host.in_process().restart(self.now, true);
    }

    /// The kinds of records that were put and deleted since this was asked last, each in alphabetical order.
    pub fn writes(&mut self) -> (String, String) {
        let disk = &mut self.host.in_process().disk;
        let sorted = |kinds: &mut Vec<char>| {
            kinds.sort_unstable();
            kinds.drain(..).collect()
        };
        (sorted(&mut disk.puts), sorted(&mut disk.deletes))
    }

    /// What is stored.
    pub fn records(&mut self) -> BTreeMap<Bytes, Bytes> {
        self.host.in_process().disk.records.clone()
    }

    /// What is remembered of the connection of `name`.
    pub fn remembered(&mut self, name: &'static str) -> (ConnectionId, Bytes) {
        let connection = self.peers[name].connection;
        (connection, self.host.in_process().disk.connections[&connection].clone())
    }

    /// How many records are stored.
    pub fn stored(&mut self) -> usize {
        self.host.in_process().disk.records.len()
    }

    /// Bytes sent to a stalled `name`.
    pub fn unread(&mut self, name: &'static str) -> usize {
        let connection = self.connection(name);
        self.host.in_process().unread(connection)
    }

    /// Lets the broker go on with what it has put off; tells how many inputs that took.
    pub fn turns(&mut self) -> usize {
        self.host.in_process().turns(self.now)
    }
}

pub fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

pub fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

/// A CONNECT with Clean Start, without keep-alive.
pub fn connect(client_id: &str) -> Connect {
    Connect { clean_start: true, client_id: text(client_id), ..Default::default() }
}

pub fn will(topic: &str, payload: &'static str) -> Will {
    let payload = Binary::new(Bytes::from_static(payload.as_bytes())).unwrap();
    Will { topic: text(topic), payload, ..Default::default() }
}

/// A QoS 0 PUBLISH.
pub fn message(topic: &str, payload: &'static str) -> Publish {
    Publish { topic: text(topic), payload: Bytes::from_static(payload.as_bytes()), ..Default::default() }
}

/// Every property that travels with a message, with User Properties in an order of their own.
pub fn all_properties() -> PublishProperties {
    PublishProperties {
        payload_format_indicator: Some(true),
        response_topic: Some(text("answers/ada")),
        correlation_data: Some(Binary::try_from(vec![0, 1, 2]).unwrap()),
        user_properties: vec![(text("b"), text("1")), (text("a"), text("2")), (text("b"), text("3"))],
        content_type: Some(text("text/plain")),
        ..Default::default()
    }
}

/// A PUBLISH; `packet_id` 0 is none.
pub fn publish(topic: &str, payload: &'static str, qos: QoS, packet_id: u16) -> Packet {
    Packet::Publish(Publish { qos, packet_id: PacketId::new(packet_id), ..message(topic, payload) })
}

pub fn retained(topic: &str, payload: &'static str) -> Packet {
    Packet::Publish(Publish { retain: true, ..message(topic, payload) })
}

pub fn puback(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubAck(ack(packet_id, reason))
}

pub fn pubrec(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubRec(ack(packet_id, reason))
}

pub fn pubrel(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubRel(ack(packet_id, reason))
}

pub fn pubcomp(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::PubComp(ack(packet_id, reason))
}

fn ack(packet_id: u16, reason: ReasonCode) -> Ack {
    Ack { reason, ..id(packet_id).into() }
}

pub fn subscribe(packet_id: u16, filters: &[(&str, QoS)]) -> Packet {
    let options = |qos| SubscriptionOptions { qos, ..Default::default() };
    let filters = filters.iter().map(|(filter, qos)| (*filter, options(*qos))).collect::<Vec<_>>();
    subscribe_with(packet_id, &filters, SubscribeProperties::default())
}

pub fn subscribe_with(
    packet_id: u16,
    filters: &[(&str, SubscriptionOptions)],
    properties: SubscribeProperties,
) -> Packet {
    let filters =
        filters.iter().map(|(filter, options)| SubscribeFilter { filter: text(filter), options: *options }).collect();
    Packet::Subscribe(Subscribe { packet_id: id(packet_id), properties, filters })
}

pub fn options(qos: QoS, retain_handling: RetainHandling) -> SubscriptionOptions {
    SubscriptionOptions { qos, retain_handling, ..Default::default() }
}

pub fn suback(packet_id: u16, reasons: &[ReasonCode]) -> Packet {
    Packet::SubAck(SubAck { packet_id: id(packet_id), properties: Default::default(), reasons: reasons.to_vec() })
}

pub fn unsubscribe(packet_id: u16, filters: &[&str]) -> Packet {
    let filters = filters.iter().map(|filter| text(filter)).collect();
    Packet::Unsubscribe(Unsubscribe { packet_id: id(packet_id), user_properties: Vec::new(), filters })
}

pub fn unsuback(packet_id: u16, reasons: &[ReasonCode]) -> Packet {
    Packet::UnsubAck(UnsubAck { packet_id: id(packet_id), properties: Default::default(), reasons: reasons.to_vec() })
}

pub fn disconnect(reason: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect { reason, properties: DisconnectProperties::default() })
}
