//! What `cmkdiag schema` prints is what the program reads and writes: every output validates, every member of it is
//! described, and what is not as described does not validate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use program::{command, document, end, expect, folder, put, run};
use serde_json::{Value, json};

const NAMES: [&str; 14] = [
    "inventory",
    "pairs",
    "instances",
    "requests",
    "diagnosis",
    "diagnosis-line",
    "preflight",
    "preflight-line",
    "exchange",
    "exchange-line",
    "usage-line",
    "rules",
    "sources",
    "plan",
];

/// A schema with what checks by it.
struct Schema {
    name: &'static str,
    schema: Value,
    validator: Validator,
}

/// The schema as the program prints it.
fn schema(name: &'static str) -> Schema {
    let schema = document(&expect(0, &["schema", name]).out);
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    Schema { name, schema, validator }
}

impl Schema {
    fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Demands that a value is as described, and that all of it is described.
    fn demand(&self, value: &Value, whose: &str) {
        let errors: Vec<String> = self
            .validator
            .iter_errors(value)
            .take(5)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0], "{whose} by {}", self.name);
        let mut missing = Vec::new();
        self.undescribed(&[&self.schema], value, "", &mut missing);
        assert_eq!(missing, [""; 0], "{whose} by {}", self.name);
    }

    /// The parts of a schema that may speak of a value: itself, what it refers to, and its alternatives.
    fn parts<'s>(&'s self, schemas: &[&'s Value]) -> Vec<&'s Value> {
        let mut waiting: Vec<&Value> = schemas.to_vec();
        let mut parts = Vec::new();
        while let Some(schema) = waiting.pop() {
            if let Some(path) = schema["$ref"].as_str() {
                waiting.push(self.schema.pointer(path.trim_start_matches('#')).expect("what is referred to"));
            }
            for several in ["allOf", "anyOf", "oneOf"] {
                waiting.extend(schema[several].as_array().into_iter().flatten());
            }
            waiting.extend(["then", "else"].iter().filter_map(|branch| schema.get(branch)));
            parts.push(schema);
        }
        parts
    }

    /// The members of a value of which no part of the schema speaks.
    fn undescribed(&self, schemas: &[&Value], value: &Value, at: &str, missing: &mut Vec<String>) {
        let parts = self.parts(schemas);
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let at = format!("{at}/{name}");
                    let own = parts.iter().filter_map(|part| part["properties"].get(name));
                    let by_pattern = parts.iter().filter_map(|part| {
                        let patterns = part["patternProperties"].as_object()?;
                        patterns.iter().find(|(pattern, _)| name.starts_with(pattern.trim_start_matches('^')))
                    });
                    let mut speak: Vec<&Value> = own.chain(by_pattern.map(|(_, schema)| schema)).collect();
                    if speak.is_empty() {
                        speak.extend(parts.iter().filter_map(|part| part.get("additionalProperties")));
                    }
                    let said =
                        |schema: &&Value| self.parts(&[schema]).iter().any(|part| part["description"].is_string());
                    match speak.iter().any(said) {
                        true => self.undescribed(&speak, member, &at, missing),
                        false => missing.push(at),
                    }
                }
            }
            Value::Array(items) => {
                let speak: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
                if speak.is_empty() && !items.is_empty() {
                    missing.push(format!("{at}[]"));
                }
                items.iter().for_each(|item| self.undescribed(&speak, item, at, missing));
            }
            _ => {}
        }
    }
}

/// All schemas by name.
fn schemas() -> BTreeMap<&'static str, Schema> {
    NAMES.iter().map(|name| (*name, schema(name))).collect()
}

/// The document of a run, and its lines.
fn both(arguments: &[&str]) -> (Value, Vec<Value>) {
    let printed = |format: &str| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", format, "--quiet"]).collect();
        let ran = run(&arguments);
        assert!([0, 3].contains(&ran.code), "{arguments:?}: {}", ran.err);
        ran.out
    };
    let lines = printed("jsonl").lines().map(document).collect();
    (document(&printed("json")), lines)
}

// ---------------------------------------------------------------------------------------------------
// The command.

#[test]
fn the_list_names_every_schema_with_what_it_describes() {
    let list = expect(0, &["schema"]).out;
    let names: Vec<&str> = list.lines().map(|line| line.split_once("  ").unwrap().0).collect();
    assert_eq!(names, NAMES);
    assert!(list.lines().all(|line| line.split_once("  ").unwrap().1.trim().len() > 10), "{list}");
}

