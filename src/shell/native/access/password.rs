//! Passwords, and what is kept instead of them: a verifier of SCRAM-SHA-256 (RFC 5803), which serves a password in CONNECT too.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{digest, hmac, pbkdf2};
use std::{num::NonZeroU32, str};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What is known of a password.
#[derive(Clone)]
pub(super) struct Verifier {
    pub iterations: NonZeroU32,
    pub salt: Vec<u8>,
    pub stored_key: [u8; KEY],
    pub server_key: [u8; KEY],
}

impl Verifier {
    /// Reads the text that is kept of a password; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (count, rest) = text.strip_prefix(PREFIX)?.split_once(':')?;
        let (salt, keys) = rest.split_once('$')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let iterations = NonZeroU32::new(count.parse().ok()?).filter(|count| count.get() <= MAXIMUM_ITERATIONS)?;
        let key = |text| BASE64_STANDARD.decode(text).ok()?.try_into().ok();
        let salt = BASE64_STANDARD.decode(salt).ok().filter(|salt| (1..=LONGEST_SALT).contains(&salt.len()))?;
        Some(Self { iterations, salt, stored_key: key(stored_key)?, server_key: key(server_key)? })
    }

    /// A verifier that no password matches: what is worked with for those who do not exist.
    pub(super) fn decoy(iterations: NonZeroU32, salt: Vec<u8>) -> Self {
        Self { iterations, salt, stored_key: [0; KEY], server_key: [0; KEY] }
    }

    /// Whether this is the password, with the same work whether it is or not.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let text = str::from_utf8(password).ok().filter(|text| text.len() <= LONGEST_PASSWORD).and_then(prepared);
        let (stored_key, _) = keys(text.as_deref().unwrap_or_default(), &self.salt, self.iterations);
        bool::from(stored_key.ct_eq(&self.stored_key)) && text.is_some()
    }
}

/// The text that is kept of a password: `SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY`. `None` for a password that
/// nobody may have: empty, or with control characters.
pub(super) fn create_verifier(password: &str, iterations: NonZeroU32, salt: [u8; SALT]) -> Option<String> {
    let text = prepared(password).filter(|_| password.len() <= LONGEST_PASSWORD)?;
    let (stored_key, server_key) = keys(&text, &salt, iterations);
    let [salt, stored_key, server_key] = [&salt[..], &stored_key, &server_key].map(|part| BASE64_STANDARD.encode(part));
    Some(format!("{PREFIX}{iterations}:{salt}${stored_key}:{server_key}"))
}

/// A user name or password as SASLprep (RFC 4013) has it, but for its tables of Unicode 3.2; `None` when that forbids it.
pub(super) fn prepared(text: &str) -> Option<String> {
    let is_mapped_to_nothing = |character: &char| {
        matches!(character, '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180d}' | '\u{200b}'..='\u{200d}')
            || matches!(character, '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
    };
    let is_space = |character: char| character.general_category() == GeneralCategory::SpaceSeparator;
    let mapped = text.chars().filter(|character| !is_mapped_to_nothing(character));
    let text: String = mapped.map(|character| if is_space(character) { ' ' } else { character }).nfkc().collect();
    (!text.is_empty() && !text.contains(is_prohibited)).then_some(text)
}

fn is_prohibited(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
    character == '\u{fffd}'
        || matches!(
            character.general_category(),
            Control | Format | PrivateUse | Unassigned | LineSeparator | ParagraphSeparator
        )
}

/// HMAC-SHA-256.
pub(super) fn sign(key: &[u8], message: &[u8]) -> [u8; KEY] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().expect("32 bytes")
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; KEY] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("32 bytes")
}

/// The Stored Key and the Server Key.
fn keys(text: &str, salt: &[u8], iterations: NonZeroU32) -> ([u8; KEY], [u8; KEY]) {
    let mut salted = [0; KEY];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, text.as_bytes(), &mut salted);
    (sha256(&sign(&salted, b"Client Key")), sign(&salted, b"Server Key"))
}

const PREFIX: &str = "SCRAM-SHA-256$";
/// Bytes of SHA-256.
pub(super) const KEY: usize = 32;
/// Bytes of a new salt.
pub(crate) const SALT: usize = 16;
/// More would take seconds.
pub(super) const MAXIMUM_ITERATIONS: u32 = 1_000_000;
const LONGEST_SALT: usize = 96;
/// The rest of what CONNECT has room for is no password.
const LONGEST_PASSWORD: usize = 1_024;
