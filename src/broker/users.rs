//! Which session is whose, and how many connections and sessions each user has. All count only where the host finds out who a client is:
//! elsewhere a User Name proves nothing, and protects nothing.

use super::{Authentication, Broker, SessionId, connection::Stage};
use crate::{
    codec::{ReasonCode, Text},
    session::Violation,
};
use alloc::collections::BTreeMap;

/// What each User Name has.
#[derive(Debug, Default)]
pub(super) struct Users {
    /// Open connections.
    pub(super) connections: Count,
    /// Sessions, connected or not.
    pub(super) sessions: Count,
}

/// How many there are of each, by User Name if by nothing else.
#[derive(Debug)]
pub(super) struct Count<K = Text>(BTreeMap<K, usize>);

impl<K> Default for Count<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Clone + Ord> Count<K> {
    pub(super) fn add(&mut self, name: Option<&K>) {
        if let Some(name) = name {
            *self.0.entry(name.clone()).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, name: Option<&K>) {
        let Some(name) = name else { return };
        match self.0.get_mut(name) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = self.0.remove(name),
        }
    }

    pub(super) fn of(&self, name: &K) -> usize {
        self.0.get(name).copied().unwrap_or(0)
    }
}

impl Broker {
    /// Whether this user may have the Client Identifier of `old`, if that is a session, and one connection more; without such a
    /// session of its own, also whether it may have one more.
    pub(super) fn check_user(&self, old: Option<SessionId>, user_name: Option<&Text>) -> Result<(), Violation> {
        if !matches!(self.config.authentication, Authentication::Ask) {
            return Ok(());
        }
        let has_expired = old.is_some_and(|old| self.has_expired(old));
        let old = old.and_then(|old| self.sessions.get(&old));
        if !has_expired && old.is_some_and(|old| old.user_name.is_some() && old.user_name.as_ref() != user_name) {
            return Err(ANOTHERS);
        }
        let Some(name) = user_name else { return Ok(()) };
        let taken_over = old.and_then(|old| old.connection).and_then(|id| match &self.connections.get(&id)?.stage {
            Stage::Open(link) => link.user_name.as_ref(),
            _ => None,
        });
        let others = self.users.connections.of(name) - usize::from(taken_over == Some(name));
        if others >= self.config.maximum_connections_per_user {
            return Err(TOO_MANY);
        }
        let has_session = old.is_some_and(|old| old.user_name.as_ref() == Some(name));
        let is_full = !has_session && self.users.sessions.of(name) >= self.config.maximum_sessions_per_user;
        if is_full { Err(TOO_MANY_SESSIONS) } else { Ok(()) }
    }

    /// Whether a session that nobody owns has the Client Identifier of a user, who is not to inherit it.
    pub(super) fn is_nobodys(&self, session: SessionId, user_name: Option<&Text>) -> bool {
        matches!(self.config.authentication, Authentication::Ask)
            && user_name.is_some()
            && self.sessions.get(&session).is_some_and(|session| session.user_name.is_none())
    }
}

const ANOTHERS: Violation = Violation::new(
    ReasonCode::ClientIdentifierNotValid,
    "the session with this Client Identifier is another user's (3.1.3.1)",
);
const TOO_MANY_SESSIONS: Violation =
    Violation::new(ReasonCode::QuotaExceeded, "this user has as many sessions as one may have");
const TOO_MANY: Violation =
    Violation::new(ReasonCode::QuotaExceeded, "this user has as many connections as one may have");
