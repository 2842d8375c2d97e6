//! PINGREQ and PINGRESP (3.12, 3.13).

use crate::harness::*;
use mqlite::codec::Packet;

/// [MQTT-3.12.4-1]
#[test]
fn each_pingreq_is_answered_by_a_pingresp() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.send_bytes("ada", &b"\xC0\x00\xC0\x00"[..]);
        trace.expect("ada", Packet::PingResp);
        trace.expect("ada", Packet::PingResp);
        trace.expect_nothing("ada");
    });
}
