//! Subjects that are few and told at length, pairs and requests, to one format each.

pub mod csv;
pub mod explain;
pub mod html;
pub mod json;
pub mod markdown;
pub mod matrix;
pub mod table;

use std::collections::BTreeMap;

use crate::cases::{Assessment, Case};
use crate::diagnose::ShapeOutcome;
use crate::engine::facts::{FactId, Grade, Lang, members};
use crate::engine::judge::{Role, Standing, values_of};

use crate::rulebook::domain::Tone;

use super::summary::{self, Step};
use super::{Only, safe, words};

/// What is written, and how.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The subjects.
    pub assessment: &'a Assessment,
    /// The language of texts.
    pub lang: Lang,
    /// Which subjects.
    pub only: &'a Only,
    /// Whether sources and targets are shown against each other.
    pub matrix: bool,
    /// Whether columns that nobody understood are passed through.
    pub keep_columns: bool,
}

impl<'a> Report<'a> {
    /// The subjects that are written.
    pub fn cases(&self) -> impl Iterator<Item = &'a Case> {
        let (assessment, only) = (self.assessment, self.only);
        assessment.cases.iter().filter(|case| only.takes(assessment.class_name(case.outcome.class)))
    }

    /// Name, confirmed and conditional subjects of each class.
    pub fn classes(&self) -> Vec<(&'static str, u64, u64)> {
        summary::classes(self.assessment.rulebook.domain, &self.assessment.tally)
    }

    /// What became of the records, in one line.
    pub fn account_line(&self) -> String {
        let account = self.assessment.account;
        let (read, judged, rejected) = (account.read, account.judged, account.rejected);
        let (duplicates, unused, cases) = (account.duplicates, account.unused, self.assessment.cases.len());
        let noun = self.assessment.rulebook.domain.noun.get(Lang::En);
        let plural = if cases == 1 { noun } else { self.assessment.form.plural };
        let unused = match (unused, self.lang) {
            (0, _) => String::new(),
            (count, Lang::En) => format!(" + {count} about other instances"),
            (count, Lang::Zh) => format!(" + 未涉及的实例 {count} 条"),
        };
        match self.lang {
            Lang::En => format!(
                "{read} records read = {judged} judged ({cases} {plural}) + {rejected} rejected + {duplicates} exact duplicates{unused}"
            ),
            Lang::Zh => {
                let noun = self.assessment.rulebook.domain.noun.get(self.lang);
                format!(
                    "读取 {read} 条记录 = 已判定 {judged} 条（{cases} 个{noun}）+ 拒绝 {rejected} 条 + 完全重复 {duplicates} 条{unused}"
                )
            }
        }
    }

    /// What to do next about all of them, most urgent first.
    pub fn next_steps(&self) -> Vec<Step> {
        let counted = self.cases().map(|case| (&*case.outcome, 1)).collect();
        let mut steps = summary::common_steps(&self.assessment.rulebook, &counted, self.lang);
        steps.extend(self.advice());
        // What is the same for all of them is said; for the rest stand words to replace.
        let common = |hole: &str| {
            let mut texts = self.cases().map(|case| text(case, hole));
            let first = texts.next().filter(|first| !first.is_empty())?;
            texts.all(|other| other == first).then_some(first)
        };
        for step in &mut steps {
            let word = |hole: &str| common(hole).map_or_else(|| hole.to_uppercase(), |text| safe::shell(&text));
            step.command = step.command.as_ref().map(|command| fill_with(command, &word));
            step.text = fill_with(&step.text, &|hole| common(hole).unwrap_or_else(|| hole.to_uppercase()));
        }
        steps
    }

    /// The reasons of which some holds however the unknown facts turn out, where none holds for certain.
    pub(crate) fn one_of(&self, case: &Case) -> Option<String> {
        let (book, outcome) = (&self.assessment.rulebook, &case.outcome);
        let class = outcome.class.filter(|_| words::findings(outcome).next().is_none())?;
        let values = values_of(&outcome.facts);
        let open = book.program.rules.iter().filter(|rule| {
            rule.role == Role::Class(class) && book.program.standing(&rule.when, &values) == Standing::Undetermined
        });
        let titles: Vec<&str> = open.map(|rule| book.card(rule.card).title.get(self.lang)).collect();
        let one_of = self.lang.pick("one of these holds, whatever is not known", "以下之一成立，与未知事实无关");
        (!titles.is_empty()).then(|| format!("{one_of}: {}", titles.join(" / ")))
    }

    /// One step for each advisory that fires, those that concern most subjects first.
    fn advice(&self) -> Vec<Step> {
        let (book, lang) = (&self.assessment.rulebook, self.lang);
        let mut counts: BTreeMap<u16, u64> = BTreeMap::new();
        for card in self.cases().flat_map(|case| case.advisories.iter()) {
            *counts.entry(*card).or_default() += 1;
        }
        let mut counts: Vec<(u16, u64)> = counts.into_iter().collect();
        counts.sort_by_key(|(card, count)| (std::cmp::Reverse(*count), *card));
        let noun = book.domain.noun.get(lang);
        let step = |(card, count): (u16, u64)| {
            let title = book.card(card).title.get(lang);
            let text = match lang {
                Lang::En => format!("Advisory for {count} {noun}(s): {title} (rule {})", book.card(card).id),
                Lang::Zh => format!("{count} 个{noun}的提示：{title}（规则 {}）", book.card(card).id),
            };
            Step { text, command: None }
        };
        counts.into_iter().map(step).collect()
    }

    /// The word of a case's class, marked where conditions are open.
    pub fn class_cell(&self, outcome: &ShapeOutcome) -> String {
        let mark = if is_conditional(self, outcome) { " ?" } else { "" };
        format!("{}{mark}", self.assessment.class_name(outcome.class))
    }

    /// The reasons of a case in a few words, most weighty first.
    pub fn why(&self, case: &Case) -> String {
        let (book, outcome, lang) = (&self.assessment.rulebook, &case.outcome, self.lang);
        let titles = words::findings(outcome).map(|fired| book.card(fired.card).title.get(lang).to_owned());
        let mut parts: Vec<String> = titles.collect();
        let named = |facts: Vec<FactId>| -> String {
            facts.into_iter().map(|fact| words::fact_name(book, fact)).collect::<Vec<_>>().join(", ")
        };
        parts.extend(self.one_of(case));
        let conditions = named(outcome.conditions().collect());
        if !conditions.is_empty() {
            parts.push(format!("{}: {conditions}", lang.pick("to confirm", "待确认")));
        }
        let gaps = named(outcome.gaps().collect());
        if !gaps.is_empty() {
            parts.push(format!("{}: {gaps}", lang.pick("not settled", "未定")));
        }
        if outcome.class.is_none() && outcome.gaps().any(|fact| outcome.facts.grade(fact) == Grade::Conflict) {
            parts.extend(case.draft.notes.iter().cloned());
        }
        parts.extend(conflicts(book, case).into_iter().map(|(fact, said)| {
            format!(
                "{} {}: {said}",
                lang.pick("records disagree about", "记录相互矛盾："),
                words::fact_name(book, fact)
            )
        }));
        parts.join("; ")
    }
}

