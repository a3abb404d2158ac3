//! Delimited text: its delimiter and header line, and blocks of whole records.
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
use crate::inventory::row::{FileId, Names, Place, Reject};

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
    pub(super) content: FixedState,
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
                _ if input.ended => return Err(ReadError::content(&input.name, None, "no header line was found")),
                Some(_) | None if input.start.len() > MAX_RECORD => {
                    let message = "the header line is longer than 64 MiB; is this a table?";
                    return Err(ReadError::content(&input.name, Some(1), message));
                }
                _ => {}
            }
            input.ended = read_more(&mut input.reader, &input.name, &mut input.start)?;
        };
        if input.ended && scan.state == State::Quoted && scan.boundary == 0 {
            return Err(ReadError::content(&input.name, Some(1), "a quote in the header line is never closed"));
        }
        let header = header_of(input.file, &input.name, Some(1), names, delimiter)?;
        let line = 1 + count_lines(&input.start[..end]);
        input.start.drain(..end);
        Ok(Splitter { input, header: Arc::new(header), scan: Scan::new(delimiter), line })
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
                let message = "a record longer than 64 MiB; is a quote never closed?";
                return Err(ReadError::content(&self.input.name, Some(self.line), message));
            }
            self.input.ended = read_more(&mut self.input.reader, &self.input.name, &mut self.input.start)?;
        }
    }

    fn cut(&mut self, at: usize) -> Block {
        let bytes = self.input.cut(at);
        self.scan.rebase(at);
        let first_line = self.line;
        self.line += count_lines(&bytes);
        let layout = Layout::Csv(Arc::clone(&self.header));
        let (rejects, notes, spare) = (Vec::new(), Vec::new(), self.input.spare.clone());
        Block { file: self.input.file, bytes, first_line, layout, rejects, notes, spare }
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

pub(super) fn count_lines(bytes: &[u8]) -> u64 {
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

/// The header line of a table. `name` and `line` are where it stands, for messages.
///
/// # Errors
/// It names too many columns, or one twice.
pub(super) fn header_of(
    file: FileId,
    name: &str,
    line: Option<u64>,
    names: Vec<String>,
    delimiter: u8,
) -> Result<Header, ReadError> {
    if names.len() > MAX_COLUMNS {
        let message = format!("{} columns; at most {MAX_COLUMNS} are read. Is the delimiter right?", names.len());
        return Err(ReadError::content(name, line, message));
    }
    refuse_twins(&names).map_err(|message| ReadError::content(name, line, message))?;
    let names = Names::new(u64::from(file) + 1, names);
    let content = FixedState::with_seed(FixedState::default().hash_one(names.as_slice()));
    Ok(Header { names, delimiter, content })
}

fn refuse_twins(names: &[String]) -> Result<(), String> {
    for (index, column) in names.iter().enumerate().filter(|(_, column)| !column.is_empty()) {
        if let Some(before) = names[..index].iter().position(|other| other == column) {
            return Err(format!(
                "columns {} and {} are both named `{column}`; rename or remove one",
                before + 1,
                index + 1
            ));
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
