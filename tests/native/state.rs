//! What is kept in a directory: across ends of the process that it expects and that it does not, and when it cannot be kept.

use crate::{
    command::{MQLITE, Process, mqlite},
    harness::{Directory, Running, V3_1_1, V5, connect, publish, text},
};
use mqlite::{
    broker::Config,
    codec::{Binary, Connect, ConnectProperties, Packet, ProtocolVersion, Publish, QoS, Will},
};
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

#[test]
fn what_was_acknowledged_outlives_sigterm_and_sigkill() {
    for end in [terminate, Process::kill] {
        let directory = Directory::new();
        let process = Process::start_in(&directory);
        process.line_with("state is kept in");
        for version in [V5, V3_1_1] {
            let mut subscriber = process.client(version);
            assert!(!subscriber.resume(&name("subscriber", version)));
            subscriber.subscribe(&name("state", version), QoS::ExactlyOnce);
            subscriber.cut();
            let mut publisher = process.client(version);
            publisher.connect("publisher");
            publisher.publish(Publish { retain: true, ..message(&name("state", version), "one", QoS::AtLeastOnce) });
            publisher.publish(message(&name("state", version), "two", QoS::ExactlyOnce));
        }
        end(process);

        let process = Process::start_in(&directory);
        let line = process.line_with("state is kept in");
        assert!(line.contains("sessions=2 messages=4 retained_messages=2"), "{line}");
        for version in [V5, V3_1_1] {
            let mut subscriber = process.client(version);
            assert!(subscriber.resume(&name("subscriber", version)));
            assert_eq!([subscriber.take().payload, subscriber.take().payload], ["one", "two"]);
            subscriber.expect_open();
            let mut late = process.client(version);
            late.connect("late");
            late.subscribe(&name("state", version), QoS::AtMostOnce);
            assert_eq!(late.take().payload, "one");
        }
    }
}

#[test]
fn a_client_whose_server_was_killed_has_a_will() {
    let directory = Directory::new();
    let process = Process::start_in(&directory);
    let mut watcher = process.client(V5);
    watcher.resume("watcher");
    watcher.subscribe("will", QoS::AtLeastOnce);
    watcher.cut();
    let payload = Binary::new("last word".into()).unwrap();
    let will = Will { topic: text("will"), payload, qos: QoS::AtLeastOnce, ..Default::default() };
    let properties = ConnectProperties { session_expiry_interval: Some(3_600), ..Default::default() };
    let mut doomed = process.client(V5);
    doomed.connect_with(Connect { will: Some(will), properties, ..connect("doomed") });
    process.kill();

    let process = Process::start_in(&directory);
    let mut watcher = process.client(V5);
    assert!(watcher.resume("watcher"));
    assert_eq!(watcher.take().payload, "last word");
}

/// Between the two parts of the second exchange the server is another one, and knows the Packet Identifier still.
#[test]
fn a_qos_2_message_that_is_sent_again_to_the_next_server_arrives_once() {
    let directory = Directory::new();
    let process = Process::start_in(&directory);
    let mut subscriber = process.client(V5);
    subscriber.resume("subscriber");
    subscriber.subscribe("once", QoS::ExactlyOnce);
    let mut publisher = process.client(V5);
    publisher.resume("publisher");
    publisher.send(publish("once", "only", QoS::ExactlyOnce));
    assert!(matches!(publisher.hear(), Some(Packet::PubRec(_))));
    process.kill();

    let process = Process::start_in(&directory);
    let mut publisher = process.client(V5);
    assert!(publisher.resume("publisher"));
    let Packet::Publish(again) = publish("once", "only", QoS::ExactlyOnce) else { unreachable!() };
    publisher.publish(Publish { dup: true, ..again });
    let mut subscriber = process.client(V5);
    assert!(subscriber.resume("subscriber"));
    assert_eq!(subscriber.take().payload, "only");
    publisher.publish(message("once", "next", QoS::ExactlyOnce));
    assert_eq!(subscriber.take().payload, "next");
}

#[test]
fn clean_sessions_with_qos_0_write_nothing() {
    let directory = Directory::new();
    let process = Process::start_in(&directory);
    let before = fs::read(store(&directory)).unwrap();
    let mut subscriber = process.client(V5);
    subscriber.connect("subscriber");
    subscriber.subscribe("a", QoS::AtMostOnce);
    let mut publisher = process.client(V3_1_1);
    publisher.connect("publisher");
    for _ in 0..100 {
        publisher.send(publish("a", "b", QoS::AtMostOnce));
        subscriber.take();
    }
    assert!(fs::read(store(&directory)).unwrap() == before, "the file was written");
}

#[cfg(unix)]
#[test]
fn state_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    drop(Process::start_in(&directory));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(directory.path()), mode(&store(&directory))), (0o700, 0o600));
}

#[cfg(target_os = "linux")]
#[test]
fn without_an_option_state_is_where_the_platform_keeps_data() {
    let directory = Directory::new();
    let mut command = Command::new(MQLITE);
    command.args(["serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0"]).env("XDG_DATA_HOME", directory.path());
    Process::spawn(&mut command).line_with(&format!("state is kept in {}", directory.join("mqlite").display()));
}

