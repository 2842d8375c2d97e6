//! Where rules meet: what is in flight when a connection, a session or a subscription changes.

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{
        Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet, Publish, PublishProperties, QoS,
        ReasonCode, SubscribeProperties, SubscriptionOptions, Will, WillProperties,
    },
};
use std::num::{NonZeroU16, NonZeroU32};

/// A session of `seconds`, which in 3.1.1 lasts for good.
fn lasting(client_id: &str, seconds: u32) -> Connect {
    let properties = ConnectProperties { session_expiry_interval: Some(seconds), ..Default::default() };
    Connect { clean_start: false, properties, ..connect(client_id) }
}

fn again(topic: &str, payload: &'static str, qos: QoS, packet_id: u16) -> Packet {
    Packet::Publish(Publish { dup: true, qos, packet_id: Some(id(packet_id)), ..message(topic, payload) })
}

/// `name` publishes, and is answered.
fn tell(trace: &mut Trace, name: &'static str, topic: &str, payload: &'static str, qos: QoS) {
    trace.send(name, publish(topic, payload, qos, 1));
    match qos {
        AtMostOnce => {}
        AtLeastOnce => trace.expect(name, puback(1, ReasonCode::Success)),
        ExactlyOnce => {
            trace.expect(name, pubrec(1, ReasonCode::Success));
            trace.send(name, pubrel(1, ReasonCode::Success));
            trace.expect(name, pubcomp(1, ReasonCode::Success));
        }
    }
}

/// [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-4.13.1-1] [3.1.1 MQTT-3.1.2-8]
#[test]
fn whoever_is_thrown_out_leaves_a_will() {
    both(|version| {
        let offences: &[(&'static [u8], ReasonCode)] = &[
            (b"\x00\x00", ReasonCode::MalformedPacket),
            (b"\x30\xff\xff\xff\x7f", ReasonCode::PacketTooLarge),
            (b"\x10\x00", ReasonCode::ProtocolError),
            (b"\xd0\x00", ReasonCode::ProtocolError),
            (b"\xe1\x00", ReasonCode::MalformedPacket),
        ];
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "will", AtMostOnce);
        for (bytes, reason) in offences {
            let will = Will { qos: AtLeastOnce, retain: true, ..will("will", "gone") };
            trace.connect_with("ada", Connect { will: Some(will), ..connect("ada") });
            trace.send_bytes("ada", *bytes);
            trace.expect_thrown_out("ada", *reason);
            trace.expect("bob", publish("will", "gone", AtMostOnce, 0));
        }
        trace.connect("eve");
        trace.subscribe("eve", "will", AtMostOnce);
        trace.expect("eve", retained("will", "gone"));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-3.1.3-9]
#[test]
fn a_delayed_will_of_whoever_is_thrown_out_waits_for_its_return() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "will", AtMostOnce);
    let properties = WillProperties { will_delay_interval: Some(10), ..Default::default() };
    let will = Will { properties, ..will("will", "gone") };
    for returns_after in [9, 11] {
        trace.connect_with("ada", Connect { will: Some(will.clone()), ..lasting("ada", 60) });
        trace.send_bytes("ada", &b"\xd0\x00"[..]);
        trace.expect_thrown_out("ada", ReasonCode::ProtocolError);
        trace.wait_secs(returns_after);
        assert!(trace.connect_with("ada", lasting("ada", 60)));
        if returns_after == 11 {
            trace.expect("bob", publish("will", "gone", AtMostOnce, 0));
        }
        trace.expect_nothing("bob");
    }
}

/// `new` takes over the session of `old`, which they share under one Client Identifier.
fn take_over(trace: &mut Trace, old: &'static str, new: &'static str) {
    assert!(trace.connect_with(new, lasting("shared", 3_600)));
    trace.expect_thrown_out(old, ReasonCode::SessionTakenOver);
}

