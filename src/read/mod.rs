//! Files to rows: one file a format; every row comes with its place, what cannot be read as a reject.
//!
//! [`source`] opens files, folders (`folder`) and standard input and inflates them; [`text`] decodes what is not UTF-8
//! (`asian` knows it by a few words); `packed` tells what is never read, and `forced` holds an input to the format that
//! somebody names. A splitter per format ([`csv`], [`json`] with [`object`], `keyed` and `beside`, [`sheet`],
//! [`document`]) cuts the bytes into blocks of whole records, which [`Parser::rows`] then parses on any thread; of what
//! cannot be read, [`unread`] finds the keys that it names. Tables and lists of objects are handed over as they stand,
//! and nothing here knows what their columns mean. What other tools write has a file each, which makes records of it
//! under canonical names ([`found`]): replies of the API, Cloud Config and Resource Center, Terraform, ScoutSuite,
//! Prowler.

mod ahead;
mod asian;
mod beside;
mod brackets;
mod config;
pub mod csv;
pub mod detect;
pub mod document;
pub(crate) mod folder;
mod forced;
pub mod found;
mod header;
mod inflate;
pub mod json;
mod keyed;
mod marks;
mod members;
pub mod object;
pub(crate) mod packed;
mod prowler;
mod quotes;
mod records;
mod replies;
mod scalars;
mod scoutsuite;
pub mod sheet;
mod sieve;
pub mod source;
mod swallowed;
mod terraform;
pub mod text;
mod top;
pub mod unread;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use encoding_rs::Encoding;

use crate::inventory::rejects::Tainted;
use crate::inventory::row::{FileId, Names, Note, Place, Reject, RowSink};
use crate::spare::Spare;

/// Blocks have about so many bytes.
pub const BLOCK: usize = 1 << 18;

/// A single record longer than this is refused. Taken apart, a hostile or broken one needs many times as much memory.
pub const MAX_RECORD: usize = 4 << 20;

/// Arrays of records stand in no more arrays than this.
const MAX_DEPTH: usize = 128;

/// An input format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text with a header line; the delimiter is found by itself.
    Csv,
    /// Tab-separated text with a header line.
    Tsv,
    /// JSON: an array of objects, an object that wraps one, or objects one behind the other.
    Json,
    /// JSON Lines: one object a line.
    JsonLines,
    /// A workbook (.xlsx, .ods, .xls).
    Sheet,
    /// A state or plan of Terraform.
    Terraform,
    /// A report of ScoutSuite.
    ScoutSuite,
    /// Replies of the KMS API, as its command line and its SDKs write them.
    AlibabaCli,
    /// Resources of Cloud Config.
    CloudConfig,
    /// Resources of Resource Center.
    ResourceCenter,
    /// Findings of Prowler as delimited text.
    Prowler,
    /// Findings of Prowler as JSON.
    ProwlerOcsf,
    /// Rows of Steampipe's table of keys, as delimited text or JSON.
    Steampipe,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 13] = [
        Format::Csv,
        Format::Tsv,
        Format::Json,
        Format::JsonLines,
        Format::Sheet,
        Format::Terraform,
        Format::ScoutSuite,
        Format::AlibabaCli,
        Format::CloudConfig,
        Format::ResourceCenter,
        Format::Prowler,
        Format::ProwlerOcsf,
        Format::Steampipe,
    ];

    /// The word for it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Json => "json",
            Format::JsonLines => "jsonl",
            Format::Sheet => "xlsx",
            Format::Terraform => "terraform",
            Format::ScoutSuite => "scoutsuite",
            Format::AlibabaCli => "alibaba-cli",
            Format::CloudConfig => "cloud-config",
            Format::ResourceCenter => "resource-center",
            Format::Prowler => "prowler",
            Format::ProwlerOcsf => "prowler-ocsf",
            Format::Steampipe => "steampipe",
        }
    }
}

/// Why an input cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened or read.
    #[error("cannot read {name}: {source}")]
    Io {
        /// The input.
        name: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Nothing readable is in a folder.
    #[error("{} holds no .csv, .tsv, .txt, .json, .jsonl, .ndjson, .xlsx, .ods, .xls, .tfstate or scoutsuite_results*.js file (plain, .gz or .zst){}", .folder.display(), .left_out.as_ref().map(|told| format!("; {told}")).unwrap_or_default())]
    EmptyFolder {
        /// The folder.
        folder: PathBuf,
        /// What it holds instead.
        left_out: Option<String>,
    },
    /// The content is not what its format asks for.
    #[error("{name}{}: {message}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Content {
        /// The input.
        name: String,
        /// The line, where one is known.
        line: Option<u64>,
        /// What is wrong, what was expected, what to do.
        message: String,
    },
}

