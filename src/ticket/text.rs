//! What a ticket says, before any tracker gives it a form: a title, and blocks of lines in which texts from outside are
//! told from sentences. The content is written once over this; each tracker only renders it.

use crate::write::safe::visible;

use super::payload::Mark;
use super::times::Times;

/// What one ticket says.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    /// By what it is found again.
    pub(super) mark: Mark,
    /// The title, on one line.
    pub(super) title: String,
    /// The text; the line of the mark stands behind it, and is not part of it.
    pub(super) blocks: Vec<Block>,
    /// What only a migration has; nothing of a consultation.
    pub(super) change: Option<Change>,
}

/// What a migration has, for trackers with fields of their own for it.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The window.
    pub(super) times: Times,
    /// What is done, in order.
    pub(super) implementation: Vec<Block>,
    /// What is done if it has to be undone.
    pub(super) backout: Vec<Block>,
    /// How one sees that it has succeeded.
    pub(super) test: Vec<Block>,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Paragraph(Line),
    /// A list.
    List(Vec<Item>),
    /// A list of things to tick off.
    Checks(Vec<Item>),
    /// Lines that stay as they are: ids, one a line.
    Code(Vec<String>),
}

/// A member of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// What it says.
    pub(super) line: Line,
    /// A command to it; may be missing.
    pub(super) command: Option<String>,
}

impl From<Line> for Item {
    fn from(line: Line) -> Item {
        Item { line, command: None }
    }
}

/// A line, be it ever so long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line(Vec<Span>);

/// A piece of a line; never empty, and without characters that act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Span {
    /// Sentences.
    Words(String),
    /// A name, id or other text from outside, which must never become markup.
    Data(String),
}

impl Line {
    /// A line of words.
    pub(super) fn words(text: &str) -> Line {
        Line::default().say(text)
    }

    /// Appends words. What stands between backticks is data.
    pub(super) fn say(mut self, text: &str) -> Line {
        // Without a partner, a backtick is one.
        let is_paired = text.matches('`').count().is_multiple_of(2);
        for (at, piece) in text.split(|c| is_paired && c == '`').enumerate() {
            self.push(piece, if at % 2 == 0 { Span::Words } else { Span::Data });
        }
        self
    }

    /// Appends data.
    pub(super) fn data(mut self, text: &str) -> Line {
        self.push(text, Span::Data);
        self
    }

    /// Appends data, with words between.
    pub(super) fn list<'t>(mut self, texts: impl IntoIterator<Item = &'t str>, between: &str) -> Line {
        for (at, text) in texts.into_iter().enumerate() {
            self = if at > 0 { self.say(between) } else { self };
            self.push(text, Span::Data);
        }
        self
    }

    fn push(&mut self, text: &str, span: fn(String) -> Span) {
        if !text.is_empty() {
            self.0.push(span(visible(text).into_owned()));
        }
    }

    /// The pieces.
    pub(super) fn spans(&self) -> &[Span] {
        &self.0
    }

    /// The line as plain text.
    pub(super) fn plain(&self) -> String {
        self.0.iter().map(Span::text).collect()
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Span {
    /// The text.
    pub(super) fn text(&self) -> &str {
        match self {
            Span::Words(text) | Span::Data(text) => text,
        }
    }
}

/// Blocks as plain text: a blank line between them, `- ` before members of lists, `[ ] ` before things to tick off.
pub(super) fn plain(blocks: &[Block]) -> String {
    let texts: Vec<String> = blocks.iter().map(plain_block).collect();
    texts.join("\n\n")
}

fn plain_block(block: &Block) -> String {
    let list = |items: &[Item], sign: &str| {
        let items = items.iter().map(|item| match &item.command {
            Some(command) => format!("{sign}{}\n    {}", item.line.plain(), visible(command)),
            None => format!("{sign}{}", item.line.plain()),
        });
        items.collect::<Vec<_>>().join("\n")
    };
    match block {
        Block::Heading(text) => format!("== {} ==", visible(text)),
        Block::Paragraph(line) => line.plain(),
        Block::List(items) => list(items, "- "),
        Block::Checks(items) => list(items, "[ ] "),
        Block::Code(lines) => lines.iter().map(|line| visible(line)).collect::<Vec<_>>().join("\n"),
    }
}

/// A whole ticket as plain text, with the line of its mark at the end.
pub(super) fn plain_ticket(ticket: &Ticket) -> String {
    format!("{}\n\n{}\n", plain(&ticket.blocks), ticket.mark.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_between_backticks_are_data_if_every_backtick_has_a_partner() {
        let spans = Line::words("run `a b` now").spans().to_vec();
        let expected = [Span::Words("run ".to_owned()), Span::Data("a b".to_owned()), Span::Words(" now".to_owned())];
        assert_eq!(spans, expected);
        assert_eq!(Line::words("a ` b").plain(), "a ` b");
        assert!(Line::words("").is_empty() && Line::words("``").is_empty());
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(Line::words("a\nb").data("c\r\u{202e}").plain(), "a\u{fffd}bc\u{fffd}\u{fffd}");
        assert_eq!(Line::words("x: ").list(["a", "", "b"], ", ").plain(), "x: a, , b");
    }
}
