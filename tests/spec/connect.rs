//! CONNECT and CONNACK (3.1, 3.2).

use crate::harness::*;
use mqlite::{
    broker::{Config, Event},
    codec::{ConnAckProperties, Connect, ConnectProperties, Packet, ReasonCode},
};
use std::num::NonZeroU32;

fn connack_of(trace: &mut Trace, connect: Connect) -> ConnAckProperties {
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect)));
    match trace.hear("ada") {
        Packet::ConnAck(connack) if connack.reason == ReasonCode::Success => connack.properties,
        other => panic!("expected a successful CONNACK, heard {other:?}"),
    }
}

/// [MQTT-3.1.4-3]
#[test]
fn a_taken_over_connection_hears_8e_then_closes() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.open("old");
        trace.send("old", Packet::Connect(Box::new(connect("ada"))));
        trace.hear("old");
        trace.open("new");
        trace.send("new", Packet::Connect(Box::new(connect("ada"))));
        trace.expect_thrown_out("old", ReasonCode::SessionTakenOver);
        trace.hear("new");
        trace.send("new", Packet::PingReq);
        trace.expect("new", Packet::PingResp);
    });
}

/// [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]
#[test]
fn a_client_without_an_identifier_is_given_a_new_one() {
    let mut trace = Trace::new(V5);
    let mut assigned = || connack_of(&mut trace, connect("")).assigned_client_identifier.unwrap();
    let (first, second) = (assigned(), assigned());
    assert!(!first.is_empty() && first != second);
    let mut trace = Trace::new(V3_1_1);
    connack_of(&mut trace, connect(""));
}

/// [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.2.2-2] [MQTT-3.2.2-3]
#[test]
fn session_present_tells_whether_the_session_was_there() {
    both(|version| {
        let mut trace = Trace::new(version);
        assert!(!trace.resume("ada"));
        trace.leave("ada");
        assert!(trace.resume("ada"));
        trace.leave("ada");
        trace.connect("ada");
        trace.leave("ada");
        assert!(!trace.resume("ada"));
    });
}

/// [MQTT-3.1.2-22]
#[test]
fn a_silent_client_is_closed_after_one_and_a_half_keep_alives() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect_with("ada", Connect { keep_alive: 10, ..connect("ada") });
        trace.wait_secs(14);
        trace.send("ada", Packet::PingReq);
        trace.expect("ada", Packet::PingResp);
        trace.wait_secs(14);
        trace.expect_nothing("ada");
        trace.wait_secs(1);
        trace.expect_thrown_out("ada", ReasonCode::KeepAliveTimeout);
    });
}

/// [MQTT-3.1.2-21]
#[test]
fn server_keep_alive_replaces_the_clients() {
    let mut trace = Trace::with(V5, Config { server_keep_alive_seconds: Some(60), ..Default::default() });
    let connack = connack_of(&mut trace, Connect { keep_alive: 10, ..connect("ada") });
    assert_eq!(connack.server_keep_alive, Some(60));
    trace.wait_secs(89);
    trace.expect_nothing("ada");
    trace.wait_secs(1);
    trace.expect_thrown_out("ada", ReasonCode::KeepAliveTimeout);
}

#[test]
fn what_the_server_cannot_do_is_announced() {
    let config = Config {
        maximum_qos: AtLeastOnce,
        retain_available: false,
        wildcard_subscription_available: false,
        subscription_identifiers_available: false,
        shared_subscription_available: false,
        maximum_session_expiry_seconds: 60,
        topic_alias_maximum: 3,
        maximum_packet_size: 1_000,
        ..Default::default()
    };
    let properties = ConnectProperties { session_expiry_interval: Some(61), ..Default::default() };
    let connack = connack_of(&mut Trace::with(V5, config), Connect { properties, ..connect("ada") });
    assert_eq!(connack.maximum_qos, Some(AtLeastOnce));
    assert_eq!(connack.retain_available, Some(false));
    assert_eq!(connack.wildcard_subscription_available, Some(false));
    assert_eq!(connack.subscription_identifiers_available, Some(false));
    assert_eq!(connack.shared_subscription_available, Some(false));
    assert_eq!(connack.session_expiry_interval, Some(60));
    assert_eq!(connack.topic_alias_maximum, Some(3));
    assert_eq!(connack.maximum_packet_size.unwrap().get(), 1_000);
}

