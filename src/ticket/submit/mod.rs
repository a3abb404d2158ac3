//! Sends tickets, each exactly once.
//!
//! ```text
//! ledger ──► look up by mark ──► "sending" ──► create ──► what became of it
//! sent       the tracker has     on the disk   one call   on the disk
//! before?    it already?         first
//! ```
//!
//! What was sent in other parts, or for an earlier plan of the same keys, stands in the way, and so does a window that has
//! begun (`obstacles`, by the `records` of the ledger and by what `look` finds).
//!
//! Between two lines of the ledger nobody knows whether the ticket exists: the tracker is asked, and as long as it does not
//! say, nothing is sent. A call is made again only where nothing can have happened: there was no connection, or it was turned
//! away with 429. A tracker may be slow and its search may lag, so a "no" counts only when it had time to become a "yes".

mod create;
mod engine;
pub mod error;
mod kept;
pub mod ledger;
mod look;
mod marks;
mod obstacles;
mod pauses;
mod records;
mod rest;
mod roundup;
pub mod settings;
pub mod target;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use error::SubmitError;
pub use look::Ticket;
pub use settings::Settings;
pub use target::Target;

use super::payload::Payload;
use engine::Sender;
use ledger::Ledger;
use marks::marked;
use obstacles::{in_place_of, superseded};
use records::{Spot, Standing};

/// What became of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// A dry run would send it.
    WouldSend,
    /// The ledger has it, as the tracker calls it: nothing was asked or sent.
    Sent(String),
    /// The tracker had it already.
    Found(Ticket),
    /// It was created.
    Created(Ticket),
    /// It was not created, and why; the next run tries again.
    NotSent(String),
    /// It may have been created: no answer came, and the tracker does not say. The next run asks again and sends nothing
    /// before it knows.
    Unknown(String),
    /// It was not tried, as what went wrong before concerns all.
    NotTried,
}

impl Fate {
    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        match self {
            Fate::WouldSend | Fate::Sent(_) => true,
            Fate::Found(ticket) | Fate::Created(ticket) => ticket.remarks.is_empty(),
            Fate::NotSent(_) | Fate::Unknown(_) | Fate::NotTried => false,
        }
    }
}

/// What became of all tickets, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The name of each ticket, and what became of it.
    pub fates: Vec<(String, Fate)>,
}

impl Outcome {
    /// Whether nothing is left to do; otherwise the run has failed.
    pub fn is_done(&self) -> bool {
        self.fates.iter().all(|(_, fate)| fate.is_done())
    }

    /// Whether a dry run found something to send.
    pub fn would_send(&self) -> bool {
        self.fates.iter().any(|(_, fate)| matches!(fate, Fate::WouldSend))
    }

    /// The outcome in one line.
    pub fn summary(&self) -> String {
        let count = |is: fn(&Fate) -> bool| self.fates.iter().filter(|(_, fate)| is(fate)).count();
        let counts = [
            (count(|fate| matches!(fate, Fate::WouldSend)), "would be sent"),
            (count(|fate| matches!(fate, Fate::Created(_))), "created"),
            (count(|fate| matches!(fate, Fate::Sent(_) | Fate::Found(_))), "there already"),
            (count(|fate| matches!(fate, Fate::NotSent(_))), "not sent"),
            (count(|fate| matches!(fate, Fate::Unknown(_))), "unknown"),
            (count(|fate| matches!(fate, Fate::NotTried)), "not tried"),
        ];
        let shown = counts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}"));
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() { "no tickets".to_owned() } else { format!("tickets: {}", shown.join(" · ")) }
    }
}

/// What somebody wants to be done with tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Intent {
    /// They are to be sent; otherwise it is only said what would be sent where.
    pub yes: bool,
    /// They take the place of tickets of earlier plans that name the same keys; otherwise such are not sent.
    pub supersede: bool,
}

