//! The one task that owns the broker: what the connections notice goes in, what the broker wants goes out.
//! Knows no socket, only the outbox of each connection; nor the storage, only what has to wait for it.

use super::{
    access::{Access, Address, Token},
    commits::{Answer, Commits, Group},
    http::Counted,
    judges::Judges,
    line::Task,
    outbox::Spare,
    peer::{Peer, Peers},
    pilot::{Pilot, Steering},
    report, state,
    storage::{Storage, StorageError},
    tracers::{Traced, Tracers},
    wire::Turn,
};
use crate::{
    broker::{
        Action, Authentication, AuthenticationRequest, Broker, Caller, Config, ConnectionId, Durability, Event, Input,
        Restored, Verdict,
    },
    codec::{Publish, ReasonCode, Text},
    time::Timestamp,
};
use bytes::Bytes;
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    future::{self, Future},
    mem,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{select, sync::mpsc, task::yield_now, time::sleep};
use tracing::warn;

/// Notices that wait for the engine, at most: a connection with one more stops reading, so TCP slows its client.
pub(super) const NOTICES: usize = 256;

/// What a connection noticed, or somebody asks.
pub(super) enum Notice {
    /// It was accepted. Always its first.
    Opened { connection: ConnectionId, peer: Box<Peer> },
    /// Its WebSocket's request was accepted, which says where it is, and with a token who it is.
    Welcomed { connection: ConnectionId, address: Address, token: Option<Box<Token>> },
    /// Bytes came. The next ones do once `turn` is dropped.
    Received { connection: ConnectionId, bytes: Bytes, turn: Turn },
    /// Everything that had been posted was written.
    Written { connection: ConnectionId },
    /// It is gone, or is of no use; `why` is for the log alone.
    Ended { connection: ConnectionId, why: Cow<'static, str> },
    /// Something to be done between two inputs.
    Asked(Task),
}

pub(super) struct Engine {
    broker: Broker,
    pilot: Option<Box<dyn Pilot>>,
    /// What the pilot tells the broker; never anything without a pilot.
    orders: mpsc::UnboundedReceiver<Input>,
    peers: Peers,
    /// Connections that are behind: what they send next waits, in the end with its sender.
    behind: HashMap<ConnectionId, Turn>,
    /// Whether one of them may be so no longer.
    is_catching_up: bool,
    /// Connections that speak HTTP.
    web: BTreeSet<ConnectionId>,
    commits: Commits,
    /// Who is told after the next group.
    answers: Vec<Answer>,
    /// What became of what the server itself published last.
    published: ReasonCode,
    authentication_failures: u64,
    started: Timestamp,
    /// For a broker that takes the place of this one.
    config: Config,
    access: Option<Arc<Access>>,
    judges: Judges,
    tracers: Tracers,
    /// Whose outbox holds something for the next group.
    sent_to: Vec<ConnectionId>,
    /// Bytes of that.
    gathered: usize,
    /// Who took all of that at once, which the broker does not know yet.
    written: Vec<ConnectionId>,
    spare: Spare,
    /// Who is closed after the next group.
    closing: Vec<ConnectionId>,
}

impl Engine {
    /// `access` decides who is let in, unless there is a pilot.
    pub(super) fn new(
        broker: Broker,
        config: Config,
        storage: Option<Storage>,
        access: Option<Arc<Access>>,
        steering: Option<Steering>,
    ) -> Self {
        let (pilot, orders) = match steering {
            Some(Steering { pilot, inputs }) => (Some(pilot), inputs),
            None => (None, mpsc::unbounded_channel().1),
        };
        Self {
            broker,
            pilot,
            orders,
            peers: Peers::default(),
            behind: HashMap::new(),
            is_catching_up: false,
            web: BTreeSet::new(),
            commits: Commits::new(storage),
            judges: Judges::new(access.clone()),
            access,
            tracers: Tracers::default(),
            sent_to: Vec::new(),
            gathered: 0,
            written: Vec::new(),
            spare: Spare::default(),
            closing: Vec::new(),
            answers: Vec::new(),
            published: ReasonCode::Success,
            authentication_failures: 0,
            started: now(),
            config,
        }
    }

