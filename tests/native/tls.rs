//! TLS: MQTT and WebSocket within it, certificates that are made here, and what is wrong with others.

use crate::{
    command::{MQLITE, Process, mqlite},
    harness::{Directory, V5, connect_bytes, connect_to},
};
use mqlite::codec::{Framer, MAXIMUM_PACKET_SIZE, Packet, ReasonCode};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    sync::Arc,
};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue};

type Secure = StreamOwned<ClientConnection, TcpStream>;

/// A certificate for localhost, and its key, in a directory.
pub struct Made {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub trusted: CertificateDer<'static>,
}

pub fn make(directory: &Directory) -> Made {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    fs::create_dir_all(directory.path()).unwrap();
    fs::write(&certificate, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    let trusted = CertificateDer::from_pem_slice(cert.pem().as_bytes()).unwrap();
    Made { certificate, key, trusted }
}

/// A client that trusts this certificate alone; the handshake is made by what is read or written first.
fn connect(address: SocketAddr, trusted: &CertificateDer<'static>) -> Secure {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect_to(address))
}

/// The command, listening with TLS alone: on two ports of loopback.
fn serve(made: &Made) -> Secured {
    let mut command = Command::new(MQLITE);
    command.args(["serve", "--memory", "--tcp-tls", "127.0.0.1:0", "--ws-tls", "127.0.0.1:0"]);
    command.arg("--certificate").arg(&made.certificate).arg("--key").arg(&made.key);
    Secured(Process::spawn_with(&mut command, ["mqtts://", "wss://"]))
}

struct Secured(Process);

fn hear(stream: &mut impl Read) -> Packet {
    let mut framer = Framer::new(MAXIMUM_PACKET_SIZE);
    loop {
        if let Some(frame) = framer.next().unwrap() {
            return Packet::decode(frame, V5).unwrap();
        }
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "an answer");
        framer.push(buffer[..length].to_vec().into());
    }
}

#[track_caller]
fn assert_let_in(packet: Packet) {
    assert!(matches!(&packet, Packet::ConnAck(connack) if connack.reason == ReasonCode::Success), "{packet:?}");
}

#[test]
fn mqtt_is_spoken_within_tls() {
    let directory = Directory::new();
    let made = make(&directory);
    let server = serve(&made);
    let mut stream = connect(server.0.tcp, &made.trusted);
    stream.write_all(&connect_bytes("secure", V5)).unwrap();
    assert_let_in(hear(&mut stream));
    // More than one record of TLS.
    let large = vec![7; 300_000];
    let publish = crate::harness::encode(crate::harness::publish("a", large, mqlite::codec::QoS::AtLeastOnce), V5);
    stream.write_all(&publish).unwrap();
    assert!(matches!(hear(&mut stream), Packet::PubAck(_)));
}

