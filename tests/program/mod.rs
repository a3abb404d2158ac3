//! Runs the program as a user does, in a clean environment, and reads its outputs back.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) mod logs;

/// The formats of `preflight` and `exchange`.
pub(crate) const FORMATS: [&str; 6] = ["table", "csv", "json", "jsonl", "markdown", "html"];

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// The program with a clean environment, in the root of the tree.
pub(crate) fn command() -> assert_cmd::Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cmkdiag");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NO_COLOR", "1")
        .current_dir(root);
    command
}

/// Runs a prepared command.
pub(crate) fn end(command: &mut assert_cmd::Command) -> Ran {
    let output = command.output().expect("the program runs");
    Ran {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).expect("it writes UTF-8"),
        err: String::from_utf8(output.stderr).expect("it writes UTF-8"),
    }
}

/// Runs with arguments.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    end(command().args(arguments))
}

/// Runs and demands an exit code.
pub(crate) fn expect(code: i32, arguments: &[&str]) -> Ran {
    let ran = run(arguments);
    assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.out, ran.err);
    ran
}

/// A folder for inputs.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Writes a file into a folder and gives its path as text.
pub(crate) fn put(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The rows of a CSV by column name.
pub(crate) fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("it is CSV")
}

/// A document of JSON.
pub(crate) fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The text with the digest of the rulebook taken out, which every edit of a card changes.
pub(crate) fn without_digest(text: &str) -> String {
    let mut parts = text.split("-australia@");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("-australia@DIGEST");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

/// The numbers of the line that tells what became of the records, read and judged first, subjects third.
pub(crate) fn account(text: &str) -> Vec<u64> {
    let line = text.lines().find(|line| line.contains("records read =")).unwrap_or_else(|| panic!("none in {text}"));
    line.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// Whether a character moves the cursor, changes direction or cannot be seen.
pub(crate) fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
