//! MQTT packets as values and as bytes, for 3.1.1 and 5.0.
//! Knows nothing of sessions, of what topics mean or of who is speaking.
//!
//! The model is MQTT 5; 3.1.1 is a projection of it at decode and encode.
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use mqlite::codec::{Framer, Packet, ProtocolVersion, Publish, Text};
//!
//! let publish = Publish { topic: Text::from_static("tide/low"), payload: Bytes::from("06:12"), ..Publish::default() };
//! let packet = Packet::Publish(publish);
//! let mut bytes = BytesMut::new();
//! packet.encode(ProtocolVersion::V5, &mut bytes)?;
//!
//! let mut framer = Framer::new(1024);
//! framer.push(bytes.freeze());
//! let frame = framer.next()?.expect("the packet is whole");
//! assert_eq!(Packet::decode(frame, ProtocolVersion::V5)?, packet);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod ack;
mod connack;
mod connect;
mod disconnect;
mod error;
mod field;
mod frame;
pub(crate) mod property;
pub(crate) mod publish;
mod reason;
#[cfg(feature = "serde")]
mod serde;
mod subscribe;
mod unsubscribe;
pub(crate) mod wire;

pub use ack::{Ack, AckProperties};
pub use connack::{ConnAck, ConnAckProperties};
pub use connect::{Connect, ConnectProperties, ProtocolVersion, Will, WillProperties};
pub use disconnect::{Auth, AuthProperties, Disconnect, DisconnectProperties};
pub use error::{DecodeError, PacketTooLarge};
pub use field::{Binary, InvalidField, PacketId, QoS, Text};
pub use frame::{Framer, MAXIMUM_PACKET_SIZE};
pub use property::UserProperties;
pub use publish::{Publish, PublishProperties};
pub use reason::ReasonCode;
pub use subscribe::{RetainHandling, SubAck, Subscribe, SubscribeFilter, SubscribeProperties, SubscriptionOptions};
pub use unsubscribe::{UnsubAck, Unsubscribe};

use alloc::boxed::Box;
use bytes::{Bytes, BytesMut};
use frame::{Header, PacketType};
use wire::{Reader, Sink};

/// One MQTT Control Packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A client opens its session.
    Connect(Box<Connect>),
    /// The server answers a CONNECT.
    ConnAck(Box<ConnAck>),
    /// An Application Message on its way.
    Publish(Publish),
    /// A QoS 1 message was accepted.
    PubAck(Ack),
    /// A QoS 2 message was accepted (part 1).
    PubRec(Ack),
    /// A QoS 2 message may be forgotten by its receiver (part 2).
    PubRel(Ack),
    /// A QoS 2 message is complete (part 3).
    PubComp(Ack),
    /// A client asks for messages.
    Subscribe(Subscribe),
    /// The server answers a SUBSCRIBE.
    SubAck(SubAck),
    /// A client no longer asks for messages.
    Unsubscribe(Unsubscribe),
    /// The server answers an UNSUBSCRIBE.
    UnsubAck(UnsubAck),
    /// Is anybody there?
    PingReq,
    /// Somebody is.
    PingResp,
    /// The last packet of a connection.
    Disconnect(Disconnect),
    /// A step of enhanced authentication (MQTT 5 only).
    Auth(Auth),
}

