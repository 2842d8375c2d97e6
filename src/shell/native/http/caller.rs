//! Who asks, and what its token lets it do.

use super::{Visitor, failure::Failure};
use crate::{broker::Grants, codec::Text, time::Timestamp};
use axum::http::{HeaderMap, StatusCode, header};

/// Whoever brought a token that is valid.
#[derive(Clone, Debug)]
pub(in super::super) struct Caller {
    pub name: Text,
    pub scopes: Vec<String>,
    pub grants: Grants,
    pub expires_at: Option<Timestamp>,
}

/// Checks tokens.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Gate {
    pub admin_token: Option<String>,
}

impl Gate {
    /// # Errors
    /// When there is no valid token, or it has not this scope.
    pub(super) async fn caller(
        &self,
        headers: &HeaderMap,
        in_query: Option<&str>,
        _visitor: Visitor,
        scope: &'static str,
    ) -> Result<Caller, Failure> {
        let unauthorized = || Failure::new(StatusCode::UNAUTHORIZED, "A valid bearer token is needed.");
        let token = bearer(headers).or(in_query).ok_or_else(unauthorized)?;
        if !self.admin_token.as_ref().is_some_and(|admin| is_same(admin.as_bytes(), token.as_bytes())) {
            return Err(unauthorized());
        }
        let caller = Caller {
            name: Text::from_static("admin"),
            scopes: vec!["admin".into()],
            grants: Grants::all(),
            expires_at: None,
        };
        let may = caller.scopes.iter().any(|own| own == scope || own == "admin");
        if may { Ok(caller) } else { Err(Failure::scope(scope)) }
    }
}

/// In a time that says nothing of where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

/// The token of `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
