//! What outlives a client: the keys and values of its records. Knows no database; a host keeps the bytes as they are.
//!
//! | key | value, behind the version of its layout |
//! | --- | --- |
//! | `i` packet identifier | nothing: a QoS 2 message that the host has and the server has not released |
//! | `o` packet identifier | place in the order of sending, whether the server has it, else PUBLISH: a message in flight |
//! | `q` place | whether it was sent before, PUBLISH: a message that waits |
//! | `s` | flags, when it surely has ended or 0, Client Identifier: the session |
//!
//! Numbers are 8 bytes, packet identifiers 2, the most significant first. A PUBLISH is a packet of MQTT 5.

use crate::{
    codec::{Packet, PacketId, ProtocolVersion, Publish, QoS, Text},
    session::{InFlight, Origin},
    time::Timestamp,
    topic::TopicName,
};
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// A record that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRecord {
    /// Its key.
    pub key: Bytes,
    /// What is wrong with it.
    pub reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Received(PacketId),
    /// With its place in the order of sending.
    InFlight(PacketId, u64, InFlight<Publish>),
    Waiting {
        place: u64,
        was_sent: bool,
        publish: Publish,
    },
    Session {
        is_begun: bool,
        is_kept: bool,
        origin: Origin,
        expires_at: Option<Timestamp>,
        client_id: Text,
    },
}

/// The places of messages that wait; the first that a client gives is in the middle.
pub(super) const FIRST_PLACE: u64 = 1 << 62;

pub(super) fn in_flight_key(id: PacketId) -> Bytes {
    key(b'o', &id.value().to_be_bytes())
}

pub(super) fn received_key(id: PacketId) -> Bytes {
    key(b'i', &id.value().to_be_bytes())
}

pub(super) fn waiting_key(place: u64) -> Bytes {
    key(b'q', &place.to_be_bytes())
}

pub(super) fn session_key() -> Bytes {
    key(b's', &[])
}

fn key(kind: u8, rest: &[u8]) -> Bytes {
    let mut key = BytesMut::with_capacity(1 + rest.len());
    key.put_u8(kind);
    key.put_slice(rest);
    key.freeze()
}

impl Record {
    pub(super) fn key(&self) -> Bytes {
        match self {
            Self::Received(id) => received_key(*id),
            Self::InFlight(id, ..) => in_flight_key(*id),
            Self::Waiting { place, .. } => waiting_key(*place),
            Self::Session { .. } => session_key(),
        }
    }

    pub(super) fn value(&self) -> Bytes {
        let mut value = BytesMut::new();
        value.put_u8(VERSION);
        let publish = match self {
            Self::Received(_) => None,
            Self::InFlight(_, sequence, step) => {
                value.put_u64(*sequence);
                value.put_u8(u8::from(step.message().is_none()));
                step.message()
            }
            Self::Waiting { was_sent, publish, .. } => {
                value.put_u8(u8::from(*was_sent));
                Some(publish)
            }
            Self::Session { is_begun, is_kept, origin, expires_at, client_id } => {
                value.put_u8(u8::from(*is_begun) | u8::from(*is_kept) << 1 | (*origin as u8) << 2);
                value.put_u64(expires_at.map_or(0, |at| at.0));
                value.put_slice(client_id.as_bytes());
                None
            }
        };
        if let Some(publish) = publish {
            // What waits or is in flight was found to be no larger than a packet may be.
            _ = Packet::Publish(publish.clone()).encode(ProtocolVersion::V5, &mut value);
        }
        value.freeze()
    }

    /// The record that these bytes are.
    ///
    /// # Errors
    /// One sentence, when they are none.
    pub(super) fn parse(key: &Bytes, mut value: Bytes) -> Result<Self, &'static str> {
        let (kind, mut rest) = key.split_first().ok_or(NO_KEY)?;
        let version = value.try_get_u8().map_err(|_| CUT)?;
        if version != VERSION {
            return Err("the value is of a version that this client does not know: a later one has written it");
        }
        let mut id = || rest.try_get_u16().ok().and_then(PacketId::new).ok_or(NO_KEY);
        let record = match kind {
            b'i' => Self::Received(id()?),
            b'o' => Self::in_flight(id()?, &mut value)?,
            b'q' => {
                let place = rest.try_get_u64().map_err(|_| NO_KEY)?;
                let was_sent = value.try_get_u8().map_err(|_| CUT)? != 0;
                let publish = publish(&mut value)?;
                Self::Waiting { place, was_sent, publish }
            }
            b's' => Self::session(&mut value)?,
            _ => return Err(NO_KEY),
        };
        if !rest.is_empty() {
            return Err(NO_KEY);
        }
        if !value.is_empty() {
            return Err("there is more in the value than belongs there");
        }
        if matches!(record, Self::Waiting { place, .. } if place.abs_diff(FIRST_PLACE) >= FIRST_PLACE / 2) {
            return Err("the place is none that a client gives");
        }
        Ok(record)
    }

    fn in_flight(id: PacketId, value: &mut Bytes) -> Result<Self, &'static str> {
        let sequence = value.try_get_u64().map_err(|_| CUT)?;
        if sequence > u64::MAX / 2 {
            return Err("the place in the order is none that a client gives");
        }
        let step = if value.try_get_u8().map_err(|_| CUT)? != 0 {
            InFlight::PubComp
        } else {
            let publish = publish(value)?;
            match publish.qos {
                QoS::AtMostOnce => return Err("a message of QoS 0 is not in flight"),
                QoS::AtLeastOnce => InFlight::PubAck(publish),
                QoS::ExactlyOnce => InFlight::PubRec(publish),
            }
        };
        Ok(Self::InFlight(id, sequence, step))
    }

    fn session(value: &mut Bytes) -> Result<Self, &'static str> {
        let flags = value.try_get_u8().map_err(|_| CUT)?;
        let expires_at = value.try_get_u64().map_err(|_| CUT)?;
        let origin = match flags >> 2 {
            0 => Origin::Ours,
            1 => Origin::Adopted,
            2 => Origin::Released,
            _ => return Err("the flags are none that a client gives"),
        };
        Ok(Self::Session {
            is_begun: flags & 1 != 0,
            is_kept: flags & 2 != 0,
            origin,
            expires_at: Some(Timestamp(expires_at)).filter(|at| at.0 > 0),
            client_id: Text::new(value.split_off(0)).map_err(|_| "the Client Identifier is no text")?,
        })
    }
}

