//! What short texts stood for the last time, without a pointer to follow.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// A text of at most 32 bytes in four words: reads that may overlap, and the length, tell any two such
/// texts apart.
#[derive(Debug, Clone, Copy, Default)]
struct Short {
    words: [u64; 4],
    /// Length plus one, so that no text looks like a free place.
    length: u64,
}

impl Short {
    #[inline]
    fn of(text: &str) -> Option<Short> {
        let bytes = text.as_bytes();
        let length = bytes.len();
        let words = match length {
            // Most words of most columns; the reads depend on the length without a jump for each.
            4..=16 => {
                let inner = length / 8 * 4;
                let (front, back) = (half(bytes, 0)? | half(bytes, inner)? << 32, length - 4);
                [front, half(bytes, back)? | half(bytes, back - inner)? << 32, 0, 0]
            }
            17..=LONGEST_SHORT => {
                let (front, back) = (bytes.first_chunk::<16>()?, bytes.last_chunk::<16>()?);
                [
                    word(front.first_chunk()?),
                    word(front.last_chunk()?),
                    word(back.first_chunk()?),
                    word(back.last_chunk()?),
                ]
            }
            1..=3 => {
                let three = [bytes[0], bytes[length / 2], bytes[length - 1], 0];
                [u64::from(u32::from_le_bytes(three)), 0, 0, 0]
            }
            0 => [0; 4],
            _ => return None,
        };
        Some(Short { words, length: length as u64 + 1 })
    }

    /// Word by word: compared at once, the words would have to be gathered in memory first.
    #[inline]
    fn is(&self, other: &Short) -> bool {
        let differ = self.words.iter().zip(&other.words).fold(0, |differ, (a, b)| differ | (a ^ b));
        differ | (self.length ^ other.length) == 0
    }

    /// A number whose highest bits depend on all bits of the text.
    #[inline]
    fn mixed(&self) -> u64 {
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let [a, b, c, d] = self.words;
        (a ^ b.rotate_left(23) ^ c.rotate_left(41) ^ d.rotate_left(7) ^ self.length).wrapping_mul(MIX)
    }
}

#[inline]
fn half(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

#[inline]
fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

/// The longest text that is short, in bytes.
pub const LONGEST_SHORT: usize = 32;

/// So many short texts are remembered at first, and at most.
const PLACES: std::ops::RangeInclusive<usize> = 256..=8192;

/// So many long texts are remembered.
const LONG_PLACES: usize = 64;

/// What texts stood for the last time.
#[derive(Debug, Default)]
pub struct Recent {
    short: Vec<(Short, u32)>,
    /// How far a mixed text is moved to become a place.
    shift: u32,
    /// Texts that were not remembered since the last growth.
    misses: usize,
    long: Vec<(String, u32)>,
}

impl Recent {
    /// What a short text stands for, if it is remembered.
    #[inline]
    pub fn known(&self, text: &str) -> Option<u32> {
        let short = Short::of(text)?;
        let (known, meaning) = self.short.get((short.mixed() >> self.shift) as usize)?;
        known.is(&short).then_some(*meaning)
    }

    /// What the text stands for; `find` is asked if that is not remembered.
    ///
    /// # Errors
    /// Those of `find`, which are not remembered.
    pub fn get<E>(&mut self, text: &str, find: impl FnOnce() -> Result<u32, E>) -> Result<u32, E> {
        let Some(short) = Short::of(text) else { return self.get_long(text, find) };
        let mixed = short.mixed();
        if let Some((known, meaning)) = self.short.get((mixed >> self.shift) as usize)
            && known.is(&short)
        {
            return Ok(*meaning);
        }
        let found = find()?;
        self.misses += 1;
        if self.misses >= self.short.len() && self.short.len() < *PLACES.end() {
            self.grow();
        }
        self.short[(mixed >> self.shift) as usize] = (short, found);
        Ok(found)
    }

    /// Makes room for more short texts; those before are forgotten.
    #[cold]
    fn grow(&mut self) {
        let places = (4 * self.short.len()).clamp(*PLACES.start(), *PLACES.end());
        self.short = vec![(Short::default(), 0); places];
        self.shift = u64::BITS - places.ilog2();
        self.misses = 0;
    }

    fn get_long<E>(&mut self, text: &str, find: impl FnOnce() -> Result<u32, E>) -> Result<u32, E> {
        if self.long.is_empty() {
            self.long.resize(LONG_PLACES, (String::new(), 0));
        }
        let known = &mut self.long[FixedState::default().hash_one(text) as usize % LONG_PLACES];
        if known.0 != text {
            known.1 = find()?;
            known.0.clear();
            known.0.push_str(text);
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
