//! Connections that outlive their broker: what the host is to remember of each, and how they go on with it.

use super::{
    Action, Broker, ConnectionId, Event,
    connection::{Connection, Link, ReAuthentication, Stage},
    grants::Rights,
    mirror::Mirror,
    route::Subscription,
    session::SessionId,
    sys::is_sys,
};
use crate::{
    codec::{ConnAckProperties, ReasonCode, Text},
    session::{AliasAssigner, KeepAlive, TopicAliases, Violation},
    store::{self, Key, Record},
    time::Timestamp,
    topic::TopicFilter,
};
use alloc::{boxed::Box, vec::Vec};
use bytes::Bytes;
use core::num::NonZeroU16;

/// The most bytes that [`Action::Remember`] has: what a Durable Object keeps beside a socket, less what that adds.
pub const MAXIMUM_STATE: usize = 16_000;

/// What the host remembers of a connection, and where.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// The last state.
    state: Bytes,
    /// When it is closed for silence, as far as the host knows: to resume it gives it no more time.
    pub(super) silence_at: Option<Timestamp>,
    /// Whether what was agreed on may have changed since it was remembered.
    pub(super) is_stale: bool,
    /// Whether that is a record, because it is too large for a place beside the socket.
    pub(super) is_stored: bool,
    /// That record, as the connection came back with it.
    came: Bytes,
    /// The number in the keys of its records; 0 until it needs one.
    place: u64,
    /// The positions of unread bytes at which records of them begin, and at which the last one ends.
    starts: Vec<u64>,
    end: u64,
    has_unread: bool,
}

impl Remembered {
    /// Whether unread bytes are part of it.
    pub(super) const fn has_unread(&self) -> bool {
        self.has_unread
    }

    /// Writes what needs a record, and returns the state if it is another one than before. `unread` begins at `position` and
    /// is what remains behind as many bytes as it is told to skip.
    pub(super) fn update(
        &mut self,
        agreed: Option<Bytes>,
        position: u64,
        unread: impl Fn(usize) -> Bytes,
        mirror: &mut Mirror,
    ) -> Option<Bytes> {
        self.forget_read(position, mirror);
        if let Some(agreed) = &agreed {
            self.store_agreed(agreed, mirror);
        }
        let agreed = agreed.filter(|_| !self.is_stored);
        let stored = if self.starts.is_empty() { 0 } else { self.end - position };
        let rest = unread(stored as usize);
        self.has_unread = stored as usize + rest.len() > 0;
        let mut unread = store::Unread { position, stored, rest };
        let room = MAXIMUM_STATE - STATE - agreed.as_ref().map_or(0, Bytes::len);
        self.store_unread(&mut unread, room, mirror);
        let has_records = self.is_stored || !self.starts.is_empty();
        let place = if has_records { self.place } else { 0 };
        unread.position = if self.starts.is_empty() { 0 } else { position };
        let state = store::State { place, connection: agreed, unread }.to_value();
        if state == self.state {
            return None;
        }
        self.state = state.clone();
        Some(state)
    }

    /// Something was heard. Tells whether that is to be remembered: a little late is soon enough, and what is a record of its
    /// own is not written again for it.
    pub(super) fn has_heard(&mut self, keep_alive: &KeepAlive) -> bool {
        let at = if self.is_stored { None } else { keep_alive.peer_is_dead_at() };
        let is_due = match (self.silence_at, at) {
            (Some(known), Some(at)) => at.millis_since(known) > keep_alive.sixteenth_millis(),
            (known, at) => known != at,
        };
        if is_due {
            self.silence_at = at;
        }
        is_due
    }

    /// Deletes the records of bytes that were all read.
    fn forget_read(&mut self, position: u64, mirror: &mut Mirror) {
        let read = match self.starts.partition_point(|start| *start <= position) {
            count if self.end <= position => count,
            count => count.saturating_sub(1),
        };
        for start in self.starts.drain(..read) {
            mirror.delete(Key::Unread(self.place, start));
        }
    }

