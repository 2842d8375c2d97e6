//! CONNECT: who comes, whether it may, and which session it gets.

use super::{
    Action, Authentication, AuthenticationRequest, AuthenticationStep, Broker, ConnectionId, Event, Grants, Refusal,
    authenticate::EXPIRED,
    connection::{Ending, Link, ReAuthentication, Stage},
    grants::Rights,
    send::ANSWER_TOO_LARGE,
    session::{Session, SessionId},
    will::StoredWill,
};
use crate::{
    codec::{
        Binary, ConnAck, ConnAckProperties, Connect, DisconnectProperties, Packet, ProtocolVersion, QoS, ReasonCode,
        Text,
    },
    session::{AliasAssigner, KeepAlive, TopicAliases, Violation},
    time::Timestamp,
    topic::TopicName,
};
use alloc::{boxed::Box, string::String};
use core::num::{NonZeroU16, NonZeroU32};

/// A CONNECT that waits for a verdict.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) connect: Box<Connect>,
    client_id: Text,
    will: Option<StoredWill>,
    /// Whether the host has to speak next; else the client has.
    pub(super) host_is_asked: bool,
    /// Bytes of the packets that were read since the CONNECT.
    pub(super) read: usize,
}

/// What a client is let in with.
#[derive(Default)]
pub(super) struct Admission {
    pub(super) grants: Grants,
    pub(super) data: Option<Binary>,
    pub(super) user_name: Option<Text>,
    pub(super) expires_at: Option<Timestamp>,
}

impl Pending {
    pub(super) fn request(&self, step: AuthenticationStep, data: Option<Binary>) -> Box<AuthenticationRequest> {
        Box::new(AuthenticationRequest {
            step,
            client_id: self.client_id.clone(),
            user_name: self.connect.user_name.clone(),
            password: self.connect.password.clone(),
            method: self.connect.properties.authentication_method.clone(),
            data,
        })
    }
}

impl Broker {
    pub(super) fn connect(&mut self, id: ConnectionId, connect: Box<Connect>) -> Result<(), Violation> {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        connection.version = connect.version;
        let properties = &connect.properties;
        connection.maximum_packet_size = properties.maximum_packet_size.map_or(usize::MAX, |size| size.get() as usize);
        connection.problem_information = properties.request_problem_information.unwrap_or(true);
        if connect.client_id.is_empty() && connect.version == ProtocolVersion::V3_1_1 && !connect.clean_start {
            return Err(Violation::new(
                ReasonCode::ClientIdentifierNotValid,
                "without a Client Identifier, Clean Session must be 1 [3.1.1 MQTT-3.1.3-8]",
            ));
        }
        let will = self.accept_will(&connect)?;
        let client_id =
            if connect.client_id.is_empty() { self.assign_client_id() } else { connect.client_id.detached() };
        let method_is_refused = connect.properties.authentication_method.is_some();
        let data = connect.properties.authentication_data.clone();
        let pending = Pending { connect, client_id, will, host_is_asked: true, read: 0 };
        let is_reserved = self.config.asks_about_reserved && pending.client_id.as_str().starts_with('$');
        let authentication = if is_reserved { Authentication::Ask } else { self.config.authentication.clone() };
        match authentication {
            // [MQTT-4.12.0-1]
            Authentication::Open(_) if method_is_refused => Err(Violation::new(
                ReasonCode::BadAuthenticationMethod,
                "this server knows no enhanced authentication method (4.12)",
            )),
            Authentication::Open(grants) => self.admit(id, pending, Admission { grants, ..Admission::default() }),
            Authentication::Ask => {
                let request = pending.request(AuthenticationStep::Connect, data);
                self.set_stage(id, Stage::Authenticating(Box::new(pending)));
                self.actions.push_back(Action::Authenticate { connection: id, request });
                Ok(())
            }
        }
    }

