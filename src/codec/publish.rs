//! PUBLISH (3.3).
use super::{
    Binary, DecodeError, PacketId, PacketTooLarge, ProtocolVersion, QoS, ReasonCode, Text, UserProperties,
    frame::{Header, PacketType},
    property::{Properties, ResponseTopic, SubscriptionIdentifier, properties},
    wire::{Field, Reader, Sink},
};
use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};
use core::num::{NonZeroU16, NonZeroU32};

/// An Application Message on its way between client and server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// DUP: an earlier attempt may have been made.
    pub dup: bool,
    /// Quality of Service.
    pub qos: QoS,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name; empty only beside a Topic Alias. Whether it is a valid name is for [`crate::topic`] to say.
    pub topic: Text,
    /// Packet Identifier: present exactly when QoS > 0; the encoder writes none at QoS 0. [MQTT-2.2.1-2]
    pub packet_id: Option<PacketId>,
    /// PUBLISH Properties.
    pub properties: PublishProperties,
    /// Payload.
    pub payload: Bytes,
}

/// PUBLISH Properties (3.3.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishProperties {
    /// Payload Format Indicator: true is UTF-8.
    pub payload_format_indicator: Option<bool>,
    /// Message Expiry Interval in seconds; absent is never.
    pub message_expiry_interval: Option<u32>,
    /// Topic Alias, never 0. [MQTT-3.3.2-8]
    pub topic_alias: Option<NonZeroU16>,
    /// Response Topic.
    pub response_topic: Option<Text>,
    /// Correlation Data.
    pub correlation_data: Option<Binary>,
    /// User Properties.
    pub user_properties: UserProperties,
    /// Subscription Identifiers, 1 to 268,435,455; several only from the server.
    pub subscription_identifiers: Vec<NonZeroU32>,
    /// Content Type.
    pub content_type: Option<Text>,
}

properties!(PublishProperties {
    0x01 payload_format_indicator: bool,
    0x02 message_expiry_interval: u32,
    0x23 topic_alias: TopicAlias,
    0x08 response_topic: ResponseTopic,
    0x09 correlation_data: Binary,
    0x26 user_properties: (Text, Text),
    0x0B subscription_identifiers: SubscriptionIdentifier,
    0x03 content_type: Text,
});

/// Topic Alias: 0 has a Reason Code of its own.
struct TopicAlias;

impl Field for TopicAlias {
    type Value = NonZeroU16;

    fn read(reader: &mut Reader) -> Result<NonZeroU16, DecodeError> {
        // [MQTT-3.3.2-8]
        let zero = DecodeError::new(ReasonCode::TopicAliasInvalid, "Topic Alias is 0");
        NonZeroU16::new(reader.read::<u16>()?).ok_or(zero)
    }

    fn write(value: &NonZeroU16, sink: &mut Sink<'_>) {
        sink.write::<NonZeroU16>(value);
    }
}

/// The lower half of a PUBLISH's first byte.
pub(super) struct Flags {
    dup: bool,
    qos: QoS,
    retain: bool,
}

impl Flags {
    pub fn from_u8(flags: u8) -> Result<Self, DecodeError> {
        let (dup, retain) = (flags & 0b1000 != 0, flags & 0b0001 != 0);
        // [MQTT-3.3.1-4]
        let qos = QoS::from_u8((flags >> 1) & 3).ok_or(DecodeError::malformed("QoS is 3"))?;
        // [MQTT-3.3.1-2]
        if dup && qos == QoS::AtMostOnce {
            return Err(DecodeError::malformed("DUP is set at QoS 0"));
        }
        Ok(Self { dup, qos, retain })
    }
}

