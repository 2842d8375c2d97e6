//! PUBLISH: the host's messages on their way to the server, and the server's on their way to the host.

use super::{
    Action, Client, Outcome, Token,
    connection::Connection,
    request::{Content, Request},
};
use crate::{
    codec::{AckProperties, Packet, PacketId, Publish, PublishProperties, QoS, ReasonCode, Text, publish::PublishHead},
    session::{AliasUse, InFlight, Novelty, Resend, Violation},
    time::Timestamp,
    topic::TopicName,
};
use alloc::{boxed::Box, vec::Vec};
use bytes::Bytes;

/// A message that the server has not accepted yet.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Whose it is, if anybody's.
    pub(super) token: Option<Token>,
    pub(super) publish: Publish,
}

impl Connection {
    /// The packet of a message, with a Topic Alias where the server allows one, and by its topic where that would be too large.
    fn message(&mut self, publish: &Publish, packet_id: Option<PacketId>, now: Timestamp) -> Option<Bytes> {
        let head = PublishHead { packet_id, ..publish.head() };
        let (new, known) = match self.assigner.look_up(&publish.topic) {
            AliasUse::None => (None, None),
            AliasUse::Set(alias) => (Some(alias), None),
            AliasUse::Alone(alias) => (None, Some(alias)),
        };
        if let topic_alias @ Some(_) = new.or(known) {
            let (nothing, properties) =
                (Text::default(), PublishProperties { topic_alias, ..publish.properties.clone() });
            let topic = if known.is_some() { &nothing } else { head.topic };
            let packet =
                self.encode(PublishHead { topic, properties: Some(&properties), ..head }, &publish.payload, now);
            if packet.is_some() {
                if let Some(alias) = new {
                    self.assigner.set(&publish.topic, alias);
                }
                return packet;
            }
        }
        self.encode(head, &publish.payload, now)
    }

    /// A message as it is sent now, unless it is larger than the server accepts.
    fn encode(&mut self, head: PublishHead<'_>, payload: &[u8], now: Timestamp) -> Option<Bytes> {
        let packet = head.packet(self.version, payload).ok()?;
        self.touch(packet.len(), now).then(|| packet.freeze())
    }
}

impl Client {
    /// Sends a message of QoS 0. The caller has seen that it may be sent now.
    pub(super) fn send_once(&mut self, token: Option<Token>, publish: &Publish) {
        let packet = self.connection.as_mut().and_then(|link| link.message(publish, None, self.now));
        self.send_whole(packet);
        let (reason, properties) = (ReasonCode::Success, AckProperties::default());
        self.complete(token, Outcome::Published { reason, properties });
    }

    /// Sends a message of QoS 1 or 2, which is in flight from now on. The caller has seen that it may be sent now.
    pub(super) fn send_publish(&mut self, pending: Pending) {
        if let Some(id) = self.session.outbound.send(pending.publish.qos, pending) {
            self.store_in_flight(id);
            self.send_in_flight(id);
        }
    }

    /// Sends a message of QoS 1 or 2 for the first time.
    fn send_in_flight(&mut self, id: PacketId) {
        let Self { connection: Some(connection), session, .. } = self else { return };
        let Some((_, step)) = session.outbound.get(id) else { return };
        let packet = step.message().and_then(|pending| connection.message(&pending.publish, Some(id), self.now));
        self.send_whole(packet);
    }

    fn send_whole(&mut self, packet: Option<Bytes>) {
        if let Some(bytes) = packet {
            self.actions.push_back(Action::Send { bytes });
        }
    }

    /// Sends again on a resumed connection, unless the server allows less than it did before.
    pub(super) fn send_again(&mut self, id: PacketId, resend: Resend<Pending>) {
        let Pending { token, publish } = match resend {
            Resend::PubRel => {
                if let Some(accepted) = self.session.accepted.iter_mut().find(|(accepted, ..)| *accepted == id) {
                    accepted.3 = true;
                }
                self.send(&Packet::PubRel(id.into()));
                return;
            }
            Resend::Publish(pending) => pending,
        };
        let Some(limits) = self.link().map(|link| link.limits) else { return };
        if let Err(misuse) = limits.check(&Content::Publish(publish.clone())) {
            self.give_up(id);
            return self.complete(token, Outcome::Misused(misuse));
        }
        // [MQTT-3.3.1-1] [MQTT-4.4.0-1]
        let head = PublishHead { dup: true, packet_id: Some(id), ..publish.head() };
        let packet = self.connection.as_mut().and_then(|link| link.encode(head, &publish.payload, self.now));
        self.send_whole(packet);
    }

