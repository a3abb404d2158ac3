//! Proofs over every combination of what can be known, for the rulebook of every edition.
//!
//! A combination gives each fact that class or action cards ask about one of the values that those
//! cards can tell apart, or leaves it unknown. What the engine says of each combination is compared
//! with tables that are computed here from the conditions of the cards alone: first over the
//! combinations without unknown facts, then from these over the lattice of what is not known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a proof that fails panics")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use cmkdiag::domains;
use cmkdiag::engine::decide::Decider;
use cmkdiag::engine::facts::{Bits, FactId, FactSet, Facts, Grade, MAX_FACTS, each_bit, members};
use cmkdiag::engine::judge::{
    ClassSet, Condition, Effect, Partition, Program, Role, Rule, Standing, Values, values_of,
};
use cmkdiag::engine::outcome::{Judgement, Verdict};
use cmkdiag::rulebook::Rulebook;
use sha2::{Digest, Sha256};

/// How a condition may turn out, over all completions: bit 0 "it holds", bit 1 "it does not".
type Turns = u8;
const HOLDS: Turns = 1;
const FAILS: Turns = 2;

/// All combinations of some facts, numbered. The last digit of each fact means "unknown", so that
/// every completion of a combination has a smaller number than the combination.
struct Space<'p> {
    program: &'p Program,
    facts: Vec<FactId>,
    values: Vec<Vec<Bits>>,
    strides: Vec<usize>,
    size: usize,
}

impl<'p> Space<'p> {
    fn new(program: &'p Program, partition: &Partition, facts: FactSet) -> Space<'p> {
        let facts: Vec<FactId> = members(facts).collect();
        let values: Vec<Vec<Bits>> = facts.iter().map(|fact| partition.representatives[fact.index()].clone()).collect();
        let (mut strides, mut size) = (Vec::new(), 1);
        for known in &values {
            strides.push(size);
            size *= known.len() + 1;
        }
        Space { program, facts, values, strides, size }
    }

    fn digit(&self, at: usize, place: usize) -> usize {
        at / self.strides[place] % (self.values[place].len() + 1)
    }

    fn is_unknown(&self, at: usize, place: usize) -> bool {
        self.digit(at, place) == self.values[place].len()
    }

    fn unknown(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.facts.len()).filter(move |place| self.is_unknown(at, *place))
    }

    fn known(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.facts.len()).filter(move |place| !self.is_unknown(at, *place))
    }

    fn with(&self, at: usize, place: usize, digit: usize) -> usize {
        at - self.digit(at, place) * self.strides[place] + digit * self.strides[place]
    }

    fn forget(&self, at: usize, place: usize) -> usize {
        self.with(at, place, self.values[place].len())
    }

    /// The combinations in which one unknown fact has become known.
    fn learn(&self, at: usize, place: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.values[place].len()).map(move |digit| self.with(at, place, digit))
    }

    fn place(&self, fact: FactId) -> usize {
        self.facts.iter().position(|other| *other == fact).unwrap()
    }

    fn value(&self, at: usize, place: usize) -> Bits {
        let known = &self.values[place];
        known.get(self.digit(at, place)).copied().unwrap_or(0)
    }

    fn facts(&self, at: usize) -> Facts {
        let mut facts = Facts::unknown();
        for (place, fact) in self.facts.iter().enumerate() {
            facts.set(*fact, self.value(at, place), Grade::Stated);
        }
        facts
    }

    fn number(&self, values: &Values) -> usize {
        let mut at = 0;
        for (place, fact) in self.facts.iter().enumerate() {
            let value = values[fact.index()];
            let found = self.values[place].iter().position(|known| *known == value);
            let digit = found.unwrap_or(self.values[place].len());
            assert!(value == 0 || found.is_some(), "not a representative");
            at += digit * self.strides[place];
        }
        at
    }

    fn full(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.size).filter(|at| self.unknown(*at).next().is_none())
    }

    /// The combination in words, for failures.
    fn show(&self, at: usize) -> String {
        let mut text = String::new();
        for (place, fact) in self.facts.iter().enumerate() {
            let spec = &self.program.facts[fact.index()];
            let value = match self.value(at, place) {
                0 => "?".to_owned(),
                value => spec.show(value),
            };
            write!(text, "{}={value} ", spec.name).unwrap();
        }
        text
    }

    /// A table over all combinations: given where nothing is unknown, joined over the values of
    /// the first unknown fact elsewhere.
    fn table<T: Copy + Default + std::ops::BitOr<Output = T>>(&self, full: impl Fn(&Values) -> T) -> Vec<T> {
        let mut table: Vec<T> = Vec::with_capacity(self.size);
        for at in 0..self.size {
            let first = self.unknown(at).next();
            table.push(match first {
                None => full(&values_of(&self.facts(at))),
                Some(place) => self.learn(at, place).fold(T::default(), |all, known| all | table[known]),
            });
        }
        table
    }

    /// How a condition turns out on each combination.
    fn turns(&self, when: &Condition) -> Vec<Turns> {
        self.table(|values| match holds(self.program, when, values) {
            true => HOLDS,
            false => FAILS,
        })
    }
}

