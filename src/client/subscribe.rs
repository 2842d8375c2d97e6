//! SUBSCRIBE and SUBACK; and how a SUBSCRIBE or UNSUBSCRIBE waits for its answer.

use super::{
    Client, Misuse, Outcome,
    request::{Content, Request},
};
use crate::{
    codec::{PacketId, SubAck, Text},
    session::Violation,
};
use alloc::vec::Vec;

/// A SUBSCRIBE or UNSUBSCRIBE that was sent.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) packet_id: PacketId,
    pub(super) request: Request,
    /// The filters of a SUBSCRIBE that the host does not want any more.
    pub(super) forgotten: Vec<Text>,
}

impl Client {
    /// Sends a SUBSCRIBE or UNSUBSCRIBE. The caller has seen that it may be sent now.
    pub(super) fn ask(&mut self, request: Request) {
        let Some(limits) = self.link().map(|link| link.limits) else { return };
        let Some(id) = self.session.outbound.allocate() else {
            return self.complete(request.token, Outcome::Misused(Misuse::PacketIdentifiersExhausted));
        };
        let Some(packet) = request.content.question(id, &limits) else { return };
        if let Content::Unsubscribe(unsubscribe) = &request.content {
            self.session.subscriptions.retain(|kept| !unsubscribe.filters.contains(&kept.filter.filter));
        }
        self.session.asked.push(Asked { packet_id: id, request, forgotten: Vec::new() });
        self.send(&packet);
    }

    /// The server answered; answers to nothing are ignored.
    pub(super) fn suback(&mut self, suback: SubAck) -> Result<(), Violation> {
        let Some(place) = self.session.asked.iter().position(|asked| asked.packet_id == suback.packet_id) else {
            return Ok(());
        };
        let Content::Subscribe(subscribe, number) = &self.session.asked[place].request.content else { return Ok(()) };
        if suback.reasons.len() != subscribe.filters.len() {
            return Err(Violation::protocol_error("SUBACK has a reason for each filter [MQTT-3.8.4-6]"));
        }
        let (subscribe, number) = (subscribe.clone(), *number);
        let asked = self.answered(place);
        let is_wanted = |filter: &Text, later: &[Asked]| {
            !asked.forgotten.contains(filter) && !later.iter().any(|later| later.ends(filter))
        };
        for (filter, reason) in subscribe.filters.into_iter().zip(&suback.reasons) {
            if reason.is_failure() {
                if asked.request.token.is_none() {
                    self.lose(filter.filter, *reason, suback.properties.clone());
                }
            } else if is_wanted(&filter.filter, &self.session.asked[place..]) {
                self.remember(filter, subscribe.properties.clone(), number);
            }
        }
        let outcome = Outcome::Subscribed { reasons: suback.reasons, properties: suback.properties };
        self.complete(asked.request.token, outcome);
        Ok(())
    }

    /// The answer came to what was asked in this place: its identifier is free.
    pub(super) fn answered(&mut self, place: usize) -> Asked {
        let asked = self.session.asked.remove(place);
        self.session.outbound.ids().release(asked.packet_id);
        asked
    }

    /// The connection is gone, and no answer will come. Asking again does no harm, once: a server may close the connection
    /// because of the question. What the client asked by itself it asks at each connection.
    pub(super) fn ask_again(&mut self) {
        for asked in core::mem::take(&mut self.session.asked).into_iter().rev() {
            self.session.outbound.ids().release(asked.packet_id);
            let Asked { request, forgotten, .. } = asked;
            if request.was_sent || !forgotten.is_empty() {
                self.complete(request.token, Outcome::Interrupted);
            } else if request.token.is_some() {
                self.outbox.push_front(Request { was_sent: true, ..request });
            }
        }
    }
}

impl Asked {
    /// Whether the server will have ended a subscription to `filter` when it answers.
    fn ends(&self, filter: &Text) -> bool {
        matches!(&self.request.content, Content::Unsubscribe(unsubscribe) if unsubscribe.filters.contains(filter))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cause, Input, Token, testing::*};
    use super::*;
    use crate::codec::{
        AckProperties, ConnAckProperties, Packet, QoS, ReasonCode, Subscribe, SubscribeFilter, SubscribeProperties,
        SubscriptionOptions, Text,
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
        Input::Subscribe { token: Token(1), filters: filters(texts), properties, number: None }
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
        assert_violated(&seen, ReasonCode::ProtocolError);
    }

    #[test]
    fn what_has_no_answer_is_asked_again_in_order_and_then_interrupted() {
        for is_present in [false, true] {
            let mut script = Script::connected(V5);
            script.subscribe(1, "a", None);
            script.unsubscribe(2, "b");
            assert_eq!(script.input(Input::Closed), [disconnected(Cause::Lost)]);
            assert!(script.client.session.outbound.ids().is_empty());
            script.publish(3, message(QoS::AtLeastOnce, "c"));
            let seen = script.connect(is_present);
            assert!(matches!(
                seen[..],
                [Sent(Packet::Subscribe(_)), Sent(Packet::Unsubscribe(_)), Sent(Packet::Publish(_))]
            ));
            let seen = script.input(Input::Closed);
            assert_eq!(seen[..2], [2, 1].map(|token| completed(token, Outcome::Interrupted)));
            assert!(matches!(script.connect(true)[..], [Sent(Packet::Publish(_))]));
        }
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
        let input = Input::Subscribe { token: Token(1), filters: shared, properties: none(), number: None };
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
