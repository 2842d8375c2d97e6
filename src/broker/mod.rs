//! The broker: all its rules as one pure function, `handle(now, input) -> actions`.
//! Knows no socket, clock, task or storage engine; the host performs the actions in order.

mod acknowledge;
mod authenticate;
mod config;
mod connect;
mod connection;
mod deadlines;
mod delay;
mod deliver;
mod disconnect;
mod draft;
mod effort;
mod event;
mod expiry;
mod grants;
mod host;
mod keep;
mod message;
mod mirror;
mod pace;
mod publish;
mod random;
mod remember;
mod restore;
mod retain;
mod review;
mod route;
mod rules;
mod send;
mod session;
mod share;
mod statistics;
mod subscribe;
mod sys;
mod table;
mod tally;
mod trace;
mod unsubscribe;
mod users;
mod will;

pub use crate::store::{Export, RestoreError};
pub use config::{Authentication, Config, Durability};
pub use event::{Event, Refusal};
pub use grants::{Grant, Grants};
pub use host::{Caller, ClientDetails, Page};
pub use keep::KeepError;
pub use remember::MAXIMUM_STATE;
pub use restore::Restored;
pub use review::{Decision, ReviewFallback, ReviewId, ReviewRequest};
pub use rules::PublishRule;
pub use statistics::Statistics;
pub use trace::{Direction, TracedPacket};

use self::{
    connection::Connection,
    deadlines::Deadlines,
    delay::Delayed,
    deliver::Dropped,
    effort::{Behind, Effort},
    keep::Keepsakes,
    message::Delivery,
    mirror::Mirror,
    random::Random,
    restore::Orphans,
    retain::Retained,
    review::Question,
    route::Subscribers,
    session::{Session, SessionId},
    table::Table,
    tally::Tally,
    trace::Watched,
    users::Users,
};
use crate::{
    codec::{Binary, Publish, ReasonCode, Text},
    time::Timestamp,
    topic::FilterTree,
};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use bytes::{Bytes, BytesMut};

/// A Network Connection, numbered by the host; never the same number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ConnectionId(pub u64);

impl From<ConnectionId> for u64 {
    fn from(id: ConnectionId) -> Self {
        id.0
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A Network Connection was opened.
    Opened {
        /// Which.
        connection: ConnectionId,
    },
    /// A Network Connection outlived the broker that this one was restored from. Comes before any other input: sessions
    /// that were connected and are not resumed by then have lost their connections.
    Resumed {
        /// Which; its number may be the old one.
        connection: ConnectionId,
        /// What the last [`Action::Remember`] said of it, to this broker or to one before; empty if there was none.
        state: Bytes,
    },
    /// Bytes came, chunked anyhow. Packets that would cause too much at once are kept, and wait for [`Input::Timeout`] at
    /// [`Broker::deadline`]; a connection that sends on regardless of [`Broker::is_behind`] is closed with 0x97 in the end.
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
    /// The answer to [`Action::Review`].
    Reviewed {
        /// Which question.
        review: ReviewId,
        /// The answer; `None` when there is none, so that [`Config::review_fallback`] counts.
        decision: Option<Decision>,
    },
    /// The host itself publishes a message, within `maximum_packet_size`. `packet_id`, `dup`, alias and identifiers are ignored.
    /// [`Action::Published`] answers.
    Publish {
        /// The message.
        publish: Publish,
        /// On whose behalf. Without, neither Grants nor [`Config::rules`] apply. A message that a rule lets the host review is
        /// taken with 0x00, and published once the host has decided; also after a crash.
        caller: Option<Box<Caller>>,
    },
    /// The host closes the connection of a client, its will is published, and it may come back. Nothing happens where there is
    /// none.
    Disconnect {
        /// Whose.
        client_id: Text,
        /// What an MQTT 5 client is told, such as 0x98 Administrative action.
        reason: ReasonCode,
        /// Whether its session ends too, also one without a connection.
        end_session: bool,
    },
    /// The host watches a client: each of its packets becomes an [`Event::Packet`]. At most 64 clients at a time: one more takes
    /// the place of the one whose time ends first. A broker that comes after this one watches nobody.
    Trace {
        /// Whom.
        client_id: Text,
        /// Until when; what has passed ends it.
        until: Timestamp,
    },
    /// The host keeps a value with the broker, in place of what it kept by this name, or takes it away: see [`Broker::kept`].
    /// What [`Broker::may_keep`] forbids changes nothing.
    Keep {
        /// By what; the host's to choose, such as `user/ada`. No topic.
        name: Text,
        /// What, if anything.
        value: Option<Bytes>,
    },
    /// The [`Broker::deadline`] has passed. Connections that are behind go on.
    Timeout,
    /// The host has moved: MQTT 5 clients are told where to, every connection is closed. Whoever comes is for the verdict.
    Moved {
        /// The Server Reference.
        server: Text,
        /// Whether clients need not come back.
        permanent: bool,
    },
    /// The host is about to end: MQTT 5 clients are told 0x8B, every connection is closed.
    ShutDown,
}

/// Something for the host to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Store this value at this key, in place of what is there. Nothing that comes later may reach the wire before this is
    /// durable; what one input causes comes before all that it sends, and must become durable as one. None without
    /// [`Config::durability`].
    Put {
        /// Not longer than 65,544 bytes.
        key: Bytes,
        /// For the next broker's [`Broker::restore`]. Not longer than `maximum_packet_size` + 66,535 bytes or, if that is more,
        /// 250,000 + 8 `maximum_in_flight` + 4 `maximum_subscriptions` and what the rules of a client's [`Grants`] say.
        value: Bytes,
    },
    /// Remove what is stored at this key, if anything is.
    Delete {
        /// Which.
        key: Bytes,
    },
    /// Keep this beside the connection, in place of what was there, for [`Input::Resumed`]. Only with
    /// [`Durability::Connections`].
    Remember {
        /// Which.
        connection: ConnectionId,
        /// At most [`MAXIMUM_STATE`] bytes; what is larger is put into the storage instead. A CONNECT of which a part has come
        /// is in either, with what it holds: a secret.
        state: Bytes,
    },
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
    /// Decide what becomes of a message for which a rule of [`Config::rules`] asks that, then feed [`Input::Reviewed`], within
    /// [`Config::review_timeout_millis`]. What its connection brings meanwhile waits. A broker that comes after this one asks
    /// again.
    Review {
        /// Which question.
        review: ReviewId,
        /// The message.
        request: Box<ReviewRequest>,
    },
    /// What became of [`Input::Publish`]: once for each.
    Published {
        /// 0x00, 0x10 when nobody subscribes to it, or why the message was refused: 0x87, 0x90, 0x95, 0x97, 0x9A or 0x9B.
        reason: ReasonCode,
    },
    /// Something worth knowing happened.
    Report(Event),
}

