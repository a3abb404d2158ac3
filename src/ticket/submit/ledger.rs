//! What was sent, on this machine: a file of JSON Lines to which lines are only added.
//!
//! A line is on the disk before a ticket is sent and another when it is known what became of it, so that a crash between
//! them shows. One run at a time holds the file.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::SubmitError;

/// Name and version of the format of a line; members are only ever added.
pub const FORMAT: &str = "cmkdiag.ledger/1";

/// What happened to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is about to be sent.
    Sending,
    /// The tracker created it.
    Created,
    /// The tracker had it already.
    Found,
    /// The tracker refused it.
    Refused,
    /// It never left this machine, or was turned away.
    NotSent,
    /// It was sent, no answer came, and the tracker has no such ticket.
    NotCreated,
    /// It was sent, no answer came, and the tracker cannot be asked.
    Unknown,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Name and version of the format.
    pub format: String,
    /// When, in UTC.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The tracker.
    pub tracker: String,
    /// Where it is: an address, and what tells projects apart.
    pub place: String,
    /// The label by which the ticket is found again.
    pub label: String,
    /// The line of the ticket's text by which it is found again.
    pub mark: String,
    /// The name of the ticket among those of its plan.
    pub name: String,
    /// What happened.
    pub state: State,
    /// The ticket, as the tracker calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Where people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Times as texts.
mod moment {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// What the ledger says about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not sent, or is known not to exist.
    Free,
    /// It exists.
    Exists(String),
    /// It was sent at that time, and nobody knows what became of it.
    Doubt(Timestamp),
}

/// Tracker, place and label.
type Key = (String, String, String);

/// The ledger.
#[derive(Debug)]
pub(super) struct Ledger {
    path: String,
    /// Open and held; nothing in a dry run.
    file: Option<File>,
    standings: HashMap<Key, Standing>,
}

impl Ledger {
    /// Reads a ledger without holding it; one that is not there is empty.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn look_at(path: &Path) -> Result<Ledger, SubmitError> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| problem(path, error.to_string()))?,
        };
        let (standings, _) = standings(path, &text)?;
        Ok(Ledger { path: shown(path), file: None, standings })
    }

    /// Opens a ledger, creates it if need be, and holds it until the end.
    ///
    /// # Errors
    /// Another run holds it, or it cannot be read or written.
    pub(super) fn open(path: &Path) -> Result<Ledger, SubmitError> {
        let failed = |error: std::io::Error| problem(path, error.to_string());
        let is_new = !path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SubmitError::Busy { path: shown(path) }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if is_new {
            sync_folder(path).map_err(failed)?;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let (standings, whole) = standings(path, &text)?;
        if whole < text.len() {
            // Half a line: whoever wrote it did not live to act on it.
            file.set_len(whole as u64).map_err(failed)?;
        } else if !text.is_empty() && !text.ends_with('\n') {
            file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(b"\n")).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        Ok(Ledger { path: shown(path), file: Some(file), standings })
    }

    /// What it says about a ticket.
    pub(super) fn standing(&self, tracker: &str, place: &str, label: &str) -> Standing {
        let key = (tracker.to_owned(), place.to_owned(), label.to_owned());
        self.standings.get(&key).cloned().unwrap_or(Standing::Free)
    }

    /// Adds a line, and returns when it is on the disk.
    ///
    /// # Errors
    /// It cannot be written. What was to be sent must not be.
    pub(super) fn add(&mut self, line: &Line) -> Result<(), SubmitError> {
        let failed = |problem: String| SubmitError::Ledger { path: self.path.clone(), problem };
        let mut bytes = serde_json::to_vec(line).map_err(|error| failed(error.to_string()))?;
        bytes.push(b'\n');
        let Some(file) = &mut self.file else { return Err(failed("it was opened for reading only".to_owned())) };
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|error| failed(error.to_string()))?;
        apply(&mut self.standings, line);
        Ok(())
    }
}

/// What all lines say together, and how many bytes of whole lines there are.
fn standings(path: &Path, text: &str) -> Result<(HashMap<Key, Standing>, usize), SubmitError> {
    let (mut standings, mut whole) = (HashMap::new(), 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        match serde_json::from_str::<Line>(line) {
            Ok(read) if read.format == FORMAT => apply(&mut standings, &read),
            _ if line.trim().is_empty() => {}
            _ if !line.ends_with('\n') => break,
            _ => {
                let told = format!(
                    "line {} is not what this version writes; restore the file, and do not delete it: without it only \
                     the tracker knows what was sent",
                    index + 1
                );
                return Err(problem(path, told));
            }
        }
        whole += line.len();
    }
    Ok((standings, whole))
}

