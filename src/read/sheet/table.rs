//! One sheet that is read: its header line, and which of its rows cannot be used.

use std::collections::VecDeque;
use std::sync::Arc;

use super::choice::{Budget, Chosen, MAX_QUOTED, shortened};
use super::row::{DAMAGED, Fault, Grid, Merged, Row};
use super::{Rows, damaged};
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::operations::mentions_forbidden;
use crate::inventory::identity::parse_arn;
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{FileId, Note, NoteKind, Place, Reject};
use crate::read::ReadError;
use crate::read::csv::{Header, above_header, header_of};

/// A sheet behind its header line.
pub(super) struct Sheet {
    pub(super) file: FileId,
    name: String,
    /// What it is called in messages about damage.
    part: String,
    grid: Box<dyn Grid>,
    header: Arc<Header>,
    header_line: u32,
    /// What is to be known about the rows above the header line.
    above: Option<String>,
    /// Those that name keys, and the keys.
    pub(super) rejects: Vec<Reject>,
    pub(super) tainted: Tainted,
    /// Rows with cells that are merged into others, in order.
    covered: VecDeque<Covered>,
    mended: Vec<Mended>,
    /// The first row with text in columns without a name, and how many there are.
    beside: Option<(u32, u32)>,
}

/// Damaged account ids of a column.
struct Mended {
    column: usize,
    /// Whether ARNs beside them say them in full; if not, they are unknown.
    is_known: bool,
    first_line: u32,
    count: u32,
}

impl Sheet {
    /// Reads a sheet as far as the header line.
    ///
    /// # Errors
    /// The sheet is damaged, or the header line names a column twice or lacks cells.
    pub(super) fn open(chosen: Chosen, file: FileId, name: &str, budget: &mut Budget) -> Result<Sheet, ReadError> {
        let Chosen { part, mut grid, header: header_line, above, .. } = chosen;
        let (mut row, mut rejects, mut tainted) = (Row::default(), Vec::new(), Tainted::default());
        let refused = |error: String| ReadError::content(name, None, damaged(&part, &error));
        while grid.next_row(&mut row).map_err(refused)? {
            budget.spend(&row, 0).map_err(refused)?;
            if row.number >= header_line {
                break;
            }
            let key_ids: Vec<String> = row.key_ids().collect();
            let says_more = (0..row.len()).any(|column| mentions_forbidden(row.cell(column)));
            if says_more || !key_ids.is_empty() {
                let cells = (0..row.len()).map(|column| row.cell(column).trim()).filter(|cell| !cell.is_empty());
                let says = shortened(&cells.collect::<Vec<_>>().join(", "), MAX_QUOTED);
                let place = Place { file, line: u64::from(row.number) };
                rejects.push(above_header(place, &says, u64::from(header_line), &key_ids));
                key_ids.iter().for_each(|key_id| tainted.add(key_id));
            }
        }
        let merged = grid.merged().map_err(refused)?;
        budget.spend_merged(merged.len()).map_err(refused)?;
        let line = Some(u64::from(header_line));
        let names = names(&row, &merged).map_err(|message| ReadError::content(name, line, message))?;
        let header = header_of(file, name, line, names, b',')?;
        let covered = covered(&merged, header_line, header.names.as_slice());
        let (name, header, mended, beside) = (name.to_owned(), Arc::new(header), Vec::new(), None);
        Ok(Sheet { file, name, part, grid, header, header_line, above, rejects, tainted, covered, mended, beside })
    }

    /// The columns.
    pub(super) fn header(&self) -> Arc<Header> {
        Arc::clone(&self.header)
    }

    /// Reads the next row; `false` behind the last.
    ///
    /// # Errors
    /// The sheet is damaged.
    pub(super) fn next_row(&mut self, row: &mut Row) -> Result<bool, String> {
        self.grid.next_row(row)
    }

    /// What is said of a sheet that is damaged.
    pub(super) fn damaged(&self, error: &str) -> ReadError {
        ReadError::content(&self.name, None, damaged(&self.part, error))
    }

    /// Takes a row, and says if it cannot be used.
    pub(super) fn take(&mut self, row: &Row, rows: &mut Rows) {
        let (reject, mended) = match self.fault(row) {
            Ok(mended) => (None, mended),
            Err(reject) => (Some(reject), Vec::new()),
        };
        let cell = |column: usize| {
            let account = mended.iter().find(|(mended, _)| *mended == column);
            account.map_or(row.cell(column), |(_, account)| *account)
        };
        rows.add(row.number, cell, reject);
        for (column, account) in mended {
            let is_known = !account.is_empty();
            match self.mended.iter_mut().find(|mended| mended.column == column && mended.is_known == is_known) {
                Some(mended) => mended.count += 1,
                None => self.mended.push(Mended { column, is_known, first_line: row.number, count: 1 }),
            }
        }
    }

