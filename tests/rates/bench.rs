//! How many messages a second the core routes, in this process: `make rates`. QoS 0, 16 bytes of payload, MQTT 5.
#![allow(clippy::disallowed_types, reason = "time is what is measured")]

use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Input},
    codec::{Connect, Packet, PacketId, ProtocolVersion, Publish, Subscribe, SubscribeFilter, Text},
    time::Timestamp,
};
use std::{hint::black_box, time::Instant};

fn main() {
    for (subscribers, messages) in [(1, 200_000), (1_000, 1_000)] {
        let mut runs: Vec<f64> = (0..RUNS).map(|_| run(subscribers, messages)).collect();
        runs.sort_by(f64::total_cmp);
        let (least, median, most) = (runs[0], runs[RUNS / 2], runs[RUNS - 1]);
        let deliveries = subscribers as f64;
        println!(
            "1 to {subscribers}: {median:.0} messages/s, {:.0} deliveries/s (median of {RUNS}; {least:.0} to {most:.0} messages/s)",
            median * deliveries,
        );
    }
}

const RUNS: usize = 11;
const NOW: Timestamp = Timestamp(1);
const PUBLISHER: u64 = 0;

/// Messages a second from one publisher to so many subscribers, each message in a chunk of its own.
fn run(subscribers: usize, messages: usize) -> f64 {
    let config = Config {
        send_buffer: usize::MAX,
        publish_messages_per_second: u32::MAX,
        sys_interval_seconds: 0,
        ..Config::default()
    };
    let mut broker = Broker::new(config, [7; 32]);
    for number in 1..=subscribers as u64 {
        connect(&mut broker, number);
        receive(&mut broker, number, &subscribe());
    }
    connect(&mut broker, PUBLISHER);
    let publish = Publish {
        topic: Text::from_static("sensor/7/temperature"),
        payload: Bytes::from_static(&[b'p'; 16]),
        ..Publish::default()
    };
    let bytes = encode(&Packet::Publish(publish));

    let began = Instant::now();
    let mut sent = 0;
    for _ in 0..messages {
        let input = Input::Received { connection: ConnectionId(PUBLISHER), bytes: bytes.clone() };
        for action in broker.handle(NOW, input) {
            sent += usize::from(matches!(black_box(action), Action::Send { .. }));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(sent, subscribers * messages, "every message reaches everybody");
    messages as f64 / seconds
}

fn connect(broker: &mut Broker, number: u64) {
    let client_id = Text::try_from(format!("client-{number}")).unwrap();
    broker.handle(NOW, Input::Opened { connection: ConnectionId(number) }).for_each(drop);
    receive(broker, number, &Packet::Connect(Box::new(Connect { clean_start: true, client_id, ..Connect::default() })));
}

fn subscribe() -> Packet {
    let filter = SubscribeFilter { filter: Text::from_static("sensor/+/temperature"), options: Default::default() };
    Packet::Subscribe(Subscribe { packet_id: PacketId::FIRST, properties: Default::default(), filters: vec![filter] })
}

fn receive(broker: &mut Broker, number: u64, packet: &Packet) {
    let input = Input::Received { connection: ConnectionId(number), bytes: encode(packet) };
    broker.handle(NOW, input).for_each(drop);
}

fn encode(packet: &Packet) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(ProtocolVersion::V5, &mut bytes).unwrap();
    bytes.freeze()
}
