//! SUBSCRIBE and UNSUBSCRIBE (3.8 to 3.11, 4.7).

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{Packet, Publish, ReasonCode, SubscribeProperties, SubscriptionOptions},
};
use std::num::NonZeroU32;

/// [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1]
#[test]
fn each_filter_gets_its_reason_in_order() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        let deep = "b/".repeat(200);
        trace.send(
            "ada",
            subscribe(3, &[("a", AtMostOnce), (&deep, AtMostOnce), ("c", ExactlyOnce), (&deep, ExactlyOnce)]),
        );
        let invalid = if version == V5 { ReasonCode::TopicFilterInvalid } else { ReasonCode::UnspecifiedError };
        trace.expect("ada", suback(3, &[ReasonCode::Success, invalid, ReasonCode::GrantedQoS2, invalid]));
    });
}

/// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] [MQTT-4.7.3-4]
#[test]
fn wildcards_match_levels() {
    both(|version| {
        let cases: &[(&str, &[&'static str])] = &[
            ("sport/tennis/#", &["sport/tennis", "sport/tennis/player1", "sport/tennis/player1/ranking"]),
            ("sport/+", &["sport/", "sport/tennis"]),
            ("+/+", &["/finance", "sport/", "sport/tennis"]),
            ("/+", &["/finance"]),
            ("#", &["/finance", "sport/", "sport/tennis", "sport/tennis/player1", "sport/tennis/player1/ranking"]),
            ("$data/#", &["$data/a"]),
            ("Sport/tennis", &[]),
        ];
        let topics =
            ["/finance", "sport/", "sport/tennis", "sport/tennis/player1", "sport/tennis/player1/ranking", "$data/a"];
        for (filter, expected) in cases {
            let mut trace = Trace::new(version);
            trace.connect("bob");
            trace.subscribe("bob", filter, AtMostOnce);
            trace.connect("ada");
            for topic in topics {
                trace.send("ada", publish(topic, "x", AtMostOnce, 0));
            }
            for topic in *expected {
                assert_eq!(trace.hear_publish("bob").topic.as_str(), *topic, "{filter}");
            }
            trace.expect_nothing("bob");
        }
    });
}

/// [MQTT-3.8.4-3]
#[test]
fn the_same_filter_again_replaces_the_subscription() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t", ExactlyOnce);
        trace.subscribe("bob", "t", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", AtLeastOnce, 1));
        trace.expect("bob", publish("t", "x", AtMostOnce, 0));
        trace.expect_nothing("bob");
        assert_eq!(trace.statistics().subscriptions, 1);
    });
}

/// [MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1]
#[test]
fn unsubscribing_ends_a_subscription_and_tells_which_existed() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "t/+", AtLeastOnce);
        trace.send("bob", unsubscribe(4, &["t/#", "t/+"]));
        trace.expect("bob", unsuback(4, &[ReasonCode::NoSubscriptionExisted, ReasonCode::Success]));
        trace.connect("ada");
        trace.send("ada", publish("t/a", "x", AtMostOnce, 0));
        trace.expect_nothing("bob");
        assert_eq!(trace.statistics().subscriptions, 0);
    });
}

/// [MQTT-3.10.4-3]
#[test]
fn what_was_begun_is_delivered_after_unsubscribing() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.resume("bob");
        trace.subscribe("bob", "t", AtLeastOnce);
        trace.connect("ada");
        trace.send("ada", publish("t", "x", AtLeastOnce, 1));
        trace.hear_publish("bob");
        trace.send("bob", unsubscribe(4, &["t"]));
        trace.hear("bob");
        trace.cut("bob");
        trace.resume("bob");
        assert!(trace.hear_publish("bob").dup);
    });
}

/// [MQTT-3.8.3-3]
#[test]
fn no_local_keeps_a_clients_messages_from_itself() {
    let mut trace = Trace::new(V5);
    trace.connect("ada");
    let options = SubscriptionOptions { no_local: true, ..Default::default() };
    trace.send("ada", subscribe_with(1, &[("t", options)], SubscribeProperties::default()));
    trace.hear("ada");
    trace.send("ada", publish("t", "own", AtMostOnce, 0));
    trace.expect_nothing("ada");
    trace.connect("bob");
    trace.send("bob", publish("t", "other", AtMostOnce, 0));
    trace.expect("ada", publish("t", "other", AtMostOnce, 0));
}

/// [MQTT-3.3.1-12] [MQTT-3.3.1-13]
#[test]
fn retain_as_published_keeps_the_flag() {
    let mut trace = Trace::new(V5);
    for (name, retain_as_published) in [("plain", false), ("as published", true)] {
        trace.connect(name);
        let options = SubscriptionOptions { retain_as_published, ..Default::default() };
        trace.send(name, subscribe_with(1, &[("t", options)], SubscribeProperties::default()));
        trace.hear(name);
    }
    trace.connect("ada");
    trace.send("ada", retained("t", "x"));
    trace.send("ada", publish("t", "y", AtMostOnce, 0));
    trace.expect("plain", publish("t", "x", AtMostOnce, 0));
    trace.expect("as published", Packet::Publish(Publish { retain: true, ..message("t", "x") }));
    trace.expect("as published", publish("t", "y", AtMostOnce, 0));
}

#[test]
fn what_is_not_available_is_refused_with_its_own_reason() {
    let config = Config {
        wildcard_subscription_available: false,
        shared_subscription_available: false,
        subscription_identifiers_available: false,
        ..Default::default()
    };
    let mut trace = Trace::with(V5, config.clone());
    for (filter, reason) in [
        ("a/+", ReasonCode::WildcardSubscriptionsNotSupported),
        ("$share/g/a", ReasonCode::SharedSubscriptionsNotSupported),
    ] {
        trace.connect("ada");
        trace.send("ada", subscribe(1, &[("a", AtMostOnce), (filter, AtMostOnce)]));
        trace.expect_thrown_out("ada", reason);
    }
    trace.connect("ada");
    let properties = SubscribeProperties { subscription_identifier: NonZeroU32::new(1), ..Default::default() };
    trace.send("ada", subscribe_with(2, &[("a", SubscriptionOptions::default())], properties));
    trace.expect_thrown_out("ada", ReasonCode::SubscriptionIdentifiersNotSupported);
    let mut trace = Trace::with(V3_1_1, config);
    trace.connect("ada");
    trace.send("ada", subscribe(1, &[("a/+", AtMostOnce), ("$share/g/a", AtMostOnce), ("a", AtMostOnce)]));
    trace.expect("ada", suback(1, &[ReasonCode::UnspecifiedError, ReasonCode::UnspecifiedError, ReasonCode::Success]));
}