    fn store_agreed(&mut self, agreed: &Bytes, mirror: &mut Mirror) {
        let was_stored = self.is_stored;
        self.is_stale = false;
        self.is_stored = agreed.len() > MAXIMUM_STATE - STATE - PIECE;
        let is_same = core::mem::take(&mut self.came) == *agreed;
        if self.is_stored && !is_same {
            let key = Key::Connection(self.place(mirror));
            mirror.put_value(key, agreed.clone());
        } else if was_stored && !self.is_stored {
            mirror.delete(Key::Connection(self.place));
        }
    }

    /// Each byte is stored once, however slowly its packet comes, and in the same records.
    fn store_unread(&mut self, unread: &mut store::Unread, room: usize, mirror: &mut Mirror) {
        while unread.rest.len() > room {
            let (place, start) = (self.place(mirror), unread.position + unread.stored);
            let bytes = unread.rest.split_to(PIECE);
            mirror.put(Key::Unread(place, start), &store::Piece { bytes });
            self.starts.push(start);
            unread.stored += PIECE as u64;
            self.end = start + PIECE as u64;
        }
    }

    fn place(&mut self, mirror: &mut Mirror) -> u64 {
        if self.place == 0 {
            self.place = mirror.next_place();
        }
        self.place
    }

    /// The connection is gone, and so are its records.
    pub(super) fn erase(self, mirror: &mut Mirror) {
        if self.is_stored {
            mirror.delete(Key::Connection(self.place));
        }
        for start in self.starts {
            mirror.delete(Key::Unread(self.place, start));
        }
    }
}

impl Broker {
    /// What the host is to remember of the connection, if that is not what it does.
    pub(super) fn remember(&mut self, id: ConnectionId) -> Option<Bytes> {
        let connection = self.connections.get(&id).filter(|connection| !connection.is_gone)?;
        let agreed = if connection.remembered.is_stored && !connection.remembered.is_stale {
            None
        } else {
            let link = match &connection.stage {
                Stage::Open(link) => Some(self.link_to_record(link, connection.accepted_packet_size())?),
                _ => None,
            };
            Some(connection.to_record(link).to_value())
        };
        self.connections.get_mut(&id)?.remember(agreed, &mut self.mirror)
    }

    /// A connection goes on where it was.
    pub(super) fn resumed(&mut self, id: ConnectionId, state: Bytes) {
        if state.is_empty() {
            self.opened(id);
            return self.set_silence_for_good(id, Some(self.now.plus_millis(self.config.connect_timeout_millis)));
        }
        if self.resume(id, state).is_none() {
            self.connections.remove(&id);
            self.actions.push_back(Action::Close { connection: id, reason: LOST.reason });
            self.actions.push_back(Action::Report(Event::Refused { connection: id, refusal: LOST.into() }));
        }
    }

