//! The users in a directory of state that no server has in use: how the first one comes to be.

use super::{
    access::{SALT, USERS, UserChange, UserError, UserSummary, change_user, user_key, user_summary},
    storage::{Changes, Storage, StorageError},
};
use crate::{
    broker::{Broker, Config, Durability, KeepError},
    codec::Text,
    store::{Kept, Key, Record},
};
use bytes::Bytes;
use std::{error, fmt, num::NonZeroU32, path::Path};

/// Adds a user to the state in `directory`, which is begun if there is none; or changes what `change` says of one who is
/// there. Whether the user is a new one.
///
/// # Errors
/// When the user cannot be so, there is no room, or the directory cannot be used.
pub fn add_user(
    directory: &Path,
    name: &str,
    change: UserChange,
    iterations: NonZeroU32,
) -> Result<bool, AccountError> {
    let storage = Storage::open(directory)?;
    let broker = restored(&storage)?;
    let key = key_of(name)?;
    let known = kept(&broker, &key);
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|_| AccountError::Seed)?;
    let change = match &known {
        Some(known) => change.or_as_before(known),
        None => change,
    };
    let value = change_user(name, change, known.as_deref(), iterations, salt)?;
    broker.may_keep(&key, Some(&value))?;
    commit(&storage, key, Some(value))?;
    Ok(known.is_none())
}

/// Removes a user from the state in `directory`. Whether there was one.
///
/// # Errors
/// When the directory cannot be used.
pub fn remove_user(directory: &Path, name: &str) -> Result<bool, AccountError> {
    let storage = Storage::open_existing(directory)?;
    let key = key_of(name)?;
    let is_known = kept(&restored(&storage)?, &key).is_some();
    if is_known {
        commit(&storage, key, None)?;
    }
    Ok(is_known)
}

/// The users of the state in `directory`, by name.
///
/// # Errors
/// When the directory cannot be used.
pub fn users(directory: &Path) -> Result<Vec<UserSummary>, AccountError> {
    let broker = restored(&Storage::open_existing(directory)?)?;
    let prefix = Text::from_static(USERS);
    Ok(broker.kept(&prefix).filter_map(|(key, value)| user_summary(key.as_str(), value)).collect())
}

/// Why users were not changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum AccountError {
    /// There cannot be such a user.
    User(UserError),
    /// There is no room for one more.
    Room(KeepError),
    /// The system gives no random numbers.
    Seed,
    /// The directory cannot be used.
    Storage(StorageError),
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(error) => error.fmt(formatter),
            Self::Room(error) => error.fmt(formatter),
            Self::Seed => formatter.write_str("the system gives no random numbers"),
            Self::Storage(error) => error.fmt(formatter),
        }
    }
}

impl error::Error for AccountError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::User(error) => Some(error),
            Self::Room(error) => Some(error),
            Self::Seed => None,
            Self::Storage(error) => Some(error),
        }
    }
}

impl From<UserError> for AccountError {
    fn from(error: UserError) -> Self {
        Self::User(error)
    }
}

impl From<KeepError> for AccountError {
    fn from(error: KeepError) -> Self {
        Self::Room(error)
    }
}

impl From<StorageError> for AccountError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// To look at, not to go on with.
fn restored(storage: &Storage) -> Result<Broker, StorageError> {
    let config = Config { durability: Durability::Sessions, ..Config::default() };
    Ok(Broker::restore(config, [0; 32], storage.records()?).broker)
}

fn key_of(name: &str) -> Result<Text, UserError> {
    Text::try_from(user_key(name)).map_err(|_| UserError::BAD_NAME)
}

fn kept(broker: &Broker, key: &Text) -> Option<Bytes> {
    broker.kept(key).next().filter(|(first, _)| *first == key).map(|(_, value)| value.clone())
}

fn commit(storage: &Storage, key: Text, value: Option<Bytes>) -> Result<(), StorageError> {
    let mut changes = Changes::default();
    changes.push(Key::Kept(key).to_bytes(), value.map(|value| Kept { value }.to_value()));
    storage.commit(&changes)
}
