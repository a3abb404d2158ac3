//! What is to be known about inputs beside their records: the first of a kind as they stand, of the rest how many.

use std::collections::{BTreeMap, HashMap};

use super::row::{FileId, Note, NoteKind, Place};

/// So many notes of one kind are kept of each file.
const OF_FILE: u64 = 1_000;

/// So many notes of one kind are kept of all files.
const OF_ALL: u64 = 10_000;

/// The notes about all inputs.
#[derive(Debug, Default)]
pub struct Notes {
    kept: Vec<Note>,
    /// How many are kept of each kind; of one file, or of all.
    counts: HashMap<(NoteKind, Option<FileId>), u64>,
    /// Those that are not.
    further: BTreeMap<(NoteKind, Option<FileId>), Further>,
}

/// Notes that are only counted.
#[derive(Debug, Clone, Copy)]
struct Further {
    count: u64,
    first: Place,
    last: Place,
}

impl Notes {
    /// Adds a note.
    pub fn push(&mut self, note: Note) {
        for (whose, most) in [(Some(note.place.file), OF_FILE), (None, OF_ALL)] {
            let count = self.counts.entry((note.kind, whose)).or_default();
            if *count >= most {
                let further = Further { count: 1, first: note.place, last: note.place };
                return self.count((note.kind, whose), further);
            }
        }
        for whose in [Some(note.place.file), None] {
            *self.counts.entry((note.kind, whose)).or_default() += 1;
        }
        self.kept.push(note);
    }

    fn count(&mut self, whose: (NoteKind, Option<FileId>), more: Further) {
        let further = self.further.entry(whose).or_insert(Further { count: 0, ..more });
        further.count += more.count;
        further.first = further.first.min(more.first);
        further.last = further.last.max(more.last);
    }

    /// Takes all of others, which come behind these.
    pub fn append(&mut self, other: Notes) {
        other.kept.into_iter().for_each(|note| self.push(note));
        other.further.into_iter().for_each(|(whose, further)| self.count(whose, further));
    }

    /// All of them, what concerns all inputs first, then by place; of those that are only counted, one tells how many
    /// they are.
    pub fn by_place(&self) -> Vec<Note> {
        let further = self.further.iter().map(|((kind, whose), further)| {
            let Further { count, first, last } = further;
            let text = match whose {
                Some(_) => {
                    format!("{count} more notes of this kind about this file, the last about line {}", last.line)
                }
                None => format!("{count} more notes of this kind about this file and others"),
            };
            Note { place: *first, kind: *kind, text }
        });
        let mut notes: Vec<Note> = self.kept.iter().cloned().chain(further).collect();
        notes.sort_by_key(|note| (note.place != Place::INPUTS, note.place));
        notes
    }
}

impl Extend<Note> for Notes {
    fn extend<I: IntoIterator<Item = Note>>(&mut self, notes: I) {
        notes.into_iter().for_each(|note| self.push(note));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(kind: NoteKind, file: FileId, line: u64) -> Note {
        Note { place: Place { file, line }, kind, text: "left out".to_owned() }
    }

    #[test]
    fn the_first_notes_are_kept_and_the_others_counted_in_whatever_pieces_they_come() {
        let shown = |pieces: u64| {
            let mut all = Notes::default();
            for from in (1..=3 * OF_FILE).step_by((3 * OF_FILE / pieces) as usize) {
                let mut piece = Notes::default();
                (from..from + 3 * OF_FILE / pieces).for_each(|line| piece.push(note(NoteKind::LeftOut, 4, line)));
                piece.push(note(NoteKind::Reading, 5, from));
                all.append(piece);
            }
            all.push(note(NoteKind::LeftOut, 5, 1));
            let (of_others, notes): (Vec<Note>, Vec<Note>) =
                all.by_place().into_iter().partition(|note| note.place.file != 4);
            assert_eq!(of_others.len() as u64, pieces + 1);
            notes
        };
        let notes = shown(1);
        assert_eq!(notes.len() as u64, OF_FILE + 1);
        let last = &notes[OF_FILE as usize];
        assert_eq!(last.text, "2000 more notes of this kind about this file, the last about line 3000");
        assert_eq!(last.place.line, OF_FILE + 1);
        assert!([2, 3, 30].into_iter().all(|pieces| shown(pieces) == notes));
    }

    #[test]
    fn notes_about_very_many_files_are_counted_together() {
        let mut notes = Notes::default();
        (0..OF_ALL as u32 + 7).for_each(|file| notes.push(note(NoteKind::Reading, file, 0)));
        notes.push(Note { place: Place::INPUTS, ..note(NoteKind::LeftOut, 0, 0) });
        let shown = notes.by_place();
        assert_eq!((shown.len() as u64, shown[0].place), (OF_ALL + 2, Place::INPUTS));
        assert_eq!(shown[OF_ALL as usize + 1].text, "7 more notes of this kind about this file and others");
    }
}
