//! The `mqlite` command: reads its arguments, begins the log, and serves until it is told to stop.

use clap::{Args, Parser, Subcommand};
use mqlite::shell::native::{Server, ServerConfig, StartError};
use std::{
    env,
    io::{self, ErrorKind, IsTerminal, Write},
    process::{ExitCode, exit},
};
use tokio::{runtime, signal, sync::oneshot};
use tracing::info;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

/// An MQTT 5.0 and 3.1.1 broker.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Command {
    #[command(subcommand)]
    subcommand: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    Serve(Serve),
}

/// Run the broker until Ctrl-C or SIGTERM
///
/// Sessions and messages are kept in memory only: they end with the process.
/// Clients are not authenticated: everybody who can reach an address may connect, and on this
/// machine every page that a browser has open can reach loopback.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = AFTER_HELP)]
struct Serve {
    /// Serve MQTT over TCP on this address; may be given several times
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    tcp: Vec<String>,

    /// Serve MQTT over WebSocket on this address, at path /mqtt; may be given several times
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    ws: Vec<String>,
}

const AFTER_HELP: &str = "\
Without --tcp and --ws: --tcp 127.0.0.1:1883 --ws 127.0.0.1:8083. With one of them, that one alone.
Port 0 takes a free port; the log says which.

Environment:
  RUST_LOG  What is logged to stderr: error, warn, info (the default) or debug, which also shows
            messages that were refused or dropped

Examples:
  mqlite serve
  mqlite serve --tcp 0.0.0.0:1883        TCP alone, for everybody who can reach this machine
  mqlite serve --ws '[::1]:0'            WebSocket alone, on a free port";

fn main() -> ExitCode {
    let Subcommands::Serve(serve) = Command::parse().subcommand;
    begin_log();
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the system refuses what a server needs ({error})")),
    };
    match runtime.block_on(run(serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

fn fail(sentence: &str) -> ExitCode {
    // Not eprintln: it panics where nobody reads.
    _ = writeln!(io::stderr(), "error: {sentence}");
    ExitCode::FAILURE
}

async fn run(Serve { tcp, ws }: Serve) -> Result<(), String> {
    let config = if tcp.is_empty() && ws.is_empty() {
        ServerConfig::default()
    } else {
        ServerConfig { tcp, websocket: ws, ..ServerConfig::default() }
    };
    let mut signals = Signals::new().map_err(|error| format!("signals cannot be received ({error})"))?;
    let tcp = config.tcp.clone();
    let server = Server::bind(config).await.map_err(|error| explain(&error, &tcp))?;

    let (stop, is_asked) = oneshot::channel();
    tokio::spawn(async move {
        signals.next().await;
        info!("stopping; once more ends at once");
        _ = stop.send(());
        signals.next().await;
        exit(130);
    });
    server.run(async { _ = is_asked.await }).await;
    info!("stopped");
    Ok(())
}

/// The error, and what helps.
fn explain(error: &StartError, tcp: &[String]) -> String {
    let is_tcp = error.address().is_some_and(|address| tcp.iter().any(|tcp| tcp == address));
    let option = if is_tcp { "--tcp" } else { "--ws" };
    match error.kind() {
        ErrorKind::AddrInUse => {
            format!("{error}: stop the program that listens there, or name another address with {option}")
        }
        ErrorKind::PermissionDenied => format!("{error}: name a port of 1024 or above with {option}"),
        _ if error.address().is_some() => format!("{error}: name another address with {option}"),
        _ => error.to_string(),
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
