//! All batches one behind the other; a record is found by its number without a search.

use super::record::{Batch, Record};
use super::row::{FileId, Place};

/// The number of a record, in input order.
pub type RecordId = u32;

/// The batch is noted for the first of so many records.
const STRIDE: RecordId = 256;

/// All batches, in input order.
#[derive(Debug, Default)]
pub struct Batches {
    batches: Vec<StoredBatch>,
    /// The batch of every [`STRIDE`]th record.
    directory: Vec<u32>,
    /// The number of the next record.
    pub next: RecordId,
}

#[derive(Debug)]
struct StoredBatch {
    first: RecordId,
    file: FileId,
    records: Box<[Record]>,
    identities: Box<[u32]>,
    text: Box<str>,
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
    /// What follows the key id: aliases and extras.
    rest: &'a str,
}

impl<'a> StoredRecord<'a> {
    /// The aliases, each closed by a unit separator.
    pub fn aliases(&self) -> &'a str {
        &self.rest[..usize::from(self.record.aliases)]
    }

    /// The extras, as [`super::record::extras`] reads them.
    pub fn extras(&self) -> &'a str {
        &self.rest[usize::from(self.record.aliases)..]
    }
}

impl Batches {
    /// Appends a batch.
    pub fn push(&mut self, batch: Batch) {
        let first = self.next;
        self.next += batch.records.len() as RecordId;
        while self.directory.len() as RecordId * STRIDE < self.next {
            self.directory.push(self.batches.len() as u32);
        }
        if first < self.next {
            self.batches.push(StoredBatch {
                first,
                file: batch.file,
                records: batch.records.into_boxed_slice(),
                identities: batch.identities.into_boxed_slice(),
                text: batch.text.into_boxed_str(),
            });
        }
    }

    /// Leaves out records, whose numbers are given in order; those behind them get smaller numbers.
    pub fn remove(&mut self, unwanted: &[RecordId]) {
        let mut unwanted = unwanted.iter().copied().peekable();
        for old in std::mem::take(self).batches {
            let StoredBatch { first, file, records, identities, text } = old;
            let end = first + records.len() as RecordId;
            if unwanted.peek().is_none_or(|next| *next >= end) {
                self.push(Batch {
                    file,
                    records: records.into_vec(),
                    identities: identities.into_vec(),
                    text: text.into_string(),
                    ..Batch::default()
                });
                continue;
            }
            let mut kept = Batch { file, ..Batch::default() };
            for (at, (record, identity)) in records.iter().zip(&identities).enumerate() {
                if unwanted.next_if_eq(&(first + at as RecordId)).is_some() {
                    continue;
                }
                let end = records.get(at + 1).map_or(text.len(), |next| next.text as usize);
                kept.records.push(Record { text: kept.text.len() as u32, ..*record });
                kept.identities.push(*identity);
                kept.text.push_str(&text[record.text as usize..end]);
            }
            self.push(kept);
        }
    }

    /// Whether so many records are exact duplicates that leaving them out saves memory. It is an estimate: what the
    /// records say is thrown into eight times as many pots as there are records, and seldom two into one.
    pub fn have_many_duplicates(&self) -> bool {
        let bits = (8 * u64::from(self.next)).next_power_of_two().ilog2().max(6);
        let mut pots = vec![0_u64; 1 << (bits - 6)];
        for record in self.records() {
            let pot = record.content >> (u64::BITS - bits);
            pots[(pot >> 6) as usize] |= 1 << (pot & 63);
        }
        let used: u64 = pots.iter().map(|pots| u64::from(pots.count_ones())).sum();
        used < u64::from(self.next) / 4 * 3
    }

    /// Shows the hashes of all identities, in input order.
    pub fn each_identity(&self, mut show: impl FnMut(RecordId, u32)) {
        for batch in &self.batches {
            for (id, identity) in (batch.first..).zip(&batch.identities) {
                show(id, *identity);
            }
        }
    }

