//! What a client has for its host, gathered so that much crosses in few calls; and which of the host's subscriptions a message
//! is for.

use super::{ClientHost, to_js::ToJs};
use crate::{
    client::{Action, Delivery, Outcome},
    codec::{PacketId, Publish, ReasonCode, Text, property::Properties},
    topic::{FilterTree, TopicName},
};
use js_sys::Array;
use std::num::NonZeroU32;

/// A subscription of the host.
pub(super) struct Route {
    /// With its share.
    pub(super) filter: Text,
    pub(super) number: u32,
    /// The Subscription Identifier by which a server that has them names it.
    pub(super) identifier: NonZeroU32,
}

/// Packets, messages and answers that the host has not been given yet. Of these three none depends on another.
#[derive(Default)]
pub(super) struct Gathered {
    packets: Vec<u8>,
    messages: Vec<f64>,
    payloads: Vec<u8>,
    properties: Option<Array>,
    published: Vec<u32>,
    /// The places that the host knows are numbered up to this one.
    places: u32,
    /// Those of late, each where its topic leads to.
    known: Vec<Option<Place>>,
}

/// A topic, and what the server said of whom it is for.
struct Place {
    number: u32,
    topic: Text,
    identifiers: Vec<NonZeroU32>,
}

impl Gathered {
    /// Whether an action can wait for others. What cannot has to come after what waits.
    pub(super) fn keeps(action: &Action) -> bool {
        match action {
            Action::Send { .. } | Action::Deliver { .. } => true,
            Action::Completed { outcome: Outcome::Published { reason: ReasonCode::Success, properties }, .. } => {
                properties.is_empty()
            }
            _ => false,
        }
    }

    pub(super) fn send(&mut self, host: &ClientHost, packet: &[u8]) {
        self.packets.extend_from_slice(packet);
        if self.packets.len() > MOST_BYTES {
            self.hand_over(host);
        }
    }

    pub(super) fn published(&mut self, token: u32) {
        self.published.push(token);
    }

    pub(super) fn hand_over(&mut self, host: &ClientHost) {
        if !self.packets.is_empty() {
            host.send(&self.packets);
            empty(&mut self.packets);
        }
        if !self.messages.is_empty() {
            host.deliver(&self.messages, &self.payloads, self.properties.take());
            empty(&mut self.messages);
            empty(&mut self.payloads);
        }
        if !self.published.is_empty() {
            host.published(&self.published);
            empty(&mut self.published);
        }
    }

    /// A topic may be for others than it was.
    pub(super) fn forget_places(&mut self) {
        self.known.clear();
    }

    #[allow(clippy::cast_precision_loss, reason = "no client lives to see its 2^53rd delivery")]
    pub(super) fn deliver(
        &mut self,
        host: &ClientHost,
        routes: &FilterTree<Vec<Route>>,
        mut message: Publish,
        delivery: Option<Delivery>,
    ) {
        let place = self.place(host, routes, &message);
        message.properties.subscription_identifiers.retain(|identifier| identifier.get() < OURS);
        let mut flags = u32::from(message.qos as u8) | u32::from(message.retain) << 2 | u32::from(message.dup) << 3;
        // Most messages have none.
        if !message.properties.is_empty() {
            flags |= 16;
            self.properties.get_or_insert_default().push(&message.properties.to_js());
        }
        self.messages.extend([
            f64::from(place),
            f64::from(flags),
            message.payload.len() as f64,
            message.packet_id.map_or(0, PacketId::value).into(),
            delivery.map_or(0, |delivery| delivery.0) as f64,
        ]);
        self.payloads.extend_from_slice(&message.payload);
        if self.payloads.len() > MOST_BYTES {
            self.hand_over(host);
        }
    }

    /// The number by which the host knows the topic and whom it is for.
    fn place(&mut self, host: &ClientHost, routes: &FilterTree<Vec<Route>>, message: &Publish) -> u32 {
        let (topic, identifiers) = (&message.topic, &message.properties.subscription_identifiers);
        if self.messages.is_empty() && self.places > MOST_PLACES {
            self.forget_places();
            self.places = 0;
        }
        self.known.resize_with(KNOWN, || None);
        let hash =
            topic.as_bytes().iter().fold(0, |hash: usize, byte| hash.wrapping_mul(31).wrapping_add((*byte).into()));
        let known = &mut self.known[hash % KNOWN];
        if let Some(place) = known
            && place.topic == *topic
            && place.identifiers == *identifiers
        {
            return place.number;
        }
        let number = self.places;
        self.places += 1;
        *known = Some(Place { number, topic: topic.detached(), identifiers: identifiers.clone() });
        host.place(number, topic.as_str(), &takers(routes, topic.clone(), identifiers));
        number
    }
}

/// The subscriptions that match, and of these the ones that the server names: it sends a message once for all of them or
/// once for each (3.3.4). Numbers from before this client subscribed name none.
fn takers(routes: &FilterTree<Vec<Route>>, topic: Text, identifiers: &[NonZeroU32]) -> Vec<u32> {
    let mut matching = Vec::new();
    if let Ok(topic) = TopicName::parse(topic) {
        routes.visit(&topic, &mut |found| matching.extend(found));
    }
    if matching.iter().any(|route| identifiers.contains(&route.identifier)) {
        matching.retain(|route| identifiers.contains(&route.identifier));
    }
    matching.into_iter().map(|route| route.number).collect()
}

/// Empties a buffer for the next use, and gives it back where it has grown.
fn empty<T>(buffer: &mut Vec<T>) {
    buffer.clear();
    buffer.shrink_to(MOST_BYTES);
}

/// What the Subscription Identifiers made of the host's numbers are above: those of users are seldom as large.
pub(super) const OURS: u32 = 1 << 27;

/// Bytes of packets, or of payloads, that are gathered: more are handed over.
const MOST_BYTES: usize = 1 << 15;

/// The places that are looked at for a topic.
const KNOWN: usize = 64;

/// Places after which numbers begin anew, between two calls.
const MOST_PLACES: u32 = 256;
