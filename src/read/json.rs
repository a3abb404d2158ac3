//! JSON: an array of objects, an object that wraps one, objects one behind the other, JSON Lines.
//!
//! The splitter only follows brackets and strings, to find where each object begins and ends; what
//! stands inside is read by `serde_json`, so that broken text is found there, with its place.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::detect::{Opened, fill};
use super::{BLOCK, Block, Layout, MAX_RECORD, ReadError};
use crate::domains::cell::{Cell, LIST_SEPARATOR};
use crate::inventory::row::{FileId, Names, Place, Reject, Row, RowSink};

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
                let name = format!("{}, line {}", self.input.name, self.scan.line);
                let message = "an object longer than 64 MiB; is a bracket or quote never closed?".to_owned();
                return Err(ReadError::Content { name, message });
            }
            let read = fill(&mut self.input.reader, &mut self.input.start, BLOCK);
            self.input.ended = read.map_err(|source| ReadError::Io { name: self.input.name.clone(), source })?;
        }
        Ok(None)
    }

    fn cut(&mut self) -> Block {
        let rest = self.input.start.split_off(self.scan.keep_from);
        let bytes = std::mem::replace(&mut self.input.start, rest);
        let spans = self.scan.rebase();
        Block {
            file: self.input.file,
            bytes,
            first_line: self.scan.line,
            layout: Layout::Json(spans),
            rejects: std::mem::take(&mut self.rejects),
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
    start: (usize, u64),
    saw_field: bool,
    wraps: bool,
    wraps_nothing: bool,
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
            start: (0, 1),
            saw_field: false,
            wraps: false,
            wraps_nothing: false,
            torn: Vec::new(),
            decided: false,
            stopped: false,
        }
    }

    fn object_line(&self) -> u64 {
        if self.open.is_empty() || self.open.last() == Some(&Role::Records) { self.line } else { self.start.1 }
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
        self.start.0 = self.start.0.saturating_sub(by);
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
        if role != Role::Inner {
            self.start = (self.at - 1, self.line);
            (self.saw_field, self.wraps, self.wraps_nothing) = (false, false, false);
        }
        self.open.push(role);
    }

    fn open_array(&mut self, bytes: &[u8]) -> Step {
        let role = match self.open.last() {
            None | Some(Role::Records) => Role::Records,
            Some(Role::Top) if !self.saw_field && !self.names_field(bytes) => {
                match bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace()) {
                    None => {
                        self.at -= 1;
                        return Step::NeedsMore;
                    }
                    Some(b'{') => {
                        self.wraps = true;
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
        if role == Role::Top && self.wraps && self.saw_field {
            self.torn.push(self.start.1);
        } else if !wrapper {
            self.spans.push(Span { start: self.start.0, end: self.at, line: self.start.1 });
        }
        let alone = role == Role::Top && !wrapper && !self.decided;
        self.decided = true;
        if alone && may_be_lines && self.line == self.start.1 && rest_of_line_is_blank(&bytes[self.at..]) {
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

/// Takes objects apart; keeps its buffers and the names of members.
#[derive(Debug, Default)]
pub struct Parser {
    names: Names,
    file: Option<FileId>,
    text: String,
    members: Vec<Member>,
}

/// A member of the object at hand, by position in the parser's text.
#[derive(Debug, Clone, Copy)]
struct Member {
    name: u16,
    kind: Kind,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Text,
    EmptyList,
    List,
}

/// Sources of JSON are told from tables by this bit.
const JSON_SOURCE: u64 = 1 << 40;

impl Parser {
    /// Hands every object of the block to the sink.
    pub fn rows(&mut self, file: FileId, bytes: &[u8], spans: &[Span], sink: &mut dyn RowSink) {
        if self.file != Some(file) {
            self.file = Some(file);
            self.names = Names::new(JSON_SOURCE + u64::from(file), Vec::new());
        }
        for span in spans {
            let place = Place { file, line: span.line };
            if let Err(reason) = self.object(&bytes[span.start..span.end]) {
                sink.reject(Reject::whole(place, reason));
                continue;
            }
            if let Some(twice) = self.member_twice() {
                sink.reject(Reject::cell(place, &twice, "", "the member stands twice in one object; keep one"));
                continue;
            }
            let cells: Vec<(u16, Cell<'_>)> =
                self.members.iter().map(|member| (member.name, self.cell(member))).collect();
            let content = FixedState::default().hash_one(&bytes[span.start..span.end]);
            sink.row(&self.names, Row { line: span.line, content, cells: &cells });
        }
    }

    fn cell(&self, member: &Member) -> Cell<'_> {
        let text = &self.text[member.start..member.end];
        match member.kind {
            Kind::Null => Cell::Absent,
            Kind::EmptyList => Cell::EmptyList,
            Kind::List => Cell::List(text),
            Kind::Text => Cell::of_table(text),
        }
    }

    fn member_twice(&self) -> Option<String> {
        let mut seen = self.members.iter().map(|member| member.name).collect::<Vec<_>>();
        seen.sort_unstable();
        let twice = seen.windows(2).find(|pair| pair[0] == pair[1])?;
        Some(self.names.as_slice()[usize::from(twice[0])].clone())
    }

    fn object(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.text.clear();
        self.members.clear();
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let parsed = (&mut deserializer).deserialize_map(Object(self)).and_then(|()| deserializer.end());
        parsed.map_err(|error| format!("not an object of JSON: {error}"))
    }
}

struct Object<'p>(&'p mut Parser);

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object that describes a key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let parser = self.0;
        while let Some(name) = map.next_key_seed(MemberName(&mut parser.names, parser.members.len()))? {
            let start = parser.text.len();
            let kind = map.next_value_seed(Value { text: &mut parser.text, element: false })?;
            parser.members.push(Member { name, kind, start, end: parser.text.len() });
        }
        Ok(())
    }
}

struct MemberName<'p>(&'p mut Names, usize);

impl<'de> DeserializeSeed<'de> for MemberName<'_> {
    type Value = u16;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u16, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// More different member names than this in one file are no inventory; further ones share a name.
const MAX_NAMES: usize = 4096;

impl Visitor<'_> for MemberName<'_> {
    type Value = u16;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<u16, E> {
        if self.0.as_slice().len() >= MAX_NAMES && !self.0.as_slice().iter().any(|known| known == name) {
            return Err(E::custom(format!("more than {MAX_NAMES} different member names in one file")));
        }
        Ok(self.0.position(name, self.1))
    }
}

/// Writes a value as text.
struct Value<'p> {
    text: &'p mut String,
    /// Whether the value is an element of a list.
    element: bool,
}

impl Value<'_> {
    fn write(self, value: &str) -> Kind {
        let mut parts = value.split(LIST_SEPARATOR);
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            self.text.push(' ');
            self.text.push_str(part);
        }
        Kind::Text
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(self.write(value))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        // In a list, null is an element that nobody knows.
        Ok(if self.element { self.write("unknown") } else { Kind::Null })
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(self.write(if value { "true" } else { "false" }))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(self.write(&value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(self.write(&value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(self.write(&value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
        if self.element {
            let mut nested: Vec<serde_json::Value> = Vec::new();
            while let Some(element) = list.next_element()? {
                nested.push(element);
            }
            return Ok(self.write(&serde_json::Value::Array(nested).to_string()));
        }
        let mut count = 0_usize;
        loop {
            let at = self.text.len();
            if count > 0 {
                self.text.push(LIST_SEPARATOR);
            }
            if list.next_element_seed(Value { text: self.text, element: true })?.is_none() {
                self.text.truncate(at);
                break;
            }
            count += 1;
        }
        Ok(if count == 0 { Kind::EmptyList } else { Kind::List })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut members = serde_json::Map::new();
        while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
            members.insert(name, value);
        }
        Ok(self.write(&serde_json::Value::Object(members).to_string()))
    }
}
