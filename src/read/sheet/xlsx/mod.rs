//! Workbooks of today (.xlsx, .xlsm): where their sheets stand, the texts that they share, which of their numbers are
//! dates.
//!
//! Parts are found as the format (ECMA-376, ISO/IEC 29500) has it, by the relations between them, for their names are
//! the writer's choice.

mod cells;

use std::collections::HashMap;
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};

use self::cells::Sheet;
use super::archive::Archive;
use super::choice::Listed;
use super::damaged;
use super::dates::{Epoch, is_date_format, is_known_date_format};
use super::markup::{Xml, attribute, cut_off, text_of_runs};
use super::row::{Grid, Merged, Row};
use super::texts::Texts;

/// A workbook whose sheets can be read.
pub(super) struct Workbook {
    archive: Archive,
    /// Its sheets, in order, with their parts.
    sheets: std::vec::IntoIter<(Named, String)>,
    shared: Arc<Shared>,
}

/// What all cells of a workbook share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Texts that cells name by number.
    pub(super) texts: Texts,
    /// Whether numbers in each style are dates.
    pub(super) dates: Vec<bool>,
    /// From when they count.
    pub(super) epoch: Epoch,
    /// Whether formulas have results.
    pub(super) results: Results,
}

/// What the results of formulas are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Results {
    /// They were calculated when the workbook was saved.
    #[default]
    Calculated,
    /// They are to be calculated when the workbook is opened.
    Stale,
}

impl Workbook {
    /// Opens a workbook.
    ///
    /// # Errors
    /// It is none, or damaged; the message says what to do.
    pub(super) fn open(mut archive: Archive) -> Result<Workbook, String> {
        let main = find(relations(&mut archive, "")?, "officeDocument").ok_or(NO_WORKBOOK)?;
        if main.ends_with(".bin") {
            return Err("a binary workbook (.xlsb); save it as .xlsx, or export the sheet as CSV".to_owned());
        }
        let about = archive.text(&main)?.map(|text| About::read(&text).map_err(|error| damaged(&main, &error)));
        let about = about.transpose()?.flatten().ok_or(NO_WORKBOOK)?;
        let relations = relations(&mut archive, &main)?;
        let sheets = relations.iter().filter(|relation| relation.kind == "worksheet");
        let parts: HashMap<&str, &String> = sheets.map(|relation| (relation.id.as_str(), &relation.target)).collect();
        // Sheets that are charts have no cells.
        let part = |named: Named| parts.get(named.id.as_str()).map(|part| (named, (*part).clone()));
        let sheets: Vec<(Named, String)> = about.sheets.into_iter().filter_map(part).collect();
        let mut shared = Shared { epoch: about.epoch, results: about.results, ..Shared::default() };
        if let Some((part, text)) = related(&mut archive, &relations, "sharedStrings")? {
            shared.texts = texts(&text).map_err(|error| damaged(&part, &error))?;
        }
        if let Some((part, text)) = related(&mut archive, &relations, "styles")? {
            shared.dates = dates(&text).map_err(|error| damaged(&part, &error))?;
        }
        Ok(Workbook { archive, sheets: sheets.into_iter(), shared: Arc::new(shared) })
    }

    fn grid(&mut self, part: &str) -> Result<Box<dyn Grid>, String> {
        let text = self.archive.text(part)?.ok_or_else(|| damaged(part, "it is missing"))?;
        let sheet = Sheet::new(text).map_err(|error| damaged(part, &error))?;
        Ok(Box::new(Reader { sheet, shared: Arc::clone(&self.shared) }))
    }
}

impl Iterator for Workbook {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        let (Named { name, is_shown, .. }, part) = self.sheets.next()?;
        let grid = is_shown.then(|| self.grid(&part));
        Some(Listed { name, part, unpacked: self.archive.unpacked(), grid })
    }
}

/// A sheet with what its cells share with others.
struct Reader {
    sheet: Sheet,
    shared: Arc<Shared>,
}

