//! Opening inputs: files, folders, standard input; plain, gzip or zstd, found by their first bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ReadError;
use super::folder::{self, Takes};

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name in places and messages.
    pub name: String,
    /// Where its bytes are.
    pub origin: Origin,
}

/// Where the bytes of an input are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Standard input.
    StandardInput,
    /// A file, or what cannot be opened as one.
    File(PathBuf),
    /// A folder that holds no file to read.
    Nothing {
        /// The folder.
        folder: PathBuf,
        /// What it holds instead.
        left_out: Option<String>,
    },
    /// Nowhere: files of a folder are not read, and this is what to tell.
    LeftOut(String),
}

impl Input {
    /// A file.
    pub(super) fn file(path: &Path) -> Input {
        Input { name: path.display().to_string(), origin: Origin::File(path.to_owned()) }
    }
}

/// Bytes that are read at once to see how a file is compressed, and to inflate it. Whoever reads more at a time
/// reads straight from the file.
const PEEK: usize = 1 << 15;

/// The inputs that the arguments name: `-` is standard input, a folder stands for the files in it, in
/// alphabetical order.
///
/// # Errors
/// Standard input is named twice.
pub fn inputs(arguments: &[PathBuf]) -> Result<Vec<Input>, ReadError> {
    listed(arguments, Takes::Inventories)
}

/// The same for logs. A trail delivers files whose names say when; they are read in that order, whatever folder they stand
/// in, so that what was delivered twice stands close together.
///
/// # Errors
/// Standard input is named twice.
pub fn logs(arguments: &[PathBuf]) -> Result<Vec<Input>, ReadError> {
    let mut inputs = listed(arguments, Takes::Logs)?;
    let time = |input: &Input| {
        let name =
            Path::new(&input.name).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_time = |part: &&str| part.len() == 14 && part.bytes().all(|byte| byte.is_ascii_digit());
        name.split('_').find(is_time).map(str::to_owned).unwrap_or_default()
    };
    inputs.sort_by_cached_key(time);
    Ok(inputs)
}

/// Why a log without any byte is missed: with the name of a compressed file, it is what a delivery that has failed leaves.
pub fn failed_delivery(log: &Input) -> Option<String> {
    let Origin::File(path) = &log.origin else { return None };
    let is_empty = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
    let is_lost = is_empty && folder::inflated(&log.name.to_lowercase()).is_some();
    is_lost.then(|| format!("{}: the file is empty, as no compressed file is; fetch it again", log.name))
}

fn listed(arguments: &[PathBuf], takes: Takes) -> Result<Vec<Input>, ReadError> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            inputs.push(Input { name: "(standard input)".to_owned(), origin: Origin::StandardInput });
        } else if argument.is_dir() {
            folder::list(argument, &mut inputs, takes);
        } else {
            inputs.push(Input::file(argument));
        }
    }
    if inputs.iter().filter(|input| input.origin == Origin::StandardInput).count() > 1 {
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
    let nothing = |folder: &PathBuf, left_out| ReadError::EmptyFolder { folder: folder.clone(), left_out };
    let raw: Box<dyn Read + Send> = match &input.origin {
        Origin::File(path) if path.is_dir() => {
            // A folder is here because it cannot be listed, unless that has changed.
            let listed = std::fs::read_dir(path).and_then(|_| path.canonicalize());
            return Err(listed.map_or_else(failed, |_| nothing(path, None)));
        }
        Origin::File(path) => Box::new(File::open(path).map_err(failed)?),
        Origin::Nothing { folder, left_out } => return Err(nothing(folder, left_out.clone())),
        Origin::StandardInput => Box::new(std::io::stdin()),
        Origin::LeftOut(_) => Box::new(std::io::empty()),
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
