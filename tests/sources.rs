//! Every source that is read says of the same keys what it can, and nothing greener than what is known of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet};

use cmkdiag::cli::job::survey_bytes;
use cmkdiag::domains::cmk::CMK;
use cmkdiag::domains::cmk::fields::{FIELDS, Field};
use cmkdiag::inventory::record::Extra;
use cmkdiag::rulebook::Rulebook;
use serde_json::{Value, json};

mod program;
use program::{Ran, document, folder, put, run};

/// The folder with a sample of each source.
const FORMATS: &str = "samples/formats";

/// What a run says, as JSON.
fn diagnose(arguments: &[&str]) -> (Ran, Value) {
    let ran = run(&[&["diagnose", "--format", "json"], arguments].concat());
    assert!(matches!(ran.code, 0 | 3), "{arguments:?}: {}", ran.err);
    let said = document(&ran.out);
    (ran, said)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The keys by id, without where they stand; aliases, and what is said of each, in alphabetical order.
fn keys(said: &Value) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    for key in list(&said["keys"]) {
        let mut key = key.clone();
        let members = key.as_object_mut().unwrap();
        members.remove("origins");
        for conflict in members["conflicts"].as_array_mut().unwrap() {
            *conflict = conflict["fact"].clone();
        }
        for name in ["aliases", "conflicts"] {
            members[name].as_array_mut().unwrap().sort_by_key(ToString::to_string);
        }
        let id = text(&key["key_id"]).to_owned();
        assert!(keys.insert(id.clone(), key).is_none(), "{id} twice");
    }
    keys
}

/// The notes that tell that something is missing.
fn incomplete(said: &Value) -> Vec<String> {
    let notes = list(&said["summary"]["notes"]).iter();
    notes.filter(|note| note["kind"] == "incomplete").map(|note| text(&note["text"]).to_owned()).collect()
}

fn reply(name: &str) -> Value {
    document(&std::fs::read_to_string(format!("{FORMATS}/api/{name}")).unwrap())
}

/// The replies of the folder `api`, by file.
fn replies() -> BTreeMap<String, Vec<Value>> {
    let mut replies = BTreeMap::new();
    for entry in std::fs::read_dir(format!("{FORMATS}/api")).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read_to_string(&path).unwrap();
        let values = serde_json::Deserializer::from_str(&content).into_iter().collect::<Result<_, _>>().unwrap();
        replies.insert(path.file_name().unwrap().to_string_lossy().into_owned(), values);
    }
    replies
}

/// Diagnoses some files, by name and content.
fn diagnose_files(files: &[(String, String)], more: &[&str]) -> Value {
    let folder = folder();
    let paths: Vec<String> = files.iter().map(|(name, content)| put(&folder, name, content)).collect();
    let arguments: Vec<&str> = paths.iter().map(String::as_str).chain(more.iter().copied()).collect();
    diagnose(&arguments).1
}

fn one_a_line(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

// ---------------------------------------------------------------------------------------------------
// The table of the document.

/// The columns of the table in the document that facts stand behind.
const COLUMNS: [(&str, &str); 8] = [
    ("scope", ""),
    ("aliases", "aliases"),
    ("instance", "instance"),
    ("origin", "origin"),
    ("rotation", "rotation"),
    ("versions", "versions"),
    ("spec", "key_spec"),
    ("state", "state"),
];

/// Of each sample, what the document ticks.
fn documented() -> Vec<(String, Vec<String>)> {
    let page = std::fs::read_to_string("docs/sources.md").unwrap();
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let mut rows = rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect());
    let header: Vec<String> = rows.next().unwrap();
    let expected: Vec<&str> = ["source", "sample"].into_iter().chain(COLUMNS.map(|(name, _)| name)).collect();
    assert_eq!(header, expected);
    let cells = |row: Vec<String>| (row[1].trim_matches('`').to_owned(), row[2..].to_vec());
    rows.skip(1).map(cells).collect()
}

/// What a sample ticks.
fn ticks(said: &Value) -> Vec<String> {
    let keys = list(&said["keys"]);
    let tick = |(name, fact): &(&str, &str)| {
        let grades: BTreeSet<&str> = keys.iter().map(|key| text(&key["facts"][fact]["grade"])).collect();
        let is_scoped = |key: &Value| !text(&key["account_id"]).is_empty() && !text(&key["region"]).is_empty();
        let says = match *name {
            "scope" => keys.iter().any(is_scoped),
            _ => grades.contains("stated") || grades.contains("measured"),
        };
        // That service keys and imported material have one version says nothing of other keys.
        let by_dates = *name == "versions" && keys.iter().any(|key| !key["facts"]["version_evidence"].is_null());
        let tick = match says {
            true => "✓",
            false if by_dates => "◐",
            false => "–",
        };
        tick.to_owned()
    };
    COLUMNS.iter().map(tick).collect()
}

/// The samples that are read by what is built apart from the rest.
const APART: [&str; 7] =
    ["aliyun-table.txt", "console-zh.csv", "excel-unicode.txt", "excel-sep.csv", "keys.xlsx", "keys.xls", "keys.ods"];

fn check_sample(sample: &str) {
    let documented = documented();
    let (_, expected) = documented.iter().find(|(known, _)| known == sample).expect("the document names it");
    let (ran, said) = diagnose(&[&format!("{FORMATS}/{sample}")]);
    assert_eq!(said["summary"]["records"]["rejected"], 0, "{sample}: {}", ran.err);
    assert_eq!(&ticks(&said), expected, "{sample}: facts");
    check_classes(sample, &said);
}

/// Every key has the class that all of its facts give it, or that class is still possible, or the condition that is
/// not met is named.
fn check_classes(sample: &str, said: &Value) {
    let canonical = keys(&diagnose(&[&format!("{FORMATS}/keys.csv")]).1);
    let keys = keys(said);
    assert!(!keys.is_empty(), "{sample}");
    for (id, key) in keys {
        let expected = canonical.get(&id).unwrap_or_else(|| panic!("{sample}: an unknown key {id}"));
        assert_eq!(expected["confirmed"], true, "{id}");
        if key["class"] == expected["class"] {
            continue;
        }
        assert_eq!(key["confirmed"], false, "{sample}: {id} is {} instead of {}", key["class"], expected["class"]);
        assert!(list(&key["possible"]).contains(&expected["class"]), "{sample}: {id}: {}", key["possible"]);
        let differs = |condition: &&Value| expected["facts"][text(&condition["fact"])]["value"] != condition["value"];
        let is_named = list(&key["conditions"]).iter().any(|condition| differs(&condition));
        assert!(key["class"] == "undetermined" || is_named, "{sample}: {id}: {}", key["conditions"]);
    }
}

