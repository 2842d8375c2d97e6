//! What the client is told.

use super::{Delivery, Token};
use crate::codec::{
    AuthProperties, DisconnectProperties, Publish, ReasonCode, SubscribeFilter, SubscribeProperties, Text,
    UserProperties,
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::num::NonZeroU32;

/// Something that happened, or that the host wants.
#[derive(Clone, Debug)]
pub enum Input {
    /// A Network Connection was opened; one that was open before is gone.
    Opened,
    /// Bytes came, chunked anyhow.
    Received {
        /// What; may be empty.
        bytes: Bytes,
    },
    /// The Network Connection is gone. Not needed after [`Action::Close`](super::Action::Close).
    Closed,
    /// Publish a message: at once, or when there is a connection and room in the server's Receive Maximum; until then it
    /// waits in the outbox, whatever its QoS. `packet_id`, `dup`, Topic Alias and Subscription Identifiers are ignored.
    /// 3.1.1 has no properties: they are left out.
    Publish {
        /// Comes back with [`Outcome::Published`](super::Outcome::Published).
        token: Token,
        /// The message.
        publish: Publish,
    },
    /// Subscribe, when there is a connection. What the server grants is remembered, and asked for again with the same options
    /// when a later connection has no session, so that retained messages come as Retain Handling says of a new subscription.
    /// 3.1.1 has the QoS alone: other options and User Properties are left out.
    Subscribe {
        /// Comes back with [`Outcome::Subscribed`](super::Outcome::Subscribed).
        token: Token,
        /// At least one.
        filters: Vec<SubscribeFilter>,
        /// Properties. A Subscription Identifier that the server does not have is a misuse.
        properties: SubscribeProperties,
        /// The Subscription Identifier to use where the properties have none and the server has them.
        number: Option<NonZeroU32>,
    },
    /// The host wants nothing of this filter any more: it is not subscribed again. The server is told by `Unsubscribe`, which
    /// does this too.
    Forget {
        /// As it was subscribed.
        filter: Text,
    },
    /// Unsubscribe, when there is a connection: an UNSUBSCRIBE waits for it, because the server may have kept the session. Where
    /// it has not, the filter is not subscribed again first, and the server answers that there was nothing to end.
    Unsubscribe {
        /// Comes back with [`Outcome::Unsubscribed`](super::Outcome::Unsubscribed).
        token: Token,
        /// At least one, as they were subscribed.
        filters: Vec<Text>,
        /// Properties; 3.1.1 has none.
        user_properties: UserProperties,
    },
    /// Do not send this request, if it is still to be sent: it completes as
    /// [`Outcome::Cancelled`](super::Outcome::Cancelled). Does nothing when it was sent before.
    Cancel {
        /// Which.
        token: Token,
    },
    /// The host has taken a delivered message over: the server may forget it. Later than the next connection is too
    /// late for QoS 1, and does nothing: that message comes again. What the host is to know of the message after a crash has to
    /// be durable before it performs what follows, and at QoS 2 in one with the [`Put`](super::Action::Put) that comes first:
    /// else a crash in between loses the message, or has it delivered twice.
    Acknowledge {
        /// Which.
        delivery: Delivery,
    },
    /// Answer [`Action::Authenticate`](super::Action::Authenticate), or authenticate anew on an open connection. Does nothing when CONNECT had no
    /// Authentication Method [MQTT-4.12.0-7], or when the server has neither asked nor accepted the connection.
    Authenticate {
        /// The method is that of the CONNECT, whatever is said here. [MQTT-4.12.0-5]
        properties: AuthProperties,
    },
    /// End the connection, if there is one. What was not completed waits for the next.
    Disconnect {
        /// 0x00, 0x04 to have the will published, or another reason that a client may give; for one that it may not, the
        /// nearest is sent. [MQTT-3.14.2-1]
        reason: ReasonCode,
        /// Properties; 3.1.1 has none. A Session Expiry Interval is left out where CONNECT had 0. (3.14.2.2.2)
        properties: DisconnectProperties,
    },
    /// The host has reason to doubt the connection, as after a sleep: ask the server at once whether it is there.
    Probe,
    /// The [`Client::deadline`](super::Client::deadline) has passed. Every other input looks at it too.
    Timeout,
}
