//! Values at Topic Filters or Topic Names, found without looking at all of them: a trie by levels.

use super::{TopicFilter, TopicName, node::Node};
use alloc::vec::Vec;
use core::ops::ControlFlow;

/// Values at Topic Filters, to be found by the topics that the filters match. Shares make no difference here.
///
/// Let no filter of more than 256 levels in: the tree recurses over its own depth.
#[derive(Clone, Debug)]
pub struct FilterTree<T> {
    root: Node<T>,
    len: usize,
    bytes: usize,
}

/// Values at Topic Names, to be found by the filters that match them.
///
/// Let no name of more than 256 levels in: the tree recurses over its own depth.
#[derive(Clone, Debug)]
pub struct NameTree<T> {
    root: Node<T>,
    len: usize,
    bytes: usize,
}

/// How far a walk through a [`NameTree`] has come; a new one is in front of all names.
#[derive(Clone, Debug, Default)]
pub struct Place(Option<Vec<u8>>);

impl Place {
    /// Behind the name of this text, or in front of all.
    pub const fn behind(path: Option<Vec<u8>>) -> Self {
        Self(path)
    }

    /// The text of the name that was reached, if any.
    pub fn path(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }
}

impl<T> FilterTree<T> {
    /// No values.
    pub const fn new() -> Self {
        Self { root: Node::new(), len: 0, bytes: 0 }
    }

    /// The value at `filter`, put there when there was none.
    pub fn entry(&mut self, filter: &TopicFilter) -> &mut T
    where
        T: Default,
    {
        self.root.at(filter.levels(), &mut self.bytes).value.get_or_insert_with(|| {
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
        let removed = self.root.remove(filter.levels(), &mut self.bytes);
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// Shows `visitor` the value of each filter that matches `topic`, in an order that depends on the filters alone. Tells
    /// how many nodes that took: filters that do not match cost too.
    pub fn visit<'tree>(&'tree self, topic: &TopicName, visitor: &mut impl FnMut(&'tree T)) -> usize {
        // [MQTT-4.7.2-1] a wildcard in front leaves out the topics that begin with `$`
        self.root.visit_matching_filters(topic.levels(), !topic.is_reserved(), visitor)
    }

    /// About what the levels of all filters take in memory, values included but not what those own.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// By how much [`Self::bytes`] would grow for a value at `filter`.
    pub fn bytes_missing(&self, filter: &TopicFilter) -> usize {
        self.root.bytes_missing(filter.levels())
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
        Self { root: Node::new(), len: 0, bytes: 0 }
    }

    /// Puts `value` at `name` and returns what was there.
    pub fn insert(&mut self, name: &TopicName, value: T) -> Option<T> {
        let replaced = self.root.at(name.levels(), &mut self.bytes).value.replace(value);
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
        let removed = self.root.remove(name.levels(), &mut self.bytes);
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// Shows `visitor` the value of each name that `filter` matches: level by level in the order of bytes, a name
    /// before the names below it.
    pub fn visit<'tree>(&'tree self, filter: &TopicFilter, visitor: &mut impl FnMut(&'tree T)) {
        let _ = self.walk(filter, &mut Place::default(), &mut |value| {
            value.into_iter().for_each(&mut *visitor);
            ControlFlow::Continue(())
        });
    }

    /// Shows `visitor` every value, also of the names that begin with `$`.
    pub fn visit_all<'tree>(&'tree self, visitor: &mut impl FnMut(&'tree T)) {
        self.root.visit_names(visitor);
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
        let flow = self.root.walk(filter.levels(), after, &mut path, visitor);
        *place = Place(Some(path));
        flow
    }

    /// About what the levels of all names take in memory, values included but not what those own.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// By how much [`Self::bytes`] would grow for a value at `name`.
    pub fn bytes_missing(&self, name: &TopicName) -> usize {
        self.root.bytes_missing(name.levels())
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
        assert_eq!(tree.bytes(), 0);
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
        let mut all = Vec::new();
        tree.visit_all(&mut |text| all.push(*text));
        assert_eq!(all.len(), tree.len());
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
    fn a_level_of_one_name_alone_takes_little() {
        let size = size_of::<(Box<[u8]>, Node<u64>)>();
        assert!(size <= 96, "{size}");
        let mut tree = NameTree::new();
        let texts = ["a/b", "a", "a/c", "a/d/e", "b"];
        for text in texts {
            let bytes = tree.bytes() + tree.bytes_missing(&name(text));
            tree.insert(&name(text), text);
            assert_eq!((tree.bytes(), tree.bytes_missing(&name(text))), (bytes, 0));
        }
        for text in texts {
            let bytes = tree.bytes();
            assert_eq!(tree.remove(&name(text)), Some(text));
            assert_eq!(tree.bytes() + tree.bytes_missing(&name(text)), bytes);
        }
        assert!(tree.root.is_empty());
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
        assert_eq!(tree.bytes(), 0);
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
