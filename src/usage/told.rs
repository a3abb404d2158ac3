//! What calls tell: operations, languages, places and who made them, as values of facts.

use std::collections::{BTreeMap, BTreeSet};

use super::agent::Caller;
use super::collect::{Counted, text};
use super::place::{Place, Places};
use super::tally::{ApplicationCalls, Calls, KeyTally, OperationCalls, Purpose};
use crate::domains::cell::Cell;
use crate::domains::cmk::facts::{FACTS, FORBIDDEN_OPERATIONS, LANGUAGES, NETWORK, OPERATIONS, ORIGIN, VERSIONS};
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::observe;
use crate::domains::cmk::operations::operations;
use crate::engine::facts::{Bits, FactId};

/// What applications did: their languages and places.
#[derive(Debug, Clone, Default)]
pub struct Applications {
    /// Their cryptographic calls.
    pub calls: u64,
    /// In which languages, as values of the fact.
    pub languages: Bits,
    /// Calls that do not say in which language.
    pub unknown: u64,
    /// From where, as values of the fact.
    pub network: Bits,
    /// Calls whose place says too little.
    pub unclear: u64,
    /// The places that say too little, in order of their names: those of their numbers differ from run to run.
    pub places: BTreeSet<String>,
}

impl Applications {
    /// Their languages by name, and `unknown`.
    pub fn callers(&self) -> Vec<&'static str> {
        let known = FACTS[LANGUAGES.index()].values.iter().enumerate();
        let known = known.filter(|(at, _)| self.languages >> at & 1 == 1).map(|(_, name)| *name);
        known.chain((self.unknown > 0).then_some("unknown")).collect()
    }

    /// Adds calls of one caller.
    pub fn add_language(&mut self, caller: Caller, calls: u64) {
        self.calls += calls;
        match FACTS[LANGUAGES.index()].value(caller.name()) {
            Some(bit) => self.languages |= bit,
            None => self.unknown += calls,
        }
    }

    /// Adds places.
    pub fn add_places(&mut self, places: &Places, counted: &Counted) {
        for (place, calls) in Place::ALL.into_iter().zip(places.calls).filter(|(_, calls)| *calls > 0) {
            match place {
                Place::Vpc => self.network |= FACTS[NETWORK.index()].value("vpc").unwrap_or_default(),
                place => self.add_unclear(place.name(), calls),
            }
        }
        for (network, calls) in &places.networks {
            let name = counted.networks.name(*network);
            match place_of(name) {
                0 => self.add_unclear(name, *calls),
                bits => self.network |= bits,
            }
        }
    }

    fn add_unclear(&mut self, place: &str, calls: u64) {
        self.unclear += calls;
        if !self.places.contains(place) {
            self.places.insert(place.to_owned());
        }
    }

    /// Adds all of another one.
    pub fn add(&mut self, other: &Applications) {
        self.calls += other.calls;
        self.languages |= other.languages;
        self.unknown += other.unknown;
        self.network |= other.network;
        other.places.iter().for_each(|place| self.add_unclear(place, 0));
        self.unclear += other.unclear;
    }
}

/// What the calls of a key tell.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Its operations, as values of the fact; those that block only if a call succeeded.
    pub operations: Bits,
    /// Whether any call was cryptographic.
    pub is_used: bool,
    /// Whether a cloud service used it.
    pub by_service: bool,
    /// What applications did.
    pub applications: Applications,
    /// Operations that block and failed each time, by name, with the number of calls.
    pub only_failed: BTreeMap<String, u64>,
    /// Whether it got another version.
    pub is_versioned: bool,
    /// Whether its material was imported.
    pub is_imported: bool,
}

impl Seen {
    /// Adds the calls of a key.
    pub fn add(&mut self, tally: &KeyTally, counted: &Counted) {
        for OperationCalls { operation, calls, failed } in &tally.operations {
            let name = text(&counted.names.operations, *operation);
            let forbidden = forbidden(name);
            let failed = u64::from(*failed);
            if forbidden != 0 && failed >= *calls {
                *self.only_failed.entry(name.to_owned()).or_default() += calls;
            } else if forbidden != 0 {
                self.operations |= forbidden;
            } else if Purpose::of(name) == Purpose::Cryptographic {
                self.operations |= FACTS[OPERATIONS.index()].value("ordinary").unwrap_or_default();
            }
            let has_succeeded = failed < *calls;
            self.is_versioned |= has_succeeded && name == NEW_VERSION;
            self.is_imported |= has_succeeded && name == IMPORT;
            self.is_used |= Purpose::of(name) == Purpose::Cryptographic;
        }
        for ApplicationCalls { application, calls, .. } in &tally.applications {
            if application.counts() {
                self.applications.add_language(application.caller(), *calls);
            }
            self.by_service |=
                (application.purpose(), application.caller()) == (Purpose::Cryptographic, Caller::Service);
        }
        self.applications.add_places(&tally.places, counted);
    }
}

/// Where a network of that name is, as values of the fact; nothing if the name does not say.
fn place_of(network: &str) -> Bits {
    let is_none = FACTS[NETWORK.index()].none_bit() | agreed(NETWORK);
    observe(Field::Network, Cell::Text(network)).unwrap_or_default() & !is_none
}

/// Whether the name of a network says that it is outside of VPCs.
pub(super) fn is_elsewhere(network: &str) -> bool {
    place_of(network) & !FACTS[NETWORK.index()].value("vpc").unwrap_or_default() != 0
}

/// The value that says that support has agreed.
pub fn agreed(fact: FactId) -> Bits {
    FACTS[fact.index()].value("support-agreed").unwrap_or_default()
}

/// The fact that a call with a key of which nobody knows may change: operations that block count however they ended, what
/// changes a key only if it did.
pub(super) fn concerned(operation: &str, calls: Calls) -> Option<FactId> {
    let has_succeeded = calls.failed < calls.calls;
    match operation {
        operation if forbidden(operation) != 0 => Some(OPERATIONS),
        NEW_VERSION if has_succeeded => Some(VERSIONS),
        IMPORT if has_succeeded => Some(ORIGIN),
        _ => None,
    }
}

/// What gives a key another version.
const NEW_VERSION: &str = "CreateKeyVersion";

/// What gives a key material from outside.
const IMPORT: &str = "ImportKeyMaterial";

/// The value of an operation that blocks the migration; nothing for others.
pub fn forbidden(operation: &str) -> Bits {
    operations(operation).unwrap_or_default() & FORBIDDEN_OPERATIONS
}
