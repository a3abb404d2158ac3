//! Rows that stray quotes have swallowed. Two quotes too many, in two rows, make one cell of what stands between them: the
//! first row gets the cells of the last, and those between are gone, though every quote is closed.

use crate::domains::cmk::fields::Field;
use crate::inventory::row::Table;
use crate::inventory::tidy::{is_given_by_kms, is_masked, key_id};

/// The columns that name keys, by position.
pub(super) fn key_columns(names: &[String]) -> Vec<usize> {
    let names_key = |name: &String| matches!(Field::from_header(name), Some(Field::KeyId | Field::Arn));
    (0..names.len()).filter(|at| names_key(&names[*at])).collect()
}

/// Why a record of several lines cannot be believed; nothing if it can.
pub(super) fn swallowed(
    table: Table<'_>,
    raw: &[u8],
    delimiter: u8,
    columns: usize,
    key_columns: &[usize],
) -> Option<&'static str> {
    if has_text_behind_quote(raw, delimiter) {
        return Some(
            "in a record of several lines, text stands behind a closing quote; is a quote missing or too many? Further records may have become part of this one",
        );
    }
    let looks_so = |position: usize| {
        let text = table.text(position);
        let is_long = memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some();
        is_long && (names_keys(text, delimiter, position, key_columns) || are_rows(text, delimiter, columns, position))
    };
    (0..table.len()).any(looks_so).then_some(
        "a cell between quotes has line breaks, and its lines look like further records; is a quote missing or too many?",
    )
}

/// Whether a closing quote is followed by anything but the end of its cell.
fn has_text_behind_quote(raw: &[u8], delimiter: u8) -> bool {
    let mut at = 0;
    loop {
        if raw.get(at) == Some(&b'"') {
            at += 1;
            loop {
                let Some(quote) = memchr::memchr(b'"', &raw[at..]) else { return false };
                at += quote + 1;
                match raw.get(at) {
                    Some(b'"') => at += 1,
                    Some(_) if !ends_cell(&raw[at..], delimiter) => return true,
                    _ => break,
                }
            }
        }
        match memchr::memchr3(delimiter, b'\n', b'\r', raw.get(at..).unwrap_or_default()) {
            Some(end) => at += end + 1,
            None => return false,
        }
    }
}

/// Whether nothing but blanks stands there before the cell ends.
fn ends_cell(raw: &[u8], delimiter: u8) -> bool {
    let next = raw.iter().find(|byte| **byte != b' ' || delimiter == b' ');
    next.is_none_or(|byte| *byte == delimiter || matches!(byte, b'\n' | b'\r'))
}

/// Whether a line inside the cell has the id of a key as rows have it. The first line begins in the column of the cell, and
/// texts may have delimiters of their own.
fn names_keys(text: &str, delimiter: u8, position: usize, key_columns: &[usize]) -> bool {
    let is_id = |cell: &&str| {
        let id = key_id(cell.trim().trim_matches('"'));
        id.is_ok_and(|id| is_given_by_kms(&id) || is_masked(&id) && id.len() > 8)
    };
    lines(text).enumerate().any(|(number, line)| {
        let cells: Vec<&str> = line.split(char::from(delimiter)).collect();
        // A list of keys has one in each line, and nothing else.
        let begins_with_key =
            number > 0 && cells.len() > 1 && key_columns.contains(&0) && cells.first().is_some_and(is_id);
        let first = if number == 0 { position + 1 } else { 1 };
        let is_behind = key_columns.iter().any(|column| *column >= first);
        begins_with_key || is_behind && cells.iter().skip(1).any(is_id)
    })
}

/// Whether the lines of the cell have exactly the delimiters of rows that were cut in this column. In tables of few columns
/// lists have as many.
fn are_rows(text: &str, delimiter: u8, columns: usize, position: usize) -> bool {
    let last = columns.saturating_sub(1);
    if last < 3 || position > last {
        return false;
    }
    let count = lines(text).count();
    lines(text).enumerate().all(|(at, line)| {
        let expected = match at {
            0 => last - position,
            at if at + 1 == count => position,
            _ => last,
        };
        delimiters(line, delimiter) == Some(expected)
    })
}

/// How many delimiters a line has; nothing if blanks stand behind them, as in sentences.
fn delimiters(line: &str, delimiter: u8) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut count = 0;
    for at in memchr::memchr_iter(delimiter, bytes) {
        if bytes.get(at + 1) == Some(&b' ') {
            return None;
        }
        count += 1;
    }
    Some(count)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    text.split(end).map(|line| line.trim_end_matches('\r'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::row::Writing;

    const K: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";

    fn is_swallowed(cells: &[&str], columns: usize) -> bool {
        let starts: Vec<u32> = (0..=cells.len()).map(|at| cells[..at].concat().len() as u32).collect();
        let text = cells.concat();
        swallowed(Table::new(&text, &starts, Writing::Unquoted), b"", b',', columns, &[0]).is_some()
    }

    #[test]
    fn rows_inside_a_cell_are_known() {
        let swapped = format!("ops,alias/a,EXTERNAL\n{K},web");
        assert!(is_swallowed(&[K, &swapped, "alias/b", "x"], 4));
        assert!(is_swallowed(&["k1", "ops,alias/a,EXTERNAL\nk2,web", "alias/b", "x"], 4));
        assert!(!is_swallowed(&["k1", "ops,alias/a,EXTERNAL\nk2,web", "alias/b", "x", "y"], 5), "rows have more cells");
        assert!(is_swallowed(&["k1", "a", "b", "payments\nk2,b,x,billing\nk3,c,y,db"], 4));
        let above = format!("\n{K},alias/a,EXTERNAL,");
        assert!(is_swallowed(&["k1", "a", "b", &above], 4), "a mark for the same as above");
        let behind = format!("Orders, main,{K},EXTERNAL\nPayments");
        let starts = [0, behind.len() as u32, behind.len() as u32 + 1];
        let text = format!("{behind}k");
        let table = Table::new(&text, &starts, Writing::Unquoted);
        assert!(swallowed(table, b"", b',', 3, &[2]).is_some(), "the key stands behind it");
        let id_first = format!("payments\n{K},b,billing, and more\nk3");
        assert!(is_swallowed(&["k1", "a", &id_first], 3));
    }

    #[test]
    fn texts_of_several_lines_are_no_rows() {
        for text in [
            "payments\nand billing",
            "payments\nand billing, orders",
            "keys:\n0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01\nkey-hzz65f3a1b2c3d4e5f6",
            "Encrypt,Decrypt,Sign\nVerify,GetPublicKey",
            "Encrypt,Decrypt\nSign,Verify",
            "[\n\"a\",\n\"b\"\n]",
        ] {
            for columns in [2, 3, 5, 9] {
                assert!(!is_swallowed(&["k1", text], columns), "{text} {columns}");
            }
        }
    }

    #[test]
    fn text_behind_a_closing_quote_is_found() {
        for raw in ["a,\"b\nc\"d,e", "\"a\nb\"c", "\"a\",\"b\"\"\n\"x"] {
            assert!(has_text_behind_quote(raw.as_bytes(), b','), "{raw}");
        }
        for raw in [
            "a,\"b\nc\",e",
            "\"a\nb\"",
            "a\"b,\"c\nd\"",
            "\"a\nb\" ,c",
            "\"a \"\"b\"\"\n\"\"\",c",
            "",
            "\"",
            "a,5\" disk,\"x\ny\"\r",
        ] {
            assert!(!has_text_behind_quote(raw.as_bytes(), b','), "{raw}");
        }
    }
}
