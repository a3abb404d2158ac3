//! Rows to compact records, one worker at a time, without allocation per row.
//!
//! Columns that carry facts hold few different values, so each column remembers what a text meant.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Mutex;

use foldhash::fast::FixedState;

use crate::domains::cell::{Cell, is_list_separator};
use crate::domains::cmk::atoms;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::{Misread, is_one_alias, observe};
use crate::domains::cmk::words::is_unknown;
use crate::engine::facts::{Arity, Bits, FactId, Facts, Grade};
use crate::rulebook::user::ColumnTest;

use super::identity::IdentityCells;
use super::row::{FileId, Names, Place, Reject, Row, RowSink};

/// One record: its facts by shape, its identity and texts by position in the batch's text.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Hash of everything that the record says; equal for exact duplicates.
    pub content: u64,
    /// Hash of the identity.
    pub identity: u32,
    /// What it says, in [`Shared`].
    pub shape: u32,
    /// Account and region, in [`Shared`].
    pub scope: u32,
    /// The line on which it begins.
    pub line: u32,
    /// Where its texts begin: key id, aliases, extras.
    pub text: u32,
    /// Length of the aliases.
    pub aliases: u32,
    /// Length of the extras.
    pub extras: u32,
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
    /// Their texts.
    pub text: Vec<u8>,
    /// What could not be used, in input order.
    pub rejects: Vec<Reject>,
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
    /// A column of the user's, by its number in [`Shared`].
    Column(u16),
}

impl Extra {
    fn code(self) -> u16 {
        match self {
            Extra::NextRotation => 0,
            Extra::ComputedRotation => 1,
            Extra::Field(field) => 2 + field as u16,
            Extra::Column(column) => 64 + column,
        }
    }

    fn from_code(code: u16) -> Extra {
        match code {
            0 => Extra::NextRotation,
            1 => Extra::ComputedRotation,
            2..64 => Extra::Field(crate::domains::cmk::fields::FIELDS[usize::from(code - 2)].field),
            _ => Extra::Column(code - 64),
        }
    }

    fn write(self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.code().to_le_bytes());
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
}

/// The extras that were written one behind the other.
pub fn extras(mut bytes: &[u8]) -> impl Iterator<Item = (Extra, &str)> {
    std::iter::from_fn(move || {
        let (code, rest) = bytes.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        bytes = rest;
        Some((
            Extra::from_code(u16::from_le_bytes(*code)),
            std::str::from_utf8(text).unwrap_or_default(),
        ))
    })
}

/// What all workers number together: shapes, scopes, columns that are kept or not understood.
#[derive(Debug, Default)]
pub struct Shared {
    shapes: Mutex<Numbering<Facts>>,
    scopes: Mutex<Numbering<(String, String)>>,
    columns: Mutex<Numbering<String>>,
}

/// Things in the order in which they were first seen.
#[derive(Debug)]
pub struct Numbering<T> {
    numbers: HashMap<T, u32, FixedState>,
    /// The things, by number.
    pub things: Vec<T>,
}

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Numbering {
            numbers: HashMap::default(),
            things: Vec::new(),
        }
    }
}

impl<T: Hash + Eq + Clone> Numbering<T> {
    /// The number of a thing.
    pub fn number(&mut self, thing: &T) -> u32 {
        if let Some(known) = self.numbers.get(thing) {
            return *known;
        }
        let number = self.things.len() as u32;
        self.things.push(thing.clone());
        self.numbers.insert(thing.clone(), number);
        number
    }
}

/// Shapes, scopes and columns, once all workers are done.
#[derive(Debug)]
pub struct Numbered {
    /// Combinations of facts as records state them.
    pub shapes: Numbering<Facts>,
    /// Account and region.
    pub scopes: Vec<(String, String)>,
    /// Columns that no field takes.
    pub columns: Vec<String>,
}

impl Shared {
    /// What was numbered.
    pub fn finish(self) -> Numbered {
        Numbered {
            shapes: open(self.shapes),
            scopes: open(self.scopes).things,
            columns: open(self.columns).things,
        }
    }
}

fn open<T>(mutex: Mutex<T>) -> T {
    mutex
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What the intake keeps beside the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// What outputs and plans use.
    #[default]
    Used,
    /// Also the columns that no field takes.
    AllColumns,
}

/// How rows become records.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What is kept.
    pub keep: Keep,
    /// Facts that a user's rulebook reads from columns, with the first one's position.
    pub tests: Vec<ColumnTest>,
    /// The position of the first such fact.
    pub first_test: u8,
}

/// What one column is for.
#[derive(Debug)]
struct Column {
    field: Option<Field>,
    tests: Vec<usize>,
    kept: Option<u16>,
    hash: FixedState,
    meanings: Vec<Meaning>,
}

