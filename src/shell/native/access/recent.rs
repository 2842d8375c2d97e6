//! A map of limited size that forgets what was set the longest time ago.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

#[derive(Debug)]
pub(super) struct Recent<K, V> {
    most: usize,
    values: HashMap<K, (V, u64)>,
    /// The keys, in the order in which they were set last.
    order: BTreeMap<u64, K>,
    last: u64,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, values: HashMap::new(), order: BTreeMap::new(), last: 0 }
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(key).map(|(value, _)| value)
    }

    pub(super) fn set(&mut self, key: K, value: V) {
        self.last += 1;
        if let Some((_, old)) = self.values.insert(key.clone(), (value, self.last)) {
            self.order.remove(&old);
        }
        self.order.insert(self.last, key);
        if self.values.len() > self.most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_the_longest_time_ago_is_forgotten() {
        let mut recent = Recent::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            recent.set(key, value);
        }
        assert_eq!([recent.get("a"), recent.get("b"), recent.get("c")], [Some(&3), None, Some(&4)]);
        assert_eq!((recent.values.len(), recent.order.len()), (2, 2));
    }
}
