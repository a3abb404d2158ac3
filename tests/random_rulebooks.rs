//! Random rulebooks and random subjects: the engine against a plain enumeration.
//!
//! The reference knows nothing of representatives, of splitting or of memory. It completes every
//! unknown fact with every value that the fact can hold, looks at all completions, and reads each
//! answer off the definitions in `DESIGN.md`. Deliberately wrong references show that a difference
//! would be seen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

use std::borrow::Cow::Owned;
use std::fmt::Write as _;

use cmkdiag::engine::decide::Decider;
use cmkdiag::engine::facts::{
    Arity, Bits, FactId, FactSet, FactSpec, Facts, Grade, Presumption, Settle, StandsFor, Text, members,
};
use cmkdiag::engine::judge::{
    Atom, ClassId, ClassSet, Condition, Effect, Program, ProgramError, Role, Rule, Standing, Term, Values, values_of,
};
use cmkdiag::engine::outcome::{Fired, Judgement, Remarks, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

// ------------------------------------------------------------------------------------ the reference

/// A way in which the reference can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// The last class that has a firing card wins.
    LastClassWins,
    /// Cards that may fire count as findings.
    FindsWhatMayFire,
    /// Every unknown fact is a gap where the class is open.
    EveryUnknownIsAGap,
    /// A conflict may be presumed away.
    PresumesConflicts,
    /// Inferences are as good as statements.
    BelievesInferences,
    /// A set holds one member at most.
    SetsAreSingle,
    /// Every set of actions that works is an unlock.
    UnlocksNeedNotBeMinimal,
    /// Only single actions are tried.
    UnlocksAreSingle,
}

const EVERY_WRONG: [Wrong; 8] = [
    Wrong::LastClassWins,
    Wrong::FindsWhatMayFire,
    Wrong::EveryUnknownIsAGap,
    Wrong::PresumesConflicts,
    Wrong::BelievesInferences,
    Wrong::SetsAreSingle,
    Wrong::UnlocksNeedNotBeMinimal,
    Wrong::UnlocksAreSingle,
];

/// Judges by enumeration. Combinations without unknown facts are numbered, and for each of them it
/// is written down which rules fire and which class that gives.
struct Reference<'p> {
    program: &'p Program,
    wrong: Option<Wrong>,
    values: Vec<Vec<Bits>>,
    strides: Vec<usize>,
    fires: Vec<u32>,
    class: Vec<ClassId>,
}

/// Everything that a fact can hold.
fn holdable(spec: &FactSpec, wrong: Option<Wrong>) -> Vec<Bits> {
    let all = 1..1_u32 << spec.values.len();
    let none = match spec.arity {
        Arity::Set { none: Some(name) } => spec.values.iter().position(|value| *value == name),
        _ => None,
    };
    let none = none.map_or(0, |index| 1 << index);
    let single = spec.arity == Arity::One || wrong == Some(Wrong::SetsAreSingle);
    all.filter(|value| value.count_ones() == 1 || (!single && value & none == 0)).collect()
}

