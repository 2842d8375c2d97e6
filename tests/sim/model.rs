//! A broker as dumb as the standard allows: it looks at every subscription for every message, shares nothing, sends nothing.
//! It says what each input must cause and who is to get what; when a delivery is sent is the broker's choice.

use super::{
    delivery::{Delivery, Float, InFlight, Message, Origin, Subscription},
    rules::{matches, may_publish, may_subscribe},
    state::{Connection, Due, Model, Session, answer, connack},
};
use mqlite::{
    broker::ConnectionId,
    codec::{
        Ack, AckProperties, Disconnect, Packet, ProtocolVersion, Publish, QoS, ReasonCode, RetainHandling, SubAck,
        Subscribe, SubscriptionOptions, Text, UnsubAck, Unsubscribe,
    },
};
use std::{collections::BTreeSet, rc::Rc};

impl Model {
    /// An input begins: what is due comes first, but not before a connection that is resumed.
    pub fn begin(&mut self, now: u64, is_resumed: bool) {
        self.now = self.now.max(now);
        self.forget_input();
        if is_resumed {
            return;
        }
        for id in std::mem::take(&mut self.lost) {
            self.end(id, false);
        }
        while let Some((_, due)) = self.due().filter(|(at, _)| *at <= self.now) {
            match due {
                Due::Silence(id) => self.silent(id),
                Due::Will(session) => self.publish_will(session),
                Due::Delayed(index) => {
                    let (_, publisher, publish) = self.delayed.remove(index);
                    self.take(publish, Some(publisher));
                }
                Due::End(session) => self.end_session(session),
                Due::Retained(index) => _ = self.retained.remove(index),
            }
        }
    }

    fn silent(&mut self, id: ConnectionId) {
        let connection = self.connections.get_mut(&id).expect("it is silent");
        let dead_at = connection.last + u64::from(connection.keep_alive) * 1_500;
        if connection.session.is_some() && dead_at > self.now {
            return connection.silence_at = Some(dead_at);
        }
        match (connection.session, &connection.pending) {
            (None, Some(_)) => return self.refuse(id, ReasonCode::ServerBusy),
            (None, None) => {}
            (Some(_), _) => self.tell(id, ReasonCode::KeepAliveTimeout),
        }
        self.close(id, ReasonCode::KeepAliveTimeout, false);
    }

    pub fn opened(&mut self, id: ConnectionId) {
        let silence_at = Some(self.now + 10_000);
        self.connections.insert(id, Connection { last: self.now, silence_at, ..Connection::default() });
    }

    /// The network failed, or the broker ended the connection for a limit of its own.
    pub fn closed(&mut self, id: ConnectionId) {
        self.end(id, false);
    }

    pub fn packet(&mut self, id: ConnectionId, packet: Packet) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if let (None, Packet::Connect(connect)) = (connection.session, &packet) {
            (connection.version, connection.pending) = (connect.version, Some(connect.clone()));
            return if self.setup.asks == 0 {
                self.admit(id)
            };
        }
        let Some(number) = connection.session else { return connection.held.push(packet) };
        connection.last = self.now;
        let sixteenth = u64::from(connection.keep_alive) * 1_000 / 16;
        if connection.noted.is_none_or(|noted| self.now - noted > sixteenth) {
            connection.noted = Some(self.now);
            if self.setup.durability == 2 && connection.keep_alive > 0 {
                connection.silence_at = Some(self.now + u64::from(connection.keep_alive) * 1_500);
            }
        }
        match packet {
            Packet::Publish(publish) => self.publish(id, number, publish),
            Packet::PubAck(ack) | Packet::PubComp(ack) => self.session(number).finish(ack.packet_id),
            Packet::PubRec(ack) if ack.reason.is_failure() => self.session(number).finish(ack.packet_id),
            Packet::PubRec(ack) => {
                let known = self.session(number).in_flight.iter_mut().find(|it| it.id == ack.packet_id);
                let was_released = known.map(|it| std::mem::replace(&mut it.is_released, true));
                let is_known = was_released.is_some();
                self.touch(number, was_released == Some(false));
                self.answers.push((id, Packet::PubRel(answer(ack.packet_id, is_known))));
            }
            Packet::PubRel(ack) => {
                let is_known = self.session(number).received.remove(&ack.packet_id);
                self.touch(number, is_known);
                self.answers.push((id, Packet::PubComp(answer(ack.packet_id, is_known))));
            }
            Packet::Subscribe(subscribe) => self.subscribe(id, number, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(id, number, &unsubscribe),
            Packet::PingReq => self.answers.push((id, Packet::PingResp)),
            Packet::Disconnect(disconnect) => {
                if let Some(expiry) = disconnect.properties.session_expiry_interval {
                    self.session(number).expiry = expiry;
                }
                self.close(id, disconnect.reason, disconnect.reason == ReasonCode::Success);
            }
            other => unreachable!("no client of ours sends {other:?}"),
        }
    }

