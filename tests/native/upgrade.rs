//! What the request brings that opens a WebSocket: where its page is from, and a token.

use crate::{
    harness::{Client, Running, V5, connect, connect_to, read_to_end},
    signed::{Claims, SECRET, now},
};
use mqlite::{
    codec::{Connect, Packet, ReasonCode},
    shell::native::{AuthenticationConfig, JwtConfig, Secrets, ServerConfig},
};
use std::io::Write;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest, http::HeaderValue};

fn with_tokens(jwt: JwtConfig, secret: Option<&str>) -> ServerConfig {
    let jwt = Some(JwtConfig { leeway_seconds: 0, ..jwt });
    let authentication = Some(AuthenticationConfig { jwt, ..AuthenticationConfig::default() });
    let secrets = Secrets { jwt_secret: secret.map(Into::into), ..Secrets::default() };
    ServerConfig { authentication, secrets, ..ServerConfig::default() }
}

/// The whole response to a request with these headers, from which the server closes.
fn refusal(server: &Running, path: &str, headers: &str) -> String {
    let mut stream = connect_to(server.websocket);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n{headers}\r\n",
        server.websocket
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    read_to_end(stream)
}

/// A WebSocket that was opened with this path and these headers.
fn open(server: &Running, path: &str, headers: &[(&'static str, &str)]) -> Client {
    let mut request = format!("ws://{}{path}", server.websocket).into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    Client::over_websocket(tungstenite::client(request, connect_to(server.websocket)).unwrap().0, V5)
}

fn answer(client: &mut Client, connect: Connect) -> ReasonCode {
    client.send(Packet::Connect(Box::new(Connect { version: V5, ..connect })));
    match client.hear() {
        Some(Packet::ConnAck(connack)) => connack.reason,
        other => panic!("expected CONNACK, heard {other:?}"),
    }
}

#[test]
fn a_page_from_elsewhere_may_not_connect_even_where_everybody_else_may() {
    let server = Running::start_as(ServerConfig::default());
    for origin in ["https://evil.example", "null", "http://127.0.0.1", "http://localhost:8000"] {
        let response = refusal(&server, "/mqtt", &format!("Origin: {origin}\r\n"));
        assert!(response.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{response}");
        assert!(response.ends_with("\r\n\r\nPages of this origin may not connect here.\n"), "{response}");
    }
    let own = format!("http://{}", server.websocket);
    open(&server, "/mqtt", &[("Origin", &own)]).connect("page");
    open(&server, "/mqtt", &[]).connect("device");
    // Where nobody is asked, a token is nothing that could be wrong.
    open(&server, "/mqtt", &[("Authorization", "Bearer abc")]).connect("device");
}

#[test]
fn a_page_of_an_origin_that_is_named_may_connect() {
    let origins = Some(vec!["https://app.example".to_owned()]);
    let server = Running::start_as(ServerConfig { origins, ..ServerConfig::default() });
    open(&server, "/mqtt", &[("Origin", "https://app.example")]).connect("page");
    let own = format!("Origin: http://{}\r\n", server.websocket);
    assert!(refusal(&server, "/mqtt", &own).starts_with("HTTP/1.1 403 "));
}

#[test]
fn a_token_with_the_request_is_who_the_client_is() {
    let server = Running::start_as(with_tokens(JwtConfig::default(), Some(SECRET)));
    let token = Claims::of("ada").with("clientIds", r#"["%u"]"#).sign();
    let bearer = format!("Bearer {token}");
    let mut by_header = open(&server, "/mqtt", &[("Authorization", &bearer)]);
    assert_eq!(answer(&mut by_header, connect("ada")), ReasonCode::Success);
    let mut by_query = open(&server, &format!("/mqtt?a=b&access_token={token}"), &[]);
    assert_eq!(answer(&mut by_query, connect("eve")), ReasonCode::ClientIdentifierNotValid);
    let mut without = open(&server, "/mqtt", &[]);
    assert_eq!(answer(&mut without, connect("ada")), ReasonCode::NotAuthorized);
    let short = format!("Bearer {}", Claims::of("ada").until(now() + 2).sign());
    let mut for_a_while = open(&server, "/mqtt", &[("Authorization", &short)]);
    assert_eq!(answer(&mut for_a_while, connect("b")), ReasonCode::Success);
    for_a_while.expect_thrown_out(ReasonCode::NotAuthorized);
}

#[test]
fn a_token_that_is_not_good_opens_no_websocket() {
    let server = Running::start_as(with_tokens(JwtConfig::default(), Some(SECRET)));
    let expired = Claims::of("ada").until(now() - 60).sign();
    let elsewhere = Claims::of("ada").with("room", r#"["kitchen","hall"]"#).sign();
    for (token, sentence) in [
        ("abc", "The token is not valid."),
        (&expired, "The token has expired, or is for somebody else."),
        (&elsewhere, "The token is for other rooms."),
    ] {
        for (path, header) in [
            ("/mqtt".to_owned(), format!("Authorization: Bearer {token}\r\n")),
            (format!("/mqtt?access_token={token}"), String::new()),
        ] {
            let response = refusal(&server, &path, &header);
            assert!(response.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{response}");
            assert!(response.ends_with(&format!("\r\n\r\n{sentence}\n")), "{response}");
            assert!(response.contains("\r\nWWW-Authenticate: Bearer\r\n"), "{response}");
        }
    }
}
