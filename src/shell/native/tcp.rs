//! MQTT over TCP, or over TLS: the bytes as they come.

use super::{
    connection::{CLOSE_NORMAL, Ending, Incoming, Outgoing},
    stream::Stream,
};
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::TcpStream,
};

pub(super) struct TcpIncoming<Half> {
    stream: Half,
    buffer: BytesMut,
}

pub(super) struct TcpOutgoing<Half>(Half);

/// The two halves of a socket, which need no lock.
pub(super) fn open(
    stream: &mut TcpStream,
) -> (TcpIncoming<impl AsyncRead + Unpin + Send>, TcpOutgoing<impl AsyncWrite + Unpin + Send>) {
    let (incoming, outgoing) = stream.split();
    (TcpIncoming::new(incoming), TcpOutgoing(outgoing))
}

/// The two halves of any stream.
pub(super) fn open_any(
    stream: &mut Stream,
) -> (TcpIncoming<ReadHalf<&mut Stream>>, TcpOutgoing<WriteHalf<&mut Stream>>) {
    let (incoming, outgoing) = split(stream);
    (TcpIncoming::new(incoming), TcpOutgoing(outgoing))
}

impl<Half> TcpIncoming<Half> {
    fn new(stream: Half) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }
}

impl<Half: AsyncRead + Unpin + Send> Incoming for TcpIncoming<Half> {
    async fn receive(&mut self) -> Result<Bytes, Ending> {
        self.buffer.reserve(READ);
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => {
                Err(Ending { why: "the client closed the connection without a DISCONNECT".into(), code: CLOSE_NORMAL })
            }
            Ok(_) => Ok(self.buffer.split().freeze()),
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

/// Bytes that one read takes, at most.
const READ: usize = 16 << 10;
