//! Workbooks of Excel 97 to 2003 (.xls; [MS-XLS]): a stream of records, first those of the workbook, then those of each
//! sheet.

mod cells;
mod compound;
mod records;

use std::collections::HashMap;
use std::sync::Arc;

use self::cells::Sheet;
use self::compound::Compound;
use self::records::{Content, Record, Records};
use super::bytes::{u16_at, u32_at};
use super::choice::Listed;
use super::damaged;
use super::dates::{Epoch, is_date_format, is_known_date_format};
use super::row::Grid;
use super::texts::Texts;

/// Kinds of records that both parts have.
const BEGIN: u16 = 0x809;
const END: u16 = 0x0a;

/// What sheets share with each other.
#[derive(Default)]
struct Shared {
    stream: Vec<u8>,
    texts: Texts,
    /// Whether numbers in each style are dates.
    dates: Vec<bool>,
    epoch: Epoch,
    /// Whether who wrote the workbook calculates; a formula with a blank result has none otherwise.
    calculates: bool,
}

/// A workbook whose sheets can be read.
pub(super) struct Workbook {
    shared: Arc<Shared>,
    sheets: std::vec::IntoIter<Named>,
}

/// What the workbook says of a sheet.
struct Named {
    name: String,
    is_shown: bool,
    /// Where its records stand in the stream.
    at: usize,
    end: usize,
}

impl Workbook {
    /// Opens a workbook.
    ///
    /// # Errors
    /// It is none, encrypted, of a kind that is not read, or damaged; the message says what to do.
    pub(super) fn open(bytes: &[u8]) -> Result<Workbook, String> {
        let file = Compound::open(bytes).ok_or(
            "a damaged workbook (.xls): its directory cannot be read; fetch the file again, or open it in a spreadsheet program and save it",
        )?;
        let Some(stream) = file.stream("Workbook") else {
            return Err(no_workbook(&file).to_owned());
        };
        let stream = stream.map_err(|()| damaged("Workbook", "its sectors cannot be found"))?;
        let mut globals = Globals { shared: Shared { stream, ..Shared::default() }, ..Globals::default() };
        globals.read()?;
        let sheets = globals.sheets();
        Ok(Workbook { shared: Arc::new(globals.shared), sheets: sheets.into_iter() })
    }
}

impl Iterator for Workbook {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        let Named { name, is_shown, at, end } = self.sheets.next()?;
        let part = format!("sheet {name}");
        let grid = is_shown.then(|| {
            let sheet = Sheet::new(Arc::clone(&self.shared), at, end).map_err(|error| damaged(&part, &error))?;
            Ok(Box::new(sheet) as Box<dyn Grid>)
        });
        Some(Listed { name, part, unpacked: self.shared.stream.len() as u64, grid })
    }
}

const ENCRYPTED: &str = "the workbook is encrypted; open it with its password and save it without one";
const TOO_OLD: &str =
    "a workbook of Excel 95 or before, which is not read; save it as .xlsx, or export the sheet as CSV";

