//! Arbitrary packets that obey the standard.
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};
use mqlite::codec::*;
use proptest::{array::uniform4, collection::vec, option, prelude::*, sample::select};

/// Any packet of MQTT 5.
pub fn packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        connect().prop_map(|connect| Packet::Connect(Box::new(connect))),
        connack().prop_map(|connack| Packet::ConnAck(Box::new(connack))),
        publish().prop_map(Packet::Publish),
        ack(RECEIVED).prop_map(Packet::PubAck),
        ack(RECEIVED).prop_map(Packet::PubRec),
        ack(RELEASED).prop_map(Packet::PubRel),
        ack(RELEASED).prop_map(Packet::PubComp),
        subscribe().prop_map(Packet::Subscribe),
        suback().prop_map(Packet::SubAck),
        unsubscribe().prop_map(Packet::Unsubscribe),
        unsuback().prop_map(Packet::UnsubAck),
        Just(Packet::PingReq),
        Just(Packet::PingResp),
        disconnect().prop_map(Packet::Disconnect),
        auth().prop_map(Packet::Auth),
    ]
}

prop_compose! {
    fn connect()(
        clean_start: bool,
        keep_alive: u16,
        properties in connect_properties(),
        client_id in text(),
        will in option::of(will()),
        user_name in option::of(text()),
        password in option::of(binary()),
    ) -> Connect {
        let version = ProtocolVersion::V5;
        Connect { version, clean_start, keep_alive, properties, client_id, will, user_name, password }
    }
}

prop_compose! {
    fn connect_properties()(
        session_expiry_interval: Option<u32>,
        receive_maximum in option::of(non_zero_u16()),
        maximum_packet_size in option::of(non_zero_u32(u32::MAX)),
        topic_alias_maximum: Option<u16>,
        request_response_information: Option<bool>,
        request_problem_information: Option<bool>,
        user_properties in user_properties(),
        authentication in option::of((text(), option::of(binary()))),
    ) -> ConnectProperties {
        let (authentication_method, authentication_data) = authentication.unzip();
        ConnectProperties {
            session_expiry_interval, receive_maximum, maximum_packet_size, topic_alias_maximum,
            request_response_information, request_problem_information, user_properties, authentication_method,
            authentication_data: authentication_data.flatten(),
        }
    }
}

prop_compose! {
    fn will()(
        qos in qos(),
        retain: bool,
        properties in will_properties(),
        topic in text(),
        payload in binary(),
    ) -> Will {
        Will { qos, retain, properties, topic, payload }
    }
}

prop_compose! {
    fn will_properties()(
        will_delay_interval: Option<u32>,
        payload_format_indicator: Option<bool>,
        message_expiry_interval: Option<u32>,
        content_type in option::of(text()),
        response_topic in option::of(topic()),
        correlation_data in option::of(binary()),
        user_properties in user_properties(),
    ) -> WillProperties {
        WillProperties {
            will_delay_interval, payload_format_indicator, message_expiry_interval, content_type, response_topic,
            correlation_data, user_properties,
        }
    }
}

prop_compose! {
    fn connack()(
        session_present: bool,
        reason in reason(&[
            0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A,
            0x9B, 0x9C, 0x9D, 0x9F,
        ]),
        properties in connack_properties(),
    ) -> ConnAck {
        ConnAck { session_present: session_present && !reason.is_failure(), reason, properties }
    }
}

prop_compose! {
    fn connack_properties()(
        session_expiry_interval: Option<u32>,
        [server_keep_alive, topic_alias_maximum] in any::<[Option<u16>; 2]>(),
        receive_maximum in option::of(non_zero_u16()),
        maximum_qos in option::of(select(&[QoS::AtMostOnce, QoS::AtLeastOnce][..])),
        maximum_packet_size in option::of(non_zero_u32(u32::MAX)),
        [
            retain_available, wildcard_subscription_available, subscription_identifiers_available,
            shared_subscription_available,
        ] in any::<[Option<bool>; 4]>(),
        [assigned_client_identifier, response_information, server_reference, reason_string] in
            uniform4(option::of(text())),
        user_properties in user_properties(),
        authentication_method in option::of(text()),
        authentication_data in option::of(binary()),
    ) -> ConnAckProperties {
        ConnAckProperties {
            session_expiry_interval, receive_maximum, maximum_qos, retain_available, maximum_packet_size,
            assigned_client_identifier, topic_alias_maximum, reason_string, user_properties,
            wildcard_subscription_available, subscription_identifiers_available, shared_subscription_available,
            server_keep_alive, response_information, server_reference, authentication_method, authentication_data,
        }
    }
}

prop_compose! {
    fn publish()(
        dup: bool,
        qos in qos(),
        retain: bool,
        topic in text(),
        packet_id in packet_id(),
        mut properties in publish_properties(),
        payload in payload(),
    ) -> Publish {
        if topic.is_empty() {
            properties.topic_alias.get_or_insert(NonZeroU16::MIN);
        }
        let acknowledged = qos > QoS::AtMostOnce;
        let packet_id = acknowledged.then_some(packet_id);
        Publish { dup: dup && acknowledged, qos, retain, topic, packet_id, properties, payload }
    }
}

