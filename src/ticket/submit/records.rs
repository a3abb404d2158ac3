//! What the lines of a ledger say together: about each ticket, and which tickets are about the same batch or the same keys.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::ledger::{Line, State};
use super::marks::{Kin, kin, whole_of};
use crate::ticket::payload::{Mark, Matter};

/// Where tickets are: the tracker, and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'s> {
    pub(super) tracker: &'s str,
    pub(super) place: &'s str,
}

impl Spot<'_> {
    fn with(self, label: &str) -> Key {
        (self.tracker.to_owned(), self.place.to_owned(), label.to_owned())
    }
}

/// What is known of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not sent, or is known not to exist.
    Free,
    /// It exists, as the tracker calls it; and what was not as it should be when somebody last looked.
    Exists { ticket: String, remarks: Vec<String> },
    /// It was sent at that time, and nobody knows what became of it.
    Doubt(Timestamp),
}

/// A ticket.
#[derive(Debug)]
pub(super) struct Record {
    tracker: String,
    place: String,
    label: String,
    name: String,
    standing: Standing,
    /// What it is about, once a line told it together with the keys.
    about: Option<String>,
    /// The tickets that were sent in its place.
    replaced_by: Vec<usize>,
}

impl Record {
    /// By what it is found again.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The ticket as people know it.
    pub(super) fn shown(&self) -> String {
        match &self.standing {
            Standing::Exists { ticket, .. } => format!("{ticket} ({})", self.name),
            _ => format!("{} (sent, and no answer is known)", self.name),
        }
    }

    /// Whether it exists, or may.
    fn is_there(&self) -> bool {
        self.standing != Standing::Free
    }

    fn is_at(&self, spot: Spot<'_>) -> bool {
        self.tracker == spot.tracker && self.place == spot.place
    }
}

/// Tracker, place and label.
type Key = (String, String, String);

/// All tickets of a ledger.
#[derive(Debug, Default)]
pub(super) struct Records {
    all: Vec<Record>,
    by_label: HashMap<Key, usize>,
    /// By the label of the whole.
    by_whole: HashMap<Key, Vec<usize>>,
    /// By the id of a key of KMS.
    by_key_id: HashMap<String, Vec<usize>>,
}

impl Records {
    /// What is known of a ticket.
    pub(super) fn standing(&self, spot: Spot<'_>, label: &str) -> Standing {
        self.find(spot, label).map_or(Standing::Free, |record| record.standing.clone())
    }

    /// The ticket that was sent in place of one, if it is there.
    pub(super) fn replacement(&self, spot: Spot<'_>, label: &str) -> Option<&Record> {
        let mut replacements = self.find(spot, label)?.replaced_by.iter().map(|at| &self.all[*at]);
        replacements.find(|record| record.is_there())
    }

    /// The tickets of the same batch or consultation that are there and were parted otherwise.
    pub(super) fn divided_otherwise(&self, spot: Spot<'_>, mark: &Mark) -> Vec<&Record> {
        let of_whole = self.by_whole.get(&spot.with(&mark.whole().label())).map_or(&[][..], Vec::as_slice);
        let own = |label: &str| kin(label, mark).is_some_and(|kin| kin != Kin::Otherwise);
        of_whole.iter().map(|at| &self.all[*at]).filter(|record| self.counts(record) && !own(&record.label)).collect()
    }

    /// The tickets of other batches or consultations that are there, are about the same, and name some of the same keys,
    /// with these.
    pub(super) fn naming<'r>(
        &'r self,
        spot: Spot<'_>,
        mark: &Mark,
        matter: &'r Matter,
    ) -> Vec<(&'r Record, Vec<&'r str>)> {
        let whole = mark.whole().label();
        let mut found: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for key in &matter.keys {
            for at in self.by_key_id.get(key).map_or(&[][..], Vec::as_slice) {
                let record = &self.all[*at];
                let is_same_matter = record.about.as_ref() == Some(&matter.about) && whole_of(&record.label) != whole;
                if is_same_matter && record.is_at(spot) && self.counts(record) {
                    found.entry(*at).or_default().push(key);
                }
            }
        }
        found.into_iter().map(|(at, keys)| (&self.all[at], keys)).collect()
    }

    /// Whether a ticket is there, and none that is there was sent in its place.
    fn counts(&self, record: &Record) -> bool {
        record.is_there() && !record.replaced_by.iter().any(|at| self.all[*at].is_there())
    }

    fn find(&self, spot: Spot<'_>, label: &str) -> Option<&Record> {
        self.by_label.get(&spot.with(label)).map(|at| &self.all[*at])
    }

    /// Takes a line in; later ones count more.
    pub(super) fn add(&mut self, line: &Line) {
        let spot = Spot { tracker: &line.tracker, place: &line.place };
        let at = self.place_of(spot, line);
        for label in &line.supersedes {
            if let Some(old) = self.by_label.get(&spot.with(label)).and_then(|old| self.all.get_mut(*old))
                && !old.replaced_by.contains(&at)
            {
                old.replaced_by.push(at);
            }
        }
        let Some(record) = self.all.get_mut(at) else { return };
        if line.state == State::Sending && record.standing == Standing::Free {
            // What took its place did so before it was sent again.
            record.replaced_by.clear();
        }
        record.standing = match line.state {
            State::Sending => Standing::Doubt(line.at),
            State::Created | State::Found => {
                Standing::Exists { ticket: line.ticket.clone().unwrap_or_default(), remarks: line.remarks.clone() }
            }
            State::Refused | State::NotSent | State::NotCreated => Standing::Free,
            // The doubt is as old as what was sent.
            State::Unknown => match record.standing {
                Standing::Doubt(since) => Standing::Doubt(since),
                _ => Standing::Doubt(line.at),
            },
        };
        if record.about.is_none() && line.about.is_some() {
            record.about.clone_from(&line.about);
            for key in &line.keys {
                self.by_key_id.entry(key.clone()).or_default().push(at);
            }
        }
    }

    /// Where the ticket of a line stands among all.
    fn place_of(&mut self, spot: Spot<'_>, line: &Line) -> usize {
        let next = self.all.len();
        let at = *self.by_label.entry(spot.with(&line.label)).or_insert(next);
        if at == next {
            self.by_whole.entry(spot.with(whole_of(&line.label))).or_default().push(at);
            self.all.push(Record {
                tracker: line.tracker.clone(),
                place: line.place.clone(),
                label: line.label.clone(),
                name: line.name.clone(),
                standing: Standing::Free,
                about: None,
                replaced_by: Vec::new(),
            });
        }
        at
    }
}
