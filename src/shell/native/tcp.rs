//! MQTT over TCP, or over TLS: the bytes as they come.

use super::{
    connection::{CLOSE_NORMAL, Ending, Incoming},
    stream::{self, Reader},
};
use bytes::Bytes;

impl Incoming for Reader {
    async fn receive(&mut self) -> Result<Bytes, Ending> {
        match stream::read(self).await {
            Ok(bytes) if bytes.is_empty() => {
                Err(Ending { why: "the client closed the connection without a DISCONNECT".into(), code: CLOSE_NORMAL })
            }
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(Ending { why: error.to_string().into(), code: CLOSE_NORMAL }),
        }
    }

    async fn close(&mut self, _code: u16) {}

    fn reader(&mut self) -> &mut Reader {
        self
    }
}
