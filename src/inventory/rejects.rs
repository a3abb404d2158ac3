//! What could not be used, kept in few bytes: a broken table may have more such records than there are keys.
//!
//! Rejects that differ in their line only are one entry. Texts that recur stand once in a chunk; chunks are small
//! enough to be put in order one by one, and are merged when somebody asks.

use std::collections::{BinaryHeap, HashMap};
use std::hash::BuildHasher;
use std::{cmp, mem};

use foldhash::fast::FixedState;

use super::masked::MaskedIds;
use super::row::{FileId, Place, Reject};
use super::tidy::{is_masked, key_ids_of};

/// A chunk holds so many rejects.
const CHUNK: u64 = 1 << 16;

/// So many columns and reasons of a chunk stand once; further ones stand where they are used.
const MAX_TEXTS: usize = 256;

/// What could not be used, and the keys that it is about.
#[derive(Debug, Default)]
pub struct Rejects {
    chunks: Vec<Chunk>,
    /// The chunk at hand.
    open: Writer,
    count: u64,
    /// The keys of which something could not be used, so that nobody knows what else is true of them.
    pub tainted: Tainted,
}

impl Rejects {
    /// Adds a reject, and taints the key that it names.
    pub fn push(&mut self, reject: Reject) {
        if let Some(key_id) = &reject.key_id {
            key_ids_of(key_id).iter().for_each(|key_id| self.tainted.add(key_id));
        }
        self.count += 1;
        self.open.push(reject);
        if self.open.count >= CHUNK {
            self.close();
        }
    }

    /// Takes all of another one.
    pub fn append(&mut self, mut other: Rejects) {
        if other.count > 0 {
            self.close();
            other.close();
            self.chunks.append(&mut other.chunks);
            self.count += other.count;
        }
        self.tainted.append(&other.tainted);
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Puts everything in order that came so far.
    pub fn finish(&mut self) {
        self.close();
        self.tainted.sort();
    }

    fn close(&mut self) {
        if self.open.last.is_some() {
            self.chunks.push(mem::take(&mut self.open).close());
        }
    }

    /// All of them by place, those of one place in the order in which they came; the keys are told by
    /// [`Rejects::tainted`] alone. Only what is in order is shown.
    pub fn by_place(&self) -> impl Iterator<Item = Reject> {
        // Chunks nearly always follow each other. Those that do are read one behind the other.
        let mut runs: Vec<&[Chunk]> = Vec::new();
        let mut from = 0;
        for at in 1..=self.chunks.len() {
            let follows = self.chunks.get(at).is_some_and(|next| self.chunks[at - 1].last <= next.first);
            if !follows {
                runs.push(&self.chunks[from..at]);
                from = at;
            }
        }
        let mut runs: Vec<_> = runs.into_iter().map(|chunks| chunks.iter().flat_map(Chunk::iter)).collect();
        let mut heads: Vec<Option<Reject>> = runs.iter_mut().map(Iterator::next).collect();
        let place = |number: usize, head: &Option<Reject>| head.as_ref().map(|head| cmp::Reverse((head.place, number)));
        let mut next: BinaryHeap<_> =
            heads.iter().enumerate().filter_map(|(number, head)| place(number, head)).collect();
        std::iter::from_fn(move || {
            let cmp::Reverse((_, number)) = next.pop()?;
            let reject = mem::replace(&mut heads[number], runs[number].next());
            next.extend(place(number, &heads[number]));
            reject
        })
    }
}

/// Rejects that are complete and stand in order.
#[derive(Debug)]
struct Chunk {
    texts: Box<[Box<str>]>,
    entries: Box<[u8]>,
    first: Place,
    last: Place,
}

impl Chunk {
    fn iter(&self) -> impl Iterator<Item = Reject> {
        let mut reader = Reader { texts: &self.texts, rest: &self.entries };
        let entries = std::iter::from_fn(move || reader.entry());
        entries.flat_map(|entry| (0..entry.count).map(move |at| entry.reject(at)))
    }
}

/// Rejects that differ in their line only.
#[derive(Debug, Clone)]
struct Entry {
    first: Reject,
    /// By how many lines each is behind the one before.
    step: u64,
    count: u64,
}

impl Entry {
    fn reject(&self, at: u64) -> Reject {
        let line = self.first.place.line.saturating_add(at.saturating_mul(self.step));
        Reject { place: Place { line, ..self.first.place }, ..self.first.clone() }
    }

