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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use socket2::SockRef;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn what_a_listener_accepts_is_paced_as_little_as_the_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        avoid_pacing(&listener);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert!(SockRef::from(&accepted).tcp_congestion().unwrap().starts_with(b"reno"));
    }
}
