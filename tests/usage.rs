//! `usage`: logs become the calls of each key, however they are written, divided, ordered and delivered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

mod program;
use program::logs::{self, gzip};
use program::{Ran, command, end, folder, put, run};

const KEYS: [&str; 3] =
    ["0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01", "key-hzz65f3a1b2c3d4e5f6", "05754286-3ba2-4fa6-8d41-4323aca60001"];
const AGENTS: [(&str, &str); 5] = [
    ("AlibabaCloud (linux; amd64) Golang/1.22.1 Core/0.01 TeaDSL/1", "Go"),
    ("AlibabaCloud (Linux; amd64) Java/17 Core/4.6.0 HTTPClient/ApacheHttpClient", "Java"),
    ("AlibabaCloud (linux; amd64) Golang/1.21 Core/0.01 TeaDSL/2 Aliyun-CLI/3.0.200", "aliyun-cli"),
    ("curl/8.0", "unknown"),
    ("AliyunConsole", "console"),
];

/// One call, as a test knows it.
#[derive(Debug, Clone)]
struct Call {
    key: usize,
    operation: &'static str,
    agent: usize,
    /// Minutes since the beginning of a week.
    minute: i64,
    failed: bool,
    user: &'static str,
    /// Where the event names the key.
    named: usize,
}

fn call() -> impl Strategy<Value = Call> {
    let parts = (0..KEYS.len(), select(vec!["Decrypt", "Encrypt", "GenerateDataKey"]), 0..AGENTS.len(), 0..50_000_i64);
    let more = (any::<bool>(), select(vec!["orders", "billing"]), 0..4_usize);
    (parts, more).prop_map(|((key, operation, agent, minute), (failed, user, named))| Call {
        key,
        operation,
        agent,
        minute,
        failed,
        user,
        named,
    })
}

fn time(minute: i64) -> String {
    // A Monday.
    let start = 1_767_571_200 + minute * 60;
    jiff::Timestamp::from_second(start).unwrap().to_string()
}

fn event(number: usize, call: &Call) -> Value {
    let key = KEYS[call.key];
    let arn = format!("acs:kms:cn-hangzhou:1234567890123456:key/{key}");
    let mut event = json!({
        "eventId": format!("id-{number}"),
        "eventName": call.operation,
        "eventTime": time(call.minute),
        "serviceName": "Kms",
        "acsRegion": "cn-hangzhou",
        "recipientAccountId": "1234567890123456",
        "userAgent": AGENTS[call.agent].0,
        "sourceIpAddress": "10.0.0.1",
        "requestParameters": {},
        "requestParameterJson": "{\"KeyId\":\"alias/other\"}",
        "userIdentity": {"type": "assumed-role", "userName": format!("{}:session-{number}", call.user)},
    });
    match call.named {
        0 => event["requestParameters"]["KeyId"] = json!(key),
        1 => event["requestParameters"]["KeyId"] = json!(arn),
        2 => event["responseElements"] = json!({"KeyId": key}),
        _ => event["referencedResources"] = json!({"ACS::KMS::Key": [key]}),
    }
    if call.failed {
        event["errorCode"] = json!("Forbidden.NoPermission");
    }
    event
}

fn lines(events: &[Value]) -> String {
    logs::lines(&texts(events))
}

fn texts(events: &[Value]) -> Vec<String> {
    events.iter().map(Value::to_string).collect()
}

fn usage(arguments: &[&str]) -> Ran {
    run(&[&["usage"], arguments].concat())
}

/// The keys of a result, by id.
fn keys(out: &str) -> BTreeMap<String, Value> {
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["record"] == "key")
        .map(|line| (line["key_id"].as_str().unwrap().to_owned(), line))
        .collect()
}