impl<'p> Reference<'p> {
    fn new(program: &'p Program, wrong: Option<Wrong>) -> Reference<'p> {
        let values: Vec<Vec<Bits>> = program.facts.iter().map(|spec| holdable(spec, wrong)).collect();
        let (mut strides, mut size) = (Vec::new(), 1);
        for held in &values {
            strides.push(size);
            size *= held.len();
        }
        let mut reference = Reference { program, wrong, values, strides, fires: Vec::new(), class: Vec::new() };
        for at in 0..size {
            let held = |fact: usize| reference.values[fact][reference.digit(at, fact)];
            let mut fires = 0;
            for (index, rule) in program.rules.iter().enumerate() {
                let atom = |atom: &usize| {
                    let atom = program.atoms[*atom];
                    held(atom.fact.index()) & atom.any_of != 0
                };
                let named = |set: u128| (0..program.atoms.len()).filter(move |a| set >> a & 1 == 1);
                let term = |term: &Term| named(term.all).all(|a| atom(&a)) && !named(term.none).any(|a| atom(&a));
                if rule.when.0.iter().any(term) {
                    fires |= 1 << index;
                }
            }
            let classes = program.rules.iter().enumerate().filter_map(|(index, rule)| match rule.role {
                Role::Class(class) if fires >> index & 1 == 1 => Some(class),
                _ => None,
            });
            let class = match wrong {
                Some(Wrong::LastClassWins) => classes.max(),
                _ => classes.min(),
            };
            reference.fires.push(fires);
            reference.class.push(class.unwrap_or(program.classes));
        }
        reference
    }

    fn digit(&self, at: usize, fact: usize) -> usize {
        at / self.strides[fact] % self.values[fact].len()
    }

    /// All completions of what is unknown.
    fn completions(&self, values: &Values) -> Vec<usize> {
        let mut completions = vec![0];
        for (fact, held) in self.values.iter().enumerate() {
            let fits = |digit: &usize| values[fact] == 0 || held[*digit] == values[fact];
            let digits: Vec<usize> = (0..held.len()).filter(fits).collect();
            completions = completions
                .iter()
                .flat_map(|at| digits.iter().map(move |digit| (*at, *digit)))
                .map(|(at, digit)| at + digit * self.strides[fact])
                .collect();
        }
        completions
    }

    fn possible(&self, values: &Values) -> ClassSet {
        let completions = self.completions(values);
        completions.iter().fold(0, |classes, at| classes | 1 << self.class[*at])
    }

    /// The unknown facts in which two completions differ alone, and differ in class.
    fn gaps(&self, values: &Values) -> FactSet {
        let mut gaps = 0;
        let unknown = |fact: &usize| values[*fact] == 0;
        for fact in (0..self.values.len()).filter(unknown) {
            for at in self.completions(values) {
                let first = at - self.digit(at, fact) * self.strides[fact];
                if self.class[first] != self.class[at] {
                    gaps |= 1 << fact;
                }
            }
        }
        gaps
    }

    /// Which rules fire in all completions, and which in some.
    fn firing(&self, values: &Values) -> (u32, u32) {
        let completions = self.completions(values);
        let fold = |(all, some), at: &usize| (all & self.fires[*at], some | self.fires[*at]);
        completions.iter().fold((u32::MAX, 0), fold)
    }

    /// The facts that a class or action card asks about.
    fn asked(&self) -> FactSet {
        let mut asked = 0;
        for rule in &self.program.rules {
            let mut atoms = match rule.role {
                Role::Note | Role::Advice => continue,
                _ => rule.when.0.iter().fold(0, |set, term| set | term.all | term.none),
            };
            if let Role::Action(effects) = &rule.role {
                atoms = effects.iter().fold(atoms, |set, effect| set | 1 << effect.removes);
            }
            for (index, atom) in self.program.atoms.iter().enumerate() {
                if atoms >> index & 1 == 1 {
                    asked |= 1 << atom.fact.index();
                }
            }
        }
        asked
    }

    /// The verdict with what it rests on, and the values that it speaks of.
    fn weigh(&self, values: &Values, conflict: FactSet, inferred: FactSet) -> (Judgement, Values) {
        let possible = self.possible(values);
        let mut judgement = Judgement {
            verdict: Verdict::Undetermined,
            possible,
            gaps: self.gaps(values) | conflict,
            conditions: 0,
            findings: Vec::new(),
            unlocks: Vec::new(),
        };
        let mut effective = *values;
        let single = |possible: ClassSet| match possible.trailing_zeros() as u8 {
            class if possible.count_ones() == 1 && class < self.program.classes => Some(class),
            _ => None,
        };
        if self.wrong == Some(Wrong::EveryUnknownIsAGap) && possible.count_ones() > 1 {
            let unknown = |fact: &FactId| values[fact.index()] == 0;
            judgement.gaps |= members(self.asked()).filter(unknown).fold(0, |g, f| g | f.bit());
        }
        if possible.count_ones() == 1 && conflict == 0 {
            judgement.verdict = single(possible).map_or(Verdict::Uncovered, Verdict::Decided);
        } else if conflict == 0 || self.wrong == Some(Wrong::PresumesConflicts) {
            let presumed = |fact: FactId| {
                let spec = &self.program.facts[fact.index()];
                let name = spec.presumption.as_ref()?.value;
                spec.values.iter().position(|value| *value == name)
            };
            if members(judgement.gaps).all(|fact| presumed(fact).is_some()) {
                let mut filled = *values;
                for fact in members(judgement.gaps) {
                    filled[fact.index()] = 1 << presumed(fact).unwrap();
                }
                if let Some(class) = single(self.possible(&filled)) {
                    judgement.verdict = Verdict::Conditional(class);
                    judgement.conditions = judgement.gaps;
                    effective = filled;
                }
            }
        }
        if let Some(class) = judgement.verdict.class()
            && self.wrong != Some(Wrong::BelievesInferences)
        {
            let mut forgotten = effective;
            for fact in members(inferred) {
                forgotten[fact.index()] = 0;
            }
            let doubtful = self.gaps(&forgotten) & inferred;
            if doubtful != 0 {
                judgement.verdict = Verdict::Conditional(class);
                judgement.possible |= self.possible(&forgotten);
                judgement.conditions |= doubtful;
            }
        }
        (judgement, effective)
    }

    fn judge(&self, facts: &Facts) -> Judgement {
        let values = values_of(facts);
        let conflict = facts.graded(Grade::Conflict) & self.asked();
        let inferred = facts.graded(Grade::Inferred) & self.asked();
        let (mut judgement, effective) = self.weigh(&values, conflict, inferred);
        let class = judgement.verdict.class();
        let (all, some) = self.firing(&effective);
        let fires = match self.wrong {
            Some(Wrong::FindsWhatMayFire) => some,
            _ => all,
        };
        let mut findings = Vec::new();
        for (index, rule) in self.program.rules.iter().enumerate() {
            if let Role::Class(of) = rule.role
                && fires >> index & 1 == 1
                // That nothing is in the way is a finding only where it decides.
                && (of != self.program.good || Some(of) == class)
            {
                let decides = Some(of) == class;
                findings.push((!decides, of, Fired { card: rule.card, decides }));
            }
        }
        findings.sort_by_key(|(late, of, _)| (*late, *of));
        judgement.findings = findings.into_iter().map(|(_, _, fired)| fired).collect();
        if class.is_none_or(|class| class < self.program.good) {
            judgement.unlocks = self.unlocks(&values, conflict, inferred);
        }
        judgement
    }

    fn unlocks(&self, values: &Values, conflict: FactSet, inferred: FactSet) -> Vec<Vec<u16>> {
        let (fires, _) = self.firing(values);
        let mut actions: Vec<&Rule> = Vec::new();
        for (index, rule) in self.program.rules.iter().enumerate() {
            if matches!(rule.role, Role::Action(_)) && fires >> index & 1 == 1 {
                actions.push(rule);
            }
        }
        let chosen = |set: u32| actions.iter().enumerate().filter(move |(index, _)| set >> index & 1 == 1);
        let works = |set: &u32| {
            let mut changed = *values;
            for (_, rule) in chosen(*set) {
                self.act(rule, &mut changed);
            }
            let (judgement, _) = self.weigh(&changed, conflict, inferred);
            judgement.verdict.class().is_some_and(|class| class >= self.program.good)
        };
        let working: Vec<u32> = (1..1 << actions.len()).filter(works).collect();
        let wanted = |set: &&u32| match self.wrong {
            Some(Wrong::UnlocksNeedNotBeMinimal) => true,
            Some(Wrong::UnlocksAreSingle) => set.count_ones() == 1,
            _ => !working.iter().any(|other| other != *set && other & *set == *other),
        };
        let mut kept: Vec<u32> = working.iter().filter(wanted).copied().collect();
        kept.sort_by_key(|set| (set.count_ones(), *set));
        let cards = |set: u32| chosen(set).map(|(_, rule)| rule.card).collect();
        kept.into_iter().map(cards).collect()
    }

    /// The values of an atom leave its fact; if none is left, it gets another.
    fn act(&self, rule: &Rule, values: &mut Values) {
        let Role::Action(effects) = &rule.role else {
            return;
        };
        for effect in effects {
            let atom = self.program.atoms[usize::from(effect.removes)];
            let held = &mut values[atom.fact.index()];
            if *held & atom.any_of != 0 {
                *held = match *held & !atom.any_of {
                    0 => effect.leaves,
                    kept => kept,
                };
            }
        }
    }

    fn remarks(&self, facts: &Facts) -> Remarks {
        let (all, some) = self.firing(&values_of(facts));
        let mut remarks = Remarks::default();
        for (index, rule) in self.program.rules.iter().enumerate() {
            if rule.role == Role::Note {
                if all >> index & 1 == 1 {
                    remarks.fire.push(rule.card);
                } else if some >> index & 1 == 1 {
                    remarks.open.push(rule.card);
                }
            }
        }
        remarks
    }
}

// ---------------------------------------------------------------------------------- random rulebooks

const VALUES: [&str; 4] = ["a", "b", "c", "d"];

/// A rulebook and some subjects.
#[derive(Clone)]
struct Case {
    program: Program,
    subjects: Vec<Facts>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f)?;
        for (index, fact) in self.program.facts.iter().enumerate() {
            let presumed = fact.presumption.as_ref().map(|presumption| presumption.value);
            let (values, arity) = (&fact.values, &fact.arity);
            writeln!(f, "fact {index}: {values:?} {arity:?} presumed {presumed:?}")?;
        }
        for (index, atom) in self.program.atoms.iter().enumerate() {
            writeln!(f, "atom {index}: fact {} any of {:b}", atom.fact.0, atom.any_of)?;
        }
        for rule in &self.program.rules {
            let mut terms = String::new();
            for term in &rule.when.0 {
                write!(terms, " (all {:b} none {:b})", term.all, term.none)?;
            }
            writeln!(f, "card {}: {:?} when{terms}", rule.card, rule.role)?;
        }
        writeln!(f, "{} classes, good {}", self.program.classes, self.program.good)?;
        for facts in &self.subjects {
            let held = (0..self.program.facts.len() as u8).map(FactId);
            let held: Vec<String> =
                held.map(|fact| format!("{:b} {}", facts.get(fact), facts.grade(fact).name())).collect();
            writeln!(f, "subject: {}", held.join(", "))?;
        }
        Ok(())
    }
}

