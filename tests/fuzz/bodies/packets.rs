//! Packets made of the fuzzer's bytes: any that the codec can write, most of them such that something comes of them.

use super::{Source, one_of};
use arbitrary::Result;
use bytes::Bytes;
use mqlite::codec::*;
use std::num::{NonZeroU16, NonZeroU32};

/// Any packet.
pub fn packet(source: &mut Source<'_>) -> Result<Packet> {
    Ok(match source.int_in_range(0..=15_u8)? {
        1 => Packet::Connect(Box::new(connect(source)?)),
        2 => Packet::ConnAck(Box::new(connack(source)?)),
        4 => Packet::PubAck(ack(source)?),
        5 => Packet::PubRec(ack(source)?),
        6 => Packet::PubRel(ack(source)?),
        7 => Packet::PubComp(ack(source)?),
        8 => Packet::Subscribe(subscribe(source)?),
        9 => Packet::SubAck(suback(source)?),
        10 => Packet::Unsubscribe(unsubscribe(source)?),
        11 => Packet::UnsubAck(unsuback(source)?),
        12 => Packet::PingReq,
        13 => Packet::PingResp,
        14 => Packet::Disconnect(disconnect(source)?),
        15 => Packet::Auth(auth(source)?),
        _ => Packet::Publish(publish(source)?),
    })
}

pub fn connect(source: &mut Source<'_>) -> Result<Connect> {
    let mut there = Parts::new(source)?;
    Ok(Connect {
        version: one_of(source, &[ProtocolVersion::V5, ProtocolVersion::V3_1_1])?,
        clean_start: source.arbitrary()?,
        keep_alive: source.int_in_range(0..=20)?,
        properties: ConnectProperties {
            session_expiry_interval: there.part(source, seconds)?,
            receive_maximum: there.part(source, small)?,
            maximum_packet_size: there.part(source, size)?,
            topic_alias_maximum: there.part(source, |source| source.int_in_range(0..=3))?,
            request_response_information: there.part(source, |source| source.arbitrary())?,
            request_problem_information: there.part(source, |source| source.arbitrary())?,
            user_properties: user_properties(source)?,
            authentication_method: there.part(source, method)?,
            authentication_data: there.part(source, binary)?,
        },
        client_id: one_of(source, &["a", "b", "c", "d", ""]).map(Text::from_static)?,
        will: there.part(source, will)?,
        user_name: there.part(source, |source| one_of(source, &["u", "v", "+", ""]).map(Text::from_static))?,
        password: there.part(source, binary)?,
    })
}

fn will(source: &mut Source<'_>) -> Result<Will> {
    let mut there = Parts::new(source)?;
    Ok(Will {
        qos: qos(source)?,
        retain: source.arbitrary()?,
        properties: WillProperties {
            will_delay_interval: there.part(source, seconds)?,
            payload_format_indicator: there.part(source, |source| source.arbitrary())?,
            message_expiry_interval: there.part(source, seconds)?,
            content_type: there.part(source, text)?,
            response_topic: there.part(source, topic)?,
            correlation_data: there.part(source, binary)?,
            user_properties: user_properties(source)?,
        },
        topic: topic(source)?,
        payload: binary(source)?,
    })
}

pub fn connack(source: &mut Source<'_>) -> Result<ConnAck> {
    let mut there = Parts::new(source)?;
    let reason = if source.ratio(1, 8)? { reason(source)? } else { ReasonCode::Success };
    Ok(ConnAck {
        session_present: source.arbitrary()?,
        reason,
        properties: ConnAckProperties {
            session_expiry_interval: there.part(source, seconds)?,
            receive_maximum: there.part(source, small)?,
            maximum_qos: there.part(source, |source| one_of(source, &[QoS::AtMostOnce, QoS::AtLeastOnce]))?,
            retain_available: there.part(source, |source| source.arbitrary())?,
            maximum_packet_size: there.part(source, size)?,
            assigned_client_identifier: there.part(source, text)?,
            topic_alias_maximum: there.part(source, |source| source.int_in_range(0..=3))?,
            reason_string: there.part(source, text)?,
            user_properties: user_properties(source)?,
            wildcard_subscription_available: there.part(source, |source| source.arbitrary())?,
            subscription_identifiers_available: there.part(source, |source| source.arbitrary())?,
            shared_subscription_available: there.part(source, |source| source.arbitrary())?,
            server_keep_alive: there.part(source, |source| source.int_in_range(0..=20))?,
            response_information: there.part(source, text)?,
            server_reference: there.part(source, text)?,
            authentication_method: there.part(source, method)?,
            authentication_data: there.part(source, binary)?,
        },
    })
}

