//! Records by key: those of the same key together, also where only some of them name account and region.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::batches::{Batches, RecordId, StoredRecord};
use super::listings::Listing;
use super::notes::Notes;
use super::record::Batch;
use super::rejects::Rejects;
use super::remarks::Remarks;
use super::row::{FileId, Place, Reject};
use super::same::{Alike, Several, alike};
use super::scopes::{Scope, Together, together};
use super::shared::Numbered;
use super::tidy;

/// Every record that could be used.
#[derive(Debug, Default)]
pub struct Store {
    batches: Batches,
    /// What could not be used.
    pub rejects: Rejects,
    /// What else is to be known.
    pub notes: Notes,
    /// What many records have in common, to be told once.
    pub remarks: Remarks,
    /// How much there is of the lists that replies are part of.
    pub listings: Vec<Listing>,
    /// The file in which a second header line with other columns was met.
    misplaced: Option<FileId>,
    /// How many records were read, whatever became of them.
    pub records_read: u64,
    /// How many exact duplicates were left out already.
    duplicates: u64,
    /// How many records there were when duplicates were looked for last.
    looked_at: RecordId,
}

/// Duplicates are left out while reading once there are so many records, and each time that they have doubled.
const MANY: RecordId = 1 << 20;

/// The keys that the records are about.
#[derive(Debug)]
pub struct Subjects {
    /// The first record of each.
    pub firsts: Firsts,
    /// Those that have several records, or whose scope had to be put together, by their first record.
    pub groups: HashMap<RecordId, Group, FixedState>,
    /// The first records of keys whose id other keys have, too, though no two can have one.
    pub contested: Vec<RecordId>,
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
        self.records_read += batch.records.len() as u64 + batch.rejects.len();
        self.rejects.append(std::mem::take(&mut batch.rejects));
        self.notes.append(std::mem::take(&mut batch.notes));
        self.remarks.merge(std::mem::take(&mut batch.remarks));
        self.listings.append(&mut batch.listings);
        if let Some(last) = self.batches.next.checked_sub(1).filter(|_| batch.taints_above) {
            let last = self.batches.get(last);
            if last.place.file == batch.file {
                self.rejects.tainted.add(last.key_id);
            }
        }
        self.batches.push(batch);
        if self.batches.next >= MANY.max(self.looked_at.saturating_mul(2)) {
            self.leave_duplicates_out();
        }
    }

    /// Leaves exact duplicates out, if there are many: a file that repeats itself takes no more memory than one that does
    /// not.
    fn leave_duplicates_out(&mut self) {
        if self.batches.have_many_duplicates() {
            let mut unwanted: Vec<RecordId> =
                alike(&self.batches, 1).several.into_iter().flat_map(|key| key.duplicates).collect();
            unwanted.sort_unstable();
            self.batches.remove(&unwanted);
            self.duplicates += unwanted.len() as u64;
        }
        self.looked_at = self.batches.next;
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
        let Alike { several, mut split } = alike(&self.batches, jobs);
        if several.is_empty() && split.is_empty() {
            let (firsts, duplicates) = (Firsts::All(self.batches.next), self.duplicates);
            return Subjects { firsts, groups: HashMap::default(), contested: Vec::new(), duplicates };
        }
        let mut further: Vec<RecordId> = several.iter().flat_map(Several::further).collect();
        further.sort_unstable();
        let mut further = further.into_iter().peekable();
        let is_first = |id: &RecordId| further.next_if_eq(id).is_none();
        let mut firsts: Vec<RecordId> = (0..self.batches.next).filter(is_first).collect();
        let further_duplicates: u64 = several.iter().map(|key| key.duplicates.len() as u64).sum();
        let duplicates = self.duplicates + further_duplicates;
        let mut groups = HashMap::default();
        for key in several.into_iter().filter(|key| key.records.len() > 1) {
            let scope = numbered.scope(self.batches.record(key.records[0]));
            groups.insert(key.records[0], Group { records: key.records, scope });
        }
        // By input order, so that it does not matter how many threads there are.
        split.sort_unstable();
        let mut gone: Vec<RecordId> = Vec::new();
        if mixed {
            for candidates in &split {
                self.join_candidates(numbered, candidates, &mut groups, &mut gone);
            }
            gone.sort_unstable();
            firsts.retain(|first| gone.binary_search(first).is_err());
        }
        let contested = self.contested(split, &gone);
        Subjects { firsts: Firsts::These(firsts), groups, contested, duplicates }
    }

    /// The first records of keys that have one id and different accounts or regions, although KMS gives no id twice: of
    /// one of them, the account or region is wrong.
    fn contested(&self, split: Vec<Vec<RecordId>>, gone: &[RecordId]) -> Vec<RecordId> {
        let mut contested: Vec<RecordId> = Vec::new();
        for mut firsts in split {
            firsts.retain(|first| gone.binary_search(first).is_err());
            if firsts.len() > 1 && tidy::is_given_by_kms(self.record(firsts[0]).key_id) {
                contested.append(&mut firsts);
            }
        }
        contested.sort_unstable();
        contested
    }

    fn join_candidates(
        &mut self,
        numbered: &Numbered,
        candidates: &[RecordId],
        groups: &mut HashMap<RecordId, Group, FixedState>,
        gone: &mut Vec<RecordId>,
    ) {
        let scopes: Vec<Scope> = candidates.iter().map(|id| numbered.scope(self.batches.record(*id))).collect();
        let Together { ambiguous, clusters } = together(&scopes);
        for (number, scopes) in ambiguous {
            self.reject_group(candidates[number], &scopes, groups);
            gone.push(candidates[number]);
        }
        for (scope, members) in clusters.into_iter().filter(|(_, members)| members.len() > 1) {
            let members = members.into_iter().map(|number| candidates[number]).collect();
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
