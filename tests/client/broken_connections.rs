//! Our client and our broker over connections that break anywhere.

use crate::requests::{message, options, qos, subscribe};
use bytes::BytesMut;
use mqlite::{
    broker::{self, Broker, Config, ConnectionId},
    client::{Action, Client, Delivery, Input, Outcome, Token},
    codec::QoS,
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn messages_cross_broken_connections_as_often_as_their_qos_says(v5: bool, steps in vec(step(), 1..150)) {
        let mut world = World::new(v5);
        for step in steps {
            world.take(step);
        }
        world.settle();
    }
}

/// [MQTT-3.2.2-4]
#[test]
fn a_new_process_loses_no_message_to_the_identifiers_of_an_earlier_one() {
    for (v5, is_interrupted) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut world = World::new(v5);
        world.open(PUBLISHER);
        world.carry_all();
        world.take(Step::Publish(QoS::ExactlyOnce));
        world.carry_up(PUBLISHER, usize::MAX);
        world.cut(PUBLISHER);
        world.links[PUBLISHER].client = Client::new(options(v5, "publisher")).unwrap();
        world.completed.insert(Token(1));
        world.open(PUBLISHER);
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            world.take(Step::Publish(qos));
        }
        if !is_interrupted {
            world.carry_all();
        }
        for _ in 0..300 {
            world.take(Step::Publish(QoS::ExactlyOnce));
        }
        world.settle();
    }
}