fn fact() -> impl Strategy<Value = FactSpec> {
    let presumed = prop::option::weighted(0.6, (0..4_usize, any::<bool>()));
    (0..3_u8, 2..=4_usize, 0..4_usize, presumed).prop_map(|(kind, size, none, presumed)| {
        let values: Vec<&'static str> = VALUES[..size].to_vec();
        let arity = match kind {
            0 => Arity::One,
            1 => Arity::Set { none: None },
            _ => Arity::Set { none: Some(VALUES[none % size]) },
        };
        let presumption = presumed.map(|(value, itself)| Presumption {
            value: VALUES[value % size],
            stands_for: match itself {
                true => StandsFor::Itself,
                false => StandsFor::NothingInTheWay,
            },
            confirm: Text::default(),
        });
        FactSpec {
            name: Owned(String::new()),
            label: Text::default(),
            values: Owned(values),
            arity,
            presumption,
            settle: Settle::default(),
        }
    })
}

fn condition(most: usize) -> impl Strategy<Value = Vec<(Vec<usize>, Vec<usize>)>> {
    vec((vec(0..8_usize, 0..=2), vec(0..8_usize, 0..=1)), 1..=most)
}

fn case() -> impl Strategy<Value = Case> {
    let facts = vec(fact(), 2..=5);
    let atoms = vec((0..5_usize, 1..16_u32), 3..=8);
    let classes = (2..=4_u8, 0..4_u8);
    let class_cards = vec((0..4_u8, condition(2)), 2..=7);
    let effects = vec((0..8_usize, 0..4_usize), 1..=2);
    let action_cards = vec((any::<bool>(), condition(2), effects), 0..=4);
    let notes = vec((any::<bool>(), condition(3)), 0..=2);
    let subjects = vec(vec((0..24_usize, 0..9_u8), 5), 1..=6);
    let cards = (class_cards, action_cards, notes);
    (facts, atoms, classes, cards, subjects).prop_map(
        |(facts, atoms, (classes, good), (class_cards, action_cards, notes), subjects)| {
            let atoms: Vec<Atom> = atoms
                .into_iter()
                .map(|(fact, any_of)| {
                    let fact = fact % facts.len();
                    let any_of = any_of & facts[fact].all();
                    Atom { fact: FactId(fact as u8), any_of: any_of.max(1) }
                })
                .collect();
            let set = |named: &[usize]| named.iter().fold(0, |set, atom| set | 1 << (atom % atoms.len()));
            let when = |alternatives: &[(Vec<usize>, Vec<usize>)]| {
                let term = |(all, none): &(Vec<usize>, Vec<usize>)| Term { all: set(all), none: set(none) };
                Condition(alternatives.iter().map(term).collect())
            };
            let mut rules: Vec<(Role, Condition)> = Vec::new();
            for (class, condition) in &class_cards {
                rules.push((Role::Class(class % classes), when(condition)));
            }
            for (natural, condition, effects_drawn) in &action_cards {
                let effect = |(removes, leaves): &(usize, usize)| {
                    let removes = removes % atoms.len();
                    let spec = &facts[atoms[removes].fact.index()];
                    Effect { removes: removes as u8, leaves: 1 << (leaves % spec.values.len()) }
                };
                let effects = effects_drawn.iter().map(effect).collect();
                // Most real actions may be carried out where there is something to remove.
                let condition = match natural {
                    true => when(&[(vec![effects_drawn[0].0], Vec::new())]),
                    false => when(condition),
                };
                rules.push((Role::Action(effects), condition));
            }
            for (advice, condition) in &notes {
                let role = if *advice { Role::Advice } else { Role::Note };
                rules.push((role, when(condition)));
            }
            let rules: Vec<Rule> = rules
                .into_iter()
                .enumerate()
                .map(|(card, (role, when))| Rule { card: card as u16, role, when })
                .collect();
            let subjects = subjects.iter().map(|drawn| subject(&facts, drawn)).collect();
            // An action that is not clear is refused; the rest of the rulebook then stands without actions.
            let calm = rules.iter().filter(|rule| !matches!(rule.role, Role::Action(_))).cloned().collect();
            let program = Program::new(facts.clone(), atoms.clone(), rules, classes, good % classes);
            let program = program.or_else(|_| Program::new(facts, atoms, calm, classes, good % classes));
            Case { program: program.expect("few kinds of members"), subjects }
        },
    )
}

