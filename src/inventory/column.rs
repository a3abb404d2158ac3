//! What each column of a source is for, and what its texts meant so far.

use crate::domains::cell::Cell;
use crate::domains::cmk::aliases::hides_alias;
use crate::domains::cmk::facts;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::{Misread, is_unknown_label, key_type, key_usage_under_usage, observe};
use crate::domains::spelling::is_unknown;
use crate::engine::facts::{Arity, Bits, FactId};
use crate::engine::packing::Slot;
use crate::rulebook::user::ColumnTest;

use super::intake::{Keep, Rules};
use super::mentions::Watch;
use super::recent::{LONGEST_SHORT, Recent};
use super::remarks::MOST_WORDS;
use super::row::{Cells, Names, Table};
use super::said::{Said, Word};
use super::shared::Shared;
use super::tidy::key_ids_in;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It supplies a fact.
    Fact(Field, FactId),
    /// It supplies one fact or another, whichever its text is about.
    Either(Field),
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
    /// It supplies the fact that is packed here, which no other column does, and nothing else.
    Plain(Slot),
    /// It helps to tell which key a record is about.
    Identifying(Word),
    /// It names aliases, of which the fact is packed here.
    Aliases(Slot),
    /// More.
    Several,
}

/// Whether a column is called what key ids are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyIdName {
    /// No.
    None,
    /// It has the field's very name.
    Own,
    /// It has a name, such as `id`, that may mean something else where the very name is there, too.
    Other,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it is called what key ids are called.
    pub key_id: KeyIdName,
    /// Its number, if some objects have it that have a key id by its very name, too.
    pub left_out: Option<u32>,
    /// The user's tests that ask it.
    pub tests: Vec<usize>,
    /// Whether it may also say what the API calls KeyUsage, which no other column does.
    pub takes_key_usage: bool,
    /// The first words that nobody understands, which decide nothing.
    pub unknown_words: Vec<String>,
    /// Whether a blank cell says nothing, as in Steampipe's column `key_aliases`: it writes `[]` for none.
    pub is_blank_unknown: bool,
    /// Its number, if its words are kept for the user.
    pub kept: Option<u32>,
    /// How it is watched, if no field reads it.
    pub watch: Watch,
    ways: Ways,
    cells: Recent,
    elements: Recent,
}

impl Column {
    fn new(name: &str, bases: &[Field], shared: &Shared, rules: &Rules) -> Column {
        let field = Field::from_header(name).or_else(|| numbered(name, bases));
        let asks = |(_, test): &(usize, &ColumnTest)| same_column(&test.column, name, field);
        let tests: Vec<usize> = rules.tests.iter().enumerate().filter(asks).map(|(index, _)| index).collect();
        let (cells, elements) = (Recent::default(), Recent::default());
        let key_id = match field {
            Some(Field::KeyId) if Field::is_vague_id(name) => KeyIdName::Other,
            Some(Field::KeyId) => KeyIdName::Own,
            _ => KeyIdName::None,
        };
        let (purpose, ways) = (Purpose::Unknown, Ways::Several);
        let mut column = Column {
            purpose,
            key_id,
            left_out: None,
            tests,
            takes_key_usage: field == Some(Field::Usage),
            unknown_words: Vec::new(),
            is_blank_unknown: name.trim() == "key_aliases",
            kept: None,
            watch: Watch::No,
            ways,
            cells,
            elements,
        };
        match field {
            Some(field) => column.purpose = purpose_of(field),
            None if name.trim().is_empty() => column.purpose = Purpose::Idle,
            None if column.tests.is_empty() => column.leave_out(name, shared, rules),
            None => {}
        }
        // Whose key it is, and of which applications, may be told with what they call.
        column.watch = match column.purpose {
            Purpose::Idle | Purpose::Unknown => Watch::of(name),
            Purpose::Note(Field::Applications | Field::Services | Field::Owner | Field::MigrationWindow) => {
                Watch::Texts
            }
            _ => Watch::No,
        };
        column
    }

