//! Reads the decision tables that stand beside this file, and judges records as the program does.

use std::collections::BTreeMap;

use cmkdiag::cases::Assessment;
use cmkdiag::cases::assemble::{Pairing, assemble};
use cmkdiag::cli::job;
use cmkdiag::diagnose::Settings;
use cmkdiag::domains::form::{Context, Form};
use cmkdiag::engine::facts::FactId;
use cmkdiag::engine::outcome::Fired;
use cmkdiag::read::Format;
use cmkdiag::rulebook::Rulebook;

/// One line of a table: cells by the name of their column.
pub(crate) type Line = BTreeMap<String, String>;

/// The lines of a table; those that begin with `#` are remarks.
pub(crate) fn table(text: &str) -> Vec<Line> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// What the program says of one record.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) class: &'static str,
    pub(crate) confirmed: bool,
    /// The class cards that fire: id, class, and whether it decides.
    pub(crate) fires: Vec<(String, String, bool)>,
    pub(crate) gaps: Vec<String>,
    pub(crate) conditions: Vec<String>,
    /// The steps of the checklist: id, and whether it certainly applies.
    pub(crate) steps: Vec<(String, bool)>,
    pub(crate) advisories: Vec<String>,
}

impl Said {
    pub(crate) fn fires(&self, card: &str) -> bool {
        self.fires.iter().any(|(id, _, _)| id == card)
    }

    pub(crate) fn deciding(&self) -> Vec<&str> {
        self.fires.iter().filter(|(_, _, decides)| *decides).map(|(id, _, _)| id.as_str()).collect()
    }

    /// Whether a step applies, as far as is known; nothing if it does not.
    pub(crate) fn step(&self, card: &str) -> Option<bool> {
        self.steps.iter().find(|(id, _)| id == card).map(|(_, certain)| *certain)
    }
}

/// What the program says of each line, read as CSV.
pub(crate) fn judge_lines(form: &'static Form, text: &str) -> Vec<Said> {
    let gathered = job::gather_bytes(form, "records.csv", text.as_bytes(), Some(Format::Csv)).unwrap();
    assert!(gathered.rejects.is_empty(), "{:?}", gathered.rejects);
    let assembled = assemble(form, &gathered, &Pairing::default(), &Context::default()).unwrap();
    assert_eq!(assembled.drafts.len(), text.lines().count() - 1, "a record is no subject of its own");
    let book = Rulebook::load(form.domain, None, None).unwrap();
    let assessment = Assessment::new(form, book, gathered, assembled, Settings::default());
    (0..assessment.cases.len()).map(|at| said(&assessment, at)).collect()
}

fn said(assessment: &Assessment, at: usize) -> Said {
    let (book, case) = (&assessment.rulebook, &assessment.cases[at]);
    let id = |card: u16| book.card(card).id.clone();
    let fired = |fired: Fired| (id(fired.card), book.card(fired.card).class.clone().unwrap(), fired.decides);
    let named = |facts: Vec<FactId>| facts.iter().map(|fact| book.facts[fact.index()].name.to_string()).collect();
    Said {
        class: assessment.class_name(case.outcome.class),
        confirmed: case.outcome.confirmed,
        fires: case.outcome.findings().map(fired).collect(),
        gaps: named(case.outcome.gaps().collect()),
        conditions: named(case.outcome.conditions().collect()),
        steps: case.outcome.steps.iter().map(|(card, certain)| (id(*card), *certain)).collect(),
        advisories: case.advisories.iter().map(|card| id(*card)).collect(),
    }
}

/// Numbers that look random and are the same on every run (SplitMix64).
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % count as u64) as usize
    }
}
