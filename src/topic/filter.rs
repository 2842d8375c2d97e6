//! Topic Filters: what a client subscribes to, with or without a share. Matching here is linear in the filter's length.

use super::{EMPTY, InvalidTopic, MULTI_LEVEL, SINGLE_LEVEL, TopicName, levels};
use crate::codec::Text;
use core::fmt;

/// A valid Topic Filter, which may be that of a Shared Subscription: `$share/ShareName/filter`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter {
    text: Text,
    /// Where the filter without its share begins.
    start: usize,
}

const SHARE_PREFIX: &str = "$share/";

impl TopicFilter {
    /// Takes `text` as a Topic Filter, without copying it.
    ///
    /// # Errors
    /// When it is empty, a wildcard stands where none may [MQTT-4.7.1-1] [MQTT-4.7.1-2], or it begins with `$share/`
    /// and no ShareName and filter follow [MQTT-4.8.2-1] [MQTT-4.8.2-2].
    pub fn parse(text: Text) -> Result<Self, InvalidTopic> {
        let start = filter_start(text.as_str())?;
        check_wildcards(text.as_bytes().get(start..).unwrap_or_default())?;
        Ok(Self { text, start })
    }

    /// The whole filter as text, with its share.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The ShareName of a Shared Subscription.
    pub fn share_name(&self) -> Option<&str> {
        self.text.as_str().get(SHARE_PREFIX.len()..self.start.checked_sub(1)?)
    }

    /// The filter without its share.
    pub fn filter_text(&self) -> &str {
        self.text.as_str().get(self.start..).unwrap_or_default()
    }

    /// The levels of the filter without its share, in order; at least one.
    pub fn levels(&self) -> impl Iterator<Item = &[u8]> + Clone {
        levels(self.filter_bytes())
    }

    /// How many levels the filter has without its share: 1 to 65,536.
    pub fn level_count(&self) -> usize {
        super::level_count(self.filter_bytes())
    }

    /// Whether it holds `+` or `#`: without them it matches one topic alone.
    pub fn has_wildcards(&self) -> bool {
        self.filter_bytes().iter().any(|byte| matches!(byte, b'+' | b'#'))
    }

    /// Whether messages published to `topic` are meant.
    pub fn matches(&self, topic: &TopicName) -> bool {
        // [MQTT-4.7.2-1] a wildcard in front leaves out the topics that begin with `$`
        if topic.is_reserved() && self.begins_with_wildcard() {
            return false;
        }
        let (mut filter, mut topic) = (self.levels(), topic.levels());
        loop {
            match (filter.next(), topic.next()) {
                (Some(MULTI_LEVEL), _) | (None, None) => return true,
                (Some(expected), Some(level)) if expected == SINGLE_LEVEL || expected == level => {}
                _ => return false,
            }
        }
    }

    /// Whether every topic that `other` matches is matched by this filter too. Shares make no difference.
    pub fn covers(&self, other: &Self) -> bool {
        if self.begins_with_wildcard() && other.filter_bytes().starts_with(b"$") {
            return false;
        }
        // No topic is empty, so here `#` stands for at least one level more.
        let narrow: &[u8] = match other.filter_bytes() {
            b"#" => b"+/#",
            b"/#" => b"/+/#",
            filter => filter,
        };
        let (mut wide, mut narrow) = (self.levels(), levels(narrow));
        loop {
            match (wide.next(), narrow.next()) {
                (Some(MULTI_LEVEL), _) | (None, None) => return true,
                (_, Some(MULTI_LEVEL)) => return false,
                (Some(wide), Some(narrow)) if wide == SINGLE_LEVEL || wide == narrow => {}
                _ => return false,
            }
        }
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { text: self.text.detached(), start: self.start }
    }

    fn begins_with_wildcard(&self) -> bool {
        matches!(self.filter_bytes().first(), Some(b'+' | b'#'))
    }

    fn filter_bytes(&self) -> &[u8] {
        self.filter_text().as_bytes()
    }
}

/// Where the filter begins in `text`: behind the share, if there is one.
fn filter_start(text: &str) -> Result<usize, InvalidTopic> {
    const SHARE: InvalidTopic =
        InvalidTopic { rule: "after `$share/` come a ShareName, `/` and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2]" };
    let Some(shared) = text.strip_prefix(SHARE_PREFIX) else { return Ok(0) };
    match shared.split_once('/') {
        Some((name, filter)) if !name.is_empty() && !name.contains(['+', '#']) && !filter.is_empty() => {
            Ok(text.len() - filter.len())
        }
        _ => Err(SHARE),
    }
}

