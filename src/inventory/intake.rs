//! Rows to compact records, one worker at a time, without allocation per row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use jiff::Timestamp;

use crate::domains::cell::Cell;
use crate::domains::cmk::facts;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::Misread;
use crate::domains::cmk::operations::operations;
use crate::engine::facts::Bits;
use crate::engine::packing::{Packed, Packing};
use crate::rulebook::user::ColumnTest;

use super::clock::{SingleVersion, is_rotation_ahead, rotation_extra};
use super::column::{Columns, KeyIdName, Purpose, take_cell, unknown_word};
use super::footer::{
    SHORTEST_ID, footer, is_ditto, is_header, is_header_again, is_other_header, is_total, is_word_for_total,
};
use super::identity::{Identity, is_account_damaged};
use super::listings::Listing;
use super::mentions::{Watch, field_inside};
use super::recent::Recent;
use super::record::{Batch, Extra, MISPLACED, Record};
use super::rejects::Tainted;
use super::remarks::Remark;
use super::row::{Cells, FileId, Names, Note, NoteKind, Place, Reject, Row, RowSink};
use super::said::{NOTED, Said};
use super::shared::Shared;
use super::tidy::{self, Scope};

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
    /// Facts that a user's rulebook reads from columns.
    pub tests: Vec<ColumnTest>,
    /// The position of the first such fact.
    pub first_test: u8,
    /// How facts are packed.
    pub packing: Packing,
    /// The values of facts that no verdict depends on.
    pub asides: Packed,
    /// Dates of rotations after this moment lie ahead.
    pub now: Option<Timestamp>,
    /// Whether several inputs may each say a part of a key.
    pub scattered: bool,
}

/// A worker's state.
#[derive(Debug)]
pub struct Intake<'s> {
    shared: &'s Shared,
    pub(super) rules: &'s Rules,
    pub(super) columns: Columns,
    shapes: HashMap<Packed, u32, FixedState>,
    asides: HashMap<Packed, u16, FixedState>,
    accounts: Recent,
    regions: Recent,
    pub(super) batch: Batch,
    /// Whether the row above was rejected, and tainted the key that it names.
    pub(super) is_below_reject: bool,
    /// The facts of the batch's records that verdicts depend on, before they are numbered.
    stated: Vec<Packed>,
    /// The table below whose second header line the rows of the batch stand: their cells are under other columns.
    misplaced: Option<u64>,
}

