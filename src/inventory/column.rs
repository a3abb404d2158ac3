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

/// How much there is to do for a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ways {
    /// Nothing: no fact and no identity depends on it.
    Silent,
    /// It supplies the fact that is packed here, and nothing else.
    Plain(Slot),
    /// More.
    Several,
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
    ways: Ways,
    cells: Recent,
    elements: Recent,
}

impl Column {
    fn new(name: &str, shared: &Shared, rules: &Rules) -> Column {
        let field = Field::from_header(name);
        let asks = |(_, test): &(usize, &ColumnTest)| same_column(&test.column, name, field);
        let tests: Vec<usize> = rules.tests.iter().enumerate().filter(asks).map(|(index, _)| index).collect();
        let (cells, elements) = (Recent::default(), Recent::default());
        let mut column = Column { purpose: Purpose::Unknown, tests, kept: None, ways: Ways::Several, cells, elements };
        match field {
            Some(field) => column.purpose = purpose_of(field),
            None if name.trim().is_empty() => column.purpose = Purpose::Idle,
            None if column.tests.is_empty() => column.leave_out(name, shared, rules),
            None => {}
        }
        column
    }

    fn find_ways(&self, rules: &Rules) -> Ways {
        match self.purpose {
            _ if !self.tests.is_empty() => Ways::Several,
            Purpose::Idle | Purpose::Unknown => Ways::Silent,
            Purpose::Note(_) | Purpose::Fact(Field::Aliases | Field::Resource, _) => Ways::Several,
            Purpose::Fact(_, fact) => Ways::Plain(rules.packing.slot(fact)),
        }
    }

    /// Makes the column one that no field takes.
    fn leave_out(&mut self, name: &str, shared: &Shared, rules: &Rules) {
        let number = shared.column(name);
        self.purpose = Purpose::Unknown;
        self.kept = (rules.keep == Keep::AllColumns).then_some(number);
    }

    fn field(&self) -> Option<Field> {
        match self.purpose {
            Purpose::Fact(field, _) | Purpose::Note(field) => Some(field),
            Purpose::Idle | Purpose::Unknown => None,
        }
    }

    /// Does all that there is to do for a cell if that is little: it says nothing, or it only supplies a fact, is
    /// remembered and contradicts nothing. Tells whether it was.
    #[inline(always)]
    pub fn is_done(&self, cell: Cell<'_>, facts: &mut Packed) -> bool {
        let slot = match self.ways {
            Ways::Silent => return true,
            Ways::Several => return false,
            Ways::Plain(slot) => slot,
        };
        let Cell::Text(text) = cell else { return false };
        let Some(meaning) = self.cells.known(text) else { return false };
        let agrees = slot.agrees(*facts, meaning);
        if agrees {
            *facts = slot.with(*facts, meaning);
        }
        agrees
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
    let mut all = 0;
    for element in Cell::Text(text).elements() {
        let bits = elements.get(element, || observe(field, Cell::Text(element)))?;
        if bits == 0 || bits == none {
            // "none" or "unknown" among others: the whole cell says what is wrong with it.
            return observe(field, Cell::Text(text));
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
        for column in &mut self.columns {
            column.ways = column.find_ways(rules);
        }
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
