//! What outlives a broker: the keys and values of its records, and nothing of what they mean to it.
//! Knows no database; a host keeps the bytes as they are.
//!
//! | key | value |
//! | --- | --- |
//! | `c` place | [`Connection`], when it is too large to be remembered beside its socket |
//! | `d` number | [`Delayed`]: a message that is published later |
//! | `f` session, filter | [`Subscription`] |
//! | `i` session, packet identifier | [`Received`]: a QoS 2 message that is not released |
//! | `k` name | [`Kept`]: a value of the host's own |
//! | `m` message | [`Content`], once for all sessions that need it |
//! | `o` session, packet identifier | [`InFlight`] |
//! | `p` session, place | [`Replay`]: retained messages that a subscription still gets |
//! | `q` session, place | [`Delivery`]: a message that waits |
//! | `r` topic | [`Retained`] |
//! | `s` session | [`Session`] |
//! | `u` place, position | [`Piece`] of what a connection has brought, when it is too large to be remembered |
//! | `w` session | [`Will`] |
//!
//! Numbers are 8 bytes, packet identifiers 2, the most significant first. A value begins with the version of its layout;
//! one of an older version is read as if this one had written it.

mod export;
mod field;
mod record;
mod version;

pub use export::Export;
pub use record::{
    Connection, Content, Delayed, Delivery, InFlight, Kept, Link, Piece, Received, Replay, Retained, Right, Session,
    State, Subscription, Unread, Will,
};

use self::version::{VERSION, upgraded};
use crate::codec::{
    DecodeError, PacketId, Text,
    wire::{Field, Reader, Sink},
};
use bytes::{Bytes, BytesMut};

/// The name of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// What a connection needs to go on, by its place: the number of its records.
    Connection(u64),
    /// A message that is published later.
    Delayed(u64),
    /// A Subscription of a Session.
    Subscription(u64, Text),
    /// A QoS 2 message that a Session's client has not released.
    Received(u64, PacketId),
    /// A value that the host keeps.
    Kept(Text),
    /// An Application Message.
    Message(u64),
    /// A message in flight to a Session's client.
    InFlight(u64, PacketId),
    /// Retained messages that a new Subscription of a Session still gets.
    Replay(u64, u64),
    /// A message that waits for a Session.
    Waiting(u64, u64),
    /// What is retained for a topic.
    Retained(Text),
    /// A Session.
    Session(u64),
    /// Unread bytes of the connection at a place, by the position of the first in all that it has brought.
    Unread(u64, u64),
    /// The Will Message of a Session.
    Will(u64),
}

/// A record that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreError {
    /// Its key.
    pub key: Bytes,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// What a value holds.
pub trait Record: Sized {
    /// The value, its version first.
    fn to_value(&self) -> Bytes;

    /// What the value of a record of this kind says; the kind is the first byte of its key.
    ///
    /// # Errors
    /// One sentence, when it says nothing that this version can read.
    fn from_value(kind: u8, value: Bytes) -> Result<Self, &'static str>;
}

impl<R: Field<Value = R>> Record for R {
    fn to_value(&self) -> Bytes {
        let mut value = BytesMut::with_capacity(1 + Sink::count(|sink| sink.write::<R>(self)));
        let mut sink = Sink::to(&mut value);
        sink.put(&[VERSION]);
        sink.write::<R>(self);
        value.freeze()
    }

    fn from_value(kind: u8, value: Bytes) -> Result<Self, &'static str> {
        let mut reader = Reader::new(upgraded(kind, value)?);
        let record = reader.read::<R>().map_err(|error| error.message)?;
        reader.end().map_err(|error| error.message)?;
        Ok(record)
    }
}

impl Key {
    /// The first byte of a connection's key.
    pub const CONNECTION: u8 = b'c';
    /// The first byte of the key of unread bytes.
    pub const UNREAD: u8 = b'u';

    /// The key's bytes.
    pub fn to_bytes(&self) -> Bytes {
        let mut key = BytesMut::with_capacity(Sink::count(|sink| self.write(sink)));
        self.write(&mut Sink::to(&mut key));
        key.freeze()
    }

    fn write(&self, sink: &mut Sink<'_>) {
        let (kind, number) = match self {
            Self::Connection(connection) => (Self::CONNECTION, Some(connection)),
            Self::Delayed(number) => (b'd', Some(number)),
            Self::Subscription(session, _) => (b'f', Some(session)),
            Self::Received(session, _) => (b'i', Some(session)),
            Self::Kept(_) => (b'k', None),
            Self::Message(message) => (b'm', Some(message)),
            Self::InFlight(session, _) => (b'o', Some(session)),
            Self::Replay(session, _) => (b'p', Some(session)),
            Self::Waiting(session, _) => (b'q', Some(session)),
            Self::Retained(_) => (b'r', None),
            Self::Session(session) => (b's', Some(session)),
            Self::Unread(connection, _) => (Self::UNREAD, Some(connection)),
            Self::Will(session) => (b'w', Some(session)),
        };
        sink.put(&[kind]);
        if let Some(number) = number {
            sink.write::<u64>(number);
        }
        match self {
            Self::Subscription(_, text) | Self::Kept(text) | Self::Retained(text) => sink.put(text.as_bytes()),
            Self::Received(_, id) | Self::InFlight(_, id) => sink.write::<PacketId>(id),
            Self::Replay(_, place) | Self::Waiting(_, place) | Self::Unread(_, place) => sink.write::<u64>(place),
            Self::Connection(_) | Self::Delayed(_) | Self::Message(_) | Self::Session(_) | Self::Will(_) => {}
        }
    }

