//! What readers hand over: rows of named cells with their places, and rejects.

use std::collections::HashMap;

use super::listings::Listing;
use super::rejects::Tainted;
use super::shared::MOST_COLUMNS;
use crate::domains::cell::Cell;

/// The position of a file in the list of inputs.
pub type FileId = u32;

/// Where something stands in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The line on which the record begins, from 1; 0 if the file as a whole is meant.
    pub line: u64,
}

impl Place {
    /// All inputs together.
    pub const INPUTS: Place = Place { file: FileId::MAX, line: 0 };

    /// The place for people: `file:line`, or the file alone.
    pub fn show(self, files: &[String]) -> String {
        let file = files.get(self.file as usize).map_or("?", String::as_str);
        if self.line == 0 { file.to_owned() } else { format!("{file}:{}", self.line) }
    }
}

/// The columns of a source. Names are only ever added, so that a position keeps its meaning.
#[derive(Debug, Default)]
pub struct Names {
    names: Vec<String>,
    /// The positions of names that were added.
    positions: HashMap<String, u16>,
    source: u64,
    /// Whether they are the names of a system, so that those that nobody uses are no news.
    of_system: bool,
}

impl Names {
    /// The columns of one source; `source` tells it from all others.
    pub fn new(source: u64, names: Vec<String>) -> Names {
        Names { names, positions: HashMap::new(), source, of_system: false }
    }

    /// The same columns of one source, whose names a system chose and not a person.
    #[must_use]
    pub fn of_system(self) -> Names {
        Names { of_system: true, ..self }
    }

    /// Whether a system chose the names.
    pub fn are_of_system(&self) -> bool {
        self.of_system
    }

    /// Which source this is.
    pub fn source(&self) -> u64 {
        self.source
    }

    /// The names, by position.
    pub fn as_slice(&self) -> &[String] {
        &self.names
    }

    /// The position of a name, which is added if it is new. `hint` is where it is likely to stand.
    pub fn position(&mut self, name: &str, hint: usize) -> u16 {
        if self.names.get(hint).is_some_and(|known| known == name) {
            return hint as u16;
        }
        if let Some(known) = self.positions.get(name) {
            return *known;
        }
        let position = self.names.len() as u16;
        self.names.push(name.to_owned());
        self.positions.insert(name.to_owned(), position);
        position
    }
}

/// From what a record comes: what its reader knows beside what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RecordKind {
    /// A table or a list of objects.
    #[default]
    Plain,
    /// An element of a reply of `ListKeys`.
    ListKeys,
    /// A reply of `DescribeKey`.
    DescribeKey,
    /// A reply of `ListKeyVersions`, or of `DescribeKeyVersion`.
    ListKeyVersions,
    /// An element of a reply of `ListAliases` or `ListAliasesByKeyId`.
    ListAliases,
    /// The tags of a key in a reply of `ListResourceTags` or `ListTagResources`.
    ListResourceTags,
    /// A resource in a state or plan of Terraform.
    Terraform,
    /// A key in a report of ScoutSuite.
    ScoutSuite,
    /// A finding of Prowler.
    Prowler,
    /// A resource of Cloud Config.
    CloudConfig,
    /// A resource of Resource Center.
    ResourceCenter,
}

impl RecordKind {
    /// The value of the fact `sources`; nothing for tables.
    pub fn source(self) -> Option<&'static str> {
        Some(match self {
            RecordKind::Plain => return None,
            RecordKind::ListKeys => "ListKeys",
            RecordKind::DescribeKey => "DescribeKey",
            RecordKind::ListKeyVersions => "ListKeyVersions",
            RecordKind::ListAliases => "ListAliases",
            RecordKind::ListResourceTags => "ListResourceTags",
            RecordKind::Terraform => "Terraform",
            RecordKind::ScoutSuite => "ScoutSuite",
            RecordKind::Prowler => "Prowler",
            RecordKind::CloudConfig => "CloudConfig",
            RecordKind::ResourceCenter => "ResourceCenter",
        })
    }

    /// Whether the record is a reply of the system itself.
    pub fn is_reply(self) -> bool {
        matches!(
            self,
            RecordKind::ListKeys
                | RecordKind::DescribeKey
                | RecordKind::ListKeyVersions
                | RecordKind::ListAliases
                | RecordKind::ListResourceTags
        )
    }
}

/// One record, borrowed from the reader's buffer.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// A hash of the record as it stands, and of what its columns are called.
    pub content: u64,
    /// From what it comes.
    pub kind: RecordKind,
    /// What stands in its columns.
    pub cells: Cells<'a>,
}

/// The cells of a record.
#[derive(Debug, Clone, Copy)]
pub enum Cells<'a> {
    /// Those of a table: one for each column.
    Table(Table<'a>),
    /// Those of an object: position of the column, and what stands there.
    Members(&'a [(u16, Cell<'a>)]),
}

impl<'a> Cells<'a> {
    /// Every cell, with the position of its column.
    pub fn iter(self) -> impl Iterator<Item = (u16, Cell<'a>)> {
        let (table, members) = match self {
            Cells::Table(table) => (Some(table), &[][..]),
            Cells::Members(members) => (None, members),
        };
        let cells = |table: Table<'a>| (0..table.len()).map(move |at| (at as u16, table.cell(at)));
        table.into_iter().flat_map(cells).chain(members.iter().copied())
    }
}

/// A record of a table, of which only the cells are looked at that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    text: &'a str,
    starts: &'a [u32],
    writing: Writing,
}

/// How the cells of a record stand in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// With a byte between two of them, and perhaps with quotes around them.
    AsItStands,
    /// One behind the other, without quotes.
    Unquoted,
}

