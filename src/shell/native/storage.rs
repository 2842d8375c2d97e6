//! A broker's records in a directory: one `redb` file with one table, for one process at a time. Knows no broker.

use bytes::Bytes;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::{
    collections::BTreeMap,
    error, fmt,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Open and locked until it is dropped.
#[derive(Debug)]
pub(super) struct Storage {
    directory: PathBuf,
    database: Database,
    _lock: File,
}

/// What is to become durable as one: for each key the last that was said of it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    by_key: BTreeMap<Bytes, Option<Bytes>>,
    bytes: usize,
}

impl Storage {
    /// Opens what is in `directory`, or begins it, with the directory itself if need be.
    pub(super) fn open(directory: &Path) -> Result<Self, StorageError> {
        create_directory(directory).map_err(|error| StorageError::of_io(directory, error))?;
        Self::open_locked(directory, true)
    }

    /// Opens what is in `directory`.
    pub(super) fn open_existing(directory: &Path) -> Result<Self, StorageError> {
        match fs::exists(directory.join(FILE)) {
            Ok(true) => Self::open_locked(directory, false),
            Ok(false) => Err(StorageError::new(directory, StorageProblem::Missing)),
            Err(error) => Err(StorageError::of_io(directory, error)),
        }
    }

    fn open_locked(directory: &Path, may_begin: bool) -> Result<Self, StorageError> {
        let of_io = |error| StorageError::of_io(directory, error);
        let lock = lock(directory)?;
        let path = directory.join(FILE);
        if may_begin && !fs::exists(&path).map_err(of_io)? {
            // Under its own name only once it is whole: a process may be killed here too.
            let unfinished = directory.join(UNFINISHED_FILE);
            match fs::remove_file(&unfinished) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(of_io(error)),
                _ => {}
            }
            let begun = begin(&unfinished).map_err(|error| StorageError::of_redb(directory, error));
            begun.inspect_err(|_| _ = fs::remove_file(&unfinished))?;
            fs::rename(&unfinished, &path).map_err(of_io)?;
            sync_directory(directory).map_err(of_io)?;
        }
        // The check reads the file once more, and is what tells damage from state.
        let opened = Builder::new().set_cache_size(CACHE).set_check_integrity_on_open(true).open(&path);
        let database = opened.map_err(|error| StorageError::of_redb(directory, error.into()))?;
        let storage = Self { directory: directory.to_owned(), database, _lock: lock };
        storage.count()?;
        Ok(storage)
    }

    /// Every record, in the order of their keys.
    pub(super) fn records(&self) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        self.tried(|database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            let mut records = Vec::new();
            for record in table.iter()? {
                let (key, value) = record?;
                records.push((Bytes::copy_from_slice(key.value()), Bytes::copy_from_slice(value.value())));
            }
            Ok(records)
        })
    }

    /// How many records there are.
    pub(super) fn count(&self) -> Result<u64, StorageError> {
        self.tried(|database| Ok(database.begin_read()?.open_table(RECORDS)?.len()?))
    }

    /// Makes `changes` durable, all or none.
    pub(super) fn commit(&self, changes: &Changes) -> Result<(), StorageError> {
        self.tried(|database| {
            let transaction = begin_write(database)?;
            let mut table = transaction.open_table(RECORDS)?;
            for (key, value) in &changes.by_key {
                match value {
                    Some(value) => drop(table.insert(&key[..], &value[..])?),
                    None => drop(table.remove(&key[..])?),
                }
            }
            drop(table);
            Ok(transaction.commit()?)
        })
    }

    /// Puts `records` in place of all that is there, all or none.
    pub(super) fn replace(&self, records: &[(Bytes, Bytes)]) -> Result<(), StorageError> {
        self.tried(|database| {
            let transaction = begin_write(database)?;
            transaction.delete_table(RECORDS)?;
            let mut table = transaction.open_table(RECORDS)?;
            for (key, value) in records {
                table.insert(&key[..], &value[..])?;
            }
            drop(table);
            Ok(transaction.commit()?)
        })
    }

    /// Whether `path` is, or would be, a file of the storage in `directory`, however it is named.
    pub(super) fn owns(directory: &Path, path: &Path) -> io::Result<bool> {
        let directory = fs::canonicalize(directory)?;
        let path = resolve(path)?;
        Ok([FILE, UNFINISHED_FILE, LOCK].into_iter().any(|name| {
            let own = directory.join(name);
            path == own || fs::canonicalize(own).is_ok_and(|own| path == own)
        }))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn tried<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StorageError> {
        work(&self.database).map_err(|error| StorageError::of_redb(&self.directory, error))
    }
}

impl Changes {
    /// `None` removes the record.
    pub(super) fn push(&mut self, key: Bytes, value: Option<Bytes>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len) + OVERHEAD;
        self.by_key.insert(key, value);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Whether what waits to be stored takes so much memory that no more should come.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MOST_WAITING
    }
}

/// Why state cannot be kept, in one sentence that says where and what helps.
#[derive(Debug)]
pub struct StorageError {
    directory: PathBuf,
    problem: StorageProblem,
    source: Option<Box<redb::Error>>,
}

/// What is wrong with a directory of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageProblem {
    /// Another process has it open.
    InUse,
    /// It holds no state.
    Missing,
    /// It is no directory.
    NotADirectory,
    /// This user may not write to it.
    Denied,
    /// Its file is not one of MQlite.
    Foreign,
    /// Its file is not what was written.
    Damaged,
    /// The disk, or what this user may have of it, is full.
    Full,
    /// Anything else that the system said.
    Failed,
}

