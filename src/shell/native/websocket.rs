//! MQTT over WebSocket: binary messages, aligned with packets in no way. [MQTT-6.0.0-2] [MQTT-6.0.0-4]

use super::{
    connection::{CLOSE_NORMAL, Ending, Incoming, Outgoing},
    gate::{Admission, Gate},
    stream::Stream,
};
use crate::broker::Config;
use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::io;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

type Socket<'stream> = WebSocketStream<Gate<'stream>>;

pub(super) struct WebSocketIncoming<'stream>(SplitStream<Socket<'stream>>);

pub(super) struct WebSocketOutgoing<'stream>(SplitSink<Socket<'stream>, Message>);

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
            message: LARGEST_MESSAGE.max(config.maximum_packet_size as usize + WRITE),
            early: config.maximum_connect_size.min(config.maximum_packet_size) as usize + READ,
        }
    }

    pub(super) fn gate(self, stream: &mut Stream, admission: Admission) -> Gate<'_> {
        Gate::new(stream, admission, self.early)
    }
}

/// Speaks WebSocket on a stream whose handshake is done; `early` is what came behind it.
pub(super) async fn open(
    stream: Gate<'_>,
    early: Vec<u8>,
    limits: Limits,
) -> (WebSocketIncoming<'_>, WebSocketOutgoing<'_>) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        // Else the answers to pings of a client that does not read would grow without end.
        .max_write_buffer_size(4 * WRITE)
        .max_message_size(Some(limits.message))
        .max_frame_size(Some(limits.message));
    let socket = WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
    let (outgoing, incoming) = socket.split();
    (WebSocketIncoming(incoming), WebSocketOutgoing(outgoing))
}

impl Incoming for WebSocketIncoming<'_> {
    async fn receive(&mut self) -> Result<Bytes, Ending> {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) if !bytes.is_empty() => Ok(bytes),
                // The library itself answers pings.
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                // [MQTT-6.0.0-1]
                Some(Ok(Message::Text(_))) => {
                    end("a text message came; MQTT is sent in binary ones", CloseCode::Unsupported)
                }
                Some(Ok(Message::Close(_))) | None => {
                    end("the client closed the WebSocket without a DISCONNECT", CloseCode::Normal)
                }
                Some(Err(Error::Capacity(_))) => end("a WebSocket message is too large", CloseCode::Size),
                Some(Err(Error::Utf8(_))) => end("a text message is no UTF-8", CloseCode::Invalid),
                Some(Err(Error::Io(error))) => Err(Ending { why: error.to_string().into(), code: CLOSE_NORMAL }),
                Some(Err(error)) => Err(Ending { why: error.to_string().into(), code: CloseCode::Protocol.into() }),
            };
        }
    }
}

impl Outgoing for WebSocketOutgoing<'_> {
    async fn send(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            let message = bytes.split_to(bytes.len().min(WRITE));
            self.0.send(Message::Binary(message)).await.map_err(io::Error::other)?;
        }
        Ok(())
    }

    async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        // After a Close of the client's, the answer to it is all that is left to be written.
        _ = self.0.send(Message::Close(Some(frame))).await;
        _ = self.0.flush().await;
    }
}

fn end(why: &'static str, code: CloseCode) -> Result<Bytes, Ending> {
    Err(Ending { why: why.into(), code: code.into() })
}

/// Clients join what they have into one message: MQTT.js all that it could not write yet.
const LARGEST_MESSAGE: usize = 16 << 20;
/// The largest message that is sent; larger packets are split.
const WRITE: usize = 64 << 10;
const READ: usize = 16 << 10;
