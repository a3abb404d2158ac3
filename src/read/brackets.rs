//! Follows the brackets and strings of JSON, to find where each object begins and ends.

use super::MAX_DEPTH;
use super::beside::{Collected, Wrapper};
use super::scalars::{MARK, scalar_at};
use crate::inventory::identity::parse_arn;

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

/// Members that hold lists of keys, in lower case.
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

/// Members that hold lists of something else, in lower case: Steampipe describes its columns beside its rows, and
/// Resource Center repeats the filters that it was asked with.
const NO_WRAPPERS: [&[u8]; 2] = [b"columns", b"filters"];

/// What one step through the bytes came to.
enum Step {
    On,
    NeedsMore,
    Stop(Problem),
}

pub(super) enum Problem {
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
pub(super) struct Scan {
    is_field: fn(&str) -> bool,
    pub(super) spans: Vec<Span>,
    at: usize,
    pub(super) line: u64,
    /// Bytes before this are not needed any more once their spans are handed over.
    pub(super) keep_from: usize,
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
    pub(super) torn: Vec<(u64, Option<String>)>,
    /// Whether the next string names the key that the object at the top is about, and that key.
    is_key_id: bool,
    top_key: Option<String>,
    /// Whether the next string is the token by which a reply names the page that follows, and lines of such replies.
    is_token: bool,
    pub(super) unfinished: Vec<u64>,
    /// Elements of lists that are no objects, with their lines.
    pub(super) scalars: Vec<(u64, String)>,
    pub(super) decided: bool,
    stopped: bool,
    /// What the object at the top says beside lists of records.
    pub(super) beside: Collected,
    /// The objects that wrapped records.
    pub(super) wrappers: Vec<Wrapper>,
}

impl Scan {
    pub(super) fn new(is_field: fn(&str) -> bool) -> Scan {
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
            is_key_id: false,
            top_key: None,
            is_token: false,
            unfinished: Vec::new(),
            scalars: Vec::new(),
            decided: false,
            stopped: false,
            beside: Collected::default(),
            wrappers: Vec::new(),
        }
    }

    /// The line on which the object at hand begins.
    pub(super) fn object_line(&self) -> u64 {
        match self.open.iter().rev().find(|role| **role != Role::Inner) {
            Some(Role::Record) => self.record.1,
            Some(Role::Top) => self.top.1,
            _ => self.line,
        }
    }

    pub(super) fn stop(&mut self, end: usize) {
        self.open.clear();
        self.in_string = false;
        self.at = end;
        self.keep_from = end;
        self.stopped = true;
    }

    /// The first `keep_from` bytes are handed over with their spans.
    pub(super) fn rebase(&mut self) -> Vec<Span> {
        let by = std::mem::take(&mut self.keep_from);
        self.at -= by;
        self.top.0 = self.top.0.saturating_sub(by);
        self.record.0 = self.record.0.saturating_sub(by);
        self.string_start = self.string_start.saturating_sub(by);
        self.name = (self.name.0.saturating_sub(by), self.name.1.saturating_sub(by));
        self.beside.rebase(by, self.spans.len());
        std::mem::take(&mut self.spans)
    }

    /// Each line that is not blank is an object.
    pub(super) fn lines(&mut self, bytes: &[u8], ended: bool) {
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
        let mark = if bytes[self.at..end].starts_with(MARK) { MARK.len() } else { 0 };
        if !bytes[self.at + mark..end].trim_ascii().is_empty() {
            self.spans.push(Span { start: self.at + mark, end, line: self.line });
        }
    }

