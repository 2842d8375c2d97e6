//! The packets of `vectors/`: each decodes as described or is refused for the reason named, and encodes to its bytes.
#![cfg(not(target_arch = "wasm32"))]

#[path = "vectors/describe.rs"]
mod describe;

use bytes::{Bytes, BytesMut};
use describe::describe;
use mqlite::codec::{DecodeError, Framer, Packet, ProtocolVersion};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn connect() {
    check("connect.json");
}

#[test]
fn connack() {
    check("connack.json");
}

#[test]
fn publish() {
    check("publish.json");
}

#[test]
fn puback_pubrec_pubrel_pubcomp() {
    check("acknowledgement.json");
}

#[test]
fn subscribe_suback() {
    check("subscribe.json");
}

#[test]
fn unsubscribe_unsuback() {
    check("unsubscribe.json");
}

#[test]
fn pingreq_pingresp() {
    check("ping.json");
}

#[test]
fn disconnect() {
    check("disconnect.json");
}

#[test]
fn auth() {
    check("auth.json");
}

#[test]
fn fixed_header() {
    check("frame.json");
}

#[test]
fn every_file_is_read_by_a_test() {
    let names: BTreeSet<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    let packets = include_str!("vectors.rs");
    let access = include_str!("../src/shell/native/access/vectors.rs");
    for name in names {
        let is_of_packets = packets.contains(&format!("check(\"{name}\")"));
        assert!(is_of_packets || access.contains(&format!("tests/vectors/{name}\"")), "{name}");
    }
}

fn check(file: &str) {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut names = BTreeSet::new();
    for vector in &vectors {
        let name = format!("{} ({})", vector["name"].as_str().unwrap(), vector["version"].as_str().unwrap());
        assert!(names.insert(name.clone()), "{name}: comes twice");
        check_rule(vector, &name);
        check_vector(vector, &name);
    }
}

fn check_vector(vector: &Value, name: &str) {
    let version = match vector["version"].as_str() {
        Some("5") => ProtocolVersion::V5,
        Some("3.1.1") => ProtocolVersion::V3_1_1,
        other => panic!("{name}: version {other:?}"),
    };
    let bytes = bytes(vector["hex"].as_str().unwrap());
    match (decode(bytes.clone(), version), &vector["packet"], &vector["error"]) {
        (Ok(packet), expected @ Value::Object(_), Value::Null) => {
            assert_eq!(describe(&packet), *expected, "{name}");
            let mut encoded = BytesMut::new();
            packet.encode(version, &mut encoded).unwrap();
            assert_eq!(encoded == bytes, vector["canonical"] != false, "{name}: encodes to {encoded:02x?}");
            assert_eq!(decode(encoded.freeze(), version), Ok(packet), "{name}: encoded and decoded again");
        }
        (Err(error), Value::Null, Value::String(reason)) => {
            assert_eq!(format!("{:#04x}", error.reason.value()), *reason, "{name}: {error}");
        }
        (result, ..) => panic!("{name}: {result:?}"),
    }
}

/// A rule is a statement id or a section, of the standard that the version names.
fn check_rule(vector: &Value, name: &str) {
    let rule = vector["rule"].as_str().unwrap();
    let (older, id) = rule.strip_prefix("3.1.1 ").map_or((false, rule), |id| (true, id));
    assert_eq!(older, vector["version"] == "3.1.1", "{name}: {rule}");
    let id = id.strip_prefix("MQTT-").unwrap_or(id);
    assert!(id.split(['.', '-']).all(|part| part.parse::<u8>().is_ok()), "{name}: {rule}");
}

fn decode(bytes: Bytes, version: ProtocolVersion) -> Result<Packet, DecodeError> {
    let mut framer = Framer::new(1 << 20);
    framer.push(bytes);
    let frame = framer.next()?.expect("a whole packet");
    assert!(framer.next()?.is_none() && framer.partial().is_empty(), "more than one packet");
    Packet::decode(frame, version)
}

fn bytes(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex.bytes().filter(|byte| *byte != b' ').collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"))
}
