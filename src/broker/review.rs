//! Messages that the host looks at before they are published. One at a time from each connection: what the connection brings
//! meanwhile waits unread. Nothing is known of the message outside the connection until the host has decided, so that it is
//! as new as before when it comes again after a sleep or over another connection.

use super::{Action, Broker, ConnectionId, Event, deadlines::Due, delay::Publisher, message, tally::Charge};
use crate::{
    codec::{Packet, ProtocolVersion, Publish, ReasonCode, Text},
    time::Timestamp,
    topic::TopicName,
};
use alloc::boxed::Box;
use bytes::Bytes;

/// A question to the host, never the same number twice by one broker, and hardly by two; less than 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReviewId(pub u64);

/// A message that the host is to decide about, and who publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRequest {
    /// Client Identifier; empty for somebody who publishes without a connection.
    pub client_id: Text,
    /// User Name.
    pub user_name: Option<Text>,
    /// The message, to the topic that the client named.
    pub publish: Publish,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is published as it is.
    Accept,
    /// It is published with another topic or payload, or both.
    Rewrite {
        /// A Topic Name, in the client's Grants or not, but none of `$SYS` or `$delayed`: else the publisher hears 0x90.
        topic: Option<Text>,
        /// Within `maximum_packet_size`, with all else that the packet has: else the publisher hears 0x97.
        payload: Option<Bytes>,
    },
    /// The publisher hears a success, and nothing is published.
    Drop,
    /// The publisher hears this; 0x83 where PUBACK cannot say it.
    Refuse {
        /// 0x80, 0x83, 0x87, 0x90, 0x97 or 0x99.
        reason: ReasonCode,
    },
}

/// What counts when the host has not decided in time, or cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(try_from = "Text", into = "Text"))]
pub enum ReviewFallback {
    /// [`Decision::Accept`].
    Accept,
    /// [`Decision::Drop`].
    Drop,
    /// [`Decision::Refuse`] with 0x83.
    #[default]
    Refuse,
}

impl From<ReviewFallback> for Text {
    fn from(fallback: ReviewFallback) -> Self {
        Self::from_static(match fallback {
            ReviewFallback::Accept => "accept",
            ReviewFallback::Drop => "drop",
            ReviewFallback::Refuse => "refuse",
        })
    }
}

impl TryFrom<Text> for ReviewFallback {
    type Error = &'static str;

    fn try_from(text: Text) -> Result<Self, &'static str> {
        match text.as_str() {
            "accept" => Ok(Self::Accept),
            "drop" => Ok(Self::Drop),
            "refuse" => Ok(Self::Refuse),
            _ => Err("what counts without a review is accept, drop or refuse"),
        }
    }
}

/// A message of a connection that waits for its decision, or has it.
#[derive(Debug)]
pub(super) struct Review {
    id: ReviewId,
    topic: Text,
    decision: Option<Decision>,
    /// What waits is memory too.
    _charge: Charge,
}

/// A question that the host has not answered.
#[derive(Debug)]
pub(super) struct Question {
    /// When the fallback counts.
    until: Timestamp,
    about: About,
}

/// What waits for the answer.
#[derive(Clone, Copy, Debug)]
enum About {
    /// What a connection has brought.
    Connection(ConnectionId),
    /// A message that is delayed, by its number.
    Delayed(u64),
}

impl Review {
    /// Whether the connection is to read on.
    pub(super) const fn is_decided(&self) -> bool {
        self.decision.is_some()
    }

    pub(super) fn into_decision(self) -> Option<Decision> {
        self.decision
    }
}

impl ReviewFallback {
    pub(super) const fn decision(self) -> Decision {
        match self {
            Self::Accept => Decision::Accept,
            Self::Drop => Decision::Drop,
            Self::Refuse => Decision::Refuse { reason: ReasonCode::ImplementationSpecificError },
        }
    }
}