    pub(super) fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Whether clients are asked who they are.
    pub(super) fn asks(&self) -> bool {
        matches!(self.config.authentication, Authentication::Ask)
    }

    /// Calls `answer` once all is durable that was caused before.
    pub(super) fn when_durable(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    /// Publishes on behalf of somebody. What became of that.
    pub(super) fn publish(&mut self, publish: Publish, caller: Caller) -> ReasonCode {
        self.input(Input::Publish { publish, caller: Some(Box::new(caller)) }, None);
        self.published
    }

    /// A connection speaks HTTP, and nothing of the broker's from now on; it counts among the connections all the same.
    /// False when it was refused.
    pub(super) fn leave_to_web(&mut self, connection: ConnectionId) -> bool {
        let is_there = self.peers.contains_key(&connection);
        if is_there {
            self.web.insert(connection);
            self.broker.leave_to_host(connection);
        }
        is_there
    }

    /// A connection that the broker had left to the host may speak MQTT, and has as much time to begin as any.
    pub(super) fn take_back(&mut self, connection: ConnectionId) {
        if self.web.remove(&connection) {
            self.input(Input::Closed { connection }, None);
            self.input(Input::Opened { connection }, None);
        }
    }

    /// The packets of a client from now on; `None` when as many are watched as may be.
    pub(super) fn trace(&mut self, client_id: Text, until: Timestamp) -> Option<mpsc::Receiver<Traced>> {
        let now = self.now();
        let told = self.tracers.add(client_id.clone(), until, now)?;
        let until = self.tracers.until(&client_id);
        self.input(Input::Trace { client_id, until }, None);
        Some(told)
    }

    /// What is counted, as of now.
    pub(super) fn counted(&mut self) -> Counted {
        let uptime_seconds = self.now().millis_since(self.started) / 1_000;
        let Self { broker, authentication_failures, .. } = self;
        Counted { statistics: broker.statistics(), uptime_seconds, authentication_failures: *authentication_failures }
    }

    /// Closes every connection but those of HTTP, and goes on with what `records` say. How many of them are of no use.
    ///
    /// # Errors
    /// When the system gives no random seed. Nothing was changed.
    pub(super) fn replace(&mut self, records: Vec<(Bytes, Bytes)>) -> Result<usize, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        // Users are not there for nothing.
        let is_asked = self.asks() || records.iter().any(state::is_user);
        let authentication = if is_asked { Authentication::Ask } else { self.config.authentication.clone() };
        let config = Config { authentication, ..self.config.clone() };
        let Restored { broker, rejected } = Broker::restore(config.clone(), seed, records.iter().cloned());
        let rejected: BTreeSet<Bytes> = rejected.into_iter().map(|rejected| rejected.key).collect();
        self.input(Input::ShutDown, None);
        if self.config.durability != Durability::None {
            self.broker.records().into_iter().for_each(|(key, _)| self.commits.push(key, None));
            let kept = records.into_iter().filter(|(key, _)| !rejected.contains(key));
            kept.for_each(|(key, value)| self.commits.push(key, Some(value)));
        }
        (self.broker, self.config) = (broker, config);
        self.behind.clear();
        self.closing.retain(|connection| !self.web.contains(connection));
        for connection in self.web.clone() {
            self.input(Input::Opened { connection }, None);
            self.broker.leave_to_host(connection);
        }
        for (client_id, until) in self.tracers.watched().collect::<Vec<_>>() {
            self.input(Input::Trace { client_id, until }, None);
        }
        self.started = self.now();
        self.begin();
        Ok(rejected.len())
    }