impl Packet {
    /// Decodes one whole packet, fixed header included, as [`Framer::next`] returns it. A CONNECT names its own
    /// version; every other packet is read as `version`. Topic, payload and other fields are slices of `frame`.
    ///
    /// # Errors
    /// When the bytes break a rule of the standard; the error knows the Reason Code to answer with. With the feature `client`
    /// alone a CONNECT, SUBSCRIBE or UNSUBSCRIBE is always an error, as it is to a client.
    pub fn decode(frame: Bytes, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let header = Header::parse(&frame)?
            .filter(|header| header.size == frame.len())
            .ok_or(DecodeError::malformed("the frame is not one whole packet"))?;
        let mut reader = Reader::new(frame.slice(header.length..));
        let packet = match header.packet_type {
            PacketType::Connect | PacketType::Subscribe | PacketType::Unsubscribe if !READS_CLIENTS => {
                return Err(NOT_READ);
            }
            PacketType::Connect => Self::Connect(Box::new(Connect::decode(&mut reader)?)),
            PacketType::ConnAck => Self::ConnAck(Box::new(ConnAck::decode(&mut reader, version)?)),
            PacketType::Publish => Self::Publish(Publish::decode(header.flags, &mut reader, version)?),
            PacketType::PubAck => Self::PubAck(Ack::decode(&mut reader, version, ack::RECEIVED)?),
            PacketType::PubRec => Self::PubRec(Ack::decode(&mut reader, version, ack::RECEIVED)?),
            PacketType::PubRel => Self::PubRel(Ack::decode(&mut reader, version, ack::RELEASED)?),
            PacketType::PubComp => Self::PubComp(Ack::decode(&mut reader, version, ack::RELEASED)?),
            PacketType::Subscribe => Self::Subscribe(Subscribe::decode(&mut reader, version)?),
            PacketType::SubAck => Self::SubAck(SubAck::decode(&mut reader, version)?),
            PacketType::Unsubscribe => Self::Unsubscribe(Unsubscribe::decode(&mut reader, version)?),
            PacketType::UnsubAck => Self::UnsubAck(UnsubAck::decode(&mut reader, version)?),
            PacketType::PingReq => Self::PingReq,
            PacketType::PingResp => Self::PingResp,
            PacketType::Disconnect => Self::Disconnect(Disconnect::decode(&mut reader, version)?),
            PacketType::Auth => Self::Auth(Auth::decode(&mut reader, version)?),
        };
        reader.end()?;
        Ok(packet)
    }

    /// Appends the packet's bytes to `out`. What 3.1.1 cannot say (properties, most Reason Codes, the whole of AUTH) is
    /// left out there. A CONNECT is written in its own version.
    ///
    /// # Errors
    /// When the packet would be longer than [`MAXIMUM_PACKET_SIZE`]; nothing is written then.
    pub fn encode(&self, version: ProtocolVersion, out: &mut BytesMut) -> Result<(), PacketTooLarge> {
        if !self.exists_in(version) {
            return Ok(());
        }
        if let Self::PubAck(ack) | Self::PubRec(ack) | Self::PubRel(ack) | Self::PubComp(ack) = self
            && ack.is_plain()
        {
            let packet_type = self.packet_type();
            let [high, low] = ack.packet_id.value().to_be_bytes();
            out.extend_from_slice(&[(packet_type as u8) << 4 | packet_type.flags(), 2, high, low]);
            return Ok(());
        }
        let header = self.header(version);
        header.encode(header.size - header.length, out)?;
        self.encode_content(version, &mut Sink::to(out));
        Ok(())
    }

    /// The packet's length in bytes once encoded, fixed header included.
    pub fn size(&self, version: ProtocolVersion) -> usize {
        if self.exists_in(version) { self.header(version).size } else { 0 }
    }

    fn exists_in(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::V5 || !matches!(self, Self::Auth(_))
    }

    fn header(&self, version: ProtocolVersion) -> Header {
        let remaining = Sink::count(|sink| self.encode_content(version, sink));
        Header::new(self.packet_type(), self.flags(), remaining)
    }

    /// Writes what follows the fixed header.
    fn encode_content(&self, version: ProtocolVersion, sink: &mut Sink<'_>) {
        match self {
            Self::Connect(connect) => connect.encode(sink),
            Self::ConnAck(connack) => connack.encode(version, sink),
            Self::Publish(publish) => publish.encode(version, sink),
            Self::PubAck(ack) | Self::PubRec(ack) | Self::PubRel(ack) | Self::PubComp(ack) => ack.encode(version, sink),
            Self::Subscribe(subscribe) => subscribe.encode(version, sink),
            Self::SubAck(suback) => suback.encode(version, sink),
            Self::Unsubscribe(unsubscribe) => unsubscribe.encode(version, sink),
            Self::UnsubAck(unsuback) => unsuback.encode(version, sink),
            Self::PingReq | Self::PingResp => {}
            Self::Disconnect(disconnect) => disconnect.encode(version, sink),
            Self::Auth(auth) => auth.encode(version, sink),
        }
    }

    /// The lower half of the first byte.
    fn flags(&self) -> u8 {
        match self {
            Self::Publish(publish) => publish.flags(),
            packet => packet.packet_type().flags(),
        }
    }

    const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}

/// Whether there is anybody to read what only clients send: a client alone is a twentieth smaller without that code.
const READS_CLIENTS: bool = cfg!(any(feature = "broker", not(feature = "client"), test));
const NOT_READ: DecodeError = DecodeError::protocol("the packet is one that only clients send");
