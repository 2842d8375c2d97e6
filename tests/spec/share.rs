//! Shared Subscriptions (4.8.2).

use crate::harness::*;
use mqlite::codec::ReasonCode;

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
        let publish = mqlite::codec::Publish { payload: large.clone(), ..message("t", "") };
        trace.send("ada", mqlite::codec::Packet::Publish(publish));
    }
    assert_eq!(heard(&mut trace, "b", 4).len(), 4);
    assert!(trace.unread("a") < 1_300_000);
    assert_eq!(trace.statistics().messages_dropped, 0);
}
