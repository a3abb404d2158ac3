//! The world is met here: files are opened, the rulebook is loaded, options get their meaning.

use std::collections::VecDeque;
use std::path::PathBuf;

use encoding_rs::Encoding;
use jiff::Timestamp;

use crate::cases::gather::Gathered;
use crate::cases::value::moment;
use crate::diagnose::{Inference, Settings, Strictness};
use crate::domains;
use crate::domains::cell::Cell;
use crate::domains::cmk::CMK;
use crate::domains::cmk::fields::{FIELDS, Field};
use crate::domains::cmk::observe::observe;
use crate::domains::form::{Form, Of, Side};
use crate::engine::facts::{Bits, FactId, Lang};
use crate::inventory::files::FileNames;
use crate::inventory::intake::{Intake, Keep, Rules};
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{Note, NoteKind, Place};
use crate::inventory::shared::Shared;
use crate::inventory::store::Store;
use crate::inventory::survey::Survey;
use crate::ordered::ordered;
use crate::read::detect::Vocabulary;
use crate::read::source::{Input, Origin, open};
use crate::read::{Block, Columns, Format, Options, Parser, ReadError, Splitter, detect, unread};
use crate::rulebook::compile::nearest;
use crate::rulebook::edition::RulebookError;
use crate::rulebook::{Domain, Rulebook, user};

use super::args;
use super::progress::Progress;

/// The language that was asked for.
pub fn language(language: args::Language) -> Lang {
    match language {
        args::Language::En => Lang::En,
        args::Language::Zh => Lang::Zh,
    }
}

/// The rulebook that was asked for.
///
/// # Errors
/// The edition does not exist, or the user's folder cannot be used.
pub fn rulebook(
    domain: &'static Domain,
    edition: Option<&str>,
    folder: Option<&PathBuf>,
) -> Result<Rulebook, RulebookError> {
    let user = folder.map(|folder| user::read(folder)).transpose()?;
    Rulebook::load(domain, edition, user)
}

/// The domain of a name.
///
/// # Errors
/// There is none; the message names what there is.
pub fn domain(name: &str) -> Result<&'static Domain, String> {
    let names: Vec<&str> = domains::ALL.iter().map(|domain| domain.name).collect();
    let found = domains::ALL.into_iter().find(|domain| domain.name == name);
    found.ok_or_else(|| format!("there is no domain `{name}`; {}", nearest(name, &names)))
}

/// What was decided about unknown facts and conditions.
///
/// # Errors
/// An assumption is not understood; the message says why.
pub fn settings(book: &Rulebook, judge: &args::Judge) -> Result<Settings, String> {
    let mut assume: Vec<(FactId, Bits)> = Vec::new();
    for text in &judge.assume {
        let said = assumption(book, text)?;
        if said.iter().any(|(fact, _)| assume.iter().any(|(before, _)| before == fact)) {
            return Err(format!("--assume {text}: the fact is assumed twice; keep one"));
        }
        assume.extend(said);
    }
    let strictness = if judge.strict { Strictness::Strict } else { Strictness::Conditional };
    let inference = if judge.no_inference { Inference::Off } else { Inference::On };
    Ok(Settings { assume, strictness, inference })
}

/// The moment to which dates and ages refer.
///
/// # Errors
/// It is none; the message says what is expected.
pub fn now(judge: &args::Judge) -> Result<Timestamp, String> {
    let Some(text) = judge.as_of.as_deref() else { return Ok(Timestamp::now()) };
    moment(text).ok_or_else(|| format!("--as-of {text}: expected a date and time, such as 2026-11-21T08:30:00Z"))
}

