//! What connections that outlive the broker cost: no record grows without bound, nothing is written twice, and a broker with other
//! limits keeps to what CONNACK announced.

use crate::{harness::*, kept::*};
use bytes::Bytes;
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Durability, Grant, Grants, Input, Verdict},
    codec::{Connect, ConnectProperties, Packet, PacketId, Publish, ReasonCode, RetainHandling},
    time::Timestamp,
};
use std::num::NonZeroU16;

fn large(length: usize) -> Bytes {
    encoded(Packet::Publish(Publish { payload: vec![b'x'; length].into(), ..message("t", "") }))
}

fn set_alias(alias: u16, length: usize) -> Packet {
    let mut publish = message(&format!("{alias}/{}", "x".repeat(length)), "");
    publish.properties.topic_alias = NonZeroU16::new(alias);
    Packet::Publish(publish)
}

/// One whose User Name is so long that what was agreed on is a record, or is not.
fn named(client_id: &str, is_stored: bool) -> Connect {
    let user_name = is_stored.then(|| text(&"u".repeat(10_000)));
    Connect { user_name, ..connect(client_id) }
}

fn last_reason(actions: &[Action]) -> Option<ReasonCode> {
    actions.iter().find_map(|action| if let Action::Close { reason, .. } = action { Some(*reason) } else { None })
}

#[test]
fn a_packet_that_drips_in_is_written_once() {
    for is_stored in [false, true] {
        let mut kept = Kept::new(Config { maximum_packet_size: 2 << 20, ..config() });
        kept.connect(1, named("ada", is_stored));
        kept.send(1, subscribe(1, &[("t", AtMostOnce)]));
        kept.written();
        let packet = large(1 << 20);
        let mut connection = 1;
        let mut heard = Vec::new();
        for (count, chunk) in packet.chunks(1_000).enumerate() {
            heard = kept.bytes(connection, packet.slice_ref(chunk));
            if count % 300 == 299 {
                connection += 1;
                kept.sleep(|connection| connection + 1);
            }
        }
        assert_eq!(publishes(&heard, connection)[0].payload.len(), 1 << 20);
        let written = kept.written();
        println!("in a record: {is_stored}: {written:?}");
        assert!(written.put_bytes < packet.len() * 11 / 10, "{written:?}");
        assert!(written.state_bytes < 1_100 * 16_000, "{written:?}");
        assert_eq!(kept.kinds(), if is_stored { "cfs" } else { "" });
        kept.send(connection, disconnect(ReasonCode::Success));
        assert_eq!(kept.kinds(), "");
    }
}

#[test]
fn unread_bytes_that_are_not_all_there_or_too_many_lose_their_connection_alone() {
    let mut kept = Kept::new(config());
    for connection in [1, 2] {
        kept.connect(connection, connect(&format!("c{connection}")));
        kept.bytes(connection, large(100_000).slice(..50_000));
    }
    assert_eq!(kept.kinds(), "u".repeat(10));
    let keys: Vec<_> = kept.records.keys().cloned().collect();
    let first = |key: &Bytes| key[8] == 1;
    let whole = kept.records.clone();
    let mut broken = vec![];
    for key in keys.iter().filter(|key| first(key)) {
        let with = |value: Option<Bytes>| {
            let mut records = whole.clone();
            match value {
                Some(value) => records.insert(key.clone(), value),
                None => records.remove(key),
            };
            records
        };
        let value = &whole[key];
        broken.extend([with(None), with(Some(value.slice(..9))), with(Some("\x09".into()))]);
        broken.push(with(Some([&[2, 0, 0, 0, 1][..], b"x"].concat().into())));
    }
    let mut more = whole.clone();
    more.insert([&keys[0][..9], &9_000_000_u64.to_be_bytes()].concat().into(), whole[&keys[0]].clone());
    broken.push(more);
    for records in broken {
        let mut broker = Broker::restore(config(), [2; 32], records.into_iter().rev()).broker;
        let mut input = |input| broker.handle(Timestamp(1_000), input).collect::<Vec<_>>();
        for (connection, state) in &kept.states {
            let actions = input(Input::Resumed { connection: ConnectionId(*connection), state: state.clone() });
            let is_lost = actions.iter().any(|action| matches!(action, Action::Close { .. }));
            assert_eq!(is_lost, *connection == 1, "{actions:?}");
        }
        let actions = input(Input::Timeout);
        let deleted = actions.iter().filter_map(|action| match action {
            Action::Delete { key } => Some(first(key)),
            _ => None,
        });
        assert!(deleted.clone().count() >= 4 && deleted.clone().all(|is_first| is_first), "{actions:?}");
    }
    kept.states.remove(&1);
    kept.sleep(|connection| connection);
    assert_eq!(kept.kinds(), "u".repeat(5));
}

