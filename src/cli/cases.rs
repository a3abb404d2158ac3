//! `preflight` and `exchange`: few subjects, from reading to exit code.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::cases::assemble::{Pairing, assemble};
use crate::cases::gather::{Gathered, place_name};
use crate::cases::{Assessment, Case};
use crate::domains::ekms::evidence::described_keys;
use crate::domains::form::{Context, Form};
use crate::domains::{ekms, exchange};
use crate::engine::facts::Lang;
use crate::read::source;
use crate::rulebook::Rulebook;
use crate::rulebook::compile::nearest;
use crate::write::cases::Report;
use crate::write::json::Framing;
use crate::write::safe::visible;
use crate::write::{self, Only};

use super::account::{self, class_line, tell_notes, tell_rejects, write_rejects};
use super::args::{self, TextFormat};
use super::case_args::{BesidePairs, CaseFormat, Cases, Exchange, Preflight};
use super::exit::Exit;
use super::job::{self, Reading};
use super::output::{Ink, say, write_to};
use super::progress::{Progress, Show};
use super::run::{Failure, at_path, class_list, explain_each, refuse_one_place_for_two, set_colour, terminal_width};

/// `preflight`.
pub(super) fn preflight(command: &Preflight) -> Result<Exit, Failure> {
    let pairing =
        Pairing { from: command.pairs.from.clone(), to: command.pairs.to.clone(), all: command.pairs.all_pairs };
    let (output, rejects) = (command.common.write.output.as_ref(), command.common.read.rejects.as_ref());
    refuse_one_place_for_two(&command.beside.describe_key, output, rejects)?;
    let now = job::now(&command.common.judge).map_err(Failure::Usage)?;
    let context = context(&command.beside, now)?;
    run(&ekms::fields::PAIRS, &command.common, &pairing, &context, command.matrix || pairing.is_asked())
}

/// `exchange`.
pub(super) fn exchange(command: &Exchange) -> Result<Exit, Failure> {
    let now = job::now(&command.common.judge).map_err(Failure::Usage)?;
    let context = context(&BesidePairs::default(), now)?;
    run(&exchange::fields::REQUESTS, &command.common, &Pairing::default(), &context, false)
}

/// What stands beside the records.
fn context(of_pairs: &BesidePairs, now: Timestamp) -> Result<Context, Failure> {
    let operation = of_pairs.operation.map(|operation| operation.name().to_owned());
    Ok(Context { now, described_keys: keys(&of_pairs.describe_key)?, operation })
}

/// The replies of describe-key in files and folders.
fn keys(paths: &[PathBuf]) -> Result<Vec<crate::domains::form::DescribedKey>, Failure> {
    let mut keys = Vec::new();
    for path in source::evidence_files(paths)? {
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::Failed(format!("cannot read {}: {error}", visible(&path.display().to_string())))
        })?;
        keys.extend(described_keys(&text, &path.display().to_string()).map_err(Failure::Failed)?);
    }
    Ok(keys)
}

fn run(
    form: &'static Form,
    common: &Cases,
    pairing: &Pairing,
    context: &Context,
    matrix: bool,
) -> Result<Exit, Failure> {
    set_colour(common.talk.color);
    let lang = job::language(common.judge.lang);
    let book = job::rulebook(form.domain, common.judge.edition.as_deref(), common.judge.rules.as_ref())?;
    let settings = job::settings(&book, &common.judge).map_err(Failure::Usage)?;
    let only = Only(class_list(&book, "--only", &common.write.only, &[])?);
    let gate = class_list(&book, "--fail-on", &common.write.fail_on, &["conditional"])?.unwrap_or_default();
    refuse_one_place_for_two(&common.inputs, common.write.output.as_ref(), common.read.rejects.as_ref())?;
    let gathered = gather(form, common)?;
    let assembled = assemble(form, &gathered, pairing, context).map_err(|reason| {
        tell_rejects(gathered.rejects.by_place(), gathered.rejects.len(), |reject| gathered.show(reject.place));
        Failure::Usage(reason)
    })?;
    let mut assessment = Assessment::new(form, book, gathered, assembled, settings);
    match common.write.keep_columns {
        false => assessment.note_unused_columns(),
        true => assessment.note_columns_not_kept(),
    }
    if !common.talk.quiet {
        tell_unused_replies(&assessment, context);
    }
    let report = Report { assessment: &assessment, lang, only: &only, matrix, keep_columns: common.write.keep_columns };
    if !assessment.cases.is_empty() {
        write_report(&report, common)?;
    }
    write_rejects(assessment.rejects.by_place(), &assessment.files, common.read.rejects.as_deref())?;
    if !common.talk.quiet {
        tell(&report, common);
    }
    Ok(exit_of(&report, &gate, common.read.allow_rejects))
}

