//! Who is let in, and with which rights, where the server asks: users, tokens, SCRAM, and those who say nothing of themselves.

use crate::{
    harness::{Client, Directory, Running, V3_1_1, V5, connect, connect_to, packet_id, publish, text},
    signed::{Claims, SECRET, now},
};
use mqlite::{
    broker::{Config, Grant},
    codec::{
        Auth, AuthProperties, Binary, Connect, ConnectProperties, Packet, QoS, ReasonCode, Subscribe, SubscribeFilter,
        SubscriptionOptions,
    },
    shell::native::{AuthenticationConfig, ConnectionRate, JwtConfig, Secrets, ServerConfig, UserChange, add_user},
};
use std::{num::NonZeroU32, thread::sleep, time::Duration};

/// Enough for tests.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4_096).unwrap();

fn is_asked() -> AuthenticationConfig {
    AuthenticationConfig { password_iterations: ITERATIONS.get(), ..AuthenticationConfig::default() }
}

fn tokens() -> AuthenticationConfig {
    AuthenticationConfig { jwt: Some(JwtConfig { leeway_seconds: 0, ..JwtConfig::default() }), ..is_asked() }
}

fn config(authentication: AuthenticationConfig) -> ServerConfig {
    let secrets = Secrets { jwt_secret: Some(SECRET.into()), ..Secrets::default() };
    ServerConfig { authentication: Some(authentication), secrets, ..ServerConfig::default() }
}

