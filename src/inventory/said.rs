//! What one record says, before it is packed.

use crate::domains::cell::Cell;
use crate::domains::cmk::facts;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::{Misread, is_plain_alias};
use crate::domains::cmk::spelling::{is_none, is_unknown};
use crate::engine::facts::{Bits, FactId};
use crate::engine::packing::{Packed, Slot};

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
        NOTED.contains(&field) || Said::default().slot(field).is_some()
    }

    /// Where the one text of a field belongs that says which key it is or when it rotates.
    fn slot(&mut self, field: Field) -> Option<&mut &'a str> {
        match field {
            Field::KeyId => Some(&mut self.identity.key_id),
            Field::Arn => Some(&mut self.identity.arn),
            Field::AccountId => Some(&mut self.identity.account_id),
            Field::Region => Some(&mut self.identity.region),
            Field::NextRotation => Some(&mut self.clock.next),
            Field::Created => Some(&mut self.clock.created),
            Field::RotationInterval => Some(&mut self.clock.interval),
            _ => None,
        }
    }

    /// Sets a fact. Two columns of one field may complete each other, but not disagree.
    ///
    /// # Errors
    /// The columns disagree.
    pub fn state(&mut self, slot: Slot, field: Field, fact: FactId, bits: Bits) -> Result<(), Misread> {
        if !slot.agrees(self.facts, bits) {
            let (spec, before) = (&facts::FACTS[fact.index()], slot.get(self.facts));
            if !spec.can_hold(before | bits) {
                return Err(disagreement(field, &spec.show(bits), &spec.show(before)));
            }
        }
        self.facts = slot.with(self.facts, bits);
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
        let too_many = || {
            let value = cell.text().unwrap_or_default().to_owned();
            Misread {
                field: Field::Aliases,
                value,
                expected: format!("aliases in at most {MAX_ALIAS_COLUMNS} columns"),
            }
        };
        *free.ok_or_else(too_many)? = cell;
        Ok(())
    }

    /// Keeps the words of a field that supplies no fact.
    ///
    /// # Errors
    /// Two columns of the field disagree.
    pub fn note(&mut self, field: Field, cell: Cell<'a>) -> Result<(), Misread> {
        let Some(text) = cell.text().filter(|text| !text.is_empty() && !is_unknown(text)) else { return Ok(()) };
        let is_clock = matches!(field, Field::NextRotation | Field::Created | Field::RotationInterval);
        if is_clock && is_none(text) {
            return Ok(());
        }
        if let Some(at) = NOTED.iter().position(|noted| *noted == field) {
            self.notes[at] = Some(text);
        }
        let Some(slot) = self.slot(field) else { return Ok(()) };
        if !matches!(cell, Cell::Text(_)) {
            return Err(Misread { field, value: text.to_owned(), expected: "one text or number".to_owned() });
        }
        if !slot.is_empty() && *slot != text {
            return Err(disagreement(field, text, slot));
        }
        *slot = text;
        Ok(())
    }

    /// Writes the aliases one behind the other, each closed by a unit separator.
    pub fn write_aliases(&self, out: &mut String) {
        for cell in self.aliases {
            write_aliases(cell, out);
        }
    }
}

fn disagreement(field: Field, value: &str, before: &str) -> Misread {
    let expected = format!("`{before}`, which another column of the same record says");
    Misread { field, value: value.to_owned(), expected }
}

fn write_aliases(cell: Cell<'_>, out: &mut String) {
    if let Cell::Text(text) = cell
        && is_plain_alias(text)
    {
        out.push_str(text);
        out.push('\u{1f}');
        return;
    }
    if cell.text().is_none_or(is_unknown) {
        return;
    }
    for alias in cell.elements().filter(|alias| !is_none(alias)) {
        out.push_str(alias);
        out.push('\u{1f}');
    }
}
