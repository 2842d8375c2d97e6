//! How much memory all messages of the broker take, however many sessions they wait for: each counts once, and each copy
//! that is on its way to a session adds a little.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Shared by the broker and what it counts, each of which takes itself out when it is dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Arc<AtomicUsize>);

/// A part of the tally, for as long as it lives.
#[derive(Debug)]
pub(super) struct Charge {
    tally: Tally,
    bytes: usize,
}

impl Tally {
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn charge(&self, bytes: usize) -> Charge {
        self.add(bytes);
        Charge { tally: self.clone(), bytes }
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Charge {
    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.tally.subtract(self.bytes);
    }
}
