//! The commands about the rulebook itself: `rules` and `sources`.

use serde_json::json;

use crate::engine::facts::Lang;
use crate::rulebook::compile::nearest;
use crate::rulebook::{Rulebook, lint, render, scaffold};
use crate::write::safe::{json_lines, visible_lines};

use super::args::{self, TextFormat};
use super::exit::Exit;
use super::output::{Ink, write_to};
use super::run::Failure;
use super::{examples, job};

fn load(book: &args::Book) -> Result<(Rulebook, Lang), Failure> {
    let domain = job::domain(&book.domain).map_err(Failure::Usage)?;
    Ok((job::rulebook(domain, book.edition.as_deref(), book.rules.as_ref())?, job::language(book.lang)))
}

pub(super) fn rules_list(command: &args::RulesList) -> Result<Exit, Failure> {
    let (book, lang) = load(&command.book)?;
    let text = match command.format {
        TextFormat::Json => {
            let cards = book.pages.iter().map(|page| {
                let card = &page.card;
                json!({ "id": card.id, "kind": card.kind.name(), "class": card.class, "basis": card.basis.name(), "title": card.title.get(lang), "since": card.since, "until": card.until })
            });
            json_lines(&format!("{:#}\n", json!({ "rulebook": book.name(), "cards": cards.collect::<Vec<_>>() })))
                .into_owned()
        }
        TextFormat::Text => visible_lines(&list_text(&book, lang)),
    };
    write_to(None, Ink::Text, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}

fn list_text(book: &Rulebook, lang: Lang) -> String {
    let width = book.pages.iter().map(|page| page.card.id.len()).max().unwrap_or(0);
    let mut pages: Vec<_> = book.pages.iter().collect();
    pages.sort_by_key(|page| (page.card.kind, page.card.id.clone()));
    let mut text = format!("{} ({} cards)\n", book.name(), pages.len());
    for page in pages {
        let card = &page.card;
        let kind = card.class.as_deref().unwrap_or(card.kind.name());
        text.push_str(&format!(
            "{:width$}  {kind:<23}  {:<10}  {}\n",
            card.id,
            card.basis.name(),
            card.title.get(lang)
        ));
    }
    text
}

pub(super) fn rules_show(command: &args::RulesShow) -> Result<Exit, Failure> {
    let (book, lang) = load(&command.book)?;
    let mut texts = Vec::new();
    for id in &command.ids {
        let ids: Vec<&str> = book.pages.iter().map(|page| page.card.id.as_str()).collect();
        let page =
            book.page(id).ok_or_else(|| Failure::Usage(format!("there is no card `{id}`; {}", nearest(id, &ids))))?;
        texts.push(render::page(&book, page, lang));
    }
    write_to(None, Ink::Text, |out| out.write_all(visible_lines(&texts.join("\n")).as_bytes()))?;
    Ok(Exit::Done)
}

pub(super) fn rules_check(command: &args::RulesCheck) -> Result<Exit, Failure> {
    let (book, _) = load(&command.book)?;
    let mut problems = Vec::new();
    for page in &book.pages {
        problems.extend(lint::problems(book.domain, &page.card.id, page));
        problems.extend(examples::problems(&book, page));
    }
    let verdict = match problems.len() {
        0 => format!("{}: {} cards, nothing to complain about\n", book.name(), book.pages.len()),
        count => format!("{}\n{count} problem(s) in {}\n", problems.join("\n"), book.name()),
    };
    write_to(None, Ink::Text, |out| out.write_all(visible_lines(&verdict).as_bytes()))?;
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Failed })
}

pub(super) fn rules_new(command: &args::RulesNew) -> Result<Exit, Failure> {
    let domain = job::domain(&command.domain).map_err(Failure::Usage)?;
    let page = scaffold::start_page(&command.root, domain.name, domain.default_edition, &command.id)
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let text = format!("{} is started and listed in rules.rs.\nFill it in, then run: cargo test\n", page.display());
    write_to(None, Ink::Text, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}

pub(super) fn sources(command: &args::Sources) -> Result<Exit, Failure> {
    let (book, _) = load(&command.book)?;
    let today = jiff::Zoned::now().date();
    let mut entries = Vec::new();
    for document in book.domain.documents {
        let cites = |page: &&crate::rulebook::page::ParsedPage| {
            page.card.source.iter().any(|source| source.document == document.id)
        };
        let citing: Vec<&str> = book.pages.iter().filter(cites).map(|page| page.card.id.as_str()).collect();
        let all = book.pages.iter().flat_map(|page| &page.card.source).filter(|source| source.document == document.id);
        let read = all.map(|source| source.retrieved.as_str()).min().unwrap_or("");
        let days =
            read.parse::<jiff::civil::Date>().ok().and_then(|read| today.since(read).ok()).map(|span| span.get_days());
        entries.push((document, citing, read, days));
    }
    let text = match command.format {
        TextFormat::Json => {
            let documents = entries.iter().map(|(document, citing, read, days)| {
                json!({ "id": document.id, "title": document.title, "publisher": document.publisher, "dated": document.dated, "url": document.url, "read": read, "age_days": days, "cards": citing })
            });
            json_lines(&format!(
                "{:#}\n",
                json!({ "rulebook": book.name(), "documents": documents.collect::<Vec<_>>() })
            ))
            .into_owned()
        }
        TextFormat::Text => {
            let each = entries.iter().map(|(document, citing, read, days)| {
                let age = days.map(|days| format!(", {days} days ago")).unwrap_or_default();
                format!(
                    "{} — {}\n    {}\n    dated {}, read {read}{age}; cited by {} cards\n",
                    document.id,
                    document.title,
                    document.url,
                    document.dated,
                    citing.len()
                )
            });
            each.collect::<Vec<_>>().join("\n")
        }
    };
    write_to(None, Ink::Text, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}
