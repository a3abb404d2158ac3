//! Why a ticket is not created although its tracker does not have it: what was sent before, and its window.

use jiff::Timestamp;

use super::look::Ticket;
use super::records::{Record, Records, Spot};
use crate::ticket::payload::Payload;

/// So many keys or tickets are named in one reason; the others are counted.
const NAMED: usize = 3;

/// The tickets that a ticket takes the place of, if it may be created.
///
/// # Errors
/// Why it must not be, and what to do.
pub(super) fn superseded<'r>(
    records: &'r Records,
    spot: Spot<'_>,
    payload: &'r Payload,
    supersede: bool,
) -> Result<Vec<&'r Record>, String> {
    if let Some(why) = begun(payload, Timestamp::now()) {
        return Err(why);
    }
    let otherwise = records.divided_otherwise(spot, &payload.mark);
    if !otherwise.is_empty() {
        let shown: Vec<String> = otherwise.iter().map(|record| record.shown()).collect();
        return Err(divided(&shown));
    }
    let naming = records.naming(spot, &payload.mark, &payload.matter);
    if supersede || naming.is_empty() {
        return Ok(naming.into_iter().map(|(record, _)| record).collect());
    }
    let tickets: Vec<String> = naming.iter().map(|(record, _)| record.shown()).collect();
    let mut keys: Vec<&str> = naming.iter().flat_map(|(_, keys)| keys.iter().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    Err(format!(
        "{} of its {} keys are named by what was sent for an earlier plan, {}: {}; if this ticket is to take the place \
         of that, close that one in the tracker, and send this one with --supersede",
        keys.len(),
        payload.matter.keys.len(),
        named(&tickets),
        named(&keys),
    ))
}

/// A window that has begun leaves nobody the time to act.
fn begun(payload: &Payload, now: Timestamp) -> Option<String> {
    let begins = payload.matter.begins.filter(|begins| *begins <= now)?;
    Some(format!(
        "its window began at {begins}, and it is {now:.0} now; plan again, for a window that is still to come"
    ))
}

/// What the tracker has of the same batch or consultation, parted otherwise.
pub(super) fn divided_there(tickets: &[Ticket]) -> String {
    let shown: Vec<&str> = tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    divided(&shown)
}

fn divided<T: AsRef<str>>(shown: &[T]) -> String {
    format!(
        "the same keys were sent before, parted into another number of tickets: {}; make the tickets with the same \
         --lang and --config as then, and with the same version of this program",
        named(shown)
    )
}

/// Some of several, and how many more there are.
fn named<T: AsRef<str>>(all: &[T]) -> String {
    let shown: Vec<&str> = all.iter().take(NAMED).map(AsRef::as_ref).collect();
    match all.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The labels of what a ticket takes the place of, for the ledger.
pub(super) fn labels(records: &[&Record]) -> Vec<String> {
    records.iter().map(|record| record.label().to_owned()).collect()
}

/// What a ticket takes the place of, for people; nothing if it is nothing.
pub(super) fn in_place_of(records: &[&Record]) -> String {
    let shown: Vec<String> = records.iter().map(|record| record.shown()).collect();
    if shown.is_empty() { String::new() } else { format!(", in place of {}", named(&shown)) }
}
