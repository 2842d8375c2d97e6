//! Arbitrary clients, packets and bytes against one broker: it never panics, keeps its promises to the host, keeps to what
//! each client allows, and forgets what is over.
#![cfg(not(target_arch = "wasm32"))]

#[path = "codec/arbitrary.rs"]
mod arbitrary;

use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{Action, Authentication, Broker, Config, ConnectionId, Grants, Input, Verdict},
    codec::{
        Binary, Connect, Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId, ProtocolVersion, Publish, QoS, ReasonCode,
        Subscribe, SubscribeFilter, SubscriptionOptions, Text, Will,
    },
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*, sample::select};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU16, NonZeroU32},
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_broker_keeps_its_promises_under_any_traffic(asks: bool, steps in vec(step(), 1..120)) {
        let mut world = World::new(asks);
        for step in steps {
            world.take(step);
        }
        world.end();
    }
}

#[derive(Clone, Debug)]
enum Step {
    Open(usize, Box<Connect>),
    Send(usize, Packet),
    Bytes(usize, Vec<u8>),
    Close(usize),
    Writable(usize),
    Verdict(u8),
    Wait(u16),
    Publish(Publish),
    AcknowledgeAll(usize),
}

const CLIENTS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let client = || 0..CLIENTS;
    prop_oneof![
        2 => (client(), connect()).prop_map(|(client, connect)| Step::Open(client, Box::new(connect))),
        2 => (client(), arbitrary::packet()).prop_map(|(client, packet)| Step::Send(client, packet)),
        6 => (client(), publish()).prop_map(|(client, publish)| Step::Send(client, Packet::Publish(publish))),
        4 => (client(), subscribe()).prop_map(|(client, subscribe)| Step::Send(client, Packet::Subscribe(subscribe))),
        3 => (client(), answer()).prop_map(|(client, packet)| Step::Send(client, packet)),
        1 => (client(), vec(any::<u8>(), 0..20)).prop_map(|(client, bytes)| Step::Bytes(client, bytes)),
        1 => client().prop_map(Step::Close),
        2 => client().prop_map(Step::Writable),
        2 => client().prop_map(Step::AcknowledgeAll),
        2 => any::<u8>().prop_map(Step::Verdict),
        1 => any::<u16>().prop_map(Step::Wait),
        1 => publish().prop_map(Step::Publish),
    ]
}

fn connect() -> impl Strategy<Value = Connect> {
    let limits = (proptest::option::of(1..4_u16), proptest::option::of(20..200_u32), 0..3_u16, 0..100_u32);
    (any::<(bool, bool, bool)>(), limits, 0..20_u16).prop_map(
        |((v5, clean_start, has_will), (receive_maximum, packet_size, aliases, expiry), keep_alive)| {
            let mut connect = Connect { clean_start, keep_alive, ..Connect::default() };
            connect.version = if v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 };
            connect.will = has_will.then(|| Will {
                qos: QoS::AtLeastOnce,
                retain: keep_alive % 2 == 0,
                topic: text("a/b"),
                payload: Binary::new(Bytes::from_static(b"will")).unwrap(),
                ..Will::default()
            });
            if v5 {
                connect.properties.receive_maximum = receive_maximum.and_then(NonZeroU16::new);
                connect.properties.maximum_packet_size = packet_size.and_then(NonZeroU32::new);
                connect.properties.topic_alias_maximum = Some(aliases);
                connect.properties.session_expiry_interval = Some(expiry);
            }
            connect
        },
    )
}

fn publish() -> impl Strategy<Value = Publish> {
    let topic = select(vec!["a", "a/b", "a/b/c", "b", "/", "$x/a", "a/+"]);
    (topic, 0..3_u8, 1..6_u16, any::<(bool, bool)>(), vec(any::<u8>(), 0..60)).prop_map(
        |(topic, qos, packet_id, (retain, dup), payload)| {
            let qos = QoS::from_u8(qos).unwrap();
            let is_exchange = qos > QoS::AtMostOnce;
            Publish {
                dup: dup && is_exchange,
                qos,
                retain,
                topic: text(topic),
                packet_id: PacketId::new(packet_id).filter(|_| is_exchange),
                payload: payload.into(),
                ..Publish::default()
            }
        },
    )
}

