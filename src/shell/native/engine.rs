//! The one task that owns the broker: what the connections notice goes in, what the broker wants goes out.
//! Knows no socket, only the outbox of each connection.

use super::{gate::Admission, outbox::Outbox, report};
use crate::{
    broker::{Action, Broker, ConnectionId, Event, Input, Verdict},
    codec::ReasonCode,
    time::Timestamp,
};
use bytes::Bytes;
use std::{
    borrow::Cow,
    collections::HashMap,
    future::{self, Future},
    net::SocketAddr,
    pin::pin,
    time::{Duration, SystemTime},
};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, mpsc},
    task::yield_now,
    time::sleep,
};
use tracing::warn;

/// Notices that wait for the engine, at most: a connection with one more stops reading, so TCP slows its client.
pub(super) const NOTICES: usize = 256;

/// What a connection noticed.
#[derive(Debug)]
pub(super) enum Notice {
    /// It was accepted. Always its first.
    Opened { connection: ConnectionId, peer: Peer },
    /// Bytes came. The next ones do once `turn` is dropped.
    Received { connection: ConnectionId, bytes: Bytes, turn: OwnedSemaphorePermit },
    /// Everything up to and with this batch was written.
    Written { connection: ConnectionId, batch: u64 },
    /// It is gone, or is of no use; `why` is for the log alone.
    Ended { connection: ConnectionId, why: Cow<'static, str> },
}

/// The other end of a connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub address: SocketAddr,
    pub outbox: Outbox,
    pub admission: Admission,
}

pub(super) struct Engine {
    broker: Broker,
    peers: HashMap<ConnectionId, Peer>,
    /// Connections that are behind: what they send next waits, in the end with its sender.
    behind: HashMap<ConnectionId, OwnedSemaphorePermit>,
    /// Whose outbox was filled since the last flush.
    sent_to: Vec<ConnectionId>,
    /// Who is closed after the next flush.
    closing: Vec<ConnectionId>,
}

impl Engine {
    pub(super) fn new(broker: Broker) -> Self {
        Self { broker, peers: HashMap::new(), behind: HashMap::new(), sent_to: Vec::new(), closing: Vec::new() }
    }

    /// Runs until `stop` resolves, then tells and closes every connection.
    pub(super) async fn run(mut self, mut notices: mpsc::Receiver<Notice>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut pending = Vec::with_capacity(NOTICES);
        loop {
            select! {
                () = &mut stop => break,
                _ = notices.recv_many(&mut pending, NOTICES) => {}
                () = self.is_due() => self.timeout(),
            }
            for notice in pending.drain(..) {
                self.notice(notice);
            }
            self.flush();
        }
        notices.close();
        self.input(Input::ShutDown, None);
        self.flush();
    }

    /// Resolves at the broker's deadline, or earlier: the system's clock may be set while we sleep.
    async fn is_due(&self) {
        match self.broker.deadline().map(|deadline| deadline.at.millis_since(now())) {
            // Even the shortest sleep takes a millisecond, and without any the connections would have no turn.
            Some(0) => yield_now().await,
            Some(wait) => sleep(Duration::from_millis(wait).min(LONGEST_SLEEP)).await,
            None => future::pending().await,
        }
    }

    fn timeout(&mut self) {
        self.input(Input::Timeout, None);
        let Self { broker, behind, .. } = self;
        behind.retain(|connection, _| broker.is_behind(*connection));
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Opened { connection, peer } => {
                let address = peer.address;
                self.peers.insert(connection, peer);
                self.input(Input::Opened { connection }, None);
                if self.closing.last() == Some(&connection) {
                    warn!(from = %address, "refused: there are as many connections as are allowed");
                }
            }
            Notice::Received { connection, bytes, turn } => {
                self.input(Input::Received { connection, bytes }, None);
                if self.broker.is_behind(connection) {
                    self.behind.insert(connection, turn);
                }
            }
            Notice::Written { connection, batch } => {
                if self.peers.get(&connection).is_some_and(|peer| peer.outbox.ends_with(batch)) {
                    self.input(Input::Writable { connection }, None);
                }
            }
            Notice::Ended { connection, why } => {
                self.input(Input::Closed { connection }, Some(&why));
                self.closing.push(connection);
            }
        }
    }

    /// Feeds the broker. `why` is what the host knows better about a connection that ended.
    fn input(&mut self, input: Input, why: Option<&str>) {
        let mut unanswered = None;
        for action in self.broker.handle(now(), input) {
            match action {
                Action::Send { connection, frame } => {
                    if let Some(peer) = self.peers.get_mut(&connection) {
                        peer.outbox.push(frame);
                        self.sent_to.push(connection);
                    }
                }
                Action::Close { connection, reason } => {
                    if let Some(peer) = self.peers.get(&connection) {
                        report::closing(peer.address, reason);
                    }
                    self.closing.push(connection);
                }
                Action::Authenticate { connection, .. } => unanswered = Some(connection),
                // Only with a durability, and the server has none.
                Action::Put { .. } | Action::Delete { .. } | Action::Remember { .. } => {}
                Action::Report(event) => {
                    if let Event::Connected { connection, .. } = event
                        && let Some(peer) = self.peers.get(&connection)
                    {
                        peer.admission.grant();
                    }
                    report::event(&event, &self.peers, why);
                }
            }
        }
        // One input lets at most one connection ask.
        if let Some(connection) = unanswered {
            let verdict = Verdict::Deny { reason: ReasonCode::NotAuthorized };
            self.input(Input::Authenticated { connection, verdict }, None);
        }
    }

    fn flush(&mut self) {
        for connection in self.sent_to.drain(..) {
            if let Some(peer) = self.peers.get_mut(&connection) {
                peer.outbox.flush();
            }
        }
        for connection in self.closing.drain(..) {
            self.peers.remove(&connection);
            self.behind.remove(&connection);
        }
    }
}

fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

const LONGEST_SLEEP: Duration = Duration::from_secs(60);
