//! CONNECT (3.1), but for the will.

use crate::{harness::*, raw::*};
use mqlite::{
    broker::{Authentication, Config, Event, Grants, Verdict},
    codec::{Connect, ConnectProperties, Packet, ProtocolVersion, Publish, ReasonCode},
};
use std::num::NonZeroU32;

/// [MQTT-3.1.4-3] [3.1.1 MQTT-3.1.4-2]
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

/// [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] [3.1.1 MQTT-3.1.3-6]
#[test]
fn a_client_without_an_identifier_is_given_a_new_one() {
    let mut trace = Trace::new(V5);
    let mut assigned = || {
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(connect(""))));
        trace.hear_connack("ada").properties.assigned_client_identifier.unwrap()
    };
    let (first, second) = (assigned(), assigned());
    assert!(!first.is_empty() && first != second);
    Trace::new(V3_1_1).connect_with("ada", connect(""));
}

/// [MQTT-3.1.2-22] [MQTT-3.2.2-22] [3.1.1 MQTT-3.1.2-24]
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

fn with_maximum_packet_size(bytes: u32) -> Connect {
    let properties = ConnectProperties { maximum_packet_size: NonZeroU32::new(bytes), ..Default::default() };
    Connect { properties, ..connect("bob") }
}

/// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
#[test]
fn a_message_too_large_for_one_subscriber_is_as_good_as_sent() {
    let mut trace = Trace::new(V5);
    trace.connect_with("bob", with_maximum_packet_size(60));
    trace.subscribe("bob", "t", ExactlyOnce);
    trace.connect("ada");
    let large = Publish { payload: vec![b'x'; 100].into(), ..message("t", "") };
    trace.send("ada", Packet::Publish(large.clone()));
    trace.send("ada", Packet::Publish(Publish { qos: AtLeastOnce, packet_id: Some(id(1)), ..large }));
    trace.expect("ada", puback(1, ReasonCode::Success));
    trace.expect_nothing("bob");
    trace.send("ada", publish("t", "small", AtLeastOnce, 2));
    trace.expect("ada", puback(2, ReasonCode::Success));
    trace.expect("bob", publish("t", "small", AtLeastOnce, 2));
    trace.wait_secs(1); // a host may tell of them once a second
    trace.send("ada", Packet::PingReq);
    trace.expect("ada", Packet::PingResp);
    let reported = trace.events().iter().map(|event| if let Event::Dropped { count, .. } = event { *count } else { 0 });
    assert_eq!(reported.sum::<u64>(), 2);
    assert_eq!(trace.statistics().messages_dropped, 2);
}

/// [MQTT-3.1.2-29]
#[test]
fn a_client_that_wants_no_problem_information_hears_none() {
    let mut trace = Trace::new(V5);
    let properties = ConnectProperties { request_problem_information: Some(false), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.send("bob", publish("#", "x", AtMostOnce, 0));
    trace.expect("bob", disconnect(ReasonCode::TopicNameInvalid));
}

fn asking(version: ProtocolVersion) -> Trace {
    Trace::with(version, Config { authentication: Authentication::Ask, ..Default::default() })
}

/// [MQTT-3.1.2-18] [3.1.1 MQTT-3.1.2-22]
#[test]
fn a_password_without_a_user_name_is_for_mqtt_5_alone() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.open("ada");
        trace.send_bytes("ada", raw_connect(version, 0x42, &[&field(b"ada"), &field(b"secret")]));
        match version {
            V5 => assert_eq!(trace.hear_connack("ada").reason, ReasonCode::Success),
            V3_1_1 => trace.expect_closed("ada", ReasonCode::MalformedPacket),
        }
    });
}

/// [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19]
#[test]
fn the_payload_is_client_identifier_will_user_name_and_password_in_this_order() {
    both(|version| {
        let will_properties = properties(version, b"\x03\x00\x04text");
        let mut trace = asking(version);
        trace.open("ada");
        let fields = ["id", "will/id", "gone", "user", "secret"].map(|text| field(text.as_bytes()));
        let [client_id, topic, payload, user_name, password] = &fields;
        let payload: [&[u8]; 6] = [client_id, &will_properties, topic, payload, user_name, password];
        trace.send_bytes("ada", raw_connect(version, 0xC6, &payload));
        let request = trace.question();
        assert_eq!((request.client_id.as_str(), request.user_name.clone()), ("id", Some(text("user"))));
        assert_eq!(request.password.as_ref().unwrap().bytes(), "secret");
        trace.answer(Verdict::allow(Grants::all()));
        trace.hear("ada");
        trace.open("bob");
        trace.send("bob", Packet::Connect(Box::new(connect("bob"))));
        trace.answer(Verdict::allow(Grants::all()));
        trace.hear("bob");
        trace.subscribe("bob", "will/+", AtMostOnce);
        trace.cut("ada");
        let gone = trace.hear_publish("bob");
        assert_eq!((gone.topic, gone.payload), (text("will/id"), "gone".into()));
        assert_eq!(gone.properties.content_type, (version == V5).then(|| text("text")));
    });
}

/// [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.2-18] [MQTT-3.1.2-19]
#[test]
fn user_name_and_password_are_there_exactly_when_their_flags_say_so() {
    both(|version| {
        for (flags, user_name, password) in [(0x02, None, None), (0x82, Some("u"), None), (0xC2, Some("u"), Some("p"))]
        {
            let mut trace = asking(version);
            trace.open("ada");
            let fields = [Some("ada"), user_name, password].map(|it| it.map_or(Vec::new(), |it| field(it.as_bytes())));
            trace.send_bytes("ada", raw_connect(version, flags, &[&fields.concat()]));
            let request = trace.question();
            assert_eq!(request.user_name, user_name.map(text));
            assert_eq!(request.password.as_ref().map(|it| it.bytes().as_ref()), password.map(str::as_bytes));
        }
    });
}

