//! Keys of which nobody knows what else is true: a record was rejected that may be about them, or one whose id is masked,
//! or their id stands under several accounts.

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::FixedState;

use super::batches::RecordId;
use super::joining::Joining;
use super::masked::{MaskedIds, left_of};
use super::store::{Firsts, Group, Store};
use crate::domains::cmk::facts::{ID_MASKED, KEY_ID_FORM};

/// Why nobody knows all of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// A record that names it was rejected.
    Rejected,
    /// Another record has an id that is masked, and may be about it; or its own is.
    MaskedElsewhere,
    /// Its id stands under several accounts or regions.
    Contested,
}

/// Every key that is doubtful, by its first record.
pub fn doubts(
    store: &Store,
    firsts: &Firsts,
    groups: &HashMap<RecordId, Group, FixedState>,
    contested: &[RecordId],
    asides: &Joining<'_>,
) -> BTreeMap<RecordId, Doubt> {
    let is_masked = |id: &RecordId| {
        let aside = &asides.all[usize::from(store.record(*id).record.aside)];
        aside.get(KEY_ID_FORM) == ID_MASKED
    };
    let mut masked_ids = MaskedIds::default();
    let mut masked: Vec<RecordId> = Vec::new();
    if asides.all.iter().any(|facts| facts.get(KEY_ID_FORM) == ID_MASKED) {
        masked = firsts.iter().filter(is_masked).collect();
        masked.iter().for_each(|first| masked_ids.add(store.record(*first).key_id));
    }
    let tainted = &store.rejects.tainted;
    let mut doubts: BTreeMap<RecordId, Doubt> = contested.iter().map(|first| (*first, Doubt::Contested)).collect();
    if tainted.is_empty() && masked_ids.is_empty() {
        return doubts;
    }
    let mut matched: HashSet<u64> = HashSet::new();
    for first in firsts.iter() {
        let record = store.record(first);
        let is_full = masked_ids.is_empty() || !is_masked(&first);
        if let Some(left) = masked_ids.like(record.key_id).filter(|_| is_full && !masked_ids.is_empty()) {
            matched.insert(left);
            doubts.entry(first).or_insert(Doubt::MaskedElsewhere);
        }
        // A record may have been rejected that names the key by its alias.
        let of_one = std::slice::from_ref(&first);
        let records = groups.get(&first).map_or(of_one, |group| &group.records);
        let has_alias = |id: &RecordId| store.record(*id).aliases().split('\u{1f}').any(|alias| tainted.has(alias));
        if tainted.has(record.key_id) || tainted.names_aliases() && records.iter().any(has_alias) {
            doubts.entry(first).or_insert(Doubt::Rejected);
        }
    }
    for first in masked {
        if matched.contains(&left_of(store.record(first).key_id)) {
            doubts.entry(first).or_insert(Doubt::MaskedElsewhere);
        }
    }
    doubts
}
