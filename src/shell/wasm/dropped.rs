//! Tells the host of dropped messages once a second at most: a client that does not read must not cost a call for each message.

use crate::{broker::Event, codec::Text, time::Timestamp};
use std::{collections::BTreeMap, mem};

/// What was dropped, for whom and why, and is not told yet.
#[derive(Default)]
pub(super) struct Dropped {
    counts: BTreeMap<(Text, &'static str), u64>,
    told_at: Option<Timestamp>,
}

impl Dropped {
    pub(super) fn add(&mut self, client_id: Text, why: &'static str, count: u64) {
        *self.counts.entry((client_id, why)).or_default() += count;
    }

    /// The events that are to be told `now`.
    pub(super) fn take(&mut self, now: Timestamp) -> impl Iterator<Item = Event> + use<> {
        let is_due = !self.counts.is_empty() && self.told_at.is_none_or(|at| now.millis_since(at) >= INTERVAL_MILLIS);
        if is_due {
            self.told_at = Some(now);
        }
        let counts = if is_due { mem::take(&mut self.counts) } else { BTreeMap::new() };
        counts.into_iter().map(|((client_id, why), count)| Event::Dropped { client_id, why, count })
    }
}

const INTERVAL_MILLIS: u64 = 1_000;