#[test]
fn every_source_carries_the_facts_that_the_document_ticks() {
    for (sample, _) in documented() {
        if !APART.contains(&sample.as_str()) {
            check_sample(&sample);
        }
    }
}

#[test]
fn the_text_table_of_the_command_line_is_read() {
    check_sample("aliyun-table.txt");
}

#[test]
fn lists_that_spreadsheets_save_as_text_are_read() {
    for sample in ["console-zh.csv", "excel-unicode.txt", "excel-sep.csv"] {
        check_sample(sample);
    }
}

#[test]
fn workbooks_of_several_sheets_are_read() {
    for sample in ["keys.xlsx", "keys.xls", "keys.ods"] {
        check_sample(sample);
    }
}

#[test]
fn every_sample_is_in_the_document_and_in_the_readme() {
    let readme = std::fs::read_to_string(format!("{FORMATS}/README.md")).unwrap();
    let documented: BTreeSet<String> = documented().into_iter().map(|(sample, _)| sample).collect();
    for entry in std::fs::read_dir(FORMATS).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name == "README.md" || documented.contains(&name), "{name} is not in docs/sources.md");
        assert!(name == "README.md" || readme.contains(&format!("`{name}")), "{name} is not in the README");
    }
}

#[test]
fn sources_that_carry_every_fact_give_the_classes_of_the_full_list() {
    let classes = |said: &Value| -> BTreeMap<String, Value> {
        keys(said).into_iter().map(|(id, key)| (id, key["class"].clone())).collect()
    };
    let mut expected = classes(&diagnose(&[&format!("{FORMATS}/keys.csv")]).1);
    // Only a person says that its application is written in PHP; the condition is tested above.
    expected.insert("00000000-0000-4000-8000-000000000101".to_owned(), json!("migratable"));
    assert_eq!(classes(&diagnose(&[&format!("{FORMATS}/api")]).1), expected);
}

// ---------------------------------------------------------------------------------------------------
// Merging.

