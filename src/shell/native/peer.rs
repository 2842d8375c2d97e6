//! What the engine knows of the other end of a connection, and how it finds that.

use super::{
    access::{Address, Visitor},
    judges::Work,
    outbox::Outbox,
};
use crate::broker::{ConnectionId, Verdict};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    time::Instant,
};

/// The other end of a connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub address: Address,
    pub since: Instant,
    pub outbox: Outbox,
    /// Who it is, where it is one of the server's own clients: nobody else need be asked.
    pub known_as: Option<Box<Verdict>>,
    pub visitor: Visitor,
    pub judging: Option<Box<Work>>,
}

impl Peer {
    pub(super) fn new(address: Address, outbox: Outbox) -> Self {
        Self {
            address,
            since: Instant::now(),
            outbox,
            known_as: None,
            visitor: Visitor::new(address.ip()),
            judging: None,
        }
    }

    /// One of the server's own clients.
    pub(super) fn known_as(self, verdict: Verdict) -> Self {
        Self { known_as: Some(Box::new(verdict)), ..self }
    }
}

/// By connection. Their numbers are the server's own: nobody else can choose such that collide.
pub(super) type Peers = HashMap<ConnectionId, Box<Peer>, BuildHasherDefault<Scatter>>;

/// Spreads numbers that count up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scatter(u64);

impl Hasher for Scatter {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(ODD);
    }
}

/// 2^64 by the golden ratio.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