    /// The client is let in, if its will is allowed.
    pub fn admit(&mut self, id: ConnectionId) {
        let Some(connect) = self.connections.get_mut(&id).and_then(|it| it.pending.take()) else { return };
        if let Some(will) = &connect.will
            && !may_publish(self.setup.asks, &connect.client_id, &will.topic, will.qos, will.retain)
        {
            return self.refuse(id, ReasonCode::NotAuthorized);
        }
        let find = |model: &Self| model.sessions.iter().find(|it| it.client_id == connect.client_id).cloned();
        if let Some(old) = find(self).and_then(|old| old.connection) {
            self.tell(old, ReasonCode::SessionTakenOver);
            self.close(old, ReasonCode::SessionTakenOver, false);
        }
        let present = find(self).filter(|_| !connect.clean_start);
        if let (Some(old), None) = (find(self), &present) {
            self.end_session(old.number);
        }
        let number = present.as_ref().map_or_else(|| self.begin_session(&connect.client_id), |old| old.number);
        let is_v5 = connect.version == ProtocolVersion::V5;
        let (properties, most) = (&connect.properties, self.setup.in_flight as usize);
        let session = self.session(number);
        (session.connection, session.expires_at, session.will_at) = (Some(id), None, None);
        session.expiry = match (is_v5, connect.clean_start) {
            (true, _) => properties.session_expiry_interval.unwrap_or(0),
            (false, is_clean) => {
                if is_clean {
                    0
                } else {
                    u32::MAX
                }
            }
        };
        session.will = connect.will.as_ref().map(|will| {
            let (topic, payload) = (will.topic.clone(), will.payload.bytes().clone());
            let mut publish = Publish { qos: will.qos, retain: will.retain, topic, payload, ..Publish::default() };
            publish.properties.message_expiry_interval = will.properties.message_expiry_interval;
            (publish, will.properties.will_delay_interval.unwrap_or(0))
        });
        session.in_flight.iter_mut().for_each(|it| (it.is_counted, it.is_due) = (false, true));
        self.touch(number, true);
        let connection = self.connections.get_mut(&id).expect("it was there above");
        (connection.session, connection.last, connection.keep_alive) = (Some(number), self.now, connect.keep_alive);
        connection.noted = Some(self.now);
        connection.silence_at = Some(self.now + u64::from(connect.keep_alive) * 1_500).filter(|at| *at > self.now);
        connection.receive_maximum = properties.receive_maximum.map_or(65_535, |it| usize::from(it.get())).min(most);
        let held = std::mem::take(&mut connection.held);
        self.answers.push((id, connack(present.is_some(), ReasonCode::Success)));
        held.into_iter().for_each(|packet| self.packet(id, packet));
    }

    /// The host closes the connection of a client, perhaps with its session.
    pub fn dismiss(&mut self, client_id: &Text, ends: bool) {
        let find = |model: &Self| model.sessions.iter().find(|it| it.client_id == *client_id).cloned();
        let Some(session) = find(self) else { return };
        if let Some(id) = session.connection {
            self.tell(id, ReasonCode::AdministrativeAction);
            self.close(id, ReasonCode::AdministrativeAction, false);
        }
        if let Some(session) = find(self).filter(|_| ends) {
            self.touch(session.number, true);
            self.end_session(session.number);
        }
    }

