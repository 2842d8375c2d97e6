//! What one input may cost: counted in actions and bytes, never in time.

use crate::harness::*;
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{Action, Config, ConnectionId, Event, Input},
    codec::{Connect, ConnectProperties, Packet, Publish, ReasonCode, RetainHandling},
};
use std::num::NonZeroU16;

/// Small packets that one input may cause, with what the last of them adds.
const ENOUGH: usize = 4_096 + 1_100;

fn encoded(packet: &Packet) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(V5, &mut bytes).unwrap();
    bytes.freeze()
}

/// All that `input` causes at once.
fn actions(trace: &mut Trace, input: Input) -> Vec<Action> {
    let now = trace.now();
    trace.broker().handle(now, input).collect()
}

fn repeated(packet: &Packet, count: usize) -> Input {
    Input::Received { connection: ConnectionId(1), bytes: encoded(packet).repeat(count).into() }
}

fn retain_many(trace: &mut Trace, count: usize) {
    for number in 0..count {
        trace.send("ada", retained(&format!("t/{number}"), "x"));
    }
}

#[test]
fn a_repeated_filter_brings_what_is_retained_once() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        retain_many(&mut trace, 100);
        trace.send("ada", subscribe(1, &[("#", AtMostOnce); 10_000]));
        trace.expect("ada", suback(1, &[ReasonCode::Success; 10_000]));
        for _ in 0..100 {
            trace.hear_publish("ada");
        }
        trace.expect_nothing("ada");
        assert_eq!(trace.statistics().messages_dropped, 0);
    });
}

#[test]
fn what_is_retained_follows_a_subscribe_in_bounded_parts_and_holds_nothing() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    retain_many(&mut trace, 10_000);
    let caused = actions(&mut trace, repeated(&subscribe(1, &[("#", AtMostOnce)]), 200));
    assert!(caused.len() < ENOUGH, "{}", caused.len());
    assert_eq!(trace.statistics().messages_stored, 0);
}

#[test]
fn every_retained_message_comes_once_however_the_parts_are_cut() {
    let mut trace = Trace::with(V5, Config { maximum_queued_messages: 1, ..Default::default() });
    trace.connect("ada");
    retain_many(&mut trace, 10_000);
    trace.connect("bob");
    trace.send("bob", subscribe(1, &[("#", AtMostOnce)]));
    trace.hear("bob");
    trace.catch_up();
    let topics: std::collections::BTreeSet<_> = (0..10_000).map(|_| trace.hear_publish("bob").topic).collect();
    assert_eq!(topics.len(), 10_000);
    trace.expect_nothing("bob");
}

/// A filter that matches nothing is looked for in parts too.
#[test]
fn a_search_that_finds_nothing_goes_on_later() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    retain_many(&mut trace, 50_000);
    trace.send("ada", subscribe(1, &[("+/+/x", AtMostOnce)]));
    trace.hear("ada");
    assert!((2..9).contains(&trace.turns()));
    trace.expect_nothing("ada");
}

/// [MQTT-3.10.4-2]
#[test]
fn what_is_retained_stops_with_the_subscription() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    retain_many(&mut trace, 10);
    let properties = ConnectProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    for number in 0..10 {
        let topic = format!("t/{number}");
        trace.send(
            "ada",
            Packet::Publish(Publish { retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), ..message(&topic, "y") }),
        );
    }
    trace.subscribe("bob", "t/#", AtLeastOnce);
    assert_eq!(trace.hear_publish("bob").topic, text("t/0"));
    trace.send("bob", unsubscribe(2, &["t/#"]));
    trace.hear("bob");
    let silent = options(AtLeastOnce, RetainHandling::DoNotSend);
    trace.send("bob", subscribe_with(1, &[("t/#", silent)], Default::default()));
    trace.hear("bob");
    trace.send("bob", puback(1, ReasonCode::Success));
    trace.expect_nothing("bob");
}

