//! The users, as they are kept with the broker: they travel with an export. A verifier never leaves by here but to who checks it.

use super::{
    names::{ExactGrant, are_within_limits, is_user_name},
    password::{SALT, create_verifier, prepared},
};
use crate::broker::Grant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{fmt, num::NonZeroU32};

/// What anybody is told of a user.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    /// How the user is called.
    pub name: String,
    /// The user's rights; `None` are those of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Grant>>,
    /// Patterns of the Client Identifiers that the user may have, with `%u` and `*` at the end; `None` is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<Vec<String>>,
}

/// What an operator says of a user.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UserChange {
    /// 8 to 256 characters. A user who is there keeps the password unless this says another.
    password: Option<String>,
    /// The user's rights; `None` are those of the settings.
    grants: Option<Vec<ExactGrant>>,
    /// Patterns of the Client Identifiers that the user may have.
    client_ids: Option<Vec<String>>,
}

/// What was wrong with a change of a user, in a sentence for who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserError(&'static str);

/// What is kept of a user.
#[derive(Clone)]
pub(super) struct UserRecord {
    /// A secret.
    pub verifier: String,
    pub grants: Option<Vec<Grant>>,
    pub client_ids: Option<Vec<String>>,
}

/// The name by which a user is kept.
pub(crate) fn key_of(name: &str) -> String {
    format!("{USERS}{name}")
}

/// What to tell of a user who is kept so; `None` for what is no user, or a record that cannot be read.
pub(crate) fn summary(key: &str, value: &[u8]) -> Option<UserSummary> {
    let name = key.strip_prefix(USERS)?.to_owned();
    let UserRecord { grants, client_ids, .. } = UserRecord::parse(value)?;
    Some(UserSummary { name, grants, client_ids })
}

/// What is to be kept of a user from now on; `known` is what was kept so far. It takes as long as a password is to take.
///
/// # Errors
/// When the name, the password or the lists are none.
pub(crate) fn change(
    name: &str,
    change: UserChange,
    known: Option<&[u8]>,
    iterations: NonZeroU32,
    salt: [u8; SALT],
) -> Result<Bytes, UserError> {
    if !is_user_name(name) || prepared(name).as_deref() != Some(name) {
        return Err(UserError::BAD_NAME);
    }
    let UserChange { password, grants, client_ids } = change;
    if !are_within_limits(grants.as_deref(), client_ids.as_deref()) {
        return Err(UserError(TOO_LONG));
    }
    let verifier = match password {
        Some(password) if !(SHORTEST..=LONGEST).contains(&password.chars().count()) => {
            return Err(UserError(BAD_LENGTH));
        }
        Some(password) => create_verifier(&password, iterations, salt).ok_or(UserError(BAD_PASSWORD))?,
        None => known.and_then(UserRecord::parse).map(|record| record.verifier).ok_or(UserError(NO_PASSWORD))?,
    };
    let grants = grants.map(|grants| grants.into_iter().map(Into::into).collect());
    let record = Kept::<Grant> { verifier, grants, client_ids };
    Ok(serde_json::to_vec(&record).expect("text, lists and numbers").into())
}

impl UserChange {
    /// What it does not say stays as it was.
    pub(crate) fn or_as_before(self, known: &[u8]) -> Self {
        let Ok(Kept { grants, client_ids, .. }) = serde_json::from_slice::<Kept<ExactGrant>>(known) else {
            return self;
        };
        let Self { password, grants: own_grants, client_ids: own_client_ids } = self;
        Self { password, grants: own_grants.or(grants), client_ids: own_client_ids.or(client_ids) }
    }

    /// The password: 8 to 256 characters.
    #[must_use]
    pub fn with_password(self, password: String) -> Self {
        Self { password: Some(password), ..self }
    }

    /// The patterns of the Client Identifiers that the user may have.
    #[must_use]
    pub fn with_client_ids(self, client_ids: Option<Vec<String>>) -> Self {
        Self { client_ids, ..self }
    }

    /// The user's rights.
    ///
    /// # Errors
    /// When the text is no list of them in JSON.
    pub fn with_grants(self, json: &str) -> Result<Self, UserError> {
        let grants = serde_json::from_str(json).map_err(|_| UserError(BAD_GRANTS))?;
        Ok(Self { grants: Some(grants), ..self })
    }
}

impl UserError {
    pub(crate) const BAD_NAME: Self = Self(BAD_NAME);
}

impl UserRecord {
    /// `None` also for a record that somebody made up: it lets nobody in.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let Kept { verifier, grants, client_ids } = serde_json::from_slice::<Kept<ExactGrant>>(value).ok()?;
        if !are_within_limits(grants.as_deref(), client_ids.as_deref()) {
            return None;
        }
        Some(Self { verifier, grants: grants.map(|grants| grants.into_iter().map(Into::into).collect()), client_ids })
    }
}

impl fmt::Debug for UserChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UserChange").finish_non_exhaustive()
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for UserError {}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept<Rule> {
    verifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    grants: Option<Vec<Rule>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ids: Option<Vec<String>>,
}

/// The names of what is kept of users begin so.
pub(crate) const USERS: &str = "user/";
/// Characters of a password.
const SHORTEST: usize = 8;
const LONGEST: usize = 256;

const BAD_NAME: &str = "A user name is 1 to 256 bytes of text in Unicode normal form NFKC, without control characters.";
const TOO_LONG: &str = "grants and clientIds have at most 256 entries, a pattern of a Client Identifier 1,024 bytes.";
const BAD_LENGTH: &str = "A password is a text of 8 to 256 characters.";
const BAD_PASSWORD: &str = "A password must be text without control characters.";
const NO_PASSWORD: &str = "A new user needs a password.";
const BAD_GRANTS: &str = "grants is a list of objects with filter and, if need be, publish, subscribe, maximumQos and retain, \
                          for example [{\"filter\":\"home/#\"}].";
