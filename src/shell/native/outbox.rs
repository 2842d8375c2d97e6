//! What is on its way from the engine to one connection: frames joined into few pieces, pieces into batches, and these, where
//! the transport wants it, into messages. Knows nothing of how they are written.

use super::{
    frames,
    wire::{self, Wire},
};
use crate::broker::Frame;
use bytes::{Bytes, BytesMut};
use std::{mem, sync::Arc};

/// The engine's end of a connection. Dropping it closes the connection once everything before was written.
#[derive(Debug)]
pub(super) struct Outbox {
    wire: Arc<Wire>,
    framing: Framing,
    /// What comes before `joined`.
    pieces: Vec<Bytes>,
    joined: BytesMut,
    /// Batches that were taken and are not posted yet.
    unposted: u32,
}

/// What a transport puts around bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    WebSocket,
}

/// What was sent together, in order; no piece is empty.
#[derive(Debug)]
pub(super) struct Batch(Vec<Bytes>);

/// Buffers that nobody uses just now.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<BytesMut>);

impl Outbox {
    pub(super) fn new(wire: Arc<Wire>, framing: Framing) -> Self {
        Self { wire, framing, pieces: Vec::new(), joined: BytesMut::new(), unposted: 0 }
    }

    /// Joins a frame to what leaves next.
    pub(super) fn push(&mut self, frame: Frame, spare: &mut Spare) {
        let Frame { head, payload } = frame;
        if payload.len() >= SHARED && head.len() < SHARED {
            self.end_piece();
            // A head keeps those beside it.
            self.pieces.extend([Bytes::copy_from_slice(&head), payload]);
            return;
        }
        for bytes in [head, payload] {
            if bytes.len() >= SHARED {
                self.end_piece();
                self.pieces.push(bytes);
            } else if !bytes.is_empty() {
                if self.joined.capacity() == 0 {
                    self.joined = spare.take();
                }
                self.joined.extend_from_slice(&bytes);
            }
        }
        if self.joined.len() >= PIECE {
            self.end_piece();
        }
    }

    /// Whether nothing was pushed that has not left.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.joined.is_empty()
    }

    /// Writes all that was pushed, as far as the connection takes it at once. Whether that is everything.
    pub(super) fn flush(&mut self, spare: &mut Spare) -> bool {
        if !self.pieces.is_empty() || self.joined.len() > frames::WRITE {
            return self.take_batch().is_some_and(|batch| self.post(batch));
        }
        let (head, length) = match self.framing {
            Framing::None => ([0; 4], 0),
            Framing::WebSocket => frames::head(self.joined.len()),
        };
        let is_written = self.wire.post(&head[..length], &mut self.joined);
        let buffer = mem::take(&mut self.joined);
        if is_written {
            spare.put(buffer);
        }
        is_written
    }

    /// All that was pushed, to be posted in order.
    pub(super) fn take_batch(&mut self) -> Option<Batch> {
        self.end_piece();
        if self.pieces.is_empty() {
            return None;
        }
        self.unposted += 1;
        let pieces = mem::take(&mut self.pieces);
        Some(Batch(match self.framing {
            Framing::None => pieces,
            Framing::WebSocket => in_messages(pieces),
        }))
    }

    /// Hands a batch to the connection. Whether that is written at once, with all before.
    pub(super) fn post(&mut self, batch: Batch) -> bool {
        self.unposted -= 1;
        self.wire.post_pieces(batch.0)
    }

    /// Whether all is written that was ever pushed.
    pub(super) fn is_through(&self) -> bool {
        self.is_empty() && self.unposted == 0 && self.wire.is_empty()
    }

    /// The client was let in.
    pub(super) fn admit(&self) {
        self.wire.admit();
    }

    fn end_piece(&mut self) {
        if !self.joined.is_empty() {
            self.pieces.push(wire::to_wait(&mut mem::take(&mut self.joined)));
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.wire.close();
    }
}

impl Spare {
    fn take(&mut self) -> BytesMut {
        self.0.pop().unwrap_or_default()
    }

    fn put(&mut self, buffer: BytesMut) {
        if (1..=LARGEST_SPARE).contains(&buffer.capacity()) && self.0.len() < MOST_SPARE {
            self.0.push(buffer);
        }
    }
}