/// Bytes for the wire: a head, and a payload that many frames may share. Heads lie behind each other in a block of some
/// kilobytes, which stays for as long as any of them: copy what is to wait.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct AuthenticationRequest {
    /// Where in the exchange this is.
    pub step: AuthenticationStep,
    /// Client Identifier, the assigned one if it sent none.
    pub client_id: Text,
    /// User Name: at [`AuthenticationStep::ReAuthenticate`] the one that it was let in with.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
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
    /// Let it in. A session belongs to its Client Identifier and User Name: another user, or nobody in particular, is refused
    /// with 0x85 while it lasts, and ended by [`Input::Disconnect`] it is free. One without a User Name a user does not inherit:
    /// it ends.
    Allow {
        /// With these rights.
        grants: Grants,
        /// Authentication Data to send along with the success; only with a method.
        data: Option<Binary>,
        /// Who it is, as the host has found out: from now on the User Name, whatever the CONNECT said. Without, that of the
        /// CONNECT. A client that authenticates again may not become another (0x87).
        user_name: Option<Text>,
        /// When this ends: the client is then closed with 0x87, unless it has authenticated again. Without, it does not end.
        expires_at: Option<Timestamp>,
    },
    /// Keep it out; `reason` is 0x80 or above.
    Deny {
        /// For example 0x86 or 0x87.
        reason: ReasonCode,
        /// Reason String for the client; it must not help an attacker. Without, a general one.
        message: Option<Text>,
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

impl Verdict {
    /// Let it in with these rights, as who it says it is, for as long as it stays.
    pub const fn allow(grants: Grants) -> Self {
        Self::Allow { grants, data: None, user_name: None, expires_at: None }
    }

    /// Keep it out, without a word of one's own.
    pub const fn deny(reason: ReasonCode) -> Self {
        Self::Deny { reason, message: None }
    }
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
    random: Random,
    now: Timestamp,
    started: Option<Timestamp>,
    connections: Table<ConnectionId, Connection>,
    sessions: Table<SessionId, Session>,
    by_client_id: BTreeMap<Text, SessionId>,
    users: Users,
    last_session: u64,
    routes: FilterTree<Subscribers>,
    subscription_count: u64,
    subscription_bytes: usize,
    retained: Retained,
    delayed: Delayed,
    keepsakes: Keepsakes,
    deadlines: Deadlines,
    effort: Effort,
    behind: Behind,
    dropped: Dropped,
    /// What the host is asked.
    reviews: BTreeMap<ReviewId, Question>,
    last_review: u64,
    tally: Tally,
    watched: Watched,
    sys_at: Option<Timestamp>,
    sys_watchers: usize,
    statistics: Statistics,
    mirror: Mirror,
    /// Whether the writes among `actions` may.
    writes_may_wait: bool,
    orphans: Orphans,
    actions: VecDeque<Action>,
    /// Where the heads of frames are written, one behind the other: a block of memory for many of them.
    heads: BytesMut,
    /// Whom the message goes to that is being routed: empty between messages, but with its room.
    matched: Vec<(SessionId, Delivery)>,
}

/// The actions that an input caused, in order. Those not taken come first from the next [`Broker::handle`].
#[derive(Debug)]
pub struct Actions<'broker> {
    actions: &'broker mut VecDeque<Action>,
    writes_may_wait: bool,
}

