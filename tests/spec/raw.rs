//! Packets made of raw bytes.

use crate::harness::*;
use mqlite::codec::ProtocolVersion;

/// A packet of this first byte, its length, and these bytes.
pub fn raw(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    assert!(content.len() < 128, "one byte says the length");
    [&[first, content.len() as u8], &content[..]].concat()
}

/// A field of bytes behind their length.
pub fn field(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

/// The property section of MQTT 5, which 3.1.1 has not.
pub fn properties(version: ProtocolVersion, bytes: &[u8]) -> Vec<u8> {
    if version == V5 { [&[bytes.len() as u8], bytes].concat() } else { Vec::new() }
}

/// A CONNECT with these flags, without Keep Alive and properties.
pub fn raw_connect(version: ProtocolVersion, flags: u8, payload: &[&[u8]]) -> Vec<u8> {
    let head = [b"\x00\x04MQTT", &[version as u8, flags, 0, 0][..], &properties(version, b"")].concat();
    raw(0x10, &[&head, &payload.concat()])
}
