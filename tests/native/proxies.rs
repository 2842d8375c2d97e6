//! Clients behind a reverse proxy: each counts by its own address, and can claim no other.

use crate::{
    command::Process,
    harness::{Client, Directory, V5, connect, connect_to, read_to_end, text},
};
use mqlite::codec::{Binary, Connect, Packet, ReasonCode};
use std::{fs, io::Write};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest, http::HeaderValue};

/// Who is right comes through, whoever else has failed.
const TOKEN: &str = "a-token-of-an-operator-0123456789";

/// A server that refuses after so many failures, behind these proxies.
fn behind(directory: &Directory, proxies: &str, failures_per_minute: u32) -> Process {
    fs::create_dir_all(directory.path()).unwrap();
    fs::write(directory.join("admin"), TOKEN).unwrap();
    let settings = format!(
        "{proxies}adminTokenFile = \"admin\"\n[authentication]\nfailuresPerMinute = {failures_per_minute}\n\
         passwordIterations = 1000\n"
    );
    Process::start_with(directory, &settings)
}

/// The status of a request with a token and these headers.
fn ask(server: &Process, token: &str, headers: &str) -> u16 {
    let mut stream = connect_to(server.websocket);
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let response = read_to_end(stream);
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

/// What a client hears that opens a WebSocket with this header and gives a wrong password.
fn guess(server: &Process, name: &'static str, value: &str, user_name: &str) -> ReasonCode {
    let mut request = format!("ws://{}/mqtt", server.websocket).into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    request.headers_mut().insert(name, value.parse().unwrap());
    let socket = tungstenite::client(request, connect_to(server.websocket)).unwrap().0;
    let mut client = Client::over_websocket(socket, V5);
    let password = Some(Binary::try_from(b"wrong horse".to_vec()).unwrap());
    let connect = Connect { version: V5, user_name: Some(text(user_name)), password, ..connect("a") };
    client.send(Packet::Connect(Box::new(connect)));
    match client.hear() {
        Some(Packet::ConnAck(connack)) => connack.reason,
        other => panic!("expected CONNACK, heard {other:?}"),
    }
}

#[test]
fn who_guesses_behind_a_proxy_locks_out_nobody_else_there() {
    let directory = Directory::new();
    let server = behind(&directory, "trustedProxies = [\"10.0.0.0/8\", \"127.0.0.1\"]\n", 3);
    let of = |address: &str| format!("X-Forwarded-For: {address}\r\n");
    for number in 0..3 {
        // What stands before the last hop that is no proxy anybody can say.
        let claimed = format!("192.0.2.{number}, 203.0.113.7, 10.1.2.3");
        assert_eq!(ask(&server, "wrong", &of(&claimed)), 401);
    }
    assert_eq!(ask(&server, "wrong", &of("192.0.2.9, 203.0.113.7")), 429);
    assert_eq!(ask(&server, TOKEN, &of("203.0.113.7")), 429);
    assert_eq!(ask(&server, "wrong", &of("203.0.113.8")), 401);
    assert_eq!(ask(&server, TOKEN, &of("203.0.113.8")), 200);
    assert_eq!(ask(&server, TOKEN, "Forwarded: for=\"[2001:db8::1]:4711\";proto=https\r\n"), 200);
    // Whom the proxy knows only one of the two headers of, can add the other.
    let both = format!("{}Forwarded: for=198.51.100.1\r\n", of("203.0.113.7"));
    for _ in 0..3 {
        assert_eq!(ask(&server, "wrong", &both), 401);
    }
    assert_eq!(ask(&server, "wrong", &both), 429);
}

#[test]
fn a_client_of_a_websocket_counts_by_its_own_address_too() {
    let directory = Directory::new();
    let server = behind(&directory, "trustedProxies = [\"127.0.0.1\"]\n", 3);
    for number in 0..3 {
        let reason = guess(&server, "Forwarded", "for=198.51.100.1, for=203.0.113.7", &format!("user {number}"));
        assert_eq!(reason, ReasonCode::BadUserNameOrPassword);
    }
    let refused = guess(&server, "Forwarded", "for=203.0.113.7", "ada");
    assert_eq!(refused, ReasonCode::ConnectionRateExceeded);
    assert_eq!(guess(&server, "Forwarded", "for=203.0.113.8", "ada"), ReasonCode::BadUserNameOrPassword);
    server.line_with("from=203.0.113.7 ");
}

#[test]
fn nobody_can_say_where_it_is_where_no_proxy_is_trusted() {
    for proxies in ["", "trustedProxies = [\"10.0.0.0/8\"]\n"] {
        let directory = Directory::new();
        let server = behind(&directory, proxies, 3);
        let statuses =
            [1, 2, 3, 4].map(|last| ask(&server, "wrong", &format!("X-Forwarded-For: 203.0.113.{last}\r\n")));
        assert_eq!(statuses, [401, 401, 401, 429]);
    }
}

/// Each address and each name has failed once.
#[test]
fn when_very_many_have_failed_no_more_passwords_are_looked_at() {
    let directory = Directory::new();
    let server = behind(&directory, "trustedProxies = [\"127.0.0.1\"]\n", 2);
    let reasons: Vec<_> = (0..70)
        .map(|number| guess(&server, "X-Forwarded-For", &format!("203.0.113.{number}"), &format!("user {number}")))
        .collect();
    let looked_at = reasons.iter().take_while(|reason| **reason == ReasonCode::BadUserNameOrPassword).count();
    // Some of it is over while this goes on.
    assert!((60..70).contains(&looked_at), "{looked_at} passwords were looked at");
    assert_eq!(reasons[looked_at], ReasonCode::ConnectionRateExceeded);
}
