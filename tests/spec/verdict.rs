//! What a verdict says besides yes or no: who the client is, until when, and why not.

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Durability, Grant, Grants, Verdict},
    codec::{Auth, AuthProperties, Connect, ConnectProperties, Packet, ProtocolVersion, ReasonCode, Text},
    time::Timestamp,
};

fn asking(version: ProtocolVersion) -> Trace {
    Trace::with(version, Config { authentication: Authentication::Ask, ..Default::default() })
}

fn as_user(name: &str) -> Verdict {
    let grants = Grants::of(vec![Grant { filter: text("home/%u/#"), ..Default::default() }]);
    Verdict::Allow { grants, data: None, user_name: Some(text(name)), expires_at: None }
}

fn until(at: Timestamp) -> Verdict {
    Verdict::Allow { grants: Grants::all(), data: None, user_name: None, expires_at: Some(at) }
}

/// A CONNECT to a session that is kept, from a client that says it is `user_name` and knows a method.
fn says(client_id: &str, user_name: Option<&str>, method: bool) -> Packet {
    let properties = ConnectProperties {
        session_expiry_interval: Some(3_600),
        authentication_method: method.then(|| text("TOKEN")),
        ..Default::default()
    };
    let user_name = user_name.map(text);
    Packet::Connect(Box::new(Connect { clean_start: false, user_name, properties, ..connect(client_id) }))
}

fn again() -> Packet {
    let properties = AuthProperties { authentication_method: Some(text("TOKEN")), ..Default::default() };
    Packet::Auth(Auth { reason: ReasonCode::ReAuthenticate, properties })
}

/// `name` connects as who it says it is, and hears a success; tells Session Present.
fn come(trace: &mut Trace, name: &'static str, connect: Packet, verdict: Verdict) -> bool {
    trace.open(name);
    trace.send(name, connect);
    trace.answer(verdict);
    let connack = trace.hear_connack(name);
    assert_eq!(connack.reason, ReasonCode::Success, "{name}");
    connack.session_present
}

#[test]
fn a_client_is_who_the_host_says_and_not_who_it_says_itself() {
    both(|version| {
        let mut trace = asking(version);
        come(&mut trace, "ada", says("ada", Some("bob"), false), as_user("ada"));
        trace.send("ada", publish("home/ada/x", "x", AtLeastOnce, 1));
        trace.expect(
            "ada",
            puback(1, if version == V5 { ReasonCode::NoMatchingSubscribers } else { ReasonCode::Success }),
        );
        trace.subscribe("ada", "home/ada/#", AtLeastOnce);
        trace.send("ada", subscribe(2, &[("home/bob/#", AtLeastOnce)]));
        trace.expect("ada", suback(2, &[ReasonCode::NotAuthorized]));
        trace.cut("ada");
        // The session is that of the user, whatever name comes with the CONNECT.
        assert!(come(&mut trace, "ada", says("ada", None, false), as_user("ada")));
        trace.cut("ada");
        trace.open("ada");
        trace.send("ada", says("ada", Some("ada"), false));
        trace.answer(as_user("bob"));
        assert_eq!(trace.hear_connack("ada").reason, ReasonCode::ClientIdentifierNotValid);
        trace.expect_closed("ada", ReasonCode::ClientIdentifierNotValid);
    });
}

#[test]
fn a_client_leaves_when_its_verdict_ends() {
    both(|version| {
        let mut trace = asking(version);
        let end = trace.now().plus_secs(60);
        come(&mut trace, "ada", says("ada", None, false), until(end));
        trace.wait_secs(59);
        trace.expect_nothing("ada");
        trace.wait_secs(1);
        trace.expect_thrown_out("ada", ReasonCode::NotAuthorized);
        assert!(come(&mut trace, "ada", says("ada", None, false), Verdict::allow(Grants::all())));
        trace.wait_secs(600);
        trace.expect_nothing("ada");
    });
}

#[test]
fn a_verdict_that_has_ended_lets_nobody_in() {
    both(|version| {
        let mut trace = asking(version);
        trace.open("ada");
        trace.send("ada", says("ada", None, false));
        let now = trace.now();
        trace.answer(until(now));
        assert_eq!(trace.hear_connack("ada").reason, ReasonCode::NotAuthorized);
        trace.expect_closed("ada", ReasonCode::NotAuthorized);
    });
}

