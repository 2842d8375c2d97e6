//! Records that an older version of the broker has written, byte for byte, and what becomes of those of a later one.

use crate::{harness::*, kept::*};
use bytes::Bytes;
use mqlite::{
    broker::{Action, Broker, ConnectionId, Durability, Input},
    codec::{Packet, Publish, ReasonCode},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// All records, and what was remembered of a connection.
fn version_1() -> (BTreeMap<Bytes, Bytes>, Bytes) {
    let mut records = BTreeMap::new();
    let mut state = None;
    for line in include_str!("version_1.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(' ').unwrap() {
            ("state", value) => state = Some(bytes(value)),
            (key, value) => assert!(records.insert(bytes(key), bytes(value)).is_none()),
        }
    }
    (records, state.unwrap())
}

fn bytes(hex: &str) -> Bytes {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn restored(durability: Durability) -> Kept {
    let mut kept = Kept::new(mqlite::broker::Config { durability, ..config() });
    let restored = Broker::restore(kept.config.clone(), [2; 32], version_1().0);
    assert_eq!(restored.rejected, []);
    (kept.broker, kept.records) = (restored.broker, version_1().0);
    kept
}

fn packets(actions: &[Action], to: u64) -> Vec<Packet> {
    let frames = actions.iter().filter_map(|action| match action {
        Action::Send { connection, frame } if connection.0 == to => Some(frame),
        _ => None,
    });
    frames
        .map(|frame| {
            let mut bytes = bytes::BytesMut::new();
            frame.write_to(&mut bytes);
            Packet::decode(bytes.freeze(), V5).unwrap()
        })
        .collect()
}

#[test]
fn sessions_and_messages_of_version_1_go_on() {
    for durability in [Durability::Sessions, Durability::Connections] {
        let mut kept = restored(durability);
        let mut connect = resumable("ada");
        connect.user_name = Some(text("lovelace"));
        let mut actions = kept.connect(1, connect);
        let connack = packets(&actions, 1).remove(0);
        assert!(matches!(connack, Packet::ConnAck(connack) if connack.session_present));
        kept.turns();
        actions.retain(|action| matches!(action, Action::Send { .. }));
        let heard = packets(&actions, 1);
        assert!(heard.contains(&pubrel(2, ReasonCode::Success)), "{heard:?}");
        let heard = publishes(&actions, 1);
        let heard: Vec<_> = heard.iter().map(|it| (it.topic.as_str(), it.qos, it.dup, it.retain)).collect();
        assert_eq!(
            heard,
            [
                ("t/1", AtLeastOnce, true, false),
                ("t/3", ExactlyOnce, true, false),
                ("s", AtLeastOnce, false, false),
                ("t/4", AtLeastOnce, false, false),
                ("r/1", AtLeastOnce, false, true),
                ("r/2", AtLeastOnce, false, true),
            ]
        );
        assert_eq!(publishes(&actions, 1)[4].properties, all_properties());
        // [MQTT-4.3.3-10] what was received is a duplicate
        let again = Publish { qos: ExactlyOnce, packet_id: Some(id(7)), dup: true, ..message("t/7", "x") };
        let actions = kept.send(1, Packet::Publish(again));
        assert_eq!(packets(&actions, 1), [pubrec(7, ReasonCode::Success)]);
        // Both versions lie side by side, and what comes of them is of this one.
        let live = kept.broker.statistics();
        kept.sleep(|connection| connection);
        assert_eq!(kept.broker.statistics().messages_stored, live.messages_stored);
        assert_eq!(kept.broker.statistics().sessions, live.sessions);
    }
}

#[test]
fn connections_of_version_1_are_lost_and_leave_nothing() {
    let (records, state) = version_1();
    let mut broker = Broker::restore(config(), [2; 32], records).broker;
    let resumed = Input::Resumed { connection: ConnectionId(1), state };
    let actions: Vec<_> = broker.handle(Timestamp(1), resumed).collect();
    assert!(matches!(actions[..], [Action::Close { .. }, Action::Report(_)]), "{actions:?}");
    let actions: Vec<_> = broker.handle(Timestamp(1), Input::Timeout).collect();
    let deletes = actions.iter().filter(|action| matches!(action, Action::Delete { key } if key[0] == b'c'));
    assert_eq!(deletes.count(), 1, "{actions:?}");
}

#[test]
fn records_of_a_later_version_are_named_as_such() {
    let mut records = version_1().0;
    records.retain(|key, _| key[0] != b'c');
    let count = records.len();
    records.values_mut().for_each(|value| *value = [&[u8::MAX], &value[1..]].concat().into());
    let restored = Broker::restore(config(), [2; 32], records);
    assert_eq!(restored.rejected.len(), count);
    assert!(restored.rejected.iter().all(|error| error.reason.contains("a later one")), "{:?}", restored.rejected);
}