    pub fn refuse(&mut self, id: ConnectionId, reason: ReasonCode) {
        self.answers.push((id, connack(false, reason)));
        self.close(id, reason, false);
    }

    fn tell(&mut self, id: ConnectionId, reason: ReasonCode) {
        if self.connections[&id].version == ProtocolVersion::V5 {
            self.answers.push((id, Packet::Disconnect(Disconnect::from(reason))));
        }
    }

    fn close(&mut self, id: ConnectionId, reason: ReasonCode, is_clean: bool) {
        self.closes.push((id, reason));
        self.end(id, is_clean);
    }

    fn end(&mut self, id: ConnectionId, is_clean: bool) {
        if let Some(session) = self.connections.remove(&id).and_then(|connection| connection.session) {
            let before = self.session(session).clone();
            self.over.insert(before.client_id.clone());
            self.ended.insert(id, (before, self.floats.clone()));
            self.detach(session, is_clean);
        }
    }

    fn begin_session(&mut self, client_id: &Text) -> u64 {
        self.last += 1;
        self.sessions.push(Session { number: self.last, client_id: client_id.clone(), ..Session::default() });
        self.last
    }

    fn detach(&mut self, number: u64, is_clean: bool) {
        let now = self.now;
        let session = self.session(number);
        session.connection = None;
        session.waiting.retain(Delivery::is_kept);
        let expiry = session.expiry;
        match session.will.as_ref().map(|(_, delay)| (*delay).min(expiry)) {
            _ if is_clean => session.will = None,
            None => {}
            Some(0) => self.publish_will(number),
            Some(delay) => session.will_at = Some(now + u64::from(delay) * 1_000),
        }
        match expiry {
            0 => self.end_session(number),
            u32::MAX => {}
            seconds => self.session(number).expires_at = Some(now + u64::from(seconds) * 1_000),
        }
    }

    fn end_session(&mut self, number: u64) {
        self.publish_will(number);
        let Some(index) = self.sessions.iter().position(|it| it.number == number) else { return };
        let session = self.sessions.remove(index);
        // What began with this input need not be there after a crash, nor its end.
        self.is_touched &= number <= self.before;
        self.over.insert(session.client_id.clone());
        for float in std::mem::take(&mut self.floats) {
            let is_candidate = float.candidates.iter().any(|(it, _)| *it == number);
            if is_candidate {
                let others: Vec<_> = float.candidates.iter().filter(|(it, _)| *it != number).cloned().collect();
                // Who left the share may have the message or not: if not, and nobody is left, it is gone.
                let is_member = |it: &Session| it.subscriptions.iter().any(|it| it.filter == float.filter);
                let has_left = |it: &Session| others.iter().any(|(other, _)| *other == it.number) && !is_member(it);
                let is_optional = float.is_optional || self.sessions.iter().any(has_left);
                let count = self.floats.len();
                self.float(&float.filter, &float.message, others, true);
                self.floats[count..].iter_mut().for_each(|it| it.is_optional |= is_optional);
            } else {
                self.floats.push(float);
            }
        }
        // [MQTT-4.8.2-5] what was begun at QoS 2 goes to nobody else
        for InFlight { delivery, .. } in session.in_flight.into_iter().filter(|it| it.delivery.qos < QoS::ExactlyOnce) {
            if let Origin::Shared(filter) = &delivery.origin {
                let count = self.floats.len();
                self.float(filter, &delivery.message, Vec::new(), true);
                self.floats[count..].iter_mut().for_each(|it| it.is_optional |= delivery.is_optional);
            }
        }
    }

    fn publish_will(&mut self, number: u64) {
        let session = self.session(number);
        session.will_at = None;
        if let Some((publish, _)) = session.will.take() {
            self.take(publish, Some(number));
        }
    }