/// The session gets it as it is published: a copy as retained would overtake what waits.
#[test]
fn what_was_retained_after_the_subscribe_comes_live_alone() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    let retain = |topic: &str, payload| {
        Packet::Publish(Publish { retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), ..message(topic, payload) })
    };
    trace.send("ada", retain("t/1", "old"));
    trace.send("ada", retain("t/2", "old"));
    let properties = ConnectProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.subscribe("bob", "t/#", AtLeastOnce);
    trace.send("ada", publish("t/2", "between", AtLeastOnce, 1));
    trace.send("ada", retain("t/2", "new"));
    let mut heard = Vec::new();
    for packet_id in 1..=3 {
        let publish = trace.hear_publish("bob");
        heard.push((publish.payload, publish.retain));
        trace.send("bob", puback(packet_id, ReasonCode::Success));
    }
    assert_eq!(heard, [("old".into(), true), ("between".into(), false), ("new".into(), false)]);
    trace.expect_nothing("bob");
}

#[test]
fn what_an_input_drops_is_reported_once_for_each_session_and_limit() {
    let mut trace = Trace::with(V5, Config { maximum_queued_messages: 10, ..Default::default() });
    trace.resume("bob");
    trace.subscribe("bob", "t", AtLeastOnce);
    trace.cut("bob");
    trace.connect("ada");
    trace.forget_events();
    trace.send_bytes("ada", encoded(&publish("t", "x", AtLeastOnce, 1)).repeat(100));
    let reports: Vec<_> = trace.events().iter().filter(|event| matches!(event, Event::Dropped { .. })).collect();
    assert!(matches!(reports[..], [Event::Dropped { count: 90, .. }]), "{reports:?}");
}

/// Each of 1,000 shares takes a copy of each message.
fn with_shares() -> Trace {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    let filters: Vec<_> = (0..1_000).map(|share| format!("$share/{share}/t")).collect();
    trace.send("ada", subscribe(1, &filters.iter().map(|filter| (filter.as_str(), AtMostOnce)).collect::<Vec<_>>()));
    trace.hear("ada");
    trace
}

#[test]
fn packets_that_cause_too_much_at_once_wait_for_the_next_timeout() {
    let mut trace = with_shares();
    let mut inputs = vec![repeated(&publish("t", "", AtMostOnce, 0), 100)];
    let mut sent = 0;
    while let Some(input) = inputs.pop() {
        let caused = actions(&mut trace, input);
        assert!(caused.len() < ENOUGH, "{}", caused.len());
        let caused_by_writable = actions(&mut trace, Input::Writable { connection: ConnectionId(1) });
        sent += caused.len() + caused_by_writable.len();
        let deadline = trace.broker().deadline();
        if let Some(deadline) = deadline {
            assert_eq!((deadline.at, deadline.why), (trace.now(), "more to do"));
            assert!(trace.broker().is_behind(ConnectionId(1)));
            inputs.push(Input::Timeout);
        }
    }
    assert_eq!(sent, 100_000);
    assert!(!trace.broker().is_behind(ConnectionId(1)));
}

#[test]
fn others_are_served_while_one_connection_is_behind() {
    let mut trace = with_shares();
    trace.connect("bob");
    trace.send_bytes("ada", encoded(&publish("t", "", AtMostOnce, 0)).repeat(100));
    trace.send("bob", Packet::PingReq);
    trace.expect("bob", Packet::PingResp);
    let flood = Bytes::from(encoded(&publish("t", "", AtMostOnce, 0)).repeat(10));
    trace.send_bytes("bob", flood);
    trace.send("bob", Packet::PingReq);
    assert!(trace.turns() > 20);
    trace.expect("bob", Packet::PingResp);
}

#[test]
fn a_client_that_sends_on_although_it_is_behind_is_closed() {
    both(|version| {
        let mut trace = Trace::with(version, Config { maximum_packet_size: 100_000, ..Default::default() });
        trace.connect("ada");
        trace.connect("bob");
        let filters: Vec<_> = (0..1_000).map(|share| format!("$share/{share}/t")).collect();
        let filters: Vec<_> = filters.iter().map(|filter| (filter.as_str(), AtMostOnce)).collect();
        trace.send("bob", subscribe(1, &filters));
        let mut bytes = BytesMut::new();
        publish("t", "", AtMostOnce, 0).encode(version, &mut bytes).unwrap();
        for _ in 0..100 {
            trace.send_bytes("ada", bytes.repeat(1_000));
        }
        trace.expect_thrown_out("ada", ReasonCode::QuotaExceeded);
    });
}

