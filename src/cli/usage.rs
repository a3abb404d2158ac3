//! `usage`: audit logs to usage evidence.

use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::args::Talk;
use super::evidence::Lost;
use super::exit::Exit;
use super::output::{Ink, say, write_to};
use super::progress::{Progress, Show};
use super::run::Failure;
use super::usage_args::{Usage, UsageCommand, UsageFormat, UsageMerge, UsageWrite};
use crate::cli::job::total_bytes;
use crate::engine::facts::Lang;
use crate::ordered::ordered;
use crate::read::source::{self, Input, Origin};
use crate::usage::buffers::Buffers;
use crate::usage::collect::{Counted, Detail, Shared, Worker};
use crate::usage::doubt::OpenCall;
use crate::usage::event::Seen;
use crate::usage::evidence::{whose, window_words};
use crate::usage::input::{Block, Logs};
use crate::usage::merge::Merged;
use crate::usage::network::Networks;
use crate::usage::result::Written;
use crate::usage::shape::Shapes;
use crate::usage::take::{Take, lines, values};
use crate::write::usage;

/// So many events that could not be read are told; all are counted.
const TOLD: usize = 20;

pub(super) fn run(command: &Usage) -> Result<Exit, Failure> {
    super::run::set_colour(command.talk.color);
    if let Some(UsageCommand::Merge(merge)) = &command.command {
        return self::merge(merge);
    }
    let output = command.write.output.as_ref();
    let networks: Vec<PathBuf> = command.networks.iter().cloned().collect();
    super::run::refuse_one_place_for_two(&[&command.inputs[..], &networks].concat(), output, None)?;
    let jobs = command.jobs.map_or_else(cores, usize::from);
    let logs = LogsOf {
        paths: &command.inputs,
        networks: command.networks.as_deref(),
        max_input: command.max_input,
        jobs,
        may_be_broken: command.allow_rejects,
        detail: match command.write.format {
            UsageFormat::Jsonl => Detail::Result,
            UsageFormat::Csv => Detail::Table,
        },
        talk: &command.talk,
    };
    let (counted, _) = logs.count()?;
    write(&counted, jobs, &command.write)?;
    if !command.talk.quiet {
        tell(&counted);
    }
    Ok(if is_whole(&counted) || command.allow_rejects { Exit::Done } else { Exit::Rejects })
}

/// Whether all events could be read.
pub(super) fn is_whole(counted: &Counted) -> bool {
    counted.rest.account.broken + counted.rest.account.unread_files == 0
}

/// Logs, and how they are read.
pub(super) struct LogsOf<'a> {
    /// Files and folders.
    pub(super) paths: &'a [PathBuf],
    /// The user's networks.
    pub(super) networks: Option<&'a Path>,
    /// So many bytes of each file are read, after inflating it.
    pub(super) max_input: u64,
    /// How many threads.
    pub(super) jobs: usize,
    /// Whether there may be no event that can be read.
    pub(super) may_be_broken: bool,
    /// What is counted of the calls with a key.
    pub(super) detail: Detail,
    /// What is said on the way.
    pub(super) talk: &'a Talk,
}

