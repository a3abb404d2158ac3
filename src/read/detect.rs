//! Which format an input has, by its content; and one way to fill a buffer.

use std::io::Read;

use super::csv;
use super::json;
use super::sheet;
use super::{Format, ReadError, Splitter};
use crate::inventory::files::FileNames;
use crate::inventory::row::FileId;
use crate::spare::Spare;

/// How many bytes are looked at to tell the format.
const SAMPLE: usize = 1 << 16;

/// Which names mean something to the question that is asked.
#[derive(Clone, Copy)]
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
    forced: Option<Format>,
    vocabulary: Vocabulary,
    files: &FileNames,
) -> Result<Splitter, ReadError> {
    let mut start = Vec::new();
    let ended =
        fill(&mut reader, &mut start, SAMPLE).map_err(|source| ReadError::Io { name: name.to_owned(), source })?;
    if start.starts_with(&[0xef, 0xbb, 0xbf]) {
        start.drain(..3);
    }
    let format = forced.unwrap_or_else(|| sniff(name, &start));
    if format != Format::Sheet {
        refuse_unreadable(name, &start)?;
    }
    let (name, spare, files) = (name.to_owned(), Spare::default(), files.clone());
    let opened = Opened { file, name, reader, start, ended, spare, vocabulary, files };
    let is_field = vocabulary.is_field;
    match format {
        Format::Csv => csv::Splitter::new(opened, None).map(Splitter::Csv),
        Format::Tsv => csv::Splitter::new(opened, Some(b'\t')).map(Splitter::Csv),
        Format::Json => Ok(Splitter::Json(json::Splitter::new(opened, json::Mode::Unknown, is_field))),
        Format::JsonLines => Ok(Splitter::Json(json::Splitter::new(opened, json::Mode::Lines, is_field))),
        Format::Sheet => sheet::Splitter::new(opened).map(|splitter| Splitter::Sheet(Box::new(splitter))),
    }
}

fn refuse_unreadable(name: &str, start: &[u8]) -> Result<(), ReadError> {
    let refuse = |message: &str| Err(ReadError::content(name, None, message));
    if sheet::is_workbook(start) {
        return refuse("a workbook or archive; leave out --input-format, or export the sheet as CSV");
    }
    if start.starts_with(&[0xff, 0xfe])
        || start.starts_with(&[0xfe, 0xff])
        || start.iter().take(64).any(|byte| *byte == 0)
    {
        return refuse("not UTF-8 text (it looks like UTF-16 or a binary file); save it as UTF-8");
    }
    if start.trim_ascii_start().starts_with(b"<") {
        return refuse(
            "HTML or XML, as some programs export it with the name .xls; open it in a spreadsheet program and save it as .xlsx",
        );
    }
    if start.iter().all(u8::is_ascii_whitespace) {
        return refuse("the input is empty; expected a header line or JSON");
    }
    Ok(())
}

fn sniff(name: &str, start: &[u8]) -> Format {
    let lower = name.to_lowercase();
    let stem = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    if sheet::is_workbook(start) {
        return Format::Sheet;
    }
    match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') if stem.ends_with(".jsonl") || stem.ends_with(".ndjson") => Format::JsonLines,
        Some(b'{' | b'[') => Format::Json,
        _ => Format::Csv,
    }
}

/// Reads until the buffer has grown by `wanted` bytes, or to the end, which is `true`.
pub fn fill(reader: &mut dyn Read, buffer: &mut Vec<u8>, wanted: usize) -> std::io::Result<bool> {
    let target = buffer.len() + wanted;
    let mut at = buffer.len();
    buffer.resize(target, 0);
    let ended = loop {
        if at == target {
            break Ok(false);
        }
        match reader.read(&mut buffer[at..]) {
            Ok(0) => break Ok(true),
            Ok(read) => at += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    buffer.truncate(at);
    ended
}
