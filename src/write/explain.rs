//! One key at length: facts with grade and place, each card that fired with its source, each gap with
//! the command that closes it, and the ways out.

use std::fmt::Write as _;

use anstyle::Style;

use crate::diagnose::{KeyOutcome, ShapeOutcome};
use crate::engine::facts::{FactId, Grade, Lang};
use crate::rulebook::Rulebook;
use crate::rulebook::render::source_line;

use super::safe::{visible, visible_lines};
use super::table::tone_style;
use super::{fill, words};
use crate::domains::cell::LIST_SEPARATOR;
use crate::domains::cmk::fields::Field;
use crate::inventory::record::Extra;
use crate::usage::overlay::OF_USE;

/// So many places are named where a fact is read.
const MOST_PLACES: usize = 100;

/// Everything about one key, for a person.
pub fn explain(key: &KeyOutcome<'_>, lang: Lang) -> String {
    let mut out = String::new();
    let (book, outcome) = (&key.diagnosis.rulebook, key.outcome);
    let filled = |text: &str| fill(text, key);
    head(key, lang, &mut out);
    facts(key, lang, &mut out);
    evidence(key, lang, &mut out);
    findings(book, outcome, &filled, lang, &mut out);
    open(book, outcome, &filled, lang, &mut out);
    ways_out(book, outcome, &filled, lang, &mut out);
    advisories(book, &key.advisories(), &filled, lang, &mut out);
    out
}

/// Fills the holes of a text.
pub(super) type Filled<'f> = &'f dyn Fn(&str) -> String;

pub(super) fn heading(text: &str, out: &mut String) {
    let bold = Style::new().bold();
    let _ = writeln!(out, "\n{bold}{text}{bold:#}");
}

fn head(key: &KeyOutcome<'_>, lang: Lang, out: &mut String) {
    let diagnosis = key.diagnosis;
    let class = key.outcome.class;
    let spec = class.map(|class| &diagnosis.rulebook.domain.classes[usize::from(class)]);
    let style = tone_style(spec.map(|spec| spec.tone)).bold();
    let aliases = key.key.aliases();
    let scope = format!("{} {}", key.key.account_id(), key.key.region());
    let _ = writeln!(out, "{}  {}  {}", visible(key.key.key_id()), visible(&aliases.join(" ")), visible(scope.trim()));
    let meaning = spec.map_or("", |spec| spec.meaning.get(lang));
    let conditional = match class.is_some() && !key.outcome.confirmed {
        true => lang.pick(", on conditions that are not confirmed yet", "（尚有条件待确认）"),
        false => "",
    };
    let stop = lang.pick(". ", "。");
    let _ = writeln!(out, "{style}{}{style:#}{conditional}{stop}{meaning}", diagnosis.class_name(class));
    if class.is_none() {
        let _ = writeln!(
            out,
            "{}{}",
            lang.pick("possible: ", "可能的类别："),
            words::possible(&diagnosis.rulebook, key.outcome).join(", ")
        );
    }
    let scenario = key.outcome.scenario.show();
    if !scenario.is_empty() {
        let _ = writeln!(out, "{}{scenario}", lang.pick("scenario: ", "场景："));
    }
    if let Some((time, computed)) = key.rotation_deadline() {
        let basis = match computed {
            true => lang.pick(" (computed: created + rotation_interval)", "（推算：created + rotation_interval）"),
            false => "",
        };
        let _ = writeln!(out, "{}{time}{basis}", lang.pick("rotation deadline: ", "轮转期限："));
    }
    for field in [Field::Owner, Field::Applications, Field::Services, Field::MigrationWindow, Field::TerraformAddress] {
        let texts = key.key.texts(Extra::Field(field));
        if !texts.is_empty() {
            let texts = texts.join("; ").replace(LIST_SEPARATOR, "; ");
            let _ = writeln!(out, "{}{}{}", field.name(), lang.pick(": ", "："), visible(&texts));
        }
    }
    let _ = writeln!(out, "{}{}", lang.pick("rulebook: ", "规则集："), diagnosis.rulebook.name());
}

fn facts(key: &KeyOutcome<'_>, lang: Lang, out: &mut String) {
    heading(lang.pick("Facts", "事实"), out);
    let book = &key.diagnosis.rulebook;
    let facts = key.facts();
    let evidence = key.diagnosis.evidence.as_ref();
    let logged = evidence.map_or(0, |evidence| evidence.of(&key.key).facts());
    let may_be_logged = evidence.map_or(0, |_| OF_USE.iter().fold(0, |facts, fact| facts | fact.bit()));
    for (index, spec) in book.facts.iter().enumerate() {
        let fact = FactId(index as u8);
        let (bits, grade) = (facts.get(fact), facts.grade(fact));
        let is_evidence = || {
            let domain = book.domain;
            domain.told.contains(&fact) || domain.infers_from.iter().any(|(evidence, _)| *evidence == fact)
        };
        if grade == Grade::Unknown && (fact == book.domain.integrity || is_evidence()) {
            continue;
        }
        let value = if bits == 0 { "-".to_owned() } else { spec.show(bits) };
        let mut places = key.key.said(fact);
        let mut said: Vec<String> = places
            .by_ref()
            .take(MOST_PLACES)
            .map(|(place, bits)| match grade {
                Grade::Conflict => {
                    format!("{}{}{}", spec.show(bits), lang.pick(" at ", "："), key.diagnosis.survey.show(place))
                }
                _ => key.diagnosis.survey.show(place),
            })
            .collect();
        match places.count() {
            0 => {}
            more => said.push(format!("… {more} {}", lang.pick("more", "处"))),
        }
        if logged & fact.bit() != 0 || said.is_empty() && grade != Grade::Assumed && may_be_logged & fact.bit() != 0 {
            said.push(lang.pick("audit log", "操作审计日志").to_owned());
        }
        let said = if grade == Grade::Inferred {
            words::inferred_from(book, key.outcome, fact, lang)
        } else if said.is_empty() {
            lang.pick("follows from other facts", "由其他事实得出").to_owned()
        } else {
            said.join(", ")
        };
        let place = match grade {
            Grade::Unknown => String::new(),
            Grade::Assumed => "--assume".to_owned(),
            _ => visible(&said).into_owned(),
        };
        let _ = writeln!(out, "  {:<17} {:<24} {:<9} {place}", visible(&spec.name), value, grade.name());
    }
}