impl ReadError {
    /// What is wrong with the content of an input.
    pub(crate) fn content(name: &str, line: Option<u64>, message: impl Into<String>) -> ReadError {
        ReadError::Content { name: name.to_owned(), line, message: message.into() }
    }

    /// Whether what was read of the input before cannot be trusted either.
    pub fn is_damage(&self) -> bool {
        matches!(self, ReadError::Io { source, .. } if source.kind() == std::io::ErrorKind::InvalidData)
    }

    /// The same as a reject that stands for all that cannot be read of a file.
    pub fn into_reject(self, file: FileId) -> Reject {
        let (line, reason) = match self {
            ReadError::Content { line, message, .. } => (line.unwrap_or(0), message),
            ReadError::Io { source, .. } => (0, format!("cannot be read: {source}")),
            empty @ ReadError::EmptyFolder { .. } => (0, empty.to_string()),
        };
        Reject::whole(Place { file, line }, reason)
    }
}

/// Some whole records of one file.
#[derive(Debug)]
pub struct Block {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The line on which the bytes begin, from 1.
    pub first_line: u64,
    /// How to take them apart.
    pub layout: Layout,
    /// Parts of the input before or inside the block that cannot be read.
    pub rejects: Vec<Reject>,
    /// The keys that are named there.
    pub tainted: Tainted,
    /// What is to be known about the input beside its records.
    pub notes: Vec<Note>,
    /// The encoding from which the text was decoded, if it was; splitters leave that to [`Splitter`].
    pub encoding: Option<&'static Encoding>,
    /// The format that somebody has named, whose records alone are wanted; splitters leave that to [`Splitter`].
    pub wanted: Option<Format>,
    /// Where the buffer goes afterwards.
    pub spare: Spare,
}

/// How the bytes of a block are taken apart.
#[derive(Debug)]
pub enum Layout {
    /// Delimited text.
    Csv(std::sync::Arc<csv::Header>),
    /// JSON objects, by position.
    Json(Vec<json::Span>),
    /// Rows of a sheet, which are not in the bytes.
    Sheet(sheet::Rows),
    /// What was found in a document, which is not in the bytes.
    Found(Box<found::Found>),
}

impl Block {
    /// A block without records, for what cannot be read of a file, with the keys that are named there.
    pub fn of_reject(reject: Reject, tainted: Tainted) -> Block {
        let block = Block::new(reject.place.file, Layout::Json(Vec::new()));
        Block { rejects: vec![reject], tainted, ..block }
    }

    /// A block without records, for what is to be known about an input.
    pub fn of_note(note: Note) -> Block {
        let block = Block::new(note.place.file, Layout::Json(Vec::new()));
        Block { notes: vec![note], ..block }
    }

    /// A block whose records are not in its bytes.
    fn new(file: FileId, layout: Layout) -> Block {
        let (bytes, spare) = (Vec::new(), Spare::default());
        let (rejects, tainted, notes) = (Vec::new(), Tainted::default(), Vec::new());
        Block { file, bytes, first_line: 1, layout, rejects, tainted, notes, encoding: None, wanted: None, spare }
    }
}

/// A worker's buffers for taking blocks apart.
#[derive(Debug, Default)]
pub struct Parser {
    csv: records::Parser,
    json: object::Parser,
    sheet: Vec<u8>,
    canonical: Option<Names>,
}

impl Parser {
    /// Hands every record of the block to the sink.
    pub fn rows(&mut self, block: Block, sink: &mut dyn RowSink) {
        let mut expecting;
        let sink: &mut dyn RowSink = if let Some(format) = block.wanted {
            expecting = forced::Expecting { format, file: block.file, sink };
            &mut expecting
        } else {
            sink
        };
        let mut sieve;
        let is_doubtful = block.encoding.is_some() || memchr::memchr(0, &block.bytes).is_some();
        let sink = if is_doubtful {
            sieve = sieve::Sieve::new(block.file, block.encoding, sink);
            &mut sieve
        } else {
            sink
        };
        block.notes.into_iter().for_each(|note| sink.note(note));
        block.rejects.into_iter().for_each(|reject| sink.reject(reject));
        sink.taint_all(&block.tainted);
        match block.layout {
            Layout::Csv(header) if prowler::is_header(header.names.as_slice()) => {
                let canonical = self.canonical.get_or_insert_with(found::names);
                let mut findings = prowler::Findings::new(block.file, canonical, sink);
                records::rows(&mut self.csv, &header, block.file, &block.bytes, block.first_line, &mut findings);
                findings.finish();
            }
            Layout::Csv(header) => {
                records::rows(&mut self.csv, &header, block.file, &block.bytes, block.first_line, sink);
            }
            Layout::Json(spans) => {
                let canonical = self.canonical.get_or_insert_with(found::names);
                self.json.rows(block.file, &block.bytes, &spans, canonical, sink);
            }
            Layout::Sheet(rows) => rows.hand_over(&mut self.sheet, sink),
            Layout::Found(found) => {
                found.hand_over(block.file, self.canonical.get_or_insert_with(found::names), sink);
            }
        }
        block.spare.give(block.bytes);
    }
}