    /// Lets a client in: takes over its connection, resumes or begins its session, answers. [MQTT-3.1.4-5]
    pub(super) fn admit(&mut self, id: ConnectionId, pending: Pending, admission: Admission) -> Result<(), Violation> {
        let Pending { mut connect, client_id, will, .. } = pending;
        let Admission { grants, data, user_name, expires_at } = admission;
        if expires_at.is_some_and(|at| at <= self.now) {
            return Err(EXPIRED);
        }
        connect.user_name = user_name.or(connect.user_name); // who it is, not who it says it is
        let old = self.by_client_id.get(&client_id).copied();
        self.check_user(old, connect.user_name.as_ref())?;
        let rights = Rights::new(&grants, &client_id, connect.user_name.as_ref());
        if let Some(will) = &will
            && !rights.may_publish(will.topic(), will.qos(), will.retain())
        {
            return Err(Violation::new(
                ReasonCode::NotAuthorized,
                "the Will Topic is not allowed for this client (3.1.4)",
            ));
        }
        if old.is_none() && self.sessions.len() >= self.config.maximum_sessions {
            return Err(Violation::new(ReasonCode::QuotaExceeded, "this server holds as many sessions as it may"));
        }
        let mut connack = self.connack(&connect, client_id.clone(), data);
        // Before anything changes: nobody is taken over for a client that cannot be answered.
        if !self.is_within_limit(id, &Packet::ConnAck(Box::new(connack.clone()))) {
            self.hang_up(id, ANSWER_TOO_LARGE); // [MQTT-3.1.2-24]
            return Ok(());
        }
        if let Some(old) = old {
            self.abandon(old);
        }
        if let Some(old) = old.and_then(|old| self.sessions.get(&old)?.connection) {
            self.take_over(old);
        }
        // [MQTT-3.1.2-4] Clean Start ends the old session, wherever it came from
        let resumed = match self.by_client_id.get(&client_id).copied() {
            Some(session)
                if connect.clean_start
                    || self.has_expired(session)
                    || self.is_nobodys(session, connect.user_name.as_ref()) =>
            {
                self.end_session(session);
                None
            }
            resumed => resumed,
        };
        let session_id = resumed
            .unwrap_or_else(|| self.begin_session(client_id.clone(), connect.user_name.as_ref().map(Text::detached)));
        self.enforce(session_id, &rights);
        self.forget_will(session_id);
        self.set_session_expiry(session_id, None);
        self.attach(id, session_id, &connect, will);
        self.open_link(id, session_id, &connect, rights, expires_at);
        self.statistics.clients_connected += 1;
        self.statistics.clients_maximum = self.statistics.clients_maximum.max(self.statistics.clients_connected);
        let session_present = resumed.is_some();
        let event = Event::Connected { connection: id, client_id, version: connect.version, session_present };
        self.actions.push_back(Action::Report(event));
        connack.session_present = session_present;
        self.send(id, &Packet::ConnAck(Box::new(connack)));
        self.pump(session_id);
        self.watch_sys(session_id);
        Ok(())
    }

    /// Answers a CONNECT that is not accepted, and closes. [MQTT-3.2.2-7]
    /// `properties` may have a Reason String of the host's, and a Server Reference.
    pub(super) fn refuse(&mut self, id: ConnectionId, mut violation: Violation, properties: ConnAckProperties) {
        let Some(connection) = self.connections.get(&id) else { return };
        let reason = ConnAck::refusal(violation.reason);
        violation.reason = reason;
        let breaks_protocol =
            matches!(reason, ReasonCode::MalformedPacket | ReasonCode::ProtocolError | ReasonCode::PacketTooLarge);
        // [3.1.1 MQTT-3.1.4-1] a CONNECT that breaks the protocol is closed without a CONNACK
        if connection.version == ProtocolVersion::V5 || !breaks_protocol {
            let explain = || properties.reason_string.clone().unwrap_or(Text::from_static(violation.rule));
            let reason_string = connection.problem_information.then(explain);
            let properties = ConnAckProperties { reason_string, ..properties };
            self.send(id, &Packet::ConnAck(Box::new(ConnAck { session_present: false, reason, properties })));
        }
        self.hang_up(id, violation);
    }