#[test]
fn a_directory_in_use_is_refused_to_a_second_process() {
    let directory = Directory::new();
    let process = Process::start_in(&directory);
    let data = directory.path().to_str().unwrap();
    let sentence =
        format!("error: {data} is in use by another mqlite: stop it, or name another directory with --data\n");
    let export = directory.join("export");
    fs::write(&export, mqlite::broker::Export::new().finish()).unwrap();
    for arguments in [
        &["serve", "--tcp", "127.0.0.1:0", "--data", data][..],
        &["export", "--data", data, "-"],
        &["import", "--data", data, export.to_str().unwrap()],
    ] {
        assert_eq!(mqlite(arguments), (Some(1), String::new(), sentence.clone()));
    }
    process.client(V5).connect("client");
}

#[test]
fn a_path_that_is_no_directory_is_one_sentence() {
    let directory = Directory::new();
    fs::create_dir(directory.path()).unwrap();
    let file = directory.join("file");
    File::create(&file).unwrap();
    for data in [file.clone(), file.join("below")] {
        let data = data.to_str().unwrap();
        let sentence = format!("error: {data} is no directory: name another directory with --data\n");
        assert_eq!(mqlite(&["serve", "--tcp", "127.0.0.1:0", "--data", data]), (Some(1), String::new(), sentence));
    }
}

#[test]
fn a_damaged_or_foreign_file_is_one_sentence_and_stays_as_it_is() {
    let directory = Directory::new();
    let process = Process::start_in(&directory);
    leave_state(&process, 20);
    terminate(process);
    let whole = fs::read(store(&directory)).unwrap();
    let mut overwritten = whole.clone();
    overwritten[4_096..].chunks_mut(512).for_each(|chunk| chunk[7] ^= 1);
    let damaged = [overwritten, whole[..whole.len() / 2].to_vec(), whole[..100].to_vec()];
    let foreign = [[b"SQLite format 3\0".as_slice(), &whole[16..]].concat(), b"# Notes\n".to_vec()];
    let path = store(&directory);
    let (data, name) = (directory.path().to_str().unwrap(), path.display());
    let words = damaged
        .iter()
        .map(|bytes| (bytes, "damaged"))
        .chain(foreign.iter().map(|bytes| (bytes, "no file of this mqlite")));
    for (bytes, word) in words {
        fs::write(&path, bytes).unwrap();
        let sentence = format!(
            "error: {name} is {word}, and was left as it is: move it away to begin anew, or name another directory with --data\n"
        );
        assert_eq!(mqlite(&["serve", "--tcp", "127.0.0.1:0", "--data", data]), (Some(1), String::new(), sentence));
        assert!(fs::read(&path).unwrap() == *bytes, "the file was changed");
    }
    fs::write(&path, whole).unwrap();
    Process::start_in(&directory).line_with("sessions=1 messages=20");
}

/// Whichever page is damaged: what was stored is there to the last record, or nobody starts with less.
#[test]
fn damage_is_never_taken_for_state() {
    for end in [terminate, Process::kill] {
        let directory = Directory::new();
        let process = Process::start_in(&directory);
        leave_state(&process, 20);
        end(process);
        let (path, data) = (store(&directory), directory.path().to_str().unwrap().to_owned());
        let whole = fs::read(&path).unwrap();
        let (mut refused, mut kept) = (0, 0);
        for page in 1..whole.len() / 4_096 {
            let mut damaged = whole.clone();
            damaged[page * 4_096..][..64].iter_mut().for_each(|byte| *byte ^= 0xA5);
            fs::write(&path, &damaged).unwrap();
            let (code, _, said) = mqlite(&["export", "--force", "--data", &data, "/dev/null"]);
            if code == Some(0) {
                assert!(said.contains("sessions: 1, messages that wait for them: 20,"), "{said}");
                kept += 1;
            } else {
                assert!(said.contains("is damaged") && fs::read(&path).unwrap() == damaged, "{said}");
                refused += 1;
            }
        }
        println!("damaged pages: {refused} refused, {kept} without a record in them");
        assert!(refused > 0);
    }
}

