//! AUTH and enhanced authentication (3.15, 4.12), verdicts of the host, and redirection (4.11).

use crate::harness::*;
use mqlite::{
    broker::{Authentication, AuthenticationStep, Config, Grant, Grants, Verdict},
    codec::{
        Auth, AuthProperties, Binary, ConnAck, Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet,
        ProtocolVersion, Publish, ReasonCode,
    },
};
use std::num::NonZeroU32;

fn asking(version: ProtocolVersion) -> Trace {
    Trace::with(version, Config { authentication: Authentication::Ask, ..Default::default() })
}

fn data(bytes: &[u8]) -> Option<Binary> {
    Some(Binary::try_from(bytes.to_vec()).unwrap())
}

fn allow(bytes: Option<Binary>) -> Verdict {
    Verdict::Allow { grants: Grants::all(), data: bytes, user_name: None, expires_at: None }
}

fn auth(reason: ReasonCode, bytes: Option<Binary>) -> Packet {
    let properties = AuthProperties {
        authentication_method: Some(text("SCRAM-SHA-256")),
        authentication_data: bytes,
        ..Default::default()
    };
    Packet::Auth(Auth { reason, properties })
}

fn connect_with_method(trace: &mut Trace) {
    let properties = ConnectProperties {
        authentication_method: Some(text("SCRAM-SHA-256")),
        authentication_data: data(b"first"),
        ..Default::default()
    };
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(Connect { properties, ..connect("ada") })));
}

#[test]
fn the_host_decides_and_packets_wait_for_it() {
    both(|version| {
        let mut trace = asking(version);
        trace.open("ada");
        let connect = Connect { user_name: Some(text("ada")), password: data(b"secret"), ..connect("ada") };
        trace.send("ada", Packet::Connect(Box::new(connect)));
        trace.send("ada", Packet::PingReq);
        trace.expect_nothing("ada");
        let request = trace.question();
        assert_eq!(request.step, AuthenticationStep::Connect);
        assert_eq!((request.user_name.clone(), request.password.clone()), (Some(text("ada")), data(b"secret")));
        trace.answer(allow(None));
        assert_eq!(trace.hear_connack("ada").reason, ReasonCode::Success);
        trace.expect("ada", Packet::PingResp);
    });
}

/// [MQTT-3.2.2-7] [MQTT-3.2.2-6] [MQTT-3.1.4-2] [3.1.1 MQTT-3.2.2-5]
#[test]
fn a_denied_client_hears_why_and_is_closed() {
    both(|version| {
        let mut trace = asking(version);
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
        trace.answer(Verdict::deny(ReasonCode::BadUserNameOrPassword));
        let connack = trace.hear_connack("ada");
        assert_eq!((connack.reason, connack.session_present), (ReasonCode::BadUserNameOrPassword, false));
        trace.expect_closed("ada", ReasonCode::BadUserNameOrPassword);
        assert_eq!(trace.statistics().sessions, 0);
    });
}

#[test]
fn a_denied_client_does_not_harm_the_session_it_names() {
    both(|version| {
        let mut trace = asking(version);
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
        trace.answer(allow(None));
        trace.hear_connack("ada");
        trace.open("mallory");
        trace.send("mallory", Packet::Connect(Box::new(connect("ada"))));
        trace.answer(Verdict::deny(ReasonCode::NotAuthorized));
        trace.send("ada", Packet::PingReq);
        trace.expect("ada", Packet::PingResp);
    });
}

#[test]
fn a_redirected_client_hears_where_to_go() {
    both(|version| {
        for (permanent, reason) in [(false, ReasonCode::UseAnotherServer), (true, ReasonCode::ServerMoved)] {
            let mut trace = asking(version);
            trace.open("ada");
            trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
            trace.answer(Verdict::Redirect { server: text("other:1883"), permanent });
            let connack = trace.hear_connack("ada");
            if version == V5 {
                assert_eq!((connack.reason, connack.properties.server_reference), (reason, Some(text("other:1883"))));
            } else {
                assert_eq!(connack.reason, ReasonCode::ServerUnavailable);
            }
            trace.expect_closed("ada", reason);
        }
    });
}

