//! The `mqlite` command: reads its arguments, and serves until it is told to stop; or checks settings, keeps users, moves state.

mod check;
mod serve;
mod transfer;
mod user;

use clap::{Args, Parser, Subcommand};
use mqlite::shell::native::{StorageError, StorageProblem};
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

/// An MQTT 5.0 and 3.1.1 broker.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Command {
    #[command(subcommand)]
    subcommand: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    Serve(serve::Serve),
    Check(check::Check),
    User(user::User),
    Export(transfer::ExportTo),
    Import(transfer::ImportFrom),
}

#[derive(Args)]
struct Data {
    /// The directory of the state
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

const DATA_HELP: &str = "\
Without --data: mqlite in the directory that the platform has for data, as ~/.local/share/mqlite.";

fn main() -> ExitCode {
    let outcome = match Command::parse().subcommand {
        Subcommands::Serve(serve) => serve.run(),
        Subcommands::Check(check) => check.run(),
        Subcommands::User(user) => user.run(),
        Subcommands::Export(export) => export.run(),
        Subcommands::Import(import) => import.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

fn fail(sentence: &str) -> ExitCode {
    say(&format!("error: {sentence}"));
    ExitCode::FAILURE
}

impl Data {
    fn directory(&self) -> Result<PathBuf, String> {
        let of_platform = || dirs::data_local_dir().map(|directory| directory.join("mqlite"));
        self.data
            .clone()
            .or_else(of_platform)
            .ok_or_else(|| "this user has no directory for data: name one with --data".to_owned())
    }
}

/// On stderr, since stdout may be the file.
fn say(sentence: &str) {
    _ = writeln!(io::stderr(), "{sentence}"); // not eprintln: it panics where nobody reads
}

/// The error, and what helps.
fn explain_storage(error: &StorageError) -> String {
    match error.problem() {
        StorageProblem::InUse => format!("{error}: stop it, or name another directory with --data"),
        StorageProblem::Missing | StorageProblem::NotADirectory | StorageProblem::Denied => {
            format!("{error}: name another directory with --data")
        }
        StorageProblem::Foreign | StorageProblem::Damaged => {
            format!("{error}, or name another directory with --data")
        }
        _ => error.to_string(),
    }
}
