//! What the records of a broker cost, and what becomes of them: under other numbers, in other versions, at a host that deletes late.

use crate::{harness::*, kept::*};
use bytes::Bytes;
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Durability, Input},
    codec::{Connect, ConnectProperties, Packet, PacketId, Publish, ReasonCode, RetainHandling},
    time::Timestamp,
};
use std::num::NonZeroU16;

fn durable() -> Trace {
    Trace::with(V5, config())
}

/// [MQTT-3.1.2-22] The host wakes the broker at its deadline, as an alarm does.
#[test]
fn a_silent_client_is_closed_although_the_broker_sleeps() {
    let mut trace = durable();
    trace.connect("bob");
    trace.subscribe("bob", "w", AtMostOnce);
    trace.connect_with("ada", Connect { keep_alive: 10, will: Some(will("w", "gone")), ..connect("ada") });
    for _ in 0..20 {
        let Some(deadline) = trace.deadline() else { break };
        trace.miss_secs((deadline.0 - trace.now().0).div_ceil(1_000));
        trace.sleep();
    }
    trace.expect("bob", publish("w", "gone", AtMostOnce, 0)); // 300 s of silence at a Keep Alive of 10
}

#[test]
fn a_connection_without_connect_is_closed_although_the_broker_sleeps() {
    let mut trace = durable();
    trace.open("ada");
    for _ in 0..20 {
        let Some(deadline) = trace.deadline() else { break };
        trace.miss_secs((deadline.0 - trace.now().0).div_ceil(1_000));
        trace.sleep();
    }
    trace.expect_closed("ada", ReasonCode::KeepAliveTimeout);
}

/// What is retained after a sleep is not what was retained before it.
#[test]
fn a_replay_that_outlives_a_sleep_brings_nothing_that_came_later() {
    for sleeps in [false, true] {
        let mut trace = durable();
        trace.connect("bob");
        let retain = |topic: &str, payload: &'static str| {
            Packet::Publish(Publish {
                retain: true,
                qos: AtLeastOnce,
                packet_id: PacketId::new(1),
                ..message(topic, payload)
            })
        };
        for topic in ["r/1", "r/2", "r/3"] {
            trace.send("bob", retain(topic, "old"));
        }
        let properties = ConnectProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
        trace.connect_with("ada", Connect { properties, ..connect("ada") });
        trace
            .send("ada", subscribe_with(1, &[("r/#", options(AtLeastOnce, RetainHandling::Send))], Default::default()));
        trace.expect("ada", suback(1, &[ReasonCode::GrantedQoS1]));
        let mut publish = trace.hear_publish("ada");
        assert_eq!(publish.topic.as_str(), "r/1");
        trace.send("bob", retain("r/3", ""));
        if sleeps {
            trace.sleep();
        }
        trace.send("bob", retain("r/3", "new"));
        let mut heard = Vec::new();
        for _ in 0..3 {
            if trace.statistics().messages_stored == 0 {
                break;
            }
            trace.send("ada", puback(publish.packet_id.unwrap().value(), ReasonCode::Success));
            if trace.statistics().messages_stored > 0 {
                publish = trace.hear_publish("ada");
                heard.push((publish.topic.to_string(), publish.payload.clone(), publish.retain));
            }
        }
        let new = heard.iter().filter(|(_, payload, _)| payload == "new").count();
        assert_eq!(new, 1, "sleeps: {sleeps}, {heard:?}");
    }
}

/// Topic Aliases make what is remembered large: an exchange that is no part of it does not write it again.
#[test]
fn a_puback_writes_no_more_than_the_end_of_its_exchange() {
    let mut kept = Kept::new(config());
    kept.connect(1, connect("ada"));
    kept.send(1, subscribe(1, &[("t", AtLeastOnce)]));
    for alias in 1..=64 {
        let topic = format!("{alias}/{}", "x".repeat(1_900));
        let mut publish = message(&topic, "");
        publish.properties.topic_alias = NonZeroU16::new(alias);
        kept.send(1, Packet::Publish(publish));
    }
    kept.send(1, publish("t", "x", AtLeastOnce, 1));
    kept.written();
    kept.send(1, puback(1, ReasonCode::Success));
    let put = kept.written().put_bytes;
    assert!(put < 1_000, "one PUBACK of an exchange that this connection began: {put} bytes were put");
}

