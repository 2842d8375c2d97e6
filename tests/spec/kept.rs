//! A broker and its host's storage, with what that cost: for scripts about what is written.

use crate::harness::*;
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Durability, Input},
    codec::{Connect, ConnectProperties, Packet, Publish},
    time::Timestamp,
};
use std::collections::BTreeMap;

pub fn config() -> Config {
    Config { durability: Durability::Connections, ..Default::default() }
}

pub fn encoded(packet: Packet) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(V5, &mut bytes).unwrap();
    bytes.freeze()
}

/// A broker and all that its host keeps.
pub struct Kept {
    pub broker: Broker,
    pub config: Config,
    pub now: u64,
    pub records: BTreeMap<Bytes, Bytes>,
    pub states: BTreeMap<u64, Bytes>,
    /// Since this was taken last.
    pub written: Written,
    /// Whether what the last input caused may be written later.
    pub may_wait: bool,
    pub largest: usize,
}

/// What a host had to write: bytes are those of keys and values.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub puts: usize,
    pub put_bytes: usize,
    pub deletes: usize,
    pub states: usize,
    pub state_bytes: usize,
}

impl Kept {
    pub fn new(config: Config) -> Self {
        let broker = Broker::new(config.clone(), [1; 32]);
        let (records, states, written, may_wait) = Default::default();
        Self { broker, config, now: 1_000, records, states, written, may_wait, largest: 0 }
    }

    pub fn input(&mut self, input: Input) -> Vec<Action> {
        let actions = self.broker.handle(Timestamp(self.now), input);
        self.may_wait = actions.writes_may_wait();
        let actions: Vec<_> = actions.collect();
        for action in &actions {
            match action {
                Action::Put { key, value } => {
                    self.written.puts += 1;
                    self.written.put_bytes += key.len() + value.len();
                    self.largest = self.largest.max(value.len());
                    self.records.insert(key.clone(), value.clone());
                }
                Action::Delete { key } => {
                    self.written.deletes += 1;
                    self.records.remove(key);
                }
                Action::Remember { connection, state } => {
                    self.written.states += 1;
                    self.written.state_bytes += state.len();
                    self.states.insert(connection.0, state.clone());
                }
                Action::Close { connection, .. } => _ = self.states.remove(&connection.0),
                _ => {}
            }
        }
        actions
    }

    pub fn bytes(&mut self, connection: u64, bytes: impl Into<Bytes>) -> Vec<Action> {
        let connection = ConnectionId(connection);
        let mut actions = self.input(Input::Received { connection, bytes: bytes.into() });
        actions.extend(self.input(Input::Writable { connection }));
        actions
    }

    pub fn send(&mut self, connection: u64, packet: Packet) -> Vec<Action> {
        self.bytes(connection, encoded(packet))
    }

    pub fn connect(&mut self, connection: u64, connect: Connect) -> Vec<Action> {
        self.input(Input::Opened { connection: ConnectionId(connection) });
        self.send(connection, Packet::Connect(Box::new(connect)))
    }

    pub fn turns(&mut self) {
        while self.broker.deadline().is_some_and(|deadline| deadline.at.0 <= self.now) {
            self.input(Input::Timeout);
        }
    }

    /// What was written since this was asked last.
    pub fn written(&mut self) -> Written {
        std::mem::take(&mut self.written)
    }

    /// The kinds of the records that there are.
    pub fn kinds(&self) -> String {
        self.records.keys().map(|key| char::from(key[0])).collect()
    }

    /// Restores; connections go on under the numbers that `renumber` gives them.
    pub fn sleep(&mut self, renumber: impl Fn(u64) -> u64) {
        self.broker = Broker::restore(self.config.clone(), [2; 32], self.records.clone()).broker;
        for (connection, state) in std::mem::take(&mut self.states) {
            self.states.insert(renumber(connection), state.clone());
            self.input(Input::Resumed { connection: ConnectionId(renumber(connection)), state });
        }
        self.turns();
    }
}

pub fn resumable(name: &str) -> Connect {
    let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
    Connect { clean_start: false, properties, ..connect(name) }
}

pub fn publishes(actions: &[Action], to: u64) -> Vec<Publish> {
    let mut found = Vec::new();
    for action in actions {
        if let Action::Send { connection, frame } = action
            && connection.0 == to
        {
            let mut bytes = BytesMut::new();
            frame.write_to(&mut bytes);
            if let Packet::Publish(publish) = Packet::decode(bytes.freeze(), V5).unwrap() {
                found.push(publish);
            }
        }
    }
    found
}