/// [MQTT-3.1.2-28]
#[test]
fn response_information_comes_on_request_alone() {
    let config = Config { response_information: Some(text("answers/")), ..Default::default() };
    let mut trace = Trace::with(V5, config);
    assert_eq!(connack_of(&mut trace, connect("ada")).response_information, None);
    let properties = ConnectProperties { request_response_information: Some(true), ..Default::default() };
    let connack = connack_of(&mut trace, Connect { properties, ..connect("ada") });
    assert_eq!(connack.response_information, Some(text("answers/")));
}

#[test]
fn a_connection_without_connect_is_closed_in_time() {
    let mut trace = Trace::new(V5);
    trace.open("ada");
    trace.send_bytes("ada", &b"\x10"[..]);
    trace.wait_secs(10);
    trace.expect_closed("ada", ReasonCode::KeepAliveTimeout);
}

#[test]
fn one_connection_too_many_is_closed_at_once() {
    let mut trace = Trace::with(V5, Config { maximum_connections: 1, ..Default::default() });
    trace.connect("ada");
    trace.open("bob");
    trace.expect_closed("bob", ReasonCode::QuotaExceeded);
    trace.leave("ada");
    trace.connect("bob");
}

#[test]
fn the_server_that_shuts_down_says_so() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.open("bob");
        trace.shut_down();
        trace.expect_thrown_out("ada", ReasonCode::ServerShuttingDown);
        trace.expect_closed("bob", ReasonCode::ServerShuttingDown);
        assert_eq!(trace.deadline(), None);
    });
}

fn picky(maximum_packet_size: u32) -> Connect {
    let maximum_packet_size = NonZeroU32::new(maximum_packet_size);
    let properties = ConnectProperties { maximum_packet_size, ..Default::default() };
    Connect { properties, will: Some(will("w", "gone")), ..connect("ada") }
}

/// [MQTT-3.1.2-24]
#[test]
fn a_client_that_no_connack_is_small_enough_for_is_closed_and_harms_nobody() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "w", AtMostOnce);
    trace.resume("ada");
    trace.subscribe("ada", "t", AtLeastOnce);
    trace.forget_events();
    trace.open("newcomer");
    trace.send("newcomer", Packet::Connect(Box::new(picky(10))));
    trace.expect_closed("newcomer", ReasonCode::PacketTooLarge);
    assert!(matches!(trace.events(), [Event::Refused { .. }]), "{:?}", trace.events());
    trace.send("ada", publish("t", "x", AtMostOnce, 0));
    assert_eq!(trace.hear_publish("ada").payload, "x");
    trace.expect_nothing("bob");
    let statistics = trace.statistics();
    assert_eq!((statistics.clients_connected, statistics.clients_maximum, statistics.sessions), (2, 2, 2));
}

/// [MQTT-4.2-1]
#[test]
fn packets_may_come_byte_by_byte_or_all_at_once() {
    both(|version| {
        let mut bytes = bytes::BytesMut::new();
        let connect = Connect { version, ..connect("ada") };
        for packet in [
            Packet::Connect(Box::new(connect)),
            subscribe(1, &[("t", AtMostOnce)]),
            publish("t", "x", AtLeastOnce, 2),
            Packet::PingReq,
        ] {
            packet.encode(version, &mut bytes).unwrap();
        }
        for size in [1, 2, 3, 7, bytes.len()] {
            let mut trace = Trace::new(version);
            trace.open("ada");
            for chunk in bytes.chunks(size) {
                trace.send_bytes("ada", chunk.to_vec());
                trace.send_bytes("ada", &b""[..]);
            }
            assert!(matches!(trace.hear("ada"), Packet::ConnAck(_)));
            trace.expect("ada", suback(1, &[ReasonCode::Success]));
            trace.expect("ada", publish("t", "x", AtMostOnce, 0));
            trace.expect("ada", puback(2, ReasonCode::Success));
            trace.expect("ada", Packet::PingResp);
        }
    });
}
