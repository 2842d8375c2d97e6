//! What the host does itself, and what it can look at: on its own behalf, or on that of somebody with rights.

use crate::harness::*;
use mqlite::{
    broker::{Action, Authentication, Broker, Caller, Config, Durability, Grant, Grants, Input, Page, Verdict},
    codec::{Connect, ConnectProperties, Packet, Publish, PublishProperties, QoS, ReasonCode, Text},
    time::Timestamp,
};

const NOW: Timestamp = Timestamp(1_000_000);

/// [MQTT-3.14.2-1]
#[test]
fn a_client_that_the_host_disconnects_hears_why_leaves_its_will_and_may_come_back() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("bob");
        trace.subscribe("bob", "will", AtMostOnce);
        let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
        let will = Some(will("will", "gone"));
        trace.connect_with("ada", Connect { clean_start: false, properties, will, ..connect("ada") });
        trace.disconnect("nobody", ReasonCode::AdministrativeAction, true);
        trace.expect_nothing("ada");
        trace.disconnect("ada", ReasonCode::AdministrativeAction, false);
        trace.expect_thrown_out("ada", ReasonCode::AdministrativeAction);
        assert_eq!(trace.hear_publish("bob").payload, "gone");
        trace.disconnect("ada", ReasonCode::AdministrativeAction, false);
        assert!(trace.resume("ada"), "the session outlives it");
    });
}

#[test]
fn a_session_ends_with_or_without_its_connection_when_the_host_says_so() {
    both(|version| {
        for is_connected in [true, false] {
            let mut trace = Trace::new(version);
            trace.resume("ada");
            trace.subscribe("ada", "t", AtLeastOnce);
            if !is_connected {
                trace.cut("ada");
            }
            trace.disconnect("ada", ReasonCode::NotAuthorized, true);
            if is_connected {
                trace.expect_thrown_out("ada", ReasonCode::NotAuthorized);
            }
            let statistics = trace.statistics();
            assert_eq!((statistics.sessions, statistics.subscriptions), (0, 0));
            assert!(!trace.resume("ada"));
        }
    });
}

#[test]
fn what_a_disconnect_may_not_say_is_said_otherwise() {
    for (reason, told) in [
        (ReasonCode::Success, ReasonCode::NotAuthorized),
        (ReasonCode::Banned, ReasonCode::NotAuthorized),
        (ReasonCode::ServerUnavailable, ReasonCode::ServerBusy),
    ] {
        let mut trace = Trace::new(V5);
        trace.connect("ada");
        trace.disconnect("ada", reason, false);
        trace.expect_thrown_out("ada", told);
    }
}

#[test]
fn the_host_sees_who_is_connected_and_who_has_a_session() {
    let config =
        Config { authentication: Authentication::Ask, durability: Durability::Connections, ..Default::default() };
    let mut trace = Trace::with(V5, config);
    let came = trace.now();
    let come = |trace: &mut Trace, name: &'static str, connect: Connect, user_name: Option<Text>| {
        trace.open(name);
        trace.send(name, Packet::Connect(Box::new(connect)));
        trace.answer(Verdict::Allow { grants: Grants::all(), data: None, user_name, expires_at: None });
        trace.hear_connack(name);
    };
    let properties = ConnectProperties { session_expiry_interval: Some(60), ..Default::default() };
    let ada = Connect { properties, keep_alive: 30, ..connect("ada") };
    come(&mut trace, "ada", ada, Some(text("lovelace")));
    trace.subscribe("ada", "t", AtLeastOnce);
    come(&mut trace, "bob", connect("bob"), None);
    trace.send("bob", publish("t", "x", AtLeastOnce, 1));
    trace.miss_secs(1);
    trace.sleep();
    let page = trace.broker().clients(None, 10);
    let ids: Vec<_> = page.items.iter().map(|client| client.client_id.as_str()).collect();
    assert_eq!((ids, page.next), (vec!["ada", "bob"], None));
    let details = |trace: &mut Trace| trace.broker().client(&text("ada")).unwrap();
    let ada = details(&mut trace);
    assert_eq!(ada, page.items[0]);
    assert_eq!((ada.user_name, ada.connected, ada.connected_at), (Some(text("lovelace")), true, Some(came)));
    assert_eq!((ada.protocol_version, ada.keep_alive), (Some(V5), Some(30)));
    assert_eq!((ada.session_expiry_interval, ada.subscriptions, ada.queued, ada.in_flight), (60, 1, 0, 1));
    trace.cut("ada");
    trace.send("bob", publish("t", "y", AtLeastOnce, 2));
    let ada = details(&mut trace);
    assert_eq!((ada.connected, ada.connected_at, ada.protocol_version, ada.keep_alive), (false, None, None, None));
    assert_eq!((ada.queued, ada.in_flight), (1, 1));
    assert_eq!(trace.broker().client(&text("carol")), None);
}

