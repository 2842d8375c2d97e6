//! SUBSCRIBE and SUBACK.

use super::{Client, Misuse, Outcome, Token};
use crate::{
    codec::{Packet, SubAck, Subscribe},
    session::Violation,
};

/// A SUBSCRIBE or UNSUBSCRIBE that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) token: Token,
    pub(super) filters: usize,
}

impl Client {
    pub(super) fn send_subscribe(&mut self, token: Token, subscribe: Subscribe) {
        let Some(packet_id) = self.session.outbound.allocate() else {
            return self.complete(token, Outcome::Misused(Misuse::PacketIdentifiersExhausted));
        };
        self.session.subscribes.insert(packet_id, Asked { token, filters: subscribe.filters.len() });
        self.send(&Packet::Subscribe(Subscribe { packet_id, ..subscribe }));
    }

    /// The server answered; answers to nothing are ignored.
    pub(super) fn suback(&mut self, suback: SubAck) -> Result<(), Violation> {
        let Some(asked) = self.session.subscribes.get(&suback.packet_id).copied() else { return Ok(()) };
        if suback.reasons.len() != asked.filters {
            return Err(Violation::protocol_error("SUBACK has a reason for each filter [MQTT-3.8.4-6]"));
        }
        self.session.subscribes.remove(&suback.packet_id);
        self.session.outbound.ids().release(suback.packet_id);
        let outcome = Outcome::Subscribed { reasons: suback.reasons, properties: suback.properties };
        self.complete(asked.token, outcome);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, testing::*};
    use super::*;
    use crate::codec::{
        AckProperties, ConnAckProperties, QoS, ReasonCode, SubscribeFilter, SubscribeProperties, SubscriptionOptions,
        Text,
    };
    use core::num::NonZeroU32;

    fn filters(texts: &[&'static str]) -> Vec<SubscribeFilter> {
        let options = SubscriptionOptions { qos: QoS::AtLeastOnce, ..SubscriptionOptions::default() };
        texts.iter().map(|text| SubscribeFilter { filter: Text::from_static(text), options }).collect()
    }

    fn identified(value: u32) -> SubscribeProperties {
        SubscribeProperties { subscription_identifier: NonZeroU32::new(value), ..SubscribeProperties::default() }
    }

    fn subscribe(texts: &[&'static str], properties: SubscribeProperties) -> Input {
        Input::Subscribe { token: Token(1), filters: filters(texts), properties }
    }

    fn suback(value: u16, reasons: &[ReasonCode]) -> Packet {
        Packet::SubAck(SubAck { packet_id: id(value), properties: AckProperties::default(), reasons: reasons.to_vec() })
    }

    #[test]
    fn a_subscribe_completes_with_a_reason_for_each_filter() {
        for version in [V3_1_1, V5] {
            let mut script = Script::connected(version);
            let properties = SubscribeProperties::default();
            let packet =
                Subscribe { packet_id: id(1), properties: properties.clone(), filters: filters(&["a", "b/#"]) };
            assert_eq!(script.input(subscribe(&["a", "b/#"], properties)), [Sent(Packet::Subscribe(packet))]);
            let reasons = vec![ReasonCode::GrantedQoS1, ReasonCode::UnspecifiedError];
            let seen = script.receive(suback(1, &reasons));
            let outcome = Outcome::Subscribed { reasons: reasons.clone(), properties: AckProperties::default() };
            assert_eq!(seen, [completed(1, outcome)]);
            assert_eq!(script.receive(suback(1, &reasons)), []);
        }
    }

    #[test]
    fn a_suback_with_too_few_reasons_is_a_protocol_error() {
        let mut script = Script::connected(V5);
        script.input(subscribe(&["a", "b"], SubscribeProperties::default()));
        let seen = script.receive(suback(1, &[ReasonCode::Success]));
        assert!(matches!(&seen[0], Sent(Packet::Disconnect(told)) if told.reason == ReasonCode::ProtocolError));
        assert_eq!(seen[2], completed(1, Outcome::Interrupted));
    }

    #[test]
    fn a_subscribe_without_an_answer_is_interrupted_and_its_identifier_free() {
        let mut script = Script::connected(V5);
        script.input(subscribe(&["a"], SubscribeProperties::default()));
        let seen = script.input(Input::Closed);
        assert_eq!(seen[0], completed(1, Outcome::Interrupted));
        assert!(script.client.session.outbound.ids().is_empty());
    }

    #[test]
    fn a_subscribe_waits_for_the_connection() {
        let mut script = Script::new(V5, |_| ());
        assert_eq!(script.input(subscribe(&["a"], SubscribeProperties::default())), []);
        assert!(matches!(script.connect(false)[..], [Sent(Packet::Subscribe(_))]));
    }

    #[test]
    fn a_filter_that_is_not_valid_is_a_misuse() {
        let mut script = Script::connected(V5);
        let mut misuse = |input| match &script.input(input)[..] {
            [Did(super::super::Action::Completed { outcome: Outcome::Misused(misuse), .. })] => *misuse,
            seen => panic!("{seen:?}"),
        };
        let none = SubscribeProperties::default;
        assert_eq!(misuse(subscribe(&[], none())), Misuse::NoFilters);
        assert!(matches!(misuse(subscribe(&["a", "b#"], none())), Misuse::InvalidTopic(_)));
        assert_eq!(misuse(subscribe(&["a"], identified(268_435_456))), Misuse::InvalidSubscriptionIdentifier);
        let mut shared = filters(&["$share/g/a"]);
        shared[0].options.no_local = true;
        let input = Input::Subscribe { token: Token(1), filters: shared, properties: none() };
        assert_eq!(misuse(input), Misuse::NoLocalOnShared);
    }

    #[test]
    fn a_limit_of_the_server_is_a_misuse_before_anything_is_sent() {
        let mut script = Script::connected_to(ConnAckProperties {
            wildcard_subscription_available: Some(false),
            shared_subscription_available: Some(false),
            subscription_identifiers_available: Some(false),
            maximum_packet_size: NonZeroU32::new(30),
            ..Default::default()
        });
        let none = SubscribeProperties::default;
        for (input, misuse) in [
            (subscribe(&["a/+"], none()), Misuse::WildcardSubscriptionsNotSupported),
            (subscribe(&["$share/g/a"], none()), Misuse::SharedSubscriptionsNotSupported),
            (subscribe(&["a"], identified(1)), Misuse::SubscriptionIdentifiersNotSupported),
            (subscribe(&["abcdefghijklmnopqrstuvw"], none()), Misuse::PacketTooLarge { size: 31, maximum: 30 }),
        ] {
            assert_eq!(script.input(input), [completed(1, Outcome::Misused(misuse))]);
        }
        assert_eq!(script.input(subscribe(&["abcdefghijklmnopqrstuv"], none())).len(), 1);
    }

    #[test]
    fn mqtt_3_1_1_has_no_subscription_identifiers() {
        let seen = Script::connected(V3_1_1).input(subscribe(&["a"], identified(1)));
        assert_eq!(seen, [completed(1, Outcome::Misused(Misuse::SubscriptionIdentifiersNotSupported))]);
    }
}