fn gather(form: &'static Form, common: &Cases) -> Result<Gathered, Failure> {
    let inputs = source::inputs(&common.inputs)?;
    let show = if common.talk.quiet || common.talk.no_progress { Show::Never } else { Show::OnTerminal };
    let progress = Progress::new(show, job::total_bytes(&inputs));
    let reading = Reading::new(
        &common.read,
        crate::inventory::intake::Keep::Used,
        job::now(&common.judge).map_err(Failure::Usage)?,
    );
    let mut gathered = job::gather(form, &inputs, &reading, &progress)?;
    super::live::read_instances(&common.beside.instance, form, &mut gathered)?;
    Ok(gathered)
}

fn write_report(report: &Report<'_>, common: &Cases) -> Result<(), Failure> {
    let width = terminal_width();
    let columns = match common.write.format {
        CaseFormat::Csv => chosen_columns(report, common)?,
        _ => Vec::new(),
    };
    let fill = |out: &mut (dyn io::Write + Send)| match common.write.format {
        CaseFormat::Table => out.write_all(write::cases::table::table(report, width).as_bytes()),
        CaseFormat::Csv => write::cases::csv::csv(report, &columns, out),
        CaseFormat::Json => write::cases::json::json(report, Framing::Document, out),
        CaseFormat::Jsonl => write::cases::json::json(report, Framing::Lines, out),
        CaseFormat::Markdown => out.write_all(write::cases::markdown::markdown(report).as_bytes()),
        CaseFormat::Html => out.write_all(write::cases::html::html(report).as_bytes()),
    };
    let path = common.write.output.as_deref();
    let ink = if common.write.format == CaseFormat::Table { Ink::Text } else { Ink::Data };
    write_to(path, ink, fill).map_err(|error| at_path(error, path))
}

/// The positions of the columns that the CSV is to have; a class never without `confirmed`.
fn chosen_columns(report: &Report<'_>, common: &Cases) -> Result<Vec<usize>, Failure> {
    let names = write::cases::csv::columns(report);
    let wanted = &common.write.columns;
    if wanted.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut chosen = Vec::new();
    for name in wanted {
        match known.iter().position(|known| known == name) {
            Some(at) if chosen.contains(&at) => {
                return Err(Failure::Usage(format!("--columns {name}: it is named twice")));
            }
            Some(at) => chosen.push(at),
            None => {
                let hint = nearest(name, &known);
                return Err(Failure::Usage(format!("--columns {name}: there is no such column; {hint}")));
            }
        }
    }
    let place = |name: &str| known.iter().position(|known| *known == name);
    if let (Some(class), Some(confirmed)) = (place("class"), place("confirmed"))
        && let Some(at) = chosen.iter().position(|column| *column == class)
        && !chosen.contains(&confirmed)
    {
        chosen.insert(at + 1, confirmed);
    }
    Ok(chosen)
}

fn tell(report: &Report<'_>, common: &Cases) {
    let assessment = report.assessment;
    tell_notes(&assessment.notes, &assessment.files);
    tell_rejects(assessment.rejects.by_place(), assessment.account.rejected, |reject| {
        place_name(&assessment.files, reject.place)
    });
    if common.write.format != CaseFormat::Table || common.write.output.is_some() {
        say(&report.account_line());
        say(&class_line(&report.classes()));
    }
}

