//! What the program reads as JSON, field by field, from the domains' own tables.
//!
//! These schemas help to write inputs: whatever the program reads is valid, but not everything that is valid can be
//! used. Values are named as editors can offer them; other words for them are understood as well.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::domains::cmk::CMK;
use crate::domains::cmk::fields::{FIELDS, Field};
use crate::domains::ekms::fields::PAIRS;
use crate::domains::exchange::fields::REQUESTS;
use crate::domains::form::{self, Form, Of, PART_NAME, Reads, Side};
use crate::engine::facts::FactSpec;
use crate::read::json::WRAPPERS;

/// Keys.
#[derive(Debug)]
pub struct Inventory;

/// Pairs of instances.
#[derive(Debug)]
pub struct PairList;

/// Instances, of which pairs are made, or that requests name.
#[derive(Debug)]
pub struct InstanceList;

/// Key exchange requests.
#[derive(Debug)]
pub struct RequestList;

/// One key.
struct Key;

/// One pair.
struct Pair;

/// One instance.
struct Instance;

/// One request.
struct Request;

/// One crypto specification of a request.
struct Specification;

macro_rules! schema_of {
    ($type:ident, $name:literal, $make:path) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                $make(generator)
            }
        }
    };
}

schema_of!(Inventory, "Inventory", list_of::<Key>);
schema_of!(PairList, "Pairs", list_of::<Pair>);
schema_of!(InstanceList, "Instances", list_of::<Instance>);
schema_of!(RequestList, "Requests", list_of::<Request>);
schema_of!(Key, "Key", key);
schema_of!(Pair, "Pair", pair);
schema_of!(Instance, "Instance", instance);
schema_of!(Request, "Request", request);
schema_of!(Specification, "CryptoSpecification", specification);

/// An array of records, an object that wraps one, or one record, as JSON Lines have them.
fn list_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let record = generator.subschema_for::<T>();
    let names: Vec<Cow<'_, str>> = WRAPPERS.iter().map(|name| String::from_utf8_lossy(name)).collect();
    let wraps = |name: &Cow<'_, str>| {
        let list = json!({ "type": "array", "contains": { "type": "object" } });
        json!({ "required": [name], "properties": { name.as_ref(): list } })
    };
    let list = json!({ "description": "The records", "type": "array", "items": record });
    let properties: Map<String, Value> = names
        .iter()
        .map(|name| {
            (name.to_string(), json!({ "if": { "type": "array", "contains": { "type": "object" } }, "then": list }))
        })
        .collect();
    json_schema!({
        "description": "An array of records; or an object that wraps one; or one record. Names of members are compared without case, blanks, `-`, `_` and `.`; members that are not known are left out, and told. Null and words such as N/A mean that nobody knows",
        "type": ["array", "object"],
        "items": record,
        "if": { "anyOf": names.iter().map(wraps).collect::<Vec<_>>() },
        "then": { "properties": properties },
        "else": { "if": { "type": "object" }, "then": record },
    })
}

/// The JSON types of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// One value.
    One,
    /// One value, also as the only element of a list.
    OneAsList,
    /// Any number of values: a list, or a text in which they are separated.
    Many,
    /// Whatever stands there.
    Anything,
}

/// The schema of a value; `words` are those that an editor may offer.
fn value(description: &str, takes: Takes, words: &[&str]) -> Value {
    let plain = json!(["string", "number", "boolean", "null"]);
    let one = match words {
        [] => json!({ "type": plain }),
        words => json!({ "anyOf": [{ "enum": words }, { "type": plain }] }),
    };
    let mut schema = match takes {
        Takes::Anything => json!({}),
        Takes::One => one,
        Takes::OneAsList => json!({ "anyOf": [one, { "type": "array", "items": one, "maxItems": 1 }] }),
        Takes::Many => json!({ "anyOf": [one, { "type": "array", "items": one }] }),
    };
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), json!(description));
    }
    schema
}

fn object(description: &str, properties: Map<String, Value>) -> Schema {
    json_schema!({ "description": description, "type": "object", "properties": properties })
}

/// `about; or: spelling, spelling`.
fn with_spellings<'s>(about: &str, spellings: impl IntoIterator<Item = &'s str>) -> String {
    let spellings: Vec<&str> = spellings.into_iter().filter(|spelling| !spelling.is_empty()).collect();
    match spellings.as_slice() {
        [] => about.to_owned(),
        spellings => format!("{about}. Other spellings: {}", spellings.join(", ")),
    }
}

