//! What a thread remembers, so that it need not ask for it: what is known of texts, and of accounts and regions. Most texts
//! are short, and are compared as numbers, without a look at where they stand.

use std::collections::HashMap;
use std::sync::Mutex;

use foldhash::fast::FixedState;

use super::coverage::Said;
use super::scan::Raw;
use super::table::{Rest, lock};
use super::tally::Span;

/// A text of up to 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Short {
    /// How it begins and how it ends, which overlap.
    ends: [u128; 2],
    length: u8,
}

impl Short {
    /// Nothing if it is longer.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Short> {
        let length = u8::try_from(text.len()).ok().filter(|length| *length <= 32)?;
        let ends = match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
            (Some(begin), Some(end)) => [u128::from_le_bytes(*begin), u128::from_le_bytes(*end)],
            _ => match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
                (Some(begin), Some(end)) => [begin, end].map(|end| u128::from(u64::from_le_bytes(*end))),
                _ => [text.iter().fold(0, |all, byte| all << 8 | u128::from(*byte)), 0],
            },
        };
        Some(Short { ends, length })
    }
}

/// What is known of texts, of so many at most; then all is forgotten.
#[derive(Debug)]
pub(super) struct Texts<T> {
    short: HashMap<Short, T, FixedState>,
    long: HashMap<Box<[u8]>, T, FixedState>,
}

impl<T> Default for Texts<T> {
    fn default() -> Texts<T> {
        Texts { short: HashMap::default(), long: HashMap::default() }
    }
}

/// So many texts of a kind are remembered by each thread, so that it need not ask for their numbers.
pub(super) const REMEMBERED: usize = 1 << 14;

impl<T: Copy> Texts<T> {
    /// What is known of a text.
    #[inline]
    pub(super) fn get(&self, text: &[u8]) -> Option<T> {
        match Short::of(text) {
            Some(short) => self.short.get(&short).copied(),
            None => self.long.get(text).copied(),
        }
    }

    /// Remembers what is known of a text.
    pub(super) fn insert(&mut self, text: &[u8], known: T) {
        if self.len() >= REMEMBERED {
            self.short.clear();
            self.long.clear();
        }
        match Short::of(text) {
            Some(short) => self.short.insert(short, known),
            None => self.long.insert(text.into(), known),
        };
    }

    /// Of how many texts something is known.
    pub(super) fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }
}

impl Texts<u32> {
    /// The number of a text, which is asked for once.
    pub(super) fn number(&mut self, raw: Raw<'_>, ask: impl FnOnce(&str) -> u32) -> u32 {
        if let Some(number) = self.get(raw.bytes) {
            return number;
        }
        let number = ask(&raw.text());
        self.insert(raw.bytes, number);
        number
    }
}

/// What a thread knows of an account and region.
#[derive(Debug)]
pub(super) struct Scope {
    /// As all threads know them.
    pub(super) numbers: (u32, u32),
    /// The stable hash of both.
    pub(super) hash: u64,
    /// From the first event that counts on.
    pub(super) is_covered: bool,
    /// The first and the last event.
    pub(super) span: Span,
    /// The last 64 hours in which there were events, as bits: which, and those that are not handed over.
    pub(super) hours: (i64, u64),
    /// Those of them in which there were events that read.
    pub(super) read_hours: u64,
    /// What its events say that they do.
    pub(super) said: Said,
}

impl Scope {
    /// Adds the hours to those that all threads have seen.
    pub(super) fn hand_over(&self, rest: &Mutex<Rest>) {
        if self.hours.1 != 0 {
            let mut rest = lock(rest);
            let coverage = rest.coverage.entry(self.numbers).or_default();
            coverage.add_hours(self.hours.0, self.hours.1);
            coverage.add_read_hours(self.hours.0, self.read_hours);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart_whatever_their_length() {
        let text = |length: usize, change: Option<usize>| -> Vec<u8> {
            (0..length).map(|at| if Some(at) == change { b'!' } else { b'a' }).collect()
        };
        let all = (0..40).flat_map(|length| {
            let changes = (0..length).map(Some).chain([None]);
            changes.map(move |change| text(length, change))
        });
        let all: Vec<Vec<u8>> = all.collect();
        let mut texts = Texts::default();
        for (number, text) in all.iter().enumerate() {
            assert_eq!(texts.get(text), None, "{text:?}");
            texts.insert(text, number);
        }
        assert!(all.iter().enumerate().all(|(number, text)| texts.get(text) == Some(number)));
        assert_eq!(texts.len(), all.len());
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let mut texts = Texts::default();
        for number in 0..3 * REMEMBERED {
            texts.insert(number.to_string().as_bytes(), number);
            assert!(texts.len() <= REMEMBERED);
        }
    }
}
