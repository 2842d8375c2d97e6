//! The server is killed again and again while clients publish and subscribe with QoS 1 and 2. They keep their sessions, and
//! in the end nothing that was acknowledged is lost and nothing of QoS 2 came twice.
//!
//! `MQLITE_ROUNDS` says how often, `MQLITE_SEED` at which moments.

use crate::{
    command::Process,
    harness::{Directory, HANG, text},
};
use bytes::Bytes;
use mqlite::{
    client::{Action, Client, Input, Options, Outcome, Token},
    codec::{Publish, QoS, ReasonCode, SubscribeFilter, SubscriptionOptions},
    time::Timestamp,
};
use std::{
    collections::BTreeMap,
    env,
    hash::{BuildHasher, RandomState},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

#[test]
fn killed_at_any_moment_the_server_loses_and_repeats_nothing() {
    let rounds = number("MQLITE_ROUNDS").unwrap_or(50);
    let seed = number("MQLITE_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let directory = Directory::new();
    let course = Arc::new(Course::new(rounds));
    let mut server = start(&directory);
    course.reached(0, &server);
    let subscribers: Vec<_> = [1, 1, 3].into_iter().map(|period| Subscriber::start(&course, period)).collect();
    course.wait("every subscription", |progress| progress.subscribed == subscribers.len());
    let qualities = [QoS::AtLeastOnce, QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::ExactlyOnce];
    let publishers: Vec<_> =
        qualities.into_iter().enumerate().map(|(number, qos)| Publisher::start(&course, number, qos)).collect();

    let mut random = Random(seed | 1);
    for round in 1..=rounds {
        let events = course.events() + random.below(MESSAGES * publishers.len() as u64);
        course.wait("progress", |progress| progress.events >= events && progress.is_even(round - 1));
        // Between two events too, not only right behind one.
        (0..random.below(200_000)).for_each(|_| std::hint::spin_loop());
        server.kill();
        server = start(&directory);
        course.reached(round, &server);
    }
    let acknowledged: u64 = publishers.into_iter().map(|publisher| publisher.join().unwrap()).sum();
    let taken: Vec<Taken> = subscribers.into_iter().map(|subscriber| subscriber.join().unwrap()).collect();

    let [(lost_1, again_1), (lost_2, again_2)] = [0, 1].map(|kind| {
        let publishers = qualities.iter().enumerate().filter(|(_, qos)| **qos as usize == kind + 1);
        let counts =
            publishers.flat_map(|(publisher, _)| taken.iter().map(move |taken| taken.count(publisher, rounds)));
        counts.fold((0, 0), |(lost, again), (more_lost, more_again)| (lost + more_lost, again + more_again))
    });
    println!(
        "{rounds} kills (MQLITE_SEED={seed}), {acknowledged} messages acknowledged, {} subscribers: \
         QoS 1 lost {lost_1} (repeated {again_1}), QoS 2 lost {lost_2} duplicated {again_2}",
        taken.len()
    );
    assert_eq!(acknowledged, (rounds + 1) * MESSAGES * qualities.len() as u64);
    assert_eq!((lost_1, lost_2, again_2), (0, 0, 0));
}

fn start(directory: &Directory) -> Process {
    let process = Process::start_in(directory);
    assert!(process.before.is_empty(), "{:?}", process.before);
    process
}

/// Where the test is, for its threads.
struct Course {
    rounds: u64,
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Default)]
struct Progress {
    /// The round, and where its server listens.
    round: Option<(u64, SocketAddr)>,
    subscribed: usize,
    /// Messages that were acknowledged or taken.
    events: u64,
    published: u64,
    /// In which rounds each subscriber is there, and how far it has come.
    taken: BTreeMap<usize, (u64, u64)>,
}

impl Course {
    fn new(rounds: u64) -> Self {
        Self { rounds, progress: Mutex::default(), changed: Condvar::new() }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Progress) -> T) -> T {
        let result = change(&mut self.progress.lock().unwrap());
        self.changed.notify_all();
        result
    }

    #[track_caller]
    fn wait(&self, what: &str, until: impl Fn(&Progress) -> bool) {
        let progress = self.progress.lock().unwrap();
        let (_progress, waited) = self.changed.wait_timeout_while(progress, HANG, |progress| !until(progress)).unwrap();
        assert!(!waited.timed_out(), "no {what}");
    }

    fn events(&self) -> u64 {
        self.progress.lock().unwrap().events
    }

    fn reached(&self, round: u64, server: &Process) {
        self.change(|progress| progress.round = Some((round, server.tcp)));
    }

    /// The first round from `next` on that is one of every `period`, or the last.
    fn await_round(&self, next: u64, period: u64) -> (u64, SocketAddr) {
        let is_ours = |round: u64| round >= next && (round.is_multiple_of(period) || round == self.rounds);
        self.wait("server", |progress| progress.round.is_some_and(|(round, _)| is_ours(round)));
        self.progress.lock().unwrap().round.unwrap()
    }
}

