//! Flow control (4.9).

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{Connect, ConnectProperties, Packet, ReasonCode},
};
use std::num::NonZeroU16;

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

/// Bob allows so many messages of QoS 1 and 2 and has acknowledged none.
fn with_closed_window(receive_maximum: u16) -> Trace {
    let mut trace = Trace::new(V5);
    let receive_maximum = NonZeroU16::new(receive_maximum);
    let properties = ConnectProperties { receive_maximum, ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.subscribe("bob", "t", ExactlyOnce);
    trace.connect("ada");
    for number in 1..=10 {
        trace.send("ada", publish("t", "x", ExactlyOnce, number));
    }
    trace
}

/// [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-3.3.4-9]
#[test]
fn as_many_messages_are_begun_as_receive_maximum_says() {
    for receive_maximum in 1..=5 {
        let mut trace = with_closed_window(receive_maximum);
        for packet_id in 1..=receive_maximum {
            trace.expect("bob", publish("t", "x", ExactlyOnce, packet_id));
        }
        trace.expect_nothing("bob");
        trace.send("bob", pubrec(1, ReasonCode::Success));
        trace.expect("bob", pubrel(1, ReasonCode::Success));
        trace.expect_nothing("bob");
        trace.send("bob", pubcomp(1, ReasonCode::Success));
        trace.expect("bob", publish("t", "x", ExactlyOnce, receive_maximum + 1));
        trace.expect_nothing("bob");
    }
}

/// [MQTT-3.3.4-10] [MQTT-4.9.0-3]
#[test]
fn a_closed_window_holds_up_nothing_but_publish() {
    let mut trace = with_closed_window(1);
    trace.hear_publish("bob");
    trace.send("bob", Packet::PingReq);
    trace.expect("bob", Packet::PingResp);
    trace.send("bob", subscribe(2, &[("u", AtMostOnce)]));
    trace.expect("bob", suback(2, &[ReasonCode::Success]));
    trace.send("bob", publish("v", "x", ExactlyOnce, 1));
    trace.expect("bob", pubrec(1, ReasonCode::NoMatchingSubscribers));
    trace.send("bob", pubrel(1, ReasonCode::Success));
    trace.expect("bob", pubcomp(1, ReasonCode::Success));
    trace.send("bob", unsubscribe(3, &["u"]));
    trace.expect("bob", unsuback(3, &[ReasonCode::Success]));
    trace.send("bob", pubrec(1, ReasonCode::Success));
    trace.expect("bob", pubrel(1, ReasonCode::Success));
    trace.expect_nothing("bob");
}
