//! What the host wants sent: now, later, or never.

use super::{Client, Misuse, Outcome, Token, limits::Limits, publish::Pending};
use crate::codec::{
    Packet, PacketId, Publish, QoS, Subscribe, SubscribeFilter, SubscribeProperties, Text, Unsubscribe, UserProperties,
};
use alloc::vec::Vec;

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) token: Token,
    pub(super) content: Content,
}

/// A packet whose Packet Identifier is a placeholder until it is sent.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Publish(Publish),
    Subscribe(Subscribe),
    Unsubscribe(Unsubscribe),
}

impl Request {
    pub(super) fn publish(token: Token, mut publish: Publish) -> Self {
        publish.dup = false;
        publish.packet_id = (publish.qos > QoS::AtMostOnce).then_some(PacketId::FIRST);
        publish.properties.topic_alias = None;
        // [MQTT-3.3.4-6]
        publish.properties.subscription_identifiers.clear();
        Self { token, content: Content::Publish(publish) }
    }

    pub(super) fn subscribe(token: Token, filters: Vec<SubscribeFilter>, properties: SubscribeProperties) -> Self {
        Self { token, content: Content::Subscribe(Subscribe { packet_id: PacketId::FIRST, properties, filters }) }
    }

    pub(super) fn unsubscribe(token: Token, filters: Vec<Text>, user_properties: UserProperties) -> Self {
        Self {
            token,
            content: Content::Unsubscribe(Unsubscribe { packet_id: PacketId::FIRST, user_properties, filters }),
        }
    }
}

impl Content {
    pub(super) fn packet(&self) -> Packet {
        match self.clone() {
            Self::Publish(publish) => Packet::Publish(publish),
            Self::Subscribe(subscribe) => Packet::Subscribe(subscribe),
            Self::Unsubscribe(unsubscribe) => Packet::Unsubscribe(unsubscribe),
        }
    }
}

impl Client {
    /// Sends it, refuses it, or lets it wait.
    pub(super) fn request(&mut self, request: Request) {
        let Some(request) = self.attempt(request) else { return };
        if self.queue.len() < self.options.maximum_queued {
            self.queue.push_back(request);
        } else {
            self.complete(request.token, Outcome::Misused(Misuse::QueueFull));
        }
    }

    /// Sends again what a resumed connection has to, then tries everything that waited for a connection.
    pub(super) fn send_all_waiting(&mut self) {
        self.advance();
        for request in core::mem::take(&mut self.queue) {
            if let Some(waiting) = self.attempt(request) {
                self.queue.push_back(waiting);
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
            && let Some(request) = self.queue.pop_front()
        {
            if let Some(waiting) = self.attempt(request) {
                return self.queue.push_front(waiting);
            }
        }
    }

    fn resend(&mut self) {
        while let Some((id, resend)) = self.session.outbound.resend() {
            self.send_again(id, resend);
        }
    }

    /// Sends or refuses it; returns it when it has to wait.
    fn attempt(&mut self, request: Request) -> Option<Request> {
        let limits = self.link().map(|link| link.limits);
        let known = limits.unwrap_or_else(|| Limits::of_protocol(self.options.connect.version));
        if let Err(misuse) = known.check(&request.content) {
            self.complete(request.token, Outcome::Misused(misuse));
            return None;
        }
        let qos = if let Content::Publish(publish) = &request.content { publish.qos } else { QoS::AtMostOnce };
        let is_acknowledged = qos > QoS::AtMostOnce;
        if qos == QoS::ExactlyOnce && limits.is_some() && self.session.outbound.is_adopted() {
            self.session.outbound.release();
            self.resend();
        }
        // [MQTT-3.3.4-8] only PUBLISH waits for the server's Receive Maximum
        if limits.is_none() || (is_acknowledged && !self.session.outbound.is_ready()) {
            return Some(request);
        }
        match request.content {
            Content::Publish(publish) => self.send_publish(Pending { token: request.token, publish }),
            Content::Subscribe(subscribe) => self.send_subscribe(request.token, subscribe),
            Content::Unsubscribe(unsubscribe) => self.send_unsubscribe(request.token, unsubscribe),
        }
        None
    }
}
