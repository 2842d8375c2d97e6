//! Says in JSON what is in a packet, in the terms of `README.md` beside this file.
use mqlite::codec::*;
use serde_json::{Value, json};

/// The packet as the `packet` of a vector.
pub fn describe(packet: &Packet) -> Value {
    present(match packet {
        Packet::Connect(connect) => self::connect(connect),
        Packet::ConnAck(connack) => json!({
            "type": "CONNACK",
            "sessionPresent": connack.session_present,
            "reason": reason(connack.reason),
            "properties": connack_properties(&connack.properties),
        }),
        Packet::Publish(publish) => json!({
            "type": "PUBLISH",
            "dup": publish.dup,
            "qos": publish.qos as u8,
            "retain": publish.retain,
            "topic": publish.topic.as_str(),
            "packetId": publish.packet_id.map(PacketId::value),
            "properties": publish_properties(&publish.properties),
            "payload": hex(&publish.payload),
        }),
        Packet::PubAck(ack) => self::ack("PUBACK", ack),
        Packet::PubRec(ack) => self::ack("PUBREC", ack),
        Packet::PubRel(ack) => self::ack("PUBREL", ack),
        Packet::PubComp(ack) => self::ack("PUBCOMP", ack),
        Packet::Subscribe(subscribe) => json!({
            "type": "SUBSCRIBE",
            "packetId": subscribe.packet_id.value(),
            "properties": present(json!({
                "subscriptionIdentifier": subscribe.properties.subscription_identifier,
                "userProperties": user_properties(&subscribe.properties.user_properties),
            })),
            "filters": subscribe.filters.iter().map(filter).collect::<Vec<_>>(),
        }),
        Packet::SubAck(suback) => json!({
            "type": "SUBACK",
            "packetId": suback.packet_id.value(),
            "properties": ack_properties(&suback.properties),
            "reasons": reasons(&suback.reasons),
        }),
        Packet::Unsubscribe(unsubscribe) => json!({
            "type": "UNSUBSCRIBE",
            "packetId": unsubscribe.packet_id.value(),
            "properties": present(json!({ "userProperties": user_properties(&unsubscribe.user_properties) })),
            "filters": unsubscribe.filters.iter().map(Text::as_str).collect::<Vec<_>>(),
        }),
        Packet::UnsubAck(unsuback) => json!({
            "type": "UNSUBACK",
            "packetId": unsuback.packet_id.value(),
            "properties": ack_properties(&unsuback.properties),
            "reasons": reasons(&unsuback.reasons),
        }),
        Packet::PingReq => json!({ "type": "PINGREQ" }),
        Packet::PingResp => json!({ "type": "PINGRESP" }),
        Packet::Disconnect(Disconnect { reason, properties }) => json!({
            "type": "DISCONNECT",
            "reason": self::reason(*reason),
            "properties": present(json!({
                "sessionExpiryInterval": properties.session_expiry_interval,
                "reasonString": text(&properties.reason_string),
                "userProperties": user_properties(&properties.user_properties),
                "serverReference": text(&properties.server_reference),
            })),
        }),
        Packet::Auth(Auth { reason, properties }) => json!({
            "type": "AUTH",
            "reason": self::reason(*reason),
            "properties": present(json!({
                "authenticationMethod": text(&properties.authentication_method),
                "authenticationData": binary(&properties.authentication_data),
                "reasonString": text(&properties.reason_string),
                "userProperties": user_properties(&properties.user_properties),
            })),
        }),
    })
}

fn connect(connect: &Connect) -> Value {
    let properties = &connect.properties;
    json!({
        "type": "CONNECT",
        "version": if connect.version == ProtocolVersion::V5 { "5" } else { "3.1.1" },
        "cleanStart": connect.clean_start,
        "keepAlive": connect.keep_alive,
        "properties": present(json!({
            "sessionExpiryInterval": properties.session_expiry_interval,
            "receiveMaximum": properties.receive_maximum,
            "maximumPacketSize": properties.maximum_packet_size,
            "topicAliasMaximum": properties.topic_alias_maximum,
            "requestResponseInformation": properties.request_response_information,
            "requestProblemInformation": properties.request_problem_information,
            "userProperties": user_properties(&properties.user_properties),
            "authenticationMethod": text(&properties.authentication_method),
            "authenticationData": binary(&properties.authentication_data),
        })),
        "clientId": connect.client_id.as_str(),
        "will": connect.will.as_ref().map(will),
        "userName": text(&connect.user_name),
        "password": binary(&connect.password),
    })
}

