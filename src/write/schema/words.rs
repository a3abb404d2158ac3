//! Closed sets: classes, facts and their values, editions. They come from the domains, so that a new one needs no change
//! here.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::domains;
use crate::domains::cmk::CMK;
use crate::domains::ekms::EKMS;
use crate::domains::exchange::EXCHANGE;
use crate::engine::facts::{Arity, FactId, FactSpec, Grade};
use crate::rulebook::domain::ClassSpec;
use crate::rulebook::{Domain, Rulebook};

/// What a document is about. A document is about one domain, so its definitions need not name it.
pub trait About: 'static {
    /// The domain.
    const DOMAIN: &'static Domain;
    /// The name and version of the format of the whole document.
    fn format() -> String;
}

/// Keys.
#[derive(Debug)]
pub struct Keys;

/// Pairs of instances.
#[derive(Debug)]
pub struct Pairs;

/// Key exchange requests.
#[derive(Debug)]
pub struct Requests;

impl About for Keys {
    const DOMAIN: &'static Domain = &CMK;
    fn format() -> String {
        crate::write::json::FORMAT.to_owned()
    }
}

impl About for Pairs {
    const DOMAIN: &'static Domain = &EKMS;
    fn format() -> String {
        crate::write::cases::json::format(&domains::ekms::fields::PAIRS)
    }
}

impl About for Requests {
    const DOMAIN: &'static Domain = &EXCHANGE;
    fn format() -> String {
        crate::write::cases::json::format(&domains::exchange::fields::REQUESTS)
    }
}

/// The class of what nobody can tell.
const UNDETERMINED: &str = "undetermined";

/// What stands among the possible classes where no card may speak of a subject.
const NOT_COVERED: &str = "not-covered";

/// The name and version of a format.
#[derive(Debug)]
pub struct FormatOf<A>(PhantomData<A>);

/// A class, or `undetermined`.
#[derive(Debug)]
pub struct ClassOf<A>(PhantomData<A>);

/// A class that a card names.
#[derive(Debug)]
pub struct CardClassOf<A>(PhantomData<A>);

/// A class that can still come out.
#[derive(Debug)]
pub struct PossibleClassOf<A>(PhantomData<A>);

/// The class of a card of any domain.
#[derive(Debug)]
pub struct AnyClass;

/// The name of a domain.
#[derive(Debug)]
pub struct DomainName<A>(PhantomData<A>);

/// The name of an edition.
#[derive(Debug)]
pub struct EditionOf<A>(PhantomData<A>);

/// Domain, edition and digest of a rulebook.
#[derive(Debug)]
pub struct RulebookName<A>(PhantomData<A>);

/// The same of any domain.
#[derive(Debug)]
pub struct AnyRulebookName;

/// The name of a fact.
#[derive(Debug)]
pub struct FactNameOf<A>(PhantomData<A>);

/// Every fact with its value and its grade.
#[derive(Debug)]
pub struct FactsOf<A>(PhantomData<A>);

/// How many subjects know each fact by which grade.
#[derive(Debug)]
pub struct GradesOf<A>(PhantomData<A>);

/// What was assumed, by fact.
#[derive(Debug)]
pub struct AssumedOf<A>(PhantomData<A>);

/// Texts by name.
#[derive(Debug)]
pub struct Texts;

/// Gives a type the name of its definition and its schema.
macro_rules! schema_of {
    ($type:ident $(<$about:ident>)?, $name:literal, $make:expr) => {
        impl $(<$about: About>)? JsonSchema for $type $(<$about>)? {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                #[allow(clippy::redundant_closure_call, reason = "the closure is how the schema is handed over")]
                ($make)(generator)
            }
        }
    };
}

schema_of!(FormatOf<A>, "Format", |_: &mut SchemaGenerator| {
    json_schema!({
        "description": "Name and version of the format. Within a version, members are only ever added",
        "const": A::format(),
    })
});

