//! What the client has its host write down before it sends what depends on it, and how another goes on from that.

use super::{
    Action, Client, Misuse, Options,
    limits::Limits,
    publish::Pending,
    record::{Record, RejectedRecord, in_flight_key, received_key, session_key, waiting_key},
    request::{Content, Request},
};
use crate::{
    codec::{PacketId, Publish},
    session::InFlight,
};
use alloc::vec::Vec;
use bytes::Bytes;

/// A client that goes on, and what it could not use.
#[derive(Debug)]
pub struct Restored {
    /// The client.
    pub client: Client,
    /// The records that it left aside.
    pub rejected: Vec<RejectedRecord>,
}

impl Client {
    /// A client that says what to store, with the session that `records` have if there are any: what is in flight and what
    /// waits, in order, which messages the host has taken over, and the Client Identifier. Requests of the former client
    /// complete without a word, and its subscriptions are those that the server has: subscribe again to be sure.
    ///
    /// The records of another Client Identifier than that of the options are a session that is lost: QoS 1 messages are sent
    /// as new ones, QoS 2 messages that were sent are left aside.
    ///
    /// # Errors
    /// When no server could accept the CONNECT that `options` describe.
    pub fn restore(options: Options, records: impl IntoIterator<Item = (Bytes, Bytes)>) -> Result<Restored, Misuse> {
        let mut client = Self::new(options)?;
        client.is_durable = true;
        let limits = Limits::of_protocol(client.options.connect.version);
        let (mut rejected, mut is_known) = (Vec::new(), false);
        for (key, value) in records {
            match Record::parse(&key, value) {
                Ok(Record::Waiting { place, was_sent, publish }) => {
                    let content = Content::Publish(publish);
                    let size = limits.check(&content).unwrap_or(0);
                    client.outbox.restore(Request { token: None, content, was_sent, size, place });
                }
                Ok(record) => is_known |= client.recall(record),
                Err(reason) => rejected.push(RejectedRecord { key, reason }),
            }
        }
        if !is_known {
            client.lose_session();
        }
        Ok(Restored { client, rejected })
    }

    /// All that is to be stored of this client.
    pub fn records(&self) -> Vec<(Bytes, Bytes)> {
        let mut records = Vec::new();
        if self.session.is_begun {
            records.push(self.session_record());
        }
        records.extend(self.session.outbound.in_flight().map(|(id, sequence, step)| in_flight(id, sequence, step)));
        records.extend(self.session.taken.iter().map(|id| Record::Received(*id)));
        records.extend(self.outbox.iter().filter_map(waiting));
        records.iter().map(|record| (record.key(), record.value())).collect()
    }

    /// Returns whether it tells that the session is ours.
    fn recall(&mut self, record: Record) -> bool {
        match record {
            Record::Received(id) => {
                self.session.inbound.restore(id, 0);
                self.session.taken.push(id);
            }
            Record::InFlight(id, sequence, step) => {
                let step = match step {
                    InFlight::PubAck(publish) => InFlight::PubAck(Pending { token: None, publish }),
                    InFlight::PubRec(publish) => InFlight::PubRec(Pending { token: None, publish }),
                    InFlight::PubComp => InFlight::PubComp,
                };
                self.session.outbound.restore(id, sequence, step);
            }
            Record::Session { is_begun, is_kept, origin, expires_at, client_id } => {
                let chosen = &mut self.options.connect.client_id;
                if !chosen.is_empty() && *chosen != client_id {
                    self.delete(session_key);
                    return false;
                }
                *chosen = client_id;
                self.session.is_begun = is_begun;
                self.session.is_kept = is_kept;
                self.session.expires_at = expires_at;
                self.session.outbound.set_origin(origin);
                return true;
            }
            Record::Waiting { .. } => {}
        }
        false
    }

    pub(super) fn store_session(&mut self) {
        self.put(|client| Some(client.session_record()));
    }

