//! Workbooks: the same rows mean the same as in CSV whatever the format, what a spreadsheet has lost is not believed, and
//! no file makes the program panic.
//!
//! The files in `fixtures/sheets` are by other hands than those that read them: `everything.xls` and `long.xls` were
//! written with xlwt 1.3, `everything.ods` with odfpy 1.4. `everything` holds the same in both: a cover and a hidden
//! sheet, a sheet `Keys 2026` below a merged title with cells of every kind, and a sheet `钥` with all that spreadsheets
//! lose. `long.xls` has 120 keys with long remarks in narrow and wide characters, so that texts go on from record to
//! record, and counts its days from 1904.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use cmkdiag::cli::job::{gather_bytes, survey_bytes};
use cmkdiag::domains::FORMS;
use cmkdiag::domains::cmk::CMK;
use cmkdiag::domains::cmk::fields::Field;
use cmkdiag::inventory::record::{Extra, extras};
use cmkdiag::rulebook::Rulebook;
use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::sample::select;
use tempfile::TempDir;

// ---------------------------------------------------------------------------------------------------
// Making workbooks.

/// An archive of parts.
fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

/// The sheets by name: the empty one, the hidden one and the one that matters.
const MAIN: &str = r#"<workbook xmlns:r="r"><sheets><sheet name="cover" sheetId="1" r:id="rId1"/><sheet name="lists" sheetId="2" state="hidden" r:id="rId2"/><sheet name="keys" sheetId="3" r:id="rId3"/><sheet name="more" sheetId="4" r:id="rId1"/></sheets></workbook>"#;

const MAIN_RELATIONS: &str = r#"<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/cover.xml"/><Relationship Id="rId2" Type="x/worksheet" Target="worksheets/lists.xml"/><Relationship Id="rId3" Type="x/worksheet" Target="/xl/worksheets/keys.xml"/><Relationship Id="rId4" Type="x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId5" Type="x/styles" Target="styles.xml"/></Relationships>"#;

/// Style 1 is a date, style 2 a time of day.
const STYLES: &str = r#"<styleSheet><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><cellStyleXfs><xf numFmtId="22"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;

fn sheet(rows: &str) -> String {
    format!(r#"<?xml version="1.0"?><worksheet><dimension ref="A1"/><sheetData>{rows}</sheetData></worksheet>"#)
}

/// The parts of a workbook with these rows, and what stands behind them.
fn parts(rows: &str, behind: &str, texts: &str) -> [(&'static str, String); 8] {
    let keys = sheet(rows).replace("</sheetData>", &format!("</sheetData>{behind}"));
    [
        ("_rels/.rels", RELATIONS.to_owned()),
        ("xl/workbook.xml", MAIN.to_owned()),
        ("xl/_rels/workbook.xml.rels", MAIN_RELATIONS.to_owned()),
        ("xl/styles.xml", STYLES.to_owned()),
        ("xl/sharedStrings.xml", format!("<sst>{texts}</sst>")),
        (
            "xl/worksheets/cover.xml",
            sheet("<row r='1'/><row r='2'><c r='A2' t='inlineStr'><is><t> </t></is></c></row>"),
        ),
        ("xl/worksheets/lists.xml", sheet("<row><c><v>1</v></c></row>")),
        ("xl/worksheets/keys.xml", keys),
    ]
}

fn book_of(parts: &[(&'static str, String)]) -> Vec<u8> {
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    zipped(&parts)
}

/// A workbook with these rows.
fn book(rows: &str) -> Vec<u8> {
    book_of(&parts(rows, "", ""))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A cell with a text.
fn text(cell: &str) -> String {
    format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", escaped(cell))
}

/// A row of texts, wherever it stands.
fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| text(cell)).collect();
    format!("<row>{cells}</row>")
}

/// Rows of CSV as rows of texts.
fn rows_of(csv: &str) -> String {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|record| row(&record.unwrap().iter().collect::<Vec<_>>())).collect()
}

/// A compound file with one stream.
fn compound(name: &str, stream: &[u8]) -> Vec<u8> {
    const END: u32 = 0xffff_fffe;
    // Short streams stand elsewhere.
    let sectors = stream.len().div_ceil(512).max(8);
    let tables = (sectors + 2).div_ceil(127) as u32;
    let mut next: Vec<u32> = vec![0xffff_fffd; tables as usize];
    next.push(END);
    next.extend((1..sectors as u32).map(|at| tables + 1 + at));
    next.push(END);
    next.resize(tables as usize * 128, u32::MAX);
    let mut entries = vec![0_u8; 512];
    for (at, name, kind, child, start, length) in
        [(0, "Root Entry", 5, 1, END, 0), (128, name, 2, u32::MAX, tables + 1, sectors as u32 * 512)]
    {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entries[at..at + units.len()].copy_from_slice(&units);
        entries[at + 64] = units.len() as u8 + 2;
        entries[at + 66] = kind;
        for (offset, number) in [(68, u32::MAX), (72, u32::MAX), (76, child), (116, start), (120, length)] {
            entries[at + offset..at + offset + 4].copy_from_slice(&number.to_le_bytes());
        }
    }
    let mut file = vec![0_u8; 512];
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    file[30] = 9;
    for (offset, number) in [(44, tables), (48, tables), (60, END), (68, END)] {
        file[offset..offset + 4].copy_from_slice(&number.to_le_bytes());
    }
    file[76..].fill(0xff);
    for table in 0..tables {
        let at = 76 + table as usize * 4;
        file[at..at + 4].copy_from_slice(&table.to_le_bytes());
    }
    file.extend(next.iter().flat_map(|sector| sector.to_le_bytes()));
    file.extend(entries);
    file.extend(stream);
    file.resize(512 * (1 + tables as usize + 1 + sectors), 0);
    file
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sheets").join(name)).unwrap()
}

/// A workbook of sheets with these names and rows.
fn book_of_sheets(sheets: &[(&str, &str)]) -> Vec<u8> {
    let relation = |at: usize| format!("<Relationship Id='r{at}' Type='x/worksheet' Target='s{at}.xml'/>");
    let relations: String = (0..sheets.len()).map(relation).collect();
    let entry = |(at, (name, _)): (usize, &(&str, &str))| format!("<sheet name='{name}' r:id='r{at}'/>");
    let entries: String = sheets.iter().enumerate().map(entry).collect();
    let mut parts = vec![
        ("_rels/.rels".to_owned(), RELATIONS.to_owned()),
        ("xl/workbook.xml".to_owned(), format!("<workbook><sheets>{entries}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships>{relations}</Relationships>")),
    ];
    parts.extend(sheets.iter().enumerate().map(|(at, (_, rows))| (format!("xl/s{at}.xml"), sheet(rows))));
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    zipped(&parts)
}

// ---------------------------------------------------------------------------------------------------
// Running the program.

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cmkdiag");
    command.env_clear().env("NO_COLOR", "1").current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.args(arguments).write_stdin(input).output().expect("the program runs");
    Ran {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).expect("it writes UTF-8"),
        err: String::from_utf8(output.stderr).expect("it writes UTF-8"),
    }
}

