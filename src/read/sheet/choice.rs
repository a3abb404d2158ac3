//! Which sheets of a workbook are read, and which of their rows is the header line.

use super::row::{Grid, Row};
use super::{MAX_REPEATED, MAX_SAID, damaged};
use crate::inventory::row::NoteKind;
use crate::read::detect::Vocabulary;
use crate::read::header::{self, LOOKED_AT};

/// Names in a note, and characters of a text in it.
const MAX_SHOWN: usize = 10;
pub(super) const MAX_QUOTED: usize = 60;

/// A longer text names no column; header lines are found without it.
const MAX_NAME: usize = 200;

/// Rows that say something, of all sheets together.
const MAX_RECORDS: u64 = 1 << 24;

/// A sheet as the workbook lists it.
pub(super) struct Listed {
    /// What people call it.
    pub(super) name: String,
    /// What it is called in messages about damage.
    pub(super) part: String,
    /// How many bytes of the workbook were unpacked so far.
    pub(super) unpacked: u64,
    /// Its rows, or what keeps them from being read; nothing if it is hidden.
    pub(super) grid: Option<Result<Box<dyn Grid>, String>>,
}

/// A sheet that is read.
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) part: String,
    pub(super) grid: Box<dyn Grid>,
    /// The row of its header line.
    pub(super) header: u32,
    /// What is to be known about the rows above.
    pub(super) above: Option<String>,
}

/// What is read of a workbook.
pub(super) struct Choice {
    /// At least one sheet, in order.
    pub(super) chosen: Vec<Chosen>,
    /// What is to be known about the other sheets.
    pub(super) notes: Vec<(NoteKind, String)>,
    /// Sheets that cannot be read.
    pub(super) damaged: Vec<String>,
    /// What a header line has to name.
    subject: &'static str,
}

/// How much the rows of a workbook say, so that no small file keeps the program busy for ever.
#[derive(Debug)]
pub(super) struct Budget {
    most: u64,
    text: u64,
    rows: u64,
    /// What the cells say, and how much they may say, for what they say may be kept.
    said: u64,
    may_say: u64,
}

impl Budget {
    /// A workbook that may say so much, in bytes.
    pub(super) fn new(max_input: u64) -> Budget {
        Budget { most: MAX_SAID.min(max_input), text: 0, rows: 0, said: 0, may_say: MAX_REPEATED }
    }

    /// Lets cells say twice as much as was unpacked, and some more: nearly all that they say stands there.
    pub(super) fn allow(&mut self, unpacked: u64) {
        self.may_say = unpacked.saturating_mul(2).saturating_add(MAX_REPEATED);
    }

    /// Counts a row of a sheet with so many columns that have names.
    ///
    /// # Errors
    /// The workbook says more than is read.
    pub(super) fn spend(&mut self, row: &Row, columns: usize) -> Result<(), String> {
        // Cells that say nothing take time, too.
        self.text += (row.text.len() + 4 * row.len().max(columns)) as u64;
        self.said += row.text.len() as u64;
        self.rows += u64::from(!row.is_blank());
        self.check()
    }

    /// Counts areas of merged cells.
    ///
    /// # Errors
    /// The workbook says more than is read.
    pub(super) fn spend_merged(&mut self, areas: usize) -> Result<(), String> {
        self.text += 1024 * areas as u64;
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        if !self.is_spent() {
            return Ok(());
        }
        if self.said > self.may_say {
            let most = self.may_say >> 20;
            return Err(format!(
                "cells and rows repeat long texts, so that they say more up to here than is read of so small a workbook ({most} MiB), and nothing behind is read"
            ));
        }
        Err(format!(
            "the workbook says more up to here than is read ({} bytes in all cells, or {MAX_RECORDS} rows; --max-input allows up to 4 GiB), and nothing behind is read",
            self.most
        ))
    }

    /// Whether nothing more is read.
    pub(super) fn is_spent(&self) -> bool {
        self.text > self.most || self.said > self.may_say || self.rows > MAX_RECORDS
    }
}

