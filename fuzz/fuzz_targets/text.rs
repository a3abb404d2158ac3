//! Any bytes through detection of encoding and format, and through every format of text: no panic, and every record is
//! accounted for.
#![no_main]

use cmkdiag::cli::job::{gather_bytes, survey_bytes};
use cmkdiag::domains::FORMS;
use cmkdiag::domains::cmk::CMK;
use cmkdiag::read::Format;
use cmkdiag::rulebook::Rulebook;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    thread_local!(static BOOK: Rulebook = Rulebook::load(&CMK, None, None).expect("the built-in rulebook loads"));
    let Some((choice, bytes)) = bytes.split_first() else { return };
    // The bytes as they are, as the halves of UTF-16, and behind ASCII.
    let bytes = match choice & 3 {
        1 => bytes.iter().flat_map(|byte| [*byte, 0]).collect(),
        2 => bytes.iter().flat_map(|byte| [0, *byte]).collect(),
        3 => [b"key_id,aliases,versions\nk,a,1\n", bytes].concat(),
        _ => bytes.to_vec(),
    };
    let formats = [None, Some(Format::Csv), Some(Format::Tsv), Some(Format::Json), Some(Format::JsonLines)];
    let format = formats[usize::from(choice >> 2) % formats.len()];
    if choice & 0x80 != 0 {
        let Ok(gathered) = gather_bytes(FORMS[usize::from(choice >> 6 & 1)], "fuzz", &bytes, format) else { return };
        let kept = gathered.records.len() as u64 + gathered.rejects.len() + gathered.duplicates;
        assert_eq!(gathered.read, kept);
        return;
    }
    BOOK.with(|book| {
        let Ok(survey) = survey_bytes("fuzz", &bytes, format, book) else { return };
        let account = survey.account;
        assert_eq!(account.read, account.diagnosed + account.rejected + account.duplicates);
        assert_eq!(account.keys as usize, survey.keys().count());
        let records: usize = survey.keys().map(|key| key.records().count()).sum();
        assert_eq!(account.diagnosed as usize, records);
    });
});
