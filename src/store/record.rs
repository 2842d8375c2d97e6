//! The records: plain values, each with the order in which its parts are written.

use crate::{
    codec::{
        DecodeError, PacketId, ProtocolVersion, PublishProperties, QoS, Text,
        wire::{Field, Reader, Sink},
    },
    time::Timestamp,
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};

/// Makes a record of a list of its parts.
macro_rules! record {
    ($(#[$about:meta])* $name:ident { $($(#[$part:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name { $($(#[$part])* pub $field: $type,)* }

        impl Field for $name {
            type Value = Self;

            fn read(_reader: &mut Reader) -> Result<Self, DecodeError> {
                Ok(Self { $($field: _reader.read::<$type>()?,)* })
            }

            fn write(_value: &Self, _sink: &mut Sink<'_>) {
                $(_sink.write::<$type>(&_value.$field);)*
            }
        }
    };
}

record!(
    /// A Session, without what has records of its own.
    Session {
        /// Client Identifier.
        client_id: Text,
        /// User Name of the CONNECT that began it.
        user_name: Option<Text>,
        /// Session Expiry Interval in seconds; `u32::MAX` is never.
        expiry_interval: u32,
        /// Whether it has a Network Connection.
        is_connected: bool,
        /// When it ends, if it has none.
        expires_at: Option<Timestamp>,
    }
);

record!(
    /// What a Session was granted for a filter.
    Subscription {
        /// Maximum QoS.
        qos: QoS,
        /// No Local.
        no_local: bool,
        /// Retain As Published.
        retain_as_published: bool,
        /// Subscription Identifier.
        identifier: Option<NonZeroU32>,
    }
);

record!(
    /// An Application Message.
    Content {
        /// Topic Name.
        topic: Text,
        /// The QoS it was published with.
        qos: QoS,
        /// RETAIN, as it was published.
        retain: bool,
        /// When its Message Expiry Interval has passed.
        expires_at: Option<Timestamp>,
        /// Its properties, without Topic Alias and Subscription Identifiers.
        properties: PublishProperties,
        /// Payload.
        payload: Bytes,
    }
);

record!(
    /// What is retained for a topic.
    Retained {
        /// The number of its message, which others may share.
        message: u64,
        /// Its place in the order in which messages were retained.
        number: u64,
        /// The message itself.
        content: Content,
    }
);

record!(
    /// A message on its way to a Session.
    Delivery {
        /// The number of the message.
        message: u64,
        /// The QoS of this delivery.
        qos: QoS,
        /// RETAIN, as the client gets it.
        retain: bool,
        /// Subscription Identifiers.
        identifiers: Vec<NonZeroU32>,
        /// Whether it was retained when the Session subscribed.
        was_retained: bool,
        /// The filter of the Shared Subscription that it comes by.
        share: Option<Text>,
    }
);

record!(
    /// A message in flight: PUBLISH was sent, or, when nothing of the message is left, PUBREL.
    InFlight {
        /// Its place in the order of sending.
        sequence: u64,
        /// The message, until PUBREC.
        delivery: Option<Delivery>,
    }
);

record!(
    /// How far a new subscription has come through what was retained when it began.
    Replay {
        /// Topic Filter.
        filter: Text,
        /// The number of the last message that was retained then.
        last: u64,
        /// The topic that the walk has reached.
        path: Option<Bytes>,
    }
);

record!(
    /// A QoS 2 message was received.
    Received {
        /// Which of the Session's connections has brought it last, counted from 1.
        connection: u64,
    }
);

record!(
    /// A message that is published later.
    Delayed {
        /// When.
        at: Timestamp,
        /// The number of the Session that published it; 0 for none.
        session: u64,
        /// Client Identifier of the publisher; empty for none.
        client_id: Text,
        /// User Name of the publisher.
        user_name: Option<Text>,
        /// Whether the host is to review it first.
        needs_review: bool,
        /// The message; its expiry counts from its publication.
        content: Content,
    }
);

record!(
    /// A value that the host keeps.
    Kept {
        /// Its bytes, of which the broker knows nothing.
        value: Bytes,
    }
);

record!(
    /// A Will Message.
    Will {
        /// Will Delay Interval in seconds.
        delay_seconds: u32,
        /// When it is to be published, once the connection is gone.
        at: Option<Timestamp>,
        /// The message; its expiry counts from its publication.
        content: Content,
    }
);

record!(
    /// A Network Connection that may outlive the broker.
    Connection {
        /// The version that the client speaks.
        version: ProtocolVersion,
        /// Maximum Packet Size of the client.
        maximum_packet_size: Option<NonZeroU32>,
        /// Request Problem Information.
        problem_information: bool,
        /// Whether the client has sent its CONNECT and is not let in yet.
        is_pending: bool,
        /// When it is closed for silence, unless something is heard before; a little early, perhaps.
        silence_at: Option<Timestamp>,
        /// What the client was let in with.
        link: Option<Link>,
    }
);

record!(
    /// What a host remembers beside a connection.
    State {
        /// The number in the keys of the connection's records; 0 when it has none.
        place: u64,
        /// The value of its [`Connection`], unless that is a record.
        connection: Option<Bytes>,
        /// What it has brought of packets that are not whole, or not processed.
        unread: Unread,
    }
);

record!(
    /// The bytes of a connection that are still to be processed.
    Unread {
        /// The position of the first in all that the connection has brought.
        position: u64,
        /// How many of them are records.
        stored: u64,
        /// Those behind.
        rest: Bytes,
    }
);

record!(
    /// Some bytes that a connection has brought.
    Piece {
        /// They.
        bytes: Bytes,
    }
);

record!(
    /// What an open connection agreed on.
    Link {
        /// The number of its Session.
        session: u64,
        /// Client Identifier of that Session.
        client_id: Text,
        /// How many connections it had, with this one.
        connections: u64,
        /// The Subscriptions of that Session, when it ends with its connection and has no records.
        volatile: Option<Vec<(Text, Subscription)>>,
        /// What the client may do; everything when absent.
        rights: Option<Vec<Right>>,
        /// When the host's verdict ends.
        expires_at: Option<Timestamp>,
        /// When the client was let in.
        connected_at: Timestamp,
        /// Keep Alive in seconds.
        keep_alive: u16,
        /// Receive Maximum of the client, as far as this broker uses it.
        receive_maximum: u16,
        /// Maximum Packet Size that CONNACK announced.
        accepted_packet_size: u32,
        /// Receive Maximum that CONNACK announced.
        accepted_messages: u16,
        /// Topic Alias Maximum that CONNACK announced.
        aliases_accepted: u16,
        /// The aliases that the client has set.
        aliases: Vec<(NonZeroU16, Text)>,
        /// Topic Aliases that the broker may set.
        aliases_assignable: u16,
        /// Those it has set.
        assigned: Vec<(NonZeroU16, Text)>,
        /// User Name.
        user_name: Option<Text>,
        /// Session Expiry Interval that the CONNECT asked for.
        asked_expiry_interval: u32,
        /// Authentication Method.
        method: Option<Text>,
        /// Whether a re-authentication waits for the client, or for a host that no longer knows of it.
        re_authentication: Option<bool>,
        /// What is in flight and was not sent over this connection.
        uncounted: Vec<PacketId>,
        /// What of that is still to be sent again, in order.
        resends: Vec<PacketId>,
        /// When `$SYS` is published next, if it has subscribed to that.
        sys_at: Option<Timestamp>,
    }
);

record!(
    /// One rule of what a client may do.
    Right {
        /// Topic Filter.
        filter: Text,
        /// Whether it may publish there.
        publish: bool,
        /// Whether it may subscribe there.
        subscribe: bool,
        /// Maximum QoS of both.
        maximum_qos: QoS,
        /// Whether what it publishes may be retained.
        retain: bool,
    }
);
