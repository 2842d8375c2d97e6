//! Flow control, resending and packet sizes (4.4, 4.9, 3.1.2.11).

use crate::harness::*;
use mqlite::{
    broker::{Config, Event},
    codec::{Connect, ConnectProperties, Packet, Publish, PublishProperties, ReasonCode},
};
use std::num::{NonZeroU16, NonZeroU32};

/// [MQTT-3.3.4-9] [MQTT-4.9.0-2]
#[test]
fn no_more_than_the_clients_receive_maximum_is_in_flight() {
    let mut trace = Trace::new(V5);
    let properties = ConnectProperties { receive_maximum: NonZeroU16::new(2), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.subscribe("bob", "t", ExactlyOnce);
    trace.connect("ada");
    for payload in ["a", "b", "c", "d"] {
        trace.send("ada", publish("t", payload, ExactlyOnce, payload.as_bytes()[0].into()));
    }
    assert_eq!(trace.hear_publish("bob").payload, "a");
    assert_eq!(trace.hear_publish("bob").payload, "b");
    trace.expect_nothing("bob");
    trace.send("ada", publish("t", "zero", AtMostOnce, 0));
    assert_eq!(trace.hear_publish("bob").payload, "zero", "QoS 0 needs no quota");
    trace.send("bob", pubrec(1, ReasonCode::Success));
    trace.expect("bob", pubrel(1, ReasonCode::Success));
    trace.expect_nothing("bob");
    trace.send("bob", pubcomp(1, ReasonCode::Success));
    assert_eq!(trace.hear_publish("bob").payload, "c");
    trace.send("bob", pubrec(2, ReasonCode::QuotaExceeded));
    assert_eq!(trace.hear_publish("bob").payload, "d", "a failed PUBREC frees the quota");
    trace.expect_nothing("bob");
}

/// A 3.1.1 client is never told of Receive Maximum, so it cannot break it.
#[test]
fn a_3_1_1_client_is_not_held_to_receive_maximum() {
    let mut trace = Trace::with(V3_1_1, Config { receive_maximum: 2, ..Default::default() });
    trace.connect("ada");
    for packet_id in 1..=5 {
        trace.send("ada", publish("t", "x", ExactlyOnce, packet_id));
        trace.expect("ada", pubrec(packet_id, ReasonCode::Success));
    }
}

/// [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] [MQTT-4.3.3-5] [MQTT-4.3.3-6]
#[test]
fn a_resumed_session_resends_what_was_not_acknowledged() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "released", ExactlyOnce, 1));
        trace.send("ada", publish("t", "one", AtLeastOnce, 2));
        trace.send("ada", publish("t", "two", ExactlyOnce, 3));
        for _ in 0..3 {
            trace.hear_publish("bob");
        }
        trace.send("bob", pubrec(1, ReasonCode::Success));
        trace.hear("bob");
        trace.cut("bob");
        trace.send("ada", publish("t", "late", AtLeastOnce, 4));
        assert!(trace.resume("bob"));
        trace.expect("bob", pubrel(1, ReasonCode::Success));
        let again = |payload, qos, packet_id| {
            Packet::Publish(Publish { dup: true, qos, packet_id: Some(id(packet_id)), ..message("t", payload) })
        };
        trace.expect("bob", again("one", AtLeastOnce, 2));
        trace.expect("bob", again("two", ExactlyOnce, 3));
        trace.expect("bob", publish("t", "late", AtLeastOnce, 4));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-4.4.0-1]
#[test]
fn a_smaller_receive_maximum_holds_for_what_is_resent() {
    let mut trace = Trace::new(V5);
    trace.resume("bob");
    trace.subscribe("bob", "t", AtLeastOnce);
    trace.connect("ada");
    for packet_id in [1, 2, 3] {
        trace.send("ada", publish("t", "x", AtLeastOnce, packet_id));
        trace.hear_publish("bob");
    }
    trace.cut("bob");
    let properties = ConnectProperties {
        session_expiry_interval: Some(60),
        receive_maximum: NonZeroU16::new(1),
        ..Default::default()
    };
    trace.connect_with("bob", Connect { clean_start: false, properties, ..connect("bob") });
    for packet_id in [1, 2, 3] {
        let publish = trace.hear_publish("bob");
        assert_eq!((publish.packet_id, publish.dup), (Some(id(packet_id)), true));
        trace.expect_nothing("bob");
        trace.send("bob", puback(packet_id, ReasonCode::Success));
    }
    trace.send("ada", publish("t", "new", AtLeastOnce, 4));
    assert!(!trace.hear_publish("bob").dup);
}

