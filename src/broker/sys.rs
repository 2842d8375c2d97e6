//! `$SYS` topics: what the broker says of itself, to those who subscribe and only while they do.

use super::{
    Broker, Durability,
    deadlines::Due,
    deliver::Shared,
    message::{Message, Origin},
    session::SessionId,
};
use crate::{
    codec::{Publish, Text},
    time::Timestamp,
    topic::{TopicFilter, TopicName},
};
use alloc::{
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use bytes::Bytes;

impl Broker {
    /// Counts the session among those who watch `$SYS`, or no longer: connected, with a subscription to it. The first begins
    /// the publishing.
    pub(super) fn watch_sys(&mut self, session: SessionId) {
        let Some(session) = self.sessions.get_mut(&session) else { return };
        let watches = session.connection.is_some() && session.sys_subscriptions > 0;
        let connection = session.connection;
        match (core::mem::replace(&mut session.watches_sys, watches), watches) {
            (false, true) => self.sys_watchers += 1,
            (true, false) => self.sys_watchers -= 1,
            _ => return,
        }
        connection.into_iter().for_each(|connection| self.connection_changed(connection));
        if watches && self.sys_at.is_none() && self.config.sys_interval_seconds > 0 {
            self.set_sys();
        }
    }

    /// Publishes all `$SYS` topics, and goes on while anybody watches.
    pub(super) fn publish_sys(&mut self) {
        self.sys_at = None;
        for message in self.all_sys_messages() {
            self.route(&message, None);
        }
        if self.sys_watchers > 0 {
            self.set_sys();
        }
    }

    /// Queues the `$SYS` messages that new subscriptions match, as if they were retained.
    pub(super) fn send_sys(&mut self, session: SessionId, filters: &[TopicFilter]) {
        if self.config.sys_interval_seconds == 0 || !filters.iter().any(is_sys) {
            return;
        }
        let messages = self.all_sys_messages();
        for filter in filters.iter().filter(|filter| is_sys(filter)) {
            let Some(subscription) = self.routes.get(filter).and_then(|all| all.of(session)).cloned() else { continue };
            for message in messages.iter().filter(|message| filter.matches(&message.topic)) {
                let delivery = subscription.delivery(message, Origin::Retained);
                self.enqueue(session, delivery, &mut Shared::default());
            }
        }
    }

    /// A broker before this one would have published them at this time.
    pub(super) fn resume_sys(&mut self, at: Option<Timestamp>) {
        if at.is_some() && at < self.sys_at {
            self.set_sys_at(at);
        }
    }

    fn set_sys(&mut self) {
        self.set_sys_at(Some(self.now.plus_secs(self.config.sys_interval_seconds.into())));
    }

    /// Each connection that watches remembers it.
    fn set_sys_at(&mut self, at: Option<Timestamp>) {
        self.deadlines.set(Due::Sys, self.sys_at, at);
        self.sys_at = at;
        if self.config.durability == Durability::Connections {
            for id in self.sessions.keys() {
                let watcher = self.sessions.get(&id).filter(|session| session.watches_sys);
                let connection = watcher.and_then(|session| session.connection);
                connection.into_iter().for_each(|connection| self.connection_changed(connection));
            }
        }
    }

    fn all_sys_messages(&self) -> Vec<Arc<Message>> {
        let statistics = self.statistics();
        let uptime = self.now.millis_since(self.started.unwrap_or(self.now)) / 1_000;
        let values: [(&'static str, String); 17] = [
            ("$SYS/broker/version", concat!("mqlite ", env!("CARGO_PKG_VERSION")).into()),
            ("$SYS/broker/uptime", uptime.to_string()),
            ("$SYS/broker/clients/connected", statistics.clients_connected.to_string()),
            ("$SYS/broker/clients/maximum", statistics.clients_maximum.to_string()),
            ("$SYS/broker/clients/total", statistics.sessions.to_string()),
            ("$SYS/broker/subscriptions/count", statistics.subscriptions.to_string()),
            ("$SYS/broker/retained messages/count", statistics.retained_messages.to_string()),
            ("$SYS/broker/retained messages/bytes", statistics.retained_bytes.to_string()),
            ("$SYS/broker/messages/stored", statistics.messages_stored.to_string()),
            ("$SYS/broker/messages/delayed", statistics.messages_delayed.to_string()),
            ("$SYS/broker/messages/received", statistics.messages_received.to_string()),
            ("$SYS/broker/messages/sent", statistics.messages_sent.to_string()),
            ("$SYS/broker/messages/dropped", statistics.messages_dropped.to_string()),
            ("$SYS/broker/messages/refused", statistics.messages_refused.to_string()),
            ("$SYS/broker/bytes/received", statistics.bytes_received.to_string()),
            ("$SYS/broker/bytes/sent", statistics.bytes_sent.to_string()),
            ("$SYS/broker/connections/refused", statistics.connections_refused.to_string()),
        ];
        values.into_iter().filter_map(|(topic, value)| self.sys_message(topic, value)).collect()
    }

    fn sys_message(&self, topic: &'static str, value: String) -> Option<Arc<Message>> {
        let topic = TopicName::parse(Text::from_static(topic)).ok()?;
        let mut publish = Publish { payload: Bytes::from(value), ..Default::default() };
        Some(Arc::new(Message::new(&mut publish, topic, self.now, &self.tally)))
    }
}

pub(super) fn is_sys(filter: &TopicFilter) -> bool {
    filter.levels().next() == Some(b"$SYS")
}
