//! What a host in JavaScript is told and tells, as JSON. Bytes are an object with their hexadecimal digits.

use super::Output;
use mqlite::{
    broker::{
        Authentication, AuthenticationRequest, AuthenticationStep, Config, ConnectionId, Event, Grant, Grants, Refusal,
        Statistics, Verdict,
    },
    codec::{Binary, ProtocolVersion, Publish, PublishProperties, ReasonCode, Text},
    time::Timestamp,
};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Every setting of a broker, as the package names it.
pub fn config(config: &Config) -> Value {
    let Config {
        authentication: _,      // see `policy`
        asks_about_reserved: _, // the hosts reserve none
        durability: _,          // the hosts have none
        rules,
        review_timeout_millis,
        review_fallback,
        maximum_connections,
        maximum_connections_per_user,
        maximum_sessions_per_user,
        maximum_sessions,
        connect_timeout_millis,
        maximum_packet_size,
        maximum_connect_size,
        publish_messages_per_second,
        publish_bytes_per_second,
        requests_per_second,
        receive_maximum,
        topic_alias_maximum,
        assigned_topic_aliases,
        maximum_qos,
        retain_available,
        wildcard_subscription_available,
        subscription_identifiers_available,
        shared_subscription_available,
        server_keep_alive_seconds,
        maximum_session_expiry_seconds,
        maximum_subscriptions,
        maximum_subscription_bytes,
        maximum_topic_levels,
        maximum_in_flight,
        maximum_queued_messages,
        maximum_queued_bytes,
        send_buffer,
        maximum_retained_messages,
        maximum_retained_bytes,
        maximum_message_bytes,
        maximum_delayed_messages,
        maximum_delayed_messages_per_user,
        maximum_delay_seconds,
        maximum_kept_records,
        maximum_kept_bytes,
        sys_interval_seconds,
        response_information,
    } = config;
    present([
        ("rules", json!(rules)),
        ("reviewTimeoutMillis", json!(review_timeout_millis)),
        ("reviewFallback", json!(review_fallback)),
        ("maximumConnections", json!(maximum_connections)),
        ("maximumConnectionsPerUser", json!(maximum_connections_per_user)),
        ("maximumSessionsPerUser", json!(maximum_sessions_per_user)),
        ("maximumSessions", json!(maximum_sessions)),
        ("connectTimeoutMillis", json!(connect_timeout_millis)),
        ("maximumPacketSize", json!(maximum_packet_size)),
        ("maximumConnectSize", json!(maximum_connect_size)),
        ("publishMessagesPerSecond", json!(publish_messages_per_second)),
        ("publishBytesPerSecond", json!(publish_bytes_per_second)),
        ("requestsPerSecond", json!(requests_per_second)),
        ("receiveMaximum", json!(receive_maximum)),
        ("topicAliasMaximum", json!(topic_alias_maximum)),
        ("assignedTopicAliases", json!(assigned_topic_aliases)),
        ("maximumQos", json!(*maximum_qos as u8)),
        ("retainAvailable", json!(retain_available)),
        ("wildcardSubscriptionAvailable", json!(wildcard_subscription_available)),
        ("subscriptionIdentifiersAvailable", json!(subscription_identifiers_available)),
        ("sharedSubscriptionAvailable", json!(shared_subscription_available)),
        ("serverKeepAliveSeconds", json!(server_keep_alive_seconds)),
        ("maximumSessionExpirySeconds", json!(maximum_session_expiry_seconds)),
        ("maximumSubscriptions", json!(maximum_subscriptions)),
        ("maximumSubscriptionBytes", json!(maximum_subscription_bytes)),
        ("maximumTopicLevels", json!(maximum_topic_levels)),
        ("maximumInFlight", json!(maximum_in_flight)),
        ("maximumQueuedMessages", json!(maximum_queued_messages)),
        ("maximumQueuedBytes", json!(maximum_queued_bytes)),
        ("sendBuffer", json!(send_buffer)),
        ("maximumRetainedMessages", json!(maximum_retained_messages)),
        ("maximumRetainedBytes", json!(maximum_retained_bytes)),
        ("maximumMessageBytes", json!(maximum_message_bytes)),
        ("maximumDelayedMessages", json!(maximum_delayed_messages)),
        ("maximumDelayedMessagesPerUser", json!(maximum_delayed_messages_per_user)),
        ("maximumDelaySeconds", json!(maximum_delay_seconds)),
        ("maximumKeptRecords", json!(maximum_kept_records)),
        ("maximumKeptBytes", json!(maximum_kept_bytes)),
        ("sysIntervalSeconds", json!(sys_interval_seconds)),
        ("responseInformation", json!(response_information.as_ref().map(Text::as_str))),
    ])
}

