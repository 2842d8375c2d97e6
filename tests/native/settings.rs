//! `mqlite check` and `mqlite serve --config`: what is told of a file of settings, and what comes of it.

use crate::{
    command::{MQLITE, Process, mqlite},
    harness::{Directory, V5, publish},
};
use mqlite::codec::{Packet, QoS, ReasonCode};
use std::{fs, path::PathBuf, process::Command};

/// A file of settings in a directory of its own.
fn settings(directory: &Directory, text: &str) -> PathBuf {
    fs::create_dir_all(directory.path()).unwrap();
    let file = directory.join("mqlite.toml");
    fs::write(&file, text).unwrap();
    file
}

/// What `mqlite check` says: its exit code, stdout, and the lines of stderr without the name of the file.
fn check(text: &str) -> (Option<i32>, String, Vec<String>) {
    let directory = Directory::new();
    let file = settings(&directory, text);
    let (code, stdout, stderr) = mqlite(&["check", file.to_str().unwrap()]);
    let place = format!("{}: ", file.display());
    (code, stdout, stderr.lines().map(|line| line.replace(&place, "")).collect())
}

#[track_caller]
fn assert_mistakes(text: &str, mistakes: &[&str]) {
    let (code, stdout, lines) = check(text);
    assert_eq!(lines, mistakes.iter().map(|mistake| format!("error: {mistake}")).collect::<Vec<_>>());
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
}

#[test]
fn every_mistake_is_told_with_its_line_and_what_to_do() {
    let text = r#"
tcp = ["127.0.0.1:1883", "nowhere"]
memry = true
origins = ["app.example"]
trustedProxies = ["10.0.0.0/8", "2001:db8::1", "proxy.example", "10.0.0.0/33"]
connectionRate = { perSecond = 0, burst = 0 }

[limits]
maximumConections = 3
maximumQos = 3
maximumPacketSize = "big"
retainAvailable = 1

[authentication]
passwordIterations = 10
failuresPerMinute = 0
grants = [{ filter = "a/#/b" }]

[authentication.jwt]
algorithms = ["HS256", "none"]
"#;
    assert_mistakes(
        text,
        &[
            "line 2: tcp[1] must be HOST:PORT, for example \"127.0.0.1:1883\"",
            "line 3: memry is no setting: is memory meant?",
            "line 4: origins[0] must be an origin such as \"https://app.example\", or \"*\" for all",
            "line 5: trustedProxies[2] must be an address or a network such as \"10.0.0.0/8\"",
            "line 5: trustedProxies[3] must be an address or a network such as \"10.0.0.0/8\"",
            "line 6: connectionRate.perSecond must be a number above 0 and up to 1,000,000",
            "line 6: connectionRate.burst must be 1 to 1,000,000",
            "line 9: limits.maximumConections is no setting: is maximumConnections meant?",
            "line 10: limits.maximumQos is not allowed: QoS is 0, 1 or 2",
            "line 11: limits.maximumPacketSize must be a whole number from 0 to 4,294,967,295",
            "line 12: limits.retainAvailable must be true or false",
            "line 15: authentication.passwordIterations must be 1,000 to 1,000,000",
            "line 16: authentication.failuresPerMinute must be 1 at least",
            "line 17: authentication.grants[0].filter must be a Topic Filter, in which + and # are levels by themselves, \
             for example \"home/%u/#\"",
            "line 20: authentication.jwt.algorithms[1] must be one of HS256, RS256, ES256, EdDSA",
        ],
    );
}

#[test]
fn what_is_no_toml_is_told_where() {
    let (code, _, lines) = check("tcp = [\n\"127.0.0.1:1883\"\nws = 3\n");
    assert_eq!(code, Some(1));
    assert!(lines.len() == 1 && lines[0].starts_with("error: line 3: this is no TOML: "), "{lines:?}");
}

#[test]
fn settings_that_do_not_go_together_are_mistakes() {
    assert_mistakes("memory = true\ndata = \"state\"\n", &["line 1: memory contradicts data: leave one of them out"]);
    assert_mistakes(
        "tcpTls = [\"127.0.0.1:8883\"]\n",
        &["line 1: tcpTls needs a certificate: set tls = { certificate = \"FILE\", key = \"FILE\" }"],
    );
    assert_mistakes(
        "[tls]\ncertificate = \"a\"\nkey = \"b\"\n",
        &["line 1: tls is for no address: name one with tcpTls or wsTls, or leave it out"],
    );
    assert_mistakes(
        "[authentication.jwt]\nissuer = \"https://issuer.example\"\n",
        &[
            "line 1: authentication.jwt has no key: name secretFile, publicKeyFile or jwksUrl, or set MQLITE_JWT_SECRET or \
           MQLITE_JWT_PUBLIC_KEY",
        ],
    );
    assert_mistakes(
        "[authentication.jwt]\njwksUrl = \"http://issuer.example/keys\"\n",
        &["line 2: authentication.jwt.jwksUrl must begin with https://"],
    );
}

