//! The client against what it may meet: arbitrary servers, and our own broker over connections that break anywhere.
#![cfg(not(target_arch = "wasm32"))]

#[path = "codec/arbitrary.rs"]
mod arbitrary;

use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{self, Broker, Config, ConnectionId},
    client::{Action, Client, Delivery, Input, Options, Outcome, Token},
    codec::{
        ConnAck, ConnAckProperties, DisconnectProperties, Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId,
        ProtocolVersion, Publish, QoS, ReasonCode, SubscribeFilter, SubscribeProperties, SubscriptionOptions, Text,
    },
    time::Timestamp,
};
use proptest::{collection::vec, option, prelude::*};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroU16,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_client_keeps_its_promises_to_any_server(v5: bool, steps in vec(server_step(), 1..100)) {
        let mut script = AgainstAnyServer::new(v5);
        for step in steps {
            script.take(step);
        }
    }

    #[test]
    fn messages_cross_broken_connections_as_often_as_their_qos_says(v5: bool, steps in vec(step(), 1..150)) {
        let mut world = World::new(v5);
        for step in steps {
            world.take(step);
        }
        world.settle();
    }
}

/// [MQTT-3.2.2-4]
#[test]
fn a_new_process_loses_no_message_to_the_identifiers_of_an_earlier_one() {
    for (v5, is_interrupted) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut world = World::new(v5);
        world.open(PUBLISHER);
        world.carry_all();
        world.take(Step::Publish(QoS::ExactlyOnce));
        world.carry_up(PUBLISHER, usize::MAX);
        world.cut(PUBLISHER);
        world.links[PUBLISHER].client = Client::new(options(v5, "publisher")).unwrap();
        world.completed.insert(Token(1));
        world.open(PUBLISHER);
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            world.take(Step::Publish(qos));
        }
        if !is_interrupted {
            world.carry_all();
        }
        for _ in 0..300 {
            world.take(Step::Publish(QoS::ExactlyOnce));
        }
        world.settle();
    }
}

#[derive(Clone, Debug)]
enum ServerStep {
    Open,
    Accept(bool, Option<u16>),
    Send(Box<Packet>),
    Bytes(Vec<u8>),
    Publish(QoS),
    Subscribe,
    AcknowledgeNext,
    Authenticate,
    Disconnect,
    Close,
    Wait(u16),
}

fn server_step() -> impl Strategy<Value = ServerStep> {
    let ack = (0..6_u8, 1..6_u16).prop_map(|(kind, id)| {
        let id = PacketId::new(id).unwrap();
        ServerStep::Send(Box::new(match kind {
            0 => Packet::PubAck(id.into()),
            1 => Packet::PubRec(id.into()),
            2 => Packet::PubRel(id.into()),
            3 => Packet::PubComp(id.into()),
            kind => {
                let qos = if kind == 4 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
                Packet::Publish(Publish { packet_id: Some(id), ..message(qos, 0) })
            }
        }))
    });
    prop_oneof![
        3 => Just(ServerStep::Open),
        4 => (any::<bool>(), option::of(1..4_u16)).prop_map(|(present, maximum)| ServerStep::Accept(present, maximum)),
        20 => ack,
        2 => arbitrary::packet().prop_map(|packet| ServerStep::Send(Box::new(packet))),
        1 => vec(any::<u8>(), 0..20).prop_map(ServerStep::Bytes),
        12 => qos().prop_map(ServerStep::Publish),
        2 => Just(ServerStep::Subscribe),
        6 => Just(ServerStep::AcknowledgeNext),
        1 => Just(ServerStep::Authenticate),
        1 => Just(ServerStep::Disconnect),
        1 => Just(ServerStep::Close),
        2 => any::<u16>().prop_map(ServerStep::Wait),
    ]
}

/// Checks what a client does, whatever a server sends it.
struct AgainstAnyServer {
    client: Client,
    version: ProtocolVersion,
    now: Timestamp,
    is_open: bool,
    receive_maximum: usize,
    maximum_packet_size: usize,
    /// What the client has begun on this connection and the server not finished acknowledging.
    exchanges: BTreeSet<PacketId>,
    tokens: u64,
    pending: BTreeSet<Token>,
    deliveries: VecDeque<Delivery>,
    last_delivery: Option<Delivery>,
}