impl<'s> Intake<'s> {
    /// A worker that has seen nothing yet.
    pub fn new(shared: &'s Shared, rules: &'s Rules) -> Intake<'s> {
        Intake {
            shared,
            rules,
            columns: Columns::default(),
            shapes: HashMap::default(),
            asides: HashMap::default(),
            accounts: Recent::default(),
            regions: Recent::default(),
            batch: Batch::default(),
            is_below_reject: false,
            stated: Vec::new(),
            misplaced: None,
        }
    }

    /// Begins the batch of a block of a file.
    pub fn begin(&mut self, file: FileId) {
        self.batch.file = file;
        self.is_below_reject = false;
        self.misplaced = None;
    }

    /// Hands the batch over and begins an empty one, with room for about as much.
    pub fn take(&mut self) -> Batch {
        // One look-up may wait for memory while the next is under way already.
        for (record, stated) in self.batch.records.iter_mut().zip(self.stated.drain(..)) {
            record.shape = *self.shapes.entry(stated).or_insert_with(|| self.shared.shape(stated));
        }
        let records = self.batch.records.len() + self.batch.records.len() / 16;
        let next = Batch {
            records: Vec::with_capacity(records),
            identities: Vec::with_capacity(records),
            text: String::with_capacity(self.batch.text.len() + self.batch.text.len() / 16),
            ..Batch::default()
        };
        self.batch.is_misplaced = self.misplaced.is_some();
        std::mem::replace(&mut self.batch, next)
    }

    fn learn(&mut self, names: &Names, row: Row<'_>) {
        self.columns.learn(names, row.cells, self.shared, self.rules);
        let file = self.batch.file;
        for key_id in self.columns.keys_as_names.drain(..) {
            self.batch.rejects.tainted.add(&key_id);
            self.batch.remarks.add(Remark::CalledLikeKey { file }, Place { file, line: row.line });
        }
    }

    fn take_row(&mut self, names: &Names, row: Row<'_>) -> Result<(), Reject> {
        let place = Place { file: self.batch.file, line: row.line };
        let mut said = Said::default();
        let blame =
            |position: u16| move |misread: Misread| refuse(place, &names.as_slice()[usize::from(position)], &misread);
        let Columns { columns, speaking, .. } = &mut self.columns;
        match row.cells {
            Cells::Table(table) => {
                for position in speaking {
                    let at = usize::from(*position);
                    let column = &mut columns[at];
                    if !column.is_done(table, at, &mut said) {
                        let (purpose, cell) = (column.purpose, table.cell(at));
                        take_cell(self.rules, column, purpose, cell, &mut said).map_err(blame(*position))?;
                        if let Some(word) = unknown_word(self.rules, column, cell, &said) {
                            let column = names.as_slice()[at].clone();
                            self.batch.remarks.add(Remark::UnknownWord { column, word }, place);
                        }
                    }
                }
            }
            Cells::Members(members) => {
                let is_own = |(position, _): &(u16, Cell<'_>)| columns[usize::from(*position)].key_id == KeyIdName::Own;
                let has_own_name = members.iter().any(is_own);
                for (position, cell) in members {
                    let column = &mut columns[usize::from(*position)];
                    let mut purpose = column.purpose;
                    if has_own_name && column.key_id == KeyIdName::Other {
                        // Which other objects there are must not matter for this one.
                        let name = &names.as_slice()[usize::from(*position)];
                        column.left_out = column.left_out.or_else(|| self.shared.column(name));
                        (purpose, said.leaves_out) = (Purpose::Unknown, true);
                    }
                    take_cell(self.rules, column, purpose, *cell, &mut said).map_err(blame(*position))?;
                    if purpose == Purpose::Unknown
                        && column.watch != Watch::No
                        && let Some(field) = field_inside(*cell)
                    {
                        let (name, text) = (&names.as_slice()[usize::from(*position)], cell.text().unwrap_or_default());
                        let reason = format!(
                            "holds `{field}`, which is read as a member of the record itself only; write it there"
                        );
                        return Err(Reject::cell(place, name, text, reason));
                    }
                    if let Some(word) = unknown_word(self.rules, column, *cell, &said) {
                        let column = names.as_slice()[usize::from(*position)].clone();
                        self.batch.remarks.add(Remark::UnknownWord { column, word }, place);
                    }
                }
            }
        }
        let packing = &self.rules.packing;
        if !said.has_unknown_alias && packing.get(said.facts, facts::ALIASES) == 0 {
            said.facts = packing.with(said.facts, facts::ALIASES, said.blank_alias);
        }
        if !said.names_resource {
            // An inventory of keys lists keys, unless it says otherwise.
            said.facts = packing.with(said.facts, facts::RESOURCE, 1);
        }
        said.follow(packing);
        if let Some(now) = self.rules.now
            && packing.get(said.facts, facts::ROTATION) & facts::ROTATES == 0
            && is_rotation_ahead(&said.clock(), now)
        {
            said.facts = packing.with(said.facts, facts::ROTATION_EVIDENCE, facts::ROTATION_AHEAD);
        }
        if let Some(source) = row.kind.source() {
            let bits = facts::FACTS[facts::SOURCES.index()].value(source).unwrap_or_default();
            said.facts = packing.with(said.facts, facts::SOURCES, bits);
        }
        if row.kind.is_reply() {
            said.facts = said.facts.measured();
        }
        self.keep(names, place, row, &mut said)
    }

    fn keep(&mut self, names: &Names, place: Place, row: Row<'_>, said: &mut Said<'_>) -> Result<(), Reject> {
        let mut cells = said.identity();
        if is_account_damaged(&cells) {
            cells.account_id = "";
            let column = names.as_slice().iter().find(|name| Field::from_header(name) == Some(Field::AccountId));
            let column = column.cloned().unwrap_or_default();
            self.batch.remarks.add(Remark::DamagedAccount { file: place.file, column }, place);
        }
        let identity =
            cells.identity().map_err(|(column, value, reason)| Reject::cell(place, column, value, reason))?;
        let key_id =
            &*tidy::key_id(identity.key_id).map_err(|reason| Reject::cell(place, "key_id", identity.key_id, reason))?;
        let form = key_id_form(key_id);
        said.facts = self.rules.packing.with(said.facts, facts::KEY_ID_FORM, form);
        let line = u32::try_from(place.line)
            .map_err(|_| Reject::whole(place, "the file has more than 4,294,967,295 lines; split it"))?;
        let (account, region) = self.scope(place, identity)?;
        let aside = self.aside(place, said.facts.and(self.rules.asides))?;
        if key_id.len() <= SHORTEST_ID && (is_total(row) || is_header(row, key_id)) {
            let reason = "not the id of a key; a header line inside a table is to be removed, with the rows below it put under their own";
            return Err(Reject::cell(place, "key_id", key_id, reason));
        }
        let is_word = || is_ditto(key_id) || operations(key_id).is_some() || Field::from_header(key_id).is_some();
        if form == facts::ID_OTHER && (is_word() || is_other_header(row)) {
            return Err(Reject::cell(place, "key_id", key_id, "not the id of a key; give the id in every row"));
        }
        if is_word_for_total(key_id) || form != facts::ID_UUID && footer(names, row).is_some() {
            return Err(Reject::cell(place, "key_id", key_id, "not the id of a key"));
        }
        let text = self.batch.text.len();
        self.batch.text.push_str(key_id);
        let aliases_at = self.batch.text.len();
        said.write_aliases(&mut self.batch.text);
        let extras_at = self.batch.text.len();
        if extras_at - aliases_at > usize::from(u16::MAX) {
            self.batch.text.truncate(text);
            return Err(Reject::cell(place, "aliases", "", "more than 65,535 bytes of aliases"));
        }
        if let Err(reject) = self.write_extras(place, row, said) {
            self.batch.text.truncate(text);
            return Err(reject);
        }
        // Two keys whose ids are masked alike may have the same facts, and be told by the same words.
        let is_masked = self.rules.packing.get(said.facts, facts::KEY_ID_FORM) == facts::ID_MASKED;
        let content = if is_masked { FixedState::with_seed(row.content).hash_one(place) } else { row.content };
        let hash = FixedState::default().hash_one(key_id.as_bytes());
        self.is_below_reject = false;
        self.note_mentions(names, place, row, said.facts, key_id);
        self.stated.push(said.facts.without(self.rules.asides));
        self.batch.identities.push((hash >> 32) as u32);
        self.batch.records.push(Record {
            content,
            shape: 0,
            account,
            region,
            aside,
            line,
            text: text as u32,
            aliases: (extras_at - aliases_at) as u16,
            key_id: key_id.len() as u16,
        });
        Ok(())
    }

    fn write_extras(&mut self, place: Place, row: Row<'_>, said: &Said<'_>) -> Result<(), Reject> {
        if !said.has_extras && self.rules.keep == Keep::Used {
            return Ok(());
        }
        let text = &mut self.batch.text;
        rotation_extra(&said.clock(), single_version(&self.rules.packing, said.facts), |extra, time| {
            extra.write(time, text)
        })
        .map_err(|(field, reason)| Reject::cell(place, field.name(), said.clock().text(field), reason))?;
        for (field, note) in NOTED.iter().zip(said.notes) {
            note.into_iter().for_each(|note| Extra::Field(*field).write(note, text));
        }
        // Another record may say when the key was rotated, or created.
        let clock = said.clock();
        for (field, date) in [(Field::Created, clock.created), (Field::LastRotation, clock.last)] {
            if !date.is_empty() {
                Extra::Field(field).write(date, text);
            }
        }
        if self.rules.keep == Keep::AllColumns {
            for (position, cell) in row.cells.iter() {
                let column = &self.columns.columns[usize::from(position)];
                let kept = column.kept.or(column.left_out.filter(|_| said.leaves_out));
                if let (Some(column), Some(cell)) = (kept, cell.text()) {
                    Extra::Column(column).write(cell, text);
                }
            }
        }
        Ok(())
    }

    fn aside(&mut self, place: Place, facts: Packed) -> Result<u16, Reject> {
        if let Some(known) = self.asides.get(&facts) {
            return Ok(*known);
        }
        let too_many = |_| Reject::whole(place, "there are more than 65,535 combinations of states and specs");
        let number = u16::try_from(self.shared.aside(facts)).map_err(too_many)?;
        self.asides.insert(facts, number);
        Ok(number)
    }

    /// The numbers of account and region.
    fn scope(&mut self, place: Place, identity: Identity<'_>) -> Result<(u32, u16), Reject> {
        let shared = self.shared;
        let known = |column, text, scope| match scope {
            Scope::Is(known) => known,
            Scope::Unclear(reason) => {
                shared.unclear(place, column, text, reason);
                Cow::Borrowed("")
            }
        };
        let (account_id, region) = (identity.account_id, identity.region);
        let account = self
            .accounts
            .get(account_id, || Ok(shared.account(&known("account_id", account_id, tidy::account_id(account_id)))))?;
        let region = self
            .regions
            .get(region, || Ok::<_, Reject>(shared.region(&known("region", region, tidy::region(region)))))?;
        let too_many =
            |_| Reject::cell(place, "region", identity.region, "there are more than 65,535 different regions");
        Ok((account, u16::try_from(region).map_err(too_many)?))
    }
}

