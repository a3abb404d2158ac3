//! Which events were seen before, as far as that is remembered.

use std::mem;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Of each part, at least so many of the last ids are remembered: together, of the last 917,504 events. Twice as many
/// need 19 MB.
const SEEN: usize = 57_344;

/// Ids of events, by hash: those of the last events, and of some before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    now: HashTable<u64>,
    before: HashTable<u64>,
}

impl Seen {
    /// Whether an id is new.
    pub(super) fn is_new(&mut self, hash: u64) -> bool {
        // All hashes of a part begin alike, and a table looks at the first bits first.
        let turned = |hash: &u64| hash.rotate_left(8);
        let is_same = |known: &u64| *known == hash;
        if self.before.find(turned(&hash), is_same).is_some() {
            return false;
        }
        match self.now.entry(turned(&hash), is_same, turned) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(place) => place.insert(hash),
        };
        if self.now.len() >= SEEN {
            mem::swap(&mut self.now, &mut self.before);
            self.now.clear();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ids_are_remembered_and_no_more_than_twice_as_many() {
        let mut seen = Seen::default();
        let hash = |id: u64| id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for id in 0..5 * SEEN as u64 {
            assert!(seen.is_new(hash(id)));
            assert!(!seen.is_new(hash(id)) && !seen.is_new(hash(id.saturating_sub(SEEN as u64 - 1))), "{id}");
            assert!(seen.now.len() + seen.before.len() <= 2 * SEEN);
        }
        assert!(seen.is_new(hash(0)), "long ago");
    }
}
