//! Any bytes, read as a workbook of each kind and as what stands inside: no panic, and every record is accounted for.
#![no_main]

use std::io::{Cursor, Write as _};

use cmkdiag::cli::job::survey_bytes;
use cmkdiag::domains::cmk::CMK;
use cmkdiag::read::Format;
use cmkdiag::rulebook::Rulebook;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // Checksums and chains of sectors keep a fuzzer from ever changing what is inside. What is inside says what it is.
    let wrapped = if bytes.starts_with(BEGIN) {
        Some(compound(bytes))
    } else if has(bytes, b"spreadsheet") {
        zipped(&[("content.xml", bytes)])
    } else {
        workbook(bytes)
    };
    if let Some(workbook) = wrapped {
        check(&workbook);
    }
});

/// How the records of a workbook begin.
const BEGIN: &[u8] = b"\x09\x08";

fn has(bytes: &[u8], piece: &[u8]) -> bool {
    bytes.windows(piece.len()).any(|window| window == piece)
}

/// A workbook (.xlsx) whose sheet consists of the bytes.
fn workbook(sheet: &[u8]) -> Option<Vec<u8>> {
    zipped(&[
        ("_rels/.rels", br#"<r><Relationship Id="1" Type="/officeDocument" Target="w.xml"/></r>"#),
        ("w.xml", br#"<workbook><sheet name="a" r:id="1"/><sheet name="b" r:id="1"/></workbook>"#),
        (
            "_rels/w.xml.rels",
            br#"<r><Relationship Id="1" Type="/worksheet" Target="s.xml"/><Relationship Id="2" Type="/styles" Target="f.xml"/><Relationship Id="3" Type="/sharedStrings" Target="t.xml"/></r>"#,
        ),
        ("f.xml", br#"<s><xf numFmtId="0"/><xf numFmtId="14"/></s>"#),
        ("t.xml", b"<sst><si><t>key_id</t></si><si><t>aliases</t></si></sst>"),
        ("s.xml", sheet),
    ])
}

fn zipped(parts: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in parts {
        writer.start_file(*name, stored).ok()?;
        writer.write_all(bytes).ok()?;
    }
    writer.finish().ok().map(Cursor::into_inner)
}

/// A workbook (.xls) whose stream begins with the bytes.
fn compound(stream: &[u8]) -> Vec<u8> {
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
        [(0, "Root Entry", 5, 1, END, 0), (128, "Workbook", 2, u32::MAX, tables + 1, sectors as u32 * 512)]
    {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entries[at..at + units.len()].copy_from_slice(&units);
        entries[at + 64] = units.len() as u8 + 2;
        entries[at + 66] = kind;
        for (offset, number) in [(68, u32::MAX), (72, u32::MAX), (76, child), (116, start), (120, length)] {
            entries[at + offset..at + offset + 4].copy_from_slice(&u32::to_le_bytes(number));
        }
    }
    let mut file = vec![0_u8; 512];
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    file[30] = 9;
    for (offset, number) in [(44, tables), (48, tables), (60, END), (68, END)] {
        file[offset..offset + 4].copy_from_slice(&number.to_le_bytes());
    }
    file[76..].fill(0xff);
    for table in 0..tables.min(109) {
        let at = 76 + table as usize * 4;
        file[at..at + 4].copy_from_slice(&table.to_le_bytes());
    }
    file.extend(next.iter().flat_map(|sector| sector.to_le_bytes()));
    file.extend(entries);
    file.extend(stream);
    file.resize(512 * (1 + tables as usize + 1 + sectors), 0);
    file
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