impl Publish {
    /// Decodes what follows the fixed header.
    pub(super) fn decode(flags: u8, reader: &mut Reader, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let Flags { dup, qos, retain } = Flags::from_u8(flags)?;
        let topic = reader.read::<Text>()?;
        // [MQTT-2.2.1-2]
        let packet_id = (qos > QoS::AtMostOnce).then(|| reader.read::<PacketId>()).transpose()?;
        let properties = PublishProperties::decode(reader, version)?;
        if topic.is_empty() && properties.topic_alias.is_none() {
            return Err(match version {
                ProtocolVersion::V5 => DecodeError::protocol("neither Topic Name nor Topic Alias"),
                // [3.1.1 MQTT-4.7.3-1]
                ProtocolVersion::V3_1_1 => DecodeError::malformed("Topic Name is empty"),
            });
        }
        Ok(Self { dup, qos, retain, topic, packet_id, properties, payload: reader.rest() })
    }

    /// Appends everything that comes before the payload to `out`, so that many receivers can share one payload.
    /// The fixed header's length counts the payload, which must follow unchanged.
    ///
    /// # Errors
    /// When the packet would be longer than [`super::MAXIMUM_PACKET_SIZE`]; nothing is written then.
    pub fn encode_head(&self, version: ProtocolVersion, out: &mut BytesMut) -> Result<(), PacketTooLarge> {
        self.head().encode(version, out)
    }

    /// The packet's length in bytes once encoded, fixed header included.
    #[cfg(feature = "client")]
    pub(crate) fn size(&self, version: ProtocolVersion) -> usize {
        self.head().size(version)
    }

    /// Puts another Packet Identifier into what [`Publish::encode_head`] wrote for a message of QoS 1 or 2.
    pub fn renumber_head(head: &mut [u8], packet_id: PacketId) {
        let length_ends = head.iter().skip(1).position(|byte| *byte < 0x80).map(|index| index + 2);
        let after_header = length_ends.and_then(|index| head.get_mut(index..));
        if let Some([high, low, rest @ ..]) = after_header
            && let Some(packet_id_on_wire) = rest.get_mut(usize::from(u16::from_be_bytes([*high, *low]))..)
            && let Some(place) = packet_id_on_wire.first_chunk_mut()
        {
            *place = packet_id.value().to_be_bytes();
        }
    }

    /// Writes what follows the fixed header.
    pub(super) fn encode(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        self.head().write(version, sink);
        sink.put(&self.payload);
    }

    /// The lower half of the first byte.
    pub(super) fn flags(&self) -> u8 {
        self.head().flags()
    }

    pub(crate) fn head(&self) -> PublishHead<'_> {
        let Self { dup, qos, retain, packet_id, .. } = *self;
        let (topic, properties, payload_length) = (&self.topic, Some(&self.properties), self.payload.len());
        PublishHead { dup, qos, retain, topic, packet_id, properties, payload_length }
    }
}

/// A [`Publish`] without its payload, of parts that lie anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublishHead<'a> {
    pub dup: bool,
    pub qos: QoS,
    pub retain: bool,
    pub topic: &'a Text,
    pub packet_id: Option<PacketId>,
    pub properties: Option<&'a PublishProperties>,
    pub payload_length: usize,
}