#[test]
fn rules_for_messages_stand_by_themselves() {
    assert_mistakes(
        r##"
rules = [{ filter = "a/#/b", action = "drop" }]
"##,
        &["line 2: rules[0] is not allowed: only the last level can be `#` [MQTT-4.7.1-1]"],
    );
    assert_mistakes(
        "[[rules]]\nfilter = \"a/#\"\naction = \"drop\"\n[[rules]]\nfilter = \"b\"\naction = \"review\"\n",
        &["line 6: rules[1].action cannot be review, as nobody decides here: use drop, refuse or rewrite"],
    );
    assert_mistakes(
        "[[limits.rules]]\nfilter = \"a/#\"\naction = \"drop\"\n",
        &["line 1: limits.rules is no setting: rules stand by themselves, as [[rules]]"],
    );
    let directory = Directory::new();
    let text = "memory = true\ntcp = [\"127.0.0.1:0\"]\nws = [\"127.0.0.1:0\"]\n[[rules]]\nfilter = \"a/+\"\n\
                action = \"rewrite\"\ntopic = \"b/$1\"\n";
    let file = settings(&directory, text);
    let process = Process::spawn(Command::new(MQLITE).args(["serve", "--config"]).arg(&file));
    let mut client = process.client(V5);
    client.connect("gauge");
    client.subscribe("#", QoS::AtMostOnce);
    client.send(publish("a/x", "x", QoS::AtMostOnce));
    assert_eq!(client.hear_publish().topic, crate::harness::text("b/x"));
}

#[test]
fn a_server_with_a_rule_that_asks_for_a_review_does_not_start() {
    let directory = Directory::new();
    let file = settings(&directory, "memory = true\n[[rules]]\nfilter = \"a\"\naction = \"review\"\n");
    let (code, _, stderr) = mqlite(&["serve", "--tcp", "127.0.0.1:0", "--config", file.to_str().unwrap()]);
    let sentence = "line 4: rules[0].action cannot be review, as nobody decides here: use drop, refuse or rewrite";
    assert_eq!((code, stderr), (Some(1), format!("error: {}: {sentence}\n", file.display())));
}

