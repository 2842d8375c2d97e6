//! What messages and subscriptions take in memory, and what happens when that is all there may be.

use crate::harness::*;
use mqlite::{
    broker::{Config, Event},
    codec::{Connect, ConnectProperties, Packet, Publish, PublishProperties, ReasonCode, Text, Will, WillProperties},
};
use std::num::NonZeroU16;

fn large(topic: &str, qos: mqlite::codec::QoS, packet_id: u16) -> Publish {
    let packet_id = mqlite::codec::PacketId::new(packet_id);
    Publish { payload: vec![b'x'; 10_000].into(), qos, packet_id, ..message(topic, "") }
}

fn message_bytes(trace: &mut Trace) -> u64 {
    trace.statistics().message_bytes
}

fn refusals(trace: &mut Trace) -> Vec<ReasonCode> {
    let reasons = trace.events().iter().filter_map(|event| match event {
        Event::PublishRefused { reason, .. } => Some(*reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn user_properties_count_with_all_that_they_take() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    let user_properties = vec![(Text::default(), Text::default()); 10_000];
    let properties = PublishProperties { user_properties, ..Default::default() };
    trace.send("ada", Packet::Publish(Publish { retain: true, properties, ..message("t", "x") }));
    let bytes = trace.statistics().retained_bytes;
    assert!(bytes >= 320_000, "{bytes}");
    trace.send("ada", retained("t", ""));
    assert_eq!(message_bytes(&mut trace), 0);
}

#[test]
fn a_message_counts_once_however_many_sessions_it_waits_for() {
    both(|version| {
        let mut trace = Trace::new(version);
        let names = ["a", "b", "c", "d"];
        for name in names {
            trace.resume(name);
            trace.subscribe(name, "t", AtLeastOnce);
            trace.cut(name);
        }
        trace.connect("ada");
        trace.send("ada", Packet::Publish(large("t", AtLeastOnce, 1)));
        assert!((10_000..13_000).contains(&message_bytes(&mut trace)), "{}", message_bytes(&mut trace));
        for name in names {
            assert!(trace.resume(name));
            assert!((10_000..13_000).contains(&message_bytes(&mut trace)), "it is in flight");
            trace.hear_publish(name);
            trace.send(name, puback(1, ReasonCode::Success));
        }
        assert_eq!(message_bytes(&mut trace), 0);
    });
}

#[test]
fn beyond_what_all_messages_may_take_what_must_be_stored_is_refused_until_there_is_room() {
    both(|version| {
        let mut trace = Trace::with(version, Config { maximum_message_bytes: 25_000, ..Default::default() });
        trace.resume("bob");
        trace.subscribe("bob", "t", AtLeastOnce);
        trace.cut("bob");
        trace.connect("eve");
        trace.subscribe("eve", "u", AtMostOnce);
        trace.connect("ada");
        let refused = if version == V5 { ReasonCode::QuotaExceeded } else { ReasonCode::Success };
        for (packet_id, reason) in [(1, ReasonCode::Success), (2, ReasonCode::Success), (3, refused)] {
            trace.send("ada", Packet::Publish(large("t", AtLeastOnce, packet_id)));
            trace.expect("ada", puback(packet_id, reason));
        }
        trace.send("ada", Packet::Publish(Publish { retain: true, ..large("u", AtMostOnce, 0) }));
        trace.expect_nothing("eve");
        assert_eq!(refusals(&mut trace), [ReasonCode::QuotaExceeded; 2]);
        assert_eq!(trace.statistics().retained_messages, 0);
        trace.send("ada", Packet::Publish(large("u", AtMostOnce, 0)));
        assert_eq!(trace.hear_publish("eve").payload.len(), 10_000);
        trace.resume("bob");
        for packet_id in [1, 2] {
            trace.hear_publish("bob");
            trace.send("bob", puback(packet_id, ReasonCode::Success));
        }
        trace.send("ada", Packet::Publish(large("t", AtLeastOnce, 4)));
        trace.expect("ada", puback(4, ReasonCode::Success));
        trace.hear_publish("bob");
    });
}

fn with_large_will(client_id: &str) -> Connect {
    let user_properties = vec![(Text::default(), Text::default()); 1_000];
    let properties = WillProperties { user_properties, ..Default::default() };
    Connect { will: Some(Will { properties, ..will("w", "gone") }), ..connect(client_id) }
}

#[test]
fn a_will_counts_and_one_too_many_is_refused() {
    let mut trace = Trace::new(V5);
    trace.connect_with("a", with_large_will("a"));
    let one = message_bytes(&mut trace) as usize;
    assert!(one > 32_000);
    let mut trace = Trace::with(V5, Config { maximum_message_bytes: one * 3 / 2, ..Default::default() });
    trace.connect_with("a", with_large_will("a"));
    trace.open("b");
    trace.send("b", Packet::Connect(Box::new(with_large_will("b"))));
    assert!(matches!(trace.hear("b"), Packet::ConnAck(connack) if connack.reason == ReasonCode::QuotaExceeded));
    trace.expect_closed("b", ReasonCode::QuotaExceeded);
    trace.cut("a");
    assert_eq!(message_bytes(&mut trace), 0);
}

/// What waits is not held by the queue, so a message that was replaced is gone.
#[test]
fn retained_messages_that_were_replaced_are_held_for_nobody() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    for _ in 0..10 {
        for topic in ["t/1", "t/2", "t/3"] {
            trace.send("ada", Packet::Publish(Publish { retain: true, ..large(topic, AtMostOnce, 0) }));
        }
        let properties = ConnectProperties {
            receive_maximum: NonZeroU16::new(1),
            session_expiry_interval: Some(1_000),
            ..Default::default()
        };
        trace.connect_with("bob", Connect { properties, ..connect("bob") });
        trace.send("bob", subscribe(1, &[("t/#", AtLeastOnce)]));
        trace.cut("bob");
    }
    let statistics = trace.statistics();
    assert!(statistics.message_bytes <= statistics.retained_bytes, "{statistics:?}");
}

/// A message of QoS 0 that has to wait is copied: the buffer that it came in may be much larger.
#[test]
fn a_message_that_waits_keeps_no_receive_buffer() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    for topic in ["t/1", "t/2"] {
        let publish = Publish { retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), ..message(topic, "x") };
        trace.send("ada", Packet::Publish(publish));
    }
    let properties = ConnectProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.subscribe("bob", "t/#", AtLeastOnce);
    let mut bytes = bytes::BytesMut::new();
    publish("t/x", "", AtMostOnce, 0).encode(V5, &mut bytes).unwrap();
    let chunk = bytes.freeze();
    trace.send_bytes("ada", chunk.clone());
    assert_eq!(trace.statistics().messages_stored, 2, "one waits, one is in flight");
    assert!(chunk.is_unique());
}

