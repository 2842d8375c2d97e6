//! Bytes that no client should send: each ends in the Reason Code that the standard names, and harms nobody else.

use crate::harness::*;
use mqlite::codec::{Connect, Packet, ReasonCode};

/// A well-behaved pair talks on while `bad` is thrown out.
fn others_talk_on(trace: &mut Trace) {
    trace.send("good publisher", publish("t", "x", AtLeastOnce, 1));
    trace.expect("good publisher", puback(1, ReasonCode::Success));
    assert_eq!(trace.hear_publish("good subscriber").payload, "x");
}

fn with_good_pair(version: mqlite::codec::ProtocolVersion) -> Trace {
    let mut trace = Trace::new(version);
    trace.connect("good subscriber");
    trace.subscribe("good subscriber", "t", AtMostOnce);
    trace.connect("good publisher");
    trace
}

/// [MQTT-4.13.1-1]
#[test]
fn a_malformed_packet_is_answered_and_closed() {
    let cases: &[(&str, &[u8], ReasonCode)] = &[
        ("packet type 0", b"\x00\x00", ReasonCode::MalformedPacket),
        ("QoS 3", b"\x36\x06\x00\x01t\x00\x01x", ReasonCode::MalformedPacket),
        ("reserved bits of SUBSCRIBE", b"\x80\x06\x00\x01\x00\x01t\x00", ReasonCode::MalformedPacket),
        ("a length of five bytes", b"\x30\xff\xff\xff\xff\x7f", ReasonCode::MalformedPacket),
        ("a length of 256 MiB", b"\x30\xff\xff\xff\x7f", ReasonCode::PacketTooLarge),
        ("a server's packet", b"\xd0\x00", ReasonCode::ProtocolError),
    ];
    both(|version| {
        for (what, bytes, reason) in cases {
            let mut trace = with_good_pair(version);
            trace.connect("bad");
            trace.send_bytes("bad", *bytes);
            println!("{what}");
            trace.expect_thrown_out("bad", *reason);
            others_talk_on(&mut trace);
        }
    });
}

/// [MQTT-3.1.0-1] [MQTT-3.14.0-1]
#[test]
fn a_publish_before_connect_is_closed_without_a_word() {
    both(|version| {
        let mut trace = with_good_pair(version);
        trace.open("bad");
        trace.send("bad", publish("t", "x", AtMostOnce, 0));
        trace.expect_closed("bad", ReasonCode::ProtocolError);
        others_talk_on(&mut trace);
    });
}

/// [MQTT-3.1.2-1] [MQTT-3.1.2-2]
#[test]
fn an_unknown_protocol_version_hears_why() {
    let mut trace = with_good_pair(V5);
    trace.open("bad");
    trace.send_bytes("bad", &b"\x10\x0d\x00\x04MQTT\x06\x02\x00\x00\x00\x00\x00"[..]);
    match trace.hear("bad") {
        Packet::ConnAck(connack) => assert_eq!(connack.reason, ReasonCode::UnsupportedProtocolVersion),
        other => panic!("{other:?}"),
    }
    trace.expect_closed("bad", ReasonCode::UnsupportedProtocolVersion);
    others_talk_on(&mut trace);
}

/// [3.1.1 MQTT-3.1.2-2]
#[test]
fn a_client_of_mqtt_3_1_hears_return_code_1() {
    let mut trace = with_good_pair(V3_1_1);
    trace.open("bad");
    trace.stall("bad");
    trace.send_bytes("bad", &b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a"[..]);
    assert_eq!(trace.unread("bad"), b"\x20\x02\x00\x01".len());
    trace.open("bad");
    trace.send_bytes("bad", &b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a"[..]);
    match trace.hear("bad") {
        Packet::ConnAck(connack) => assert_eq!(connack.reason, ReasonCode::UnsupportedProtocolVersion),
        other => panic!("{other:?}"),
    }
    trace.expect_closed("bad", ReasonCode::UnsupportedProtocolVersion);
    others_talk_on(&mut trace);
}

/// [MQTT-3.1.4-1] [3.1.1 MQTT-3.1.4-1]
#[test]
fn a_malformed_connect_hears_why_in_mqtt_5_and_nothing_in_3_1_1() {
    for (level, flags) in [(5, 0x03), (4, 0x03)] {
        let mut trace = with_good_pair(V5);
        let version = if level == 5 { V5 } else { V3_1_1 };
        trace.open_as("bad", version);
        let mut bytes = vec![0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', level, flags, 0, 0, 0, 0];
        if level == 5 {
            bytes[1] += 1;
            bytes.push(0);
        }
        trace.send_bytes("bad", bytes);
        if level == 5 {
            match trace.hear("bad") {
                Packet::ConnAck(connack) => assert_eq!(connack.reason, ReasonCode::MalformedPacket),
                other => panic!("{other:?}"),
            }
        }
        trace.expect_closed("bad", ReasonCode::MalformedPacket);
        others_talk_on(&mut trace);
    }
}

#[test]
fn ten_thousand_filters_are_granted_up_to_the_limit() {
    both(|version| {
        let mut trace = with_good_pair(version);
        trace.connect("bad");
        let names: Vec<_> = (0..10_000).map(|number| format!("f/{number}")).collect();
        let filters: Vec<_> = names.iter().map(|name| (name.as_str(), AtMostOnce)).collect();
        trace.send("bad", subscribe(1, &filters));
        let Packet::SubAck(suback) = trace.hear("bad") else { panic!("no SUBACK") };
        let granted = suback.reasons.iter().filter(|reason| **reason == ReasonCode::Success).count();
        let full = if version == V5 { ReasonCode::QuotaExceeded } else { ReasonCode::UnspecifiedError };
        assert_eq!((granted, suback.reasons.len()), (1_000, 10_000));
        assert!(suback.reasons[1_000..].iter().all(|reason| *reason == full));
        others_talk_on(&mut trace);
    });
}

/// [MQTT-3.1.4-6]
#[test]
fn nothing_after_a_refused_packet_is_processed() {
    both(|version| {
        let mut trace = with_good_pair(version);
        trace.connect("bad");
        trace.send_bytes("bad", &b"\x00\x00\x30\x05\x00\x01tbad"[..]);
        trace.expect_thrown_out("bad", ReasonCode::MalformedPacket);
        trace.expect_nothing("good subscriber");
        others_talk_on(&mut trace);
    });
}

/// [MQTT-4.2-1]
#[test]
fn packets_may_come_byte_by_byte_or_all_at_once() {
    both(|version| {
        let mut bytes = bytes::BytesMut::new();
        let connect = Connect { version, ..connect("ada") };
        for packet in [
            Packet::Connect(Box::new(connect)),
            subscribe(1, &[("t", AtMostOnce)]),
            publish("t", "x", AtLeastOnce, 2),
            Packet::PingReq,
        ] {
            packet.encode(version, &mut bytes).unwrap();
        }
        for size in [1, 2, 3, 7, bytes.len()] {
            let mut trace = Trace::new(version);
            trace.open("ada");
            for chunk in bytes.chunks(size) {
                trace.send_bytes("ada", chunk.to_vec());
                trace.send_bytes("ada", &b""[..]);
            }
            assert!(matches!(trace.hear("ada"), Packet::ConnAck(_)));
            trace.expect("ada", suback(1, &[ReasonCode::Success]));
            trace.expect("ada", publish("t", "x", AtMostOnce, 0));
            trace.expect("ada", puback(2, ReasonCode::Success));
            trace.expect("ada", Packet::PingResp);
        }
    });
}
