//! Ids of which a part is masked, and the keys that they may be those of.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::tidy::unmasked_ends;

/// Masked ids by what is left of them: the lengths of beginning and end, and both of them by hash.
#[derive(Debug, Clone, Default)]
pub struct MaskedIds(BTreeMap<(usize, usize), HashSet<u64, FixedState>>);

/// With fewer characters left, an id may be that of nearly any key.
const FEWEST: usize = 4;

/// What is left of an id at its beginning and its end.
fn hash(beginning: &str, end: &str) -> u64 {
    FixedState::default().hash_one((beginning, end))
}

/// What is left of a masked id at its beginning and its end, in the one spelling of ids: in lower case, and with the
/// dashes of a UUID.
fn ends(masked: &str) -> (String, String) {
    let (beginning, end) = unmasked_ends(masked);
    let has_no_dash = |part: &str| part.len() > 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (mut beginning, mut end) = (beginning.to_ascii_lowercase(), end.to_ascii_lowercase());
    if has_no_dash(&beginning) {
        for at in [8, 13, 18, 23] {
            if at < beginning.len() {
                beginning.insert(at, '-');
            }
        }
    }
    if end.len() > 12 && has_no_dash(&end) {
        for at in [12, 17, 22, 27] {
            if at < end.len() {
                end.insert(end.len() - at, '-');
            }
        }
    }
    (beginning, end)
}

/// What is left of a masked id, by hash.
pub fn left_of(masked: &str) -> u64 {
    let (beginning, end) = ends(masked);
    hash(&beginning, &end)
}

impl MaskedIds {
    /// Adds an id, unless too little is left of it.
    pub fn add(&mut self, masked: &str) {
        let (beginning, end) = ends(masked);
        if beginning.len() + end.len() >= FEWEST {
            self.0.entry((beginning.len(), end.len())).or_default().insert(hash(&beginning, &end));
        }
    }

    /// Adds all of another one.
    pub fn append(&mut self, other: &MaskedIds) {
        for (lengths, hashes) in &other.0 {
            self.0.entry(*lengths).or_default().extend(hashes);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left of a masked id that an id may be, if there is one.
    pub fn like(&self, key_id: &str) -> Option<u64> {
        if key_id.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.like(&key_id.to_ascii_lowercase());
        }
        self.0.iter().find_map(|((beginning, end), known)| {
            let from = key_id.len().checked_sub(*end).filter(|from| beginning <= from)?;
            let left = hash(key_id.get(..*beginning)?, key_id.get(from..)?);
            known.contains(&left).then_some(left)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_be_one_that_begins_and_ends_so() {
        let mut masked = MaskedIds::default();
        masked.add("0f5a****7b01");
        masked.add("key-hzz...");
        masked.add("0f5axxxx-xxxx");
        masked.add("a****");
        for id in ["0f5a1111-2222-4333-8444-555566667b01", "key-hzz65f3a1b2", "0f5a9999"] {
            assert!(masked.like(id).is_some(), "{id}");
        }
        for id in ["1f5a1111-2222-4333-8444-555566667b01", "key-abc65f3a1b2", "a1", "0f5", ""] {
            assert!(masked.like(id).is_none(), "{id}");
        }
        let mut other = MaskedIds::default();
        other.add("0f5a****7b01");
        assert!(other.like("0f5a1111-2222-4333-8444-555566667b02").is_none() && other.like("0f5a7b1").is_none());
        assert!(MaskedIds::default().is_empty() && !other.is_empty());
    }
}
