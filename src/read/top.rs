//! What stands above the records of delimited text: the word of a spreadsheet about the delimiter, titles, the header
//! line, and a ruler below it.

use csv::ByteRecord;

use super::header;
use super::quotes::{Scan, State};
use crate::domains::cmk::operations::mentions_forbidden;
use crate::inventory::tidy::keys_named_in;

/// Delimiters that are tried, in order of preference.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// So many bytes are looked at for a header line.
const ENOUGH: usize = 1 << 20;

/// So many cells of a row are kept; rows that have more are no header lines that could be used.
const MAX_CELLS: usize = 1 << 13;

/// What is shown of a row is cut to this many characters.
const MAX_SHOWN: usize = 80;

/// What stands above the records.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) delimiter: u8,
    /// The names of the columns.
    pub(super) names: Vec<String>,
    /// Where the records begin.
    pub(super) end: usize,
    /// The line of the header.
    pub(super) line: u64,
    /// How many rows that say something, and name no key, stand above the header.
    pub(super) titles: usize,
    /// Those that name keys, which are no mere titles.
    pub(super) above: Vec<Above>,
    /// What the first row that says something says.
    pub(super) first: String,
}

/// A row above the header line that names keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Above {
    pub(super) line: u64,
    /// What it says, shortened.
    pub(super) says: String,
    pub(super) key_ids: Vec<String>,
}

/// Why there is no top.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// More bytes may tell.
    Bytes,
    /// No row says anything.
    Row,
    /// A quote in the first row is never closed.
    Quote,
    /// The first row does not end where any would.
    End,
}

/// Finds the header line. `delimiter` is known, or the one is taken under which most fields are named; and under which,
/// of those, most rows have the same number of cells.
pub(super) fn find(
    bytes: &[u8],
    ended: bool,
    delimiter: Option<u8>,
    is_field: fn(&str) -> bool,
) -> Result<Top, Missing> {
    let (bytes, ended) = if bytes.len() > ENOUGH { (&bytes[..ENOUGH], false) } else { (bytes, ended) };
    let may_be_more = !ended && bytes.len() < ENOUGH;
    let (start, said) = match separator_line(bytes) {
        Some((start, said)) => (start, Some(said)),
        None => (0, None),
    };
    let tried = said.or(delimiter).map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    let rows: Vec<Rows> = tried.into_iter().map(|delimiter| Rows::read(bytes, start, ended, delimiter)).collect();
    let is_open = ended && rows.iter().all(|rows| rows.all.is_empty() && rows.is_open);
    // Of equals, the last would be taken.
    let best = rows.into_iter().rev().max_by_key(|rows| rows.score(is_field));
    let Some(rows) = best.filter(|rows| !rows.all.is_empty()) else {
        return Err(match () {
            () if may_be_more => Missing::Bytes,
            () if !ended => Missing::End,
            () if is_open => Missing::Quote,
            () => Missing::Row,
        });
    };
    let (header, named) = rows.header(is_field);
    if named == 0 && may_be_more {
        return Err(Missing::Bytes);
    }
    Ok(rows.top(bytes, header))
}

/// The first line by which a spreadsheet names the delimiter, `sep=;`: its end, and the delimiter.
fn separator_line(bytes: &[u8]) -> Option<(usize, u8)> {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    let line = bytes[..end].strip_suffix(b"\n").unwrap_or(&bytes[..end]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter]
            if delimiter.is_ascii_punctuation() && *delimiter != b'"' || matches!(delimiter, b'\t' | b' ') =>
        {
            Some((end, *delimiter))
        }
        _ => None,
    }
}

/// One of the first rows.
struct FirstRow {
    cells: Vec<String>,
    start: usize,
    end: usize,
}

impl AsRef<[String]> for FirstRow {
    fn as_ref(&self) -> &[String] {
        &self.cells
    }
}

/// The first rows that say something, and rulers.
struct Rows {
    delimiter: u8,
    all: Vec<FirstRow>,
    /// Whether a quote is open at the end.
    is_open: bool,
}

