//! Shared Subscriptions (4.8.2).

use crate::harness::*;
use mqlite::codec::{Packet, Publish, ReasonCode};

fn heard(trace: &mut Trace, name: &'static str, count: usize) -> Vec<bytes::Bytes> {
    (0..count).map(|_| trace.hear_publish(name).payload).collect()
}

/// [MQTT-4.8.2-1] [MQTT-4.8.2-3]
#[test]
fn each_message_goes_to_one_member_of_each_group_in_turn() {
    both(|version| {
        let mut trace = Trace::new(version);
        for (name, filter) in [("a1", "$share/a/t/#"), ("a2", "$share/a/t/#"), ("b1", "$share/b/t/#"), ("plain", "t/#")]
        {
            trace.connect(name);
            trace.subscribe(name, filter, AtMostOnce);
        }
        trace.connect("ada");
        for payload in ["1", "2", "3", "4"] {
            trace.send("ada", publish("t/x", payload, AtLeastOnce, 1));
        }
        assert_eq!(heard(&mut trace, "a1", 2), ["1", "3"]);
        assert_eq!(heard(&mut trace, "a2", 2), ["2", "4"]);
        assert_eq!(heard(&mut trace, "b1", 4), ["1", "2", "3", "4"]);
        assert_eq!(heard(&mut trace, "plain", 4), ["1", "2", "3", "4"]);
        for name in ["a1", "a2", "b1", "plain"] {
            trace.expect_nothing(name);
        }
    });
}

#[test]
fn a_connected_member_is_preferred_to_an_absent_one() {
    both(|version| {
        let mut trace = Trace::new(version);
        for name in ["a", "b"] {
            trace.resume(name);
            trace.subscribe(name, "$share/g/t", AtLeastOnce);
        }
        trace.cut("a");
        trace.connect("ada");
        for payload in ["1", "2"] {
            trace.send("ada", publish("t", payload, AtLeastOnce, 1));
        }
        assert_eq!(heard(&mut trace, "b", 2), ["1", "2"]);
        trace.cut("b");
        trace.send("ada", publish("t", "3", AtLeastOnce, 1));
        trace.send("ada", publish("t", "lost", AtMostOnce, 0));
        trace.resume("a");
        assert_eq!(heard(&mut trace, "a", 1), ["3"]);
    });
}

/// [MQTT-4.8.2-6]
#[test]
fn a_refused_message_goes_to_nobody_else() {
    let mut trace = Trace::new(V5);
    for name in ["a", "b"] {
        trace.connect(name);
        trace.subscribe(name, "$share/g/t", AtLeastOnce);
    }
    trace.connect("ada");
    trace.send("ada", publish("t", "x", AtLeastOnce, 1));
    assert_eq!(heard(&mut trace, "a", 1), ["x"]);
    trace.send("a", puback(1, ReasonCode::ImplementationSpecificError));
    trace.expect_nothing("a");
    trace.expect_nothing("b");
}

#[test]
fn a_busy_member_is_passed_over() {
    let mut trace = Trace::new(V5);
    for name in ["a", "b"] {
        trace.connect(name);
        trace.subscribe(name, "$share/g/t", AtMostOnce);
    }
    trace.connect("ada");
    trace.stall("a");
    let large = bytes::Bytes::from(vec![0; 600_000]);
    for _ in 0..6 {
        let publish = Publish { payload: large.clone(), ..message("t", "") };
        trace.send("ada", Packet::Publish(publish));
    }
    assert_eq!(heard(&mut trace, "b", 4).len(), 4);
    assert!(trace.unread("a") < 1_300_000);
    assert_eq!(trace.statistics().messages_dropped, 0);
}

/// [MQTT-4.8.2-3]
#[test]
fn each_member_of_a_share_gets_no_more_than_the_qos_it_was_granted() {
    both(|version| {
        let mut trace = Trace::new(version);
        for (name, qos) in [("zero", AtMostOnce), ("one", AtLeastOnce), ("two", ExactlyOnce)] {
            trace.connect(name);
            trace.subscribe(name, "$share/g/t", qos);
        }
        trace.connect("ada");
        for (name, qos) in [("zero", AtMostOnce), ("one", AtLeastOnce), ("two", ExactlyOnce)] {
            trace.send("ada", publish("t", "x", ExactlyOnce, qos as u16 + 1));
            assert_eq!(trace.hear_publish(name).qos, qos);
        }
    });
}

/// [MQTT-4.8.2-4]
#[test]
fn a_qos_2_message_that_a_member_has_begun_is_completed_with_it_when_it_comes_back() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("a");
        trace.subscribe("a", "$share/g/t", ExactlyOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", ExactlyOnce, 1));
        trace.expect("a", publish("t", "x", ExactlyOnce, 1));
        trace.cut("a");
        trace.connect("b");
        trace.subscribe("b", "$share/g/t", ExactlyOnce);
        trace.resume("a");
        let again = Publish { dup: true, qos: ExactlyOnce, packet_id: Some(id(1)), ..message("t", "x") };
        trace.expect("a", Packet::Publish(again));
        trace.send("a", pubrec(1, ReasonCode::Success));
        trace.expect("a", pubrel(1, ReasonCode::Success));
        trace.expect_nothing("b");
    });
}

/// [MQTT-4.8.2-6]
#[test]
fn a_qos_2_message_that_a_member_refused_goes_to_nobody_else() {
    let mut trace = Trace::new(V5);
    for name in ["a", "b"] {
        trace.connect(name);
        trace.subscribe(name, "$share/g/t", ExactlyOnce);
    }
    trace.connect("ada");
    trace.send("ada", publish("t", "x", ExactlyOnce, 1));
    trace.hear_publish("a");
    trace.send("a", pubrec(1, ReasonCode::ImplementationSpecificError));
    trace.expect_nothing("a");
    trace.leave("a");
    trace.expect_nothing("b");
}

/// [MQTT-4.8.2-1] [MQTT-4.8.2-2]
#[test]
fn without_the_whole_prefix_a_filter_is_shared_with_nobody() {
    both(|version| {
        let mut trace = Trace::new(version);
        for name in ["a", "b"] {
            trace.connect(name);
            trace.subscribe(name, "$shared/g/t", AtMostOnce);
            trace.subscribe(name, "x/$share/g/t", AtMostOnce);
        }
        trace.connect("ada");
        for topic in ["$shared/g/t", "x/$share/g/t", "t"] {
            trace.send("ada", publish(topic, "x", AtMostOnce, 0));
        }
        for name in ["a", "b"] {
            trace.expect(name, publish("$shared/g/t", "x", AtMostOnce, 0));
            trace.expect(name, publish("x/$share/g/t", "x", AtMostOnce, 0));
            trace.expect_nothing(name);
        }
    });
}
