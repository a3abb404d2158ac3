//! Names to bits: cards become rules of a program.

use crate::engine::facts::{AtomSet, AtomSpec, Bits, FactId, FactSpec, MAX_ATOMS, MAX_FACTS};
use crate::engine::judge::{Atom, Condition, Effect, Program, Role, Rule, Term};

use super::card::{Card, Kind};
use super::domain::ClassSpec;

/// A name in a card that means nothing, with what it may have meant.
#[derive(Debug, thiserror::Error)]
#[error("card `{card}`: {message}")]
pub struct CompileError {
    /// The card.
    pub card: String,
    /// What is wrong, and the candidates.
    pub message: String,
}

/// What the names in cards are resolved against.
#[derive(Debug)]
pub struct Names<'n> {
    /// Facts, in order.
    pub facts: &'n [FactSpec],
    /// Atoms, in order.
    pub atoms: &'n [AtomSpec],
    /// Classes, in order of precedence.
    pub classes: &'n [ClassSpec],
}

impl Names<'_> {
    /// The position of an atom.
    fn atom(&self, card: &Card, name: &str) -> Result<u8, CompileError> {
        let found = self.atoms.iter().position(|atom| atom.name == name);
        let names = self.atoms.iter().map(|atom| atom.name.as_ref());
        found.map(|index| index as u8).ok_or_else(|| unknown(card, "atom", name, names))
    }

    fn atom_set(&self, card: &Card, names: &[String]) -> Result<AtomSet, CompileError> {
        names.iter().try_fold(0, |set, name| Ok(set | 1 << self.atom(card, name)?))
    }

    fn condition(&self, card: &Card) -> Result<Condition, CompileError> {
        let term = |alternative: &super::card::Alternative| {
            let all = self.atom_set(card, &alternative.all)?;
            Ok(Term { all, none: self.atom_set(card, &alternative.none)? })
        };
        Ok(Condition(card.when.iter().map(term).collect::<Result<_, CompileError>>()?))
    }

    fn effect(&self, card: &Card, effect: &super::card::CardEffect) -> Result<Effect, CompileError> {
        let removes = self.atom(card, &effect.removes)?;
        let fact = &self.atoms[usize::from(removes)].fact;
        let spec = self.facts.iter().find(|spec| spec.name == *fact);
        let spec = spec.ok_or_else(|| unknown(card, "fact", fact, self.facts.iter().map(|spec| spec.name.as_ref())))?;
        let leaves = spec
            .value(&effect.leaves)
            .ok_or_else(|| unknown(card, "value", &effect.leaves, spec.values.iter().copied()))?;
        Ok(Effect { removes, leaves })
    }

    fn role(&self, card: &Card) -> Result<Role, CompileError> {
        match card.kind {
            Kind::Class => {
                let name = card.class.as_deref().unwrap_or("");
                let found = self.classes.iter().position(|class| class.name == name);
                let names = self.classes.iter().map(|class| class.name);
                found.map(|index| Role::Class(index as u8)).ok_or_else(|| unknown(card, "class", name, names))
            }
            Kind::Action => {
                let effects = card.effect.iter().map(|effect| self.effect(card, effect));
                Ok(Role::Action(effects.collect::<Result<_, CompileError>>()?))
            }
            Kind::Advisory => Ok(Role::Advice),
            _ => Ok(Role::Note),
        }
    }

    /// Resolves the atoms themselves.
    fn atoms(&self) -> Result<Vec<Atom>, CompileError> {
        let resolve = |spec: &AtomSpec| {
            let fail = |message: String| CompileError { card: format!("atom {}", spec.name), message };
            let index = self.facts.iter().position(|fact| fact.name == spec.fact);
            let index = index.ok_or_else(|| fail(format!("no fact is named `{}`", spec.fact)))?;
            let mut any_of: Bits = 0;
            for value in spec.any_of.iter() {
                let bit = self.facts[index].value(value);
                any_of |= bit.ok_or_else(|| fail(format!("`{}` has no value `{value}`", spec.fact)))?;
            }
            Ok(Atom { fact: FactId(index as u8), any_of })
        };
        self.atoms.iter().map(resolve).collect()
    }
}

/// Compiles the cards that have a condition.
///
/// # Errors
/// A card names an atom, value or class that does not exist, or there are too many facts or atoms.
pub fn compile(names: &Names<'_>, cards: &[&Card], good: &str) -> Result<Program, CompileError> {
    let whole = |message: String| CompileError { card: "(all)".to_owned(), message };
    if names.facts.len() > MAX_FACTS || names.atoms.len() > MAX_ATOMS {
        let (facts, atoms) = (names.facts.len(), names.atoms.len());
        return Err(whole(format!(
            "{facts} facts and {atoms} atoms; at most {MAX_FACTS} and {MAX_ATOMS} are possible"
        )));
    }
    let mut rules = Vec::new();
    for (index, card) in cards.iter().enumerate().filter(|(_, card)| card.kind.has_condition()) {
        rules.push(Rule { card: index as u16, role: names.role(card)?, when: names.condition(card)? });
    }
    let good = names.classes.iter().position(|class| class.name == good).unwrap_or(0) as u8;
    let facts = names.facts.to_vec();
    Program::new(facts, names.atoms()?, rules, names.classes.len() as u8, good)
        .map_err(|error| whole(error.to_string()))
}

fn unknown<'n>(card: &Card, what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> CompileError {
    let known: Vec<&str> = known.collect();
    let message = format!("unknown {what} `{name}`; {}", nearest(name, &known));
    CompileError { card: card.id.clone(), message }
}

/// "did you mean", or the whole list if nothing is near.
pub fn nearest(name: &str, known: &[&str]) -> String {
    let score = |candidate: &&str| (1000.0 * strsim::jaro_winkler(name, candidate)) as u32;
    match known.iter().copied().max_by_key(score) {
        Some(best) if score(&best) > 800 => format!("did you mean `{best}`?"),
        _ => format!("expected one of: {}", known.join(", ")),
    }
}
