//! What readers of documents find: records under canonical names, and what is to be known beside them.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::FixedState;

use super::members::{At, offset_of};
use crate::domains::cell::Cell;
use crate::domains::cmk::fields::{FIELDS, Field};
use crate::inventory::identity::parse_arn;
use crate::inventory::listings::Listing;
use crate::inventory::rejects::Rejects;
use crate::inventory::row::{Cells, FileId, Names, Note, NoteKind, Place, RecordKind, Reject, Row, RowSink};

/// A record that a reader has made of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    line: u64,
    kind: RecordKind,
    content: u64,
    cells: Vec<(Field, String)>,
}

impl Made {
    /// A record without cells; `from` is what it is made of.
    pub(super) fn new(kind: RecordKind, line: u64, from: &str) -> Made {
        Made { line, kind, content: FixedState::default().hash_one((kind, from)), cells: Vec::new() }
    }

    /// Adds what a field says, if it says anything.
    pub(super) fn say(&mut self, field: Field, text: Option<impl Into<String>>) {
        if let Some(text) = text {
            self.cells.push((field, text.into()));
        }
    }

    /// Takes back what a field says.
    pub(super) fn unsay(&mut self, field: Field) {
        self.cells.retain(|(known, _)| *known != field);
    }

    /// Adds what another record says of fields of which this one says nothing.
    pub(super) fn take(&mut self, other: Made) {
        let new: Vec<_> = other.cells.into_iter().filter(|(field, _)| self.said(*field).is_none()).collect();
        self.cells.extend(new);
    }

    /// What a field says.
    pub(super) fn said(&self, field: Field) -> Option<&str> {
        self.cells.iter().find(|(known, _)| *known == field).map(|(_, text)| text.as_str())
    }
}

/// An object inside a reply that is a record as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) kind: RecordKind,
    pub(super) line: u64,
    pub(super) text: Range<usize>,
}

impl Inner {
    /// The object that stands somewhere in the text.
    pub(super) fn new(kind: RecordKind, at: At<'_>, object: &str) -> Inner {
        let start = offset_of(at.text, object);
        Inner { kind, line: at.line_of(object), text: start..start + object.len() }
    }
}

/// What was found in a part of a document.
#[derive(Debug, Default)]
pub struct Found {
    /// The records.
    pub(super) rows: Vec<Made>,
    /// Those that stand in the text and are still to be read.
    pub(super) objects: Vec<Inner>,
    /// What could not be used.
    pub(super) rejects: Vec<Reject>,
    /// What could not be used and names no key, of which a small document may have very many.
    nameless: Rejects,
    /// What else is to be known.
    pub(super) notes: Vec<Note>,
    /// How much there is of the lists that these are part of.
    pub(super) listings: Vec<Listing>,
    /// What is no key, by kind: how many, and the line of the first.
    left_out: BTreeMap<String, (u64, u64)>,
}

impl Found {
    /// Counts something that is no record of a key.
    pub(super) fn leave_out(&mut self, kind: impl Into<String>, line: u64) {
        self.left_out.entry(kind.into()).or_insert((0, line)).0 += 1;
    }

    /// Rejects an element of which a member would be lost, with the key that it is about; tells whether it was.
    pub(super) fn refuses(&mut self, place: Place, lost: Option<String>, key_id: Option<&str>) -> bool {
        let Some(name) = lost else { return false };
        let reason = format!(
            "an element of a reply that also says `{name}`, which no reply does; write it into the object of the key"
        );
        let key_id = key_id.map(|id| parse_arn(id).map_or(id, |arn| arn.key_id).to_owned());
        self.rejects.push(Reject { key_id, ..Reject::whole(place, reason) });
        true
    }

    /// Rejects something that names no key.
    pub(super) fn reject(&mut self, place: Place, reason: String) {
        self.nameless.push(Reject::whole(place, reason));
    }

    /// Adds a note.
    pub(super) fn note(&mut self, kind: NoteKind, file: FileId, line: u64, text: impl Into<String>) {
        self.notes.push(Note { place: Place { file, line }, kind, text: text.into() });
    }

    /// Hands everything to the sink; `names` are those of [`names`].
    pub(super) fn hand_over(mut self, file: FileId, names: &Names, sink: &mut dyn RowSink) {
        for (what, (count, line)) in self.left_out {
            let place = Place { file, line };
            let text = format!("{count} {what} left out: no record of a key");
            sink.note(Note { place, kind: NoteKind::LeftOut, text });
        }
        self.notes.into_iter().for_each(|note| sink.note(note));
        self.listings.into_iter().for_each(|listing| sink.listing(listing));
        self.rejects.into_iter().for_each(|reject| sink.reject(reject));
        self.nameless.finish();
        self.nameless.by_place().for_each(|reject| sink.reject(reject));
        for made in self.rows {
            let cells: Vec<(u16, Cell<'_>)> = made
                .cells
                .iter()
                .map(|(field, text)| (*field as u16, Cell::of_table(text)))
                .filter(|(_, cell)| *cell != Cell::Blank)
                .collect();
            let (line, content, kind) = (made.line, made.content, made.kind);
            sink.row(names, Row { line, content, kind, cells: Cells::Members(&cells) });
        }
    }
}

/// The canonical names, by field, as one source whatever the file.
pub(super) fn names() -> Names {
    const CANONICAL_SOURCE: u64 = 1 << 39;
    Names::new(CANONICAL_SOURCE, FIELDS.iter().map(|spec| spec.name.to_owned()).collect())
}
