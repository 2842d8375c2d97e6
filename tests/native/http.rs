//! The HTTP API where this host alone decides: how long a request may take and how large it may be, how many come, readers who
//! do not read, and what an answer is worth. What it says is held by `tests/interop/http`.

use crate::{
    command::Process,
    harness::{Directory, HANG, Running, V5, connect, connect_bytes, connect_to, publish, read_to_end, text},
    signed::{Claims, SECRET},
};
use mqlite::{
    broker::Config,
    codec::{Binary, Connect, Packet, QoS, ReasonCode},
    shell::native::{AuthenticationConfig, JwtConfig, Secrets, ServerConfig},
};
use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const TOKEN: &str = "a-token-of-an-operator-0123456789";

/// A server of which a client is soon too slow: 100 ms for the head of a request, 600 for the rest.
fn impatient() -> Running {
    Running::start_with_token(Config { connect_timeout_millis: 100, ..Config::default() }, TOKEN)
}

fn patient(config: Config) -> Running {
    Running::start_with_token(Config { connect_timeout_millis: HANG.as_millis() as u64, ..config }, TOKEN)
}

fn head(method: &str, target: &str, more: &str) -> String {
    head_of(TOKEN, method, target, more)
}

fn head_of(token: &str, method: &str, target: &str, more: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n{more}\r\n")
}

/// Sends a request and nothing after it; status and body of the response.
fn ask(address: SocketAddr, method: &str, target: &str, body: &str) -> (u16, String) {
    let mut stream = connect_to(address);
    let more = format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
    stream.write_all(head(method, target, &more).as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let response = read_to_end(stream);
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{response:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn metric(server: &Running, name: &str) -> u64 {
    let (status, text) = ask(server.websocket, "GET", "/metrics", "");
    assert_eq!(status, 200, "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in {text}")).parse().unwrap()
}

/// Waits for what has to become so, for as long as a hang would take.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..HANG.as_millis() / 20 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never {what}");
}

/// Everything that comes until the server closes, in whatever way.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the server does not close"),
        _ => String::from_utf8(bytes).unwrap(),
    }
}

/// A reader of Server-Sent Events that has begun.
struct Reader(BufReader<TcpStream>);

impl Reader {
    fn open(address: SocketAddr, target: &str) -> Self {
        Self::begin(address, &head("GET", target, ""))
    }

    fn begin(address: SocketAddr, head: &str) -> Self {
        let mut stream = connect_to(address);
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = Self(BufReader::new(stream));
        assert_eq!(reader.line(), "HTTP/1.1 200 OK");
        while !reader.line().is_empty() {}
        reader
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The data of the next event.
    fn data(&mut self) -> String {
        self.field("data")
    }

    /// The next field of this name.
    fn field(&mut self, name: &str) -> String {
        loop {
            if let Some(value) = self.line().strip_prefix(&format!("{name}: ")) {
                return value.to_owned();
            }
        }
    }
}

#[test]
fn a_request_whose_head_never_ends_is_not_waited_for() {
    let server = impatient();
    for begun in ["G", "GET /health HTTP/1.1\r\n", "GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
        let mut stream = connect_to(server.websocket);
        stream.write_all(begun.as_bytes()).unwrap();
        let answer = rest(stream);
        assert!(!answer.contains("200"), "{answer}");
    }
}

#[test]
fn a_head_that_comes_byte_by_byte_has_no_more_time() {
    let server = impatient();
    let mut stream = connect_to(server.websocket);
    stream.write_all(b"GET /health HTTP/1.1\r\nX-Slow: ").unwrap();
    until("closed", || {
        std::thread::sleep(Duration::from_millis(10));
        stream.write_all(b"x").is_err()
    });
}

#[test]
fn a_connection_is_closed_after_its_answer() {
    let server = impatient();
    let mut stream = connect_to(server.websocket);
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
}

#[test]
fn a_body_that_does_not_come_is_refused_with_408() {
    let server = impatient();
    let mut stream = connect_to(server.websocket);
    stream.write_all(head("POST", "/publish?topic=slow", "Content-Length: 5\r\n").as_bytes()).unwrap();
    stream.write_all(b"half").unwrap();
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
}

#[test]
fn a_head_that_is_too_large_is_refused_with_431() {
    let server = patient(Config::default());
    let mut stream = connect_to(server.websocket);
    _ = stream.write_all(head("GET", "/health", &format!("X-Large: {}\r\n", "x".repeat(128 << 10))).as_bytes());
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{answer}");
}

#[test]
fn a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let server = patient(Config { maximum_packet_size: 1_000, ..Config::default() });
    let large = "x".repeat(2_000);
    let (status, answer) = ask(server.websocket, "POST", "/publish?topic=a", &large);
    assert_eq!((status, answer.contains("\"reasonCode\":149")), (413, true), "{answer}");
    let mut stream = connect_to(server.websocket);
    stream
        .write_all(head("POST", "/publish?topic=a", "Transfer-Encoding: chunked\r\nConnection: close\r\n").as_bytes())
        .unwrap();
    stream.write_all(format!("7d0\r\n{large}\r\n0\r\n\r\n").as_bytes()).unwrap();
    assert!(read_to_end(stream).starts_with("HTTP/1.1 413 "));
    // A topic takes room in the packet as well.
    let (status, _) = ask(server.websocket, "POST", "/publish?topic=a", &"x".repeat(999));
    assert_eq!(status, 413);
    assert_eq!(ask(server.websocket, "POST", "/publish?topic=a", &"x".repeat(900)).0, 200);
}