impl Broker {
    /// Asks the host about what the connection has brought, or tells which limit keeps that out.
    pub(super) fn ask_review(
        &mut self,
        id: ConnectionId,
        publisher: Publisher,
        publish: &Publish,
    ) -> Result<(), ReasonCode> {
        if self.holds_too_much() {
            return Err(ReasonCode::QuotaExceeded);
        }
        let mut publish = publish.clone();
        publish.properties.topic_alias = None;
        let charge = self.tally.charge(message::size(&publish.topic, &publish.payload, Some(&publish.properties)));
        let topic = publish.topic.clone();
        let review = self.ask(About::Connection(id), publisher, publish);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.review = Some(Box::new(Review { id: review, topic, decision: None, _charge: charge }));
        }
        Ok(())
    }

    /// Asks about a message whose time has come.
    pub(super) fn ask_about_delayed(&mut self, number: u64, publisher: Publisher, publish: Publish) {
        self.ask(About::Delayed(number), publisher, publish);
    }

    fn ask(&mut self, about: About, publisher: Publisher, publish: Publish) -> ReviewId {
        if self.last_review == 0 {
            self.last_review = self.random.next() >> 12;
        }
        self.last_review += 1;
        let review = ReviewId(self.last_review);
        let until = self.now.plus_millis(self.config.review_timeout_millis);
        self.reviews.insert(review, Question { until, about });
        self.deadlines.set(Due::Review(review), None, Some(until));
        let Publisher { client_id, user_name } = publisher;
        let request = Box::new(ReviewRequest { client_id, user_name, publish });
        self.actions.push_back(Action::Review { review, request });
        review
    }

    /// The host's decision, or `None` when it cannot decide. One that nobody waits for is ignored: the connection may be
    /// gone, or the time over.
    pub(super) fn reviewed(&mut self, review: ReviewId, decision: Option<Decision>) {
        let Some(about) = self.end_question(review) else { return };
        let waiting = match about {
            About::Connection(id) => {
                let session = self.session_of(id).and_then(|session| self.sessions.get(&session));
                let review = self.connections.get(&id).and_then(|connection| connection.review.as_ref());
                session.zip(review).map(|(session, review)| (session.client_id.clone(), review.topic.clone()))
            }
            About::Delayed(number) => {
                self.delayed_message(number).map(|(by, topic)| (by.client_id.clone(), topic.clone()))
            }
        };
        if decision.is_none()
            && let Some((client_id, topic)) = waiting
        {
            self.actions.push_back(Action::Report(Event::ReviewFailed { client_id, topic }));
        }
        let decision = decision.unwrap_or(self.config.review_fallback.decision());
        match about {
            About::Delayed(number) => self.publish_delayed(number, decision),
            About::Connection(id) => {
                if let Some(waiting) = self.connections.get_mut(&id).and_then(|connection| connection.review.as_mut()) {
                    waiting.decision = Some(decision);
                }
                self.read(id);
            }
        }
    }

    /// The connection goes: nobody waits for the decision about what it has brought any more.
    pub(super) fn end_review(&mut self, id: ConnectionId) {
        if let Some(review) = self.connections.get(&id).and_then(|connection| connection.review.as_ref()) {
            self.end_question(review.id);
        }
    }

    fn end_question(&mut self, review: ReviewId) -> Option<About> {
        let Question { until, about } = self.reviews.remove(&review)?;
        self.deadlines.set(Due::Review(review), Some(until), None);
        Some(about)
    }

    /// The message as it is to be published, nothing if it is not to be, or what its publisher hears.
    pub(super) fn decided(
        &self,
        decision: Decision,
        topic: TopicName,
        mut publish: Publish,
    ) -> Result<Option<(TopicName, Publish)>, ReasonCode> {
        match decision {
            Decision::Accept => Ok(Some((topic, publish))),
            Decision::Drop => Ok(None),
            Decision::Refuse { reason } if REFUSALS.contains(&reason) => Err(reason),
            Decision::Refuse { .. } => Err(ReasonCode::ImplementationSpecificError),
            Decision::Rewrite { topic: text, payload } => {
                let topic = match text {
                    Some(text) => self.rewritten_topic(text).ok_or(ReasonCode::TopicNameInvalid)?,
                    None => topic,
                };
                publish.payload = payload.unwrap_or(publish.payload);
                publish.topic = topic.text().clone();
                let size = Packet::Publish(publish.clone()).size(ProtocolVersion::V5);
                let is_too_large = size > self.config.maximum_packet_size as usize;
                if is_too_large { Err(ReasonCode::QuotaExceeded) } else { Ok(Some((topic, publish))) }
            }
        }
    }
}

/// What PUBACK and PUBREC can say of a message that is not taken. [MQTT-3.4.2-1] [MQTT-3.5.2-1]
const REFUSALS: [ReasonCode; 6] = [
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicNameInvalid,
    ReasonCode::QuotaExceeded,
    ReasonCode::PayloadFormatInvalid,
];
