//! Records of delimited text: a block of whole records to rows, on any thread.

use std::hash::BuildHasher;

use super::csv::{Header, count_lines};
use super::marks::Marks;
use crate::domains::cell::Cell;
use crate::inventory::row::{FileId, Place, Reject, Row, RowSink};

/// Gives back the room of a list of cells for cells of another lifetime.
fn recycle<'b>(mut cells: Vec<(u16, Cell<'_>)>) -> Vec<(u16, Cell<'b>)> {
    cells.clear();
    cells.into_iter().map(|(position, _)| (position, Cell::Absent)).collect()
}

/// Hands the records of a block to the sink. Records whose quotes surround whole cells and hold no quotes
/// are cut where they stand; any other is read by `csv-core`.
pub(super) fn rows(
    parser: &mut Parser,
    header: &Header,
    file: FileId,
    bytes: &[u8],
    first_line: u64,
    sink: &mut dyn RowSink,
) {
    let mut room = std::mem::take(&mut parser.room);
    let mut marks = Marks::new(bytes, header.delimiter);
    let quoted = parser.quoted_by(header.delimiter);
    let text = simdutf8::basic::from_utf8(bytes).ok();
    let (mut at, mut line) = (0, first_line);
    while at < bytes.len() {
        if matches!(bytes[at], b'\n' | b'\r') {
            line += u64::from(bytes[at] == b'\n');
            at = marks.next() + 1;
            continue;
        }
        let place = Place { file, line };
        let mut cells = recycle(std::mem::take(&mut room));
        let cut = text.and_then(|text| cut(header, text, at, &mut marks, &mut cells));
        if let Some(cut) = cut {
            let raw = &bytes[at..cut.end];
            hand_over(header, place, line + cut.breaks, cut.shape, raw, &cells, sink);
            at = cut.next;
            line += cut.breaks + 1;
        } else {
            let whole = &bytes[at..at + quoted.read(&bytes[at..])];
            let raw = without_line_end(whole);
            let filled = quoted.cells(header, &mut cells);
            hand_over(header, place, line + count_lines(raw), filled, raw, &cells, sink);
            at += whole.len();
            line += count_lines(whole);
            marks.seek(at);
        }
        room = recycle(cells);
    }
    parser.room = room;
}

fn without_line_end(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    raw.strip_suffix(b"\r").unwrap_or(raw)
}

/// A record that was cut where it stands.
struct Cut<'h> {
    /// What it amounts to.
    shape: Result<Shape, Refusal<'h>>,
    /// Where it ends.
    end: usize,
    /// Where the next one begins.
    next: usize,
    /// Line breaks inside its quotes.
    breaks: u64,
}

/// Cuts one record at its marks; nothing if its quotes ask for more.
fn cut<'r, 'h>(
    header: &'h Header,
    text: &'r str,
    at: usize,
    marks: &mut Marks<'_>,
    cells: &mut Vec<(u16, Cell<'r>)>,
) -> Option<Cut<'h>> {
    let bytes = text.as_bytes();
    let mut cells = Cells::new(header, cells);
    let (mut start, mut breaks) = (at, 0);
    loop {
        let mut mark = marks.next();
        let mut divider = bytes.get(mark).copied();
        let mut cell = start..mark;
        if divider == Some(b'"') {
            if mark != start {
                return None;
            }
            let closing = loop {
                let inside = marks.next();
                match *bytes.get(inside)? {
                    b'"' => break inside,
                    b'\n' => breaks += 1,
                    _ => {}
                }
            };
            cell = start + 1..closing;
            mark = marks.next();
            divider = bytes.get(mark).copied();
            if mark != closing + 1 || divider == Some(b'"') {
                return None;
            }
        }
        cells.push(text.get(cell)?);
        let next = match divider {
            Some(byte) if byte == header.delimiter => {
                start = mark + 1;
                continue;
            }
            Some(b'\r') if bytes.get(mark + 1) == Some(&b'\n') => {
                marks.next();
                mark + 2
            }
            Some(b'\r') => return None,
            _ => mark + 1,
        };
        return Some(Cut { shape: cells.finish(), end: mark, next, breaks });
    }
}

