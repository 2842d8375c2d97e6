//! What outlives the broker: a crash that every connection is lost in, and a sleep that they stay open through.

use crate::harness::*;
use mqlite::{
    broker::{Action, Authentication, Broker, Config, Durability, Grant, Grants, Input, Verdict},
    codec::{
        Connect, ConnectProperties, Packet, ProtocolVersion, Publish, PublishProperties, ReasonCode, RetainHandling,
        Will, WillProperties,
    },
    time::Timestamp,
};

fn durable(version: ProtocolVersion) -> Trace {
    Trace::with(version, Config { durability: Durability::Connections, ..Default::default() })
}

/// What one script says holds after a crash as well as after a sleep.
fn either(script: impl Fn(&mut Trace, fn(&mut Trace))) {
    fn crash(trace: &mut Trace) {
        trace.crash();
    }
    fn sleep(trace: &mut Trace) {
        trace.sleep();
        trace.cut("ada");
        trace.cut("bob");
    }
    both(|version| {
        script(&mut durable(version), crash);
        script(&mut durable(version), sleep);
    });
}

#[test]
fn a_clean_session_with_messages_of_qos_0_writes_nothing() {
    for durability in [Durability::Sessions, Durability::Connections] {
        both(|version| {
            let mut trace = Trace::with(version, Config { durability, ..Default::default() });
            trace.connect("ada");
            trace.subscribe("ada", "t", AtLeastOnce);
            trace.send("ada", publish("t", "x", AtMostOnce, 0));
            trace.expect("ada", publish("t", "x", AtMostOnce, 0));
            trace.leave("ada");
            assert_eq!(trace.writes(), Default::default());
        });
    }
}

#[test]
fn each_member_of_a_share_has_a_turn_although_the_broker_sleeps_between_any_two_messages() {
    let mut trace = durable(V5);
    let names = ["ada", "bob", "dan"];
    for name in names {
        trace.connect(name);
        trace.subscribe(name, "$share/g/t", AtMostOnce);
    }
    trace.connect("eve");
    let mut turns = [0; 3];
    for _ in 0..30 {
        trace.sleep();
        trace.send("eve", publish("t", "x", AtMostOnce, 0));
        for (name, turns) in names.iter().zip(&mut turns) {
            *turns += trace.count(name);
        }
    }
    assert_eq!(turns.iter().sum::<usize>(), 30);
    assert!(turns.iter().all(|turns| *turns > 3), "{turns:?}");
}

#[test]
fn a_broker_without_durability_writes_nothing() {
    let mut trace = Trace::new(V5);
    trace.resume("ada");
    trace.subscribe("ada", "t", ExactlyOnce);
    trace.send("ada", publish("t", "x", ExactlyOnce, 1));
    trace.send("ada", retained("t", "x"));
    assert_eq!(trace.writes(), Default::default());
}

#[test]
fn a_message_is_written_once_and_is_gone_when_all_have_acknowledged_it() {
    let mut trace = durable(V5);
    for name in ["ada", "bob"] {
        trace.resume(name);
        trace.subscribe(name, "t", AtLeastOnce);
    }
    trace.connect("eve");
    trace.writes();
    trace.send("eve", publish("t", "x", AtLeastOnce, 1));
    assert_eq!(trace.writes(), ("moo".into(), String::new()));
    trace.send("ada", puback(1, ReasonCode::Success));
    assert_eq!(trace.writes(), (String::new(), "o".into()));
    trace.send("bob", puback(1, ReasonCode::Success));
    assert_eq!(trace.writes(), (String::new(), "mo".into()));
}

#[test]
fn a_message_for_many_who_are_absent_is_one_record_and_a_small_one_for_each() {
    let mut trace = durable(V5);
    for name in ["ada", "bob", "dan"] {
        trace.resume(name);
        trace.subscribe(name, "t", AtLeastOnce);
        trace.leave(name);
    }
    trace.connect("eve");
    trace.writes();
    trace.send("eve", publish("t", "x", AtLeastOnce, 1));
    assert_eq!(trace.writes(), ("mqqq".into(), String::new()));
}