/// A number of the first line of a result.
fn head(out: &str, member: &str) -> u64 {
    let line: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    line[member].as_u64().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    /// What is known of each key comes out, whatever the layout, order and division of the log, and merged results are those
    /// of the whole.
    #[test]
    fn any_division_of_a_log_gives_the_truth(
        calls in prop::collection::vec(call(), 1..120),
        cut in 0..120_usize,
        layout in 0..logs::LAYOUTS,
        shuffled in any::<bool>(),
    ) {
        let mut events: Vec<Value> = calls.iter().enumerate().map(|(number, call)| event(number, call)).collect();
        let folder = folder();
        let whole = usage(&[&put(&folder, "whole.jsonl", lines(&events))]);
        prop_assert_eq!(whole.code, 0, "{}", whole.err);
        let found = keys(&whole.out);
        for (number, key) in KEYS.iter().enumerate() {
            let own: Vec<&Call> = calls.iter().filter(|call| call.key == number).collect();
            prop_assert_eq!(found.contains_key(*key), !own.is_empty());
            let Some(line) = found.get(*key) else { continue };
            prop_assert_eq!(line["calls"].as_u64(), Some(own.len() as u64));
            prop_assert_eq!(line["failed"].as_u64(), Some(own.iter().filter(|call| call.failed).count() as u64));
            prop_assert_eq!(line["first"].as_str().unwrap(), time(own.iter().map(|call| call.minute).min().unwrap()));
            prop_assert_eq!(line["last"].as_str().unwrap(), time(own.iter().map(|call| call.minute).max().unwrap()));
            let mut operations: BTreeMap<String, u64> = BTreeMap::new();
            let mut applications: BTreeMap<(String, String, &str), u64> = BTreeMap::new();
            let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
            for call in own {
                *operations.entry(call.operation.to_owned()).or_default() += 1;
                let purpose = if call.failed { "failed" } else { "cryptographic" };
                *applications.entry((format!("role/{}", call.user), AGENTS[call.agent].1.to_owned(), purpose)).or_default() += 1;
                *hours.entry(call.minute / 60 % 168).or_default() += 1;
            }
            let said: BTreeMap<String, u64> = line["operations"].as_object().unwrap().iter()
                .map(|(name, counts)| (name.clone(), counts["calls"].as_u64().unwrap())).collect();
            prop_assert_eq!(said, operations);
            let said: BTreeMap<(String, String, &str), u64> = line["applications"].as_array().unwrap().iter()
                .map(|one| ((one["principal"].as_str().unwrap().to_owned(), one["caller"].as_str().unwrap().to_owned(), one["purpose"].as_str().unwrap()), one["calls"].as_u64().unwrap()))
                .collect();
            prop_assert_eq!(said, applications);
            prop_assert_eq!(&line["hours"], &json!(hours.into_iter().map(|(hour, calls)| json!({"hour": hour, "calls": calls})).collect::<Vec<_>>()));
        }
        if shuffled {
            events.reverse();
        }
        let (one, other) = events.split_at(cut.min(events.len()));
        let parts: Vec<String> = [one, other].iter().enumerate().filter(|(_, part)| !part.is_empty()).map(|(number, part)| {
            let (name, content) = logs::log(layout, &texts(part));
            let path = folder.path().join(format!("part-{number}.{name}"));
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        }).collect();
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let together = usage(&[&names[..], &["--jobs", "2"]].concat());
        prop_assert_eq!(&together.out, &whole.out);
        let results: Vec<String> = names.iter().enumerate()
            .map(|(number, part)| put(&folder, &format!("result-{number}.jsonl"), usage(&[part]).out)).collect();
        let mut results: Vec<&str> = results.iter().map(String::as_str).collect();
        prop_assert_eq!(&usage(&[&["merge"], &results[..]].concat()).out, &whole.out);
        results.reverse();
        // Merged once more with one of its parts' own kind: the whole with itself is the whole.
        let merged = put(&folder, "merged.jsonl", usage(&[&["merge"], &results[..]].concat()).out);
        prop_assert_eq!(&usage(&["merge", &merged, &merged]).out, &whole.out);
    }
}

