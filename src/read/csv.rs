//! Delimited text: cut at record ends, and records by the `csv` crate.
//!
//! The splitter follows the quoting rules of the parser, so that a line break inside quotes is never
//! taken for the end of a record, nor a stray quote inside a field for the beginning of a quoted one.

use std::hash::BuildHasher;
use std::io::Read;
use std::sync::Arc;

use csv::ByteRecord;
use foldhash::fast::FixedState;

use super::detect::{Opened, fill};
use super::quotes::{Scan, State};
use super::{BLOCK, Block, Layout, MAX_RECORD, ReadError};
use crate::domains::cell::Cell;
use crate::inventory::row::{FileId, Names, Place, Reject, Row, RowSink};

/// Delimiters that are tried, in order of preference.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A table with more columns than this is no inventory.
const MAX_COLUMNS: usize = 4096;

/// Records that are looked at to find the delimiter.
const LOOKED_AT: usize = 20;

/// The header line and the delimiter.
#[derive(Debug)]
pub struct Header {
    /// The columns.
    pub names: Names,
    /// The delimiter.
    pub delimiter: u8,
    /// Hashes records together with what their columns are called.
    content: FixedState,
}

/// Cuts delimited text into blocks of whole records.
pub struct Splitter {
    input: Opened,
    header: Arc<Header>,
    scan: Scan,
    /// The line on which the buffer begins.
    line: u64,
}

impl Splitter {
    /// Reads the header line.
    ///
    /// # Errors
    /// There is no header line, or it names a column twice.
    pub fn new(mut input: Opened, delimiter: Option<u8>) -> Result<Splitter, ReadError> {
        let delimiter = delimiter.unwrap_or_else(|| find_delimiter(&input.start));
        let mut scan = Scan::new(delimiter);
        let (end, names) = loop {
            scan.advance(&input.start);
            let whole = if input.ended { input.start.len() } else { scan.boundary };
            match header(&input.start[..whole], delimiter) {
                Some(found) if whole > 0 => break found,
                _ if input.ended => return Err(content(&input.name, "no header line was found")),
                Some(_) | None if input.start.len() > MAX_RECORD => {
                    return Err(content(&input.name, "the header line is longer than 64 MiB; is this a table?"));
                }
                _ => {}
            }
            input.ended = read_more(&mut input.reader, &input.name, &mut input.start)?;
        };
        if input.ended && scan.state == State::Quoted && scan.boundary == 0 {
            return Err(content(&format!("{}, line 1", input.name), "a quote in the header line is never closed"));
        }
        if names.len() > MAX_COLUMNS {
            let message = format!("{} columns; at most {MAX_COLUMNS} are read. Is the delimiter right?", names.len());
            return Err(content(&format!("{}, line 1", input.name), &message));
        }
        refuse_twins(&input.name, &names)?;
        let line = 1 + count_lines(&input.start[..end]);
        input.start.drain(..end);
        let names = Names::new(u64::from(input.file) + 1, names);
        let content = FixedState::with_seed(FixedState::default().hash_one(names.as_slice()));
        let header = Arc::new(Header { names, delimiter, content });
        Ok(Splitter { input, header, scan: Scan::new(delimiter), line })
    }

    /// The next block, or nothing at the end.
    ///
    /// # Errors
    /// The file cannot be read, or one record is longer than [`MAX_RECORD`].
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            self.scan.advance(&self.input.start);
            if self.input.ended {
                return Ok(self.last_block());
            }
            if self.input.start.len() >= BLOCK && self.scan.boundary > 0 {
                return Ok(Some(self.cut(self.scan.boundary)));
            }
            if self.input.start.len() > MAX_RECORD + BLOCK {
                let at = format!("{}, line {}", self.input.name, self.line);
                return Err(content(&at, "a record longer than 64 MiB; is a quote never closed?"));
            }
            self.input.ended = read_more(&mut self.input.reader, &self.input.name, &mut self.input.start)?;
        }
    }

    fn cut(&mut self, at: usize) -> Block {
        let rest = self.input.start.split_off(at);
        let bytes = std::mem::replace(&mut self.input.start, rest);
        self.scan.rebase(at);
        let first_line = self.line;
        self.line += count_lines(&bytes);
        let layout = Layout::Csv(Arc::clone(&self.header));
        Block { file: self.input.file, bytes, first_line, layout, rejects: Vec::new() }
    }

    /// What is left at the end of the file; a quote that is never closed is one reject.
    fn last_block(&mut self) -> Option<Block> {
        if self.input.start.is_empty() {
            return None;
        }
        let open = self.scan.state == State::Quoted;
        let end = if open { self.scan.boundary } else { self.input.start.len() };
        let mut block = self.cut(end);
        if open {
            let lines = count_lines(&self.input.start);
            let reason = format!(
                "a quote is opened and never closed, so this record and the {lines} lines after it, to the end of the file, cannot be read; close the quote"
            );
            block.rejects.push(Reject::whole(Place { file: self.input.file, line: self.line }, reason));
            self.input.start.clear();
        }
        Some(block)
    }
}

