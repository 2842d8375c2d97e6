//! What no client should send, table by table: a row is a name, its bytes and what the standard wants in answer.
//! After every row the session of the offender and all other clients are as if nothing had been sent.

mod acknowledge;
mod authenticate;
mod connect;
mod disconnect;
mod frame;
mod notation;
mod property;
mod publish;
mod subscribe;
mod utf8;
mod world;

use mqlite::codec::{ProtocolVersion, ReasonCode};
use notation::bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::{Scene, World};

use ProtocolVersion::{V3_1_1, V5};
use ReasonCode::{
    MalformedPacket as Malformed, PacketTooLarge, ProtocolError, ReceiveMaximumExceeded, TopicAliasInvalid,
    TopicFilterInvalid, TopicNameInvalid, UnsupportedProtocolVersion,
};

/// One input, in the notation of [`bytes`], and what comes of it.
#[derive(Clone)]
struct Row {
    name: String,
    text: String,
    versions: &'static [ProtocolVersion],
    expected: Expected,
}

/// What the offender hears, and whether its connection ends.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// DISCONNECT with this reason, then the end; 3.1.1: the end without a word.
    Out(ReasonCode),
    /// The same after these answers, in the notation of [`bytes`].
    OutAfter(&'static str, ReasonCode),
    /// CONNACK with this reason, then the end; 3.1.1: the end without a word.
    Refused(ReasonCode),
    /// CONNACK with this reason, then the end, in either version.
    Told(ReasonCode),
    /// The end, without a word in either version.
    Shut(ReasonCode),
    /// These answers, and the connection goes on.
    Answered(&'static str),
}
use Expected::{Answered, Out, OutAfter, Refused, Shut, Told};

/// A row for both versions.
fn row(name: impl Into<String>, text: impl Into<String>, expected: Expected) -> Row {
    Row { name: name.into(), text: text.into(), versions: &[V3_1_1, V5], expected }
}

fn row_5(name: impl Into<String>, text: impl Into<String>, expected: Expected) -> Row {
    Row { versions: &[V5], ..row(name, text, expected) }
}

fn row_3(name: impl Into<String>, text: impl Into<String>, expected: Expected) -> Row {
    Row { versions: &[V3_1_1], ..row(name, text, expected) }
}

/// Runs every row, whatever becomes of the others, and fails with the names of all that do not hold.
fn judge(scene: Scene, rows: impl IntoIterator<Item = Row>) {
    let mut worlds = [V3_1_1, V5].map(|version| (version, None));
    let mut failures = Vec::new();
    let mut count = 0;
    for row in rows {
        for (version, world) in worlds.iter_mut().filter(|(version, _)| row.versions.contains(version)) {
            count += 1;
            let current: &mut World = world.get_or_insert_with(|| World::new(*version, scene.clone()));
            let Err(panic) = catch_unwind(AssertUnwindSafe(|| current.run(&row))) else { continue };
            let why = panic.downcast_ref::<String>().cloned();
            let why = why.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default();
            let Row { name, text, expected, .. } = &row;
            let sent = bytes(*version, text);
            failures.push(format!("{version:?}, {name}: {text} = {sent:02x?}\n  wanted {expected:?}: {why}"));
            *world = None;
        }
    }
    assert!(count > 0, "an empty table");
    assert!(failures.is_empty(), "{} of {count} rows do not hold:\n{}", failures.len(), failures.join("\n"));
}

/// Every Reason Code of the standard (2.4), and some that it does not have.
fn reason_codes() -> impl Iterator<Item = u8> {
    let unknown = [0x03, 0x05, 0x0F, 0x1A, 0x7F, 0xA3, 0xC0, 0xFF];
    (0..=u8::MAX).filter(move |code| ReasonCode::from_u8(*code).is_some() || unknown.contains(code))
}
