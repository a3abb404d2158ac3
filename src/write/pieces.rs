//! The outcome of one combination of facts as JSON, the same for every kind of subject.

use serde_json::{Value, json};

use crate::diagnose::ShapeOutcome;
use crate::engine::facts::{FactId, Facts, Grade, Lang};
use crate::engine::outcome::Fired;
use crate::rulebook::Rulebook;
use crate::rulebook::card::{Card, Remedy, Source};

use super::safe::json_string;
use super::words;

/// Makes JSON of outcomes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces<'b> {
    /// The rulebook that was applied.
    pub(crate) book: &'b Rulebook,
    /// The language of texts.
    pub(crate) lang: Lang,
}

impl Pieces<'_> {
    fn source(&self, source: &Source) -> Value {
        let documents = self.book.domain.documents;
        let url = documents.iter().find(|document| document.id == source.document).map(|document| document.url);
        json!({ "document": source.document, "section": source.section, "retrieved": source.retrieved, "url": url })
    }

    fn remedy(&self, remedy: Option<&Remedy>) -> Value {
        remedy.map_or(
            Value::Null,
            |remedy| json!({ "kind": remedy.kind.name(), "text": remedy.get(self.lang), "command": remedy.command }),
        )
    }

    pub(crate) fn finding(&self, outcome: &ShapeOutcome, fired: Fired) -> Value {
        let card: &Card = self.book.card(fired.card);
        json!({
            "rule": card.id,
            "class": card.class,
            "decides": fired.decides,
            "basis": card.basis.name(),
            "because": words::because(self.book, outcome, fired, self.lang),
            "source": card.source.iter().map(|source| self.source(source)).collect::<Vec<_>>(),
            "remedy": self.remedy(card.remedy.as_ref()),
        })
    }

    fn condition(&self, outcome: &ShapeOutcome, fact: FactId) -> Value {
        let spec = &self.book.facts[fact.index()];
        let inferred = outcome.facts.grade(fact) == Grade::Inferred;
        let presumed = spec.presumption.as_ref().map(|presumption| presumption.value);
        json!({
            "fact": spec.name,
            "kind": if inferred { "inferred" } else { "presumed" },
            "value": if inferred { Some(spec.show(outcome.facts.get(fact))) } else { presumed.map(str::to_owned) },
            "confirm": words::condition(self.book, outcome, fact, self.lang),
            "columns": spec.settle.columns,
            "command": command(spec.settle.command),
        })
    }

    fn gap(&self, outcome: &ShapeOutcome, fact: FactId) -> Value {
        let spec = &self.book.facts[fact.index()];
        json!({
            "fact": spec.name,
            "kind": outcome.facts.grade(fact).name(),
            "settle": words::gap(self.book, outcome, fact, self.lang),
            "columns": spec.settle.columns,
            "command": command(spec.settle.command),
        })
    }

    /// An advisory; `fill` fills the holes of its command.
    pub(crate) fn advisory(&self, card: u16, fill: &dyn Fn(&str) -> String) -> Value {
        let card = self.book.card(card);
        let mut remedy = self.remedy(card.remedy.as_ref());
        if let Some(Value::String(command)) = remedy.get_mut("command") {
            *command = fill(command);
        }
        json!({ "rule": card.id, "says": card.title.get(self.lang), "remedy": remedy })
    }

    /// One step of a checklist.
    pub(crate) fn step(&self, card: u16, certain: bool) -> Value {
        let card = self.book.card(card);
        json!({
            "step": card.id,
            "side": card.step.as_ref().map(|step| step.side.name()),
            "applies": if certain { "yes" } else { "depends" },
            "title": card.title.get(self.lang),
            "do": self.remedy(card.remedy.as_ref()),
            "source": card.source.iter().map(|source| self.source(source)).collect::<Vec<_>>(),
        })
    }

    /// Each known fact, and those in conflict; those that were inferred with the reason.
    pub(crate) fn facts(&self, facts: &Facts, outcome: &ShapeOutcome) -> Value {
        let each = self.book.facts.iter().enumerate().filter_map(|(index, spec)| {
            let fact = FactId(index as u8);
            let value = (facts.knows(fact)).then(|| spec.show(facts.get(fact)));
            let grade = facts.grade(fact);
            let mut known = json!({ "value": value, "grade": grade.name() });
            if grade == Grade::Inferred {
                known["because"] = json!(words::inferred_from(self.book, outcome, fact, self.lang));
            }
            (grade != Grade::Unknown).then(|| (spec.name.to_string(), known))
        });
        Value::Object(each.collect())
    }

    /// The members from `class` to `rulebook`.
    pub(crate) fn members(&self, outcome: &ShapeOutcome) -> [(&'static str, Value); 10] {
        let book = self.book;
        let scenario = Some(outcome.scenario.show()).filter(|scenario| !scenario.is_empty());
        let unlocks: Vec<Vec<&str>> =
            words::unlocks(book, outcome).map(|set| set.iter().map(|card| card.id.as_str()).collect()).collect();
        [
            ("class", json!(book.verdict_name(outcome.class))),
            ("confirmed", json!(outcome.confirmed)),
            ("scenario", json!(scenario)),
            ("findings", outcome.findings().map(|fired| self.finding(outcome, fired)).collect()),
            ("conditions", outcome.conditions().map(|fact| self.condition(outcome, fact)).collect()),
            ("gaps", outcome.gaps().map(|fact| self.gap(outcome, fact)).collect()),
            ("possible", json!(words::possible(book, outcome))),
            ("unlocks", json!(unlocks)),
            (
                "assumed",
                Value::Object(
                    words::assumed(book, outcome).into_iter().map(|(fact, value)| (fact, json!(value))).collect(),
                ),
            ),
            ("rulebook", json!(book.name())),
        ]
    }
}

fn command(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Writes a value so that nothing in it acts on a terminal.
pub(crate) fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => json_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                json_string(name, out);
                out.push(b':');
                write_value(value, out);
            }
            out.push(b'}');
        }
        plain => out.extend_from_slice(plain.to_string().as_bytes()),
    }
}
