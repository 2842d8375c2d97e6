//! Topic Names and Topic Filters (4.7).

use crate::harness::*;
use mqlite::codec::ReasonCode;

/// [MQTT-4.7.3-1]
#[test]
fn a_topic_name_or_filter_has_at_least_one_character() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.send("ada", subscribe(1, &[("", AtMostOnce)]));
        trace.expect_thrown_out("ada", ReasonCode::TopicFilterInvalid);
        trace.connect("ada");
        trace.subscribe("ada", "/", AtMostOnce);
        trace.send("ada", publish("/", "x", AtMostOnce, 0));
        trace.expect("ada", publish("/", "x", AtMostOnce, 0));
        trace.send("ada", publish("", "x", AtMostOnce, 0));
        let reason = if version == V5 { ReasonCode::ProtocolError } else { ReasonCode::MalformedPacket };
        trace.expect_thrown_out("ada", reason);
    });
}

/// [MQTT-4.7.2-1]
#[test]
fn a_filter_that_begins_with_a_wildcard_matches_no_topic_that_begins_with_a_dollar() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        for filter in ["#", "+/monitor", "+/#"] {
            trace.subscribe("bob", filter, AtMostOnce);
        }
        trace.connect("eve");
        trace.subscribe("eve", "$data/+", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("$data/monitor", "x", AtMostOnce, 0));
        trace.expect("eve", publish("$data/monitor", "x", AtMostOnce, 0));
        trace.expect_nothing("bob");
    });
}

/// [MQTT-4.7.3-4]
#[test]
fn nothing_is_taken_for_equal_that_is_written_otherwise() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "caf\u{E9}/a", AtMostOnce);
        trace.connect("ada");
        for other in [
            "cafe\u{301}/a",
            "CAF\u{C9}/a",
            "caf\u{E9}/a/",
            "/caf\u{E9}/a",
            "caf\u{E9}//a",
            "caf\u{E9}/./a",
            "caf%E9/a",
        ] {
            trace.send("ada", publish(other, "x", AtMostOnce, 0));
        }
        trace.expect_nothing("bob");
        trace.send("ada", publish("caf\u{E9}/a", "x", AtMostOnce, 0));
        trace.expect("bob", publish("caf\u{E9}/a", "x", AtMostOnce, 0));
    });
}

/// [MQTT-3.3.2-3]
#[test]
fn a_subscriber_hears_the_topic_that_was_published_and_its_filter_matches() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.send("ada", retained("a/b", "kept"));
        for filter in ["a/b", "a/+", "#", "$share/g/+/b"] {
            trace.connect("bob");
            trace.subscribe("bob", filter, AtMostOnce);
            if !filter.starts_with('$') {
                trace.expect("bob", retained("a/b", "kept"));
            }
            for topic in ["a/b", "A/B", "a"] {
                trace.send("ada", publish(topic, "x", AtMostOnce, 0));
            }
            trace.expect("bob", publish("a/b", "x", AtMostOnce, 0));
            let others = if filter == "#" { &["A/B", "a"][..] } else { &[] };
            for topic in others {
                trace.expect("bob", publish(topic, "x", AtMostOnce, 0));
            }
            trace.expect_nothing("bob");
        }
    });
}

/// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] [MQTT-4.7.3-4] [MQTT-3.3.2-3]
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