#[test]
fn a_secret_that_is_too_short_is_a_mistake_and_never_shown() {
    let directory = Directory::new();
    let text = "adminTokenFile = \"token\"\n[authentication.jwt]\nsecretFile = \"secret\"\n";
    let file = settings(&directory, text);
    fs::write(directory.join("token"), "open sesame\n").unwrap();
    fs::write(directory.join("secret"), "forty thieves\n").unwrap();
    let (code, stdout, stderr) = mqlite(&["check", file.to_str().unwrap()]);
    assert!(code == Some(1) && stdout.is_empty());
    assert!(stderr.contains("has too short a secret: it needs 32 bytes"), "{stderr}");
    fs::write(directory.join("secret"), "forty thieves, and then as many again\n").unwrap();
    let (_, _, stderr) = mqlite(&["check", file.to_str().unwrap()]);
    assert!(stderr.contains("has too short a token: it needs 32 characters"), "{stderr}");
    fs::write(directory.join("token"), "open sesame, and once more, open sesame\n").unwrap();
    let (code, stdout, stderr) = mqlite(&["check", file.to_str().unwrap()]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for secret in ["sesame", "thieves"] {
        assert!(!stdout.contains(secret), "{stdout}");
    }
}

/// A secret in a place that is for something else is not repeated.
#[test]
fn a_value_of_the_wrong_kind_is_not_repeated() {
    for text in ["[authentication]\njwt = \"open sesame\"\n", "[authentication]\nsecret = \"open sesame\"\n"] {
        let (code, _, lines) = check(text);
        assert_eq!((code, lines.len()), (Some(1), 1));
        assert!(lines[0].contains("line 2: authentication.") && !lines[0].contains("sesame"), "{lines:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_one_sentence() {
    let (code, _, stderr) = mqlite(&["check", "/nowhere/mqlite.toml"]);
    assert_eq!(code, Some(1));
    let sentence =
        "error: /nowhere/mqlite.toml: it cannot be read (No such file or directory (os error 2)): name another file\n";
    assert_eq!(stderr, sentence);
}

#[test]
fn what_is_in_effect_is_written_so_that_it_can_be_read_again() {
    let (code, stdout, lines) =
        check("memory = true\n[limits]\nmaximumSessions = 7\n[authentication]\nanonymous = true\n");
    assert_eq!((code, lines), (Some(0), Vec::new()));
    for line in [
        "memory = true",
        "tcp = [\"127.0.0.1:1883\"]",
        "ws = [\"127.0.0.1:8083\"]",
        "maximumSessions = 7",
        "maximumConnections = 10000",
        "anonymous = true",
        "failuresPerMinute = 10",
    ] {
        assert!(stdout.lines().any(|written| written == line), "{line} is not in\n{stdout}");
    }
    let (code, again, lines) = check(&stdout);
    assert_eq!((code, again, lines), (Some(0), stdout, Vec::new()));
}

#[test]
fn an_address_of_other_machines_is_advised_of_where_nobody_is_asked() {
    let (code, _, lines) = check("memory = true\ntcp = [\"0.0.0.0:1883\"]\n");
    assert!(
        code == Some(0) && lines[0].starts_with("note: 0.0.0.0:1883 can be reached from other machines"),
        "{lines:?}"
    );
    let (_, _, lines) = check("memory = true\ntcp = [\"0.0.0.0:1883\"]\n[authentication]\n");
    assert_eq!(lines, [""; 0]);
}

#[test]
fn the_server_takes_the_settings_of_a_file() {
    let directory = Directory::new();
    let text = "memory = true\ntcp = [\"127.0.0.1:0\"]\nws = [\"127.0.0.1:0\"]\n[limits]\nretainAvailable = false\n";
    let file = settings(&directory, text);
    let process = Process::spawn(Command::new(MQLITE).args(["serve", "--config"]).arg(&file));
    let mut client = process.client(V5);
    client.connect("gauge");
    let retained = Packet::Publish(mqlite::codec::Publish { retain: true, ..publish_of("a") });
    client.send(retained);
    client.expect_thrown_out(ReasonCode::RetainNotSupported);
}

fn publish_of(topic: &str) -> mqlite::codec::Publish {
    match publish(topic, "x", QoS::AtMostOnce) {
        Packet::Publish(publish) => publish,
        other => panic!("{other:?}"),
    }
}

#[test]
fn options_count_more_than_the_file() {
    let directory = Directory::new();
    let state = directory.join("state");
    let text = "tcp = [\"127.0.0.1:1\"]\ntcpTls = [\"127.0.0.1:2\"]\nmemory = true\n";
    let file = settings(&directory, &format!("{text}[tls]\ncertificate = \"a\"\nkey = \"b\"\n"));
    let (code, _, stderr) = mqlite(&["serve", "--config", file.to_str().unwrap()]);
    assert!(code == Some(1) && stderr.contains("line 4: tls cannot be served: "), "{stderr}");

    let file = settings(&directory, "tcp = [\"127.0.0.1:1\"]\nmemory = true\n");
    let mut command = Command::new(MQLITE);
    command.args(["serve", "--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--config"]).arg(&file);
    let process = Process::spawn(command.arg("--data").arg(&state));
    process.line_with(&format!("state is kept in {}", state.display()));
    process.client(V5).connect("gauge");
}

/// The example of the README.
#[test]
fn what_the_readme_shows_has_no_mistakes() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let directory = Directory::new();
    let made = crate::tls::make(&directory);
    fs::rename(made.certificate, directory.join("fullchain.pem")).unwrap();
    fs::rename(made.key, directory.join("privkey.pem")).unwrap();
    for secret in ["jwt-secret", "admin-token"] {
        fs::write(directory.join(secret), "x".repeat(32)).unwrap();
    }
    let file = settings(&directory, example);
    let (code, stdout, stderr) = mqlite(&["check", file.to_str().unwrap()]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("maximumConnections = 50000\n") && stdout.contains("action = \"drop\"\n"), "{stdout}");
}

#[test]
fn mistakes_keep_the_server_from_starting() {
    let directory = Directory::new();
    let file = settings(&directory, "[limits]\nmaximumConections = 3\n");
    let (code, _, stderr) = mqlite(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    let sentence = "line 2: limits.maximumConections is no setting: is maximumConnections meant?";
    assert_eq!(stderr, format!("error: {}: {sentence}\n", file.display()));
}