/// Sends the tickets to a target, or says what would be sent where. `say` gets one line at a time.
///
/// Must not be called from a thread that already runs asynchronous tasks.
///
/// # Errors
/// Nothing could be sent, or the ledger could not be written: then what was sent last may be missing in it, and the next run
/// asks the tracker.
pub fn run(
    payloads: &[Payload],
    target: &Target,
    ledger: &Path,
    intent: Intent,
    say: &mut dyn FnMut(&str),
) -> Result<Outcome, SubmitError> {
    check_trackers(payloads, target)?;
    if !intent.yes {
        return dry_run(payloads, target, &Ledger::look_at(ledger)?, intent.supersede, say);
    }
    let mut ledger = Ledger::open(ledger)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| SubmitError::Start { reason: error.to_string() })?;
    let outcome = runtime.block_on(Sender::new(target, &mut ledger, intent.supersede, say).send_all(payloads));
    // Does not wait for a resolver that still looks for a name after the time was up.
    runtime.shutdown_background();
    outcome
}

fn check_trackers(payloads: &[Payload], target: &Target) -> Result<(), SubmitError> {
    match payloads.iter().find(|payload| payload.tracker != target.tracker) {
        None => Ok(()),
        Some(other) => Err(SubmitError::OtherTracker {
            name: other.name.clone(),
            made: other.tracker.name(),
            tracker: target.tracker.name(),
        }),
    }
}

fn dry_run(
    payloads: &[Payload],
    target: &Target,
    ledger: &Ledger,
    supersede: bool,
    say: &mut dyn FnMut(&str),
) -> Result<Outcome, SubmitError> {
    let mut outcome = Outcome::default();
    for payload in payloads {
        let (fate, words) = forecast(payload, target, ledger, supersede);
        say(&format!("{}: {words}", payload.name));
        outcome.fates.push((payload.name.clone(), fate));
    }
    Ok(outcome)
}

/// What would become of a ticket as far as can be told without a call, and the words for it.
fn forecast(payload: &Payload, target: &Target, ledger: &Ledger, supersede: bool) -> (Fate, String) {
    let (place, label) = (target.place(payload.matter.account.as_deref()), payload.mark.label());
    let (spot, records) = (Spot { tracker: target.tracker.name(), place: &place }, ledger.records());
    if let Err(why) = marked(payload) {
        let words = format!("cannot be sent: {why}");
        return (Fate::NotSent(why), words);
    }
    match records.standing(spot, &label) {
        Standing::Exists { ticket, remarks } if remarks.is_empty() || records.replacement(spot, &label).is_some() => {
            let fate = sent_before(ticket, records.replacement(spot, &label));
            let words = match &fate {
                Fate::Sent(ticket) => format!("sent before, as {ticket}"),
                Fate::NotSent(why) => format!("would not be sent: {why}"),
                _ => String::new(),
            };
            (fate, words)
        }
        Standing::Exists { ticket, remarks } => {
            let words = format!("sent before, as {ticket}, which would be read again: {}", remarks.join("; "));
            (Fate::Found(Ticket { id: ticket, url: None, remarks }), words)
        }
        Standing::Doubt(since) => {
            let asked = format!("sent at {since}, and no answer is known: {place} would be asked");
            match superseded(records, spot, payload, supersede) {
                Ok(_) => (Fate::WouldSend, format!("{asked} before it is sent")),
                Err(why) => (Fate::NotSent(why.clone()), format!("{asked}, and it would not be sent: {why}")),
            }
        }
        Standing::Free => match superseded(records, spot, payload, supersede) {
            Ok(old) => {
                let words = format!("would be sent to {place}{}: {} ({label})", in_place_of(&old), payload.title);
                (Fate::WouldSend, words)
            }
            Err(why) => {
                let words = format!("would not be sent: {why}");
                (Fate::NotSent(why), words)
            }
        },
    }
}

/// What is to be said of a ticket that exists; one whose place another has taken since was to be closed.
fn sent_before(ticket: String, replacement: Option<&records::Record>) -> Fate {
    match replacement {
        Some(new) => Fate::NotSent(format!(
            "it was sent before, as {ticket}, and since then {} took its place; if this one is to count again, open {ticket} again in \
             the tracker and close the other, or plan again, for another window",
            new.shown()
        )),
        None => Fate::Sent(ticket),
    }
}
