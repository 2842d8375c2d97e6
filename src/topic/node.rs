//! One level of a trie, and all below it. Drops, removes and visits recurse as deep as the trie is, never as deep as what is
//! looked for.

use super::{MULTI_LEVEL, SINGLE_LEVEL};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::ops::{Bound, ControlFlow, RangeBounds};

/// One level. Names never fill the two wildcard slots.
#[derive(Clone, Debug)]
pub(super) struct Node<T> {
    pub(super) value: Option<T>,
    literals: Literals<T>,
    single_level: Option<Box<Node<T>>>,
    multi_level: Option<Box<Node<T>>>,
}

/// The levels below one that are no wildcards. Most often there is one, for which a map would take ten times as much.
#[derive(Clone, Debug)]
enum Literals<T> {
    None,
    One(Box<(Box<[u8]>, Node<T>)>),
    Many(BTreeMap<Box<[u8]>, Node<T>>),
}

impl<T> Literals<T> {
    const fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    fn get(&self, level: &[u8]) -> Option<&Node<T>> {
        match self {
            Self::None => None,
            Self::One(one) => (*one.0 == *level).then_some(&one.1),
            Self::Many(many) => many.get(level),
        }
    }

    fn get_mut(&mut self, level: &[u8]) -> Option<&mut Node<T>> {
        match self {
            Self::None => None,
            Self::One(one) => (*one.0 == *level).then_some(&mut one.1),
            Self::Many(many) => many.get_mut(level),
        }
    }

    /// The node of `level`, which there is none of yet.
    fn insert(&mut self, level: &[u8]) -> &mut Node<T> {
        *self = match core::mem::replace(self, Self::None) {
            Self::None => Self::One(Box::new((level.into(), Node::new()))),
            Self::One(one) => {
                let mut many = BTreeMap::new();
                many.insert(one.0, one.1);
                Self::Many(many)
            }
            many => many,
        };
        match self {
            Self::None => unreachable!("it was just filled"),
            Self::One(one) => &mut one.1,
            Self::Many(many) => many.entry(level.into()).or_insert_with(Node::new),
        }
    }

    fn remove(&mut self, level: &[u8]) {
        match self {
            Self::One(one) if *one.0 == *level => *self = Self::None,
            Self::None | Self::One(_) => {}
            Self::Many(many) => {
                many.remove(level);
                if many.len() == 1 {
                    *self = many.pop_first().map_or(Self::None, |one| Self::One(Box::new(one)));
                }
            }
        }
    }

    /// All between two bounds, in order.
    fn range(&self, bounds: (Bound<&[u8]>, Bound<&[u8]>)) -> impl Iterator<Item = (&[u8], &Node<T>)> + use<'_, T> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(one) => (Some(&**one).filter(|one| RangeBounds::<[u8]>::contains(&bounds, &*one.0)), None),
            Self::Many(many) => (None, Some(many.range::<[u8], _>(bounds))),
        };
        let one = one.into_iter().map(|(level, node)| (&**level, node));
        one.chain(many.into_iter().flatten().map(|(level, node)| (&**level, node)))
    }
}

impl<T> Node<T> {
    /// About what a node takes in memory besides the text of its level: half of a map may be empty.
    const SIZE: usize = 2 * size_of::<(Box<[u8]>, Self)>();

    pub(super) const fn new() -> Self {
        Self { value: None, literals: Literals::None, single_level: None, multi_level: None }
    }

    pub(super) fn is_empty(&self) -> bool {
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

    pub(super) fn find<'a>(&self, mut levels: impl Iterator<Item = &'a [u8]>) -> Option<&Self> {
        levels.try_fold(self, |node, level| node.child(level))
    }