#[test]
fn websocket_is_spoken_within_tls() {
    let directory = Directory::new();
    let made = make(&directory);
    let server = serve(&made);
    let stream = connect(server.0.websocket, &made.trusted);
    let mut request = format!("wss://localhost:{}/mqtt", server.0.websocket.port()).into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    let mut socket = tungstenite::client(request, stream).unwrap().0;
    socket.send(Message::Binary(connect_bytes("secure", V5))).unwrap();
    match socket.read().unwrap() {
        Message::Binary(bytes) => assert_let_in(hear(&mut &bytes[..])),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_without_tls_is_refused_and_disturbs_nobody() {
    let directory = Directory::new();
    let made = make(&directory);
    let server = serve(&made);
    let mut plain = connect_to(server.0.tcp);
    plain.write_all(&connect_bytes("plain", V5)).unwrap();
    let mut heard = Vec::new();
    _ = plain.read_to_end(&mut heard);
    // At most an alert of TLS, never a CONNACK.
    assert!(heard.first() != Some(&0x20), "{heard:?}");
    server.0.line_with("no TLS connection came about");
    let mut silent = connect(server.0.tcp, &made.trusted);
    silent.write_all(&connect_bytes("secure", V5)).unwrap();
    assert_let_in(hear(&mut silent));
}

/// As long as a client may take for a CONNECT, it may take for what comes before.
#[test]
fn a_client_that_begins_no_tls_is_closed_in_time() {
    let directory = Directory::new();
    let made = make(&directory);
    let file = directory.join("mqlite.toml");
    let tls = "tls = { certificate = \"certificate.pem\", key = \"key.pem\" }";
    let text = format!("memory = true\ntcpTls = [\"127.0.0.1:0\"]\nwsTls = [\"127.0.0.1:0\"]\n{tls}\n");
    fs::write(&file, format!("{text}[limits]\nconnectTimeoutMillis = 200\n")).unwrap();
    let mut command = Command::new(MQLITE);
    command.args(["serve", "--config"]).arg(&file);
    let server = Process::spawn_with(&mut command, ["mqtts://", "wss://"]);
    for address in [server.tcp, server.websocket] {
        let mut silent = connect_to(address);
        assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    }
    let mut begun = connect(server.tcp, &made.trusted);
    begun.conn.complete_io(&mut begun.sock).unwrap();
    assert!(begun.read(&mut [0]).is_ok_and(|length| length == 0), "an end in order");
}

#[test]
fn a_certificate_is_read_anew_at_sighup_and_a_broken_one_is_not_taken() {
    let directory = Directory::new();
    let old = make(&directory);
    let server = serve(&old);
    let mut stays = connect(server.0.tcp, &old.trusted);
    stays.write_all(&connect_bytes("stays", V5)).unwrap();
    assert_let_in(hear(&mut stays));

    fs::write(&old.certificate, "no certificate").unwrap();
    server.0.signal("HUP");
    server.0.line_with("the certificate stays as it was");
    let mut stream = connect(server.0.tcp, &old.trusted);
    stream.write_all(&connect_bytes("old", V5)).unwrap();
    assert_let_in(hear(&mut stream));

    let new = make(&directory);
    server.0.signal("HUP");
    server.0.line_with("the certificate was read anew");
    let mut stream = connect(server.0.tcp, &new.trusted);
    stream.write_all(&connect_bytes("new", V5)).unwrap();
    assert_let_in(hear(&mut stream));
    assert!(connect(server.0.tcp, &old.trusted).write_all(b"x").is_err());
    stays.write_all(b"\xC0\x00").unwrap();
    assert_eq!(hear(&mut stays), Packet::PingResp);
}

#[test]
fn files_that_are_no_certificate_and_key_are_told_apart() {
    let (directory, other) = (Directory::new(), Directory::new());
    let (made, foreign) = (make(&directory), make(&other));
    let empty = directory.join("empty.pem");
    fs::write(&empty, "").unwrap();
    let cut = directory.join("cut.pem");
    let whole = fs::read_to_string(&made.certificate).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    for (certificate, key, part) in [
        (&directory.join("nowhere.pem"), &made.key, "nowhere.pem cannot be read"),
        (&empty, &made.key, "empty.pem holds no certificate"),
        (&made.key, &made.key, "key.pem holds no certificate"),
        (&cut, &made.key, "cut.pem"),
        (&made.certificate, &made.certificate, "certificate.pem holds no private key"),
        (&made.certificate, &foreign.key, "do not belong together"),
    ] {
        let [certificate, key] = [certificate, key].map(|path| path.to_str().unwrap());
        let arguments = ["serve", "--memory", "--tcp-tls", "127.0.0.1:0", "--certificate", certificate, "--key", key];
        let (code, _, stderr) = mqlite(&arguments);
        assert!(code == Some(1) && stderr.contains(part) && stderr.lines().count() == 1, "{part}: {stderr}");
    }
    let [certificate, key] = [&made.certificate, &made.key].map(|path| path.to_str().unwrap());
    let (code, _, stderr) = mqlite(&["serve", "--memory", "--certificate", certificate, "--key", key]);
    assert!(code == Some(1) && stderr.contains("name one with --tcp-tls or --ws-tls"), "{stderr}");
    let (code, _, stderr) = mqlite(&["serve", "--memory", "--tcp-tls", "127.0.0.1:0"]);
    assert!(code == Some(1) && stderr.contains("name a certificate and its key under tls"), "{stderr}");
}