/// `FACT=VALUE`, in the words of the inventory. A field that both instances of a pair have is assumed of both, unless a
/// side is named.
fn assumption(book: &Rulebook, text: &str) -> Result<Vec<(FactId, Bits)>, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("--assume {text}: expected FACT=VALUE, such as instance=default"))?;
    let of_keys = book.domain.name == CMK.name;
    let of_sides = facts_of_form(book, name);
    let field = Field::from_header(name).filter(|_| of_keys);
    let fact = field
        .and_then(|field| field.spec().fact)
        .or_else(|| of_sides.first().copied())
        .or_else(|| book.fact(name.trim()));
    let Some(fact) = fact else {
        let names: Vec<&str> = book.facts.iter().map(|spec| spec.name.as_ref()).collect();
        return Err(format!("--assume {text}: there is no fact `{name}`; {}", nearest(name, &names)));
    };
    let spec = &book.facts[fact.index()];
    if spec.settle.columns.is_empty() {
        return Err(format!("--assume {text}: `{}` follows from other facts; assume those", spec.name));
    }
    let supplier = FIELDS.iter().find(|field| of_keys && field.fact == Some(fact));
    let bits = match supplier {
        // The names of the values themselves are words, too, also those that no inventory would use.
        _ if spec.value(value.trim()).is_some() => spec.value(value.trim()).unwrap_or(0),
        Some(supplier) => observe(supplier.field, Cell::of_table(value))
            .map_err(|misread| format!("--assume {text}: expected {}", misread.expected))?,
        None => 0,
    };
    if bits == 0 {
        return Err(format!("--assume {text}: expected one of {}", spec.values.join(", ")));
    }
    let more = of_sides.into_iter().skip(1).map(|other| (other, bits));
    Ok(std::iter::once((fact, bits)).chain(more).collect())
}

/// The facts of a column, in domains whose records have a form.
fn facts_of_form(book: &Rulebook, column: &str) -> Vec<FactId> {
    let field = domains::form_of(book.domain).and_then(|form| form.field(column));
    let Some((field, side)) = field else { return Vec::new() };
    let sides = match (field.of, side) {
        (Of::Side { .. }, None) => vec![Some(Side::Source), Some(Side::Target)],
        (_, side) => vec![side],
    };
    sides.into_iter().filter_map(|side| field.of.fact(side)).collect()
}

/// How inputs are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The format of all inputs, instead of finding it.
    pub format: Option<Format>,
    /// The encoding of all text, instead of finding it.
    pub encoding: Option<&'static Encoding>,
    /// So many bytes of each input are read, after inflating it.
    pub max_input: u64,
    /// How many threads.
    pub jobs: usize,
    /// What is kept beside the facts.
    pub keep: Keep,
    /// Dates of rotations after this moment lie ahead.
    pub now: Timestamp,
    /// Whether there are audit logs, too, which tell more of a key whose creation is known.
    pub has_logs: bool,
}

impl Reading {
    /// What the arguments ask for.
    pub fn new(read: &args::Read, keep: Keep, now: Timestamp) -> Reading {
        let format = read.input_format.map(|format| match format {
            args::InputFormat::Csv => Format::Csv,
            args::InputFormat::Tsv => Format::Tsv,
            args::InputFormat::Json => Format::Json,
            args::InputFormat::Jsonl => Format::JsonLines,
            args::InputFormat::Xlsx => Format::Sheet,
            args::InputFormat::Terraform => Format::Terraform,
            args::InputFormat::Scoutsuite => Format::ScoutSuite,
            args::InputFormat::AlibabaCli => Format::AlibabaCli,
            args::InputFormat::CloudConfig => Format::CloudConfig,
            args::InputFormat::ResourceCenter => Format::ResourceCenter,
            args::InputFormat::Prowler => Format::Prowler,
            args::InputFormat::ProwlerOcsf => Format::ProwlerOcsf,
            args::InputFormat::Steampipe => Format::Steampipe,
        });
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (encoding, max_input) = (read.input_encoding, read.max_input.unwrap_or(args::MAX_INPUT));
        Reading {
            format,
            encoding,
            max_input,
            jobs: read.jobs.map_or_else(cores, usize::from),
            keep,
            now,
            has_logs: false,
        }
    }
}

/// The bytes that will be read, if all inputs are files.
pub fn total_bytes(inputs: &[Input]) -> Option<u64> {
    let size = |input: &Input| match &input.origin {
        Origin::LeftOut(_) => Some(0),
        Origin::File(path) => {
            let metadata = std::fs::metadata(path).ok()?;
            metadata.is_file().then_some(metadata.len())
        }
        Origin::StandardInput | Origin::Nothing { .. } => None,
    };
    inputs.iter().map(size).sum()
}

/// One file behind the other, in blocks.
///
/// A file that cannot be read is one reject, if there are others or some of it was read before.
struct Files<'f> {
    inputs: &'f [Input],
    waiting: VecDeque<(u32, &'f Input)>,
    /// The file at hand.
    at: Option<(u32, Splitter)>,
    /// Whether more is read than the file at hand has given so far.
    has_more: bool,
    /// Whether the file at hand has given something.
    has_given: bool,
    options: Options,
    max_input: u64,
    progress: &'f Progress,
    /// What they are called.
    names: FileNames,
}

