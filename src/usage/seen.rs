//! Which events were seen before, as far as that is remembered.

use std::collections::HashSet;
use std::mem;

use foldhash::fast::FixedState;

/// Of each part, at least so many of the last ids are remembered: together, of the last 917,504 events. Twice as many
/// need 19 MB.
const SEEN: usize = 57_344;

/// Ids of events, by hash: those of the last events, and of some before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    now: HashSet<u64, FixedState>,
    before: HashSet<u64, FixedState>,
}

impl Seen {
    /// Whether an id is new.
    pub(super) fn is_new(&mut self, hash: u64) -> bool {
        if self.before.contains(&hash) || !self.now.insert(hash) {
            return false;
        }
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
        for id in 0..5 * SEEN as u64 {
            assert!(seen.is_new(id));
            assert!(!seen.is_new(id) && !seen.is_new(id.saturating_sub(SEEN as u64 - 1)), "{id}");
            assert!(seen.now.len() + seen.before.len() <= 2 * SEEN);
        }
        assert!(seen.is_new(0), "long ago");
    }
}
