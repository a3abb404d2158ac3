//! What calls tell: operations, languages, places and who made them, as values of facts.

use std::collections::{BTreeMap, BTreeSet};

use super::agent::Caller;
use super::changes::Changes;
use super::collect::{Counted, Entry, text};
use super::place::{Place, Places};
use super::tally::{ApplicationCalls, Calls, OperationCalls, Purpose};
use crate::domains::cell::Cell;
use crate::domains::cmk::facts::{FACTS, LANGUAGES, NETWORK, OPERATIONS, ORIGIN, ROTATION, VERSIONS};
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::observe;
use crate::domains::cmk::operations::{api_name, forbidden, resembles_forbidden};
use crate::domains::cmk::purposes::{MayChange, may_change};
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

    pub(super) fn add_unclear(&mut self, place: &str, calls: u64) {
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

/// What is known of an operation by its name.
#[derive(Debug, Clone, Copy)]
pub struct Meaning {
    /// What it is for.
    pub purpose: Purpose,
    /// The values of the operations that block, if it is one.
    pub forbidden: Bits,
    /// Whether nobody knows it, and its name is like that of one that blocks.
    pub resembles: bool,
    /// What of a key it changes if it succeeds.
    changes: Option<FactId>,
    /// Whether that is known, and not only supposed by its name.
    pub(super) changes_surely: bool,
}

impl Meaning {
    /// That of a name.
    pub fn of(operation: &str) -> Meaning {
        let name = api_name(operation);
        let (purpose, forbidden) = (Purpose::of(&name), forbidden(&name));
        let changes = match &*name {
            "CreateKeyVersion" => Some(VERSIONS),
            // All of them are about imported material (KMS API 2016-01-20).
            "ImportKeyMaterial" | "GetParametersForImport" | "DeleteKeyMaterial" => Some(ORIGIN),
            "UpdateRotationPolicy" => Some(ROTATION),
            _ => None,
        };
        let by_name = || match may_change(&name)? {
            MayChange::Versions => Some(VERSIONS),
            MayChange::Material => Some(ORIGIN),
            MayChange::Rotation => Some(ROTATION),
        };
        let resembles = forbidden == 0 && resembles_forbidden(&name);
        let changes_surely = changes.is_some();
        Meaning { purpose, forbidden, resembles, changes: changes.or_else(by_name), changes_surely }
    }

    /// The fact that calls with a key of which nobody knows may change: operations that block, and those that are like one,
    /// count however they ended, what changes a key only if it did.
    pub fn concerns(self, calls: Calls) -> Option<FactId> {
        if self.forbidden != 0 || self.resembles {
            Some(OPERATIONS)
        } else {
            self.changes.filter(|_| calls.failed < calls.calls)
        }
    }
}

/// What is known of all operations of a log, by their numbers.
#[derive(Debug, Default)]
pub struct Meanings(Vec<Meaning>);

impl Meanings {
    /// Those of a log.
    pub fn new(counted: &Counted) -> Meanings {
        Meanings(counted.names.operations.things.iter().map(|name| Meaning::of(name)).collect())
    }

    /// That of an operation.
    pub fn of(&self, operation: u32) -> Meaning {
        self.0.get(operation as usize).copied().unwrap_or_else(|| Meaning::of(""))
    }
}

/// What the calls of a key tell.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Its operations, as values of the fact; those that block only if a call succeeded.
    pub operations: Bits,
    /// Whether any call may have been cryptographic.
    pub is_used: bool,
    /// Whether a cloud service used it.
    pub by_service: bool,
    /// What applications did.
    pub applications: Applications,
    /// What applications called of which nobody knows whether it uses the key.
    pub supposed: Applications,
    /// Operations that nobody knows, by name, with the number of calls.
    pub unknown: BTreeMap<String, u64>,
    /// Those whose name is like that of one that blocks.
    pub resembling: BTreeMap<String, u64>,
    /// Operations that block and failed each time, by name, with the number of calls.
    pub only_failed: BTreeMap<String, u64>,
    /// Whether it got another version.
    pub is_versioned: bool,
    /// Whether its material was imported.
    pub is_imported: bool,
    /// Operations that nobody knows, and that may change what blocks by their names, with what and the number of calls.
    pub may_change: BTreeMap<String, (FactId, u64)>,
    /// What the log shows of its rotation, and whether it can be used.
    pub(super) changes: Changes,
}

impl Seen {
    /// Adds the calls of a key.
    pub fn add(&mut self, entry: &Entry, counted: &Counted, meanings: &Meanings) {
        let tally = &entry.tally;
        for OperationCalls { operation, calls, failed } in &tally.operations {
            let (name, meaning) = (text(&counted.names.operations, *operation), meanings.of(*operation));
            let has_succeeded = u64::from(*failed) < *calls;
            let count = |of: &mut BTreeMap<String, u64>| *of.entry(name.to_owned()).or_default() += calls;
            match meaning {
                Meaning { resembles: true, .. } => count(&mut self.resembling),
                Meaning { forbidden: 0, purpose: Purpose::Supposed, .. } if has_succeeded => count(&mut self.unknown),
                Meaning { forbidden: 0, purpose: Purpose::Cryptographic, .. } => {
                    self.operations |= FACTS[OPERATIONS.index()].value("ordinary").unwrap_or_default();
                }
                Meaning { forbidden: 0, .. } => {}
                _ if !has_succeeded => count(&mut self.only_failed),
                Meaning { forbidden, .. } => self.operations |= forbidden,
            }
            match meaning.changes.filter(|_| has_succeeded) {
                Some(fact) if !meaning.changes_surely => {
                    self.may_change.entry(name.to_owned()).or_insert((fact, 0)).1 += calls;
                }
                Some(VERSIONS) => self.is_versioned = true,
                Some(ORIGIN) => self.is_imported = true,
                _ => {}
            }
            self.is_used |= meaning.purpose.may_use();
        }
        for ApplicationCalls { application, calls, .. } in &tally.applications {
            match application.purpose() {
                Purpose::Cryptographic if application.counts() => {
                    self.applications.add_language(application.caller(), *calls)
                }
                Purpose::Supposed if application.may_count() => {
                    self.supposed.add_language(application.caller(), *calls)
                }
                _ => {}
            }
            self.by_service |=
                (application.purpose(), application.caller()) == (Purpose::Cryptographic, Caller::Service);
        }
        self.applications.add_places(&tally.places, counted);
        if let Some(changes) = counted.changes(entry) {
            self.changes.merge(changes);
            self.is_imported |= changes.is_external;
            // A secret is read by whoever needs it, and the cloud decrypts it then.
            self.by_service |= changes.holds_secrets;
            self.is_used |= changes.holds_secrets;
        }
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
