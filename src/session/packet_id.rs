//! Hands out Packet Identifiers. Knows which are in use, not for what.

use crate::codec::PacketId;
use alloc::collections::BTreeSet;

/// The Packet Identifiers that one side of a session has in use.
#[derive(Clone, Debug, Default)]
pub struct PacketIds {
    in_use: BTreeSet<PacketId>,
    last: Option<PacketId>,
}

impl PacketIds {
    /// An identifier that is not in use, from now on in use; `None` when all 65,535 are. [MQTT-2.2.1-3] [MQTT-2.2.1-4]
    pub fn allocate(&mut self) -> Option<PacketId> {
        if self.in_use.len() == usize::from(u16::MAX) {
            return None;
        }
        let mut candidate = self.last.map_or(PacketId::FIRST, PacketId::next);
        while !self.in_use.insert(candidate) {
            candidate = candidate.next();
        }
        self.last = Some(candidate);
        Some(candidate)
    }

    /// Takes back an identifier; false when it was not in use.
    pub fn release(&mut self, id: PacketId) -> bool {
        self.in_use.remove(&id)
    }

    /// Whether `id` is in use.
    pub fn contains(&self, id: PacketId) -> bool {
        self.in_use.contains(&id)
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.in_use.len()
    }

    /// Whether none is in use.
    pub fn is_empty(&self) -> bool {
        self.in_use.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_start_at_1_skip_those_in_use_and_never_are_0() {
        let mut ids = PacketIds::default();
        let first = ids.allocate().unwrap();
        assert_eq!(first.value(), 1);
        for _ in 1..u16::MAX {
            ids.allocate().unwrap();
        }
        assert_eq!(ids.allocate(), None);
        assert!(ids.release(PacketId::new(700).unwrap()));
        assert_eq!(ids.allocate().unwrap().value(), 700);
        assert!(ids.release(first));
        assert!(!ids.release(first));
        assert_eq!(ids.allocate(), Some(first));
    }
}
