//! Connections that outlive their broker: what the host is to remember of each, and how they go on with it.

use super::{
    Action, Broker, ConnectionId, Event,
    connection::{Connection, Link, ReAuthentication, Stage},
    grants::Rights,
    route::Subscription,
    session::SessionId,
    sys::is_sys,
};
use crate::{
    codec::{ReasonCode, Text},
    session::{AliasAssigner, KeepAlive, TopicAliases, Violation},
    store::{self, Key, Record},
    time::Timestamp,
    topic::TopicFilter,
};
use alloc::{boxed::Box, vec::Vec};
use bytes::{Bytes, BytesMut};
use core::num::NonZeroU16;

/// The most bytes that [`Action::Remember`] has: what a Durable Object keeps beside a socket, less what that adds.
pub const MAXIMUM_STATE: usize = 16_000;

impl Broker {
    /// What the host is to remember of the connection, unless it knows already where that is stored.
    pub(super) fn remember(&mut self, id: ConnectionId) -> Option<Bytes> {
        let connection = self.connections.get(&id).filter(|connection| !connection.is_gone)?;
        let link = if let Stage::Open(link) = &connection.stage { Some(self.link_to_record(link)?) } else { None };
        let record = connection.to_record(link);
        let state = record.to_value();
        let was = connection.remembered;
        let is_stored = state.len() > MAXIMUM_STATE;
        match (is_stored, was.is_stored) {
            (true, _) => self.mirror.put(Key::Connection(id.0), &record),
            (false, true) => self.mirror.delete(Key::Connection(id.0)),
            (false, false) => {}
        }
        let connection = self.connections.get_mut(&id)?;
        connection.remembered.is_stored = is_stored;
        connection.remembered.has_unread = !record.unread.is_empty();
        match (is_stored, was.is_stored) {
            (true, true) => None,
            (true, false) => Some(stored_at(id)),
            (false, _) => Some(state),
        }
    }

    /// A connection goes on where it was.
    pub(super) fn resumed(&mut self, id: ConnectionId, state: Bytes) {
        if state.is_empty() {
            self.opened(id);
            return self.set_silence_for_good(id, Some(self.now.plus_millis(self.config.connect_timeout_millis)));
        }
        let state = match place_of(&state) {
            None => state,
            Some(place) => self.orphans.take_connection(place).unwrap_or_default(),
        };
        if self.resume(id, state).is_none() {
            self.connections.remove(&id);
            self.actions.push_back(Action::Close { connection: id, reason: LOST.reason });
            self.actions.push_back(Action::Report(Event::Refused { connection: id, refusal: LOST.into() }));
        }
    }

    /// `None` when the state is none, or its session is gone.
    fn resume(&mut self, id: ConnectionId, state: Bytes) -> Option<()> {
        let record = store::Connection::from_value(state).ok()?;
        let maximum = if record.link.is_some() { self.config.maximum_packet_size } else { self.config.connect_size() };
        self.connections.insert(id, Connection::restored(&record, maximum));
        match record.link {
            Some(link) => self.resume_link(id, link, record.silence_at)?,
            None => {
                let timeout = self.now.plus_millis(self.config.connect_timeout_millis);
                self.set_silence_for_good(id, record.silence_at.or(Some(timeout)));
            }
        }
        if record.is_pending {
            self.refuse(id, FORGOTTEN, None); // the question that was asked is lost
        } else {
            self.fall_behind(id);
        }
        Some(())
    }

    fn resume_link(&mut self, id: ConnectionId, link: store::Link, silence_at: Option<Timestamp>) -> Option<()> {
        let re_authentication = match link.re_authentication {
            None => ReAuthentication::None,
            Some(true) => ReAuthentication::ClientIsAsked,
            Some(false) => return None, // the question that the host was asked is lost
        };
        let session_id = SessionId(link.session);
        match link.volatile {
            Some(volatile) => self.restore_volatile(session_id, volatile)?,
            None => self.take_orphan(session_id).then_some(())?,
        }
        let version = self.connections.get(&id)?.version;
        let receive_maximum = self.config.receive_maximum_for(version);
        let session = self.sessions.get_mut(&session_id)?;
        session.connection = Some(id);
        session.inbound.connected(receive_maximum);
        session.outbound.resumed(link.receive_maximum, &link.uncounted, &link.resends);
        let keep_alive = match silence_at {
            Some(at) => KeepAlive::ending(link.keep_alive, at),
            None => KeepAlive::new(link.keep_alive, self.now),
        };
        let open = Link {
            session: session_id,
            rights: Rights::restored(link.rights),
            keep_alive,
            aliases: TopicAliases::restored(link.aliases_accepted, detached(link.aliases)),
            assigner: AliasAssigner::restored(link.aliases_assignable, detached(link.assigned)),
            user_name: link.user_name.as_ref().map(Text::detached),
            asked_expiry_interval: link.asked_expiry_interval,
            method: link.method.as_ref().map(Text::detached),
            re_authentication,
            receive_maximum: link.receive_maximum,
        };
        self.set_stage(id, Stage::Open(Box::new(open)));
        self.statistics.clients_connected += 1;
        self.statistics.clients_maximum = self.statistics.clients_maximum.max(self.statistics.clients_connected);
        self.watch_sys(session_id);
        self.set_silence_for_good(id, keep_alive.peer_is_dead_at());
        Some(())
    }