#[test]
fn a_thousand_subscribes_of_a_clean_session_write_as_much_as_they_say() {
    for is_stored in [false, true] {
        let mut kept = Kept::new(config());
        kept.connect(1, named("ada", is_stored));
        kept.written();
        let mut halves = [0; 2];
        for number in 0..1_000 {
            kept.send(1, subscribe(1, &[(&format!("some/where/{number}"), AtMostOnce)]));
            if number % 500 == 499 {
                let written = kept.written();
                println!("in a record: {is_stored}, {} SUBSCRIBEs: {written:?}", number + 1);
                halves[number / 500] = written.put_bytes;
                assert!(written.state_bytes < 3 << 20);
            }
        }
        assert!(halves[0] < 150_000 && halves[1] < 500 * 40, "{halves:?}");
        kept.sleep(|connection| connection + 1);
        assert_eq!(kept.broker.statistics().subscriptions, 1_000);
        kept.send(2, publish("some/where/999", "x", AtMostOnce, 0));
    }
}

#[test]
fn an_alias_that_is_set_again_to_what_it_is_writes_nothing() {
    for is_stored in [false, true] {
        let mut kept = Kept::new(config());
        kept.connect(1, named("ada", is_stored));
        kept.send(1, set_alias(1, 1));
        kept.written();
        (0..100).for_each(|_| _ = kept.send(1, set_alias(1, 1)));
        assert_eq!(kept.written(), Written::default());
    }
}

#[test]
fn aliases_that_change_write_no_record_where_they_are_short_and_more_than_have_room_are_refused() {
    let mut kept = Kept::new(config());
    kept.connect(1, connect("ada"));
    (1..=64).for_each(|alias| _ = kept.send(1, set_alias(alias, 57)));
    (0..100).for_each(|number| _ = kept.send(1, set_alias(1, number % 2)));
    let written = kept.written();
    assert_eq!((written.puts, kept.states.len()), (0, 1), "{written:?}");
    (1..=64).for_each(|alias| _ = kept.send(1, set_alias(alias, 245)));
    let written = kept.written();
    assert!(written.puts <= 64 && written.put_bytes < written.puts * 20_000, "{written:?}");
    let actions = kept.send(1, set_alias(1, 1_000));
    assert_eq!(last_reason(&actions), Some(ReasonCode::QuotaExceeded));
}

#[test]
fn a_sleep_in_which_nothing_happened_writes_nothing() {
    let mut kept = Kept::new(config());
    for (connection, name) in [(1, "ada"), (2, "bob")] {
        kept.connect(connection, named(name, connection == 1));
        kept.send(connection, subscribe(1, &[("t", AtLeastOnce)]));
    }
    kept.connect(3, Connect { keep_alive: 60, ..resumable("eve") });
    kept.bytes(2, large(50_000).slice(..40_000));
    kept.sleep(|connection| connection); // from now on there is a time at which eve is closed
    kept.written();
    for _ in 0..3 {
        kept.sleep(|connection| connection);
        assert_eq!(kept.written(), Written::default());
    }
}

/// [MQTT-3.2.2-15] [MQTT-3.3.4-7]
#[test]
fn what_connack_announced_holds_although_a_deploy_changes_it() {
    let many = Config { receive_maximum: 3, maximum_packet_size: 30_000, topic_alias_maximum: 3, ..config() };
    let few = Config { receive_maximum: 1, maximum_packet_size: 20_000, topic_alias_maximum: 1, ..config() };
    for (before, after) in [(&many, &few), (&few, &many)] {
        let mut kept = Kept::new(before.clone());
        kept.connect(1, connect("ada"));
        kept.config = after.clone();
        kept.sleep(|connection| connection);
        let (messages, aliases) = (before.receive_maximum, before.topic_alias_maximum);
        kept.bytes(1, large(before.maximum_packet_size as usize - 9));
        for number in 1..=messages {
            kept.send(1, publish("t", "x", ExactlyOnce, number));
        }
        for alias in 1..=aliases {
            assert_eq!(last_reason(&kept.send(1, set_alias(alias, 1))), None);
        }
        kept.sleep(|connection| connection);
        let states = kept.states.clone();
        for (packet, reason) in [
            (large(before.maximum_packet_size as usize), ReasonCode::PacketTooLarge),
            (encoded(publish("t", "x", ExactlyOnce, messages + 1)), ReasonCode::ReceiveMaximumExceeded),
            (encoded(set_alias(aliases + 1, 1)), ReasonCode::TopicAliasInvalid),
        ] {
            kept.states = states.clone();
            let records = kept.records.clone();
            kept.sleep(|connection| connection);
            assert_eq!(last_reason(&kept.bytes(1, packet)), Some(reason));
            kept.records = records;
        }
    }
}

