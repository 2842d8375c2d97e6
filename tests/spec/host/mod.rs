//! Where the broker of a script runs. A script cannot tell: it speaks in the broker's own inputs, and hears what came of them.

mod disk;
mod in_process;
mod json;
#[cfg(feature = "native")]
mod native;
#[cfg(feature = "native")]
mod network;
#[cfg(feature = "native")]
mod remote;
mod wasm;
#[cfg(feature = "native")]
mod worker;

pub use in_process::InProcess;

use self::wasm::Wasm;
#[cfg(feature = "native")]
use self::{native::Native, remote::Remote, worker::Worker};
use bytes::Bytes;
use mqlite::{
    broker::{AuthenticationRequest, Config, ConnectionId, Event, Input, Statistics},
    codec::ReasonCode,
    time::Timestamp,
};
use std::env;

/// A broker, the network to it, and its clock.
pub trait Host {
    /// Lets this happen.
    fn input(&mut self, now: Timestamp, input: Input);

    /// All that came of it, once nothing more will.
    fn outputs(&mut self) -> Vec<Output>;

    fn statistics(&mut self) -> Statistics;

    /// When the host is to be woken next; not after the broker's deadline.
    fn deadline(&mut self) -> Option<Timestamp>;

    /// Lets the broker go on with what it has put off. Only where it is in this process this is not done at once.
    fn catch_up(&mut self, _now: Timestamp) {}

    /// The broker itself, and what it is told of its connections.
    fn in_process(&mut self) -> &mut InProcess {
        panic!("a script that needs the broker in its own process is named in tests/spec/in_process.txt");
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

/// The host that `MQLITE_HOST` names, with a new broker.
pub fn start(config: Config) -> Box<dyn Host> {
    match env::var("MQLITE_HOST").as_deref() {
        Err(_) | Ok("in-process") => Box::new(InProcess::new(config)),
        Ok("asleep") => Box::new(InProcess::asleep(config)),
        #[cfg(feature = "native")]
        Ok("tcp") => Box::new(Remote::new(|network| Native::over_tcp(config, network))),
        #[cfg(feature = "native")]
        Ok("ws") => Box::new(Remote::new(|network| Native::over_websocket(config, network))),
        #[cfg(feature = "native")]
        Ok("worker") => Box::new(Remote::new(|_| Worker::new(&config, false))),
        #[cfg(feature = "native")]
        Ok("worker-asleep") => Box::new(Remote::new(|_| Worker::new(&config, true))),
        Ok("wasm") => Box::new(Wasm::new(&config)),
        Ok(other) => panic!("MQLITE_HOST: there is no host {other:?}"),
    }
}
