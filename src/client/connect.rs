//! CONNECT and CONNACK: how a connection begins, and what becomes of the session.

use super::{
    Action, Cause, Client,
    authenticate::Authentication,
    connection::{Connection, Link},
    limits::Limits,
};
use crate::{
    codec::{ConnAck, ConnAckProperties, Connect, Framer, MAXIMUM_PACKET_SIZE, Packet, ProtocolVersion, ReasonCode},
    session::{AliasAssigner, AliasRoom, Inbound, KeepAlive, TopicAliases, Violation},
};
use alloc::boxed::Box;

impl Client {
    pub(super) fn opened(&mut self) {
        self.end(Cause::Lost);
        let starts_clean = self.starts_clean();
        let connect = &self.options.connect;
        let maximum_packet_size = connect.properties.maximum_packet_size.map_or(MAXIMUM_PACKET_SIZE, u32::from);
        self.connection = Some(Connection {
            version: connect.version,
            framer: Framer::new(maximum_packet_size),
            aliases: TopicAliases::new(connect.properties.topic_alias_maximum.unwrap_or(0), AliasRoom::MEMORY),
            assigner: AliasAssigner::new(0, AliasRoom::MEMORY),
            authentication: match self.authentication_method() {
                Some(_) => Authentication::ServersTurn,
                None => Authentication::Idle,
            },
            silence_at: Some(self.now.plus_millis(self.options.response_timeout_millis)),
            is_spared: false,
            starts_clean,
            link: None,
        });
        let mut connect = Connect { clean_start: starts_clean, ..connect.clone() };
        if let Some((user_name, password)) = self.credentials.take() {
            (connect.user_name, connect.password) = (user_name, password);
        }
        if connect.version == ProtocolVersion::V3_1_1 && connect.password.is_some() {
            // [3.1.1 MQTT-3.1.2-22]
            connect.user_name.get_or_insert_default();
        }
        self.send(&Packet::Connect(Box::new(connect)));
    }

    pub(super) fn connack(&mut self, connack: ConnAck) -> Result<(), Violation> {
        let ConnAck { session_present, reason, properties } = connack;
        if reason.is_failure() {
            self.refused(reason, properties);
            return Ok(());
        }
        if self.authentication_method() != properties.authentication_method.as_ref() {
            return Err(Violation::protocol_error("CONNACK has the CONNECT's Authentication Method [MQTT-4.12.0-5]"));
        }
        if session_present && self.connection.as_ref().is_some_and(|connection| connection.starts_clean) {
            return Err(Violation::protocol_error("a clean start leaves no session to be present [MQTT-3.2.2-2]"));
        }
        if let Some(client_id) = &properties.assigned_client_identifier {
            self.options.connect.client_id = client_id.detached();
        }
        self.open_link(&properties);
        self.begin_session(session_present, &properties);
        self.actions.push_back(Action::Connected {
            session_present,
            client_id: self.options.connect.client_id.clone(),
            properties: Box::new(properties),
        });
        self.subscribe_again();
        self.send_all_waiting();
        Ok(())
    }

    fn refused(&mut self, reason: ReasonCode, properties: ConnAckProperties) {
        self.connection = None;
        self.actions.push_back(Action::Close);
        self.actions.push_back(Action::Refused { reason, properties: Box::new(properties) });
    }

    fn open_link(&mut self, properties: &ConnAckProperties) {
        let Some(connection) = &mut self.connection else { return };
        // [MQTT-3.2.2-21]
        let keep_alive = properties.server_keep_alive.unwrap_or(self.options.connect.keep_alive);
        connection.silence_at = None;
        connection.authentication = Authentication::Idle;
        // [MQTT-3.2.2-17] [MQTT-3.2.2-18]
        let topic_aliases = properties.topic_alias_maximum.unwrap_or(0).min(self.options.assigned_topic_aliases);
        connection.assigner = AliasAssigner::new(topic_aliases, AliasRoom::MEMORY);
        connection.link = Some(Link {
            limits: Limits::of_server(self.options.connect.version, properties),
            keep_alive: KeepAlive::new(keep_alive, self.now),
        });
    }

    fn begin_session(&mut self, session_present: bool, properties: &ConnAckProperties) {
        let connect = &self.options.connect;
        let ours = &connect.properties;
        // 3.1.1 has no Receive Maximum: its server may send as many as there are identifiers.
        let receive_maximum = match connect.version {
            // Mosquitto 2.0 sends two for each that is acknowledged: to close would have it do so again, for ever.
            ProtocolVersion::V5 => ours.receive_maximum.map_or(u16::MAX, |maximum| maximum.get().max(TOLERATED)),
            ProtocolVersion::V3_1_1 => u16::MAX,
        };
        let expiry = properties.session_expiry_interval.or(ours.session_expiry_interval).unwrap_or(0);
        self.session.is_kept = connect.version == ProtocolVersion::V5 && expiry > 0;
        self.session.expiry_interval = expiry;
        self.session.expires_at = None;
        if session_present {
            self.session.inbound.connected(receive_maximum);
            if !self.session.is_begun {
                self.session.outbound.adopt();
            }
        } else {
            self.lose_session();
            self.session.inbound = Inbound::new(receive_maximum);
        }
        self.session.is_begun = true;
        self.is_settled = true;
        self.store_session();
        self.session.outbound.connected(properties.receive_maximum.map_or(u16::MAX, u16::from));
    }

