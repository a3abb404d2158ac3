//! One sheet of an OpenDocument spreadsheet, row by row.

use std::ops::Range;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::super::dates::Epoch;
use super::super::markup::{Xml, broken, cut_off};
use super::super::row::{
    Fault, Grid, MAX_COLUMNS, MAX_MERGED, MAX_ROWS, Merged, NEVER_CALCULATED, Row, too_many_merged,
};
use super::text::paragraphs;

/// A sheet, of which rows are left.
pub(super) struct Sheet {
    content: Arc<String>,
    /// Where the rows stand.
    rows: Range<usize>,
    epoch: Epoch,
    cursor: Cursor,
}

/// How far a sheet is read.
#[derive(Default)]
struct Cursor {
    /// How many bytes of its rows.
    at: usize,
    last: Repeated,
}

/// A row that says something, as often as it stands in the sheet.
#[derive(Default)]
struct Repeated {
    /// Its number is that of the first.
    row: Row,
    /// How many of them are left.
    left: u32,
    /// Where cells are merged: the first column, and how many columns and rows.
    spans: Vec<(usize, usize, u32)>,
}

impl Repeated {
    /// Passes over what is left.
    fn pass(&mut self) {
        self.row.number += self.left.saturating_sub(1);
        self.left = 0;
    }
}

impl Sheet {
    /// A sheet before its first row.
    pub(super) fn new(content: Arc<String>, rows: Range<usize>, epoch: Epoch) -> Sheet {
        Sheet { content, rows, epoch, cursor: Cursor::default() }
    }

    fn text(&self) -> &str {
        self.content.get(self.rows.clone()).unwrap_or_default()
    }
}

impl Grid for Sheet {
    fn next_row(&mut self, row: &mut Row) -> Result<bool, String> {
        if self.cursor.last.left > 0 {
            self.cursor.last.row.number += 1;
        } else {
            let mut cursor = std::mem::take(&mut self.cursor);
            let read = cursor.advance_to_text(self.text(), self.epoch);
            self.cursor = cursor;
            if !read? {
                return Ok(false);
            }
        }
        self.cursor.last.left -= 1;
        row.copy(&self.cursor.last.row);
        Ok(true)
    }

    fn rewind(&mut self) {
        self.cursor = Cursor::default();
    }

    fn merged(&self) -> Result<Vec<Merged>, String> {
        let (text, mut merged) = (self.text(), Vec::new());
        // Most sheets have no merged cells, and need not be read for them.
        if memchr::memmem::find(text.as_bytes(), b"-spanned").is_none() {
            return Ok(merged);
        }
        let mut cursor = Cursor::default();
        while cursor.advance(text, self.epoch)? {
            let Repeated { row, left, spans } = &mut cursor.last;
            let last = row.number + *left - 1;
            for top in row.number..=last {
                for (column, columns, rows) in &*spans {
                    let bottom = top.saturating_add(rows - 1).min(MAX_ROWS);
                    merged.push(Merged::area((top, bottom), (*column, column + columns - 1)));
                }
                if merged.len() > MAX_MERGED {
                    return Err(too_many_merged());
                }
                if spans.is_empty() {
                    break;
                }
            }
            cursor.last.pass();
        }
        Ok(merged)
    }
}

impl Cursor {
    /// Reads the next row that says something.
    fn advance_to_text(&mut self, text: &str, epoch: Epoch) -> Result<bool, String> {
        while self.advance(text, epoch)? {
            if !self.last.row.is_blank() {
                return Ok(true);
            }
            self.last.pass();
        }
        Ok(false)
    }

    /// Reads the next row that says something, or in which cells are merged.
    fn advance(&mut self, text: &str, epoch: Epoch) -> Result<bool, String> {
        let mut xml = Xml::new(text.get(self.at..).unwrap_or_default());
        let mut number = self.last.row.number;
        loop {
            match xml.event()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "table-row" => {
                        let repeated = count(&Attributes::of(&element)?.rows_repeated)?;
                        let Repeated { row, spans, left } = &mut self.last;
                        row.begin(number.saturating_add(1));
                        spans.clear();
                        let read = cells(&mut xml, epoch, row, spans);
                        read.map_err(|error| format!("row {}: {error}", row.number))?;
                        number = number.saturating_add(repeated);
                        // Blank rows may go on to the end of any sheet.
                        if !row.is_blank() || !spans.is_empty() {
                            if number > MAX_ROWS {
                                return Err(format!("row {number}, but a sheet ends with row {MAX_ROWS}"));
                            }
                            *left = repeated;
                            self.at += xml.position();
                            return Ok(true);
                        }
                    }
                    "table-header-rows" | "table-rows" | "table-row-group" => {}
                    _ => xml.skip(&element)?,
                },
                Event::End(element) if element.local_name().as_ref() == "table" => break,
                Event::Eof => break,
                _ => {}
            }
        }
        self.at = text.len();
        self.last.left = 0;
        Ok(false)
    }
}

