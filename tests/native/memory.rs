//! Memory stays bounded whatever clients do. Measured where the system tells a process's peak: on Linux.
#![cfg(target_os = "linux")]

use crate::{
    command::Process,
    harness::{Client, Directory, V5, connect_bytes, connect_to, open_websocket, publish},
};
use bytes::Bytes;
use mqlite::codec::{QoS, ReasonCode};
use std::{fs, io::Write};
use tokio_tungstenite::tungstenite::Message;

const MEGABYTE: usize = 1 << 20;

/// The most memory that the process ever had in use.
fn peak(process: &Process) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[track_caller]
fn assert_stays_below(process: &Process, megabytes: usize) {
    let peak = peak(process) / MEGABYTE;
    assert!(peak < megabytes, "it took {peak} MB");
}

#[test]
fn a_packet_of_256_megabytes_takes_no_memory() {
    let process = Process::start();
    let mut clients = vec![process.client(V5), Client::over_websocket(open_websocket(process.websocket), V5)];
    for client in &mut clients {
        client.connect("huge");
        client.send_bytes(b"\x30\xFF\xFF\xFF\x7F");
        client.expect_thrown_out(ReasonCode::PacketTooLarge);
    }
    assert_stays_below(&process, 32);
}

#[test]
fn a_flood_for_a_client_that_never_reads_takes_bounded_memory() {
    let process = Process::start();
    let mut stalled = [process.client(V5), Client::over_websocket(open_websocket(process.websocket), V5)];
    for (number, client) in stalled.iter_mut().enumerate() {
        client.connect(&number.to_string());
        client.subscribe("flood/#", QoS::AtLeastOnce);
    }
    let mut publisher = process.client(V5);
    publisher.connect("publisher");
    for size in [100, 1_000, 100_000] {
        for _ in 0..(40 * MEGABYTE / size).min(20_000) {
            publisher.send(publish("flood/zero", vec![0; size], QoS::AtMostOnce));
        }
    }
    for _ in 0..1_500 {
        publisher.send(publish("flood/one", vec![0; 20_000], QoS::AtLeastOnce));
        assert!(publisher.hear().is_some());
    }
    publisher.expect_open();
    assert_stays_below(&process, 100);
}

/// Answers are bytes that nobody asked to read: 4 MB of two bytes each are two million frames.
#[test]
fn a_client_that_pings_and_never_reads_is_closed_before_it_takes_much_memory() {
    let directory = Directory::new();
    let process = Process::start_with(&directory, "limits.requestsPerSecond = 1_000_000_000\n");
    let mut stream = connect_to(process.tcp);
    stream.write_all(&connect_bytes("rude", V5)).unwrap();
    let pings = b"\xC0\x00".repeat(32 << 10);
    while stream.write_all(&pings).is_ok() {}
    let line = process.line_with("disconnected");
    assert!(line.contains("the answers that wait to be read exceed"), "{line}");
    assert_stays_below(&process, 64);
}

#[test]
fn a_client_that_sends_websocket_pings_and_never_reads_takes_bounded_memory() {
    let process = Process::start();
    let mut client = Client::over_websocket(open_websocket(process.websocket), V5);
    client.connect("rude");
    let ping = Message::Ping(Bytes::from_static(&[0; 125]));
    for _ in 0..400_000 {
        client.socket().write(ping.clone()).unwrap();
    }
    client.socket().flush().unwrap();
    process.client(V5).connect("other");
    assert_stays_below(&process, 32);
}
