//! Any bytes, read as pairs, requests or replies of describe-key and written in every format: no panic, every record
//! accounted for, and JSON that is JSON.
#![no_main]

use cmkdiag::cases::Assessment;
use cmkdiag::cases::assemble::{Pairing, assemble};
use cmkdiag::cli::job::gather_bytes;
use cmkdiag::diagnose::Settings;
use cmkdiag::domains::FORMS;
use cmkdiag::domains::ekms::evidence::described_keys;
use cmkdiag::domains::form::Context;
use cmkdiag::engine::facts::Lang;
use cmkdiag::rulebook::Rulebook;
use cmkdiag::write::Only;
use cmkdiag::write::cases::{Report, csv, explain, html, json, markdown, table};
use cmkdiag::write::json::Framing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    thread_local!(static BOOKS: Vec<Rulebook> = FORMS
        .iter()
        .map(|form| Rulebook::load(form.domain, None, None).expect("the built-in rulebook loads"))
        .collect());
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let described_keys = std::str::from_utf8(bytes).map(|text| described_keys(text, "fuzz")).ok().and_then(Result::ok);
    let (form, book) = (FORMS[usize::from(choice & 1)], BOOKS.with(|books| books[usize::from(choice & 1)].clone()));
    let Ok(gathered) = gather_bytes(form, "fuzz", bytes, None) else { return };
    let context = Context { described_keys: described_keys.unwrap_or_default(), ..Context::default() };
    let pairing = Pairing { all: choice & 2 != 0, ..Pairing::default() };
    let Ok(assembled) = assemble(form, &gathered, &pairing, &context) else { return };
    if assembled.drafts.len() > 200 {
        return;
    }
    let assessment = Assessment::new(form, book, gathered, assembled, Settings::default());
    let account = assessment.account;
    assert_eq!(account.read, account.judged + account.rejected + account.duplicates + account.unused);
    let only = Only(None);
    let lang = if choice & 4 != 0 { Lang::Zh } else { Lang::En };
    let report = Report { assessment: &assessment, lang, only: &only, matrix: true, keep_columns: true };
    let columns: Vec<usize> = (0..csv::columns(&report).len()).collect();
    csv::csv(&report, &columns, &mut Vec::new()).expect("memory takes what is written");
    let mut text = Vec::new();
    json::json(&report, Framing::Document, &mut text).expect("memory takes what is written");
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    assert!(text.starts_with('{') && text.ends_with("]}\n"));
    for page in [table::table(&report, 80), markdown::markdown(&report), html::html(&report)] {
        assert!(!page.contains('\u{202e}'), "a character acts on the reader");
    }
    for case in report.cases() {
        explain::explain(&report, case, 80);
    }
});