/// Whether the case has a class on conditions that are not confirmed. What is undetermined holds on none.
pub(crate) fn is_conditional(report: &Report<'_>, outcome: &ShapeOutcome) -> bool {
    let classes = report.assessment.rulebook.domain.classes;
    let open = |class: u8| classes[usize::from(class)].tone == Tone::Open;
    outcome.class.is_some_and(|class| !open(class)) && !outcome.confirmed
}

/// The cards of the last class that fire where another class decides.
pub(crate) fn overruled<'r>(report: &Report<'r>, outcome: &ShapeOutcome) -> Vec<&'r str> {
    let book = &report.assessment.rulebook;
    let last = book.domain.classes.last().map(|class| class.name);
    let cards = outcome.findings().filter(|fired| !fired.decides && outcome.class.is_some());
    cards
        .map(|fired| book.card(fired.card))
        .filter(|card| card.class.as_deref() == last)
        .map(|card| card.id.as_str())
        .collect()
}

/// About what records disagree: the fact, and what each place says.
pub(crate) fn conflicts(book: &crate::rulebook::Rulebook, case: &Case) -> Vec<(FactId, String)> {
    let facts = members(case.outcome.facts.graded(Grade::Conflict));
    let each = facts.filter_map(|fact| {
        let spec = &book.facts[fact.index()];
        let said: Vec<String> = case.said(fact).map(|said| format!("{} ({})", spec.show(said.bits), said.at)).collect();
        (!said.is_empty()).then(|| (fact, said.join(", ")))
    });
    each.collect()
}