    /// Follows the brackets through the bytes that are new.
    pub(super) fn nested(&mut self, bytes: &[u8], may_be_lines: bool) -> Option<Problem> {
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
            // Files were put together, each of which begins with a byte order mark.
            if bytes[self.at..].starts_with(MARK) {
                self.at += MARK.len();
                return Step::On;
            }
            if self.open.last() == Some(&Role::Records)
                && let Some(step) = self.scalar(bytes)
            {
                return step;
            }
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
            b':' if self.open.last() == Some(&Role::Top) => {
                self.saw_field |= self.names_field(bytes);
                let name = bytes.get(self.name.0..self.name.1).unwrap_or_default();
                self.is_token = is_called(name, b"nexttoken");
                self.is_key_id = is_called(name, b"keyid") || is_called(name, b"keyarn") || is_called(name, b"arn");
            }
            b',' | b'n' => (self.is_token, self.is_key_id) = (false, false),
            _ => {}
        }
        Step::On
    }

    /// Passes over an element of a list that is no object.
    fn scalar(&mut self, bytes: &[u8]) -> Option<Step> {
        let Some(text) = scalar_at(&bytes[self.at..])? else { return Some(Step::NeedsMore) };
        self.at += text.len();
        self.scalars.push((self.line, text));
        Some(Step::On)
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
                if std::mem::take(&mut self.is_token) && at > self.string_start {
                    self.unfinished.push(self.top.1);
                }
                if std::mem::take(&mut self.is_key_id) {
                    let text = String::from_utf8_lossy(bytes.get(self.string_start..at).unwrap_or_default());
                    self.top_key = Some(parse_arn(&text).map_or(&*text, |arn| arn.key_id).to_owned());
                }
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
                (self.wraps_nothing, self.wraps_by_name, self.top_key) = (false, false, None);
                self.beside.begin(start, self.spans.len());
            }
            Role::Record => self.record = start,
            _ => {}
        }
        self.open.push(role);
    }

    fn open_array(&mut self, bytes: &[u8]) -> Step {
        let role = match self.open.last() {
            None | Some(Role::Records) => Role::Records,
            Some(Role::Top) if self.names_wrapper(bytes) || self.may_wrap(bytes) => {
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
        if role == Role::Records && self.open.len() >= MAX_DEPTH {
            return Step::Stop(Problem::Broken(format!("arrays inside each other deeper than {MAX_DEPTH}")));
        }
        if role == Role::Records && self.open.last() == Some(&Role::Top) {
            self.beside.copy_to_list(bytes, self.at - 1);
        }
        self.open.push(role);
        Step::On
    }

    /// What the object at hand says beside the lists that it wraps.
    fn take_wrapper(&mut self, is_torn: bool) -> Wrapper {
        self.beside.take(self.top.1, self.spans.len(), is_torn, self.top_key.is_some())
    }

    /// The object that wraps records and is cut off: if that is beside its lists, what it says is no JSON.
    pub(super) fn broken_wrapper(&mut self, bytes: &[u8]) -> Option<Wrapper> {
        if self.open.first() != Some(&Role::Top) || !self.wraps {
            return None;
        }
        let is_in_list = self.open.get(1) == Some(&Role::Records);
        self.beside.break_off(bytes, is_in_list);
        Some(self.take_wrapper(false))
    }

    /// Whether the member has a name that lists of keys have, whatever stands beside it.
    fn names_wrapper(&self, bytes: &[u8]) -> bool {
        let name = bytes.get(self.name.0..self.name.1).unwrap_or_default().to_ascii_lowercase();
        WRAPPERS.contains(&name.as_slice())
    }

    /// Whether the member may hold a list of keys, as far as its name and those before it tell.
    fn may_wrap(&self, bytes: &[u8]) -> bool {
        let name = bytes.get(self.name.0..self.name.1).unwrap_or_default().to_ascii_lowercase();
        !self.saw_field && !NO_WRAPPERS.contains(&name.as_slice()) && !self.names_field(bytes)
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
            Some(Role::Records) if closes_array => {
                self.beside.resume((self.at, self.line));
                Step::On
            }
            Some(role @ (Role::Record | Role::Top)) if !closes_array => self.end_object(bytes, role, may_be_lines),
            Some(Role::Inner) => Step::On,
            Some(role) => {
                // It is still open, as far as anybody knows.
                self.open.push(role);
                broken(format!("`{}` closes a bracket of the other kind", char::from(byte)))
            }
        }
    }

    fn end_object(&mut self, bytes: &[u8], role: Role, may_be_lines: bool) -> Step {
        let wrapper = role == Role::Top && (self.wraps || self.wraps_nothing && !self.saw_field);
        let (start, line) = if role == Role::Top { self.top } else { self.record };
        let is_record = self.saw_field && (!self.wraps_by_name || self.top_key.is_some());
        let is_torn = role == Role::Top && self.wraps && is_record;
        if wrapper {
            self.beside.copy(bytes, self.at);
            let wrapper = self.take_wrapper(is_torn);
            self.wrappers.push(wrapper);
        }
        if is_torn {
            self.torn.push((line, self.top_key.take()));
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

    /// Whether the first object wraps records, and is none itself as far as it was followed.
    pub(super) fn wraps_records(&self) -> bool {
        self.wrappers.first().map_or(self.wraps && self.top_key.is_none(), |wrapper| !wrapper.is_torn)
    }

    /// What is missing at the end of the input.
    pub(super) fn unfinished(&self) -> Option<String> {
        (!self.stopped && !self.open.is_empty()).then(|| {
            "the input ends inside an object or array; it is cut off, or a bracket or quote is never closed".to_owned()
        })
    }
}

/// Whether a name is the given one, whatever its case and its `_` and `-`.
fn is_called(name: &[u8], wanted: &[u8]) -> bool {
    let letters = name.iter().filter(|byte| !matches!(byte, b'_' | b'-'));
    letters.map(u8::to_ascii_lowercase).eq(wanted.iter().copied())
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