/// Diagnoses files; what is written names them `keys.*`.
fn diagnose(files: &[(&str, &[u8])], more: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<String> = files.iter().map(|(name, bytes)| put(&folder, name, bytes)).collect();
    let mut arguments = vec!["diagnose", "--format", "csv"];
    arguments.extend(paths.iter().map(String::as_str));
    arguments.extend(more);
    let ran = run_with(&arguments, b"");
    let here = format!("{}/", folder.path().display());
    let plain = |text: String| {
        text.replace(&here, "")
            .replace("keys.xlsx", "keys.*")
            .replace("keys.csv", "keys.*")
            .replace("keys.ods", "keys.*")
            .replace("keys.xls", "keys.*")
    };
    Ran { code: ran.code, out: plain(ran.out), err: plain(ran.err) }
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What is said beside notes about the sheets that are left out.
fn without_notes(err: &str) -> String {
    err.lines()
        .filter(|line| !line.starts_with("note: keys.*: sheet `lists`: hidden"))
        .fold(String::new(), |said, line| said + line + "\n")
}

/// That a workbook says what a CSV says, in every column and every message.
fn assert_same(workbook: &[u8], csv: &str) {
    let (sheet, table) = (diagnose(&[("keys.xlsx", workbook)], &[]), diagnose(&[("keys.csv", csv.as_bytes())], &[]));
    assert_eq!(sheet.out, table.out, "{}", sheet.err);
    assert_eq!((sheet.code, without_notes(&sheet.err)), (table.code, table.err));
    assert!(table.out.lines().count() > 1, "nothing was read");
}

// ---------------------------------------------------------------------------------------------------
// The same rows mean the same.

#[test]
fn the_sample_as_a_workbook_gives_the_same_verdicts() {
    let csv = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/inventory.csv")).unwrap();
    assert_same(&book(&rows_of(&csv)), &csv);
}

#[test]
fn texts_that_are_shared_or_come_in_runs_are_texts() {
    let texts = "<si><t>key_id</t></si><si><r><t>ali</t></r><r><t>ases</t></r></si><si><t>acs/ecs</t><rPh sb='0' eb='1'><t>aid</t></rPh></si>";
    let shared = |number: u8| format!("<c t='s'><v>{number}</v></c>");
    let rows = format!("<row>{}{}</row><row>{}{}</row>", shared(0), shared(1), text("k"), shared(2));
    assert_same(&book_of(&parts(&rows, "", texts)), "key_id,aliases\nk,acs/ecs\n");
}

#[test]
fn numbers_booleans_and_dates_are_what_they_show() {
    let header = [
        "key_id",
        "aliases",
        "origin",
        "versions",
        "rotation",
        "next_rotation",
        "created",
        "cost",
        "rotation_interval",
    ];
    let cells = [
        text("k"),
        text("alias/k"),
        text("EXTERNAL"),
        "<c><v>1.0</v></c>".to_owned(),
        "<c t='b'><v>1</v></c>".to_owned(),
        "<c s='1'><v>46376</v></c>".to_owned(),
        "<c s='2'><v>46112.524259259256</v></c>".to_owned(),
        "<c><v>0.10000000000000001</v></c>".to_owned(),
        "<c t='str'><f>B1&amp;\"d\"</f><v>365d</v></c>".to_owned(),
    ];
    let workbook = book(&format!("{}<row>{}</row>", row(&header), cells.concat()));
    let csv = format!("{}\nk,alias/k,EXTERNAL,1,true,2026-12-20,2026-03-31T12:34:56,0.1,365d\n", header.join(","));
    let [sheet, table] =
        [("keys.xlsx", &workbook[..]), ("keys.csv", csv.as_bytes())].map(|file| diagnose(&[file], &["--keep-columns"]));
    assert_eq!((sheet.out, without_notes(&sheet.err)), (table.out, table.err));
    assert_same(&workbook, &csv);
}

#[test]
fn errors_and_line_breaks_in_cells_mean_what_they_mean_in_a_table() {
    let rows = format!(
        "{}<row>{}<c t='e'><f>VLOOKUP(1,2,3)</f><v>#N/A</v></c>{}</row>",
        row(&["key_id", "aliases", "operations"]),
        text("k"),
        text("Encrypt\nDecrypt")
    );
    assert_same(&book(&rows), "key_id,aliases,operations\nk,#N/A,\"Encrypt\nDecrypt\"\n");
}

#[test]
fn lines_are_the_rows_of_the_sheet() {
    let rows = "<row r='3'/><row r='4'><c r='B4' t='inlineStr'><is><t>key_id</t></is></c><c r='C4' t='inlineStr'><is><t>versions</t></is></c></row>\
        <row r='9'><c r='B9' t='inlineStr'><is><t>good</t></is></c><c r='C9'><v>1</v></c><c r='H9' t='inlineStr'><is><t>a remark</t></is></c></row>\
        <row r='10'><c r='C10' t='inlineStr'><is><t> </t></is></c></row>\
        <row r='700'><c r='B700' t='inlineStr'><is><t>bad</t></is></c><c r='C700'><v>0.5</v></c></row>";
    let ran = diagnose(&[("keys.xlsx", &book(rows))], &[]);
    assert_snapshot!(without_notes(&ran.err), @r"
        note: keys.*:9: 1 row(s) have text in columns without a name, left out
        rejected: keys.*:700, column versions: `0.5` not understood as versions; expected the number of key versions, 1 or more
        2 records read = 1 diagnosed (1 keys) + 1 rejected + 0 exact duplicates
        undetermined 1
        ");
    assert!(ran.out.contains("keys.*:9"), "{}", ran.out);
}

#[test]
fn a_row_is_known_again_where_it_was_exported() {
    let csv = "key_id,aliases,operations\nk,alias/k,\"Encrypt, Decrypt\"\nl,,\n";
    let ran = diagnose(&[("keys.xlsx", &book(&rows_of(csv))), ("keys.csv", csv.as_bytes())], &[]);
    assert!(ran.err.contains("4 records read = 2 diagnosed (2 keys) + 0 rejected + 2 exact duplicates"), "{}", ran.err);
}

#[test]
fn a_long_sheet_is_read_in_blocks_and_loses_nothing() {
    let mut csv = "key_id,aliases,account_id\n".to_owned();
    for number in 0..20_000 {
        writeln!(csv, "key-{number},alias/{number},1234567890123456").unwrap();
    }
    assert_same(&book(&rows_of(&csv)), &csv);
}

/// A workbook of a few bytes keeps no more than that and some more, however often it names a text.
#[test]
fn what_repeats_long_texts_is_read_as_far_as_there_is_room() {
    let texts = format!("<si><t>{}</t></si>", "y".repeat(3 << 20));
    let rows: String =
        (1..200).map(|row| format!("<row><c t='str'><v>k{row}</v></c><c t='s'><v>0</v></c></row>")).collect();
    let parts = parts(&format!("<row>{}{}</row>{rows}", text("key_id"), text("owner")), "", &texts);
    let ran = diagnose(&[("small.xlsx", &book_of(&parts))], &[]);
    assert!(ran.err.contains("repeat long texts") && ran.err.contains("+ 1 rejected"), "{}", ran.err);
    assert!(ran.err.contains("26 records read = 25 diagnosed (25 keys)"), "{}", ran.err);
}

#[test]
fn workbooks_are_found_by_content_in_folders_and_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let workbook = book(&rows_of("key_id\nk\n"));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&workbook).unwrap();
    put(&folder, "a.XLSX", &workbook);
    put(&folder, "b.xlsx.gz", &packed.finish().unwrap());
    put(&folder, "c.txt", &workbook);
    put(&folder, "~$a.xlsx", b"somebody");
    let ran = run_with(&["diagnose", folder.path().to_str().unwrap()], b"");
    assert!(ran.out.contains("3 records read = 1 diagnosed (1 keys) + 0 rejected + 2 exact"), "{}{}", ran.out, ran.err);
    for more in [&["diagnose", "-"][..], &["diagnose", "-", "--input-format", "xlsx"]] {
        assert!(run_with(more, &workbook).out.contains("1 records read = 1 diagnosed"));
    }
}