    /// Why the row cannot be used; otherwise cells with what they must have said. Columns without a name matter only
    /// if they name such operations.
    fn fault<'r>(&mut self, row: &'r Row) -> Result<Vec<(usize, &'r str)>, Reject> {
        let names = self.header.names.as_slice();
        let place = Place { file: self.file, line: u64::from(row.number) };
        let is_named = |column: usize| names.get(column).is_some_and(|name| !name.is_empty());
        let beside = |column: &usize| !is_named(*column) && !row.cell(*column).trim().is_empty();
        if let Some(first) = (0..row.len()).find(beside) {
            let mut texts = (first..row.len()).filter(beside).map(|column| row.cell(column));
            if let Some(text) = texts.find(|text| mentions_forbidden(text)) {
                let reason = "stands in a column without a name, and names an operation that blocks the migration; give the column its name, or remove it";
                return Err(Reject::cell(place, "", text, reason));
            }
            let (_, count) = self.beside.get_or_insert((row.number, 0));
            *count += 1;
        }
        let mut mended = Vec::new();
        for fault in row.faults.iter().filter(|fault| is_named(fault.column)) {
            match account(row, *fault) {
                Some(account) => mended.push((fault.column, account)),
                // No verdict needs the account, and a wrong one would be another's.
                None if is_lost_account(row, *fault, &names[fault.column]) => mended.push((fault.column, "")),
                None => {
                    let (name, value) = (&names[fault.column], row.cell(fault.column));
                    return Err(Reject::cell(place, name, value, fault.reason));
                }
            }
        }
        while self.covered.front().is_some_and(|covered| covered.last < row.number) {
            self.covered.pop_front();
        }
        let Some(covered) = self.covered.front().filter(|covered| covered.first <= row.number) else {
            return Ok(mended);
        };
        let reason = format!(
            "belongs to the merged cells {}, of which only the first holds a value; take them apart and fill in every cell",
            covered.merged
        );
        Err(Reject::cell(place, &names[covered.column], row.cell(covered.column), reason))
    }

    /// What is to be known about the sheet beside its records.
    pub(super) fn notes(self) -> Vec<Note> {
        let (file, names) = (self.file, self.header.names.as_slice());
        let note = |line: u32, kind, text| Note { place: Place { file, line: u64::from(line) }, kind, text };
        let above = self.above.map(|text| note(self.header_line, NoteKind::LeftOut, text));
        let mended = self.mended.into_iter().map(|mended| {
            let which = match mended.count {
                1 => "an account id that is kept as a number and has lost its last digit is".to_owned(),
                count => format!("{count} account ids that are kept as numbers and have lost their last digits are"),
            };
            let what = match mended.is_known {
                true => "taken from the ARN in the row; format the column as text",
                false => "unknown; format the column as text and enter the ids again",
            };
            let text = format!("column {}: {which} {what}", names[mended.column]);
            note(mended.first_line, NoteKind::Reading, text)
        });
        let beside = self.beside.map(|(first, count)| {
            note(first, NoteKind::LeftOut, format!("{count} row(s) have text in columns without a name, left out"))
        });
        above.into_iter().chain(mended).chain(beside).collect()
    }
}

/// Whether a cell holds an account id that has lost digits, and nothing in the row says which it was.
fn is_lost_account(row: &Row, fault: Fault, name: &str) -> bool {
    let mut cells = (0..row.len()).map(|column| row.cell(column).trim());
    let is_account = Field::from_header(name) == Some(Field::AccountId);
    is_account && fault.reason == DAMAGED && cells.all(|cell| parse_arn(cell).is_none())
}

/// The account that a damaged number must have said: that of an ARN in its row, if the digits that spreadsheets keep are
/// the same.
fn account(row: &Row, fault: Fault) -> Option<&str> {
    const KEPT: usize = 15;
    let damaged = row.cell(fault.column);
    let is_account = |account: &&str| {
        account.len() == KEPT + 1
            && damaged.len() == account.len()
            && account.bytes().all(|digit| digit.is_ascii_digit())
            && account.get(..KEPT) == damaged.get(..KEPT)
    };
    let arns = (0..row.len()).filter_map(|column| parse_arn(row.cell(column).trim()));
    arns.map(|arn| arn.account_id).find(is_account).filter(|_| fault.reason == DAMAGED)
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
}
