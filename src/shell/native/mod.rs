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

mod access;
mod accounts;
mod commits;
mod connection;
mod engine;
mod export;
mod frames;
mod handshake;
mod http;
mod inner;
mod judges;
mod line;
mod listener;
mod outbox;
mod peer;
mod pilot;
mod report;
mod settings;
mod start_error;
mod state;
mod storage;
mod stream;
mod tcp;
mod tls;
mod tracers;
mod websocket;
mod wire;

pub use access::{Caller, JwtAlgorithm, Refusal, Scope, UserChange, UserError, UserSummary};
pub use accounts::{AccountError, add_user, remove_user, users};
pub use export::{ExportError, write_export};
pub use pilot::Pilot;
pub use settings::{
    AuthenticationConfig, ConnectionRate, DEFAULT_TCP, DEFAULT_WEBSOCKET, JwtConfig, Mistake, Secrets, ServerConfig,
    SettingError, Settings,
};
pub use start_error::StartError;
pub use state::{Contents, ImportError, export, import};
pub use storage::{StorageError, StorageProblem};
pub use tls::{Certificate, TlsError, TlsFiles};

use self::{
    access::Access,
    engine::Engine,
    http::{Site, Web},
    listener::{Door, Entrance, Transport},
    pilot::Steering,
    storage::Storage,
};
use crate::broker::{Authentication, Broker, Config, Durability, Input, PublishRule};
use std::{fmt, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::timeout,
};
use tracing::{info, warn};

/// The path of MQTT over WebSocket; every other is answered with 404.
pub const WEBSOCKET_PATH: &str = "/mqtt";

/// A broker with its listeners. Clients may connect once [`Server::bind`] has returned; [`Server::run`] answers them.
pub struct Server {
    broker: Broker,
    config: Config,
    site: Site,
    storage: Option<Storage>,
    steering: Option<Steering>,
    access: Arc<Access>,
    listeners: Vec<(TcpListener, Entrance)>,
    addresses: Addresses,
    certificate: Option<Certificate>,
}

/// Where a server listens.
#[derive(Debug)]
struct Addresses {
    tcp: Vec<SocketAddr>,
    websocket: Vec<SocketAddr>,
    tcp_tls: Vec<SocketAddr>,
    websocket_tls: Vec<SocketAddr>,
}

impl Server {
    /// Opens all listeners and restores what is kept, within a tokio runtime whose IO and time are enabled.
    ///
    /// # Errors
    /// When an address cannot be listened on, or is not loopback while nobody is authenticated; a setting, a file that it names or
    /// the directory cannot be used; or the system gives no random seed.
    pub async fn bind(config: ServerConfig) -> Result<Self, StartError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| StartError::Seed(io::Error::other(error)))?;
        let access = Arc::new(Access::open(&config).map_err(StartError::Setting)?);
        let certificate = config.tls.clone().map(Certificate::read).transpose().map_err(StartError::Tls)?;
        let mut listeners = Vec::new();
        let addresses = listen(&config, &access, certificate.as_ref(), &mut listeners).await?;
        let site = Site::new(&config, access.clone());
        let durability = if config.data.is_some() { Durability::Sessions } else { Durability::None };
        let is_asked = config.authentication.is_some();
        let authentication = if is_asked { Authentication::Ask } else { config.broker.authentication };
        let rules = [config.rules, config.broker.rules].concat();
        let mut broker_config =
            Config { durability, authentication, rules, asks_about_reserved: true, ..config.broker };
        let is_open = matches!(broker_config.authentication, Authentication::Open(_));
        let (broker, storage) = match &config.data {
            None => (Broker::new(broker_config.clone(), seed), None),
            Some(directory) => {
                let restored = state::restore(directory, broker_config.clone(), seed).await;
                let (broker, storage) = restored.map_err(StartError::Storage)?;
                (broker, Some(storage))
            }
        };
        if is_asked || state::has_users(&broker) {
            broker_config.authentication = Authentication::Ask;
        } else if is_open && let Some(address) = addresses.beyond_this_machine() {
            return Err(StartError::Open { address });
        }
        let config = broker_config;
        Ok(Self { broker, config, site, storage, steering: None, access, listeners, addresses, certificate })
    }

    /// Where MQTT over TCP is served, in the order of [`ServerConfig::tcp`], with the ports that were free.
    pub fn tcp_addresses(&self) -> &[SocketAddr] {
        &self.addresses.tcp
    }

    /// Where MQTT over WebSocket is served, in the order of [`ServerConfig::websocket`], with the ports that were free.
    pub fn websocket_addresses(&self) -> &[SocketAddr] {
        &self.addresses.websocket
    }

    /// Where MQTT over TLS is served, in the order of [`ServerConfig::tcp_tls`], with the ports that were free.
    pub fn tcp_tls_addresses(&self) -> &[SocketAddr] {
        &self.addresses.tcp_tls
    }

    /// Where MQTT over WebSocket and TLS is served, in the order of [`ServerConfig::websocket_tls`], with the ports that were
    /// free.
    pub fn websocket_tls_addresses(&self) -> &[SocketAddr] {
        &self.addresses.websocket_tls
    }

    /// What TLS shows, to read it anew when its files have changed.
    pub fn certificate(&self) -> Option<Certificate> {
        self.certificate.clone()
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
        let web = Web::new(self.site, door.clone());
        for (listener, entrance) in self.listeners {
            tokio::spawn(door.clone().admit(listener, entrance, web.clone()));
        }
        drop((door, web));
        self.addresses.announce();
        announce_access(&self.config, &self.access);
        announce_state(&self.broker, self.storage.as_ref());
        if self.steering.is_none() && self.config.rules.iter().any(PublishRule::asks_host) {
            warn!("nobody decides here what the rules with review are about: reviewFallback holds");
        }
        let engine = Engine::new(self.broker, self.config, self.storage, Some(self.access), self.steering);
        let outcome = engine.run(noticed, stop).await;
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
        formatter.debug_tuple("Server").field(&self.addresses).finish()
    }
}

