//! SUBSCRIBE and SUBACK (3.8, 3.9), and what a subscription brings (4.8.1).

use crate::harness::*;
use mqlite::{
    broker::Config,
    codec::{Packet, Publish, ReasonCode, SubscribeProperties, SubscriptionOptions},
};
use std::num::NonZeroU32;

/// [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [MQTT-3.8.4-1] [MQTT-3.9.3-2]
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

/// [MQTT-3.8.4-1] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] [3.1.1 MQTT-3.9.3-1] [3.1.1 MQTT-3.9.3-2]
#[test]
fn a_subscribe_is_answered_even_if_nothing_was_granted() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        let failed = if version == V5 { ReasonCode::TopicFilterInvalid } else { ReasonCode::UnspecifiedError };
        let deep = "a/".repeat(200);
        for count in [1, 3] {
            trace.send("ada", subscribe(1, &vec![(deep.as_str(), AtMostOnce); count]));
            trace.expect("ada", suback(1, &vec![failed; count]));
        }
    });
}

/// [MQTT-3.8.4-5] [3.1.1 MQTT-3.8.4-4]
#[test]
fn filters_of_one_subscribe_count_in_their_order() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.send("bob", subscribe(1, &[("t", ExactlyOnce), ("u", AtMostOnce), ("t", AtMostOnce)]));
        trace.expect("bob", suback(1, &[ReasonCode::GrantedQoS2, ReasonCode::Success, ReasonCode::Success]));
        trace.connect("ada");
        trace.send("ada", publish("t", "x", ExactlyOnce, 1));
        trace.expect("bob", publish("t", "x", AtMostOnce, 0));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-3.3.1-9] [3.1.1 MQTT-3.8.4-3]
#[test]
fn a_subscription_that_is_replaced_is_greeted_again() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.send("ada", retained("t", "x"));
        trace.connect("bob");
        for qos in [AtMostOnce, AtLeastOnce] {
            trace.subscribe("bob", "t", qos);
            trace.expect("bob", retained("t", "x"));
        }
        trace.expect_nothing("bob");
    });
}
