//! Which format an input has, by its content; and one way to fill a buffer.

use std::io::Read;

use super::csv;
use super::document;
use super::forced;
use super::json;
use super::packed;
use super::scoutsuite;
use super::sheet;
use super::terraform;
use super::text::{Found, Text};
use super::{Format, Kind, Options, ReadError, Splitter};
use crate::inventory::files::FileNames;
use crate::inventory::row::FileId;
use crate::spare::Spare;

/// How many bytes are looked at to tell the format.
pub(super) const SAMPLE: usize = 1 << 16;

const EMPTY: &str = "the input is empty; expected a header line or JSON";

/// Which names mean something to the question that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary {
    /// Whether a column of this name is that of a field.
    pub is_field: fn(&str) -> bool,
    /// Whether the cells of a header line are those of a table with records.
    pub is_header: fn(&[String]) -> bool,
    /// What such a header line names, in words.
    pub subject: &'static str,
}

/// An open input with its first bytes.
pub struct Opened {
    /// Its number.
    pub file: FileId,
    /// Its name in messages.
    pub name: String,
    /// The bytes after `start`.
    pub reader: Box<dyn Read + Send>,
    /// The first bytes, without a byte order mark.
    pub start: Vec<u8>,
    /// Whether `start` is everything.
    pub ended: bool,
    /// Buffers of blocks that were taken apart.
    pub spare: Spare,
    /// Which names of columns mean something.
    pub vocabulary: Vocabulary,
    /// The names of all files, for parts of this one that count as files.
    pub files: FileNames,
    /// What is read of it at most, in bytes, once it is unpacked.
    pub max_input: u64,
}

impl Opened {
    /// Takes so many of the first bytes.
    pub fn cut(&mut self, at: usize) -> Vec<u8> {
        let mut rest = self.spare.take();
        rest.extend_from_slice(&self.start[at..]);
        self.start.truncate(at);
        std::mem::replace(&mut self.start, rest)
    }
}

/// Makes the splitter for an input.
///
/// # Errors
/// The input cannot be read, or is of no format that is known.
pub fn splitter(
    file: FileId,
    name: &str,
    mut reader: Box<dyn Read + Send>,
    options: &Options,
    files: &FileNames,
) -> Result<Splitter, ReadError> {
    let failed = |source| ReadError::Io { name: name.to_owned(), source };
    let refused = |message: &str| ReadError::content(name, None, message);
    let vocabulary = options.columns.vocabulary;
    let opened = |reader, start, ended| {
        let (name, spare, files) = (name.to_owned(), Spare::default(), files.clone());
        Opened { file, name, reader, start, ended, spare, vocabulary, files, max_input: options.max_input }
    };
    let mut start = Vec::new();
    let mut ended = fill(&mut reader, &mut start, SAMPLE).map_err(failed)?;
    if let Some(told) = packed::recognise(&start) {
        return Err(refused(&told));
    }
    if start.is_empty() {
        return Err(refused(EMPTY));
    }
    let forced = options.format;
    let is_workbook = sheet::is_workbook(&start);
    if is_workbook || forced == Some(Format::Sheet) {
        if let Some(told) = forced.and_then(|format| forced::mismatch(format, &start)) {
            return Err(refused(&told));
        }
        let splitter = sheet::Splitter::new(opened(reader, start, ended))?;
        return Ok(Splitter::new(Kind::Sheet(Box::new(splitter)), Found::default(), None));
    }
    let (mut text, found) = Text::new(start, reader, options.encoding).map_err(refused)?;
    let mut start = Vec::new();
    ended = fill(&mut text, &mut start, SAMPLE).map_err(failed)?;
    if start.iter().all(u8::is_ascii_whitespace) {
        return Err(refused(EMPTY));
    }
    if start.trim_ascii_start().starts_with(b"<") {
        return Err(refused(
            "HTML or XML, as some programs export it with the name .xls; open it in a spreadsheet program and save it as .xlsx",
        ));
    }
    if packed::is_template(&start) {
        return Err(refused(packed::TEMPLATE));
    }
    if let Some(told) = forced.and_then(|format| forced::mismatch(format, &start)) {
        return Err(found.explain(refused(&told)));
    }
    let sniffed = sniff(name, &start);
    let opened = opened(Box::new(text), start, ended);
    let is_field = vocabulary.is_field;
    let table = |opened, delimiter| {
        let splitter = csv::Splitter::new(opened, delimiter, &options.columns)
            .and_then(|splitter| splitter.demand(forced).map(|()| splitter));
        Ok(Kind::Csv(splitter.map_err(|error| found.explain(error))?))
    };
    let kind = match forced.unwrap_or(sniffed) {
        Format::Tsv => table(opened, Some(b'\t'))?,
        Format::JsonLines => Kind::Json(json::Splitter::new(opened, json::Mode::Lines, is_field)),
        Format::Terraform => Kind::Document(document::Splitter::new(opened, document::Reader::Terraform)),
        Format::ScoutSuite => Kind::Document(document::Splitter::new(opened, document::Reader::ScoutSuite)),
        Format::Csv | Format::Prowler | Format::Sheet => table(opened, None)?,
        Format::Steampipe if sniffed == Format::Csv => table(opened, None)?,
        _ if sniffed == Format::JsonLines => Kind::Json(json::Splitter::new(opened, json::Mode::Lines, is_field)),
        _ => Kind::Json(json::Splitter::new(opened, json::Mode::Unknown, is_field)),
    };
    Ok(Splitter::new(kind, found, forced))
}

fn sniff(name: &str, start: &[u8]) -> Format {
    let lower = name.to_lowercase();
    let stem = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    if start.trim_ascii_start().starts_with(scoutsuite::PREFIX) {
        return Format::ScoutSuite;
    }
    // States may stand in an array.
    if terraform::is_document(&document::top_members(forced::inside_arrays(start))) {
        return Format::Terraform;
    }
    if scoutsuite::is_document(&document::top_members(start)) {
        return Format::ScoutSuite;
    }
    match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') if stem.ends_with(".jsonl") || stem.ends_with(".ndjson") => Format::JsonLines,
        Some(b'{' | b'[') => Format::Json,
        _ => Format::Csv,
    }
}

/// Reads until the buffer has grown by `wanted` bytes, or to the end, which is `true`.
///
/// # Errors
/// Nothing can be read. What was read before a failure is kept; it must come again when more is asked for.
pub fn fill(reader: &mut dyn Read, buffer: &mut Vec<u8>, wanted: usize) -> std::io::Result<bool> {
    let before = buffer.len();
    let target = before + wanted;
    let mut at = before;
    buffer.resize(target, 0);
    let ended = loop {
        if at == target {
            break Ok(false);
        }
        match reader.read(&mut buffer[at..]) {
            Ok(0) => break Ok(true),
            Ok(read) => at += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) if at > before => break Ok(false),
            Err(error) => break Err(error),
        }
    };
    buffer.truncate(at);
    ended
}
