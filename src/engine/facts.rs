//! What can be known about one subject: facts, their grades, and atoms over them.
//!
//! A fact is finite: a choice of one value, or a set of members. Its known content is a word of
//! bits, one bit a value; **no bit at all means unknown**, and unknown is never false. Reading,
//! arithmetic and comparing of dates happen before a fact is set, in a domain's `observe`.

/// How many facts one subject can have: those of the domain and those that a user's rulebook adds.
pub const MAX_FACTS: usize = 32;

/// How many atoms one rulebook can have.
pub const MAX_ATOMS: usize = 128;

/// The known values of one fact, one bit each; `0` is unknown.
pub type Bits = u32;

/// A set of atoms, one bit each, in the order of the rulebook.
pub type AtomSet = u128;

/// A set of facts, one bit each, in the order of the rulebook.
pub type FactSet = u32;

/// The position of a fact in the rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactId(pub u8);

impl FactId {
    /// The position as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The set that holds this fact alone.
    pub fn bit(self) -> FactSet {
        1 << self.0
    }
}

/// The facts of a set, in the order of the rulebook.
pub fn members(set: FactSet) -> impl Iterator<Item = FactId> {
    (0..MAX_FACTS as u8).map(FactId).filter(move |fact| set & fact.bit() != 0)
}

/// The single values of a word of bits, lowest first.
pub fn each_bit(bits: Bits) -> impl Iterator<Item = Bits> {
    (0..Bits::BITS).map(|shift| 1 << shift).filter(move |bit| bits & bit != 0)
}

/// How a fact came to be known, or why it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Grade {
    /// Nobody said.
    #[default]
    Unknown,
    /// Two records of the subject say different things; counts as unknown and is never presumed.
    Conflict,
    /// Filled in by the person who runs the program (`--assume`).
    Assumed,
    /// Follows from other facts by a stated reasoning, without being said.
    Inferred,
    /// Said by the inventory.
    Stated,
    /// Read from the system itself.
    Measured,
}

impl Grade {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Unknown => "unknown",
            Grade::Conflict => "conflict",
            Grade::Assumed => "assumed",
            Grade::Inferred => "inferred",
            Grade::Stated => "stated",
            Grade::Measured => "measured",
        }
    }
}

/// All that is known about one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Facts {
    values: [Bits; MAX_FACTS],
    grades: [Grade; MAX_FACTS],
}

impl Facts {
    /// Nothing is known.
    pub fn unknown() -> Facts {
        Facts::default()
    }

    /// The known values of a fact; `0` if unknown.
    pub fn get(&self, fact: FactId) -> Bits {
        self.values[fact.index()]
    }

    /// How the fact is known.
    pub fn grade(&self, fact: FactId) -> Grade {
        self.grades[fact.index()]
    }

    /// Whether the fact is known.
    pub fn knows(&self, fact: FactId) -> bool {
        self.get(fact) != 0
    }

    /// Sets a fact. Values of `0` make it unknown, whatever the grade says.
    pub fn set(&mut self, fact: FactId, values: Bits, grade: Grade) {
        self.values[fact.index()] = values;
        self.grades[fact.index()] = match (values, grade) {
            (0, Grade::Conflict) => Grade::Conflict,
            (0, _) => Grade::Unknown,
            (_, grade) => grade,
        };
    }

    /// The same facts with one of them replaced.
    #[must_use]
    pub fn with(mut self, fact: FactId, values: Bits, grade: Grade) -> Facts {
        self.set(fact, values, grade);
        self
    }

    /// Makes a fact unknown because two sources disagree about it.
    pub fn conflict(&mut self, fact: FactId) {
        self.set(fact, 0, Grade::Conflict);
    }

    /// These facts, and of another subject's those that are known or in conflict there.
    #[must_use]
    pub fn overlaid(mut self, other: &Facts) -> Facts {
        for index in 0..MAX_FACTS {
            if other.grades[index] != Grade::Unknown {
                (self.values[index], self.grades[index]) = (other.values[index], other.grades[index]);
            }
        }
        self
    }

    /// The facts that bear the given grade.
    pub fn graded(&self, grade: Grade) -> FactSet {
        let bit = |(index, _): (usize, &Grade)| 1 << index;
        self.grades.iter().enumerate().filter(|(_, held)| **held == grade).map(bit).sum()
    }

    /// Joins what another record says of the same subject. Sets grow together, except that "none"
    /// and a member contradict each other; of an exclusive fact two different values are a
    /// conflict. The order of joining does not change the result.
    pub fn join(&mut self, specs: &[FactSpec], other: &Facts) {
        for (index, spec) in specs.iter().enumerate() {
            let fact = FactId(index as u8);
            let (mine, theirs) = (self.get(fact), other.get(fact));
            let grade = self.grade(fact).max(other.grade(fact));
            if self.grade(fact) == Grade::Conflict || other.grade(fact) == Grade::Conflict {
                self.conflict(fact);
            } else if mine == 0 || theirs == 0 || mine == theirs || spec.can_hold(mine | theirs) {
                self.set(fact, mine | theirs, grade);
            } else {
                self.conflict(fact);
            }
        }
    }
}

/// A text in the two languages of the rulebook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// English.
    pub en: std::borrow::Cow<'static, str>,
    /// Chinese.
    pub zh: std::borrow::Cow<'static, str>,
}

impl Text {
    /// A text known at compile time.
    pub const fn of(en: &'static str, zh: &'static str) -> Text {
        use std::borrow::Cow::Borrowed;
        Text { en: Borrowed(en), zh: Borrowed(zh) }
    }