impl AgainstAnyServer {
    fn new(v5: bool) -> Self {
        let options = options(v5, "c");
        Self {
            version: options.connect.version,
            client: Client::new(options).unwrap(),
            now: Timestamp(0),
            is_open: false,
            receive_maximum: 0,
            maximum_packet_size: usize::MAX,
            exchanges: BTreeSet::new(),
            tokens: 0,
            pending: BTreeSet::new(),
            deliveries: VecDeque::new(),
            last_delivery: None,
        }
    }

    fn take(&mut self, step: ServerStep) {
        match step {
            ServerStep::Open => {
                self.exchanges.clear();
                self.input(Input::Closed);
                self.is_open = true;
                self.input(Input::Opened);
            }
            ServerStep::Accept(session_present, maximum) => {
                let mut properties = ConnAckProperties::default();
                if self.version == ProtocolVersion::V5 {
                    properties.receive_maximum = maximum.and_then(NonZeroU16::new);
                }
                let reason = ReasonCode::Success;
                self.send(&Packet::ConnAck(Box::new(ConnAck { session_present, reason, properties })));
            }
            ServerStep::Send(packet) => self.send(&packet),
            ServerStep::Bytes(bytes) => self.input(Input::Received { bytes: bytes.into() }),
            ServerStep::Publish(qos) => {
                let token = self.token();
                self.input(Input::Publish { token, publish: message(qos, token.0) });
            }
            ServerStep::Subscribe => {
                let token = self.token();
                self.input(subscribe(token, "a"));
            }
            ServerStep::AcknowledgeNext => {
                if let Some(delivery) = self.deliveries.pop_front() {
                    self.input(Input::Acknowledge { delivery });
                }
            }
            ServerStep::Authenticate => self.input(Input::Authenticate { properties: Default::default() }),
            ServerStep::Disconnect => {
                let properties = DisconnectProperties::default();
                self.input(Input::Disconnect { reason: ReasonCode::Success, properties });
            }
            ServerStep::Close => self.input(Input::Closed),
            ServerStep::Wait(millis) => {
                self.now = self.now.plus_millis(millis.into());
                self.input(Input::Timeout);
                assert!(self.client.deadline().is_none_or(|at| at > self.now), "a deadline that has passed is served");
            }
        }
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        self.pending.insert(Token(self.tokens));
        Token(self.tokens)
    }

    fn send(&mut self, packet: &Packet) {
        match packet {
            Packet::ConnAck(connack) => {
                let maximum = connack.properties.receive_maximum;
                self.receive_maximum = maximum.map_or(65_535, |maximum| maximum.get().into());
                let maximum = connack.properties.maximum_packet_size;
                self.maximum_packet_size = maximum.map_or(usize::MAX, |maximum| maximum.get() as usize);
            }
            Packet::PubAck(ack) | Packet::PubComp(ack) => _ = self.exchanges.remove(&ack.packet_id),
            Packet::PubRec(ack) if ack.reason.is_failure() => _ = self.exchanges.remove(&ack.packet_id),
            _ => {}
        }
        self.input(Input::Received { bytes: encode(packet, self.version) });
    }

