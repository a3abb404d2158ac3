//! JSON: an array of objects, an object that wraps one, objects one behind the other, JSON Lines.
//!
//! The splitter only follows brackets and strings, to find where each object begins and ends; what
//! stands inside is read by `serde_json`, so that broken text is found there, with its place.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::ops::Range;

use super::beside::{self, Wrapper};
use super::brackets::{Problem, Scan};
pub use super::brackets::{Span, WRAPPERS};
use super::detect::{Opened, fill};
use super::members::named_keys;
use super::{BLOCK, Block, Layout, ReadError, unread};
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{Note, NoteKind, Place, Reject};
use crate::inventory::tidy::key_ids_of;

/// A single object longer than this is refused; a reply that lists all keys of a large account has some megabytes.
const MAX_OBJECT: usize = 64 << 20;

/// How objects follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Not known yet.
    Unknown,
    /// One a line.
    Lines,
    /// Found by brackets.
    Nested,
}

/// Cuts JSON into blocks of whole objects.
pub struct Splitter {
    input: Opened,
    mode: Mode,
    scan: Box<Scan>,
    rejects: Vec<Reject>,
    tainted: Tainted,
    notes: Vec<Note>,
    is_field: fn(&str) -> bool,
    /// Records that stood beside the lists of wrappers.
    beside: VecDeque<Block>,
    /// Why nothing that was read can be trusted.
    distrust: Option<String>,
    /// Whether anything was looked at.
    has_begun: bool,
    finished: bool,
}

impl Splitter {
    /// A splitter at the beginning of the input. `is_field` tells members of a record from members
    /// that wrap records.
    pub fn new(input: Opened, mode: Mode, is_field: fn(&str) -> bool) -> Splitter {
        Splitter {
            input,
            mode,
            scan: Box::new(Scan::new(is_field)),
            rejects: Vec::new(),
            tainted: Tainted::default(),
            notes: Vec::new(),
            is_field,
            beside: VecDeque::new(),
            distrust: None,
            has_begun: false,
            finished: false,
        }
    }

