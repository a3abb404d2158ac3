//! `plan`: a diagnosis to batches, windows and lists of work.

use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use super::account::{tell_notes, tell_rejects, write_rejects};
use super::exit::Exit;
use super::job::{self, Reading};
use super::output::{Ink, say, write_to};
use super::plan_args::{Plan as Command, PlanFormat};
use super::run::{self, Failure};
use super::whole::{self, SHORT, shown, text_of};
use super::{evidence, usage};
use crate::diagnose::Diagnosis;
use crate::domains::cmk::CMK;
use crate::engine::facts::Lang;
use crate::inventory::intake::Keep;
use crate::plan::calendar::Calendar;
use crate::plan::instance::{self, Instance};
use crate::plan::make::{Wanted, plan};
use crate::plan::model::Plan;
use crate::plan::work::{ListName, Problem, Severity};
use crate::plan::{calendar_file, check, runbook, tables, text};
use crate::write::safe::json_lines;

/// Plans have no more bytes.
const PLAN: u64 = 1 << 30;

/// Makes a plan, or checks one.
///
/// # Errors
/// Something cannot be read or written, or is not understood.
pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    run::set_colour(command.talk.color);
    let lang = job::language(command.judge.lang);
    let book = job::rulebook(&CMK, command.judge.edition.as_deref(), command.judge.rules.as_ref())?;
    let settings = job::settings(&book, &command.judge).map_err(Failure::Usage)?;
    let now = job::now(&command.judge).map_err(Failure::Usage)?;
    let reading = Reading { has_logs: command.evidence.is_any(), ..Reading::new(&command.read, Keep::Used, now) };
    refuse_written_inputs(command)?;
    evidence::refuse_standard_input_twice(&command.inputs, &command.evidence)?;
    let wanted = Wanted {
        now,
        instances: destinations(&command.how.destinations, command.read.input_encoding)?,
        calendar: command.how.calendar.as_deref().map(calendar).transpose()?,
        window: command.how.window_length,
        keys_per_batch: command.how.keys_per_batch,
        earlier: command.how.keep.as_deref().map(kept).transpose()?,
    };
    let approved = command.how.check.as_deref().map(|path| whole::plan(path, PLAN)).transpose()?;
    let survey = run::read(&command.inputs, &book, &reading, &command.talk)?;
    let (told, lost) = evidence::read(&command.evidence, &command.read, &survey, &reading, &command.talk)?;
    let diagnosis = Diagnosis::with_evidence(book, survey, told, settings);
    if diagnosis.survey.is_empty() {
        say("error: no usable record; every record needs at least a key_id (or arn)");
        return Ok(Exit::Failed);
    }
    let problems = match &approved {
        Some(approved) => {
            let problems = check::check(approved, &diagnosis, &wanted);
            tell_check(approved, &problems, lang)?;
            problems
        }
        None => {
            let plan = plan(&diagnosis, &wanted);
            write(&plan, command, lang)?;
            plan.problems
        }
    };
    let (lost, files) = evidence::rejects(&diagnosis.survey.files, lost);
    write_rejects(diagnosis.survey.rejects().chain(lost), &files, command.read.rejects.as_deref())?;
    if !command.talk.quiet {
        let survey = &diagnosis.survey;
        tell_notes(&survey.notes(), &survey.files);
        tell_rejects(survey.rejects(), survey.account.rejected, |reject| survey.show(reject.place));
    }
    let unread = diagnosis.evidence.as_ref().is_some_and(|evidence| !usage::is_whole(&evidence.counted));
    let is_lost = (diagnosis.survey.account.rejected > 0 || unread) && !command.read.allow_rejects;
    let is_wrong = problems.iter().any(|problem| problem.severity == Severity::Error);
    Ok(match (is_wrong, is_lost) {
        (true, _) => Exit::Gate,
        (false, true) => Exit::Rejects,
        (false, false) => Exit::Done,
    })
}

fn destinations(paths: &[PathBuf], named: Option<&'static Encoding>) -> Result<Option<Vec<Instance>>, Failure> {
    let text = |path: &PathBuf| Ok((shown(path), text_of(path, SHORT, named)?));
    let files: Vec<(String, String)> = paths.iter().map(text).collect::<Result<_, Failure>>()?;
    if files.is_empty() {
        return Ok(None);
    }
    instance::read(&files).map(Some).map_err(Failure::Failed)
}

/// A plan whose instances and windows are kept: one that somebody approved, and nobody changed.
fn kept(path: &Path) -> Result<Plan, Failure> {
    let plan = whole::plan(path, PLAN)?;
    match plan.is_sealed() {
        true => Ok(plan),
        false => Err(Failure::Failed(format!(
            "{}: its digest does not fit: it was changed after it was written, or written by another version; keep the plan as it was \
             approved, or plan without --keep",
            shown(path)
        ))),
    }
}

fn calendar(path: &Path) -> Result<Calendar, Failure> {
    Calendar::read(&shown(path), &text_of(path, SHORT, None)?).map_err(Failure::Failed)
}

