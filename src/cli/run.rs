//! One short function for each command.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::domains::{self, cmk::CMK};
use crate::engine::facts::Lang;
use crate::inventory::identity::parse_arn;
use crate::inventory::intake::Keep;
use crate::inventory::row::NoteKind;
use crate::inventory::survey::Survey;
use crate::inventory::tidy;
use crate::read::source::{self, Origin};
use crate::rulebook::Rulebook;
use crate::rulebook::compile::nearest;
use crate::rulebook::edition::RulebookError;
use crate::write::csv::{COLUMNS, Chosen};
use crate::write::json::Framing;
use crate::write::safe::visible;
use crate::write::summary::Counts;
use crate::write::{self, Format, Only};

use super::account::{self, class_line, tell_notes, tell_rejects, write_rejects};
use super::args::{self, Arguments, Command, OutputFormat, RulesCommand, TextFormat};
use super::exit::Exit;
use super::job::{self, Reading};
use super::output::{Ink, say, write_to};
use super::progress::{Progress, Show};
use super::{cases, evidence, plan, rulebooks, schemas, ticket, usage};

/// So many subjects are explained for one name.
const MOST_EXPLAINED: usize = 100;

/// Why a command did not end with a result.
#[derive(Debug)]
pub enum Failure {
    /// The reader of our output went away, which is its right.
    ClosedPipe,
    /// The arguments make no sense.
    Usage(String),
    /// It could not be done.
    Failed(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Failed(format!("cannot write: {error}")),
        }
    }
}

impl From<crate::read::ReadError> for Failure {
    fn from(error: crate::read::ReadError) -> Failure {
        // The name of a file may hold line breaks, and none may pass for a message of ours.
        Failure::Failed(visible(&error.to_string()).into_owned())
    }
}