fn read_more(reader: &mut dyn Read, name: &str, buffer: &mut Vec<u8>) -> Result<bool, ReadError> {
    fill(reader, buffer, BLOCK).map_err(|source| ReadError::Io { name: name.to_owned(), source })
}

fn content(name: &str, message: &str) -> ReadError {
    ReadError::Content { name: name.to_owned(), message: message.to_owned() }
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

fn parser(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

/// The end and the names of the first record, if there is one.
fn header(bytes: &[u8], delimiter: u8) -> Option<(usize, Vec<String>)> {
    let mut reader = parser(bytes, delimiter);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).ok()? {
        let names: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        if names.iter().any(|name| !name.is_empty()) {
            return Some((reader.position().byte() as usize, names));
        }
    }
    None
}

fn refuse_twins(name: &str, names: &[String]) -> Result<(), ReadError> {
    for (index, column) in names.iter().enumerate().filter(|(_, column)| !column.is_empty()) {
        if let Some(before) = names[..index].iter().position(|other| other == column) {
            let message =
                format!("columns {} and {} are both named `{column}`; rename or remove one", before + 1, index + 1);
            return Err(content(&format!("{name}, line 1"), &message));
        }
    }
    Ok(())
}

/// The delimiter that divides most rows alike into most columns.
fn find_delimiter(sample: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut reader = parser(sample, delimiter);
        let (mut record, mut columns, mut alike) = (ByteRecord::new(), 0, 0);
        for index in 0..LOOKED_AT {
            match reader.read_byte_record(&mut record) {
                Ok(true) if index == 0 => columns = record.len(),
                Ok(true) if record.len() == columns => alike += 1,
                Ok(true) => {}
                _ => break,
            }
        }
        if columns < 2 { 0 } else { columns * (1 + alike) }
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter));
    best.filter(|delimiter| score(*delimiter) > 0).unwrap_or(b',')
}

/// Gives back the room of a list of cells for cells of another lifetime.
fn recycle<'b>(mut cells: Vec<(u16, Cell<'_>)>) -> Vec<(u16, Cell<'b>)> {
    cells.clear();
    cells.into_iter().map(|(position, _)| (position, Cell::Absent)).collect()
}

/// Hands the records of a block to the sink. Lines without quotes are cut at the delimiters; a record
/// with quotes is read by `csv-core`.
pub fn rows(parser: &mut Parser, header: &Header, file: FileId, bytes: &[u8], first_line: u64, sink: &mut dyn RowSink) {
    let mut room = std::mem::take(&mut parser.room);
    let quoted = parser.quoted_by(header.delimiter);
    // Nearly every block is text throughout, and then no record needs to be looked at again.
    let text = std::str::from_utf8(bytes).ok();
    let (mut at, mut line) = (0, first_line);
    while at < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |offset| at + offset);
        let raw = bytes[at..end].strip_suffix(b"\r").unwrap_or(&bytes[at..end]);
        let place = Place { file, line };
        let mut cells = recycle(std::mem::take(&mut room));
        if memchr::memchr2(b'"', b'\r', raw).is_none() {
            if !raw.is_empty() {
                let valid = text.and_then(|text| text.get(at..at + raw.len()));
                let filled = plain_cells(header, raw, valid, &mut cells);
                hand_over(header, place, line, filled, raw, &cells, sink);
            }
            at = end + 1;
            line += 1;
        } else {
            let used = quoted.read(&bytes[at..]);
            let lines = count_lines(&bytes[at..at + used]);
            let filled = quoted.cells(header, &mut cells);
            let raw = bytes[at..at + used].trim_ascii_end();
            hand_over(header, place, line + lines.saturating_sub(1), filled, raw, &cells, sink);
            at += used;
            line += lines;
        }
        room = recycle(cells);
    }
    parser.room = room;
}

/// A worker's buffers, used again from block to block.
#[derive(Debug, Default)]
pub struct Parser {
    room: Vec<(u16, Cell<'static>)>,
    quoted: Option<(u8, Quoted)>,
}

impl Parser {
    fn quoted_by(&mut self, delimiter: u8) -> &mut Quoted {
        let known = self.quoted.take().filter(|(known, _)| *known == delimiter);
        let (_, quoted) = self.quoted.insert(known.unwrap_or_else(|| (delimiter, Quoted::new(delimiter))));
        quoted
    }
}

/// Whether a record says anything.
enum Shape {
    Blank,
    Row,
}

/// Column, value and reason of a record that cannot be used.
type Refusal<'h> = (Option<&'h str>, String, String);

