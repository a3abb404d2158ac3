//! One subject at length: facts with grade and place, each card that fired with its source, what is open, the ways out,
//! and the checklist.

use std::fmt::Write as _;

use super::table::checklist;
use super::{Report, fill_command, is_conditional, steps};
use crate::cases::Case;
use crate::engine::facts::{FactId, Grade};
use crate::write::explain::{advisories, findings, heading, open, ways_out};
use crate::write::safe::visible;
use crate::write::table::tone_style;
use crate::write::words;

/// Everything about one subject, for a person.
pub fn explain(report: &Report<'_>, case: &Case, width: usize) -> String {
    let mut out = String::new();
    let (book, lang) = (&report.assessment.rulebook, report.lang);
    let filled = |text: &str| visible(&fill_command(text, case)).into_owned();
    head(report, case, &mut out);
    facts(report, case, &mut out);
    findings(book, &case.outcome, &filled, lang, &mut out);
    if let Some(one_of) = report.one_of(case) {
        let _ = writeln!(out, "\n{}", visible(&one_of));
    }
    open(book, &case.outcome, &filled, lang, &mut out);
    ways_out(book, &case.outcome, &filled, lang, &mut out);
    advisories(book, &case.advisories, &filled, lang, &mut out);
    if !case.draft.notes.is_empty() {
        heading(lang.pick("Notes", "说明"), &mut out);
        for note in &case.draft.notes {
            let _ = writeln!(out, "  {}", visible(note));
        }
    }
    if steps(case).next().is_some() {
        heading(lang.pick("Checklist", "检查清单"), &mut out);
        checklist(report, case, width, &mut out);
    }
    out
}

fn head(report: &Report<'_>, case: &Case, out: &mut String) {
    let (book, lang, outcome) = (&report.assessment.rulebook, report.lang, &case.outcome);
    let spec = outcome.class.map(|class| &book.domain.classes[usize::from(class)]);
    let style = tone_style(spec.map(|spec| spec.tone)).bold();
    let _ = writeln!(out, "{}", visible(&case.title));
    let conditional = match is_conditional(report, outcome) {
        true => lang.pick(", on conditions that are not confirmed yet", "（尚有条件待确认）"),
        false => "",
    };
    let meaning = spec.map_or("", |spec| spec.meaning.get(lang));
    let stop = lang.pick(". ", "。");
    let meaning = if meaning.is_empty() { String::new() } else { format!("{stop}{meaning}") };
    let _ = writeln!(out, "{style}{}{style:#}{conditional}{meaning}", book.verdict_name(outcome.class));
    if outcome.class.is_none() {
        let possible = words::possible(book, outcome).join(", ");
        let _ = writeln!(out, "{}{possible}", lang.pick("possible: ", "可能的类别："));
    }
    let _ = writeln!(out, "{}{}", lang.pick("rulebook: ", "规则集："), book.name());
}

fn facts(report: &Report<'_>, case: &Case, out: &mut String) {
    let (book, lang) = (&report.assessment.rulebook, report.lang);
    heading(lang.pick("Facts", "事实"), out);
    let facts = &case.outcome.facts;
    let width = book.facts.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    for (index, spec) in book.facts.iter().enumerate() {
        let fact = FactId(index as u8);
        let (bits, grade) = (facts.get(fact), facts.grade(fact));
        if fact == book.domain.integrity && grade == Grade::Unknown {
            continue;
        }
        let value = if bits == 0 { "-".to_owned() } else { spec.show(bits) };
        let places: Vec<String> = case
            .said(fact)
            .map(|said| match grade {
                Grade::Conflict => format!("{}{}{}", spec.show(said.bits), lang.pick(" at ", "："), said.at),
                _ => said.at.clone(),
            })
            .collect();
        let place = match grade {
            Grade::Unknown => String::new(),
            Grade::Assumed => "--assume".to_owned(),
            _ if places.is_empty() => lang.pick("follows from other statements", "由其他陈述得出").to_owned(),
            _ => places.join(", "),
        };
        let _ =
            writeln!(out, "  {:<width$} {:<22} {:<9} {}", visible(&spec.name), value, grade.name(), visible(&place));
    }
    // Values of facts stand above already.
    let form = report.assessment.form;
    let is_fact =
        |name: &str| form.field(name).is_some_and(|(field, side)| field.of.fact(side).is_some()) || name == form.parts;
    for (name, said) in case.draft.texts.iter().filter(|(name, _)| !is_fact(name)) {
        for said in said.iter().filter(|said| !said.at.is_empty()) {
            let _ = writeln!(out, "  {:<width$} {}  {}", visible(name), visible(&said.text), visible(&said.at));
        }
    }
    for (side, modules) in &case.draft.modules {
        let each: Vec<String> = modules.iter().map(|(module, said)| format!("{module}={said}")).collect();
        let _ = writeln!(out, "  {:<width$} {}", format!("{}_modules", side.name()), visible(&each.join("; ")));
    }
    for part in &case.draft.parts {
        let each: Vec<String> = part.iter().map(|(field, text)| format!("{field}: {text}")).collect();
        let _ = writeln!(out, "  {:<width$} {}", report.assessment.form.parts, visible(&each.join(", ")));
    }
}
