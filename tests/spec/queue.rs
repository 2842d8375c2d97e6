//! What waits for a session: in which order it comes, and what makes room.

use crate::harness::*;
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Input},
    codec::{Connect, ConnectProperties, Packet, Publish, PublishProperties, QoS},
};
use std::num::NonZeroU16;

fn expiring(topic: &str, payload: &'static str, seconds: u32) -> Packet {
    let properties = PublishProperties { message_expiry_interval: Some(seconds), ..Default::default() };
    Packet::Publish(Publish { qos: AtLeastOnce, packet_id: Some(id(1)), properties, ..message(topic, payload) })
}

#[test]
fn expired_messages_make_room_in_a_full_queue() {
    let mut trace = Trace::with(V5, Config { maximum_queued_messages: 3, ..Default::default() });
    trace.resume("bob");
    trace.subscribe("bob", "t", AtLeastOnce);
    trace.cut("bob");
    trace.connect("ada");
    trace.send("ada", expiring("t", "lasting", 1_000));
    for _ in 0..2 {
        trace.send("ada", expiring("t", "old", 1));
    }
    trace.wait_secs(5);
    for payload in ["fresh", "fresher"] {
        trace.send("ada", publish("t", payload, AtLeastOnce, 2));
    }
    trace.send("ada", publish("t", "too many", AtLeastOnce, 2));
    assert_eq!(trace.statistics().messages_dropped, 1);
    trace.resume("bob");
    for payload in ["lasting", "fresh", "fresher"] {
        assert_eq!(trace.hear_publish("bob").payload, payload);
    }
    trace.expect_nothing("bob");
}

/// [MQTT-3.3.2-5]
#[test]
fn an_expired_message_of_a_share_is_not_handed_on() {
    let mut trace = Trace::new(V5);
    let properties = ConnectProperties { session_expiry_interval: Some(10), ..Default::default() };
    trace.connect_with("a", Connect { properties, ..connect("a") });
    trace.subscribe("a", "$share/g/t", AtLeastOnce);
    trace.cut("a");
    trace.connect("ada");
    trace.send("ada", expiring("t", "old", 2));
    trace.send("ada", expiring("t", "lasting", 1_000));
    trace.wait_secs(5);
    trace.connect("b");
    trace.subscribe("b", "$share/g/t", AtLeastOnce);
    trace.wait_secs(6);
    assert_eq!(trace.hear_publish("b").payload, "lasting");
    trace.expect_nothing("b");
}

#[test]
fn a_message_of_a_share_goes_where_there_is_room() {
    both(|version| {
        let config = Config { maximum_queued_messages: 1, maximum_in_flight: 1, ..Default::default() };
        let mut trace = Trace::with(version, config);
        for name in ["a", "b", "c"] {
            trace.resume(name);
            trace.subscribe(name, "$share/g/t", AtLeastOnce);
        }
        trace.subscribe("a", "u", AtLeastOnce);
        trace.cut("c");
        trace.connect("ada");
        for _ in 0..2 {
            trace.send("ada", publish("u", "x", AtLeastOnce, 1));
        }
        // b takes one and keeps one, then c, which is away, keeps one, and the last finds no room.
        for dropped in [0, 0, 0, 1] {
            trace.send("ada", publish("t", "x", AtLeastOnce, 1));
            assert_eq!(trace.statistics().messages_dropped, dropped);
        }
        trace.resume("c");
        assert_eq!(trace.hear_publish("c").topic, text("t"));
    });
}

/// The PUBLISH that was to set the alias is too large for that by three bytes.
#[test]
fn an_alias_that_was_not_sent_is_not_used() {
    let maximum_packet_size = mqlite::codec::MAXIMUM_PACKET_SIZE;
    let mut trace = Trace::with(V5, Config { maximum_packet_size, ..Default::default() });
    let properties = ConnectProperties { topic_alias_maximum: Some(1), ..Default::default() };
    trace.connect_with("bob", Connect { properties, ..connect("bob") });
    trace.subscribe("bob", "t", AtMostOnce);
    let largest = maximum_packet_size as usize - 5 - 4;
    let publish = Publish { payload: vec![0; largest].into(), ..message("t", "") };
    let now = trace.now();
    let sent: Vec<_> = trace.broker().handle(now, Input::Publish { publish, caller: None }).collect();
    assert!(
        matches!(&sent[..], [Action::Send { frame, .. }, Action::Published { .. }] if frame.payload.len() == largest),
        "{}",
        sent.len()
    );
    trace.broker().handle(now, Input::Writable { connection: ConnectionId(1) }).for_each(drop);
    trace.publish(message("t", "small"));
    let publish = trace.hear_publish("bob");
    assert_eq!((publish.topic, publish.properties.topic_alias), (text("t"), NonZeroU16::new(1)));
}

#[test]
fn a_host_that_has_written_hears_whether_something_waits_for_the_room() {
    let mut trace = Trace::with(V5, Config { send_buffer: 10, ..Default::default() });
    trace.connect("bob");
    trace.subscribe("bob", "t", AtLeastOnce);
    let (now, bob) = (trace.now(), ConnectionId(1));
    let broker = trace.broker();
    let frames = |broker: &mut Broker, input: Input| {
        broker.handle(now, input).filter(|action| matches!(action, Action::Send { .. })).count()
    };
    let sent = |broker: &mut Broker, qos: QoS| {
        let publish = Publish { qos, ..message("t", "as long as that") };
        frames(broker, Input::Publish { publish, caller: None })
    };
    assert!(!broker.written(bob, 0));
    assert_eq!([sent(broker, AtLeastOnce), sent(broker, AtLeastOnce)], [1, 0]);
    assert!(broker.written(bob, 0));
    assert_eq!(frames(broker, Input::Writable { connection: bob }), 1);
    assert!(!broker.written(bob, 10));
    assert_eq!(sent(broker, AtMostOnce), 0);
    assert!(!broker.written(bob, 9));
    assert_eq!(sent(broker, AtMostOnce), 1);
    assert!(!broker.written(ConnectionId(7), 0));
}

#[test]
fn the_turns_of_a_share_go_on_past_those_who_are_away() {
    let mut trace = Trace::new(V5);
    for name in ["a", "b", "c", "d"] {
        trace.resume(name);
        trace.subscribe(name, "$share/g/t", AtLeastOnce);
    }
    trace.cut("b");
    trace.connect("ada");
    for (name, payload) in [("a", "1"), ("c", "2"), ("d", "3"), ("a", "4"), ("c", "5")] {
        trace.send("ada", publish("t", payload, AtLeastOnce, 1));
        assert_eq!(trace.hear_publish(name).payload, payload);
    }
}
