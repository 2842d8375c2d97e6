//! WebSocket alone: the handshake, and messages that are aligned with packets in no way.

use crate::harness::{Client, Running, V5, connect_bytes, connect_to, encode, open_websocket, publish, read_to_end};
use bytes::Bytes;
use mqlite::{
    broker::Config,
    codec::{Packet, QoS},
};
use std::{io::Write, net::SocketAddr};
use tokio_tungstenite::tungstenite::{
    self, Message,
    protocol::frame::{
        Frame,
        coding::{CloseCode, Data, OpCode},
    },
};

const UPGRADE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Sends this request and closes; the whole response.
fn request(address: SocketAddr, text: &str) -> String {
    let mut stream = connect_to(address);
    stream.write_all(text.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    read_to_end(stream)
}

/// Opens a WebSocket with these subprotocols; the whole response.
fn upgrade(server: &Running, path: &str, subprotocols: &str) -> String {
    request(server.websocket, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n{UPGRADE}{subprotocols}\r\n"))
}

#[track_caller]
fn assert_refused(response: &str, status: &str, sentence: &str) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{response}");
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, format!("{sentence}\n"));
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
}

/// [MQTT-6.0.0-4]
#[test]
fn the_subprotocol_mqtt_is_chosen_from_whatever_is_offered() {
    let server = Running::start(Config::default());
    for offered in [
        "Sec-WebSocket-Protocol: mqtt\r\n",
        "sec-websocket-protocol: mqttv3.1, mqtt\r\n",
        "Sec-WebSocket-Protocol: mqtt,other\r\n",
        "Sec-WebSocket-Protocol: other\r\nSec-WebSocket-Protocol: mqtt\r\n",
    ] {
        let response = upgrade(&server, "/mqtt?any=thing", offered);
        assert!(response.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{response}");
        let chosen = response.lines().filter(|line| line.to_lowercase().starts_with("sec-websocket-protocol:"));
        assert_eq!(chosen.map(|line| line.split(':').nth(1).unwrap().trim()).collect::<Vec<_>>(), ["mqtt"]);
        assert!(response.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{response}");
    }
}

#[test]
fn a_missing_or_wrong_subprotocol_is_refused_with_400() {
    let server = Running::start(Config::default());
    for offered in ["", "Sec-WebSocket-Protocol: mqttv3.1\r\n", "Sec-WebSocket-Protocol: xmqtt, mqttx\r\n"] {
        let response = upgrade(&server, "/mqtt", offered);
        assert_refused(&response, "400 Bad Request", "The WebSocket subprotocol must be mqtt.");
    }
}

#[test]
fn a_wrong_path_is_refused_with_404() {
    let server = Running::start(Config::default());
    for path in ["/", "/mqtt/", "/MQTT", "/other", "/%6dqtt"] {
        let mut stream = connect_to(server.websocket);
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let response = read_to_end(stream);
        assert!(response.starts_with("HTTP/1.1 404 Not Found\r\n"), "{response}");
        assert!(response.ends_with("\r\n\r\n{\"error\":\"There is nothing here.\"}"), "{response}");
    }
}

#[test]
fn a_request_that_opens_no_websocket_is_told_how() {
    let server = Running::start(Config::default());
    let sent = |text: &str| request(server.websocket, text);
    let plain = sent("GET /mqtt HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(&plain, "426 Upgrade Required", "Open a WebSocket here, with the subprotocol mqtt.");
    assert!(plain.contains("\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), "{plain}");
    let post = sent("POST /mqtt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_refused(&post, "405 Method Not Allowed", "A WebSocket is opened with GET.");
    let keyless = UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", "short");
    assert_refused(
        &sent(&format!("GET /mqtt HTTP/1.1\r\nHost: a\r\n{keyless}\r\n")),
        "400 Bad Request",
        "The request has no valid Sec-WebSocket-Key.",
    );
    let mqtt = String::from_utf8(b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a".to_vec()).unwrap();
    assert_refused(&sent(&mqtt), "400 Bad Request", "This is no request of HTTP/1.1.");
}

#[test]
fn a_request_without_end_is_refused_with_431() {
    let server = Running::start(Config::default());
    let head = format!("GET /mqtt HTTP/1.1\r\nHost: a\r\nX-Large: {}", "x".repeat(8 << 10));
    let response = request(server.websocket, &head);
    assert_refused(&response, "431 Request Header Fields Too Large", "The request is too large.");
}

#[test]
fn a_handshake_may_come_byte_by_byte() {
    let server = Running::start(Config::default());
    let mut stream = connect_to(server.websocket);
    let request = format!("GET /mqtt HTTP/1.1\r\nHost: a\r\n{UPGRADE}Sec-WebSocket-Protocol: mqtt\r\n\r\n");
    request.as_bytes().chunks(1).for_each(|byte| stream.write_all(byte).unwrap());
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(read_to_end(stream).starts_with("HTTP/1.1 101 "));
}

/// [MQTT-6.0.0-2] [MQTT-4.2-1]
#[test]
fn a_packet_may_be_split_over_many_messages() {
    let server = Running::start(Config::default());
    let mut client = server.over_websocket(V5);
    for byte in connect_bytes("split", V5).chunks(1) {
        client.send_bytes(byte);
        client.send_bytes(b"");
    }
    assert!(matches!(client.hear(), Some(Packet::ConnAck(_))));
}

/// [MQTT-6.0.0-2]
#[test]
fn a_message_may_be_split_over_many_frames() {
    let server = Running::start(Config::default());
    let mut client = server.over_websocket(V5);
    let bytes = connect_bytes("frames", V5);
    for (index, byte) in bytes.iter().enumerate() {
        let kind = if index == 0 { Data::Binary } else { Data::Continue };
        let frame = Frame::message(Bytes::copy_from_slice(&[*byte]), OpCode::Data(kind), index + 1 == bytes.len());
        client.socket().send(Message::Frame(frame)).unwrap();
    }
    assert!(matches!(client.hear(), Some(Packet::ConnAck(_))));
}

/// [MQTT-6.0.0-2] [MQTT-6.0.0-1]
#[test]
fn one_message_may_hold_many_packets_and_a_part() {
    let server = Running::start(Config::default());
    let mut client = server.over_websocket(V5);
    let packets = [
        connect_bytes("joined", V5),
        encode(publish("a", "1", QoS::AtLeastOnce), V5),
        encode(Packet::PingReq, V5),
        encode(Packet::PingReq, V5).slice(..1),
    ];
    client.send_bytes(&packets.concat());
    assert!(matches!(client.hear(), Some(Packet::ConnAck(_))));
    assert!(matches!(client.hear(), Some(Packet::PubAck(_))));
    assert!(matches!(client.hear(), Some(Packet::PingResp)));
    client.send_bytes(b"\x00");
    assert!(matches!(client.hear(), Some(Packet::PingResp)));
}

/// [MQTT-6.0.0-1]
#[test]
fn a_text_message_is_answered_with_1003() {
    assert_closes(Message::text("hello"), CloseCode::Unsupported);
}

#[test]
fn a_message_that_is_too_large_is_answered_with_1009() {
    let header = Frame::message(vec![0; (16 << 20) + 1], OpCode::Data(Data::Binary), true);
    assert_closes(Message::Frame(header), CloseCode::Size);
}

#[test]
fn a_frame_that_breaks_the_rules_is_answered_with_1002() {
    let continuation = Frame::message("x", OpCode::Data(Data::Continue), true);
    assert_closes(Message::Frame(continuation), CloseCode::Protocol);
}

/// The client hears this code, and nobody else is disturbed.
fn assert_closes(message: Message, code: CloseCode) {
    let server = Running::start(Config::default());
    let mut other = server.over_websocket(V5);
    other.connect("other");
    let mut client = server.over_websocket(V5);
    client.connect("broken");
    // The server may have closed before all of a large message was written.
    _ = client.socket().send(message);
    client.expect_closed();
    assert_eq!(client.close_code, Some(code));
    other.expect_open();
}

#[test]
fn a_ping_is_answered_and_a_close_too() {
    let server = Running::start(Config::default());
    let mut socket = open_websocket(server.websocket);
    socket.send(Message::Ping(Bytes::from_static(b"still there?"))).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong(Bytes::from_static(b"still there?")));
    socket.close(None).unwrap();
    assert!(matches!(socket.read(), Ok(Message::Close(None))));
    assert!(matches!(socket.read(), Err(tungstenite::Error::ConnectionClosed)));
}

#[test]
fn an_end_in_order_closes_the_websocket_with_1000() {
    let server = Running::start(Config::default());
    let mut client: Client = server.over_websocket(V5);
    client.connect("calm");
    client.send_bytes(b"\xE0\x00");
    client.expect_closed();
    assert_eq!(client.close_code, Some(CloseCode::Normal));
}

/// Whoever is not let in yet cannot make the server hold more than a CONNECT.
#[test]
fn a_message_that_is_larger_than_a_connect_ends_before_it_is_whole() {
    let server = Running::start(Config { connect_timeout_millis: 3_600_000, ..Config::default() });
    let mut client = Client::over_websocket(open_websocket(server.websocket), V5);
    let stream = client.socket().get_mut();
    // A masked binary frame of 16 MB, of which 1 MB comes.
    stream.write_all(&[&[0x82, 0xFF][..], &16_000_000_u64.to_be_bytes(), &[0; 4]].concat()).unwrap();
    for _ in 0..100 {
        if stream.write_all(&[0; 10_000]).is_err() {
            break;
        }
    }
    client.expect_closed();

    let mut client = Client::over_websocket(open_websocket(server.websocket), V5);
    client.connect("let in");
    client.send(publish("a", vec![0; 900_000], QoS::AtLeastOnce));
    assert!(matches!(client.hear(), Some(Packet::PubAck(_))));
}