fn subscribe() -> impl Strategy<Value = Subscribe> {
    let filter = select(vec!["#", "a/#", "+/b", "a", "$share/g/a/#", "$share/g/#", "$SYS/#", "a/#/b"]);
    vec((filter, 0..3_u8), 1..4).prop_map(|filters| Subscribe {
        packet_id: PacketId::FIRST,
        properties: Default::default(),
        filters: filters
            .into_iter()
            .map(|(filter, qos)| SubscribeFilter {
                filter: text(filter),
                options: SubscriptionOptions { qos: QoS::from_u8(qos).unwrap(), ..Default::default() },
            })
            .collect(),
    })
}

/// Acknowledgements of the identifiers that are likely to be in use.
fn answer() -> impl Strategy<Value = Packet> {
    (0..4_u8, 1..6_u16).prop_map(|(kind, packet_id)| {
        let ack = PacketId::new(packet_id).unwrap().into();
        match kind {
            0 => Packet::PubAck(ack),
            1 => Packet::PubRec(ack),
            2 => Packet::PubRel(ack),
            _ => Packet::PubComp(ack),
        }
    })
}

struct World {
    broker: Broker,
    now: Timestamp,
    last_connection: u64,
    clients: [Option<Client>; CLIENTS],
    questions: Vec<ConnectionId>,
}

struct Client {
    connection: ConnectionId,
    version: ProtocolVersion,
    framer: Framer,
    is_closed: bool,
    receive_maximum: usize,
    maximum_packet_size: usize,
    alias_maximum: u16,
    aliases: BTreeMap<NonZeroU16, Text>,
    /// What the broker has begun and this client not finished acknowledging.
    exchanges: BTreeSet<PacketId>,
}

impl World {
    fn new(asks: bool) -> Self {
        let authentication = if asks { Authentication::Ask } else { Authentication::Open(Grants::all()) };
        let config = Config {
            authentication,
            receive_maximum: 3,
            maximum_queued_messages: 5,
            send_buffer: 500,
            maximum_packet_size: 1_000,
            maximum_retained_messages: 3,
            ..Config::default()
        };
        Self {
            broker: Broker::new(config, [3; 32]),
            now: Timestamp(1),
            last_connection: 0,
            clients: [const { None }; CLIENTS],
            questions: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Open(client, connect) => self.open(client, *connect),
            Step::Send(client, packet) => self.send(client, &packet),
            Step::Bytes(client, bytes) => self.receive(client, bytes.into()),
            Step::Close(client) => {
                if let Some(client) = self.clients[client].take() {
                    self.input(Input::Closed { connection: client.connection });
                }
            }
            Step::Writable(client) => {
                if let Some(client) = &self.clients[client] {
                    let connection = client.connection;
                    self.input(Input::Writable { connection });
                }
            }
            Step::Verdict(choice) => self.answer(choice),
            Step::Wait(millis) => {
                self.now = self.now.plus_millis(millis.into());
                self.input(Input::Timeout);
            }
            Step::Publish(publish) => self.input(Input::Publish { publish, caller: None }),
            Step::AcknowledgeAll(client) => self.acknowledge_all(client),
        }
    }

    fn open(&mut self, index: usize, mut connect: Connect) {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        connect.client_id = text(["a", "b", "c", "a"][index]);
        if let Some(old) = self.clients[index].take() {
            self.input(Input::Closed { connection: old.connection });
        }
        let properties = &connect.properties;
        self.clients[index] = Some(Client {
            connection,
            version: connect.version,
            framer: Framer::new(MAXIMUM_PACKET_SIZE),
            is_closed: false,
            receive_maximum: properties.receive_maximum.map_or(65_535, |maximum| maximum.get().into()),
            maximum_packet_size: properties.maximum_packet_size.map_or(usize::MAX, |maximum| maximum.get() as usize),
            alias_maximum: properties.topic_alias_maximum.unwrap_or(0),
            aliases: BTreeMap::new(),
            exchanges: BTreeSet::new(),
        });
        self.input(Input::Opened { connection });
        self.send(index, &Packet::Connect(Box::new(connect)));
    }

    fn send(&mut self, index: usize, packet: &Packet) {
        let Some(client) = &mut self.clients[index] else { return };
        match packet {
            Packet::PubAck(ack) | Packet::PubComp(ack) => _ = client.exchanges.remove(&ack.packet_id),
            Packet::PubRec(ack) if ack.reason.is_failure() => _ = client.exchanges.remove(&ack.packet_id),
            _ => {}
        }
        let mut bytes = BytesMut::new();
        packet.encode(client.version, &mut bytes).unwrap();
        self.receive(index, bytes.freeze());
    }

