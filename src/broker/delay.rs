//! Messages that are published later: those to `$delayed/SECONDS/topic`, and those that the host has yet to review although
//! no connection waits for it. Each is a record of its own until it is published.

use super::{
    Authentication, Broker, Decision, deadlines::Due, draft::Draft, message::Message, mirror::Mirror, rules::Ruling,
    session::SessionId, users::Count,
};
use crate::{
    codec::{Publish, ReasonCode, Text},
    store::{self, Key},
    time::Timestamp,
    topic::TopicName,
};
use alloc::collections::BTreeMap;

/// Who publishes, as rules and reviews see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Publisher {
    pub(super) client_id: Text,
    pub(super) user_name: Option<Text>,
}

/// What is to be published later, by its number.
#[derive(Debug, Default)]
pub(super) struct Delayed {
    messages: BTreeMap<u64, Later>,
    last: u64,
    /// How many of them count, and of whom.
    counted: usize,
    of: Count<Owner>,
}

/// Whose delayed messages there may be only so many of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// A user whom the host has found out.
    User(Text),
    /// A client that says of itself who it is, if anything.
    Client(Text),
}

#[derive(Debug)]
struct Later {
    draft: Draft,
    at: Timestamp,
    publisher: Publisher,
    session: Option<SessionId>,
    /// Whether the host is to review it when it is due.
    needs_review: bool,
    /// Whether it is one of those of which there may be only so many, and whose it is then.
    counts: bool,
    owner: Option<Owner>,
}

impl Delayed {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// No message will be given `number` from now on.
    pub(super) fn skip_number(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    fn insert(&mut self, number: u64, later: Later) {
        if later.counts {
            self.counted += 1;
            self.of.add(later.owner.as_ref());
        }
        self.messages.insert(number, later);
    }

    fn remove(&mut self, number: u64) -> Option<Later> {
        self.discount(number);
        self.messages.remove(&number)
    }

    /// It is not one of so many any more.
    fn discount(&mut self, number: u64) {
        if let Some(later) = self.messages.get_mut(&number).filter(|later| later.counts) {
            later.counts = false;
            self.counted -= 1;
            self.of.remove(later.owner.as_ref());
        }
    }
}

impl Later {
    /// Whether it is a will: of all that clients publish, this alone waits here for a review.
    const fn is_will(&self) -> bool {
        self.needs_review && self.session.is_some()
    }

    fn to_record(&self) -> store::Delayed {
        store::Delayed {
            at: self.at,
            session: self.session.map_or(0, |session| session.0),
            client_id: self.publisher.client_id.clone(),
            user_name: self.publisher.user_name.clone(),
            needs_review: self.needs_review,
            content: self.draft.content(),
        }
    }
}

/// The topic that is meant and how many seconds later, for one below `$delayed`; any other is meant itself, at once.
/// `None` for what is below `$delayed` and says no such thing.
pub(super) fn split_delay(topic: TopicName) -> Option<(u32, TopicName)> {
    if !topic.is_reserved() {
        return Some((0, topic));
    }
    let text = topic.text().as_str();
    let Some(rest) = text.strip_prefix("$delayed") else { return Some((0, topic)) };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Some((0, topic));
    }
    let (seconds, inner) = rest.strip_prefix('/')?.split_once('/')?;
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = seconds.parse().ok().filter(|_| is_number)?;
    if inner.split('/').next() == Some("$delayed") {
        return None;
    }
    let inner = TopicName::parse(topic.text().suffix(text.len() - inner.len())).ok()?;
    Some((seconds, inner))
}

impl Broker {
    /// The same, where the delay is not too long.
    pub(super) fn delay_of(&self, topic: TopicName) -> Option<(u32, TopicName)> {
        split_delay(topic).filter(|(seconds, _)| *seconds <= self.config.maximum_delay_seconds)
    }

    /// Publishes a message now or later, and tells whether anybody subscribes to it, or which limit keeps it out.
    pub(super) fn take_or_delay(
        &mut self,
        topic: TopicName,
        mut publish: Publish,
        seconds: u32,
        publisher: &Publisher,
        session: Option<SessionId>,
    ) -> Result<bool, ReasonCode> {
        if seconds > 0 {
            return self.delay(&topic, publish, self.now.plus_secs(seconds.into()), publisher, session, false);
        }
        self.take(Message::new(&mut publish, topic, self.now, &self.tally), session)
    }

    /// The same for what somebody publishes without a connection: what is to be reviewed waits here for that.
    pub(super) fn publish_by_rules(
        &mut self,
        topic: TopicName,
        publish: Publish,
        publisher: &Publisher,
        session: Option<SessionId>,
    ) -> Result<bool, ReasonCode> {
        let (seconds, topic) = self.delay_of(topic).ok_or(ReasonCode::TopicNameInvalid)?;
        let publish = Publish { topic: topic.text().clone(), ..publish };
        match self.ruling(&topic, publisher) {
            Ruling::Review => self.delay(&topic, publish, self.now.plus_secs(seconds.into()), publisher, session, true),
            Ruling::Decided(decision) => match self.decided(decision, topic, publish)? {
                Some((topic, publish)) => self.take_or_delay(topic, publish, seconds, publisher, session),
                None => Ok(true),
            },
        }
    }

