//! MQTT Control Packet format (2): fixed header, Packet Identifier, properties.

use crate::{harness::*, raw::*};
use mqlite::codec::{Ack, ConnAck, Connect, Disconnect, Packet, ReasonCode};

/// [MQTT-2.2.1-2]
#[test]
fn a_publish_of_qos_0_has_no_packet_identifier() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "", AtLeastOnce, 7));
        trace.expect("bob", publish("t", "", AtMostOnce, 0));
        trace.send_bytes("ada", raw(0x30, &[b"\x00\x01t", &properties(version, b""), b"\x00\x07"]));
        assert_eq!(trace.hear_publish("bob").payload, "\x00\x07");
    });
}

/// [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
#[test]
fn each_message_in_flight_has_an_identifier_of_its_own() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        trace.connect("ada");
        let mut in_flight = Vec::new();
        for number in 1..=40 {
            let qos = if number % 2 == 0 { AtLeastOnce } else { ExactlyOnce };
            trace.send("ada", publish("t", "x", qos, number));
            let packet_id = trace.hear_publish("bob").packet_id.unwrap().value();
            assert!(packet_id > 0 && !in_flight.contains(&packet_id), "{packet_id}: {in_flight:?}");
            match number % 4 {
                0 => trace.send("bob", puback(packet_id, ReasonCode::Success)),
                _ => in_flight.push(packet_id),
            }
        }
    });
}

/// [MQTT-2.2.1-5] [MQTT-2.2.1-6] [MQTT-3.8.4-2] [MQTT-3.10.4-5] [MQTT-3.3.4-1]
#[test]
fn an_answer_has_the_identifier_of_what_it_answers() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        for packet_id in [1, 255, 256, 65_535] {
            trace.send("ada", subscribe(packet_id, &[("a", AtLeastOnce)]));
            trace.expect("ada", suback(packet_id, &[ReasonCode::GrantedQoS1]));
            trace.send("ada", publish("t", "x", ExactlyOnce, packet_id));
            trace.expect("ada", pubrec(packet_id, ReasonCode::Success));
            trace.send("ada", pubrel(packet_id, ReasonCode::Success));
            trace.expect("ada", pubcomp(packet_id, ReasonCode::Success));
            trace.send("ada", publish("t", "x", AtLeastOnce, packet_id));
            trace.expect("ada", puback(packet_id, ReasonCode::Success));
            trace.send("ada", unsubscribe(packet_id, &["a"]));
            trace.expect("ada", unsuback(packet_id, &[ReasonCode::Success]));
        }
    });
}

/// [MQTT-2.2.2-1]
#[test]
fn no_properties_are_a_property_length_of_0() {
    let ack = |packet_id| Ack::from(id(packet_id));
    for (packet, expected) in [
        (Packet::Connect(Box::new(connect("a"))), &b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a"[..]),
        (
            Packet::Connect(Box::new(Connect { will: Some(will("w", "x")), ..connect("a") })),
            b"\x10\x15\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x01a\x00\x00\x01w\x00\x01x",
        ),
        (
            Packet::ConnAck(Box::new(ConnAck {
                session_present: false,
                reason: ReasonCode::Success,
                properties: Default::default(),
            })),
            b"\x20\x03\x00\x00\x00",
        ),
        (publish("t", "x", AtMostOnce, 0), b"\x30\x05\x00\x01t\x00x"),
        (Packet::PubAck(ack(1)), b"\x40\x02\x00\x01"),
        (subscribe(1, &[("t", AtMostOnce)]), b"\x82\x07\x00\x01\x00\x00\x01t\x00"),
        (suback(1, &[ReasonCode::Success]), b"\x90\x04\x00\x01\x00\x00"),
        (unsubscribe(1, &["t"]), b"\xA2\x06\x00\x01\x00\x00\x01t"),
        (unsuback(1, &[ReasonCode::Success]), b"\xB0\x04\x00\x01\x00\x00"),
        (Packet::Disconnect(Disconnect::from(ReasonCode::Success)), b"\xE0\x00"),
    ] {
        let mut bytes = bytes::BytesMut::new();
        packet.encode(V5, &mut bytes).unwrap();
        assert_eq!(bytes, expected, "{packet:?}");
    }
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    trace.send_bytes("ada", raw(0x82, &[b"\x00\x01", b"\x00\x01t\x00"]));
    trace.expect_thrown_out("ada", ReasonCode::MalformedPacket);
}
