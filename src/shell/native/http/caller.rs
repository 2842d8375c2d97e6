//! Who asks, and what its token lets it do.

use super::{
    super::access::{Access, Refusal},
    Visitor,
    failure::Failure,
};
use crate::{
    broker::{self, Grants},
    codec::Text,
    time::Timestamp,
};
use axum::http::{HeaderMap, header};
use std::sync::Arc;

/// Whoever brought a token that is valid.
#[derive(Clone, Debug)]
pub(in super::super) struct Caller {
    /// `None` for the operator, who is no user.
    pub user_name: Option<Text>,
    pub grants: Grants,
    pub expires_at: Option<Timestamp>,
}

/// Checks tokens.
#[derive(Clone)]
pub(in super::super) struct Gate(pub Arc<Access>);

impl Caller {
    /// As the broker knows those who have no connection.
    pub(super) fn for_broker(&self) -> broker::Caller {
        broker::Caller { user_name: self.user_name.clone(), grants: self.grants.clone() }
    }
}

impl Gate {
    /// # Errors
    /// When there is no valid token, or it has not this scope.
    pub(super) async fn caller(
        &self,
        headers: &HeaderMap,
        in_query: Option<&str>,
        visitor: Visitor,
        scope: &'static str,
    ) -> Result<Caller, Failure> {
        let token = bearer(headers).or(in_query);
        let found = self.0.bearer(token, visitor.address.ip()).await.map_err(Failure::of_bearer)?;
        if !found.scopes.iter().any(|own| own.name() == scope) {
            return Err(Failure::scope(scope));
        }
        let user_name = found.user_name.map(Text::try_from).transpose();
        let user_name = user_name.map_err(|_| Failure::of_bearer(Refusal::Unfit))?;
        Ok(Caller { user_name, grants: found.grants, expires_at: found.expires_at })
    }
}

/// The token of `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
