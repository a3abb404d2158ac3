//! OpenDocument spreadsheets (.ods; ISO/IEC 26300): one part holds all sheets.

mod cells;
mod text;

use std::collections::HashSet;
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};

use self::cells::Sheet;
use super::archive::Archive;
use super::choice::Listed;
use super::damaged;
use super::dates::Epoch;
use super::markup::{Xml, attribute, cut_off};

const CONTENT: &str = "content.xml";

/// In place of all other parts, where the document is encrypted as a whole.
const ENCRYPTED_WHOLE: &str = "encrypted-package";

/// Whether an archive is a document of this kind.
pub(super) fn is_document(archive: &Archive) -> bool {
    let is_any = archive.has(CONTENT) || archive.has(ENCRYPTED_WHOLE);
    is_any && !archive.has("_rels/.rels")
}

/// A document whose sheets can be read.
pub(super) struct Workbook {
    content: Arc<String>,
    /// Where the next sheet may begin.
    at: usize,
    /// Styles of sheets that are not shown.
    hidden: HashSet<String>,
    epoch: Epoch,
}

impl Workbook {
    /// Reads the document as far as its first sheet.
    ///
    /// # Errors
    /// It is encrypted, damaged or no spreadsheet; the message says what to do.
    pub(super) fn open(mut archive: Archive) -> Result<Workbook, String> {
        // Parts that are encrypted are listed as such; what stands in them is noise.
        let manifest = archive.text("META-INF/manifest.xml").ok().flatten();
        if archive.has(ENCRYPTED_WHOLE) || manifest.is_some_and(|text| text.contains("encryption-data")) {
            return Err("the workbook is encrypted; open it with its password and save it without one".to_owned());
        }
        let content = archive.text(CONTENT)?.unwrap_or_default();
        let (at, hidden) = top(&content).map_err(|error| damaged(CONTENT, &error))?.ok_or(
            "an OpenDocument file that is no spreadsheet (.ods); put the table into a spreadsheet, or export it as CSV",
        )?;
        Ok(Workbook { content: Arc::new(content), at, hidden, epoch: Epoch::default() })
    }

    fn next_sheet(&mut self) -> Result<Option<Listed>, String> {
        let content = Arc::clone(&self.content);
        let mut xml = Xml::new(content.get(self.at..).unwrap_or_default());
        loop {
            match xml.event()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "table" => {
                        let start = self.at + xml.position();
                        xml.skip(&element)?;
                        self.at += xml.position();
                        return self.listed(&element, start).map(Some);
                    }
                    "calculation-settings" => {}
                    "null-date" => {
                        if attribute(&element, "date-value")?.is_some_and(|day| day.starts_with("1904-01-01")) {
                            self.epoch = Epoch::From1904;
                        }
                    }
                    _ => xml.skip(&element)?,
                },
                Event::End(element) if element.local_name().as_ref() == "spreadsheet" => return Ok(None),
                Event::Eof => return Err(cut_off("spreadsheet")),
                _ => {}
            }
        }
    }

    /// The sheet whose rows begin here, and end before the next one.
    fn listed(&self, element: &BytesStart<'_>, start: usize) -> Result<Listed, String> {
        let name = attribute(element, "name")?.unwrap_or_default().into_owned();
        let style = attribute(element, "style-name")?;
        let is_shown = !style.is_some_and(|style| self.hidden.contains(style.as_ref()));
        let sheet = || Sheet::new(Arc::clone(&self.content), start..self.at, self.epoch);
        let grid = is_shown.then(|| Ok(Box::new(sheet()) as Box<_>));
        let (part, unpacked) = (format!("{CONTENT}, sheet {name}"), self.content.len() as u64);
        Ok(Listed { name, part, unpacked, grid })
    }
}

impl Iterator for Workbook {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        if self.at >= self.content.len() {
            return None;
        }
        let listed = self.next_sheet();
        if !matches!(listed, Ok(Some(_))) {
            self.at = self.content.len();
        }
        listed.unwrap_or_else(|error| {
            let grid = Some(Err(damaged(CONTENT, &error)));
            Some(Listed { name: String::new(), part: CONTENT.to_owned(), unpacked: self.content.len() as u64, grid })
        })
    }
}

/// Where the sheets begin, and the styles of those that are not shown; nothing if it is another kind of document.
fn top(content: &str) -> Result<Option<(usize, HashSet<String>)>, String> {
    let (mut xml, mut hidden) = (Xml::new(content), HashSet::new());
    let (mut style, mut is_in_body) = (None, false);
    loop {
        match xml.event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "spreadsheet" if is_in_body => {
                    let at = xml.position();
                    // What follows an element without content is no part of it.
                    let is_empty = content.get(..at).is_some_and(|read| read.ends_with("/>"));
                    return Ok(Some((if is_empty { content.len() } else { at }, hidden)));
                }
                _ if is_in_body => return Ok(None),
                "body" => is_in_body = true,
                "style" => style = attribute(&element, "name")?.map(std::borrow::Cow::into_owned),
                "table-properties" if attribute(&element, "display")?.as_deref() == Some("false") => {
                    hidden.extend(style.clone());
                }
                _ => {}
            },
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workbook(content: &str) -> Workbook {
        let (at, hidden) = top(content).unwrap().unwrap();
        Workbook { content: Arc::new(content.to_owned()), at, hidden, epoch: Epoch::default() }
    }

    #[test]
    fn sheets_are_listed_and_nothing_else_that_is_called_a_table() {
        let content = "<d><s:style s:name='ta1' s:family='table'><s:table-properties t:display='true'/></s:style>
            <s:style s:name='ta2'><s:table-properties t:display='false'/></s:style><o:body><o:spreadsheet>
            <t:calculation-settings><t:null-date t:date-value='1904-01-01'/></t:calculation-settings>
            <t:tracked-changes><t:table t:name='gone'/></t:tracked-changes><t:table t:name='a' t:style-name='ta1'/>
            <t:table t:name='b' t:style-name='ta2'><t:table-row/></t:table><t:dde-links><t:table/></t:dde-links>
            <t:table t:name='&lt;c'><t:table-row><t:table-cell><t:table t:name='inside'/></t:table-cell></t:table-row></t:table>
            </o:spreadsheet></o:body></d>";
        let mut workbook = workbook(content);
        let sheets: Vec<(String, bool)> =
            workbook.by_ref().map(|listed| (listed.name, listed.grid.is_some_and(|grid| grid.is_ok()))).collect();
        let expected = [("a", true), ("b", false), ("<c", true)].map(|(name, is_shown)| (name.to_owned(), is_shown));
        assert_eq!(sheets, expected);
        assert_eq!(workbook.epoch, Epoch::From1904);
    }

    #[test]
    fn damage_and_other_documents_are_told() {
        assert!(top("<d><body><text><spreadsheet/></text></body></d>").unwrap().is_none());
        assert!(top("").unwrap().is_none());
        assert!(top("<d><").is_err());
        let sheets: Vec<Listed> =
            workbook("<d><body><spreadsheet><table name='a'/><table name='b'><table-row>").collect();
        assert_eq!(sheets.len(), 2);
        assert!(matches!(&sheets[1].grid, Some(Err(error)) if error.contains("never closed")));
    }
}