    /// A session that ends with its connection, unless another has its place.
    fn restore_volatile(&mut self, id: SessionId, volatile: store::Volatile) -> Option<()> {
        let client_id = volatile.client_id.detached();
        if self.sessions.contains_key(&id) || self.by_client_id.contains_key(&client_id) {
            return None;
        }
        self.insert_session(id, client_id, volatile.user_name.as_ref().map(Text::detached));
        for (filter, subscription) in volatile.subscriptions {
            if let Ok(filter) = TopicFilter::parse(filter.detached()) {
                self.restore_subscription(id, filter, Subscription::restored(subscription));
            }
        }
        Some(())
    }

    /// Adds a subscription that was granted once, if the trees may hold its filter.
    pub(super) fn restore_subscription(
        &mut self,
        id: SessionId,
        filter: TopicFilter,
        subscription: Subscription,
    ) -> bool {
        let is_allowed = !self.config.forbids_levels(filter.level_count());
        if let Some(session) = self.sessions.get_mut(&id).filter(|_| is_allowed) {
            session.sys_subscriptions += usize::from(is_sys(&filter));
            session.subscriptions.insert(filter.clone());
            self.insert_route(&filter, id, subscription);
        }
        is_allowed
    }

    fn link_to_record(&self, link: &Link) -> Option<store::Link> {
        let session = self.sessions.get(&link.session)?;
        let subscriptions = session.subscriptions.iter().filter_map(|filter| {
            let subscription = self.subscription(filter, link.session)?;
            Some((filter.text().clone(), subscription.to_record()))
        });
        let volatile = (!session.is_kept).then(|| store::Volatile {
            client_id: session.client_id.clone(),
            user_name: session.user_name.clone(),
            subscriptions: subscriptions.collect(),
        });
        let (aliases_accepted, aliases) = link.aliases.parts();
        let (aliases_assignable, assigned) = link.assigner.parts();
        let (uncounted, resends) = session.outbound.uncarried();
        Some(store::Link {
            session: link.session.0,
            volatile,
            rights: link.rights.to_records(),
            keep_alive: link.keep_alive.seconds(),
            receive_maximum: link.receive_maximum,
            aliases_accepted,
            aliases: aliases.map(|(alias, topic)| (alias, topic.clone())).collect(),
            aliases_assignable,
            assigned: assigned.map(|(alias, topic)| (alias, topic.clone())).collect(),
            user_name: link.user_name.clone(),
            asked_expiry_interval: link.asked_expiry_interval,
            method: link.method.clone(),
            re_authentication: match link.re_authentication {
                ReAuthentication::None => None,
                ReAuthentication::ClientIsAsked => Some(true),
                ReAuthentication::HostIsAsked => Some(false),
            },
            uncounted,
            resends,
        })
    }
}

/// The state of a connection that is stored: no value begins with 0.
fn stored_at(id: ConnectionId) -> Bytes {
    let mut state = BytesMut::from(&[0][..]);
    state.extend_from_slice(&id.0.to_be_bytes());
    state.freeze()
}

fn place_of(state: &[u8]) -> Option<u64> {
    state.strip_prefix(&[0])?.try_into().ok().map(u64::from_be_bytes)
}

fn detached(aliases: Vec<(NonZeroU16, Text)>) -> impl Iterator<Item = (NonZeroU16, Text)> {
    aliases.into_iter().map(|(alias, topic)| (alias, topic.detached()))
}

const LOST: Violation =
    Violation::new(ReasonCode::UnspecifiedError, "what this connection was about was not found after a restart");
const FORGOTTEN: Violation =
    Violation::new(ReasonCode::ServerBusy, "the server restarted during authentication (4.12)");
