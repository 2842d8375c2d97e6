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
mod action;
mod authenticate;
mod connect;
mod connection;
mod deliveries;
mod disconnect;
mod durable;
mod input;
mod limits;
mod misuse;
mod options;
mod outbox;
mod publish;
mod record;
mod request;
mod subscribe;
mod subscriptions;
#[cfg(test)]
mod testing;
mod unsubscribe;

pub use action::{Action, Cause, Outcome};
pub use durable::Restored;
pub use input::Input;
pub use misuse::Misuse;
pub use options::{Options, OutboxLimits, OutboxPolicy};
pub use record::RejectedRecord;

use self::{
    connection::Connection, deliveries::Deliveries, outbox::Outbox, publish::Pending, request::Request,
    subscribe::Asked, subscriptions::Subscription,
};
use crate::{
    codec::{Binary, PacketId, ProtocolVersion, ReasonCode, Text},
    session::{Inbound, Outbound},
    time::Timestamp,
};
use alloc::{collections::VecDeque, vec::Vec};

/// The host's name for one of its requests, opaque to the client: it comes back once, with [`Action::Completed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// The client's name for one QoS 1 or 2 message that it delivered; never the same twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery(pub u64);

/// The client. One value holds one session, over as many Network Connections as the host opens, one at a time.
#[derive(Debug)]
pub struct Client {
    options: Options,
    /// Whether the host stores what it is told to.
    is_durable: bool,
    /// Whether a server has accepted a connection of this client, and so its version.
    is_settled: bool,
    /// User Name and Password for the next CONNECT alone.
    credentials: Option<(Option<Text>, Option<Binary>)>,
    now: Timestamp,
    connection: Option<Connection>,
    session: Session,
    /// While connected only QoS 1 and 2 messages that wait for the server's Receive Maximum.
    outbox: Outbox,
    actions: VecDeque<Action>,
}

/// What outlives a Network Connection, and what waits for answers on it.
#[derive(Debug)]
struct Session {
    /// Whether a server has accepted a connection of ours: a session that it had before is another's.
    is_begun: bool,
    /// Whether the server was asked to keep it, so that Clean Start would destroy it.
    is_kept: bool,
    /// Seconds that it outlives the connection.
    expiry_interval: u32,
    /// When it surely has ended, if the connection is gone.
    expires_at: Option<Timestamp>,
    outbound: Outbound<Pending>,
    /// The QoS 2 messages that the server has accepted, until PUBCOMP: with the reason of the PUBREC, and whether PUBREL was
    /// sent again.
    accepted: Vec<(PacketId, Option<Token>, ReasonCode, bool)>,
    /// The SUBSCRIBEs and UNSUBSCRIBEs that were sent, in order.
    asked: Vec<Asked>,
    /// What the server has granted and the host not given back.
    subscriptions: Vec<Subscription>,
    inbound: Inbound,
    /// The QoS 2 messages in `inbound` that the host has taken over, where it stores that.
    taken: Vec<PacketId>,
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
    /// A client without a session or connection, which stores nothing: for one that does, see [`Client::restore`].
    ///
    /// # Errors
    /// When no server could accept the CONNECT that `options` describe.
    pub fn new(options: Options) -> Result<Self, Misuse> {
        options.check()?;
        Ok(Self {
            session: Session {
                is_begun: false,
                is_kept: false,
                expiry_interval: 0,
                expires_at: None,
                outbound: Outbound::new(),
                accepted: Vec::new(),
                asked: Vec::new(),
                subscriptions: Vec::new(),
                inbound: Inbound::new(0),
                taken: Vec::new(),
                deliveries: Deliveries::default(),
            },
            options,
            is_durable: false,
            is_settled: false,
            credentials: None,
            now: Timestamp(0),
            connection: None,
            outbox: Outbox::default(),
            actions: VecDeque::new(),
        })
    }

    /// Takes these for the next CONNECT in place of the User Name and Password of the options.
    pub fn use_credentials(&mut self, user_name: Option<Text>, password: Option<Binary>) {
        self.credentials = Some((user_name, password));
    }

    /// What the next CONNECT says as Authentication Data, and those after it, in place of what the options say.
    pub fn use_authentication_data(&mut self, data: Option<Binary>) {
        self.options.connect.properties.authentication_data = data;
    }

    /// Speaks this version from the next connection on. What waits is kept; what 3.1.1 has no place for is left out of it when
    /// it is sent, but for a Subscription Identifier that the host asked for, which is refused.
    ///
    /// # Errors
    /// While there is a connection, once a server has accepted one, and when no server could accept the CONNECT.
    pub fn use_version(&mut self, version: ProtocolVersion) -> Result<(), Misuse> {
        if self.connection.is_some() || self.is_settled {
            return Err(Misuse::InvalidConnect("a session keeps to the version that it began with"));
        }
        let before = core::mem::replace(&mut self.options.connect.version, version);
        let checked = self.options.check();
        if checked.is_err() {
            self.options.connect.version = before;
        }
        checked
    }

    /// Processes what happened at `now` and returns what is to be done. A clock that runs back is held still.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Actions<'_> {
        self.now = self.now.max(now);
        match input {
            Input::Opened | Input::Closed | Input::Disconnect { .. } => {}
            Input::Received { .. } => {
                self.heard();
                self.look_at_deadline();
            }
            _ => self.look_at_deadline(),
        }
        match input {
            Input::Opened => self.opened(),
            Input::Received { bytes } => self.received(bytes),
            Input::Closed => self.end(Cause::Lost),
            Input::Publish { token, publish } => self.request(Request::publish(token, publish)),
            Input::Subscribe { token, filters, properties, number } => {
                self.request(Request::subscribe(token, filters, properties, number));
            }
            Input::Forget { filter } => self.forget(&filter),
            Input::Unsubscribe { token, filters, user_properties } => {
                self.request(Request::unsubscribe(token, filters, user_properties));
            }
            Input::Cancel { token } => self.cancel(token),
            Input::Acknowledge { delivery } => self.acknowledge(delivery),
            Input::Authenticate { properties } => self.authenticate(properties),
            Input::Disconnect { reason, properties } => self.disconnect(reason, properties),
            Input::Probe => self.probe(),
            Input::Timeout => {}
        }
        Actions(&mut self.actions)
    }

    /// When [`Input::Timeout`] is due next, if ever.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.connection.as_ref().and_then(Connection::deadline)
    }

    /// Tells the host, unless the request is the client's own.
    fn complete(&mut self, token: Option<Token>, outcome: Outcome) {
        if let Some(token) = token {
            self.actions.push_back(Action::Completed { token, outcome });
        }
    }
}