/// What a text of a column meant the last time.
#[derive(Debug, Default)]
struct Meaning {
    text: String,
    bits: Bits,
}

/// So many texts are remembered for each column, at a place that their hash gives.
const MEANINGS: usize = 2048;

/// A worker's state.
#[derive(Debug)]
pub struct Intake<'s> {
    shared: &'s Shared,
    rules: &'s Rules,
    source: Option<u64>,
    columns: Vec<Column>,
    shapes: HashMap<Facts, u32, FixedState>,
    scopes: HashMap<String, u32, FixedState>,
    scope_key: String,
    batch: Batch,
}

impl<'s> Intake<'s> {
    /// A worker that has seen nothing yet.
    pub fn new(shared: &'s Shared, rules: &'s Rules) -> Intake<'s> {
        Intake {
            shared,
            rules,
            source: None,
            columns: Vec::new(),
            shapes: HashMap::default(),
            scopes: HashMap::default(),
            scope_key: String::new(),
            batch: Batch::default(),
        }
    }

    /// Begins the batch of a block of a file.
    pub fn begin(&mut self, file: FileId) {
        self.batch.file = file;
    }

    /// Hands the batch over and begins an empty one, with room for about as much.
    pub fn take(&mut self) -> Batch {
        let next = Batch {
            records: Vec::with_capacity(self.batch.records.len() + self.batch.records.len() / 16),
            text: Vec::with_capacity(self.batch.text.len() + self.batch.text.len() / 16),
            ..Batch::default()
        };
        std::mem::replace(&mut self.batch, next)
    }

    /// Makes sure that every column of the source has its purpose.
    fn learn_columns(&mut self, names: &Names) {
        if self.source == Some(names.source()) && self.columns.len() == names.as_slice().len() {
            return;
        }
        if self.source != Some(names.source()) {
            self.source = Some(names.source());
            self.columns.clear();
        }
        while let Some(name) = names.as_slice().get(self.columns.len()) {
            let field = Field::from_header(name);
            let tests = self
                .rules
                .tests
                .iter()
                .enumerate()
                .filter(|(_, test)| same_column(&test.column, name, field));
            let tests: Vec<usize> = tests.map(|(index, _)| index).collect();
            let unknown = field.is_none() && tests.is_empty();
            let number = unknown.then(|| lock(&self.shared.columns).number(name) as u16);
            self.columns.push(Column {
                field,
                tests,
                kept: number.filter(|_| self.rules.keep == Keep::AllColumns),
                hash: FixedState::with_seed(
                    FixedState::default()
                        .hash_one(field.map_or(name.as_str(), |field| field.name())),
                ),
                meanings: std::iter::repeat_with(Meaning::default)
                    .take(MEANINGS)
                    .collect(),
            });
        }
        self.prefer_canonical_names(names);
    }

    /// Where a column bears the very name of a field, columns that only resemble it are left out.
    fn prefer_canonical_names(&mut self, names: &Names) {
        for index in 0..self.columns.len() {
            let Some(field) = self.columns[index].field else {
                continue;
            };
            let canonical = |name: &str| Field::is_canonical(field, name);
            let same = |(at, column): (usize, &Column)| {
                at != index && column.field == Some(field) && canonical(&names.as_slice()[at])
            };
            if !canonical(&names.as_slice()[index]) && self.columns.iter().enumerate().any(same) {
                let number = lock(&self.shared.columns).number(&names.as_slice()[index]) as u16;
                self.columns[index].field = None;
                self.columns[index].kept = (self.rules.keep == Keep::AllColumns).then_some(number);
            }
        }
    }

    fn take_row(&mut self, names: &Names, row: Row<'_>) -> Result<(), Reject> {
        let place = Place {
            file: self.batch.file,
            line: row.line,
        };
        let mut said = Said::default();
        let mut has_resource = false;
        for (position, cell) in row.cells {
            let column = &mut self.columns[usize::from(*position)];
            let hash = hash_cell(&column.hash, *cell);
            said.content = said.content.wrapping_add(hash);
            for test in &column.tests {
                let fact = FactId(self.rules.first_test + *test as u8);
                said.facts.set(
                    fact,
                    test_bits(&self.rules.tests[*test], *cell),
                    Grade::Stated,
                );
            }
            let Some(field) = column.field else { continue };
            has_resource |= field == Field::Resource && *cell != Cell::Absent;
            let refuse = |misread: Misread| {
                Reject::cell(
                    place,
                    &names.as_slice()[usize::from(*position)],
                    &misread.value,
                    format!(
                        "not understood as {}; expected {}",
                        field.name(),
                        misread.expected
                    ),
                )
            };
            match field.spec().fact {
                Some(fact) => {
                    let bits = column.meaning(field, fact, *cell, hash).map_err(refuse)?;
                    said.state(field, fact, bits).map_err(refuse)?;
                    if field == Field::Aliases {
                        said.add_aliases(*cell);
                    }
                }
                None => said.note(field, *cell).map_err(refuse)?,
            }
        }
        if !has_resource {
            // An inventory of keys lists keys, unless it says otherwise.
            said.facts.set(atoms::RESOURCE, 1, Grade::Stated);
        }
        self.keep(place, row, &said)
    }

    fn keep(&mut self, place: Place, row: Row<'_>, said: &Said<'_>) -> Result<(), Reject> {
        let identity = said
            .identity
            .identity()
            .map_err(|(column, value, reason)| Reject::cell(place, column, value, reason))?;
        let line = u32::try_from(place.line).map_err(|_| {
            Reject::whole(
                place,
                "the file has more than 4,294,967,295 lines; split it",
            )
        })?;
        let text = self.batch.text.len();
        self.batch
            .text
            .extend_from_slice(identity.key_id.as_bytes());
        let aliases_at = self.batch.text.len();
        for cell in said.aliases {
            write_aliases(cell, &mut self.batch.text);
        }
        let extras_at = self.batch.text.len();
        if let Err(reject) = self.write_extras(place, row, said) {
            self.batch.text.truncate(text);
            return Err(reject);
        }
        let scope = self.scope(identity.account_id, identity.region);
        let hash = FixedState::default().hash_one((identity.key_id, scope));
        let shape = self.shape(&said.facts);
        self.batch.records.push(Record {
            content: said.content,
            identity: (hash >> 32) as u32,
            shape,
            scope,
            line,
            text: text as u32,
            aliases: (extras_at - aliases_at) as u32,
            extras: (self.batch.text.len() - extras_at) as u32,
            key_id: identity.key_id.len() as u16,
        });
        Ok(())
    }

    fn write_extras(&mut self, place: Place, row: Row<'_>, said: &Said<'_>) -> Result<(), Reject> {
        let refuse =
            |column: &str, value: &str, reason: String| Reject::cell(place, column, value, reason);
        super::survey::rotation_extra(&said.clock, &said.facts, |extra, text| {
            extra.write(text, &mut self.batch.text)
        })
        .map_err(|(field, reason)| refuse(field.name(), said.clock.text(field), reason))?;
        for (field, text) in NOTED.iter().zip(said.notes) {
            if let Some(text) = text {
                Extra::Field(*field).write(text, &mut self.batch.text);
            }
        }
        if self.rules.keep == Keep::AllColumns {
            for (position, cell) in row.cells {
                let kept = self.columns[usize::from(*position)].kept;
                if let (Some(column), Some(text)) = (kept, cell.text()) {
                    Extra::Column(column).write(text, &mut self.batch.text);
                }
            }
        }
        Ok(())
    }

    fn shape(&mut self, facts: &Facts) -> u32 {
        if let Some(known) = self.shapes.get(facts) {
            return *known;
        }
        let number = lock(&self.shared.shapes).number(facts);
        self.shapes.insert(*facts, number);
        number
    }

    fn scope(&mut self, account_id: &str, region: &str) -> u32 {
        self.scope_key.clear();
        self.scope_key.push_str(account_id);
        self.scope_key.push('\u{1f}');
        self.scope_key.push_str(region);
        if let Some(known) = self.scopes.get(&self.scope_key) {
            return *known;
        }
        let number = lock(&self.shared.scopes).number(&(account_id.to_owned(), region.to_owned()));
        self.scopes.insert(self.scope_key.clone(), number);
        number
    }
}

