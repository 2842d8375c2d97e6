//! How much memory all messages of the broker take, however many sessions they wait for: each counts once, and each of its
//! deliveries adds a little. Numbers the messages, too.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Shared by the broker and what it counts, each of which takes itself out when it is dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Arc<Sums>);

#[derive(Debug, Default)]
struct Sums {
    bytes: AtomicUsize,
    deliveries: AtomicUsize,
    last_number: AtomicU64,
}

/// A part of the tally, for as long as it lives.
#[derive(Debug)]
pub(super) struct Charge {
    tally: Tally,
    bytes: usize,
}

impl Tally {
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// How many messages wait or are in flight, once for each session.
    pub(super) fn deliveries(&self) -> usize {
        self.0.deliveries.load(Ordering::Relaxed)
    }

    /// A number that no message had.
    pub(super) fn number_message(&self) -> u64 {
        let number = self.0.last_number.load(Ordering::Relaxed) + 1;
        self.0.last_number.store(number, Ordering::Relaxed);
        number
    }

    /// No message will be given `number` from now on.
    pub(super) fn skip_number(&self, number: u64) {
        self.0.last_number.fetch_max(number, Ordering::Relaxed);
    }

    pub(super) fn charge(&self, bytes: usize) -> Charge {
        add(&self.0.bytes, bytes);
        Charge { tally: self.clone(), bytes }
    }

    pub(super) fn add_delivery(&self, bytes: usize) {
        add(&self.0.bytes, bytes);
        add(&self.0.deliveries, 1);
    }

    pub(super) fn subtract_delivery(&self, bytes: usize) {
        subtract(&self.0.bytes, bytes);
        subtract(&self.0.deliveries, 1);
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
        subtract(&self.tally.0.bytes, self.bytes);
    }
}

/// Nobody else counts at the same time: whoever has the broker has all that is counted. So there is no need to lock a bus.
fn add(counter: &AtomicUsize, by: usize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

fn subtract(counter: &AtomicUsize, by: usize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_sub(by), Ordering::Relaxed);
}
