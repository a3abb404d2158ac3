//! Logs to blocks of whole events: JSON Lines, JSON arrays, objects around them, rows of a log store, tables with a column
//! of events.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::buffers::Buffers;
use super::cells::{Cells, column};
use super::scan::{Broken, behind_blanks, nested_end, string_end, value};
use super::sequence::{Next, Walk};
use crate::read::ReadError;
use crate::read::folder::LOGS;
use crate::read::packed::recognise;
use crate::read::source::{Input, Origin, file_size, is_compressed, open, open_ahead};

/// Blocks have at least so many bytes, as far as there are.
pub(super) const BLOCK: usize = 1 << 20;

/// Where one thread reads a file alone, values one behind the other are one block if they have no more bytes: to find where a
/// block may end is to go through all of them once more. Each thread needs so much memory for it.
pub(super) const WHOLE: usize = 16 << 20;

/// So many bytes tell how a log is written.
const SAMPLE: usize = 1 << 16;

/// A longer event, line or page of events is refused.
pub(super) const LONGEST: usize = 16 << 20;

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
    /// A file that is no log and is missed by nobody, and why.
    LeftOut(u32, String),
    /// Nothing is read from there on: an event, or a line, is too long.
    TooLong(u32),
}

/// Bytes of a log.
#[derive(Debug, Default)]
pub struct Piece {
    /// The log, by its number.
    pub file: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What stands around them, where lines do not matter.
    pub from: Walk,
    /// Whether nothing follows.
    pub is_last: bool,
    /// Where the memory goes when nobody needs it any more.
    pub home: Buffers,
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.home.give(std::mem::take(&mut self.bytes));
    }
}

/// One log behind the other, in blocks.
pub struct Logs<'i> {
    inputs: &'i [Input],
    waiting: VecDeque<u32>,
    at: Option<Log>,
    count: Arc<AtomicU64>,
    max_input: u64,
    /// How many threads take blocks; if it is one, nobody inflates ahead of it.
    jobs: usize,
    /// Whether files are handed on unopened.
    whole_files: bool,
    /// A log of values with fewer bytes is one block.
    at_once: usize,
    buffers: Buffers,
}

/// A log that is open.
struct Log {
    file: u32,
    name: String,
    reader: Box<dyn Read + Send>,
    /// Bytes that were read, and room for more.
    buffer: Vec<u8>,
    /// How many were read.
    filled: usize,
    ended: bool,
    layout: Layout,
    /// Values with fewer bytes are one block.
    at_once: usize,
    buffers: Buffers,
    /// What stands around the first value of the buffer.
    from: Walk,
    /// How far the buffer was looked through; no value ends behind that.
    walk: Walk,
}

impl<'i> Logs<'i> {
    /// All of these, for so many threads; `count` grows by the bytes that are read.
    pub fn new(inputs: &'i [Input], count: &Arc<AtomicU64>, max_input: u64, jobs: usize) -> Logs<'i> {
        let is_small = |input| file_size(input).is_some_and(|size| size <= SMALL);
        let are_many = inputs.len() >= 4 && inputs.iter().all(is_small);
        let waiting = (0..inputs.len() as u32).collect();
        Logs {
            inputs,
            waiting,
            at: None,
            count: Arc::clone(count),
            max_input,
            jobs,
            whole_files: are_many,
            at_once: BLOCK,
            buffers: Buffers::default(),
        }
    }

    /// How many threads are to take blocks, where there are to be so many in all: one of them inflates, if there is nothing
    /// but compressed logs.
    pub fn takers(&self) -> usize {
        let inflates = self.jobs > 1 && !self.whole_files && self.inputs.iter().all(is_compressed);
        self.jobs - usize::from(inflates)
    }

    /// One of them alone, for one thread.
    pub fn of_file(
        inputs: &'i [Input],
        file: u32,
        count: &Arc<AtomicU64>,
        max_input: u64,
        buffers: &Buffers,
    ) -> Logs<'i> {
        let waiting = VecDeque::from([file]);
        let (count, buffers) = (Arc::clone(count), buffers.clone());
        Logs { inputs, waiting, at: None, count, max_input, jobs: 1, whole_files: false, at_once: WHOLE, buffers }
    }