/// [MQTT-4.3.3-10] across connections
#[test]
fn a_qos_2_publish_repeated_on_a_resumed_session_is_delivered_once() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.resume("ada");
        trace.send("ada", publish("t", "x", ExactlyOnce, 1));
        trace.cut("ada");
        trace.resume("ada");
        let again = Publish { dup: true, qos: ExactlyOnce, packet_id: Some(id(1)), ..message("t", "x") };
        trace.send("ada", Packet::Publish(again));
        trace.expect("ada", pubrec(1, ReasonCode::Success));
        trace.hear_publish("bob");
        trace.expect_nothing("bob");
    });
}

fn with_maximum_packet_size(bytes: u32) -> Connect {
    let properties = ConnectProperties { maximum_packet_size: NonZeroU32::new(bytes), ..Default::default() };
    Connect { properties, ..connect("bob") }
}

/// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
#[test]
fn a_message_too_large_for_one_subscriber_is_as_good_as_sent() {
    let mut trace = Trace::new(V5);
    trace.connect_with("bob", with_maximum_packet_size(60));
    trace.subscribe("bob", "t", ExactlyOnce);
    trace.connect("ada");
    let large = Publish { payload: vec![b'x'; 100].into(), ..message("t", "") };
    trace.send("ada", Packet::Publish(large.clone()));
    trace.send("ada", Packet::Publish(Publish { qos: AtLeastOnce, packet_id: Some(id(1)), ..large }));
    trace.expect("ada", puback(1, ReasonCode::Success));
    trace.expect_nothing("bob");
    trace.send("ada", publish("t", "small", AtLeastOnce, 2));
    trace.expect("bob", publish("t", "small", AtLeastOnce, 2));
    let dropped = trace.events().iter().filter(|event| matches!(event, Event::Dropped { count: 1, .. })).count();
    assert_eq!(dropped, 2);
    assert_eq!(trace.statistics().messages_dropped, 2);
}

/// [MQTT-3.14.2-3]
#[test]
fn a_reason_string_never_breaks_the_clients_maximum_packet_size() {
    let mut trace = Trace::new(V5);
    trace.connect_with("bob", with_maximum_packet_size(40));
    trace.send("bob", publish("#", "x", AtMostOnce, 0));
    trace.expect("bob", disconnect(ReasonCode::TopicNameInvalid));
    trace.expect_closed("bob", ReasonCode::TopicNameInvalid);
}

/// [MQTT-3.1.2-29]
#[test]
fn a_client_that_wants_no_problem_information_hears_none() {
    let mut trace = Trace::new(V5);
    let properties = ConnectProperties { request_problem_information: Some(false), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.send("bob", publish("#", "x", AtMostOnce, 0));
    trace.expect("bob", disconnect(ReasonCode::TopicNameInvalid));
}

/// [MQTT-4.3.3-7]
#[test]
fn a_message_that_was_begun_does_not_expire() {
    let mut trace = Trace::new(V5);
    trace.resume("bob");
    trace.subscribe("bob", "t", ExactlyOnce);
    trace.connect("ada");
    let properties = PublishProperties { message_expiry_interval: Some(5), ..Default::default() };
    let publish = Publish { qos: ExactlyOnce, packet_id: Some(id(1)), properties, ..message("t", "x") };
    trace.send("ada", Packet::Publish(publish));
    trace.hear_publish("bob");
    trace.cut("bob");
    trace.wait_secs(10);
    trace.resume("bob");
    assert!(trace.hear_publish("bob").dup);
}
