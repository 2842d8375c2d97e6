//! What the operator wants done with messages by their topics: rules as data, of which the first that matches counts.
//! They apply to what clients publish, wills included, after their Grants: see [`PublishRule`].

use super::{Broker, Decision, delay::Publisher, grants::is_harmless};
use crate::{
    codec::{ReasonCode, Text},
    topic::{TopicFilter, TopicName},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// One rule of [`super::Config::rules`].
///
/// Rules apply to each PUBLISH of a client that its Grants allow, to its will when that is published, and to what the host
/// publishes in a client's place, with Grants; not to what the host publishes for itself. They decide with the topic that
/// the client asked for, and where they lead is the operator's will: a rewritten topic need not lie within the client's Grants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(try_from = "Said", into = "Said"))]
pub struct PublishRule {
    filter: TopicFilter,
    action: RuleAction,
    topic: Option<Text>,
}

/// What a rule does with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RuleAction {
    Drop,
    Refuse,
    Rewrite(Template),
    Review,
}

/// A topic to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// What a wildcard of the filter matched, counted from 0.
    Match(usize),
    ClientId,
    UserName,
}

/// What the rules say of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    Decided(Decision),
    /// The host is to decide.
    Review,
}

impl PublishRule {
    /// The rule that is said like this.
    ///
    /// `filter` is a Topic Filter without a share. `action` is one of
    /// - `drop`: the publisher hears a success, and nothing is published;
    /// - `refuse`: the publisher hears 0x87;
    /// - `rewrite`: it is published to `topic` instead, in which `$1` to `$99` stand for what the wildcards of the filter
    ///   matched, `#` for all its levels with the `/`s between them, `%c` for the Client Identifier and `%u` for the User Name. A
    ///   name that is missing or could not stand for one level, as in a [`super::Grant`], refuses with 0x87; a topic that is none,
    ///   or is one of `$SYS` or `$delayed`, with 0x90;
    /// - `review`: the host decides, by [`super::Action::Review`].
    ///
    /// # Errors
    /// One sentence, when that is no rule.
    pub fn new(filter: Text, action: &str, topic: Option<Text>) -> Result<Self, String> {
        let filter = TopicFilter::parse(filter).map_err(|error| error.to_string())?;
        if filter.share_name().is_some() {
            return Err("the filter of a rule has no $share".into());
        }
        let action = match (action, &topic) {
            ("drop", None) => RuleAction::Drop,
            ("refuse", None) => RuleAction::Refuse,
            ("review", None) => RuleAction::Review,
            ("rewrite", Some(topic)) => RuleAction::Rewrite(Template::parse(topic.as_str(), &filter)?),
            ("rewrite", None) => return Err("a rule that rewrites needs a topic".into()),
            ("drop" | "refuse" | "review", Some(_)) => return Err("only a rule that rewrites has a topic".into()),
            _ => return Err("the action of a rule is drop, refuse, rewrite or review".into()),
        };
        Ok(Self { filter, action, topic })
    }

    /// Whether it lets the host decide.
    pub fn asks_host(&self) -> bool {
        self.action == RuleAction::Review
    }

    fn ruling(&self, topic: &TopicName, publisher: &Publisher) -> Ruling {
        Ruling::Decided(match &self.action {
            RuleAction::Review => return Ruling::Review,
            RuleAction::Drop => Decision::Drop,
            RuleAction::Refuse => Decision::Refuse { reason: ReasonCode::NotAuthorized },
            RuleAction::Rewrite(template) => match template.fill_in(&matched(&self.filter, topic), publisher) {
                None => Decision::Refuse { reason: ReasonCode::NotAuthorized },
                Some(topic) => match Text::try_from(topic) {
                    Ok(topic) => Decision::Rewrite { topic: Some(topic), payload: None },
                    Err(_) => Decision::Refuse { reason: ReasonCode::TopicNameInvalid },
                },
            },
        })
    }
}

impl Template {
    fn parse(text: &str, filter: &TopicFilter) -> Result<Self, String> {
        let wildcards = filter.levels().filter(|level| matches!(level, [b'+' | b'#'])).count();
        let (mut parts, mut rest) = (Vec::new(), text);
        if text.is_empty() || text.contains(['+', '#', '\0']) {
            return Err("the topic of a rule is a topic: not empty, without wildcards".into());
        }
        if text.split('/').next().is_some_and(is_special) {
            return Err("the topic of a rule is none of $SYS or $delayed".into());
        }
        while let Some(at) = rest.find(['$', '%']) {
            let (before, special) = rest.split_at(at);
            parts.push(Part::Text(before.into()));
            let digits = special[1..].bytes().take(2).take_while(u8::is_ascii_digit).count();
            let length = match special.get(..2) {
                Some("%c") => {
                    parts.push(Part::ClientId);
                    2
                }
                Some("%u") => {
                    parts.push(Part::UserName);
                    2
                }
                _ if special.starts_with('$') && digits > 0 => {
                    let number: usize = special[1..=digits].parse().unwrap_or_default();
                    if number == 0 || number > wildcards {
                        return Err("the topic of a rule names a wildcard that its filter does not have".into());
                    }
                    parts.push(Part::Match(number - 1));
                    1 + digits
                }
                _ => {
                    parts.push(Part::Text(special[..1].into()));
                    1
                }
            };
            rest = &special[length..];
        }
        parts.push(Part::Text(rest.into()));
        Ok(Self(parts))
    }

