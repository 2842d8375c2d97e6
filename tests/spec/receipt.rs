//! Message receipt (4.5).

use crate::harness::*;
use mqlite::codec::ReasonCode;

/// [MQTT-4.5.0-1] [3.1.1 MQTT-3.1.2-5]
#[test]
fn messages_of_qos_1_and_2_wait_for_an_absent_client() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("ada");
        trace.subscribe("ada", "t", ExactlyOnce);
        trace.leave("ada");
        trace.connect("bob");
        trace.send("bob", publish("t", "zero", AtMostOnce, 0));
        trace.send("bob", publish("t", "one", AtLeastOnce, 1));
        trace.send("bob", publish("t", "two", ExactlyOnce, 2));
        assert!(trace.resume("ada"));
        trace.expect("ada", publish("t", "one", AtLeastOnce, 1));
        trace.expect("ada", publish("t", "two", ExactlyOnce, 2));
        trace.expect_nothing("ada");
    });
}

/// Who lost a session and uses its identifiers anew is not locked out by what it no longer knows.
#[test]
fn an_identifier_that_an_earlier_connection_left_to_qos_2_is_free_for_qos_1() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("ada");
        trace.send("ada", publish("t", "lost", ExactlyOnce, 7));
        trace.hear("ada");
        trace.cut("ada");
        trace.resume("ada");
        trace.subscribe("ada", "t", AtMostOnce);
        trace.send("ada", publish("t", "one", AtLeastOnce, 7));
        trace.expect("ada", publish("t", "one", AtMostOnce, 0));
        trace.expect("ada", puback(7, ReasonCode::Success));
        trace.send("ada", publish("t", "two", ExactlyOnce, 7));
        trace.expect("ada", publish("t", "two", AtMostOnce, 0));
    });
}
