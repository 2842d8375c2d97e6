//! AUTH (3.15, 4.12).

use super::*;

/// [MQTT-4.12.0-7]
#[test]
fn auth_of_a_client_that_named_no_method_is_a_protocol_error() {
    judge(
        Scene::open(),
        [
            row_5("Success in short", "F0: ", Out(ProtocolError)),
            row_5("Success", "F0: 00 {15 <m>}", Out(ProtocolError)),
            row_5("Continue authentication", "F0: 18 {15 <m> 16 <data>}", Out(ProtocolError)),
            row_5("Re-authenticate", "F0: 19 {15 <m> 16 <data>}", Out(ProtocolError)),
        ],
    );
}

/// [MQTT-4.12.0-5] [MQTT-4.12.1-1] [MQTT-3.15.2-1] and 3.15.2.2.2
#[test]
fn auth_out_of_turn_or_of_another_method_is_a_protocol_error() {
    judge(Scene::authenticated(), rows_of_auth("19", &["00", "18"], Out));
}

/// [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.1.2-30] [MQTT-3.14.0-1] [MQTT-3.2.0-2]
#[test]
fn before_the_connack_such_an_auth_is_refused_and_so_is_every_other_packet() {
    let others = [
        row_5("CONNECT again", "10: <MQTT> 05 00 0000 {15 <m>} <bad>", Refused(ProtocolError)),
        row_5("PUBLISH", "30: <watch> {} 'x'", Refused(ProtocolError)),
        row_5("PUBACK", "40: 0001", Refused(ProtocolError)),
        row_5("PUBREC", "50: 0002", Refused(ProtocolError)),
        row_5("PUBREL", "62: 0009", Refused(ProtocolError)),
        row_5("PUBCOMP", "70: 0003", Refused(ProtocolError)),
        row_5("SUBSCRIBE", "82: 0005 {} <extra> 00", Refused(ProtocolError)),
        row_5("UNSUBSCRIBE", "A2: 0005 {} <mine>", Refused(ProtocolError)),
        row_5("PINGREQ", "C0: ", Refused(ProtocolError)),
        row_5("a packet of a server", "D0: ", Refused(ProtocolError)),
        row_5("a packet of type 0", "00: ", Refused(Malformed)),
        row_5("QoS 3", "36: <watch> 0001 {} 'x'", Refused(Malformed)),
        row_5("a packet too large", "30 FF FF FF 7F", Refused(PacketTooLarge)),
    ];
    judge(Scene::authenticating(), rows_of_auth("18", &["00", "19"], Refused).into_iter().chain(others));
}

/// Rows for a connection on which AUTH of the method `m` may come with the code `in_turn`.
fn rows_of_auth(in_turn: &str, out_of_turn: &[&str], expected: fn(ReasonCode) -> Expected) -> Vec<Row> {
    let auth = |name: &str, text: &str, reason| row_5(name, text.replace('R', in_turn), expected(reason));
    let mut rows = vec![
        auth("another method", "F0: R {15 <other>}", ProtocolError),
        auth("a method in capitals", "F0: R {15 <M>}", ProtocolError),
        auth("an empty method", "F0: R {15 <>}", ProtocolError),
        auth("no method", "F0: R {16 <data>}", ProtocolError),
        auth("no properties", "F0: R {}", ProtocolError),
        auth("no Property Length", "F0: R", Malformed),
        auth("twice the method", "F0: R {15 <m> 15 <m>}", ProtocolError),
        auth("twice the data", "F0: R {15 <m> 16 <data> 16 <data>}", ProtocolError),
        auth("a property of another packet", "F0: R {15 <m> 11 0000003C}", Malformed),
        auth("bytes behind the end", "F0: R {15 <m>} 00", Malformed),
        auth("flags", "F1: R {15 <m>}", Malformed),
        auth("Success in short", "F0: ", ProtocolError),
    ];
    let unknown = reason_codes().filter(|code| !matches!(code, 0x00 | 0x18 | 0x19)).map(|code| format!("{code:02X}"));
    for code in unknown.chain(out_of_turn.iter().map(|code| code.to_string())) {
        rows.push(auth(&format!("the Reason Code {code}"), &format!("F0: {code} {{15 <m>}}"), ProtocolError));
    }
    rows
}
