//! Few subjects, each told at length: pairs of instances, requests.
//!
//! [`gather`] takes the rows of readers, [`record`] and [`value`] understand them by a domain's form, [`assemble`] joins what records
//! say of one subject, and an [`Assessment`] holds every subject with its outcome. Inventories of millions of keys go
//! through `inventory` and `diagnose` instead; the judgement is the same.

pub mod assemble;
pub mod gather;
pub mod record;
pub mod value;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::diagnose::{Settings, ShapeOutcome, Tally, shape};
use crate::domains::form::{Draft, Form, header};
use crate::domains::spelling::is_unknown;
use crate::engine::decide::Decider;
use crate::engine::facts::{FactId, Facts, Grade};
use crate::engine::judge::{Role, Standing, values_of};
use crate::inventory::rejects::Rejects;
use crate::inventory::row::Note;
use crate::inventory::shared::MOST_COLUMNS;
use crate::rulebook::Rulebook;
use crate::rulebook::user::UserRules;

use assemble::Assembled;
use gather::Gathered;

/// One subject with its outcome.
#[derive(Debug)]
pub struct Case {
    /// What it is called.
    pub title: String,
    /// What was said of it.
    pub draft: Draft,
    /// What follows; shared by all subjects of which the same is known.
    pub outcome: Arc<ShapeOutcome>,
    /// The advisories that fire.
    pub advisories: Arc<[u16]>,
}

/// What became of the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// Records read.
    pub read: u64,
    /// Records that say something of a subject.
    pub judged: u64,
    /// Records that could not be used.
    pub rejected: u64,
    /// Records that are the same as one before.
    pub duplicates: u64,
    /// Records about instances that no subject is about.
    pub unused: u64,
}

/// Every subject with its outcome.
#[derive(Debug)]
pub struct Assessment {
    /// How records were read.
    pub form: &'static Form,
    /// The rulebook that was applied.
    pub rulebook: Rulebook,
    /// What the person decided.
    pub settings: Settings,
    /// The subjects, in input order.
    pub cases: Vec<Case>,
    /// How many there are of each class.
    pub tally: Tally,
    /// What became of the records.
    pub account: Account,
    /// The records that could not be used.
    pub rejects: Rejects,
    /// What else is to be known about the inputs.
    pub notes: Vec<Note>,
    /// The names of the files, by the number in a place.
    pub files: Vec<String>,
    /// The instances of a list, in input order.
    pub instances: Vec<String>,
    /// The columns that nobody understood, in the order of their appearance; no more than are kept.
    pub unused_columns: Vec<String>,
    /// How many more there are.
    pub more_columns: usize,
}

impl Assessment {
    /// Judges every subject.
    pub fn new(
        form: &'static Form,
        rulebook: Rulebook,
        gathered: Gathered,
        assembled: Assembled,
        settings: Settings,
    ) -> Assessment {
        let rejected = gathered.rejects.len();
        let account = Account {
            read: gathered.read,
            judged: gathered.read.saturating_sub(rejected + gathered.duplicates + assembled.unused),
            rejected,
            duplicates: gathered.duplicates,
            unused: assembled.unused,
        };
        let mut unused_columns = unused_columns(&gathered, rulebook.user.as_ref());
        let more_columns = unused_columns.len().saturating_sub(MOST_COLUMNS);
        unused_columns.truncate(MOST_COLUMNS);
        let files = gathered.files();
        let (rejects, notes) = (gathered.rejects, gathered.notes);
        drop((gathered.records, gathered.damaged));
        let mut tally = Tally::new(rulebook.domain.classes.len());
        let mut cases = Vec::with_capacity(assembled.drafts.len());
        {
            let mut decider = Decider::new(&rulebook.program);
            let mut known: HashMap<Facts, (Arc<ShapeOutcome>, Arc<[u16]>)> = HashMap::new();
            for mut draft in assembled.drafts {
                ask_user_columns(&rulebook, &mut draft);
                let (outcome, advisories) = known.entry(draft.facts).or_insert_with(|| {
                    let outcome = shape::judge(&rulebook, &settings, &mut decider, &draft.facts);
                    let advisories = advisories(&rulebook, &outcome.facts);
                    (Arc::new(outcome), advisories.into())
                });
                tally.add(outcome, 1);
                let (outcome, advisories) = (Arc::clone(outcome), Arc::clone(advisories));
                cases.push(Case { title: (form.title)(&draft), draft, outcome, advisories });
            }
        }
        let instances = assembled.instances;
        Assessment {
            form,
            rulebook,
            settings,
            cases,
            tally,
            account,
            rejects,
            notes,
            files,
            instances,
            unused_columns,
            more_columns,
        }
    }

    /// Notes which columns nobody understood, if nobody keeps them.
    pub fn note_unused_columns(&mut self) {
        let note = Note::of_unused_columns(self.unused_columns.iter().map(String::as_str), self.more_columns);
        self.notes.splice(0..0, note);
    }

    /// Notes how many columns are too many to be kept.
    pub fn note_columns_not_kept(&mut self) {
        self.notes.splice(0..0, Note::of_columns_not_kept(self.more_columns));
    }

    /// The name of a class, or `undetermined`.
    pub fn class_name(&self, class: Option<u8>) -> &'static str {
        self.rulebook.verdict_name(class)
    }
}

impl Case {
    /// The places that say something about a fact, and what.
    pub fn said(&self, fact: FactId) -> impl Iterator<Item = &crate::domains::form::SaidFact> {
        self.draft.said.iter().filter(move |said| said.fact == fact)
    }
}

fn advisories(rulebook: &Rulebook, facts: &Facts) -> Vec<u16> {
    let program = &rulebook.program;
    let values = values_of(facts);
    let advice = program.rules.iter().filter(|rule| rule.role == Role::Advice);
    advice.filter(|rule| program.standing(&rule.when, &values) == Standing::Fires).map(|rule| rule.card).collect()
}

/// Sets the facts that a user's atoms read from columns.
pub fn ask_user_columns(rulebook: &Rulebook, draft: &mut Draft) {
    let Some(user) = &rulebook.user else { return };
    let first = rulebook.facts.len() - user.columns.len();
    for (index, test) in user.columns.iter().enumerate() {
        let fact = FactId((first + index) as u8);
        let spec = &rulebook.facts[fact.index()];
        let column = header(&test.column);
        let cells = draft.others.iter().filter(|(name, _)| header(name) == column).map(|(_, cell)| cell.as_str());
        let texts = draft.texts.iter().filter(|(name, _)| header(name) == column);
        let texts = texts.flat_map(|(_, said)| said.iter().map(|said| said.text.as_str()));
        let values: Vec<bool> =
            cells.chain(texts).filter(|cell| !is_unknown(cell)).map(|cell| test.holds(cell)).collect();
        let Some(first) = values.first() else { continue };
        if values.iter().all(|value| value == first) {
            let bits = spec.value(if *first { "yes" } else { "no" }).unwrap_or(0);
            draft.facts.set(fact, bits, Grade::Stated);
        } else {
            draft.facts.conflict(fact);
        }
    }
}

fn unused_columns(gathered: &Gathered, user: Option<&UserRules>) -> Vec<String> {
    let asked: Vec<String> =
        user.map_or_else(Vec::new, |user| user.columns.iter().map(|test| header(&test.column)).collect());
    let mut seen: HashSet<&str> = HashSet::new();
    let names = gathered.records.iter().flat_map(|record| &record.others).map(|(name, _)| name);
    names.filter(|name| seen.insert(name) && !asked.contains(&header(name))).cloned().collect()
}
