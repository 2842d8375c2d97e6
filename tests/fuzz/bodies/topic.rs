//! Topic Names and Filters: they parse as the standard says, and trees find what a look at each one finds.

use super::Source;
use arbitrary::{Result, Unstructured};
use mqlite::{
    codec::Text,
    topic::{FilterTree, NameTree, Place, TopicFilter, TopicName},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// Puts texts made of the bytes into both trees, or takes them out, and looks for each in the end.
pub fn topic(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let mut world = World::default();
    while world.texts < 60
        && !source.is_empty()
        && let Ok((keep, text)) = entry(&mut source)
    {
        world.take(keep, &text);
    }
    world.check();
}

/// Whether to put it in, and the text: of pieces that mean something, for the most part.
fn entry(source: &mut Source<'_>) -> Result<(bool, String)> {
    const PIECES: [&str; 14] =
        ["/", "/", "a", "b", "+", "#", "$", "$share/", "$SYS", "/+/", "/#", "ü", "\u{1f30a}", "c"];
    let length = source.int_in_range(0..=15)?;
    let pieces: Result<String> = (0..length).map(|_| super::one_of(source, &PIECES)).collect();
    Ok((source.ratio(3, 4)?, pieces?))
}

#[derive(Default)]
struct World {
    texts: usize,
    filters: BTreeSet<TopicFilter>,
    names: BTreeSet<TopicName>,
    /// What was put at filters, without their shares: the texts that a share or none makes of each.
    filter_tree: FilterTree<BTreeSet<TopicFilter>>,
    name_tree: NameTree<TopicName>,
}

impl World {
    fn take(&mut self, keep: bool, text: &str) {
        self.texts += 1;
        let field = Text::try_from(text).expect("no U+0000 in it");
        let (filter, name) = (TopicFilter::parse(field.clone()), TopicName::parse(field));
        assert_eq!(filter.is_ok(), is_filter(text), "{text}");
        assert_eq!(name.is_ok(), is_name(text), "{text}");
        if let Ok(filter) = filter {
            assert_eq!((filter.share_name(), filter.filter_text()), split_share(text).unwrap());
            self.take_filter(keep, filter);
        }
        if let Ok(name) = name {
            assert_eq!(name.level_count(), text.split('/').count());
            self.take_name(keep, name);
        }
    }

    fn take_filter(&mut self, keep: bool, filter: TopicFilter) {
        if keep {
            let (before, missing) = (self.filter_tree.bytes(), self.filter_tree.bytes_missing(&filter));
            self.filter_tree.entry(&filter).insert(filter.clone());
            assert_eq!(self.filter_tree.bytes(), before + missing);
            self.filters.insert(filter);
        } else {
            let removed = self.filter_tree.remove(&filter).unwrap_or_default();
            for filter in removed {
                assert!(self.filters.remove(&filter));
            }
            assert!(self.filter_tree.get(&filter).is_none());
        }
    }

    fn take_name(&mut self, keep: bool, name: TopicName) {
        let there = self.names.contains(&name).then(|| name.clone());
        if keep {
            let (before, missing) = (self.name_tree.bytes(), self.name_tree.bytes_missing(&name));
            assert_eq!(self.name_tree.insert(&name, name.clone()), there);
            assert_eq!(self.name_tree.bytes(), before + missing);
            self.names.insert(name);
        } else {
            assert_eq!(self.name_tree.remove(&name), there);
            self.names.remove(&name);
        }
    }

    fn check(mut self) {
        let by_levels: BTreeMap<&str, usize> = self.filters.iter().map(|filter| (filter.filter_text(), 1)).collect();
        assert_eq!((self.filter_tree.len(), self.name_tree.len()), (by_levels.len(), self.names.len()));
        for name in &self.names {
            let mut found = BTreeSet::new();
            self.filter_tree.visit(name, &mut |filters| found.extend(filters.iter()));
            assert_eq!(found, self.filters.iter().filter(|filter| matches(filter, name)).collect(), "{name}");
        }
        for filter in &self.filters {
            self.check_names(filter);
            for narrow in self.filters.iter().filter(|narrow| filter.covers(narrow)) {
                let mut missed = self.names.iter().filter(|name| narrow.matches(name) && !filter.matches(name));
                assert_eq!(missed.next(), None, "{filter} covers {narrow}");
            }
        }
        self.empty();
    }

    /// The names that a filter matches, found by looking at each, at once, and one after the other.
    fn check_names(&self, filter: &TopicFilter) {
        let mut expected: Vec<_> = self.names.iter().filter(|name| matches(filter, name)).collect();
        expected.sort_by(|one, other| one.levels().cmp(other.levels()));
        assert!(expected.iter().all(|name| filter.matches(name)), "{filter}");

        let mut at_once = Vec::new();
        self.name_tree.visit(filter, &mut |name| at_once.push(name));
        assert_eq!(at_once, expected, "{filter}");

        let (mut in_steps, mut place) = (Vec::new(), Place::default());
        let mut step = |name: Option<&TopicName>| {
            in_steps.extend(name.cloned());
            ControlFlow::Break(())
        };
        while self.name_tree.walk(filter, &mut place, &mut step).is_break() {}
        assert_eq!(in_steps.iter().collect::<Vec<_>>(), expected, "{filter}");
    }

    fn empty(&mut self) {
        for filter in &self.filters {
            self.filter_tree.remove(filter);
        }
        for name in &self.names {
            self.name_tree.remove(name);
        }
        assert_eq!((self.filter_tree.len(), self.filter_tree.bytes()), (0, 0));
        assert_eq!((self.name_tree.len(), self.name_tree.bytes()), (0, 0));
    }
}

/// [MQTT-4.7.0-1] [MQTT-4.7.3-1]
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['+', '#'])
}

/// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1]
fn is_filter(text: &str) -> bool {
    let Some((_, filter)) = split_share(text) else { return false };
    let levels: Vec<&str> = filter.split('/').collect();
    let (last, others) = levels.split_last().unwrap();
    let is_level = |level: &&str| !level.contains(['+', '#']) || *level == "+";
    !filter.is_empty() && others.iter().all(is_level) && (is_level(last) || *last == "#")
}

/// The ShareName, if there is one, and the filter without it. [MQTT-4.8.2-1] [MQTT-4.8.2-2]
fn split_share(text: &str) -> Option<(Option<&str>, &str)> {
    let Some(shared) = text.strip_prefix("$share/") else { return Some((None, text)) };
    let (name, filter) = shared.split_once('/')?;
    is_name(name).then_some((Some(name), filter))
}

/// 4.7, level by level.
fn matches(filter: &TopicFilter, name: &TopicName) -> bool {
    let filter: Vec<&str> = filter.filter_text().split('/').collect();
    let name: Vec<&str> = name.text().as_str().split('/').collect();
    let is_hidden = name[0].starts_with('$') && matches!(filter[0], "+" | "#");
    let (filter, rest) = match filter.split_last() {
        Some((&"#", levels)) => (levels, name.get(levels.len()..)),
        _ => (&filter[..], name.get(filter.len()..).filter(|rest| rest.is_empty())),
    };
    !is_hidden && rest.is_some() && filter.iter().zip(&name).all(|(wanted, level)| *wanted == "+" || wanted == level)
}
