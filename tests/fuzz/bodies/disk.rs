//! A broker with its host's storage: what it writes there, what another one makes of it, and what may happen to it meanwhile.

use super::{Source, one_of};
use arbitrary::Result;
use bytes::Bytes;
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Input, MAXIMUM_STATE, Restored},
    time::Timestamp,
};
use std::collections::BTreeMap;

pub struct Side {
    pub broker: Broker,
    pub disk: Disk,
}

/// Records by their keys, and what is remembered beside connections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disk {
    records: BTreeMap<Bytes, Bytes>,
    connections: BTreeMap<ConnectionId, Bytes>,
}

impl Side {
    pub fn new(config: &Config) -> Self {
        Self { broker: Broker::new(config.clone(), [0; 32]), disk: Disk::default() }
    }

    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Action> {
        match &input {
            Input::Closed { connection } => _ = self.disk.connections.remove(connection),
            // What is remembered stays, until it is another thing.
            Input::Resumed { connection, state } => _ = self.disk.connections.insert(*connection, state.clone()),
            _ => {}
        }
        let actions: Vec<_> = self.broker.handle(now, input).collect();
        let is_sent = |action: &Action| matches!(action, Action::Send { .. } | Action::Close { .. });
        let first_sent = actions.iter().position(is_sent).unwrap_or(actions.len());
        for (place, action) in actions.iter().enumerate() {
            match action {
                Action::Put { key, value } => _ = self.disk.records.insert(key.clone(), value.clone()),
                Action::Delete { key } => _ = self.disk.records.remove(key),
                Action::Remember { connection, state } => {
                    assert!(state.len() <= MAXIMUM_STATE);
                    self.disk.connections.insert(*connection, state.clone());
                }
                Action::Close { connection, .. } => {
                    self.disk.connections.remove(connection);
                    continue;
                }
                _ => continue,
            }
            assert!(place < first_sent, "what is kept comes before what is sent");
        }
        actions
    }

    /// Does what is due.
    pub fn serve(&mut self, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        for _ in 0..1_000 {
            if self.broker.deadline().is_none_or(|deadline| deadline.at > now) {
                return actions;
            }
            actions.extend(self.handle(now, Input::Timeout));
        }
        panic!("there is always more to do: {:?}", self.broker.deadline());
    }

    /// Another broker is made of what this one left and `changes` made of that. Tells what connections are remembered.
    pub fn restart(
        &mut self,
        config: &Config,
        seed: u8,
        changes: &[Change],
        is_sound: bool,
    ) -> BTreeMap<ConnectionId, Bytes> {
        for change in changes {
            change.apply(&mut self.disk);
        }
        let restore = |records: &BTreeMap<Bytes, Bytes>| Broker::restore(config.clone(), [seed; 32], records.clone());
        let Restored { rejected, .. } = restore(&self.disk.records);
        assert!(!is_sound || rejected.is_empty(), "{rejected:?}");
        for error in rejected {
            assert!(self.disk.records.remove(&error.key).is_some(), "a record that there was");
        }
        let Restored { broker, rejected } = restore(&self.disk.records);
        assert_eq!(rejected, [], "what is left is sound");
        self.broker = broker;
        std::mem::take(&mut self.disk.connections)
    }
}

/// Something that a storage should not do.
#[derive(Debug)]
pub enum Change {
    Lose(usize),
    Cut(usize, usize),
    Flip(usize, usize, u8),
    /// One record has the value of another.
    Mix(usize, usize),
    /// A record has another key.
    Move(usize, usize, u8),
    Add(Vec<u8>, Vec<u8>),
    /// What is remembered of a connection has changed there.
    FlipState(usize, usize, u8),
}

impl Change {
    /// None at all, often.
    pub fn some(source: &mut Source<'_>) -> Result<Vec<Self>> {
        (0..one_of(source, &[0, 1, 1, 2, 5])?).map(|_| Self::any(source)).collect()
    }

    fn any(source: &mut Source<'_>) -> Result<Self> {
        let (record, place) = (usize::from(source.arbitrary::<u8>()?), usize::from(source.arbitrary::<u8>()?));
        Ok(match source.int_in_range(0..=9_u8)? {
            0 => Self::Lose(record),
            1 => Self::Cut(record, place),
            2 => Self::Mix(record, place),
            3 | 4 => Self::Move(record, place, source.arbitrary()?),
            5 => Self::FlipState(record, place, source.arbitrary()?),
            6 => Self::Add(bytes(source)?, bytes(source)?),
            _ => Self::Flip(record, place, source.arbitrary()?),
        })
    }

    fn apply(&self, disk: &mut Disk) {
        let mut values: Vec<_> = disk.records.values_mut().collect();
        let (records, states) = (values.len().max(1), disk.connections.len().max(1));
        match self {
            Self::Lose(record) => {
                let key = disk.records.keys().nth(record % records).cloned();
                key.map(|key| disk.records.remove(&key));
            }
            Self::Move(record, place, mask) => {
                let entry = disk.records.iter().nth(record % records).map(|(key, value)| (key.clone(), value.clone()));
                if let Some((mut key, value)) = entry {
                    disk.records.remove(&key);
                    flip(&mut key, *place, *mask);
                    disk.records.insert(key, value);
                }
            }
            Self::Cut(record, length) => {
                values.into_iter().nth(record % records).into_iter().for_each(|value| value.truncate(*length));
            }
            Self::Flip(record, place, mask) => {
                values.into_iter().nth(record % records).into_iter().for_each(|value| flip(value, *place, *mask));
            }
            Self::Mix(record, other) => {
                if let Some(value) = values.get(other % records).map(|value| (**value).clone()) {
                    *values[record % records] = value;
                }
            }
            Self::Add(key, value) => _ = disk.records.insert(key.clone().into(), value.clone().into()),
            Self::FlipState(connection, place, mask) => {
                let state = disk.connections.values_mut().nth(connection % states);
                state.into_iter().for_each(|state| flip(state, *place, *mask));
            }
        }
    }
}

fn flip(value: &mut Bytes, place: usize, mask: u8) {
    let mut bytes = value.to_vec();
    let length = bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(place % length) {
        *byte ^= mask;
    }
    *value = bytes.into();
}

fn bytes(source: &mut Source<'_>) -> Result<Vec<u8>> {
    let length = source.int_in_range(0..=20_u8)?.into();
    Ok(source.bytes(source.len().min(length))?.to_vec())
}