impl PublishHead<'_> {
    /// The length in bytes of the whole packet.
    #[cfg(feature = "client")]
    pub fn size(&self, version: ProtocolVersion) -> usize {
        self.header(version).0.size
    }

    /// Appends it to `out`.
    pub fn encode(&self, version: ProtocolVersion, out: &mut BytesMut) -> Result<(), PacketTooLarge> {
        let (header, length) = self.header(version);
        header.encode(length, out)?;
        self.write(version, &mut Sink::to(out));
        Ok(())
    }

    /// The whole packet.
    #[cfg(feature = "client")]
    pub fn packet(&self, version: ProtocolVersion, payload: &[u8]) -> Result<BytesMut, PacketTooLarge> {
        let (header, length) = self.header(version);
        let mut out = BytesMut::new();
        header.encode(length.saturating_add(payload.len()), &mut out)?;
        self.write(version, &mut Sink::to(&mut out));
        out.extend_from_slice(payload);
        Ok(out)
    }

    /// With the bytes between it and the payload.
    fn header(&self, version: ProtocolVersion) -> (Header, usize) {
        let length = Sink::count(|sink| self.write(version, sink));
        (Header::new(PacketType::Publish, self.flags(), length.saturating_add(self.payload_length)), length)
    }

    /// The lower half of the first byte. [MQTT-3.3.1-2] no DUP at QoS 0
    fn flags(&self) -> u8 {
        let dup = self.dup && self.qos > QoS::AtMostOnce;
        u8::from(dup) << 3 | (self.qos as u8) << 1 | u8::from(self.retain)
    }

    /// Writes what follows the fixed header.
    fn write(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        sink.write::<Text>(self.topic);
        if self.qos > QoS::AtMostOnce {
            // A missing identifier is the caller's fault; the 0 makes the receiver refuse it instead of misreading it.
            sink.write::<u16>(&self.packet_id.map_or(0, PacketId::value));
        }
        match self.properties {
            Some(properties) => properties.encode(version, sink),
            // [MQTT-2.2.2-1]
            None if version == ProtocolVersion::V5 => sink.write::<u8>(&0),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Packet;

    #[test]
    fn a_head_and_its_payload_are_the_packet() {
        for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
            for payload in [0, 100, 130, 20_000] {
                let publish = Publish {
                    dup: true,
                    qos: QoS::AtLeastOnce,
                    topic: Text::from_static("a/b"),
                    packet_id: Some(PacketId::FIRST),
                    payload: Bytes::from(alloc::vec![7; payload]),
                    ..Publish::default()
                };
                let (mut shared, mut whole) = (BytesMut::new(), BytesMut::new());
                publish.encode_head(version, &mut shared).unwrap();
                shared.extend_from_slice(&publish.payload);
                Packet::Publish(publish).encode(version, &mut whole).unwrap();
                assert_eq!(shared, whole);
            }
        }
    }

    #[test]
    fn a_head_with_another_packet_identifier_is_that_of_the_message_with_it() {
        let last = PacketId::LAST;
        for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
            for (topic, payload) in [("a", 0), ("a/b", 130), ("a/b/c", 20_000)] {
                let payload = Bytes::from(alloc::vec![7; payload]);
                let topic = Text::from_static(topic);
                let first = Publish { qos: QoS::ExactlyOnce, topic, payload, ..Publish::default() };
                let first = Publish { packet_id: Some(PacketId::FIRST), ..first };
                let (mut head, mut expected) = (BytesMut::new(), BytesMut::new());
                first.encode_head(version, &mut head).unwrap();
                Publish::renumber_head(&mut head, last);
                Publish { packet_id: Some(last), ..first }.encode_head(version, &mut expected).unwrap();
                assert_eq!(head, expected);
            }
        }
    }

    #[test]
    fn qos_0_has_neither_dup_nor_packet_identifier() {
        let publish = Publish {
            dup: true,
            topic: Text::from_static("a"),
            packet_id: Some(PacketId::FIRST),
            ..Publish::default()
        };
        let mut bytes = BytesMut::new();
        publish.encode_head(ProtocolVersion::V3_1_1, &mut bytes).unwrap();
        assert_eq!(bytes, b"\x30\x03\x00\x01a"[..]);
    }

    #[test]
    fn topic_and_payload_are_slices_of_the_frame() {
        let frame = Bytes::from_static(b"\x30\x08\x00\x03a/bxyz");
        let Packet::Publish(publish) = Packet::decode(frame.clone(), ProtocolVersion::V3_1_1).unwrap() else {
            panic!("a PUBLISH")
        };
        assert_eq!(publish.topic.as_bytes().as_ptr(), frame[4..].as_ptr());
        assert_eq!(publish.payload.as_ptr(), frame[7..].as_ptr());
    }
}
