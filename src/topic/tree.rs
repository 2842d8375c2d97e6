//! Values at Topic Filters or Topic Names, found without looking at all of them: a trie by levels.
//! Drops, removes and visits recurse as deep as the tree is, never as deep as what is looked for.

use super::{MULTI_LEVEL, SINGLE_LEVEL, TopicFilter, TopicName};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::ops::{Bound, ControlFlow};

/// Values at Topic Filters, to be found by the topics that the filters match. Shares make no difference here.
///
/// Let no filter of more than 256 levels in: the tree recurses over its own depth.
#[derive(Clone, Debug)]
pub struct FilterTree<T> {
    root: Node<T>,
    len: usize,
}

/// Values at Topic Names, to be found by the filters that match them.
///
/// Let no name of more than 256 levels in: the tree recurses over its own depth.
#[derive(Clone, Debug)]
pub struct NameTree<T> {
    root: Node<T>,
    len: usize,
}

/// How far a walk through a [`NameTree`] has come; a new one is in front of all names.
#[derive(Clone, Debug, Default)]
pub struct Place(Option<Vec<u8>>);

impl<T> FilterTree<T> {
    /// No values.
    pub const fn new() -> Self {
        Self { root: Node::new(), len: 0 }
    }

    /// The value at `filter`, put there when there was none.
    pub fn entry(&mut self, filter: &TopicFilter) -> &mut T
    where
        T: Default,
    {
        self.root.at(filter.levels()).value.get_or_insert_with(|| {
            self.len += 1;
            T::default()
        })
    }

    /// The value at exactly `filter`.
    pub fn get(&self, filter: &TopicFilter) -> Option<&T> {
        self.root.find(filter.levels())?.value.as_ref()
    }

    /// The value at exactly `filter`, to change it.
    pub fn get_mut(&mut self, filter: &TopicFilter) -> Option<&mut T> {
        self.root.find_mut(filter.levels())?.value.as_mut()
    }