    /// A column that a system writes and no field takes; only the user's own tests may ask it.
    fn of_system(name: &str, rules: &Rules) -> Column {
        let asks = |(_, test): &(usize, &ColumnTest)| same_column(&test.column, name, None);
        let tests = rules.tests.iter().enumerate().filter(asks).map(|(index, _)| index).collect();
        let (cells, elements) = (Recent::default(), Recent::default());
        let (purpose, key_id, ways) = (Purpose::Idle, KeyIdName::None, Ways::Several);
        Column {
            purpose,
            key_id,
            left_out: None,
            tests,
            takes_key_usage: false,
            unknown_words: Vec::new(),
            is_blank_unknown: false,
            kept: None,
            watch: Watch::No,
            ways,
            cells,
            elements,
        }
    }

    fn find_ways(&self, rules: &Rules, suppliers: usize) -> Ways {
        match self.purpose {
            _ if !self.tests.is_empty() => Ways::Several,
            Purpose::Idle | Purpose::Unknown => Ways::Silent,
            Purpose::Either(_) => Ways::Several,
            Purpose::Note(field) => Word::identifying(field).map_or(Ways::Several, Ways::Identifying),
            Purpose::Fact(Field::Aliases, fact) => Ways::Aliases(rules.packing.slot(fact)),
            Purpose::Fact(Field::Resource, _) => Ways::Several,
            Purpose::Fact(..) if suppliers > 1 => Ways::Several,
            Purpose::Fact(_, fact) => Ways::Plain(rules.packing.slot(fact)),
        }
    }

    /// Makes the column one that no field takes.
    fn leave_out(&mut self, name: &str, shared: &Shared, rules: &Rules) {
        let number = shared.column(name);
        (self.purpose, self.watch) = (Purpose::Unknown, Watch::of(name));
        self.kept = number.filter(|_| rules.keep == Keep::AllColumns);
    }

    fn field(&self) -> Option<Field> {
        match self.purpose {
            Purpose::Fact(field, _) | Purpose::Either(field) | Purpose::Note(field) => Some(field),
            Purpose::Idle | Purpose::Unknown => None,
        }
    }

    /// Does all that there is to do for a cell if that is little: it says nothing, or it says one thing that
    /// is understood at once and contradicts nothing. Tells whether it was.
    #[inline(always)]
    pub fn is_done<'a>(&self, table: Table<'a>, position: usize, said: &mut Said<'a>) -> bool {
        if let Ways::Plain(slot) = self.ways {
            // What is remembered has no white space around it, so that neither has what is found.
            let Some(meaning) = self.cells.known(table.bytes(position)) else { return false };
            said.facts = slot.with(said.facts, meaning);
            return true;
        }
        match (self.ways, table.cell(position)) {
            (Ways::Identifying(word), Cell::Text(text)) => said.keep_word(word, text),
            (Ways::Aliases(slot), Cell::Text(text)) => said.keep_alias(slot, text),
            (ways, _) => ways == Ways::Silent,
        }
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
    if text.starts_with(['[', '`', '*']) {
        // A JSON array, or marks of Markdown, which may stand around the whole.
        return observe(field, Cell::Text(text));
    }
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

/// Takes what a cell says.
///
/// # Errors
/// It is not understood, or another column says something else.
#[inline(never)]
pub fn take_cell<'a>(
    rules: &Rules,
    column: &mut Column,
    purpose: Purpose,
    cell: Cell<'a>,
    said: &mut Said<'a>,
) -> Result<(), Misread> {
    for test in &column.tests {
        let fact = FactId(rules.first_test + *test as u8);
        said.facts = rules.packing.with(said.facts, fact, test_bits(&rules.tests[*test], cell));
    }
    match purpose {
        Purpose::Fact(_, _) if column.takes_key_usage && key_usage_under_usage(cell).is_some() => {
            // Not remembered as a meaning of the column, for that is about another fact.
            let bits = key_usage_under_usage(cell).unwrap_or(0);
            said.state(rules.packing.slot(facts::KEY_USAGE), Field::KeyUsage, facts::KEY_USAGE, bits)?;
        }
        Purpose::Fact(field, fact) => {
            let mut bits = column.meaning(field, fact, cell)?;
            if field == Field::Aliases && cell == Cell::Blank && column.is_blank_unknown {
                bits = 0;
            } else if field == Field::Aliases && cell == Cell::Blank {
                (said.blank_alias, bits) = (bits, 0);
            } else if field == Field::Aliases && cell.text().is_some() && bits == 0 {
                said.has_unknown_alias = true;
            }
            said.state(rules.packing.slot(fact), field, fact, bits)?;
            match field {
                Field::Aliases => {
                    // Nothing more than that of a service is known then.
                    said.has_hidden_alias |= bits & !facts::ALIAS_OF_SERVICE == 0 && hides_alias(cell);
                    said.add_aliases(cell)?;
                }
                Field::Resource if cell != Cell::Absent => said.names_resource = true,
                _ => {}
            }
        }
        Purpose::Either(field) => {
            let (field, bits) = key_type(field, cell)?;
            if let Some(fact) = field.spec().fact {
                said.state(rules.packing.slot(fact), field, fact, bits)?;
            }
        }
        Purpose::Note(field) => said.note(field, cell)?,
        Purpose::Idle | Purpose::Unknown => {}
    }
    Ok(())
}

