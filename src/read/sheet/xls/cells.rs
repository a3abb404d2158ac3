//! One sheet of a workbook of the older kind, row by row.

use std::sync::Arc;

use super::super::bytes::{u16_at, u32_at};
use super::super::row::{Grid, MAX_COLUMNS, MAX_MERGED, Merged, NEVER_CALCULATED, Row, bounded, too_many_merged};
use super::records::{Content, Record, Records, error_text, number_at, packed_number};
use super::{BEGIN, END, Shared};

/// Kinds of records.
const NUMBER: u16 = 0x203;
const PACKED: u16 = 0x27e;
const PACKED_SEVERAL: u16 = 0xbd;
const SHARED_TEXT: u16 = 0xfd;
const TEXT: u16 = 0x204;
const RICH_TEXT: u16 = 0xd6;
const FLAG_OR_ERROR: u16 = 0x205;
const FORMULA: u16 = 0x06;
const RESULT: u16 = 0x207;
const MERGED: u16 = 0xe5;
const NOT_CALCULATED: u16 = 0x5e;

/// A sheet, of which rows are left.
pub(super) struct Sheet {
    shared: Arc<Shared>,
    /// Cells that say something, by row and column.
    cells: Vec<Cell>,
    merged: Vec<Merged>,
    /// Whether formulas are to be calculated when the workbook is opened.
    is_stale: bool,
    /// How many cells were read.
    at: usize,
}

/// Where a cell stands.
#[derive(Debug, Clone, Copy)]
struct Cell {
    row: u16,
    column: u16,
    kind: u16,
    style: u16,
    /// Its value in the stream, and where the record ends.
    at: u32,
    end: u32,
}

impl Sheet {
    /// Finds the cells between two places of the stream. Some writers do not put them in order.
    ///
    /// # Errors
    /// There are no records of a sheet.
    pub(super) fn new(shared: Arc<Shared>, at: usize, end: usize) -> Result<Sheet, String> {
        let mut sheet =
            Sheet { shared: Arc::clone(&shared), cells: Vec::new(), merged: Vec::new(), is_stale: false, at: 0 };
        let stream = shared.stream.get(..end).unwrap_or_default();
        // Charts in a sheet begin and end as it does.
        let mut depth = 0_u32;
        for record in Records::new(stream, at) {
            match record.kind {
                BEGIN => depth += 1,
                _ if depth == 0 => break,
                END if depth == 1 => {
                    sheet.cells.sort_by_key(|cell| (cell.row, cell.column));
                    return Ok(sheet);
                }
                END => depth -= 1,
                _ if depth == 1 => sheet.take(record)?,
                _ => {}
            }
        }
        Err(if depth == 0 { "it is missing".to_owned() } else { "it is cut off".to_owned() })
    }

