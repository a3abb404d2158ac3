//! Documents that are read as a whole, since their keys stand deep inside.

use std::collections::VecDeque;
use std::ops::Range;

use serde_json::value::RawValue;

use super::csv::count_lines;
use super::detect::{Opened, fill};
use super::found::Found;
use super::members::{At, Lines, offset_of};
use super::{BLOCK, Block, Layout, ReadError, scoutsuite, terraform};

/// Longer documents are refused; they are read into memory.
const MAX_DOCUMENT: usize = 1 << 30;

/// What takes a document apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Terraform,
    ScoutSuite,
}

impl Reader {
    fn read(self, at: At<'_>) -> Result<Found, String> {
        match self {
            Reader::Terraform => terraform::read(at),
            Reader::ScoutSuite => scoutsuite::read(at),
        }
    }
}

/// A document, or several one behind the other or in an array, as a block each.
pub struct Splitter {
    input: Opened,
    reader: Reader,
    /// The whole text, once it was read, and where documents stand in it that are not handed over.
    text: Option<String>,
    waiting: VecDeque<Range<usize>>,
    /// What stands behind them.
    broken: Option<ReadError>,
}

impl Splitter {
    pub(super) fn new(input: Opened, reader: Reader) -> Splitter {
        Splitter { input, reader, text: None, waiting: VecDeque::new(), broken: None }
    }

    /// The next block, or nothing behind the last.
    ///
    /// # Errors
    /// The document cannot be read, or is not what it seems to be.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if self.text.is_none() {
            let text = self.read()?;
            self.find(&text);
            self.text = Some(text);
        }
        let text = self.text.as_deref().unwrap_or_default();
        let Some(range) = self.waiting.pop_front() else { return self.broken.take().map_or(Ok(None), Err) };
        let line = 1 + count_lines(&text.as_bytes()[..range.start]);
        let document = &text[range];
        let lines = Lines::of(document);
        let found = self.reader.read(At { file: self.input.file, text: document, line, lines: &lines });
        // Where one of several is damaged, it is not told by the name of the file alone.
        let place = (line > 1).then_some(line);
        let found = found.map_err(|message| ReadError::content(&self.input.name, place, message))?;
        Ok(Some(Block { first_line: line, ..Block::new(self.input.file, Layout::Found(Box::new(found))) }))
    }

    fn read(&mut self) -> Result<String, ReadError> {
        let input = &mut self.input;
        while !input.ended {
            if input.start.len() > MAX_DOCUMENT {
                return Err(ReadError::content(&input.name, None, "a document of more than 1 GiB; split it"));
            }
            let read = fill(&mut input.reader, &mut input.start, BLOCK);
            input.ended = read.map_err(|source| ReadError::Io { name: input.name.clone(), source })?;
        }
        let not_text = |_| ReadError::content(&input.name, None, "not valid UTF-8; save it as UTF-8");
        String::from_utf8(std::mem::take(&mut input.start)).map_err(not_text)
    }

    /// Finds the documents; a text that is none is left to the reader, which says so.
    fn find(&mut self, text: &str) {
        let mut found: Vec<Range<usize>> = Vec::new();
        let range = |value: &RawValue| {
            let start = offset_of(text, value.get());
            start..start + value.get().len()
        };
        if self.reader == Reader::Terraform {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
            let mut good = 0;
            for value in &mut values {
                let Ok(value) = value else {
                    let line = 1 + count_lines(&text.as_bytes()[..good]);
                    let message = "what follows the document that ends here is no further one: it is cut off, or was changed by hand; it was not read";
                    self.broken = Some(ReadError::content(&self.input.name, Some(line), message));
                    break;
                };
                good = offset_of(text, value.get()) + value.get().len();
                match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
                    Ok(elements) => found.extend(elements.into_iter().map(range)),
                    Err(_) => found.push(range(value)),
                }
            }
        }
        if found.is_empty() {
            self.broken = None;
            found.push(0..text.len());
        }
        self.waiting = found.into();
    }
}

/// The members of the object with which a text begins, as far as the text goes, each with the first byte of its value.
pub(super) fn top_members(start: &[u8]) -> Vec<(String, u8)> {
    let (mut members, mut depth, mut name, mut at) = (Vec::new(), 0_usize, None, 0);
    while let Some(byte) = start.get(at) {
        match byte {
            b'"' => {
                let Some(length) = string_length(&start[at + 1..]) else { break };
                let text = String::from_utf8_lossy(&start[at + 1..at + 1 + length]).into_owned();
                match name.take() {
                    Some(name) if depth == 1 => members.push((name, b'"')),
                    None if depth == 1 && is_name(&start[at + length + 2..]) => name = Some(text),
                    _ => {}
                }
                at += length + 1;
            }
            b'{' | b'[' => {
                if let Some(name) = name.take().filter(|_| depth == 1) {
                    members.push((name, *byte));
                }
                depth += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            b':' | b',' => {}
            byte if !byte.is_ascii_whitespace() => {
                if let Some(name) = name.take().filter(|_| depth == 1) {
                    members.push((name, *byte));
                }
            }
            _ => {}
        }
        at += 1;
    }
    members
}

/// Whether what follows a text makes it the name of a member.
fn is_name(rest: &[u8]) -> bool {
    rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// The length of a string up to the quote that closes it.
fn string_length(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_at_the_top_are_found_as_far_as_the_text_goes() {
        let members = |text: &str| {
            let members = top_members(text.as_bytes());
            members.into_iter().map(|(name, byte)| format!("{name} {}", char::from(byte))).collect::<Vec<_>>()
        };
        assert_eq!(
            members(
                "{\"a\": 1, \"b\\\"\" : \"x:y\", \"c\": {\"d\": [\"e\"]}, \"f\" : [{\"g\": 1}], \"h\": null} {\"i\": 1}"
            ),
            ["a 1", "b\\\" \"", "c {", "f [", "h n"]
        );
        assert_eq!(members("{\"a\": [1, {\"b\": \"cut o"), ["a ["]);
        assert!(members("[{\"a\": 1}]").is_empty() && members("\"").is_empty() && members("").is_empty());
    }
}
