//! JSON: an array of objects, an object that wraps one, objects one behind the other, JSON Lines.
//!
//! The splitter only follows brackets and strings, to find where each object begins and ends; what
//! stands inside is read by `serde_json`, so that broken text is found there, with its place.

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

    fn find_objects(&mut self) {
        if self.mode != Mode::Lines {
            let problem = self.scan.nested(&self.input.start, self.mode == Mode::Unknown);
            match problem {
                Some(Problem::ItIsLines) => self.mode = Mode::Lines,
                Some(Problem::Broken(reason)) => self.give_up(&reason),
                None if self.scan.decided => self.mode = Mode::Nested,
                None => {}
            }
        }
        for (line, key_id) in std::mem::take(&mut self.scan.torn) {
            let place = Place { file: self.input.file, line };
            let reason = "an object that has members of a key and also wraps a list of objects; what stands in the list was read, the object itself was not: write the two apart";
            self.rejects.push(Reject { key_id, ..Reject::whole(place, reason) });
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

    /// What follows cannot be taken apart: one reject stands for it.
    fn give_up(&mut self, reason: &str) {
        let place = Place { file: self.input.file, line: self.scan.object_line() };
        let reason = format!("{reason}; nothing from here to the end of the file was read");
        let rest = self.input.start.get(self.scan.keep_from..).unwrap_or_default();
        self.rejects.push(Reject::whole(place, reason));
        let named = named_keys(rest).into_iter().flat_map(|key_id| key_ids_of(&key_id));
        named.for_each(|key_id| self.tainted.add(&key_id));
        let reader = std::mem::replace(&mut self.input.reader, Box::new(std::io::empty()));
        self.tainted.append(&unread::key_ids(reader, 0));
        self.scan.stop(self.input.start.len());
        self.input.ended = true;
    }
}
