//! Records of delimited text: a block of whole records to rows, on any thread.

use std::hash::BuildHasher;

use super::csv::{Header, count_lines};
use super::marks::Marks;
use super::swallowed::swallowed;
use super::top::is_border;
use crate::domains::cell::Cell;
use crate::inventory::row::{Cells, FileId, Place, RecordKind, Reject, Row, RowSink, Table, Writing};

/// Hands the records of a block to the sink. Records whose quotes surround whole cells are cut where they stand;
/// any other is read by `csv-core`.
pub(super) fn rows(
    parser: &mut Parser,
    header: &Header,
    file: FileId,
    bytes: &[u8],
    first_line: u64,
    sink: &mut dyn RowSink,
) {
    let mut marks = Marks::new(bytes, header.delimiter);
    let Buffers { starts, unquoted, quoted } = parser.buffers(header.delimiter);
    let text = simdutf8::basic::from_utf8(bytes).ok();
    let (mut at, mut line) = (0, first_line);
    while at < bytes.len() {
        if matches!(bytes[at], b'\n' | b'\r') {
            line += u64::from(bytes[at] == b'\n');
            at = marks.next() + 1;
            continue;
        }
        let place = Place { file, line };
        let cut = text.and_then(|text| Some((text, cut(header.delimiter, text, at, &mut marks, starts)?)));
        if let Some((text, cut)) = cut {
            let table = match cut.quotes {
                Quotes::Around => Table::new(text, starts, Writing::AsItStands),
                Quotes::Inside => unquoted.table(text, starts),
            };
            hand_over(header, place, line + cut.breaks, (table, None), &bytes[at..cut.end], sink);
            at = cut.next;
            line += cut.breaks + 1;
        } else {
            let whole = &bytes[at..at + quoted.read(&bytes[at..])];
            let raw = without_line_end(whole);
            hand_over(header, place, line + count_lines(raw), quoted.table(header, starts), raw, sink);
            at += whole.len();
            line += count_lines(whole);
            marks.seek(at);
        }
    }
}

fn without_line_end(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    raw.strip_suffix(b"\r").unwrap_or(raw)
}

/// A record that was cut where it stands.
struct Cut {
    /// Where it ends.
    end: usize,
    /// Where the next one begins.
    next: usize,
    /// Line breaks inside its quotes.
    breaks: u64,
    /// Where it has quotes.
    quotes: Quotes,
}

/// Where quotes stand, if there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// Around cells.
    Around,
    /// Also, doubled, inside such cells.
    Inside,
}

/// Finds where the cells of a record begin; nothing if its quotes ask for more.
#[inline]
fn cut(delimiter: u8, text: &str, at: usize, marks: &mut Marks<'_>, starts: &mut Vec<u32>) -> Option<Cut> {
    let bytes = text.as_bytes();
    starts.clear();
    starts.push(at as u32);
    let (mut start, mut breaks, mut quotes) = (at, 0, Quotes::Around);
    loop {
        let mut mark = marks.next();
        let mut divider = bytes.get(mark).copied();
        if divider == Some(b'"') {
            if mark != start {
                return None;
            }
            loop {
                let inside = marks.next();
                match *bytes.get(inside)? {
                    b'"' => {
                        mark = marks.next();
                        divider = bytes.get(mark).copied();
                        if mark != inside + 1 {
                            return None;
                        }
                        if divider != Some(b'"') {
                            break;
                        }
                        quotes = Quotes::Inside;
                    }
                    b'\n' => breaks += 1,
                    _ => {}
                }
            }
        }
        start = mark + 1;
        starts.push(start as u32);
        let next = match divider {
            Some(byte) if byte == delimiter => continue,
            Some(b'\r') if bytes.get(start) == Some(&b'\n') => {
                marks.next();
                start + 1
            }
            Some(b'\r') => return None,
            _ => start,
        };
        return Some(Cut { end: mark, next, breaks, quotes });
    }
}

/// A worker's buffers, used again from block to block.
#[derive(Debug, Default)]
pub(super) struct Parser {
    starts: Vec<u32>,
    unquoted: Unquoted,
    quoted: Option<(u8, Quoted)>,
}

struct Buffers<'p> {
    starts: &'p mut Vec<u32>,
    unquoted: &'p mut Unquoted,
    quoted: &'p mut Quoted,
}

impl Parser {
    fn buffers(&mut self, delimiter: u8) -> Buffers<'_> {
        let known = self.quoted.take().filter(|(known, _)| *known == delimiter);
        let (_, quoted) = self.quoted.insert(known.unwrap_or_else(|| (delimiter, Quoted::new(delimiter))));
        Buffers { starts: &mut self.starts, unquoted: &mut self.unquoted, quoted }
    }
}

/// A record without its quotes.
#[derive(Debug, Default)]
struct Unquoted {
    text: String,
    starts: Vec<u32>,
}

