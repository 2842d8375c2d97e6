//! What the host wants sent and could not be yet, in order. Knows no connection.

use super::{
    Client, Misuse, Outcome, Token,
    options::{OutboxLimits, OutboxPolicy},
    record::FIRST_PLACE,
    request::{Content, Request},
};
use alloc::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<Request>,
    /// The places that the first and the last have, or would have next.
    first: u64,
    next: u64,
    /// PUBLISHes among them, and the bytes of their packets.
    messages: usize,
    bytes: usize,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), first: FIRST_PLACE - 1, next: FIRST_PLACE, messages: 0, bytes: 0 }
    }
}

impl Outbox {
    /// A place in front of all others.
    pub(super) fn place_in_front(&mut self) -> u64 {
        self.first -= 1;
        self.first + 1
    }

    fn place_behind(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// What waited before, at its place. Most storages have them in order.
    pub(super) fn restore(&mut self, request: Request) {
        self.first = self.first.min(request.place - 1);
        self.next = self.next.max(request.place + 1);
        self.count(&request);
        let before = self.waiting.iter().rev().take_while(|waiting| waiting.place > request.place).count();
        self.waiting.insert(self.waiting.len() - before, request);
    }

    pub(super) fn push_back(&mut self, request: Request) {
        self.count(&request);
        self.waiting.push_back(request);
    }

    pub(super) fn push_front(&mut self, request: Request) {
        self.count(&request);
        self.waiting.push_front(request);
    }

    pub(super) fn pop_front(&mut self) -> Option<Request> {
        self.remove(0)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.waiting.iter()
    }

    fn has_room(&self, request: &Request, limits: OutboxLimits) -> bool {
        if request.is_message() {
            self.messages < limits.maximum_messages && self.bytes.saturating_add(request.size) <= limits.maximum_bytes
        } else {
            self.waiting.len() - self.messages < MAXIMUM_QUESTIONS
        }
    }

    /// Removes the first of which this holds.
    fn take(&mut self, is_meant: impl Fn(&Request) -> bool) -> Option<Request> {
        let place = self.waiting.iter().position(is_meant)?;
        self.remove(place)
    }

    fn remove(&mut self, place: usize) -> Option<Request> {
        let request = self.waiting.remove(place)?;
        if request.is_message() {
            self.messages -= 1;
            self.bytes -= request.size;
        }
        Some(request)
    }

    fn count(&mut self, request: &Request) {
        if request.is_message() {
            self.messages += 1;
            self.bytes += request.size;
        }
    }
}

impl Request {
    fn is_message(&self) -> bool {
        matches!(self.content, Content::Publish(_))
    }
}

impl Client {
    /// Lets a request wait, if the outbox has or makes room for it.
    pub(super) fn keep_waiting(&mut self, mut request: Request) {
        let limits = self.options.outbox;
        while !self.outbox.has_room(&request, limits) {
            let is_droppable = request.is_message() && limits.policy != OutboxPolicy::Reject;
            let can_fit = request.size <= limits.maximum_bytes && limits.maximum_messages > 0;
            if is_droppable && can_fit && limits.policy == OutboxPolicy::DropOldest {
                if let Some(oldest) = self.outbox.take(Request::is_message) {
                    self.delete_waiting(&oldest);
                    self.complete(oldest.token, Outcome::Dropped);
                }
            } else {
                let outcome = if is_droppable { Outcome::Dropped } else { Outcome::Misused(Misuse::QueueFull) };
                return self.complete(request.token, outcome);
            }
        }
        if request.is_message() && self.is_durable {
            request.place = self.outbox.place_behind();
            self.store_waiting(&request);
        }
        self.outbox.push_back(request);
    }

    /// The host does not want it any more.
    pub(super) fn cancel(&mut self, token: Token) {
        // What was sent on an earlier connection may have reached the server.
        if let Some(request) = self.outbox.take(|request| request.token == Some(token) && !request.was_sent) {
            self.delete_waiting(&request);
            self.complete(request.token, Outcome::Cancelled);
        }
    }
}

/// SUBSCRIBEs and UNSUBSCRIBEs that may wait: more could not be under way.
const MAXIMUM_QUESTIONS: usize = 65_535;

#[cfg(test)]
mod tests {
    use super::super::{Input, testing::*};
    use super::*;
    use crate::codec::{Packet, Publish, QoS, ReasonCode};

    /// A client without a connection whose outbox has room for so much. A message to `a` takes 7 bytes.
    fn script(maximum_messages: usize, maximum_bytes: usize, policy: OutboxPolicy) -> Script {
        Script::new(V5, |options| options.outbox = OutboxLimits { maximum_messages, maximum_bytes, policy })
    }

    fn zero(script: &mut Script, token: u64) -> Vec<Seen> {
        script.publish(token, message(QoS::AtMostOnce, "a"))
    }

    /// The tokens of what is published once there is a connection.
    fn sent(script: &mut Script) -> Vec<u64> {
        let seen = script.connect(false);
        let tokens = seen.into_iter().filter_map(|seen| match seen {
            Did(super::super::Action::Completed { token, outcome: Outcome::Published { .. } }) => Some(token.0),
            _ => None,
        });
        tokens.collect()
    }

