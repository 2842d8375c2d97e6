//! The codec's laws, over arbitrary packets and arbitrary bytes.
#![cfg(not(target_arch = "wasm32"))]

#[path = "codec/arbitrary.rs"]
mod arbitrary;

use arbitrary::packet;
use bytes::{Bytes, BytesMut};
use mqlite::codec::*;
use proptest::{collection::vec, prelude::*, sample::Index};

use ProtocolVersion::{V3_1_1, V5};

proptest! {
    #[test]
    fn an_encoded_packet_decodes_to_itself(packet in packet()) {
        prop_assert_eq!(Packet::decode(encode(&packet, V5), V5), Ok(packet));
    }

    #[test]
    fn in_3_1_1_a_packet_decodes_to_what_3_1_1_can_say_of_it(packet in packet()) {
        let bytes = encode(&with_version(packet.clone(), V3_1_1), V3_1_1);
        match in_3_1_1(packet.clone()) {
            Some(expected) => prop_assert_eq!(Packet::decode(bytes, V3_1_1), Ok(expected)),
            None if matches!(packet, Packet::Auth(_)) => prop_assert!(bytes.is_empty()),
            None => prop_assert_eq!(reason_of(Packet::decode(bytes, V3_1_1)), ReasonCode::MalformedPacket),
        }
    }

    #[test]
    fn the_predicted_size_is_the_real_size(packet in packet()) {
        for version in [V3_1_1, V5] {
            let packet = with_version(packet.clone(), version);
            prop_assert_eq!(packet.size(version), encode(&packet, version).len());
        }
    }

    #[test]
    fn a_strict_prefix_of_a_packet_is_incomplete(packet in packet(), at: Index) {
        let bytes = encode(&packet, V5);
        let prefix = bytes.slice(..at.index(bytes.len()));
        let mut framer = Framer::new(bytes.len() as u32);
        framer.push(prefix.clone());
        prop_assert_eq!(framer.next(), Ok(None));
        prop_assert_eq!(framer.partial(), &prefix);

        framer.push(bytes.slice(prefix.len()..));
        prop_assert_eq!(framer.next(), Ok(Some(bytes)));
    }

    #[test]
    fn any_chunking_gives_the_same_packets(
        packets in vec(packet(), 1..6),
        cuts in vec(any::<Index>(), 0..12),
        push_all_first: bool,
    ) {
        let frames: Vec<Bytes> = packets.iter().map(|packet| encode(packet, V5)).collect();
        let stream = Bytes::from(frames.concat());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();

        let mut framer = Framer::new(MAXIMUM_PACKET_SIZE);
        let mut cut_frames = Vec::new();
        for chunk in cuts.windows(2) {
            framer.push(stream.slice(chunk[0]..chunk[1]));
            while !push_all_first && let Some(frame) = framer.next().unwrap() {
                cut_frames.push(frame);
            }
        }
        while let Some(frame) = framer.next().unwrap() {
            cut_frames.push(frame);
        }
        prop_assert_eq!(cut_frames, frames);
        prop_assert!(framer.partial().is_empty());
    }

    #[test]
    fn a_packet_that_lost_its_end_is_refused(packet in packet().prop_filter("has an end", has_an_end), at: Index) {
        let bytes = encode(&packet, V5);
        let header = 2 + bytes[1..].iter().position(|byte| byte & 0x80 == 0).unwrap();
        let remaining = at.index(bytes.len() - header);
        let mut short = vec![bytes[0]];
        match remaining {
            0..128 => short.push(remaining as u8),
            _ => short.extend([remaining as u8 | 0x80, (remaining >> 7) as u8]),
        }
        short.extend_from_slice(&bytes[header..header + remaining]);
        if let Ok(short_form) = Packet::decode(short.into(), V5) {
            // Only the forms that leave out a Reason Code or empty properties are packets as well.
            prop_assert!(remaining <= 3, "{short_form:?}");
        }
    }

    #[test]
    fn a_packet_with_a_byte_changed_never_panics(packet in packet(), at: Index, byte: u8) {
        for version in [V3_1_1, V5] {
            let mut bytes = encode(&with_version(packet.clone(), version), version).to_vec();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                decodes_to_a_packet_that_survives(bytes.into(), version)?;
            }
        }
    }

    #[test]
    fn random_content_never_panics(packet_type in 1..16u8, flags in 0..16u8, content in vec(any::<u8>(), 0..100)) {
        let mut bytes = vec![packet_type << 4 | flags, content.len() as u8];
        bytes.extend_from_slice(&content);
        for version in [V3_1_1, V5] {
            decodes_to_a_packet_that_survives(bytes.clone().into(), version)?;
        }
    }

    #[test]
    fn random_streams_never_panic(chunks in vec(vec(any::<u8>(), 0..20), 0..10)) {
        let mut framer = Framer::new(100);
        for chunk in chunks {
            framer.push(chunk.into());
            while let Ok(Some(frame)) = framer.next() {
                prop_assert!(frame.len() <= 100);
                _ = Packet::decode(frame, V5);
            }
        }
    }
}

#[test]
fn a_packet_beyond_the_largest_size_is_not_written() {
    let text = Text::try_from("a".repeat(65_535)).unwrap();
    let user_properties: UserProperties = vec![(text.clone(), text); 2048];
    let properties = DisconnectProperties { user_properties, ..DisconnectProperties::default() };
    let disconnect = Packet::Disconnect(Disconnect { reason: ReasonCode::Success, properties });
    let mut out = BytesMut::from("before");
    assert_eq!(disconnect.encode(V5, &mut out), Err(PacketTooLarge));
    assert_eq!(out, "before");
    assert!(disconnect.size(V5) > MAXIMUM_PACKET_SIZE as usize);
    assert_eq!(disconnect.size(V3_1_1), 2);
}

