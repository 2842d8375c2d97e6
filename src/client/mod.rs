//! The client: all its rules as one pure function, `handle(now, input) -> actions`, for MQTT 5 and 3.1.1.
//! Knows no socket, clock or promise; the host performs the actions in order, and decides when to connect again.
//!
//! ```
//! use bytes::Bytes;
//! use mqlite::client::{Action, Client, Input, Options, Outcome, Token};
//! use mqlite::{codec::{Publish, Text}, time::Timestamp};
//!
//! let mut client = Client::new(Options::new(Text::from_static("tide-gauge")))?;
//! let now = Timestamp(0);
//! for action in client.handle(now, Input::Opened) {
//!     assert!(matches!(action, Action::Send { .. }), "the CONNECT, for the host to write");
//! }
//! let connack = Bytes::from_static(b"\x20\x03\x00\x00\x00");
//! for action in client.handle(now, Input::Received { bytes: connack }) {
//!     assert!(matches!(action, Action::Connected { session_present: false, .. }));
//! }
//! let publish = Publish { topic: Text::from_static("tide/low"), payload: Bytes::from("06:12"), ..Publish::default() };
//! for action in client.handle(now, Input::Publish { token: Token(1), publish }) {
//!     match action {
//!         Action::Send { bytes } => assert_eq!(&bytes[..], b"\x30\x10\x00\x08tide/low\x0006:12"),
//!         Action::Completed { token, outcome } => {
//!             assert!(token == Token(1) && matches!(outcome, Outcome::Published { .. }));
//!         }
//!         other => panic!("{other:?}"),
//!     }
//! }
//! # Ok::<(), mqlite::client::Misuse>(())
//! ```

mod acknowledge;
mod authenticate;
mod connect;
mod connection;
mod deliveries;
mod disconnect;
mod limits;
mod misuse;
mod options;
mod publish;
mod request;
mod subscribe;
#[cfg(test)]
mod testing;
mod unsubscribe;

pub use misuse::Misuse;
pub use options::Options;

use self::{connection::Connection, deliveries::Deliveries, publish::Pending, request::Request, subscribe::Asked};
use crate::{
    codec::{
        AckProperties, AuthProperties, ConnAckProperties, DisconnectProperties, PacketId, Publish, ReasonCode,
        SubscribeFilter, SubscribeProperties, Text, UserProperties,
    },
    session::{Inbound, Outbound, Violation},
    time::Timestamp,
};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use bytes::Bytes;

/// The host's name for one of its requests, opaque to the client: it comes back once, with [`Action::Completed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// The client's name for one QoS 1 or 2 message that it delivered; never the same twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery(pub u64);

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
    /// The Network Connection is gone. Not needed after [`Action::Close`].
    Closed,
    /// Publish a message: at once, or when there is a connection and room in the server's Receive Maximum.
    /// `packet_id`, `dup`, Topic Alias and Subscription Identifiers are ignored.
    Publish {
        /// Comes back with [`Outcome::Published`].
        token: Token,
        /// The message.
        publish: Publish,
    },
    /// Subscribe, when there is a connection.
    Subscribe {
        /// Comes back with [`Outcome::Subscribed`].
        token: Token,
        /// At least one.
        filters: Vec<SubscribeFilter>,
        /// Properties; 3.1.1 has none.
        properties: SubscribeProperties,
    },
    /// Unsubscribe, when there is a connection.
    Unsubscribe {
        /// Comes back with [`Outcome::Unsubscribed`].
        token: Token,
        /// At least one, as they were subscribed.
        filters: Vec<Text>,
        /// Properties; 3.1.1 has none.
        user_properties: UserProperties,
    },
    /// The host has taken a delivered message over: the server may forget it. Later than the next connection is too
    /// late for QoS 1, and does nothing: that message comes again.
    Acknowledge {
        /// Which.
        delivery: Delivery,
    },
    /// Answer [`Action::Authenticate`], or authenticate anew on an open connection. Does nothing when CONNECT had no
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
    /// The [`Client::deadline`] has passed.
    Timeout,
}

