//! DISCONNECT from a client, and what becomes of its session once the connection is gone.

use super::{
    Broker, ConnectionId, Refusal,
    connection::Ending,
    deadlines::Due,
    effort::NODE,
    message::Origin,
    session::{Session, SessionId, Waiting},
};
use crate::{
    codec::{Disconnect, DisconnectProperties, QoS, ReasonCode, Text},
    session::{InFlight, Violation},
    store::Key,
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
        if disconnect.reason != Disconnect::reason_from_client(disconnect.reason) {
            return Err(Violation::protocol_error("only a server gives this Disconnect Reason Code [MQTT-3.14.2-1]"));
        }
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
            self.keep_session(session_id, false);
        }
        // [MQTT-3.14.4-3] only Normal disconnection takes the will back
        let ending = if disconnect.reason == ReasonCode::Success { Ending::Clean } else { Ending::Failed };
        let refusal = Refusal { reason: disconnect.reason, message: "the client sent DISCONNECT" };
        self.end_connection_and_close(id, refusal, ending);
        Ok(())
    }

    /// Tells every client that the server goes, and closes all connections.
    pub(super) fn shut_down(&mut self) {
        let refusal = Refusal { reason: ReasonCode::ServerShuttingDown, message: "the server is shutting down" };
        self.close_all(refusal, &DisconnectProperties::default());
    }

    /// Tells every client to use another server, and closes all connections. (4.11)
    pub(super) fn move_to(&mut self, server: &Text, permanent: bool) {
        let reason = if permanent { ReasonCode::ServerMoved } else { ReasonCode::UseAnotherServer };
        let properties = DisconnectProperties { server_reference: Some(server.clone()), ..Default::default() };
        self.close_all(Refusal { reason, message: "another server is to be used (4.11)" }, &properties);
    }

    fn close_all(&mut self, refusal: Refusal, properties: &DisconnectProperties) {
        for id in self.connections.keys() {
            if self.link_mut(id).is_some() {
                self.tell(id, refusal.reason, properties.clone());
            }
            self.end_connection_and_close(id, refusal, Ending::Failed);
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
        session.queue.take_if(|waiting| matches!(waiting, Waiting::Message(next) if next.qos == QoS::AtMostOnce));
        let interval = session.expiry_interval;
        self.watch_sys(id);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match ending {
            Ending::Clean => {
                if session.will.take().is_some() {
                    self.write_will(id);
                }
            }
            Ending::Failed => self.begin_will(id),
        }
        match interval {
            0 => self.end_session(id),
            u32::MAX => self.write_session(id),
            seconds => self.set_session_expiry(id, Some(now.plus_secs(seconds.into()))),
        }
    }

    pub(super) fn set_session_expiry(&mut self, id: SessionId, at: Option<Timestamp>) {
        if let Some(session) = self.sessions.get_mut(&id) {
            self.deadlines.set(Due::SessionExpiry(id), session.expires_at, at);
            session.expires_at = at;
            self.write_session(id);
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
        self.effort.add((session.subscriptions.len() + session.outbound.len() + session.queue.len()) * NODE);
        self.by_client_id.remove(&session.client_id);
        self.users.sessions.remove(session.user_name.as_ref());
        for filter in core::mem::take(&mut session.subscriptions) {
            self.remove_route(&filter, id);
            if session.is_kept {
                self.mirror.delete(Key::Subscription(id.0, filter.text().clone()));
            }
        }
        self.end_messages(id, session);
    }

    /// Messages of shared subscriptions that the session did not finish go to other members, but not QoS 2 messages that
    /// were begun. [MQTT-4.8.2-5]
    fn end_messages(&mut self, id: SessionId, mut session: Session) {
        let mut left = Vec::new();
        for (packet_id, step) in session.outbound.clear() {
            if session.is_kept {
                self.mirror.erase_in_flight(id, packet_id, step.message());
            }
            if let InFlight::PubAck(delivery) = step {
                left.push(delivery);
            }
        }
        while let Some((place, waiting)) = session.queue.pop() {
            if session.is_kept {
                self.mirror.erase_waiting(id, place, &waiting);
            }
            left.extend(waiting.message());
        }
        if session.is_kept {
            for (packet_id, _) in session.inbound.exactly_once() {
                self.mirror.delete(Key::Received(id.0, packet_id));
            }
            self.mirror.delete(Key::Session(id.0));
        }
        for delivery in left {
            if let Origin::Shared(filter) = &delivery.origin
                && !delivery.message.is_expired(self.now)
            {
                self.route_to_share(filter, &delivery.message);
            }
        }
    }
}
