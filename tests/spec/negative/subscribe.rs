//! SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10).

use super::*;

/// [MQTT-3.8.3-5] [MQTT-3.8.3-4] [3.1.1 MQTT-3-8.3-4]
#[test]
fn subscription_options_that_cannot_be_are_refused() {
    let mut rows = vec![
        row_5("Maximum QoS 3", "82: 0005 {} <extra> 03", Out(ProtocolError)),
        row_5("Retain Handling 3", "82: 0005 {} <extra> 30", Out(ProtocolError)),
        row_5("Retain Handling 3 with QoS 2", "82: 0005 {} <extra> 3E", Out(ProtocolError)),
        row_5("Maximum QoS 3 of the second", "82: 0005 {} <extra> 00 <more> 03", Out(ProtocolError)),
        row_5("reserved bits of the second", "82: 0005 {} <extra> 00 <more> 40", Out(Malformed)),
        row_5("No Local on a share", "82: 0005 {} <$share/g/extra> 04", Out(ProtocolError)),
        row_5("No Local on a share that comes second", "82: 0005 {} <extra> 00 <$share/g/+> 05", Out(ProtocolError)),
        row_3("QoS 3", "82: 0005 <extra> 03", Out(Malformed)),
        row_3("QoS 3 of the second", "82: 0005 <extra> 00 <more> 03", Out(Malformed)),
    ];
    for options in ["40", "80", "C0", "41", "82", "FC"] {
        let text = format!("82: 0005 {{}} <extra> {options}");
        rows.push(row_5(format!("reserved bits in {options}"), text, Out(Malformed)));
    }
    for options in ["04", "08", "10", "20", "40", "80", "05", "FC", "FF"] {
        let text = format!("82: 0005 <extra> {options}");
        rows.push(row_3(format!("reserved bits in {options}"), text, Out(Malformed)));
    }
    judge(Scene::open(), rows);
}

/// [MQTT-3.8.3-2] [MQTT-3.10.3-2] [3.1.1 MQTT-3.8.3-3] [3.1.1 MQTT-3.10.3-2]
#[test]
fn a_packet_without_a_topic_filter_is_a_protocol_error() {
    judge(
        Scene::open(),
        [
            row("SUBSCRIBE", "82: 0005 {}", Out(ProtocolError)),
            row_5("SUBSCRIBE with a Subscription Identifier", "82: 0005 {0B 01}", Out(ProtocolError)),
            row("UNSUBSCRIBE", "A2: 0005 {}", Out(ProtocolError)),
            row_5("UNSUBSCRIBE with a User Property", "A2: 0005 {26 <name> <value>}", Out(ProtocolError)),
        ],
    );
}

/// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.13.1-1] [3.1.1 MQTT-4.7.1-2] [3.1.1 MQTT-4.7.1-3] [3.1.1 MQTT-4.7.3-1]
/// [3.1.1 MQTT-4.8.0-1]
#[test]
fn an_ill_formed_topic_filter_ends_the_connection() {
    let filters = ["", "a#", "#a", "a/#/b", "#/", "##", "#/#", "+a", "a+", "a/b+", "a/+b/c", "++", "+#", "a/+#"];
    judge(
        Scene::open(),
        filters.iter().flat_map(|filter| {
            [
                row(format!("'{filter}'"), format!("82: 0005 {{}} <{filter}> 00"), Out(TopicFilterInvalid)),
                row(format!("'{filter}' behind another"), format!("82: 0005 {{}} <extra> 00 <{filter}> 00"), {
                    Out(TopicFilterInvalid)
                }),
                row(format!("UNSUBSCRIBE '{filter}'"), format!("A2: 0005 {{}} <{filter}>"), Out(TopicFilterInvalid)),
                row(format!("UNSUBSCRIBE '{filter}' behind another"), format!("A2: 0005 {{}} <mine> <{filter}>"), {
                    Out(TopicFilterInvalid)
                }),
            ]
        }),
    );
}

/// [MQTT-4.8.2-1] [MQTT-4.8.2-2]: 3.1.1 knows no shares, so to it these are filters that this server does not grant.
#[test]
fn an_ill_formed_share_ends_the_connection_in_mqtt_5_and_is_not_granted_in_3_1_1() {
    let filters = [
        "$share/",
        "$share/g",
        "$share/g/",
        "$share//",
        "$share//extra",
        "$share/+/extra",
        "$share/#/extra",
        "$share/g+/extra",
        "$share/g#/extra",
    ];
    let rows = filters.iter().flat_map(|filter| {
        [
            row_5(*filter, format!("82: 0005 {{}} <{filter}> 00"), Out(TopicFilterInvalid)),
            row_5(format!("UNSUBSCRIBE {filter}"), format!("A2: 0005 {{}} <{filter}>"), Out(TopicFilterInvalid)),
        ]
    });
    let legal_in_3 = ["$share/", "$share/g", "$share/g/", "$share//", "$share//extra", "$share/+/extra"];
    let rows = rows.chain(legal_in_3.iter().flat_map(|filter| {
        [
            row_3(*filter, format!("82: 0005 <{filter}> 00"), Answered("90: 0005 80")),
            row_3(format!("UNSUBSCRIBE {filter}"), format!("A2: 0005 <{filter}>"), Answered("B0: 0005")),
        ]
    }));
    let ill_formed = ["$share/g/a#", "$share/g/a/#/b", "$share/g/+a", "$share/g/a+/b"];
    let rows = rows.chain(
        ill_formed.iter().map(|filter| row(*filter, format!("82: 0005 {{}} <{filter}> 00"), Out(TopicFilterInvalid))),
    );
    let ill_formed_in_3 = ["$share/#/extra", "$share/g+/extra", "$share/g#/extra"];
    judge(
        Scene::open(),
        rows.chain(
            ill_formed_in_3
                .iter()
                .map(|filter| row_3(*filter, format!("82: 0005 <{filter}> 00"), Out(TopicFilterInvalid))),
        ),
    );
}
