//! Runs the examples of cards through the same reading as a user's file.

use crate::engine::judge::{Standing, values_of};
use crate::inventory::record::Extra;
use crate::read::Format;
use crate::rulebook::Rulebook;
use crate::rulebook::page::ParsedPage;

use super::job::survey_bytes;

/// All that is wrong with the examples of a page; empty if nothing is.
pub fn problems(book: &Rulebook, page: &ParsedPage) -> Vec<String> {
    let id = &page.card.id;
    if page.examples.is_empty() {
        return Vec::new();
    }
    let survey = match survey_bytes(id, page.examples.as_bytes(), Some(Format::Csv), book) {
        Ok(survey) => survey,
        Err(error) => return vec![format!("{id}: the examples cannot be read: {error}")],
    };
    let mut problems: Vec<String> = Vec::new();
    for reject in survey.rejects() {
        let line = page.examples_line + reject.place.line - 1;
        problems.push(format!("{id}, line {line}: the example is rejected: {}", reject.reason));
    }
    let expect = survey.unused_columns().into_iter().find(|(_, name)| *name == "expect");
    let (Some((number, _)), Some(rule)) = (expect, rule_of(book, id)) else {
        problems.push(format!("{id}: the examples need a column `expect`"));
        return problems;
    };
    let mut seen = Vec::new();
    for key in survey.keys() {
        let mut facts = survey.shapes()[key.shape as usize].overlaid(key.aside());
        (book.domain.derive)(&mut facts);
        let stands = match book.program.standing(&rule.when, &values_of(&facts)) {
            Standing::Fires => "fires",
            Standing::Silent => "silent",
            Standing::Undetermined => "undetermined",
        };
        let expected = key.texts(Extra::Column(number)).join(" ");
        seen.push(expected.clone());
        if expected != stands {
            let line = page.examples_line + key.places().next().map_or(0, |place| place.line - 1);
            problems
                .push(format!("{id}, line {line}: `{}` is expected to be {expected}, but is {stands}", key.key_id()));
        }
    }
    for needed in ["fires", "silent", "undetermined"] {
        if !seen.iter().any(|expected| expected == needed) {
            problems.push(format!("{id}: no example is {needed}"));
        }
    }
    problems
}

fn rule_of<'b>(book: &'b Rulebook, id: &str) -> Option<&'b crate::engine::judge::Rule> {
    book.program.rules.iter().find(|rule| book.card(rule.card).id == id)
}
