//! Any texts as instances, calendar and plan: no panic, no plan that does not read back, no slot outside the calendar.
#![no_main]

use cmkdiag::cli::job::survey_bytes;
use cmkdiag::diagnose::{Diagnosis, Settings};
use cmkdiag::domains::cmk::CMK;
use cmkdiag::engine::facts::Lang;
use cmkdiag::plan::calendar::Calendar;
use cmkdiag::plan::make::{Wanted, plan};
use cmkdiag::plan::model::Plan;
use cmkdiag::plan::{calendar_file, check, instance, runbook, tables, text};
use cmkdiag::rulebook::Rulebook;

const INVENTORY: &[u8] = include_bytes!("../../samples/inventory.csv");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    thread_local!(static BOOK: Rulebook = Rulebook::load(&CMK, None, None).expect("the built-in rulebook loads"));
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let (first, second) = text.split_once('\u{1}').unwrap_or((&text, ""));
    let _ = serde_json::from_str::<Plan>(first);
    let instances = instance::read(&[("fuzz".to_owned(), first.to_owned())]).ok();
    let calendar = Calendar::read("fuzz", second).ok();
    if instances.is_none() && calendar.is_none() {
        return;
    }
    let book = BOOK.with(Clone::clone);
    let survey = survey_bytes("inventory.csv", INVENTORY, None, &book).expect("the sample is read");
    let diagnosis = Diagnosis::new(book, survey, Settings::default());
    let wanted = Wanted {
        now: "2026-11-21T08:30:00Z".parse().expect("a moment"),
        instances,
        calendar,
        window: 900 * (1 + i64::from(choice & 15)),
        keys_per_batch: Some(1 + u32::from(choice >> 4)),
        earlier: None,
    };
    let plan = plan(&diagnosis, &wanted);
    let json = serde_json::to_string(&plan).expect("a plan is JSON");
    let again: Plan = serde_json::from_str(&json).expect("a plan reads back");
    assert!(again == plan && again.is_sealed());
    let errors = |problems: &[cmkdiag::plan::work::Problem]| {
        problems.iter().filter(|problem| problem.severity == cmkdiag::plan::work::Severity::Error).count()
    };
    // What was just made holds, but for what it says itself.
    let checked = check::check(&plan, &diagnosis, &wanted);
    assert!(errors(&checked) == 0 || errors(&plan.problems) > 0, "{checked:?}");
    for lang in [Lang::En, Lang::Zh] {
        let _ = (text::summary(&plan, lang), runbook::runbook(&plan, lang), calendar_file::calendar(&plan, lang));
        plan.worklists.iter().for_each(|list| drop(tables::worklist(list, lang)));
    }
    let _ = tables::batches(&plan);
});
