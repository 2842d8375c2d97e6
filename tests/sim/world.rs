//! The world: one clock, one queue of events, a broker with its host, clients, links and a disk.

use super::{
    check::{Violation, violated},
    client::{Outbox, Scripted, message, name_of},
    delivery::Float,
    host::{Host, Output},
    link::Link,
    random::Random,
    real::Real,
    trace::{Connect, Operation, Scenario, Setup},
};
use bytes::Bytes;
use mqlite::{
    broker::{ConnectionId, Statistics},
    codec::{ProtocolVersion, Publish},
};
use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    rc::Rc,
};

/// What a run without a violation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub events: u64,
    /// All that the broker did, as one number.
    pub log: u64,
}

/// Runs a scenario to its end, where all sessions end and nothing may be left.
pub fn run(scenario: &Scenario) -> Result<Outcome, Violation> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(scenario);
        for step in &scenario.steps {
            world.run_until(world.now + step.gap);
            world.perform(&step.operation);
        }
        world.heal();
        world.end_all();
        Outcome { events: world.host.inputs(), log: world.host.log }
    }));
    outcome.map_err(|panic| match panic.downcast::<Violation>() {
        Ok(violation) => *violation,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            Violation { invariant: "nothing panics", detail: text.unwrap_or_default().into() }
        }
    })
}

struct World {
    setup: Rc<Setup>,
    random: Random,
    now: u64,
    /// How far the broker's clock is from ours.
    offset: i64,
    host: Host,
    clients: Vec<Client>,
    links: BTreeMap<ConnectionId, Link>,
    fails_to_commit: bool,
    last_connection: u64,
    queue: BTreeMap<(u64, u64), Event>,
    last_event: u64,
}

struct Client {
    peer: Peer,
    link: Option<ConnectionId>,
    /// How often each QoS 2 message came in this session.
    delivered: BTreeMap<Bytes, u64>,
    /// A member of a shared subscription may get a message by another subscription too.
    shares: bool,
}

enum Peer {
    Scripted(Box<Scripted>),
    Real(Box<Real>),
}

#[derive(Debug)]
enum Event {
    /// Bytes have come to one end of a link.
    Arrival(ConnectionId),
    /// The broker's host hears that the link is gone.
    Gone(ConnectionId),
    Verdict(ConnectionId),
    Commit,
}

/// Well beyond what any scenario needs.
const MOST_EVENTS: u64 = 200_000;

impl World {
    fn new(scenario: &Scenario) -> Self {
        let setup = Rc::new(scenario.setup.clone());
        let clients = (0..setup.clients).map(|index| Client {
            peer: match setup.real >> index & 1 {
                0 => Peer::Scripted(Box::new(Scripted::new(index))),
                _ => Peer::Real(Box::new(Real::new(index))),
            },
            link: None,
            delivered: BTreeMap::new(),
            shares: false,
        });
        Self {
            clients: clients.collect(),
            host: Host::new(setup.clone()),
            setup,
            random: Random::new(scenario.seed ^ 0x5EED),
            now: 1_000_000,
            offset: 0,
            links: BTreeMap::new(),
            fails_to_commit: false,
            last_connection: 0,
            queue: BTreeMap::new(),
            last_event: 0,
        }
    }

    fn perform(&mut self, operation: &Operation) {
        match operation {
            Operation::Connect { client, connect } => self.connect(*client, connect),
            Operation::Publish { client, .. }
            | Operation::Subscribe { client, .. }
            | Operation::Unsubscribe { client, .. }
            | Operation::Acknowledge { client }
            | Operation::Ping { client }
            | Operation::Disconnect { client, .. } => self.operate(*client, operation),
            Operation::Cut { client } => self.lose(*client, true),
            Operation::Vanish { client } => self.lose(*client, false),
            Operation::Stall { client } => {
                if let Some(link) = self.link_of(*client) {
                    link.is_read = false;
                }
            }
            Operation::Read { client } => {
                if let Some(link) = self.link_of(*client) {
                    link.is_read = true;
                    let id = self.clients[*client as usize].link.expect("there is a link");
                    self.schedule(0, Event::Arrival(id));
                }
            }
            Operation::HostPublish { .. } => {
                let publish = message(operation, ProtocolVersion::V5);
                self.host.publish(self.wall(), publish);
            }
            Operation::Keep { name, value } => self.host.keep(self.wall(), *name, *value),
            Operation::Dismiss { client, ends } => self.host.dismiss(self.wall(), name_of(*client), *ends),
            Operation::Wait { millis } => self.run_until(self.now + millis),
            Operation::Jump { millis } => self.offset += millis,
            Operation::Settle => self.settle(),
            Operation::Hibernate | Operation::Crash | Operation::Panic | Operation::FailStorage
                if !self.host.has_storage() => {}
            Operation::Hibernate => {
                self.steady_the_clock();
                self.host.sleep(self.wall(), None);
            }
            Operation::Crash => {
                self.steady_the_clock();
                let survives = self.random.below(self.host.disk.pending() as u64 + 1);
                self.host.crash(self.wall(), survives as usize);
            }
            Operation::Panic => self.host.panics = true,
            Operation::FailStorage => self.fails_to_commit = true,
        }
        self.carry();
    }