/// [MQTT-3.1.4-3] [MQTT-4.4.0-1] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-3.3.1-1]
#[test]
fn a_takeover_continues_the_qos_2_handshake_that_the_broker_began() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.connect_with("before PUBREC", lasting("shared", 3_600));
        trace.subscribe("before PUBREC", "t", ExactlyOnce);
        tell(&mut trace, "ada", "t", "x", ExactlyOnce);
        trace.expect("before PUBREC", publish("t", "x", ExactlyOnce, 1));

        take_over(&mut trace, "before PUBREC", "before PUBCOMP");
        trace.expect("before PUBCOMP", again("t", "x", ExactlyOnce, 1));
        trace.send("before PUBCOMP", pubrec(1, ReasonCode::Success));
        trace.expect("before PUBCOMP", pubrel(1, ReasonCode::Success));

        take_over(&mut trace, "before PUBCOMP", "after PUBCOMP");
        trace.expect("after PUBCOMP", pubrel(1, ReasonCode::Success));
        trace.send("after PUBCOMP", pubcomp(1, ReasonCode::Success));

        take_over(&mut trace, "after PUBCOMP", "at last");
        trace.expect_nothing("at last");
    });
}

/// [MQTT-3.1.4-3] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12]
#[test]
fn a_takeover_continues_the_qos_2_handshake_that_the_client_began() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect_with("before PUBREL", lasting("shared", 3_600));
        trace.send("before PUBREL", publish("t", "x", ExactlyOnce, 1));
        trace.expect("before PUBREL", pubrec(1, ReasonCode::Success));

        take_over(&mut trace, "before PUBREL", "before PUBCOMP");
        trace.send("before PUBCOMP", again("t", "x", ExactlyOnce, 1));
        trace.expect("before PUBCOMP", pubrec(1, ReasonCode::Success));
        trace.send("before PUBCOMP", pubrel(1, ReasonCode::Success));
        trace.expect("before PUBCOMP", pubcomp(1, ReasonCode::Success));

        take_over(&mut trace, "before PUBCOMP", "after PUBCOMP");
        trace.send("after PUBCOMP", pubrel(1, ReasonCode::Success));
        trace.expect("after PUBCOMP", pubcomp(1, ReasonCode::PacketIdentifierNotFound));
        trace.expect("bob", publish("t", "x", AtMostOnce, 0));
        trace.expect_nothing("bob");
        trace.send("after PUBCOMP", publish("t", "another", ExactlyOnce, 1));
        trace.expect("bob", publish("t", "another", AtMostOnce, 0));
    });
}

/// [MQTT-3.1.2-4]
#[test]
fn a_takeover_with_a_clean_start_begins_anew() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect_with("old", lasting("shared", 3_600));
        trace.subscribe("old", "mine", ExactlyOnce);
        tell(&mut trace, "bob", "mine", "x", ExactlyOnce);
        trace.expect("old", publish("mine", "x", ExactlyOnce, 1));
        trace.send("old", publish("t", "first", ExactlyOnce, 1));
        trace.expect("old", pubrec(1, ReasonCode::Success));

        assert!(!trace.connect_with("new", connect("shared")));
        trace.expect_thrown_out("old", ReasonCode::SessionTakenOver);
        trace.send("new", publish("t", "second", ExactlyOnce, 1));
        trace.expect("new", pubrec(1, ReasonCode::Success));
        trace.expect("bob", publish("t", "first", AtMostOnce, 0));
        trace.expect("bob", publish("t", "second", AtMostOnce, 0));
        trace.expect_nothing("new");
    });
}

fn leave_with_expiry(trace: &mut Trace, seconds: u32) {
    let properties = DisconnectProperties { session_expiry_interval: Some(seconds), ..Default::default() };
    trace.send("ada", Packet::Disconnect(Disconnect { reason: ReasonCode::Success, properties }));
}