    /// Takes away the value at exactly `filter`.
    pub fn remove(&mut self, filter: &TopicFilter) -> Option<T> {
        let removed = self.root.remove(filter.levels());
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// Shows `visitor` the value of each filter that matches `topic`, in an order that depends on the filters alone.
    pub fn visit<'tree>(&'tree self, topic: &TopicName, visitor: &mut impl FnMut(&'tree T)) {
        // [MQTT-4.7.2-1] a wildcard in front leaves out the topics that begin with `$`
        self.root.visit_matching_filters(topic.levels(), !topic.is_reserved(), visitor);
    }

    /// How many filters have a value.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no filter has a value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<T> NameTree<T> {
    /// No values.
    pub const fn new() -> Self {
        Self { root: Node::new(), len: 0 }
    }

    /// Puts `value` at `name` and returns what was there.
    pub fn insert(&mut self, name: &TopicName, value: T) -> Option<T> {
        let replaced = self.root.at(name.levels()).value.replace(value);
        self.len += usize::from(replaced.is_none());
        replaced
    }

    /// The value at `name`.
    pub fn get(&self, name: &TopicName) -> Option<&T> {
        self.root.find(name.levels())?.value.as_ref()
    }

    /// The value at `name`, to change it.
    pub fn get_mut(&mut self, name: &TopicName) -> Option<&mut T> {
        self.root.find_mut(name.levels())?.value.as_mut()
    }

    /// Takes away the value at `name`.
    pub fn remove(&mut self, name: &TopicName) -> Option<T> {
        let removed = self.root.remove(name.levels());
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// Shows `visitor` the value of each name that `filter` matches: level by level in the order of bytes, a name
    /// before the names below it.
    pub fn visit<'tree>(&'tree self, filter: &TopicFilter, visitor: &mut impl FnMut(&'tree T)) {
        self.root.visit_matching_names(filter.levels(), true, visitor);
    }

    /// Visits as [`NameTree::visit`] does, but from behind `place` on and only until `visitor` breaks; `place` is moved to
    /// where that was. Every node on the way counts: `visitor` is called for those without a matching value too.
    pub fn walk<'tree>(
        &'tree self,
        filter: &TopicFilter,
        place: &mut Place,
        visitor: &mut impl FnMut(Option<&'tree T>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let old = place.0.take();
        let mut path = Vec::with_capacity(old.as_ref().map_or(0, Vec::len));
        // Nothing is in front of the root's children.
        let mut after = old.as_deref().map(super::levels);
        let after = core::iter::from_fn(|| after.as_mut()?.next());
        let flow = self.root.walk(Some(filter.levels()), Some(after), &mut path, true, visitor);
        *place = Place(Some(path));
        flow
    }

    /// How many names have a value.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no name has a value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<T> Default for FilterTree<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Default for NameTree<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// One level. Names never fill the two wildcard slots.
#[derive(Clone, Debug)]
struct Node<T> {
    value: Option<T>,
    literals: BTreeMap<Box<[u8]>, Node<T>>,
    single_level: Option<Box<Node<T>>>,
    multi_level: Option<Box<Node<T>>>,
}

impl<T> Node<T> {
    const fn new() -> Self {
        Self { value: None, literals: BTreeMap::new(), single_level: None, multi_level: None }
    }

    fn is_empty(&self) -> bool {
        self.value.is_none() && self.literals.is_empty() && self.single_level.is_none() && self.multi_level.is_none()
    }

    fn child(&self, level: &[u8]) -> Option<&Self> {
        match level {
            SINGLE_LEVEL => self.single_level.as_deref(),
            MULTI_LEVEL => self.multi_level.as_deref(),
            literal => self.literals.get(literal),
        }
    }

    fn child_mut(&mut self, level: &[u8]) -> Option<&mut Self> {
        match level {
            SINGLE_LEVEL => self.single_level.as_deref_mut(),
            MULTI_LEVEL => self.multi_level.as_deref_mut(),
            literal => self.literals.get_mut(literal),
        }
    }

    fn find<'a>(&self, mut levels: impl Iterator<Item = &'a [u8]>) -> Option<&Self> {
        levels.try_fold(self, |node, level| node.child(level))
    }

    fn find_mut<'a>(&mut self, mut levels: impl Iterator<Item = &'a [u8]>) -> Option<&mut Self> {
        levels.try_fold(self, |node, level| node.child_mut(level))
    }

    /// The node at `levels`, which is made when it is missing.
    fn at<'a>(&mut self, levels: impl Iterator<Item = &'a [u8]>) -> &mut Self {
        levels.fold(self, |node, level| match level {
            SINGLE_LEVEL => node.single_level.get_or_insert_with(|| Box::new(Self::new())),
            MULTI_LEVEL => node.multi_level.get_or_insert_with(|| Box::new(Self::new())),
            literal => node.literals.entry(literal.into()).or_insert_with(Self::new),
        })
    }

