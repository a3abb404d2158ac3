//! HTML: the same report as in Markdown, as one page without scripts that needs nothing from elsewhere.

use std::fmt::Write as _;

use super::matrix::{Matrix, legend};
use super::{Report, conflicts, fill, fill_command, is_conditional, overruled, step_texts, steps};
use crate::cases::Case;
use crate::rulebook::domain::Tone;
use crate::rulebook::render::source_line;
use crate::write::safe::visible;
use crate::write::summary::note_line;
use crate::write::words;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #bbb;padding:.3rem .6rem;text-align:left;vertical-align:top}\
th{background:#f2f2f2}.good{background:#d8f0d8}.calm{background:#d8ecf5}.warn{background:#fdf0c8}.alarm{background:#f8d0d0;font-weight:600}\
.open{background:#eadcf5}code{background:#f2f2f2;padding:.1rem .3rem;overflow-wrap:anywhere}.small{color:#555;font-size:.9em}\
section{border-top:1px solid #ccc;margin-top:1.5rem}@media print{section{break-inside:avoid}}";

/// A text in which nothing acts: neither on HTML nor on a reader's eyes.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn tone_class(tone: Option<Tone>) -> &'static str {
    match tone {
        Some(Tone::Good) => "good",
        Some(Tone::Calm) => "calm",
        Some(Tone::Warn) => "warn",
        Some(Tone::Alarm) => "alarm",
        Some(Tone::Open) | None => "open",
    }
}

/// The whole page.
pub fn html(report: &Report<'_>) -> String {
    let heading = escaped(report.assessment.form.heading.get(report.lang));
    let mut out = String::new();
    let lang = report.lang.pick("en", "zh");
    let _ = writeln!(
        out,
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{heading}</h1>"
    );
    summary(report, &mut out);
    if report.matrix {
        matrix(report, &mut out);
    }
    next_steps(report, &mut out);
    for (index, case) in report.assessment.cases.iter().enumerate() {
        if report.only.takes(report.assessment.class_name(case.outcome.class)) {
            subject(report, index, case, &mut out);
        }
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn summary(report: &Report<'_>, out: &mut String) {
    let (assessment, lang) = (report.assessment, report.lang);
    let book = &assessment.rulebook;
    let _ = writeln!(
        out,
        "<p>{}<br>{} <code>{}</code></p>",
        escaped(&report.account_line()),
        lang.pick("Rulebook", "规则集"),
        book.name()
    );
    let heads = [
        lang.pick("class", "类别"),
        lang.pick("confirmed", "已确认"),
        lang.pick("conditional", "有条件"),
        lang.pick("meaning", "含义"),
    ];
    let _ = writeln!(out, "<table>\n<tr><th>{}</th></tr>", heads.join("</th><th>"));
    for (name, confirmed, conditional) in report.classes() {
        let class = book.domain.classes.iter().find(|class| class.name == name);
        let open = lang.pick("Facts are missing or records disagree", "缺少事实或记录相互矛盾");
        let meaning = escaped(class.map_or(open, |class| class.meaning.get(lang)));
        let tone = tone_class(class.map(|class| class.tone));
        let numbers = match name {
            "undetermined" => format!("<td>{conditional}</td><td>-</td>"),
            _ => format!("<td>{confirmed}</td><td>{conditional}</td>"),
        };
        let _ = writeln!(out, "<tr><td class=\"{tone}\">{name}</td>{numbers}<td>{meaning}</td></tr>");
    }
    out.push_str("</table>\n");
    if let Some(assumed) = crate::write::summary::assumed_line(book, &assessment.settings, lang) {
        let _ = writeln!(out, "<p>{}</p>", escaped(&assumed));
    }
    if !assessment.notes.is_empty() {
        let notes =
            assessment.notes.iter().map(|note| format!("<li>{}</li>\n", escaped(&note_line(note, &assessment.files))));
        let heading = lang.pick("The input", "输入");
        let _ = writeln!(out, "<h2>{heading}</h2>\n<ul>\n{}</ul>", notes.collect::<String>());
    }
}

/// Each cell leads to the pair's section.
fn matrix(report: &Report<'_>, out: &mut String) {
    let matrix = Matrix::new(report);
    let _ = writeln!(out, "<h2>{}</h2>\n<table>", report.lang.pick("Matrix", "矩阵"));
    let heads: Vec<String> = matrix.targets.iter().map(|name| format!("<th>{}</th>", escaped(name))).collect();
    let corner = report.lang.pick("source ↓ target →", "源 ↓ 目标 →");
    let _ = writeln!(out, "<tr><th>{corner}</th>{}</tr>", heads.concat());
    for (source, name) in matrix.sources.iter().enumerate() {
        let cells = (0..matrix.targets.len()).map(|target| match matrix.cell(source, target) {
            Some(cell) => {
                let word = match is_told(report, cell.case) {
                    true => format!("<a href=\"#c{}\">{}</a>", cell.case, cell.word),
                    false => cell.word.to_owned(),
                };
                format!("<td class=\"{}\">{word}</td>", tone_class(cell.tone))
            }
            None => "<td></td>".to_owned(),
        });
        let _ = writeln!(out, "<tr><th>{}</th>{}</tr>", escaped(name), cells.collect::<String>());
    }
    let _ = writeln!(out, "</table>\n<p class=\"small\">{}</p>", escaped(legend(report.lang)));
}

/// Whether a pair has a section.
fn is_told(report: &Report<'_>, case: usize) -> bool {
    let class = report.assessment.cases[case].outcome.class;
    report.only.takes(report.assessment.class_name(class))
}

fn next_steps(report: &Report<'_>, out: &mut String) {
    let steps = report.next_steps();
    if steps.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>{}</h2>\n<ol>", report.lang.pick("Next steps", "后续步骤"));
    for step in &steps {
        let command = step.command.as_ref().map(|command| format!("<br><code>{}</code>", escaped(command)));
        let _ = writeln!(out, "<li>{}{}</li>", escaped(&step.text), command.unwrap_or_default());
    }
    out.push_str("</ol>\n");
}

fn subject(report: &Report<'_>, index: usize, case: &Case, out: &mut String) {
    let (book, lang, outcome) = (&report.assessment.rulebook, report.lang, &case.outcome);
    let tone = outcome.class.map(|class| book.domain.classes[usize::from(class)].tone);
    let conditional = match is_conditional(report, outcome) {
        true => lang.pick(" (conditional)", "（有条件）"),
        false => "",
    };
    let class = report.assessment.class_name(outcome.class);
    let _ = writeln!(
        out,
        "<section id=\"c{index}\">\n<h2>{} <span class=\"{}\">{class}{conditional}</span></h2>\n<ul>",
        escaped(&case.title),
        tone_class(tone)
    );
    for fired in words::findings(outcome) {
        let card = book.card(fired.card);
        let _ = writeln!(
            out,
            "<li><b>{}</b> <span class=\"small\">({}, {})</span>",
            escaped(&words::because(book, outcome, fired, lang)),
            card.id,
            card.basis.name()
        );
        if let Some(remedy) = &card.remedy {
            let _ = write!(out, "<br>{}", escaped(&fill(remedy.get(lang), case)));
            if let Some(command) = &remedy.command {
                let _ = write!(out, "<br><code>{}</code>", escaped(&fill_command(command, case)));
            }
        }
        for source in &card.source {
            let _ = write!(out, "<br><span class=\"small\">{}</span>", escaped(&source_line(book, source)));
        }
        out.push_str("</li>\n");
    }
    items("", report.one_of(case).into_iter(), out);
    items(lang.pick("Overruled: ", "被否决："), overruled(report, outcome).into_iter().map(str::to_owned), out);
    let condition = |fact| words::condition(book, outcome, fact, lang);
    items(lang.pick("To confirm: ", "待确认："), outcome.conditions().map(condition), out);
    let gap = |fact| format!("{}: {}", words::fact_name(book, fact), words::gap(book, outcome, fact, lang));
    items(lang.pick("Not settled: ", "未定："), outcome.gaps().map(gap), out);
    let disagreement = |(fact, said)| format!("{}: {said}", words::fact_name(book, fact));
    items(lang.pick("Records disagree: ", "记录相互矛盾："), conflicts(book, case).into_iter().map(disagreement), out);
    items(lang.pick("Note: ", "说明："), case.draft.notes.iter().cloned(), out);
    let advisory = |card: &u16| {
        let card = book.card(*card);
        let remedy = card.remedy.as_ref().map(|remedy| format!(". {}", fill(remedy.get(lang), case)));
        format!("{}{}", card.title.get(lang), remedy.unwrap_or_default())
    };
    items(lang.pick("Advisory: ", "提示："), case.advisories.iter().map(advisory), out);
    out.push_str("</ul>\n");
    checklist(report, case, out);
    out.push_str("</section>\n");
}

fn items(label: &str, texts: impl Iterator<Item = String>, out: &mut String) {
    for text in texts {
        let _ = writeln!(out, "<li>{label}{}</li>", escaped(&text));
    }
}

fn checklist(report: &Report<'_>, case: &Case, out: &mut String) {
    if steps(case).next().is_none() {
        return;
    }
    let _ = writeln!(out, "<h3>{}</h3>\n<ol>", report.lang.pick("Checklist", "检查清单"));
    for (card, certain) in steps(case) {
        let (head, body, command) = step_texts(report, case, card, certain);
        let command = command.map(|command| format!("<br><code>{}</code>", escaped(&command))).unwrap_or_default();
        let _ = writeln!(out, "<li><b>{}</b><br>{}{command}</li>", escaped(&head), escaped(&body));
    }
    out.push_str("</ol>\n");
}
