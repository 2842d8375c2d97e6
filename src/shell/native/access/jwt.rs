//! JSON Web Tokens (RFC 7519): who signed one, and what it says of a client.

use super::{
    keys::{JwtAlgorithm, Keys, Unavailable},
    names::{ExactGrant, are_within_limits, is_user_name},
    scope::{Scope, scopes_of},
};
use crate::{broker::Grant, time::Timestamp};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, decode_header};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What a token says that is good here and now.
#[derive(Clone, Debug)]
pub(super) struct TokenClaims {
    pub user_name: String,
    /// `exp`, and the leeway.
    pub expires_at: Timestamp,
    pub grants: Option<Vec<Grant>>,
    pub client_ids: Option<Vec<String>>,
    pub scopes: BTreeSet<Scope>,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// Nobody knows who signed it.
    Forged,
    /// It is genuine, but expired, or for another audience.
    Unfit,
    /// It is for other rooms.
    Elsewhere,
    /// The keys cannot be had now.
    Unavailable,
}

/// Checks tokens.
pub(super) struct Tokens {
    pub keys: Keys,
    /// Those that are allowed; `None` allows all that there is a key for.
    pub algorithms: Option<Vec<JwtAlgorithm>>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub leeway_seconds: u32,
}

impl Tokens {
    pub(super) async fn verify(&self, token: &str, room: &str, now: Timestamp) -> Result<TokenClaims, TokenFault> {
        let (algorithm, key_id) = head_of(token).ok_or(TokenFault::Forged)?;
        if self.algorithms.as_ref().is_some_and(|allowed| !allowed.contains(&algorithm)) {
            return Err(TokenFault::Forged);
        }
        let keys = self.keys.find(algorithm, key_id.as_deref()).await.map_err(|Unavailable| TokenFault::Unavailable)?;
        let claims = signed_by(token, |message, signature| keys.iter().any(|key| key.has_signed(message, signature)))
            .ok_or(TokenFault::Forged)?;
        self.read(&claims, room, now)
    }

    fn read(&self, claims: &[u8], room: &str, now: Timestamp) -> Result<TokenClaims, TokenFault> {
        let claims: Claims = serde_json::from_slice(claims).map_err(|_| TokenFault::Unfit)?;
        let leeway = f64::from(self.leeway_seconds);
        let now = now.0 as f64 / 1_000.0;
        let is_wanted =
            |wanted: &Option<String>, is_there: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(is_there);
        let is_fit = is_user_name(&claims.sub)
            && claims.exp + leeway > now
            && claims.exp <= LAST_SECOND
            && claims.nbf.is_none_or(|nbf| nbf - leeway <= now)
            && is_wanted(&self.issuer, &|wanted| claims.iss.as_deref() == Some(wanted))
            && is_wanted(&self.audience, &|wanted| claims.aud.as_ref().is_some_and(|aud| aud.names(wanted)))
            && are_within_limits(claims.grants.as_deref(), claims.client_ids.as_deref());
        if !is_fit {
            return Err(TokenFault::Unfit);
        }
        if !claims.room.as_ref().map_or(room == DEFAULT_ROOM, |rooms| rooms.names(room) || rooms.names("*")) {
            return Err(TokenFault::Elsewhere);
        }
        Ok(TokenClaims {
            user_name: claims.sub,
            expires_at: Timestamp(((claims.exp + leeway) * 1_000.0) as u64),
            grants: claims.grants.map(|grants| grants.into_iter().map(Into::into).collect()),
            client_ids: claims.client_ids,
            scopes: scopes_of(claims.scope.as_deref().unwrap_or_default()),
        })
    }
}

/// Whether a password is meant to be a token: three parts, of which the first is an object of JSON.
pub(super) fn is_token(text: &str) -> bool {
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(is_part)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<OneOrMany>,
    room: Option<OneOrMany>,
    grants: Option<Vec<ExactGrant>>,
    client_ids: Option<Vec<String>>,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn names(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

/// How it says that it is signed, and with which key. `None` for what is no token, or asks for more than its signature to be
/// understood.
fn head_of(token: &str) -> Option<(JwtAlgorithm, Option<String>)> {
    if token.len() > LONGEST_TOKEN || !is_token(token) {
        return None;
    }
    let header = decode_header(token).ok().filter(|header| header.crit.is_none())?;
    let algorithm = match header.alg {
        Algorithm::HS256 => JwtAlgorithm::HS256,
        Algorithm::RS256 => JwtAlgorithm::RS256,
        Algorithm::ES256 => JwtAlgorithm::ES256,
        Algorithm::EdDSA => JwtAlgorithm::EdDSA,
        _ => return None,
    };
    Some((algorithm, header.kid))
}

/// The claims, which nobody looks at before the signature is good.
fn signed_by(token: &str, has_signed: impl Fn(&[u8], &[u8]) -> bool) -> Option<Vec<u8>> {
    let (message, signature) = token.rsplit_once('.')?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    has_signed(message.as_bytes(), &signature).then_some(())?;
    BASE64_URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()
}

/// The room of a native server, and of tokens that name none.
pub(super) const DEFAULT_ROOM: &str = "default";
/// Bytes.
const LONGEST_TOKEN: usize = 8_192;
/// The end of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;
