//! `diagnose --usage` and `--events`: what audit logs tell of keys, and what they leave open.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tempfile::TempDir;

mod program;
use program::{Ran, folder, put, run};

const ACCOUNT: &str = "1234567890123456";
const ORDERS: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";
const BILLING: &str = "05754286-3ba2-4fa6-8d41-4323aca60001";
const ELSEWHERE: &str = "1c7e2d90-41aa-4c5b-8d2f-000000000004";

const GO: &str = "AlibabaCloud (linux; amd64) Golang/1.21.6 Core/0.01 TeaDSL/1";
const JAVA: &str = "AlibabaCloud (Linux; amd64) Java/17 Core/4.6.0 HTTPClient/ApacheHttpClient";
const NODE: &str = "AlibabaCloud (linux; x64) Node.js/v18.17.1 Core/1.0.1 TeaDSL/1";
const CLI: &str = "AlibabaCloud (linux; amd64) Golang/1.21 Core/0.01 TeaDSL/2 Aliyun-CLI/3.0.200";
const OWN: &str = "curl/8.0";
const OSS: &str = "oss.aliyuncs.com";

/// The hours of the log: 31 days.
const HOURS: i64 = 31 * 24;

/// Just behind the end of the log.
const AS_OF: &str = "2026-11-02";

fn time(hour: i64) -> String {
    (jiff::Timestamp::constant(1_790_812_800, 0) + jiff::SignedDuration::from_hours(hour)).to_string()
}

/// A call from a VPC, with a key if one is named.
fn call(hour: i64, operation: &str, key: &str, agent: &str) -> Value {
    let mut event = json!({
        "eventId": format!("{hour}-{operation}-{key}-{agent}"), "eventTime": time(hour), "eventName": operation,
        "eventRW": "Read", "serviceName": "Kms", "acsRegion": "cn-hangzhou", "recipientAccountId": ACCOUNT,
        "requestParameters": {}, "userAgent": agent, "vpcId": "vpc-bp1example", "sourceIpAddress": "10.0.3.17",
        "userIdentity": {"type": "assumed-role", "userName": "orders-svc:one"},
    });
    if agent == OSS {
        // Services call from inside the cloud.
        event["sourceIpAddress"] = json!(OSS);
        event["vpcId"] = json!("");
    }
    match (key, operation) {
        ("", _) => {}
        // From an older version of the key to its newest; the answer names the source.
        (_, "ReEncrypt") => {
            event["responseElements"] = json!({"KeyId": key});
            event["requestParameters"]["DestinationKeyId"] = json!(key);
        }
        _ => event["requestParameters"]["KeyId"] = json!(key),
    }
    event
}

fn with(mut event: Value, name: &str, value: Value) -> Value {
    event[name] = value;
    event
}

/// A log in which something happens in every hour, and these calls.
fn log(hours: impl IntoIterator<Item = i64>, calls: &[Value]) -> String {
    let other = |hour: i64| {
        let event = call(hour, "DescribeInstances", "", GO);
        with(event, "serviceName", json!("Ecs")).to_string()
    };
    let hours = hours.into_iter().map(other);
    hours.chain(calls.iter().map(Value::to_string)).map(|line| format!("{line}\n")).collect()
}

const INVENTORY: &str = "key_id,account_id,region,aliases,instance,origin,rotation,versions\n\
    0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01,1234567890123456,cn-hangzhou,alias/orders,default,Aliyun_KMS,Disabled,1\n\
    05754286-3ba2-4fa6-8d41-4323aca60001,1234567890123456,cn-hangzhou,alias/billing,default,Aliyun_KMS,Disabled,1\n\
    1c7e2d90-41aa-4c5b-8d2f-000000000004,1234567890123456,cn-beijing,alias/orders,default,Aliyun_KMS,Disabled,1\n";

/// An inventory and a log, diagnosed together.
struct Case {
    folder: TempDir,
    keys: String,
    log: String,
}

impl Case {
    fn new(inventory: &str, log: &str) -> Case {
        let folder = folder();
        let (keys, log) = (put(&folder, "keys.csv", inventory), put(&folder, "log.jsonl", log));
        Case { folder, keys, log }
    }

    /// The calls in a log without gaps that is long enough.
    fn of(calls: &[Value]) -> Case {
        Case::new(INVENTORY, &log(0..HOURS, calls))
    }

    fn run(&self, more: &[&str]) -> Ran {
        self.run_as_of(AS_OF, more)
    }

    fn run_as_of(&self, as_of: &str, more: &[&str]) -> Ran {
        let arguments =
            ["diagnose", &self.keys, "--events", &self.log, "--as-of", as_of, "--format", "json", "--no-progress"];
        run(&[&arguments[..], more].concat())
    }

