//! One connection from its first byte to its last: reads and writes independently of each other, and never closes
//! before everything was written, nor waits for long. Knows nothing of what the bytes mean.

use super::{
    access::Turn,
    engine::Notice,
    handshake::{self, Opening},
    http::Web,
    line::Line,
    listener::{Entrance, Transport},
    stream::{self, Reader, Stream},
    websocket::WebSocket,
    wire::{Progress, Wire},
};
use crate::broker::ConnectionId;
use bytes::{Buf, Bytes};
use std::{
    borrow::Cow,
    future::{self, Future},
    io, mem,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    net::TcpStream,
    select,
    sync::{mpsc, watch},
    time::sleep,
};

pub(super) struct Connection {
    pub id: ConnectionId,
    pub notices: mpsc::Sender<Notice>,
    pub wire: Arc<Wire>,
    /// The server waits until it is gone.
    pub _alive: watch::Receiver<()>,
}

/// What is known of a connection that does not speak MQTT at once.
pub(super) struct Arrival {
    pub address: SocketAddr,
    pub entrance: Entrance,
    /// Who answers requests for other paths than that of MQTT.
    pub web: Web,
}

/// What brings the bytes of MQTT.
pub(super) trait Incoming: Send {
    /// Waits for bytes, never for none; an ending is final.
    fn receive(&mut self) -> impl Future<Output = Result<Bytes, Ending>> + Send;
    /// Says that nothing follows, with a WebSocket close code where the transport has such. All else was written.
    fn close(&mut self, code: u16) -> impl Future<Output = ()> + Send;
    /// The socket below.
    fn reader(&mut self) -> &mut Reader;
}

/// Why nothing more will come.
#[derive(Debug)]
pub(super) struct Ending {
    /// For the log; no text of the client's.
    pub why: Cow<'static, str>,
    /// The WebSocket close code to answer with.
    pub code: u16,
}

impl Connection {
    /// Serves a connection that speaks MQTT at once, until it is closed.
    pub(super) async fn run(self, stream: TcpStream) {
        let (reader, writer) = Stream::Plain(stream).split();
        self.wire.open(writer);
        select! {
            () = self.talk(reader) => {}
            () = self.is_out_of_time() => {}
        }
    }

    /// Serves any other.
    pub(super) async fn run_any(self, stream: TcpStream, arrival: Box<Arrival>) {
        select! {
            () = self.serve(stream, &arrival) => {}
            () = self.is_out_of_time() => {}
        }
    }

    /// When the engine has let go, what waits is written and the client may close, or the time for that runs out.
    async fn is_out_of_time(&self) {
        self.wire.closed().await;
        Box::pin(sleep(CLOSE_TIMEOUT)).await;
    }

    /// What is soon over is on the heap, where it takes no room afterwards.
    async fn serve(&self, stream: TcpStream, Arrival { address, entrance, web }: &Arrival) {
        let Some(mut stream) = Box::pin(self.secure(stream, entrance)).await else { return };
        let Transport::WebSocket { limits } = entrance.transport else {
            let (reader, writer) = stream.split();
            self.wire.open(writer);
            return self.talk(reader).await;
        };
        let (id, line) = (self.id, Line::new(self.notices.clone()));
        let wait = async |turn: Turn| {
            // The broker would wait for a CONNECT, and not for as long.
            _ = line.look(move |engine| engine.leave_to_web(id)).await;
            turn.comes().await;
            _ = line.look(move |engine| engine.take_back(id)).await;
        };
        let handshake = Box::pin(handshake::accept(&mut stream, &entrance.access, *address, wait));
        let accepted = select! {
            accepted = handshake => accepted,
            () = self.wire.posted() => return, // it took too long
        };
        match accepted {
            Ok(Opening::WebSocket { early, address, token }) => {
                _ = self.notices.send(Notice::Welcomed { connection: id, address, token: token.map(Box::new) }).await;
                let (reader, writer) = stream.split();
                self.wire.open(writer);
                return self.talk(WebSocket::new(reader, early, self.wire.clone(), limits)).await;
            }
            Ok(Opening::Http(early)) => {
                if !line.look(move |engine| engine.leave_to_web(id)).await.unwrap_or_default() {
                    return;
                }
                Box::pin(web.serve(&mut stream, early, *address, self.wire.posted())).await;
                self.end("the HTTP connection ended".into()).await;
            }
            Err(why) => self.end(why).await,
        }
        if stream.shutdown().await.is_ok() {
            linger(&mut stream).await;
        }
    }

    /// Begins TLS where the listener has a certificate; `None` when that came to nothing.
    async fn secure(&self, stream: TcpStream, entrance: &Entrance) -> Option<Stream> {
        let Some(certificate) = &entrance.certificate else { return Some(Stream::Plain(stream)) };
        let accepted = select! {
            accepted = certificate.accept(stream) => accepted,
            () = self.wire.posted() => return None, // it took too long
        };
        match accepted {
            Ok(stream) => Some(Stream::Secure(Box::new(stream))),
            Err(error) => {
                self.end(format!("no TLS connection came about: {error}").into()).await;
                None
            }
        }
    }

