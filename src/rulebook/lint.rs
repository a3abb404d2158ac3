//! What every card owes its reader, beyond being readable: `rules check` and the tests demand it.
//!
//! Examples are not run here, for they need a domain's reading; see `cli`.

use super::card::{Basis, Card, Kind, RemedyKind};
use super::domain::Domain;
use super::page::ParsedPage;

/// Shorter explanations than this say nothing; in characters.
const SHORTEST_PROSE: usize = 40;

/// All that is wrong with a page; empty if nothing is.
pub fn problems(domain: &Domain, stem: &str, page: &ParsedPage) -> Vec<String> {
    let mut problems = Vec::new();
    let mut demand = |holds: bool, message: &str| {
        if !holds {
            problems.push(format!("{stem}: {message}"));
        }
    };
    let card = &page.card;
    demand(card.id == stem, "`id` must equal the file's stem");
    demand(is_kebab(&card.id), "`id` must be kebab-case: lower-case letters, digits and single hyphens");
    demand(page.heading == card.title.en, "the heading of the prose must be the English title");
    demand(both(&card.title.en, &card.title.zh), "both titles must be given");
    demand(!card.title.en.ends_with('.'), "titles have no full stop");
    demand(page.prose.en.chars().count() >= SHORTEST_PROSE, "the English explanation is too short to explain");
    demand(page.prose.zh.chars().count() >= SHORTEST_PROSE / 2, "the Chinese explanation is too short to explain");
    demand(!unfinished(page), "something is still marked TODO");
    demand(
        (card.basis == Basis::Documented) == card.interpretation.is_none(),
        "`interpretation` belongs to cards whose basis is derived or ours, and to all of them",
    );
    sources(domain, card, &mut demand);
    fields_of_kind(card, page, &mut demand);
    remedy(domain, card, &mut demand);
    problems
}

fn sources(domain: &Domain, card: &Card, demand: &mut impl FnMut(bool, &str)) {
    demand(!card.source.is_empty(), "at least one source is needed");
    for source in &card.source {
        let known = domain.documents.iter().any(|document| document.id == source.document);
        demand(known, &format!("`{}` is no document of the domain", source.document));
        demand(source.retrieved.parse::<jiff::civil::Date>().is_ok(), "`retrieved` must be a date, YYYY-MM-DD");
        demand(!source.section.trim().is_empty(), "`section` must name a heading");
        demand(source.says.trim().len() >= SHORTEST_PROSE / 2, "`says` must give the statement in your own words");
    }
}

fn fields_of_kind(card: &Card, page: &ParsedPage, demand: &mut impl FnMut(bool, &str)) {
    let kind = card.kind;
    demand((kind == Kind::Class) == card.class.is_some(), "`class` belongs to kind class, and only there");
    demand((kind == Kind::Scenario) == card.scenario.is_some(), "`scenario` belongs to kind scenario, and only there");
    demand((kind == Kind::Limit) == card.limit.is_some(), "`limit` belongs to kind limit, and only there");
    demand((kind == Kind::Step) == card.step.is_some(), "`[step]` belongs to kind step, and only there");
    demand((kind == Kind::Action) != card.effect.is_empty(), "`effect` belongs to kind action, and only there");
    demand(
        kind.has_condition() != card.when.is_empty(),
        "`when` belongs to kinds other than limit and statement, and to all of them",
    );
    demand(
        kind.has_condition() != page.examples.is_empty(),
        "a card with a condition needs examples, and only such a card has them",
    );
    for alternative in &card.when {
        demand(!alternative.all.is_empty(), "each alternative of `when` needs at least one atom in `all`");
        let both = alternative.all.iter().any(|atom| alternative.none.contains(atom));
        demand(!both, "an atom stands both in `all` and in `none`: the alternative can never hold");
    }
}

fn remedy(domain: &Domain, card: &Card, demand: &mut impl FnMut(bool, &str)) {
    let needed = matches!(card.kind, Kind::Class | Kind::Action | Kind::Advisory | Kind::Step);
    let Some(remedy) = &card.remedy else {
        demand(!needed, "a card of this kind needs a `remedy` (kind none says that there is none)");
        return;
    };
    demand(both(&remedy.en, &remedy.zh), "the remedy must be given in both languages");
    let has_command = remedy.command.is_some();
    demand(
        (remedy.kind == RemedyKind::Command) == has_command,
        "`command` belongs to remedies of kind command, and only there",
    );
    for text in [Some(&remedy.en), Some(&remedy.zh), remedy.command.as_ref()].into_iter().flatten() {
        let known = domain.holes.iter().fold(text.clone(), |rest, hole| rest.replace(&format!("{{{hole}}}"), ""));
        demand(!known.contains('{'), &format!("a remedy may have these holes only: {}", domain.holes.join(", ")));
    }
}

fn unfinished(page: &ParsedPage) -> bool {
    let card = &page.card;
    let sources = card.source.iter().flat_map(|source| [&source.section, &source.says]);
    let remedy = card.remedy.iter().flat_map(|remedy| [&remedy.en, &remedy.zh]);
    let texts = [&card.title.en, &card.title.zh, &page.prose.en, &page.prose.zh];
    let mut all = texts.into_iter().chain(&card.interpretation).chain(sources).chain(remedy);
    all.any(|text| text.contains("TODO"))
}

fn both(en: &str, zh: &str) -> bool {
    !en.trim().is_empty() && !zh.trim().is_empty()
}

/// Lower-case letters, digits and single hyphens, beginning with a letter.
pub fn is_kebab(id: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    id.starts_with(|first: char| first.is_ascii_lowercase()) && id.split('-').all(plain)
}