/// [MQTT-3.3.4-7] (4.9)
#[test]
fn a_sleep_gives_a_client_no_more_room_and_a_new_connection_all_of_it() {
    let mut kept = Kept::new(Config { receive_maximum: 2, ..config() });
    kept.connect(1, resumable("ada"));
    kept.send(1, publish("t", "1", ExactlyOnce, 1));
    kept.input(Input::Closed { connection: ConnectionId(1) });
    kept.states.clear();
    kept.connect(2, resumable("ada"));
    for packet_id in [2, 1] {
        kept.send(2, publish("t", "x", ExactlyOnce, packet_id)); // the first one comes again
        kept.sleep(|connection| connection);
    }
    kept.send(2, pubrel(2, ReasonCode::Success));
    assert_eq!(last_reason(&kept.send(2, publish("t", "3", ExactlyOnce, 3))), None);
    kept.sleep(|connection| connection);
    let actions = kept.send(2, publish("t", "4", ExactlyOnce, 4));
    assert_eq!(last_reason(&actions), Some(ReasonCode::ReceiveMaximumExceeded));
    kept.connect(3, resumable("ada"));
    for packet_id in [4, 5] {
        assert_eq!(last_reason(&kept.send(3, publish("t", "x", ExactlyOnce, packet_id))), None);
    }
}

/// Another storage, or a part of one: the number of a session may be that of another client's.
#[test]
fn nobody_resumes_the_session_of_another_client() {
    let (mut ada, mut eve) = (Kept::new(config()), Kept::new(config()));
    ada.connect(1, resumable("ada"));
    eve.connect(1, resumable("eve"));
    let mut broker = Broker::restore(config(), [2; 32], ada.records.clone()).broker;
    let mut resume = |state: &Bytes| {
        let input = Input::Resumed { connection: ConnectionId(1), state: state.clone() };
        last_reason(&broker.handle(Timestamp(1_000), input).collect::<Vec<_>>())
    };
    assert_eq!(resume(&eve.states[&1]), Some(ReasonCode::UnspecifiedError));
    assert_eq!(resume(&ada.states[&1]), None);
    assert_eq!(broker.statistics().clients_connected, 1);
}

#[test]
fn a_subscription_that_is_too_deep_for_a_new_limit_is_named_and_its_host_may_delete_it() {
    let mut kept = Kept::new(config());
    kept.connect(1, resumable("ada"));
    kept.send(1, subscribe(1, &[("a/b/c", AtLeastOnce), ("a", AtLeastOnce)]));
    let config = Config { maximum_topic_levels: 2, ..config() };
    let restored = Broker::restore(config.clone(), [2; 32], kept.records.clone());
    assert_eq!(restored.rejected.len(), 1);
    assert!(restored.rejected[0].key.ends_with(b"a/b/c") && restored.rejected[0].reason.contains("levels"));
    assert_eq!(restored.broker.statistics().subscriptions, 1);
    kept.records.remove(&restored.rejected[0].key);
    assert!(Broker::restore(config, [2; 32], kept.records).rejected.is_empty());
}

#[test]
fn what_was_retained_for_a_filter_that_is_no_longer_allowed_does_not_hold_up_the_rest() {
    use mqlite::broker::Authentication;
    let allow = |filter: &str| {
        let rule = Grant { filter: text(filter), ..Default::default() };
        Verdict::allow(Grants::of(vec![rule]))
    };
    let mut kept = Kept::new(Config { authentication: Authentication::Ask, ..config() });
    for number in 0..2 {
        let qos = AtLeastOnce;
        kept.input(Input::Publish {
            publish: Publish { qos, retain: true, ..message(&format!("r/{number}"), "x") },
            caller: None,
        });
    }
    let window = ConnectProperties {
        receive_maximum: NonZeroU16::new(1),
        session_expiry_interval: Some(60),
        ..Default::default()
    };
    let connect = Connect { properties: window, ..resumable("ada") };
    for (connection, filter) in [(1, "#"), (2, "t")] {
        kept.connect(connection, connect.clone());
        kept.input(Input::Authenticated { connection: ConnectionId(connection), verdict: allow(filter) });
        if connection == 1 {
            kept.send(1, subscribe(1, &[("t", AtLeastOnce)]));
            for payload in ["in flight", "waits"] {
                kept.input(Input::Publish {
                    publish: Publish { qos: AtLeastOnce, ..message("t", payload) },
                    caller: None,
                });
            }
            kept.send(1, subscribe_with(1, &[("r/#", options(AtLeastOnce, RetainHandling::Send))], Default::default()));
            assert!(kept.kinds().contains('p'));
        }
    }
    assert_eq!(kept.kinds(), "fmmoqrrs");
}

