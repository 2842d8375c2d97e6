//! Group commit: what the broker sent leaves once all that it had stored before is durable, in the order it was sent.
//! While one group becomes durable the next one gathers. Knows nothing of what is stored.

use super::{
    outbox::Batch,
    storage::{Changes, Storage, StorageError, StorageProblem},
};
use crate::broker::ConnectionId;
use bytes::Bytes;
use std::{future, mem, sync::Arc};
use tokio::task::{JoinHandle, spawn_blocking};

/// What leaves together.
#[derive(Default)]
pub(super) struct Group {
    pub batches: Vec<(ConnectionId, Batch)>,
    /// Who is closed after that.
    pub closing: Vec<ConnectionId>,
    /// Who is told after that.
    pub answers: Vec<Answer>,
}

/// Tells somebody that what came before is durable.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

/// The commits of one engine, one at a time.
pub(super) struct Commits {
    storage: Option<Arc<Storage>>,
    /// What the next group has to wait for.
    changes: Changes,
    running: Option<(JoinHandle<Result<(), StorageError>>, Group)>,
}

impl Commits {
    /// Without a storage nothing is kept, and nothing waits.
    pub(super) fn new(storage: Option<Storage>) -> Self {
        Self { storage: storage.map(Arc::new), changes: Changes::default(), running: None }
    }

    /// Adds to what the next group waits for; no value removes the record.
    pub(super) fn push(&mut self, key: Bytes, value: Option<Bytes>) {
        self.changes.push(key, value);
    }

    /// Whether a group is on its way, so that the next one has to gather.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether what is sent may leave at once.
    pub(super) fn are_none(&self) -> bool {
        !self.is_running() && (self.storage.is_none() || self.changes.is_empty())
    }

    /// Whether the group that gathers is so large that nothing should be added.
    pub(super) fn is_full(&self) -> bool {
        self.is_running() && self.changes.is_full()
    }

    /// Takes a group that leaves once its changes are durable, or gives it back: it has none. Only when none is running.
    pub(super) fn begin(&mut self, group: Group) -> Option<Group> {
        let storage = self.storage.clone().filter(|_| !self.changes.is_empty());
        let Some(storage) = storage else { return Some(group) };
        let changes = mem::take(&mut self.changes);
        self.running = Some((spawn_blocking(move || storage.commit(&changes)), group));
        None
    }

    /// Resolves when the running group may leave; never if there is none.
    ///
    /// # Errors
    /// When it must not, nor anything after it.
    pub(super) async fn finished(&mut self) -> Result<Group, StorageError> {
        let Some((commit, group)) = &mut self.running else { return future::pending().await };
        let result = commit.await;
        let group = mem::take(group);
        self.running = None;
        match (result, &self.storage) {
            (Ok(result), _) => result.map(|()| group),
            (Err(_), Some(storage)) => Err(StorageError::new(storage.directory(), StorageProblem::Failed)),
            (Err(_), None) => Ok(group), // without a storage nothing runs
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, process};

    fn group(closes: u64) -> Group {
        Group { closing: vec![ConnectionId(closes)], ..Group::default() }
    }

    fn key(key: &'static str) -> Bytes {
        Bytes::from_static(key.as_bytes())
    }

    #[tokio::test]
    async fn a_group_waits_for_its_changes_and_none_for_nothing() {
        let directory = env::temp_dir().join(format!("mqlite-commits-{}", process::id()));
        let storage = Storage::open(&directory).unwrap();
        let mut commits = Commits::new(Some(storage));
        assert_eq!(commits.begin(group(1)).unwrap().closing, [ConnectionId(1)]);
        assert!(!commits.is_running());

        commits.push(key("a"), Some(key("1")));
        commits.push(key("b"), Some(key("1")));
        commits.push(key("b"), None);
        commits.push(key("c"), None);
        commits.push(key("c"), Some(key("2")));
        assert!(commits.begin(group(2)).is_none() && commits.is_running());
        commits.push(key("a"), Some(Bytes::from(vec![0; 20 << 20])));
        assert!(commits.is_full());
        assert_eq!(commits.finished().await.unwrap().closing, [ConnectionId(2)]);
        assert!(!commits.is_running() && !commits.is_full());
        let records = commits.storage.as_ref().unwrap().records().unwrap();
        assert_eq!(records, [(key("a"), key("1")), (key("c"), key("2"))]);

        assert!(commits.begin(group(3)).is_none());
        assert_eq!(commits.finished().await.unwrap().closing, [ConnectionId(3)]);
        assert_eq!(commits.storage.as_ref().unwrap().records().unwrap()[0].1.len(), 20 << 20);
        fs::remove_dir_all(directory).unwrap();
    }
}
