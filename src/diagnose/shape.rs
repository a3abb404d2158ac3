//! One combination of facts judged: what every kind of subject has in common.

use std::sync::Arc;

use crate::engine::decide::Decider;
use crate::engine::facts::{Bits, FactId, FactSet, Facts, Grade, StandsFor, members};
use crate::engine::judge::{Knowledge, values_of};
use crate::engine::outcome::{Fired, Judgement, Remarks, Verdict};
use crate::rulebook::Rulebook;
use crate::rulebook::card::Kind;
use crate::rulebook::domain::Checklist;

/// What the person who runs the program decided.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Facts that are filled in where they are unknown.
    pub assume: Vec<(FactId, Bits)>,
    /// How conditional verdicts count.
    pub strictness: Strictness,
    /// Whether facts are inferred from others that suggest them.
    pub inference: Inference,
}

/// Whether facts are inferred from others that suggest them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inference {
    /// They are, and verdicts that rest on them are conditional.
    #[default]
    On,
    /// They are not.
    Off,
}

/// How conditional verdicts count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// They have their class, with conditions.
    #[default]
    Conditional,
    /// They are undetermined.
    Strict,
}

/// The outcome of one combination of facts.
#[derive(Debug, Clone)]
pub struct ShapeOutcome {
    /// The facts: observed, assumed and derived.
    pub facts: Facts,
    /// What the cards say.
    pub judgement: Arc<Judgement>,
    /// The class; nothing if undetermined.
    pub class: Option<u8>,
    /// Whether no condition is open.
    pub confirmed: bool,
    /// The facts that were assumed.
    pub assumed: FactSet,
    /// What is known of each atom, presumptions included, but for the facts that only advisories ask.
    pub(super) known: Knowledge,
    /// The document's scenarios that hold, then those that may.
    pub scenario: Scenario,
    /// Whether the rotation clock matters, as far as is known.
    pub clock: bool,
    /// The steps of the checklist, in order: the card, and whether it is certain that the step applies.
    pub steps: Vec<(u16, bool)>,
    /// The cards of the last class among the findings, which say nothing where nothing is decided.
    last: Vec<u16>,
}

/// Which of the document's scenarios a key is in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// The numbers of those that hold, joined by `+`.
    pub holds: String,
    /// The numbers of those that may hold, joined by `|`; empty if all are known.
    pub may_hold: String,
}

impl Scenario {
    /// `1`, `1+2` if both hold, `(1|2)` if one or both may, `2+(1)` if one holds and another may; nothing
    /// if none of them applies.
    pub fn show(&self) -> String {
        match (self.holds.is_empty(), self.may_hold.is_empty()) {
            (_, true) => self.holds.clone(),
            (true, false) => format!("({})", self.may_hold),
            (false, false) => format!("{}+({})", self.holds, self.may_hold),
        }
    }
}

/// How many keys there are of each class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Confirmed keys, by class.
    pub confirmed: Vec<u64>,
    /// Keys with open conditions, by class.
    pub conditional: Vec<u64>,
    /// Keys without a class.
    pub undetermined: u64,
}

impl Tally {
    /// No subjects yet, of so many classes.
    pub fn new(classes: usize) -> Tally {
        Tally { confirmed: vec![0; classes], conditional: vec![0; classes], undetermined: 0 }
    }

    /// Counts so many subjects with this outcome.
    pub fn add(&mut self, outcome: &ShapeOutcome, count: u64) {
        match outcome.class {
            None => self.undetermined += count,
            Some(class) if outcome.confirmed => self.confirmed[usize::from(class)] += count,
            Some(class) => self.conditional[usize::from(class)] += count,
        }
    }
}

/// Fills in what is assumed, where nothing is known and nothing follows from what is known, and then what follows; gives
/// the facts that were filled. What is assumed of facts that are left open on purpose is no more than inferred.
fn complete(rulebook: &Rulebook, settings: &Settings, observed: &Facts, unsettled: FactSet) -> (Facts, FactSet) {
    let mut without = *observed;
    derive(rulebook, settings, &mut without);
    let open: Vec<(FactId, Bits)> =
        settings.assume.iter().copied().filter(|(fact, _)| without.grade(*fact) == Grade::Unknown).collect();
    let mut facts = *observed;
    let mut assumed = fill(&mut facts, &open);
    derive(rulebook, settings, &mut facts);
    assumed |= fill(&mut facts, &open);
    members(assumed & unsettled).for_each(|fact| facts.set(fact, facts.get(fact), Grade::Inferred));
    (facts, assumed)
}

/// Sets what follows; what is only inferred stays unknown if nobody wants inferences.
fn derive(rulebook: &Rulebook, settings: &Settings, facts: &mut Facts) {
    (rulebook.domain.derive)(facts);
    if settings.inference == Inference::Off {
        members(facts.graded(Grade::Inferred)).for_each(|fact| facts.set(fact, 0, Grade::Unknown));
    }
}

