//! How much one input may cause: beyond it a connection waits for its next turn, so that no input costs more than a
//! bounded time and memory, and nobody waits long for anybody else.

use super::{Broker, ConnectionId, connection::Stage};
use crate::time::Timestamp;
use alloc::collections::BTreeSet;
use core::ops::Bound;

/// What the current input has caused so far, in units of about a tree node looked at.
#[derive(Debug, Default)]
pub(super) struct Effort(usize);

/// The connections that have more to do, although nothing new came: unread packets, or deliveries that could be sent.
#[derive(Debug, Default)]
pub(super) struct Behind {
    connections: BTreeSet<ConnectionId>,
    /// Since when there are any: the deadline stays where it is, so that no host moves it away for ever.
    since: Timestamp,
    /// Who had the last turn.
    last: Option<ConnectionId>,
}

impl Effort {
    pub(super) const fn add(&mut self, units: usize) {
        self.0 = self.0.saturating_add(units);
    }

    pub(super) const fn is_enough(&self) -> bool {
        self.0 >= ENOUGH
    }
}

impl Behind {
    pub(super) fn since(&self) -> Option<Timestamp> {
        (!self.connections.is_empty()).then_some(self.since)
    }

    pub(super) fn contains(&self, id: ConnectionId) -> bool {
        self.connections.contains(&id)
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    fn insert(&mut self, id: ConnectionId, now: Timestamp) {
        if self.connections.is_empty() {
            self.since = now;
        }
        self.connections.insert(id);
    }

    /// Whose turn it is: the next one after the last turn.
    fn take_next(&mut self) -> Option<ConnectionId> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.connections.range((after, Bound::Unbounded)).next().or_else(|| self.connections.first());
        self.last = next.copied();
        self.last.filter(|id| self.connections.remove(id))
    }
}

impl Broker {
    /// Whether the connection has packets or deliveries that wait for [`super::Input::Timeout`], or for
    /// [`super::Input::Reviewed`], or sends too fast. A host that can reads nothing more from it until then.
    pub fn is_behind(&self, connection: ConnectionId) -> bool {
        let waits = || self.connections.get(&connection).is_some_and(|it| it.is_in_review() || it.pace.is_paused());
        self.behind.contains(connection) || waits()
    }

    pub(super) fn fall_behind(&mut self, id: ConnectionId) {
        self.behind.insert(id, self.now);
    }

    /// Gives each connection that is behind a turn, as far as one input may go.
    pub(super) fn catch_up(&mut self) {
        for _ in 0..self.behind.connections.len() {
            if self.effort.is_enough() {
                return;
            }
            let Some(id) = self.behind.take_next() else { return };
            if let Some(Stage::Open(link)) = self.connections.get(&id).map(|connection| &connection.stage) {
                let session = link.session;
                self.pump(session);
            }
            self.read(id);
        }
    }
}

/// A node of a tree, looked at.
pub(super) const NODE: usize = 1;
/// A message, a packet or an answer, besides its bytes.
pub(super) const PACKET: usize = 4;
/// This many bytes to be written count as much as a node.
const BYTES: usize = 256;
/// About 4,096 small packets, or 4 MiB, or milliseconds.
const ENOUGH: usize = 4_096 * PACKET;

/// A frame of `length` bytes that is to be written.
pub(super) const fn frame(length: usize) -> usize {
    PACKET + length / BYTES
}
