//! What the host keeps with the broker: durable, exported, bounded, and nothing to any client.

use crate::harness::*;
use crate::kept::{Kept, config};
use mqlite::{
    broker::{Action, Broker, Config, Export, Input, KeepError},
    codec::Text,
};

fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

fn keep(kept: &mut Kept, name: &str, value: Option<&'static str>) -> Vec<Action> {
    kept.input(Input::Keep { name: text(name), value: value.map(Into::into) })
}

fn all(broker: &Broker, prefix: &str) -> Vec<(String, String)> {
    let value = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    broker.kept(&text(prefix)).map(|(name, bytes)| (name.to_string(), value(bytes))).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[test]
fn what_is_kept_is_found_by_how_its_name_begins_in_order_until_it_is_taken_away() {
    let mut kept = Kept::new(Config::default());
    for name in ["user/bob", "users", "user/ada", "other", "user/"] {
        keep(&mut kept, name, Some("1"));
    }
    keep(&mut kept, "user/ada", Some("2"));
    assert_eq!(all(&kept.broker, "user/"), [pair("user/", "1"), pair("user/ada", "2"), pair("user/bob", "1")]);
    assert_eq!(all(&kept.broker, "").len(), 5);
    assert_eq!(all(&kept.broker, "nobody"), []);
    keep(&mut kept, "user/ada", None);
    keep(&mut kept, "user/ada", None);
    assert_eq!(all(&kept.broker, "user/a"), []);
}

#[test]
fn what_is_kept_is_written_once_and_outlives_a_crash() {
    let mut kept = Kept::new(config());
    assert_eq!(keep(&mut kept, "user/ada", Some("1")).len(), 1);
    keep(&mut kept, "user/bob", Some("2"));
    keep(&mut kept, "user/bob", None);
    assert_eq!(keep(&mut kept, "user/dan", None), [], "nothing was there, and nothing is written");
    assert_eq!(kept.kinds(), "k");
    kept.sleep(|connection| connection);
    assert_eq!(all(&kept.broker, ""), [pair("user/ada", "1")]);
    keep(&mut kept, "user/ada", None);
    assert_eq!(kept.kinds(), "");
}

#[test]
fn what_is_kept_goes_along_with_an_export_from_a_broker_without_storage_too() {
    for config in [config(), Config::default()] {
        let mut kept = Kept::new(config);
        keep(&mut kept, "user/ada", Some("1"));
        keep(&mut kept, "user/bob", Some(""));
        let mut export = Export::new();
        kept.broker.records().iter().for_each(|(key, value)| export.push(key, value));
        let restored = Broker::restore(Config::default(), [3; 32], Export::parse(export.finish()).unwrap());
        assert_eq!(restored.rejected, []);
        assert_eq!(all(&restored.broker, ""), [pair("user/ada", "1"), pair("user/bob", "")]);
    }
}

#[test]
fn more_than_may_be_kept_is_refused_and_what_makes_room_is_not() {
    let mut kept = Kept::new(Config { maximum_kept_records: 2, maximum_kept_bytes: 1_000, ..config() });
    let refused = |kept: &mut Kept, name: &str, length: usize| {
        let (name, value) = (text(name), vec![b'x'; length].into());
        let refused = kept.broker.may_keep(&name, Some(&value));
        let actions = kept.input(Input::Keep { name, value: Some(value) });
        assert_eq!(refused.is_err(), actions.is_empty(), "{refused:?}");
        refused.err()
    };
    assert_eq!(refused(&mut kept, "", 1), Some(KeepError::NoName));
    assert_eq!(refused(&mut kept, "a", 70_000), Some(KeepError::ValueTooLong));
    assert_eq!(refused(&mut kept, "a", 1_000), Some(KeepError::NoRoom));
    assert_eq!(refused(&mut kept, "a", 400), None);
    assert_eq!(refused(&mut kept, "b", 400), Some(KeepError::NoRoom));
    assert_eq!(refused(&mut kept, "b", 100), None);
    assert_eq!(refused(&mut kept, "c", 1), Some(KeepError::NoRoom));
    assert_eq!(refused(&mut kept, "a", 100), None);
    assert_eq!(refused(&mut kept, "b", 400), None);
    keep(&mut kept, "a", None);
    assert_eq!(refused(&mut kept, "c", 1), None);
}

#[test]
fn what_was_kept_under_larger_limits_stays_and_may_shrink() {
    let mut kept = Kept::new(config());
    keep(&mut kept, "a", Some("long"));
    keep(&mut kept, "b", Some("long"));
    kept.config = Config { maximum_kept_records: 1, maximum_kept_bytes: 1, ..config() };
    kept.sleep(|connection| connection);
    assert_eq!(all(&kept.broker, "").len(), 2);
    keep(&mut kept, "a", Some("longer"));
    assert_eq!(all(&kept.broker, "a"), [pair("a", "long")]);
    keep(&mut kept, "a", Some("shrt"));
    assert_eq!(all(&kept.broker, "a"), [pair("a", "shrt")]);
}

#[test]
fn no_client_sees_or_changes_what_is_kept() {
    both(|version| {
        let mut trace = Trace::new(version);
        trace.connect("ada");
        trace.subscribe("ada", "#", AtMostOnce);
        let now = trace.now();
        let name = text("user/ada");
        trace.broker().handle(now, Input::Keep { name: name.clone(), value: Some("secret".into()) });
        trace.expect_nothing("ada");
        trace.send("ada", retained("user/ada", "other"));
        assert_eq!(trace.count("ada"), 1);
        assert_eq!(all(trace.broker(), ""), [pair("user/ada", "secret")]);
    });
}
