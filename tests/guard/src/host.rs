//! The smallest host of a broker: it feeds packets and takes frames. What it does itself is part of each count.

use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Durability, Input},
    codec::{
        Connect, ConnectProperties, Packet, PacketId, ProtocolVersion, Publish, QoS, Subscribe, SubscribeFilter,
        SubscriptionOptions, Text,
    },
    time::Timestamp,
};
use std::hint::black_box;

pub const NOW: Timestamp = Timestamp(1);
pub const PUBLISHER: u64 = 0;
pub const TOPIC: &str = "sensor/7/temperature";

pub struct Host(pub Broker);

impl Host {
    /// A broker that no limit of its own stops, with a publisher that is connected.
    pub fn new(durability: Durability) -> Self {
        let config = Config {
            durability,
            maximum_connections: 1_000_000,
            maximum_sessions: 1_000_000,
            maximum_subscriptions: 1_000_000,
            maximum_subscription_bytes: usize::MAX,
            send_buffer: usize::MAX,
            requests_per_second: u32::MAX,
            publish_messages_per_second: u32::MAX,
            sys_interval_seconds: 0,
            ..Config::default()
        };
        let mut host = Self(Broker::new(config, [7; 32]));
        host.connect(PUBLISHER, false);
        host
    }

    /// One more client, with a session that stays if it is `persistent`.
    pub fn connect(&mut self, number: u64, persistent: bool) {
        self.0.handle(NOW, Input::Opened { connection: ConnectionId(number) }).for_each(drop);
        self.feed(number, connect(number, persistent));
    }

    pub fn subscribe(&mut self, number: u64, filter: &str, qos: QoS) {
        self.feed(number, subscribe(filter, qos));
    }

    /// Feeds bytes and counts the frames that they cause.
    pub fn feed(&mut self, number: u64, bytes: Bytes) -> usize {
        let input = Input::Received { connection: ConnectionId(number), bytes };
        let is_frame = |action: Action| matches!(black_box(action), Action::Send { .. });
        self.0.handle(NOW, input).filter_map(|action| is_frame(action).then_some(())).count()
    }

    /// Lets what was too much for one input go on, and counts the frames.
    pub fn catch_up(&mut self) -> usize {
        let mut frames = 0;
        while self.0.deadline().is_some_and(|deadline| deadline.at <= NOW) {
            let actions = self.0.handle(NOW, Input::Timeout);
            frames += actions.filter(|action| matches!(black_box(action), Action::Send { .. })).count();
        }
        frames
    }
}

pub fn connect(number: u64, persistent: bool) -> Bytes {
    let properties =
        ConnectProperties { session_expiry_interval: persistent.then_some(3_600), ..ConnectProperties::default() };
    let client_id = Text::try_from(format!("client-{number}")).unwrap();
    let connect = Connect { clean_start: !persistent, client_id, keep_alive: 60, properties, ..Connect::default() };
    encode(&Packet::Connect(Box::new(connect)))
}

pub fn subscribe(filter: &str, qos: QoS) -> Bytes {
    let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
    let filters = vec![SubscribeFilter { filter: Text::try_from(filter).unwrap(), options }];
    encode(&Packet::Subscribe(Subscribe { packet_id: PacketId::FIRST, properties: Default::default(), filters }))
}

/// A message of 16 bytes.
pub fn publish(topic: &str, qos: QoS, retain: bool) -> Publish {
    let packet_id = (qos > QoS::AtMostOnce).then_some(PacketId::FIRST);
    let topic = Text::try_from(topic).unwrap();
    Publish { topic, qos, retain, packet_id, payload: Bytes::from_static(&[b'p'; 16]), ..Publish::default() }
}

pub fn encode(packet: &Packet) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(ProtocolVersion::V5, &mut bytes).unwrap();
    let bytes = bytes.freeze();
    drop(bytes.clone()); // from now on it is shared, and costs no block when it is cloned
    bytes
}

/// So many packets in one chunk.
pub fn repeat(bytes: &Bytes, count: usize) -> Bytes {
    let bytes = Bytes::from(bytes.repeat(count));
    drop(bytes.clone());
    bytes
}
