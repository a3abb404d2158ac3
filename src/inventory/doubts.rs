//! Keys of which nobody knows what else is true: a record was rejected that may be about them, or one whose id is masked,
//! their id stands under several accounts, or their dates cannot be compared.

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::FixedState;

use super::batches::RecordId;
use super::joining::Joining;
use super::listings::Concerned;
use super::masked::{MaskedIds, left_of};
use super::row::Note;
use super::store::{Firsts, Group, Store};
use crate::domains::cmk::facts::{ID_MASKED, KEY_ID_FORM};

/// Why nobody knows all of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// A record that names it was rejected.
    Rejected,
    /// Another record has an id that is masked, and may be about it; or its own is.
    MaskedElsewhere,
    /// Its id stands under several accounts or regions.
    Contested,
    /// One record says when it was created, another when it was rotated, and the two cannot be compared.
    Incomparable,
    /// Its id is masked, and several records have it, which may be about different keys and must not complete each other.
    Shared,
}

impl Doubt {
    /// What to say of the keys that are doubtful for this reason, and what to do; nothing if it was told before.
    fn words(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Doubt::Rejected => return None,
            Doubt::MaskedElsewhere => (
                "may be the ones whose ids other records have masked",
                "export these ids in full; until then nobody knows what those records say of them",
            ),
            Doubt::Contested => (
                "have an id that stands under several accounts or regions, though no two keys have one id",
                "correct the accounts and regions; until then these keys are undetermined",
            ),
            Doubt::Incomparable => (
                "have dates of creation and last rotation in different records that cannot be compared",
                "write them as 2026-12-20T06:34:21Z; until then nobody knows whether these keys were rotated",
            ),
            Doubt::Shared => (
                "have a masked id that several records share, which may be about different keys",
                "export the ids in full; until then these keys are undetermined",
            ),
        })
    }
}

/// One note for each reason.
pub fn notes(store: &Store, doubts: &BTreeMap<RecordId, Doubt>) -> Vec<Note> {
    let mut concerned: BTreeMap<Doubt, Concerned> = BTreeMap::new();
    for (first, doubt) in doubts {
        let record = store.record(*first);
        concerned.entry(*doubt).or_default().add(Some(record.place), record.key_id);
    }
    let note =
        |(doubt, concerned): (Doubt, Concerned)| doubt.words().and_then(|(what, next)| concerned.note(what, next));
    concerned.into_iter().filter_map(note).collect()
}

/// Every key that is doubtful, by its first record.
pub fn doubts(
    store: &Store,
    firsts: &Firsts,
    groups: &HashMap<RecordId, Group, FixedState>,
    contested: &[RecordId],
    incomparable: &[RecordId],
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
    let shared = masked.iter().filter(|first| groups.contains_key(first)).map(|first| (*first, Doubt::Shared));
    let contested = contested.iter().map(|first| (*first, Doubt::Contested));
    let incomparable = incomparable.iter().map(|first| (*first, Doubt::Incomparable));
    let mut doubts: BTreeMap<RecordId, Doubt> = incomparable.chain(shared).chain(contested).collect();
    if tainted.is_empty() && masked_ids.is_empty() {
        return doubts;
    }
    let mut matched: HashSet<u64> = HashSet::new();
    for first in firsts.iter() {
        let record = store.record(first);
        if let Some(left) = masked_ids.like(record.key_id).filter(|_| !is_masked(&first)) {
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
