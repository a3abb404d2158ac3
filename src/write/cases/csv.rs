//! CSV: one row a subject, every part of the outcome flattened; `confirmed` stands right behind the class.

use std::collections::HashMap;
use std::io::{self, Write};

use super::{Report, conflicts, fill, overruled, steps, text};
use crate::cases::Case;
use crate::write::flat;
use crate::write::safe::csv_cell;
use crate::write::words;

/// The columns behind those of the outcome.
const OWN: [&str; 6] = ["overruled", "advisories", "checklist", "notes", "conflicts", "origins"];

/// Every column, in order.
pub fn columns(report: &Report<'_>) -> Vec<String> {
    let of_form = report.assessment.form.columns.iter();
    let of_outcome = flat::COLUMNS.iter().filter(|name| **name != "scenario");
    of_form.chain(of_outcome).chain(&OWN).map(|name| (*name).to_owned()).collect()
}

/// Writes the whole table; `chosen` are positions among the [`columns`].
///
/// # Errors
/// It cannot be written.
pub fn csv(report: &Report<'_>, chosen: &[usize], to: &mut dyn Write) -> io::Result<()> {
    let mut out = Vec::new();
    let names = columns(report);
    let kept: &[String] = if report.keep_columns { &report.assessment.unused_columns } else { &[] };
    line(chosen.iter().map(|column| names[*column].as_str()).chain(kept.iter().map(String::as_str)), &mut out);
    for case in report.cases() {
        let cells = cells(report, case);
        let others = if kept.is_empty() { HashMap::new() } else { others(case) };
        let own = kept.iter().map(|name| others.get(name.as_str()).cloned().unwrap_or_default());
        let texts: Vec<String> = chosen.iter().map(|column| cells[*column].clone()).chain(own).collect();
        // Row by row, for all together are many times as long as what was read.
        to.write_all(&out)?;
        out.clear();
        line(texts.iter().map(String::as_str), &mut out);
    }
    to.write_all(&out)
}

fn line<'c>(cells: impl Iterator<Item = &'c str>, out: &mut Vec<u8>) {
    let start = out.len();
    for (index, cell) in cells.enumerate() {
        out.extend_from_slice(if index > 0 { b"," } else { b"" });
        csv_cell(cell, out);
    }
    if out.len() == start {
        // Many readers take an empty line for no row at all.
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

fn cells(report: &Report<'_>, case: &Case) -> Vec<String> {
    let book = &report.assessment.rulebook;
    let mut cells: Vec<String> = report.assessment.form.columns.iter().map(|field| text(case, field)).collect();
    let of_outcome = flat::COLUMNS.iter().zip(flat::cells(book, &case.outcome, report.lang));
    cells.extend(of_outcome.filter(|(name, _)| **name != "scenario").map(|(_, cell)| fill(&cell, case)));
    let ids = |cards: &mut dyn Iterator<Item = u16>| {
        cards.map(|card| book.card(card).id.as_str()).collect::<Vec<_>>().join("; ")
    };
    let disagreements =
        conflicts(book, case).into_iter().map(|(fact, said)| format!("{}: {said}", words::fact_name(book, fact)));
    cells.extend([
        overruled(report, &case.outcome).join("; "),
        ids(&mut case.advisories.iter().copied()),
        ids(&mut steps(case).map(|(card, _)| card)),
        case.draft.notes.join("; "),
        disagreements.collect::<Vec<_>>().join("; "),
        case.draft.origins.join("; "),
    ]);
    cells
}

/// What the columns that nobody understood say of the subject, or of each of its instances, by name.
pub(crate) fn others(case: &Case) -> HashMap<&str, String> {
    let mut others: HashMap<&str, String> = HashMap::new();
    for (known, cell) in &case.draft.others {
        let mut add = |name, text: &str| {
            let texts = others.entry(name).or_default();
            texts.push_str(if texts.is_empty() { "" } else { "; " });
            texts.push_str(text);
        };
        add(known.as_str(), cell);
        for side in ["source", "target"] {
            if let Some(name) = known.strip_prefix(side).and_then(|rest| rest.strip_prefix('_')) {
                add(name, &format!("{side}: {cell}"));
            }
        }
    }
    others
}
