//! SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK from the client's side (3.8 to 3.11).

use crate::harness::*;
use mqlite::codec::{Packet, ReasonCode, SubscriptionOptions};

/// [MQTT-3.8.3-2] [MQTT-3.8.3-4] [MQTT-3.10.3-2] [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
#[test]
fn a_request_that_the_standard_forbids_is_not_sent() {
    both(|version| {
        let mut trace = Trace::connected(version);
        for filters in
            [&[][..], &["a", ""], &["a#"], &["#/a"], &["a+/b"], &["$share//t"], &["$share/g+/t"], &["$share/g/"]]
        {
            trace.subscribe(1, filters);
            trace.expect_misuse(1);
            trace.unsubscribe(2, filters);
            trace.expect_misuse(2);
        }
        trace.subscribe_with(3, &["$share/g/t"], SubscriptionOptions { no_local: true, ..Default::default() });
        trace.expect_misuse(3);
    });
}

/// [MQTT-3.8.4-6] [MQTT-3.9.3-1] [MQTT-3.9.3-2] [MQTT-3.11.3-1] [MQTT-3.11.3-2]
#[test]
fn an_answer_has_one_reason_of_its_own_for_each_filter() {
    for (first, reasons, is_fine) in [
        (0x90, &b"\x01\x87"[..], true),
        (0x90, b"\x01", false),
        (0x90, b"\x01\x01\x01", false),
        (0x90, b"\x01\x11", false),
        (0xB0, b"\x00\x11", true),
        (0xB0, b"\x00", false),
        (0xB0, b"\x00\x00\x00", false),
        (0xB0, b"\x00\x01", false),
    ] {
        let mut trace = Trace::connected(V5);
        if first == 0x90 {
            trace.subscribe(1, &["a", "b"]);
        } else {
            trace.unsubscribe(1, &["a", "b"]);
        }
        trace.hear();
        trace.receive_bytes([&[first, 3 + reasons.len() as u8, 0, 1, 0], reasons].concat());
        if is_fine {
            trace.expect_nothing();
            trace.expect_completed(1);
        } else {
            trace.expect_violated(ReasonCode::ProtocolError);
        }
    }
}

/// [3.1.1 MQTT-3.9.3-2] [3.1.1 MQTT-3.10.4-4]
#[test]
fn an_answer_of_3_1_1_has_four_return_codes_or_none() {
    for code in [0x00, 0x01, 0x02, 0x80, 0x03, 0x87] {
        let mut trace = Trace::connected(V3_1_1);
        trace.subscribe(1, &["a"]);
        assert!(matches!(trace.hear(), Packet::Subscribe(_)));
        trace.receive_bytes(vec![0x90, 3, 0, 1, code]);
        if code < 3 || code == 0x80 {
            trace.expect_completed(1);
        } else {
            trace.expect_closed();
        }
    }
    let mut trace = Trace::connected(V3_1_1);
    trace.unsubscribe(1, &["a"]);
    trace.hear();
    trace.receive_bytes(&b"\xB0\x02\x00\x01"[..]);
    trace.expect_completed(1);
}
