//! A whole world in one process, the same for the same seed: brokers, clients, networks and disks that fail, and after each
//! step all that must hold.
#![cfg(not(target_arch = "wasm32"))]

mod check;
mod client;
mod delivery;
mod disk;
mod host;
mod link;
mod model;
mod random;
mod real;
mod rules;
mod shrink;
mod state;
mod trace;
mod world;

use std::{env, fs, path::Path};
use trace::Scenario;

/// `SEEDS` of them from `FIRST` on, or `SEED` alone.
#[test]
fn every_seed_holds_all_invariants() {
    let number = |name: &str| {
        let value = env::var(name).ok()?;
        Some(value.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a whole number, not {value:?}")))
    };
    if let Some(seed) = number("SEED") {
        return shrink::run_seeds(seed, 1);
    }
    shrink::run_seeds(number("FIRST").unwrap_or(0), number("SEEDS").unwrap_or(200));
}

#[test]
fn every_trace_that_once_failed_holds() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces")).unwrap() {
        let path = entry.unwrap().path();
        let scenario = Scenario::parse(&fs::read_to_string(&path).unwrap());
        if let Err(violation) = world::run(&scenario) {
            panic!("{}: {}: {}", path.display(), violation.invariant, violation.detail);
        }
    }
}

#[test]
fn a_scenario_is_read_as_it_was_written() {
    for seed in 0..100 {
        let scenario = random::scenario(seed);
        assert_eq!(Scenario::parse(&scenario.print()), scenario);
    }
}

#[test]
fn a_failing_scenario_shrinks_to_what_makes_it_fail() {
    let scenario = random::scenario(7);
    let needed = [scenario.steps[3].clone(), scenario.steps[14].clone()];
    let fails = |candidate: &Scenario| needed.iter().all(|step| candidate.steps.contains(step));
    assert_eq!(shrink::shrink(scenario, fails).steps, needed);
}