/// Who is let in.
pub fn policy(authentication: &Authentication) -> Value {
    match authentication {
        Authentication::Ask => json!({ "asks": true }),
        Authentication::Open(everybody) => present([("grants", grants(everybody))]),
    }
}

pub fn verdict(verdict: &Verdict) -> Value {
    let data = |data: &Option<Binary>| json!(data.as_ref().map(|data| bytes(data.bytes())));
    match verdict {
        Verdict::Allow { grants: given, data: last, user_name, expires_at } => present([
            ("type", json!("allow")),
            ("grants", grants(given)),
            ("data", data(last)),
            ("userName", json!(user_name.as_ref().map(Text::as_str))),
            ("expiresAt", json!(expires_at.map(|at| at.0))),
        ]),
        Verdict::Deny { reason, message } => present([
            ("type", json!("deny")),
            ("reason", json!(reason.value())),
            ("message", json!(message.as_ref().map(Text::as_str))),
        ]),
        Verdict::Continue { data: next } => present([("type", json!("continue")), ("data", data(next))]),
        Verdict::Redirect { server, permanent } => {
            json!({ "type": "redirect", "server": server.as_str(), "permanent": permanent })
        }
    }
}

pub fn publish(publish: &Publish) -> Value {
    let PublishProperties {
        payload_format_indicator,
        message_expiry_interval,
        topic_alias: _, // neither is the host's to set
        response_topic,
        correlation_data,
        user_properties,
        subscription_identifiers: _,
        content_type,
    } = &publish.properties;
    let user_properties: Vec<_> = user_properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let properties = present([
        ("payloadFormatIndicator", json!(payload_format_indicator)),
        ("messageExpiryInterval", json!(message_expiry_interval)),
        ("responseTopic", json!(response_topic.as_ref().map(Text::as_str))),
        ("correlationData", json!(correlation_data.as_ref().map(|data| bytes(data.bytes())))),
        ("userProperties", json!(user_properties)),
        ("contentType", json!(content_type.as_ref().map(Text::as_str))),
    ]);
    json!({
        "topic": publish.topic.as_str(),
        "payload": bytes(&publish.payload),
        "qos": publish.qos as u8,
        "retain": publish.retain,
        "properties": properties,
    })
}

pub fn bytes(bytes: &[u8]) -> Value {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(digits, "{byte:02x}").unwrap();
    }
    json!({ "hex": digits })
}

/// What a host says after each thing that it was told.
pub struct Reply {
    pub outputs: Vec<Output>,
    pub statistics: Statistics,
    pub deadline: Option<Timestamp>,
}

impl Reply {
    pub fn of(value: &Value) -> Self {
        assert!(value.get("error").is_none(), "{}", value["error"]);
        Self {
            outputs: value["outputs"].as_array().expect("outputs").iter().map(output).collect(),
            statistics: statistics(&value["statistics"]),
            deadline: value["deadline"].as_f64().map(|at| Timestamp(at as u64)),
        }
    }
}

fn output(value: &Value) -> Output {
    let value_of = |name| value.get(name);
    if let Some(event) = value_of("event") {
        return Output::Reported(self::event(event));
    }
    let connection = connection(value);
    if let Some(sent) = value_of("sent") {
        Output::Sent { connection, bytes: octets(sent).into() }
    } else if let Some(asked) = value_of("asked") {
        Output::Asked { connection, request: request(asked) }
    } else {
        Output::Closed { connection, reason: None }
    }
}