    /// Ends an exchange whose message may not be sent again. The server may have a QoS 2 message of this identifier, and would
    /// take the next for a duplicate: so it is released first. [MQTT-4.3.3-11]
    fn give_up(&mut self, id: PacketId) {
        let is_released = self.session.outbound.received(id, true).is_ok();
        if !is_released {
            self.session.outbound.abandon(id);
        }
        self.store_in_flight(id);
        if is_released {
            self.send(&Packet::PubRel(id.into()));
        }
    }

    /// The server has no session: QoS 1 messages become new ones, in front of all that waits. A QoS 2 message may have been
    /// published or not, whether we heard its PUBREC or not; sent again, it could arrive twice.
    pub(super) fn begin_messages_anew(&mut self) {
        for (_, token, ..) in core::mem::take(&mut self.session.accepted) {
            self.complete(token, Outcome::Interrupted);
        }
        let mut anew = Vec::new();
        for (id, step) in self.session.outbound.clear() {
            self.store_in_flight(id);
            match step {
                InFlight::PubAck(Pending { token, publish }) => {
                    anew.push(Request { was_sent: true, ..Request::new(token, Content::Publish(publish)) });
                }
                InFlight::PubRec(pending) => self.complete(pending.token, Outcome::Interrupted),
                InFlight::PubComp => {}
            }
        }
        for mut request in anew.into_iter().rev() {
            if self.is_durable {
                request.place = self.outbox.place_in_front();
                self.store_waiting(&request);
            }
            self.outbox.push_front(request);
        }
    }