fn evidence(key: &KeyOutcome<'_>, lang: Lang, out: &mut String) {
    let Some((lines, open)) = super::evidence::sentences(key, lang) else { return };
    heading(lang.pick("Usage evidence", "使用证据"), out);
    for line in &lines {
        let _ = writeln!(out, "  {}", visible(line));
    }
    if !open.is_empty() {
        let _ = writeln!(out, "  {}", lang.pick("what the log leaves open:", "日志未能说明："));
        for line in &open {
            let _ = writeln!(out, "  - {}", visible(line));
        }
    }
}

pub(super) fn findings(book: &Rulebook, outcome: &ShapeOutcome, fill: Filled<'_>, lang: Lang, out: &mut String) {
    if outcome.findings().next().is_some() {
        heading(lang.pick("Findings", "依据"), out);
    }
    let mut text = String::new();
    for fired in outcome.findings() {
        let card = book.card(fired.card);
        let role = match fired.decides {
            true => lang.pick("decides", "决定类别"),
            false => lang.pick("also holds", "同样成立"),
        };
        let class = card.class.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {} → {class} ({role}, {})", card.id, card.basis.name());
        let _ = writeln!(text, "    {}", words::because(book, outcome, fired, lang));
        for source in &card.source {
            let _ = writeln!(text, "    {}{}", lang.pick("source: ", "出处："), source_line(book, source));
            let _ = writeln!(text, "            {}", source.says);
        }
        if let Some(remedy) = &card.remedy {
            let _ = writeln!(text, "    {}{}", lang.pick("remedy: ", "处理："), fill(remedy.get(lang)));
            if let Some(command) = &remedy.command {
                let _ = writeln!(text, "            {}", fill(command));
            }
        }
    }
    out.push_str(&visible_lines(&text));
}

pub(super) fn open(book: &Rulebook, outcome: &ShapeOutcome, fill: Filled<'_>, lang: Lang, out: &mut String) {
    let mut list = |title: &str, facts: Vec<FactId>, text: &dyn Fn(FactId) -> String| {
        if !facts.is_empty() {
            heading(title, out);
        }
        for fact in facts {
            let spec = &book.facts[fact.index()];
            let _ = writeln!(out, "  {}", visible(&format!("{}: {}", spec.name, text(fact))));
            let _ = writeln!(out, "    {}{}", lang.pick("columns: ", "列："), visible(&spec.settle.columns));
            if !spec.settle.command.is_empty() {
                let _ = writeln!(out, "    {}", fill(spec.settle.command));
            }
        }
    };
    list(
        lang.pick("To confirm before anything irreversible", "在任何不可逆操作之前须确认"),
        outcome.conditions().collect(),
        &|fact| words::condition(book, outcome, fact, lang),
    );
    list(lang.pick("Not settled", "尚未确定"), outcome.gaps().collect(), &|fact| {
        words::gap(book, outcome, fact, lang)
    });
}

pub(super) fn ways_out(book: &Rulebook, outcome: &ShapeOutcome, fill: Filled<'_>, lang: Lang, out: &mut String) {
    if !outcome.judgement.unlocks.is_empty() {
        let each = lang.pick(" (each a minimal set of actions)", "（每一项均为最少操作的组合）");
        heading(&format!("{}{each}", book.domain.ways.get(lang)), out);
    }
    let mut text = String::new();
    for set in words::unlocks(book, outcome) {
        let titles: Vec<&str> = set.iter().map(|card| card.title.get(lang)).collect();
        let _ = writeln!(text, "  {}", titles.join(" + "));
        for card in set {
            if let Some(command) = card.remedy.as_ref().and_then(|remedy| remedy.command.as_ref()) {
                let _ = writeln!(text, "    {}", fill(command));
            }
        }
    }
    out.push_str(&visible_lines(&text));
}

pub(super) fn advisories(book: &Rulebook, cards: &[u16], fill: Filled<'_>, lang: Lang, out: &mut String) {
    if !cards.is_empty() {
        heading(lang.pick("Advisories", "提示"), out);
    }
    let mut text = String::new();
    for card in cards.iter().copied() {
        let card = book.card(card);
        let _ = writeln!(text, "  {}: {}", card.id, card.title.get(lang));
        if let Some(remedy) = &card.remedy {
            let _ = writeln!(text, "    {}", fill(remedy.get(lang)));
        }
        for source in &card.source {
            let _ = writeln!(text, "    {}{}", lang.pick("source: ", "出处："), source_line(book, source));
        }
    }
    out.push_str(&visible_lines(&text));
}