    fn delay(
        &mut self,
        topic: &TopicName,
        publish: Publish,
        at: Timestamp,
        publisher: &Publisher,
        session: Option<SessionId>,
        needs_review: bool,
    ) -> Result<bool, ReasonCode> {
        let draft = Draft::new(topic, publish, &self.tally);
        let mut later = self.later(draft, at, publisher, session, needs_review);
        // A will that waits for nothing but a review was let in with its client, and has counted since.
        later.counts = !(later.is_will() && at <= self.now);
        if later.counts && (self.has_delayed_enough(later.owner.as_ref()) || self.holds_too_much()) {
            return Err(ReasonCode::QuotaExceeded);
        }
        let number = self.delayed.last + 1;
        if self.is_durable() {
            self.mirror.put_new(Key::Delayed(number), &later.to_record());
        }
        self.insert_delayed(number, later);
        Ok(true)
    }

    fn later(
        &self,
        draft: Draft,
        at: Timestamp,
        publisher: &Publisher,
        session: Option<SessionId>,
        needs_review: bool,
    ) -> Later {
        let client_id = publisher.client_id.detached();
        let user_name = publisher.user_name.as_ref().map(Text::detached);
        let is_found_out = client_id.is_empty() || matches!(self.config.authentication, Authentication::Ask);
        let owner = match &user_name {
            Some(name) if is_found_out => Some(Owner::User(name.clone())),
            _ => Some(Owner::Client(client_id.clone())).filter(|_| !client_id.is_empty()),
        };
        let publisher = Publisher { client_id, user_name };
        Later { draft, at, publisher, session, needs_review, counts: true, owner }
    }

    /// Whether there are as many as there may be, of this owner or of all.
    fn has_delayed_enough(&self, owner: Option<&Owner>) -> bool {
        self.delayed.counted >= self.config.maximum_delayed_messages
            || owner.is_some_and(|owner| self.delayed.of.of(owner) >= self.config.maximum_delayed_messages_per_user)
    }

    fn insert_delayed(&mut self, number: u64, later: Later) {
        self.delayed.skip_number(number);
        self.deadlines.set(Due::Delayed(number), None, Some(later.at));
        self.delayed.insert(number, later);
    }

    pub(super) fn restore_delayed(&mut self, number: u64, record: store::Delayed, topic: &TopicName) {
        let store::Delayed { at, session, client_id, user_name, needs_review, content } = record;
        self.last_session = self.last_session.max(session);
        let session = (session > 0).then_some(SessionId(session));
        let draft = Draft::restored(content, topic, &self.tally);
        let later = self.later(draft, at, &Publisher { client_id, user_name }, session, needs_review);
        self.insert_delayed(number, later);
    }

    /// Writes all that is delayed.
    pub(super) fn write_delayed(&self, mirror: &mut Mirror) {
        for (number, later) in &self.delayed.messages {
            mirror.put(Key::Delayed(*number), &later.to_record());
        }
    }

    /// The time of a message has come: it is published, or the host is asked first.
    pub(super) fn delayed_is_due(&mut self, number: u64) {
        let Some(later) = self.delayed.messages.get(&number) else { return };
        if !later.needs_review {
            return self.publish_delayed(number, Decision::Accept);
        }
        let publish = Publish { topic: later.draft.topic().text().clone(), ..later.draft.publish().clone() };
        let publisher = later.publisher.clone();
        if later.is_will() {
            self.delayed.discount(number);
        }
        self.ask_about_delayed(number, publisher, publish);
    }

    /// Publishes what was delayed, as was decided.
    pub(super) fn publish_delayed(&mut self, number: u64, decision: Decision) {
        let Some(Later { draft, publisher, session, .. }) = self.delayed.remove(number) else { return };
        if self.is_durable() {
            self.mirror.delete(Key::Delayed(number));
        }
        let (topic, publish) = draft.into_parts();
        let named = topic.text().clone();
        let taken = match self.decided(decision, topic, publish) {
            Ok(None) => Ok(true),
            Ok(Some((topic, mut publish))) => {
                self.take_counted(Message::new(&mut publish, topic, self.now, &self.tally), session)
            }
            Err(reason) => Err(reason),
        };
        if let Err(reason) = taken {
            let client_id = Some(publisher.client_id).filter(|client_id| !client_id.is_empty());
            self.refuse_message(client_id, named, reason);
        }
    }

    /// Who publishes a message that is delayed, and its topic.
    pub(super) fn delayed_message(&self, number: u64) -> Option<(&Publisher, &Text)> {
        self.delayed.messages.get(&number).map(|later| (&later.publisher, later.draft.topic().text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_says_how_many_seconds_later_and_to_what_it_is_published_or_is_invalid() {
        let split = |text: &'static str| {
            split_delay(TopicName::parse(Text::from_static(text)).unwrap())
                .map(|(seconds, topic)| (seconds, topic.to_string()))
        };
        let meant = |seconds, topic: &str| Some((seconds, topic.into()));
        assert_eq!(split("a/b"), meant(0, "a/b"));
        assert_eq!(split("$delayedx/5/a"), meant(0, "$delayedx/5/a"));
        assert_eq!(split("x/$delayed/5/a"), meant(0, "x/$delayed/5/a"));
        assert_eq!(split("$delayed/5/a/b"), meant(5, "a/b"));
        assert_eq!(split("$delayed/0/a"), meant(0, "a"));
        assert_eq!(split("$delayed/007//a"), meant(7, "/a"));
        assert_eq!(split("$delayed/4294967295/$x"), meant(u32::MAX, "$x"));
        for invalid in [
            "$delayed",
            "$delayed/",
            "$delayed/5",
            "$delayed/5/",
            "$delayed//a",
            "$delayed/-5/a",
            "$delayed/ 5/a",
            "$delayed/5s/a",
            "$delayed/1.5/a",
            "$delayed/4294967296/a",
            "$delayed/5/$delayed/5/a",
            "$delayed/5/$delayed",
        ] {
            assert_eq!(split(invalid), None, "{invalid}");
        }
    }
}