impl Unquoted {
    /// The record whose cells, quotes and all, begin at `starts` of the text.
    fn table(&mut self, text: &str, starts: &[u32]) -> Table<'_> {
        self.text.clear();
        self.starts.clear();
        self.starts.push(0);
        let raw = Table::new(text, starts, Writing::AsItStands);
        for position in 0..raw.len() {
            let mut rest = raw.text(position);
            // Inside quotes, a doubled one stands for one; outside there are none.
            while let Some((before, behind)) = memchr::memchr(b'"', rest.as_bytes()).map(|at| rest.split_at(at + 1)) {
                self.text.push_str(before);
                rest = &behind[usize::from(behind.starts_with('"'))..];
            }
            self.text.push_str(rest);
            self.starts.push(self.text.len() as u32);
        }
        Table::new(&self.text, &self.starts, Writing::Unquoted)
    }
}

/// Column, value and reason of a record that cannot be used.
type Refusal<'h> = (Option<&'h str>, String, String);

fn hand_over<'h>(
    header: &'h Header,
    place: Place,
    last_line: u64,
    (table, refusal): (Table<'_>, Option<Refusal<'h>>),
    raw: &[u8],
    sink: &mut dyn RowSink,
) {
    let (line, content) = (place.line, header.content.hash_one(raw));
    let row = |table| Row { line, content, kind: RecordKind::Plain, cells: Cells::Table(table) };
    let reject = |(column, value, reason): Refusal<'_>| refuse(place, last_line, column, &value, &reason);
    let why = |table| if last_line > line { swallows(header, table, raw) } else { None };
    let fitting = refusal.map_or_else(|| fit(header, table), Err).and_then(|fitting| {
        // Blank records of several lines have swallowed nothing.
        let refused = fitting.and_then(|_| why(table));
        refused.map_or(Ok(fitting), |why| Err((None, String::new(), why.to_owned())))
    });
    match fitting {
        Ok(None) => {}
        Ok(Some(table)) => sink.row(&header.names, row(table)),
        Err(refusal) => {
            // It may still tell which key it is about.
            let columns = header.names.as_slice().len();
            sink.refuse(&header.names, row(table.first(columns)), reject(refusal));
        }
    }
}

/// Why a record of several lines cannot be believed; nothing if it can.
fn swallows(header: &Header, table: Table<'_>, raw: &[u8]) -> Option<&'static str> {
    swallowed(table, raw, header.delimiter, header.names.as_slice().len(), &header.key_columns)
}

/// The record with a cell for each column; nothing if no cell says anything.
fn fit<'r, 'h>(header: &'h Header, table: Table<'r>) -> Result<Option<Table<'r>>, Refusal<'h>> {
    let (columns, count) = (header.names.as_slice().len(), table.len());
    let says = |position: usize| table.cell(position) != Cell::Blank;
    if columns > 1 && count == columns && says(0) {
        // Nearly every record.
        return Ok(Some(table));
    }
    if !(0..count).any(says) {
        return Ok(None);
    }
    // DOS ended texts so.
    if count == 1 && (columns > 1 && is_border(table.text(0)) || table.text(0) == "\u{1a}") {
        return Ok(None);
    }
    if count < columns || (columns..count).any(says) {
        let reason = format!(
            "the record has {count} cells, but the header names {columns} columns; is a delimiter or quote missing?"
        );
        return Err((None, String::new(), reason));
    }
    Ok(Some(table.first(columns)))
}

/// Blames the first cell that is no text.
fn not_utf8<'r, 'h>(header: &'h Header, mut record: impl Iterator<Item = &'r [u8]>) -> Refusal<'h> {
    let mut names = header.names.as_slice().iter();
    let bad = record.find_map(|cell| {
        let name = names.next();
        std::str::from_utf8(cell).is_err().then(|| (name, String::from_utf8_lossy(cell).into_owned()))
    });
    let (name, value) = bad.unwrap_or_default();
    (name.map(String::as_str), value, "not valid UTF-8, unlike the text before it; save the file as UTF-8, or name its encoding with --input-encoding".to_owned())
}

/// Reads one record with quotes at a time.
#[derive(Debug)]
struct Quoted {
    reader: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// A record that is no text, as far as it is.
    lossy: String,
}