    /// The number of the Session that it belongs to.
    pub const fn session(&self) -> Option<u64> {
        match self {
            Self::Session(session)
            | Self::Will(session)
            | Self::Subscription(session, _)
            | Self::Received(session, _)
            | Self::InFlight(session, _)
            | Self::Replay(session, _)
            | Self::Waiting(session, _) => Some(*session),
            Self::Connection(_)
            | Self::Unread(..)
            | Self::Delayed(_)
            | Self::Kept(_)
            | Self::Message(_)
            | Self::Retained(_) => None,
        }
    }

    /// The key that these bytes are.
    ///
    /// # Errors
    /// One sentence, when they are none.
    pub fn parse(key: Bytes) -> Result<Self, &'static str> {
        let mut reader = Reader::new(key);
        let key = Self::read(&mut reader).map_err(|_| NO_KEY)?;
        reader.end().map_err(|_| NO_KEY)?;
        Ok(key)
    }

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let text = |reader: &mut Reader| Text::new(reader.rest()).map_err(|_| DecodeError::malformed(NO_KEY));
        Ok(match reader.read::<u8>()? {
            Self::CONNECTION => Self::Connection(reader.read::<u64>()?),
            b'd' => Self::Delayed(reader.read::<u64>()?),
            b'f' => Self::Subscription(reader.read::<u64>()?, text(reader)?),
            b'i' => Self::Received(reader.read::<u64>()?, reader.read::<PacketId>()?),
            b'k' => Self::Kept(text(reader)?),
            b'm' => Self::Message(reader.read::<u64>()?),
            b'o' => Self::InFlight(reader.read::<u64>()?, reader.read::<PacketId>()?),
            b'p' => Self::Replay(reader.read::<u64>()?, reader.read::<u64>()?),
            b'q' => Self::Waiting(reader.read::<u64>()?, reader.read::<u64>()?),
            b'r' => Self::Retained(text(reader)?),
            b's' => Self::Session(reader.read::<u64>()?),
            Self::UNREAD => Self::Unread(reader.read::<u64>()?, reader.read::<u64>()?),
            b'w' => Self::Will(reader.read::<u64>()?),
            _ => return Err(DecodeError::malformed(NO_KEY)),
        })
    }
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "record {:?}: {}", self.key, self.reason)
    }
}

impl core::error::Error for RestoreError {}

const NO_KEY: &str = "the key is none that this broker knows";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_its_bytes_say() {
        let (text, id) = (Text::from_static("a/+"), PacketId::LAST);
        let keys = [
            Key::Connection((1 << 63) - 1),
            Key::Subscription((1 << 63) - 1, text.clone()),
            Key::Received(3, id),
            Key::Delayed(12),
            Key::Kept(text.clone()),
            Key::Message(4),
            Key::InFlight(5, id),
            Key::Replay(6, 7),
            Key::Waiting(8, 9),
            Key::Retained(text),
            Key::Session(10),
            Key::Unread(11, 12),
            Key::Will(13),
        ];
        for key in keys {
            assert_eq!(Key::parse(key.to_bytes()), Ok(key.clone()));
            if !matches!(key, Key::Subscription(..) | Key::Kept(_) | Key::Retained(_)) {
                let bytes = key.to_bytes();
                assert_eq!(Key::parse(bytes.slice(..bytes.len() - 1)), Err(NO_KEY));
                assert_eq!(Key::parse(Bytes::from([&bytes[..], b"\0"].concat())), Err(NO_KEY));
            }
        }
        assert_eq!(Key::parse(Bytes::new()), Err(NO_KEY));
        assert_eq!(Key::parse(Bytes::from_static(b"x")), Err(NO_KEY));
        assert_eq!(Key::parse(Bytes::from_static(b"r\xFF")), Err(NO_KEY));
    }

    #[test]
    fn a_value_of_another_version_or_with_more_or_less_in_it_is_refused() {
        let will = Session { client_id: Text::from_static("ada"), expiry_interval: 7, ..Default::default() };
        let value = will.to_value();
        assert_eq!(Session::from_value(b's', value.clone()), Ok(will));
        for length in 0..value.len() {
            assert!(Session::from_value(b's', value.slice(..length)).is_err(), "{length}");
        }
        assert!(Session::from_value(b's', Bytes::from([&value[..], b"\0"].concat())).is_err());
        assert!(Session::from_value(b's', Bytes::from([&[9], &value[1..]].concat())).is_err());
    }
}