/// The members' names in another casing.
fn renamed(value: &Value, rename: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (rename(name), renamed(value, rename)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(values) => values.iter().map(|value| renamed(value, rename)).collect(),
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let first = name.chars().next().unwrap_or_default().to_lowercase();
    first.chain(name.chars().skip(1)).collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.replace("DKMS", "Dkms").chars().enumerate() {
        if c.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn replies_say_the_same_however_they_are_put_together() {
    let replies = replies();
    let expected = keys(&diagnose(&[&format!("{FORMATS}/api")]).1);
    let all: Vec<Value> = replies.values().flatten().cloned().collect();
    let file = |name: &str, content: String| vec![(name.to_owned(), content)];
    let pretty = |value: &Value| format!("{value:#}");
    let by_file: Vec<(String, String)> =
        replies.iter().map(|(name, values)| (name.clone(), one_a_line(values))).collect();
    let single = |values: &[Value]| -> Vec<(String, String)> {
        values.iter().enumerate().map(|(at, value)| (format!("{at}.json"), pretty(value))).collect()
    };
    let under_body: Vec<Value> =
        all.iter().map(|value| json!({"headers": {}, "statusCode": 200, "body": value})).collect();
    let mut shapes = vec![
        ("one a file", single(&all)),
        ("an array", file("all.json", pretty(&Value::Array(all.clone())))),
        ("an array, on one line", file("all.json", Value::Array(all.clone()).to_string())),
        ("one a line", file("all.jsonl", one_a_line(&all))),
        ("concatenated", file("all.json", all.iter().map(pretty).collect())),
        ("twice", file("all.jsonl", one_a_line(&[all.clone(), all.clone()].concat()))),
        ("under body", file("all.json", Value::Array(under_body).to_string())),
        (
            "camel case",
            file("all.json", one_a_line(&all.iter().map(|value| renamed(value, &camel)).collect::<Vec<_>>())),
        ),
        (
            "snake case",
            file("all.json", one_a_line(&all.iter().map(|value| renamed(value, &snake)).collect::<Vec<_>>())),
        ),
        ("backwards", file("all.jsonl", one_a_line(&all.iter().rev().cloned().collect::<Vec<_>>()))),
    ];
    for at in 0..by_file.len() {
        let mut order = by_file.clone();
        order.rotate_left(at);
        if at % 2 == 1 {
            order.reverse();
        }
        shapes.push(("file by file", order));
    }
    for (name, files) in shapes {
        let said = diagnose_files(&files, &[]);
        let found = keys(&said);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
        for (id, key) in &expected {
            assert_eq!(&found[id], key, "{name}: {id}");
        }
        assert_eq!(incomplete(&said), Vec::<String>::new(), "{name}");
        assert_eq!(said["summary"]["records"]["rejected"], 0, "{name}");
    }
}

#[test]
fn metadata_alone_say_what_they_say_inside_their_reply() {
    let mut replies = replies();
    let expected = keys(&diagnose(&[&format!("{FORMATS}/api")]).1);
    for value in replies.get_mut("describe-key.json").unwrap() {
        *value = value["KeyMetadata"].take();
    }
    let all: Vec<Value> = replies.values().flatten().cloned().collect();
    assert_eq!(keys(&diagnose_files(&[("all.json".to_owned(), Value::Array(all).to_string())], &[])), expected);
}

// ---------------------------------------------------------------------------------------------------
// What is missing.

/// No key is greener than when everything is there.
fn assert_no_greener(name: &str, said: &Value, complete: &BTreeMap<String, Value>) {
    for (id, key) in keys(said) {
        let Some(full) = complete.get(&id) else {
            assert_eq!(key["class"], "undetermined", "{name}: {id}");
            continue;
        };
        if key["class"] == full["class"] {
            assert!(key["confirmed"] == false || full["confirmed"] == true, "{name}: {id}");
        } else {
            assert!(key["class"] == "undetermined" || key["confirmed"] == false, "{name}: {id}: {}", key["class"]);
            assert_ne!(key["class"], "migratable", "{name}: {id}");
            assert!(list(&key["possible"]).contains(&full["class"]), "{name}: {id}: {}", key["possible"]);
        }
    }
}

/// The replies after a change of one file.
fn changed(name: &str, change: impl Fn(&mut Vec<Value>)) -> Value {
    let mut replies = replies();
    change(replies.get_mut(name).expect("a sample of that name"));
    let all: Vec<Value> = replies.into_values().flatten().collect();
    diagnose_files(&[("all.jsonl".to_owned(), one_a_line(&all))], &[])
}

const NO_ALIAS: &str = "00000000-0000-4000-8000-000000000108";

#[test]
fn what_is_missing_is_told_and_makes_nothing_greener() {
    let complete = keys(&diagnose(&[&format!("{FORMATS}/api")]).1);
    assert_eq!(complete[NO_ALIAS]["class"], "migratable");
    assert_eq!(complete[NO_ALIAS]["facts"]["aliases"], json!({"value": "none", "grade": "measured"}));
    let without = |name: &str, said: Value, note: &str| {
        let notes = incomplete(&said);
        assert!(notes.iter().any(|text| text.contains(note)), "{name}: {notes:?}");
        assert_no_greener(name, &said, &complete);
        said
    };
    without(
        "a page of keys",
        changed("list-keys-cn-hangzhou-2.json", Vec::clear),
        "the list of account 1234567890123456 in cn-hangzhou has 9 keys, of which 5 are here",
    );
    without("descriptions", changed("describe-key.json", Vec::clear), "11 key(s) are listed and not described");
    let one = changed("describe-key.json", |values| _ = values.remove(3));
    without(
        "one description",
        one,
        "1 key(s) are listed and not described, first 00000000-0000-4000-8000-000000000104",
    );

    let drop_alias = |values: &mut Vec<Value>| _ = values[0]["Aliases"]["Alias"].as_array_mut().unwrap().pop();
    let said = without("a page of aliases", changed("list-aliases-cn-hangzhou.json", drop_alias), "aliases, of which");
    assert_eq!(keys(&said)[NO_ALIAS]["class"], "undetermined");
    let said = changed("list-aliases-cn-hangzhou.json", Vec::clear);
    assert_no_greener("no aliases", &said, &complete);
    assert_eq!(keys(&said)[NO_ALIAS]["class"], "undetermined");
    // A list that does not say how many there are is believed as an inference, which the verdict names.
    let pager = |values: &mut Vec<Value>| *values = vec![json!({"Aliases": values[0]["Aliases"]})];
    let key = keys(&changed("list-aliases-cn-hangzhou.json", pager)).remove(NO_ALIAS).unwrap();
    assert_eq!((&key["class"], &key["facts"]["aliases"]["grade"]), (&json!("migratable"), &json!("inferred")));
    assert!(list(&key["conditions"]).iter().any(|condition| condition["fact"] == "key_manager"), "{key:#}");

    let stranger = |values: &mut Vec<Value>| values[0]["Aliases"]["Alias"][0]["KeyId"] = json!("stranger");
    without("an alias of an unknown key", changed("list-aliases-cn-shanghai.json", stranger), "first stranger");
    let empty = |values: &mut Vec<Value>| values[8]["KeyVersions"]["KeyVersion"] = json!([]);
    without("an empty page of versions", changed("list-key-versions.jsonl", empty), "without versions");
}

/// Ways in which a list of aliases is not what it must be to say of other keys that they have none.
#[test]
fn no_list_of_aliases_that_is_not_whole_proves_that_a_key_has_none() {
    let of = |name: &str| reply(name)["Aliases"]["Alias"].as_array().unwrap().clone();
    let (hangzhou, shanghai) = (of("list-aliases-cn-hangzhou.json"), of("list-aliases-cn-shanghai.json"));
    let total = hangzhou.len();
    let without_last = |more: &[Value]| [&hangzhou[..total - 1], more].concat();
    let edit = |name: &str, to: Value| {
        let mut all = hangzhou.clone();
        all[4][name] = to;
        all
    };
    for (name, aliases) in [
        ("filled up with those of another region", without_last(&shanghai[..1])),
        ("filled up with the same", without_last(&hangzhou[..1])),
        ("one names no key", edit("KeyId", Value::Null)),
        ("one names a masked key", edit("KeyId", json!("00000000-****"))),
        ("one says something else", edit("Origin", json!("EXTERNAL"))),
    ] {
        let list = json!({"Aliases": {"Alias": aliases}, "TotalCount": total, "PageNumber": 1, "RequestId": "x"});
        let said = changed("list-aliases-cn-hangzhou.json", |values| *values = vec![list.clone()]);
        let key = &keys(&said)[NO_ALIAS];
        assert!(key["confirmed"] == false && key["facts"]["aliases"]["grade"] != "measured", "{name}: {key:#}");
    }
    // Without accounts and regions nobody knows whose list it is.
    let bare: Vec<Value> =
        hangzhou.iter().map(|alias| json!({"AliasName": alias["AliasName"], "KeyId": alias["KeyId"]})).collect();
    let bare = json!({"Aliases": {"Alias": bare}, "TotalCount": total, "RequestId": "x"});
    let inventory = "key_id,origin,rotation,versions,instance\nelsewhere,Aliyun_KMS,Disabled,1,default\n";
    let said =
        diagnose_files(&[("a.json".to_owned(), bare.to_string()), ("k.csv".to_owned(), inventory.to_owned())], &[]);
    assert_eq!(keys(&said)["elsewhere"]["class"], "undetermined");
}

#[test]
fn lists_that_say_of_themselves_that_they_go_on_are_told() {
    let resources = std::fs::read_to_string(format!("{FORMATS}/resource-center.json")).unwrap();
    let config = std::fs::read_to_string(format!("{FORMATS}/cloud-config.json")).unwrap();
    let sdk = renamed(&document(&resources), &snake);
    for (name, content) in [
        ("Resource Center", resources.clone()),
        ("camel case", resources.replace("\"NextToken\"", "\"nextToken\"")),
        ("Cloud Config", config),
        ("under body", json!({"headers": {}, "body": sdk}).to_string()),
    ] {
        let token = |to: &str| {
            ["NextToken", "nextToken", "next_token"].iter().fold(content.clone(), |content, name| {
                let content = content.replace(&format!("\"{name}\": \"\""), &format!("\"{name}\": \"{to}\""));
                content.replace(&format!("\"{name}\":\"\""), &format!("\"{name}\":\"{to}\""))
            })
        };
        for (to, is_told) in [("", false), ("abc", true)] {
            let said = diagnose_files(&[("list.json".to_owned(), token(to))], &[]);
            let notes = incomplete(&said);
            let told = notes.iter().any(|note| note.contains("NextToken"));
            assert_eq!(told, is_told && name != "Cloud Config", "{name}: {notes:?}");
        }
    }
}

#[test]
fn ten_keys_of_a_region_in_a_report_of_scoutsuite_are_told_as_incomplete() {
    let report = |count: usize| {
        let keys: serde_json::Map<String, Value> =
            (0..count).map(|at| (format!("k{at}"), json!({"id": format!("k{at}"), "origin": "EXTERNAL"}))).collect();
        let regions = json!({"cn-hangzhou": {"keys": keys}});
        let report = json!({"account_id": "1", "provider_code": "aliyun", "services": {"kms": {"regions": regions}}});
        let said =
            diagnose_files(&[("scoutsuite_results_x.js".to_owned(), format!("scoutsuite_results =\n{report}\n"))], &[]);
        incomplete(&said)
    };
    assert_eq!(report(9), Vec::<String>::new());
    assert!(report(10)[0].contains("first page of keys of each region"));
}

// ---------------------------------------------------------------------------------------------------
// What is added by hand.

/// A value that says something new about the key of the replies below.
fn sample_value(field: Field) -> Option<Value> {
    Some(match field {
        Field::KeyId => json!("another"),
        Field::Arn => json!("acs:kms:cn-beijing:9:key/another"),
        Field::AccountId => json!("9"),
        Field::Region => json!("cn-beijing"),
        Field::Aliases => json!("alias/acs/oss"),
        Field::Resource => json!("secret"),
        Field::Instance => json!("kst-hzz1"),
        Field::ManagerType | Field::Creator | Field::KeyType => json!("service"),
        Field::Origin => json!("EXTERNAL"),
        Field::Rotation => json!("Suspended"),
        Field::RotationInterval => json!("365d"),
        Field::NextRotation => json!("2031-01-01"),
        Field::Versions => json!(7),
        Field::Usage => json!("both"),
        Field::Operations => json!(["ReEncrypt"]),
        Field::Languages => json!(["PHP"]),
        Field::Network => json!("internet"),
        Field::MultipleVersions => json!("yes"),
        Field::InVpc => json!("no"),
        Field::Services | Field::Applications | Field::Owner | Field::MigrationWindow | Field::TerraformAddress => {
            json!("x")
        }
        Field::KeyVersionId => json!("v9"),
        Field::State => json!("PendingDeletion"),
        Field::KeySpec => json!("RSA_2048"),
        Field::KeyUsage => json!("SIGN/VERIFY"),
        Field::ProtectionLevel => json!("HSM"),
        Field::ServiceUse => json!("seen"),
        // These decide nothing by themselves.
        Field::Created | Field::LastRotation | Field::PrimaryVersion | Field::Description | Field::Tags => return None,
    })
}

/// Everything that is known after reading a text: rejects, and of each key identity, facts and texts.
fn known(content: &str, book: &Rulebook) -> (u64, Vec<String>) {
    let survey = survey_bytes("t.json", content.as_bytes(), None, book).unwrap();
    let key = |key: cmkdiag::inventory::survey::Key<'_>| {
        let texts: Vec<_> = FIELDS.iter().map(|spec| key.texts(Extra::Field(spec.field)).join(",")).collect();
        let facts = (&survey.shapes()[key.shape as usize], key.aside());
        format!(
            "{} {} {} {:?} {facts:?} {texts:?} {:?}",
            key.key_id(),
            key.account_id(),
            key.region(),
            key.aliases(),
            key.next_rotation()
        )
    };
    (survey.account.rejected, survey.keys().map(key).collect())
}

/// The places of all objects inside a value, as pointers.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(at.to_owned());
            members.iter().for_each(|(name, value)| objects(value, &format!("{at}/{name}"), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(n, value)| objects(value, &format!("{at}/{n}"), found))
        }
        _ => {}
    }
}

