//! A table for a person: class, key, alias and the reasons, then the summary and the next steps.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::engine::facts::Lang;
use crate::rulebook::domain::{Domain, Tone};

use super::safe::visible;
use super::summary::{Counts, Step, next_steps};
use super::{Format, Only, words};

/// Aliases are cut to this many columns.
const MAX_ALIAS: usize = 24;

/// Key ids are cut to this many columns.
const MAX_ID: usize = 40;

/// Reasons get at least this many columns.
const MIN_WHY: usize = 30;

/// A table that fits a terminal.
pub struct Table<'d> {
    diagnosis: &'d Diagnosis,
    lang: Lang,
    width: usize,
    class_width: usize,
    id_width: usize,
    alias_width: usize,
}

impl<'d> Table<'d> {
    /// A table as wide as the terminal, its columns as wide as the keys that are shown need.
    pub fn new(diagnosis: &'d Diagnosis, lang: Lang, only: &Only, width: usize) -> Table<'d> {
        let shown = diagnosis.outcomes().filter(|key| only.takes(diagnosis.class_name(key.outcome.class)));
        let (mut class_width, mut id_width, mut alias_width) = (5, 3, 5);
        for key in shown {
            class_width = class_width.max(class_cell(diagnosis, &key).len());
            id_width = id_width.max(columns(&visible(key.key.key_id()))).min(MAX_ID);
            alias_width = alias_width.max(columns(&alias_cell(&key))).min(MAX_ALIAS);
        }
        Table { diagnosis, lang, width, class_width, id_width, alias_width }
    }

    fn row(&self, cells: [&str; 3], why: &str, style: Style, out: &mut Vec<u8>) {
        let widths = [self.class_width, self.id_width, self.alias_width];
        let mut text = String::new();
        row(&widths, self.width, &cells, why, style, &mut text);
        out.extend_from_slice(text.as_bytes());
    }

    fn why(&self, key: &KeyOutcome<'_>) -> String {
        let (book, outcome, lang) = (&self.diagnosis.rulebook, key.outcome, self.lang);
        let mut parts: Vec<String> = Vec::new();
        for fired in words::findings(outcome) {
            let title = book.card(fired.card).title.get(lang);
            let evidence = words::evidence(book, outcome, fired.card);
            let short = evidence
                .split("; ")
                .filter(|part| ["languages", "operations", "network"].iter().any(|fact| part.starts_with(fact)));
            let values: Vec<&str> = short.filter_map(|part| part.split_once(": ").map(|(_, values)| values)).collect();
            parts.push(if values.is_empty() { title.to_owned() } else { format!("{title}: {}", values.join(", ")) });
        }
        if let Some((time, _)) = key.rotation_deadline() {
            parts.push(format!("{} {time}", self.lang.pick("next rotation", "下次轮转")));
        }
        let names = |facts: Vec<String>| facts.join(", ");
        let conditions: Vec<String> =
            outcome.conditions().map(|fact| words::fact_name(book, fact).to_owned()).collect();
        if !conditions.is_empty() {
            parts.push(format!("{}: {}", self.lang.pick("to confirm", "待确认"), names(conditions)));
        }
        let gaps: Vec<String> = outcome.gaps().map(|fact| words::fact_name(book, fact).to_owned()).collect();
        if !gaps.is_empty() {
            parts.push(format!("{}: {}", self.lang.pick("not settled", "未定"), names(gaps)));
        }
        for (fact, said) in words::conflicts(key) {
            let said: Vec<String> = said.into_iter().map(|(value, place)| format!("{value} ({place})")).collect();
            parts.push(format!(
                "{} {}: {}",
                self.lang.pick("records disagree about", "记录相互矛盾："),
                words::fact_name(book, fact),
                said.join(", ")
            ));
        }
        visible(&parts.join("; ")).into_owned()
    }

    fn summary(&self, text: &mut String) {
        let book = &self.diagnosis.rulebook;
        let counts = Counts::new(self.diagnosis);
        let bold = Style::new().bold();
        let heading = self.lang.pick("Summary", "汇总");
        let _ = writeln!(text, "\n{bold}{heading}{bold:#}  {}", counts.account_line(self.lang));
        class_lines(book.domain, &counts.classes(), self.lang, text);
        let _ = writeln!(text, "{} {}", self.lang.pick("Rulebook", "规则集"), book.name());
        if let Some(assumed) = counts.assumed_line(self.lang) {
            let _ = writeln!(text, "{assumed}");
        }
        if let Some(inferred) = counts.inferred_line(self.lang) {
            let _ = writeln!(text, "{inferred}");
        }
    }

    fn steps(&self, text: &mut String) {
        step_lines(&next_steps(self.diagnosis, self.lang), self.width, self.lang, text);
    }
}

impl Format for Table<'_> {
    fn head(&self, out: &mut Vec<u8>) {
        let cells = [self.lang.pick("class", "类别"), self.lang.pick("key", "密钥"), self.lang.pick("alias", "别名")];
        self.row(cells, self.lang.pick("why", "原因"), Style::new().bold(), out);
    }

