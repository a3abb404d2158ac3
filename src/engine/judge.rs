//! Compiled cards, and how one card stands on what is known.
//!
//! A condition is a list of alternatives; each needs all of some atoms and none of others. There is
//! no other operator. [`Program::standing`] is exact: *undetermined* means that two completions of the
//! unknown facts exist of which one makes the card fire and the other does not.

use super::facts::{AtomSet, Bits, FactId, FactSet, FactSpec, Facts, MAX_FACTS, each_bit, members};

/// The position of a class in the order of precedence.
pub type ClassId = u8;

/// A set of classes, one bit each; the bit after the last class stands for "no card fires".
pub type ClassSet = u16;

/// The values of all facts, without their grades.
pub type Values = [Bits; MAX_FACTS];

/// One yes/no statement: true if the fact has any of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Atom {
    /// The fact it is about.
    pub fact: FactId,
    /// The values of which any makes it true.
    pub any_of: Bits,
}

/// One alternative of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Term {
    /// Atoms that must all be true.
    pub all: AtomSet,
    /// Atoms that must all be false.
    pub none: AtomSet,
}

/// When a card fires: when any of the alternatives holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition(pub Vec<Term>);

impl Condition {
    /// All atoms that the condition mentions.
    pub fn atoms(&self) -> AtomSet {
        self.0.iter().fold(0, |atoms, term| atoms | term.all | term.none)
    }
}

/// What an action does to one fact: the values of an atom leave it; if none is left, it gets another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// The atom whose values are removed, by position.
    pub removes: u8,
    /// What the fact holds if nothing else is left.
    pub leaves: Bits,
}

/// What a card is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Decides: the class holds if the card fires.
    Class(ClassId),
    /// Changes facts, where its condition holds.
    Action(Vec<Effect>),
    /// Says something about the subject that outputs need, and decides nothing.
    Note,
    /// Remarks, and decides nothing.
    Advice,
}

/// A compiled card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The position of the card in the rulebook.
    pub card: u16,
    /// What it is for.
    pub role: Role,
    /// When it fires.
    pub when: Condition,
}

/// How a card stands on what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds, however the unknown facts turn out.
    Fires,
    /// It does not hold, however the unknown facts turn out.
    Silent,
    /// It depends on unknown facts.
    Undetermined,
}

/// Which atoms are known to be true, and which to be false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Knowledge {
    /// Known to be true.
    pub yes: AtomSet,
    /// Known to be false.
    pub no: AtomSet,
}

impl Term {
    fn standing(&self, known: Knowledge) -> Standing {
        if self.all & known.no != 0 || self.none & known.yes != 0 {
            return Standing::Silent;
        }
        match (self.all & !known.yes) | (self.none & !known.no) {
            0 => Standing::Fires,
            _ => Standing::Undetermined,
        }
    }
}

impl Condition {
    /// The standing by three-valued logic alone: `Fires` and `Silent` are certain, `Undetermined`
    /// may still turn out to be certain once completions are looked at.
    pub fn quick_standing(&self, known: Knowledge) -> Standing {
        let mut result = Standing::Silent;
        for term in &self.0 {
            match term.standing(known) {
                Standing::Fires => return Standing::Fires,
                Standing::Undetermined => result = Standing::Undetermined,
                Standing::Silent => {}
            }
        }
        result
    }
}

/// For each fact, one value for every way in which the chosen atoms can tell its values apart.
#[derive(Debug, Clone, Default)]
pub struct Partition {
    /// The representative values of each fact; empty for facts that no chosen atom is about.
    pub representatives: Vec<Vec<Bits>>,
    /// The facts that a chosen atom is about.
    pub facts: FactSet,
    /// The chosen atoms.
    pub atoms: AtomSet,
}

/// More distinguishable kinds of members than this in one set fact would make completion expensive.
const MAX_KINDS_OF_MEMBERS: usize = 8;

/// The compiled cards of one edition of a rulebook, user cards included.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// What can be known.
    pub facts: Vec<FactSpec>,
    /// What can be said about it.
    pub atoms: Vec<Atom>,
    /// The cards that have a condition.
    pub rules: Vec<Rule>,
    /// How many classes there are.
    pub classes: u8,
    /// The first class that is good enough: actions aim at it and those behind it.
    pub good: ClassId,
    /// The class whose cards are told only where it decides, for they say no more than that nothing is in the way.
    pub hushed: Option<ClassId>,
    /// How class and action cards tell values apart.
    pub deciding: Partition,
    /// How all cards tell values apart.
    pub remarking: Partition,
    /// The facts that advice alone asks.
    pub advising: FactSet,
    /// Facts that no card asks, but whose conflict leaves every verdict open.
    pub integrity: FactSet,
}

