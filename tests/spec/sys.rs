//! `$SYS` topics.

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Grants, Verdict},
    codec::{Connect, ConnectProperties, Packet, ReasonCode},
};

#[test]
fn sys_topics_come_at_once_and_then_in_their_interval_while_somebody_subscribes() {
    both(|version| {
        let mut trace = Trace::new(version);
        assert_eq!(trace.deadline(), None);
        trace.connect("ada");
        trace.subscribe("ada", "$SYS/broker/clients/connected", AtMostOnce);
        let first = trace.hear_publish("ada");
        assert_eq!((first.payload.as_ref(), first.retain), (&b"1"[..], true));
        trace.connect("bob");
        trace.wait_secs(10);
        let second = trace.hear_publish("ada");
        assert_eq!((second.payload.as_ref(), second.retain), (&b"2"[..], false));
        trace.expect_nothing("bob");
        trace.leave("ada");
        trace.leave("bob");
        trace.wait_secs(10);
        assert_eq!(trace.deadline(), None, "nobody watches, nothing is due");
    });
}

#[test]
fn sys_topics_never_come_where_their_interval_is_0() {
    let mut trace = Trace::with(V5, Config { sys_interval_seconds: 0, ..Default::default() });
    trace.connect("ada");
    trace.subscribe("ada", "$SYS/#", AtMostOnce);
    trace.wait_secs(100);
    trace.expect_nothing("ada");
    assert_eq!(trace.deadline(), None);
}

#[test]
fn sys_begins_again_when_a_session_that_watches_it_returns() {
    let mut trace = Trace::new(V5);
    trace.resume("ada");
    trace.subscribe("ada", "$SYS/#", AtMostOnce);
    trace.cut("ada");
    trace.wait_secs(20);
    trace.resume("ada");
    trace.wait_secs(10);
    assert!(trace.hear_publish("ada").topic.as_str().starts_with("$SYS/"));
}

#[test]
fn nobody_else_publishes_to_sys_and_wildcards_do_not_show_it() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "#", AtMostOnce);
        trace.connect("ada");
        trace.send("ada", publish("$SYS/broker/version", "mine", AtLeastOnce, 1));
        trace.expect("ada", puback(1, ReasonCode::NotAuthorized));
        trace.expect_nothing("bob");
    });
}

#[test]
fn nothing_is_due_once_the_last_who_watched_may_not_or_will_not() {
    let config = Config { authentication: Authentication::Ask, ..Default::default() };
    let mut trace = Trace::with(V5, config);
    let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
    let connect = Connect { clean_start: false, properties, ..connect("ada") };
    let enter = |trace: &mut Trace, grants| {
        trace.open("ada");
        trace.send("ada", Packet::Connect(Box::new(connect.clone())));
        trace.answer(Verdict::allow(grants));
        trace.hear("ada");
    };
    enter(&mut trace, Grants::all());
    for filter in ["$SYS/+", "$SYS/broker/x"] {
        trace.subscribe("ada", filter, AtMostOnce);
    }
    trace.send("ada", unsubscribe(2, &["$SYS/+", "$SYS/+"]));
    trace.hear("ada");
    trace.wait_secs(10);
    assert!(trace.deadline().is_some(), "one is watched still");
    trace.send("ada", unsubscribe(2, &["$SYS/broker/x"]));
    trace.hear("ada");
    trace.wait_secs(10);
    assert_eq!(trace.deadline(), None);
    trace.subscribe("ada", "$SYS/+", AtMostOnce);
    trace.cut("ada");
    enter(&mut trace, Grants::of(Vec::new()));
    trace.wait_secs(10);
    assert_eq!(trace.deadline(), None);
}
