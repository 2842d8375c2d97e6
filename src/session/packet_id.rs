//! Hands out Packet Identifiers. Knows which are in use, not for what.

use super::SortedMap;
use crate::codec::PacketId;
use core::ops::RangeInclusive;

/// The Packet Identifiers that one side of a session has in use.
#[derive(Clone, Debug, Default)]
pub struct PacketIds {
    in_use: SortedMap<PacketId, ()>,
    last: Option<PacketId>,
}

impl PacketIds {
    /// An identifier of `range` that is not in use, from now on in use; `None` when all are. [MQTT-2.2.1-3] [MQTT-2.2.1-4]
    pub fn allocate(&mut self, range: &RangeInclusive<PacketId>) -> Option<PacketId> {
        let id = self.next_free(range)?;
        self.in_use.insert(id, ());
        self.last = Some(id);
        Some(id)
    }

    /// Takes this identifier, whether it was free or not.
    pub fn take(&mut self, id: PacketId) {
        self.in_use.insert(id, ());
    }

    /// The identifier of `range` that would be allocated next.
    pub fn next_free(&self, range: &RangeInclusive<PacketId>) -> Option<PacketId> {
        let start = self.last.map(PacketId::next).filter(|id| range.contains(id)).unwrap_or(*range.start());
        self.first_free(start..=*range.end()).or_else(|| self.first_free(*range.start()..=start))
    }

    /// Whether one of `range` is not in use.
    pub fn has_free(&self, range: &RangeInclusive<PacketId>) -> bool {
        let count = range.end().value() - range.start().value() + 1;
        self.in_use.len() < usize::from(count) || self.next_free(range).is_some()
    }

    /// Takes back an identifier; false when it was not in use.
    pub fn release(&mut self, id: PacketId) -> bool {
        self.in_use.remove(&id).is_some()
    }

    /// Whether none is in use.
    pub fn is_empty(&self) -> bool {
        self.in_use.is_empty()
    }

    /// Walks those in use, which are in order, up to the first gap.
    fn first_free(&self, range: RangeInclusive<PacketId>) -> Option<PacketId> {
        let mut candidate = *range.start();
        for used in self.in_use.keys_from(range.start()) {
            if *used != candidate {
                break;
            }
            if candidate == *range.end() {
                return None;
            }
            candidate = candidate.next();
        }
        Some(candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: RangeInclusive<PacketId> = PacketId::FIRST..=PacketId::LAST;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    #[test]
    fn identifiers_start_at_1_skip_those_in_use_and_never_are_0() {
        let mut ids = PacketIds::default();
        let first = ids.allocate(&ALL).unwrap();
        assert_eq!(first.value(), 1);
        for _ in 1..u16::MAX {
            ids.allocate(&ALL).unwrap();
        }
        assert_eq!(ids.allocate(&ALL), None);
        assert!(ids.release(id(700)));
        assert_eq!(ids.allocate(&ALL).unwrap().value(), 700);
        assert!(ids.release(first));
        assert!(!ids.release(first));
        assert_eq!(ids.allocate(&ALL), Some(first));
    }

    #[test]
    fn identifiers_stay_in_their_range() {
        let mut ids = PacketIds::default();
        let low = id(1)..=id(2);
        ids.take(id(1));
        assert_eq!(ids.allocate(&low), Some(id(2)));
        assert_eq!(ids.allocate(&low), None);
        assert!(!ids.has_free(&low) && ids.has_free(&ALL));
        assert_eq!(ids.allocate(&(id(9)..=PacketId::LAST)), Some(id(9)));
        assert!(!ids.has_free(&low));
        ids.release(id(1));
        assert!(ids.has_free(&low));
        assert_eq!(ids.allocate(&low), Some(id(1)));
    }
}
