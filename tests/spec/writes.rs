//! What a message costs its host in writes, from its PUBLISH to its last acknowledgement, and what is left of it then.

use crate::{harness::*, kept::*};
use bytes::Bytes;
use mqlite::{
    broker::{Config, ConnectionId, Durability, Input},
    codec::{Packet, Publish, QoS, ReasonCode},
};
use std::collections::BTreeMap;

/// A broker in which `bob` publishes and `subscribers` have what they subscribed to as `qos`, online or not.
fn kept(qos: QoS, subscribers: u64, are_online: bool) -> Kept {
    let mut kept = Kept::new(Config { durability: Durability::Sessions, ..config() });
    for number in 1..=subscribers {
        kept.connect(number, resumable(&format!("c{number}")));
        kept.send(number, subscribe(1, &[("some/topic", qos)]));
        if !are_online {
            kept.send(number, disconnect(ReasonCode::Success));
        }
    }
    kept.connect(PUBLISHER, resumable("bob"));
    kept.written();
    kept
}

const PUBLISHER: u64 = 9_999;

fn of(qos: QoS) -> Packet {
    let packet_id = (qos > AtMostOnce).then(|| id(1));
    Packet::Publish(Publish { qos, packet_id, payload: vec![b'x'; 100].into(), ..message("some/topic", "") })
}

/// What one message costs, and how many records there are afterwards that were not there before.
fn cost(mut kept: Kept, life: impl FnOnce(&mut Kept)) -> (Written, isize) {
    let before = kept.records.len() as isize;
    life(&mut kept);
    (kept.written(), kept.records.len() as isize - before)
}

#[test]
fn what_a_message_costs_is_what_this_table_says() {
    let rows = [
        ("QoS 0, clean session", clean(), (0, 0, 0, 0)),
        (
            "QoS 1, 1 online",
            cost(kept(AtLeastOnce, 1, true), |kept| {
                kept.send(PUBLISHER, of(AtLeastOnce));
                kept.send(1, puback(1, ReasonCode::Success));
            }),
            (2, 2, 164, 0),
        ),
        (
            "QoS 1, 1,000 offline",
            cost(kept(AtLeastOnce, 1_000, false), |kept| _ = kept.send(PUBLISHER, of(AtLeastOnce))),
            (1_001, 0, 31_130, 1_001),
        ),
        (
            "QoS 1, 1,000 offline that come back",
            cost(kept(AtLeastOnce, 1_000, false), come_back),
            (4_001, 2_001, 118_916, 0),
        ),
        (
            "QoS 2, 1 online",
            cost(kept(ExactlyOnce, 1, true), |kept| {
                kept.send(PUBLISHER, of(ExactlyOnce));
                kept.send(PUBLISHER, pubrel(1, ReasonCode::Success));
                kept.send(1, pubrec(1, ReasonCode::Success));
                kept.send(1, pubcomp(1, ReasonCode::Success));
            }),
            (4, 3, 205, 0),
        ),
    ];
    println!("{:37} {:>6} {:>8} {:>8} {:>6}", "one message of 100 bytes", "puts", "deletes", "bytes", "left");
    for (name, (written, left), _) in &rows {
        let Written { puts, deletes, put_bytes, .. } = written;
        println!("{name:37} {puts:6} {deletes:8} {put_bytes:8} {left:6}");
    }
    for (name, (written, left), (puts, deletes, bytes, expected)) in rows {
        assert_eq!(
            (written.puts, written.deletes, written.put_bytes, left),
            (puts, deletes, bytes, expected),
            "{name}"
        );
    }
}

fn clean() -> (Written, isize) {
    let mut kept = Kept::new(Config { durability: Durability::Connections, ..config() });
    kept.connect(1, connect("ada"));
    kept.send(1, subscribe(1, &[("some/topic", AtMostOnce)]));
    kept.written();
    cost(kept, |kept| {
        kept.send(1, of(AtMostOnce));
        assert_eq!(kept.written.states, 0);
    })
}

/// Each hears the message, acknowledges it, and leaves; coming and going each write its session.
fn come_back(kept: &mut Kept) {
    kept.send(PUBLISHER, of(AtLeastOnce));
    for number in 1..=1_000 {
        let connection = number + 1_000;
        assert_eq!(publishes(&kept.connect(connection, resumable(&format!("c{number}"))), connection).len(), 1);
        kept.send(connection, puback(1, ReasonCode::Success));
        kept.send(connection, disconnect(ReasonCode::Success));
    }
}

#[test]
fn the_records_of_a_message_for_many_are_small_but_one() {
    let mut kept = kept(AtLeastOnce, 1_000, false);
    kept.send(PUBLISHER, of(AtLeastOnce));
    let of_kind = |kind: u8| kept.records.iter().filter(move |(key, _)| key[0] == kind);
    assert_eq!((of_kind(b'm').count(), of_kind(b'q').count()), (1, 1_000));
    let size = |(key, value): (&Bytes, &Bytes)| (key.len(), value.len());
    assert_eq!(of_kind(b'm').map(size).collect::<Vec<_>>(), [(9, 121)]);
    assert!(of_kind(b'q').all(|record| size(record) == (17, 14)));
    println!("one message of 100 bytes for 1,000: 130 bytes once, 31 bytes 1,000 times, keys included");
}

/// What a host writes of all inputs that it joins into one commit: the last change of each key, if there was another before.
#[test]
fn a_message_that_all_acknowledge_within_one_drain_leaves_no_write() {
    let mut kept = kept(AtLeastOnce, 10, true);
    let before = kept.records.clone();
    kept.send(PUBLISHER, of(AtLeastOnce));
    for number in 1..=10 {
        kept.send(number, puback(1, ReasonCode::Success));
    }
    let written = kept.written();
    assert_eq!((written.puts, written.deletes), (11, 11), "each put has its delete, for a host that joins both");
    assert_eq!(kept.records, before);
}

/// The PUBACK is in the same chunk: there is nothing to join.
#[test]
fn a_message_that_its_own_input_acknowledges_is_never_written() {
    let mut kept = kept(AtLeastOnce, 0, true);
    kept.send(PUBLISHER, subscribe(1, &[("some/topic", AtLeastOnce)]));
    kept.written();
    let chunk = [encoded(of(AtLeastOnce)), encoded(puback(1, ReasonCode::Success))].concat();
    let actions = kept.input(Input::Received { connection: ConnectionId(PUBLISHER), bytes: chunk.into() });
    assert_eq!(publishes(&actions, PUBLISHER).len(), 1);
    assert_eq!(kept.written(), Written::default());
    assert_eq!(kept.broker.records().into_iter().collect::<BTreeMap<_, _>>(), kept.records);
}

/// Nobody else is to wait for the disk because one connection floods.
#[test]
fn what_was_not_read_of_a_connection_is_stored_and_removed_at_leisure() {
    let mut kept = Kept::new(Config { publish_messages_per_second: 1, ..config() });
    kept.connect(1, connect("ada"));
    kept.written();
    let chunk = encoded(of(AtMostOnce)).repeat(20);
    let mut stored = 0;
    for input in 0.. {
        assert!(input < 100, "it is never closed");
        kept.input(Input::Received { connection: ConnectionId(1), bytes: chunk.clone().into() });
        assert!(kept.may_wait);
        if kept.states.is_empty() {
            break;
        }
        stored = kept.records.len();
    }
    assert!(stored > 0);
    assert_eq!(kept.written().deletes, stored);
    assert!(kept.records.is_empty());
}