impl Actions<'_> {
    /// Whether what is put and deleted is for connections that outlive the broker alone: then it need not become durable before
    /// what is sent, but before the broker is given up while its connections stay, and not after what is written later. When
    /// they end with the broker nobody misses it, and what was to be deleted the next one deletes.
    pub const fn writes_may_wait(&self) -> bool {
        self.writes_may_wait
    }
}

impl Iterator for Actions<'_> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}

impl Broker {
    /// A broker without sessions. `seed` decides all that looks random; give each broker its own.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            config,
            random: Random::new(seed),
            now: Timestamp(0),
            started: None,
            connections: Table::new(),
            sessions: Table::new(),
            by_client_id: BTreeMap::new(),
            users: Users::default(),
            last_session: 0,
            routes: FilterTree::new(),
            subscription_count: 0,
            subscription_bytes: 0,
            retained: Retained::default(),
            delayed: Delayed::default(),
            keepsakes: Keepsakes::default(),
            deadlines: Deadlines::default(),
            effort: Effort::default(),
            behind: Behind::default(),
            dropped: Dropped::default(),
            reviews: BTreeMap::new(),
            last_review: 0,
            tally: Tally::default(),
            watched: Watched::default(),
            sys_at: None,
            sys_watchers: 0,
            statistics: Statistics::default(),
            mirror: Mirror::default(),
            writes_may_wait: true,
            orphans: Orphans::default(),
            actions: VecDeque::new(),
            heads: BytesMut::with_capacity(HEADS),
            matched: Vec::new(),
        }
    }

    /// Processes what happened at `now` and returns what is to be done. A clock that runs back is held still.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Actions<'_> {
        self.now = self.now.max(now);
        self.started.get_or_insert(self.now);
        self.effort = Effort::default();
        let start = self.actions.len();
        if !matches!(input, Input::Resumed { .. }) {
            self.abandon_orphans();
            self.process_due();
        }
        match input {
            Input::Resumed { connection, state } => self.resumed(connection, state),
            Input::Opened { connection } => self.opened(connection),
            Input::Received { connection, bytes } => self.received(connection, bytes),
            Input::Writable { connection } => self.writable(connection),
            Input::Closed { connection } => self.closed(connection),
            Input::Authenticated { connection, verdict } => self.authenticated(connection, verdict),
            Input::Reviewed { review, decision } => self.reviewed(review, decision),
            Input::Publish { publish, caller } => self.publish_from_host(publish, caller.as_deref()),
            Input::Disconnect { client_id, reason, end_session } => {
                self.disconnect_client(&client_id, reason, end_session);
            }
            Input::Trace { client_id, until } => self.watch(&client_id, until),
            Input::Keep { name, value } => self.keep(&name, value.as_ref()),
            Input::Timeout => self.catch_up(),
            Input::Moved { server, permanent } => self.move_to(&server, permanent),
            Input::ShutDown => self.shut_down(),
        }
        self.report_dropped();
        self.flush_mirror(start);
        Actions { actions: &mut self.actions, writes_may_wait: self.writes_may_wait }
    }

    /// The counters and gauges.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            sessions: self.sessions.len() as u64,
            subscriptions: self.subscription_count,
            subscription_bytes: self.subscription_bytes() as u64,
            retained_messages: self.retained.len() as u64,
            retained_bytes: self.retained.bytes() as u64,
            message_bytes: self.tally.bytes() as u64,
            messages_stored: self.tally.deliveries() as u64,
            messages_delayed: self.delayed.len() as u64,
            messages_in_review: self.reviews.len() as u64,
            ..self.statistics
        }
    }
}

/// About a hundred heads.
const HEADS: usize = 4_096;