pub fn publish(source: &mut Source<'_>) -> Result<Publish> {
    let mut there = Parts::new(source)?;
    let qos = qos(source)?;
    let is_exchange = qos > QoS::AtMostOnce;
    let mut properties = PublishProperties {
        payload_format_indicator: there.part(source, |source| source.arbitrary())?,
        message_expiry_interval: there.part(source, seconds)?,
        topic_alias: there.part(source, small)?,
        response_topic: there.part(source, topic)?,
        correlation_data: there.part(source, binary)?,
        user_properties: user_properties(source)?,
        subscription_identifiers: there.part(source, identifier)?.into_iter().collect(),
        content_type: there.part(source, text)?,
    };
    let topic = if there.next() { Text::default() } else { topic(source)? };
    if topic.is_empty() {
        properties.topic_alias.get_or_insert(NonZeroU16::MIN);
    }
    let dup = there.next() && is_exchange;
    let packet_id = if is_exchange { Some(packet_id(source)?) } else { None };
    Ok(Publish { dup, qos, retain: there.next(), topic, packet_id, properties, payload: payload(source)? })
}

fn ack(source: &mut Source<'_>) -> Result<Ack> {
    let mut there = Parts::new(source)?;
    let packet_id = packet_id(source)?;
    let reason = there.part(source, reason)?.unwrap_or(ReasonCode::Success);
    Ok(Ack { packet_id, reason, properties: ack_properties(&mut there, source)? })
}

pub fn subscribe(source: &mut Source<'_>) -> Result<Subscribe> {
    let mut there = Parts::new(source)?;
    Ok(Subscribe {
        packet_id: packet_id(source)?,
        properties: SubscribeProperties {
            subscription_identifier: there.part(source, identifier)?,
            user_properties: user_properties(source)?,
        },
        filters: some(source, |source| {
            let options = SubscriptionOptions {
                qos: qos(source)?,
                no_local: source.ratio(1, 4)?,
                retain_as_published: source.arbitrary()?,
                retain_handling: one_of(
                    source,
                    &[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend],
                )?,
            };
            Ok(SubscribeFilter { filter: filter(source)?, options })
        })?,
    })
}

fn suback(source: &mut Source<'_>) -> Result<SubAck> {
    let mut there = Parts::new(source)?;
    let properties = ack_properties(&mut there, source)?;
    Ok(SubAck { packet_id: packet_id(source)?, properties, reasons: some(source, reason)? })
}

pub fn unsubscribe(source: &mut Source<'_>) -> Result<Unsubscribe> {
    let user_properties = user_properties(source)?;
    Ok(Unsubscribe { packet_id: packet_id(source)?, user_properties, filters: some(source, filter)? })
}

fn unsuback(source: &mut Source<'_>) -> Result<UnsubAck> {
    let mut there = Parts::new(source)?;
    let properties = ack_properties(&mut there, source)?;
    Ok(UnsubAck { packet_id: packet_id(source)?, properties, reasons: some(source, reason)? })
}

pub fn disconnect(source: &mut Source<'_>) -> Result<Disconnect> {
    let mut there = Parts::new(source)?;
    Ok(Disconnect {
        reason: there.part(source, reason)?.unwrap_or(ReasonCode::Success),
        properties: DisconnectProperties {
            session_expiry_interval: there.part(source, seconds)?,
            reason_string: there.part(source, text)?,
            user_properties: user_properties(source)?,
            server_reference: there.part(source, text)?,
        },
    })
}

pub fn auth(source: &mut Source<'_>) -> Result<Auth> {
    const REASONS: [ReasonCode; 3] =
        [ReasonCode::ContinueAuthentication, ReasonCode::ReAuthenticate, ReasonCode::Success];
    let mut there = Parts::new(source)?;
    Ok(Auth {
        reason: one_of(source, &REASONS)?,
        properties: AuthProperties {
            authentication_method: Some(method(source)?),
            authentication_data: there.part(source, binary)?,
            reason_string: there.part(source, text)?,
            user_properties: user_properties(source)?,
        },
    })
}

