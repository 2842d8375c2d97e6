//! Messages that the host reviews before they are published: in their order, once, and whatever happens meanwhile.

use crate::harness::*;
use mqlite::{
    broker::{Config, Decision, Durability, Event, PublishRule, ReviewFallback, ReviewId},
    codec::{Connect, Packet, ProtocolVersion, ReasonCode},
};

fn config() -> Config {
    let rules = vec![PublishRule::new(text("a/#"), "review", None).unwrap()];
    Config { rules, durability: Durability::Connections, review_timeout_millis: 3_000, ..Default::default() }
}

/// `ada` publishes, `bob` has subscribed to everything.
fn two(version: ProtocolVersion, config: Config) -> Trace {
    let mut trace = Trace::with(version, config);
    trace.resume("bob");
    trace.subscribe("bob", "#", ExactlyOnce);
    trace.resume("ada");
    trace
}

fn rewrite(topic: Option<&str>, payload: Option<&'static str>) -> Decision {
    Decision::Rewrite { topic: topic.map(text), payload: payload.map(Into::into) }
}

#[test]
fn nothing_is_acknowledged_or_published_before_the_host_has_decided() {
    both(|version| {
        let mut trace = two(version, config());
        for (packet_id, qos) in [(1, AtLeastOnce), (2, ExactlyOnce)] {
            trace.send("ada", publish("a", "x", qos, packet_id));
            trace.expect_nothing("ada");
            trace.expect_nothing("bob");
            assert_eq!(trace.statistics().messages_in_review, 1);
            let (review, request) = trace.review();
            assert_eq!((request.client_id, request.user_name), (text("ada"), None));
            assert_eq!((request.publish.topic, request.publish.payload), (text("a"), "x".into()));
            trace.reviewed(review, Some(Decision::Accept));
            let acknowledgement = if qos == AtLeastOnce { puback } else { pubrec };
            trace.expect("ada", acknowledgement(packet_id, ReasonCode::Success));
            trace.expect("bob", publish("a", "x", qos, packet_id));
            assert_eq!(trace.statistics().messages_in_review, 0);
        }
        assert_eq!(trace.statistics().messages_received, 2);
    });
}

#[test]
fn the_host_may_change_topic_and_payload_drop_or_refuse() {
    both(|version| {
        let mut trace = two(version, config());
        let mut decided = |packet_id, decision, reason| {
            trace.send("ada", publish("a/1", "x", AtLeastOnce, packet_id));
            trace.decide(decision);
            trace.expect("ada", puback(packet_id, reason));
            let published = trace.peer_publishes("bob");
            trace.acknowledge_all("bob");
            published
        };
        let success = ReasonCode::Success;
        assert_eq!(decided(1, rewrite(Some("b/1"), Some("y")), success), [("b/1".into(), "y".into())]);
        assert_eq!(decided(2, rewrite(None, Some("y")), success), [("a/1".into(), "y".into())]);
        assert_eq!(decided(3, rewrite(Some("b"), None), success), [("b".into(), "x".into())]);
        assert_eq!(decided(4, Decision::Drop, success), []);
        let banned = Decision::Refuse { reason: ReasonCode::PayloadFormatInvalid };
        assert_eq!(decided(5, banned, ReasonCode::PayloadFormatInvalid), []);
        let unsayable = Decision::Refuse { reason: ReasonCode::Banned };
        assert_eq!(decided(6, unsayable, ReasonCode::ImplementationSpecificError), []);
        for (packet_id, topic) in [(7, "$SYS/x"), (8, "b/+"), (9, "$delayed/1/b")] {
            assert_eq!(decided(packet_id, rewrite(Some(topic), None), ReasonCode::TopicNameInvalid), []);
        }
    });
}

#[test]
fn a_payload_that_makes_the_packet_too_large_is_refused() {
    let mut trace = two(V5, Config { maximum_packet_size: 100, ..config() });
    trace.send("ada", publish("a", "x", AtLeastOnce, 1));
    trace.decide(Decision::Rewrite { topic: None, payload: Some(vec![0; 100].into()) });
    trace.expect("ada", puback(1, ReasonCode::QuotaExceeded));
    trace.expect_nothing("bob");
}

#[test]
fn what_the_publisher_sends_meanwhile_waits_and_keeps_its_order_and_others_do_not_wait() {
    both(|version| {
        let mut trace = two(version, config());
        trace.connect("eve");
        trace.send("ada", publish("a", "1", AtMostOnce, 0));
        trace.send("ada", publish("b", "2", AtMostOnce, 0));
        trace.send("ada", publish("a", "3", AtMostOnce, 0));
        trace.send("ada", Packet::PingReq);
        trace.send("eve", publish("b", "0", AtMostOnce, 0));
        trace.expect("bob", publish("b", "0", AtMostOnce, 0));
        trace.expect_nothing("bob");
        assert_eq!(trace.reviews(), 1);
        trace.decide(Decision::Accept);
        trace.expect("bob", publish("a", "1", AtMostOnce, 0));
        trace.expect("bob", publish("b", "2", AtMostOnce, 0));
        trace.expect_nothing("bob");
        trace.expect_nothing("ada");
        trace.decide(Decision::Accept);
        trace.expect("bob", publish("a", "3", AtMostOnce, 0));
        trace.expect("ada", Packet::PingResp);
    });
}