fn apply(standings: &mut HashMap<Key, Standing>, line: &Line) {
    let key = (line.tracker.clone(), line.place.clone(), line.label.clone());
    let standing = match line.state {
        State::Sending => Standing::Doubt(line.at),
        State::Created | State::Found => Standing::Exists(line.ticket.clone().unwrap_or_default()),
        State::Refused | State::NotSent | State::NotCreated => Standing::Free,
        // The doubt is as old as what was sent.
        State::Unknown => match standings.get(&key) {
            Some(Standing::Doubt(since)) => Standing::Doubt(*since),
            _ => Standing::Doubt(line.at),
        },
    };
    standings.insert(key, standing);
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn problem(path: &Path, problem: String) -> SubmitError {
    SubmitError::Ledger { path: shown(path), problem }
}

/// A new file is there for good only when its folder says so.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, state: State, second: i64) -> Line {
        Line {
            format: FORMAT.to_owned(),
            at: Timestamp::from_second(second).unwrap(),
            tracker: "rt".to_owned(),
            place: "https://rt.example.com".to_owned(),
            label: label.to_owned(),
            mark: "cmk-plan: sha256:ab".to_owned(),
            name: "n".to_owned(),
            state,
            ticket: (state == State::Created).then(|| "7".to_owned()),
            url: None,
            why: None,
        }
    }

    fn standing(path: &Path, label: &str) -> Standing {
        Ledger::open(path).unwrap().standing("rt", "https://rt.example.com", label)
    }

    #[test]
    fn the_last_line_about_a_ticket_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.jsonl");
        assert_eq!(standing(&path, "a"), Standing::Free);
        let mut ledger = Ledger::open(&path).unwrap();
        let doubt = |second| Standing::Doubt(Timestamp::from_second(second).unwrap());
        for (state, second, expected) in [
            (State::Sending, 1, doubt(1)),
            (State::NotSent, 2, Standing::Free),
            (State::Sending, 3, doubt(3)),
            (State::Unknown, 4, doubt(3)),
            (State::Unknown, 5, doubt(3)),
            (State::NotCreated, 6, Standing::Free),
            (State::Sending, 7, doubt(7)),
            (State::Created, 8, Standing::Exists("7".to_owned())),
        ] {
            ledger.add(&line("a", state, second)).unwrap();
            assert_eq!(ledger.standing("rt", "https://rt.example.com", "a"), expected);
            assert_eq!(Ledger::look_at(&path).unwrap().standing("rt", "https://rt.example.com", "a"), expected);
        }
        assert_eq!(ledger.standing("rt", "https://rt.example.com", "b"), Standing::Free);
        assert_eq!(ledger.standing("rt", "https://other.example.com", "a"), Standing::Free);
        assert_eq!(ledger.standing("roundup", "https://rt.example.com", "a"), Standing::Free);
    }

    #[test]
    fn half_a_line_is_taken_away_and_a_whole_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.jsonl");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.add(&line("a", State::Sending, 1)).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        ledger.add(&line("b", State::Sending, 2)).unwrap();
        drop(ledger);
        let whole = std::fs::read_to_string(&path).unwrap();
        for cut in 0..whole.len() - first.len() {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut ledger = Ledger::open(&path).unwrap();
            ledger.add(&line("c", State::Sending, 3)).unwrap();
            drop(ledger);
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.lines().count(), if cut < 2 { 3 } else { 2 }, "{text}");
            assert!(
                matches!(standing(&path, "a"), Standing::Doubt(_))
                    && matches!(standing(&path, "c"), Standing::Doubt(_))
            );
        }
        std::fs::write(&path, format!("{{\"half\n{whole}")).unwrap();
        let error = Ledger::open(&path).unwrap_err().to_string();
        assert!(error.contains("line 1 is not what") && error.contains("do not delete it"), "{error}");
    }

    #[test]
    fn one_run_at_a_time_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.jsonl");
        let ledger = Ledger::open(&path).unwrap();
        assert!(matches!(Ledger::open(&path), Err(SubmitError::Busy { .. })));
        assert!(Ledger::look_at(&path).is_ok());
        drop(ledger);
        assert!(Ledger::open(&path).is_ok());
    }
}
