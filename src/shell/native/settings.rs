//! What a server is set up with: in a program as a value, for the command as a file of TOML. The keys that a worker has
//! too are called as there. Secrets are not among them, only where they are.

mod check;
mod file;
mod secrets;

pub use file::{Mistake, Settings};
pub use secrets::Secrets;

use super::{access::JwtAlgorithm, tls::TlsFiles};
use crate::{
    broker::{Config, Grant, PublishRule},
    codec::Text,
};
use serde::{Deserialize, Serialize};
use std::{error, fmt, path::PathBuf};

/// Where MQTT over TCP is served unless told otherwise.
pub const DEFAULT_TCP: &str = "127.0.0.1:1883";
/// Where MQTT over WebSocket is served unless told otherwise.
pub const DEFAULT_WEBSOCKET: &str = "127.0.0.1:8083";

/// Where a server listens, where it keeps its state, whom it lets in, and the rules of its broker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Addresses for MQTT over TCP, each `HOST:PORT`; port 0 takes a free one.
    pub tcp: Vec<String>,
    /// Addresses for MQTT over WebSocket, each `HOST:PORT`; port 0 takes a free one.
    #[serde(rename = "ws")]
    pub websocket: Vec<String>,
    /// Addresses for MQTT over TLS, each `HOST:PORT`; port 0 takes a free one.
    pub tcp_tls: Vec<String>,
    /// Addresses for MQTT over WebSocket and TLS, each `HOST:PORT`; port 0 takes a free one.
    #[serde(rename = "wsTls")]
    pub websocket_tls: Vec<String>,
    /// The directory that sessions, messages that wait, retained messages and users are kept in, begun if it is not there. It
    /// belongs to one server at a time. Nothing is sent before what it depends on is durable there. Without a directory, state
    /// is in memory alone and ends with the server.
    pub data: Option<PathBuf>,
    /// The Origins whose pages may open a WebSocket; `*` is all. `None`: that of the server itself. Clients that are no
    /// browsers send none, and are not asked.
    pub origins: Option<Vec<String>>,
    /// The reverse proxies that are believed where a request over HTTP or to open a WebSocket comes from, in `X-Forwarded-For` or
    /// `Forwarded`: addresses and networks such as `10.0.0.0/8`. The last hop that is none of these is where a client is. Where
    /// both headers are there and say different things, neither counts.
    pub trusted_proxies: Vec<String>,
    /// How fast connections may be opened.
    pub connection_rate: ConnectionRate,
    /// The Origins whose pages may use the HTTP API; `*` is all.
    pub cors: Vec<String>,
    /// The folder of the files that are served beside the HTTP API, as the console's; none are without one.
    pub console: Option<PathBuf>,
    /// The file with the token of the operator, who may do all over HTTP: at least 32 characters.
    pub admin_token_file: Option<PathBuf>,
    /// What TLS shows to clients; needed where there is an address for TLS.
    pub tls: Option<TlsFiles>,
    /// Who is let in. `None` leaves that to `broker`, whose default is everybody: then only addresses of this machine itself
    /// are listened on, unless users are kept in `data`, who make it the same as the default of this.
    pub authentication: Option<AuthenticationConfig>,
    /// What is done with messages by their topics, before the rules of `broker`. Without a [`super::Pilot`] nobody decides what a
    /// rule lets the host review: then `review_fallback` holds, and the log says so at the start.
    pub rules: Vec<PublishRule>,
    /// The broker's settings. With [`crate::broker::Authentication::Ask`] and without `authentication` all are kept out, unless
    /// a [`super::Pilot`] decides. Its durability is ignored: `data` decides that. What holds before a CONNECT (number, time)
    /// holds for WebSocket and TLS handshakes too.
    #[serde(rename = "limits")]
    pub broker: Config,
    /// Secrets that are in no file.
    #[serde(skip)]
    pub secrets: Secrets,
}

impl Default for ServerConfig {
    /// Both transports without TLS, on loopback; state in memory alone.
    fn default() -> Self {
        Self {
            tcp: vec![DEFAULT_TCP.into()],
            websocket: vec![DEFAULT_WEBSOCKET.into()],
            tcp_tls: Vec::new(),
            websocket_tls: Vec::new(),
            data: None,
            origins: None,
            trusted_proxies: Vec::new(),
            connection_rate: ConnectionRate::default(),
            cors: Vec::new(),
            console: None,
            admin_token_file: None,
            tls: None,
            authentication: None,
            rules: Vec::new(),
            broker: Config::default(),
            secrets: Secrets::default(),
        }
    }
}

