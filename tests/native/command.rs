//! The `mqlite` command as a person or a service manager uses it.

use crate::harness::{Directory, HANG, V3_1_1, V5, connect_bytes, connect_to, publish, text};
use mqlite::codec::{Binary, Connect, QoS, ReasonCode};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
};

pub const MQLITE: &str = env!("CARGO_BIN_EXE_mqlite");
const LISTEN: [&str; 5] = ["serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0"];

/// The command, listening on free ports of loopback.
pub struct Process {
    pub child: Child,
    pub tcp: SocketAddr,
    pub websocket: SocketAddr,
    /// What it said before it listened.
    pub before: Vec<String>,
    lines: mpsc::Receiver<String>,
}

impl Process {
    pub fn start() -> Self {
        Self::spawn(Command::new(MQLITE).args(LISTEN).arg("--memory"))
    }

    /// With settings, whose file is in a directory.
    pub fn start_with(directory: &Directory, settings: &str) -> Self {
        fs::create_dir_all(directory.path()).unwrap();
        let file = directory.join("mqlite.toml");
        fs::write(&file, settings).unwrap();
        Self::spawn(Command::new(MQLITE).args(LISTEN).arg("--memory").arg("--config").arg(&file))
    }

    /// With its state in a directory.
    pub fn start_in(directory: &Directory) -> Self {
        Self::spawn(Command::new(MQLITE).args(LISTEN).arg("--data").arg(directory.path()))
    }

