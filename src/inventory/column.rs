//! What each column of a source is for, and what its texts meant so far.

use crate::domains::cell::Cell;
use crate::domains::cmk::facts;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::{Misread, observe};
use crate::engine::facts::{Arity, Bits, FactId};
use crate::engine::packing::{Packed, Slot};
use crate::rulebook::user::ColumnTest;

use super::intake::{Keep, Rules};
use super::recent::{LONGEST_SHORT, Recent};
use super::row::Names;
use super::said::Said;
use super::shared::Shared;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It supplies a fact.
    Fact(Field, FactId),
    /// Its words are kept.
    Note(Field),
    /// It is known, but nothing here uses it.
    Idle,
    /// No field takes it.
    Unknown,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// What it is for.
    pub purpose: Purpose,
    /// The user's tests that ask it.
    pub tests: Vec<usize>,
    /// Its number, if its words are kept for the user.
    pub kept: Option<u32>,
    /// Where its fact is packed.
    pub slot: Slot,
    /// Whether its cells say what they mean for its fact, and nothing else.
    plain: bool,
    /// Whether its cells say nothing.
    silent: bool,
    cells: Recent,
    elements: Recent,
}

impl Column {
    fn new(name: &str, shared: &Shared, rules: &Rules) -> Column {
        let field = Field::from_header(name);
        let asks = |(_, test): &(usize, &ColumnTest)| same_column(&test.column, name, field);
        let tests: Vec<usize> = rules.tests.iter().enumerate().filter(asks).map(|(index, _)| index).collect();
        let (cells, elements) = (Recent::default(), Recent::default());
        let (slot, silent) = (Slot::default(), tests.is_empty());
        let purpose = Purpose::Unknown;
        let mut column = Column { purpose, tests, kept: None, slot, plain: false, silent, cells, elements };
        match field {
            Some(field) => column.purpose = purpose_of(field),
            None if name.trim().is_empty() => column.purpose = Purpose::Idle,
            None if column.tests.is_empty() => column.leave_out(name, shared, rules),
            None => {}
        }
        column.silent &= matches!(column.purpose, Purpose::Idle | Purpose::Unknown);
        if let Purpose::Fact(field, fact) = column.purpose {
            column.slot = rules.packing.slot(fact);
            column.plain = column.tests.is_empty() && !matches!(field, Field::Aliases | Field::Resource);
        }
        column
    }

    /// Whether no fact and no identity depends on it.
    #[inline]
    pub fn says_nothing(&self) -> bool {
        self.silent
    }

    /// Makes the column one that no field takes.
    fn leave_out(&mut self, name: &str, shared: &Shared, rules: &Rules) {
        let number = shared.column(name);
        self.purpose = Purpose::Unknown;
        self.silent = self.tests.is_empty();
        self.kept = (rules.keep == Keep::AllColumns).then_some(number);
    }

    fn field(&self) -> Option<Field> {
        match self.purpose {
            Purpose::Fact(field, _) | Purpose::Note(field) => Some(field),
            Purpose::Idle | Purpose::Unknown => None,
        }
    }

    /// Adds what a cell says to the facts, if that is all the cell is for, it is remembered, and contradicts
    /// nothing; tells whether it did.
    #[inline(always)]
    pub fn add(&self, facts: &mut Packed, cell: Cell<'_>) -> bool {
        if !self.plain {
            return false;
        }
        let Cell::Text(text) = cell else { return false };
        let Some(meaning) = self.cells.known(text) else { return false };
        let before = self.slot.get(*facts);
        let agree = before == 0 || meaning == 0 || before == meaning;
        if agree {
            *facts = self.slot.with(*facts, meaning);
        }
        agree
    }

    /// What a cell says of the column's fact; remembered. Long lists are remembered by element, for there
    /// are many lists of few elements.
    ///
    /// # Errors
    /// The cell is not understood.
    pub fn meaning(&mut self, field: Field, fact: FactId, cell: Cell<'_>) -> Result<Bits, Misread> {
        // Nearly every key has aliases of its own, so they are not worth remembering.
        let (Cell::Text(text), true) = (cell, field != Field::Aliases) else { return observe(field, cell) };
        let spec = &facts::FACTS[fact.index()];
        let elements = &mut self.elements;
        if spec.arity == Arity::One {
            return self.cells.get(text, || observe(field, cell));
        }
        if text.len() <= LONGEST_SHORT {
            return self.cells.get(text, || list_meaning(elements, field, spec.none_bit(), text));
        }
        list_meaning(elements, field, spec.none_bit(), text)
    }
}

fn list_meaning(elements: &mut Recent, field: Field, none: Bits, text: &str) -> Result<Bits, Misread> {
    let whole = || observe(field, Cell::Text(text));
    if !text.is_ascii() {
        return whole();
    }
    let (mut all, mut start) = (0, 0);
    while start < text.len() {
        let rest = &text.as_bytes()[start..];
        let end = memchr::memchr3(b';', b',', b'|', rest).map_or(text.len(), |offset| start + offset);
        let element = Cell::of_table(&text[start..end]);
        start = end + 1;
        let Cell::Text(element) = element else { continue };
        let bits = match elements.known(element) {
            Some(bits) => bits,
            None => elements.get(element, || observe(field, Cell::Text(element)))?,
        };
        if bits == 0 || bits == none {
            // "none" or "unknown" among others: the whole cell says what is wrong with it.
            return whole();
        }
        all |= bits;
    }
    Ok(all)
}

fn purpose_of(field: Field) -> Purpose {
    match field.spec().fact {
        Some(fact) => Purpose::Fact(field, fact),
        None if Said::is_noted(field) => Purpose::Note(field),
        None => Purpose::Idle,
    }
}

fn same_column(wanted: &str, name: &str, field: Option<Field>) -> bool {
    wanted.eq_ignore_ascii_case(name.trim()) || field.is_some() && Field::from_header(wanted) == field
}

/// The columns of the source at hand.
#[derive(Debug, Default)]
pub struct Columns {
    source: Option<u64>,
    /// The columns, by position.
    pub columns: Vec<Column>,
}

impl Columns {
    /// Makes sure that every column of the source has its purpose.
    pub fn learn(&mut self, names: &Names, shared: &Shared, rules: &Rules) {
        let known = self.source == Some(names.source());
        if known && self.columns.len() == names.as_slice().len() {
            return;
        }
        if !known {
            self.source = Some(names.source());
            self.columns.clear();
        }
        for name in &names.as_slice()[self.columns.len()..] {
            self.columns.push(Column::new(name, shared, rules));
        }
        self.prefer_canonical_names(names.as_slice(), shared, rules);
    }

    /// Where a column bears the very name `key_id`, a column such as `id` is something else. Columns of any
    /// other field complete each other, and must not disagree.
    fn prefer_canonical_names(&mut self, names: &[String], shared: &Shared, rules: &Rules) {
        for index in 0..self.columns.len() {
            let Some(field) = self.columns[index].field().filter(|field| *field == Field::KeyId) else { continue };
            let bears_the_name = |at: usize| at != index && field.is_canonical(&names[at]);
            let rivals = (0..self.columns.len()).filter(|at| self.columns[*at].field() == Some(field));
            if !field.is_canonical(&names[index]) && rivals.into_iter().any(bears_the_name) {
                self.columns[index].leave_out(&names[index], shared, rules);
            }
        }
    }
}
