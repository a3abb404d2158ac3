//! Rows of a sheet on their way to whoever takes records.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::inventory::row::{Cells, RecordKind, Reject, Row, RowSink, Table, Writing};
use crate::read::csv::Header;

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
    pub(super) fn new(header: Arc<Header>) -> Rows {
        Rows { header, text: String::new(), starts: Vec::new(), lines: Vec::new(), rejects: Vec::new() }
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// How many bytes they take: cells that say nothing take some, too.
    pub(super) fn length(&self) -> usize {
        self.text.len() + size_of_val(self.starts.as_slice())
    }

    /// The line of the first, if there is one.
    pub(super) fn first_line(&self) -> Option<u64> {
        self.lines.first().copied().map(u64::from)
    }

    /// Takes a row with what `cell` says for each column, and why it cannot be used.
    pub(super) fn add<'r>(&mut self, line: u32, cell: impl Fn(usize) -> &'r str, reject: Option<Reject>) {
        self.rejects.extend(reject.map(|reject| (self.lines.len(), reject)));
        self.lines.push(line);
        for column in 0..self.header.names.as_slice().len() {
            self.starts.push(self.text.len() as u32);
            self.text.push_str(cell(column));
        }
        self.starts.push(self.text.len() as u32);
    }

    /// Hands every row to the sink. `raw` is a buffer that is used again.
    pub(in crate::read) fn hand_over(self, raw: &mut Vec<u8>, sink: &mut dyn RowSink) {
        let names = &self.header.names;
        let mut rejects = self.rejects.into_iter().peekable();
        let rows = self.starts.chunks_exact(names.as_slice().len() + 1);
        for (at, (starts, line)) in rows.zip(&self.lines).enumerate() {
            let table = Table::new(&self.text, starts, Writing::Unquoted);
            write_raw(table, raw);
            let content = self.header.content.hash_one(raw.as_slice());
            let (line, kind) = (u64::from(*line), RecordKind::Plain);
            let row = Row { line, content, kind, cells: Cells::Table(table) };
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
