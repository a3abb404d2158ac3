//! Takes the rows of readers and turns them into records by a form; counts what became of each.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

use super::record::{Heard, Record, entries, text_name, understand};
use crate::domains::form::Form;
use crate::inventory::files::FileNames;
use crate::inventory::listings::Listing;
use crate::inventory::rejects::{Rejects, Tainted};
use crate::inventory::row::{Names, Note, Place, Reject, Row, RowSink};

/// What was read.
#[derive(Debug)]
pub struct Gathered {
    form: &'static Form,
    files: FileNames,
    file: u32,
    /// The records that were understood.
    pub records: Vec<Record>,
    /// The names in those that were not: enough to tell which subjects lack a record.
    pub damaged: Vec<Record>,
    /// The records and parts of the input that could not be used.
    pub rejects: Rejects,
    /// What else is to be known about the inputs.
    pub notes: Vec<Note>,
    /// How many records were read, rejects included.
    pub read: u64,
    /// How many were the same, column for column, as one before.
    pub duplicates: u64,
    /// The digests of the records that were understood.
    seen: HashSet<[u8; 16]>,
}

impl Gathered {
    /// Nothing yet, of the given files.
    pub fn new(form: &'static Form, files: FileNames) -> Gathered {
        Gathered {
            form,
            files,
            file: 0,
            records: Vec::new(),
            damaged: Vec::new(),
            rejects: Rejects::default(),
            notes: Vec::new(),
            read: 0,
            duplicates: 0,
            seen: HashSet::new(),
        }
    }

    /// Says from which file the next rows are.
    pub fn begin(&mut self, file: u32) {
        self.file = file;
    }

    /// The names of the files.
    pub fn files(&self) -> Vec<String> {
        self.files.all()
    }

    /// Puts everything in order that was read.
    pub fn finish(&mut self) {
        self.rejects.finish();
    }

    /// Keeps the names in a record that was not understood, if it names a subject or an instance.
    fn keep_names(&mut self, record: Record) {
        let Record { is_instance, mut texts, .. } = record;
        let (form, is_name) = (self.form, |field: &str| matches!(field, "name" | "host"));
        texts.retain(|(field, side, _)| {
            is_instance && is_name(field) || form.identity.contains(&text_name(field, *side).as_str())
        });
        if !texts.is_empty() {
            self.damaged.push(Record { is_instance, texts, ..Record::default() });
        }
    }

    /// A place for people.
    pub fn show(&self, place: Place) -> String {
        self.files.show(place, place_name)
    }
}

/// A place for people: `pairs.csv, line 3`.
pub fn place_name(files: &[String], place: Place) -> String {
    let file = files.get(place.file as usize).map_or("?", String::as_str);
    if place.line == 0 { file.to_owned() } else { format!("{file}, line {}", place.line) }
}

/// What tells a record from all others, in fewer bytes. No two that differ can be made to have the same, so that none is
/// taken for a duplicate of another.
fn digest(entries: &[(String, Heard)]) -> [u8; 16] {
    let mut written = Written(Sha256::new());
    entries.hash(&mut written);
    let mut digest = [0; 16];
    digest.iter_mut().zip(written.0.finalize()).for_each(|(byte, of_all)| *byte = of_all);
    digest
}

/// Takes what is hashed as it is written.
struct Written(Sha256);

impl Hasher for Written {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

impl RowSink for Gathered {
    fn row(&mut self, names: &Names, row: Row<'_>) {
        self.read += 1;
        let place = Place { file: self.file, line: row.line };
        let entries = entries(names, &row);
        let digest = digest(&entries);
        if self.seen.contains(&digest) {
            self.duplicates += 1;
            return;
        }
        match understand(self.form, &entries, &self.show(place), place) {
            Ok(record) => {
                self.records.push(record);
                self.seen.insert(digest);
            }
            Err(refused) => {
                let (reject, record) = *refused;
                self.rejects.push(reject);
                self.keep_names(record);
            }
        }
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    // Lists of keys, and keys, are no matter of pairs and requests.
    fn listing(&mut self, _listing: Listing) {}
    fn taint(&mut self, _key_id: &str) {}

    fn taint_all(&mut self, _tainted: &Tainted) {}

    fn reject(&mut self, reject: Reject) {
        self.read += 1;
        self.rejects.push(reject);
    }

    fn refuse(&mut self, names: &Names, row: Row<'_>, reject: Reject) {
        let place = Place { file: self.file, line: row.line };
        let understood = understand(self.form, &entries(names, &row), &self.show(place), place);
        self.keep_names(understood.unwrap_or_else(|refused| refused.1));
        self.reject(reject);
    }
}