#[test]
fn a_puback_alone_changes_nothing_that_a_host_remembers() {
    let mut kept = Kept::new(config());
    kept.connect(1, resumable("ada"));
    kept.send(1, subscribe(1, &[("t", AtLeastOnce)]));
    kept.send(1, publish("t", "x", AtLeastOnce, 1));
    let state = kept.states[&1].clone();
    kept.written();
    kept.send(1, puback(1, ReasonCode::Success));
    assert_eq!(state, kept.states[&1]);
    assert_eq!(kept.written().states, 0, "remembered again what is the same");
}

/// A host need not delete what was rejected.
#[test]
fn nobody_inherits_what_belonged_to_a_record_that_was_rejected() {
    let mut kept = Kept::new(Config { durability: Durability::Sessions, ..Default::default() });
    kept.connect(1, resumable("ada"));
    kept.send(1, subscribe(1, &[("secret", AtLeastOnce)]));
    kept.send(1, disconnect(ReasonCode::Success));
    kept.connect(2, connect("bob"));
    kept.send(2, publish("secret", "for ada", AtLeastOnce, 1));
    let key = kept.records.keys().find(|key| key[0] == b's').unwrap().clone();
    kept.records.insert(key, Bytes::from_static(b"\x09")); // one session cannot be read
    kept.sleep(|connection| connection);
    kept.connect(3, resumable("eve"));
    kept.states.clear();
    kept.sleep(|connection| connection);
    let actions = kept.connect(4, resumable("eve"));
    assert!(publishes(&actions, 4).is_empty(), "eve heard {:?}", publishes(&actions, 4));
}

#[test]
fn no_message_takes_the_place_of_one_that_was_rejected() {
    let mut kept = Kept::new(Config { durability: Durability::Sessions, ..Default::default() });
    kept.connect(1, resumable("ada"));
    kept.send(1, subscribe(1, &[("for/ada", AtLeastOnce)]));
    kept.send(1, disconnect(ReasonCode::Success));
    kept.connect(3, resumable("eve"));
    kept.send(3, subscribe(1, &[("for/eve", AtLeastOnce)]));
    kept.send(3, disconnect(ReasonCode::Success));
    kept.connect(2, connect("bob"));
    kept.send(2, publish("for/ada", "1", AtLeastOnce, 1));
    let key = kept.records.keys().find(|key| key[0] == b'm').unwrap().clone();
    kept.records.insert(key, Bytes::from_static(b"\x09"));
    kept.sleep(|connection| connection);
    kept.connect(4, connect("bob"));
    kept.send(4, publish("for/eve", "2", AtLeastOnce, 1));
    kept.sleep(|connection| connection);
    let actions = kept.connect(5, resumable("ada"));
    assert!(publishes(&actions, 5).is_empty(), "ada heard {:?}", publishes(&actions, 5));
}

#[test]
fn a_broker_without_durability_that_was_restored_does_not_grow() {
    let mut kept = Kept::new(config());
    kept.connect(1, resumable("ada"));
    kept.send(1, subscribe(1, &[("t", AtLeastOnce)]));
    kept.config.durability = Durability::None;
    kept.states.clear();
    kept.sleep(|connection| connection);
    kept.connect(2, resumable("ada"));
    let mut sizes = Vec::new();
    for _ in 0..4 {
        for _ in 0..500 {
            let actions = kept.send(2, publish("t", "x", AtLeastOnce, 1));
            for publish in publishes(&actions, 2) {
                kept.send(2, puback(publish.packet_id.unwrap().value(), ReasonCode::Success));
            }
        }
        assert_eq!(kept.broker.statistics().messages_stored, 0);
        sizes.push(format!("{:?}", kept.broker).len());
    }
    assert!(sizes[3] < sizes[0] + 10_000, "{sizes:?}");
}