    /// The server does not have the session. [MQTT-3.2.2-5]
    pub(super) fn lose_session(&mut self) {
        self.session.inbound = Inbound::new(0);
        self.session.deliveries.clear();
        self.let_all_go();
        self.doubt_subscriptions();
        self.begin_messages_anew();
    }

    /// Clean Start would destroy a session that was kept; the host wanted it for the first connection.
    fn starts_clean(&self) -> bool {
        let is_there = self.session.is_kept && self.session.expires_at.is_none_or(|at| self.now < at);
        self.options.connect.clean_start && !is_there
    }
}

/// QoS 1 and 2 messages that a server may have unacknowledged, whatever our Receive Maximum is, before we close with 0x93.
pub(super) const TOLERATED: u16 = 8_192;

#[cfg(test)]
mod tests {
    use super::super::{Input, Misuse, Outcome, testing::*};
    use super::*;
    use crate::codec::{Binary, QoS, Text, Will, WillProperties};

    #[test]
    fn the_server_reads_the_options_as_they_are() {
        for version in [V3_1_1, V5] {
            let mut script = Script::new(version, |options| {
                let connect = &mut options.connect;
                connect.keep_alive = 7;
                connect.user_name = Some(Text::from_static("u"));
                connect.password = Some(Binary::new("p".into()).unwrap());
                connect.will = Some(Will {
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    properties: WillProperties::default(),
                    topic: Text::from_static("gone"),
                    payload: Binary::new("w".into()).unwrap(),
                });
            });
            let mut expected = script.client.options.connect.clone();
            if version == V3_1_1 {
                expected.properties = Default::default();
            }
            assert_eq!(script.input(Input::Opened), [Sent(Packet::Connect(Box::new(expected)))]);
        }
    }

    #[test]
    fn credentials_are_for_one_connection() {
        let mut script = Script::new(V5, |options| {
            options.connect.user_name = Some(Text::from_static("u"));
        });
        let told = |script: &mut Script| {
            let seen = script.input(Input::Opened);
            let Some(Sent(Packet::Connect(connect))) = seen.last() else { panic!("{seen:?}") };
            (connect.user_name.clone(), connect.password.clone())
        };
        let fresh = (Some(Text::from_static("v")), Binary::new("token".into()).ok());
        script.client.use_credentials(fresh.0.clone(), fresh.1.clone());
        assert_eq!(told(&mut script), fresh);
        assert_eq!(told(&mut script), (Some(Text::from_static("u")), None));
        script.client.use_credentials(None, None);
        assert_eq!(told(&mut script), (None, None));
    }

    /// [3.1.1 MQTT-3.1.2-22]
    #[test]
    fn a_password_without_a_user_name_comes_with_an_empty_one_in_3_1_1() {
        for (version, expected) in [(V5, None), (V3_1_1, Some(Text::default()))] {
            let mut script = Script::new(version, |options| {
                options.connect.password = Binary::new("p".into()).ok();
            });
            let seen = script.input(Input::Opened);
            assert!(matches!(&seen[..], [Sent(Packet::Connect(connect))] if connect.user_name == expected));
        }
    }

    #[test]
    fn the_version_may_change_before_a_server_has_accepted_one_and_what_waits_is_kept() {
        let mut script = Script::new(V5, |_| ());
        let mut publish = message(QoS::AtLeastOnce, "a");
        publish.properties.content_type = Some(Text::from_static("text/plain"));
        script.publish(1, publish);
        script.subscribe(2, "b", None);
        script.subscribe(3, "c", Some(7));
        script.input(Input::Opened);
        assert!(script.use_version(V3_1_1).is_err(), "there is a connection");
        script.receive(connack(false, ReasonCode::UnsupportedProtocolVersion, ConnAckProperties::default()));
        assert_eq!(script.use_version(V3_1_1), Ok(()));
        let seen = script.connect(false);
        assert_eq!(seen[0], Sent(Packet::Publish(publish_of(1))));
        assert!(matches!(seen[1], Sent(Packet::Subscribe(_))));
        let refused = Outcome::Misused(Misuse::SubscriptionIdentifiersNotSupported);
        assert_eq!(seen[2..], [completed(3, refused)]);
        script.input(Input::Closed);
        assert!(script.use_version(V5).is_err(), "a server has accepted 3.1.1");
    }

    fn publish_of(id: u16) -> crate::codec::Publish {
        publish(QoS::AtLeastOnce, "a", id)
    }

