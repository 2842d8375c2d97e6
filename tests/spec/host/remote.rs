//! A broker behind sockets: what clients do is done on their connections, the rest by whoever steers the server.

use super::{
    Host, Output,
    network::{Address, Network, Shared},
};
use mqlite::{
    broker::{Input, Statistics},
    time::Timestamp,
};

/// A server and its clock, in the script's hands.
pub trait Server {
    fn address(&self) -> Address;

    fn set_time(&mut self, now: Timestamp);

    /// Tells it what no client can: an answer, a message of the host's, that time has passed, that it ends.
    fn order(&mut self, input: Input);

    /// Brings what it knows of the connections up to date, if that does not come by itself.
    fn look(&mut self, shared: &Shared);

    fn statistics(&mut self) -> Statistics;

    fn deadline(&mut self) -> Option<Timestamp>;
}

pub struct Remote<S> {
    // Dropped before the server: those who wait for their clients to close need not wait.
    network: Network,
    server: S,
}

impl<S: Server> Remote<S> {
    pub fn new(start: impl FnOnce(&Network) -> S) -> Self {
        let network = Network::new();
        let server = start(&network);
        Self { network, server }
    }

    fn settle(&mut self) {
        self.network.release();
        self.server.look(self.network.shared());
        self.network.settle();
    }
}

impl<S: Server> Host for Remote<S> {
    fn input(&mut self, now: Timestamp, input: Input) {
        let address = self.server.address();
        match input {
            Input::Received { connection, bytes } if matches!(address, Address::WebSocket(..)) => {
                if !self.network.joins(connection) {
                    self.settle();
                }
                self.server.set_time(now);
                return self.network.hold(connection, &bytes);
            }
            _ => self.settle(),
        }
        self.server.set_time(now);
        match input {
            Input::Opened { connection } => self.network.open(connection, &address),
            Input::Received { connection, bytes } => self.network.write(connection, bytes),
            Input::Closed { connection } => self.network.cut(connection),
            Input::Writable { .. } | Input::Resumed { .. } => panic!("the server finds that out"),
            order => {
                self.network.shared().change(|state| state.orders += 1);
                self.server.order(order);
            }
        }
    }

    fn outputs(&mut self) -> Vec<Output> {
        self.settle();
        self.network.outputs()
    }

    fn statistics(&mut self) -> Statistics {
        self.server.statistics()
    }

    fn deadline(&mut self) -> Option<Timestamp> {
        self.server.deadline()
    }
}