impl Quoted {
    fn new(delimiter: u8) -> Quoted {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Quoted { reader, output: vec![0; 4096], ends: vec![0; 64], fields: 0, lossy: String::new() }
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

    /// The record, and why it cannot be used if it is no text; then what is none stands as U+FFFD.
    fn table<'r, 'h>(&'r mut self, header: &'h Header, starts: &'r mut Vec<u32>) -> (Table<'r>, Option<Refusal<'h>>) {
        let ends = &self.ends[..self.fields];
        let written = ends.last().copied().unwrap_or(0);
        // A character cut in two by a delimiter is no text, although its halves now stand side by side.
        let text = std::str::from_utf8(&self.output[..written]).ok();
        let text = text.filter(|text| ends.iter().all(|end| text.is_char_boundary(*end)));
        starts.clear();
        starts.extend(std::iter::once(0).chain(ends.iter().map(|end| *end as u32)));
        if let Some(text) = text {
            return (Table::new(text, starts, Writing::Unquoted), None);
        }
        let cells = starts.iter().zip(ends).map(|(start, end)| &self.output[*start as usize..*end]);
        let refusal = not_utf8(header, cells.clone());
        self.lossy.clear();
        let mut shown = vec![0];
        for cell in cells {
            self.lossy.push_str(&String::from_utf8_lossy(cell));
            shown.push(self.lossy.len() as u32);
        }
        *starts = shown;
        (Table::new(&self.lossy, starts, Writing::Unquoted), Some(refusal))
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
    use crate::inventory::listings::Listing;
    use crate::inventory::rejects::Tainted;
    use crate::inventory::row::{Names, Note};

    /// Line, cells and hash of rows; lines and reasons of rejects.
    #[derive(Debug, Default)]
    struct Seen {
        rows: Vec<(u64, Vec<String>, u64)>,
        rejects: Vec<u64>,
        reasons: Vec<String>,
    }

    impl RowSink for Seen {
        fn row(&mut self, _: &Names, row: Row<'_>) {
            assert!(row.cells.iter().enumerate().all(|(at, (position, _))| at == usize::from(position)));
            let cells = row.cells.iter().map(|(_, cell)| cell.text().unwrap_or_default().to_owned());
            self.rows.push((row.line, cells.collect(), row.content));
        }

        fn note(&mut self, note: Note) {
            self.reasons.push(note.text);
        }

        fn listing(&mut self, _: Listing) {}
        fn taint(&mut self, _: &str) {}
        fn taint_all(&mut self, _: &Tainted) {}

        fn reject(&mut self, reject: Reject) {
            self.rejects.push(reject.place.line);
            self.reasons.push(reject.reason);
        }
    }

    fn read(bytes: &[u8], columns: usize) -> Seen {
        let names = Names::new(1, (0..columns).map(|number| format!("c{number}")).collect());
        let header = Header { names, delimiter: b',', key_columns: Vec::new(), content: Default::default() };
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
            // The end mark of DOS is no record.
            if record.len() == 1 && record.get(0) == Some(b"\x1a") {
                continue;
            }
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
            prop_assert_eq!(cells.len() + seen.rejects.len(), rows.len() + others);
            if seen.reasons.iter().all(|reason| !reason.contains("quote")) || seen.rejects.len() == others {
                prop_assert_eq!(cells, rows, "{:?}", String::from_utf8_lossy(&bytes));
            } else {
                // Records of several lines whose quotes are not what they should be are refused.
                let mut rows = rows.iter();
                prop_assert!(cells.iter().all(|cells| rows.any(|row| row == cells)), "{:?}", String::from_utf8_lossy(&bytes));
            }
            let lines: Vec<u64> = seen.rows.iter().map(|(line, ..)| *line).collect();
            prop_assert!(lines.is_sorted());
        }
    }

    #[test]
    fn the_end_mark_of_dos_is_no_record() {
        for columns in 1..=3 {
            for text in ["a,b\r\n\u{1a}", "a,b\r\u{1a}", "a,b\n\u{1a}\n", "\u{1a}", "a,b\r \u{1a}", "a,b\r\"\u{1a}\""] {
                let (seen, (rows, others)) =
                    (read(text.as_bytes(), columns), by_the_csv_crate(text.as_bytes(), columns));
                assert_eq!((seen.rows.len(), seen.rejects.len()), (rows.len(), others), "{text:?} of {columns}");
            }
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
    fn cells_beyond_the_columns_are_counted_however_many_there_are() {
        for quote in ["", "\"\""] {
            let mut cells = vec![quote; 65_540];
            let read = |cells: &[&str]| read(format!("{}\nx,y\n", cells.join(",")).as_bytes(), 2);
            assert_eq!((read(&cells).rows.len(), read(&cells).rejects.len()), (1, 0), "a blank record says nothing");
            cells[0] = "k";
            assert_eq!((read(&cells).rows.len(), read(&cells).rejects.len()), (2, 0));
            cells[65_537] = "\"a\"\"b\"";
            assert_eq!((read(&cells).rows.len(), read(&cells).rejects.len()), (1, 1));
            cells[0] = "";
            assert_eq!((read(&cells).rows.len(), read(&cells).rejects.len()), (1, 1));
        }
    }

    #[test]
    fn a_character_cut_in_two_is_no_text() {
        let seen = read(b"a,\xe9\x92,\xa5\n", 3);
        assert_eq!((seen.rows.len(), seen.rejects), (0, vec![1]));
    }
}
