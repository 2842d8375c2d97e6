//! CONNECT (3.1). Each row names the Client Identifier of a client that is connected: it must not notice.

use super::*;

/// [MQTT-3.1.2-1] [MQTT-3.1.2-2] [3.1.1 MQTT-3.1.2-1] [3.1.1 MQTT-3.1.2-2]: each hears it in a form that it may read.
#[test]
fn an_unknown_protocol_name_or_version_hears_why() {
    let told = Told(UnsupportedProtocolVersion);
    let mut rows = vec![
        row_3("MQTT 3.1", "10: <MQIsdp> 03 02 0000 <bad>", told),
        row_3("MQTT 3.1 of a bridge", "10: <MQIsdp> 83 02 0000 <bad>", told),
        row_3("3.1.1 of a bridge", "10: <MQTT> 84 02 0000 <bad>", told),
        row_3("the name of 3.1 with level 4", "10: <MQIsdp> 04 02 0000 <bad>", told),
        row_3("a name in small letters with level 4", "10: <mqtt> 04 02 0000 <bad>", told),
        row_5("a name in small letters with version 5", "10: <mqtt> 05 02 0000 {} <bad>", told),
        row_5("the name of 3.1 with version 5", "10: <MQIsdp> 05 02 0000 {} <bad>", told),
        row_5("a longer name", "10: <MQTT5> 05 02 0000 {} <bad>", told),
        row_5("no name", "10: <> 05 02 0000 {} <bad>", told),
        row_5("an unknown version and nothing else", "10: <MQTT> 06", told),
        row_5("an unknown version with the reserved flag", "10: <MQTT> 06 03 0000 {} <bad>", told),
    ];
    for level in [0, 1, 2, 3] {
        rows.push(row_3(format!("level {level}"), format!("10: <MQTT> {level:02X} 02 0000 <bad>"), told));
    }
    for version in [6, 7, 0x40, 0x7F, 0xFF] {
        rows.push(row_5(format!("version {version}"), format!("10: <MQTT> {version:02X} 02 0000 {{}} <bad>"), told));
    }
    judge(Scene::new_connection(), rows);
}

/// [MQTT-3.1.2-3] [MQTT-3.1.2-11] [MQTT-3.1.2-12] [MQTT-3.1.2-13] [MQTT-3.1.4-1] [MQTT-3.1.4-6]
/// [3.1.1 MQTT-3.1.2-3] [3.1.1 MQTT-3.1.2-13] [3.1.1 MQTT-3.1.2-14] [3.1.1 MQTT-3.1.2-15] [3.1.1 MQTT-3.1.4-1]
#[test]
fn connect_flags_that_contradict_each_other_are_malformed() {
    let flags = [
        ("the reserved flag", "03", ""),
        ("the reserved flag beside a will", "07", "W"),
        ("Will QoS 1 without a will", "0A", ""),
        ("Will QoS 2 without a will", "12", ""),
        ("Will QoS 3 without a will", "1A", ""),
        ("Will Retain without a will", "22", ""),
        ("Will QoS and Will Retain without a will", "2A", ""),
        ("Will QoS 3", "1E", "W"),
        ("Will QoS 3 with Will Retain", "3E", "W"),
        ("a will that is not there", "06", ""),
        ("a will without its flag", "02", "W"),
        ("a User Name that is not there", "82", ""),
        ("a Password that is not there", "C2", "<user>"),
        ("all flags", "FF", "W <user> <secret>"),
    ];
    let rows = flags.iter().flat_map(|(name, flags, fields)| {
        let (will_5, will_3) = (fields.replace('W', "{} <w> <x>"), fields.replace('W', "<w> <x>"));
        [
            row_5(*name, format!("10: <MQTT> 05 {flags} 0000 {{}} <bad> {will_5}"), Refused(Malformed)),
            row_3(*name, format!("10: <MQTT> 04 {flags} 0000 <bad> {will_3}"), Refused(Malformed)),
        ]
    });
    // [3.1.1 MQTT-3.1.2-22]
    let password = row_3("a Password without a User Name", "10: <MQTT> 04 42 0000 <bad> <secret>", Refused(Malformed));
    judge(Scene::new_connection(), rows.chain([password]));
}

/// [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-4.12.0-1] [3.1.1 MQTT-3.1.3-8] [3.1.1 MQTT-3.1.3-9] [3.1.1 MQTT-3.2.2-6]
#[test]
fn a_connect_with_contents_that_cannot_be_is_refused() {
    let mut rows = vec![
        row_5(
            "an unknown method",
            "10: <MQTT> 05 02 0000 {15 <m>} <bad>",
            Refused(ReasonCode::BadAuthenticationMethod),
        ),
        row_3("no Client Identifier", "10: <MQTT> 04 00 0000 <>", Told(ReasonCode::ClientIdentifierNotValid)),
    ];
    for topic in ["", "w/#", "#", "+", "w/+/x", "w+", "w#"] {
        let name = format!("Will Topic '{topic}'");
        let (text_5, text_3) = ("10: <MQTT> 05 06 0000 {} <bad> {} T <x>", "10: <MQTT> 04 06 0000 <bad> T <x>");
        let topic = format!("<{topic}>");
        rows.push(row_5(&name, text_5.replace(" T ", &topic), Refused(TopicNameInvalid)));
        rows.push(row_3(&name, text_3.replace(" T ", &topic), Refused(Malformed)));
    }
    judge(Scene::new_connection(), rows);
}

/// [MQTT-3.2.2-15]: its version is not known before it is whole.
#[test]
fn a_connect_beyond_the_size_that_a_connect_may_have_is_closed_at_its_length() {
    judge(
        Scene::new_connection(),
        [
            row("CONNECT of 2 MiB", "10 FC FF 7F", Shut(PacketTooLarge)),
            row("CONNECT of 256 MiB", "10 FF FF FF 7F <MQTT> 05", Shut(PacketTooLarge)),
        ],
    );
}