impl RowSink for Intake<'_> {
    fn row(&mut self, names: &Names, row: Row<'_>) {
        self.learn(names, row);
        if self.misplaced == Some(names.source()) {
            let place = Place { file: self.batch.file, line: row.line };
            return self.refuse(names, row, Reject::whole(place, MISPLACED));
        }
        match self.take_row(names, row) {
            Err(reject) if is_header_again(names, row) => {
                let place = reject.place;
                let text = "the header line again, left out".to_owned();
                self.batch.notes.push(Note { place, kind: NoteKind::LeftOut, text });
            }
            Err(_) if is_total(row) && self.key_id(row).is_none_or(|key_id| key_id.len() <= SHORTEST_ID) => {
                let place = Place { file: self.batch.file, line: row.line };
                let text = "a row of totals below the records was left out".to_owned();
                self.batch.notes.push(Note { place, kind: NoteKind::LeftOut, text });
            }
            Err(reject) if footer(names, row).is_some() => self.leave_out(names, row, reject),
            Err(reject) => {
                if self.key_id(row).as_deref().is_some_and(|key_id| is_header(row, key_id)) || is_other_header(row) {
                    self.misplaced = Some(names.source());
                }
                self.reject_row(row, reject);
            }
            Ok(()) => {}
        }
    }

    fn listing(&mut self, listing: Listing) {
        self.batch.listings.push(listing);
    }

    fn reject(&mut self, reject: Reject) {
        self.batch.rejects.push(reject);
    }

    fn taint(&mut self, key_id: &str) {
        tidy::key_ids_of(key_id).iter().for_each(|key_id| self.batch.rejects.tainted.add(key_id));
    }

    fn taint_all(&mut self, tainted: &Tainted) {
        self.batch.rejects.tainted.append(tainted);
    }

    fn note(&mut self, note: Note) {
        self.batch.notes.push(note);
    }

    fn refuse(&mut self, names: &Names, row: Row<'_>, reject: Reject) {
        self.learn(names, row);
        // Footers have fewer cells than records.
        if footer(names, row).is_some() && self.misplaced != Some(names.source()) {
            return self.leave_out(names, row, reject);
        }
        self.reject_row(row, reject);
    }
}

/// The form of a key id: UUIDs are those of older keys, `key-…` of newer ones, and `*` stands for characters that
/// somebody has masked.
fn key_id_form(key_id: &str) -> Bits {
    if tidy::is_uuid(key_id) {
        facts::ID_UUID
    } else if tidy::is_masked(key_id) {
        facts::ID_MASKED
    } else if key_id.starts_with("key-") {
        facts::ID_NEWER
    } else {
        facts::ID_OTHER
    }
}

fn refuse(place: Place, column: &str, misread: &Misread) -> Reject {
    let reason = format!("not understood as {}; expected {}", misread.field.name(), misread.expected);
    Reject::cell(place, column, &misread.value, reason)
}

/// Whether a record says that the key has one version and how it rotates.
fn single_version(packing: &Packing, facts: Packed) -> SingleVersion {
    let single = packing.get(facts, facts::VERSIONS) == 1 && packing.get(facts, facts::ROTATION) != 0;
    if single { SingleVersion::Known } else { SingleVersion::Unknown }
}
