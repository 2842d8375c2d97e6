//! PUBLISH from a client, and PUBREL, which ends what a QoS 2 PUBLISH began.

use super::{
    Broker, ConnectionId, Decision, Event,
    connection::{Connection, Stage},
    delay::Publisher,
    message::Message,
    rules::Ruling,
    session::SessionId,
};
use crate::{
    codec::{Ack, AckProperties, Packet, PacketId, ProtocolVersion, Publish, QoS, ReasonCode, Text},
    session::{Novelty, Violation},
    topic::TopicName,
};
use alloc::sync::Arc;

impl Broker {
    pub(super) fn publish(
        &mut self,
        id: ConnectionId,
        session_id: SessionId,
        publish: &mut Publish,
    ) -> Result<(), Violation> {
        let has_rules = !self.config.rules.is_empty();
        let connection = self.connections.get_mut(&id).filter(|_| has_rules);
        let decision = connection.and_then(Connection::take_decision);
        self.statistics.messages_received += u64::from(decision.is_none());
        let qos = publish.qos;
        self.check_capabilities(publish)?;
        if let Some(alias) = publish.properties.topic_alias {
            let Some(link) = self.link_mut(id) else { return Ok(()) };
            // Many clients name the topic each time.
            let is_new = !publish.topic.is_empty() && link.aliases.topic(alias) != Some(&publish.topic);
            publish.topic = link.aliases.resolve(alias, &publish.topic)?;
            if link.aliases.is_too_large() {
                return Err(ALIASES_TOO_LARGE);
            }
            if is_new {
                self.connection_changed(id);
            }
        }
        let topic = TopicName::parse(publish.topic.clone()).map_err(|_| INVALID_TOPIC)?;
        let (delay, topic) = if topic.is_reserved() {
            let meant = self.delay_of(topic.clone());
            let delay = meant.as_ref().map(|(seconds, _)| *seconds);
            let topic = meant.map_or(topic, |(_, meant)| meant);
            publish.topic = topic.text().clone();
            (delay, topic)
        } else {
            (Some(0), topic)
        };
        let is_meant = delay.is_some();
        let Some(decision) = self.decision(id, session_id, Some(&topic).filter(|_| is_meant), publish, decision) else {
            return Ok(());
        };
        if let Some(packet_id) = publish.packet_id {
            let Some(session) = self.sessions.get_mut(&session_id) else { return Ok(()) };
            let is_reused = qos == QoS::AtLeastOnce && session.inbound.reused(packet_id);
            let is_carried = session.inbound.is_carried(packet_id);
            let novelty = session.inbound.published(qos, packet_id);
            if is_reused {
                self.erase_received(session_id, packet_id);
            }
            if let Ok(novelty) = novelty
                && qos == QoS::ExactlyOnce
                && !is_carried
            {
                self.write_received(session_id, packet_id, novelty);
            }
            match novelty {
                Ok(Novelty::New) => {}
                Ok(Novelty::Duplicate) => {
                    self.acknowledge(id, session_id, qos, packet_id, ReasonCode::Success);
                    return Ok(());
                }
                Err(violation) if violation.reason == ReasonCode::PacketIdentifierInUse => {
                    return self.refuse_identifier(id, qos, packet_id, violation);
                }
                Err(violation) => return Err(violation),
            }
        }
        let packet_id = publish.packet_id;
        let reason = self.accept(session_id, delay.unwrap_or(0), topic, publish, decision);
        if let Some(packet_id) = packet_id {
            self.acknowledge(id, session_id, qos, packet_id, reason);
        }
        Ok(())
    }

