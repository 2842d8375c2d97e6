//! Whose a session is, and how many connections a user may have, where the host finds out who a client is.

use crate::harness::*;
use mqlite::{
    broker::{Authentication, Config, Durability, Grants, Verdict},
    codec::{Connect, ConnectProperties, Packet, ProtocolVersion, ReasonCode},
};

fn asking(version: ProtocolVersion, config: Config) -> Trace {
    Trace::with(version, Config { authentication: Authentication::Ask, ..config })
}

/// `name` comes with this Client Identifier to a session that is kept, or to a new one, and is this user; what it hears.
fn come(
    trace: &mut Trace,
    name: &'static str,
    client_id: &str,
    user: Option<&str>,
    is_clean: bool,
) -> (ReasonCode, bool) {
    trace.open(name);
    let properties = ConnectProperties { session_expiry_interval: Some(60), ..Default::default() };
    let connect = Connect { clean_start: is_clean, properties, ..connect(client_id) };
    trace.send(name, Packet::Connect(Box::new(connect)));
    let user_name = user.map(text);
    trace.answer(Verdict::Allow { grants: Grants::all(), data: None, user_name, expires_at: None });
    let connack = trace.hear_connack(name);
    (connack.reason, connack.session_present)
}

const NEW: (ReasonCode, bool) = (ReasonCode::Success, false);
const PRESENT: (ReasonCode, bool) = (ReasonCode::Success, true);
const ANOTHERS: (ReasonCode, bool) = (ReasonCode::ClientIdentifierNotValid, false);
const TOO_MANY: (ReasonCode, bool) = (ReasonCode::QuotaExceeded, false);

/// What 3.1.1 hears of a limit.
fn too_many(version: ProtocolVersion) -> (ReasonCode, bool) {
    if version == V5 { TOO_MANY } else { (ReasonCode::ServerUnavailable, false) }
}

/// [MQTT-3.1.3-8]
#[test]
fn a_session_is_its_users_until_it_ends() {
    both(|version| {
        for is_connected in [true, false] {
            let mut trace = asking(version, Config::default());
            assert_eq!(come(&mut trace, "ada", "c", Some("ada"), false), NEW);
            trace.subscribe("ada", "t", AtLeastOnce);
            if !is_connected {
                trace.cut("ada");
            }
            for (user, is_clean) in [(Some("bob"), false), (Some("bob"), true), (None, false), (None, true)] {
                assert_eq!(come(&mut trace, "bob", "c", user, is_clean), ANOTHERS, "{user:?}");
                trace.expect_closed("bob", ReasonCode::ClientIdentifierNotValid);
            }
            if is_connected {
                trace.expect_nothing("ada");
            }
            assert_eq!(come(&mut trace, "again", "c", Some("ada"), false), PRESENT);
            trace.disconnect("c", ReasonCode::AdministrativeAction, true);
            assert_eq!(come(&mut trace, "bob", "c", Some("bob"), false), NEW);
        }
    });
}

#[test]
fn a_session_that_is_over_is_nobodys() {
    let mut trace = asking(V5, Config::default());
    assert_eq!(come(&mut trace, "ada", "c", Some("ada"), false), NEW);
    trace.cut("ada");
    trace.wait_secs(59);
    assert_eq!(come(&mut trace, "bob", "c", Some("bob"), false), ANOTHERS);
    trace.wait_secs(1);
    assert_eq!(come(&mut trace, "bob", "c", Some("bob"), false), NEW);
}

#[test]
fn a_session_without_a_user_is_taken_by_one_who_inherits_nothing() {
    both(|version| {
        let mut trace = asking(version, Config::default());
        assert_eq!(come(&mut trace, "nobody", "c", None, false), NEW);
        trace.subscribe("nobody", "t", AtLeastOnce);
        trace.cut("nobody");
        assert_eq!(come(&mut trace, "nobody", "c", None, false), PRESENT);
        assert_eq!(come(&mut trace, "ada", "c", Some("ada"), false), NEW);
        trace.expect_thrown_out("nobody", ReasonCode::SessionTakenOver);
        assert_eq!(trace.statistics().subscriptions, 0);
    });
}

