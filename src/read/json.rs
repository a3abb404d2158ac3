//! JSON: an array of objects, an object that wraps one, objects one behind the other, JSON Lines.
//!
//! The splitter only follows brackets and strings, to find where each object begins and ends; what
//! stands inside is read by `serde_json`, so that broken text is found there, with its place.

use super::detect::{Opened, fill};
use super::{BLOCK, Block, Layout, MAX_RECORD, ReadError};
use crate::inventory::row::{Place, Reject};

/// Where an object stands in the bytes of a block.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// Its line in the file, from 1.
    pub line: u64,
}

/// Members that hold lists of records, in lower case.
pub const WRAPPERS: [&[u8]; 12] = [
    b"keys",
    b"items",
    b"data",
    b"results",
    b"records",
    b"rows",
    b"resources",
    b"cmks",
    b"inventory",
    b"pairs",
    b"requests",
    b"instances",
];

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
    scan: Scan,
    rejects: Vec<Reject>,
    finished: bool,
}

impl Splitter {
    /// A splitter at the beginning of the input. `is_field` tells members of a record from members
    /// that wrap records.
    pub fn new(input: Opened, mode: Mode, is_field: fn(&str) -> bool) -> Splitter {
        Splitter { input, mode, scan: Scan::new(is_field), rejects: Vec::new(), finished: false }
    }

    /// The next block, or nothing at the end.
    ///
    /// # Errors
    /// The file cannot be read, or one object is longer than [`MAX_RECORD`].
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        while !self.finished {
            self.find_objects();
            let enough = self.scan.keep_from >= BLOCK || self.input.ended;
            if enough && (!self.scan.spans.is_empty() || !self.rejects.is_empty()) {
                return Ok(Some(self.cut()));
            }
            if self.input.ended {
                self.finished = true;
                break;
            }
            if self.input.start.len() - self.scan.keep_from > MAX_RECORD + BLOCK {
                let message = "an object longer than 64 MiB; is a bracket or quote never closed?";
                return Err(ReadError::content(&self.input.name, Some(self.scan.line), message));
            }
            let read = fill(&mut self.input.reader, &mut self.input.start, BLOCK);
            self.input.ended = read.map_err(|source| ReadError::Io { name: self.input.name.clone(), source })?;
        }
        Ok(None)
    }

    fn cut(&mut self) -> Block {
        let bytes = self.input.cut(self.scan.keep_from);
        let spans = self.scan.rebase();
        Block {
            file: self.input.file,
            bytes,
            first_line: self.scan.line,
            layout: Layout::Json(spans),
            rejects: std::mem::take(&mut self.rejects),
            notes: Vec::new(),
            spare: self.input.spare.clone(),
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
        for line in std::mem::take(&mut self.scan.torn) {
            let place = Place { file: self.input.file, line };
            let reason = "an object that has members of a key and also wraps a list of objects; what stands in the list was read, the object itself was not: write the two apart";
            self.rejects.push(Reject::whole(place, reason));
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
        self.rejects.push(Reject::whole(place, reason));
        self.scan.stop(self.input.start.len());
        self.input.ended = true;
        self.input.reader = Box::new(std::io::empty());
    }
}

/// What one step through the bytes came to.
enum Step {
    On,
    NeedsMore,
    Stop(Problem),
}

enum Problem {
    ItIsLines,
    Broken(String),
}

/// What an open bracket is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// An array whose objects are records.
    Records,
    /// An object at the top: a record, or one that wraps records.
    Top,
    /// An object that is a record.
    Record,
    /// Something inside.
    Inner,
}

/// Follows brackets and strings.
struct Scan {
    is_field: fn(&str) -> bool,
    spans: Vec<Span>,
    at: usize,
    line: u64,
    /// Bytes before this are not needed any more once their spans are handed over.
    keep_from: usize,
    open: Vec<Role>,
    in_string: bool,
    string_start: usize,
    /// The last string, which may name the next member.
    name: (usize, usize),
    /// First byte and line of the object at the top, and of the record at hand.
    top: (usize, u64),
    record: (usize, u64),
    saw_field: bool,
    wraps: bool,
    wraps_nothing: bool,
    wraps_by_name: bool,
    /// Lines of objects that both wrap objects and look like a record.
    torn: Vec<u64>,
    decided: bool,
    stopped: bool,
}

