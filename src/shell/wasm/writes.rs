//! What is to be written to each connection: all frames of one that an input causes become one write, and many writes one call. Who has
//! not written what it was given is given more only when it is much.

use super::broker::BrokerHost;
use crate::broker::Frame;
use bytes::{Bytes, BytesMut};
use std::{
    collections::{BTreeMap, BinaryHeap},
    mem,
};

/// Frames that the host has not been given yet, and whom it has been given some for.
pub(super) struct Writes {
    frames: Vec<(u32, Frame)>,
    /// What there is for those that have not written everything.
    held: BTreeMap<u32, BytesMut>,
    /// Bytes that are not held.
    much: usize,
    /// The connections that have written all that they were given.
    pub(super) written: Vec<u32>,
}

impl Writes {
    /// For a broker that has at most so many bytes on their way to a connection before it drops what it can.
    pub(super) fn new(send_buffer: usize) -> Self {
        let much = MUCH.min(send_buffer / 2);
        Self { frames: Vec::new(), held: BTreeMap::new(), much, written: Vec::new() }
    }

    pub(super) fn push(&mut self, connection: u32, frame: Frame) {
        let Some(held) = self.held.get_mut(&connection) else { return self.frames.push((connection, frame)) };
        frame.write_to(held);
        if held.len() >= self.much {
            let bytes = mem::take(held);
            self.push_bytes(connection, bytes);
        }
    }

    fn push_bytes(&mut self, connection: u32, bytes: BytesMut) {
        self.frames.push((connection, Frame { head: bytes.freeze(), payload: Bytes::new() }));
    }

    /// The bytes that are held for a connection.
    pub(super) fn held(&self, connection: u32) -> usize {
        self.held.get(&connection).map_or(0, BytesMut::len)
    }

    /// The connection has written everything.
    pub(super) fn release(&mut self, connection: u32) {
        if let Some(bytes) = self.held.remove(&connection).filter(|bytes| !bytes.is_empty()) {
            self.push_bytes(connection, bytes);
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
        while !self.frames.is_empty() {
            self.hand_over_frames(host);
        }
    }

    fn hand_over_frames(&mut self, host: &BrokerHost) {
        let mut frames = mem::take(&mut self.frames);
        let total: usize = frames.iter().map(|(_, frame)| frame.len()).sum();
        let (mut numbers, mut bytes) = (Vec::new(), Vec::with_capacity(total.min(2 * MOST_BYTES)));
        let mut last = None;
        for (connection, frame) in in_order(&frames) {
            if last != Some(connection) {
                if bytes.len() >= MOST_BYTES {
                    self.send(host, &mut numbers, &mut bytes);
                }
                last = Some(connection);
                numbers.extend([connection, 0]);
            }
            bytes.extend_from_slice(&frame.head);
            bytes.extend_from_slice(&frame.payload);
            if let Some(length) = numbers.last_mut() {
                *length += length_of(frame);
            }
        }
        if !numbers.is_empty() {
            self.send(host, &mut numbers, &mut bytes);
        }
        frames.clear();
        if self.frames.is_empty() && frames.capacity() <= KEPT {
            self.frames = frames;
        }
    }

    fn send(&mut self, host: &BrokerHost, numbers: &mut Vec<u32>, bytes: &mut Vec<u8>) {
        let waiting = host.send(numbers, bytes).unwrap_or_default();
        for [connection, _] in numbers.as_chunks().0 {
            if waiting.binary_search(connection).is_ok() {
                self.held.entry(*connection).or_default();
            } else {
                self.release(*connection);
                self.written.push(*connection);
            }
        }
        numbers.clear();
        bytes.clear();
    }
}

/// By connections, and those of one as they came.
#[allow(clippy::cast_possible_truncation, reason = "memory holds no more frames")]
fn in_order(frames: &[(u32, Frame)]) -> impl Iterator<Item = (u32, &Frame)> {
    let numbers = frames.iter().zip(0_u32..);
    let mut order: Vec<u64> =
        numbers.map(|((connection, _), at)| u64::from(*connection) << 32 | u64::from(at)).collect();
    if !order.is_sorted() {
        // A heap sorts with a fifth of the code that slices have for it.
        order = BinaryHeap::from(order).into_sorted_vec();
    }
    order.into_iter().map(|place| ((place >> 32) as u32, &frames[place as u32 as usize].1))
}

#[allow(clippy::cast_possible_truncation, reason = "memory has no more bytes")]
fn length_of(frame: &Frame) -> u32 {
    frame.len() as u32
}

/// Room for so many frames is kept from one input to the next.
const KEPT: usize = 4_096;
/// Bytes that cross in one call, unless one write has more.
const MOST_BYTES: usize = 1 << 16;
/// Bytes that are never held.
const MUCH: usize = 1 << 14;
