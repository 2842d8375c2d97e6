//! PUBLISH (3.3), but for retained messages.

use crate::{harness::*, raw::*};
use mqlite::{
    broker::{Authentication, Config, Grant, Grants},
    codec::{
        Connect, ConnectProperties, Packet, Publish, PublishProperties, ReasonCode, SubscribeProperties,
        SubscriptionOptions,
    },
};
use std::num::{NonZeroU16, NonZeroU32};

/// [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
#[test]
fn properties_travel_unaltered_and_in_order() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "t", AtMostOnce);
    trace.connect("ada");
    let sent = Packet::Publish(Publish { properties: all_properties(), ..message("t", "x") });
    trace.send("ada", sent.clone());
    trace.expect("bob", sent);
}

/// [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
#[test]
fn properties_are_kept_unaltered_where_a_message_waits_or_is_retained() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut trace = Trace::new(V5);
        trace.resume("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        trace.leave("bob");
        trace.connect("ada");
        let sent =
            Publish { qos, packet_id: Some(id(1)), retain: true, properties: all_properties(), ..message("t", "x") };
        trace.send("ada", Packet::Publish(sent.clone()));
        trace.hear("ada");
        trace.resume("bob");
        trace.expect("bob", Packet::Publish(Publish { retain: false, ..sent.clone() }));
        trace.connect("eve");
        trace.subscribe("eve", "t", ExactlyOnce);
        trace.expect("eve", Packet::Publish(sent));
    }
}

/// [MQTT-3.3.2-5] [MQTT-3.3.2-6]
#[test]
fn a_message_ages_while_it_waits_and_is_not_sent_once_expired() {
    let mut trace = Trace::new(V5);
    trace.resume("bob");
    trace.subscribe("bob", "t", AtLeastOnce);
    trace.cut("bob");
    trace.connect("ada");
    for (payload, seconds) in [("short", 10), ("long", 100)] {
        let properties = PublishProperties { message_expiry_interval: Some(seconds), ..Default::default() };
        let publish = Publish { qos: AtLeastOnce, packet_id: Some(id(1)), properties, ..message("t", payload) };
        trace.send("ada", Packet::Publish(publish));
        trace.hear("ada");
    }
    trace.wait_secs(30);
    trace.resume("bob");
    let publish = trace.hear_publish("bob");
    assert_eq!(publish.payload, "long");
    assert_eq!(publish.properties.message_expiry_interval, Some(70));
    trace.expect_nothing("bob");
}

/// [MQTT-3.3.4-3] [MQTT-3.3.4-4] [MQTT-3.3.4-2]
#[test]
fn overlapping_subscriptions_get_one_copy_with_all_identifiers_and_the_highest_qos() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    for (packet_id, filter, qos) in [(1, "a/#", AtMostOnce), (2, "a/+", ExactlyOnce), (3, "x", ExactlyOnce)] {
        let properties =
            SubscribeProperties { subscription_identifier: NonZeroU32::new(packet_id.into()), ..Default::default() };
        let options = SubscriptionOptions { qos, ..Default::default() };
        trace.send("bob", subscribe_with(packet_id, &[(filter, options)], properties));
        trace.hear("bob");
    }
    trace.connect("ada");
    trace.send("ada", publish("a/b", "x", AtLeastOnce, 1));
    let mut heard = trace.hear_publish("bob");
    heard.properties.subscription_identifiers.sort();
    assert_eq!(heard.qos, AtLeastOnce);
    assert_eq!(heard.properties.subscription_identifiers, [1, 2].map(|id| NonZeroU32::new(id).unwrap()));
    trace.expect_nothing("bob");
}

fn aliased(topic: &str, alias: u16) -> Packet {
    let properties = PublishProperties { topic_alias: NonZeroU16::new(alias), ..Default::default() };
    Packet::Publish(Publish { properties, ..message(topic, "x") })
}

/// [MQTT-3.3.2-12]
#[test]
fn each_alias_up_to_the_maximum_is_accepted() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "#", AtMostOnce);
    trace.connect("ada");
    for alias in 1..=64 {
        trace.send("ada", aliased(&format!("t/{alias}"), alias));
        trace.send("ada", aliased("", alias));
        for _ in 0..2 {
            assert_eq!(trace.hear_publish("bob").topic, text(&format!("t/{alias}")));
        }
    }
}

/// [MQTT-3.1.2-27]
#[test]
fn a_subscriber_that_allows_no_alias_hears_none() {
    for topic_alias_maximum in [None, Some(0)] {
        let mut trace = Trace::new(V5);
        let properties = ConnectProperties { topic_alias_maximum, ..Default::default() };
        trace.connect_with("bob", Connect { properties, ..connect("bob") });
        trace.subscribe("bob", "t", AtLeastOnce);
        trace.connect("ada");
        for qos in [AtMostOnce, AtLeastOnce, AtMostOnce] {
            trace.send("ada", publish("t", "x", qos, qos as u16));
            let publish = trace.hear_publish("bob");
            assert_eq!((publish.topic, publish.properties.topic_alias), (text("t"), None));
        }
    }
}