#[test]
fn what_is_no_http_behind_a_request_line_is_refused_with_400() {
    let server = patient(Config::default());
    let mut stream = connect_to(server.websocket);
    stream.write_all(b"GET /health HTTP/1.1\r\n\x10\x0e\x00\x04MQTT\r\n\r\n").unwrap();
    assert!(read_to_end(stream).starts_with("HTTP/1.1 400 "));
}

/// Clients and proxies that keep connections would ask for a WebSocket on one of them.
#[test]
fn an_answer_is_the_last_on_its_connection_and_says_so() {
    let server = patient(Config::default());
    let mut stream = connect_to(server.websocket);
    let health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(format!("{health}{health}").as_bytes()).unwrap();
    let answers = read_to_end(stream).to_lowercase();
    assert_eq!(answers.matches("connection: close\r\n").count(), 1, "{answers}");
    assert_eq!(answers.matches("http/1.1 200 ok\r\n").count(), 1, "{answers}");
}

/// [MQTT-4.13.1-1] does not apply: nobody was let in.
#[test]
fn connections_of_http_count_among_those_allowed_as_long_as_they_last() {
    let server = patient(Config { maximum_connections: 2, ..Config::default() });
    let mut held = connect_to(server.websocket);
    held.write_all(head("POST", "/publish?topic=a", "Content-Length: 1\r\nExpect: 100-continue\r\n").as_bytes())
        .unwrap();
    // It is answered once somebody asks for the body, which never comes.
    let mut reader = BufReader::new(held);
    reader.read_line(&mut String::new()).unwrap();
    let mut client = server.over_tcp(V5);
    client.connect("second");
    let mut third = server.over_tcp(V5);
    third.send_bytes(&connect_bytes("third", V5));
    third.expect_closed();
    let mut web = connect_to(server.websocket);
    web.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(rest(web), "");
    client.expect_open();
    drop(reader);
    until("let in", || {
        let mut third = server.over_tcp(V5);
        third.send_bytes(&connect_bytes("third", V5));
        third.hear().is_some()
    });
    client.expect_open();
}

#[test]
fn connections_of_http_are_no_refused_clients() {
    let server = patient(Config::default());
    for _ in 0..3 {
        ask(server.websocket, "GET", "/health", "");
    }
    assert_eq!(metric(&server, "mqlite_connections_refused_total"), 0);
    assert_eq!(metric(&server, "mqlite_clients_connected"), 0);
    connect_to(server.tcp).write_all(b"\x00\x00").unwrap();
    until("counted", || metric(&server, "mqlite_connections_refused_total") == 1);
}