    /// Runs until `stop` resolves, then tells and closes every connection.
    ///
    /// # Errors
    /// When state can no longer be kept. Every connection is closed then, without a word that is not backed by the storage.
    pub(super) async fn run(
        mut self,
        mut notices: mpsc::Receiver<Notice>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), StorageError> {
        let mut stop = pin!(stop);
        let mut pending = Vec::with_capacity(NOTICES);
        self.begin();
        loop {
            let wait = self.wait();
            select! {
                biased; // what comes seldom first, so that what comes all the time does not keep it waiting
                () = &mut stop => break,
                group = self.commits.finished() => self.release(group?),
                Some(order) = self.orders.recv() => self.order(order),
                Some((connection, verdict)) = self.judges.next() => self.judged(connection, verdict),
                _ = notices.recv_many(&mut pending, NOTICES), if !self.commits.is_full() => {}
                // What was written at once may have brought more.
                () = yield_now(), if self.has_more_to_flush() => {}
                () = is_due(wait) => self.order(Input::Timeout),
            }
            for notice in pending.drain(..) {
                self.notice(notice);
            }
            self.catch_up();
            self.read_on();
            self.flush();
            self.go_on();
            self.read_on();
        }
        notices.close();
        self.input(Input::ShutDown, None);
        self.flush();
        while self.commits.is_running() {
            let group = self.commits.finished().await?;
            self.release(group);
            self.flush();
        }
        Ok(())
    }

    fn begin(&mut self) {
        if self.asks()
            && let Some(input) = self.judges.begin(&self.broker)
        {
            self.input(input, None);
        }
    }

    /// Milliseconds until the broker's deadline, if it has one.
    fn wait(&mut self) -> Option<u64> {
        let now = self.now();
        self.broker.deadline().map(|deadline| deadline.at.millis_since(now))
    }

    pub(super) fn now(&mut self) -> Timestamp {
        self.pilot.as_mut().map_or_else(now, |pilot| pilot.now())
    }

    /// Does what the pilot or an operator says.
    pub(super) fn order(&mut self, input: Input) {
        self.input(input, None);
    }

    /// Lets connections that are behind go on, until what they send is much: what leaves together costs less.
    fn catch_up(&mut self) {
        for _ in 0..TURNS {
            if self.gathered >= MOST_GATHERED || self.wait() != Some(0) {
                return;
            }
            self.order(Input::Timeout);
        }
    }

    fn has_more_to_flush(&self) -> bool {
        let has_nothing = self.sent_to.is_empty() && self.closing.is_empty();
        !has_nothing && !self.commits.is_running()
    }

    /// Reads on where the broker has caught up.
    fn read_on(&mut self) {
        let Self { broker, behind, .. } = self;
        if mem::take(&mut self.is_catching_up) {
            behind.retain(|connection, _| broker.is_behind(*connection));
        }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Opened { connection, peer } => {
                let address = peer.address;
                self.peers.insert(connection, peer);
                self.input(Input::Opened { connection }, None);
                if self.closing.last() == Some(&connection) {
                    warn!(from = %address, "refused: there are as many connections as are allowed");
                    // It was sent nothing that could depend on a commit, and there is no limit to how many come during one.
                    self.closing.pop();
                    self.peers.remove(&connection);
                }
            }
            Notice::Welcomed { connection, address, token } => {
                if let Some(peer) = self.peers.get_mut(&connection) {
                    peer.address = address;
                    peer.visitor.welcome(address.ip(), token);
                }
            }
            Notice::Received { connection, bytes, turn } => {
                self.input(Input::Received { connection, bytes }, None);
                if self.broker.is_behind(connection) {
                    self.behind.insert(connection, turn);
                }
            }
            Notice::Written { connection } => self.written(connection),
            Notice::Ended { connection, why } => {
                self.web.remove(&connection);
                self.input(Input::Closed { connection }, Some(&why));
                self.closing.push(connection);
            }
            Notice::Asked(task) => task(self),
        }
    }

    /// Tells the broker when all is written that it sent.
    fn written(&mut self, connection: ConnectionId) {
        if self.peers.get(&connection).is_some_and(|peer| peer.outbox.is_through()) {
            self.input(Input::Writable { connection }, None);
        }
    }