/// What is asked of inputs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The format, instead of finding it.
    pub format: Option<Format>,
    /// The encoding of text, instead of finding it.
    pub encoding: Option<&'static Encoding>,
    /// What columns may be called.
    pub columns: Columns,
    /// What a workbook may say at most, in bytes; the reader of other inputs gives no more.
    pub max_input: u64,
}

/// What columns may be called.
#[derive(Debug, Clone)]
pub struct Columns {
    /// Which names mean something.
    pub vocabulary: detect::Vocabulary,
    /// Of these fields each table needs one.
    pub needed: &'static [&'static str],
    /// Whether a name is that of one of them.
    pub is_needed: fn(&str) -> bool,
    /// Names that somebody asks for though no field has them.
    pub asked: Vec<String>,
}

impl Columns {
    /// Refuses a header line of which no record could be used.
    ///
    /// # Errors
    /// What is wrong with it, what was expected, and what the first row says.
    fn check(&self, names: &[String], first: &str) -> Result<(), String> {
        if self.needed.is_empty() || names.iter().any(|name| (self.is_needed)(name)) {
            return Ok(());
        }
        let needed = self.needed.join(" or ");
        Err(format!(
            "no column is called {needed}, so no record could be used; the first row says `{first}`. Add a header line, or name the column; docs/inventory.md lists the spellings"
        ))
    }

    /// Names that nobody asks for may stand twice; the second is told from the first.
    fn without_idle_twins(&self, mut names: Vec<String>) -> Vec<String> {
        let matters = |name: &str| {
            (self.vocabulary.is_field)(name) || self.asked.iter().any(|asked| asked.eq_ignore_ascii_case(name))
        };
        let mut taken: HashSet<String> = names.iter().cloned().collect();
        // How often each name was seen.
        let mut seen: HashMap<String, usize> = HashMap::new();
        for name in names.iter_mut().filter(|name| !name.is_empty() && !matters(name)) {
            let times = seen.entry(name.clone()).or_default();
            *times += 1;
            while *times > 1 && !taken.insert(format!("{name} ({times})")) {
                *times += 1;
            }
            if *times > 1 {
                *name = format!("{name} ({times})");
            }
        }
        names
    }
}

/// Cuts one file into blocks.
pub struct Splitter {
    kind: Kind,
    /// What was found out about the encoding.
    found: text::Found,
    /// Whether it was told.
    is_told: bool,
    /// The format that somebody has named.
    wanted: Option<Format>,
}

/// A splitter for each kind of format.
enum Kind {
    Csv(csv::Splitter),
    Json(json::Splitter),
    Sheet(Box<sheet::Splitter>),
    Document(document::Splitter),
}

impl Splitter {
    fn new(kind: Kind, found: text::Found, wanted: Option<Format>) -> Splitter {
        Splitter { kind, found, is_told: false, wanted }
    }

    /// The next block, or nothing at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read, or its content is not what the format asks for.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        let mut block = match &mut self.kind {
            Kind::Csv(splitter) => splitter.next_block(),
            Kind::Json(splitter) => splitter.next_block(),
            Kind::Sheet(splitter) => splitter.next_block(),
            Kind::Document(splitter) => splitter.next_block(),
        }?;
        if let Some(block) = &mut block {
            block.encoding = self.found.encoding();
            block.wanted = self.wanted;
            if !self.is_told
                && let Some(note) = self.found.note(block.file)
            {
                block.notes.insert(0, note);
                self.is_told = true;
            }
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_matter_may_not_stand_twice() {
        let columns = Columns {
            vocabulary: detect::Vocabulary { is_field: |name| name == "origin", is_header: |_| true, subject: "" },
            needed: &[],
            is_needed: |_| false,
            asked: vec!["Team".to_owned()],
        };
        let told = |names: &str| columns.without_idle_twins(names.split(',').map(str::to_owned).collect()).join(",");
        assert_eq!(told("a,a,b,a"), "a,a (2),b,a (3)");
        assert_eq!(told("a,a (2),a,a"), "a,a (2),a (3),a (4)");
        assert_eq!(told("origin,origin,team,team,,"), "origin,origin,team,team,,");
    }
}
