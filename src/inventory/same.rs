//! Which records are about the same key, and which of those are exact duplicates.
//!
//! All identities are sorted by hash once everything is read. Looking each one up as it comes would have to wait
//! for memory every time.

use std::collections::HashSet;
use std::convert::Infallible;

use foldhash::fast::FixedState;

use super::batches::{Batches, RecordId};
use crate::ordered::ordered;

/// The records of one key that has several.
#[derive(Debug)]
pub struct Several {
    /// The records, in input order, without exact duplicates of an earlier one.
    pub records: Vec<RecordId>,
    /// The exact duplicates, in input order.
    pub duplicates: Vec<RecordId>,
    /// What the records say, by hash.
    contents: HashSet<u64, FixedState>,
}

impl Several {
    fn new(first: RecordId, content: u64) -> Several {
        Several { records: vec![first], duplicates: Vec::new(), contents: HashSet::from_iter([content]) }
    }

    fn add(&mut self, id: RecordId, content: u64) {
        let list = if self.contents.insert(content) { &mut self.records } else { &mut self.duplicates };
        list.push(id);
    }

    /// All but the first.
    pub fn further(&self) -> impl Iterator<Item = RecordId> {
        self.records[1..].iter().chain(&self.duplicates).copied()
    }
}

/// Identities are sorted in shares of about so many.
const SHARE: u32 = 1 << 19;

/// Every key that several records are about, in no order.
pub fn several(batches: &Batches, jobs: usize) -> Vec<Several> {
    in_shares(batches, (batches.next / SHARE + 1).next_power_of_two().ilog2(), jobs)
}

/// The same; the identities of one share have their highest bits, so many, in common.
fn in_shares(batches: &Batches, bits: u32, jobs: usize) -> Vec<Several> {
    let mut shares = 0..1_u64 << bits;
    let mut found = Vec::new();
    let work = |order: &mut Vec<u64>, share: u64| {
        order.clear();
        batches.each_identity(|id, identity| {
            if u64::from(identity) >> (u32::BITS - bits) == share {
                order.push(u64::from(identity) << u32::BITS | u64::from(id));
            }
        });
        order.sort_unstable();
        let alike = order.chunk_by(|a, b| a >> u32::BITS == b >> u32::BITS).filter(|alike| alike.len() > 1);
        alike.flat_map(|alike| of_one_hash(batches, alike)).collect()
    };
    let Ok(()) = ordered(
        jobs,
        || Ok::<_, Infallible>(shares.next()),
        Vec::new,
        work,
        |some: Vec<Several>| {
            found.extend(some);
            Ok(())
        },
    );
    found
}

/// Those among records whose identities have the same hash.
fn of_one_hash(batches: &Batches, alike: &[u64]) -> Vec<Several> {
    let mut keys: Vec<Several> = Vec::new();
    for id in alike.iter().map(|alike| *alike as RecordId) {
        let content = batches.record(id).content;
        match keys.iter_mut().find(|key| is_same_key(batches, key.records[0], id)) {
            Some(key) => key.add(id, content),
            None => keys.push(Several::new(id, content)),
        }
    }
    keys.retain(|key| key.further().next().is_some());
    keys
}

fn is_same_key(batches: &Batches, a: RecordId, b: RecordId) -> bool {
    let (a, b) = (batches.get(a), batches.get(b));
    (a.record.account, a.record.region, a.key_id) == (b.record.account, b.record.region, b.key_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::record::{Batch, Record};

    /// Key, content and identity of records, six to a batch.
    fn batches(records: &[(u8, u64, u32)]) -> Batches {
        let mut batches = Batches::default();
        for some in records.chunks(6) {
            let mut batch = Batch::default();
            for (key, content, identity) in some {
                let text = batch.text.len() as u32;
                batch.text.push(char::from(b'a' + key));
                batch.records.push(Record { content: *content, text, key_id: 1, ..Record::default() });
                batch.identities.push(*identity);
            }
            batches.push(batch);
        }
        batches
    }

    #[test]
    fn records_of_a_key_are_found_on_any_number_of_threads_whatever_their_hashes() {
        // Key `a` has four records, of which one is a duplicate; `b` has two; `c` and `d` have one. Three keys share
        // a hash.
        let records = [(0, 1, 7), (1, 1, 7), (2, 1, u32::MAX), (0, 2, 7), (3, 1, 7), (0, 1, 7), (1, 2, 7), (0, 3, 7)];
        let batches = batches(&records);
        for (bits, jobs) in [(0, 1), (0, 2), (1, 2), (2, 2), (7, 3), (3, 16)] {
            let mut found = in_shares(&batches, bits, jobs);
            found.sort_by_key(|key| key.records[0]);
            let found: Vec<_> = found.into_iter().map(|key| (key.records, key.duplicates)).collect();
            assert_eq!(found, [(vec![0, 3, 7], vec![5]), (vec![1, 6], vec![])], "{bits} bits");
        }
    }
}