impl Progress {
    /// Whether those who are there in this round have so little left to take that no queue overflows in the next ones.
    fn is_even(&self, round: u64) -> bool {
        let present = self.taken.values().filter(|(period, _)| round.is_multiple_of(*period));
        present.into_iter().all(|(_, taken)| taken + 300 >= self.published)
    }
}

/// Publishes so many messages in each round, and each again until it is acknowledged.
struct Publisher {
    number: usize,
    qos: QoS,
    published: u64,
    completed: u64,
}

impl Publisher {
    fn start(course: &Arc<Course>, number: usize, qos: QoS) -> thread::JoinHandle<u64> {
        let course = course.clone();
        thread::spawn(move || {
            let mut publisher = Self { number, qos, published: 0, completed: 0 };
            let mut session = Session::new(&format!("publisher {number}"));
            let all = (course.rounds + 1) * MESSAGES;
            for round in 0.. {
                let (round, address) = course.await_round(round, 1);
                let most = (round + 1) * MESSAGES;
                session.talk(address, |action, inputs| publisher.act(action, inputs, most, &course));
                if publisher.completed == all {
                    break;
                }
            }
            publisher.completed
        })
    }

    fn act(&mut self, action: Action, inputs: &mut Vec<Input>, most: u64, course: &Course) -> bool {
        match action {
            Action::Connected { .. } => {}
            Action::Completed { outcome: Outcome::Published { reason, .. }, .. } => {
                // A PUBREL that comes again finds nothing: its PUBCOMP was lost with the server.
                let is_done = self.qos == QoS::ExactlyOnce && reason == ReasonCode::PacketIdentifierNotFound;
                assert!(is_done || reason == ReasonCode::Success, "{reason}");
                self.completed += 1;
                course.change(|progress| {
                    (progress.published, progress.events) = (progress.published + 1, progress.events + 1)
                });
            }
            other => panic!("a publisher was told {other:?}"),
        }
        while self.published < most && self.published - self.completed < WINDOW {
            let payload = Bytes::from(format!("{} {}", self.number, self.published));
            let publish = Publish { topic: text("kill"), payload, qos: self.qos, ..Default::default() };
            inputs.push(Input::Publish { token: Token(self.published), publish });
            self.published += 1;
        }
        self.completed == (course.rounds + 1) * MESSAGES
    }
}

/// Takes what comes, in every round or in one of several.
struct Subscriber {
    number: usize,
    taken: Taken,
}

/// The numbers of the messages of each publisher, in the order they came.
#[derive(Default)]
struct Taken(BTreeMap<usize, Vec<u64>>);

impl Subscriber {
    fn start(course: &Arc<Course>, period: u64) -> thread::JoinHandle<Taken> {
        let number = course.change(|progress| {
            let number = progress.taken.len();
            progress.taken.insert(number, (period, 0));
            number
        });
        let course = course.clone();
        thread::spawn(move || {
            let mut subscriber = Self { number, taken: Taken::default() };
            let mut session = Session::new(&format!("subscriber {number}"));
            for round in 0.. {
                let (_, address) = course.await_round(round, period);
                session.talk(address, |action, inputs| subscriber.act(action, inputs, &course));
                if subscriber.has_all(&course) {
                    break;
                }
            }
            subscriber.taken
        })
    }

