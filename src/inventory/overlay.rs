//! What another source tells of keys, beside their records.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::row::Note;
use super::survey::{Key, Survey, Told};
use crate::engine::facts::{FactId, FactSet, FactSpec, Facts, Grade, members};

/// What another source tells of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Overlay {
    /// What it has seen: joins what the records say, and may contradict them.
    pub seen: Facts,
    /// What holds as long as no record says anything else.
    pub unsaid: Facts,
    /// Facts that count as inferred at best, whatever the records say, for the source has seen what may change them.
    pub doubtful: FactSet,
}

impl Overlay {
    /// The facts of which nothing is known and that are doubtful: whoever assumes something of them does not settle them.
    fn unsettled(&self, facts: &Facts) -> FactSet {
        members(self.doubtful).filter(|fact| facts.grade(*fact) == Grade::Unknown).fold(0, |all, fact| all | fact.bit())
    }
}

impl Overlay {
    /// The facts of records with what the source tells.
    fn over(&self, specs: &[FactSpec], records: &Facts) -> Facts {
        let mut facts = *records;
        facts.join(specs, &self.seen);
        for fact in (0..specs.len()).map(|index| FactId(index as u8)) {
            if facts.grade(fact) == Grade::Unknown {
                facts.set(fact, self.unsaid.get(fact), self.unsaid.grade(fact));
            }
        }
        for fact in members(self.doubtful) {
            if facts.grade(fact) > Grade::Inferred {
                facts.set(fact, facts.get(fact), Grade::Inferred);
            }
        }
        facts
    }
}

impl Survey {
    /// Lays what another source tells of each key over what its records say.
    pub fn overlay(&mut self, specs: &[FactSpec], tell: impl Fn(&Key<'_>, &Facts) -> Overlay) {
        let mut numbers: HashMap<(u32, Overlay), u32, FixedState> = HashMap::default();
        let mut shapes: HashMap<(Facts, FactSet), u32, FixedState> = HashMap::default();
        for index in 0..self.len() {
            let key = self.key(index);
            let (before, overlay) = (key.shape, tell(&key, &self.shapes[key.shape as usize]));
            let number = *numbers.entry((before, overlay)).or_insert_with(|| {
                let records = self.shapes[before as usize];
                let facts = overlay.over(specs, &records);
                let unsettled = overlay.unsettled(&facts);
                if facts == records && unsettled == 0 {
                    return before;
                }
                *shapes.entry((facts, unsettled)).or_insert_with(|| {
                    self.shapes.push(facts);
                    let number = self.shapes.len() as u32 - 1;
                    if unsettled != 0 {
                        self.unsettled.insert(number, unsettled);
                    }
                    number
                })
            });
            if number != before {
                let first = self.firsts.get(index);
                let record = self.store.record(first);
                self.told.entry(first).or_insert_with(|| Told::by(&record)).shape = number;
            }
        }
    }

    /// The facts of a combination that an assumption does not settle, as another source leaves them open.
    pub fn unsettled(&self, shape: u32) -> FactSet {
        self.unsettled.get(&shape).copied().unwrap_or_default()
    }

    /// Adds what else is to be known about the inputs.
    pub fn note_all(&mut self, notes: impl IntoIterator<Item = Note>) {
        self.store.notes.extend(notes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domains::cmk::facts::{FACTS, FORBIDDEN_OPERATIONS, LANGUAGES, OPERATIONS, USAGE};

    fn known(fact: FactId, value: &str, grade: Grade) -> Facts {
        Facts::unknown().with(fact, FACTS[fact.index()].value(value).unwrap(), grade)
    }

    #[test]
    fn what_was_seen_joins_what_was_said_and_may_contradict_it() {
        let seen = known(LANGUAGES, "Go", Grade::Inferred);
        let overlay = Overlay { seen, ..Overlay::default() };
        let facts = overlay.over(&FACTS, &known(LANGUAGES, "Java", Grade::Stated));
        assert_eq!(FACTS[LANGUAGES.index()].show(facts.get(LANGUAGES)), "Java, Go");
        assert_eq!(facts.grade(LANGUAGES), Grade::Stated);
        assert_eq!(overlay.over(&FACTS, &known(LANGUAGES, "none", Grade::Stated)).grade(LANGUAGES), Grade::Conflict);
    }

    #[test]
    fn what_is_unsaid_contradicts_nothing_and_what_is_doubtful_is_no_more_than_inferred() {
        let unsaid = known(USAGE, "none", Grade::Measured).with(OPERATIONS, 1, Grade::Measured);
        let overlay = Overlay { unsaid, doubtful: OPERATIONS.bit() | LANGUAGES.bit(), ..Overlay::default() };
        let facts = overlay.over(&FACTS, &known(OPERATIONS, "ordinary", Grade::Stated));
        assert_eq!((facts.get(OPERATIONS), facts.grade(OPERATIONS)), (2, Grade::Inferred));
        assert_eq!((facts.get(USAGE), facts.grade(USAGE)), (1, Grade::Measured));
        assert!(!facts.knows(LANGUAGES));
        assert_eq!(facts.get(OPERATIONS) & FORBIDDEN_OPERATIONS, 0);
    }
}