/// Whether a condition holds where all facts that it mentions are known.
fn holds(program: &Program, when: &Condition, values: &Values) -> bool {
    let atom = |index: usize| {
        let atom = &program.atoms[index];
        assert!(values[atom.fact.index()] != 0, "the fact is unknown");
        values[atom.fact.index()] & atom.any_of != 0
    };
    let named = |set: u128| (0..program.atoms.len()).filter(move |index| set >> index & 1 == 1);
    when.0.iter().any(|term| named(term.all).all(atom) && !named(term.none).any(atom))
}

fn effects(rule: &Rule) -> &[Effect] {
    match &rule.role {
        Role::Action(effects) => effects,
        _ => &[],
    }
}

/// One edition with everything that is known of it: the engine's word and the tables.
struct Proof {
    name: String,
    book: &'static Rulebook,
    space: Space<'static>,
    /// The classes over all completions.
    possible: Vec<ClassSet>,
    /// The unknown facts on which the class depends for some completion of the others.
    gaps: Vec<FactSet>,
    /// How the condition of each rule turns out; empty for remarking cards.
    turns: Vec<Vec<Turns>>,
    /// What the engine says.
    judged: Vec<Arc<Judgement>>,
}

impl Proof {
    fn new(name: String, book: &'static Rulebook) -> Proof {
        let program = &book.program;
        let space = Space::new(program, &program.deciding, program.deciding.facts);
        let turns: Vec<Vec<Turns>> = program
            .rules
            .iter()
            .map(|rule| match rule.role {
                Role::Class(_) | Role::Action(_) => space.turns(&rule.when),
                Role::Note | Role::Advice => Vec::new(),
            })
            .collect();
        let possible = space.table(|values| 1 << class_without(program, values, None));
        let gaps = gaps(&space, &possible);
        let mut decider = Decider::new(program);
        let judged = (0..space.size).map(|at| decider.judge(&space.facts(at))).collect();
        Proof { name, book, space, possible, gaps, turns, judged }
    }

    fn program(&self) -> &'static Program {
        &self.book.program
    }

    fn fail(&self, at: usize, why: &str) -> ! {
        panic!(
            "{}: {why}\n  {}\n  {:?}\n  possible {:b} gaps {:b}",
            self.name,
            self.space.show(at),
            self.judged[at],
            self.possible[at],
            self.gaps[at],
        )
    }

    fn check(&self, at: usize, holds: bool, why: &str) {
        if !holds {
            self.fail(at, why);
        }
    }

    fn is_full(&self, at: usize) -> bool {
        self.space.unknown(at).next().is_none()
    }

    /// The combination with what is presumed of the given facts, if all of them are presumed.
    fn presume(&self, at: usize, facts: FactSet) -> Option<usize> {
        let mut filled = at;
        for fact in members(facts) {
            let presumed = self.program().facts[fact.index()].presumed();
            let value = same_kind(self.program(), fact, presumed)?;
            let place = self.space.place(fact);
            let digit = self.space.values[place].iter().position(|v| *v == value)?;
            filled = self.space.with(filled, place, digit);
        }
        Some(filled)
    }

    /// The combination that the verdict speaks of.
    fn effective(&self, at: usize) -> usize {
        match self.judged[at].verdict {
            Verdict::Conditional(_) => self.presume(at, self.gaps[at]).unwrap(),
            _ => at,
        }
    }

    /// The combination after an action.
    fn after(&self, at: usize, rule: &Rule) -> usize {
        let mut values = values_of(&self.space.facts(at));
        for effect in effects(rule) {
            let atom = &self.program().atoms[usize::from(effect.removes)];
            let held = values[atom.fact.index()];
            if held & atom.any_of != 0 {
                let changed = remove(held, atom.any_of, effect.leaves);
                values[atom.fact.index()] = same_kind(self.program(), atom.fact, changed).expect("a known value");
            }
        }
        self.space.number(&values)
    }
}