prop_compose! {
    fn publish_properties()(
        payload_format_indicator: Option<bool>,
        message_expiry_interval: Option<u32>,
        topic_alias in option::of(non_zero_u16()),
        response_topic in option::of(topic()),
        correlation_data in option::of(binary()),
        user_properties in user_properties(),
        subscription_identifiers in vec(non_zero_u32(268_435_455), 0..3),
        content_type in option::of(text()),
    ) -> PublishProperties {
        PublishProperties {
            payload_format_indicator, message_expiry_interval, topic_alias, response_topic, correlation_data,
            user_properties, subscription_identifiers, content_type,
        }
    }
}

prop_compose! {
    fn ack(reasons: &'static [u8])(
        packet_id in packet_id(),
        reason in reason(reasons),
        properties in ack_properties(),
    ) -> Ack {
        Ack { packet_id, reason, properties }
    }
}

prop_compose! {
    fn ack_properties()(
        reason_string in option::of(text()),
        user_properties in user_properties(),
    ) -> AckProperties {
        AckProperties { reason_string, user_properties }
    }
}

prop_compose! {
    fn subscribe()(
        packet_id in packet_id(),
        subscription_identifier in option::of(non_zero_u32(268_435_455)),
        user_properties in user_properties(),
        filters in vec((text(), subscription_options()), 1..4),
    ) -> Subscribe {
        Subscribe {
            packet_id,
            properties: SubscribeProperties { subscription_identifier, user_properties },
            filters: filters.into_iter().map(|(filter, options)| SubscribeFilter { filter, options }).collect(),
        }
    }
}

prop_compose! {
    fn subscription_options()(
        qos in qos(),
        no_local: bool,
        retain_as_published: bool,
        retain_handling in
            select(&[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend][..]),
    ) -> SubscriptionOptions {
        SubscriptionOptions { qos, no_local, retain_as_published, retain_handling }
    }
}

prop_compose! {
    fn suback()(
        packet_id in packet_id(),
        properties in ack_properties(),
        reasons in vec(reason(&[0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]), 1..4),
    ) -> SubAck {
        SubAck { packet_id, properties, reasons }
    }
}

prop_compose! {
    fn unsubscribe()(
        packet_id in packet_id(),
        user_properties in user_properties(),
        filters in vec(text(), 1..4),
    ) -> Unsubscribe {
        Unsubscribe { packet_id, user_properties, filters }
    }
}

prop_compose! {
    fn unsuback()(
        packet_id in packet_id(),
        properties in ack_properties(),
        reasons in vec(reason(&[0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]), 1..4),
    ) -> UnsubAck {
        UnsubAck { packet_id, properties, reasons }
    }
}

prop_compose! {
    fn disconnect()(
        reason in reason(&[
            0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96,
            0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
        ]),
        session_expiry_interval: Option<u32>,
        reason_string in option::of(text()),
        user_properties in user_properties(),
        server_reference in option::of(text()),
    ) -> Disconnect {
        let properties =
            DisconnectProperties { session_expiry_interval, reason_string, user_properties, server_reference };
        Disconnect { reason, properties }
    }
}

prop_compose! {
    fn auth()(
        reason in reason(&[0x00, 0x18, 0x19]),
        authentication_method in text(),
        authentication_data in option::of(binary()),
        reason_string in option::of(text()),
        user_properties in user_properties(),
        short: bool,
    ) -> Auth {
        let authentication_method = Some(authentication_method);
        if short && reason == ReasonCode::Success {
            return Auth { reason, properties: AuthProperties::default() };
        }
        let properties = AuthProperties { authentication_method, authentication_data, reason_string, user_properties };
        Auth { reason, properties }
    }
}

/// Text of any characters but U+0000.
fn text() -> impl Strategy<Value = Text> {
    vec(any::<char>(), 0..8).prop_map(|characters| {
        let text: String = characters.into_iter().filter(|&character| character != '\0').collect();
        Text::try_from(text).expect("short and without U+0000")
    })
}

/// Text that is not empty and without wildcards.
fn topic() -> impl Strategy<Value = Text> {
    text().prop_filter("a Topic Name", |text| !text.is_empty() && !text.as_str().contains(['+', '#']))
}

fn binary() -> impl Strategy<Value = Binary> {
    vec(any::<u8>(), 0..8).prop_map(|bytes| Binary::try_from(bytes).expect("short"))
}

/// Payloads on both sides of each length that makes the fixed header longer.
fn payload() -> impl Strategy<Value = Bytes> {
    (prop_oneof![4 => 0..40usize, 2 => 60..140usize, 1 => 16_200..16_500usize], any::<u8>())
        .prop_map(|(length, byte)| Bytes::from(vec![byte; length]))
}

fn user_properties() -> impl Strategy<Value = UserProperties> {
    vec((text(), text()), 0..3)
}

fn qos() -> impl Strategy<Value = QoS> {
    select(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][..])
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|value| PacketId::new(value).expect("not 0"))
}

fn non_zero_u16() -> impl Strategy<Value = NonZeroU16> {
    (1..=u16::MAX).prop_map(|value| NonZeroU16::new(value).expect("not 0"))
}

/// A number up to `maximum`, small as often as large.
fn non_zero_u32(maximum: u32) -> impl Strategy<Value = NonZeroU32> {
    prop_oneof![1..=300u32, 1..=maximum].prop_map(|value| NonZeroU32::new(value).expect("not 0"))
}

fn reason(allowed: &'static [u8]) -> impl Strategy<Value = ReasonCode> {
    select(allowed).prop_map(|value| ReasonCode::from_u8(value).expect("a code of the standard"))
}

const RECEIVED: &[u8] = &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const RELEASED: &[u8] = &[0x00, 0x92];