/// A new number may be another connection's old one.
#[test]
fn connections_may_be_renumbered_by_each_sleep() {
    let mut kept = Kept::new(config());
    for connection in [1, 2] {
        kept.connect(connection, connect(&format!("c{connection}")));
        let packet = encoded(Packet::Publish(Publish { payload: vec![0; 30_000].into(), ..message("t", "") }));
        kept.bytes(connection, packet.slice(..20_000));
    }
    kept.sleep(|connection| 3 - connection);
    kept.sleep(|connection| connection);
    assert_eq!(kept.states.len(), 2);
}

#[test]
fn a_lost_connection_takes_no_record_of_the_one_that_has_its_number() {
    let mut kept = Kept::new(config());
    for connection in [1, 2] {
        kept.connect(connection, connect(&format!("c{connection}")));
        let packet = encoded(Packet::Publish(Publish { payload: vec![0; 30_000].into(), ..message("t", "") }));
        kept.bytes(connection, packet.slice(..20_000));
    }
    kept.states.remove(&1); // lost
    kept.sleep(|connection| connection - 1);
    kept.sleep(|connection| connection);
    assert_eq!(kept.states.len(), 1);
}

/// A deploy that raises the maximum.
#[test]
fn a_session_that_disconnect_prolongs_is_kept() {
    let mut kept = Kept::new(Config { maximum_session_expiry_seconds: 0, ..config() });
    kept.connect(1, resumable("ada"));
    kept.config.maximum_session_expiry_seconds = 3_600;
    kept.sleep(|connection| connection);
    let properties = mqlite::codec::DisconnectProperties { session_expiry_interval: Some(600), ..Default::default() };
    let reason = ReasonCode::Success;
    kept.send(1, Packet::Disconnect(mqlite::codec::Disconnect { reason, properties }));
    let live = kept.broker.statistics().sessions;
    kept.sleep(|connection| connection);
    assert_eq!(live, kept.broker.statistics().sessions);
}

/// A client that waits for its verdict is refused after a restart: nothing that it sent is of use then.
#[test]
fn nothing_unread_is_remembered_of_who_waits_for_a_verdict() {
    use mqlite::broker::{Authentication, Verdict};
    let mut kept = Kept::new(Config { authentication: Authentication::Ask, ..config() });
    let properties = ConnectProperties { authentication_method: Some(text("m")), ..Default::default() };
    kept.connect(1, Connect { properties, ..connect("ada") });
    kept.input(Input::Authenticated { connection: ConnectionId(1), verdict: Verdict::Continue { data: None } });
    kept.bytes(1, Bytes::from_static(b"\xF0\x30\x18\x2E\x15\0\x01m\x16\0\x20hunter2"));
    let state = &kept.states[&1];
    assert!(!state.windows(7).any(|part| part == b"hunter2"), "{state:?}");
}

/// What it agreed on is too large for a place beside the connection.
fn with_record(kept: &mut Kept, connection: u64) {
    let user_name = Some(text(&"u".repeat(10_000)));
    kept.connect(connection, Connect { user_name, ..connect(&format!("c{connection}")) });
    assert!(kept.kinds().contains('c'));
}

/// Here the record is large without unread bytes.
#[test]
fn connections_with_records_may_be_renumbered_by_each_sleep() {
    let mut kept = Kept::new(config());
    with_record(&mut kept, 1);
    with_record(&mut kept, 2);
    kept.sleep(|connection| 3 - connection);
    assert_eq!(kept.states.len(), 2);
    kept.sleep(|connection| connection);
    assert_eq!(kept.states.len(), 2);
}