/// A server with the users ada, whose password is `correct horse`, and pump, whose rights are limited.
fn with_users(directory: &Directory, authentication: AuthenticationConfig) -> Running {
    let change = UserChange::default().with_password("correct horse".into());
    assert!(add_user(directory.path(), "ada", change.clone(), ITERATIONS).unwrap());
    let change = change.with_client_ids(Some(vec!["%u".into(), "%u-*".into()]));
    let change = change.with_grants(r##"[{"filter":"pumps/%u/#"},{"filter":"news/#","publish":false}]"##).unwrap();
    assert!(add_user(directory.path(), "pump", change, ITERATIONS).unwrap());
    Running::start_as(ServerConfig { data: Some(directory.path().to_owned()), ..config(authentication) })
}

fn named(client_id: &str, user_name: &str, password: &str) -> Connect {
    let password = Some(Binary::new(password.to_owned().into()).unwrap());
    Connect { user_name: Some(text(user_name)), password, ..connect(client_id) }
}

/// What the CONNACK says.
fn answer(client: &mut Client, connect: Connect) -> ReasonCode {
    client.send(Packet::Connect(Box::new(Connect { version: client.version(), ..connect })));
    match client.hear() {
        Some(Packet::ConnAck(connack)) => connack.reason,
        other => panic!("expected CONNACK, heard {other:?}"),
    }
}

/// What the SUBACK says.
fn subscribe(client: &mut Client, filter: &str) -> ReasonCode {
    let filters = vec![SubscribeFilter { filter: text(filter), options: SubscriptionOptions::default() }];
    client.send(Packet::Subscribe(Subscribe { packet_id: packet_id(9), properties: Default::default(), filters }));
    match client.hear() {
        Some(Packet::SubAck(suback)) => suback.reasons[0],
        other => panic!("expected SUBACK, heard {other:?}"),
    }
}

/// [MQTT-3.1.4-2]
#[test]
fn a_user_is_let_in_with_the_password_and_nobody_without() {
    let directory = Directory::new();
    let server = with_users(&directory, is_asked());
    for mut client in server.clients() {
        assert_eq!(answer(&mut client, named("a", "ada", "correct horse")), ReasonCode::Success);
        client.expect_open();
    }
    let wrong = [
        named("a", "ada", "wrong horse"),
        named("a", "ada", ""),
        named("a", "nobody", "correct horse"),
        named("a", "Ada", "correct horse"),
        Connect { password: None, ..named("a", "ada", "") },
    ];
    let refused = |connect: &Connect| {
        let mut client = server.over_tcp(V5);
        let reason = answer(&mut client, connect.clone());
        client.expect_closed();
        reason
    };
    // Whoever tries learns nothing of who there is.
    assert_eq!(wrong.each_ref().map(refused), [ReasonCode::BadUserNameOrPassword; 5]);
    assert_eq!(refused(&connect("a")), ReasonCode::NotAuthorized);
    let mut client = server.over_tcp(V3_1_1);
    assert_eq!(answer(&mut client, named("a", "ada", "wrong horse")), ReasonCode::BadUserNameOrPassword);
}

#[test]
fn a_user_may_do_what_its_grants_say_under_client_identifiers_of_its_own() {
    let directory = Directory::new();
    let server = with_users(&directory, is_asked());
    let mut client = server.over_tcp(V5);
    assert_eq!(answer(&mut client, named("pump-1", "pump", "correct horse")), ReasonCode::Success);
    assert_eq!(subscribe(&mut client, "pumps/pump/#"), ReasonCode::Success);
    assert_eq!(subscribe(&mut client, "news/today"), ReasonCode::Success);
    assert_eq!(subscribe(&mut client, "pumps/other/#"), ReasonCode::NotAuthorized);
    client.send(publish("news/today", "x", QoS::AtLeastOnce));
    assert!(matches!(client.hear(), Some(Packet::PubAck(ack)) if ack.reason == ReasonCode::NotAuthorized));
    client.send(publish("pumps/pump/on", "x", QoS::AtLeastOnce));
    let mut heard = [client.hear().unwrap(), client.hear().unwrap()];
    heard.sort_by_key(|packet| matches!(packet, Packet::PubAck(_)));
    assert!(matches!(&heard, [Packet::Publish(_), Packet::PubAck(ack)] if !ack.reason.is_failure()), "{heard:?}");

    let mut other = server.over_tcp(V5);
    let reason = answer(&mut other, named("ada", "pump", "correct horse"));
    assert_eq!(reason, ReasonCode::ClientIdentifierNotValid);
    other.expect_closed();
}

#[test]
fn a_user_without_grants_has_those_of_the_settings() {
    let directory = Directory::new();
    let grants = vec![Grant { filter: text("home/#"), ..Grant::default() }];
    let server = with_users(&directory, AuthenticationConfig { grants, ..is_asked() });
    let mut client = server.over_tcp(V5);
    assert_eq!(answer(&mut client, named("a", "ada", "correct horse")), ReasonCode::Success);
    assert_eq!(subscribe(&mut client, "home/door"), ReasonCode::Success);
    assert_eq!(subscribe(&mut client, "#"), ReasonCode::NotAuthorized);
}

#[test]
fn who_brings_no_credentials_is_let_in_where_that_is_set_and_who_brings_wrong_ones_is_not() {
    let directory = Directory::new();
    let anonymous_grants = vec![Grant { filter: text("news/#"), publish: false, ..Grant::default() }];
    let server = with_users(&directory, AuthenticationConfig { anonymous: true, anonymous_grants, ..is_asked() });
    let mut client = server.over_tcp(V5);
    assert_eq!(answer(&mut client, connect("anybody")), ReasonCode::Success);
    assert_eq!(subscribe(&mut client, "news/today"), ReasonCode::Success);
    assert_eq!(subscribe(&mut client, "home/door"), ReasonCode::NotAuthorized);
    let name_alone = Connect { password: None, ..named("a", "ada", "") };
    assert_eq!(answer(&mut server.over_tcp(V5), name_alone), ReasonCode::BadUserNameOrPassword);
    assert_eq!(answer(&mut server.over_tcp(V5), named("a", "ada", "no")), ReasonCode::BadUserNameOrPassword);
}

#[test]
fn who_fails_too_often_is_refused_at_once_even_with_the_right_password() {
    let directory = Directory::new();
    let server = with_users(&directory, AuthenticationConfig { failures_per_minute: 3, ..is_asked() });
    for _ in 0..3 {
        let reason = answer(&mut server.over_tcp(V5), named("a", "ada", "wrong horse"));
        assert_eq!(reason, ReasonCode::BadUserNameOrPassword);
    }
    let reason = answer(&mut server.over_tcp(V5), named("a", "ada", "correct horse"));
    assert_eq!(reason, ReasonCode::ConnectionRateExceeded);
}

/// Many at once have no more attempts than one after the other.
#[test]
fn attempts_at_the_same_time_count_too() {
    let directory = Directory::new();
    let server = with_users(&directory, AuthenticationConfig { failures_per_minute: 3, ..is_asked() });
    let mut clients: Vec<_> = (0..40).map(|_| server.over_tcp(V5)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let connect = named("a", "ada", &format!("guess {number}"));
        client.send(Packet::Connect(Box::new(Connect { version: V5, ..connect })));
    }
    let reasons: Vec<_> = clients
        .iter_mut()
        .map(|client| match client.hear() {
            Some(Packet::ConnAck(connack)) => connack.reason,
            other => panic!("{other:?}"),
        })
        .collect();
    let looked_at = reasons.iter().filter(|reason| **reason == ReasonCode::BadUserNameOrPassword).count();
    let processors = std::thread::available_parallelism().unwrap().get();
    assert!((3..3 + processors).contains(&looked_at), "{looked_at} passwords were looked at");
    let refused = reasons.iter().filter(|reason| **reason == ReasonCode::ConnectionRateExceeded).count();
    assert_eq!(looked_at + refused, 40);
}

/// Else a password costs work that nobody counts.
#[test]
fn who_does_not_wait_for_the_answer_has_failed_too() {
    let directory = Directory::new();
    let change = UserChange::default().with_password("correct horse".into());
    add_user(directory.path(), "ada", change, NonZeroU32::new(400_000).unwrap()).unwrap();
    let authentication = AuthenticationConfig { failures_per_minute: 3, ..is_asked() };
    let data = Some(directory.path().to_owned());
    let connection_rate = ConnectionRate { burst: 1_000_000, ..ConnectionRate::default() };
    let server = Running::start_as(ServerConfig { data, connection_rate, ..config(authentication) });
    let is_refused = (0..20).any(|number| {
        let mut guess = server.over_tcp(V5);
        let connect = named("a", "ada", &format!("guess {number}"));
        guess.send(Packet::Connect(Box::new(Connect { version: V5, ..connect })));
        sleep(Duration::from_millis(50)); // the work has begun, most often
        guess.cut();
        let reason = answer(&mut server.over_tcp(V5), named("a", "ada", "correct horse"));
        reason == ReasonCode::ConnectionRateExceeded
    });
    assert!(is_refused);
}

#[test]
fn a_token_in_place_of_the_password_is_who_it_says_until_it_expires() {
    let server = Running::start_as(config(tokens()));
    let token = Claims::of("ada").with("grants", r##"[{"filter":"rooms/%u/#"}]"##).sign();
    for mut client in server.clients() {
        assert_eq!(answer(&mut client, named("a", "whoever", &token)), ReasonCode::Success);
        assert_eq!(subscribe(&mut client, "rooms/ada/#"), ReasonCode::Success);
        let refused = subscribe(&mut client, "rooms/whoever/#");
        assert!(refused.is_failure(), "{refused}");
    }
    let short = Claims::of("ada").until(now() + 2).sign();
    let mut client = server.over_tcp(V5);
    assert_eq!(answer(&mut client, named("b", "ada", &short)), ReasonCode::Success);
    client.expect_thrown_out(ReasonCode::NotAuthorized);
}

#[test]
fn a_token_that_is_not_good_lets_nobody_in() {
    let server = Running::start_as(config(tokens()));
    let genuine = Claims::of("ada").sign();
    let (start, end) = genuine.split_at(genuine.len() - 8);
    let forged = format!("{start}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..]);
    let expired = Claims::of("ada").until(now() - 60).sign();
    let elsewhere = Claims::of("ada").with("room", "\"kitchen\"").sign();
    let others_client = Claims::of("ada").with("clientIds", r#"["%u"]"#).sign();
    for (token, reason) in [
        (&forged, ReasonCode::BadUserNameOrPassword),
        (&expired, ReasonCode::NotAuthorized),
        (&elsewhere, ReasonCode::NotAuthorized),
        (&others_client, ReasonCode::ClientIdentifierNotValid),
    ] {
        let mut client = server.over_tcp(V5);
        assert_eq!(answer(&mut client, named("a", "ada", token)), reason);
        client.expect_closed();
    }
}

#[test]
fn a_password_that_was_changed_counts_at_once_and_a_user_who_is_gone_is_gone() {
    let directory = Directory::new();
    drop(with_users(&directory, is_asked()));
    let change = UserChange::default().with_password("battery staple".into());
    assert!(!add_user(directory.path(), "pump", change, ITERATIONS).unwrap());
    assert!(mqlite::shell::native::remove_user(directory.path(), "ada").unwrap());
    assert!(!mqlite::shell::native::remove_user(directory.path(), "ada").unwrap());
    let server = Running::start_as(ServerConfig { data: Some(directory.path().to_owned()), ..config(is_asked()) });
    for (connect, reason) in [
        (named("pump", "pump", "correct horse"), ReasonCode::BadUserNameOrPassword),
        // What was not said of it stays.
        (named("other", "pump", "battery staple"), ReasonCode::ClientIdentifierNotValid),
        (named("pump", "pump", "battery staple"), ReasonCode::Success),
        (named("a", "ada", "correct horse"), ReasonCode::BadUserNameOrPassword),
    ] {
        assert_eq!(answer(&mut server.over_tcp(V5), connect), reason);
    }
}

/// [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5]
#[test]
fn a_user_proves_the_password_with_scram_and_the_server_too() {
    let directory = Directory::new();
    let server = with_users(&directory, is_asked());
    let mut client = server.over_tcp(V5);
    let scram = crate::signed::Scram::of("ada", "correct horse");
    client.send(Packet::Connect(Box::new(enhanced("SCRAM-SHA-256", scram.first().as_bytes()))));
    let Some(Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties })) = client.hear() else {
        panic!("expected AUTH")
    };
    let (last, signature) = scram.last(properties.authentication_data.unwrap().bytes());
    client.send(auth(ReasonCode::ContinueAuthentication, last.as_bytes()));
    let Some(Packet::ConnAck(connack)) = client.hear() else { panic!("expected CONNACK") };
    assert_eq!(connack.reason, ReasonCode::Success);
    assert_eq!(connack.properties.authentication_data.unwrap().bytes(), signature.as_bytes());
    client.expect_open();

    // Once more, on the open connection.
    let scram = crate::signed::Scram::of("ada", "correct horse");
    client.send(auth(ReasonCode::ReAuthenticate, scram.first().as_bytes()));
    let Some(Packet::Auth(Auth { properties, .. })) = client.hear() else { panic!("expected AUTH") };
    let (last, signature) = scram.last(properties.authentication_data.unwrap().bytes());
    client.send(auth(ReasonCode::ContinueAuthentication, last.as_bytes()));
    let Some(Packet::Auth(Auth { reason, properties })) = client.hear() else { panic!("expected AUTH") };
    assert_eq!(reason, ReasonCode::Success);
    assert_eq!(properties.authentication_data.unwrap().bytes(), signature.as_bytes());

    // And as somebody else, who has the same password.
    let scram = crate::signed::Scram::of("pump", "correct horse");
    client.send(auth(ReasonCode::ReAuthenticate, scram.first().as_bytes()));
    let Some(Packet::Auth(Auth { properties, .. })) = client.hear() else { panic!("expected AUTH") };
    let (last, _) = scram.last(properties.authentication_data.unwrap().bytes());
    client.send(auth(ReasonCode::ContinueAuthentication, last.as_bytes()));
    match client.hear() {
        Some(Packet::Disconnect(disconnect)) => assert!(disconnect.reason.is_failure()),
        other => panic!("expected DISCONNECT, heard {other:?}"),
    }
}

#[test]
fn scram_tells_nothing_of_who_there_is_and_lets_nobody_in_without_the_password() {
    let directory = Directory::new();
    let server = with_users(&directory, is_asked());
    let mut salts = Vec::new();
    for (user_name, password) in [("ada", "wrong horse"), ("nobody", "correct horse"), ("nobody", "correct horse")] {
        let mut client = server.over_tcp(V5);
        let scram = crate::signed::Scram::of(user_name, password);
        client.send(Packet::Connect(Box::new(enhanced("SCRAM-SHA-256", scram.first().as_bytes()))));
        let Some(Packet::Auth(Auth { properties, .. })) = client.hear() else { panic!("expected AUTH") };
        let challenge = properties.authentication_data.unwrap();
        let challenge = std::str::from_utf8(challenge.bytes()).unwrap();
        salts.push(challenge.split_once(",s=").unwrap().1.to_owned());
        client.send(auth(ReasonCode::ContinueAuthentication, scram.last(challenge.as_bytes()).0.as_bytes()));
        let Some(Packet::ConnAck(connack)) = client.hear() else { panic!("expected CONNACK") };
        assert_eq!(connack.reason, ReasonCode::BadUserNameOrPassword);
        client.expect_closed();
    }
    assert!(salts[1] == salts[2] && salts[0] != salts[1] && salts[0].len() == salts[1].len(), "{salts:?}");
    let mut client = server.over_tcp(V5);
    let other = enhanced("SCRAM-SHA-1", b"n,,n=ada,r=abc");
    assert_eq!(answer(&mut client, other), ReasonCode::BadAuthenticationMethod);
}

/// Users from before make a server ask that was told nothing else.
#[test]
fn a_server_with_users_asks_without_being_told_to() {
    let directory = Directory::new();
    drop(with_users(&directory, is_asked()));
    let data = Some(directory.path().to_owned());
    let server = Running::start_as(ServerConfig { data, ..ServerConfig::default() });
    assert_eq!(answer(&mut server.over_tcp(V5), connect("a")), ReasonCode::NotAuthorized);
    assert_eq!(answer(&mut server.over_tcp(V5), named("a", "ada", "correct horse")), ReasonCode::Success);
}

/// The work on it ends with it.
#[test]
fn a_client_that_leaves_before_the_verdict_disturbs_nobody() {
    let directory = Directory::new();
    let server = with_users(&directory, AuthenticationConfig { failures_per_minute: 1_000, ..is_asked() });
    for _ in 0..20 {
        let mut client = server.over_tcp(V5);
        client.send(Packet::Connect(Box::new(Connect { version: V5, ..named("a", "ada", "wrong horse") })));
        client.cut();
    }
    drop(connect_to(server.tcp));
    assert_eq!(answer(&mut server.over_tcp(V5), named("a", "ada", "correct horse")), ReasonCode::Success);
}

/// A CONNECT that a broker without a host would let in.
#[test]
fn nobody_is_let_in_before_somebody_is_there() {
    let server = Running::start_as(ServerConfig { broker: Config::default(), ..config(is_asked()) });
    for mut client in server.clients() {
        assert_eq!(answer(&mut client, connect("a")), ReasonCode::NotAuthorized);
        client.expect_closed();
    }
}

fn enhanced(method: &str, data: &[u8]) -> Connect {
    let properties = ConnectProperties {
        authentication_method: Some(text(method)),
        authentication_data: Some(Binary::try_from(data.to_vec()).unwrap()),
        ..Default::default()
    };
    Connect { version: V5, properties, ..connect("scram") }
}

fn auth(reason: ReasonCode, data: &[u8]) -> Packet {
    let properties = AuthProperties {
        authentication_method: Some(text("SCRAM-SHA-256")),
        authentication_data: Some(Binary::try_from(data.to_vec()).unwrap()),
        ..Default::default()
    };
    Packet::Auth(Auth { reason, properties })
}
