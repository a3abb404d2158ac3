//! Files to rows: one file a format; every row comes with its place, what cannot be read as a reject.
//!
//! [`source`] opens files, folders and standard input and inflates them; a splitter per format ([`csv`],
//! [`json`] with [`object`], [`sheet`]) cuts the bytes into blocks of whole records, which [`Parser::rows`] then
//! parses on any thread. Nothing here knows what a column means.

pub mod csv;
pub mod detect;
mod header;
pub mod json;
mod marks;
pub mod object;
mod quotes;
mod records;
pub mod sheet;
pub mod source;

use std::path::PathBuf;

use crate::inventory::row::{FileId, Note, Place, Reject, RowSink};
use crate::spare::Spare;

/// Blocks have about so many bytes.
pub const BLOCK: usize = 1 << 18;

/// A single record longer than this is refused; bounds the memory of a hostile or broken file.
pub const MAX_RECORD: usize = 64 << 20;

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
    #[error("{} holds no .csv, .tsv, .txt, .json, .jsonl, .ndjson, .xlsx, .ods or .xls file (plain, .gz or .zst)", .0.display())]
    EmptyFolder(PathBuf),
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

    /// The same as a reject that stands for all that cannot be read of a file.
    pub fn into_reject(self, file: FileId) -> Reject {
        let (line, reason) = match self {
            ReadError::Content { line, message, .. } => (line.unwrap_or(0), message),
            ReadError::Io { source, .. } => (0, format!("cannot be read: {source}")),
            other @ ReadError::EmptyFolder(_) => (0, other.to_string()),
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
    /// What is to be known about the input beside its records.
    pub notes: Vec<Note>,
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
}

impl Block {
    /// A block without records, for what cannot be read of a file.
    pub fn of_reject(reject: Reject) -> Block {
        let layout = Layout::Json(Vec::new());
        let (file, rejects) = (reject.place.file, vec![reject]);
        Block { file, bytes: Vec::new(), first_line: 1, layout, rejects, notes: Vec::new(), spare: Spare::default() }
    }
}

/// A worker's buffers for taking blocks apart.
#[derive(Debug, Default)]
pub struct Parser {
    csv: records::Parser,
    json: object::Parser,
    sheet: Vec<u8>,
}

impl Parser {
    /// Hands every record of the block to the sink.
    pub fn rows(&mut self, block: Block, sink: &mut dyn RowSink) {
        block.notes.into_iter().for_each(|note| sink.note(note));
        block.rejects.into_iter().for_each(|reject| sink.reject(reject));
        match block.layout {
            Layout::Csv(header) => {
                records::rows(&mut self.csv, &header, block.file, &block.bytes, block.first_line, sink)
            }
            Layout::Json(spans) => self.json.rows(block.file, &block.bytes, &spans, sink),
            Layout::Sheet(rows) => rows.hand_over(&mut self.sheet, sink),
        }
        block.spare.give(block.bytes);
    }
}

/// Cuts one file into blocks.
pub enum Splitter {
    /// Delimited text.
    Csv(csv::Splitter),
    /// JSON.
    Json(json::Splitter),
    /// A sheet of a workbook.
    Sheet(Box<sheet::Splitter>),
}

impl Splitter {
    /// The next block, or nothing at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read, or its content is not what the format asks for.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        match self {
            Splitter::Csv(splitter) => splitter.next_block(),
            Splitter::Json(splitter) => splitter.next_block(),
            Splitter::Sheet(splitter) => splitter.next_block(),
        }
    }
}