fn remove(held: Bits, removed: Bits, leaves: Bits) -> Bits {
    match held & !removed {
        0 => leaves,
        kept => kept,
    }
}

/// The representative that no class or action card tells from the value.
fn same_kind(program: &Program, fact: FactId, value: Bits) -> Option<Bits> {
    let same = |candidate: &&Bits| {
        let mut asked = program
            .atoms
            .iter()
            .enumerate()
            .filter(|(index, atom)| program.deciding.atoms >> index & 1 == 1 && atom.fact == fact);
        asked.all(|(_, atom)| (atom.any_of & value != 0) == (atom.any_of & **candidate != 0))
    };
    let known = &program.deciding.representatives[fact.index()];
    known.iter().find(same).copied().filter(|_| value != 0)
}

/// The first class that has a firing card other than the given one; the number of classes if none.
fn class_without(program: &Program, values: &Values, without: Option<u16>) -> u8 {
    let classes = program.rules.iter().filter_map(|rule| match rule.role {
        Role::Class(class) if Some(rule.card) != without && holds(program, &rule.when, values) => Some(class),
        _ => None,
    });
    classes.min().unwrap_or(program.classes)
}

/// For each combination, the unknown facts in which two completions differ alone and get different
/// classes. A fact that is the only unknown one is looked at directly; otherwise some other unknown
/// fact is completed first, with every value.
fn gaps(space: &Space<'_>, possible: &[ClassSet]) -> Vec<FactSet> {
    let mut gaps: Vec<FactSet> = Vec::with_capacity(space.size);
    for (at, classes) in possible.iter().enumerate() {
        let unknown: Vec<usize> = space.unknown(at).collect();
        let mut found = 0;
        for (nth, place) in unknown.iter().enumerate() {
            let bit = space.facts[*place].bit();
            found |= match unknown.get(usize::from(nth == 0)) {
                Some(other) => space.learn(at, *other).fold(0, |all, known| all | gaps[known] & bit),
                None if classes.count_ones() > 1 => bit,
                None => 0,
            };
        }
        gaps.push(found);
    }
    gaps
}

/// Every edition of every domain whose combinations fit a table in memory. Those about two instances have thousands of
/// millions; they are proven against the vendor's tables and against second writings of their rules instead
/// (`servicenow_tables`).
static PROOFS: LazyLock<Vec<Proof>> = LazyLock::new(|| {
    let mut proofs = Vec::new();
    for domain in domains::ALL.into_iter().filter(|domain| domains::form_of(domain).is_none()) {
        for edition in domain.editions {
            let book = Rulebook::load(domain, Some(edition.name), None).expect("our own cards");
            let name = format!("{}/{}", domain.name, edition.name);
            proofs.push(Proof::new(name, Box::leak(Box::new(book))));
        }
    }
    proofs
});

fn each(check: impl Fn(&Proof, usize)) {
    for proof in PROOFS.iter() {
        for at in 0..proof.space.size {
            check(proof, at);
        }
    }
}

#[test]
fn every_combination_has_exactly_one_outcome() {
    each(|proof, at| {
        let judged = &proof.judged[at];
        let (none, only) = (1 << proof.program().classes, judged.possible.count_ones() == 1);
        proof.check(at, judged.possible != 0 && judged.possible < none << 1, "no class is possible");
        let consistent = match judged.verdict {
            Verdict::Decided(class) => judged.possible == 1 << class && judged.gaps == 0,
            Verdict::Uncovered => judged.possible == none && judged.gaps == 0,
            Verdict::Conditional(class) => !only && judged.possible & (1 << class) != 0,
            Verdict::Undetermined => !only && judged.gaps != 0,
        };
        proof.check(at, consistent, "the verdict contradicts the possible classes");
        if proof.is_full(at) {
            let decided = matches!(judged.verdict, Verdict::Decided(_));
            proof.check(at, decided, "all is known, and no class is given");
        }
    });
}

#[test]
fn the_possible_classes_are_those_of_all_completions() {
    each(|proof, at| {
        let judged = &proof.judged;
        proof.check(at, judged[at].possible == proof.possible[at], "not the classes of the completions");
        for place in proof.space.unknown(at) {
            let union = proof.space.learn(at, place).fold(0, |all, known| all | judged[known].possible);
            proof.check(at, union == judged[at].possible, "not the union over the values of an unknown fact");
        }
    });
}