    #[test]
    fn a_version_in_which_no_server_could_accept_the_connect_is_not_taken() {
        let mut script = Script::new(V5, |options| {
            options.connect.client_id = Text::default();
            options.connect.clean_start = false;
        });
        assert!(script.use_version(V3_1_1).is_err());
        assert!(matches!(script.input(Input::Opened)[..], [Sent(Packet::Connect(_))]));
    }

    #[test]
    fn an_assigned_client_identifier_is_that_of_the_next_connection_too() {
        let mut script = Script::new(V5, |options| options.connect.client_id = Text::default());
        script.input(Input::Opened);
        let properties = ConnAckProperties {
            assigned_client_identifier: Some(Text::from_static("auto-1")),
            ..ConnAckProperties::default()
        };
        let seen = script.receive(connack(false, ReasonCode::Success, properties.clone()));
        let client_id = Text::from_static("auto-1");
        let connected = Action::Connected { session_present: false, client_id, properties: Box::new(properties) };
        assert_eq!(seen, [Did(connected)]);
        let seen = script.input(Input::Opened);
        let [Did(Action::Disconnected { cause: Cause::Lost }), Sent(Packet::Connect(connect))] = &seen[..] else {
            panic!("{seen:?}")
        };
        assert_eq!(connect.client_id.as_str(), "auto-1");
    }

    #[test]
    fn a_refusal_closes_the_connection_and_says_why() {
        for version in [V3_1_1, V5] {
            let mut script = Script::new(version, |_| ());
            script.input(Input::Opened);
            let reason = ReasonCode::NotAuthorized;
            let properties = Box::<ConnAckProperties>::default();
            let seen = script.receive(connack(false, reason, (*properties).clone()));
            assert_eq!(seen, [Did(Action::Close), Did(Action::Refused { reason, properties })]);
            assert_eq!(script.client.deadline(), None);
            assert_eq!(script.input(Input::Closed), []);
        }
    }

    #[test]
    fn a_server_that_knows_3_1_1_alone_refuses_mqtt_5_in_its_own_words() {
        let mut script = Script::new(V5, |_| ());
        script.input(Input::Opened);
        let seen = script.input(Input::Received { bytes: bytes::Bytes::from_static(b"\x20\x02\x00\x01") });
        let reason = ReasonCode::UnsupportedProtocolVersion;
        assert_eq!(seen, [Did(Action::Close), Did(Action::Refused { reason, properties: Box::default() })]);
    }

    #[test]
    fn each_connect_says_the_authentication_data_that_is_fresh() {
        let mut script = Script::new(V5, |options| {
            options.connect.properties.authentication_method = Some(Text::from_static("m"));
        });
        for data in [Some("1"), Some("2"), None] {
            let data = data.map(|data| Binary::new(data.into()).unwrap());
            script.client.use_authentication_data(data.clone());
            script.input(Input::Closed);
            let seen = script.input(Input::Opened);
            assert!(
                matches!(&seen[..], [Sent(Packet::Connect(connect))] if connect.properties.authentication_data == data)
            );
        }
    }

    #[test]
    fn a_server_that_does_not_answer_is_given_up() {
        let mut script = Script::new(V5, |options| options.response_timeout_millis = 700);
        script.input(Input::Opened);
        assert_eq!(script.client.deadline().unwrap().0, 700);
        assert_eq!(script.wait(), [Did(Action::Close), disconnected(Cause::Silence)]);
    }

    #[test]
    fn only_connack_or_auth_comes_first_and_connack_comes_once() {
        let mut script = Script::new(V5, |_| ());
        script.input(Input::Opened);
        assert_violated(&script.receive(Packet::PingResp), ReasonCode::ProtocolError);
        script.connect(false);
        let again = connack(false, ReasonCode::Success, ConnAckProperties::default());
        assert_violated(&script.receive(again), ReasonCode::ProtocolError);
    }

    #[test]
    fn a_session_that_a_clean_start_should_have_destroyed_is_a_protocol_error() {
        let mut script = Script::new(V5, |_| ());
        script.input(Input::Opened);
        let present = connack(true, ReasonCode::Success, ConnAckProperties::default());
        assert_violated(&script.receive(present), ReasonCode::ProtocolError);
    }

    /// The Clean Start of a first and a second connection.
    fn clean_starts(version: ProtocolVersion, expiry: Option<u32>) -> [bool; 2] {
        let mut script = Script::new(version, |options| {
            options.connect.properties.session_expiry_interval = expiry;
        });
        [(); 2].map(|()| {
            let seen = script.input(Input::Opened);
            let Some(Sent(Packet::Connect(connect))) = seen.last() else { panic!("{seen:?}") };
            script.receive(connack(false, ReasonCode::Success, ConnAckProperties::default()));
            connect.clean_start
        })
    }

    #[test]
    fn clean_start_does_not_destroy_a_session_that_the_server_keeps_for_us() {
        assert_eq!(clean_starts(V5, Some(1)), [true, false]);
        assert_eq!(clean_starts(V5, None), [true, true]);
        assert_eq!(clean_starts(V3_1_1, Some(1)), [true, true]);
    }
}