impl<'f> Files<'f> {
    fn new(inputs: &'f [Input], reading: &Reading, progress: &'f Progress, columns: Columns) -> Self {
        let waiting = inputs.iter().enumerate().map(|(number, input)| (number as u32, input)).collect();
        let names = FileNames::new(inputs.iter().map(|input| input.name.clone()).collect());
        let options =
            Options { format: reading.format, encoding: reading.encoding, columns, max_input: reading.max_input };
        let is_read = |input: &&Input| !matches!(input.origin, Origin::LeftOut(_));
        let (max_input, has_more) = (reading.max_input, inputs.iter().filter(is_read).count() > 1);
        Files { inputs, waiting, at: None, has_more, has_given: false, options, max_input, progress, names }
    }

    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if let Some((number, splitter)) = &mut self.at {
                match splitter.next_block() {
                    Ok(Some(block)) => {
                        (self.has_more, self.has_given) = (true, true);
                        return Ok(Some(block));
                    }
                    Ok(None) => {}
                    // Its records may be wrong, and some were handed over.
                    Err(error) if error.is_damage() && self.has_given => return Err(error),
                    Err(error) => {
                        let number = *number;
                        self.at = None;
                        return self.bear(number, error).map(Some);
                    }
                }
            }
            let Some((number, input)) = self.waiting.pop_front() else {
                return Ok(None);
            };
            if let Origin::LeftOut(told) = &input.origin {
                let place = Place { file: number, line: 0 };
                return Ok(Some(Block::of_note(Note { place, kind: NoteKind::LeftOut, text: told.clone() })));
            }
            let opened = open(input, &self.progress.bytes, self.max_input)
                .and_then(|reader| detect::splitter(number, &input.name, reader, &self.options, &self.names));
            match opened {
                Ok(splitter) => (self.at, self.has_given) = (Some((number, splitter)), false),
                Err(error) => return self.bear(number, error).map(Some),
            }
        }
    }

    /// What cannot be read of one file, so that it does not stop the others; nor may they tell of the keys that it names
    /// as if it were not there.
    fn bear(&self, number: u32, error: ReadError) -> Result<Block, ReadError> {
        if !self.has_more {
            return Err(error);
        }
        // What is cut off is not there, and no line is known behind which nothing was read.
        let is_there = !self.has_given || matches!(error, ReadError::Content { .. });
        let reject = error.into_reject(number);
        let named =
            self.inputs.get(number as usize).filter(|input| matches!(input.origin, Origin::File(_)) && is_there);
        // Nothing that was read from standard input comes a second time.
        let again = named.and_then(|input| open(input, &Default::default(), self.max_input).ok());
        let tainted = again.map_or_else(Tainted::default, |reader| unread::key_ids(reader, reject.place.line));
        Ok(Block::of_reject(reject, tainted))
    }
}

/// What columns of an inventory may be called.
fn columns_of_keys(book: &Rulebook) -> Columns {
    let tests = book.user.iter().flat_map(|user| &user.columns);
    Columns {
        vocabulary: INVENTORY,
        needed: &["key_id", "arn"],
        is_needed: |name| matches!(Field::from_header(name), Some(Field::KeyId | Field::Arn)),
        asked: tests.map(|test| test.column.clone()).collect(),
    }
}

/// What columns of pairs, instances and requests may be called.
fn columns_of_forms() -> Columns {
    Columns { vocabulary: FORM, needed: &[], is_needed: |_| false, asked: Vec::new() }
}

/// What the columns of inventories are called; a table without one that says the key holds no records.
const INVENTORY: Vocabulary = Vocabulary {
    is_field: |name| Field::from_header(name).is_some(),
    is_header: |cells| cells.iter().any(|cell| matches!(Field::from_header(cell), Some(Field::KeyId | Field::Arn))),
    subject: "a key, by a column such as key_id or arn",
};

/// What the columns of forms are called.
const FORM: Vocabulary = Vocabulary {
    is_field: |name| domains::FORMS.iter().any(|form| form.field(name).is_some()),
    is_header: |cells| {
        let named = |form: &Form| cells.iter().filter(|cell| form.field(cell).is_some()).count();
        domains::FORMS.iter().any(|form| named(form) >= 2)
    },
    subject: "two columns or more that are known",
};

