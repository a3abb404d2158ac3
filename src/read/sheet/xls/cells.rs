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
