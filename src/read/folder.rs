//! Folders as inputs: which of their files are read, and which are left out and told.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::source::{Input, Origin, open};

/// Extensions of files that are taken from a folder, before `.gz` or `.zst`.
///
/// Workbooks that cannot be read are among them, so that they are refused and not overlooked.
const EXTENSIONS: [&str; 12] =
    ["csv", "tsv", "json", "jsonl", "ndjson", "txt", "tfstate", "xlsx", "xlsm", "xlsb", "xls", "ods"];

/// What reports of ScoutSuite are called; other scripts beside them are no inventories.
const SCOUTSUITE: (&str, &str) = ("scoutsuite_results", ".js");

/// Extensions of what is to be unpacked by other programs first.
const PACKED: [&str; 10] = [".zip", ".tar", ".tgz", ".tar.gz", ".tar.zst", ".7z", ".rar", ".bz2", ".xz", ".lz4"];

/// So many of the files that are left out are named.
const NAMED: usize = 5;

/// Adds the files of a folder and of those inside it, in alphabetical order, and what was left out. What cannot be
/// read is an input, too: opening it says why, and does not stop the others.
pub(super) fn list(folder: &Path, inputs: &mut Vec<Input>, takes: Takes) {
    let before = inputs.len();
    let mut listing = Listing { folder, takes, visited: BTreeSet::new(), left_out: LeftOut::default(), inputs };
    listing.enter(folder);
    let left_out = listing.left_out.told();
    let name = || folder.display().to_string();
    if inputs.len() == before {
        inputs.push(Input { name: name(), origin: Origin::Nothing { folder: folder.to_owned(), left_out } });
    } else if let Some(told) = left_out {
        inputs.push(Input { name: name(), origin: Origin::LeftOut(told) });
    }
}

/// Which files of a folder are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Inventories, by their names.
    Inventories,
    /// Logs. What one of them has not told may be what matters, so that no file is passed over without a word.
    Logs,
}

impl Takes {
    /// Whether a file, with its name in lower case, is read.
    fn takes(self, path: &Path, name: &str) -> bool {
        match self {
            Takes::Inventories => is_inventory(name),
            Takes::Logs => is_log(name) || may_be_log(name) && begins_as_log(path, name),
        }
    }

    /// Whether nobody asks for what has such a name: systems and programs keep it for themselves. A workbook that is open
    /// somewhere has a file beside it that says by whom.
    fn passes_over(self, name: &str) -> bool {
        let is_hidden = name.starts_with('.');
        let is_of_system = || name.starts_with("._") || name.starts_with(".git") || name == ".ds_store";
        name.starts_with("~$") || is_hidden && (self == Takes::Inventories || is_of_system())
    }
}

/// The files of a folder, as far as it was listed.
struct Listing<'l> {
    folder: &'l Path,
    takes: Takes,
    /// The true names of folders that were entered.
    visited: BTreeSet<PathBuf>,
    left_out: LeftOut,
    inputs: &'l mut Vec<Input>,
}

impl Listing<'_> {
    fn enter(&mut self, path: &Path) {
        let entries = path.canonicalize().and_then(|true_path| {
            // A folder is entered once, by its true name, so that links in a circle come to an end.
            if !self.visited.insert(true_path) {
                return Ok(Vec::new());
            }
            std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        });
        match entries {
            Ok(mut entries) => {
                entries.sort();
                entries.iter().for_each(|entry| self.take(entry));
            }
            Err(_) => self.inputs.push(Input::file(path)),
        }
    }

    fn take(&mut self, entry: &Path) {
        let name = entry.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if self.takes.passes_over(&name) {
            return;
        }
        if name.starts_with('.') {
            return self.left_out.add(self.folder, entry, "");
        }
        match std::fs::metadata(entry) {
            Ok(metadata) if metadata.is_dir() => self.enter(entry),
            // Pipes and devices are no part of an inventory, and reading them may never end.
            Ok(metadata) if !metadata.is_file() => self.left_out.add(self.folder, entry, " (no regular file)"),
            Ok(_) if !self.takes.takes(entry, &name) => self.left_out.add(self.folder, entry, ""),
            // A link to nowhere cannot be opened, whatever it was meant to lead to.
            Ok(_) | Err(_) => self.inputs.push(Input::file(entry)),
        }
    }
}

