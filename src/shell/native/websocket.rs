//! MQTT over WebSocket: binary messages, aligned with packets in no way. [MQTT-6.0.0-2] [MQTT-6.0.0-4]
//! What one read brings goes on as one piece, however many messages that is.

use super::{
    connection::{CLOSE_NORMAL, Ending, Incoming},
    frames::Frames,
    stream::{self, Reader},
    wire::Wire,
};
use crate::broker::Config;
use bytes::Bytes;
use std::{future::poll_fn, sync::Arc};

pub(super) struct WebSocket {
    reader: Reader,
    frames: Frames,
    wire: Arc<Wire>,
    /// Bytes that may still come before the client is let in: messages are put together out of the broker's sight.
    left: usize,
    /// What is wrong with what came behind the last messages.
    ending: Option<Ending>,
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
        let frames = Frames::new(early, wire.clone(), limits.message);
        Self { reader, frames, wire, left: limits.early, ending: None }
    }

    /// Waits for more to look at.
    async fn read(&mut self) -> Result<(), Ending> {
        let Self { reader, frames, wire, left, .. } = self;
        let read = poll_fn(|task| {
            frames.go_on();
            stream::poll_read(reader, task)
        });
        let fail = |why| Ending { why, code: CLOSE_NORMAL };
        let bytes = read.await.map_err(|error| fail(error.to_string().into()))?;
        *left = match left.checked_sub(bytes.len()) {
            Some(left) => left,
            None if wire.is_admitted() => 0,
            None => return Err(fail(TOO_MUCH.into())),
        };
        frames.push(bytes);
        Ok(())
    }
}

impl Incoming for WebSocket {
    async fn receive(&mut self) -> Result<Bytes, Ending> {
        loop {
            if let Some(ending) = self.ending.take() {
                return Err(ending);
            }
            let (said, ending) = self.frames.messages();
            self.ending = ending;
            if !said.is_empty() {
                return Ok(said);
            }
            if self.ending.is_none() {
                self.read().await?;
            }
        }
    }

    async fn close(&mut self, code: u16) {
        self.frames.close(code);
        _ = self.wire.write().await;
    }

    fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

/// Clients join what they have into one message: MQTT.js all that it could not write yet.
const LARGEST_MESSAGE: usize = 16 << 20;
const TOO_MUCH: &str = "more came than a client may send before it is let in";