/// The text of a cell whose fact decides nothing and of which nobody understands what it says, if that is news.
#[inline]
pub fn unknown_word(rules: &Rules, column: &mut Column, cell: Cell<'_>, said: &Said<'_>) -> Option<String> {
    let (Purpose::Fact(field, fact), Cell::Text(text)) = (column.purpose, cell) else { return None };
    if rules.packing.get(said.facts, fact) != 0
        || !is_unknown_label(field, text)
        || column.unknown_words.len() >= MOST_WORDS
    {
        return None;
    }
    let word: String = text.chars().take(60).collect();
    let is_news = !column.unknown_words.contains(&word);
    is_news.then(|| column.unknown_words.push(word.clone()));
    is_news.then_some(word)
}

fn test_bits(test: &ColumnTest, cell: Cell<'_>) -> Bits {
    match cell.text() {
        Some(text) if !is_unknown(text) => 1 << u32::from(test.holds(text)),
        _ if cell == Cell::EmptyList => 1,
        _ => 0,
    }
}

fn purpose_of(field: Field) -> Purpose {
    match field.spec().fact {
        Some(fact) => Purpose::Fact(field, fact),
        None if matches!(field, Field::KeyType | Field::Creator) => Purpose::Either(field),
        None if Said::is_noted(field) => Purpose::Note(field),
        None => Purpose::Idle,
    }
}

/// The field of a column that a program has renamed because another has the name already (`operations.1`, `Language2`), or
/// that holds one element of a list (`operations.0`). Only such count that decide, and where the other column is there:
/// `bases` are the fields of columns by their own names.
fn numbered(name: &str, bases: &[Field]) -> Option<Field> {
    let is_mark = |c: char| matches!(c, '.' | '_' | ' ' | '-' | '/' | ':' | '#' | '[' | ']' | '(' | ')' | '（' | '）');
    let inner = name.trim().trim_end_matches(is_mark);
    let base = inner.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &inner[base.len()..];
    let field = Field::from_header(base.trim_end_matches(is_mark)).filter(|field| field.spec().fact.is_some())?;
    (number == "0" || !number.is_empty() && bases.contains(&field)).then_some(field)
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
    /// The positions of those that say something in a table.
    pub speaking: Vec<u16>,
    /// The positions of those that are watched in a table.
    pub watched: Vec<u16>,
    /// The keys that columns are called like, as far as nobody took notice: what stands there is said of them.
    pub keys_as_names: Vec<String>,
}

