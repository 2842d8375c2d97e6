//! MQTT over WebSocket: binary messages, aligned with packets in no way. [MQTT-6.0.0-2] [MQTT-6.0.0-4]
//! What one read brings goes on as one piece, however many messages that is.

use super::{
    connection::{CLOSE_NORMAL, Ending, Incoming},
    stream::{self, Reader},
    wire::Wire,
};
use crate::broker::Config;
use bytes::{Buf, Bytes, BytesMut};
use std::{
    future::poll_fn,
    io::{self, ErrorKind, Read, Write},
    mem,
    sync::Arc,
};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext, frame::coding::CloseCode},
};

pub(super) struct WebSocket {
    reader: Reader,
    context: WebSocketContext,
    pipe: Pipe,
    /// Bytes that may still come before the client is let in: messages are put together out of the broker's sight.
    left: usize,
    /// What is wrong with what came behind the last messages.
    ending: Option<Ending>,
}

/// What the library has in place of a socket.
struct Pipe {
    unread: Bytes,
    /// Whether nothing follows.
    is_over: bool,
    wire: Arc<Wire>,
    /// Whether an answer waits because others do.
    is_held_up: bool,
    /// Whether an answer may follow others that wait.
    is_closing: bool,
}

/// What a WebSocket may bring; in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The largest message, or frame of it.
    message: usize,
    /// All that comes before the client is let in.
    early: usize,
}

impl Limits {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            message: LARGEST_MESSAGE.max(config.maximum_packet_size as usize + (64 << 10)),
            early: config.maximum_connect_size.min(config.maximum_packet_size) as usize + stream::READ,
        }
    }
}

impl WebSocket {
    /// Speaks WebSocket on a stream whose handshake is done; `early` is what came behind it. Answers go to `wire`.
    pub(super) fn new(reader: Reader, early: Vec<u8>, wire: Arc<Wire>, limits: Limits) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ)
            .write_buffer_size(0)
            // Else the answers to pings of a client that does not read would grow without end.
            .max_write_buffer_size(MOST_ANSWERS)
            .max_message_size(Some(limits.message))
            .max_frame_size(Some(limits.message));
        let context = WebSocketContext::new(Role::Server, Some(config));
        let pipe = Pipe { unread: early.into(), is_over: false, wire, is_held_up: false, is_closing: false };
        Self { reader, context, pipe, left: limits.early, ending: None }
    }

    /// What the whole messages say that came, up to one that is wrong.
    fn messages(&mut self) -> Bytes {
        let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
        loop {
            self.ending = match self.context.read(&mut self.pipe) {
                Ok(Message::Binary(bytes)) if first.is_empty() && joined.is_empty() => {
                    first = bytes;
                    continue;
                }
                Ok(Message::Binary(bytes)) => {
                    joined.extend_from_slice(&mem::take(&mut first));
                    joined.extend_from_slice(&bytes);
                    continue;
                }
                // The library itself answers pings.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                // [MQTT-6.0.0-1]
                Ok(Message::Text(_)) => end("a text message came; MQTT is sent in binary ones", CloseCode::Unsupported),
                Ok(Message::Close(_)) | Err(Error::ConnectionClosed) => {
                    end("the client closed the WebSocket without a DISCONNECT", CloseCode::Normal)
                }
                Err(Error::Capacity(_)) => end("a WebSocket message is too large", CloseCode::Size),
                Err(Error::Utf8(_)) => end("a text message is no UTF-8", CloseCode::Invalid),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => None,
                Err(error) => Some(Ending { why: error.to_string().into(), code: CloseCode::Protocol.into() }),
            };
            return if joined.is_empty() { first } else { joined.freeze() };
        }
    }

    /// Waits for more to look at.
    async fn read(&mut self) -> Result<(), Ending> {
        let Self { reader, context, pipe, left, .. } = self;
        let read = poll_fn(|task| {
            if pipe.is_held_up && pipe.wire.is_empty() {
                pipe.is_held_up = false;
                _ = context.flush(pipe);
            }
            stream::poll_read(reader, task)
        });
        let fail = |why| Ending { why, code: CLOSE_NORMAL };
        let bytes = read.await.map_err(|error| fail(error.to_string().into()))?;
        *left = match left.checked_sub(bytes.len()) {
            Some(left) => left,
            None if pipe.wire.is_admitted() => 0,
            None => return Err(fail(TOO_MUCH.into())),
        };
        pipe.is_over = bytes.is_empty();
        pipe.unread = bytes;
        Ok(())
    }
}

impl Incoming for WebSocket {
    async fn receive(&mut self) -> Result<Bytes, Ending> {
        loop {
            if let Some(ending) = self.ending.take() {
                return Err(ending);
            }
            let bytes = self.messages();
            if !bytes.is_empty() {
                return Ok(bytes);
            }
            if self.ending.is_none() {
                self.read().await?;
            }
        }
    }

    async fn close(&mut self, code: u16) {
        self.pipe.is_closing = true;
        _ = self.context.flush(&mut self.pipe);
        // After a Close of the client's, the answer to it is all that is left to be written.
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        _ = self.context.close(&mut self.pipe, Some(frame));
        _ = self.pipe.wire.write().await;
    }

    fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() && !self.is_over {
            return Err(ErrorKind::WouldBlock.into());
        }
        let length = self.unread.len().min(into.len());
        self.unread.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closing || self.wire.is_empty() {
            self.wire.post_answer(bytes);
            return Ok(bytes.len());
        }
        self.is_held_up = true;
        Err(ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The head of a binary message of so many bytes, at most [`WRITE`], that a server sends; and its own length.
pub(super) fn head(length: usize) -> ([u8; 4], usize) {
    let [.., high, low] = length.to_be_bytes();
    if length < 126 { ([BINARY, low, 0, 0], 2) } else { ([BINARY, 126, high, low], 4) }
}

fn end(why: &'static str, code: CloseCode) -> Option<Ending> {
    Some(Ending { why: why.into(), code: code.into() })
}

/// Clients join what they have into one message: MQTT.js all that it could not write yet.
const LARGEST_MESSAGE: usize = 16 << 20;
/// The largest message that is sent; larger packets are split.
pub(super) const WRITE: usize = u16::MAX as usize;
/// What the library takes at a time.
const READ: usize = 4 << 10;
const MOST_ANSWERS: usize = 64 << 10;
/// A whole message of bytes.
const BINARY: u8 = 0x82;
const TOO_MUCH: &str = "more came than a client may send before it is let in";
