//! The keys that tokens are checked with. Which key is asked follows from the algorithm: a public key never is a secret.

use super::jwks::Jwks;
use jsonwebtoken::{AlgorithmFamily, DecodingKey, DecodingKeyKind, jwk::Jwk};
use ring::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};
use serde::{Deserialize, Serialize};

/// How a token may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256: with the secret.
    HS256,
    /// RSA with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// All keys of a server.
#[derive(Default)]
pub(super) struct Keys {
    secret: Option<Key>,
    public_key: Option<Key>,
    jwks: Option<Jwks>,
}

/// A key that says by itself what it is for.
#[derive(Clone)]
pub(super) struct Key(DecodingKey);

impl Keys {
    pub(super) fn new(secret: Option<Key>, public_key: Option<Key>, jwks: Option<Jwks>) -> Self {
        Self { secret, public_key, jwks }
    }

    /// Whether any token could be good.
    pub(super) fn are_any(&self) -> bool {
        self.secret.is_some() || self.public_key.is_some() || self.jwks.is_some()
    }

    /// The keys that may have signed with this algorithm, where the token names the key so.
    ///
    /// # Errors
    /// When keys that are elsewhere cannot be had.
    pub(super) async fn find(&self, algorithm: JwtAlgorithm, id: Option<&str>) -> Result<Vec<Key>, Unavailable> {
        let own = [&self.secret, &self.public_key].into_iter().flatten();
        let mut found: Vec<_> = own.filter(|key| key.is_for(algorithm)).cloned().collect();
        if let Some(jwks) = self.jwks.as_ref().filter(|_| algorithm != JwtAlgorithm::HS256) {
            match jwks.find(algorithm, id).await {
                Ok(keys) => found.extend(keys),
                Err(Unavailable) if !found.is_empty() => {}
                Err(Unavailable) => return Err(Unavailable),
            }
        }
        Ok(found)
    }
}

/// Keys that are elsewhere cannot be had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unavailable;

impl Key {
    /// A secret; `None` for one that is shorter than the hash.
    pub(super) fn secret(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= LEAST_SECRET).then(|| DecodingKey::from_secret(bytes).ok().map(Self))?
    }

    /// A public key in PEM (SPKI), or as a JWK; `None` if it is none, or none that can be used.
    pub(super) fn public(text: &str) -> Option<Self> {
        if text.trim_start().starts_with('{') {
            return Self::of_jwk(&serde_json::from_str(text).ok()?);
        }
        let pem = text.as_bytes();
        let keys = [DecodingKey::from_rsa_pem(pem), DecodingKey::from_ec_pem(pem), DecodingKey::from_ed_pem(pem)];
        keys.into_iter().find_map(Result::ok).map(Self).filter(Self::is_usable)
    }

    /// `None` for a key that is secret, or of no kind that can be used.
    pub(super) fn of_jwk(jwk: &Jwk) -> Option<Self> {
        Some(Self(DecodingKey::from_jwk(jwk).ok()?)).filter(Self::is_usable)
    }

    pub(super) fn is_for(&self, algorithm: JwtAlgorithm) -> bool {
        self.0.family()
            == match algorithm {
                JwtAlgorithm::HS256 => AlgorithmFamily::Hmac,
                JwtAlgorithm::RS256 => AlgorithmFamily::Rsa,
                JwtAlgorithm::ES256 => AlgorithmFamily::Ec,
                JwtAlgorithm::EdDSA => AlgorithmFamily::Ed,
            }
    }

    /// Whether it, or who has its other half, signed this.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let by = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
        };
        match (self.0.family(), self.0.kind()) {
            (AlgorithmFamily::Hmac, DecodingKeyKind::SecretOrDer(key)) => {
                hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, signature).is_ok()
            }
            (AlgorithmFamily::Rsa, DecodingKeyKind::SecretOrDer(key)) => by(&RSA_PKCS1_2048_8192_SHA256, key),
            (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(key)) => by(&ECDSA_P256_SHA256_FIXED, key),
            (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(key)) => by(&ED25519, key),
            _ => false,
        }
    }

    fn is_usable(&self) -> bool {
        match (self.0.family(), self.0.kind()) {
            (AlgorithmFamily::Hmac, _) => false,
            (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(key)) => key.len() == P256_POINT,
            _ => true,
        }
    }
}

/// Bytes: as many as the hash has.
const LEAST_SECRET: usize = 32;
/// Bytes of a public key of P-256: a mark and two coordinates.
const P256_POINT: usize = 65;
