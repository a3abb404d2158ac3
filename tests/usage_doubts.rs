//! What a log leaves open although it names a key: how operations, ids and places are written, which operations nobody
//! knows, and what changed while it was written. None of that is confirmed away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use serde_json::{Value, json};

mod program;
use program::{Ran, folder, put, run};

const ACCOUNT: &str = "1234567890123456";
const ONE: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";
const OTHER: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f02";
const NEWER: &str = "key-hzz65f3a1b2c4d5e6f7a8";

const GO: &str = "AlibabaCloud (linux; amd64) Golang/1.21.6 Core/0.01 TeaDSL/1";
const NODE: &str = "AlibabaCloud (linux; x64) Node.js/v18.17.1 Core/1.0.1 TeaDSL/1";
const CLI: &str = "AlibabaCloud (linux; amd64) Golang/1.21 Core/0.01 TeaDSL/2 Aliyun-CLI/3.0.200";

/// The hours of the log: 31 days, in each of which the first key encrypts.
const HOURS: i64 = 31 * 24;

/// What is to be confirmed of a key of which nobody knows who uses it.
const ALL_OF_USE: [&str; 4] = ["operations", "languages", "network", "application_use"];

/// And of one of which calls were seen.
const SEEN: [&str; 3] = ["operations", "languages", "network"];

fn time(hour: i64) -> String {
    (jiff::Timestamp::constant(1_790_812_800, 0) + jiff::SignedDuration::from_hours(hour)).to_string()
}