    fn receive(&mut self, index: usize, bytes: Bytes) {
        if let Some(client) = &self.clients[index] {
            let connection = client.connection;
            self.input(Input::Received { connection, bytes });
        }
    }

    fn answer(&mut self, choice: u8) {
        let Some(connection) = self.questions.pop() else { return };
        let verdict = match choice % 4 {
            0 => Verdict::deny(ReasonCode::NotAuthorized),
            1 => Verdict::Continue { data: None },
            _ => Verdict::allow(Grants::all()),
        };
        self.input(Input::Authenticated { connection, verdict });
    }

    /// Both kinds of acknowledgement: the broker takes the one that fits, and closes a client that sends a wrong one.
    fn acknowledge_all(&mut self, index: usize) {
        let Some(client) = &self.clients[index] else { return };
        for id in client.exchanges.clone() {
            self.send(index, &Packet::PubAck(id.into()));
        }
    }

    fn input(&mut self, input: Input) {
        let actions: Vec<_> = self.broker.handle(self.now, input).collect();
        for action in actions {
            match action {
                Action::Send { connection, frame } => self.hear(connection, &frame),
                Action::Close { connection, .. } => {
                    if let Some(client) = self.client(connection) {
                        assert!(!client.is_closed, "closed twice");
                        client.is_closed = true;
                    }
                }
                Action::Authenticate { connection, .. } => self.questions.push(connection),
                Action::Review { .. } => panic!("there are no rules"),
                Action::Report(_) | Action::Published { .. } => {}
                Action::Put { .. } | Action::Delete { .. } | Action::Remember { .. } => {}
            }
        }
    }

    fn client(&mut self, connection: ConnectionId) -> Option<&mut Client> {
        self.clients.iter_mut().flatten().find(|client| client.connection == connection)
    }

    fn hear(&mut self, connection: ConnectionId, frame: &mqlite::broker::Frame) {
        let Some(client) = self.client(connection) else { return };
        assert!(!client.is_closed, "nothing is sent after Close");
        assert!(frame.len() <= client.maximum_packet_size, "[MQTT-3.1.2-24]");
        let mut bytes = BytesMut::new();
        frame.write_to(&mut bytes);
        client.framer.push(bytes.freeze());
        let bytes = client.framer.next().unwrap().expect("a frame is a packet");
        assert!(client.framer.partial().is_empty(), "a frame is one packet");
        if let Packet::Publish(publish) = Packet::decode(bytes, client.version).unwrap() {
            client.hear_publish(&publish);
        }
    }

    /// When all clients are gone and all time has passed, nothing is left but what is retained.
    fn end(mut self) {
        for client in 0..CLIENTS {
            self.take(Step::Close(client));
        }
        self.input(Input::ShutDown);
        for _ in 0..100 {
            let Some(deadline) = self.broker.deadline() else { break };
            self.now = self.now.max(deadline.at);
            self.input(Input::Timeout);
        }
        assert_eq!(self.broker.deadline(), None);
        let statistics = self.broker.statistics();
        assert_eq!((statistics.clients_connected, statistics.sessions), (0, 0));
        assert_eq!((statistics.subscriptions, statistics.messages_stored), (0, 0));
        assert!(statistics.retained_messages <= 3);
        assert_eq!(statistics.subscription_bytes, 0);
        assert!(statistics.message_bytes <= statistics.retained_bytes, "only these are left");
    }
}

impl Client {
    fn hear_publish(&mut self, publish: &Publish) {
        let topic = match publish.properties.topic_alias {
            None => publish.topic.clone(),
            Some(alias) => {
                assert!(alias.get() <= self.alias_maximum, "[MQTT-3.3.2-11]");
                if !publish.topic.is_empty() {
                    self.aliases.insert(alias, publish.topic.clone());
                }
                self.aliases.get(&alias).cloned().expect("an alias that was set")
            }
        };
        assert!(!topic.is_empty());
        if let Some(id) = publish.packet_id {
            let is_new = self.exchanges.insert(id);
            assert!(is_new, "[MQTT-2.2.1-4] {id:?}");
            assert!(self.exchanges.len() <= self.receive_maximum, "[MQTT-3.3.4-9]");
        }
    }
}

fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}
