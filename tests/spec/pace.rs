//! How much one connection may send a second, and what becomes of one that sends more.

use crate::harness::*;
use bytes::BytesMut;
use mqlite::{
    broker::{Config, Decision, PublishRule},
    codec::{Connect, Packet, ProtocolVersion, ReasonCode},
};

/// `count` times this packet, in one chunk.
fn many(trace: &mut Trace, version: ProtocolVersion, name: &'static str, packet: &Packet, count: usize) {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).unwrap();
    trace.send_bytes(name, bytes.repeat(count));
}

/// So many messages and nothing else.
fn hears(trace: &mut Trace, count: usize) {
    for _ in 0..count {
        trace.hear_publish("other");
    }
    trace.expect_nothing("other");
}

#[test]
fn who_publishes_too_fast_is_read_later_and_loses_nothing() {
    both(|version| {
        let mut trace = Trace::with(version, Config { publish_messages_per_second: 10, ..Config::default() });
        trace.connect("quick");
        trace.connect("other");
        trace.subscribe("other", "t", AtMostOnce);
        many(&mut trace, version, "quick", &publish("t", "x", AtMostOnce, 0), 30);
        hears(&mut trace, 11); // a second's worth, and the one that is too much
        trace.send("other", Packet::PingReq);
        trace.expect("other", Packet::PingResp);
        trace.wait_secs(3);
        hears(&mut trace, 19);
        assert!(trace.is_open("quick"));
    });
}

#[test]
fn bytes_count_too() {
    both(|version| {
        let mut trace = Trace::with(version, Config { publish_bytes_per_second: 100, ..Config::default() });
        trace.connect("quick");
        trace.connect("other");
        trace.subscribe("other", "t", AtMostOnce);
        many(&mut trace, version, "quick", &publish("t", "twenty bytes and some", AtMostOnce, 0), 10);
        hears(&mut trace, 4);
        trace.wait_secs(3);
        hears(&mut trace, 6);
    });
}

/// Where the host cannot stop reading.
#[test]
fn who_sends_on_regardless_is_told_0x96_and_closed() {
    both(|version| {
        let mut trace = Trace::with(version, Config { publish_messages_per_second: 10, ..Config::default() });
        trace.connect("flood");
        many(&mut trace, version, "flood", &publish("t", "x", AtMostOnce, 0), 11);
        for _ in 0..101 {
            trace.send("flood", publish("t", "x", AtMostOnce, 0));
        }
        trace.expect_thrown_out("flood", ReasonCode::MessageRateTooHigh);
    });
}

/// Each pause alone is short, and little comes in it.
#[test]
fn who_never_lets_the_broker_catch_up_is_closed_too() {
    both(|version| {
        let mut trace = Trace::with(version, Config { requests_per_second: 100, ..Config::default() });
        trace.connect("flood");
        let mut seconds = 0;
        while trace.is_open("flood") {
            seconds += 1;
            assert!(seconds < 10);
            for _ in 0..50 {
                many(&mut trace, version, "flood", &Packet::PingReq, 500);
            }
            trace.wait_secs(1);
        }
    });
}

#[test]
fn a_message_that_waits_to_be_read_may_be_as_large_as_any_and_no_larger() {
    both(|version| {
        let config = Config { publish_messages_per_second: 1, maximum_packet_size: 100_000, ..Config::default() };
        let mut trace = Trace::with(version, config);
        trace.connect("flood");
        many(&mut trace, version, "flood", &publish("t", "x", AtMostOnce, 0), 2);
        trace.send_bytes("flood", vec![0; 100_000]);
        assert!(trace.is_open("flood"));
        trace.send_bytes("flood", vec![0; 1]);
        trace.expect_thrown_out("flood", ReasonCode::MessageRateTooHigh);
    });
}

#[test]
fn pings_filters_and_crumbs_are_requests_of_which_many_may_come_at_once() {
    both(|version| {
        let mut trace = Trace::with(version, Config { requests_per_second: 10, ..Config::default() });
        trace.connect("ada");
        let filters: Vec<_> = (0..99).map(|number| format!("t/{number}")).collect();
        let filters: Vec<_> = filters.iter().map(|filter| (filter.as_str(), AtMostOnce)).collect();
        trace.send("ada", subscribe(1, &filters));
        trace.hear("ada");
        many(&mut trace, version, "ada", &Packet::PingReq, 5);
        for _ in 0..2 {
            trace.expect("ada", Packet::PingResp); // ten seconds' worth, and the one that is too much
        }
        trace.expect_nothing("ada");
        trace.wait_secs(2);
        for _ in 0..3 {
            trace.expect("ada", Packet::PingResp);
        }
    });
}

#[test]
fn a_byte_at_a_time_is_too_much_in_the_end() {
    both(|version| {
        let mut trace = Trace::with(version, Config { requests_per_second: 1, ..Config::default() });
        trace.connect("slow");
        let mut bytes = BytesMut::new();
        let payload = "a payload of a hundred and fifty bytes, that comes a byte at a time, which costs the broker as much as if each byte were a packet of its own .......";
        publish("t", payload, AtMostOnce, 0).encode(version, &mut bytes).unwrap();
        for byte in bytes.iter().take(112) {
            trace.send_bytes("slow", vec![*byte]);
        }
        trace.expect_thrown_out("slow", ReasonCode::MessageRateTooHigh);
    });
}