fn request(value: &Value) -> AuthenticationRequest {
    let optional_text = |name| value[name].as_str().map(|text| Text::try_from(text).unwrap());
    let binary = |name| value.get(name).filter(|value| !value.is_null()).map(|value| octets(value).try_into().unwrap());
    AuthenticationRequest {
        step: match value["step"].as_str() {
            Some("connect") => AuthenticationStep::Connect,
            Some("continue") => AuthenticationStep::Continue,
            Some("reAuthenticate") => AuthenticationStep::ReAuthenticate,
            other => panic!("no step: {other:?}"),
        },
        client_id: text(value, "clientId"),
        user_name: optional_text("userName"),
        password: binary("password"),
        method: optional_text("method"),
        data: binary("data"),
    }
}

fn event(value: &Value) -> Event {
    let client_id = || text(value, "clientId");
    match value["type"].as_str() {
        Some("connected") => Event::Connected {
            connection: connection(value),
            client_id: client_id(),
            version: if value["version"] == 5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 },
            session_present: value["sessionPresent"] == true,
        },
        Some("refused") => Event::Refused { connection: connection(value), refusal: refusal(&value["refusal"]) },
        Some("disconnected") => Event::Disconnected {
            connection: connection(value),
            client_id: client_id(),
            refusal: refusal(&value["refusal"]),
        },
        Some("publishRefused") => Event::PublishRefused {
            client_id: value["clientId"].as_str().map(|text| Text::try_from(text).unwrap()),
            topic: text(value, "topic"),
            reason: reason(&value["reason"]),
        },
        Some("reviewFailed") => Event::ReviewFailed { client_id: client_id(), topic: text(value, "topic") },
        Some("dropped") => {
            Event::Dropped { client_id: client_id(), why: sentence(&value["why"]), count: number(&value["count"]) }
        }
        other => panic!("no event: {other:?}"),
    }
}

fn statistics(value: &Value) -> Statistics {
    let count = |name: &str| number(&value[name]);
    Statistics {
        clients_connected: count("clientsConnected"),
        clients_maximum: count("clientsMaximum"),
        sessions: count("sessions"),
        subscriptions: count("subscriptions"),
        subscription_bytes: count("subscriptionBytes"),
        retained_messages: count("retainedMessages"),
        retained_bytes: count("retainedBytes"),
        message_bytes: count("messageBytes"),
        messages_stored: count("messagesStored"),
        messages_delayed: count("messagesDelayed"),
        messages_in_review: count("messagesInReview"),
        bytes_received: count("bytesReceived"),
        bytes_sent: count("bytesSent"),
        messages_received: count("messagesReceived"),
        messages_sent: count("messagesSent"),
        messages_dropped: count("messagesDropped"),
        messages_refused: count("messagesRefused"),
        connections_refused: count("connectionsRefused"),
    }
}

fn grants(grants: &Grants) -> Value {
    let rule = |grant: &Grant| {
        json!({
            "filter": grant.filter.as_str(),
            "publish": grant.publish,
            "subscribe": grant.subscribe,
            "maximumQos": grant.maximum_qos as u8,
            "retain": grant.retain,
        })
    };
    json!(grants.rules().map(|rules| rules.iter().map(rule).collect::<Vec<_>>()))
}

fn refusal(value: &Value) -> Refusal {
    Refusal { reason: reason(&value["reason"]), message: sentence(&value["message"]) }
}

fn reason(value: &Value) -> ReasonCode {
    ReasonCode::from_u8(number(value).try_into().unwrap()).unwrap()
}

fn connection(value: &Value) -> ConnectionId {
    ConnectionId(number(&value["connection"]))
}

fn number(value: &Value) -> u64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}")) as u64
}

fn text(value: &Value, name: &str) -> Text {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}")).try_into().unwrap()
}

/// The broker's sentences are few, and live as long as the tests.
fn sentence(value: &Value) -> &'static str {
    String::leak(value.as_str().expect("a sentence").to_owned())
}

fn octets(value: &Value) -> Vec<u8> {
    let digits = value["hex"].as_str().expect("bytes").as_bytes();
    let digit = |digit: u8| char::from(digit).to_digit(16).expect("a hexadecimal digit") as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// An object of the members that there are.
fn present<const COUNT: usize>(members: [(&str, Value); COUNT]) -> Value {
    let present = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(present.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}
