//! What the engine says of one combination of facts: plain data, no words.

use super::facts::FactSet;
use super::judge::{ClassId, ClassSet};

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The class holds however the unknown facts turn out.
    Decided(ClassId),
    /// The class holds if the presumptions named in [`Judgement::conditions`] are confirmed.
    Conditional(ClassId),
    /// Completions of the unknown facts differ, or records of the subject do.
    Undetermined,
    /// However the unknown facts turn out, no card of the rulebook speaks of such a subject.
    Uncovered,
}

impl Verdict {
    /// The class, if there is one.
    pub fn class(self) -> Option<ClassId> {
        match self {
            Verdict::Decided(class) | Verdict::Conditional(class) => Some(class),
            Verdict::Undetermined | Verdict::Uncovered => None,
        }
    }
}

/// A card that fires on the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// Its position in the rulebook.
    pub card: u16,
    /// Whether its class is the verdict's; otherwise a class ahead of it decided, or none did.
    pub decides: bool,
}

/// All that the cards say of one combination of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The classes that occur over all completions, also of inferred facts on which the verdict rests.
    pub possible: ClassSet,
    /// The unknown facts for which two completions that differ in that fact alone differ in class,
    /// and the facts about which records disagree.
    pub gaps: FactSet,
    /// The presumed facts on which a conditional verdict rests, and the inferred ones without which
    /// it would not stand.
    pub conditions: FactSet,
    /// The class cards that fire, deciding ones first; under the presumptions if conditional. Cards of
    /// the hushed class are left out unless they decide.
    pub findings: Vec<Fired>,
    /// The minimal sets of actions after which the subject reaches the good class.
    pub unlocks: Vec<Vec<u16>>,
}

/// The cards that remark on a subject without deciding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remarks {
    /// Those that fire.
    pub fire: Vec<u16>,
    /// Those that depend on unknown facts.
    pub open: Vec<u16>,
}