/// [MQTT-3.1.3-2]
#[test]
fn a_session_is_found_by_its_client_identifier_and_by_nothing_else() {
    both(|version| {
        let mut trace = Trace::new(version);
        for name in ["ada", "Ada", "ada "] {
            assert!(!trace.resume(name), "{name} is new");
            trace.subscribe(name, name, AtLeastOnce);
            trace.cut(name);
        }
        trace.connect("bob");
        for name in ["ada", "Ada", "ada "] {
            trace.send("bob", publish(name, "x", AtLeastOnce, 1));
        }
        for name in ["ada", "Ada", "ada "] {
            assert!(trace.resume(name));
            trace.expect(name, publish(name, "x", AtLeastOnce, 1));
            trace.expect_nothing(name);
        }
    });
}

/// [MQTT-3.1.3-5]
#[test]
fn client_identifiers_of_1_to_23_letters_and_digits_are_allowed() {
    both(|version| {
        let mut trace = Trace::new(version);
        for id in ["a", "0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ"] {
            trace.connect(id);
        }
        trace.connect("longer than 23 bytes, and with other characters: é");
    });
}

/// [MQTT-3.1.3-8] [3.1.1 MQTT-3.1.3-9]
#[test]
fn a_client_identifier_that_the_host_rejects_hears_so_and_is_closed() {
    both(|version| {
        let mut trace = asking(version);
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
        trace.answer(Verdict::deny(ReasonCode::ClientIdentifierNotValid));
        assert_eq!(trace.hear_connack("ada").reason, ReasonCode::ClientIdentifierNotValid);
        trace.expect_closed("ada", ReasonCode::ClientIdentifierNotValid);
    });
}

/// [MQTT-3.1.3-7]
#[test]
fn a_client_that_was_given_an_identifier_is_treated_as_if_it_had_chosen_it() {
    let mut trace = Trace::new(V5);
    let properties = ConnectProperties { session_expiry_interval: Some(60), ..Default::default() };
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(Connect { clean_start: false, properties, ..connect("") })));
    let connack = trace.hear_connack("ada");
    let id = connack.properties.assigned_client_identifier.unwrap().to_string();
    trace.subscribe("ada", "t", AtLeastOnce);
    trace.cut("ada");
    assert!(trace.connect_with("ada", Connect { clean_start: false, ..connect(&id) }));
}

/// [MQTT-3.1.4-6] [MQTT-3.1.4-2] [3.1.1 MQTT-3.1.4-5]
#[test]
fn what_follows_a_rejected_connect_is_not_processed() {
    both(|version| {
        let mut trace = asking(version);
        trace.open("eve");
        let mut bytes = raw_connect(version, 0x02, &[&field(b"eve")]);
        bytes.extend(raw(0x31, &[b"\x00\x01t", &properties(version, b""), b"x"]));
        trace.send_bytes("eve", bytes);
        trace.answer(Verdict::deny(ReasonCode::NotAuthorized));
        assert_eq!(trace.hear_connack("eve").reason, ReasonCode::NotAuthorized);
        trace.expect_closed("eve", ReasonCode::NotAuthorized);
        assert_eq!(trace.statistics().retained_messages, 0);
        assert_eq!(trace.statistics().messages_received, 0);
    });
}

/// [3.1.1 MQTT-3.1.2-6] [3.1.1 MQTT-3.1.2-7]
#[test]
fn a_clean_session_of_3_1_1_ends_with_its_connection_and_what_it_retained_stays() {
    let mut trace = Trace::new(V3_1_1);
    trace.connect("ada");
    trace.subscribe("ada", "t", AtLeastOnce);
    trace.send("ada", retained("kept", "x"));
    trace.cut("ada");
    trace.connect("bob");
    trace.send("bob", publish("t", "missed", AtLeastOnce, 1));
    assert!(!trace.resume("ada"));
    trace.expect_nothing("ada");
    trace.subscribe("ada", "kept", AtMostOnce);
    trace.expect("ada", retained("kept", "x"));
}

/// [3.1.1 MQTT-3.1.2-4] [3.1.1 MQTT-3.1.2-5] [3.1.1 MQTT-3.2.2-1] [3.1.1 MQTT-3.2.2-2] [3.1.1 MQTT-3.2.2-3]
#[test]
fn a_session_of_3_1_1_that_is_not_clean_keeps_what_was_published_meanwhile() {
    let mut trace = Trace::new(V3_1_1);
    assert!(!trace.resume("ada"));
    trace.subscribe("ada", "t", AtLeastOnce);
    trace.leave("ada");
    trace.connect("bob");
    trace.send("bob", publish("t", "waited", AtLeastOnce, 1));
    trace.wait_secs(24 * 3_600);
    assert!(trace.resume("ada"));
    trace.expect("ada", publish("t", "waited", AtLeastOnce, 1));
    trace.leave("ada");
    trace.connect("ada");
    trace.leave("ada");
    assert!(!trace.resume("ada"));
}

/// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
#[test]
fn a_message_may_be_as_large_as_the_client_said_to_the_byte() {
    for (limit, fits) in [(30, true), (29, false)] {
        let mut trace = Trace::with(V5, Config { topic_alias_maximum: 0, ..Default::default() });
        let properties = ConnectProperties { maximum_packet_size: NonZeroU32::new(limit), ..Default::default() };
        trace.connect_with("bob", Connect { properties, ..connect("bob") });
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "this is 24 bytes of text", AtMostOnce, 0));
        if fits {
            assert_eq!(trace.hear_publish("bob").payload.len(), 24);
        }
        trace.expect_nothing("bob");
    }
}
