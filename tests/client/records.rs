//! Whatever a host has stored, a client starts, says what it cannot use, and keeps to the rules.

use crate::requests::{encode, message, options, qos};
use bytes::Bytes;
use mqlite::{
    client::{Action, Client, Input, Restored, Token},
    codec::{ConnAck, ConnAckProperties, Packet, PacketId, Publish, QoS, ReasonCode},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::{collections::BTreeSet, num::NonZeroU16};

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_client_goes_on_with_what_is_left_of_its_records(
        v5: bool, is_present: bool, messages in vec(qos(), 0..8), faults in vec(fault(), 0..4),
    ) {
        let mut records = records(v5, &messages);
        for fault in faults {
            fault.befall(&mut records);
        }
        let count = records.len();
        let Restored { mut client, rejected } = Client::restore(options(v5, "c"), records).unwrap();
        prop_assert!(rejected.len() <= count);
        prop_assert!(client.records().len() + rejected.len() <= count, "each record is used or refused");

        let mut in_flight = BTreeSet::new();
        let accepted = connack(v5, is_present);
        let inputs = [Input::Opened, Input::Received { bytes: accepted }, Input::Publish {
            token: Token(9),
            publish: message(QoS::ExactlyOnce, 9),
        }];
        for input in inputs {
            for action in client.handle(Timestamp(0), input) {
                let Action::Send { bytes } = action else { continue };
                let packet = Packet::decode(bytes, options(v5, "c").connect.version).unwrap();
                if let Packet::Publish(Publish { packet_id: Some(id), .. }) = packet {
                    prop_assert!(in_flight.insert(id), "[MQTT-2.2.1-3]");
                    prop_assert!(!v5 || in_flight.len() <= 3, "[MQTT-3.3.4-7]");
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Fault {
    /// A byte of a key or a value is another.
    Flip(Index, Index, bool, u8),
    Cut(Index, Index),
    Lose(Index),
    Repeat(Index),
    Stray(Vec<u8>, Vec<u8>),
}

fn fault() -> impl Strategy<Value = Fault> {
    let index = any::<Index>;
    let kind = prop_oneof![Just(b'i'), Just(b'o'), Just(b'q'), Just(b's'), any::<u8>()];
    let stray = (kind, vec(any::<u8>(), 0..10), vec(any::<u8>(), 0..40));
    prop_oneof![
        (index(), index(), any::<bool>(), any::<u8>()).prop_map(|(a, b, key, byte)| Fault::Flip(a, b, key, byte)),
        (index(), index()).prop_map(|(a, b)| Fault::Cut(a, b)),
        index().prop_map(Fault::Lose),
        index().prop_map(Fault::Repeat),
        stray.prop_map(|(kind, rest, value)| Fault::Stray([&[kind], &rest[..]].concat(), [&[1], &value[..]].concat())),
    ]
}

impl Fault {
    fn befall(self, records: &mut Vec<(Bytes, Bytes)>) {
        if let Self::Stray(key, value) = self {
            return records.push((key.into(), value.into()));
        }
        let count = records.len();
        if count == 0 {
            return;
        }
        match self {
            Self::Flip(record, place, in_key, byte) => {
                let (key, value) = &mut records[record.index(count)];
                let bytes = if in_key { key } else { value };
                let mut other = bytes.to_vec();
                if !other.is_empty() {
                    let place = place.index(other.len());
                    other[place] = byte;
                }
                *bytes = other.into();
            }
            Self::Cut(record, place) => {
                let (_, value) = &mut records[record.index(count)];
                value.truncate(place.index(value.len() + 1));
            }
            Self::Lose(record) => _ = records.remove(record.index(count)),
            Self::Repeat(record) => records.push(records[record.index(count)].clone()),
            Self::Stray(..) => {}
        }
    }
}

/// Those of a client that has sent messages, received some, and lets some wait.
fn records(v5: bool, messages: &[QoS]) -> Vec<(Bytes, Bytes)> {
    let version = options(v5, "c").connect.version;
    let Restored { mut client, .. } = Client::restore(options(v5, "c"), []).unwrap();
    let mut inputs = vec![Input::Opened, Input::Received { bytes: connack(v5, false) }];
    let half = messages.len() / 2;
    for (index, qos) in messages.iter().enumerate() {
        if index == half {
            inputs.push(Input::Closed);
        }
        let number = index as u64;
        inputs.push(Input::Publish { token: Token(number), publish: message(*qos, number) });
        let id = PacketId::new(number as u16 + 1).unwrap();
        if index < half && *qos == QoS::ExactlyOnce && number.is_multiple_of(2) {
            inputs.push(Input::Received { bytes: encode(&Packet::PubRec(id.into()), version) });
        }
    }
    for input in inputs {
        _ = client.handle(Timestamp(0), input).count();
    }
    client.records()
}

fn connack(v5: bool, session_present: bool) -> Bytes {
    let receive_maximum = NonZeroU16::new(3).filter(|_| v5);
    let properties = ConnAckProperties { receive_maximum, ..Default::default() };
    let connack = ConnAck { session_present, reason: ReasonCode::Success, properties };
    encode(&Packet::ConnAck(Box::new(connack)), options(v5, "c").connect.version)
}
