//! The packets that a load needs, written to and read from bytes, of MQTT 3.1.1 and 5.0.

/// What came. What a load does not ask about is left out.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The connection is open and takes packets. No packet, but where a WebSocket's come after.
    Opened,
    ConnAck {
        code: u8,
    },
    Publish {
        qos: u8,
        id: u16,
        payload: &'a [u8],
    },
    /// The first byte says of which kind.
    Ack {
        kind: u8,
        id: u16,
    },
    SubAck {
        codes: &'a [u8],
    },
    Other,
}

pub const PUBACK: u8 = 0x40;
pub const PUBREC: u8 = 0x50;
pub const PUBREL: u8 = 0x62;
pub const PUBCOMP: u8 = 0x70;

pub fn connect(out: &mut Vec<u8>, version: u8, client_id: &str, clean: bool) {
    let properties = if version == 5 { &[0_u8] as &[_] } else { &[] };
    head(out, 0x10, 10 + properties.len() + 2 + client_id.len());
    text(out, b"MQTT");
    out.extend_from_slice(&[version, if clean { 2 } else { 0 }]);
    out.extend_from_slice(&KEEP_ALIVE_SECONDS.to_be_bytes());
    out.extend_from_slice(properties);
    text(out, client_id.as_bytes());
}

pub fn subscribe(out: &mut Vec<u8>, version: u8, id: u16, filters: &[String], qos: u8) {
    let properties = if version == 5 { &[0_u8] as &[_] } else { &[] };
    let length: usize = filters.iter().map(|filter| filter.len() + 3).sum();
    head(out, 0x82, 2 + properties.len() + length);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(properties);
    for filter in filters {
        text(out, filter.as_bytes());
        out.push(qos);
    }
}

/// A message whose payload begins with `stamp`.
pub struct Message<'a> {
    pub topic: &'a [u8],
    pub qos: u8,
    pub retain: bool,
    pub id: u16,
    pub stamp: u64,
    pub payload: &'a [u8],
}

pub fn publish(out: &mut Vec<u8>, version: u8, message: &Message<'_>) {
    let Message { topic, qos, retain, id, stamp, payload } = *message;
    let id_length = if qos > 0 { 2 } else { 0 };
    head(
        out,
        0x30 | qos << 1 | u8::from(retain),
        2 + topic.len() + id_length + usize::from(version == 5) + payload.len(),
    );
    text(out, topic);
    if qos > 0 {
        out.extend_from_slice(&id.to_be_bytes());
    }
    if version == 5 {
        out.push(0);
    }
    out.extend_from_slice(&stamp.to_be_bytes());
    out.extend_from_slice(&payload[STAMP..]);
}

pub fn ack(out: &mut Vec<u8>, kind: u8, id: u16) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[kind, 2, high, low]);
}

/// The stamp that the payload of a message begins with.
pub fn stamp(payload: &[u8]) -> Option<u64> {
    payload.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The first packet in `bytes` and how long it is; none while it is not whole.
pub fn next(version: u8, bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>, String> {
    let Some((length, head)) = length(bytes)? else { return Ok(None) };
    let Some(body) = bytes.get(head..head + length) else { return Ok(None) };
    let short = || format!("a packet of type {} is too short", bytes[0] >> 4);
    let id_at = |at: usize| body.get(at..at + 2).map(|id| u16::from_be_bytes([id[0], id[1]]));
    let packet = match bytes[0] >> 4 {
        2 => Packet::ConnAck { code: *body.get(1).ok_or_else(short)? },
        3 => {
            let qos = bytes[0] >> 1 & 3;
            let mut at = 2 + usize::from(id_at(0).ok_or_else(short)?);
            let id = if qos > 0 { id_at(at).ok_or_else(short)? } else { 0 };
            at += if qos > 0 { 2 } else { 0 };
            at += properties(version, body, at)?;
            Packet::Publish { qos, id, payload: body.get(at..).ok_or_else(short)? }
        }
        4..=7 => {
            if let Some(code) = body.get(2).filter(|code| **code >= 0x80) {
                return Err(format!("the server refused a message with 0x{code:02X}"));
            }
            Packet::Ack { kind: bytes[0], id: id_at(0).ok_or_else(short)? }
        }
        9 => Packet::SubAck { codes: body.get(2 + properties(version, body, 2)?..).ok_or_else(short)? },
        14 => return Err(format!("the server sent DISCONNECT with 0x{:02X}", body.first().copied().unwrap_or(0))),
        _ => Packet::Other,
    };
    Ok(Some((packet, head + length)))
}

/// The bytes that the properties at `at` take.
fn properties(version: u8, body: &[u8], at: usize) -> Result<usize, String> {
    if version < 5 {
        return Ok(0);
    }
    let (value, bytes) = variable(body.get(at..).unwrap_or(&[]))?.ok_or("properties without a length")?;
    Ok(value + bytes)
}

/// The Remaining Length, and what stands before the body.
fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let rest = bytes.get(1..).unwrap_or(&[]);
    Ok(variable(rest)?.map(|(value, bytes)| (value, 1 + bytes)))
}

fn variable(bytes: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err("a length of more than four bytes".into()) }
}

fn head(out: &mut Vec<u8>, first: u8, mut length: usize) {
    out.push(first);
    loop {
        let low = (length & 0x7F) as u8;
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("names here are short");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

const STAMP: usize = 8;
/// Longer than any measurement, so that nobody pings. Not 0: not every server takes that.
const KEEP_ALIVE_SECONDS: u16 = 600;
