//! Delimited text: its delimiter and header line, and blocks of whole records.
//!
//! The splitter follows the quoting rules of the parser, so that a line break inside quotes is never
//! taken for the end of a record, nor a stray quote inside a field for the beginning of a quoted one.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::detect::{Opened, fill};
use super::forced;
use super::prowler;
use super::quotes::{Scan, State};
use super::swallowed::key_columns;
use super::top::{self, Above, Missing, Top};
use super::{BLOCK, Block, Columns, Format, Layout, MAX_RECORD, ReadError, unread};
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{FileId, Names, Note, NoteKind, Place, Reject};

/// A table with more columns than this is no inventory.
const MAX_COLUMNS: usize = 4096;

/// The header line and the delimiter.
#[derive(Debug)]
pub struct Header {
    /// The columns.
    pub names: Names,
    /// The delimiter.
    pub delimiter: u8,
    /// The columns that name keys, by position.
    pub(super) key_columns: Vec<usize>,
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
    /// What is to be told with the next block.
    notes: Vec<Note>,
    rejects: Vec<Reject>,
    tainted: Tainted,
}

impl Splitter {
    /// Reads the header line, and leaves out what stands above it.
    ///
    /// # Errors
    /// There is no header line, it names a field twice, or no column that tells which record is about what.
    pub(super) fn new(mut input: Opened, delimiter: Option<u8>, columns: &Columns) -> Result<Splitter, ReadError> {
        let top = loop {
            match top::find(&input.start, input.ended, delimiter, columns.vocabulary.is_field) {
                Ok(top) => break top,
                Err(Missing::Quote) => {
                    let message = "a quote in the header line is never closed";
                    return Err(ReadError::content(&input.name, Some(1), message));
                }
                Err(Missing::Row) => return Err(ReadError::content(&input.name, None, "no header line was found")),
                Err(Missing::End) => {
                    let message = "the header line is longer than 1 MiB; is a quote never closed, or is this no table?";
                    return Err(ReadError::content(&input.name, Some(1), message));
                }
                Err(Missing::Bytes) => {
                    let read = fill(&mut input.reader, &mut input.start, BLOCK);
                    input.ended = read.map_err(|source| ReadError::Io { name: input.name.clone(), source })?;
                }
            }
        };
        let Top { delimiter, names, end, line, titles, above, first } = top;
        let refused = |message: String| ReadError::content(&input.name, Some(line), message);
        if !prowler::is_header(&names) {
            columns.check(&names, &first).map_err(refused)?;
        }
        let names = columns.without_idle_twins(names);
        let header = header_of(input.file, &input.name, Some(line), names, delimiter)?;
        let notes = (titles > 0).then(|| left_out(input.file, line, titles, &first)).into_iter().collect();
        let mut tainted = Tainted::default();
        let reject = |above: Above| {
            above.key_ids.iter().for_each(|key_id| tainted.add(key_id));
            above_header(Place { file: input.file, line: above.line }, &above.says, line, &above.key_ids)
        };
        let rejects = above.into_iter().map(reject).collect();
        let line = 1 + count_lines(&input.start[..end]);
        input.start.drain(..end);
        Ok(Splitter { input, header: Arc::new(header), scan: Scan::new(delimiter), line, notes, rejects, tainted })
    }

    /// Refuses a table that is none of the tool whose tables somebody has asked for.
    ///
    /// # Errors
    /// It has other columns.
    pub(super) fn demand(&self, format: Option<Format>) -> Result<(), ReadError> {
        let names = self.header.names.as_slice();
        let words = match format {
            Some(Format::Prowler) if !prowler::is_header(names) => "a table without the columns of Prowler".to_owned(),
            Some(Format::Steampipe) => match forced::not_of_steampipe(names.iter().map(String::as_str)) {
                Some(column) => format!("a table with a column `{column}`, which Steampipe's has not"),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let told = format.map(|format| forced::refusal(format, &words, Some(Format::Csv))).unwrap_or_default();
        Err(ReadError::content(&self.input.name, None, told))
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
                let message = "a record longer than 4 MiB; is a quote never closed? Nothing from here to the end of the file was read";
                return Err(ReadError::content(&self.input.name, Some(self.line), message));
            }
            match fill(&mut self.input.reader, &mut self.input.start, BLOCK) {
                Ok(ended) => self.input.ended = ended,
                // What is whole counts; the reader fails again when it is asked for more.
                Err(_) if self.scan.boundary > 0 => return Ok(Some(self.cut(self.scan.boundary))),
                Err(source) => return Err(ReadError::Io { name: self.input.name.clone(), source }),
            }
        }
    }

    fn cut(&mut self, at: usize) -> Block {
        let bytes = self.input.cut(at);
        self.scan.rebase(at);
        let first_line = self.line;
        self.line += count_lines(&bytes);
        let layout = Layout::Csv(Arc::clone(&self.header));
        let (notes, spare) = (std::mem::take(&mut self.notes), self.input.spare.clone());
        let (rejects, tainted) = (std::mem::take(&mut self.rejects), std::mem::take(&mut self.tainted));
        Block { bytes, first_line, rejects, tainted, notes, spare, ..Block::new(self.input.file, layout) }
    }

    /// What is left at the end of the file; a quote that is never closed is one reject.
    fn last_block(&mut self) -> Option<Block> {
        let is_told = self.rejects.is_empty() && self.notes.is_empty();
        if self.input.start.is_empty() && is_told {
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
            block.tainted.append(&unread::key_ids(self.input.start.as_slice(), 0));
            self.input.start.clear();
        }
        Some(block)
    }
}

/// The reject of a row above the header line that names keys, or operations that block the migration.
pub(super) fn above_header(place: Place, says: &str, line: u64, key_ids: &[String]) -> Reject {
    let names = if key_ids.is_empty() { "an operation that blocks the migration" } else { "a key" };
    let reason = format!(
        "stands above the header line (line {line}), and so is no record, but names {names}: `{says}`; write it below the header line, or into the cells of that key, or remove it"
    );
    Reject::whole(place, reason)
}

fn left_out(file: FileId, line: u64, titles: usize, first: &str) -> Note {
    let rows = if titles == 1 { "1 row".to_owned() } else { format!("{titles} rows") };
    let text = format!("{rows} above the header line (line {line}) left out; the first says `{first}`");
    Note { place: Place { file, line: 0 }, kind: NoteKind::LeftOut, text }
}

/// How many lines end in some bytes. Where none ends in a line feed, carriage returns end them, as in files of old
/// spreadsheets.
pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    let count = |end: u8| memchr::memchr_iter(end, bytes).count() as u64;
    match count(b'\n') {
        0 => count(b'\r'),
        lines => lines,
    }
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
    let key_columns = key_columns(&names);
    let names = Names::new(u64::from(file) + 1, names);
    let content = FixedState::with_seed(FixedState::default().hash_one(names.as_slice()));
    Ok(Header { names, delimiter, key_columns, content })
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
