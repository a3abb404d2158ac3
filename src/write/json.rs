//! JSON and JSON Lines: one object a key. Version 1 of the format; members are only ever added.

use serde_json::{Map, Value, json};

use crate::diagnose::{Diagnosis, KeyOutcome};
use crate::domains::cmk::fields::Field;
use crate::engine::facts::Lang;
use crate::inventory::record::Extra;

use super::evidence::UsageEvidence;
use super::pieces::{Pieces, write_value};
use super::safe::{json_string, json_text};
use super::summary::Counts;
use super::{Format, PerShape, fill, words};

/// The name and version of the format.
pub const FORMAT: &str = "cmkdiag.diagnosis/1";

/// The fields whose texts are passed on as they stand.
const OWN_TEXTS: [Field; 6] = [
    Field::Services,
    Field::Applications,
    Field::Owner,
    Field::MigrationWindow,
    Field::RotationInterval,
    Field::TerraformAddress,
];

/// Whether the keys stand in one array or one a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One object with a summary and all keys.
    Document,
    /// One object a line, and nothing else.
    Lines,
}

/// JSON.
pub struct Json<'d> {
    diagnosis: &'d Diagnosis,
    lang: Lang,
    kept: Vec<(u32, &'d str)>,
    framing: Framing,
    shapes: PerShape,
}

impl<'d> Json<'d> {
    /// A writer for the outcomes of a diagnosis; `kept` are the user's own columns to pass through.
    pub fn new(diagnosis: &'d Diagnosis, lang: Lang, kept: Vec<(u32, &'d str)>, framing: Framing) -> Json<'d> {
        Json { diagnosis, lang, kept, framing, shapes: PerShape::new(diagnosis) }
    }

    /// The members from `class` to `rulebook`, without the braces around them.
    fn shape_members(&self, key: &KeyOutcome<'_>) -> String {
        let members = self.pieces().members(key.outcome);
        let text: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        text.join(",")
    }

    fn pieces(&self) -> Pieces<'_> {
        Pieces { book: &self.diagnosis.rulebook, lang: self.lang }
    }

    /// Members that differ from key to key.
    fn own_members(&self, key: &KeyOutcome<'_>) -> Map<String, Value> {
        let deadline = key.rotation_deadline();
        let mut own = Map::new();
        own.insert(
            "advisories".to_owned(),
            key.advisories().iter().map(|card| self.pieces().advisory(*card, &|command| fill(command, key))).collect(),
        );
        own.insert("facts".to_owned(), self.pieces().facts(&key.facts(), key.outcome));
        own.insert("rotation_deadline".to_owned(), json!(deadline.map(|(time, _)| time)));
        let basis = |computed: bool| {
            if computed { "created + rotation_interval" } else { "next_rotation" }
        };
        own.insert("rotation_deadline_basis".to_owned(), json!(deadline.map(|(_, computed)| basis(computed))));
        for field in OWN_TEXTS {
            let texts = key.key.texts(Extra::Field(field));
            if !texts.is_empty() {
                own.insert(field.name().to_owned(), json!(texts.join("; ").replace('\u{1f}', "; ")));
            }
        }
        let conflicts = words::conflicts(key).into_iter().map(|(fact, said)| {
            let said: Vec<Value> = said.into_iter().map(|(value, at)| json!({ "value": value, "at": at })).collect();
            json!({ "fact": words::fact_name(&self.diagnosis.rulebook, fact), "said": said })
        });
        own.insert("conflicts".to_owned(), conflicts.collect());
        let origins = key
            .key
            .places()
            .map(|place| json!({ "file": self.diagnosis.survey.files[place.file as usize], "line": place.line }));
        own.insert("origins".to_owned(), origins.collect());
        if let Some(evidence) = UsageEvidence::of(key, self.lang) {
            own.insert("usage_evidence".to_owned(), json!(evidence));
        }
        if !self.kept.is_empty() {
            let kept = words::Kept::of(key);
            let each = self.kept.iter().map(|(number, name)| ((*name).to_owned(), json!(kept.text(*number))));
            own.insert("columns".to_owned(), Value::Object(each.collect()));
        }
        own
    }
}

fn optional(name: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\"{name}\":").as_bytes());
    if text.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        json_string(text, out);
    }
    out.push(b',');
}

impl Format for Json<'_> {
    fn head(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::Lines {
            return;
        }
        let book = &self.diagnosis.rulebook;
        let head = json!({
            "rulebook": { "domain": book.domain.name, "edition": book.edition, "digest": format!("sha256:{}", book.digest) },
            "summary": Counts::new(self.diagnosis).json(self.lang),
        });
        out.extend_from_slice(format!("{{\"format\":\"{FORMAT}\",\n").as_bytes());
        let mut members = Vec::new();
        write_value(&head, &mut members);
        out.extend_from_slice(&members[1..members.len() - 1]);
        out.extend_from_slice(b",\n\"keys\":[\n");
    }

    fn key(&self, key: &KeyOutcome<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        optional("key_id", key.key.key_id(), out);
        optional("account_id", key.key.account_id(), out);
        optional("region", key.key.region(), out);
        out.extend_from_slice(b"\"aliases\":[");
        for (index, alias) in key.key.aliases().into_iter().enumerate() {
            out.extend_from_slice(if index > 0 { b"," } else { b"" });
            json_string(alias, out);
        }
        out.extend_from_slice(b"],");
        self.shapes.write(key, out, || self.shape_members(key), json_text);
        for (name, value) in self.own_members(key) {
            out.push(b',');
            json_string(&name, out);
            out.push(b':');
            write_value(&value, out);
        }
        out.push(b'}');
        if self.framing == Framing::Lines {
            out.push(b'\n');
        }
    }

    fn between(&self) -> &'static [u8] {
        match self.framing {
            Framing::Document => b",\n",
            Framing::Lines => b"",
        }
    }

    fn tail(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::Document {
            out.extend_from_slice(b"\n]}\n");
        }
    }
}
