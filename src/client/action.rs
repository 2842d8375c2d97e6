//! What the client has its host do, or know.

use super::{Delivery, Misuse, Token};
use crate::{
    codec::{AckProperties, AuthProperties, ConnAckProperties, DisconnectProperties, Publish, ReasonCode, Text},
    session::Violation,
};
use alloc::{boxed::Box, vec::Vec};
use bytes::Bytes;

/// Something for the host to do or to know, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Store this value under this key, in place of the one that is there. What follows may be sent once it is durable. What one
    /// input has stored and removed with nothing else in between belongs together: it is durable as a whole, or not at all.
    /// Only of a client that was made by [`Client::restore`](super::Client::restore).
    Put {
        /// The key.
        key: Bytes,
        /// The value.
        value: Bytes,
    },
    /// Remove this key and its value.
    Delete {
        /// The key.
        key: Bytes,
    },
    /// Write these bytes. Those of several actions may be joined into one write.
    Send {
        /// One packet.
        bytes: Bytes,
    },
    /// Close the Network Connection once everything sent before was written.
    Close,
    /// The server accepted the connection.
    Connected {
        /// Whether the server kept the session: if not, the client subscribes again.
        session_present: bool,
        /// Client Identifier, the assigned one if the host named none.
        client_id: Text,
        /// What else the server said.
        properties: Box<ConnAckProperties>,
    },
    /// The server refused the connection, which is over.
    Refused {
        /// Why; of a 3.1.1 server the nearest reason.
        reason: ReasonCode,
        /// What else it said: Reason String, Server Reference.
        properties: Box<ConnAckProperties>,
    },
    /// A message came.
    Deliver {
        /// The message: its topic is whole, also where the server sent an alias. Its Packet Identifier is the server's: by that
        /// the host knows again what a server repeats which another client has had before.
        message: Box<Publish>,
        /// For [`Input::Acknowledge`](super::Input::Acknowledge); absent at QoS 0, where there is nothing to acknowledge.
        delivery: Option<Delivery>,
    },
    /// A request came to its end.
    Completed {
        /// Which.
        token: Token,
        /// Which end.
        outcome: Outcome,
    },
    /// The server did not grant again what it had granted in an earlier session, or cannot be asked: it is forgotten.
    SubscriptionLost {
        /// The Topic Filter.
        filter: Text,
        /// Why.
        reason: ReasonCode,
        /// What else the server said.
        properties: AckProperties,
    },
    /// The connection is over, and was not refused.
    Disconnected {
        /// Why.
        cause: Cause,
    },
    /// The server sent a step of enhanced authentication. 0x18 wants [`Input::Authenticate`](super::Input::Authenticate), 0x00 ends a new
    /// authentication on an open connection.
    Authenticate {
        /// 0x18 or 0x00.
        reason: ReasonCode,
        /// With the Authentication Data, if any.
        properties: Box<AuthProperties>,
    },
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// QoS 0: handed over for sending. QoS 1 and 2: the server has the message, or refused it (0x80 and above).
    Published {
        /// Of the PUBACK, PUBREC or PUBCOMP; 0x10 when the server said that nobody has subscribed.
        reason: ReasonCode,
        /// What else the server said.
        properties: AckProperties,
    },
    /// The server answered a SUBSCRIBE.
    Subscribed {
        /// For each filter, in order: the granted QoS, or why not (0x80 and above).
        reasons: Vec<ReasonCode>,
        /// What else the server said.
        properties: AckProperties,
    },
    /// The server answered an UNSUBSCRIBE.
    Unsubscribed {
        /// For each filter, in order; of a 3.1.1 server always 0x00.
        reasons: Vec<ReasonCode>,
        /// What else the server said.
        properties: AckProperties,
    },
    /// The session (of a QoS 2 message that was sent) or two connections in turn (of a SUBSCRIBE or UNSUBSCRIBE) ended before the
    /// answer came. Whether the server did it is not known.
    Interrupted,
    /// It made room in the outbox for another, or found none there.
    Dropped,
    /// The host did not want it any more.
    Cancelled,
    /// Nothing was sent over this connection: the request breaks a rule, or a limit that the server has set.
    Misused(Misuse),
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The host wanted it.
    Requested,
    /// The server's DISCONNECT.
    Server {
        /// Why.
        reason: ReasonCode,
        /// What else it said: Reason String, Server Reference.
        properties: DisconnectProperties,
    },
    /// The server broke a rule; an MQTT 5 server was told.
    Violated(Violation),
    /// The server was silent for too long after a CONNECT or PINGREQ.
    Silence,
    /// The Network Connection was closed without a DISCONNECT.
    Lost,
}