#[test]
fn a_stream_ends_in_order_when_the_server_stops() {
    let mut server = patient(Config::default());
    let mut reader = Reader::open(server.websocket, "/subscribe?filter=a");
    assert_eq!(ask(server.websocket, "POST", "/publish?topic=a&qos=1", "last").0, 200);
    assert!(reader.data().contains("\"last\""));
    server.ask_to_stop();
    let mut end = String::new();
    reader.0.read_to_string(&mut end).unwrap();
    assert!(end.ends_with("\r\n0\r\n\r\n"), "{end:?}");
    server.wait_until_stopped();
}

#[test]
fn a_server_stops_whoever_does_not_read() {
    let mut server = patient(Config::default());
    let reader = Reader::open(server.websocket, "/subscribe?filter=a");
    flood(&server, || metric(&server, "mqlite_messages_dropped_total") > 0);
    let mut begun = connect_to(server.websocket);
    begun.write_all(head("POST", "/publish?topic=a", "Content-Length: 5\r\n").as_bytes()).unwrap();
    server.ask_to_stop();
    server.wait_until_stopped();
    drop((reader, begun));
}

#[test]
fn a_reader_that_does_not_read_loses_messages_and_then_its_stream_and_nobody_else_anything() {
    let server = Running::start_with_token(Config { connect_timeout_millis: 500, ..Config::default() }, TOKEN);
    let mut other = server.over_tcp(V5);
    other.connect("other");
    let reader = Reader::open(server.websocket, "/subscribe?filter=a&qos=0");
    assert_eq!(metric(&server, "mqlite_clients_connected"), 2);
    flood(&server, || metric(&server, "mqlite_messages_dropped_total") > 0);
    until("closed", || metric(&server, "mqlite_clients_connected") == 1);
    other.expect_open();
    drop(reader);
}

/// Also where everybody else is let in.
#[test]
fn nobody_takes_over_the_session_of_a_reader() {
    let server = patient(Config::default());
    let mut reader = Reader::open(server.websocket, "/subscribe?filter=a");
    let (_, clients) = ask(server.websocket, "GET", "/clients", "");
    let clients: serde_json::Value = serde_json::from_str(&clients).unwrap();
    let session = clients["clients"][0]["clientId"].as_str().unwrap();
    assert!(session.starts_with("$sse/"), "{session}");
    for name in [session, "$sse/", "$SYS", "$"] {
        let mut thief = server.over_tcp(V5);
        thief.send_bytes(&connect_bytes(name, V5));
        match thief.hear() {
            Some(Packet::ConnAck(connack)) => assert_eq!(connack.reason, ReasonCode::ClientIdentifierNotValid),
            other => panic!("expected CONNACK, heard {other:?}"),
        }
        thief.expect_closed();
    }
    assert_eq!(ask(server.websocket, "POST", "/publish?topic=a&qos=1", "x").0, 200);
    assert!(reader.data().contains("\"x\""));
    let id = reader.field("id");
    assert!(!id.contains('$') && session.ends_with(id.split_once('.').unwrap().0), "{id}");
    let mut client = server.over_tcp(V5);
    client.connect("a$");
}