#[test]
fn a_will_beyond_the_limits_of_retained_messages_is_refused_as_any_publish() {
    both(|version| {
        let mut trace = Trace::with(version, Config { maximum_retained_messages: 0, ..Default::default() });
        trace.connect("bob");
        trace.subscribe("bob", "w", AtMostOnce);
        trace.connect_with("ada", Connect { will: Some(Will { retain: true, ..will("w", "gone") }), ..connect("ada") });
        trace.cut("ada");
        trace.expect_nothing("bob");
        trace.send("bob", retained("w", "live"));
        trace.expect_nothing("bob");
        assert_eq!(refusals(&mut trace), [ReasonCode::QuotaExceeded; 2]);
        let told = trace.events().iter().any(
            |event| matches!(event, Event::PublishRefused { client_id: Some(client), .. } if client.as_str() == "ada"),
        );
        assert!(told, "{:?}", trace.events());
    });
}

/// [MQTT-3.3.2-14]
#[test]
fn the_host_is_held_to_the_limits_of_a_message_too() {
    let config = Config { maximum_qos: AtLeastOnce, retain_available: false, ..Default::default() };
    let mut trace = Trace::with(V5, config);
    let deep = "/".repeat(65_535);
    let properties = PublishProperties { response_topic: Some(text("a/#")), ..Default::default() };
    for publish in [
        Publish { retain: true, ..message(&deep, "x") },
        message("a/#", "x"),
        Publish { properties, ..message("t", "x") },
        Publish { qos: ExactlyOnce, ..message("t", "x") },
        Publish { retain: true, ..message("t", "x") },
    ] {
        trace.publish(publish);
    }
    let expected = [
        ReasonCode::TopicNameInvalid,
        ReasonCode::TopicNameInvalid,
        ReasonCode::TopicNameInvalid,
        ReasonCode::QoSNotSupported,
        ReasonCode::RetainNotSupported,
    ];
    assert_eq!(refusals(&mut trace), expected);
}

#[test]
fn each_level_of_a_retained_topic_counts() {
    let mut trace = Trace::with(V5, Config { maximum_retained_bytes: 100_000, ..Default::default() });
    trace.connect("ada");
    for number in 0..100 {
        trace.send("ada", retained(&format!("{number}{}", "/".repeat(127)), "x"));
    }
    let statistics = trace.statistics();
    assert!((2..10).contains(&statistics.retained_messages), "{statistics:?}");
    assert_eq!(refusals(&mut trace).len() as u64, 100 - statistics.retained_messages);
    for number in 0..100 {
        trace.send("ada", retained(&format!("{number}{}", "/".repeat(127)), ""));
    }
    assert_eq!(trace.statistics().retained_bytes, 0);
}

#[test]
fn subscriptions_are_limited_by_what_all_of_them_take() {
    both(|version| {
        let deep = "/".repeat(30);
        let filters = [("a", AtMostOnce), (&*deep, AtMostOnce), ("$share/g/a", AtMostOnce)];
        let mut trace = Trace::new(version);
        trace.resume("ada");
        trace.send("ada", subscribe(1, &filters));
        let enough = trace.statistics().subscription_bytes as usize * 3 / 2;
        let mut trace = Trace::with(version, Config { maximum_subscription_bytes: enough, ..Default::default() });
        let full = if version == V5 { ReasonCode::QuotaExceeded } else { ReasonCode::UnspecifiedError };
        trace.resume("ada");
        trace.send("ada", subscribe(1, &filters));
        trace.expect("ada", suback(1, &[ReasonCode::Success; 3]));
        trace.connect("bob");
        let deeper = format!("b{}", "/".repeat(30));
        trace.send("bob", subscribe(1, &[(&deeper, AtMostOnce), ("a", AtMostOnce)]));
        trace.expect("bob", suback(1, &[full, ReasonCode::Success]));
        trace.send("ada", subscribe(1, &[(&deep, AtLeastOnce)]));
        trace.expect("ada", suback(1, &[ReasonCode::GrantedQoS1]));
        trace.send("ada", unsubscribe(2, &[&deep]));
        trace.hear("ada");
        trace.send("bob", subscribe(1, &[(&deeper, AtMostOnce)]));
        trace.expect("bob", suback(1, &[ReasonCode::Success]));
        trace.cut("bob");
        trace.connect("ada");
        assert_eq!(trace.statistics().subscription_bytes, 0);
    });
}
