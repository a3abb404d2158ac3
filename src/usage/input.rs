//! Logs to blocks of whole events: JSON Lines, JSON arrays, objects around them, rows of a log store, tables with a column
//! of events.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::event::{Ends, Seen, read};
use super::scan::{Broken, Raw, Value, behind_blanks, elements, nested_end, string_end, value};
use crate::read::ReadError;
use crate::read::detect::fill;
use crate::read::source::{Input, Origin, open};

/// Blocks have at least so many bytes, as far as there are.
const BLOCK: usize = 1 << 19;

/// So many bytes tell how a log is written.
const SAMPLE: usize = 1 << 16;

/// A longer event, line or page of events is refused.
const LONGEST: usize = 16 << 20;

/// Files up to this size, as they are stored, are read by one thread each.
const SMALL: u64 = 16 << 20;

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One value on each line.
    Lines,
    /// Values one behind the other, in lists and objects or not.
    Elements,
}

/// Some of a log.
#[derive(Debug)]
pub enum Block {
    /// Whole lines.
    Lines(Piece),
    /// Whole values.
    Elements(Piece),
    /// A whole file, by its number, which nobody has opened.
    File(u32),
    /// Nothing can be read from there on.
    Failed(u32, ReadError),
}

/// Bytes of a log.
#[derive(Debug)]
pub struct Piece {
    /// The log, by its number.
    pub file: u32,
    /// The line on which they begin; nothing where lines do not matter.
    pub line: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One log behind the other, in blocks.
pub struct Logs<'i> {
    inputs: &'i [Input],
    waiting: VecDeque<u32>,
    at: Option<Log>,
    count: Arc<AtomicU64>,
    max_input: u64,
    /// Whether files are handed on unopened.
    whole_files: bool,
}

/// A log that is open.
struct Log {
    file: u32,
    name: String,
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    ended: bool,
    layout: Layout,
    line: u64,
    /// No event ends before, as far as the buffer was looked through.
    scanned: usize,
}

impl<'i> Logs<'i> {
    /// All of these; `count` grows by the bytes that are read.
    pub fn new(inputs: &'i [Input], count: &Arc<AtomicU64>, max_input: u64) -> Logs<'i> {
        let are_many = inputs.len() >= 4 && inputs.iter().all(is_small);
        let waiting = (0..inputs.len() as u32).collect();
        Logs { inputs, waiting, at: None, count: Arc::clone(count), max_input, whole_files: are_many }
    }

    /// One of them alone.
    pub fn of_file(inputs: &'i [Input], file: u32, count: &Arc<AtomicU64>, max_input: u64) -> Logs<'i> {
        let waiting = VecDeque::from([file]);
        Logs { inputs, waiting, at: None, count: Arc::clone(count), max_input, whole_files: false }
    }

    /// The next block; nothing at the end.
    pub fn next_block(&mut self) -> Option<Block> {
        loop {
            if let Some(log) = &mut self.at {
                match log.next_block() {
                    Ok(Some(block)) => return Some(block),
                    Ok(None) => self.at = None,
                    Err(error) => {
                        let file = log.file;
                        self.at = None;
                        return Some(Block::Failed(file, error));
                    }
                }
            }
            let file = self.waiting.pop_front()?;
            let input = self.inputs.get(file as usize)?;
            if matches!(input.origin, Origin::LeftOut(_)) {
                continue;
            }
            if self.whole_files {
                return Some(Block::File(file));
            }
            match open(input, &self.count, self.max_input).and_then(|reader| Log::open(file, &input.name, reader)) {
                Ok(log) => self.at = Some(log),
                Err(error) => return Some(Block::Failed(file, error)),
            }
        }
    }
}

fn is_small(input: &Input) -> bool {
    match &input.origin {
        Origin::File(path) => {
            std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= SMALL)
        }
        _ => false,
    }
}

impl Log {
    fn open(file: u32, name: &str, mut reader: Box<dyn Read + Send>) -> Result<Log, ReadError> {
        let failed = |source| ReadError::Io { name: name.to_owned(), source };
        let mut buffer = Vec::new();
        let ended = fill(&mut reader, &mut buffer, SAMPLE).map_err(failed)?;
        if buffer.starts_with(b"\xef\xbb\xbf") {
            buffer.drain(..3);
        }
        let mut log =
            Log { file, name: name.to_owned(), reader, buffer, ended, layout: Layout::Lines, line: 1, scanned: 0 };
        let first = behind_blanks(&log.buffer, 0);
        match log.buffer.get(first) {
            None => return Err(ReadError::content(name, None, "the log is empty; expected events of ActionTrail")),
            Some(b'{') => {
                let line = memchr::memchr(b'\n', &log.buffer[first..]).map_or(log.buffer.len(), |end| first + end);
                let end = nested_end(&log.buffer[..line], first + 1, 1);
                if end.is_none() && !(log.buffer.len() < SAMPLE && line == log.buffer.len()) {
                    log.layout = Layout::Elements;
                    // A block has not the end of the object around the list, and so must not have its beginning.
                    let list = list_inside(&log.buffer, first).filter(|_| !log.ended);
                    log.buffer.drain(..list.unwrap_or(0));
                }
            }
            Some(b'[') => (log.layout, log.scanned) = (Layout::Elements, first + 1),
            Some(_) => return Log::table(log),
        }
        Ok(log)
    }

