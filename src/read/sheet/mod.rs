//! Workbooks (.xlsx): the first sheet that is shown and says something, its first row that does as header line.
//!
//! A row is handed over as a record of delimited text is, so that it means the same. What a spreadsheet loses is a
//! reject: digits of long numbers, results of formulas that were never calculated, cells merged into others. Older
//! formats (.xls), binary ones (.xlsb) and OpenDocument (.ods) are recognised and refused.

mod archive;
mod cells;
mod dates;
mod markup;
mod workbook;

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;

use self::cells::{Merged, Row, Sheet};
use self::workbook::{Shared, Workbook, damaged};
use super::csv::{Header, header_of};
use super::detect::{Opened, fill};
use super::{BLOCK, Block, Layout, ReadError};
use crate::inventory::row::{Cells, FileId, Place, RecordKind, Reject, Row as Record, RowSink, Table, Writing};
use crate::spare::Spare;

/// A workbook is read into memory; larger ones are refused.
const MAX_FILE: usize = 256 << 20;

/// Blocks have at most so many rows, however little they say.
const MAX_ROWS: usize = 1 << 12;

const ZIP: &[u8] = b"PK\x03\x04";
const OLE2: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// In UTF-16, the name under which an encrypted workbook stands in a file of the older kind.
const ENCRYPTED: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

/// Whether the first bytes are those of a workbook, or of something else in the same wrapping.
pub(super) fn is_workbook(start: &[u8]) -> bool {
    start.starts_with(ZIP) || start.starts_with(OLE2)
}

/// Cuts a sheet into blocks of whole rows.
pub struct Splitter {
    file: FileId,
    name: String,
    /// The part in which the sheet stands.
    part: String,
    sheet: Sheet,
    shared: Shared,
    header: Arc<Header>,
    /// Rows with cells that are merged into others, in order.
    covered: VecDeque<Covered>,
    row: Row,
}

impl Splitter {
    /// Reads the workbook as far as the header line.
    ///
    /// # Errors
    /// The input cannot be read or is no workbook that can be, or the header line names a column twice.
    pub fn new(mut input: Opened) -> Result<Splitter, ReadError> {
        read_all(&mut input)?;
        let refused = |message: String| ReadError::content(&input.name, None, message);
        refuse_others(&input.start).map_err(|message| refused(message.to_owned()))?;
        let mut workbook = Workbook::open(input.start).map_err(refused)?;
        let mut row = Row::default();
        let (part, sheet) = first_sheet(&mut workbook, &mut row).map_err(refused)?;
        let merged = sheet.merged().map_err(|error| refused(damaged(&part, &error)))?;
        let line = Some(u64::from(row.number));
        let names = names(&row, &merged).map_err(|message| ReadError::content(&input.name, line, message))?;
        let header = header_of(input.file, &input.name, line, names, b',')?;
        let covered = covered(&merged, row.number, header.names.as_slice());
        let (file, name, shared) = (input.file, input.name, workbook.shared);
        Ok(Splitter { file, name, part, sheet, shared, header: Arc::new(header), covered, row })
    }