    fn take(&mut self, record: Record<'_>) -> Result<(), String> {
        let Record { kind, at, content } = record;
        match kind {
            NUMBER | PACKED | SHARED_TEXT | TEXT | RICH_TEXT | FLAG_OR_ERROR | FORMULA => self.add(record, 2, 4, 6)?,
            PACKED_SEVERAL => {
                // Row, first column, style and value for each, last column.
                let count = content.len().saturating_sub(6) / 6;
                for cell in 0..count {
                    self.add(record, 2, 4 + cell * 6, 6 + cell * 6)?;
                    if let Some(added) = self.cells.last_mut() {
                        added.column = added.column.saturating_add(cell as u16);
                    }
                }
            }
            NOT_CALCULATED => self.is_stale = true,
            MERGED => {
                for area in content.get(2..).unwrap_or_default().chunks_exact(8) {
                    let number = |at: usize| u16_at(area, at).unwrap_or_default();
                    let (rows, columns) = ((number(0), number(2)), (number(4), number(6)));
                    if rows.0 > rows.1 || columns.0 > columns.1 {
                        return Err("it has an area of merged cells that ends before it begins".to_owned());
                    }
                    let rows = (u32::from(rows.0) + 1, u32::from(rows.1) + 1);
                    self.merged.push(Merged::area(rows, (usize::from(columns.0), usize::from(columns.1))));
                    if self.merged.len() > MAX_MERGED {
                        return Err(too_many_merged());
                    }
                }
            }
            // The result of the formula before that is a text.
            RESULT => {
                if let Some(cell) = self.cells.last_mut().filter(|cell| cell.kind == FORMULA) {
                    (cell.kind, cell.at, cell.end) = (RESULT, at as u32, (at + content.len()) as u32);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a cell whose column, style and value stand in these places of the record.
    fn add(&mut self, record: Record<'_>, column: usize, style: usize, value: usize) -> Result<(), String> {
        let number = |at: usize| u16_at(record.content, at);
        let (Some(row), Some(column), Some(style)) = (number(0), number(column), number(style)) else {
            return Err("a record of a cell is cut off".to_owned());
        };
        if usize::from(column) >= MAX_COLUMNS {
            return Err(format!("row {}: more than {MAX_COLUMNS} cells", u32::from(row) + 1));
        }
        let (at, end) = ((record.at + value) as u32, (record.at + record.content.len()) as u32);
        self.cells.push(Cell { row, column, kind: record.kind, style, at, end });
        Ok(())
    }

    fn write(&self, cell: Cell, row: &mut Row) -> Result<(), String> {
        let shared = &*self.shared;
        let content = shared.stream.get(cell.at as usize..cell.end as usize).unwrap_or_default();
        let cut_off = || "a record of a cell is cut off".to_owned();
        match cell.kind {
            NUMBER => self.number(cell, number_at(content, 0).ok_or_else(cut_off)?, row),
            PACKED | PACKED_SEVERAL => {
                self.number(cell, packed_number(u32_at(content, 0).ok_or_else(cut_off)?), row);
            }
            SHARED_TEXT => {
                let number = u32_at(content, 0).ok_or_else(cut_off)?;
                let text = shared.texts.get(number as usize);
                row.write(text.ok_or_else(|| format!("there is no shared text `{number}`"))?)?;
            }
            FLAG_OR_ERROR => flag_or_error(content, row).ok_or_else(cut_off)?,
            FORMULA => self.result(cell, content, row).ok_or_else(cut_off)?,
            _ => {
                let mut text = Content::new(&shared.stream, cell.at as usize, cell.end as usize);
                let read = text.u16().and_then(|count| text.text(count, &mut row.text));
                read.ok_or_else(cut_off)?;
            }
        }
        if self.is_stale && matches!(cell.kind, FORMULA | RESULT) {
            row.refuse(NEVER_CALCULATED);
        }
        bounded(row.text.len())
    }

    fn number(&self, cell: Cell, number: f64, row: &mut Row) {
        let is_date = self.shared.dates.get(usize::from(cell.style)).copied().unwrap_or_default();
        if is_date { row.write_moment(number, self.shared.epoch) } else { row.write_number(number) }
    }

    /// Writes the result of a formula that is no text.
    fn result(&self, cell: Cell, content: &[u8], row: &mut Row) -> Option<()> {
        const ON_OPENING: u16 = 2;
        if u16_at(content, 6)? != u16::MAX {
            self.number(cell, number_at(content, 0)?, row);
        } else {
            match *content.first()? {
                1 => row.write_flag(*content.get(2)? != 0),
                2 => row.text.push_str(error_text(*content.get(2)?)),
                // Blank; programs that cannot calculate write it, too.
                3 if self.shared.calculates => {}
                // A text that does not follow.
                _ => row.refuse(NEVER_CALCULATED),
            }
        }
        if u16_at(content, 8)? & ON_OPENING != 0 {
            row.refuse(NEVER_CALCULATED);
        }
        Some(())
    }
}

fn flag_or_error(content: &[u8], row: &mut Row) -> Option<()> {
    let [value, is_error] = *content.first_chunk()?;
    if is_error == 0 {
        row.write_flag(value != 0)
    } else {
        row.text.push_str(error_text(value))
    }
    Some(())
}

impl Grid for Sheet {
    fn next_row(&mut self, row: &mut Row) -> Result<bool, String> {
        let Some(number) = self.cells.get(self.at).map(|cell| cell.row) else {
            return Ok(false);
        };
        row.begin(u32::from(number) + 1);
        while let Some(cell) = self.cells.get(self.at).copied().filter(|cell| cell.row == number) {
            self.at += 1;
            // Of cells that were written twice, programs show the last.
            let is_last = self.cells.get(self.at).is_none_or(|next| (next.row, next.column) != (cell.row, cell.column));
            if is_last {
                let written = row.open(usize::from(cell.column)).and_then(|()| self.write(cell, row));
                written.map_err(|error| format!("row {}: {error}", row.number))?;
            }
        }
        Ok(true)
    }

    fn rewind(&mut self) {
        self.at = 0;
    }

    fn merged(&self) -> Result<Vec<Merged>, String> {
        Ok(self.merged.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::dates::Epoch;
    use super::super::super::row::{DAMAGED, Fault};
    use super::super::super::texts::Texts;
    use super::*;

    fn record(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), content].concat()
    }

    /// A cell in row 1 of style 0 or, if it is a date, 1.
    fn cell(kind: u16, column: u8, style: u8, value: &[u8]) -> Vec<u8> {
        record(kind, &[&[0, 0, column, 0, style, 0], value].concat())
    }

    fn sheet(records: &[Vec<u8>], calculates: bool) -> Result<Sheet, String> {
        let stream = [record(BEGIN, b""), records.concat(), record(END, b"")].concat();
        let (texts, dates, end) = (Texts::of(&["none", "钥"]), vec![false, true], stream.len());
        let shared = Shared { stream, texts, dates, epoch: Epoch::From1900, calculates };
        Sheet::new(Arc::new(shared), 0, end)
    }

    type Rows = Vec<(u32, String, Vec<Fault>)>;

    fn read(records: &[Vec<u8>], calculates: bool) -> Result<Rows, String> {
        let (mut sheet, mut row, mut all) = (sheet(records, calculates)?, Row::default(), Vec::new());
        while sheet.next_row(&mut row)? {
            let cells: Vec<&str> = (0..row.len()).map(|column| row.cell(column)).collect();
            all.push((row.number, cells.join("|"), row.faults.clone()));
        }
        Ok(all)
    }

    /// A formula with a result and flags.
    fn formula(result: &[u8; 8], flags: u8) -> Vec<u8> {
        cell(FORMULA, 0, 0, &[&result[..], &[flags, 0, 0, 0, 0, 0, 0, 0]].concat())
    }

    #[test]
    fn every_kind_of_cell_is_text() {
        let packed = |number: f64| (((number.to_bits() >> 32) as u32) & !3).to_le_bytes();
        for (records, text) in [
            (vec![cell(NUMBER, 0, 0, &0.1_f64.to_le_bytes())], "0.1"),
            (vec![cell(NUMBER, 0, 1, &46112.0_f64.to_le_bytes())], "2026-03-31"),
            (vec![cell(NUMBER, 0, 1, &2.0_f64.to_le_bytes())], "2"),
            (vec![cell(NUMBER, 0, 9, &46112.0_f64.to_le_bytes())], "46112"),
            (vec![cell(PACKED, 0, 0, &packed(365.0))], "365"),
            (vec![cell(PACKED, 0, 1, &packed(46112.0))], "2026-03-31"),
            (
                vec![record(
                    PACKED_SEVERAL,
                    &[&[0, 0, 1, 0, 0, 0][..], &packed(1.0), &[1, 0], &packed(46112.0), &[2, 0]].concat(),
                )],
                "|1|2026-03-31",
            ),
            (vec![cell(SHARED_TEXT, 0, 0, &[1, 0, 0, 0])], "钥"),
            (vec![cell(TEXT, 0, 0, b"\x02\0\0a\xe9")], "aé"),
            (vec![cell(RICH_TEXT, 0, 0, b"\x02\0\x01a\0b\0\x01\0\0\0\0\0")], "ab"),
            (vec![cell(FLAG_OR_ERROR, 0, 0, &[1, 0])], "true"),
            (vec![cell(FLAG_OR_ERROR, 0, 0, &[0x2a, 1])], "#N/A"),
            (vec![formula(&2.5_f64.to_le_bytes(), 0)], "2.5"),
            (vec![formula(&[1, 0, 1, 0, 0, 0, 255, 255], 0)], "true"),
            (vec![formula(&[2, 0, 7, 0, 0, 0, 255, 255], 1)], "#DIV/0!"),
            (vec![formula(&[3, 0, 0, 0, 0, 0, 255, 255], 0)], ""),
            // What formulas share stands before the text that is the result.
            (vec![formula(&[0, 0, 0, 0, 0, 0, 255, 255], 0), record(0x4bc, b"x"), record(RESULT, b"\x01\0\0a")], "a"),
        ] {
            assert_eq!(read(&records, true), Ok(vec![(1, text.to_owned(), Vec::new())]), "{text}");
        }
    }

    #[test]
    fn what_a_spreadsheet_has_lost_is_a_fault() {
        let blank = [3, 0, 0, 0, 0, 0, 255, 255];
        let stale = record(NOT_CALCULATED, b"\0\0");
        for (records, calculates, reason) in [
            (vec![cell(NUMBER, 0, 0, &1e15_f64.to_le_bytes())], true, DAMAGED),
            (vec![formula(&blank, 0)], false, NEVER_CALCULATED),
            (vec![formula(&1.0_f64.to_le_bytes(), 2)], true, NEVER_CALCULATED),
            (vec![formula(&[0, 0, 0, 0, 0, 0, 255, 255], 0)], true, NEVER_CALCULATED),
            (vec![stale.clone(), formula(&1.0_f64.to_le_bytes(), 0)], true, NEVER_CALCULATED),
            (
                vec![formula(&[0, 0, 0, 0, 0, 0, 255, 255], 0), record(RESULT, b"\x01\0\0a"), stale],
                true,
                NEVER_CALCULATED,
            ),
        ] {
            assert_eq!(read(&records, calculates).unwrap()[0].2, [Fault { column: 0, reason }]);
        }
    }

    #[test]
    fn cells_are_put_in_order_and_the_last_of_twins_counts() {
        let at = |row: u8, column: u8, text: &[u8]| {
            record(TEXT, &[&[row, 0, column, 0, 0, 0, text.len() as u8, 0, 0], text].concat())
        };
        let chart = [record(BEGIN, b""), at(0, 0, b"chart"), record(END, b"")].concat();
        let records = [at(3, 1, b"d"), at(0, 2, b"b"), chart, at(0, 0, b"a"), at(3, 1, b"e")];
        let rows = read(&records, true).unwrap();
        let rows: Vec<(u32, &str)> = rows.iter().map(|(number, cells, _)| (*number, cells.as_str())).collect();
        assert_eq!(rows, [(1, "a||b"), (4, "|e")]);
    }

    #[test]
    fn merged_cells_are_listed() {
        let areas = record(MERGED, &[2, 0, 4, 0, 8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0]);
        let merged = sheet(&[areas], true).unwrap().merged().unwrap();
        assert_eq!(merged.iter().map(|merged| merged.name.as_str()).collect::<Vec<_>>(), ["B5:C9", "A1:D1"]);
        assert!(sheet(&[record(MERGED, &[1, 0, 4, 0, 3, 0, 0, 0, 0, 0])], true).is_err());
    }

    #[test]
    fn damage_says_where() {
        for (records, says) in [
            (vec![cell(SHARED_TEXT, 0, 0, &[2, 0, 0, 0])], "row 1: there is no shared text `2`"),
            (vec![cell(NUMBER, 0, 0, &[0; 7])], "row 1: a record of a cell is cut off"),
            (vec![cell(TEXT, 0, 0, b"\x09\0\0a")], "row 1: a record of a cell is cut off"),
            (vec![cell(FLAG_OR_ERROR, 0, 0, b"")], "row 1: a record of a cell is cut off"),
            (vec![cell(FORMULA, 0, 0, &[0; 8])], "row 1: a record of a cell is cut off"),
            (vec![record(NUMBER, &[0; 5])], "a record of a cell is cut off"),
            (vec![record(TEXT, &[0, 0, 0, 64, 0, 0])], "row 1: more than 16384 cells"),
            (vec![record(BEGIN, b"")], "it is cut off"),
        ] {
            assert!(read(&records, true).unwrap_err().contains(says), "{says}");
        }
        assert_eq!(Sheet::new(Arc::new(Shared::default()), 9, 5).err().as_deref(), Some("it is missing"));
    }
}