    fn key(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>) {
        let class = key.outcome.class.map(|class| self.diagnosis.rulebook.domain.classes[usize::from(class)].tone);
        let name = class_cell(self.diagnosis, key);
        self.row([&name, &visible(key.key.key_id()), &alias_cell(key)], &self.why(key), tone_style(class), out);
    }

    fn tail(&self, out: &mut Vec<u8>) {
        let mut text = String::new();
        if self.diagnosis.tally.conditional.iter().any(|count| *count > 0) {
            let _ = writeln!(
                text,
                "{}",
                self.lang.pick("? = holds on conditions that are not confirmed yet", "? = 尚有条件待确认")
            );
        }
        self.summary(&mut text);
        self.steps(&mut text);
        out.extend_from_slice(text.as_bytes());
    }
}

/// One row: cells of fixed widths, the first one styled, and behind them a text that may take several lines.
pub(crate) fn row(widths: &[usize], whole: usize, cells: &[&str], last: &str, style: Style, text: &mut String) {
    let indent = widths.iter().map(|width| width + 2).sum::<usize>();
    let room = whole.saturating_sub(indent).max(MIN_WHY);
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cell = cut(cell, *width);
        let pad = " ".repeat(width.saturating_sub(columns(&cell)) + 2);
        let style = if index == 0 { style } else { Style::new() };
        let _ = write!(text, "{style}{cell}{style:#}{pad}");
    }
    for (index, line) in wrap(last, room).iter().enumerate() {
        if index > 0 {
            text.push_str(&" ".repeat(indent));
        }
        text.push_str(line);
        text.push('\n');
    }
}

/// The numbers of each class, with what it means.
pub(crate) fn class_lines(domain: &Domain, classes: &[(&'static str, u64, u64)], lang: Lang, text: &mut String) {
    let _ = writeln!(
        text,
        "{:<25}{:>10}{:>13}",
        lang.pick("class", "类别"),
        lang.pick("confirmed", "已确认"),
        lang.pick("conditional", "有条件")
    );
    for (name, confirmed, conditional) in classes {
        let class = domain.classes.iter().find(|class| class.name == *name);
        let style = class.map_or(tone_style(None), |class| tone_style(Some(class.tone)));
        let meaning = class
            .map_or(lang.pick("Facts are missing or records disagree", "缺少事实或记录相互矛盾"), |class| {
                class.meaning.get(lang)
            });
        let (confirmed, conditional) = match *name {
            "undetermined" => (conditional.to_string(), "-".to_owned()),
            _ => (confirmed.to_string(), conditional.to_string()),
        };
        let _ = writeln!(text, "{style}{name:<25}{style:#}{confirmed:>10}{conditional:>13}  {meaning}");
    }
}

/// What to do next, numbered.
pub(crate) fn step_lines(steps: &[Step], width: usize, lang: Lang, text: &mut String) {
    if steps.is_empty() {
        return;
    }
    let bold = Style::new().bold();
    let heading = lang.pick("Next steps", "后续步骤");
    let _ = writeln!(text, "\n{bold}{heading}{bold:#}");
    for (index, step) in steps.iter().enumerate() {
        for (at, line) in wrap(&step.text, width.saturating_sub(4).max(MIN_WHY)).iter().enumerate() {
            let number = if at == 0 { format!("{:>2}. ", index + 1) } else { "    ".to_owned() };
            let _ = writeln!(text, "{number}{line}");
        }
        if let Some(command) = &step.command {
            let dim = Style::new().dimmed();
            let _ = writeln!(text, "    {dim}{command}{dim:#}");
        }
    }
}

fn class_cell(diagnosis: &Diagnosis, key: &KeyOutcome<'_>) -> String {
    let mark = if key.outcome.class.is_some() && !key.outcome.confirmed { " ?" } else { "" };
    format!("{}{mark}", diagnosis.class_name(key.outcome.class))
}

fn alias_cell(key: &KeyOutcome<'_>) -> String {
    let aliases = key.key.aliases();
    visible(&aliases.join(" ")).into_owned()
}

/// The colour of a class; the word itself always stands there, too.
pub(crate) fn tone_style(tone: Option<Tone>) -> Style {
    let colour = match tone {
        Some(Tone::Good) => AnsiColor::Green,
        Some(Tone::Warn) => AnsiColor::Yellow,
        Some(Tone::Alarm) => AnsiColor::Red,
        Some(Tone::Calm) => AnsiColor::Cyan,
        Some(Tone::Open) | None => AnsiColor::Magenta,
    };
    Style::new().fg_color(Some(colour.into()))
}

/// How many columns a text takes, character by character: terminals differ about joined ones.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A text cut to a width, with an ellipsis where it was cut.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// Lines of at most so many columns, broken at blanks where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| columns(line));
        if line > 0 && line + 1 + columns(word) > width {
            lines.push(String::new());
        } else if line > 0 {
            lines.last_mut().into_iter().for_each(|line| line.push(' '));
        }
        for c in word.chars() {
            let full = lines.last().is_some_and(|line| columns(line) + c.width().unwrap_or(0) > width);
            if full {
                lines.push(String::new());
            }
            lines.last_mut().into_iter().for_each(|line| line.push(c));
        }
    }
    lines
}
