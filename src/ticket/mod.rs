//! Tickets of a plan: one payload for each batch and consultation, in the form of a tracker.
//!
//! [`tickets`] refuses what would make a wrong ticket, writes the content once (`text`, filled by `migration` and
//! `consult`), and splits the keys where a tracker's limits ask for it (`split`); the files of trackers only render.
//! [`submit`] sends them, each exactly once.

mod adf;
mod alibaba;
mod consult;
mod email;
mod github;
mod gitlab;
mod jira;
mod limits;
mod markdown;
mod migration;
pub mod options;
pub mod payload;
mod refuse;
mod roundup;
mod rt;
mod servicenow;
mod split;
pub mod submit;
mod text;
mod times;
mod wiki;
mod zendesk;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::engine::facts::Lang;
use crate::plan::model::{Batch, Plan, PlannedKey};
use crate::plan::work::{Consultation, ConsultedKey};
use crate::write::safe::{file_name, visible};

use migration::{Migration, restore_commands};
use options::Options;
use payload::{MIGRATION, Mark, Matter, Payload, Tracker};
use split::Draft;
use text::Ticket;
use times::Times;

/// The tickets of a plan, and what got none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tickets {
    /// The tickets: of the batches in their order, then of the consultations.
    pub payloads: Vec<Payload>,
    /// Batches and consultations that got none.
    pub refusals: Vec<Refusal>,
}

/// Why a batch or consultation got no ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is: the batch by its name, or the consultation by its title.
    pub what: String,
    /// All reasons, in English, a clause each; texts of the plan in them are made safe to show.
    pub reasons: Vec<String>,
}

/// Makes the tickets of a plan.
///
/// What a tracker demands beyond the plan is not asked for here: see [`Options::demand`].
///
/// # Errors
/// Why there can be none of the plan at all: its format is another, or it was changed after it was written.
pub fn tickets(plan: &Plan, tracker: Tracker, lang: Lang, options: &Options) -> Result<Tickets, String> {
    if let Some(problem) = refuse::plan_problem(plan) {
        return Err(problem);
    }
    let as_of = plan.as_of.parse::<Timestamp>().map_err(|error| error.to_string())?;
    let mut desk = Desk { plan, tracker, lang, options, as_of, names: BTreeSet::new(), made: Tickets::default() };
    let mut restore = restore_commands(plan);
    for batch in &plan.batches {
        let parts = desk.batch(batch, restore.remove(batch.id.as_str()).unwrap_or_default());
        let stem = file_name(&batch.id);
        let stem = if stem == batch.id && !stem.contains('_') { format!("batch-{stem}") } else { "batch".to_owned() };
        desk.keep(parts, &stem, || format!("batch {}", visible(&batch.id)));
    }
    for consultation in &plan.consultations {
        let parts = desk.consultation(consultation);
        let account = consultation.account_id.as_deref().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
        let rule = if is_plain(&consultation.rule) { &consultation.rule } else { "ask-support" };
        let stem = account.map_or_else(|| rule.to_owned(), |account| format!("{rule}-{account}"));
        desk.keep(parts, &stem, || format!("consultation \"{}\"", visible(&consultation.title.en)));
    }
    Ok(desk.made)
}

/// An account, if it is named.
fn known(account_id: &Option<String>) -> Option<String> {
    account_id.clone().filter(|id| !id.is_empty())
}

/// Whether a text may stand in a name of a file as it is.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 60 && text.bytes().all(plain)
}

/// Where tickets are written, one after another.
struct Desk<'p> {
    plan: &'p Plan,
    tracker: Tracker,
    lang: Lang,
    options: &'p Options,
    as_of: Timestamp,
    names: BTreeSet<String>,
    made: Tickets,
}

/// The parts of a ticket, or why there are none.
type Parts = Result<Vec<(Mark, Draft, Matter)>, Vec<String>>;

