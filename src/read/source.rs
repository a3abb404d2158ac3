//! Opening inputs: files, folders, standard input; plain, gzip or zstd, found by their first bytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ReadError;

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name in places and messages.
    pub name: String,
    /// The file, or nothing for standard input.
    pub path: Option<PathBuf>,
}

/// Bytes that are read at once to see how a file is compressed, and to inflate it. Whoever reads more at a time
/// reads straight from the file.
const PEEK: usize = 1 << 15;

/// Extensions of files that are taken from a folder, before `.gz` or `.zst`.
///
/// Workbooks that cannot be read are among them, so that they are refused and not overlooked.
const EXTENSIONS: [&str; 12] =
    ["csv", "tsv", "json", "jsonl", "ndjson", "txt", "tfstate", "xlsx", "xlsm", "xlsb", "xls", "ods"];

/// What reports of ScoutSuite are called; other scripts beside them are no inventories.
const SCOUTSUITE: (&str, &str) = ("scoutsuite_results", ".js");

/// The inputs that the arguments name: `-` is standard input, a folder stands for the files in it, in
/// alphabetical order.
///
/// # Errors
/// A folder cannot be read, or standard input is named twice.
pub fn inputs(arguments: &[PathBuf]) -> Result<Vec<Input>, ReadError> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            inputs.push(Input { name: "(standard input)".to_owned(), path: None });
        } else if argument.is_dir() {
            let before = inputs.len();
            folder(argument, &mut BTreeSet::new(), &mut inputs)?;
            if inputs.len() == before {
                // Opening it says so, and does not stop the others.
                inputs.push(file_input(argument));
            }
        } else {
            inputs.push(file_input(argument));
        }
    }
    if inputs.iter().filter(|input| input.path.is_none()).count() > 1 {
        return Err(ReadError::content("(standard input)", None, "named more than once; `-` can be read only once"));
    }
    Ok(inputs)
}

/// The files that the arguments name, whatever they are called; a folder stands for the files in it, in alphabetical
/// order.
///
/// # Errors
/// A folder cannot be read.
pub fn evidence_files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut files = Vec::new();
    for argument in arguments {
        if !argument.is_dir() {
            files.push(argument.clone());
            continue;
        }
        let failed = |source| ReadError::Io { name: argument.display().to_string(), source };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(argument).map_err(failed)? {
            entries.push(entry.map_err(failed)?.path());
        }
        // What a system leaves in every folder is no evidence.
        let hidden = |entry: &PathBuf| entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        entries.retain(|entry| !hidden(entry) && std::fs::metadata(entry).is_ok_and(|metadata| metadata.is_file()));
        entries.sort();
        files.extend(entries);
    }
    Ok(files)
}

fn file_input(path: &Path) -> Input {
    Input { name: path.display().to_string(), path: Some(path.to_owned()) }
}

fn folder(path: &Path, visited: &mut BTreeSet<PathBuf>, inputs: &mut Vec<Input>) -> Result<(), ReadError> {
    let failed = |source| ReadError::Io { name: path.display().to_string(), source };
    // A folder is entered once, by its true name, so that links in a circle come to an end.
    if !visited.insert(path.canonicalize().map_err(failed)?) {
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            folder(&entry, visited, inputs)?;
        } else if has_known_extension(&entry) && !is_special(&entry) {
            inputs.push(file_input(&entry));
        }
    }
    Ok(())
}

/// Pipes and devices in a folder are no part of an inventory, and reading them may never end.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

fn has_known_extension(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    // A workbook that is open somewhere has a file beside it that says by whom.
    !name.starts_with('.')
        && !name.starts_with("~$")
        && (EXTENSIONS.iter().any(|extension| name.strip_suffix(extension).is_some_and(|stem| stem.ends_with('.')))
            || name.starts_with(SCOUTSUITE.0) && name.ends_with(SCOUTSUITE.1))
}

/// Counts the bytes that were read, before inflating, and notices their end.
struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        if read == 0 && !buffer.is_empty() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Ok(read)
    }
}