/// 3.14.2.2.2 [MQTT-3.1.2-23] [MQTT-4.1.0-2]
#[test]
fn disconnect_may_change_when_the_session_expires() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    // At CONNECT, at DISCONNECT, and how long the session is there.
    for (first, then, lasts) in [(10, 0, 0_u32), (10, 3, 3), (10, 100, 100), (u32::MAX, 3, 3)] {
        for (waits, is_there) in [(lasts.max(1) - 1, lasts > 0), (lasts, false)] {
            trace.connect_with("ada", Connect { clean_start: true, ..lasting("ada", first) });
            trace.subscribe("ada", "t", AtLeastOnce);
            leave_with_expiry(&mut trace, then);
            trace.expect_closed("ada", ReasonCode::Success);
            trace.send("bob", publish("t", "x", AtLeastOnce, 1));
            let nobody = if lasts == 0 { ReasonCode::NoMatchingSubscribers } else { ReasonCode::Success };
            trace.expect("bob", puback(1, nobody));
            trace.wait_secs(waits.into());
            assert_eq!(trace.connect_with("ada", lasting("ada", 0)), is_there, "{first}, {then}, after {waits} s");
            if is_there {
                trace.expect("ada", publish("t", "x", AtLeastOnce, 1));
            }
            trace.expect_nothing("ada");
        }
    }
}

/// 3.14.2.2.2: such a packet is no DISCONNECT, so the will is published.
#[test]
fn disconnect_may_not_give_a_session_of_0_an_expiry() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "will", AtMostOnce);
    for seconds in [1, u32::MAX] {
        trace.connect_with("ada", Connect { will: Some(will("will", "gone")), ..lasting("ada", 0) });
        leave_with_expiry(&mut trace, seconds);
        trace.expect_thrown_out("ada", ReasonCode::ProtocolError);
        trace.expect("bob", publish("will", "gone", AtMostOnce, 0));
        assert!(!trace.connect_with("ada", lasting("ada", 0)), "the session ended with its connection");
        leave_with_expiry(&mut trace, 0);
        trace.expect_closed("ada", ReasonCode::Success);
    }
}

/// [MQTT-3.3.2-6] [MQTT-3.3.2-5] 3.3.1.3
#[test]
fn a_retained_message_tells_each_subscriber_what_is_left_of_its_life_and_then_is_gone() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    let properties = PublishProperties { message_expiry_interval: Some(10), ..Default::default() };
    trace.send("ada", Packet::Publish(Publish { retain: true, properties, ..message("t", "x") }));
    for left in [10, 6, 2] {
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        let heard = trace.hear_publish("bob");
        assert_eq!((heard.retain, heard.properties.message_expiry_interval), (true, Some(left)));
        trace.leave("bob");
        trace.wait_secs(4);
    }
    trace.connect("bob");
    trace.subscribe("bob", "t", AtMostOnce);
    trace.expect_nothing("bob");
    assert_eq!(trace.statistics().retained_messages, 0);
}

/// [MQTT-3.3.2-5]: to a client of 3.1.1 no time is told, but it passes.
#[test]
fn a_retained_message_that_waits_for_its_turn_ages_on() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    for (topic, seconds) in [("t/1", 100), ("t/2", 5), ("t/3", 100)] {
        let properties = PublishProperties { message_expiry_interval: Some(seconds), ..Default::default() };
        let kept =
            Publish { retain: true, qos: AtLeastOnce, packet_id: Some(id(1)), properties, ..message(topic, "x") };
        trace.send("ada", Packet::Publish(kept));
    }
    trace.connect_with("bob", one_in_flight("bob"));
    trace.subscribe("bob", "t/+", AtLeastOnce);
    assert_eq!(trace.hear_publish("bob").topic, text("t/1"));
    trace.wait_secs(5);
    trace.send("bob", puback(1, ReasonCode::Success));
    let heard = trace.hear_publish("bob");
    assert_eq!((heard.topic, heard.properties.message_expiry_interval), (text("t/3"), Some(95)));
    trace.open_as("eve", V3_1_1);
    trace.send("eve", Packet::Connect(Box::new(connect("eve"))));
    trace.hear("eve");
    trace.subscribe("eve", "t/+", AtMostOnce);
    trace.expect("eve", retained("t/1", "x"));
    trace.expect("eve", retained("t/3", "x"));
    trace.expect_nothing("eve");
}

