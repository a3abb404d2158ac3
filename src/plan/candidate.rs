//! Keys that may go: of every key that can be migrated, what the plan must know of it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::load::Week;
use super::model::Words;
use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::domains::cmk::fields::Field;
use crate::inventory::clock::parse_time;
use crate::inventory::record::Extra;
use crate::rulebook::card::Card;
use crate::usage::collect::text;

/// The class of keys in whose way nothing is.
pub(super) const MIGRATABLE: &str = "migratable";

/// The class of keys whose rotation has to be disabled first.
pub(super) const ROTATES: &str = "needs-rotation-disabled";

/// Logs tell of each hour of the week only if they reach over one, but for an hour at its end.
const WEEK_OF_LOGS: i64 = 7 * 86_400 - 3600;

/// What a key needs of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Needs {
    /// Any type.
    Any,
    /// Hardware, if the protection level is to stay: it is HSM.
    HsmToStay,
    /// Hardware, as no other instance offers its spec.
    Hardware,
}

/// A key that may go.
#[derive(Debug)]
pub(super) struct Candidate<'d> {
    pub(super) key: KeyOutcome<'d>,
    pub(super) key_id: &'d str,
    /// Empty if nobody knows.
    pub(super) account: &'d str,
    pub(super) region: &'d str,
    pub(super) deadline: Option<Timestamp>,
    pub(super) applications: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) needs: Needs,
    /// The VPCs through which it is used.
    pub(super) vpcs: BTreeSet<String>,
    /// How busy it is; nothing without logs.
    pub(super) week: Option<Week>,
}

/// A key that can be migrated and cannot be planned, and why.
#[derive(Debug)]
pub(super) struct LeftOut<'d> {
    pub(super) key: KeyOutcome<'d>,
    /// The card that says so, or the fact that is missing.
    pub(super) rule: &'static str,
    pub(super) title: Words,
    pub(super) what: Words,
}

/// Advisories that keep a key out of a ticket until somebody has decided.
const KEEP_OUT: [&str; 3] = ["masked-key-id", "pending-deletion", "spec-of-no-instance"];

/// Advisories that destinations are chosen by.
pub(super) const BY_DESTINATION: [&str; 2] = ["spec-needs-hardware-instance", "hsm-protection"];

/// Advisories that a ticket tells of, as they concern whoever migrates the keys.
pub(super) const TOLD_TO_SUPPORT: [&str; 2] = ["key-disabled", "shared-with-cloud-service"];

/// The keys that may go, in input order, and those that can be migrated and yet may not.
pub(super) fn candidates(diagnosis: &Diagnosis, now: Timestamp) -> (Vec<Candidate<'_>>, Vec<LeftOut<'_>>) {
    let (mut all, mut left_out) = (Vec::new(), Vec::new());
    let can_go = |key: &KeyOutcome<'_>| [MIGRATABLE, ROTATES].contains(&diagnosis.class_name(key.outcome.class));
    for key in diagnosis.outcomes().filter(can_go) {
        match kept_out(&key) {
            Some(left) => left_out.push(left),
            None => all.push(Candidate::new(key, now)),
        }
    }
    (all, left_out)
}

/// Why a key may not go although it can be migrated; nothing if it may.
pub(super) fn kept_out<'d>(key: &KeyOutcome<'d>) -> Option<LeftOut<'d>> {
    let book = &key.diagnosis.rulebook;
    for card in key.advisories().iter().map(|card| book.card(*card)) {
        let Some(rule) = KEEP_OUT.iter().find(|rule| **rule == card.id) else { continue };
        let (title, what) = words_of(card);
        return Some(LeftOut { key: *key, rule, title, what });
    }
    key.key.region().is_empty().then(|| LeftOut {
        key: *key,
        rule: "region",
        title: Words::new("The inventory does not say in which region the key is", "清单未注明密钥所在地域"),
        what: Words::new(
            "Add the column region (or arn): keys go to an instance of their own region",
            "请补充 region（或 arn）列：密钥只能迁移到同地域的实例",
        ),
    })
}

