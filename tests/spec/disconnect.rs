//! DISCONNECT (3.14).

use crate::{harness::*, raw::*, session::with_expiry};
use mqlite::{
    broker::Config,
    codec::{Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet, ReasonCode},
};
use std::num::NonZeroU32;

/// (4.11) [MQTT-3.14.4-2]
#[test]
fn the_clients_of_a_server_that_has_moved_hear_where_to_and_others_may_come() {
    for (permanent, reason) in [(false, ReasonCode::UseAnotherServer), (true, ReasonCode::ServerMoved)] {
        let mut trace = Trace::new(V5);
        trace.connect("ada");
        trace.open("bob");
        trace.move_to("wss://example.org/mqtt", permanent);
        let Packet::Disconnect(disconnect) = trace.hear("ada") else { panic!("no DISCONNECT") };
        assert_eq!(disconnect.reason, reason);
        assert_eq!(disconnect.properties.server_reference, Some(text("wss://example.org/mqtt")));
        trace.expect_closed("ada", reason);
        trace.expect_closed("bob", reason);
        trace.connect("cyd");
    }
    let mut trace = Trace::new(V3_1_1);
    trace.connect("ada");
    trace.move_to("wss://example.org/mqtt", true);
    trace.expect_closed("ada", ReasonCode::ServerMoved);
}

/// [MQTT-3.14.4-2]
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

/// [MQTT-3.14.2-2] [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1]
#[test]
fn the_servers_disconnect_names_no_session_expiry_interval_and_is_the_last_of_the_connection() {
    let ends: [fn(&mut Trace); 3] =
        [|trace| trace.connect("ada, again"), |trace| trace.send("ada", Packet::PingResp), |trace| trace.wait_secs(15)];
    for (number, end) in ends.into_iter().enumerate() {
        let mut trace = Trace::new(V5);
        let properties = ConnectProperties { session_expiry_interval: Some(60), ..Default::default() };
        trace.connect_with("ada", Connect { keep_alive: 10, properties, ..connect("ada, again") });
        trace.subscribe("ada", "t", AtMostOnce);
        end(&mut trace);
        let Packet::Disconnect(disconnect) = trace.hear("ada") else { panic!("{number}: no DISCONNECT") };
        assert_eq!(disconnect.properties.session_expiry_interval, None);
        trace.expect_closed("ada", disconnect.reason);
        trace.publish(message("t", "late"));
        trace.send("ada", Packet::PingReq);
        trace.expect_closed("ada", disconnect.reason);
    }
}

/// [MQTT-3.14.2-3] [MQTT-3.14.2-4]
#[test]
fn the_servers_disconnect_explains_itself_where_the_client_takes_packets_as_large() {
    for (maximum_packet_size, explains) in [(1_000, true), (40, false)] {
        let mut trace = Trace::new(V5);
        let maximum_packet_size = NonZeroU32::new(maximum_packet_size);
        let properties = ConnectProperties { maximum_packet_size, ..Default::default() };
        trace.connect_with("ada", Connect { properties, ..connect("ada") });
        trace.send("ada", publish("#", "x", AtMostOnce, 0));
        let Packet::Disconnect(disconnect) = trace.hear("ada") else { panic!("no DISCONNECT") };
        assert_eq!(disconnect.reason, ReasonCode::TopicNameInvalid);
        assert_eq!(disconnect.properties.reason_string.is_some(), explains);
        assert_eq!(disconnect.properties.user_properties, []);
    }
}

/// [MQTT-3.14.0-1]
#[test]
fn before_the_connack_nobody_hears_a_disconnect() {
    both(|version| {
        let mut trace = Trace::new(version);
        for name in ["silent", "early"] {
            trace.open(name);
        }
        trace.send("early", Packet::PingReq);
        trace.expect_closed("early", ReasonCode::ProtocolError);
        trace.shut_down();
        trace.expect_closed("silent", ReasonCode::ServerShuttingDown);
    });
}

/// [MQTT-3.14.4-3] [3.1.1 MQTT-3.14.4-3]
#[test]
fn what_follows_a_disconnect_is_not_read() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "#", AtMostOnce);
        trace.connect_with("ada", Connect { will: Some(will("w", "gone")), ..connect("ada") });
        let late = raw(0x30, &[b"\x00\x01t", &properties(version, b""), b"x"]);
        trace.send_bytes("ada", [&b"\xE0\x00"[..], &late, b"\x00\x00"].concat());
        trace.expect_closed("ada", ReasonCode::Success);
        trace.expect_nothing("bob");
    });
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
