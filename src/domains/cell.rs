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
        let bytes = text.as_bytes();
        if let (Some(first), Some(last)) = (bytes.first(), bytes.last())
            && first.is_ascii_graphic()
            && last.is_ascii_graphic()
        {
            return Cell::Text(text);
        }
        match text.trim() {
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
        let (text, list) = match self {
            Cell::Text(text) => (text, false),
            Cell::List(text) => (text, true),
            _ => ("", true),
        };
        let separates = move |c: char| {
            if list { c == LIST_SEPARATOR } else { is_list_separator(c) }
        };
        text.split(separates).map(str::trim).filter(|element| !element.is_empty())
    }
}
