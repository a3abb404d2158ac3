//! CSV: one row a key, every fact of the outcome flattened; `confirmed` stands right behind the class.

use std::borrow::Cow;
use std::ops::Range;

use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::engine::facts::Lang;

use super::safe::csv_cell;
use super::{Format, PerShape, flat, words};

/// The columns before those that the user asked to keep.
pub const COLUMNS: [&str; 21] = [
    "key_id",
    "account_id",
    "region",
    "aliases",
    "class",
    "confirmed",
    "scenario",
    "rules",
    "because",
    "source",
    "remedy",
    "conditions",
    "gaps",
    "possible",
    "unlocks",
    "assumed",
    "rulebook",
    "advisories",
    "rotation_deadline",
    "conflicts",
    "origins",
];

/// The positions of `class` and `confirmed` in [`COLUMNS`].
const CLASS: usize = 4;
const CONFIRMED: usize = CLASS + 1;

/// The columns that depend on the combination of facts only.
const OF_SHAPE: Range<usize> = CLASS..17;

/// Which of the [`COLUMNS`] are written, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen(Vec<usize>);

impl Chosen {
    /// All of them.
    pub fn all() -> Chosen {
        Chosen((0..COLUMNS.len()).collect())
    }

    /// Those with the given names. A class is never written without `confirmed`, which follows it unless it is
    /// named, so that nobody takes a verdict with open conditions for one without.
    ///
    /// # Errors
    /// The first name that is no column, or is there twice.
    pub fn named(names: &[String]) -> Result<Chosen, &str> {
        let mut chosen: Vec<usize> = Vec::new();
        for name in names {
            match COLUMNS.iter().position(|column| column == name) {
                Some(column) if !chosen.contains(&column) => chosen.push(column),
                _ => return Err(name),
            }
        }
        if let (Some(class), false) = (chosen.iter().position(|column| *column == CLASS), chosen.contains(&CONFIRMED)) {
            chosen.insert(class + 1, CONFIRMED);
        }
        Ok(Chosen(chosen))
    }

    fn parts(&self, diagnosis: &Diagnosis) -> Vec<Part> {
        let mut parts = Vec::new();
        for column in &self.0 {
            match (parts.last_mut(), OfKey::named(COLUMNS[*column])) {
                (_, Some(own)) => parts.push(Part::OfKey(own)),
                (Some(Part::OfShape(columns, _)), None) => columns.push(*column),
                (_, None) => parts.push(Part::OfShape(vec![*column], PerShape::new(diagnosis))),
            }
        }
        parts
    }
}

/// Cells that stand side by side.
enum Part {
    /// One that differs from key to key.
    OfKey(OfKey),
    /// Those that depend on the combination of facts only, and their texts.
    OfShape(Vec<usize>, PerShape),
}

/// The columns that differ from key to key.
#[derive(Debug, Clone, Copy)]
enum OfKey {
    KeyId,
    AccountId,
    Region,
    Aliases,
    Advisories,
    RotationDeadline,
    Conflicts,
    Origins,
}

impl OfKey {
    /// The column of that name, if it is one of these.
    fn named(name: &str) -> Option<OfKey> {
        Some(match name {
            "key_id" => OfKey::KeyId,
            "account_id" => OfKey::AccountId,
            "region" => OfKey::Region,
            "aliases" => OfKey::Aliases,
            "advisories" => OfKey::Advisories,
            "rotation_deadline" => OfKey::RotationDeadline,
            "conflicts" => OfKey::Conflicts,
            "origins" => OfKey::Origins,
            _ => return None,
        })
    }
}

/// CSV by RFC 4180, lines ended by LF.
pub struct Csv<'d> {
    diagnosis: &'d Diagnosis,
    lang: Lang,
    chosen: Chosen,
    parts: Vec<Part>,
    kept: Vec<(u32, &'d str)>,
    files: Vec<Vec<u8>>,
    accounts: Vec<Vec<u8>>,
    regions: Vec<Vec<u8>>,
}

/// The texts as cells.
fn cells(texts: &[String]) -> Vec<Vec<u8>> {
    let cell = |text: &String| {
        let mut cell = Vec::new();
        csv_cell(text, &mut cell);
        cell
    };
    texts.iter().map(cell).collect()
}