    /// Reads and writes until the engine lets go. An end of what comes is reported at once, and waits for the engine.
    async fn talk(&self, mut incoming: impl Incoming) {
        let (mut ending, mut rest) = (None, Bytes::new());
        let written = {
            let reading = async {
                let Ending { why, code } = self.read(&mut incoming, &mut rest).await;
                ending = Some(code);
                self.end(why).await;
                future::pending().await
            };
            select! {
                biased;
                written = self.write() => written,
                never = reading => never,
            }
        };
        if let Err(error) = written {
            if !rest.is_empty() {
                self.received(rest).await;
            }
            self.end(error.to_string().into()).await;
        }
        let is_stopping = self.notices.is_closed();
        incoming.close(ending.unwrap_or(if is_stopping { CLOSE_GOING_AWAY } else { CLOSE_NORMAL })).await;
        if let Some(mut writer) = self.wire.end()
            && writer.shutdown().await.is_ok()
        {
            linger(incoming.reader()).await;
        }
    }

    /// Reads ahead of the engine by one chunk: a client whose packets wait there is slowed by TCP. The engine has not been given `rest`
    /// yet.
    async fn read(&self, incoming: &mut impl Incoming, rest: &mut Bytes) -> Ending {
        loop {
            match incoming.receive().await {
                Ok(bytes) => *rest = bytes,
                Err(ending) => {
                    drop(self.wire.turn().await);
                    return ending;
                }
            }
            // What the first of many small packets cause is on its way while the engine has the next ones.
            while (PART + 1..=MOST_IN_PARTS).contains(&rest.len()) {
                self.received(rest.slice(..PART)).await;
                rest.advance(PART);
            }
            let turn = self.wire.turn().await;
            self.notice(Notice::Received { connection: self.id, bytes: mem::take(rest), turn }).await;
        }
    }

    async fn received(&self, bytes: Bytes) {
        let turn = self.wire.turn().await;
        self.notice(Notice::Received { connection: self.id, bytes, turn }).await;
    }

    /// Writes what the engine could not write itself.
    async fn write(&self) -> io::Result<()> {
        while self.wire.write().await? == Progress::Written {
            self.notice(Notice::Written { connection: self.id }).await;
        }
        Ok(())
    }

    async fn end(&self, why: Cow<'static, str>) {
        self.notice(Notice::Ended { connection: self.id, why }).await;
    }

    async fn notice(&self, notice: Notice) {
        _ = self.notices.send(notice).await; // it fails when the server stops
    }
}

/// Closing a socket with unread bytes resets it, and its client may lose what it was told last: it closes first.
async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    while stream::read(stream).await.is_ok_and(|unread| !unread.is_empty()) {}
}

/// What the engine has at a time.
const PART: usize = 4 << 10;
/// Above this many bytes they are likely large packets, of which the parts had to be joined again.
const MOST_IN_PARTS: usize = 16 << 10;
/// How long a closed connection may take to read what was sent to it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
pub(super) const CLOSE_NORMAL: u16 = 1000;
const CLOSE_GOING_AWAY: u16 = 1001;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use tokio::join;

    /// Brings these, then ends.
    struct Chunks(VecDeque<Bytes>);

    impl Incoming for Chunks {
        async fn receive(&mut self) -> Result<Bytes, Ending> {
            self.0.pop_front().ok_or(Ending { why: "nothing follows".into(), code: CLOSE_NORMAL })
        }

        async fn close(&mut self, _code: u16) {}

        fn reader(&mut self) -> &mut Reader {
            unreachable!("there is no socket")
        }
    }

    fn connection(notices: mpsc::Sender<Notice>) -> Connection {
        Connection { id: ConnectionId(1), notices, wire: Arc::default(), _alive: watch::channel(()).1 }
    }

    #[tokio::test]
    async fn the_engine_can_be_given_the_rest_when_reading_ends_between_two_parts() {
        let (notices, mut noticed) = mpsc::channel(1);
        let connection = connection(notices);
        let (mut incoming, mut rest) = (Chunks([Bytes::from(vec![7; PART + 1])].into()), Bytes::new());
        select! {
            biased;
            _ = connection.read(&mut incoming, &mut rest) => unreachable!("the engine has not dealt with the first part"),
            () = tokio::task::yield_now() => {}
        }
        assert!(matches!(noticed.recv().await, Some(Notice::Received { bytes, .. }) if bytes.len() == PART));
        assert_eq!(rest.len(), 1);
    }

    #[tokio::test]
    async fn what_is_likely_many_small_packets_comes_in_parts_and_all_in_order() {
        let chunks = [PART, MOST_IN_PARTS - 1, MOST_IN_PARTS + 1]
            .map(|length| (0..length).map(|index| (index % 251) as u8).collect::<Bytes>());
        let (notices, mut noticed) = mpsc::channel(1);
        let connection = connection(notices);
        let mut incoming = Chunks(chunks.clone().into());
        let reading = async move {
            connection.read(&mut incoming, &mut Bytes::new()).await;
            drop(connection);
        };
        let engine = async {
            let mut parts = Vec::new();
            while let Some(Notice::Received { bytes, .. }) = noticed.recv().await {
                parts.push(bytes);
            }
            parts
        };
        let ((), parts) = join!(reading, engine);
        let lengths: Vec<_> = parts.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [PART, PART, PART, PART, PART - 1, MOST_IN_PARTS + 1]);
        assert!(parts.concat() == chunks.concat());
    }
}
