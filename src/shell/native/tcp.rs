//! MQTT over TCP, or over TLS: the bytes as they come.

use super::{
    connection::{CLOSE_NORMAL, Ending, Incoming},
    stream::{self, Reader},
};
use bytes::Bytes;
use tokio::net::TcpListener;

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

/// Within a machine nothing is congested, but where BBR is the system's default its timers cost as much as all else of a
/// large message. What the listener accepts inherits this.
pub(super) fn avoid_pacing(listener: &TcpListener) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(listener).set_tcp_congestion(b"reno");
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}
