//! `mqlite serve`: puts settings together, begins the log, and serves until it is told to stop.

use super::{Data, check::told, explain_storage};
use clap::Args;
use mqlite::shell::native::{Certificate, Secrets, Server, ServerConfig, Settings, StartError, TlsFiles};
use std::{
    env,
    io::{self, ErrorKind, IsTerminal},
    path::PathBuf,
    process::exit,
};
use tokio::{runtime, signal, sync::oneshot};
use tracing::{info, warn};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

/// Run the broker until Ctrl-C or SIGTERM
///
/// Sessions, the messages that wait for them, and retained messages outlive the process: nothing is
/// acknowledged before it is on the disk. With --memory they end with the process.
/// Until there is a user (mqlite user add) or the settings say who is let in, that is everybody, and
/// only addresses of this machine are served.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = AFTER_HELP)]
pub struct Serve {
    /// Take the settings of this file; what is said here counts more
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Serve MQTT over TCP on this address; may be given several times
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    tcp: Vec<String>,

    /// Serve MQTT over WebSocket on this address, at path /mqtt; may be given several times
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    ws: Vec<String>,

    /// Serve MQTT over TLS on this address; may be given several times
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    tcp_tls: Vec<String>,

    /// Serve MQTT over WebSocket and TLS on this address; may be given several times
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    ws_tls: Vec<String>,

    /// Show this certificate to clients of TLS: a file in PEM, read again at SIGHUP
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,

    /// The private key of the certificate: a file in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,

    /// Let in clients that bring no credentials, from wherever they come
    #[arg(long)]
    anonymous: bool,

    #[command(flatten)]
    data: Data,

    /// Keep state in memory alone
    #[arg(long, conflicts_with = "data")]
    memory: bool,
}

const AFTER_HELP: &str = "\
Without an address: --tcp 127.0.0.1:1883 --ws 127.0.0.1:8083. With one, that one alone.
Port 0 takes a free port; the log says which.
Without --data: mqlite in the directory that the platform has for data, as ~/.local/share/mqlite;
the log says which. A directory is for one server at a time.

Environment:
  RUST_LOG               What is logged to stderr: error, warn, info (the default) or debug, which
                         also shows messages that were refused or dropped
  MQLITE_ADMIN_TOKEN     The token of the operator, who may do all over HTTP
  MQLITE_JWT_SECRET      The secret, and
  MQLITE_JWT_PUBLIC_KEY  the public key of JSON Web Tokens

Examples:
  mqlite serve
  mqlite serve --tcp 0.0.0.0:1883        TCP alone, for users from other machines
  mqlite serve --ws '[::1]:0' --memory   WebSocket alone, on a free port, without a trace
  mqlite serve --config mqlite.toml      What the file says; mqlite check explains it";

impl Serve {
    pub fn run(self) -> Result<(), String> {
        begin_log();
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("the system refuses what a server needs ({error})"))?;
        runtime.block_on(serve(self.settings()?))
    }

    /// What the file says, and what is said in its place.
    fn settings(self) -> Result<ServerConfig, String> {
        let secrets = Secrets::from_environment();
        let Settings { mut config, memory, .. } = match &self.config {
            Some(file) => Settings::read(file, secrets).map_err(|mistakes| told(file, &mistakes))?,
            None => Settings { config: ServerConfig { secrets, ..ServerConfig::default() }, ..Settings::default() },
        };
        if [&self.tcp, &self.ws, &self.tcp_tls, &self.ws_tls].into_iter().any(|list| !list.is_empty()) {
            (config.tcp, config.websocket) = (self.tcp, self.ws);
            (config.tcp_tls, config.websocket_tls) = (self.tcp_tls, self.ws_tls);
        }
        if let (Some(certificate), Some(key)) = (self.certificate, self.key) {
            if config.tcp_tls.is_empty() && config.websocket_tls.is_empty() {
                return Err("--certificate is for no address: name one with --tcp-tls or --ws-tls".to_owned());
            }
            config.tls = Some(TlsFiles { certificate, key });
        }
        if self.anonymous {
            config.authentication.get_or_insert_default().anonymous = true;
        }
        let is_named = self.data.data.is_some();
        if self.memory || (memory && !is_named) {
            config.data = None;
        } else if is_named || config.data.is_none() {
            config.data = Some(self.data.directory()?);
        }
        Ok(config)
    }
}

async fn serve(config: ServerConfig) -> Result<(), String> {
    let mut signals = Signals::new().map_err(|error| format!("signals cannot be received ({error})"))?;
    let addresses = config.clone();
    let server = Server::bind(config).await.map_err(|error| explain(&error, &addresses))?;
    if let Some(certificate) = server.certificate() {
        tokio::spawn(keep_current(certificate));
    }

    let (stop, is_asked) = oneshot::channel();
    tokio::spawn(async move {
        signals.next().await;
        info!("stopping; once more ends at once");
        _ = stop.send(());
        signals.next().await;
        exit(130);
    });
    server.run(async { _ = is_asked.await }).await.map_err(|error| error.to_string())?;
    info!("stopped");
    Ok(())
}

/// Reads the certificate anew whenever the process is told to.
#[cfg(unix)]
async fn keep_current(certificate: Certificate) {
    use signal::unix::{SignalKind, signal};
    let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return };
    while hang_up.recv().await.is_some() {
        match certificate.reload() {
            Ok(()) => info!("the certificate was read anew"),
            Err(error) => warn!("the certificate stays as it was: {error}"),
        }
    }
}

#[cfg(not(unix))]
async fn keep_current(_certificate: Certificate) {}

/// The error, and what helps.
fn explain(error: &StartError, config: &ServerConfig) -> String {
    let (address, source) = match error {
        StartError::Address { address, source } => (address, source),
        StartError::Storage(storage) => return explain_storage(storage),
        StartError::Open { .. } => {
            return format!(
                "{error}: add a user (mqlite user add NAME), say who is let in (authentication in the file of --config), \
                 or add --anonymous if that is meant"
            );
        }
        StartError::NoCertificate { .. } => return format!("{error}, or with --certificate and --key"),
        _ => return error.to_string(),
    };
    let lists = [
        (&config.tcp, "--tcp"),
        (&config.tcp_tls, "--tcp-tls"),
        (&config.websocket_tls, "--ws-tls"),
        (&config.websocket, "--ws"),
    ];
    let option = lists.into_iter().find(|(list, _)| list.contains(address)).map_or("--ws", |(_, option)| option);
    match source.kind() {
        ErrorKind::AddrInUse => {
            format!("{error}: stop the program that listens there, or name another address with {option}")
        }
        ErrorKind::PermissionDenied => format!("{error}: name a port of 1024 or above with {option}"),
        _ => format!("{error}: name another address with {option}"),
    }
}

/// `HOST:PORT`; whether there is such a host shows when it is listened on.
fn address(text: &str) -> Result<String, &'static str> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    port.map(|_| text.to_owned()).ok_or("expected HOST:PORT, for example 127.0.0.1:1883")
}

fn begin_log() {
    let mut filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // Their traces would show payloads and passwords.
    for directive in ["tungstenite=off", "tokio_tungstenite=off"] {
        filter = filter.add_directive(directive.parse().expect("a valid directive"));
    }
    let wants_colours = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(wants_colours)
        .with_target(false)
        .log_internal_errors(false) // it would panic where nobody reads
        .init();
}

/// What asks a process to stop: Ctrl-C, and SIGTERM where there is such.
struct Signals {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
