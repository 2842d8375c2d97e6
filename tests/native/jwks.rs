//! Keys of tokens that are elsewhere: at an address, on this machine over HTTP, anywhere over HTTPS.

use crate::{
    command::{MQLITE, Process},
    harness::{Directory, Running, connect_to},
    signed::{Claims, EcKey},
    tls::make,
};
use mqlite::shell::native::{AuthenticationConfig, JwtConfig, ServerConfig};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};
use tokio_rustls::rustls::{
    self, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{PrivateKeyDer, pem::PemObject},
};

/// An address that answers with the keys it was given last, and counts how often it was asked.
struct KeyServer {
    port: u16,
    keys: Arc<Mutex<String>>,
    asked: Arc<AtomicU32>,
}

impl KeyServer {
    /// `answer` speaks to one client; all ends with the tests' process.
    fn start(answer: impl Fn(TcpStream, &str) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (keys, asked) = (Arc::<Mutex<String>>::default(), Arc::<AtomicU32>::default());
        let server = Self { port, keys: keys.clone(), asked: asked.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                asked.fetch_add(1, Ordering::Relaxed);
                answer(stream, &keys.lock().unwrap());
            }
        });
        server
    }

    fn hold(&self, keys: &[&EcKey]) {
        let jwks: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        *self.keys.lock().unwrap() = format!(r#"{{"keys":[{}]}}"#, jwks.join(","));
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Answers one request; with 503 when there are no keys.
fn respond(mut stream: impl Read + Write, body: &str) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.extend(byte),
            _ => return, // a client that does not trust us
        }
    }
    let (status, length) = (if body.is_empty() { "503 Service Unavailable" } else { "200 OK" }, body.len());
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
}

fn asking(keys: &KeyServer) -> Running {
    let jwks_url = Some(format!("http://127.0.0.1:{}/keys.json", keys.port));
    let jwt = Some(JwtConfig { jwks_url, ..JwtConfig::default() });
    let authentication = Some(AuthenticationConfig { jwt, ..AuthenticationConfig::default() });
    Running::start_as(ServerConfig { authentication, ..ServerConfig::default() })
}

/// The status that a request for a WebSocket with this token is answered with.
fn status(websocket: SocketAddr, token: &str) -> u16 {
    let mut stream = connect_to(websocket);
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: {websocket}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: mqtt\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut first = vec![0; 12];
    stream.read_exact(&mut first).unwrap();
    String::from_utf8(first).unwrap().strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

#[test]
fn keys_are_asked_for_once() {
    let keys = KeyServer::start(respond);
    let (one, other) = (EcKey::new("one"), EcKey::new("other"));
    keys.hold(&[&one]);
    let server = asking(&keys);
    for _ in 0..3 {
        assert_eq!(status(server.websocket, &one.sign(&Claims::of("ada"))), 101);
    }
    for forged in [other.sign(&Claims::of("ada")), Claims::of("ada").sign()] {
        assert_eq!(status(server.websocket, &forged), 401);
    }
    assert_eq!(keys.asked(), 1);
}

#[test]
fn keys_that_cannot_be_had_are_nobodys_fault_who_brings_a_token() {
    let keys = KeyServer::start(respond);
    let server = asking(&keys);
    for _ in 0..20 {
        assert_eq!(status(server.websocket, &EcKey::new("one").sign(&Claims::of("ada"))), 503);
    }
    assert_eq!(keys.asked(), 1);
}

/// The system's authorities count, which a test can name; one that they do not know is not asked for keys.
#[test]
fn keys_come_over_https_from_whom_the_system_trusts() {
    for is_trusted in [true, false] {
        let (ours, others) = (Directory::new(), Directory::new());
        let (made, foreign) = (make(&ours), make(&others));
        let key = PrivateKeyDer::from_pem_file(&made.key).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.trusted.clone()], key));
        let config = Arc::new(config.unwrap());
        let keys = KeyServer::start(move |stream, body| {
            respond(StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream), body);
        });
        let key = EcKey::new("one");
        keys.hold(&[&key]);
        let file = ours.join("mqlite.toml");
        let address = format!("https://localhost:{}/keys.json", keys.port);
        fs::write(&file, format!("memory = true\n[authentication.jwt]\njwksUrl = \"{address}\"\n")).unwrap();
        let mut command = Command::new(MQLITE);
        command.args(["serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--config"]).arg(&file);
        command.env("SSL_CERT_FILE", if is_trusted { &made.certificate } else { &foreign.certificate });
        let process = Process::spawn(command.env_remove("SSL_CERT_DIR"));
        let expected = if is_trusted { 101 } else { 503 };
        assert_eq!(status(process.websocket, &key.sign(&Claims::of("ada"))), expected);
    }
}
