//! Network Connections (4.2): a stream of bytes, however it is cut.

use crate::harness::*;
use mqlite::codec::{Connect, Packet, ReasonCode};

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