    /// The server sent a message.
    pub(super) fn published(&mut self, mut publish: Publish) -> Result<(), Violation> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        if let Some(alias) = publish.properties.topic_alias.take() {
            publish.topic = connection.aliases.resolve(alias, &publish.topic)?;
        }
        TopicName::parse(publish.topic.clone())
            .map_err(|invalid| Violation::new(ReasonCode::TopicNameInvalid, invalid.rule))?;
        let delivery = match publish.packet_id {
            None => None,
            Some(id) => {
                if publish.qos == QoS::AtLeastOnce && self.session.inbound.reused(id) {
                    self.let_go(id);
                }
                match self.session.inbound.published(publish.qos, id)? {
                    Novelty::New => Some(self.session.deliveries.delivered(publish.qos, id)),
                    Novelty::Duplicate => {
                        self.session.deliveries.repeated(id);
                        self.answer();
                        return Ok(());
                    }
                }
            }
        };
        self.actions.push_back(Action::Deliver { message: Box::new(publish), delivery });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cause, Input, Misuse, testing::*};
    use super::*;
    use crate::codec::{Ack, ConnAckProperties};
    use core::num::{NonZeroU16, NonZeroU32};

    const ONE: QoS = QoS::AtLeastOnce;
    const TWO: QoS = QoS::ExactlyOnce;

    fn sent(publish: Publish) -> Seen {
        Sent(Packet::Publish(publish))
    }

    fn again(qos: QoS, topic: &'static str, id: u16) -> Seen {
        sent(Publish { dup: true, ..publish(qos, topic, id) })
    }

    fn ack(value: u16) -> Ack {
        id(value).into()
    }

    #[test]
    fn each_qos_completes_with_its_own_last_step() {
        for version in [V3_1_1, V5] {
            let mut script = Script::connected(version);
            let zero = message(QoS::AtMostOnce, "a");
            assert_eq!(script.publish(10, zero.clone()), [sent(zero), published(10, ReasonCode::Success)]);
            assert_eq!(script.publish(11, message(ONE, "a")), [sent(publish(ONE, "a", 1))]);
            assert_eq!(script.publish(12, message(TWO, "a")), [sent(publish(TWO, "a", 2))]);
            assert_eq!(script.receive(Packet::PubRec(ack(2))), [Sent(Packet::PubRel(ack(2)))]);
            assert_eq!(script.receive(Packet::PubAck(ack(1))), [published(11, ReasonCode::Success)]);
            assert_eq!(script.receive(Packet::PubComp(ack(2))), [published(12, ReasonCode::Success)]);
            assert_eq!(script.receive(Packet::PubComp(ack(2))), []);
        }
    }

    #[test]
    fn the_host_hears_the_servers_reason() {
        let mut script = Script::connected(V5);
        for token in 1..=4 {
            script.publish(token, message(if token == 1 { ONE } else { TWO }, "a"));
        }
        let with = |id, reason| Ack { reason, ..ack(id) };
        let (nobody, refused) = (ReasonCode::NoMatchingSubscribers, ReasonCode::QuotaExceeded);
        assert_eq!(script.receive(Packet::PubAck(with(1, nobody))), [published(1, nobody)]);
        assert_eq!(script.receive(Packet::PubRec(with(2, refused))), [published(2, refused)]);
        script.receive(Packet::PubRec(with(3, nobody)));
        assert_eq!(script.receive(Packet::PubComp(ack(3))), [published(3, nobody)]);
        script.receive(Packet::PubRec(ack(4)));
        let lost = ReasonCode::PacketIdentifierNotFound;
        assert_eq!(script.receive(Packet::PubComp(with(4, lost))), [published(4, lost)]);
    }

    #[test]
    fn what_the_host_may_not_set_is_left_out() {
        let mut script = Script::connected(V5);
        let mut stray = publish(ONE, "a", 77);
        stray.dup = true;
        stray.properties.topic_alias = NonZeroU16::new(1);
        stray.properties.subscription_identifiers = vec![NonZeroU32::MIN];
        assert_eq!(script.publish(1, stray), [sent(publish(ONE, "a", 1))]);
    }

    fn with_alias(alias: u16, publish: Publish) -> Seen {
        let mut publish = publish;
        publish.properties.topic_alias = NonZeroU16::new(alias);
        sent(publish)
    }

    /// A server that allows so many Topic Aliases and bytes.
    fn aliases(topic_alias_maximum: u16, maximum_packet_size: Option<u32>) -> ConnAckProperties {
        ConnAckProperties {
            topic_alias_maximum: Some(topic_alias_maximum),
            maximum_packet_size: maximum_packet_size.and_then(NonZeroU32::new),
            ..Default::default()
        }
    }

    #[test]
    fn the_topics_that_come_first_are_sent_once_and_then_by_their_aliases() {
        let mut script = Script::connected_to(aliases(2, None));
        assert_eq!(script.publish(1, message(ONE, "a")), [with_alias(1, publish(ONE, "a", 1))]);
        assert_eq!(script.publish(2, message(TWO, "a")), [with_alias(1, publish(TWO, "", 2))]);
        assert_eq!(script.publish(3, message(QoS::AtMostOnce, "b"))[0], with_alias(2, message(QoS::AtMostOnce, "b")));
        assert_eq!(script.publish(4, message(QoS::AtMostOnce, "b"))[0], with_alias(2, message(QoS::AtMostOnce, "")));
        assert_eq!(script.publish(5, message(ONE, "c")), [sent(publish(ONE, "c", 3))]);
    }

    #[test]
    fn the_host_may_set_fewer_aliases_than_the_server_allows() {
        let mut script = Script::new(V5, |options| options.assigned_topic_aliases = 1);
        script.input(Input::Opened);
        script.receive(connack(false, ReasonCode::Success, aliases(2, None)));
        assert_eq!(script.publish(1, message(ONE, "a")), [with_alias(1, publish(ONE, "a", 1))]);
        assert_eq!(script.publish(2, message(ONE, "b")), [sent(publish(ONE, "b", 2))]);
    }

    #[test]
    fn a_message_sent_again_carries_its_whole_topic_and_a_new_connection_has_new_aliases() {
        let mut script = Script::connected(V5);
        script.input(Input::Opened);
        script.receive(connack(true, ReasonCode::Success, aliases(2, None)));
        for token in 1..=2 {
            script.publish(token, message(ONE, "a"));
        }
        script.input(Input::Opened);
        let seen = script.receive(connack(true, ReasonCode::Success, aliases(2, None)));
        assert_eq!(seen[1..], [again(ONE, "a", 1), again(ONE, "a", 2)]);
        assert_eq!(script.publish(3, message(ONE, "a")), [with_alias(1, publish(ONE, "a", 3))]);
    }

    #[test]
    fn a_message_that_an_alias_would_make_too_large_goes_without() {
        let mut script = Script::connected_to(aliases(2, Some(30)));
        let large = |length| Publish { payload: vec![0; length].into(), ..message(QoS::AtMostOnce, "a") };
        assert_eq!(script.publish(1, large(24))[0], sent(large(24)));
        assert_eq!(script.publish(2, large(21))[0], with_alias(1, large(21)));
        assert_eq!(script.publish(3, large(24))[0], sent(large(24)));
    }

    #[test]
    fn messages_wait_for_the_connection_in_order() {
        let mut script = Script::new(V5, |_| ());
        for (token, qos) in [(1, TWO), (2, QoS::AtMostOnce), (3, ONE)] {
            assert_eq!(script.publish(token, message(qos, "a")), []);
        }
        let expected = [
            sent(publish(TWO, "a", 1)),
            sent(message(QoS::AtMostOnce, "a")),
            published(2, ReasonCode::Success),
            sent(publish(ONE, "a", 2)),
        ];
        assert_eq!(script.connect(false), expected);
    }

    #[test]
    fn qos_1_and_2_wait_for_the_servers_receive_maximum_and_nothing_else_does() {
        let properties = ConnAckProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
        let mut script = Script::connected_to(properties);
        script.publish(1, message(ONE, "a"));
        assert_eq!(script.publish(2, message(TWO, "b")), []);
        assert_eq!(script.publish(3, message(ONE, "c")), []);
        assert_eq!(script.publish(4, message(QoS::AtMostOnce, "d")).len(), 2);
        let filters = vec![Text::from_static("a")];
        let unsubscribe = Input::Unsubscribe { token: Token(5), filters, user_properties: Vec::new() };
        assert_eq!(script.input(unsubscribe).len(), 1);
        let seen = script.receive(Packet::PubAck(ack(1)));
        assert_eq!(seen, [published(1, ReasonCode::Success), sent(publish(TWO, "b", 3))]);
        script.receive(Packet::PubRec(ack(3)));
        let seen = script.receive(Packet::PubComp(ack(3)));
        assert_eq!(seen, [published(2, ReasonCode::Success), sent(publish(ONE, "c", 4))]);
    }

    #[test]
    fn a_present_session_is_resumed_by_sending_again_in_order() {
        for version in [V3_1_1, V5] {
            let mut script = Script::connected(version);
            for (token, qos) in [(1, TWO), (2, ONE), (3, TWO)] {
                script.publish(token, message(qos, "a"));
            }
            script.receive(Packet::PubRec(ack(1)));
            assert_eq!(script.input(Input::Closed), [disconnected(Cause::Lost)]);
            assert_eq!(script.publish(4, message(ONE, "b")), []);
            let expected =
                [Sent(Packet::PubRel(ack(1))), again(ONE, "a", 2), again(TWO, "a", 3), sent(publish(ONE, "b", 4))];
            assert_eq!(script.connect(true), expected);
            assert_eq!(script.receive(Packet::PubComp(ack(1))), [published(1, ReasonCode::Success)]);
            assert_eq!(script.receive(Packet::PubAck(ack(2))), [published(2, ReasonCode::Success)]);
        }
    }

    #[test]
    fn a_pubrel_that_was_sent_again_may_find_its_exchange_at_an_end() {
        let mut script = Script::connected(V5);
        script.publish(1, message(TWO, "a"));
        script.receive(Packet::PubRec(ack(1)));
        script.input(Input::Closed);
        assert_eq!(script.connect(true), [Sent(Packet::PubRel(ack(1)))]);
        let gone = Ack { reason: ReasonCode::PacketIdentifierNotFound, ..ack(1) };
        assert_eq!(script.receive(Packet::PubComp(gone)), [published(1, ReasonCode::Success)]);
    }

    #[test]
    fn a_resumed_connection_keeps_to_its_own_receive_maximum() {
        let mut script = Script::connected(V5);
        for token in 1..=2 {
            script.publish(token, message(ONE, "a"));
        }
        script.input(Input::Opened);
        let properties = ConnAckProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
        let seen = script.receive(connack(true, ReasonCode::Success, properties));
        assert_eq!(seen[1..], [again(ONE, "a", 1)]);
        assert_eq!(script.publish(3, message(ONE, "b")), []);
        let seen = script.receive(Packet::PubAck(ack(1)));
        assert_eq!(seen, [published(1, ReasonCode::Success), again(ONE, "a", 2)]);
        let seen = script.receive(Packet::PubAck(ack(2)));
        assert_eq!(seen, [published(2, ReasonCode::Success), sent(publish(ONE, "b", 3))]);
    }

    #[test]
    fn without_a_session_qos_1_is_sent_as_new_and_qos_2_is_interrupted() {
        let mut script = Script::connected(V5);
        for (token, qos) in [(1, TWO), (2, ONE), (3, TWO)] {
            script.publish(token, message(qos, "a"));
        }
        script.receive(Packet::PubRec(ack(1)));
        script.input(Input::Closed);
        script.publish(4, message(ONE, "b"));
        script.input(Input::Opened);
        let seen = script.receive(connack(false, ReasonCode::Success, ConnAckProperties::default()));
        assert_eq!(seen[..2], [1, 3].map(|token| completed(token, Outcome::Interrupted)));
        let expected = [(ONE, "a", 4), (ONE, "b", 5)];
        assert_eq!(seen[3..], expected.map(|(qos, topic, id)| sent(publish(qos, topic, id))));
        assert_eq!(script.receive(Packet::PubAck(ack(4))), [published(2, ReasonCode::Success)]);
    }

    #[test]
    fn a_limit_of_the_server_is_a_misuse_before_anything_is_sent() {
        let mut script = Script::connected_to(ConnAckProperties {
            maximum_qos: Some(ONE),
            retain_available: Some(false),
            maximum_packet_size: NonZeroU32::new(30),
            ..Default::default()
        });
        let refused = |misuse| [completed(1, Outcome::Misused(misuse))];
        let seen = script.publish(1, message(TWO, "a"));
        assert_eq!(seen, refused(Misuse::QoSNotSupported { maximum: ONE }));
        let seen = script.publish(1, Publish { retain: true, ..message(ONE, "a") });
        assert_eq!(seen, refused(Misuse::RetainNotSupported));
        let large = |length| Publish { payload: vec![0; length].into(), ..message(ONE, "a") };
        let seen = script.publish(1, large(23));
        assert_eq!(seen, refused(Misuse::PacketTooLarge { size: 31, maximum: 30 }));
        assert_eq!(script.publish(1, large(22)).len(), 1);
        let seen = script.publish(1, message(ONE, "a/+"));
        assert!(matches!(
            seen[..],
            [Did(Action::Completed { outcome: Outcome::Misused(Misuse::InvalidTopic(_)), .. })]
        ));
    }

    #[test]
    fn what_waited_or_is_sent_again_keeps_to_the_limits_of_the_new_connection() {
        let mut script = Script::connected(V5);
        script.publish(1, message(ONE, "a"));
        script.input(Input::Closed);
        script.publish(2, message(ONE, "b"));
        script.input(Input::Opened);
        let properties = ConnAckProperties { maximum_qos: Some(QoS::AtMostOnce), ..Default::default() };
        let seen = script.receive(connack(true, ReasonCode::Success, properties));
        let refused = Outcome::Misused(Misuse::QoSNotSupported { maximum: QoS::AtMostOnce });
        assert_eq!(seen[1..], [completed(1, refused.clone()), completed(2, refused)]);
        assert_eq!(script.client.session.outbound.len(), 0);
    }

    /// [MQTT-4.3.3-11]
    #[test]
    fn the_identifier_of_a_qos_2_message_that_may_not_be_sent_again_is_released_before_it_is_used_again() {
        let mut script = Script::connected(V5);
        script.publish(1, message(TWO, "a"));
        script.input(Input::Opened);
        let properties = ConnAckProperties { maximum_packet_size: NonZeroU32::new(8), ..Default::default() };
        let seen = script.receive(connack(true, ReasonCode::Success, properties));
        let refused = Outcome::Misused(Misuse::PacketTooLarge { size: 9, maximum: 8 });
        assert_eq!(seen[1..], [Sent(Packet::PubRel(ack(1))), completed(1, refused)]);
        assert_eq!(script.client.session.outbound.len(), 1);
        assert_eq!(script.receive(Packet::PubComp(ack(1))), []);
        assert_eq!(script.client.session.outbound.len(), 0);
    }

    #[test]
    fn a_topic_with_wildcards_from_the_server_is_0x90() {
        let seen = Script::connected(V5).receive(Packet::Publish(message(QoS::AtMostOnce, "a/#")));
        assert_violated(&seen, ReasonCode::TopicNameInvalid);
    }
}
