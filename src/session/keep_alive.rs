//! The keep-alive interval of one connection, for the side that waits and the side that must speak.

use crate::time::Timestamp;

/// Keep Alive in seconds; 0 switches it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    seconds: u16,
    last: Timestamp,
}

impl KeepAlive {
    /// An interval that begins `now`.
    pub const fn new(seconds: u16, now: Timestamp) -> Self {
        Self { seconds, last: now }
    }

    /// The interval in seconds.
    pub const fn seconds(&self) -> u16 {
        self.seconds
    }

    /// The interval that lets the peer be dead at this time unless it speaks.
    pub const fn ending(seconds: u16, dead_at: Timestamp) -> Self {
        Self { seconds, last: Timestamp(dead_at.0.saturating_sub(seconds as u64 * 1_500)) }
    }

    /// A packet went by (received, for the side that waits; sent, for the side that must speak).
    pub const fn touch(&mut self, now: Timestamp) {
        self.last = now;
    }

    /// When silence has lasted one and a half intervals; `None` when switched off. [MQTT-3.1.2-22]
    pub const fn peer_is_dead_at(&self) -> Option<Timestamp> {
        if self.seconds == 0 { None } else { Some(self.last.plus_millis(self.seconds as u64 * 1_500)) }
    }

    /// A sixteenth of it: by so much may be noted late that the peer spoke, which leaves it well over one interval.
    pub const fn sixteenth_millis(&self) -> u64 {
        self.seconds as u64 * 1_000 / 16
    }

    /// When a PINGREQ is due; `None` when switched off. That is after half of it, which leaves the other half to a timer that is
    /// late. [MQTT-3.1.2-20]
    pub const fn ping_is_due_at(&self) -> Option<Timestamp> {
        if self.seconds == 0 { None } else { Some(self.last.plus_millis(self.seconds as u64 * 500)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_counted_from_the_last_packet() {
        let mut keep_alive = KeepAlive::new(10, Timestamp(0));
        keep_alive.touch(Timestamp(1_000));
        assert_eq!(keep_alive.peer_is_dead_at(), Some(Timestamp(16_000)));
        assert_eq!(keep_alive.ping_is_due_at(), Some(Timestamp(6_000)));
        assert_eq!(KeepAlive::new(0, Timestamp(0)).peer_is_dead_at(), None);
    }
}
