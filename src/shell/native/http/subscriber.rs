//! One reader of Server-Sent Events as a client of the broker. At QoS 1 it has a session that outlives it for a while, and
//! leaves the last messages unacknowledged: a reader that comes back gets again what came after its last event.

use super::{caller::Caller, events::WAITING, failure::Failure, message::Message};
use crate::{
    broker::Verdict,
    codec::{
        Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet, PacketId, Publish, QoS, ReasonCode,
        RetainHandling, SubAck, Subscribe, SubscribeFilter, SubscriptionOptions, Text,
    },
    shell::native::{access::Address, inner::Inner, line::Stopping, listener::Door},
};
use axum::{http::HeaderValue, response::sse::Event};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    num::NonZeroU16,
};
use tokio::{select, sync::mpsc};

/// What a reader wants.
#[derive(Debug)]
pub(super) struct Wanted {
    pub filters: Vec<Text>,
    pub qos: QoS,
    pub caller: Caller,
    /// Where it was, if it was there before; `Some(None)` when what it says of that means nothing.
    pub last: Option<Option<Place>>,
    pub maximum_in_flight: u16,
}

/// The last event that a reader has: `SESSION.PACKETID`, without what all sessions of readers begin with.
#[derive(Clone, Debug)]
pub(super) struct Place {
    session: Text,
    packet_id: PacketId,
}

/// A reader whose filters are granted.
pub(super) struct Subscriber {
    inner: Inner,
    session: Text,
    /// What came before the filters were granted.
    early: Vec<Publish>,
    /// Everything up to this one the reader has.
    skip_to: Option<PacketId>,
    /// Whether something may be missing before what follows.
    has_gap: bool,
    unacknowledged: VecDeque<PacketId>,
    /// How many of these there may be.
    held: usize,
}

impl Place {
    pub(super) fn parse(value: &HeaderValue) -> Option<Self> {
        let (session, packet_id) = value.to_str().ok()?.split_once('.')?;
        let session = Text::try_from(format!("{READERS}{session}")).ok()?;
        Some(Self { session, packet_id: PacketId::new(packet_id.parse().ok()?)? })
    }
}

impl Subscriber {
    /// Goes on where the reader was, or begins anew.
    ///
    /// # Errors
    /// When the broker does not let it in, or refuses one of its filters.
    pub(super) async fn begin(door: &Door, address: Address, wanted: Wanted) -> Result<Self, Failure> {
        let mark = wanted.mark();
        let was_there = wanted.last.is_some();
        let last = wanted.last.clone().flatten().filter(|place| place.session.as_str().starts_with(&mark));
        let is_held = match last.clone() {
            Some(Place { session, packet_id }) => {
                door.line().look(move |engine| engine.broker().is_in_flight(&session, packet_id)).await?
            }
            None => None,
        };
        let goes_on = is_held.is_some();
        let (session, skip_to) = match last.filter(|_| goes_on) {
            Some(Place { session, packet_id }) => (session, (is_held == Some(true)).then_some(packet_id)),
            None => (new_session(&mark)?, None),
        };
        let Caller { user_name, grants, expires_at } = wanted.caller.clone();
        let verdict = Verdict::Allow { grants, data: None, user_name, expires_at };
        let inner = door.enter(address, verdict).await?;
        let has_gap = was_there && skip_to.is_none();
        let (unacknowledged, held) = (VecDeque::new(), usize::from(wanted.maximum_in_flight / 2));
        let mut subscriber = Self { inner, session, early: Vec::new(), skip_to, has_gap, unacknowledged, held };
        subscriber.connect(&wanted, goes_on).await?;
        subscriber.subscribe(&wanted).await?;
        Ok(subscriber)
    }

    /// Events, until the reader or the broker has gone.
    pub(super) fn run(self) -> mpsc::Receiver<Event> {
        let (events, told) = mpsc::channel(WAITING);
        tokio::spawn(self.tell(events));
        told
    }

    async fn tell(mut self, events: mpsc::Sender<Event>) {
        if self.has_gap && events.send(Event::default().event("gap").data("{}")).await.is_err() {
            return;
        }
        for publish in mem::take(&mut self.early) {
            if self.take(publish, &events).await.is_none() {
                return;
            }
        }
        loop {
            let packet = select! {
                packet = self.inner.hear() => packet,
                () = events.closed() => return,
            };
            let goes_on = match packet {
                Some(Packet::Publish(publish)) => self.take(publish, &events).await,
                Some(Packet::Disconnect(_)) | None => None,
                Some(_) => Some(()),
            };
            if goes_on.is_none() {
                return;
            }
        }
    }

