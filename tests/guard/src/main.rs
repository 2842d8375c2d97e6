//! Runs one hot path for tests/guard/guard.mjs, which counts its instructions with callgrind, and tells how many times it was run
//! and what it took from the allocator. Knows no path; they are in paths.rs.

mod allocator;
mod host;
mod paths;

use allocator::{allocations, live_bytes};
use std::hint::black_box;

/// What is counted, ready to go, and how many times it will have been done.
pub struct Measured {
    /// Does it.
    work: Box<dyn FnMut()>,
    /// How often, in the unit that the path's name says.
    count: usize,
}

fn main() {
    let name = std::env::args().nth(1);
    let Some(name) = name else {
        all().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let (_, prepare) = all().find(|(other, _)| *other == name).expect("a path's name");
    let mut measured = prepare();
    let (before, live) = (allocations(), live_bytes());
    guard_measured(&mut *measured.work);
    let (after, left) = (allocations(), live_bytes());
    println!(
        "{{\"count\":{},\"allocations\":{},\"bytes\":{}}}",
        measured.count,
        after - before,
        left.saturating_sub(live)
    );
}

fn all() -> impl Iterator<Item = &'static paths::Path> {
    paths::PATHS.iter().chain(&paths::IDLE)
}

/// Callgrind counts from here to its end, by this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn guard_measured(work: &mut dyn FnMut()) {
    work();
    black_box(());
}