impl Rows {
    fn read(bytes: &[u8], start: usize, ended: bool, delimiter: u8) -> Rows {
        let mut scan = Scan::new(delimiter);
        scan.advance(&bytes[start..]);
        let is_open = scan.state == State::Quoted;
        let whole = start + if ended && !is_open { bytes.len() - start } else { scan.boundary };
        let mut reader = parser(&bytes[start..whole], delimiter);
        let (mut record, mut all, mut row_start) = (ByteRecord::new(), Vec::new(), start);
        // Beside each row that says something may stand a ruler.
        while all.len() <= 2 * header::LOOKED_AT && matches!(reader.read_byte_record(&mut record), Ok(true)) {
            let cells: Vec<String> =
                record.iter().take(MAX_CELLS).map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
            let end = start + reader.position().byte() as usize;
            if cells.iter().any(|cell| !cell.is_empty()) {
                all.push(FirstRow { cells, start: row_start, end });
            }
            row_start = end;
        }
        if all.iter().all(|row| is_ruler(row, delimiter)) {
            all.clear();
        }
        Rows { delimiter, all, is_open }
    }

    /// Those that say something.
    fn speaking(&self) -> Vec<&FirstRow> {
        self.all.iter().filter(|row| !is_ruler(row, self.delimiter)).collect()
    }

    /// The position of the header line, and how many fields it names.
    fn header(&self, is_field: fn(&str) -> bool) -> (usize, usize) {
        let speaking: Vec<&[String]> = self.speaking().into_iter().map(AsRef::as_ref).collect();
        let found = header::find(&speaking, is_field);
        let header = found.unwrap_or(0);
        let named = |row: &&[String]| row.iter().filter(|cell| is_field(cell)).count();
        (header, if found.is_some() { speaking.get(header).map_or(0, named) } else { 0 })
    }

    /// How many fields are named, and how many cells stand in rows that agree on their number. Titles have others.
    fn score(&self, is_field: fn(&str) -> bool) -> (usize, usize) {
        let speaking = self.speaking();
        let agreeing = |cells: usize| speaking.iter().filter(|row| row.cells.len() == cells).count();
        let best = speaking.iter().map(|row| row.cells.len()).filter(|cells| *cells > 1);
        (self.header(is_field).1, best.map(|cells| cells * agreeing(cells)).max().unwrap_or(0))
    }

    fn top(self, bytes: &[u8], header: usize) -> Top {
        let delimiter = self.delimiter;
        let naming = self.speaking().into_iter().take(header).filter_map(|row| {
            let key_ids: Vec<String> = row.cells.iter().flat_map(|cell| keys_named_in(cell)).collect();
            let before = &bytes[..row.end - bytes[row.start..row.end].trim_ascii_start().len()];
            let line = 1 + super::csv::count_lines(before);
            let says_more = row.cells.iter().any(|cell| mentions_forbidden(cell));
            (says_more || !key_ids.is_empty()).then(|| Above { line, says: shown(&row.cells, delimiter), key_ids })
        });
        let above: Vec<Above> = naming.collect();
        let first = self.speaking().first().map(|row| shown(&row.cells, delimiter)).unwrap_or_default();
        let mut rows = self.all.into_iter().skip_while({
            let mut left = header;
            // The header is the first row that speaks once so many others did.
            move |row| {
                is_ruler(row, delimiter)
                    || left > 0 && {
                        left -= 1;
                        true
                    }
            }
        });
        let (names, mut end) = rows.next().map_or((Vec::new(), 0), |row| (row.cells, row.end));
        let line = 1 + super::csv::count_lines(bytes[..end].trim_ascii_end());
        if let Some(below) = rows.next().filter(|row| is_ruler(row, delimiter)) {
            end = below.end;
        }
        Top { delimiter, names, end, line, titles: header - above.len(), above, first }
    }
}

fn parser(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

/// Whether a row is a line that is drawn with characters: `---- | ----`, `|:--|--:|`, `+----+`.
fn is_ruler(row: &FirstRow, delimiter: u8) -> bool {
    let mut says = row.cells.iter().filter(|cell| !cell.is_empty()).peekable();
    let drawn = |cell: &String| cell.bytes().all(|byte| matches!(byte, b'-' | b'=' | b':' | b'+' | b' '));
    // A single dash is what people write where they know nothing.
    let is_line = |cell: &String| cell.contains("--") || cell.contains("==") || delimiter == b'|' && cell.contains('-');
    says.peek().is_some() && says.all(|cell| drawn(cell) && is_line(cell))
}

/// Whether a record of one cell is a line that is drawn around a table: `+----+----+`.
pub(super) fn is_border(text: &str) -> bool {
    let text = text.trim();
    text.len() > 2 && text.starts_with(['+', '-', '=']) && text.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'='))
}

