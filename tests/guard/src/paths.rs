//! The hot paths: each prepares what it needs, and is counted from there on.

use crate::{
    Measured,
    host::{Host, NOW, PUBLISHER, TOPIC, connect, encode, publish, repeat, subscribe},
};
use bytes::BytesMut;
use mqlite::{
    broker::{Broker, Config, ConnectionId, Durability, Input},
    codec::{Ack, Packet, PacketId, ProtocolVersion, QoS},
};
use std::hint::black_box;

/// What it is called, with the unit in which it is counted, and how it is prepared.
pub type Path = (&'static str, fn() -> Measured);

/// What is counted.
pub const PATHS: [Path; 18] = [
    ("decode a PUBLISH", decode),
    ("encode a PUBLISH", encode_publish),
    ("route a message among 12 filters", route_few),
    ("route a message among 100,000 filters, 30 % with wildcards", route_many),
    ("route a message among these, each topic for the first time", route_many_new),
    ("1:1 at QoS 0, a message", || one_to_one(QoS::AtMostOnce, 1)),
    ("1:1 at QoS 0, a message of 64 in one chunk", || one_to_one(QoS::AtMostOnce, 64)),
    ("1:1 at QoS 0, a message with a Topic Alias to the subscriber", one_to_one_alias),
    ("1:1 at QoS 1, a message", || one_to_one(QoS::AtLeastOnce, 1)),
    ("1:1 at QoS 2, a message", || one_to_one(QoS::ExactlyOnce, 1)),
    ("1:1 at QoS 1 with records, a message", one_to_one_durable),
    ("1 to 1,000 at QoS 0, a delivery", || fan_out(QoS::AtMostOnce)),
    ("1 to 1,000 at QoS 1, a delivery", || fan_out(QoS::AtLeastOnce)),
    ("connect, subscribe and leave, a client", connect_and_leave),
    ("ping, a connection", ping),
    ("look a retained message up among 10,000", look_retained_up),
    ("send 10,000 retained messages, one", retained_storm),
    ("restore a session with 2 subscriptions and a message, a record", restore),
];

/// What the broker keeps of each of these, once connected.
pub const IDLE: [Path; 2] =
    [("an idle connection", || idle(0)), ("an idle connection with a subscription", || idle(1))];

fn of(count: usize, mut work: impl FnMut() + 'static) -> Measured {
    Measured { count, work: Box::new(move || (0..count).for_each(|_| work())) }
}

/// The same for work that is counted by what it does, not by how often.
fn whole(count: usize, work: impl FnMut() + 'static) -> Measured {
    Measured { count, work: Box::new(work) }
}

fn decode() -> Measured {
    let bytes = encode(&Packet::Publish(publish(TOPIC, QoS::AtMostOnce, false)));
    of(1_000, move || _ = black_box(Packet::decode(bytes.clone(), ProtocolVersion::V5)))
}

fn encode_publish() -> Measured {
    let packet = Packet::Publish(publish(TOPIC, QoS::AtMostOnce, false));
    let mut out = BytesMut::with_capacity(1 << 16);
    of(1_000, move || {
        packet.encode(ProtocolVersion::V5, &mut out).unwrap();
        black_box(&out);
    })
}

fn route_few() -> Measured {
    let mut host = Host::new(Durability::None);
    host.connect(1, false);
    for number in 0..10 {
        host.subscribe(1, &format!("room/{number}/light"), QoS::AtMostOnce);
    }
    host.subscribe(1, "room/+/door", QoS::AtMostOnce);
    host.subscribe(1, "cellar/#", QoS::AtMostOnce);
    publish_to(host, ["room/3/light", "room/4/door", "cellar/a/b", "room/9/light"].map(String::from).into(), 4)
}

fn route_many() -> Measured {
    let (host, topics) = many_filters();
    publish_to(host, topics[..100].into(), 10)
}

fn route_many_new() -> Measured {
    let (host, topics) = many_filters();
    publish_to(host, topics, 1)
}

/// 100,000 filters of 1,000 clients; each topic is matched by one of them without wildcards, one `+` and one `#`.
fn many_filters() -> (Host, Vec<String>) {
    let mut host = Host::new(Durability::None);
    (1..=1_000).for_each(|number| host.connect(number, false));
    for number in 0..100_000 {
        let (site, device) = (number / 100, number % 100);
        let filter = match number % 10 {
            0 => format!("site/{site}/+/{device}/state"),
            1 => format!("+/{site}/line/{device}/#"),
            2 => format!("site/{site}/line/{device}/#"),
            _ => format!("site/{site}/line/{device}/state"),
        };
        host.subscribe(1 + number % 1_000, &filter, QoS::AtMostOnce);
    }
    let topics = (0..1_000).map(|site| format!("site/{site}/line/{}/state", site % 100)).collect();
    (host, topics)
}

fn publish_to(mut host: Host, topics: Vec<String>, rounds: usize) -> Measured {
    let packet = |topic: &String| encode(&Packet::Publish(publish(topic, QoS::AtMostOnce, false)));
    let packets: Vec<_> = topics.iter().map(packet).collect();
    whole(packets.len() * rounds, move || {
        for _ in 0..rounds {
            packets.iter().for_each(|packet| assert_eq!(host.feed(PUBLISHER, packet.clone()), 1));
        }
    })
}

/// Both sides acknowledge what they must.
fn one_to_one(qos: QoS, joined: usize) -> Measured {
    let mut host = Host::new(Durability::None);
    host.connect(1, false);
    host.subscribe(1, TOPIC, qos);
    let packets = repeat(&encode(&Packet::Publish(publish(TOPIC, qos, false))), joined);
    let mut exchange = exchange(qos);
    exchange(&mut host);
    whole(64 * 16, move || {
        for _ in 0..64 * 16 / joined {
            let frames = if qos == QoS::AtMostOnce { joined } else { 2 };
            assert_eq!(host.feed(PUBLISHER, packets.clone()), frames);
            exchange(&mut host);
        }
    })
}

/// What follows a PUBLISH: the subscriber's identifiers count up, the publisher's is always the same.
fn exchange(qos: QoS) -> impl FnMut(&mut Host) {
    let mut id = PacketId::LAST;
    let acks = move |id: PacketId| {
        let ack = || Ack::from(id);
        let sent = [Packet::PubAck(ack()), Packet::PubRec(ack()), Packet::PubComp(ack())];
        sent.map(|packet| encode(&packet))
    };
    let all: Vec<_> = (1..=2_000).map(|id| acks(PacketId::new(id).unwrap())).collect();
    let release = encode(&Packet::PubRel(PacketId::FIRST.into()));
    move |host| {
        let Some([puback, pubrec, pubcomp]) = all.get(usize::from(id.value()) - 1) else {
            id = id.next(); // the first time nothing has been sent
            return;
        };
        match qos {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => assert_eq!(host.feed(1, puback.clone()), 0),
            QoS::ExactlyOnce => {
                assert_eq!(host.feed(PUBLISHER, release.clone()), 1);
                assert_eq!(host.feed(1, pubrec.clone()), 1);
                assert_eq!(host.feed(1, pubcomp.clone()), 0);
            }
        }
        id = id.next();
    }
}

fn one_to_one_alias() -> Measured {
    use mqlite::codec::{Connect, ConnectProperties, Text};
    let mut host = Host::new(Durability::None);
    let properties = ConnectProperties { topic_alias_maximum: Some(10), ..ConnectProperties::default() };
    let client_id = Text::from_static("client-1");
    let connect = Connect { clean_start: true, client_id, properties, ..Connect::default() };
    host.0.handle(NOW, Input::Opened { connection: ConnectionId(1) }).for_each(drop);
    host.feed(1, encode(&Packet::Connect(Box::new(connect))));
    host.subscribe(1, TOPIC, QoS::AtMostOnce);
    let packet = encode(&Packet::Publish(publish(TOPIC, QoS::AtMostOnce, false)));
    host.feed(PUBLISHER, packet.clone());
    of(1_000, move || assert_eq!(host.feed(PUBLISHER, packet.clone()), 1))
}

fn one_to_one_durable() -> Measured {
    let mut host = Host::new(Durability::Sessions);
    host.connect(1, true);
    host.subscribe(1, TOPIC, QoS::AtLeastOnce);
    let packet = encode(&Packet::Publish(publish(TOPIC, QoS::AtLeastOnce, false)));
    let mut exchange = exchange(QoS::AtLeastOnce);
    exchange(&mut host);
    of(1_000, move || {
        assert_eq!(host.feed(PUBLISHER, packet.clone()), 2);
        exchange(&mut host);
    })
}

fn fan_out(qos: QoS) -> Measured {
    let mut host = Host::new(Durability::None);
    for number in 1..=1_000 {
        host.connect(number, false);
        host.subscribe(number, "sensor/+/temperature", qos);
    }
    let packet = encode(&Packet::Publish(publish(TOPIC, qos, false)));
    let frames = 1_000 + usize::from(qos > QoS::AtMostOnce);
    host.feed(PUBLISHER, packet.clone());
    whole(10_000, move || (0..10).for_each(|_| assert_eq!(host.feed(PUBLISHER, packet.clone()), frames)))
}

fn connect_and_leave() -> Measured {
    let mut host = Host::new(Durability::None);
    let come = |number| (number, connect(number, false), subscribe(&format!("client/{number}/in"), QoS::AtLeastOnce));
    let clients: Vec<_> = (1..=1_000).map(come).collect();
    whole(1_000, move || {
        for (number, connect, subscribe) in &clients {
            host.0.handle(NOW, Input::Opened { connection: ConnectionId(*number) }).for_each(drop);
            host.feed(*number, connect.clone());
            host.feed(*number, subscribe.clone());
        }
        for (number, ..) in &clients {
            host.0.handle(NOW, Input::Closed { connection: ConnectionId(*number) }).for_each(drop);
        }
    })
}

fn ping() -> Measured {
    let mut host = Host::new(Durability::None);
    (1..=1_000).for_each(|number| host.connect(number, false));
    let ping = encode(&Packet::PingReq);
    whole(1_000, move || (1..=1_000).for_each(|number| assert_eq!(host.feed(number, ping.clone()), 1)))
}

fn retaining(count: usize) -> Host {
    let mut host = Host::new(Durability::None);
    for number in 0..count {
        let topic = format!("site/{}/line/{number}/state", number / 100);
        host.feed(PUBLISHER, encode(&Packet::Publish(publish(&topic, QoS::AtMostOnce, true))));
    }
    host.connect(1, false);
    host
}

fn look_retained_up() -> Measured {
    let mut host = retaining(10_000);
    let filters: Vec<_> =
        (0..100).map(|site| subscribe(&format!("site/{site}/+/{}/state", site * 100), QoS::AtMostOnce)).collect();
    whole(100, move || filters.iter().for_each(|filter| assert_eq!(host.feed(1, filter.clone()) + host.catch_up(), 2)))
}

fn retained_storm() -> Measured {
    let mut host = retaining(10_000);
    let filter = subscribe("site/#", QoS::AtMostOnce);
    whole(10_000, move || assert_eq!(host.feed(1, filter.clone()) + host.catch_up(), 10_001))
}

fn restore() -> Measured {
    let mut host = Host::new(Durability::Sessions);
    for number in 1..=500 {
        host.connect(number, true);
        host.subscribe(number, &format!("client/{number}/in"), QoS::AtLeastOnce);
        host.subscribe(number, "client/all/#", QoS::AtLeastOnce);
        host.0.handle(NOW, Input::Closed { connection: ConnectionId(number) }).for_each(drop);
        let topic = format!("client/{number}/in");
        host.feed(PUBLISHER, encode(&Packet::Publish(publish(&topic, QoS::AtLeastOnce, false))));
    }
    let records = host.0.records();
    whole(records.len(), move || {
        let config = Config { durability: Durability::Sessions, ..Config::default() };
        let restored = Broker::restore(config, [7; 32], records.iter().cloned());
        assert!(restored.rejected.is_empty());
        black_box(restored);
    })
}

fn idle(subscriptions: u64) -> Measured {
    let mut host = Host::new(Durability::None);
    let come = |number| (number, connect(number, false), subscribe(&format!("client/{number}/in"), QoS::AtLeastOnce));
    let clients: Vec<_> = (1..=10_000).map(come).collect();
    whole(10_000, move || {
        for (number, connect, subscribe) in &clients {
            host.0.handle(NOW, Input::Opened { connection: ConnectionId(*number) }).for_each(drop);
            host.feed(*number, connect.clone());
            if subscriptions > 0 {
                host.feed(*number, subscribe.clone());
            }
        }
    })
}