#[test]
fn learning_a_fact_never_changes_a_decided_class() {
    each(|proof, at| {
        let judged = &proof.judged[at];
        if !matches!(judged.verdict, Verdict::Decided(_) | Verdict::Uncovered) {
            return;
        }
        for place in proof.space.unknown(at) {
            for known in proof.space.learn(at, place) {
                proof.check(
                    known,
                    proof.judged[known].verdict == judged.verdict,
                    "was decided otherwise before a fact was known",
                );
            }
        }
    });
}

#[test]
fn a_gap_is_a_fact_in_which_two_completions_differ_alone_and_differ_in_class() {
    each(|proof, at| {
        let exact = proof.judged[at].gaps == proof.gaps[at];
        proof.check(at, exact, "the gaps are others");
    });
}

#[test]
fn findings_are_the_cards_that_fire_in_every_completion() {
    each(|proof, at| {
        let judged = &proof.judged[at];
        let effective = proof.effective(at);
        let mut expected = BTreeSet::new();
        for (rule, turns) in proof.program().rules.iter().zip(&proof.turns) {
            if let Role::Class(class) = rule.role
                && turns[effective] == HOLDS
                // That nothing is in the way is a finding only where it decides.
                && (class != proof.program().good || Some(class) == judged.verdict.class())
            {
                expected.insert((rule.card, Some(class) == judged.verdict.class()));
            }
        }
        let findings = judged.findings.iter();
        let found: Vec<(u16, bool)> = findings.map(|fired| (fired.card, fired.decides)).collect();
        proof.check(
            at,
            found.iter().copied().collect::<BTreeSet<_>>() == expected && found.len() == expected.len(),
            "the findings are others",
        );
        proof.check(at, found.is_sorted_by_key(|(_, decides)| !decides), "a finding that decides comes late");
    });
}

#[test]
fn no_class_card_is_dead() {
    for proof in PROOFS.iter() {
        let program = proof.program();
        for rule in &program.rules {
            if !matches!(rule.role, Role::Class(_)) {
                continue;
            }
            let id = &proof.book.card(rule.card).id;
            let decides = |at: usize| {
                let findings = &proof.judged[at].findings;
                findings.iter().any(|fired| fired.card == rule.card && fired.decides)
            };
            assert!(proof.space.full().any(decides), "{}: `{id}` never decides", proof.name);
            let needed = |at: usize| {
                let values = values_of(&proof.space.facts(at));
                1 << class_without(program, &values, Some(rule.card)) != proof.possible[at]
            };
            assert!(proof.space.full().any(needed), "{}: nothing changes without `{id}`", proof.name);
        }
    }
}

#[test]
fn every_action_card_unlocks_something() {
    for proof in PROOFS.iter() {
        let judged = proof.judged.iter();
        let used: BTreeSet<u16> = judged.flat_map(|judged| judged.unlocks.iter().flatten().copied()).collect();
        for rule in &proof.program().rules {
            if matches!(rule.role, Role::Action(_)) {
                let id = &proof.book.card(rule.card).id;
                assert!(used.contains(&rule.card), "{}: `{id}` unlocks nothing", proof.name);
            }
        }
    }
}

#[test]
fn every_remarking_card_fires_is_silent_and_is_open_as_its_completions_say() {
    for proof in PROOFS.iter() {
        let program = proof.program();
        let decider = Decider::new(program);
        for rule in program.rules.iter().filter(|rule| matches!(rule.role, Role::Note | Role::Advice)) {
            let id = &proof.book.card(rule.card).id;
            let asked = (0..program.atoms.len())
                .filter(|index| rule.when.atoms() >> index & 1 == 1)
                .fold(0, |facts, index| facts | program.atoms[index].fact.bit());
            let space = Space::new(program, &program.remarking, asked);
            let mut seen = 0;
            for (at, turns) in space.turns(&rule.when).into_iter().enumerate() {
                let facts = space.facts(at);
                let standing = program.standing(&rule.when, &values_of(&facts));
                let (fires, open) = (standing == Standing::Fires, standing == Standing::Undetermined);
                if rule.role == Role::Advice {
                    // Advice is read off by three-valued logic alone; for our cards that is exact.
                    let quick = rule.when.quick_standing(program.knowledge(&values_of(&facts)));
                    assert_eq!(quick, standing, "{}: `{id}` on {}", proof.name, space.show(at));
                }
                if rule.role == Role::Note {
                    let remarks = decider.remarks(&facts);
                    let said = (remarks.fire.contains(&rule.card), remarks.open.contains(&rule.card));
                    assert_eq!(said, (fires, open), "{}: `{id}` on {}", proof.name, space.show(at));
                }
                assert!(
                    fires == (turns == HOLDS) && open == (turns == HOLDS | FAILS),
                    "{}: `{id}` on {}: fires {fires}, open {open}",
                    proof.name,
                    space.show(at),
                );
                seen |= 1 << turns;
            }
            assert_eq!(seen, 0b1110, "{}: `{id}` is never fired, silent or open", proof.name);
        }
    }
}

