//! Folders as inputs: which of their files are read, and which are left out and told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::source::{Input, Origin};

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
pub(super) fn list(folder: &Path, inputs: &mut Vec<Input>, takes: fn(&str) -> bool) {
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

/// The files of a folder, as far as it was listed.
struct Listing<'l> {
    folder: &'l Path,
    /// Whether a file of that name, in lower case, is read.
    takes: fn(&str) -> bool,
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
        // What systems and programs keep for themselves; a workbook that is open somewhere has a file beside it that
        // says by whom.
        if name.starts_with('.') || name.starts_with("~$") {
            return;
        }
        match std::fs::metadata(entry) {
            Ok(metadata) if metadata.is_dir() => self.enter(entry),
            // Pipes and devices are no part of an inventory, and reading them may never end.
            Ok(metadata) if !metadata.is_file() => self.left_out.add(self.folder, entry, " (no regular file)"),
            Ok(_) if !(self.takes)(&name) => self.left_out.add(self.folder, entry, ""),
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
pub(crate) const LOGS: &str =
    ".json, .jsonl, .ndjson, .log, .txt or .csv file (plain, .gz or .zst), no other .gz file, and no Actiontrail_…";

/// Extensions of what may be a log, but cannot be read; it is told as missing.
const UNREADABLE: [&str; 3] = [".br", ".parquet", ".avro"];

/// Whether a file has the name of a log: a trail delivers `.gz` without any other extension, which is nothing once somebody
/// has unpacked it. What is to be unpacked by other programs may be logs, too, and is not overlooked.
pub(super) fn is_log(name: &str) -> bool {
    let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
    let named = stem.unwrap_or(name);
    let known = ["json", "jsonl", "ndjson", "log", "txt", "csv"];
    let extension = named.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| known.contains(&extension))
        || stem.is_some_and(|stem| !stem.contains('.'))
        || name.starts_with("actiontrail_") && !name.contains('.')
        || PACKED.iter().chain(&UNREADABLE).any(|packed| name.ends_with(packed))
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
