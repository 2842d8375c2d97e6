//! What is on its way from the engine to one connection: frames joined into few pieces, pieces into batches.
//! Unbounded by itself: the broker's `send_buffer` bounds it, since it hears exactly when all was written.

use crate::broker::Frame;
use bytes::{Bytes, BytesMut};
use std::convert::Infallible;
use tokio::sync::{mpsc, oneshot};

/// The engine's end. Dropping it closes the connection once everything before was written.
#[derive(Debug)]
pub(super) struct Outbox {
    batches: mpsc::UnboundedSender<Batch>,
    _open: oneshot::Sender<Infallible>,
    pieces: Vec<Bytes>,
    joined: BytesMut,
    last_batch: u64,
}

/// What one drain of the broker sent, in order; no piece is empty.
#[derive(Debug)]
pub(super) struct Batch {
    pub number: u64,
    pub pieces: Vec<Bytes>,
}

/// An outbox, its batches, which end when it was dropped and all were taken, and what resolves once it was dropped.
pub(super) fn outbox() -> (Outbox, mpsc::UnboundedReceiver<Batch>, oneshot::Receiver<Infallible>) {
    let (sender, batches) = mpsc::unbounded_channel();
    let (open, closing) = oneshot::channel();
    let outbox = Outbox { batches: sender, _open: open, pieces: Vec::new(), joined: BytesMut::new(), last_batch: 0 };
    (outbox, batches, closing)
}

impl Outbox {
    /// Joins a frame to what [`Outbox::take_batch`] will take.
    pub(super) fn push(&mut self, frame: Frame) {
        self.push_bytes(frame.head);
        self.push_bytes(frame.payload);
    }

    /// Whether nothing is to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.joined.is_empty()
    }

    /// All that was pushed since the last time, to be posted in order.
    pub(super) fn take_batch(&mut self) -> Option<Batch> {
        self.end_piece();
        if self.pieces.is_empty() {
            return None;
        }
        self.last_batch += 1;
        Some(Batch { number: self.last_batch, pieces: std::mem::take(&mut self.pieces) })
    }

    /// Hands a batch to the connection.
    pub(super) fn post(&self, batch: Batch) {
        _ = self.batches.send(batch); // a connection that failed says so itself
    }

    /// Whether nothing was pushed since batch `number` was taken.
    pub(super) fn ends_with(&self, number: u64) -> bool {
        self.last_batch == number && self.is_empty()
    }

    fn push_bytes(&mut self, bytes: Bytes) {
        if bytes.len() >= SHARED {
            self.end_piece();
            self.pieces.push(bytes);
        } else {
            self.joined.extend_from_slice(&bytes);
            if self.joined.len() >= PIECE {
                self.end_piece();
            }
        }
    }

    fn end_piece(&mut self) {
        if !self.joined.is_empty() {
            self.pieces.push(std::mem::take(&mut self.joined).freeze());
        }
    }
}

/// From this size on a payload is shared with other connections; below it copying costs less.
const SHARED: usize = 16 << 10;
/// A piece of joined frames ends here.
const PIECE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(head: &'static [u8], payload: &Bytes) -> Frame {
        Frame { head: Bytes::from_static(head), payload: payload.clone() }
    }

    #[test]
    fn small_frames_become_one_piece_and_large_payloads_stay_shared() {
        let (mut outbox, mut batches, _) = outbox();
        let large = Bytes::from(vec![7; SHARED]);
        outbox.push(frame(b"a", &Bytes::new()));
        outbox.push(frame(b"b", &Bytes::from_static(b"c")));
        outbox.push(frame(b"d", &large));
        outbox.push(frame(b"e", &Bytes::new()));
        let batch = outbox.take_batch().unwrap();
        assert!(outbox.is_empty());
        outbox.post(batch);
        let batch = batches.try_recv().unwrap();
        assert_eq!(batch.pieces, [&b"abcd"[..], &large, b"e"]);
        assert_eq!(batch.pieces[1].as_ptr(), large.as_ptr());
    }

    #[test]
    fn many_small_frames_become_pieces_of_limited_size() {
        let (mut outbox, _batches, _) = outbox();
        let payload = Bytes::from(vec![7; SHARED - 1]);
        (0..100).for_each(|_| outbox.push(frame(b"a", &payload)));
        let pieces = outbox.take_batch().unwrap().pieces;
        assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), 100 * SHARED);
        assert!(pieces.iter().all(|piece| piece.len() < PIECE + SHARED));
    }

    #[test]
    fn nothing_makes_no_batch_and_only_the_last_batch_is_the_end() {
        let (mut outbox, _batches, _) = outbox();
        assert!(outbox.take_batch().is_none());
        for number in [1, 2] {
            outbox.push(frame(b"a", &Bytes::new()));
            assert!(!outbox.ends_with(number - 1));
            assert_eq!(outbox.take_batch().unwrap().number, number);
        }
        assert!(outbox.ends_with(2) && !outbox.ends_with(1));
    }
}