    /// The next block; nothing at the end.
    pub fn next_block(&mut self) -> Option<Block> {
        loop {
            if let Some(log) = &mut self.at {
                match log.next_block() {
                    Ok(Some(block)) => {
                        if let Block::TooLong(_) = block {
                            self.at = None;
                        }
                        return Some(block);
                    }
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
            let open = if self.jobs > 1 { open_ahead } else { open };
            let opened = open(input, &self.count, self.max_input).map_err(Unopened::from);
            match opened.and_then(|reader| Log::open(file, &input.name, reader, &self.buffers)) {
                Ok(log) => self.at = Some(Log { at_once: self.at_once, ..log }),
                Err(Unopened::LeftOut(why)) => return Some(Block::LeftOut(file, why)),
                Err(Unopened::Failed(error)) => return Some(Block::Failed(file, error)),
            }
        }
    }
}

/// Why there is no log.
enum Unopened {
    LeftOut(String),
    Failed(ReadError),
}

impl From<ReadError> for Unopened {
    fn from(error: ReadError) -> Unopened {
        Unopened::Failed(match error {
            ReadError::EmptyFolder { folder, left_out } => {
                let told = left_out.map(|told| format!("; {told}")).unwrap_or_default();
                let message = format!("the folder holds no log: no {LOGS}{told}");
                ReadError::content(&folder.display().to_string(), None, message)
            }
            error => error,
        })
    }
}

/// Whether what came before a failure cannot be trusted either.
fn is_damage(error: &ReadError) -> bool {
    matches!(error, ReadError::Io { source, .. } if source.kind() == std::io::ErrorKind::InvalidData)
}

/// What a file is that is not read; workbooks, which are zip archives, hold no logs, and brotli has no mark of its own.
fn packed(bytes: &[u8], name: &str) -> Option<String> {
    let other = || match () {
        () if bytes.starts_with(b"PK\x03\x04") => Some("a zip archive"),
        () if name.to_lowercase().ends_with(".br") => Some("compressed with brotli"),
        () => None,
    };
    let unpack = |what| format!("{what}, which is not read; unpack it and give what comes out of it");
    recognise(bytes).or_else(|| other().map(unpack))
}

impl Log {
    fn open(file: u32, name: &str, reader: Box<dyn Read + Send>, buffers: &Buffers) -> Result<Log, Unopened> {
        let mut log = Log {
            file,
            name: name.to_owned(),
            reader,
            buffer: Vec::new(),
            filled: 0,
            ended: false,
            layout: Layout::Lines,
            at_once: BLOCK,
            buffers: buffers.clone(),
            from: Walk::default(),
            walk: Walk::default(),
        };
        log.fill(SAMPLE)?;
        if log.bytes().starts_with(b"\xef\xbb\xbf") {
            log.buffer.drain(..3);
            log.filled -= 3;
        }
        let bytes = log.bytes();
        let first = behind_blanks(bytes, 0);
        match bytes.get(first) {
            None if log.ended => return Err(Unopened::LeftOut("the log is empty".to_owned())),
            Some(b'{') if bytes[first..].starts_with(b"{\"record\":\"usage\"") => {
                return Err(Unopened::LeftOut(
                    "a result of `cmkdiag usage` and no log; `cmkdiag usage merge` and --usage read it".to_owned(),
                ));
            }
            Some(b'{') => {
                let line = memchr::memchr(b'\n', &bytes[first..]).map_or(bytes.len(), |end| first + end);
                let is_whole = nested_end(&bytes[..line], first + 1, b'{').is_ok();
                // A line that does not end may be a whole log.
                if line == bytes.len() && !log.ended || line < bytes.len() && !is_whole {
                    let start = list_inside(bytes, first).filter(|_| !log.ended);
                    log.layout = Layout::Elements;
                    if let Some(start) = start {
                        // The object around the list ends in another block than it begins, and would be cut off in this.
                        log.buffer.drain(..start);
                        log.filled -= start;
                        log.from = Walk::in_list_of_object();
                        log.walk = log.from;
                    }
                }
            }
            Some(b'[') => log.layout = Layout::Elements,
            _ => {
                if let Some(message) = packed(bytes, name) {
                    return Err(ReadError::content(name, None, message).into());
                }
                return Ok(Log::table(log)?);
            }
        }
        Ok(log)
    }

    /// What was read.
    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Reads until there are so many bytes, or no more. What was read before a failure is kept; it comes again when more is
    /// asked for.
    fn fill(&mut self, wanted: usize) -> Result<(), ReadError> {
        let before = self.filled;
        if self.buffer.len() < wanted {
            if self.filled == 0 {
                self.buffers.give(std::mem::take(&mut self.buffer));
                self.buffer = self.buffers.take(wanted.max(BLOCK));
            }
            self.buffer.resize(self.buffer.len().max(wanted), 0);
        }
        while self.filled < wanted {
            match self.reader.read(&mut self.buffer[self.filled..wanted]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) if self.filled > before => break,
                Err(source) => return Err(ReadError::Io { name: self.name.clone(), source }),
            }
        }
        Ok(())
    }

    /// A table: the cells of the column with events become lines.
    fn table(mut log: Log) -> Result<Log, ReadError> {
        log.buffer.truncate(log.filled);
        let column = column(&log.buffer).ok_or_else(|| {
            let message =
                "no log of ActionTrail: neither JSON nor a table with a column `event`, as a log store exports it";
            ReadError::content(&log.name, Some(1), message)
        })?;
        let chain = std::io::Cursor::new(log.buffer).chain(log.reader);
        let cells = Cells::new(chain, column);
        Ok(Log { reader: Box::new(cells), buffer: Vec::new(), filled: 0, ended: false, ..log })
    }

    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            let wanted = if self.layout == Layout::Elements { self.at_once } else { BLOCK };
            let boundary = match self.ended {
                true => self.filled,
                false if self.filled < wanted => 0,
                false if wanted > BLOCK => {
                    self.in_blocks();
                    continue;
                }
                false => self.boundary(),
            };
            if self.ended && self.filled == 0 {
                return Ok(None);
            }
            if boundary > 0 {
                return Ok(Some(self.cut(boundary)));
            }
            if self.filled > LONGEST {
                return Ok(Some(Block::TooLong(self.file)));
            }
            let more = BLOCK.max(self.filled + self.filled / 2);
            if let Err(error) = self.fill(if self.filled < wanted { more.min(wanted) } else { more }) {
                if wanted > BLOCK {
                    self.in_blocks();
                    continue;
                }
                // What stands whole before the place where it is cut off counts; the failure comes again.
                match if is_damage(&error) { 0 } else { self.boundary() } {
                    0 => return Err(error),
                    boundary => return Ok(Some(self.cut(boundary))),
                }
            }
        }
    }

    /// Gives what was read in such blocks as if nobody had waited for the end, so that a failure leaves as much of it.
    fn in_blocks(&mut self) {
        self.at_once = BLOCK;
        self.walk = self.from;
        self.buffer.truncate(std::mem::take(&mut self.filled));
        let read = std::io::Cursor::new(std::mem::take(&mut self.buffer));
        let failing = std::mem::replace(&mut self.reader, Box::new(std::io::empty()));
        self.reader = Box::new(read.chain(failing));
    }

    /// Behind the last whole line or value in the buffer; 0 if there is none.
    fn boundary(&mut self) -> usize {
        match self.layout {
            Layout::Lines => memchr::memrchr(b'\n', self.bytes()).map_or(0, |end| end + 1),
            Layout::Elements => self.last_element(),
        }
    }

    /// Behind the last whole value in the buffer; 0 if there is none.
    fn last_element(&mut self) -> usize {
        let bytes = &self.buffer[..self.filled];
        let mut walk = self.walk;
        loop {
            // What cannot be read is stepped over, as whoever reads the values does.
            let is_whole = match walk.next(bytes) {
                Next::Object => match nested_end(bytes, walk.at + 1, b'{') {
                    Ok(end) => {
                        walk.at = end;
                        true
                    }
                    Err(Broken::At(_)) => walk.resume(bytes),
                    Err(Broken::CutOff) => false,
                },
                // More may stand behind it.
                Next::Text(_, end) => {
                    walk.at = end;
                    end < bytes.len()
                }
                Next::Stray(_) => walk.resume(bytes),
                Next::CutOff | Next::End => false,
            };
            if !is_whole {
                return self.walk.at;
            }
            self.walk = walk;
        }
    }

    fn cut(&mut self, at: usize) -> Block {
        let rest = self.filled - at;
        let mut next = self.buffers.take(BLOCK.max(rest));
        next[..rest].copy_from_slice(&self.buffer[at..self.filled]);
        let mut bytes = std::mem::replace(&mut self.buffer, next);
        bytes.truncate(at);
        self.filled = rest;
        let (from, is_last) = (self.from, self.ended && rest == 0);
        self.walk.at = self.walk.at.saturating_sub(at);
        self.from = self.walk.at(0);
        let piece = Piece { file: self.file, bytes, from, is_last, home: self.buffers.clone() };
        if self.layout == Layout::Elements { Block::Elements(piece) } else { Block::Lines(piece) }
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