    fn input(&mut self, input: Input) {
        for action in self.client.handle(self.now, input).collect::<Vec<_>>() {
            match action {
                Action::Send { bytes } => {
                    assert!(self.is_open, "nothing is sent without a connection");
                    let is_connect = bytes[0] >> 4 == 1;
                    assert!(is_connect || bytes.len() <= self.maximum_packet_size, "[MQTT-3.2.2-15]");
                    let packet = Packet::decode(bytes, self.version).unwrap();
                    if let Packet::Publish(Publish { packet_id: Some(id), .. }) = packet {
                        assert!(self.exchanges.insert(id), "[MQTT-2.2.1-3]");
                        assert!(self.exchanges.len() <= self.receive_maximum, "[MQTT-3.3.4-7]");
                    }
                }
                Action::Close => self.is_open = false,
                Action::Completed { token, .. } => assert!(self.pending.remove(&token), "a request completes once"),
                Action::Deliver { message, delivery } => {
                    assert_eq!(delivery.is_some(), message.qos > QoS::AtMostOnce);
                    assert!(delivery.is_none() || delivery > self.last_delivery, "no delivery has an old number");
                    self.last_delivery = delivery.or(self.last_delivery);
                    self.deliveries.extend(delivery);
                }
                Action::Disconnected { .. } => {
                    self.is_open = false;
                    self.exchanges.clear();
                }
                Action::Connected { .. } | Action::Refused { .. } | Action::Authenticate { .. } => {}
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Publish(QoS),
    /// So many bytes arrive, to the broker or from it.
    Carry(usize, bool, usize),
    /// The connection breaks, and what was on its way is lost.
    Cut(usize),
    Open(usize),
    /// The subscriber acknowledges the delivery at this place of those it holds.
    Acknowledge(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let link = || 0..2_usize;
    prop_oneof![
        6 => qos().prop_map(Step::Publish),
        12 => (link(), any::<bool>(), 1..60_usize).prop_map(|(link, up, bytes)| Step::Carry(link, up, bytes)),
        1 => link().prop_map(Step::Cut),
        2 => link().prop_map(Step::Open),
        5 => (0..4_usize).prop_map(Step::Acknowledge),
    ]
}

const PUBLISHER: usize = 0;
const SUBSCRIBER: usize = 1;

/// A publisher, a broker and a subscriber that is always subscribed.
struct World {
    broker: Broker,
    links: [Link; 2],
    last_connection: u64,
    tokens: BTreeMap<Token, QoS>,
    completed: BTreeSet<Token>,
    received: Vec<(QoS, u64)>,
    held: Vec<Delivery>,
}

struct Link {
    client: Client,
    connection: Option<ConnectionId>,
    up: BytesMut,
    down: BytesMut,
}

const NOW: Timestamp = Timestamp(1_000);

impl World {
    fn new(v5: bool) -> Self {
        let config = Config { receive_maximum: 3, ..Config::default() };
        let link = |name| Link {
            client: Client::new(options(v5, name)).unwrap(),
            connection: None,
            up: BytesMut::new(),
            down: BytesMut::new(),
        };
        let mut world = Self {
            broker: Broker::new(config, [5; 32]),
            links: [link("publisher"), link("subscriber")],
            last_connection: 0,
            tokens: BTreeMap::new(),
            completed: BTreeSet::new(),
            received: Vec::new(),
            held: Vec::new(),
        };
        world.open(SUBSCRIBER);
        world.client(SUBSCRIBER, subscribe(Token(0), "a"));
        world.carry_all();
        world.completed.clear();
        world
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                let number = self.tokens.len() as u64 + 1;
                self.tokens.insert(Token(number), qos);
                self.client(PUBLISHER, Input::Publish { token: Token(number), publish: message(qos, number) });
            }
            Step::Carry(link, true, bytes) => self.carry_up(link, bytes),
            Step::Carry(link, false, bytes) => self.carry_down(link, bytes),
            Step::Cut(link) => self.cut(link),
            Step::Open(link) => self.open(link),
            Step::Acknowledge(place) => {
                if place < self.held.len() {
                    let delivery = self.held.remove(place);
                    self.client(SUBSCRIBER, Input::Acknowledge { delivery });
                }
            }
        }
    }

    /// Lets everything arrive, then checks that it did, in order and as often as it should.
    fn settle(mut self) {
        for link in [PUBLISHER, SUBSCRIBER] {
            self.cut(link);
            self.open(link);
        }
        self.carry_all();
        while !self.held.is_empty() {
            let delivery = self.held.remove(0);
            self.client(SUBSCRIBER, Input::Acknowledge { delivery });
            self.carry_all();
        }
        assert!(self.tokens.keys().all(|token| self.completed.contains(token)), "every request completes");
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let sent: Vec<_> = self.tokens.iter().filter(|(_, it)| **it == qos).map(|(token, _)| token.0).collect();
            let received: Vec<_> =
                self.received.iter().filter(|(it, _)| *it == qos).map(|(_, number)| *number).collect();
            let mut first = BTreeSet::new();
            let fresh: Vec<_> = received.iter().copied().filter(|number| first.insert(*number)).collect();
            match qos {
                QoS::AtMostOnce => {
                    assert!(received.is_sorted_by(|a, b| a < b), "at most once, in order: {received:?}");
                    assert!(received.iter().all(|number| sent.contains(number)));
                }
                QoS::AtLeastOnce => assert_eq!(fresh, sent, "at least once, in order: {received:?}"),
                QoS::ExactlyOnce => assert_eq!(received, sent, "exactly once, in order"),
            }
        }
    }

    fn open(&mut self, link: usize) {
        if self.links[link].connection.is_some() {
            return;
        }
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        self.links[link].connection = Some(connection);
        self.broker(broker::Input::Opened { connection });
        self.client(link, Input::Opened);
    }

    fn cut(&mut self, link: usize) {
        let Some(connection) = self.links[link].connection.take() else { return };
        self.links[link].up.clear();
        self.links[link].down.clear();
        self.broker(broker::Input::Closed { connection });
        self.client(link, Input::Closed);
    }

    fn carry_up(&mut self, link: usize, bytes: usize) {
        let Link { up, connection, .. } = &mut self.links[link];
        let (bytes, Some(connection)) = (up.split_to(bytes.min(up.len())).freeze(), *connection) else { return };
        self.broker(broker::Input::Received { connection, bytes });
    }

    fn carry_down(&mut self, link: usize, bytes: usize) {
        let down = &mut self.links[link].down;
        let bytes = down.split_to(bytes.min(down.len())).freeze();
        let connection = self.links[link].connection;
        self.client(link, Input::Received { bytes });
        if let Some(connection) = connection.filter(|_| self.links[link].down.is_empty()) {
            self.broker(broker::Input::Writable { connection });
        }
    }

    fn carry_all(&mut self) {
        while self.links.iter().any(|link| !link.up.is_empty() || !link.down.is_empty()) {
            for link in [PUBLISHER, SUBSCRIBER] {
                self.carry_up(link, usize::MAX);
                self.carry_down(link, usize::MAX);
            }
        }
    }

    fn broker(&mut self, input: broker::Input) {
        for action in self.broker.handle(NOW, input) {
            match action {
                broker::Action::Send { connection, frame } => {
                    if let Some(link) = self.links.iter_mut().find(|link| link.connection == Some(connection)) {
                        frame.write_to(&mut link.down);
                    }
                }
                broker::Action::Report(_) => {}
                action => panic!("the clients give no reason for {action:?}"),
            }
        }
    }

    fn client(&mut self, index: usize, input: Input) {
        let link = &mut self.links[index];
        for action in link.client.handle(NOW, input) {
            match action {
                Action::Send { bytes } => link.up.extend_from_slice(&bytes),
                Action::Completed { token, outcome } => {
                    assert!(self.completed.insert(token), "a request completes once");
                    assert!(!matches!(outcome, Outcome::Misused(_)), "{outcome:?}");
                }
                Action::Deliver { message, delivery } => {
                    let number = u64::from_be_bytes(message.payload[..].try_into().unwrap());
                    self.received.push((message.qos, number));
                    self.held.extend(delivery);
                }
                Action::Connected { .. } | Action::Disconnected { .. } => {}
                action => panic!("the broker gives no reason for {action:?}"),
            }
        }
    }
}

fn qos() -> impl Strategy<Value = QoS> {
    (0..3_u8).prop_map(|qos| QoS::from_u8(qos).unwrap())
}

/// A client that keeps its session and takes two messages at a time.
fn options(v5: bool, client_id: &'static str) -> Options {
    let mut options = Options::new(Text::from_static(client_id));
    options.connect.version = if v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 };
    options.connect.clean_start = false;
    options.connect.properties.session_expiry_interval = Some(1_000);
    options.connect.properties.receive_maximum = NonZeroU16::new(2);
    options
}

fn message(qos: QoS, number: u64) -> Publish {
    let payload = Bytes::copy_from_slice(&number.to_be_bytes());
    Publish { qos, topic: Text::from_static("a"), payload, ..Publish::default() }
}

fn subscribe(token: Token, filter: &'static str) -> Input {
    let options = SubscriptionOptions { qos: QoS::ExactlyOnce, ..SubscriptionOptions::default() };
    let filters = vec![SubscribeFilter { filter: Text::from_static(filter), options }];
    Input::Subscribe { token, filters, properties: SubscribeProperties::default() }
}

fn encode(packet: &Packet, version: ProtocolVersion) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes.freeze()
}

#[test]
fn a_frame_of_the_client_is_one_packet() {
    let mut client = Client::new(options(true, "c")).unwrap();
    for action in client.handle(NOW, Input::Opened) {
        let Action::Send { bytes } = action else { panic!("{action:?}") };
        let mut framer = Framer::new(MAXIMUM_PACKET_SIZE);
        framer.push(bytes.clone());
        assert_eq!(framer.next().unwrap(), Some(bytes));
        assert!(framer.partial().is_empty());
    }
}
