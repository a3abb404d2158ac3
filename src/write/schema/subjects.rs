//! What `preflight` and `exchange` write of pairs and requests, and the numbers of classes that every document has.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::pieces::{Advisory, InputNote, Outcome, RulebookUsed, Step};
use super::words::{About, FactNameOf, FactsOf, FormatOf, Pairs, Requests, Texts};
use crate::domains;
use crate::domains::form::{FieldSpec, Form, Of, PART_NAME, Reads, Side};
use crate::write::summary;

/// The document that `preflight --format json` writes.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Preflight")]
pub struct Preflight {
    /// Name and version of the format.
    pub format: FormatOf<Pairs>,
    /// The rulebook that was applied.
    pub rulebook: RulebookUsed<Pairs>,
    /// The numbers; always about all pairs, also with --only.
    pub summary: PairSummary,
    /// The pairs, in the order of the input.
    pub pairs: Vec<Pair>,
}

/// The document that `exchange --format json` writes.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Exchange")]
pub struct Exchange {
    /// Name and version of the format.
    pub format: FormatOf<Requests>,
    /// The rulebook that was applied.
    pub rulebook: RulebookUsed<Requests>,
    /// The numbers; always about all requests, also with --only.
    pub summary: RequestSummary,
    /// The requests, in the order of the input.
    pub requests: Vec<Request>,
}

/// The numbers of pairs.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Summary")]
pub struct PairSummary {
    /// What became of the records.
    pub records: Records,
    /// How many pairs there are.
    pub pairs: u64,
    /// How many pairs there are of each class.
    pub classes: ClassesOf<Pairs>,
    /// What to know about the inputs beside their records.
    pub notes: Vec<InputNote>,
}

/// The numbers of requests.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Summary")]
pub struct RequestSummary {
    /// What became of the records.
    pub records: Records,
    /// How many requests there are.
    pub requests: u64,
    /// How many requests there are of each class.
    pub classes: ClassesOf<Requests>,
    /// What to know about the inputs beside their records.
    pub notes: Vec<InputNote>,
}

/// What became of the records: read = judged + rejected + exact_duplicates + unused_instances.
#[derive(Debug, JsonSchema)]
pub struct Records {
    /// Records read.
    pub read: u64,
    /// Records that say something of a subject.
    pub judged: u64,
    /// Records that could not be used.
    pub rejected: u64,
    /// Records that are the same as one before.
    pub exact_duplicates: u64,
    /// Records about instances that stand in no subject.
    pub unused_instances: u64,
}

/// One pair of instances.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Pair")]
pub struct Pair {
    /// What the pair is called.
    pub title: String,
    /// The instance that is copied; null if it is not known.
    pub source_name: Option<String>,
    /// The instance that is overwritten; null if it is not known.
    pub target_name: Option<String>,
    /// The instance automation operation; null if nobody says it.
    pub operation: Option<String>,
    /// What is said of the pair.
    #[schemars(flatten)]
    pub outcome: Outcome<Pairs>,
    /// What else is known of the pair.
    #[schemars(flatten)]
    pub rest: Rest<Pairs>,
}

/// One key exchange request.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Request")]
pub struct Request {
    /// What the request is called.
    pub title: String,
    /// Its id; null if it has none.
    pub request: Option<String>,
    /// The instance whose keys are wanted; null if it is not known.
    pub source_name: Option<String>,
    /// The instance that gets the keys; null if it is not known.
    pub target_name: Option<String>,
    /// What is said of the request.
    #[schemars(flatten)]
    pub outcome: Outcome<Requests>,
    /// What else is known of the request.
    #[schemars(flatten)]
    pub rest: Rest<Requests>,
    /// The crypto specifications, each with what is said of it.
    pub crypto_specifications: Vec<Specification>,
}

/// What pairs and requests have in common beside the outcome.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Rest", bound = "A: About")]
pub struct Rest<A: About> {
    /// The cards of the best class that fire where another class decides.
    pub overruled: Vec<String>,
    /// Remarks that decide nothing.
    pub advisories: Vec<Advisory>,
    /// What to do, in order; empty where it would carry out what cannot work.
    pub checklist: Vec<Step>,
    /// The facts.
    pub facts: FactsOf<A>,
    /// What the records say, by field.
    pub texts: TextsOf<A>,
    /// Remarks about how the records were read.
    pub notes: Vec<String>,
    /// About what records disagree.
    pub conflicts: Vec<Conflict<A>>,
    /// Where the records stand.
    pub origins: Vec<String>,
    /// Columns that no field takes; only with --keep-columns.
    #[schemars(skip_serializing_if = "Texts::is_none")]
    pub columns: Texts,
}

