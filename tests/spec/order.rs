//! Message ordering (4.6).

use crate::harness::*;
use mqlite::codec::{Connect, ConnectProperties, Packet, Publish, ReasonCode};
use std::num::NonZeroU16;

/// [MQTT-4.6.0-5]
#[test]
fn messages_of_one_publisher_arrive_in_order() {
    both(|version| {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let mut trace = Trace::new(version);
            let properties = ConnectProperties { receive_maximum: NonZeroU16::new(2), ..Default::default() };
            trace.connect_with("bob", Connect { properties, ..connect("bob") });
            trace.subscribe("bob", "t", qos);
            trace.connect("ada");
            let payloads = ["a", "b", "c", "d", "e", "f"];
            for (index, payload) in payloads.iter().enumerate() {
                trace.send("ada", publish("t", payload, qos, if qos == AtMostOnce { 0 } else { index as u16 + 1 }));
            }
            for payload in payloads {
                let publish = trace.hear_publish("bob");
                assert_eq!(publish.payload, payload);
                // In 3.1.1 there is no Receive Maximum to wait for.
                match publish.packet_id.filter(|_| version == V5) {
                    Some(id) if qos == AtLeastOnce => trace.send("bob", puback(id.value(), ReasonCode::Success)),
                    Some(id) => trace.send("bob", pubrec(id.value(), ReasonCode::ImplementationSpecificError)),
                    None => {}
                }
            }
        }
    });
}

fn one_in_flight(client_id: &str) -> Connect {
    let properties = ConnectProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
    Connect { properties, ..connect(client_id) }
}

/// [MQTT-4.6.0-5] [MQTT-4.6.0-6]
#[test]
fn qos_0_does_not_overtake_qos_0_that_waits() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    for topic in ["t/1", "t/2"] {
        let publish = Publish { retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), ..message(topic, "r") };
        trace.send("ada", Packet::Publish(publish));
    }
    trace.connect_with("bob", one_in_flight("bob"));
    trace.subscribe("bob", "t/#", AtLeastOnce);
    for payload in ["1", "2"] {
        trace.send("ada", publish("t/x", payload, AtLeastOnce, 1));
    }
    trace.send("ada", publish("t/x", "3", AtMostOnce, 0));
    for (packet_id, payload) in [(1, "r"), (2, "r"), (3, "1")] {
        assert_eq!(trace.hear_publish("bob").payload, payload);
        trace.send("ada", publish("t/x", ["4", "5", "6"][packet_id - 1], AtMostOnce, 0));
        trace.expect_nothing("bob");
        trace.send("bob", puback(packet_id as u16, ReasonCode::Success));
    }
    assert_eq!(trace.hear_publish("bob").payload, "2");
    for payload in ["3", "4", "5", "6"] {
        assert_eq!(trace.hear_publish("bob").payload, payload);
    }
    trace.expect_nothing("bob");
}
