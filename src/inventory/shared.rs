//! What all workers number together, so that each key keeps small numbers only.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;

use crate::engine::facts::Facts;

/// What all workers number together: shapes, scopes, columns that are kept or not understood.
#[derive(Debug, Default)]
pub struct Shared {
    shapes: Mutex<Numbering<Facts>>,
    scopes: Mutex<Numbering<(String, String)>>,
    columns: Mutex<Numbering<String>>,
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
    pub fn number(&mut self, thing: &T) -> u32 {
        if let Some(known) = self.numbers.get(thing) {
            return *known;
        }
        let number = self.things.len() as u32;
        self.things.push(thing.clone());
        self.numbers.insert(thing.clone(), number);
        number
    }
}

/// Shapes, scopes and columns, once all workers are done.
#[derive(Debug)]
pub struct Numbered {
    /// Combinations of facts as records state them.
    pub shapes: Numbering<Facts>,
    /// Account and region.
    pub scopes: Vec<(String, String)>,
    /// Columns that no field takes.
    pub columns: Vec<String>,
}

impl Shared {
    /// The number of a combination of facts.
    pub fn shape(&self, facts: &Facts) -> u32 {
        lock(&self.shapes).number(facts)
    }

    /// The number of an account and region.
    pub fn scope(&self, account_id: &str, region: &str) -> u32 {
        lock(&self.scopes).number(&(account_id.to_owned(), region.to_owned()))
    }

    /// The number of a column that no field takes.
    pub fn column(&self, name: &str) -> u16 {
        lock(&self.columns).number(&name.to_owned()) as u16
    }

    /// What was numbered.
    pub fn finish(self) -> Numbered {
        Numbered { shapes: open(self.shapes), scopes: open(self.scopes).things, columns: open(self.columns).things }
    }
}

fn open<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
