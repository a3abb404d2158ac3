//! For a person at a terminal: matrix, one row a subject, summary, next steps, and the checklists if they are few.

use std::fmt::Write as _;

use anstyle::Style;

use super::matrix::{Matrix, legend};
use super::{Report, step_texts, steps};
use crate::cases::Case;
use crate::write::safe::visible;
use crate::write::table::{class_lines, columns, cut, row, step_lines, tone_style, wrap};

/// Checklists are printed for so many subjects at most; beyond, there are the reports.
const MOST_CHECKLISTS: usize = 5;

/// Titles are cut to this many columns.
const MAX_TITLE: usize = 48;

/// Names of instances are cut to this many columns.
const MAX_NAME: usize = 20;

/// The whole report, with colours.
pub fn table(report: &Report<'_>, width: usize) -> String {
    let mut text = String::new();
    if report.matrix {
        matrix(report, width, &mut text);
    }
    rows(report, width, &mut text);
    summary(report, &mut text);
    step_lines(&report.next_steps(), width, report.lang, &mut text);
    checklists(report, width, &mut text);
    text
}

fn rows(report: &Report<'_>, width: usize, text: &mut String) {
    let assessment = report.assessment;
    let (mut class_width, mut title_width) = (5, assessment.rulebook.domain.noun.get(report.lang).len());
    for case in report.cases() {
        class_width = class_width.max(columns(&report.class_cell(&case.outcome)));
        title_width = title_width.max(columns(&visible(&case.title))).min(MAX_TITLE);
    }
    let widths = [class_width, title_width];
    let head = [report.lang.pick("class", "类别"), assessment.rulebook.domain.noun.get(report.lang)];
    row(&widths, width, &head, report.lang.pick("why", "原因"), Style::new().bold(), text);
    let mut conditional = false;
    for case in report.cases() {
        let tone = case.outcome.class.map(|class| assessment.rulebook.domain.classes[usize::from(class)].tone);
        let cells = [report.class_cell(&case.outcome), visible(&case.title).into_owned()];
        conditional |= super::is_conditional(report, &case.outcome);
        row(&widths, width, &[&cells[0], &cells[1]], &visible(&report.why(case)), tone_style(tone), text);
    }
    if conditional {
        let legend = "? = holds on conditions that are not confirmed yet";
        let _ = writeln!(text, "{}", report.lang.pick(legend, "? = 尚有条件待确认"));
    }
}

fn summary(report: &Report<'_>, text: &mut String) {
    let (book, lang) = (&report.assessment.rulebook, report.lang);
    let bold = Style::new().bold();
    let _ = writeln!(text, "\n{bold}{}{bold:#}  {}", lang.pick("Summary", "汇总"), report.account_line());
    class_lines(book.domain, &report.classes(), lang, text);
    let _ = writeln!(text, "{} {}", lang.pick("Rulebook", "规则集"), book.name());
    if let Some(assumed) = crate::write::summary::assumed_line(book, &report.assessment.settings, lang) {
        let _ = writeln!(text, "{assumed}");
    }
}

/// As many targets side by side as fit, then the next ones.
fn matrix(report: &Report<'_>, width: usize, text: &mut String) {
    let matrix = Matrix::new(report);
    let shown = |name: &String| cut(&visible(name), MAX_NAME);
    let first = matrix.sources.iter().map(|name| columns(&shown(name))).max().unwrap_or(0).max(6);
    let mut targets: Vec<usize> = (0..matrix.targets.len()).collect();
    while !targets.is_empty() {
        let mut used = first;
        let mut fits = |target: &usize| {
            used += columns(&shown(&matrix.targets[*target])).max(4) + 2;
            used <= width
        };
        let count = targets.iter().take_while(|target| fits(target)).count().max(1);
        let block: Vec<usize> = targets.drain(..count).collect();
        matrix_block(&matrix, &block, first, text);
        text.push('\n');
    }
    for line in wrap(legend(report.lang), width) {
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}

fn matrix_block(matrix: &Matrix, targets: &[usize], first: usize, text: &mut String) {
    let bold = Style::new().bold();
    let shown = |name: &String| cut(&visible(name), MAX_NAME);
    let pad = |cell: &str, width: usize| " ".repeat(width.saturating_sub(columns(cell)));
    let width = |target: usize| columns(&shown(&matrix.targets[target])).max(4);
    let mut head = " ".repeat(first);
    for target in targets {
        let name = shown(&matrix.targets[*target]);
        let _ = write!(head, "  {bold}{name}{bold:#}{}", pad(&name, width(*target)));
    }
    let _ = writeln!(text, "{}", head.trim_end());
    for (source, name) in matrix.sources.iter().enumerate() {
        let name = shown(name);
        let mut line = format!("{bold}{name}{bold:#}{}", pad(&name, first));
        for target in targets {
            let (word, style) = match matrix.cell(source, *target) {
                Some(cell) => (cell.word, tone_style(cell.tone)),
                None => ("·", Style::new().dimmed()),
            };
            let _ = write!(line, "  {style}{word}{style:#}{}", pad(word, width(*target)));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn checklists(report: &Report<'_>, width: usize, text: &mut String) {
    let count = report.cases().filter(|case| steps(case).next().is_some()).count();
    if count == 0 {
        return;
    }
    let bold = Style::new().bold();
    if count > MOST_CHECKLISTS {
        let line = report.lang.pick(
            "Checklists: explain prints one, --format markdown or html all of them",
            "检查清单：explain 打印单个，--format markdown 或 html 打印全部",
        );
        let _ = writeln!(text, "\n{line}");
        return;
    }
    for case in report.cases() {
        let heading = report.lang.pick("Checklist", "检查清单");
        let _ = writeln!(text, "\n{bold}{heading}{bold:#}  {}", visible(&case.title));
        checklist(report, case, width, text);
    }
}

/// The steps of one subject, numbered.
pub(crate) fn checklist(report: &Report<'_>, case: &Case, width: usize, text: &mut String) {
    for (index, (card, certain)) in steps(case).enumerate() {
        let (head, body, command) = step_texts(report, case, card, certain);
        let _ = writeln!(text, "{:>2}. {}", index + 1, visible(&head));
        for line in wrap(&visible(&body), width.saturating_sub(4).max(30)) {
            let _ = writeln!(text, "    {line}");
        }
        if let Some(command) = command {
            let dim = Style::new().dimmed();
            let _ = writeln!(text, "    {dim}{}{dim:#}", visible(&command));
        }
    }
}
