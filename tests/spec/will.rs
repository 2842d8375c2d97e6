//! Will Messages (3.1.2.5, 3.1.3.2).

use crate::{harness::*, raw::*};
use mqlite::{
    broker::Config,
    codec::{Connect, ConnectProperties, Packet, Publish, ReasonCode, Will, WillProperties},
};

fn watched(version: mqlite::codec::ProtocolVersion) -> Trace {
    let mut trace = Trace::new(version);
    trace.connect("bob");
    trace.subscribe("bob", "will/#", ExactlyOnce);
    trace
}

/// Connects ada with a will that waits `delay` seconds, and a session that lasts `expiry`.
fn connect_delayed(trace: &mut Trace, delay: u32, expiry: u32) {
    let properties = ConnectProperties { session_expiry_interval: Some(expiry), ..Default::default() };
    let will_properties = WillProperties { will_delay_interval: Some(delay), ..Default::default() };
    let will = Will { properties: will_properties, ..will("will/ada", "gone") };
    trace.connect_with("ada", Connect { clean_start: false, properties, will: Some(will), ..connect("ada") });
}

/// [MQTT-3.1.2-7] [MQTT-3.1.2-8] [3.1.1 MQTT-3.1.2-8]
#[test]
fn a_lost_connection_publishes_the_will() {
    both(|version| {
        let mut trace = watched(version);
        let will = Will { qos: AtLeastOnce, ..will("will/ada", "gone") };
        trace.connect_with("ada", Connect { will: Some(will), ..connect("ada") });
        trace.cut("ada");
        trace.expect("bob", publish("will/ada", "gone", AtLeastOnce, 1));
    });
}

/// [MQTT-3.14.4-3] [MQTT-3.1.2-10] [3.1.1 MQTT-3.1.2-10]
#[test]
fn a_normal_disconnection_takes_the_will_back() {
    both(|version| {
        let mut trace = watched(version);
        trace.connect_with("ada", Connect { will: Some(will("will/ada", "gone")), ..connect("ada") });
        trace.leave("ada");
        trace.wait_secs(10);
        trace.expect_nothing("bob");
    });
}

#[test]
fn a_disconnect_with_0x04_publishes_the_will() {
    let mut trace = watched(V5);
    trace.connect_with("ada", Connect { will: Some(will("will/ada", "gone")), ..connect("ada") });
    trace.send("ada", disconnect(ReasonCode::DisconnectWithWillMessage));
    trace.hear_publish("bob");
}

/// [MQTT-3.1.2-22]
#[test]
fn silence_publishes_the_will() {
    both(|version| {
        let mut trace = watched(version);
        let connect = Connect { keep_alive: 5, will: Some(will("will/ada", "gone")), ..connect("ada") };
        trace.connect_with("ada", connect);
        trace.wait_secs(8);
        trace.hear_publish("bob");
    });
}

/// [MQTT-3.1.2-14] [3.1.1 MQTT-3.1.2-16]
#[test]
fn a_will_without_retain_greets_nobody_who_comes_later() {
    both(|version| {
        let mut trace = watched(version);
        trace.connect_with("ada", Connect { will: Some(will("will/ada", "gone")), ..connect("ada") });
        trace.cut("ada");
        trace.expect("bob", publish("will/ada", "gone", AtMostOnce, 0));
        trace.connect("late");
        trace.subscribe("late", "will/#", AtMostOnce);
        trace.expect_nothing("late");
    });
}

/// [MQTT-3.1.2-15] [3.1.1 MQTT-3.1.2-17]
#[test]
fn a_retained_will_is_retained() {
    both(|version| {
        let mut trace = Trace::new(version);
        let will = Will { retain: true, ..will("will/ada", "gone") };
        trace.connect_with("ada", Connect { will: Some(will), ..connect("ada") });
        trace.cut("ada");
        trace.connect("bob");
        trace.subscribe("bob", "will/#", AtMostOnce);
        trace.expect("bob", Packet::Publish(Publish { retain: true, ..message("will/ada", "gone") }));
    });
}

/// [MQTT-3.1.2-8] [MQTT-3.1.3-9]
#[test]
fn a_delayed_will_waits_and_is_forgotten_when_the_client_returns() {
    let mut trace = watched(V5);
    connect_delayed(&mut trace, 10, 60);
    trace.cut("ada");
    trace.wait_secs(9);
    trace.expect_nothing("bob");
    connect_delayed(&mut trace, 10, 60);
    trace.wait_secs(20);
    trace.expect_nothing("bob");
    trace.cut("ada");
    trace.wait_secs(10);
    trace.hear_publish("bob");
    trace.wait_secs(100);
    trace.expect_nothing("bob");
}

