//! How words are compared, and the words that say that nobody knows or that there is none.

/// Whether a character moves the cursor, changes direction or cannot be seen: controls, and what Unicode calls ignorable by
/// default.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2800}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character stands for others that somebody has masked.
pub fn masks(c: char) -> bool {
    matches!(c, '*' | '#' | '•' | '·' | '●' | '■' | '█' | '＊' | '＃')
}

/// Whether so many x stand together, as masks look.
pub fn has_row_of_x(text: &str, row: usize) -> bool {
    let (bytes, is_x) = (text.as_bytes(), |byte: &u8| byte.eq_ignore_ascii_case(&b'x'));
    // Every row has a letter at one of these places.
    let mut places = (row - 1..bytes.len()).step_by(row);
    places.any(|at| is_x(&bytes[at]) && bytes[at + 1 - row..].windows(row).take(row).any(|part| part.iter().all(is_x)))
}

/// Words that say that nobody knows, in every field.
const UNKNOWN: &[&str] = &[
    "nan",
    "undefined",
    "(unknown)",
    "don'tknow",
    "#ref!",
    "#value!",
    "#name?",
    "#div/0!",
    "",
    "n/a",
    "na",
    "#n/a",
    "?",
    "/",
    "–",
    "—",
    "unknown",
    "tbd",
    "null",
    "<null>",
    "未知",
    "不详",
    "待定",
    "待确认",
];

/// Longer texts, blanks included, are neither unknown nor none.
const LONGEST: usize = 24;

/// Words that say that there is none, in every field that holds a list.
const NONE: &[&str] = &["none", "无", "没有", "[]"];

/// A word without what does not matter for its meaning.
pub fn plain(word: &str) -> String {
    plain_chars(word).collect()
}

fn plain_chars(word: &str) -> impl Iterator<Item = char> {
    let kept = word.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'));
    kept.flat_map(char::to_lowercase)
}

/// Marks around a text: those of Markdown for code and bold text, and what keeps a spreadsheet from changing it.
const MARKS: [(&str, &str); 7] =
    [("**", "**"), ("``", "``"), ("`", "`"), ("=\"", "\""), ("\"", "\""), ("'", "'"), ("'", "")];

/// A text without the marks that Markdown puts around code and bold text, and spreadsheets around what is to stay as it
/// is.
pub fn unmarked(text: &str) -> &str {
    let mut text = text;
    while let Some(inner) = MARKS.iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        let again = if close.is_empty() { open } else { close };
        // Of "`a`, `b`" each is marked, and not the whole; nor is `****` a mark around nothing.
        (inner.contains(char::is_alphanumeric) && !inner.contains(again)).then_some(inner.trim())
    }) {
        text = inner;
    }
    text
}

/// A text and what stands behind it in brackets: `Java (Spring Boot)`.
pub fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (head, inner) = text.trim().strip_suffix(')')?.split_once('(')?;
    let (head, inner) = (head.trim(), inner.trim());
    (!head.is_empty() && !inner.is_empty() && !inner.contains(['(', ')'])).then_some((head, inner))
}

/// Whether a cell says that nobody knows.
pub fn is_unknown(word: &str) -> bool {
    is_one_of(word, UNKNOWN)
}

/// Whether a cell, or an element of a list, says that there is none.
pub fn is_none(word: &str) -> bool {
    is_one_of(word, NONE)
}

/// The first bytes of the words in [`UNKNOWN`] and [`NONE`].
const FIRST: [bool; 256] = {
    let mut first = [false; 256];
    let mut at = 0;
    while at < UNKNOWN.len() + NONE.len() {
        let word = if at < UNKNOWN.len() { UNKNOWN[at] } else { NONE[at - UNKNOWN.len()] };
        if !word.is_empty() {
            first[word.as_bytes()[0] as usize] = true;
        }
        at += 1;
    }
    first
};

#[inline]
fn is_one_of(word: &str, known: &[&str]) -> bool {
    // Millions of texts are asked, and nearly all are told from every word by their first letter or digit.
    let first = word.as_bytes().first().map(u8::to_ascii_lowercase);
    let differs = |byte: u8| byte.is_ascii_alphanumeric() && !FIRST[usize::from(byte)];
    if word.len() > LONGEST || first.is_some_and(differs) {
        return false;
    }
    is_spelled(word, known)
}

#[inline(never)]
fn is_spelled(word: &str, known: &[&str]) -> bool {
    let first = plain_chars(word).next();
    known.iter().any(|known| known.chars().next() == first && plain_chars(word).eq(known.chars()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_of_markdown_are_no_part_of_a_word() {
        for (text, expected) in [
            ("`Java`", "Java"),
            ("``Java``", "Java"),
            ("**Java**", "Java"),
            ("** `Java` **", "Java"),
            ("`a`, `b`", "`a`, `b`"),
            ("****", "****"),
            ("**", "**"),
            ("`", "`"),
            ("***x", "***x"),
            ("=\"1\"", "1"),
            ("'1", "1"),
            ("'1'", "1"),
            ("\"Java\"", "Java"),
            ("'a', 'b'", "'a', 'b'"),
            ("=\"a\", \"b\"", "=\"a\", \"b\""),
            ("don't", "don't"),
            ("*****", "*****"),
            ("`a", "`a"),
            ("Java", "Java"),
        ] {
            assert_eq!(unmarked(text), expected);
        }
    }

    #[test]
    fn words_are_compared_without_case_and_blanks() {
        for word in UNKNOWN.iter().chain(&["N/A", " u n k n o w n ", "-", "--", "Un-Known", "NaN"]) {
            assert!(is_unknown(word) && !is_none(word), "{word:?}");
        }
        for word in NONE.iter().chain(&["None", "NO-NE"]) {
            assert!(is_none(word) && !is_unknown(word), "{word:?}");
        }
        for word in
            ["not", "unknown key", "0", "key-hzz1", "cn-hangzhou", "无名", "no", "no ne at all, as far as I know"]
        {
            assert!(!is_none(word) && !is_unknown(word), "{word:?}");
        }
    }
}
