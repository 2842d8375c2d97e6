//! Topic Aliases (3.3.2.3.4) in both directions. They live as long as one Network Connection. [MQTT-3.3.2-7]

use super::{SortedMap, Violation};
use crate::codec::{ReasonCode, Text};
use core::num::NonZeroU16;

/// How much the topics of one connection and direction may take.
#[derive(Clone, Copy, Debug)]
pub struct AliasRoom {
    bytes: usize,
    /// What an alias takes beside its topic, about.
    each: usize,
}

impl AliasRoom {
    /// Of memory.
    pub const MEMORY: Self = Self { bytes: 128 << 10, each: 64 };
    /// Of what is stored anew whenever one of them changes.
    pub const STORED: Self = Self { bytes: 16 << 10, each: 4 };

    fn size(self, topic: &Text) -> usize {
        topic.len() + self.each
    }
}

/// The aliases that the peer has set for us to resolve.
#[derive(Clone, Debug)]
pub struct TopicAliases {
    maximum: u16,
    room: AliasRoom,
    topics: SortedMap<NonZeroU16, Text>,
    bytes: usize,
}

impl TopicAliases {
    /// No alias set; the peer may use 1 to `maximum`.
    pub const fn new(maximum: u16, room: AliasRoom) -> Self {
        Self { maximum, room, topics: SortedMap::new(), bytes: 0 }
    }

    /// The aliases that were set when the peer was allowed `maximum` of them.
    pub fn restored(maximum: u16, room: AliasRoom, topics: impl IntoIterator<Item = (NonZeroU16, Text)>) -> Self {
        let mut aliases = Self::new(maximum, room);
        topics.into_iter().for_each(|(alias, topic)| aliases.set(alias, topic));
        aliases
    }

    /// How many aliases the peer may set, and those that it has set.
    pub fn parts(&self) -> (u16, impl Iterator<Item = (NonZeroU16, &Text)>) {
        (self.maximum, self.topics.iter().map(|(alias, topic)| (*alias, topic)))
    }

    /// Whether its topics take more than they may.
    pub const fn is_too_large(&self) -> bool {
        self.bytes > self.room.bytes
    }

    /// The topic that an alias stands for.
    pub fn topic(&self, alias: NonZeroU16) -> Option<&Text> {
        self.topics.get(&alias)
    }

    /// The topic that a PUBLISH means: its own, which sets the alias, or the one that the alias stands for.
    ///
    /// # Errors
    /// 0x94 beyond the maximum [MQTT-3.3.2-9], 0x82 for an alias that was never set.
    pub fn resolve(&mut self, alias: NonZeroU16, topic: &Text) -> Result<Text, Violation> {
        if alias.get() > self.maximum {
            return Err(Violation::new(
                ReasonCode::TopicAliasInvalid,
                "the Topic Alias is greater than Topic Alias Maximum [MQTT-3.3.2-9]",
            ));
        }
        if topic.is_empty() {
            return self
                .topic(alias)
                .cloned()
                .ok_or(Violation::protocol_error("the Topic Alias was never set on this connection (3.3.2.3.4)"));
        }
        if self.topic(alias) != Some(topic) {
            self.set(alias, topic.detached());
        }
        Ok(topic.clone())
    }

    fn set(&mut self, alias: NonZeroU16, topic: Text) {
        self.bytes += self.room.size(&topic);
        let old = self.topics.insert(alias, topic);
        self.bytes -= old.map_or(0, |old| self.room.size(&old));
    }
}

/// Gives aliases to the topics that we send: the first ones seen, up to the peer's Topic Alias Maximum, and as far as
/// there is room.
#[derive(Clone, Debug)]
pub struct AliasAssigner {
    maximum: u16,
    room: AliasRoom,
    aliases: SortedMap<Text, NonZeroU16>,
    bytes: usize,
}

/// How a PUBLISH names its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasUse {
    /// By name alone.
    None,
    /// By name, setting the alias; counts only once [`AliasAssigner::set`] was called.
    Set(NonZeroU16),
    /// By alias alone.
    Alone(NonZeroU16),
}

impl AliasAssigner {
    /// No alias given yet, at most `maximum`. [MQTT-3.1.2-26] [MQTT-3.1.2-27]
    pub const fn new(maximum: u16, room: AliasRoom) -> Self {
        Self { maximum, room, aliases: SortedMap::new(), bytes: 0 }
    }

    /// The aliases that were set when the peer allowed `maximum` of them.
    pub fn restored(maximum: u16, room: AliasRoom, aliases: impl IntoIterator<Item = (NonZeroU16, Text)>) -> Self {
        let mut assigner = Self::new(maximum, room);
        aliases.into_iter().for_each(|(alias, topic)| assigner.insert(topic, alias));
        assigner
    }

    /// How many aliases may be set, and those that are set.
    pub fn parts(&self) -> (u16, impl Iterator<Item = (NonZeroU16, &Text)>) {
        (self.maximum, self.aliases.iter().map(|(topic, alias)| (*alias, topic)))
    }