fn one_in_flight(client_id: &str) -> Connect {
    let properties = ConnectProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
    Connect { properties, ..connect(client_id) }
}

/// [MQTT-4.8.2-4] [MQTT-4.8.2-5] [MQTT-3.3.1-3]: however the session ends, and in the order of publishing.
#[test]
fn what_a_member_of_a_share_did_not_finish_goes_to_another_when_its_session_ends() {
    both(|version| {
        let endings: [fn(&mut Trace); 4] = [
            |trace| trace.leave("a"),
            |trace| trace.cut("a"),
            |trace| trace.send_bytes("a", &b"\xd0\x00"[..]),
            |trace| trace.connect("a"),
        ];
        for end in endings {
            let mut trace = Trace::new(version);
            trace.connect("ada");
            trace.connect("a");
            trace.subscribe("a", "$share/g/t", ExactlyOnce);
            for (payload, qos) in [("1", AtLeastOnce), ("2", ExactlyOnce), ("3", AtLeastOnce), ("4", AtLeastOnce)] {
                tell(&mut trace, "ada", "t", payload, qos);
                assert_eq!(trace.hear_publish("a").payload, payload);
            }
            trace.send("a", puback(3, ReasonCode::Success));
            trace.connect("b");
            trace.subscribe("b", "$share/g/t", ExactlyOnce);
            end(&mut trace);
            trace.expect("b", publish("t", "1", AtLeastOnce, 1));
            trace.expect("b", publish("t", "4", AtLeastOnce, 2));
            trace.expect_nothing("b");
        }
    });
}

/// [MQTT-4.8.2-4] [MQTT-3.10.4-3]
#[test]
fn what_a_member_of_a_share_began_stays_with_it_while_its_session_lasts() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.resume("a");
        trace.subscribe("a", "$share/g/t", ExactlyOnce);
        tell(&mut trace, "ada", "t", "1", AtLeastOnce);
        tell(&mut trace, "ada", "t", "2", ExactlyOnce);
        assert_eq!(trace.hear_publish("a").payload, "1");
        assert_eq!(trace.hear_publish("a").payload, "2");
        trace.connect("b");
        trace.subscribe("b", "$share/g/t", ExactlyOnce);
        trace.send("a", unsubscribe(2, &["$share/g/t"]));
        trace.expect("a", unsuback(2, &[ReasonCode::Success]));
        trace.cut("a");
        tell(&mut trace, "ada", "t", "3", AtLeastOnce);
        trace.expect("b", publish("t", "3", AtLeastOnce, 1));
        trace.expect_nothing("b");
        assert!(trace.resume("a"));
        trace.expect("a", again("t", "1", AtLeastOnce, 1));
        trace.expect("a", again("t", "2", ExactlyOnce, 2));
        trace.expect_nothing("a");
    });
}

/// [MQTT-4.6.0-1] [MQTT-4.6.0-6] [MQTT-4.4.0-1] [MQTT-3.3.1-1]: acknowledged out of order, lost twice.
#[test]
fn what_was_not_acknowledged_comes_again_in_the_order_of_its_first_coming_each_time() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.resume("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        let sent = [("1", AtLeastOnce), ("2", ExactlyOnce), ("3", ExactlyOnce), ("4", AtLeastOnce), ("5", ExactlyOnce)];
        for (payload, qos) in sent {
            tell(&mut trace, "ada", "t", payload, qos);
            assert_eq!(trace.hear_publish("bob").payload, payload);
        }
        trace.send("bob", pubrec(5, ReasonCode::Success));
        trace.expect("bob", pubrel(5, ReasonCode::Success));
        trace.send("bob", puback(4, ReasonCode::Success));
        trace.send("bob", pubrec(2, ReasonCode::Success));
        trace.expect("bob", pubrel(2, ReasonCode::Success));
        trace.cut("bob");
        tell(&mut trace, "ada", "t", "6", AtLeastOnce);
        for is_first in [true, false] {
            assert!(trace.resume("bob"));
            trace.expect("bob", again("t", "1", AtLeastOnce, 1));
            trace.expect("bob", pubrel(2, ReasonCode::Success));
            trace.expect("bob", again("t", "3", ExactlyOnce, 3));
            trace.expect("bob", pubrel(5, ReasonCode::Success));
            let sixth = if is_first { publish } else { again };
            trace.expect("bob", sixth("t", "6", AtLeastOnce, 6));
            trace.expect_nothing("bob");
            trace.cut("bob");
        }
    });
}

