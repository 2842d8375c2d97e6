//! How fast a connection may publish and ask: beyond it nothing more is read from it for a while, and it is closed when it sends on.
//! If it closes itself, what it was too fast with is lost, but not that it left in order.

use super::{
    Broker, ConnectionId,
    connection::{Connection, Stage},
    deadlines::Due,
};
use crate::{
    codec::{Packet, ReasonCode},
    session::Violation,
    time::Timestamp,
};

/// What one connection has sent, against what it may send a second.
#[derive(Debug, Default)]
pub(super) struct Pace {
    messages: Bucket,
    bytes: Bucket,
    requests: Bucket,
    /// Until when nothing more is read.
    paused_until: Option<Timestamp>,
    /// How often bytes came meanwhile, and in the pauses before it while not all was read.
    came: u32,
}

/// When all that was taken would be there again at the permitted rate, in microseconds: a token bucket in one number.
#[derive(Debug, Default)]
struct Bucket(u64);

impl Pace {
    pub(super) const fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }
}

impl Bucket {
    /// Takes `count` out of a bucket that holds what comes in `burst_millis`. Tells when to go on if it is empty: when a tenth is
    /// there again.
    fn take(&mut self, now: Timestamp, count: usize, rate: u32, burst_millis: u64) -> Option<Timestamp> {
        let now = now.0.saturating_mul(MICROS);
        let time = (count as u64).saturating_mul(1_000 * MICROS) / u64::from(rate.max(1));
        self.0 = self.0.max(now).saturating_add(time);
        let missing = self.0.saturating_sub(now.saturating_add(burst_millis * MICROS));
        (missing > 0).then(|| Timestamp((now + missing) / MICROS).plus_millis(burst_millis / 10))
    }
}

impl Broker {
    /// Counts what a packet of `length` bytes asks for, and pauses a connection that asks too fast.
    pub(super) fn counts(&mut self, id: ConnectionId, packet: &Packet, length: usize) {
        let (messages, bytes) = (self.config.publish_messages_per_second, self.config.publish_bytes_per_second);
        let Some(Connection { pace, .. }) = self.connections.get_mut(&id) else { return };
        match packet {
            Packet::Publish(_) => {
                let until = pace.messages.take(self.now, 1, messages, PUBLISH_BURST_MILLIS);
                let until = until.max(pace.bytes.take(self.now, length, bytes, PUBLISH_BURST_MILLIS));
                self.pause_until(id, until);
            }
            Packet::PingReq | Packet::Auth(_) => self.asks(id, 1),
            Packet::Subscribe(subscribe) => self.asks(id, subscribe.filters.len()),
            Packet::Unsubscribe(unsubscribe) => self.asks(id, unsubscribe.filters.len()),
            _ => {}
        }
    }

    /// The same for requests alone.
    pub(super) fn asks(&mut self, id: ConnectionId, requests: usize) {
        let Some(Connection { pace, .. }) = self.connections.get_mut(&id) else { return };
        let until = pace.requests.take(self.now, requests, self.config.requests_per_second, REQUEST_BURST_MILLIS);
        self.pause_until(id, until);
    }

    fn pause_until(&mut self, id: ConnectionId, until: Option<Timestamp>) {
        if until.is_some() {
            self.pause(id, until);
        }
    }

    /// Bytes came from a connection that is not to be read: not much may wait.
    pub(super) fn came_too_early(&mut self, id: ConnectionId) {
        let most = self.config.publish_messages_per_second.clamp(LEAST_INPUTS, MOST_INPUTS);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.pace.came += 1;
        if connection.pace.came > most || connection.unread() > most_unread(connection) {
            self.violated(id, TOO_FAST);
        } else {
            self.unread_changed(id);
        }
    }

    /// It may be read again.
    pub(super) fn pause_is_over(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id).filter(|connection| !connection.is_given_up()) else {
            return; // it has turns of its own
        };
        connection.pace.paused_until = None;
        if let Stage::Open(link) = &mut connection.stage {
            link.keep_alive.touch(self.now); // what it said meanwhile may come a little later still
        }
        self.read(id);
        if let Some(connection) = self.connections.get_mut(&id).filter(|connection| connection.unread() == 0) {
            connection.pace.came = 0;
        }
    }

    /// Sets or clears the time until which a connection is not read.
    pub(super) fn pause(&mut self, id: ConnectionId, until: Option<Timestamp>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        self.deadlines.set(Due::Pause(id), connection.pace.paused_until, until);
        connection.pace.paused_until = until;
    }
}

/// One packet may be as large as any.
fn most_unread(connection: &Connection) -> usize {
    connection.accepted_packet_size().max(SMALL)
}

const MICROS: u64 = 1_000;
const PUBLISH_BURST_MILLIS: u64 = 1_000;
/// Clients that have just connected ask for much.
const REQUEST_BURST_MILLIS: u64 = 10_000;
/// As much again as it may publish a second, within these bounds.
const LEAST_INPUTS: u32 = 16;
const MOST_INPUTS: u32 = 100;
const SMALL: usize = 1 << 16;

const TOO_FAST: Violation =
    Violation::new(ReasonCode::MessageRateTooHigh, "more was sent than this server allows a connection a second");