/// [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5]
#[test]
fn enhanced_authentication_goes_through_auth() {
    let mut trace = asking(V5);
    connect_with_method(&mut trace);
    assert_eq!(trace.question().data, data(b"first"));
    trace.answer(Verdict::Continue { data: data(b"challenge") });
    trace.expect("ada", auth(ReasonCode::ContinueAuthentication, data(b"challenge")));
    trace.send("ada", auth(ReasonCode::ContinueAuthentication, data(b"proof")));
    assert_eq!(trace.question().step, AuthenticationStep::Continue);
    assert_eq!(trace.question().data, data(b"proof"));
    trace.answer(allow(data(b"final")));
    let connack = trace.hear_connack("ada");
    assert_eq!(connack.properties.authentication_method, Some(text("SCRAM-SHA-256")));
    assert_eq!(connack.properties.authentication_data, data(b"final"));
}

/// [MQTT-4.12.1-2]
#[test]
fn a_client_that_authenticates_again_may_be_sent_elsewhere() {
    for (permanent, reason) in [(false, ReasonCode::UseAnotherServer), (true, ReasonCode::ServerMoved)] {
        let mut trace = asking(V5);
        connect_with_method(&mut trace);
        trace.answer(allow(None));
        trace.hear_connack("ada");
        trace.send("ada", auth(ReasonCode::ReAuthenticate, data(b"first")));
        trace.answer(Verdict::Redirect { server: text("other:1883"), permanent });
        let properties =
            DisconnectProperties { server_reference: Some(text("other:1883")), ..DisconnectProperties::default() };
        trace.expect("ada", Packet::Disconnect(Disconnect { reason, properties }));
        trace.expect_closed("ada", reason);
    }
}

/// (4.12)
#[test]
fn a_client_that_is_asked_one_step_more_may_leave_instead() {
    let mut trace = asking(V5);
    connect_with_method(&mut trace);
    trace.answer(Verdict::Continue { data: data(b"challenge") });
    trace.expect("ada", auth(ReasonCode::ContinueAuthentication, data(b"challenge")));
    trace.send("ada", Packet::Disconnect(ReasonCode::Success.into()));
    trace.expect_closed("ada", ReasonCode::Success);
}

/// [MQTT-4.12.1-1] [MQTT-4.12.1-2] [MQTT-3.2.0-2]
#[test]
fn an_open_connection_may_authenticate_again() {
    let mut trace = asking(V5);
    connect_with_method(&mut trace);
    trace.answer(allow(None));
    trace.hear_connack("ada");
    trace.send("ada", auth(ReasonCode::ReAuthenticate, data(b"first")));
    trace.answer(Verdict::Continue { data: data(b"challenge") });
    trace.expect("ada", auth(ReasonCode::ContinueAuthentication, data(b"challenge")));
    trace.send("ada", Packet::PingReq);
    trace.expect("ada", Packet::PingResp);
    trace.send("ada", auth(ReasonCode::ContinueAuthentication, data(b"proof")));
    trace.answer(Verdict::allow(Grants::of(Vec::new())));
    trace.expect("ada", auth(ReasonCode::Success, None));
    trace.send("ada", publish("t", "x", AtLeastOnce, 1));
    trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
    trace.send("ada", auth(ReasonCode::ReAuthenticate, None));
    trace.answer(Verdict::deny(ReasonCode::NotAuthorized));
    trace.expect_thrown_out("ada", ReasonCode::NotAuthorized);
}