schema_of!(ClassOf<A>, "Class", |_: &mut SchemaGenerator| {
    let mut classes = described(A::DOMAIN.classes);
    if !A::DOMAIN.classes.iter().any(|class| class.name == UNDETERMINED) {
        classes.push(described_word(UNDETERMINED, "Facts are missing that decide, or records disagree"));
    }
    json_schema!({ "description": "The class", "oneOf": classes })
});

schema_of!(CardClassOf<A>, "CardClass", |_: &mut SchemaGenerator| {
    json_schema!({ "description": "The class that a card names", "oneOf": described(A::DOMAIN.classes) })
});

schema_of!(PossibleClassOf<A>, "PossibleClass", |_: &mut SchemaGenerator| {
    let mut classes = described(A::DOMAIN.classes);
    classes.push(described_word(NOT_COVERED, "No card of the rulebook speaks of such a subject"));
    json_schema!({ "description": "A class that can still come out", "oneOf": classes })
});

schema_of!(AnyClass, "Class", |_: &mut SchemaGenerator| {
    let each = domains::ALL.iter().flat_map(|domain| domain.classes);
    let mut names: Vec<&str> = Vec::new();
    for class in each {
        if !names.contains(&class.name) {
            names.push(class.name);
        }
    }
    json_schema!({ "description": "The class of a card, in its domain", "enum": names })
});

schema_of!(DomainName<A>, "Domain", |_: &mut SchemaGenerator| {
    json_schema!({ "description": "The domain", "const": A::DOMAIN.name })
});

schema_of!(EditionOf<A>, "Edition", |_: &mut SchemaGenerator| {
    let each = A::DOMAIN.editions.iter().map(|edition| described_word(edition.name, &edition.about.en));
    json_schema!({ "description": "The edition of the rulebook", "oneOf": each.collect::<Vec<_>>() })
});

schema_of!(RulebookName<A>, "RulebookName", |_: &mut SchemaGenerator| rulebook_name(&[A::DOMAIN]));

schema_of!(AnyRulebookName, "RulebookName", |_: &mut SchemaGenerator| rulebook_name(&domains::ALL));

schema_of!(FactNameOf<A>, "FactName", |_: &mut SchemaGenerator| {
    let names = A::DOMAIN.facts.iter().map(|spec| described_word(&spec.name, &spec.label.en));
    let of_user = json!({ "description": USER_FACT, "type": "string", "pattern": USER_FACT_PATTERN });
    json_schema!({
        "description": "The name of a fact",
        "oneOf": names.chain([of_user]).collect::<Vec<_>>(),
    })
});

schema_of!(FactsOf<A>, "Facts", |generator: &mut SchemaGenerator| {
    let grade = generator.subschema_for::<Known>();
    let fact = |description: &str, value: Value| {
        json!({
            "description": description,
            "type": "object",
            "properties": {
                "value": value,
                "grade": grade,
                "because": { "description": "From what it is inferred; only if it is", "type": "string" },
            },
            "required": ["value", "grade"],
        })
    };
    let each = A::DOMAIN.facts.iter().map(|spec| (spec.name.to_string(), fact(&spec.label.en, value_of(spec))));
    let of_user = json!({ "description": "Whether the column says so; null in conflict", "enum": ["no", "yes", null] });
    json_schema!({
        "description": "The facts that are known, and those about which records disagree",
        "type": "object",
        "properties": each.collect::<Map<_, _>>(),
        "patternProperties": { USER_FACT_PATTERN: fact(USER_FACT, of_user) },
    })
});