    /// The next block, or nothing at the end.
    ///
    /// # Errors
    /// The sheet is damaged.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        let mut rows = Rows::new(Arc::clone(&self.header));
        while rows.text.len() < BLOCK && rows.lines.len() < MAX_ROWS {
            let read = self.sheet.next_row(&self.shared, &mut self.row);
            let refused = |error: String| ReadError::content(&self.name, None, damaged(&self.part, &error));
            if !read.map_err(refused)? {
                break;
            }
            if !self.row.is_blank() {
                let fault = self.fault();
                rows.add(&self.row, fault);
            }
        }
        let Some(first_line) = rows.lines.first().copied().map(u64::from) else {
            return Ok(None);
        };
        let (layout, spare) = (Layout::Sheet(rows), Spare::default());
        let (rejects, notes) = (Vec::new(), Vec::new());
        Ok(Some(Block {
            file: self.file,
            bytes: Vec::new(),
            first_line,
            layout,
            rejects,
            notes,
            encoding: None,
            spare,
        }))
    }

    /// Why the row cannot be used. Columns without a name do not matter.
    fn fault(&mut self) -> Option<Reject> {
        let names = self.header.names.as_slice();
        let place = Place { file: self.file, line: u64::from(self.row.number) };
        let is_named = |column: usize| names.get(column).is_some_and(|name| !name.is_empty());
        if let Some(fault) = self.row.faults.iter().find(|fault| is_named(fault.column)) {
            return Some(Reject::cell(place, &names[fault.column], self.row.cell(fault.column), fault.reason));
        }
        while self.covered.front().is_some_and(|covered| covered.last < self.row.number) {
            self.covered.pop_front();
        }
        let covered = self.covered.front().filter(|covered| covered.first <= self.row.number)?;
        let reason = format!(
            "belongs to the merged cells {}, of which only the first holds a value; take them apart and fill in every cell",
            covered.merged
        );
        Some(Reject::cell(place, &names[covered.column], self.row.cell(covered.column), reason))
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

fn refuse_others(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.starts_with(ZIP) {
        Ok(())
    } else if !bytes.starts_with(OLE2) {
        Err("not a workbook (.xlsx); leave out --input-format to find the format by content")
    } else if memchr::memmem::find(bytes, ENCRYPTED).is_some() {
        Err("the workbook is encrypted; open it with its password and save it without one")
    } else {
        Err("an older workbook (.xls), which is not read; save it as .xlsx, or export the sheet as CSV")
    }
}

/// The first sheet that says something, behind its first row that does.
fn first_sheet(workbook: &mut Workbook, row: &mut Row) -> Result<(String, Sheet), String> {
    while let Some((part, text)) = workbook.next_sheet()? {
        let mut sheet = Sheet::new(text).map_err(|error| damaged(&part, &error))?;
        while sheet.next_row(&workbook.shared, row).map_err(|error| damaged(&part, &error))? {
            if !row.is_blank() {
                return Ok((part, sheet));
            }
        }
    }
    Err("the workbook is empty: no sheet that is shown says anything; expected a header line".to_owned())
}

/// The names of columns, up to the last that has one.
fn names(header: &Row, merged: &[Merged]) -> Result<Vec<String>, String> {
    let spans = |merged: &&Merged| merged.columns.0 < merged.columns.1 && merged.has_row(header.number);
    if let Some(title) = merged.iter().find(spans) {
        return Err(format!(
            "the cells {} of the header line are merged; if it is a title, remove its row, otherwise take them apart",
            title.name
        ));
    }
    if let Some(fault) = header.faults.first() {
        return Err(format!("cell {} of the header line {}", fault.column + 1, fault.reason));
    }
    let mut names: Vec<String> = (0..header.len()).map(|column| header.cell(column).trim().to_owned()).collect();
    names.truncate(names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1));
    Ok(names)
}

/// Rows with a cell in a named column that is merged into another.
#[derive(Debug, PartialEq, Eq)]
struct Covered {
    first: u32,
    last: u32,
    column: usize,
    merged: String,
}

/// Rows behind the header line with cells that are merged into others, one range of rows behind the other.
fn covered(merged: &[Merged], header: u32, names: &[String]) -> VecDeque<Covered> {
    let mut ranges: Vec<Covered> = merged.iter().filter_map(|merged| Covered::by(merged, names)).collect();
    ranges.sort_by_key(|range| range.first);
    let mut covered: VecDeque<Covered> = VecDeque::new();
    for range in ranges {
        let behind = covered.back().map_or(header, |before| before.last) + 1;
        let first = range.first.max(behind);
        if first <= range.last {
            covered.push_back(Covered { first, ..range });
        }
    }
    covered
}

impl Covered {
    /// The rows in which merged cells leave a named column blank.
    fn by(merged: &Merged, names: &[String]) -> Option<Covered> {
        let Merged { name, rows, columns } = merged;
        let is_named = |column: &usize| names.get(*column).is_some_and(|name| !name.is_empty());
        // Cells beside the first are blank in all rows; those below it, in all but the first.
        let beside = (columns.0 + 1..=columns.1).find(is_named).map(|column| (column, rows.0));
        let below = Some(columns.0).filter(is_named).map(|column| (column, rows.0 + 1));
        let (column, first) = beside.or(below)?;
        Some(Covered { first, last: rows.1, column, merged: name.clone() })
    }
}

/// Some rows of a sheet.
#[derive(Debug)]
pub struct Rows {
    header: Arc<Header>,
    /// The texts of their cells one behind the other.
    text: String,
    /// For each row, where its cells begin, and where the last one ends.
    starts: Vec<u32>,
    /// Their numbers in the sheet.
    lines: Vec<u32>,
    /// Those that cannot be used, by their place among these.
    rejects: Vec<(usize, Reject)>,
}

impl Rows {
    fn new(header: Arc<Header>) -> Rows {
        Rows { header, text: String::new(), starts: Vec::new(), lines: Vec::new(), rejects: Vec::new() }
    }

