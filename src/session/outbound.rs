//! The sender's side of QoS 1 and 2: what is in flight, in which step, and how much more may be sent.
//! Knows no message: `M` is whatever its owner needs to send one again.

use super::{PacketIds, SortedMap, Violation};
use crate::codec::{PacketId, QoS};
use alloc::{
    boxed::Box,
    collections::{BinaryHeap, VecDeque},
    vec::Vec,
};
use core::ops::RangeInclusive;

/// The messages that one side has begun to send and the other has not finished acknowledging.
#[derive(Clone, Debug)]
pub struct Outbound<M> {
    in_flight: SortedMap<PacketId, Box<Entry<M>>>,
    ids: PacketIds,
    /// Order of sending, for resending in that order. [MQTT-4.6.0-1]
    sequence: u64,
    /// What the current connection has not carried yet, in that order.
    resends: VecDeque<PacketId>,
    quota: u16,
    /// How many may be in flight at all: twice Receive Maximum, because what an earlier connection carried does not count
    /// against the quota (4.9), and a peer that never sends PUBCOMP would let it grow with each connection.
    maximum: usize,
    origin: Origin,
}

/// Where a session comes from, and so which identifiers the peer may still hold for QoS 2 messages that we do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is ours from its beginning: none.
    Ours,
    /// Another owner left it to us: any, so nothing of QoS 2 may be sent.
    Adopted,
    /// The same, but PUBREL was sent for the first 256 of them: as it is answered, those are ours.
    Released,
}

#[derive(Clone, Debug)]
struct Entry<M> {
    sequence: u64,
    /// Whether this connection has carried the PUBLISH: only then does its end give back a part of the quota.
    is_counted: bool,
    step: InFlight<M>,
}

/// The step that a message in flight has reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InFlight<M> {
    /// PUBLISH of QoS 1 sent, PUBACK awaited.
    PubAck(M),
    /// PUBLISH of QoS 2 sent, PUBREC awaited.
    PubRec(M),
    /// PUBREL sent, PUBCOMP awaited; the message itself is forgotten. [MQTT-4.3.3-6]
    PubComp,
}

impl<M> InFlight<M> {
    /// The message, until it is forgotten.
    pub const fn message(&self) -> Option<&M> {
        match self {
            Self::PubAck(message) | Self::PubRec(message) => Some(message),
            Self::PubComp => None,
        }
    }

    fn into_message(self) -> Option<M> {
        match self {
            Self::PubAck(message) | Self::PubRec(message) => Some(message),
            Self::PubComp => None,
        }
    }
}

/// What to send again on a resumed connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resend<M> {
    /// The PUBLISH, with DUP. [MQTT-3.3.1-1]
    Publish(M),
    /// The PUBREL.
    PubRel,
}

/// What a PUBREC meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received<M> {
    /// The peer owns the message now: send PUBREL.
    Accepted(M),
    /// The peer refused it: the exchange is over. [MQTT-4.4.0-2]
    Refused(M),
    /// PUBREL was sent before: send it again.
    Again,
    /// No such exchange: answer with PUBREL and 0x92.
    Unknown,
}

impl<M: Clone> Outbound<M> {
    /// Nothing in flight, nothing may be sent before [`Outbound::connected`].
    pub fn new() -> Self {
        Self {
            in_flight: SortedMap::new(),
            ids: PacketIds::default(),
            sequence: 0,
            resends: VecDeque::new(),
            quota: 0,
            maximum: 0,
            origin: Origin::Ours,
        }
    }

    /// The session was begun by another owner, who may have left QoS 2 messages unfinished: the peer would take a new one
    /// with such an identifier for a duplicate. Until [`Outbound::release`], QoS 2 must not be sent.
    pub fn adopt(&mut self) {
        self.origin = Origin::Adopted;
    }

    /// Where the session comes from.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// What a store knows of where the session comes from.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Whether [`Outbound::release`] has to come before QoS 2.
    pub fn is_adopted(&self) -> bool {
        self.origin == Origin::Adopted
    }

