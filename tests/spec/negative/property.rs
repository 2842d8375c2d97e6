//! Properties (2.2.2): those that do not belong to their packet, that come twice, that are cut short or out of range.

use super::*;

/// 2.2.2.2: an identifier that is not of the packet is malformed.
#[test]
fn a_property_that_does_not_belong_to_its_packet_is_malformed() {
    let rows = |carrier: &Carrier| {
        let Carrier { name, text, .. } = *carrier;
        let wrong = PROPERTIES.iter().filter(move |(.., packets)| !packets.contains(&name));
        let wrong = wrong.map(|(id, value, _)| format!("{id:02X} {value}"));
        let unknown = ["00", "04", "0A 00", "2B 00", "7F 00", "80 01 00", "FF FF FF 7F 00"].map(str::to_owned);
        wrong.chain(unknown).map(move |property| (format!("{name} with {property}"), text.replace('P', &property)))
    };
    judge_carriers(rows, Malformed);
}

/// [MQTT-1.5.5-1] of Property Length and of identifiers.
#[test]
fn a_property_length_or_identifier_in_a_long_form_or_beyond_the_packet_is_malformed() {
    judge(
        Scene::open(),
        [
            row_5("a length of two bytes that means 0", "30: <watch> 80 00", Out(Malformed)),
            row_5("a length of two bytes that means 2", "30: <watch> 82 00 01 01", Out(Malformed)),
            row_5("a length of five bytes", "30: <watch> 80 80 80 80 01", Out(Malformed)),
            row_5("a length that is cut", "30: <watch> 80", Out(Malformed)),
            row_5("a length beyond the packet", "30: <watch> 03 01 01", Out(Malformed)),
            row_5("the largest length", "30: <watch> FF FF FF 7F 01 01", Out(Malformed)),
            row_5("a length that ends inside a property", "30: <watch> 03 02 00000001", Out(Malformed)),
            row_5("a length that ends after an identifier", "30: <watch> 01 01 01", Out(Malformed)),
            row_5("an identifier of two bytes that means 1", "30: <watch> {81 00 01}", Out(Malformed)),
            row_5("an identifier of five bytes", "30: <watch> {81 80 80 80 00 01}", Out(Malformed)),
            row_5("a length beyond the packet in SUBSCRIBE", "82: 0005 0F <extra> 00", Out(Malformed)),
            row_5("a length beyond the packet in UNSUBSCRIBE", "A2: 0005 0F <mine>", Out(Malformed)),
            row_5("a length beyond the packet in DISCONNECT", "E0: 00 06 11 00000001", Out(Malformed)),
        ],
    );
    judge(
        Scene::new_connection(),
        [
            row_5("a length of CONNECT beyond the packet", "10: <MQTT> 05 02 0000 7F <bad>", Refused(Malformed)),
            row_5("a length of CONNECT in a long form", "10: <MQTT> 05 02 0000 80 00 <bad>", Refused(Malformed)),
            row_5(
                "a length of the will beyond the packet",
                "10: <MQTT> 05 06 0000 {} <bad> 7F <w> <x>",
                Refused(Malformed),
            ),
        ],
    );
}

/// All but User Property, and Subscription Identifier in what a server sends.
#[test]
fn a_property_that_may_come_once_and_comes_twice_is_a_protocol_error() {
    let rows = |carrier: &Carrier| {
        let Carrier { name, text, .. } = *carrier;
        let once = PROPERTIES.iter().filter(move |(id, _, packets)| packets.contains(&name) && *id != 0x26);
        once.map(move |(id, value, _)| {
            let twice = format!("{id:02X} {value} {id:02X} {value}");
            (format!("{name} with twice {id:02X}"), text.replace('P', &twice))
        })
    };
    judge_carriers(rows, ProtocolError);
}

