//! Texts from outside that must not act where they are shown: in a terminal, a spreadsheet, a shell,
//! Markdown or JSON, or as the name of a file.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::bytes::{all, equal, letters, within};
use crate::domains::spelling::acts;

/// The text with every acting character replaced by U+FFFD.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) || !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if acts(c) { '\u{fffd}' } else { c }).collect())
}

/// The same of a text of several lines, which stay lines.
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

/// Whether a cell that begins so would be a formula in a spreadsheet. Where another character separates, quotes at the
/// beginning are those around the cell.
fn starts_formula(text: &str) -> bool {
    let first = text.trim_start_matches(|c: char| c == '"' || c.is_whitespace()).chars().next();
    first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '﹦' | '﹢' | '﹣' | '﹫'))
}

/// Whether nothing in a text means anything in CSV, to a spreadsheet or to a terminal: letters, digits, `-`, `.`,
/// `/`, `:`, `_` and blanks.
fn is_plain(text: &str) -> bool {
    let plain = |bytes| letters(bytes) | within(bytes, b'-', b':') | equal(bytes, b'_') | equal(bytes, b' ');
    !matches!(text.as_bytes().first(), Some(b'-' | b' ')) && all(text, plain)
}

/// The text with an apostrophe in front of what a spreadsheet would take for a formula. Where the semicolon separates
/// cells, as in much of Europe, what stands behind one begins a cell.
fn without_formulas(text: &str) -> String {
    let guarded = text.split(';').map(|part| if starts_formula(part) { format!("'{part}") } else { part.to_owned() });
    guarded.collect::<Vec<_>>().join(";")
}

/// Appends a cell of CSV: quoted where RFC 4180 asks for it, with an apostrophe in front of what a
/// spreadsheet would take for a formula, acting characters replaced.
pub fn csv_cell(text: &str, out: &mut Vec<u8>) {
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let text = visible(text);
    let guarded = if text.split(';').any(starts_formula) { Cow::Owned(without_formulas(&text)) } else { text };
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
            c if acts(c) => out.extend_from_slice(escape(c).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// A character as JSON escapes it.
fn escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// JSON that was written with line breaks, in which acting characters are escaped.
pub fn json_lines(json: &str) -> Cow<'_, str> {
    // Outside of strings stand line breaks and characters that do nothing; inside, line breaks are escaped already.
    let is_escaped = |c: char| acts(c) && c != '\n';
    // Nearly all is made of bytes that do nothing.
    if json.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) || !json.contains(is_escaped) {
        return json.into();
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_escaped(c) { escaped.push_str(&escape(c)) } else { escaped.push(c) }
    }
    escaped.into()
}

/// Appends a JSON string.
pub fn json_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    json_text(text, out);
    out.push(b'"');
}