#[test]
fn an_unknown_name_is_wrong_usage_with_what_may_have_been_meant() {
    let ran = expect(2, &["schema", "diagnosos"]);
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("", "error: there is no schema `diagnosos`; did you mean `diagnosis`?\n")
    );
    assert!(expect(2, &["schema", "\u{1b}[2J"]).err.contains("expected one of: inventory, pairs"));
}

#[test]
fn every_schema_is_one_and_describes_what_it_has() {
    for (name, schema) in schemas() {
        assert!(jsonschema::draft202012::meta::is_valid(&schema.schema), "{name}");
        assert_eq!(schema.schema["$id"], format!("urn:cmkdiag:{name}:1"));
        assert!(!schema.schema.to_string().contains("\"additionalProperties\":false"), "{name} is closed");
        without_description(&schema.schema, name);
    }
}

/// Every property says what it is, itself or where it refers to.
fn without_description(schema: &Value, at: &str) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let condition = property.get("if").is_some() || property.get("contains").is_some();
        let says = property["description"].is_string() || property.get("$ref").is_some() || condition;
        assert!(says, "{at}/{name} says nothing: {property}");
    }
    match schema {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| without_description(value, &format!("{at}/{name}")))
        }
        Value::Array(items) => items.iter().for_each(|item| without_description(item, at)),
        _ => {}
    }
}

// ---------------------------------------------------------------------------------------------------
// Outputs.

const KEYS: [&str; 3] = ["samples/inventory.csv", "samples/inventory.json", "samples/card.csv"];

/// More options, one set a run.
const OPTIONS: [&[&str]; 5] = [&[], &["--lang", "zh"], &["--strict"], &["--keep-columns"], &["--jobs", "1"]];

#[test]
fn what_diagnose_prints_is_as_described() {
    let (whole, line) = (schema("diagnosis"), schema("diagnosis-line"));
    for input in KEYS {
        for more in OPTIONS.iter().chain(&[&["--assume", "instance=default", "--assume", "network=vpc"][..]]) {
            let arguments = [&["diagnose", input], *more].concat();
            let whose = arguments.join(" ");
            let (document, lines) = both(&arguments);
            whole.demand(&document, &whose);
            assert_eq!(document["keys"], Value::Array(lines.clone()), "{whose}");
            lines.iter().for_each(|key| line.demand(key, &whose));
        }
    }
    let explained = expect(0, &["explain", "alias/orders-rewrap", "--in", KEYS[0], "--format", "json"]).out;
    line.demand(&document(&explained), "explain");
}

/// Conflicts, rejects, duplicates, columns of one's own, files that cannot be read.
#[test]
fn what_diagnose_prints_of_bad_inventories_is_as_described() {
    let folder = folder();
    let rows = "key_id,alias,origin,rotation,versions,instance,created,rotation_interval,owner,services,cost centre\n\
        k1,alias/a,EXTERNAL,no,1,default,,,ann,oss,7\nk1,alias/a,Aliyun_KMS,no,1,default,,,bob,ecs,8\n\
        k2,alias/b,maybe,no,1,default,,,,,\nk3,alias/c,Aliyun_KMS,on,1,default,2026-01-01,365d,,,\n\
        k3,alias/c,Aliyun_KMS,on,1,default,2026-01-01,365d,,,\n,,,,,,,,,,\nk4,,,,,,,,,,\n";
    let good = put(&folder, "keys.csv", rows);
    let bad = put(&folder, "other.json", "[{\"key_id\": \"k9\"}, {\"key_id\": ");
    let empty = put(&folder, "broken.xlsx", "PK\u{3}\u{4} is no workbook");
    let (whole, line) = (schema("diagnosis"), schema("diagnosis-line"));
    let (document, lines) = both(&["diagnose", &good, &bad, &empty, "--keep-columns"]);
    whole.demand(&document, "bad inventories");
    lines.iter().for_each(|key| line.demand(key, "bad inventories"));
    assert!(document["summary"]["records"]["rejected"].as_u64() >= Some(2), "{document}");
    let conflicts: Vec<&Value> = lines.iter().flat_map(|key| key["conflicts"].as_array().unwrap()).collect();
    assert!(!conflicts.is_empty() && lines.iter().any(|key| key["columns"]["cost centre"] == "7; 8"));
    assert!(lines.iter().any(|key| key["rotation_deadline_basis"] == "created + rotation_interval"));
}

const ATOMS: &str =
    "[[atom]]\nname = \"frozen\"\ndoc = \"The key is frozen.\"\ncolumn = \"freeze\"\nequals = [\"yes\"]\n";

const CARD: &str = r#"```toml
id = "frozen-key"
kind = "class"
class = "blocked"
basis = "ours"
since = "alibaba-2023"
interpretation = "A rule of the house."
when = [{ all = ["is-key", "frozen"] }]

