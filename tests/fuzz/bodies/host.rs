//! What a host does besides carrying bytes: rules for messages, its reviews, records of its own, clients that it sends away;
//! and what must come of that.

use super::{Source, disk::Side, one_of, packets};
use arbitrary::Result;
use bytes::Bytes;
use mqlite::{
    broker::{Config, Decision, Input, PublishRule, ReviewFallback, ReviewId},
    codec::{Publish, ReasonCode, Text},
};
use std::collections::BTreeMap;

/// Something that a host tells its broker.
#[derive(Debug)]
pub enum Order {
    Keep(Text, Option<Bytes>),
    Disconnect(Text, ReasonCode, bool),
    /// About one of the messages that are asked about; 0 is the one that has waited the longest.
    Reviewed(usize, Option<Decision>),
}

/// What a host remembers of its broker.
#[derive(Default)]
pub struct Notes {
    /// Questions about messages that it has not answered; the broker may have given up on some.
    reviews: Vec<ReviewId>,
    kept: BTreeMap<Text, Bytes>,
}

/// Gives a broker rules, and narrow limits for what its host keeps.
pub fn set_rules(config: &mut Config) {
    let rule = |filter, action, topic: Option<_>| {
        PublishRule::new(Text::from_static(filter), action, topic.map(Text::from_static)).expect("a rule")
    };
    config.rules = vec![
        rule("b", "drop", None),
        rule("a//b", "refuse", None),
        rule("a/b/#", "rewrite", Some("r/%c")),
        rule("b/+", "rewrite", Some("d/$1")),
        rule("a/#", "review", None),
        rule("c", "review", None),
    ];
    let fallbacks = [ReviewFallback::Accept, ReviewFallback::Drop, ReviewFallback::Refuse];
    config.review_fallback = fallbacks[config.maximum_sessions % 3];
    (config.maximum_kept_records, config.maximum_kept_bytes) = (2, 500);
}

pub fn order(source: &mut Source<'_>) -> Result<Order> {
    Ok(match source.int_in_range(0..=4_u8)? {
        0 => {
            let value = source.arbitrary::<Option<u8>>()?.map(|length| vec![b'x'; length.into()].into());
            Order::Keep(one_of(source, &["k", "l", "m", ""]).map(Text::from_static)?, value)
        }
        1 => {
            let client_id = one_of(source, &["a", "b", "c", "nobody"]).map(Text::from_static)?;
            Order::Disconnect(client_id, packets::reason(source)?, source.arbitrary()?)
        }
        _ => Order::Reviewed(source.int_in_range(0..=3)?, decision(source)?),
    })
}

fn decision(source: &mut Source<'_>) -> Result<Option<Decision>> {
    Ok(match source.int_in_range(0..=7_u8)? {
        0 => None,
        1 => Some(Decision::Drop),
        2 => Some(Decision::Refuse { reason: packets::reason(source)? }),
        3 | 4 => {
            let topics = ["c", "ü", "$SYS/a", "a/+", "", "$delayed/1/c"];
            let topic = source.arbitrary::<bool>()?.then(|| one_of(source, &topics).map(Text::from_static));
            let payload = source.arbitrary::<Option<u8>>()?.map(|length| vec![b'y'; usize::from(length) * 4].into());
            Some(Decision::Rewrite { topic: topic.transpose()?, payload })
        }
        _ => Some(Decision::Accept),
    })
}

impl Notes {
    /// What the broker is to hear, if anything.
    pub fn input(&mut self, order: Order, side: &Side) -> Option<Input> {
        Some(match order {
            Order::Keep(name, value) => {
                if side.broker.may_keep(&name, value.as_ref()).is_ok() {
                    match &value {
                        Some(value) => _ = self.kept.insert(name.clone(), value.clone()),
                        None => _ = self.kept.remove(&name),
                    }
                }
                Input::Keep { name, value }
            }
            Order::Disconnect(client_id, reason, end_session) => Input::Disconnect { client_id, reason, end_session },
            Order::Reviewed(place, _) if place >= self.reviews.len() => return None,
            Order::Reviewed(place, decision) => Input::Reviewed { review: self.reviews.remove(place), decision },
        })
    }

    /// The broker asks about a message.
    pub fn asked(&mut self, review: ReviewId) {
        assert!(!self.reviews.contains(&review), "each question has a number of its own");
        self.reviews.push(review);
    }

    /// Another broker has taken over, which knows what was stored.
    pub fn restarted(&mut self, is_stored: bool) {
        self.reviews.clear();
        if !is_stored {
            self.kept.clear();
        }
    }

    pub fn check(&self, side: &Side, config: &Config) {
        let all = Text::default();
        assert!(side.broker.kept(&all).eq(&self.kept), "what was kept is there");
        assert!(self.kept.len() <= config.maximum_kept_records);
        assert!(side.broker.statistics().messages_in_review <= self.reviews.len() as u64);
    }
}

/// The broker asks about a message: one of which a rule says so, and no rule before that anything else.
pub fn check_asked(publish: &Publish) {
    let topic = publish.topic.as_str();
    assert!(["a", "c"].contains(&topic) || topic.starts_with("a/"), "no rule asks about {topic}");
    assert!(!SILENT.contains(&topic), "an earlier rule decides about {topic}");
}

/// What a client hears of a message: never one that a rule takes out of its topic.
pub fn check_heard(publish: &Publish) {
    assert!(!SILENT.contains(&publish.topic.as_str()), "a rule keeps {} silent", publish.topic);
}

/// Messages to these are dropped, refused, or go elsewhere.
const SILENT: [&str; 5] = ["b", "b/b", "a//b", "a/b", "a/b/c"];