#[test]
fn the_largest_packet_is_written_and_one_byte_more_is_not() {
    let largest = MAXIMUM_PACKET_SIZE as usize - 8;
    let payload = Bytes::from(vec![0; largest + 1]);
    for (length, expected) in [(largest, Ok(())), (largest + 1, Err(PacketTooLarge))] {
        let publish = Publish { topic: Text::from_static("a"), payload: payload.slice(..length), ..Publish::default() };
        let mut head = BytesMut::new();
        assert_eq!(publish.encode_head(V3_1_1, &mut head), expected);
        assert_eq!(head.len(), if expected.is_ok() { 8 } else { 0 });
    }
}

#[test]
fn a_frame_that_is_not_one_whole_packet_is_malformed() {
    for bytes in [&b""[..], b"\xC0", b"\xC0\x00\xC0\x00", b"\x40\x02\x00", b"\x30\x04\x00\x01a\x00!"] {
        assert_eq!(reason_of(Packet::decode(Bytes::from_static(bytes), V5)), ReasonCode::MalformedPacket);
    }
}

#[test]
fn a_password_is_not_shown_in_debug_output() {
    let password = Binary::try_from(b"secret".to_vec()).unwrap();
    assert_eq!(format!("{password:?}"), "Binary(6 bytes)");
}

/// Whether the packet has content that cannot be cut short: a payload may end anywhere, a list between two entries.
fn has_an_end(packet: &Packet) -> bool {
    let open_ended = matches!(
        packet,
        Packet::Publish(_) | Packet::Subscribe(_) | Packet::SubAck(_) | Packet::Unsubscribe(_) | Packet::UnsubAck(_)
    );
    !open_ended && packet.size(V5) > 2
}

/// Whatever bytes were taken for a packet, the packet says all that was in them: it comes back from its own bytes.
fn decodes_to_a_packet_that_survives(bytes: Bytes, version: ProtocolVersion) -> Result<(), TestCaseError> {
    if let Ok(packet) = Packet::decode(bytes, version) {
        let again = encode(&packet, version);
        prop_assert_eq!(again.len(), packet.size(version));
        prop_assert_eq!(Packet::decode(again, version), Ok(packet));
    }
    Ok(())
}

/// A CONNECT names its own version.
fn with_version(packet: Packet, version: ProtocolVersion) -> Packet {
    match packet {
        Packet::Connect(mut connect) => {
            connect.version = version;
            Packet::Connect(connect)
        }
        packet => packet,
    }
}

fn encode(packet: &Packet, version: ProtocolVersion) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).expect("small enough");
    bytes.freeze()
}

fn reason_of(result: Result<Packet, DecodeError>) -> ReasonCode {
    result.expect_err("not a packet").reason
}

/// What 3.1.1 can say of `packet`, or nothing when it has no such packet.
fn in_3_1_1(packet: Packet) -> Option<Packet> {
    Some(match packet {
        Packet::Connect(mut connect) => {
            connect.version = V3_1_1;
            connect.properties = ConnectProperties::default();
            connect.password = connect.password.filter(|_| connect.user_name.is_some());
            connect.will = connect.will.map(|will| Will { properties: WillProperties::default(), ..will });
            Packet::Connect(connect)
        }
        Packet::ConnAck(connack) => Packet::ConnAck(Box::new(ConnAck {
            reason: match connack.reason.value() {
                0 | 0x84..=0x88 => connack.reason,
                0x8A | 0x8C | 0x90 | 0x99..=0x9B => ReasonCode::NotAuthorized,
                _ => ReasonCode::ServerUnavailable,
            },
            properties: ConnAckProperties::default(),
            ..*connack
        })),
        Packet::Publish(publish) if publish.topic.is_empty() => return None,
        Packet::Publish(publish) => Packet::Publish(Publish { properties: PublishProperties::default(), ..publish }),
        Packet::PubAck(ack) => Packet::PubAck(ack.packet_id.into()),
        Packet::PubRec(ack) => Packet::PubRec(ack.packet_id.into()),
        Packet::PubRel(ack) => Packet::PubRel(ack.packet_id.into()),
        Packet::PubComp(ack) => Packet::PubComp(ack.packet_id.into()),
        Packet::Subscribe(mut subscribe) => {
            subscribe.properties = SubscribeProperties::default();
            for SubscribeFilter { options, .. } in &mut subscribe.filters {
                *options = SubscriptionOptions { qos: options.qos, ..SubscriptionOptions::default() };
            }
            Packet::Subscribe(subscribe)
        }
        Packet::SubAck(mut suback) => {
            suback.properties = AckProperties::default();
            for reason in suback.reasons.iter_mut().filter(|reason| reason.is_failure()) {
                *reason = ReasonCode::UnspecifiedError;
            }
            Packet::SubAck(suback)
        }
        Packet::Unsubscribe(unsubscribe) => {
            Packet::Unsubscribe(Unsubscribe { user_properties: Vec::new(), ..unsubscribe })
        }
        Packet::UnsubAck(UnsubAck { packet_id, .. }) => {
            Packet::UnsubAck(UnsubAck { packet_id, properties: AckProperties::default(), reasons: Vec::new() })
        }
        Packet::PingReq | Packet::PingResp => packet,
        Packet::Disconnect(_) => Packet::Disconnect(ReasonCode::Success.into()),
        Packet::Auth(_) => return None,
    })
}
