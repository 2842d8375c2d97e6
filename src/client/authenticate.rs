//! AUTH: enhanced authentication (4.12), of which the client keeps the turns and the host knows the meaning.

use super::{Action, Client};
use crate::{
    codec::{Auth, AuthProperties, Packet, ProtocolVersion, ReasonCode, Text},
    session::Violation,
};
use alloc::{boxed::Box, vec::Vec};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    /// Nobody's: nothing is being authenticated.
    Idle,
    /// CONNECT or AUTH was sent.
    ServersTurn,
    /// The server sent AUTH, and the host was told.
    HostsTurn,
}

impl Client {
    /// The host answers the server, or begins anew.
    pub(super) fn authenticate(&mut self, properties: AuthProperties) {
        let Some(method) = self.authentication_method().cloned() else { return };
        let Some(connection) = &mut self.connection else { return };
        let reason = match connection.authentication {
            Authentication::HostsTurn => ReasonCode::ContinueAuthentication,
            Authentication::Idle => ReasonCode::ReAuthenticate,
            Authentication::ServersTurn => return,
        };
        connection.authentication = Authentication::ServersTurn;
        if connection.link.is_none() {
            connection.silence_at = Some(self.now.plus_millis(self.options.response_timeout_millis));
        }
        // [MQTT-4.12.0-5]
        let properties = AuthProperties { authentication_method: Some(method), ..properties };
        // [MQTT-3.15.2-2] [MQTT-3.15.2-3]
        let terse = AuthProperties { reason_string: None, user_properties: Vec::new(), ..properties.clone() };
        if !self.send(&Packet::Auth(Auth { reason, properties })) {
            self.send(&Packet::Auth(Auth { reason, properties: terse }));
        }
    }

    /// The server sent a step.
    pub(super) fn challenged(&mut self, auth: Auth) -> Result<(), Violation> {
        let Some(method) = self.authentication_method() else {
            return Err(Violation::protocol_error(
                "no AUTH without an Authentication Method in CONNECT [MQTT-4.12.0-6]",
            ));
        };
        if auth.properties.authentication_method.as_ref().is_some_and(|named| named != method) {
            return Err(Violation::protocol_error("AUTH has the CONNECT's Authentication Method [MQTT-4.12.0-5]"));
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        connection.authentication = match (connection.authentication, auth.reason) {
            (Authentication::ServersTurn, ReasonCode::ContinueAuthentication) => Authentication::HostsTurn,
            (Authentication::ServersTurn, ReasonCode::Success) if connection.link.is_some() => Authentication::Idle,
            _ => return Err(Violation::protocol_error("an AUTH that nothing led to (4.12)")),
        };
        if connection.link.is_none() {
            // The host may take its time.
            connection.silence_at = None;
        }
        self.actions.push_back(Action::Authenticate { reason: auth.reason, properties: Box::new(auth.properties) });
        Ok(())
    }

    /// That of the CONNECT; 3.1.1 has none.
    pub(super) fn authentication_method(&self) -> Option<&Text> {
        let connect = &self.options.connect;
        connect.properties.authentication_method.as_ref().filter(|_| connect.version == ProtocolVersion::V5)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cause, Input, testing::*};
    use super::*;
    use crate::codec::{Binary, ConnAckProperties};

    fn properties(method: &'static str, data: &'static str) -> AuthProperties {
        AuthProperties {
            authentication_method: Some(Text::from_static(method)),
            authentication_data: Some(Binary::new(data.into()).unwrap()),
            ..AuthProperties::default()
        }
    }

    fn auth(reason: ReasonCode, data: &'static str) -> Packet {
        Packet::Auth(Auth { reason, properties: properties("m", data) })
    }

    fn told(reason: ReasonCode, data: &'static str) -> Seen {
        Did(Action::Authenticate { reason, properties: Box::new(properties("m", data)) })
    }

    fn accepted() -> Packet {
        let authentication_method = Some(Text::from_static("m"));
        connack(false, ReasonCode::Success, ConnAckProperties { authentication_method, ..Default::default() })
    }

    fn opened() -> Script {
        let mut script = Script::new(V5, |options| {
            options.connect.properties.authentication_method = Some(Text::from_static("m"));
        });
        script.input(Input::Opened);
        script
    }

    fn authenticate(data: &'static str) -> Input {
        Input::Authenticate { properties: properties("ignored", data) }
    }

    #[test]
    fn host_and_server_take_turns_before_and_after_the_connack() {
        use ReasonCode::{ContinueAuthentication, ReAuthenticate, Success};
        let mut script = opened();
        assert_eq!(script.input(authenticate("too early")), []);
        assert_eq!(script.receive(auth(ContinueAuthentication, "1")), [told(ContinueAuthentication, "1")]);
        assert_eq!(script.client.deadline(), None, "the host may take its time");
        assert_eq!(script.input(authenticate("2")), [Sent(auth(ContinueAuthentication, "2"))]);
        assert!(script.client.deadline().is_some());
        assert!(matches!(script.receive(accepted())[..], [Did(Action::Connected { .. })]));
        assert_eq!(script.input(authenticate("3")), [Sent(auth(ReAuthenticate, "3"))]);
        assert_eq!(script.receive(auth(ContinueAuthentication, "4")), [told(ContinueAuthentication, "4")]);
        assert_eq!(script.input(authenticate("5")), [Sent(auth(ContinueAuthentication, "5"))]);
        assert_eq!(script.receive(auth(Success, "6")), [told(Success, "6")]);
    }

    #[test]
    fn nothing_is_authenticated_without_a_method() {
        let mut script = Script::connected(V5);
        assert_eq!(script.input(authenticate("1")), []);
        let seen = script.receive(auth(ReasonCode::ContinueAuthentication, "1"));
        assert_violated(&seen, ReasonCode::ProtocolError);
        let mut script = Script::new(V5, |_| ());
        script.input(Input::Opened);
        assert_violated(&script.receive(accepted()), ReasonCode::ProtocolError);
    }

    #[test]
    fn the_method_does_not_change() {
        let other = Auth { reason: ReasonCode::ContinueAuthentication, properties: properties("other", "") };
        assert_violated(&opened().receive(Packet::Auth(other)), ReasonCode::ProtocolError);
        let none = connack(false, ReasonCode::Success, ConnAckProperties::default());
        assert_violated(&opened().receive(none), ReasonCode::ProtocolError);
    }

    #[test]
    fn an_auth_out_of_turn_is_a_protocol_error() {
        assert_violated(&opened().receive(auth(ReasonCode::Success, "")), ReasonCode::ProtocolError);
        let mut script = opened();
        script.receive(accepted());
        let seen = script.receive(auth(ReasonCode::ContinueAuthentication, ""));
        assert_violated(&seen, ReasonCode::ProtocolError);
    }

    #[test]
    fn mqtt_3_1_1_has_no_auth() {
        let mut script = Script::connected(V3_1_1);
        assert_eq!(script.input(authenticate("1")), []);
        let seen = script.input(Input::Received { bytes: bytes::Bytes::from_static(b"\xF0\x00") });
        assert!(matches!(seen[..], [Did(Action::Close), Did(Action::Disconnected { cause: Cause::Violated(_) })]));
    }
}