    /// Tells the broker what was written at once.
    fn go_on(&mut self) {
        let mut written = mem::take(&mut self.written);
        for connection in written.drain(..) {
            self.written(connection);
        }
        self.written = written;
    }

    /// Feeds the broker. `why` is what the host knows better about a connection that ended.
    fn input(&mut self, input: Input, why: Option<&str>) {
        let (mut questions, mut reviews, mut unwatched) = (Vec::new(), Vec::new(), Vec::new());
        let now = self.now();
        if let Some(pilot) = &mut self.pilot {
            pilot.before(&input);
        }
        // Whatever the input is, what was due comes first.
        self.is_catching_up |= matches!(input, Input::Timeout | Input::Reviewed { .. })
            || self.broker.deadline().is_some_and(|deadline| deadline.at <= now);
        for action in self.broker.handle(now, input) {
            if let Some(pilot) = &mut self.pilot {
                pilot.action(&action);
            }
            match action {
                Action::Send { connection, frame } => {
                    if let Some(peer) = self.peers.get_mut(&connection) {
                        if peer.outbox.is_empty() {
                            self.sent_to.push(connection);
                        }
                        self.gathered += frame.len();
                        peer.outbox.push(frame, &mut self.spare);
                    }
                }
                Action::Close { connection, reason } => {
                    if let Some(peer) = self.peers.get(&connection) {
                        report::closing(peer.address, reason);
                    }
                    self.closing.push(connection);
                }
                Action::Authenticate { connection, request } => questions.push((connection, request)),
                Action::Review { review, .. } => reviews.push(review),
                Action::Put { key, value } => self.commits.push(key, Some(value)),
                Action::Delete { key } => self.commits.push(key, None),
                // Only where connections outlive the broker.
                Action::Remember { .. } => {}
                Action::Published { reason } => self.published = reason,
                Action::Report(Event::Packet(packet)) => {
                    if !self.tracers.tell(now, &packet) {
                        unwatched.push(packet.client_id);
                    }
                }
                Action::Report(event) => {
                    if let Event::Connected { connection, .. } = event
                        && let Some(peer) = self.peers.get(&connection)
                    {
                        peer.outbox.admit();
                    }
                    if let Event::Refused { connection, refusal } | Event::Disconnected { connection, refusal, .. } =
                        &event
                        && let (Some(access), Some(peer)) = (&self.access, self.peers.get(connection))
                    {
                        let was_let_in = matches!(event, Event::Disconnected { .. });
                        let after = if was_let_in { peer.since.elapsed() } else { Duration::MAX };
                        access.arrivals.closed(peer.address.ip(), refusal.reason, after, Instant::now());
                    }
                    report::event(&event, &self.peers, why);
                }
            }
        }
        if let Some(pilot) = &mut self.pilot {
            return pilot.after(&self.broker);
        }
        // Nobody here can decide.
        for review in reviews {
            self.input(Input::Reviewed { review, decision: None }, None);
        }
        for client_id in unwatched {
            self.input(Input::Trace { client_id, until: Timestamp(0) }, None);
        }
        for (connection, request) in questions {
            self.judge(connection, request);
        }
    }

    fn answer(&mut self, connection: ConnectionId, verdict: Verdict) {
        self.authentication_failures += u64::from(matches!(verdict, Verdict::Deny { .. }));
        self.input(Input::Authenticated { connection, verdict }, None);
    }

    /// An answer that took a while.
    fn judged(&mut self, connection: ConnectionId, verdict: Verdict) {
        let work = self.peers.get_mut(&connection).and_then(|peer| peer.judging.take());
        let lets_in = matches!(verdict, Verdict::Allow { .. });
        match work.filter(|_| lets_in).and_then(|work| work.again(&self.broker)) {
            Some(request) => self.judge(connection, request),
            None => self.answer(connection, verdict),
        }
    }