#[test]
fn clients_come_page_by_page() {
    let mut trace = Trace::new(V5);
    for name in ["e", "a", "d", "c", "b"] {
        trace.connect(name);
    }
    let ids = |page: &Page<_>| -> String {
        let clients: &[mqlite::broker::ClientDetails] = &page.items;
        clients.iter().map(|client| client.client_id.as_str()).collect()
    };
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let page = trace.broker().clients(after.as_ref(), 2);
        pages.push(ids(&page));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
    assert_eq!(ids(&trace.broker().clients(Some(&text("bz")), usize::MAX)), "cde");
    assert_eq!(ids(&trace.broker().clients(None, 0)), "a");
}

fn retained_at(broker: &Broker, filter: &str, after: Option<&str>, limit: usize) -> (Vec<String>, Option<String>) {
    let page = broker.retained(NOW, &text(filter), after.map(text).as_ref(), limit, None).unwrap();
    let topics = page.items.iter().map(|publish| publish.topic.to_string()).collect();
    (topics, page.next.map(|next| next.to_string()))
}

fn with_retained(topics: impl IntoIterator<Item = String>) -> Broker {
    let mut broker = Broker::new(Config::default(), [1; 32]);
    for topic in topics {
        let publish = Publish { retain: true, ..message(&topic, "x") };
        broker.handle(NOW, Input::Publish { publish, caller: None }).for_each(drop);
    }
    broker
}

#[test]
fn what_is_retained_comes_page_by_page_in_order() {
    let broker = with_retained(["b", "a/b", "a", "a/a", "/a", "$SYS/x"].map(String::from));
    assert_eq!(retained_at(&broker, "#", None, 2), (vec!["/a".into(), "a".into()], Some("a".into())));
    assert_eq!(retained_at(&broker, "#", Some("a"), 9), (vec!["a/a".into(), "a/b".into(), "b".into()], None));
    assert_eq!(retained_at(&broker, "a/+", None, 1), (vec!["a/a".into()], Some("a/a".into())));
    assert_eq!(retained_at(&broker, "a/+", Some("a/b"), 1), (vec![], None));
    assert_eq!(retained_at(&broker, "$SYS/#", None, 1).0, ["$SYS/x"]);
}

#[test]
fn to_look_for_what_is_retained_takes_bounded_work() {
    let broker = with_retained((0..40_000).map(|number| format!("{number}/a")));
    let (mut after, mut pages) = (None::<String>, 0);
    loop {
        let (topics, next) = retained_at(&broker, "+/b", after.as_deref(), 1_000);
        assert!(topics.is_empty());
        pages += 1;
        match next {
            Some(next) => assert!(after.replace(next.clone()).is_none_or(|last| last < next), "{next}"),
            None => break,
        }
    }
    assert!(pages > 2, "{pages}");
    assert_eq!(retained_at(&broker, "#", None, usize::MAX).0.len(), 1_000);
    let mut broker = Broker::new(Config::default(), [1; 32]);
    for number in 0..20 {
        let payload = vec![b'x'; 1 << 19].into();
        let publish = Publish { retain: true, payload, ..message(&format!("{number}"), "") };
        broker.handle(NOW, Input::Publish { publish, caller: None }).for_each(drop);
    }
    let (topics, next) = retained_at(&broker, "#", None, 20);
    assert!((7..10).contains(&topics.len()) && next.is_some(), "{}", topics.len());
}

#[test]
fn what_is_retained_says_what_is_left_of_its_time_until_it_has_none() {
    let mut broker = Broker::new(Config::default(), [1; 32]);
    let properties = PublishProperties { message_expiry_interval: Some(10), ..all_properties() };
    let publish = Publish { retain: true, qos: ExactlyOnce, properties, ..message("t", "x") };
    broker.handle(NOW, Input::Publish { publish: publish.clone(), caller: None }).for_each(drop);
    let at = |seconds| broker.retained(NOW.plus_secs(seconds), &text("t"), None, 1, None).unwrap().items;
    let properties = PublishProperties { message_expiry_interval: Some(7), ..publish.properties.clone() };
    assert_eq!(at(3), [Publish { properties, ..publish }]);
    assert_eq!(at(10), []);
}

