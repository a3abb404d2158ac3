//! What was sent, on this machine: a file of JSON Lines to which lines are only added.
//!
//! A line is on the disk before a ticket is sent and another when it is known what became of it, so that a crash between
//! them shows. One run at a time holds the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::SubmitError;
use super::records::Records;

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
    /// What the ticket is about: `migration`, or the rule of a consultation. Where it stands, the keys stand, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The ids of the keys that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The labels of the tickets that it takes the place of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
    /// What is not as it should be in the ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
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

/// The ledger.
#[derive(Debug)]
pub(super) struct Ledger {
    path: String,
    /// Open and held; nothing in a dry run.
    file: Option<File>,
    records: Records,
}

impl Ledger {
    /// Reads a ledger without holding it; one that is not there is empty.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn look_at(path: &Path) -> Result<Ledger, SubmitError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes.map_err(|error| problem(path, error.to_string()))?,
        };
        let (records, _) = read(path, &bytes)?;
        Ok(Ledger { path: shown(path), file: None, records })
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
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (records, whole) = read(path, &bytes)?;
        if whole < bytes.len() {
            // Half a line: whoever wrote it did not live to act on it.
            file.set_len(whole as u64).map_err(failed)?;
        } else if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(b"\n")).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        Ok(Ledger { path: shown(path), file: Some(file), records })
    }

    /// What its lines say together.
    pub(super) fn records(&self) -> &Records {
        &self.records
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
        self.records.add(line);
        Ok(())
    }
}

/// What all lines say together, and how many bytes of whole lines there are. A last line that was cut may end within a
/// character.
fn read(path: &Path, bytes: &[u8]) -> Result<(Records, usize), SubmitError> {
    let (mut records, mut whole) = (Records::default(), 0);
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice::<Line>(line) {
            Ok(read) if read.format == FORMAT => records.add(&read),
            _ if line.trim_ascii().is_empty() => {}
            _ if !line.ends_with(b"\n") && may_be_half(line) => break,
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
    Ok((records, whole))
}

/// Whether a line without its end may be half of one of ours, so that nobody else's text is taken away.
fn may_be_half(line: &[u8]) -> bool {
    let begin = format!("{{\"format\":\"{FORMAT}\",");
    let both = line.len().min(begin.len());
    line[..both] == begin.as_bytes()[..both] || line.iter().all(|byte| *byte == 0)
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
    use crate::ticket::submit::records::{Spot, Standing};

    const RT: Spot<'static> = Spot { tracker: "rt", place: "https://rt.example.com" };

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
            about: None,
            keys: Vec::new(),
            supersedes: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn standing(path: &Path, label: &str) -> Standing {
        Ledger::open(path).unwrap().records().standing(RT, label)
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
            (State::Created, 8, Standing::Exists { ticket: "7".to_owned(), remarks: Vec::new() }),
        ] {
            ledger.add(&line("a", state, second)).unwrap();
            assert_eq!(ledger.records().standing(RT, "a"), expected);
            assert_eq!(Ledger::look_at(&path).unwrap().records().standing(RT, "a"), expected);
        }
        let other_place = Spot { place: "https://other.example.com", ..RT };
        let other_tracker = Spot { tracker: "roundup", ..RT };
        for (spot, label) in [(RT, "b"), (other_place, "a"), (other_tracker, "a")] {
            assert_eq!(ledger.records().standing(spot, label), Standing::Free);
        }
    }

    #[test]
    fn half_a_line_is_taken_away_and_a_whole_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.jsonl");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.add(&line("a", State::Sending, 1)).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        // A cut may go through a character.
        ledger.add(&Line { name: "密钥".to_owned(), ..line("b", State::Sending, 2) }).unwrap();
        drop(ledger);
        let whole = std::fs::read_to_string(&path).unwrap();
        for cut in 0..whole.len() - first.len() {
            std::fs::write(&path, &whole.as_bytes()[..whole.len() - cut]).unwrap();
            assert!(Ledger::look_at(&path).is_ok(), "{cut}");
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
    fn what_is_no_ledger_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.jsonl");
        for text in
            ["{\"format\":\"cmkdiag.plan/1\"}", "token", "{\"a\":1}", "{\"format\":\"cmkdiag.ledger/2\",\"at\":"]
        {
            std::fs::write(&path, text).unwrap();
            assert!(Ledger::open(&path).is_err() && Ledger::look_at(&path).is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        for text in ["{\"form", "{\"format\":\"cmkdiag.ledger/1\",\"at", "\0\0\0"] {
            std::fs::write(&path, text).unwrap();
            assert!(Ledger::open(&path).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_ticket_that_is_sent_again_is_replaced_by_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("l.jsonl")).unwrap();
        let instead = |label: &str, of: &str, state, second| Line {
            supersedes: vec![of.to_owned()],
            ..line(label, state, second)
        };
        ledger.add(&line("a", State::Unknown, 1)).unwrap();
        ledger.add(&instead("b", "a", State::Sending, 2)).unwrap();
        ledger.add(&line("b", State::Created, 3)).unwrap();
        assert!(ledger.records().replacement(RT, "a").is_some());
        ledger.add(&line("a", State::NotCreated, 4)).unwrap();
        ledger.add(&instead("a", "b", State::Sending, 5)).unwrap();
        ledger.add(&line("a", State::Created, 6)).unwrap();
        assert!(ledger.records().replacement(RT, "a").is_none() && ledger.records().replacement(RT, "b").is_some());
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
