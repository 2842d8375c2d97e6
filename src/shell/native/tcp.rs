//! MQTT over TCP: the bytes as they come.

use super::connection::{CLOSE_NORMAL, Ending, Incoming, Outgoing};
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};

pub(super) struct TcpIncoming<'stream> {
    stream: ReadHalf<'stream>,
    buffer: BytesMut,
}

pub(super) struct TcpOutgoing<'stream>(WriteHalf<'stream>);

pub(super) fn open(stream: &mut TcpStream) -> (TcpIncoming<'_>, TcpOutgoing<'_>) {
    let (stream, outgoing) = stream.split();
    (TcpIncoming { stream, buffer: BytesMut::new() }, TcpOutgoing(outgoing))
}

impl Incoming for TcpIncoming<'_> {
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

impl Outgoing for TcpOutgoing<'_> {
    async fn send(&mut self, bytes: Bytes) -> io::Result<()> {
        self.0.write_all(&bytes).await
    }

    async fn close(&mut self, _code: u16) {}
}

/// Bytes that one read takes, at most.
const READ: usize = 16 << 10;
