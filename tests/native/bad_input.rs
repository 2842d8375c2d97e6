//! Clients that break MQTT's rules, over both transports.

use crate::harness::{Running, V5, connect_bytes, publish};
use mqlite::{
    broker::Config,
    codec::{QoS, ReasonCode},
    shell::native::{ConnectionRate, ServerConfig},
};

#[test]
fn a_malformed_packet_is_answered_with_81() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.connect("broken");
        client.send_bytes(b"\x00\x00");
        client.expect_thrown_out(ReasonCode::MalformedPacket);
    }
}

#[test]
fn a_publish_before_connect_is_closed_without_a_word() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.send(publish("a", "x", QoS::AtMostOnce));
        client.expect_closed();
    }
}

#[test]
fn what_is_no_mqtt_at_all_is_closed_without_a_word() {
    let connection_rate = ConnectionRate { burst: 1_000_000, ..ConnectionRate::default() };
    let server = Running::start_as(ServerConfig { connection_rate, ..ServerConfig::default() });
    for noise in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], &[0xFF; 4096], b"\x10\x04\x00\x04NOPE"] {
        for mut client in server.clients() {
            client.send_bytes(noise);
            client.expect_closed();
        }
    }
}

/// The answer comes before the packet: nobody waits for 256 MB.
#[test]
fn a_header_that_announces_256_megabytes_is_answered_with_95() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.connect("huge");
        client.send_bytes(b"\x30\xFF\xFF\xFF\x7F");
        client.expect_thrown_out(ReasonCode::PacketTooLarge);
    }
}

/// Closing with bytes unread would reset the connection, and the client might never hear why.
#[test]
fn the_reason_is_heard_by_a_client_that_goes_on_sending() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.connect("huge");
        client.send_bytes(b"\x30\xFF\xFF\xFF\x7F");
        for _ in 0..200 {
            client.send_bytes(&[0; 10_000]);
        }
        client.expect_thrown_out(ReasonCode::PacketTooLarge);
    }
}

#[test]
fn a_length_of_five_bytes_is_answered_with_81() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.connect("longer than long");
        client.send_bytes(b"\x30\xFF\xFF\xFF\xFF\x7F");
        client.expect_thrown_out(ReasonCode::MalformedPacket);
    }
}

#[test]
fn a_second_connect_is_answered_with_82() {
    let server = Running::start(Config::default());
    for mut client in server.clients() {
        client.connect("twice");
        client.send_bytes(&connect_bytes("twice", client.version()));
        client.expect_thrown_out(ReasonCode::ProtocolError);
    }
}

#[test]
fn packets_behind_the_end_are_not_read() {
    let server = Running::start(Config::default());
    let mut watcher = server.over_tcp(V5);
    watcher.connect("watcher");
    watcher.subscribe("#", QoS::AtMostOnce);
    for mut client in server.clients() {
        client.connect("broken");
        client.send_bytes(b"\x00\x00\x30\x04\x00\x01ax");
        client.expect_thrown_out(ReasonCode::MalformedPacket);
    }
    watcher.expect_open();
}
