//! What is bounded, and what happens at the bound.

use crate::harness::*;
use mqlite::{
    broker::{Action, Broker, Config, Event, Input},
    codec::{Connect, ConnectProperties, Packet, Publish, ReasonCode},
    time::Timestamp,
};
use std::num::NonZeroU16;

fn large(qos: mqlite::codec::QoS, packet_id: u16) -> Packet {
    let payload = vec![b'x'; 1_000].into();
    Packet::Publish(Publish { payload, qos, packet_id: mqlite::codec::PacketId::new(packet_id), ..message("t", "") })
}

#[test]
fn a_client_that_never_reads_loses_qos_0_and_others_lose_nothing() {
    both(|version| {
        let mut trace = Trace::with(version, Config { send_buffer: 10_000, ..Default::default() });
        for name in ["slow", "quick"] {
            trace.connect(name);
            trace.subscribe(name, "t", AtMostOnce);
        }
        trace.stall("slow");
        trace.connect("ada");
        for _ in 0..100 {
            trace.send("ada", large(AtMostOnce, 0));
        }
        for _ in 0..100 {
            trace.hear_publish("quick");
        }
        assert!(trace.unread("slow") <= 11_100, "{}", trace.unread("slow"));
        let dropped = trace.statistics().messages_dropped;
        assert_eq!(dropped, 90);
        assert!(trace.events().iter().any(|event| matches!(event, Event::Dropped { .. })));
        trace.unstall("slow");
        trace.send("ada", large(AtMostOnce, 0));
        trace.hear_publish("slow");
    });
}

#[test]
fn qos_1_waits_for_a_slow_client_until_its_queue_is_full() {
    both(|version| {
        let config = Config { send_buffer: 5_000, maximum_queued_messages: 10, ..Default::default() };
        let mut trace = Trace::with(version, config);
        trace.connect("slow");
        trace.subscribe("slow", "t", AtLeastOnce);
        trace.stall("slow");
        trace.connect("ada");
        for _ in 0..50 {
            trace.send("ada", large(AtLeastOnce, 1));
            trace.expect("ada", puback(1, ReasonCode::Success));
        }
        let statistics = trace.statistics();
        assert_eq!((statistics.messages_stored, statistics.messages_dropped), (15, 35));
        trace.unstall("slow");
        for _ in 0..10 {
            let packet_id = trace.hear_publish("slow").packet_id.unwrap();
            trace.send("slow", puback(packet_id.value(), ReasonCode::Success));
        }
        trace.expect_nothing("slow");
    });
}

#[test]
fn the_bytes_that_wait_are_limited_too() {
    let mut trace = Trace::with(V5, Config { maximum_queued_bytes: 4_500, ..Default::default() });
    trace.resume("bob");
    trace.subscribe("bob", "t", AtLeastOnce);
    trace.cut("bob");
    trace.connect("ada");
    for _ in 0..10 {
        trace.send("ada", large(AtLeastOnce, 1));
    }
    assert_eq!(trace.statistics().messages_stored, 3);
}

#[test]
fn a_client_that_reads_no_answers_is_closed() {
    both(|version| {
        let mut trace = Trace::with(version, Config { send_buffer: 100, ..Default::default() });
        trace.connect("slow");
        trace.stall("slow");
        for _ in 0..300 {
            trace.send("slow", Packet::PingReq);
        }
        trace.expect_closed("slow", ReasonCode::QuotaExceeded);
        assert!(trace.unread("slow") < 600);
    });
}

#[test]
fn subscriptions_of_one_session_are_limited() {
    both(|version| {
        let mut trace = Trace::with(version, Config { maximum_subscriptions: 2, ..Default::default() });
        trace.connect("ada");
        let filters = ["a", "b", "c", "a"].map(|filter| (filter, AtMostOnce));
        trace.send("ada", subscribe(1, &filters));
        let full = if version == V5 { ReasonCode::QuotaExceeded } else { ReasonCode::UnspecifiedError };
        let granted = ReasonCode::Success;
        trace.expect("ada", suback(1, &[granted, granted, full, granted]));
    });
}

#[test]
fn deep_topics_are_refused_and_do_no_harm() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        let deep = "/".repeat(65_535);
        trace.send("ada", subscribe(1, &[(&deep, AtMostOnce), ("#", AtMostOnce)]));
        let invalid = if version == V5 { ReasonCode::TopicFilterInvalid } else { ReasonCode::UnspecifiedError };
        trace.expect("ada", suback(1, &[invalid, ReasonCode::Success]));
        let publish = Publish { qos: AtLeastOnce, packet_id: Some(id(1)), retain: true, ..message(&deep, "x") };
        trace.send("ada", Packet::Publish(publish));
        trace.expect("ada", puback(1, ReasonCode::TopicNameInvalid));
        trace.expect_nothing("ada");
    });
}

/// [MQTT-3.2.2-15]
#[test]
fn a_packet_larger_than_announced_is_0x95() {
    both(|version| {
        let mut trace = Trace::with(version, Config { maximum_packet_size: 500, ..Default::default() });
        trace.connect("ada");
        trace.send("ada", large(AtMostOnce, 0));
        trace.expect_thrown_out("ada", ReasonCode::PacketTooLarge);
    });
}