/// [MQTT-3.14.2-1] [MQTT-3.2.2-8]
#[test]
fn a_denied_client_hears_the_nearest_reason_that_the_packet_may_carry() {
    let mut trace = asking(V5);
    connect_with_method(&mut trace);
    trace.answer(Verdict::deny(ReasonCode::ServerShuttingDown));
    assert_eq!(trace.hear_connack("ada").reason, ReasonCode::ServerUnavailable);
    for (denied, told) in [
        (ReasonCode::BadUserNameOrPassword, ReasonCode::NotAuthorized),
        (ReasonCode::BadAuthenticationMethod, ReasonCode::NotAuthorized),
        (ReasonCode::ServerUnavailable, ReasonCode::ServerBusy),
        (ReasonCode::QuotaExceeded, ReasonCode::QuotaExceeded),
    ] {
        connect_with_method(&mut trace);
        trace.answer(allow(None));
        trace.hear_connack("ada");
        trace.send("ada", auth(ReasonCode::ReAuthenticate, None));
        trace.answer(Verdict::deny(denied));
        trace.expect_thrown_out("ada", told);
    }
}

/// (4.12.1): whoever is to speak next in a re-authentication, the client may neither begin another nor go on out of turn.
#[test]
fn auth_out_of_turn_in_a_re_authentication_is_a_protocol_error() {
    let (begin, go_on) = (ReasonCode::ReAuthenticate, ReasonCode::ContinueAuthentication);
    for (is_asked, reason) in [(false, begin), (false, go_on), (true, begin)] {
        let mut trace = asking(V5);
        connect_with_method(&mut trace);
        trace.answer(allow(None));
        trace.hear("ada");
        trace.send("ada", auth(begin, None));
        if is_asked {
            trace.answer(Verdict::Continue { data: None });
            trace.expect("ada", auth(go_on, None));
        }
        trace.send("ada", auth(reason, None));
        trace.expect_thrown_out("ada", ReasonCode::ProtocolError);
    }
}

#[test]
fn a_host_that_never_answers_is_not_waited_for() {
    let mut trace = asking(V5);
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
    trace.wait_secs(10);
    assert_eq!(trace.hear_connack("ada").reason, ReasonCode::ServerBusy);
    trace.expect_closed("ada", ReasonCode::ServerBusy);
    trace.answer(allow(None));
    trace.expect_closed("ada", ReasonCode::ServerBusy);
}

#[test]
fn what_is_held_while_the_host_thinks_is_limited() {
    let mut trace = Trace::with(
        V5,
        Config { authentication: Authentication::Ask, maximum_packet_size: 1_000, ..Default::default() },
    );
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
    for _ in 0..11 {
        trace.send_bytes("ada", [0xC0, 0].repeat(50));
    }
    assert_eq!(trace.hear_connack("ada").reason, ReasonCode::QuotaExceeded);

    trace.open("ada");
    let connect = b"\x10\x0D\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00";
    trace.send_bytes("ada", [&connect[..], &[0xC0, 0].repeat(501)].concat());
    assert_eq!(trace.hear_connack("ada").reason, ReasonCode::QuotaExceeded);
}

fn grant(filter: &str, maximum_qos: mqlite::codec::QoS) -> Grant {
    Grant { filter: text(filter), maximum_qos, ..Default::default() }
}

fn allow_only(grants: &[Grant]) -> Verdict {
    Verdict::allow(Grants::of(grants.to_vec()))
}

/// `ada` comes back to a session that is kept, as this user and with these rights; tells Session Present.
fn return_as(trace: &mut Trace, user_name: Option<&str>, verdict: Verdict) -> bool {
    let connack = ask_as(trace, user_name, verdict);
    assert_eq!(connack.reason, ReasonCode::Success);
    connack.session_present
}

fn ask_as(trace: &mut Trace, user_name: Option<&str>, verdict: Verdict) -> ConnAck {
    trace.open("ada");
    let properties = ConnectProperties {
        session_expiry_interval: Some(1_000),
        authentication_method: Some(text("SCRAM-SHA-256")),
        ..Default::default()
    };
    let user_name = user_name.map(text);
    let connect = Connect { clean_start: false, properties, user_name, ..connect("ada") };
    trace.send("ada", Packet::Connect(Box::new(connect)));
    trace.answer(verdict);
    trace.hear_connack("ada")
}