#[test]
fn a_property_that_is_cut_short_is_malformed() {
    let rows = |carrier: &Carrier| {
        let Carrier { name, text, .. } = *carrier;
        PROPERTIES.iter().filter(move |(.., packets)| packets.contains(&name)).flat_map(move |(id, value, _)| {
            let value = bytes(V5, value);
            (0..value.len()).map(move |length| {
                let cut: String = value[..length].iter().map(|byte| format!(" {byte:02X}")).collect();
                (format!("{name} with {length} bytes of {id:02X}"), text.replace('P', &format!("{id:02X}{cut}")))
            })
        })
    };
    judge_carriers(rows, Malformed);
}

/// [MQTT-3.3.2-8] [MQTT-3.3.2-13] [MQTT-3.3.2-14] [MQTT-3.3.4-6]
#[test]
fn a_property_of_publish_or_subscribe_that_is_out_of_range_is_refused() {
    judge(
        Scene::open(),
        [
            row_5("Payload Format Indicator 2", "30: <watch> {01 02}", Out(ProtocolError)),
            row_5("Payload Format Indicator 255", "30: <watch> {01 FF}", Out(ProtocolError)),
            row_5("Topic Alias 0", "30: <watch> {23 0000}", Out(TopicAliasInvalid)),
            row_5("Response Topic with #", "30: <watch> {08 <a/#>}", Out(ProtocolError)),
            row_5("Response Topic with +", "30: <watch> {08 <+/a>}", Out(ProtocolError)),
            row_5("Response Topic with + in a level", "30: <watch> {08 <a+>}", Out(ProtocolError)),
            row_5("Response Topic that is empty", "30: <watch> {08 <>}", Out(ProtocolError)),
            row_5("Subscription Identifier from a client", "30: <watch> {0B 01}", Out(ProtocolError)),
            row_5("Subscription Identifiers from a client", "30: <watch> {0B 01 0B 02}", Out(ProtocolError)),
            row_5("Subscription Identifier 0 of PUBLISH", "30: <watch> {0B 00}", Out(ProtocolError)),
            row_5("Subscription Identifier 0", "82: 0005 {0B 00} <extra> 00", Out(ProtocolError)),
            row_5("Subscription Identifier of five bytes", "82: 0005 {0B 80 80 80 80 01} <extra> 00", Out(Malformed)),
            row_5("Subscription Identifier in a long form", "82: 0005 {0B 81 00} <extra> 00", Out(Malformed)),
        ],
    );
}

#[test]
fn a_property_of_connect_that_is_out_of_range_is_refused() {
    let connect = |name: &str, properties: &str| {
        row_5(name, format!("10: <MQTT> 05 02 0000 {{{properties}}} <bad>"), Refused(ProtocolError))
    };
    let will = |name: &str, properties: &str| {
        row_5(name, format!("10: <MQTT> 05 06 0000 {{}} <bad> {{{properties}}} <w> <x>"), Refused(ProtocolError))
    };
    judge(
        Scene::new_connection(),
        [
            connect("Receive Maximum 0", "21 0000"),
            connect("Maximum Packet Size 0", "27 00000000"),
            connect("Request Response Information 2", "19 02"),
            connect("Request Problem Information 2", "17 02"),
            connect("Request Problem Information 255", "17 FF"),
            connect("Authentication Data without a method", "16 <data>"),
            will("Payload Format Indicator 2 of the will", "01 02"),
            will("Response Topic of the will with #", "08 <a/#>"),
            will("Response Topic of the will with +", "08 <+>"),
            will("Response Topic of the will that is empty", "08 <>"),
        ],
    );
}

/// A packet with a place for a property.
struct Carrier {
    name: &'static str,
    /// `P` is the place.
    text: &'static str,
}

