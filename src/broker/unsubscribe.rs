//! UNSUBSCRIBE: removes subscriptions; what was begun is still delivered. [MQTT-3.10.4-3]

use super::{Broker, ConnectionId, session::SessionId, sys::is_sys};
use crate::{
    codec::{AckProperties, Packet, ReasonCode, UnsubAck, Unsubscribe},
    session::Violation,
    topic::TopicFilter,
};
use alloc::vec::Vec;

impl Broker {
    pub(super) fn unsubscribe(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        unsubscribe: Unsubscribe,
    ) -> Result<(), Violation> {
        let filters = unsubscribe.filters.iter().map(|filter| self.parse_filter(id, filter));
        let filters = filters.collect::<Result<Vec<_>, _>>()?;
        let reasons = filters.into_iter().map(|filter| self.revoke(session, filter)).collect();
        let unsuback = UnsubAck { packet_id: unsubscribe.packet_id, properties: AckProperties::default(), reasons };
        self.send(id, &Packet::UnsubAck(unsuback)); // [MQTT-3.10.4-4]
        Ok(())
    }

    fn revoke(&mut self, session_id: SessionId, filter: Option<TopicFilter>) -> ReasonCode {
        let Some(filter) = filter else { return ReasonCode::TopicFilterInvalid };
        let Some(session) = self.sessions.get_mut(&session_id) else { return ReasonCode::UnspecifiedError };
        if session.subscriptions.remove(&filter) {
            session.sys_subscriptions -= usize::from(is_sys(&filter));
            self.end_replay(session_id, &filter);
            self.remove_route(&filter, session_id);
            self.write_subscription(session_id, &filter);
            self.watch_sys(session_id);
            ReasonCode::Success
        } else {
            ReasonCode::NoSubscriptionExisted
        }
    }
}
