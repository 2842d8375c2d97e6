//! What the host keeps with the broker by a name of its own, such as its users: stored and exported like all else.
//! No packet reads or changes it.

use super::{Broker, mirror::Mirror};
use crate::{
    codec::Text,
    store::{self, Key},
};
use alloc::collections::BTreeMap;
use bytes::Bytes;

/// The host's values and about what they take in memory.
#[derive(Debug, Default)]
pub(super) struct Keepsakes {
    values: BTreeMap<Text, Bytes>,
    bytes: usize,
}

/// Why [`super::Input::Keep`] would do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepError {
    /// The name is empty.
    NoName,
    /// The value has more than 65,535 bytes.
    ValueTooLong,
    /// One value more is more than `maximum_kept_records`, or it takes more than `maximum_kept_bytes` leave.
    NoRoom,
}

impl Keepsakes {
    /// Puts a value in place of what was there.
    pub(super) fn insert(&mut self, name: &Text, value: &Bytes) {
        self.remove(name);
        self.bytes += size(name, value);
        self.values.insert(name.detached(), Bytes::copy_from_slice(value));
    }

    /// Whether there was one.
    fn remove(&mut self, name: &Text) -> bool {
        let removed = self.values.remove(name);
        self.bytes -= removed.as_ref().map_or(0, |value| size(name, value));
        removed.is_some()
    }
}

impl Broker {
    /// Whether [`super::Input::Keep`] would keep this.
    ///
    /// # Errors
    /// Why not. To take away what is not there is no error.
    pub fn may_keep(&self, name: &Text, value: Option<&Bytes>) -> Result<(), KeepError> {
        let Keepsakes { values, bytes } = &self.keepsakes;
        let Some(value) = value else { return Ok(()) };
        if name.is_empty() {
            return Err(KeepError::NoName);
        }
        if value.len() > MAXIMUM_VALUE {
            return Err(KeepError::ValueTooLong);
        }
        let old = values.get(name);
        let more = size(name, value).saturating_sub(old.map_or(0, |old| size(name, old)));
        let has_room = old.is_some() || values.len() < self.config.maximum_kept_records;
        if has_room && (more == 0 || bytes + more <= self.config.maximum_kept_bytes) {
            Ok(())
        } else {
            Err(KeepError::NoRoom)
        }
    }

    /// The values whose names begin with `prefix`, in the order of their names.
    pub fn kept<'broker>(
        &'broker self,
        prefix: &'broker Text,
    ) -> impl Iterator<Item = (&'broker Text, &'broker Bytes)> {
        let from = self.keepsakes.values.range(prefix..);
        from.take_while(move |(name, _)| name.as_str().starts_with(prefix.as_str()))
    }

    pub(super) fn keep(&mut self, name: &Text, value: Option<&Bytes>) {
        if self.may_keep(name, value).is_err() {
            return;
        }
        let key = Key::Kept(name.clone());
        match value {
            Some(value) => {
                self.keepsakes.insert(name, value);
                if self.is_durable() {
                    self.mirror.put(key, &store::Kept { value: value.clone() });
                }
            }
            None => {
                if self.keepsakes.remove(name) && self.is_durable() {
                    self.mirror.delete(key);
                }
            }
        }
    }

    /// Writes all that is kept.
    pub(super) fn write_kept(&self, mirror: &mut Mirror) {
        for (name, value) in &self.keepsakes.values {
            mirror.put(Key::Kept(name.clone()), &store::Kept { value: value.clone() });
        }
    }
}

impl core::fmt::Display for KeepError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::NoName => "the name of what is kept is empty",
            Self::ValueTooLong => "what is kept has more than 65,535 bytes",
            Self::NoRoom => "there is no room for one value more: raise maximumKeptRecords or maximumKeptBytes",
        })
    }
}

impl core::error::Error for KeepError {}

/// About what a value takes in memory.
fn size(name: &Text, value: &Bytes) -> usize {
    ENTRY + name.len() + value.len()
}

/// What it takes besides its bytes.
const ENTRY: usize = 192;
/// What every storage takes as one value.
const MAXIMUM_VALUE: usize = 65_535;