/// A worker's buffers, used again from block to block.
#[derive(Debug, Default)]
pub(super) struct Parser {
    room: Vec<(u16, Cell<'static>)>,
    quoted: Option<(u8, Quoted)>,
}

impl Parser {
    fn quoted_by(&mut self, delimiter: u8) -> &mut Quoted {
        let known = self.quoted.take().filter(|(known, _)| *known == delimiter);
        let (_, quoted) = self.quoted.insert(known.unwrap_or_else(|| (delimiter, Quoted::new(delimiter))));
        quoted
    }
}

/// Whether a record says anything.
enum Shape {
    Blank,
    Row,
}

/// Column, value and reason of a record that cannot be used.
type Refusal<'h> = (Option<&'h str>, String, String);

fn hand_over(
    header: &Header,
    place: Place,
    last_line: u64,
    filled: Result<Shape, Refusal<'_>>,
    raw: &[u8],
    cells: &[(u16, Cell<'_>)],
    sink: &mut dyn RowSink,
) {
    match filled {
        Ok(Shape::Blank) => {}
        Ok(Shape::Row) => {
            let content = header.content.hash_one(raw);
            sink.row(&header.names, Row { line: place.line, content, cells });
        }
        Err((column, value, reason)) => sink.reject(refuse(place, last_line, column, &value, &reason)),
    }
}

/// The cells of one record, as far as there are columns for them.
struct Cells<'c, 'r> {
    cells: &'c mut Vec<(u16, Cell<'r>)>,
    columns: usize,
    count: usize,
    /// Whether no cell says anything.
    blank: bool,
    /// Whether a cell says something for which there is no column.
    surplus: bool,
}

impl<'c, 'r> Cells<'c, 'r> {
    fn new(header: &Header, cells: &'c mut Vec<(u16, Cell<'r>)>) -> Cells<'c, 'r> {
        cells.clear();
        Cells { cells, columns: header.names.as_slice().len(), count: 0, blank: true, surplus: false }
    }

    fn push(&mut self, text: &'r str) {
        let cell = Cell::of_table(text);
        let says = cell != Cell::Blank;
        self.blank &= !says;
        if self.count < self.columns {
            self.cells.push((self.count as u16, cell));
        } else {
            self.surplus |= says;
        }
        self.count += 1;
    }

    fn finish<'h>(self) -> Result<Shape, Refusal<'h>> {
        let Cells { columns, count, .. } = self;
        match () {
            () if self.blank => Ok(Shape::Blank),
            () if self.surplus || count < columns => {
                let reason = format!(
                    "the record has {count} cells, but the header names {columns} columns; is a delimiter or quote missing?"
                );
                Err((None, String::new(), reason))
            }
            () => Ok(Shape::Row),
        }
    }
}

/// Blames the first cell that is no text.
fn not_utf8<'r, 'h>(header: &'h Header, mut record: impl Iterator<Item = &'r [u8]>) -> Refusal<'h> {
    let mut names = header.names.as_slice().iter();
    let bad = record.find_map(|cell| {
        let name = names.next();
        std::str::from_utf8(cell).is_err().then(|| (name, String::from_utf8_lossy(cell).into_owned()))
    });
    let (name, value) = bad.unwrap_or_default();
    (name.map(String::as_str), value, "not valid UTF-8; save the file as UTF-8".to_owned())
}

