//! Workbooks: the same rows mean the same as in CSV, what a spreadsheet has lost is not believed, and no file makes the
//! program panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::Path;

use cmkdiag::cli::job::survey_bytes;
use cmkdiag::domains::cmk::CMK;
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
    let plain = |text: String| text.replace(&here, "").replace("keys.xlsx", "keys.*").replace("keys.csv", "keys.*");
    Ran { code: ran.code, out: plain(ran.out), err: plain(ran.err) }
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// That a workbook says what a CSV says, in every column and every message.
fn assert_same(workbook: &[u8], csv: &str) {
    let (sheet, table) = (diagnose(&[("keys.xlsx", workbook)], &[]), diagnose(&[("keys.csv", csv.as_bytes())], &[]));
    assert_eq!(sheet.out, table.out, "{}", sheet.err);
    assert_eq!((sheet.code, sheet.err), (table.code, table.err));
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
    assert_eq!((sheet.out, sheet.err), (table.out, table.err));
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
    assert_snapshot!(ran.err, @r"
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
// What a spreadsheet has lost is not believed.

#[test]
fn a_number_with_lost_digits_rejects_its_row_and_leaves_the_key_undetermined() {
    let header = row(&["key_id", "aliases", "instance", "origin", "account_id", ""]);
    let known = |key: &str| ["alias/a", "default", "EXTERNAL"].iter().fold(text(key), |row, cell| row + &text(cell));
    let damaged = format!("<row>{}<c><v>1.23456789012345E+15</v></c></row>", known("k"));
    let other = format!("<row>{}</row>", known("k"));
    let unnamed = format!("<row>{}{}<c><v>1234567890123456</v></c></row>", known("l"), text("1234567890123456"));
    let workbook = book(&[header, damaged, other, unnamed].concat());
    let ran = diagnose(&[("keys.xlsx", &workbook)], &["--columns", "key_id,account_id,class"]);
    assert_eq!(ran.code, 3);
    assert_snapshot!(ran.err, @r"
    rejected: keys.*:2, column account_id: `1234567890123450` is kept as a number of more than 15 digits, of which spreadsheets lose all but 15; format the column as text and enter it again
    3 records read = 2 diagnosed (2 keys) + 1 rejected + 0 exact duplicates
    blocked 1 · undetermined 1
    ");
    assert_snapshot!(ran.out, @r"
    key_id,account_id,class,confirmed
    k,,undetermined,no
    l,1234567890123456,blocked,yes
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
    assert_snapshot!(ran.err, @r"
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
    let secret: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
    let old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    let main = |target: &str| ("_rels/.rels", RELATIONS.replace("xl/workbook.xml", target));
    for (bytes, says) in [
        (whole[..whole.len() - 30].to_vec(), "a damaged workbook or archive"),
        (whole[..whole.len() / 2].to_vec(), "fetch the file again"),
        (without("_rels/.rels"), "an archive without a workbook"),
        (without("xl/workbook.xml"), "an archive without a workbook"),
        (without("xl/worksheets/keys.xml"), "`xl/worksheets/keys.xml`: it is missing"),
        (zipped(&[("notes.txt", "no workbook")]), "unpack it, or export the sheet as CSV"),
        (zipped(&[("mimetype", "x"), ("content.xml", "<x/>")]), "save it as .xlsx"),
        (zipped(&[(main("d.xml").0, &main("d.xml").1), ("d.xml", "<document/>")]), "an archive without a workbook"),
        (zipped(&[(main("xl/workbook.bin").0, &main("xl/workbook.bin").1)]), "(.xlsb); save it as .xlsx"),
        (old.clone(), "an older workbook (.xls)"),
        ([old, vec![0; 600], secret].concat(), "the workbook is encrypted; open it with its password"),
        (book(""), "the workbook is empty"),
        (book(&row(&[" ", ""])), "the workbook is empty"),
        (book(&rows_of("key_id,versions,versions\nk,1,2\n")), "line 1: columns 2 and 3 are both named `versions`"),
        (book(&row(&["key_id"])), "no usable record"),
        (
            book_of(&self::parts(
                &rows_of("Inventory,\nkey_id,aliases\n"),
                "<mergeCells><mergeCell ref='A1:B1'/></mergeCells>",
                "",
            )),
            "line 1: the cells A1:B1 of the header line are merged; if it is a title, remove its row",
        ),
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
        ("xlsx", b"key_id\nk\n", "not a workbook (.xlsx)"),
        ("xlsx", b"", "not a workbook (.xlsx)"),
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
}