    /// The text in the asked language.
    pub fn get(&self, lang: Lang) -> &str {
        lang.pick(&self.en, &self.zh)
    }
}

/// A language of the rulebook's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

impl Lang {
    /// The one of two texts that is in this language.
    pub fn pick<'t>(self, en: &'t str, zh: &'t str) -> &'t str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
}

/// Whether a fact holds one value or several at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one of the values.
    One,
    /// Any members together; the value of the given name, if any, means "known to have no member".
    Set {
        /// The value that excludes all others.
        none: Option<&'static str>,
    },
}

/// One thing that can be known about a subject.
#[derive(Debug, Clone)]
pub struct FactSpec {
    /// Its name in outputs, `--assume` and cards, in snake_case.
    pub name: std::borrow::Cow<'static, str>,
    /// What it says, for people.
    pub label: Text,
    /// Its values, in the field's own terms; at most 32.
    pub values: std::borrow::Cow<'static, [&'static str]>,
    /// One value or a set.
    pub arity: Arity,
    /// What is taken to hold if nobody said, and what must then be confirmed.
    pub presumption: Option<Presumption>,
    /// Which column or command supplies it.
    pub settle: Settle,
}

/// What is taken to hold of an unknown fact so that a conditional verdict can be given.
#[derive(Debug, Clone)]
pub struct Presumption {
    /// The value, by name.
    pub value: &'static str,
    /// What the value means here.
    pub stands_for: StandsFor,
    /// What must be confirmed before anything irreversible.
    pub confirm: Text,
}

/// What a presumed value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandsFor {
    /// Just that value, which is what nearly every subject has.
    Itself,
    /// Any value that stands in no verdict's way; nothing else may be concluded from it.
    NothingInTheWay,
}

/// How an unknown fact can become known.
#[derive(Debug, Clone, Default)]
pub struct Settle {
    /// The columns or fields of the inventory that carry it.
    pub columns: std::borrow::Cow<'static, str>,
    /// A read-only command that shows it; may name `{key_id}` and `{region}`. Empty if there is none.
    pub command: &'static str,
    /// What else to do.
    pub hint: Text,
    /// From what it is inferred, where the domain infers it without being told.
    pub inference: Text,
}

impl FactSpec {
    /// All values together.
    pub fn all(&self) -> Bits {
        match self.values.len() {
            32 => Bits::MAX,
            n => (1 << n) - 1,
        }
    }

    /// The bit of a value, by its exact name.
    pub fn value(&self, name: &str) -> Option<Bits> {
        self.values.iter().position(|value| *value == name).map(|index| 1 << index)
    }

    /// The bit that means "known to have no member", or `0`.
    pub fn none_bit(&self) -> Bits {
        match self.arity {
            Arity::Set { none: Some(name) } => self.value(name).unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether these values can hold together.
    pub fn can_hold(&self, values: Bits) -> bool {
        match self.arity {
            Arity::One => values.count_ones() == 1,
            Arity::Set { .. } => values != 0 && (values & self.none_bit() == 0 || values.count_ones() == 1),
        }
    }

    /// The names of the values, in order, joined for people.
    pub fn show(&self, values: Bits) -> String {
        let named = self.values.iter().enumerate().filter(|(index, _)| values & (1 << index) != 0);
        named.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }

    /// The bits of the presumed value, or `0`.
    pub fn presumed(&self) -> Bits {
        self.presumption.as_ref().and_then(|presumption| self.value(presumption.value)).unwrap_or(0)
    }
}

/// One yes/no statement about one fact: it holds if the fact has any of the named values.
#[derive(Debug, Clone)]
pub struct AtomSpec {
    /// Its name in cards, in kebab-case, stating the fact in the positive.
    pub name: std::borrow::Cow<'static, str>,
    /// What it states, one sentence.
    pub doc: std::borrow::Cow<'static, str>,
    /// The name of the fact it is about.
    pub fact: std::borrow::Cow<'static, str>,
    /// The values of which any makes it true, by name.
    pub any_of: std::borrow::Cow<'static, [&'static str]>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow::Borrowed;

    fn spec(arity: Arity) -> FactSpec {
        FactSpec {
            name: Borrowed("colour"),
            label: Text::of("colour", "颜色"),
            values: Borrowed(&["none", "red", "blue"]),
            arity,
            presumption: None,
            settle: Settle::default(),
        }
    }

    #[test]
    fn joining_sets_grows_them_but_none_contradicts_a_member() {
        let specs = [spec(Arity::Set { none: Some("none") })];
        let fact = FactId(0);
        let join = |a: Bits, b: Bits| {
            let mut facts = Facts::unknown().with(fact, a, Grade::Stated);
            facts.join(&specs, &Facts::unknown().with(fact, b, Grade::Stated));
            (facts.get(fact), facts.grade(fact))
        };
        assert_eq!(join(2, 4), (6, Grade::Stated));
        assert_eq!(join(0, 4), (4, Grade::Stated));
        assert_eq!(join(1, 4), (0, Grade::Conflict));
    }

    #[test]
    fn joining_exclusive_values_that_differ_is_a_conflict_that_stays() {
        let specs = [spec(Arity::One)];
        let fact = FactId(0);
        let red = Facts::unknown().with(fact, 2, Grade::Stated);
        let mut facts = red;
        facts.join(&specs, &Facts::unknown().with(fact, 4, Grade::Measured));
        assert_eq!(facts.grade(fact), Grade::Conflict);
        facts.join(&specs, &red);
        assert_eq!((facts.get(fact), facts.grade(fact)), (0, Grade::Conflict));
    }
}