    #[test]
    fn one_more_than_may_wait_is_refused_or_dropped_or_takes_the_place_of_the_oldest() {
        for (policy, told, kept) in [
            (OutboxPolicy::Reject, completed(3, Outcome::Misused(Misuse::QueueFull)), [1, 2]),
            (OutboxPolicy::DropNewest, completed(3, Outcome::Dropped), [1, 2]),
            (OutboxPolicy::DropOldest, completed(1, Outcome::Dropped), [2, 3]),
        ] {
            for limits in [(2, 100), (100, 17)] {
                let mut script = script(limits.0, limits.1, policy);
                assert_eq!(zero(&mut script, 1), []);
                assert_eq!(zero(&mut script, 2), []);
                assert_eq!(zero(&mut script, 3), [completed_as(&told)]);
                assert_eq!(sent(&mut script), kept);
            }
        }
    }

    fn completed_as(seen: &Seen) -> Seen {
        match seen {
            Did(action) => Did(action.clone()),
            Sent(packet) => Sent(packet.clone()),
        }
    }

    #[test]
    fn a_message_that_needs_more_than_there_is_drops_no_other() {
        let large = || Publish { payload: vec![0; 20].into(), ..message(QoS::AtMostOnce, "a") };
        for (policy, outcome) in [
            (OutboxPolicy::Reject, Outcome::Misused(Misuse::QueueFull)),
            (OutboxPolicy::DropNewest, Outcome::Dropped),
            (OutboxPolicy::DropOldest, Outcome::Dropped),
        ] {
            let mut script = script(10, 20, policy);
            zero(&mut script, 1);
            assert_eq!(script.publish(2, large()), [completed(2, outcome)]);
            assert_eq!(sent(&mut script), [1]);
        }
    }

    #[test]
    fn as_many_old_messages_are_dropped_as_a_new_one_needs() {
        let mut script = script(10, 28, OutboxPolicy::DropOldest);
        for token in 1..=4 {
            assert_eq!(zero(&mut script, token), []);
        }
        let long = Publish { payload: vec![0; 7].into(), ..message(QoS::AtMostOnce, "a") };
        assert_eq!(script.publish(5, long), [1, 2].map(|token| completed(token, Outcome::Dropped)));
        assert_eq!(sent(&mut script), [3, 4, 5]);
    }

    #[test]
    fn what_was_sent_makes_room() {
        let mut script = script(1, 100, OutboxPolicy::Reject);
        zero(&mut script, 1);
        assert_eq!(sent(&mut script), [1]);
        script.input(Input::Closed);
        assert_eq!(zero(&mut script, 2), []);
    }

    #[test]
    fn subscriptions_are_not_counted_and_never_dropped() {
        let mut script = script(1, 8, OutboxPolicy::DropOldest);
        assert_eq!(script.subscribe(1, "a", None), []);
        assert_eq!(zero(&mut script, 2), []);
        assert_eq!(script.subscribe(3, "b", None), []);
        assert_eq!(zero(&mut script, 4), [completed(2, Outcome::Dropped)]);
        let seen = script.connect(false);
        assert!(matches!(
            &seen[..],
            [Sent(Packet::Subscribe(_)), Sent(Packet::Subscribe(_)), Sent(Packet::Publish(_)), Did(_)]
        ));
    }

    #[test]
    fn what_was_not_sent_can_be_cancelled_and_what_was_cannot() {
        let mut script = script(1, 100, OutboxPolicy::Reject);
        zero(&mut script, 1);
        assert_eq!(script.input(Input::Cancel { token: Token(2) }), []);
        assert_eq!(script.input(Input::Cancel { token: Token(1) }), [completed(1, Outcome::Cancelled)]);
        assert_eq!(script.input(Input::Cancel { token: Token(1) }), []);
        assert_eq!(script.publish(3, message(QoS::AtLeastOnce, "a")), [], "there is room again");
        script.connect(false);
        assert_eq!(script.input(Input::Cancel { token: Token(3) }), []);
        assert_eq!(script.receive(Packet::PubAck(id(1).into())), [published(3, ReasonCode::Success)]);
    }

    #[test]
    fn what_an_earlier_connection_sent_cannot_be_cancelled() {
        let mut script = Script::connected(V5);
        script.publish(1, message(QoS::AtLeastOnce, "a"));
        script.subscribe(2, "a", None);
        script.input(Input::Closed);
        for token in [1, 2] {
            assert_eq!(script.input(Input::Cancel { token: Token(token) }), []);
        }
        let limits =
            crate::codec::ConnAckProperties { receive_maximum: core::num::NonZeroU16::new(1), ..Default::default() };
        script.publish(3, message(QoS::AtLeastOnce, "a"));
        script.input(Input::Opened);
        script.receive(connack(false, ReasonCode::Success, limits));
        assert_eq!(script.input(Input::Cancel { token: Token(3) }), [completed(3, Outcome::Cancelled)]);
    }
}
