//! What the engine and the task of one connection share: what waits to be written, and whose turn it is. Bytes are written
//! where they come from; the task writes what the socket did not take at once. Knows nothing of what they mean.
//! Unbounded by itself: the broker's `send_buffer` bounds it, since it hears exactly when all was written.

use super::stream::Writer;
use bytes::{Buf, Bytes, BytesMut};
use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};
use tokio::{io::AsyncWrite, net::tcp::OwnedWriteHalf};

#[derive(Debug, Default)]
pub(super) struct Wire(Mutex<State>);

#[derive(Default)]
struct State {
    /// Where to write; none before the connection speaks MQTT, and after its end.
    writer: Option<Writer>,
    /// What was posted and not written yet, in order; no piece is empty.
    waiting: VecDeque<Bytes>,
    /// Whether something was posted since the task saw all written.
    is_unseen: bool,
    /// Whether the client was let in.
    is_admitted: bool,
    /// Whether the engine has let go.
    is_closed: bool,
    /// Whether what was received last is still with the engine.
    is_busy: bool,
    /// Whether more was received, and waits for its turn.
    is_next_here: bool,
    /// The task of the connection.
    task: Option<Waker>,
}

/// Whose bytes the engine has. The next ones come once this is dropped.
#[derive(Debug)]
pub(super) struct Turn(Arc<Wire>);

/// What the task sees of what was posted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is written, all of it.
    Written,
    /// So it is, and nothing follows.
    Closed,
}

impl Wire {
    /// Posts bytes, framed by `head`, and leaves none. Whether they are written already, as everything before.
    pub(super) fn post(&self, head: &[u8], bytes: &mut BytesMut) -> bool {
        let mut state = self.state();
        let mut written = match state.free_writer() {
            Some(writer) if head.is_empty() => writer.try_write(bytes).unwrap_or_default(),
            Some(writer) => writer.try_write_vectored(&[head, bytes].map(IoSlice::new)).unwrap_or_default(),
            None => 0,
        };
        if written == head.len() + bytes.len() {
            bytes.clear();
            return true;
        }
        if written < head.len() {
            state.push(Bytes::copy_from_slice(&head[written..]));
            written = head.len();
        }
        bytes.advance(written - head.len());
        state.push(to_wait(bytes));
        false
    }

    /// Posts pieces, likewise.
    pub(super) fn post_pieces(&self, pieces: Vec<Bytes>) -> bool {
        let mut state = self.state();
        let mut rest = pieces.into_iter().collect::<VecDeque<_>>();
        while let Some(writer) = state.free_writer().filter(|_| !rest.is_empty()) {
            let slices = rest.iter().map(|piece| IoSlice::new(piece));
            match with_slices(slices, |slices| writer.try_write_vectored(slices)).unwrap_or_default() {
                0 => break,
                written => advance(&mut rest, written),
            }
        }
        rest.into_iter().for_each(|piece| state.push(piece));
        state.waiting.is_empty()
    }

    /// Posts what the transport itself has to say.
    pub(super) fn post_answer(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.state().push(Bytes::copy_from_slice(bytes));
        }
    }

    /// Notes that the client was let in.
    pub(super) fn admit(&self) {
        self.state().is_admitted = true;
    }

    pub(super) fn is_admitted(&self) -> bool {
        self.state().is_admitted
    }

    /// Closes the connection once everything before is written.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.wake();
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.state().waiting.is_empty()
    }

    /// From now on bytes are written.
    pub(super) fn open(&self, writer: Writer) {
        self.state().writer = Some(writer);
    }

    /// From now on nothing is written here.
    pub(super) fn end(&self) -> Option<Writer> {
        self.state().writer.take()
    }

    /// Writes what waits.
    pub(super) async fn write(&self) -> io::Result<Progress> {
        poll_fn(|context| self.state().poll_write(context)).await
    }

    /// The next piece, for who reads it here; `None` at the end.
    pub(super) async fn next(&self) -> Option<Bytes> {
        poll_fn(|context| {
            let mut state = self.state();
            match state.waiting.pop_front() {
                Some(piece) => Poll::Ready(Some(piece)),
                None if state.is_closed => Poll::Ready(None),
                None => state.wait(context),
            }
        })
        .await
    }

    /// Resolves once something waits, or the engine has let go.
    pub(super) async fn posted(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            if state.is_closed || !state.waiting.is_empty() { Poll::Ready(()) } else { state.wait(context) }
        })
        .await
    }

    /// Resolves once the engine has let go.
    pub(super) async fn closed(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            if state.is_closed { Poll::Ready(()) } else { state.wait(context) }
        })
        .await
    }

    /// Resolves once the engine has dealt with what was received before.
    pub(super) async fn turn(self: &Arc<Self>) -> Turn {
        poll_fn(|context| {
            let mut state = self.state();
            state.is_next_here = state.is_busy;
            if state.is_busy {
                return state.wait(context);
            }
            state.is_busy = true;
            Poll::Ready(Turn(self.clone()))
        })
        .await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_busy = false;
        if state.is_next_here {
            state.wake();
        }
    }
}

