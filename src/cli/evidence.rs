//! Audit logs beside an inventory.

use std::path::PathBuf;

use super::args::{Read, Talk};
use super::job::Reading;
use super::output::say;
use super::run::Failure;
use super::usage::{LogsOf, results};
use super::usage_args;
use crate::inventory::row::{FileId, Place, Reject};
use crate::inventory::survey::Survey;
use crate::usage::collect::Detail;
use crate::usage::doubt::Demands;
use crate::usage::evidence::Evidence;

/// So much of each log is read, after inflating it, unless somebody says otherwise.
const MOST: u64 = 1 << 40;

/// What could not be read, for people.
pub(super) struct Lost {
    /// The file.
    pub(super) name: String,
    /// The line; 0 if it is not known, or the file as a whole is meant.
    pub(super) line: u64,
    /// Why.
    pub(super) why: String,
}

/// Standard input comes once.
///
/// # Errors
/// It is named several times.
pub(super) fn refuse_standard_input_twice(inputs: &[PathBuf], arguments: &usage_args::Evidence) -> Result<(), Failure> {
    let has = |paths: &[PathBuf]| paths.iter().any(|path| path.as_os_str() == "-");
    let each = [inputs, &arguments.usage, &arguments.events];
    match each.into_iter().filter(|paths| has(paths)).count() {
        0 | 1 => Ok(()),
        _ => Err(Failure::Usage("standard input (`-`) can be read once; name files instead".to_owned())),
    }
}

/// What audit logs tell of the keys of a survey, if there are any, and the first of what could not be read of the logs.
///
/// # Errors
/// Logs or results of `usage` cannot be read.
pub(super) fn read(
    arguments: &usage_args::Evidence,
    read: &Read,
    survey: &Survey,
    reading: &Reading,
    talk: &Talk,
) -> Result<(Option<Evidence>, Vec<Lost>), Failure> {
    let (usage, events) = (&arguments.usage, &arguments.events);
    if !arguments.is_any() && arguments.networks.is_none() {
        return Ok((None, Vec::new()));
    }
    let networks = arguments.networks.as_deref();
    if networks.is_some() && events.is_empty() {
        let why = "--networks names addresses while logs are read: give it to `cmkdiag usage`, or use --events";
        return Err(Failure::Usage(why.to_owned()));
    }
    let logs = match events.is_empty() {
        true => None,
        false => {
            let may_be_broken = false;
            let logs = LogsOf {
                paths: events,
                networks,
                max_input: read.max_input.unwrap_or(MOST),
                jobs: reading.jobs,
                may_be_broken,
                detail: Detail::Result,
                talk,
            };
            Some(logs.count()?)
        }
    };
    let (logs, lost) = logs.unzip();
    let counted = match (logs, usage.is_empty()) {
        (Some(counted), true) => counted,
        (logs, _) => results(usage, logs.as_ref(), talk.quiet)?,
    };
    let duplicates = counted.rest.account.duplicates;
    if duplicates > 0 && !talk.quiet {
        say(&format!("note: {duplicates} deliveries of events were repeated, and count once"));
    }
    let (days, silent_hours) = (arguments.min_window, arguments.max_gap);
    let demands = Demands { days, silent_hours, now: reading.now.as_second() };
    Ok((Some(Evidence::new(counted, demands, survey)), lost.unwrap_or_default()))
}

/// What was lost of logs, as rejects behind those of so many files of the inventory, and the names of all files.
pub(super) fn rejects(files: &[String], lost: Vec<Lost>) -> (Vec<Reject>, Vec<String>) {
    let mut files = files.to_vec();
    let mut rejects = Vec::new();
    for Lost { name, line, why } in lost {
        let known = files.iter().rposition(|known| *known == name);
        let number = known.unwrap_or_else(|| {
            files.push(name);
            files.len() - 1
        });
        rejects.push(Reject::whole(Place { file: number as FileId, line }, why));
    }
    (rejects, files)
}
