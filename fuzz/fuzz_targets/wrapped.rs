//! Any bytes, as they are, as a member under the id of a key, as a reply under `body`, and as several documents in an
//! array or one behind the other: no panic, and every record is accounted for.
#![no_main]

use cmkdiag::cli::job::survey_bytes;
use cmkdiag::domains::cmk::CMK;
use cmkdiag::rulebook::Rulebook;

/// What stands before and behind the bytes, so that a fuzzer need not find it.
const WRAPPINGS: [(&str, &str); 6] = [
    ("", ""),
    ("{\"00000000-0000-4000-8000-000000000101\": ", "}"),
    ("{\"body\": ", "}"),
    ("[{\"version\": 4, \"terraform_version\": \"1\", \"resources\": ", "}]"),
    ("{\"lineage\": \"x\", \"serial\": 1} {\"version\": 4, \"resources\": ", "}"),
    ("[{\"DiscoveredResourceDetail\": ", "}]"),
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    thread_local!(static BOOK: Rulebook = Rulebook::load(&CMK, None, None).expect("the built-in rulebook loads"));
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let (before, behind) = WRAPPINGS[usize::from(*choice) % WRAPPINGS.len()];
    let bytes = [before.as_bytes(), bytes, behind.as_bytes()].concat();
    BOOK.with(|book| {
        let Ok(survey) = survey_bytes("fuzz", &bytes, None, book) else { return };
        let account = survey.account;
        assert_eq!(account.read, account.diagnosed + account.rejected + account.duplicates);
        assert_eq!(account.keys as usize, survey.keys().count());
        let records: usize = survey.keys().map(|key| key.records().count()).sum();
        assert_eq!(account.diagnosed as usize, records);
    });
});
