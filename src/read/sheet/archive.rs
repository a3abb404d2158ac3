//! The parts of a zip archive that is in memory, as far as workbooks need it: stored or deflated, not encrypted.
//!
//! What the archive states about itself is not believed. Nothing is reserved by a stated size; what parts unpack
//! to is counted, and bounded for all of them together.

use std::collections::HashMap;
use std::io::Read;

use super::bytes::{u16_at, u32_at, u64_at};

/// Marks of the records of an archive.
const PART: &[u8] = b"PK\x03\x04";
const ENTRY: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const LARGE_END: &[u8] = b"PK\x06\x06";
const LARGE_END_LOCATOR: &[u8] = b"PK\x06\x07";

/// The end record is followed by a comment of at most so many bytes.
const LONGEST_COMMENT: usize = u16::MAX as usize;

/// All parts of an archive.
pub(super) struct Archive {
    bytes: Vec<u8>,
    parts: HashMap<String, Part>,
    /// How many bytes may still be unpacked.
    room: u64,
    /// How many were.
    unpacked: u64,
}

/// Where a part stands, by the directory.
#[derive(Debug, Clone, Copy)]
struct Part {
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    at: u64,
}

impl Archive {
    /// The archive, of which at most so many bytes will be unpacked; nothing if its directory cannot be read.
    pub(super) fn open(bytes: Vec<u8>, room: u64) -> Option<Archive> {
        let (mut at, count) = directory(&bytes)?;
        let (mut parts, mut seen) = (HashMap::new(), 0_u64);
        while let Some((name, part, next)) = entry(&bytes, at) {
            parts.insert(name, part);
            (at, seen) = (next, seen + 1);
        }
        // Old writers count in 16 bits, however many there are.
        (seen as u16 == count as u16).then_some(Archive { bytes, parts, room, unpacked: 0 })
    }

    /// Whether there is such a part.
    pub(super) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(&plain(name))
    }

    /// How many bytes were unpacked so far.
    pub(super) fn unpacked(&self) -> u64 {
        self.unpacked
    }

    /// The text of a part, if there is such a part.
    ///
    /// # Errors
    /// The part is damaged, encrypted, no text, or larger than what may still be unpacked; the message says which.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(part) = self.parts.get(&plain(name)) else {
            return Ok(None);
        };
        let bytes = self.unpack(part).map_err(|problem| problem.message(name))?;
        self.room -= bytes.len() as u64;
        self.unpacked += bytes.len() as u64;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
        String::from_utf8(bytes).map(Some).map_err(|_| Problem::NotText.message(name))
    }

    fn unpack(&self, part: &Part) -> Result<Vec<u8>, Problem> {
        if part.flags & 1 != 0 {
            return Err(Problem::Encrypted);
        }
        let packed = packed(&self.bytes, part).ok_or(Problem::Damaged)?;
        let reader: Box<dyn Read + '_> = match part.method {
            0 => Box::new(packed),
            8 => Box::new(flate2::read::DeflateDecoder::new(packed)),
            method => return Err(Problem::Method(method)),
        };
        let mut bytes = Vec::new();
        reader.take(self.room + 1).read_to_end(&mut bytes).map_err(|_| Problem::Damaged)?;
        if bytes.len() as u64 > self.room {
            return Err(Problem::TooLarge);
        }
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        if crc.sum() == part.crc { Ok(bytes) } else { Err(Problem::Damaged) }
    }
}

/// Why a part cannot be read.
enum Problem {
    Damaged,
    Encrypted,
    Method(u16),
    NotText,
    TooLarge,
}

impl Problem {
    fn message(&self, part: &str) -> String {
        match self {
            Problem::Damaged => format!(
                "a damaged workbook: `{part}` cannot be unpacked; fetch the file again, or open it in a spreadsheet program and save it"
            ),
            Problem::Encrypted => "the workbook is encrypted; open it with its password and save it without one".into(),
            Problem::Method(method) => format!(
                "`{part}` is packed in a way that is not read (method {method}); open the workbook in a spreadsheet program and save it"
            ),
            Problem::NotText => {
                format!("`{part}` is not UTF-8 text; open the workbook in a spreadsheet program and save it")
            }
            Problem::TooLarge => "the workbook unpacks to more than 1 GiB, or than --max-input allows; split it, or export the sheet as CSV".into(),
        }
    }
}

/// A name as it is looked up: some writers begin with a slash, divide by backslashes or change the case.
fn plain(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}

/// Where the directory begins, and how many entries it says to have.
fn directory(bytes: &[u8]) -> Option<(usize, u64)> {
    let last = bytes.len().saturating_sub(LONGEST_COMMENT + 22);
    let end = last + memchr::memmem::rfind(bytes.get(last..)?, END)?;
    let (count, start) = (u16_at(bytes, end + 10)?, u32_at(bytes, end + 16)?);
    if count != u16::MAX && start != u32::MAX {
        return Some((start as usize, u64::from(count)));
    }
    let large = large_directory(bytes, end);
    large.or(Some((start as usize, u64::from(count))))
}

/// The same of an archive whose numbers do not fit into the end record.
fn large_directory(bytes: &[u8], end: usize) -> Option<(usize, u64)> {
    let locator = end.checked_sub(20).filter(|at| is_marked(bytes, *at, LARGE_END_LOCATOR))?;
    let record = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
    if !is_marked(bytes, record, LARGE_END) {
        return None;
    }
    let start = u64_at(bytes, record.checked_add(48)?)?;
    Some((usize::try_from(start).ok()?, u64_at(bytes, record + 32)?))
}

