//! Where the broker of a script runs. A script cannot tell: it speaks in the broker's own inputs, and hears what came of them.

mod disk;
mod in_process;

pub use in_process::InProcess;

use bytes::Bytes;
use mqlite::{
    broker::{AuthenticationRequest, Config, ConnectionId, Event, Input, Statistics},
    codec::ReasonCode,
    time::Timestamp,
};

/// A broker, the network to it, and its clock.
pub trait Host {
    /// Lets this happen.
    fn input(&mut self, now: Timestamp, input: Input);

    /// All that came of it, once nothing more will.
    fn outputs(&mut self) -> Vec<Output>;

    fn statistics(&mut self) -> Statistics;

    /// When the host is to be woken next; not after the broker's deadline.
    fn deadline(&mut self) -> Option<Timestamp>;

    /// The broker itself, and what it is told of its connections.
    fn in_process(&mut self) -> &mut InProcess {
        panic!("this script needs the broker in its own process");
    }
}

#[derive(Debug)]
pub enum Output {
    Sent {
        connection: ConnectionId,
        bytes: Bytes,
    },
    Closed {
        connection: ConnectionId,
        /// Where the host learns it.
        reason: Option<ReasonCode>,
    },
    Asked {
        connection: ConnectionId,
        request: AuthenticationRequest,
    },
    Reported(Event),
}

pub fn start(config: Config) -> Box<dyn Host> {
    Box::new(InProcess::new(config))
}
