//! AUTH and enhanced authentication from the client's side (3.15, 4.12).

use crate::harness::*;
use mqlite::{
    client::{Action, Input},
    codec::{Auth, AuthProperties, ConnAckProperties, DisconnectProperties, Packet, ReasonCode},
};
use std::num::NonZeroU32;

fn auth(reason: ReasonCode) -> Packet {
    Packet::Auth(Auth { reason, properties: of_method("m") })
}

fn of_method(method: &str) -> AuthProperties {
    AuthProperties { authentication_method: Some(text(method)), ..Default::default() }
}

/// A client that has sent a CONNECT with an Authentication Method.
fn begun() -> Trace {
    let mut trace = Trace::with(V5, |options| options.connect.properties.authentication_method = Some(text("m")));
    assert_eq!(trace.open().properties.authentication_method, Some(text("m")));
    trace
}

/// The server, which takes packets of this size, has accepted it.
fn accepted(maximum_packet_size: Option<u32>) -> Trace {
    let mut trace = begun();
    let maximum_packet_size = maximum_packet_size.and_then(NonZeroU32::new);
    let authentication_method = Some(text("m"));
    trace.accept(false, ConnAckProperties { authentication_method, maximum_packet_size, ..Default::default() });
    trace
}

fn answer(trace: &mut Trace, properties: AuthProperties) {
    trace.input(Input::Authenticate { properties });
}

/// [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-4.12.1-1] [MQTT-3.15.2-1]
#[test]
fn each_auth_of_the_client_has_the_method_of_its_connect_and_the_reason_of_its_turn() {
    let mut trace = begun();
    for _ in 0..2 {
        trace.receive(auth(ReasonCode::ContinueAuthentication));
        answer(&mut trace, of_method("another"));
        trace.expect(auth(ReasonCode::ContinueAuthentication));
    }
    trace.accept(false, ConnAckProperties { authentication_method: Some(text("m")), ..Default::default() });
    answer(&mut trace, of_method("another"));
    trace.expect(auth(ReasonCode::ReAuthenticate));
    trace.receive(auth(ReasonCode::ContinueAuthentication));
    answer(&mut trace, AuthProperties::default());
    trace.expect(auth(ReasonCode::ContinueAuthentication));
    trace.receive(auth(ReasonCode::Success));
    trace.expect_nothing();
}

/// [MQTT-4.12.0-7] [MQTT-4.12.0-6]
#[test]
fn without_a_method_in_its_connect_the_client_sends_no_auth_and_takes_none() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.open();
        answer(&mut trace, of_method("m"));
        trace.accept(false, ConnAckProperties::default());
        answer(&mut trace, of_method("m"));
        trace.expect_nothing();
        trace.receive_bytes(&b"\xF0\x06\x18\x04\x15\x00\x01m"[..]);
        trace.expect_violated(if version == V5 { ReasonCode::ProtocolError } else { ReasonCode::MalformedPacket });
    });
}

/// [MQTT-4.12.0-5] [MQTT-3.15.2-1]
#[test]
fn an_auth_or_connack_with_another_method_or_reason_is_a_protocol_error() {
    let mut trace = begun();
    trace.receive(Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties: of_method("n") }));
    trace.expect_violated(ReasonCode::ProtocolError);
    let mut trace = begun();
    trace.receive_bytes(&b"\xF0\x06\x87\x04\x15\x00\x01m"[..]);
    trace.expect_violated(ReasonCode::ProtocolError);
    for authentication_method in [None, Some(text("n"))] {
        let mut trace = begun();
        trace.receive(connack(false, ConnAckProperties { authentication_method, ..Default::default() }));
        trace.expect_violated(ReasonCode::ProtocolError);
    }
}

/// [MQTT-4.12.1-2]
#[test]
fn a_re_authentication_that_fails_ends_the_connection_from_either_side() {
    let mut trace = accepted(None);
    answer(&mut trace, of_method("m"));
    trace.expect(auth(ReasonCode::ReAuthenticate));
    trace.receive(auth(ReasonCode::ContinueAuthentication));
    assert!(matches!(trace.told(), Some(Action::Authenticate { .. })));
    trace.disconnect(ReasonCode::UnspecifiedError, DisconnectProperties::default());
    trace.expect(Packet::Disconnect(ReasonCode::UnspecifiedError.into()));
    trace.expect_closed();
    let mut trace = accepted(None);
    answer(&mut trace, of_method("m"));
    trace.hear();
    trace.receive(Packet::Disconnect(ReasonCode::NotAuthorized.into()));
    trace.expect_closed();
}

/// [MQTT-3.15.2-2] [MQTT-3.15.2-3]
#[test]
fn an_auth_explains_itself_where_the_server_takes_packets_as_large() {
    for explained in [
        AuthProperties { reason_string: Some(text("a new proof")), ..of_method("m") },
        AuthProperties { user_properties: vec![(text("a new"), text("proof"))], ..of_method("m") },
    ] {
        for (maximum_packet_size, explains) in [(30, true), (15, false)] {
            let mut trace = accepted(Some(maximum_packet_size));
            answer(&mut trace, explained.clone());
            let properties = if explains { explained.clone() } else { of_method("m") };
            trace.expect(Packet::Auth(Auth { reason: ReasonCode::ReAuthenticate, properties }));
        }
    }
}
