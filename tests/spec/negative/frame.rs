//! The fixed header (2.1) and the ends of fields, for all packet types.

use super::*;

/// [MQTT-2.1.3-1] [MQTT-3.3.1-2] [MQTT-3.3.1-4] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1]
/// [3.1.1 MQTT-2.2.2-2]
#[test]
fn flags_other_than_those_of_the_packet_type_are_malformed() {
    let wrong = PACKETS.iter().flat_map(|(name, text)| {
        let (first, content) = text.split_at(2);
        let right = u8::from_str_radix(first, 16).unwrap();
        let flags = (0..16).filter(move |flags| match right >> 4 {
            // QoS 3, and DUP at QoS 0
            3 => matches!(flags, 6 | 7 | 14 | 15 | 8 | 9),
            _ => *flags != right & 0x0F,
        });
        flags.map(move |flags| (*name, flags, format!("{:02X}{content}", right & 0xF0 | flags)))
    });
    let rows: Vec<_> = wrong.map(|(name, flags, text)| (format!("{name} with flags {flags:#06b}"), text)).collect();
    judge(Scene::open(), rows.iter().map(|(name, text)| row(name, text, Out(Malformed))));
    judge(Scene::new_connection(), rows.iter().map(|(name, text)| row(name, text, Shut(Malformed))));
}

/// Packet type 0 (2.1.2)
#[test]
fn packet_type_0_is_malformed() {
    let rows = || (0..16).map(|flags| (format!("type 0 with flags {flags:#06b}"), format!("{flags:02X}: ")));
    judge(Scene::open(), rows().map(|(name, text)| row(name, text, Out(Malformed))));
    judge(Scene::new_connection(), rows().map(|(name, text)| row(name, text, Shut(Malformed))));
}

/// Table 2.1 says who sends what. [MQTT-3.1.0-2] [3.1.1 MQTT-3.1.0-2]
#[test]
fn what_only_a_server_sends_and_a_second_connect_are_protocol_errors() {
    judge(
        Scene::open(),
        [
            row_5("CONNECT again", "10: <MQTT> 05 02 0000 {} <bad>", Out(ProtocolError)),
            row_3("CONNECT again", "10: <MQTT> 04 02 0000 <bad>", Out(ProtocolError)),
            row("CONNECT again, of the other version", "10: <MQTT> 04 02 0000 {} <bad>", Out(ProtocolError)),
            row("CONNECT again, of another Client Identifier", "10: <MQTT> 05 02 0000 00 <other>", Out(ProtocolError)),
            row("CONNECT again, of an unknown version", "10: <MQTT> 06 02 0000 00 <bad>", Out(ProtocolError)),
            row("CONNECT again, with the reserved flag", "10: <MQTT> 05 03 0000 00 <bad>", Out(ProtocolError)),
            row("CONNECT again, with nothing in it", "10: ", Out(ProtocolError)),
            row("CONNACK", "20: 00 00 {}", Out(ProtocolError)),
            row("CONNACK with Session Present", "20: 01 00 {}", Out(ProtocolError)),
            row("CONNACK that refuses and has a session", "20: 01 85 {}", Out(ProtocolError)),
            row("SUBACK", "90: 0005 {} 00", Out(ProtocolError)),
            row("UNSUBACK", "B0: 0005 {} ", Out(ProtocolError)),
            row_5("UNSUBACK of one filter", "B0: 0005 {} 00", Out(ProtocolError)),
            row("PINGRESP", "D0: ", Out(ProtocolError)),
            row_3("AUTH in MQTT 3.1.1", "F0: ", Out(Malformed)),
        ],
    );
}

/// [MQTT-3.1.0-1] [MQTT-3.14.0-1] [3.1.1 MQTT-3.1.0-1]
#[test]
fn a_connection_that_does_not_begin_with_connect_is_closed_without_a_word() {
    let others = PACKETS.iter().filter(|(name, _)| *name != "CONNECT");
    let rows = others.map(|(name, text)| row(format!("{name} first"), *text, Shut(ProtocolError)));
    let noise = [
        row("HTTP", "'GET / HTTP/1.1' 0D0A 0D0A", Shut(Malformed)),
        row("TLS", "16 03 01 00 C8 01 00 00 C4 03 03", Shut(Malformed)),
        row("nothing but FF", "FF FF FF FF FF FF FF FF", Shut(Malformed)),
    ];
    judge(Scene::new_connection(), rows.chain(noise));
}

