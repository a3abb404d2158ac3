//! What a thread remembers, so that it need not ask for it: the numbers of texts, and what it knows of accounts and regions.

use std::collections::HashMap;
use std::sync::Mutex;

use foldhash::fast::FixedState;

use super::coverage::Said;
use super::scan::Raw;
use super::table::{Rest, lock};
use super::tally::Span;

/// So many texts of a kind are remembered by each thread, so that it need not ask for their numbers.
pub(super) const REMEMBERED: usize = 1 << 14;

/// Numbers of texts that a thread has asked for before.
#[derive(Debug, Default)]
pub(super) struct Known(pub(super) HashMap<Box<[u8]>, u32, FixedState>);

impl Known {
    pub(super) fn number(&mut self, raw: Raw<'_>, ask: impl FnOnce(&str) -> u32) -> u32 {
        if let Some(number) = self.0.get(raw.bytes) {
            return *number;
        }
        let number = ask(&raw.text());
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(raw.bytes.into(), number);
        number
    }
}

/// What a thread knows of an account and region.
#[derive(Debug)]
pub(super) struct Scope {
    /// As events write them.
    pub(super) texts: (Box<[u8]>, Box<[u8]>),
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
    /// What its events say that they do.
    pub(super) said: Said,
}

impl Scope {
    /// Adds the hours to those that all threads have seen.
    pub(super) fn hand_over(&self, rest: &Mutex<Rest>) {
        if self.hours.1 != 0 {
            lock(rest).coverage.entry(self.numbers).or_default().add_hours(self.hours.0, self.hours.1);
        }
    }
}
