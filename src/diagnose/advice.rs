//! The advisories that fire for a key: found once for all keys that are the same to them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::{KeyOutcome, ShapeOutcome};
use crate::engine::judge::{Knowledge, Role, Rule, Standing, values_of};
use crate::inventory::survey::Survey;
use crate::rulebook::Rulebook;

/// At most so many findings are remembered; inventories of millions of keys have some thousands.
const MOST: usize = 1 << 18;

/// The rules of the advisories, and what they found.
#[derive(Debug)]
pub(super) struct Advice {
    rules: Vec<Rule>,
    /// What is known of each atom by the facts that only advisories ask, by combination.
    asides: Vec<Knowledge>,
    /// What each combination of the other facts means to the advisories: equal numbers, equal advice.
    kinds: Vec<u32>,
    /// The cards that fire, by kind and combination of asides; empty if that would be too many.
    found: Vec<OnceLock<Box<[u16]>>>,
}

impl Advice {
    pub(super) fn new(book: &Rulebook, survey: &Survey, outcomes: &[Option<Box<ShapeOutcome>>]) -> Advice {
        let program = &book.program;
        let asides: Vec<_> = survey.asides().iter().map(|facts| program.knowledge(&values_of(facts))).collect();
        let rules: Vec<Rule> = program.rules.iter().filter(|rule| rule.role == Role::Advice).cloned().collect();
        let (kinds, count) = kinds(&rules, outcomes);
        let found = count.saturating_mul(asides.len());
        let found = (0..if found > MOST { 0 } else { found }).map(|_| OnceLock::new()).collect();
        Advice { rules, asides, kinds, found }
    }

    /// The advisories that fire for a key.
    pub(super) fn of<'a>(&'a self, key: &KeyOutcome<'a>) -> Cow<'a, [u16]> {
        let place = self.kinds[key.key.shape as usize] as usize * self.asides.len() + key.key.aside as usize;
        match self.found.get(place) {
            Some(found) => Cow::Borrowed(found.get_or_init(|| self.find(key).collect())),
            None => self.find(key).collect(),
        }
    }

    fn find(&self, key: &KeyOutcome<'_>) -> impl Iterator<Item = u16> {
        let program = &key.diagnosis.rulebook.program;
        let aside = self.asides[key.key.aside as usize];
        let known = Knowledge { yes: key.outcome.known.yes | aside.yes, no: key.outcome.known.no | aside.no };
        let fires = move |rule: &&Rule| match rule.when.quick_standing(known) {
            Standing::Fires => true,
            // Alternatives that hold together however the unknown turns out; none of our own cards has such.
            Standing::Undetermined if rule.when.0.len() > 1 => {
                program.standing(&rule.when, &values_of(&key.facts())) == Standing::Fires
            }
            _ => false,
        };
        self.rules.iter().filter(fires).map(|rule| rule.card)
    }
}

/// Numbers what is known of the atoms that the advisories ask, and how many there are. Where a rule has
/// alternatives, more may matter, and every combination has a number of its own.
fn kinds(rules: &[Rule], outcomes: &[Option<Box<ShapeOutcome>>]) -> (Vec<u32>, usize) {
    let asked = rules.iter().flat_map(|rule| &rule.when.0).fold(0, |atoms, term| atoms | term.all | term.none);
    if rules.iter().any(|rule| rule.when.0.len() > 1) {
        return ((0..outcomes.len() as u32).collect(), outcomes.len());
    }
    let mut numbers = HashMap::new();
    let mut kinds = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        let known = outcome.as_deref().map(|outcome| outcome.known).unwrap_or_default();
        let next = numbers.len() as u32;
        kinds.push(*numbers.entry((known.yes & asked, known.no & asked)).or_insert(next));
    }
    (kinds, numbers.len())
}
