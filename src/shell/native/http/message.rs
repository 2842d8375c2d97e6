//! Messages as JSON.

use crate::codec::{Publish, PublishProperties, Text};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Serialize;

/// What a message is to those who read JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    topic: Text,
    #[serde(flatten)]
    payload: Payload,
    qos: u8,
    retain: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_topic: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_data_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_expiry_interval: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_format_indicator: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_properties: Vec<(Text, Text)>,
}

#[derive(Debug, Serialize)]
enum Payload {
    #[serde(rename = "payload")]
    Text(String),
    #[serde(rename = "payloadBase64")]
    Bytes(String),
}

impl Message {
    pub(super) fn new(publish: Publish) -> Self {
        let PublishProperties {
            payload_format_indicator,
            message_expiry_interval,
            response_topic,
            correlation_data,
            user_properties,
            content_type,
            ..
        } = publish.properties;
        Self {
            topic: publish.topic,
            payload: Payload::new(&publish.payload),
            qos: publish.qos as u8,
            retain: publish.retain,
            content_type,
            response_topic,
            correlation_data_base64: correlation_data.map(|data| STANDARD.encode(data.bytes())),
            message_expiry_interval,
            payload_format_indicator,
            user_properties: user_properties.into_iter().collect(),
        }
    }
}

impl Payload {
    fn new(payload: &Bytes) -> Self {
        match str::from_utf8(payload) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(STANDARD.encode(payload)),
        }
    }
}