fn key(_: &mut SchemaGenerator) -> Schema {
    let each = FIELDS.iter().map(|spec| {
        let label = spec.fact.map_or("", |fact| &CMK.facts[fact.index()].label.en);
        let (about, takes, words) = of_key(spec.field, label, spec.fact.map(|fact| &CMK.facts[fact.index()]));
        (spec.name.to_owned(), value(&with_spellings(&about, spec.spellings.iter().copied()), takes, &words))
    });
    object("One key; a key_id or an arn is needed", each.collect())
}

/// What a field says, what JSON it takes, and the words for its values.
fn of_key(field: Field, label: &str, fact: Option<&'static FactSpec>) -> (String, Takes, Vec<&'static str>) {
    let values = || fact.map_or_else(Vec::new, |fact| fact.values.to_vec());
    let text = |about: &str, takes| (about.to_owned(), takes, Vec::new());
    match field {
        Field::KeyId => text("The id of the key, or its ARN", Takes::One),
        Field::Arn => text("The ARN: gives account, region and id", Takes::One),
        Field::AccountId => text("The account", Takes::One),
        Field::Region => text("The region, such as cn-hangzhou", Takes::One),
        Field::Aliases => text("All aliases of the key, such as alias/orders; [] if it has none", Takes::Many),
        Field::Instance => {
            ("The KMS instance: default, or the id of an instance (kst-…)".to_owned(), Takes::One, vec!["default"])
        }
        Field::Versions => text("The number of key versions, or the list of their ids", Takes::Many),
        Field::MultipleVersions => text("Whether the key has several versions: yes or no", Takes::One),
        Field::InVpc => text("Whether its applications run in a VPC, or in which: yes, no, vpc-…", Takes::Many),
        Field::Operations => {
            text("The API operations that applications use, with or without `kms:`; [] if none", Takes::Many)
        }
        Field::Usage | Field::Languages | Field::Network => {
            (format!("The {label}; [] if known to be none"), Takes::Many, values())
        }
        Field::Resource
        | Field::ManagerType
        | Field::Origin
        | Field::Rotation
        | Field::State
        | Field::KeySpec
        | Field::KeyUsage
        | Field::ServiceUse
        | Field::ProtectionLevel => (format!("The {label}"), Takes::One, values()),
        Field::RotationInterval => text("How often it rotates, in days or seconds: 365d, 31536000s", Takes::One),
        Field::NextRotation => text("When it rotates next: 2026-12-20T06:34:21Z or 2026-12-20 (UTC)", Takes::One),
        Field::Created => text("When it was created: 2026-12-20T06:34:21Z or 2026-12-20 (UTC)", Takes::One),
        Field::LastRotation => text("When it was last rotated, or created if it never was", Takes::One),
        Field::PrimaryVersion => text("The id of its primary version; symmetric keys have one", Takes::One),
        Field::KeyVersionId => text("The id of one of its versions, where each record is about one", Takes::Anything),
        Field::KeyType => text("Who manages the key, or its spec, as lists made by hand have it", Takes::Anything),
        Field::Creator => text("Who created it; a word for service keys counts", Takes::Anything),
        Field::TerraformAddress => text("Its address in Terraform; kept", Takes::Anything),
        Field::Services => text("The cloud services that use it; kept", Takes::Many),
        Field::Applications => text("The applications that use it; kept", Takes::Many),
        Field::Owner => text("Who owns it; kept", Takes::Many),
        Field::MigrationWindow => text("When it may be migrated; kept for the ticket", Takes::Anything),
        Field::Description => text("A description; not used", Takes::Anything),
        Field::Tags => text("Tags; not used", Takes::Anything),
    }
}

/// The members of a form's fields of which `wanted` gives a name.
fn of_form(
    form: &'static Form,
    wanted: impl Fn(&form::FieldSpec) -> Vec<(String, Option<Side>)>,
) -> Map<String, Value> {
    let mut properties = Map::new();
    for field in form.fields {
        for (name, side) in wanted(field) {
            properties.insert(name, of_field(form, field, side));
        }
    }
    properties
}