fn ack_properties(there: &mut Parts, source: &mut Source<'_>) -> Result<AckProperties> {
    let reason_string = there.part(source, text)?;
    Ok(AckProperties { reason_string, user_properties: user_properties(source)? })
}

/// Which of a packet's optional parts are there: a bit each, a quarter of them set.
struct Parts(u32);

impl Parts {
    fn new(source: &mut Source<'_>) -> Result<Self> {
        Ok(Self(source.arbitrary::<u32>()? & source.arbitrary::<u32>()?))
    }

    fn next(&mut self) -> bool {
        let is_there = self.0 & 1 == 1;
        self.0 >>= 1;
        is_there
    }

    fn part<'a, T>(
        &mut self,
        source: &mut Source<'a>,
        make: impl FnOnce(&mut Source<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.next().then(|| make(source)).transpose()
    }
}

/// One to four of them.
fn some<'a, T>(source: &mut Source<'a>, make: impl Fn(&mut Source<'a>) -> Result<T>) -> Result<Vec<T>> {
    (0..source.int_in_range(1..=4)?).map(|_| make(source)).collect()
}

pub fn topic(source: &mut Source<'_>) -> Result<Text> {
    const TOPICS: [&str; 12] = ["a", "a/b", "a/b/c", "b", "/", "b/b", "$x/a", "$SYS/a", "a/+", "ü", "a//b", "c"];
    one_of(source, &TOPICS).map(Text::from_static)
}

pub fn filter(source: &mut Source<'_>) -> Result<Text> {
    const FILTERS: [&str; 16] = [
        "#",
        "a/#",
        "+/b",
        "a",
        "a/b",
        "b",
        "/",
        "+",
        "$SYS/#",
        "$share/g/a/#",
        "$share/g/#",
        "$share/h/a",
        "$share/g/$SYS/#",
        "a/#/b",
        "$x/+",
        "+/+/+",
    ];
    one_of(source, &FILTERS).map(Text::from_static)
}

pub fn qos(source: &mut Source<'_>) -> Result<QoS> {
    one_of(source, &[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

/// Mostly one of the first, which are likely to be in use.
fn packet_id(source: &mut Source<'_>) -> Result<PacketId> {
    let value = one_of(source, &[1, 2, 3, 4, 5, 6, 7, u16::MAX])?;
    Ok(PacketId::new(value).expect("not 0"))
}

pub fn reason(source: &mut Source<'_>) -> Result<ReasonCode> {
    Ok(ReasonCode::from_u8(source.arbitrary()?).unwrap_or(ReasonCode::Success))
}

fn seconds(source: &mut Source<'_>) -> Result<u32> {
    one_of(source, &[0, 1, 2, 10, 100, u32::MAX])
}

fn small(source: &mut Source<'_>) -> Result<NonZeroU16> {
    one_of(source, &[1, 2, 3, 10]).map(|value| NonZeroU16::new(value).expect("not 0"))
}

fn size(source: &mut Source<'_>) -> Result<NonZeroU32> {
    one_of(source, &[1, 10, 30, 60, 150, 400]).map(|value| NonZeroU32::new(value).expect("not 0"))
}

fn identifier(source: &mut Source<'_>) -> Result<NonZeroU32> {
    one_of(source, &[1, 2, 200, 268_435_455]).map(|value| NonZeroU32::new(value).expect("not 0"))
}

fn method(source: &mut Source<'_>) -> Result<Text> {
    one_of(source, &["m", "m", "n"]).map(Text::from_static)
}

pub fn text(source: &mut Source<'_>) -> Result<Text> {
    one_of(source, &["x", "", "yz", "a longer text that makes a packet larger than it may be"]).map(Text::from_static)
}

pub fn binary(source: &mut Source<'_>) -> Result<Binary> {
    payload(source).map(|bytes| Binary::new(bytes).expect("short"))
}

fn payload(source: &mut Source<'_>) -> Result<Bytes> {
    let length = one_of(source, &[1, 0, 8, 40, 200])?;
    Ok(Bytes::from_static(&[b'p'; 200]).slice(..length))
}

fn user_properties(source: &mut Source<'_>) -> Result<UserProperties> {
    let count = one_of(source, &[0, 0, 0, 1, 2])?;
    (0..count).map(|_| Ok((text(source)?, text(source)?))).collect()
}
