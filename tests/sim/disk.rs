//! The disk: what is durable, and after it what was written and is not yet. Whatever follows a write waits for it, unless the
//! write itself may wait.

use super::state::Model;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

pub type Records = BTreeMap<Bytes, Bytes>;

/// A record put, or deleted.
pub type Write = (Bytes, Option<Bytes>);

pub struct Disk<Output> {
    durable: Records,
    pending: VecDeque<Batch<Output>>,
    /// The last input whose writes are durable, and the model behind it.
    survivor: (u64, Model),
    /// How many of the batches are being committed.
    committing: usize,
}

/// The writes of one input, and what waits for them.
struct Batch<Output> {
    input: u64,
    writes: Vec<Write>,
    /// Whether nothing waits for it.
    may_wait: bool,
    model: Option<Model>,
    held: Vec<Output>,
}

impl<Output> Disk<Output> {
    pub fn new(model: Model) -> Self {
        Self { durable: Records::new(), pending: VecDeque::new(), survivor: (0, model), committing: 0 }
    }

    /// Writes a part of what an input is to write, all of which may wait or none.
    pub fn write(&mut self, input: u64, may_wait: bool, write: Write) {
        match self.pending.back_mut() {
            Some(batch) if batch.input == input => batch.writes.push(write),
            _ => self.pending.push_back(Batch { input, writes: vec![write], may_wait, model: None, held: Vec::new() }),
        }
    }

    /// The input's writes are all there: this is what the model knew then.
    pub fn seal(&mut self, input: u64, model: &Model) {
        if let Some(batch) = self.pending.back_mut().filter(|batch| batch.input == input) {
            batch.model = Some(model.clone());
        }
    }

    /// Holds `output` until all that was written before and may not wait is durable; returns it when that is so already.
    pub fn hold(&mut self, output: Output) -> Option<Output> {
        match self.pending.iter_mut().rfind(|batch| !batch.may_wait) {
            Some(batch) => {
                batch.held.push(output);
                None
            }
            None => Some(output),
        }
    }

    /// Whether a commit may begin.
    pub fn is_idle_with_work(&self) -> bool {
        self.committing == 0 && !self.pending.is_empty()
    }

    /// One commit for all that was written so far.
    pub fn begin_commit(&mut self) {
        self.committing = self.pending.len();
    }

    /// The commit succeeded: what waited for it.
    pub fn end_commit(&mut self) -> Vec<Output> {
        let count = std::mem::take(&mut self.committing);
        self.make_durable(count)
    }

    pub fn flush(&mut self) -> Vec<Output> {
        self.committing = 0;
        self.make_durable(self.pending.len())
    }

    /// The machine fails: `survives` batches reached the disk, the rest is lost with all that waited for it.
    /// Returns the last input that survived and the model behind it.
    pub fn crash(&mut self, survives: usize) -> (u64, Model) {
        self.committing = 0;
        self.make_durable(survives.min(self.pending.len()));
        self.pending.clear();
        self.survivor.clone()
    }

    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// All records, durable or not.
    pub fn records(&self) -> Records {
        let mut records = self.durable.clone();
        self.pending.iter().flat_map(|batch| &batch.writes).for_each(|write| apply(&mut records, write));
        records
    }

    fn make_durable(&mut self, count: usize) -> Vec<Output> {
        let mut released = Vec::new();
        for batch in self.pending.drain(..count) {
            batch.writes.iter().for_each(|write| apply(&mut self.durable, write));
            if let Some(model) = batch.model {
                self.survivor = (batch.input, model);
            }
            released.extend(batch.held);
        }
        released
    }
}

pub fn apply(records: &mut Records, (key, value): &Write) {
    match value {
        Some(value) => _ = records.insert(key.clone(), value.clone()),
        None => _ = records.remove(key),
    }
}
