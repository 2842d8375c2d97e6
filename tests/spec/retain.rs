//! Retained messages (3.3.1.3, 3.8.3.1).

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{Packet, Publish, ReasonCode, RetainHandling, SubscribeProperties},
};

/// [MQTT-3.3.1-5] [MQTT-3.3.1-9] [MQTT-3.3.1-8]
#[test]
fn the_last_retained_message_greets_a_new_subscriber() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.send("ada", retained("t/1", "old"));
        trace.send("ada", retained("t/1", "new"));
        trace.send("ada", retained("t/2", "two"));
        trace.send("ada", publish("t/1", "not retained", AtMostOnce, 0));
        trace.connect("bob");
        trace.subscribe("bob", "t/+", AtLeastOnce);
        trace.expect("bob", retained("t/1", "new"));
        trace.expect("bob", retained("t/2", "two"));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-3.3.1-6] [MQTT-3.3.1-7]
#[test]
fn an_empty_payload_removes_the_retained_message() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", retained("t", "x"));
        trace.send("ada", retained("t", ""));
        trace.hear_publish("bob");
        assert!(trace.hear_publish("bob").payload.is_empty(), "the empty message itself is delivered");
        trace.connect("eve");
        trace.subscribe("eve", "t", AtMostOnce);
        trace.expect_nothing("eve");
        let statistics = trace.statistics();
        assert_eq!((statistics.retained_messages, statistics.retained_bytes), (0, 0));
    });
}

/// [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4]
#[test]
fn retain_handling_says_when_retained_messages_come() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    trace.send("ada", retained("t", "x"));
    trace.connect("bob");
    let expected =
        [(RetainHandling::DoNotSend, false), (RetainHandling::SendIfNew, false), (RetainHandling::Send, true)];
    for (handling, is_sent) in expected {
        trace.send("bob", subscribe_with(1, &[("t", options(AtMostOnce, handling))], SubscribeProperties::default()));
        trace.expect("bob", suback(1, &[ReasonCode::Success]));
        if is_sent {
            trace.expect("bob", retained("t", "x"));
        }
        trace.expect_nothing("bob");
    }
    trace.send("bob", unsubscribe(2, &["t"]));
    trace.hear("bob");
    let options = options(AtMostOnce, RetainHandling::SendIfNew);
    trace.send("bob", subscribe_with(1, &[("t", options)], SubscribeProperties::default()));
    trace.hear("bob");
    trace.expect("bob", retained("t", "x"));
}

#[test]
fn one_retained_message_too_many_is_refused_and_an_old_topic_is_not() {
    let mut trace = Trace::with(V5, Config { maximum_retained_messages: 1, ..Default::default() });
    trace.connect("ada");
    trace.send("ada", retained("t", "x"));
    let second = Publish { retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), ..message("u", "x") };
    trace.send("ada", Packet::Publish(second));
    trace.expect("ada", puback(1, ReasonCode::QuotaExceeded));
    trace.send("ada", retained("t", "y"));
    trace.connect("bob");
    trace.subscribe("bob", "#", AtMostOnce);
    trace.expect("bob", retained("t", "y"));
    trace.expect_nothing("bob");
}

#[test]
fn the_bytes_that_may_be_retained_are_limited() {
    let mut trace = Trace::with(V5, Config { maximum_retained_bytes: 2_000, ..Default::default() });
    trace.connect("ada");
    let retain = |length| {
        let payload = vec![b'x'; length].into();
        Packet::Publish(Publish { payload, retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), ..message("t", "") })
    };
    trace.send("ada", retain(1_000));
    trace.expect("ada", puback(1, ReasonCode::NoMatchingSubscribers));
    let bytes = trace.statistics().retained_bytes;
    assert!((1_001..2_000).contains(&bytes), "{bytes}");
    trace.send("ada", retain(2_000));
    trace.expect("ada", puback(1, ReasonCode::QuotaExceeded));
    assert_eq!(trace.statistics().retained_bytes, bytes);
}

#[test]
fn live_messages_do_not_overtake_retained_ones() {
    let mut trace = Trace::with(V5, Config { send_buffer: 40, ..Default::default() });
    trace.connect("ada");
    for topic in ["t/1", "t/2", "t/3", "t/4"] {
        trace.send("ada", retained(topic, "0123456789"));
    }
    trace.connect("bob");
    trace.stall("bob");
    trace.send("bob", subscribe(1, &[("#", AtMostOnce)]));
    trace.send("ada", publish("t/4", "live", AtMostOnce, 0));
    trace.stall("ada");
    trace.unstall("bob");
    let heard: Vec<_> = std::iter::repeat_with(|| trace.hear_publish("bob")).take(3).collect();
    assert_eq!(heard.last().unwrap().payload, "live", "{heard:?}");
    trace.expect_nothing("bob");
}

/// [MQTT-3.3.1-9] [MQTT-4.4.0-1]
#[test]
fn what_is_retained_goes_on_where_it_was_when_the_session_resumes() {
    both(|version| {
        let mut trace = Trace::with(version, Config { maximum_in_flight: 1, ..Default::default() });
        trace.connect("ada");
        let topics = ["t/1", "t/2", "t/3"];
        for topic in topics {
            let publish = Publish { retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), ..message(topic, "x") };
            trace.send("ada", Packet::Publish(publish));
        }
        trace.resume("bob");
        trace.subscribe("bob", "t/+", AtLeastOnce);
        assert_eq!(trace.hear_publish("bob").topic, text("t/1"));
        trace.cut("bob");
        assert!(trace.resume("bob"));
        for (topic, dup) in topics.into_iter().zip([true, false, false]) {
            let publish = trace.hear_publish("bob");
            assert_eq!((publish.topic, publish.dup, publish.retain), (text(topic), dup, true));
            trace.send("bob", puback(publish.packet_id.unwrap().value(), ReasonCode::Success));
        }
        trace.expect_nothing("bob");
    });
}

/// (4.8.2)
#[test]
fn a_shared_subscription_gets_no_retained_messages() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    trace.send("ada", retained("t", "x"));
    trace.connect("bob");
    trace.subscribe("bob", "$share/g/t", AtMostOnce);
    trace.expect_nothing("bob");
}

/// [MQTT-3.3.1-8] [3.1.1 MQTT-3.3.1-12]
#[test]
fn a_message_without_retain_neither_becomes_nor_replaces_nor_removes_what_is_retained() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.send("ada", publish("new", "x", AtMostOnce, 0));
        trace.send("ada", retained("t", "kept"));
        trace.send("ada", publish("t", "other", AtMostOnce, 0));
        trace.send("ada", publish("t", "", AtMostOnce, 0));
        trace.connect("bob");
        trace.subscribe("bob", "#", AtMostOnce);
        trace.expect("bob", retained("t", "kept"));
        trace.expect_nothing("bob");
    });
}

/// [3.1.1 MQTT-3.3.1-8] [3.1.1 MQTT-3.3.1-9]
#[test]
fn retain_is_set_for_a_new_subscription_and_never_for_one_that_was_there() {
    let mut trace = Trace::new(V3_1_1);
    trace.connect("there");
    trace.subscribe("there", "t", AtMostOnce);
    trace.connect("ada");
    trace.send("ada", retained("t", "x"));
    trace.expect("there", publish("t", "x", AtMostOnce, 0));
    trace.connect("new");
    trace.subscribe("new", "t", AtMostOnce);
    trace.expect("new", retained("t", "x"));
}
