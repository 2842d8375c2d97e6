//! PUBACK, PUBREC, PUBREL and PUBCOMP: those of the server for our messages, and ours for the server's.

use super::{Client, Delivery, Outcome};
use crate::{
    codec::{Ack, Packet, QoS, ReasonCode},
    session::{Received, Violation},
};

impl Client {
    /// The host took a message over.
    pub(super) fn acknowledge(&mut self, delivery: Delivery) {
        if let Some(id) = self.session.deliveries.acknowledged(delivery) {
            self.take_over(id);
        }
        self.answer();
    }

    /// Sends the PUBACKs and PUBRECs that are due. [MQTT-4.6.0-2] [MQTT-4.6.0-3]
    pub(super) fn answer(&mut self) {
        if self.link().is_none() {
            return;
        }
        while let Some((qos, id)) = self.session.deliveries.next_answer() {
            if qos == QoS::ExactlyOnce {
                self.send(&Packet::PubRec(id.into()));
            } else {
                self.session.inbound.acknowledged(id);
                self.send(&Packet::PubAck(id.into()));
            }
        }
    }

    pub(super) fn puback(&mut self, ack: Ack) -> Result<(), Violation> {
        if let Some(pending) = self.session.outbound.acknowledged(ack.packet_id)? {
            self.store_in_flight(ack.packet_id);
            self.complete(pending.token, Outcome::Published { reason: ack.reason, properties: ack.properties });
        }
        Ok(())
    }

    pub(super) fn pubrec(&mut self, ack: Ack) -> Result<(), Violation> {
        let mut answer = Ack::from(ack.packet_id);
        match self.session.outbound.received(ack.packet_id, !ack.reason.is_failure())? {
            Received::Accepted(pending) => {
                self.store_in_flight(ack.packet_id);
                self.session.accepted.push((ack.packet_id, pending.token, ack.reason, false));
            }
            Received::Refused(pending) => {
                self.store_in_flight(ack.packet_id);
                let outcome = Outcome::Published { reason: ack.reason, properties: ack.properties };
                self.complete(pending.token, outcome);
                return Ok(());
            }
            Received::Again => {}
            Received::Unknown => answer.reason = ReasonCode::PacketIdentifierNotFound,
        }
        self.send(&Packet::PubRel(answer));
        Ok(())
    }

    pub(super) fn pubrel(&mut self, ack: Ack) -> Result<(), Violation> {
        if self.session.deliveries.is_unanswered(ack.packet_id) {
            return Err(Violation::protocol_error("PUBREL answers a PUBREC, and none was sent (4.3.3)"));
        }
        let mut answer = Ack::from(ack.packet_id);
        if !self.session.inbound.released(ack.packet_id) {
            answer.reason = ReasonCode::PacketIdentifierNotFound;
        }
        self.let_go(ack.packet_id);
        self.send(&Packet::PubComp(answer));
        Ok(())
    }