[title]
en = "The key is frozen"
zh = "密钥已冻结"

[[source]]
document = "house-rules"
section = "Freezes"
retrieved = "2026-11-21"
says = "Frozen keys stay where they are."
```

# The key is frozen

It stays where it is.

## 中文

保持不变。
"#;

/// Cards and atoms of one's own bring facts that no schema can know.
#[test]
fn what_diagnose_prints_with_rules_of_one_s_own_is_as_described() {
    let folder = folder();
    put(&folder, "mine/atoms.toml", ATOMS);
    put(&folder, "mine/frozen-key.md", CARD);
    let keys = put(
        &folder,
        "keys.csv",
        "key_id,alias,origin,rotation,versions,freeze\nk1,alias/a,kms,no,1,yes\nk1,alias/a,kms,no,1,no\nk2,alias/b,kms,no,1,yes\nk3,alias/c,kms,no,1,\n",
    );
    let rules = folder.path().join("mine");
    let (document, lines) = both(&["diagnose", &keys, "--rules", rules.to_str().unwrap()]);
    schema("diagnosis").demand(&document, "own rules");
    let line = schema("diagnosis-line");
    lines.iter().for_each(|key| line.demand(key, "own rules"));
    assert!(document.to_string().contains("column:frozen"), "{document}");
}

#[test]
fn what_preflight_prints_is_as_described() {
    let (whole, line) = (schema("preflight"), schema("preflight-line"));
    let fleet = ["preflight", "samples/servicenow/fleet.csv", "--all-pairs", "--operation", "clone"];
    let pairs = ["preflight", "samples/servicenow/pairs.json"];
    let described = ["--describe-key", "samples/servicenow/describe-key"];
    let folder = folder();
    let odd = put(
        &folder,
        "odd.csv",
        "source_name,target_name,source_wrapping,target_wrapping,ticket\n\
        a,b,global.x=internal;global.y=external,internal,T1\na,b,external,internal,T2\nc,,bad word,,\n,d,,,\n",
    );
    let odd = ["preflight", odd.as_str()];
    for input in [&fleet[..], &pairs, &odd, &[&pairs[..], &described].concat(), &[&fleet[..], &described].concat()] {
        for more in
            OPTIONS.iter().chain(&[&["--assume", "architecture=current"][..]]).filter(|more| !more.contains(&"--jobs"))
        {
            let arguments = [input, *more].concat();
            let whose = arguments.join(" ");
            let (document, lines) = both(&[&arguments[..], &["--as-of", "2026-11-21T09:00:00Z"]].concat());
            whole.demand(&document, &whose);
            assert_eq!(document["pairs"], Value::Array(lines.clone()), "{whose}");
            lines.iter().for_each(|pair| line.demand(pair, &whose));
        }
    }
    let explained = ["explain", "examplia:exampliadr", "--domain", "ekms", "--in", pairs[1], "--format", "json"];
    expect(0, &explained).out.lines().for_each(|pair| line.demand(&document(pair), "explain"));
}

#[test]
fn what_exchange_prints_is_as_described() {
    let (whole, line) = (schema("exchange"), schema("exchange-line"));
    let folder = folder();
    let odd = put(
        &folder,
        "odd.json",
        r#"[{"request": "R1", "frequency": "adhoc", "rekey": true, "crypto_specifications": ["a", "b"], "source": {"name": "s", "health": "green"}, "target_name": "t", "ticket": {"id": 7}},
        {"request": "R1", "frequency": "One Time Clone"}, {"request": "R2", "rekey": "perhaps"}, {"frequency": "adhoc"}]"#,
    );
    for input in ["samples/servicenow/requests.csv", "samples/servicenow/requests.json", &odd] {
        for more in OPTIONS.iter().filter(|more| !more.contains(&"--jobs")) {
            let arguments = [&["exchange", input, "--as-of", "2026-11-21T09:00:00Z"], *more].concat();
            let whose = arguments.join(" ");
            let (document, lines) = both(&arguments);
            whole.demand(&document, &whose);
            assert_eq!(document["requests"], Value::Array(lines.clone()), "{whose}");
            lines.iter().for_each(|request| line.demand(request, &whose));
        }
    }
    let explained =
        ["explain", "KX01", "--domain", "exchange", "--in", "samples/servicenow/requests.csv", "--format", "json"];
    line.demand(&document(&expect(0, &explained).out), "explain");
}

#[test]
fn what_is_printed_of_rulebooks_is_as_described() {
    let (rules, sources) = (schema("rules"), schema("sources"));
    for domain in ["cmk", "ekms", "exchange"] {
        for lang in ["en", "zh"] {
            let more = ["--domain", domain, "--lang", lang, "--format", "json"];
            rules.demand(&document(&expect(0, &[&["rules", "list"], &more[..]].concat()).out), domain);
            sources.demand(&document(&expect(0, &[&["sources"], &more[..]].concat()).out), domain);
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// Inputs.

#[test]
fn the_samples_are_as_the_schemas_of_inputs_say() {
    for (name, path) in [
        ("inventory", "samples/inventory.json"),
        ("pairs", "samples/servicenow/pairs.json"),
        ("requests", "samples/servicenow/requests.json"),
    ] {
        let schema = schema(name);
        let sample = document(&std::fs::read_to_string(path).unwrap());
        schema.demand(&sample, path);
        let records = sample.as_array().unwrap();
        records.iter().for_each(|record| schema.demand(record, path));
        for wrapper in ["keys", "pairs", "requests", "items"] {
            let wrapped = json!({ wrapper: sample, "page": 1 });
            assert!(schema.is_valid(&wrapped), "{path} in {wrapper}");
        }
    }
    // A list of instances, as JSON with the columns of the CSV.
    let mut reader = csv::Reader::from_path("samples/servicenow/fleet.csv").unwrap();
    let fleet: Vec<BTreeMap<String, String>> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    schema("instances").demand(&json!(fleet), "fleet.csv");
    schema("instances").demand(
        &json!({ "instances": [{ "name": "a", "wrapping": { "global.x": "internal" } }] })
            .pointer("/instances")
            .unwrap()
            .clone(),
        "modules",
    );
}

/// What the program reads is valid: shapes that inventories have.
#[test]
fn every_shape_that_is_read_is_valid() {
    let keys = [
        json!({ "KeyId": "k1", "aliases": "alias/a;alias/b", "versions": ["v1", "v2"], "origin": "BYOK", "rotation": true }),
        json!({ "key_id": "k2", "aliases": [], "versions": "2", "operations": "none", "languages": null, "owner": ["a", "b"] }),
        json!({ "key_id": "k3", "aliases": ["alias/c"], "origin": "Aliyun_KMS", "tags": [{"Key": "a"}], "account_id": 12 }),
    ];
    let schema = schema("inventory");
    let folder = folder();
    for text in [json!(keys), json!({ "keys": keys }), json!({ "results": keys, "total": 3 }), keys[0].clone()] {
        assert!(schema.is_valid(&text), "{text}");
        let ran = end(command().args(["diagnose", &put(&folder, "keys.json", text.to_string()), "--format", "json"]));
        assert_eq!(ran.code, 0, "{text}: {}", ran.err);
    }
}

#[test]
fn what_cannot_be_read_is_not_valid() {
    let cases = [
        ("inventory", json!("k1")),
        ("inventory", json!([1])),
        ("inventory", json!(["k1"])),
        ("inventory", json!([{ "origin": {} }])),
        ("inventory", json!([{ "rotation": ["on"] }])),
        ("inventory", json!([{ "aliases": [["alias/a"]] }])),
        ("inventory", json!({ "keys": [{ "key_id": ["k"] }] })),
        ("inventory", json!({ "languages": { "Java": true } })),
        ("pairs", json!([{ "operation": {} }])),
        ("pairs", json!([{ "source": { "posture": ["in_use", "older"] } }])),
        ("pairs", json!([{ "source": ["a"] }])),
        ("pairs", json!({ "pairs": [{ "target_posture": {} }] })),
        ("instances", json!([{ "name": {} }])),
        ("requests", json!([{ "frequency": {} }])),
        ("requests", json!([{ "crypto_specifications": {} }])),
        ("requests", json!([{ "crypto_specifications": [{ "source_key": {} }] }])),
    ];
    let schemas = schemas();
    for (name, value) in cases {
        assert!(!schemas[name].is_valid(&value), "{name}: {value}");
    }
}

// ---------------------------------------------------------------------------------------------------
// Schemas are no empty words.

/// Every way to take one member out of a value, deep down.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                found.push(at.clone());
                places(member, &at, found);
            }
        }
        // The first elements are like the others.
        Value::Array(items) => {
            items.iter().take(2).enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// The members that need not be there: those of maps by name, and those that only some inputs bring.
fn may_be_missing(at: &str) -> bool {
    let parents = ["facts", "texts", "assumed", "columns"];
    let optional = ["services", "applications", "owner", "rotation_interval", "columns"];
    let (parent, name) = at.rsplit_once('/').unwrap();
    let above = parent.rsplit('/').next().unwrap();
    let in_modules = above.ends_with("_modules");
    let of_specification = at.contains("crypto_specifications/");
    parents.contains(&above) || optional.contains(&name) || in_modules || of_specification
}

fn without(value: &Value, at: &str) -> Value {
    let mut value = value.clone();
    let (parent, name) = at.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&name).unwrap();
    value
}

fn with(value: &Value, at: &str, new: Value) -> Value {
    let mut value = value.clone();
    *value.pointer_mut(at).unwrap() = new;
    value
}

#[test]
fn a_document_with_a_member_less_or_of_another_type_is_not_valid() {
    let documents = [
        ("diagnosis", both(&["diagnose", "samples/inventory.csv", "--only", "blocked,undetermined"]).0),
        ("preflight", both(&["preflight", "samples/servicenow/pairs.json"]).0),
        ("exchange", both(&["exchange", "samples/servicenow/requests.csv"]).0),
        ("rules", document(&expect(0, &["rules", "list", "--format", "json"]).out)),
        ("sources", document(&expect(0, &["sources", "--format", "json"]).out)),
    ];
    for (name, document) in documents {
        let schema = schema(name);
        let mut at = Vec::new();
        places(&document, "", &mut at);
        assert!(at.len() > 12, "{name}: {at:?}");
        for at in at {
            if !may_be_missing(&at) {
                assert!(!schema.is_valid(&without(&document, &at)), "{name} without {at}");
            }
            // No member may be a number and a text, or a list and an object.
            let wrong = match document.pointer(&at).unwrap() {
                Value::Number(_) | Value::Array(_) | Value::Object(_) | Value::Bool(_) => json!("seven"),
                Value::String(_) | Value::Null => json!(7.5),
            };
            assert!(!schema.is_valid(&with(&document, &at, wrong)), "{name} with a wrong {at}");
        }
    }
}

#[test]
fn a_word_that_is_misspelt_is_not_valid() {
    let schemas = schemas();
    let key = both(&["diagnose", "samples/inventory.csv"]).1.into_iter().find(|key| key["class"] == "blocked").unwrap();
    for at in [
        "/class",
        "/findings/0/class",
        "/findings/0/basis",
        "/facts/origin/value",
        "/facts/origin/grade",
        "/facts/operations/value",
        "/rulebook",
    ] {
        let word = key.pointer(at).unwrap().as_str().unwrap();
        for wrong in [format!("{word}x"), word.to_uppercase() + "-", String::new()] {
            assert!(!schemas["diagnosis-line"].is_valid(&with(&key, at, json!(wrong))), "{at}: {wrong}");
        }
    }
    let open =
        both(&["diagnose", "samples/card.csv"]).1.into_iter().find(|key| key["conditions"] != json!([])).unwrap();
    for at in ["/conditions/0/fact", "/conditions/0/kind"] {
        assert!(!schemas["diagnosis-line"].is_valid(&with(&open, at, json!("presumd"))), "{at}");
    }
    let (document, pairs) = both(&["preflight", "samples/servicenow/pairs.json"]);
    for at in ["/class", "/facts/operation/value", "/checklist/0/side", "/checklist/0/applies"] {
        let pair = pairs.iter().find(|pair| pair.pointer(at).is_some()).unwrap();
        assert!(!schemas["preflight-line"].is_valid(&with(pair, at, json!("clonee"))), "{at}");
    }
    assert!(!schemas["preflight"].is_valid(&with(&document, "/format", json!("cmkdiag.preflight/2"))));
    assert!(!schemas["exchange"].is_valid(&document), "a document of pairs passes for one of requests");
}

#[test]
fn a_member_that_is_added_is_valid_but_found_to_be_undescribed() {
    let schema = schema("diagnosis");
    let mut document = both(&["diagnose", "samples/card.csv"]).0;
    document["keys"][0]["findings"][0]["severity"] = json!("high");
    document["summary"]["records"]["lost"] = json!(0);
    assert!(schema.is_valid(&document), "members are only ever added");
    let mut missing = Vec::new();
    schema.undescribed(&[&schema.schema], &document, "", &mut missing);
    missing.sort();
    assert_eq!(missing, ["/keys/findings/severity", "/summary/records/lost"]);
}

#[test]
fn what_usage_prints_is_as_described() {
    let line = schema("usage-line");
    let printed = expect(0, &["usage", "samples/usage", "--quiet"]).out;
    let lines: Vec<Value> = printed.lines().map(document).collect();
    let kinds: BTreeSet<&str> = lines.iter().map(|line| line["record"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["usage", "coverage", "key", "unattributed"]));
    lines.iter().for_each(|printed| line.demand(printed, "usage"));
}
