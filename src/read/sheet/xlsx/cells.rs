//! One sheet, row by row: which cells there are, and what they say as text.

use quick_xml::events::{BytesStart, Event};

use super::super::markup::{Xml, attribute, cut_off, plain_text, resolve_escapes, text_of_runs};
use super::super::row::{MAX_COLUMNS, MAX_MERGED, MAX_ROWS, Merged, NEVER_CALCULATED, Row, bounded, too_many_merged};
use super::{Results, Shared};

/// A sheet, of which rows are left.
#[derive(Debug)]
pub(super) struct Sheet {
    text: String,
    /// Where the rows begin, and where the next one does.
    start: usize,
    at: usize,
    /// The number of the row before.
    row: u32,
}

impl Sheet {
    /// A sheet before its first row.
    ///
    /// # Errors
    /// The text is no sheet.
    pub(super) fn new(text: String) -> Result<Sheet, String> {
        let mut xml = Xml::new(&text);
        let at = loop {
            match xml.event()? {
                Event::Start(element) if element.local_name().as_ref() == "sheetData" => {
                    break xml.position();
                }
                Event::Eof => return Err("it has no `sheetData`".to_owned()),
                _ => {}
            }
        };
        // Elements outside have rows, too.
        let at = if text[..at].ends_with("/>") { text.len() } else { at };
        Ok(Sheet { text, start: at, at, row: 0 })
    }

    /// Reads the next row; `false` behind the last.
    ///
    /// # Errors
    /// The sheet is damaged; the message says where.
    pub(super) fn next_row(&mut self, shared: &Shared, row: &mut Row) -> Result<bool, String> {
        if self.at >= self.text.len() {
            return Ok(false);
        }
        let mut xml = Xml::new(self.text.get(self.at..).unwrap_or_default());
        loop {
            match xml.event()? {
                Event::Start(element) if element.local_name().as_ref() == "row" => {
                    row.begin(row_number(&element, self.row)?);
                    cells(&mut xml, shared, row).map_err(|error| format!("row {}: {error}", row.number))?;
                    self.at += xml.position();
                    self.row = row.number;
                    return Ok(true);
                }
                Event::End(element) if element.local_name().as_ref() == "sheetData" => {
                    self.at = self.text.len();
                    return Ok(false);
                }
                Event::Eof => return Err(cut_off("sheetData")),
                _ => {}
            }
        }
    }

    /// Begins again with the first row.
    pub(super) fn rewind(&mut self) {
        (self.at, self.row) = (self.start, 0);
    }