impl Scan {
    fn new(is_field: fn(&str) -> bool) -> Scan {
        Scan {
            is_field,
            spans: Vec::new(),
            at: 0,
            line: 1,
            keep_from: 0,
            open: Vec::new(),
            in_string: false,
            string_start: 0,
            name: (0, 0),
            top: (0, 1),
            record: (0, 1),
            saw_field: false,
            wraps: false,
            wraps_nothing: false,
            wraps_by_name: false,
            torn: Vec::new(),
            decided: false,
            stopped: false,
        }
    }

    /// The line on which the object at hand begins.
    fn object_line(&self) -> u64 {
        match self.open.iter().rev().find(|role| **role != Role::Inner) {
            Some(Role::Record) => self.record.1,
            Some(Role::Top) => self.top.1,
            _ => self.line,
        }
    }

    fn stop(&mut self, end: usize) {
        self.open.clear();
        self.in_string = false;
        self.at = end;
        self.keep_from = end;
        self.stopped = true;
    }

    /// The first `keep_from` bytes are handed over with their spans.
    fn rebase(&mut self) -> Vec<Span> {
        let by = std::mem::take(&mut self.keep_from);
        self.at -= by;
        self.top.0 = self.top.0.saturating_sub(by);
        self.record.0 = self.record.0.saturating_sub(by);
        self.string_start = self.string_start.saturating_sub(by);
        self.name = (self.name.0.saturating_sub(by), self.name.1.saturating_sub(by));
        std::mem::take(&mut self.spans)
    }

    /// Each line that is not blank is an object.
    fn lines(&mut self, bytes: &[u8], ended: bool) {
        while let Some(offset) = memchr::memchr(b'\n', &bytes[self.at..]) {
            self.line_span(bytes, self.at + offset);
            self.at += offset + 1;
            self.line += 1;
        }
        if ended {
            self.line_span(bytes, bytes.len());
            self.at = bytes.len();
        }
        self.keep_from = self.at;
    }

    fn line_span(&mut self, bytes: &[u8], end: usize) {
        if !bytes[self.at..end].trim_ascii().is_empty() {
            self.spans.push(Span { start: self.at, end, line: self.line });
        }
    }

    /// Follows the brackets through the bytes that are new.
    fn nested(&mut self, bytes: &[u8], may_be_lines: bool) -> Option<Problem> {
        while self.at < bytes.len() {
            let went_on = if self.in_string { self.string(bytes) } else { self.token(bytes, may_be_lines) };
            match went_on {
                Step::On => {}
                Step::NeedsMore => return None,
                Step::Stop(problem) => return Some(problem),
            }
            if self.outside() && !self.in_string {
                self.keep_from = self.at;
            }
        }
        None
    }

    /// Follows one byte outside strings.
    fn token(&mut self, bytes: &[u8], may_be_lines: bool) -> Step {
        let byte = bytes[self.at];
        if self.outside() && !matches!(byte, b'{' | b'[' | b']' | b'}' | b',') && !byte.is_ascii_whitespace() {
            return Step::Stop(Problem::Broken(format!(
                "expected an object, found `{}`",
                beginning(&bytes[self.at..])
            )));
        }
        self.at += 1;
        match byte {
            b'\n' => self.line += 1,
            b'"' => {
                self.in_string = true;
                self.string_start = self.at;
            }
            b'{' => self.open_object(),
            b'[' => return self.open_array(bytes),
            b'}' | b']' => return self.close(bytes, byte, may_be_lines),
            b':' if self.open.last() == Some(&Role::Top) => self.saw_field |= self.names_field(bytes),
            _ => {}
        }
        Step::On
    }

    /// Follows a string to its next mark.
    fn string(&mut self, bytes: &[u8]) -> Step {
        let Some(offset) = memchr::memchr3(b'"', b'\\', b'\n', &bytes[self.at..]) else {
            self.at = bytes.len();
            return Step::On;
        };
        let at = self.at + offset;
        match bytes[at] {
            b'\\' if at + 1 >= bytes.len() => {
                self.at = at;
                return Step::NeedsMore;
            }
            b'\\' => self.at = at + 2,
            b'\n' => {
                self.line += 1;
                self.at = at + 1;
            }
            _ => {
                self.in_string = false;
                self.name = (self.string_start, at);
                self.at = at + 1;
            }
        }
        Step::On
    }