    /// Resumes an adopted session as its former owner would have: a PUBREL is due for every identifier that messages will
    /// have from now on, and each is in use until its PUBCOMP. [MQTT-4.4.0-1] [MQTT-4.3.3-11]
    pub fn release(&mut self) {
        self.origin = Origin::Released;
        let mut id = *RELEASED.start();
        while RELEASED.contains(&id) {
            self.ids.take(id);
            self.sequence += 1;
            let step = InFlight::PubComp;
            self.in_flight.insert(id, Box::new(Entry { sequence: self.sequence, is_counted: false, step }));
            self.resends.push_back(id);
            id = id.next();
        }
    }

    /// A connection begins whose peer accepts `receive_maximum` unacknowledged messages at a time. [MQTT-4.9.0-1]
    pub fn connected(&mut self, receive_maximum: u16) {
        self.quota = receive_maximum;
        self.maximum = 2 * usize::from(receive_maximum);
        self.in_flight.values_mut().for_each(|entry| entry.is_counted = false);
        self.resends = self.in_order().collect();
    }

    /// What a store knows to be in flight, to be followed by [`Outbound::connected`] or [`Outbound::resumed`].
    pub fn restore(&mut self, id: PacketId, sequence: u64, step: InFlight<M>) {
        self.ids.take(id);
        self.sequence = self.sequence.max(sequence);
        self.in_flight.insert(id, Box::new(Entry { sequence, is_counted: true, step }));
    }

    /// The connection goes on that had carried everything but `uncounted`, of which `resends` is still to be sent, in that
    /// order.
    pub fn resumed(&mut self, receive_maximum: u16, uncounted: &[PacketId], resends: &[PacketId]) {
        self.maximum = 2 * usize::from(receive_maximum);
        for id in uncounted {
            if let Some(entry) = self.in_flight.get_mut(id) {
                entry.is_counted = false;
            }
        }
        let counted = self.in_flight.values().filter(|entry| entry.is_counted).count();
        self.quota = receive_maximum.saturating_sub(u16::try_from(counted).unwrap_or(u16::MAX));
        self.resends = resends.iter().copied().filter(|id| self.in_flight.contains_key(id)).collect();
    }

    /// What [`Outbound::resumed`] needs: what this connection has not carried, and what of that is still to be sent.
    pub fn uncarried(&self) -> (Vec<PacketId>, Vec<PacketId>) {
        let uncounted = self.in_flight.iter().filter(|(_, entry)| !entry.is_counted).map(|(id, _)| *id);
        (uncounted.collect(), self.resends.iter().copied().collect())
    }

    /// Whether `id` is in flight and was not sent over this connection, or only its PUBREL was.
    pub fn is_uncarried(&self, id: PacketId) -> bool {
        self.in_flight.get(&id).is_some_and(|entry| !entry.is_counted)
    }

    /// What is in flight as `id`, with its place in the order of sending.
    pub fn get(&self, id: PacketId) -> Option<(u64, &InFlight<M>)> {
        self.in_flight.get(&id).map(|entry| (entry.sequence, &entry.step))
    }

    /// The session is gone: forgets all that is in flight and returns it in the order of sending.
    pub fn clear(&mut self) -> Vec<(PacketId, InFlight<M>)> {
        self.resends.clear();
        self.origin = Origin::Ours;
        let order = self.in_order();
        order
            .filter_map(|id| {
                self.ids.release(id);
                self.in_flight.remove(&id).map(|entry| (id, entry.step))
            })
            .collect()
    }

    /// Whether the send quota, the identifiers and the order allow one more QoS 1 or 2 message. [MQTT-4.9.0-2]
    pub fn is_ready(&self) -> bool {
        self.quota > 0
            && self.resends.is_empty()
            && self.in_flight.len() < self.maximum
            && self.ids.has_free(&self.range())
    }

    /// Begins to send `message` and returns its identifier; `None` when [`Outbound::is_ready`] is false or `qos` is 0.
    pub fn send(&mut self, qos: QoS, message: M) -> Option<PacketId> {
        let step = match qos {
            QoS::AtMostOnce => return None,
            QoS::AtLeastOnce => InFlight::PubAck(message),
            QoS::ExactlyOnce => InFlight::PubRec(message),
        };
        if !self.is_ready() || (qos == QoS::ExactlyOnce && self.is_adopted()) {
            return None;
        }
        let id = self.ids.allocate(&self.range())?;
        self.quota -= 1;
        self.sequence += 1;
        self.in_flight.insert(id, Box::new(Entry { sequence: self.sequence, is_counted: true, step }));
        Some(id)
    }

