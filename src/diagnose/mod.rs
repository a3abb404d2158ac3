//! The main job: every key of a survey with its outcome.
//!
//! Distinct combinations of facts are judged once; the outcome of a key is then a look-up.

mod advice;
pub mod shape;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::engine::decide::Decider;
use crate::engine::facts::Facts;
use crate::inventory::survey::{Key, Survey};
use crate::rulebook::Rulebook;
use crate::usage::evidence::Evidence;

pub use shape::{Inference, Scenario, Settings, ShapeOutcome, Strictness, Tally};

use advice::Advice;

/// A survey with the outcomes of its keys.
#[derive(Debug)]
pub struct Diagnosis {
    /// The rulebook that was applied.
    pub rulebook: Rulebook,
    /// What was read.
    pub survey: Survey,
    /// What the person decided.
    pub settings: Settings,
    /// What audit logs tell, if there are any.
    pub evidence: Option<Evidence>,
    outcomes: Vec<Option<Box<ShapeOutcome>>>,
    advice: Advice,
    /// How many keys there are of each class.
    pub tally: Tally,
}

/// One key with its outcome.
#[derive(Debug, Clone, Copy)]
pub struct KeyOutcome<'a> {
    /// The diagnosis.
    pub diagnosis: &'a Diagnosis,
    /// The key.
    pub key: Key<'a>,
    /// Its outcome.
    pub outcome: &'a ShapeOutcome,
}

impl Diagnosis {
    /// Judges every combination of facts that a key has.
    pub fn new(rulebook: Rulebook, survey: Survey, settings: Settings) -> Diagnosis {
        Diagnosis::with_evidence(rulebook, survey, None, settings)
    }

    /// The same with what audit logs tell, which becomes part of the survey.
    pub fn with_evidence(
        rulebook: Rulebook,
        mut survey: Survey,
        evidence: Option<Evidence>,
        settings: Settings,
    ) -> Diagnosis {
        if let Some(evidence) = &evidence {
            let program = &rulebook.program;
            survey.overlay(&rulebook.facts, |key, records| evidence.of(key).overlay(program, records));
            survey.note_all(evidence.notes());
        }
        let mut tally = Tally::new(rulebook.domain.classes.len());
        let counts = survey.shape_counts();
        let mut outcomes = Vec::with_capacity(counts.len());
        {
            let mut decider = Decider::new(&rulebook.program);
            for (number, (facts, count)) in (0..).zip(survey.shapes().iter().zip(&counts)) {
                let unsettled = survey.unsettled(number);
                let judge = |decider: &mut _| shape::judge_unsettled(&rulebook, &settings, decider, facts, unsettled);
                let outcome = (*count > 0).then(|| Box::new(judge(&mut decider)));
                if let Some(outcome) = &outcome {
                    tally.add(outcome, *count);
                }
                outcomes.push(outcome);
            }
        }
        let advice = Advice::new(&rulebook, &survey, &outcomes);
        Diagnosis { rulebook, survey, settings, evidence, outcomes, advice, tally }
    }

    /// A key by its place in input order, with its outcome.
    pub fn outcome(&self, index: usize) -> Option<KeyOutcome<'_>> {
        let key = self.survey.key(index);
        let outcome = self.outcomes[key.shape as usize].as_deref()?;
        Some(KeyOutcome { diagnosis: self, key, outcome })
    }

    /// All keys with their outcomes, in input order.
    pub fn outcomes(&self) -> impl Iterator<Item = KeyOutcome<'_>> {
        (0..self.survey.len()).filter_map(|index| self.outcome(index))
    }

    /// The advisories that fire for any key, in the order of the rulebook, with the number of keys.
    pub fn advisory_counts(&self) -> Vec<(u16, u64)> {
        let mut counts = BTreeMap::new();
        for key in self.outcomes() {
            key.advisories().iter().for_each(|card| *counts.entry(*card).or_default() += 1);
        }
        counts.into_iter().collect()
    }

    /// How many combinations of facts there are, used or not.
    pub fn shapes(&self) -> usize {
        self.outcomes.len()
    }

    /// The name of a class, or `undetermined`.
    pub fn class_name(&self, class: Option<u8>) -> &'static str {
        self.rulebook.verdict_name(class)
    }
}

impl<'a> KeyOutcome<'a> {
    /// All facts of the key: those that verdicts depend on, and the others.
    pub fn facts(&self) -> Facts {
        self.outcome.facts.overlaid(self.key.aside())
    }

    /// The advisories that fire.
    pub fn advisories(&self) -> Cow<'a, [u16]> {
        self.diagnosis.advice.of(self)
    }

    /// When the key will have a second version and so be blocked for good, if that is known and matters;
    /// and whether it was computed from creation and interval.
    pub fn rotation_deadline(&self) -> Option<(&'a str, bool)> {
        self.key.next_rotation().filter(|_| self.outcome.clock)
    }
}
