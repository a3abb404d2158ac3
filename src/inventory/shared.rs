//! What all workers number together, so that each key keeps small numbers only.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;

use crate::engine::packing::Packed;

use super::record::Record;
use super::row::{Note, NoteKind, Place};

/// What all workers number together.
#[derive(Debug, Default)]
pub struct Shared {
    shapes: Mutex<Numbering<Packed>>,
    asides: Mutex<Numbering<Packed>>,
    accounts: Mutex<Numbering<String>>,
    regions: Mutex<Numbering<String>>,
    columns: Mutex<Columns>,
    unclear: Mutex<BTreeMap<(&'static str, &'static str), Unclear>>,
}

/// So many columns that no field takes are kept; every key has a cell for each.
pub const MOST_COLUMNS: usize = 4096;

/// The columns that no field takes: of more than are kept, the first in alphabetical order, whichever thread sees them
/// first.
#[derive(Debug, Default)]
struct Columns {
    kept: BTreeMap<String, u32>,
    next: u32,
    /// The others, by hash.
    others: HashSet<u64, FixedState>,
}

impl Columns {
    fn number(&mut self, name: &str) -> Option<u32> {
        if let Some(known) = self.kept.get(name) {
            return Some(*known);
        }
        if self.kept.len() >= MOST_COLUMNS {
            let last = self.kept.last_entry().filter(|last| last.key().as_str() > name);
            let (other, is_kept) = last.map_or((None, false), |last| (Some(last.remove_entry().0), true));
            let other = other.as_deref().unwrap_or(name);
            self.others.insert(FixedState::default().hash_one(other));
            if !is_kept {
                return None;
            }
        }
        let number = self.next;
        self.next += 1;
        self.kept.insert(name.to_owned(), number);
        Some(number)
    }
}

/// Values of one column that could not be used, for one reason.
#[derive(Debug)]
struct Unclear {
    /// The values, by hash.
    values: HashSet<u64, FixedState>,
    /// The first of them.
    first: (Place, String),
}

/// Things in the order in which they were first seen.
#[derive(Debug)]
pub struct Numbering<T> {
    numbers: HashMap<T, u32, FixedState>,
    /// The things, by number.
    pub things: Vec<T>,
}

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Numbering { numbers: HashMap::default(), things: Vec::new() }
    }
}

impl<T: Hash + Eq + Clone> Numbering<T> {
    /// The number of a thing.
    pub fn number<Q: Hash + Eq + ToOwned<Owned = T> + ?Sized>(&mut self, thing: &Q) -> u32
    where
        T: Borrow<Q>,
    {
        if let Some(known) = self.numbers.get(thing) {
            return *known;
        }
        let (number, thing) = (self.things.len() as u32, thing.to_owned());
        self.things.push(thing.clone());
        self.numbers.insert(thing, number);
        number
    }
}

/// What was numbered, once all workers are done.
#[derive(Debug)]
pub struct Numbered {
    /// Combinations of facts that verdicts depend on, as records state them.
    pub shapes: Vec<Packed>,
    /// Combinations of the other facts.
    pub asides: Vec<Packed>,
    /// Accounts.
    pub accounts: Vec<String>,
    /// Regions.
    pub regions: Vec<String>,
    /// Columns that no field takes, in alphabetical order, with their numbers.
    pub columns: Vec<(u32, String)>,
    /// How many more there are.
    pub more_columns: usize,
    /// What is to be known of accounts and regions.
    pub notes: Vec<Note>,
}

impl Shared {
    /// The number of a combination of facts.
    pub fn shape(&self, facts: Packed) -> u32 {
        lock(&self.shapes).number(&facts)
    }

    /// The number of a combination of facts that no verdict depends on.
    pub fn aside(&self, facts: Packed) -> u32 {
        lock(&self.asides).number(&facts)
    }

    /// The number of an account.
    pub fn account(&self, account_id: &str) -> u32 {
        lock(&self.accounts).number(account_id)
    }

    /// The number of a region.
    pub fn region(&self, region: &str) -> u32 {
        lock(&self.regions).number(region)
    }

    /// The number of a column that no field takes; nothing if there are too many to keep it.
    pub fn column(&self, name: &str) -> Option<u32> {
        lock(&self.columns).number(name)
    }

    /// Notes that a value of a column says nothing, and why.
    pub fn unclear(&self, place: Place, column: &'static str, value: &str, reason: &'static str) {
        let mut unclear = lock(&self.unclear);
        let first = || Unclear { values: HashSet::default(), first: (place, value.to_owned()) };
        let known = unclear.entry((column, reason)).or_insert_with(first);
        known.values.insert(FixedState::default().hash_one(value));
        // Blocks are read on several threads.
        if place < known.first.0 {
            known.first = (place, value.to_owned());
        }
    }

    /// What was numbered.
    pub fn finish(self) -> Numbered {
        let columns = open(self.columns);
        Numbered {
            notes: open(self.unclear).into_iter().map(|(of, unclear)| unclear.note(of)).collect(),
            shapes: open(self.shapes).things,
            asides: open(self.asides).things,
            accounts: open(self.accounts).things,
            regions: open(self.regions).things,
            columns: columns.kept.into_iter().map(|(name, number)| (number, name)).collect(),
            more_columns: columns.others.len(),
        }
    }
}

impl Numbered {
    /// Account and region of a record.
    pub fn scope(&self, record: &Record) -> (String, String) {
        (self.accounts[record.account as usize].clone(), self.regions[usize::from(record.region)].clone())
    }
}

impl Unclear {
    fn note(self, (column, reason): (&str, &str)) -> Note {
        let (place, value) = self.first;
        let value: String = value.chars().take(60).collect();
        let text = match self.values.len() {
            1 => format!("the {column} `{value}` is left out: {reason}"),
            count => format!("{count} values of {column} are left out, first `{value}`: {reason}"),
        };
        Note { place, kind: NoteKind::Reading, text }
    }
}

fn open<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