#[test]
fn a_lost_connection_takes_no_agreement_of_the_one_that_has_its_number() {
    let mut kept = Kept::new(config());
    with_record(&mut kept, 1);
    with_record(&mut kept, 2);
    kept.states.remove(&1); // lost
    kept.sleep(|connection| connection - 1);
    assert_eq!(kept.states.len(), 1);
    kept.sleep(|connection| connection);
    assert_eq!(kept.states.len(), 1);
}

/// A host may number its connections as it likes.
#[test]
fn a_connection_may_have_any_number() {
    for number in [1, u64::MAX] {
        let mut kept = Kept::new(config());
        with_record(&mut kept, number);
        kept.sleep(|connection| connection);
        assert_eq!(kept.states.len(), 1, "{number}");
    }
}

/// [MQTT-3.3.2-14] for wills
#[test]
fn a_will_that_is_let_in_is_restored() {
    let mut kept = Kept::new(config());
    let mut will = will("w", "x");
    will.properties.response_topic = Some(text("a/+"));
    let actions = kept.connect(1, Connect { will: Some(will), ..resumable("ada") });
    let restored = Broker::restore(config(), [2; 32], kept.records.clone());
    assert_eq!(restored.rejected, [], "{actions:?}");
}

/// What waited goes in flight: the message itself is as it was.
#[test]
fn a_message_that_waited_is_not_written_again_when_it_is_sent() {
    let mut trace = durable();
    trace.resume("ada");
    trace.subscribe("ada", "t", AtLeastOnce);
    trace.leave("ada");
    trace.connect("bob");
    trace.send("bob", publish("t", "x", AtLeastOnce, 1));
    trace.writes();
    assert!(trace.resume("ada"));
    assert_eq!(trace.writes(), ("os".into(), "q".into()));
}

/// Forward to a version that knows these values, back, and forward again; nobody deletes what was rejected.
#[test]
fn a_version_that_was_rolled_back_mixes_no_sessions() {
    let mut kept = Kept::new(Config { durability: Durability::Sessions, ..Default::default() });
    kept.connect(1, resumable("ada"));
    kept.send(1, subscribe(1, &[("secret", AtLeastOnce)]));
    kept.states.clear();
    kept.records.values_mut().for_each(|value| *value = [&[3], &value[1..]].concat().into());
    kept.sleep(|connection| connection); // knows nothing of version 3
    kept.connect(2, resumable("eve"));
    kept.records.values_mut().for_each(|value| *value = [&[2], &value[1..]].concat().into());
    kept.sleep(|connection| connection); // knows both
    kept.connect(3, resumable("eve"));
    kept.connect(4, connect("bob"));
    let actions = kept.send(4, publish("secret", "x", AtLeastOnce, 1));
    assert!(publishes(&actions, 3).is_empty(), "eve, who subscribed to nothing, heard {:?}", publishes(&actions, 3));
}

/// [MQTT-4.8.2-5] A clean session that has no records shares with one that has.
#[test]
fn what_a_crash_takes_from_a_member_of_a_share_goes_to_the_next_one() {
    for durability in [Durability::Connections, Durability::Sessions] {
        for crashes in [false, true] {
            let mut trace = Trace::with(V5, Config { durability, ..Default::default() });
            trace.resume("eve");
            trace.subscribe("eve", "$share/g/t", AtLeastOnce);
            trace.leave("eve");
            trace.connect("ada");
            trace.subscribe("ada", "$share/g/t", AtLeastOnce);
            trace.connect("bob");
            trace.send("bob", publish("t", "x", AtLeastOnce, 1));
            trace.expect("bob", puback(1, ReasonCode::Success));
            trace.expect("ada", publish("t", "x", AtLeastOnce, 1));
            if crashes {
                trace.crash();
            } else {
                trace.cut("bob");
                trace.cut("ada");
            }
            assert!(trace.resume("eve"));
            let stored = trace.statistics().messages_stored;
            assert_eq!(stored, 1, "{durability:?}, crashes: {crashes}");
            trace.expect("eve", publish("t", "x", AtLeastOnce, 1));
        }
    }
}

