//! Two tables of the standard, value by value: which packet may carry which property (2.2.2.2) and Reason Code (2.4).
#![cfg(not(target_arch = "wasm32"))]

use bytes::{Bytes, BytesMut};
use mqlite::codec::{DecodeError, Packet, ProtocolVersion::V5, ReasonCode};

#[test]
fn each_packet_carries_its_properties_and_no_others() {
    for carrier in CARRIERS {
        for identifier in 0..=0x7F {
            let row = PROPERTIES.iter().find(|row| row.0 == identifier);
            let value = row.map_or(&[0; 8][..], |row| row.1);
            let result = carrier.decode_with(identifier, value, 1);
            if row.is_some_and(|row| row.2.contains(&carrier.name)) {
                let packet = result.unwrap_or_else(|error| panic!("{} {identifier:#x}: {error}", carrier.name));
                assert_eq!(encode(&packet), carrier.frame_with(identifier, value, 1));
            } else {
                assert_eq!(result.unwrap_err().reason, ReasonCode::MalformedPacket, "{} {identifier:#x}", carrier.name);
            }
        }
    }
}

#[test]
fn a_property_comes_once_but_for_user_properties_and_subscription_identifiers() {
    for carrier in CARRIERS {
        for (identifier, value, _) in PROPERTIES.iter().filter(|row| row.2.contains(&carrier.name)) {
            let result = carrier.decode_with(*identifier, value, 2);
            if *identifier == 0x26 || (*identifier == 0x0B && carrier.name == "PUBLISH") {
                let packet = result.expect("a property that may be repeated");
                assert_eq!(encode(&packet), carrier.frame_with(*identifier, value, 2));
            } else {
                let error = result.expect_err("a property that may not be repeated");
                assert_eq!(error.reason, ReasonCode::ProtocolError, "{} {identifier:#x}", carrier.name);
            }
        }
    }
}

#[test]
fn a_property_cut_short_is_malformed() {
    for carrier in CARRIERS {
        for (identifier, value, _) in PROPERTIES.iter().filter(|row| row.2.contains(&carrier.name)) {
            for length in 0..value.len() {
                let error = carrier.decode_with(*identifier, &value[..length], 1).unwrap_err();
                assert_eq!(error.reason, ReasonCode::MalformedPacket, "{} {identifier:#x} {length}", carrier.name);
            }
        }
    }
}

#[test]
fn each_packet_carries_its_reason_codes_and_no_others() {
    for (name, first_byte, before, after, allowed) in REASONS {
        for code in 0..=255 {
            let content = [*before, &[code], *after].concat();
            let frame = frame(*first_byte, &content);
            match Packet::decode(frame.clone(), V5) {
                Ok(packet) => {
                    assert!(allowed.contains(&code), "{name} {code:#x}");
                    let short_form = after.is_empty() && code == 0;
                    assert_eq!(encode(&packet) == frame, !short_form, "{name} {code:#x}");
                }
                Err(error) => {
                    assert!(!allowed.contains(&code), "{name} {code:#x}");
                    assert_eq!(error.reason, ReasonCode::ProtocolError, "{name} {code:#x}");
                }
            }
        }
    }
}

/// A property section and what surrounds it.
struct Carrier {
    name: &'static str,
    first_byte: u8,
    before: &'static [u8],
    after: &'static [u8],
}

impl Carrier {
    fn decode_with(&self, identifier: u8, value: &[u8], times: usize) -> Result<Packet, DecodeError> {
        Packet::decode(self.frame_with(identifier, value, times), V5)
    }

    /// The packet with the property `times` over, behind an Authentication Method where one must be.
    fn frame_with(&self, identifier: u8, value: &[u8], times: usize) -> Bytes {
        let mut section = Vec::new();
        if (self.name == "AUTH" && identifier != 0x15) || (self.name == "CONNECT" && identifier == 0x16) {
            section.extend_from_slice(b"\x15\x00\x01M");
        }
        for _ in 0..times {
            section.push(identifier);
            section.extend_from_slice(value);
        }
        let content = [self.before, &[section.len() as u8], &section, self.after].concat();
        frame(self.first_byte, &content)
    }
}

fn frame(first_byte: u8, content: &[u8]) -> Bytes {
    [&[first_byte, content.len() as u8], content].concat().into()
}

fn encode(packet: &Packet) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(V5, &mut bytes).expect("small enough");
    bytes.freeze()
}

