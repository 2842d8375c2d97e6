//! Puts load on an MQTT server and says what came of it: one line of JSON on stdout. One thread, which does not allocate for a
//! message. It knows packets, and no server in particular.

mod connection;
mod fleet;
mod flow;
mod kernel;
mod options;
mod packet;
mod plan;
mod report;
mod storm;
mod web;

use options::{Mode, Options};
use std::{error::Error, process::ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<report::Report, Box<dyn Error>> {
    let options = Options::from_arguments()?;
    match options.mode {
        Mode::Pairs | Mode::All | Mode::Share | Mode::Routing => flow::run(&options),
        Mode::Retained => storm::retained(&options),
        Mode::Connect => storm::connect(&options),
        Mode::Idle => storm::idle(&options),
    }
}
