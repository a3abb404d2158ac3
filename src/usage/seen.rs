//! Which events were seen before, as far as that is remembered.

use std::mem;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::time::hour;

/// Each part remembers at least so many of its last ids. How many of the last events these are depends on chance, which
/// gives one part more ids than another: of the last 890,000 all are remembered but for one in 10^12 (a part gets 55,625 of
/// them, with a deviation of 228). Twice as many ids as this need 19 to 38 MB, as the tables are full.
const SEEN: usize = 57_344;

/// Ids stand in so many tables, by the hour of their event. Logs are nearly in order of time, so that the tables in use are
/// few and near to the processor, and an event that is delivered twice has the same time both times.
const TABLES: usize = 1 << 9;

/// Ids of events, by hash: those of the last events, and of some before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    now: Ids,
    before: Ids,
}

/// Ids, by the hour.
#[derive(Debug)]
struct Ids {
    tables: Vec<HashTable<u64>>,
    count: usize,
}

impl Default for Ids {
    fn default() -> Ids {
        Ids { tables: (0..TABLES).map(|_| HashTable::new()).collect(), count: 0 }
    }
}

/// All hashes of a part begin alike, and a table looks at the first bits first.
fn turned(hash: &u64) -> u64 {
    hash.rotate_left(8)
}

impl Seen {
    /// Whether an id is new, of an event at this time.
    pub(super) fn is_new(&mut self, hash: u64, time: i64) -> bool {
        let table = hour(time).rem_euclid(TABLES as i64) as usize;
        let is_same = |known: &u64| *known == hash;
        if self.before.tables[table].find(turned(&hash), is_same).is_some() {
            return false;
        }
        match self.now.tables[table].entry(turned(&hash), is_same, turned) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(place) => place.insert(hash),
        };
        self.now.count += 1;
        if self.now.count >= SEEN {
            self.before = mem::take(&mut self.now);
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
            // An hour of a busy log, and a log in no order at all.
            let time = if id.is_multiple_of(2) { 0 } else { (hash % 10_000) as i64 * 3600 };
            parts[(hash >> 60) as usize].is_new(hash, time)
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
            assert!(seen.is_new(hash(id), 0));
            assert!(!seen.is_new(hash(id), 0) && !seen.is_new(hash(id.saturating_sub(SEEN as u64 - 1)), 0), "{id}");
            assert!(seen.now.count + seen.before.count <= 2 * SEEN);
        }
        assert!(seen.is_new(hash(0), 0), "long ago");
    }
}