/// The first rows of a sheet that say something.
struct Top {
    rows: Vec<Looked>,
    /// The position of the header line among them, if one names a field.
    header: Option<usize>,
    /// What follows them, if that cannot be read.
    error: Option<String>,
}

struct Looked {
    number: u32,
    /// Whether it names keys, and so is no mere title.
    names_key: bool,
    cells: Vec<String>,
}

impl AsRef<[String]> for Looked {
    fn as_ref(&self) -> &[String] {
        &self.cells
    }
}

/// Chooses the sheets that have a header line that means something; if none has, the first that says anything.
///
/// # Errors
/// No sheet can be read or says anything.
pub(super) fn choose(
    sheets: impl Iterator<Item = Listed>,
    vocabulary: Vocabulary,
    budget: &mut Budget,
) -> Result<Choice, String> {
    let subject = vocabulary.subject;
    let mut choice = Choice { chosen: Vec::new(), notes: Vec::new(), damaged: Vec::new(), subject };
    let mut first = None;
    let (mut hidden, mut others) = (Vec::new(), Vec::new());
    for listed in sheets {
        budget.allow(listed.unpacked);
        let Some(grid) = listed.grid else {
            hidden.push(listed.name);
            continue;
        };
        let looked = grid.and_then(|mut grid| {
            let top = Top::of(grid.as_mut(), vocabulary, budget).map_err(|error| damaged(&listed.part, &error))?;
            Ok((grid, top))
        });
        let (grid, top) = match looked {
            Ok((_, Top { rows, error: None, .. })) if rows.is_empty() => continue,
            Ok(looked) => looked,
            Err(error) => {
                choice.damaged.push(error);
                if budget.is_spent() {
                    break;
                }
                continue;
            }
        };
        let is_table = top.header.is_some_and(|at| (vocabulary.is_header)(&top.rows[at].cells));
        // Of a table that is damaged further down, what stands above is read.
        if let Some(error) = top.error.as_ref().filter(|_| !is_table) {
            choice.damaged.push(damaged(&listed.part, error));
            continue;
        }
        let sheet = top.choose(listed.name, listed.part, grid);
        if is_table {
            choice.chosen.push(sheet);
        } else if first.is_none() {
            first = Some(sheet);
        } else {
            others.push(sheet.name);
        }
    }
    match first {
        Some(sheet) if choice.chosen.is_empty() && choice.damaged.is_empty() => choice.chosen.push(sheet),
        Some(sheet) => others.insert(0, sheet.name),
        None => {}
    }
    if choice.chosen.is_empty() {
        let nothing =
            || "the workbook is empty: no sheet that is shown says anything; expected a header line".to_owned();
        return Err(choice.damaged.into_iter().next().unwrap_or_else(nothing));
    }
    choice.tell(&hidden, &others);
    Ok(choice)
}

impl Choice {
    fn tell(&mut self, hidden: &[String], others: &[String]) {
        if let [_, _, ..] = &self.chosen[..] {
            let names: Vec<String> = self.chosen.iter().map(|sheet| sheet.name.clone()).collect();
            self.notes.push((
                NoteKind::Reading,
                format!("{} sheets are read: {}; hide what should not be", names.len(), listed(&names)),
            ));
        }
        if !others.is_empty() {
            let why = format!("left out, for no header line at the top names {}", self.subject);
            self.notes.push((NoteKind::LeftOut, format!("{}: {why}", sheets(others))));
        }
        if !hidden.is_empty() {
            let why = "hidden, and so left out; show what holds records";
            self.notes.push((NoteKind::LeftOut, format!("{}: {why}", sheets(hidden))));
        }
    }
}

impl Top {
    fn of(grid: &mut dyn Grid, vocabulary: Vocabulary, budget: &mut Budget) -> Result<Top, String> {
        let (mut row, mut rows) = (Row::default(), Vec::new());
        let error = loop {
            if rows.len() == LOOKED_AT {
                break None;
            }
            match grid.next_row(&mut row) {
                Ok(true) => budget.spend(&row, 0)?,
                Ok(false) => break None,
                Err(error) => break Some(error),
            }
            if !row.is_blank() {
                let cells = (0..row.len()).map(|column| shortened(row.cell(column).trim(), MAX_NAME));
                let names_key = row.key_ids().next().is_some();
                rows.push(Looked { number: row.number, names_key, cells: cells.collect() });
            }
        };
        grid.rewind();
        let header = header::find(&rows, vocabulary.is_field);
        Ok(Top { rows, header, error })
    }