impl RowSink for Intake<'_> {
    fn row(&mut self, names: &Names, row: Row<'_>) {
        self.learn_columns(names);
        if let Err(reject) = self.take_row(names, row) {
            self.batch.rejects.push(reject);
        }
    }

    fn reject(&mut self, reject: Reject) {
        self.batch.rejects.push(reject);
    }
}

impl Column {
    /// What a cell of this column means; remembered. Lists are remembered by element, for there are
    /// many lists of few elements.
    fn meaning(
        &mut self,
        field: Field,
        fact: FactId,
        cell: Cell<'_>,
        hash: u64,
    ) -> Result<Bits, Misread> {
        // Nearly every key has aliases of its own, so they are not worth remembering.
        let Cell::Text(text) = cell else {
            return observe(field, cell);
        };
        if field == Field::Aliases {
            return observe(field, cell);
        }
        if atoms::FACTS[fact.index()].arity == Arity::One || !text.contains(is_list_separator) {
            return self.single_meaning(field, text, hash);
        }
        let none = atoms::FACTS[fact.index()].none_bit();
        let mut all = 0;
        for element in cell.elements() {
            let bits = self.single_meaning(field, element, self.hash.hash_one(element))?;
            if bits == 0 || bits == none {
                // "none" or "unknown" among others: the whole cell says what is wrong with it.
                return observe(field, cell);
            }
            all |= bits;
        }
        Ok(all)
    }

