//! JSON Schemas (draft 2020-12) of what the program reads and writes.
//!
//! The types of this room describe JSON and are never filled: their fields stand in the schemas with their comments.
//! What belongs to a closed set ([`words`]) is taken from the domains. The tests hold the schemas against what the
//! program prints.

pub mod books;
pub mod inputs;
pub mod keys;
pub mod pieces;
pub mod subjects;
pub mod words;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// A schema that can be asked for.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// What it describes, in one line.
    pub about: &'static str,
    make: fn() -> Map<String, Value>,
}

/// A schema of a type.
pub const fn named<T: JsonSchema>(name: &'static str, about: &'static str) -> Named {
    Named { name, about, make: members::<T> }
}

/// Every schema of what rooms below this one read and write: those of inputs, then those of outputs.
pub static ALL: [Named; 13] = [
    named::<inputs::Inventory>("inventory", "Input of diagnose: the keys, as JSON"),
    named::<inputs::PairList>("pairs", "Input of preflight: pairs of instances, as JSON"),
    named::<inputs::InstanceList>("instances", "Input of preflight and exchange: instances, as JSON"),
    named::<inputs::RequestList>("requests", "Input of exchange: key exchange requests, as JSON"),
    named::<keys::Diagnosis>("diagnosis", "Output of diagnose --format json"),
    named::<keys::Key>("diagnosis-line", "One line of diagnose --format jsonl, and of explain --format json"),
    named::<subjects::Preflight>("preflight", "Output of preflight --format json"),
    named::<subjects::Pair>(
        "preflight-line",
        "One line of preflight --format jsonl, and of explain --domain ekms --format json",
    ),
    named::<subjects::Exchange>("exchange", "Output of exchange --format json"),
    named::<subjects::Request>(
        "exchange-line",
        "One line of exchange --format jsonl, and of explain --domain exchange --format json",
    ),
    named::<crate::usage::result::Line>("usage-line", "One line of usage --format jsonl, as usage merge reads it"),
    named::<books::Rules>("rules", "Output of rules list --format json"),
    named::<books::Sources>("sources", "Output of sources --format json"),
];

impl Named {
    /// The schema.
    pub fn schema(&self) -> Value {
        let mut members = (self.make)();
        let mut schema = Map::new();
        let mut put = |name: &str, value: Value| schema.insert(name.to_owned(), value);
        put("$schema", members.remove("$schema").unwrap_or(Value::Null));
        put("$id", json!(format!("urn:cmkdiag:{}:1", self.name)));
        put("title", json!(self.about));
        members.remove("title");
        put("description", members.remove("description").unwrap_or(Value::Null));
        for (name, value) in members {
            put(&name, value);
        }
        Value::Object(schema)
    }
}

/// The members of a type's schema.
fn members<T: JsonSchema>() -> Map<String, Value> {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::facts::Grade;
    use crate::inventory::row::NoteKind;
    use crate::rulebook::card::{Basis, Kind, RemedyKind, StepSide};

    /// The words of a closed set in a schema.
    fn words<T: JsonSchema>() -> Vec<String> {
        let schema = Value::Object(members::<T>());
        let each = schema["oneOf"].as_array().expect("a closed set").iter();
        each.map(|word| word["const"].as_str().expect("a word").to_owned()).collect()
    }

    #[test]
    fn closed_sets_have_the_words_of_outputs() {
        fn same<T: JsonSchema + serde::de::DeserializeOwned>(name: fn(T) -> &'static str) {
            for word in words::<T>() {
                assert_eq!(name(serde_json::from_value(json!(word)).unwrap()), word);
            }
        }
        same::<Kind>(Kind::name);
        same::<Basis>(Basis::name);
        same::<RemedyKind>(RemedyKind::name);
        same::<StepSide>(StepSide::name);
        let grades = [Grade::Unknown, Grade::Conflict, Grade::Assumed, Grade::Inferred, Grade::Stated, Grade::Measured];
        assert_eq!(words::<Grade>(), grades.map(Grade::name));
        let kinds = [NoteKind::Reading, NoteKind::LeftOut, NoteKind::Incomplete];
        assert_eq!(words::<NoteKind>(), kinds.map(NoteKind::name));
    }

    #[test]
    fn names_are_words_and_every_schema_says_which_it_is() {
        for named in &ALL {
            assert!(named.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", named.name);
            let schema = named.schema();
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert_eq!(schema["$id"], format!("urn:cmkdiag:{}:1", named.name));
            assert!(schema["description"].is_string(), "{}", named.name);
        }
        let mut names: Vec<&str> = ALL.iter().map(|named| named.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