/// Files that are not read.
#[derive(Default)]
struct LeftOut {
    count: usize,
    /// The first of them, as they are told.
    first: Vec<String>,
    /// Whether some are to be unpacked first.
    is_packed: bool,
}

impl LeftOut {
    fn add(&mut self, folder: &Path, entry: &Path, why: &str) {
        let name = entry.strip_prefix(folder).unwrap_or(entry).to_string_lossy();
        self.count += 1;
        self.is_packed |= PACKED.iter().any(|extension| name.to_lowercase().ends_with(extension));
        if self.first.len() < NAMED {
            self.first.push(format!("{name}{why}"));
        }
    }

    /// What to know about them, and how to have them read.
    fn told(&self) -> Option<String> {
        let (files, whose) = if self.count == 1 { ("1 file", "its name") } else { ("files", "their names") };
        let files = if self.count == 1 { files.to_owned() } else { format!("{} {files}", self.count) };
        let more = match self.count - self.first.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let unpack = if self.is_packed { "; unpack archives first" } else { "" };
        (self.count > 0).then(|| {
            let first = self.first.join(", ");
            format!(
                "{files} left out because of {whose}: {first}{more}. To have a file read, name it on the command line{unpack}"
            )
        })
    }
}

/// Whether a file of this name, in lower case, is taken for an inventory.
pub(super) fn is_inventory(name: &str) -> bool {
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    EXTENSIONS.iter().any(|extension| name.strip_suffix(extension).is_some_and(|stem| stem.ends_with('.')))
        || name.starts_with(SCOUTSUITE.0) && name.ends_with(SCOUTSUITE.1)
}

/// Names of files that are taken for logs, for messages.
pub(crate) const LOGS: &str = ".json, .jsonl, .ndjson, .log, .txt, .csv or .tsv file (plain, .gz or .zst), also with a number or date behind it, no other .gz file, no Actiontrail_…, and nothing without an extension that begins as a log";

/// Extensions of what may be a log, but cannot be read; it is told as missing.
const UNREADABLE: [&str; 3] = [".br", ".parquet", ".avro"];

/// Extensions of logs, before what says that they are compressed.
const OF_LOGS: [&str; 7] = ["json", "jsonl", "ndjson", "log", "txt", "csv", "tsv"];

/// Whether a file has the name of a log: a trail delivers `.gz` without any other extension, which is nothing once somebody
/// has unpacked it. What is to be unpacked by other programs may be logs, too, and is not overlooked.
pub(super) fn is_log(name: &str) -> bool {
    let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
    let named = stem.unwrap_or(name);
    let extension = named.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| OF_LOGS.contains(&extension))
        || stem.is_some_and(|stem| !stem.contains('.'))
        || name.starts_with("actiontrail_") && !name.contains('.')
        || PACKED.iter().chain(&UNREADABLE).any(|packed| name.ends_with(packed))
}

/// Extensions of compressed files that are read.
const COMPRESSED: [&str; 4] = [".gz", ".zst", ".gzip", ".zstd"];

/// The name without the extension that says that it is compressed, if it has one.
pub(super) fn inflated(name: &str) -> Option<&str> {
    COMPRESSED.iter().find_map(|extension| name.strip_suffix(extension))
}

/// Whether a file without the name of a log may be one: those that rotate and those that clusters write go on with numbers or
/// dates behind the extension (`events.jsonl.1`, `events.log.2026-11-10`, `events.log-20261110`), or have none
/// (`part-00000`).
fn may_be_log(name: &str) -> bool {
    let named = inflated(name).unwrap_or(name);
    let says_compressed = |part: &&str| COMPRESSED.iter().any(|extension| extension.strip_prefix('.') == Some(part));
    let is_compressed = name.split('.').skip(1).any(|part| says_compressed(&part));
    // Those that clusters keep for themselves (`_SUCCESS`) are no data.
    if named.starts_with('_') {
        return false;
    }
    let is_number = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    let is_of_log = |part: &str| {
        let (extension, date) = part.split_once('-').unwrap_or((part, "0"));
        OF_LOGS.contains(&extension) && is_number(date)
    };
    let mut parts = named.split('.').skip(1).filter(|part| !says_compressed(part));
    let is_known = parts.by_ref().any(is_of_log);
    match is_known {
        true => parts.all(is_number),
        false => is_compressed || !named.contains('.'),
    }
}

