//! `mqlite export` and `mqlite import`: state moves, whole or not at all.

use crate::{
    command::{MQLITE, Process, mqlite},
    harness::{Directory, V5},
    state::{leave_state, message, put, terminate},
};
use mqlite::codec::{Publish, QoS};
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

/// A directory with a session, two messages for it and a retained one; and a file beside it.
struct Exporting {
    directory: Directory,
    file: String,
}

impl Exporting {
    fn new() -> Self {
        let directory = Directory::new();
        let process = Process::start_in(&directory);
        leave_state(&process, 2);
        let mut publisher = process.client(V5);
        publisher.connect("publisher");
        publisher.publish(Publish { retain: true, ..message("kept", "retained", QoS::AtLeastOnce) });
        drop(publisher);
        terminate(process);
        let file = directory.join("export").to_str().unwrap().to_owned();
        Self { directory, file }
    }

    fn export(&self, more: &[&str]) -> (Option<i32>, String) {
        run(&[&["export", "--data", self.data(), &self.file], more].concat())
    }

    fn data(&self) -> &str {
        self.directory.path().to_str().unwrap()
    }
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let (code, stdout, stderr) = mqlite(arguments);
    assert_eq!(stdout, "");
    (code, stderr)
}

const COUNTS: &str = "sessions: 1, messages that wait for them: 2, retained messages: 1";

#[test]
fn a_session_goes_on_at_the_server_that_imported_it() {
    let from = Exporting::new();
    assert_eq!(from.export(&[]), (Some(0), format!("exported {COUNTS}\n")));
    let to = Directory::new();
    let data = to.path().to_str().unwrap();
    let said = run(&["import", "--data", data, &from.file]);
    assert_eq!(said, (Some(0), format!("imported {COUNTS} into {data}\n")));

    let again = to.join("export");
    assert_eq!(run(&["export", "--data", data, again.to_str().unwrap()]).0, Some(0));
    assert!(fs::read(&from.file).unwrap() == fs::read(again).unwrap(), "another export");

    let process = Process::start_in(&to);
    let mut away = process.client(V5);
    assert!(away.resume("away"));
    assert_eq!([away.take().payload, away.take().payload], ["0", "1"]);
    away.subscribe("kept", QoS::AtMostOnce);
    assert_eq!(away.take().payload, "retained");
}

#[test]
fn state_moves_through_a_pipe() {
    let from = Exporting::new();
    let (code, _, _) = mqlite(&["export", "--data", from.data(), &from.file]);
    assert_eq!(code, Some(0));
    let exported = Command::new(MQLITE).args(["export", "--data", from.data(), "-"]).output().unwrap();
    assert!(exported.status.success() && exported.stdout == fs::read(&from.file).unwrap());
    let to = Directory::new();
    let mut command = Command::new(MQLITE);
    command.args(["import", "--data"]).arg(to.path()).arg("-").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut import = command.spawn().unwrap();
    import.stdin.take().unwrap().write_all(&exported.stdout).unwrap();
    let imported = import.wait_with_output().unwrap();
    assert!(imported.status.success() && String::from_utf8(imported.stderr).unwrap().contains(COUNTS));
}

#[test]
fn a_file_is_not_overwritten_unless_it_shall_be() {
    let from = Exporting::new();
    fs::write(&from.file, "precious").unwrap();
    let refused = format!("error: {} is there already: name another file, or add --force\n", from.file);
    assert_eq!(from.export(&[]), (Some(1), refused));
    assert_eq!(fs::read(&from.file).unwrap(), b"precious");
    assert_eq!(from.export(&["--force"]).0, Some(0));
    assert!(fs::read(&from.file).unwrap().starts_with(b"MQlite\0"));
}

#[test]
fn state_is_not_replaced_unless_it_shall_be() {
    let from = Exporting::new();
    from.export(&[]);
    let to = Directory::new();
    let process = Process::start_in(&to);
    leave_state(&process, 7);
    terminate(process);
    let data = to.path().to_str().unwrap();
    let refused = format!("error: {data} has state already: add --replace to remove it\n");
    assert_eq!(run(&["import", "--data", data, &from.file]), (Some(1), refused));
    Process::start_in(&to).line_with("messages=7");
    assert_eq!(run(&["import", "--replace", "--data", data, &from.file]).0, Some(0));
    Process::start_in(&to).line_with("sessions=1 messages=2 retained_messages=1");
}