/// Reads one record with quotes at a time.
#[derive(Debug)]
struct Quoted {
    reader: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl Quoted {
    fn new(delimiter: u8) -> Quoted {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Quoted { reader, output: vec![0; 4096], ends: vec![0; 64], fields: 0 }
    }

    /// Reads the record at the beginning of the bytes, and gives their number. A record that the bytes
    /// do not close ends with them.
    fn read(&mut self, bytes: &[u8]) -> usize {
        self.reader.reset();
        // A reader that has read something takes what looks like a byte order mark for text, as it is in a record.
        let _ = self.reader.read_record(b"\n", &mut self.output, &mut self.ends);
        let (mut used, mut written, mut fields) = (0, 0, 0);
        loop {
            let (result, read, wrote, ended) =
                self.reader.read_record(&bytes[used..], &mut self.output[written..], &mut self.ends[fields..]);
            used += read;
            written += wrote;
            fields += ended;
            match result {
                csv_core::ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                csv_core::ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                // Asked again without input, the reader ends the record.
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => break,
            }
        }
        self.fields = fields;
        // The line feed of a CRLF belongs to the record that it ends.
        let closes = bytes.get(used.wrapping_sub(1)) == Some(&b'\r') && bytes.get(used) == Some(&b'\n');
        used + usize::from(closes)
    }

    fn cells<'r, 'h>(&'r self, header: &'h Header, cells: &mut Vec<(u16, Cell<'r>)>) -> Result<Shape, Refusal<'h>> {
        let ends = &self.ends[..self.fields];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let ranges = starts.zip(ends.iter().copied());
        let written = ends.last().copied().unwrap_or(0);
        // A character cut in two by a delimiter is no text, although its halves now stand side by side.
        let text = std::str::from_utf8(&self.output[..written]).ok();
        let text = text.filter(|text| ends.iter().all(|end| text.is_char_boundary(*end)));
        let Some(text) = text else {
            return Err(not_utf8(header, ranges.map(|(start, end)| &self.output[start..end])));
        };
        let mut cells = Cells::new(header, cells);
        ranges.for_each(|(start, end)| cells.push(&text[start..end]));
        cells.finish()
    }
}

fn refuse(place: Place, end: u64, column: Option<&str>, value: &str, reason: &str) -> Reject {
    let lines = end.saturating_sub(place.line) + 1;
    let reason = if lines > 1 { format!("{reason} (the record spans {lines} lines)") } else { reason.to_owned() };
    match column {
        Some(column) => Reject::cell(place, column, value, reason),
        None => Reject::whole(place, reason),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::inventory::row::Names;

    /// Line, cells and hash of rows; lines and reasons of rejects.
    #[derive(Debug, Default)]
    struct Seen {
        rows: Vec<(u64, Vec<String>, u64)>,
        rejects: Vec<u64>,
        reasons: Vec<String>,
    }

    impl RowSink for Seen {
        fn row(&mut self, _: &Names, row: Row<'_>) {
            assert!(row.cells.iter().enumerate().all(|(at, (position, _))| at == usize::from(*position)));
            let cells = row.cells.iter().map(|(_, cell)| cell.text().unwrap_or_default().to_owned());
            self.rows.push((row.line, cells.collect(), row.content));
        }

        fn reject(&mut self, reject: Reject) {
            self.rejects.push(reject.place.line);
            self.reasons.push(reject.reason);
        }
    }

    fn read(bytes: &[u8], columns: usize) -> Seen {
        let names = Names::new(1, (0..columns).map(|number| format!("c{number}")).collect());
        let header = Header { names, delimiter: b',', content: Default::default() };
        let mut seen = Seen::default();
        let mut parser = Parser::default();
        rows(&mut parser, &header, 0, bytes, 1, &mut seen);
        seen
    }

    /// The same by the `csv` crate: lines and cells of what makes a row, and how many do not.
    fn by_the_csv_crate(bytes: &[u8], columns: usize) -> (Vec<Vec<String>>, usize) {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let (mut rows, mut others) = (Vec::new(), 0);
        for record in reader.byte_records() {
            let record = record.unwrap();
            let cells: Option<Vec<&str>> = record.iter().map(|cell| std::str::from_utf8(cell).ok()).collect();
            let cells = cells.map(|cells| cells.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
            match cells {
                Some(cells) if cells.iter().all(String::is_empty) => {}
                Some(cells) if cells.len() >= columns && cells[columns..].iter().all(String::is_empty) => {
                    rows.push(cells[..columns].to_vec());
                }
                _ => others += 1,
            }
        }
        (rows, others)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

        #[test]
        fn records_are_those_of_the_csv_crate(
            pieces in prop::collection::vec(
                select(vec![
                    ",", ",", "\n", "\r\n", "\r", "\"", "\"\"", "\",\"", "\"a\"", "\"a,b\"", "\"a\nb\"", "\"a\"\"b\"",
                    "a", " ", "a b", "钥", "ü", "0123456789012345678901234567890123456789",
                ]),
                0..60,
            ),
            columns in 1..4_usize,
            broken in prop::option::of((0..200_usize, any::<u8>())),
        ) {
            let mut bytes = pieces.concat().into_bytes();
            if let Some((at, byte)) = broken && at < bytes.len() {
                bytes[at] = byte;
            }
            let seen = read(&bytes, columns);
            let (rows, others) = by_the_csv_crate(&bytes, columns);
            let cells: Vec<_> = seen.rows.iter().map(|(_, cells, _)| cells.clone()).collect();
            prop_assert_eq!(cells, rows, "{:?}", String::from_utf8_lossy(&bytes));
            prop_assert_eq!(seen.rejects.len(), others);
            let lines: Vec<u64> = seen.rows.iter().map(|(line, ..)| *line).collect();
            prop_assert!(lines.is_sorted());
        }
    }

    #[test]
    fn lines_are_counted_through_quotes_and_blank_lines() {
        let text = "a,b\r\n\r\n\n\"c\nd\",e\nf,\"g\"\"\n\nh\"\ni,j\n\"k\n\",l";
        let seen = read(text.as_bytes(), 2);
        let lines: Vec<u64> = seen.rows.iter().map(|(line, ..)| *line).collect();
        assert_eq!(lines, [1, 4, 6, 9, 10]);
    }

    #[test]
    fn a_reject_says_how_many_lines_it_spans_at_the_end_of_a_file_too() {
        for quoted in ["\"a\nb\"", "\"a\n\"\"b\""] {
            for end in ["\n", "\r\n", ""] {
                let seen = read(format!("{quoted}{end}").as_bytes(), 2);
                assert!(seen.reasons[0].ends_with("(the record spans 2 lines)"), "{quoted:?} {end:?}: {seen:?}");
            }
        }
    }

    #[test]
    fn equal_bytes_are_equal_records_wherever_they_stand() {
        for record in ["a,b ", "a,\"b\"", "a,\"b\"\"c\"", "a,b\"c"] {
            let alone = read(record.as_bytes(), 2).rows[0].2;
            for text in [format!("{record}\n"), format!("{record}\r\n"), format!("x,y\n{record}\nz,\u{1f}")] {
                let mut bytes = text.clone().into_bytes();
                assert!(read(&bytes, 2).rows.iter().any(|(.., content)| *content == alone), "{text:?}");
                // In a block that is not text throughout, records take another way.
                bytes.extend_from_slice(b"\nq,\xff\n");
                assert!(read(&bytes, 2).rows.iter().any(|(.., content)| *content == alone), "{text:?} and more");
            }
        }
    }

    #[test]
    fn a_byte_order_mark_inside_a_file_is_text_however_its_record_is_read() {
        for record in ["\u{feff}a,b", "\u{feff}a,\"b\"", "\u{feff}a,\"b\"\"c\""] {
            for more in [&b"\n"[..], b"\nq,\xff\n"] {
                let seen = read(&[b"x,y\n", record.as_bytes(), more].concat(), 2);
                assert_eq!(seen.rows[1].1[0], "\u{feff}a", "{record:?}");
            }
        }
    }

    #[test]
    fn a_character_cut_in_two_is_no_text() {
        let seen = read(b"a,\xe9\x92,\xa5\n", 3);
        assert_eq!((seen.rows.len(), seen.rejects), (0, vec![1]));
    }
}