/// Puts a head before each message, of which each is at most as long as a message may be.
fn in_messages(pieces: Vec<Bytes>) -> Vec<Bytes> {
    let mut left: usize = pieces.iter().map(Bytes::len).sum();
    let mut framed = Vec::with_capacity(pieces.len() + 2 * (left / frames::WRITE + 1));
    let mut room = 0;
    for mut piece in pieces {
        while !piece.is_empty() {
            if room == 0 {
                room = left.min(frames::WRITE);
                left -= room;
                let (head, length) = frames::head(room);
                framed.push(Bytes::copy_from_slice(&head[..length]));
            }
            let part = piece.split_to(piece.len().min(room));
            room -= part.len();
            framed.push(part);
        }
    }
    framed
}

/// From this size on bytes are shared with other connections; below it copying costs less.
const SHARED: usize = 4 << 10;
/// A piece of joined frames ends here.
const PIECE: usize = 64 << 10;
/// Spare buffers are at most so many, of at most so many bytes.
const MOST_SPARE: usize = 1024;
const LARGEST_SPARE: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn frame(head: &'static [u8], payload: &Bytes) -> Frame {
        Frame { head: Bytes::from_static(head), payload: payload.clone() }
    }

    fn outbox(framing: Framing) -> (Outbox, Arc<Wire>) {
        let wire = Arc::<Wire>::default();
        (Outbox::new(wire.clone(), framing), wire)
    }

    fn posted(wire: &Wire) -> Vec<Bytes> {
        std::iter::from_fn(|| wire.next().now_or_never().flatten()).collect()
    }

    #[test]
    fn small_frames_become_one_piece_and_large_payloads_stay_shared() {
        let (mut outbox, wire) = outbox(Framing::None);
        let large = Bytes::from(vec![7; SHARED]);
        for payload in [Bytes::new(), Bytes::from_static(b"c"), large.clone(), Bytes::new()] {
            outbox.push(frame(b"a", &payload), &mut Spare::default());
        }
        let batch = outbox.take_batch().unwrap();
        assert!(outbox.is_empty() && !outbox.is_through());
        assert!(!outbox.post(batch) && !outbox.is_through());
        let pieces = posted(&wire);
        assert_eq!(pieces, [&b"aac"[..], b"a", &large, b"a"]);
        assert_eq!(pieces[2].as_ptr(), large.as_ptr());
        assert!(outbox.is_through());
    }

    #[test]
    fn many_small_frames_become_pieces_of_limited_size() {
        let (mut outbox, _wire) = outbox(Framing::None);
        let payload = Bytes::from(vec![7; SHARED - 1]);
        (0..100).for_each(|_| outbox.push(frame(b"a", &payload), &mut Spare::default()));
        let Batch(pieces) = outbox.take_batch().unwrap();
        assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), 100 * SHARED);
        assert!(pieces.iter().all(|piece| piece.len() < PIECE + SHARED));
    }

    #[test]
    fn a_websocket_has_messages_of_limited_size_around_the_same_bytes() {
        for payload in [1, 125, 126, SHARED, frames::WRITE, 3 * frames::WRITE] {
            let (mut outbox, wire) = outbox(Framing::WebSocket);
            outbox.push(frame(b"a", &Bytes::from(vec![7; payload])), &mut Spare::default());
            outbox.flush(&mut Spare::default());
            let mut bytes = posted(&wire).concat();
            let mut said = Vec::new();
            while !bytes.is_empty() {
                let (head, length) = match bytes[1] {
                    126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
                    length => (2, length.into()),
                };
                assert!(bytes[0] == 0x82 && length > 0);
                said.extend(bytes.drain(..head + length).skip(head));
            }
            assert_eq!(said, [b"a".to_vec(), vec![7; payload]].concat());
        }
    }

    #[test]
    fn what_waits_keeps_no_room_that_it_does_not_need() {
        for flush in [true, false] {
            let (mut outbox, wire) = outbox(Framing::None);
            let mut spare = Spare(vec![BytesMut::with_capacity(LARGEST_SPARE)]);
            outbox.push(frame(b"a", &Bytes::from_static(b"b")), &mut spare);
            if flush {
                assert!(!outbox.flush(&mut spare));
            } else {
                let batch = outbox.take_batch().unwrap();
                assert!(!outbox.post(batch));
            }
            let [piece] = posted(&wire).try_into().unwrap();
            assert_eq!(piece, "ab");
            assert!(piece.try_into_mut().unwrap().capacity() < 100);
        }
    }

    #[test]
    fn nothing_makes_no_batch_and_an_outbox_that_is_dropped_closes() {
        let (mut outbox, wire) = outbox(Framing::WebSocket);
        assert!(outbox.take_batch().is_none() && outbox.is_through());
        assert_eq!(wire.closed().now_or_never(), None);
        drop(outbox);
        assert_eq!(wire.closed().now_or_never(), Some(()));
    }
}