#[test]
fn unlocks_are_exactly_the_minimal_sets_of_actions_that_reach_the_good_class() {
    for proof in PROOFS.iter() {
        let program = proof.program();
        let decider = Decider::new(program);
        let good = Some(program.good);
        for at in 0..proof.space.size {
            let judged = &proof.judged[at];
            if judged.verdict.class() == good {
                proof.check(at, judged.unlocks.is_empty(), "unlocks what is not locked");
                continue;
            }
            let mut actions: Vec<&Rule> = Vec::new();
            for (rule, turns) in program.rules.iter().zip(&proof.turns) {
                if matches!(rule.role, Role::Action(_)) && turns[at] == HOLDS {
                    actions.push(rule);
                }
            }
            // Which subsets reach the good class; the first is the empty one.
            let mut reached = vec![at];
            for set in 1..1_usize << actions.len() {
                let last = set.ilog2() as usize;
                reached.push(proof.after(reached[set ^ 1 << last], actions[last]));
            }
            let works = |set: usize| proof.judged[reached[set]].verdict.class() == good;
            let subset = |set: usize, other: usize| set & other == set;
            let minimal =
                |set: &usize| works(*set) && !(0..*set).any(|smaller| subset(smaller, *set) && works(smaller));
            let cards = |set: usize| -> Vec<u16> {
                let chosen = actions.iter().enumerate();
                chosen.filter(|(index, _)| set >> index & 1 == 1).map(|(_, rule)| rule.card).collect()
            };
            let expected: BTreeSet<Vec<u16>> = (1..reached.len()).filter(minimal).map(cards).collect();
            let found: BTreeSet<Vec<u16>> = judged.unlocks.iter().cloned().collect();
            proof.check(
                at,
                found == expected && found.len() == judged.unlocks.len(),
                &format!("the unlocks are {expected:?}"),
            );
            for unlock in &judged.unlocks {
                for order in orders(unlock) {
                    let mut values = values_of(&proof.space.facts(at));
                    for card in order {
                        let rule = program.rules.iter().find(|rule| rule.card == card);
                        decider.apply(rule.unwrap(), &mut values);
                    }
                    let after = proof.space.number(&values);
                    proof.check(
                        at,
                        proof.judged[after].verdict.class() == good,
                        "an unlock does not work in every order",
                    );
                }
            }
        }
    }
}

fn orders(cards: &[u16]) -> Vec<Vec<u16>> {
    let mut orders = vec![Vec::new()];
    for card in cards {
        let mut longer = Vec::new();
        for order in &orders {
            for at in 0..=order.len() {
                let mut order: Vec<u16> = order.clone();
                order.insert(at, *card);
                longer.push(order);
            }
        }
        orders = longer;
    }
    orders
}

/// The engine carries actions out on representatives. That is the same as carrying them out on what
/// is held if the outcome is of one kind for everything that is of one kind: proven for all sets of
/// kinds of members.
#[test]
fn an_action_does_the_same_to_values_that_the_cards_cannot_tell_apart() {
    for proof in PROOFS.iter() {
        let program = proof.program();
        let decider = Decider::new(program);
        for rule in &program.rules {
            for fact in effects(rule).iter().map(|effect| program.atoms[usize::from(effect.removes)].fact) {
                for held in held_values(program, fact) {
                    let mut actual = held;
                    for effect in effects(rule) {
                        let atom = &program.atoms[usize::from(effect.removes)];
                        if atom.fact == fact && actual & atom.any_of != 0 {
                            actual = remove(actual, atom.any_of, effect.leaves);
                        }
                    }
                    let mut values: Values = [0; MAX_FACTS];
                    values[fact.index()] = program.representative(fact, held);
                    decider.apply(rule, &mut values);
                    assert_eq!(
                        Some(values[fact.index()]),
                        same_kind(program, fact, actual),
                        "{}: `{}` on {} = {}",
                        proof.name,
                        proof.book.card(rule.card).id,
                        program.facts[fact.index()].name,
                        program.facts[fact.index()].show(held),
                    );
                }
            }
        }
    }
}