    /// A table: the cells of the column with events become lines.
    fn table(log: Log) -> Result<Log, ReadError> {
        let shown = log.name.clone();
        let refused = |message: &str| ReadError::content(&shown, Some(1), message);
        let chain = std::io::Cursor::new(log.buffer).chain(log.reader);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(chain);
        let headers = reader.byte_headers().map_err(|error| refused(&error.to_string()))?;
        let is_event = |cell: &[u8]| cell.eq_ignore_ascii_case(b"event") || cell.eq_ignore_ascii_case(b"content");
        let column = headers.iter().position(is_event).ok_or_else(|| {
            refused("no log of ActionTrail: neither JSON nor a table with a column `event`, as a log store exports it")
        })?;
        let reader = Box::new(Cells { reader, column, record: csv::ByteRecord::new(), rest: Vec::new(), at: 0 });
        let (file, name) = (log.file, log.name);
        Ok(Log { file, name, reader, buffer: Vec::new(), ended: false, layout: Layout::Lines, line: 2, scanned: 0 })
    }

    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            let boundary = match self.layout {
                _ if self.ended => self.buffer.len(),
                Layout::Lines if self.buffer.len() < BLOCK => 0,
                Layout::Lines => memchr::memrchr(b'\n', &self.buffer).map_or(0, |end| end + 1),
                Layout::Elements if self.buffer.len() < BLOCK => 0,
                Layout::Elements => self.last_element(),
            };
            if self.ended && self.buffer.is_empty() {
                return Ok(None);
            }
            if boundary > 0 {
                return Ok(Some(self.cut(boundary)));
            }
            if self.buffer.len() > LONGEST {
                let message = "an event, or a line, of more than 16 MiB; nothing from here on was read";
                return Err(ReadError::content(&self.name, Some(self.line), message));
            }
            let wanted = BLOCK.max(self.buffer.len() / 2);
            match fill(&mut self.reader, &mut self.buffer, wanted) {
                Ok(ended) => self.ended = ended,
                Err(source) => return Err(ReadError::Io { name: self.name.clone(), source }),
            }
        }
    }

    /// Behind the last whole value in the buffer; 0 if there is none.
    fn last_element(&mut self) -> usize {
        let mut boundary = 0;
        while let Some(byte) = self.buffer.get(self.scanned) {
            let end = match byte {
                b'{' => nested_end(&self.buffer, self.scanned + 1, 1),
                b'"' => string_end(&self.buffer, self.scanned + 1).map(|(end, _)| end + 1),
                _ => Some(self.scanned + 1),
            };
            let Some(end) = end else { break };
            (self.scanned, boundary) = (end, end);
        }
        boundary
    }

    fn cut(&mut self, at: usize) -> Block {
        let rest = self.buffer.split_off(at);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.scanned = self.scanned.saturating_sub(at);
        let piece = Piece { file: self.file, line: self.line, bytes };
        if self.layout == Layout::Elements {
            return Block::Elements(piece);
        }
        self.line += memchr::memchr_iter(b'\n', &piece.bytes).count() as u64;
        Block::Lines(piece)
    }
}

/// Where the first element of a list stands that the object at `at` has as `Records` or `Events`.
fn list_inside(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = behind_blanks(bytes, at + 1);
    while bytes.get(at) == Some(&b'"') {
        let (end, _) = string_end(bytes, at + 1)?;
        let name = &bytes[at + 1..end];
        at = behind_blanks(bytes, end + 1);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = behind_blanks(bytes, at + 1);
        if matches!(name, b"Records" | b"Events" | b"records" | b"events") && bytes.get(at) == Some(&b'[') {
            return Some(at + 1);
        }
        at = behind_blanks(bytes, value(bytes, at).ok()?.1);
        if bytes.get(at) == Some(&b',') {
            at = behind_blanks(bytes, at + 1);
        }
    }
    None
}