#[test]
fn to_authenticate_again_puts_the_end_off_or_brings_it() {
    let mut trace = asking(V5);
    let start = trace.now();
    let authenticate_again = |trace: &mut Trace, verdict: Verdict| {
        trace.send("ada", again());
        trace.answer(verdict);
    };
    let success = || {
        let properties = AuthProperties { authentication_method: Some(text("TOKEN")), ..Default::default() };
        Packet::Auth(Auth { reason: ReasonCode::Success, properties })
    };
    come(&mut trace, "ada", says("ada", None, true), until(start.plus_secs(10)));
    authenticate_again(&mut trace, until(start.plus_secs(100)));
    trace.expect("ada", success());
    trace.wait_secs(99);
    trace.expect_nothing("ada");
    authenticate_again(&mut trace, Verdict::allow(Grants::all()));
    trace.expect("ada", success());
    trace.wait_secs(1_000);
    trace.expect_nothing("ada");
    let now = trace.now();
    authenticate_again(&mut trace, until(now));
    trace.expect_thrown_out("ada", ReasonCode::NotAuthorized);
}

/// [MQTT-4.12.1-2]
#[test]
fn a_client_that_authenticates_again_stays_who_it_is() {
    let mut trace = asking(V5);
    come(&mut trace, "ada", says("ada", None, true), as_user("ada"));
    trace.send("ada", again());
    assert_eq!(trace.question().user_name.as_ref().map(Text::as_str), Some("ada"));
    trace.answer(as_user("ada"));
    assert!(matches!(trace.hear("ada"), Packet::Auth(auth) if auth.reason == ReasonCode::Success));
    trace.send("ada", again());
    trace.answer(as_user("bob"));
    trace.expect_thrown_out("ada", ReasonCode::NotAuthorized);
}

/// [MQTT-3.1.2-29]
#[test]
fn the_host_says_why_it_denies_where_the_client_wants_to_know() {
    let denied =
        || Verdict::Deny { reason: ReasonCode::Banned, message: Some(text("too many attempts: wait a minute")) };
    for wants_to_know in [true, false] {
        let expected = wants_to_know.then(|| text("too many attempts: wait a minute"));
        let properties = ConnectProperties {
            authentication_method: Some(text("TOKEN")),
            request_problem_information: Some(wants_to_know),
            ..Default::default()
        };
        let connect = || Packet::Connect(Box::new(Connect { properties: properties.clone(), ..connect("ada") }));
        let mut trace = asking(V5);
        trace.open("ada");
        trace.send("ada", connect());
        trace.answer(denied());
        let connack = trace.hear_connack("ada");
        assert_eq!((connack.reason, connack.properties.reason_string), (ReasonCode::Banned, expected.clone()));
        come(&mut trace, "ada", connect(), Verdict::allow(Grants::all()));
        trace.send("ada", again());
        trace.answer(denied());
        match trace.hear("ada") {
            Packet::Disconnect(disconnect) => assert_eq!(disconnect.properties.reason_string, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn who_a_client_is_and_until_when_outlives_a_sleep() {
    let config =
        Config { authentication: Authentication::Ask, durability: Durability::Connections, ..Default::default() };
    let mut trace = Trace::with(V5, config);
    let end = trace.now().plus_secs(60);
    let verdict =
        Verdict::Allow { grants: Grants::all(), data: None, user_name: Some(text("ada")), expires_at: Some(end) };
    come(&mut trace, "ada", says("ada", Some("bob"), true), verdict);
    trace.sleep();
    assert_eq!(trace.deadline(), Some(end));
    trace.send("ada", again());
    assert_eq!(trace.question().user_name, Some(text("ada")));
    let later = Some(end.plus_secs(60));
    trace.answer(Verdict::Allow { grants: Grants::all(), data: None, user_name: None, expires_at: later });
    assert!(matches!(trace.hear("ada"), Packet::Auth(_)));
    trace.sleep();
    trace.wait_secs(119);
    trace.expect_nothing("ada");
    trace.wait_secs(1);
    trace.expect_thrown_out("ada", ReasonCode::NotAuthorized);
}