/// Every value of a fact, with one member for all that no card tells apart.
fn held_values(program: &Program, fact: FactId) -> Vec<Bits> {
    let spec = &program.facts[fact.index()];
    let asked: Vec<Bits> = program
        .atoms
        .iter()
        .enumerate()
        .filter(|(index, atom)| program.deciding.atoms >> index & 1 == 1 && atom.fact == fact)
        .map(|(_, atom)| atom.any_of)
        .collect();
    let mut kinds: Vec<(Vec<bool>, Bits)> = Vec::new();
    for bit in each_bit(spec.all()) {
        let kind: Vec<bool> = asked.iter().map(|any_of| any_of & bit != 0).collect();
        if bit == spec.none_bit() || !kinds.iter().any(|(known, _)| *known == kind) {
            kinds.push((kind, bit));
        }
    }
    let unions = (1..1_usize << kinds.len()).map(|set| {
        let chosen = kinds.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1);
        chosen.fold(0, |all, (_, (_, bit))| all | bit)
    });
    unions.filter(|value| spec.can_hold(*value)).collect()
}

#[test]
fn a_conditional_verdict_is_what_the_presumptions_decide() {
    each(|proof, at| {
        let judged = &proof.judged[at];
        let filled = proof.presume(at, proof.gaps[at]);
        match judged.verdict {
            Verdict::Conditional(class) => {
                proof.check(at, judged.conditions == judged.gaps, "conditions other than the gaps");
                let Some(filled) = filled else {
                    proof.fail(at, "a condition has no presumption");
                };
                let decided = proof.judged[filled].verdict == Verdict::Decided(class);
                proof.check(at, decided, "the presumptions decide otherwise");
            }
            verdict => {
                proof.check(at, judged.conditions == 0, "conditions of nothing");
                let open = verdict == Verdict::Undetermined;
                proof.check(at, !open || filled.is_none(), "undetermined though all gaps are presumed");
            }
        }
    });
}

#[test]
fn facts_in_conflict_are_never_presumed_and_leave_the_subject_undetermined() {
    for proof in PROOFS.iter() {
        let check = |decider: &mut Decider<'_>, at: usize, places: &[usize]| {
            let (mut facts, mut conflict) = (proof.space.facts(at), 0);
            for place in places {
                facts.conflict(proof.space.facts[*place]);
                conflict |= proof.space.facts[*place].bit();
            }
            let judged = decider.judge(&facts);
            let expected = Judgement {
                verdict: Verdict::Undetermined,
                possible: proof.possible[at],
                gaps: proof.gaps[at] | conflict,
                conditions: 0,
                findings: judged.findings.clone(),
                unlocks: Vec::new(),
            };
            if *judged != expected {
                proof.fail(at, &format!("conflict {conflict:b}: {judged:?}"));
            }
        };
        for place in 0..proof.space.facts.len() {
            let mut decider = Decider::new(proof.program());
            for at in 0..proof.space.size {
                if proof.space.is_unknown(at, place) {
                    check(&mut decider, at, &[place]);
                }
            }
        }
        let mut decider = Decider::new(proof.program());
        for at in 0..proof.space.size {
            let unknown: Vec<usize> = proof.space.unknown(at).collect();
            if unknown.len() > 1 {
                check(&mut decider, at, &unknown);
            }
        }
    }
}