    /// PUBREL: the message may be forgotten. Unknown identifiers are answered too. [MQTT-4.3.3-11]
    pub(super) fn publish_released(&mut self, id: ConnectionId, session_id: SessionId, ack: &Ack) {
        let Some(session) = self.sessions.get_mut(&session_id) else { return };
        let is_known = session.inbound.released(ack.packet_id);
        if is_known {
            self.erase_received(session_id, ack.packet_id);
        } else {
            self.asks(id, 1);
        }
        let reason = if is_known { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
        self.send(id, &Packet::PubComp(Ack { reason, ..ack.packet_id.into() }));
    }

    fn check_capabilities(&self, publish: &Publish) -> Result<(), Violation> {
        if publish.qos > self.config.maximum_qos {
            return Err(Violation::new(
                ReasonCode::QoSNotSupported,
                "the QoS is higher than the Maximum QoS announced [MQTT-3.2.2-11]",
            ));
        }
        if publish.retain && !self.config.retain_available {
            return Err(Violation::new(
                ReasonCode::RetainNotSupported,
                "retained messages are not available here, as announced [MQTT-3.2.2-14]",
            ));
        }
        if !publish.properties.subscription_identifiers.is_empty() {
            return Err(Violation::protocol_error("a client may not send a Subscription Identifier [MQTT-3.3.4-6]"));
        }
        Ok(())
    }

    /// What becomes of a message, before anything is known of it: by the client's rights, the rules, and the host's decision.
    /// `None` while the host is asked.
    fn decision(
        &mut self,
        id: ConnectionId,
        session_id: SessionId,
        topic: Option<&TopicName>,
        publish: &Publish,
        decided: Option<Decision>,
    ) -> Option<Decision> {
        const fn refuse(reason: ReasonCode) -> Option<Decision> {
            Some(Decision::Refuse { reason })
        }
        let Some(topic) = topic else { return refuse(ReasonCode::TopicNameInvalid) };
        let Some(Stage::Open(link)) = self.connections.get(&id).map(|connection| &connection.stage) else {
            return refuse(ReasonCode::NotAuthorized);
        };
        if !link.rights.may_publish(topic, publish.qos, publish.retain) {
            return refuse(ReasonCode::NotAuthorized);
        }
        if self.config.forbids_levels_of(topic) {
            return refuse(ReasonCode::TopicNameInvalid);
        }
        if decided.is_some() || self.config.rules.is_empty() {
            return Some(decided.unwrap_or(Decision::Accept));
        }
        let session = self.sessions.get(&session_id)?;
        if publish.packet_id.is_some_and(|packet_id| session.inbound.knows(publish.qos, packet_id)) {
            return Some(Decision::Accept);
        }
        let publisher = Publisher { client_id: session.client_id.clone(), user_name: link.user_name.clone() };
        match self.ruling(topic, &publisher) {
            Ruling::Decided(decision) => Some(decision),
            Ruling::Review => match self.ask_review(id, publisher, publish) {
                Ok(()) => None,
                Err(reason) => refuse(reason),
            },
        }
    }

    /// Takes ownership of a message, or says why not. [MQTT-4.5.0-1]
    fn accept(
        &mut self,
        id: SessionId,
        seconds: u32,
        topic: TopicName,
        publish: &mut Publish,
        decision: Decision,
    ) -> ReasonCode {
        let taken = if seconds == 0 && matches!(decision, Decision::Accept) {
            self.take(Message::new(publish, topic, self.now, &self.tally), Some(id))
        } else {
            self.accept_as_decided(id, seconds, topic, publish.clone(), decision)
        };
        match taken {
            Ok(true) => ReasonCode::Success,
            Ok(false) => ReasonCode::NoMatchingSubscribers,
            Err(reason) => {
                let client_id = self.sessions.get(&id).map(|session| session.client_id.clone());
                self.refuse_message(client_id, publish.topic.clone(), reason);
                reason
            }
        }
    }

    fn accept_as_decided(
        &mut self,
        id: SessionId,
        seconds: u32,
        topic: TopicName,
        publish: Publish,
        decision: Decision,
    ) -> Result<bool, ReasonCode> {
        match self.decided(decision, topic, publish)? {
            None => Ok(true),
            Some((topic, publish)) if seconds > 0 => match self.sessions.get(&id) {
                Some(session) => {
                    let (client_id, user_name) = (session.client_id.clone(), session.user_name.clone());
                    self.take_or_delay(topic, publish, seconds, &Publisher { client_id, user_name }, Some(id))
                }
                None => Ok(true),
            },
            Some((topic, mut publish)) => self.take(Message::new(&mut publish, topic, self.now, &self.tally), Some(id)),
        }
    }

    /// Retains and routes a message and tells whether anybody subscribes to it, or which limit keeps it out.
    pub(super) fn take(&mut self, message: Message, publisher: Option<SessionId>) -> Result<bool, ReasonCode> {
        // One that takes away what is retained makes room.
        let is_stored = message.qos > QoS::AtMostOnce || message.retain && !message.payload.is_empty();
        if is_stored && self.holds_too_much() {
            return Err(ReasonCode::QuotaExceeded);
        }
        self.take_counted(message, publisher)
    }

    /// The same for what was let in before, and has counted since.
    pub(super) fn take_counted(&mut self, message: Message, publisher: Option<SessionId>) -> Result<bool, ReasonCode> {
        let message = Arc::new(message);
        if message.retain {
            self.retain_message(&message).map_err(|_| ReasonCode::QuotaExceeded)?;
        }
        Ok(self.route(&message, publisher))
    }

    /// Whether messages take as much memory as they may.
    pub(super) fn holds_too_much(&self) -> bool {
        self.tally.bytes() > self.config.maximum_message_bytes
    }

    pub(super) fn refuse_message(&mut self, client_id: Option<Text>, topic: Text, reason: ReasonCode) {
        self.statistics.messages_refused += 1;
        self.actions.push_back(super::Action::Report(Event::PublishRefused { client_id, topic, reason }));
    }

    /// PUBACK or PUBREC; a failure frees the identifier at once. [MQTT-4.3.2-4] [MQTT-4.3.3-8]
    fn acknowledge(
        &mut self,
        id: ConnectionId,
        session_id: SessionId,
        qos: QoS,
        packet_id: PacketId,
        reason: ReasonCode,
    ) {
        if let Some(session) = self.sessions.get_mut(&session_id)
            && (qos == QoS::AtLeastOnce || reason.is_failure())
        {
            session.inbound.acknowledged(packet_id);
            if qos == QoS::ExactlyOnce {
                self.erase_received(session_id, packet_id);
            }
        }
        self.send_acknowledgement(id, qos, Ack { packet_id, reason, properties: AckProperties::default() });
    }

    fn send_acknowledgement(&mut self, id: ConnectionId, qos: QoS, ack: Ack) {
        let packet = if qos == QoS::AtLeastOnce { Packet::PubAck(ack) } else { Packet::PubRec(ack) };
        self.send(id, &packet);
    }

    /// 0x91 is for acknowledgements alone; 3.1.1 cannot say it, so the connection ends there.
    fn refuse_identifier(
        &mut self,
        id: ConnectionId,
        qos: QoS,
        packet_id: PacketId,
        violation: Violation,
    ) -> Result<(), Violation> {
        if self.connections.get(&id).is_some_and(|connection| connection.version == ProtocolVersion::V3_1_1) {
            return Err(violation);
        }
        self.send_acknowledgement(id, qos, Ack { reason: violation.reason, ..packet_id.into() });
        Ok(())
    }
}

const ALIASES_TOO_LARGE: Violation = Violation::new(
    ReasonCode::QuotaExceeded,
    "the topics of all Topic Aliases take more than this server keeps of them",
);
const INVALID_TOPIC: Violation =
    Violation::new(ReasonCode::TopicNameInvalid, "a Topic Name may not hold wildcards [MQTT-3.3.2-2]");
