//! What logs tell of one key as facts, with their grades.

use super::doubt::{Doubt, OpenCall};
use super::evidence::Reach;
use super::table::Entry;
use super::told::{Seen, agreed};
use crate::domains::cmk::facts::{
    FACTS, LANGUAGES, NETWORK, OPERATIONS, ORIGIN, ROTATION, SEVERAL_VERSIONS, USAGE, VERSIONS,
};
use crate::engine::facts::{Bits, FactId, FactSet, Facts, Grade};
use crate::engine::judge::Program;
use crate::inventory::overlay::Overlay;

/// The facts that logs tell of.
pub const OF_USE: [FactId; 4] = [USAGE, OPERATIONS, LANGUAGES, NETWORK];

/// What logs tell of a key.
#[derive(Debug)]
pub struct Told<'e> {
    /// Its calls.
    pub entries: Vec<&'e Entry>,
    /// What they tell.
    pub seen: Seen,
    /// What the logs tell of its account and region.
    pub reach: &'e Reach,
    /// What of the key itself leaves open which calls are its own, or what its future use will be.
    pub(super) own_doubts: Vec<Doubt>,
    /// Whether the log shows that it rotated for so long that it may have more than one version.
    pub(super) has_rotated: bool,
}

impl Told<'_> {
    /// What is not known of the key although there are logs.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = self.reach.doubts.clone();
        doubts.extend(self.own_doubts.iter().cloned());
        doubts.extend(self.open_calls().cloned().map(Doubt::OpenCall));
        let failed = self.seen.only_failed.iter();
        doubts
            .extend(failed.map(|(operation, calls)| Doubt::OnlyFailed { operation: operation.clone(), calls: *calls }));
        for (of, is_like_forbidden) in [(&self.seen.resembling, true), (&self.seen.unknown, false)] {
            doubts.extend(of.iter().map(|(operation, calls)| Doubt::UnknownOperation {
                operation: operation.clone(),
                calls: *calls,
                is_like_forbidden,
            }));
        }
        doubts.extend(self.seen.may_change.iter().map(|(operation, (fact, calls))| Doubt::MayChange {
            operation: operation.clone(),
            calls: *calls,
            fact: *fact,
        }));
        doubts.extend(self.seen.changes.is_made_to_rotate().then_some(Doubt::Rotates));
        doubts.extend(self.has_rotated.then_some(Doubt::HasRotated));
        let (open, others) = (&self.reach.open.applications, self.reach.open.others);
        if open.calls > 0 {
            let places = open.places.iter().cloned().collect();
            doubts.push(Doubt::OpenApplications { calls: open.calls, callers: open.callers(), places });
        }
        if others > 0 {
            doubts.push(Doubt::OpenOthers { calls: others });
        }
        let own = &self.seen.applications;
        if own.unknown > 0 {
            doubts.push(Doubt::LanguageUnknown { calls: own.unknown });
        }
        if own.unclear > 0 {
            doubts.push(Doubt::PlaceUnclear { calls: own.unclear, places: own.places.iter().cloned().collect() });
        }
        doubts
    }

    fn is_masked(&self) -> bool {
        self.own_doubts.contains(&Doubt::Masked)
    }

    /// Calls that may change what is known of the key, and may be calls with it.
    fn open_calls(&self) -> impl Iterator<Item = &OpenCall> {
        let elsewhere = if self.is_masked() { &self.reach.open.elsewhere[..] } else { &[] };
        self.reach.open.calls.iter().chain(elsewhere)
    }

    /// The facts of which the calls of the key say something.
    pub fn facts(&self) -> FactSet {
        let seen = &self.seen;
        let (own, supposed) = (&seen.applications, &seen.supposed);
        let is_used = seen.by_service || own.calls + supposed.calls > 0;
        let languages = own.languages | supposed.languages;
        let said = [is_used, seen.operations != 0 || !seen.unknown.is_empty(), languages != 0, own.network != 0];
        OF_USE.iter().zip(said).filter(|(_, said)| *said).fold(0, |facts, (fact, _)| facts | fact.bit())
    }

    /// The facts that follow, beside those that records tell.
    pub fn overlay(&self, program: &Program, records: &Facts) -> Overlay {
        let (seen, own, open) = (&self.seen, &self.seen.applications, &self.reach.open.applications);
        let supposed = &seen.supposed;
        let is_young = self.own_doubts.iter().any(|doubt| {
            matches!(doubt, Doubt::Young { .. } | Doubt::Enabled { .. } | Doubt::Disabled | Doubt::AgeUnknown { .. })
        });
        // Of a key whose use may have begun lately, the log does not show what its use will be.
        let is_complete = self.reach.doubts.is_empty() && !self.is_masked() && !is_young;
        let may_change = |fact: FactId| self.open_calls().any(|call| call.fact == fact);
        let is_open = may_change(OPERATIONS) || !seen.only_failed.is_empty() || !seen.resembling.is_empty();
        let sees = Sees { program, records, is_complete };
        let ordinary = FACTS[OPERATIONS.index()].value("ordinary").unwrap_or_default();
        let unknown = if seen.unknown.is_empty() { 0 } else { ordinary };
        let mut overlay = Overlay { seen: self.seen_of_key(), ..Overlay::default() };
        sees.add(&mut overlay, OPERATIONS, seen.operations, unknown, !is_open);
        let is_all = own.unknown + supposed.unknown + open.unknown == 0
            && !sees.changes(LANGUAGES, own.languages, open.languages);
        sees.add(&mut overlay, LANGUAGES, own.languages, supposed.languages, is_all);
        // Where operations that nobody knows are called from is not counted.
        let is_all =
            own.unclear + supposed.calls + open.unclear == 0 && !sees.changes(NETWORK, own.network, open.network);
        sees.add(&mut overlay, NETWORK, own.network, 0, is_all);
        let value = |name: &str| FACTS[USAGE.index()].value(name).unwrap_or_default();
        let usage = if own.calls + supposed.calls > 0 { value("self-managed") } else { 0 };
        let usage = usage | if seen.by_service { value("server-side") } else { 0 };
        let others = self.reach.open.others;
        // Whose calls without a key may add a use that was not seen.
        let missing = match (own.calls > 0, seen.by_service) {
            (true, true) => 0,
            (true, false) => others,
            (false, _) => open.calls + supposed.calls,
        };
        let is_all = is_complete && missing == 0;
        overlay.seen.set(USAGE, usage, if is_all { Grade::Measured } else { Grade::Inferred });
        let is_unused = is_complete && !seen.is_used && open.calls + others == 0 && !is_open;
        if is_unused && OF_USE.iter().all(|fact| !says_use(records, *fact)) {
            for fact in OF_USE {
                overlay.unsaid.set(fact, FACTS[fact.index()].none_bit(), Grade::Measured);
            }
        }
        let is_used_elsewhere = self.is_masked() && self.reach.open.is_used_elsewhere;
        for (fact, is_doubtful) in [
            (OPERATIONS, is_open || is_used_elsewhere),
            (LANGUAGES, own.unknown + supposed.unknown > 0 || is_used_elsewhere),
            (NETWORK, own.unclear > 0 || is_used_elsewhere),
        ] {
            let known = (records.get(fact) | overlay.seen.get(fact)) & !FACTS[fact.index()].none_bit();
            if is_doubtful && !sees.obstructs(fact, known) && records.get(fact) & agreed(fact) == 0 {
                overlay.doubtful |= fact.bit();
            }
        }
        for (fact, value) in [(VERSIONS, SEVERAL_VERSIONS), (ORIGIN, imported()), (ROTATION, rotating())] {
            let known = records.get(fact) | overlay.seen.get(fact);
            // Who says that a key rotates has looked at it since, and counted its versions.
            let is_known_to_rotate = records.get(ROTATION) & rotating() != 0;
            let follows = match fact {
                ROTATION => seen.changes.is_made_to_rotate(),
                VERSIONS => !is_known_to_rotate && (self.has_rotated || may_change(ROTATION)),
                _ => false,
            };
            let by_name = seen.may_change.values().any(|(changed, _)| *changed == fact);
            let is_doubtful = may_change(fact) || follows || by_name;
            if is_doubtful && sees.changes(fact, known, value) {
                overlay.doubtful |= fact.bit();
            }
        }
        overlay
    }

    /// What calls tell of the key itself.
    fn seen_of_key(&self) -> Facts {
        let mut facts = Facts::unknown();
        if self.seen.is_versioned {
            facts.set(VERSIONS, SEVERAL_VERSIONS, Grade::Measured);
        }
        if self.seen.is_imported {
            facts.set(ORIGIN, imported(), Grade::Measured);
        }
        facts
    }
}

