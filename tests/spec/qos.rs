//! Quality of Service levels and protocol flows (4.3).

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Grant, Grants},
    codec::{Packet, Publish, PublishProperties, QoS, ReasonCode},
};

/// [MQTT-4.3.1-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-4.3.3-4] [MQTT-2.2.1-5] [MQTT-3.3.4-1]
#[test]
fn each_qos_has_its_handshake_on_both_sides() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "a/b", ExactlyOnce);
        trace.connect("ada");
        trace.send("ada", publish("a/b", "zero", AtMostOnce, 0));
        trace.expect_nothing("ada");
        trace.expect("bob", publish("a/b", "zero", AtMostOnce, 0));

        trace.send("ada", publish("a/b", "one", AtLeastOnce, 7));
        trace.expect("ada", puback(7, ReasonCode::Success));
        trace.expect("bob", publish("a/b", "one", AtLeastOnce, 1));
        trace.send("bob", puback(1, ReasonCode::Success));

        trace.send("ada", publish("a/b", "two", ExactlyOnce, 7));
        trace.expect("ada", pubrec(7, ReasonCode::Success));
        trace.expect("bob", publish("a/b", "two", ExactlyOnce, 2));
        trace.send("ada", pubrel(7, ReasonCode::Success));
        trace.expect("ada", pubcomp(7, ReasonCode::Success));
        trace.send("bob", pubrec(2, ReasonCode::Success));
        trace.expect("bob", pubrel(2, ReasonCode::Success));
        trace.send("bob", pubcomp(2, ReasonCode::Success));
        trace.expect_nothing("bob");
        assert_eq!(trace.statistics().messages_stored, 0);
    });
}

/// [MQTT-4.3.2-5]
#[test]
fn a_repeated_qos_1_publish_is_a_new_message() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        for _ in 0..2 {
            trace.send("ada", publish("t", "x", AtLeastOnce, 3));
            trace.expect("ada", puback(3, ReasonCode::Success));
            trace.hear_publish("bob");
        }
    });
}

/// [MQTT-4.3.3-10] [MQTT-4.3.3-12]
#[test]
fn a_repeated_qos_2_publish_is_acknowledged_and_delivered_once() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", ExactlyOnce, 3));
        trace.expect("ada", pubrec(3, ReasonCode::Success));
        let again = Publish { dup: true, qos: ExactlyOnce, packet_id: Some(id(3)), ..message("t", "x") };
        trace.send("ada", Packet::Publish(again));
        trace.expect("ada", pubrec(3, ReasonCode::Success));
        trace.hear_publish("bob");
        trace.expect_nothing("bob");
        trace.send("ada", pubrel(3, ReasonCode::Success));
        trace.expect("ada", pubcomp(3, ReasonCode::Success));
        trace.send("ada", publish("t", "y", ExactlyOnce, 3));
        trace.hear_publish("bob");
    });
}

fn again(payload: &'static str, qos: QoS, packet_id: u16) -> Packet {
    Packet::Publish(Publish { dup: true, qos, packet_id: Some(id(packet_id)), ..message("t", payload) })
}

/// [MQTT-4.3.2-2] [MQTT-4.3.2-3]
#[test]
fn a_qos_1_message_is_unacknowledged_until_its_puback() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("bob");
        trace.subscribe("bob", "t", AtLeastOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", AtLeastOnce, 1));
        trace.expect("bob", publish("t", "x", AtLeastOnce, 1));
        for _ in 0..2 {
            trace.cut("bob");
            trace.resume("bob");
            trace.expect("bob", again("x", AtLeastOnce, 1));
        }
        trace.send("bob", puback(1, ReasonCode::Success));
        trace.cut("bob");
        trace.resume("bob");
        trace.expect_nothing("bob");
    });
}

/// [MQTT-4.3.3-2] [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6]
#[test]
fn a_qos_2_message_is_unacknowledged_until_its_pubrec_and_its_pubrel_until_its_pubcomp() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", ExactlyOnce, 1));
        trace.expect("bob", publish("t", "x", ExactlyOnce, 1));
        trace.cut("bob");
        trace.resume("bob");
        trace.expect("bob", again("x", ExactlyOnce, 1));
        trace.send("bob", pubrec(1, ReasonCode::Success));
        trace.expect("bob", pubrel(1, ReasonCode::Success));
        for _ in 0..2 {
            trace.cut("bob");
            trace.resume("bob");
            trace.expect("bob", pubrel(1, ReasonCode::Success));
            trace.expect_nothing("bob");
        }
        trace.send("bob", pubcomp(1, ReasonCode::Success));
        trace.cut("bob");
        trace.resume("bob");
        trace.expect_nothing("bob");
    });
}

/// [MQTT-4.3.3-9]
#[test]
fn after_a_failed_pubrec_the_identifier_is_that_of_a_new_message() {
    let grant = Grant { filter: text("t"), ..Default::default() };
    let authentication = Authentication::Open(Grants::of(vec![grant]));
    let mut trace = Trace::with(V5, Config { authentication, ..Default::default() });
    trace.connect("bob");
    trace.subscribe("bob", "t", AtMostOnce);
    trace.connect("ada");
    trace.send("ada", publish("forbidden", "x", ExactlyOnce, 1));
    trace.expect("ada", pubrec(1, ReasonCode::NotAuthorized));
    trace.send("ada", publish("t", "y", ExactlyOnce, 1));
    trace.expect("ada", pubrec(1, ReasonCode::Success));
    trace.expect("bob", publish("t", "y", AtMostOnce, 0));
    trace.send("ada", publish("t", "y", ExactlyOnce, 1));
    trace.expect("ada", pubrec(1, ReasonCode::Success));
    trace.expect_nothing("bob");
}

/// [MQTT-4.3.3-13] [MQTT-4.3.3-7]
#[test]
fn the_handshake_of_a_qos_2_message_goes_on_after_it_has_expired() {
    let mut trace = Trace::new(V5);
    trace.resume("bob");
    trace.subscribe("bob", "t", ExactlyOnce);
    trace.cut("bob");
    trace.connect("ada");
    let properties = PublishProperties { message_expiry_interval: Some(5), ..Default::default() };
    let publish = Publish { qos: ExactlyOnce, packet_id: Some(id(1)), properties, ..message("t", "x") };
    trace.send("ada", Packet::Publish(publish.clone()));
    trace.expect("ada", pubrec(1, ReasonCode::Success));
    trace.wait_secs(10);
    trace.send("ada", Packet::Publish(Publish { dup: true, ..publish }));
    trace.expect("ada", pubrec(1, ReasonCode::Success));
    trace.send("ada", pubrel(1, ReasonCode::Success));
    trace.expect("ada", pubcomp(1, ReasonCode::Success));
    trace.resume("bob");
    trace.expect_nothing("bob");
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
