//! Clients that store what they do, and our own broker: connections break anywhere, sessions are lost, and clients crash with
//! whatever was not durable yet.

use crate::requests::{message, options, qos, subscribe};
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{self, Broker, Config, ConnectionId},
    client::{Action, Client, Delivery, Input, Outcome, Restored, Token},
    codec::QoS,
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// [MQTT-4.1.0-1] [MQTT-4.3.3-10] [MQTT-4.4.0-1]
    #[test]
    fn messages_survive_crashes_as_often_as_their_qos_says(v5: bool, steps in vec(step(), 1..150)) {
        let mut world = World::new(v5);
        world.take_all(steps);
        world.settle();
    }
}

/// However much of that was durable, and with the answers that had left by then at the broker. [MQTT-4.3.2-4] [MQTT-4.3.3-10]
#[test]
fn a_crash_while_messages_are_taken_over_loses_none() {
    for (v5, qos) in [false, true].into_iter().flat_map(|v5| QOS_1_AND_2.map(|qos| (v5, qos))) {
        for durable in 0.. {
            let mut world = World::new(v5);
            world.take_all([Step::Publish(qos), Step::Publish(qos), Step::Open(PUBLISHER)]);
            world.carry_all();
            world.take_all([Step::Acknowledge(1), Step::Acknowledge(0), Step::Sync(SUBSCRIBER, durable)]);
            let is_last = world.links[SUBSCRIBER].effects.is_empty();
            world.take_all([Step::Carry(SUBSCRIBER, true, usize::MAX), Step::Crash(SUBSCRIBER)]);
            world.settle();
            if is_last {
                assert_eq!(durable, 4, "two messages are taken over and two answers sent");
                break;
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Publish(QoS),
    /// So many bytes arrive, to the broker or from it.
    Carry(usize, bool, usize),
    /// So much of what a client wants written or sent is.
    Sync(usize, usize),
    /// The connection breaks, and what was on its way is lost.
    Cut(usize),
    Open(usize),
    /// The subscriber takes over the delivery at this place of those it holds.
    Acknowledge(usize),
    /// A client ends, and with it all that is not durable; another goes on.
    Crash(usize),
    /// The broker forgets a client's session.
    Forget(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let link = || 0..2_usize;
    prop_oneof![
        12 => qos().prop_map(Step::Publish),
        24 => (link(), any::<bool>(), 1..60_usize).prop_map(|(link, up, bytes)| Step::Carry(link, up, bytes)),
        20 => (link(), 1..9_usize).prop_map(|(link, effects)| Step::Sync(link, effects)),
        2 => link().prop_map(Step::Cut),
        6 => link().prop_map(Step::Open),
        10 => (0..4_usize).prop_map(Step::Acknowledge),
        3 => link().prop_map(Step::Crash),
        1 => link().prop_map(Step::Forget),
    ]
}

const PUBLISHER: usize = 0;
const SUBSCRIBER: usize = 1;
const QOS_1_AND_2: [QoS; 2] = [QoS::AtLeastOnce, QoS::ExactlyOnce];

/// A publisher, a broker and a subscriber that is subscribed.
struct World {
    v5: bool,
    broker: Broker,
    links: [Link; 2],
    last_connection: u64,
    /// All messages, by number, and those that the publisher is sure to have.
    published: BTreeMap<u64, QoS>,
    accepted: BTreeSet<u64>,
    /// The numbers of the messages that came, and of those that the subscriber has for good, in order.
    delivered: Vec<u64>,
    taken: Vec<u64>,
    held: Vec<(Delivery, u64)>,
    /// Whose session was lost.
    lost: [bool; 2],
}

struct Link {
    client: Client,
    connection: Option<ConnectionId>,
    /// What is durable.
    disk: BTreeMap<Bytes, Bytes>,
    /// What is to be, in order, and what waits for it.
    effects: VecDeque<Effect>,
    up: BytesMut,
    down: BytesMut,
}

enum Effect {
    /// What belongs together: keys, their values if there are any, and the message that the subscriber takes over.
    Write(Vec<(Bytes, Option<Bytes>)>, Option<u64>),
    Send(ConnectionId, Bytes),
    /// What came before is durable: the publisher is sure to have this message.
    Published(u64),
}

const NOW: Timestamp = Timestamp(1_000);
const NAMES: [&str; 2] = ["publisher", "subscriber"];

impl World {
    fn new(v5: bool) -> Self {
        let config = Config { receive_maximum: 3, ..Config::default() };
        let link = |name| Link {
            client: restore(v5, name, BTreeMap::new()),
            connection: None,
            disk: BTreeMap::new(),
            effects: VecDeque::new(),
            up: BytesMut::new(),
            down: BytesMut::new(),
        };
        let mut world = Self {
            v5,
            broker: Broker::new(config, [5; 32]),
            links: NAMES.map(link),
            last_connection: 0,
            published: BTreeMap::new(),
            accepted: BTreeSet::new(),
            delivered: Vec::new(),
            taken: Vec::new(),
            held: Vec::new(),
            lost: [false; 2],
        };
        world.open(SUBSCRIBER);
        world.client(SUBSCRIBER, subscribe(Token(0), "a"));
        world.carry_all();
        world
    }

    fn take_all(&mut self, steps: impl IntoIterator<Item = Step>) {
        steps.into_iter().for_each(|step| self.take(step));
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                let number = self.published.len() as u64 + 1;
                self.published.insert(number, qos);
                self.client(PUBLISHER, Input::Publish { token: Token(number), publish: message(qos, number) });
                self.links[PUBLISHER].effects.push_back(Effect::Published(number));
            }
            Step::Carry(link, true, bytes) => self.carry_up(link, bytes),
            Step::Carry(link, false, bytes) => self.carry_down(link, bytes),
            Step::Sync(link, effects) => self.sync(link, effects),
            Step::Cut(link) => self.cut(link),
            Step::Open(link) => self.open(link),
            Step::Acknowledge(place) => {
                if place < self.held.len() {
                    self.acknowledge(place);
                }
            }
            Step::Crash(link) => self.crash(link),
            Step::Forget(link) => self.forget(link),
        }
        for (link, name) in self.links.iter().zip(NAMES) {
            let mut soon = link.disk.clone();
            link.effects.iter().for_each(|effect| effect.write(&mut soon));
            assert_eq!(link.client.records().into_iter().collect::<BTreeMap<_, _>>(), soon, "storage is a mirror");
            assert_eq!(restore(self.v5, name, soon.clone()).records().into_iter().collect::<BTreeMap<_, _>>(), soon);
        }
    }

    /// Lets everything arrive, then checks that it did, and as often as it should.
    fn settle(mut self) {
        for link in [PUBLISHER, SUBSCRIBER] {
            self.sync(link, usize::MAX);
            self.cut(link);
            self.open(link);
        }
        self.carry_all();
        while !self.held.is_empty() {
            self.acknowledge(0);
            self.carry_all();
        }
        assert!(self.links.iter().all(|link| link.disk.keys().all(|key| key[..] == *b"s")), "nothing is left");
        for (&number, &qos) in &self.published {
            let times = self.taken.iter().filter(|taken| **taken == number).count();
            let is_sure = self.accepted.contains(&number) && !self.lost[SUBSCRIBER];
            match qos {
                QoS::AtMostOnce => assert!(times <= 1, "{number} came {times} times"),
                QoS::AtLeastOnce => assert!(times >= 1 || !is_sure, "{number} did not come"),
                QoS::ExactlyOnce => {
                    let is_sure = is_sure && !self.lost[PUBLISHER];
                    assert!(times == 1 || (times == 0 && !is_sure), "{number} came {times} times");
                }
            }
        }
        if self.lost == [false; 2] {
            for qos in QOS_1_AND_2 {
                let mut seen = BTreeSet::new();
                let numbers = self.delivered.iter().filter(|number| self.published[*number] == qos);
                assert!(numbers.filter(|number| seen.insert(**number)).is_sorted(), "{:?}", self.delivered);
            }
        }
    }

    /// The subscriber has the message for good together with what the client stores first, and before any answer leaves.
    fn acknowledge(&mut self, place: usize) {
        let (delivery, number) = self.held.remove(place);
        let first = self.links[SUBSCRIBER].effects.len();
        self.client(SUBSCRIBER, Input::Acknowledge { delivery });
        let effects = &mut self.links[SUBSCRIBER].effects;
        match effects.get_mut(first) {
            Some(Effect::Write(_, taken)) => *taken = Some(number),
            _ => effects.insert(first, Effect::Write(Vec::new(), Some(number))),
        }
    }

    fn open(&mut self, link: usize) {
        if self.links[link].connection.is_none() {
            self.links[link].connection = Some(self.connect());
            self.client(link, Input::Opened);
        }
    }

    fn connect(&mut self) -> ConnectionId {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        self.broker(broker::Input::Opened { connection });
        connection
    }

    fn cut(&mut self, link: usize) {
        if self.drop_connection(link) {
            self.client(link, Input::Closed);
        }
    }

    fn drop_connection(&mut self, link: usize) -> bool {
        let Some(connection) = self.links[link].connection.take() else { return false };
        self.links[link].up.clear();
        self.links[link].down.clear();
        self.broker(broker::Input::Closed { connection });
        true
    }

    fn crash(&mut self, index: usize) {
        self.drop_connection(index);
        let link = &mut self.links[index];
        link.effects.clear();
        link.client = restore(self.v5, NAMES[index], link.disk.clone());
        if index == SUBSCRIBER {
            self.held.clear();
            self.client(SUBSCRIBER, subscribe(Token(0), "a"));
        }
    }

    /// Another client takes the session over, and leaves none. The client hears of it: if that CONNACK were lost, the session of
    /// the next connection would look like the one that it knew.
    fn forget(&mut self, link: usize) {
        self.cut(link);
        self.lost[link] = true;
        let mut options = options(self.v5, NAMES[link]);
        options.connect.clean_start = true;
        options.connect.properties.session_expiry_interval = None;
        let connection = self.connect();
        for action in Client::new(options).unwrap().handle(NOW, Input::Opened) {
            if let Action::Send { bytes } = action {
                self.broker(broker::Input::Received { connection, bytes });
            }
        }
        self.broker(broker::Input::Closed { connection });
        self.open(link);
        self.carry_all();
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
        let is_busy = |link: &Link| !link.up.is_empty() || !link.down.is_empty() || !link.effects.is_empty();
        while self.links.iter().any(is_busy) {
            for link in [PUBLISHER, SUBSCRIBER] {
                self.sync(link, usize::MAX);
                self.carry_up(link, usize::MAX);
                self.carry_down(link, usize::MAX);
            }
        }
    }

    fn sync(&mut self, index: usize, effects: usize) {
        let link = &mut self.links[index];
        for effect in link.effects.drain(..effects.min(link.effects.len())) {
            effect.write(&mut link.disk);
            match effect {
                Effect::Write(_, taken) => self.taken.extend(taken),
                Effect::Send(connection, bytes) => {
                    if link.connection == Some(connection) {
                        link.up.extend_from_slice(&bytes);
                    }
                }
                Effect::Published(number) => _ = self.accepted.insert(number),
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
        let Link { client, connection, effects, .. } = &mut self.links[index];
        let mut writes = Vec::new();
        for action in client.handle(NOW, input) {
            match action {
                Action::Put { key, value } => {
                    writes.push((key, Some(value)));
                    continue;
                }
                Action::Delete { key } => {
                    writes.push((key, None));
                    continue;
                }
                _ if !writes.is_empty() => effects.push_back(Effect::Write(core::mem::take(&mut writes), None)),
                _ => {}
            }
            match action {
                Action::Send { bytes } => effects.push_back(Effect::Send(connection.unwrap(), bytes)),
                Action::Completed { outcome, .. } => {
                    let is_lost = self.lost[index] && outcome == Outcome::Interrupted;
                    assert!(is_lost || !matches!(outcome, Outcome::Misused(_) | Outcome::Dropped), "{outcome:?}");
                }
                Action::Deliver { message, delivery } => {
                    let number = u64::from_be_bytes(message.payload[..].try_into().unwrap());
                    self.delivered.push(number);
                    match delivery {
                        Some(delivery) => self.held.push((delivery, number)),
                        None => effects.push_back(Effect::Write(Vec::new(), Some(number))),
                    }
                }
                Action::Connected { .. } | Action::Disconnected { .. } => {}
                action => panic!("the broker gives no reason for {action:?}"),
            }
        }
        if !writes.is_empty() {
            effects.push_back(Effect::Write(writes, None));
        }
    }
}

impl Effect {
    fn write(&self, disk: &mut BTreeMap<Bytes, Bytes>) {
        let Self::Write(writes, _) = self else { return };
        for (key, value) in writes {
            match value {
                Some(value) => _ = disk.insert(key.clone(), value.clone()),
                None => _ = disk.remove(key),
            }
        }
    }
}

fn restore(v5: bool, name: &'static str, records: BTreeMap<Bytes, Bytes>) -> Client {
    let Restored { client, rejected } = Client::restore(options(v5, name), records).unwrap();
    assert_eq!(rejected, []);
    client
}