/// [MQTT-4.9.0-2] [MQTT-3.3.4-9] [MQTT-4.4.0-2] [MQTT-4.3.3-4]
#[test]
fn a_puback_or_pubrec_that_fails_makes_room_for_the_next_message_and_ends_its_own() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        for reason in [ReasonCode::UnspecifiedError, ReasonCode::QuotaExceeded, ReasonCode::PayloadFormatInvalid] {
            let mut trace = Trace::new(V5);
            trace.connect("ada");
            let connect = || Connect { clean_start: false, ..with_expiry(one_in_flight("bob")) };
            trace.connect_with("bob", connect());
            trace.subscribe("bob", "t", qos);
            for payload in ["1", "2", "3"] {
                tell(&mut trace, "ada", "t", payload, qos);
            }
            for (packet_id, payload) in [(1, "1"), (2, "2")] {
                trace.expect("bob", publish("t", payload, qos, packet_id));
                trace.expect_nothing("bob");
                trace.send("bob", if qos == AtLeastOnce { puback } else { pubrec }(packet_id, reason));
            }
            trace.expect("bob", publish("t", "3", qos, 3));
            trace.cut("bob");
            assert!(trace.connect_with("bob", connect()));
            trace.expect("bob", again("t", "3", qos, 3));
            trace.expect_nothing("bob");
        }
    }
}

fn with_expiry(connect: Connect) -> Connect {
    let properties = ConnectProperties { session_expiry_interval: Some(60), ..connect.properties };
    Connect { properties, ..connect }
}

/// [MQTT-3.8.4-3] [MQTT-3.8.4-4] [MQTT-4.3.3-4]
#[test]
fn a_subscription_replaced_while_messages_are_in_flight_loses_none_of_them() {
    both(|version| {
        let mut trace = Trace::with(version, Config { maximum_in_flight: 1, ..Default::default() });
        trace.connect("ada");
        trace.resume("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        tell(&mut trace, "ada", "t", "in flight", ExactlyOnce);
        tell(&mut trace, "ada", "t", "waits", ExactlyOnce);
        trace.expect("bob", publish("t", "in flight", ExactlyOnce, 1));
        trace.subscribe("bob", "t", AtMostOnce);
        trace.cut("bob");
        assert!(trace.resume("bob"));
        trace.expect("bob", again("t", "in flight", ExactlyOnce, 1));
        tell(&mut trace, "ada", "t", "new", ExactlyOnce);
        trace.send("bob", pubrec(1, ReasonCode::Success));
        trace.expect("bob", pubrel(1, ReasonCode::Success));
        trace.send("bob", pubcomp(1, ReasonCode::Success));
        trace.expect("bob", publish("t", "waits", ExactlyOnce, 2));
        trace.expect("bob", publish("t", "new", AtMostOnce, 0));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-3.8.4-3] [MQTT-3.3.4-3]
#[test]
fn a_message_in_flight_keeps_the_identifier_of_the_subscription_that_it_came_by() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    trace.resume("bob");
    let mut heard = Vec::new();
    for (packet_id, identifier) in [(5, 1), (6, 2)] {
        let properties =
            SubscribeProperties { subscription_identifier: NonZeroU32::new(identifier), ..Default::default() };
        let options = SubscriptionOptions { qos: AtLeastOnce, ..Default::default() };
        trace.send("bob", subscribe_with(packet_id, &[("t", options)], properties));
        trace.expect("bob", suback(packet_id, &[ReasonCode::GrantedQoS1]));
        tell(&mut trace, "ada", "t", "x", AtLeastOnce);
        heard.push(trace.hear_publish("bob"));
    }
    trace.cut("bob");
    trace.resume("bob");
    for (first, identifier) in heard.into_iter().zip([1, 2]) {
        assert_eq!(first.properties.subscription_identifiers, [NonZeroU32::new(identifier).unwrap()]);
        trace.expect("bob", Packet::Publish(Publish { dup: true, ..first }));
    }
}

/// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
#[test]
fn a_message_too_large_for_one_subscriber_reaches_the_others_and_is_acknowledged() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let mut trace = Trace::new(V5);
        for (name, maximum_packet_size) in [("small", 60), ("large", 300)] {
            let maximum_packet_size = NonZeroU32::new(maximum_packet_size);
            let receive_maximum = NonZeroU16::new(1);
            let properties = ConnectProperties { maximum_packet_size, receive_maximum, ..Default::default() };
            trace.connect_with(name, Connect { properties, ..connect(name) });
            trace.subscribe(name, "t", qos);
        }
        trace.connect("ada");
        const LARGE: &str = "a message that is larger than the sixty bytes that one of the two allows";
        tell(&mut trace, "ada", "t", LARGE, qos);
        tell(&mut trace, "ada", "t", "fits", qos);
        let packet_id = u16::from(qos > AtMostOnce);
        trace.expect("large", publish("t", LARGE, qos, packet_id));
        let heard = trace.hear_publish("small");
        assert_eq!((heard.payload, heard.qos), ("fits".into(), qos), "nothing is in flight before it");
        trace.expect_nothing("small");
    }
}

