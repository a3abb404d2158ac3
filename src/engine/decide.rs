//! The verdict that holds however the unknown facts turn out.
//!
//! Every unknown fact is completed with each value that the deciding cards can tell apart; each
//! completion gets the first class, in the order of precedence, that has a firing card. Completions
//! are not enumerated: a state splits on one unknown fact at a time and only while a card ahead of
//! the first certain class is undetermined. What was decided once is remembered.

use std::collections::HashMap;
use std::sync::Arc;

use super::facts::{Bits, FactId, FactSet, Facts, Grade, members};
use super::judge::{ClassId, ClassSet, Program, Role, Rule, Standing, Values, values_of};
use super::outcome::{Fired, Judgement, Remarks, Verdict};

/// Memory bound: past so many remembered states the oldest knowledge is dropped at once.
const MAX_REMEMBERED: usize = 1 << 20;

/// More applicable actions than this are not combined exhaustively; none of our rulebooks has as many.
const MAX_ACTIONS: usize = 12;

/// What decides a verdict: the reduced values, and which facts are in conflict or inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    values: Values,
    conflict: FactSet,
    inferred: FactSet,
}

/// Judges combinations of facts by one program, and remembers.
#[derive(Debug)]
pub struct Decider<'p> {
    program: &'p Program,
    possible: HashMap<Values, ClassSet, foldhash::fast::FixedState>,
    varies: HashMap<(Values, FactId), bool, foldhash::fast::FixedState>,
    judged: HashMap<State, Arc<Judgement>, foldhash::fast::FixedState>,
}

/// A verdict with what it rests on.
struct Weighed {
    verdict: Verdict,
    possible: ClassSet,
    gaps: FactSet,
    conditions: FactSet,
    /// The values that the verdict speaks of: presumptions filled in if it is conditional.
    effective: Values,
}

impl<'p> Decider<'p> {
    /// A judge that has seen nothing yet.
    pub fn new(program: &'p Program) -> Decider<'p> {
        Decider { program, possible: HashMap::default(), varies: HashMap::default(), judged: HashMap::default() }
    }

    /// All that the class and action cards say of these facts.
    pub fn judge(&mut self, facts: &Facts) -> Arc<Judgement> {
        let relevant = self.program.deciding.facts;
        let state = State {
            values: self.program.reduce(facts),
            conflict: facts.graded(Grade::Conflict) & (relevant | self.program.integrity),
            inferred: facts.graded(Grade::Inferred) & relevant,
        };
        if let Some(known) = self.judged.get(&state) {
            return Arc::clone(known);
        }
        let judgement = Arc::new(self.judge_state(&state));
        if self.judged.len() >= MAX_REMEMBERED {
            self.judged.clear();
        }
        self.judged.insert(state, Arc::clone(&judgement));
        judgement
    }

    /// The noting cards that fire on these facts, or may.
    pub fn remarks(&self, facts: &Facts) -> Remarks {
        let values = values_of(facts);
        let known = self.program.knowledge(&values);
        let mut remarks = Remarks::default();
        for rule in self.program.rules.iter().filter(|rule| rule.role == Role::Note) {
            match self.program.standing_with(&rule.when, &values, known) {
                Standing::Fires => remarks.fire.push(rule.card),
                Standing::Undetermined => remarks.open.push(rule.card),
                Standing::Silent => {}
            }
        }
        remarks
    }

    fn judge_state(&mut self, state: &State) -> Judgement {
        let weighed = self.weigh(state);
        let class = weighed.verdict.class();
        Judgement {
            verdict: weighed.verdict,
            possible: weighed.possible,
            gaps: weighed.gaps,
            conditions: weighed.conditions,
            findings: self.findings(class, &weighed.effective),
            unlocks: match class {
                Some(class) if class >= self.program.good => Vec::new(),
                _ => self.unlocks(state),
            },
        }
    }

    fn weigh(&mut self, state: &State) -> Weighed {
        let possible = self.possible(&state.values);
        let open = possible.count_ones() > 1 || state.conflict != 0;
        let mut weighed =
            Weighed { verdict: Verdict::Undetermined, possible, gaps: 0, conditions: 0, effective: state.values };
        if open {
            weighed.gaps = self.gaps(&state.values) | state.conflict;
            self.presume(state, &mut weighed);
        } else {
            weighed.verdict = self.verdict_of(possible, Verdict::Decided);
        }
        if weighed.verdict.class().is_some() && state.inferred != 0 {
            self.doubt_inferences(state, &mut weighed);
        }
        weighed
    }

    fn verdict_of(&self, single: ClassSet, verdict: fn(ClassId) -> Verdict) -> Verdict {
        match single.trailing_zeros() as u8 {
            class if class < self.program.classes => verdict(class),
            _ => Verdict::Uncovered,
        }
    }

    /// Fills the gaps with what is presumed, if every gap may be presumed.
    fn presume(&mut self, state: &State, weighed: &mut Weighed) {
        let mut values = state.values;
        for fact in members(weighed.gaps) {
            let presumed = self.program.facts[fact.index()].presumed();
            if presumed == 0 || state.conflict & fact.bit() != 0 {
                return;
            }
            values[fact.index()] = self.program.representative(fact, presumed);
        }
        let possible = self.possible(&values);
        let verdict = self.verdict_of(possible, Verdict::Conditional);
        if possible.count_ones() == 1 && verdict.class().is_some() {
            weighed.verdict = verdict;
            weighed.effective = values;
            weighed.conditions = weighed.gaps;
        }
    }

    /// Makes a condition of every inferred fact without which the verdict would not stand.
    fn doubt_inferences(&mut self, state: &State, weighed: &mut Weighed) {
        let mut values = weighed.effective;
        for fact in members(state.inferred) {
            values[fact.index()] = 0;
        }
        let doubtful = self.gaps(&values) & state.inferred;
        if doubtful != 0 {
            weighed.possible |= self.possible(&values);
            weighed.conditions |= doubtful;
            if let Some(class) = weighed.verdict.class() {
                weighed.verdict = Verdict::Conditional(class);
            }
        }
    }

    /// The classes that occur over all completions of the unknown facts.
    pub fn possible(&mut self, values: &Values) -> ClassSet {
        if let Some(known) = self.possible.get(values) {
            return *known;
        }
        let classes = match self.splitting_fact(values) {
            Err(class) => 1 << class,
            Ok(fact) => {
                let mut classes = 0;
                for completed in self.completions(values, fact) {
                    classes |= self.possible(&completed);
                }
                classes
            }
        };
        if self.possible.len() >= MAX_REMEMBERED {
            self.possible.clear();
        }
        self.possible.insert(*values, classes);
        classes
    }

    /// The class of these values if it is certain (the number of classes if no card fires), or an
    /// unknown fact on which it may depend.
    fn splitting_fact(&self, values: &Values) -> Result<FactId, ClassId> {
        let known = self.program.knowledge(values);
        let mut certain = self.program.classes;
        let mut undetermined: Option<(ClassId, &Rule)> = None;
        for rule in &self.program.rules {
            let Role::Class(class) = rule.role else {
                continue;
            };
            match rule.when.quick_standing(known) {
                Standing::Fires => certain = certain.min(class),
                Standing::Undetermined if undetermined.is_none_or(|(ahead, _)| class < ahead) => {
                    undetermined = Some((class, rule));
                }
                _ => {}
            }
        }
        let ahead = undetermined.filter(|(class, _)| *class < certain);
        ahead.and_then(|(_, rule)| self.program.unknown_fact(&rule.when, values)).ok_or(certain)
    }

    fn completions(&self, values: &Values, fact: FactId) -> impl Iterator<Item = Values> + use<'p> {
        let values = *values;
        let program = self.program;
        program.deciding.representatives[fact.index()].iter().map(move |value: &Bits| {
            let mut completed = values;
            completed[fact.index()] = *value;
            completed
        })
    }

