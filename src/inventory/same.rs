//! Which records are about the same key, and which of those are exact duplicates.
//!
//! All identities are sorted by hash once everything is read. Looking each one up as it comes would have to wait
//! for memory every time.

use std::collections::{HashMap, HashSet};
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

/// The records of keys of which there are several.
#[derive(Debug, Default)]
pub struct Alike {
    /// Every key that several records are about, in no order.
    pub several: Vec<Several>,
    /// The first records of keys that have one id, and different accounts or regions.
    pub split: Vec<Vec<RecordId>>,
}

impl Alike {
    fn append(&mut self, other: Alike) {
        self.several.extend(other.several);
        self.split.extend(other.split);
    }
}

/// Identities are sorted in shares of about so many.
const SHARE: u32 = 1 << 19;

/// Every key that several records are about, and every id that several keys have.
pub fn alike(batches: &Batches, jobs: usize) -> Alike {
    in_shares(batches, (batches.next / SHARE + 1).next_power_of_two().ilog2(), jobs)
}

/// The same; the identities of one share have their highest bits, so many, in common.
fn in_shares(batches: &Batches, bits: u32, jobs: usize) -> Alike {
    let mut shares = 0..1_u64 << bits;
    let mut found = Alike::default();
    let work = |order: &mut Vec<u64>, share: u64| {
        order.clear();
        batches.each_identity(|id, identity| {
            if u64::from(identity) >> (u32::BITS - bits) == share {
                order.push(u64::from(identity) << u32::BITS | u64::from(id));
            }
        });
        order.sort_unstable();
        let alike = order.chunk_by(|a, b| a >> u32::BITS == b >> u32::BITS).filter(|alike| alike.len() > 1);
        let mut found = Alike::default();
        alike.for_each(|alike| of_one_hash(batches, alike, &mut found));
        found
    };
    let Ok(()) = ordered(
        jobs,
        || Ok::<_, Infallible>(shares.next()),
        Vec::new,
        work,
        |some: Alike| {
            found.append(some);
            Ok(())
        },
    );
    found
}

/// Those among records whose ids have the same hash.
fn of_one_hash(batches: &Batches, alike: &[u64], found: &mut Alike) {
    let mut keys: Vec<Several> = Vec::new();
    // By id, account and region; one id may stand in ten thousands of regions.
    let mut known: HashMap<(&str, u32, u16), usize, FixedState> = HashMap::default();
    for id in alike.iter().map(|alike| *alike as RecordId) {
        let record = batches.get(id);
        let key = known.entry((record.key_id, record.record.account, record.record.region)).or_insert(keys.len());
        match keys.get_mut(*key) {
            Some(key) => key.add(id, record.record.content),
            None => keys.push(Several::new(id, record.record.content)),
        }
    }
    if keys.len() > 1 {
        let mut of_id: HashMap<&str, Vec<RecordId>, FixedState> = HashMap::default();
        for key in &keys {
            of_id.entry(batches.get(key.records[0]).key_id).or_default().push(key.records[0]);
        }
        let mut split: Vec<Vec<RecordId>> = of_id.into_values().filter(|firsts| firsts.len() > 1).collect();
        split.sort_unstable();
        found.split.append(&mut split);
    }
    found.several.extend(keys.into_iter().filter(|key| key.further().next().is_some()));
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
            let found = in_shares(&batches, bits, jobs);
            assert!(found.split.is_empty(), "all are of one account and region");
            let mut found = found.several;
            found.sort_by_key(|key| key.records[0]);
            let found: Vec<_> = found.into_iter().map(|key| (key.records, key.duplicates)).collect();
            assert_eq!(found, [(vec![0, 3, 7], vec![5]), (vec![1, 6], vec![])], "{bits} bits");
        }
    }
}
