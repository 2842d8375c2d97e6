//! Data representation (1.5).

use crate::harness::*;
use mqlite::codec::{Packet, Publish, Text};

/// [MQTT-1.5.4-3]
#[test]
fn a_zero_width_no_break_space_is_a_character_like_any() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "\u{FEFF}t", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "without", AtMostOnce, 0));
        trace.send("ada", publish("\u{FEFF}t", "with", AtMostOnce, 0));
        trace.expect("bob", publish("\u{FEFF}t", "with", AtMostOnce, 0));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-1.5.5-1] What is 127 bytes long says so in one byte, what is one byte longer in two.
#[test]
fn lengths_are_written_in_as_few_bytes_as_they_need() {
    for (length, header) in [(127, &[0x30, 0x7F][..]), (128, &[0x30, 0x80, 0x01]), (16_384, &[0x30, 0x80, 0x80, 0x01])]
    {
        let publish = Publish { payload: vec![0; length - 3].into(), ..message("t", "") };
        let mut bytes = bytes::BytesMut::new();
        Packet::Publish(publish).encode(V3_1_1, &mut bytes).unwrap();
        assert_eq!(bytes[..header.len()], *header);
    }
}

/// [MQTT-4.7.3-3]
#[test]
fn a_topic_has_at_most_65_535_bytes() {
    both(|version| {
        let longest = "t".repeat(65_535);
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.subscribe("ada", &longest, AtMostOnce);
        trace.send("ada", publish(&longest, "x", AtMostOnce, 0));
        trace.expect("ada", publish(&longest, "x", AtMostOnce, 0));
        assert!(Text::try_from(longest + "t").is_err(), "there is no way to say more");
    });
}
