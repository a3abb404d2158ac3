//! Opening inputs: files, folders, standard input; plain, gzip or zstd, found by their first bytes.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ReadError;
use super::ahead::Ahead;
use super::folder::{self, Takes};
use super::inflate::{Wrapping, inflate};

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
    Ok(Box::new(bounded(input, count, limit)?))
}

/// The same, and what is compressed is inflated on a thread of its own, which reads ahead.
///
/// # Errors
/// The input cannot be opened, or there is no thread to be had.
pub fn open_ahead(input: &Input, count: &Arc<AtomicU64>, limit: u64) -> Result<Box<dyn Read + Send>, ReadError> {
    let bounded = bounded(input, count, limit)?;
    if bounded.wrapping.is_none() {
        return Ok(Box::new(bounded));
    }
    let ahead = Ahead::new(bounded).map_err(|source| ReadError::Io { name: input.name.clone(), source })?;
    Ok(Box::new(ahead))
}

/// How many bytes a file has, as it is stored; nothing of what is no plain file, and can be read but once.
pub fn file_size(input: &Input) -> Option<u64> {
    let Origin::File(path) = &input.origin else { return None };
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
}

/// Whether a file is compressed; of what can be read but once nobody knows.
pub fn is_compressed(input: &Input) -> bool {
    let Origin::File(path) = &input.origin else { return false };
    let mut start = [0; 4];
    file_size(input).is_some()
        && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && Wrapping::of(&start).is_some()
}

fn bounded(input: &Input, count: &Arc<AtomicU64>, limit: u64) -> Result<Bounded, ReadError> {
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
    Ok(Bounded { inner, wrapping, ended, limit, given: 0, failure: None })
}

/// Gives so many bytes and no more. A failure comes again as often as somebody asks for more, so that what was read
/// before can be used first.
struct Bounded {
    inner: Box<dyn Read + Send>,
    /// How the input is compressed, if it is.
    wrapping: Option<Wrapping>,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails says where")]

    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    /// Bytes that are new again and again, so that pieces of every kind come out of the packed ones.
    fn content(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let mut bytes = Vec::with_capacity(length + 4096);
        while bytes.len() < length {
            match next() % 4 {
                0 => bytes.extend((0..next() % 512).map(|at| (at * at) as u8 ^ seed as u8)),
                1 => bytes.extend(next().to_le_bytes()),
                _ => bytes.resize(bytes.len() + next() % 4096, b'x'),
            }
        }
        bytes.truncate(length);
        bytes
    }

    fn members(parts: &[usize], seed: u64) -> Vec<u8> {
        let mut packed = Vec::new();
        for (at, length) in parts.iter().enumerate() {
            let mut member = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
            member.write_all(&content(*length, seed + at as u64)).unwrap();
            member.finish().unwrap();
        }
        packed
    }

    /// What is read before the end or a failure, in steps of this length, and the failure, which must come again.
    fn all(mut reader: Box<dyn Read + Send>, step: usize) -> (Vec<u8>, Option<(ErrorKind, String)>) {
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (bytes, None),
                Ok(read) => bytes.extend_from_slice(&buffer[..read]),
                Err(error) => {
                    let failure = (error.kind(), error.to_string());
                    let again = reader.read(&mut buffer).unwrap_err();
                    assert_eq!((again.kind(), again.to_string()), failure);
                    return (bytes, Some(failure));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn whoever_inflates_and_however_it_is_asked_for_the_same_comes_out(
            parts in proptest::collection::vec(prop_oneof![0..100_000_usize, 0..6_000_000_usize], 1..4),
            seed in any::<u64>().prop_map(|seed| seed >> 1),
            harm in prop_oneof![Just(0), Just(1), Just(2), Just(3)],
            place in 0.0..1.0_f64,
            limit in prop_oneof![Just(u64::MAX), 0..8_000_000_u64],
            step in prop_oneof![1_000..300_000_usize, Just(5_000_000)],
        ) {
            let mut packed = members(&parts, seed);
            let at = ((packed.len() as f64 * place) as usize).clamp(2, packed.len() - 1);
            match harm {
                1 => packed.truncate(at),
                2 => packed[at] ^= 0x55,
                3 => packed.extend(content(1 + at % 40, seed)),
                _ => {}
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log.gz");
            std::fs::write(&path, packed).unwrap();
            let input = Input::file(&path);
            let [here, ahead] = [Arc::default(), Arc::default()];
            let expected = all(open(&input, &here, limit).unwrap(), 1 << 18);
            prop_assert_eq!(&all(open(&input, &here, limit).unwrap(), step), &expected);
            prop_assert_eq!(&all(open_ahead(&input, &ahead, limit).unwrap(), step), &expected);
            prop_assert_eq!(here.load(Ordering::Relaxed), 2 * ahead.load(Ordering::Relaxed));
            if harm == 0 && limit == u64::MAX {
                let whole: Vec<u8> =
                    parts.iter().enumerate().flat_map(|(at, length)| content(*length, seed + at as u64)).collect();
                prop_assert!(expected == (whole, None));
            }
        }
    }
}