/// Deeper trees would recurse too far, so no configuration allows more.
#[test]
fn a_topic_or_filter_has_at_most_256_levels_whatever_is_configured() {
    let mut trace = Trace::with(V5, Config { maximum_topic_levels: 1_000, ..Default::default() });
    trace.connect("ada");
    let (most, more) = ("/".repeat(255), "/".repeat(256));
    trace.send("ada", subscribe(1, &[(&most, AtMostOnce), (&more, AtMostOnce)]));
    trace.expect("ada", suback(1, &[ReasonCode::Success, ReasonCode::TopicFilterInvalid]));
    trace.send("ada", publish(&most, "x", AtMostOnce, 0));
    assert_eq!(trace.hear_publish("ada").topic, text(&most));
    trace.send("ada", publish(&more, "x", AtLeastOnce, 1));
    trace.expect("ada", puback(1, ReasonCode::TopicNameInvalid));
}

/// [MQTT-3.2.2-15]
#[test]
fn before_a_client_is_let_in_its_packets_are_small() {
    both(|version| {
        let config = Config { maximum_connect_size: 500, maximum_packet_size: 5_000, ..Default::default() };
        let mut trace = Trace::with(version, config);
        trace.open("eve");
        let password = mqlite::codec::Binary::new(vec![0; 1_000].into()).unwrap();
        let connect = Connect { user_name: Some(text("eve")), password: Some(password), ..connect("eve") };
        trace.send("eve", Packet::Connect(Box::new(connect)));
        trace.expect_closed("eve", ReasonCode::PacketTooLarge);
        trace.connect("ada");
        trace.subscribe("ada", "t", AtMostOnce);
        trace.send("ada", large(AtMostOnce, 0));
        trace.hear_publish("ada");
    });
}

#[test]
fn a_connect_may_be_no_larger_than_any_packet() {
    let mut trace = Trace::with(V5, Config { maximum_packet_size: 30, ..Default::default() });
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect("a client identifier that is too long"))));
    trace.expect_closed("ada", ReasonCode::PacketTooLarge);
}

#[test]
fn ten_thousand_filters_are_granted_up_to_the_limit() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bad");
        let names: Vec<_> = (0..10_000).map(|number| format!("f/{number}")).collect();
        let filters: Vec<_> = names.iter().map(|name| (name.as_str(), AtMostOnce)).collect();
        trace.send("bad", subscribe(1, &filters));
        let Packet::SubAck(suback) = trace.hear("bad") else { panic!("no SUBACK") };
        let granted = suback.reasons.iter().filter(|reason| **reason == ReasonCode::Success).count();
        let full = if version == V5 { ReasonCode::QuotaExceeded } else { ReasonCode::UnspecifiedError };
        assert_eq!((granted, suback.reasons.len()), (1_000, 10_000));
        assert!(suback.reasons[1_000..].iter().all(|reason| *reason == full));
    });
}

/// (3.3.2.3.4)
/// Its own messages fit into the packets that it takes from others: what a record may have depends on that.
#[test]
fn a_message_of_the_host_is_refused_where_a_client_would_be_closed_for_its_size() {
    let mut broker = Broker::new(Config { maximum_packet_size: 100, ..Default::default() }, [1; 32]);
    // Fixed header, topic and no properties take 6 bytes, a Packet Identifier 2 more.
    for (qos, length, reason) in [
        (AtMostOnce, 94, None),
        (AtMostOnce, 95, Some(ReasonCode::PacketTooLarge)),
        (AtLeastOnce, 92, None),
        (AtLeastOnce, 93, Some(ReasonCode::PacketTooLarge)),
    ] {
        let publish = Publish { qos, payload: vec![b'x'; length].into(), ..message("t", "") };
        let actions: Vec<_> = broker.handle(Timestamp(1), Input::Publish { publish, caller: None }).collect();
        let refused = actions.iter().find_map(|action| match action {
            Action::Report(Event::PublishRefused { client_id: None, reason, .. }) => Some(*reason),
            _ => None,
        });
        assert_eq!(refused, reason, "{length} bytes");
    }
}

#[test]
fn the_topics_of_aliases_take_so_much_and_no_more() {
    let aliased = |alias: u16, length: usize| {
        let mut publish = message(&format!("{alias}/{}", "x".repeat(length)), "");
        publish.properties.topic_alias = NonZeroU16::new(alias);
        Packet::Publish(publish)
    };
    let mut trace = Trace::new(V5);
    let properties = ConnectProperties { topic_alias_maximum: Some(64), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.subscribe("bob", "#", AtMostOnce);
    trace.connect("ada");
    let mut assigned = 0;
    for alias in 1..=64 {
        trace.send("ada", aliased(alias, 4_000));
        if trace.count("ada") > 0 {
            break;
        }
        let is_assigned = trace.hear_publish("bob").properties.topic_alias.is_some();
        assert_eq!(is_assigned, assigned == alias - 1, "no more once there is no room");
        assigned += u16::from(is_assigned);
    }
    // 128 KiB, or 16 KiB where connections outlive the broker.
    assert!([3, 4, 31, 32].contains(&assigned), "{assigned}");
    trace.expect_closed("ada", ReasonCode::QuotaExceeded);
    trace.send("bob", Packet::PingReq);
    trace.expect("bob", Packet::PingResp);
}