    /// An identifier for a packet that shares them with PUBLISH (SUBSCRIBE and UNSUBSCRIBE of a client), to be released
    /// by way of [`Outbound::ids`].
    pub fn allocate(&mut self) -> Option<PacketId> {
        let range = if self.origin == Origin::Ours { ALL } else { NOT_RELEASED };
        self.ids.allocate(&range)
    }

    /// The identifiers in use.
    pub fn ids(&mut self) -> &mut PacketIds {
        &mut self.ids
    }

    /// PUBACK came: returns the message it ends, or `None` when there is no such exchange.
    ///
    /// # Errors
    /// When the identifier belongs to a QoS 2 exchange.
    pub fn acknowledged(&mut self, id: PacketId) -> Result<Option<M>, Violation> {
        match self.in_flight.get(&id).map(|entry| &entry.step) {
            None => Ok(None),
            Some(InFlight::PubAck(_)) => Ok(self.finish(id)),
            Some(_) => Err(Violation::protocol_error("PUBACK answers a QoS 1 PUBLISH, not a QoS 2 one (4.3.3)")),
        }
    }

    /// PUBREC came, with a success (below 0x80) or not.
    ///
    /// # Errors
    /// When the identifier belongs to a QoS 1 exchange.
    pub fn received(&mut self, id: PacketId, accepted: bool) -> Result<Received<M>, Violation> {
        let Some(entry) = self.in_flight.get_mut(&id) else { return Ok(Received::Unknown) };
        match &entry.step {
            InFlight::PubAck(_) => {
                Err(Violation::protocol_error("PUBREC answers a QoS 2 PUBLISH, not a QoS 1 one (4.3.2)"))
            }
            InFlight::PubComp => Ok(Received::Again),
            InFlight::PubRec(_) if accepted => {
                let step = core::mem::replace(&mut entry.step, InFlight::PubComp);
                Ok(step.into_message().map_or(Received::Unknown, Received::Accepted))
            }
            InFlight::PubRec(_) => Ok(self.finish(id).map_or(Received::Unknown, Received::Refused)),
        }
    }

    /// PUBCOMP came: whether it ended an exchange.
    ///
    /// # Errors
    /// When the exchange has not reached its PUBREL.
    pub fn completed(&mut self, id: PacketId) -> Result<bool, Violation> {
        match self.in_flight.get(&id).map(|entry| &entry.step) {
            None => Ok(false),
            Some(InFlight::PubComp) => {
                self.finish(id);
                Ok(true)
            }
            Some(_) => Err(Violation::protocol_error("PUBCOMP answers a PUBREL, and none was sent (4.3.3)")),
        }
    }

    /// Ends an exchange without the peer: the message cannot be sent. [MQTT-3.1.2-25]
    pub fn abandon(&mut self, id: PacketId) {
        self.finish(id);
    }

    /// The next packet to send again on this connection, in the original order, as far as the quota goes; `None` when
    /// nothing is left or the quota is used up. Nothing new is sent before all of it. [MQTT-4.4.0-1]
    pub fn resend(&mut self) -> Option<(PacketId, Resend<M>)> {
        loop {
            let id = *self.resends.front()?;
            let Some(entry) = self.in_flight.get_mut(&id) else {
                self.resends.pop_front();
                continue;
            };
            let resend = match &entry.step {
                InFlight::PubComp => Resend::PubRel,
                InFlight::PubAck(message) | InFlight::PubRec(message) => {
                    self.quota = self.quota.checked_sub(1)?;
                    entry.is_counted = true;
                    Resend::Publish(message.clone())
                }
            };
            self.resends.pop_front();
            return Some((id, resend));
        }
    }

    /// What is in flight, each with its place in the order of sending.
    pub fn in_flight(&self) -> impl Iterator<Item = (PacketId, u64, &InFlight<M>)> {
        self.in_flight.iter().map(|(id, entry)| (*id, entry.sequence, &entry.step))
    }