/// A reply about a key that no pair names is evidence that nobody used, perhaps for want of the key's ARN.
fn tell_unused_replies(assessment: &Assessment, context: &Context) {
    let of_case =
        |case: &Case| ["source_key_arn", "target_key_arn"].map(|field| case.draft.text(field).map(str::to_owned));
    let asked: HashSet<String> = assessment.cases.iter().flat_map(of_case).flatten().collect();
    for key in context.described_keys.iter().filter(|key| !asked.contains(&key.key)) {
        say(&format!("note: {}: no pair has the key {}; the reply is not used", key.at, key.key));
    }
}

fn exit_of(report: &Report<'_>, gate: &[&str], allow_rejects: bool) -> Exit {
    let assessment = report.assessment;
    if assessment.cases.is_empty() {
        say(&format!("error: no usable record; {} were expected", assessment.form.plural));
        return Exit::Failed;
    }
    account::exit_of(&report.classes(), gate, assessment.account.rejected, allow_rejects)
}

/// `explain` in a domain whose records have a form.
pub(super) fn explain(
    form: &'static Form,
    book: Rulebook,
    command: &args::Explain,
    lang: Lang,
) -> Result<Exit, Failure> {
    let settings = job::settings(&book, &command.judge).map_err(Failure::Usage)?;
    let now = job::now(&command.judge).map_err(Failure::Usage)?;
    let context = context(&command.beside_pairs, now)?;
    let inputs = source::inputs(&command.inputs)?;
    let reading = Reading::new(&command.read, crate::inventory::intake::Keep::Used, context.now);
    let progress = Progress::new(Show::Never, None);
    let mut gathered = job::gather(form, &inputs, &reading, &progress)?;
    super::live::read_instances(&command.beside.instance, form, &mut gathered)?;
    let lists_instances = gathered.records.iter().any(|record| record.is_instance);
    let pairs_given = gathered.records.iter().any(|record| !record.is_instance);
    let pairing = Pairing { all: lists_instances && !pairs_given, ..Pairing::default() };
    let assembled = assemble(form, &gathered, &pairing, &context).map_err(Failure::Usage)?;
    let assessment = Assessment::new(form, book, gathered, assembled, settings);
    let only = Only(None);
    let report = Report { assessment: &assessment, lang, only: &only, matrix: false, keep_columns: false };
    let width = terminal_width();
    let matching = |wanted: &str| {
        let wanted = wanted.to_owned();
        assessment.cases.iter().filter(move |case| is_meant(case, &wanted))
    };
    let write = |case: &Case, out: &mut Vec<u8>| match command.format {
        TextFormat::Json => write::cases::json::line(&report, case, out),
        TextFormat::Text => {
            out.extend_from_slice(write::cases::explain::explain(&report, case, width).as_bytes());
        }
    };
    let missing = explain_each(&command.keys, command.format, form.plural, "give the title of one", matching, write)?;
    let titles: Vec<&str> = assessment.cases.iter().map(|case| case.title.as_str()).collect();
    for wanted in &missing {
        let (noun, hint) = (assessment.rulebook.domain.noun.get(Lang::En), nearest(wanted, &titles));
        say(&format!("error: no {noun} `{}` in the input; {}", visible(wanted), visible(&hint)));
    }
    Ok(if missing.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Whether a subject is the one that is meant by its title, its id, or `SOURCE:TARGET`.
fn is_meant(case: &Case, wanted: &str) -> bool {
    let names = (case.draft.text("source_name"), case.draft.text("target_name"));
    let title = wanted.split_once(" (").map_or(wanted, |(title, _)| title);
    let pair = title.split_once(" → ").or_else(|| title.split_once(':'));
    case.title == wanted
        || case.draft.text("request") == Some(wanted)
        || pair.is_some_and(|(source, target)| names == (Some(source), Some(target)))
}