impl From<RulebookError> for Failure {
    fn from(error: RulebookError) -> Failure {
        match error {
            RulebookError::Edition { .. } => Failure::Usage(error.to_string()),
            other => Failure::Failed(other.to_string()),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// See [`Failure`].
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Diagnose(command) => diagnose(&command),
        Command::Explain(command) => explain(&command),
        Command::Preflight(command) => cases::preflight(&command),
        Command::Exchange(command) => cases::exchange(&command),
        Command::Plan(command) => plan::run(&command),
        Command::Usage(command) => usage::run(&command),
        Command::Ticket(command) => ticket::run(&command),
        Command::Rules(command) => match command.command {
            RulesCommand::List(command) => rulebooks::rules_list(&command),
            RulesCommand::Show(command) => rulebooks::rules_show(&command),
            RulesCommand::Check(command) => rulebooks::rules_check(&command),
            RulesCommand::New(command) => rulebooks::rules_new(&command),
        },
        Command::Sources(command) => rulebooks::sources(&command),
        Command::Schema(command) => schemas::schema(&command),
    }
}

fn diagnose(command: &args::Diagnose) -> Result<Exit, Failure> {
    set_colour(command.talk.color);
    let keep = if command.write.keep_columns { Keep::AllColumns } else { Keep::Used };
    let lang = job::language(command.judge.lang);
    let book = job::rulebook(&CMK, command.judge.edition.as_deref(), command.judge.rules.as_ref())?;
    let settings = job::settings(&book, &command.judge).map_err(Failure::Usage)?;
    let only = Only(class_list(&book, "--only", &command.write.only, &[])?);
    let gate = class_list(&book, "--fail-on", &command.write.fail_on, &["conditional"])?.unwrap_or_default();
    let now = job::now(&command.judge).map_err(Failure::Usage)?;
    let reading = Reading { has_logs: command.evidence.is_any(), ..Reading::new(&command.read, keep, now) };
    let columns = csv_columns(&command.write)?;
    let (output, rejects) = (command.write.output.as_ref(), command.read.rejects.as_ref());
    refuse_written_inputs(&command.inputs, &command.evidence, output, rejects)?;
    evidence::refuse_standard_input_twice(&command.inputs, &command.evidence)?;
    let survey = read(&command.inputs, &book, &reading, &command.talk)?;
    let (evidence, lost) = evidence::read(&command.evidence, &command.read, &survey, &reading, &command.talk)?;
    let diagnosis = Diagnosis::with_evidence(book, survey, evidence, settings);
    if !diagnosis.survey.is_empty() {
        write_diagnosis(&diagnosis, command, &only, columns, lang, reading.jobs)?;
    }
    let (lost, files) = evidence::rejects(&diagnosis.survey.files, lost);
    write_rejects(diagnosis.survey.rejects().chain(lost), &files, command.read.rejects.as_deref())?;
    if !command.talk.quiet {
        tell_account(&diagnosis, command, lang);
    }
    let exit = exit_of(&diagnosis, &gate, command.read.allow_rejects);
    // The process is about to end, which gives all memory back at once.
    std::mem::forget(diagnosis);
    Ok(exit)
}

pub(super) fn read(
    inputs: &[std::path::PathBuf],
    book: &Rulebook,
    reading: &Reading,
    talk: &args::Talk,
) -> Result<Survey, Failure> {
    let inputs = source::inputs(inputs)?;
    let show = if talk.quiet || talk.no_progress { Show::Never } else { Show::OnTerminal };
    let progress = Progress::new(show, job::total_bytes(&inputs));
    Ok(job::survey(&inputs, book, reading, &progress)?)
}

/// What `diagnose` and `explain` write must overwrite nothing that they read.
fn refuse_written_inputs(
    inventories: &[PathBuf],
    evidence: &super::usage_args::Evidence,
    output: Option<&PathBuf>,
    rejects: Option<&PathBuf>,
) -> Result<(), Failure> {
    let networks: Vec<PathBuf> = evidence.networks.iter().cloned().collect();
    refuse_one_place_for_two(&[inventories, &evidence.events, &evidence.usage, &networks].concat(), output, rejects)
}

/// Results, rejects and inputs must not overwrite each other.
pub(super) fn refuse_one_place_for_two(
    inputs: &[PathBuf],
    output: Option<&PathBuf>,
    rejects: Option<&PathBuf>,
) -> Result<(), Failure> {
    let written = [("-o", output), ("--rejects", rejects)];
    let mut taken: Vec<(&str, Option<PathBuf>)> =
        inputs.iter().filter(|input| input.as_os_str() != "-").map(|input| ("an input", true_path(input))).collect();
    for (name, path) in written {
        let place = path.and_then(|path| true_path(path));
        let is_used = name == "-o" || path.is_some();
        if let Some((other, _)) =
            taken.iter().find(|(_, other)| is_used && *other == place && (place.is_some() || name == "--rejects"))
        {
            return Err(Failure::Usage(format!("{name} and {other} are the same place; name another file")));
        }
        taken.push((name, place));
    }
    refuse_listed_as_written(inputs, written)
}

/// The same of files that stand in folders which are inputs, be they inventories or logs.
fn refuse_listed_as_written(inputs: &[PathBuf], written: [(&'static str, Option<&PathBuf>); 2]) -> Result<(), Failure> {
    let there = |(name, path): (&'static str, Option<&PathBuf>)| {
        let path = path?.canonicalize().ok().filter(|path| path.is_file())?;
        Some((name, path))
    };
    let written: Vec<_> = written.into_iter().filter_map(there).collect();
    let folders: Vec<PathBuf> = inputs.iter().filter(|input| input.is_dir()).cloned().collect();
    if written.is_empty() || folders.is_empty() {
        return Ok(());
    }
    for input in [source::inputs(&folders)?, source::logs(&folders)?].concat() {
        let Origin::File(path) = &input.origin else { continue };
        let place = path.canonicalize().ok();
        if let Some((name, _)) = written.iter().find(|(_, written)| Some(written) == place.as_ref()) {
            let message = format!("{name} and the input {} are the same place; name another file", input.name);
            return Err(Failure::Usage(message));
        }
    }
    Ok(())
}

/// The file that a path means, whether it exists or not; nothing for standard output.
fn true_path(path: &Path) -> Option<PathBuf> {
    if path.as_os_str() == "-"
        || std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
    {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    Some(path.canonicalize().unwrap_or_else(|_| folder.join(path.file_name().unwrap_or_default())))
}

pub(super) fn set_colour(colour: args::Colour) {
    let choice = match colour {
        args::Colour::Auto => anstream::ColorChoice::Auto,
        args::Colour::Always => anstream::ColorChoice::Always,
        args::Colour::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// The classes that an option names; nothing if it is not used.
pub(super) fn class_list(
    book: &Rulebook,
    option: &str,
    names: &[String],
    more: &[&'static str],
) -> Result<Option<Vec<&'static str>>, Failure> {
    let mut known: Vec<&'static str> = book.domain.classes.iter().map(|class| class.name).collect();
    known.push("undetermined");
    known.extend(more);
    let find = |name: &String| {
        let found = known.iter().find(|class| *class == name).copied();
        found.ok_or_else(|| {
            Failure::Usage(format!("{option} {name}: there is no such class; {}", nearest(name, &known)))
        })
    };
    let classes: Vec<&'static str> = names.iter().map(find).collect::<Result<_, _>>()?;
    Ok((!names.is_empty()).then_some(classes))
}

/// The columns that the CSV is to have.
fn csv_columns(write: &args::Write) -> Result<Chosen, Failure> {
    if write.columns.is_empty() {
        return Ok(Chosen::all());
    }
    if write.format != OutputFormat::Csv {
        return Err(Failure::Usage("--columns chooses among the columns of --format csv; give both".to_owned()));
    }
    Chosen::named(&write.columns).map_err(|name| {
        let why = if COLUMNS.contains(&name) {
            "it is named twice".to_owned()
        } else {
            format!("there is no such column; {}", nearest(name, &COLUMNS))
        };
        Failure::Usage(format!("--columns {name}: {why}"))
    })
}

fn write_diagnosis(
    diagnosis: &Diagnosis,
    command: &args::Diagnose,
    only: &Only,
    columns: Chosen,
    lang: Lang,
    jobs: usize,
) -> Result<(), Failure> {
    let kept = if command.write.keep_columns { diagnosis.survey.unused_columns() } else { Vec::new() };
    let format: Box<dyn Format + '_> = match command.write.format {
        OutputFormat::Table => Box::new(write::table::Table::new(diagnosis, lang, only, terminal_width())),
        OutputFormat::Csv => Box::new(write::csv::Csv::new(diagnosis, lang, columns, kept)),
        OutputFormat::Json => Box::new(write::json::Json::new(diagnosis, lang, kept, Framing::Document)),
        OutputFormat::Jsonl => Box::new(write::json::Json::new(diagnosis, lang, kept, Framing::Lines)),
        OutputFormat::Markdown => Box::new(write::markdown::Markdown::new(diagnosis, lang, kept)),
    };
    let path = command.write.output.as_deref();
    let ink = if command.write.format == OutputFormat::Table { Ink::Text } else { Ink::Data };
    write_to(path, ink, |out| write::write(diagnosis, format.as_ref(), only, jobs, out))
        .map_err(|error| at_path(error, path))
}

pub(super) fn at_path(error: io::Error, path: Option<&Path>) -> Failure {
    match (path, error.kind()) {
        (Some(path), kind) if kind != io::ErrorKind::BrokenPipe => {
            Failure::Failed(format!("cannot write {}: {error}", visible(&path.display().to_string())))
        }
        _ => error.into(),
    }
}

/// The width of the terminal, or enough for a page.
pub(super) fn terminal_width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || console::Term::stdout().size_checked().map(|(_, width)| usize::from(width));
    columns.or_else(terminal).unwrap_or(120).clamp(60, 400)
}

fn tell_account(diagnosis: &Diagnosis, command: &args::Diagnose, lang: Lang) {
    let survey = &diagnosis.survey;
    tell_notes(&survey.notes(), &survey.files);
    tell_rejects(survey.rejects(), survey.account.rejected, |reject| survey.show(reject.place));
    if command.write.format != OutputFormat::Table || command.write.output.is_some() {
        let counts = Counts::new(diagnosis);
        say(&counts.account_line(lang));
        say(&class_line(&counts.classes()));
    }
}

fn exit_of(diagnosis: &Diagnosis, gate: &[&str], allow_rejects: bool) -> Exit {
    if diagnosis.survey.is_empty() {
        say("error: no usable record; every record needs at least a key_id (or arn)");
        return Exit::Failed;
    }
    let unread = diagnosis.evidence.as_ref().is_some_and(|evidence| !usage::is_whole(&evidence.counted));
    let rejected = diagnosis.survey.account.rejected + u64::from(unread);
    account::exit_of(&Counts::new(diagnosis).classes(), gate, rejected, allow_rejects)
}

fn explain(command: &args::Explain) -> Result<Exit, Failure> {
    set_colour(command.talk.color);
    let lang = job::language(command.judge.lang);
    let domain = job::domain(&command.domain).map_err(Failure::Usage)?;
    let book = job::rulebook(domain, command.judge.edition.as_deref(), command.judge.rules.as_ref())?;
    if let Some(form) = domains::form_of(domain) {
        return cases::explain(form, book, command, lang);
    }
    let settings = job::settings(&book, &command.judge).map_err(Failure::Usage)?;
    let now = job::now(&command.judge).map_err(Failure::Usage)?;
    let reading = Reading { has_logs: command.evidence.is_any(), ..Reading::new(&command.read, Keep::Used, now) };
    refuse_written_inputs(&command.inputs, &command.evidence, None, command.read.rejects.as_ref())?;
    evidence::refuse_standard_input_twice(&command.inputs, &command.evidence)?;
    let survey = read(&command.inputs, &book, &reading, &command.talk)?;
    if !command.talk.quiet {
        let missing: Vec<_> = survey.notes().into_iter().filter(|note| note.kind == NoteKind::Incomplete).collect();
        tell_notes(&missing, &survey.files);
    }
    let (evidence, lost) = evidence::read(&command.evidence, &command.read, &survey, &reading, &command.talk)?;
    let (lost, files) = evidence::rejects(&survey.files, lost);
    write_rejects(survey.rejects().chain(lost), &files, command.read.rejects.as_deref())?;
    let diagnosis = Diagnosis::with_evidence(book, survey, evidence, settings);
    let json = write::json::Json::new(&diagnosis, lang, Vec::new(), Framing::Lines);
    let matching = |wanted: &str| {
        let wanted = wanted.to_owned();
        diagnosis.outcomes().filter(move |key| names(&key.key, &wanted))
    };
    let write = |key: KeyOutcome<'_>, out: &mut Vec<u8>| match command.format {
        TextFormat::Json => json.key(&key, out),
        TextFormat::Text => out.extend_from_slice(write::explain::explain(&key, lang).as_bytes()),
    };
    let missing = explain_each(&command.keys, command.format, "keys", "give the ARN of one", matching, write)?;
    for wanted in &missing {
        say(&format!(
            "error: no key, ARN or alias `{}` in the inventory; {}",
            visible(wanted),
            similar(&diagnosis, wanted)
        ));
    }
    Ok(if missing.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Explains the first subjects that each name means, one by one; says how many more there are, and how to name one.
/// Gives back the names that mean none.
pub(super) fn explain_each<'n, C, I: Iterator<Item = C>>(
    names: &'n [String],
    format: TextFormat,
    plural: &str,
    narrow: &str,
    matching: impl Fn(&str) -> I + Send,
    write: impl Fn(C, &mut Vec<u8>) + Send,
) -> io::Result<Vec<&'n String>> {
    let (mut missing, mut more) = (Vec::new(), Vec::new());
    let explain_all = |out: &mut (dyn io::Write + Send)| {
        let (mut text, mut is_first) = (Vec::new(), true);
        for wanted in names {
            let mut subjects = matching(wanted);
            let mut count = 0;
            for subject in subjects.by_ref().take(MOST_EXPLAINED) {
                text.clear();
                text.extend_from_slice(if is_first || format == TextFormat::Json { b"" } else { b"\n\n" });
                write(subject, &mut text);
                out.write_all(&text)?;
                (is_first, count) = (false, count + 1);
            }
            if count == 0 {
                missing.push(wanted);
            }
            more.push((wanted, subjects.count()));
        }
        Ok(())
    };
    write_to(None, Ink::Text, explain_all)?;
    for (wanted, count) in more.into_iter().filter(|(_, count)| *count > 0) {
        let wanted = visible(wanted);
        say(&format!("… and {count} more {plural} that `{wanted}` means are not explained; {narrow}"));
    }
    Ok(missing)
}

/// Whether a key is the one that is meant by an id, an ARN or an alias.
fn names(key: &crate::inventory::survey::Key<'_>, wanted: &str) -> bool {
    if let Some(arn) = parse_arn(wanted) {
        let agrees = |have: &str, said: &str| have.is_empty() || have == said;
        return tidy::key_id(arn.key_id).is_ok_and(|key_id| key.key_id() == key_id)
            && agrees(key.account_id(), arn.account_id)
            && agrees(key.region(), arn.region);
    }
    tidy::key_id(wanted).is_ok_and(|key_id| key.key_id() == key_id) || key.aliases().contains(&wanted)
}

/// What may have been meant.
fn similar(diagnosis: &Diagnosis, wanted: &str) -> String {
    let score = |name: &&str| (1000.0 * strsim::jaro_winkler(wanted, name)) as u32;
    let known = diagnosis.outcomes().flat_map(|key| std::iter::once(key.key.key_id()).chain(key.key.aliases()));
    match known.max_by_key(score) {
        Some(best) if score(&best) > 800 => format!("did you mean `{}`?", visible(best)),
        _ => "`diagnose` lists all keys".to_owned(),
    }
}
