//! The outcome of one combination of facts as flat cells, for tables of every kind of subject.

use crate::diagnose::ShapeOutcome;
use crate::engine::facts::Lang;
use crate::rulebook::Rulebook;
use crate::rulebook::card::{RemedyKind, Source};
use crate::rulebook::render::short_source;

use super::words;

/// The columns that every kind of subject has, in order.
pub const COLUMNS: [&str; 13] = [
    "class",
    "confirmed",
    "scenario",
    "rules",
    "because",
    "source",
    "remedy",
    "conditions",
    "gaps",
    "possible",
    "unlocks",
    "assumed",
    "rulebook",
];

/// What the outcome says, column by column.
pub(crate) fn cells(book: &Rulebook, outcome: &ShapeOutcome, lang: Lang) -> [String; 13] {
    let findings: Vec<_> = words::findings(outcome).collect();
    let of = |text: &dyn Fn(u16) -> String| {
        let mut texts: Vec<String> = Vec::new();
        for text in findings.iter().map(|fired| text(fired.card)) {
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts.join("; ")
    };
    // Where one reason can never be removed, it leads nowhere to remove the others.
    let is_final = |card: u16| book.card(card).remedy.as_ref().is_some_and(|remedy| remedy.kind == RemedyKind::None);
    let no_way_out = findings.iter().any(|fired| is_final(fired.card));
    let remedy = |card| book.card(card).remedy.as_ref().filter(|_| !no_way_out || is_final(card));
    let named = |fact, text: String| format!("{}: {text}", words::fact_name(book, fact));
    let conditions: Vec<String> =
        outcome.conditions().map(|fact| named(fact, words::condition(book, outcome, fact, lang))).collect();
    let gaps: Vec<String> = outcome.gaps().map(|fact| named(fact, words::gap(book, outcome, fact, lang))).collect();
    let assumed: Vec<String> =
        words::assumed(book, outcome).into_iter().map(|(fact, value)| format!("{fact}={value}")).collect();
    [
        book.verdict_name(outcome.class).to_owned(),
        if outcome.confirmed { "yes" } else { "no" }.to_owned(),
        outcome.scenario.show(),
        of(&|card| book.card(card).id.clone()),
        of(&|card| words::short_because(book, outcome, card, lang)),
        sources(findings.iter().filter_map(|fired| book.card(fired.card).source.first())),
        of(&|card| remedy(card).map(|remedy| remedy.get(lang).to_owned()).unwrap_or_default()),
        conditions.join("; "),
        gaps.join("; "),
        words::possible(book, outcome).join(" | "),
        words::unlock_names(book, outcome),
        assumed.join("; "),
        book.name(),
    ]
}

/// The documents with their sections, each once.
fn sources<'s>(sources: impl Iterator<Item = &'s Source>) -> String {
    let mut documents: Vec<(&str, Vec<&str>)> = Vec::new();
    for source in sources {
        let (document, section) = short_source(source);
        match documents.iter_mut().find(|(known, _)| *known == document) {
            Some((_, sections)) if sections.contains(&section) => {}
            Some((_, sections)) => sections.push(section),
            None => documents.push((document, vec![section])),
        }
    }
    let each = documents.iter().map(|(document, sections)| format!("{document} § {}", sections.join(", § ")));
    each.collect::<Vec<_>>().join("; ")
}