#[test]
fn a_user_name_protects_nothing_where_nobody_is_asked() {
    let mut trace = Trace::with(V5, Config { maximum_connections_per_user: 0, ..Default::default() });
    for (user, is_present) in [("ada", false), ("bob", true)] {
        let properties = ConnectProperties { session_expiry_interval: Some(60), ..Default::default() };
        let user_name = Some(text(user));
        let connect = Connect { clean_start: false, user_name, properties, ..connect("c") };
        assert_eq!(trace.connect_with("c", connect), is_present);
    }
}

#[test]
fn a_user_has_so_many_connections_and_no_more() {
    both(|version| {
        let mut trace = asking(version, Config { maximum_connections_per_user: 2, ..Default::default() });
        assert_eq!(come(&mut trace, "1", "1", Some("ada"), false), NEW);
        assert_eq!(come(&mut trace, "2", "2", Some("ada"), false), NEW);
        assert_eq!(come(&mut trace, "3", "3", Some("ada"), false), too_many(version));
        // Others are others, and who is no user is not counted.
        assert_eq!(come(&mut trace, "4", "4", Some("bob"), false), NEW);
        for name in ["5", "6", "7"] {
            assert_eq!(come(&mut trace, name, name, None, false), NEW);
        }
        // To take one's own connection over is not one more.
        assert_eq!(come(&mut trace, "again", "2", Some("ada"), false), PRESENT);
        trace.expect_thrown_out("2", ReasonCode::SessionTakenOver);
        assert_eq!(come(&mut trace, "3", "3", Some("ada"), false), too_many(version));
        trace.cut("1");
        assert_eq!(come(&mut trace, "3", "3", Some("ada"), false), NEW);
        assert_eq!(come(&mut trace, "1", "1", Some("ada"), false), too_many(version));
    });
}

#[test]
fn a_user_has_so_many_sessions_and_no_more() {
    both(|version| {
        let mut trace = asking(version, Config { maximum_sessions_per_user: 2, ..Default::default() });
        for name in ["1", "2"] {
            assert_eq!(come(&mut trace, name, name, Some("ada"), false), NEW);
            trace.cut(name);
        }
        assert_eq!(come(&mut trace, "3", "3", Some("ada"), false), too_many(version));
        // Others are others, and one's own session is not one more, whether it is gone on with or begun anew.
        assert_eq!(come(&mut trace, "4", "4", Some("bob"), false), NEW);
        assert_eq!(come(&mut trace, "1", "1", Some("ada"), false), PRESENT);
        trace.cut("1");
        assert_eq!(come(&mut trace, "1", "1", Some("ada"), true), NEW);
        assert_eq!(come(&mut trace, "3", "3", Some("ada"), false), too_many(version));
        trace.disconnect("2", ReasonCode::AdministrativeAction, true);
        assert_eq!(come(&mut trace, "3", "3", Some("ada"), false), NEW);
    });
}

#[test]
fn sessions_that_outlive_the_broker_are_counted_as_before() {
    let config = Config { maximum_sessions_per_user: 1, durability: Durability::Connections, ..Default::default() };
    let mut trace = asking(V5, config);
    assert_eq!(come(&mut trace, "1", "1", Some("ada"), false), NEW);
    trace.cut("1");
    trace.sleep();
    assert_eq!(come(&mut trace, "2", "2", Some("ada"), false), TOO_MANY);
    trace.disconnect("1", ReasonCode::AdministrativeAction, true);
    assert_eq!(come(&mut trace, "2", "2", Some("ada"), false), NEW);
}

#[test]
fn connections_that_outlive_a_sleep_are_counted_as_before() {
    let config = Config { maximum_connections_per_user: 1, durability: Durability::Connections, ..Default::default() };
    let mut trace = asking(V5, config);
    assert_eq!(come(&mut trace, "1", "1", Some("ada"), false), NEW);
    trace.sleep();
    assert_eq!(come(&mut trace, "2", "2", Some("ada"), false), TOO_MANY);
    assert_eq!(come(&mut trace, "2", "1", Some("bob"), false), ANOTHERS);
    trace.cut("1");
    assert_eq!(come(&mut trace, "2", "2", Some("ada"), false), NEW);
}