/// Facts from numbers: which of the holdable values, and how it is known.
fn subject(specs: &[FactSpec], drawn: &[(usize, u8)]) -> Facts {
    let mut facts = Facts::unknown();
    for (index, (spec, (value, grade))) in specs.iter().zip(drawn).enumerate() {
        let fact = FactId(index as u8);
        let holdable = holdable(spec, None);
        let value = holdable[value % holdable.len()];
        match grade {
            0 => facts.set(fact, value, Grade::Stated),
            1 => facts.set(fact, value, Grade::Measured),
            2 => facts.set(fact, value, Grade::Assumed),
            3 | 4 => facts.set(fact, value, Grade::Inferred),
            5 => facts.conflict(fact),
            _ => {}
        }
    }
    facts
}

fn compare(case: &Case, wrong: Option<Wrong>) -> Result<(), TestCaseError> {
    let reference = Reference::new(&case.program, wrong);
    let mut decider = Decider::new(&case.program);
    for facts in &case.subjects {
        let (judged, expected) = (Judgement::clone(&decider.judge(facts)), reference.judge(facts));
        prop_assert_eq!(&judged, &expected, "engine left, reference right");
        prop_assert_eq!(decider.remarks(facts), reference.remarks(facts));
        let (all, some) = reference.firing(&values_of(facts));
        for (index, rule) in case.program.rules.iter().enumerate() {
            let expected = match (all >> index & 1, some >> index & 1) {
                (1, _) => Standing::Fires,
                (_, 0) => Standing::Silent,
                _ => Standing::Undetermined,
            };
            prop_assert_eq!(case.program.standing(&rule.when, &values_of(facts)), expected, "card {}", rule.card);
        }
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn the_engine_says_what_plain_enumeration_says(case in case()) {
        compare(&case, None)?;
    }
}

#[test]
fn a_wrong_reference_is_caught() {
    for wrong in EVERY_WRONG {
        let mut runner = TestRunner::new(ProptestConfig { max_shrink_iters: 0, ..config(20_000) });
        let caught = runner.run(&case(), |case| compare(&case, Some(wrong)));
        assert!(matches!(caught, Err(TestError::Fail(..))), "nothing differs from a reference with {wrong:?}");
    }
}

// -------------------------------------------------------------------------------------- known defects

/// One fact, classes "blocked" (0) and "good" (1).
fn small(fact: FactSpec, any_of: &[Bits], rules: Vec<(Role, Vec<Term>)>, held: Bits) -> Case {
    let atom = |any_of: &Bits| Atom { fact: FactId(0), any_of: *any_of };
    let rules = rules.into_iter().enumerate();
    let rules = rules.map(|(card, (role, terms))| Rule { card: card as u16, role, when: Condition(terms) }).collect();
    let program = Program::new(vec![fact], any_of.iter().map(atom).collect(), rules, 2, 1).unwrap();
    Case { program, subjects: vec![Facts::unknown().with(FactId(0), held, Grade::Stated)] }
}

fn spec(size: usize, arity: Arity, presumed: Option<&'static str>) -> FactSpec {
    let (name, label, settle) = (Owned("x".to_owned()), Text::default(), Settle::default());
    let presume = |value| Presumption { value, stands_for: StandsFor::NothingInTheWay, confirm: Text::default() };
    FactSpec { name, label, values: Owned(VALUES[..size].to_vec()), arity, presumption: presumed.map(presume), settle }
}

fn agree(case: &Case) {
    let reference = Reference::new(&case.program, None);
    let judged = Decider::new(&case.program).judge(&case.subjects[0]);
    assert_eq!(*judged, reference.judge(&case.subjects[0]), "engine left, reference right: {case:?}");
}

#[test]
fn presumptions_under_which_no_card_speaks_decide_nothing() {
    let blocked = (Role::Class(0), vec![Term { all: 0b1, none: 0 }]);
    agree(&small(spec(2, Arity::One, Some("b")), &[0b01], vec![blocked], 0));
}

/// What an action would leave must not depend on values that the cards cannot tell apart.
fn is_refused(size: usize, any_of: &[Bits], leaves: Bits) -> bool {
    let fact = spec(size, Arity::Set { none: None }, None);
    let atoms = any_of.iter().map(|any_of| Atom { fact: FactId(0), any_of: *any_of }).collect();
    let rule = |card, role, all, none| Rule { card, role, when: Condition(vec![Term { all, none }]) };
    let rules = vec![
        rule(0, Role::Class(0), 0b01, 0),
        rule(1, Role::Class(0), 0b10, 0),
        rule(2, Role::Class(1), 0, 0b11),
        rule(3, Role::Action(vec![Effect { removes: 0, leaves }]), 0b01, 0),
    ];
    matches!(Program::new(vec![fact], atoms, rules, 2, 1), Err(ProgramError::UnclearAction { card: 3, .. }))
}

#[test]
fn an_action_that_may_promise_too_much_is_refused() {
    // b is bad for one reason and c for another, a for both: the set of b and c looks like a.
    assert!(is_refused(4, &[0b0011, 0b0101], 0b1000));
    assert!(!is_refused(4, &[0b0011, 0b0100], 0b1000));
}

#[test]
fn an_action_that_may_promise_too_little_is_refused() {
    // Without a, b is left, which is good; c, which would be left instead, is not.
    assert!(is_refused(3, &[0b001, 0b100], 0b100));
    assert!(!is_refused(3, &[0b001, 0b100], 0b010));
}
