//! Records by key: those of the same key together, also where only some of them name account and region.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::batches::{Batches, RecordId, StoredRecord};
use super::listings::Listing;
use super::record::Batch;
use super::remarks::Remarks;
use super::row::{FileId, Note, Place, Reject};
use super::same::{Several, several};
use super::shared::Numbered;

/// Every record that could be used.
#[derive(Debug, Default)]
pub struct Store {
    batches: Batches,
    /// What could not be used.
    pub rejects: Vec<Reject>,
    /// The keys that rejects are about, beside those that these name themselves.
    pub tainted: Vec<String>,
    /// What else is to be known, in input order.
    pub notes: Vec<Note>,
    /// What many records have in common, to be told once.
    pub remarks: Remarks,
    /// How much there is of the lists that replies are part of.
    pub listings: Vec<Listing>,
    /// The file in which a second header line with other columns was met.
    misplaced: Option<FileId>,
    /// How many records were read, whatever became of them.
    pub records_read: u64,
}

/// The keys that the records are about.
#[derive(Debug)]
pub struct Subjects {
    /// The first record of each.
    pub firsts: Firsts,
    /// Those that have several records, or whose scope had to be put together, by their first record.
    pub groups: HashMap<RecordId, Group, FixedState>,
    /// How many records are exact duplicates of an earlier one.
    pub duplicates: u64,
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

impl Store {
    /// Takes the records of a block. Blocks must come in input order.
    pub fn add(&mut self, mut batch: Batch) {
        if self.misplaced == Some(batch.file) {
            batch.misplace();
        } else if batch.is_misplaced {
            self.misplaced = Some(batch.file);
        }
        self.records_read += (batch.records.len() + batch.rejects.len()) as u64;
        self.rejects.append(&mut batch.rejects);
        self.notes.append(&mut batch.notes);
        self.remarks.merge(std::mem::take(&mut batch.remarks));
        self.listings.append(&mut batch.listings);
        self.tainted.append(&mut batch.tainted);
        self.batches.push(batch);
    }

    /// A record with its texts.
    pub fn record(&self, id: RecordId) -> StoredRecord<'_> {
        self.batches.get(id)
    }

    /// The first record of an account that is one of these, by number.
    pub fn first_of_account(&self, is_one: impl Fn(u32) -> bool) -> Option<Place> {
        let first = self.batches.records().position(|record| is_one(record.account))?;
        Some(self.record(first as RecordId).place)
    }

    /// The combinations of facts that all records state, by number.
    pub fn shapes(&self) -> impl Iterator<Item = u32> {
        self.batches.records().map(|record| record.shape)
    }

    /// The combination of facts that a record states, by number.
    pub fn shape(&self, id: RecordId) -> u32 {
        self.batches.record(id).shape
    }

    /// The keys that the records are about. Records that cannot be told to be about one key or another are
    /// rejected.
    pub fn subjects(&mut self, numbered: &Numbered, jobs: usize) -> Subjects {
        let mixed = |names: &[String]| names.len() > 1 && names.iter().any(String::is_empty);
        let mixed = mixed(&numbered.accounts) || mixed(&numbered.regions);
        let several = several(&self.batches, jobs);
        if several.is_empty() && !mixed {
            return Subjects { firsts: Firsts::All(self.batches.next), groups: HashMap::default(), duplicates: 0 };
        }
        let mut further: Vec<RecordId> = several.iter().flat_map(Several::further).collect();
        further.sort_unstable();
        let mut further = further.into_iter().peekable();
        let is_first = |id: &RecordId| further.next_if_eq(id).is_none();
        let mut firsts: Vec<RecordId> = (0..self.batches.next).filter(is_first).collect();
        let duplicates = several.iter().map(|key| key.duplicates.len() as u64).sum();
        let mut groups = HashMap::default();
        for key in several.into_iter().filter(|key| key.records.len() > 1) {
            let scope = numbered.scope(self.batches.record(key.records[0]));
            groups.insert(key.records[0], Group { records: key.records, scope });
        }
        if mixed {
            self.join_scopes(numbered, &mut firsts, &mut groups);
        }
        Subjects { firsts: Firsts::These(firsts), groups, duplicates }
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
