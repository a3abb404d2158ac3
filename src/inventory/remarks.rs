//! What many records have in common and costs none of them: told once, with how many there are and where the first is.

use std::collections::BTreeMap;

use super::row::{Note, NoteKind, Place};

/// Of the words that nobody understands, so many are told for each column.
pub const MOST_WORDS: usize = 8;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// An account id has lost digits; by the file and what its column is called.
    DamagedAccount {
        /// The file, by number.
        file: u32,
        /// The column.
        column: String,
    },
    /// A column that no field reads names an operation that blocks the migration.
    NamesOperation {
        /// The column.
        column: String,
    },
    /// A column that no field reads names other keys than the one that the record is about.
    NamesKey {
        /// The column.
        column: String,
    },
    /// A column is called like a key; by the file.
    CalledLikeKey {
        /// The file, by number.
        file: u32,
    },
    /// A word for a fact that decides nothing is not known; by column and word.
    UnknownWord {
        /// The column.
        column: String,
        /// The word, shortened.
        word: String,
    },
}

/// What is told of the records of a block, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks(BTreeMap<Remark, (Place, u64)>);

impl Remarks {
    /// Tells something of one record.
    pub fn add(&mut self, remark: Remark, place: Place) {
        self.add_several(remark, place, 1);
    }

    fn add_several(&mut self, remark: Remark, place: Place, count: u64) {
        let (first, so_far) = self.0.entry(remark).or_insert((place, 0));
        *first = place.min(*first);
        *so_far += count;
    }

    /// Takes what was told of other records.
    pub fn merge(&mut self, other: Remarks) {
        other.0.into_iter().for_each(|(remark, (place, count))| self.add_several(remark, place, count));
    }

    /// The same as notes.
    pub fn into_notes(self) -> impl Iterator<Item = Note> {
        let mut words: BTreeMap<String, Vec<(Place, String)>> = BTreeMap::new();
        let mut notes = Vec::new();
        for (remark, (place, count)) in self.0 {
            match remark {
                Remark::DamagedAccount { column, .. } => {
                    let text = format!(
                        "{count} account id(s) in the column {column} have lost digits in a spreadsheet, and count as unknown unless an ARN names them; to have them, format the column as text, enter them again and export again"
                    );
                    notes.push(Note { place, kind: NoteKind::Reading, text });
                }
                Remark::NamesOperation { column } => {
                    let text = format!(
                        "{count} record(s) say in the column {column}, which is not read, what decides about their keys (they name ReEncrypt or ExportDataKey, or members such as origin); these are undetermined until it is left out, and what is meant stands in columns such as operations"
                    );
                    notes.push(Note { place, kind: NoteKind::Reading, text });
                }
                Remark::NamesKey { column } => {
                    let text = format!(
                        "the column {column} is not read, and names {count} key(s) in records whose own id is none that KMS gives; these keys are undetermined until the column is called key_id or left out"
                    );
                    notes.push(Note { place, kind: NoteKind::Reading, text });
                }
                Remark::CalledLikeKey { .. } => {
                    let text = "columns or members are called like keys, which are undetermined now: give one key in each row, with its id in a column key_id".to_owned();
                    notes.push(Note { place, kind: NoteKind::Reading, text });
                }
                Remark::UnknownWord { column, word } => words.entry(column).or_default().push((place, word)),
            }
        }
        for (column, mut words) in words {
            words.sort();
            for (place, word) in words.into_iter().take(MOST_WORDS) {
                let text =
                    format!("`{word}` in the column {column} is not known, and counts as unknown; it decides nothing");
                notes.push(Note { place, kind: NoteKind::Reading, text });
            }
        }
        notes.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_does_not_depend_on_the_order_of_blocks() {
        let at = |line| Place { file: 0, line };
        let damaged = || Remark::DamagedAccount { file: 0, column: "uid".to_owned() };
        let block = |lines: &[u64]| {
            let mut remarks = Remarks::default();
            lines.iter().for_each(|line| remarks.add(damaged(), at(*line)));
            remarks
        };
        let (mut one, mut other) = (block(&[2, 3]), block(&[9]));
        one.merge(block(&[9]));
        other.merge(block(&[2, 3]));
        assert_eq!(one, other);
        let notes: Vec<Note> = one.into_notes().collect();
        assert_eq!((notes.len(), notes[0].place), (1, at(2)));
        assert!(notes[0].text.starts_with("3 account id(s)"), "{}", notes[0].text);
    }

    #[test]
    fn a_column_of_prose_is_told_by_a_few_of_its_words() {
        let mut remarks = Remarks::default();
        for line in 0..100 {
            let word = format!("word {line:02}");
            remarks.add(Remark::UnknownWord { column: "state".to_owned(), word }, Place { file: 0, line: 100 - line });
        }
        let notes: Vec<Note> = remarks.into_notes().collect();
        assert_eq!(notes.len(), MOST_WORDS);
        assert!(notes[0].text.contains("`word 99`"), "the first is {}", notes[0].text);
    }
}
