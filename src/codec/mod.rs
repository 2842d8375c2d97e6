//! MQTT packets as values and as bytes, for 3.1.1 and 5.0. Knows nothing of sessions, topics' meaning or who is speaking.
//!
//! The model is MQTT 5; 3.1.1 is a projection of it at decode and encode.

mod ack;
mod connack;
mod connect;
mod disconnect;
mod error;
mod field;
mod frame;
mod property;
mod publish;
mod reason;
mod subscribe;
mod unsubscribe;

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

use bytes::{Bytes, BytesMut};

/// One MQTT Control Packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A client opens its session.
    Connect(alloc::boxed::Box<Connect>),
    /// The server answers a CONNECT.
    ConnAck(alloc::boxed::Box<ConnAck>),
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
    /// Decodes one whole packet, fixed header included, as [`Framer::next`] returns it. A CONNECT names its own version;
    /// every other packet is read as `version`. Topic, payload and other fields are slices of `frame`.
    ///
    /// # Errors
    /// When the bytes break a rule of the standard; the error knows the Reason Code to answer with.
    pub fn decode(frame: Bytes, version: ProtocolVersion) -> Result<Self, DecodeError> {
        unimplemented!("{frame:?} {version:?}")
    }

    /// Appends the packet's bytes to `out`. What 3.1.1 cannot say (properties, most Reason Codes) is left out there.
    ///
    /// # Errors
    /// When the packet would be longer than [`MAXIMUM_PACKET_SIZE`]; nothing is written then.
    pub fn encode(&self, version: ProtocolVersion, out: &mut BytesMut) -> Result<(), PacketTooLarge> {
        unimplemented!("{version:?} {out:?}")
    }

    /// The packet's length in bytes once encoded, fixed header included.
    pub fn size(&self, version: ProtocolVersion) -> usize {
        unimplemented!("{version:?}")
    }
}