// ---------------------------------------------------------------------------------------------------
// Several sheets, and titles.

#[test]
fn every_sheet_with_a_header_line_that_names_a_key_is_read() {
    let sheets = [
        ("cover", row(&["Keys of all teams", "2026"])),
        ("a", rows_of("Inventory,\nas of,2026-11-01\nkey_id,versions\nk,2\nl,0.5\n")),
        ("empty", String::new()),
        ("owners", rows_of("team,phone\nx,1\n")),
        ("b", rows_of("Alias,ARN\nalias/m,acs:kms:eu-central-1:1:key/m\n,acs:kms:eu-central-1:1:key/k\n")),
    ];
    let sheets = sheets.each_ref().map(|(name, rows)| (*name, rows.as_str()));
    let ran = diagnose(&[("keys.xlsx", &book_of_sheets(&sheets))], &["--columns", "key_id,class,origins"]);
    assert_snapshot!(ran.err, @r"
    note: keys.*: sheets `cover`, `owners`: left out, for no header line at the top names a key, by a column such as key_id or arn
    note: keys.* (sheet a):3: 2 rows, 1 to 2, above the header line, are left out; the first says `Inventory`
    note: keys.*: 2 sheets are read: `a`, `b`; hide what should not be
    rejected: keys.* (sheet a):5, column versions: `0.5` not understood as versions; expected the number of key versions, 1 or more
    4 records read = 3 diagnosed (2 keys) + 1 rejected + 0 exact duplicates
    blocked 1 (1 conditional) · undetermined 1
    ");
    assert_snapshot!(ran.out, @r#"
    key_id,class,confirmed,origins
    k,blocked,no,"keys.* (sheet a):4; keys.* (sheet b):3"
    m,undetermined,no,keys.* (sheet b):2
    "#);
}

#[test]
fn a_row_above_the_header_line_that_names_a_key_is_a_reject() {
    let id = "0f5a1111-2222-4333-8444-555566667b01";
    let table = format!("Inventory,\nnote,{id} uses ReEncrypt\nkey_id,versions\n{id},1\n");
    let ran = diagnose(
        &[("keys.xlsx", &book_of_sheets(&[("keys", &rows_of(&table))]))],
        &["--columns", "key_id,class,origins"],
    );
    assert_snapshot!(ran.err, @r"
    note: keys.*:3: row 1, above the header line, is left out; it says `Inventory`
    rejected: keys.*:2: stands above the header line (line 3), and so is no record, but names a key: `note, 0f5a1111-2222-4333-8444-555566667b01 uses ReEncrypt`; write it below the header line, or into the cells of that key, or remove it
    2 records read = 1 diagnosed (1 keys) + 1 rejected + 0 exact duplicates
    undetermined 1
    ");
}

#[test]
fn a_single_sheet_stands_for_the_file() {
    let sheets = [("keys", rows_of("Inventory,\nkey_id,versions\nk,2\n")), ("more", rows_of("team,phone\nx,1\n"))];
    let sheets = sheets.each_ref().map(|(name, rows)| (*name, rows.as_str()));
    let ran = diagnose(&[("keys.xlsx", &book_of_sheets(&sheets))], &["--columns", "key_id,origins"]);
    assert_snapshot!(ran.err, @r"
    note: keys.*: sheet `more`: left out, for no header line at the top names a key, by a column such as key_id or arn
    note: keys.*:2: row 1, above the header line, is left out; it says `Inventory`
    1 records read = 1 diagnosed (1 keys) + 0 rejected + 0 exact duplicates
    undetermined 1
    ");
    assert_snapshot!(ran.out, @r"
    key_id,origins
    k,keys.*:3
    ");
}

#[test]
fn a_damaged_sheet_does_not_stop_the_others() {
    let damaged = format!("{}<row r='9'><c t='s'><v>9</v></c></row>", rows_of("key_id,versions\nk,2\n"));
    let sheets = [
        ("damaged", damaged),
        ("twins", rows_of("key_id,versions,versions\nl,1,2\n")),
        ("broken", "<row><c>".to_owned()),
        ("good", rows_of("key_id,versions\nm,2\n")),
    ];
    let sheets = sheets.each_ref().map(|(name, rows)| (*name, rows.as_str()));
    let ran = diagnose(&[("keys.xlsx", &book_of_sheets(&sheets))], &["--columns", "key_id,class"]);
    assert_eq!(ran.code, 3);
    assert_snapshot!(ran.err, @r"
    note: keys.*: 3 sheets are read: `damaged`, `twins`, `good`; hide what should not be
    rejected: keys.*: a damaged workbook: `xl/s2.xml`: row 1: broken XML (ill-formed document: expected `</c>`, but `</sheetData>` was found); open it in a spreadsheet program and save it, or export it as CSV
    rejected: keys.* (sheet damaged): a damaged workbook: `xl/s0.xml`: row 9: there is no shared text `9`; open it in a spreadsheet program and save it, or export it as CSV
    rejected: keys.* (sheet twins):1: columns 2 and 3 are both named `versions`; rename or remove one
    5 records read = 2 diagnosed (2 keys) + 3 rejected + 0 exact duplicates
    undetermined 2
    ");
    assert_snapshot!(ran.out, @r"
    key_id,class,confirmed
    k,undetermined,no
    m,undetermined,no
    ");
}

#[test]
fn forms_are_found_by_two_columns_that_are_known() {
    let sheets =
        [("notes", rows_of("source,remark\nx,y\n")), ("pairs", rows_of("Pairs of November,\nsource,target\na,b\n"))];
    let sheets = sheets.each_ref().map(|(name, rows)| (*name, rows.as_str()));
    let gathered = gather_bytes(FORMS[0], "pairs.xlsx", &book_of_sheets(&sheets), None).unwrap();
    assert_eq!((gathered.read, gathered.rejects.len(), gathered.notes.len()), (1, 0, 2), "{:?}", gathered.notes);
    assert!(gathered.notes[0].text.contains("sheet `notes`: left out"), "{:?}", gathered.notes);
}

// ---------------------------------------------------------------------------------------------------
// Workbooks by other hands.

#[test]
fn the_same_workbook_says_the_same_in_both_older_formats() {
    let [old, open] = ["everything.xls", "everything.ods"].map(|name| {
        diagnose(
            &[(&name.replace("everything", "keys"), &fixture(name))],
            &["--keep-columns", "--columns", "key_id,account_id,aliases,class,rules,rotation_deadline,origins"],
        )
    });
    assert_eq!((&old.out, &old.err, old.code), (&open.out, &open.err, open.code));
    assert_snapshot!(old.err, @r"
    note: keys.*: sheet `Cover`: left out, for no header line at the top names a key, by a column such as key_id or arn
    note: keys.*: sheet `Lists`: hidden, and so left out; show what holds records
    note: keys.* (sheet Keys 2026):3: row 1, above the header line, is left out; it says `Inventory of keys`
    note: keys.*: 2 sheets are read: `Keys 2026`, `钥`; hide what should not be
    note: keys.* (sheet 钥):2: column Account: an account id that is kept as a number and has lost its last digit is unknown; format the column as text and enter the ids again
    note: keys.* (sheet 钥):5: column Account: an account id that is kept as a number and has lost its last digit is taken from the ARN in the row; format the column as text
    rejected: keys.* (sheet 钥):3, column Versions: holds a formula whose result is not in the file; open the workbook in a spreadsheet program and save it
    rejected: keys.* (sheet 钥):7, column Alias: belongs to the merged cells B6:B7, of which only the first holds a value; take them apart and fill in every cell
    10 records read = 8 diagnosed (8 keys) + 2 rejected + 0 exact duplicates
    blocked 2 (2 conditional) · undetermined 6
    ");
    assert_snapshot!(old.out, @r"
    key_id,account_id,aliases,class,confirmed,rules,rotation_deadline,origins,cost,remark
    mixed-1,1234567890123456,alias/payment,blocked,no,external-material,,keys.* (sheet Keys 2026):4,0.1,
    mixed-2,1234567890123456,,blocked,no,several-versions,,keys.* (sheet Keys 2026):5,12345.5,钥 aé
    mixed-3,,acs/ecs,undetermined,no,,,keys.* (sheet Keys 2026):6,'-7,😀😀😀
    rich-4,,alias/rich,undetermined,no,,,keys.* (sheet Keys 2026):7,,
    lost-digits,,alias/x,undetermined,no,,,keys.* (sheet 钥):2,,
    error,,alias/z,undetermined,no,,,keys.* (sheet 钥):4,,
    whole,1234567890123456,alias/w,undetermined,no,,,keys.* (sheet 钥):5,,
    merged-1,,alias/merged,undetermined,no,,,keys.* (sheet 钥):6,,
    ");
}

#[test]
fn texts_that_go_on_from_record_to_record_are_whole() {
    let ran = diagnose(&[("keys.xls", &fixture("long.xls"))], &["--keep-columns", "--columns", "key_id,class"]);
    let mut csv = csv::Reader::from_reader(ran.out.as_bytes());
    let mut seen = 0;
    for (record, number) in csv.records().zip(1_usize..) {
        let record = record.unwrap();
        let letter = ["钥", "é", "a"][number % 3];
        let remark = format!("{}{}{number}", letter.repeat(150 + number), if number % 2 == 1 { "z" } else { "末" });
        let class = if number % 2 == 1 { "blocked" } else { "undetermined" };
        assert_eq!((&record[0], &record[1]), (format!("key-{number:03}").as_str(), class));
        assert!(record.iter().any(|cell| cell == remark), "{number}");
        seen += 1;
    }
    assert_eq!(seen, 120, "{}", ran.err);
}

// ---------------------------------------------------------------------------------------------------
// What a spreadsheet has lost is not believed.

#[test]
fn an_account_id_with_lost_digits_is_unknown_and_costs_no_row() {
    let header = row(&["key_id", "aliases", "instance", "origin", "account_id", ""]);
    let known = |key: &str| ["alias/a", "default", "EXTERNAL"].iter().fold(text(key), |row, cell| row + &text(cell));
    let damaged = format!("<row>{}<c><v>1.23456789012345E+15</v></c></row>", known("k"));
    let other = format!("<row>{}</row>", known("k"));
    let unnamed = format!("<row>{}{}<c><v>1234567890123456</v></c></row>", known("l"), text("1234567890123456"));
    let workbook = book(&[header, damaged, other, unnamed].concat());
    let ran = diagnose(&[("keys.xlsx", &workbook)], &["--columns", "key_id,account_id,class"]);
    assert_eq!(ran.code, 0);
    assert_snapshot!(without_notes(&ran.err), @r"
    note: keys.*:4: 1 row(s) have text in columns without a name, left out
    note: keys.*:2: column account_id: an account id that is kept as a number and has lost its last digit is unknown; format the column as text and enter the ids again
    3 records read = 2 diagnosed (2 keys) + 0 rejected + 1 exact duplicates
    blocked 2
    ");
    assert_snapshot!(ran.out, @r"
    key_id,account_id,class,confirmed
    k,,blocked,yes
    l,1234567890123456,blocked,yes
    ");
    let versions = row(&["key_id", "versions"]);
    let damaged = format!("<row>{}<c><v>1.23456789012345E+15</v></c></row>", text("k"));
    let ran = diagnose(&[("keys.xlsx", &book(&[versions, damaged].concat()))], &[]);
    assert_eq!(ran.code, 4, "numbers of other columns still count: {}", ran.err);
}

#[test]
fn a_number_with_lost_digits_is_mended_by_the_arn_beside_it() {
    let header = row(&["arn", "aliases", "account_id"]);
    let record = |key: &str, number: &str| {
        format!(
            "<row>{}{}<c><v>{number}</v></c></row>",
            text(&format!("acs:kms:eu-central-1:1234567890123456:key/{key}")),
            text("")
        )
    };
    let rows = [
        header,
        record("a", "1234567890123456"),
        record("b", "1.23456789012345E+15"),
        record("c", "1234567890123460"),
        record("d", "123456789012345000"),
        record("e", "1234567890123"),
    ];
    let ran = diagnose(&[("keys.xlsx", &book(&rows.concat()))], &["--columns", "key_id,account_id,class"]);
    assert_snapshot!(ran.err, @r"
    note: keys.*: sheet `lists`: hidden, and so left out; show what holds records
    note: keys.*:2: column account_id: 2 account ids that are kept as numbers and have lost their last digits are taken from the ARN in the row; format the column as text
    rejected: keys.*:4, column account_id: `1234567890123460` is kept as a number of more than 15 digits, of which spreadsheets lose all but 15; format the column as text and enter it again
    rejected: keys.*:5, column account_id: `123456789012345000` is kept as a number of more than 15 digits, of which spreadsheets lose all but 15; format the column as text and enter it again
    rejected: keys.*:6, column arn: `acs:kms:eu-central-1:1234567890123456:key/e` the ARN says `1234567890123456`, but account_id is `1234567890123`; they must agree
    5 records read = 2 diagnosed (2 keys) + 3 rejected + 0 exact duplicates
    undetermined 2
    ");
    assert_snapshot!(ran.out, @r"
    key_id,account_id,class,confirmed
    a,1234567890123456,undetermined,no
    b,1234567890123456,undetermined,no
    ");
}

#[test]
fn formulas_without_results_and_merged_cells_reject_their_rows() {
    let rows = [
        row(&["key_id", "aliases"]),
        format!("<row>{}<c><f>A1</f></c></row>", text("a")),
        row(&["b", "alias/b"]),
        row(&["c", ""]),
        row(&["d", "alias/d"]),
        "<row><c><f>A1</f></c></row>".to_owned(),
    ];
    let merged = "<mergeCells count='1'><mergeCell ref='B3:B4'/></mergeCells>";
    let ran = diagnose(&[("keys.xlsx", &book_of(&parts(&rows.concat(), merged, "")))], &["--columns", "key_id,class"]);
    assert_snapshot!(without_notes(&ran.err), @r"
    rejected: keys.*:2, column aliases: holds a formula whose result is not in the file; open the workbook in a spreadsheet program and save it
    rejected: keys.*:4, column aliases: belongs to the merged cells B3:B4, of which only the first holds a value; take them apart and fill in every cell
    rejected: keys.*:6, column key_id: holds a formula whose result is not in the file; open the workbook in a spreadsheet program and save it
    5 records read = 2 diagnosed (2 keys) + 3 rejected + 0 exact duplicates
    undetermined 2
    ");
}

// ---------------------------------------------------------------------------------------------------
// What cannot be read says why, and what to do.

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let whole = book(&rows_of("key_id\nk\n"));
    let parts = parts(&rows_of("key_id\nk\n"), "", "");
    let without = |name: &str| book_of(&parts.iter().filter(|(part, _)| *part != name).cloned().collect::<Vec<_>>());
    let old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    let records = |kinds: &[(u16, &[u8])]| -> Vec<u8> {
        let record = |(kind, content): &(u16, &[u8])| {
            [&kind.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), content].concat()
        };
        kinds.iter().flat_map(record).collect()
    };
    let begin = (0x809, &b"\x00\x06\x05\x00"[..]);
    let named = |text: &str| row(&[text]).replace("<row>", "<row><c/>");
    let content = |body: &str| format!("<d><o:body>{body}</o:body></d>");
    let sealed = [("content.xml", "noise"), ("META-INF/manifest.xml", "<m><f><m:encryption-data/></f></m>")];
    let main = |target: &str| ("_rels/.rels", RELATIONS.replace("xl/workbook.xml", target));
    for (bytes, says) in [
        (whole[..whole.len() - 30].to_vec(), "a damaged workbook or archive"),
        (whole[..whole.len() / 2].to_vec(), "fetch the file again"),
        (without("_rels/.rels"), "an archive without a workbook"),
        (without("xl/workbook.xml"), "an archive without a workbook"),
        (without("xl/worksheets/keys.xml"), "`xl/worksheets/keys.xml`: it is missing"),
        (zipped(&[("notes.txt", "no workbook")]), "unpack it (`unzip`)"),
        (zipped(&[("mimetype", "x"), ("content.xml", "<x/>")]), "an OpenDocument file that is no spreadsheet"),
        (zipped(&[("content.xml", &content("<o:text/>"))]), "an OpenDocument file that is no spreadsheet"),
        (zipped(&[("content.xml", &content("<o:spreadsheet/>"))]), "the workbook is empty"),
        (
            zipped(&[("content.xml", &content("<o:spreadsheet><t:table><"))]),
            "a damaged workbook: `content.xml`: broken XML",
        ),
        (zipped(&sealed), "the workbook is encrypted; open it with its password"),
        (zipped(&[("encrypted-package", "noise")]), "the workbook is encrypted; open it with its password"),
        (zipped(&[(main("d.xml").0, &main("d.xml").1), ("d.xml", "<document/>")]), "an archive without a workbook"),
        (zipped(&[(main("xl/workbook.bin").0, &main("xl/workbook.bin").1)]), "(.xlsb); save it as .xlsx"),
        (old, "a damaged workbook (.xls): its directory cannot be read"),
        (compound("EncryptedPackage", b"noise"), "the workbook is encrypted; open it with its password"),
        (compound("Book", b""), "a workbook of Excel 95 or before"),
        (compound("WordDocument", b""), "without a workbook (.xls) in it"),
        (compound("Workbook", b""), "it does not begin as a workbook does"),
        (compound("Workbook", &records(&[(0x809, b"\x00\x05\x05\x00")])), "a workbook of Excel 95 or before"),
        (compound("Workbook", &records(&[begin, (0x2f, b"\0\0")])), "the workbook is encrypted; open it"),
        (compound("Workbook", &records(&[begin, (0x22, b"\0\0")])), "`Workbook`: it is cut off"),
        (compound("Workbook", &records(&[begin, (0x0a, b"")])), "the workbook is empty"),
        (
            compound("Workbook", &records(&[begin, (0x85, b"\xff\0\0\0\0\0\x01\0a"), (0x0a, b"")])),
            "a damaged workbook: `sheet a`: it is missing",
        ),
        (book(""), "the workbook is empty"),
        (book(&row(&[" ", ""])), "the workbook is empty"),
        (book(&rows_of("key_id,versions,versions\nk,1,2\n")), "line 1: columns 2 and 3 are both named `versions`"),
        (book(&row(&["key_id"])), "no usable record"),
        (
            book_of(&self::parts(
                &rows_of("key_id,aliases\nk,\n"),
                "<mergeCells><mergeCell ref='A1:B1'/></mergeCells>",
                "",
            )),
            "line 1: the cells A1:B1 of the header line are merged; if it is a title, remove its row",
        ),
        (book(&named("Inventory of nothing")), "no usable record"),
        (b" <html><table><tr><td>key_id".to_vec(), "HTML or XML, as some programs export it with the name .xls"),
        (book("<row><c><f>A2</f></c></row>"), "line 1: cell 1 of the header line holds a formula whose result is not"),
        (book("<row><c r='A2'/></row>"), "`xl/worksheets/keys.xml`: row 1: cell `A2` does not belong there"),
        (
            book(&format!("{}<row r='5'><c t='s'><v>9</v></c></row>", row(&["key_id"]))),
            "row 5: there is no shared text",
        ),
    ] {
        let ran = diagnose(&[("keys.xlsx", &bytes)], &[]);
        assert_eq!(ran.code, 4, "{says}: {}", ran.err);
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
    for (format, bytes, says) in [
        ("csv", &whole[..], "leave out --input-format"),
        ("xlsx", b"key_id\nk\n", "expected a workbook (.xlsx, .ods, .xls), as --input-format xlsx says"),
        ("ods", b"", "the input is empty"),
    ] {
        let ran = diagnose(&[("keys.xlsx", bytes)], &["--input-format", format]);
        assert_eq!(ran.code, 4);
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
}

// ---------------------------------------------------------------------------------------------------
// No bytes make it panic.

/// What is changed in the bytes of a file or of a part.
#[derive(Debug, Clone)]
enum Change {
    Byte(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, &'static str),
    Remove(prop::sample::Index, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = |index: &prop::sample::Index| index.index(bytes.len());
        match self {
            Change::Byte(index, byte) => {
                let at = at(index);
                bytes[at] = *byte;
            }
            Change::Cut(index) => bytes.truncate(at(index)),
            Change::Insert(index, text) => {
                let at = at(index);
                bytes.splice(at..at, text.bytes());
            }
            Change::Remove(index, length) => {
                let at = at(index);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let pieces = vec![
        "<row>",
        "</row>",
        "<row r='99999999999'/>",
        "<c r='ZZZZZZZZ9'>",
        "<c t='s'><v>18446744073709551615</v></c>",
        "<v>1e999</v>",
        "</c>",
        "<is>",
        "<t>",
        "&#0;",
        "&x;",
        "]]>",
        "<![CDATA[",
        "<!--",
        "<!DOCTYPE x [",
        "\"",
        "'",
        ">",
        "<",
        "/>",
        "\u{fffe}",
        "钥",
        "PK\u{1}\u{2}",
        "PK\u{5}\u{6}",
        "<mergeCell ref='A1:XFD1048576'/>",
        "<c s='1'><v>1e300</v></c>",
        "</sheetData>",
        "<si/>",
        "<table:table-row table:number-rows-repeated='1048577'>",
        " table:number-columns-repeated='16384' ",
        " table:number-rows-repeated='99' ",
        " table:number-rows-spanned='7' ",
        "</table:table-cell>",
        "<text:s text:c='65535'/>",
        "\u{3c}\u{0}\u{2}\u{0}",
        "\u{fc}",
    ];
    prop_oneof![
        4 => (index(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => index().prop_map(Change::Cut),
        4 => (index(), select(pieces)).prop_map(|(at, piece)| Change::Insert(at, piece)),
        2 => (index(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
    ]
}

/// A workbook with something of everything.
fn rich_parts() -> [(&'static str, String); 8] {
    let header = row(&["key_id", "aliases", "versions", "created", "account_id"]);
    let cells = "<row r='2'><c r='A2' t='s'><v>0</v></c><c r='B2' t='str'><f>A1</f><v>x_x000A_y</v></c><c r='C2'><v>1</v></c><c r='D2' s='1'><v>46112.5</v></c><c r='E2'><v>1234567890123456</v></c></row>";
    let rows = format!("{header}{cells}{}", row(&["k", "alias/k", "2", "", "1"]));
    parts(
        &rows,
        "<mergeCells><mergeCell ref='A2:A3'/></mergeCells>",
        "<si><t>a &amp; b</t></si><si><r><t>c</t></r></si>",
    )
}

fn survives(bytes: &[u8]) {
    thread_local!(static BOOK: Rulebook = Rulebook::load(&CMK, None, None).expect("the built-in rulebook loads"));
    BOOK.with(|book| {
        if let Ok(survey) = survey_bytes("keys.xlsx", bytes, None, book) {
            let account = survey.account;
            assert_eq!(account.read, account.diagnosed + account.rejected + account.duplicates);
        }
    });
}

/// A cell as a spreadsheet keeps it.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Blank,
    Text(String),
    Number(f64),
    Flag(bool),
    /// Days since the end of 1899.
    Date(u16),
}

impl Kept {
    /// What it means in a table.
    fn plain(&self) -> String {
        match self {
            Kept::Blank => String::new(),
            Kept::Text(text) => text.clone(),
            Kept::Number(number) => number.to_string(),
            Kept::Flag(flag) => flag.to_string(),
            Kept::Date(days) => {
                let day = jiff::civil::date(1899, 12, 30).checked_add(jiff::Span::new().days(i64::from(*days)));
                day.unwrap().to_string()
            }
        }
    }

    fn xlsx(&self) -> String {
        match self {
            Kept::Blank => "<c/>".to_owned(),
            Kept::Text(kept) => text(kept),
            Kept::Number(number) => format!("<c><v>{number:e}</v></c>"),
            Kept::Flag(flag) => format!("<c t='b'><v>{}</v></c>", u8::from(*flag)),
            Kept::Date(days) => format!("<c s='1'><v>{days}</v></c>"),
        }
    }

    fn ods(&self, count: usize) -> String {
        let cell = |attributes: &str, text: &str| {
            format!("<table:table-cell table:number-columns-repeated='{count}' {attributes}>{text}</table:table-cell>")
        };
        match self {
            Kept::Blank => cell("", ""),
            Kept::Text(text) => {
                let line = |line: &str| {
                    format!("<text:p>{}</text:p>", escaped(line).replace(' ', "<text:s/>").replace('\t', "<text:tab/>"))
                };
                cell("office:value-type='string'", &text.split('\n').map(line).collect::<String>())
            }
            Kept::Number(number) => {
                cell(&format!("office:value-type='float' office:value='{number:e}'"), "<text:p>#</text:p>")
            }
            Kept::Flag(flag) => cell(&format!("office:value-type='boolean' office:boolean-value='{flag}'"), ""),
            Kept::Date(_) => cell(&format!("office:value-type='date' office:date-value='{}'", self.plain()), ""),
        }
    }
}

/// A table as a document in which nothing is written twice that stands there twice.
fn ods_of(rows: &[Vec<Kept>]) -> Vec<u8> {
    let cells = |row: &[Kept]| row.chunk_by(|a, b| a == b).map(|same| same[0].ods(same.len())).collect::<String>();
    let body: String = rows
        .chunk_by(|a, b| a == b)
        .map(|same| {
            format!(
                "<table:table-row table:number-rows-repeated='{}'>{}</table:table-row>",
                same.len(),
                cells(&same[0])
            )
        })
        .collect();
    let content = format!(
        "<?xml version='1.0'?><office:document-content><office:body><office:spreadsheet><table:table table:name='t'>\
        <table:table-column/>{body}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    zipped(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", &content)])
}

fn csv_of(rows: &[Vec<Kept>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().for_each(|row| writer.write_record(row.iter().map(Kept::plain)).unwrap());
    writer.into_inner().unwrap()
}

fn xlsx_of(rows: &[Vec<Kept>]) -> Vec<u8> {
    let row = |row: &Vec<Kept>| format!("<row>{}</row>", row.iter().map(Kept::xlsx).collect::<String>());
    book(&rows.iter().map(row).collect::<String>())
}

fn kept() -> impl Strategy<Value = Kept> {
    let known =
        ["Aliyun_KMS", "EXTERNAL", "none", "N/A", "alias/a;alias/b", "Java, Go", "EXTERNAL, ", "x\ny", "  a  b\t"];
    prop_oneof![
        2 => Just(Kept::Blank),
        3 => select(known.to_vec()).prop_map(|text| Kept::Text(text.to_owned())),
        1 => "[ -~钥\n\t\u{e9}\u{1f511}]{1,12}".prop_map(Kept::Text),
        1 => select(vec![0.0, 1.0, 2.0, 365.0, -1.0, 0.1, 1.5e10, 999_999_999_999_999.0, 1e-7]).prop_map(Kept::Number),
        1 => any::<bool>().prop_map(Kept::Flag),
        1 => (61_u16..).prop_map(Kept::Date),
    ]
}

/// A header line with a key and other columns, the last of which has a name, and rows that name a key each.
fn table() -> impl Strategy<Value = Vec<Vec<Kept>>> {
    let columns =
        vec!["aliases", "origin", "versions", "rotation", "created", "languages", "cost centre", "remark", ""];
    let columns = prop::sample::subsequence(columns, 0..=9);
    columns.prop_flat_map(|columns| {
        let header: Vec<Kept> =
            ["key_id"].iter().chain(&columns).chain(&["region"]).map(|name| Kept::Text((*name).to_owned())).collect();
        let key = select(vec!["a", "b", "c d"]).prop_map(|key| Kept::Text(key.to_owned()));
        let row = (key, prop::collection::vec(kept(), columns.len() + 1))
            .prop_map(|(key, cells)| std::iter::once(key).chain(cells).collect::<Vec<_>>());
        let rows = prop::collection::vec((row, 1..3_usize), 1..6);
        rows.prop_map(move |rows| {
            let rows = rows.into_iter().flat_map(|(row, count)| std::iter::repeat_n(row, count));
            std::iter::once(header.clone()).chain(rows).collect()
        })
    })
}

/// Everything that is kept of the records of a file.
fn said(bytes: &[u8]) -> Vec<String> {
    thread_local!(static BOOK: Rulebook = Rulebook::load(&CMK, None, None).expect("the built-in rulebook loads"));
    let survey = BOOK.with(|book| survey_bytes("keys", bytes, None, book)).unwrap();
    let records = survey.keys().flat_map(|key| {
        let said = key.records().map(|record| {
            let (content, shape) = (record.record.content, record.record.shape);
            // Of a workbook, another sheet may say when the key was rotated, so that the date of its creation is kept.
            let extras = extras(record.extras()).filter(|(extra, _)| *extra != Extra::Field(Field::Created));
            format!(
                "{:?} {} {:?} {:?} {content} {shape}",
                record.place,
                record.key_id,
                record.aliases(),
                extras.collect::<Vec<_>>()
            )
        });
        said.collect::<Vec<_>>()
    });
    let rejects = survey.rejects().map(|reject| format!("{reject:?}")).collect::<Vec<_>>();
    records.chain(rejects).chain([format!("{:?}", survey.account)]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn a_table_says_the_same_in_every_format(rows in table()) {
        // Lines of texts are lines of files, but rows of sheets.
        let one_line = |cell: &Kept| !matches!(cell, Kept::Text(text) if text.contains('\n'));
        if rows.iter().flatten().all(one_line) {
            prop_assert_eq!(said(&csv_of(&rows)), said(&xlsx_of(&rows)));
        }
        prop_assert_eq!(said(&xlsx_of(&rows)), said(&ods_of(&rows)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn no_change_of_a_file_makes_it_panic(changes in prop::collection::vec(change(), 1..6)) {
        thread_local!(static WHOLE: Vec<u8> = book_of(&rich_parts()));
        let mut bytes = WHOLE.with(Clone::clone);
        changes.iter().for_each(|change| change.apply(&mut bytes));
        survives(&bytes);
    }

    #[test]
    fn no_change_of_a_part_makes_it_panic(changes in prop::collection::vec((0..8_usize, change()), 1..6)) {
        let mut parts = rich_parts().map(|(name, text)| (name, text.into_bytes()));
        changes.iter().for_each(|(part, change)| change.apply(&mut parts[*part].1));
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (name, bytes) in &parts {
            writer.start_file(*name, stored).unwrap();
            writer.write_all(bytes).unwrap();
        }
        survives(&writer.finish().unwrap().into_inner());
    }

    #[test]
    fn no_bytes_behind_the_mark_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), old in any::<bool>()) {
        let mark: &[u8] = if old { b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" } else { b"PK\x03\x04" };
        survives(&[mark, &bytes].concat());
    }

    #[test]
    fn no_change_of_an_older_file_makes_it_panic(changes in prop::collection::vec(change(), 1..6)) {
        thread_local!(static WHOLE: Vec<u8> = fixture("everything.xls"));
        let mut bytes = WHOLE.with(Clone::clone);
        changes.iter().for_each(|change| change.apply(&mut bytes));
        survives(&bytes);
    }

    #[test]
    fn no_change_of_a_document_makes_it_panic(changes in prop::collection::vec(change(), 1..6)) {
        thread_local!(static WHOLE: Vec<u8> = content_of(&fixture("everything.ods")));
        let mut bytes = WHOLE.with(Clone::clone);
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&bytes).unwrap();
        survives(&writer.finish().unwrap().into_inner());
    }
}

fn content_of(document: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(document)).unwrap();
    let mut content = Vec::new();
    archive.by_name("content.xml").unwrap().read_to_end(&mut content).unwrap();
    content
}