    /// How many messages are in flight.
    pub fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether there is anything to send again.
    pub fn is_resending(&self) -> bool {
        !self.resends.is_empty()
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// What is in flight, in the order of sending.
    fn in_order(&self) -> impl Iterator<Item = PacketId> + use<M> {
        // A heap sorts with a fifth of the code that slices have for it.
        let order: BinaryHeap<_> = self.in_flight.iter().map(|(id, entry)| (entry.sequence, *id)).collect();
        order.into_sorted_vec().into_iter().map(|(_, id)| id)
    }

    /// The identifiers that messages may have.
    const fn range(&self) -> RangeInclusive<PacketId> {
        match self.origin {
            Origin::Ours => ALL,
            Origin::Adopted => NOT_RELEASED,
            Origin::Released => RELEASED,
        }
    }

    /// Returns the message, if it is not forgotten yet.
    fn finish(&mut self, id: PacketId) -> Option<M> {
        let entry = self.in_flight.remove(&id)?;
        self.ids.release(id);
        self.quota += u16::from(entry.is_counted);
        entry.step.into_message()
    }
}

impl<M: Clone> Default for Outbound<M> {
    fn default() -> Self {
        Self::new()
    }
}

const ALL: RangeInclusive<PacketId> = PacketId::FIRST..=PacketId::LAST;
/// As many as are likely to be in flight at a time: each costs a PUBREL and a PUBCOMP.
const RELEASED: RangeInclusive<PacketId> = PacketId::FIRST..=PacketId::new(256).unwrap();
const NOT_RELEASED: RangeInclusive<PacketId> = PacketId::new(257).unwrap()..=PacketId::LAST;

#[cfg(test)]
mod tests {
    use super::*;

    fn connected(receive_maximum: u16) -> Outbound<&'static str> {
        let mut outbound = Outbound::new();
        outbound.connected(receive_maximum);
        outbound
    }

    #[test]
    fn the_quota_falls_with_each_send_and_rises_with_each_end() {
        let mut outbound = connected(2);
        let first = outbound.send(QoS::AtLeastOnce, "a").unwrap();
        let second = outbound.send(QoS::ExactlyOnce, "b").unwrap();
        assert_eq!(outbound.send(QoS::AtLeastOnce, "c"), None);
        assert_eq!(outbound.acknowledged(first), Ok(Some("a")));
        assert!(outbound.is_ready());
        outbound.send(QoS::AtLeastOnce, "c").unwrap();
        assert_eq!(outbound.received(second, true), Ok(Received::Accepted("b")));
        assert!(!outbound.is_ready());
        assert_eq!(outbound.completed(second), Ok(true));
        assert!(outbound.is_ready());
        assert_eq!(outbound.completed(second), Ok(false));
    }

    #[test]
    fn a_refused_qos_2_message_ends_at_pubrec() {
        let mut outbound = connected(1);
        let id = outbound.send(QoS::ExactlyOnce, "a").unwrap();
        assert_eq!(outbound.received(id, false), Ok(Received::Refused("a")));
        assert_eq!(outbound.received(id, true), Ok(Received::Unknown));
        assert!(outbound.is_ready());
    }

    #[test]
    fn the_wrong_acknowledgement_is_a_protocol_error() {
        let mut outbound = connected(9);
        let one = outbound.send(QoS::AtLeastOnce, "a").unwrap();
        let two = outbound.send(QoS::ExactlyOnce, "b").unwrap();
        assert!(outbound.received(one, true).is_err());
        assert!(outbound.completed(one).is_err());
        assert!(outbound.acknowledged(two).is_err());
        assert!(outbound.completed(two).is_err());
    }

    #[test]
    fn a_connection_that_goes_on_has_the_window_that_it_had() {
        let mut outbound = connected(2);
        let (a, b) = (outbound.send(QoS::AtLeastOnce, "a").unwrap(), outbound.send(QoS::AtLeastOnce, "b").unwrap());
        outbound.connected(2);
        assert_eq!(outbound.resend(), Some((a, Resend::Publish("a"))));
        let (uncounted, resends) = outbound.uncarried();

        let mut restored = Outbound::new();
        restored.restore(a, 1, InFlight::PubAck("a"));
        restored.restore(b, 2, InFlight::PubAck("b"));
        restored.resumed(2, &uncounted, &resends);
        assert_eq!(restored.resend(), Some((b, Resend::Publish("b"))));
        assert_eq!(restored.send(QoS::AtLeastOnce, "c"), None);
        restored.acknowledged(a).unwrap();
        assert!(restored.send(QoS::AtLeastOnce, "c").is_some_and(|c| c != b));
    }