fn of_field(form: &'static Form, field: &form::FieldSpec, side: Option<Side>) -> Value {
    let fact =
        field.of.fact(side).or_else(|| field.of.fact(Some(Side::Source))).map(|fact| &form.domain.facts[fact.index()]);
    let label = match (fact, side) {
        (Some(fact), None) if matches!(field.of, Of::Subject(_)) => fact.label.en.to_string(),
        _ => field.name.replace('_', " "),
    };
    let mut words: Vec<&str> = fact.map_or_else(Vec::new, |fact| fact.values.to_vec());
    let (takes, about) = match field.reads {
        Reads::Choice(more) | Reads::Label(more, _) | Reads::Presence(more) | Reads::OfModules(more, _) => {
            for (_, word) in more {
                if !words.contains(word) {
                    words.push(word);
                }
            }
            match field.reads {
                Reads::OfModules(..) => (Takes::Anything, ", of the instance or of each crypto module"),
                Reads::Presence(_) => (Takes::OneAsList, ": yes or no, or a name, which is a yes"),
                _ => (Takes::OneAsList, ""),
            }
        }
        Reads::Text(_) => (Takes::OneAsList, ""),
        Reads::Time => (Takes::OneAsList, ": 2026-11-21T08:30:00Z; without a zone it is UTC"),
        Reads::Texts if field.name == form.parts => (Takes::Anything, ""),
        Reads::Texts => (Takes::Many, ""),
    };
    let of = side.map(|side| format!(" of the {}", side.name())).unwrap_or_default();
    let about = with_spellings(&format!("The {label}{of}{about}"), field.also.iter().copied());
    match field.reads {
        Reads::OfModules(..) => of_modules(&about, &words),
        _ => value(&about, takes, &words),
    }
}

/// What is said of an instance, or of each of its modules: `module=word`, or an object.
fn of_modules(about: &str, words: &[&str]) -> Value {
    let one = value(about, Takes::One, words);
    let each = json!({ "type": ["string", "object"] });
    json!({
        "description": about,
        "anyOf": [
            one,
            { "description": "Texts such as global.orders=external", "type": "array", "items": each },
            {
                "description": "Members such as \"global.orders\": \"external\"",
                "type": "object",
                "additionalProperties": one,
            },
        ],
    })
}

/// Members of an instance as one of two sides: `source_posture`, or `posture` of the object `source`.
fn sides(form: &'static Form, properties: &mut Map<String, Value>) {
    for side in Side::BOTH {
        let of_side = |field: &form::FieldSpec| matches!(field.of, Of::Side { .. });
        let inside = of_form(form, |field| match of_side(field) {
            true => vec![(field.name.to_owned(), Some(side))],
            false => Vec::new(),
        });
        properties.extend(of_form(form, |field| match of_side(field) {
            true => vec![(format!("{}_{}", side.name(), field.name), Some(side))],
            false => Vec::new(),
        }));
        let about = format!("The {}: its name, or an object; member `posture` of it is `{0}_posture`", side.name());
        let name = value("Its name", Takes::One, &[]);
        let whole = json!({
            "description": about, "anyOf": [name, { "type": "object", "properties": inside }],
        });
        properties.insert(side.name().to_owned(), whole);
    }
}

fn pair(_: &mut SchemaGenerator) -> Schema {
    let mut properties = of_form(&PAIRS, of_subject);
    sides(&PAIRS, &mut properties);
    object("One pair of instances", properties)
}

fn of_subject(field: &form::FieldSpec) -> Vec<(String, Option<Side>)> {
    match field.of {
        Of::Subject(_) | Of::Part => vec![(field.name.to_owned(), None)],
        Of::Side { .. } => Vec::new(),
    }
}

fn instance(_: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    for form in [&REQUESTS, &PAIRS] {
        properties.extend(of_form(form, |field| match field.of {
            Of::Side { .. } => vec![(field.name.to_owned(), None)],
            _ => Vec::new(),
        }));
    }
    object("One instance; a name or host is needed", properties)
}

fn request(generator: &mut SchemaGenerator) -> Schema {
    let mut properties = of_form(&REQUESTS, of_subject);
    sides(&REQUESTS, &mut properties);
    let one = generator.subschema_for::<Specification>();
    let texts = value("Names, separated by `;`", Takes::One, &[]);
    let item = json!({ "anyOf": [{ "type": ["string", "number", "boolean", "null"] }, one] });
    if let Some(Value::Object(parts)) = properties.get_mut(REQUESTS.parts) {
        parts.insert("anyOf".to_owned(), json!([texts, { "type": "array", "items": item }]));
    }
    object("One key exchange request", properties)
}

fn specification(_: &mut SchemaGenerator) -> Schema {
    let mut properties = of_form(&REQUESTS, |field| match field.of {
        Of::Part => vec![(field.name.to_owned(), None)],
        _ => Vec::new(),
    });
    properties.insert(PART_NAME.to_owned(), value("Its name", Takes::One, &[]));
    object("A crypto specification, with what is said of it", properties)
}