fn hand_over(
    header: &Header,
    place: Place,
    last_line: u64,
    filled: Result<Shape, Refusal<'_>>,
    raw: &[u8],
    cells: &[(u16, Cell<'_>)],
    sink: &mut dyn RowSink,
) {
    match filled {
        Ok(Shape::Blank) => {}
        Ok(Shape::Row) => {
            let content = header.content.hash_one(raw);
            sink.row(&header.names, Row { line: place.line, content, cells });
        }
        Err((column, value, reason)) => sink.reject(refuse(place, last_line, column, &value, &reason)),
    }
}

/// The cells of a line without quotes.
fn plain_cells<'r, 'h>(
    header: &'h Header,
    raw: &'r [u8],
    valid: Option<&'r str>,
    cells: &mut Vec<(u16, Cell<'r>)>,
) -> Result<Shape, Refusal<'h>> {
    let text = match valid {
        Some(text) => text,
        None => std::str::from_utf8(raw).map_err(|_| not_utf8(header, raw.split(|byte| *byte == header.delimiter)))?,
    };
    let mut start = 0;
    let ends = memchr::memchr_iter(header.delimiter, raw).chain(std::iter::once(raw.len()));
    fill_cells(
        header,
        cells,
        ends.map(|end| {
            let cell = text.get(start..end).unwrap_or_default();
            start = end + 1;
            cell
        }),
    )
}

fn fill_cells<'r, 'h>(
    header: &'h Header,
    cells: &mut Vec<(u16, Cell<'r>)>,
    record: impl Iterator<Item = &'r str>,
) -> Result<Shape, Refusal<'h>> {
    let columns = header.names.as_slice().len();
    let (mut blank, mut surplus, mut count) = (true, false, 0);
    for text in record {
        let cell = Cell::of_table(text);
        blank &= cell == Cell::Blank;
        if count < columns {
            cells.push((count as u16, cell));
        } else {
            surplus |= cell != Cell::Blank;
        }
        count += 1;
    }
    match () {
        () if blank => Ok(Shape::Blank),
        () if surplus || count < columns => {
            let reason = format!(
                "the record has {count} cells, but the header names {columns} columns; is a delimiter or quote missing?"
            );
            Err((None, String::new(), reason))
        }
        () => Ok(Shape::Row),
    }
}

/// Blames the first cell that is no text.
fn not_utf8<'r, 'h>(header: &'h Header, mut record: impl Iterator<Item = &'r [u8]>) -> Refusal<'h> {
    let mut names = header.names.as_slice().iter();
    let bad = record.find_map(|cell| {
        let name = names.next();
        std::str::from_utf8(cell).is_err().then(|| (name, String::from_utf8_lossy(cell).into_owned()))
    });
    let (name, value) = bad.unwrap_or_default();
    (name.map(String::as_str), value, "not valid UTF-8; save the file as UTF-8".to_owned())
}

/// Reads one record with quotes at a time.
#[derive(Debug)]
struct Quoted {
    reader: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl Quoted {
    fn new(delimiter: u8) -> Quoted {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Quoted { reader, output: vec![0; 4096], ends: vec![0; 64], fields: 0 }
    }

    /// Reads the record at the beginning of the bytes, and gives their number. A record that the bytes
    /// do not close ends with them.
    fn read(&mut self, bytes: &[u8]) -> usize {
        self.reader.reset();
        let (mut used, mut written, mut fields) = (0, 0, 0);
        loop {
            let (result, read, wrote, ended) =
                self.reader.read_record(&bytes[used..], &mut self.output[written..], &mut self.ends[fields..]);
            used += read;
            written += wrote;
            fields += ended;
            match result {
                csv_core::ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                csv_core::ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                // Asked again without input, the reader ends the record.
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => break,
            }
        }
        self.fields = fields;
        // The line feed of a CRLF belongs to the record that it ends.
        let closes = bytes.get(used.wrapping_sub(1)) == Some(&b'\r') && bytes.get(used) == Some(&b'\n');
        used + usize::from(closes)
    }

    fn cells<'r, 'h>(&'r self, header: &'h Header, cells: &mut Vec<(u16, Cell<'r>)>) -> Result<Shape, Refusal<'h>> {
        let ends = &self.ends[..self.fields];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let ranges = starts.zip(ends.iter().copied());
        let written = ends.last().copied().unwrap_or(0);
        match std::str::from_utf8(&self.output[..written]) {
            Ok(text) => fill_cells(header, cells, ranges.map(|(start, end)| text.get(start..end).unwrap_or_default())),
            Err(_) => Err(not_utf8(header, ranges.map(|(start, end)| &self.output[start..end]))),
        }
    }
}

fn refuse(place: Place, end: u64, column: Option<&str>, value: &str, reason: &str) -> Reject {
    let lines = end.saturating_sub(place.line) + 1;
    let reason = if lines > 1 { format!("{reason} (the record spans {lines} lines)") } else { reason.to_owned() };
    match column {
        Some(column) => Reject::cell(place, column, value, reason),
        None => Reject::whole(place, reason),
    }
}
