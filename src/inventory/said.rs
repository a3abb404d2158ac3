//! What one record says, before it is packed.

use crate::domains::cell::Cell;
use crate::domains::cmk::aliases::{alias_form, alias_names, is_plain_alias};
use crate::domains::cmk::facts;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::{Misread, observe};
use crate::domains::spelling::{is_none, is_unknown, unmarked};
use crate::engine::facts::{Bits, FactId};
use crate::engine::packing::{Packed, Packing, Slot};

use super::clock::{Unclear, parse_interval};
use super::dates::Dates;
use super::identity::IdentityCells;

/// What a record says, before it is packed.
#[derive(Debug, Default)]
pub struct Said<'a> {
    /// The facts.
    pub facts: Packed,
    /// The texts of the fields in [`WORDS`].
    words: [&'a str; WORDS.len()],
    /// The aliases, as they stand in up to three columns.
    aliases: [Cell<'a>; MAX_ALIAS_COLUMNS],
    /// Whether the first of them is one plain alias.
    is_first_plain: bool,
    /// What a blank alias cell means, if there is one: none, unless another column names an alias.
    pub blank_alias: Bits,
    /// Whether there are aliases, but nobody knows which.
    pub has_unknown_alias: bool,
    /// Whether a part of an alias is hidden that may be one of a service.
    pub has_hidden_alias: bool,
    /// Whether it has members that are left out for this object, though not for others.
    pub leaves_out: bool,
    /// Whether it says what kind of resource it is about.
    pub names_resource: bool,
    /// Whether there is anything to write beside the aliases.
    pub has_extras: bool,
    /// The texts of the fields in [`NOTED`].
    pub notes: [Option<&'a str>; NOTED.len()],
    /// A time that says too little, so that the record cannot be used.
    unclear: Option<Unclear>,
}

/// The fields that say which key a record is about or when it rotates: one text each.
const WORDS: [Field; 9] = [
    Field::KeyId,
    Field::Arn,
    Field::AccountId,
    Field::Region,
    Field::NextRotation,
    Field::Created,
    Field::RotationInterval,
    Field::LastRotation,
    Field::PrimaryVersion,
];

/// So many of them identify the key.
const IDENTIFYING: usize = 4;

/// The fields whose text outputs and plans use.
pub const NOTED: [Field; 8] = [
    Field::Services,
    Field::Applications,
    Field::Owner,
    Field::RotationInterval,
    Field::KeyVersionId,
    Field::TerraformAddress,
    Field::PrimaryVersion,
    Field::MigrationWindow,
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
    /// `last_rotation`.
    pub last: &'a str,
    /// `primary_key_version`.
    pub primary: &'a str,
    /// The time that says too little, if one does.
    pub unclear: Option<Unclear>,
}

impl<'a> Clock<'a> {
    /// What stands in one of the four fields.
    pub fn text(&self, field: Field) -> &'a str {
        match field {
            Field::NextRotation => self.next,
            Field::Created => self.created,
            Field::LastRotation => self.last,
            _ => self.interval,
        }
    }
}

/// A source may spread the aliases over so many columns.
const MAX_ALIAS_COLUMNS: usize = 3;

/// Which of the fields of one text a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(usize);

impl Word {
    /// Of a field that identifies the key.
    pub fn identifying(field: Field) -> Option<Word> {
        WORDS[..IDENTIFYING].iter().position(|word| *word == field).map(Word)
    }
}

impl<'a> Said<'a> {
    /// Whether a field that supplies no fact is worth a call of [`Said::note`].
    pub fn is_noted(field: Field) -> bool {
        NOTED.contains(&field) || WORDS.contains(&field)
    }

    /// Which key the record is about.
    pub fn identity(&self) -> IdentityCells<'a> {
        let [key_id, arn, account_id, region, ..] = self.words;
        IdentityCells { key_id, arn, account_id, region }
    }

    /// When it rotates.
    pub fn clock(&self) -> Clock<'a> {
        let [.., next, created, interval, last, primary] = self.words;
        Clock { next, created, interval, last, primary, unclear: self.unclear }
    }

    /// Keeps a text that identifies the key, if that is all there is to do. Tells whether it was.
    #[inline(always)]
    pub fn keep_word(&mut self, word: Word, text: &'a str) -> bool {
        let place = &mut self.words[word.0];
        let is_plain = place.is_empty() && !is_unknown(text);
        if is_plain {
            *place = text;
        }
        is_plain
    }

    /// Keeps the only alias, if it is a plain one, and if that is all there is to do. Tells whether it was.
    #[inline(always)]
    pub fn keep_alias(&mut self, slot: Slot, text: &'a str) -> bool {
        let is_plain = self.aliases[0] == Cell::Absent && slot.get(self.facts) == 0 && is_plain_alias(text);
        if is_plain {
            (self.aliases[0], self.is_first_plain) = (Cell::Text(text), true);
            self.facts = slot.with(self.facts, alias_form(text));
        }
        is_plain
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
        let word = WORDS.iter().position(|word| *word == field);
        let is_of_clock = word.is_some_and(|word| word >= IDENTIFYING);
        let text = if is_of_clock { cell.text().map(unmarked) } else { cell.text() };
        let Some(text) = text.filter(|text| !text.is_empty() && !is_unknown(text)) else { return Ok(()) };
        if is_of_clock && is_none(text) {
            return Ok(());
        }
        if is_nested(cell) {
            let expected = "one text, or a list of texts; what stands inside an object is not used, so write it into members of the record".to_owned();
            return Err(Misread { field, value: text.to_owned(), expected });
        }
        self.has_extras = true;
        if let Some(at) = NOTED.iter().position(|noted| *noted == field) {
            self.notes[at] = Some(text);
        }
        let Some(place) = word.map(|word| &mut self.words[word]) else { return Ok(()) };
        if !matches!(cell, Cell::Text(_)) {
            return Err(Misread { field, value: text.to_owned(), expected: "one text or number".to_owned() });
        }
        if !place.is_empty() && *place != text {
            return Err(disagreement(field, text, place));
        }
        *place = text;
        Ok(())
    }

    /// Sets what follows from the record's own times and texts: rotation from its period, as the old console shows it,
    /// and what suggests how many versions there are.
    pub fn follow(&mut self, packing: &Packing) {
        if self.has_hidden_alias {
            // What other columns name is not all, unless it is the alias of a service.
            let others = packing.get(self.facts, facts::ALIASES) & !facts::ALIAS_OF_SERVICE;
            self.facts = self.facts.without(packing.with(Packed::default(), facts::ALIASES, others));
        }
        let clock = self.clock();
        if !clock.interval.is_empty() && packing.get(self.facts, facts::ROTATION) == 0 {
            self.facts = packing.with(self.facts, facts::ROTATION, rotation_by_period(clock.interval));
        }
        let mut evidence = 0;
        if !clock.last.is_empty() && !clock.created.is_empty() {
            let dates = Dates {
                created: clock.created,
                last: clock.last,
                spec: packing.get(self.facts, facts::KEY_SPEC),
                has_primary: !clock.primary.is_empty(),
            };
            match dates.evidence() {
                Ok(found) => evidence |= found,
                Err(unclear) => self.unclear = Some(unclear),
            }
        }
        if self.notes[KEY_VERSION].is_some() {
            evidence |= facts::ONE_VERSION_LISTED;
        }
        if evidence != 0 {
            self.facts = packing.with(self.facts, facts::VERSION_EVIDENCE, evidence);
        }
    }

    /// Writes the aliases one behind the other, each closed by a unit separator.
    pub fn write_aliases(&self, out: &mut String) {
        let mut cells = &self.aliases[..];
        if let ([Cell::Text(first), rest @ ..], true) = (cells, self.is_first_plain) {
            out.push_str(first);
            out.push('\u{1f}');
            cells = rest;
        }
        cells.iter().for_each(|cell| write_aliases(*cell, out));
    }
}