    /// All records, in input order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.batches.iter().flat_map(|batch| &batch.records)
    }

    /// A record.
    pub fn record(&self, id: RecordId) -> &Record {
        let batch = self.batch(id);
        &batch.records[(id - batch.first) as usize]
    }

    /// A record with its texts.
    pub fn get(&self, id: RecordId) -> StoredRecord<'_> {
        let batch = self.batch(id);
        let at = (id - batch.first) as usize;
        let record = &batch.records[at];
        let end = batch.records.get(at + 1).map_or(batch.text.len(), |next| next.text as usize);
        let (key_id, rest) = batch.text[record.text as usize..end].split_at(usize::from(record.key_id));
        StoredRecord { record, place: Place { file: batch.file, line: u64::from(record.line) }, key_id, rest }
    }

    fn batch(&self, id: RecordId) -> &StoredBatch {
        let mut number = self.directory[(id / STRIDE) as usize] as usize;
        while self.batches.get(number + 1).is_some_and(|next| next.first <= id) {
            number += 1;
        }
        &self.batches[number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_are_removed_leave_the_others_as_they_were() {
        let whole = || {
            let mut batches = Batches::default();
            for file in 0..5 {
                let mut batch = Batch { file, ..Batch::default() };
                for line in 0..10 {
                    let text = batch.text.len() as u32;
                    batch.text.push_str(&format!("key{file}{line}|extra"));
                    batch.records.push(Record { line, text, key_id: 5, ..Record::default() });
                    batch.identities.push(100 * file + line);
                }
                batches.push(batch);
            }
            batches
        };
        for unwanted in [vec![], vec![0, 1, 13, 19, 49], (10..20).collect(), (0..50).collect()] {
            let (before, mut after) = (whole(), whole());
            after.remove(&unwanted);
            let kept: Vec<RecordId> = (0..before.next).filter(|id| !unwanted.contains(id)).collect();
            assert_eq!(after.next as usize, kept.len());
            let mut identities = Vec::new();
            after.each_identity(|id, identity| identities.push((id, identity)));
            for (new, old) in (0..).zip(kept) {
                let (new_record, old_record) = (after.get(new), before.get(old));
                assert_eq!((new_record.place, new_record.key_id), (old_record.place, old_record.key_id));
                assert_eq!(new_record.extras(), old_record.extras());
                assert_eq!(identities[new as usize], (new, old_record.place.file * 100 + old_record.record.line));
            }
        }
    }

    #[test]
    fn duplicates_are_told_from_different_records() {
        let of = |contents: &mut dyn Iterator<Item = u64>| {
            let mut batches = Batches::default();
            let records: Vec<Record> = contents.map(|content| Record { content, ..Record::default() }).collect();
            batches.push(Batch { identities: vec![0; records.len()], records, ..Batch::default() });
            batches.have_many_duplicates()
        };
        let spread = |at: u64| at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        assert!(!of(&mut (0..10_000).map(spread)));
        assert!(of(&mut (0..10_000).map(|at| spread(at / 2))));
        assert!(of(&mut (0..10_000).map(|_| 7)));
        assert!(!of(&mut std::iter::empty()));
    }

    #[test]
    fn every_record_is_found_in_batches_of_any_size() {
        let mut batches = Batches::default();
        let sizes = [0, 1, 255, 256, 257, 1, 1, 0, 1000, 3];
        for (file, size) in sizes.iter().enumerate() {
            let records: Vec<Record> = (0..*size).map(|line| Record { line, ..Record::default() }).collect();
            let identities = vec![0; records.len()];
            batches.push(Batch { file: file as FileId, records, identities, ..Batch::default() });
        }
        let mut id = 0;
        for (file, size) in sizes.iter().enumerate() {
            for line in 0..*size {
                let place = Place { file: file as FileId, line: u64::from(line) };
                assert_eq!(batches.get(id).place, place);
                id += 1;
            }
        }
        assert_eq!(id, batches.next);
    }
}
