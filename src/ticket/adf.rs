//! The Atlassian Document Format, version 1: documented nodes only, and no text node that is empty, which Jira refuses.

use serde_json::{Value, json};

use super::text::{Block, Item, Line, Span, Ticket};
use crate::write::safe::visible;

/// The ticket as a document, with the line of its mark at the end.
pub(super) fn document(ticket: &Ticket) -> Value {
    let mark = Block::Paragraph(Line::words(&ticket.mark.line()));
    let content: Vec<Value> = ticket.blocks.iter().chain([&mark]).filter_map(node).collect();
    json!({ "type": "doc", "version": 1, "content": content })
}

/// A block; nothing if it says nothing.
fn node(block: &Block) -> Option<Value> {
    match block {
        Block::Heading(heading) => {
            let text = text(&visible(heading), &[])?;
            Some(json!({ "type": "heading", "attrs": { "level": 3 }, "content": [text] }))
        }
        Block::Paragraph(line) => paragraph(line, ""),
        Block::List(items) => list(items, ""),
        Block::Checks(items) => list(items, "☐ "),
        Block::Code(lines) => code(&lines.join("\n")),
    }
}

/// A text node; nothing for an empty text.
fn text(text: &str, marks: &[&str]) -> Option<Value> {
    let marks: Vec<Value> = marks.iter().map(|mark| json!({ "type": mark })).collect();
    match (text.is_empty(), marks.is_empty()) {
        (true, _) => None,
        (false, true) => Some(json!({ "type": "text", "text": text })),
        (false, false) => Some(json!({ "type": "text", "text": text, "marks": marks })),
    }
}

fn paragraph(line: &Line, sign: &str) -> Option<Value> {
    let span = |span: &Span| match span {
        Span::Words(words) => text(words, &[]),
        Span::Data(data) => text(data, &["code"]),
    };
    let content: Vec<Value> = text(sign, &[]).into_iter().chain(line.spans().iter().filter_map(span)).collect();
    (!content.is_empty()).then(|| json!({ "type": "paragraph", "content": content }))
}

/// Lines as they are; in a code block no text may have marks.
fn code(lines: &str) -> Option<Value> {
    let lines: Vec<_> = lines.split('\n').map(visible).collect();
    let text = text(&lines.join("\n"), &[])?;
    Some(json!({ "type": "codeBlock", "attrs": { "language": "text" }, "content": [text] }))
}

fn list(items: &[Item], sign: &str) -> Option<Value> {
    let item = |item: &Item| {
        let line = paragraph(&item.line, sign)?;
        let command = item.command.as_deref().and_then(code);
        let content: Vec<Value> = std::iter::once(line).chain(command).collect();
        Some(json!({ "type": "listItem", "content": content }))
    };
    let content: Vec<Value> = items.iter().filter_map(item).collect();
    (!content.is_empty()).then(|| json!({ "type": "bulletList", "content": content }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_left_out() {
        for block in [
            Block::Heading(String::new()),
            Block::Paragraph(Line::default()),
            Block::List(vec![Item::from(Line::default())]),
            Block::Checks(Vec::new()),
            Block::Code(vec![String::new()]),
        ] {
            assert_eq!(node(&block), None, "{block:?}");
        }
    }

    #[test]
    fn data_is_code_and_code_has_no_marks() {
        let line = Line::words("see ").data("*a*");
        let expected = json!({ "type": "paragraph", "content": [
            { "type": "text", "text": "see " },
            { "type": "text", "text": "*a*", "marks": [{ "type": "code" }] },
        ] });
        assert_eq!(node(&Block::Paragraph(line)), Some(expected));
        let expected = json!({ "type": "codeBlock", "attrs": { "language": "text" }, "content": [
            { "type": "text", "text": "a\nb\u{fffd}" },
        ] });
        assert_eq!(node(&Block::Code(vec!["a".to_owned(), "b\u{1b}".to_owned()])), Some(expected));
    }
}
