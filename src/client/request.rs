//! What the host wants sent: now, later, or never.

use super::{Client, Outcome, Token, limits::Limits, publish::Pending};
use crate::codec::{
    Packet, PacketId, Publish, QoS, Subscribe, SubscribeFilter, SubscribeProperties, Text, Unsubscribe, UserProperties,
};
use alloc::vec::Vec;
use core::num::NonZeroU32;

#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Whose it is, if not the client's own.
    pub(super) token: Option<Token>,
    pub(super) content: Content,
    /// Whether an earlier connection carried it, and ended before the answer came.
    pub(super) was_sent: bool,
    /// Bytes of the packet, when it was last looked at.
    pub(super) size: usize,
    /// Its place among all that waited, where that is stored; else 0.
    pub(super) place: u64,
}

/// A packet whose Packet Identifier is a placeholder until it is sent.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Publish(Publish),
    /// With the Subscription Identifier to use where the host named none.
    Subscribe(Subscribe, Option<NonZeroU32>),
    Unsubscribe(Unsubscribe),
}

impl Request {
    pub(super) fn new(token: Option<Token>, content: Content) -> Self {
        Self { token, content, was_sent: false, size: 0, place: 0 }
    }

    pub(super) fn publish(token: Token, mut publish: Publish) -> Self {
        publish.dup = false;
        publish.packet_id = (publish.qos > QoS::AtMostOnce).then_some(PacketId::FIRST);
        publish.properties.topic_alias = None;
        // [MQTT-3.3.4-6]
        publish.properties.subscription_identifiers.clear();
        Self::new(Some(token), Content::Publish(publish))
    }

    pub(super) fn subscribe(
        token: Token,
        filters: Vec<SubscribeFilter>,
        properties: SubscribeProperties,
        number: Option<NonZeroU32>,
    ) -> Self {
        let subscribe = Subscribe { packet_id: PacketId::FIRST, properties, filters };
        Self::new(Some(token), Content::Subscribe(subscribe, number))
    }

    pub(super) fn unsubscribe(token: Token, filters: Vec<Text>, user_properties: UserProperties) -> Self {
        let unsubscribe = Unsubscribe { packet_id: PacketId::FIRST, user_properties, filters };
        Self::new(Some(token), Content::Unsubscribe(unsubscribe))
    }
}

impl Content {
    /// What is no message, as a server with these limits gets it.
    pub(super) fn question(&self, packet_id: PacketId, limits: &Limits) -> Option<Packet> {
        match self {
            Self::Publish(_) => None,
            Self::Subscribe(subscribe, number) => {
                let mut subscribe = Subscribe { packet_id, ..subscribe.clone() };
                let identifier = &mut subscribe.properties.subscription_identifier;
                *identifier = identifier.or(number.filter(|_| limits.subscription_identifiers));
                Some(Packet::Subscribe(subscribe))
            }
            Self::Unsubscribe(unsubscribe) => {
                Some(Packet::Unsubscribe(Unsubscribe { packet_id, ..unsubscribe.clone() }))
            }
        }
    }
}

impl Client {
    /// Sends it, refuses it, or lets it wait.
    pub(super) fn request(&mut self, request: Request) {
        if let Some(request) = self.attempt(request) {
            self.keep_waiting(request);
        }
    }

    /// Sends again what a resumed connection has to, then tries everything that waited for a connection.
    pub(super) fn send_all_waiting(&mut self) {
        self.advance();
        for _ in 0..self.outbox.len() {
            let Some(request) = self.outbox.pop_front() else { return };
            if let Some(waiting) = self.attempt(request) {
                self.outbox.push_back(waiting);
            }
        }
    }

    /// Sends what waits for the server's Receive Maximum, as far as it goes. [MQTT-4.9.0-2]
    pub(super) fn advance(&mut self) {
        if self.link().is_none() {
            return;
        }
        self.resend();
        while self.session.outbound.is_ready()
            && let Some(request) = self.outbox.pop_front()
        {
            if let Some(waiting) = self.attempt(request) {
                return self.outbox.push_front(waiting);
            }
        }
    }

    /// Makes the identifiers that QoS 2 messages will have ours.
    fn release(&mut self) {
        self.session.outbound.release();
        if self.is_durable {
            self.store_session();
            let released: Vec<_> = self.session.outbound.in_flight().map(|(id, ..)| id).collect();
            released.into_iter().for_each(|id| self.store_in_flight(id));
        }
        self.resend();
    }

    fn resend(&mut self) {
        while let Some((id, resend)) = self.session.outbound.resend() {
            self.send_again(id, resend);
        }
    }

    /// Sends or refuses it; returns it when it has to wait.
    fn attempt(&mut self, mut request: Request) -> Option<Request> {
        let limits = self.link().map(|link| link.limits);
        let known = limits.unwrap_or_else(|| Limits::of_protocol(self.options.connect.version));
        match known.check(&request.content) {
            Ok(size) => request.size = size,
            Err(misuse) => {
                self.delete_waiting(&request);
                self.complete(request.token, Outcome::Misused(misuse));
                return None;
            }
        }
        let qos = if let Content::Publish(publish) = &request.content { publish.qos } else { QoS::AtMostOnce };
        let is_acknowledged = qos > QoS::AtMostOnce;
        if qos == QoS::ExactlyOnce && limits.is_some() && self.session.outbound.is_adopted() {
            self.release();
        }
        // [MQTT-3.3.4-8] only PUBLISH waits for the server's Receive Maximum
        if limits.is_none() || (is_acknowledged && !self.session.outbound.is_ready()) {
            return Some(request);
        }
        self.delete_waiting(&request);
        match request.content {
            Content::Publish(ref publish) if !is_acknowledged => self.send_once(request.token, publish),
            Content::Publish(publish) => self.send_publish(Pending { token: request.token, publish }),
            Content::Subscribe(..) | Content::Unsubscribe(_) => self.ask(request),
        }
        None
    }
}