    pub(super) fn find_mut<'a>(&mut self, mut levels: impl Iterator<Item = &'a [u8]>) -> Option<&mut Self> {
        levels.try_fold(self, |node, level| node.child_mut(level))
    }

    /// The node at `levels`, which is made when it is missing.
    pub(super) fn at<'a>(&mut self, levels: impl Iterator<Item = &'a [u8]>, bytes: &mut usize) -> &mut Self {
        levels.fold(self, |node, level| {
            if node.child(level).is_none() {
                *bytes += Self::SIZE + level.len();
                match level {
                    SINGLE_LEVEL => node.single_level = Some(Box::new(Self::new())),
                    MULTI_LEVEL => node.multi_level = Some(Box::new(Self::new())),
                    literal => return node.literals.insert(literal),
                }
            }
            node.child_mut(level).expect("it was just made")
        })
    }

    pub(super) fn bytes_missing<'a>(&self, levels: impl Iterator<Item = &'a [u8]>) -> usize {
        let mut node = Some(self);
        let missing = levels.map(|level| {
            node = node.and_then(|node| node.child(level));
            if node.is_some() { 0 } else { Self::SIZE + level.len() }
        });
        missing.sum()
    }

    /// Takes the value at `levels` and every node that is empty without it.
    pub(super) fn remove<'a>(&mut self, mut levels: impl Iterator<Item = &'a [u8]>, bytes: &mut usize) -> Option<T> {
        let Some(level) = levels.next() else { return self.value.take() };
        let child = self.child_mut(level)?;
        let removed = child.remove(levels, bytes);
        if child.is_empty() {
            *bytes -= Self::SIZE + level.len();
            match level {
                SINGLE_LEVEL => self.single_level = None,
                MULTI_LEVEL => self.multi_level = None,
                literal => self.literals.remove(literal),
            }
        }
        removed
    }

    /// Tells how many nodes were looked at.
    pub(super) fn visit_matching_filters<'tree, 'topic>(
        &'tree self,
        mut levels: impl Iterator<Item = &'topic [u8]> + Clone,
        wildcards_count: bool,
        visitor: &mut impl FnMut(&'tree T),
    ) -> usize {
        if let Some(multi_level) = self.multi_level.as_deref().filter(|_| wildcards_count) {
            multi_level.value.iter().for_each(&mut *visitor);
        }
        let Some(level) = levels.next() else {
            self.value.iter().for_each(visitor);
            return 1;
        };
        let single_level = self.single_level.as_deref().filter(|_| wildcards_count);
        let wild = single_level.map_or(0, |node| node.visit_matching_filters(levels.clone(), true, visitor));
        let literal = self.literals.get(level).map_or(0, |node| node.visit_matching_filters(levels, true, visitor));
        1 + wild + literal
    }

    /// Visits every value at a name, in no order that anybody should rely on.
    pub(super) fn visit_names<'tree>(&'tree self, visitor: &mut impl FnMut(&'tree T)) {
        self.value.iter().for_each(&mut *visitor);
        self.children(None, None).for_each(|(_, child)| child.visit_names(visitor));
    }

    /// Visits the nodes on the way to the names that `filter` matches, from behind `after` on, which begins in front of the
    /// children of this node, the root. A walk that breaks leaves in `path` where it was. Recurses not at all: unlike filters,
    /// names are walked through where there is little stack.
    pub(super) fn walk<'tree, 'filter, 'place>(
        &'tree self,
        filter: impl Iterator<Item = &'filter [u8]> + Clone,
        after: impl Iterator<Item = &'place [u8]>,
        path: &mut Vec<u8>,
        visitor: &mut impl FnMut(Option<&'tree T>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut turns = Vec::new();
        let (mut node, mut filter, mut after) = (self, Some(filter), Some(after));
        loop {
            // Below a `#` there is no filter any more.
            let expected = filter.as_mut().map(Iterator::next);
            let is_match = matches!(expected, None | Some(None | Some(MULTI_LEVEL)));
            if after.is_none() {
                visitor(node.value.as_ref().filter(|_| is_match))?;
            }
            if !matches!(expected, Some(None)) {
                let only = expected.flatten().filter(|level| !matches!(*level, SINGLE_LEVEL | MULTI_LEVEL));
                let below = filter.filter(|_| !is_match);
                let from = after.as_mut().and_then(Iterator::next);
                let children = node.children(only, from);
                turns.push(Turn { children, is_wild: only.is_none(), below, from, after, length: path.len() });
            }
            loop {
                let is_root = turns.len() == 1;
                let Some(turn) = turns.last_mut() else { return ControlFlow::Continue(()) };
                path.truncate(turn.length);
                let Some((level, child)) = turn.children.next() else {
                    turns.pop();
                    continue;
                };
                // [MQTT-4.7.2-1] a wildcard in front leaves out the topics that begin with `$`
                if turn.is_wild && is_root && level.starts_with(b"$") {
                    continue;
                }
                if !is_root {
                    path.push(b'/');
                }
                path.extend_from_slice(level);
                (node, filter) = (child, turn.below.clone());
                after = turn.after.take_if(|_| turn.from == Some(level));
                break;
            }
        }
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
        let range = (!is_empty).then(|| self.literals.range((begin, end)));
        range.into_iter().flatten()
    }
}

/// A node whose children are being walked through.
struct Turn<'place, Children, Filter, After> {
    children: Children,
    is_wild: bool,
    /// What the filter says below the children.
    below: Option<Filter>,
    /// The child that the walk begins at or below, and the rest of the place behind which it does.
    from: Option<&'place [u8]>,
    after: Option<After>,
    length: usize,
}
