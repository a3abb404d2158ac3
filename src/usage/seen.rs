//! Which events were seen before, as far as that is remembered.

use std::mem;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Each part remembers at least so many of its last ids. How many of the last events these are depends on chance, which
/// gives one part more ids than another: of the last 890,000 all are remembered but for one in 10^12 (a part gets 55,625 of
/// them, with a deviation of 228). Twice as many ids as this need 19 MB.
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
    use std::hash::BuildHasher as _;

    use foldhash::fast::FixedState;

    use super::super::table::SEEN_PARTS;
    use super::*;

    #[test]
    fn of_all_parts_together_the_last_890_000_ids_are_remembered() {
        const LAST: u64 = 890_000;
        let mut parts: Vec<Seen> = (0..SEEN_PARTS).map(|_| Seen::default()).collect();
        let hash = |id: u64| FixedState::default().hash_one(format!("3f0d6a1e-0b0c-4c8e-9f67-{id:012x}"));
        let mut is_new = |id: u64| {
            let hash = hash(id);
            parts[(hash >> 60) as usize].is_new(hash)
        };
        for id in 0..2 * LAST {
            assert!(is_new(id), "{id}");
            assert!(id < LAST || !is_new(id - LAST), "{id}");
        }
    }

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