    fn act(&mut self, action: Action, inputs: &mut Vec<Input>, course: &Course) -> bool {
        match action {
            Action::Connected { session_present: true, .. } => {}
            Action::Connected { .. } => {
                let options = SubscriptionOptions { qos: QoS::ExactlyOnce, ..Default::default() };
                let filters = vec![SubscribeFilter { filter: text("kill"), options }];
                inputs.push(Input::Subscribe {
                    token: Token(0),
                    filters,
                    properties: Default::default(),
                    number: None,
                });
            }
            Action::Completed { outcome: Outcome::Subscribed { .. }, .. } => {
                course.change(|progress| progress.subscribed += 1);
            }
            Action::Deliver { message, delivery } => {
                let payload = String::from_utf8(message.payload.to_vec()).unwrap();
                let (publisher, number) = payload.split_once(' ').unwrap();
                let numbers = self.taken.0.entry(publisher.parse().unwrap()).or_default();
                let number: u64 = number.parse().unwrap();
                // One that is lost is not waited for, but counted in the end.
                let news = (number + 1).saturating_sub(numbers.iter().max().map_or(0, |last| last + 1));
                numbers.push(number);
                inputs.extend(delivery.map(|delivery| Input::Acknowledge { delivery }));
                course.change(|progress| {
                    progress.events += 1;
                    let (_, taken) = progress.taken.get_mut(&self.number).unwrap();
                    *taken += news;
                });
            }
            other => panic!("a subscriber was told {other:?}"),
        }
        self.has_all(course)
    }

    /// Whether the last message of each publisher came: each one's come in order.
    fn has_all(&self, course: &Course) -> bool {
        let last = (course.rounds + 1) * MESSAGES - 1;
        self.taken.0.len() == 4 && self.taken.0.values().all(|numbers| numbers.contains(&last))
    }
}

impl Taken {
    /// How many of a publisher's messages are not there, and how many are there more than once.
    fn count(&self, publisher: usize, rounds: u64) -> (u64, u64) {
        let numbers = self.0.get(&publisher).cloned().unwrap_or_default();
        let mut distinct = numbers.clone();
        distinct.sort_unstable();
        distinct.dedup();
        ((rounds + 1) * MESSAGES - distinct.len() as u64, (numbers.len() - distinct.len()) as u64)
    }
}

/// A client that keeps its session over any number of connections.
struct Session {
    client: Client,
    was_connected: bool,
}

impl Session {
    fn new(client_id: &str) -> Self {
        let mut options = Options::new(text(client_id));
        options.connect.keep_alive = 0;
        options.connect.properties.session_expiry_interval = Some(3_600);
        Self { client: Client::new(options).unwrap(), was_connected: false }
    }

    /// Connects, and talks until the server is gone or `act` says that it is enough.
    fn talk(&mut self, address: SocketAddr, mut act: impl FnMut(Action, &mut Vec<Input>) -> bool) {
        // Where a server was just killed nobody listens: the next one comes.
        let Ok(mut stream) = TcpStream::connect(address) else { return };
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        let mut inputs = vec![Input::Opened];
        let mut buffer = vec![0; 64 << 10];
        let is_enough = loop {
            let mut out = Vec::new();
            let mut is_enough = false;
            while !inputs.is_empty() {
                let mut next = Vec::new();
                for input in inputs.drain(..) {
                    for action in self.client.handle(Timestamp(0), input) {
                        match action {
                            Action::Send { bytes } => out.extend_from_slice(&bytes),
                            Action::Disconnected { cause } => panic!("{cause:?}"),
                            action => {
                                if let Action::Connected { session_present, .. } = action {
                                    assert!(session_present || !self.was_connected, "a session is lost");
                                    self.was_connected = true;
                                }
                                is_enough |= act(action, &mut next);
                            }
                        }
                    }
                }
                inputs = next;
            }
            if stream.write_all(&out).is_err() {
                break false;
            }
            if is_enough {
                break true;
            }
            match stream.read(&mut buffer) {
                Ok(length) if length > 0 => {
                    inputs.push(Input::Received { bytes: Bytes::copy_from_slice(&buffer[..length]) });
                }
                _ => break false,
            }
        };
        if !is_enough {
            self.client.handle(Timestamp(0), Input::Closed).for_each(drop);
        }
    }
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// Messages that each publisher adds in a round.
const MESSAGES: u64 = 40;
/// Messages that a publisher has on their way at a time.
const WINDOW: u64 = 8;
