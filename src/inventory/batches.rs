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
