//! Message delivery retry (4.4).

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{Connect, ConnectProperties, Packet, Publish, ReasonCode},
};
use std::num::NonZeroU16;

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

/// [MQTT-4.4.0-2]
#[test]
fn a_message_that_the_subscriber_refused_is_not_sent_again() {
    let mut trace = Trace::new(V5);
    trace.resume("bob");
    trace.subscribe("bob", "t", ExactlyOnce);
    trace.connect("ada");
    trace.send("ada", publish("t", "one", AtLeastOnce, 1));
    trace.send("ada", publish("t", "two", ExactlyOnce, 2));
    trace.hear_publish("bob");
    trace.hear_publish("bob");
    trace.send("bob", puback(1, ReasonCode::UnspecifiedError));
    trace.send("bob", pubrec(2, ReasonCode::QuotaExceeded));
    trace.expect_nothing("bob");
    trace.cut("bob");
    trace.resume("bob");
    trace.expect_nothing("bob");
}

/// [MQTT-4.4.0-1]
#[test]
fn nothing_is_sent_again_while_the_connection_lasts() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        trace.connect("ada");
        for (packet_id, qos) in [(1, AtLeastOnce), (2, ExactlyOnce)] {
            trace.send("ada", publish("t", "x", qos, packet_id));
            trace.expect("bob", publish("t", "x", qos, packet_id));
        }
        trace.wait_secs(24 * 3_600);
        trace.expect_nothing("bob");
    });
}

/// [MQTT-3.3.4-7] (4.9)
#[test]
fn receive_maximum_counts_what_this_connection_carried_alone() {
    let mut trace = Trace::with(V5, Config { receive_maximum: 2, ..Default::default() });
    trace.resume("ada");
    for packet_id in [1, 2] {
        trace.send("ada", publish("t", "x", ExactlyOnce, packet_id));
        trace.expect("ada", pubrec(packet_id, ReasonCode::NoMatchingSubscribers));
    }
    trace.cut("ada");
    trace.resume("ada");
    trace.send("ada", publish("t", "x", ExactlyOnce, 3));
    trace.expect("ada", pubrec(3, ReasonCode::NoMatchingSubscribers));
    trace.send("ada", publish("t", "x", ExactlyOnce, 1));
    trace.expect("ada", pubrec(1, ReasonCode::Success));
    trace.send("ada", publish("t", "x", ExactlyOnce, 4));
    trace.expect_thrown_out("ada", ReasonCode::ReceiveMaximumExceeded);
}