#[test]
fn a_file_that_is_not_whole_changes_nothing() {
    let from = Exporting::new();
    from.export(&[]);
    let whole = fs::read(&from.file).unwrap();
    let to = Directory::new();
    let process = Process::start_in(&to);
    leave_state(&process, 7);
    terminate(process);
    let data = to.path().to_str().unwrap();
    for (bytes, sentence) in [
        (&whole[..whole.len() - 1], "this export is not whole: export it again"),
        (&b"PK\x03\x04"[..], "this is no export of MQlite"),
    ] {
        fs::write(&from.file, bytes).unwrap();
        let refused = format!("error: {}: {sentence}\n", from.file);
        assert_eq!(run(&["import", "--replace", "--data", data, &from.file]), (Some(1), refused));
    }
    Process::start_in(&to).line_with("sessions=1 messages=7 retained_messages=0");
}

#[test]
fn a_record_that_cannot_be_used_is_exported_and_not_imported() {
    let from = Exporting::new();
    put(&from.directory, b"?", b"garbage");
    let counts = format!("{COUNTS}, records that this version cannot use: 1");
    assert_eq!(from.export(&[]), (Some(0), format!("exported {counts}\n")));
    let to = Directory::new();
    let data = to.path().to_str().unwrap();
    assert_eq!(run(&["import", "--data", data, &from.file]), (Some(0), format!("imported {counts} into {data}\n")));
    assert_eq!(Process::start_in(&to).before, [""; 0]);
}

#[test]
fn where_there_is_no_state_there_is_nothing_to_export() {
    let directory = Directory::new();
    let data = directory.path().to_str().unwrap();
    let refused = format!("error: {data} holds no state of mqlite: name another directory with --data\n");
    assert_eq!(run(&["export", "--data", data, "-"]), (Some(1), refused));
    assert!(!directory.path().exists());
}

/// What follows the last line break waits in a buffer, and would be lost without a word as the process ends.
#[cfg(target_os = "linux")]
#[test]
fn an_export_that_does_not_reach_stdout_is_an_error() {
    let from = Exporting::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(MQLITE);
    let ended = command.args(["export", "--data", from.data(), "-"]).stdout(full).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && said.starts_with("error: stdout cannot be written"), "{said}");
}

/// The older one is never cut short: whoever has it under another name still has all of it.
#[test]
fn an_export_takes_the_place_of_another_as_a_new_file() {
    let from = Exporting::new();
    let older = from.directory.join("older");
    fs::write(&older, "precious").unwrap();
    fs::hard_link(&older, &from.file).unwrap();
    assert_eq!(from.export(&["--force"]).0, Some(0));
    assert_eq!(fs::read(older).unwrap(), b"precious");
    let names = fs::read_dir(from.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["export", "mqlite.lock", "mqlite.redb", "older"]);
}

#[cfg(unix)]
#[test]
fn an_export_in_place_of_a_file_is_for_this_user_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let from = Exporting::new();
    let link = from.directory.join("link");
    fs::write(&from.file, "").unwrap();
    fs::set_permissions(&from.file, fs::Permissions::from_mode(0o644)).unwrap();
    symlink(&from.file, &link).unwrap();
    let arguments = ["export", "--data", from.data(), "--force", link.to_str().unwrap()];
    assert_eq!(run(&arguments).0, Some(0));
    assert!(link.is_symlink() && fs::read(&from.file).unwrap().starts_with(b"MQlite\0"));
    assert_eq!(fs::metadata(&from.file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_export_never_takes_the_place_of_the_state_itself() {
    let from = Exporting::new();
    let mut files = vec![from.directory.join("mqlite.redb"), from.directory.join("mqlite.lock")];
    files.push(from.directory.join("../").join(from.directory.path().file_name().unwrap()).join("mqlite.redb"));
    files.push(from.directory.join("mqlite.redb.new"));
    #[cfg(unix)]
    {
        files.push(from.directory.join("link"));
        std::os::unix::fs::symlink("mqlite.redb", &files[4]).unwrap();
    }
    for file in files {
        let file = file.to_str().unwrap();
        let refused = format!("error: {file} is part of the state itself: name another file\n");
        for more in [&["--force"][..], &[]] {
            let arguments = [&["export", "--data", from.data(), file], more].concat();
            assert_eq!(run(&arguments), (Some(1), refused.clone()));
        }
    }
    assert_eq!(from.export(&[]).0, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_to_what_is_no_file_leaves_that_in_its_place() {
    use std::os::unix::fs::FileTypeExt;
    let from = Exporting::new();
    let arguments = ["export", "--data", from.data(), "--force", "/dev/full"];
    let (code, said) = run(&arguments);
    assert!(code == Some(1) && said.starts_with("error: /dev/full cannot be written"), "{said}");
    assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
}
