//! UNSUBACK.

use super::{Client, Outcome, request::Content};
use crate::{
    codec::{ProtocolVersion, ReasonCode, UnsubAck},
    session::Violation,
};
use alloc::vec;

impl Client {
    /// The server answered; answers to nothing are ignored.
    pub(super) fn unsuback(&mut self, unsuback: UnsubAck) -> Result<(), Violation> {
        let Some(place) = self.session.asked.iter().position(|asked| asked.packet_id == unsuback.packet_id) else {
            return Ok(());
        };
        let Content::Unsubscribe(unsubscribe) = &self.session.asked[place].request.content else { return Ok(()) };
        let filters = unsubscribe.filters.len();
        let reasons = match self.options.connect.version {
            ProtocolVersion::V5 => unsuback.reasons,
            ProtocolVersion::V3_1_1 => vec![ReasonCode::Success; filters],
        };
        if reasons.len() != filters {
            return Err(Violation::protocol_error("UNSUBACK has a reason for each filter [MQTT-3.11.3-1]"));
        }
        let asked = self.answered(place);
        self.complete(asked.request.token, Outcome::Unsubscribed { reasons, properties: unsuback.properties });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, Misuse, Token, testing::*};
    use super::*;
    use crate::codec::{AckProperties, Packet, Text};

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