    /// `None` when the state is none, or what it needs is gone.
    fn resume(&mut self, id: ConnectionId, state: Bytes) -> Option<()> {
        let store::State { place, connection, unread } = Record::from_value(Key::CONNECTION, state.clone()).ok()?;
        let is_stored = connection.is_none();
        let agreed = connection.or_else(|| self.orphans.connection(place))?;
        let record = store::Connection::from_value(Key::CONNECTION, agreed.clone()).ok()?;
        let (mut bytes, starts) = self.orphans.unread(place, &unread)?;
        bytes.extend_from_slice(&unread.rest);
        let maximum = record.link.as_ref().map_or(self.config.connect_size(), |link| link.accepted_packet_size);
        let mut connection = Connection::restored(&record, maximum, unread.position, bytes.freeze());
        let end = unread.position + unread.stored;
        let came = if is_stored { agreed } else { Bytes::new() };
        let has_unread = connection.unread() > 0;
        connection.remembered =
            Remembered { state, is_stored, came, place, starts, end, has_unread, ..Remembered::default() };
        self.connections.insert(id, connection);
        match record.link {
            Some(link) => self.resume_link(id, link, record.silence_at)?,
            None => {
                let timeout = self.now.plus_millis(self.config.connect_timeout_millis);
                self.set_silence_for_good(id, record.silence_at.or(Some(timeout)));
            }
        }
        if place > 0 {
            self.orphans.take(place);
        }
        if record.is_pending {
            self.refuse(id, FORGOTTEN, ConnAckProperties::default()); // the question that was asked is lost
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
        let user_name = link.user_name.as_ref().map(Text::detached);
        match link.volatile {
            Some(filters) => self.restore_volatile(session_id, &link.client_id, user_name.clone(), filters)?,
            None if self.by_client_id.get(&link.client_id) != Some(&session_id) => return None,
            None => self.take_orphan(session_id).then_some(())?,
        }
        let session = self.sessions.get_mut(&session_id)?;
        session.connection = Some(id);
        session.inbound.resumed(link.accepted_messages, link.connections);
        session.outbound.resumed(link.receive_maximum, &link.uncounted, &link.resends);
        let keep_alive = match silence_at {
            Some(at) => KeepAlive::ending(link.keep_alive, at),
            None => KeepAlive::new(link.keep_alive, self.now),
        };
        let room = self.config.alias_room();
        let open = Link {
            session: session_id,
            rights: Rights::restored(link.rights),
            expires_at: None,
            connected_at: link.connected_at,
            keep_alive,
            aliases: TopicAliases::restored(link.aliases_accepted, room, detached(link.aliases)),
            assigner: AliasAssigner::restored(link.aliases_assignable, room, detached(link.assigned)),
            user_name,
            asked_expiry_interval: link.asked_expiry_interval,
            method: link.method.as_ref().map(Text::detached),
            re_authentication,
            receive_maximum: link.receive_maximum,
        };
        self.set_stage(id, Stage::Open(Box::new(open)));
        self.set_verdict_expiry(id, link.expires_at);
        self.users.connections.add(link.user_name.as_ref());
        self.statistics.clients_connected += 1;
        self.statistics.clients_maximum = self.statistics.clients_maximum.max(self.statistics.clients_connected);
        self.watch_sys(session_id);
        self.resume_sys(link.sys_at);
        self.set_silence_for_good(id, keep_alive.peer_is_dead_at());
        Some(())
    }

    /// A session that ends with its connection, unless another has its place.
    fn restore_volatile(
        &mut self,
        id: SessionId,
        client_id: &Text,
        user_name: Option<Text>,
        filters: Vec<(Text, store::Subscription)>,
    ) -> Option<()> {
        if self.sessions.contains_key(&id) || self.by_client_id.contains_key(client_id) {
            return None;
        }
        self.insert_session(id, client_id.detached(), user_name);
        for (filter, subscription) in filters {
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
            self.draw_turn(&filter, id);
        }
        is_allowed
    }

    fn link_to_record(&self, link: &Link, accepted_packet_size: usize) -> Option<store::Link> {
        let session = self.sessions.get(&link.session)?;
        let subscriptions = session.subscriptions.iter().filter_map(|filter| {
            let subscription = self.subscription(filter, link.session)?;
            Some((filter.text().clone(), subscription.to_record()))
        });
        let volatile = (!session.is_kept).then(|| subscriptions.collect());
        let (aliases_accepted, aliases) = link.aliases.parts();
        let (aliases_assignable, assigned) = link.assigner.parts();
        let (uncounted, resends) = session.outbound.uncarried();
        let (accepted_messages, connections) = session.inbound.parts();
        Some(store::Link {
            session: link.session.0,
            client_id: session.client_id.clone(),
            connections,
            volatile,
            rights: link.rights.to_records(),
            expires_at: link.expires_at,
            connected_at: link.connected_at,
            keep_alive: link.keep_alive.seconds(),
            receive_maximum: link.receive_maximum,
            accepted_packet_size: u32::try_from(accepted_packet_size).unwrap_or(u32::MAX),
            accepted_messages,
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
            sys_at: self.sys_at.filter(|_| session.watches_sys),
        })
    }
}

fn detached(aliases: Vec<(NonZeroU16, Text)>) -> impl Iterator<Item = (NonZeroU16, Text)> {
    aliases.into_iter().map(|(alias, topic)| (alias, topic.detached()))
}

/// What a state has besides the value and the bytes in it.
const STATE: usize = 64;
/// Unread bytes in a record. Beside a socket there always is room for as many.
const PIECE: usize = 8_192;

const LOST: Violation =
    Violation::new(ReasonCode::UnspecifiedError, "what this connection was about was not found after a restart");
const FORGOTTEN: Violation =
    Violation::new(ReasonCode::ServerBusy, "the server restarted during authentication (4.12)");