/// Opens an input and inflates it if it is compressed; `count` grows by the bytes that are read. At most `limit` bytes
/// come out of it.
///
/// # Errors
/// The input cannot be opened.
pub fn open(input: &Input, count: &Arc<AtomicU64>, limit: u64) -> Result<Box<dyn Read + Send>, ReadError> {
    let failed = |source| ReadError::Io { name: input.name.clone(), source };
    let raw: Box<dyn Read + Send> = match &input.path {
        Some(path) if path.is_dir() => return Err(ReadError::EmptyFolder(path.clone())),
        Some(path) => Box::new(File::open(path).map_err(failed)?),
        None => Box::new(std::io::stdin()),
    };
    let ended = Arc::new(AtomicBool::new(false));
    let counting = Counting { inner: raw, count: Arc::clone(count), ended: Arc::clone(&ended) };
    let (inner, wrapping) = inflate(BufReader::with_capacity(PEEK, counting)).map_err(failed)?;
    Ok(Box::new(Bounded { inner, wrapping, ended, limit, given: 0, failure: None }))
}

/// Inflates gzip (of any number of members) and zstd (of any number of frames), and names which; passes on the rest.
fn inflate(mut reader: impl BufRead + Send + 'static) -> std::io::Result<(Box<dyn Read + Send>, Option<&'static str>)> {
    let start = reader.fill_buf()?;
    if start.starts_with(&[0x1f, 0x8b]) {
        Ok((Box::new(flate2::bufread::MultiGzDecoder::new(reader)), Some("gzip")))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Ok((Box::new(ZstdFrames { frame: None, rest: Some(reader) }), Some("zstd")))
    } else {
        Ok((Box::new(reader), None))
    }
}

/// Gives so many bytes and no more. A failure comes again as often as somebody asks for more, so that what was read
/// before can be used first.
struct Bounded {
    inner: Box<dyn Read + Send>,
    /// How the input is compressed, if it is.
    wrapping: Option<&'static str>,
    /// Whether all bytes of it were read.
    ended: Arc<AtomicBool>,
    limit: u64,
    given: u64,
    failure: Option<(ErrorKind, String)>,
}

impl Bounded {
    fn fail(&mut self, kind: ErrorKind, message: String) -> std::io::Error {
        self.failure = Some((kind, message.clone()));
        std::io::Error::new(kind, message)
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Some((kind, message)) = &self.failure {
            return Err(std::io::Error::new(*kind, message.clone()));
        }
        let left = self.limit - self.given;
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        // At the limit, one byte more tells whether that was all.
        let mut one = [0];
        let probes = room == 0 && !buffer.is_empty();
        match self.inner.read(if probes { &mut one } else { &mut buffer[..room] }) {
            Ok(read) if probes && read > 0 => {
                let inflated = if self.wrapping.is_some() { " after inflating" } else { "" };
                let message = format!("it has more than {} bytes{inflated}; --max-input SIZE allows more", self.limit);
                Err(self.fail(ErrorKind::FileTooLarge, message))
            }
            Ok(read) => {
                self.given += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let (kind, message) = match self.wrapping {
                    None => (error.kind(), error.to_string()),
                    Some(wrapping) if self.ended.load(Ordering::Relaxed) => (
                        ErrorKind::UnexpectedEof,
                        format!(
                            "the {wrapping} data is cut off after {} bytes of content; what follows is missing, fetch the file again",
                            self.given
                        ),
                    ),
                    Some(wrapping) => (
                        ErrorKind::InvalidData,
                        format!(
                            "the {wrapping} data is damaged ({error}), so nothing that came out of it can be trusted; fetch the file again"
                        ),
                    ),
                };
                Err(self.fail(kind, message))
            }
        }
    }
}

/// Zstd frames one behind the other.
struct ZstdFrames<R: BufRead> {
    frame: Option<Box<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>>,
    rest: Option<R>,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
                let (stated, found) = (frame.decoder.get_checksum_from_data(), frame.decoder.get_calculated_checksum());
                if stated.is_some() && stated != found {
                    return Err(std::io::Error::new(ErrorKind::InvalidData, "its checksum is another"));
                }
                self.rest = self.frame.take().map(|frame| frame.into_inner());
            }
            let Some(mut rest) = self.rest.take() else {
                return Ok(0);
            };
            if rest.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let frame = ruzstd::decoding::StreamingDecoder::new(rest).map_err(std::io::Error::other)?;
            self.frame = Some(Box::new(frame));
        }
    }
}
