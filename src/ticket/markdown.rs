//! Markdown as GitHub and GitLab read it. Nothing from outside becomes markup, HTML, a link, a mention of somebody, or a
//! reference to an issue: these are also found where a backslash stands before their sign, but never in code. So names and
//! ids are code, and of sentences every word that might be more than a word.

use crate::write::safe::{markdown_code, visible};

use super::payload::Body;
use super::split::Draft;
use super::text::{Block, Item, Line, Span, Ticket};

/// The ticket as a page; it has no limits.
pub(super) fn draft(ticket: &Ticket) -> Draft {
    let title = line(&Line::words(&ticket.title));
    let text = format!("# {title}\n\n{}", text(ticket));
    Draft { title: ticket.title.clone(), body: Body::Text(text), measures: Vec::new() }
}

/// The text of a ticket, with the line of its mark at the end.
pub(super) fn text(ticket: &Ticket) -> String {
    format!("{}\n\n{}\n", blocks(&ticket.blocks), markdown_code(&ticket.mark.line()))
}

/// Blocks, with a blank line between them.
pub(super) fn blocks(blocks: &[Block]) -> String {
    blocks.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!("## {}", line(&Line::words(text))),
        Block::Paragraph(text) => line(text),
        Block::List(items) => list(items, "- "),
        Block::Checks(items) => list(items, "- [ ] "),
        Block::Code(lines) => fence(lines, ""),
    }
}

fn list(items: &[Item], sign: &str) -> String {
    let item = |item: &Item| match &item.command {
        Some(command) => format!("{sign}{}\n\n{}", line(&item.line), fence(std::slice::from_ref(command), "  ")),
        None => format!("{sign}{}", line(&item.line)),
    };
    items.iter().map(item).collect::<Vec<_>>().join("\n")
}

/// Lines in a block that none of them can end.
fn fence(lines: &[String], indent: &str) -> String {
    let lines: Vec<_> = lines.iter().map(|line| visible(line)).collect();
    let runs = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    let lines: Vec<String> = lines.iter().map(|line| format!("{indent}{line}")).collect();
    format!("{indent}{fence}text\n{}\n{indent}{fence}", lines.join("\n"))
}

/// A line.
fn line(line: &Line) -> String {
    let mut out = String::new();
    for span in line.spans() {
        match span {
            Span::Data(data) => push_code(data, &mut out),
            Span::Words(words) => push_words(words, &mut out),
        }
    }
    out
}

fn push_words(words: &str, out: &mut String) {
    // Blanks at the beginning would make code of a paragraph.
    let words = if out.is_empty() { words.trim_start() } else { words };
    for word in pieces(words) {
        match is_plain(word, out.is_empty()) {
            true => out.push_str(word),
            false => push_name(word, out),
        }
    }
}

/// A word as code, and outside of it the brackets and stops around it.
fn push_name(word: &str, out: &mut String) {
    let name = word.trim_start_matches(['(', '"', '\'']).trim_end_matches([',', '.', ';', ':', ')', '"', '\'']);
    match word.split_once(name).filter(|_| !name.is_empty()) {
        Some((before, behind)) => {
            out.push_str(before);
            push_code(name, out);
            out.push_str(behind);
        }
        None => push_code(word, out),
    }
}

/// The pieces of a text that are looked at by themselves: blanks, what is ASCII, and what is not, such as Chinese, which
/// has no blanks between words.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let kind = |c: char| (c == ' ', c.is_ascii());
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = kind(rest.chars().next()?);
        let end = rest.find(|c| kind(c) != first).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}

fn push_code(text: &str, out: &mut String) {
    // Two pieces of code must not share their signs.
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(&markdown_code(text));
}

/// Signs that mean nothing inside a line.
const PLAIN: [char; 11] = ['-', '.', ',', ';', '(', ')', '\'', '"', '/', '+', '='];

/// Whether a word is nothing but a word, wherever it is shown.
fn is_plain(word: &str, is_first: bool) -> bool {
    let Some(first) = word.chars().next().filter(|first| *first != ' ') else { return true };
    let body = word.strip_suffix([':', '?', '!']).unwrap_or(word);
    let is_sign_free = body.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || PLAIN.contains(&c));
    // Letters with digits may be a commit, or name an issue, as GH-1 does.
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_name = digits > 6 || digits > 0 && word.contains(|c: char| c.is_ascii_alphabetic());
    let is_link = word.to_ascii_lowercase().contains("www.");
    let begins_block = !first.is_alphanumeric() && first.is_ascii()
        || word.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['.', ')']);
    let is_more = is_name || is_link || is_first && begins_block;
    is_sign_free && !is_more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_may_be_more_is_code() {
        for (text, expected) in [
            (
                "Confirm that no application uses ReEncrypt, or else: stop!",
                "Confirm that no application uses ReEncrypt, or else: stop!",
            ),
            ("ask @admin about #12", "ask `@admin` about `#12`"),
            ("GH-1 a/b#2 !3 ~x %4 $5 &6", "`GH-1` `a/b#2` `!3` `~x` `%4` `$5` `&6`"),
            ("<b>x</b> **y** _z_ [a](b)", "`<b>x</b>` `**y**` `_z_` `[a](b`)"),
            ("- x", "`-` x"),
            ("1. x 1. y (batch b-1), @a", "`1`. x 1. y (batch `b-1`), `@a`"),
            ("/close", "`/close`"),
            ("   indented", "indented"),
            ("see http://a.b www.a.b a@b.c :smile:", "see `http://a.b` `www.a.b` `a@b.c` `:smile`:"),
            ("a ` b", "a `` ` `` b"),
            ("deadbeef1 1234567", "`deadbeef1` `1234567`"),
            ("密钥（1 个）。迁移：cn-beijing，请@admin看", "密钥（1 个）。迁移：cn-beijing，请`@admin`看"),
        ] {
            assert_eq!(line(&Line::words(text)), expected);
        }
        assert_eq!(line(&Line::words("x ").data("a").data("`b")), "x `a` `` `b ``");
    }

    #[test]
    fn code_ends_where_it_should() {
        let lines = ["a".to_owned(), "```` b".to_owned()];
        assert_eq!(fence(&lines, ""), "`````text\na\n```` b\n`````");
    }
}