    /// Takes a reject that differs from the last one in its line only, and in that as all before; else gives it back.
    fn take(&mut self, reject: Reject, last: Place) -> Option<Reject> {
        let step = reject.place.line.checked_sub(last.line);
        let first = &self.first;
        let is_alike = reject.place.file == last.file
            && step.is_some_and(|step| self.count == 1 || step == self.step)
            && (&reject.reason, &reject.column, &reject.value) == (&first.reason, &first.column, &first.value);
        let (true, Some(step)) = (is_alike, step) else { return Some(reject) };
        (self.step, self.count) = (step, self.count + 1);
        None
    }
}

/// A chunk that is being written.
#[derive(Debug, Default)]
struct Writer {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, usize, FixedState>,
    entries: Vec<u8>,
    /// How many rejects it holds.
    count: u64,
    /// The entry that may still get more.
    at_hand: Option<Entry>,
    first: Option<Place>,
    last: Option<Place>,
    is_out_of_order: bool,
}

impl Writer {
    fn push(&mut self, reject: Reject) {
        self.count += 1;
        let place = reject.place;
        let last = self.last.replace(place);
        self.first.get_or_insert(place);
        self.is_out_of_order |= last.is_some_and(|last| last > place);
        let reject = match (&mut self.at_hand, last) {
            (Some(entry), Some(last)) => entry.take(reject, last),
            _ => Some(reject),
        };
        if let Some(first) = reject
            && let Some(entry) = self.at_hand.replace(Entry { first, step: 0, count: 1 })
        {
            self.write(&entry);
        }
    }

    fn write(&mut self, entry: &Entry) {
        let Place { file, line } = entry.first.place;
        for number in [u64::from(file), line, entry.step, entry.count] {
            put_number(number, &mut self.entries);
        }
        self.put_text(entry.first.column.as_deref());
        self.put_text(Some(&entry.first.reason));
        // Values rarely recur.
        match &entry.first.value {
            None => self.entries.push(0),
            Some(value) => put_own(value, &mut self.entries),
        }
    }

    fn put_text(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.entries.push(0) };
        let known = self.numbers.get(text).copied();
        let number = known.or_else(|| {
            let number = self.texts.len();
            (number < MAX_TEXTS).then(|| {
                self.texts.push(text.into());
                self.numbers.insert(text.into(), number);
                number
            })
        });
        match number {
            Some(number) => put_number(number as u64 + 2, &mut self.entries),
            None => put_own(text, &mut self.entries),
        }
    }

    fn close(mut self) -> Chunk {
        if let Some(entry) = self.at_hand.take() {
            self.write(&entry);
        }
        let none = Place { file: 0, line: 0 };
        let (first, last) = (self.first.unwrap_or(none), self.last.unwrap_or(none));
        let is_out_of_order = self.is_out_of_order;
        let (texts, entries) = (self.texts.into_boxed_slice(), self.entries.into_boxed_slice());
        let chunk = Chunk { texts, entries, first, last };
        if !is_out_of_order {
            return chunk;
        }
        let mut rejects: Vec<Reject> = chunk.iter().collect();
        rejects.sort_by_key(|reject| reject.place);
        let mut sorted = Writer::default();
        rejects.into_iter().for_each(|reject| sorted.push(reject));
        sorted.close()
    }
}

/// Writes a number, seven bits a byte, the low ones first.
fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes a text that stands nowhere else.
fn put_own(text: &str, out: &mut Vec<u8>) {
    out.push(1);
    put_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Reads what a [`Writer`] has written.
struct Reader<'c> {
    texts: &'c [Box<str>],
    rest: &'c [u8],
}

impl Reader<'_> {
    fn entry(&mut self) -> Option<Entry> {
        let file = self.number()? as FileId;
        let (line, step, count) = (self.number()?, self.number()?, self.number()?);
        let (column, reason, value) = (self.text()?, self.text()?, self.text()?);
        let reason = reason.unwrap_or_default();
        let first = Reject { place: Place { file, line }, column, value, reason, key_id: None };
        Some(Entry { first, step, count })
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if *byte < 0x80 {
                return Some(number);
            }
        }
    }

    fn text(&mut self) -> Option<Option<String>> {
        match self.number()? {
            0 => Some(None),
            1 => {
                let length = self.number()? as usize;
                let (text, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Some(Some(String::from_utf8_lossy(text).into_owned()))
            }
            number => Some(self.texts.get(number as usize - 2).map(|text| text.to_string())),
        }
    }
}

/// The keys of which something could not be used, by the hashes of their ids. Were two ids to share a hash, a key would
/// be undetermined in vain.
#[derive(Debug, Default)]
pub struct Tainted {
    hashes: Vec<u64>,
    /// So many of them are sorted, each once.
    sorted: usize,
    /// Whether some stand for keys by their aliases. Nearly never does one, and keys are many.
    names_aliases: bool,
    /// Ids of which a part is masked.
    masked: MaskedIds,
}

/// Hashes are sorted once there are twice as many as after the last time, and so many more.
const UNSORTED: usize = 1 << 16;

impl Tainted {
    /// Adds a key.
    pub fn add(&mut self, key_id: &str) {
        self.names_aliases |= key_id.starts_with("alias/");
        if is_masked(key_id) {
            self.masked.add(key_id);
        }
        self.add_hash(hash(key_id));
    }