schema_of!(GradesOf<A>, "Grades", |generator: &mut SchemaGenerator| {
    let all = Grade::json_schema(generator);
    let each = all.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let count = |grade: &Value| {
        let name = grade.get("const").and_then(Value::as_str).unwrap_or_default().to_owned();
        (name, json!({ "description": grade.get("description"), "type": "integer", "minimum": 0 }))
    };
    let counts: Map<String, Value> = each.iter().map(count).collect();
    let required: Vec<&str> = Grade::ALL.into_iter().map(Grade::name).collect();
    let of_fact = |description: &str| json!({ "description": description, "type": "object", "properties": counts, "required": required });
    let asides = Rulebook::load(A::DOMAIN, None, None).map_or(0, |book| book.asides());
    let judged = (0..).zip(A::DOMAIN.facts).filter(|(index, _)| asides & FactId(*index).bit() == 0);
    let facts: Map<String, Value> = judged.map(|(_, spec)| (spec.name.to_string(), of_fact(&spec.label.en))).collect();
    json_schema!({
        "description": "How many subjects know each fact that verdicts depend on by which grade",
        "type": "object",
        "required": facts.keys().collect::<Vec<_>>(),
        "properties": facts,
        "patternProperties": { USER_FACT_PATTERN: of_fact(USER_FACT) },
    })
});

schema_of!(AssumedOf<A>, "Assumed", |_: &mut SchemaGenerator| {
    let each = A::DOMAIN.facts.iter().map(|spec| {
        let mut value = value_text(spec);
        value.insert("description".to_owned(), json!(spec.label.en));
        (spec.name.to_string(), Value::Object(value))
    });
    json_schema!({
        "description": "What --assume filled in where nobody knew, by fact",
        "type": "object",
        "properties": each.collect::<Map<_, _>>(),
        "patternProperties": { USER_FACT_PATTERN: { "description": USER_FACT, "type": "string" } },
    })
});

schema_of!(Texts, "Texts", |_: &mut SchemaGenerator| {
    json_schema!({
        "description": "Texts by name",
        "type": "object",
        "additionalProperties": { "description": "The text", "type": "string" },
    })
});

/// A grade that a fact in an output can have.
struct Known;

schema_of!(Known, "FactGrade", |generator: &mut SchemaGenerator| {
    let all = Grade::json_schema(generator);
    let each = all.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let unknown = json!(Grade::Unknown.name());
    let known: Vec<Value> = each.into_iter().filter(|grade| grade.get("const") != Some(&unknown)).collect();
    json_schema!({ "description": "How the fact came to be known", "oneOf": known })
});

/// The facts that atoms of the user's own bring along.
const USER_FACT: &str = "A fact that an atom of your own reads from a column";
const USER_FACT_PATTERN: &str = "^column:";

fn described(classes: &[ClassSpec]) -> Vec<Value> {
    classes.iter().map(|class| described_word(class.name, &class.meaning.en)).collect()
}

/// One word of a closed set.
fn described_word(word: &str, description: &str) -> Value {
    json!({ "description": description, "type": "string", "const": word })
}

/// The value of a fact in an output; null where records disagree.
fn value_of(spec: &FactSpec) -> Value {
    let mut value = value_text(spec);
    match value.get_mut("enum").and_then(Value::as_array_mut) {
        Some(values) => values.push(Value::Null),
        None => {
            value.insert("type".to_owned(), json!(["string", "null"]));
        }
    }
    value.insert("description".to_owned(), json!("The value; null where records disagree"));
    Value::Object(value)
}

/// The value of a fact as a text: one of its values, or several of them.
fn value_text(spec: &FactSpec) -> Map<String, Value> {
    let values: Vec<&str> = spec.values.to_vec();
    let schema = match spec.arity {
        Arity::One => json!({ "enum": values }),
        Arity::Set { .. } => {
            let one_of = format!("(?:{})", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join("|"));
            json!({ "type": "string", "pattern": format!("^{one_of}(?:, {one_of})*$") })
        }
    };
    match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A text as a pattern that matches it alone.
fn quoted(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '_' | '#') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn rulebook_name(of: &[&Domain]) -> Schema {
    let named = |domain: &&Domain| {
        let editions: Vec<String> = domain.editions.iter().map(|edition| quoted(edition.name)).collect();
        format!("{}/(?:{})", quoted(domain.name), editions.join("|"))
    };
    let each: Vec<String> = of.iter().map(named).collect();
    json_schema!({
        "description": "The rulebook that was applied: domain/edition@digest",
        "type": "string",
        "pattern": format!("^(?:{})@[0-9a-f]{{12}}$", each.join("|")),
    })
}