/// The system allows a file of 2 MB, and nobody else is disturbed. What was acknowledged is there when there is room again.
#[cfg(unix)]
#[test]
fn a_full_disk_stops_the_server_and_loses_nothing_that_was_acknowledged() {
    let directory = Directory::new();
    let mut command = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" serve --tcp 127.0.0.1:0 --ws 127.0.0.1:0 --data \"$1\"";
    command.args(["-c", limited, MQLITE]).arg(directory.path());
    let mut process = Process::spawn(&mut command);
    let mut subscriber = process.client(V5);
    subscriber.resume("subscriber");
    subscriber.subscribe("full", QoS::AtLeastOnce);
    subscriber.cut();
    let mut publisher = process.client(V5);
    publisher.connect("publisher");
    let mut acknowledged = 0;
    while {
        publisher.send(publish("full", vec![acknowledged as u8; 10_000], QoS::AtLeastOnce));
        publisher.hear().is_some()
    } {
        acknowledged += 1;
    }
    drop(publisher);
    assert_eq!(process.exit_code(), Some(1));
    let sentence = format!(
        "error: there is no room for more in {}: make some, and start again; what was acknowledged is kept",
        directory.path().display()
    );
    assert_eq!(process.line_with("error: "), sentence);
    println!("{acknowledged} messages of 10 kB were acknowledged before the disk was full");
    assert!(acknowledged > 10);

    let process = Process::start_in(&directory);
    let mut subscriber = process.client(V5);
    assert!(subscriber.resume("subscriber"));
    for number in 0..acknowledged {
        assert_eq!(subscriber.take().payload[0], number as u8);
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_from_the_beginning_is_one_sentence() {
    let directory = Directory::new();
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" serve --tcp 127.0.0.1:0 --data \"$1\"";
    let output = Command::new("sh").args(["-c", limited, MQLITE]).arg(directory.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("error: there is no room for more in ") && said.lines().count() == 1, "{said}");
    terminate(Process::start_in(&directory));
}

#[test]
fn a_flood_for_a_session_that_is_away_keeps_memory_and_file_flat() {
    let directory = Directory::new();
    let config = Config { maximum_queued_messages: 100, sys_interval_seconds: 1, ..Config::default() };
    let server = Running::start_in(&directory, config);
    let mut subscriber = server.over_tcp(V5);
    subscriber.resume("away");
    subscriber.subscribe("flood", QoS::AtLeastOnce);
    subscriber.cut();
    let mut publisher = server.over_tcp(V5);
    publisher.connect("publisher");
    let mut flood = |count: u32| {
        (0..count).for_each(|_| publisher.publish(message("flood", &"x".repeat(1_000), QoS::AtLeastOnce)));
        fs::metadata(store(&directory)).unwrap().len()
    };
    let (first, last) = (flood(500), flood(2_000));
    println!("the file has {first} bytes after 500 messages, {last} after 2,500");
    assert_eq!(first, last);
    let mut watcher = server.over_tcp(V5);
    watcher.connect("watcher");
    for (topic, count) in [("$SYS/broker/messages/dropped", "2400"), ("$SYS/broker/messages/stored", "100")] {
        watcher.subscribe(topic, QoS::AtMostOnce);
        while watcher.take().payload != count {}
    }
}

#[test]
fn what_was_delivered_leaves_nothing_behind() {
    let directory = Directory::new();
    let mut sizes = Vec::new();
    for messages in [1, 300] {
        let process = Process::start_in(&directory);
        let mut subscriber = process.client(V5);
        subscriber.resume("subscriber");
        subscriber.subscribe("state", QoS::ExactlyOnce);
        let mut publisher = process.client(V5);
        publisher.connect("publisher");
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            for _ in 0..messages {
                publisher.publish(message("state", "taken", qos));
                subscriber.take();
            }
        }
        subscriber.expect_open();
        drop((publisher, subscriber));
        terminate(process);
        let export = Command::new(MQLITE).args(["export", "-", "--data"]).arg(directory.path()).output().unwrap();
        assert!(export.status.success());
        sizes.push(export.stdout.len());
    }
    assert_eq!(sizes[0], sizes[1]);
}

/// It may be of a newer version, which then finds it again.
#[test]
fn a_record_that_cannot_be_used_is_told_of_and_left() {
    let directory = Directory::new();
    terminate(Process::start_in(&directory));
    put(&directory, b"m\0", b"garbage");
    for _ in 0..2 {
        let process = Process::spawn(
            Command::new(MQLITE)
                .args(["serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--data"])
                .arg(directory.path())
                .env("RUST_LOG", "debug"),
        );
        let said = process.before.join("\n");
        assert!(
            said.contains("WARN 1 records in ") && said.contains("the key is none that this broker knows"),
            "{said}"
        );
        terminate(process);
    }
}

/// Puts a record into the file behind the server's back.
pub fn put(directory: &Directory, key: &[u8], value: &[u8]) {
    let database = redb::Database::open(store(directory)).unwrap();
    let transaction = database.begin_write().unwrap();
    let records = redb::TableDefinition::<&[u8], &[u8]>::new("records");
    transaction.open_table(records).unwrap().insert(key, value).unwrap();
    transaction.commit().unwrap();
}

/// A session that is away, and messages that wait for it.
pub fn leave_state(process: &Process, messages: usize) {
    let mut away = process.client(V5);
    away.resume("away");
    away.subscribe("state", QoS::AtLeastOnce);
    away.cut();
    let mut publisher = process.client(V5);
    publisher.connect("publisher");
    (0..messages).for_each(|number| publisher.publish(message("state", &number.to_string(), QoS::AtLeastOnce)));
}

pub fn message(topic: &str, payload: &str, qos: QoS) -> Publish {
    match publish(topic, payload.to_owned(), qos) {
        Packet::Publish(publish) => publish,
        other => panic!("{other:?}"),
    }
}

pub fn terminate(mut process: Process) {
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
}

fn store(directory: &Directory) -> std::path::PathBuf {
    directory.join("mqlite.redb")
}

fn name(name: &str, version: ProtocolVersion) -> String {
    format!("{name} {version:?}")
}