/// What a plan writes must overwrite nothing that it reads.
fn refuse_written_inputs(command: &Command) -> Result<(), Failure> {
    let evidence = &command.evidence;
    let others: Vec<PathBuf> = [&evidence.networks, &command.how.calendar, &command.how.check, &command.how.keep]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let inputs = [&command.inputs[..], &evidence.events, &evidence.usage, &command.how.destinations, &others].concat();
    run::refuse_one_place_for_two(&inputs, None, command.read.rejects.as_ref())?;
    let Some(folder) = &command.write.output else { return Ok(()) };
    if folder.is_file() {
        return Err(Failure::Usage(format!("-o {} is a file; a plan is written into a folder", shown(folder))));
    }
    for name in FILES.iter().map(|name| (*name).to_owned()).chain(ListName::ALL.iter().map(|list| table_name(*list))) {
        run::refuse_one_place_for_two(&inputs, Some(&folder.join(name)), command.read.rejects.as_ref())?;
    }
    Ok(())
}

const FILES: [&str; 4] = ["plan.json", "runbook.md", "windows.ics", "batches.csv"];

fn table_name(list: ListName) -> String {
    format!("{}.csv", tables::file_name(list))
}

fn json(plan: &Plan) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(plan).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(json_lines(&text).into_owned() + "\n")
}

/// Writes everything into a folder, which may hold an earlier plan, and nothing of anybody else's by these names.
fn write_folder(plan: &Plan, folder: &Path, lang: Lang) -> Result<(), Failure> {
    let failed = |what: &str, path: &Path, error| Failure::Failed(format!("cannot {what} {}: {error}", shown(path)));
    std::fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, error))?;
    let names =
        || FILES.iter().map(|name| (*name).to_owned()).chain(ListName::ALL.iter().map(|list| table_name(*list)));
    let there: Vec<PathBuf> =
        names().map(|name| folder.join(name)).filter(|path| path.symlink_metadata().is_ok()).collect();
    if let Some(other) = there.iter().find(|path| !is_of_plan(path)) {
        let message = format!("{} is of no plan, and would be overwritten; name another folder with -o", shown(other));
        return Err(Failure::Usage(message));
    }
    // The plan goes first and comes last: where it is, everything is, and of this plan.
    for path in &there {
        let is_wanted = plan.worklists.iter().any(|list| path.ends_with(table_name(list.name)));
        if path.ends_with(FILES[0]) || ListName::ALL.iter().any(|list| path.ends_with(table_name(*list))) && !is_wanted
        {
            std::fs::remove_file(path).map_err(|error| failed("remove", path, error))?;
        }
    }
    let [plan_json, runbook_md, windows, batches] = FILES.map(|name| folder.join(name));
    file(&runbook_md, runbook::runbook(plan, lang).as_bytes())?;
    file(&windows, calendar_file::calendar(plan, lang).as_bytes())?;
    file(&batches, &tables::batches(plan))?;
    for list in &plan.worklists {
        file(&folder.join(table_name(list.name)), &tables::worklist(list, lang))?;
    }
    file(&plan_json, json(plan)?.as_bytes())
}

/// Whether a file was written as part of a plan, by how it begins.
fn is_of_plan(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(256).read_to_end(&mut start));
    let start = String::from_utf8_lossy(&start);
    let begins = [
        "{\n  \"format\": \"cmkdiag.plan/",
        runbook::TITLES[0],
        runbook::TITLES[1],
        "due,key_id,account_id,region,owner,",
        "batch,account_id,region,destination,",
    ];
    let is_file = path.symlink_metadata().is_ok_and(|there| there.is_file());
    is_file
        && read.is_ok()
        && (begins.iter().any(|begin| start.starts_with(begin)) || start.contains("-//cmkdiag//plan//"))
}

fn write(plan: &Plan, command: &Command, lang: Lang) -> Result<(), Failure> {
    if let Some(folder) = &command.write.output {
        write_folder(plan, folder, lang)?;
    }
    let (text, ink) = match command.write.format {
        PlanFormat::Text => (text::summary(plan, lang), Ink::Text),
        PlanFormat::Json => (json(plan)?, Ink::Data),
        PlanFormat::Markdown => (runbook::runbook(plan, lang), Ink::Data),
        PlanFormat::Ics => (calendar_file::calendar(plan, lang), Ink::Data),
    };
    write_to(None, ink, |out| out.write_all(text.as_bytes()))?;
    Ok(())
}

fn file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_to(Some(path), Ink::Data, |out| out.write_all(bytes)).map_err(|error| run::at_path(error, Some(path)))
}

fn tell_check(approved: &Plan, problems: &[Problem], lang: Lang) -> Result<(), Failure> {
    let mut out = text::problems(problems, lang);
    if problems.is_empty() {
        let (batches, keys) = (approved.summary.batches, approved.summary.planned);
        out = match lang {
            Lang::En => format!("The plan holds: {batches} batches, {keys} keys\n"),
            Lang::Zh => format!("计划仍然有效：{batches} 个批次，{keys} 个密钥\n"),
        };
    }
    write_to(None, Ink::Text, |to| to.write_all(out.as_bytes()))?;
    Ok(())
}
