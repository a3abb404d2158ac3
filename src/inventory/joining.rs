//! What several records say together.

use std::collections::HashMap;

use crate::domains::cmk::facts::{ALIAS_OF_SERVICE, ALIASES, RECORDS, SEVERAL_VERSIONS, VERSION_EVIDENCE, VERSIONS};
use crate::engine::facts::{Bits, FactSpec, Facts, Grade};
use crate::engine::packing::{Packed, Packing};

/// Combinations of facts, to which what several records say together is added.
#[derive(Debug)]
pub struct Joining<'s> {
    /// All of them, by number.
    pub all: Vec<Facts>,
    joined: HashMap<Facts, u32>,
    specs: &'s [FactSpec],
}

impl<'s> Joining<'s> {
    /// Those that records state.
    pub fn new(stated: &[Packed], packing: &Packing, specs: &'s [FactSpec]) -> Joining<'s> {
        let all = stated.iter().map(|packed| packing.unpack(*packed)).collect();
        Joining { all, joined: HashMap::new(), specs }
    }

    /// The same combination for a key of which a record was rejected.
    pub fn tainted(&mut self, number: u32) -> u32 {
        let mut facts = self.all[number as usize];
        facts.conflict(RECORDS);
        self.number(facts)
    }

    /// The same combination for a key of which several versions are listed, one in each record.
    pub fn with_several_versions(&mut self, number: u32) -> u32 {
        let mut facts = self.all[number as usize];
        let several = Facts::unknown().with(VERSIONS, SEVERAL_VERSIONS, Grade::Stated);
        facts.join(self.specs, &several);
        self.number(facts)
    }

    /// The same combination for a key of whose dates different records each give one.
    pub fn with_version_evidence(&mut self, number: u32, evidence: Bits) -> u32 {
        if evidence == 0 {
            return number;
        }
        let mut facts = self.all[number as usize];
        facts.join(self.specs, &Facts::unknown().with(VERSION_EVIDENCE, evidence, Grade::Stated));
        self.number(facts)
    }

    /// The same combination for a key that a list of all aliases does not name.
    pub fn without_alias(&mut self, number: u32, grade: Grade) -> u32 {
        let facts = self.all[number as usize];
        if facts.grade(ALIASES) != Grade::Unknown {
            return number;
        }
        let none = self.specs[ALIASES.index()].none_bit();
        self.number(facts.with(ALIASES, none, grade))
    }

    /// The same combination for a key whose aliases a list tells that lacks some: one of them may be that of a service.
    pub fn without_some_aliases(&mut self, number: u32) -> u32 {
        let mut facts = self.all[number as usize];
        let is_service = facts.get(ALIASES) & ALIAS_OF_SERVICE != 0;
        if is_service || facts.grade(ALIASES) != Grade::Measured {
            return number;
        }
        facts.set(ALIASES, 0, Grade::Unknown);
        self.number(facts)
    }

    /// What several combinations say together.
    pub fn join(&mut self, numbers: impl Iterator<Item = u32>) -> u32 {
        let mut facts = Facts::unknown();
        for number in numbers {
            facts.join(self.specs, &self.all[number as usize]);
        }
        self.number(facts)
    }

    fn number(&mut self, facts: Facts) -> u32 {
        *self.joined.entry(facts).or_insert_with(|| {
            self.all.push(facts);
            self.all.len() as u32 - 1
        })
    }
}
