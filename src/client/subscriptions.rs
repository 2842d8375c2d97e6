//! What the server has granted, made again where it has forgotten it.

use super::{
    Action, Client,
    request::{Content, Request},
};
use crate::codec::{AckProperties, PacketId, ReasonCode, Subscribe, SubscribeFilter, SubscribeProperties, Text};
use alloc::vec;
use core::num::NonZeroU32;

#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) filter: SubscribeFilter,
    properties: SubscribeProperties,
    number: Option<NonZeroU32>,
    /// Whether the session that the server has knows it.
    is_made: bool,
}

impl Client {
    /// The server granted it.
    pub(super) fn remember(
        &mut self,
        filter: SubscribeFilter,
        properties: SubscribeProperties,
        number: Option<NonZeroU32>,
    ) {
        let subscriptions = &mut self.session.subscriptions;
        let place = subscriptions.iter().position(|known| known.filter.filter == filter.filter);
        let subscription = Subscription { filter, properties, number, is_made: true };
        match place {
            Some(place) => subscriptions[place] = subscription,
            None => subscriptions.push(subscription),
        }
    }

    /// The host wants nothing of it any more.
    pub(super) fn forget(&mut self, filter: &Text) {
        self.session.subscriptions.retain(|known| known.filter.filter != *filter);
        for asked in &mut self.session.asked {
            let is_meant = matches!(&asked.request.content, Content::Subscribe(subscribe, _)
                if subscribe.filters.iter().any(|asked| asked.filter == *filter));
            if is_meant && !asked.forgotten.contains(filter) {
                asked.forgotten.push(filter.clone());
            }
        }
    }

    /// The server's session may not have them.
    pub(super) fn doubt_subscriptions(&mut self) {
        self.session.subscriptions.iter_mut().for_each(|subscription| subscription.is_made = false);
    }

    /// Makes again what the server's session does not have, but for what waits to be unsubscribed.
    pub(super) fn subscribe_again(&mut self) {
        let Some(limits) = self.link().map(|link| link.limits) else { return };
        for subscription in self.session.subscriptions.clone() {
            let Subscription { filter, properties, number, is_made } = subscription;
            if is_made || self.will_unsubscribe(&filter.filter) {
                continue;
            }
            let text = filter.filter.clone();
            let subscribe = Subscribe { packet_id: PacketId::FIRST, properties, filters: vec![filter] };
            let content = Content::Subscribe(subscribe, number);
            match limits.check(&content) {
                Ok(_) => self.ask(Request::new(None, content)),
                Err(misuse) => self.lose(text, misuse.reason(), AckProperties::default()),
            }
        }
    }

    /// Forgets what the host believes to have, and tells it.
    pub(super) fn lose(&mut self, filter: Text, reason: ReasonCode, properties: AckProperties) {
        let subscriptions = &mut self.session.subscriptions;
        if let Some(place) = subscriptions.iter().position(|known| known.filter.filter == filter) {
            subscriptions.remove(place);
            self.actions.push_back(Action::SubscriptionLost { filter, reason, properties });
        }
    }