/// What [`Action::Put`] says of its longest value.
fn longest(config: &Config) -> usize {
    let lists = 8 * usize::from(config.maximum_in_flight) + 4 * config.maximum_subscriptions;
    (config.maximum_packet_size as usize + 66_535).max(250_000 + lists)
}

#[test]
fn no_value_is_longer_than_the_configuration_says() {
    let mut kept = Kept::new(config());
    let long = |start: &str| text(&format!("{start}{}", "x".repeat(65_000 - start.len())));
    let properties = ConnectProperties { topic_alias_maximum: Some(64), ..Default::default() };
    let ada = Connect { client_id: long("ada"), user_name: Some(long("lovelace")), properties, ..connect("") };
    // Both do not fit into what may come before a client is let in.
    kept.config.maximum_connect_size = 1 << 20;
    kept = Kept::new(kept.config);
    kept.connect(1, ada);
    let mut filters = vec![];
    for number in 0..9 {
        let filter = format!("$share/{number}/t/#");
        kept.send(1, subscribe(1, &[(&filter, AtLeastOnce)]));
        filters.push(filter);
    }
    for alias in 1..=64 {
        kept.send(1, set_alias(alias, 57));
    }
    kept.send(1, subscribe(1, &[("#", AtMostOnce)]));
    for alias in 1..=64 {
        kept.send(1, publish(&format!("{alias}/{}", "y".repeat(57)), "x", AtMostOnce, 0));
    }
    println!("with all aliases: {} of {}", kept.largest, longest(&kept.config));
    assert!(kept.largest > 128_000 && kept.largest <= longest(&kept.config), "{}", kept.largest);
    kept.bytes(1, large((1 << 20) - 9).slice(..1 << 19));
    assert!(kept.largest <= longest(&kept.config), "{}", kept.largest);
    // The largest packet, to the longest topic: an alias alone.
    let mut kept = Kept::new(Config { durability: Durability::Sessions, ..config() });
    let mut sent = message(long("t/").as_str(), "");
    sent.properties.topic_alias = NonZeroU16::new(1);
    kept.connect(2, connect("bob"));
    kept.send(2, Packet::Publish(sent.clone()));
    sent.topic = text("");
    (sent.qos, sent.packet_id, sent.retain) = (AtLeastOnce, PacketId::new(1), true);
    sent.payload = vec![0; kept.config.maximum_packet_size as usize - 12].into();
    assert_eq!(last_reason(&kept.send(2, Packet::Publish(sent))), None);
    println!("with the largest packet: {} of {}", kept.largest, longest(&kept.config));
    assert!(kept.largest > (1 << 20) + 65_000 && kept.largest <= longest(&kept.config), "{}", kept.largest);
    // Where packets are small, it is what connections agreed on.
    let mut kept = Kept::new(Config { maximum_packet_size: 130_000, ..config() });
    let properties = ConnectProperties { topic_alias_maximum: Some(64), ..Default::default() };
    kept.connect(
        1,
        Connect {
            client_id: text(&"c".repeat(60_000)),
            user_name: Some(text(&"u".repeat(60_000))),
            properties,
            ..connect("")
        },
    );
    (1..=64).for_each(|alias| _ = kept.send(1, set_alias(alias, 57)));
    kept.send(1, subscribe(1, &[("#", AtMostOnce)]));
    for alias in 1..=64 {
        kept.send(1, publish(&format!("{alias}/{}", "y".repeat(57)), "x", AtMostOnce, 0));
    }
    println!("with small packets: {} of {}", kept.largest, longest(&kept.config));
    assert!(kept.largest > 128_000 && kept.largest <= longest(&kept.config), "{}", kept.largest);
}
