//! The native host on tokio: sockets, the clock, the storage and the log around one [`Broker`]. Knows no rule of MQTT.
//!
//! ```no_run
//! use mqlite::shell::native::{Server, ServerConfig};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind(ServerConfig { tcp: vec!["127.0.0.1:0".into()], ..ServerConfig::default() }).await?;
//! println!("mqtt://{}", server.tcp_addresses()[0]);
//! server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
//! # Ok(())
//! # }
//! ```

mod commits;
mod connection;
mod engine;
mod export;
mod gate;
mod handshake;
mod listener;
mod outbox;
mod pilot;
mod report;
mod start_error;
mod state;
mod storage;
mod tcp;
mod websocket;

pub use export::{ExportError, write_export};
pub use pilot::Pilot;
pub use start_error::StartError;
pub use state::{Contents, ImportError, export, import};
pub use storage::{StorageError, StorageProblem};

use self::{
    engine::Engine,
    listener::{Door, Transport},
    pilot::Steering,
    storage::Storage,
};
use crate::broker::{Broker, Config, Durability, Input};
use std::{fmt, future::Future, io, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::timeout,
};
use tracing::{info, warn};

/// Where MQTT over TCP is served unless told otherwise.
pub const DEFAULT_TCP: &str = "127.0.0.1:1883";
/// Where MQTT over WebSocket is served unless told otherwise.
pub const DEFAULT_WEBSOCKET: &str = "127.0.0.1:8083";
/// The path of MQTT over WebSocket; every other is answered with 404.
pub const WEBSOCKET_PATH: &str = "/mqtt";

/// Where a server listens, where it keeps its state, and the rules of its broker.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Addresses for MQTT over TCP, each `HOST:PORT`; port 0 takes a free one.
    pub tcp: Vec<String>,
    /// Addresses for MQTT over WebSocket, each `HOST:PORT`; port 0 takes a free one.
    pub websocket: Vec<String>,
    /// The directory that sessions, messages that wait and retained messages are kept in, begun if it is not there. It belongs
    /// to one server at a time. Nothing is sent before what it depends on is durable there. Without a directory, state is in
    /// memory alone and ends with the server.
    pub data: Option<PathBuf>,
    /// The broker's settings. The server answers no questions: with [`crate::broker::Authentication::Ask`] all are
    /// kept out, unless a [`Pilot`] decides. Its durability is ignored: `data` decides that. What holds before a CONNECT
    /// (number, time) holds for WebSocket handshakes too.
    pub broker: Config,
}

impl Default for ServerConfig {
    /// Both transports, on loopback; state in memory alone.
    fn default() -> Self {
        let (tcp, websocket) = (vec![DEFAULT_TCP.into()], vec![DEFAULT_WEBSOCKET.into()]);
        Self { tcp, websocket, data: None, broker: Config::default() }
    }
}

/// A broker with its listeners. Clients may connect once [`Server::bind`] has returned; [`Server::run`] answers them.
pub struct Server {
    broker: Broker,
    storage: Option<Storage>,
    steering: Option<Steering>,
    listeners: Vec<(TcpListener, Transport)>,
    tcp_addresses: Vec<SocketAddr>,
    websocket_addresses: Vec<SocketAddr>,
}

impl Server {
    /// Opens all listeners and restores what is kept, within a tokio runtime whose IO and time are enabled.
    ///
    /// # Errors
    /// When an address cannot be listened on, the directory cannot be used, or the system gives no random seed.
    pub async fn bind(config: ServerConfig) -> Result<Self, StartError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| StartError::Seed(io::Error::other(error)))?;
        let mut listeners = Vec::new();
        let tcp_addresses = listen(&config.tcp, Transport::Tcp, &mut listeners).await?;
        let over_websocket = Transport::WebSocket { limits: websocket::Limits::new(&config.broker) };
        let websocket_addresses = listen(&config.websocket, over_websocket, &mut listeners).await?;
        let (broker, storage) = match &config.data {
            None => (Broker::new(Config { durability: Durability::None, ..config.broker }, seed), None),
            Some(directory) => {
                let restored = state::restore(directory, config.broker, seed).await;
                let (broker, storage) = restored.map_err(StartError::Storage)?;
                (broker, Some(storage))
            }
        };
        Ok(Self { broker, storage, steering: None, listeners, tcp_addresses, websocket_addresses })
    }

    /// Where MQTT over TCP is served, in the order of [`ServerConfig::tcp`], with the ports that were free.
    pub fn tcp_addresses(&self) -> &[SocketAddr] {
        &self.tcp_addresses
    }

    /// Where MQTT over WebSocket is served, in the order of [`ServerConfig::websocket`], with the ports that were free.
    pub fn websocket_addresses(&self) -> &[SocketAddr] {
        &self.websocket_addresses
    }

    /// Gives `pilot` a say; it speaks to the broker through `inputs`.
    #[must_use]
    pub fn steered(self, pilot: Box<dyn Pilot>, inputs: mpsc::UnboundedReceiver<Input>) -> Self {
        Self { steering: Some(Steering { pilot, inputs }), ..self }
    }

    /// Serves until `stop` resolves. Then MQTT 5 clients hear DISCONNECT with 0x8B, what was sent is written, and all is
    /// closed: that takes no time when the clients read, and five seconds at most when some do not.
    ///
    /// # Errors
    /// When state can no longer be kept, as on a full disk: all is closed then. What a client was told is in the directory.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StorageError> {
        let (notices, noticed) = mpsc::channel(engine::NOTICES);
        let (alive, is_alive) = watch::channel(());
        let door = Door::new(notices.clone(), is_alive);
        for (listener, transport) in self.listeners {
            tokio::spawn(door.clone().admit(listener, transport));
        }
        drop(door);
        announce(&self.tcp_addresses, &self.websocket_addresses);
        announce_state(&self.broker, self.storage.as_ref());
        let outcome = Engine::new(self.broker, self.storage, self.steering).run(noticed, stop).await;
        drop(notices); // held so that a server without a listener waits too
        alive.send_replace(()); // the listeners see it and end
        if timeout(STOP_TIMEOUT, alive.closed()).await.is_err() {
            warn!("not every client took what was sent to it");
        }
        outcome
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = (&self.tcp_addresses, &self.websocket_addresses);
        formatter.debug_tuple("Server").field(&addresses).finish()
    }
}

async fn listen(
    addresses: &[String],
    transport: Transport,
    listeners: &mut Vec<(TcpListener, Transport)>,
) -> Result<Vec<SocketAddr>, StartError> {
    let mut bound = Vec::new();
    for address in addresses {
        let failed = |source| StartError::Address { address: address.clone(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        bound.push(listener.local_addr().map_err(failed)?);
        listeners.push((listener, transport));
    }
    Ok(bound)
}

fn announce(tcp: &[SocketAddr], websocket: &[SocketAddr]) {
    for address in tcp {
        info!("listening on mqtt://{address}");
    }
    for address in websocket {
        info!("listening on ws://{address}{WEBSOCKET_PATH}");
    }
    for address in tcp.iter().chain(websocket).filter(|address| !address.ip().is_loopback()) {
        warn!("{address} is open to everybody who can reach it: clients are not authenticated");
    }
}

fn announce_state(broker: &Broker, storage: Option<&Storage>) {
    let Some(storage) = storage else { return info!("state is kept in memory alone") };
    let Contents { sessions, messages, retained_messages, .. } = state::contents(broker);
    info!(sessions, messages, retained_messages, "state is kept in {}", storage.directory().display());
}

/// Longer than any one connection takes to close.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
