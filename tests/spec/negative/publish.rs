//! PUBLISH (3.3).

use super::*;

/// [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT-4.7.3-1] [3.1.1 MQTT-3.3.2-2] [3.1.1 MQTT-4.7.1-1] [3.1.1 MQTT-4.7.3-1]
#[test]
fn a_topic_name_has_no_wildcards_and_is_not_empty() {
    let mut rows = vec![
        row_5("neither Topic Name nor Topic Alias", "30: <> {} 'x'", Out(ProtocolError)),
        row_3("no Topic Name", "30: <> 'x'", Out(Malformed)),
        row_5("neither at QoS 1", "32: <> 0001 {} 'x'", Out(ProtocolError)),
        row_3("no Topic Name at QoS 1", "32: <> 0001 'x'", Out(Malformed)),
    ];
    for topic in ["#", "+", "watch/#", "watch/+", "+/watch", "watch#", "watch+", "a/+/b", "a/#/b", "$share/+/watch"] {
        for (first_byte, packet_id) in [("30", ""), ("31", ""), ("32", "0001"), ("34", "0001")] {
            let text = format!("{first_byte}: <{topic}> {packet_id} {{}} 'x'");
            rows.push(row(format!("Topic Name {topic} with {first_byte}"), text, Out(TopicNameInvalid)));
        }
    }
    judge(Scene::open(), rows);
}

/// [MQTT-3.3.2-8] [MQTT-3.3.2-9] [MQTT-3.2.2-17]
#[test]
fn a_topic_alias_is_within_the_maximum_and_known() {
    judge(
        Scene::open(),
        [
            row_5("Topic Alias 0 beside a Topic Name", "30: <watch> {23 0000} 'x'", Out(TopicAliasInvalid)),
            row_5("Topic Alias 0 alone", "30: <> {23 0000} 'x'", Out(TopicAliasInvalid)),
            row_5("one more than the maximum", "30: <watch> {23 0041} 'x'", Out(TopicAliasInvalid)),
            row_5("one more than the maximum, alone", "30: <> {23 0041} 'x'", Out(TopicAliasInvalid)),
            row_5("the largest", "30: <watch> {23 FFFF} 'x'", Out(TopicAliasInvalid)),
            row_5("one that was never set", "30: <> {23 0001} 'x'", Out(ProtocolError)),
            row_5("one that was never set, at QoS 2", "34: <> 0001 {23 0040} 'x'", Out(ProtocolError)),
            row_5("one for a Topic Name with a wildcard", "30: <watch/#> {23 0001} 'x'", Out(TopicNameInvalid)),
        ],
    );
}

/// [MQTT-2.2.1-3] [3.1.1 MQTT-2.3.1-1]
#[test]
fn a_packet_identifier_is_not_0_and_not_in_use_at_another_qos() {
    judge(
        Scene::open(),
        [
            row("0 at QoS 1", "32: <watch> 0000 {} 'x'", Out(ProtocolError)),
            row("0 at QoS 2", "34: <watch> 0000 {} 'x'", Out(ProtocolError)),
            row("0 at QoS 1 with DUP", "3A: <watch> 0000 {} 'x'", Out(ProtocolError)),
            row_5("one in use for QoS 2", "32: <watch> 0009 {} 'x'", Answered("40: 0009 91")),
            row_3("one in use for QoS 2", "32: <watch> 0009 'x'", Out(ProtocolError)),
        ],
    );
}

/// 9 is one of the two that may be without a PUBCOMP. [MQTT-3.3.4-7]
#[test]
fn no_more_than_receive_maximum_may_be_unacknowledged() {
    let (first, after) = ("34: <nowhere> 000A {} 'x'", OutAfter("50: 000A 10", ReceiveMaximumExceeded));
    judge(
        Scene::receiving(2),
        [
            row_5("QoS 2", format!("{first}; 34: <watch> 000B {{}} 'x'"), after),
            row_5("QoS 1", format!("{first}; 32: <watch> 000B {{}} 'x'"), after),
            row_5("one that is known, and one more", format!("{first}; {first}; 34: <watch> 000B {{}} 'x'"), {
                OutAfter("50: 000A 10; 50: 000A", ReceiveMaximumExceeded)
            }),
        ],
    );
}
