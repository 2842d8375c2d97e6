//! What each fuzz target does with the bytes that it is given: a law that they break panics.
//!
//! A module of the tests here, which replay the corpus, and the library of the fuzzer's own package, which looks for more.

mod broker;
mod client;
mod decode;
mod disk;
mod frame;
mod host;
mod packets;
mod peer;
mod topic;

pub use broker::{broker, restore};
pub use client::client;
pub use decode::decode;
pub use frame::frame;
pub use topic::topic;

use arbitrary::{Result, Unstructured};
use bytes::{Bytes, BytesMut};
use mqlite::codec::{Packet, ProtocolVersion};
use std::fmt::Debug;

/// Where to show what happens.
type Log<'log> = &'log mut dyn FnMut(&dyn Debug);

/// What a target makes of its bytes: a little of them after the other, zeros when there are no more.
type Source<'bytes> = Unstructured<'bytes>;

/// One of these, as likely as any other.
fn one_of<T: Clone>(source: &mut Source<'_>, choices: &[T]) -> Result<T> {
    source.choose(choices).cloned()
}

fn encode(packet: &Packet, version: ProtocolVersion) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).expect("smaller than the largest packet");
    bytes.freeze()
}