    fn choose(self, name: String, part: String, grid: Box<dyn Grid>) -> Chosen {
        let at = self.header.unwrap_or(0);
        let header = self.rows.get(at).map_or(1, |row| row.number);
        Chosen { name, part, grid, header, above: above(self.rows.get(..at).unwrap_or_default()) }
    }
}

/// What is to be known about the rows above the header line.
fn above(rows: &[Looked]) -> Option<String> {
    let rows: Vec<&Looked> = rows.iter().filter(|row| !row.names_key).collect();
    let (first, last) = (rows.first()?, rows.last()?);
    let says = first.cells.iter().find(|cell| !cell.is_empty()).map_or("", String::as_str);
    let says = shortened(says, MAX_QUOTED);
    Some(match rows.len() {
        1 => format!("row {}, above the header line, is left out; it says `{says}`", first.number),
        count => {
            let (first, last) = (first.number, last.number);
            format!("{count} rows, {first} to {last}, above the header line, are left out; the first says `{says}`")
        }
    })
}

fn sheets(names: &[String]) -> String {
    format!("{} {}", if names.len() == 1 { "sheet" } else { "sheets" }, listed(names))
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().take(MAX_SHOWN).map(|name| format!("`{}`", shortened(name, MAX_QUOTED))).collect();
    let more = names.len() - shown.len();
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// The first so many characters of a text.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::Merged;
    use super::*;

    /// Rows without end that hold a space each.
    struct Endless(u32);

    impl Grid for Endless {
        fn next_row(&mut self, row: &mut Row) -> Result<bool, String> {
            self.0 += 1;
            row.begin(self.0);
            row.open(9999)?;
            Ok(true)
        }

        fn rewind(&mut self) {}

        fn merged(&self) -> Result<Vec<Merged>, String> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn no_workbook_is_looked_at_for_ever() {
        let vocabulary = Vocabulary { is_field: |_| true, is_header: |_| true, subject: "anything" };
        let listed = |name: usize| Listed {
            name: name.to_string(),
            part: name.to_string(),
            unpacked: 0,
            grid: Some(Ok(Box::new(Endless(0)) as Box<dyn Grid>)),
        };
        let mut budget = Budget::new(u64::MAX);
        let mut seen = 0;
        let sheets = (0..9).map(listed).inspect(|_| seen += 1);
        let error = choose(sheets, vocabulary, &mut budget).err().unwrap();
        assert!(error.contains("nothing behind is read") && budget.is_spent(), "{error}");
        assert_eq!(seen, 1);
    }

    #[test]
    fn cells_say_little_more_than_what_was_unpacked() {
        let mut row = Row::default();
        row.begin(1);
        row.open(0).unwrap();
        row.write(&"a".repeat(1 << 20)).unwrap();
        for unpacked in [0, 1 << 26, u64::MAX] {
            let mut budget = Budget::new(u64::MAX);
            budget.allow(unpacked);
            let rows = (1..=1000).take_while(|_| budget.spend(&row, 1).is_ok()).count() as u64;
            assert_eq!(rows, ((MAX_REPEATED >> 20) + 2 * (unpacked >> 20)).min(1000), "{unpacked}");
            assert_eq!(budget.check().is_err_and(|error| error.contains("repeat long texts")), rows < 1000);
        }
    }

    #[test]
    fn lists_are_shortened() {
        let names: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        assert_eq!(listed(&names), "`0`, `1`, `2`, `3`, `4`, `5`, `6`, `7`, `8`, `9` and 2 more");
        assert_eq!(sheets(&["钥".repeat(61)]), format!("sheet `{}…`", "钥".repeat(60)));
    }
}