/// Judges the rows of each carrier: those of CONNECT on a new connection, those of all others on an open one.
fn judge_carriers<R: Iterator<Item = (String, String)>>(rows: impl Fn(&'static Carrier) -> R, reason: ReasonCode) {
    let (connects, others): (Vec<_>, Vec<_>) = CARRIERS.iter().partition(|carrier| carrier.text.starts_with("10"));
    let row = |expected| move |(name, text)| row_5(name, text, expected);
    judge(Scene::open(), others.into_iter().flat_map(&rows).map(row(Out(reason))));
    judge(Scene::new_connection(), connects.into_iter().flat_map(&rows).map(row(Refused(reason))));
}

const CARRIERS: &[Carrier] = &[
    Carrier { name: "CONNECT", text: "10: <MQTT> 05 02 0000 {P} <bad>" },
    Carrier { name: "will", text: "10: <MQTT> 05 06 0000 {} <bad> {P} <w> <x>" },
    Carrier { name: "CONNACK", text: "20: 00 00 {P}" },
    Carrier { name: "PUBLISH", text: "30: <watch> {P} 'x'" },
    Carrier { name: "PUBACK", text: "40: 0001 00 {P}" },
    Carrier { name: "PUBREC", text: "50: 0002 00 {P}" },
    Carrier { name: "PUBREL", text: "62: 0009 00 {P}" },
    Carrier { name: "PUBCOMP", text: "70: 0003 00 {P}" },
    Carrier { name: "SUBSCRIBE", text: "82: 0005 {P} <extra> 00" },
    Carrier { name: "SUBACK", text: "90: 0005 {P} 00" },
    Carrier { name: "UNSUBSCRIBE", text: "A2: 0005 {P} <mine>" },
    Carrier { name: "UNSUBACK", text: "B0: 0005 {P} 00" },
    Carrier { name: "DISCONNECT", text: "E0: 00 {P}" },
    Carrier { name: "AUTH", text: "F0: 18 {15 <m> P}" },
];

const WITH_REASONS: &[&str] =
    &["CONNACK", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBACK", "UNSUBACK", "DISCONNECT", "AUTH"];
const EVERYWHERE: &[&str] = &[
    "CONNECT",
    "will",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "DISCONNECT",
    "AUTH",
];

/// Table 2-4: identifier, a value, and the packets that may carry it.
const PROPERTIES: &[(u8, &str, &[&str])] = &[
    (0x01, "01", &["PUBLISH", "will"]),
    (0x02, "0000003C", &["PUBLISH", "will"]),
    (0x03, "<text>", &["PUBLISH", "will"]),
    (0x08, "<answer>", &["PUBLISH", "will"]),
    (0x09, "<data>", &["PUBLISH", "will"]),
    (0x0B, "01", &["PUBLISH", "SUBSCRIBE"]),
    (0x11, "0000003C", &["CONNECT", "CONNACK", "DISCONNECT"]),
    (0x12, "<id>", &["CONNACK"]),
    (0x13, "003C", &["CONNACK"]),
    (0x15, "<m>", &["CONNECT", "CONNACK", "AUTH"]),
    (0x16, "<data>", &["CONNECT", "CONNACK", "AUTH"]),
    (0x17, "01", &["CONNECT"]),
    (0x18, "0000003C", &["will"]),
    (0x19, "01", &["CONNECT"]),
    (0x1A, "<answers>", &["CONNACK"]),
    (0x1C, "<server>", &["CONNACK", "DISCONNECT"]),
    (0x1F, "<why>", WITH_REASONS),
    (0x21, "0001", &["CONNECT", "CONNACK"]),
    (0x22, "0001", &["CONNECT", "CONNACK"]),
    (0x23, "0001", &["PUBLISH"]),
    (0x24, "01", &["CONNACK"]),
    (0x25, "01", &["CONNACK"]),
    (0x26, "<name> <value>", EVERYWHERE),
    (0x27, "00000400", &["CONNECT", "CONNACK"]),
    (0x28, "01", &["CONNACK"]),
    (0x29, "01", &["CONNACK"]),
    (0x2A, "01", &["CONNACK"]),
];