impl<'d> Csv<'d> {
    /// A writer for the outcomes of a diagnosis; `kept` are the user's own columns to pass through.
    pub fn new(diagnosis: &'d Diagnosis, lang: Lang, chosen: Chosen, kept: Vec<(u32, &'d str)>) -> Csv<'d> {
        let survey = &diagnosis.survey;
        let (accounts, regions) = (cells(survey.accounts()), cells(survey.regions()));
        let parts = chosen.parts(diagnosis);
        Csv { diagnosis, lang, chosen, parts, kept, files: cells(&survey.files), accounts, regions }
    }

    /// The cells of columns that depend on the combination of facts only.
    fn shape_cells(&self, key: &KeyOutcome<'_>, columns: &[usize]) -> String {
        let cells = flat::cells(&self.diagnosis.rulebook, key.outcome, self.lang);
        let mut out = Vec::new();
        for (number, column) in columns.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            csv_cell(&cells[column - OF_SHAPE.start], &mut out);
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    fn advisories(&self, key: &KeyOutcome<'_>) -> Cow<'d, str> {
        let id = |card: &u16| self.diagnosis.rulebook.card(*card).id.as_str();
        match &*key.advisories() {
            [] => Cow::Borrowed(""),
            [only] => Cow::Borrowed(id(only)),
            several => Cow::Owned(several.iter().map(id).collect::<Vec<_>>().join("; ")),
        }
    }

    fn origins(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>) {
        let mut places = key.key.places();
        if !key.key.is_joined()
            && let Some(place) = places.next()
        {
            let file = &self.files[place.file as usize];
            let quoted = file.last() == Some(&b'"');
            out.extend_from_slice(if quoted { &file[..file.len() - 1] } else { file });
            out.push(b':');
            out.extend_from_slice(itoa::Buffer::new().format(place.line).as_bytes());
            out.extend_from_slice(if quoted { b"\"" } else { b"" });
            return;
        }
        let all: Vec<String> = key.key.places().map(|place| self.diagnosis.survey.show(place)).collect();
        csv_cell(&all.join("; "), out);
    }
}

impl Csv<'_> {
    /// The cell of a column that differs from key to key.
    fn cell(&self, column: OfKey, key: &KeyOutcome<'_>, out: &mut Vec<u8>) {
        match (column, key.key.scope()) {
            (OfKey::KeyId, _) => csv_cell(key.key.key_id(), out),
            (OfKey::AccountId, Some((account, _))) => out.extend_from_slice(&self.accounts[account as usize]),
            (OfKey::AccountId, None) => csv_cell(key.key.account_id(), out),
            (OfKey::Region, Some((_, region))) => out.extend_from_slice(&self.regions[usize::from(region)]),
            (OfKey::Region, None) => csv_cell(key.key.region(), out),
            (OfKey::Aliases, _) => match key.key.only_alias() {
                Some(only) => csv_cell(only, out),
                None => csv_cell(&key.key.aliases().join("; "), out),
            },
            (OfKey::Advisories, _) => csv_cell(&self.advisories(key), out),
            (OfKey::RotationDeadline, _) => {
                if let Some((time, _)) = key.rotation_deadline() {
                    csv_cell(time, out);
                }
            }
            (OfKey::Conflicts, _) if key.key.is_joined() => csv_cell(&conflict_text(key), out),
            (OfKey::Conflicts, _) => {}
            (OfKey::Origins, _) => self.origins(key, out),
        }
    }
}

impl Format for Csv<'_> {
    fn head(&self, out: &mut Vec<u8>) {
        let names: Vec<&str> = self.chosen.0.iter().map(|column| COLUMNS[*column]).collect();
        out.extend_from_slice(names.join(",").as_bytes());
        for (_, name) in &self.kept {
            out.push(b',');
            csv_cell(name, out);
        }
        out.push(b'\n');
    }

    fn key(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        for (number, part) in self.parts.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            match part {
                Part::OfKey(column) => self.cell(*column, key, out),
                Part::OfShape(columns, shapes) => shapes.write_plain(key, out, || self.shape_cells(key, columns)),
            }
        }
        if !self.kept.is_empty() {
            let kept = words::Kept::of(key);
            for (number, _) in &self.kept {
                out.push(b',');
                csv_cell(&kept.text(*number), out);
            }
        }
        if out.len() == start {
            // Many readers take an empty line for no row at all.
            out.extend_from_slice(b"\"\"");
        }
        out.push(b'\n');
    }

    fn tail(&self, _out: &mut Vec<u8>) {}
}

fn conflict_text(key: &KeyOutcome<'_>) -> String {
    let book = &key.diagnosis.rulebook;
    let each = words::conflicts(key).into_iter().map(|(fact, said)| {
        let said: Vec<String> = said.into_iter().map(|(value, place)| format!("{value} ({place})")).collect();
        format!("{}: {}", words::fact_name(book, fact), said.join(", "))
    });
    each.collect::<Vec<_>>().join("; ")
}
