//! Shared Subscriptions: whose turn it is.

use super::{
    Broker,
    deliver::Shared,
    effort::NODE,
    message::{Message, Origin},
    route::Subscription,
    session::SessionId,
};
use crate::{codec::QoS, topic::TopicFilter};
use alloc::{boxed::Box, collections::BTreeMap, sync::Arc};
use core::ops::Bound;

/// The sessions that share one subscription.
#[derive(Debug)]
pub(super) struct Group {
    filter: TopicFilter,
    members: BTreeMap<SessionId, Subscription>,
    /// Who had the last turn.
    last: SessionId,
}

impl Group {
    pub(super) const fn new(filter: TopicFilter) -> Self {
        Self { filter, members: BTreeMap::new(), last: SessionId(0) }
    }

    /// The filter with its `$share` prefix.
    pub(super) const fn filter(&self) -> &TopicFilter {
        &self.filter
    }

    pub(super) fn insert(&mut self, session: SessionId, subscription: Subscription) -> Option<Subscription> {
        self.members.insert(session, subscription)
    }

    pub(super) fn subscription(&self, session: SessionId) -> Option<&Subscription> {
        self.members.get(&session)
    }

    pub(super) fn subscription_mut(&mut self, session: SessionId) -> Option<&mut Subscription> {
        self.members.get_mut(&session)
    }

    pub(super) fn remove(&mut self, session: SessionId) -> Option<Subscription> {
        self.members.remove(&session)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All members, the one after the last turn first.
    fn turns(&self) -> impl Iterator<Item = (SessionId, &Subscription)> {
        let after = self.members.range((Bound::Excluded(self.last), Bound::Unbounded));
        after.chain(self.members.range(..=self.last)).map(|(session, subscription)| (*session, subscription))
    }
}

/// How well a member can take a message now, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fitness {
    Ready,
    Busy,
    Away,
    /// It would lose the message.
    Full,
}

impl Broker {
    /// Gives `message` to one member of the group behind `filter`: the next one that can take it at once, else one that is
    /// connected, else, if it can be kept, one that is away.
    pub(super) fn route_to_share(&mut self, filter: &TopicFilter, message: &Arc<Message>) {
        let Some(name) = filter.share_name() else { return };
        let Some(group) = self.routes.get(filter).and_then(|subscribers| subscribers.shares.get(name)) else { return };
        let mut chosen: Option<(Fitness, SessionId, &Subscription)> = None;
        for (session, subscription) in group.turns() {
            self.effort.add(NODE);
            let fitness = self.fitness(session, subscription, message);
            if fitness.is_some_and(|fitness| chosen.is_none_or(|(best, ..)| fitness < best)) {
                chosen = fitness.map(|fitness| (fitness, session, subscription));
            }
            if fitness == Some(Fitness::Ready) {
                break;
            }
        }
        let Some((_, session, subscription)) = chosen else { return };
        let delivery = subscription.delivery(message, Origin::Shared(Box::new(filter.clone())));
        if let Some(group) = self.routes.get_mut(filter).and_then(|subscribers| subscribers.shares.get_mut(name)) {
            group.last = session;
        }
        self.deliver(session, delivery, &mut Shared::default());
    }

    /// Whose turn it was is not stored: that of `session`, as likely as of any other member that was restored before it.
    pub(super) fn draw_turn(&mut self, filter: &TopicFilter, session: SessionId) {
        let Some(name) = filter.share_name() else { return };
        let Some(group) = self.routes.get_mut(filter).and_then(|subscribers| subscribers.shares.get_mut(name)) else {
            return;
        };
        if self.random.next().is_multiple_of(group.members.len() as u64) {
            group.last = session;
        }
    }

    /// `None` for a member to which nothing is sent: QoS 0 is not kept for one that is away.
    fn fitness(&self, session: SessionId, subscription: &Subscription, message: &Message) -> Option<Fitness> {
        let is_kept = subscription.qos.min(message.qos) > QoS::AtMostOnce;
        let session = self.sessions.get(&session)?;
        let queue = &session.queue;
        let is_full = queue.is_full(&self.config, message.size()) && !queue.may_purge(self.now);
        let connection = session.connection.and_then(|id| self.connections.get(&id).filter(|it| !it.is_gone));
        let has_room = connection.is_some_and(|connection| connection.unsent < self.config.send_buffer);
        Some(match connection {
            None if !is_kept => return None,
            Some(_) if has_room && queue.is_empty() && session.outbound.is_ready() => Fitness::Ready,
            _ if is_full => Fitness::Full,
            Some(_) => Fitness::Busy,
            None => Fitness::Away,
        })
    }
}