    fn add_hash(&mut self, hash: u64) {
        if self.hashes.last() != Some(&hash) {
            self.hashes.push(hash);
        }
        if self.hashes.len() > 2 * self.sorted + UNSORTED {
            self.sort();
        }
    }

    /// Adds all of another one.
    pub fn append(&mut self, other: &Tainted) {
        self.names_aliases |= other.names_aliases;
        self.masked.append(&other.masked);
        other.hashes.iter().for_each(|hash| self.add_hash(*hash));
    }

    /// Puts them in order, so that they can be found.
    pub fn sort(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self.sorted = self.hashes.len();
    }

    /// Whether no key is tainted.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether some keys are named by their aliases.
    pub fn names_aliases(&self) -> bool {
        self.names_aliases
    }

    /// Whether a key is tainted, as far as it was sorted; also one whose id may be a masked one.
    pub fn has(&self, key_id: &str) -> bool {
        self.hashes[..self.sorted].binary_search(&hash(key_id)).is_ok()
            || !self.masked.is_empty() && self.masked.like(key_id).is_some()
    }
}

fn hash(key_id: &str) -> u64 {
    FixedState::default().hash_one(key_id.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rejects by few words, so that many are alike.
    fn some() -> impl Strategy<Value = Reject> {
        let place = (0..3_u32, 0..40_u64).prop_map(|(file, line)| Place { file, line });
        let value = proptest::option::of(prop_oneof![Just(String::new()), "[a-c鍵]{1,3}"]);
        (place, proptest::option::of("[xy]"), value, "[pq]{1,2}").prop_map(|(place, column, value, reason)| Reject {
            place,
            column,
            value,
            reason,
            key_id: None,
        })
    }

    fn shown(rejects: &Rejects) -> Vec<Reject> {
        rejects.by_place().collect()
    }

    proptest! {
        #[test]
        fn every_reject_comes_back_by_place(batches in proptest::collection::vec(proptest::collection::vec(some(), 0..40), 0..6)) {
            let mut all = Rejects::default();
            for batch in &batches {
                let mut some = Rejects::default();
                batch.iter().for_each(|reject| some.push(reject.clone()));
                prop_assert_eq!(some.len(), batch.len() as u64);
                all.append(some);
            }
            all.finish();
            let mut expected = batches.concat();
            prop_assert_eq!(all.len(), expected.len() as u64);
            expected.sort_by_key(|reject| reject.place);
            prop_assert_eq!(shown(&all), expected);
        }
    }

    #[test]
    fn rejects_that_differ_in_their_lines_take_no_room_of_their_own() {
        let mut rejects = Rejects::default();
        let count = 3 * CHUNK + 5;
        for line in 0..count {
            rejects.push(Reject::whole(Place { file: 7, line: 2 * line + 1 }, "too short"));
        }
        rejects.finish();
        assert_eq!((rejects.len(), rejects.chunks.len()), (count, 4));
        assert!(rejects.chunks.iter().map(|chunk| chunk.entries.len()).sum::<usize>() < 100);
        let lines: Vec<u64> = rejects.by_place().map(|reject| reject.place.line).collect();
        assert!(lines.iter().enumerate().all(|(at, line)| *line == 2 * at as u64 + 1) && lines.len() as u64 == count);
    }

    #[test]
    fn more_reasons_than_a_chunk_keeps_once_are_kept_all_the_same() {
        let mut rejects = Rejects::default();
        let reason = |line: u64| format!("reason {}", line % (3 * MAX_TEXTS as u64));
        for line in 0..CHUNK + 1 {
            rejects.push(Reject::cell(Place { file: 0, line }, &format!("column {line}"), "", reason(line)));
        }
        rejects.finish();
        let mut count = 0;
        for (line, reject) in (0..).zip(rejects.by_place()) {
            assert_eq!((reject.place.line, &reject.reason), (line, &reason(line)));
            assert_eq!(reject.column, Some(format!("column {line}")));
            count += 1;
        }
        assert_eq!(count, CHUNK + 1);
    }

    #[test]
    fn a_key_stays_tainted_however_many_there_are() {
        let (mut all, count) = (Rejects::default(), 3 * UNSORTED);
        for at in 0..count {
            all.tainted.add(&format!("key-{at}"));
            all.tainted.add(&format!("key-{}", at / 2));
        }
        let mut further = Rejects::default();
        let place = Place { file: 0, line: 1 };
        further.push(Reject { key_id: Some("named".to_owned()), ..Reject::whole(place, "no") });
        all.append(further);
        all.finish();
        assert_eq!(all.tainted.hashes.len(), count + 1);
        assert!((0..count).all(|at| all.tainted.has(&format!("key-{at}"))) && all.tainted.has("named"));
        assert!(!all.tainted.has("key-x"));
    }
}
