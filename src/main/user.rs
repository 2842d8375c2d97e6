//! `mqlite user`: who is let in with a password.

use super::{DATA_HELP, Data, explain_storage, say};
use clap::{Args, Subcommand};
use mqlite::shell::native::{AccountError, StorageProblem, UserChange, UserSummary, add_user, remove_user, users};
use std::{
    io::{self, BufRead, IsTerminal, Write},
    num::NonZeroU32,
};

/// Add, remove or list users
///
/// They are kept with the state. The server must not be running; while it does, users are managed
/// by its HTTP API (PUT /users/NAME).
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct User {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Add(Add),
    Remove(Remove),
    List(List),
}

/// Add a user, or change one
///
/// The password is asked for, or read from the first line of stdin.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = ADD_HELP)]
struct Add {
    /// How the user is called
    name: String,

    /// What the user may do, as a list of JSON; without it what the settings say
    #[arg(long, value_name = "JSON")]
    grants: Option<String>,

    /// A Client Identifier that the user may have, with %u for the name and * at the end for
    /// whatever follows; may be given several times, without it any
    #[arg(long, value_name = "PATTERN", verbatim_doc_comment)]
    client_id: Vec<String>,

    /// How much work it is to check the password: 1000 to 1000000; Cloudflare's workers do 100000
    #[arg(long, value_name = "COUNT", default_value = "100000",
          value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    iterations: u32,

    #[command(flatten)]
    data: Data,
}

/// Remove a user
#[derive(Args)]
#[command(after_help = DATA_HELP)]
struct Remove {
    /// How the user is called
    name: String,

    #[command(flatten)]
    data: Data,
}

/// List the users, one a line: the name, and in JSON what is set for it
#[derive(Args)]
#[command(after_help = DATA_HELP)]
struct List {
    #[command(flatten)]
    data: Data,
}

const ADD_HELP: &str = "\
Without --data: mqlite in the directory that the platform has for data, as ~/.local/share/mqlite.

Examples:
  mqlite user add ada
  mqlite user add pump --client-id %u --grants '[{\"filter\":\"pumps/%u/#\"}]' <password.txt";

impl User {
    pub fn run(self) -> Result<(), String> {
        match self.what {
            What::Add(add) => add.run(),
            What::Remove(remove) => remove.run(),
            What::List(list) => list.run(),
        }
    }
}

impl Add {
    fn run(self) -> Result<(), String> {
        let Self { name, grants, client_id, iterations, data } = self;
        let directory = data.directory()?;
        let mut change = UserChange::default().with_password(password()?);
        if let Some(grants) = grants {
            change = change.with_grants(&grants).map_err(|error| format!("--grants: {error}"))?;
        }
        if !client_id.is_empty() {
            change = change.with_client_ids(Some(client_id));
        }
        let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        let is_new = add_user(&directory, &name, change, iterations).map_err(|error| explain(&error))?;
        say(&format!("{} {name:?} in {}", if is_new { "added" } else { "changed" }, directory.display()));
        Ok(())
    }
}

impl Remove {
    fn run(self) -> Result<(), String> {
        let directory = self.data.directory()?;
        let name = &self.name;
        match remove_user(&directory, name).map_err(|error| explain(&error))? {
            true => say(&format!("removed {name:?} from {}", directory.display())),
            false => return Err(format!("there is no user {name:?} in {}", directory.display())),
        }
        Ok(())
    }
}

impl List {
    fn run(self) -> Result<(), String> {
        let users = users(&self.data.directory()?).map_err(|error| explain(&error))?;
        let lines: String = users.iter().map(|user| format!("{}\n", line(user))).collect();
        io::stdout().write_all(lines.as_bytes()).map_err(|error| format!("stdout cannot be written ({error})"))
    }
}

/// Names have no control characters, so that a line is a line.
fn line(user: &UserSummary) -> String {
    let rest = |name, list: Option<String>| list.map(|list| format!(" {name}={list}")).unwrap_or_default();
    let grants = user.grants.as_ref().and_then(|grants| serde_json::to_string(grants).ok());
    let client_ids = user.client_ids.as_ref().and_then(|patterns| serde_json::to_string(patterns).ok());
    format!("{}{}{}", user.name, rest("grants", grants), rest("clientIds", client_ids))
}

fn password() -> Result<String, String> {
    let failed = |error: io::Error| format!("the password cannot be read ({error})");
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(failed)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ").map_err(failed)?;
    let again = rpassword::prompt_password("Once more: ").map_err(failed)?;
    if password == again { Ok(password) } else { Err("the two passwords are not the same: try again".to_owned()) }
}

fn explain(error: &AccountError) -> String {
    match error {
        AccountError::Storage(error) if error.problem() == StorageProblem::InUse => format!("{error}: {HTTP}"),
        AccountError::Storage(error) => explain_storage(error),
        error => error.to_string(),
    }
}

/// What helps while a server runs.
const HTTP: &str = "while that runs, users are managed by its HTTP API (PUT /users/NAME); or stop it";
