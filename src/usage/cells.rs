//! Tables with a column of events, as a log store exports them: the cells of that column become lines.

use std::io::{Error, ErrorKind, Read};

use super::input::LONGEST;

/// What separates cells.
const DELIMITERS: [u8; 3] = *b",;\t";

/// The cells of one column, one on each line.
pub(super) struct Cells<R> {
    reader: csv::Reader<Limited<R>>,
    column: usize,
    record: csv::ByteRecord,
    rest: Vec<u8>,
    at: usize,
    /// Why nothing more can be read.
    failure: Option<(ErrorKind, String)>,
}

/// Gives so many bytes for a row: one whose quote is never closed would be the rest of the table.
struct Limited<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let room = buffer.len().min(self.left);
        if room == 0 && !buffer.is_empty() {
            let message =
                "a row of more than 16 MiB; is a quote never closed? Nothing from here to the end of the file was read";
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        let read = self.inner.read(&mut buffer[..room])?;
        self.left -= read;
        Ok(read)
    }
}

/// The delimiter of a table and the place of its column of events, by its first line; nothing if it has none.
pub(super) fn column(start: &[u8]) -> Option<(u8, usize)> {
    let line = memchr::memchr2(b'\n', b'\r', start).map_or(start, |end| &start[..end]);
    DELIMITERS.iter().find_map(|delimiter| {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(*delimiter).from_reader(line);
        let mut names = csv::ByteRecord::new();
        let is_event = |name: &[u8]| {
            let name = name.trim_ascii();
            name.eq_ignore_ascii_case(b"event") || name.eq_ignore_ascii_case(b"content")
        };
        reader.read_byte_record(&mut names).ok()?;
        Some((*delimiter, names.iter().position(is_event)?))
    })
}

impl<R: Read> Cells<R> {
    /// The cells of that column.
    pub(super) fn new(inner: R, (delimiter, column): (u8, usize)) -> Cells<R> {
        let inner = Limited { inner, left: LONGEST };
        let reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(inner);
        // The line of the names has no event.
        Cells { reader, column, record: csv::ByteRecord::new(), rest: vec![b'\n'], at: 0, failure: None }
    }

    fn next_row(&mut self) -> std::io::Result<bool> {
        if let Some((kind, message)) = &self.failure {
            return Err(Error::new(*kind, message.clone()));
        }
        self.reader.get_mut().left = LONGEST;
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            let error = match error.into_kind() {
                csv::ErrorKind::Io(error) => error,
                other => Error::other(format!("{other:?}")),
            };
            // It comes again, and no row goes on behind it.
            self.failure = Some((error.kind(), error.to_string()));
            error
        })
    }
}

impl<R: Read> Read for Cells<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.rest.len() {
            if !self.next_row()? {
                return Ok(0);
            }
            self.rest.clear();
            let cell = self.record.get(self.column).unwrap_or_default().trim_ascii();
            if cell.is_empty() && self.record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                // A row without an event is told.
                self.rest.extend_from_slice(b"\"\"");
            }
            // Outside of strings, line breaks are blanks; inside, JSON has none.
            self.rest.extend(cell.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
            self.rest.push(b'\n');
            self.at = 0;
        }
        let count = buffer.len().min(self.rest.len() - self.at);
        buffer[..count].copy_from_slice(&self.rest[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
