//! What the dates of a key's creation and last rotation tell of the number of its versions.

use std::collections::BTreeSet;

use crate::domains::cmk::facts::{NOT_ROTATED, ROTATED, SYMMETRIC};
use crate::domains::cmk::fields::Field;
use crate::engine::facts::Bits;

use super::clock::{Order, Unclear, WhyUnclear, is_never, parse_time, time_in};

/// Rotation intervals are at least 7 days (KMS API, `UpdateRotationPolicy`), so times that differ by less than two mean
/// the same moment in other time zones, and by six or more another.
const SAME: jiff::SignedDuration = jiff::SignedDuration::from_hours(2 * 24);
const LATER: jiff::SignedDuration = jiff::SignedDuration::from_hours(6 * 24);

/// There was no KMS then: an earlier date is how programs write that there is none (year 1, or the first second of 1970).
const BEFORE_KMS: jiff::Timestamp = jiff::Timestamp::constant(1_262_304_000, 0);

/// The dates of creation and last rotation of a key, as inventories write them, and what decides how much they tell.
#[derive(Debug, Clone, Copy)]
pub struct Dates<'a> {
    /// `created`.
    pub created: &'a str,
    /// `last_rotation`.
    pub last: &'a str,
    /// The key spec as far as it is known.
    pub spec: Bits,
    /// Whether a primary version is named.
    pub has_primary: bool,
}

impl Dates<'_> {
    /// What the dates tell of the number of versions. Day and month may stand in either order, which is the same in both
    /// dates; what matters is only whether that makes a difference.
    ///
    /// # Errors
    /// One of the dates says too little.
    pub fn evidence(&self) -> Result<Bits, Unclear> {
        if is_never(self.last) {
            return Ok(0);
        }
        let tells = |(created, last)| counted(evidence_between(created, last), self.spec, self.has_primary);
        if let Some(times) = parse_time(self.created).zip(parse_time(self.last)) {
            return Ok(tells(times));
        }
        let mut told = Order::BOTH.into_iter().filter_map(|order| {
            let times = time_in(self.created, order).zip(time_in(self.last, order));
            times.map(tells)
        });
        let Some(evidence) = told.next() else {
            let is_to_blame = is_time(self.last) && !is_time(self.created);
            let field = if is_to_blame { Field::Created } else { Field::LastRotation };
            return Err(Unclear { field, why: WhyUnclear::NoTime });
        };
        match told.all(|other| other == evidence) {
            true => Ok(evidence),
            false => Err(Unclear { field: Field::LastRotation, why: WhyUnclear::Order }),
        }
    }
}

/// What of the evidence counts.
fn counted(evidence: Bits, spec: Bits, has_primary: bool) -> Bits {
    // Only symmetric keys have a primary version, and only they rotate.
    let is_symmetric = spec & SYMMETRIC != 0 || spec == 0 && has_primary;
    let is_asymmetric = spec & !SYMMETRIC != 0;
    match evidence {
        // What is green needs more than what is not.
        NOT_ROTATED if !is_symmetric => 0,
        _ if is_asymmetric => 0,
        evidence => evidence,
    }
}

/// What the dates of creation and last rotation tell that different records of one key give: the first creation and the
/// last rotation count, of those that are any.
///
/// # Errors
/// One of them says too little.
pub fn evidence_apart(
    created: &BTreeSet<&str>,
    last: &BTreeSet<&str>,
    spec: Bits,
    has_primary: bool,
) -> Result<Bits, Unclear> {
    let last: BTreeSet<&str> = last.iter().copied().filter(|last| !is_never(last)).collect();
    if created.is_empty() || last.is_empty() {
        return Ok(0);
    }
    // Each is a time in this order of day and month, or nothing follows from the order.
    let times = |texts: &BTreeSet<&str>, order| {
        let times = texts.iter().map(|text| time_in(text, order)).collect::<Option<Vec<_>>>();
        times.map(|times| times.into_iter().filter(|time| *time >= BEFORE_KMS).collect::<Vec<_>>())
    };
    let mut told = Order::BOTH.into_iter().filter_map(|order| {
        let (created, last) = (times(created, order)?, times(&last, order)?);
        let extremes = created.into_iter().min().zip(last.into_iter().max());
        Some(extremes.map_or(0, |(created, last)| counted(evidence_between(created, last), spec, has_primary)))
    });
    let unclear = |why| Unclear { field: Field::LastRotation, why };
    let evidence = told.next().ok_or(unclear(WhyUnclear::NoTime))?;
    if told.all(|other| other == evidence) { Ok(evidence) } else { Err(unclear(WhyUnclear::Order)) }
}

/// Whether a text is a time in one order of day and month or the other.
fn is_time(text: &str) -> bool {
    Order::BOTH.into_iter().any(|order| time_in(text, order).is_some())
}

fn evidence_between(created: jiff::Timestamp, last: jiff::Timestamp) -> Bits {
    if created < BEFORE_KMS || last < BEFORE_KMS {
        return 0;
    }
    let between = last.duration_since(created);
    if between >= LATER {
        ROTATED
    } else if between.abs() < SAME {
        NOT_ROTATED
    } else {
        0
    }
}