async fn listen(
    config: &ServerConfig,
    access: &Arc<Access>,
    certificate: Option<&Certificate>,
    listeners: &mut Vec<(TcpListener, Entrance)>,
) -> Result<Addresses, StartError> {
    let limits = websocket::Limits::new(&config.broker);
    let over_websocket = Transport::WebSocket { limits };
    let plain = |transport| Entrance { transport, access: access.clone(), certificate: None };
    let mut addresses = Addresses {
        tcp: bind(&config.tcp, plain(Transport::Tcp), listeners).await?,
        websocket: bind(&config.websocket, plain(over_websocket.clone()), listeners).await?,
        tcp_tls: Vec::new(),
        websocket_tls: Vec::new(),
    };
    if let Some(address) = config.tcp_tls.first().or(config.websocket_tls.first()) {
        let Some(certificate) = certificate else { return Err(StartError::NoCertificate { address: address.clone() }) };
        let secure = |transport| Entrance { transport, access: access.clone(), certificate: Some(certificate.clone()) };
        addresses.tcp_tls = bind(&config.tcp_tls, secure(Transport::Tcp), listeners).await?;
        addresses.websocket_tls = bind(&config.websocket_tls, secure(over_websocket), listeners).await?;
    }
    Ok(addresses)
}

async fn bind(
    addresses: &[String],
    entrance: Entrance,
    listeners: &mut Vec<(TcpListener, Entrance)>,
) -> Result<Vec<SocketAddr>, StartError> {
    let mut bound = Vec::new();
    for address in addresses {
        let failed = |source| StartError::Address { address: address.clone(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if address.ip().is_loopback() {
            tcp::avoid_pacing(&listener);
        }
        bound.push(address);
        listeners.push((listener, entrance.clone()));
    }
    Ok(bound)
}

impl Addresses {
    fn announce(&self) {
        let Self { tcp, websocket, tcp_tls, websocket_tls } = self;
        let path = WEBSOCKET_PATH;
        for address in tcp {
            info!("listening on mqtt://{address}");
        }
        for address in websocket {
            info!("listening on ws://{address}{path}");
        }
        for address in tcp_tls {
            info!("listening on mqtts://{address}");
        }
        for address in websocket_tls {
            info!("listening on wss://{address}{path}");
        }
        for address in tcp.iter().chain(websocket).filter(|address| !address.ip().is_loopback()) {
            warn!("{address} has no TLS: whoever is on the way there reads passwords and messages");
        }
    }

    /// One that can be reached from other machines.
    fn beyond_this_machine(&self) -> Option<SocketAddr> {
        let Self { tcp, websocket, tcp_tls, websocket_tls } = self;
        let all = [tcp, websocket, tcp_tls, websocket_tls].into_iter().flatten();
        all.copied().find(|address| !address.ip().is_loopback())
    }
}

fn announce_access(config: &Config, access: &Access) {
    match config.authentication {
        Authentication::Open(_) => info!("everybody who can connect is let in"),
        Authentication::Ask => match (access.allows_tokens(), access.allows_anonymous()) {
            (false, false) => info!("users are let in"),
            (false, true) => info!("users, and clients without credentials, are let in"),
            (true, false) => info!("users, and bearers of JSON Web Tokens, are let in"),
            (true, true) => info!("users, bearers of JSON Web Tokens, and clients without credentials, are let in"),
        },
    }
}

fn announce_state(broker: &Broker, storage: Option<&Storage>) {
    let Some(storage) = storage else { return info!("state is kept in memory alone") };
    let Contents { sessions, messages, retained_messages, .. } = state::contents(broker);
    info!(sessions, messages, retained_messages, "state is kept in {}", storage.directory().display());
}

/// Longer than any one connection takes to close.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