/// About what records disagree.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Conflict", bound = "A: About")]
pub struct Conflict<A: About> {
    /// The fact.
    pub fact: FactNameOf<A>,
    /// What each place says.
    pub said: String,
}

/// How many subjects there are of each class.
#[derive(Debug)]
pub struct ClassesOf<A>(PhantomData<A>);

/// What the records say of a subject, by field.
#[derive(Debug)]
pub struct TextsOf<A>(PhantomData<A>);

/// A crypto specification of a request.
#[derive(Debug)]
pub struct Specification;

impl<A: About> JsonSchema for ClassesOf<A> {
    fn schema_name() -> Cow<'static, str> {
        "Classes".into()
    }

    /// Made of the numbers of a diagnosis without subjects, so that its members are those of every other.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let domain = A::DOMAIN;
        let noun = domains::form_of(domain).map_or("keys", |form| form.plural);
        let none = summary::classes(domain, &crate::diagnose::Tally::new(domain.classes.len()));
        let count = |name: &str| {
            let about = match name {
                "confirmed" => "Those without open conditions",
                "conditional" => "Those on conditions that are not confirmed yet",
                _ => "All of the class",
            };
            json!({ "description": about, "type": "integer", "minimum": 0 })
        };
        let class = |(name, numbers): (String, Value)| {
            let members: Vec<String> =
                numbers.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
            let properties: Map<String, Value> = members.iter().map(|name| (name.clone(), count(name))).collect();
            let meaning = domain.classes.iter().find(|class| class.name == name);
            let about = meaning.map_or("Facts are missing that decide, or records disagree", |class| &class.meaning.en);
            let schema = json!({
                "description": about, "type": "object", "properties": properties, "required": members,
            });
            (name, schema)
        };
        let classes: Map<String, Value> = summary::classes_json(&none, noun).into_iter().map(class).collect();
        let names: Vec<String> = classes.keys().cloned().collect();
        json_schema!({
            "description": format!("How many {noun} there are of each class"),
            "type": "object",
            "properties": classes,
            "required": names,
        })
    }
}

impl<A: About> JsonSchema for TextsOf<A> {
    fn schema_name() -> Cow<'static, str> {
        "SaidByField".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for field in domains::form_of(A::DOMAIN).map_or(&[][..], |form| form.fields) {
            match field.of {
                Of::Subject(_) => drop(properties.insert(field.name.to_owned(), said(field, None))),
                Of::Side { .. } => {
                    for side in Side::BOTH {
                        let name = |what: &str| format!("{}_{what}", side.name());
                        properties.insert(name(field.name), said(field, Some(side)));
                        if matches!(field.reads, Reads::OfModules(..)) {
                            properties.insert(name("modules"), modules(side));
                        }
                    }
                }
                Of::Part => {}
            }
        }
        json_schema!({
            "description": "What the records say, by field; what follows from it and has no field stands here, too",
            "type": "object",
            "properties": properties,
            "additionalProperties": { "description": "A text that follows from others", "type": "string" },
        })
    }
}

impl JsonSchema for Specification {
    fn schema_name() -> Cow<'static, str> {
        "CryptoSpecification".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let form: &Form = &domains::exchange::fields::REQUESTS;
        let parts = form.fields.iter().filter(|field| field.of == Of::Part);
        let name = (PART_NAME.to_owned(), json!({ "description": "Its name", "type": "string" }));
        let each = parts.map(|field| (field.name.to_owned(), said(field, None)));
        json_schema!({
            "description": "A crypto specification, with what is said of it",
            "type": "object",
            "properties": std::iter::once(name).chain(each).collect::<Map<_, _>>(),
        })
    }
}

/// The text of a field; all of them, if records say several.
fn said(field: &FieldSpec, side: Option<Side>) -> Value {
    let of = side.map(|side| format!(" of the {}", side.name())).unwrap_or_default();
    json!({ "description": format!("What is said of {}{of}", field.name), "type": "string" })
}

fn modules(side: Side) -> Value {
    json!({
        "description": format!("What is said of each crypto module of the {}; ? if nobody knows", side.name()),
        "type": "object",
        "additionalProperties": { "description": "Who wraps its keys", "type": "string" },
    })
}
