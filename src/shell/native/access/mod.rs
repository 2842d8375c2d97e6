//! Who is let in, and with which rights: users with passwords, tokens, and those who say nothing of themselves.
//! Knows neither the broker nor the sockets, only what a client said and what is kept of users.

mod arrivals;
mod failures;
mod jwks;
mod jwt;
mod keys;
mod login;
mod names;
mod origins;
mod password;
mod proved;
mod proxies;
mod recent;
mod scope;
mod scram;
mod users;
#[cfg(test)]
mod vectors;

pub(super) use arrivals::{Arrivals, Turn};
pub(super) use login::{Basis, Judgement, SECRET, SECRET_BYTES, Token, Visitor};
pub(super) use origins::{Origins, normal as normal_origin};
pub(super) use password::SALT;
pub(super) use proxies::{Address, BAD_PROXY, Proxies, network as proxy_network};
pub(super) use users::{USERS, change as change_user, key_of as user_key, summary as user_summary};
pub use {
    keys::JwtAlgorithm,
    scope::Scope,
    users::{UserChange, UserError, UserSummary},
};

use self::{
    failures::Failures,
    jwks::Jwks,
    jwt::{DEFAULT_ROOM, TokenClaims, TokenFault, Tokens},
    keys::{Key, Keys},
    proved::Proved,
};
use super::settings::{AuthenticationConfig, JwtConfig, Secrets, ServerConfig, SettingError};
use crate::{broker::Grants, time::Timestamp};
use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Instant, SystemTime},
};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

/// Whoever may use the HTTP API.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The `sub` of the token; `None` for the operator's, who is no user.
    pub user_name: Option<String>,
    /// What may be done.
    pub scopes: BTreeSet<Scope>,
    /// What may be published, subscribed to and read.
    pub grants: Grants,
    /// When the token expires: what goes on for longer, such as a stream of events, ends then.
    pub expires_at: Option<Timestamp>,
}

/// Why a bearer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no token.
    NoToken,
    /// Nobody knows who signed it.
    Forged,
    /// It is genuine, but expired, or for another audience.
    Unfit,
    /// It is for other rooms.
    Elsewhere,
    /// Too many have failed from there.
    TooManyFailures,
    /// The keys cannot be had now.
    Unavailable,
}

impl Refusal {
    /// The status of the answer. 401 is answered with `WWW-Authenticate: Bearer`.
    pub const fn status(self) -> u16 {
        match self {
            // For other rooms: here it is the token of nobody.
            Self::NoToken | Self::Forged | Self::Unfit | Self::Elsewhere => 401,
            Self::TooManyFailures => 429,
            Self::Unavailable => 503,
        }
    }

    /// A sentence for the answer.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoToken => "Send a token: Authorization: Bearer TOKEN.",
            Self::Forged => "The token is not valid.",
            Self::Unfit => "The token has expired, or is for somebody else.",
            Self::Elsewhere => "The token is for other rooms.",
            Self::TooManyFailures => "Too many attempts have failed: wait a minute.",
            Self::Unavailable => "Tokens cannot be checked just now: try again.",
        }
    }
}

/// Decides who is let in.
pub(super) struct Access {
    /// How clients are judged that ask the broker.
    config: AuthenticationConfig,
    tokens: Option<Tokens>,
    admin_token: Option<String>,
    pub origins: Origins,
    pub proxies: Proxies,
    pub arrivals: Arrivals,
    failures: Mutex<Failures>,
    /// Passwords that were not found among those that were right before, and then had to wait.
    looks: Mutex<Failures>,
    proved: Mutex<Proved>,
    /// Passwords that are looked at, at a time.
    work: Arc<Semaphore>,
}

impl Access {
    /// What decides by these settings, with the secrets of the files that they name.
    ///
    /// # Errors
    /// When a file cannot be read, or a key not be used.
    pub(super) fn open(config: &ServerConfig) -> Result<Self, SettingError> {
        Self::new(config, &Secrets::read(config).map_err(|mut unread| unread.remove(0))?)
    }

