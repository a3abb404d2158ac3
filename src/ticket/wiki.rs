//! Jira's wiki markup. A backslash before one of the signs that its renderer knows shows the sign; what it does not know so
//! is written as an entity.

use super::text::{Block, Item, Line, Ticket};
use crate::write::safe::visible;

/// The signs before which the renderer of Jira takes a backslash away (`BackslashEscapeRendererComponent`), but for the
/// hyphen, which is looked at by itself.
const ESCAPED: [char; 17] = ['#', '*', '_', '+', '?', '^', '~', '|', '%', '{', '}', '[', ']', '(', ')', '!', '@'];

/// The ticket, with the line of its mark at the end.
pub(super) fn wiki(ticket: &Ticket) -> String {
    let mark = Block::Paragraph(Line::words(&ticket.mark.line()));
    let blocks = ticket.blocks.iter().chain([&mark]).map(block);
    blocks.collect::<Vec<_>>().join("\n\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!("h3. {}", escaped(&visible(text))),
        Block::Paragraph(line) => escaped(&line.plain()),
        Block::List(items) => list(items, "* "),
        Block::Checks(items) => list(items, "* ☐ "),
        Block::Code(lines) => code(lines),
    }
}

fn list(items: &[Item], sign: &str) -> String {
    let item = |item: &Item| {
        let line = format!("{sign}{}", escaped(&item.line.plain()));
        match &item.command {
            Some(command) => format!("{line}\n{}", code(std::slice::from_ref(command))),
            None => line,
        }
    };
    items.iter().map(item).collect::<Vec<_>>().join("\n")
}

/// Lines as they are, which cannot end the block.
fn code(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| visible(line).replace("{noformat", "{ noformat")).collect();
    format!("{{noformat}}\n{}\n{{noformat}}", lines.join("\n"))
}

/// A line in which nothing is markup.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let begins_block =
        ["h1.", "h2.", "h3.", "h4.", "h5.", "h6.", "bq."].iter().any(|start| line.trim_start().starts_with(start));
    let mut before = ' ';
    let mut rest = line.chars().peekable();
    let mut is_first_stop = true;
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        match c {
            '\\' => out.push_str("&#92;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A link, and a face.
            ':' if matches!(after, '/' | 'D' | 'P') || begins_link(&out) => out.push_str("&#58;"),
            '.' if begins_block && std::mem::take(&mut is_first_stop) => out.push_str("&#46;"),
            '-' if is_markup_hyphen(before, after) => out.push_str("\\-"),
            c if ESCAPED.contains(&c) => out.extend(['\\', c]),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// Whether what stands before a colon begins a link that has no slashes.
fn begins_link(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    ["mailto", "file", "news", "callto"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a hyphen may be a dash, strike something out, or join the two halves of an issue's key. Between letters of ids
/// and dates it is nothing but a hyphen, and they stay readable.
fn is_markup_hyphen(before: char, after: char) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric();
    !joins(before) || !joins(after) || before.is_ascii_uppercase() && after.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        for (text, expected) in [
            ("kst-hzz5, 2026-12-05", "kst-hzz5, 2026-12-05"),
            ("-gone- -- SEC-1", "\\-gone\\- \\-\\- SEC\\-1"),
            ("*b* _i_ {color:red}", "\\*b\\* \\_i\\_ \\{color:red\\}"),
            ("[a|http://b] !x.png!", "\\[a\\|http&#58;//b\\] \\!x.png\\!"),
            ("h1. big", "h1&#46; big"),
            ("bq. said.", "bq&#46; said."),
            ("a\\b &lt; <b>", "a&#92;b &amp;lt; &lt;b&gt;"),
            ("mailto:a@b, sha256:0", "mailto&#58;a\\@b, sha256:0"),
            (":D (y) [~admin]", "&#58;D \\(y\\) \\[\\~admin\\]"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        let lines = ["a{noformat}b".to_owned(), "c".to_owned()];
        assert_eq!(code(&lines), "{noformat}\na{ noformat}b\nc\n{noformat}");
    }
}