/// Why cards make no program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// Completing the fact would be too expensive.
    #[error("too many different atoms about the fact `{0}`; at most 8 kinds of members can be told apart")]
    TooManyKinds(String),
    /// What an action leaves depends on values that the cards cannot tell apart.
    #[error(
        "the action of card number {card} leaves values of the fact `{fact}` that depend on more than the cards' atoms \
         can tell; let it remove an atom that overlaps no other, and leave a value that nothing else is beside"
    )]
    UnclearAction {
        /// The position of the card in the rulebook.
        card: u16,
        /// The fact.
        fact: String,
    },
}

impl Program {
    /// Puts a program together.
    ///
    /// # Errors
    /// The cards tell too many kinds of members apart, or an action is not clear.
    pub fn new(
        facts: Vec<FactSpec>,
        atoms: Vec<Atom>,
        rules: Vec<Rule>,
        classes: u8,
        good: ClassId,
    ) -> Result<Program, ProgramError> {
        let hushed = Some(good);
        let mut program = Program { facts, atoms, rules, classes, good, hushed, ..Program::default() };
        let deciding = program.atoms_of(|role| matches!(role, Role::Class(_) | Role::Action(_)));
        let needed = program.atoms_of(|role| *role != Role::Advice);
        let advice = program.atoms_of(|role| *role == Role::Advice);
        program.advising = program.facts_of(advice) & !program.facts_of(needed);
        let all = program.atoms_of(|_| true);
        program.deciding = program.partition(deciding)?;
        program.remarking = program.partition(all)?;
        program.check_actions()?;
        Ok(program)
    }

    /// Actions are carried out on representatives, which is right only if they do the same to all values
    /// that the deciding cards cannot tell apart.
    fn check_actions(&self) -> Result<(), ProgramError> {
        for rule in &self.rules {
            let Role::Action(effects) = &rule.role else { continue };
            for effect in effects {
                let fact = self.atoms[usize::from(effect.removes)].fact;
                let clear = |held: &Bits| {
                    let after = |held: Bits| self.representative(fact, self.after(effect, held));
                    after(*held) == after(self.representative(fact, *held))
                };
                if !self.kinds(self.deciding.atoms, fact).iter().all(clear) {
                    let fact = self.facts[fact.index()].name.to_string();
                    return Err(ProgramError::UnclearAction { card: rule.card, fact });
                }
            }
        }
        Ok(())
    }

    /// The values of a fact after an effect.
    pub fn after(&self, effect: &Effect, held: Bits) -> Bits {
        let removed = self.atoms[usize::from(effect.removes)].any_of;
        match held & !removed {
            _ if held & removed == 0 => held,
            0 => effect.leaves,
            kept => kept,
        }
    }

    /// One value of each kind that the chosen atoms tell apart, and every union of them if the fact is a
    /// set; "none" comes last.
    fn kinds(&self, atoms: AtomSet, fact: FactId) -> Vec<Bits> {
        let spec = &self.facts[fact.index()];
        let mut seen: Vec<(AtomSet, Bits)> = Vec::new();
        for bit in each_bit(spec.all() & !spec.none_bit()) {
            let signature = self.signature(atoms, fact, bit);
            if !seen.iter().any(|(known, _)| *known == signature) {
                seen.push((signature, bit));
            }
        }
        let mut values: Vec<Bits> = seen.into_iter().map(|(_, bit)| bit).collect();
        if spec.arity != super::facts::Arity::One && values.len() <= MAX_KINDS_OF_MEMBERS {
            values = unions(&values);
        }
        values.extend(Some(spec.none_bit()).filter(|bit| *bit != 0));
        values
    }

    fn atoms_of(&self, wanted: impl Fn(&Role) -> bool) -> AtomSet {
        let mut atoms = 0;
        for rule in self.rules.iter().filter(|rule| wanted(&rule.role)) {
            atoms |= rule.when.atoms();
            if let Role::Action(effects) = &rule.role {
                atoms = effects.iter().fold(atoms, |atoms, effect| atoms | 1 << effect.removes);
            }
        }
        atoms
    }

    fn facts_of(&self, atoms: AtomSet) -> FactSet {
        let chosen = self.atoms.iter().enumerate().filter(|(index, _)| atoms & (1 << index) != 0);
        chosen.fold(0, |facts, (_, atom)| facts | atom.fact.bit())
    }

    /// Which of the chosen atoms are true if the fact has these values.
    fn signature(&self, atoms: AtomSet, fact: FactId, values: Bits) -> AtomSet {
        let mut set = 0;
        for (index, atom) in self.atoms.iter().enumerate() {
            if atom.fact == fact && atom.any_of & values != 0 {
                set |= 1 << index;
            }
        }
        set & atoms
    }