fn publish_from_host(trace: &mut Trace, topic: &str, payload: &'static str) {
    let publish = Publish { qos: ExactlyOnce, ..message(topic, payload) };
    trace.publish(publish);
}

#[test]
fn a_session_that_comes_back_keeps_only_what_its_rights_still_allow() {
    both(|version| {
        let mut trace = asking(version);
        return_as(&mut trace, None, allow(None));
        for filter in ["secret/#", "news/#", "$share/g/secret/#"] {
            trace.subscribe("ada", filter, ExactlyOnce);
        }
        trace.cut("ada");
        publish_from_host(&mut trace, "secret/x", "waited");
        publish_from_host(&mut trace, "news/x", "waited");
        return_as(&mut trace, None, allow_only(&[grant("news/#", AtLeastOnce)]));
        publish_from_host(&mut trace, "secret/x", "came");
        publish_from_host(&mut trace, "news/x", "came");
        let waited = trace.hear_publish("ada");
        assert_eq!((waited.topic, waited.payload), (text("news/x"), "waited".into()));
        let came = trace.hear_publish("ada");
        assert_eq!((came.topic, came.payload, came.qos), (text("news/x"), "came".into(), AtLeastOnce));
        trace.expect_nothing("ada");
        assert_eq!(trace.statistics().subscriptions, 1);
    });
}

#[test]
fn what_a_member_of_a_share_may_no_longer_receive_goes_to_another() {
    let mut trace = asking(V5);
    return_as(&mut trace, None, allow(None));
    trace.subscribe("ada", "$share/g/t", AtLeastOnce);
    trace.cut("ada");
    publish_from_host(&mut trace, "t", "x");
    trace.open("bob");
    trace.send("bob", Packet::Connect(Box::new(connect("bob"))));
    trace.answer(allow(None));
    trace.hear("bob");
    trace.subscribe("bob", "$share/g/t", AtLeastOnce);
    return_as(&mut trace, None, allow_only(&[]));
    trace.expect_nothing("ada");
    assert_eq!(trace.hear_publish("bob").payload, "x");
}

#[test]
fn new_rights_of_an_open_connection_end_subscriptions_and_take_the_will_back() {
    let mut trace = asking(V5);
    let properties = ConnectProperties { authentication_method: Some(text("SCRAM-SHA-256")), ..Default::default() };
    let connect = Connect { properties, will: Some(will("secret/gone", "x")), ..connect("ada") };
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect)));
    trace.answer(allow(None));
    trace.hear_connack("ada");
    trace.subscribe("ada", "secret/#", AtLeastOnce);
    trace.subscribe("ada", "news/#", AtLeastOnce);
    trace.send("ada", auth(ReasonCode::ReAuthenticate, None));
    trace.answer(allow_only(&[grant("news/#", AtMostOnce)]));
    trace.expect("ada", auth(ReasonCode::Success, None));
    publish_from_host(&mut trace, "secret/x", "x");
    publish_from_host(&mut trace, "news/x", "x");
    trace.expect("ada", publish("news/x", "x", AtMostOnce, 0));
    trace.expect_nothing("ada");
    trace.open("bob");
    trace.send("bob", Packet::Connect(Box::new(crate::harness::connect("bob"))));
    trace.answer(allow(None));
    trace.hear("bob");
    trace.subscribe("bob", "#", AtMostOnce);
    trace.cut("ada");
    trace.expect_nothing("bob");
}

