//! What the host keeps for the broker that comes after a crash, or after a sleep that the connections outlive.

use bytes::Bytes;
use mqlite::broker::{Action, ConnectionId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Disk {
    pub records: BTreeMap<Bytes, Bytes>,
    /// The connections that are open, and what is remembered of each.
    pub connections: BTreeMap<ConnectionId, Bytes>,
    /// Kinds of the records that were put and deleted.
    pub puts: Vec<char>,
    pub deletes: Vec<char>,
    has_sent: BTreeSet<ConnectionId>,
}

impl Disk {
    /// A new input begins: what it writes comes before what it sends.
    pub fn begin(&mut self) {
        self.has_sent.clear();
    }

    pub fn perform(&mut self, action: &Action) {
        match action {
            Action::Put { key, value } => {
                assert!(self.has_sent.is_empty(), "put after something was sent");
                self.puts.push(char::from(key[0]));
                self.records.insert(key.clone(), value.clone());
            }
            Action::Delete { key } => {
                assert!(self.has_sent.is_empty(), "deleted after something was sent");
                self.deletes.push(char::from(key[0]));
                self.records.remove(key);
            }
            Action::Remember { connection, state } => {
                let known = self.connections.get_mut(connection).expect("an open connection");
                state.clone_into(known);
            }
            Action::Send { connection, .. } => _ = self.has_sent.insert(*connection),
            Action::Close { connection, .. } => _ = self.connections.remove(connection),
            Action::Authenticate { .. } | Action::Review { .. } | Action::Report(_) | Action::Published { .. } => {}
        }
    }
}