/// [MQTT-3.3.2-11] [MQTT-3.1.2-26]
#[test]
fn the_broker_sets_as_many_aliases_as_the_subscriber_allows() {
    let mut trace = Trace::new(V5);
    let properties = ConnectProperties { topic_alias_maximum: Some(1), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.subscribe("bob", "#", AtLeastOnce);
    trace.connect("ada");
    let mut heard = Vec::new();
    for topic in ["first", "second", "first", "second"] {
        trace.send("ada", publish(topic, "x", AtMostOnce, 0));
        let publish = trace.hear_publish("bob");
        heard.push((publish.topic.to_string(), publish.properties.topic_alias.map(NonZeroU16::get)));
    }
    let expected = [("first", Some(1)), ("second", None), ("", Some(1)), ("second", None)];
    assert_eq!(heard, expected.map(|(topic, alias)| (topic.to_owned(), alias)));
    trace.send("ada", aliased("third", 1));
    assert_eq!(trace.hear_publish("bob").properties.topic_alias, None, "a publisher's alias is its own");
}

#[test]
fn more_than_the_announced_qos_or_retain_is_refused() {
    both(|version| {
        let config = Config { maximum_qos: AtMostOnce, retain_available: false, ..Default::default() };
        let mut trace = Trace::with(version, config);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", AtLeastOnce, 1));
        trace.expect_thrown_out("ada", ReasonCode::QoSNotSupported);
        trace.connect("ada");
        trace.send("ada", retained("t", "x"));
        trace.expect_thrown_out("ada", ReasonCode::RetainNotSupported);
    });
}

/// [3.1.1 MQTT-3.3.5-2]
#[test]
fn what_grants_do_not_allow_is_refused_and_reaches_nobody() {
    both(|version| {
        let rule = |filter: &str, publish, subscribe| Grant {
            filter: text(filter),
            publish,
            subscribe,
            maximum_qos: ExactlyOnce,
            retain: true,
        };
        let grants = Grants::of(vec![rule("own/%c/#", true, true), rule("news/#", false, true)]);
        let mut trace =
            Trace::with(version, Config { authentication: Authentication::Open(grants), ..Default::default() });
        trace.connect("bob");
        trace.subscribe("bob", "news/#", AtLeastOnce);
        trace.connect("ada");
        trace.send("ada", publish("news/today", "x", AtMostOnce, 0));
        trace.send("ada", publish("news/today", "x", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
        trace.send("ada", publish("news/today", "x", ExactlyOnce, 1));
        trace.expect("ada", pubrec(1, ReasonCode::NotAuthorized));
        trace.expect_nothing("bob");
        trace.send("ada", subscribe(2, &[("own/bob/x", AtMostOnce), ("own/ada/+", AtLeastOnce), ("#", AtMostOnce)]));
        let refused = if version == V5 { ReasonCode::NotAuthorized } else { ReasonCode::UnspecifiedError };
        trace.expect("ada", suback(2, &[refused, ReasonCode::GrantedQoS1, refused]));
        assert_eq!(trace.statistics().messages_refused, 3);
    });
}

/// [MQTT-3.3.1-2] [MQTT-3.3.1-3] [MQTT-4.3.1-1]
#[test]
fn dup_is_not_passed_on_and_qos_0_never_has_it() {
    both(|version| {
        let mut trace = Trace::new(version);
        for (name, qos) in [("zero", AtMostOnce), ("two", ExactlyOnce)] {
            trace.connect(name);
            trace.subscribe(name, "t", qos);
        }
        trace.connect("ada");
        let repeated = Publish { dup: true, qos: ExactlyOnce, packet_id: Some(id(1)), ..message("t", "x") };
        trace.send("ada", Packet::Publish(repeated));
        trace.expect("zero", publish("t", "x", AtMostOnce, 0));
        trace.expect("two", publish("t", "x", ExactlyOnce, 1));
        trace.expect("ada", pubrec(1, ReasonCode::Success));
        trace.send_bytes("ada", raw(0x38, &[b"\x00\x01t", &properties(version, b""), b"x"]));
        trace.expect_thrown_out("ada", ReasonCode::MalformedPacket);
        trace.expect_nothing("zero");
    });
}

/// [MQTT-3.3.4-2] [3.1.1 MQTT-3.3.5-1]
#[test]
fn a_message_that_several_subscriptions_match_comes_with_the_highest_qos_of_them() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        for (filter, qos) in [("a/+", AtMostOnce), ("a/#", ExactlyOnce), ("+/b", AtLeastOnce)] {
            trace.subscribe("bob", filter, qos);
        }
        trace.connect("ada");
        trace.send("ada", publish("a/b", "x", ExactlyOnce, 1));
        trace.expect("bob", publish("a/b", "x", ExactlyOnce, 1));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-3.3.4-5]
#[test]
fn each_copy_of_a_message_has_the_identifier_of_its_own_subscription() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    for (number, filter) in [(7, "t"), (8, "$share/g/t"), (9, "$share/h/+")] {
        let properties = SubscribeProperties { subscription_identifier: NonZeroU32::new(number), ..Default::default() };
        trace.send("bob", subscribe_with(1, &[(filter, SubscriptionOptions::default())], properties));
        trace.hear("bob");
    }
    trace.connect("ada");
    trace.send("ada", publish("t", "x", AtMostOnce, 0));
    let mut copies = [(); 3].map(|()| trace.hear_publish("bob").properties.subscription_identifiers);
    copies.sort();
    assert_eq!(copies, [7, 8, 9].map(|number| vec![NonZeroU32::new(number).unwrap()]));
    trace.expect_nothing("bob");
}
