//! CONNECT, CONNACK, keep-alive and what becomes of the session (3.1, 3.2, 4.1).

use crate::harness::*;
use mqlite::{
    client::{Action, Cause, Outcome},
    codec::{ConnAck, ConnAckProperties, Packet, ReasonCode},
};

/// [MQTT-3.1.0-1]
#[test]
fn nothing_is_sent_before_the_connect_nor_before_its_connack() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.publish(1, "t", AtLeastOnce);
        trace.subscribe(2, &["t"]);
        trace.open();
        trace.unsubscribe(3, &["t"]);
        trace.publish(4, "t", AtMostOnce);
        trace.expect_nothing();
        trace.accept(false, ConnAckProperties::default());
        trace.expect(publish("t", AtLeastOnce, 1));
        assert!(matches!(trace.hear(), Packet::Subscribe(_)));
        assert!(matches!(trace.hear(), Packet::Unsubscribe(_)));
        trace.expect(publish("t", AtMostOnce, 0));
    });
}

/// [MQTT-3.1.2-20] [3.1.1 MQTT-3.1.2-23]
#[test]
fn a_client_that_has_nothing_to_say_pings_within_its_keep_alive() {
    both(|version| {
        let mut trace = Trace::with(version, |options| options.connect.keep_alive = 10);
        trace.connect(false);
        for _ in 0..3 {
            trace.wait_secs(4);
            trace.expect_nothing();
            trace.wait_secs(1);
            trace.expect(Packet::PingReq);
            trace.receive(Packet::PingResp);
        }
        trace.wait_secs(4);
        trace.publish(1, "t", AtMostOnce);
        trace.expect(publish("t", AtMostOnce, 0));
        trace.wait_secs(4);
        trace.expect_nothing();
    });
}

/// [MQTT-3.1.2-21] [MQTT-3.2.2-21]
#[test]
fn the_servers_keep_alive_replaces_the_clients() {
    let with =
        |server_keep_alive| ConnAckProperties { server_keep_alive: Some(server_keep_alive), ..Default::default() };
    let mut trace = Trace::connected_to(with(10));
    trace.wait_secs(4);
    trace.expect_nothing();
    trace.wait_secs(1);
    trace.expect(Packet::PingReq);
    let mut trace = Trace::connected_to(with(600));
    trace.wait_secs(299);
    trace.expect_nothing();
    trace.wait_secs(1);
    trace.expect(Packet::PingReq);
}

/// [MQTT-3.1.2-30]
#[test]
fn a_client_that_authenticates_sends_nothing_else_before_its_connack() {
    let mut trace = Trace::with(V5, |options| {
        options.connect.properties.authentication_method = Some(text("m"));
    });
    trace.publish(1, "t", AtMostOnce);
    trace.open();
    trace.subscribe(2, &["t"]);
    trace.receive_bytes(&b"\xF0\x06\x18\x04\x15\x00\x01m"[..]);
    trace.publish(3, "t", AtLeastOnce);
    trace.wait_secs(600);
    trace.expect_nothing();
    let properties = ConnAckProperties { authentication_method: Some(text("m")), ..Default::default() };
    trace.receive(connack(false, properties));
    trace.expect(publish("t", AtMostOnce, 0));
    assert!(matches!(trace.hear(), Packet::Subscribe(_)));
    trace.expect(publish("t", AtLeastOnce, 2));
}

/// [MQTT-3.2.2-4] Without Clean Start the host says that a session is there to go on with, be it of an earlier process.
#[test]
fn a_client_that_has_no_session_closes_where_one_is_present() {
    both(|version| {
        let mut trace = Trace::with(version, |options| options.connect.clean_start = true);
        assert!(trace.open().clean_start);
        trace.receive(connack(true, ConnAckProperties::default()));
        trace.expect_violated(ReasonCode::ProtocolError);
        assert!(matches!(trace.told(), Some(Action::Disconnected { cause: Cause::Violated(_) })));
        let mut trace = Trace::new(version);
        assert!(!trace.open().clean_start);
        trace.accept(true, ConnAckProperties::default());
        trace.expect_nothing();
    });
}

/// [MQTT-3.2.2-5]
#[test]
fn a_client_whose_session_the_server_has_not_forgets_it_too() {
    both(|version| {
        let mut trace = Trace::connected(version);
        trace.publish(1, "t", ExactlyOnce);
        trace.publish(2, "u", ExactlyOnce);
        trace.receive(pubrec(1, ReasonCode::Success));
        trace.receive(publish("in", ExactlyOnce, 7));
        let earlier = trace.expect_delivered("in").unwrap();
        for _ in 0..3 {
            trace.hear();
        }
        trace.connect(false);
        for request in [1, 2] {
            assert_eq!(trace.expect_completed(request), Outcome::Interrupted);
        }
        trace.expect_nothing();
        trace.acknowledge(earlier);
        trace.expect_nothing();
        trace.receive(publish("in", ExactlyOnce, 7));
        assert!(trace.expect_delivered("in").is_some(), "it is a new message");
    });
}

/// [MQTT-3.1.2-23] [MQTT-4.1.0-1]
#[test]
fn the_session_outlives_the_connection_and_is_kept_while_it_lasts() {
    both(|version| {
        let mut trace = Trace::connected(version);
        trace.publish(1, "t", AtLeastOnce);
        trace.receive(publish("in", ExactlyOnce, 7));
        let delivery = trace.expect_delivered("in").unwrap();
        trace.acknowledge(delivery);
        trace.expect(publish("t", AtLeastOnce, 1));
        trace.expect(pubrec(7, ReasonCode::Success));
        trace.cut();
        trace.wait_secs(1_000);
        trace.connect(true);
        trace.expect(again("t", AtLeastOnce, 1));
        trace.receive(again("in", ExactlyOnce, 7));
        trace.expect(pubrec(7, ReasonCode::Success));
        assert_eq!(trace.told(), None, "the message was delivered before");
    });
}

/// [MQTT-3.2.2-1] [MQTT-3.2.2-6] [MQTT-3.2.2-8] [MQTT-3.2.0-1] [MQTT-3.2.0-2]
#[test]
fn a_connack_that_no_server_may_send_is_not_accepted() {
    both(|version| {
        let none: &[u8] = if version == V5 { b"\x00" } else { b"" };
        let cases = [
            (&b"\x02\x00"[..], ReasonCode::MalformedPacket),
            (b"\x01\x87", ReasonCode::ProtocolError),
            (b"\x00\x7F", ReasonCode::ProtocolError),
        ];
        for (bytes, reason) in cases {
            let mut trace = Trace::new(version);
            trace.open();
            trace.receive_bytes([&[0x20, 2 + none.len() as u8], bytes, none].concat());
            trace.expect_violated(reason);
        }
        let mut trace = Trace::new(version);
        trace.open();
        trace.receive(Packet::PingResp);
        trace.expect_violated(ReasonCode::ProtocolError);
        let mut trace = Trace::connected(version);
        trace.receive(connack(false, ConnAckProperties::default()));
        trace.expect_violated(ReasonCode::ProtocolError);
    });
}

/// [MQTT-4.13.2-1]
#[test]
fn a_connack_that_refuses_ends_the_connection() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.publish(1, "t", AtLeastOnce);
        trace.open();
        let (reason, properties) = (ReasonCode::NotAuthorized, ConnAckProperties::default());
        trace.receive(Packet::ConnAck(Box::new(ConnAck { session_present: false, reason, properties })));
        trace.expect_closed();
        assert!(matches!(trace.told(), Some(Action::Refused { reason: ReasonCode::NotAuthorized, .. })));
    });
}
