//! Texts from outside that must not act where they are shown: in a terminal, a spreadsheet, a shell,
//! Markdown or JSON.

use std::borrow::Cow;

use crate::bytes::{all, equal, letters, within};

/// Characters that move the cursor, change direction or cannot be seen.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every acting character replaced by U+FFFD.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) || !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if acts(c) { '\u{fffd}' } else { c }).collect())
}

/// Whether a cell that begins so would be a formula in a spreadsheet.
fn starts_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// Whether nothing in a text means anything in CSV, to a spreadsheet or to a terminal: letters, digits, `-`, `.`,
/// `/`, `:`, `_` and blanks.
fn is_plain(text: &str) -> bool {
    let plain = |bytes| letters(bytes) | within(bytes, b'-', b':') | equal(bytes, b'_') | equal(bytes, b' ');
    !matches!(text.as_bytes().first(), Some(b'-' | b' ')) && all(text, plain)
}

/// Appends a cell of CSV: quoted where RFC 4180 asks for it, with an apostrophe in front of what a
/// spreadsheet would take for a formula, acting characters replaced.
pub fn csv_cell(text: &str, out: &mut Vec<u8>) {
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let text = visible(text);
    let guarded = if starts_formula(&text) { Cow::Owned(format!("'{text}")) } else { text };
    if guarded.contains([',', '"', ';', '\t']) {
        out.push(b'"');
        out.extend_from_slice(guarded.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(guarded.as_bytes());
    }
}

/// Appends what stands between the quotes of a JSON string; acting characters are escaped.
pub fn json_text(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            c if acts(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Appends a JSON string.
pub fn json_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    json_text(text, out);
    out.push(b'"');
}

/// Appends text for a cell of a Markdown table: what Markdown or HTML would act on is escaped.
pub fn markdown_text(text: &str, out: &mut Vec<u8>) {
    for c in visible(text).chars() {
        match c {
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '!' | '#' | '~' => {
                out.push(b'\\');
                out.push(c as u8);
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// One word of a shell command, quoted if a shell would act on it.
pub fn shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':');
    if !word.is_empty() && word.bytes().all(plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", visible(word).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> String {
        let mut out = Vec::new();
        csv_cell(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_cell_starts_a_formula() {
        for text in ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\u{ff1d}1", "\r=1"] {
            let cell = csv(text);
            assert!(!starts_formula(cell.trim_matches('"')), "{text:?} became {cell:?}");
        }
        assert_eq!(csv("alias/orders"), "alias/orders");
        assert_eq!(csv("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    #[test]
    fn nothing_acts_on_a_terminal() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}b\u{200b}"), "a\u{fffd}[31m\u{fffd}b\u{fffd}");
        let mut out = Vec::new();
        json_string("\u{1b}\u{9b}\u{202e}\"\\é", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"\\u001b\\u009b\\u202e\\\"\\\\é\"");
    }

    #[test]
    fn a_key_id_cannot_leave_its_place_in_a_command() {
        assert_eq!(shell("key-hzz1"), "key-hzz1");
        assert_eq!(shell("x; rm -rf ~"), "'x; rm -rf ~'");
        assert_eq!(shell("it's"), "'it'\\''s'");
        assert_eq!(shell("--help"), "'--help'");
    }
}