fn ada() -> Caller {
    let grant = |filter| Grant { filter: text(filter), ..Default::default() };
    let read = Grant { publish: false, ..grant("news/#") };
    let write = Grant { subscribe: false, maximum_qos: AtLeastOnce, retain: false, ..grant("in/+") };
    Caller { user_name: Some(text("ada")), grants: Grants::of(vec![grant("home/%u/#"), grant("%c/#"), read, write]) }
}

#[test]
fn who_looks_for_what_is_retained_sees_what_it_may_subscribe_to() {
    let broker = with_retained(["home/ada/x", "home/bob/x", "news/x", "in/x", "x"].map(String::from));
    let look = |filter: &str| {
        let page = broker.retained(NOW, &text(filter), None, 9, Some(&ada()));
        page.map(|page| page.items.iter().map(|it| it.topic.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(look("home/ada/+"), Ok(vec!["home/ada/x".into()]));
    assert_eq!(look("news/#"), Ok(vec!["news/x".into()]));
    for filter in ["#", "+/x", "home/#", "home/bob/x", "in/x", "x", "/#", "$SYS/#"] {
        assert_eq!(look(filter), Err(ReasonCode::NotAuthorized), "{filter}");
    }
    for filter in ["", "a/#/b", "$share/g/news/x", &"/".repeat(200)] {
        assert_eq!(look(filter), Err(ReasonCode::TopicFilterInvalid), "{filter}");
    }
}

/// What becomes of this message.
fn outcome(broker: &mut Broker, publish: Publish, caller: Option<Caller>) -> ReasonCode {
    let input = Input::Publish { publish, caller: caller.map(Box::new) };
    let told: Vec<_> = broker
        .handle(NOW, input)
        .filter_map(|action| if let Action::Published { reason } = action { Some(reason) } else { None })
        .collect();
    assert_eq!(told.len(), 1);
    told[0]
}

#[test]
fn the_host_hears_what_became_of_its_message() {
    let mut trace = Trace::with(
        V5,
        Config {
            maximum_qos: AtLeastOnce,
            maximum_packet_size: 1_000,
            maximum_retained_messages: 1,
            ..Default::default()
        },
    );
    trace.connect("ada");
    trace.subscribe("ada", "t", AtMostOnce);
    let large = Publish { payload: vec![b'x'; 1_000].into(), ..message("t", "") };
    for (publish, expected) in [
        (message("t", "x"), ReasonCode::Success),
        (message("u", "x"), ReasonCode::NoMatchingSubscribers),
        (message("a/+", "x"), ReasonCode::TopicNameInvalid),
        (Publish { retain: true, ..message("a", "x") }, ReasonCode::NoMatchingSubscribers),
        (Publish { retain: true, ..message("b", "x") }, ReasonCode::QuotaExceeded),
        (Publish { qos: ExactlyOnce, ..message("t", "x") }, ReasonCode::QoSNotSupported),
        (large, ReasonCode::PacketTooLarge),
    ] {
        assert_eq!(outcome(trace.broker(), publish, None), expected);
    }
    let mut broker = Broker::new(Config { retain_available: false, ..Default::default() }, [1; 32]);
    let publish = Publish { retain: true, ..message("a", "x") };
    assert_eq!(outcome(&mut broker, publish, None), ReasonCode::RetainNotSupported);
}

#[test]
fn who_publishes_through_the_host_may_do_what_its_grants_say() {
    let mut broker = Broker::new(Config::default(), [1; 32]);
    let mut published = |topic: &str, qos: QoS, retain: bool| {
        outcome(&mut broker, Publish { qos, retain, ..message(topic, "x") }, Some(ada()))
    };
    assert_eq!(published("home/ada/x", ExactlyOnce, true), ReasonCode::NoMatchingSubscribers);
    assert_eq!(published("in/x", AtLeastOnce, false), ReasonCode::NoMatchingSubscribers);
    for (topic, qos, retain) in [
        ("in/x", ExactlyOnce, false),
        ("in/x", AtLeastOnce, true),
        ("home/bob/x", AtMostOnce, false),
        ("news/x", AtMostOnce, false),
        ("/x", AtMostOnce, false),
        ("ada/x", AtMostOnce, false),
        ("$SYS/x", AtMostOnce, false),
    ] {
        assert_eq!(published(topic, qos, retain), ReasonCode::NotAuthorized, "{topic}");
    }
    let everything = Caller::default();
    assert_eq!(outcome(&mut broker, message("$SYS/x", "x"), Some(everything)), ReasonCode::NotAuthorized);
    assert_eq!(outcome(&mut broker, message("$SYS/x", "x"), None), ReasonCode::NoMatchingSubscribers);
}
