//! Which session is whose, and how many connections each user has. Both count only where the host finds out who a client is:
//! elsewhere a User Name proves nothing, and protects nothing.

use super::{Authentication, Broker, SessionId, connection::Stage};
use crate::{
    codec::{ReasonCode, Text},
    session::Violation,
};
use alloc::collections::BTreeMap;

/// How many open connections there are with each User Name.
#[derive(Debug, Default)]
pub(super) struct Users(BTreeMap<Text, usize>);

impl Users {
    pub(super) fn add(&mut self, user_name: Option<&Text>) {
        if let Some(name) = user_name {
            *self.0.entry(name.clone()).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, user_name: Option<&Text>) {
        let Some(name) = user_name else { return };
        match self.0.get_mut(name) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = self.0.remove(name),
        }
    }

    fn connections(&self, name: &Text) -> usize {
        self.0.get(name).copied().unwrap_or(0)
    }
}

impl Broker {
    /// Whether this user may have the Client Identifier of `old`, if that is a session, and one connection more.
    pub(super) fn check_user(&self, old: Option<SessionId>, user_name: Option<&Text>) -> Result<(), Violation> {
        if !matches!(self.config.authentication, Authentication::Ask) {
            return Ok(());
        }
        let old = old.filter(|old| !self.has_expired(*old)).and_then(|old| self.sessions.get(&old));
        if old.is_some_and(|old| old.user_name.is_some() && old.user_name.as_ref() != user_name) {
            return Err(ANOTHERS);
        }
        let Some(name) = user_name else { return Ok(()) };
        let taken_over = old.and_then(|old| old.connection).and_then(|id| match &self.connections.get(&id)?.stage {
            Stage::Open(link) => link.user_name.as_ref(),
            _ => None,
        });
        let others = self.users.connections(name) - usize::from(taken_over == Some(name));
        if others >= self.config.maximum_connections_per_user { Err(TOO_MANY) } else { Ok(()) }
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
const TOO_MANY: Violation =
    Violation::new(ReasonCode::QuotaExceeded, "this user has as many connections as one may have");