/// So many bytes show whether a file begins as a log.
const START: u64 = 1 << 16;

/// Whether a file begins as logs do: with JSON, or with a table that has a column of events. What cannot be opened or
/// inflated is taken, so that it is told.
fn begins_as_log(path: &Path, name: &str) -> bool {
    let mut start = Vec::new();
    let read = open(&Input::file(path), &Arc::default(), u64::MAX)
        .is_ok_and(|reader| reader.take(START).read_to_end(&mut start).is_ok());
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start).trim_ascii_start();
    let head = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let names = head.split(|byte| matches!(byte, b',' | b';' | b'\t'));
    let mut names = names.map(<[u8]>::trim_ascii);
    let is_event = |name: &[u8]| {
        let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name).trim_ascii();
        name.eq_ignore_ascii_case(b"event") || name.eq_ignore_ascii_case(b"content")
    };
    match text.first() {
        Some(b'{' | b'[') => true,
        // A delivery that has failed may leave the name alone.
        None => !read || inflated(name).is_some(),
        Some(_) => !read || names.any(is_event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_taken_by_their_extension() {
        for name in
            ["keys.csv", "keys.csv.gz", "a.b.jsonl.zst", "x.xlsb", "scoutsuite_results_aliyun-1.js", "t.tfstate"]
        {
            assert!(is_inventory(name), "{name}");
        }
        for name in ["keys", "csv", "keys.dat", "keys.gz", "keys.csv.bz2", "app.js", "keys.csv.gz.gz", "x.zip"] {
            assert!(!is_inventory(name), "{name}");
        }
    }

    #[test]
    fn logs_are_taken_by_their_names() {
        for name in
            ["a.json", "a.log.zst", "x.gz", "actiontrail_cn-hangzhou_20261118000000_1002_1_2_0a", "a.tgz", "a.br"]
        {
            assert!(is_log(name), "{name}");
        }
        for name in ["a.pdf", "readme", "a.pdf.gz", "a.xlsx", "actiontrail_notes.md"] {
            assert!(!is_log(name), "{name}");
        }
    }

    #[test]
    fn logs_that_rotate_or_have_no_extension_may_be_logs() {
        for name in [
            "a.jsonl.1",
            "a.log.2026-11-10",
            "a.csv.1.gz",
            "x.gzip",
            "a.json.zstd",
            "part-00000",
            "a.log.2026.11.10.zst",
            "a.log-20261110",
            "a.jsonl-2026-11-10.gz",
            "a.jsonl.gz.1",
            "x.gz.1",
        ] {
            assert!(may_be_log(name) && !is_log(name), "{name}");
        }
        for name in ["a.json.part", "a.jsonl.tmp", "a.pdf", "a.1", "a.json.bak", "a.log.1.tmp"] {
            assert!(!may_be_log(name), "{name}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted_and_the_first_are_named() {
        let told = |names: &[&str]| {
            let mut left_out = LeftOut::default();
            names.iter().for_each(|name| left_out.add(Path::new("in"), &Path::new("in").join(name), ""));
            left_out.told()
        };
        assert_eq!(told(&[]), None);
        let one = "1 file left out because of its name: a.dat. To have a file read, name it on the command line";
        assert_eq!(told(&["a.dat"]).as_deref(), Some(one));
        let many = told(&["a", "b", "sub/c.ZIP", "d", "e", "f", "g"]).unwrap();
        let expected = "7 files left out because of their names: a, b, sub/c.ZIP, d, e and 2 more. To have a file read, name it on the command line; unpack archives first";
        assert_eq!(many, expected);
    }
}