#[test]
fn a_qos_2_message_is_remembered_until_it_is_released_on_both_sides() {
    let mut trace = durable(V5);
    trace.resume("ada");
    trace.subscribe("ada", "t", ExactlyOnce);
    trace.writes();
    trace.send("ada", publish("t", "x", ExactlyOnce, 7));
    assert_eq!(trace.writes(), ("imo".into(), String::new()));
    trace.send("ada", pubrel(7, ReasonCode::Success));
    assert_eq!(trace.writes(), (String::new(), "i".into()));
    trace.send("ada", pubrec(1, ReasonCode::Success));
    assert_eq!(trace.writes(), ("o".into(), "m".into()));
    trace.send("ada", pubcomp(1, ReasonCode::Success));
    assert_eq!(trace.writes(), (String::new(), "o".into()));
}

#[test]
fn an_identifier_that_was_left_to_qos_2_and_is_used_for_qos_1_leaves_no_record() {
    let mut trace = durable(V5);
    trace.resume("ada");
    trace.send("ada", publish("t", "x", ExactlyOnce, 7));
    trace.cut("ada");
    trace.resume("ada");
    trace.writes();
    trace.send("ada", publish("t", "x", AtLeastOnce, 7));
    assert_eq!(trace.writes(), (String::new(), "i".into()));
}

#[test]
fn the_end_of_a_session_leaves_no_record() {
    both(|version| {
        let mut trace = durable(version);
        trace.connect_with("ada", Connect { clean_start: false, will: Some(will("w", "x")), ..resumable("ada") });
        trace.send("ada", subscribe(1, &[("t", ExactlyOnce), ("u/#", AtLeastOnce)]));
        for packet_id in 1..=300 {
            trace.send("ada", publish("t", "x", ExactlyOnce, packet_id));
            trace.send("ada", publish("t", "x", AtLeastOnce, 1_000));
        }
        trace.send("ada", pubrec(1, ReasonCode::Success));
        trace.cut("ada");
        assert!(trace.stored() > 600, "{}", trace.stored());
        trace.connect("ada");
        assert_eq!(trace.stored(), 0);
    });
}

fn resumable(name: &str) -> Connect {
    let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
    Connect { clean_start: false, properties, ..connect(name) }
}

#[test]
fn subscriptions_and_waiting_messages_come_back_in_order() {
    either(|trace, restart| {
        trace.resume("ada");
        trace.subscribe("ada", "t", AtLeastOnce);
        trace.subscribe("ada", "u", ExactlyOnce);
        trace.leave("ada");
        trace.connect("bob");
        trace.send("bob", publish("t", "1", AtLeastOnce, 1));
        trace.send("bob", publish("u", "2", ExactlyOnce, 2));
        trace.send("bob", publish("t", "3", AtLeastOnce, 3));
        restart(trace);
        assert!(trace.resume("ada"));
        trace.expect("ada", publish("t", "1", AtLeastOnce, 1));
        trace.expect("ada", publish("u", "2", ExactlyOnce, 2));
        trace.expect("ada", publish("t", "3", AtLeastOnce, 3));
        trace.send("ada", publish("t", "4", AtMostOnce, 0));
        trace.expect("ada", publish("t", "4", AtMostOnce, 0));
    });
}

/// [MQTT-3.3.2-18]
#[test]
fn properties_come_back_unaltered_with_what_waits_and_what_is_retained() {
    let mut trace = durable(V5);
    trace.resume("bob");
    trace.subscribe("bob", "t", AtLeastOnce);
    trace.leave("bob");
    let sent = Publish { retain: true, properties: all_properties(), ..retained_at_least_once("t") };
    let will = Will { topic: text("t"), properties: will_properties(), ..will("t", "will") };
    trace.connect_with("ada", Connect { will: Some(will), ..connect("ada") });
    trace.send("ada", Packet::Publish(sent.clone()));
    trace.crash();
    trace.resume("bob");
    trace.expect("bob", Packet::Publish(Publish { retain: false, ..sent.clone() }));
    let will = Publish { qos: AtMostOnce, packet_id: None, retain: false, payload: "will".into(), ..sent.clone() };
    trace.connect("eve");
    trace.subscribe("eve", "t", AtLeastOnce);
    trace.expect("eve", Packet::Publish(sent));
    trace.connect_with(
        "ada",
        Connect { will: Some(Will { properties: will_properties(), ..self::will("t", "will") }), ..connect("ada") },
    );
    trace.sleep();
    trace.cut("ada");
    trace.expect("eve", Packet::Publish(will));
}