/// Judges a combination some of whose known facts are inferred, against the tables.
fn doubt(proof: &Proof, decider: &mut Decider<'_>, at: usize, inferred: &[usize]) {
    let mut facts = proof.space.facts(at);
    let (mut forgotten, mut bits) = (proof.effective(at), 0);
    for place in inferred {
        let fact = proof.space.facts[*place];
        facts.set(fact, proof.space.value(at, *place), Grade::Inferred);
        forgotten = proof.space.forget(forgotten, *place);
        bits |= fact.bit();
    }
    let plain = &proof.judged[at];
    let mut expected = Judgement::clone(plain);
    if let Some(class) = plain.verdict.class() {
        // The class is open without the inferences exactly if one of them is doubtful.
        let doubtful = proof.gaps[forgotten] & bits;
        let open = proof.possible[forgotten] != 1 << class;
        proof.check(at, (doubtful != 0) == open, "a doubt that doubts nothing");
        if open {
            expected.verdict = Verdict::Conditional(class);
            expected.possible |= proof.possible[forgotten];
            expected.conditions |= doubtful;
        }
    }
    let judged = decider.judge(&facts);
    if *judged != expected {
        proof.fail(at, &format!("inferred {bits:b}: {judged:?}, expected {expected:?}"));
    }
}

#[test]
fn an_inferred_fact_without_which_the_class_is_open_is_a_condition() {
    for proof in PROOFS.iter() {
        for place in 0..proof.space.facts.len() {
            let mut decider = Decider::new(proof.program());
            for at in 0..proof.space.size {
                // Without a class there is nothing to doubt; the test below judges those too.
                let class = proof.judged[at].verdict.class();
                if class.is_some() && !proof.space.is_unknown(at, place) {
                    doubt(proof, &mut decider, at, &[place]);
                }
            }
        }
    }
}

#[test]
fn several_inferred_facts_are_doubted_together() {
    for proof in PROOFS.iter() {
        let mut decider = Decider::new(proof.program());
        for at in 0..proof.space.size {
            let known: Vec<usize> = proof.space.known(at).collect();
            doubt(proof, &mut decider, at, &known);
        }
    }
}

/// Shows in review when the condition of a class card means something else than before: on how many
/// combinations without unknown facts it fires, and a digest of its truth table. The table speaks
/// of the card's own facts only, so that it does not move when other cards do.
#[test]
fn class_cards_fire_where_they_fired() {
    let mut lines = String::new();
    for proof in PROOFS.iter() {
        let full = proof.space.full().count();
        writeln!(lines, "{}: {full} of {}", proof.name, proof.space.size).unwrap();
        for (rule, turns) in proof.program().rules.iter().zip(&proof.turns) {
            let Role::Class(class) = rule.role else {
                continue;
            };
            let fires = proof.space.full().filter(|at| turns[*at] == HOLDS).count();
            writeln!(
                lines,
                "{:>24} {:<24} {fires:>6} {}",
                proof.book.class_name(class),
                proof.book.card(rule.card).id,
                truth(proof.program(), rule),
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(lines, @r"
    cmk/alibaba-2023: 6144 of 229635
                     blocked external-material           512 023f22c3b4e4
                     blocked forbidden-operation         512 2ae0e6c04fb3
                not-required in-dedicated-instance       512 7cbc773bf997
                     blocked not-in-a-vpc                256 4291c8a6e776
                  migratable nothing-in-the-way           32 4f8218d31843
                     blocked outside-alibaba-cloud       256 49670043487f
                not-required resource-application       1024 714f61377e76
                     blocked resource-certificate       1024 04f80c0792e7
                not-required resource-dedicated-kms     1024 4ce4b14d4ce8
                     blocked resource-private-ca        1024 3a2a5f84096e
                     blocked resource-secret            1024 04163e4a1d07
     needs-rotation-disabled rotation-on                  32 b0ca9475bb86
                 service-key service-managed             256 4871ac9b5096
                     blocked several-versions            512 97a918f2af66
                     blocked unsupported-language        256 13105e697030
    ");
}

/// A digest of a card's truth table: which values each of its facts tells apart, and where it fires.
fn truth(program: &Program, rule: &Rule) -> String {
    let alone =
        Program::new(program.facts.clone(), program.atoms.clone(), vec![rule.clone()], program.classes, program.good);
    let alone = alone.unwrap();
    let mut hash = Sha256::new();
    for fact in members(alone.deciding.facts) {
        let spec = &alone.facts[fact.index()];
        for bit in each_bit(spec.all()) {
            let kind = alone.representative(fact, bit);
            hash.update(format!("{} {} {}\n", spec.name, spec.show(bit), spec.show(kind)));
        }
    }
    let space = Space::new(&alone, &alone.deciding, alone.deciding.facts);
    let turns = space.turns(&rule.when);
    for at in space.full().filter(|at| turns[*at] == HOLDS) {
        hash.update(format!("{}\n", space.show(at)));
    }
    let digest = hash.finalize();
    digest[..6].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
