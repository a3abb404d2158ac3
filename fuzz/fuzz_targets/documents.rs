//! Any bytes, read as what other tools write, by detection and under each name of a format: no panic, every record is
//! accounted for, whatever name is given.
#![no_main]

use cmkdiag::cli::job::survey_bytes;
use cmkdiag::domains::cmk::CMK;
use cmkdiag::read::Format;
use cmkdiag::rulebook::Rulebook;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    thread_local!(static BOOK: Rulebook = Rulebook::load(&CMK, None, None).expect("the built-in rulebook loads"));
    BOOK.with(|book| {
        for format in std::iter::once(None).chain(Format::ALL.map(Some)) {
            let Ok(survey) = survey_bytes("fuzz", bytes, format, book) else { continue };
            let account = survey.account;
            assert_eq!(account.read, account.diagnosed + account.rejected + account.duplicates);
            assert_eq!(account.keys as usize, survey.keys().count());
            let records: usize = survey.keys().map(|key| key.records().count()).sum();
            assert_eq!(account.diagnosed as usize, records);
        }
    });
});