/// A text of a case, all of them if there are several.
pub(crate) fn text(case: &Case, field: &str) -> String {
    let said = case.draft.texts.get(field);
    said.map_or_else(String::new, |said| said.iter().map(|said| said.text.as_str()).collect::<Vec<_>>().join("; "))
}

/// Fills the holes of a sentence.
pub(crate) fn fill(sentence: &str, case: &Case) -> String {
    fill_with(sentence, &|hole| known(case, hole).unwrap_or_else(|| hole.to_uppercase()))
}

/// Fills the holes of a command.
pub(crate) fn fill_command(command: &str, case: &Case) -> String {
    fill_with(command, &|hole| known(case, hole).map_or_else(|| hole.to_uppercase(), |text| safe::shell(&text)))
}

fn known(case: &Case, hole: &str) -> Option<String> {
    Some(text(case, hole)).filter(|text| !text.is_empty())
}

/// Replaces each word in braces, once and from left to right, so that nothing in a filled text is filled again.
fn fill_with(text: &str, word: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, hole, after)) = next_hole(rest) {
        out.push_str(before);
        out.push_str(&word(hole));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn next_hole(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (hole, after) = rest.split_once('}')?;
    let plain = !hole.is_empty() && hole.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    plain.then_some((before, hole, after))
}

/// The steps of the checklist that apply or may: card, and whether it is certain.
pub(crate) fn steps(case: &Case) -> impl Iterator<Item = (u16, bool)> {
    case.outcome.steps.iter().copied()
}

/// One step of a checklist as lines: the deed with its side, what exactly to do, the command.
pub(crate) fn step_texts(
    report: &Report<'_>,
    case: &Case,
    card: u16,
    certain: bool,
) -> (String, String, Option<String>) {
    let lang = report.lang;
    let card = report.assessment.rulebook.card(card);
    let side = card.step.as_ref().map_or("", |step| side_word(step.side, lang));
    let depends = if certain { "" } else { lang.pick(" (if it applies)", "（如适用）") };
    let head = format!("[{side}] {}{depends}", card.title.get(lang));
    let remedy = card.remedy.as_ref();
    let body = remedy.map_or_else(String::new, |remedy| fill(remedy.get(lang), case));
    (head, body, remedy.and_then(|remedy| remedy.command.as_deref()).map(|command| fill_command(command, case)))
}

fn side_word(side: crate::rulebook::card::StepSide, lang: Lang) -> &'static str {
    use crate::rulebook::card::StepSide;
    match side {
        StepSide::Source => lang.pick("source", "源实例"),
        StepSide::Target => lang.pick("target", "目标实例"),
        StepSide::Both => lang.pick("both", "两侧"),
        StepSide::Form => lang.pick("form", "表单"),
        StepSide::Aws => lang.pick("AWS", "AWS"),
        StepSide::You => lang.pick("you", "您"),
    }
}