    fn single_meaning(&mut self, field: Field, text: &str, hash: u64) -> Result<Bits, Misread> {
        let known = &mut self.meanings[hash as usize % MEANINGS];
        if known.text != text {
            known.bits = observe(field, Cell::Text(text))?;
            known.text.clear();
            known.text.push_str(text);
        }
        Ok(known.bits)
    }
}

/// What a record says, before it is packed.
#[derive(Debug, Default)]
struct Said<'a> {
    facts: Facts,
    content: u64,
    identity: IdentityCells<'a>,
    aliases: [Cell<'a>; MAX_ALIAS_COLUMNS],
    clock: Clock<'a>,
    notes: [Option<&'a str>; NOTED.len()],
}

/// The fields whose text outputs and plans use.
const NOTED: [Field; 4] = [
    Field::Services,
    Field::Applications,
    Field::Owner,
    Field::RotationInterval,
];

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
    fn text(&self, field: Field) -> &'a str {
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
    /// Sets a fact. Two columns of one field may complete each other, but not disagree.
    fn state(&mut self, field: Field, fact: FactId, bits: Bits) -> Result<(), Misread> {
        let before = self.facts.get(fact);
        if bits == 0 || before == 0 || before == bits {
            self.facts.set(fact, before | bits, Grade::Stated);
            return Ok(());
        }
        let spec = &atoms::FACTS[fact.index()];
        if !spec.can_hold(before | bits) {
            return Err(disagreement(field, &spec.show(bits), &spec.show(before)));
        }
        self.facts.set(fact, before | bits, Grade::Stated);
        Ok(())
    }

    fn add_aliases(&mut self, cell: Cell<'a>) {
        if let Some(free) = self.aliases.iter_mut().find(|held| **held == Cell::Absent) {
            *free = cell;
        }
    }

    fn note(&mut self, field: Field, cell: Cell<'a>) -> Result<(), Misread> {
        let noted = NOTED.iter().position(|noted| *noted == field);
        if noted.is_none() && !IDENTIFYING.contains(&field) {
            return Ok(());
        }
        let Some(text) = cell.text().filter(|text| !is_blank_word(text)) else {
            return Ok(());
        };
        let slot = match field {
            Field::KeyId => &mut self.identity.key_id,
            Field::Arn => &mut self.identity.arn,
            Field::AccountId => &mut self.identity.account_id,
            Field::Region => &mut self.identity.region,
            Field::NextRotation => &mut self.clock.next,
            Field::Created => &mut self.clock.created,
            Field::RotationInterval => &mut self.clock.interval,
            _ => {
                noted
                    .into_iter()
                    .for_each(|slot| self.notes[slot] = Some(text));
                return Ok(());
            }
        };
        if !slot.is_empty() && *slot != text {
            return Err(disagreement(field, text, slot));
        }
        *slot = text;
        noted
            .into_iter()
            .for_each(|slot| self.notes[slot] = Some(text));
        Ok(())
    }
}

fn disagreement(field: Field, value: &str, before: &str) -> Misread {
    let expected = format!("`{before}`, which another column of the same record says");
    Misread {
        field,
        value: value.to_owned(),
        expected,
    }
}

/// Cheap test for the words that mean "nobody knows": they are short, and most texts are not.
fn is_blank_word(text: &str) -> bool {
    text.len() <= 16
        && !text.as_bytes()[0].is_ascii_digit()
        && !text.contains('-')
        && is_unknown(text)
        || text == "-"
}

fn same_column(wanted: &str, name: &str, field: Option<Field>) -> bool {
    wanted.eq_ignore_ascii_case(name.trim())
        || field.is_some() && Field::from_header(wanted) == field
}

fn test_bits(test: &ColumnTest, cell: Cell<'_>) -> Bits {
    match cell.text() {
        Some(text) if !is_unknown(text) => 1 << u32::from(test.holds(text)),
        _ if cell == Cell::EmptyList => 1,
        _ => 0,
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
    for alias in cell
        .elements()
        .filter(|alias| !crate::domains::cmk::words::NONE.contains(alias))
    {
        out.extend_from_slice(alias.as_bytes());
        out.push(b'\x1f');
    }
}

fn hash_cell(state: &FixedState, cell: Cell<'_>) -> u64 {
    let mut hasher = state.build_hasher();
    match cell {
        Cell::Absent => return 0,
        Cell::Blank => hasher.write_u8(1),
        Cell::EmptyList => hasher.write_u8(2),
        Cell::Text(text) => hasher.write(text.as_bytes()),
        Cell::List(text) => {
            hasher.write_u8(3);
            hasher.write(text.as_bytes());
        }
    }
    hasher.finish()
}
