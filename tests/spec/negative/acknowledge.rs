//! PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7). 1 waits for its PUBACK, 2 for its PUBREC, 3 for its PUBCOMP; 9 is the
//! offender's own, and waits for its PUBREL.

use super::*;

/// [MQTT-2.2.1-3] [3.1.1 MQTT-2.3.1-1]
#[test]
fn packet_identifier_0_is_a_protocol_error_in_every_packet_that_has_one() {
    judge(
        Scene::open(),
        [
            row("PUBACK", "40: 0000", Out(ProtocolError)),
            row("PUBREC", "50: 0000", Out(ProtocolError)),
            row("PUBREL", "62: 0000", Out(ProtocolError)),
            row("PUBCOMP", "70: 0000", Out(ProtocolError)),
            row("SUBSCRIBE", "82: 0000 {} <extra> 00", Out(ProtocolError)),
            row("SUBACK", "90: 0000 {} 00", Out(ProtocolError)),
            row("UNSUBSCRIBE", "A2: 0000 {} <mine>", Out(ProtocolError)),
            row_5("UNSUBACK", "B0: 0000 {} 00", Out(ProtocolError)),
            row_3("UNSUBACK", "B0: 0000", Out(ProtocolError)),
            row_5("PUBACK that fails", "40: 0000 80", Out(ProtocolError)),
            row_5("PUBREC that fails", "50: 0000 80 {}", Out(ProtocolError)),
        ],
    );
}

/// (4.3) [MQTT-2.2.1-5] [3.1.1 MQTT-4.8.0-1]
#[test]
fn an_acknowledgement_of_the_wrong_kind_is_a_protocol_error() {
    judge(
        Scene::open(),
        [
            row("PUBACK of QoS 2", "40: 0002", Out(ProtocolError)),
            row("PUBACK of QoS 2 after PUBREC", "40: 0003", Out(ProtocolError)),
            row("PUBREC of QoS 1", "50: 0001", Out(ProtocolError)),
            row("PUBCOMP of QoS 1", "70: 0001", Out(ProtocolError)),
            row("PUBCOMP before PUBREC", "70: 0002", Out(ProtocolError)),
            row_5("PUBACK of QoS 2 that fails", "40: 0002 80", Out(ProtocolError)),
            row_5("PUBREC of QoS 1 that fails", "50: 0001 80", Out(ProtocolError)),
            row_5("PUBCOMP of QoS 1 that knows no such identifier", "70: 0001 92", Out(ProtocolError)),
        ],
    );
}

/// [MQTT-4.3.3-11] [MQTT-4.3.3-4] [MQTT-4.9.0-2]
#[test]
fn an_acknowledgement_of_nothing_changes_nothing() {
    judge(
        Scene::open(),
        [
            row("PUBACK", "40: 0063", Answered("")),
            row("PUBACK of one's own", "40: 0009", Answered("")),
            row("PUBCOMP", "70: 0063", Answered("")),
            row("PUBCOMP of one's own", "70: 0009", Answered("")),
            row_5("PUBREC", "50: 0063", Answered("62: 0063 92")),
            row_3("PUBREC", "50: 0063", Answered("62: 0063")),
            row_5("PUBREC that fails", "50: 0063 80", Answered("")),
            row("PUBREC once more", "50: 0003", Answered("62: 0003")),
            row_5("PUBREL", "62: 0063", Answered("70: 0063 92")),
            row_3("PUBREL", "62: 0063", Answered("70: 0063")),
            row_5("PUBREL of the other side's", "62: 0003", Answered("70: 0003 92")),
        ],
    );
}

/// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.9.3-2] [MQTT-3.11.3-2] [MQTT-3.2.2-8]
#[test]
fn a_reason_code_that_the_packet_may_not_carry_is_a_protocol_error() {
    let received: &[u8] = &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    let released: &[u8] = &[0x00, 0x92];
    let subscribed: &[u8] = &[];
    let mut rows = Vec::new();
    for (name, text, allowed) in [
        ("PUBACK", "40: 0001 R", received),
        ("PUBREC", "50: 0002 R", received),
        ("PUBREL", "62: 0009 R", released),
        ("PUBCOMP", "70: 0003 R", released),
        ("PUBACK with properties", "40: 0001 R {1F <why>}", received),
        // Whatever these say, only a server sends them.
        ("SUBACK", "90: 0005 {} R", subscribed),
        ("UNSUBACK", "B0: 0005 {} R", subscribed),
        ("CONNACK", "20: 00 R {}", subscribed),
    ] {
        for code in reason_codes().filter(|code| !allowed.contains(code)) {
            let text = text.replace('R', &format!("{code:02X}"));
            rows.push(row_5(format!("{name} with {code:#04x}"), text, Out(ProtocolError)));
        }
    }
    judge(Scene::open(), rows);
}