fn no_workbook(file: &Compound<'_>) -> &'static str {
    if file.stream("EncryptedPackage").is_some() {
        ENCRYPTED
    } else if file.stream("Book").is_some() {
        TOO_OLD
    } else {
        "a file of an older program without a workbook (.xls) in it; export the table as CSV"
    }
}

/// What the records of the workbook say.
#[derive(Default)]
struct Globals {
    shared: Shared,
    /// Whether formats show dates, by their number.
    formats: HashMap<u16, bool>,
    /// The formats of styles.
    styles: Vec<u16>,
    /// Sheets in order, charts and the like among them: the place, the name if it has cells, whether it is shown.
    listed: Vec<(usize, Option<String>, bool)>,
}

impl Globals {
    fn read(&mut self) -> Result<(), String> {
        let stream = std::mem::take(&mut self.shared.stream);
        let mut records = Records::new(&stream, 0);
        let first = records.next().filter(|first| first.kind == BEGIN);
        let version = first.and_then(|first| u16_at(first.content, 0));
        let read = match version {
            Some(0x600) => self.take_all(&stream, records),
            Some(_) => Err(TOO_OLD.to_owned()),
            None => Err(damaged("Workbook", "it does not begin as a workbook does")),
        };
        self.shared.stream = stream;
        let Globals { shared, formats, styles, .. } = self;
        let is_date = |format: &u16| formats.get(format).copied().unwrap_or(is_known_date_format(u32::from(*format)));
        shared.dates = styles.iter().map(is_date).collect();
        read
    }

    fn take_all(&mut self, stream: &[u8], records: Records<'_>) -> Result<(), String> {
        for record in records {
            if record.kind == END {
                return Ok(());
            }
            self.take(stream, record)?;
        }
        Err(damaged("Workbook", "it is cut off"))
    }

    fn take(&mut self, stream: &[u8], record: Record<'_>) -> Result<(), String> {
        const ENCRYPTION: u16 = 0x2f;
        const EPOCH: u16 = 0x22;
        const CALCULATED_BY: u16 = 0x1c1;
        const SHEET: u16 = 0x85;
        const FORMAT: u16 = 0x41e;
        const STYLE: u16 = 0xe0;
        const TEXTS: u16 = 0xfc;
        let broken = |what: &str| damaged("Workbook", &format!("{what} cannot be read"));
        let content = |skipped: usize| Content::new(stream, record.at + skipped, record.at + record.content.len());
        match record.kind {
            ENCRYPTION => return Err(ENCRYPTED.to_owned()),
            EPOCH if u16_at(record.content, 0) == Some(1) => self.shared.epoch = Epoch::From1904,
            CALCULATED_BY => self.shared.calculates = true,
            SHEET => self.listed.push(sheet(record, content(6)).ok_or_else(|| broken("the list of sheets"))?),
            FORMAT => {
                let number = u16_at(record.content, 0);
                let (mut content, mut format) = (content(2), String::new());
                let read = content.u16().and_then(|count| content.text(count, &mut format));
                let number = number.filter(|_| read.is_some()).ok_or_else(|| broken("a format of numbers"))?;
                self.formats.insert(number, is_date_format(&format));
            }
            STYLE => self.styles.push(u16_at(record.content, 2).unwrap_or_default()),
            TEXTS => self.shared.texts = texts(content(4)).ok_or_else(|| broken("the list of texts"))?,
            _ => {}
        }
        Ok(())
    }

    /// The sheets with cells. Each ends where the next one in the stream begins, so that nothing is read twice.
    fn sheets(&mut self) -> Vec<Named> {
        let mut places: Vec<usize> = self.listed.iter().map(|(at, ..)| *at).collect();
        places.sort_unstable();
        let end = |at: usize| {
            let next = places.partition_point(|place| *place <= at);
            places.get(next).copied().unwrap_or(self.shared.stream.len())
        };
        let mut seen = std::collections::HashSet::new();
        let listed = std::mem::take(&mut self.listed).into_iter();
        let named = listed.filter_map(|(at, name, is_shown)| {
            let is_first = seen.insert(at);
            // Of two sheets in one place, the second is damaged.
            name.map(|name| Named { name, is_shown, at, end: if is_first { end(at) } else { at } })
        });
        named.collect()
    }
}

/// What a record says of a sheet.
fn sheet(record: Record<'_>, mut name: Content<'_>) -> Option<(usize, Option<String>, bool)> {
    const HAS_CELLS: u8 = 0;
    const HOW_SHOWN: u8 = 3;
    let at = u32_at(record.content, 0)? as usize;
    let [state, kind] = *record.content.get(4..)?.first_chunk()?;
    let mut text = String::new();
    let count = name.u8()?;
    name.text(u16::from(count), &mut text)?;
    Some((at, (kind == HAS_CELLS).then_some(text), state & HOW_SHOWN == 0))
}

/// The texts that cells share.
fn texts(mut content: Content<'_>) -> Option<Texts> {
    let mut texts = Texts::default();
    for _ in 0..content.u32()? {
        let count = content.u16()?;
        texts.add(|text| content.text(count, text).ok_or(())).ok()?;
    }
    Some(texts)
}
