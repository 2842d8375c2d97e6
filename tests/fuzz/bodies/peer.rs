//! One side of a Network Connection as a stranger sees it, who hears both: nothing is sent that the standard forbids.

use bytes::Bytes;
use mqlite::codec::{Connect, Framer, MAXIMUM_PACKET_SIZE, Packet, PacketId, ProtocolVersion, Publish, QoS, Text};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU16,
};

/// What the one under test may send to its peer, by what the peer has sent.
#[derive(Default)]
pub struct Peer {
    /// Absent until both know which it is.
    pub version: Option<ProtocolVersion>,
    pub is_closed: bool,
    pub receive_maximum: usize,
    pub maximum_packet_size: usize,
    pub topic_alias_maximum: u16,
    aliases: BTreeMap<NonZeroU16, Text>,
    /// What the one under test has begun and the peer not finished acknowledging.
    exchanges: BTreeSet<PacketId>,
    /// How many answers to packets of the peer may still come.
    owed: BTreeMap<Answer, usize>,
}

/// An answer's packet type, and its Packet Identifier.
type Answer = (&'static str, Option<PacketId>);

impl Peer {
    pub fn new() -> Self {
        Self { receive_maximum: 65_535, maximum_packet_size: MAXIMUM_PACKET_SIZE as usize, ..Self::default() }
    }

    /// The limits that a CONNECT sets.
    pub fn connects(&mut self, connect: &Connect) {
        self.version = Some(connect.version);
        if connect.version == ProtocolVersion::V5 {
            let properties = &connect.properties;
            self.limit(
                properties.receive_maximum,
                properties.maximum_packet_size.map(u32::from),
                properties.topic_alias_maximum,
            );
        }
    }

    pub fn limit(&mut self, receive_maximum: Option<NonZeroU16>, packet_size: Option<u32>, aliases: Option<u16>) {
        self.receive_maximum = receive_maximum.map_or(65_535, |maximum| maximum.get().into());
        self.maximum_packet_size = packet_size.unwrap_or(MAXIMUM_PACKET_SIZE) as usize;
        self.topic_alias_maximum = aliases.unwrap_or(0);
    }

    /// The peer sends a packet, which may end exchanges and wants an answer.
    pub fn sends(&mut self, packet: &Packet) {
        let ended = match packet {
            Packet::PubAck(ack) | Packet::PubComp(ack) => Some(ack.packet_id),
            Packet::PubRec(ack) => Some(ack.packet_id).filter(|_| ack.reason.is_failure()),
            _ => None,
        };
        if let Some(id) = ended {
            self.exchanges.remove(&id);
        }
        let answer = match packet {
            Packet::Publish(publish) if publish.qos == QoS::AtLeastOnce => ("PUBACK", publish.packet_id),
            Packet::Publish(publish) if publish.qos == QoS::ExactlyOnce => ("PUBREC", publish.packet_id),
            Packet::PubRel(ack) => ("PUBCOMP", Some(ack.packet_id)),
            Packet::Subscribe(subscribe) => ("SUBACK", Some(subscribe.packet_id)),
            Packet::Unsubscribe(unsubscribe) => ("UNSUBACK", Some(unsubscribe.packet_id)),
            Packet::PingReq => ("PINGRESP", None),
            _ => return,
        };
        *self.owed.entry(answer).or_default() += 1;
    }

    /// Bytes come for the peer: one whole packet that it can read, and that may come now. A topic stands in place of its alias.
    pub fn hears(&mut self, bytes: &Bytes) -> Packet {
        assert!(!self.is_closed, "nothing is sent after Close");
        assert!(bytes.len() <= self.maximum_packet_size, "[MQTT-3.1.2-24] [MQTT-3.2.2-15]");
        let mut framer = Framer::new(MAXIMUM_PACKET_SIZE);
        framer.push(bytes.clone());
        assert_eq!(framer.next(), Ok(Some(bytes.clone())), "what is sent is one packet");
        // The answer to a CONNECT that cannot be read may be of either version.
        let versions = self.version.map_or(vec![ProtocolVersion::V5, ProtocolVersion::V3_1_1], |version| vec![version]);
        let mut decoded = versions.into_iter().map(|version| Packet::decode(bytes.clone(), version));
        let mut packet = decoded.find_map(Result::ok).expect("a packet that the peer can read");
        match &mut packet {
            Packet::Publish(publish) => publish.topic = self.hears_publish(publish),
            Packet::PubAck(ack) => self.is_owed(("PUBACK", Some(ack.packet_id))),
            Packet::PubRec(ack) => self.is_owed(("PUBREC", Some(ack.packet_id))),
            Packet::PubComp(ack) => self.is_owed(("PUBCOMP", Some(ack.packet_id))),
            Packet::SubAck(suback) => self.is_owed(("SUBACK", Some(suback.packet_id))),
            Packet::UnsubAck(unsuback) => self.is_owed(("UNSUBACK", Some(unsuback.packet_id))),
            Packet::PingResp => self.is_owed(("PINGRESP", None)),
            _ => {}
        }
        packet
    }

    /// The identifiers of messages that were begun and are not finished.
    pub fn exchanges(&self) -> Vec<PacketId> {
        self.exchanges.iter().copied().collect()
    }

    fn is_owed(&mut self, answer: Answer) {
        let owed = self.owed.get_mut(&answer).filter(|owed| **owed > 0);
        *owed.unwrap_or_else(|| panic!("{answer:?} answers nothing")) -= 1;
    }

    fn hears_publish(&mut self, publish: &Publish) -> Text {
        let topic = match publish.properties.topic_alias {
            None => publish.topic.clone(),
            Some(alias) => {
                assert!(alias.get() <= self.topic_alias_maximum, "[MQTT-3.1.2-26] [MQTT-3.2.2-17]");
                if !publish.topic.is_empty() {
                    self.aliases.insert(alias, publish.topic.clone());
                }
                self.aliases.get(&alias).cloned().expect("an alias that was set")
            }
        };
        assert!(!topic.is_empty() && !topic.as_str().contains(['+', '#']), "[MQTT-3.3.2-2]");
        if let Some(id) = publish.packet_id {
            assert!(self.exchanges.insert(id), "[MQTT-2.2.1-3] [MQTT-2.2.1-4] {id:?}");
            assert!(self.exchanges.len() <= self.receive_maximum, "[MQTT-3.3.4-7] [MQTT-3.3.4-9]");
        }
        topic
    }
}
