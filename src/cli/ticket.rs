//! `ticket`: a plan to tickets, as files, on standard output, or to the tracker.

use std::path::{Path, PathBuf};

use crate::ticket::options::Options;
use crate::ticket::payload::{Body, Payload, Tracker};
use crate::ticket::{Refusal, tickets};
use crate::write::safe::json_lines;

use super::exit::Exit;
use super::job;
use super::output::{Ink, say, write_to};
use super::run::{Failure, at_path, set_colour};
use super::ticket_args::Ticket;
use super::whole::{self, SHORT, shown, text_of};

pub(super) fn run(command: &Ticket) -> Result<Exit, Failure> {
    set_colour(command.talk.color);
    let config = command.config.as_deref();
    let options = config.map_or_else(|| Ok(Options::default()), options)?;
    // The category can be looked up by whoever may send.
    if !(command.submit.submit && command.tracker == Tracker::Alibaba) {
        options.demand(command.tracker).map_err(Failure::Usage)?;
    }
    let plan = whole::plan(&command.plan, command.max_input)?;
    let made = tickets(&plan, command.tracker, job::language(command.lang), &options)
        .map_err(|why| Failure::Failed(format!("{} gives no tickets: {why}", shown(&command.plan))))?;
    match &command.output {
        Some(folder) => write_files(&made.payloads, folder, &[Some(command.plan.as_path()), config])?,
        None if command.submit.submit => {}
        None => write_to(None, Ink::Data, |out| {
            made.payloads.iter().try_for_each(|payload| out.write_all(printed(payload).as_bytes()))
        })?,
    }
    made.refusals.iter().for_each(tell);
    if !command.talk.quiet {
        let done = if command.submit.submit && command.output.is_none() { "made" } else { "written" };
        say(&format!("{} ticket(s) {done}, {} refused", made.payloads.len(), made.refusals.len()));
    }
    if command.submit.submit && command.submit.run(&command.plan, command.tracker, &made.payloads)? == Exit::Failed {
        return Ok(Exit::Failed);
    }
    Ok(if made.refusals.is_empty() { Exit::Done } else { Exit::Rejects })
}

fn options(path: &Path) -> Result<Options, Failure> {
    let text = text_of(path, SHORT, None)?;
    Options::read(&text).map_err(|why| Failure::Usage(format!("{}: {why}", shown(path))))
}

/// The ending of a ticket's file.
fn ending(payload: &Payload) -> &'static str {
    match (&payload.body, payload.tracker.name()) {
        (Body::Text(_), "email") => "eml",
        (Body::Text(_), _) => "md",
        (Body::Json(_) | Body::Form(_), _) => "json",
    }
}

/// A body as JSON on one line or several; text as it is.
fn written(payload: &Payload, lines: fn(&serde_json::Value) -> String) -> String {
    let json = |value: &serde_json::Value| format!("{}\n", json_lines(&lines(value)));
    match &payload.body {
        Body::Text(text) => text.clone(),
        Body::Json(value) => json(value),
        Body::Form(parameters) => {
            let member = |(name, value): &(String, String)| (name.clone(), value.clone().into());
            json(&serde_json::Value::Object(parameters.iter().map(member).collect()))
        }
    }
}

/// A ticket on standard output: a line of JSON; texts with a blank line behind each.
fn printed(payload: &Payload) -> String {
    let text = written(payload, |value| value.to_string());
    if matches!(payload.body, Body::Text(_)) { format!("{text}\n") } else { text }
}

/// Writes each ticket to a file of the folder, and nowhere else.
fn write_files(payloads: &[Payload], folder: &Path, inputs: &[Option<&Path>]) -> Result<(), Failure> {
    let failed = |path: &Path, error| at_path(error, Some(path));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let paths: Vec<PathBuf> =
        payloads.iter().map(|payload| folder.join(format!("{}.{}", payload.name, ending(payload)))).collect();
    let inputs: Vec<PathBuf> = inputs.iter().flatten().filter_map(|path| path.canonicalize().ok()).collect();
    for path in &paths {
        let Ok(there) = std::fs::symlink_metadata(path) else { continue };
        // A link may lead anywhere.
        if !there.is_file() {
            return Err(Failure::Failed(format!("cannot write {}: something else than a file is there", shown(path))));
        }
        if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
            let message = format!("-o and an input are the same place: {}; name another folder", shown(path));
            return Err(Failure::Usage(message));
        }
    }
    for (payload, path) in payloads.iter().zip(&paths) {
        let text = written(payload, |value| format!("{value:#}"));
        write_to(Some(path), Ink::Data, |out| out.write_all(text.as_bytes())).map_err(|error| failed(path, error))?;
    }
    tell_others(folder, &paths);
    Ok(())
}

/// Files that an earlier plan may have left there, which somebody may take for tickets of this one.
fn tell_others(folder: &Path, written: &[PathBuf]) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let paths = entries.flatten().map(|entry| entry.path());
    let is_ticket =
        |path: &PathBuf| path.extension().is_some_and(|end| ["json", "eml", "md"].iter().any(|kind| end == *kind));
    let others = paths.filter(is_ticket).filter(|path| !written.contains(path)).count();
    if others > 0 {
        say(&format!("note: {} has {others} more file(s) that may be tickets of another plan", shown(folder)));
    }
}

fn tell(refusal: &Refusal) {
    for reason in &refusal.reasons {
        say(&format!("error: no ticket for {}: {reason}", refusal.what));
    }
}
