//! Publish rules: what is done with a message by its topic, before anybody gets it.

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Event, Grant, Grants, PublishRule},
    codec::{Connect, ProtocolVersion, Publish, ReasonCode},
};

fn rule(filter: &str, action: &str, topic: Option<&str>) -> PublishRule {
    PublishRule::new(text(filter), action, topic.map(text)).unwrap()
}

fn with(version: ProtocolVersion, rules: Vec<PublishRule>) -> Trace {
    Trace::with(version, Config { rules, ..Default::default() })
}

/// `ada` publishes, `bob` has subscribed to everything.
fn two(trace: &mut Trace) {
    trace.connect("bob");
    trace.subscribe("bob", "#", ExactlyOnce);
    trace.connect("ada");
}

#[test]
fn the_first_rule_that_matches_counts_and_without_one_all_is_as_ever() {
    both(|version| {
        let rules = vec![rule("a/b", "drop", None), rule("a/+", "rewrite", Some("x/$1")), rule("#", "refuse", None)];
        let mut trace = with(version, rules);
        two(&mut trace);
        trace.send("ada", publish("a/b", "1", AtMostOnce, 0));
        trace.expect_nothing("bob");
        trace.send("ada", publish("a/c", "2", AtMostOnce, 0));
        trace.expect("bob", publish("x/c", "2", AtMostOnce, 0));
        trace.send("ada", publish("other", "3", AtMostOnce, 0));
        trace.expect_nothing("bob");
        // A wildcard in front leaves out what begins with `$`.
        trace.subscribe("bob", "$other", AtMostOnce);
        trace.send("ada", publish("$other", "4", AtMostOnce, 0));
        trace.expect("bob", publish("$other", "4", AtMostOnce, 0));
    });
}

#[test]
fn what_is_dropped_is_acknowledged_as_a_success_and_what_is_refused_is_not() {
    both(|version| {
        let mut trace = with(version, vec![rule("drop", "drop", None), rule("refuse", "refuse", None)]);
        two(&mut trace);
        trace.send("ada", publish("drop", "1", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::Success));
        trace.send("ada", publish("drop", "2", ExactlyOnce, 2));
        trace.expect("ada", pubrec(2, ReasonCode::Success));
        trace.send("ada", pubrel(2, ReasonCode::Success));
        trace.expect("ada", pubcomp(2, ReasonCode::Success));
        trace.forget_events();
        trace.send("ada", publish("refuse", "3", AtLeastOnce, 3));
        trace.expect("ada", puback(3, ReasonCode::NotAuthorized));
        trace.send("ada", publish("refuse", "4", ExactlyOnce, 4));
        trace.expect("ada", pubrec(4, ReasonCode::NotAuthorized));
        trace.send("ada", publish("refuse", "5", AtMostOnce, 0));
        trace.expect_nothing("ada");
        trace.expect_nothing("bob");
        let reason = ReasonCode::NotAuthorized;
        let refused = Event::PublishRefused { client_id: Some(text("ada")), topic: text("refuse"), reason };
        assert_eq!(trace.events(), [refused.clone(), refused.clone(), refused]);
        assert_eq!(trace.statistics().messages_refused, 3);
    });
}

#[test]
fn a_message_of_qos_2_is_rewritten_once_however_often_it_comes() {
    both(|version| {
        let mut trace = with(version, vec![rule("a", "rewrite", Some("b"))]);
        two(&mut trace);
        for _ in 0..2 {
            trace.send("ada", publish("a", "x", ExactlyOnce, 1));
            trace.expect("ada", pubrec(1, ReasonCode::Success));
        }
        trace.expect("bob", publish("b", "x", ExactlyOnce, 1));
        trace.expect_nothing("bob");
    });
}

/// Such an identifier is free again at QoS 1, and what it names now is another message.
#[test]
fn an_identifier_that_an_earlier_connection_left_takes_no_message_past_the_rules() {
    both(|version| {
        let mut trace = with(version, vec![rule("refuse", "refuse", None), rule("a", "rewrite", Some("b"))]);
        two(&mut trace);
        trace.leave("ada");
        trace.resume("ada");
        for (topic, reason) in [("refuse", ReasonCode::NotAuthorized), ("a", ReasonCode::Success)] {
            trace.send("ada", publish("left", "x", ExactlyOnce, 1));
            trace.expect("ada", pubrec(1, ReasonCode::Success));
            trace.expect("bob", publish("left", "x", ExactlyOnce, if topic == "a" { 2 } else { 1 }));
            trace.cut("ada");
            trace.resume("ada");
            trace.send("ada", publish(topic, "y", AtLeastOnce, 1));
            trace.expect("ada", puback(1, reason));
        }
        trace.expect("bob", publish("b", "y", AtLeastOnce, 3));
        trace.expect_nothing("bob");
    });
}

