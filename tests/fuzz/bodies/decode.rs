//! Bytes as one packet: whatever is taken for a packet says all that was in them.

use super::encode;
use bytes::Bytes;
use mqlite::codec::{Packet, ProtocolVersion};

/// Takes the bytes for a whole packet, and for one behind its first byte, whose length is always right.
pub fn decode(data: &[u8]) {
    for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
        survives(Bytes::copy_from_slice(data), version);
        if let Some((&first, content)) = data.split_first() {
            let frame = with_length(first, content);
            if let Some(again) = survives(frame.clone(), version)
                && again.version() == ProtocolVersion::V3_1_1
            {
                assert_eq!(again.bytes, frame, "3.1.1 has one way to say a thing");
            }
        }
    }
}

struct Again {
    packet: Packet,
    version: ProtocolVersion,
    bytes: Bytes,
}

impl Again {
    /// A CONNECT names its own.
    fn version(&self) -> ProtocolVersion {
        if let Packet::Connect(connect) = &self.packet { connect.version } else { self.version }
    }
}

/// If the bytes are a packet, it comes back from its own bytes.
fn survives(frame: Bytes, version: ProtocolVersion) -> Option<Again> {
    let packet = match Packet::decode(frame, version) {
        Ok(packet) => packet,
        Err(error) => {
            assert!(error.reason.is_failure() && !error.message.is_empty());
            return None;
        }
    };
    let bytes = encode(&packet, version);
    assert_eq!(bytes.len(), packet.size(version));
    assert_eq!(Packet::decode(bytes.clone(), version).as_ref(), Ok(&packet));
    Some(Again { packet, version, bytes })
}

fn with_length(first: u8, content: &[u8]) -> Bytes {
    let mut frame = vec![first];
    let mut remaining = content.len();
    while remaining >= 128 {
        frame.push((remaining % 128) as u8 | 128);
        remaining /= 128;
    }
    frame.push(remaining as u8);
    frame.extend_from_slice(content);
    frame.into()
}
