//! What is to be written to each connection: all frames of one that an input causes become one write, and many writes one call.

use super::broker::BrokerHost;
use crate::broker::Frame;
use std::{collections::BinaryHeap, mem};

/// Frames that the host has not been given yet, and whom it has been given some for.
#[derive(Default)]
pub(super) struct Writes {
    frames: Vec<(u32, Frame)>,
    /// The connections that have written all that they were given.
    pub(super) written: Vec<u32>,
}

impl Writes {
    pub(super) fn push(&mut self, connection: u32, frame: Frame) {
        self.frames.push((connection, frame));
    }

    pub(super) fn hand_over(&mut self, host: &BrokerHost) {
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
        if frames.capacity() <= KEPT {
            self.frames = frames;
        }
    }

    fn send(&mut self, host: &BrokerHost, numbers: &mut Vec<u32>, bytes: &mut Vec<u8>) {
        let waiting = host.send(numbers, bytes).unwrap_or_default();
        let connections = numbers.as_chunks().0.iter().map(|[connection, _]| *connection);
        self.written.extend(connections.filter(|connection| waiting.binary_search(connection).is_err()));
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
