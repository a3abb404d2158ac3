//! Workbooks (.xlsx, .ods, .xls): every sheet that is shown and has a header line that means something, below any
//! titles; if there is none, the first sheet that says something.
//!
//! `choice` tells which sheets those are; a folder per format gives their rows (`row`), which `rows` hands over
//! as records of delimited text are, so that they mean the same. What a spreadsheet loses is a reject: digits of long
//! numbers, results of formulas that were never calculated, cells merged into others. Binary workbooks (.xlsb), those
//! of Excel 95 and before, and encrypted ones are recognised and refused.

mod archive;
mod bytes;
mod choice;
mod dates;
mod markup;
mod ods;
mod row;
mod rows;
mod table;
mod texts;
mod xls;
mod xlsx;

use std::collections::VecDeque;

use self::archive::Archive;
use self::choice::{Budget, Chosen, Listed, MAX_QUOTED, choose, shortened};
use self::row::Row;
pub use self::rows::Rows;
use self::table::Sheet;
use super::detect::{Opened, fill};
use super::{BLOCK, Block, Layout, ReadError};
use crate::inventory::files::FileNames;
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{FileId, Note, Place, Reject};

/// A workbook is read into memory; larger ones are refused.
const MAX_FILE: usize = 256 << 20;

/// All parts of a workbook together may unpack to so many bytes.
const MAX_UNPACKED: u64 = 1 << 30;

/// The cells of a workbook together say at most so much, in bytes, however often they name the same text.
const MAX_SAID: u64 = 4 << 30;

/// A workbook names a text as often as it likes. So much more than twice its unpacked bytes its cells may say, for what
/// they say may be kept.
const MAX_REPEATED: u64 = 128 << 20;

/// Blocks have at most so many rows, however little they say.
const MAX_ROWS: usize = 1 << 12;

const ZIP: &[u8] = b"PK\x03\x04";
const OLE2: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Whether the first bytes are those of a workbook, or of something else in the same wrapping.
pub(super) fn is_workbook(start: &[u8]) -> bool {
    start.starts_with(ZIP) || start.starts_with(OLE2)
}

/// The sheets of a workbook, in order.
fn sheets(bytes: Vec<u8>, max_input: u64) -> Result<Box<dyn Iterator<Item = Listed>>, String> {
    if bytes.starts_with(OLE2) {
        return Ok(Box::new(xls::Workbook::open(&bytes)?));
    }
    if !bytes.starts_with(ZIP) {
        return Err("not a workbook (.xlsx, .ods, .xls); leave out --input-format to find the format by content".into());
    }
    let archive = Archive::open(bytes, MAX_UNPACKED.min(max_input)).ok_or(
        "a damaged workbook or archive: its directory cannot be read; fetch the file again, or open it in a spreadsheet program and save it",
    )?;
    if ods::is_document(&archive) {
        Ok(Box::new(ods::Workbook::open(archive)?))
    } else {
        Ok(Box::new(xlsx::Workbook::open(archive)?))
    }
}

/// The message for a part that cannot be read.
fn damaged(part: &str, error: &str) -> String {
    format!("a damaged workbook: `{part}`: {error}; open it in a spreadsheet program and save it, or export it as CSV")
}

/// Cuts the sheets of a workbook into blocks of whole rows.
pub struct Splitter {
    file: FileId,
    name: String,
    files: FileNames,
    /// Sheets that are not begun.
    waiting: VecDeque<Chosen>,
    /// Whether one sheet is all that is read; it stands for the file.
    is_alone: bool,
    sheet: Option<Sheet>,
    budget: Budget,
    row: Row,
    /// What follows the rows that were handed over last.
    failed: Option<(FileId, ReadError)>,
    /// What is told with the next block.
    rejects: Vec<Reject>,
    tainted: Tainted,
    notes: Vec<Note>,
}

