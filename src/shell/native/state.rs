//! All that a directory of state holds: as a broker that goes on, as a file to take along, and back.

use super::{
    access::USERS,
    storage::{Storage, StorageError, StorageProblem},
};
use crate::{
    broker::{Authentication, Broker, Config, Durability, Export, RestoreError, Restored},
    codec::Text,
    store::Key,
};
use bytes::Bytes;
use std::{collections::BTreeSet, error, fmt, path::Path};
use tokio::task::spawn_blocking;
use tracing::{debug, warn};

/// How much state there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Sessions.
    pub sessions: u64,
    /// Messages that wait for one of them or are in flight to it.
    pub messages: u64,
    /// Retained messages.
    pub retained_messages: u64,
    /// Records that say nothing that this version can use.
    pub rejected: u64,
}

/// The state in `directory` as one file, and how much it is. Records that this version cannot use are in it too.
///
/// # Errors
/// When there is no state, a server has it in use, or it cannot be read.
pub fn export(directory: &Path) -> Result<(Bytes, Contents), StorageError> {
    let records = Storage::open_existing(directory)?.records()?;
    let mut export = Export::new();
    records.iter().for_each(|(key, value)| export.push(key, value));
    Ok((export.finish(), look_into(&records).0))
}

/// Makes the state of a file that a host exported the state in `directory`, all or nothing, except for records that this
/// version cannot use: those are left out and counted. A `directory` that has state keeps it unless `replaces`.
///
/// # Errors
/// When the file is not whole, the directory has state, a server has it in use, or it cannot be written.
pub fn import(directory: &Path, file: Bytes, replaces: bool) -> Result<Contents, ImportError> {
    let mut records = Export::parse(file).map_err(ImportError::File)?;
    let (contents, rejected) = look_into(&records);
    let storage = Storage::open(directory).map_err(ImportError::Storage)?;
    if !replaces && storage.count().map_err(ImportError::Storage)? > 0 {
        return Err(ImportError::NotEmpty);
    }
    let rejected: BTreeSet<Bytes> = rejected.into_iter().map(|rejected| rejected.key).collect();
    records.retain(|(key, _)| !rejected.contains(key));
    storage.replace(&records).map_err(ImportError::Storage)?;
    Ok(contents)
}

/// Why a file was not imported. Nothing was changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportError {
    /// It is no export, or not whole: one sentence.
    File(&'static str),
    /// There is state already.
    NotEmpty,
    /// The directory cannot be used.
    Storage(StorageError),
}

impl fmt::Display for ImportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(sentence) => formatter.write_str(sentence),
            Self::NotEmpty => formatter.write_str("there is state already"),
            Self::Storage(error) => error.fmt(formatter),
        }
    }
}

impl error::Error for ImportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Storage(error) => Some(error),
            Self::File(_) | Self::NotEmpty => None,
        }
    }
}

/// The broker that left its state in `directory`, or a new one that begins it.
pub(super) async fn restore(
    directory: &Path,
    config: Config,
    seed: [u8; 32],
) -> Result<(Broker, Storage), StorageError> {
    let place = directory.to_owned();
    let restored = spawn_blocking(move || {
        let storage = Storage::open(&place)?;
        let records = storage.records()?;
        // Users are there to be asked for.
        let has_users = records.iter().any(is_user);
        let authentication = if has_users { Authentication::Ask } else { config.authentication };
        let Restored { broker, rejected } = Broker::restore(Config { authentication, ..config }, seed, records);
        complain(&place, &rejected);
        Ok((broker, storage))
    });
    restored.await.unwrap_or_else(|_| Err(StorageError::new(directory, StorageProblem::Failed)))
}

/// Whether a record is that of a user.
pub(super) fn is_user((key, _): &(Bytes, Bytes)) -> bool {
    matches!(Key::parse(key.clone()), Ok(Key::Kept(name)) if name.as_str().starts_with(USERS))
}

/// Whether there is anybody to ask for.
pub(super) fn has_users(broker: &Broker) -> bool {
    broker.kept(&Text::from_static(USERS)).next().is_some()
}

pub(super) fn contents(broker: &Broker) -> Contents {
    let statistics = broker.statistics();
    Contents {
        sessions: statistics.sessions,
        messages: statistics.messages_stored,
        retained_messages: statistics.retained_messages,
        rejected: 0,
    }
}

fn look_into(records: &[(Bytes, Bytes)]) -> (Contents, Vec<RestoreError>) {
    let config = Config { durability: Durability::Sessions, ..Config::default() };
    let Restored { broker, rejected } = Broker::restore(config, [0; 32], records.iter().cloned());
    (Contents { rejected: rejected.len() as u64, ..contents(&broker) }, rejected)
}

/// They are left where they are: another version may know them.
fn complain(directory: &Path, rejected: &[RestoreError]) {
    if !rejected.is_empty() {
        warn!("{} records in {} cannot be used and are left there", rejected.len(), directory.display());
    }
    for rejected in rejected {
        debug!("{rejected}");
    }
}