/// A connection that was closed while it was resumed has nothing more to do.
#[test]
fn who_is_closed_by_its_resumption_is_not_behind() {
    use mqlite::broker::{Authentication, Grants, Verdict};
    let mut kept = Kept::new(Config { authentication: Authentication::Ask, ..config() });
    let properties = ConnectProperties { authentication_method: Some(text("m")), ..Default::default() };
    kept.connect(1, Connect { properties, ..connect("ada") });
    let connection = ConnectionId(1);
    kept.input(Input::Authenticated { connection, verdict: Verdict::allow(Grants::all()) });
    kept.bytes(1, Bytes::from_static(b"\xF0\x06\x19\x04\x15\0\x01m")); // Re-authenticate
    let state = kept.states[&1].clone();
    let mut broker = Broker::restore(kept.config.clone(), [2; 32], kept.records.clone()).broker;
    let actions: Vec<_> = broker.handle(Timestamp(kept.now), Input::Resumed { connection, state }).collect();
    assert!(actions.iter().any(|action| matches!(action, Action::Close { .. })), "{actions:?}");
    assert!(!broker.is_behind(connection));
}

/// [MQTT-3.1.2-8] The will of a client that its resumption closes comes before others are resumed.
#[test]
fn a_will_that_a_resumption_publishes_reaches_those_who_are_resumed_later() {
    use mqlite::broker::{Authentication, Grants, Verdict};
    let allow = || Verdict::allow(Grants::all());
    let mut trace = Trace::with(V5, Config { authentication: Authentication::Ask, ..config() });
    let properties = ConnectProperties { authentication_method: Some(text("m")), ..Default::default() };
    trace.open("ada");
    let will = Some(mqlite::codec::Will { qos: AtLeastOnce, ..will("w", "gone") });
    trace.send("ada", Packet::Connect(Box::new(Connect { properties, will, ..connect("ada") })));
    trace.answer(allow());
    trace.open("bob");
    trace.send("bob", Packet::Connect(Box::new(connect("bob"))));
    trace.answer(allow());
    trace.hear_connack("bob");
    trace.subscribe("bob", "w", AtLeastOnce);
    trace.send_bytes("ada", Bytes::from_static(b"\xF0\x06\x19\x04\x15\0\x01m")); // Re-authenticate
    trace.sleep(); // closes ada: the question is lost
    trace.expect("bob", publish("w", "gone", AtLeastOnce, 1));
}

/// Exported by a host that has no storage, and imported by one that has.
#[test]
fn the_records_of_a_broker_without_durability_make_one_that_goes_on() {
    let mut kept = Kept::new(Config::default());
    kept.connect(1, resumable("ada"));
    kept.send(1, subscribe(1, &[("t", AtLeastOnce)]));
    kept.connect(2, connect("bob"));
    kept.send(2, subscribe(1, &[("t", AtLeastOnce)]));
    kept.send(2, publish("t", "x", AtLeastOnce, 1));
    kept.send(1, publish("u", "y", ExactlyOnce, 7));
    kept.send(2, retained("r", "z"));
    kept.send(2, retained("$r", "z"));
    let records = kept.broker.records();
    let kinds: Vec<_> = records.iter().map(|(key, _)| char::from(key[0])).collect();
    assert_eq!(kinds, ['f', 'i', 'm', 'o', 'r', 'r', 's'], "bob ends with his connection");
    kept.config.durability = Durability::Sessions;
    kept.records = records.iter().cloned().collect();
    kept.sleep(|connection| connection);
    assert!(publishes(&kept.connect(3, resumable("ada")), 3)[0].dup);
}
