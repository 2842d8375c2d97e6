//! What a bearer may do over HTTP.

use std::collections::BTreeSet;

/// One thing that a bearer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Publish messages.
    Publish,
    /// Listen to messages.
    Subscribe,
    /// Read retained messages.
    Retained,
    /// See and disconnect clients.
    Clients,
    /// See and change users.
    Users,
    /// Read figures.
    Metrics,
    /// Take all state, and put it back.
    Backup,
    /// See which packets a client sends and is sent.
    Trace,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Publish,
        Self::Subscribe,
        Self::Retained,
        Self::Clients,
        Self::Users,
        Self::Metrics,
        Self::Backup,
        Self::Trace,
    ];

    /// As a claim names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
            Self::Retained => "retained",
            Self::Clients => "clients",
            Self::Users => "users",
            Self::Metrics => "metrics",
            Self::Backup => "backup",
            Self::Trace => "trace",
        }
    }
}

/// Those that a claim names, apart by spaces; `admin` is all. What does not exist counts for nothing.
pub(super) fn scopes_of(claim: &str) -> BTreeSet<Scope> {
    let names = |name: &str| claim.split(' ').any(|named| named == name);
    Scope::ALL.into_iter().filter(|scope| names("admin") || names(scope.name())).collect()
}
