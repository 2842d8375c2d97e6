//! DISCONNECT, and every other end of a connection.

use super::{Action, Cause, Client};
use crate::{
    codec::{Disconnect, DisconnectProperties, Packet, ProtocolVersion, ReasonCode},
    session::Violation,
};

impl Client {
    /// The host wants to end the connection.
    pub(super) fn disconnect(&mut self, reason: ReasonCode, mut properties: DisconnectProperties) {
        if self.connection.is_none() {
            return;
        }
        let reason = Disconnect::reason_from_client(reason);
        if self.options.connect.properties.session_expiry_interval.unwrap_or(0) == 0 {
            properties.session_expiry_interval = None;
        }
        if let Some(expiry_interval) = properties.session_expiry_interval {
            self.session.is_kept &= expiry_interval > 0;
            self.session.expiry_interval = expiry_interval;
        }
        if !self.send(&Packet::Disconnect(Disconnect { reason, properties })) {
            self.send(&Packet::Disconnect(reason.into()));
        }
        self.close(Cause::Requested);
    }

    /// The server ends the connection.
    pub(super) fn disconnected(&mut self, disconnect: Disconnect) -> Result<(), Violation> {
        let Disconnect { reason, properties } = disconnect;
        if self.options.connect.version == ProtocolVersion::V3_1_1 {
            return Err(Violation::protocol_error("a 3.1.1 server sends no DISCONNECT (3.1.1 section 3.14)"));
        }
        if properties.session_expiry_interval.is_some() {
            return Err(Violation::protocol_error("a server sends no Session Expiry Interval [MQTT-3.14.2-2]"));
        }
        self.close(Cause::Server { reason, properties });
        Ok(())
    }

    /// The server broke a rule.
    pub(super) fn violated(&mut self, violation: Violation) {
        if self.options.connect.version == ProtocolVersion::V5 {
            self.send(&Packet::Disconnect(Disconnect::reason_from_client(violation.reason).into()));
        }
        self.close(Cause::Violated(violation));
    }

    pub(super) fn close(&mut self, cause: Cause) {
        self.actions.push_back(Action::Close);
        self.end(cause);
    }

    /// The connection is gone. The session and what waits stay for the next.
    pub(super) fn end(&mut self, cause: Cause) {
        let Some(connection) = self.connection.take() else { return };
        if connection.link.is_none() {
            // A CONNACK may have been lost that told of a new session.
            self.doubt_subscriptions();
        }
        self.note_expiry(connection.link.map_or(0, |link| link.keep_alive.seconds()));
        self.session.deliveries.disconnected();
        self.ask_again();
        self.actions.push_back(Action::Disconnected { cause });
    }

    /// The session ends at the latest so long after the server has noticed that the connection is gone. [MQTT-3.1.2-22]
    fn note_expiry(&mut self, keep_alive: u16) {
        let session = &mut self.session;
        if !session.is_begun {
            return;
        }
        let is_finite = session.is_kept && session.expiry_interval < u32::MAX;
        let seconds = u64::from(session.expiry_interval) + 2 * u64::from(keep_alive) + EXPIRY_MARGIN_SECONDS;
        session.expires_at = is_finite.then(|| self.now.plus_secs(seconds));
        self.store_session();
    }
}

/// For clocks that are not as fast as others.
const EXPIRY_MARGIN_SECONDS: u64 = 60;

#[cfg(test)]
mod tests {
    use super::super::{Input, testing::*};
    use super::*;
    use crate::codec::{ConnAckProperties, QoS, Text};
    use core::num::NonZeroU32;

    fn disconnect(reason: ReasonCode, properties: DisconnectProperties) -> Input {
        Input::Disconnect { reason, properties }
    }

    #[test]
    fn the_host_ends_the_connection_and_nothing_follows() {
        for version in [V3_1_1, V5] {
            let mut script = Script::connected(version);
            let seen = script.input(disconnect(ReasonCode::Success, DisconnectProperties::default()));
            let told = Sent(Packet::Disconnect(ReasonCode::Success.into()));
            assert_eq!(seen, [told, Did(Action::Close), disconnected(Cause::Requested)]);
            assert_eq!(script.input(disconnect(ReasonCode::Success, DisconnectProperties::default())), []);
            assert_eq!(script.publish(1, message(QoS::AtMostOnce, "a")), []);
            assert_eq!(script.client.deadline(), None);
        }
    }

    #[test]
    fn a_reason_that_only_a_server_may_give_becomes_the_nearest_of_a_client() {
        for (asked, told) in [
            (ReasonCode::ServerShuttingDown, ReasonCode::UnspecifiedError),
            (ReasonCode::BadUserNameOrPassword, ReasonCode::UnspecifiedError),
            (ReasonCode::AdministrativeAction, ReasonCode::AdministrativeAction),
        ] {
            let seen = Script::connected(V5).input(disconnect(asked, DisconnectProperties::default()));
            assert_eq!(seen[0], Sent(Packet::Disconnect(told.into())));
        }
    }

    #[test]
    fn the_server_says_why_it_ends_the_connection() {
        let mut script = Script::connected(V5);
        let reason = ReasonCode::ServerMoved;
        let properties =
            DisconnectProperties { server_reference: Some(Text::from_static("elsewhere")), ..Default::default() };
        let told = Disconnect { reason, properties: properties.clone() };
        let seen = script.receive(Packet::Disconnect(told));
        assert_eq!(seen, [Did(Action::Close), disconnected(Cause::Server { reason, properties })]);
    }

    #[test]
    fn a_disconnect_that_a_server_may_not_send_is_a_protocol_error() {
        let properties = DisconnectProperties { session_expiry_interval: Some(1), ..Default::default() };
        let told = Disconnect { reason: ReasonCode::ServerBusy, properties };
        assert_violated(&Script::connected(V5).receive(Packet::Disconnect(told)), ReasonCode::ProtocolError);
        let seen = Script::connected(V3_1_1).receive(Packet::Disconnect(ReasonCode::Success.into()));
        assert!(matches!(seen[1], Did(Action::Disconnected { cause: Cause::Violated(_) })));
    }

    #[test]
    fn a_session_without_an_expiry_interval_gets_none_at_its_end() {
        let expiry = |seconds| DisconnectProperties { session_expiry_interval: Some(seconds), ..Default::default() };
        let mut script = Script::new(V5, |_| ());
        script.connect(false);
        let seen = script.input(disconnect(ReasonCode::DisconnectWithWillMessage, expiry(5)));
        assert_eq!(seen[0], Sent(Packet::Disconnect(ReasonCode::DisconnectWithWillMessage.into())));
        let seen = Script::connected(V5).input(disconnect(ReasonCode::Success, expiry(5)));
        let told = Disconnect { reason: ReasonCode::Success, properties: expiry(5) };
        assert_eq!(seen[0], Sent(Packet::Disconnect(told)));
    }

    #[test]
    fn a_disconnect_too_large_for_the_server_says_its_reason_alone() {
        let limits = ConnAckProperties { maximum_packet_size: NonZeroU32::new(8), ..Default::default() };
        let properties =
            DisconnectProperties { reason_string: Some(Text::from_static("going home")), ..Default::default() };
        let seen = Script::connected_to(limits).input(disconnect(ReasonCode::UnspecifiedError, properties));
        assert_eq!(seen[0], Sent(Packet::Disconnect(ReasonCode::UnspecifiedError.into())));
    }
}