#[test]
fn the_operator_is_no_user_whatever_a_user_is_called() {
    let secrets = Secrets { admin_token: Some(TOKEN.into()), jwt_secret: Some(SECRET.into()), ..Secrets::default() };
    let authentication = AuthenticationConfig { jwt: Some(JwtConfig::default()), ..AuthenticationConfig::default() };
    let config = ServerConfig { authentication: Some(authentication), secrets, ..ServerConfig::default() };
    let server = Running::start_as(config);
    let mut reader = Reader::open(server.websocket, "/subscribe?filter=a");
    let (_, clients) = ask(server.websocket, "GET", "/clients", "");
    assert!(clients.contains("$sse/") && !clients.contains("userName"), "{clients}");
    assert_eq!(ask(server.websocket, "POST", "/publish?topic=a&qos=1", "x").0, 200);
    let last = format!("Last-Event-ID: {}\r\n", reader.field("id"));
    let token = Claims::of("admin").with("scope", r#""subscribe""#).sign();
    let mut user = Reader::begin(server.websocket, &head_of(&token, "GET", "/subscribe?filter=a", &last));
    assert_eq!(user.field("event"), "gap");
    // The operator itself goes on where it was.
    assert_eq!(ask(server.websocket, "POST", "/publish?topic=a&qos=1", "y").0, 200);
    let mut again = Reader::begin(server.websocket, &head("GET", "/subscribe?filter=a", &last));
    assert_eq!(again.field("event"), "message");
    assert!(again.data().contains("\"y\""));
}

/// Or is closed, if that was proved first.
#[test]
fn a_user_who_is_removed_while_the_password_is_looked_at_is_not_let_in() {
    let secrets = Secrets { admin_token: Some(TOKEN.into()), ..Secrets::default() };
    let authentication = Some(AuthenticationConfig::default());
    let broker = Config { connect_timeout_millis: HANG.as_millis() as u64, ..Config::default() };
    let server = Running::start_as(ServerConfig { authentication, secrets, broker, ..ServerConfig::default() });
    let body = r#"{"password":"correct horse"}"#;
    let json = format!("Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    let mut stream = connect_to(server.websocket);
    stream.write_all((head("PUT", "/users/ada", &json) + body).as_bytes()).unwrap();
    assert!(read_to_end(stream).starts_with("HTTP/1.1 204 "));
    let mut client = server.over_tcp(V5);
    let password = Some(Binary::try_from(b"correct horse".to_vec()).unwrap());
    let connect = Connect { version: V5, user_name: Some(text("ada")), password, ..connect("a") };
    client.send(Packet::Connect(Box::new(connect)));
    // It was read before the next connection was opened.
    until("asked", || metric(&server, "mqlite_bytes_received_total") > 0);
    assert_eq!(ask(server.websocket, "DELETE", "/users/ada", "").0, 204);
    match client.hear() {
        Some(Packet::ConnAck(connack)) if connack.reason == ReasonCode::Success => {
            client.expect_thrown_out(ReasonCode::AdministrativeAction);
        }
        Some(Packet::ConnAck(connack)) => assert_eq!(connack.reason, ReasonCode::BadUserNameOrPassword),
        other => panic!("expected CONNACK, heard {other:?}"),
    }
}

/// Publishes large messages of QoS 0 to `a` until that is enough.
fn flood(server: &Running, mut is_enough: impl FnMut() -> bool) {
    let mut publisher = server.over_tcp(V5);
    publisher.connect("publisher");
    let message = publish("a", vec![b'x'; 100 << 10], QoS::AtMostOnce);
    until("enough", || {
        (0..50).for_each(|_| publisher.send(message.clone()));
        publisher.expect_open();
        is_enough()
    });
    publisher.send(Packet::Disconnect(mqlite::codec::Disconnect {
        reason: ReasonCode::Success,
        properties: Default::default(),
    }));
    publisher.expect_closed();
}

/// Each answer comes after what it says is on the disk: the server is killed right behind it.
#[test]
fn what_was_answered_with_200_outlives_a_kill() {
    let directory = Directory::new();
    for round in 0..10 {
        let server = Process::start_with_token(&directory, TOKEN);
        if round > 0 {
            let mut client = server.client(V5);
            client.connect("reader");
            client.subscribe("kept", QoS::AtLeastOnce);
            assert_eq!(client.hear_publish().payload, format!("{}", round - 1));
        }
        let target = "/publish?topic=kept&retain=true&qos=1";
        let (status, answer) = ask(server.websocket, "POST", target, &round.to_string());
        server.kill();
        assert_eq!(status, 200, "{answer}");
    }
}
