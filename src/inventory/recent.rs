//! What short texts stood for the last time, without a pointer to follow.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// A text of at most 32 bytes in four words: reads from both ends, which may overlap, and the length
/// tell any two such texts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
struct Short {
    words: [u64; 4],
    /// Length plus one, so that no text looks like a free place.
    length: u64,
}

impl Short {
    fn of(text: &str) -> Option<Short> {
        let bytes = text.as_bytes();
        let length = bytes.len() as u64 + 1;
        let words = match bytes.len() {
            0..=3 => {
                let word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
                [word, 0, 0, 0]
            }
            4..=7 => {
                let (first, last) = (bytes.first_chunk::<4>()?, bytes.last_chunk::<4>()?);
                [u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)), 0, 0]
            }
            8..=16 => [word(bytes.first_chunk()?), word(bytes.last_chunk()?), 0, 0],
            17..=32 => {
                let (front, back) = (bytes.first_chunk::<16>()?, bytes.last_chunk::<16>()?);
                [
                    word(front.first_chunk()?),
                    word(front.last_chunk()?),
                    word(back.first_chunk()?),
                    word(back.last_chunk()?),
                ]
            }
            _ => return None,
        };
        Some(Short { words, length })
    }

    fn place(&self) -> usize {
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let [a, b, c, d] = self.words;
        let mixed = (a ^ b.rotate_left(23) ^ c.rotate_left(41) ^ d.rotate_left(7) ^ self.length).wrapping_mul(MIX);
        (mixed >> 32) as usize % PLACES
    }
}

fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

/// So many short texts are remembered.
const PLACES: usize = 512;

/// So many long texts are remembered.
const LONG_PLACES: usize = 64;

/// What texts stood for the last time.
#[derive(Debug, Default)]
pub struct Recent {
    short: Vec<(Short, u32)>,
    long: Vec<(String, u32)>,
}

impl Recent {
    /// What the text stands for; `find` is asked if that is not remembered.
    ///
    /// # Errors
    /// Those of `find`, which are not remembered.
    pub fn get<E>(&mut self, text: &str, find: impl FnOnce() -> Result<u32, E>) -> Result<u32, E> {
        let Some(short) = Short::of(text) else { return self.get_long(text, find) };
        if self.short.is_empty() {
            self.short.resize(PLACES, (Short::default(), 0));
        }
        let known = &mut self.short[short.place()];
        if known.0 != short {
            *known = (short, find()?);
        }
        Ok(known.1)
    }

    fn get_long<E>(&mut self, text: &str, find: impl FnOnce() -> Result<u32, E>) -> Result<u32, E> {
        if self.long.is_empty() {
            self.long.resize(LONG_PLACES, (String::new(), 0));
        }
        let known = &mut self.long[FixedState::default().hash_one(text) as usize % LONG_PLACES];
        if known.0 != text {
            *known = (text.to_owned(), find()?);
        }
        Ok(known.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_never_look_alike() {
        let mut texts: Vec<String> = vec![String::new()];
        for length in 1..=40 {
            for at in 0..length {
                for other in ['b', '\0'] {
                    let mut text: Vec<char> = vec!['a'; length];
                    text[at] = other;
                    texts.push(text.into_iter().collect());
                }
            }
        }
        let mut recent = Recent::default();
        for _ in 0..2 {
            for (number, text) in texts.iter().enumerate() {
                assert_eq!(recent.get::<()>(text, || Ok(number as u32)), Ok(number as u32), "{text:?}");
            }
        }
    }
}