impl<'d> Candidate<'d> {
    fn new(key: KeyOutcome<'d>, now: Timestamp) -> Candidate<'d> {
        let mut applications = listed(&key, Field::Applications);
        let (mut vpcs, mut week) = (BTreeSet::new(), None);
        if let Some(evidence) = &key.diagnosis.evidence {
            let (told, names) = (evidence.of(&key.key), &evidence.counted.names);
            let tallies = || told.entries.iter().map(|entry| &entry.tally);
            vpcs = tallies().flat_map(|tally| &tally.vpcs).map(|vpc| text(&names.vpcs, *vpc).to_owned()).collect();
            // Hours that logs do not reach would pass for quiet ones.
            let span = told.reach.coverage.as_ref().and_then(|coverage| coverage.span);
            let is_enough = span.is_some_and(|span| span.last - span.first >= WEEK_OF_LOGS);
            week = is_enough.then(|| Week::of(&told));
            if applications.is_empty() {
                // Who was seen to use the key, where nobody says whose it is.
                let uses = tallies().flat_map(|tally| &tally.applications).map(|calls| calls.application);
                let uses = uses.filter(|application| application.counts());
                let principals = uses.map(|application| text(&names.principals, application.principal()).to_owned());
                applications =
                    principals.filter(|name| !name.is_empty()).collect::<BTreeSet<_>>().into_iter().collect();
            }
        }
        let owners = listed(&key, Field::Owner);
        Candidate {
            key_id: key.key.key_id(),
            account: key.key.account_id(),
            region: key.key.region(),
            deadline: deadline(&key, now),
            owner: (!owners.is_empty()).then(|| owners.join("; ")),
            needs: needs(&key),
            key,
            applications,
            vpcs,
            week,
        }
    }

    /// Whether its rotation is on, and nobody knows when it comes.
    pub(super) fn rotates_at_unknown(&self) -> bool {
        self.class() == ROTATES && self.deadline.is_none()
    }

    /// The id of the class.
    pub(super) fn class(&self) -> &'static str {
        self.key.diagnosis.class_name(self.key.outcome.class)
    }
}

/// When a key rotates next, and is blocked for good then; nothing if nobody knows. What was computed from its creation and is
/// past did not happen, or the key would have two versions: rotation was enabled later.
pub(super) fn deadline(key: &KeyOutcome<'_>, now: Timestamp) -> Option<Timestamp> {
    let (time, is_computed) = key.rotation_deadline()?;
    parse_time(time).filter(|time| !is_computed || *time > now)
}

/// The words of a card: its title, and what to do.
pub(super) fn words_of(card: &Card) -> (Words, Words) {
    let title = Words::new(&card.title.en, &card.title.zh);
    let what = card.remedy.as_ref().map_or_else(|| title.clone(), |remedy| Words::new(&remedy.en, &remedy.zh));
    (title, what)
}

fn needs(key: &KeyOutcome<'_>) -> Needs {
    let book = &key.diagnosis.rulebook;
    let of_card = |card: &u16| match book.card(*card).id.as_str() {
        "spec-needs-hardware-instance" => Needs::Hardware,
        "hsm-protection" => Needs::HsmToStay,
        _ => Needs::Any,
    };
    key.advisories().iter().map(of_card).max().unwrap_or(Needs::Any)
}

/// The texts of a field, each once, in order.
pub(super) fn listed(key: &KeyOutcome<'_>, field: Field) -> Vec<String> {
    let texts = key.key.texts(Extra::Field(field));
    let each = texts.iter().flat_map(|text| text.split(['\u{1f}', ';'])).map(str::trim);
    let known = each.filter(|text| !text.is_empty() && !crate::domains::spelling::is_unknown(text));
    known.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}
