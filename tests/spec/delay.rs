//! Delayed messages: acknowledged at once, published when they are due, whatever happens meanwhile.

use crate::harness::*;
use mqlite::{
    broker::{
        Authentication, Config, Decision, Durability, Event, Grant, Grants, PublishRule, ReviewFallback, Verdict,
    },
    codec::{Connect, Packet, ProtocolVersion, Publish, ReasonCode, Will, WillProperties},
};

fn durable() -> Config {
    Config { durability: Durability::Connections, ..Default::default() }
}

/// `ada` publishes, `bob` has subscribed to everything.
fn two(version: ProtocolVersion, config: Config) -> Trace {
    let mut trace = Trace::with(version, config);
    trace.resume("bob");
    trace.subscribe("bob", "#", ExactlyOnce);
    trace.resume("ada");
    trace
}

#[test]
fn a_delayed_message_is_acknowledged_at_once_and_published_when_it_is_due() {
    both(|version| {
        let mut trace = two(version, Config::default());
        trace.send("ada", publish("$delayed/10/a/b", "0", AtMostOnce, 0));
        trace.send("ada", publish("$delayed/5/a/b", "1", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::Success));
        trace.send("ada", publish("$delayed/7/a/b", "2", ExactlyOnce, 2));
        trace.expect("ada", pubrec(2, ReasonCode::Success));
        assert_eq!(trace.statistics().messages_delayed, 3);
        trace.wait_secs(4);
        trace.expect_nothing("bob");
        trace.wait_secs(1);
        trace.expect("bob", publish("a/b", "1", AtLeastOnce, 1));
        trace.wait_secs(2);
        trace.expect("bob", publish("a/b", "2", ExactlyOnce, 2));
        trace.wait_secs(3);
        trace.expect("bob", publish("a/b", "0", AtMostOnce, 0));
        let left = trace.statistics();
        assert_eq!((left.messages_delayed, left.messages_received), (0, 3));
    });
}

#[test]
fn no_delay_at_all_is_at_once_and_nobody_hears_of_the_topic_below_delayed() {
    both(|version| {
        let mut trace = two(version, Config::default());
        trace.subscribe("bob", "$delayed/#", AtMostOnce);
        trace.send("ada", publish("$delayed/0/a", "x", AtMostOnce, 0));
        trace.expect("bob", publish("a", "x", AtMostOnce, 0));
        trace.send("ada", publish("$delayed/1/a", "x", AtMostOnce, 0));
        trace.wait_secs(1);
        trace.expect("bob", publish("a", "x", AtMostOnce, 0));
        trace.expect_nothing("bob");
    });
}

#[test]
fn what_says_no_delay_or_one_too_long_is_refused() {
    both(|version| {
        let mut trace =
            two(version, Config { maximum_delay_seconds: 100, maximum_topic_levels: 3, ..Default::default() });
        for topic in [
            "$delayed",
            "$delayed/5",
            "$delayed/x/a",
            "$delayed/-1/a",
            "$delayed/5/",
            "$delayed/101/a",
            "$delayed/99999999999999999999/a",
            "$delayed/5/$delayed/5/a",
            "$delayed/5/a/b/c/d",
        ] {
            trace.send("ada", publish(topic, "x", AtLeastOnce, 1));
            trace.expect("ada", puback(1, ReasonCode::TopicNameInvalid));
        }
        trace.send("ada", publish("$delayed/100/a/b/c", "x", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::Success));
    });
}

