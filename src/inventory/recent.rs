//! What short texts stood for the last time, without a pointer to follow.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// The longest text that is short, in bytes.
pub const LONGEST_SHORT: usize = 32;

/// So many short texts of about one length are remembered at first, and at most.
const PLACES: std::ops::RangeInclusive<usize> = 32..=8192;

/// So many long texts are remembered.
const LONG_PLACES: usize = 64;

/// What texts stood for the last time.
#[derive(Debug, Default)]
pub struct Recent {
    /// Up to 16 bytes.
    brief: Table<2>,
    /// Up to [`LONGEST_SHORT`] bytes.
    short: Table<4>,
    long: Vec<(String, u32)>,
}

impl Recent {
    /// What a short text stands for, if it is remembered.
    #[inline(always)]
    pub fn known(&self, text: &[u8]) -> Option<u32> {
        match text.len() {
            0..=16 => self.brief.known(brief(text)?),
            17..=LONGEST_SHORT => self.short.known(short(text)?),
            _ => None,
        }
    }

    /// What the text stands for; `find` is asked if that is not remembered.
    ///
    /// # Errors
    /// Those of `find`, which are not remembered.
    pub fn get<E>(&mut self, text: &str, find: impl FnOnce() -> Result<u32, E>) -> Result<u32, E> {
        if let Some(known) = self.known(text.as_bytes()) {
            return Ok(known);
        }
        if text.len() > LONGEST_SHORT {
            return self.get_long(text, find);
        }
        let found = find()?;
        match (brief(text.as_bytes()), short(text.as_bytes())) {
            (Some(text), _) => self.brief.remember(text, found),
            (_, Some(text)) => self.short.remember(text, found),
            _ => {}
        }
        Ok(found)
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

/// A text in words that may overlap, and its length plus one, which together tell it from any other of the
/// same kind. Plus one, so that no text looks like a free place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Words<const N: usize> {
    words: [u64; N],
    length: u32,
}

/// A text of at most 16 bytes.
#[inline]
fn brief(bytes: &[u8]) -> Option<Words<2>> {
    let length = bytes.len();
    let words = match length {
        // Most words of most columns; the reads depend on the length without a jump for each.
        4..=16 => {
            let (inner, back) = (length / 8 * 4, length - 4);
            [half(bytes, 0)? | half(bytes, inner)? << 32, half(bytes, back)? | half(bytes, back - inner)? << 32]
        }
        1..=3 => {
            let three = [bytes[0], bytes[length / 2], bytes[length - 1], 0];
            [u64::from(u32::from_le_bytes(three)), 0]
        }
        0 => [0; 2],
        _ => return None,
    };
    Some(Words { words, length: length as u32 + 1 })
}

/// A text of 17 to [`LONGEST_SHORT`] bytes.
#[inline]
fn short(bytes: &[u8]) -> Option<Words<4>> {
    if bytes.len() > LONGEST_SHORT {
        return None;
    }
    let (front, back) = (bytes.first_chunk::<16>()?, bytes.last_chunk::<16>()?);
    let words = [front.first_chunk()?, front.last_chunk()?, back.first_chunk()?, back.last_chunk()?];
    Some(Words { words: words.map(|word| u64::from_le_bytes(*word)), length: bytes.len() as u32 + 1 })
}

#[inline]
fn half(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

/// A text with its meaning.
#[derive(Debug, Clone, Copy)]
struct Known<const N: usize> {
    words: [u64; N],
    length: u32,
    meaning: u32,
}

/// Texts of one kind; each has one place, in which the last one stays.
#[derive(Debug, Default)]
struct Table<const N: usize> {
    places: Vec<Known<N>>,
    /// How far a mixed text is moved to become a place.
    shift: u32,
    /// Texts that were not remembered since the last growth.
    misses: usize,
}

impl<const N: usize> Table<N> {
    #[inline]
    fn place(&self, text: Words<N>) -> usize {
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = text.words.iter().fold(u64::from(text.length), |mixed, word| mixed.rotate_left(23) ^ word);
        // The highest bits depend on all bits.
        (mixed.wrapping_mul(MIX) >> self.shift) as usize
    }

    #[inline]
    fn known(&self, text: Words<N>) -> Option<u32> {
        let known = self.places.get(self.place(text))?;
        // Word by word: compared at once, the words would have to be gathered in memory first.
        let differ = known.words.iter().zip(&text.words).fold(0, |differ, (a, b)| differ | (a ^ b));
        (differ | u64::from(known.length ^ text.length) == 0).then_some(known.meaning)
    }

    fn remember(&mut self, text: Words<N>, meaning: u32) {
        self.misses += 1;
        if self.misses >= self.places.len() && self.places.len() < *PLACES.end() {
            // Those before are forgotten.
            let places = (4 * self.places.len()).clamp(*PLACES.start(), *PLACES.end());
            self.places = vec![Known { words: [0; N], length: 0, meaning: 0 }; places];
            self.shift = u64::BITS - places.ilog2();
            self.misses = 0;
        }
        let place = self.place(text);
        self.places[place] = Known { words: text.words, length: text.length, meaning };
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
