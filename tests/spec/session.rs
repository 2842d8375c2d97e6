//! Sessions that outlive connections (3.1.2.4, 3.1.2.11.2, 4.1).

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet, ReasonCode},
};

fn with_expiry(seconds: u32) -> Connect {
    let properties = ConnectProperties { session_expiry_interval: Some(seconds), ..Default::default() };
    Connect { clean_start: false, properties, ..connect("ada") }
}

/// [MQTT-3.1.2-23] [MQTT-4.1.0-2]
#[test]
fn a_session_ends_when_its_interval_has_passed() {
    let mut trace = Trace::new(V5);
    trace.connect_with("ada", with_expiry(10));
    trace.cut("ada");
    trace.wait_secs(9);
    assert!(trace.connect_with("ada", with_expiry(10)));
    trace.cut("ada");
    trace.wait_secs(10);
    assert_eq!(trace.statistics().sessions, 0);
    assert!(!trace.connect_with("ada", with_expiry(10)));
}

/// [MQTT-4.1.0-1]
#[test]
fn a_connected_session_does_not_expire() {
    let mut trace = Trace::new(V5);
    trace.connect_with("ada", with_expiry(10));
    trace.wait_secs(1_000);
    trace.expect_nothing("ada");
    assert_eq!(trace.statistics().sessions, 1);
}

/// (3.14.2.2.2) is about what the CONNECT said, not about what the server made of it.
#[test]
fn disconnect_may_name_an_interval_that_this_broker_cut_to_0() {
    let mut trace = Trace::with(V5, Config { maximum_session_expiry_seconds: 0, ..Default::default() });
    trace.connect_with("ada", with_expiry(10));
    let properties = DisconnectProperties { session_expiry_interval: Some(100), ..Default::default() };
    trace.send("ada", Packet::Disconnect(Disconnect { reason: ReasonCode::Success, properties }));
    trace.expect_closed("ada", ReasonCode::Success);
    assert_eq!(trace.statistics().sessions, 0);
}

/// [MQTT-3.1.2-4]
#[test]
fn a_clean_start_discards_subscriptions_and_messages() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("ada");
        trace.subscribe("ada", "t", AtLeastOnce);
        trace.cut("ada");
        trace.connect("bob");
        trace.send("bob", publish("t", "x", AtLeastOnce, 1));
        trace.connect("ada");
        trace.send("bob", publish("t", "y", AtLeastOnce, 2));
        trace.expect_nothing("ada");
        assert_eq!(trace.statistics().messages_stored, 0);
        assert_eq!(trace.statistics().subscriptions, 0);
    });
}

/// [MQTT-4.5.0-1]
#[test]
fn messages_of_qos_1_and_2_wait_for_an_absent_client() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("ada");
        trace.subscribe("ada", "t", ExactlyOnce);
        trace.leave("ada");
        trace.connect("bob");
        trace.send("bob", publish("t", "zero", AtMostOnce, 0));
        trace.send("bob", publish("t", "one", AtLeastOnce, 1));
        trace.send("bob", publish("t", "two", ExactlyOnce, 2));
        assert!(trace.resume("ada"));
        trace.expect("ada", publish("t", "one", AtLeastOnce, 1));
        trace.expect("ada", publish("t", "two", ExactlyOnce, 2));
        trace.expect_nothing("ada");
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

#[test]
fn a_client_may_return_with_the_other_version() {
    let mut trace = Trace::new(V5);
    trace.resume("ada");
    trace.subscribe("ada", "t", AtLeastOnce);
    trace.cut("ada");
    trace.connect("bob");
    trace.send("bob", publish("t", "x", AtLeastOnce, 1));
    trace.open_as("ada", V3_1_1);
    trace.send("ada", Packet::Connect(Box::new(Connect { clean_start: false, ..connect("ada") })));
    trace.hear("ada");
    assert_eq!(trace.hear_publish("ada").payload, "x");
}

#[test]
fn a_3_1_1_session_lasts_as_long_as_the_broker_allows() {
    let mut trace = Trace::with(V3_1_1, Config { maximum_session_expiry_seconds: 100, ..Default::default() });
    trace.resume("ada");
    trace.cut("ada");
    trace.wait_secs(99);
    assert!(trace.resume("ada"));
    trace.cut("ada");
    trace.wait_secs(100);
    assert!(!trace.resume("ada"));
}

#[test]
fn one_session_too_many_is_refused() {
    let mut trace = Trace::with(V5, Config { maximum_sessions: 1, ..Default::default() });
    trace.resume("ada");
    trace.cut("ada");
    trace.open("bob");
    trace.send("bob", Packet::Connect(Box::new(connect("bob"))));
    match trace.hear("bob") {
        Packet::ConnAck(connack) => assert_eq!(connack.reason, ReasonCode::QuotaExceeded),
        other => panic!("{other:?}"),
    }
    assert!(trace.resume("ada"));
}