    /// Stores how far a message in flight has come, or that it is no longer.
    pub(super) fn store_in_flight(&mut self, id: PacketId) {
        if !self.is_durable {
            return;
        }
        if self.session.outbound.get(id).is_some() {
            self.put(|client| client.session.outbound.get(id).map(|(sequence, step)| in_flight(id, sequence, step)));
        } else {
            self.delete(|| in_flight_key(id));
        }
    }

    /// The host has taken over a QoS 2 message, which must not be delivered again.
    pub(super) fn take_over(&mut self, id: PacketId) {
        if self.is_durable && !self.session.taken.contains(&id) {
            self.session.taken.push(id);
            self.put(|_| Some(Record::Received(id)));
        }
    }

    /// The server will not send that message again.
    pub(super) fn let_go(&mut self, id: PacketId) {
        if let Some(place) = self.session.taken.iter().position(|taken| *taken == id) {
            self.session.taken.swap_remove(place);
            self.delete(|| received_key(id));
        }
    }

    /// The server will send none of them again.
    pub(super) fn let_all_go(&mut self) {
        for id in core::mem::take(&mut self.session.taken) {
            self.delete(|| received_key(id));
        }
    }

    /// Stores a message that is about to wait.
    pub(super) fn store_waiting(&mut self, request: &Request) {
        self.put(|_| waiting(request));
    }

    /// It does not wait any more.
    pub(super) fn delete_waiting(&mut self, request: &Request) {
        if request.place > 0 {
            self.delete(|| waiting_key(request.place));
        }
    }

    fn session_record(&self) -> Record {
        Record::Session {
            is_begun: self.session.is_begun,
            is_kept: self.session.is_kept,
            origin: self.session.outbound.origin(),
            expires_at: self.session.expires_at,
            client_id: self.options.connect.client_id.clone(),
        }
    }

    fn put(&mut self, record: impl FnOnce(&Self) -> Option<Record>) {
        if self.is_durable
            && let Some(record) = record(self)
        {
            self.actions.push_back(Action::Put { key: record.key(), value: record.value() });
        }
    }

    fn delete(&mut self, key: impl FnOnce() -> Bytes) {
        if self.is_durable {
            self.actions.push_back(Action::Delete { key: key() });
        }
    }
}

fn waiting(request: &Request) -> Option<Record> {
    let Content::Publish(publish) = &request.content else { return None };
    Some(Record::Waiting { place: request.place, was_sent: request.was_sent, publish: publish.clone() })
}

fn in_flight(id: PacketId, sequence: u64, step: &InFlight<Pending>) -> Record {
    let publish = |pending: &Pending| Publish { packet_id: Some(id), ..pending.publish.clone() };
    let step = match step {
        InFlight::PubAck(pending) => InFlight::PubAck(publish(pending)),
        InFlight::PubRec(pending) => InFlight::PubRec(publish(pending)),
        InFlight::PubComp => InFlight::PubComp,
    };
    Record::InFlight(id, sequence, step)
}

#[cfg(test)]
mod tests {
    use super::super::{Input, Outcome, Token, testing::*};
    use super::*;
    use crate::{
        codec::{Ack, ConnAckProperties, Packet, QoS, ReasonCode, Text},
        session::Violation,
        time::Timestamp,
    };

    const ONE: QoS = QoS::AtLeastOnce;
    const TWO: QoS = QoS::ExactlyOnce;

    fn ack(value: u16) -> Ack {
        id(value).into()
    }

    fn again(qos: QoS, topic: &'static str, id: u16) -> Seen {
        Sent(Packet::Publish(Publish { dup: true, ..publish(qos, topic, id) }))
    }

