//! A row of a sheet, whichever format it comes from: what its cells say as text, and which of them do not say what
//! they should.

use std::fmt::Write as _;

use super::dates::Epoch;
use crate::inventory::tidy::keys_named_in;
use crate::read::MAX_RECORD;

/// A sheet has at most so many rows and columns.
pub(super) const MAX_ROWS: u32 = 1 << 20;
pub(super) const MAX_COLUMNS: usize = 1 << 14;

/// More areas of merged cells than this are no inventory.
pub(super) const MAX_MERGED: usize = 1 << 16;

/// Spreadsheets keep 15 digits of a number.
const FIRST_UNSAFE: f64 = 1e15;

pub(super) const DAMAGED: &str = "is kept as a number of more than 15 digits, of which spreadsheets lose all but 15; format the column as text and enter it again";
pub(super) const NEVER_CALCULATED: &str =
    "holds a formula whose result is not in the file; open the workbook in a spreadsheet program and save it";

/// The rows of a sheet, which can be read from the top as often as is needed.
pub(super) trait Grid: Send {
    /// Reads the next row; `false` behind the last. Rows that say nothing may be left out.
    ///
    /// # Errors
    /// The sheet is damaged; the message says where.
    fn next_row(&mut self, row: &mut Row) -> Result<bool, String>;

    /// Begins again with the first row.
    fn rewind(&mut self);

    /// Cells that are merged, wherever the rows are read.
    ///
    /// # Errors
    /// The sheet is damaged.
    fn merged(&self) -> Result<Vec<Merged>, String>;
}

/// A row: the texts of its cells one behind the other.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Its number, from 1.
    pub(super) number: u32,
    pub(super) text: String,
    /// Where cells begin.
    starts: Vec<usize>,
    /// Cells that do not say what they should.
    pub(super) faults: Vec<Fault>,
    /// What a cell holds, before it is known what that means.
    pub(super) value: String,
}

/// A cell that does not say what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) column: usize,
    pub(super) reason: &'static str,
}

impl Row {
    pub(super) fn begin(&mut self, number: u32) {
        self.number = number;
        self.text.clear();
        self.starts.clear();
        self.faults.clear();
    }

    /// Becomes another row, but keeps its buffers.
    pub(super) fn copy(&mut self, other: &Row) {
        self.begin(other.number);
        self.text.push_str(&other.text);
        self.starts.extend_from_slice(&other.starts);
        self.faults.extend_from_slice(&other.faults);
    }

    /// The text of a cell.
    pub(super) fn cell(&self, column: usize) -> &str {
        let Some(start) = self.starts.get(column) else {
            return "";
        };
        let end = self.starts.get(column + 1).copied().unwrap_or(self.text.len());
        self.text.get(*start..end).unwrap_or_default()
    }

    /// The keys that it names.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = String> {
        (0..self.len()).flat_map(|column| keys_named_in(self.cell(column)))
    }

    /// How many cells there are, up to the last that is there.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether no cell says anything.
    pub(super) fn is_blank(&self) -> bool {
        self.faults.is_empty() && self.text.trim().is_empty()
    }

    /// Begins the cell of a column behind those that are there; what is written then stands in it. Cells that are left
    /// out are blank.
    ///
    /// # Errors
    /// No sheet has so many columns.
    pub(super) fn open(&mut self, column: usize) -> Result<(), String> {
        if column >= MAX_COLUMNS {
            return Err(format!("more than {MAX_COLUMNS} cells"));
        }
        self.starts.resize(column + 1, self.text.len());
        Ok(())
    }

    /// Writes a text.
    ///
    /// # Errors
    /// The row gets too long.
    pub(super) fn write(&mut self, text: &str) -> Result<(), String> {
        bounded(self.text.len() + text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    /// Says why the cell that was begun last cannot be believed.
    pub(super) fn refuse(&mut self, reason: &'static str) {
        let column = self.starts.len().saturating_sub(1);
        self.faults.push(Fault { column, reason });
    }

    /// Writes a number as short as it can be.
    pub(super) fn write_number(&mut self, number: f64) {
        if number.abs() >= FIRST_UNSAFE {
            self.refuse(DAMAGED);
        }
        // Without a sign before zero. Writing to a text does not fail.
        let _ = write!(self.text, "{}", number + 0.0);
    }

    /// Writes the moment that a number of days means; the number, if it can hardly be meant so.
    pub(super) fn write_moment(&mut self, days: f64, epoch: Epoch) {
        match epoch.moment(days) {
            Some(moment) => self.text.push_str(&moment),
            None => self.write_number(days),
        }
    }

    /// Writes a yes or no.
    pub(super) fn write_flag(&mut self, flag: bool) {
        self.text.push_str(if flag { "true" } else { "false" });
    }
}

/// That what a row says is not longer than a record may be.
pub(super) fn bounded(length: usize) -> Result<(), String> {
    if length > MAX_RECORD { Err(format!("it is longer than {} MiB", MAX_RECORD >> 20)) } else { Ok(()) }
}

/// Cells that are merged into one, of which only the first holds what the one says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Merged {
    /// As the sheet names them, such as `B5:C9`.
    pub(super) name: String,
    /// Rows, from 1, and columns, from 0.
    pub(super) rows: (u32, u32),
    pub(super) columns: (usize, usize),
}

impl Merged {
    /// An area of a sheet that does not name it.
    pub(super) fn area(rows: (u32, u32), columns: (usize, usize)) -> Merged {
        let name = format!("{}{}:{}{}", letters(columns.0), rows.0, letters(columns.1), rows.1);
        Merged { name, rows, columns }
    }

    /// Whether some of them stand in a row.
    pub(super) fn has_row(&self, row: u32) -> bool {
        (self.rows.0..=self.rows.1).contains(&row)
    }
}

/// The name of a column, such as `AB`.
pub(super) fn letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

/// The message for more areas of merged cells than are read.
pub(super) fn too_many_merged() -> String {
    format!("it has more than {MAX_MERGED} areas of merged cells")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_names() {
        for (column, name) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (MAX_COLUMNS - 1, "XFD")] {
            assert_eq!(letters(column), name);
        }
        assert_eq!(Merged::area((5, 9), (1, 2)).name, "B5:C9");
    }

    #[test]
    fn a_row_is_bounded_in_every_direction() {
        let mut row = Row::default();
        assert!(row.open(MAX_COLUMNS - 1).is_ok() && row.open(MAX_COLUMNS).is_err());
        assert!(row.write(&"a".repeat(MAX_RECORD)).is_ok() && row.write("a").is_err());
    }
}
