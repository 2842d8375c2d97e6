//! A message on its way to one session, as the model expects it, and the PUBLISH by which it comes.

use super::{
    check::violated,
    state::{Model, Session},
};
use mqlite::{
    broker::ConnectionId,
    codec::{Packet, PacketId, ProtocolVersion, Publish, PublishProperties, QoS, SubscriptionOptions, Text},
};
use std::{num::NonZeroU32, rc::Rc};

#[derive(Clone)]
pub struct Subscription {
    pub filter: Rc<str>,
    pub options: SubscriptionOptions,
    pub identifier: Option<NonZeroU32>,
}

pub struct Message {
    pub number: u64,
    pub publisher: Option<u64>,
    /// Without what belongs to one packet.
    pub publish: Publish,
    pub expires_at: Option<u64>,
}

#[derive(Clone)]
pub struct Delivery {
    pub message: Rc<Message>,
    pub qos: QoS,
    pub retain: bool,
    pub identifiers: Vec<NonZeroU32>,
    pub origin: Origin,
    /// The number of the last message when it began to wait.
    pub since: u64,
    /// Of this input.
    pub is_fresh: bool,
    /// May be lost: not all of its kind fitted into a queue.
    pub is_optional: bool,
}

#[derive(Clone, PartialEq)]
pub enum Origin {
    Live,
    Retained(Rc<str>),
    Shared(Rc<str>),
}

#[derive(Clone)]
pub struct Float {
    pub message: Rc<Message>,
    pub filter: Rc<str>,
    pub candidates: Vec<(u64, Delivery)>,
    pub is_optional: bool,
    /// It went from one member to another, which may take it out of order.
    pub is_handed_on: bool,
}

#[derive(Clone)]
pub struct InFlight {
    pub id: PacketId,
    pub delivery: Delivery,
    pub is_released: bool,
    /// Whether this connection carried its PUBLISH.
    pub is_counted: bool,
    /// Whether it is to be sent again.
    pub is_due: bool,
}

impl Subscription {
    pub fn delivery(&self, message: &Rc<Message>, origin: Origin, since: u64) -> Delivery {
        let retain = match origin {
            Origin::Retained(_) => true,
            _ => message.publish.retain && self.options.retain_as_published,
        };
        let (message, qos) = (message.clone(), message.publish.qos.min(self.options.qos));
        let identifiers = self.identifier.into_iter().collect();
        Delivery { message, qos, retain, identifiers, origin, since, is_fresh: true, is_optional: false }
    }
}

impl Delivery {
    /// The PUBLISH of version 5 or 3.1.1 that carries it, without Packet Identifier.
    pub fn publish(&self, version: ProtocolVersion, now: u64) -> Publish {
        let mut publish = Publish { qos: self.qos, retain: self.retain, ..self.message.publish.clone() };
        if version == ProtocolVersion::V3_1_1 {
            publish.properties = PublishProperties::default();
        } else {
            let left = self.message.expires_at.map(|at| at.saturating_sub(now).div_ceil(1_000) as u32);
            publish.properties.message_expiry_interval = left;
            publish.properties.subscription_identifiers.clone_from(&self.identifiers);
            publish.properties.subscription_identifiers.sort_unstable();
        }
        publish
    }

    /// Whether it outlives the connection.
    pub fn is_kept(&self) -> bool {
        self.qos > QoS::AtMostOnce || matches!(self.origin, Origin::Retained(_))
    }

