//! One ordered queue of everything that waits for its time.

use super::{ConnectionId, Deadline, ReviewId, session::SessionId};
use crate::{time::Timestamp, topic::TopicName};
use alloc::collections::BTreeSet;

#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    queue: BTreeSet<(Timestamp, Due)>,
}

/// What is to happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A connection was silent for too long, or did not get in.
    Silence(ConnectionId),
    /// What a client was let in with ends.
    Verdict(ConnectionId),
    /// The host has taken too long to review a message.
    Review(ReviewId),
    /// A connection that asked too fast may be read again.
    Pause(ConnectionId),
    /// The Will Delay Interval has passed.
    Will(SessionId),
    /// A delayed message is to be published.
    Delayed(u64),
    /// The Session Expiry Interval has passed.
    SessionExpiry(SessionId),
    /// A retained message's Message Expiry Interval has passed.
    RetainedExpiry(TopicName),
    /// `$SYS` is to be published.
    Sys,
}

impl Deadlines {
    /// Moves `due` from its `old` time to its `new` one.
    pub(super) fn set(&mut self, due: Due, old: Option<Timestamp>, new: Option<Timestamp>) {
        if old == new {
            return;
        }
        let due = match old {
            None => due,
            Some(at) => {
                let key = (at, due);
                self.queue.remove(&key);
                key.1
            }
        };
        if let Some(at) = new {
            self.queue.insert((at, due));
        }
    }

    /// Takes the earliest entry that is due `now`.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        if self.queue.first()?.0 > now {
            return None;
        }
        self.queue.pop_first().map(|(_, due)| due)
    }

    pub(super) fn first(&self) -> Option<Deadline> {
        self.queue.first().map(|(at, due)| Deadline { at: *at, why: due.name() })
    }
}

impl Due {
    const fn name(&self) -> &'static str {
        match self {
            Self::Silence(_) => "keep-alive",
            Self::Verdict(_) => "verdict",
            Self::Review(_) => "review",
            Self::Pause(_) => "requests",
            Self::Will(_) => "will delay",
            Self::Delayed(_) => "delayed message",
            Self::SessionExpiry(_) => "session expiry",
            Self::RetainedExpiry(_) => "message expiry",
            Self::Sys => "$SYS",
        }
    }
}
