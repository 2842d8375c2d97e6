//! Connections that are opened faster than one address may.

use crate::{
    command::Process,
    harness::{Client, Directory, Running, V5, connect_to, read_to_end},
};
use mqlite::{
    broker::Config,
    codec::ReasonCode,
    shell::native::{ConnectionRate, ServerConfig},
};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

fn start(per_second: f64, burst: u32, broker: Config) -> Running {
    let connection_rate = ConnectionRate { per_second, burst };
    Running::start_as(ServerConfig { connection_rate, broker, ..ServerConfig::default() })
}

/// Whether the server closes it without a word.
fn is_closed(mut stream: TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// The head of the answer to a request to open a WebSocket.
fn upgrade(server: &Process, headers: &str) -> String {
    let mut stream = connect_to(server.websocket);
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    read_to_end(stream)
}

#[test]
fn over_tcp_more_than_may_come_wait_for_their_turn_and_too_many_are_closed() {
    let (server, begin) = (start(4.0, 2, Config::default()), Instant::now());
    let mut clients: Vec<_> = (0..4).map(|_| server.over_tcp(V5)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.connect(&number.to_string());
    }
    assert!(begin.elapsed() >= Duration::from_millis(500), "{:?}", begin.elapsed());
    clients.iter_mut().for_each(Client::expect_open);
    let few = start(0.01, 1, Config::default());
    few.over_tcp(V5).connect("first");
    assert!(is_closed(connect_to(few.tcp)));
}

/// Waiting takes longer here than a connection may be open without a CONNECT.
#[test]
fn over_websocket_the_time_for_a_connect_begins_after_the_wait() {
    let broker = Config { connect_timeout_millis: 500, ..Config::default() };
    let (server, begin) = (start(1.0, 1, broker), Instant::now());
    server.over_websocket(V5).connect("first");
    let mut second = server.over_websocket(V5);
    assert!(begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
    second.connect("second");
    // And it does begin.
    server.over_websocket(V5).expect_closed();
}

#[test]
fn over_websocket_one_too_many_is_told_when_to_come_again_and_others_behind_the_proxy_are_let_in() {
    let directory = Directory::new();
    let settings = "connectionRate = { perSecond = 0.01, burst = 1 }\ntrustedProxies = [\"127.0.0.1\"]\n";
    let server = Process::start_with(&directory, settings);
    let here = "X-Forwarded-For: 203.0.113.7\r\n";
    assert!(upgrade(&server, here).starts_with("HTTP/1.1 101 "));
    let refused = upgrade(&server, here);
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("\r\nRetry-After: 10\r\n"), "{refused}");
    assert!(upgrade(&server, "X-Forwarded-For: 203.0.113.8\r\n").starts_with("HTTP/1.1 101 "));
    server.line_with("HTTP 429");
}

#[test]
fn who_broke_a_rule_waits_as_if_it_had_come_four_hundred_times() {
    let server = start(400.0, 10, Config::default());
    let begin = Instant::now();
    for mut client in server.clients().into_iter().skip(2) {
        client.connect("careless");
        client.send_bytes(b"\x00\x00");
        client.expect_thrown_out(ReasonCode::MalformedPacket);
    }
    server.over_tcp(V5).connect("careful");
    // 1.9 s of eight hundred, of which ten do not wait; some of it is over before the second has broken it.
    assert!(begin.elapsed() >= Duration::from_millis(1_900), "{:?}", begin.elapsed());
}

/// One who waits would otherwise hold it up for as long as one who does not read.
#[test]
fn a_server_that_stops_does_not_wait_for_those_who_wait() {
    let directory = Directory::new();
    let mut server = Process::start_with(&directory, "connectionRate = { perSecond = 0.15, burst = 1 }\n");
    server.client(V5).connect("first");
    let second = connect_to(server.tcp);
    // It came behind the second, which waits by now.
    assert!(is_closed(connect_to(server.tcp)));
    server.signal("TERM");
    assert!(is_closed(second));
    assert_eq!(server.exit_code(), Some(0));
    let lines = server.rest();
    assert!(!lines.iter().any(|line| line.contains("not every client")), "{lines:?}");
}
