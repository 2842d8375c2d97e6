//! Strings that are no UTF-8 Encoded Strings (1.5.4), in every field that holds one.

use super::*;

/// [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] [MQTT-4.7.3-2] [MQTT-3.3.2-1] [MQTT-3.3.2-13] [MQTT-3.3.2-19] [MQTT-3.8.3-1]
/// [MQTT-3.10.3-1] [3.1.1 MQTT-1.5.3-1] [3.1.1 MQTT-1.5.3-2]
#[test]
fn ill_formed_text_is_malformed_in_every_field() {
    let fields = [
        row("Topic Name", "30: S {} 'x'", Out(Malformed)),
        row("Topic Filter of SUBSCRIBE", "82: 0005 {} S 00", Out(Malformed)),
        row("second Topic Filter of SUBSCRIBE", "82: 0005 {} <extra> 00 S 00", Out(Malformed)),
        row("Topic Filter of UNSUBSCRIBE", "A2: 0005 {} S", Out(Malformed)),
        row("second Topic Filter of UNSUBSCRIBE", "A2: 0005 {} <mine> S", Out(Malformed)),
        row_5("Content Type", "30: <watch> {03 S}", Out(Malformed)),
        row_5("Response Topic", "30: <watch> {08 S}", Out(Malformed)),
        row_5("name of a User Property", "30: <watch> {26 S <value>}", Out(Malformed)),
        row_5("value of a User Property", "30: <watch> {26 <name> S}", Out(Malformed)),
        row_5("User Property of SUBSCRIBE", "82: 0005 {26 <name> S} <extra> 00", Out(Malformed)),
        row_5("User Property of UNSUBSCRIBE", "A2: 0005 {26 S <value>} <mine>", Out(Malformed)),
        row_5("Reason String of PUBACK", "40: 0001 00 {1F S}", Out(Malformed)),
        row_5("Reason String of PUBREC", "50: 0002 00 {1F S}", Out(Malformed)),
        row_5("Reason String of PUBREL", "62: 0009 00 {1F S}", Out(Malformed)),
        row_5("Reason String of PUBCOMP", "70: 0003 00 {1F S}", Out(Malformed)),
        row_5("Reason String of CONNACK", "20: 00 00 {1F S}", Out(Malformed)),
        row_5("Reason String of SUBACK", "90: 0005 {1F S} 00", Out(Malformed)),
        row_5("Reason String of UNSUBACK", "B0: 0005 {1F S} 00", Out(Malformed)),
        row_5("Reason String of DISCONNECT", "E0: 00 {1F S}", Out(Malformed)),
        row_5("Server Reference of DISCONNECT", "E0: 00 {1C S}", Out(Malformed)),
        row_5("Authentication Method of AUTH", "F0: 18 {15 S}", Out(Malformed)),
        row_5("Reason String of AUTH", "F0: 18 {15 <m> 1F S}", Out(Malformed)),
    ];
    judge(Scene::open(), with_each_string(&fields));
}

/// [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12] [3.1.1 MQTT-3.1.3-4] [3.1.1 MQTT-3.1.3-10] [3.1.1 MQTT-3.1.3-11]
#[test]
fn ill_formed_text_is_malformed_in_every_field_of_connect() {
    let fields = [
        row("Protocol Name", "10: S 05 02 0000 {} <bad>", Shut(Malformed)),
        row_5("Client Identifier", "10: <MQTT> 05 02 0000 {} S", Refused(Malformed)),
        row_5("Will Topic", "10: <MQTT> 05 06 0000 {} <bad> {} S <x>", Refused(Malformed)),
        row_5("User Name", "10: <MQTT> 05 82 0000 {} <bad> S", Refused(Malformed)),
        row_5("User Property", "10: <MQTT> 05 02 0000 {26 S <value>} <bad>", Refused(Malformed)),
        row_5("Authentication Method", "10: <MQTT> 05 02 0000 {15 S} <bad>", Refused(Malformed)),
        row_5("Content Type of the will", "10: <MQTT> 05 06 0000 {} <bad> {03 S} <w> <x>", Refused(Malformed)),
        row_5("Response Topic of the will", "10: <MQTT> 05 06 0000 {} <bad> {08 S} <w> <x>", Refused(Malformed)),
        row_5("User Property of the will", "10: <MQTT> 05 06 0000 {} <bad> {26 <name> S} <w> <x>", Refused(Malformed)),
        row_3("Client Identifier", "10: <MQTT> 04 02 0000 S", Refused(Malformed)),
        row_3("Will Topic", "10: <MQTT> 04 06 0000 <bad> S <x>", Refused(Malformed)),
        row_3("User Name", "10: <MQTT> 04 82 0000 <bad> S", Refused(Malformed)),
    ];
    judge(Scene::new_connection(), with_each_string(&fields));
}

/// Each row with each of the strings in the place of `S`.
fn with_each_string(fields: &[Row]) -> impl Iterator<Item = Row> {
    fields.iter().flat_map(|field| {
        ILL_FORMED.iter().map(|(what, string)| Row {
            name: format!("{} with {what}", field.name),
            text: field.text.replace('S', &format!("({string})")),
            ..field.clone()
        })
    })
}

const ILL_FORMED: &[(&str, &str)] = &[
    ("the surrogate U+D800", "ED A0 80"),
    ("the surrogate U+DFFF", "ED BF BF"),
    ("a pair of surrogates", "ED A0 BD ED B8 80"),
    ("U+0000", "00"),
    ("U+0000 among letters", "61 00 62"),
    ("U+0000 in two bytes", "C0 80"),
    ("/ in two bytes", "C0 AF"),
    ("/ in three bytes", "E0 80 AF"),
    ("/ in four bytes", "F0 80 80 AF"),
    ("U+110000", "F4 90 80 80"),
    ("a first byte of five", "F8 88 80 80 80"),
    ("a continuation byte alone", "80"),
    ("a first byte that nothing follows", "C3"),
    ("two bytes of three", "E2 82"),
    ("three bytes of four", "F0 9F 98"),
    ("a first byte that a letter follows", "C3 28"),
    ("FF", "FF"),
];