fn will_properties() -> WillProperties {
    let all = all_properties();
    WillProperties {
        payload_format_indicator: all.payload_format_indicator,
        response_topic: all.response_topic,
        correlation_data: all.correlation_data,
        user_properties: all.user_properties,
        content_type: all.content_type,
        ..Default::default()
    }
}

/// [MQTT-4.4.0-1]
#[test]
fn what_was_in_flight_is_sent_again_in_its_step() {
    either(|trace, restart| {
        trace.connect("bob");
        trace.resume("ada");
        trace.subscribe("ada", "t", ExactlyOnce);
        trace.send("ada", publish("t", "1", ExactlyOnce, 1));
        trace.send("ada", publish("t", "2", ExactlyOnce, 2));
        trace.send("ada", publish("t", "3", AtLeastOnce, 3));
        trace.send("ada", pubrec(1, ReasonCode::Success));
        restart(trace);
        assert!(trace.resume("ada"));
        trace.expect("ada", pubrel(1, ReasonCode::Success));
        trace.expect("ada", again("t", "2", ExactlyOnce, 2));
        trace.expect("ada", again("t", "3", AtLeastOnce, 3));
        trace.expect_nothing("ada");
    });
}

fn again(topic: &str, payload: &'static str, qos: mqlite::codec::QoS, packet_id: u16) -> Packet {
    let packet_id = mqlite::codec::PacketId::new(packet_id);
    Packet::Publish(Publish { qos, packet_id, dup: true, ..message(topic, payload) })
}