/// Something for the host to do or to know, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write these bytes. Those of several actions may be joined into one write.
    Send {
        /// One packet.
        bytes: Bytes,
    },
    /// Close the Network Connection once everything sent before was written.
    Close,
    /// The server accepted the connection.
    Connected {
        /// Whether the server kept the session: if not, subscriptions have to be made again.
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
        /// The message: its topic is whole, also where the server sent an alias.
        message: Box<Publish>,
        /// For [`Input::Acknowledge`]; absent at QoS 0, where there is nothing to acknowledge.
        delivery: Option<Delivery>,
    },
    /// A request came to its end.
    Completed {
        /// Which.
        token: Token,
        /// Which end.
        outcome: Outcome,
    },
    /// The connection is over, and was not refused.
    Disconnected {
        /// Why.
        cause: Cause,
    },
    /// The server sent a step of enhanced authentication. 0x18 wants [`Input::Authenticate`], 0x00 ends a new
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
    /// The connection (of a SUBSCRIBE or UNSUBSCRIBE) or the session (of a QoS 2 message that was sent) ended before the
    /// answer came. Whether the server did it is not known.
    Interrupted,
    /// Nothing was sent: the request breaks a rule, or a limit that the server has set.
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

/// The client. One value holds one session, over as many Network Connections as the host opens, one at a time.
#[derive(Debug)]
pub struct Client {
    options: Options,
    now: Timestamp,
    connection: Option<Connection>,
    session: Session,
    /// In order. While connected only QoS 1 and 2 messages that wait for the server's Receive Maximum.
    queue: VecDeque<Request>,
    actions: VecDeque<Action>,
}

/// What outlives a Network Connection, and what waits for answers on it.
#[derive(Debug)]
struct Session {
    /// Whether a server has accepted a connection of ours: a session that it had before is another's.
    is_begun: bool,
    /// Whether the server was asked to keep it, so that Clean Start would destroy it.
    is_kept: bool,
    outbound: Outbound<Pending>,
    /// The QoS 2 messages that the server has accepted, until PUBCOMP: with the reason of the PUBREC.
    accepted: BTreeMap<PacketId, (Token, ReasonCode)>,
    subscribes: BTreeMap<PacketId, Asked>,
    unsubscribes: BTreeMap<PacketId, Asked>,
    inbound: Inbound,
    deliveries: Deliveries,
}

/// The actions that an input caused, in order. Those not taken come first from the next [`Client::handle`].
#[derive(Debug)]
pub struct Actions<'client>(&'client mut VecDeque<Action>);

impl Iterator for Actions<'_> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.0.pop_front()
    }
}

impl Client {
    /// A client without a session or connection.
    ///
    /// # Errors
    /// When no server could accept the CONNECT that `options` describe.
    pub fn new(options: Options) -> Result<Self, Misuse> {
        options.check()?;
        Ok(Self {
            session: Session {
                is_begun: false,
                is_kept: false,
                outbound: Outbound::new(),
                accepted: BTreeMap::new(),
                subscribes: BTreeMap::new(),
                unsubscribes: BTreeMap::new(),
                inbound: Inbound::new(0),
                deliveries: Deliveries::default(),
            },
            options,
            now: Timestamp(0),
            connection: None,
            queue: VecDeque::new(),
            actions: VecDeque::new(),
        })
    }

    /// Processes what happened at `now` and returns what is to be done. A clock that runs back is held still.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Actions<'_> {
        self.now = self.now.max(now);
        match input {
            Input::Opened => self.opened(),
            Input::Received { bytes } => self.received(bytes),
            Input::Closed => self.end(Cause::Lost),
            Input::Publish { token, publish } => self.request(Request::publish(token, publish)),
            Input::Subscribe { token, filters, properties } => {
                self.request(Request::subscribe(token, filters, properties));
            }
            Input::Unsubscribe { token, filters, user_properties } => {
                self.request(Request::unsubscribe(token, filters, user_properties));
            }
            Input::Acknowledge { delivery } => self.acknowledge(delivery),
            Input::Authenticate { properties } => self.authenticate(properties),
            Input::Disconnect { reason, properties } => self.disconnect(reason, properties),
            Input::Timeout => self.timeout(),
        }
        Actions(&mut self.actions)
    }

    /// When [`Input::Timeout`] is due next, if ever.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.connection.as_ref().and_then(Connection::deadline)
    }

    fn complete(&mut self, token: Token, outcome: Outcome) {
        self.actions.push_back(Action::Completed { token, outcome });
    }
}
