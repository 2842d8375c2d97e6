//! How connections begin and end: silence, cuts, limits and the end of the server.

use crate::harness::{
    Client, Running, V3_1_1, V5, connect, connect_bytes, connect_to, disconnect, encode, publish, read_to_end, text,
};
use bytes::Bytes;
use mqlite::shell::native::{Server, ServerConfig};
use mqlite::{
    broker::{Authentication, Config},
    codec::{Binary, Connect, Packet, QoS, ReasonCode, Will},
};
use std::{
    future::poll_fn,
    io::{ErrorKind, Read, Write},
    task::Poll,
    time::Duration,
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[test]
fn a_connection_that_sends_nothing_is_closed() {
    let server = Running::start(Config { connect_timeout_millis: 50, ..Config::default() });
    for mut client in server.clients() {
        client.expect_closed();
    }
}

#[test]
fn a_websocket_handshake_that_never_ends_is_closed() {
    let server = Running::start(Config { connect_timeout_millis: 50, ..Config::default() });
    for beginning in ["", "GET /mqtt HTTP/1.1\r\nHost: a\r\n"] {
        let mut stream = connect_to(server.websocket);
        stream.write_all(beginning.as_bytes()).unwrap();
        match stream.read(&mut [0]) {
            Ok(0) => {}
            // What the server had not read.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_part_of_a_connect_does_not_keep_a_connection_open() {
    let server = Running::start(Config { connect_timeout_millis: 50, ..Config::default() });
    for mut client in server.clients() {
        let whole = connect_bytes("partial", client.version());
        client.send_bytes(&whole[..whole.len() - 1]);
        client.expect_closed();
    }
}

#[test]
fn a_client_that_outlives_its_keep_alive_is_told_8d() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.connect_with(Connect { keep_alive: 1, ..connect("silent") });
        client.expect_thrown_out(ReasonCode::KeepAliveTimeout);
    }
}

#[test]
fn one_connection_more_than_allowed_is_closed() {
    let server = Running::start(Config { maximum_connections: 2, ..Config::default() });
    let mut clients = [server.over_tcp(V5), server.over_websocket(V5)];
    for (number, client) in clients.iter_mut().enumerate() {
        client.connect(&number.to_string());
    }
    server.over_tcp(V5).expect_closed();
    for client in &mut clients {
        client.expect_open();
    }
}

#[test]
fn a_will_is_published_however_the_connection_ends() {
    let server = Running::start(Config::default());
    let mut watcher = server.over_tcp(V5);
    watcher.connect("watcher");
    watcher.subscribe("will", QoS::AtMostOnce);
    let ends: [fn(Client); 3] = [
        Client::cut,
        |mut client| {
            client.end_transport();
            client.expect_closed();
        },
        |mut client| {
            client.send_bytes(b"\x00\x00");
            client.expect_thrown_out(ReasonCode::MalformedPacket);
        },
    ];
    for end in ends {
        for mut client in server.clients() {
            let payload = Binary::new(Bytes::from_static(b"last word")).unwrap();
            let will = Will { topic: text("will"), payload, ..Default::default() };
            client.connect_with(Connect { will: Some(will), ..connect("doomed") });
            end(client);
            assert_eq!(&watcher.hear_publish().payload[..], b"last word");
        }
    }
}

#[test]
fn a_client_that_says_all_at_once_and_hangs_up_is_still_answered() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        let version = client.version();
        let packets = [
            connect_bytes("hasty", version),
            encode(publish("a", "x", QoS::AtLeastOnce), version),
            encode(disconnect(ReasonCode::Success), version),
        ];
        client.send_bytes(&packets.concat());
        client.end_transport();
        let first = client.hear();
        // A WebSocket whose client sent Close may send nothing but Close.
        if first.is_none() && client.is_over_websocket() {
            continue;
        }
        assert!(matches!(first, Some(Packet::ConnAck(_))), "{first:?}");
        assert!(matches!(client.hear(), Some(Packet::PubAck(_))));
        client.expect_closed();
    }
}

