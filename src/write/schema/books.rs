//! What `rules list` and `sources` write.

use schemars::JsonSchema;

use super::words::{AnyClass, AnyRulebookName};
use crate::rulebook::card::{Basis, Kind};

/// What `rules list --format json` writes.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Rules")]
pub struct Rules {
    /// The rulebook.
    pub rulebook: AnyRulebookName,
    /// Its cards, by id.
    pub cards: Vec<CardLine>,
}

/// One card of a rulebook.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Card")]
pub struct CardLine {
    /// Its id, for ever.
    pub id: String,
    /// What it is for.
    pub kind: Kind,
    /// The class that holds when it fires; null if it is for something else.
    pub class: Option<AnyClass>,
    /// How firmly it stands on its sources.
    pub basis: Basis,
    /// The state found, or the deed.
    pub title: String,
    /// The first edition that has it.
    pub since: String,
    /// The first edition that no longer has it; null if every later one has.
    pub until: Option<String>,
}

/// What `sources --format json` writes.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Sources")]
pub struct Sources {
    /// The rulebook.
    pub rulebook: AnyRulebookName,
    /// The documents on which it rests.
    pub documents: Vec<Document>,
}

/// A document that cards cite.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Document")]
pub struct Document {
    /// Its id in cards.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// Its own date, or the day on which it is known to have been current.
    pub dated: String,
    /// Where it was published.
    pub url: String,
    /// The day on which it was read; of several the first. Empty if no card cites it.
    pub read: String,
    /// How many days ago that was; null if no card cites it.
    pub age_days: Option<i32>,
    /// The cards that cite it, by id.
    pub cards: Vec<String>,
}