#[test]
fn when_the_time_is_over_or_the_host_cannot_decide_the_fallback_counts_and_is_told() {
    both(|version| {
        for (fallback, reason, count) in [
            (ReviewFallback::Accept, ReasonCode::Success, 1),
            (ReviewFallback::Drop, ReasonCode::Success, 0),
            (ReviewFallback::Refuse, ReasonCode::ImplementationSpecificError, 0),
        ] {
            let mut trace = two(version, Config { review_fallback: fallback, ..config() });
            trace.forget_events();
            trace.send("ada", publish("a", "x", AtLeastOnce, 1));
            let (late, _) = trace.review();
            trace.wait_secs(2);
            trace.expect_nothing("ada");
            trace.wait_secs(1);
            trace.expect("ada", puback(1, reason));
            let failed = Event::ReviewFailed { client_id: text("ada"), topic: text("a") };
            assert_eq!(trace.events()[0], failed);
            assert_eq!(trace.count("bob"), count);
            // The next question is not the one that is answered late.
            trace.send("ada", publish("a", "y", AtLeastOnce, 2));
            trace.reviewed(late, Some(Decision::Accept));
            trace.expect_nothing("ada");
            let (review, _) = trace.review();
            trace.reviewed(review, None);
            trace.expect("ada", puback(2, reason));
            assert_eq!(trace.deadline(), None);
        }
    });
}

#[test]
fn an_answer_to_no_question_changes_nothing() {
    let mut trace = two(V5, config());
    trace.reviewed(ReviewId(7), Some(Decision::Accept));
    trace.expect_nothing("ada");
    trace.expect_nothing("bob");
}

#[test]
fn a_client_is_not_silent_while_what_it_says_waits_for_a_review() {
    let mut trace = Trace::with(V5, Config { review_timeout_millis: 60_000, ..config() });
    trace.connect_with("ada", Connect { keep_alive: 2, ..connect("ada") });
    trace.send("ada", publish("a", "x", AtLeastOnce, 1));
    for _ in 0..10 {
        trace.wait_secs(2);
        trace.send("ada", Packet::PingReq);
    }
    trace.decide(Decision::Drop);
    trace.expect("ada", puback(1, ReasonCode::Success));
    assert_eq!(trace.count("ada"), 10);
    trace.wait_secs(4);
    trace.expect_thrown_out("ada", ReasonCode::KeepAliveTimeout);
}

#[test]
fn what_was_sent_before_the_connection_ended_is_reviewed_and_published() {
    both(|version| {
        let mut trace = two(version, config());
        trace.send("ada", publish("a", "1", AtMostOnce, 0));
        trace.send("ada", publish("b", "2", AtMostOnce, 0));
        trace.send("ada", disconnect(ReasonCode::Success));
        trace.cut("ada");
        trace.decide(Decision::Accept);
        trace.expect("bob", publish("a", "1", AtMostOnce, 0));
        trace.expect("bob", publish("b", "2", AtMostOnce, 0));
        assert_eq!(trace.statistics().clients_connected, 1);
    });
}

#[test]
fn a_client_that_is_taken_over_has_its_message_reviewed_again_when_it_sends_it_again() {
    both(|version| {
        let mut trace = two(version, config());
        for qos in [AtLeastOnce, ExactlyOnce] {
            trace.send("ada", publish("a", "x", qos, 1));
            let (late, _) = trace.review();
            trace.cut("ada");
            assert!(trace.resume("ada"));
            let Packet::Publish(again) = publish("a", "x", qos, 1) else { unreachable!() };
            trace.send("ada", Packet::Publish(mqlite::codec::Publish { dup: true, ..again }));
            trace.reviewed(late, Some(Decision::Accept));
            trace.expect_nothing("bob");
            trace.expect_nothing("ada");
            trace.decide(Decision::Accept);
            let acknowledgement = if qos == AtLeastOnce { puback } else { pubrec };
            trace.expect("ada", acknowledgement(1, ReasonCode::Success));
            assert_eq!(trace.peer_publishes("bob").len(), 1);
            trace.acknowledge_all("bob");
        }
        assert_eq!(trace.statistics().messages_in_review, 0);
    });
}

