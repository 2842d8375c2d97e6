//! Verdicts of the host, and AUTH: enhanced authentication before and after the CONNACK (4.12).

use super::{
    Action, AuthenticationRequest, AuthenticationStep, Broker, ConnectionId, Grants, Verdict,
    connect::{Admission, Pending},
    connection::{ReAuthentication, Stage},
    deadlines::Due,
    grants::Rights,
};
use crate::{
    codec::{Auth, AuthProperties, Binary, ConnAckProperties, Packet, ReasonCode, Text},
    session::Violation,
    time::Timestamp,
};
use alloc::boxed::Box;

impl Broker {
    /// AUTH from a client.
    pub(super) fn authenticate(&mut self, id: ConnectionId, auth: Auth) -> Result<(), Violation> {
        let Auth { reason, properties } = auth;
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let request = match &mut connection.stage {
            Stage::New => return Err(OUT_OF_TURN),
            Stage::Authenticating(pending) => {
                let method = &pending.connect.properties.authentication_method;
                check_method(method.as_ref(), properties.authentication_method.as_ref())?;
                if reason != ReasonCode::ContinueAuthentication {
                    return Err(OUT_OF_TURN); // [MQTT-4.12.0-3]
                }
                pending.host_is_asked = true;
                pending.request(AuthenticationStep::Continue, properties.authentication_data)
            }
            Stage::Open(link) => {
                check_method(link.method.as_ref(), properties.authentication_method.as_ref())?;
                let step = match (reason, link.re_authentication) {
                    (ReasonCode::ReAuthenticate, ReAuthentication::None) => AuthenticationStep::ReAuthenticate,
                    (ReasonCode::ContinueAuthentication, ReAuthentication::ClientIsAsked) => {
                        AuthenticationStep::Continue
                    }
                    _ => return Err(OUT_OF_TURN),
                };
                link.re_authentication = ReAuthentication::HostIsAsked;
                let client_id = self.sessions.get(&link.session).map(|session| session.client_id.clone());
                Box::new(AuthenticationRequest {
                    step,
                    client_id: client_id.unwrap_or_default(),
                    user_name: link.user_name.clone(),
                    password: None,
                    method: link.method.clone(),
                    data: properties.authentication_data,
                })
            }
        };
        self.connection_changed(id);
        self.actions.push_back(Action::Authenticate { connection: id, request });
        Ok(())
    }

    /// The host's answer. One that nobody waits for is ignored: its connection may be gone.
    pub(super) fn authenticated(&mut self, id: ConnectionId, verdict: Verdict) {
        self.connection_changed(id);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match &mut connection.stage {
            Stage::Authenticating(pending) if pending.host_is_asked => {
                if let Verdict::Continue { data } = verdict {
                    pending.host_is_asked = false;
                    let method = pending.connect.properties.authentication_method.clone();
                    self.challenge(id, method, data);
                } else if let Stage::Authenticating(pending) = core::mem::replace(&mut connection.stage, Stage::New) {
                    self.decide(id, pending, verdict);
                }
                self.read(id);
            }
            Stage::Open(link) if link.re_authentication == ReAuthentication::HostIsAsked => {
                self.decide_again(id, verdict);
            }
            _ => {}
        }
    }

    fn decide(&mut self, id: ConnectionId, pending: Box<Pending>, verdict: Verdict) {
        let (violation, properties) = match verdict {
            Verdict::Allow { grants, data, user_name, expires_at } => {
                match self.admit(id, *pending, Admission { grants, data, user_name, expires_at }) {
                    Ok(()) => return,
                    Err(violation) => (violation, ConnAckProperties::default()),
                }
            }
            Verdict::Deny { reason, message } => (
                Violation::new(failure(reason), "this server does not let the client in (3.1.4)"),
                ConnAckProperties { reason_string: message, ..Default::default() },
            ),
            Verdict::Redirect { server, permanent } => {
                let reason = if permanent { ReasonCode::ServerMoved } else { ReasonCode::UseAnotherServer };
                let properties = ConnAckProperties { server_reference: Some(server), ..Default::default() };
                (Violation::new(reason, "another server is to be used (4.11)"), properties)
            }
            Verdict::Continue { .. } => return,
        };
        self.refuse(id, violation, properties);
    }

