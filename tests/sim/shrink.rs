//! Many seeds, and a short trace of one that fails.
#![allow(clippy::disallowed_types, reason = "how long it takes is told to who waits, not to the world")]

use super::{
    check::Violation,
    random,
    trace::{Scenario, Step},
    world::{self, Outcome},
};
use std::{
    env, fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

/// Runs seeds on all cores, each twice. One that fails is shrunk and written to `tests/traces`.
pub fn run_seeds(first: u64, count: u64) {
    let (next, events, started) = (AtomicU64::new(0), AtomicU64::new(0), Instant::now());
    let failure: Mutex<Option<(u64, Violation)>> = Mutex::new(None);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || failure.lock().unwrap().is_some() {
                return;
            }
            match run_twice(&random::scenario(first + index)) {
                Ok(outcome) => _ = events.fetch_add(outcome.events, Ordering::Relaxed),
                Err(violation) => _ = failure.lock().unwrap().get_or_insert((first + index, violation)),
            }
            if index % 5_000 == 4_999 {
                eprintln!("{} seeds after {:?}", index + 1, started.elapsed());
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64).min(count);
    thread::scope(|scope| (0..cores).for_each(|_| _ = scope.spawn(work)));
    let (failure, events) = (failure.into_inner().unwrap(), events.into_inner());
    let seeds = next.into_inner().min(count);
    eprintln!("{seeds} seeds, {events} events, {} violations, {:?}", u8::from(failure.is_some()), started.elapsed());
    if let Some((seed, violation)) = failure {
        report(seed, &violation);
    }
}

/// The same scenario does the same, twice; once is enough to be read.
fn run_twice(scenario: &Scenario) -> Result<Outcome, Violation> {
    let outcome = world::run(scenario)?;
    if env::var_os("LOG").is_some() {
        return Ok(outcome);
    }
    let again = world::run(scenario)?;
    if outcome == again {
        return Ok(outcome);
    }
    Err(Violation { invariant: "the same seed, the same actions", detail: format!("{outcome:?} is not {again:?}") })
}

fn report(seed: u64, violation: &Violation) -> ! {
    let fails_alike =
        |candidate: &Scenario| run_twice(candidate).is_err_and(|other| other.invariant == violation.invariant);
    let trace = shrink(random::scenario(seed), fails_alike);
    let detail = run_twice(&trace).err().map_or_else(|| violation.detail.clone(), |violation| violation.detail);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/traces/seed-{seed}.txt"));
    let text = format!("# {}\n{}", violation.invariant, trace.print());
    fs::write(&path, &text).expect("tests/traces is there");
    panic!("{}: {detail}\n{text}make sim SEED={seed}\n{}", violation.invariant, path.display());
}

/// Takes out operations as long as the scenario fails still: first many at a time, then one by one.
pub fn shrink(mut scenario: Scenario, fails: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut length = scenario.steps.len();
    while length > 0 {
        let mut start = 0;
        let before = scenario.steps.len();
        while start < scenario.steps.len() {
            let mut steps: Vec<Step> = scenario.steps.clone();
            steps.drain(start..(start + length).min(steps.len()));
            let candidate = Scenario { steps, ..scenario.clone() };
            if fails(&candidate) {
                scenario = candidate;
            } else {
                start += length;
            }
        }
        if length > 1 || before == scenario.steps.len() {
            length /= 2;
        }
    }
    scenario
}
