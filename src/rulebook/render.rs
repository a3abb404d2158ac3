//! Cards and sources as text for people.

use std::fmt::Write as _;

use crate::engine::facts::Lang;

use super::card::{Alternative, Card, Source};
use super::edition::Rulebook;
use super::page::ParsedPage;

/// When the card fires, in words, from the condition itself.
pub fn fires_when(book: &Rulebook, card: &Card) -> String {
    let doc = |name: &String| {
        let atom = book.atoms.iter().find(|atom| atom.name == *name);
        let sentence = atom.map_or(name.as_str(), |atom| atom.doc.as_ref());
        format!("{name}: {}", sentence.trim_end_matches('.'))
    };
    let alternative = |one: &Alternative| {
        let all = one.all.iter().map(|name| format!("    {}", doc(name)));
        let none = one.none.iter().map(|name| format!("    not {}", doc(name)));
        all.chain(none).collect::<Vec<_>>().join("\n")
    };
    card.when.iter().map(alternative).collect::<Vec<_>>().join("\n  or\n")
}

/// A source, in one line.
pub fn source_line(book: &Rulebook, source: &Source) -> String {
    let document = book.domain.documents.iter().find(|document| document.id == source.document);
    let title = document.map_or(source.document.as_str(), |document| document.title);
    let publisher = document.map_or("", |document| document.publisher);
    format!("{publisher}, “{title}”, section “{}”, read {}", source.section, source.retrieved)
}

/// The short form of a source: document and the beginning of the section's heading.
pub fn short_source(source: &Source) -> (&str, &str) {
    let heading = source.section.split_once(':').map_or(source.section.as_str(), |(heading, _)| heading);
    (&source.document, heading)
}

/// A whole card for a person.
pub fn page(book: &Rulebook, page: &ParsedPage, lang: Lang) -> String {
    let card = &page.card;
    let mut out = String::new();
    let decides = card.class.as_deref().map(|class| format!(" → {class}")).unwrap_or_default();
    let _ = writeln!(out, "{}  ({}{decides}, {})", card.id, card.kind.name(), card.basis.name());
    let _ = writeln!(out, "{}\n", card.title.get(lang));
    let _ = writeln!(out, "{}\n", page.prose.get(lang));
    if !card.when.is_empty() {
        let _ = writeln!(
            out,
            "{}\n{}\n",
            lang.pick("Fires when all of this holds:", "以下条件全部满足时适用："),
            fires_when(book, card)
        );
    }
    if let Some(limit) = &card.limit {
        let _ = writeln!(out, "{}{} = {} {}\n", lang.pick("Limit: ", "限额："), limit.name, limit.value, limit.unit);
    }
    if let Some(remedy) = &card.remedy {
        let (remedy_is, kind) = (lang.pick("Remedy", "处理"), remedy.kind.name());
        let _ = writeln!(out, "{remedy_is} ({kind}): {}", remedy.get(lang));
        if let Some(command) = &remedy.command {
            let _ = writeln!(out, "    {command}");
        }
        out.push('\n');
    }
    if let Some(interpretation) = &card.interpretation {
        let _ = writeln!(out, "{}{interpretation}\n", lang.pick("Our reading: ", "我们的解读："));
    }
    for source in &card.source {
        let _ = writeln!(out, "{}{}\n    {}", lang.pick("Source: ", "出处："), source_line(book, source), source.says);
    }
    out
}