/// Appends text for a cell of a Markdown table, a heading, or an item of a list: what Markdown or HTML would act on
/// is escaped, also what many readers make links of.
pub fn markdown_text(text: &str, out: &mut Vec<u8>) {
    let text = visible(text);
    let start = text.len() - text.trim_start().len();
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[start.min(at)..at], &text[at..]);
        let escaped = match c {
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '!' | '#' | '~' | '$' | '@' => true,
            // The beginning of a list, of a line under a heading, or of a definition.
            '+' | '-' | '=' | ':' if at == start => true,
            '.' | ')' => {
                let is_number = !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit());
                let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                is_number || c == '.' && word.eq_ignore_ascii_case("www")
            }
            ':' => after.starts_with("://"),
            _ => false,
        };
        match c {
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            c => {
                out.extend_from_slice(if escaped { b"\\" } else { b"" });
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

/// A command as Markdown code that it cannot end: backticks are a longer fence inside.
pub fn markdown_code(command: &str) -> String {
    let visible = visible(command);
    let longest = visible.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest > 0 { format!("{fence} {visible} {fence}") } else { format!("{fence}{visible}{fence}") }
}

/// One word of a shell command, quoted if a shell would act on it.
pub fn shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':');
    if !word.is_empty() && word.bytes().all(plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", visible(word).replace('\'', "'\\''"))
}

/// The most bytes of a name of a file.
const MAX_FILE_NAME: usize = 100;

/// Stands before the digest in names of files, and in no name that is kept as it is.
const DIGEST_MARK: char = '~';

/// Names that are devices on Windows, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The name of a file for an id, without ending: it stays in its folder on Linux, macOS and Windows, and two ids never
/// get the same one, also where case or the writing of accents does not matter.
///
/// Lower-case letters, digits, `-`, `_` and single dots inside are kept; an id of these only is its own name. Of any
/// other, a digest stands behind the name.
pub fn file_name(id: &str) -> String {
    let mut name = String::new();
    let mut before = '.';
    for c in id.chars() {
        let kept = match c {
            '-' => !name.is_empty(),
            // At the beginning it hides the file, and two lead out of the folder.
            '.' => before != '.',
            '_' => true,
            c => c.is_alphanumeric() && !acts(c),
        };
        before = if kept { c } else { '_' };
        name.push(before);
    }
    if name.ends_with('.') {
        name.pop();
        name.push('_');
    }
    if is_device(&name) {
        name.insert(0, '_');
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    if name == id && !name.is_empty() && name.len() <= MAX_FILE_NAME && name.bytes().all(plain) {
        return name;
    }
    let digest = Sha256::digest(id.as_bytes());
    // As many bits as nobody can search for two ids with the same ones.
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let room = MAX_FILE_NAME - digest.len() - DIGEST_MARK.len_utf8();
    let end = (0..=room.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{DIGEST_MARK}{digest}", &name[..end])
}

/// Whether Windows takes the name for a device, whatever its ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let numbered = ["com", "lpt"].iter().filter_map(|port| stem.strip_prefix(port));
    let is_number = |rest: &str| rest.chars().count() == 1 && rest.contains(|c: char| c.is_numeric());
    DEVICES.contains(&stem.as_str()) || numbered.into_iter().any(is_number)
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

    #[test]
    fn no_part_of_a_cell_starts_a_formula_where_semicolons_separate() {
        assert_eq!(csv("alias/a;=1+cmd|' /C calc'!A0;b"), "\"alias/a;'=1+cmd|' /C calc'!A0;b\"");
        assert_eq!(csv("a; -b"), "\"a;' -b\"");
        assert_eq!(csv("a; b"), "\"a; b\"");
        assert_eq!(csv("a;\"+\"\""), "\"a;'\"\"+\"\"\"\"\"");
    }

    #[test]
    fn what_cannot_be_seen_is_replaced() {
        for c in ['\u{0}', '\u{7f}', '\u{9b}', '\u{180e}', '\u{3164}', '\u{fe0f}', '\u{feff}', '\u{e0101}', '\u{2066}']
        {
            assert_eq!(visible(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
        assert_eq!(visible_lines("a\u{1b}\nb\r"), "a\u{fffd}\nb\u{fffd}");
        assert_eq!(json_lines("{\n  \"a\": \"\u{9b}\u{e0001}é\"\n}"), "{\n  \"a\": \"\\u009b\\udb40\\udc01é\"\n}");
    }

    fn markdown(text: &str) -> String {
        let mut out = Vec::new();
        markdown_text(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_begins_a_block_or_a_link_in_markdown() {
        for (text, escaped) in [
            ("- a-b", "\\- a-b"),
            ("+1", "\\+1"),
            ("1. a 2. b", "1\\. a 2. b"),
            ("12) a", "12\\) a"),
            ("3.14", "3\\.14"),
            ("see http://a.b", "see http\\://a.b"),
            ("www.a.b", "www\\.a.b"),
            ("(WWW.a", "(WWW\\.a"),
            ("awww.a", "awww.a"),
            ("acs:kms:x", "acs:kms:x"),
            ("", ""),
        ] {
            assert_eq!(markdown(text), escaped);
        }
        assert_eq!(markdown_code("a `` b"), "``` a `` b ```");
        assert_eq!(markdown_code("a\nb"), "`a\u{fffd}b`");
    }

    #[test]
    fn an_id_is_its_own_file_name_or_gets_a_digest() {
        for id in ["key-hzz62f1cb66fa42qo29iq", "0f5a1c1e-8a51-4b0e", "a", "a.b_c", "examplia"] {
            assert_eq!(file_name(id), id);
        }
        for (id, start) in [
            ("../../etc/passwd", "_._.__etc_passwd~"),
            ("KX01", "KX01~"),
            ("", "~"),
            (".", "_~"),
            ("..", "__~"),
            (".hidden", "_hidden~"),
            ("-rf", "_rf~"),
            ("a.", "a_~"),
            ("a ", "a_~"),
            ("con", "_con~"),
            ("nul.tar.gz", "_nul.tar.gz~"),
            ("COM¹", "_COM¹~"),
            ("a→b", "a_b~"),
            ("密钥", "密钥~"),
        ] {
            let name = file_name(id);
            assert!(name.starts_with(start), "{id}: {name}, expected {start}");
            assert_eq!(name.len(), name.rfind('~').unwrap() + 33, "{name}");
        }
        assert_eq!(file_name(&"a".repeat(100)), "a".repeat(100));
        assert_eq!(file_name(&"密".repeat(200)).len(), 99);
    }
}