impl LogsOf<'_> {
    /// Counts all events, tells what could not be read, and gives that, as far as it was told.
    ///
    /// # Errors
    /// The networks or a folder cannot be read, or there is no event.
    pub(super) fn count(&self) -> Result<(Counted, Vec<Lost>), Failure> {
        let networks = networks(self.networks)?;
        let inputs = source::logs(self.paths)?;
        let show = if self.talk.quiet || self.talk.no_progress { Show::Never } else { Show::OnTerminal };
        let progress = Progress::new(show, total_bytes(&inputs));
        let shared = Shared::new(networks, self.detail);
        let broken = count(&inputs, &shared, &progress, self.max_input, self.jobs);
        progress.finish();
        let counted = shared.finish();
        for input in &inputs {
            if let Origin::LeftOut(told) = &input.origin {
                say(&format!("note: {}: {told}", input.name));
            }
        }
        let failed: Vec<&Broken> = broken.iter().filter(|broken| broken.of == Of::File).collect();
        for broken in &broken {
            let name = inputs.get(broken.file as usize).map_or("", |input| &input.name);
            match (broken.of, broken.line) {
                (Of::LeftOut, _) => say(&format!("note: {name}: {}", broken.why)),
                // A failure of a file names it.
                (Of::File, 0) => say(&format!("rejected: {}", broken.why)),
                (Of::Event, 0) => say(&format!("rejected: {name}: {}", broken.why)),
                (_, line) => say(&format!("rejected: {name}:{line}: {}", broken.why)),
            }
        }
        // A part of a log may well have no event that can be read: its result is that of nothing, which can be merged.
        let may_be_nothing = self.may_be_broken && failed.is_empty();
        if counted.rest.account.events == counted.rest.account.broken && !may_be_nothing {
            let why = if failed.is_empty() { "no event was read" } else { "no event could be read" };
            return Err(Failure::Failed(format!("{why}; expected events of ActionTrail")));
        }
        let name = |file: u32| inputs.get(file as usize).map_or_else(String::new, |input| input.name.clone());
        let lost = broken.into_iter().filter(|broken| broken.of != Of::LeftOut);
        Ok((counted, lost.map(|Broken { file, line, why, .. }| Lost { name: name(file), line, why }).collect()))
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Broken {
    file: u32,
    line: u64,
    of: Of,
    why: String,
}

/// What could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// An event.
    Event,
    /// A file, or its rest.
    File,
    /// A file in which nobody expects any event.
    LeftOut,
}

/// What one thread takes.
struct Taker<'s> {
    worker: Worker<'s>,
    file: u32,
    /// How many lines stand before those of the block, as far as it is known; nothing where lines do not matter.
    before: Option<u64>,
    broken: Vec<Broken>,
    count: u64,
}

impl Taker<'_> {
    fn told(&mut self, line: u64, why: String) {
        let line = self.before.map_or(0, |before| before + line + 1);
        self.broken.push(Broken { file: self.file, line, of: Of::Event, why });
        // The first are told, whichever thread has met them.
        if self.broken.len() >= 4 * TOLD {
            self.broken.sort();
            self.broken.truncate(TOLD);
        }
    }
}

impl Take for Taker<'_> {
    fn seen(&mut self, seen: &Seen<'_>, line: u64) {
        self.count += 1;
        match seen {
            Seen::Kms(event) => {
                if let Err(why) = self.worker.kms(event) {
                    self.told(line, why);
                }
            }
            Seen::Other(event) => {
                if let Err(why) = self.worker.other(event) {
                    self.told(line, why);
                }
            }
            Seen::Around(_) | Seen::Nothing => {
                self.worker.broken();
                self.told(line, "an object that is no event of ActionTrail".to_owned());
            }
        }
    }

    fn broken(&mut self, line: u64, why: String) {
        self.worker.broken();
        self.told(line, why);
    }
}

/// What one thread needs.
struct Thread<'s> {
    taker: Taker<'s>,
    shapes: Shapes,
    buffers: Buffers,
}

/// What became of a block.
struct Done {
    broken: Vec<Broken>,
    count: u64,
    /// The log whose block it was, and how many lines end in it.
    lines: Option<(u32, u64)>,
}

/// Counts all events, and gives what could not be read, by place.
fn count(inputs: &[Input], shared: &Shared, progress: &Progress, max_input: u64, jobs: usize) -> Vec<Broken> {
    let mut logs = Logs::new(inputs, &progress.bytes, max_input, jobs);
    let takers = logs.takers();
    let mut all: Vec<Broken> = Vec::new();
    // Blocks of a log come back in order, and only then it is known on which line each has begun.
    let mut place = (0, 0);
    let state = || Thread {
        taker: Taker { worker: Worker::new(shared), file: 0, before: None, broken: Vec::new(), count: 0 },
        shapes: Shapes::default(),
        buffers: Buffers::of_files(),
    };
    let outcome: Result<(), std::convert::Infallible> = ordered(
        takers,
        || Ok(logs.next_block()),
        state,
        |thread, block| {
            let lines = take(thread, block, 0, inputs, &progress.bytes, max_input);
            let broken = std::mem::take(&mut thread.taker.broken);
            Done { broken, count: std::mem::take(&mut thread.taker.count), lines }
        },
        |Done { mut broken, count, lines }| {
            progress.records(count);
            if let Some((file, lines)) = lines {
                if place.0 != file {
                    place = (file, 0);
                }
                broken.iter_mut().filter(|broken| broken.line > 0).for_each(|broken| broken.line += place.1);
                place.1 += lines;
            }
            all.extend(broken);
            if all.len() >= 4 * TOLD {
                shorten(&mut all);
            }
            Ok(())
        },
    );
    match outcome {
        Ok(()) => {}
    }
    shorten(&mut all);
    all
}