/// An event with these members besides, or instead.
fn call(hour: i64, operation: &str, request: &Value, changes: &Value) -> Value {
    let mut event = json!({
        "eventId": format!("{hour}-{operation}-{request}-{changes}"), "eventTime": time(hour), "eventName": operation,
        "eventRW": "Read", "serviceName": "Kms", "acsRegion": "cn-hangzhou", "recipientAccountId": ACCOUNT,
        "requestParameters": request, "userAgent": GO, "vpcId": "vpc-bp1example", "sourceIpAddress": "10.0.3.17",
        "userIdentity": {"type": "assumed-role", "userName": "orders-svc:one"},
    });
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

/// A call with a key.
fn with(hour: i64, operation: &str, key: &str) -> Value {
    call(hour, operation, &json!({"KeyId": key}), &json!({}))
}

fn by(agent: &str, hour: i64, operation: &str, request: &Value) -> Value {
    call(hour, operation, request, &json!({"userAgent": agent}))
}

/// A call that manages keys.
fn manage(hour: i64, operation: &str, request: &Value) -> Value {
    call(hour, operation, request, &json!({"userAgent": CLI, "eventRW": "Write"}))
}

const HEAD: &str = "key_id,account_id,region,aliases,instance,origin,rotation,versions\n";

fn inventory(keys: &[(&str, &str)]) -> String {
    let row =
        |(key, alias): &(&str, &str)| format!("{key},{ACCOUNT},cn-hangzhou,{alias},default,Aliyun_KMS,Disabled,1\n");
    HEAD.to_owned() + &keys.iter().map(row).collect::<String>()
}

/// The log and the verdicts: of each key its class and the facts that are conditions.
struct Case {
    inventory: String,
    base: Vec<Value>,
}

impl Case {
    fn new() -> Case {
        Case::of(&inventory(&[(ONE, "alias/one"), (OTHER, "alias/other")]), ONE)
    }

    /// An inventory, and a log in which one key encrypts.
    fn of(inventory: &str, used: &str) -> Case {
        Case { inventory: inventory.to_owned(), base: (0..HOURS).map(|hour| with(hour, "Encrypt", used)).collect() }
    }

    fn run(&self, events: &[Value], more: &[&str]) -> Ran {
        let folder = folder();
        let text: String = self.base.iter().chain(events).map(|event| format!("{event}\n")).collect();
        let (keys, log) = (put(&folder, "keys.csv", &self.inventory), put(&folder, "log.jsonl", text));
        let networks = put(&folder, "networks.csv", "10.8.0.0/16,data-centre\n");
        let more: Vec<&str> =
            more.iter().map(|word| if *word == "NETWORKS" { networks.as_str() } else { word }).collect();
        let arguments =
            ["diagnose", &keys, "--events", &log, "--as-of", "2026-11-02", "--format", "json", "--no-progress"];
        run(&[&arguments[..], &more].concat())
    }

    fn keys(&self, events: &[Value], more: &[&str]) -> Vec<Value> {
        let ran = self.run(events, more);
        assert!([0, 3].contains(&ran.code), "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["keys"].as_array().unwrap().clone()
    }

    fn verdicts(&self, events: &[Value], more: &[&str]) -> Vec<(String, Vec<String>)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let verdict = |key: &Value| {
            let conditions = key["conditions"].as_array().unwrap().iter();
            (text(&key["class"]), conditions.map(|condition| text(&condition["fact"])).collect())
        };
        self.keys(events, more).iter().map(verdict).collect()
    }

    /// What is expected of both keys: the class, and what is to be confirmed.
    fn are(&self, events: &[Value], expected: [(&str, &[&str]); 2]) {
        self.are_with(&[], events, expected);
    }

    fn are_with(&self, more: &[&str], events: &[Value], expected: [(&str, &[&str]); 2]) {
        let verdicts = self.verdicts(events, more);
        let verdicts: Vec<(&str, Vec<&str>)> = verdicts
            .iter()
            .map(|(class, conditions)| (class.as_str(), conditions.iter().map(String::as_str).collect()))
            .collect();
        let shown = events.iter().take(3).map(Value::to_string).collect::<String>();
        assert_eq!(verdicts, expected.map(|(class, conditions)| (class, conditions.to_vec())), "{shown}");
    }
}

const GREEN: (&str, &[&str]) = ("migratable", &[]);
const BLOCKED: (&str, &[&str]) = ("blocked", &[]);
const OPEN: (&str, &[&str]) = ("migratable", &["operations"]);
/// The same of a key without any call.
const UNUSED: (&str, &[&str]) = ("migratable", &ALL_OF_USE);

#[test]
fn without_anything_else_both_keys_are_migratable() {
    Case::new().are(&[], [GREEN, GREEN]);
}

#[test]
fn an_alias_that_the_log_gives_to_another_key_may_mean_any() {
    let give =
        |hour: i64, key: &str, alias: &str| manage(hour, "CreateAlias", &json!({"KeyId": key, "AliasName": alias}));
    let export = with(90, "GenerateAndExportDataKey", "alias/other");
    let case = Case::new();
    let own = with(80, "Encrypt", OTHER);
    // As often as the other key got an alias, this one was given to somebody; it was another all the same.
    let stale = [give(30, ONE, "alias/other"), give(31, OTHER, "alias/new"), export.clone(), own.clone()];
    case.are(&stale, [OPEN, OPEN]);
    case.are(&[give(30, ONE, "alias/other"), give(31, OTHER, "alias/one"), export.clone(), own.clone()], [OPEN, OPEN]);
    case.are(&[give(30, OTHER, "alias/other"), export.clone(), own.clone()], [GREEN, BLOCKED]);
    let arn = format!("acs:kms:cn-hangzhou:{ACCOUNT}:key/{OTHER}");
    let alias = format!("acs:kms:cn-hangzhou:{ACCOUNT}:alias/other");
    case.are(&[give(30, &arn, &alias), export.clone()], [GREEN, BLOCKED]);
    // The key is not sure.
    for key in ["alias/one", "***", ""] {
        case.are(&[give(30, key, "alias/other"), export.clone(), own.clone()], [OPEN, OPEN]);
    }
}

#[test]
fn results_tell_to_which_key_an_alias_was_given_however_they_are_divided() {
    let give = |hour: i64, key: &str| manage(hour, "CreateAlias", &json!({"KeyId": key, "AliasName": "alias/other"}));
    let rotate = |hour: i64, on: &str| {
        manage(hour, "UpdateRotationPolicy", &json!({"KeyId": ONE, "EnableAutomaticRotation": on}))
    };
    let created =
        json!({"userAgent": CLI, "responseElements": {"KeyMetadata": {"KeyId": OTHER, "Origin": "EXTERNAL"}}});
    let events = [
        give(3, ONE),
        rotate(4, "true"),
        call(6, "CreateKey", &json!({}), &created),
        give(5, OTHER),
        rotate(7, "false"),
        with(8, "EnableKey", OTHER),
    ];
    let folder = folder();
    let usage = |name: &str, events: &[Value]| {
        let text: String = events.iter().map(|event| format!("{event}\n")).collect();
        let log = put(&folder, &format!("{name}.jsonl"), text);
        let ran = run(&["usage", "--quiet", &log]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let whole = usage("whole", &events);
    let changes: Vec<Value> = whole
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["changes"] != Value::Null)
        .map(|line| line["changes"].clone())
        .collect();
    let expected = [
        json!({"rotation_first": time(4), "rotation_on": time(4), "rotation_every": 604_800, "rotation_off": time(7)}),
        json!({"external": true, "enabled": time(8)}),
        json!({"given_to": {ONE: 1, OTHER: 1}, "given_first": time(3)}),
    ];
    assert_eq!(changes, expected);
    for cut in 1..events.len() {
        let parts = [&events[..cut], &events[cut..]]
            .map(|part| put(&folder, &format!("{}.usage", part.len()), usage("part", part)));
        if parts[0] != parts[1] {
            let merge = |parts: [&str; 3]| run(&["usage", "merge", "--quiet", parts[0], parts[1], parts[2]]).out;
            assert_eq!(merge([&parts[0], &parts[1], &parts[0]]), whole, "{cut}");
            assert_eq!(merge([&parts[1], &parts[0], &parts[1]]), whole, "{cut}");
        }
    }
}

#[test]
fn operations_are_known_in_every_spelling_by_all_that_ask() {
    let case = Case::new();
    for name in ["ReEncrypt", "kms:ReEncrypt", "Re-Encrypt", " re encrypt ", "KMS.reEncrypt", "ReEncrypt\u{200b}"] {
        let event = call(40, name, &json!({"DestinationKeyId": OTHER}), &json!({}));
        case.are(&[event], [OPEN, BLOCKED]);
    }
    for name in ["kms:CreateKeyVersion", "create-key-version", "CreateKeyVersion"] {
        assert_eq!(case.verdicts(&[with(40, name, OTHER)], &[])[1].0, "undetermined", "{name}");
    }
    for name in ["kms:UpdateAlias", "Update_Alias", "UpdateAlias"] {
        let moved = manage(40, name, &json!({"KeyId": ONE, "AliasName": "alias/other"}));
        case.are(&[moved, with(41, "GenerateAndExportDataKey", "alias/other")], [OPEN, UNUSED]);
    }
}

#[test]
fn a_key_whose_use_may_have_begun_lately_is_not_measured() {
    let case = Case::new();
    let made = call(700, "CreateKey", &json!({}), &json!({"responseElements": {"KeyMetadata": {"KeyId": OTHER}}}));
    case.are(&[made.clone(), with(701, "Decrypt", OTHER)], [GREEN, ("migratable", &SEEN)]);
    // What is in the way stays there.
    case.are(&[made, by(NODE, 701, "Decrypt", &json!({"KeyId": OTHER}))], [GREEN, BLOCKED]);
    let created = inventory(&[(ONE, "alias/one"), (OTHER, "alias/other")])
        .replace("versions\n", "versions,created\n")
        .replace(",1\n", ",1,2026-10-30T20:00:00Z\n");
    Case::of(&created, ONE).are(&[with(701, "Decrypt", OTHER)], [("migratable", &SEEN), ("migratable", &SEEN)]);
    for operation in ["EnableKey", "CancelKeyDeletion"] {
        case.are(&[manage(740, operation, &json!({"KeyId": OTHER}))], [GREEN, ("migratable", &ALL_OF_USE)]);
        case.are(&[manage(740, operation, &json!({"KeyId": "alias/other"}))], [GREEN, ("migratable", &ALL_OF_USE)]);
        // Long enough ago, or in vain.
        case.are(&[manage(10, operation, &json!({"KeyId": OTHER})), with(740, "DescribeKey", OTHER)], [GREEN, GREEN]);
        let failed = json!({"errorCode": "Rejected.Enabled"});
        case.are(&[call(740, operation, &json!({"KeyId": OTHER}), &failed)], [GREEN, GREEN]);
    }
}

#[test]
fn what_may_be_a_part_of_an_id_of_the_inventory_is_no_key_of_its_own() {
    let case = Case::of(&inventory(&[(NEWER, "alias/one"), (OTHER, "alias/other")]), NEWER);
    for name in [
        "key-hzz65f",
        "key-hzz65f3a1b2c4d5e6",
        "key-hzz65f3a1b2c4d5e6f7",
        "key-hidden",
        "key-hzz65f3a1b2c4d5e6f7a8-v1",
        "key-hzz65f3a1b2c4d5e6f7a8v1",
        "key-hzz65fxxxxxxxxxxxxxxx",
        "key-000000000000000000000",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0f5a1c1e-8a51-4b0e-9a5e-000000000000",
        "0f5a1c1e-8a51",
    ] {
        case.are(&[with(40, "GenerateAndExportDataKey", name)], [OPEN, UNUSED]);
    }
    // Whole ids of others are those of others.
    for name in ["key-hzz65f3a1b2c4d5e6f7b9", "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f09"] {
        case.are(&[with(40, "GenerateAndExportDataKey", name)], [GREEN, GREEN]);
    }
    case.are(&[with(40, "GenerateAndExportDataKey", &NEWER.to_uppercase())], [BLOCKED, GREEN]);
}

#[test]
fn a_trail_that_hardly_reads_proves_nothing_of_reads() {
    let mut case = Case::new();
    let said = |case: &mut Case, says: &dyn Fn(usize) -> &'static str| {
        case.base.iter_mut().enumerate().for_each(|(at, event)| event["eventRW"] = json!(says(at)));
    };
    for write in ["Write", "write", "WRITE", " Write", "Write "] {
        said(&mut case, &|_| write);
        case.are(&[], [("migratable", &SEEN), ("migratable", &ALL_OF_USE)]);
    }
    let last = case.base.len() - 1;
    said(&mut case, &|at| if [0, last].contains(&at) { "Read" } else { "Write" });
    case.are(&[], [("migratable", &SEEN), ("migratable", &ALL_OF_USE)]);
    // Nothing reads for nine days.
    said(&mut case, &|at| if (240..456).contains(&at) { "Write" } else { " read" });
    case.are(&[], [("migratable", &SEEN), ("migratable", &ALL_OF_USE)]);
    said(&mut case, &|at| if at % 48 == 0 { "READ" } else { "Write" });
    case.are(&[], [GREEN, GREEN]);
    said(&mut case, &|_| "");
    case.are(&[], [GREEN, GREEN]);
}

#[test]
fn the_endpoint_of_vpcs_proves_nothing_of_public_addresses() {
    let case = Case::new();
    let from = |address: &str, host: &str| {
        let place = json!({"sourceIpAddress": address, "eventSource": host, "vpcId": ""});
        call(40, "Decrypt", &json!({"KeyId": ONE}), &place)
    };
    let vpc = "kms-vpc.cn-hangzhou.aliyuncs.com";
    let open: (&str, &[&str]) = ("migratable", &["network"]);
    for (address, host) in
        [("203.0.113.9", vpc), ("", vpc), ("10.*.*.*", vpc), ("10.0.3.17", "kms-vpc.evil.example.com")]
    {
        case.are(&[from(address, host)], [open, GREEN]);
    }
    case.are(&[from("10.0.3.17", vpc)], [GREEN, GREEN]);
}

#[test]
fn named_networks_are_known_whatever_stands_around_an_address() {
    let case = Case::new();
    let from = |address: &str| call(40, "Decrypt", &json!({"KeyId": ONE}), &json!({"sourceIpAddress": address}));
    let networks = ["--networks", "NETWORKS"];
    for address in ["10.8.0.5", " 10.8.0.5", "10.8.0.5 ", "10.8.0.5:443", "[10.8.0.5]", "\t10.8.0.5"] {
        case.are_with(&networks, &[from(address)], [BLOCKED, GREEN]);
    }
    for address in ["10.8.0.5,100.64.0.1", "", "10.8.*.*", "?"] {
        case.are_with(&networks, &[from(address)], [("migratable", &["network"]), GREEN]);
    }
    case.are_with(&networks, &[from("10.0.3.18")], [GREEN, GREEN]);
}

#[test]
fn failed_calls_with_a_name_that_may_mean_any_key_are_told() {
    let failed =
        |name: &str, operation: &str| call(40, operation, &json!({"KeyId": name}), &json!({"errorCode": "Throttling"}));
    Case::new().are(&[failed("alias/gone", "GenerateAndExportDataKey")], [OPEN, UNUSED]);
    Case::new().are(&[failed("alias/gone", "Encrypt")], [GREEN, GREEN]);
    let both = inventory(&[(ONE, "\"alias/one,alias/both\""), (OTHER, "\"alias/other,alias/both\"")]);
    Case::of(&both, ONE).are(&[failed("alias/both", "GenerateAndExportDataKey")], [OPEN, UNUSED]);
    // A whole id that is in no inventory is one of nobody here.
    Case::new().are(&[failed("0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f09", "GenerateAndExportDataKey")], [GREEN, GREEN]);
}

#[test]
fn an_operation_whose_name_is_like_one_that_blocks_is_a_doubt() {
    let case = Case::new();
    for name in
        ["ReEncryptV2", "BatchReEncrypt", "ExportDataKeyPair", "GenerateAndExportDataKeyPair", "ReEncrypt20160120"]
    {
        let conditions = &case.verdicts(&[with(40, name, OTHER)], &[])[1].1;
        assert!(conditions.contains(&"operations".to_owned()), "{name}: {conditions:?}");
        case.are(&[with(40, name, ONE)], [("migratable", &["operations", "network"]), GREEN]);
        let nameless = call(40, name, &json!({}), &json!({"errorCode": "Throttling"}));
        case.are(&[nameless], [OPEN, UNUSED]);
    }
    let open = &case.keys(&[with(40, "ReEncryptV2", OTHER)], &[])[1]["usage_evidence"]["open"].to_string();
    assert!(open.contains("ReEncryptV2 was called once with the key; nobody knows this operation"), "{open}");
}

#[test]
fn operations_that_nobody_knows_prove_nothing_and_those_that_manage_are_no_use() {
    let case = Case::new();
    for name in [
        "CheckKey",
        "GetKeyInfo",
        "BatchDescribeKey",
        "AddTags",
        "GetTags",
        "ValidateKey",
        "ModifyKey",
        "RemoveTags",
        "UpgradeKmsInstance",
        "StartBackup",
    ] {
        case.are(&[by(NODE, 40, name, &json!({"KeyId": OTHER}))], [GREEN, GREEN]);
    }
    for name in ["UpgradeKmsInstanceImage", "StartImageUpgradeTask", "ImageUpgradeTask"] {
        case.are(&[by("Mozilla/5.0", 40, name, &json!({"KmsInstanceId": "kst-1"}))], [GREEN, GREEN]);
    }
    // Nobody knows what this is: nothing that follows from it is more than inferred.
    let key = case.keys(&[by(NODE, 40, "ConvertText", &json!({"KeyId": OTHER}))], &[])[1].clone();
    assert_eq!((&key["class"], &key["confirmed"]), (&json!("blocked"), &json!(false)), "{key}");
    let languages = &key["facts"]["languages"];
    assert_eq!((&languages["value"], &languages["grade"]), (&json!("Node.js"), &json!("inferred")));
    case.are(&[with(40, "ConvertText", ONE)], [("migratable", &["network"]), GREEN]);
    case.are(&[by(NODE, 40, "ConvertText", &json!({}))], [("migratable", &["languages"]), ("migratable", &ALL_OF_USE)]);
    // What is known stays known.
    let sure =
        [by(NODE, 40, "ConvertText", &json!({"KeyId": OTHER})), by(NODE, 41, "Decrypt", &json!({"KeyId": OTHER}))];
    case.are(&sure, [GREEN, BLOCKED]);
}

#[test]
fn what_only_keys_with_imported_material_can_is_seen() {
    let case = Case::new();
    for operation in ["GetParametersForImport", "DeleteKeyMaterial", "ImportKeyMaterial"] {
        assert_eq!(case.verdicts(&[with(40, operation, OTHER)], &[])[1].0, "undetermined", "{operation}");
        let failed = json!({"errorCode": "Unsupported.Origin"});
        case.are(&[call(40, operation, &json!({"KeyId": OTHER}), &failed)], [GREEN, GREEN]);
        case.are(&[call(40, operation, &json!({}), &json!({}))], [("migratable", &["origin"]); 2]);
    }
    for made in [
        call(
            2,
            "CreateKey",
            &json!({"Origin": "EXTERNAL"}),
            &json!({"responseElements": {"KeyMetadata": {"KeyId": OTHER}}}),
        ),
        call(
            2,
            "CreateKey",
            &json!({}),
            &json!({"responseElements": {"KeyMetadata": {"KeyId": OTHER, "Origin": "EXTERNAL"}}}),
        ),
    ] {
        assert_eq!(case.verdicts(&[made], &[])[1].0, "undetermined");
    }
    let made = json!({"responseElements": {"KeyMetadata": {"KeyId": OTHER, "Origin": "Aliyun_KMS"}}});
    case.are(&[call(2, "CreateKey", &json!({}), &made)], [GREEN, GREEN]);
}

#[test]
fn rotation_that_was_switched_on_is_a_doubt_until_it_is_switched_off() {
    let case = Case::new();
    let rotate = |hour: i64, key: &str, on: Value| {
        manage(hour, "UpdateRotationPolicy", &json!({"KeyId": key, "EnableAutomaticRotation": on}))
    };
    // Nobody knows how often it rotates, so that it may have got versions.
    let open: (&str, &[&str]) = ("migratable", &["rotation", "versions"]);
    for on in [json!("true"), json!(true), json!("True"), json!("?")] {
        case.are(&[rotate(40, OTHER, on.clone())], [GREEN, open]);
        case.are(&[rotate(40, "alias/other", on.clone())], [GREEN, open]);
        case.are(&[rotate(40, "alias/gone", on)], [open, open]);
    }
    for off in [json!("false"), json!(false)] {
        case.are(&[rotate(40, OTHER, json!(true)), rotate(41, OTHER, off.clone())], [GREEN, GREEN]);
        case.are(&[rotate(41, OTHER, json!(true)), rotate(40, OTHER, off.clone())], [GREEN, open]);
        case.are(&[rotate(40, "alias/gone", off)], [GREEN, GREEN]);
    }
    let on = inventory(&[(ONE, "alias/one"), (OTHER, "alias/other")]).replace("Disabled", "Enabled");
    let expected: (&str, &[&str]) = ("needs-rotation-disabled", &[]);
    Case::of(&on, ONE).are(&[rotate(40, OTHER, json!(true))], [expected, expected]);
}

#[test]
fn assumptions_settle_no_more_than_what_the_inventory_states() {
    let blank = HEAD.to_owned()
        + &[(ONE, "alias/one"), (OTHER, "alias/other")]
            .map(|(key, alias)| format!("{key},{ACCOUNT},cn-hangzhou,{alias},default,,,\n"))
            .concat();
    let assume = ["--assume", "origin=Aliyun_KMS", "--assume", "versions=1", "--assume", "rotation=Disabled"];
    for (operation, fact) in [("ImportKeyMaterial", "origin"), ("CreateKeyVersion", "versions")] {
        let events = [call(40, operation, &json!({}), &json!({}))];
        Case::new().are(&events, [("migratable", &[fact]), ("migratable", &[fact])]);
        Case::of(&blank, ONE).are_with(&assume, &events, [("migratable", &[fact]), ("migratable", &[fact])]);
    }
    Case::of(&blank, ONE).are_with(&assume, &[], [GREEN, GREEN]);
    let more = [&assume[..], &["--assume", "operations=Encrypt"]].concat();
    let events = [call(40, "ReEncrypt", &json!({}), &json!({}))];
    let open = Case::of(&blank, ONE).verdicts(&events, &more);
    assert!(open.iter().all(|(_, conditions)| conditions.contains(&"operations".to_owned())), "{open:?}");
}

#[test]
fn results_of_before_are_refused_with_what_to_do() {
    let case = Case::new();
    let folder = folder();
    let text: String = case.base.iter().map(|event| format!("{event}\n")).collect();
    let (keys, log) = (put(&folder, "keys.csv", &case.inventory), put(&folder, "log.jsonl", text));
    let result = run(&["usage", "--quiet", &log]).out;
    let before = put(&folder, "before.jsonl", result.replacen("\"version\":2", "\"version\":1", 1));
    let ran = run(&["diagnose", &keys, "--usage", &before, "--as-of", "2026-11-02", "--no-progress"]);
    assert!(ran.code != 0 && ran.err.contains("count the logs again"), "{}", ran.err);
}

#[test]
fn accounts_and_regions_that_say_nothing_are_not_others() {
    let case = Case::new();
    let identity = json!({"type": "assumed-role", "userName": "orders-svc:one", "accountId": "?"});
    for account in [
        "-",
        "null",
        "N/A",
        "MASKED",
        "<redacted>",
        "1.23456789012346E+15",
        "0000000000000000",
        "1234000000003456",
        "3456",
        "10.0.3.17",
        "1234567890123456@alias",
        "acs:ram::1234567890123456:root",
    ] {
        let event = json!({"recipientAccountId": account, "userIdentity": identity});
        case.are(&[call(40, "ReEncrypt", &json!({}), &event)], [OPEN, UNUSED]);
    }
    for region in ["-", "--", "null", "N/A", "cn-xxxx", "n-a", "REDACTED"] {
        let event = json!({"acsRegion": region});
        case.are(&[call(40, "ReEncrypt", &json!({}), &event)], [OPEN, UNUSED]);
    }
    // The account of the caller tells it, and others are others.
    let identity = |account: &str| json!({"type": "assumed-role", "userName": "orders-svc:one", "accountId": account});
    for (account, verdicts) in [(ACCOUNT, [OPEN, UNUSED]), ("2234567890123456", [GREEN, GREEN])] {
        let event = json!({"recipientAccountId": "-", "userIdentity": identity(account)});
        case.are(&[call(40, "ReEncrypt", &json!({}), &event)], verdicts);
    }
    let event = json!({"recipientAccountId": "-"});
    case.are(&[call(40, "ImportKeyMaterial", &json!({}), &event)], [("migratable", &["origin"]); 2]);
    // One key alone has the alias.
    case.are(&[call(40, "GenerateAndExportDataKey", &json!({"KeyId": "alias/other"}), &event)], [GREEN, BLOCKED]);
}

#[test]
fn a_key_that_rotated_long_enough_may_have_versions() {
    let case = Case::new();
    let rotate = |hour: i64, on: &str, interval: &str| {
        let request = json!({"KeyId": OTHER, "EnableAutomaticRotation": on, "RotationInterval": interval});
        manage(hour, "UpdateRotationPolicy", &request)
    };
    let versions: (&str, &[&str]) = ("migratable", &["versions"]);
    for interval in ["7d", "604800s", "", "?"] {
        case.are(&[rotate(20, "true", interval), rotate(700, "false", "")], [GREEN, versions]);
    }
    case.are(&[rotate(20, "true", "365d"), rotate(700, "false", "")], [GREEN, GREEN]);
    case.are(&[rotate(600, "true", "7d"), rotate(700, "false", "")], [GREEN, GREEN]);
    case.are(&[rotate(20, "true", "7d")], [GREEN, ("migratable", &["rotation", "versions"])]);
    case.are(&[rotate(20, "true", "365d")], [GREEN, ("migratable", &["rotation"])]);
    let created = |request: Value, answer: Value| {
        call(2, "CreateKey", &request, &json!({"responseElements": answer, "userAgent": CLI}))
    };
    let on = json!({"EnableAutomaticRotation": "true", "RotationInterval": "7d"});
    let rotating = [
        created(on.clone(), json!({"KeyMetadata": {"KeyId": OTHER}})),
        created(json!({}), json!({"KeyMetadata": {"KeyId": OTHER, "AutomaticRotation": "Enabled"}})),
        created(json!({}), json!({"KeyMetadata.KeyId": OTHER, "KeyMetadata.AutomaticRotation": "Enabled"})),
    ];
    for made in rotating {
        case.are(&[made], [GREEN, ("migratable", &["rotation", "versions"])]);
    }
    case.are(&[created(on, json!({}))], [("migratable", &["rotation", "versions"]); 2]);
    // Imported material.
    case.are(&[created(json!({"Origin": "EXTERNAL"}), json!({}))], [("migratable", &["origin"]); 2]);
    let flat = created(json!({}), json!({"KeyMetadata.KeyId": OTHER, "KeyMetadata.Origin": "EXTERNAL"}));
    let described = json!({"KeyMetadata": {"KeyId": OTHER, "Origin": "EXTERNAL"}});
    let described = call(40, "DescribeKey", &json!({"KeyId": OTHER}), &json!({"responseElements": described}));
    for event in [flat, described] {
        assert_eq!(case.verdicts(&[event], &[])[1].0, "undetermined");
    }
}

#[test]
fn an_alias_that_answers_with_another_key_may_mean_any() {
    let case = Case::new();
    let own = with(80, "Encrypt", OTHER);
    let export = with(90, "GenerateAndExportDataKey", "alias/other");
    for answer in [
        json!({"responseElements": {"KeyId": ONE}}),
        json!({"responseElements": {"KeyMetadata": {"KeyId": ONE}}}),
        json!({"referencedResources": {"ACS::KMS::Key": [ONE]}}),
    ] {
        let answered = call(40, "DescribeKey", &json!({"KeyId": "alias/other"}), &answer);
        case.are(&[answered, export.clone(), own.clone()], [OPEN, OPEN]);
    }
    let answered = json!({"responseElements": {"KeyId": OTHER}});
    let answered = call(40, "Encrypt", &json!({"KeyId": "alias/other"}), &answered);
    case.are(&[answered, export.clone()], [GREEN, BLOCKED]);
    // What worked before it was created was the alias of another key.
    let created = manage(300, "CreateAlias", &json!({"KeyId": OTHER, "AliasName": "alias/other"}));
    case.are(&[created.clone(), export.clone(), own.clone()], [OPEN, OPEN]);
    let rotate = |hour: i64, key: &str, on: &str| {
        let request = json!({"KeyId": key, "EnableAutomaticRotation": on, "RotationInterval": "365d"});
        manage(hour, "UpdateRotationPolicy", &request)
    };
    let events = [rotate(40, OTHER, "true"), rotate(90, "alias/other", "false"), created];
    case.are(&events, [GREEN, ("migratable", &["rotation"])]);
}

#[test]
fn operations_of_two_sides_that_nobody_knows_may_read_from_any_key() {
    let case = Case::new();
    for name in ["ReEncryptV2", "BatchReEncrypt"] {
        let call = |changes: &Value| call(40, name, &json!({"DestinationKeyId": OTHER}), changes);
        for event in
            [call(&json!({"userAgent": CLI})), call(&json!({"userAgent": CLI, "responseElements": {"KeyId": ONE}}))]
        {
            let verdicts = case.verdicts(&[event], &[]);
            assert!(verdicts.iter().all(|(_, open)| open.contains(&"operations".to_owned())), "{name}: {verdicts:?}");
        }
    }
}

#[test]
fn what_is_told_does_not_depend_on_order_division_or_spelling() {
    let folder = folder();
    let usage = |name: &str, text: String| {
        let ran = run(&["usage", "--quiet", &put(&folder, name, text)]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        (put(&folder, &format!("{name}.usage"), &ran.out), ran.out)
    };
    let event = |request: Value| call(40, "ConvertText", &request, &json!({"eventId": "***"})).to_string();
    let (one, two) = (event(json!({"KmsInstanceId": "kst-1"})), event(json!({})));
    let both = usage("both", format!("{one}\n{two}\n")).1;
    assert_eq!(usage("turned", format!("{two}\n{one}\n")).1, both);
    let parts = [usage("one", one), usage("two", two)];
    assert_eq!(run(&["usage", "merge", "--quiet", &parts[0].0, &parts[1].0]).out, both);
    // The account of another service's event stands before its name, or behind it.
    let (service, who) = (r#""serviceName":"Ecs""#, format!(r#""userIdentity":{{"accountId":"{ACCOUNT}"}}"#));
    let other = |members: &str| {
        format!(
            r#"{{"eventId":"1","eventTime":"2026-11-01T00:00:00Z","eventRW":"Read","acsRegion":"cn-hangzhou",{members}}}"#
        )
    };
    let before = usage("before", other(&format!("{who},{service}"))).1;
    assert!(before.contains(ACCOUNT), "{before}");
    assert_eq!(usage("behind", other(&format!("{service},{who}"))).1, before);
    // Names of members may have escapes.
    let plain = with(40, "Encrypt", ONE).to_string();
    let told = usage("plain", plain.clone()).1;
    for (name, escaped) in
        [("KeyId", "\\u004beyId"), ("requestParameters", "request\\u0050arameters"), ("eventName", "event\\u004eame")]
    {
        assert_eq!(
            usage("escaped", plain.replace(&format!("\"{name}\""), &format!("\"{escaped}\""))).1,
            told,
            "{name}"
        );
    }
}

#[test]
fn ids_of_which_blocks_are_masked_are_no_other_keys() {
    let case = Case::new();
    for name in [
        "00000000-8a51-4b0e-9a5e-3d0c6a7b1f02",
        "0f5a1c1e-0000-0000-9a5e-3d0c6a7b1f02",
        "0f5a1c1e-8a51-4b0e-9a5e-3d0c00000000",
        "0f5a1c1e-1111-2222-3333-3d0c6a7b1f02",
        "ffffffff-8a51-4b0e-9a5e-3d0c6a7b1f02",
        "12345678-1234-1234-1234-123456789012",
        "0f5a1c1e-8a51-4b0e-9a5e-1234567890ab",
        "zzzzzzzz-8a51-4b0e-9a5e-3d0c6a7b1f02",
    ] {
        case.are(&[with(40, "GenerateAndExportDataKey", name)], [OPEN, UNUSED]);
    }
    let newer = Case::of(&inventory(&[(NEWER, "alias/one"), (OTHER, "alias/other")]), NEWER);
    for name in [
        "key-hzz65f0000000000f7a8",
        "key-hzz65f3a1b200000000",
        "key-hzz65fXXXXXf5e6f7a8",
        "key-hzz65f3a1b2hidden6f7a8",
        "key-masked0masked0masked",
    ] {
        newer.are(&[with(40, "GenerateAndExportDataKey", name)], [OPEN, UNUSED]);
    }
    for id in ["00000000-8a51-4b0e-9a5e-3d0c6a7b1f02", "0f5a1c1e-8a51-4b0e-9a5e-000000000000"] {
        let masked = Case::of(&inventory(&[(ONE, "alias/one"), (id, "alias/other")]), ONE);
        let conditions = &masked.verdicts(&[with(40, "GenerateAndExportDataKey", OTHER)], &[])[1].1;
        assert!(conditions.contains(&"operations".to_owned()), "{id}: {conditions:?}");
    }
}

#[test]
fn operations_that_begin_as_those_that_manage_may_do_more() {
    let case = Case::new();
    for name in [
        "DecryptInInstance",
        "InstanceDecrypt",
        "CreateSignature",
        "CounterSign",
        "CheckMac",
        "GetSharedSecret",
        "GetPlaintext",
        "UpdateCiphertext",
        "OpenEnvelope",
        "GetDataEncryptionKey",
        "SettleX",
    ] {
        let key = case.keys(&[by(NODE, 40, name, &json!({"KeyId": OTHER}))], &[])[1].clone();
        assert_eq!((&key["class"], &key["confirmed"]), (&json!("blocked"), &json!(false)), "{name}");
    }
    for (name, fact) in [
        ("RotateKey", "versions"),
        ("RotateKeyMaterial", "versions"),
        ("CreateKeyVersionV2", "versions"),
        ("BatchCreateKeyVersion", "versions"),
        ("SetPrimaryKeyVersion", "versions"),
        ("ImportKeyMaterialV2", "origin"),
        ("ImportKey", "origin"),
        ("EnableKeyRotation", "rotation"),
        ("SetRotationPolicy", "rotation"),
    ] {
        let (class, conditions) = &case.verdicts(&[manage(40, name, &json!({"KeyId": OTHER}))], &[])[1];
        assert!(class == "migratable" && conditions.contains(&fact.to_owned()), "{name}: {conditions:?}");
        let nameless = case.verdicts(&[manage(40, name, &json!({}))], &[]);
        assert!(nameless.iter().all(|(_, open)| open.contains(&fact.to_owned())), "{name}: {nameless:?}");
    }
    for name in ["ExportKey", "GenerateAndExportKey", "ReWrapDataKey", "GenerateExportableDataKey", "ReEncipher"] {
        let conditions = &case.verdicts(&[manage(40, name, &json!({"KeyId": OTHER}))], &[])[1].1;
        assert!(conditions.contains(&"operations".to_owned()), "{name}: {conditions:?}");
    }
    for name in [
        "CheckKey",
        "DescribeEncryptionSettings",
        "ListKeyVersionsV2",
        "GetEncryptionInfo",
        "TagCiphertexts",
        "GetKeyRotationStatus",
    ] {
        case.are(&[by(NODE, 40, name, &json!({"KeyId": OTHER}))], [GREEN, GREEN]);
    }
}

#[test]
fn an_event_that_names_two_keys_where_one_stands_blocks_none() {
    let case = Case::new();
    let export = |changes: Value| call(40, "GenerateAndExportDataKey", &json!({"KeyId": ONE}), &changes);
    for event in [
        export(json!({"responseElements": {"KeyId": OTHER}})),
        export(json!({"referencedResources": {"ACS::KMS::Key": [OTHER]}})),
        call(
            40,
            "GenerateAndExportDataKey",
            &json!({}),
            &json!({"referencedResources": {"ACS::KMS::Key": [ONE, OTHER]}, "resourceName": ONE}),
        ),
    ] {
        case.are(&[event], [OPEN, UNUSED]);
    }
}

#[test]
fn services_that_say_nothing_are_known_by_their_endpoint() {
    let case = Case::new();
    for service in ["-", "null", "N/A", "***", "kms.aliyuncs.com", "acs:kms", "KMS20160120"] {
        let named = json!({"serviceName": service, "eventSource": "http://kms-vpc.cn-hangzhou.aliyuncs.com:443"});
        case.are(&[call(40, "GenerateAndExportDataKey", &json!({"KeyId": OTHER}), &named)], [GREEN, BLOCKED]);
    }
}

#[test]
fn places_that_prove_nothing_are_unclear() {
    let case = Case::new();
    let from = |address: &str, host: &str| {
        let place = json!({"sourceIpAddress": address, "eventSource": host, "vpcId": ""});
        call(40, "Decrypt", &json!({"KeyId": ONE}), &place)
    };
    let vpc = "kms-vpc.cn-hangzhou.aliyuncs.com";
    let open: (&str, &[&str]) = ("migratable", &["network"]);
    for (address, host) in
        [("127.1.2.3", vpc), ("169.254.1.1", vpc), ("fe80::1", vpc), ("10.0.3.17", "kms-vpc.-.aliyuncs.com")]
    {
        case.are(&[from(address, host)], [open, GREEN]);
    }
    for host in ["kms-vpc.cn-hangzhou.aliyuncs.com:443", "http://kms-vpc.cn-hangzhou.aliyuncs.com/"] {
        case.are(&[from("10.0.3.17", host)], [GREEN, GREEN]);
    }
    for address in ["::ffff:10.8.0.5", "64:ff9b::10.8.0.5", "64:ff9b::a08:5", "::10.8.0.5"] {
        let event = call(40, "Decrypt", &json!({"KeyId": ONE}), &json!({"sourceIpAddress": address}));
        case.are_with(&["--networks", "NETWORKS"], &[event], [BLOCKED, GREEN]);
    }
}

#[test]
fn a_key_that_cannot_be_used_is_not_known_to_be_unused() {
    let case = Case::new();
    for operation in ["DisableKey", "ScheduleKeyDeletion"] {
        case.are(&[manage(1, operation, &json!({"KeyId": OTHER}))], [GREEN, UNUSED]);
        let again = [manage(1, operation, &json!({"KeyId": OTHER})), manage(2, "EnableKey", &json!({"KeyId": OTHER}))];
        case.are(&again, [GREEN, GREEN]);
    }
    for state in ["Disabled", "PendingDeletion"] {
        let stated = inventory(&[(ONE, "alias/one"), (OTHER, "alias/other")])
            .replace("versions\n", "versions,state\n")
            .replace(",Disabled,1\n", &format!(",Disabled,1,{state}\n"))
            .replacen(&format!(",1,{state}\n"), ",1,Enabled\n", 1);
        let conditions = &Case::of(&stated, ONE).verdicts(&[], &[])[1].1;
        assert!(conditions.contains(&"languages".to_owned()), "{state}: {conditions:?}");
    }
    // A secret stands under it.
    let secret = manage(40, "CreateSecret", &json!({"SecretName": "db", "EncryptionKeyId": OTHER}));
    let key = case.keys(&[secret], &[])[1].clone();
    assert!(key["facts"]["usage"]["value"].to_string().contains("server-side"), "{}", key["facts"]["usage"]);
    // A key that was used before and after was never unusable.
    case.are(&[manage(740, "EnableKey", &json!({"KeyId": ONE}))], [GREEN, GREEN]);
}

#[test]
fn a_range_has_one_name() {
    let folder = folder();
    let networks = put(&folder, "networks.csv", "10.8.0.0/16,vpc\n\n10.8.1.1/16,data-centre\n");
    let log = put(&folder, "log.jsonl", with(1, "Encrypt", ONE).to_string());
    let ran = run(&["usage", "--networks", &networks, &log]);
    assert!(
        ran.code != 0 && ran.err.contains('3') && ran.err.contains("line 1 names the same range `vpc`"),
        "{}",
        ran.err
    );
}