#[test]
fn who_leaves_while_it_waits_to_be_read_is_gone_at_once() {
    both(|version| {
        let mut trace = Trace::with(version, Config { publish_messages_per_second: 10, ..Config::default() });
        trace.connect("quick");
        many(&mut trace, version, "quick", &publish("t", "x", AtMostOnce, 0), 30);
        trace.cut("quick");
        assert_eq!(trace.statistics().clients_connected, 0);
    });
}

/// Where the host cannot stop reading. [MQTT-3.14.4-3]
#[test]
fn who_was_too_fast_and_left_in_order_has_left_in_order_whatever_came_before() {
    both(|version| {
        for (reason, has_will) in [(ReasonCode::Success, false), (ReasonCode::DisconnectWithWillMessage, true)] {
            if version == V3_1_1 && has_will {
                continue; // it has no such packet
            }
            let mut trace = Trace::with(version, Config { publish_messages_per_second: 10, ..Config::default() });
            trace.connect_with("quick", Connect { will: Some(will("w", "gone")), ..connect("quick") });
            trace.connect("other");
            trace.subscribe("other", "#", AtMostOnce);
            many(&mut trace, version, "quick", &publish("t", "x", AtMostOnce, 0), 20);
            trace.send("quick", publish("t", "x", AtLeastOnce, 1));
            trace.send("quick", disconnect(reason));
            trace.cut("quick");
            assert_eq!(trace.statistics().clients_connected, 1);
            // To leave is no way to publish more than one may.
            for _ in 0..11 {
                assert_eq!(trace.hear_publish("other").topic, text("t"));
            }
            if has_will {
                assert_eq!(trace.hear_publish("other").topic, text("w"));
            }
            trace.expect_nothing("other");
        }
    });
}

#[test]
fn who_was_too_fast_and_left_without_a_word_has_a_will() {
    both(|version| {
        let mut trace = Trace::with(version, Config { publish_messages_per_second: 10, ..Config::default() });
        trace.connect_with("quick", Connect { will: Some(will("w", "gone")), ..connect("quick") });
        trace.connect("other");
        trace.subscribe("other", "w", AtMostOnce);
        many(&mut trace, version, "quick", &publish("t", "x", AtMostOnce, 0), 20);
        let mut bytes = BytesMut::new();
        disconnect(ReasonCode::Success).encode(version, &mut bytes).unwrap();
        trace.send_bytes("quick", bytes.split_to(1));
        trace.cut("quick");
        assert_eq!(trace.hear_publish("other").topic, text("w"));
    });
}

#[test]
fn what_is_reviewed_when_a_client_leaves_that_was_too_fast_is_published_and_nothing_after_it() {
    both(|version| {
        let rules = vec![PublishRule::new(text("t"), "review", None).unwrap()];
        let mut trace = Trace::with(version, Config { publish_messages_per_second: 1, rules, ..Config::default() });
        trace.connect_with("quick", Connect { will: Some(will("w", "gone")), ..connect("quick") });
        trace.connect("other");
        trace.subscribe("other", "#", AtMostOnce);
        many(&mut trace, version, "quick", &publish("t", "x", AtMostOnce, 0), 3);
        trace.decide(Decision::Accept);
        trace.hear_publish("other");
        trace.send("quick", disconnect(ReasonCode::Success));
        trace.cut("quick");
        trace.decide(Decision::Accept);
        assert_eq!(trace.hear_publish("other").topic, text("t"));
        trace.expect_nothing("other");
        assert_eq!(trace.statistics().clients_connected, 1);
    });
}

/// However much that is, it is looked at in turns.
#[test]
fn who_was_too_fast_and_left_in_order_after_very_much_has_left_in_order() {
    both(|version| {
        let mut trace = Trace::with(version, Config { publish_messages_per_second: 10, ..Config::default() });
        trace.connect_with("quick", Connect { will: Some(will("w", "gone")), ..connect("quick") });
        trace.connect("other");
        trace.subscribe("other", "w", AtMostOnce);
        many(&mut trace, version, "quick", &publish("t", "x", AtMostOnce, 0), 20_000);
        trace.send("quick", disconnect(ReasonCode::Success));
        trace.cut("quick");
        trace.catch_up();
        trace.wait_secs(1);
        assert_eq!((trace.statistics().clients_connected, trace.statistics().messages_received), (1, 11));
        trace.expect_nothing("other");
    });
}

/// [MQTT-3.1.2-22] What it sends meanwhile is not read: it cannot be called silent.
#[test]
fn who_waits_to_be_read_is_not_silent() {
    both(|version| {
        let mut trace = Trace::with(version, Config { publish_bytes_per_second: 1, ..Config::default() });
        trace.connect_with("ada", Connect { keep_alive: 2, ..connect("ada") });
        trace.send("ada", publish("t", "for twenty-odd second", AtMostOnce, 0));
        for _ in 0..11 {
            trace.send("ada", Packet::PingReq);
            trace.wait_secs(1);
            trace.expect_nothing("ada");
        }
        trace.wait_secs(16);
        for _ in 0..11 {
            trace.expect("ada", Packet::PingResp);
        }
        trace.wait_secs(3);
        trace.expect_thrown_out("ada", ReasonCode::KeepAliveTimeout);
    });
}