    fn partition(&self, atoms: AtomSet) -> Result<Partition, ProgramError> {
        let mut partition = Partition { representatives: vec![Vec::new(); self.facts.len()], facts: 0, atoms };
        for (index, spec) in self.facts.iter().enumerate() {
            let fact = FactId(index as u8);
            let chosen = self.atoms.iter().enumerate().filter(|(i, _)| atoms & (1 << i) != 0);
            if !chosen.into_iter().any(|(_, atom)| atom.fact == fact) {
                continue;
            }
            partition.facts |= fact.bit();
            let members = each_bit(spec.all() & !spec.none_bit()).map(|bit| self.signature(atoms, fact, bit));
            let kinds: std::collections::BTreeSet<AtomSet> = members.collect();
            if spec.arity != super::facts::Arity::One && kinds.len() > MAX_KINDS_OF_MEMBERS {
                return Err(ProgramError::TooManyKinds(spec.name.to_string()));
            }
            let mut kept: Vec<(AtomSet, Bits)> = Vec::new();
            for value in self.kinds(atoms, fact) {
                let signature = self.signature(atoms, fact, value);
                if !kept.iter().any(|(known, _)| *known == signature) {
                    kept.push((signature, value));
                }
            }
            partition.representatives[index] = kept.into_iter().map(|(_, value)| value).collect();
        }
        Ok(partition)
    }

    /// Replaces each value by the representative that the deciding cards cannot tell from it, and
    /// forgets facts that they never ask about.
    pub fn reduce(&self, facts: &Facts) -> Values {
        let mut values = [0; MAX_FACTS];
        for fact in members(self.deciding.facts) {
            values[fact.index()] = self.representative(fact, facts.get(fact));
        }
        values
    }

    /// The representative, among the deciding cards, of a fact's values; `0` stays `0`.
    pub fn representative(&self, fact: FactId, values: Bits) -> Bits {
        if values == 0 {
            return 0;
        }
        let wanted = self.signature(self.deciding.atoms, fact, values);
        let same = |candidate: &&Bits| self.signature(self.deciding.atoms, fact, **candidate) == wanted;
        self.deciding.representatives[fact.index()].iter().find(same).copied().unwrap_or(values)
    }

    /// What is known of each atom.
    pub fn knowledge(&self, values: &Values) -> Knowledge {
        let mut known = Knowledge::default();
        for (index, atom) in self.atoms.iter().enumerate() {
            let held = values[atom.fact.index()];
            if held & atom.any_of != 0 {
                known.yes |= 1 << index;
            } else if held != 0 {
                known.no |= 1 << index;
            }
        }
        known
    }

    /// How a condition stands, exactly: over all completions of the facts that it mentions.
    pub fn standing(&self, when: &Condition, values: &Values) -> Standing {
        self.standing_with(when, values, self.knowledge(values))
    }

    /// The same, for callers who ask many conditions of one subject and know its atoms.
    pub fn standing_with(&self, when: &Condition, values: &Values, known: Knowledge) -> Standing {
        let quick = when.quick_standing(known);
        if quick != Standing::Undetermined {
            return quick;
        }
        let Some(fact) = self.unknown_fact(when, values) else {
            return quick;
        };
        let mut result = None;
        for value in &self.remarking.representatives[fact.index()] {
            let mut completed = *values;
            completed[fact.index()] = *value;
            let standing = self.standing(when, &completed);
            match result {
                _ if standing == Standing::Undetermined => return standing,
                Some(other) if other != standing => return Standing::Undetermined,
                _ => result = Some(standing),
            }
        }
        result.unwrap_or(quick)
    }

    /// The first unknown fact that the condition mentions.
    pub fn unknown_fact(&self, when: &Condition, values: &Values) -> Option<FactId> {
        let mentioned = when.atoms();
        let mentions = |(index, atom): (usize, &Atom)| {
            (mentioned & (1 << index) != 0 && values[atom.fact.index()] == 0).then_some(atom.fact)
        };
        self.atoms.iter().enumerate().find_map(mentions)
    }

    /// The known facts by which a condition holds: those of its first alternative that fires.
    pub fn evidence(&self, when: &Condition, values: &Values) -> FactSet {
        let known = self.knowledge(values);
        let fires = when.0.iter().find(|term| term.standing(known) == Standing::Fires);
        let atoms = fires.map_or(when.atoms(), |term| term.all | term.none);
        self.facts_of(atoms)
    }
}

/// The values of all facts of a subject.
pub fn values_of(facts: &Facts) -> Values {
    std::array::from_fn(|index| facts.get(FactId(index as u8)))
}

/// Every non-empty union of the given words.
fn unions(words: &[Bits]) -> Vec<Bits> {
    let union = |choice: usize| {
        let chosen = words.iter().enumerate().filter(|(index, _)| choice & (1 << index) != 0);
        chosen.fold(0, |all, (_, word)| all | word)
    };
    (1..1_usize << words.len()).map(union).collect()
}