/// How values that were seen become facts.
struct Sees<'s> {
    program: &'s Program,
    records: &'s Facts,
    is_complete: bool,
}

impl Sees<'_> {
    /// Whether values are in the way of a migration, as those that are presumed are not.
    fn obstructs(&self, fact: FactId, bits: Bits) -> bool {
        let kind = |bits: Bits| self.program.representative(fact, bits);
        bits != 0 && kind(bits) != kind(FACTS[fact.index()].presumed())
    }

    /// Whether further values may make a difference.
    fn changes(&self, fact: FactId, bits: Bits, more: Bits) -> bool {
        self.program.representative(fact, bits | more) != self.program.representative(fact, bits)
    }

    /// Adds values, and those that are only supposed; `is_all` says whether no open call may add to them.
    fn add(&self, overlay: &mut Overlay, fact: FactId, bits: Bits, supposed: Bits, is_all: bool) {
        // What support has agreed to was known when it did.
        if self.records.get(fact) & agreed(fact) != 0 {
            return;
        }
        // More calls add values and take none away, so that what is in the way already stays there.
        let obstructs = self.obstructs(fact, bits);
        let is_sure = self.is_complete && is_all && !self.changes(fact, bits, supposed) || obstructs;
        let bits = if obstructs { bits } else { bits | supposed };
        overlay.seen.set(fact, bits, if is_sure { Grade::Measured } else { Grade::Inferred });
    }
}

/// The origin of a key whose material was imported.
fn imported() -> Bits {
    FACTS[ORIGIN.index()].value("EXTERNAL").unwrap_or_default()
}

/// The rotation of a key that rotates.
fn rotating() -> Bits {
    FACTS[ROTATION.index()].value("Enabled").unwrap_or_default()
}

/// Whether records say that the key is used, or contradict each other.
fn says_use(records: &Facts, fact: FactId) -> bool {
    records.grade(fact) != Grade::Unknown && records.get(fact) != FACTS[fact.index()].none_bit()
}
