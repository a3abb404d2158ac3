//! One cell or member as it was read, before anybody asks what it means.

/// Separates the elements of a [`Cell::List`]; no vocabulary contains it.
pub const LIST_SEPARATOR: char = '\u{1f}';

/// Whether a character separates the elements of a list that is written as text.
pub fn is_list_separator(c: char) -> bool {
    matches!(c, ';' | ',' | '|' | '\n' | '\r' | '；' | '，' | '、')
}

/// What stands in one column or member of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cell<'a> {
    /// The record has no such column, or null.
    #[default]
    Absent,
    /// The column is there and the cell is empty.
    Blank,
    /// A list without elements.
    EmptyList,
    /// A text, trimmed and not empty.
    Text(&'a str),
    /// `true` or `false`, not as a text.
    Flag(&'a str),
    /// An object, as JSON.
    Object(&'a str),
    /// A list; its elements are joined by [`LIST_SEPARATOR`].
    List(&'a str),
}

impl<'a> Cell<'a> {
    /// A cell of a table.
    pub fn of_table(text: &'a str) -> Cell<'a> {
        match trim(text) {
            "" => Cell::Blank,
            trimmed => Cell::Text(trimmed),
        }
    }

    /// The text, if there is one.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Cell::Text(text) | Cell::Flag(text) | Cell::Object(text) | Cell::List(text) => Some(text),
            _ => None,
        }
    }

    /// The elements: of a list as they stand, of a text split at `;`, `,`, `|` and line breaks.
    pub fn elements(self) -> impl Iterator<Item = &'a str> {
        let (text, separates): (_, fn(char) -> bool) = match self {
            Cell::Text(text) => (text, is_list_separator),
            Cell::List(text) => (text, |c| c == LIST_SEPARATOR),
            _ => ("", is_list_separator),
        };
        let mut rest = Some(text);
        let pieces = std::iter::from_fn(move || {
            let text = rest?;
            let Some((at, width)) = first_separator(text, separates) else {
                return rest.take();
            };
            rest = text.get(at + width..);
            text.get(..at)
        });
        pieces.map(trim).filter(|element| !element.is_empty())
    }
}

/// Where the first separator stands, and its length in bytes.
fn first_separator(text: &str, separates: fn(char) -> bool) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|byte| MAY_SEPARATE[usize::from(*byte)])?;
        let c = text.get(at..)?.chars().next()?;
        if separates(c) {
            return Some((at, c.len_utf8()));
        }
        from = at + c.len_utf8();
    }
}

/// The bytes with which a separator of any list begins.
const MAY_SEPARATE: [bool; 256] = {
    let mut may = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        // All characters beyond ASCII that separate are punctuation of Chinese, which begins with one of two bytes.
        may[byte] = matches!(byte as u8, b';' | b',' | b'|' | b'\n' | b'\r' | 0x1f | 0xe3 | 0xef);
        byte += 1;
    }
    may
};

/// The text without white space around it.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        // Nearly every text begins and ends so.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Whether a text is a number as spreadsheets show it if it is too long for them, such as `1.23457E+15`: more digits
/// stood before the point than are left.
pub fn is_damaged_number(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    // One digit stands before the point. Account ids are many, and have more.
    if !matches!(text.as_bytes().get(1), Some(b'.' | b',' | b'E' | b'e')) {
        return false;
    }
    // Spreadsheets always write the sign. An id may happen to be digits around an `e`.
    let Some((shown, exponent)) = text.split_once("E+").or_else(|| text.split_once("e+")) else {
        return false;
    };
    let (whole, decimals) = shown.split_once(['.', ',']).unwrap_or((shown, ""));
    let digits = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let has_lost = exponent.parse::<usize>().is_ok_and(|exponent| exponent > decimals.len());
    whole.len() == 1 && digits(whole) && digits(decimals) && digits(exponent) && has_lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_a_spreadsheet_has_damaged_are_known() {
        for text in ["1.23457E+15", "1,23457E+15", "1E+15", " 1.2e+16 ", "-9.99E+11", "1.23456789012345E+15"] {
            assert!(is_damaged_number(text), "{text}");
        }
        for text in [
            "1234567890123456",
            "1234567890123450",
            "1.5",
            "1e15",
            "5E20",
            "1.5E-05",
            "1.234567E+6",
            "12.5E+15",
            "E+15",
            ".5E+15",
            "1.2.3E+15",
            "1E+",
            "1E+1x",
            "1E+15 EUR",
            "alias/1E+15",
            "钥E+15",
            "1E+99999999999999999999",
            "",
        ] {
            assert!(!is_damaged_number(text), "{text}");
        }
    }

    #[test]
    fn a_text_is_split_at_every_separator() {
        let separators: Vec<char> = (char::MIN..=char::MAX).filter(|c| is_list_separator(*c)).collect();
        assert_eq!(separators.len(), 8);
        for separator in separators {
            for text in ["a|b c", " a | b c ", "|a||b c|", "\u{3000}a\u{3000}|b c\u{a0}"] {
                let text = text.replace('|', &separator.to_string());
                assert_eq!(Cell::Text(&text).elements().collect::<Vec<_>>(), ["a", "b c"], "{text:?}");
            }
        }
        assert_eq!(Cell::Text("、").elements().count(), 0);
        assert_eq!(Cell::Text("钥　，。").elements().collect::<Vec<_>>(), ["钥", "。"]);
    }

    #[test]
    fn a_list_is_split_at_its_own_separator_only() {
        let list = ["a;b", "", "c，d", " e "].join(&LIST_SEPARATOR.to_string());
        assert_eq!(Cell::List(&list).elements().collect::<Vec<_>>(), ["a;b", "c，d", "e"]);
        assert_eq!(Cell::Text(&list).elements().count(), 3);
        assert_eq!(Cell::Blank.elements().count(), 0);
    }
}
