//! Session State (4.1).

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{Connect, ConnectProperties, Packet, ReasonCode},
};

pub fn with_expiry(seconds: u32) -> Connect {
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

/// [MQTT-3.1.2-4] [3.1.1 MQTT-3.1.2-6]
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
    assert_eq!(trace.hear_connack("bob").reason, ReasonCode::QuotaExceeded);
    assert!(trace.resume("ada"));
}
