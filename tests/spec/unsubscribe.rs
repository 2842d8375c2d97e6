//! UNSUBSCRIBE and UNSUBACK (3.10, 3.11).

use crate::harness::*;
use mqlite::codec::{Packet, ReasonCode};

/// [MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1]
#[test]
fn unsubscribing_ends_a_subscription_and_tells_which_existed() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t/+", AtLeastOnce);
        trace.send("bob", unsubscribe(4, &["t/#", "t/+"]));
        trace.expect("bob", unsuback(4, &[ReasonCode::NoSubscriptionExisted, ReasonCode::Success]));
        trace.connect("ada");
        trace.send("ada", publish("t/a", "x", AtMostOnce, 0));
        trace.expect_nothing("bob");
        assert_eq!(trace.statistics().subscriptions, 0);
    });
}

/// [MQTT-3.10.4-3]
#[test]
fn what_was_begun_is_delivered_after_unsubscribing() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("bob");
        trace.subscribe("bob", "t", AtLeastOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", AtLeastOnce, 1));
        trace.hear_publish("bob");
        trace.send("bob", unsubscribe(4, &["t"]));
        trace.hear("bob");
        trace.cut("bob");
        trace.resume("bob");
        assert!(trace.hear_publish("bob").dup);
    });
}

/// [MQTT-3.10.4-1] [MQTT-3.10.4-5]
#[test]
fn only_the_filter_that_is_the_same_character_by_character_ends() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "a/+", AtMostOnce);
        for other in ["a/b", "a/#", "A/+", "a/+/", "$share/g/a/+"] {
            trace.send("bob", unsubscribe(1, &[other]));
            trace.expect("bob", unsuback(1, &[ReasonCode::NoSubscriptionExisted]));
        }
        trace.connect("ada");
        trace.send("ada", publish("a/b", "still", AtMostOnce, 0));
        trace.expect("bob", publish("a/b", "still", AtMostOnce, 0));
    });
}

/// [MQTT-3.10.4-4] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [3.1.1 MQTT-3.10.4-5]
#[test]
fn an_unsubscribe_is_answered_once_with_a_reason_for_each_filter_where_there_are_any() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.subscribe("ada", "a", AtMostOnce);
        trace.subscribe("ada", "b", AtMostOnce);
        trace.send("ada", unsubscribe(5, &["none", "b", "b", "a"]));
        let Packet::UnsubAck(unsuback) = trace.hear("ada") else { panic!("no UNSUBACK") };
        let codes: Vec<_> = unsuback.reasons.iter().map(|reason| reason.value()).collect();
        assert_eq!(codes, if version == V5 { vec![0x11, 0x00, 0x11, 0x00] } else { vec![] });
        trace.expect_nothing("ada");
    });
}

/// [MQTT-3.10.4-2] [MQTT-3.10.4-3] [3.1.1 MQTT-3.10.4-3]
#[test]
fn after_an_unsubscribe_nothing_new_comes_and_what_was_begun_goes_on() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "begun", ExactlyOnce, 1));
        trace.expect("bob", publish("t", "begun", ExactlyOnce, 1));
        trace.send("bob", unsubscribe(2, &["t"]));
        trace.hear("bob");
        trace.send("ada", publish("t", "new", ExactlyOnce, 2));
        trace.send("bob", pubrec(1, ReasonCode::Success));
        trace.expect("bob", pubrel(1, ReasonCode::Success));
        trace.send("bob", pubcomp(1, ReasonCode::Success));
        trace.expect_nothing("bob");
    });
}
