//! The client as the sender of messages: PUBLISH and its acknowledgements (3.3 to 3.7), delivery (4.3), sending again (4.4),
//! order (4.6), topics (4.7) and flow control (4.9).

use crate::harness::*;
use mqlite::{
    client::Outcome,
    codec::{ConnAckProperties, Packet, Publish, PublishProperties, ReasonCode},
};
use std::num::{NonZeroU16, NonZeroU32};

/// [MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
#[test]
fn publish_subscribe_and_unsubscribe_share_their_packet_identifiers() {
    both(|version| {
        let mut trace = Trace::connected(version);
        let mut in_use = Vec::new();
        for token in 1..=40 {
            match token % 4 {
                0 => trace.subscribe(token, &["t"]),
                1 => trace.unsubscribe(token, &["t"]),
                2 => trace.publish(token, "t", AtLeastOnce),
                _ => trace.publish(token, "t", ExactlyOnce),
            }
            let (packet_id, answer) = match trace.hear() {
                Packet::Subscribe(it) => (it.packet_id.value(), None),
                Packet::Unsubscribe(it) => (it.packet_id.value(), None),
                Packet::Publish(it) => (it.packet_id.unwrap().value(), Some(it.qos)),
                other => panic!("{other:?}"),
            };
            assert!(packet_id > 0 && !in_use.contains(&packet_id), "{packet_id}: {in_use:?}");
            match answer {
                Some(AtLeastOnce) => trace.receive(puback(packet_id, ReasonCode::Success)),
                _ => in_use.push(packet_id),
            }
        }
    });
}

/// [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2] [MQTT-3.3.1-2] [MQTT-3.3.4-6]
#[test]
fn a_new_message_has_neither_dup_nor_what_only_a_server_or_the_client_itself_may_set() {
    both(|version| {
        let mut trace = Trace::connected(version);
        let properties = PublishProperties {
            topic_alias: NonZeroU16::new(1),
            subscription_identifiers: vec![NonZeroU32::MIN],
            ..Default::default()
        };
        for (token, qos) in [(1, AtMostOnce), (2, AtLeastOnce), (3, ExactlyOnce)] {
            let packet_id = mqlite::codec::PacketId::new(99);
            let properties = properties.clone();
            trace.publish_with(token, Publish { dup: true, qos, packet_id, properties, ..message("t") });
            trace.expect(publish("t", qos, token as u16 - 1));
        }
    });
}

/// [MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1] [MQTT-4.6.0-1]
#[test]
fn a_resumed_session_goes_on_with_all_that_was_not_acknowledged_in_its_order() {
    both(|version| {
        let mut trace = Trace::connected(version);
        for (token, qos) in [(1, ExactlyOnce), (2, AtLeastOnce), (3, ExactlyOnce), (4, AtLeastOnce)] {
            trace.publish(token, "t", qos);
            trace.expect(publish("t", qos, token as u16));
        }
        trace.receive(pubrec(3, ReasonCode::Success));
        trace.expect(pubrel(3, ReasonCode::Success));
        trace.receive(puback(2, ReasonCode::Success));
        for _ in 0..2 {
            trace.wait_secs(50);
            trace.expect_nothing();
            trace.connect(true);
            trace.expect(again("t", ExactlyOnce, 1));
            trace.expect(pubrel(3, ReasonCode::Success));
            trace.expect(again("t", AtLeastOnce, 4));
        }
        trace.receive(pubcomp(3, ReasonCode::Success));
        trace.connect(true);
        trace.expect(again("t", ExactlyOnce, 1));
        trace.expect(again("t", AtLeastOnce, 4));
        trace.expect_nothing();
    });
}

/// [MQTT-4.4.0-2]
#[test]
fn a_message_that_the_server_refused_is_not_sent_again() {
    let mut trace = Trace::connected(V5);
    trace.publish(1, "t", AtLeastOnce);
    trace.publish(2, "t", ExactlyOnce);
    trace.hear();
    trace.hear();
    trace.receive(puback(1, ReasonCode::NotAuthorized));
    trace.receive(pubrec(2, ReasonCode::QuotaExceeded));
    trace.expect_nothing();
    for (token, expected) in [(1, ReasonCode::NotAuthorized), (2, ReasonCode::QuotaExceeded)] {
        let Outcome::Published { reason, .. } = trace.expect_completed(token) else { panic!("no answer") };
        assert_eq!(reason, expected);
    }
    trace.connect(true);
    trace.expect_nothing();
}

/// [MQTT-4.3.3-4] [MQTT-4.6.0-4] [MQTT-2.2.1-5]
#[test]
fn pubrel_answers_pubrec_in_the_order_in_which_they_come() {
    both(|version| {
        let mut trace = Trace::connected(version);
        for token in 1..=4 {
            trace.publish(token, "t", ExactlyOnce);
            trace.hear();
        }
        for packet_id in [3, 1, 4, 2] {
            trace.receive(pubrec(packet_id, ReasonCode::Success));
        }
        for packet_id in [3, 1, 4, 2] {
            trace.expect(pubrel(packet_id, ReasonCode::Success));
        }
        trace.expect_nothing();
    });
}