fn check_wildcards(filter: &[u8]) -> Result<(), InvalidTopic> {
    const NOT_ALONE: InvalidTopic =
        InvalidTopic { rule: "a wildcard occupies a whole level [MQTT-4.7.1-1] [MQTT-4.7.1-2]" };
    const NOT_LAST: InvalidTopic = InvalidTopic { rule: "only the last level can be `#` [MQTT-4.7.1-1]" };
    if filter.is_empty() {
        return Err(EMPTY);
    }
    let mut levels = levels(filter);
    while let Some(level) = levels.next() {
        if level.len() > 1 && level.iter().any(|byte| matches!(byte, b'+' | b'#')) {
            return Err(NOT_ALONE);
        }
        if level == MULTI_LEVEL && levels.next().is_some() {
            return Err(NOT_LAST);
        }
    }
    Ok(())
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.text, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> TopicFilter {
        TopicFilter::parse(Text::try_from(text).unwrap()).unwrap()
    }

    fn name(text: &str) -> TopicName {
        TopicName::parse(Text::try_from(text).unwrap()).unwrap()
    }

    #[test]
    fn wildcards_stand_alone_in_their_level_and_hash_stands_last() {
        for text in
            ["#", "+", "/", "/+", "+/", "+/+", "sport/tennis/#", "+/tennis/#", "sport/+/player1", "a//#", "$SYS/#"]
        {
            assert_eq!(filter(text).to_string(), text);
        }
        for text in ["", "sport/tennis#", "sport/tennis/#/ranking", "sport+", "+a", "#/", "##", "#/#", "a/b+/c", "++"] {
            assert!(TopicFilter::parse(Text::from_static(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_has_a_name_and_a_filter() {
        let shared = filter("$share/consumer1/sport/+/#");
        assert_eq!(shared.share_name(), Some("consumer1"));
        assert_eq!(shared.filter_text(), "sport/+/#");
        assert_eq!(shared.level_count(), 3);
        assert!(shared.has_wildcards());
        assert_eq!(filter("$share/a//").filter_text(), "/");
        for text in ["$share/", "$share//a", "$share/a", "$share/a/", "$share/a+/b", "$share/#/b", "$share/a/b#"] {
            assert!(TopicFilter::parse(Text::from_static(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn without_the_whole_prefix_nothing_is_shared() {
        for text in ["$share", "$shared/a/b", "a/$share/b/c"] {
            assert_eq!(filter(text).share_name(), None, "{text}");
            assert_eq!(filter(text).filter_text(), text);
            assert!(!filter(text).has_wildcards());
        }
    }

    #[test]
    fn the_examples_of_the_standard_match_as_it_says() {
        let table: [(&str, &[&str], &[&str]); 13] = [
            (
                "sport/tennis/player1/#",
                &["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"],
                &["sport/tennis/player2", "sport/tennis"],
            ),
            ("sport/#", &["sport", "sport/"], &["sports"]),
            ("#", &["a", "/", "a/b"], &["$SYS", "$SYS/monitor/Clients"]),
            ("sport/tennis/+", &["sport/tennis/player1", "sport/tennis/"], &["sport/tennis/player1/ranking"]),
            ("sport/+", &["sport/"], &["sport"]),
            ("+/+", &["/finance"], &["finance", "$SYS/monitor"]),
            ("/+", &["/finance", "/"], &["finance"]),
            ("+", &["finance"], &["/finance", "$SYS"]),
            ("$SYS/#", &["$SYS", "$SYS/monitor/Clients"], &["SYS"]),
            ("$SYS/monitor/+", &["$SYS/monitor/Clients"], &["$SYS/monitor/Clients/a"]),
            ("+/monitor/Clients", &["a/monitor/Clients"], &["$SYS/monitor/Clients"]),
            ("ACCOUNTS", &["ACCOUNTS"], &["Accounts", "ACCOUNTS/"]),
            ("$share/group/sport/+", &["sport/a"], &["$share/group/sport/a"]),
        ];
        for (text, matching, others) in table {
            for topic in matching {
                assert!(filter(text).matches(&name(topic)), "{text} matches {topic}");
            }
            for topic in others {
                assert!(!filter(text).matches(&name(topic)), "{text} does not match {topic}");
            }
        }
    }

    #[test]
    fn a_filter_covers_what_asks_for_less() {
        let table: [(&str, &[&str], &[&str]); 10] = [
            ("#", &["#", "+", "a", "+/#", "a/b/#", "$share/g/a"], &["$SYS/#", "$SYS", "$share/g/$SYS"]),
            ("+/#", &["#", "+", "+/#", "a/#", "/"], &["$SYS/#"]),
            ("a/#", &["a", "a/+", "a/b/#", "a/#", "a/+/c"], &["#", "+", "+/b", "ab", "b/#"]),
            ("a/+/#", &["a/b", "a/+", "a/b/#"], &["a/#", "a"]),
            ("/+/#", &["/#", "/+", "/a/b"], &["#", "+/#", "a"]),
            ("+/b", &["a/b", "+/b", "/b"], &["$x/b", "a/+", "+/#", "a/b/c"]),
            ("+", &["+", "a"], &["#", "a/b", "$a"]),
            ("a/b", &["a/b", "$share/g/a/b"], &["a/+", "a/#", "a/b/c", "a"]),
            ("$SYS/#", &["$SYS", "$SYS/+", "$SYS/a/b"], &["#", "+/a"]),
            ("$share/g/a/#", &["a/b"], &["b"]),
        ];
        for (wide, covered, others) in table {
            for narrow in covered {
                assert!(filter(wide).covers(&filter(narrow)), "{wide} covers {narrow}");
            }
            for narrow in others {
                assert!(!filter(wide).covers(&filter(narrow)), "{wide} does not cover {narrow}");
            }
        }
    }

    #[test]
    fn the_deepest_filters_match_and_cover_without_recursion() {
        let deep = filter(&"+/".repeat(32_767));
        let topic = name(&"a/".repeat(32_767));
        assert!(deep.matches(&topic));
        assert!(deep.covers(&filter(topic.text().as_str())));
        assert_eq!(deep.level_count(), 32_768);
    }
}
