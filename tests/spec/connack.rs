//! CONNACK (3.2).

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Event, Grants, Verdict},
    codec::{ConnAckProperties, Connect, ConnectProperties, Packet, ReasonCode},
};
use std::num::NonZeroU32;

/// [MQTT-3.2.0-1] [MQTT-3.1.4-5] [MQTT-3.2.2-3]
#[test]
fn the_connack_comes_before_all_that_waited() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("ada");
        trace.subscribe("ada", "t", AtLeastOnce);
        trace.cut("ada");
        trace.connect("bob");
        trace.send("bob", publish("t", "waited", AtLeastOnce, 1));
        assert!(trace.resume("ada"), "the first packet heard is a CONNACK with Success");
        trace.expect("ada", publish("t", "waited", AtLeastOnce, 1));
    });
}

/// [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.4-4]
#[test]
fn session_present_is_the_only_flag() {
    let flags = |session_present| {
        let (reason, properties) = (ReasonCode::Success, Default::default());
        let connack = mqlite::codec::ConnAck { session_present, reason, properties };
        let mut bytes = bytes::BytesMut::new();
        Packet::ConnAck(Box::new(connack)).encode(V3_1_1, &mut bytes).unwrap();
        bytes[2]
    };
    assert_eq!((flags(false), flags(true)), (0, 1));
    both(|version| {
        let mut trace = Trace::new(version);
        assert!(!trace.resume("ada"));
        trace.cut("ada");
        assert!(trace.resume("ada"));
        trace.cut("ada");
        trace.connect("ada");
    });
}

/// [MQTT-3.2.2-6] [3.1.1 MQTT-3.2.2-4]
#[test]
fn a_refusal_says_nothing_of_the_session_that_is_there() {
    both(|version| {
        let mut trace = Trace::with(version, Config { authentication: Authentication::Ask, ..Default::default() });
        let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
        let connect = Connect { clean_start: false, properties, ..connect("ada") };
        let allow = Verdict::allow(Grants::all());
        for (verdict, session_present) in
            [(allow.clone(), false), (Verdict::deny(ReasonCode::NotAuthorized), false), (allow, true)]
        {
            trace.open("ada");
            trace.send("ada", Packet::Connect(Box::new(connect.clone())));
            trace.answer(verdict);
            assert_eq!(trace.hear_connack("ada").session_present, session_present);
            trace.cut("ada");
        }
    });
}

/// [3.1.1 MQTT-3.2.2-5]
#[test]
fn each_refusal_has_the_return_code_of_3_1_1_that_is_nearest() {
    for (denied, heard) in [
        (ReasonCode::ClientIdentifierNotValid, ReasonCode::ClientIdentifierNotValid),
        (ReasonCode::ServerBusy, ReasonCode::ServerUnavailable),
        (ReasonCode::BadUserNameOrPassword, ReasonCode::BadUserNameOrPassword),
        (ReasonCode::Banned, ReasonCode::NotAuthorized),
    ] {
        let mut trace = Trace::with(V3_1_1, Config { authentication: Authentication::Ask, ..Default::default() });
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
        trace.answer(Verdict::deny(denied));
        assert_eq!(trace.hear_connack("ada").reason, heard);
        trace.expect_closed("ada", denied);
    }
}

/// [MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.8.4-7]
#[test]
fn a_server_of_a_lower_maximum_qos_says_so_and_grants_subscriptions_up_to_it() {
    for (maximum_qos, granted) in [
        (AtMostOnce, [ReasonCode::Success; 3]),
        (AtLeastOnce, [ReasonCode::Success, ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS1]),
    ] {
        both(|version| {
            let mut trace = Trace::with(version, Config { maximum_qos, ..Default::default() });
            trace.open("ada");
            trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
            let announced = trace.hear_connack("ada").properties.maximum_qos;
            assert_eq!(announced, Some(maximum_qos).filter(|_| version == V5));
            trace.send("ada", subscribe(1, &[("a", AtMostOnce), ("b", AtLeastOnce), ("c", ExactlyOnce)]));
            trace.expect("ada", suback(1, &granted));
        });
    }
}

/// [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.1.2-24]
#[test]
fn a_refusal_explains_itself_where_the_client_takes_packets_as_large() {
    for (maximum_packet_size, explains) in [(None, true), (Some(1_000), true), (Some(20), false), (Some(5), false)] {
        let mut trace = Trace::new(V5);
        let maximum_packet_size = maximum_packet_size.and_then(NonZeroU32::new);
        let properties = ConnectProperties { maximum_packet_size, ..Default::default() };
        trace.open("ada");
        let connect = Connect { properties, will: Some(will("#", "x")), ..connect("ada") };
        trace.send("ada", Packet::Connect(Box::new(connect)));
        let connack = trace.hear_connack("ada");
        assert_eq!(
            (connack.reason, connack.properties.reason_string.is_some()),
            (ReasonCode::TopicNameInvalid, explains)
        );
        assert_eq!(connack.properties.user_properties, []);
        trace.expect_closed("ada", ReasonCode::TopicNameInvalid);
    }
}

/// [MQTT-3.2.2-22]
#[test]
fn without_a_server_keep_alive_the_clients_holds_and_0_is_none() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(Connect { keep_alive: 20, ..connect("ada") })));
        assert_eq!(trace.hear_connack("ada").properties.server_keep_alive, None);
        trace.connect("bob");
        trace.wait_secs(29);
        trace.expect_nothing("ada");
        trace.wait_secs(1);
        trace.expect_thrown_out("ada", ReasonCode::KeepAliveTimeout);
        trace.wait_secs(24 * 3_600);
        trace.expect_nothing("bob");
    });
}

fn connack_of(trace: &mut Trace, connect: Connect) -> ConnAckProperties {
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect)));
    match trace.hear("ada") {
        Packet::ConnAck(connack) if connack.reason == ReasonCode::Success => connack.properties,
        other => panic!("expected a successful CONNACK, heard {other:?}"),
    }
}

/// [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.4-4] [MQTT-3.1.4-5]
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

/// [MQTT-3.2.2-9]
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
