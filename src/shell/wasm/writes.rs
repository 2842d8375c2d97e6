//! What is to be written to each connection: all frames of one that an input causes become one write, unless they are much, and many
//! writes one call. Who has not written what it was given is given more only when it is much.

use super::broker::BrokerHost;
use crate::broker::Frame;
use bytes::BytesMut;
use std::{collections::BTreeMap, mem};

/// What the host has not been given yet, and whom it has been given some for.
pub(super) struct Writes {
    new: Joined,
    /// What there is for those that have not written everything.
    held: BTreeMap<u32, BytesMut>,
    /// Bytes that are not held.
    much: usize,
    /// The connections that had written all that one call gave them. What later calls gave them may wait.
    pub(super) written: Vec<u32>,
}

impl Writes {
    /// For a broker that has at most so many bytes on their way to a connection before it drops what it can.
    pub(super) fn new(send_buffer: usize) -> Self {
        let much = MUCH.min(send_buffer / 2);
        Self { new: Joined::default(), held: BTreeMap::new(), much, written: Vec::new() }
    }

    pub(super) fn push(&mut self, host: &BrokerHost, connection: u32, frame: &Frame) {
        // Whoever has not written what it is given then is given no more.
        if self.new.is_enough() {
            self.hand_over(host);
        }
        let Some(held) = self.held.get_mut(&connection) else {
            self.new.push(connection, &frame.head);
            return self.new.push(connection, &frame.payload);
        };
        frame.write_to(held);
        if held.len() >= self.much {
            let bytes = mem::take(held);
            self.new.push(connection, &bytes);
        }
    }

    /// Whether a connection has not written everything.
    pub(super) fn waits(&self, connection: u32) -> bool {
        self.held.contains_key(&connection)
    }

    /// The bytes that are held for a connection.
    pub(super) fn held(&self, connection: u32) -> usize {
        self.held.get(&connection).map_or(0, BytesMut::len)
    }

    /// The connection has written everything.
    pub(super) fn release(&mut self, connection: u32) {
        if let Some(bytes) = self.held.remove(&connection) {
            self.new.push(connection, &bytes);
        }
    }

    /// Gives the host what there is for a connection that it is about to close.
    pub(super) fn finish(&mut self, host: &BrokerHost, connection: u32) {
        self.release(connection);
        self.hand_over(host);
        self.forget(connection);
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, connection: u32) {
        self.held.remove(&connection);
    }

    pub(super) fn hand_over(&mut self, host: &BrokerHost) {
        while !self.new.writes.is_empty() {
            let mut joined = mem::take(&mut self.new).in_order();
            let (mut writes, mut bytes) = (&joined.writes[..], &joined.bytes[..]);
            while !writes.is_empty() {
                let (count, length) = first_of(writes);
                self.send(host, &writes[..count], &bytes[..length]);
                (writes, bytes) = (&writes[count..], &bytes[length..]);
            }
            if self.new.writes.is_empty() && joined.bytes.capacity() <= KEPT {
                joined.writes.clear();
                joined.bytes.clear();
                self.new = joined;
            }
        }
    }

    fn send(&mut self, host: &BrokerHost, writes: &[[u32; 2]], bytes: &[u8]) {
        let waiting = host.send(writes.as_flattened(), bytes).unwrap_or_default();
        for [connection, _] in writes {
            if waiting.binary_search(connection).is_ok() {
                self.held.entry(*connection).or_default();
            } else {
                self.release(*connection);
                self.written.push(*connection);
            }
        }
    }
}

/// Writes whose bytes lie behind each other.
#[derive(Default)]
struct Joined {
    /// Connections and lengths; never two of one connection in a row.
    writes: Vec<[u32; 2]>,
    bytes: Vec<u8>,
}

impl Joined {
    #[allow(clippy::cast_possible_truncation, reason = "memory has no more bytes")]
    fn push(&mut self, connection: u32, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        match self.writes.last_mut() {
            Some([last, length]) if *last == connection => *length += bytes.len() as u32,
            _ => self.writes.push([connection, bytes.len() as u32]),
        }
    }

    /// Whether to hand over what there is: joining large writes saves little, and they are copied faster while in the processor's cache.
    fn is_enough(&self) -> bool {
        self.bytes.len() >= (LARGE * self.writes.len()).clamp(MOST_BYTES, MOST_JOINED)
    }

    /// One write for each connection, in the order of connections.
    fn in_order(self) -> Self {
        if self.writes.is_sorted_by_key(|[connection, _]| *connection) {
            return self;
        }
        let mut rest = &self.bytes[..];
        let writes = self.writes.iter().map(|[connection, length]| {
            let bytes = rest.split_off(..*length as usize).unwrap_or_default();
            (*connection, bytes)
        });
        let mut joined = Self { writes: Vec::new(), bytes: Vec::with_capacity(self.bytes.len()) };
        for (connection, bytes) in sorted(writes.collect()) {
            joined.push(connection, bytes);
        }
        joined
    }
}

/// By connections, and those of one as they came: a radix sort, which takes less code than others and less time for many.
fn sorted(mut writes: Vec<(u32, &[u8])>) -> Vec<(u32, &[u8])> {
    let differing = writes.windows(2).fold(0, |differing, pair| differing | pair[0].0 ^ pair[1].0);
    for shift in (0..u32::BITS).step_by(6).filter(|shift| differing >> shift & 63 > 0) {
        let digit = |connection: u32| (connection >> shift & 63) as usize;
        let mut ends = [0; 64];
        for (connection, _) in &writes {
            ends[digit(*connection)] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        let mut moved = writes.clone();
        for write in writes.into_iter().rev() {
            let end = &mut ends[digit(write.0)];
            *end -= 1;
            moved[*end] = write;
        }
        writes = moved;
    }
    writes
}

/// How many of the writes cross in one call, and their bytes.
fn first_of(writes: &[[u32; 2]]) -> (usize, usize) {
    let (mut count, mut bytes) = (0, 0);
    for [_, length] in writes {
        if bytes >= MOST_BYTES {
            break;
        }
        count += 1;
        bytes += *length as usize;
    }
    (count, bytes)
}

/// Room for so many bytes is kept from one input to the next.
const KEPT: usize = 1 << 18;
/// Bytes that are joined, unless one write has more.
const MOST_JOINED: usize = 1 << 20;
/// Bytes of a write that is not worth to be joined with others.
const LARGE: usize = 1 << 10;
/// Bytes that cross in one call, unless one write has more.
const MOST_BYTES: usize = 1 << 16;
/// Bytes that are never held.
const MUCH: usize = 1 << 14;