fn intake_rules(book: &Rulebook, reading: &Reading, scattered: bool) -> Rules {
    let tests = book.user.as_ref().map(|user| user.columns.clone()).unwrap_or_default();
    Rules {
        keep: reading.keep,
        first_test: (book.facts.len() - tests.len()) as u8,
        tests,
        asides: book.packing.mask(book.asides()),
        packing: book.packing.clone(),
        now: Some(reading.now),
        scattered,
    }
}

/// Reads all inputs and joins their records by key.
///
/// # Errors
/// An input cannot be read.
pub fn survey(inputs: &[Input], book: &Rulebook, reading: &Reading, progress: &Progress) -> Result<Survey, ReadError> {
    let mut files = Files::new(inputs, reading, progress, columns_of_keys(book));
    let names = files.names.clone();
    let survey = read_all(|| files.next_block(), book, reading, progress, names);
    progress.finish();
    survey
}

/// Reads an inventory that is in memory, and keeps all its columns.
///
/// # Errors
/// It is of no format that is known, or not of the one that is named.
pub fn survey_bytes(name: &str, bytes: &[u8], format: Option<Format>, book: &Rulebook) -> Result<Survey, ReadError> {
    let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let names = FileNames::new(vec![name.to_owned()]);
    let options = Options { format, encoding: None, columns: columns_of_keys(book), max_input: u64::MAX };
    let mut splitter = detect::splitter(0, name, reader, &options, &names)?;
    let (encoding, max_input) = (None, u64::MAX);
    let reading = Reading {
        format,
        encoding,
        max_input,
        jobs: 1,
        keep: Keep::AllColumns,
        now: Timestamp::now(),
        has_logs: false,
    };
    let progress = Progress::new(super::progress::Show::Never, None);
    read_all(|| splitter.next_block(), book, &reading, &progress, names)
}

/// Reads records by a form.
///
/// # Errors
/// An input cannot be read.
pub fn gather(
    form: &'static Form,
    inputs: &[Input],
    reading: &Reading,
    progress: &Progress,
) -> Result<Gathered, ReadError> {
    let mut files = Files::new(inputs, reading, progress, columns_of_forms());
    let names = files.names.clone();
    let gathered = gather_all(form, || files.next_block(), names);
    progress.finish();
    gathered
}

/// Reads records that are in memory.
///
/// # Errors
/// They are of no format that is known, or not of the one that is named.
pub fn gather_bytes(
    form: &'static Form,
    name: &str,
    bytes: &[u8],
    format: Option<Format>,
) -> Result<Gathered, ReadError> {
    let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let names = FileNames::new(vec![name.to_owned()]);
    let options = Options { format, encoding: None, columns: columns_of_forms(), max_input: u64::MAX };
    let mut splitter = detect::splitter(0, name, reader, &options, &names)?;
    gather_all(form, || splitter.next_block(), names)
}

fn gather_all(
    form: &'static Form,
    mut next_block: impl FnMut() -> Result<Option<Block>, ReadError>,
    names: FileNames,
) -> Result<Gathered, ReadError> {
    let (mut parser, mut gathered) = (Parser::default(), Gathered::new(form, names));
    while let Some(block) = next_block()? {
        gathered.begin(block.file);
        parser.rows(block, &mut gathered);
    }
    gathered.finish();
    Ok(gathered)
}

fn read_all(
    next_block: impl FnMut() -> Result<Option<Block>, ReadError> + Send,
    book: &Rulebook,
    reading: &Reading,
    progress: &Progress,
    files: FileNames,
) -> Result<Survey, ReadError> {
    let (shared, mut store) = (Shared::default(), Store::default());
    let rules = intake_rules(book, reading, files.all().len() > 1 || reading.has_logs);
    ordered(
        reading.jobs,
        next_block,
        || (Parser::default(), Intake::new(&shared, &rules)),
        |(parser, intake), block: Block| {
            intake.begin(block.file);
            parser.rows(block, intake);
            intake.take()
        },
        |batch| {
            progress.records(batch.records.len() as u64 + batch.rejects.len());
            store.add(batch);
            Ok(())
        },
    )?;
    let mut survey = Survey::new(store, shared.finish(), &book.packing, &book.facts, files.all(), reading.jobs);
    match reading.keep {
        Keep::Used => survey.note_unused_columns(),
        Keep::AllColumns => survey.note_columns_not_kept(),
    }
    Ok(survey)
}
