//! Any bytes, read as the rows of a sheet and as a workbook: no panic, and every record is accounted for.
#![no_main]

use std::io::{Cursor, Write as _};

use cmkdiag::cli::job::survey_bytes;
use cmkdiag::domains::cmk::CMK;
use cmkdiag::read::Format;
use cmkdiag::rulebook::Rulebook;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // Checksums keep a fuzzer from ever changing what is inside.
    if let Some(workbook) = workbook(bytes) {
        check(&workbook);
    }
});

/// A workbook whose sheet consists of the bytes.
fn workbook(sheet: &[u8]) -> Option<Vec<u8>> {
    let parts: [(&str, &[u8]); 6] = [
        ("_rels/.rels", br#"<r><Relationship Id="1" Type="/officeDocument" Target="w.xml"/></r>"#),
        ("w.xml", br#"<workbook><sheet name="a" r:id="1"/></workbook>"#),
        (
            "_rels/w.xml.rels",
            br#"<r><Relationship Id="1" Type="/worksheet" Target="s.xml"/><Relationship Id="2" Type="/styles" Target="f.xml"/><Relationship Id="3" Type="/sharedStrings" Target="t.xml"/></r>"#,
        ),
        ("f.xml", br#"<s><xf numFmtId="0"/><xf numFmtId="14"/></s>"#),
        ("t.xml", b"<sst><si><t>key_id</t></si><si><t>aliases</t></si></sst>"),
        ("s.xml", sheet),
    ];
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in parts {
        writer.start_file(name, stored).ok()?;
        writer.write_all(bytes).ok()?;
    }
    writer.finish().ok().map(Cursor::into_inner)
}

fn check(bytes: &[u8]) {
    thread_local!(static BOOK: Rulebook = Rulebook::load(&CMK, None, None).expect("the built-in rulebook loads"));
    BOOK.with(|book| {
        let Ok(survey) = survey_bytes("fuzz", bytes, Some(Format::Sheet), book) else { return };
        let account = survey.account;
        assert_eq!(account.read, account.diagnosed + account.rejected + account.duplicates);
        assert_eq!(account.keys as usize, survey.keys().count());
        let records: usize = survey.keys().map(|key| key.records().count()).sum();
        assert_eq!(account.diagnosed as usize, records);
    });
}
