//! All connections, and one loop that serves them: it connects and subscribes them, and gives what comes to a load.

use crate::{
    connection::{Connection, Outbox},
    options::Options,
    packet::{self, Packet},
};
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};
use std::{
    error::Error,
    io::ErrorKind,
    time::{Duration, Instant},
};

/// What becomes of packets.
pub trait Load {
    /// Bytes are about to be read.
    fn arrived(&mut self) {}

    fn packet(&mut self, index: usize, packet: Packet<'_>, out: &mut Outbox) -> Result<(), String>;
}

pub struct Fleet {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    scratch: Vec<u8>,
    /// Those that something was written for since the last flush.
    touched: Vec<usize>,
}

impl Fleet {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(4_096));
        Ok(Self { poll, events, connections: Vec::new(), scratch: vec![0; 256 << 10], touched: Vec::new() })
    }

    /// Connects `count` more, `at_once` of them at a time, with the names `prefix-NUMBER`. Resolves to how long each took, in nanoseconds.
    pub fn connect(
        &mut self,
        options: &Options,
        count: usize,
        at_once: usize,
        prefix: &str,
        clean: bool,
    ) -> Result<Histogram<u64>, Box<dyn Error>> {
        let first = self.connections.len();
        let mut load = Connecting {
            version: options.version,
            prefix,
            clean,
            first,
            begun: Vec::with_capacity(count),
            took: Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, 3)?,
        };
        let patience = Patience::new();
        while load.done() < count {
            while load.begun.len() < count && load.begun.len() - load.done() < at_once {
                let index = self.connections.len();
                let mut connection = Connection::open(options)?;
                self.poll.registry().register(
                    &mut connection.stream,
                    Token(index),
                    Interest::READABLE | Interest::WRITABLE,
                )?;
                load.begun.push(Instant::now());
                if !options.web {
                    load.packet(index, Packet::Opened, &mut connection.out)?;
                }
                self.connections.push(connection);
            }
            self.turn(Some(POLL), &mut load)?;
            patience.check(|| format!("{} of {count} connected", load.done()))?;
        }
        Ok(load.took)
    }

    /// Subscribes connection `index + N` to the filters at N, and waits until all are granted.
    pub fn subscribe(
        &mut self,
        options: &Options,
        index: usize,
        filters: &[Vec<String>],
    ) -> Result<(), Box<dyn Error>> {
        let mut load = Subscribing { granted: 0 };
        for (number, filters) in filters.iter().enumerate() {
            for (id, some) in (1..).zip(filters.chunks(FILTERS_OF_PACKET)) {
                self.out(index + number).add(|out| packet::subscribe(out, options.version, id, some, options.qos));
            }
        }
        let wanted = filters.iter().map(Vec::len).sum();
        let patience = Patience::new();
        self.flush()?;
        while load.granted < wanted {
            self.turn(Some(POLL), &mut load)?;
            patience.check(|| format!("{} of {wanted} subscriptions were granted", load.granted))?;
        }
        Ok(())
    }

    /// Where to write what the connection is to send; the next `flush` does.
    pub fn out(&mut self, index: usize) -> &mut Outbox {
        let out = &mut self.connections[index].out;
        if out.is_empty() {
            self.touched.push(index);
        }
        out
    }

    pub fn flush(&mut self) -> Result<(), String> {
        for index in self.touched.drain(..) {
            self.connections[index].flush()?;
        }
        Ok(())
    }

    /// Serves what is ready, or waits for it. Says whether there was anything.
    pub fn turn(&mut self, timeout: Option<Duration>, load: &mut impl Load) -> Result<bool, String> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(format!("epoll failed: {error}")),
            _ => {}
        }
        for event in &self.events {
            let index = event.token().0;
            let connection = &mut self.connections[index];
            if event.is_readable() || event.is_error() {
                load.arrived();
                connection.read(&mut self.scratch, &mut |packet, out| load.packet(index, packet, out))?;
            }
            connection.flush()?;
        }
        Ok(!self.events.is_empty())
    }
}

/// Gives up on a server that does nothing for long.
pub struct Patience(Instant);

impl Patience {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    pub fn check(&self, so_far: impl Fn() -> String) -> Result<(), String> {
        if self.0.elapsed() > LONGEST { Err(format!("after {LONGEST:?} {}", so_far())) } else { Ok(()) }
    }
}

struct Connecting<'a> {
    version: u8,
    prefix: &'a str,
    clean: bool,
    first: usize,
    begun: Vec<Instant>,
    took: Histogram<u64>,
}

impl Connecting<'_> {
    fn done(&self) -> usize {
        self.took.len() as usize
    }
}

impl Load for Connecting<'_> {
    fn packet(&mut self, index: usize, packet: Packet<'_>, out: &mut Outbox) -> Result<(), String> {
        match packet {
            Packet::Opened => {
                let client_id = format!("{}-{index}", self.prefix);
                out.add(|out| packet::connect(out, self.version, &client_id, self.clean));
            }
            Packet::ConnAck { code: 0 } => {
                self.took.saturating_record(self.begun[index - self.first].elapsed().as_nanos() as u64);
            }
            Packet::ConnAck { code } => return Err(format!("the server refused a connection with 0x{code:02X}")),
            _ => {}
        }
        Ok(())
    }
}

struct Subscribing {
    granted: usize,
}

impl Load for Subscribing {
    fn packet(&mut self, _index: usize, packet: Packet<'_>, _out: &mut Outbox) -> Result<(), String> {
        if let Packet::SubAck { codes } = packet {
            if let Some(code) = codes.iter().find(|code| **code > 2) {
                return Err(format!("the server refused a subscription with 0x{code:02X}"));
            }
            self.granted += codes.len();
        }
        Ok(())
    }
}

pub const POLL: Duration = Duration::from_millis(100);

const LONGEST: Duration = Duration::from_secs(60);
const FILTERS_OF_PACKET: usize = 100;