    #[test]
    fn what_is_acknowledged_before_it_is_sent_again_is_not_sent_again() {
        let mut outbound = connected(2);
        let (a, b) = (outbound.send(QoS::AtLeastOnce, "a").unwrap(), outbound.send(QoS::AtLeastOnce, "b").unwrap());
        outbound.connected(1);
        assert_eq!(outbound.resend(), Some((a, Resend::Publish("a"))));
        outbound.acknowledged(b).unwrap();
        outbound.acknowledged(a).unwrap();
        assert_eq!(outbound.resend(), None);
        assert!(outbound.is_ready());
    }

    #[test]
    fn a_resumed_connection_resends_in_order_within_its_own_quota() {
        let mut outbound = connected(9);
        let a = outbound.send(QoS::ExactlyOnce, "a").unwrap();
        let b = outbound.send(QoS::AtLeastOnce, "b").unwrap();
        let c = outbound.send(QoS::AtLeastOnce, "c").unwrap();
        outbound.received(a, true).unwrap();
        outbound.connected(1);
        assert_eq!(outbound.resend(), Some((a, Resend::PubRel)));
        assert_eq!(outbound.resend(), Some((b, Resend::Publish("b"))));
        assert_eq!(outbound.resend(), None);
        outbound.completed(a).unwrap();
        outbound.acknowledged(b).unwrap();
        assert_eq!(outbound.resend(), Some((c, Resend::Publish("c"))));
        assert_eq!(outbound.resend(), None);
    }

    #[test]
    fn the_end_of_a_message_that_this_connection_did_not_carry_gives_back_no_quota() {
        let mut outbound = connected(9);
        let a = outbound.send(QoS::ExactlyOnce, "a").unwrap();
        outbound.received(a, true).unwrap();
        outbound.connected(1);
        assert_eq!(outbound.resend(), Some((a, Resend::PubRel)));
        let b = outbound.send(QoS::AtLeastOnce, "b").unwrap();
        outbound.completed(a).unwrap();
        assert!(!outbound.is_ready(), "b is all that may be in flight");
        outbound.acknowledged(b).unwrap();
        assert!(outbound.is_ready());
    }

    #[test]
    fn a_peer_that_completes_nothing_gets_no_more_however_often_it_connects() {
        let mut outbound = connected(2);
        for _ in 0..9 {
            outbound.connected(2);
            while outbound.resend().is_some() {}
            while let Some(id) = outbound.send(QoS::ExactlyOnce, "a") {
                outbound.received(id, true).unwrap();
            }
        }
        assert_eq!(outbound.len(), 4);
        outbound.completed(PacketId::FIRST).unwrap();
        assert!(outbound.is_ready());
    }

    #[test]
    fn an_adopted_session_sends_qos_2_with_released_identifiers_alone() {
        let mut outbound = connected(200);
        outbound.adopt();
        assert_eq!(outbound.send(QoS::ExactlyOnce, "a"), None);
        assert_eq!(outbound.send(QoS::AtLeastOnce, "b").unwrap().value(), 257);
        outbound.release();
        let released: Vec<_> = core::iter::from_fn(|| outbound.resend()).collect();
        assert!(released.iter().all(|(_, resend)| *resend == Resend::PubRel));
        assert_eq!(released.len(), 256);
        assert_eq!(outbound.send(QoS::ExactlyOnce, "a"), None);
        assert_eq!(outbound.allocate().unwrap().value(), 258);
        let answered = PacketId::new(3).unwrap();
        assert_eq!(outbound.completed(answered), Ok(true));
        assert_eq!(outbound.send(QoS::ExactlyOnce, "a"), Some(answered));
        outbound.connected(9);
        assert_eq!(core::iter::from_fn(|| outbound.resend()).count(), 257);
    }

    #[test]
    fn clearing_returns_the_messages_in_the_order_of_sending() {
        let mut outbound = connected(9);
        assert!(outbound.is_empty());
        for message in ["a", "b"] {
            outbound.send(QoS::AtLeastOnce, message).unwrap();
        }
        let messages: Vec<_> = outbound.clear().into_iter().map(|(_, step)| step).collect();
        assert_eq!(messages, [InFlight::PubAck("a"), InFlight::PubAck("b")]);
    }
}
