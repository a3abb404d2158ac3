//! Markdown: a report with summary, next steps and one table row a key.

use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::engine::facts::Lang;

use super::safe::{markdown_code, markdown_text};
use super::summary::{Counts, next_steps, note_line};
use super::{Format, words};

/// Markdown with tables (GitHub flavour).
pub struct Markdown<'d> {
    diagnosis: &'d Diagnosis,
    lang: Lang,
    kept: Vec<(u32, &'d str)>,
}

impl<'d> Markdown<'d> {
    /// A writer for the outcomes of a diagnosis; `kept` are the user's own columns to pass through.
    pub fn new(diagnosis: &'d Diagnosis, lang: Lang, kept: Vec<(u32, &'d str)>) -> Markdown<'d> {
        Markdown { diagnosis, lang, kept }
    }
}

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    markdown_text(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

impl Format for Markdown<'_> {
    fn head(&self, out: &mut Vec<u8>) {
        let book = &self.diagnosis.rulebook;
        let counts = Counts::new(self.diagnosis);
        line(out, &format!("# {}\n", self.lang.pick("Key migration diagnosis", "密钥迁移诊断")));
        line(
            out,
            &format!(
                "{}  \n{}: `{}`\n",
                counts.account_line(self.lang),
                self.lang.pick("Rulebook", "规则集"),
                book.name()
            ),
        );
        line(out, self.lang.pick("| class | confirmed | conditional | meaning |", "| 类别 | 已确认 | 有条件 | 含义 |"));
        line(out, "| --- | ---: | ---: | --- |");
        for (name, confirmed, conditional) in counts.classes() {
            let class = book.domain.classes.iter().find(|class| class.name == name);
            let undetermined = self.lang.pick("Facts are missing or records disagree", "缺少事实或记录相互矛盾");
            let meaning = class.map_or(undetermined, |class| class.meaning.get(self.lang));
            line(out, &format!("| {name} | {confirmed} | {conditional} | {meaning} |"));
        }
        if let Some(assumed) = counts.assumed_line(self.lang) {
            line(out, &format!("\n{}", escaped(&assumed)));
        }
        if let Some(inferred) = counts.inferred_line(self.lang) {
            line(out, &format!("\n{inferred}"));
        }
        let survey = &self.diagnosis.survey;
        let notes = survey.notes();
        if !notes.is_empty() {
            line(out, &format!("\n## {}\n", self.lang.pick("The input", "输入")));
        }
        for note in notes {
            line(out, &format!("- {}", escaped(&note_line(&note, &survey.files))));
        }
        let steps = next_steps(self.diagnosis, self.lang);
        if !steps.is_empty() {
            line(out, &format!("\n## {}\n", self.lang.pick("Next steps", "后续步骤")));
        }
        for (index, step) in steps.iter().enumerate() {
            line(out, &format!("{}. {}", index + 1, escaped(&step.text)));
            if let Some(command) = &step.command {
                line(out, &format!("   {}", markdown_code(command)));
            }
        }
        line(out, &format!("\n## {}\n", self.lang.pick("Keys", "密钥")));
        let mut header = self
            .lang
            .pick(
                "| key | account | region | aliases | class | why | to confirm or settle | deadline |",
                "| 密钥 | 账号 | 地域 | 别名 | 类别 | 原因 | 待确认或补充 | 期限 |",
            )
            .to_owned();
        let mut rule = "| --- | --- | --- | --- | --- | --- | --- | --- |".to_owned();
        for (_, name) in &self.kept {
            header.push_str(&format!(" {} |", escaped(name)));
            rule.push_str(" --- |");
        }
        line(out, &header);
        line(out, &rule);
    }

    fn key(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>) {
        let (book, outcome, lang) = (&self.diagnosis.rulebook, key.outcome, self.lang);
        let class = self.diagnosis.class_name(outcome.class);
        let conditional = if outcome.class.is_some() && !outcome.confirmed {
            self.lang.pick(" (conditional)", "（有条件）")
        } else {
            ""
        };
        let why: Vec<String> =
            words::findings(outcome).map(|fired| words::because(book, outcome, fired, lang)).collect();
        let conditions = outcome.conditions().map(|fact| words::condition(book, outcome, fact, lang));
        let gaps = outcome
            .gaps()
            .map(|fact| format!("{}: {}", words::fact_name(book, fact), words::gap(book, outcome, fact, lang)));
        let disagreements = words::conflicts(key).into_iter().map(|(fact, said)| {
            let said: Vec<String> = said.into_iter().map(|(value, place)| format!("{value} ({place})")).collect();
            format!("{}: {}", words::fact_name(book, fact), said.join(", "))
        });
        let open: Vec<String> = conditions.chain(gaps).chain(disagreements).collect();
        let aliases = key.key.aliases();
        let mut cells = vec![
            key.key.key_id().to_owned(),
            key.key.account_id().to_owned(),
            key.key.region().to_owned(),
            aliases.join("; "),
            format!("{class}{conditional}"),
            why.join("; "),
            open.join("; "),
            key.rotation_deadline().map(|(time, _)| time.to_owned()).unwrap_or_default(),
        ];
        let kept = words::Kept::of(key);
        cells.extend(self.kept.iter().map(|(number, _)| kept.text(*number)));
        for cell in cells {
            out.extend_from_slice(b"| ");
            markdown_text(&cell, out);
            out.push(b' ');
        }
        out.extend_from_slice(b"|\n");
    }

    fn tail(&self, _out: &mut Vec<u8>) {}
}