impl StorageError {
    pub(super) fn new(directory: &Path, problem: StorageProblem) -> Self {
        Self { directory: directory.to_owned(), problem, source: None }
    }

    fn of_io(directory: &Path, error: io::Error) -> Self {
        Self::of_redb(directory, error.into())
    }

    fn of_redb(directory: &Path, error: redb::Error) -> Self {
        let problem = match &error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => StorageProblem::InUse,
            redb::Error::Corrupted(_) => StorageProblem::Damaged,
            redb::Error::UpgradeRequired(_)
            | redb::Error::TableDoesNotExist(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_) => StorageProblem::Foreign,
            redb::Error::Io(error) => match error.kind() {
                ErrorKind::InvalidData => StorageProblem::Foreign,
                ErrorKind::UnexpectedEof => StorageProblem::Damaged,
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StorageProblem::Full,
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StorageProblem::Denied,
                ErrorKind::NotADirectory | ErrorKind::AlreadyExists => StorageProblem::NotADirectory,
                _ => StorageProblem::Failed,
            },
            _ => StorageProblem::Failed,
        };
        Self { directory: directory.to_owned(), problem, source: Some(Box::new(error)) }
    }

    /// The directory, as it was named.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What is wrong with it.
    pub fn problem(&self) -> StorageProblem {
        self.problem
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        let file = self.directory.join(FILE);
        let file = file.display();
        match self.problem {
            StorageProblem::InUse => write!(formatter, "{directory} is in use by another mqlite"),
            StorageProblem::Missing => write!(formatter, "{directory} holds no state of mqlite"),
            StorageProblem::NotADirectory => write!(formatter, "{directory} is no directory"),
            StorageProblem::Denied => write!(formatter, "{directory} cannot be written by this user"),
            StorageProblem::Foreign => {
                write!(formatter, "{file} is no file of this mqlite, and was left as it is: move it away to begin anew")
            }
            StorageProblem::Damaged => {
                write!(formatter, "{file} is damaged, and was left as it is: move it away to begin anew")
            }
            StorageProblem::Full => write!(
                formatter,
                "there is no room for more in {directory}: make some, and start again; what was acknowledged is kept"
            ),
            StorageProblem::Failed => match &self.source {
                Some(error) => write!(formatter, "{directory} cannot keep state ({error})"),
                None => write!(formatter, "{directory} cannot keep state"),
            },
        }
    }
}

impl error::Error for StorageError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}

/// A file with an empty table, for this user alone, closed again.
fn begin(path: &Path) -> Result<(), redb::Error> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.write(true).create_new(true).open(path)?);
    let database = Builder::new().set_cache_size(CACHE).create(path)?;
    let transaction = begin_write(&database)?;
    transaction.open_table(RECORDS)?;
    transaction.commit()?;
    database.close().map_err(DatabaseError::into)
}

/// In two phases: after a crash the last commit is then either whole or known to be damaged, never taken back unseen.
fn begin_write(database: &Database) -> Result<redb::WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

fn lock(directory: &Path) -> Result<File, StorageError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(directory.join(LOCK));
    let file = opened.map_err(|error| StorageError::of_io(directory, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::new(directory, StorageProblem::InUse)),
        // Where files cannot be locked, redb has its own way to see that it is alone, or nobody has.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(StorageError::of_io(directory, error)),
    }
}

/// For this user alone: messages are in it.
fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made: Vec<&Path> = directory.ancestors().take_while(|directory| !directory.is_dir()).collect();
    builder.recursive(true).create(directory)?;
    made.into_iter().filter(|made| made != &Path::new("")).try_for_each(|made| sync_directory(parent(made)))
}

/// The directory that a path's name is in.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| parent != &Path::new("")).unwrap_or(Path::new("."))
}

/// The path without links, of a file that may yet come to be.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(path), path.file_name()) {
        (Err(error), Some(name)) if error.kind() == ErrorKind::NotFound => {
            Ok(fs::canonicalize(parent(path))?.join(name))
        }
        (resolved, _) => resolved,
    }
}

/// A new name in a directory outlives a loss of power once the directory is synced, where the system knows such.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
const FILE: &str = "mqlite.redb";
const UNFINISHED_FILE: &str = "mqlite.redb.new";
const LOCK: &str = "mqlite.lock";
/// The broker has all state in memory: what redb caches is for its own tree.
const CACHE: usize = 16 << 20;
/// Changes that wait for a commit, in bytes.
const MOST_WAITING: usize = 16 << 20;
/// Bytes that a change takes beside its key and value, about.
const OVERHEAD: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    /// Root may do everything, so what others meet is made up here.
    #[test]
    fn what_the_system_says_becomes_one_sentence_that_names_the_directory() {
        let said = |kind: ErrorKind| StorageError::of_io(Path::new("/srv/mqtt"), kind.into()).to_string();
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
            assert_eq!(said(kind), "/srv/mqtt cannot be written by this user");
        }
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
            assert!(said(kind).starts_with("there is no room for more in /srv/mqtt: "));
        }
        assert_eq!(said(ErrorKind::TimedOut), "/srv/mqtt cannot keep state (I/O error: timed out)");
    }
}
