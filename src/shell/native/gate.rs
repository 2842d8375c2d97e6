//! How much a WebSocket may bring before its client is let in: its messages are put together out of the broker's sight.
//! Knows nothing of WebSocket or MQTT.

use super::stream::Stream;
use std::{
    io::{self, ErrorKind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whether a client was let in.
#[derive(Clone, Debug, Default)]
pub(super) struct Admission(Arc<AtomicBool>);

impl Admission {
    pub(super) fn grant(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_granted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that fails when more comes than may before the admission.
pub(super) struct Gate<'stream> {
    stream: &'stream mut Stream,
    admission: Admission,
    /// Bytes that may still come.
    left: usize,
}

impl<'stream> Gate<'stream> {
    pub(super) fn new(stream: &'stream mut Stream, admission: Admission, limit: usize) -> Self {
        Self { stream, admission, left: limit }
    }
}

impl AsyncRead for Gate<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *self.stream).poll_read(context, buffer))?;
        let came = buffer.filled().len() - before;
        match self.left.checked_sub(came) {
            Some(left) => self.left = left,
            None if self.admission.is_granted() => self.left = 0,
            None => return Poll::Ready(Err(io::Error::new(ErrorKind::QuotaExceeded, TOO_MUCH))),
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gate<'_> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(context)
    }
}

const TOO_MUCH: &str = "more came than a client may send before it is let in";