/// [MQTT-3.1.2-8]
#[test]
fn a_delayed_will_is_published_when_the_session_ends_first() {
    let mut trace = watched(V5);
    connect_delayed(&mut trace, 60, 5);
    trace.cut("ada");
    trace.wait_secs(5);
    trace.hear_publish("bob");
    connect_delayed(&mut trace, 60, 300);
    trace.cut("ada");
    trace.connect("ada");
    trace.hear_publish("bob");
    trace.expect_nothing("bob");
}

#[test]
fn a_takeover_publishes_the_will_unless_it_is_delayed() {
    let mut trace = watched(V5);
    connect_delayed(&mut trace, 0, 60);
    trace.resume("ada");
    trace.hear_publish("bob");
    trace.leave("ada");
    connect_delayed(&mut trace, 10, 60);
    trace.resume("ada");
    trace.wait_secs(60);
    trace.expect_nothing("bob");
}

/// [MQTT-3.2.2-12] [MQTT-3.2.2-13]
#[test]
fn a_will_beyond_what_is_available_is_refused_at_connect() {
    let config = Config { maximum_qos: AtMostOnce, retain_available: false, ..Default::default() };
    let cases = [
        (Will { qos: AtLeastOnce, ..will("t", "x") }, ReasonCode::QoSNotSupported),
        (Will { retain: true, ..will("t", "x") }, ReasonCode::RetainNotSupported),
    ];
    for (will, reason) in cases {
        let mut trace = Trace::with(V5, config.clone());
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(Connect { will: Some(will), ..connect("ada") })));
        assert_eq!(trace.hear_connack("ada").reason, reason);
        trace.expect_closed("ada", reason);
    }
}

/// [MQTT-3.1.2-12]
#[test]
fn a_will_has_the_qos_that_its_flags_say() {
    both(|version| {
        for (flags, qos) in [(0x06, AtMostOnce), (0x0E, AtLeastOnce), (0x16, ExactlyOnce)] {
            let mut trace = Trace::new(version);
            trace.connect("bob");
            trace.subscribe("bob", "w", ExactlyOnce);
            trace.open("ada");
            let will = [properties(version, b""), field(b"w"), field(b"gone")].concat();
            trace.send_bytes("ada", raw_connect(version, flags, &[&field(b"ada"), &will]));
            trace.hear("ada");
            trace.cut("ada");
            assert_eq!(trace.hear_publish("bob").qos, qos);
        }
    });
}

/// [MQTT-3.1.3-10]
#[test]
fn properties_of_a_will_arrive_unaltered_and_in_order() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "w", AtMostOnce);
    let user_properties = vec![(text("b"), text("1")), (text("a"), text("2")), (text("b"), text("1"))];
    let properties = WillProperties {
        payload_format_indicator: Some(true),
        content_type: Some(text("text/plain")),
        response_topic: Some(text("answers")),
        user_properties: user_properties.clone(),
        ..Default::default()
    };
    trace.connect_with("ada", Connect { will: Some(Will { properties, ..will("w", "x") }), ..connect("ada") });
    trace.cut("ada");
    let heard = trace.hear_publish("bob").properties;
    assert_eq!(heard.user_properties, user_properties);
    assert_eq!((heard.content_type, heard.response_topic), (Some(text("text/plain")), Some(text("answers"))));
    assert_eq!(heard.payload_format_indicator, Some(true));
}

/// [MQTT-3.1.2-7] [MQTT-3.1.2-10] A will is one connection's: the next has its own, or none.
#[test]
fn a_will_is_published_once_and_not_again_after_a_later_connection() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "w", AtMostOnce);
        let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
        let connect = Connect { clean_start: false, properties, ..connect("ada") };
        trace.connect_with("ada", Connect { will: Some(will("w", "gone")), ..connect.clone() });
        trace.cut("ada");
        trace.expect("bob", publish("w", "gone", AtMostOnce, 0));
        assert!(trace.connect_with("ada", connect));
        trace.cut("ada");
        trace.wait_secs(10);
        trace.expect_nothing("bob");
    });
}