    fn accept_will(&self, connect: &Connect) -> Result<Option<StoredWill>, Violation> {
        let Some(will) = &connect.will else { return Ok(None) };
        let ill_formed = match connect.version {
            ProtocolVersion::V5 => ReasonCode::TopicNameInvalid,
            // [3.1.1 MQTT-3.2.2-6] no return code says that
            ProtocolVersion::V3_1_1 => ReasonCode::MalformedPacket,
        };
        let topic = TopicName::parse(will.topic.clone())
            .map_err(|_| Violation::new(ill_formed, "the Will Topic is not a valid Topic Name [MQTT-4.7.0-1]"))?;
        let Some((_, meant)) = self.delay_of(topic.clone()) else {
            return Err(Violation::new(ill_formed, "the Will Topic is none, or later than this server delays"));
        };
        if self.config.forbids_levels(meant.level_count()) {
            return Err(Violation::new(ReasonCode::TopicNameInvalid, "the Will Topic has too many levels"));
        }
        if will.qos > self.config.maximum_qos {
            return Err(Violation::new(
                ReasonCode::QoSNotSupported,
                "the Will QoS is higher than this server supports [MQTT-3.2.2-12]",
            ));
        }
        if will.retain && !self.config.retain_available {
            return Err(Violation::new(
                ReasonCode::RetainNotSupported,
                "this server does not retain messages [MQTT-3.2.2-13]",
            ));
        }
        let will = StoredWill::new(&topic, will, &self.tally);
        if self.holds_too_much() {
            return Err(Violation::new(ReasonCode::QuotaExceeded, "this server holds as many messages as it may"));
        }
        Ok(Some(will))
    }

    /// The newcomer wins. [MQTT-3.1.4-3]
    fn take_over(&mut self, old: ConnectionId) {
        let reason = ReasonCode::SessionTakenOver;
        self.tell(old, reason, DisconnectProperties::default());
        let refusal = Refusal { reason, message: "another connection took the session over" };
        self.end_connection_and_close(old, refusal, Ending::Failed);
    }

    fn begin_session(&mut self, client_id: Text, user_name: Option<Text>) -> SessionId {
        let id = SessionId(self.last_session + 1);
        self.insert_session(id, client_id, user_name);
        id
    }

    pub(super) fn insert_session(&mut self, id: SessionId, client_id: Text, user_name: Option<Text>) {
        self.last_session = self.last_session.max(id.0);
        self.by_client_id.insert(client_id.clone(), id);
        self.users.sessions.add(user_name.as_ref());
        self.sessions.insert(id, Session::new(client_id, user_name));
    }

    fn attach(&mut self, id: ConnectionId, session_id: SessionId, connect: &Connect, will: Option<StoredWill>) {
        let send_quota = self.send_quota(connect);
        let Some(session) = self.sessions.get_mut(&session_id) else { return };
        session.connection = Some(id);
        session.will = will.map(Box::new);
        session.expiry_interval = session_expiry(connect).min(self.config.maximum_session_expiry_seconds);
        session.outbound.connected(send_quota);
        session.inbound.connected(self.config.receive_maximum_for(connect.version));
        let (outlives, has_will) = (session.outlives_its_connection(), session.will.is_some());
        if outlives || has_will {
            self.keep_session(session_id, false);
        }
        self.write_session(session_id);
        if has_will {
            self.write_will(session_id);
        }
    }