fn will(will: &Will) -> Value {
    let properties = &will.properties;
    present(json!({
        "qos": will.qos as u8,
        "retain": will.retain,
        "properties": present(json!({
            "willDelayInterval": properties.will_delay_interval,
            "payloadFormatIndicator": properties.payload_format_indicator,
            "messageExpiryInterval": properties.message_expiry_interval,
            "contentType": text(&properties.content_type),
            "responseTopic": text(&properties.response_topic),
            "correlationData": binary(&properties.correlation_data),
            "userProperties": user_properties(&properties.user_properties),
        })),
        "topic": will.topic.as_str(),
        "payload": hex(will.payload.bytes()),
    }))
}

fn connack_properties(properties: &ConnAckProperties) -> Value {
    present(json!({
        "sessionExpiryInterval": properties.session_expiry_interval,
        "receiveMaximum": properties.receive_maximum,
        "maximumQos": properties.maximum_qos.map(|qos| qos as u8),
        "retainAvailable": properties.retain_available,
        "maximumPacketSize": properties.maximum_packet_size,
        "assignedClientIdentifier": text(&properties.assigned_client_identifier),
        "topicAliasMaximum": properties.topic_alias_maximum,
        "reasonString": text(&properties.reason_string),
        "userProperties": user_properties(&properties.user_properties),
        "wildcardSubscriptionAvailable": properties.wildcard_subscription_available,
        "subscriptionIdentifiersAvailable": properties.subscription_identifiers_available,
        "sharedSubscriptionAvailable": properties.shared_subscription_available,
        "serverKeepAlive": properties.server_keep_alive,
        "responseInformation": text(&properties.response_information),
        "serverReference": text(&properties.server_reference),
        "authenticationMethod": text(&properties.authentication_method),
        "authenticationData": binary(&properties.authentication_data),
    }))
}

fn publish_properties(properties: &PublishProperties) -> Value {
    let identifiers = &properties.subscription_identifiers;
    present(json!({
        "payloadFormatIndicator": properties.payload_format_indicator,
        "messageExpiryInterval": properties.message_expiry_interval,
        "topicAlias": properties.topic_alias,
        "responseTopic": text(&properties.response_topic),
        "correlationData": binary(&properties.correlation_data),
        "userProperties": user_properties(&properties.user_properties),
        "subscriptionIdentifiers": (!identifiers.is_empty()).then_some(identifiers),
        "contentType": text(&properties.content_type),
    }))
}

fn ack(name: &str, ack: &Ack) -> Value {
    json!({
        "type": name,
        "packetId": ack.packet_id.value(),
        "reason": reason(ack.reason),
        "properties": ack_properties(&ack.properties),
    })
}

fn ack_properties(properties: &AckProperties) -> Value {
    present(json!({
        "reasonString": text(&properties.reason_string),
        "userProperties": user_properties(&properties.user_properties),
    }))
}

fn filter(SubscribeFilter { filter, options }: &SubscribeFilter) -> Value {
    json!({
        "filter": filter.as_str(),
        "qos": options.qos as u8,
        "noLocal": options.no_local,
        "retainAsPublished": options.retain_as_published,
        "retainHandling": options.retain_handling as u8,
    })
}

fn reasons(reasons: &[ReasonCode]) -> Vec<String> {
    reasons.iter().copied().map(reason).collect()
}

fn reason(reason: ReasonCode) -> String {
    format!("{:#04x}", reason.value())
}

fn text(text: &Option<Text>) -> Option<&str> {
    text.as_ref().map(Text::as_str)
}

fn binary(binary: &Option<Binary>) -> Option<String> {
    binary.as_ref().map(|binary| hex(binary.bytes()))
}

fn user_properties(properties: &UserProperties) -> Option<Vec<[&str; 2]>> {
    let pairs: Vec<_> = properties.iter().map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    (!pairs.is_empty()).then_some(pairs)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Drops what is not there; an object left with nothing is not there either.
fn present(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            fields.retain(|_, field| !field.is_null());
            if fields.is_empty() { Value::Null } else { Value::Object(fields) }
        }
        value => value,
    }
}