    fn decide_again(&mut self, id: ConnectionId, verdict: Verdict) {
        let now = self.now;
        let Some(link) = self.link_mut(id) else { return };
        match verdict {
            Verdict::Continue { data } => {
                link.re_authentication = ReAuthentication::ClientIsAsked;
                let method = link.method.clone();
                self.challenge(id, method, data);
            }
            Verdict::Allow { user_name: Some(name), .. } if link.user_name.as_ref() != Some(&name) => {
                self.violated(id, ANOTHER_USER);
            }
            Verdict::Allow { expires_at: Some(at), .. } if at <= now => self.violated(id, EXPIRED),
            Verdict::Allow { grants, data, expires_at, .. } => self.renew_rights(id, &grants, data, expires_at),
            // [MQTT-4.12.1-2]
            Verdict::Deny { reason, message } => {
                let violation = Violation::new(failure(reason), "re-authentication failed [MQTT-4.12.1-2]");
                self.violated_with(id, violation, message);
            }
            Verdict::Redirect { server, permanent } => {
                let reason = if permanent { ReasonCode::ServerMoved } else { ReasonCode::UseAnotherServer };
                self.redirect(id, reason, server);
            }
        }
    }

    fn renew_rights(&mut self, id: ConnectionId, grants: &Grants, data: Option<Binary>, expires_at: Option<Timestamp>) {
        let Some(link) = self.link_mut(id) else { return };
        let (session, user_name, method) = (link.session, link.user_name.clone(), link.method.clone());
        let Some(client_id) = self.sessions.get(&session).map(|session| session.client_id.clone()) else { return };
        let rights = Rights::new(grants, &client_id, user_name.as_ref());
        self.enforce(session, &rights);
        if let Some(link) = self.link_mut(id) {
            link.re_authentication = ReAuthentication::None;
            link.rights = rights;
        }
        self.set_verdict_expiry(id, expires_at);
        self.send_auth(id, ReasonCode::Success, method, data);
    }

    /// Sets or clears the time at which the host's verdict on an open connection ends.
    pub(super) fn set_verdict_expiry(&mut self, id: ConnectionId, at: Option<Timestamp>) {
        let Some(link) = self.link_mut(id) else { return };
        let old = core::mem::replace(&mut link.expires_at, at);
        self.deadlines.set(Due::Verdict(id), old, at);
    }

    pub(super) fn verdict_is_due(&mut self, id: ConnectionId) {
        if let Some(link) = self.link_mut(id) {
            link.expires_at = None;
        }
        self.violated(id, EXPIRED);
    }

    /// [MQTT-4.12.0-2] asks one step more; a method-less client cannot be asked. [MQTT-4.12.0-6]
    fn challenge(&mut self, id: ConnectionId, method: Option<Text>, data: Option<Binary>) {
        if method.is_none() {
            return self.violated(
                id,
                Violation::new(ReasonCode::NotAuthorized, "this server wants enhanced authentication (4.12)"),
            );
        }
        self.send_auth(id, ReasonCode::ContinueAuthentication, method, data);
    }

    fn send_auth(&mut self, id: ConnectionId, reason: ReasonCode, method: Option<Text>, data: Option<Binary>) {
        let properties =
            AuthProperties { authentication_method: method, authentication_data: data, ..Default::default() };
        self.send(id, &Packet::Auth(Auth { reason, properties }));
    }
}

/// [MQTT-4.12.0-5] [MQTT-4.12.0-7] AUTH needs the method that the CONNECT named.
fn check_method(connect: Option<&Text>, auth: Option<&Text>) -> Result<(), Violation> {
    match connect {
        None => Err(Violation::protocol_error("AUTH without an Authentication Method at CONNECT [MQTT-4.12.0-7]")),
        Some(method) if Some(method) != auth => {
            Err(Violation::protocol_error("the Authentication Method differs from the CONNECT's [MQTT-4.12.0-5]"))
        }
        Some(_) => Ok(()),
    }
}

/// A verdict against the client always is a failure, whatever code the host chose.
pub(super) const fn failure(reason: ReasonCode) -> ReasonCode {
    if reason.is_failure() { reason } else { ReasonCode::NotAuthorized }
}

pub(super) const EXPIRED: Violation = Violation::new(
    ReasonCode::NotAuthorized,
    "what the client was let in with has expired: authenticate again (3.1.4)",
);
const ANOTHER_USER: Violation =
    Violation::new(ReasonCode::NotAuthorized, "a client that authenticates again stays the same user (4.12.1)");
const OUT_OF_TURN: Violation = Violation::protocol_error("AUTH out of turn (4.12)");