/// Files that failed are all told; of events, the first.
fn shorten(all: &mut Vec<Broken>) {
    all.sort();
    let mut events = 0;
    all.retain(|broken| {
        events += usize::from(broken.of == Of::Event);
        broken.of != Of::Event || events <= TOLD
    });
}

/// Takes a block, before which so many lines of its log stand, and gives whose it was and how many lines end in it, unless it
/// was a whole file.
fn take(
    thread: &mut Thread<'_>,
    block: Block,
    before: u64,
    inputs: &[Input],
    bytes: &Arc<AtomicU64>,
    max_input: u64,
) -> Option<(u32, u64)> {
    let Thread { taker, shapes, buffers } = thread;
    match block {
        Block::Lines(piece) => {
            (taker.file, taker.before) = (piece.file, Some(before));
            Some((piece.file, lines(&piece, shapes, taker)))
        }
        Block::Elements(piece) => {
            (taker.file, taker.before) = (piece.file, None);
            Some((piece.file, values(&piece, shapes, taker)))
        }
        Block::File(file) => {
            let mut log = Logs::of_file(inputs, file, bytes, max_input, &buffers.clone());
            let mut before = 0;
            while let Some(block) = log.next_block() {
                before += take(thread, block, before, inputs, bytes, max_input).map_or(0, |(_, lines)| lines);
            }
            None
        }
        Block::Failed(file, error) => {
            taker.worker.unread_file();
            taker.broken.push(Broken { file, line: 0, of: Of::File, why: error.to_string() });
            None
        }
        Block::LeftOut(file, why) => {
            let lost = inputs.get(file as usize).and_then(source::failed_delivery);
            let of = if lost.is_some() { Of::File } else { Of::LeftOut };
            lost.iter().for_each(|_| taker.worker.unread_file());
            taker.broken.push(Broken { file, line: 0, of, why: lost.unwrap_or(why) });
            None
        }
        Block::TooLong(file) => {
            taker.worker.unread_file();
            let why = "an event, or a line, of more than 16 MiB; nothing from here on was read".to_owned();
            taker.broken.push(Broken { file, line: before + 1, of: Of::File, why });
            Some((file, 0))
        }
    }
}

fn networks(path: Option<&Path>) -> Result<Networks, Failure> {
    let Some(path) = path else { return Ok(Networks::default()) };
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| Failure::Failed(format!("{shown}: {error}")))?;
    let not_utf8 = |_| Failure::Failed(format!("{shown}: the text is not UTF-8; save it as UTF-8"));
    let text = String::from_utf8(bytes).map_err(not_utf8)?;
    Networks::read(&text).map_err(|(line, why)| Failure::Failed(format!("{shown}:{line}: {why}")))
}

fn write(counted: &Counted, jobs: usize, how: &UsageWrite) -> Result<(), Failure> {
    let written = Written::new(counted);
    let result = write_to(how.output.as_deref(), Ink::Data, |out| match how.format {
        UsageFormat::Jsonl => usage::jsonl(&written, jobs, out),
        UsageFormat::Csv => usage::csv(&written, jobs, out),
    });
    Ok(result?)
}

/// So many accounts and regions, and calls without a key, are told on standard error; the result has all.
const SHOWN: usize = 10;

