//! Passwords that were right: a client that comes back costs no work. They are remembered as what they make of a secret that
//! ends with the process.

use super::{
    password::{KEY, sign},
    recent::Recent,
};
use subtle::ConstantTimeEq;

pub(super) struct Proved {
    secret: [u8; KEY],
    /// By user name: the verifier that the password was right for, and what is remembered of it.
    known: Recent<String, (String, [u8; KEY])>,
}

impl Proved {
    pub(super) fn new(secret: [u8; KEY]) -> Self {
        Self { secret, known: Recent::new(MOST) }
    }

    /// Whether this password was right before, for the same verifier.
    pub(super) fn is(&self, user_name: &str, verifier: &str, password: &[u8]) -> bool {
        let mac = sign(&self.secret, password);
        self.known.get(user_name).is_some_and(|(known, proved)| known == verifier && bool::from(proved.ct_eq(&mac)))
    }

    pub(super) fn remember(&mut self, user_name: &str, verifier: &str, password: &[u8]) {
        self.known.set(user_name.to_owned(), (verifier.to_owned(), sign(&self.secret, password)));
    }
}

const MOST: usize = 1_024;