/// A row for people.
fn shown(cells: &[String], delimiter: u8) -> String {
    let text = cells.join(&char::from(delimiter).to_string());
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == char::from(delimiter));
    let mut shown: String = text.chars().take(MAX_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domains::cmk::fields::Field;

    fn is_field(name: &str) -> bool {
        Field::from_header(name).is_some()
    }

    fn top(text: &str) -> Top {
        find(text.as_bytes(), true, None, is_field).unwrap()
    }

    #[test]
    fn titles_rulers_and_the_word_about_the_delimiter_stand_above_the_records() {
        for (text, delimiter, names, titles, line, rest) in [
            ("key_id,aliases\nk,a\n", b',', "key_id,aliases", 0, 1, "k,a\n"),
            ("\n\nkey_id;aliases\r\nk;a\n", b';', "key_id,aliases", 0, 3, "\nk;a\n"),
            ("sep=;\nkey_id;aliases\nk;a,b\n", b';', "key_id,aliases", 0, 2, "k;a,b\n"),
            ("\"sep=\t\"\r\nkey_id\taliases\nk\ta\n", b'\t', "key_id,aliases", 0, 2, "k\ta\n"),
            ("sep=:\nkey_id:aliases\n", b':', "key_id,aliases", 0, 2, ""),
            ("Keys, of all teams, as of May\n\nkey_id;aliases\nk;a\n", b';', "key_id,aliases", 1, 3, "k;a\n"),
            ("a\nb\nkey_id\nk\n", b',', "key_id", 2, 3, "k\n"),
            ("KeyId | KeyArn\n----- | ------\nk | a\n", b'|', "KeyId,KeyArn", 0, 1, "k | a\n"),
            ("| KeyId |\n|-|\n| k |\n", b'|', ",KeyId,", 0, 1, "| k |\n"),
            ("| KeyId | Alias |\n|:--|--:|\n| k | a |\n", b'|', ",KeyId,Alias,", 0, 1, "| k | a |\n"),
            (
                "+---+---+\n| id | alias |\n+---+---+\n| k | a |\n+---+---+\n",
                b'|',
                ",id,alias,",
                0,
                2,
                "| k | a |\n+---+---+\n",
            ),
            (" key_id | alias\n--------+-------\n k | a\n", b'|', "key_id,alias", 0, 1, " k | a\n"),
            ("key_id,versions\n-,-\n", b',', "key_id,versions", 0, 1, "-,-\n"),
            // Text that is quoted has no delimiters, and cells may have those of others.
            ("key_id;alias\nk;a,b,c,d\nl;a,b,c,d\n", b';', "key_id,alias", 0, 1, "k;a,b,c,d\nl;a,b,c,d\n"),
            ("a|b|c\nd|e|f\n", b'|', "a,b,c", 0, 1, "d|e|f\n"),
            ("title, with, commas\na;b\nd;e\nf;g\n", b';', "title, with, commas", 0, 1, "a;b\nd;e\nf;g\n"),
        ] {
            let top = top(text);
            assert_eq!((top.delimiter, top.names.join(",").as_str()), (delimiter, names), "{text:?}");
            assert_eq!((top.titles, top.line, &text[top.end..]), (titles, line, rest), "{text:?}");
        }
    }

    #[test]
    fn without_a_whole_row_there_is_no_top() {
        let find = |text: &str, ended| find(text.as_bytes(), ended, None, is_field).map(|top| top.names);
        assert_eq!(find("", true), Err(Missing::Row));
        assert_eq!(find(",,\n\n", true), Err(Missing::Row));
        assert_eq!(find("---\n", true), Err(Missing::Row));
        assert_eq!(find("\"key_id\nk\n", true), Err(Missing::Quote));
        assert_eq!(find("\"key_id\nk\n", false), Err(Missing::Bytes));
        assert_eq!(find("key_id", false), Err(Missing::Bytes));
        assert_eq!(find("nothing\n", false), Err(Missing::Bytes), "the header line may come yet");
        assert_eq!(find("nothing\n", true), Ok(vec!["nothing".to_owned()]));
        assert_eq!(find("key_id", true), Ok(vec!["key_id".to_owned()]));
        assert_eq!(find(&"\"".repeat(ENOUGH + 1), false), Err(Missing::End));
        assert_eq!(find(&format!("a\n{}", "b\n".repeat(ENOUGH / 2)), false), Ok(vec!["a".to_owned()]));
    }
}