/// The rest of a value.
fn publish(value: &mut Bytes) -> Result<Publish, &'static str> {
    match Packet::decode(value.split_off(0), ProtocolVersion::V5) {
        Ok(Packet::Publish(publish)) if TopicName::parse(publish.topic.clone()).is_ok() => Ok(publish),
        _ => Err("the message cannot be read"),
    }
}

/// The version of the layout of values that is written.
const VERSION: u8 = 1;

const NO_KEY: &str = "the key is none that this client knows";
const CUT: &str = "the value ends too soon";

#[cfg(test)]
mod tests {
    use super::*;

    fn message(qos: QoS) -> Publish {
        let packet_id = (qos > QoS::AtMostOnce).then_some(PacketId::LAST);
        let mut publish =
            Publish { qos, packet_id, topic: Text::from_static("a/b"), retain: true, ..Publish::default() };
        publish.payload = Bytes::from_static(b"payload");
        publish.properties.content_type = Some(Text::from_static("text/plain"));
        publish
    }

    fn records() -> Vec<Record> {
        let id = PacketId::LAST;
        vec![
            Record::Received(id),
            Record::InFlight(id, 1, InFlight::PubAck(message(QoS::AtLeastOnce))),
            Record::InFlight(id, u64::MAX / 2, InFlight::PubRec(message(QoS::ExactlyOnce))),
            Record::InFlight(id, 3, InFlight::PubComp),
            Record::Waiting { place: FIRST_PLACE, was_sent: false, publish: message(QoS::AtMostOnce) },
            Record::Waiting { place: FIRST_PLACE - 9, was_sent: true, publish: message(QoS::AtLeastOnce) },
            Record::Session {
                is_begun: true,
                is_kept: false,
                origin: Origin::Released,
                expires_at: Some(Timestamp(7)),
                client_id: Text::from_static("ada"),
            },
            Record::Session {
                is_begun: true,
                is_kept: true,
                origin: Origin::Ours,
                expires_at: None,
                client_id: Text::from_static("ada"),
            },
        ]
    }

    #[test]
    fn a_record_is_what_its_bytes_say() {
        for record in records() {
            assert_eq!(Record::parse(&record.key(), record.value()), Ok(record));
        }
    }

    #[test]
    fn a_record_with_more_or_less_in_it_or_of_another_version_is_refused() {
        for record in records() {
            let (key, value) = (record.key(), record.value());
            let text = 10; // from here on the Client Identifier, of which nobody knows how long it is
            let is_session = matches!(record, Record::Session { .. });
            for length in 0..if is_session { text } else { value.len() } {
                assert!(Record::parse(&key, value.slice(..length)).is_err(), "{record:?} {length}");
            }
            if !is_session {
                assert!(Record::parse(&key, [&value[..], b"\0"].concat().into()).is_err(), "{record:?}");
            }
            for length in 0..key.len() {
                assert!(Record::parse(&key.slice(..length), value.clone()).is_err(), "{record:?} {length}");
            }
            assert!(Record::parse(&[&key[..], b"\0"].concat().into(), value.clone()).is_err());
            assert!(Record::parse(&key, [&[VERSION + 1], &value[1..]].concat().into()).is_err());
        }
    }

    #[test]
    fn what_no_client_writes_is_refused() {
        let waiting = |place| Record::Waiting { place, was_sent: false, publish: message(QoS::AtMostOnce) };
        let in_flight = |sequence, qos| Record::InFlight(PacketId::FIRST, sequence, InFlight::PubAck(message(qos)));
        let mut wild = message(QoS::AtMostOnce);
        wild.topic = Text::from_static("#");
        for record in [
            waiting(0),
            waiting(u64::MAX),
            in_flight(u64::MAX, QoS::AtLeastOnce),
            in_flight(1, QoS::AtMostOnce),
            Record::Waiting { place: FIRST_PLACE, was_sent: false, publish: wild },
        ] {
            assert!(Record::parse(&record.key(), record.value()).is_err(), "{record:?}");
        }
        for key in [&b""[..], b"x", b"o\0\0", b"i\0\0", b"sa"] {
            assert!(Record::parse(&Bytes::from_static(key), Record::Received(PacketId::FIRST).value()).is_err());
        }
    }
}
