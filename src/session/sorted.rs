//! A map for what is few, or comes about in order. Knows nothing of what is in it.
//! A B-tree for each kind of value would be a quarter of the client's code.

use alloc::collections::VecDeque;

/// Values by their keys, in the order of these. What is put in or taken out away from both ends moves what lies between there
/// and the nearer end: keep large values in a box.
#[derive(Clone, Debug)]
pub struct SortedMap<K, V>(VecDeque<(K, V)>);

impl<K: Ord, V> SortedMap<K, V> {
    /// Nothing.
    pub const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Puts a value in; returns the one that it takes the place of.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(index) => Some(core::mem::replace(&mut self.0[index].1, value)),
            Err(index) if index == self.0.len() => {
                self.0.push_back((key, value));
                None
            }
            Err(index) => {
                self.0.insert(index, (key, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (_, value) = match self.find(key).ok()? {
            0 => self.0.pop_front()?,
            index => self.0.remove(index)?,
        };
        if self.0.is_empty() && self.0.capacity() > KEPT {
            self.clear();
        }
        Some(value)
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        Some(&self.0[self.find(key).ok()?].1)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let index = self.find(key).ok()?;
        Some(&mut self.0[index].1)
    }

    /// Whether `key` has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0 = VecDeque::new();
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys from `start` on, in order.
    pub fn keys_from(&self, start: &K) -> impl Iterator<Item = &K> {
        let index = self.find(start).unwrap_or_else(|index| index);
        self.0.range(index..).map(|(key, _)| key)
    }

    /// The values, in order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, in order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Forgets those that `is_kept` is false for.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| is_kept(key, value));
    }

    /// Where `key` is, or would be. Most often that is at an end.
    fn find(&self, key: &K) -> Result<usize, usize> {
        match (self.0.front(), self.0.back()) {
            (Some((first, _)), _) if first == key => Ok(0),
            (_, Some((last, _))) if last < key => Err(self.0.len()),
            (None, _) => Err(0),
            _ => self.0.binary_search_by(|(other, _)| other.cmp(key)),
        }
    }
}

impl<K: Ord, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = alloc::collections::vec_deque::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Room for so many is kept while there are none.
const KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn values_are_found_by_their_keys_and_come_in_order() {
        let mut map = SortedMap::new();
        for key in [3, 1, 4, 5, 9, 2, 6] {
            assert_eq!(map.insert(key, 10 * key), None);
        }
        assert_eq!(map.insert(4, 44), Some(40));
        assert_eq!(map.remove(&5), Some(50));
        assert_eq!(map.remove(&5), None);
        assert_eq!(map.get(&4), Some(&44));
        assert_eq!(map.keys_from(&4).copied().collect::<Vec<_>>(), [4, 6, 9]);
        assert_eq!(map.keys_from(&5).copied().collect::<Vec<_>>(), [6, 9]);
        map.retain(|key, _| key % 2 == 0);
        assert_eq!(map.into_iter().collect::<Vec<_>>(), [(2, 20), (4, 44), (6, 60)]);
    }

    #[test]
    fn what_many_took_is_given_back_once_they_are_gone() {
        let mut map = SortedMap::new();
        (0..1000).for_each(|key| assert_eq!(map.insert(key, key), None));
        (0..1000).for_each(|key| assert_eq!(map.remove(&key), Some(key)));
        assert_eq!(map.0.capacity(), 0);
    }
}
