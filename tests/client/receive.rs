//! The client as the receiver of messages: what it answers (3.3.4, 4.3, 4.5), in which order (4.6), and Topic Aliases.

use crate::harness::*;
use mqlite::codec::{Packet, Publish, PublishProperties, ReasonCode};
use std::num::NonZeroU16;

/// [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-2.2.1-5]
#[test]
fn each_qos_has_its_answer_once_the_host_has_the_message() {
    both(|version| {
        let mut trace = Trace::connected(version);
        trace.receive(publish("t", AtMostOnce, 0));
        assert_eq!(trace.expect_delivered("t"), None);
        trace.expect_nothing();
        trace.receive(publish("t", AtLeastOnce, 7));
        let delivery = trace.expect_delivered("t").unwrap();
        trace.expect_nothing();
        trace.acknowledge(delivery);
        trace.expect(puback(7, ReasonCode::Success));
        trace.receive(publish("t", ExactlyOnce, 8));
        let delivery = trace.expect_delivered("t").unwrap();
        trace.expect_nothing();
        trace.acknowledge(delivery);
        trace.expect(pubrec(8, ReasonCode::Success));
        trace.receive(pubrel(8, ReasonCode::Success));
        trace.expect(pubcomp(8, ReasonCode::Success));
    });
}

/// [MQTT-4.5.0-2] A host that does not want a message acknowledges it like any: the client knows no other way.
#[test]
fn a_message_that_nobody_asked_for_is_answered_like_any() {
    both(|version| {
        let mut trace = Trace::connected(version);
        for (packet_id, qos) in [(1, AtLeastOnce), (2, ExactlyOnce)] {
            trace.receive(publish("never/subscribed", qos, packet_id));
            let delivery = trace.expect_delivered("never/subscribed").unwrap();
            trace.acknowledge(delivery);
        }
        trace.expect(puback(1, ReasonCode::Success));
        trace.expect(pubrec(2, ReasonCode::Success));
        trace.receive(again("never/subscribed", ExactlyOnce, 2));
        trace.expect(pubrec(2, ReasonCode::Success));
    });
}

/// [MQTT-4.6.0-2] [MQTT-4.6.0-3]
#[test]
fn answers_go_out_in_the_order_of_receipt_whatever_order_the_host_takes() {
    both(|version| {
        for qos in [AtLeastOnce, ExactlyOnce] {
            let mut trace = Trace::connected(version);
            for packet_id in [5, 3, 9, 1] {
                trace.receive(publish("t", qos, packet_id));
            }
            let deliveries = [(); 4].map(|()| trace.expect_delivered("t").unwrap());
            for index in [3, 1, 0, 2] {
                trace.acknowledge(deliveries[index]);
            }
            for packet_id in [5, 3, 9, 1] {
                let answer = if qos == AtLeastOnce { puback } else { pubrec };
                trace.expect(answer(packet_id, ReasonCode::Success));
            }
        }
    });
}

/// [MQTT-4.3.3-10] [MQTT-4.3.3-12] [MQTT-4.3.2-5]
#[test]
fn a_repeated_message_is_delivered_again_at_qos_1_alone() {
    both(|version| {
        let mut trace = Trace::connected(version);
        for _ in 0..2 {
            trace.receive(publish("t", AtLeastOnce, 1));
            let delivery = trace.expect_delivered("t").unwrap();
            trace.acknowledge(delivery);
            trace.expect(puback(1, ReasonCode::Success));
        }
        for _ in 0..2 {
            trace.receive(publish("t", ExactlyOnce, 2));
            let delivery = trace.expect_delivered("t").unwrap();
            trace.acknowledge(delivery);
            trace.expect(pubrec(2, ReasonCode::Success));
            trace.receive(again("t", ExactlyOnce, 2));
            trace.expect(pubrec(2, ReasonCode::Success));
            assert_eq!(trace.told(), None);
            trace.receive(pubrel(2, ReasonCode::Success));
            trace.expect(pubcomp(2, ReasonCode::Success));
        }
    });
}

fn aliased(topic: &str, alias: u16) -> Packet {
    let properties = PublishProperties { topic_alias: NonZeroU16::new(alias), ..Default::default() };
    Packet::Publish(Publish { properties, ..message(topic) })
}

/// [MQTT-3.3.2-10] [MQTT-3.3.2-7] [MQTT-3.3.2-11]
#[test]
fn each_alias_that_the_client_allows_stands_for_its_topic_on_one_connection() {
    let mut trace = Trace::with(V5, |options| options.connect.properties.topic_alias_maximum = Some(5));
    assert_eq!(trace.open().properties.topic_alias_maximum, Some(5));
    trace.accept(false, Default::default());
    let topics = ["a", "b", "c", "d", "e"];
    for (alias, topic) in (1..).zip(topics) {
        trace.receive(aliased(topic, alias));
    }
    for alias in 1..=5 {
        trace.receive(aliased("", alias));
    }
    for topic in topics.iter().chain(&topics) {
        trace.expect_delivered(topic);
    }
    trace.connect(true);
    trace.receive(aliased("", 1));
    trace.expect_violated(ReasonCode::ProtocolError);
    trace.connect(true);
    trace.receive(aliased("f", 6));
    trace.expect_violated(ReasonCode::TopicAliasInvalid);
}

/// [MQTT-3.3.4-9] [MQTT-2.2.1-4] [MQTT-3.3.2-2]
#[test]
fn a_message_that_no_server_may_send_ends_the_connection() {
    let connected = || {
        let mut trace = Trace::with(V5, |options| options.connect.properties.receive_maximum = NonZeroU16::new(10_000));
        trace.connect(false);
        trace
    };
    let mut trace = connected();
    for packet_id in 1..=10_000 {
        trace.receive(publish("t", if packet_id % 2 == 0 { ExactlyOnce } else { AtLeastOnce }, packet_id));
        trace.expect_delivered("t");
    }
    trace.receive(publish("t", AtLeastOnce, 10_001));
    trace.expect_violated(ReasonCode::ReceiveMaximumExceeded);
    let mut trace = connected();
    trace.receive_bytes(&b"\x32\x07\x00\x01t\x00\x00\x00x"[..]);
    trace.expect_violated(ReasonCode::ProtocolError);
    let mut trace = connected();
    trace.receive(publish("t/#", AtMostOnce, 0));
    trace.expect_violated(ReasonCode::TopicNameInvalid);
}

/// [MQTT-3.4.2-1] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-1] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-1] [MQTT-3.6.2-2]
/// [MQTT-3.6.2-3] [MQTT-3.7.2-1] [MQTT-3.7.2-2] [MQTT-3.7.2-3]
#[test]
fn an_answer_is_no_larger_than_any_server_takes() {
    let maximum_packet_size = std::num::NonZeroU32::new(5);
    let properties = mqlite::codec::ConnAckProperties { maximum_packet_size, ..Default::default() };
    let mut trace = Trace::connected_to(properties);
    for (packet_id, qos) in [(1, AtLeastOnce), (2, ExactlyOnce)] {
        trace.receive(publish("t", qos, packet_id));
        let delivery = trace.expect_delivered("t").unwrap();
        trace.acknowledge(delivery);
    }
    trace.expect(puback(1, ReasonCode::Success));
    trace.expect(pubrec(2, ReasonCode::Success));
    trace.receive(pubrel(9, ReasonCode::Success));
    trace.expect(pubcomp(9, ReasonCode::PacketIdentifierNotFound));
    trace.receive(pubrec(9, ReasonCode::Success));
    trace.expect(pubrel(9, ReasonCode::PacketIdentifierNotFound));
}