#[test]
fn what_is_retained_is_so_for_the_new_topic() {
    both(|version| {
        let mut trace = with(version, vec![rule("a", "rewrite", Some("b"))]);
        trace.connect("ada");
        trace.send("ada", retained("a", "x"));
        trace.connect("bob");
        trace.subscribe("bob", "#", AtMostOnce);
        assert_eq!(trace.hear_publish("bob").topic, text("b"));
        trace.send("ada", retained("a", ""));
        assert_eq!(trace.statistics().retained_messages, 0);
    });
}

#[test]
fn grants_are_asked_about_the_topic_that_the_client_named_and_a_rule_may_lead_out_of_them() {
    both(|version| {
        let grants = Grants::of(vec![
            Grant { filter: text("in/%c"), ..Default::default() },
            Grant { filter: text("out/#"), publish: false, ..Default::default() },
        ]);
        let rules = vec![rule("in/+", "rewrite", Some("out/$1")), rule("#", "rewrite", Some("in/ada"))];
        let config = Config { authentication: Authentication::Open(grants), rules, ..Default::default() };
        let mut trace = Trace::with(version, config);
        trace.connect("bob");
        trace.subscribe("bob", "out/#", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("in/ada", "1", AtMostOnce, 0));
        trace.expect("bob", publish("out/ada", "1", AtMostOnce, 0));
        trace.send("ada", publish("in/eve", "2", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
        trace.expect_nothing("bob");
    });
}

#[test]
fn no_rule_leads_to_sys_or_to_a_topic_that_is_none() {
    both(|version| {
        let rules = vec![rule("a/#", "rewrite", Some("$1")), rule("b/+", "rewrite", Some("$1/$1/$1/$1"))];
        let mut trace = Trace::with(version, Config { rules, maximum_topic_levels: 3, ..Default::default() });
        two(&mut trace);
        trace.subscribe("bob", "$SYS/x", AtMostOnce);
        for (packet_id, topic) in [(1, "a/$SYS/x"), (2, "a/$delayed/1"), (3, "a"), (4, "b/x")] {
            trace.send("ada", publish(topic, "x", AtLeastOnce, packet_id));
            trace.expect("ada", puback(packet_id, ReasonCode::TopicNameInvalid));
        }
        trace.expect_nothing("bob");
    });
}

#[test]
fn a_rule_knows_the_user_and_refuses_whose_name_is_none_for_a_topic() {
    let mut trace = with(V5, vec![rule("a", "rewrite", Some("from/%u/%c"))]);
    two(&mut trace);
    trace.send("ada", publish("a", "x", AtLeastOnce, 1));
    trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
    trace.connect_with("ada", Connect { user_name: Some(text("lovelace")), ..connect("ada") });
    trace.send("ada", publish("a", "x", AtMostOnce, 0));
    trace.expect("bob", publish("from/lovelace/ada", "x", AtMostOnce, 0));
    trace.connect_with("eve", Connect { user_name: Some(text("a/b")), ..connect("eve") });
    trace.send("eve", publish("a", "x", AtLeastOnce, 1));
    trace.expect("eve", puback(1, ReasonCode::NotAuthorized));
    trace.expect_nothing("bob");
}

#[test]
fn a_will_is_published_by_the_rules_and_what_the_host_publishes_is_not() {
    both(|version| {
        let rules = vec![rule("drop", "drop", None), rule("a", "rewrite", Some("b")), rule("refuse", "refuse", None)];
        let mut trace = with(version, rules);
        trace.connect("bob");
        trace.subscribe("bob", "#", AtMostOnce);
        for topic in ["drop", "refuse", "a"] {
            trace.connect_with("ada", Connect { will: Some(will(topic, "x")), ..connect("ada") });
            trace.cut("ada");
        }
        trace.expect("bob", publish("b", "x", AtMostOnce, 0));
        trace.publish(message("drop", "y"));
        trace.expect("bob", publish("drop", "y", AtMostOnce, 0));
        trace.expect_nothing("bob");
    });
}

#[test]
fn a_topic_that_an_alias_stands_for_is_the_one_that_counts() {
    let mut trace = with(V5, vec![rule("a", "rewrite", Some("b"))]);
    two(&mut trace);
    let mut first = Publish { ..message("a", "1") };
    first.properties.topic_alias = std::num::NonZeroU16::new(1);
    let second = Publish { topic: text(""), ..first.clone() };
    trace.send("ada", mqlite::codec::Packet::Publish(first));
    trace.send("ada", mqlite::codec::Packet::Publish(second));
    trace.expect("bob", publish("b", "1", AtMostOnce, 0));
    trace.expect("bob", publish("b", "1", AtMostOnce, 0));
}