    /// Takes the cells that have a column.
    fn add(&mut self, row: &Row, reject: Option<Reject>) {
        self.rejects.extend(reject.map(|reject| (self.lines.len(), reject)));
        self.lines.push(row.number);
        for column in 0..self.header.names.as_slice().len() {
            self.starts.push(self.text.len() as u32);
            self.text.push_str(row.cell(column));
        }
        self.starts.push(self.text.len() as u32);
    }

    /// Hands every row to the sink. `raw` is a buffer that is used again.
    pub(super) fn hand_over(self, raw: &mut Vec<u8>, sink: &mut dyn RowSink) {
        let names = &self.header.names;
        let mut rejects = self.rejects.into_iter().peekable();
        let rows = self.starts.chunks_exact(names.as_slice().len() + 1);
        for (at, (starts, line)) in rows.zip(&self.lines).enumerate() {
            let table = Table::new(&self.text, starts, Writing::Unquoted);
            write_raw(table, raw);
            let content = self.header.content.hash_one(raw.as_slice());
            let row = Record { line: u64::from(*line), content, kind: RecordKind::Plain, cells: Cells::Table(table) };
            match rejects.next_if(|(refused, _)| *refused == at) {
                Some((_, reject)) => sink.refuse(names, row, reject),
                None => sink.row(names, row),
            }
        }
    }
}

/// Writes a record as spreadsheets export it, so that a row is known again where it was exported before.
fn write_raw(table: Table<'_>, raw: &mut Vec<u8>) {
    raw.clear();
    for position in 0..table.len() {
        if position > 0 {
            raw.push(b',');
        }
        let cell = table.text(position);
        if cell.contains([',', '"', '\n', '\r']) {
            raw.push(b'"');
            raw.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            raw.push(b'"');
        } else {
            raw.extend_from_slice(cell.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(name: &str, rows: (u32, u32), columns: (usize, usize)) -> Merged {
        Merged { name: name.to_owned(), rows, columns }
    }

    #[test]
    fn rows_with_cells_that_are_merged_into_others_are_found() {
        let names = ["key_id", "", "aliases"].map(str::to_owned);
        let ranges = |list: Vec<Merged>| -> Vec<(u32, u32, usize)> {
            covered(&list, 1, &names).into_iter().map(|found| (found.first, found.last, found.column)).collect()
        };
        assert_eq!(ranges(vec![merged("A2:A4", (2, 4), (0, 0))]), [(3, 4, 0)], "the first row has the value");
        assert_eq!(ranges(vec![merged("A2:C4", (2, 4), (0, 2))]), [(2, 4, 2)], "but not in all columns");
        assert_eq!(ranges(vec![merged("B2:B4", (2, 4), (1, 1))]), [], "a column without a name");
        assert_eq!(ranges(vec![merged("C2:IV2", (2, 2), (2, 255))]), [], "columns behind the last");
        assert_eq!(ranges(vec![merged("A1:C1", (1, 1), (0, 2))]), [], "the header line");
        assert_eq!(ranges(vec![merged("A1:A2", (1, 2), (0, 0))]), [(2, 2, 0)], "a header of two lines");
        let overlapping =
            vec![merged("A2:A9", (2, 9), (0, 0)), merged("C3:C5", (3, 5), (2, 2)), merged("C8:C12", (8, 12), (2, 2))];
        assert_eq!(ranges(overlapping), [(3, 9, 0), (10, 12, 2)]);
        let beside = vec![merged("A2:A9", (2, 9), (0, 0)), merged("B2:C12", (2, 12), (1, 2))];
        assert_eq!(ranges(beside), [(2, 12, 2)], "a range that begins in the same row may begin to count before");
    }

    #[test]
    fn a_row_is_written_as_it_is_exported() {
        let mut raw = b"before".to_vec();
        for (cells, written) in [
            (vec!["a", "", "b c"], "a,,b c"),
            (vec!["a,b", "c\"d", "e\nf", "\"\""], "\"a,b\",\"c\"\"d\",\"e\nf\",\"\"\"\"\"\""),
            (vec![""], ""),
        ] {
            let starts: Vec<u32> = (0..=cells.len()).map(|at| cells[..at].concat().len() as u32).collect();
            write_raw(Table::new(&cells.concat(), &starts, Writing::Unquoted), &mut raw);
            assert_eq!(String::from_utf8_lossy(&raw), written);
        }
    }
}