    fn judge(&mut self, connection: ConnectionId, request: Box<AuthenticationRequest>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let judged = match peer.known_as.take() {
            Some(verdict) => Ok(*verdict),
            None if request.client_id.as_str().starts_with('$') => Ok(reserved()),
            None => self.judges.ask(connection, request, &mut peer.visitor, &self.broker),
        };
        match judged {
            Ok(verdict) => self.answer(connection, verdict),
            Err(work) => peer.judging = Some(Box::new(work)),
        }
    }

    /// Lets go of what was sent, as soon as what it depends on is durable.
    fn flush(&mut self) {
        if self.commits.is_running() {
            return;
        }
        let (closing, answers) = (mem::take(&mut self.closing), mem::take(&mut self.answers));
        let mut group = Group { batches: Vec::new(), closing, answers };
        let is_at_once = self.commits.are_none();
        self.gathered = 0;
        for connection in self.sent_to.drain(..) {
            let Some(peer) = self.peers.get_mut(&connection) else { continue };
            if !is_at_once {
                group.batches.extend(peer.outbox.take_batch().map(|batch| (connection, batch)));
            } else if peer.outbox.flush(&mut self.spare) {
                self.written.push(connection);
            }
        }
        if let Some(group) = self.commits.begin(group) {
            self.release(group);
        }
    }

    fn release(&mut self, group: Group) {
        for (connection, batch) in group.batches {
            if let Some(peer) = self.peers.get_mut(&connection)
                && peer.outbox.post(batch)
            {
                self.written.push(connection);
            }
        }
        for connection in group.closing {
            self.peers.remove(&connection);
            self.behind.remove(&connection);
            self.web.remove(&connection);
        }
        for answer in group.answers {
            answer();
        }
    }
}

/// Resolves after `wait` milliseconds, or earlier: the clock may be set while we sleep.
async fn is_due(wait: Option<u64>) {
    match wait {
        // Even the shortest sleep takes a millisecond, and without any the connections would have no turn.
        Some(0) => yield_now().await,
        Some(wait) => sleep(Duration::from_millis(wait).min(LONGEST_SLEEP)).await,
        None => future::pending().await,
    }
}

/// The sessions of the server's own clients are nobody else's.
fn reserved() -> Verdict {
    let message = Some(Text::from_static("Client Identifiers that begin with $ are the server's own"));
    Verdict::Deny { reason: ReasonCode::ClientIdentifierNotValid, message }
}

fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

/// Turns of connections that are behind, and bytes that they send, before these leave.
const TURNS: usize = 8;
const MOST_GATHERED: usize = 1 << 20;
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::{
        super::{
            outbox::{Framing, Outbox},
            wire::Wire,
        },
        *,
    };
    use crate::broker::Config;
    use futures::FutureExt;
    use std::{env, fs, process};

    /// The commit is on its way for as long as nobody asks whether it has finished.
    #[tokio::test]
    async fn a_connection_beyond_those_allowed_is_closed_while_a_commit_is_on_its_way() {
        let directory = env::temp_dir().join(format!("mqlite-engine-{}", process::id()));
        let storage = Storage::open(&directory).unwrap();
        let config = Config { maximum_connections: 1, ..Config::default() };
        let mut engine = Engine::new(Broker::new(config.clone(), [0; 32]), config, Some(storage), None, None);
        engine.commits.push(Bytes::from_static(b"a"), Some(Bytes::new()));
        engine.flush();
        let mut open = |number| {
            let wire = Arc::<Wire>::default();
            let outbox = Outbox::new(wire.clone(), Framing::None);
            let peer = Box::new(Peer::new(Address::Socket(([127, 0, 0, 1], 1).into()), outbox));
            engine.notice(Notice::Opened { connection: ConnectionId(number), peer });
            engine.flush();
            wire
        };
        let (first, second) = (open(1), open(2));
        assert!(engine.commits.is_running());
        assert_eq!([first.closed().now_or_never(), second.closed().now_or_never()], [None, Some(())]);
        engine.commits.finished().await.unwrap();
        drop(engine);
        fs::remove_dir_all(directory).unwrap();
    }
}
