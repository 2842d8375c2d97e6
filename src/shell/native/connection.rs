//! One connection from its first byte to its last: reads and writes independently of each other, and never closes
//! before everything was written, nor waits for long. Knows nothing of what the bytes mean.

use super::{
    access::Turn,
    engine::Notice,
    gate::Admission,
    handshake::{self, Opening},
    http::Web,
    line::Line,
    listener::{Entrance, Transport},
    outbox::Batch,
    stream::Stream,
    tcp, websocket,
};
use crate::broker::ConnectionId;
use bytes::Bytes;
use std::{
    borrow::Cow,
    convert::Infallible,
    future::{self, Future},
    io,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    select,
    sync::{Semaphore, mpsc, oneshot},
    time::sleep,
};

pub(super) struct Connection {
    pub id: ConnectionId,
    pub address: SocketAddr,
    pub notices: mpsc::Sender<Notice>,
    pub batches: mpsc::UnboundedReceiver<Batch>,
    pub admission: Admission,
    /// Who answers requests for other paths than that of MQTT.
    pub web: Web,
}

/// The reading half of a transport.
pub(super) trait Incoming {
    /// Waits for bytes, never for none; an ending is final.
    fn receive(&mut self) -> impl Future<Output = Result<Bytes, Ending>> + Send;
}

/// The writing half of a transport.
pub(super) trait Outgoing {
    /// Writes all of `bytes`, which are not empty.
    fn send(&mut self, bytes: Bytes) -> impl Future<Output = io::Result<()>> + Send;
    /// Says that nothing follows, with a WebSocket close code where the transport has such.
    fn close(&mut self, code: u16) -> impl Future<Output = ()> + Send;
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
    /// Serves the connection until it is closed. `closing` resolves when the engine lets go of it: then what waits is
    /// written and the client may close, or the time for that runs out.
    pub(super) async fn run(mut self, stream: TcpStream, entrance: Entrance, closing: oneshot::Receiver<Infallible>) {
        let out_of_time = async {
            _ = closing.await;
            Box::pin(sleep(CLOSE_TIMEOUT)).await;
        };
        select! {
            () = self.serve(stream, entrance) => {}
            () = out_of_time => {}
        }
    }

    /// What most connections are is small; all else is on the heap, where it takes no room in these.
    async fn serve(&mut self, mut stream: TcpStream, entrance: Entrance) {
        if matches!(entrance.transport, Transport::Tcp) && entrance.certificate.is_none() {
            drop(entrance);
            let (incoming, outgoing) = tcp::open(&mut stream);
            self.talk(incoming, outgoing).await;
            linger(&mut stream).await;
        } else {
            Box::pin(self.serve_any(stream, entrance)).await;
        }
    }

    async fn serve_any(&mut self, stream: TcpStream, entrance: Entrance) {
        let Some(mut stream) = Box::pin(self.secure(stream, &entrance)).await else { return };
        match entrance.transport {
            Transport::Tcp => {
                let (incoming, outgoing) = tcp::open_any(&mut stream);
                self.talk(incoming, outgoing).await;
            }
            Transport::WebSocket { limits } => {
                let (id, line) = (self.id, Line::new(self.notices.clone()));
                let wait = async |turn: Turn| {
                    // The broker would wait for a CONNECT, and not for as long.
                    _ = line.look(move |engine| engine.leave_to_web(id)).await;
                    turn.comes().await;
                    _ = line.look(move |engine| engine.take_back(id)).await;
                };
                let handshake = Box::pin(handshake::accept(&mut stream, &entrance.access, self.address, wait));
                let accepted = select! {
                    accepted = handshake => accepted,
                    _ = self.batches.recv() => return, // it took too long
                };
                match accepted {
                    Ok(Opening::WebSocket { early, address, token }) => {
                        _ = self.notices.send(Notice::Welcomed { connection: self.id, address, token }).await;
                        let gate = limits.gate(&mut stream, self.admission.clone());
                        let (incoming, outgoing) = websocket::open(gate, early, limits).await;
                        self.talk(incoming, outgoing).await;
                    }
                    Ok(Opening::Http(early)) => {
                        if !line.look(move |engine| engine.leave_to_web(id)).await.unwrap_or_default() {
                            return;
                        }
                        let is_over = async { _ = self.batches.recv().await };
                        Box::pin(self.web.serve(&mut stream, early, self.address, is_over)).await;
                        self.end("the HTTP connection ended".into()).await;
                    }
                    Err(why) => self.end(why).await,
                }
            }
        }
        linger(&mut stream).await;
    }

    /// Begins TLS where the listener has a certificate; `None` when that came to nothing.
    async fn secure(&mut self, stream: TcpStream, entrance: &Entrance) -> Option<Stream> {
        let Some(certificate) = &entrance.certificate else { return Some(Stream::Plain(stream)) };
        let accepted = select! {
            accepted = certificate.accept(stream) => accepted,
            _ = self.batches.recv() => return None, // it took too long
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
    async fn talk(&mut self, mut incoming: impl Incoming, mut outgoing: impl Outgoing) {
        let mut ending = None;
        let Self { id, notices, batches, .. } = self;
        let written = {
            let reading = async {
                let Ending { why, code } = read(*id, notices, &mut incoming).await;
                ending = Some(code);
                _ = notices.send(Notice::Ended { connection: *id, why }).await;
                future::pending().await
            };
            select! {
                written = write(*id, notices, batches, &mut outgoing) => written,
                never = reading => never,
            }
        };
        if let Err(error) = written {
            self.end(error.to_string().into()).await;
        }
        let is_stopping = self.notices.is_closed();
        outgoing.close(ending.unwrap_or(if is_stopping { CLOSE_GOING_AWAY } else { CLOSE_NORMAL })).await;
    }

    async fn end(&self, why: Cow<'static, str>) {
        _ = self.notices.send(Notice::Ended { connection: self.id, why }).await; // it fails when the server stops
    }
}

/// Reads ahead of the engine by one chunk: a client whose packets wait there is slowed by TCP.
async fn read(connection: ConnectionId, notices: &mpsc::Sender<Notice>, incoming: &mut impl Incoming) -> Ending {
    let turns = Arc::new(Semaphore::new(1));
    loop {
        let received = incoming.receive().await;
        let turn = turns.clone().acquire_owned().await;
        match (received, turn) {
            (Ok(bytes), Ok(turn)) => _ = notices.send(Notice::Received { connection, bytes, turn }).await,
            (Ok(_), Err(_)) => {} // the semaphore is never closed
            (Err(ending), _) => return ending,
        }
    }
}

async fn write(
    connection: ConnectionId,
    notices: &mpsc::Sender<Notice>,
    batches: &mut mpsc::UnboundedReceiver<Batch>,
    outgoing: &mut impl Outgoing,
) -> io::Result<()> {
    while let Some(batch) = batches.recv().await {
        for piece in batch.pieces {
            outgoing.send(piece).await?;
        }
        if batches.is_empty() {
            _ = notices.send(Notice::Written { connection, batch: batch.number }).await;
        }
    }
    Ok(())
}

/// Closing a socket with unread bytes resets it, and its client may lose what it was told last: it closes first.
async fn linger(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if stream.shutdown().await.is_ok() {
        while tcp::read(stream).await.is_ok_and(|unread| !unread.is_empty()) {}
    }
}

/// How long a closed connection may take to read what was sent to it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
pub(super) const CLOSE_NORMAL: u16 = 1000;
const CLOSE_GOING_AWAY: u16 = 1001;
