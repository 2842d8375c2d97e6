//! A client that is watched: each of its packets is told, until the time is over, and never what is in it.

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Direction, Event, TracedPacket, Verdict},
    codec::{Binary, Connect, Packet, ProtocolVersion, Publish, ReasonCode},
};
use std::num::NonZeroU16;

/// What was told of packets since that was asked last: direction and type, and what else there is.
fn told(trace: &mut Trace) -> Vec<TracedPacket> {
    let told = trace.events().iter().filter_map(|event| match event {
        Event::Packet(traced) => Some((**traced).clone()),
        _ => None,
    });
    let told = told.collect();
    trace.forget_events();
    told
}

fn names(told: &[TracedPacket]) -> Vec<(&'static str, &'static str)> {
    let arrow = |direction| if direction == Direction::Received { ">" } else { "<" };
    told.iter().map(|traced| (arrow(traced.direction), traced.packet)).collect()
}

fn watching(version: ProtocolVersion, name: &str, config: Config) -> Trace {
    let mut trace = Trace::with(version, config);
    trace.watch(name, 60);
    trace
}

#[test]
fn each_packet_of_a_client_that_is_watched_is_told_and_of_others_none() {
    both(|version| {
        let mut trace = watching(version, "ada", Config::default());
        trace.connect("bob");
        trace.connect("ada");
        trace.subscribe("ada", "a", AtLeastOnce);
        trace.send("bob", publish("a", "x", AtMostOnce, 0));
        trace.send("ada", publish("a", "y", AtLeastOnce, 7));
        trace.send("ada", Packet::PingReq);
        assert_eq!(trace.count("ada"), 4);
        trace.leave("ada");
        let told = told(&mut trace);
        let expected = [
            (">", "CONNECT"),
            ("<", "CONNACK"),
            (">", "SUBSCRIBE"),
            ("<", "SUBACK"),
            ("<", "PUBLISH"),
            (">", "PUBLISH"),
            ("<", "PUBLISH"),
            ("<", "PUBACK"),
            (">", "PINGREQ"),
            ("<", "PINGRESP"),
            (">", "DISCONNECT"),
        ];
        assert_eq!(names(&told), expected);
        assert!(told.iter().all(|traced| traced.client_id == text("ada") && traced.bytes >= 2));
        let came = &told[5];
        assert_eq!((came.packet_id, came.topic.clone(), came.qos), (Some(7), Some(text("a")), Some(AtLeastOnce)));
        assert_eq!((came.retain, came.dup, came.reason_code), (Some(false), Some(false), None));
        let went = &told[6];
        assert_eq!((went.packet_id, went.topic.clone(), went.qos), (Some(1), Some(text("a")), Some(AtLeastOnce)));
        assert_eq!((told[7].packet_id, told[7].reason_code), (Some(7), Some(ReasonCode::Success)));
        assert_eq!(told[3].reason_code, Some(ReasonCode::GrantedQoS1));
        let mut encoded = bytes::BytesMut::new();
        publish("a", "y", AtLeastOnce, 7).encode(version, &mut encoded).unwrap();
        assert_eq!(came.bytes, encoded.len());
    });
}

#[test]
fn a_client_that_is_not_let_in_is_seen_too_and_its_password_is_not() {
    both(|version| {
        let mut trace = watching(version, "ada", Config { authentication: Authentication::Ask, ..Default::default() });
        trace.open("ada");
        let password = Some(Binary::try_from(b"secret".to_vec()).unwrap());
        let user_name = Some(text("lovelace"));
        trace.send("ada", Packet::Connect(Box::new(Connect { user_name, password, ..connect("ada") })));
        trace.answer(Verdict::deny(ReasonCode::BadUserNameOrPassword));
        trace.hear_connack("ada");
        let told = told(&mut trace);
        assert_eq!(names(&told), [(">", "CONNECT"), ("<", "CONNACK")]);
        assert_eq!(told[1].reason_code, Some(ReasonCode::BadUserNameOrPassword));
        let all = format!("{told:?}");
        assert!(!all.contains("secret") && !all.contains("lovelace"), "{all}");
    });
}

#[test]
fn the_topic_that_an_alias_stands_for_is_told() {
    let mut trace = watching(V5, "ada", Config::default());
    trace.connect("ada");
    told(&mut trace);
    let mut first = message("a/b", "x");
    first.properties.topic_alias = NonZeroU16::new(1);
    trace.send("ada", Packet::Publish(first.clone()));
    trace.send("ada", Packet::Publish(Publish { topic: text(""), ..first }));
    let topics: Vec<_> = told(&mut trace).into_iter().map(|traced| traced.topic).collect();
    assert_eq!(topics, [Some(text("a/b")), Some(text("a/b"))]);
}

#[test]
fn nothing_is_told_when_the_time_is_over_or_was_ended() {
    both(|version| {
        let mut trace = watching(version, "ada", Config::default());
        trace.connect("ada");
        assert_eq!(told(&mut trace).len(), 2);
        trace.wait_secs(59);
        trace.send("ada", Packet::PingReq);
        assert_eq!(told(&mut trace).len(), 2);
        trace.wait_secs(1);
        trace.send("ada", Packet::PingReq);
        assert_eq!(told(&mut trace), []);
        trace.watch("ada", 60);
        trace.watch("ada", 0);
        trace.send("ada", Packet::PingReq);
        assert_eq!(told(&mut trace), []);
        assert_eq!(trace.deadline(), None);
    });
}

#[test]
fn one_client_more_than_may_be_watched_takes_the_place_of_the_one_that_ends_first() {
    let mut trace = watching(V5, "ada", Config::default());
    for number in 0..63 {
        trace.watch(&format!("other-{number}"), 100);
    }
    trace.connect("ada");
    assert_eq!(told(&mut trace).len(), 2);
    trace.watch("one more", 100);
    trace.send("ada", Packet::PingReq);
    assert_eq!(told(&mut trace), []);
}