    fn will_unsubscribe(&self, filter: &Text) -> bool {
        self.outbox.iter().any(|request| {
            matches!(&request.content, Content::Unsubscribe(unsubscribe) if unsubscribe.filters.contains(filter))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, Misuse, Outcome, Token, testing::*};
    use super::*;
    use crate::codec::{
        ConnAckProperties, Packet, QoS, RetainHandling, SubAck, SubscriptionOptions, UnsubAck, UserProperties,
    };
    use core::num::NonZeroU32;

    fn suback(value: u16, reason: ReasonCode) -> Packet {
        Packet::SubAck(SubAck { packet_id: id(value), properties: AckProperties::default(), reasons: vec![reason] })
    }

    fn unsuback(value: u16) -> Packet {
        let reasons = vec![ReasonCode::Success];
        Packet::UnsubAck(UnsubAck { packet_id: id(value), properties: AckProperties::default(), reasons })
    }

    /// A client that was granted these, with packet identifiers from 1 on.
    fn subscribed(version: crate::codec::ProtocolVersion, filters: &[&'static str]) -> Script {
        let mut script = Script::connected(version);
        for (number, filter) in (1..).zip(filters) {
            script.subscribe(number, filter, None);
            script.receive(suback(number as u16, ReasonCode::GrantedQoS1));
        }
        script
    }

    /// The filters of the SUBSCRIBEs and UNSUBSCRIBEs among what was sent, and what else there was.
    fn asked(seen: &[Seen]) -> Vec<String> {
        let texts = seen.iter().map(|seen| match seen {
            Sent(Packet::Subscribe(subscribe)) => format!("+{}", subscribe.filters[0].filter.as_str()),
            Sent(Packet::Unsubscribe(unsubscribe)) => format!("-{}", unsubscribe.filters[0].as_str()),
            Sent(Packet::Publish(publish)) => publish.topic.as_str().into(),
            other => format!("{other:?}"),
        });
        texts.collect()
    }

    #[test]
    fn without_a_session_subscriptions_are_made_again_before_anything_else_is_sent() {
        for version in [V3_1_1, V5] {
            let mut script = subscribed(version, &["a", "b"]);
            script.publish(8, message(QoS::AtLeastOnce, "sent"));
            script.input(Input::Closed);
            script.publish(9, message(QoS::AtMostOnce, "waits"));
            let seen = script.connect(false);
            assert_eq!(asked(&seen[..4]), ["+a", "+b", "sent", "waits"]);
            assert_eq!(script.receive(suback(4, ReasonCode::GrantedQoS1)), [], "nobody asked");
        }
    }

    #[test]
    fn a_session_that_is_there_has_its_subscriptions() {
        let mut script = subscribed(V5, &["a"]);
        assert_eq!(script.connect(true), []);
    }

    #[test]
    fn what_was_not_granted_again_before_the_connection_ended_is_asked_for_again_although_there_is_a_session() {
        let mut script = subscribed(V5, &["a", "b"]);
        assert_eq!(asked(&script.connect(false)), ["+a", "+b"]);
        script.receive(suback(3, ReasonCode::GrantedQoS1));
        assert_eq!(asked(&script.connect(true)), ["+b"]);
        script.receive(suback(5, ReasonCode::GrantedQoS1));
        assert_eq!(script.connect(true), []);
    }

    #[test]
    fn a_session_that_may_be_newer_than_the_client_knows_is_not_trusted() {
        let mut script = subscribed(V5, &["a"]);
        script.input(Input::Opened);
        script.input(Input::Closed);
        assert_eq!(asked(&script.connect(true)), ["+a"], "the CONNACK that was lost may have told of no session");
    }

    #[test]
    fn a_subscription_is_made_again_as_it_was_made() {
        let mut script = Script::connected(V5);
        let options = SubscriptionOptions {
            qos: QoS::ExactlyOnce,
            no_local: true,
            retain_as_published: true,
            retain_handling: RetainHandling::SendIfNew,
        };
        let filters = vec![SubscribeFilter { filter: Text::from_static("a"), options }];
        let user_properties: UserProperties = vec![(Text::from_static("k"), Text::from_static("v"))];
        let properties = SubscribeProperties { user_properties, ..Default::default() };
        let number = NonZeroU32::new(7);
        let seen = script.input(Input::Subscribe { token: Token(1), filters, properties, number });
        let [Sent(Packet::Subscribe(subscribe))] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!(subscribe.properties.subscription_identifier, number);
        script.receive(suback(1, ReasonCode::GrantedQoS2));
        let again = Subscribe { packet_id: id(2), ..subscribe.clone() };
        assert_eq!(script.connect(false), [Sent(Packet::Subscribe(again))]);
    }

    #[test]
    fn the_latest_options_count() {
        let mut script = subscribed(V5, &["a"]);
        script.subscribe(2, "a", Some(5));
        script.receive(suback(2, ReasonCode::UnspecifiedError));
        assert!(identifiers(&script.connect(false)).eq([None]), "the server still has the earlier one");
        script.receive(suback(3, ReasonCode::GrantedQoS1));
        script.subscribe(2, "a", Some(5));
        script.receive(suback(4, ReasonCode::GrantedQoS1));
        assert!(identifiers(&script.connect(false)).eq([Some(5)]));
    }

    fn identifiers(seen: &[Seen]) -> impl Iterator<Item = Option<u32>> {
        seen.iter().map(|seen| match seen {
            Sent(Packet::Subscribe(subscribe)) => subscribe.properties.subscription_identifier.map(u32::from),
            seen => panic!("{seen:?}"),
        })
    }

    #[test]
    fn several_filters_may_share_the_identifier_of_the_host() {
        let mut script = Script::connected(V5);
        for (token, filter) in [(1, "a"), (2, "b")] {
            assert!(identifiers(&script.subscribe(token, filter, Some(5))).eq([Some(5)]));
            script.receive(suback(token as u16, ReasonCode::Success));
        }
        assert!(identifiers(&script.connect(false)).eq([Some(5), Some(5)]));
    }

    #[test]
    fn a_server_without_identifiers_is_asked_without_where_the_host_named_none() {
        let properties = ConnAckProperties { subscription_identifiers_available: Some(false), ..Default::default() };
        let mut script = Script::new(V5, |_| ());
        for token in [1, 2] {
            let filters = vec![SubscribeFilter { filter: Text::from_static("a"), options: Default::default() }];
            let subscription_identifier = NonZeroU32::new(9).filter(|_| token == 2);
            let properties = SubscribeProperties { subscription_identifier, ..Default::default() };
            script.input(Input::Subscribe { token: Token(token), filters, properties, number: NonZeroU32::new(7) });
        }
        script.input(Input::Opened);
        let seen = script.receive(connack(false, ReasonCode::Success, properties));
        assert!(identifiers(&seen[1..2]).eq([None]));
        assert_eq!(seen[2..], [completed(2, Outcome::Misused(Misuse::SubscriptionIdentifiersNotSupported))]);
    }

    #[test]
    fn what_is_not_granted_again_is_lost() {
        let mut script = subscribed(V5, &["a"]);
        script.connect(false);
        let lost = Action::SubscriptionLost {
            filter: Text::from_static("a"),
            reason: ReasonCode::NotAuthorized,
            properties: AckProperties::default(),
        };
        assert_eq!(script.receive(suback(2, ReasonCode::NotAuthorized)), [Did(lost)]);
        assert_eq!(script.connect(false), []);
    }

    #[test]
    fn what_the_next_server_does_not_have_is_lost_before_it_is_asked_for() {
        for (filter, identifier, properties, reason) in [
            (
                "a/+",
                None,
                ConnAckProperties { wildcard_subscription_available: Some(false), ..Default::default() },
                0xA2,
            ),
            (
                "$share/g/a",
                None,
                ConnAckProperties { shared_subscription_available: Some(false), ..Default::default() },
                0x9E,
            ),
            (
                "a",
                Some(1),
                ConnAckProperties { subscription_identifiers_available: Some(false), ..Default::default() },
                0xA1,
            ),
            ("a", None, ConnAckProperties { maximum_packet_size: NonZeroU32::new(8), ..Default::default() }, 0x95),
        ] {
            let mut script = Script::connected(V5);
            script.subscribe(1, filter, identifier);
            script.receive(suback(1, ReasonCode::Success));
            script.input(Input::Opened);
            let seen = script.receive(connack(false, ReasonCode::Success, properties));
            assert!(matches!(
                &seen[1..],
                [Did(Action::SubscriptionLost { reason: told, .. })] if told.value() == reason
            ));
        }
    }

    #[test]
    fn what_is_forgotten_is_not_made_again() {
        let forget = || Input::Forget { filter: Text::from_static("a") };
        let mut script = subscribed(V5, &["a", "b"]);
        assert_eq!(script.input(forget()), []);
        assert_eq!(asked(&script.connect(false)), ["+b"]);

        // before its answer came
        script.subscribe(4, "a", None);
        script.input(forget());
        script.receive(suback(4, ReasonCode::GrantedQoS1));
        assert_eq!(asked(&script.connect(false)), ["+b"]);

        // and none will come
        script.subscribe(5, "a", None);
        script.input(forget());
        assert_eq!(script.input(Input::Closed)[0], completed(5, Outcome::Interrupted));
        assert_eq!(asked(&script.connect(false)), ["+b"]);
    }

    #[test]
    fn what_is_unsubscribed_is_not_made_again() {
        let mut script = subscribed(V5, &["a"]);
        assert_eq!(asked(&script.unsubscribe(2, "a")), ["-a"]);
        script.receive(unsuback(2));
        assert_eq!(script.connect(false), []);
    }

    #[test]
    fn an_unsubscribe_that_waits_is_sent_and_what_it_ends_is_not_made_again_before() {
        for is_present in [false, true] {
            let mut script = subscribed(V5, &["a"]);
            script.input(Input::Closed);
            assert_eq!(script.unsubscribe(2, "a"), []);
            assert_eq!(asked(&script.connect(is_present)), ["-a"]);
            assert_eq!(script.connect(false).len(), 1, "the answer is still awaited");
        }
    }

    #[test]
    fn the_last_that_was_asked_for_counts_whatever_is_answered_when() {
        let mut script = Script::connected(V5);
        script.subscribe(1, "a", None);
        script.unsubscribe(2, "a");
        script.receive(suback(1, ReasonCode::GrantedQoS1));
        script.input(Input::Closed);
        assert_eq!(asked(&script.connect(false)), ["-a"]);
        script.receive(unsuback(3));

        script.unsubscribe(3, "a");
        script.subscribe(4, "a", None);
        script.receive(unsuback(4));
        script.receive(suback(5, ReasonCode::GrantedQoS1));
        assert_eq!(asked(&script.connect(false)), ["+a"]);
    }
}
