//! Will Messages (3.1.2.5, 3.1.3.2).

use crate::harness::*;
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

/// [MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT-3.1.2-14]
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

/// [MQTT-3.14.4-3] [MQTT-3.1.2-10]
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

/// [MQTT-3.1.2-15]
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
        match trace.hear("ada") {
            Packet::ConnAck(connack) => assert_eq!(connack.reason, reason),
            other => panic!("{other:?}"),
        }
        trace.expect_closed("ada", reason);
    }
}