impl Grid for Reader {
    fn next_row(&mut self, row: &mut Row) -> Result<bool, String> {
        self.sheet.next_row(&self.shared, row)
    }

    fn rewind(&mut self) {
        self.sheet.rewind();
    }

    fn merged(&self) -> Result<Vec<Merged>, String> {
        self.sheet.merged()
    }
}

const NO_WORKBOOK: &str = "an archive without a workbook (.xlsx, .ods) in it; unpack it (`unzip`) and give what comes out of it, or export the sheet as CSV";

/// How a part is related to another.
struct Relation {
    id: String,
    /// The last step of the type, which is the same in both variants of the format.
    kind: String,
    target: String,
}

/// The relations of a part; those of the archive as a whole, if the part has no name.
fn relations(archive: &mut Archive, part: &str) -> Result<Vec<Relation>, String> {
    let (folder, file) = part.rsplit_once('/').map_or(("", part), |(folder, file)| (folder, file));
    let name = format!("{folder}/_rels/{file}.rels");
    let Some(text) = archive.text(&name)? else {
        return Ok(Vec::new());
    };
    let mut relations = Vec::new();
    each_element(&text, |element| {
        if element.local_name().as_ref() == "Relationship" {
            let value = |name: &str| attribute(element, name).map(Option::unwrap_or_default);
            let kind = value("Type")?;
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            relations.push(Relation {
                id: value("Id")?.into_owned(),
                kind,
                target: resolve(folder, &value("Target")?),
            });
        }
        Ok(())
    })
    .map_err(|error| damaged(&name, &error))?;
    Ok(relations)
}

fn find(relations: Vec<Relation>, kind: &str) -> Option<String> {
    relations.into_iter().find(|relation| relation.kind == kind).map(|relation| relation.target)
}

/// The name and text of the part that has this relation.
fn related(archive: &mut Archive, relations: &[Relation], kind: &str) -> Result<Option<(String, String)>, String> {
    let Some(relation) = relations.iter().find(|relation| relation.kind == kind) else {
        return Ok(None);
    };
    let text = archive.text(&relation.target)?;
    Ok(text.map(|text| (relation.target.clone(), text)))
}

/// A target as the name of a part.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let path = if target.starts_with('/') { target } else { format!("{folder}/{target}") };
    let mut steps = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// Shows every element, whatever it is part of.