    fn publish(&mut self, id: ConnectionId, number: u64, mut publish: Publish) {
        let connection = self.connections.get_mut(&id).expect("a packet came by it");
        if let Some(alias) = publish.properties.topic_alias {
            if publish.topic.is_empty() {
                publish.topic = connection.aliases[&alias.get()].clone();
            }
            connection.aliases.insert(alias.get(), publish.topic.clone());
        }
        let mut delay = 0;
        if let Some((seconds, topic)) =
            publish.topic.as_str().strip_prefix("$delayed/").and_then(|it| it.split_once('/'))
        {
            delay = seconds.parse().expect("seconds");
            publish.topic = Text::try_from(topic).expect("a topic");
        }
        let (asks, qos, packet_id) = (self.setup.asks, publish.qos, publish.packet_id);
        let session = self.session(number);
        let is_new = qos < QoS::ExactlyOnce || session.received.insert(packet_id.expect("QoS 2 has one"));
        let is_allowed = may_publish(asks, &session.client_id, &publish.topic, qos, publish.retain);
        let reason = match (is_new, is_allowed) {
            (false, _) => ReasonCode::Success,
            (true, false) => ReasonCode::NotAuthorized,
            (true, true) if delay > 0 => {
                self.is_touched = true;
                self.delayed.push((self.now + delay * 1_000, number, publish));
                ReasonCode::Success
            }
            (true, true) => self.take(publish, Some(number)),
        };
        let Some(packet_id) = packet_id else { return };
        let ack = Ack { packet_id, reason, properties: AckProperties::default() };
        if qos == QoS::AtLeastOnce {
            return self.answers.push((id, Packet::PubAck(ack)));
        }
        self.touch(number, is_new && !reason.is_failure());
        if reason.is_failure() {
            self.session(number).received.remove(&packet_id);
        }
        self.answers.push((id, Packet::PubRec(ack)));
    }

    /// Retains and routes a message.
    pub fn take(&mut self, mut publish: Publish, publisher: Option<u64>) -> ReasonCode {
        let expiry = publish.properties.message_expiry_interval.take();
        (publish.packet_id, publish.dup, publish.properties.topic_alias) = (None, false, None);
        self.last += 1;
        let expires_at = expiry.map(|seconds| self.now + u64::from(seconds) * 1_000);
        let message = Rc::new(Message { number: self.last, publisher, publish, expires_at });
        let topic = &message.publish.topic;
        if message.publish.qos == QoS::ExactlyOnce {
            *self.accepted.entry(message.publish.payload.clone()).or_default() += 1;
        }
        if message.publish.retain {
            let is_new = self.retained.iter().all(|it| it.publish.topic != *topic);
            let is_removal = message.publish.payload.is_empty();
            if is_new && !is_removal && self.retained.len() as u64 >= self.setup.retained {
                return ReasonCode::QuotaExceeded;
            }
            self.is_touched |= !is_new || !is_removal;
            self.retained.retain(|it| it.publish.topic != *topic);
            self.retained.extend((!is_removal).then(|| message.clone()));
        }
        let mut is_matched = false;
        let mut shares = BTreeSet::new();
        for session in &mut self.sessions {
            let all = session.subscriptions.iter().filter(|it| matches(&it.filter, topic.as_str()));
            let (mut mine, number) = (None::<Delivery>, Some(session.number));
            for subscription in all {
                if subscription.filter.starts_with("$share/") {
                    shares.insert(subscription.filter.clone());
                } else if !(subscription.options.no_local && publisher == number) {
                    let mut next = subscription.delivery(&message, Origin::Live, message.number);
                    if let Some(mut first) = mine.take() {
                        first.identifiers.append(&mut next.identifiers);
                        (next.qos, next.retain) = (next.qos.max(first.qos), next.retain | first.retain);
                        next.identifiers = first.identifiers;
                    }
                    mine = Some(next);
                }
            }
            is_matched |= mine.is_some();
            let mine = mine.filter(|it| session.connection.is_some() || it.qos > QoS::AtMostOnce);
            self.is_touched |= session.expiry > 0 && mine.as_ref().is_some_and(|it| it.qos > QoS::AtMostOnce);
            session.waiting.extend(mine);
        }
        for filter in &shares {
            self.float(filter, &message, Vec::new(), false);
        }
        if is_matched || !shares.is_empty() { ReasonCode::Success } else { ReasonCode::NoMatchingSubscribers }
    }