    fn connect(&mut self, client: u64, connect: &Connect) {
        if self.random.chance(50) {
            self.lose(client, true);
        }
        // Else the old connection stays, and is taken over.
        if let Some(link) = self.link_of(client) {
            link.is_held = false;
        }
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        self.links.insert(id, Link::new(client));
        self.clients[client as usize].link = Some(id);
        self.host.opened(self.wall(), id);
        let (now, mut out) = (self.now, Outbox::default());
        match &mut self.clients[client as usize].peer {
            Peer::Scripted(scripted) => scripted.connect(connect, &mut out),
            Peer::Real(real) => real.connect(now, connect, &mut out),
        }
        self.take(client, out);
    }

    fn operate(&mut self, client: u64, operation: &Operation) {
        let (now, mut out) = (self.now, Outbox::default());
        let it = &mut self.clients[client as usize];
        if let Operation::Subscribe { filters, .. } = operation {
            it.shares |= filters.iter().any(|filter| filter.filter.starts_with("$share/"));
        }
        match &mut it.peer {
            Peer::Scripted(scripted) => scripted.operate(operation, &mut out),
            Peer::Real(real) => real.operate(now, operation, &mut out),
        }
        self.take(client, out);
    }

    /// The client's network fails; whether the broker hears of it.
    fn lose(&mut self, client: u64, is_heard: bool) {
        let Some(id) = self.clients[client as usize].link.take() else { return };
        let (now, mut out) = (self.now, Outbox::default());
        match &mut self.clients[client as usize].peer {
            Peer::Scripted(scripted) => scripted.closed(),
            Peer::Real(real) => real.closed(now, &mut out),
        }
        self.take(client, out);
        let Some(link) = self.links.get_mut(&id) else { return };
        (link.is_held, link.is_alive) = (false, false);
        if is_heard {
            let rest = link.cut(&mut self.random);
            self.host.panics = false;
            self.host.received(self.wall(), id, rest, &mut self.random);
            self.host.closed(self.wall(), id);
            self.links.remove(&id);
        }
        self.carry();
    }

    /// What a client wants done.
    fn take(&mut self, client: u64, out: Outbox) {
        let it = &mut self.clients[client as usize];
        if out.begins_anew {
            it.delivered.clear();
        }
        for payload in out.delivered.into_iter().filter(|payload| !payload.is_empty()) {
            // A crash may take back what a clean session was sent.
            let most = self.host.model.accepted.get(&payload).copied().unwrap_or(0).max(1);
            let count = it.delivered.entry(payload.clone()).or_default();
            *count += 1;
            if *count > most && !it.shares {
                violated("QoS 2 exactly once", format!("{payload:?} came {count} times to client {client}"));
            }
        }
        let Some(id) = it.link else { return };
        let Some(link) = self.links.get_mut(&id) else { return };
        if !out.bytes.is_empty() {
            link.send_to_broker(self.now, out.bytes.freeze(), self.setup.network, &mut self.random);
            self.schedule_arrivals(id);
        }
        if out.closes {
            self.clients[client as usize].link = None;
            let link = self.links.get_mut(&id).expect("it was there above");
            link.is_held = false;
            let delay = self.setup.network * 3 + 1;
            self.schedule(delay, Event::Gone(id));
        }
    }