    /// Whether nothing but records may stand here.
    fn outside(&self) -> bool {
        self.open.last().is_none_or(|role| *role == Role::Records)
    }

    fn open_object(&mut self) {
        let role = match self.open.last() {
            None => Role::Top,
            Some(Role::Records) => Role::Record,
            Some(_) => Role::Inner,
        };
        let start = (self.at - 1, self.line);
        match role {
            Role::Top => {
                (self.top, self.saw_field, self.wraps) = (start, false, false);
                (self.wraps_nothing, self.wraps_by_name) = (false, false);
            }
            Role::Record => self.record = start,
            _ => {}
        }
        self.open.push(role);
    }

    fn open_array(&mut self, bytes: &[u8]) -> Step {
        let role = match self.open.last() {
            None | Some(Role::Records) => Role::Records,
            Some(Role::Top) if self.names_wrapper(bytes) || !self.saw_field && !self.names_field(bytes) => {
                match bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace()) {
                    None => {
                        self.at -= 1;
                        return Step::NeedsMore;
                    }
                    Some(b'{') => {
                        self.wraps = true;
                        self.wraps_by_name |= self.names_wrapper(bytes);
                        Role::Records
                    }
                    Some(b']') => {
                        self.wraps_nothing = true;
                        Role::Inner
                    }
                    Some(_) => Role::Inner,
                }
            }
            Some(_) => Role::Inner,
        };
        self.decided |= role == Role::Records;
        self.open.push(role);
        Step::On
    }

    /// Whether the member has a name that lists of keys have, whatever stands beside it.
    fn names_wrapper(&self, bytes: &[u8]) -> bool {
        let name = bytes.get(self.name.0..self.name.1).unwrap_or_default().to_ascii_lowercase();
        WRAPPERS.contains(&name.as_slice())
    }

    fn names_field(&self, bytes: &[u8]) -> bool {
        let name = bytes.get(self.name.0..self.name.1).and_then(|name| std::str::from_utf8(name).ok());
        name.is_some_and(|name| (self.is_field)(name))
    }

    fn close(&mut self, bytes: &[u8], byte: u8, may_be_lines: bool) -> Step {
        let broken = |message: String| Step::Stop(Problem::Broken(message));
        let closes_array = byte == b']';
        match self.open.pop() {
            None => broken(format!("`{}` closes nothing", char::from(byte))),
            Some(Role::Records) if closes_array => Step::On,
            Some(role @ (Role::Record | Role::Top)) if !closes_array => self.end_object(bytes, role, may_be_lines),
            Some(Role::Inner) => Step::On,
            Some(_) => broken(format!("`{}` closes a bracket of the other kind", char::from(byte))),
        }
    }

    fn end_object(&mut self, bytes: &[u8], role: Role, may_be_lines: bool) -> Step {
        let wrapper = role == Role::Top && (self.wraps || self.wraps_nothing && !self.saw_field);
        let (start, line) = if role == Role::Top { self.top } else { self.record };
        if role == Role::Top && self.wraps && self.saw_field && !self.wraps_by_name {
            self.torn.push(line);
        } else if !wrapper {
            self.spans.push(Span { start, end: self.at, line });
        }
        let alone = role == Role::Top && !wrapper && !self.decided;
        self.decided = true;
        if alone && may_be_lines && self.line == line && rest_of_line_is_blank(&bytes[self.at..]) {
            self.keep_from = self.at;
            return Step::Stop(Problem::ItIsLines);
        }
        Step::On
    }

    /// What is missing at the end of the input.
    fn unfinished(&self) -> Option<String> {
        (!self.stopped && !self.open.is_empty()).then(|| {
            "the input ends inside an object or array; it is cut off, or a bracket or quote is never closed".to_owned()
        })
    }
}

/// The first few characters, for messages.
fn beginning(bytes: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
    shown.lines().next().unwrap_or_default().to_owned()
}

fn rest_of_line_is_blank(rest: &[u8]) -> bool {
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    rest[..end].trim_ascii().is_empty()
}
