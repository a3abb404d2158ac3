//! The keys that are named in what could not be read: nobody knows what is said of them there.

use std::io::Read;

use super::BLOCK;
use super::detect::fill;
use crate::inventory::rejects::Tainted;
use crate::inventory::tidy::keys_named_in;

/// No id is longer, and hardly an alias, in bytes.
const LONGEST_ID: usize = 512;

/// What looks like a key id from a line on, as far as anything can be read; of text in any encoding that has one byte for
/// each letter of English, or two. 0 and 1 stand for the beginning.
pub fn key_ids(mut reader: impl Read, from_line: u64) -> Tainted {
    let (mut found, mut buffer) = (Tainted::default(), Vec::new());
    let (mut to_skip, mut has_line_feeds) = (from_line.saturating_sub(1), false);
    loop {
        let ended = fill(&mut reader, &mut buffer, BLOCK).unwrap_or(true);
        // In UTF-16, every other byte of a letter is zero.
        buffer.retain(|byte| *byte != 0);
        if to_skip > 0 {
            let ends = || memchr::memchr_iter(b'\n', &buffer);
            has_line_feeds |= ends().next().is_some();
            if !has_line_feeds {
                // Lines that end otherwise cannot be told apart here, so that all of them count.
                to_skip = 0;
            } else if let Some(end) = ends().nth(to_skip as usize - 1) {
                buffer.drain(..=end);
                to_skip = 0;
            } else {
                to_skip -= ends().count() as u64;
                buffer.clear();
            }
        }
        // What is cut off by the end of the buffer is looked at once more with what follows.
        let whole = if ended { buffer.len() } else { buffer.len().saturating_sub(2 * LONGEST_ID) };
        let is_of_word = |byte: &u8| byte.is_ascii_graphic() && !b",;\"'()[]{}=".contains(byte) || !byte.is_ascii();
        let cut = (whole.saturating_sub(LONGEST_ID)..whole).rev().find(|at| !is_of_word(&buffer[*at]));
        let end = if ended { buffer.len() } else { cut.unwrap_or(whole) };
        keys_named_in(&String::from_utf8_lossy(&buffer[..end])).for_each(|key| found.add(&key));
        buffer.drain(..end);
        if ended {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";
    const OTHER: &str = "key-hzz65f3a1b2";

    fn names(text: &[u8], from_line: u64) -> Vec<&'static str> {
        let mut found = key_ids(text, from_line);
        found.sort();
        [UUID, OTHER].into_iter().filter(|key_id| found.has(key_id)).collect()
    }

    #[test]
    fn ids_are_found_wherever_a_buffer_ends() {
        for before in [0, 10, BLOCK - 200, BLOCK - 130, BLOCK - 64, BLOCK - 20, BLOCK, 3 * BLOCK - 5] {
            let text = format!("{} {UUID} and", "x ".repeat(before / 2));
            assert_eq!(names(text.as_bytes(), 0), [UUID], "{before}");
        }
        assert!(key_ids("a".repeat(3 * BLOCK).as_bytes(), 0).is_empty());
    }

    #[test]
    fn lines_before_are_not_looked_at() {
        let text = format!("{OTHER}\n{UUID}\n");
        assert_eq!(names(text.as_bytes(), 2), [UUID]);
        assert_eq!(names(text.as_bytes(), 1), [UUID, OTHER]);
        assert!(names(text.as_bytes(), 9).is_empty());
        assert_eq!(names(format!("{OTHER}\r{UUID}\r").as_bytes(), 2), [UUID, OTHER], "lines end in a carriage return");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(names(&wide, 2), [UUID]);
    }
}
