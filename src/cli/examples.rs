//! Runs the examples of cards through the same reading as a user's file.

use jiff::Timestamp;

use crate::cases::ask_user_columns;
use crate::cases::assemble::alone;
use crate::domains;
use crate::domains::form::{Context, Form};
use crate::engine::facts::Facts;
use crate::engine::judge::{Rule, Standing, values_of};
use crate::inventory::record::Extra;
use crate::inventory::survey::Key;
use crate::read::{Format, ReadError};
use crate::rulebook::Rulebook;
use crate::rulebook::page::ParsedPage;

use super::job::{gather_bytes, survey_bytes};

/// All that is wrong with the examples of a page; empty if nothing is.
pub fn problems(book: &Rulebook, page: &ParsedPage) -> Vec<String> {
    let id = &page.card.id;
    if page.examples.is_empty() {
        return Vec::new();
    }
    let told = match domains::form_of(book.domain) {
        Some(form) => told_by_form(form, book, page),
        None => told_by_keys(book, page),
    };
    let (examples, mut problems) = match told {
        Ok(told) => told,
        Err(error) => return vec![format!("{id}: the examples cannot be read: {error}")],
    };
    let Some(rule) = rule_of(book, id) else { return problems };
    let mut seen = Vec::new();
    for example in examples {
        let mut facts = example.facts;
        (book.domain.derive)(&mut facts);
        let stands = match book.program.standing(&rule.when, &values_of(&facts)) {
            Standing::Fires => "fires",
            Standing::Silent => "silent",
            Standing::Undetermined => "undetermined",
        };
        if example.expected != stands {
            let (name, expected) = (&example.name, &example.expected);
            problems
                .push(format!("{id}, line {}: `{name}` is expected to be {expected}, but is {stands}", example.line));
        }
        seen.push(example.expected);
    }
    for needed in needed_examples(book, rule) {
        if !seen.iter().any(|expected| expected == needed) {
            problems.push(format!("{id}: no example is {needed}"));
        }
    }
    problems
}

/// The standings that a card's examples have to show: all that it can have.
fn needed_examples(book: &Rulebook, rule: &Rule) -> Vec<&'static str> {
    let mut nothing = Facts::unknown();
    let always = book.program.standing(&rule.when, &values_of(&nothing)) == Standing::Fires;
    (book.domain.derive)(&mut nothing);
    // Facts that follow even from nothing are never unknown.
    let open = book.program.unknown_fact(&rule.when, &values_of(&nothing)).is_some();
    match (always, open) {
        (true, _) => vec!["fires"],
        (false, true) => vec!["fires", "silent", "undetermined"],
        (false, false) => vec!["fires", "silent"],
    }
}

/// One example of a card.
struct Example {
    name: String,
    line: u64,
    facts: Facts,
    expected: String,
}

type Told = (Vec<Example>, Vec<String>);

fn told_by_keys(book: &Rulebook, page: &ParsedPage) -> Result<Told, ReadError> {
    let id = &page.card.id;
    let survey = survey_bytes(id, page.examples.as_bytes(), Some(Format::Csv), book)?;
    let line = |line: u64| page.examples_line + line - 1;
    let mut problems: Vec<String> = Vec::new();
    for reject in survey.rejects() {
        let line = line(reject.place.line);
        problems.push(format!("{id}, line {line}: the example is rejected: {}", reject.reason));
    }
    let Some((number, _)) = survey.unused_columns().into_iter().find(|(_, name)| *name == "expect") else {
        problems.push(format!("{id}: the examples need a column `expect`"));
        return Ok((Vec::new(), problems));
    };
    let example = |key: Key<'_>| Example {
        name: key.key_id().to_owned(),
        line: key.places().next().map_or(0, |place| line(place.line)),
        facts: survey.shapes()[key.shape as usize].overlaid(key.aside()),
        expected: key.texts(Extra::Column(number)).join(" "),
    };
    Ok((survey.keys().map(example).collect(), problems))
}

fn told_by_form(form: &'static Form, book: &Rulebook, page: &ParsedPage) -> Result<Told, ReadError> {
    let id = &page.card.id;
    let gathered = gather_bytes(form, id, page.examples.as_bytes(), Some(Format::Csv))?;
    let mut problems: Vec<String> = Vec::new();
    for reject in gathered.rejects.by_place() {
        let line = page.examples_line + reject.place.line - 1;
        problems.push(format!("{id}, line {line}: the example is rejected: {}", reject.reason));
    }
    let context = Context { now: Timestamp::now(), ..Context::default() };
    let mut examples = Vec::new();
    for record in &gathered.records {
        let (mut draft, line) = match alone(form, &context, record) {
            Ok(draft) => (draft, record.line + page.examples_line - 1),
            Err(error) => {
                problems.push(format!("{id}: {error}"));
                continue;
            }
        };
        let expected = draft.others.iter().find(|(name, _)| name == "expect").map(|(_, cell)| cell.clone());
        ask_user_columns(book, &mut draft);
        match expected {
            Some(expected) => examples.push(Example { name: (form.title)(&draft), line, facts: draft.facts, expected }),
            None => problems.push(format!("{id}, line {line}: the example says nothing in a column `expect`")),
        }
    }
    Ok((examples, problems))
}

fn rule_of<'b>(book: &'b Rulebook, id: &str) -> Option<&'b Rule> {
    book.program.rules.iter().find(|rule| book.card(rule.card).id == id)
}