    /// What an input leads to, a word for each action.
    fn order(script: &mut Script, input: Input) -> Vec<&'static str> {
        let words = script.client.handle(script.now, input).map(|action| match action {
            Action::Put { .. } => "put",
            Action::Delete { .. } => "delete",
            Action::Send { .. } => "send",
            Action::Completed { .. } => "completed",
            _ => "other",
        });
        words.collect()
    }

    fn publish_of(token: u64, qos: QoS) -> Input {
        Input::Publish { token: Token(token), publish: message(qos, "a") }
    }

    #[test]
    fn what_is_stored_comes_before_what_is_sent() {
        let mut script = Script::durable(V5);
        assert_eq!(order(&mut script, publish_of(1, QoS::AtMostOnce)), ["put"]);
        assert_eq!(order(&mut script, publish_of(2, ONE)), ["put"]);
        assert_eq!(order(&mut script, Input::Opened), ["send"]);
        let accepted = connack(false, ReasonCode::Success, ConnAckProperties::default());
        assert_eq!(
            order(&mut script, script_bytes(accepted)),
            ["put", "other", "delete", "send", "completed", "delete", "put", "send"]
        );
        assert_eq!(order(&mut script, publish_of(3, TWO)), ["put", "send"]);
        assert_eq!(order(&mut script, publish_of(4, QoS::AtMostOnce)), ["send", "completed"]);
        assert_eq!(order(&mut script, script_bytes(Packet::PubAck(ack(1)))), ["delete", "completed"]);
        assert_eq!(order(&mut script, script_bytes(Packet::PubRec(ack(2)))), ["put", "send"]);
        assert_eq!(order(&mut script, script_bytes(Packet::PubComp(ack(2)))), ["delete", "completed"]);
    }

    #[test]
    fn a_qos_2_message_is_known_for_good_before_its_pubrec() {
        let mut script = Script::durable(V5);
        script.connect(false);
        for delivery in 1..=2_u16 {
            assert_eq!(order(&mut script, script_bytes(Packet::Publish(publish(TWO, "a", delivery)))), ["other"]);
        }
        let taken = |delivery| Input::Acknowledge { delivery: super::super::Delivery(delivery) };
        assert_eq!(order(&mut script, taken(2)), ["put"], "the first is to be answered before");
        assert_eq!(order(&mut script, taken(1)), ["put", "send", "send"]);
        assert_eq!(order(&mut script, script_bytes(Packet::PubRel(ack(1)))), ["delete", "send"]);
        assert_eq!(order(&mut script, script_bytes(Packet::PubRel(ack(1)))), ["send"]);
    }

    fn script_bytes(packet: Packet) -> Input {
        let mut bytes = bytes::BytesMut::new();
        packet.encode(V5, &mut bytes).unwrap();
        Input::Received { bytes: bytes.freeze() }
    }

    #[test]
    fn a_client_that_stores_nothing_says_nothing_of_it() {
        let mut script = Script::new(V5, |_| ());
        script.publish(1, message(ONE, "a"));
        script.connect(false);
        script.publish(2, message(TWO, "a"));
        script.receive(Packet::PubRec(ack(2)));
        script.receive(Packet::Publish(publish(TWO, "b", 1)));
        let mut seen = script.acknowledge(1);
        seen.extend(script.receive(Packet::PubRel(ack(1))));
        seen.extend(script.input(Input::Closed));
        assert!(!seen.iter().any(|seen| matches!(seen, Did(Action::Put { .. } | Action::Delete { .. }))), "{seen:?}");
        assert_eq!(script.client.session.taken, []);
    }

    #[test]
    fn another_client_goes_on_where_one_was() {
        for version in [V3_1_1, V5] {
            let mut script = Script::durable(version);
            script.connect(false);
            for (token, qos) in [(1, ONE), (2, TWO), (3, TWO)] {
                script.publish(token, message(qos, "a"));
            }
            script.receive(Packet::PubRec(ack(2)));
            for number in 1..=2 {
                script.receive(Packet::Publish(publish(TWO, "b", number)));
            }
            script.acknowledge(1);
            script.input(Input::Closed);
            for (token, qos) in [(4, QoS::AtMostOnce), (5, ONE)] {
                script.publish(token, message(qos, "c"));
            }

            let mut script = script.crash();
            let seen = script.connect(true);
            assert_eq!(seen[..3], [again(ONE, "a", 1), Sent(Packet::PubRel(ack(2))), again(TWO, "a", 3)]);
            assert_eq!(
                seen[3..],
                [message(QoS::AtMostOnce, "c"), publish(ONE, "c", 4)].map(|publish| Sent(Packet::Publish(publish)))
            );
            let repeated = |number| Packet::Publish(Publish { dup: true, ..publish(TWO, "b", number) });
            assert_eq!(script.receive(repeated(1)), [Sent(Packet::PubRec(ack(1)))]);
            let new = Publish { dup: true, ..message(TWO, "b") };
            assert_eq!(script.receive(repeated(2)), [delivered(new, Some(1))], "nobody has taken it over");
            assert_eq!(script.receive(Packet::PubComp(ack(2))), [], "nobody waits for it");
        }
    }

    #[test]
    fn an_assigned_client_identifier_outlives_the_client_and_so_does_its_session() {
        let mut script = Script::durable_with(V5, |options| {
            options.connect.client_id = Text::default();
            options.connect.properties.session_expiry_interval = Some(60);
        });
        script.input(Input::Opened);
        let assigned_client_identifier = Some(Text::from_static("auto-1"));
        let properties = ConnAckProperties { assigned_client_identifier, ..Default::default() };
        script.receive(connack(false, ReasonCode::Success, properties));
        let mut script = script.crash();
        let seen = script.input(Input::Opened);
        let [Sent(Packet::Connect(connect))] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!((connect.client_id.as_str(), connect.clean_start), ("auto-1", false));
    }

    #[test]
    fn a_session_that_surely_has_ended_is_not_resumed() {
        let clean_start_after = |seconds: u64| {
            let mut script = Script::durable_with(V5, |options| {
                options.connect.keep_alive = 10;
                options.connect.properties.session_expiry_interval = Some(100);
            });
            script.connect(false);
            script.input(Input::Closed);
            let mut script = script.crash();
            script.now = Timestamp(seconds * 1_000);
            let seen = script.input(Input::Opened);
            matches!(&seen[..], [Sent(Packet::Connect(connect))] if connect.clean_start)
        };
        assert!(!clean_start_after(179));
        assert!(clean_start_after(180));
    }

    #[test]
    fn the_session_of_another_client_identifier_is_lost() {
        let mut script = Script::durable(V5);
        script.connect(false);
        for (token, qos) in [(1, TWO), (2, ONE)] {
            script.publish(token, message(qos, "sent"));
        }
        script.input(Input::Closed);
        script.publish(3, message(ONE, "waits"));
        script.change(|options| options.connect.client_id = Text::from_static("another"));
        let mut script = script.crash();
        let expected = [publish(ONE, "sent", 1), publish(ONE, "waits", 2)];
        assert_eq!(script.connect(false), expected.map(|publish| Sent(Packet::Publish(publish))));
    }

    /// [MQTT-3.2.2-4]
    #[test]
    fn an_adopted_session_stays_one() {
        let mut script = Script::durable_with(V5, |options| options.connect.clean_start = false);
        script.connect(true);
        let mut script = script.crash();
        script.connect(true);
        assert_eq!(script.publish(1, message(TWO, "a")).len(), 256);
        let mut script = script.crash();
        assert_eq!(script.connect(true).len(), 256, "none of them was answered");
        assert_eq!(script.receive(Packet::PubComp(ack(7))), [Sent(Packet::Publish(publish(TWO, "a", 7)))]);
    }

    #[test]
    fn the_version_of_a_restored_client_may_change_until_a_server_has_accepted_it() {
        let mut script = Script::durable(V5);
        script.connect(false);
        script.publish(1, message(ONE, "a"));
        let mut script = script.crash();
        assert_eq!(script.use_version(V3_1_1), Ok(()));
        assert_eq!(script.connect(true), [again(ONE, "a", 1)]);
    }

    #[test]
    fn a_record_that_cannot_be_used_is_named_and_the_others_are_used() {
        let mut script = Script::durable(V5);
        script.publish(1, message(ONE, "a"));
        let mut records = script.client.records();
        records.insert(0, (Bytes::from_static(b"zebra"), Bytes::from_static(b"\x01")));
        records.push((Bytes::from_static(b"o\0\x01"), Bytes::new()));
        let Restored { mut client, rejected } = Client::restore(Options::default(), records).unwrap();
        let keys: Vec<_> = rejected.iter().map(|record| &record.key[..]).collect();
        assert_eq!(keys, [&b"zebra"[..], b"o\0\x01"]);
        assert_eq!(client.records(), script.client.records());
        assert_eq!(client.handle(Timestamp(0), Input::Closed).next(), None);
    }

    #[test]
    fn a_storage_may_have_them_in_any_order() {
        let mut script = Script::durable(V5);
        for (token, topic) in [(1, "a"), (2, "b"), (3, "c")] {
            script.publish(token, message(QoS::AtMostOnce, topic));
        }
        let [a, b, c] = <[_; 3]>::try_from(script.client.records()).unwrap();
        let expected = script.client.records();
        for records in [[&a, &b, &c], [&c, &b, &a], [&b, &c, &a], [&c, &a, &b]] {
            let Restored { client, .. } = Client::restore(Options::default(), records.map(Clone::clone)).unwrap();
            assert_eq!(client.records(), expected);
        }
    }

    #[test]
    fn what_the_outbox_drops_or_the_host_cancels_is_not_stored_any_more() {
        let mut script = Script::durable_with(V5, |options| {
            options.outbox.maximum_messages = 1;
            options.outbox.policy = super::super::OutboxPolicy::DropOldest;
        });
        script.publish(1, message(ONE, "a"));
        assert_eq!(script.publish(2, message(ONE, "a")), [completed(1, Outcome::Dropped)]);
        assert_eq!(script.client.records().len(), 1);
        script.input(Input::Cancel { token: Token(2) });
        assert_eq!(script.client.records(), []);
    }

    #[test]
    fn what_a_lost_session_leaves_is_stored_in_its_order() {
        let mut script = Script::durable(V5);
        script.connect(false);
        for (token, qos) in [(1, ONE), (2, TWO), (3, ONE)] {
            script.publish(token, message(qos, "sent"));
        }
        script.input(Input::Closed);
        script.publish(4, message(ONE, "waits"));
        script.input(Input::Opened);
        let none = ConnAckProperties { receive_maximum: core::num::NonZeroU16::new(1), ..Default::default() };
        let seen = script.receive(connack(false, ReasonCode::Success, none));
        assert_eq!(seen[0], completed(2, Outcome::Interrupted));
        let mut script = script.crash();
        let expected = [again(ONE, "sent", 4), Sent(Packet::Publish(publish(ONE, "sent", 1)))];
        let seen = script.connect(true);
        assert_eq!(seen[..2], expected);
        assert_eq!(seen[2..], [Sent(Packet::Publish(publish(ONE, "waits", 2)))]);
    }

    #[test]
    fn a_protocol_error_of_the_server_leaves_the_records_as_they_are() {
        let mut script = Script::durable(V5);
        script.connect(false);
        script.publish(1, message(ONE, "a"));
        let seen = script.receive(Packet::PubRec(ack(1)));
        assert!(matches!(
            seen.last(),
            Some(Did(Action::Disconnected { cause: super::super::Cause::Violated(Violation { .. }) }))
        ));
        assert_eq!(script.crash().connect(true), [again(ONE, "a", 1)]);
    }
}