    /// Takes the value at `levels` and every node that is empty without it.
    fn remove<'a>(&mut self, mut levels: impl Iterator<Item = &'a [u8]>) -> Option<T> {
        let Some(level) = levels.next() else { return self.value.take() };
        let child = self.child_mut(level)?;
        let removed = child.remove(levels);
        if child.is_empty() {
            match level {
                SINGLE_LEVEL => self.single_level = None,
                MULTI_LEVEL => self.multi_level = None,
                literal => {
                    self.literals.remove(literal);
                }
            }
        }
        removed
    }

    fn visit_matching_filters<'tree, 'topic>(
        &'tree self,
        mut levels: impl Iterator<Item = &'topic [u8]> + Clone,
        wildcards_count: bool,
        visitor: &mut impl FnMut(&'tree T),
    ) {
        if let Some(multi_level) = self.multi_level.as_deref().filter(|_| wildcards_count) {
            multi_level.value.iter().for_each(&mut *visitor);
        }
        let Some(level) = levels.next() else { return self.value.iter().for_each(visitor) };
        if let Some(single_level) = self.single_level.as_deref().filter(|_| wildcards_count) {
            single_level.visit_matching_filters(levels.clone(), true, visitor);
        }
        if let Some(literal) = self.literals.get(level) {
            literal.visit_matching_filters(levels, true, visitor);
        }
    }

    fn visit_matching_names<'tree, 'filter>(
        &'tree self,
        mut levels: impl Iterator<Item = &'filter [u8]> + Clone,
        is_root: bool,
        visitor: &mut impl FnMut(&'tree T),
    ) {
        // [MQTT-4.7.2-1] a wildcard in front leaves out the topics that begin with `$`
        let children = || self.literals.iter().filter(|(key, _)| !(is_root && key.starts_with(b"$")));
        match levels.next() {
            None => self.value.iter().for_each(visitor),
            Some(SINGLE_LEVEL) => {
                children().for_each(|(_, child)| child.visit_matching_names(levels.clone(), false, visitor));
            }
            Some(MULTI_LEVEL) => {
                self.value.iter().for_each(&mut *visitor);
                children().for_each(|(_, child)| child.visit_all(visitor));
            }
            Some(literal) => {
                if let Some(child) = self.literals.get(literal) {
                    child.visit_matching_names(levels, false, visitor);
                }
            }
        }
    }

    /// `after` is the rest of the place behind which the walk begins, if that is this node or below it; `filter` is `None`
    /// below a `#`. A walk that breaks leaves in `path` where it was.
    fn walk<'tree, 'filter, 'place>(
        &'tree self,
        mut filter: Option<impl Iterator<Item = &'filter [u8]> + Clone>,
        mut after: Option<impl Iterator<Item = &'place [u8]>>,
        path: &mut Vec<u8>,
        is_root: bool,
        visitor: &mut impl FnMut(Option<&'tree T>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let expected = filter.as_mut().map(Iterator::next);
        let is_match = matches!(expected, None | Some(None | Some(MULTI_LEVEL)));
        if after.is_none() {
            visitor(self.value.as_ref().filter(|_| is_match))?;
        }
        let (only, below) = match expected {
            Some(None) => return ControlFlow::Continue(()),
            Some(Some(MULTI_LEVEL)) | None => (None, None),
            Some(Some(SINGLE_LEVEL)) => (None, filter),
            Some(Some(literal)) => (Some(literal), filter),
        };
        // [MQTT-4.7.2-1] a wildcard in front leaves out the topics that begin with `$`
        let leaves_out = |key: &[u8]| only.is_none() && is_root && key.starts_with(b"$");
        let from = after.as_mut().and_then(Iterator::next);
        for (key, child) in self.children(only, from) {
            if leaves_out(key) {
                continue;
            }
            let length = path.len();
            if !is_root {
                path.push(b'/');
            }
            path.extend_from_slice(key);
            let after = after.take_if(|_| from == Some(key));
            child.walk(below.clone(), after, path, false, visitor)?;
            path.truncate(length);
        }
        ControlFlow::Continue(())
    }

    /// The children named by literals, in order: that named `only`, or all, and none in front of `from`.
    fn children<'node>(
        &'node self,
        only: Option<&[u8]>,
        from: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'node [u8], &'node Self)> + use<'node, T> {
        let begin = only.max(from).map_or(Bound::Unbounded, Bound::Included);
        let end = only.map_or(Bound::Unbounded, Bound::Included);
        let is_empty = matches!((only, from), (Some(only), Some(from)) if from > only);
        let range = (!is_empty).then(|| self.literals.range::<[u8], _>((begin, end)));
        range.into_iter().flatten().map(|(key, child)| (&**key, child))
    }

    fn visit_all<'tree>(&'tree self, visitor: &mut impl FnMut(&'tree T)) {
        self.value.iter().for_each(&mut *visitor);
        self.literals.values().for_each(|child| child.visit_all(visitor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Text;

    fn filter(text: &str) -> TopicFilter {
        TopicFilter::parse(Text::try_from(text).unwrap()).unwrap()
    }

    fn name(text: &str) -> TopicName {
        TopicName::parse(Text::try_from(text).unwrap()).unwrap()
    }

    fn filters_for(tree: &FilterTree<String>, topic: &str) -> Vec<String> {
        let mut found = Vec::new();
        tree.visit(&name(topic), &mut |text| found.push(text.clone()));
        found
    }

    fn names_for<'tree>(tree: &'tree NameTree<&'static str>, text: &str) -> Vec<&'tree str> {
        let mut found = Vec::new();
        tree.visit(&filter(text), &mut |text| found.push(*text));
        found
    }

    #[test]
    fn a_topic_finds_the_filters_that_match_it() {
        let mut tree = FilterTree::new();
        for text in ["#", "+", "a", "a/#", "a/+", "a/b", "a/b/c", "+/b", "$SYS/#", "b/#"] {
            *tree.entry(&filter(text)) = String::from(text);
        }
        assert_eq!(filters_for(&tree, "a"), ["#", "+", "a/#", "a"]);
        assert_eq!(filters_for(&tree, "a/b"), ["#", "+/b", "a/#", "a/+", "a/b"]);
        assert_eq!(filters_for(&tree, "$SYS"), ["$SYS/#"]);
        assert_eq!(filters_for(&tree, "$SYS/b"), ["$SYS/#"]);
    }

    #[test]
    fn the_value_of_a_filter_is_that_of_its_shares() {
        let mut tree: FilterTree<u32> = FilterTree::new();
        *tree.entry(&filter("a/+")) += 1;
        *tree.entry(&filter("$share/g/a/+")) += 1;
        assert_eq!(tree.get(&filter("a/+")), Some(&2));
        assert_eq!(tree.len(), 1);
    }

    #[test]
    fn removing_leaves_the_filters_above_and_below() {
        let mut tree: FilterTree<u32> = FilterTree::new();
        for text in ["a", "a/+/c", "a/#"] {
            *tree.entry(&filter(text)) += 1;
        }
        assert_eq!(tree.remove(&filter("a/+")), None);
        assert_eq!(tree.remove(&filter("a")), Some(1));
        assert_eq!(tree.get(&filter("a")), None);
        *tree.get_mut(&filter("a/#")).unwrap() = 7;
        assert_eq!(tree.remove(&filter("a/#")), Some(7));
        assert_eq!(tree.len(), 1);
        assert_eq!(tree.remove(&filter("a/+/c")), Some(1));
        assert!(tree.is_empty());
        assert!(tree.root.is_empty(), "no empty node stays behind");
    }

    #[test]
    fn a_filter_finds_names_in_order() {
        let mut tree = NameTree::new();
        for text in ["b", "a/b", "a", "/a", "$SYS/a", "a/b/c", "a/$b"] {
            assert_eq!(tree.insert(&name(text), text), None);
        }
        assert_eq!(names_for(&tree, "#"), ["/a", "a", "a/$b", "a/b", "a/b/c", "b"]);
        assert_eq!(names_for(&tree, "+"), ["a", "b"]);
        assert_eq!(names_for(&tree, "a/#"), ["a", "a/$b", "a/b", "a/b/c"]);
        assert_eq!(names_for(&tree, "+/+"), ["/a", "a/$b", "a/b"]);
        assert_eq!(names_for(&tree, "$SYS/+"), ["$SYS/a"]);
        assert_eq!(names_for(&tree, "a/b"), ["a/b"]);
    }

    #[test]
    fn a_walk_goes_on_where_it_broke_whatever_came_and_went_there() {
        let names = ["/a", "a", "a/$b", "a/b", "a/b/c", "b", "b/b", "$SYS/a"];
        for text in ["#", "+", "a/#", "+/+", "$SYS/+", "a/b", "+/b/#", "x"] {
            let mut tree = NameTree::new();
            for text in names {
                tree.insert(&name(text), text);
            }
            let expected = names_for(&tree, text).into_iter().map(String::from).collect::<Vec<_>>();
            let mut walked = Vec::new();
            let mut place = Place::default();
            loop {
                let mut found = None;
                let flow = tree.walk(&filter(text), &mut place, &mut |value| {
                    found = value.copied();
                    ControlFlow::Break(())
                });
                walked.extend(found.map(String::from));
                if let Some(found) = found {
                    tree.remove(&name(found));
                }
                if flow.is_continue() {
                    break;
                }
            }
            assert_eq!(walked, expected, "{text}");
        }
    }

    #[test]
    fn a_name_has_one_value() {
        let mut tree = NameTree::new();
        tree.insert(&name("a/b"), 1);
        assert_eq!(tree.insert(&name("a/b"), 2), Some(1));
        *tree.get_mut(&name("a/b")).unwrap() += 1;
        assert_eq!(tree.get(&name("a/b")), Some(&3));
        assert_eq!(tree.get(&name("a")), None);
        assert_eq!(tree.remove(&name("a")), None);
        assert_eq!(tree.remove(&name("a/b")), Some(3));
        assert_eq!(tree.len(), 0);
        assert!(tree.root.is_empty(), "no empty node stays behind");
    }

    #[test]
    fn the_deepest_topic_and_filter_are_looked_for_in_a_shallow_tree() {
        let mut filters: FilterTree<String> = FilterTree::new();
        *filters.entry(&filter("+/#")) = String::from("+/#");
        assert_eq!(filters_for(&filters, &"/".repeat(65_535)), ["+/#"]);
        let mut names = NameTree::new();
        names.insert(&name("a"), "a");
        assert!(names_for(&names, &"+/".repeat(32_767)).is_empty());
    }
}
