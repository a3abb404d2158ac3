//! Documents that are read as a whole, since their keys stand deep inside.

use super::detect::{Opened, fill};
use super::found::Found;
use super::members::{At, Lines};
use super::{BLOCK, Block, Layout, ReadError};

/// Longer documents are refused; they are read into memory.
const MAX_DOCUMENT: usize = 1 << 30;

/// What takes a document apart.
pub(super) type Reader = fn(At<'_>) -> Result<Found, String>;

/// A document, as one block.
pub struct Splitter {
    input: Opened,
    reader: Reader,
    finished: bool,
}

impl Splitter {
    pub(super) fn new(input: Opened, reader: Reader) -> Splitter {
        Splitter { input, reader, finished: false }
    }

    /// The block, or nothing behind it.
    ///
    /// # Errors
    /// The document cannot be read, or is not what it seems to be.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(None);
        }
        let input = &mut self.input;
        while !input.ended {
            if input.start.len() > MAX_DOCUMENT {
                return Err(ReadError::content(&input.name, None, "a document of more than 1 GiB; split it"));
            }
            let read = fill(&mut input.reader, &mut input.start, BLOCK);
            input.ended = read.map_err(|source| ReadError::Io { name: input.name.clone(), source })?;
        }
        let refused = |message: String| ReadError::content(&input.name, None, message);
        let bytes = std::mem::take(&mut input.start);
        let text = String::from_utf8(bytes).map_err(|_| refused("not valid UTF-8; save it as UTF-8".to_owned()))?;
        let lines = Lines::of(&text);
        let found = (self.reader)(At { file: input.file, text: &text, line: 1, lines: &lines }).map_err(refused)?;
        Ok(Some(Block::new(input.file, Layout::Found(Box::new(found)))))
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