    /// The unknown facts on which the class depends for some completion of the others.
    fn gaps(&mut self, values: &Values) -> FactSet {
        let unknown = members(self.program.deciding.facts).filter(|fact| values[fact.index()] == 0);
        let mut gaps = 0;
        for fact in unknown {
            if self.varies(values, fact) {
                gaps |= fact.bit();
            }
        }
        gaps
    }

    fn varies(&mut self, values: &Values, fact: FactId) -> bool {
        if let Some(known) = self.varies.get(&(*values, fact)) {
            return *known;
        }
        let (mut union, mut open) = (0, None);
        for completed in self.completions(values, fact) {
            let possible = self.possible(&completed);
            union |= possible;
            if possible.count_ones() > 1 && open.is_none() {
                open = self.splitting_fact(&completed).ok();
            }
        }
        let varies = match open {
            _ if union.count_ones() < 2 => false,
            None => true,
            Some(other) => self.completions(values, other).any(|completed| self.varies(&completed, fact)),
        };
        if self.varies.len() >= MAX_REMEMBERED {
            self.varies.clear();
        }
        self.varies.insert((*values, fact), varies);
        varies
    }

    fn findings(&self, class: Option<ClassId>, values: &Values) -> Vec<Fired> {
        let mut findings = Vec::new();
        for rule in &self.program.rules {
            let Role::Class(of) = rule.role else { continue };
            if self.program.hushed == Some(of) && class != Some(of) {
                continue;
            }
            if self.program.standing(&rule.when, values) == Standing::Fires {
                findings.push((of, Fired { card: rule.card, decides: Some(of) == class }));
            }
        }
        findings.sort_by_key(|(of, fired)| (!fired.decides, *of));
        findings.into_iter().map(|(_, fired)| fired).collect()
    }

    /// The minimal sets of applicable actions after which the verdict is good enough.
    fn unlocks(&mut self, state: &State) -> Vec<Vec<u16>> {
        let program = self.program;
        let applicable: Vec<&Rule> = program.rules.iter().filter(|rule| self.applies(rule, &state.values)).collect();
        let count = applicable.len().min(MAX_ACTIONS);
        let mut choices: Vec<u32> = (1..1_u32 << count).collect();
        choices.sort_by_key(|choice| (choice.count_ones(), *choice));
        let mut found: Vec<u32> = Vec::new();
        for choice in choices {
            if found.iter().any(|smaller| smaller & choice == *smaller) {
                continue;
            }
            let mut changed = *state;
            for index in (0..count).filter(|index| choice & (1 << index) != 0) {
                self.apply(applicable[index], &mut changed.values);
            }
            if self.weigh(&changed).verdict.class().is_some_and(|class| class >= program.good) {
                found.push(choice);
            }
        }
        let cards = |choice: u32| (0..count).filter(move |index| choice & (1 << index) != 0);
        found.into_iter().map(|choice| cards(choice).map(|index| applicable[index].card).collect()).collect()
    }

    fn applies(&self, rule: &Rule, values: &Values) -> bool {
        matches!(rule.role, Role::Action(_)) && self.program.standing(&rule.when, values) == Standing::Fires
    }

    /// Carries out an action on known facts.
    pub fn apply(&self, rule: &Rule, values: &mut Values) {
        let Role::Action(effects) = &rule.role else {
            return;
        };
        for effect in effects {
            let fact = self.program.atoms[usize::from(effect.removes)].fact;
            let after = self.program.after(effect, values[fact.index()]);
            values[fact.index()] = self.program.representative(fact, after);
        }
    }
}
