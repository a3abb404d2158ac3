//! `usage merge` and what else reads results: nothing that a result leaves open is lost, and nothing that is not whole, or
//! that cannot be, is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

mod program;
use program::{Ran, folder, put, run};

const KEY: &str = "key-hzz65f3a1b2c3d4e5f6";
const INVENTORY: &str = "key_id,account_id,region\nkey-hzz65f3a1b2c3d4e5f6,1234567890123456,cn-hangzhou\n";

fn usage(arguments: &[&str]) -> Ran {
    run(&[&["usage"], arguments].concat())
}

/// An event of KMS, of which each member can be changed.
fn event(id: &str, time: &str, changes: &Value) -> String {
    let mut event = json!({
        "eventId": id, "eventName": "Decrypt", "eventTime": time, "serviceName": "Kms", "acsRegion": "cn-hangzhou",
        "recipientAccountId": "1234567890123456", "requestParameters": {"KeyId": KEY},
        "userAgent": "AlibabaCloud (linux; amd64) Golang/1.22 Core/0.01 TeaDSL/1",
        "userIdentity": {"type": "ram-user", "userName": "batch"},
    });
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    format!("{event}\n")
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn log() -> String {
    (0..40)
        .map(|number| {
            let time = format!("2026-11-{:02}T{:02}:00:00Z", number % 7 + 1, number % 24);
            let changes = match number % 4 {
                0 => json!({"requestParameters": {"KeyId": format!("key-{number}")}}),
                1 => json!({"requestParameters": {}, "errorCode": "Forbidden"}),
                2 => json!({"serviceName": "Ecs", "acsRegion": "cn-shanghai"}),
                _ => json!({}),
            };
            event(&number.to_string(), &time, &changes)
        })
        .collect()
}

#[test]
fn a_result_that_is_cut_off_is_refused_by_whatever_reads_it() {
    let folder = folder();
    let inventory = put(&folder, "keys.csv", INVENTORY);
    let whole = usage(&[&put(&folder, "log.jsonl", log()), "--quiet"]).out;
    let refused = |result: &str, said: &[&str]| {
        let path = put(&folder, "cut.res", result);
        for arguments in [&["usage", "merge", &path][..], &["diagnose", &inventory, "--usage", &path]] {
            let ran = run(arguments);
            assert_eq!((ran.code, &*ran.out), (4, ""), "{arguments:?}: {}", ran.err);
            assert!(ran.err.contains("cut.res:") && said.iter().all(|said| ran.err.contains(said)), "{}", ran.err);
        }
    };
    let all: Vec<&str> = whole.lines().collect();
    for kept in 1..all.len() {
        refused(&all[..kept].join("\n"), &[&format!("cut off: {kept} of {} lines", all.len())]);
        let without: Vec<&str> = [&all[..kept], &all[kept + 1..]].concat();
        refused(&without.join("\n"), &[&format!("cut off: {} of {} lines", all.len() - 1, all.len())]);
        // The next result begins where this one is cut off.
        refused(&format!("{}\n{whole}", all[..kept].join("\n")), &["cut off"]);
        refused(&format!("{whole}{}", all[kept]), &["one more"]);
    }
    for nothing in ["", "\n\n", "  \n"] {
        refused(nothing, &["there is no result of `usage`"]);
    }
    refused(&all[1..].join("\n"), &["first line of a result"]);
    let other = usage(&[&put(&folder, "other.jsonl", event("x", "2026-11-20T00:00:00Z", &json!({}))), "--quiet"]).out;
    let several = put(&folder, "several.res", format!("\n{whole}\n\n{other}{whole}"));
    let ran = usage(&["merge", &several]);
    assert_eq!((ran.code, lines(&ran.out)[0]["kms"].as_u64()), (0, Some(31)), "{}", ran.err);
    assert!(ran.err.contains("1 result(s) are of the same events"), "{}", ran.err);
}

#[test]
fn the_digest_tells_apart_whatever_a_result_says() {
    let folder = folder();
    let time = "2026-11-05T00:00:00Z";
    let digest = |log: &str| {
        let ran = usage(&[&put(&folder, "log.jsonl", log), "--quiet", "--allow-rejects"]);
        lines(&ran.out)[0]["digest"].as_str().unwrap().to_owned()
    };
    let other = |changes: Value| {
        let mut event = json!({"serviceName": "Ecs"});
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        event
    };
    let changes = [
        json!({}),
        json!({"eventTime": "2026-11-05T00:00:01Z"}),
        json!({"eventName": "Encrypt"}),
        json!({"acsRegion": "cn-shanghai"}),
        json!({"recipientAccountId": "1"}),
        json!({"requestParameters": {"KeyId": "key-other"}}),
        json!({"requestParameters": {}}),
        json!({"userAgent": "curl/8.0"}),
        json!({"userIdentity": {"type": "ram-user", "userName": "other"}}),
        json!({"userIdentity": {"type": "assumed-role", "userName": "batch"}}),
        json!({"errorCode": "Forbidden"}),
        json!({"vpcId": "vpc-1"}),
        json!({"sourceIpAddress": "10.0.0.1"}),
        other(json!({})),
        other(json!({"eventTime": "2026-11-05T00:00:01Z"})),
        other(json!({"acsRegion": "cn-shanghai"})),
        other(json!({"recipientAccountId": "1"})),
        json!({"eventTime": "yesterday"}),
    ];
    // Some programs write no ids.
    let events: Vec<String> = changes.iter().map(|changes| event("", time, changes)).collect();
    let digests: BTreeSet<String> = events.iter().map(|event| digest(event)).collect();
    assert_eq!(digests.len(), events.len());
    let sum = events.iter().map(|event| u64::from_str_radix(&digest(event), 16).unwrap()).fold(0, u64::wrapping_add);
    assert_eq!(digest(&events.concat()), format!("{sum:016x}"));
}

#[test]
fn parts_of_a_log_that_look_alike_add_up_to_the_whole_in_any_order() {
    let folder = folder();
    let time = "2026-11-05T00:00:00Z";
    let parts = [
        event("", time, &json!({})),
        event("", time, &json!({"requestParameters": {"KeyId": "key-other"}})),
        event("", time, &json!({"serviceName": "Ecs"})),
        event("", time, &json!({"serviceName": "Ecs", "acsRegion": "cn-shanghai"})),
        "nonsense\n".to_owned(),
        "more nonsense\n[]\n".to_owned(),
        format!("{}nonsense\n", event("", time, &json!({"acsRegion": "cn-shanghai"}))),
        event("", time, &json!({"acsRegion": "cn-beijing"})),
    ];
    let whole = usage(&[&put(&folder, "whole.jsonl", parts.concat()), "--quiet"]);
    assert_eq!(whole.code, 3, "{}", whole.err);
    let count = |(number, part): (usize, &String)| {
        let log = put(&folder, &format!("{number}.jsonl"), format!("{{\"Records\":[]}}\n{part}"));
        put(&folder, &format!("{number}.res"), usage(&[&log, "--quiet", "--allow-rejects"]).out)
    };
    let results: Vec<String> = parts.iter().enumerate().map(count).collect();
    let mut results: Vec<&str> = results.iter().map(String::as_str).collect();
    for _ in 0..results.len() {
        results.rotate_left(3);
        assert_eq!(usage(&[&["merge"], &results[..]].concat()).out, whole.out);
    }
    // The very same again, but for parts without any event, which nobody can tell apart.
    results.retain(|result| !result.ends_with("4.res") && !result.ends_with("5.res"));
    let once = usage(&[&["merge"], &results[..]].concat());
    let twice = usage(&[&["merge"], &results[..], &results[..]].concat());
    assert_eq!(once.out, twice.out);
    assert!(twice.err.contains("6 result(s) are of the same events"), "{}", twice.err);
}

#[test]
fn doubts_are_never_left_out_with_a_result() {
    let folder = folder();
    let good = log();
    let count = |name: &str, log: String, options: &[&str]| {
        let log = put(&folder, &format!("{name}.jsonl"), log);
        put(&folder, name, usage(&[&[log.as_str(), "--quiet", "--allow-rejects"], options].concat()).out)
    };
    let (clean, broken) = (count("a", good.clone(), &[]), count("c", format!("{good}nonsense\n"), &[]));
    for order in [[&clean, &broken], [&broken, &clean]] {
        let ran = usage(&["merge", order[0], order[1]]);
        assert_eq!((ran.code, lines(&ran.out)[0]["broken"].as_u64()), (3, Some(1)), "{}", ran.err);
        assert_eq!(usage(&["merge", order[0], order[1], "--allow-rejects"]).code, 0);
    }
    // The same events, of which two results say different things.
    let networks = put(&folder, "networks.csv", "0.0.0.0/0,office\n");
    let with_address = event("1", "2026-11-05T00:00:00Z", &json!({"sourceIpAddress": "203.0.113.1"}));
    let (one, other) =
        (count("one", with_address.clone(), &[]), count("other", with_address, &["--networks", &networks]));
    for order in [[&one, &other], [&other, &one]] {
        let ran = usage(&["merge", order[0], order[1]]);
        assert_eq!((ran.code, &*ran.out), (4, ""));
        assert!(ran.err.contains("of the same events as one before, and says something else"), "{}", ran.err);
    }
    let unread = put(&folder, "cut.json.gz", &program::logs::gzip(good.as_bytes())[..60]);
    let whole = put(&folder, "good.jsonl", &good);
    let ran = usage(&[&unread, &whole]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("warning: 1 file(s) could not be read"), "{}", ran.err);
    let result = put(&folder, "unread.res", ran.out);
    let ran = usage(&["merge", &result]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("warning: 1 file(s) could not be read"), "{}", ran.err);
}

#[test]
fn diagnose_tells_what_was_delivered_twice() {
    let folder = folder();
    let inventory = put(&folder, "keys.csv", INVENTORY);
    let log = put(&folder, "log.jsonl", format!("{}{}", log(), log()));
    let ran = run(&["diagnose", &inventory, "--events", &log]);
    assert!(ran.err.contains("30 deliveries of events were repeated, and count once"), "{}", ran.err);
}

#[test]
fn times_that_no_result_can_hold_make_an_event_broken() {
    let folder = folder();
    for time in ["9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "2106-01-01T00:00:00Z", "-009999-01-02T00:00:00Z"] {
        for service in ["Kms", "Ecs"] {
            let good = event("1", "2026-11-05T00:00:00Z", &json!({}));
            let log = put(&folder, "log.jsonl", good + &event("2", time, &json!({"serviceName": service})));
            let ran = usage(&[&log]);
            assert_eq!((ran.code, lines(&ran.out)[0]["broken"].as_u64()), (3, Some(1)), "{time}: {}", ran.err);
            let told = format!("log.jsonl:2: eventTime is `{time}`, no time of the years 1970 to 2105");
            assert!(ran.err.contains(&told), "{}", ran.err);
            assert_eq!(usage(&["merge", &put(&folder, "r.jsonl", &ran.out)]).out, ran.out);
        }
    }
    for time in ["1970-01-01T00:00:00Z", "2105-12-31T23:59:59Z"] {
        let ran = usage(&[&put(&folder, "log.jsonl", event("1", time, &json!({})))]);
        assert_eq!((ran.code, lines(&ran.out)[2]["applications"][0]["last"].as_str()), (0, Some(time)));
        assert_eq!(usage(&["merge", &put(&folder, "r.jsonl", &ran.out)]).out, ran.out);
    }
}

/// A change of a line: which one, the member, and its value.
type Change = (usize, &'static str, Value);

#[test]
fn what_cannot_be_is_refused_with_its_line() {
    let folder = folder();
    let changes = json!({"requestParameters": {}});
    let log = event("1", "2026-11-05T00:10:00Z", &json!({})) + &event("2", "2026-11-06T00:20:00Z", &changes);
    let result = lines(&usage(&[&put(&folder, "log.jsonl", log), "--quiet"]).out);
    assert_eq!(result.len(), 4);
    let run_of = |first: &str, hours: u64| json!({"first": first, "hours": hours});
    let moments = |first: &str, last: &str| json!({"first": first, "last": last});
    let long = u64::MAX;
    let refused: Vec<(Change, &str)> = vec![
        ((0, "events", json!(3)), "`events` are not"),
        ((0, "broken", json!(1)), "`events` are not"),
        ((0, "kms", json!(long)), "`events` are not"),
        ((0, "no_key", json!(3)), "`no_key`"),
        ((0, "digest", json!("+1")), "16 hexadecimal digits"),
        ((0, "version", json!(9)), "version 9"),
        ((1, "hours", json!([])), "`hours` are not"),
        ((1, "hours", json!([run_of("2026-11-05T00:00:00Z", 87_000_000)])), "`hours` are not"),
        ((1, "hours", json!([run_of("2026-11-05T00:00:00Z", long)])), "`hours` are not"),
        ((1, "hours", json!([run_of("2026-11-05T00:00:00Z", 26)])), "`hours` are not"),
        ((1, "hours", json!([run_of("2026-11-04T23:00:00Z", 26)])), "`hours` are not"),
        ((1, "hours", json!([run_of("2026-11-05T00:00:01Z", 25)])), "`hours` are not"),
        (
            (1, "hours", json!([run_of("2026-11-05T00:00:00Z", 3), run_of("2026-11-05T02:00:00Z", 23)])),
            "`hours` are not",
        ),
        ((1, "first", json!("2026-11-07T00:00:00Z")), "is later than the last"),
        ((1, "last", json!("9999-12-31T23:59:59Z")), "no time of the years"),
        ((1, "reads", moments("2026-11-05T00:10:00Z", "2026-11-05T00:11:00Z")), ""),
        ((1, "reads", moments("2026-11-05T00:00:00Z", "2026-11-05T00:11:00Z")), "events that read or write"),
        ((1, "writes", moments("2026-11-05T00:11:00Z", "2026-11-05T00:10:00Z")), "is later than the last"),
        ((2, "failed", json!(2)), "2 of 1 calls have failed"),
        ((2, "calls", json!(0)), "0 of 0 calls"),
        ((2, "first", json!("2026-11-07T00:00:00Z")), "is later than the last"),
        ((2, "places", json!({"private": 2})), "`places` have more calls"),
        ((2, "networks", json!({"office": long, "lab": 1})), "`networks` have more calls"),
        ((3, "failed", json!(2)), "2 of 1 calls have failed"),
        ((3, "calls", json!(2)), "the calls of `operations`"),
        ((3, "failed", json!(1)), "the failed calls of `operations`"),
        ((3, "hours", json!([{"hour": 168, "calls": 1}])), "no hour 168 of the week"),
        ((3, "hours", json!([{"hour": 1, "calls": 2}])), "the calls of `hours`"),
        ((3, "hours", json!([{"hour": 1, "calls": long}, {"hour": 2, "calls": 2}])), "the calls of `hours`"),
        ((3, "applications", json!([])), "the calls of `applications`"),
        ((3, "first", json!("2026-11-05T00:00:00Z")), ""),
        ((3, "last", json!("2026-11-05T00:10:01Z")), ""),
        ((3, "last", json!("2026-11-05T00:00:00Z")), "is later than the last"),
        ((3, "places", json!({"vpc": 2})), "`places` have more calls"),
    ];
    for ((line, member, value), why) in refused {
        let mut changed = result.clone();
        changed[line][member] = value.clone();
        let ran = usage(&["merge", &put(&folder, "r.jsonl", text(&changed)), "--quiet"]);
        let is_right = why.is_empty() || ran.err.contains(&format!("r.jsonl:{}: ", line + 1)) && ran.err.contains(why);
        assert_eq!(ran.code, if why.is_empty() { 0 } else { 4 }, "{member} {value}: {}", ran.err);
        assert!(is_right, "{member} {value}: {}", ran.err);
    }
    // Sums that no number holds.
    let with = |member: &str, value: u64, digest: &str| {
        let mut head = result[0].clone();
        (head["events"], head["kms"], head["no_key"], head[member]) = (json!(value), json!(0), json!(0), json!(value));
        (head["digest"], head["lines"]) = (json!(digest), json!({"coverage": 0, "unattributed": 0, "key": 0}));
        put(&folder, digest, text(&[head]))
    };
    for member in ["broken", "other_services", "duplicates"] {
        let (one, other) = (with(member, 1 << 63, "0000000000000001"), with(member, 1 << 63, "0000000000000002"));
        let ran = usage(&["merge", &one, &other]);
        assert!(ran.code == 4 && ran.err.contains("more than can be counted"), "{member}: {}", ran.err);
    }
    let mut many = result.clone();
    for of in ["calls", "/operations/Decrypt/calls", "/applications/0/calls", "/hours/0/calls"] {
        *many[3].pointer_mut(&format!("/{}", of.trim_start_matches('/'))).unwrap() = json!(long);
    }
    let ran = usage(&["merge", &put(&folder, "many.jsonl", text(&many))]);
    assert!(ran.code == 4 && ran.err.contains("many.jsonl:4") && ran.err.contains("can be counted"), "{}", ran.err);
}

#[test]
fn a_line_of_a_result_has_its_bound() {
    let folder = folder();
    let whole = usage(&[&put(&folder, "log.jsonl", log()), "--quiet"]).out;
    let ran = usage(&["merge", &put(&folder, "long.jsonl", format!("{whole}\"{}", "x".repeat(65 << 20)))]);
    assert_eq!(ran.code, 4);
    let line = whole.lines().count() + 1;
    assert!(ran.err.contains(&format!("long.jsonl:{line}: a line of more than 64 MiB")), "{}", ran.err);
}

#[test]
fn runs_of_many_hours_are_quickly_added() {
    let folder = folder();
    let log = event("1", "1970-01-01T00:00:00Z", &json!({})) + &event("2", "2105-12-31T23:00:00Z", &json!({}));
    let mut result = lines(&usage(&[&put(&folder, "log.jsonl", log), "--quiet"]).out);
    result[1]["hours"] = json!([{"first": "1970-01-01T00:00:00Z", "hours": 1_192_152}]);
    let coverage = result[1].clone();
    for region in 0..200 {
        let mut more = coverage.clone();
        more["region"] = json!(format!("cn-region-{region}"));
        result.push(more);
    }
    result[0]["lines"]["coverage"] = json!(201);
    let began = std::time::Instant::now();
    let ran = usage(&["merge", &put(&folder, "r.jsonl", text(&result))]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn an_alias_is_another_key_in_each_account_and_region() {
    let folder = folder();
    let alias = |id: &str, alias: &str, account: &str, region: &str| {
        let request = json!({"KeyId": alias});
        let changes = json!({"requestParameters": request, "recipientAccountId": account, "acsRegion": region});
        event(id, "2026-11-05T00:00:00Z", &changes)
    };
    let log = [
        alias("1", "alias/orders", "10001", "cn-hangzhou"),
        alias("2", "alias/orders", "10002", "cn-hangzhou"),
        alias("3", "alias/orders", "10001", "cn-shanghai"),
        alias("4", "alias/orders", "10001", "cn-hangzhou"),
        alias("5", "alias/billing", "10001", "cn-hangzhou"),
        alias("6", KEY, "10001", "cn-hangzhou"),
        alias("7", KEY, "10002", "cn-shanghai"),
    ];
    let ran = usage(&[&put(&folder, "log.jsonl", log.concat()), "--format", "csv", "--quiet"]);
    let rows: Vec<Vec<&str>> = ran.out.lines().skip(1).map(|row| row.split(',').take(2).collect()).collect();
    let expected = [
        ["alias/billing", "1"],
        ["acs:kms:cn-hangzhou:10001:alias/orders", "2"],
        ["acs:kms:cn-shanghai:10001:alias/orders", "1"],
        ["acs:kms:cn-hangzhou:10002:alias/orders", "1"],
        [KEY, "2"],
    ];
    assert_eq!(rows, expected);
}