const CARRIERS: &[Carrier] = &[
    Carrier { name: "CONNECT", first_byte: 0x10, before: b"\x00\x04MQTT\x05\x02\x00\x00", after: b"\x00\x00" },
    Carrier {
        name: "will",
        first_byte: 0x10,
        before: b"\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x00",
        after: b"\x00\x01w\x00\x00",
    },
    Carrier { name: "CONNACK", first_byte: 0x20, before: b"\x00\x00", after: b"" },
    Carrier { name: "PUBLISH", first_byte: 0x30, before: b"\x00\x01t", after: b"payload" },
    Carrier { name: "PUBACK", first_byte: 0x40, before: b"\x00\x01\x00", after: b"" },
    Carrier { name: "PUBREC", first_byte: 0x50, before: b"\x00\x01\x00", after: b"" },
    Carrier { name: "PUBREL", first_byte: 0x62, before: b"\x00\x01\x00", after: b"" },
    Carrier { name: "PUBCOMP", first_byte: 0x70, before: b"\x00\x01\x00", after: b"" },
    Carrier { name: "SUBSCRIBE", first_byte: 0x82, before: b"\x00\x01", after: b"\x00\x01f\x00" },
    Carrier { name: "SUBACK", first_byte: 0x90, before: b"\x00\x01", after: b"\x00" },
    Carrier { name: "UNSUBSCRIBE", first_byte: 0xA2, before: b"\x00\x01", after: b"\x00\x01f" },
    Carrier { name: "UNSUBACK", first_byte: 0xB0, before: b"\x00\x01", after: b"\x00" },
    Carrier { name: "DISCONNECT", first_byte: 0xE0, before: b"\x00", after: b"" },
    Carrier { name: "AUTH", first_byte: 0xF0, before: b"\x18", after: b"" },
];

/// Identifier, a value, and who may carry it.
#[rustfmt::skip]
const PROPERTIES: &[(u8, &[u8], &[&str])] = &[
    (0x01, b"\x01", &["PUBLISH", "will"]),
    (0x02, b"\x00\x00\x00\x05", &["PUBLISH", "will"]),
    (0x03, b"\x00\x01t", &["PUBLISH", "will"]),
    (0x08, b"\x00\x01r", &["PUBLISH", "will"]),
    (0x09, b"\x00\x01\xFF", &["PUBLISH", "will"]),
    (0x0B, b"\x80\x01", &["PUBLISH", "SUBSCRIBE"]),
    (0x11, b"\x00\x00\x00\x00", &["CONNECT", "CONNACK", "DISCONNECT"]),
    (0x12, b"\x00\x01c", &["CONNACK"]),
    (0x13, b"\x00\x00", &["CONNACK"]),
    (0x15, b"\x00\x01m", &["CONNECT", "CONNACK", "AUTH"]),
    (0x16, b"\x00\x01\xFF", &["CONNECT", "CONNACK", "AUTH"]),
    (0x17, b"\x00", &["CONNECT"]),
    (0x18, b"\x00\x00\x00\x05", &["will"]),
    (0x19, b"\x01", &["CONNECT"]),
    (0x1A, b"\x00\x01r", &["CONNACK"]),
    (0x1C, b"\x00\x01s", &["CONNACK", "DISCONNECT"]),
    (0x1F, b"\x00\x01r", &[
        "CONNACK", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBACK", "UNSUBACK", "DISCONNECT", "AUTH",
    ]),
    (0x21, b"\x00\x01", &["CONNECT", "CONNACK"]),
    (0x22, b"\x00\x00", &["CONNECT", "CONNACK"]),
    (0x23, b"\x00\x01", &["PUBLISH"]),
    (0x24, b"\x00", &["CONNACK"]),
    (0x25, b"\x00", &["CONNACK"]),
    (0x26, b"\x00\x01k\x00\x01v", &[
        "CONNECT", "will", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
        "UNSUBSCRIBE", "UNSUBACK", "DISCONNECT", "AUTH",
    ]),
    (0x27, b"\x00\x00\x00\x01", &["CONNECT", "CONNACK"]),
    (0x28, b"\x00", &["CONNACK"]),
    (0x29, b"\x01", &["CONNACK"]),
    (0x2A, b"\x00", &["CONNACK"]),
];

/// Packet, its first byte, what comes before and after the Reason Code, and the codes it may carry.
type ReasonRow = (&'static str, u8, &'static [u8], &'static [u8], &'static [u8]);

#[rustfmt::skip]
const REASONS: &[ReasonRow] = &[
    ("CONNACK", 0x20, b"\x00", b"\x00", &[
        0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A,
        0x9B, 0x9C, 0x9D, 0x9F,
    ]),
    ("PUBACK", 0x40, b"\x00\x01", b"", &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
    ("PUBREC", 0x50, b"\x00\x01", b"", &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
    ("PUBREL", 0x62, b"\x00\x01", b"", &[0x00, 0x92]),
    ("PUBCOMP", 0x70, b"\x00\x01", b"", &[0x00, 0x92]),
    ("SUBACK", 0x90, b"\x00\x01\x00\x00", b"\x00", &[
        0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2,
    ]),
    ("UNSUBACK", 0xB0, b"\x00\x01\x00\x00", b"\x00", &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]),
    ("DISCONNECT", 0xE0, b"", b"", &[
        0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96,
        0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
    ]),
    ("AUTH", 0xF0, b"", b"\x04\x15\x00\x01m", &[0x00, 0x18, 0x19]),
];