    fn fill_in(&self, matched: &[String], publisher: &Publisher) -> Option<String> {
        let name = |name: Option<&Text>| name.map(Text::as_str).filter(|name| is_harmless(name)).map(String::from);
        let mut topic = String::new();
        for part in &self.0 {
            topic += &match part {
                Part::Text(text) => text.clone(),
                Part::Match(index) => matched.get(*index)?.clone(),
                Part::ClientId => name(Some(&publisher.client_id))?,
                Part::UserName => name(publisher.user_name.as_ref())?,
            };
        }
        Some(topic)
    }
}

impl Broker {
    /// What the first rule that matches says of a message.
    pub(super) fn ruling(&mut self, topic: &TopicName, publisher: &Publisher) -> Ruling {
        self.effort.add(self.config.rules.len());
        let rule = self.config.rules.iter().find(|rule| rule.filter.matches(topic));
        rule.map_or(Ruling::Decided(Decision::Accept), |rule| rule.ruling(topic, publisher))
    }

    /// A topic that a rule or a review gives to a message.
    pub(super) fn rewritten_topic(&self, topic: Text) -> Option<TopicName> {
        let topic = TopicName::parse(topic).ok()?;
        let is_special = topic.text().as_str().split('/').next().is_some_and(is_special);
        (!is_special && !self.config.forbids_levels(topic.level_count())).then_some(topic)
    }
}

/// What each wildcard of the filter matched.
fn matched(filter: &TopicFilter, topic: &TopicName) -> Vec<String> {
    let (mut matched, mut levels) = (Vec::new(), topic.text().as_str().split('/'));
    for expected in filter.levels() {
        match expected {
            b"+" => matched.extend(levels.next().map(String::from)),
            b"#" => matched.push(levels.by_ref().collect::<Vec<_>>().join("/")),
            _ => _ = levels.next(),
        }
    }
    matched
}

/// Whether a topic that begins with this level is the broker's own.
fn is_special(level: &str) -> bool {
    matches!(level, "$SYS" | "$delayed")
}

/// A rule as data says it.
#[cfg(feature = "serde")]
#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Said {
    filter: Text,
    action: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<Text>,
}

#[cfg(feature = "serde")]
impl TryFrom<Said> for PublishRule {
    type Error = String;

    fn try_from(said: Said) -> Result<Self, String> {
        Self::new(said.filter, said.action.as_str(), said.topic)
    }
}

#[cfg(feature = "serde")]
impl From<PublishRule> for Said {
    fn from(PublishRule { filter, action, topic }: PublishRule) -> Self {
        let action = match action {
            RuleAction::Drop => "drop",
            RuleAction::Refuse => "refuse",
            RuleAction::Rewrite(_) => "rewrite",
            RuleAction::Review => "review",
        };
        Self { filter: filter.text().clone(), action: Text::from_static(action), topic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(filter: &'static str, action: &str, topic: Option<&str>) -> Result<PublishRule, String> {
        PublishRule::new(Text::from_static(filter), action, topic.map(|topic| Text::try_from(topic).unwrap()))
    }

    fn rewritten(
        filter: &'static str,
        template: &str,
        topic: &'static str,
        names: [&'static str; 2],
    ) -> Option<String> {
        let [client_id, user_name] = names.map(Text::from_static);
        let topic = TopicName::parse(Text::from_static(topic)).unwrap();
        let publisher = Publisher { client_id, user_name: Some(user_name) };
        let ruling = rule(filter, "rewrite", Some(template)).unwrap().ruling(&topic, &publisher);
        match ruling {
            Ruling::Decided(Decision::Rewrite { topic, payload: None }) => topic.map(|topic| topic.to_string()),
            Ruling::Decided(Decision::Refuse { reason: ReasonCode::NotAuthorized }) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_template_has_what_the_wildcards_matched_and_who_publishes() {
        for (filter, template, topic, expected) in [
            ("a/+/b/#", "x/$2/$1", "a/1/b/2/3", "x/2/3/1"),
            ("a/#", "x/$1", "a", "x/"),
            ("a/#", "$1", "a/b", "b"),
            ("+/+", "$2$1", "a/b", "ba"),
            ("a", "c/%c/u/%u", "a", "c/ada/u/lovelace"),
            ("a/+", "100%/$/$x/%d/$1", "a/b", "100%/$/$x/%d/b"),
            ("+/+/+/+/+/+/+/+/+/+", "$10/$1", "1/2/3/4/5/6/7/8/9/x", "x/1"),
        ] {
            assert_eq!(rewritten(filter, template, topic, ["ada", "lovelace"]).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_name_that_could_change_the_topic_refuses() {
        for name in ["", "a/b", "+", "#", "$SYS", "%c"] {
            assert_eq!(rewritten("a", "x/%c", "a", [name, "u"]), None, "{name}");
            assert_eq!(rewritten("a", "x/%u", "a", ["c", name]), None, "{name}");
        }
        assert_eq!(rewritten("a", "x", "a", ["", ""]).as_deref(), Some("x"));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_a_sentence() {
        for (filter, action, topic) in [
            ("a/#/b", "drop", None),
            ("$share/g/a", "drop", None),
            ("a", "accept", None),
            ("a", "drop", Some("b")),
            ("a", "rewrite", None),
            ("a", "rewrite", Some("")),
            ("a", "rewrite", Some("b/+")),
            ("a", "rewrite", Some("b/$1")),
            ("a/+", "rewrite", Some("b/$2")),
            ("a/+", "rewrite", Some("b/$0")),
            ("a", "rewrite", Some("$SYS/x")),
            ("a", "rewrite", Some("$delayed/1/x")),
        ] {
            let refused = rule(filter, action, topic).unwrap_err();
            assert!(!refused.is_empty(), "{filter} {action} {topic:?}");
        }
    }
}