/// [MQTT-3.1.3-8]
#[test]
fn another_user_neither_ends_nor_inherits_a_session_by_naming_its_client_identifier() {
    both(|version| {
        let mut trace = asking(version);
        assert!(!return_as(&mut trace, Some("ada"), allow(None)));
        trace.subscribe("ada", "t", AtLeastOnce);
        for is_connected in [true, false] {
            for other in [Some("mallory"), Some("Ada"), None] {
                trace.open("mallory");
                let connect = Connect { user_name: other.map(text), ..connect("ada") };
                trace.send("mallory", Packet::Connect(Box::new(connect)));
                trace.answer(allow(None));
                assert_eq!(trace.hear_connack("mallory").reason, ReasonCode::ClientIdentifierNotValid);
                trace.expect_closed("mallory", ReasonCode::ClientIdentifierNotValid);
            }
            if is_connected {
                trace.expect_nothing("ada");
                trace.cut("ada");
            }
        }
        publish_from_host(&mut trace, "t", "for ada");
        assert_eq!(ask_as(&mut trace, None, allow(None)).reason, ReasonCode::ClientIdentifierNotValid);
        trace.expect_closed("ada", ReasonCode::ClientIdentifierNotValid);
        assert!(return_as(&mut trace, Some("ada"), allow(None)));
        assert_eq!(trace.hear_publish("ada").payload, "for ada");
    });
}

/// Ada has sent a CONNECT with this Authentication Method; the host is asked.
fn begun(method: Option<&str>, maximum_packet_size: Option<u32>) -> Trace {
    let config = Config { authentication: Authentication::Ask, topic_alias_maximum: 0, ..Default::default() };
    let mut trace = Trace::with(V5, config);
    let properties = ConnectProperties {
        authentication_method: method.map(text),
        maximum_packet_size: maximum_packet_size.and_then(NonZeroU32::new),
        ..Default::default()
    };
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(Connect { properties, ..connect("ada") })));
    trace
}

/// [MQTT-3.15.2-1] [MQTT-3.15.2-2] [MQTT-3.15.2-3] [MQTT-4.12.0-2] [MQTT-4.12.0-5]
#[test]
fn the_servers_auth_says_its_method_and_is_no_larger_than_the_client_takes() {
    let mut trace = begun(Some("SCRAM-SHA-256"), Some(29));
    trace.answer(Verdict::Continue { data: None });
    trace.expect("ada", auth(ReasonCode::ContinueAuthentication, None));
    trace.send("ada", auth(ReasonCode::ContinueAuthentication, None));
    trace.answer(allow(None));
    assert_eq!(trace.hear_connack("ada").properties.authentication_method, Some(text("SCRAM-SHA-256")));
    trace.send("ada", auth(ReasonCode::ReAuthenticate, None));
    trace.answer(Verdict::Continue { data: None });
    trace.expect("ada", auth(ReasonCode::ContinueAuthentication, None));
    trace.send("ada", auth(ReasonCode::ContinueAuthentication, None));
    trace.answer(allow(None));
    trace.expect("ada", auth(ReasonCode::Success, None));
}

/// [MQTT-4.12.0-4] [MQTT-4.13.2-1]
#[test]
fn the_server_may_refuse_at_any_step() {
    for steps in 0..3 {
        let mut trace = begun(Some("SCRAM-SHA-256"), None);
        for _ in 0..steps {
            trace.answer(Verdict::Continue { data: None });
            trace.expect("ada", auth(ReasonCode::ContinueAuthentication, None));
            trace.send("ada", auth(ReasonCode::ContinueAuthentication, None));
        }
        trace.answer(Verdict::deny(ReasonCode::NotAuthorized));
        assert_eq!(trace.hear_connack("ada").reason, ReasonCode::NotAuthorized);
        trace.expect_closed("ada", ReasonCode::NotAuthorized);
    }
}

/// [MQTT-4.12.0-6]
#[test]
fn a_client_without_a_method_hears_no_auth_and_no_method() {
    let mut trace = begun(None, None);
    trace.answer(Verdict::Continue { data: None });
    assert_eq!(trace.hear_connack("ada").reason, ReasonCode::NotAuthorized);
    trace.expect_closed("ada", ReasonCode::NotAuthorized);
    let mut trace = begun(None, None);
    let data = Some(Binary::try_from(b"x".to_vec()).unwrap());
    trace.answer(allow(data));
    let properties = trace.hear_connack("ada").properties;
    assert_eq!((properties.authentication_method, properties.authentication_data), (None, None));
}