    /// Some member of the share, or one of `others`, is to get the message.
    fn float(&mut self, filter: &Rc<str>, message: &Rc<Message>, others: Vec<(u64, Delivery)>, is_handed_on: bool) {
        let (mut candidates, mut is_kept) = (others, true);
        for session in &self.sessions {
            for subscription in session.subscriptions.iter().filter(|it| it.filter == *filter) {
                let delivery = subscription.delivery(message, Origin::Shared(filter.clone()), self.last);
                if session.connection.is_some() || delivery.qos > QoS::AtMostOnce {
                    is_kept &= session.expiry > 0 && delivery.qos > QoS::AtMostOnce;
                    candidates.push((session.number, delivery));
                }
            }
        }
        let is_optional = candidates.iter().any(|(_, it)| it.qos == QoS::AtMostOnce);
        if !candidates.is_empty() {
            self.is_touched |= is_kept;
            let (filter, message) = (filter.clone(), message.clone());
            self.floats.push(Float { message, filter, candidates, is_optional, is_handed_on });
        }
    }

    fn subscribe(&mut self, id: ConnectionId, number: u64, subscribe: Subscribe) {
        let (asks, most, retained) = (self.setup.asks, self.setup.subscriptions as usize, self.retained.clone());
        let (identifier, last) = (subscribe.properties.subscription_identifier, self.last);
        let session = self.session(number);
        let mut greeted = BTreeSet::new();
        let mut grant = |filter: &Text, mut options: SubscriptionOptions| {
            let name = filter.as_str();
            let Some(qos) = may_subscribe(asks, &session.client_id, name) else { return ReasonCode::NotAuthorized };
            let old = session.subscriptions.iter().position(|it| *it.filter == *name);
            if old.is_none() && session.subscriptions.len() >= most {
                return ReasonCode::QuotaExceeded;
            }
            options.qos = options.qos.min(qos);
            let new = Subscription { filter: name.into(), options, identifier };
            for waiting in session.waiting.iter_mut().filter(|it| it.origin == Origin::Retained(name.into())) {
                let (is_fresh, since) = (waiting.is_fresh, waiting.since);
                *waiting = Delivery { is_fresh, ..new.delivery(&waiting.message, waiting.origin.clone(), since) };
            }
            let is_sent = match options.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => old.is_none(),
                RetainHandling::DoNotSend => false,
            };
            if is_sent && !name.starts_with("$share/") && greeted.insert(filter.clone()) {
                session.waiting.retain(|it| it.origin != Origin::Retained(name.into()));
                let matching = retained.iter().filter(|it| matches(name, it.publish.topic.as_str()));
                session.waiting.extend(matching.map(|it| new.delivery(it, Origin::Retained(name.into()), last)));
            }
            match old {
                Some(old) => session.subscriptions[old] = new,
                None => session.subscriptions.push(new),
            }
            [ReasonCode::Success, ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS2][options.qos as usize]
        };
        let reasons: Vec<_> = subscribe.filters.iter().map(|it| grant(&it.filter, it.options)).collect();
        let (packet_id, properties) = (subscribe.packet_id, AckProperties::default());
        self.touch(number, reasons.iter().any(|reason| !reason.is_failure()));
        self.answers.push((id, Packet::SubAck(SubAck { packet_id, properties, reasons })));
    }

    fn unsubscribe(&mut self, id: ConnectionId, number: u64, unsubscribe: &Unsubscribe) {
        let session = self.session(number);
        let revoke = |filter: &Text| {
            let name = filter.as_str();
            let before = session.subscriptions.len();
            session.subscriptions.retain(|it| *it.filter != *name);
            session.waiting.retain(|it| it.origin != Origin::Retained(name.into()));
            let is_gone = session.subscriptions.len() < before;
            if is_gone { ReasonCode::Success } else { ReasonCode::NoSubscriptionExisted }
        };
        let reasons: Vec<_> = unsubscribe.filters.iter().map(revoke).collect();
        let (packet_id, properties) = (unsubscribe.packet_id, AckProperties::default());
        self.touch(number, reasons.contains(&ReasonCode::Success));
        self.answers.push((id, Packet::UnsubAck(UnsubAck { packet_id, properties, reasons })));
    }
}
