//! One Network Connection: bytes on their way in both directions, in order, in chunks, with delays.

use super::random::Random;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;

pub struct Link {
    pub client: u64,
    /// Whether the client still has it.
    pub is_held: bool,
    /// Whether the broker's host still has it.
    pub is_open: bool,
    /// Whether bytes pass: a link that is dead loses all, and nobody hears of it.
    pub is_alive: bool,
    pub is_read: bool,
    to_broker: VecDeque<(u64, Bytes)>,
    to_client: VecDeque<(u64, Bytes)>,
    /// When chunks will arrive that the world has not heard of.
    unscheduled: Vec<u64>,
    /// Bytes handed over by the broker since the last was reported written.
    pub is_unwritten: bool,
}

impl Link {
    pub fn new(client: u64) -> Self {
        Self {
            client,
            is_held: true,
            is_open: true,
            is_alive: true,
            is_read: true,
            to_broker: VecDeque::new(),
            to_client: VecDeque::new(),
            unscheduled: Vec::new(),
            is_unwritten: false,
        }
    }

    /// The client writes: cut into chunks, each of which takes up to `delay` longer than the one before.
    pub fn send_to_broker(&mut self, now: u64, mut bytes: Bytes, delay: u64, random: &mut Random) {
        while !bytes.is_empty() && self.is_alive {
            let length = if random.chance(60) { bytes.len() as u64 } else { 1 + random.below(bytes.len() as u64) };
            let at = self.to_broker.back().map_or(now, |(at, _)| *at).max(now) + random.below(delay + 1);
            self.unscheduled.push(at);
            self.to_broker.push_back((at, bytes.split_to(length as usize)));
        }
    }

    pub fn send_to_client(&mut self, now: u64, bytes: Bytes, delay: u64, random: &mut Random) {
        self.is_unwritten = true;
        if self.is_alive {
            let at = self.to_client.back().map_or(now, |(at, _)| *at).max(now) + random.below(delay + 1);
            self.unscheduled.push(at);
            self.to_client.push_back((at, bytes));
        }
    }

    pub fn unscheduled(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.unscheduled)
    }

    /// The chunk that has arrived at the broker.
    pub fn arrived_at_broker(&mut self, now: u64) -> Option<Bytes> {
        let is_due = self.is_open && self.to_broker.front().is_some_and(|(at, _)| *at <= now);
        is_due.then(|| self.to_broker.pop_front().map(|(_, bytes)| bytes)).flatten()
    }

    /// All chunks that have arrived at the client, as one.
    pub fn arrived_at_client(&mut self, now: u64) -> Option<Bytes> {
        let mut all = BytesMut::new();
        while self.is_read && self.is_held && self.to_client.front().is_some_and(|(at, _)| *at <= now) {
            all.extend(self.to_client.pop_front().map(|(_, bytes)| bytes));
        }
        (!all.is_empty()).then(|| all.freeze())
    }

    /// Whether the client has read all that was sent to it.
    pub fn is_drained(&self) -> bool {
        self.to_client.is_empty()
    }

    /// The network fails: a part of what was on its way to the broker arrives still, perhaps of a packet only.
    pub fn cut(&mut self, random: &mut Random) -> Bytes {
        let mut rest = BytesMut::new();
        rest.extend(self.to_broker.drain(..).map(|(_, bytes)| bytes));
        rest.truncate(random.below(rest.len() as u64 + 1) as usize);
        self.to_client.clear();
        self.is_alive = false;
        rest.freeze()
    }
}
