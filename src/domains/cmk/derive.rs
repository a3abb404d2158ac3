//! Facts that follow from others, or are inferred from them.

use super::facts::{self, FACTS};
use super::observe::bit;
use crate::engine::facts::{Bits, Facts, Grade};

/// Sets the facts that follow from others: who manages the key, who uses it, and how many versions it has.
pub fn derive(facts: &mut Facts) {
    derive_key_manager(facts);
    derive_usage(facts);
    derive_application_use(facts);
    derive_versions(facts);
    derive_rotation(facts);
}

/// A key that does not rotate has no next rotation. If one record says that and another, or the same, gives a date that
/// lies ahead, nobody knows; a date in the past was left standing.
fn derive_rotation(facts: &mut Facts) {
    let is_off = facts.get(facts::ROTATION) == bit(facts::ROTATION.index(), "Disabled");
    let is_stated = matches!(facts.grade(facts::ROTATION), Grade::Stated | Grade::Measured);
    if is_off && is_stated && facts.get(facts::ROTATION_EVIDENCE) & facts::ROTATION_AHEAD != 0 {
        facts.conflict(facts::ROTATION);
    }
}

/// A symmetric key that was not rotated since its creation has one version (`LastRotationDate` of a fresh key is the
/// time of its first version; KMS API 2016-01-20, `DescribeKey`), and so have keys with imported material and service
/// keys ("Automatic key rotation"). All of this is inferred; what was only stated and contradicts the dates is a
/// conflict, and so is a single version that was counted if the dates tell of more.
fn derive_versions(facts: &mut Facts) {
    let (one, several) = (bit(facts::VERSIONS.index(), "one"), bit(facts::VERSIONS.index(), "several"));
    let evidence = facts.get(facts::VERSION_EVIDENCE);
    let external = facts.get(facts::ORIGIN) == bit(facts::ORIGIN.index(), "EXTERNAL");
    let service = facts.get(facts::KEY_MANAGER) == bit(facts::KEY_MANAGER.index(), "service");
    let by_dates = match evidence {
        _ if evidence & facts::ROTATED != 0 => several,
        _ if evidence & facts::NOT_ROTATED != 0 => one,
        _ => 0,
    };
    let inferred = match by_dates {
        0 if evidence & facts::ONE_VERSION_LISTED != 0 || external || service => one,
        by_dates => by_dates,
    };
    match (facts.get(facts::VERSIONS), facts.grade(facts::VERSIONS)) {
        (0, Grade::Unknown) => facts.set(facts::VERSIONS, inferred, Grade::Inferred),
        (said, Grade::Stated) if by_dates != 0 && said != by_dates => facts.conflict(facts::VERSIONS),
        // Versions that were counted before the key was rotated.
        (said, Grade::Measured) if said == one && by_dates == several => facts.conflict(facts::VERSIONS),
        _ => {}
    }
}

/// A service alias makes a service key, any other alias or none makes a CMK (seed, "Keys in the consoles
/// of the old version and the new version"); `KeyManagerType` says the same. If they disagree, nobody
/// knows.
fn derive_key_manager(facts: &mut Facts) {
    let service = bit(facts::KEY_MANAGER.index(), "service");
    let customer = bit(facts::KEY_MANAGER.index(), "customer");
    let by_alias = match facts.get(facts::ALIASES) {
        0 => 0,
        held if held & bit(facts::ALIASES.index(), "service") != 0 => service,
        _ => customer,
    };
    let by_type = match facts.get(facts::MANAGER_TYPE) {
        0 => 0,
        held if held == bit(facts::MANAGER_TYPE.index(), "service") => service,
        _ => customer,
    };
    let conflict = [facts::ALIASES, facts::MANAGER_TYPE].iter().any(|fact| facts.grade(*fact) == Grade::Conflict);
    let grade = facts.grade(facts::ALIASES).max(facts.grade(facts::MANAGER_TYPE));
    match (by_alias, by_type) {
        _ if conflict => facts.conflict(facts::KEY_MANAGER),
        (0, manager) | (manager, 0) => facts.set(facts::KEY_MANAGER, manager, grade),
        (alias, kind) if alias == kind => facts.set(facts::KEY_MANAGER, alias, grade),
        _ => facts.set(facts::KEY_MANAGER, 0, Grade::Unknown),
    }
}

/// A use that a scanner found belongs to those that are known. It is no answer to the question who else uses the key, and
/// contradicts that nobody does.
fn derive_usage(facts: &mut Facts) {
    let usage = facts.get(facts::USAGE);
    let is_seen = facts.get(facts::SERVICE_USE) == bit(facts::SERVICE_USE.index(), "seen");
    if !is_seen || usage == 0 {
        return;
    }
    if usage == bit(facts::USAGE.index(), "none") {
        facts.conflict(facts::USAGE);
    } else {
        let grade = facts.grade(facts::USAGE);
        facts.set(facts::USAGE, usage | bit(facts::USAGE.index(), "server-side"), grade);
    }
}

/// Application conditions bind where applications of the owner use the key: the usage says so, or, if
/// it is not known, operations or languages are listed. If the usage names no such application although
/// a language or a place outside the VPCs is listed, or names no use at all although operations are, the
/// usage is believed, but only as an inference.
fn derive_application_use(facts: &mut Facts) {
    let (no, yes) = (bit(facts::APPLICATION_USE.index(), "no"), bit(facts::APPLICATION_USE.index(), "yes"));
    let listed = |fact| match facts.get(fact) {
        0 => None,
        held => Some(held & FACTS[usize::from(fact.0)].none_bit() == 0),
    };
    let (operations, languages) = (listed(facts::OPERATIONS), listed(facts::LANGUAGES));
    let usage = facts.get(facts::USAGE);
    let by_lists = facts.grade(facts::OPERATIONS).max(facts.grade(facts::LANGUAGES));
    let (value, grade) = if facts.grade(facts::USAGE) == Grade::Conflict {
        (0, Grade::Conflict)
    } else if usage & bit(facts::USAGE.index(), "self-managed") != 0 {
        // What a log leaves open is who else uses it.
        let is_seen = facts.grade(facts::USAGE) == Grade::Inferred;
        (yes, if is_seen { Grade::Measured } else { facts.grade(facts::USAGE) })
    } else if usage != 0 {
        let outside = facts.get(facts::NETWORK) & !places_inside() != 0;
        let idle_but_called = usage == bit(facts::USAGE.index(), "none") && operations == Some(true);
        let doubtful = languages == Some(true) || outside || idle_but_called;
        (no, if doubtful { Grade::Inferred } else { facts.grade(facts::USAGE) })
    } else if operations == Some(true) || languages == Some(true) {
        (yes, by_lists)
    } else if operations == Some(false) && languages == Some(false) {
        (no, by_lists)
    } else {
        (0, Grade::Unknown)
    };
    facts.set(facts::APPLICATION_USE, value, grade);
}

/// The places that stand in no application's way.
fn places_inside() -> Bits {
    ["none", "vpc", "support-agreed"].iter().fold(0, |bits, place| bits | bit(facts::NETWORK.index(), place))
}