#[test]
fn nothing_that_was_added_to_a_reply_is_ignored() {
    let book = Rulebook::load(&CMK, None, None).unwrap();
    let metadata = replies()["describe-key.json"][0]["KeyMetadata"].clone();
    let resource = json!({"AccountId": "1", "RegionId": "r", "ResourceId": "k", "ResourceType": "ACS::KMS::Key"});
    let detail = json!({"Region": "cn-hangzhou", "ResourceId": metadata["KeyId"], "ResourceType": "ACS::KMS::Key", "Configuration": metadata});
    let shapes = [
        replies()["describe-key.json"][0].clone(),
        json!({"headers": {}, "body": {"RequestId": "x", "KeyMetadata": metadata}}),
        metadata.clone(),
        reply("list-keys-cn-shanghai-1.json"),
        replies()["list-key-versions.jsonl"][2].clone(),
        json!({"RequestId": "x", "KeyVersion": {"KeyId": "k", "KeyVersionId": "v", "CreationDate": "2021-01-01"}}),
        reply("list-aliases-by-key-id.json"),
        reply("list-resource-tags.json"),
        json!({"RequestId": "x", "TagResources": {"TagResource": [{"ResourceId": "k", "ResourceType": "key", "TagKey": "a", "TagValue": "b"}]}}),
        resource.clone(),
        json!({"RequestId": "x", "DiscoveredResourceProfiles": {"DiscoveredResourceProfileList": [resource], "TotalCount": 1}}),
        json!({"RequestId": "x", "DiscoveredResourceDetail": detail}),
        json!({"headers": {}, "body": {"RequestId": "x", "Resources": [resource]}}),
    ];
    let mut tried = 0;
    for shape in shapes {
        let before = known(&shape.to_string(), &book);
        assert_eq!(before.0, 0, "{shape}");
        let mut places = Vec::new();
        objects(&shape, "", &mut places);
        for place in places.iter().filter(|place| !place.ends_with("/headers")) {
            for spec in &FIELDS {
                let Some(value) = sample_value(spec.field) else { continue };
                let mut changed = shape.clone();
                let members = changed.pointer_mut(place).unwrap().as_object_mut().unwrap();
                if members.keys().any(|name| Field::from_header(name) == Some(spec.field)) {
                    continue;
                }
                members.insert(spec.name.to_owned(), value);
                let after = known(&changed.to_string(), &book);
                assert!(after.0 > 0 || after.1 != before.1, "{} at `{place}` of {shape}", spec.name);
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

/// A rejected reply leaves its keys undetermined, whatever else is known of them.
#[test]
fn a_reply_that_cannot_be_used_taints_its_keys() {
    let inventory = "key_id,aliases,origin,rotation,versions,instance\nk,alias/a,Aliyun_KMS,Disabled,1,default\n";
    for reply in [
        json!({"RequestId": "x", "origin": "EXTERNAL", "KeyMetadata": {"KeyId": "k"}}),
        json!({"body": {"RequestId": "x", "KeyMetadata": {"Arn": "acs:kms:r:1:key/k"}}, "origin": "EXTERNAL"}),
        json!({"KeyId": "k", "KeyMetadata": {"KeyId": "k", "Origin": "EXTERNAL"}}),
        json!({"RequestId": "x", "KeyVersions": {"KeyVersion": [{"KeyId": "k", "KeyVersionId": "v", "origin": "EXTERNAL"}]}}),
        json!({"RequestId": "x", "Aliases": {"Alias": [{"KeyId": "k", "AliasName": "alias/acs/oss", "origin": "EXTERNAL"}]}}),
        json!({"key_id": "k", "origin": "EXTERNAL", "instances": [{"id": "i-1"}]}),
        json!({"Keys": {"Key": {"KeyId": "k", "Origin": "EXTERNAL"}}}),
    ] {
        let files = [("k.csv".to_owned(), inventory.to_owned()), ("r.json".to_owned(), reply.to_string())];
        let said = diagnose_files(&files, &[]);
        assert_eq!(said["summary"]["records"]["rejected"], 1, "{reply}");
        assert_eq!(keys(&said)["k"]["class"], "undetermined", "{reply}");
    }
}

#[test]
fn a_reply_that_is_cut_off_taints_the_key_in_which_it_ends() {
    let inventory = "key_id,aliases,origin,rotation,versions,instance\nk,alias/a,Aliyun_KMS,Disabled,1,default\n";
    let cut = "{\n\"KeyMetadata\": {\"KeyId\": \"k\", \"Origin\": \"EXTERNAL\"";
    let files = [("k.csv".to_owned(), inventory.to_owned()), ("r.json".to_owned(), cut.to_owned())];
    assert_eq!(keys(&diagnose_files(&files, &[]))["k"]["class"], "undetermined");
}

/// What is no JSON of the tool, or holds resources in another way, is a reject and not nothing.
#[test]
fn documents_that_are_not_what_they_seem_are_rejected() {
    let state = |resource: Value| json!({"version": 4, "terraform_version": "1.13.1", "serial": 1, "lineage": "x", "resources": [resource]});
    let shown = |module: Value| json!({"format_version": "1.0", "values": {"root_module": module}});
    let scout = |keys: Value| json!({"account_id": "1", "provider_code": "aliyun", "services": {"kms": {"regions": {"r": {"keys": keys}}}}});
    let resource = |instances: Value| {
        state(json!({"mode": "managed", "type": "alicloud_kms_key", "name": "a", "instances": instances}))
    };
    for document in [
        resource(json!([{"attributes_flat": {"id": "k"}}])),
        resource(json!({"attributes": {"id": "k"}})),
        json!({"version": 3, "terraform_version": "0.11.1", "modules": [{"path": ["root"], "resources": {}}]}),
        shown(json!({"resources": {"address": "a"}})),
        shown(json!({"child_modules": {"resources": []}})),
        shown(json!({"resources": [{"type": "alicloud_kms_key", "address": "a", "values": null}]})),
        json!({"format_version": "1.0", "keys": [{"key_id": "k"}]}),
        scout(json!(["k"])),
        scout(json!({"k": "k"})),
    ] {
        let folder = folder();
        let other = put(&folder, "k.csv", "key_id\nother\n");
        let (_, said) = diagnose(&[&other, &put(&folder, "document.json", document.to_string())]);
        assert_eq!(said["summary"]["records"]["rejected"], 1, "{document}");
    }
    for document in [shown(json!({})), json!({"format_version": "1.0"}), scout(json!({})), scout(Value::Null)] {
        let folder = folder();
        let other = put(&folder, "k.csv", "key_id\nother\n");
        let (_, said) = diagnose(&[&other, &put(&folder, "document.json", document.to_string())]);
        assert_eq!(said["summary"]["records"]["rejected"], 0, "{document}");
    }
}

/// What follows a state and is none is told, and what stands before it counts.
#[test]
fn states_one_behind_the_other_count_as_far_as_they_go() {
    let state = std::fs::read_to_string(format!("{FORMATS}/terraform.tfstate")).unwrap();
    let alone = keys(&diagnose(&[&format!("{FORMATS}/terraform.tfstate")]).1);
    let cut = &state[..state.len() / 2];
    let said = diagnose_files(&[("states.json".to_owned(), format!("{state}\n{cut}"))], &[]);
    assert_eq!(said["summary"]["records"]["rejected"], 1);
    let (both, mut named) = (keys(&said), 0);
    assert_eq!(both.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>());
    for (id, key) in &both {
        if cut.contains(id.as_str()) {
            named += 1;
            assert_eq!(key["class"], "undetermined", "nobody knows what the second state says of {id}");
        } else {
            assert_eq!(key, &alone[id]);
        }
    }
    assert!((1..both.len()).contains(&named), "{named} of {}", both.len());
}

#[test]
fn replies_under_the_ids_of_keys_are_read_and_must_fit_them() {
    let id = |number: u32| format!("00000000-0000-4000-8000-00000000000{number}");
    let metadata = |number: u32| json!({"KeyMetadata": {"KeyId": id(number), "Origin": "EXTERNAL", "CreationDate": "2021-05-20T06:34:21Z"}});
    let content = json!({id(1): metadata(1), id(2): {"key_id": id(2), "origin": "EXTERNAL"}, id(3): metadata(4), id(5): {"origin": "x"}});
    let said = diagnose_files(&[("keys.json".to_owned(), format!("{content:#}"))], &[]);
    let found = keys(&said);
    for number in [1, 2] {
        assert_eq!(found[&id(number)]["facts"]["origin"]["value"], "EXTERNAL", "{said:#}");
    }
    assert_eq!(said["summary"]["records"], json!({"read": 4, "diagnosed": 2, "rejected": 2, "exact_duplicates": 0}));
    let second = list(&said["keys"]).iter().find(|key| text(&key["key_id"]) == id(2)).unwrap();
    assert_eq!(second["origins"][0]["line"], 9, "{said:#}");
}

#[test]
fn what_carries_no_records_of_keys_says_what_it_is() {
    let resource = |value: Value| json!({"address": "alicloud_kms_key.a", "mode": "managed", "type": "alicloud_kms_key", "name": "a", "values": value});
    let template =
        json!({"ROSTemplateFormatVersion": "2015-09-01", "Resources": {"Key": {"Type": "ALIYUN::KMS::Key"}}});
    for (content, says) in [
        (resource(json!({"id": "k", "origin": "EXTERNAL"})).to_string(), "a resource of Terraform (alicloud_kms_key)"),
        (json!({"schema_version": 0, "attributes": {"id": "k"}}).to_string(), "an instance of a resource of Terraform"),
        (template.to_string(), "a template of Resource Orchestration Service"),
        (
            "ROSTemplateFormatVersion: '2015-09-01'\nResources:\n  Key:\n    Type: ALIYUN::KMS::Key\n".to_owned(),
            "ALIYUN::KMS::Key",
        ),
    ] {
        let folder = folder();
        let ran = run(&["diagnose", &put(&folder, "thing.json", &content)]);
        assert!(ran.code == 4 && ran.err.contains(says), "{content}: {}", ran.err);
    }
}

#[test]
fn states_and_reports_in_a_folder_are_not_overlooked() {
    let folder = folder();
    for name in ["terraform.tfstate", "scoutsuite_results_aliyun-example.js"] {
        put(&folder, name, std::fs::read(format!("{FORMATS}/{name}")).unwrap());
    }
    put(&folder, "exceptions.js", "exceptions =\n{}\n");
    let (_, said) = diagnose(&[folder.path().to_str().unwrap()]);
    assert_eq!(said["summary"]["records"], json!({"read": 34, "diagnosed": 34, "rejected": 0, "exact_duplicates": 0}));
}

// ---------------------------------------------------------------------------------------------------
// Inferences.

#[test]
fn an_inferred_number_of_versions_is_a_condition_and_can_be_turned_off() {
    for sample in ["steampipe.csv", "terraform.tfstate", "terraform-show.json", "api/describe-key.json"] {
        let path = format!("{FORMATS}/{sample}");
        let with = keys(&diagnose(&[&path]).1);
        let without = keys(&diagnose(&[&path, "--no-inference"]).1);
        for (id, key) in &with {
            if key["facts"]["versions"]["grade"] == "inferred" && key["class"] == "migratable" {
                let is_named = list(&key["conditions"]).iter().any(|condition| condition["fact"] == "versions");
                assert!(is_named && key["confirmed"] == false, "{sample}: {id}");
            }
            assert_ne!(without[id]["class"], "migratable", "{sample}: {id}");
            assert_ne!(without[id]["facts"]["versions"]["grade"], "inferred", "{sample}: {id}");
        }
    }
}

#[test]
fn numbers_of_versions_that_contradict_the_dates_are_a_conflict() {
    let id = "00000000-0000-4000-8000-000000000103";
    let path = format!("{FORMATS}/api");
    // Stated by hand, or counted before the key was rotated.
    let by_hand = (String::from("more.csv"), format!("key_id,versions\n{id},1\n"));
    let counted =
        json!({"RequestId": "x", "TotalCount": 1, "KeyVersions": {"KeyVersion": [{"KeyId": id, "KeyVersionId": "v"}]}});
    let described = replies()["describe-key.json"][2].to_string();
    let mut added = replies()["describe-key.json"][2].clone();
    added["KeyMetadata"]["versions"] = json!(1);
    for (name, files) in [
        ("by hand", vec![by_hand, ("d.json".to_owned(), described.clone())]),
        ("counted", vec![("v.json".to_owned(), counted.to_string()), ("d.json".to_owned(), described)]),
        ("inside the reply", vec![("d.json".to_owned(), added.to_string())]),
    ] {
        let aliases = std::fs::read_to_string(format!("{path}/list-aliases-cn-hangzhou.json")).unwrap();
        let files = [files, vec![("a.json".to_owned(), aliases)]].concat();
        let key = keys(&diagnose_files(&files, &[])).remove(id).unwrap();
        assert_eq!(key["facts"]["versions"]["grade"], "conflict", "{name}: {}", key["facts"]);
        assert!(key["class"] != "migratable", "{name}");
    }
}

#[test]
fn a_version_that_terraform_made_is_no_sign_of_a_single_one() {
    let key = json!({"id": "k", "dkms_instance_id": "", "origin": "Aliyun_KMS", "automatic_rotation": "Disabled", "key_spec": "RSA_2048"});
    let resource =
        |kind: &str, mode: &str, values: Value| json!({"address": "a.b", "mode": mode, "type": kind, "values": values});
    let version = |mode, id: &str| {
        resource(
            "alicloud_kms_key_version",
            mode,
            json!({"id": format!("k:{id}"), "key_id": "k", "key_version_id": id}),
        )
    };
    // The key once more, as another part of the state tells of it.
    let primary =
        |id: &str| resource("alicloud_kms_keys", "data", json!({"keys": [{"id": "k", "primary_key_version": id}]}));
    for (more, class) in [
        (vec![version("managed", "v2")], "undetermined"),
        (vec![version("managed", "v2"), version("managed", "v3")], "blocked"),
        (vec![version("managed", "v2"), version("data", "v1")], "blocked"),
        (vec![version("managed", "v2"), primary("v1")], "blocked"),
        (vec![version("managed", "v2"), primary("v2")], "undetermined"),
    ] {
        let alias = resource("alicloud_kms_alias", "managed", json!({"alias_name": "alias/a", "key_id": "k"}));
        let all = [vec![resource("alicloud_kms_key", "managed", key.clone()), alias], more].concat();
        let shown = json!({"format_version": "1.0", "values": {"root_module": {"resources": all}}});
        let said = diagnose_files(&[("show.json".to_owned(), shown.to_string())], &[]);
        assert_eq!(keys(&said)["k"]["class"], class);
    }
}

/// Two keys whose ids are masked alike may have the same facts.
#[test]
fn rows_of_one_masked_id_are_no_duplicates() {
    for id in ["key-hzz****0001", "key-hzz…0001", "0f5a1c1e-xxxx-xxxx-xxxx-3d0c6a7b1f01", "key-hzz...0001"] {
        let row = format!("{id},alias/a,Aliyun_KMS,Disabled,1,default\n");
        let table = format!("key_id,aliases,origin,rotation,versions,instance\n{row}{row}");
        let said = diagnose_files(&[("k.csv".to_owned(), table)], &[]);
        assert_eq!(said["summary"]["records"]["exact_duplicates"], 0, "{id}");
        let keys = keys(&said);
        assert!(keys.len() == 1 && keys.values().all(|key| key["class"] == "undetermined"), "{id}");
        assert!(incomplete(&said).iter().any(|note| note.contains("masked id that several records share")), "{id}");
    }
}

#[test]
fn an_alias_that_resembles_that_of_a_service_key_is_told() {
    for alias in [
        "alias/ACS/oss",
        "alias//acs/oss",
        "alias/acs",
        "alias/acs/",
        "acs/oss",
        "ａｌｉａｓ/acs/oss",
        "alias/acs/ｏｓｓ",
        "alias/acs\u{200b}/oss",
        "alias/acs/oss\u{200b}",
        "alias/аcs/oss",
        "alias/acѕ/oss",
        "alias\\acs\\oss",
    ] {
        let list = json!([{"key_id": "k", "aliases": [alias], "origin": "Aliyun_KMS", "instance": "default"}]);
        let said = diagnose_files(&[("k.json".to_owned(), list.to_string())], &[]);
        let key = &keys(&said)["k"];
        let told: Vec<&str> = list_of(&key["advisories"], "rule");
        assert!(told.contains(&"look-alike-alias") && key["class"] != "service-key", "{alias}: {key}");
    }
    let list = json!([{"key_id": "k", "aliases": ["alias/acme"], "instance": "default"},
        {"key_id": "l", "aliases": ["alias/sacs/oss"], "instance": "default"}]);
    let said = diagnose_files(&[("k.json".to_owned(), list.to_string())], &[]);
    assert!(keys(&said).values().all(|key| !list_of(&key["advisories"], "rule").contains(&"look-alike-alias")));
}

fn list_of<'v>(values: &'v Value, member: &str) -> Vec<&'v str> {
    list(values).iter().map(|value| text(&value[member])).collect()
}

/// One version of a list that does not say how many there are, or of several lists put together, is no proof.
#[test]
fn only_a_whole_list_of_versions_proves_that_there_is_one() {
    let inventory = "key_id,aliases,origin,rotation,instance\nk,alias/a,Aliyun_KMS,Disabled,default\n";
    let version = |key: &str, id: &str| json!({"KeyId": key, "KeyVersionId": id});
    let of = |versions: &[Value], total: Option<u64>| {
        let reply = json!({"RequestId": "x", "TotalCount": total, "KeyVersions": {"KeyVersion": versions}});
        let files = [("k.csv".to_owned(), inventory.to_owned()), ("v.json".to_owned(), reply.to_string())];
        let said = diagnose_files(&files, &[]);
        (keys(&said)["k"]["facts"]["versions"].clone(), incomplete(&said).join(" "))
    };
    let grade = |(fact, _): &(Value, String)| text(&fact["grade"]).to_owned();
    assert_eq!(grade(&of(&[version("k", "v")], Some(1))), "measured");
    assert_eq!(grade(&of(&[version("k", "v")], None)), "inferred");
    assert_eq!(grade(&of(&[version("k", "v"), version("l", "w")], Some(2))), "measured");
    let merged = of(&[version("k", "v"), version("l", "w")], Some(3));
    assert_eq!(grade(&merged), "inferred");
    assert!(merged.1.contains("versions of 2 keys with a TotalCount that is not their number (2)"), "{}", merged.1);
    let several = of(&[version("k", "v"), version("k", "w")], None);
    assert_eq!((grade(&several).as_str(), text(&several.0["value"])), ("measured", "several"));
    assert!(text(&of(&[version("k", "v")], None).0["because"]).contains("one-version-listed"));
}

#[test]
fn what_a_source_leaves_empty_is_told() {
    let told = |content: Value| {
        let said = diagnose_files(&[("x.json".to_owned(), content.to_string())], &[]);
        let notes = list_of(&said["summary"]["notes"], "text").join("\n");
        (said["summary"]["keys"].as_u64().unwrap(), notes)
    };
    let resource = |configuration: Value| {
        json!({"DiscoveredResourceDetail": {"ResourceType": "ACS::KMS::Key", "ResourceId": "k", "AccountId": "1",
            "Region": "cn-hangzhou", "Configuration": configuration}})
    };
    for configuration in [json!("see the console"), json!([1]), json!("{cut")] {
        let (keys, notes) = told(resource(configuration));
        assert!(keys == 1 && notes.contains("the Configuration of the key k is no object of JSON"), "{notes}");
    }
    let (_, notes) = told(resource(json!("{\"KeyId\": \"k\"}")));
    assert!(!notes.contains("no object"), "{notes}");
    let aliases = json!([{"KeyId": "k", "Origin": "EXTERNAL"},
        {"RequestId": "x", "TotalCount": 0, "Aliases": {"Alias": []}}]);
    let (keys, notes) = told(aliases);
    assert!(keys == 1 && notes.contains("a reply about aliases that names none"), "{notes}");
    let ids = json!({"format_version": "1.0", "values": {"root_module": {"resources": [{"address": "data.a.b",
        "mode": "data", "type": "alicloud_kms_keys", "values": {"ids": ["k", "l"], "keys": null}}]}}});
    let (keys, notes) = told(ids);
    assert!(keys == 2 && notes.contains("2 key(s) are named") && notes.contains("not described"), "{notes}");
}

/// Keys that a file names in a part that could not be read are undetermined, whatever else is known of them.
#[test]
fn what_could_not_be_read_taints_the_keys_that_it_names() {
    const ID: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";
    let good =
        format!("key_id,aliases,origin,rotation,versions,instance\n{ID},alias/a,Aliyun_KMS,Disabled,1,default\n");
    let class = |name: &str, content: &str| {
        let files = [("good.csv".to_owned(), good.clone()), (name.to_owned(), content.to_owned())];
        text(&keys(&diagnose_files(&files, &[]))[ID]["class"]).to_owned()
    };
    assert_eq!(class("other.csv", "key_id\nk\n"), "migratable");
    for (name, content) in [
        ("no-header.csv", format!("{ID};ReEncrypt\nx;y\n")),
        ("open-quote.csv", format!("key_id,operations\nk,\"Encrypt\n{ID},ReEncrypt\n")),
        ("ragged.csv", format!("key_id,operations\nk,Encrypt,,\n{ID}\n")),
        ("swapped.csv", format!("key_id,operations\nreencrypt on mondays,{ID}\n")),
        (
            "broken.json",
            format!("[{{\"KeyId\": \"k\"}}, oops, {{\"KeyId\": \"{ID}\", \"Operations\": [\"ReEncrypt\"]}}]"),
        ),
        ("python.json", format!("{{'KeyId': '{ID}', 'Operations': None}}\n")),
        ("curly.jsonl", format!("{{“KeyId”: “{ID}”}}\n")),
        ("text.json", json!({"body": json!({"KeyMetadata": {"KeyId": ID}}).to_string()}).to_string()),
        (
            "cut.tfstate",
            format!("{{\"version\": 4, \"terraform_version\": \"1.13.1\", \"resources\": [{{\"id\": \"{ID}\""),
        ),
    ] {
        assert_eq!(class(name, &content), "undetermined", "{name}");
    }
}

/// KMS gives no id twice, so that of two accounts or regions of one id, one is wrong, and nobody knows which is.
#[test]
fn one_id_under_two_accounts_or_regions_is_undetermined() {
    const ID: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";
    let header =
        "key_id,account_id,region,aliases,instance,origin,rotation,versions,usage,operations,languages,network";
    let row = |account: &str, region: &str, operation: &str| {
        format!("{ID},{account},{region},alias/x,default,KMS,no,1,app,{operation},Java,vpc\n")
    };
    for (account, region) in [
        ("prod", "cn-hangzhou"),
        ("prod (1234567890123456)", "cn-hangzhou"),
        ("1234567890123450", "cn-hangzhou"),
        ("1234567890123456", "cn-hangzhuo"),
        ("1234567890123456", "cn-shanghai"),
    ] {
        let rows =
            format!("{}{}", row("1234567890123456", "cn-hangzhou", "Encrypt"), row(account, region, "ReEncrypt"));
        let folder = folder();
        let file = put(&folder, "k.csv", format!("{header}\n{rows}"));
        let (_, said) = diagnose(&[&file]);
        let keys = list(&said["keys"]);
        assert!(keys.iter().all(|key| key["class"] == "undetermined"), "{account} {region}");
        let notes = incomplete(&said).join("\n");
        assert!(keys.len() == 1 || notes.contains("stands under several accounts or regions"), "{account}: {notes}");
    }
}

/// What a rejected record says concerns the key, however it names it.
#[test]
fn records_that_name_a_key_in_another_way_leave_it_undetermined() {
    const ID: &str = "0f5a1111-2222-4333-8444-555566667b01";
    let header = "key_id,aliases,instance,origin,rotation,versions,usage,operations,languages,network";
    let rest = |alias: &str, operation: &str| {
        format!("{alias},default,Aliyun_KMS,Disabled,1,self-managed,{operation},Java,vpc")
    };
    let class = |second: &str| {
        let table = format!("{header}\n{ID},{}\n{second}\n", rest("alias/a", "Encrypt"));
        let said = diagnose_files(&[("k.csv".to_owned(), table)], &[]);
        text(&keys(&said)[ID]["class"]).to_owned()
    };
    assert_eq!(class(&format!("k2,{}", rest("alias/b", "ReEncrypt"))), "migratable");
    for named in [
        "",
        "alias/a",
        "acs:kms:cn-hangzhou:1:alias/a",
        "****",
        "0f5a****7b01",
        "0f5a1111-2222-4333…",
        &ID.replace('-', "–"),
        &ID.replace('-', ""),
        &format!("**{ID}**"),
        &format!("#{ID}"),
        &format!("{ID} (prod)"),
        &format!("\"{ID}\n05754286-3ba2-4fa6-8d41-4323aca60001\""),
    ] {
        let alias = if named == "****" { "alias/a" } else { "" };
        let found = class(&format!("{named},{}", rest(alias, "ReEncrypt")));
        assert!(matches!(found.as_str(), "undetermined" | "blocked"), "{named}: {found}");
    }
}

#[test]
fn a_list_of_aliases_that_lacks_some_does_not_say_what_a_key_has() {
    const ID: &str = "0f5a1111-2222-4333-8444-555566667b01";
    let inventory = format!("key_id,origin,rotation,versions,instance\n{ID},Aliyun_KMS,Disabled,1,default\n");
    let class = |total: u64| {
        let alias = json!({"KeyId": ID, "AliasName": "alias/a", "AliasArn": "acs:kms:cn-hangzhou:1:alias/a"});
        let reply = json!({"RequestId": "x", "TotalCount": total, "Aliases": {"Alias": [alias]}});
        let said =
            diagnose_files(&[("k.csv".to_owned(), inventory.clone()), ("a.json".to_owned(), reply.to_string())], &[]);
        text(&keys(&said)[ID]["class"]).to_owned()
    };
    assert_eq!((class(1).as_str(), class(2).as_str()), ("migratable", "undetermined"));
}

#[test]
fn without_inference_dates_still_contradict_what_is_stated() {
    let table = "key_id,aliases,instance,origin,rotation,versions,key_spec,created,last_rotation\n\
        k,alias/a,default,Aliyun_KMS,Disabled,1,Aliyun_AES_256,2021-05-20,2024-05-20\n";
    for more in [&[][..], &["--no-inference"]] {
        let said = diagnose_files(&[("k.csv".to_owned(), table.to_owned())], more);
        assert_eq!(keys(&said)["k"]["class"], "undetermined", "{more:?}");
    }
}

#[test]
fn dates_are_compared_that_different_records_give() {
    let created = |created: &str| {
        format!(
            "key_id,aliases,instance,origin,rotation,versions,key_spec,created\n\
            k,alias/a,default,Aliyun_KMS,Disabled,1,Aliyun_AES_256,{created}\n"
        )
    };
    let of_files = |one: String, other: String| {
        let said = diagnose_files(&[("k.csv".to_owned(), one), ("l.csv".to_owned(), other)], &[]);
        text(&keys(&said)["k"]["class"]).to_owned()
    };
    let classes = |created_at: &str, last: &str| {
        let rotated = format!("key_id,last_rotation\nk,{last}\n");
        let orders = [(created(created_at), rotated.clone()), (rotated.clone(), created(created_at))];
        let both = orders.map(|(one, other)| of_files(one, other));
        assert_eq!(both[0], both[1]);
        let objects = format!("[{{\"key_id\":\"k\",\"last_rotation\":\"{last}\"}}]");
        assert_eq!(of_files(created(created_at), objects), both[0]);
        both[0].clone()
    };
    assert_eq!(classes("2021-05-20", "2024-05-20"), "undetermined");
    assert_eq!(classes("2021-05-20", "2021-05-20"), "migratable");
    assert_eq!(classes("5/6/2021", "5/6/2021"), "migratable");
    assert_eq!(classes("5/6/2021", "5/8/2021"), "undetermined", "day and month");
    assert_eq!(classes("2021-05-20", "sometime"), "undetermined");
    assert_eq!(classes("sometime", "2021-05-20"), "undetermined");
    assert_eq!(classes("2021-05-20", "never"), "migratable");
}