    /// What decides by these settings and secrets.
    ///
    /// # Errors
    /// When a key cannot be used.
    pub(super) fn new(config: &ServerConfig, secrets: &Secrets) -> Result<Self, SettingError> {
        let authentication = config.authentication.clone().unwrap_or_default();
        let tokens = authentication.jwt.as_ref().map(|jwt| Tokens::new(jwt, secrets)).transpose()?;
        let admin_token = secrets.admin_token.clone();
        let is_long = |token: &String| token.chars().count() >= LEAST_ADMIN_TOKEN;
        if !admin_token.as_ref().is_none_or(is_long) {
            return Err(SettingError::new("adminTokenFile", SHORT_ADMIN_TOKEN));
        }
        let failures = || Mutex::new(Failures::new(authentication.failures_per_minute));
        let (failures, looks) = (failures(), failures());
        let work = Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, |count| count.get().div_ceil(2))));
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|_| SettingError::new("authentication", NO_SEED))?;
        let proved = Mutex::new(Proved::new(secret));
        let origins = Origins::new(config.origins.clone());
        let proxies = Proxies::new(&config.trusted_proxies)?;
        let arrivals = Arrivals::new(&config.connection_rate)?;
        let config = authentication;
        Ok(Self { config, tokens, admin_token, origins, proxies, arrivals, failures, looks, proved, work })
    }

    /// Whether clients that bring no credentials are let in.
    pub(super) fn allows_anonymous(&self) -> bool {
        self.config.anonymous
    }

    /// Whether tokens let in who brings them.
    pub(super) fn allows_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Who may use the HTTP API with this token, from this address.
    ///
    /// # Errors
    /// Why nobody.
    pub(super) async fn bearer(&self, token: Option<&str>, peer: IpAddr) -> Result<Caller, Refusal> {
        let token = token.ok_or(Refusal::NoToken)?;
        if self.is_refused(None, peer) {
            return Err(Refusal::TooManyFailures);
        }
        if self.is_admin_token(token) {
            let (scopes, grants) = (Scope::ALL.into(), Grants::all());
            return Ok(Caller { user_name: None, scopes, grants, expires_at: None });
        }
        let TokenClaims { user_name, expires_at, grants, scopes, .. } = self.check_token(token, peer).await?;
        let grants = Grants::of(grants.unwrap_or_else(|| self.config.grants.clone()));
        Ok(Caller { user_name: Some(user_name), scopes, grants, expires_at: Some(expires_at) })
    }

    /// What a token says, brought from this address.
    async fn check_token(&self, token: &str, peer: IpAddr) -> Result<TokenClaims, Refusal> {
        let found = match &self.tokens {
            Some(tokens) => tokens.verify(token, DEFAULT_ROOM, now()).await,
            None => Err(TokenFault::Forged),
        };
        found.map_err(|fault| match fault {
            TokenFault::Forged => {
                self.failures().failed(None, peer, Instant::now());
                Refusal::Forged
            }
            TokenFault::Unfit => Refusal::Unfit,
            TokenFault::Elsewhere => Refusal::Elsewhere,
            TokenFault::Unavailable => Refusal::Unavailable,
        })
    }

    fn is_admin_token(&self, token: &str) -> bool {
        // Digests have the same length, whatever was sent.
        let digest = |text: &str| password::sha256(text.as_bytes());
        self.admin_token.as_ref().is_some_and(|admin| bool::from(digest(admin).ct_eq(&digest(token))))
    }

    fn is_refused(&self, user_name: Option<&str>, peer: IpAddr) -> bool {
        self.failures().is_refused(user_name, peer, Instant::now())
    }

    fn proved(&self) -> MutexGuard<'_, Proved> {
        self.proved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn looks(&self) -> MutexGuard<'_, Failures> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    fn new(config: &JwtConfig, secrets: &Secrets) -> Result<Self, SettingError> {
        let fault = |key, sentence| SettingError::new(key, sentence);
        let secret = secrets
            .jwt_secret
            .as_deref()
            .map(|secret| Key::secret(secret.as_bytes()).ok_or(fault("authentication.jwt.secretFile", SHORT_SECRET)));
        let public_key = secrets
            .jwt_public_key
            .as_deref()
            .map(|text| Key::public(text).ok_or(fault("authentication.jwt.publicKeyFile", BAD_PUBLIC_KEY)));
        let jwks = config
            .jwks_url
            .as_deref()
            .map(|address| Jwks::at(address).ok_or(fault("authentication.jwt.jwksUrl", BAD_ADDRESS)));
        let keys = Keys::new(secret.transpose()?, public_key.transpose()?, jwks.transpose()?);
        if !keys.are_any() {
            return Err(fault("authentication.jwt", NO_KEY));
        }
        Ok(Self {
            keys,
            algorithms: config.algorithms.clone(),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            leeway_seconds: config.leeway_seconds,
        })
    }
}

fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

/// Characters.
const LEAST_ADMIN_TOKEN: usize = 32;
const SHORT_ADMIN_TOKEN: &str = "or MQLITE_ADMIN_TOKEN has too short a token: it needs 32 characters";
const SHORT_SECRET: &str = "or MQLITE_JWT_SECRET has too short a secret: it needs 32 bytes";
const BAD_PUBLIC_KEY: &str = "or MQLITE_JWT_PUBLIC_KEY has no key that can be used: it must be one of RSA, P-256 or Ed25519, in \
                              PEM that begins with BEGIN PUBLIC KEY, or a JWK";
const NO_SEED: &str = "needs random numbers, and the system gives none";
const BAD_ADDRESS: &str = "must begin with https://";
const NO_KEY: &str =
    "has no key: name secretFile, publicKeyFile or jwksUrl, or set MQLITE_JWT_SECRET or MQLITE_JWT_PUBLIC_KEY";