#[test]
fn grants_are_about_the_topic_that_is_meant() {
    both(|version| {
        let grants = Grants::of(vec![
            Grant { filter: text("own/%c/#"), ..Default::default() },
            Grant { filter: text("all/#"), publish: false, ..Default::default() },
        ]);
        let mut trace =
            Trace::with(version, Config { authentication: Authentication::Open(grants), ..Default::default() });
        trace.connect("ada");
        for (topic, reason) in [
            ("$delayed/5/own/ada/x", ReasonCode::Success),
            ("$delayed/5/own/bob/x", ReasonCode::NotAuthorized),
            ("$delayed/5/all/x", ReasonCode::NotAuthorized),
            ("$delayed/5/$SYS/x", ReasonCode::NotAuthorized),
            ("$delayed/0/all/x", ReasonCode::NotAuthorized),
        ] {
            trace.send("ada", publish(topic, "x", AtLeastOnce, 1));
            trace.expect("ada", puback(1, reason));
        }
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.send("ada", publish("$delayed/5/$SYS/x", "x", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
    });
}

#[test]
fn more_than_may_be_delayed_is_refused() {
    both(|version| {
        let mut trace = two(version, Config { maximum_delayed_messages: 2, ..Default::default() });
        for (packet_id, reason) in [(1, ReasonCode::Success), (2, ReasonCode::Success), (3, ReasonCode::QuotaExceeded)]
        {
            trace.send("ada", publish("$delayed/5/a", "x", AtLeastOnce, packet_id));
            trace.expect("ada", puback(packet_id, reason));
        }
        trace.wait_secs(5);
        trace.send("ada", publish("$delayed/5/a", "x", AtLeastOnce, 4));
        trace.expect("ada", puback(4, ReasonCode::Success));
        let large: &'static str = "x".repeat(3_000).leak();
        let mut trace = two(version, Config::default());
        trace.send("ada", publish("$delayed/5/a", large, AtMostOnce, 0));
        let bytes = trace.statistics().message_bytes as usize;
        assert!(bytes > 3_000);
        let mut trace = two(version, Config { maximum_message_bytes: bytes + 100, ..Default::default() });
        trace.send("ada", publish("$delayed/5/a", large, AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::Success));
        trace.send("ada", publish("$delayed/5/a", "x", AtMostOnce, 0));
        trace.send("ada", publish("$delayed/5/a", "x", AtLeastOnce, 2));
        trace.expect("ada", puback(2, ReasonCode::QuotaExceeded));
        trace.wait_secs(5);
        assert_eq!(trace.hear_publish("bob").payload.len(), 3_000);
        trace.expect_nothing("bob");
    });
}

/// What `name` hears of a message that it delays by a minute.
fn delays(trace: &mut Trace, name: &'static str) -> ReasonCode {
    trace.send(name, publish("$delayed/60/a", "x", AtLeastOnce, 9));
    match trace.hear(name) {
        Packet::PubAck(ack) => ack.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_delays_so_many_messages_that_others_cannot_and_a_crash_changes_nothing() {
    let mut trace = two(V5, Config { maximum_delayed_messages_per_user: 2, ..durable() });
    trace.resume("eve");
    for reason in [ReasonCode::Success, ReasonCode::Success, ReasonCode::QuotaExceeded, ReasonCode::QuotaExceeded] {
        assert_eq!(delays(&mut trace, "ada"), reason);
    }
    assert_eq!(delays(&mut trace, "eve"), ReasonCode::Success);
    // What the host publishes itself is nobody's.
    for _ in 0..3 {
        trace.publish(message("$delayed/60/a", "x"));
    }
    // Who publishes without a connection is somebody.
    for delayed in [7, 8, 8] {
        trace.publish_for("lovelace", message("$delayed/60/a", "x"));
        assert_eq!(trace.statistics().messages_delayed, delayed);
    }
    trace.crash();
    for (name, reason) in [("ada", ReasonCode::QuotaExceeded), ("eve", ReasonCode::Success)] {
        trace.resume(name);
        assert_eq!(delays(&mut trace, name), reason);
    }
    trace.wait_secs(60);
    for reason in [ReasonCode::Success, ReasonCode::Success, ReasonCode::QuotaExceeded] {
        assert_eq!(delays(&mut trace, "ada"), reason);
    }
}

#[test]
fn the_clients_of_a_user_delay_so_many_messages_together() {
    let config = Config { authentication: Authentication::Ask, maximum_delayed_messages_per_user: 2, ..durable() };
    let mut trace = Trace::with(V5, config);
    // The user `3` is not the client `3`, who is no user.
    for (name, user) in [("1", Some("ada")), ("2", Some("ada")), ("3", None), ("4", Some("3"))] {
        trace.open(name);
        trace.send(name, Packet::Connect(Box::new(connect(name))));
        let user_name = user.map(text);
        trace.answer(Verdict::Allow { grants: Grants::all(), data: None, user_name, expires_at: None });
        assert_eq!(trace.hear_connack(name).reason, ReasonCode::Success);
    }
    for (name, reason) in [
        ("1", ReasonCode::Success),
        ("2", ReasonCode::Success),
        ("1", ReasonCode::QuotaExceeded),
        ("2", ReasonCode::QuotaExceeded),
        ("3", ReasonCode::Success),
        ("3", ReasonCode::Success),
        ("3", ReasonCode::QuotaExceeded),
        ("4", ReasonCode::Success),
    ] {
        assert_eq!(delays(&mut trace, name), reason, "{name}");
    }
    trace.wait_secs(60);
    assert_eq!(delays(&mut trace, "2"), ReasonCode::Success);
}

#[test]
fn a_will_that_waits_for_a_review_neither_waits_for_delayed_messages_nor_keeps_them_out() {
    let rules = vec![PublishRule::new(text("w"), "review", None).unwrap()];
    for crashes in [false, true] {
        let mut trace = two(V5, Config { rules: rules.clone(), maximum_delayed_messages: 2, ..durable() });
        assert_eq!(delays(&mut trace, "ada"), ReasonCode::Success);
        for name in ["eve", "dan"] {
            trace.connect_with(name, Connect { will: Some(will("w", "gone")), ..connect(name) });
            trace.cut(name);
        }
        trace.catch_up();
        if crashes {
            trace.crash();
            trace.resume("ada");
            trace.catch_up();
        }
        assert_eq!((trace.reviews(), trace.statistics().messages_delayed), (2, 3));
        assert_eq!(delays(&mut trace, "ada"), ReasonCode::Success);
        assert_eq!(delays(&mut trace, "ada"), ReasonCode::QuotaExceeded);
        trace.connect_with("eve", Connect { will: Some(will("w", "gone")), ..connect("eve") });
        trace.cut("eve");
        trace.catch_up();
        assert_eq!(trace.reviews(), 3);
        for _ in 0..3 {
            trace.decide(Decision::Accept);
        }
        assert_eq!(trace.statistics().messages_delayed, 2);
        assert_eq!(delays(&mut trace, "ada"), ReasonCode::QuotaExceeded);
    }
}

/// One user, or one client, has no more of it than others.
#[test]
fn a_will_that_is_delayed_is_a_delayed_message() {
    let rules = vec![PublishRule::new(text("w"), "review", None).unwrap()];
    let mut trace = two(V5, Config { rules, maximum_delayed_messages_per_user: 1, ..durable() });
    for delayed in [1, 1] {
        trace.connect_with("eve", Connect { will: Some(will("$delayed/60/w", "gone")), ..connect("eve") });
        trace.cut("eve");
        assert_eq!(trace.statistics().messages_delayed, delayed);
    }
    trace.wait_secs(60);
    assert_eq!(trace.reviews(), 1);
    trace.connect("eve");
    assert_eq!(delays(&mut trace, "eve"), ReasonCode::Success);
}

#[test]
fn a_delayed_message_has_all_its_properties_and_its_expiry_counts_from_its_publication() {
    let mut trace = two(V5, Config::default());
    let properties = mqlite::codec::PublishProperties { message_expiry_interval: Some(3), ..all_properties() };
    let sent = Publish { properties: properties.clone(), ..message("$delayed/10/a", "x") };
    trace.send("ada", Packet::Publish(sent));
    trace.wait_secs(10);
    let heard = trace.hear_publish("bob");
    assert_eq!((heard.topic, heard.properties), (text("a"), properties));
}

#[test]
fn what_is_retained_is_so_from_when_it_is_due() {
    both(|version| {
        let mut trace = two(version, Config::default());
        trace.send("ada", retained("$delayed/5/a", "x"));
        trace.wait_secs(4);
        assert_eq!(trace.statistics().retained_messages, 0);
        trace.wait_secs(1);
        assert_eq!(trace.statistics().retained_messages, 1);
        trace.connect("dan");
        trace.subscribe("dan", "a", AtMostOnce);
        assert_eq!(trace.hear_publish("dan").topic, text("a"));
    });
}

#[test]
fn a_delayed_message_outlives_its_publisher_a_crash_and_a_sleep() {
    both(|version| {
        for crashes in [true, false] {
            let mut trace = two(version, durable());
            trace.connect("eve");
            trace.send("eve", publish("$delayed/10/a", "1", AtLeastOnce, 1));
            trace.expect("eve", puback(1, ReasonCode::Success));
            trace.send("eve", publish("$delayed/20/a", "0", AtMostOnce, 0));
            trace.leave("eve");
            trace.wait_secs(5);
            if crashes {
                trace.crash();
                trace.resume("bob");
            } else {
                trace.sleep();
            }
            assert_eq!(trace.statistics().messages_delayed, 2);
            trace.wait_secs(4);
            trace.expect_nothing("bob");
            trace.wait_secs(1);
            trace.expect("bob", publish("a", "1", AtLeastOnce, 1));
            trace.wait_secs(10);
            trace.expect("bob", publish("a", "0", AtMostOnce, 0));
            assert_eq!(trace.records().keys().filter(|key| key[0] == b'd').count(), 0);
        }
    });
}

#[test]
fn what_became_due_while_the_broker_was_away_is_published_when_it_is_back() {
    both(|version| {
        let mut trace = two(version, durable());
        trace.send("ada", publish("$delayed/10/a", "1", AtLeastOnce, 1));
        trace.leave("bob");
        trace.miss_secs(3_000);
        trace.crash();
        assert!(trace.resume("bob"));
        trace.expect("bob", publish("a", "1", AtLeastOnce, 1));
    });
}

#[test]
fn a_delayed_message_is_one_record_that_goes_along_with_an_export() {
    let mut trace = two(V5, durable());
    trace.writes();
    trace.send("ada", publish("$delayed/10/a", "1", AtLeastOnce, 1));
    assert_eq!(trace.writes(), ("d".into(), String::new()));
    let records = trace.broker().records();
    assert_eq!(records.iter().filter(|(key, _)| key[0] == b'd').count(), 1);
    trace.cut("bob");
    trace.wait_secs(10);
    assert_eq!(trace.broker().records().iter().filter(|(key, _)| key[0] == b'd').count(), 0);
}

#[test]
fn a_publisher_that_wants_nothing_of_its_own_does_not_get_what_it_delayed() {
    let mut trace = Trace::with(V5, durable());
    trace.resume("ada");
    let options = mqlite::codec::SubscriptionOptions { no_local: true, qos: AtMostOnce, ..Default::default() };
    trace.send("ada", subscribe_with(1, &[("a", options)], Default::default()));
    trace.expect("ada", suback(1, &[ReasonCode::Success]));
    trace.send("ada", publish("$delayed/10/a", "x", AtMostOnce, 0));
    trace.sleep();
    trace.wait_secs(10);
    trace.expect_nothing("ada");
    trace.connect("eve");
    trace.send("eve", publish("$delayed/10/a", "y", AtMostOnce, 0));
    trace.wait_secs(10);
    trace.expect("ada", publish("a", "y", AtMostOnce, 0));
}

#[test]
fn a_will_may_be_delayed_and_what_is_no_delay_is_refused_at_connect() {
    both(|version| {
        let mut trace = two(version, durable());
        trace.connect_with("eve", Connect { will: Some(will("$delayed/10/w", "gone")), ..connect("eve") });
        trace.cut("eve");
        trace.wait_secs(9);
        trace.expect_nothing("bob");
        trace.crash();
        trace.resume("bob");
        trace.wait_secs(1);
        trace.expect("bob", publish("w", "gone", AtMostOnce, 0));
        trace.open("eve");
        trace.send("eve", Packet::Connect(Box::new(Connect { will: Some(will("$delayed/w", "x")), ..connect("eve") })));
        if version == V5 {
            assert_eq!(trace.hear_connack("eve").reason, ReasonCode::TopicNameInvalid);
        }
        assert!(!trace.is_open("eve"));
    });
}

#[test]
fn the_host_may_delay_what_it_publishes() {
    both(|version| {
        let mut trace = two(version, Config::default());
        trace.publish(message("$delayed/10/a", "x"));
        trace.expect_nothing("bob");
        trace.wait_secs(10);
        trace.expect("bob", publish("a", "x", AtMostOnce, 0));
        trace.forget_events();
        trace.publish(message("$delayed/a", "x"));
        let (topic, reason) = (text("$delayed/a"), ReasonCode::TopicNameInvalid);
        assert_eq!(trace.events(), [Event::PublishRefused { client_id: None, topic, reason }]);
    });
}

#[test]
fn rules_and_reviews_come_before_the_delay_and_see_the_topic_that_is_meant() {
    both(|version| {
        let rules = vec![
            PublishRule::new(text("a"), "rewrite", Some(text("b"))).unwrap(),
            PublishRule::new(text("drop"), "drop", None).unwrap(),
            PublishRule::new(text("r"), "review", None).unwrap(),
        ];
        let mut trace = two(version, Config { rules, ..durable() });
        trace.send("ada", publish("$delayed/10/a", "1", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::Success));
        trace.send("ada", publish("$delayed/10/drop", "2", AtLeastOnce, 2));
        trace.expect("ada", puback(2, ReasonCode::Success));
        assert_eq!(trace.statistics().messages_delayed, 1);
        trace.send("ada", publish("$delayed/10/r", "3", AtLeastOnce, 3));
        trace.expect_nothing("ada");
        assert_eq!(trace.review_topic(), "r");
        trace.decide(Decision::Rewrite { topic: Some(text("r2")), payload: None });
        trace.expect("ada", puback(3, ReasonCode::Success));
        trace.wait_secs(10);
        trace.expect("bob", publish("b", "1", AtLeastOnce, 1));
        trace.expect("bob", publish("r2", "3", AtLeastOnce, 2));
        trace.expect_nothing("bob");
    });
}

#[test]
fn a_will_is_reviewed_when_it_is_published_also_after_a_crash() {
    both(|version| {
        let rules = vec![PublishRule::new(text("#"), "review", None).unwrap()];
        for crashes in [false, true] {
            let mut trace = two(version, Config { rules: rules.clone(), ..durable() });
            let user_name = Some(text("lovelace"));
            trace.connect_with("eve", Connect { will: Some(will("w", "gone")), user_name, ..connect("eve") });
            trace.cut("eve");
            trace.catch_up();
            assert_eq!(trace.reviews(), 1);
            if crashes {
                trace.crash();
                trace.resume("bob");
                trace.catch_up();
            }
            let (review, request) = trace.review();
            assert_eq!((request.client_id, request.user_name), (text("eve"), Some(text("lovelace"))));
            assert_eq!((request.publish.topic, request.publish.payload), (text("w"), "gone".into()));
            trace.expect_nothing("bob");
            trace.reviewed(review, Some(Decision::Rewrite { topic: Some(text("v")), payload: None }));
            trace.expect("bob", publish("v", "gone", AtMostOnce, 0));
            let left = trace.statistics();
            assert_eq!((left.messages_delayed, left.messages_in_review), (0, 0));
            assert_eq!(trace.records().keys().filter(|key| key[0] == b'd').count(), 0);
        }
    });
}

#[test]
fn a_will_that_nobody_reviews_is_left_to_the_fallback() {
    let rules = vec![PublishRule::new(text("#"), "review", None).unwrap()];
    for (review_fallback, count) in
        [(ReviewFallback::Accept, 1), (ReviewFallback::Refuse, 0), (ReviewFallback::Drop, 0)]
    {
        let mut trace = two(V5, Config { rules: rules.clone(), review_fallback, ..durable() });
        let properties = WillProperties { will_delay_interval: Some(2), ..Default::default() };
        let late = Will { properties, ..will("w", "gone") };
        trace.connect_with("eve", Connect { will: Some(late), ..crate::kept::resumable("eve") });
        trace.cut("eve");
        trace.wait_secs(6);
        trace.expect_nothing("bob");
        trace.wait_secs(1);
        assert_eq!(trace.count("bob"), count);
        assert_eq!(trace.statistics().messages_delayed, 0);
    }
}

#[test]
fn what_the_host_publishes_for_somebody_is_subject_to_rules_and_reviews() {
    let rules = vec![
        PublishRule::new(text("drop"), "drop", None).unwrap(),
        PublishRule::new(text("refuse"), "refuse", None).unwrap(),
        PublishRule::new(text("a/+"), "rewrite", Some(text("b/%u/$1"))).unwrap(),
        PublishRule::new(text("a"), "rewrite", Some(text("b/%c"))).unwrap(),
        PublishRule::new(text("r"), "review", None).unwrap(),
    ];
    let mut trace = two(V5, Config { rules, ..durable() });
    for topic in ["drop", "refuse", "a"] {
        trace.publish_for("lovelace", message(topic, "x"));
    }
    trace.expect_nothing("bob");
    // Who has no Client Identifier has none to stand for `%c`.
    assert_eq!(trace.statistics().messages_refused, 2);
    trace.publish_for("lovelace", message("a/1", "x"));
    trace.expect("bob", publish("b/lovelace/1", "x", AtMostOnce, 0));
    trace.publish_for("lovelace", message("$delayed/5/a/2", "x"));
    trace.wait_secs(5);
    trace.expect("bob", publish("b/lovelace/2", "x", AtMostOnce, 0));
    trace.publish_for("lovelace", message("$delayed/5/r", "x"));
    trace.crash();
    trace.resume("bob");
    trace.wait_secs(4);
    assert_eq!(trace.reviews(), 0);
    trace.wait_secs(1);
    let (review, request) = trace.review();
    assert_eq!((request.client_id, request.user_name), (text(""), Some(text("lovelace"))));
    trace.expect_nothing("bob");
    trace.reviewed(review, Some(Decision::Accept));
    trace.expect("bob", publish("r", "x", AtMostOnce, 0));
}
