//! What becomes of rows that are no records, and of what records say where no field is read: which keys nobody knows all
//! of then.

use crate::domains::cmk::facts;
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::operations::{mentions_forbidden, operations};
use crate::engine::packing::Packed;

use super::column::{Column, KeyIdName, Purpose};
use super::footer::{footer, is_alone, is_ditto, quoted, tells_of_more};
use super::identity::parse_arn;
use super::intake::Intake;
use super::remarks::Remark;
use super::row::{Cells, Names, Note, NoteKind, Place, Reject, Row};
use super::tidy;

impl Intake<'_> {
    /// Which key a record is about that could not be used.
    pub(super) fn key_id(&self, row: Row<'_>) -> Option<String> {
        let cells = || row.cells.iter().map(|(position, cell)| (&self.columns.columns[usize::from(position)], cell));
        let has_own_name = cells().any(|(column, _)| column.key_id == KeyIdName::Own);
        let text = |wanted: Field| {
            let is_left_out = |column: &Column| has_own_name && column.key_id == KeyIdName::Other;
            let mut named =
                cells().filter(|(column, _)| column.purpose == Purpose::Note(wanted) && !is_left_out(column));
            named.find_map(|(_, cell)| cell.text())
        };
        let named = text(Field::KeyId).or_else(|| text(Field::Arn))?;
        Some(parse_arn(named).map_or(named, |arn| arn.key_id).to_owned())
    }

    /// Rejects a record. All keys are tainted whose ids or aliases stand in it; and the one above it, if it names none
    /// in the place for that.
    pub(super) fn reject_row(&mut self, row: Row<'_>, reject: Reject) {
        let key_id = self.key_id(row);
        let has_columns = self.columns.columns.len() > 1;
        let is_of_above = |key_id: &str| {
            is_ditto(key_id)
                || operations(key_id).is_some()
                || has_columns && is_alone(row) && !tidy::is_given_by_kms(key_id) && !tidy::is_masked(key_id)
        };
        let is_of_above = key_id.as_deref().is_none_or(is_of_above);
        let names_key = |key_id: &str| tidy::key_id(key_id).is_ok() && !tidy::is_nothing_but_mask(key_id);
        // The aliases of a record that names its key are those of that key.
        let has_id = !is_of_above && key_id.as_deref().is_some_and(names_key);
        for text in row.cells.iter().filter_map(|(_, cell)| cell.text()) {
            let named = tidy::keys_named_in(text).filter(|key| !(has_id && key.starts_with("alias/")));
            // Every account and region has the aliases of service keys, and nothing is in the way of these.
            let named = named.filter(|key| !key.starts_with("alias/acs/"));
            named.for_each(|key| self.batch.rejects.tainted.add(&key));
        }
        let is_of_above = is_of_above && !self.is_below_reject;
        self.is_below_reject |= key_id.is_some() && !is_of_above;
        if is_of_above && matches!(row.cells, Cells::Table(_)) {
            // Where one cell was merged over several rows, only the first of them names the key.
            match self.batch.records.last() {
                Some(last) => {
                    let start = last.text as usize;
                    let above = self.batch.text.get(start..start + usize::from(last.key_id)).unwrap_or_default();
                    self.batch.rejects.tainted.add(above);
                }
                None => self.batch.taints_above = true,
            }
        }
        self.batch.rejects.push(Reject { key_id, ..reject });
    }

    /// Leaves keys undetermined of which something is said where no field is read.
    pub(super) fn note_mentions(&mut self, names: &Names, place: Place, row: Row<'_>, facts: Packed, key_id: &str) {
        let packing = &self.rules.packing;
        let (columns, batch) = (&self.columns, &mut self.batch);
        let name = |position: u16| names.as_slice()[usize::from(position)].clone();
        if packing.get(facts, facts::OPERATIONS) & facts::FORBIDDEN_OPERATIONS == 0
            && let Some(position) = columns.mention(row.cells)
        {
            batch.rejects.tainted.add(key_id);
            batch.remarks.add(Remark::NamesOperation { column: name(position) }, place);
        }
        if packing.get(facts, facts::KEY_ID_FORM) == facts::ID_OTHER {
            for (position, text) in columns.watched(row.cells) {
                for other in tidy::key_ids_in(text) {
                    batch.rejects.tainted.add(&other);
                    batch.remarks.add(Remark::NamesKey { column: name(position) }, place);
                }
            }
        }
    }

    /// Leaves a title or a footer out with a note, unless it names keys, of which it may say what matters.
    pub(super) fn leave_out(&mut self, names: &Names, row: Row<'_>, reject: Reject) {
        let text = footer(names, row).unwrap_or_default();
        if tidy::keys_named_in(text).next().is_some() || mentions_forbidden(text) {
            return self.reject_row(row, reject);
        }
        let place = Place { file: self.batch.file, line: row.line };
        let kind = if tells_of_more(text) { NoteKind::Incomplete } else { NoteKind::LeftOut };
        let text = format!("{} stands alone in its row and is no key id, left out", quoted(text));
        self.batch.notes.push(Note { place, kind, text });
    }
}
