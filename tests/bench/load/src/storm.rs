//! Much at once: connections, connections that do nothing, retained messages.

use crate::{
    connection::Outbox,
    fleet::{Fleet, Load, POLL, Patience},
    kernel,
    options::Options,
    packet::{self, Message, Packet},
    report::Report,
};
use std::{
    error::Error,
    thread,
    time::{Duration, Instant},
};

/// Connects `count` clients, `window` at a time.
pub fn connect(options: &Options) -> Result<Report, Box<dyn Error>> {
    let mut fleet = Fleet::new()?;
    fleet.connect(options, 100, options.window, "warm-up", true)?;
    let begun = Begun::now(options)?;
    let took = fleet.connect(options, options.count, options.window, "client", true)?;
    let mut report = Report::default();
    begun.finish(&mut report, options, options.count)?;
    report.add_quantiles(["p50", "p95", "p99"], &took);
    Ok(report)
}

/// Bytes of memory that each of `count` connections takes, with `filters` subscriptions each.
pub fn idle(options: &Options) -> Result<Report, Box<dyn Error>> {
    let process = options.process.ok_or("whose memory? Say --process")?;
    let mut fleet = Fleet::new()?;
    fleet.connect(options, 1, 1, "first", true)?;
    let before = kernel::memory(process)?;
    fleet.connect(options, options.count, options.window, "client", true)?;
    let of_client = |client| (0..options.filters).map(|number| format!("idle/{client}/{number}")).collect();
    let filters: Vec<Vec<_>> = (0..options.count).map(of_client).collect();
    fleet.subscribe(options, 1, &filters)?;
    thread::sleep(SETTLES);
    let mut report = Report::default();
    report.add("bytesEach", (kernel::memory(process)? - before) / options.count as f64);
    report.add("peakBytes", kernel::peak_memory(process)?);
    Ok(report)
}

/// Retains `count` messages, and measures how fast those who subscribe to them all have them, one after the other.
pub fn retained(options: &Options) -> Result<Report, Box<dyn Error>> {
    let mut fleet = Fleet::new()?;
    fleet.connect(options, 1 + SUBSCRIBERS, 1, "retained", true)?;
    let mut load = Retained { received: 0, acknowledged: 0 };
    let payload = vec![0; options.payload];
    let patience = Patience::new();
    let mut sent = 0;
    while load.acknowledged < options.count {
        while sent < options.count && sent - load.acknowledged < options.window {
            let topic = format!("retained/{}/{sent}", sent % 100);
            let id = u16::try_from(sent % 65_535 + 1)?;
            let message = Message { topic: topic.as_bytes(), qos: 1, retain: true, id, stamp: 0, payload: &payload };
            fleet.out(0).add(|out| packet::publish(out, options.version, &message));
            sent += 1;
        }
        fleet.flush()?;
        fleet.turn(Some(POLL), &mut load)?;
        patience.check(|| format!("{} of {} were retained", load.acknowledged, options.count))?;
    }
    let begun = Begun::now(options)?;
    let filters = ["retained/#".to_owned()];
    for subscriber in 1..=SUBSCRIBERS {
        fleet.out(subscriber).add(|out| packet::subscribe(out, options.version, 1, &filters, options.qos));
        fleet.flush()?;
        load.received = 0;
        let mut last = Instant::now();
        while load.received < options.count {
            if fleet.turn(Some(POLL), &mut load)? {
                last = Instant::now();
            } else if last.elapsed() > GONE {
                return Err(format!("{} of {} retained messages came", load.received, options.count).into());
            }
        }
    }
    let mut report = Report::default();
    begun.finish(&mut report, options, options.count * SUBSCRIBERS)?;
    Ok(report)
}

struct Retained {
    received: usize,
    acknowledged: usize,
}

impl Load for Retained {
    fn packet(&mut self, _index: usize, packet: Packet<'_>, out: &mut Outbox) -> Result<(), String> {
        match packet {
            Packet::Publish { qos, id, .. } => {
                self.received += 1;
                match qos {
                    0 => {}
                    1 => out.add(|out| packet::ack(out, packet::PUBACK, id)),
                    _ => out.add(|out| packet::ack(out, packet::PUBREC, id)),
                }
            }
            Packet::Ack { kind: packet::PUBREL, id } => out.add(|out| packet::ack(out, packet::PUBCOMP, id)),
            Packet::Ack { .. } => self.acknowledged += 1,
            _ => {}
        }
        Ok(())
    }
}

/// When something began, and the CPU time of server and load until then.
struct Begun {
    at: Instant,
    cpu: Option<f64>,
    load_cpu: f64,
}

impl Begun {
    fn now(options: &Options) -> Result<Self, Box<dyn Error>> {
        Ok(Self { at: Instant::now(), cpu: cpu(options)?, load_cpu: kernel::cpu_seconds(None)? })
    }

    /// Reports how fast `count` of it were done.
    fn finish(self, report: &mut Report, options: &Options, count: usize) -> Result<(), Box<dyn Error>> {
        let seconds = self.at.elapsed().as_secs_f64();
        report.add("rate", count as f64 / seconds);
        report.add("loadCore", (kernel::cpu_seconds(None)? - self.load_cpu) / seconds);
        if let (Some(process), Some(before), Some(after)) = (options.process, self.cpu, cpu(options)?) {
            report.add("core", (after - before) / seconds);
            report.add("cpuMicros", (after - before) * 1e6 / count as f64);
            report.add("peakBytes", kernel::peak_memory(process)?);
        }
        Ok(())
    }
}

fn cpu(options: &Options) -> Result<Option<f64>, Box<dyn Error>> {
    options.process.map(|process| kernel::cpu_seconds(Some(process))).transpose()
}

const SUBSCRIBERS: usize = 3;
const SETTLES: Duration = Duration::from_secs(1);
const GONE: Duration = Duration::from_secs(3);
