//! Takes the rows of readers and turns them into records by a form; counts what became of each.

use std::collections::HashSet;

use super::record::{Heard, Record, entries, understand};
use crate::domains::form::Form;
use crate::inventory::files::FileNames;
use crate::inventory::listings::Listing;
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{Names, Note, Place, Reject, Row, RowSink};

/// What was read.
#[derive(Debug)]
pub struct Gathered {
    form: &'static Form,
    files: FileNames,
    file: u32,
    /// The records that were understood.
    pub records: Vec<Record>,
    /// What is known of those that were not: enough to tell which subjects lack a record.
    pub damaged: Vec<Record>,
    /// The records and parts of the input that could not be used.
    pub rejects: Vec<Reject>,
    /// What else is to be known about the inputs.
    pub notes: Vec<Note>,
    /// How many records were read, rejects included.
    pub read: u64,
    /// How many were the same, column for column, as one before.
    pub duplicates: u64,
    seen: HashSet<Vec<(String, Heard)>>,
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
            rejects: Vec::new(),
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

impl RowSink for Gathered {
    fn row(&mut self, names: &Names, row: Row<'_>) {
        self.read += 1;
        let place = Place { file: self.file, line: row.line };
        let entries = entries(names, &row);
        if self.seen.contains(&entries) {
            self.duplicates += 1;
            return;
        }
        match understand(self.form, &entries, &self.show(place), place) {
            Ok(record) => {
                self.records.push(record);
                self.seen.insert(entries);
            }
            Err(refused) => {
                let (reject, record) = *refused;
                self.rejects.push(reject);
                self.damaged.push(record);
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
        self.damaged.push(understood.unwrap_or_else(|refused| refused.1));
        self.reject(reject);
    }
}
