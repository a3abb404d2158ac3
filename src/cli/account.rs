//! What became of the records and subjects, the same for keys, pairs and requests: rejects, numbers and the exit code.

use std::io::{self, Write};
use std::path::Path;

use crate::inventory::row::{Note, NoteKind, Reject};
use crate::write::safe::{csv_cell, visible};

use super::exit::Exit;
use super::output::{Ink, say, write_to};
use super::run::{Failure, at_path};

/// Rejects that are shown on standard error.
const SHOWN_REJECTS: usize = 10;

/// Name, confirmed and conditional subjects of a class.
pub(super) type Counted = (&'static str, u64, u64);

/// Says the notes; those about what is missing first, and only the first of many of a kind.
pub(super) fn tell_notes(notes: &[Note], files: &[String]) {
    for (kind, word) in [(NoteKind::Incomplete, "warning"), (NoteKind::LeftOut, "note"), (NoteKind::Reading, "note")] {
        let of_kind: Vec<&Note> = notes.iter().filter(|note| note.kind == kind).collect();
        for note in of_kind.iter().take(SHOWN_REJECTS) {
            say(&visible(&format!("{word}: {}", note.show(files))));
        }
        if of_kind.len() > SHOWN_REJECTS {
            let more = of_kind.len() - SHOWN_REJECTS;
            say(&format!("… and {more} more such notes; --format json lists them"));
        }
    }
}

/// Says the first of so many rejects, each with its place for people, and how many more there are.
pub(super) fn tell_rejects(rejects: impl Iterator<Item = Reject>, count: u64, show: impl Fn(&Reject) -> String) {
    for reject in rejects.take(SHOWN_REJECTS) {
        let column = reject.column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
        let value = reject.value.as_ref().filter(|value| !value.is_empty());
        let value = value.map(|value| format!(" `{value}`")).unwrap_or_default();
        say(&visible(&format!("rejected: {}{column}:{value} {}", show(&reject), reject.reason)));
    }
    let more = count.saturating_sub(SHOWN_REJECTS as u64);
    if more > 0 {
        say(&format!("… and {more} more rejected records; --rejects FILE lists all"));
    }
}

/// Writes the rejects as CSV.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_rejects(
    rejects: impl Iterator<Item = Reject> + Send,
    files: &[String],
    path: Option<&Path>,
) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let fill = |out: &mut (dyn Write + Send)| write_table_of(rejects, files, out);
    write_to(Some(path), Ink::Data, fill).map_err(|error| at_path(error, Some(path)))
}

fn write_table_of(rejects: impl Iterator<Item = Reject>, files: &[String], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"file,line,column,value,reason\n")?;
    let mut text = Vec::new();
    for reject in rejects {
        text.clear();
        let file = files.get(reject.place.file as usize).map_or("", String::as_str);
        let line = reject.place.line.to_string();
        let (column, value) = (reject.column.as_deref().unwrap_or(""), reject.value.as_deref().unwrap_or(""));
        for (index, cell) in [file, &line, column, value, &reject.reason].iter().enumerate() {
            text.extend_from_slice(if index > 0 { b"," } else { b"" });
            csv_cell(cell, &mut text);
        }
        text.push(b'\n');
        out.write_all(&text)?;
    }
    Ok(())
}

/// How many subjects there are of each class that has any, in one line.
pub(super) fn class_line(classes: &[Counted]) -> String {
    let used = classes.iter().filter(|(_, confirmed, conditional)| confirmed + conditional > 0);
    let shown = used.map(|(name, confirmed, conditional)| match (*name, conditional) {
        ("undetermined", count) => format!("{name} {count}"),
        (_, 0) => format!("{name} {confirmed}"),
        _ => format!("{name} {} ({conditional} conditional)", confirmed + conditional),
    });
    shown.collect::<Vec<_>>().join(" · ")
}

/// The exit code of a run that had usable records.
pub(super) fn exit_of(classes: &[Counted], gate: &[&str], rejected: u64, allow_rejects: bool) -> Exit {
    let gated = |(name, confirmed, conditional): &Counted| {
        gate.contains(name) && confirmed + conditional > 0
            || gate.contains(&"conditional") && *name != "undetermined" && *conditional > 0
    };
    if classes.iter().any(gated) {
        Exit::Gate
    } else if rejected > 0 && !allow_rejects {
        Exit::Rejects
    } else {
        Exit::Done
    }
}