#[derive(Clone, Debug)]
enum Step {
    Publish(QoS),
    /// So many bytes arrive, to the broker or from it.
    Carry(usize, bool, usize),
    /// The connection breaks, and what was on its way is lost.
    Cut(usize),
    Open(usize),
    /// The subscriber acknowledges the delivery at this place of those it holds.
    Acknowledge(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let link = || 0..2_usize;
    prop_oneof![
        6 => qos().prop_map(Step::Publish),
        12 => (link(), any::<bool>(), 1..60_usize).prop_map(|(link, up, bytes)| Step::Carry(link, up, bytes)),
        1 => link().prop_map(Step::Cut),
        2 => link().prop_map(Step::Open),
        5 => (0..4_usize).prop_map(Step::Acknowledge),
    ]
}

const PUBLISHER: usize = 0;
const SUBSCRIBER: usize = 1;

/// A publisher, a broker and a subscriber that is always subscribed.
struct World {
    broker: Broker,
    links: [Link; 2],
    last_connection: u64,
    tokens: BTreeMap<Token, QoS>,
    completed: BTreeSet<Token>,
    received: Vec<(QoS, u64)>,
    held: Vec<Delivery>,
}

struct Link {
    client: Client,
    connection: Option<ConnectionId>,
    up: BytesMut,
    down: BytesMut,
}

const NOW: Timestamp = Timestamp(1_000);

impl World {
    fn new(v5: bool) -> Self {
        let config = Config { receive_maximum: 3, ..Config::default() };
        let link = |name| Link {
            client: Client::new(options(v5, name)).unwrap(),
            connection: None,
            up: BytesMut::new(),
            down: BytesMut::new(),
        };
        let mut world = Self {
            broker: Broker::new(config, [5; 32]),
            links: [link("publisher"), link("subscriber")],
            last_connection: 0,
            tokens: BTreeMap::new(),
            completed: BTreeSet::new(),
            received: Vec::new(),
            held: Vec::new(),
        };
        world.open(SUBSCRIBER);
        world.client(SUBSCRIBER, subscribe(Token(0), "a"));
        world.carry_all();
        world.completed.clear();
        world
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                let number = self.tokens.len() as u64 + 1;
                self.tokens.insert(Token(number), qos);
                self.client(PUBLISHER, Input::Publish { token: Token(number), publish: message(qos, number) });
            }
            Step::Carry(link, true, bytes) => self.carry_up(link, bytes),
            Step::Carry(link, false, bytes) => self.carry_down(link, bytes),
            Step::Cut(link) => self.cut(link),
            Step::Open(link) => self.open(link),
            Step::Acknowledge(place) => {
                if place < self.held.len() {
                    let delivery = self.held.remove(place);
                    self.client(SUBSCRIBER, Input::Acknowledge { delivery });
                }
            }
        }
    }

    /// Lets everything arrive, then checks that it did, in order and as often as it should.
    fn settle(mut self) {
        for link in [PUBLISHER, SUBSCRIBER] {
            self.cut(link);
            self.open(link);
        }
        self.carry_all();
        while !self.held.is_empty() {
            let delivery = self.held.remove(0);
            self.client(SUBSCRIBER, Input::Acknowledge { delivery });
            self.carry_all();
        }
        assert!(self.tokens.keys().all(|token| self.completed.contains(token)), "every request completes");
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let sent: Vec<_> = self.tokens.iter().filter(|(_, it)| **it == qos).map(|(token, _)| token.0).collect();
            let received: Vec<_> =
                self.received.iter().filter(|(it, _)| *it == qos).map(|(_, number)| *number).collect();
            let mut first = BTreeSet::new();
            let fresh: Vec<_> = received.iter().copied().filter(|number| first.insert(*number)).collect();
            match qos {
                QoS::AtMostOnce => {
                    assert!(received.is_sorted_by(|a, b| a < b), "at most once, in order: {received:?}");
                    assert!(received.iter().all(|number| sent.contains(number)));
                }
                QoS::AtLeastOnce => assert_eq!(fresh, sent, "at least once, in order: {received:?}"),
                QoS::ExactlyOnce => assert_eq!(received, sent, "exactly once, in order"),
            }
        }
    }

    fn open(&mut self, link: usize) {
        if self.links[link].connection.is_some() {
            return;
        }
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        self.links[link].connection = Some(connection);
        self.broker(broker::Input::Opened { connection });
        self.client(link, Input::Opened);
    }

    fn cut(&mut self, link: usize) {
        let Some(connection) = self.links[link].connection.take() else { return };
        self.links[link].up.clear();
        self.links[link].down.clear();
        self.broker(broker::Input::Closed { connection });
        self.client(link, Input::Closed);
    }

    fn carry_up(&mut self, link: usize, bytes: usize) {
        let Link { up, connection, .. } = &mut self.links[link];
        let (bytes, Some(connection)) = (up.split_to(bytes.min(up.len())).freeze(), *connection) else { return };
        self.broker(broker::Input::Received { connection, bytes });
    }

    fn carry_down(&mut self, link: usize, bytes: usize) {
        let down = &mut self.links[link].down;
        let bytes = down.split_to(bytes.min(down.len())).freeze();
        let connection = self.links[link].connection;
        self.client(link, Input::Received { bytes });
        if let Some(connection) = connection.filter(|_| self.links[link].down.is_empty()) {
            self.broker(broker::Input::Writable { connection });
        }
    }

    fn carry_all(&mut self) {
        while self.links.iter().any(|link| !link.up.is_empty() || !link.down.is_empty()) {
            for link in [PUBLISHER, SUBSCRIBER] {
                self.carry_up(link, usize::MAX);
                self.carry_down(link, usize::MAX);
            }
        }
    }

    fn broker(&mut self, input: broker::Input) {
        for action in self.broker.handle(NOW, input) {
            match action {
                broker::Action::Send { connection, frame } => {
                    if let Some(link) = self.links.iter_mut().find(|link| link.connection == Some(connection)) {
                        frame.write_to(&mut link.down);
                    }
                }
                broker::Action::Report(_) => {}
                action => panic!("the clients give no reason for {action:?}"),
            }
        }
    }

    fn client(&mut self, index: usize, input: Input) {
        let link = &mut self.links[index];
        for action in link.client.handle(NOW, input) {
            match action {
                Action::Send { bytes } => link.up.extend_from_slice(&bytes),
                Action::Completed { token, outcome } => {
                    assert!(self.completed.insert(token), "a request completes once");
                    assert!(!matches!(outcome, Outcome::Misused(_)), "{outcome:?}");
                }
                Action::Deliver { message, delivery } => {
                    let number = u64::from_be_bytes(message.payload[..].try_into().unwrap());
                    self.received.push((message.qos, number));
                    self.held.extend(delivery);
                }
                Action::Connected { .. } | Action::Disconnected { .. } => {}
                action => panic!("the broker gives no reason for {action:?}"),
            }
        }
    }
}
