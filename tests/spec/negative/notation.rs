//! How the tables write bytes, so that a reader can hold them against the standard.

use mqlite::codec::ProtocolVersion;

/// The bytes of `text`, one after another:
///
/// - `0A` or `0A0B`: hexadecimal;
/// - `'abc'`: the characters alone;
/// - `<abc>`: a string, its length in two bytes first;
/// - `(C0 80)`: the same of hexadecimal;
/// - `{0B 01}`: a property section, its length first; of this 3.1.1 has nothing;
/// - `30: ...` at the beginning: a packet, whose Remaining Length follows its first byte. `; ` begins the next one.
pub fn bytes(version: ProtocolVersion, text: &str) -> Vec<u8> {
    let packet = |text: &str| match text.split_once(": ") {
        Some((first, content)) => frame(hex(first)[0], &fields(version, content)),
        None => fields(version, text),
    };
    text.split("; ").flat_map(packet).collect()
}

/// A packet with these contents.
pub fn frame(first_byte: u8, content: &[u8]) -> Vec<u8> {
    [&[first_byte], &variable(content.len())[..], content].concat()
}

/// Whether the bytes are one packet, neither less nor more.
pub fn is_whole_packet(bytes: &[u8]) -> bool {
    let length = bytes.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
    bytes.len() > length && variable(bytes.len() - length - 1) == bytes[1..=length]
}

fn fields(version: ProtocolVersion, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (inner, after) = match first {
            '<' => enclosed(rest, '>'),
            '\'' => enclosed(rest, '\''),
            '(' => enclosed(rest, ')'),
            '{' => enclosed(rest, '}'),
            _ => rest.split_at(rest.find([' ', '<', '\'', '(', '{']).unwrap_or(rest.len())),
        };
        match first {
            '<' => bytes.extend(prefixed(inner.as_bytes())),
            '\'' => bytes.extend(inner.as_bytes()),
            '(' => bytes.extend(prefixed(&fields(version, inner))),
            '{' if version == ProtocolVersion::V3_1_1 => {}
            '{' => {
                let section = fields(version, inner);
                bytes.extend(variable(section.len()));
                bytes.extend(section);
            }
            _ => bytes.extend(hex(inner)),
        }
        rest = after.trim_start();
    }
    bytes
}

/// What stands between the first character and `end`, and what follows.
fn enclosed(text: &str, end: char) -> (&str, &str) {
    text[1..].split_once(end).unwrap_or_else(|| panic!("{end} is missing: {text}"))
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_else(|_| panic!("no hexadecimal: {text}"));
    (0..text.len()).step_by(2).map(digits).collect()
}

/// A Variable Byte Integer.
fn variable(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7F {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