impl<'p> Desk<'p> {
    fn batch(&self, batch: &'p Batch, restore: Vec<(String, Vec<&'p str>)>) -> Parts {
        let reasons = refuse::batch_problems(self.plan, batch);
        let (Some(window), Some(destination), true) = (&batch.window, &batch.destination, reasons.is_empty()) else {
            return Err(reasons);
        };
        let times = Times::of(window).map_err(|reason| vec![reason])?;
        let begins = times.start;
        let migration = Migration { plan: self.plan, batch, destination, times, restore, lang: self.lang };
        let keys: Vec<&PlannedKey> = batch.keys.iter().collect();
        let matter = |keys: &[&PlannedKey]| Matter {
            about: MIGRATION.to_owned(),
            keys: keys.iter().map(|key| key.key_id.clone()).collect(),
            account: known(&batch.account_id),
            begins: Some(begins),
        };
        self.split(&keys, &batch.digest, |keys, mark| migration.ticket(keys, mark), matter)
    }

    fn consultation(&self, consultation: &Consultation) -> Parts {
        let reasons = refuse::consultation_problems(consultation);
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let ticket = |keys: &[_], mark: &Mark| consult::ticket(self.plan, consultation, self.lang, keys, mark);
        let matter = |keys: &[ConsultedKey]| Matter {
            about: consultation.rule.clone(),
            keys: keys.iter().map(|key| key.key_id.clone()).collect(),
            account: known(&consultation.account_id),
            begins: None,
        };
        self.split(&consultation.keys, &consultation.digest, ticket, matter)
    }

    fn split<K>(
        &self,
        keys: &[K],
        digest: &str,
        ticket: impl Fn(&[K], &Mark) -> Ticket,
        matter: impl Fn(&[K]) -> Matter,
    ) -> Parts {
        let parts = split::parts(keys, digest, |keys, mark| self.draft(&ticket(keys, mark))).map_err(|measure| {
            vec![format!("it does not fit into {}, not even with one key a ticket: {measure}", self.tracker.name())]
        })?;
        Ok(parts.into_iter().map(|part| (part.mark, part.draft, matter(part.keys))).collect())
    }

    /// A ticket in the form of the tracker.
    fn draft(&self, ticket: &Ticket) -> Draft {
        let options = self.options;
        match self.tracker {
            Tracker::Alibaba => alibaba::draft(ticket, options),
            Tracker::ServicenowChange => servicenow::change(ticket, options),
            Tracker::ServicenowIncident => servicenow::incident(ticket, options),
            Tracker::JiraCloud => jira::cloud(ticket, options),
            Tracker::JiraDc => jira::data_center(ticket, options),
            Tracker::Zendesk => zendesk::draft(ticket, options),
            Tracker::Github => github::draft(ticket, options),
            Tracker::Gitlab => gitlab::draft(ticket, options),
            Tracker::Rt => rt::draft(ticket, options),
            Tracker::Roundup => roundup::draft(ticket, options),
            Tracker::Email => email::draft(ticket, options, self.as_of),
            Tracker::Markdown => markdown::draft(ticket),
        }
    }

    /// Keeps the parts as payloads, or the reasons as a refusal.
    fn keep(&mut self, parts: Parts, stem: &str, what: impl Fn() -> String) {
        let parts = match parts {
            Ok(parts) => parts,
            Err(reasons) => return self.made.refusals.push(Refusal { what: what(), reasons }),
        };
        for (mark, Draft { title, body, .. }, matter) in parts {
            let name = self.name(stem, &mark);
            self.made.payloads.push(Payload { tracker: self.tracker, name, mark, title, body, matter });
        }
    }

    /// A name that no other ticket has.
    fn name(&mut self, stem: &str, mark: &Mark) -> String {
        let mut name = stem.to_owned();
        if mark.parts > 1 {
            let digits = mark.parts.to_string().len();
            name = format!("{stem}-part-{:0digits$}-of-{}", mark.part, mark.parts);
        }
        if stem == "batch" || self.names.contains(&name) {
            name = format!("{name}-{}", mark.label());
        }
        // The same batch twice is the same ticket twice, which a wrong plan may still have.
        let mut again = name.clone();
        for number in 2.. {
            if self.names.insert(again.clone()) {
                break;
            }
            again = format!("{name}-{number}");
        }
        again
    }
}
