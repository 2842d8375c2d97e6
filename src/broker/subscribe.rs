//! SUBSCRIBE: grants each filter or says why not, then sends what is retained.

use super::{Broker, ConnectionId, connection::Stage, route::Subscription, session::SessionId, sys::is_sys};
use crate::{
    codec::{
        AckProperties, Packet, ProtocolVersion, QoS, ReasonCode, RetainHandling, SubAck, Subscribe, SubscribeFilter,
        Text,
    },
    session::Violation,
    topic::TopicFilter,
};
use alloc::{collections::BTreeSet, vec::Vec};
use core::num::NonZeroU32;

impl Broker {
    pub(super) fn subscribe(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        subscribe: Subscribe,
    ) -> Result<(), Violation> {
        let identifier = subscribe.properties.subscription_identifier;
        if identifier.is_some() && !self.config.subscription_identifiers_available {
            return Err(Violation::new(
                ReasonCode::SubscriptionIdentifiersNotSupported,
                "Subscription Identifiers are not available here, as announced (3.2.2.3.12)",
            ));
        }
        let filters: Vec<_> = subscribe
            .filters
            .into_iter()
            .map(|requested| Ok((self.parse_filter(id, &requested.filter)?, requested)))
            .collect::<Result<_, Violation>>()?;
        let local_share = |(filter, requested): &(Option<TopicFilter>, SubscribeFilter)| {
            requested.options.no_local && filter.as_ref().is_some_and(|filter| filter.share_name().is_some())
        };
        if filters.iter().any(local_share) {
            return Err(Violation::protocol_error("No Local on a Shared Subscription [MQTT-3.8.3-4]"));
        }
        // A client that was told at CONNECT and asks all the same commits a Protocol Error (3.2.2.3.11, 3.2.2.3.13); one of
        // 3.1.1 was not told, and hears 0x80 for the filter.
        let knows_better = self.connections.get(&id).is_some_and(|it| it.version == ProtocolVersion::V5);
        let mut valid = filters.iter().filter_map(|(filter, _)| filter.as_ref()).filter(|_| knows_better);
        if let Some(unavailable) = valid.find_map(|filter| self.unavailable(filter)) {
            return Err(unavailable);
        }
        // [MQTT-3.8.4-5] as if each filter had come in a SUBSCRIBE of its own
        let mut reasons = Vec::with_capacity(filters.len());
        let mut greeted = BTreeSet::new();
        let mut replays = Vec::new();
        for (filter, requested) in filters {
            let outcome = self.grant(id, session, filter, &requested, identifier);
            reasons.push(match &outcome {
                Ok((_, subscription, _)) => granted_reason(subscription.qos),
                Err(reason) => *reason,
            });
            // However often a filter is repeated, what is retained follows once.
            if let Ok((filter, _, true)) = outcome
                && greeted.insert(filter.clone())
            {
                replays.push(filter);
            }
        }
        let suback = SubAck { packet_id: subscribe.packet_id, properties: AckProperties::default(), reasons };
        self.send(id, &Packet::SubAck(suback));
        self.send_sys(session, &replays);
        for filter in replays {
            self.begin_replay(session, filter);
        }
        self.pump(session);
        self.watch_sys(session);
        Ok(())
    }

    /// The Topic Filter that `text` is; `None` if it would be one but for the shares, of which 3.1.1 knows nothing.
    ///
    /// # Errors
    /// When it breaks the protocol. [MQTT-4.13.1-1] [3.1.1 MQTT-4.8.0-1]
    pub(super) fn parse_filter(&self, id: ConnectionId, text: &Text) -> Result<Option<TopicFilter>, Violation> {
        let knows_shares = self.connections.get(&id).is_some_and(|it| it.version == ProtocolVersion::V5);
        let is_filter = || text.as_str().starts_with("$share/") && TopicFilter::parse(text.suffix(1)).is_ok();
        match TopicFilter::parse(text.clone()) {
            Ok(filter) => Ok(Some(filter)),
            Err(_) if !knows_shares && is_filter() => Ok(None),
            Err(invalid) => Err(Violation::new(ReasonCode::TopicFilterInvalid, invalid.rule)),
        }
    }

    /// Adds or replaces one subscription; tells its filter, what was granted, and whether retained messages follow.
    fn grant(
        &mut self,
        id: ConnectionId,
        session_id: SessionId,
        filter: Option<TopicFilter>,
        requested: &SubscribeFilter,
        identifier: Option<NonZeroU32>,
    ) -> Result<(TopicFilter, Subscription, bool), ReasonCode> {
        let config = &self.config;
        let filter = filter.ok_or(ReasonCode::TopicFilterInvalid)?;
        if config.forbids_levels(filter.level_count()) {
            return Err(ReasonCode::TopicFilterInvalid);
        }
        if let Some(unavailable) = self.unavailable(&filter) {
            return Err(unavailable.reason);
        }
        let allowed = match self.connections.get(&id).map(|connection| &connection.stage) {
            Some(Stage::Open(link)) => link.rights.may_subscribe(&filter),
            _ => None,
        };
        let allowed = allowed.ok_or(ReasonCode::NotAuthorized)?;
        let session = self.sessions.get(&session_id).ok_or(ReasonCode::UnspecifiedError)?;
        let is_new = !session.subscriptions.contains(&filter);
        let is_full = session.subscriptions.len() >= config.maximum_subscriptions;
        if is_new && (is_full || self.has_no_room_for(&filter)) {
            return Err(ReasonCode::QuotaExceeded);
        }
        let subscription = Subscription {
            qos: requested.options.qos.min(allowed).min(config.maximum_qos),
            no_local: requested.options.no_local,
            retain_as_published: requested.options.retain_as_published,
            identifier,
        };
        let filter = filter.detached();
        if let Some(session) = self.sessions.get_mut(&session_id) {
            session.subscriptions.insert(filter.clone());
            session.sys_subscriptions += usize::from(is_new && is_sys(&filter));
        }
        self.insert_route(&filter, session_id, subscription.clone());
        self.write_subscription(session_id, &filter);
        let sends_retained = match requested.options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        // (4.8.2) a Shared Subscription gets no retained messages when it begins
        let sends_retained = sends_retained && filter.share_name().is_none();
        Ok((filter, subscription, sends_retained))
    }

    /// What `filter` needs and this broker was told not to have.
    fn unavailable(&self, filter: &TopicFilter) -> Option<Violation> {
        if filter.has_wildcards() && !self.config.wildcard_subscription_available {
            return Some(Violation::new(
                ReasonCode::WildcardSubscriptionsNotSupported,
                "Wildcard Subscriptions are not available here, as announced (3.2.2.3.11)",
            ));
        }
        if filter.share_name().is_some() && !self.config.shared_subscription_available {
            return Some(Violation::new(
                ReasonCode::SharedSubscriptionsNotSupported,
                "Shared Subscriptions are not available here, as announced (3.2.2.3.13)",
            ));
        }
        None
    }
}

const fn granted_reason(qos: QoS) -> ReasonCode {
    match qos {
        QoS::AtMostOnce => ReasonCode::Success,
        QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
        QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
    }
}