#[test]
fn a_message_of_qos_2_that_was_decided_is_neither_reviewed_nor_published_again() {
    both(|version| {
        for decision in [Decision::Accept, Decision::Drop] {
            let mut trace = two(version, config());
            let count = usize::from(decision == Decision::Accept);
            trace.send("ada", publish("a", "x", ExactlyOnce, 1));
            trace.decide(decision);
            trace.expect("ada", pubrec(1, ReasonCode::Success));
            assert_eq!(trace.count("bob"), count);
            trace.crash();
            trace.resume("bob");
            trace.count("bob");
            assert!(trace.resume("ada"));
            trace.send("ada", publish("a", "x", ExactlyOnce, 1));
            trace.expect("ada", pubrec(1, ReasonCode::Success));
            assert_eq!(trace.reviews(), 0);
            trace.expect_nothing("bob");
        }
    });
}

#[test]
fn a_message_that_was_refused_may_come_again_as_another() {
    both(|version| {
        let mut trace = two(version, config());
        trace.send("ada", publish("a", "x", ExactlyOnce, 1));
        trace.decide(Decision::Refuse { reason: ReasonCode::NotAuthorized });
        trace.expect("ada", pubrec(1, ReasonCode::NotAuthorized));
        trace.send("ada", publish("a", "y", ExactlyOnce, 1));
        trace.decide(Decision::Accept);
        trace.expect("ada", pubrec(1, ReasonCode::Success));
        trace.expect("bob", publish("a", "y", ExactlyOnce, 1));
    });
}

#[test]
fn a_crash_leaves_nothing_of_what_was_not_decided_and_it_is_reviewed_when_it_comes_again() {
    both(|version| {
        let mut trace = two(version, config());
        trace.send("ada", publish("a", "x", ExactlyOnce, 1));
        trace.crash();
        trace.resume("bob");
        assert!(trace.resume("ada"));
        trace.send("ada", publish("a", "x", ExactlyOnce, 1));
        trace.expect_nothing("bob");
        trace.decide(Decision::Accept);
        trace.expect("ada", pubrec(1, ReasonCode::Success));
        trace.expect("bob", publish("a", "x", ExactlyOnce, 1));
    });
}

#[test]
fn a_sleep_asks_again_and_loses_nothing_that_waits() {
    both(|version| {
        let mut trace = two(version, config());
        trace.send("ada", publish("a", "1", ExactlyOnce, 1));
        trace.send("ada", publish("a", "2", AtMostOnce, 0));
        for _ in 0..2 {
            trace.sleep();
            trace.expect_nothing("ada");
            trace.expect_nothing("bob");
        }
        assert_eq!(trace.reviews(), 1);
        trace.decide(Decision::Accept);
        trace.expect("ada", pubrec(1, ReasonCode::Success));
        trace.expect("bob", publish("a", "1", ExactlyOnce, 1));
        trace.sleep();
        trace.decide(Decision::Accept);
        trace.expect("bob", publish("a", "2", AtMostOnce, 0));
        trace.sleep();
        assert_eq!(trace.reviews(), 0);
        trace.expect_nothing("bob");
    });
}

#[test]
fn a_large_message_in_review_outlives_a_sleep_too_and_leaves_no_record() {
    let mut trace = two(V5, config());
    let records = trace.stored();
    let large: &'static str = "x".repeat(100_000).leak();
    trace.send("ada", publish("a", large, AtLeastOnce, 1));
    assert!(trace.stored() > records + 10);
    trace.sleep();
    trace.send("ada", publish("b", "2", AtMostOnce, 0));
    trace.sleep();
    trace.decide(Decision::Drop);
    trace.expect("ada", puback(1, ReasonCode::Success));
    trace.expect("bob", publish("b", "2", AtMostOnce, 0));
    assert_eq!(trace.stored(), records);
}

#[test]
fn what_waits_for_a_review_is_memory_and_beyond_the_limit_nobody_is_asked() {
    let mut trace = Trace::with(V5, Config { maximum_message_bytes: 2_000, ..config() });
    let large: &'static str = "x".repeat(3_000).leak();
    for name in ["ada", "eve"] {
        trace.connect(name);
    }
    trace.send("ada", publish("a", large, AtMostOnce, 0));
    assert!(trace.statistics().message_bytes > 3_000);
    trace.send("eve", publish("a", "x", AtLeastOnce, 1));
    trace.expect("eve", puback(1, ReasonCode::QuotaExceeded));
    trace.decide(Decision::Drop);
    assert_eq!((trace.statistics().message_bytes, trace.reviews()), (0, 0));
}

#[test]
fn a_client_that_sends_on_during_a_review_is_closed_in_the_end() {
    let mut trace = Trace::with(V5, Config { maximum_packet_size: 10_000, ..config() });
    trace.connect("ada");
    trace.send("ada", publish("a", "x", AtMostOnce, 0));
    let large: &'static str = "x".repeat(9_000).leak();
    for _ in 0..40 {
        if trace.is_open("ada") {
            trace.send("ada", publish("b", large, AtMostOnce, 0));
        }
    }
    trace.expect_thrown_out("ada", ReasonCode::QuotaExceeded);
    assert_eq!(trace.statistics().messages_in_review, 0);
}
