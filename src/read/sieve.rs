//! Refuses rows that are not what their author wrote: with what could not be decoded, or with a NUL byte.

use encoding_rs::Encoding;

use super::text::REPLACEMENT;
use crate::inventory::listings::Listing;
use crate::inventory::rejects::Tainted;
use crate::inventory::row::{FileId, Names, Note, Place, Reject, Row, RowSink};

/// Hands rows on, but refuses those that are not what their author wrote.
pub(super) struct Sieve<'s> {
    file: FileId,
    /// The encoding from which the text was decoded, if it was.
    encoding: Option<&'static Encoding>,
    sink: &'s mut dyn RowSink,
}

impl<'s> Sieve<'s> {
    /// A sieve for the rows of a file.
    pub(super) fn new(file: FileId, encoding: Option<&'static Encoding>, sink: &'s mut dyn RowSink) -> Sieve<'s> {
        Sieve { file, encoding, sink }
    }

    /// Why a text cannot be believed.
    fn fault(&self, text: &str) -> Option<String> {
        match self.encoding {
            Some(encoding) if text.contains(REPLACEMENT) => Some(format!(
                "holds bytes that are no text in {}; if that is the wrong encoding, name the right one with --input-encoding, otherwise correct the file",
                encoding.name()
            )),
            _ if text.contains('\0') => Some("holds a NUL byte; the file is damaged, export it again".to_owned()),
            _ => None,
        }
    }
}

impl RowSink for Sieve<'_> {
    fn row(&mut self, names: &Names, row: Row<'_>) {
        let name = |position: u16| names.as_slice().get(usize::from(position)).map_or("", String::as_str);
        let blame = row.cells.iter().find_map(|(position, cell)| {
            let text = cell.text().unwrap_or_default();
            let fault = self.fault(text).or_else(|| self.fault(name(position)))?;
            Some((position, text, fault))
        });
        match blame {
            None => self.sink.row(names, row),
            Some((position, text, fault)) => {
                let place = Place { file: self.file, line: row.line };
                self.sink.refuse(names, row, Reject::cell(place, name(position), text, fault));
            }
        }
    }

    fn reject(&mut self, reject: Reject) {
        self.sink.reject(reject);
    }

    fn note(&mut self, note: Note) {
        self.sink.note(note);
    }

    fn listing(&mut self, listing: Listing) {
        self.sink.listing(listing);
    }

    fn taint(&mut self, key_id: &str) {
        self.sink.taint(key_id);
    }

    fn taint_all(&mut self, tainted: &Tainted) {
        self.sink.taint_all(tainted);
    }

    fn refuse(&mut self, names: &Names, row: Row<'_>, reject: Reject) {
        self.sink.refuse(names, row, reject);
    }
}