impl Splitter {
    /// Reads the workbook as far as the header lines of its sheets.
    ///
    /// # Errors
    /// The input cannot be read or is no workbook that can be.
    pub fn new(mut input: Opened) -> Result<Splitter, ReadError> {
        read_all(&mut input)?;
        let refused = |message: String| ReadError::content(&input.name, None, message);
        let mut budget = Budget::new(input.max_input);
        let sheets = sheets(input.start, input.max_input).map_err(refused)?;
        let choice = choose(sheets, input.vocabulary, &mut budget).map_err(refused)?;
        let place = Place { file: input.file, line: 0 };
        Ok(Splitter {
            file: input.file,
            name: input.name,
            files: input.files,
            is_alone: choice.chosen.len() == 1,
            waiting: choice.chosen.into(),
            sheet: None,
            budget,
            row: Row::default(),
            failed: None,
            rejects: choice.damaged.into_iter().map(|message| Reject::whole(place, message)).collect(),
            tainted: Tainted::default(),
            notes: choice.notes.into_iter().map(|(kind, text)| Note { place, kind, text }).collect(),
        })
    }

    /// The next block, or nothing at the end.
    ///
    /// # Errors
    /// The only sheet is damaged, or its header line names a column twice. If there are more, that is a reject.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if let Some((file, error)) = self.failed.take() {
                self.bear(file, error)?;
            }
            if let Some(mut sheet) = self.sheet.take() {
                let (rows, has_more) = self.rows(&mut sheet);
                let file = sheet.file;
                if has_more {
                    self.sheet = Some(sheet);
                } else {
                    self.notes.extend(sheet.notes());
                }
                if let Some(first_line) = rows.first_line() {
                    return Ok(Some(self.block(file, first_line, Layout::Sheet(rows))));
                }
            } else if let Some(chosen) = self.waiting.pop_front() {
                let (file, name) = self.name(&chosen);
                match Sheet::open(chosen, file, &name, &mut self.budget) {
                    Ok(mut sheet) => {
                        self.rejects.append(&mut sheet.rejects);
                        self.tainted.append(&sheet.tainted);
                        self.sheet = Some(sheet);
                    }
                    Err(error) => self.bear(file, error)?,
                }
            } else {
                let rest = !self.rejects.is_empty() || !self.notes.is_empty();
                return Ok(rest.then(|| self.block(self.file, 1, Layout::Json(Vec::new()))));
            }
        }
    }

    /// The number and the name of the sheet in places.
    fn name(&self, sheet: &Chosen) -> (FileId, String) {
        if self.is_alone {
            return (self.file, self.name.clone());
        }
        let name = format!("{} (sheet {})", self.name, shortened(&sheet.name, MAX_QUOTED));
        (self.files.enter(name.clone()), name)
    }

    /// What cannot be read of one sheet, so that it does not stop the others.
    fn bear(&mut self, file: FileId, error: ReadError) -> Result<(), ReadError> {
        if self.is_alone {
            return Err(error);
        }
        if self.budget.is_spent() {
            self.waiting.clear();
        }
        self.rejects.push(error.into_reject(file));
        Ok(())
    }

    /// Some rows of the sheet, and whether there are more.
    fn rows(&mut self, sheet: &mut Sheet) -> (Rows, bool) {
        let header = sheet.header();
        let columns = header.names.as_slice().len();
        let mut rows = Rows::new(header);
        while rows.length() < BLOCK && rows.count() < MAX_ROWS {
            let read = sheet.next_row(&mut self.row);
            let counted = read.and_then(|is_row| {
                if is_row {
                    self.budget.spend(&self.row, columns)?;
                }
                Ok(is_row)
            });
            match counted {
                Ok(true) if self.row.is_blank() => {}
                Ok(true) => sheet.take(&self.row, &mut rows),
                Ok(false) => return (rows, false),
                Err(error) => {
                    self.failed = Some((sheet.file, sheet.damaged(&error)));
                    return (rows, false);
                }
            }
        }
        (rows, true)
    }

    fn block(&mut self, file: FileId, first_line: u64, layout: Layout) -> Block {
        let (rejects, notes) = (std::mem::take(&mut self.rejects), std::mem::take(&mut self.notes));
        let tainted = std::mem::take(&mut self.tainted);
        Block { first_line, rejects, tainted, notes, ..Block::new(file, layout) }
    }
}

fn read_all(input: &mut Opened) -> Result<(), ReadError> {
    while !input.ended {
        if input.start.len() > MAX_FILE {
            let message = "the workbook has more than 256 MiB; split it, or export the sheet as CSV".to_owned();
            return Err(ReadError::content(&input.name, None, message));
        }
        let read = fill(&mut input.reader, &mut input.start, BLOCK);
        input.ended = read.map_err(|source| ReadError::Io { name: input.name.clone(), source })?;
    }
    Ok(())
}