/// How often something stands there.
fn count(written: &Option<String>) -> Result<u32, String> {
    let Some(written) = written else {
        return Ok(1);
    };
    written.trim().parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("`{written}` is no number of cells"))
}

/// Reads the cells of a row that has begun.
fn cells(xml: &mut Xml<'_>, epoch: Epoch, row: &mut Row, spans: &mut Vec<(usize, usize, u32)>) -> Result<(), String> {
    let mut column = 0_usize;
    loop {
        match xml.event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                name @ ("table-cell" | "covered-table-cell") => {
                    let attributes = Attributes::of(&element)?;
                    let mut value = std::mem::take(&mut row.value);
                    let read = paragraphs(xml, name, &mut value);
                    row.value = value;
                    read?;
                    let repeated = count(&attributes.columns_repeated)? as usize;
                    let (wide, high) = (count(&attributes.columns_spanned)?, count(&attributes.rows_spanned)?);
                    if (wide > 1 || high > 1) && column < MAX_COLUMNS {
                        spans.push((column, (wide as usize).min(MAX_COLUMNS - column), high));
                    }
                    if attributes.says_something(&row.value) {
                        cell(&attributes, epoch, column, row)?;
                        repeat(column, repeated, row)?;
                    }
                    column = column.saturating_add(repeated);
                }
                _ => xml.skip(&element)?,
            },
            Event::End(element) if element.local_name().as_ref() == "table-row" => return Ok(()),
            Event::Eof => return Err(cut_off("table-row")),
            _ => {}
        }
    }
}

/// Writes the cell that was written last as often as it stands there.
fn repeat(column: usize, repeated: usize, row: &mut Row) -> Result<(), String> {
    let text = row.cell(column).to_owned();
    let fault = row.faults.last().filter(|fault| fault.column == column).copied();
    for column in (column..column.saturating_add(repeated)).skip(1) {
        row.open(column)?;
        row.write(&text)?;
        row.faults.extend(fault.map(|fault: Fault| Fault { column, ..fault }));
    }
    Ok(())
}

/// What the attributes of rows and cells say.
#[derive(Default)]
struct Attributes {
    rows_repeated: Option<String>,
    columns_repeated: Option<String>,
    rows_spanned: Option<String>,
    columns_spanned: Option<String>,
    kind: Option<String>,
    value: Option<String>,
    is_error: bool,
    is_formula: bool,
}

impl Attributes {
    fn of(element: &BytesStart<'_>) -> Result<Attributes, String> {
        let mut found = Attributes::default();
        let mut attributes = element.attributes();
        attributes.with_checks(false);
        for attribute in attributes {
            let attribute = attribute.map_err(broken)?;
            let name = attribute.key.local_name();
            let is_extension = attribute.key.prefix().is_some_and(|prefix| prefix.as_ref() == "calcext");
            let mut value = None;
            let into = match name.as_ref() {
                "number-rows-repeated" => &mut found.rows_repeated,
                "number-columns-repeated" => &mut found.columns_repeated,
                "number-rows-spanned" => &mut found.rows_spanned,
                "number-columns-spanned" => &mut found.columns_spanned,
                "value-type" if is_extension => &mut value,
                "value-type" => &mut found.kind,
                "value" | "date-value" | "time-value" | "boolean-value" | "string-value" => &mut found.value,
                "formula" => {
                    found.is_formula = true;
                    continue;
                }
                _ => continue,
            };
            *into = Some(attribute.normalized_value(XmlVersion::Implicit1_0).map_err(broken)?.into_owned());
            found.is_error |= value.is_some_and(|kind| kind == "error");
        }
        Ok(found)
    }

    fn says_something(&self, text: &str) -> bool {
        self.kind.is_some() || self.is_formula || !text.is_empty()
    }
}

/// Writes what a cell says, whose paragraphs stand in `row.value`.
fn cell(attributes: &Attributes, epoch: Epoch, column: usize, row: &mut Row) -> Result<(), String> {
    row.open(column)?;
    let kind = attributes.kind.as_deref().unwrap_or("string");
    let is_text = !matches!(kind, "float" | "percentage" | "currency" | "date" | "time" | "boolean");
    let text = std::mem::take(&mut row.value);
    let value = match &attributes.value {
        Some(value) if !attributes.is_error => value.trim(),
        _ => "",
    };
    let written = match kind {
        // What a text says stands there once more only if it is shown otherwise.
        _ if is_text => match &attributes.value {
            Some(value) if !attributes.is_error => row.write(value),
            _ if attributes.is_formula && attributes.kind.is_none() && text.is_empty() => {
                row.refuse(NEVER_CALCULATED);
                Ok(())
            }
            _ => row.write(&text),
        },
        _ if value.is_empty() && attributes.is_formula && text.is_empty() => {
            row.refuse(NEVER_CALCULATED);
            Ok(())
        }
        _ => match (kind, meaning(kind, value, epoch)) {
            (_, None) => row.write(if value.is_empty() { &text } else { value }),
            (_, Some(Meaning::Flag(flag))) => {
                row.write_flag(flag);
                Ok(())
            }
            ("date" | "time", Some(Meaning::Number(days))) => {
                row.write_moment(days, epoch);
                Ok(())
            }
            (_, Some(Meaning::Number(number))) => {
                row.write_number(number);
                Ok(())
            }
        },
    };
    row.value = text;
    written
}

