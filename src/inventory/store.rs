//! Records by key: finds those of the same key, and exact duplicates among them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::batches::{Batches, RecordId, StoredRecord};
use super::record::Batch;
use super::row::Reject;
use super::shared::Numbered;

/// Every record that could be used, and which of them are about the same key.
#[derive(Debug, Default)]
pub struct Store {
    batches: Batches,
    /// The first record of each key and scope, by identity.
    table: HashTable<RecordId>,
    /// The further records of keys that have several, by the first.
    more: HashMap<RecordId, Vec<RecordId>, FixedState>,
    /// What the records of such keys say, by hash.
    contents: HashMap<RecordId, HashSet<u64, FixedState>, FixedState>,
    /// The records that are not the first of their key, in order.
    further: Vec<RecordId>,
    /// What could not be used.
    pub rejects: Vec<Reject>,
    /// How many records were exact duplicates of an earlier one.
    pub duplicates: u64,
    /// How many records were read, whatever became of them.
    pub records_read: u64,
}

/// The first records of all keys, in input order.
#[derive(Debug)]
pub enum Firsts {
    /// So many: each record is the only one of its key.
    All(RecordId),
    /// These.
    These(Vec<RecordId>),
}

impl Firsts {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Firsts::All(count) => *count as usize,
            Firsts::These(ids) => ids.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at a place.
    pub fn get(&self, index: usize) -> RecordId {
        match self {
            Firsts::All(_) => index as RecordId,
            Firsts::These(ids) => ids[index],
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = RecordId> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// The records of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The records, in input order; never empty.
    pub records: Vec<RecordId>,
    /// Account and region as the records together give them.
    pub scope: (String, String),
}

/// So many records are looked up together.
const TOGETHER: RecordId = 32;

impl Store {
    /// Makes room for so many records.
    pub fn reserve(&mut self, records: usize) {
        let batches = &self.batches;
        self.table.reserve(records, |id| spread(batches.record(*id).identity));
    }

    /// Takes the records of a block. Blocks must come in input order.
    pub fn add(&mut self, mut batch: Batch) {
        self.records_read += (batch.records.len() + batch.rejects.len()) as u64;
        self.rejects.append(&mut batch.rejects);
        let mut ids = self.batches.push(batch);
        while !ids.is_empty() {
            let end = ids.end.min(ids.start + TOGETHER);
            // Each look-up waits for memory; those that do not depend on each other wait together.
            let busy = (ids.start..end).filter(|id| {
                let wanted = spread(self.batches.record(*id).identity);
                self.table.find(wanted, |_| true).is_some()
            });
            std::hint::black_box(busy.count());
            (ids.start..end).for_each(|id| self.enter(id));
            ids.start = end;
        }
    }

    /// Enters a record.
    fn enter(&mut self, id: RecordId) {
        let batches = &self.batches;
        let record = batches.record(id);
        let same = |first: &RecordId| {
            let other = batches.record(*first);
            (other.identity, other.account, other.region) == (record.identity, record.account, record.region)
                && batches.get(*first).key_id == batches.get(id).key_id
        };
        let hash = |id: &RecordId| spread(batches.record(*id).identity);
        match self.table.entry(spread(record.identity), same, hash) {
            Entry::Vacant(slot) => {
                slot.insert(id);
            }
            Entry::Occupied(slot) => {
                let first = *slot.get();
                self.further.push(id);
                let more = self.more.entry(first).or_default();
                let contents = self.contents.entry(first).or_default();
                if contents.is_empty() {
                    contents.insert(batches.record(first).content);
                }
                if !contents.insert(record.content) {
                    self.duplicates += 1;
                } else {
                    more.push(id);
                }
            }
        }
    }

    /// A record with its texts.
    pub fn record(&self, id: RecordId) -> StoredRecord<'_> {
        self.batches.get(id)
    }

    /// The combination of facts that a record states, by number.
    pub fn shape(&self, id: RecordId) -> u32 {
        self.batches.record(id).shape
    }

    /// The first records of all keys, and the groups of keys that have several
    /// records or whose scope had to be put together. Records that cannot be told to be about one key
    /// or another are rejected.
    pub fn subjects(&mut self, numbered: &Numbered) -> (Firsts, HashMap<RecordId, Group, FixedState>) {
        self.table = HashTable::new();
        let mixed = |names: &[String]| names.len() > 1 && names.iter().any(String::is_empty);
        let mixed = mixed(&numbered.accounts) || mixed(&numbered.regions);
        if self.further.is_empty() && !mixed {
            return (Firsts::All(self.batches.next), HashMap::default());
        }
        let mut further = self.further.iter().copied().peekable();
        let is_first = |id: &RecordId| further.next_if_eq(id).is_none();
        let mut firsts: Vec<RecordId> = (0..self.batches.next).filter(is_first).collect();
        let mut groups = HashMap::default();
        for (first, more) in self.more.iter().filter(|(_, more)| !more.is_empty()) {
            let scope = numbered.scope(self.batches.record(*first));
            let mut records = vec![*first];
            records.extend(more);
            groups.insert(*first, Group { records, scope });
        }
        if mixed {
            self.join_scopes(numbered, &mut firsts, &mut groups);
        }
        (Firsts::These(firsts), groups)
    }

    /// Joins keys of one id whose scopes do not contradict each other, where that is unambiguous.
    fn join_scopes(
        &mut self,
        numbered: &Numbered,
        firsts: &mut Vec<RecordId>,
        groups: &mut HashMap<RecordId, Group, FixedState>,
    ) {
        let mut by_id: HashMap<u64, Vec<RecordId>, FixedState> = HashMap::default();
        for first in firsts.iter() {
            let hash = FixedState::default().hash_one(self.record(*first).key_id);
            by_id.entry(hash).or_default().push(*first);
        }
        let mut gone: Vec<RecordId> = Vec::new();
        let shared = by_id.into_values().filter(|firsts| firsts.len() > 1);
        let shared: BTreeMap<RecordId, Vec<RecordId>> = shared.map(|firsts| (firsts[0], firsts)).collect();
        for candidates in shared.into_values() {
            self.join_candidates(numbered, candidates, groups, &mut gone);
        }
        gone.sort_unstable();
        firsts.retain(|first| gone.binary_search(first).is_err());
        firsts.sort_unstable();
    }

    fn join_candidates(
        &mut self,
        numbered: &Numbered,
        mut candidates: Vec<RecordId>,
        groups: &mut HashMap<RecordId, Group, FixedState>,
        gone: &mut Vec<RecordId>,
    ) {
        let scope_of = |id: &RecordId| numbered.scope(self.batches.record(*id));
        let key_id = |id: &RecordId| self.batches.get(*id).key_id;
        let first_id = key_id(&candidates[0]);
        candidates.retain(|id| key_id(id) == first_id);
        let scopes: Vec<(String, String)> = candidates.iter().map(scope_of).collect();
        // What does not contradict a scope must not contradict itself, else the scope may be about either.
        let mut ambiguous: Vec<(RecordId, String)> = Vec::new();
        let mut clear: Vec<(RecordId, (String, String))> = Vec::new();
        for (id, scope) in candidates.into_iter().zip(&scopes) {
            match together(scope, scopes.iter()) {
                Ok(_) => clear.push((id, scope.clone())),
                Err(named) => ambiguous.push((id, named)),
            }
        }
        let mut clusters: BTreeMap<(String, String), Vec<RecordId>> = BTreeMap::new();
        for (id, scope) in &clear {
            let joined = together(scope, clear.iter().map(|(_, scope)| scope)).unwrap_or_else(|_| scope.clone());
            clusters.entry(joined).or_default().push(*id);
        }
        for (id, scopes) in ambiguous {
            self.reject_group(id, &scopes, groups);
            gone.push(id);
        }
        for (scope, members) in clusters.into_iter().filter(|(_, members)| members.len() > 1) {
            join_groups(scope, members, groups, gone);
        }
    }

    /// Rejects all records of a key that may be one of several.
    fn reject_group(&mut self, first: RecordId, scopes: &str, groups: &mut HashMap<RecordId, Group, FixedState>) {
        let records = groups.remove(&first).map_or_else(|| vec![first], |group| group.records);
        for id in records {
            let record = self.record(id);
            let reason = format!(
                "the key id occurs in {scopes}, and this record does not say which of them it is about; add account_id and region"
            );
            let key_id = Some(record.key_id.to_owned());
            let reject = Reject { key_id, ..Reject::cell(record.place, "key_id", record.key_id, reason) };
            self.rejects.push(reject);
        }
    }
}

/// Makes one group of several; the earliest record stands for it.
fn join_groups(
    scope: (String, String),
    members: Vec<RecordId>,
    groups: &mut HashMap<RecordId, Group, FixedState>,
    gone: &mut Vec<RecordId>,
) {
    let mut records = Vec::new();
    for id in &members {
        match groups.remove(id) {
            Some(group) => records.extend(group.records),
            None => records.push(*id),
        }
    }
    records.sort_unstable();
    let first = records[0];
    gone.extend(members.into_iter().filter(|id| *id != first));
    groups.insert(first, Group { records, scope });
}

fn compatible(a: &(String, String), b: &(String, String)) -> bool {
    let agree = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
    agree(&a.0, &b.0) && agree(&a.1, &b.1)
}

/// What a scope and all those that do not contradict it say together, or two of those that contradict
/// each other.
fn together<'s>(
    scope: &(String, String),
    scopes: impl Iterator<Item = &'s (String, String)>,
) -> Result<(String, String), String> {
    let mut joined = scope.clone();
    for other in scopes.filter(|other| compatible(scope, other)) {
        if !compatible(&joined, other) {
            let show = |scope: &(String, String)| format!("{} {}", scope.0, scope.1).trim().to_owned();
            return Err(format!("{} and {}", show(&joined), show(other)));
        }
        for (part, said) in [(&mut joined.0, &other.0), (&mut joined.1, &other.1)] {
            if part.is_empty() {
                part.clone_from(said);
            }
        }
    }
    Ok(joined)
}

fn spread(identity: u32) -> u64 {
    // The table takes its buckets from the low bits and its tags from the high ones.
    u64::from(identity).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
