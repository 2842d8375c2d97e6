//! Clients of the properties, and what they ask for.

use bytes::{Bytes, BytesMut};
use mqlite::{
    client::{Input, Options, Token},
    codec::{Packet, ProtocolVersion, Publish, QoS, SubscribeFilter, SubscribeProperties, SubscriptionOptions, Text},
};
use proptest::prelude::*;
use std::num::NonZeroU16;

pub fn qos() -> impl Strategy<Value = QoS> {
    (0..3_u8).prop_map(|qos| QoS::from_u8(qos).unwrap())
}

/// A client that keeps its session and takes two messages at a time.
pub fn options(v5: bool, client_id: &'static str) -> Options {
    let mut options = Options::new(Text::from_static(client_id));
    options.connect.version = if v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 };
    options.connect.clean_start = false;
    options.connect.properties.session_expiry_interval = Some(1_000);
    options.connect.properties.receive_maximum = NonZeroU16::new(2);
    options
}

pub fn message(qos: QoS, number: u64) -> Publish {
    let payload = Bytes::copy_from_slice(&number.to_be_bytes());
    Publish { qos, topic: Text::from_static("a"), payload, ..Publish::default() }
}

pub fn subscribe(token: Token, filter: &'static str) -> Input {
    let options = SubscriptionOptions { qos: QoS::ExactlyOnce, ..SubscriptionOptions::default() };
    let filters = vec![SubscribeFilter { filter: Text::from_static(filter), options }];
    Input::Subscribe { token, filters, properties: SubscribeProperties::default(), number: None }
}

pub fn encode(packet: &Packet, version: ProtocolVersion) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes.freeze()
}