    /// How to name `topic` in the next PUBLISH.
    pub fn look_up(&self, topic: &Text) -> AliasUse {
        if self.maximum == 0 {
            return AliasUse::None;
        }
        if let Some(&alias) = self.aliases.get(topic) {
            return AliasUse::Alone(alias);
        }
        let next = u16::try_from(self.aliases.len() + 1).ok().and_then(NonZeroU16::new);
        let has_room = self.bytes + self.room.size(topic) <= self.room.bytes;
        match next.filter(|alias| alias.get() <= self.maximum && has_room) {
            Some(alias) => AliasUse::Set(alias),
            None => AliasUse::None,
        }
    }

    /// The PUBLISH that sets `alias` for `topic` was handed over.
    pub fn set(&mut self, topic: &Text, alias: NonZeroU16) {
        self.insert(topic.detached(), alias);
    }

    fn insert(&mut self, topic: Text, alias: NonZeroU16) {
        self.bytes += self.room.size(&topic);
        self.aliases.insert(topic, alias);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroU16 = NonZeroU16::MIN;

    #[test]
    fn an_alias_stands_for_the_topic_that_set_it_last() {
        let mut aliases = TopicAliases::new(1, AliasRoom::MEMORY);
        let (a, b, none) = (Text::from_static("a"), Text::from_static("b"), Text::default());
        assert_eq!(aliases.resolve(ONE, &none).unwrap_err().reason, ReasonCode::ProtocolError);
        assert_eq!(aliases.resolve(ONE, &a), Ok(a.clone()));
        assert_eq!(aliases.resolve(ONE, &none), Ok(a));
        assert_eq!(aliases.resolve(ONE, &b), Ok(b.clone()));
        assert_eq!(aliases.resolve(ONE, &none), Ok(b));
    }

    #[test]
    fn an_alias_beyond_the_maximum_is_0x94() {
        let mut aliases = TopicAliases::new(1, AliasRoom::MEMORY);
        let two = NonZeroU16::new(2).unwrap();
        assert_eq!(aliases.resolve(two, &Text::from_static("a")).unwrap_err().reason, ReasonCode::TopicAliasInvalid);
    }

    #[test]
    fn an_alias_that_is_set_anew_counts_once() {
        let mut aliases = TopicAliases::new(1, AliasRoom::MEMORY);
        for topic in ["a", "abc", "ab"] {
            aliases.resolve(ONE, &Text::from_static(topic)).unwrap();
            assert_eq!(aliases.bytes, topic.len() + 64);
        }
        let restored = TopicAliases::restored(1, AliasRoom::MEMORY, [(ONE, Text::from_static("ab"))]);
        assert_eq!(restored.bytes, aliases.bytes);
    }

    #[test]
    fn the_assigner_stops_where_its_topics_take_too_much() {
        let mut assigner = AliasAssigner::new(9, AliasRoom::MEMORY);
        let topic = |start: &str| Text::try_from([start, &"x".repeat(60_000)].concat()).unwrap();
        for (start, number) in [("a", 1), ("b", 2)] {
            let alias = NonZeroU16::new(number).unwrap();
            assert_eq!(assigner.look_up(&topic(start)), AliasUse::Set(alias));
            assigner.set(&topic(start), alias);
        }
        assert_eq!(assigner.look_up(&topic("c")), AliasUse::None);
        assert_eq!(assigner.look_up(&topic("a")), AliasUse::Alone(ONE));
        assert!(matches!(assigner.look_up(&Text::from_static("short")), AliasUse::Set(_)));
    }

    #[test]
    fn where_aliases_are_stored_there_is_room_for_64_topics_of_252_bytes_and_no_more() {
        let mut aliases = TopicAliases::new(65, AliasRoom::STORED);
        let mut assigner = AliasAssigner::new(65, AliasRoom::STORED);
        for number in 1..=65 {
            let (alias, is_last) = (NonZeroU16::new(number).unwrap(), number == 65);
            let topic = Text::try_from(alloc::format!("{number:252}")).unwrap();
            aliases.resolve(alias, &topic).unwrap();
            assert_eq!(aliases.is_too_large(), is_last);
            assert_eq!(assigner.look_up(&topic), if is_last { AliasUse::None } else { AliasUse::Set(alias) });
            assigner.set(&topic, alias);
        }
    }

    #[test]
    fn the_assigner_stops_at_the_peers_maximum() {
        let mut assigner = AliasAssigner::new(1, AliasRoom::MEMORY);
        let (a, b) = (Text::from_static("a"), Text::from_static("b"));
        assert_eq!(assigner.look_up(&a), AliasUse::Set(ONE));
        assert_eq!(assigner.look_up(&a), AliasUse::Set(ONE));
        assigner.set(&a, ONE);
        assert_eq!(assigner.look_up(&a), AliasUse::Alone(ONE));
        assert_eq!(assigner.look_up(&b), AliasUse::None);
        assert_eq!(AliasAssigner::new(0, AliasRoom::MEMORY).look_up(&a), AliasUse::None);
    }
}