#[test]
fn an_event_that_is_delivered_twice_counts_once() {
    let call = Call { key: 0, operation: "Decrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let events: Vec<Value> = (0..300).map(|number| event(number % 150, &call)).collect();
    for jobs in ["1", "3"] {
        let ran = end(command().args(["usage", "-", "--jobs", jobs]).write_stdin(lines(&events)));
        assert_eq!(keys(&ran.out)[KEYS[0]]["calls"], 150);
        assert!(ran.err.contains("150 duplicates"), "{}", ran.err);
    }
}

#[test]
fn of_a_list_that_is_longer_than_a_block_every_event_is_read() {
    let call = Call { key: 0, operation: "Decrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let events = texts(&(0..4000).map(|number| event(number, &call)).collect::<Vec<_>>());
    let folder = folder();
    for layout in 0..logs::LAYOUTS {
        let (extension, bytes) = logs::log(layout, &events);
        let ran = usage(&[&put(&folder, &format!("long.{extension}"), bytes)]);
        assert_eq!((ran.code, head(&ran.out, "kms")), (0, 4000), "layout {layout}: {}", ran.err);
    }
}

#[test]
fn broken_events_are_counted_and_told_and_stop_nothing() {
    let call = Call { key: 0, operation: "Decrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let good = event(1, &call);
    let mut no_time = event(2, &call);
    no_time["eventTime"] = json!("yesterday");
    let text = format!("{good}\n{{\"eventName\": \nnonsense\n{no_time}\n{{\"a\": 1}}\n\n");
    let folder = folder();
    let path = put(&folder, "e.jsonl", text);
    let ran = usage(&[&path]);
    assert_eq!((ran.code, keys(&ran.out)[KEYS[0]]["calls"].as_u64()), (3, Some(1)), "{}", ran.err);
    for told in [
        "e.jsonl:2: cut off",
        "e.jsonl:3: not JSON",
        "e.jsonl:4: eventTime is `yesterday`",
        "e.jsonl:5: an object that is no event",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    assert_eq!(usage(&[&path, "--allow-rejects"]).code, 0);
    let empty = put(&folder, "empty.json", "");
    assert_eq!(usage(&[&path, &empty, "--quiet"]).code, 3);
    for nothing in ["", "[]", "{}", "key_id,alias\nk,a\n", "nonsense"] {
        assert_eq!(usage(&[&put(&folder, "nothing", nothing)]).code, 4, "{nothing}");
    }
    // Parts of logs may have nothing: with --allow-rejects there is a result, which can be merged.
    for (part, broken) in [("{\"Records\":[]}\nnonsense\n", 1), ("[]", 0), ("{\"Events\":[]}\n", 0)] {
        let ran = usage(&[&put(&folder, "part", part), "--allow-rejects"]);
        assert_eq!(ran.code, 0, "{part}: {}", ran.err);
        assert_eq!((head(&ran.out, "events"), head(&ran.out, "broken")), (broken, broken), "{part}");
        let part = put(&folder, "part.jsonl", ran.out);
        let whole = put(&folder, "whole.jsonl", usage(&[&path]).out);
        let merged = usage(&["merge", &part, &whole]).out;
        assert_eq!(merged.lines().skip(1).collect::<Vec<_>>(), usage(&[&path]).out.lines().skip(1).collect::<Vec<_>>());
    }
    assert_eq!(usage(&[&put(&folder, "nothing", "nonsense"), "--allow-rejects"]).code, 4);
    let several =
        put(&folder, "several.jsonl", format!("{{\"Records\":[{good} {good}]}}\n[{good},!,{good}]\n{good}\n"));
    let ran = usage(&[&several]);
    assert_eq!((ran.code, head(&ran.out, "broken"), head(&ran.out, "events")), (3, 1, 6), "{}", ran.err);
    let cut = put(&folder, "cut.json", format!("[{good},{}", &good.to_string()[..40]));
    let ran = usage(&[&cut]);
    assert_eq!((ran.code, keys(&ran.out).len()), (3, 1), "{}", ran.err);
}

#[test]
fn what_names_no_key_is_kept_apart() {
    let event = |id: &str, name: &str, request: Value| {
        json!({"eventId": id, "eventName": name, "eventTime": time(1), "serviceName": "Kms", "acsRegion": "cn-hangzhou",
            "recipientAccountId": "1234567890123456", "requestParameters": request,
            "userIdentity": {"type": "ram-user", "userName": "batch"}})
    };
    let events = [
        event("1", "ReEncrypt", json!({"DestinationKeyId": KEYS[0]})),
        event("2", "ExportDataKey", json!({"CiphertextBlob": "x"})),
        event("3", "Decrypt", json!({"CiphertextBlob": "x"})),
    ];
    let ran = end(command().args(["usage", "-"]).write_stdin(lines(&events)));
    let unattributed: Vec<(String, String)> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["record"] == "unattributed")
        .map(|line| (line["operation"].as_str().unwrap().to_owned(), line["side"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("Decrypt", "all"), ("ExportDataKey", "all"), ("ReEncrypt", "source")];
    assert_eq!(unattributed, expected.map(|(name, side)| (name.to_owned(), side.to_owned())));
    assert_eq!(keys(&ran.out)[KEYS[0]]["operations"]["ReEncrypt"]["calls"], 1);
    assert!(ran.err.contains("ReEncrypt was called once by user batch"), "{}", ran.err);
    assert!(ran.err.contains("does not say from which key"), "{}", ran.err);
}

#[test]
fn networks_have_the_names_that_the_user_gives_them() {
    let call = Call { key: 0, operation: "Decrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let folder = folder();
    let log = put(&folder, "e.jsonl", lines(&[event(1, &call)]));
    let networks = put(&folder, "n.csv", "10.0.0.0/8,data centre\n");
    let ran = usage(&[&log, "--networks", &networks]);
    assert_eq!(keys(&ran.out)[KEYS[0]]["networks"], json!({"data centre": 1}));
    let wrong = put(&folder, "w.csv", "\n10.0.0.0/99,x\n");
    let ran = usage(&[&log, "--networks", &wrong]);
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("w.csv:2:"), "{}", ran.err);
}

#[test]
fn a_folder_is_read_as_a_trail_delivers_it() {
    let folder = folder();
    let call = Call { key: 0, operation: "Decrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    for (number, day) in ["18", "17", "19"].iter().enumerate() {
        let place = folder.path().join(format!("AliyunLogs/Actiontrail/cn-hangzhou/2026/11/{day}"));
        std::fs::create_dir_all(&place).unwrap();
        let name = format!("Actiontrail_cn-hangzhou_202611{day}000000_1002_1_2_0123456789abcdef.gz");
        std::fs::write(place.join(name), gzip(json!([event(number, &call)]).to_string().as_bytes())).unwrap();
    }
    std::fs::write(folder.path().join("notes.pdf"), "x").unwrap();
    let ran = usage(&[folder.path().to_str().unwrap()]);
    assert_eq!((ran.code, keys(&ran.out)[KEYS[0]]["calls"].as_u64()), (0, Some(3)), "{}", ran.err);
    assert!(ran.err.contains("1 file left out because of its name: notes.pdf"), "{}", ran.err);
}

#[test]
fn no_log_of_a_folder_is_passed_over_without_a_word() {
    let folder = folder();
    let call = Call { key: 0, operation: "Decrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let text = |number: usize| lines(&[event(number, &call)]);
    let table =
        |number: usize| format!("time,event\n1,\"{}\"\n", event(number, &call).to_string().replace('"', "\"\""));
    for (number, name) in
        ["events.jsonl.1", "events.log.2026-11-10", "part-00000", "x.log.2026.11.10"].iter().enumerate()
    {
        put(name, text(number).as_bytes());
    }
    put("data.csv.1.gz", &gzip(table(4).as_bytes()));
    put("x.gzip", &gzip(text(5).as_bytes()));
    put("part-00001", table(6).as_bytes());
    // Nobody asks for these.
    for name in [".DS_Store", ".gitkeep", "._events.jsonl", "~$x.json"] {
        put(name, b"x");
    }
    for name in ["README", ".hidden.jsonl", "a.json.part", "b.jsonl.tmp"] {
        put(name, text(9).replace('{', "(").as_bytes());
    }
    let path = folder.path().to_str().unwrap();
    let ran = usage(&[path]);
    assert_eq!((ran.code, keys(&ran.out)[KEYS[0]]["calls"].as_u64()), (0, Some(7)), "{}", ran.err);
    let told = "4 files left out because of their names: .hidden.jsonl, README, a.json.part, b.jsonl.tmp.";
    assert!(ran.err.contains(told), "{}", ran.err);
    // A delivery that has failed; an empty log that nobody compressed is just that.
    put("empty.jsonl", b"");
    assert_eq!(usage(&[path]).code, 0);
    for name in ["failed.jsonl.gz", "failed.zst", "failed.csv.2.gz"] {
        put(name, b"");
        let ran = usage(&[path]);
        assert_eq!((ran.code, keys(&ran.out)[KEYS[0]]["calls"].as_u64()), (3, Some(7)), "{}", ran.err);
        assert!(ran.err.contains(&format!("{name}: the file is empty, as no compressed file is")), "{}", ran.err);
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
}

#[test]
fn results_that_are_none_are_refused() {
    let folder = folder();
    for (text, why) in [
        ("{}", "no line of a result"),
        (
            "{\"record\":\"usage\",\"version\":9,\"events\":0,\"kms\":0,\"other_services\":0,\"duplicates\":0,\"broken\":0,\"no_key\":0,\"digest\":\"0\"}",
            "version 9",
        ),
        (
            "{\"record\":\"coverage\",\"account_id\":\"\",\"region\":\"\",\"first\":\"\",\"last\":\"\",\"reads\":null,\"writes\":null,\"silent_hours\":0,\"hours\":[]}",
            "the first line",
        ),
    ] {
        let ran = usage(&["merge", &put(&folder, "r.jsonl", text)]);
        assert_eq!(ran.code, 4);
        assert!(ran.err.contains("r.jsonl:1") && ran.err.contains(why), "{}", ran.err);
    }
}

#[test]
fn an_event_may_be_longer_than_a_block_and_has_its_bound() {
    let call = Call { key: 0, operation: "Encrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let mut long = event(0, &call);
    long["requestParameters"]["Text"] = json!("\\\"{[x ".repeat(300_000));
    let events: Vec<Value> = (1..2000).map(|number| event(number, &call)).chain([long]).collect();
    let folder = folder();
    for text in [lines(&events), json!(events).to_string(), json!({"Records": events}).to_string()] {
        for jobs in ["1", "2"] {
            let ran = usage(&[&put(&folder, "log", &text), "--jobs", jobs]);
            assert_eq!((ran.code, keys(&ran.out)[KEYS[0]]["calls"].as_u64()), (0, Some(2000)), "{}", ran.err);
        }
    }
    let endless = format!("{}{{\"eventId\":\"{}", lines(&events[..1500]), "x".repeat(40 << 20));
    let ran = usage(&[&put(&folder, "endless.jsonl", endless), "--jobs", "2"]);
    assert_eq!((ran.code, keys(&ran.out)[KEYS[0]]["calls"].as_u64()), (3, Some(1500)), "{}", ran.err);
    assert!(ran.err.contains("endless.jsonl:1501: an event, or a line, of more than 16 MiB"), "{}", ran.err);
}

#[test]
fn lines_are_counted_over_all_blocks() {
    let call = Call { key: 0, operation: "Encrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let mut text = String::new();
    let mut expected = Vec::new();
    for line in 1..=20_000 {
        match line % 1700 {
            0 => {
                text += "nonsense\n";
                expected.push(line);
            }
            1 => text += "\n",
            _ => text += &lines(&[event(line, &call)]),
        }
    }
    let folder = folder();
    let first = put(&folder, "first.jsonl", lines(&[event(0, &call)]));
    let log = put(&folder, "log.jsonl", &text);
    let table = put(&folder, "table.csv", "a,event\n1,{}\n1,{}\n1,x\n");
    for jobs in ["1", "2", "5"] {
        let ran = usage(&[&first, &log, &table, "--jobs", jobs]);
        for line in &expected {
            assert!(ran.err.contains(&format!("log.jsonl:{line}: not JSON")), "{line}: {}", ran.err);
        }
        assert!(ran.err.contains("table.csv:2: an object that is no event"), "{}", ran.err);
        assert!(ran.err.contains("table.csv:4: not JSON"), "{}", ran.err);
    }
}

#[test]
fn no_input_is_written_over() {
    let folder = folder();
    let call = Call { key: 0, operation: "Decrypt", agent: 0, minute: 5, failed: false, user: "orders", named: 0 };
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["logs", "keys"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    let inventory = format!("key_id,account_id,region\n{},1234567890123456,cn-hangzhou\n", KEYS[0]);
    let files = [
        ("logs/a.jsonl", lines(&[event(1, &call)])),
        ("keys/keys.csv", inventory),
        ("networks.csv", "10.0.0.0/8,vpc\n".to_owned()),
    ];
    for (name, text) in &files {
        std::fs::write(at(name), text).unwrap();
    }
    let [log, keys, networks] = files.each_ref().map(|(name, _)| at(name));
    let (logs, inventories) = (at("logs"), at("keys"));
    let diagnose = ["diagnose", &inventories, "--events", &logs, "--networks", &networks];
    let explain = ["explain", KEYS[0], "--in", &inventories, "--events", &logs, "--networks", &networks];
    for written in [&log, &keys, &networks] {
        for arguments in [
            [&diagnose[..], &["-o", written]].concat(),
            [&diagnose[..], &["--rejects", written]].concat(),
            [&explain[..], &["--rejects", written]].concat(),
            vec!["usage", &logs, &inventories, "--networks", &networks, "-o", written],
        ] {
            let ran = end(command().args(&arguments));
            assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
            assert!(ran.err.contains("are the same place"), "{arguments:?}: {}", ran.err);
        }
    }
    let result = at("logs/a.usage.jsonl");
    std::fs::write(&result, usage(&[&log]).out).unwrap();
    let ran = end(command().args(["usage", "merge", &logs, "-o", &result]));
    assert!(ran.code == 2 && ran.err.contains("are the same place"), "{}", ran.err);
    std::fs::remove_file(&result).unwrap();
    for (name, text) in &files {
        assert_eq!(std::fs::read_to_string(at(name)).unwrap(), *text);
    }
    let rejects = at("rejects.csv");
    let ran = end(command().args([&explain[..], &["--rejects", &rejects]].concat()));
    assert_eq!(ran.code, 0, "{}", ran.err);
}
