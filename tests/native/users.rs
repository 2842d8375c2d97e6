//! `mqlite user`: who is let in, from the command line on.

use crate::{
    command::{MQLITE, Process, mqlite},
    harness::{Client, Directory, V5, connect, text},
};
use mqlite::codec::{Binary, Connect, Packet, ReasonCode};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Runs `mqlite user add` with a password on stdin: its exit code, and stderr.
fn add(directory: &Directory, name: &str, password: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut child = Command::new(MQLITE)
        .args(["user", "add", name, "--iterations", "4096", "--data"])
        .arg(directory.path())
        .args(more)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn user(directory: &Directory, arguments: &[&str]) -> (Option<i32>, String, String) {
    mqlite(&[&["user"], arguments, &["--data", directory.path().to_str().unwrap()]].concat())
}

fn answer(client: &mut Client, user_name: &str, password: &str) -> ReasonCode {
    let password = Some(Binary::new(password.to_owned().into()).unwrap());
    let connect = Connect { version: V5, user_name: Some(text(user_name)), password, ..connect("a") };
    client.send(Packet::Connect(Box::new(connect)));
    match client.hear() {
        Some(Packet::ConnAck(connack)) => connack.reason,
        other => panic!("expected CONNACK, heard {other:?}"),
    }
}

#[test]
fn the_first_user_is_added_from_the_command_line_and_others_are_kept_out() {
    let directory = Directory::new();
    let place = directory.path().display();
    assert_eq!(add(&directory, "ada", "correct horse\n", &[]), (Some(0), format!("added \"ada\" in {place}\n")));
    let process = Process::start_in(&directory);
    process.line_with("users are let in");
    assert_eq!(answer(&mut process.client(V5), "ada", "correct horse"), ReasonCode::Success);
    assert_eq!(answer(&mut process.client(V5), "ada", "wrong horse"), ReasonCode::BadUserNameOrPassword);

    let (code, complaint) = add(&directory, "eve", "correct horse\n", &[]);
    let way = "while that runs, users are managed by its HTTP API (PUT /users/NAME)";
    assert!(code == Some(1) && complaint.contains(way) && complaint.lines().count() == 1, "{complaint}");
    for (code, _, complaint) in [user(&directory, &["remove", "ada"]), user(&directory, &["list"])] {
        assert!(code == Some(1) && complaint.contains(way), "{complaint}");
    }
}

#[test]
fn users_are_listed_changed_and_removed() {
    let directory = Directory::new();
    let grants = r##"[{"filter":"pumps/%u/#","retain":false}]"##;
    add(&directory, "pump", "correct horse", &["--client-id", "%u", "--client-id", "%u-*", "--grants", grants]);
    add(&directory, "ada", "correct horse", &[]);
    let (_, told) = add(&directory, "ada", "battery staple", &[]);
    assert!(told.starts_with("changed \"ada\""), "{told}");
    let listed = r##"ada
pump grants=[{"filter":"pumps/%u/#","retain":false}] clientIds=["%u","%u-*"]
"##;
    assert_eq!(user(&directory, &["list"]), (Some(0), listed.to_owned(), String::new()));
    let (code, _, told) = user(&directory, &["remove", "pump"]);
    assert!(code == Some(0) && told.starts_with("removed \"pump\""), "{told}");
    assert_eq!(user(&directory, &["list"]).1, "ada\n");
    let (code, _, told) = user(&directory, &["remove", "pump"]);
    assert!(code == Some(1) && told.starts_with("error: there is no user \"pump\""), "{told}");
}

#[test]
fn what_cannot_be_a_user_is_one_sentence_without_the_password() {
    let directory = Directory::new();
    for (name, password, more, part) in [
        ("ada", "short", &[][..], "A password is a text of 8 to 256 characters."),
        ("ada", "", &[], "A password is a text of 8 to 256 characters."),
        ("ada", "tabs\tare not allowed", &[], "A password must be text without control characters."),
        ("a\u{7}da", "correct horse", &[], "A user name is 1 to 256 bytes"),
        ("", "correct horse", &[], "A user name is 1 to 256 bytes"),
        ("ada", "correct horse", &["--grants", "all"], "--grants: grants is a list of objects"),
        ("ada", "correct horse", &["--grants", r#"[{"filtr":"a"}]"#], "--grants: grants is a list of objects"),
    ] {
        let (code, complaint) = add(&directory, name, password, more);
        assert!(code == Some(1) && complaint.contains(part) && complaint.lines().count() == 1, "{part}: {complaint}");
        assert!(password.is_empty() || !complaint.contains(password), "{complaint}");
    }
    assert_eq!(user(&directory, &["list"]).1, "");
}

#[test]
fn users_travel_with_an_export() {
    let (from, to) = (Directory::new(), Directory::new());
    add(&from, "ada", "correct horse", &[]);
    let file = from.join("state");
    let export = ["export", file.to_str().unwrap(), "--data", from.path().to_str().unwrap()];
    assert_eq!(mqlite(&export).0, Some(0));
    assert_eq!(mqlite(&["import", file.to_str().unwrap(), "--data", to.path().to_str().unwrap()]).0, Some(0));
    let process = Process::start_in(&to);
    assert_eq!(answer(&mut process.client(V5), "ada", "correct horse"), ReasonCode::Success);
    assert_eq!(answer(&mut process.client(V5), "ada", "wrong horse"), ReasonCode::BadUserNameOrPassword);
}

#[test]
fn an_address_of_other_machines_is_served_once_there_is_a_user() {
    let directory = Directory::new();
    add(&directory, "ada", "correct horse", &[]);
    let mut command = Command::new(MQLITE);
    command.args(["serve", "--tcp", "0.0.0.0:0", "--ws", "0.0.0.0:0", "--data"]).arg(directory.path());
    let process = Process::spawn(&mut command);
    process.line_with("has no TLS");
    process.line_with("users are let in");
}

#[test]
fn the_log_at_its_most_talkative_holds_no_credentials() {
    let directory = Directory::new();
    add(&directory, "ada", "correct horse", &[]);
    let mut command = Command::new(MQLITE);
    command.args(["serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--data"]).arg(directory.path());
    command.env("RUST_LOG", "trace").env("MQLITE_ADMIN_TOKEN", "open sesame, and once more, open sesame");
    let mut process = Process::spawn(&mut command);
    assert_eq!(answer(&mut process.client(V5), "ada", "correct horse"), ReasonCode::Success);
    assert_eq!(answer(&mut process.client(V5), "ada", "battery staple"), ReasonCode::BadUserNameOrPassword);
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
    let log = process.rest();
    assert!(log.iter().any(|line| line.contains("reason=Bad User Name or Password (0x86)")));
    for secret in ["horse", "staple", "sesame", "SCRAM-SHA-256$"] {
        assert!(log.iter().all(|line| !line.contains(secret)), "{secret}");
    }
}