fn fill(facts: &mut Facts, assume: &[(FactId, Bits)]) -> FactSet {
    let mut filled = 0;
    for (fact, values) in assume {
        if facts.grade(*fact) == Grade::Unknown {
            facts.set(*fact, *values, Grade::Assumed);
            filled |= fact.bit();
        }
    }
    filled
}

/// Judges one combination of facts.
pub fn judge(rulebook: &Rulebook, settings: &Settings, decider: &mut Decider<'_>, observed: &Facts) -> ShapeOutcome {
    judge_unsettled(rulebook, settings, decider, observed, 0)
}

/// Judges one combination of facts, of which no assumption settles some.
pub fn judge_unsettled(
    rulebook: &Rulebook,
    settings: &Settings,
    decider: &mut Decider<'_>,
    observed: &Facts,
    unsettled: FactSet,
) -> ShapeOutcome {
    let (facts, assumed) = complete(rulebook, settings, observed, unsettled);
    let judgement = decider.judge(&facts);
    let presumed = with_presumptions(rulebook, &judgement, &facts);
    let remarks = decider.remarks(&presumed);
    let of_kind = |cards: &[u16], kind: Kind| -> Vec<u16> {
        cards.iter().copied().filter(|card| rulebook.card(*card).kind == kind).collect()
    };
    let numbers = |cards: &[u16]| {
        let numbers = of_kind(cards, Kind::Scenario);
        let named = numbers.iter().filter_map(|card| rulebook.card(*card).scenario.as_deref());
        named.collect::<Vec<_>>()
    };
    let clock =
        !of_kind(&remarks.fire, Kind::Deadline).is_empty() || !of_kind(&remarks.open, Kind::Deadline).is_empty();
    let confirmed = matches!(judgement.verdict, Verdict::Decided(_));
    let strict = settings.strictness == Strictness::Strict && !confirmed;
    ShapeOutcome {
        facts,
        class: judgement.verdict.class().filter(|_| !strict),
        confirmed,
        assumed,
        known: rulebook.program.knowledge(&values_of(&presumed)),
        scenario: Scenario { holds: numbers(&remarks.fire).join("+"), may_hold: numbers(&remarks.open).join("|") },
        clock,
        steps: steps(rulebook, &judgement, &remarks),
        last: last_cards(rulebook, &judgement),
        judgement,
    }
}

fn last_cards(rulebook: &Rulebook, judgement: &Judgement) -> Vec<u16> {
    let last = rulebook.domain.classes.last().map(|class| class.name);
    let cards = judgement.findings.iter().map(|fired| fired.card);
    cards.filter(|card| rulebook.card(*card).class.as_deref() == last).collect()
}

fn steps(rulebook: &Rulebook, judgement: &Judgement, remarks: &Remarks) -> Vec<(u16, bool)> {
    let class = judgement.verdict.class().map(|class| &rulebook.domain.classes[usize::from(class)]);
    if class.is_some_and(|class| class.checklist == Checklist::Withheld) {
        return Vec::new();
    }
    let certain = remarks.fire.iter().map(|card| (*card, true));
    let all = certain.chain(remarks.open.iter().map(|card| (*card, false)));
    let mut steps: Vec<_> = all.filter(|(card, _)| rulebook.card(*card).kind == Kind::Step).collect();
    steps.sort_by_key(|(card, _)| rulebook.card(*card).step.as_ref().map(|step| step.order));
    steps
}

/// The facts with the values that a conditional verdict presumes, where they stand for themselves.
fn with_presumptions(rulebook: &Rulebook, judgement: &Judgement, facts: &Facts) -> Facts {
    let mut presumed = *facts;
    for fact in members(judgement.conditions).filter(|fact| !facts.knows(*fact)) {
        let spec = &rulebook.facts[fact.index()];
        if spec.presumption.as_ref().is_some_and(|presumption| presumption.stands_for == StandsFor::Itself) {
            presumed.set(fact, spec.presumed(), Grade::Assumed);
        }
    }
    presumed
}

impl ShapeOutcome {
    /// The class cards that fire. Where there is no class, none decides, and none says that nothing is in
    /// the way.
    pub fn findings(&self) -> impl Iterator<Item = Fired> {
        let open = self.class.is_none();
        let kept =
            self.judgement.findings.iter().copied().filter(move |fired| !open || !self.last.contains(&fired.card));
        kept.map(move |fired| Fired { decides: fired.decides && !open, ..fired })
    }

    /// The open conditions; none of an undetermined key.
    pub fn conditions(&self) -> impl Iterator<Item = FactId> {
        members(if self.class.is_some() { self.judgement.conditions } else { 0 })
    }

    /// The facts that would settle the class; of a strict verdict, its conditions.
    pub fn gaps(&self) -> impl Iterator<Item = FactId> {
        members(if self.class.is_some() { 0 } else { self.judgement.gaps | self.judgement.conditions })
    }

    /// The classes that occur over all completions of what is unknown, in order of precedence; the
    /// number of classes stands for "not covered".
    pub fn possible(&self) -> impl Iterator<Item = u8> {
        let set = self.judgement.possible;
        (0..16).filter(move |class| set & (1 << class) != 0)
    }
}