    /// Hands a message on, unless the reader has it; `None` when there is nobody any more.
    async fn take(&mut self, publish: Publish, events: &mpsc::Sender<Event>) -> Option<()> {
        let packet_id = publish.packet_id;
        if let (Some(packet_id), Some(last)) = (packet_id, self.skip_to) {
            if packet_id != last {
                return self.acknowledge(packet_id).await.ok();
            }
            // It stays, for a reader that goes before the next one comes.
            self.skip_to = None;
            self.unacknowledged.push_back(packet_id);
            return Some(());
        }
        let data = serde_json::to_string(&Message::new(publish)).ok()?;
        let event = Event::default().event("message").data(data);
        let event = match packet_id {
            Some(packet_id) => {
                let session = self.session.as_str();
                event.id(format!("{}.{}", session.strip_prefix(READERS).unwrap_or(session), packet_id.value()))
            }
            None => event,
        };
        events.send(event).await.ok()?;
        self.unacknowledged.extend(packet_id);
        while self.unacknowledged.len() > self.held {
            let oldest = self.unacknowledged.pop_front()?;
            self.acknowledge(oldest).await.ok()?;
        }
        Some(())
    }

    async fn acknowledge(&mut self, packet_id: PacketId) -> Result<(), Stopping> {
        self.inner.send(&Packet::PubAck(packet_id.into())).await
    }

    async fn connect(&mut self, wanted: &Wanted, goes_on: bool) -> Result<(), Failure> {
        let outlives = wanted.qos > QoS::AtMostOnce;
        let properties = ConnectProperties {
            session_expiry_interval: outlives.then_some(SESSION_EXPIRY_SECONDS),
            receive_maximum: NonZeroU16::new(wanted.maximum_in_flight.max(1)),
            ..Default::default()
        };
        let connect =
            Connect { clean_start: !goes_on, client_id: self.session.clone(), properties, ..Default::default() };
        self.inner.send(&Packet::Connect(Box::new(connect))).await?;
        match self.inner.hear().await {
            Some(Packet::ConnAck(connack)) if connack.reason == ReasonCode::Success => Ok(()),
            Some(Packet::ConnAck(connack)) => Err(Failure::refused(connack.reason)),
            _ => Err(Failure::refused(ReasonCode::ServerUnavailable)),
        }
    }

    async fn subscribe(&mut self, wanted: &Wanted) -> Result<(), Failure> {
        let retain_handling = RetainHandling::SendIfNew;
        let options = SubscriptionOptions { qos: wanted.qos, retain_handling, ..Default::default() };
        let filters = wanted.filters.iter().map(|filter| SubscribeFilter { filter: filter.clone(), options });
        let subscribe =
            Subscribe { packet_id: PacketId::FIRST, properties: Default::default(), filters: filters.collect() };
        self.inner.send(&Packet::Subscribe(subscribe)).await?;
        let reasons = loop {
            match self.inner.hear().await {
                Some(Packet::Publish(publish)) => self.early.push(publish),
                Some(Packet::SubAck(SubAck { reasons, .. })) => break reasons,
                Some(Packet::Disconnect(Disconnect { reason, .. })) => return Err(Failure::refused(reason)),
                Some(_) => {}
                None => return Err(Failure::refused(ReasonCode::ServerUnavailable)),
            }
        };
        let Some(refused) = reasons.into_iter().find(|reason| reason.is_failure()) else { return Ok(()) };
        let properties = DisconnectProperties { session_expiry_interval: Some(0), ..Default::default() };
        let leave = Disconnect { reason: ReasonCode::Success, properties };
        self.inner.send(&Packet::Disconnect(leave)).await?;
        Err(Failure::refused(refused))
    }
}

impl Wanted {
    /// What another reader's session does not begin with, nor one for other filters.
    fn mark(&self) -> String {
        let mut hasher = DefaultHasher::new();
        let user_name = self.caller.user_name.as_ref().map(Text::as_bytes);
        (user_name, &self.filters.iter().map(Text::as_bytes).collect::<Vec<_>>()).hash(&mut hasher);
        format!("{READERS}{}-", URL_SAFE_NO_PAD.encode(hasher.finish().to_be_bytes()))
    }
}

/// A Client Identifier that nobody guesses.
fn new_session(mark: &str) -> Result<Text, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Failure::refused(ReasonCode::ServerUnavailable))?;
    let session = format!("{mark}{}", URL_SAFE_NO_PAD.encode(random));
    Text::try_from(session).map_err(|_| Failure::refused(ReasonCode::ServerUnavailable))
}

/// What the sessions of readers begin with, and those of nobody else.
const READERS: &str = "$sse/";
/// How long a reader may be away.
const SESSION_EXPIRY_SECONDS: u32 = 120;
