//! Records by key: finds those of the same key, and exact duplicates among them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::record::{Batch, Record};
use super::row::{FileId, Place, Reject};
use super::shared::Numbered;

/// The number of a record, in input order.
pub type RecordId = u32;

/// Every record that could be used, and which of them are about the same key.
#[derive(Debug, Default)]
pub struct Store {
    batches: Vec<StoredBatch>,
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
    next: RecordId,
}

#[derive(Debug)]
struct StoredBatch {
    first: RecordId,
    file: FileId,
    records: Box<[Record]>,
    text: Box<[u8]>,
}

impl StoredBatch {
    fn key_id(&self, record: &Record) -> &[u8] {
        &self.text[record.text as usize..][..usize::from(record.key_id)]
    }
}

/// A record with its texts.
#[derive(Debug, Clone, Copy)]
pub struct StoredRecord<'a> {
    /// The record.
    pub record: &'a Record,
    /// Where it stands.
    pub place: Place,
    /// The key id.
    pub key_id: &'a str,
    /// The aliases, each closed by a unit separator.
    pub aliases: &'a str,
    /// The extras, packed.
    pub extras: &'a [u8],
}

/// The records of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The records, in input order; never empty.
    pub records: Vec<RecordId>,
    /// Account and region as the records together give them.
    pub scope: (String, String),
}

impl Store {
    /// Makes room for so many records.
    pub fn reserve(&mut self, records: usize) {
        let batches = &self.batches;
        self.table.reserve(records, |id| spread(find(batches, *id).1.identity));
    }

    /// Takes the records of a block. Blocks must come in input order.
    pub fn add(&mut self, batch: Batch) {
        self.records_read += (batch.records.len() + batch.rejects.len()) as u64;
        self.rejects.extend(batch.rejects);
        let count = batch.records.len() as RecordId;
        if count == 0 {
            return;
        }
        self.batches.push(StoredBatch {
            first: self.next,
            file: batch.file,
            records: batch.records.into_boxed_slice(),
            text: batch.text.into_boxed_slice(),
        });
        self.next += count;
        self.enter_last();
    }

    /// Enters the records of the last batch.
    fn enter_last(&mut self) {
        let batches = &self.batches;
        let Some(batch) = batches.last() else { return };
        for (id, record) in (batch.first..).zip(&batch.records) {
            let same = |other: &RecordId| {
                let (at, other) = find(batches, *other);
                other.identity == record.identity
                    && (other.account, other.region) == (record.account, record.region)
                    && at.key_id(other) == batch.key_id(record)
            };
            let hash = |id: &RecordId| spread(find(batches, *id).1.identity);
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
                        contents.insert(find(batches, first).1.content);
                    }
                    if !contents.insert(record.content) {
                        self.duplicates += 1;
                    } else {
                        more.push(id);
                    }
                }
            }
        }
    }

    /// A record with its texts.
    pub fn record(&self, id: RecordId) -> StoredRecord<'_> {
        record_of(&self.batches, id)
    }

    /// The first records of all keys, in input order, and the groups of keys that have several
    /// records or whose scope had to be put together. Records that cannot be told to be about one key
    /// or another are rejected.
    pub fn subjects(&mut self, numbered: &Numbered) -> (Vec<RecordId>, HashMap<RecordId, Group, FixedState>) {
        self.table = HashTable::new();
        let mut further = self.further.iter().copied().peekable();
        let is_first = |id: &RecordId| further.next_if_eq(id).is_none();
        let mut firsts: Vec<RecordId> = (0..self.next).filter(is_first).collect();
        let mut groups = HashMap::default();
        for (first, more) in self.more.iter().filter(|(_, more)| !more.is_empty()) {
            let scope = numbered.scope(find(&self.batches, *first).1);
            let mut records = vec![*first];
            records.extend(more);
            groups.insert(*first, Group { records, scope });
        }
        let mixed = |names: &[String]| names.len() > 1 && names.iter().any(String::is_empty);
        if mixed(&numbered.accounts) || mixed(&numbered.regions) {
            self.join_scopes(numbered, &mut firsts, &mut groups);
        }
        (firsts, groups)
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
        let scope_of = |id: &RecordId| numbered.scope(find(&self.batches, *id).1);
        let key_id = |id: &RecordId| find(&self.batches, *id).0.key_id(find(&self.batches, *id).1);
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

/// A record and the batch that it is part of.
fn find(batches: &[StoredBatch], id: RecordId) -> (&StoredBatch, &Record) {
    let batch = &batches[batches.partition_point(|batch| batch.first <= id) - 1];
    (batch, &batch.records[(id - batch.first) as usize])
}

fn record_of(batches: &[StoredBatch], id: RecordId) -> StoredRecord<'_> {
    let (batch, record) = find(batches, id);
    let text = &batch.text[record.text as usize + usize::from(record.key_id)..];
    let (aliases, text) = text.split_at(record.aliases as usize);
    let as_text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    StoredRecord {
        record,
        place: Place { file: batch.file, line: u64::from(record.line) },
        key_id: as_text(batch.key_id(record)),
        aliases: as_text(aliases),
        extras: &text[..record.extras as usize],
    }
}