impl<'a> Table<'a> {
    /// The record whose cells begin at `starts` of the text; the last of which is where a further one would begin.
    pub fn new(text: &'a str, starts: &'a [u32], writing: Writing) -> Table<'a> {
        Table { text, starts, writing }
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the record stands in a text as it is; a workbook may have further sheets with other columns.
    pub fn is_of_text(&self) -> bool {
        self.writing == Writing::AsItStands
    }

    /// The first so many cells.
    #[must_use]
    pub fn first(self, cells: usize) -> Table<'a> {
        Table { starts: &self.starts[..self.starts.len().min(cells + 1)], ..self }
    }

    /// Where a cell stands.
    #[inline(always)]
    fn range(&self, position: usize) -> Option<std::ops::Range<usize>> {
        let [start, next] = self.starts.get(position..)?.first_chunk()?;
        Some(*start as usize..*next as usize - usize::from(self.writing == Writing::AsItStands))
    }

    /// The bytes of a cell, with the white space around them; nothing if quotes hide them.
    #[inline(always)]
    pub fn bytes(&self, position: usize) -> &'a [u8] {
        match self.range(position).and_then(|range| self.text.as_bytes().get(range)) {
            Some([b'"', ..]) if self.writing == Writing::AsItStands => &[],
            bytes => bytes.unwrap_or_default(),
        }
    }

    /// The text of a cell without the quotes around it; nothing if there is no such cell.
    #[inline(always)]
    pub fn text(&self, position: usize) -> &'a str {
        let text = self.range(position).and_then(|range| self.text.get(range)).unwrap_or_default();
        match text.strip_prefix('"') {
            Some(opened) if self.writing == Writing::AsItStands => opened.strip_suffix('"').unwrap_or(opened),
            _ => text,
        }
    }

    /// A cell.
    #[inline(always)]
    pub fn cell(&self, position: usize) -> Cell<'a> {
        Cell::of_table(self.text(position))
    }
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum NoteKind {
    /// How the input was understood: its encoding, its sheets, its header line.
    Reading,
    /// What was left out because it is no record: titles, totals, resources of other kinds.
    LeftOut,
    /// What is missing from the input although it says that it exists.
    Incomplete,
}

impl NoteKind {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            NoteKind::Reading => "reading",
            NoteKind::LeftOut => "left-out",
            NoteKind::Incomplete => "incomplete",
        }
    }
}

/// Something to know about an input that concerns no single record, and rejects none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where; line 0 stands for the file as a whole.
    pub place: Place,
    /// What it is about.
    pub kind: NoteKind,
    /// What to know, and what to do about it.
    pub text: String,
}

/// So many columns are named that nobody understands.
const NAMED_COLUMNS: usize = 50;

impl Note {
    /// What is to be known of columns that nobody understands, and so many further ones; nothing if there are none.
    pub fn of_unused_columns<'n>(names: impl IntoIterator<Item = &'n str>, further: usize) -> Option<Note> {
        let mut names = names.into_iter();
        let named: Vec<String> = names.by_ref().take(NAMED_COLUMNS).map(shortened).collect();
        let more = match names.count() + further {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "columns not understood and left out: {}{more} (--keep-columns passes them through)",
            named.join(", ")
        );
        (!named.is_empty()).then_some(Note { place: Place::INPUTS, kind: NoteKind::LeftOut, text })
    }

    /// That so many columns that nobody understands are not kept, if there are any.
    pub fn of_columns_not_kept(count: usize) -> Option<Note> {
        let text = format!(
            "of the columns that no field takes {MOST_COLUMNS} are kept, and {count} more are left out; let values differ from record to record, not the names of columns"
        );
        (count > 0).then_some(Note { place: Place::INPUTS, kind: NoteKind::LeftOut, text })
    }

    /// The note for people, with its place if it has one.
    pub fn show(&self, files: &[String]) -> String {
        match self.place {
            Place::INPUTS => self.text.clone(),
            place => format!("{}: {}", place.show(files), self.text),
        }
    }
}

/// A record, or a part of the input, that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where it stands.
    pub place: Place,
    /// The column or member, if one is to blame.
    pub column: Option<String>,
    /// What stands there, shortened.
    pub value: Option<String>,
    /// What is wrong, what was expected, what to do.
    pub reason: String,
    /// The key that the record is about, if that much could be read.
    pub key_id: Option<String>,
}

/// Values in rejects are cut to this many characters.
const MAX_SHOWN: usize = 120;

impl Reject {
    /// A reject that concerns the record as a whole.
    pub fn whole(place: Place, reason: impl Into<String>) -> Reject {
        Reject { place, column: None, value: None, reason: reason.into(), key_id: None }
    }

    /// A reject for which one cell is to blame.
    pub fn cell(place: Place, column: &str, value: &str, reason: impl Into<String>) -> Reject {
        let (column, value) = (Some(column.to_owned()), Some(shortened(value)));
        Reject { place, column, value, reason: reason.into(), key_id: None }
    }
}

/// A text as it is shown.
fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Takes rows one by one.
pub trait RowSink {
    /// A record.
    fn row(&mut self, names: &Names, row: Row<'_>);
    /// A part of the input that counts as one record and could not be read.
    fn reject(&mut self, reject: Reject);
    /// Something to know about the input.
    fn note(&mut self, note: Note);
    /// How much of a list there is; matters to keys only.
    fn listing(&mut self, listing: Listing);
    /// A key of which something could not be used, so that nobody knows what else is true of it; matters to keys only.
    fn taint(&mut self, key_id: &str);
    /// The same of all keys that are named in what could not be read.
    fn taint_all(&mut self, tainted: &Tainted);
    /// A record of which one cell must not be believed. The others may tell which key it is about.
    fn refuse(&mut self, _names: &Names, _row: Row<'_>, reject: Reject) {
        self.reject(reject);
    }
}
