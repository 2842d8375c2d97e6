//! What clients bring to be let in: tokens that are signed here, and the client's part of SCRAM-SHA-256.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::{
    digest, hmac, pbkdf2,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use std::{
    num::NonZeroU32,
    time::{SystemTime, UNIX_EPOCH},
};

/// What tokens of HS256 are signed with here.
pub const SECRET: &str = "for the tests alone, and for none but them";

/// The claims of a token.
#[derive(Clone)]
pub struct Claims {
    exp: u64,
    sub: String,
    more: String,
}

impl Claims {
    /// Good for an hour.
    pub fn of(sub: &str) -> Self {
        Self { exp: now() + 3_600, sub: sub.into(), more: String::new() }
    }

    /// Until then, in seconds since 1970.
    pub fn until(self, exp: u64) -> Self {
        Self { exp, ..self }
    }

    /// With a claim more, whose value is JSON.
    pub fn with(self, name: &str, value: &str) -> Self {
        let more = format!("{},\"{name}\":{value}", self.more);
        Self { more, ..self }
    }

    /// By HS256 with [`SECRET`].
    pub fn sign(&self) -> String {
        let message = self.message(r#"{"alg":"HS256","typ":"JWT"}"#);
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn message(&self, header: &str) -> String {
        let Self { exp, sub, more } = self;
        let claims = format!("{{\"sub\":\"{sub}\",\"exp\":{exp}{more}}}");
        [header, &claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".")
    }
}

/// A key of ES256, made anew.
pub struct EcKey {
    id: String,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl EcKey {
    pub fn new(id: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        Self { id: id.into(), pair, random }
    }

    pub fn sign(&self, claims: &Claims) -> String {
        let message = claims.message(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, self.id));
        let signature = self.pair.sign(&self.random, message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public half, as a JWKS has it.
    pub fn jwk(&self) -> String {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        format!(r#"{{"kty":"EC","crv":"P-256","kid":"{}","alg":"ES256","use":"sig","x":"{x}","y":"{y}"}}"#, self.id)
    }
}

/// The client's part of one exchange.
pub struct Scram {
    user_name: String,
    password: String,
}

impl Scram {
    pub fn of(user_name: &str, password: &str) -> Self {
        Self { user_name: user_name.into(), password: password.into() }
    }

    pub fn first(&self) -> String {
        format!("n,,{}", self.bare())
    }

    /// The last message, and what the server has to answer.
    pub fn last(&self, challenge: &[u8]) -> (String, String) {
        let challenge = std::str::from_utf8(challenge).unwrap();
        let mut parts = challenge.split(',').map(|part| &part[2..]);
        let (nonce, salt, iterations) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let iterations = NonZeroU32::new(iterations.parse().unwrap()).unwrap();
        let mut salted = [0; 32];
        let salt = BASE64_STANDARD.decode(salt).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, self.password.as_bytes(), &mut salted);
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let signed = format!("c=biws,r={nonce}");
        let message = format!("{},{challenge},{signed}", self.bare());
        let signature = sign(stored_key.as_ref(), message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(one, other)| one ^ other).collect();
        let answer = sign(&sign(&salted, b"Server Key"), message.as_bytes());
        (format!("{signed},p={}", BASE64_STANDARD.encode(proof)), format!("v={}", BASE64_STANDARD.encode(answer)))
    }

    fn bare(&self) -> String {
        format!("n={},r=fyko+d2lbbFgONRv9qkxdawL", self.user_name)
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().into()
}