    pub(super) fn pubcomp(&mut self, ack: Ack) -> Result<(), Violation> {
        if !self.session.outbound.completed(ack.packet_id)? {
            return Ok(());
        }
        self.store_in_flight(ack.packet_id);
        let accepted = &mut self.session.accepted;
        if let Some(place) = accepted.iter().position(|(id, ..)| *id == ack.packet_id) {
            let (_, token, accepted, is_repeated) = accepted.remove(place);
            // The PUBCOMP before was lost with its connection: no error during recovery (3.7.2.1).
            let is_known = is_repeated && ack.reason == ReasonCode::PacketIdentifierNotFound;
            let reason = if ack.reason.is_failure() && !is_known { ack.reason } else { accepted };
            self.complete(token, Outcome::Published { reason, properties: ack.properties });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, connect::TOLERATED, testing::*};
    use super::*;
    use crate::codec::{PacketId, Publish};
    use core::num::NonZeroU16;

    const ONE: QoS = QoS::AtLeastOnce;
    const TWO: QoS = QoS::ExactlyOnce;

    fn incoming(qos: QoS, id: u16) -> Packet {
        Packet::Publish(publish(qos, "a", id))
    }

    fn repeated(qos: QoS, id: u16) -> Packet {
        Packet::Publish(Publish { dup: true, ..publish(qos, "a", id) })
    }

    fn puback(id: u16) -> Seen {
        Sent(Packet::PubAck(PacketId::new(id).unwrap().into()))
    }

    fn pubrec(id: u16) -> Seen {
        Sent(Packet::PubRec(PacketId::new(id).unwrap().into()))
    }

    fn pubcomp(id: u16) -> Seen {
        Sent(Packet::PubComp(PacketId::new(id).unwrap().into()))
    }

    fn pubrel(value: u16) -> Packet {
        Packet::PubRel(id(value).into())
    }

    #[test]
    fn a_message_is_acknowledged_when_the_host_says_so() {
        for version in [V3_1_1, V5] {
            let mut script = Script::connected(version);
            assert_eq!(script.receive(incoming(QoS::AtMostOnce, 0)), [delivered(message(QoS::AtMostOnce, "a"), None)]);
            assert_eq!(script.receive(incoming(ONE, 5)), [delivered(message(ONE, "a"), Some(1))]);
            assert_eq!(script.receive(incoming(TWO, 6)), [delivered(message(TWO, "a"), Some(2))]);
            assert_eq!(script.acknowledge(1), [puback(5)]);
            assert_eq!(script.acknowledge(1), []);
            assert_eq!(script.acknowledge(2), [pubrec(6)]);
            assert_eq!(script.receive(pubrel(6)), [pubcomp(6)]);
        }
    }

    #[test]
    fn acknowledgements_go_out_in_the_order_of_receipt() {
        let mut script = Script::connected(V5);
        for (qos, id) in [(ONE, 1), (ONE, 2), (TWO, 3), (TWO, 4)] {
            script.receive(incoming(qos, id));
        }
        assert_eq!(script.acknowledge(2), []);
        assert_eq!(script.acknowledge(4), []);
        assert_eq!(script.acknowledge(1), [puback(1), puback(2)]);
        assert_eq!(script.acknowledge(3), [pubrec(3), pubrec(4)]);
    }

    #[test]
    fn a_repeated_qos_2_message_is_answered_and_not_delivered() {
        let mut script = Script::connected(V5);
        script.receive(incoming(TWO, 1));
        assert_eq!(script.receive(repeated(TWO, 1)), []);
        assert_eq!(script.acknowledge(1), [pubrec(1)]);
        assert_eq!(script.receive(repeated(TWO, 1)), [pubrec(1)]);
        assert_eq!(script.receive(pubrel(1)), [pubcomp(1)]);
        assert_eq!(script.receive(incoming(TWO, 1)), [delivered(message(TWO, "a"), Some(2))]);
    }

    #[test]
    fn a_qos_2_message_that_the_host_still_has_is_answered_for_on_the_next_connection() {
        let mut script = Script::connected(V5);
        for id in 1..=3 {
            script.receive(incoming(TWO, id));
        }
        script.input(Input::Closed);
        assert_eq!(script.acknowledge(1), []);
        script.connect(true);
        assert_eq!(script.acknowledge(2), []);
        assert_eq!(script.receive(repeated(TWO, 1)), [pubrec(1)]);
        assert_eq!(script.receive(repeated(TWO, 2)), [pubrec(2)]);
        assert_eq!(script.receive(repeated(TWO, 3)), []);
        assert_eq!(script.acknowledge(3), [pubrec(3)]);
    }

    #[test]
    fn a_qos_1_message_that_was_not_acknowledged_comes_again_and_counts_anew() {
        let mut script = Script::connected(V5);
        script.receive(incoming(ONE, 1));
        script.connect(true);
        assert_eq!(script.acknowledge(1), []);
        let expected = delivered(Publish { dup: true, ..message(ONE, "a") }, Some(2));
        assert_eq!(script.receive(repeated(ONE, 1)), [expected]);
        assert_eq!(script.acknowledge(2), [puback(1)]);
    }

    #[test]
    fn an_identifier_that_an_earlier_connection_left_to_qos_2_is_free_for_qos_1() {
        let mut script = Script::connected(V5);
        script.receive(incoming(TWO, 1));
        script.connect(true);
        assert_eq!(script.receive(incoming(ONE, 1)), [delivered(message(ONE, "a"), Some(2))]);
        assert_eq!(script.acknowledge(1), []);
        assert_eq!(script.acknowledge(2), [puback(1)]);
        assert_eq!(script.receive(incoming(TWO, 1)), [delivered(message(TWO, "a"), Some(3))]);
    }

    #[test]
    fn a_lost_session_forgets_what_was_received() {
        let mut script = Script::connected(V5);
        script.receive(incoming(TWO, 1));
        script.connect(false);
        assert_eq!(script.acknowledge(1), []);
        assert_eq!(script.receive(incoming(TWO, 1)), [delivered(message(TWO, "a"), Some(2))]);
    }

    #[test]
    fn a_pubrel_before_the_pubrec_is_a_protocol_error_and_one_for_nothing_is_0x92() {
        let mut script = Script::connected(V5);
        let unknown = Ack { reason: ReasonCode::PacketIdentifierNotFound, ..Ack::from(id(9)) };
        assert_eq!(script.receive(pubrel(9)), [Sent(Packet::PubComp(unknown.clone()))]);
        assert_eq!(script.receive(Packet::PubRec(id(9).into())), [Sent(Packet::PubRel(unknown))]);
        script.receive(incoming(TWO, 1));
        assert_violated(&script.receive(pubrel(1)), ReasonCode::ProtocolError);
    }

    #[test]
    fn a_server_that_sends_far_more_than_our_receive_maximum_hears_0x93() {
        let mut script = Script::new(V5, |options| {
            options.connect.properties.receive_maximum = NonZeroU16::new(1);
        });
        script.connect(false);
        for packet_id in 1..=TOLERATED {
            let delivery = Some(packet_id.into());
            assert_eq!(script.receive(incoming(ONE, packet_id)), [delivered(message(ONE, "a"), delivery)]);
        }
        assert_violated(&script.receive(incoming(ONE, TOLERATED + 1)), ReasonCode::ReceiveMaximumExceeded);
    }

    #[test]
    fn an_acknowledgement_of_the_wrong_kind_is_a_protocol_error() {
        let mut script = Script::connected(V5);
        script.publish(1, message(ONE, "a"));
        assert_violated(&script.receive(Packet::PubRec(id(1).into())), ReasonCode::ProtocolError);
    }

    #[test]
    fn a_packet_identifier_in_use_is_told_as_a_protocol_error() {
        let mut script = Script::connected(V5);
        script.receive(incoming(TWO, 1));
        assert_violated(&script.receive(incoming(ONE, 1)), ReasonCode::ProtocolError);
    }
}
