//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): each proves to the other that it knows the password, or its verifier.

use super::password::{KEY, Verifier, prepared, sha256, sign};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::str;
use subtle::ConstantTimeEq;

/// How MQTT calls it, as the Authentication Method.
pub(super) const SCRAM_SHA_256: &str = "SCRAM-SHA-256";

/// What a client began with.
pub(super) struct ClientFirst {
    pub user_name: String,
    /// What it said of itself, as it is signed.
    bare: String,
    /// What it said of channel binding, of which there is none.
    header: String,
    nonce: String,
}

/// One exchange, from the challenge on.
pub(super) struct Exchange {
    pub user_name: String,
    bare: String,
    header: String,
    nonce: String,
    challenge: String,
    verifier: Verifier,
}

impl ClientFirst {
    /// Reads the first message of a client: without channel binding, in nobody else's name, and without extensions that must
    /// be known; others may follow. `None` when it is none, or asks for what there is not.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let text = message(data)?;
        let bare = text.strip_prefix("n,,").or_else(|| text.strip_prefix("y,,"))?;
        let header = &text[..text.len() - bare.len()];
        let mut parts = bare.split(',');
        let user_name = unescape(parts.next()?.strip_prefix("n=")?)?;
        let nonce = parts.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?;
        if !parts.all(is_attribute) {
            return None;
        }
        Some(Self {
            user_name: prepared(&user_name)?,
            bare: bare.to_owned(),
            header: header.to_owned(),
            nonce: nonce.to_owned(),
        })
    }

    /// Answers it. `server_nonce` is a random text without commas.
    pub(super) fn answer(self, verifier: Verifier, server_nonce: &str) -> Exchange {
        let Self { user_name, bare, header, nonce } = self;
        let nonce = nonce + server_nonce;
        let salt = BASE64_STANDARD.encode(&verifier.salt);
        let challenge = format!("r={nonce},s={salt},i={}", verifier.iterations);
        Exchange { user_name, bare, header, nonce, challenge, verifier }
    }
}

impl Exchange {
    /// What the client has to solve.
    pub(super) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// What the server says to a client that has proved its password; `None` when it has not.
    pub(super) fn finish(self, data: &[u8]) -> Option<String> {
        let text = message(data)?;
        let (signed, proof) = text.rsplit_once(",p=")?;
        let mut parts = signed.split(',');
        let binding = parts.next()?.strip_prefix("c=")?;
        let nonce = parts.next()?.strip_prefix("r=")?;
        if !parts.all(is_attribute) {
            return None;
        }
        let proof: [u8; KEY] = BASE64_STANDARD.decode(proof).ok()?.try_into().ok()?;
        let Self { bare, header, challenge, verifier, .. } = self;
        let message = format!("{bare},{challenge},{signed}");
        let mut client_key = sign(&verifier.stored_key, message.as_bytes());
        client_key.iter_mut().zip(proof).for_each(|(byte, part)| *byte ^= part);
        let is_proved = bool::from(sha256(&client_key).ct_eq(&verifier.stored_key));
        let is_same = binding == BASE64_STANDARD.encode(header) && nonce == self.nonce;
        let answer = BASE64_STANDARD.encode(sign(&verifier.server_key, message.as_bytes()));
        (is_proved && is_same).then(|| format!("v={answer}"))
    }
}

fn message(data: &[u8]) -> Option<&str> {
    str::from_utf8(data).ok().filter(|text| text.len() <= LONGEST_MESSAGE)
}

/// `=2C` is a comma and `=3D` an equals sign; another one stands for nothing.
fn unescape(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (character, rest) = match part.strip_prefix("2C") {
            Some(rest) => (',', rest),
            None => ('=', part.strip_prefix("3D")?),
        };
        text.push(character);
        text.push_str(rest);
    }
    Some(text)
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// An extension that nobody has to know.
fn is_attribute(part: &str) -> bool {
    matches!(part.as_bytes(), [name, b'=', ..] if name.is_ascii_alphabetic())
}

/// Bytes.
const LONGEST_MESSAGE: usize = 2_048;
