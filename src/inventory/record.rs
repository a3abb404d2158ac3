//! Records as they are kept: facts by number, texts by position, so that a key takes about a hundred bytes.

use crate::domains::cmk::fields::{FIELDS, Field};

use super::listings::Listing;
use super::notes::Notes;
use super::rejects::Rejects;
use super::remarks::Remarks;
use super::row::{FileId, Place, Reject};

/// One record: its facts by shape, its identity and texts by position in the batch's text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    /// Hash of everything that the record says; equal for exact duplicates.
    pub content: u64,
    /// What it says, by number.
    pub shape: u32,
    /// The account, by number.
    pub account: u32,
    /// The line on which it begins.
    pub line: u32,
    /// Where its texts begin: key id, aliases, extras. They end where those of the next record begin.
    pub text: u32,
    /// Length of the aliases.
    pub aliases: u16,
    /// The region, by number.
    pub region: u16,
    /// What it says aside, by number.
    pub aside: u16,
    /// Length of the key id.
    pub key_id: u16,
}

/// The records of one block of input.
#[derive(Debug, Default)]
pub struct Batch {
    /// The file.
    pub file: FileId,
    /// The records, in input order.
    pub records: Vec<Record>,
    /// Hashes of their identities.
    pub identities: Vec<u32>,
    /// Their texts.
    pub text: String,
    /// What could not be used.
    pub rejects: Rejects,
    /// What else is to be known.
    pub notes: Notes,
    /// What many records have in common, to be told once.
    pub remarks: Remarks,
    /// How much there is of the lists that replies are part of.
    pub listings: Vec<Listing>,
    /// Whether it has a second header line with other columns, so that what follows in the file stands under those.
    pub is_misplaced: bool,
    /// Whether it begins with a record that names no key, and may be about that of the last record above it.
    pub taints_above: bool,
}

/// Why rows below a second header line cannot be used.
pub const MISPLACED: &str =
    "stands below a second header line with other columns; put each table into a file of its own";

impl Batch {
    /// Makes rejects of all records, which stand below a second header line.
    pub fn misplace(&mut self) {
        for record in std::mem::take(&mut self.records) {
            let start = record.text as usize;
            let key_id = self.text.get(start..start + usize::from(record.key_id)).map(str::to_owned);
            let place = Place { file: self.file, line: u64::from(record.line) };
            self.rejects.push(Reject { key_id, ..Reject::whole(place, MISPLACED) });
        }
        self.identities.clear();
        self.text.clear();
    }
}

/// A text that is kept beside the facts, with what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// The next rotation as the inventory gives it, normalised.
    NextRotation,
    /// The next rotation as creation and interval give it, normalised.
    ComputedRotation,
    /// A canonical field that outputs and plans use.
    Field(Field),
    /// A column of the user's, by its number.
    Column(u32),
}

impl Extra {
    fn code(self) -> u32 {
        match self {
            Extra::NextRotation => 0,
            Extra::ComputedRotation => 1,
            Extra::Field(field) => 2 + field as u32,
            Extra::Column(column) => 64 + column,
        }
    }

    fn from_code(code: u32) -> Extra {
        match code {
            0 => Extra::NextRotation,
            1 => Extra::ComputedRotation,
            2..64 => Extra::Field(FIELDS[(code - 2) as usize].field),
            _ => Extra::Column(code - 64),
        }
    }

    /// Appends the extra to what was written before: its code and length in decimal, then its text.
    pub fn write(self, text: &str, out: &mut String) {
        let mut number = itoa::Buffer::new();
        for part in [self.code() as usize, text.len()] {
            out.push_str(number.format(part));
            out.push(':');
        }
        out.push_str(text);
    }
}

/// The extras that were written one behind the other.
pub fn extras(mut written: &str) -> impl Iterator<Item = (Extra, &str)> {
    std::iter::from_fn(move || {
        let (code, rest) = written.split_once(':')?;
        let (length, rest) = rest.split_once(':')?;
        let (text, rest) = rest.split_at_checked(length.parse().ok()?)?;
        written = rest;
        Some((Extra::from_code(code.parse().ok()?), text))
    })
}