/// The cells of one column, one on each line.
struct Cells<R> {
    reader: csv::Reader<R>,
    column: usize,
    record: csv::ByteRecord,
    rest: Vec<u8>,
    at: usize,
}

impl<R: Read> Read for Cells<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.rest.len() {
            if !self.reader.read_byte_record(&mut self.record).map_err(std::io::Error::other)? {
                return Ok(0);
            }
            self.rest.clear();
            let cell = self.record.get(self.column).unwrap_or_default();
            // Outside of strings, line breaks are blanks; inside, JSON has none.
            self.rest.extend(cell.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
            self.rest.push(b'\n');
            self.at = 0;
        }
        let count = buffer.len().min(self.rest.len() - self.at);
        buffer[..count].copy_from_slice(&self.rest[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Takes events one by one.
pub trait Take {
    /// An event, or another object of a log.
    fn seen(&mut self, seen: Seen<'_>, line: u64);
    /// Something that could not be read.
    fn broken(&mut self, line: u64, why: String);
}

/// Hands over the events of lines.
pub fn lines(piece: &Piece, take: &mut dyn Take) {
    let (mut at, mut line) = (0, piece.line);
    while at < piece.bytes.len() {
        let end = memchr::memchr(b'\n', &piece.bytes[at..]).map_or(piece.bytes.len(), |end| at + end);
        let text = piece.bytes[at..end].trim_ascii();
        match text.first() {
            None => {}
            Some(b'{') => match read(text, 0, Ends::WithBytes) {
                Ok((seen, end)) if behind_blanks(text, end) == text.len() => hand_over(seen, line, 0, take),
                Ok((_, end)) => take.broken(line, format!("something stands behind the event, at byte {end}")),
                Err(error) => take.broken(line, why(error)),
            },
            Some(b'[') => hand_over(Seen::Around(text), line, 0, take),
            Some(_) => take.broken(line, "not JSON; expected one event on each line".to_owned()),
        }
        (at, line) = (end + 1, line + 1);
    }
}

/// Hands over the events of values that stand one behind the other.
pub fn values(piece: &Piece, take: &mut dyn Take) {
    let bytes = &piece.bytes;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => match read(bytes, at, Ends::WithBracket) {
                Ok((seen, end)) => {
                    hand_over(seen, 0, 0, take);
                    at = end;
                }
                Err(error) => {
                    take.broken(0, why(error));
                    match nested_end(bytes, at + 1, 1) {
                        Some(end) => at = end,
                        None => return,
                    }
                }
            },
            b'"' => match string_end(bytes, at + 1) {
                Some((end, _)) => at = end + 1,
                None => return take.broken(0, why(Broken::CutOff)),
            },
            _ => at += 1,
        }
    }
}

/// Objects stand around events no deeper than this.
const DEEPEST: u32 = 4;

fn hand_over(seen: Seen<'_>, line: u64, depth: u32, take: &mut dyn Take) {
    let mut inner = |bytes: &[u8]| match read(bytes, 0, Ends::WithBytes) {
        Ok((seen, _)) => hand_over(seen, line, depth + 1, take),
        Err(error) => take.broken(line, why(error)),
    };
    match seen {
        _ if depth > DEEPEST => take.broken(line, "events stand too deep inside other objects".to_owned()),
        Seen::Around(list) if list.first() == Some(&b'[') => {
            let read = elements(list, |element| match element {
                Value::Nested(nested) if nested.first() == Some(&b'{') => inner(nested),
                Value::Text(text) => in_text(text, &mut inner),
                _ => {}
            });
            if let Err(error) = read {
                take.broken(line, why(error));
            }
        }
        Seen::Around(object) => inner(object),
        Seen::InText(text) => in_text(text, &mut inner),
        seen => take.seen(seen, line),
    }
}

fn in_text(text: Raw<'_>, read: &mut dyn FnMut(&[u8])) {
    read(text.text().trim().as_bytes());
}

fn why(error: Broken) -> String {
    match error {
        Broken::CutOff => "cut off: a bracket or quote is never closed".to_owned(),
        Broken::At(at) => format!("no JSON, at byte {at} of the event"),
    }
}
