//! Markdown: a report with matrix, summary and next steps, and for each subject its reasons and its checklist.

use std::fmt::Write as _;

use super::matrix::{Matrix, legend};
use super::{Report, conflicts, fill, fill_command, is_conditional, overruled, step_texts, steps};
use crate::cases::Case;
use crate::rulebook::render::source_line;
use crate::write::safe::{markdown_code as code, markdown_text};
use crate::write::summary::note_line;
use crate::write::words;

fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    markdown_text(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The whole report.
pub fn markdown(report: &Report<'_>) -> String {
    let mut out = String::new();
    head(report, &mut out);
    if report.matrix {
        matrix(report, &mut out);
    }
    next_steps(report, &mut out);
    for case in report.cases() {
        subject(report, case, &mut out);
    }
    out
}

fn head(report: &Report<'_>, out: &mut String) {
    let (assessment, lang) = (report.assessment, report.lang);
    let book = &assessment.rulebook;
    let _ = writeln!(out, "# {}\n", assessment.form.heading.get(lang));
    let _ = writeln!(
        out,
        "{}  \n{}: `{}`\n",
        escaped(&report.account_line()),
        lang.pick("Rulebook", "规则集"),
        book.name()
    );
    let header = lang.pick("| class | confirmed | conditional | meaning |", "| 类别 | 已确认 | 有条件 | 含义 |");
    let _ = writeln!(out, "{header}\n| --- | ---: | ---: | --- |");
    for (name, confirmed, conditional) in report.classes() {
        let class = book.domain.classes.iter().find(|class| class.name == name);
        let open = lang.pick("Facts are missing or records disagree", "缺少事实或记录相互矛盾");
        let meaning = class.map_or(open, |class| class.meaning.get(lang));
        let _ = match name {
            "undetermined" => writeln!(out, "| {name} | {conditional} | - | {meaning} |"),
            _ => writeln!(out, "| {name} | {confirmed} | {conditional} | {meaning} |"),
        };
    }
    if let Some(assumed) = crate::write::summary::assumed_line(book, &assessment.settings, lang) {
        let _ = writeln!(out, "\n{}", escaped(&assumed));
    }
    if !assessment.notes.is_empty() {
        let _ = writeln!(out, "\n## {}\n", lang.pick("The input", "输入"));
    }
    for note in &assessment.notes {
        let _ = writeln!(out, "- {}", escaped(&note_line(note, &assessment.files)));
    }
}

fn matrix(report: &Report<'_>, out: &mut String) {
    let matrix = Matrix::new(report);
    let _ = writeln!(out, "\n## {}\n", report.lang.pick("Matrix", "矩阵"));
    let names: Vec<String> = matrix.targets.iter().map(|name| escaped(name)).collect();
    let _ = writeln!(out, "| {} | {} |", report.lang.pick("source ↓ target →", "源 ↓ 目标 →"), names.join(" | "));
    let _ = writeln!(out, "| --- |{}", " --- |".repeat(names.len()));
    for (source, name) in matrix.sources.iter().enumerate() {
        let cells = (0..matrix.targets.len()).map(|target| matrix.cell(source, target).map_or("·", |cell| cell.word));
        let _ = writeln!(out, "| {} | {} |", escaped(name), cells.collect::<Vec<_>>().join(" | "));
    }
    let _ = writeln!(out, "\n{}", legend(report.lang));
}

fn next_steps(report: &Report<'_>, out: &mut String) {
    let steps = report.next_steps();
    if !steps.is_empty() {
        let _ = writeln!(out, "\n## {}\n", report.lang.pick("Next steps", "后续步骤"));
    }
    for (index, step) in steps.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", index + 1, escaped(&step.text));
        if let Some(command) = &step.command {
            let _ = writeln!(out, "   {}", code(command));
        }
    }
}

fn subject(report: &Report<'_>, case: &Case, out: &mut String) {
    let (book, lang, outcome) = (&report.assessment.rulebook, report.lang, &case.outcome);
    let conditional = match is_conditional(report, outcome) {
        true => lang.pick(" (conditional)", "（有条件）"),
        false => "",
    };
    let _ =
        writeln!(out, "\n## {}: {}{conditional}\n", escaped(&case.title), report.assessment.class_name(outcome.class));
    for fired in words::findings(outcome) {
        let card = book.card(fired.card);
        let _ = writeln!(
            out,
            "- **{}** ({}, {})",
            escaped(&words::because(book, outcome, fired, lang)),
            card.id,
            card.basis.name()
        );
        for source in &card.source {
            let _ = writeln!(out, "  - {}{}", lang.pick("Source: ", "出处："), escaped(&source_line(book, source)));
        }
        if let Some(remedy) = &card.remedy {
            let _ = writeln!(out, "  - {}{}", lang.pick("Remedy: ", "处理："), escaped(&fill(remedy.get(lang), case)));
            if let Some(command) = &remedy.command {
                let _ = writeln!(out, "    {}", code(&fill_command(command, case)));
            }
        }
    }
    list("", report.one_of(case).into_iter(), out);
    list(lang.pick("Overruled: ", "被否决："), overruled(report, outcome).into_iter().map(str::to_owned), out);
    list(
        lang.pick("To confirm: ", "待确认："),
        outcome.conditions().map(|fact| words::condition(book, outcome, fact, lang)),
        out,
    );
    let gap = |fact| format!("{}: {}", words::fact_name(book, fact), words::gap(book, outcome, fact, lang));
    list(lang.pick("Not settled: ", "未定："), outcome.gaps().map(gap), out);
    let disagreement = |(fact, said)| format!("{}: {said}", words::fact_name(book, fact));
    list(lang.pick("Records disagree: ", "记录相互矛盾："), conflicts(book, case).into_iter().map(disagreement), out);
    list(lang.pick("Note: ", "说明："), case.draft.notes.iter().cloned(), out);
    let advisory = |card: &u16| {
        let card = book.card(*card);
        let remedy = card.remedy.as_ref().map(|remedy| format!(". {}", fill(remedy.get(lang), case)));
        format!("{}{}", card.title.get(lang), remedy.unwrap_or_default())
    };
    list(lang.pick("Advisory: ", "提示："), case.advisories.iter().map(advisory), out);
    checklist(report, case, out);
}

fn list(label: &str, texts: impl Iterator<Item = String>, out: &mut String) {
    for text in texts {
        let _ = writeln!(out, "- {label}{}", escaped(&text));
    }
}

fn checklist(report: &Report<'_>, case: &Case, out: &mut String) {
    if steps(case).next().is_some() {
        let _ = writeln!(out, "\n{}\n", report.lang.pick("Checklist:", "检查清单："));
    }
    for (card, certain) in steps(case) {
        let (head, body, command) = step_texts(report, case, card, certain);
        let _ = writeln!(out, "- [ ] {}  \n  {}", escaped(&head), escaped(&body));
        if let Some(command) = command {
            let _ = writeln!(out, "  {}", code(&command));
        }
    }
}