/// [MQTT-1.5.5-1] [MQTT-3.2.2-15]
#[test]
fn a_remaining_length_is_at_most_four_bytes_in_the_shortest_form_and_within_maximum_packet_size() {
    let mut rows = vec![
        row("five bytes", "30 FF FF FF FF 7F", Out(Malformed)),
        row("five bytes that mean 5", "30 85 80 80 80 00 <abc>", Out(Malformed)),
        row("four continued bytes of 0", "C0 80 80 80 80", Out(Malformed)),
        row("two bytes that mean 0", "C0 80 00", Out(Malformed)),
        row("three bytes that mean 5", "30 85 80 00 <abc>", Out(Malformed)),
        row("four bytes that mean 127", "30 FF 80 80 00", Out(Malformed)),
        row("the largest", "30 FF FF FF 7F", Out(PacketTooLarge)),
        row("one byte more than Maximum Packet Size", "30 FD FF 3F", Out(PacketTooLarge)),
    ];
    for (name, text) in PACKETS {
        let first_byte = &text[..2];
        rows.push(row(format!("{name} of five bytes"), format!("{first_byte} 80 80 80 80 01"), Out(Malformed)));
        rows.push(row(format!("{name} too large"), format!("{first_byte} FF FF FF 7F"), Out(PacketTooLarge)));
    }
    judge(Scene::open(), rows);
}

/// [MQTT-3.8.3-2] [MQTT-3.10.3-2] [3.1.1 MQTT-3.8.3-3] [3.1.1 MQTT-3.10.3-2]: those that hold no filter are Protocol Errors.
#[test]
fn a_packet_that_ends_inside_a_field_is_malformed() {
    // The packet, and after how many bytes an end is legal or a Protocol Error.
    let packets_5: &[(&str, &str, &[usize], &[usize])] = &[
        ("CONNACK", "20: 00 00 {21 0001}", &[], &[]),
        ("PUBLISH", "32: <watch> 0001 {01 01} 'x'", &[12], &[]),
        ("PUBACK", "40: 0001 00 {1F <why>}", &[2, 3], &[]),
        ("PUBREC", "50: 0002 00 {1F <why>}", &[2, 3], &[]),
        ("PUBREL", "62: 0009 00 {1F <why>}", &[2, 3], &[]),
        ("PUBCOMP", "70: 0003 00 {1F <why>}", &[2, 3], &[]),
        ("SUBSCRIBE", "82: 0005 {0B 01} <extra> 00", &[], &[5]),
        ("SUBACK", "90: 0005 {1F <why>} 00", &[], &[9]),
        ("UNSUBSCRIBE", "A2: 0005 {26 <a> <b>} <mine>", &[], &[10]),
        ("UNSUBACK", "B0: 0005 {1F <why>} 00", &[], &[9]),
        ("DISCONNECT", "E0: 04 {1F <why>}", &[0, 1], &[]),
        ("AUTH", "F0: 18 {15 <m> 16 <data>}", &[], &[0]),
    ];
    let packets_3: &[(&str, &str, &[usize], &[usize])] = &[
        ("CONNACK", "20: 00 00", &[], &[]),
        ("PUBLISH", "32: <watch> 0001 'x'", &[9], &[]),
        ("PUBACK", "40: 0001", &[], &[]),
        ("PUBREC", "50: 0002", &[], &[]),
        ("PUBREL", "62: 0009", &[], &[]),
        ("PUBCOMP", "70: 0003", &[], &[]),
        ("SUBSCRIBE", "82: 0005 <extra> 00", &[], &[2]),
        ("SUBACK", "90: 0005 00", &[], &[2]),
        ("UNSUBSCRIBE", "A2: 0005 <mine>", &[], &[2]),
        ("UNSUBACK", "B0: 0005", &[], &[]),
    ];
    let mut rows = Vec::new();
    for (versions, packets) in [(&[V5], packets_5), (&[V3_1_1], packets_3)] {
        for (name, text, legal, errors) in packets {
            for (length, cut) in cuts(versions[0], text).filter(|(length, _)| !legal.contains(length)) {
                let reason = if errors.contains(&length) { ProtocolError } else { Malformed };
                let row = row(format!("{name} that ends after {length} bytes"), cut, Out(reason));
                rows.push(Row { versions, ..row });
            }
        }
    }
    judge(Scene::open(), rows);
}