fn tell(counted: &Counted) {
    let written = Written::new(counted);
    let head = written.head();
    say(&format!(
        "{} events read = {} of KMS ({} without a key) + {} of other services + {} duplicates + {} not understood",
        head.events, head.kms, head.no_key, head.other_services, head.duplicates, head.broken
    ));
    if head.unread_files > 0 {
        say(&format!("warning: {} file(s) could not be read, or not to the end", head.unread_files));
    }
    say(&format!("{} key(s)", counted.keys.len()));
    let rest = &counted.rest;
    let named = |(account, region): (u32, u32)| counted.scope_of(account, region);
    let mut windows: Vec<_> = rest.coverage.iter().map(|(scope, coverage)| (named(*scope), coverage)).collect();
    windows.sort_by_key(|(scope, _)| *scope);
    for (scope, coverage) in windows.iter().take(SHOWN) {
        let window = window_words(coverage, Lang::En).unwrap_or_default();
        say(&format!("{}: events from {window}", whose(*scope)));
    }
    if windows.len() > SHOWN {
        say(&format!("… and {} more accounts and regions", windows.len() - SHOWN));
    }
    let open = rest.unattributed.iter().filter_map(|(from, calls)| {
        let call = OpenCall::forbidden(from, calls, counted)?;
        Some(format!("{}: {}", whose(named((from.account, from.region))), call.words(Lang::En)))
    });
    let mut open: Vec<String> = open.collect();
    open.sort();
    open.iter().take(SHOWN).for_each(|call| say(&format!("warning: {call}")));
    if open.len() > SHOWN {
        say(&format!("… and {} more callers of such operations", open.len() - SHOWN));
    }
}

fn merge(command: &UsageMerge) -> Result<Exit, Failure> {
    super::run::refuse_one_place_for_two(&command.inputs, command.write.output.as_ref(), None)?;
    let counted = results(&command.inputs, None, command.talk.quiet)?;
    write(&counted, cores(), &command.write)?;
    if !command.talk.quiet {
        tell(&counted);
    }
    Ok(if is_whole(&counted) || command.allow_rejects { Exit::Done } else { Exit::Rejects })
}

/// Longer lines are not read: that of a key with 500,000 applications is about as long.
const LONGEST_LINE: u64 = 64 << 20;

/// Puts results of `usage` together, and what was counted just now.
///
/// # Errors
/// A result cannot be read, is cut off, or is none.
pub(super) fn results(paths: &[PathBuf], counted: Option<&Counted>, quiet: bool) -> Result<Counted, Failure> {
    let mut merged = Merged::default();
    if let Some(counted) = counted {
        for line in Written::new(counted).lines() {
            merged.add_line(line).map_err(Failure::Failed)?;
        }
        merged.end().map_err(Failure::Failed)?;
    }
    for input in source::inputs(paths)?.iter().filter(|input| !matches!(input.origin, Origin::LeftOut(_))) {
        let mut reader = std::io::BufReader::new(source::open(input, &Arc::default(), u64::MAX)?);
        add_results(&mut reader, &mut merged)
            .map_err(|(line, why)| Failure::Failed(format!("{}:{line}: {why}", input.name)))?;
    }
    if merged.repeated > 0 && !quiet {
        say(&format!("note: {} result(s) are of the same events as one before, and were left out", merged.repeated));
    }
    Ok(merged.finish())
}

/// Adds the results of a file, which stand one behind the other. A failure says on which line it is.
fn add_results(reader: &mut dyn BufRead, merged: &mut Merged) -> Result<(), (u64, String)> {
    let mut line = Vec::new();
    for number in 1.. {
        let failed = |why: String| (number, why);
        line.clear();
        // One byte more shows that there is more.
        let read = reader.take(LONGEST_LINE + 1).read_until(b'\n', &mut line);
        if read.map_err(|error| failed(error.to_string()))? == 0 {
            return merged.end().map_err(|why| (number.saturating_sub(1).max(1), why));
        }
        if line.len() as u64 > LONGEST_LINE {
            return Err(failed("a line of more than 64 MiB, which no result of `usage` has".to_owned()));
        }
        let text = std::str::from_utf8(&line).map_err(|error| failed(format!("not UTF-8: {error}")))?;
        if !text.trim().is_empty() {
            merged.add(text).map_err(failed)?;
        }
    }
    Ok(())
}