/// The entry of the directory that stands here, and where the next one would.
fn entry(bytes: &[u8], at: usize) -> Option<(String, Part, usize)> {
    if !is_marked(bytes, at, ENTRY) {
        return None;
    }
    let length = |offset: usize| u16_at(bytes, at + offset).map(usize::from);
    let name_at = at + 46;
    let extra_at = name_at + length(28)?;
    let comment_at = extra_at + length(30)?;
    let name = String::from_utf8_lossy(bytes.get(name_at..extra_at)?);
    let size = u32_at(bytes, at + 24)?;
    let mut part = Part {
        flags: u16_at(bytes, at + 8)?,
        method: u16_at(bytes, at + 10)?,
        crc: u32_at(bytes, at + 16)?,
        packed: u64::from(u32_at(bytes, at + 20)?),
        at: u64::from(u32_at(bytes, at + 42)?),
    };
    part.enlarge(size, bytes.get(extra_at..comment_at)?);
    Some((plain(&name), part, comment_at + length(32)?))
}

impl Part {
    /// Takes what does not fit into the entry from what is added to it.
    fn enlarge(&mut self, size: u32, extra: &[u8]) {
        const DOES_NOT_FIT: u64 = u32::MAX as u64;
        let mut rest = extra;
        while let (Some(kind), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
            let end = (4 + usize::from(length)).min(rest.len());
            if kind == 1 {
                let mut numbers = rest[4..end].chunks_exact(8).filter_map(|chunk| u64_at(chunk, 0));
                if u64::from(size) == DOES_NOT_FIT {
                    numbers.next();
                }
                for number in [&mut self.packed, &mut self.at] {
                    if *number == DOES_NOT_FIT {
                        *number = numbers.next().unwrap_or(*number);
                    }
                }
            }
            rest = &rest[end..];
        }
    }
}

/// The packed bytes of a part.
fn packed<'b>(bytes: &'b [u8], part: &Part) -> Option<&'b [u8]> {
    let at = usize::try_from(part.at).ok().filter(|at| is_marked(bytes, *at, PART))?;
    let names = usize::from(u16_at(bytes, at + 26)?) + usize::from(u16_at(bytes, at + 28)?);
    let rest = bytes.get(at + 30 + names..)?;
    rest.get(..usize::try_from(part.packed).ok()?)
}

fn is_marked(bytes: &[u8], at: usize, mark: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::CompressionMethod::{Deflated, Stored};
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zipped(parts: &[(&str, &str)], options: SimpleFileOptions) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            writer.start_file(*name, options).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    const PARTS: [(&str, &str); 3] = [("a.xml", "one"), ("xl\\B.xml", "\u{feff}two"), ("empty", "")];

    #[test]
    fn parts_are_found_however_they_are_written() {
        for method in [Stored, Deflated] {
            for large in [false, true] {
                let options = SimpleFileOptions::default().compression_method(method).large_file(large);
                let mut archive = Archive::open(zipped(&PARTS, options), 100).unwrap();
                assert!(archive.has("/xl/b.xml") && !archive.has("b.xml"));
                assert_eq!(archive.text("A.xml").unwrap().unwrap(), "one");
                assert_eq!(archive.text("/xl/b.xml").unwrap().unwrap(), "two");
                assert_eq!(archive.text("empty").unwrap().unwrap(), "");
                assert_eq!(archive.text("nothing").unwrap(), None);
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_read_where_they_are_added() {
        let mut bytes = zipped(&PARTS, SimpleFileOptions::default().compression_method(Stored));
        let entry = memchr::memmem::find(&bytes, ENTRY).unwrap();
        let added = [&[1, 0, 24, 0][..], &[0; 8], &3_u64.to_le_bytes(), &0_u64.to_le_bytes()].concat();
        bytes.splice(entry + 46 + 5..entry + 46 + 5, added.iter().copied());
        bytes[entry + 30] = added.len() as u8;
        for at in [20, 24, 42] {
            bytes[entry + at..entry + at + 4].fill(0xff);
        }
        let mut archive = Archive::open(bytes, 100).unwrap();
        assert_eq!(archive.text("a.xml").unwrap().unwrap(), "one");
    }

    #[test]
    fn what_is_unpacked_is_counted_whatever_the_archive_states() {
        let zeros = "0".repeat(1 << 20);
        let mut bytes = zipped(&[("bomb", &zeros)], SimpleFileOptions::default().compression_method(Deflated));
        assert!(bytes.len() < 2000);
        let entry = memchr::memmem::find(&bytes, ENTRY).unwrap();
        bytes[entry + 24..entry + 28].fill(0);
        let mut archive = Archive::open(bytes.clone(), (1 << 20) - 1).unwrap();
        assert!(archive.text("bomb").unwrap_err().contains("unpacks to more than"));
        let mut archive = Archive::open(bytes, 1 << 20).unwrap();
        assert_eq!(archive.text("bomb").unwrap().unwrap().len(), 1 << 20);
        assert!(archive.text("bomb").unwrap_err().contains("unpacks to more than"), "all parts share the room");
    }

    #[test]
    fn damage_is_noticed() {
        let whole = zipped(&PARTS, SimpleFileOptions::default().compression_method(Stored));
        let mut wrong = whole.clone();
        let at = memchr::memmem::find(&wrong, b"one").unwrap();
        wrong[at] = b'O';
        assert!(Archive::open(wrong, 100).unwrap().text("a.xml").unwrap_err().contains("damaged"));
        let mut secret = whole.clone();
        let entry = memchr::memmem::find(&secret, ENTRY).unwrap();
        secret[entry + 8] |= 1;
        assert!(Archive::open(secret, 100).unwrap().text("a.xml").unwrap_err().contains("encrypted"));
        for end in 0..whole.len() {
            assert!(Archive::open(whole[..end].to_vec(), 100).is_none_or(|mut archive| archive.text("a.xml").is_ok()));
        }
    }
}
