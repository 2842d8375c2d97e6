//! The `mqlite` command: reads its arguments, begins the log, and serves until it is told to stop; or moves state.

use clap::{Args, Parser, Subcommand};
use mqlite::shell::native::{
    Contents, ExportError, ImportError, Server, ServerConfig, StartError, StorageError, StorageProblem, export, import,
    write_export,
};
use std::{
    env, fs,
    io::{self, ErrorKind, IsTerminal, Read, Write},
    path::{Path, PathBuf},
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
    Export(ExportTo),
    Import(ImportFrom),
}

/// Run the broker until Ctrl-C or SIGTERM
///
/// Sessions, the messages that wait for them, and retained messages outlive the process: nothing is
/// acknowledged before it is on the disk. With --memory they end with the process.
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

    #[command(flatten)]
    data: Data,

    /// Keep state in memory alone
    #[arg(long, conflicts_with = "data")]
    memory: bool,
}

/// Write all state to a file, to import it on another host
///
/// The server must not be running.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = DATA_HELP)]
struct ExportTo {
    /// The file; - is stdout
    file: PathBuf,

    #[command(flatten)]
    data: Data,

    /// Put it in place of a file that is there already
    #[arg(long)]
    force: bool,
}

/// Take over the state that a host exported
///
/// The server must not be running. Nothing is changed unless the file is whole.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = DATA_HELP)]
struct ImportFrom {
    /// The file; - is stdin
    file: PathBuf,

    #[command(flatten)]
    data: Data,

    /// Remove the state that is there
    #[arg(long)]
    replace: bool,
}

#[derive(Args)]
struct Data {
    /// The directory of the state
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Without --tcp and --ws: --tcp 127.0.0.1:1883 --ws 127.0.0.1:8083. With one of them, that one alone.
Port 0 takes a free port; the log says which.
Without --data: mqlite in the directory that the platform has for data, as ~/.local/share/mqlite;
the log says which. A directory is for one server at a time.

Environment:
  RUST_LOG  What is logged to stderr: error, warn, info (the default) or debug, which also shows
            messages that were refused or dropped

Examples:
  mqlite serve
  mqlite serve --tcp 0.0.0.0:1883        TCP alone, for everybody who can reach this machine
  mqlite serve --ws '[::1]:0' --memory   WebSocket alone, on a free port, without a trace";

const DATA_HELP: &str = "\
Without --data: mqlite in the directory that the platform has for data, as ~/.local/share/mqlite.";

fn main() -> ExitCode {
    let outcome = match Command::parse().subcommand {
        Subcommands::Serve(serve) => serve.run(),
        Subcommands::Export(export) => export.run(),
        Subcommands::Import(import) => import.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

fn fail(sentence: &str) -> ExitCode {
    say(&format!("error: {sentence}"));
    ExitCode::FAILURE
}

impl Serve {
    fn run(self) -> Result<(), String> {
        begin_log();
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("the system refuses what a server needs ({error})"))?;
        let data = if self.memory { None } else { Some(self.data.directory()?) };
        let config = if self.tcp.is_empty() && self.ws.is_empty() {
            ServerConfig { data, ..ServerConfig::default() }
        } else {
            ServerConfig { tcp: self.tcp, websocket: self.ws, data, ..ServerConfig::default() }
        };
        runtime.block_on(serve(config))
    }
}

async fn serve(config: ServerConfig) -> Result<(), String> {
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
    server.run(async { _ = is_asked.await }).await.map_err(|error| error.to_string())?;
    info!("stopped");
    Ok(())
}

/// The error, and what helps.
fn explain(error: &StartError, tcp: &[String]) -> String {
    let (address, source) = match error {
        StartError::Address { address, source } => (address, source),
        StartError::Storage(storage) => return explain_storage(storage),
        _ => return error.to_string(),
    };
    let option = if tcp.contains(address) { "--tcp" } else { "--ws" };
    match source.kind() {
        ErrorKind::AddrInUse => {
            format!("{error}: stop the program that listens there, or name another address with {option}")
        }
        ErrorKind::PermissionDenied => format!("{error}: name a port of 1024 or above with {option}"),
        _ => format!("{error}: name another address with {option}"),
    }
}

fn explain_storage(error: &StorageError) -> String {
    match error.problem() {
        StorageProblem::InUse => format!("{error}: stop it, or name another directory with --data"),
        StorageProblem::Missing | StorageProblem::NotADirectory | StorageProblem::Denied => {
            format!("{error}: name another directory with --data")
        }
        StorageProblem::Foreign | StorageProblem::Damaged => {
            format!("{error}, or name another directory with --data")
        }
        _ => error.to_string(),
    }
}

impl ExportTo {
    fn run(self) -> Result<(), String> {
        let directory = self.data.directory()?;
        let (bytes, contents) = export(&directory).map_err(|error| explain_storage(&error))?;
        let name = self.file.display();
        if self.file == Path::new(STANDARD) {
            let mut stdout = io::stdout();
            let written = stdout.write_all(&bytes).and_then(|()| stdout.flush());
            written.map_err(|error| format!("stdout cannot be written ({error})"))?;
        } else {
            write_export(&directory, &self.file, &bytes, self.force).map_err(|error| match error {
                ExportError::Exists => format!("{name} is there already: name another file, or add --force"),
                ExportError::State => format!("{name} is part of the state itself: name another file"),
                error => format!("{name} cannot be written ({error})"),
            })?;
        }
        say(&format!("exported {}", Counted(&contents)));
        Ok(())
    }
}

impl ImportFrom {
    fn run(self) -> Result<(), String> {
        let directory = self.data.directory()?;
        let name = self.file.display();
        let read = if self.file == Path::new(STANDARD) {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            fs::read(&self.file)
        };
        let file = read.map_err(|error| format!("{name} cannot be read ({error})"))?;
        let contents = import(&directory, file.into(), self.replace).map_err(|error| match error {
            ImportError::File(sentence) => format!("{name}: {sentence}"),
            ImportError::NotEmpty => {
                format!("{} has state already: add --replace to remove it", directory.display())
            }
            ImportError::Storage(error) => explain_storage(&error),
            _ => error.to_string(),
        })?;
        say(&format!("imported {} into {}", Counted(&contents), directory.display()));
        Ok(())
    }
}

impl Data {
    fn directory(&self) -> Result<PathBuf, String> {
        let of_platform = || dirs::data_local_dir().map(|directory| directory.join("mqlite"));
        self.data
            .clone()
            .or_else(of_platform)
            .ok_or_else(|| "this user has no directory for data: name one with --data".to_owned())
    }
}

/// How much state there is, in words.
struct Counted<'contents>(&'contents Contents);

impl std::fmt::Display for Counted<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Contents { sessions, messages, retained_messages, rejected } = self.0;
        write!(
            formatter,
            "sessions: {sessions}, messages that wait for them: {messages}, retained messages: {retained_messages}"
        )?;
        if *rejected > 0 {
            write!(formatter, ", records that this version cannot use: {rejected}")?;
        }
        Ok(())
    }
}

/// On stderr, since stdout may be the file.
fn say(sentence: &str) {
    _ = writeln!(io::stderr(), "{sentence}"); // not eprintln: it panics where nobody reads
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

/// A file's name that is none: stdin or stdout.
const STANDARD: &str = "-";

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