#[test]
fn clients_hear_8b_when_the_server_stops() {
    let mut server = Running::start(Config::default());
    let silent = [connect_to(server.tcp), connect_to(server.websocket)];
    let mut clients = server.clients();
    for (number, client) in clients.iter_mut().enumerate() {
        client.connect(&number.to_string());
    }
    server.ask_to_stop();
    for client in &mut clients {
        client.expect_thrown_out(ReasonCode::ServerShuttingDown);
        assert!(client.close_code.is_none_or(|code| code == CloseCode::Away), "{:?}", client.close_code);
    }
    silent.into_iter().for_each(|stream| assert_eq!(read_to_end(stream), ""));
    server.wait_until_stopped();
}

#[test]
fn what_was_sent_is_written_before_the_server_stops() {
    let mut server = Running::start(Config { send_buffer: 16 << 20, ..Config::default() });
    let mut clients = server.clients();
    for (number, client) in clients.iter_mut().enumerate() {
        client.connect(&number.to_string());
        client.subscribe("large", QoS::AtMostOnce);
    }
    let mut publisher = server.over_tcp(V3_1_1);
    publisher.connect("publisher");
    (0..15).for_each(|_| publisher.send(publish("large", vec![0; 1_000_000], QoS::AtMostOnce)));
    publisher.expect_open();
    server.ask_to_stop();
    for client in &mut clients {
        (0..15).for_each(|_| assert_eq!(client.hear_publish().payload.len(), 1_000_000));
        client.expect_thrown_out(ReasonCode::ServerShuttingDown);
    }
    drop((clients, publisher));
    server.wait_until_stopped();
}

#[test]
fn a_client_that_never_reads_does_not_keep_the_server_from_stopping() {
    let mut server = Running::start(Config { send_buffer: 64 << 20, ..Config::default() });
    let mut stalled = server.clients();
    for (number, client) in stalled.iter_mut().enumerate() {
        client.connect(&number.to_string());
        client.subscribe("large", QoS::AtMostOnce);
    }
    let mut publisher = server.over_tcp(V3_1_1);
    publisher.connect("publisher");
    (0..30).for_each(|_| publisher.send(publish("large", vec![0; 1_000_000], QoS::AtMostOnce)));
    publisher.expect_open();
    server.ask_to_stop();
    server.wait_until_stopped();
}

#[tokio::test]
async fn a_port_is_free_again_when_the_server_has_stopped() {
    let server = Server::bind(ServerConfig { tcp: vec!["127.0.0.1:0".into()], ..idle() }).await.unwrap();
    let address = server.tcp_addresses()[0];
    server.run(async {}).await.unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn nobody_is_let_in_by_a_host_that_cannot_answer() {
    let server = Running::start(Config { authentication: Authentication::Ask, ..Config::default() });
    for mut client in server.clients() {
        client.send_bytes(&connect_bytes("stranger", client.version()));
        match client.hear() {
            Some(Packet::ConnAck(connack)) => assert_eq!(connack.reason, ReasonCode::NotAuthorized),
            other => panic!("expected CONNACK, heard {other:?}"),
        }
        client.expect_closed();
    }
}

#[tokio::test]
async fn a_server_without_listeners_waits_until_it_is_stopped() {
    let server = Server::bind(idle()).await.unwrap();
    let mut polls = 0;
    let stop = poll_fn(|_| {
        polls += 1;
        // The server has nothing to do: whoever asks ten times in a row is spinning.
        if polls < 10 { Poll::Pending } else { Poll::Ready(()) }
    });
    let waiting = tokio::time::timeout(Duration::from_millis(50), server.run(stop)).await;
    assert!(waiting.is_err(), "it asked {polls} times whether to stop");
}

fn idle() -> ServerConfig {
    ServerConfig { tcp: Vec::new(), websocket: Vec::new(), ..ServerConfig::default() }
}