    /// Cells that are merged. They are listed behind the rows.
    ///
    /// # Errors
    /// The list is damaged.
    pub(super) fn merged(&self) -> Result<Vec<Merged>, String> {
        const END: &str = "sheetData>";
        let behind = self.text.rfind(END).and_then(|at| self.text.get(at + END.len()..));
        let (mut xml, mut merged) = (Xml::new(behind.unwrap_or_default()), Vec::new());
        loop {
            match xml.event()? {
                Event::Start(element) if element.local_name().as_ref() == "mergeCell" => {
                    let name = attribute(&element, "ref")?.unwrap_or_default().into_owned();
                    merged.push(area(name)?);
                    if merged.len() > MAX_MERGED {
                        return Err(too_many_merged());
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(merged)
    }
}

fn area(name: String) -> Result<Merged, String> {
    let (first, last) = name.split_once(':').unwrap_or((&name, &name));
    match (place(first), place(last)) {
        (Some((left, top)), Some((right, bottom))) if left <= right && top <= bottom => {
            Ok(Merged { rows: (top, bottom), columns: (left, right), name })
        }
        _ => Err(format!("`{name}` are no cells that can be merged")),
    }
}

/// The number of a row: its own, or the one after the row before.
fn row_number(element: &BytesStart<'_>, before: u32) -> Result<u32, String> {
    let number = match attribute(element, "r")? {
        Some(number) => number.parse().map_err(|_| format!("`{number}` is no number of a row"))?,
        None => before + 1,
    };
    if number > MAX_ROWS {
        return Err(format!("row {number}, but a sheet ends with row {MAX_ROWS}"));
    }
    if number <= before {
        return Err(format!("row {number} stands behind row {before}"));
    }
    Ok(number)
}

/// The column, from 0, and the row, from 1, of a cell such as `B12`.
fn place(name: &str) -> Option<(usize, u32)> {
    let (letters, digits) = name.split_at(name.find(|c: char| c.is_ascii_digit())?);
    if letters.is_empty() || letters.len() > 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut column = 0;
    for letter in letters.bytes() {
        if !letter.is_ascii_alphabetic() {
            return None;
        }
        column = column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1;
    }
    let row = digits.parse().ok().filter(|row| (1..=MAX_ROWS).contains(row))?;
    (column <= MAX_COLUMNS).then_some((column - 1, row))
}

/// Reads the cells of a row that has begun.
fn cells(xml: &mut Xml<'_>, shared: &Shared, row: &mut Row) -> Result<(), String> {
    loop {
        match xml.event()? {
            Event::Start(element) if element.local_name().as_ref() == "c" => cell(xml, &element, shared, row)?,
            Event::Start(element) => xml.skip(&element)?,
            Event::End(element) if element.local_name().as_ref() == "row" => return Ok(()),
            Event::Eof => return Err(cut_off("row")),
            _ => {}
        }
    }
}

fn cell(xml: &mut Xml<'_>, element: &BytesStart<'_>, shared: &Shared, row: &mut Row) -> Result<(), String> {
    let column = match attribute(element, "r")? {
        Some(name) => match place(&name) {
            Some((column, number)) if number == row.number && column >= row.len() => column,
            _ => return Err(format!("cell `{name}` does not belong there")),
        },
        None => row.len(),
    };
    row.open(column)?;
    let holds = content(xml, &mut row.value)?;
    if holds.formula && (!holds.value || shared.results == Results::Stale) {
        row.refuse(NEVER_CALCULATED);
    }
    let kind = attribute(element, "t")?;
    let style = attribute(element, "s")?.and_then(|style| style.parse::<usize>().ok()).unwrap_or(0);
    write(kind.as_deref().unwrap_or("n"), style, shared, row)?;
    bounded(row.text.len())
}

/// What stands in a cell.
#[derive(Debug, Clone, Copy, Default)]
struct Holds {
    formula: bool,
    /// The value, or the result of the formula, even if it is empty.
    value: bool,
}

/// Reads what stands in a cell that has begun.
fn content(xml: &mut Xml<'_>, value: &mut String) -> Result<Holds, String> {
    value.clear();
    let mut holds = Holds::default();
    loop {
        match xml.event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "v" => {
                    plain_text(xml, "v", value)?;
                    holds.value = true;
                }
                "is" => {
                    text_of_runs(xml, "is", value)?;
                    holds.value = true;
                }
                "f" => {
                    xml.skip(&element)?;
                    holds.formula = true;
                }
                _ => xml.skip(&element)?,
            },
            Event::End(element) if element.local_name().as_ref() == "c" => return Ok(holds),
            Event::Eof => return Err(cut_off("c")),
            _ => {}
        }
    }
}

/// Writes what a value of this kind and style says.
fn write(kind: &str, style: usize, shared: &Shared, row: &mut Row) -> Result<(), String> {
    let from = row.text.len();
    match kind {
        "s" if !row.value.is_empty() => {
            let number = row.value.trim().parse().ok();
            let shared = number.and_then(|number| shared.texts.get(number));
            let text = shared.ok_or_else(|| format!("there is no shared text `{}`", row.value))?;
            row.write(text)?;
        }
        "b" => row.text.push_str(match row.value.trim() {
            "0" => "false",
            "1" => "true",
            other => other,
        }),
        "n" => number(style, shared, row),
        "d" => row.text.push_str(row.value.strip_suffix("T00:00:00").unwrap_or(&row.value)),
        "str" => {
            row.text.push_str(&row.value);
            resolve_escapes(&mut row.text, from);
        }
        _ => row.text.push_str(&row.value),
    }
    Ok(())
}

/// Writes a number, or the date that it means.
fn number(style: usize, shared: &Shared, row: &mut Row) {
    let number = row.value.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let is_date = shared.dates.get(style).copied().unwrap_or_default();
    match number {
        Some(number) if is_date => row.write_moment(number, shared.epoch),
        Some(number) => row.write_number(number),
        None => row.text.push_str(&row.value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::row::{DAMAGED, Fault};
    use super::super::Texts;
    use super::*;

    /// Numbers and cells of rows.
    type Rows = Vec<(u32, Vec<String>)>;

    fn read(rows: &str, shared: &Shared) -> Result<(Rows, Vec<Fault>), String> {
        let mut sheet = Sheet::new(format!("<x><cols/><sheetData>{rows}</sheetData><row><c/></row></x>"))?;
        let (mut row, mut all, mut faults) = (Row::default(), Vec::new(), Vec::new());
        while sheet.next_row(shared, &mut row)? {
            all.push((row.number, (0..row.len()).map(|column| row.cell(column).to_owned()).collect()));
            faults.extend_from_slice(&row.faults);
        }
        Ok((all, faults))
    }

    /// What one cell says.
    fn says(cell: &str) -> (String, Option<&'static str>) {
        let shared =
            Shared { texts: Texts::of(&["none", "some\nmore"]), dates: vec![false, true], ..Shared::default() };
        let (rows, faults) = read(&format!("<row>{cell}</row>"), &shared).unwrap();
        (rows[0].1[0].clone(), faults.first().map(|fault| fault.reason))
    }

    #[test]
    fn every_kind_of_cell_is_text() {
        for (cell, text) in [
            ("<c/>", ""),
            ("<c t='s'><v>1</v></c>", "some\nmore"),
            ("<c t='s'/>", ""),
            ("<c t='inlineStr'><is><r><t>a</t></r><r><t xml:space='preserve'> b</t></r></is></c>", "a b"),
            ("<c t='str'><f>A1&amp;B1</f><v>a_x000A_b</v></c>", "a\nb"),
            ("<c t='str'><f>A1</f><v></v></c>", ""),
            ("<c t='b'><v>1</v></c>", "true"),
            ("<c t='b'><f>1=2</f><v>0</v></c>", "false"),
            ("<c t='e'><v>#N/A</v></c>", "#N/A"),
            ("<c t='e'><v>#NEW!</v></c>", "#NEW!"),
            ("<c t='d'><v>2026-03-31T00:00:00</v></c>", "2026-03-31"),
            ("<c t='d'><v>2026-03-31T12:34:56Z</v></c>", "2026-03-31T12:34:56Z"),
            ("<c><v>1</v></c>", "1"),
            ("<c t='n'><v>365.0</v></c>", "365"),
            ("<c><v>0.30000000000000004</v></c>", "0.30000000000000004"),
            ("<c><v>0.10000000000000001</v></c>", "0.1"),
            ("<c><v>-0</v></c>", "0"),
            ("<c><v>-1.5E-3</v></c>", "-0.0015"),
            ("<c><v>999999999999999</v></c>", "999999999999999"),
            ("<c><v>inf</v></c>", "inf"),
            ("<c><v>abc</v></c>", "abc"),
            ("<c s='1'><v>46112</v></c>", "2026-03-31"),
            ("<c s='1'><v>46112.524259259256</v></c>", "2026-03-31T12:34:56"),
            ("<c s='1'><v>2</v></c>", "2"),
            ("<c s='7'><v>46112</v></c>", "46112"),
            ("<c><v>1</v><f>A1</f><extLst><v>2</v></extLst></c>", "1"),
        ] {
            assert_eq!(says(cell), (text.to_owned(), None), "{cell}");
        }
    }

    #[test]
    fn what_a_spreadsheet_has_lost_is_a_fault() {
        for (cell, text, reason) in [
            ("<c><v>1234567890123456</v></c>", "1234567890123456", DAMAGED),
            ("<c><v>1.23456789012345E+15</v></c>", "1234567890123450", DAMAGED),
            ("<c><v>-1e15</v></c>", "-1000000000000000", DAMAGED),
            ("<c s='1'><v>1234567890123456</v></c>", "1234567890123456", DAMAGED),
            ("<c><f>A1</f></c>", "", NEVER_CALCULATED),
            ("<c t='str'><f>A1</f></c>", "", NEVER_CALCULATED),
        ] {
            assert_eq!(says(cell), (text.to_owned(), Some(reason)), "{cell}");
        }
        // Writers that cannot calculate write 0, and ask whoever opens the workbook to do it.
        let shared = Shared { results: Results::Stale, ..Shared::default() };
        let (_, faults) = read("<row><c><v>1</v></c><c><f>A1</f><v>0</v></c></row>", &shared).unwrap();
        assert_eq!(faults, [Fault { column: 1, reason: NEVER_CALCULATED }]);
    }

    #[test]
    fn cells_stand_where_their_names_say() {
        let rows = "<row r='3'><c r='b3'><v>1</v></c><c r='D3'><v>2</v></c><c><v>3</v></c></row><row/>
            <row><c><v>4</v></c></row><row r='1048576'><c r='A1048576'><v>5</v></c></row>";
        let (rows, _) = read(rows, &Shared::default()).unwrap();
        let rows: Vec<(u32, String)> = rows.into_iter().map(|(number, cells)| (number, cells.join("|"))).collect();
        let expected = [(3, "|1||2|3"), (4, ""), (5, "4"), (1_048_576, "5")];
        assert_eq!(rows, expected.map(|(number, cells)| (number, cells.to_owned())));
    }

    #[test]
    fn a_damaged_sheet_says_where() {
        for (rows, says) in [
            ("<row r='2'/><row r='2'/>", "row 2 stands behind row 2"),
            ("<row r='1048576'/><row/>", "a sheet ends with row"),
            ("<row r='4294967296'/>", "`4294967296` is no number of a row"),
            ("<row r='-1'/>", "`-1` is no number of a row"),
            ("<row r='1'><c r='B1'/><c r='A1'/></row>", "row 1: cell `A1` does not belong there"),
            ("<row r='1'><c r='A2'/></row>", "row 1: cell `A2` does not belong there"),
            ("<row r='1'><c r='XFE1'/></row>", "cell `XFE1` does not belong there"),
            ("<row r='1'><c r='XFD1'/><c/></row>", "more than 16384 cells"),
            ("<row r='1'><c r='AAAAAAAAAAAAAAA1'/></row>", "does not belong there"),
            ("<row r='1'><c r='A99999999999'/></row>", "does not belong there"),
            ("<row r='1'><c r='钥1'/></row>", "does not belong there"),
            ("<row r='1'><c r=''/></row>", "does not belong there"),
            ("<row r='7'><c t='s'><v>0</v></c></row>", "row 7: there is no shared text `0`"),
            ("<row r='7'><c t='s'><v>-1</v></c></row>", "there is no shared text `-1`"),
            ("<row><c><v>1", "row 1: broken XML"),
        ] {
            let error = read(rows, &Shared::default()).unwrap_err();
            assert!(error.contains(says), "{rows}: {error}");
        }
        assert!(Sheet::new("<chartsheet/>".to_owned()).is_err());
        let mut empty = Sheet::new("<x><sheetData/><row><c><v>1</v></c></row></x>".to_owned()).unwrap();
        assert!(!empty.next_row(&Shared::default(), &mut Row::default()).unwrap(), "rows are those of the data");
    }

    #[test]
    fn a_row_is_bounded_however_often_it_names_a_long_text() {
        let shared = Shared { texts: Texts::of(&[&"a".repeat(1 << 20)]), ..Shared::default() };
        let rows = format!("<row>{}</row>", "<c t='s'><v>0</v></c>".repeat(65));
        assert!(read(&rows, &shared).unwrap_err().contains("longer than 4 MiB"));
    }

    #[test]
    fn merged_cells_are_listed_behind_the_rows() {
        let merged = |list: &str| Sheet::new(format!("<x><sheetData><row/></sheetData>{list}</x>")).unwrap().merged();
        let list = "<mergeCells><mergeCell ref='B5:C9'/><mergeCell ref='A1'/></mergeCells>";
        let found = merged(list).unwrap();
        let found: Vec<_> = found.iter().map(|merged| (merged.name.as_str(), merged.rows, merged.columns)).collect();
        assert_eq!(found, [("B5:C9", (5, 9), (1, 2)), ("A1", (1, 1), (0, 0))]);
        assert_eq!(merged("").unwrap(), []);
        assert!(merged(&"<mergeCell ref='A1'/>".repeat(MAX_MERGED + 1)).is_err());
        for wrong in ["B9:C5", "C5:B9", "5:9", "", "A1:B2:C3"] {
            assert!(merged(&format!("<mergeCell ref='{wrong}'/>")).is_err(), "{wrong}");
        }
    }
}