    fn open_link(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        connect: &Connect,
        rights: Rights,
        expires_at: Option<Timestamp>,
    ) {
        let properties = &connect.properties;
        let keep_alive = match self.config.server_keep_alive_seconds {
            Some(seconds) if connect.version == ProtocolVersion::V5 => seconds,
            _ => connect.keep_alive,
        };
        let keep_alive = KeepAlive::new(keep_alive, self.now);
        let assigned = properties.topic_alias_maximum.unwrap_or(0).min(self.config.assigned_topic_aliases);
        let accepted = if connect.version == ProtocolVersion::V5 { self.config.topic_alias_maximum } else { 0 };
        let room = self.config.alias_room();
        let link = Link {
            session,
            rights,
            expires_at: None,
            connected_at: self.now,
            keep_alive,
            aliases: TopicAliases::new(accepted, room),
            assigner: AliasAssigner::new(assigned, room),
            user_name: connect.user_name.as_ref().map(Text::detached),
            asked_expiry_interval: session_expiry(connect),
            method: properties.authentication_method.as_ref().map(Text::detached),
            re_authentication: ReAuthentication::None,
            receive_maximum: self.send_quota(connect),
        };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.open(Box::new(link), self.config.maximum_packet_size);
        }
        self.users.connections.add(connect.user_name.as_ref());
        self.set_verdict_expiry(id, expires_at);
        self.connection_changed(id);
        self.set_silence(id, keep_alive.peer_is_dead_at());
    }

    /// How many QoS 1 and 2 messages the client may have unacknowledged.
    fn send_quota(&self, connect: &Connect) -> u16 {
        let receive_maximum = connect.properties.receive_maximum.map_or(u16::MAX, NonZeroU16::get);
        receive_maximum.min(self.config.maximum_in_flight.max(1))
    }

    /// The CONNACK that accepts, but for Session Present.
    fn connack(&self, connect: &Connect, client_id: Text, data: Option<Binary>) -> ConnAck {
        let config = &self.config;
        let asked = &connect.properties;
        let expiry = session_expiry(connect).min(config.maximum_session_expiry_seconds);
        let only_if_off = |available: bool| (!available).then_some(false);
        let properties = ConnAckProperties {
            session_expiry_interval: (expiry != session_expiry(connect)).then_some(expiry),
            receive_maximum: NonZeroU16::new(config.receive_maximum.max(1)),
            maximum_qos: (config.maximum_qos < QoS::ExactlyOnce).then_some(config.maximum_qos),
            retain_available: only_if_off(config.retain_available),
            maximum_packet_size: NonZeroU32::new(config.maximum_packet_size),
            // [MQTT-3.2.2-16]
            assigned_client_identifier: connect.client_id.is_empty().then_some(client_id),
            topic_alias_maximum: Some(config.topic_alias_maximum).filter(|maximum| *maximum > 0),
            wildcard_subscription_available: only_if_off(config.wildcard_subscription_available),
            subscription_identifiers_available: only_if_off(config.subscription_identifiers_available),
            shared_subscription_available: only_if_off(config.shared_subscription_available),
            server_keep_alive: config.server_keep_alive_seconds,
            // [MQTT-3.1.2-28]
            response_information: asked
                .request_response_information
                .unwrap_or(false)
                .then(|| config.response_information.clone())
                .flatten(),
            // [MQTT-4.12.0-5]
            authentication_method: asked.authentication_method.clone(),
            authentication_data: data.filter(|_| asked.authentication_method.is_some()),
            ..Default::default()
        };
        ConnAck { session_present: false, reason: ReasonCode::Success, properties }
    }

    /// An identifier that no session has. [MQTT-3.1.3-6]
    fn assign_client_id(&mut self) -> Text {
        loop {
            let mut id = String::from("mqlite-");
            for _ in 0..2 {
                let mut word = self.random.next();
                for _ in 0..10 {
                    id.push(char::from(ALPHABET[(word & 31) as usize]));
                    word >>= 5;
                }
            }
            if let Ok(id) = Text::try_from(id)
                && !self.by_client_id.contains_key(&id)
            {
                return id;
            }
        }
    }

    pub(super) fn set_stage(&mut self, id: ConnectionId, stage: Stage) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = stage;
            self.connection_changed(id);
        }
    }
}

/// The Session Expiry Interval in seconds; in 3.1.1 a session that is not clean never expires.
fn session_expiry(connect: &Connect) -> u32 {
    match connect.version {
        ProtocolVersion::V5 => connect.properties.session_expiry_interval.unwrap_or(0),
        ProtocolVersion::V3_1_1 if connect.clean_start => 0,
        ProtocolVersion::V3_1_1 => u32::MAX,
    }
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghijkmnpqrstuvwx";
