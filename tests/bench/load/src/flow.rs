//! Messages from publishers to subscribers: first as many as go through with a window, which tells the rate; then half as many at even
//! intervals, which tells the latency, and that at another rate.

use crate::{
    connection::Outbox,
    fleet::{Fleet, Load, POLL, Patience},
    kernel,
    options::Options,
    packet::{self, Message, Packet},
    plan::{Path, Plan},
    report::Report,
};
use hdrhistogram::Histogram;
use std::{
    error::Error,
    time::{Duration, Instant},
};

pub fn run(options: &Options) -> Result<Report, Box<dyn Error>> {
    let Plan { topics, publishers, subscribers, fans } = Plan::new(options);
    let mut fleet = Fleet::new()?;
    fleet.connect(options, subscribers.len(), CONNECTING, "subscriber", !options.persistent)?;
    fleet.connect(options, publishers.len(), CONNECTING, "publisher", true)?;
    let (lanes_of, filters): (Vec<_>, Vec<_>) = subscribers.into_iter().unzip();
    fleet.subscribe(options, 0, &filters)?;

    let mut flow = Flow::new(options, topics, &publishers, lanes_of, fans)?;
    flow.saturate(&mut fleet, options.warm_up)?;
    let before = Marks::take(&flow, options)?;
    flow.saturate(&mut fleet, options.measure)?;
    let after = Marks::take(&flow, options)?;
    flow.drain(&mut fleet)?;

    let mut report = Report::default();
    let seconds = (after.at - before.at).as_secs_f64();
    let received = after.received - before.received;
    if received == 0 {
        return Err("no message came while it was measured".into());
    }
    let rate = received as f64 / seconds;
    report.add("rate", rate);
    report.add("loadCore", (after.load_cpu - before.load_cpu) / seconds);
    if let (Some(after_cpu), Some(before_cpu)) = (after.cpu, before.cpu) {
        report.add("core", (after_cpu - before_cpu) / seconds);
        report.add("cpuMicros", (after_cpu - before_cpu) * 1e6 / received as f64);
    }
    if !options.pace.is_zero() {
        let half = rate / 2.0 / flow.lanes[0].fan as f64;
        report.add_quantiles(["p50", "p95", "p99"], &flow.pace(&mut fleet, half, options.pace)?);
        if let Some(same) = options.rate {
            report.add_quantiles(["p50Same", "p95Same", "p99Same"], &flow.pace(&mut fleet, same, options.pace)?);
        }
    }
    if let Some(process) = options.process {
        report.add("peakBytes", kernel::peak_memory(process)?);
    }
    let lost: u64 = flow.lanes.iter().map(|lane| lane.lost).sum();
    if lost > 0 {
        let expected: u64 = flow.lanes.iter().map(|lane| lane.sent * lane.fan).sum();
        report.add("lost", lost as f64 * 1e6 / expected as f64);
    }
    Ok(report)
}

struct Flow<'a> {
    options: &'a Options,
    topics: Vec<Box<[u8]>>,
    publishers: Vec<Publisher>,
    lanes: Vec<Lane>,
    /// Of each connection: subscribers are first, publishers behind them.
    lanes_of: Vec<usize>,
    subscribers: usize,
    /// Lanes in which something happened since they were last filled.
    stirred: Vec<usize>,
    payload: Vec<u8>,
    epoch: Instant,
    /// When the bytes came that are looked at, in nanoseconds from then.
    now: u64,
    is_timed: bool,
    latency: Histogram<u64>,
}

struct Publisher {
    path: Path,
    unacknowledged: usize,
    id: u16,
}

struct Lane {
    publishers: Vec<usize>,
    turn: usize,
    fan: u64,
    sent: u64,
    received: u64,
    /// What nobody waits for any more; it counts as received, until it is.
    lost: u64,
    is_stirred: bool,
}

/// What was counted at a moment.
struct Marks {
    at: Instant,
    received: u64,
    cpu: Option<f64>,
    load_cpu: f64,
}

impl Marks {
    fn take(flow: &Flow<'_>, options: &Options) -> Result<Self, Box<dyn Error>> {
        let cpu = options.process.map(|process| kernel::cpu_seconds(Some(process))).transpose()?;
        let received = flow.lanes.iter().map(|lane| lane.received).sum();
        Ok(Self { at: Instant::now(), received, cpu, load_cpu: kernel::cpu_seconds(None)? })
    }
}

impl<'a> Flow<'a> {
    fn new(
        options: &'a Options,
        topics: Vec<Box<[u8]>>,
        paths: &[Path],
        mut lanes_of: Vec<usize>,
        fans: Vec<u64>,
    ) -> Result<Self, Box<dyn Error>> {
        let subscribers = lanes_of.len();
        lanes_of.extend(paths.iter().map(|path| path.lane));
        let of_lane = |lane| (0..paths.len()).filter(|index| paths[*index].lane == lane).collect();
        let lane = |(lane, fan)| Lane {
            publishers: of_lane(lane),
            turn: 0,
            fan,
            sent: 0,
            received: 0,
            lost: 0,
            is_stirred: false,
        };
        Ok(Self {
            options,
            topics,
            publishers: paths.iter().map(|path| Publisher { path: *path, unacknowledged: 0, id: 0 }).collect(),
            lanes: fans.into_iter().enumerate().map(lane).collect(),
            lanes_of,
            subscribers,
            stirred: Vec::new(),
            payload: (0..options.payload).map(|index| index as u8).collect(),
            epoch: Instant::now(),
            now: 0,
            is_timed: false,
            latency: Histogram::new_with_bounds(1, LONGEST_LATENCY, 3)?,
        })
    }

    /// Keeps every window full for so long.
    fn saturate(&mut self, fleet: &mut Fleet, length: Duration) -> Result<(), String> {
        let begun = Instant::now();
        (0..self.lanes.len()).for_each(|lane| self.stir(lane));
        while begun.elapsed() < length {
            while let Some(lane) = self.stirred.pop() {
                self.fill(fleet, lane);
            }
            fleet.flush()?;
            fleet.turn(Some(POLL), self)?;
        }
        Ok(())
    }

    /// Publishes so many messages a second for so long, whatever comes of them. The latency of all but the first fifth, in nanoseconds.
    fn pace(&mut self, fleet: &mut Fleet, rate: f64, length: Duration) -> Result<Histogram<u64>, String> {
        self.latency.reset();
        self.is_timed = true;
        let begun = Instant::now();
        let offset = (begun - self.epoch).as_nanos() as u64;
        let timed_from = length.as_nanos() as u64 / 5;
        let mut sent = 0_u64;
        let mut turn = 0;
        while begun.elapsed() < length {
            // The first is due at once.
            let due = (begun.elapsed().as_secs_f64() * rate) as u64 + 1;
            while sent < due {
                let Some(publisher) = (0..self.publishers.len())
                    .map(|further| (turn + further) % self.publishers.len())
                    .find(|publisher| self.publishers[*publisher].unacknowledged < MOST_UNACKNOWLEDGED)
                else {
                    break;
                };
                turn = publisher + 1;
                // From when it was due, so that waiting for a server that is late counts.
                let at = (sent as f64 / rate * 1e9) as u64;
                self.send(fleet, publisher, if at < timed_from { 0 } else { offset + at });
                sent += 1;
            }
            fleet.flush()?;
            fleet.turn(Some(Duration::ZERO), self)?;
        }
        self.drain(fleet)?;
        self.is_timed = false;
        Ok(self.latency.clone())
    }

    /// Waits until all has arrived and is acknowledged, or nothing comes any more; then what did not counts as lost.
    fn drain(&mut self, fleet: &mut Fleet) -> Result<(), String> {
        let mut last = Instant::now();
        let patience = Patience::new();
        while self.is_open() {
            patience.check(|| "messages still come".into())?;
            if fleet.turn(Some(POLL), self)? {
                last = Instant::now();
            } else if last.elapsed() > GONE {
                self.give_up();
            }
        }
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.lanes.iter().any(|lane| lane.received < lane.sent * lane.fan)
            || self.publishers.iter().any(|publisher| publisher.unacknowledged > 0)
    }

