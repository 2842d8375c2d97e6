//! DISCONNECT and the handling of errors from the client's side (2, 3.14, 4.13).

use crate::harness::*;
use mqlite::{
    client::{Action, Cause},
    codec::{ConnAckProperties, Disconnect, DisconnectProperties, Packet, ReasonCode},
};
use std::num::NonZeroU32;

/// [MQTT-3.14.4-1] [MQTT-3.14.4-2] [3.1.1 MQTT-3.14.4-1] [3.1.1 MQTT-3.14.4-2]
#[test]
fn after_its_disconnect_the_client_sends_nothing_and_closes() {
    both(|version| {
        let mut trace = Trace::connected(version);
        trace.disconnect(ReasonCode::Success, DisconnectProperties::default());
        trace.expect(Packet::Disconnect(Disconnect::from(ReasonCode::Success)));
        trace.expect_closed();
        trace.publish(1, "t", AtMostOnce);
        trace.subscribe(2, &["t"]);
        trace.receive(publish("t", AtLeastOnce, 1));
        trace.receive(Packet::PingResp);
        trace.wait_secs(1_000);
        trace.expect_closed();
    });
}

/// [MQTT-2.1.3-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1] [3.1.1 MQTT-2.2.2-2]
#[test]
fn reserved_bits_that_are_not_as_listed_are_0x81() {
    both(|version| {
        for packet in [
            &b"\x40\x02\x00\x01"[..],
            b"\x50\x02\x00\x01",
            b"\x62\x02\x00\x01",
            b"\x70\x02\x00\x01",
            b"\xD0\x00",
            b"\xE0\x00",
            b"\xF0\x00",
        ] {
            for flags in (0..16).filter(|flags| *flags != packet[0] & 15) {
                let mut trace = Trace::connected(version);
                trace.receive_bytes([&[packet[0] & 0xF0 | flags], &packet[1..]].concat());
                trace.expect_violated(ReasonCode::MalformedPacket);
            }
        }
    });
}

/// [MQTT-3.14.2-1]
#[test]
fn whatever_the_host_says_the_client_gives_a_reason_of_a_client() {
    let of_clients = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
    for asked in (0..=255).filter_map(ReasonCode::from_u8) {
        let mut trace = Trace::connected(V5);
        trace.disconnect(asked, DisconnectProperties::default());
        let Packet::Disconnect(sent) = trace.hear() else { panic!("no DISCONNECT") };
        assert!(of_clients.contains(&sent.reason.value()), "{asked}: {}", sent.reason);
        assert!(!of_clients.contains(&asked.value()) || sent.reason == asked, "{asked}: {}", sent.reason);
    }
}

/// [MQTT-3.14.2-3] [MQTT-3.14.2-4]
#[test]
fn a_disconnect_explains_itself_where_the_server_takes_packets_as_large() {
    for explained in [
        DisconnectProperties { reason_string: Some(text("going home")), ..Default::default() },
        DisconnectProperties { user_properties: vec![(text("going"), text("home"))], ..Default::default() },
    ] {
        for (maximum_packet_size, explains) in [(30, true), (10, false)] {
            let maximum_packet_size = NonZeroU32::new(maximum_packet_size);
            let mut trace = Trace::connected_to(ConnAckProperties { maximum_packet_size, ..Default::default() });
            trace.disconnect(ReasonCode::UnspecifiedError, explained.clone());
            let properties = if explains { explained.clone() } else { DisconnectProperties::default() };
            trace.expect(Packet::Disconnect(Disconnect { reason: ReasonCode::UnspecifiedError, properties }));
            trace.expect_closed();
        }
    }
}

/// [MQTT-3.14.2-2] [MQTT-3.14.2-1]
#[test]
fn a_disconnect_that_no_server_may_send_is_a_protocol_error() {
    for bytes in [&b"\xE0\x07\x82\x05\x11\x00\x00\x00\x01"[..], b"\xE0\x01\x10"] {
        let mut trace = Trace::connected(V5);
        trace.receive_bytes(bytes);
        trace.expect_violated(ReasonCode::ProtocolError);
    }
}

/// [MQTT-4.13.2-1] [MQTT-3.14.4-1]
#[test]
fn the_servers_disconnect_ends_the_connection() {
    let mut trace = Trace::connected(V5);
    trace.receive(Packet::Disconnect(Disconnect::from(ReasonCode::ServerBusy)));
    trace.expect_closed();
    assert!(matches!(
        trace.told(),
        Some(Action::Disconnected { cause: Cause::Server { reason: ReasonCode::ServerBusy, .. } })
    ));
    trace.receive(publish("t", AtMostOnce, 0));
    assert_eq!(trace.told(), None);
}

/// [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.5-1] [MQTT-3.3.1-4]
#[test]
fn bytes_that_are_no_packet_are_0x81() {
    both(|version| {
        for bytes in [
            &b"\x30\x05\x00\x01\xFF\x00x"[..],
            b"\x30\x05\x00\x01\x00\x00x",
            b"\xD0\x80\x00",
            b"\x36\x07\x00\x01t\x00\x01\x00x",
        ] {
            let mut trace = Trace::connected(version);
            trace.receive_bytes(bytes);
            trace.expect_violated(ReasonCode::MalformedPacket);
        }
    });
}