enum Meaning {
    Flag(bool),
    Number(f64),
}

/// What a value of this kind is; of dates and times, how many days. Nothing if it is not written as the format has it.
fn meaning(kind: &str, value: &str, epoch: Epoch) -> Option<Meaning> {
    match kind {
        "boolean" => value.parse().ok().map(Meaning::Flag),
        "date" => value.parse::<DateTime>().ok().map(|moment| Meaning::Number(epoch.days(moment))),
        "time" => {
            let time = value.parse::<SignedDuration>().ok()?;
            Some(Meaning::Number(time.as_secs_f64() / 86_400.0))
        }
        _ => value.parse().ok().filter(|number: &f64| number.is_finite()).map(Meaning::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::row::DAMAGED;
    use super::*;

    fn sheet(rows: &str) -> Sheet {
        let content = format!("<t:table-column/>{rows}</t:table><t:table-row><t:table-cell/></t:table-row>");
        let end = content.len();
        Sheet::new(Arc::new(content), 0..end, Epoch::default())
    }

    /// Numbers, cells and faults of rows.
    type Rows = Vec<(u32, String, Vec<Fault>)>;

    fn read(rows: &str) -> Result<Rows, String> {
        let (mut sheet, mut row, mut all) = (sheet(rows), Row::default(), Vec::new());
        while sheet.next_row(&mut row)? {
            let cells: Vec<&str> = (0..row.len()).map(|column| row.cell(column)).collect();
            all.push((row.number, cells.join("|"), row.faults.clone()));
        }
        Ok(all)
    }

    fn row_of(cells: &str) -> String {
        format!("<t:table-row>{cells}</t:table-row>")
    }

    #[test]
    fn every_kind_of_cell_is_text() {
        for (attributes, content, text) in [
            ("o:value-type='string'", "<x:p>a</x:p><x:p>b</x:p>", "a\nb"),
            ("o:value-type='string' o:string-value='a'", "<x:p>b</x:p>", "a"),
            ("o:value-type='string' o:string-value='' calcext:value-type='error'", "<x:p>#N/A</x:p>", "#N/A"),
            ("calcext:value-type='error' o:value-type='float' o:value='0'", "<x:p>Err:502</x:p>", "Err:502"),
            ("o:value-type='string' t:formula='of:=A1' o:string-value=''", "", ""),
            ("", "<x:p>a</x:p>", "a"),
            ("o:value-type='float' o:value='365'", "<x:p>365,00</x:p>", "365"),
            ("o:value-type='float' o:value='-0'", "", "0"),
            ("o:value-type='float' o:value='1E3' t:formula='of:=A1'", "", "1000"),
            ("o:value-type='float'", "<x:p>7</x:p>", "7"),
            ("o:value-type='float' o:value='inf'", "", "inf"),
            ("o:value-type='percentage' o:value='0.5'", "<x:p>50%</x:p>", "0.5"),
            ("o:value-type='currency' o:value='0.1'", "<x:p>0.10 €</x:p>", "0.1"),
            ("o:value-type='boolean' o:boolean-value='true'", "<x:p>WAHR</x:p>", "true"),
            ("o:value-type='date' o:date-value='2026-03-31'", "<x:p>31.03.26</x:p>", "2026-03-31"),
            ("o:value-type='date' o:date-value='2026-03-31T12:34:56'", "", "2026-03-31T12:34:56"),
            ("o:value-type='date' o:date-value='2026-03-31T23:59:59.999999999'", "", "2026-04-01"),
            ("o:value-type='date' o:date-value='1900-01-01'", "", "2"),
            ("o:value-type='date' o:date-value='2026-03-31T12:34:56Z'", "", "2026-03-31T12:34:56Z"),
            ("o:value-type='date' o:date-value='soon'", "", "soon"),
            ("o:value-type='time' o:time-value='PT18H00M00S'", "", "18:00:00"),
            ("o:value-type='time' o:time-value='PT36H00M00S'", "", "1.5"),
        ] {
            let rows = read(&row_of(&format!("<t:table-cell {attributes}>{content}</t:table-cell>"))).unwrap();
            let said = rows.first().map_or("", |(_, said, _)| said);
            assert_eq!(said, text, "{attributes}");
            assert!(rows.iter().all(|(_, _, faults)| faults.is_empty()), "{attributes}");
        }
    }

    #[test]
    fn what_a_spreadsheet_has_lost_is_a_fault() {
        for (attributes, reason) in [
            ("o:value-type='float' o:value='1.23456789012345E+15'", DAMAGED),
            ("t:formula='of:=A1'", NEVER_CALCULATED),
            ("t:formula='of:=A1' o:value-type='float'", NEVER_CALCULATED),
        ] {
            let rows = read(&row_of(&format!("<t:table-cell {attributes} t:number-columns-repeated='2'/>"))).unwrap();
            assert_eq!(rows[0].2, [0, 1].map(|column| Fault { column, reason }), "{attributes}");
        }
    }

    #[test]
    fn what_is_repeated_stands_there_so_often() {
        let cell =
            |count: &str| format!("<t:table-cell t:number-columns-repeated='{count}'><x:p>a</x:p></t:table-cell>");
        let blank = "<t:table-cell t:number-columns-repeated='16384'/>";
        let rows = format!(
            "<t:table-row t:number-rows-repeated='3'>{blank}</t:table-row><t:table-header-rows><t:table-row \
             t:number-rows-repeated='2'><t:table-cell t:number-columns-repeated='2'/>{}{blank}{blank}</t:table-row>\
             </t:table-header-rows><t:table-row-group>{}</t:table-row-group><t:table-row t:number-rows-repeated='4294967295'>{blank}</t:table-row>",
            cell("2"),
            row_of(&cell("1"))
        );
        let rows = read(&rows).unwrap();
        let rows: Vec<(u32, &str)> = rows.iter().map(|(number, cells, _)| (*number, cells.as_str())).collect();
        assert_eq!(rows, [(4, "||a|a"), (5, "||a|a"), (6, "a")]);
    }

    #[test]
    fn repetitions_are_bounded() {
        for (rows, says) in [
            (
                row_of("<t:table-cell t:number-columns-repeated='16385'><x:p>a</x:p></t:table-cell>"),
                "more than 16384 cells",
            ),
            (
                "<t:table-row t:number-rows-repeated='1048577'><t:table-cell><x:p>a</x:p></t:table-cell></t:table-row>"
                    .to_owned(),
                "a sheet ends with row 1048576",
            ),
            (row_of("<t:table-cell t:number-columns-repeated='-1'/>"), "row 1: `-1` is no number of cells"),
            (row_of("<t:table-cell t:number-columns-repeated='99999999999'/>"), "is no number of cells"),
            ("<t:table-row t:number-rows-repeated='0'/>".to_owned(), "`0` is no number of cells"),
            (
                row_of(&format!(
                    "<t:table-cell t:number-columns-repeated='9999'><x:p>{}</x:p></t:table-cell>",
                    "a".repeat(1 << 14)
                )),
                "longer than 4 MiB",
            ),
            ("<t:table-row><t:table-cell>".to_owned(), "row 1: broken XML"),
        ] {
            let error = read(&rows).unwrap_err();
            assert!(error.contains(says), "{says}: {error}");
        }
    }

    #[test]
    fn merged_cells_are_listed_and_rows_are_read_again() {
        let rows = [
            row_of("<t:table-cell t:number-columns-spanned='3' t:number-rows-spanned='1'><x:p>a</x:p></t:table-cell><t:covered-table-cell t:number-columns-repeated='2'/>"),
            "<t:table-row t:number-rows-repeated='2'><t:table-cell/><t:table-cell t:number-columns-spanned='2'/></t:table-row>".to_owned(),
            row_of("<t:table-cell t:number-rows-spanned='4294967295'/>"),
        ];
        let mut sheet = sheet(&rows.concat());
        let merged = sheet.merged().unwrap();
        let names: Vec<&str> = merged.iter().map(|merged| merged.name.as_str()).collect();
        assert_eq!(names, ["A1:C1", "B2:C2", "B3:C3", "A4:A1048576"]);
        let mut row = Row::default();
        for _ in 0..2 {
            assert!(sheet.next_row(&mut row).unwrap());
            assert_eq!((row.number, row.cell(0)), (1, "a"));
            while sheet.next_row(&mut row).unwrap() {}
            sheet.rewind();
        }
        let many =
            "<t:table-row t:number-rows-repeated='65537'><t:table-cell t:number-columns-spanned='2'/></t:table-row>";
        assert!(super::tests::sheet(many).merged().unwrap_err().contains("areas of merged cells"));
    }
}
