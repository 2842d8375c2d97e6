//! Messages between all pairs of transports and versions, and to clients that are slow to read.

use crate::harness::{Client, Running, V5, encode, packet_id, publish, text};
use bytes::Bytes;
use mqlite::{
    broker::Config,
    codec::{Ack, Packet, PacketId, Publish, QoS, SubscribeFilter},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// [MQTT-4.2-1]
#[test]
fn messages_cross_between_transports_and_versions() {
    let server = Running::start(Config::default());
    let mut subscribers = server.clients();
    for (number, subscriber) in subscribers.iter_mut().enumerate() {
        subscriber.connect(&format!("subscriber {number}"));
        subscriber.subscribe("tide/+", QoS::AtLeastOnce);
    }
    for (number, mut publisher) in server.clients().into_iter().enumerate() {
        publisher.connect(&format!("publisher {number}"));
        let payload = format!("from {number}");
        publisher.send(publish("tide/low", payload.clone(), QoS::AtLeastOnce));
        assert_eq!(publisher.hear(), Some(Packet::PubAck(packet_id(1).into())));
        for subscriber in &mut subscribers {
            let heard = subscriber.hear_publish();
            assert_eq!((heard.topic.as_str(), &heard.payload[..]), ("tide/low", payload.as_bytes()));
            acknowledge(subscriber, heard.packet_id);
        }
    }
}

#[test]
fn a_qos_2_exchange_comes_to_its_end() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.connect("self");
        client.subscribe("a", QoS::ExactlyOnce);
        client.send(publish("a", "x", QoS::ExactlyOnce));
        let mut heard = Vec::new();
        for _ in 0..2 {
            heard.push(client.hear().unwrap());
        }
        let is_pubrec = |packet: &Packet| matches!(packet, Packet::PubRec(_));
        assert!(heard.iter().any(is_pubrec), "{heard:?}");
        let Some(Packet::Publish(Publish { packet_id: Some(delivered), .. })) =
            heard.into_iter().find(|packet| !is_pubrec(packet))
        else {
            panic!("no PUBLISH")
        };
        client.send(Packet::PubRel(packet_id(1).into()));
        assert_eq!(client.hear(), Some(Packet::PubComp(packet_id(1).into())));
        client.send(Packet::PubRec(delivered.into()));
        assert_eq!(client.hear(), Some(Packet::PubRel(delivered.into())));
        client.send(Packet::PubComp(delivered.into()));
        client.expect_open();
    }
}

#[test]
fn a_message_of_the_largest_size_arrives_whole() {
    let server = Running::start(Config::default());
    let payload = Bytes::from((0..1_000_000_u32).map(|number| number.to_le_bytes()[1]).collect::<Vec<_>>());
    for mut client in server.clients() {
        client.connect("self");
        client.subscribe("large", QoS::AtMostOnce);
        client.send(publish("large", payload.clone(), QoS::AtMostOnce));
        assert!(client.hear_publish().payload == payload);
    }
}

/// More than the send buffer waits: the broker goes on only because the host says when all was written.
#[test]
fn a_client_that_reads_late_hears_everything_in_order() {
    let server = Running::start(Config { send_buffer: 64 << 10, ..Config::default() });
    for (number, mut late) in server.clients().into_iter().enumerate() {
        late.connect("late");
        late.subscribe("a", QoS::AtLeastOnce);
        let mut publisher = server.over_tcp(V5);
        publisher.connect("publisher");
        for count in 0..100_u8 {
            publisher.send(publish("a", vec![count; 50_000], QoS::AtLeastOnce));
            assert_eq!(publisher.hear(), Some(Packet::PubAck(packet_id(1).into())), "{number}");
        }
        for count in 0..100 {
            let heard = late.hear_publish();
            assert!(heard.payload == vec![count; 50_000], "expected {count}, heard {:?}", heard.payload.first());
            acknowledge(&mut late, heard.packet_id);
        }
    }
}