fn each_element(text: &str, mut show: impl FnMut(&BytesStart<'_>) -> Result<(), String>) -> Result<(), String> {
    let mut xml = Xml::new(text);
    loop {
        match xml.event()? {
            Event::Start(element) => show(&element)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// What the main part says of a sheet.
#[derive(Debug)]
struct Named {
    name: String,
    /// Its relation.
    id: String,
    /// Hidden ones are left out, for they hold what other sheets look up.
    is_shown: bool,
}

/// What the main part says.
#[derive(Debug, Default)]
struct About {
    /// Its sheets, in order.
    sheets: Vec<Named>,
    epoch: Epoch,
    results: Results,
}

impl About {
    /// Reads the main part; nothing if it is that of another kind of document.
    fn read(text: &str) -> Result<Option<About>, String> {
        let (mut about, mut is_workbook) = (About::default(), false);
        each_element(text, |element| {
            match element.local_name().as_ref() {
                "workbook" => is_workbook = true,
                "workbookPr" if is_set(element, "date1904")? => about.epoch = Epoch::From1904,
                "calcPr" if is_set(element, "fullCalcOnLoad")? => about.results = Results::Stale,
                "sheet" => {
                    let is_shown = attribute(element, "state")?.is_none_or(|state| state == "visible");
                    let name = attribute(element, "name")?.unwrap_or_default().into_owned();
                    if let Some(id) = attribute(element, "id")? {
                        about.sheets.push(Named { name, id: id.into_owned(), is_shown });
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(is_workbook.then_some(about))
    }
}

fn is_set(element: &BytesStart<'_>, name: &str) -> Result<bool, String> {
    Ok(matches!(attribute(element, name)?.as_deref(), Some("1" | "true")))
}

/// The texts that cells share.
fn texts(text: &str) -> Result<Texts, String> {
    let (mut xml, mut texts) = (Xml::new(text), Texts::default());
    loop {
        match xml.event()? {
            Event::Start(element) if element.local_name().as_ref() == "si" => {
                texts.add(|text| text_of_runs(&mut xml, "si", text))?;
            }
            Event::End(element) if element.local_name().as_ref() == "sst" => return Ok(texts),
            Event::Eof => return Err(cut_off("sst")),
            _ => {}
        }
    }
}

/// Whether numbers are dates, by style.
fn dates(text: &str) -> Result<Vec<bool>, String> {
    let (mut xml, mut formats, mut dates) = (Xml::new(text), HashMap::new(), Vec::new());
    loop {
        match xml.event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "numFmt" => {
                    let format = attribute(&element, "formatCode")?.unwrap_or_default();
                    formats.insert(number(&element)?, is_date_format(&format));
                }
                // Of the styles that have names, and of differences, no cell gives the number.
                "cellStyleXfs" | "dxfs" => xml.skip(&element)?,
                "xf" => {
                    let number = number(&element)?;
                    let is_date = formats.get(&number).copied();
                    dates.push(is_date.unwrap_or_else(|| number.is_some_and(is_known_date_format)));
                }
                _ => {}
            },
            Event::Eof => return Ok(dates),
            _ => {}
        }
    }
}

fn number(element: &BytesStart<'_>) -> Result<Option<u32>, String> {
    Ok(attribute(element, "numFmtId")?.and_then(|number| number.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved() {
        for (folder, target, part) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "..\\other\\.\\sheet1.xml", "other/sheet1.xml"),
            ("", "xl/workbook.xml", "xl/workbook.xml"),
            ("", "../../x", "x"),
        ] {
            assert_eq!(resolve(folder, target), part);
        }
    }

    #[test]
    fn styles_tell_dates_from_numbers() {
        let styles = r#"<x:styleSheet xmlns:x="s"><x:numFmts><x:numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;"/>
            <x:numFmt numFmtId="14" formatCode="0"/></x:numFmts><x:cellStyleXfs><x:xf numFmtId="22"/></x:cellStyleXfs>
            <x:cellXfs><x:xf numFmtId="0"/><x:xf numFmtId="164"><x:alignment/></x:xf><x:xf numFmtId="14"/><x:xf numFmtId="22"/>
            <x:xf/><x:xf numFmtId="-1"/></x:cellXfs></x:styleSheet>"#;
        assert_eq!(dates(styles).unwrap(), [false, true, false, true, false, false]);
    }

    #[test]
    fn hidden_sheets_and_other_documents_are_left_out() {
        let workbook = r#"<workbook xmlns:r="r"><workbookPr date1904="true"/><sheets><sheet name="a" r:id="1" state="hidden"/>
            <sheet name="b" r:id="2"/><sheet name="c" r:id="3" state="veryHidden"/><sheet name="d" r:id="4" state="visible"/>
            </sheets><calcPr fullCalcOnLoad="1"/></workbook>"#;
        let about = About::read(workbook).unwrap().unwrap();
        let shown: Vec<&str> =
            about.sheets.iter().filter(|sheet| sheet.is_shown).map(|sheet| sheet.name.as_str()).collect();
        assert_eq!((shown, about.sheets.len()), (vec!["b", "d"], 4));
        assert_eq!((about.epoch, about.results), (Epoch::From1904, Results::Stale));
        assert!(About::read("<document/>").unwrap().is_none());
    }

    #[test]
    fn texts_are_found_by_number() {
        let texts =
            texts("<sst uniqueCount='18446744073709551615'><si><t>a</t></si><si/><si><t>钥</t></si></sst>").unwrap();
        let all: Vec<Option<&str>> = (0..4).map(|number| texts.get(number)).collect();
        assert_eq!(all, [Some("a"), Some(""), Some("钥"), None]);
    }
}