/// [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15]
#[test]
fn what_the_server_does_not_take_is_not_sent() {
    let mut trace = Trace::connected_to(ConnAckProperties {
        maximum_qos: Some(AtLeastOnce),
        retain_available: Some(false),
        maximum_packet_size: NonZeroU32::new(30),
        ..Default::default()
    });
    trace.publish(1, "t", ExactlyOnce);
    trace.expect_misuse(1);
    trace.publish_with(2, Publish { retain: true, ..message("t") });
    trace.expect_misuse(2);
    trace.publish_with(3, Publish { payload: vec![0; 25].into(), ..message("t") });
    trace.expect_misuse(3);
    trace.subscribe(4, &["a topic filter that has too many bytes"]);
    trace.expect_misuse(4);
    trace.publish_with(5, Publish { payload: vec![0; 24].into(), ..message("t") });
    assert!(matches!(trace.hear(), Packet::Publish(_)));
    trace.publish(6, "t", AtLeastOnce);
    trace.expect(publish("t", AtLeastOnce, 1));
}

/// [MQTT-3.2.2-15] The limits of the new connection hold for what waited and for what is sent again.
#[test]
fn what_a_new_server_does_not_take_is_not_sent_again() {
    let mut trace = Trace::connected(V5);
    trace.publish_with(1, Publish { qos: AtLeastOnce, payload: vec![0; 100].into(), ..message("t") });
    trace.hear();
    trace.open();
    let maximum_packet_size = NonZeroU32::new(30);
    trace.accept(true, ConnAckProperties { maximum_packet_size, ..Default::default() });
    trace.expect_misuse(1);
}

/// [MQTT-3.2.2-17] [MQTT-3.2.2-18] [MQTT-3.3.2-8] [MQTT-3.3.2-9] [MQTT-3.3.2-7]
#[test]
fn topic_aliases_go_from_1_to_what_the_server_allows_on_each_connection() {
    for (maximum, expected) in [
        (None, [("a", None), ("b", None), ("a", None), ("b", None)]),
        (Some(0), [("a", None), ("b", None), ("a", None), ("b", None)]),
        (Some(1), [("a", Some(1)), ("b", None), ("", Some(1)), ("b", None)]),
        (Some(2), [("a", Some(1)), ("b", Some(2)), ("", Some(1)), ("", Some(2))]),
    ] {
        let mut trace = Trace::new(V5);
        for session_present in [false, true] {
            trace.open();
            trace.accept(session_present, ConnAckProperties { topic_alias_maximum: maximum, ..Default::default() });
            for (topic, expected) in ["a", "b", "a", "b"].into_iter().zip(expected) {
                trace.publish(1, topic, AtMostOnce);
                let Packet::Publish(sent) = trace.hear() else { panic!("no PUBLISH") };
                assert_eq!((sent.topic.as_str(), sent.properties.topic_alias.map(NonZeroU16::get)), expected);
            }
        }
    }
}

/// [MQTT-3.3.4-7] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
#[test]
fn as_many_messages_are_begun_as_the_servers_receive_maximum_says() {
    for maximum in 1..=3 {
        let receive_maximum = NonZeroU16::new(maximum);
        let mut trace = Trace::connected_to(ConnAckProperties { receive_maximum, ..Default::default() });
        for token in 1..=5 {
            trace.publish(token, "t", ExactlyOnce);
        }
        for packet_id in 1..=maximum {
            trace.expect(publish("t", ExactlyOnce, packet_id));
        }
        trace.expect_nothing();
        trace.receive(pubrec(1, ReasonCode::Success));
        trace.expect(pubrel(1, ReasonCode::Success));
        trace.expect_nothing();
        trace.receive(pubcomp(1, ReasonCode::Success));
        trace.expect(publish("t", ExactlyOnce, maximum + 1));
        trace.expect_nothing();
    }
}

/// [MQTT-3.3.4-8] [MQTT-4.9.0-3]
#[test]
fn a_closed_window_holds_up_nothing_but_publish() {
    let receive_maximum = NonZeroU16::new(1);
    let mut trace = Trace::connected_to(ConnAckProperties { receive_maximum, ..Default::default() });
    trace.publish(1, "t", ExactlyOnce);
    trace.publish(2, "t", AtLeastOnce);
    trace.expect(publish("t", ExactlyOnce, 1));
    trace.subscribe(3, &["t"]);
    assert!(matches!(trace.hear(), Packet::Subscribe(_)));
    trace.unsubscribe(4, &["t"]);
    assert!(matches!(trace.hear(), Packet::Unsubscribe(_)));
    trace.receive(publish("in", AtLeastOnce, 7));
    let delivery = trace.expect_delivered("in").unwrap();
    trace.acknowledge(delivery);
    trace.expect(puback(7, ReasonCode::Success));
    trace.publish(5, "t", AtMostOnce);
    trace.expect(publish("t", AtMostOnce, 0));
    trace.wait_secs(60);
    trace.expect(Packet::PingReq);
    trace.expect_nothing();
}

/// [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-3.3.2-2] [MQTT-3.3.2-14]
#[test]
fn a_topic_that_is_not_valid_is_not_sent() {
    both(|version| {
        let mut trace = Trace::connected(version);
        for topic in ["", "#", "a/+", "a#"] {
            trace.publish(1, topic, AtMostOnce);
            trace.expect_misuse(1);
            let properties = PublishProperties { response_topic: Some(text(topic)), ..Default::default() };
            trace.publish_with(2, Publish { properties, ..message("t") });
            trace.expect_misuse(2);
        }
    });
}
