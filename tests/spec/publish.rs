//! PUBLISH and its acknowledgements (3.3 to 3.7, 4.3).

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Grant, Grants},
    codec::{
        Binary, Connect, ConnectProperties, Packet, Publish, PublishProperties, ReasonCode, SubscribeProperties,
        SubscriptionOptions,
    },
};
use std::num::{NonZeroU16, NonZeroU32};

/// [MQTT-4.3.1-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-4.3.3-4] [MQTT-2.2.1-5]
#[test]
fn each_qos_has_its_handshake_on_both_sides() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "a/b", ExactlyOnce);
        trace.connect("ada");
        trace.send("ada", publish("a/b", "zero", AtMostOnce, 0));
        trace.expect_nothing("ada");
        trace.expect("bob", publish("a/b", "zero", AtMostOnce, 0));

        trace.send("ada", publish("a/b", "one", AtLeastOnce, 7));
        trace.expect("ada", puback(7, ReasonCode::Success));
        trace.expect("bob", publish("a/b", "one", AtLeastOnce, 1));
        trace.send("bob", puback(1, ReasonCode::Success));

        trace.send("ada", publish("a/b", "two", ExactlyOnce, 7));
        trace.expect("ada", pubrec(7, ReasonCode::Success));
        trace.expect("bob", publish("a/b", "two", ExactlyOnce, 2));
        trace.send("ada", pubrel(7, ReasonCode::Success));
        trace.expect("ada", pubcomp(7, ReasonCode::Success));
        trace.send("bob", pubrec(2, ReasonCode::Success));
        trace.expect("bob", pubrel(2, ReasonCode::Success));
        trace.send("bob", pubcomp(2, ReasonCode::Success));
        trace.expect_nothing("bob");
        assert_eq!(trace.statistics().messages_stored, 0);
    });
}

/// [MQTT-3.8.4-8]
#[test]
fn a_message_goes_out_with_the_lower_of_both_qos() {
    both(|version| {
        let mut trace = Trace::new(version);
        for (name, qos) in [("zero", AtMostOnce), ("one", AtLeastOnce), ("two", ExactlyOnce)] {
            trace.connect(name);
            trace.subscribe(name, "#", qos);
        }
        trace.connect("ada");
        for published in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            trace.send("ada", publish("t", "x", published, published as u16 * 5));
            for (name, granted) in [("zero", AtMostOnce), ("one", AtLeastOnce), ("two", ExactlyOnce)] {
                assert_eq!(trace.hear_publish(name).qos, published.min(granted));
            }
        }
    });
}

/// [MQTT-4.3.3-10] [MQTT-4.3.3-12]
#[test]
fn a_repeated_qos_2_publish_is_acknowledged_and_delivered_once() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", ExactlyOnce, 3));
        trace.expect("ada", pubrec(3, ReasonCode::Success));
        let again = Publish { dup: true, qos: ExactlyOnce, packet_id: Some(id(3)), ..message("t", "x") };
        trace.send("ada", Packet::Publish(again));
        trace.expect("ada", pubrec(3, ReasonCode::Success));
        trace.hear_publish("bob");
        trace.expect_nothing("bob");
        trace.send("ada", pubrel(3, ReasonCode::Success));
        trace.expect("ada", pubcomp(3, ReasonCode::Success));
        trace.send("ada", publish("t", "y", ExactlyOnce, 3));
        trace.hear_publish("bob");
    });
}

/// [MQTT-4.3.2-5]
#[test]
fn a_repeated_qos_1_publish_is_a_new_message() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        for _ in 0..2 {
            trace.send("ada", publish("t", "x", AtLeastOnce, 3));
            trace.expect("ada", puback(3, ReasonCode::Success));
            trace.hear_publish("bob");
        }
    });
}

#[test]
fn nobody_there_is_0x10() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    trace.send("ada", publish("t", "x", AtLeastOnce, 1));
    trace.expect("ada", puback(1, ReasonCode::NoMatchingSubscribers));
    trace.send("ada", publish("t", "x", ExactlyOnce, 2));
    trace.expect("ada", pubrec(2, ReasonCode::NoMatchingSubscribers));
}

/// [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
#[test]
fn properties_travel_unaltered_and_in_order() {
    let mut trace = Trace::new(V5);
    trace.connect("bob");
    trace.subscribe("bob", "t", AtMostOnce);
    trace.connect("ada");
    let properties = PublishProperties {
        payload_format_indicator: Some(true),
        response_topic: Some(text("answers/ada")),
        correlation_data: Some(Binary::try_from(vec![0, 1, 2]).unwrap()),
        user_properties: vec![(text("b"), text("1")), (text("a"), text("2")), (text("b"), text("1"))],
        content_type: Some(text("text/plain")),
        ..Default::default()
    };
    let sent = Packet::Publish(Publish { properties, ..message("t", "x") });
    trace.send("ada", sent.clone());
    trace.expect("bob", sent);
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

/// [MQTT-3.3.4-3] [MQTT-3.3.4-4]
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

/// [MQTT-3.3.2-11] [MQTT-3.1.2-26] [MQTT-3.1.2-27]
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

/// [MQTT-4.6.0-5]
#[test]
fn messages_of_one_publisher_arrive_in_order() {
    both(|version| {
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let mut trace = Trace::new(version);
            let properties = ConnectProperties { receive_maximum: NonZeroU16::new(2), ..Default::default() };
            trace.connect_with("bob", Connect { properties, ..connect("bob") });
            trace.subscribe("bob", "t", qos);
            trace.connect("ada");
            let payloads = ["a", "b", "c", "d", "e", "f"];
            for (index, payload) in payloads.iter().enumerate() {
                trace.send("ada", publish("t", payload, qos, if qos == AtMostOnce { 0 } else { index as u16 + 1 }));
            }
            for payload in payloads {
                let publish = trace.hear_publish("bob");
                assert_eq!(publish.payload, payload);
                // In 3.1.1 there is no Receive Maximum to wait for.
                match publish.packet_id.filter(|_| version == V5) {
                    Some(id) if qos == AtLeastOnce => trace.send("bob", puback(id.value(), ReasonCode::Success)),
                    Some(id) => trace.send("bob", pubrec(id.value(), ReasonCode::ImplementationSpecificError)),
                    None => {}
                }
            }
        }
    });
}