impl State {
    /// A socket that may be written to at once. Of its errors the task hears, when it writes the rest.
    fn free_writer(&self) -> Option<&OwnedWriteHalf> {
        match &self.writer {
            Some(Writer::Plain(writer)) if self.waiting.is_empty() => Some(writer),
            _ => None,
        }
    }

    fn push(&mut self, piece: Bytes) {
        if self.waiting.is_empty() {
            self.is_unseen = true;
            self.wake();
        }
        self.waiting.push_back(piece);
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Progress>> {
        let Some(writer) = &mut self.writer else { return self.wait(context) };
        let mut writer = Pin::new(writer);
        while !self.waiting.is_empty() {
            let slices = self.waiting.iter().map(|piece| IoSlice::new(piece));
            let written = with_slices(slices, |slices| writer.as_mut().poll_write_vectored(context, slices));
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => advance(&mut self.waiting, written),
            }
        }
        if self.is_unseen {
            ready!(writer.poll_flush(context))?; // TLS keeps what the socket did not take
            self.is_unseen = false;
            self.waiting = VecDeque::new();
            return Poll::Ready(Ok(Progress::Written));
        }
        if self.is_closed { Poll::Ready(Ok(Progress::Closed)) } else { self.wait(context) }
    }

    fn wait<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        if !self.task.as_ref().is_some_and(|task| task.will_wake(context.waker())) {
            self.task = Some(context.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&self) {
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("State").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

/// Takes all bytes out, to wait: if they are few, without the room behind them, which may be much more.
pub(super) fn to_wait(bytes: &mut BytesMut) -> Bytes {
    if bytes.len() >= FEW {
        return bytes.split().freeze();
    }
    let copy = Bytes::copy_from_slice(bytes);
    bytes.clear();
    copy
}

/// Calls `write` with the first slices, as many as one call takes.
fn with_slices<'a, T>(slices: impl Iterator<Item = IoSlice<'a>>, write: impl FnOnce(&[IoSlice<'a>]) -> T) -> T {
    let mut array = [IoSlice::new(&[]); SLICES];
    let mut count = 0;
    for (place, slice) in array.iter_mut().zip(slices) {
        *place = slice;
        count += 1;
    }
    write(&array[..count])
}

/// Drops what was written.
fn advance(pieces: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(piece) = pieces.front_mut() {
        if written < piece.len() {
            return piece.advance(written);
        }
        written -= piece.len();
        pieces.pop_front();
    }
}

const SLICES: usize = 64;
/// Bytes. A buffer that grew to more than so many is at least half full.
const FEW: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use super::{super::stream::Stream, *};
    use futures::FutureExt;
    use tokio::{
        io::AsyncReadExt,
        join,
        net::{TcpListener, TcpStream},
    };

    #[tokio::test]
    async fn what_a_socket_does_not_take_at_once_its_task_writes_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, accepted) = join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (_reader, writer) = Stream::Plain(accepted.unwrap().0).split();
        let wire = Wire::default();
        wire.open(writer);
        assert!(wire.post(b"fir", &mut BytesMut::from(&b"st"[..])) && wire.is_empty());
        assert!(wire.post_pieces(vec![Bytes::from_static(b"sec"), Bytes::from_static(b"ond")]));
        let large = Bytes::from((0..32 << 20).map(|number| (number % 251) as u8).collect::<Vec<_>>());
        assert!(!wire.post_pieces(vec![Bytes::from_static(b"third"), large.clone()]) && !wire.is_empty());
        assert!(!wire.post(b"la", &mut BytesMut::from(&b"st"[..])));
        wire.close();
        let writing = async {
            assert_eq!(wire.write().await.unwrap(), Progress::Written);
            assert_eq!(wire.write().await.unwrap(), Progress::Closed);
            drop(wire.end());
        };
        let mut read = Vec::new();
        let mut client = client.unwrap();
        let ((), length) = join!(writing, client.read_to_end(&mut read));
        assert_eq!(length.unwrap(), read.len());
        assert!(read == [&b"firstsecondthird"[..], &large, b"last"].concat());
    }

    #[test]
    fn the_next_turn_comes_once_the_last_is_over() {
        let wire = Arc::new(Wire::default());
        let turn = wire.turn().now_or_never().unwrap();
        assert!(wire.turn().now_or_never().is_none());
        drop(turn);
        assert!(wire.turn().now_or_never().is_some());
    }
}
