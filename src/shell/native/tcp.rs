//! MQTT over TCP, or over TLS: the bytes as they come.

use super::{
    connection::{CLOSE_NORMAL, Ending, Incoming, Outgoing},
    stream::Stream,
};
use bytes::{Bytes, BytesMut};
use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    io,
    pin::pin,
    task::ready,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::TcpStream,
};

pub(super) struct TcpIncoming<Half>(Half);

pub(super) struct TcpOutgoing<Half>(Half);

/// The two halves of a socket, which need no lock.
pub(super) fn open(
    stream: &mut TcpStream,
) -> (TcpIncoming<impl AsyncRead + Unpin + Send>, TcpOutgoing<impl AsyncWrite + Unpin + Send>) {
    let (incoming, outgoing) = stream.split();
    (TcpIncoming(incoming), TcpOutgoing(outgoing))
}

/// The two halves of any stream.
pub(super) fn open_any(
    stream: &mut Stream,
) -> (TcpIncoming<ReadHalf<&mut Stream>>, TcpOutgoing<WriteHalf<&mut Stream>>) {
    let (incoming, outgoing) = split(stream);
    (TcpIncoming(incoming), TcpOutgoing(outgoing))
}

impl<Half: AsyncRead + Unpin + Send> Incoming for TcpIncoming<Half> {
    async fn receive(&mut self) -> Result<Bytes, Ending> {
        match read(&mut self.0).await {
            Ok(bytes) if bytes.is_empty() => {
                Err(Ending { why: "the client closed the connection without a DISCONNECT".into(), code: CLOSE_NORMAL })
            }
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(Ending { why: error.to_string().into(), code: CLOSE_NORMAL }),
        }
    }
}

impl<Half: AsyncWrite + Unpin + Send> Outgoing for TcpOutgoing<Half> {
    async fn send(&mut self, bytes: Bytes) -> io::Result<()> {
        self.0.write_all(&bytes).await?;
        self.0.flush().await // TLS keeps what the socket did not take
    }

    async fn close(&mut self, _code: u16) {}
}

/// Waits for bytes; none are the end. A connection that waits has no buffer: all that read on a thread share one.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.reserve(READ);
            let length = ready!(pin!(stream.read_buf(buffer)).poll(context))?;
            if length >= SHARED {
                return Ok(buffer.split().freeze()).into();
            }
            let bytes = Bytes::copy_from_slice(buffer);
            buffer.clear();
            Ok(bytes).into()
        })
    })
    .await
}

thread_local! {
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

/// Bytes that one read takes, at least when that many wait.
const READ: usize = 64 << 10;
/// From this size on what was read is not copied: less would keep a whole buffer for as long as it waits.
const SHARED: usize = 16 << 10;
