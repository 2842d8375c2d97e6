//! Values by numbers that are given out in order, found at once however many there are: a hash table, as a B-tree takes ten
//! times as long. Its order follows from what was done to it alone, and nobody is shown it. Knows nothing of the values.

use alloc::{boxed::Box, collections::BinaryHeap, vec::Vec};
use core::{fmt, iter};

/// Values by their keys, which nobody chooses who could want many of them to meet in one place.
pub(super) struct Table<K, V> {
    /// A power of two of them, or none. A value is where its key belongs, or in one of the full slots behind that.
    slots: Vec<Option<(K, Box<V>)>>,
    len: usize,
}

impl<K: Copy + Ord + Into<u64>, V> Table<K, V> {
    /// Nothing.
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.find(*key).is_some()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.slots[self.find(*key)?].as_ref().map(|(_, value)| &**value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let index = self.find(*key)?;
        self.slots[index].as_mut().map(|(_, value)| &mut **value)
    }

    /// Puts a value in, in place of the one that is there.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if let Some(old) = self.get_mut(&key) {
            *old = value;
            return;
        }
        if self.len >= self.slots.len() / 2 {
            self.resize((2 * self.slots.len()).max(LEAST));
        }
        self.put(key, Box::new(value));
        self.len += 1;
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let mut hole = self.find(*key)?;
        let (_, value) = self.slots[hole].take()?;
        self.len -= 1;
        // What follows without a gap moves up, unless it would be in front of where it belongs.
        let mut next = self.behind(hole);
        while let Some((key, _)) = &self.slots[next] {
            let home = self.home(*key);
            if self.distance(home, next) >= self.distance(hole, next) {
                self.slots.swap(hole, next);
                hole = next;
            }
            next = self.behind(next);
        }
        if self.slots.len() > LEAST && self.len < self.slots.len() / 8 {
            self.resize(self.slots.len() / 2);
        }
        Some(*value)
    }

    /// All keys, in order.
    pub(super) fn keys(&self) -> Vec<K> {
        // A heap sorts with a fifth of the code that slices have for it.
        let keys: BinaryHeap<_> = self.slots.iter().flatten().map(|(key, _)| *key).collect();
        keys.into_sorted_vec()
    }

    fn find(&self, key: K) -> Option<usize> {
        let mut index = self.home(key);
        loop {
            match self.slots.get(index)? {
                Some((other, _)) if *other == key => return Some(index),
                Some(_) => index = self.behind(index),
                None => return None,
            }
        }
    }

    fn put(&mut self, key: K, value: Box<V>) {
        let mut index = self.home(key);
        while self.slots[index].is_some() {
            index = self.behind(index);
        }
        self.slots[index] = Some((key, value));
    }

    fn resize(&mut self, size: usize) {
        let slots = iter::repeat_with(|| None).take(size).collect();
        let old = core::mem::replace(&mut self.slots, slots);
        old.into_iter().flatten().for_each(|(key, value)| self.put(key, value));
    }

    /// Where a key belongs: the golden ratio spreads numbers in a row evenly.
    fn home(&self, key: K) -> usize {
        let spread: u64 = key.into().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (spread >> (64 - self.slots.len().trailing_zeros().min(64))) as usize
    }

    const fn behind(&self, index: usize) -> usize {
        (index + 1) & (self.slots.len() - 1)
    }

    /// How many slots `to` is behind `from`.
    const fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.slots.len() - 1)
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.slots.iter().flatten().map(|(key, value)| (key, value))).finish()
    }
}

/// The fewest slots that there are if there are any.
const LEAST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn it_holds_what_a_map_holds_whatever_comes_and_goes() {
        let (mut table, mut map) = (Table::new(), BTreeMap::new());
        let mut random = 1_u64;
        for step in 0..20_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (random >> 40) % 1_000;
            // First there come more than go, and then the other way round.
            if (random >> 33) % 3 < if step < 10_000 { 2 } else { 1 } {
                table.insert(key, step);
                map.insert(key, step);
            } else {
                assert_eq!(table.remove(&key), map.remove(&key));
            }
            assert_eq!(table.get(&key), map.get(&key));
            assert_eq!(table.get_mut(&key), map.get_mut(&key));
            assert_eq!(table.len(), map.len());
            if step % 100 == 0 {
                assert_eq!(table.keys(), map.keys().copied().collect::<Vec<_>>());
                assert!((0..1_000).all(|key| table.contains_key(&key) == map.contains_key(&key)));
            }
        }
    }

    #[test]
    fn numbers_in_a_row_are_found_at_once_and_leave_their_room_behind() {
        let mut table = Table::new();
        (0..10_000_u64).for_each(|key| table.insert(key, ()));
        let far = (0..10_000_u64).map(|key| table.distance(table.home(key), table.find(key).unwrap())).max();
        assert!(far <= Some(3), "{far:?}");
        (0..10_000_u64).for_each(|key| assert_eq!(table.remove(&key), Some(())));
        assert_eq!(table.slots.len(), LEAST);
    }
}