    pub fn is_expired(&self, now: u64) -> bool {
        self.message.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether its PUBLISH is larger than a client takes, even one that names its topic by an alias of no bytes.
    pub fn is_too_large(&self, version: ProtocolVersion, now: u64, maximum: usize) -> bool {
        let mut publish = self.publish(version, now);
        publish.packet_id = (self.qos > QoS::AtMostOnce).then_some(PacketId::FIRST);
        Packet::Publish(publish).size(version) > maximum
    }

    fn order(&self) -> (Option<u64>, Text, QoS, QoS) {
        (self.message.publisher, self.message.publish.topic.clone(), self.message.publish.qos, self.qos)
    }
}

impl Model {
    /// A PUBLISH was sent, with its whole topic and no alias.
    pub fn sent(&mut self, id: ConnectionId, version: ProtocolVersion, publish: &Publish) {
        let now = self.now;
        let Some(number) = self.connections.get(&id).and_then(|connection| connection.session) else {
            return self.sent_before_its_end(id, version, publish);
        };
        let bare = bare(publish);
        let session = self.session(number);
        if let Some(packet_id) = publish.packet_id.filter(|_| publish.dup) {
            // [MQTT-4.6.0-1] in the original order
            let Some(first) = session.in_flight.iter_mut().find(|it| it.is_due) else {
                violated("sent again though not due", format!("{id:?} {publish:?}"));
            };
            if first.id != packet_id || first.is_released || first.delivery.publish(version, now) != bare {
                violated("sent again out of order", format!("{id:?} {publish:?}, not {:?}", first.id));
            }
            (first.is_due, first.is_counted) = (false, true);
        } else {
            if publish.packet_id.is_some_and(|new| session.in_flight.iter().any(|it| it.id == new)) {
                violated("no Packet Identifier twice", format!("[MQTT-2.2.1-4] {id:?} {publish:?}"));
            }
            if publish.packet_id.is_some() && session.in_flight.iter().any(|it| it.is_due) {
                violated("sent again out of order", format!("new before what is to be sent again: {publish:?}"));
            }
            let delivery = self.expected(number, version, &bare);
            let session = self.session(number);
            if let Some(id) = publish.packet_id {
                let (is_released, is_counted, is_due) = (false, true, false);
                session.in_flight.push(InFlight { id, delivery, is_released, is_counted, is_due });
                self.touch(number, true);
            }
        }
        let maximum = self.connections[&id].receive_maximum;
        let counted = self.session(number).in_flight.iter().filter(|it| it.is_counted).count();
        if counted > maximum {
            violated("Receive Maximum", format!("[MQTT-3.3.4-9] {counted} of {maximum} in flight to {id:?}"));
        }
    }

    /// A PUBLISH was sent by a connection that the same input ended.
    fn sent_before_its_end(&mut self, id: ConnectionId, version: ProtocolVersion, publish: &Publish) {
        let (now, bare) = (self.now, bare(publish));
        let fits = |it: &Delivery| it.publish(version, now) == bare;
        let Some((session, floats)) = self.ended.get_mut(&id) else {
            violated("nothing before CONNACK", format!("{id:?} {publish:?}"));
        };
        let number = session.number;
        let is_his = |float: &Float| float.candidates.iter().any(|(member, it)| *member == number && fits(it));
        let delivery = if publish.dup {
            let begun = session.in_flight.iter().position(|it| it.is_due && Some(it.id) == publish.packet_id);
            return session.in_flight[begun.expect("it was begun")].is_due = false;
        } else if let Some(index) = session.waiting.iter().position(fits) {
            session.waiting.remove(index)
        } else if let Some(index) = floats.iter().position(is_his) {
            let candidates = floats.remove(index).candidates;
            candidates.into_iter().find(|(member, it)| *member == number && fits(it)).expect("it fits").1
        } else {
            violated("nothing without a subscription", format!("{publish:?} to {id:?} before its end"));
        };
        let is_same = |it: &Delivery| Rc::ptr_eq(&it.message, &delivery.message) && it.origin == delivery.origin;
        let lives_on = self.sessions.iter().any(|it| it.number == number);
        if lives_on || delivery.qos == QoS::ExactlyOnce {
            self.floats.retain(|float| !float.candidates.iter().any(|(_, it)| is_same(it)));
        }
        if let (Some(id), true) = (publish.packet_id, lives_on) {
            let (is_released, is_counted, is_due) = (false, false, true);
            let session = self.session(number);
            session.waiting.retain(|it| !is_same(it));
            session.in_flight.push(InFlight { id, delivery, is_released, is_counted, is_due });
        }
    }