    fn document(&self, more: &[&str]) -> Value {
        let ran = self.run(more);
        assert!([0, 3].contains(&ran.code), "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    fn key(&self, key_id: &str, more: &[&str]) -> Value {
        let document = self.document(more);
        let found = document["keys"].as_array().unwrap().iter().find(|key| key["key_id"] == key_id);
        found.unwrap().clone()
    }

    /// The class of a key, and the facts that are conditions.
    fn verdict(&self, key_id: &str, more: &[&str]) -> (String, Vec<String>) {
        let key = self.key(key_id, more);
        let conditions = key["conditions"].as_array().unwrap().iter();
        let conditions = conditions.map(|condition| condition["fact"].as_str().unwrap().to_owned());
        (key["class"].as_str().unwrap().to_owned(), conditions.collect())
    }

    fn is(&self, key_id: &str, more: &[&str], class: &str, conditions: &[&str]) {
        let (is, open) = self.verdict(key_id, more);
        assert_eq!((is.as_str(), open.iter().map(String::as_str).collect::<Vec<_>>()), (class, conditions.to_vec()));
    }
}

/// What is to be confirmed of a key of which nobody knows who uses it.
const ALL_OF_USE: [&str; 4] = ["operations", "languages", "network", "application_use"];

#[test]
fn a_log_that_is_long_enough_confirms_what_it_shows_and_what_it_does_not() {
    let case = Case::of(&[call(5, "Encrypt", ORDERS, GO), call(9, "GenerateDataKey", "alias/orders", JAVA)]);
    case.is(ORDERS, &[], "migratable", &[]);
    case.is(BILLING, &[], "migratable", &[]);
    // The log has no event of the region.
    case.is(ELSEWHERE, &[], "migratable", &ALL_OF_USE);
    let orders = case.key(ORDERS, &[]);
    let fact = |name: &str| (orders["facts"][name]["value"].clone(), orders["facts"][name]["grade"].clone());
    assert_eq!(fact("usage"), (json!("self-managed"), json!("measured")));
    assert_eq!(fact("languages"), (json!("Java, Go"), json!("measured")));
    assert_eq!(fact("network"), (json!("vpc"), json!("measured")));
    assert_eq!(orders["usage_evidence"]["seen"]["calls"], 2);
    assert_eq!(orders["usage_evidence"]["open"], json!([]));
    let billing = case.key(BILLING, &[]);
    assert_eq!(billing["facts"]["usage"], json!({"value": "none", "grade": "measured"}));
    assert_eq!(billing["usage_evidence"]["seen"], Value::Null);
}

#[test]
fn explain_says_who_called_how_often_and_when_last() {
    let calls: Vec<Value> = (0..1204)
        .map(|number| {
            let event = call(number % HOURS, "GenerateDataKey", ORDERS, GO);
            with(event, "eventId", json!(number))
        })
        .collect();
    let failed = with(call(30, "Encrypt", ORDERS, JAVA), "errorCode", json!("Forbidden.NoPermission"));
    let unknown = call(700, "ReEncrypt", "", CLI);
    let case = Case::of(&[&calls[..], &[failed, unknown, call(700, "DescribeKey", ORDERS, CLI)]].concat());
    let explain = |lang: &str| {
        let ran = run(&[
            "explain",
            "alias/orders",
            "-i",
            &case.keys,
            "--usage",
            &usage(&case),
            "--as-of",
            AS_OF,
            "--lang",
            lang,
        ]);
        let (_, section) = ran.out.split_once(if lang == "en" { "Usage evidence\n" } else { "使用证据\n" }).unwrap();
        section.split("\n\n").next().unwrap().to_owned()
    };
    assert_snapshot!(explain("en"), @r"
    the log: 2026-10-01T00:00:00Z to 2026-10-31T23:00:00Z, 31 day(s), an event in every hour
    Go: 1,204 calls by role orders-svc, last 2026-10-31
    Java: 1 call(s) by role orders-svc that failed, last 2026-10-02
    aliyun-cli: 1 management call(s) by role orders-svc, last 2026-10-30
    operations: DescribeKey 1, Encrypt 1 (1 failed), GenerateDataKey 1,204
    applications call from: vpc 1,204
    busiest hour of the week: 0.000565 calls per second on average, a peak of 1 estimated
    what the log leaves open:
    - ReEncrypt was called once by role orders-svc, and the log does not say with which key, last 2026-10-30T04:00:00Z
    - cloud services or tools made 1 cryptographic call(s) of which the log does not name the key
    ");
    assert_snapshot!(explain("zh"), @r"
    日志：2026-10-01T00:00:00Z 至 2026-10-31T23:00:00Z，共 31 天，每小时均有事件
    Go：role/orders-svc 调用 1,204 次，最近 2026-10-31
    Java：role/orders-svc 调用 1 次，均失败，最近 2026-10-02
    aliyun-cli：role/orders-svc 管理类调用 1 次，最近 2026-10-30
    API：DescribeKey 1、Encrypt 1（1 次失败）、GenerateDataKey 1,204
    应用调用来源：vpc 1,204
    一周中最忙的一小时：平均每秒 0.000565 次，峰值估计 1 次
    日志未能说明：
    - role/orders-svc 调用 ReEncrypt 1 次，日志未注明所用密钥，最近一次 2026-10-30T04:00:00Z
    - 云服务或工具有 1 次密码运算调用，日志未注明密钥
    ");
}

/// The result of `usage` for the log of a case.
fn usage(case: &Case) -> String {
    let ran = run(&["usage", &case.log, "--quiet"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    put(&case.folder, "usage.jsonl", ran.out)
}

#[test]
fn results_of_usage_tell_the_same_as_the_logs_themselves() {
    let case = Case::of(&[call(5, "Encrypt", ORDERS, NODE), call(9, "ReEncrypt", "", JAVA)]);
    let by_events = case.run(&[]);
    let arguments = ["diagnose", &case.keys, "--usage", &usage(&case), "--as-of", AS_OF, "--format", "json"];
    let by_usage = run(&arguments);
    assert_eq!((by_usage.code, &by_usage.out, &by_usage.err), (by_events.code, &by_events.out, &by_events.err));
    // Both of them are of the same events, and count once.
    let both = run(&[&arguments[..], &["--events", &case.log]].concat());
    assert_eq!(both.out, by_events.out);
    assert!(both.err.contains("1 result(s) are of the same events"), "{}", both.err);
}

#[test]
fn what_is_open_stands_in_the_same_order_in_every_run_and_in_results_of_usage() {
    let by = |hour: i64, operation: &str, user: &str| {
        let event = call(hour, operation, "", GO);
        with(event, "userIdentity", json!({"type": "ram-user", "userName": user}))
    };
    // More than one thread reads so many, and each meets them in another order.
    let mut calls: Vec<Value> =
        (0..60).rev().map(|number| by(number, "ReEncrypt", &format!("user-{number:02}"))).collect();
    calls.extend((0..9).map(|number| call(number, "ExportDataKey", &format!("alias/old-{number}"), GO)));
    let failed = ["ReEncrypt", "ExportDataKey", "GenerateAndExportDataKey"];
    calls.extend(failed.map(|operation| {
        let event = call(7, operation, ORDERS, GO);
        with(event, "errorCode", json!("Forbidden.NoPermission"))
    }));
    for (hour, address) in ["203.0.113.9", "10.1.2.3", ""].into_iter().enumerate() {
        let event = call(hour as i64, "Encrypt", ORDERS, GO);
        calls.push(with(with(event, "vpcId", json!("")), "sourceIpAddress", json!(address)));
    }
    let case = Case::of(&calls);
    let folder = format!("{}/parts", case.folder.path().display());
    std::fs::create_dir(&folder).unwrap();
    let text = std::fs::read_to_string(&case.log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (number, part) in lines.chunks(lines.len() / 12).rev().enumerate() {
        std::fs::write(format!("{folder}/{number}.jsonl"), part.join("\n")).unwrap();
    }
    let arguments = ["diagnose", &case.keys, "--as-of", AS_OF, "--format", "json", "--no-progress"];
    let diagnose = |more: &[&str]| run(&[&arguments[..], more].concat()).out;
    let first = diagnose(&["--events", &case.log]);
    assert_eq!(diagnose(&["--usage", &usage(&case)]), first);
    for _ in 0..5 {
        assert_eq!(diagnose(&["--events", &folder, "--jobs", "8"]), first);
    }
}

#[test]
fn a_log_that_is_short_old_or_has_gaps_confirms_only_what_it_shows() {
    let calls = [call(700, "Encrypt", ORDERS, GO), call(720, "Encrypt", BILLING, NODE)];
    let seen = ["operations", "languages", "network"];
    let short = Case::new(INVENTORY, &log(600..HOURS, &calls));
    short.is(ORDERS, &[], "migratable", &seen);
    short.is(ORDERS, &["--min-window", "5"], "migratable", &[]);
    short.is(BILLING, &[], "blocked", &[]);
    let gap = Case::new(INVENTORY, &log((0..HOURS).filter(|hour| !(100..112).contains(hour)), &calls));
    gap.is(ORDERS, &[], "migratable", &seen);
    gap.is(ORDERS, &["--max-gap", "11"], "migratable", &seen);
    gap.is(ORDERS, &["--max-gap", "12"], "migratable", &[]);
    let open = gap.key(ORDERS, &[])["usage_evidence"]["open"].to_string();
    assert!(open.contains("no event at all in 12 hour(s) on end, and 0 are allowed (--max-gap)"), "{open}");
    let whole = Case::of(&calls);
    assert_eq!(whole.verdict(ORDERS, &[]).1, [""; 0]);
    let later: Value = serde_json::from_str(&whole.run_as_of("2027-02-01", &[]).out).unwrap();
    assert_eq!((&later["keys"][0]["class"], &later["keys"][0]["confirmed"]), (&json!("migratable"), &json!(false)));
    let told = later["keys"][0]["usage_evidence"]["open"].to_string();
    assert!(told.contains("the log ends at 2026-10-31T23:00:00Z, more than 30 days ago (--min-window)"), "{told}");
    let unused = Case::new(INVENTORY, &log(600..HOURS, &calls[1..]));
    unused.is(ORDERS, &[], "migratable", &ALL_OF_USE);
}

#[test]
fn what_is_in_the_way_blocks_whatever_the_log_leaves_open() {
    for (operation, agent) in [("ReEncrypt", GO), ("GenerateAndExportDataKey", CLI), ("Decrypt", NODE)] {
        let case = Case::new(INVENTORY, &log(700..705, &[call(702, operation, ORDERS, agent)]));
        let key = case.key(ORDERS, &[]);
        assert_eq!((&key["class"], &key["confirmed"]), (&json!("blocked"), &json!(true)), "{operation} {agent}");
    }
}

#[test]
fn a_forbidden_call_without_a_key_is_a_condition_on_every_key_of_its_account_and_region() {
    let calls = [call(5, "Encrypt", ORDERS, GO), call(7, "ExportDataKey", "", JAVA)];
    let case = Case::of(&calls);
    case.is(ORDERS, &[], "migratable", &["operations"]);
    let stated = INVENTORY.replace("versions\n", "versions,usage,operations,languages,network\n");
    let stated = stated.replace(",1\n", ",1,self-managed,Encrypt;Decrypt,Java,vpc\n");
    let said = Case::new(&stated, &log(0..HOURS, &calls));
    said.is(BILLING, &[], "migratable", &["operations"]);
    said.is(ELSEWHERE, &[], "migratable", &[]);
    let open = said.key(BILLING, &[])["usage_evidence"]["open"].to_string();
    let told = "ExportDataKey was called once by role orders-svc, and the log does not say with which key";
    assert!(open.contains(told), "{open}");
    // The destination of ReEncrypt is known, and blocked; its source is not.
    let mut destination = call(7, "ReEncrypt", "", JAVA);
    destination["requestParameters"] = json!({"DestinationKeyId": BILLING});
    let case = Case::of(&[call(5, "Encrypt", ORDERS, GO), destination.clone()]);
    case.is(BILLING, &[], "blocked", &[]);
    case.is(ORDERS, &[], "migratable", &["operations"]);
    // The answer names the source.
    let case =
        Case::of(&[call(5, "Encrypt", ORDERS, GO), with(destination, "responseElements", json!({"KeyId": BILLING}))]);
    case.is(ORDERS, &[], "migratable", &[]);
}

#[test]
fn what_the_inventory_states_counts_over_calls_without_a_key() {
    let stated = INVENTORY.replace("versions\n", "versions,usage,operations,languages,network\n");
    let stated = stated.replace(",1\n", ",1,self-managed,Encrypt;Decrypt,Java,vpc\n");
    let outside = with(call(9, "Decrypt", "", GO), "sourceIpAddress", json!("203.0.113.9"));
    let calls = [call(7, "Decrypt", "", NODE), with(outside, "vpcId", json!("")), call(8, "Decrypt", "", OSS)];
    for hours in [0..HOURS, 0..200] {
        let case = Case::new(&stated, &log(hours, &calls));
        case.is(ORDERS, &[], "migratable", &[]);
        let open = case.key(ORDERS, &[])["usage_evidence"]["open"].to_string();
        assert!(open.contains("applications (Go, Node.js) made 2 cryptographic call(s)"), "{open}");
    }
}

#[test]
fn a_forbidden_call_that_always_failed_is_a_condition() {
    let failed = with(call(7, "GenerateAndExportDataKey", ORDERS, GO), "errorCode", json!("Forbidden.NoPermission"));
    let case = Case::of(&[call(5, "Encrypt", ORDERS, GO), failed]);
    case.is(ORDERS, &[], "migratable", &["operations"]);
    case.is(BILLING, &[], "migratable", &[]);
}

#[test]
fn an_alias_means_the_key_that_has_it_and_otherwise_may_mean_any() {
    let case = Case::of(&[call(5, "ReEncrypt", "alias/billing", GO)]);
    case.is(BILLING, &[], "blocked", &[]);
    case.is(ORDERS, &[], "migratable", &[]);
    let case = Case::of(&[call(3, "Encrypt", ORDERS, GO), call(5, "ReEncrypt", "alias/old-name", GO)]);
    case.is(ORDERS, &[], "migratable", &["operations"]);
    let ran = case.run(&[]);
    assert!(
        ran.err.contains("of which nobody knows which key of the inventory they are: alias/old-name"),
        "{}",
        ran.err
    );
}

#[test]
fn applications_without_a_key_matter_if_their_language_or_place_would() {
    let own = call(3, "Encrypt", ORDERS, GO);
    Case::of(&[own.clone(), call(5, "Decrypt", "", JAVA)]).is(ORDERS, &[], "migratable", &[]);
    Case::of(&[own.clone(), call(5, "Decrypt", "", NODE)]).is(ORDERS, &[], "migratable", &["languages"]);
    Case::of(&[own.clone(), call(5, "Decrypt", "", OWN)]).is(ORDERS, &[], "migratable", &["languages"]);
    let mut outside = call(5, "Decrypt", "", GO);
    outside.as_object_mut().unwrap().remove("vpcId");
    let outside = with(outside, "sourceIpAddress", json!("203.0.113.9"));
    Case::of(&[own.clone(), outside.clone()]).is(ORDERS, &[], "migratable", &["network"]);
    // A key that nobody names may be the one.
    Case::of(&[outside]).is(BILLING, &[], "migratable", &ALL_OF_USE);
    // Nobody decrypts with an application of a cloud service's or a tool's language.
    Case::of(&[own, call(5, "Decrypt", "", CLI)]).is(ORDERS, &[], "migratable", &[]);
}

#[test]
fn those_who_only_manage_keys_are_no_applications_that_use_them() {
    let case = Case::of(&[
        call(3, "Encrypt", ORDERS, GO),
        call(4, "DescribeKey", ORDERS, NODE),
        call(4, "ListKeys", "", NODE),
    ]);
    case.is(ORDERS, &[], "migratable", &[]);
    let case = Case::of(&[call(4, "DescribeKey", BILLING, NODE), call(5, "Encrypt", TRAFFIC, GO)]);
    case.is(BILLING, &[], "migratable", &[]);
}

#[test]
fn the_use_by_cloud_services_is_known_by_their_agents_and_roles() {
    let role = json!({"type": "assumed-role", "userName": "AliyunServiceRoleForRds:session"});
    let by_role = with(call(6, "Decrypt", ORDERS, JAVA), "userIdentity", role);
    let case = Case::of(&[call(3, "GenerateDataKey", ORDERS, OSS), by_role]);
    let key = case.key(ORDERS, &[]);
    assert_eq!(key["facts"]["usage"], json!({"value": "server-side", "grade": "measured"}));
    assert_eq!(key["usage_evidence"]["seen"]["services"], json!({"orders-svc": 1, "rds": 1}));
    case.is(ORDERS, &[], "migratable", &[]);
    // It names no key when it decrypts, and is no application all the same.
    let case = Case::of(&[call(3, "GenerateDataKey", ORDERS, OSS), call(4, "Decrypt", "", OSS)]);
    case.is(ORDERS, &[], "migratable", &[]);
    assert_eq!(case.key(ORDERS, &[])["facts"]["usage"], json!({"value": "server-side", "grade": "measured"}));
    let case = Case::of(&[call(3, "GenerateDataKey", ORDERS, OSS), call(4, "Decrypt", "", GO)]);
    case.is(ORDERS, &[], "migratable", &["application_use"]);
}

#[test]
fn a_name_of_a_service_behind_an_address_may_be_anybodys() {
    let own = call(3, "Encrypt", ORDERS, GO);
    let by = |agent: &str, address: &str| {
        let event = with(call(5, "Encrypt", ORDERS, agent), "vpcId", json!("vpc-bp1example"));
        with(event, "sourceIpAddress", json!(address))
    };
    for address in ["10.0.3.17", "203.0.113.9", "fd00::1", "203.0.113.9:443", "203.0.113.*", "host.example.com"] {
        let case = Case::of(&[own.clone(), by("mybackend.aliyuncs.com", address)]);
        assert_eq!(case.key(ORDERS, &[])["facts"]["usage"]["value"], "self-managed", "{address}");
        case.is(ORDERS, &[], "migratable", &["languages"]);
    }
    let role = json!({"type": "assumed-role", "userName": "AliyunServiceRoleForOSS:session"});
    for event in [
        by(OSS, "Internal"),
        by(OSS, OSS),
        by(OSS, ""),
        by(OSS, "100.100.2.136"),
        with(by(OSS, "10.0.3.17"), "userIdentity", role),
        with(by(OSS, "10.0.3.17"), "eventType", json!("AliyunServiceEvent")),
    ] {
        Case::of(&[own.clone(), event]).is(ORDERS, &[], "migratable", &[]);
    }
}

#[test]
fn places_are_what_the_users_networks_say() {
    let at = |address: &str| {
        let mut event = with(call(5, "Encrypt", ORDERS, GO), "sourceIpAddress", json!(address));
        event.as_object_mut().unwrap().remove("vpcId");
        event
    };
    for address in ["203.0.113.9", "10.1.2.3", "Internal", ""] {
        Case::of(&[at(address)]).is(ORDERS, &[], "migratable", &["network"]);
    }
    let case = Case::of(&[at("203.0.113.9")]);
    let networks = |name: &str| put(&case.folder, "networks.csv", format!("203.0.113.0/24,{name}\n"));
    case.is(ORDERS, &["--networks", &networks("vpc")], "migratable", &[]);
    case.is(ORDERS, &["--networks", &networks("our office")], "migratable", &["network"]);
    assert_eq!(case.verdict(ORDERS, &["--networks", &networks("data-centre")]).0, "blocked");
    let endpoint = with(at("10.1.2.3"), "eventSource", json!("kms-vpc.cn-hangzhou.aliyuncs.com"));
    Case::of(&[endpoint]).is(ORDERS, &[], "migratable", &[]);
}

#[test]
fn a_data_centre_that_calls_through_a_vpc_is_a_data_centre() {
    // What stands in the log is the same as of an application in the VPC, but for the address.
    let through = call(5, "Encrypt", ORDERS, GO);
    let mut endpoint = with(through.clone(), "eventSource", json!("kms-vpc.cn-hangzhou.aliyuncs.com"));
    endpoint.as_object_mut().unwrap().remove("vpcId");
    for event in [through, endpoint] {
        let case = Case::of(&[event]);
        let networks = |name: &str| put(&case.folder, "networks.csv", format!("10.0.0.0/16,{name}\n"));
        for name in ["data-centre", "internet"] {
            assert_eq!(case.verdict(ORDERS, &["--networks", &networks(name)]).0, "blocked", "{name}");
        }
        // A name that does not say where it is contradicts nothing, and other ranges say nothing of the address.
        for name in ["vpc", "our office"] {
            case.is(ORDERS, &["--networks", &networks(name)], "migratable", &[]);
        }
        let other = put(&case.folder, "networks.csv", "10.1.0.0/16,data-centre\n");
        case.is(ORDERS, &["--networks", &other], "migratable", &[]);
    }
}

#[test]
fn logs_and_inventories_that_contradict_each_other_leave_it_open() {
    let stated = INVENTORY.replace("versions\n", "versions,usage\n").replace(",1\n", ",1,none\n");
    let case = Case::new(&stated, &log(0..HOURS, &[call(5, "Encrypt", ORDERS, GO)]));
    assert_eq!(case.verdict(ORDERS, &[]).0, "undetermined");
    case.is(BILLING, &[], "migratable", &[]);
    // Somebody uses it who did not call in these days.
    let stated = INVENTORY.replace("versions\n", "versions,usage\n").replace(",1\n", ",1,self-managed\n");
    let case = Case::new(&stated, &log(0..HOURS, &[]));
    case.is(ORDERS, &[], "migratable", &["operations", "languages", "network"]);
}

#[test]
fn keys_whose_account_or_id_is_not_known_in_full_are_not_confirmed() {
    let without = INVENTORY.replace("1234567890123456", "");
    let case = Case::new(&without, &log(0..HOURS, &[call(5, "Encrypt", ORDERS, GO)]));
    case.is(ORDERS, &[], "migratable", &["operations", "languages", "network"]);
    case.is(BILLING, &[], "migratable", &ALL_OF_USE);
    let masked = INVENTORY.replace(BILLING, "05754286-****-****-****-********0001");
    let masked = masked.replace("versions\n", "versions,operations\n").replace(",1\n", ",1,Encrypt\n");
    let case = Case::new(&masked, &log(0..HOURS, &[call(5, "ReEncrypt", BILLING, GO)]));
    let (class, conditions) = case.verdict("05754286-****-****-****-********0001", &[]);
    assert_eq!((class.as_str(), conditions[0].as_str()), ("migratable", "operations"));
}

#[test]
fn events_that_cannot_be_read_leave_everything_open() {
    let mut text = log(0..HOURS, &[call(5, "Encrypt", ORDERS, GO)]);
    text.push_str("{\"eventName\": \n");
    let case = Case::new(INVENTORY, &text);
    assert_eq!(case.run(&[]).code, 3);
    assert_eq!(case.run(&["--allow-rejects"]).code, 0);
    case.is(ORDERS, &[], "migratable", &["operations", "languages", "network"]);
    case.is(BILLING, &[], "migratable", &ALL_OF_USE);
}

#[test]
fn what_cannot_be_read_of_logs_stands_among_the_rejects() {
    let mut text = log(0..HOURS, &[call(5, "Encrypt", ORDERS, GO)]);
    (0..30).for_each(|_| text.push_str("{\"eventName\": \n"));
    let case = Case::new(&format!("{INVENTORY}what,is,this,line,about,then,no,good,at all\n"), &text);
    let rejects = format!("{}/rejects.csv", case.folder.path().display());
    let more = ["--rejects", &rejects];
    let lines = text.lines().count() - 30;
    let expected = |ran: Ran| {
        assert!(ran.code == 3 || ran.code == 0, "{}", ran.err);
        let written = std::fs::read_to_string(&rejects).unwrap();
        std::fs::remove_file(&rejects).unwrap();
        let mut rows = written.lines();
        assert_eq!(rows.next(), Some("file,line,column,value,reason"));
        let of_log: Vec<&str> = rows.filter(|row| row.starts_with(&case.log)).collect();
        assert_eq!(of_log.len(), 20, "{written}");
        assert!(of_log[0].starts_with(&format!("{},{},,,", case.log, lines + 1)), "{written}");
        assert!(written.contains(&case.keys), "{written}");
    };
    expected(case.run(&more));
    let arguments = ["explain", ORDERS, "-i", &case.keys, "--events", &case.log, "--as-of", AS_OF];
    expected(run(&[&arguments[..], &more].concat()));
    // No result replaces a log.
    assert_eq!(case.run(&["--rejects", &case.log]).code, 2);
}

#[test]
fn logs_are_read_as_far_as_is_allowed() {
    let case = Case::of(&[call(5, "Encrypt", ORDERS, GO)]);
    let ran = case.run(&["--max-input", "100kB"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("it has more than 100000 bytes; --max-input SIZE allows more"), "{}", ran.err);
    case.is(ORDERS, &["--max-input", "100kB"], "migratable", &ALL_OF_USE);
    case.is(ORDERS, &["--max-input", "100MB"], "migratable", &[]);
}

#[test]
fn a_trail_of_writes_only_proves_nothing_of_reads() {
    let seen = ["operations", "languages", "network"];
    let writes = |text: &str| text.replace("\"eventRW\":\"Read\"", "\"eventRW\":\"Write\"");
    let calls = [call(5, "Encrypt", ORDERS, GO)];
    Case::new(INVENTORY, &writes(&log(0..HOURS, &calls))).is(ORDERS, &[], "migratable", &seen);
    // A week in which somebody listened to more.
    let week = log(HOURS - 168..HOURS, &[]);
    let case = Case::new(INVENTORY, &(writes(&log(0..HOURS - 168, &calls)) + &week));
    case.is(ORDERS, &[], "migratable", &seen);
    let both = log(0..HOURS, &[with(calls[0].clone(), "eventRW", json!("Write"))]);
    Case::new(INVENTORY, &both).is(ORDERS, &[], "migratable", &[]);
}

#[test]
fn keys_that_are_called_and_stand_in_no_inventory_are_told() {
    let stranger = "key-hzz65f3a1b2c3d4e5f6";
    let never = with(call(9, "Encrypt", "key-hzznosuchkey0000000", GO), "errorCode", json!("Forbidden.KeyNotFound"));
    let case = Case::of(&[call(5, "Encrypt", stranger, GO), never]);
    let told = "1 key(s) are called in the audit log and stand in no inventory: key-hzz65f3a1b2c3d4e5f6";
    assert!(case.run(&[]).err.contains(told));
    let expected = json!([{"account_id": ACCOUNT, "region": "cn-hangzhou", "key": stranger}]);
    assert_eq!(case.document(&[])["summary"]["usage_evidence"]["not_in_inventory"], expected);
}

#[test]
fn standard_input_is_read_once() {
    let ran = run(&["diagnose", "-", "--events", "-"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("standard input (`-`) can be read once"), "{}", ran.err);
}

/// A call as it was made, whatever the log says of it.
#[derive(Debug, Clone)]
struct Made {
    key: usize,
    operation: &'static str,
    agent: &'static str,
    is_named: bool,
    is_outside: bool,
    hour: i64,
}

fn made() -> impl Strategy<Value = Made> {
    let operation = select(vec!["Encrypt", "Decrypt", "GenerateDataKey", "ReEncrypt", "DescribeKey"]);
    let agent = select(vec![GO, JAVA, NODE, CLI, OWN, OSS]);
    (0..2_usize, operation, agent, any::<bool>(), 0..4_u8, 0..HOURS).prop_map(
        |(key, operation, agent, is_named, outside, hour)| Made {
            key,
            operation,
            agent,
            is_named,
            is_outside: outside == 0,
            hour,
        },
    )
}

/// What a call with a billing key of no account of ours, or other traffic, makes sure: cryptographic calls are recorded.
const TRAFFIC: &str = "key-hzz65f3a1b2c3d4e5f6";

#[test]
fn an_id_tells_more_than_the_alias_beside_it_and_aliases_that_move_tell_nothing() {
    let answered = with(call(5, "Encrypt", "alias/orders", NODE), "responseElements", json!({"KeyId": BILLING}));
    let case = Case::of(&[answered, call(6, "Encrypt", ORDERS, GO)]);
    case.is(ORDERS, &[], "migratable", &[]);
    assert_eq!(case.verdict(BILLING, &[]).0, "blocked");
    let moved = with(
        call(50, "UpdateAlias", ORDERS, CLI),
        "requestParameters",
        json!({"AliasName": "alias/orders", "KeyId": ORDERS}),
    );
    let case =
        Case::of(&[call(5, "GenerateAndExportDataKey", "alias/orders", GO), moved, call(6, "Encrypt", BILLING, GO)]);
    case.is(BILLING, &[], "migratable", &["operations"]);
    // The alias of two keys without a region.
    let inventory = INVENTORY.replace("cn-beijing", "").replace("cn-hangzhou", "");
    let export = call(5, "GenerateAndExportDataKey", "alias/orders", GO);
    let case = Case::new(&inventory, &log(0..HOURS, &[export]));
    for key in [ORDERS, ELSEWHERE] {
        let (class, conditions) = case.verdict(key, &[]);
        assert_eq!((class.as_str(), conditions.contains(&"operations".to_owned())), ("migratable", true));
    }
}

#[test]
fn an_alias_that_the_key_of_the_inventory_was_given_is_its_own() {
    let alias = |hour: i64, operation: &str, key: &str| {
        let request = json!({"AliasName": "alias/orders", "KeyId": key});
        with(call(hour, operation, key, CLI), "requestParameters", request)
    };
    let own =
        [call(3, "Encrypt", ORDERS, GO), call(60, "Encrypt", "alias/orders", GO), call(5, "Encrypt", BILLING, GO)];
    let of = |more: &[Value]| Case::of(&[&own[..], more].concat());
    let case = of(&[alias(50, "CreateAlias", ORDERS)]);
    case.is(ORDERS, &[], "migratable", &[]);
    case.is(BILLING, &[], "migratable", &[]);
    let others = |class: &str, conditions: &[&str], more: &[Value]| {
        let forbidden = call(70, "GenerateAndExportDataKey", "alias/orders", GO);
        of(&[more, &[forbidden]].concat()).is(BILLING, &[], class, conditions);
    };
    others("migratable", &[], &[alias(50, "CreateAlias", ORDERS)]);
    let failed = with(alias(51, "DeleteAlias", ORDERS), "errorCode", json!("Forbidden.NoPermission"));
    others("migratable", &[], &[alias(50, "CreateAlias", ORDERS), failed]);
    // The inventory says something else, or the alias has been that of another key.
    others("migratable", &["operations"], &[alias(50, "CreateAlias", BILLING)]);
    others("migratable", &["operations"], &[alias(50, "CreateAlias", ORDERS), alias(51, "CreateAlias", ORDERS)]);
    others("migratable", &["operations"], &[alias(50, "CreateAlias", ORDERS), alias(51, "DeleteAlias", ORDERS)]);
    others("migratable", &["operations"], &[alias(50, "UpdateAlias", ORDERS)]);
    // The key got another alias, and this one somebody else.
    let given = json!({"AliasName": "alias/second", "KeyId": BILLING});
    let second = with(alias(49, "CreateAlias", BILLING), "requestParameters", given);
    others("migratable", &["operations"], &[alias(50, "CreateAlias", BILLING), second]);
    // Nobody knows where, or which.
    let moved = alias(50, "UpdateAlias", ORDERS);
    for unclear in [
        with(moved.clone(), "acsRegion", json!("")),
        with(moved.clone(), "recipientAccountId", json!("***")),
        with(moved.clone(), "requestParameters", json!({"KeyId": ORDERS, "AliasName": "***"})),
        with(moved.clone(), "requestParameters", json!({})),
    ] {
        others("migratable", &["operations"], &[unclear]);
    }
    let told = of(&[alias(50, "UpdateAlias", ORDERS)]).run(&[]).err;
    assert!(told.contains("alias/orders; the inventory has them, but of several keys, or they were moved"), "{told}");
    assert!(!told.contains("add ListAliases"), "{told}");
}

#[test]
fn a_name_that_is_no_whole_id_may_mean_any_key() {
    let resource = |name: &str| {
        let event = with(call(5, "ExportDataKey", "", GO), "resourceType", json!("ACS::KMS::Key"));
        with(event, "resourceName", json!(name))
    };
    let several = format!("{ORDERS},{BILLING}");
    let version = format!("acs:kms:cn-hangzhou:{ACCOUNT}:key/{ORDERS}/version/abc");
    for name in ["0f5a1c1e-****-****-****-********1f01", "orders", "Alias/billing", &several, &version] {
        let case = Case::of(&[resource(name), call(6, "Encrypt", BILLING, GO)]);
        case.is(BILLING, &[], "migratable", &["operations"]);
    }
}

#[test]
fn all_calls_of_an_id_are_its_own_whichever_account_made_them() {
    let foreign = with(call(5, "ReEncrypt", ORDERS, GO), "recipientAccountId", json!("2234567890123456"));
    let case = Case::of(&[call(6, "Encrypt", ORDERS, GO), foreign]);
    assert_eq!(case.verdict(ORDERS, &[]).0, "blocked");
    let unnamed = with(call(5, "ExportDataKey", "", GO), "recipientAccountId", json!("2234567890123456"));
    let told = Case::of(&[call(6, "Encrypt", ORDERS, GO), unnamed]).run(&[]).err;
    assert!(
        told.contains("account 2234567890123456, cn-hangzhou, of which the inventory has no key: ExportDataKey"),
        "{told}"
    );
}

#[test]
fn a_log_without_any_cryptographic_call_proves_nothing() {
    let case = Case::new(INVENTORY, &log(0..HOURS, &[]));
    case.is(ORDERS, &[], "migratable", &ALL_OF_USE);
    let open = case.key(ORDERS, &[])["usage_evidence"]["open"].to_string();
    assert!(open.contains("the log has no cryptographic call with any key"), "{open}");
    Case::of(&[call(5, "Encrypt", TRAFFIC, GO)]).is(ORDERS, &[], "migratable", &[]);
    // Cloud services and tools name no key when they decrypt either.
    for agent in [OSS, CLI] {
        let case = Case::of(&[call(5, "Encrypt", TRAFFIC, GO), call(6, "Decrypt", "", agent)]);
        case.is(ORDERS, &[], "migratable", &ALL_OF_USE);
    }
}

#[test]
fn keys_that_were_created_lately_are_not_unused() {
    let created = INVENTORY.replace("versions\n", "versions,created\n").replace(",1\n", ",1,2026-10-20T08:00:00Z\n");
    let case = Case::new(&created, &log(0..HOURS, &[call(5, "Encrypt", TRAFFIC, GO)]));
    case.is(ORDERS, &[], "migratable", &ALL_OF_USE);
    let older = created.replace("2026-10-20", "2025-10-20");
    Case::new(&older, &log(0..HOURS, &[call(5, "Encrypt", TRAFFIC, GO)])).is(ORDERS, &[], "migratable", &[]);
}

#[test]
fn keys_of_which_nobody_knows_when_they_were_created_are_not_unused() {
    let traffic = log(0..HOURS, &[call(5, "Encrypt", TRAFFIC, GO)]);
    let created = |when: &str| {
        let inventory = INVENTORY.replace("versions\n", "versions,created\n").replace(",1\n", &format!(",1,{when}\n"));
        Case::new(&inventory, &traffic)
    };
    for when in ["20/10/2026", "10/20/2026", "1790000000", "lately"] {
        created(when).is(ORDERS, &[], "migratable", &ALL_OF_USE);
    }
    let open = created("lately").key(ORDERS, &[])["usage_evidence"]["open"].to_string();
    assert!(open.contains("`lately`, which is not understood"), "{open}");
    for when in ["20/10/2025", "2025-10-20", ""] {
        created(when).is(ORDERS, &[], "migratable", &[]);
    }
}

#[test]
fn keys_that_the_log_shows_being_created_are_not_unused_whatever_their_inventory_says() {
    let old = INVENTORY.replace("versions\n", "versions,created\n").replace(",1\n", ",1,2020-10-20\n");
    let traffic = call(5, "Encrypt", TRAFFIC, GO);
    let made = with(call(500, "CreateKey", "", CLI), "responseElements", json!({"KeyId": BILLING}));
    for inventory in [INVENTORY, &old] {
        let case = Case::new(inventory, &log(0..HOURS, &[traffic.clone(), made.clone()]));
        case.is(BILLING, &[], "migratable", &ALL_OF_USE);
        case.is(ORDERS, &[], "migratable", &[]);
        case.is(BILLING, &["--min-window", "5"], "migratable", &[]);
        let open = case.key(BILLING, &[])["usage_evidence"]["open"].to_string();
        assert!(open.contains("the key was created at 2026-10-21T20:00:00Z, less than 30 days"), "{open}");
        let failed = with(made.clone(), "errorCode", json!("Forbidden.NoPermission"));
        Case::new(inventory, &log(0..HOURS, &[traffic.clone(), failed])).is(BILLING, &[], "migratable", &[]);
    }
}

#[test]
fn what_support_has_agreed_to_stands() {
    let agreed = INVENTORY.replace("versions\n", "versions,languages\n").replace(",1\n", ",1,support-agreed\n");
    let case = Case::new(&agreed, &log(0..HOURS, &[call(5, "Encrypt", ORDERS, NODE)]));
    case.is(ORDERS, &[], "migratable", &[]);
}

#[test]
fn calls_that_failed_are_no_use() {
    let failed = with(call(5, "Encrypt", ORDERS, NODE), "errorCode", json!("Forbidden.NoPermission"));
    let case = Case::of(&[failed.clone(), call(6, "Encrypt", BILLING, GO)]);
    assert_eq!(case.verdict(ORDERS, &[]).0, "migratable");
    assert!(!case.verdict(ORDERS, &[]).1.is_empty(), "somebody tried to use it");
    Case::of(&[failed, call(6, "Encrypt", ORDERS, GO)]).is(ORDERS, &[], "migratable", &[]);
    let typo =
        with(call(5, "GenerateAndExportDataKey", "alias/typo", GO), "errorCode", json!("Forbidden.AliasNotFound"));
    // What cannot be used shows no use, and yet somebody may want to block.
    Case::of(&[typo, call(6, "Encrypt", ORDERS, GO)]).is(ORDERS, &[], "migratable", &["operations"]);
    let typo = with(call(5, "Encrypt", "alias/typo", NODE), "errorCode", json!("Forbidden.AliasNotFound"));
    Case::of(&[typo, call(6, "Encrypt", ORDERS, GO)]).is(ORDERS, &[], "migratable", &[]);
}

#[test]
fn versions_and_material_that_the_log_shows_contradict_what_the_inventory_says() {
    let case = Case::of(&[call(5, "CreateKeyVersion", ORDERS, CLI), call(6, "ImportKeyMaterial", BILLING, CLI)]);
    assert_eq!(case.verdict(ORDERS, &[]).0, "undetermined");
    assert_eq!(case.verdict(BILLING, &[]).0, "undetermined");
}

#[test]
fn a_version_or_material_of_a_key_that_nobody_knows_is_a_condition_on_every_key_of_its_account_and_region() {
    let own = call(3, "Encrypt", ORDERS, GO);
    for (operation, fact, means) in [
        ("CreateKeyVersion", "versions", "that key has more than one version"),
        ("ImportKeyMaterial", "origin", "the material of that key is imported"),
    ] {
        for key in ["", "alias/old-name"] {
            let case = Case::of(&[own.clone(), call(5, operation, key, CLI)]);
            for key in [ORDERS, BILLING] {
                case.is(key, &[], "migratable", &[fact]);
                let open = case.key(key, &[])["usage_evidence"]["open"].to_string();
                assert!(open.contains(operation) && open.contains(means), "{open}");
            }
            case.is(ELSEWHERE, &[], "migratable", &ALL_OF_USE);
            assert!(case.run(&[]).err.contains(means));
        }
        // Who tried and could not has changed nothing; and the key that is named is the one.
        let failed = with(call(5, operation, "", CLI), "errorCode", json!("Forbidden.NoPermission"));
        Case::of(&[own.clone(), failed]).is(ORDERS, &[], "migratable", &[]);
        Case::of(&[own.clone(), call(5, operation, BILLING, CLI)]).is(ORDERS, &[], "migratable", &[]);
    }
    // What is in the way stays there without any condition.
    let node = Case::of(&[call(3, "Encrypt", ORDERS, NODE), call(5, "CreateKeyVersion", "", CLI)]);
    node.is(ORDERS, &[], "blocked", &[]);
    let several = INVENTORY.replace("Disabled,1\n", "Disabled,3\n");
    let case = Case::new(&several, &log(0..HOURS, &[own.clone(), call(5, "CreateKeyVersion", "", CLI)]));
    let without = Case::new(&several, &log(0..HOURS, &[own]));
    assert_eq!(case.verdict(ORDERS, &[]), without.verdict(ORDERS, &[]));
}

#[test]
fn two_events_that_share_an_id_both_count() {
    let calls = [call(5, "Encrypt", ORDERS, GO), call(9, "ReEncrypt", BILLING, GO)];
    let case = Case::of(&calls.map(|call| with(call, "eventId", json!("-"))));
    case.is(ORDERS, &[], "migratable", &[]);
    assert_eq!(case.verdict(BILLING, &[]).0, "blocked");
}

#[test]
fn words_for_no_vpc_are_none_and_browsers_may_be_applications() {
    for vpc in ["-", "null", " ", "none"] {
        let event = with(call(5, "Encrypt", ORDERS, GO), "sourceIpAddress", json!("203.0.113.9"));
        Case::of(&[with(event, "vpcId", json!(vpc))]).is(ORDERS, &[], "migratable", &["network"]);
    }
    let shell = "Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1";
    Case::of(&[call(5, "Encrypt", ORDERS, GO), call(6, "Encrypt", ORDERS, shell)]).is(
        ORDERS,
        &[],
        "migratable",
        &["languages"],
    );
}

#[test]
fn events_of_kms_are_known_however_the_service_is_written() {
    for service in [json!("KMS"), json!("kms"), Value::Null] {
        let event = with(call(5, "ReEncrypt", ORDERS, GO), "serviceName", service);
        let event = with(event, "eventSource", json!("kms.cn-hangzhou.aliyuncs.com"));
        assert_eq!(Case::of(&[event]).verdict(ORDERS, &[]).0, "blocked");
    }
    // An event that does not say is none.
    let event = with(call(5, "ReEncrypt", ORDERS, GO), "serviceName", Value::Null);
    assert_eq!(Case::of(&[event]).run(&[]).code, 3);
}

#[test]
fn a_log_of_thirty_days_is_one_of_thirty_days() {
    let case = Case::new(INVENTORY, &log(HOURS - 720..HOURS, &[call(HOURS - 5, "Encrypt", ORDERS, GO)]));
    case.is(ORDERS, &[], "migratable", &[]);
    let old = case.run_as_of("2028-01-01", &["--min-window", "0"]);
    assert!(!old.err.contains("the log ends at"), "{}", old.err);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// No key is confirmed as migratable with which something was done that is in the way, however little the log says.
    #[test]
    fn nothing_that_was_done_is_confirmed_away(calls in prop::collection::vec(made(), 0..5)) {
        let keys = [ORDERS, BILLING];
        let mut events: Vec<Value> = calls.iter().enumerate().map(|(number, made)| {
            let key = if made.is_named { keys[made.key] } else { "" };
            let mut event = with(call(made.hour, made.operation, key, made.agent), "eventId", json!(number));
            if made.is_outside && made.agent != OSS {
                event.as_object_mut().unwrap().remove("vpcId");
                event["sourceIpAddress"] = json!("203.0.113.9");
            }
            event
        }).collect();
        events.push(call(9, "Encrypt", TRAFFIC, GO));
        let case = Case::of(&events);
        let document = case.document(&[]);
        for (number, key) in keys.iter().enumerate() {
            let own = calls.iter().filter(|made| made.key == number && made.operation != "DescribeKey");
            let is_in_the_way = own.clone().any(|made| {
                let is_application = made.agent != CLI && made.agent != OSS;
                made.operation == "ReEncrypt" || is_application && (made.is_outside || [NODE, OWN].contains(&made.agent))
            });
            let found = document["keys"].as_array().unwrap().iter().find(|found| found["key_id"] == *key).unwrap();
            let is_green = found["class"] == "migratable" && found["confirmed"] == true;
            prop_assert!(!(is_in_the_way && is_green), "{key}: {found}");
            if own.clone().all(|made| made.is_named) && calls.iter().all(|made| made.is_named) && !is_in_the_way {
                // Whatever else: no needless condition where everything is said.
                let by_tools_only = own.clone().count() > 0 && own.clone().all(|made| made.agent == CLI);
                prop_assert!(is_green || by_tools_only, "{key}: {found}");
            }
        }
    }
}