/// [MQTT-4.3.3-10]
#[test]
fn a_qos_2_message_that_was_received_is_a_duplicate_afterwards() {
    either(|trace, restart| {
        trace.resume("ada");
        trace.resume("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.send("ada", publish("t", "x", ExactlyOnce, 7));
        trace.expect("ada", pubrec(7, ReasonCode::Success));
        restart(trace);
        trace.resume("ada");
        trace.resume("bob");
        trace.send("ada", again("t", "x", ExactlyOnce, 7));
        trace.expect("ada", pubrec(7, ReasonCode::Success));
        trace.expect_nothing("bob");
        trace.send("ada", pubrel(7, ReasonCode::Success));
        trace.expect("ada", pubcomp(7, ReasonCode::Success));
        assert_eq!(trace.statistics().messages_stored, 0);
    });
}

#[test]
fn retained_messages_come_back_with_what_is_left_of_their_time() {
    let mut trace = durable(V5);
    trace.connect("ada");
    let properties = PublishProperties { message_expiry_interval: Some(10), ..Default::default() };
    trace.send("ada", Packet::Publish(Publish { retain: true, properties, ..message("a", "x") }));
    trace.send("ada", retained("b", "old"));
    trace.send("ada", retained("b", "y"));
    trace.send("ada", retained("c", "z"));
    trace.send("ada", retained("c", ""));
    trace.wait_secs(4);
    trace.crash();
    assert_eq!(trace.stored(), 2);
    trace.connect("ada");
    trace.subscribe("ada", "#", AtMostOnce);
    assert_eq!(trace.hear_publish("ada").properties.message_expiry_interval, Some(6));
    trace.expect("ada", retained("b", "y"));
    trace.expect_nothing("ada");
    trace.wait_secs(6);
    assert_eq!(trace.stored(), 1);
}

/// [MQTT-3.1.2-8] [MQTT-3.1.3-9]
#[test]
fn a_crash_publishes_the_wills_of_those_who_were_connected_after_their_delay() {
    let mut trace = durable(V5);
    trace.resume("bob");
    trace.subscribe("bob", "w", AtLeastOnce);
    trace.leave("bob");
    let properties = WillProperties { will_delay_interval: Some(10), ..Default::default() };
    trace.connect_with(
        "ada",
        Connect { will: Some(Will { properties, qos: AtLeastOnce, ..will("w", "late") }), ..resumable("ada") },
    );
    trace.connect_with("dan", Connect { will: Some(Will { qos: AtLeastOnce, ..will("w", "now") }), ..connect("dan") });
    trace.crash();
    trace.resume("bob");
    trace.expect("bob", publish("w", "now", AtLeastOnce, 1));
    trace.send("bob", puback(1, ReasonCode::Success));
    trace.wait_secs(9);
    trace.crash();
    trace.resume("bob");
    trace.expect_nothing("bob");
    trace.wait_secs(1);
    trace.expect("bob", publish("w", "late", AtLeastOnce, 1));
}

#[test]
fn a_session_ends_on_time_however_often_the_broker_does() {
    let mut trace = durable(V5);
    let properties = ConnectProperties { session_expiry_interval: Some(10), ..Default::default() };
    trace.connect_with("ada", Connect { properties, ..resumable("ada") });
    trace.crash();
    trace.wait_secs(9);
    trace.crash();
    assert_eq!(trace.statistics().sessions, 1);
    trace.wait_secs(1);
    assert_eq!(trace.statistics().sessions, 0);
    assert_eq!(trace.stored(), 0);
}

#[test]
fn a_sleep_is_not_noticed_by_those_who_are_connected() {
    both(|version| {
        let mut trace = durable(version);
        trace.connect("ada");
        trace.resume("bob");
        for name in ["ada", "bob"] {
            trace.subscribe(name, "t", AtLeastOnce);
        }
        trace.send("ada", publish("t", "1", AtLeastOnce, 1));
        for name in ["bob", "ada"] {
            trace.expect(name, publish("t", "1", AtLeastOnce, 1));
        }
        trace.expect("ada", puback(1, ReasonCode::Success));
        trace.sleep();
        trace.expect_nothing("ada");
        trace.expect_nothing("bob");
        trace.send("bob", puback(1, ReasonCode::Success));
        trace.send("ada", puback(1, ReasonCode::Success));
        trace.send("bob", publish("t", "2", AtMostOnce, 0));
        trace.expect("ada", publish("t", "2", AtMostOnce, 0));
        assert_eq!(trace.statistics().messages_stored, 0);
    });
}

#[test]
fn a_packet_that_came_in_part_before_a_sleep_is_whole_afterwards() {
    both(|version| {
        let mut trace = durable(version);
        trace.open("ada");
        let bytes = encoded(version, Packet::Connect(Box::new(Connect { version, ..connect("ada") })));
        let (head, tail) = bytes.split_at(9);
        trace.send_bytes("ada", head.to_vec());
        trace.sleep();
        trace.send_bytes("ada", tail.to_vec());
        assert!(matches!(trace.hear("ada"), Packet::ConnAck(_)));
        trace.send_bytes("ada", vec![0xC0]);
        trace.sleep();
        trace.send_bytes("ada", vec![0x00]);
        trace.expect("ada", Packet::PingResp);
    });
}

fn encoded(version: ProtocolVersion, packet: Packet) -> Vec<u8> {
    let mut bytes = bytes::BytesMut::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes.to_vec()
}

/// A packet of which more came than a socket can carry along.
#[test]
fn a_large_packet_that_came_in_part_is_stored_until_it_is_whole() {
    let mut trace = durable(V5);
    trace.connect("ada");
    trace.subscribe("ada", "t", AtMostOnce);
    let payload = "x".repeat(50_000);
    let packet = Packet::Publish(Publish { payload: payload.clone().into(), ..message("t", "") });
    let bytes = encoded(V5, packet);
    for (part, records) in [(&bytes[..20_000], 1), (&bytes[20_000..40_000], 3)] {
        trace.send_bytes("ada", part.to_vec());
        assert_eq!(trace.stored(), records);
        trace.sleep();
    }
    trace.send_bytes("ada", bytes[40_000..].to_vec());
    assert_eq!(trace.hear_publish("ada").payload, payload);
    assert_eq!(trace.stored(), 0);
}

/// (3.3.2.3.4)
#[test]
fn topic_aliases_live_as_long_as_their_connection() {
    let mut trace = durable(V5);
    let properties = ConnectProperties { topic_alias_maximum: Some(1), ..Default::default() };
    trace.connect_with("ada", Connect { properties, ..connect("ada") });
    trace.subscribe("ada", "t", AtMostOnce);
    let alias = PublishProperties { topic_alias: std::num::NonZeroU16::new(1), ..Default::default() };
    trace.send("ada", Packet::Publish(Publish { properties: alias.clone(), ..message("t", "x") }));
    assert_eq!(trace.hear_publish("ada").topic.as_str(), "t");
    trace.sleep();
    trace.send("ada", Packet::Publish(Publish { properties: alias.clone(), ..message("", "y") }));
    let heard = trace.hear_publish("ada");
    assert_eq!((heard.topic.as_str(), heard.properties.topic_alias), ("", alias.topic_alias));
    assert_eq!(heard.payload, "y");
}

/// [MQTT-4.9.0-2]
#[test]
fn a_sleep_gives_back_nothing_of_receive_maximum() {
    let mut trace = durable(V5);
    let properties = ConnectProperties { receive_maximum: std::num::NonZeroU16::new(2), ..Default::default() };
    trace.connect_with("ada", Connect { properties, ..connect("ada") });
    trace.subscribe("ada", "t", AtLeastOnce);
    for payload in ["1", "2", "3"] {
        trace.send("ada", publish("t", payload, AtLeastOnce, 9));
    }
    trace.expect("ada", publish("t", "1", AtLeastOnce, 1));
    trace.expect("ada", puback(9, ReasonCode::Success));
    trace.expect("ada", publish("t", "2", AtLeastOnce, 2));
    trace.expect("ada", puback(9, ReasonCode::Success));
    trace.expect("ada", puback(9, ReasonCode::Success));
    trace.sleep();
    trace.expect_nothing("ada");
    trace.send("ada", puback(1, ReasonCode::Success));
    trace.expect("ada", publish("t", "3", AtLeastOnce, 1));
    trace.expect_nothing("ada");
}

/// Retained messages that wait for room in flight.
#[test]
fn what_is_retained_still_follows_after_a_sleep() {
    let mut trace = durable(V5);
    trace.connect("bob");
    for topic in ["r/1", "r/2", "r/3"] {
        trace.send("bob", Packet::Publish(Publish { retain: true, ..retained_at_least_once(topic) }));
    }
    let properties = ConnectProperties { receive_maximum: std::num::NonZeroU16::new(1), ..Default::default() };
    trace.connect_with("ada", Connect { properties, ..connect("ada") });
    trace.send("ada", subscribe_with(1, &[("r/#", options(AtLeastOnce, RetainHandling::Send))], Default::default()));
    trace.expect("ada", suback(1, &[ReasonCode::GrantedQoS1]));
    for topic in ["r/1", "r/2", "r/3"] {
        assert_eq!(trace.hear_publish("ada").topic.as_str(), topic);
        trace.sleep();
        trace.expect_nothing("ada");
        trace.send("ada", puback(1, ReasonCode::Success));
    }
    trace.expect_nothing("ada");
    assert_eq!(trace.stored(), 5, "three retained messages, ada's session and her subscription");
}

fn retained_at_least_once(topic: &str) -> Publish {
    Publish { qos: AtLeastOnce, packet_id: mqlite::codec::PacketId::new(1), ..message(topic, "x") }
}

#[test]
fn rights_outlive_a_sleep() {
    let config =
        Config { authentication: Authentication::Ask, durability: Durability::Connections, ..Default::default() };
    let mut trace = Trace::with(V5, config);
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
    let rule = Grant { filter: text("c/%c"), maximum_qos: AtLeastOnce, retain: false, ..Default::default() };
    trace.answer(Verdict::allow(Grants::of(vec![rule])));
    assert!(matches!(trace.hear("ada"), Packet::ConnAck(_)));
    trace.sleep();
    trace.send("ada", subscribe(1, &[("c/ada", ExactlyOnce), ("c/bob", AtMostOnce)]));
    trace.expect("ada", suback(1, &[ReasonCode::GrantedQoS1, ReasonCode::NotAuthorized]));
    trace.send("ada", publish("c/bob", "x", AtLeastOnce, 1));
    trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
}

#[test]
fn a_client_whose_question_a_sleep_lost_is_told_to_come_again() {
    let config =
        Config { authentication: Authentication::Ask, durability: Durability::Connections, ..Default::default() };
    let mut trace = Trace::with(V5, config);
    trace.open("ada");
    trace.send("ada", Packet::Connect(Box::new(connect("ada"))));
    trace.sleep();
    match trace.hear("ada") {
        Packet::ConnAck(connack) => assert_eq!(connack.reason, ReasonCode::ServerBusy),
        other => panic!("{other:?}"),
    }
    trace.expect_closed("ada", ReasonCode::ServerBusy);
}

#[test]
fn a_connection_that_is_resumed_too_late_or_with_a_state_that_is_none_is_closed() {
    let mut trace = durable(V5);
    trace.resume("ada");
    let (connection, state) = trace.remembered("ada");
    for (late, state) in [(true, state), (false, "\x01".into()), (false, vec![0; 9].into())] {
        let mut broker = Broker::restore(Config::default(), [9; 32], trace.records()).broker;
        if late {
            broker.handle(Timestamp(0), Input::Timeout).for_each(drop);
        }
        let actions: Vec<_> = broker.handle(Timestamp(0), Input::Resumed { connection, state }).collect();
        assert!(matches!(actions[..], [Action::Close { .. }, Action::Report(_)]), "{actions:?}");
    }
}

#[test]
fn records_that_are_not_sound_are_named_and_the_rest_is_kept() {
    let mut trace = durable(V5);
    trace.resume("ada");
    trace.subscribe("ada", "t", AtLeastOnce);
    trace.leave("ada");
    trace.connect("bob");
    trace.send("bob", publish("t", "1", AtLeastOnce, 1));
    trace.send("bob", publish("t", "2", AtLeastOnce, 2));
    let records = trace.records();
    for key in records.keys().filter(|key| key[0] != b's') {
        for value in ["", "\x09", "\x01\x01"] {
            let mut records = records.clone();
            records.insert(key.clone(), value.into());
            let restored = Broker::restore(Config::default(), [9; 32], records);
            assert!(restored.rejected.iter().any(|error| error.key == *key), "{key:?}");
            assert_eq!(restored.broker.statistics().sessions, 1);
        }
    }
}

/// [MQTT-3.1.2-22]
#[test]
fn a_broker_that_sleeps_gives_silence_no_more_time() {
    both(|version| {
        let mut trace = durable(version);
        trace.connect_with("ada", Connect { keep_alive: 16, ..connect("ada") });
        for _ in 0..10 {
            trace.sleep();
            trace.wait_secs(15);
            trace.sleep();
            trace.send("ada", Packet::PingReq);
            trace.expect("ada", Packet::PingResp);
        }
        for _ in 0..22 {
            trace.sleep();
            trace.wait_secs(1);
            trace.expect_nothing("ada");
        }
        trace.sleep();
        trace.wait_secs(2);
        trace.expect_thrown_out("ada", ReasonCode::KeepAliveTimeout);
    });
}

#[test]
fn sys_topics_come_in_their_interval_although_the_broker_sleeps() {
    let mut trace = durable(V5);
    trace.connect("ada");
    trace.subscribe("ada", "$SYS/broker/uptime", AtMostOnce);
    trace.hear_publish("ada");
    for _ in 0..3 {
        for _ in 0..9 {
            trace.sleep();
            trace.wait_secs(1);
            trace.expect_nothing("ada");
        }
        trace.sleep();
        trace.wait_secs(1);
        trace.hear_publish("ada");
    }
}