    fn give_up(&mut self) {
        for lane in &mut self.lanes {
            lane.lost += lane.sent * lane.fan - lane.received;
            lane.received = lane.sent * lane.fan;
        }
        for publisher in &mut self.publishers {
            publisher.unacknowledged = 0;
        }
    }

    fn stir(&mut self, index: usize) {
        let lane = &mut self.lanes[index];
        if !lane.is_stirred {
            lane.is_stirred = true;
            self.stirred.push(index);
        }
    }

    /// Publishes what the windows of a lane have room for, its publishers in turn.
    fn fill(&mut self, fleet: &mut Fleet, index: usize) {
        self.lanes[index].is_stirred = false;
        let window = self.options.window;
        let mut full = 0;
        loop {
            let lane = &mut self.lanes[index];
            let room = (window * lane.publishers.len()) as u64;
            if full == lane.publishers.len() || lane.sent * lane.fan >= lane.received + room * lane.fan {
                return;
            }
            let publisher = lane.publishers[lane.turn];
            lane.turn = (lane.turn + 1) % lane.publishers.len();
            if self.publishers[publisher].unacknowledged >= window {
                full += 1;
            } else {
                full = 0;
                self.send(fleet, publisher, 0);
            }
        }
    }

    fn send(&mut self, fleet: &mut Fleet, index: usize, stamp: u64) {
        let qos = self.options.qos;
        let publisher = &mut self.publishers[index];
        if qos > 0 {
            publisher.id = publisher.id.checked_add(1).unwrap_or(1);
            publisher.unacknowledged += 1;
        }
        let topic = &self.topics[publisher.path.topic];
        publisher.path.topic = (publisher.path.topic + publisher.path.step) % self.topics.len();
        self.lanes[publisher.path.lane].sent += 1;
        let message = Message { topic, qos, retain: false, id: publisher.id, stamp, payload: &self.payload };
        let version = self.options.version;
        fleet.out(self.subscribers + index).add(|out| packet::publish(out, version, &message));
    }

    fn acknowledged(&mut self, connection: usize) {
        if let Some(publisher) = connection.checked_sub(self.subscribers) {
            let publisher = &mut self.publishers[publisher];
            publisher.unacknowledged = publisher.unacknowledged.saturating_sub(1);
            self.stir(self.lanes_of[connection]);
        }
    }
}

impl Load for Flow<'_> {
    fn arrived(&mut self) {
        if self.is_timed {
            self.now = self.epoch.elapsed().as_nanos() as u64;
        }
    }

    fn packet(&mut self, connection: usize, packet: Packet<'_>, out: &mut Outbox) -> Result<(), String> {
        match packet {
            Packet::Publish { qos, id, payload } => {
                if payload.len() != self.payload.len() {
                    return Err(format!("a message came with {} bytes", payload.len()));
                }
                let index = self.lanes_of[connection];
                let lane = &mut self.lanes[index];
                if lane.received < lane.sent * lane.fan {
                    lane.received += 1;
                } else if lane.lost > 0 {
                    lane.lost -= 1;
                } else {
                    return Err("more messages came than were published".into());
                }
                self.stir(index);
                if self.is_timed
                    && let Some(stamp) = packet::stamp(payload).filter(|stamp| *stamp > 0)
                {
                    self.latency.saturating_record(self.now.saturating_sub(stamp));
                }
                match qos {
                    0 => {}
                    1 => out.add(|out| packet::ack(out, packet::PUBACK, id)),
                    _ => out.add(|out| packet::ack(out, packet::PUBREC, id)),
                }
            }
            Packet::Ack { kind: packet::PUBREC, id } => out.add(|out| packet::ack(out, packet::PUBREL, id)),
            Packet::Ack { kind: packet::PUBREL, id } => out.add(|out| packet::ack(out, packet::PUBCOMP, id)),
            Packet::Ack { .. } => self.acknowledged(connection),
            _ => {}
        }
        Ok(())
    }
}

/// Handshakes at a time before anything is measured.
const CONNECTING: usize = 100;
const MOST_UNACKNOWLEDGED: usize = 30_000;
/// What has not come by then, with nothing else, is lost.
const GONE: Duration = Duration::from_secs(3);
/// In nanoseconds; what takes longer counts as this.
const LONGEST_LATENCY: u64 = 60_000_000_000;