/// Once the version is known, MQTT 5 hears why. [MQTT-3.1.4-1] [MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.3-3]
/// [3.1.1 MQTT-3.1.4-1]
#[test]
fn a_connect_that_ends_inside_a_field_is_malformed() {
    let connect_5 = "10: <MQTT> 05 C6 0000 {21 0001} <bad> {01 01} <w> <x> <user> <secret>";
    let connect_3 = "10: <MQTT> 04 C6 0000 <bad> <w> <x> <user> <secret>";
    let mut rows = Vec::new();
    for (versions, text) in [(&[V5], connect_5), (&[V3_1_1], connect_3)] {
        for (length, cut) in cuts(versions[0], text) {
            let expected = if length < 7 { Shut(Malformed) } else { Refused(Malformed) };
            rows.push(Row { versions, ..row(format!("CONNECT that ends after {length} bytes"), cut, expected) });
        }
    }
    judge(Scene::new_connection(), rows);
}

#[test]
fn bytes_behind_the_last_field_are_malformed() {
    judge(
        Scene::open(),
        [
            row_5("CONNACK", "20: 00 00 {} 00", Out(Malformed)),
            row_3("CONNACK", "20: 00 00 00", Out(Malformed)),
            row_5("PUBACK", "40: 0001 00 {} 00", Out(Malformed)),
            row_5("PUBREC", "50: 0002 00 {} 00", Out(Malformed)),
            row_5("PUBREL", "62: 0009 00 {} 00", Out(Malformed)),
            row_5("PUBCOMP", "70: 0003 00 {} 00", Out(Malformed)),
            row_3("PUBACK with a Reason Code", "40: 0001 00", Out(Malformed)),
            row_3("PUBREC with a Reason Code", "50: 0002 00", Out(Malformed)),
            row_3("PUBREL with a Reason Code", "62: 0009 00", Out(Malformed)),
            row_3("PUBCOMP with a Reason Code", "70: 0003 00", Out(Malformed)),
            row("SUBSCRIBE", "82: 0005 {} <extra> 00 00", Out(Malformed)),
            row("UNSUBSCRIBE", "A2: 0005 {} <mine> 00", Out(Malformed)),
            row_3("UNSUBACK with a Reason Code", "B0: 0005 00", Out(Malformed)),
            row("PINGREQ", "C0: 00", Out(Malformed)),
            row("PINGRESP", "D0: 00", Out(Malformed)),
            row_5("DISCONNECT", "E0: 00 {} 00", Out(Malformed)),
            row_3("DISCONNECT with a Reason Code", "E0: 00", Out(Malformed)),
            row_5("AUTH", "F0: 18 {15 <m>} 00", Out(Malformed)),
        ],
    );
    judge(
        Scene::new_connection(),
        [
            row_5("CONNECT", "10: <MQTT> 05 02 0000 {} <bad> 00", Refused(Malformed)),
            row_3("CONNECT", "10: <MQTT> 04 02 0000 <bad> 00", Refused(Malformed)),
            row_5("User Name without its flag", "10: <MQTT> 05 02 0000 {} <bad> <user>", Refused(Malformed)), // [MQTT-3.1.2-16]
            row_3("User Name without its flag", "10: <MQTT> 04 02 0000 <bad> <user>", Refused(Malformed)),
            row_5("Password without its flag", "10: <MQTT> 05 82 0000 {} <bad> <user> <secret>", Refused(Malformed)), // [MQTT-3.1.2-18]
            row_3("Password without its flag", "10: <MQTT> 04 82 0000 <bad> <user> <secret>", Refused(Malformed)),
        ],
    );
}

/// The packet cut after each number of bytes behind its fixed header, with a Remaining Length that says so.
fn cuts(version: ProtocolVersion, text: &str) -> impl Iterator<Item = (usize, String)> {
    let whole = bytes(version, text);
    let content = whole[2..].to_vec();
    (0..content.len()).map(move |length| (length, written(whole[0], &content[..length])))
}

fn written(first_byte: u8, content: &[u8]) -> String {
    let content: Vec<_> = content.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{first_byte:02X}: {}", content.join(" "))
}

/// One of each packet type, as short as it may be in either version.
const PACKETS: &[(&str, &str)] = &[
    ("CONNECT", "10: <MQTT> 05 02 0000 00 <bad>"),
    ("CONNACK", "20: 00 00 {}"),
    ("PUBLISH", "30: <watch> {} 'x'"),
    ("PUBACK", "40: 0001"),
    ("PUBREC", "50: 0002"),
    ("PUBREL", "62: 0009"),
    ("PUBCOMP", "70: 0003"),
    ("SUBSCRIBE", "82: 0005 {} <extra> 00"),
    ("SUBACK", "90: 0005 {} 00"),
    ("UNSUBSCRIBE", "A2: 0005 {} <mine>"),
    ("UNSUBACK", "B0: 0005 {}"),
    ("PINGREQ", "C0: "),
    ("PINGRESP", "D0: "),
    ("DISCONNECT", "E0: "),
    ("AUTH", "F0: 18 {15 <m>}"),
];
