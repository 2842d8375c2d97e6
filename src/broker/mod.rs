//! The broker: all its rules as one pure function, `handle(now, input) -> actions`.
//! Knows no socket, clock, task or storage engine; the host performs the actions in order.

mod config;
mod event;
mod grants;
mod statistics;

pub use config::{Authentication, Config};
pub use event::{Event, Refusal};
pub use grants::{Grant, Grants};
pub use statistics::Statistics;

use crate::{
    codec::{Binary, Publish, ReasonCode, Text},
    time::Timestamp,
};
use alloc::boxed::Box;
use bytes::{Bytes, BytesMut};

/// A Network Connection, numbered by the host; never the same number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A Network Connection was opened.
    Opened {
        /// Which.
        connection: ConnectionId,
    },
    /// Bytes came, chunked anyhow.
    Received {
        /// From whom.
        connection: ConnectionId,
        /// What; may be empty.
        bytes: Bytes,
    },
    /// All frames of earlier [`Action::Send`]s were written: the connection can take more.
    Writable {
        /// Which.
        connection: ConnectionId,
    },
    /// The Network Connection is gone, whoever closed it. Not needed after [`Action::Close`].
    Closed {
        /// Which.
        connection: ConnectionId,
    },
    /// The answer to [`Action::Authenticate`].
    Authenticated {
        /// Who asked.
        connection: ConnectionId,
        /// The answer.
        verdict: Verdict,
    },
    /// The host itself publishes a message. `packet_id`, `dup`, alias and identifiers are ignored, Grants do not apply.
    Publish {
        /// The message.
        publish: Publish,
    },
    /// The [`Broker::deadline`] has passed.
    Timeout,
}

/// Something for the host to do, in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Write a frame. Frames for one connection may be joined into one write.
    Send {
        /// To whom.
        connection: ConnectionId,
        /// What.
        frame: Frame,
    },
    /// Close the Network Connection once everything sent before was written.
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why, for logs: the peer was told already if its version can be.
        reason: ReasonCode,
    },
    /// Decide whether a client is let in, then feed [`Input::Authenticated`].
    Authenticate {
        /// Who asks.
        connection: ConnectionId,
        /// What it said of itself.
        request: Box<AuthenticationRequest>,
    },
    /// Something worth knowing happened.
    Report(Event),
}

/// Bytes for the wire: a head of its own and a payload that many frames may share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The first bytes.
    pub head: Bytes,
    /// The bytes after them; empty for all packets but PUBLISH.
    pub payload: Bytes,
}

impl Frame {
    /// Length in bytes, never 0 for a frame from the broker.
    pub fn len(&self) -> usize {
        self.head.len() + self.payload.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.payload.is_empty()
    }

    /// Appends the frame to what else is to be written.
    pub fn write_to(&self, out: &mut BytesMut) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.payload);
    }
}

/// What a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationRequest {
    /// Where in the exchange this is.
    pub step: AuthenticationStep,
    /// Client Identifier, the assigned one if it sent none.
    pub client_id: Text,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password; a secret.
    pub password: Option<Binary>,
    /// Authentication Method, for enhanced authentication.
    pub method: Option<Text>,
    /// Authentication Data; a secret.
    pub data: Option<Binary>,
}

/// Where in an authentication exchange a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationStep {
    /// CONNECT.
    Connect,
    /// AUTH with Continue authentication (0x18).
    Continue,
    /// AUTH with Re-authenticate (0x19) on an open connection.
    ReAuthenticate,
}

/// The host's answer to [`Action::Authenticate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let it in.
    Allow {
        /// With these rights.
        grants: Grants,
        /// Authentication Data to send along with the success; only with a method.
        data: Option<Binary>,
    },
    /// Keep it out; `reason` is 0x80 or above.
    Deny {
        /// For example 0x86 or 0x87.
        reason: ReasonCode,
    },
    /// Ask one step more of enhanced authentication: AUTH with 0x18.
    Continue {
        /// The challenge.
        data: Option<Binary>,
    },
    /// Send it elsewhere: 0x9D when `permanent`, else 0x9C; 3.1.1 hears 3.
    Redirect {
        /// Server Reference.
        server: Text,
        /// Whether for ever.
        permanent: bool,
    },
}

/// When [`Input::Timeout`] is due, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// What for, in a word for logs.
    pub why: &'static str,
}

/// The broker. One value holds all sessions, subscriptions and messages.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    statistics: Statistics,
    actions: alloc::collections::VecDeque<Action>,
}

/// The actions that an input caused, in order. Those not taken are returned by the next [`Broker::handle`] first.
#[derive(Debug)]
pub struct Actions<'broker>(&'broker mut Broker);

impl Iterator for Actions<'_> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.0.actions.pop_front()
    }
}

impl Broker {
    /// A broker without sessions. `seed` decides all that looks random; give each broker its own.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let _ = seed;
        Self { config, statistics: Statistics::default(), actions: Default::default() }
    }

    /// Processes what happened at `now` and returns what is to be done. A clock that runs back is held still.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Actions<'_> {
        let _ = (now, input, &self.config);
        Actions(self)
    }

    /// When [`Input::Timeout`] is due next, if ever.
    pub fn deadline(&self) -> Option<Deadline> {
        None
    }

    /// The counters and gauges.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }
}