/// Whether a cell holds objects, which may say more than any text: the operations of an application, for instance.
fn is_nested(cell: Cell<'_>) -> bool {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    match cell {
        Cell::Object(_) => true,
        Cell::List(_) => cell.elements().any(|element| element.starts_with(['{', '[']) && is_json(element)),
        // As tools write objects into tables.
        Cell::Text(text) => {
            let first = text.strip_prefix('[').unwrap_or(text).trim_start();
            first.starts_with('{') && is_json(text)
        }
        _ => false,
    }
}

/// The place of `key_version_id` among [`NOTED`].
const KEY_VERSION: usize = 4;

/// Whether a key rotates, by the period after which it does: the old console shows "Disable" (不开启) in its place.
fn rotation_by_period(period: &str) -> Bits {
    if parse_interval(period).is_some() {
        return facts::FACTS[facts::ROTATION.index()].value("Enabled").unwrap_or(0);
    }
    // A period of 0 may be none, or one that a program does not know; it is not the `false` of another column.
    let is_number = period.trim().bytes().all(|byte| byte.is_ascii_digit());
    if is_number { 0 } else { observe(Field::Rotation, Cell::Text(period)).unwrap_or(0) }
}

fn disagreement(field: Field, value: &str, before: &str) -> Misread {
    let expected = format!("`{before}`, which another column of the same record says");
    Misread { field, value: value.to_owned(), expected }
}

fn write_aliases(cell: Cell<'_>, out: &mut String) {
    if cell.text().is_none_or(is_unknown) {
        return;
    }
    for alias in alias_names(cell).unwrap_or_default().iter().filter(|alias| !is_none(alias)) {
        out.push_str(alias);
        out.push('\u{1f}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_version_stands_at_its_place() {
        assert_eq!(NOTED[KEY_VERSION], Field::KeyVersionId);
    }
}