impl Columns {
    /// Makes sure that every column of the source has its purpose. Of a table, all are known from the beginning.
    pub fn learn(&mut self, names: &Names, cells: Cells<'_>, shared: &Shared, rules: &Rules) {
        let known = self.source == Some(names.source());
        if known && self.columns.len() == names.as_slice().len() {
            return;
        }
        if !known {
            self.source = Some(names.source());
            self.columns.clear();
        }
        // Of objects, nobody knows which further members others have, and it must not matter for this one.
        let is_table = matches!(cells, Cells::Table(_));
        let headers = names.as_slice().iter().filter(|_| is_table);
        let bases: Vec<Field> = headers.filter_map(|name| Field::from_header(name)).collect();
        for name in &names.as_slice()[self.columns.len()..] {
            self.keys_as_names.extend(key_ids_in(name));
            let column = match names.are_of_system() && Field::from_header(name).is_none() {
                true => Column::of_system(name, rules),
                false => Column::new(name, &bases, shared, rules),
            };
            self.columns.push(column);
        }
        // Objects are taken member by member, and may bring new names with every one.
        let Cells::Table(table) = cells else { return };
        if self.columns.iter().any(|column| column.key_id == KeyIdName::Own) {
            // Beside it, a column such as `id` is something else.
            let others = self.columns.iter_mut().zip(names.as_slice());
            for (column, name) in others.filter(|(column, _)| column.key_id == KeyIdName::Other) {
                column.leave_out(name, shared, rules);
            }
        }
        if self.columns.iter().any(|column| column.field() == Some(Field::KeyUsage)) {
            self.columns.iter_mut().for_each(|column| column.takes_key_usage = false);
        }
        let purposes: Vec<Purpose> = self.columns.iter().map(|column| column.purpose).collect();
        let fact_of = |purpose: &Purpose| if let Purpose::Fact(_, fact) = purpose { Some(*fact) } else { None };
        for (column, purpose) in self.columns.iter_mut().zip(&purposes) {
            let is_same = |other: &&Purpose| fact_of(other) == fact_of(purpose) || matches!(other, Purpose::Either(_));
            column.ways = column.find_ways(rules, purposes.iter().filter(is_same).count());
        }
        let of_field = |field: Field| self.columns.iter().filter(move |column| column.field() == Some(field)).count();
        // When a key was created matters only together with an interval, or with its last rotation.
        let of_clock = of_field(Field::RotationInterval) + of_field(Field::LastRotation);
        // Another input, or another sheet, may give that.
        let is_alone = !rules.scattered && table.is_of_text();
        let is_in_vain = is_alone && of_field(Field::Created) == 1 && of_clock == 0;
        let says = |column: &Column| {
            column.ways != Ways::Silent
                && !(is_in_vain && column.tests.is_empty() && column.purpose == Purpose::Note(Field::Created))
        };
        self.watched = positions(&self.columns, |column| column.watch != Watch::No);
        self.speaking = positions(&self.columns, says);
    }

    /// The first watched column that names an operation that blocks the migration.
    #[inline]
    pub fn mention(&self, cells: Cells<'_>) -> Option<u16> {
        let mentions = |at: u16, text: &str| self.columns[usize::from(at)].watch.mentions(text);
        match cells {
            Cells::Table(table) => self.watched.iter().copied().find(|at| mentions(*at, table.text(usize::from(*at)))),
            Cells::Members(_) => self.watched(cells).find(|(at, text)| mentions(*at, text)).map(|(at, _)| at),
        }
    }

    /// What stands in the columns that are watched, with their positions.
    pub fn watched<'c, 'a: 'c>(&'c self, cells: Cells<'a>) -> impl Iterator<Item = (u16, &'a str)> + 'c {
        let (table, members) = match cells {
            Cells::Table(table) => (Some(table), &[][..]),
            Cells::Members(members) => (None, members),
        };
        let in_table = move |table: Table<'a>| self.watched.iter().map(move |at| (*at, table.text(usize::from(*at))));
        let is_watched = |position: u16| self.columns[usize::from(position)].watch != Watch::No;
        let in_members = members.iter().filter(move |(position, _)| is_watched(*position));
        let in_members = in_members.filter_map(|(position, cell)| Some((*position, cell.text()?)));
        table.into_iter().flat_map(in_table).chain(in_members)
    }
}

/// The positions of columns with a property.
fn positions(columns: &[Column], has: impl Fn(&Column) -> bool) -> Vec<u16> {
    (0..).zip(columns).filter(|(_, column)| has(column)).map(|(at, _)| at).collect()
}
