//! Accepts connections and hands each to a task of its own. Knows nothing of what is said on them.

use super::{
    access::{Access, Address, Turn},
    connection::{Arrival, Connection},
    engine::Notice,
    http::Web,
    inner::Inner,
    line::{Line, Stopping},
    outbox::{Framing, Outbox},
    peer::Peer,
    tls::Certificate,
    websocket,
    wire::Wire,
};
use crate::broker::{ConnectionId, Verdict};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{mpsc, watch},
    time::sleep,
};
use tracing::{info, warn};

/// How those who come to a listener are served.
#[derive(Clone)]
pub(super) struct Entrance {
    pub transport: Transport,
    pub access: Arc<Access>,
    /// What TLS shows them; without one it is none.
    pub certificate: Option<Certificate>,
}

/// What MQTT is spoken over.
#[derive(Clone)]
pub(super) enum Transport {
    Tcp,
    WebSocket { limits: websocket::Limits },
}

/// What every connection needs to reach the engine.
#[derive(Clone, Debug)]
pub(super) struct Door {
    notices: mpsc::Sender<Notice>,
    /// Resolves when the server stops, which in turn waits until all clones are gone.
    alive: watch::Receiver<()>,
    last_connection: Arc<AtomicU64>,
}

impl Door {
    pub(super) fn new(notices: mpsc::Sender<Notice>, alive: watch::Receiver<()>) -> Self {
        Self { notices, alive, last_connection: Arc::default() }
    }

    /// Admits whoever comes to `listener`, until the server stops.
    pub(super) async fn admit(self, listener: TcpListener, entrance: Entrance, web: Web) {
        let mut alive = self.alive.clone();
        select! {
            _ = alive.changed() => {}
            () = self.accept(&listener, &entrance, &web) => {}
        }
    }

    async fn accept(&self, listener: &TcpListener, entrance: &Entrance, web: &Web) {
        let mut is_failing = false;
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    if is_failing {
                        info!("accepting connections again");
                    }
                    is_failing = false;
                    self.arrived(stream, address, entrance.clone(), web.clone()).await;
                }
                Err(error) if is_of_one_connection(error.kind()) => {}
                Err(error) => {
                    // No file descriptors, or no memory: the next attempt fails too until some connection has ended.
                    if !is_failing {
                        warn!("no connection can be accepted: {error}");
                    }
                    is_failing = true;
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Opens a connection when its turn comes. Where one over WebSocket is from, only its request tells.
    async fn arrived(&self, stream: TcpStream, address: SocketAddr, entrance: Entrance, web: Web) {
        let turn = match entrance.transport {
            Transport::Tcp => entrance.access.arrivals.admit(address.ip(), Instant::now()),
            Transport::WebSocket { .. } => Some(Turn::NOW),
        };
        match turn {
            None => info!(from = %address, "refused: too many connections were opened from this address"),
            Some(turn) if turn.is_now() => self.open(stream, address, entrance, web).await,
            Some(turn) => {
                let door = self.clone();
                tokio::spawn(async move {
                    let mut alive = door.alive.clone();
                    select! {
                        _ = alive.changed() => {}
                        () = turn.comes() => door.open(stream, address, entrance, web).await,
                    }
                });
            }
        }
    }

    async fn open(&self, stream: TcpStream, address: SocketAddr, entrance: Entrance, web: Web) {
        _ = stream.set_nodelay(true); // a socket that refuses it still works
        let id = self.next_id();
        let wire = Arc::<Wire>::default();
        let framing = match entrance.transport {
            Transport::Tcp => Framing::None,
            Transport::WebSocket { .. } => Framing::WebSocket,
        };
        let peer = Box::new(Peer::new(Address::Socket(address), Outbox::new(wire.clone(), framing)));
        if self.notices.send(Notice::Opened { connection: id, peer }).await.is_err() {
            return;
        }
        let connection = Connection { id, notices: self.notices.clone(), wire, _alive: self.alive.clone() };
        if framing == Framing::None && entrance.certificate.is_none() {
            tokio::spawn(connection.run(stream));
        } else {
            tokio::spawn(connection.run_any(stream, Box::new(Arrival { address, entrance, web })));
        }
    }
}

impl Door {
    /// A line to the engine.
    pub(super) fn line(&self) -> Line {
        Line::new(self.notices.clone())
    }

    /// Lets a client of the server's own in, who needs not be asked who it is.
    ///
    /// # Errors
    /// When the server is stopping.
    pub(super) async fn enter(&self, address: Address, known_as: Verdict) -> Result<Inner, Stopping> {
        let id = self.next_id();
        let wire = Arc::<Wire>::default();
        let peer = Box::new(Peer::new(address, Outbox::new(wire.clone(), Framing::None)).known_as(known_as));
        self.notices.send(Notice::Opened { connection: id, peer }).await.map_err(|_| Stopping)?;
        Ok(Inner::new(id, self.notices.clone(), wire, self.alive.clone()))
    }

    fn next_id(&self) -> ConnectionId {
        ConnectionId(self.last_connection.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Whether accept tells of a connection that ended before it was accepted.
fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