    /// What the host may let out goes out; what was written begins to be durable.
    fn carry(&mut self) {
        for output in std::mem::take(&mut self.host.outputs) {
            match output {
                Output::Send { connection, bytes, is_touched_by } => {
                    self.host.is_heard(is_touched_by.unwrap_or(0));
                    let Some(link) = self.links.get_mut(&connection) else { continue };
                    link.send_to_client(self.now, bytes, self.setup.network, &mut self.random);
                    self.schedule_arrivals(connection);
                }
                Output::Close { connection } => self.close(connection),
                Output::Ask { connection } => {
                    let delay = self.random.below(self.setup.network * 2 + 1);
                    self.schedule(delay, Event::Verdict(connection));
                }
            }
        }
        if self.host.disk.is_idle_with_work() {
            self.host.disk.begin_commit();
            let delay = self.random.below(self.setup.disk + 1);
            self.schedule(delay, Event::Commit);
        }
    }

    /// The broker's host has closed a connection: the client hears of it behind all that was sent.
    fn close(&mut self, id: ConnectionId) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.is_open) else { return };
        link.is_open = false;
        if link.is_held && link.is_alive {
            self.schedule(0, Event::Arrival(id));
        } else {
            self.links.remove(&id);
        }
    }

    fn run_until(&mut self, end: u64) {
        loop {
            let event_at = self.queue.first_key_value().map(|((at, _), _)| *at);
            let broker_at = self.host.deadline().map(|(at, _)| at.saturating_add_signed(-self.offset).max(self.now));
            let client_at = (0..self.setup.clients).filter_map(|client| Some((self.client_deadline(client)?, client)));
            let client_at = client_at.min();
            let all = [event_at, broker_at, client_at.map(|(at, _)| at)];
            let Some(next) = all.into_iter().flatten().min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(next);
            if event_at == Some(next) {
                let event = self.queue.pop_first().expect("there is one").1;
                self.happen(event);
            } else if broker_at == Some(next) {
                self.host.timeout(self.wall());
            } else if let Some((_, client)) = client_at {
                let (now, mut out) = (self.now, Outbox::default());
                if let Peer::Real(real) = &mut self.clients[client as usize].peer {
                    real.timeout(now, &mut out);
                }
                self.take(client, out);
            }
            self.carry();
            if self.host.inputs() + self.last_event > MOST_EVENTS {
                violated("everything comes to rest", format!("{:?} {:?}", self.host.deadline(), self.queue));
            }
        }
        self.now = self.now.max(end);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrival(id) => self.arrive(id),
            Event::Gone(id) => {
                self.host.closed(self.wall(), id);
                self.links.remove(&id);
            }
            Event::Verdict(id) => self.host.answer(self.wall(), id),
            // What depended on it must not be sent: the broker is dropped, and goes on from what is durable.
            Event::Commit if std::mem::take(&mut self.fails_to_commit) => {
                self.steady_the_clock();
                self.host.crash(self.wall(), 0);
            }
            Event::Commit => {
                let released = self.host.disk.end_commit();
                self.host.outputs.extend(released);
            }
        }
    }

    fn arrive(&mut self, id: ConnectionId) {
        if self.host.panics {
            self.steady_the_clock();
        }
        let wall = self.wall();
        let Some(link) = self.links.get_mut(&id) else { return };
        if let Some(bytes) = link.arrived_at_broker(self.now) {
            self.host.received(wall, id, bytes, &mut self.random);
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        let client = link.client;
        if let Some(bytes) = link.arrived_at_client(self.now) {
            let (now, mut out) = (self.now, Outbox::default());
            match &mut self.clients[client as usize].peer {
                Peer::Scripted(scripted) => scripted.received(bytes, &mut out),
                Peer::Real(real) => real.received(now, bytes, &mut out),
            }
            self.take(client, out);
        }
        let Some(link) = self.links.get_mut(&id).filter(|link| link.is_drained() && link.is_alive && link.is_read)
        else {
            return;
        };
        if !link.is_open {
            self.links.remove(&id);
            if self.clients[client as usize].link == Some(id) {
                self.clients[client as usize].link = None;
                let (now, mut out) = (self.now, Outbox::default());
                match &mut self.clients[client as usize].peer {
                    Peer::Scripted(scripted) => scripted.closed(),
                    Peer::Real(real) => real.closed(now, &mut out),
                }
                self.take(client, out);
            }
        } else if link.is_held && std::mem::take(&mut link.is_unwritten) {
            self.host.written(wall, id);
        }
    }

    /// Until nothing is under way.
    fn settle(&mut self) {
        self.carry();
        while let Some(at) = self.queue.first_key_value().map(|((at, _), _)| *at) {
            self.run_until(at);
        }
    }

    /// All faults end: every client comes back to its session and takes what there is.
    fn heal(&mut self) {
        (self.fails_to_commit, self.host.panics) = (false, false);
        self.settle();
        for id in self.links.iter().filter(|(_, link)| !link.is_held).map(|(id, _)| *id).collect::<Vec<_>>() {
            self.links.remove(&id);
            self.host.closed(self.wall(), id);
        }
        for client in 0..self.setup.clients {
            self.lose(client, true);
        }
        // Once more who was closed for more answers at once than the broker keeps.
        for _ in 0..3 {
            for client in 0..self.setup.clients {
                if self.clients[client as usize].link.is_none() {
                    self.connect(client, &Connect { v5: true, expiry: 3_000, ..Connect::default() });
                }
            }
            self.settle();
        }
        for client in 0..self.setup.clients {
            self.operate(client, &Operation::Acknowledge { client });
        }
        self.settle();
        let model = &mut self.host.model;
        model.forget_void();
        for session in model.sessions.iter().filter(|session| session.connection.is_some()) {
            let waiting = session.waiting.iter().filter(|it| !it.is_optional).count();
            if waiting + session.in_flight.len() > 0 {
                let detail = format!("{:?}: {waiting} wait, {} in flight", session.client_id, session.in_flight.len());
                violated("nothing is lost", detail);
            }
        }
        let is_there = |number| model.sessions.iter().any(|it| it.number == number && it.connection.is_some());
        let is_lost = |it: &&Float| !it.is_optional && it.candidates.iter().all(|(number, _)| is_there(*number));
        if let Some(float) = model.floats.iter().find(is_lost) {
            violated("nothing is lost", format!("no member got {:?}", float.message.publish));
        }
        for client in 0..self.setup.clients {
            let is_idle = match &self.clients[client as usize].peer {
                Peer::Scripted(scripted) => scripted.is_idle(),
                Peer::Real(real) => real.is_idle(),
            };
            // A real client keeps its options, and with them a will that is not allowed.
            let is_refused = self.clients[client as usize].link.is_none();
            if !is_idle && !is_refused {
                violated("each packet has its answer", format!("client {client} waits for one"));
            }
        }
    }

    /// All sessions end, and nothing is retained: nothing is left.
    fn end_all(&mut self) {
        for client in 0..self.setup.clients {
            self.connect(client, &Connect { v5: true, clean: true, ..Connect::default() });
        }
        self.settle();
        for client in 0..self.setup.clients {
            self.operate(client, &Operation::Disconnect { client, reason: 0, expiry: None });
        }
        self.settle();
        for message in self.host.model.retained.clone() {
            let publish = Publish { retain: true, topic: message.publish.topic.clone(), ..Publish::default() };
            self.host.publish(self.wall(), publish);
        }
        self.settle();
        for _ in 0..100 {
            let Some((at, _)) = self.host.deadline() else { break };
            self.run_until(at.saturating_add_signed(-self.offset).max(self.now));
        }
        let left = self.host.statistics();
        let left = Statistics {
            clients_maximum: 0,
            bytes_received: 0,
            bytes_sent: 0,
            messages_received: 0,
            messages_sent: 0,
            messages_dropped: 0,
            messages_refused: 0,
            connections_refused: 0,
            ..left
        };
        let deadline = self.host.deadline();
        if left != Statistics::default() || deadline.is_some() || !self.host.model.sessions.is_empty() {
            violated("nothing is left", format!("{left:?} {deadline:?}"));
        }
    }

    fn link_of(&mut self, client: u64) -> Option<&mut Link> {
        self.links.get_mut(&self.clients[client as usize].link?)
    }

    fn client_deadline(&self, client: u64) -> Option<u64> {
        match &self.clients[client as usize].peer {
            Peer::Scripted(_) => None,
            Peer::Real(real) => real.deadline(),
        }
    }

    fn schedule_arrivals(&mut self, id: ConnectionId) {
        let times = self.links.get_mut(&id).map(Link::unscheduled).unwrap_or_default();
        for at in times {
            self.schedule(at - self.now, Event::Arrival(id));
        }
    }

    fn schedule(&mut self, delay: u64, event: Event) {
        self.last_event += 1;
        self.queue.insert((self.now + delay, self.last_event), event);
    }

    /// A broker holds its clock still when the host's runs back; a new one cannot know how far the last one's had come.
    fn steady_the_clock(&mut self) {
        self.offset += self.host.model.now.saturating_sub(self.wall()) as i64;
    }

    /// The time that the broker is told.
    fn wall(&self) -> u64 {
        self.now.saturating_add_signed(self.offset)
    }
}