fn with_alias(topic: &str, alias: u16) -> Packet {
    let properties = PublishProperties { topic_alias: NonZeroU16::new(alias), ..Default::default() };
    Packet::Publish(Publish { properties, ..message(topic, "x") })
}

/// [MQTT-3.3.2-7] [MQTT-3.3.2-12]
#[test]
fn an_alias_that_a_client_set_ends_with_its_connection() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "#", AtMostOnce);
    for ending in [Trace::cut, Trace::leave] {
        trace.resume("ada");
        for (topic, alias) in [("t", 64), ("", 64), ("u", 64), ("", 64)] {
            trace.send("ada", with_alias(topic, alias));
        }
        for topic in ["t", "t", "u", "u"] {
            trace.expect("bob", publish(topic, "x", AtMostOnce, 0));
        }
        ending(&mut trace, "ada");
        assert!(trace.resume("ada"));
        trace.send("ada", with_alias("", 64));
        trace.expect_thrown_out("ada", ReasonCode::ProtocolError);
        trace.expect_nothing("bob");
    }
}

/// [MQTT-3.3.2-7] [MQTT-3.3.2-11] [MQTT-3.1.2-26] [MQTT-3.1.2-27]
#[test]
fn an_alias_that_the_broker_set_ends_with_the_connection() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    let topic_of = |publish: Publish| (publish.topic.to_string(), publish.properties.topic_alias.map(NonZeroU16::get));
    let mut is_new = true;
    for (maximum, first, second) in [(1, ("t", Some(1)), ("", Some(1))), (0, ("t", None), ("t", None))] {
        for _ in 0..2 {
            let properties = ConnectProperties { topic_alias_maximum: Some(maximum), ..Default::default() };
            trace.connect_with(
                "bob",
                Connect { clean_start: false, ..with_expiry(Connect { properties, ..connect("bob") }) },
            );
            if std::mem::take(&mut is_new) {
                trace.subscribe("bob", "t", AtLeastOnce);
                tell(&mut trace, "ada", "t", "x", AtLeastOnce);
            }
            // What an earlier connection carried comes again, with its topic in full.
            let heard = trace.hear_publish("bob");
            let packet_id = heard.packet_id.unwrap().value();
            assert_eq!(topic_of(heard), (first.0.to_owned(), first.1));
            tell(&mut trace, "ada", "t", "x", AtLeastOnce);
            assert_eq!(topic_of(trace.hear_publish("bob")), (second.0.to_owned(), second.1));
            trace.send("bob", puback(packet_id, ReasonCode::Success));
            trace.cut("bob");
        }
    }
}
