//! JSON and JSON Lines: one object a subject. Version 1 of the format; members are only ever added.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Report, conflicts, csv::others, fill, fill_command, overruled, steps, text};
use crate::cases::Case;
use crate::write::json::Framing;
use crate::write::pieces::{Pieces, write_value};
use crate::write::summary;
use crate::write::words;

/// The name and version of the format of a form's documents.
pub fn format(form: &crate::domains::form::Form) -> String {
    format!("{}/1", form.format)
}

/// Writes the whole document, or one object a line.
///
/// # Errors
/// It cannot be written.
pub fn json(report: &Report<'_>, framing: Framing, to: &mut dyn Write) -> io::Result<()> {
    let mut out = Vec::new();
    let assessment = report.assessment;
    let (book, form) = (&assessment.rulebook, assessment.form);
    if framing == Framing::Document {
        let head = json!({
            "rulebook": { "domain": book.domain.name, "edition": book.edition, "digest": format!("sha256:{}", book.digest) },
            "summary": summary_json(report),
        });
        out.extend_from_slice(format!("{{\"format\":\"{}\",\n", format(form)).as_bytes());
        let mut members = Vec::new();
        write_value(&head, &mut members);
        out.extend_from_slice(&members[1..members.len() - 1]);
        out.extend_from_slice(format!(",\n\"{}\":[\n", form.plural).as_bytes());
    }
    for (index, case) in report.cases().enumerate() {
        if index > 0 && framing == Framing::Document {
            out.extend_from_slice(b",\n");
        }
        match framing {
            Framing::Lines => line(report, case, &mut out),
            Framing::Document => write_value(&object(report, case), &mut out),
        }
        // One by one, for all together are many times as long as what was read.
        to.write_all(&out)?;
        out.clear();
    }
    if framing == Framing::Document {
        out.extend_from_slice(b"\n]}\n");
    }
    to.write_all(&out)
}

fn summary_json(report: &Report<'_>) -> Value {
    let account = report.assessment.account;
    json!({
        "records": {
            "read": account.read,
            "judged": account.judged,
            "rejected": account.rejected,
            "exact_duplicates": account.duplicates,
            "unused_instances": account.unused,
        },
        report.assessment.form.plural: report.assessment.cases.len(),
        "classes": summary::classes_json(&report.classes(), report.assessment.form.plural),
        "notes": summary::notes_json(&report.assessment.notes, &report.assessment.files),
    })
}

/// One subject in one line.
pub fn line(report: &Report<'_>, case: &Case, out: &mut Vec<u8>) {
    write_value(&object(report, case), out);
    out.push(b'\n');
}

/// One subject.
pub fn object(report: &Report<'_>, case: &Case) -> Value {
    let book = &report.assessment.rulebook;
    let pieces = Pieces { book, lang: report.lang };
    let mut own = Map::new();
    let mut put = |name: &str, value: Value| own.insert(name.to_owned(), value);
    put("title", json!(case.title));
    for field in report.assessment.form.columns {
        put(field, json!(Some(text(case, field)).filter(|text| !text.is_empty())));
    }
    for (name, value) in pieces.members(&case.outcome).into_iter().filter(|(name, _)| *name != "scenario") {
        put(name, value);
    }
    put("overruled", json!(overruled(report, &case.outcome)));
    put("advisories", case.advisories.iter().map(|card| pieces.advisory(*card, &str::to_owned)).collect());
    put("checklist", steps(case).map(|(card, certain)| pieces.step(card, certain)).collect());
    put("facts", pieces.facts(&case.outcome.facts, &case.outcome));
    let texts = case.draft.texts.keys().map(|name| (name.clone(), json!(text(case, name))));
    let modules = case.draft.modules.iter().map(|(side, modules)| (format!("{}_modules", side.name()), json!(modules)));
    put("texts", Value::Object(texts.chain(modules).collect()));
    if !report.assessment.form.parts.is_empty() {
        put(report.assessment.form.parts, case.draft.parts.iter().map(|part| json!(part)).collect());
    }
    put("notes", json!(case.draft.notes));
    let disagreements = conflicts(book, case);
    put(
        "conflicts",
        disagreements
            .iter()
            .map(|(fact, said)| json!({ "fact": words::fact_name(book, *fact), "said": said }))
            .collect(),
    );
    put("origins", json!(case.draft.origins));
    if report.keep_columns {
        let others = others(case);
        let said = |name: &String| json!(others.get(name.as_str()).map(String::as_str).unwrap_or_default());
        let each = report.assessment.unused_columns.iter().map(|name| (name.clone(), said(name)));
        put("columns", Value::Object(each.collect()));
    }
    let mut whole = Value::Object(own);
    for member in ["findings", "conditions", "gaps", "advisories", "checklist"] {
        if let Some(value) = whole.get_mut(member) {
            fill_all(value, case);
        }
    }
    whole
}

/// Fills the holes of every text; commands with words that a shell takes as they stand.
fn fill_all(value: &mut Value, case: &Case) {
    match value {
        Value::String(text) => *text = fill(text, case),
        Value::Array(items) => items.iter_mut().for_each(|item| fill_all(item, case)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match value {
                    Value::String(text) if name == "command" => *text = fill_command(text, case),
                    other => fill_all(other, case),
                }
            }
        }
        _ => {}
    }
}
