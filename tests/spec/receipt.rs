//! Message receipt (4.5).

use crate::harness::*;

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
