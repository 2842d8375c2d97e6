//! DISCONNECT from a client, and what becomes of its session once the connection is gone.

use super::{
    Broker, ConnectionId, Refusal,
    connection::Ending,
    deadlines::Due,
    message::Origin,
    session::{Session, SessionId, Waiting},
};
use crate::{
    codec::{Disconnect, DisconnectProperties, QoS, ReasonCode, Text},
    session::{InFlight, Violation},
    time::Timestamp,
};
use alloc::vec::Vec;

impl Broker {
    pub(super) fn disconnect(
        &mut self,
        id: ConnectionId,
        session_id: SessionId,
        disconnect: &Disconnect,
    ) -> Result<(), Violation> {
        let maximum = self.config.maximum_session_expiry_seconds;
        let asked = self.link_mut(id).map_or(0, |link| link.asked_expiry_interval);
        if let Some(session) = self.sessions.get_mut(&session_id)
            && let Some(interval) = disconnect.properties.session_expiry_interval
        {
            if asked == 0 && interval > 0 {
                return Err(Violation::protocol_error(
                    "Session Expiry Interval was 0 at CONNECT, so DISCONNECT cannot raise it (3.14.2.2.2)",
                ));
            }
            session.expiry_interval = interval.min(maximum);
        }
        // [MQTT-3.14.4-3] only Normal disconnection takes the will back
        let ending = if disconnect.reason == ReasonCode::Success { Ending::Clean } else { Ending::Failed };
        let refusal = Refusal { reason: disconnect.reason, message: "the client sent DISCONNECT" };
        self.end_connection_and_close(id, refusal, ending);
        Ok(())
    }

    /// Tells every client that the server goes, and closes all connections.
    pub(super) fn shut_down(&mut self) {
        const REFUSAL: Refusal =
            Refusal { reason: ReasonCode::ServerShuttingDown, message: "the server is shutting down" };
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            if self.link_mut(id).is_some() {
                self.tell(id, REFUSAL.reason, DisconnectProperties::default());
            }
            self.end_connection_and_close(id, REFUSAL, Ending::Failed);
        }
    }

    /// Sends an open connection elsewhere. (4.11)
    pub(super) fn redirect(&mut self, id: ConnectionId, reason: ReasonCode, server: Text) {
        let properties = DisconnectProperties { server_reference: Some(server), ..Default::default() };
        self.tell(id, reason, properties);
        self.hang_up(id, Violation::new(reason, "another server is to be used (4.11)"));
    }

    /// The session's connection is gone: its will, its end or the time of its end. [MQTT-3.1.2-23] [MQTT-4.1.0-2]
    pub(super) fn detach_session(&mut self, id: SessionId, ending: Ending) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.connection = None;
        session.queue.retain(|waiting| !matches!(waiting, Waiting::Message(next) if next.qos == QoS::AtMostOnce));
        let interval = session.expiry_interval;
        self.watch_sys(id);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match ending {
            Ending::Clean => session.will = None,
            Ending::Failed => self.begin_will(id),
        }
        if interval == 0 {
            self.end_session(id);
        } else if interval != u32::MAX {
            self.set_session_expiry(id, Some(now.plus_secs(interval.into())));
        }
    }

    pub(super) fn set_session_expiry(&mut self, id: SessionId, at: Option<Timestamp>) {
        if let Some(session) = self.sessions.get_mut(&id) {
            self.deadlines.set(Due::SessionExpiry(id), session.expires_at, at);
            session.expires_at = at;
        }
    }

    /// Whether the session's time is over, although its end was put off.
    pub(super) fn has_expired(&self, id: SessionId) -> bool {
        self.sessions.get(&id).and_then(|session| session.expires_at).is_some_and(|at| at <= self.now)
    }

    /// The session is over: its will is published, its subscriptions go, what it shared goes to others.
    pub(super) fn end_session(&mut self, id: SessionId) {
        self.publish_will(id);
        self.set_session_expiry(id, None);
        let Some(mut session) = self.sessions.remove(&id) else { return };
        self.by_client_id.remove(&session.client_id);
        for filter in core::mem::take(&mut session.subscriptions) {
            self.remove_route(&filter, id);
        }
        self.hand_on_shared(session);
    }

    /// Messages of shared subscriptions that the session did not finish go to other members, but not QoS 2 messages that
    /// were begun. [MQTT-4.8.2-5]
    fn hand_on_shared(&mut self, mut session: Session) {
        let begun = session.outbound.clear().into_iter().filter_map(|step| match step {
            InFlight::PubAck(delivery) => Some(delivery),
            InFlight::PubRec(_) | InFlight::PubComp => None,
        });
        let waiting = core::iter::from_fn(|| session.queue.pop()).filter_map(Waiting::message);
        for delivery in begun.chain(waiting) {
            if let Origin::Shared(filter) = &delivery.origin
                && !delivery.message.is_expired(self.now)
            {
                self.route_to_share(filter, &delivery.message);
            }
        }
    }
}
