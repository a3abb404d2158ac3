//! What one record says, before it is packed.

use crate::domains::cell::Cell;
use crate::domains::cmk::atoms;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::{Misread, is_one_alias};
use crate::domains::cmk::words::{NONE, is_unknown, plain};
use crate::engine::facts::{Bits, FactId, Packed, Packing};

use super::identity::IdentityCells;

/// What a record says, before it is packed.
#[derive(Debug, Default)]
pub struct Said<'a> {
    /// The facts.
    pub facts: Packed,
    /// Which key it is about.
    pub identity: IdentityCells<'a>,
    /// The aliases, as they stand in up to three columns.
    pub aliases: [Cell<'a>; MAX_ALIAS_COLUMNS],
    /// When it rotates.
    pub clock: Clock<'a>,
    /// The texts of the fields in [`NOTED`].
    pub notes: [Option<&'a str>; NOTED.len()],
}

/// The fields whose text outputs and plans use.
pub const NOTED: [Field; 4] = [Field::Services, Field::Applications, Field::Owner, Field::RotationInterval];

/// The fields that say which key it is and when it rotates.
const IDENTIFYING: [Field; 7] = [
    Field::KeyId,
    Field::Arn,
    Field::AccountId,
    Field::Region,
    Field::NextRotation,
    Field::Created,
    Field::RotationInterval,
];

/// What a record says about its next rotation.
#[derive(Debug, Default, Clone, Copy)]
pub struct Clock<'a> {
    /// `next_rotation`.
    pub next: &'a str,
    /// `created`.
    pub created: &'a str,
    /// `rotation_interval`.
    pub interval: &'a str,
}

impl<'a> Clock<'a> {
    /// What stands in one of the three fields.
    pub fn text(&self, field: Field) -> &'a str {
        match field {
            Field::NextRotation => self.next,
            Field::Created => self.created,
            _ => self.interval,
        }
    }
}

/// A source may spread the aliases over so many columns.
const MAX_ALIAS_COLUMNS: usize = 3;

impl<'a> Said<'a> {
    /// Whether a field that supplies no fact is worth a call of [`Said::note`].
    pub fn is_noted(field: Field) -> bool {
        NOTED.contains(&field) || IDENTIFYING.contains(&field)
    }

    /// Sets a fact. Two columns of one field may complete each other, but not disagree.
    ///
    /// # Errors
    /// The columns disagree.
    pub fn state(&mut self, packing: &Packing, field: Field, fact: FactId, bits: Bits) -> Result<(), Misread> {
        let before = packing.get(self.facts, fact);
        let spec = &atoms::FACTS[fact.index()];
        if before != 0 && bits != 0 && before != bits && !spec.can_hold(before | bits) {
            return Err(disagreement(field, &spec.show(bits), &spec.show(before)));
        }
        self.facts = packing.with(self.facts, fact, bits);
        Ok(())
    }

    /// Keeps the aliases' own words.
    ///
    /// # Errors
    /// They are spread over more columns than can be kept.
    pub fn add_aliases(&mut self, cell: Cell<'a>) -> Result<(), Misread> {
        if cell.text().is_none() {
            return Ok(());
        }
        let free = self.aliases.iter_mut().find(|held| **held == Cell::Absent);
        let value = cell.text().unwrap_or_default().to_owned();
        let expected = format!("aliases in at most {MAX_ALIAS_COLUMNS} columns");
        *free.ok_or(Misread { field: Field::Aliases, value, expected })? = cell;
        Ok(())
    }

    /// Keeps the words of a field that supplies no fact.
    ///
    /// # Errors
    /// Two columns of the field disagree.
    pub fn note(&mut self, field: Field, cell: Cell<'a>) -> Result<(), Misread> {
        let Some(text) = cell.text().filter(|text| !says_nothing(text)) else { return Ok(()) };
        let is_clock = matches!(field, Field::NextRotation | Field::RotationInterval | Field::Created);
        if is_clock && NONE.contains(&plain(text).as_str()) {
            return Ok(());
        }
        if !matches!(cell, Cell::Text(_)) && IDENTIFYING.contains(&field) {
            return Err(Misread { field, value: text.to_owned(), expected: "one text or number".to_owned() });
        }
        if let Some(slot) = NOTED.iter().position(|noted| *noted == field) {
            self.notes[slot] = Some(text);
        }
        let slot = match field {
            Field::KeyId => &mut self.identity.key_id,
            Field::Arn => &mut self.identity.arn,
            Field::AccountId => &mut self.identity.account_id,
            Field::Region => &mut self.identity.region,
            Field::NextRotation => &mut self.clock.next,
            Field::Created => &mut self.clock.created,
            Field::RotationInterval => &mut self.clock.interval,
            _ => return Ok(()),
        };
        if !slot.is_empty() && *slot != text {
            return Err(disagreement(field, text, slot));
        }
        *slot = text;
        Ok(())
    }

    /// Writes the aliases one behind the other, each closed by a unit separator.
    pub fn write_aliases(&self, out: &mut Vec<u8>) {
        for cell in self.aliases {
            write_aliases(cell, out);
        }
    }
}

fn disagreement(field: Field, value: &str, before: &str) -> Misread {
    let expected = format!("`{before}`, which another column of the same record says");
    Misread { field, value: value.to_owned(), expected }
}

/// Whether a text is one of the words that mean "nobody knows". Those are short and no numbers, which
/// most texts of these fields are not.
fn says_nothing(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        Some(b'-') => is_unknown(text),
        Some(first) => text.len() <= 16 && !first.is_ascii_digit() && !text.contains('-') && is_unknown(text),
    }
}

fn write_aliases(cell: Cell<'_>, out: &mut Vec<u8>) {
    if let Cell::Text(text) = cell
        && text.starts_with("alias/")
        && is_one_alias(text)
    {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\x1f');
        return;
    }
    if cell.text().is_none_or(is_unknown) {
        return;
    }
    for alias in cell.elements().filter(|alias| !NONE.contains(&plain(alias).as_str())) {
        out.extend_from_slice(alias.as_bytes());
        out.push(b'\x1f');
    }
}