#[test]
fn a_client_that_never_reads_slows_nobody_else() {
    let server = Running::start(Config::default());
    let mut stalled = server.clients();
    for (number, client) in stalled.iter_mut().enumerate() {
        client.connect(&format!("stalled {number}"));
        client.subscribe("flood", QoS::AtMostOnce);
    }
    let (mut publisher, mut reader) = (server.over_tcp(V5), server.over_websocket(V5));
    publisher.connect("publisher");
    reader.connect("reader");
    reader.subscribe("flood", QoS::AtMostOnce);
    let rounds = 200;
    for _ in 0..rounds {
        publisher.send(publish("flood", vec![0; 200_000], QoS::AtMostOnce));
        assert_eq!(reader.hear_publish().payload.len(), 200_000);
    }
    for client in &mut stalled {
        // What was beyond the buffers of the broker and the system was dropped.
        client.send(Packet::PingReq);
        let mut heard = 0;
        while let Some(Packet::Publish(_)) = client.hear() {
            heard += 1;
        }
        assert!(heard < rounds, "{heard} of {rounds} messages were kept for a client that did not read");
        client.expect_open();
    }
}

#[test]
fn ten_thousand_filters_in_one_subscribe_are_answered_one_by_one() {
    let server = Running::start(Config::default());
    let filters =
        (0..10_000).map(|number| SubscribeFilter { filter: text(&format!("{number}/#")), options: Default::default() });
    let filters: Vec<_> = filters.collect();
    let limit = Config::default().maximum_subscriptions;
    for mut client in server.clients() {
        client.connect("greedy");
        let subscribe = mqlite::codec::Subscribe {
            packet_id: packet_id(1),
            properties: Default::default(),
            filters: filters.clone(),
        };
        client.send(Packet::Subscribe(subscribe));
        let Some(Packet::SubAck(suback)) = client.hear() else { panic!("no SUBACK") };
        let refused = suback.reasons.iter().filter(|reason| reason.is_failure()).count();
        assert_eq!((suback.reasons.len(), refused), (10_000, 10_000 - limit));
        client.expect_open();
    }
}

fn acknowledge(client: &mut Client, packet_id: Option<PacketId>) {
    client.send(Packet::PubAck(Ack::from(packet_id.expect("QoS 1"))));
}

/// Each of five shares takes every message, and nobody reads them: the publisher is slowed, not closed, and the end of what it
/// sent is not lost.
#[test]
fn a_publisher_that_is_too_fast_for_the_broker_is_slowed_and_others_are_served() {
    // The last client waits its turn behind the flood, on a slow machine for long.
    let server =
        Running::start(Config { maximum_packet_size: 1_000, connect_timeout_millis: 60_000, ..Default::default() });
    for mut publisher in server.clients() {
        let mut stalled = server.over_tcp(V5);
        stalled.connect("stalled");
        for share in 0..5 {
            stalled.subscribe(&format!("$share/{share}/flood"), QoS::AtMostOnce);
        }
        publisher.connect("publisher");
        publisher.subscribe("end", QoS::AtMostOnce);
        let flood = encode(publish("flood", "", QoS::AtMostOnce), publisher.version()).repeat(1_000);
        for _ in 0..40 {
            publisher.send_bytes(&flood);
        }
        server.over_tcp(V5).connect("other");
        publisher.send(publish("end", "heard", QoS::AtMostOnce));
        assert_eq!(publisher.hear_publish().payload, "heard");
    }
}

/// Whoever makes the broker look at the time, the pause is over for the socket too.
#[test]
fn who_published_too_fast_is_read_on_while_others_keep_the_server_busy() {
    let config = Config { publish_messages_per_second: 1_000, requests_per_second: 1_000_000, ..Config::default() };
    let server = Running::start(config);
    let (mut busy, mut quick) = (server.over_tcp(V5), server.over_tcp(V5));
    quick.connect("quick");
    let is_over = Arc::new(AtomicBool::new(false));
    let others = thread::spawn({
        let is_over = is_over.clone();
        move || {
            busy.connect("busy");
            while !is_over.load(Ordering::Relaxed) {
                busy.expect_open();
            }
        }
    });
    // A second's worth and a tenth, then a tenth and more each time: more than the server reads at a time.
    for count in [1_100].into_iter().chain([150; 10]) {
        let message = encode(publish("t", vec![0; 200], QoS::AtMostOnce), V5);
        quick.send_bytes(&message.repeat(count));
        quick.expect_open();
    }
    is_over.store(true, Ordering::Relaxed);
    others.join().unwrap();
}