/// Each gets its own copy in a wasm host, and its own head where QoS is above 0.
#[test]
fn a_large_message_goes_to_many_in_parts() {
    let mut trace = Trace::new(V5);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    for name in names {
        trace.connect(name);
        trace.subscribe(name, "t", AtLeastOnce);
    }
    let large = |qos, packet_id| Publish {
        payload: vec![0; 1_000_000].into(),
        qos,
        packet_id: mqlite::codec::PacketId::new(packet_id),
        ..message("t", "")
    };
    for (qos, packet_id) in [(AtMostOnce, 0), (AtLeastOnce, 1)] {
        let caused = actions(&mut trace, repeated(&Packet::Publish(large(qos, packet_id)), 1));
        let bytes: usize =
            caused.iter().map(|action| if let Action::Send { frame, .. } = action { frame.len() } else { 0 }).sum();
        assert!((3_000_000..6_000_000).contains(&bytes), "{bytes}");
        trace.catch_up();
        assert_eq!(trace.statistics().messages_dropped, 0);
        for id in 1..=12 {
            actions(&mut trace, Input::Writable { connection: ConnectionId(id) });
        }
    }
    trace.catch_up();
    assert_eq!(trace.statistics().messages_sent, 24);
}

/// [MQTT-3.14.4-3]
#[test]
fn what_a_client_sent_before_it_closed_is_processed_in_the_end() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    let filters: Vec<_> = (0..999).map(|share| format!("$share/{share}/t")).collect();
    trace.send("bob", subscribe(1, &filters.iter().map(|filter| (filter.as_str(), AtMostOnce)).collect::<Vec<_>>()));
    trace.hear("bob");
    trace.subscribe("bob", "w", AtMostOnce);
    trace.connect_with("ada", Connect { will: Some(will("w", "gone")), ..connect("ada") });
    let mut chunk = encoded(&publish("t", "", AtMostOnce, 0)).repeat(20);
    chunk.extend_from_slice(&encoded(&Packet::PingReq));
    chunk.extend_from_slice(&encoded(&disconnect(ReasonCode::Success)));
    trace.send_bytes("ada", chunk);
    trace.cut("ada");
    assert_eq!(trace.statistics().clients_connected, 2);
    trace.catch_up();
    for _ in 0..19_980 {
        assert_eq!(trace.hear_publish("bob").topic, text("t"));
    }
    trace.expect_nothing("bob");
    assert_eq!(trace.statistics().clients_connected, 1);
}

/// One client more is silent for too long than one input may deal with.
#[test]
fn what_is_due_is_put_off_too() {
    let mut trace = Trace::new(V5);
    for number in 0..6_000 {
        actions(&mut trace, Input::Opened { connection: ConnectionId(number) });
    }
    trace.miss_secs(60);
    let caused = actions(&mut trace, Input::Timeout);
    assert!(caused.len() < 2 * ENOUGH, "{}", caused.len());
    assert!(trace.turns() >= 1);
    assert_eq!(trace.statistics().connections_refused, 6_000);
}

#[test]
fn a_session_whose_end_was_put_off_is_not_resumed() {
    let mut trace = Trace::new(V5);
    let lasting = || ConnectProperties { session_expiry_interval: Some(60), ..Default::default() };
    trace.connect_with("ada", Connect { properties: lasting(), ..connect("ada") });
    for number in 1_000..10_000 {
        actions(&mut trace, Input::Opened { connection: ConnectionId(number) });
    }
    trace.cut("ada");
    trace.miss_secs(60);
    let is_present = trace.connect_with("ada", Connect { clean_start: false, properties: lasting(), ..connect("ada") });
    assert!(!is_present);
}

/// A thousand filters that differ in where their wildcards are: each is looked at almost to its end.
#[test]
fn filters_that_do_not_match_cost_too() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    let filter = |number: u32| {
        let levels = (0..10).map(|bit| if number >> bit & 1 == 1 { "+/" } else { "a/" });
        format!("{}{}x", levels.collect::<String>(), "+/".repeat(117))
    };
    let filters: Vec<_> = (0..1_000).map(filter).collect();
    trace.send("ada", subscribe(1, &filters.iter().map(|filter| (filter.as_str(), AtMostOnce)).collect::<Vec<_>>()));
    trace.hear("ada");
    let topic = format!("{}y", "a/".repeat(127));
    actions(&mut trace, repeated(&publish(&topic, "", AtMostOnce, 0), 10));
    assert_eq!(trace.turns(), 9);
}