    /// Takes out what is expected and looks like this.
    fn expected(&mut self, number: u64, version: ProtocolVersion, publish: &Publish) -> Delivery {
        self.forget_void();
        let now = self.now;
        let fits = |it: &Delivery| !it.is_expired(now) && it.publish(version, now) == *publish;
        let session = self.sessions.iter().find(|it| it.number == number).expect("it has a connection");
        let is_late = |it: &Delivery| session.order.get(&it.order()).is_some_and(|last| *last > it.message.number);
        // Of several that look alike, the one that is in its turn.
        let rank = |it: &Delivery, is_optional: bool| (is_late(it), is_optional, it.since);
        let waiting = session.waiting.iter().enumerate().filter(|(_, it)| fits(it));
        let waiting = waiting.map(|(index, it)| (rank(it, it.is_optional), index)).min();
        let fitting =
            |float: &Float| float.candidates.iter().find(|(it, delivery)| *it == number && fits(delivery)).cloned();
        let floats = self.floats.iter().enumerate();
        let floats =
            floats.filter_map(|(index, float)| Some((rank(&fitting(float)?.1, float.is_optional), index))).min();
        let (delivery, keeps_order) = match (waiting, floats) {
            (Some(first), other) if other.is_none_or(|other| first.0 <= other.0) => {
                (self.session(number).waiting.remove(first.1), true)
            }
            (_, Some((_, index))) => {
                let float = self.floats.remove(index);
                (fitting(&float).expect("it fits").1, !float.is_handed_on && !float.is_optional)
            }
            _ => {
                let waiting = &self.session(number).waiting;
                let waiting: Vec<_> = waiting.iter().map(|it| it.publish(version, now)).collect();
                violated("nothing without a subscription", format!("{publish:?} is none of {waiting:#?}"));
            }
        };
        if keeps_order && !delivery.is_optional && !matches!(delivery.origin, Origin::Retained(_)) {
            let last = self.session(number).order.insert(delivery.order(), delivery.message.number);
            if last.is_some_and(|last| last > delivery.message.number) {
                violated("order", format!("[MQTT-4.6.0-5] {publish:?} after a later one"));
            }
        }
        delivery
    }

    /// A PUBREL was sent that answers nothing.
    pub fn released_again(&mut self, id: ConnectionId, packet_id: PacketId) {
        if self.ended.contains_key(&id) {
            return;
        }
        let number = self.connections.get(&id).and_then(|it| it.session);
        let first = number.and_then(|number| self.session(number).in_flight.iter_mut().find(|it| it.is_due));
        match first {
            Some(first) if first.id == packet_id && first.is_released => first.is_due = false,
            _ => violated("sent again though not due", format!("PUBREL {packet_id:?} to {id:?}")),
        }
    }

    /// Forgets retained messages that were to come and are retained no more, and what nobody can get any more.
    pub fn forget_void(&mut self) {
        let (now, retained) = (self.now, &self.retained);
        let is_void = |it: &Delivery| {
            let is_retained = matches!(it.origin, Origin::Retained(_));
            it.is_expired(now) || is_retained && !retained.iter().any(|other| Rc::ptr_eq(other, &it.message))
        };
        self.sessions.iter_mut().for_each(|session| session.waiting.retain(|it| !is_void(it)));
        self.floats.retain(|float| float.message.expires_at.is_none_or(|at| at > now));
    }

    /// Whoever can be sent something has been sent it.
    pub fn check_nobody_waits(&mut self, has_room: impl Fn(ConnectionId) -> bool) {
        self.forget_void();
        let mut ready = Vec::new();
        for session in &self.sessions {
            let Some(id) = session.connection.filter(|id| has_room(*id)) else { continue };
            let maximum = self.connections[&id].receive_maximum;
            if !session.has_room(maximum) {
                continue;
            }
            if session.in_flight.iter().any(|it| it.is_due) {
                violated("a lost message is sent again", format!("{:?} waits for {id:?}", session.client_id));
            }
            if let Some(waiting) = session.waiting.iter().find(|it| !it.is_optional) {
                violated("who can be sent something is", format!("{:?} {:?}", id, waiting.message.publish));
            }
            ready.push(session.number);
        }
        let is_ready = |float: &&Float| float.candidates.iter().all(|(number, _)| ready.contains(number));
        if let Some(float) = self.floats.iter().filter(|float| !float.is_optional).find(is_ready) {
            violated("who can be sent something is", format!("a member: {:?}", float.message.publish));
        }
    }
}

impl Session {
    fn has_room(&self, receive_maximum: usize) -> bool {
        let counted = self.in_flight.iter().filter(|it| it.is_counted).count();
        counted < receive_maximum && self.in_flight.len() < 2 * receive_maximum
    }
}

/// What of a PUBLISH the message decides.
fn bare(publish: &Publish) -> Publish {
    let mut bare = Publish { dup: false, packet_id: None, ..publish.clone() };
    bare.properties.subscription_identifiers.sort_unstable();
    bare
}