/// A setting that cannot stay so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// Its key.
    pub key: &'static str,
    /// What is wrong and what to do, in a sentence that goes on from the key.
    pub sentence: String,
}

impl SettingError {
    pub(crate) fn new(key: &'static str, sentence: impl Into<String>) -> Self {
        Self { key, sentence: sentence.into() }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.key, self.sentence)
    }
}

impl error::Error for SettingError {}

/// How fast one peer address, or one /64 network of IPv6, may open MQTT connections. One more waits for its turn, and is refused where
/// that would take more than 10 seconds. One that was closed because it broke a rule counts as four hundred, one with a wrong
/// password as a hundred, one that was let in and vanished within a second as fifty; nobody is kept out for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ConnectionRate {
    /// Connections in a second, over time: above 0, up to 1,000,000.
    pub per_second: f64,
    /// Connections at once, before the others wait: 1 to 1,000,000.
    pub burst: u32,
}

impl Default for ConnectionRate {
    /// As many at once as come back together after a network has failed.
    fn default() -> Self {
        Self { per_second: 10.0, burst: 1_000 }
    }
}

impl ConnectionRate {
    /// What is wrong with it.
    pub(super) fn faults(&self) -> Vec<SettingError> {
        let is_rate = self.per_second > 0.0 && self.per_second <= MOST_CONNECTIONS.into();
        let rate = (!is_rate)
            .then(|| SettingError::new("connectionRate.perSecond", "must be a number above 0 and up to 1,000,000"));
        let burst = (!(1..=MOST_CONNECTIONS).contains(&self.burst))
            .then(|| SettingError::new("connectionRate.burst", "must be 1 to 1,000,000"));
        rate.into_iter().chain(burst).collect()
    }
}

/// Who is let in, and with which rights: the users that are kept in the directory of the state, and who brings a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AuthenticationConfig {
    /// Whether clients that bring no credentials are let in.
    pub anonymous: bool,
    /// PBKDF2 iterations of new passwords: 1,000 to 1,000,000. A worker of Cloudflare can check 100,000 at most.
    pub password_iterations: u32,
    /// Attempts that may fail, for each user name and each peer address; then each is refused for a while. At least 1. Behind a
    /// proxy that is not in `trusted_proxies`, and behind each one of MQTT over TCP, all clients have its address: allow more there.
    pub failures_per_minute: u32,
    /// The rights of clients that bring no credentials.
    pub anonymous_grants: Vec<Grant>,
    /// The rights of users and of tokens that bring none of their own.
    pub grants: Vec<Grant>,
    /// With this, JSON Web Tokens let in who brings them.
    pub jwt: Option<JwtConfig>,
}

impl Default for AuthenticationConfig {
    /// Users alone; they may do everything but publish and subscribe to `$SYS`.
    fn default() -> Self {
        let everything = || vec![Grant { filter: Text::from_static("#"), ..Grant::default() }];
        Self {
            anonymous: false,
            password_iterations: 100_000,
            failures_per_minute: 10,
            anonymous_grants: everything(),
            grants: everything(),
            jwt: None,
        }
    }
}

/// Which JSON Web Tokens are good.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JwtConfig {
    /// How they may be signed; `None`: each way that there is a key for.
    pub algorithms: Option<Vec<JwtAlgorithm>>,
    /// The file with the secret for HS256: at least 32 bytes. Line breaks at its end do not count.
    pub secret_file: Option<PathBuf>,
    /// The file with the public key for RS256, ES256 or EdDSA, in PEM or as a JWK.
    pub public_key_file: Option<PathBuf>,
    /// Where public keys are, as a JWKS; it is asked again every 10 minutes, or for a key that it did not have.
    pub jwks_url: Option<String>,
    /// What `iss` must be. `None`: anything.
    pub issuer: Option<String>,
    /// What `aud` must be, or have in its list. `None`: anything.
    pub audience: Option<String>,
    /// Seconds that the clock of who signs may differ.
    pub leeway_seconds: u32,
}

impl Default for JwtConfig {
    /// No key: one must be named.
    fn default() -> Self {
        let (algorithms, secret_file, public_key_file, jwks_url) = (None, None, None, None);
        Self { algorithms, secret_file, public_key_file, jwks_url, issuer: None, audience: None, leeway_seconds: 5 }
    }
}

const MOST_CONNECTIONS: u32 = 1_000_000;