    /// With its state in a directory, and an operator who has this token.
    pub fn start_with_token(directory: &Directory, token: &str) -> Self {
        let mut command = Command::new(MQLITE);
        Self::spawn(command.args(LISTEN).arg("--data").arg(directory.path()).env("MQLITE_ADMIN_TOKEN", token))
    }

    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, ["mqtt://", "ws://"])
    }

    /// Listens on two addresses, the first with the first of these schemes.
    pub fn spawn_with(command: &mut Command, [tcp, websocket]: [&str; 2]) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let address = |line: String, scheme: &str| -> SocketAddr {
            let (_, rest) = line.split_once(scheme).unwrap_or_else(|| panic!("{scheme} is not in {line:?}"));
            rest.trim_end_matches("/mqtt").parse().unwrap()
        };
        let mut before = Vec::new();
        let first = loop {
            match lines.recv_timeout(HANG).expect("a server that listens") {
                line if line.contains("listening on") => break line,
                line => before.push(line),
            }
        };
        let tcp = address(first, &format!("listening on {tcp}"));
        let websocket = address(lines.recv_timeout(HANG).unwrap(), &format!("listening on {websocket}"));
        Self { child, tcp, websocket, before, lines }
    }

    /// The first line from here on that holds `part`.
    pub fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(HANG).unwrap_or_else(|_| panic!("no line with {part:?}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// All lines that are left, of a process that has ended.
    pub fn rest(&self) -> Vec<String> {
        self.lines.iter().collect()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Ends it between any two of its instructions.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// A TCP client.
    pub fn client(&self, version: mqlite::codec::ProtocolVersion) -> crate::harness::Client {
        crate::harness::Client::over(connect_to(self.tcp), version)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs the command to its end: its exit code, stdout and stderr.
pub fn mqlite(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(MQLITE).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn help_names_every_option_and_its_default() {
    let (code, help, _) = mqlite(&["serve", "--help"]);
    assert_eq!(code, Some(0));
    for part in [
        "--tcp <HOST:PORT>",
        "--ws <HOST:PORT>",
        "127.0.0.1:1883",
        "127.0.0.1:8083",
        "--data <DIR>",
        "--memory",
        "--config <FILE>",
        "--tcp-tls <HOST:PORT>",
        "--ws-tls <HOST:PORT>",
        "--certificate <FILE>",
        "--key <FILE>",
        "--anonymous",
        "MQLITE_ADMIN_TOKEN",
        "RUST_LOG",
    ] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
    assert!(help.lines().all(|line| line.len() <= 100), "{help}");
    let (code, help, _) = mqlite(&["--help"]);
    assert!(code == Some(0) && help.contains("serve"), "{help}");
}

#[test]
fn the_log_says_who_is_let_in_and_no_secrets() {
    let jwt = "[authentication.jwt]\nissuer = \"https://id.example\"\n";
    for (settings, said) in [
        ("", "everybody who can connect is let in"),
        ("[authentication]\n", "users are let in"),
        ("[authentication]\nanonymous = true\n", "users, and clients without credentials, are let in"),
        (jwt, "users, and bearers of JSON Web Tokens, are let in"),
        (
            &format!("[authentication]\nanonymous = true\n{jwt}"),
            "users, bearers of JSON Web Tokens, and clients without credentials, are let in",
        ),
    ] {
        let directory = Directory::new();
        fs::create_dir_all(directory.path()).unwrap();
        let file = directory.join("mqlite.toml");
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(MQLITE);
        command.args(["serve", "--memory", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--config"]).arg(&file);
        command.env("MQLITE_JWT_SECRET", "open sesame, and once more, open sesame");
        let line = Process::spawn(&mut command).line_with("let in");
        assert!(line.ends_with(said) && !line.contains("sesame"), "{line}");
    }
}

#[test]
fn version_is_that_of_the_package() {
    assert_eq!(mqlite(&["--version"]), (Some(0), format!("mqlite {}\n", env!("CARGO_PKG_VERSION")), String::new()));
}

#[test]
fn an_address_without_a_port_is_refused_with_an_example() {
    for address in ["127.0.0.1", "1883", ":1883", "localhost:", "localhost:70000"] {
        let (code, _, complaint) = mqlite(&["serve", "--tcp", address]);
        assert_eq!(code, Some(2));
        assert!(complaint.contains("expected HOST:PORT, for example 127.0.0.1:1883"), "{complaint}");
    }
}

#[test]
fn a_port_in_use_is_one_sentence_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--tcp", "--ws"] {
        let sentence = format!(
            "error: {address} is already in use: stop the program that listens there, or name another address with {option}\n"
        );
        assert_eq!(mqlite(&["serve", "--memory", option, &address]), (Some(1), String::new(), sentence));
    }
}

#[test]
fn one_transport_alone_opens_no_other() {
    let mut child =
        Command::new(MQLITE).args(["serve", "--memory", "--ws", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut log = String::new();
    stderr.read_line(&mut log).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    assert!(log.contains("listening on ws://127.0.0.1:") && !log.contains("mqtt://"), "{log}");
}

#[test]
fn an_address_that_is_not_loopback_is_refused_while_nobody_is_asked_who_it_is() {
    for option in ["--tcp", "--ws"] {
        let (code, _, complaint) = mqlite(&["serve", "--memory", option, "0.0.0.0:0"]);
        assert_eq!(code, Some(1));
        assert!(complaint.starts_with("error: 0.0.0.0:"), "{complaint}");
        for part in ["can be reached from other machines", "mqlite user add NAME", "--anonymous"] {
            assert!(complaint.contains(part), "{part} is not in {complaint}");
        }
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[test]
fn an_address_that_is_not_loopback_is_served_with_anonymous_and_warned_of() {
    let mut child = Command::new(MQLITE)
        .args(["serve", "--memory", "--anonymous", "--tcp", "0.0.0.0:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let warning = lines.take(2).find(|line| line.contains("WARN"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(warning.is_some_and(|line| line.contains("has no TLS")));
}

#[test]
fn sigterm_and_sigint_tell_clients_8b_and_exit_with_0() {
    for name in ["TERM", "INT"] {
        let mut process = Process::start();
        let mut clients = [process.client(V5), process.client(V3_1_1)];
        for (number, client) in clients.iter_mut().enumerate() {
            client.connect(&number.to_string());
        }
        process.signal(name);
        for client in &mut clients {
            client.expect_thrown_out(ReasonCode::ServerShuttingDown);
        }
        drop(clients);
        assert_eq!(process.exit_code(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut process = Process::start();
    let mut lingering = process.client(V5);
    lingering.connect("lingering");
    process.signal("INT");
    process.line_with("stopping");
    process.signal("INT");
    assert_eq!(process.exit_code(), Some(130));
}

#[test]
fn the_log_says_who_comes_and_goes() {
    let process = Process::start();
    let mut client = process.client(V5);
    client.connect("gauge");
    let line = process.line_with("connected");
    assert!(line.contains("INFO connected client=\"gauge\" from=127.0.0.1:") && line.contains("mqtt=5.0"), "{line}");
    client.send_bytes(b"\x00\x00");
    let line = process.line_with("disconnected");
    assert!(line.contains("client=\"gauge\"") && line.contains("Malformed Packet (0x81)"), "{line}");
    connect_to(process.websocket).write_all(b"POST /mqtt HTTP/1.1\r\n\r\n").unwrap();
    let line = process.line_with("refused");
    assert!(line.contains("HTTP 405"), "{line}");
}

#[test]
fn a_client_id_cannot_forge_a_line_of_the_log() {
    let process = Process::start();
    let mut client = process.client(V5);
    client.connect("a\n2026-01-01 INFO connected client=\"root\"\u{1b}[31m\u{202e}");
    let line = process.line_with("connected");
    assert!(
        line.contains(r#"client="a\n2026-01-01 INFO connected client=\"root\"\u{1b}[31m\u{202e}" from="#),
        "{line}"
    );
    let mut next = process.client(V5);
    next.connect("b");
    assert!(process.line_with("").contains("client=\"b\""));
}

#[test]
fn the_log_at_its_most_talkative_holds_neither_secrets_nor_payloads() {
    let mut command = Command::new(MQLITE);
    command
        .args(["serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--memory"])
        .env("RUST_LOG", "mqlite=trace,tungstenite=trace,trace");
    let mut process = Process::spawn(&mut command);
    for client_id in ["tcp", "websocket"] {
        let mut client = process.client(V5);
        if client_id == "websocket" {
            client = crate::harness::Client::over_websocket(crate::harness::open_websocket(process.websocket), V5);
        }
        let password = Some(Binary::new("open sesame".into()).unwrap());
        client.connect_with(Connect { user_name: Some(text("ali")), password, ..crate::harness::connect(client_id) });
        client.subscribe("a", QoS::AtMostOnce);
        client.send(publish("a", "forty thieves", QoS::AtMostOnce));
        client.hear_publish();
    }
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
    let log = process.rest();
    let as_hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(log.iter().any(|line| line.contains("client=\"websocket\"")));
    for secret in ["open sesame", "forty thieves", &as_hex("open sesame"), &as_hex("forty thieves")] {
        assert!(log.iter().all(|line| !line.contains(secret)), "{secret}");
    }
}

#[test]
fn a_log_that_nobody_reads_ends_nothing() {
    let mut child = Command::new(MQLITE)
        .args(["serve", "--memory", "--tcp", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    drop(stderr);
    let address: SocketAddr = line.split("mqtt://").nth(1).unwrap().trim().parse().unwrap();
    let result = std::panic::catch_unwind(|| {
        for _ in 0..3 {
            let mut client = crate::harness::Client::over(connect_to(address), V5);
            client.connect("gauge");
            client.expect_open();
        }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    result.unwrap();
}

/// Connections beyond the limit wait in the system's queue, and are served once others have ended.
#[cfg(unix)]
#[test]
fn a_server_without_file_descriptors_goes_on_when_there_are_some() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 24; exec \"$0\" serve --memory --tcp 127.0.0.1:0 --ws 127.0.0.1:0", MQLITE]);
    let process = Process::spawn(&mut command);
    let crowd: Vec<_> = (0..40).map(|_| connect_to(process.tcp)).collect();
    process.line_with("no connection can be accepted");
    drop(crowd);
    let mut client = process.client(V5);
    client.send_bytes(&connect_bytes("late", V5));
    assert!(client.hear().is_some());
    process.line_with("accepting connections again");
}
