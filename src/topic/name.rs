//! Topic Names: what a message is published to.

use super::{EMPTY, InvalidTopic};
use crate::codec::Text;
use bytes::Bytes;
use core::fmt;

/// A valid Topic Name: 1 to 65,535 bytes without wildcards. [MQTT-4.7.0-1] [MQTT-4.7.3-1]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Text);

impl TopicName {
    /// Takes `text` as a Topic Name, without copying it.
    ///
    /// # Errors
    /// When it is empty or holds `+` or `#`.
    pub fn parse(text: Text) -> Result<Self, InvalidTopic> {
        const WILDCARD: InvalidTopic = InvalidTopic { rule: "a Topic Name holds no wildcards [MQTT-4.7.0-1]" };
        if text.is_empty() {
            return Err(EMPTY);
        }
        // Looks at many bytes at a time, as it need not stop at one.
        if text.as_bytes().iter().fold(false, |found, byte| found | matches!(byte, b'+' | b'#')) {
            return Err(WILDCARD);
        }
        Ok(Self(text))
    }

    /// The name as text.
    pub fn text(&self) -> &Text {
        &self.0
    }

    /// The levels between the `/`s, in order; at least one, and any may be empty.
    pub fn levels(&self) -> impl Iterator<Item = &[u8]> + Clone {
        super::levels(self.0.as_bytes())
    }

    /// How many levels there are: 1 to 65,536.
    pub fn level_count(&self) -> usize {
        super::level_count(self.0.as_bytes())
    }

    /// Whether it begins with `$`: no filter that begins with a wildcard matches it. [MQTT-4.7.2-1]
    pub fn is_reserved(&self) -> bool {
        self.0.as_bytes().starts_with(b"$")
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(self.0.detached())
    }

    /// A copy of the name and of what belongs to it, which share a buffer of their own.
    #[must_use]
    pub fn detached_with(&self, other: &[u8]) -> (Self, Bytes) {
        let (name, other) = self.0.detached_with(other);
        (Self(name), other)
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> Result<TopicName, InvalidTopic> {
        TopicName::parse(Text::from_static(text))
    }

    #[test]
    fn any_text_without_wildcards_is_a_name() {
        for text in ["a", "/", "a/b c/ü", "/finance", "$SYS/uptime", "ACCOUNTS payable"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn empty_text_and_wildcards_are_refused() {
        for text in ["", "+", "#", "a/+/b", "a+", "a/#"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn levels_may_be_empty() {
        let name = parse("/a//").unwrap();
        assert_eq!(name.levels().collect::<Vec<_>>(), [&b""[..], b"a", b"", b""]);
        assert_eq!(name.level_count(), 4);
    }

    #[test]
    fn the_longest_name_has_65_536_levels() {
        let name = TopicName::parse(Text::try_from("/".repeat(65_535)).unwrap()).unwrap();
        assert_eq!(name.level_count(), 65_536);
    }

    #[test]
    fn only_a_first_dollar_reserves_a_name() {
        assert!(parse("$SYS/a").unwrap().is_reserved());
        assert!(!parse("a/$SYS").unwrap().is_reserved());
    }
}