    /// The next block, or nothing at the end.
    ///
    /// # Errors
    /// The file cannot be read, or one object is longer than 64 MiB.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        while !self.finished {
            self.find_objects();
            if let Some(reason) = self.distrust.take() {
                let source = io::Error::new(io::ErrorKind::InvalidData, reason);
                return Err(ReadError::Io { name: self.input.name.clone(), source });
            }
            if let Some(block) = self.beside.pop_front() {
                return Ok(Some(block));
            }
            let has_any = !self.scan.spans.is_empty() || !self.rejects.is_empty() || !self.notes.is_empty();
            let too_long = self.input.start.len() - self.scan.keep_from > MAX_OBJECT + BLOCK;
            if has_any && (self.scan.keep_from >= BLOCK || self.input.ended || too_long) {
                return Ok(Some(self.cut()));
            }
            if self.input.ended {
                self.finished = true;
                break;
            }
            if too_long {
                let message = "an object longer than 64 MiB; is a bracket or quote never closed? Nothing from here to the end of the file was read";
                return Err(ReadError::content(&self.input.name, Some(self.scan.object_line()), message));
            }
            if self.scan.keep_from >= BLOCK {
                drop(self.cut());
            }
            match fill(&mut self.input.reader, &mut self.input.start, BLOCK) {
                Ok(ended) => self.input.ended = ended,
                // The reader fails again when it is asked for more.
                Err(_) if has_any => return Ok(Some(self.cut())),
                Err(source) => return Err(ReadError::Io { name: self.input.name.clone(), source }),
            }
        }
        Ok(None)
    }

    fn cut(&mut self) -> Block {
        let bytes = self.input.cut(self.scan.keep_from);
        let spans = self.scan.rebase();
        Block {
            bytes,
            first_line: self.scan.line,
            rejects: std::mem::take(&mut self.rejects),
            tainted: std::mem::take(&mut self.tainted),
            notes: std::mem::take(&mut self.notes),
            spare: self.input.spare.clone(),
            ..Block::new(self.input.file, Layout::Json(spans))
        }
    }

    /// Whether the first line is an object around a list of records of keys, so that lines are no records.
    fn first_line_wraps(&self) -> bool {
        let bytes = self.input.start.trim_ascii_start();
        let line = bytes.get(..memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())).unwrap_or_default();
        let mut scan = Scan::new(self.is_field);
        if !line.starts_with(b"{") || scan.nested(line, false).is_some() || !scan.wraps_records() {
            return false;
        }
        scan.spans.first().is_some_and(|span| beside::is_about_key(&line[span.start..span.end]))
    }

    fn find_objects(&mut self) {
        if self.mode == Mode::Lines && !self.has_begun {
            self.has_begun = true;
            if self.first_line_wraps() {
                self.mode = Mode::Nested;
            }
        }
        if self.mode != Mode::Lines {
            let problem = self.scan.nested(&self.input.start, self.mode == Mode::Unknown);
            match problem {
                Some(Problem::ItIsLines) => self.mode = Mode::Lines,
                Some(Problem::Broken(reason)) => self.give_up(&reason),
                None if self.scan.decided => self.mode = Mode::Nested,
                None => {}
            }
        }
        for wrapper in std::mem::take(&mut self.scan.wrappers) {
            self.tell_beside(&wrapper);
        }
        if self.scan.beside.is_too_much {
            let reason =
                "more than 32 MiB stand beside the lists of records in one object; write all records into one list";
            self.distrust = Some(reason.to_owned());
        }
        for (line, key_id) in std::mem::take(&mut self.scan.torn) {
            let place = Place { file: self.input.file, line };
            let reason = "an object that has members of a key and also wraps a list of objects; what stands in the list was read, the object itself was not: write the two apart";
            self.rejects.push(Reject { key_id, ..Reject::whole(place, reason) });
        }
        for (line, text) in std::mem::take(&mut self.scan.scalars) {
            let place = Place { file: self.input.file, line };
            key_ids_of(&text).iter().for_each(|key_id| self.tainted.add(key_id));
            let reason = "an element of a list that is no object, so that it says nothing of any key; was it an error, or left out by a filter?";
            self.rejects.push(Reject::cell(place, "element", &text, reason));
        }
        for line in std::mem::take(&mut self.scan.unfinished) {
            let place = Place { file: self.input.file, line };
            let text = "the inventory is incomplete: the reply names a page that follows (NextToken); fetch it, too";
            self.notes.push(Note { place, kind: NoteKind::Incomplete, text: text.to_owned() });
        }
        if self.mode == Mode::Lines {
            self.scan.lines(&self.input.start, self.input.ended);
        } else if self.input.ended {
            if let Some(reason) = self.scan.unfinished() {
                self.give_up(&reason);
            }
            self.scan.keep_from = self.input.start.len();
        }
    }

    /// Takes what an object says beside the lists of records in it.
    fn tell_beside(&mut self, wrapper: &Wrapper) {
        let place = Place { file: self.input.file, line: wrapper.line };
        let (reason, key_ids, is_about_all) = match beside::read(&wrapper.text, self.is_field) {
            Err(reason) => (reason, named_keys(&wrapper.text), true),
            Ok(found) => {
                self.read_beside(wrapper, &found.records);
                if !found.idle.is_empty() {
                    let text = format!(
                        "members beside the list of records are left out: {}; write them into each record if they matter",
                        shown(&found.idle)
                    );
                    self.notes.push(Note { place, kind: NoteKind::LeftOut, text });
                }
                if found.lost.is_empty() {
                    return;
                }
                let reason = format!(
                    "members beside the list of records are not used: {}; write them into each record",
                    shown(&found.lost)
                );
                (reason, found.key_ids, found.is_about_all)
            }
        };
        let is_about_all = is_about_all && !wrapper.names_key;
        if is_about_all && wrapper.is_begun {
            // Its first keys have been handed over, and nobody remembers which.
            self.distrust = Some(format!(
                "line {}: {reason}; its list is so long that keys were handed on before this was known, so nothing is diagnosed",
                wrapper.line
            ));
            return;
        }
        if !wrapper.is_torn {
            self.rejects.push(Reject::whole(place, reason));
        }
        self.taint(key_ids);
        if is_about_all {
            let records = self.scan.spans.get(wrapper.records.clone()).unwrap_or_default();
            let bytes = records.iter().filter_map(|span| self.input.start.get(span.start..span.end));
            let key_ids: Vec<String> = bytes.flat_map(named_keys).chain(named_keys(&wrapper.text)).collect();
            self.taint(key_ids);
        }
    }

    /// Makes a block of records that stand beside the lists that were found first.
    fn read_beside(&mut self, wrapper: &Wrapper, records: &[Range<usize>]) {
        let span =
            |place: &Range<usize>| Span { start: place.start, end: place.end, line: wrapper.line_of(place.start) };
        let spans: Vec<Span> = records.iter().map(span).collect();
        if let Some(first) = spans.first() {
            let (first_line, bytes) = (first.line, wrapper.text.clone());
            self.beside.push_back(Block { bytes, first_line, ..Block::new(self.input.file, Layout::Json(spans)) });
        }
    }

    fn taint(&mut self, key_ids: Vec<String>) {
        let named = key_ids.iter().flat_map(|key_id| key_ids_of(key_id));
        named.for_each(|key_id| self.tainted.add(&key_id));
    }

    /// What follows cannot be taken apart: one reject stands for it.
    fn give_up(&mut self, reason: &str) {
        let place = Place { file: self.input.file, line: self.scan.object_line() };
        if let Some(wrapper) = self.scan.broken_wrapper(&self.input.start) {
            self.tell_beside(&wrapper);
        }
        let reason = format!("{reason}; nothing from here to the end of the file was read");
        let rest = self.input.start.get(self.scan.keep_from..).unwrap_or_default();
        self.rejects.push(Reject::whole(place, reason));
        let named = named_keys(rest);
        let reader = std::mem::replace(&mut self.input.reader, Box::new(std::io::empty()));
        // Together, for an id may stand partly in what was read and partly behind it.
        let unread = unread::key_ids(rest.chain(reader), 0);
        self.taint(named);
        self.tainted.append(&unread);
        self.scan.stop(self.input.start.len());
        self.input.ended = true;
    }
}

/// So many names of members are told.
const SHOWN: usize = 10;

/// Names for people.
fn shown(names: &[String]) -> String {
    let short = |name: &String| name.chars().take(60).collect::<String>();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    names.iter().take(SHOWN).map(short).collect::<Vec<_>>().join(", ") + &more
}
