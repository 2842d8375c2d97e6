//! Public keys at an address: a JWKS (RFC 7517), asked for when it is needed, and kept for a while.

use super::keys::{JwtAlgorithm, Key, Unavailable};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, task::spawn_blocking};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tracing::warn;
use ureq::{
    Agent,
    http::Uri,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// The keys at one address.
#[derive(Clone)]
pub(super) struct Jwks {
    address: Arc<str>,
    agent: Arc<OnceLock<Agent>>,
    known: Arc<Mutex<Known>>,
}

/// What was heard last.
#[derive(Default)]
struct Known {
    keys: Vec<Jwk>,
    heard: Option<Instant>,
    asked: Option<Instant>,
}

impl Jwks {
    /// `None` for an address that is neither `https://`, nor `http://` on this machine.
    pub(super) fn at(address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
        let host = uri.host()?;
        let is_allowed = match uri.scheme_str()? {
            "https" => true,
            "http" => matches!(host, "127.0.0.1" | "localhost" | "[::1]"),
            _ => false,
        };
        is_allowed.then(|| Self { address: address.into(), agent: Arc::default(), known: Arc::default() })
    }

    /// The keys that may have signed with `algorithm`, where a token names the key so.
    pub(super) async fn find(&self, algorithm: JwtAlgorithm, id: Option<&str>) -> Result<Vec<Key>, Unavailable> {
        let mut known = self.known.lock().await; // those who come meanwhile wait for the one answer
        let is_old = known.heard.is_none_or(|heard| heard.elapsed() >= KEPT);
        let may_ask = known.asked.is_none_or(|asked| asked.elapsed() >= QUIET);
        if (is_old || known.select(algorithm, id).is_empty()) && may_ask {
            known.asked = Some(Instant::now());
            if let Some(keys) = self.ask().await {
                known.keys = keys;
                known.heard = Some(Instant::now());
            }
        }
        // Keys that cannot be had anew are good until others can.
        if known.heard.is_some() { Ok(known.select(algorithm, id)) } else { Err(Unavailable) }
    }

    /// Those that were heard just now.
    #[cfg(test)]
    pub(super) fn holding(keys: Vec<Jwk>) -> Self {
        let known = Known { keys, heard: Some(Instant::now()), asked: Some(Instant::now()) };
        Self { address: "".into(), agent: Arc::default(), known: Arc::new(Mutex::new(known)) }
    }

    async fn ask(&self) -> Option<Vec<Jwk>> {
        let Self { address, agent, .. } = self.clone();
        let asked = spawn_blocking(move || fetch(agent.get_or_init(agent_for_keys), &address)).await;
        let outcome = asked.unwrap_or_else(|_| Err("the request failed".into()));
        outcome.map_err(|why| warn!("authentication.jwt.jwksUrl gives no keys: {why}")).ok()
    }
}

impl Known {
    fn select(&self, algorithm: JwtAlgorithm, id: Option<&str>) -> Vec<Key> {
        let fits = |jwk: &&Jwk| {
            let common = &jwk.common;
            common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature)
                && common.key_algorithm.is_none_or(|named| named == named_so(algorithm))
                && id.is_none_or(|id| common.key_id.as_deref() == Some(id))
        };
        let keys = self.keys.iter().filter(fits).filter_map(Key::of_jwk);
        keys.filter(|key| key.is_for(algorithm)).take(MOST_KEYS).collect()
    }
}

fn named_so(algorithm: JwtAlgorithm) -> KeyAlgorithm {
    match algorithm {
        JwtAlgorithm::HS256 => KeyAlgorithm::HS256,
        JwtAlgorithm::RS256 => KeyAlgorithm::RS256,
        JwtAlgorithm::ES256 => KeyAlgorithm::ES256,
        JwtAlgorithm::EdDSA => KeyAlgorithm::EdDSA,
    }
}

fn fetch(agent: &Agent, address: &str) -> Result<Vec<Jwk>, String> {
    let mut response = agent.get(address).call().map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("it answers with {}", response.status()));
    }
    let body = response.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|error| error.to_string())?;
    let set: JwkSet = serde_json::from_slice(&body).map_err(|_| "it answers with something else than a JWKS")?;
    Ok(set.keys)
}

/// It trusts whom the system trusts.
fn agent_for_keys() -> Agent {
    let roots: Vec<_> = rustls_native_certs::load_native_certs()
        .certs
        .into_iter()
        .map(|certificate| Certificate::from_der(&certificate).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
        .root_certs(RootCerts::from(roots))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .max_redirects(0)
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .build()
        .new_agent()
}

/// How long keys are good without being asked for again.
const KEPT: Duration = Duration::from_secs(600);
/// Whoever brings tokens must not make us ask and ask.
const QUIET: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a JWKS.
const LARGEST: u64 = 256 << 10;
/// Keys that are tried for one token.
const MOST_KEYS: usize = 16;
