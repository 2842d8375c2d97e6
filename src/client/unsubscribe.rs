//! UNSUBSCRIBE and UNSUBACK.

use super::{Client, Misuse, Outcome, Token, subscribe::Asked};
use crate::{
    codec::{Packet, ProtocolVersion, ReasonCode, UnsubAck, Unsubscribe},
    session::Violation,
};
use alloc::vec;

impl Client {
    pub(super) fn send_unsubscribe(&mut self, token: Token, unsubscribe: Unsubscribe) {
        let Some(packet_id) = self.session.outbound.allocate() else {
            return self.complete(token, Outcome::Misused(Misuse::PacketIdentifiersExhausted));
        };
        self.session.unsubscribes.insert(packet_id, Asked { token, filters: unsubscribe.filters.len() });
        self.send(&Packet::Unsubscribe(Unsubscribe { packet_id, ..unsubscribe }));
    }

    /// The server answered; answers to nothing are ignored.
    pub(super) fn unsuback(&mut self, unsuback: UnsubAck) -> Result<(), Violation> {
        let Some(asked) = self.session.unsubscribes.get(&unsuback.packet_id).copied() else { return Ok(()) };
        let reasons = match self.options.connect.version {
            ProtocolVersion::V5 => unsuback.reasons,
            ProtocolVersion::V3_1_1 => vec![ReasonCode::Success; asked.filters],
        };
        if reasons.len() != asked.filters {
            return Err(Violation::protocol_error("UNSUBACK has a reason for each filter [MQTT-3.11.3-1]"));
        }
        self.session.unsubscribes.remove(&unsuback.packet_id);
        self.session.outbound.ids().release(unsuback.packet_id);
        self.complete(asked.token, Outcome::Unsubscribed { reasons, properties: unsuback.properties });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, testing::*};
    use super::*;
    use crate::codec::{AckProperties, Text};

    fn unsubscribe(texts: &[&'static str]) -> Input {
        let filters = texts.iter().map(|text| Text::from_static(text)).collect();
        Input::Unsubscribe { token: Token(1), filters, user_properties: Vec::new() }
    }

    fn unsuback(reasons: &[ReasonCode]) -> Packet {
        let properties = AckProperties::default();
        Packet::UnsubAck(UnsubAck { packet_id: id(1), properties, reasons: reasons.to_vec() })
    }

    #[test]
    fn an_unsubscribe_completes_with_a_reason_for_each_filter() {
        for (version, second) in [(V3_1_1, ReasonCode::Success), (V5, ReasonCode::NoSubscriptionExisted)] {
            let mut script = Script::connected(version);
            let seen = script.input(unsubscribe(&["a", "b/#"]));
            assert!(matches!(seen[..], [Sent(Packet::Unsubscribe(_))]));
            let seen = script.receive(unsuback(&[ReasonCode::Success, ReasonCode::NoSubscriptionExisted]));
            let reasons = vec![ReasonCode::Success, second];
            let outcome = Outcome::Unsubscribed { reasons, properties: AckProperties::default() };
            assert_eq!(seen, [completed(1, outcome)]);
        }
    }

    #[test]
    fn an_unsuback_with_too_many_reasons_is_a_protocol_error() {
        let mut script = Script::connected(V5);
        script.input(unsubscribe(&["a"]));
        let seen = script.receive(unsuback(&[ReasonCode::Success; 2]));
        assert!(matches!(&seen[0], Sent(Packet::Disconnect(told)) if told.reason == ReasonCode::ProtocolError));
    }

    #[test]
    fn no_filter_and_a_filter_that_is_not_valid_are_misuses() {
        let mut script = Script::connected(V5);
        assert_eq!(script.input(unsubscribe(&[])), [completed(1, Outcome::Misused(Misuse::NoFilters))]);
        let seen = script.input(unsubscribe(&["#/a"]));
        assert!(matches!(
            seen[..],
            [Did(super::super::Action::Completed { outcome: Outcome::Misused(Misuse::InvalidTopic(_)), .. })]
        ));
    }
}
