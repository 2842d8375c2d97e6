//! The broker itself. What it sends is written at once, unless the peer has stalled.

use super::{Host, Output, disk::Disk};
use bytes::{Bytes, BytesMut};
use mqlite::{
    broker::{Action, Broker, Config, ConnectionId, Durability, Input, ReviewId, ReviewRequest, Statistics},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub struct InProcess {
    pub broker: Broker,
    pub disk: Disk,
    config: Config,
    outputs: Vec<Output>,
    restarts: u8,
    /// Whether the broker goes to sleep whenever it has nothing to do.
    sleeps: bool,
    /// What is to be reviewed.
    pub reviews: VecDeque<(ReviewId, ReviewRequest)>,
    /// Who waits to be let in.
    asked: BTreeSet<ConnectionId>,
    /// Who does not read, and the bytes that wait for it.
    unread: BTreeMap<ConnectionId, usize>,
}

impl InProcess {
    pub fn new(config: Config) -> Self {
        let broker = Broker::new(config.clone(), [7; 32]);
        Self {
            broker,
            disk: Disk::default(),
            config,
            outputs: Vec::new(),
            restarts: 0,
            sleeps: false,
            reviews: VecDeque::new(),
            asked: BTreeSet::new(),
            unread: BTreeMap::new(),
        }
    }

    /// One that is gone between any two inputs: another goes on with what it left.
    pub fn asleep(config: Config) -> Self {
        Self { sleeps: true, ..Self::new(Config { durability: Durability::Connections, ..config }) }
    }

    /// The broker is gone, and another one made of what it left. The connections outlive it, or do not.
    pub fn restart(&mut self, now: Timestamp, connections_live: bool) {
        let restored = Broker::restore(self.config.clone(), [self.restarts; 32], self.disk.records.clone());
        assert_eq!(restored.rejected, []);
        self.restarts = self.restarts.wrapping_add(1);
        self.broker = restored.broker;
        self.reviews.clear();
        let connections = std::mem::take(&mut self.disk.connections);
        for (connection, state) in connections {
            if connections_live {
                self.perform(now, Input::Resumed { connection, state });
            } else {
                self.outputs.push(Output::Closed { connection, reason: None });
            }
        }
        self.catch_up(now);
    }

    /// What `connection` is sent is lost, and never reported written.
    pub fn stall(&mut self, connection: ConnectionId) {
        self.unread.entry(connection).or_default();
    }

    pub fn unstall(&mut self, now: Timestamp, connection: ConnectionId) {
        self.unread.remove(&connection);
        self.input(now, Input::Writable { connection });
    }

    /// Bytes sent to a stalled connection.
    pub fn unread(&self, connection: ConnectionId) -> usize {
        self.unread[&connection]
    }

    /// Lets the broker go on with what it has put off; tells how many inputs that took.
    pub fn turns(&mut self, now: Timestamp) -> usize {
        let mut count = 0;
        while self.broker.deadline().is_some_and(|deadline| deadline.at <= now) {
            self.perform(now, Input::Timeout);
            count += 1;
            assert!(count < 100_000, "there always is more to do: {:?}", self.broker.deadline());
        }
        count
    }
}

impl InProcess {
    fn perform(&mut self, now: Timestamp, input: Input) {
        let mut written = Vec::new();
        self.disk.begin();
        if let Input::Opened { connection } = &input {
            self.disk.connections.insert(*connection, Bytes::new());
        }
        if let Input::Resumed { connection, state } = &input {
            self.disk.connections.insert(*connection, state.clone());
        }
        if let Input::Authenticated { connection, .. } | Input::Closed { connection } = &input {
            self.asked.remove(connection);
        }
        if let Input::Closed { connection } = &input {
            self.disk.connections.remove(connection);
        }
        for action in self.broker.handle(now, input) {
            self.disk.perform(&action);
            match action {
                Action::Send { connection, frame } => {
                    assert!(!frame.is_empty(), "an empty frame");
                    if let Some(unread) = self.unread.get_mut(&connection) {
                        *unread += frame.len();
                        continue;
                    }
                    let mut bytes = BytesMut::new();
                    frame.write_to(&mut bytes);
                    self.outputs.push(Output::Sent { connection, bytes: bytes.freeze() });
                    written.push(connection);
                }
                Action::Close { connection, reason } => {
                    self.asked.remove(&connection);
                    self.outputs.push(Output::Closed { connection, reason: Some(reason) });
                }
                Action::Authenticate { connection, request } => {
                    self.asked.insert(connection);
                    self.outputs.push(Output::Asked { connection, request: *request });
                }
                Action::Review { review, request } => self.reviews.push_back((review, *request)),
                Action::Report(event) => self.outputs.push(Output::Reported(event)),
                Action::Put { .. } | Action::Delete { .. } | Action::Remember { .. } | Action::Published { .. } => {}
            }
        }
        written.dedup();
        for connection in written {
            self.perform(now, Input::Writable { connection });
        }
    }
}

impl Host for InProcess {
    fn input(&mut self, now: Timestamp, input: Input) {
        self.perform(now, input);
        // A question that waits for its answer keeps a host awake, and so does a peer that does not read.
        if self.sleeps && self.asked.is_empty() && self.unread.is_empty() {
            self.restart(now, true);
        }
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    fn statistics(&mut self) -> Statistics {
        self.broker.statistics()
    }

    fn deadline(&mut self) -> Option<Timestamp> {
        self.broker.deadline().map(|deadline| deadline.at)
    }

    fn catch_up(&mut self, now: Timestamp) {
        self.turns(now);
    }

    fn in_process(&mut self) -> &mut InProcess {
        self
    }
}
