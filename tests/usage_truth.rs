//! `usage` on 100,000 events of which everything is known: every line comes out exactly, however the log is written, ordered
//! and divided.
//!
//! The truth is kept beside the events while they are made, from tables that say what each form of each field means, and
//! knows nothing of how the program reads them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

mod program;
use program::{folder, logs, put, run};

/// So many events are made; some are delivered twice on top.
const EVENTS: usize = 100_000;

/// A Monday, 00:00 UTC; events are made in the 30 days from then on.
const START: i64 = 1_767_571_200;

/// Accounts and regions. Nothing is ever called in the last one, of which only ARNs speak.
const SCOPES: [(&str, &str); 6] = [
    ("1234567890123456", "cn-hangzhou"),
    ("1234567890123456", "cn-shanghai"),
    ("6543210987654321", "cn-hangzhou"),
    ("6543210987654321", "ap-southeast-2"),
    ("", "cn-beijing"),
    ("1234567890123456", "eu-central-1"),
];

const OPERATIONS: [&str; 8] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateAndExportDataKey",
    "DescribeKey",
    "ExportDataKey",
    "ReEncrypt",
    "AsymmetricSign",
];

/// What stands in `userAgent`, and what it means.
const AGENTS: [(&str, &str); 29] = [
    ("AliyunConsole", "console"),
    ("kms.console.aliyun.com", "console"),
    ("ram.console.alibabacloud.com", "console"),
    (
        "AlibabaCloud (linux; amd64) Golang/1.21.6 Core/1.62.0 HashiCorp-Terraform/1.5 Terraform-Provider/1.289.0 Terraform-Module/m TerraformTraceId/t",
        "Terraform",
    ),
    ("AlibabaCloud (linux; amd64) Golang/1.20 Core/0.0.1 Extra/Terraform HashiCorp-Terraform/1.5", "Terraform"),
    ("AlibabaCloud (linux; amd64) Golang/1.21 Core/1.62.0 Aliyun-CLI/3.0.200 vendor/x", "aliyun-cli"),
    ("AlibabaCloud (darwin; arm64) Golang/1.24 Core/0.01 TeaDSL/2 Aliyun-CLI/3.1", "aliyun-cli"),
    ("AlibabaCloud (Mac OS X; x86_64) Java/1.8.0_252-b09 Core/4.4.6 HTTPClient/ApacheHttpClient", "Java"),
    ("AlibabaCloud (Linux; amd64) Java/17 tea-util/0.2.16 TeaDSL/1", "Java"),
    ("AlibabaCloud (Linux; amd64) Java/11 rpc-baseClient/1.0 TeaDSL/1 Credentials/0.3 TeaDSL/1", "Java"),
    ("AlibabaCloud (linux; amd64) Golang/1.20 Core/1.61 k/v Extra/orders", "Go"),
    ("AlibabaCloud (linux; amd64) Golang/1.22.1 Core/0.01 TeaDSL/2", "Go"),
    ("AlibabaCloud (linux; amd64) Golang/1.22.1 kms-gcs-go-sdk-version/0.5.1", "Go"),
    ("AlibabaCloud (Linux 5.4;x86_64) Python/3.8.10 Core/2.13.36 python-requests/2.18.3 client/x", "Python"),
    ("AlibabaCloud (Linux; x86_64) Python/3.11 Core/0.4 TeaDSL/2", "Python"),
    ("AlibabaCloud (linux; x64) Node.js/v18.17.1 Core/1.7.9", "Node.js"),
    ("AlibabaCloud (linux; x64) Node.js/v20.1.0 Core/1.0.1 TeaDSL/1", "Node.js"),
    ("AlibabaCloud (Linux 5.4; x86_64) Client/1.5.32 PHP/7.4.33", "PHP"),
    ("AlibabaCloud (Linux; cli) PHP/8.2 Core/3.1 TeaDSL/1", "PHP"),
    ("Alibaba Cloud (Microsoft Windows NT 10.0.17763.0) RuntimeNotFound Core/1.5.3", ".NET"),
    ("AlibabaCloud (Unix 5.4) microsoft.netcore.app/6.0 Core/1.0 TeaDSL/2", ".NET"),
    ("AlibabaCloud OS/Linux DaraDSL/1", "C++"),
    ("AlibabaCloud (Linux; x86_64) C++/201703 Core/1.0.0-beta TeaDSL/2", "C++"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Java/8", "browser"),
    ("oss.aliyuncs.com", "cloud-service"),
    ("AlibabaCloud-Agent-Skills", "unknown"),
    ("curl/8.0 \\\"quoted\\\" \\u5bc6", "unknown"),
    ("okhttp", "unknown"),
    ("", "unknown"),
];

/// `userIdentity`, with # for a session, who that is, and whether it is a cloud service itself.
const IDENTITIES: [(&str, &str, bool); 10] = [
    (
        r#""type":"assumed-role","userName":"orders-role:orders-#","principalId":"30001:orders-#""#,
        "role/orders-role",
        false,
    ),
    (r#""userName":"billing:#","type":"assumed-role""#, "role/billing", false),
    (r#""type":"assumed-role","principalId":"300000000000000001:s#""#, "role/300000000000000001", false),
    (r#""type":"assumed-role","userName":"\u5bc6\/x:#""#, "role/密/x", false),
    (r#""type":"ram-user","userName":"alice","principalId":"2001""#, "user/alice", false),
    (r#""type":"ram-user","principalId":2002"#, "user/2002", false),
    (r#""type":"root-account""#, "root", false),
    (
        r#""type":"saml-user","userName":"carol","sessionContext":{"userName":"no","type":"ram-user"}"#,
        "other/carol",
        false,
    ),
    (r#""type":"assumed-role","userName":"AliyunServiceRoleForOSS:x#""#, "role/AliyunServiceRoleForOSS", true),
    ("", "principal", false),
];

/// `sourceIpAddress` and `vpcId`, the place that they are, and which of the user's networks. A network whose name says that it
/// is outside of VPCs is that, whatever stands in `vpcId`.
const PLACES: [(&str, &str, &str, &str); 14] = [
    ("10.0.3.17", "vpc-orders", "private", "data centre"),
    ("192.168.0.9", "vpc-billing", "vpc", ""),
    ("Internal", "vpc-orders", "vpc", ""),
    ("10.0.0.1", "", "private", "data centre"),
    ("172.16.0.1", "", "private", ""),
    ("100.100.2.136", "", "private", ""),
    ("fd00::1", "", "private", ""),
    ("203.0.113.9", "", "public", "office"),
    ("203.0.113.200", "", "public", "lab"),
    ("2001:db8::1", "", "public", "office"),
    ("198.51.100.7", "", "public", ""),
    ("Internal", "", "internal", ""),
    ("oss.aliyuncs.com", "", "internal", ""),
    ("", "", "unknown", ""),
];

const NETWORKS: &str =
    "# ours\n203.0.113.0/24,office\n203.0.113.128/25,lab\n2001:db8::/32,office\n10.0.0.0/8,data centre\n";

/// The networks whose names say that they are outside of VPCs.
const OUTSIDE: [&str; 2] = ["data centre", "office"];

/// `eventSource`, and whether only VPCs reach it.
const ENDPOINTS: [(&str, bool); 3] =
    [("", false), ("kms.cn-hangzhou.aliyuncs.com", false), ("kms-vpc.cn-hangzhou.aliyuncs.com", true)];

/// Callers that are no applications.
const TOOLS: [&str; 4] = ["console", "aliyun-cli", "Terraform", "cloud-service"];

/// What says, or does not say, that a call failed.
const FAILURES: [(&str, bool); 6] = [
    ("", false),
    (r#""errorCode":"","errorMessage":"""#, false),
    (r#""errorCode":null"#, false),
    (r#""errorCode":"Forbidden.NoPermission""#, true),
    (r#""errorMessage":"This operation is forbidden.","errorCode":"""#, true),
    (r#""errorCode":"Forbidden.KeyNotFound","errorMessage":"x""#, true),
];

/// Random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit as u64) as usize
    }

    fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        (1..list.len()).rev().for_each(|at| list.swap(at, self.below(at + 1)));
    }
}

/// Calls, those that failed, the first and the last.
#[derive(Clone, Copy)]
struct Sum {
    calls: u64,
    failed: u64,
    first: i64,
    last: i64,
}

impl Sum {
    const NOTHING: Sum = Sum { calls: 0, failed: 0, first: i64::MAX, last: i64::MIN };

    fn add(&mut self, time: i64, failed: bool) {
        self.calls += 1;
        self.failed += u64::from(failed);
        (self.first, self.last) = (self.first.min(time), self.last.max(time));
    }
}

impl Default for Sum {
    fn default() -> Sum {
        Sum::NOTHING
    }
}

type Scope = (&'static str, &'static str);

/// What is true of one key.
#[derive(Default)]
struct Key {
    all: Sum,
    operations: BTreeMap<&'static str, Sum>,
    applications: BTreeMap<(&'static str, &'static str, &'static str), Sum>,
    from: From,
    services: BTreeMap<String, u64>,
    vpcs: BTreeSet<&'static str>,
    hours: BTreeMap<i64, u64>,
}

/// From where applications called cryptographic operations.
#[derive(Default)]
struct From {
    places: BTreeMap<&'static str, u64>,
    networks: BTreeMap<&'static str, u64>,
}

impl From {
    fn add(&mut self, call: Call) {
        let (place, network, _) = call.from;
        if call.purpose() != "cryptographic" || TOOLS.contains(&call.caller) {
            return;
        }
        match network {
            _ if place == "vpc" => *self.places.entry(place).or_default() += 1,
            "" => *self.places.entry(place).or_default() += 1,
            network => *self.networks.entry(network).or_default() += 1,
        }
    }
}

/// One call, as it is true.
#[derive(Clone, Copy)]
struct Call {
    time: i64,
    failed: bool,
    operation: &'static str,
    principal: &'static str,
    caller: &'static str,
    /// From where, from which of the user's networks, through which VPC.
    from: (&'static str, &'static str, &'static str),
}

impl Call {
    fn purpose(&self) -> &'static str {
        match self.operation {
            "DescribeKey" => "management",
            _ if self.failed => "failed",
            _ => "cryptographic",
        }
    }

    /// The service that made it, if one did.
    fn service(&self) -> Option<String> {
        let name = self.principal.split_once('/').map_or(self.principal, |(_, name)| name);
        let is_service = self.caller == "cloud-service" && self.purpose() == "cryptographic";
        is_service.then(|| name.strip_prefix("AliyunServiceRoleFor").map_or(name.to_owned(), str::to_lowercase))
    }
}

impl Key {
    fn add(&mut self, call: Call) {
        self.all.add(call.time, call.failed);
        self.operations.entry(call.operation).or_default().add(call.time, call.failed);
        let application = (call.principal, call.caller, call.purpose());
        self.applications.entry(application).or_default().add(call.time, call.failed);
        self.from.add(call);
        if let Some(service) = call.service() {
            *self.services.entry(service).or_default() += 1;
        }
        let (_, _, vpc) = call.from;
        if !vpc.is_empty() {
            self.vpcs.insert(vpc);
        }
        *self.hours.entry((call.time - START) / 3600 % 168).or_default() += 1;
    }
}

/// From when to when there are events, in which hours, and what they say in `eventRW`.
type Covered = (Sum, BTreeSet<i64>, BTreeMap<&'static str, (Sum, BTreeSet<i64>)>);

/// Of calls without a key: where, the operation, the side, the principal and the language or tool.
type Caller = (Scope, &'static str, &'static str, &'static str, &'static str);

/// What is true of a log.
#[derive(Default)]
struct Truth {
    head: BTreeMap<&'static str, u64>,
    coverage: BTreeMap<Scope, Covered>,
    unattributed: BTreeMap<Caller, (Sum, From)>,
    keys: BTreeMap<(String, Scope), Key>,
}

fn show(time: i64) -> String {
    jiff::Timestamp::from_second(time).unwrap().to_string()
}

/// Hours behind each other.
fn runs(hours: &BTreeSet<i64>) -> Value {
    let mut runs: Vec<(i64, u64)> = Vec::new();
    for hour in hours {
        match runs.last_mut() {
            Some((first, count)) if *first + *count as i64 == *hour => *count += 1,
            _ => runs.push((*hour, 1)),
        }
    }
    runs.iter().map(|(first, count)| json!({"first": show(first * 3600), "hours": count})).collect()
}

impl Truth {
    fn count(&mut self, what: &'static str) {
        *self.head.entry(what).or_default() += 1;
    }

    fn cover(&mut self, scope: Scope, time: i64, event_rw: &'static str) {
        let (span, hours, all_rw) = self.coverage.entry(scope).or_default();
        span.add(time, false);
        hours.insert(time.div_euclid(3600));
        if !event_rw.is_empty() {
            let (sum, hours) = all_rw.entry(event_rw).or_default();
            sum.add(time, false);
            hours.insert(time.div_euclid(3600));
        }
    }

    /// The lines of the result, without the digest.
    fn lines(&self) -> Vec<Value> {
        let mut head = json!({"record": "usage", "version": 2});
        for name in ["events", "kms", "other_services", "duplicates", "broken", "no_key"] {
            head[name] = self.head[name].into();
        }
        head["unread_files"] = 0.into();
        let counts =
            [("coverage", self.coverage.len()), ("unattributed", self.unattributed.len()), ("key", self.keys.len())];
        head["lines"] = counts.into_iter().map(|(kind, count)| (kind.to_owned(), json!(count))).collect();
        let coverage = self.coverage.iter().map(|((account, region), (span, hours, event_rw))| {
            let said =
                |what| event_rw.get(what).map(|(sum, _)| json!({"first": show(sum.first), "last": show(sum.last)}));
            let all = span.last / 3600 - span.first / 3600 + 1;
            let mut line = json!({"record": "coverage", "account_id": account, "region": region, "first": show(span.first),
                "last": show(span.last), "reads": said("Read"), "writes": said("Write"), "silent_hours": all - hours.len() as i64, "hours": runs(hours)});
            if let Some((_, hours)) = event_rw.get("Read") {
                line["read_hours"] = runs(hours);
            }
            line
        });
        let unattributed =
            self.unattributed.iter().map(|(((account, region), operation, side, principal, caller), (sum, from))| {
                json!({"record": "unattributed", "account_id": account, "region": region, "operation": operation,
                "side": side, "principal": principal, "caller": caller, "calls": sum.calls, "failed": sum.failed,
                "first": show(sum.first), "last": show(sum.last), "places": from.places, "networks": from.networks})
            });
        let keys = self.keys.iter().map(|((id, scope), key)| {
            let span = self.coverage.get(scope).map_or(key.all, |(span, _, _)| *span);
            let weeks = ((span.last - span.first) as f64 / 604_800.0).max(1.0);
            let busiest = *key.hours.values().max().unwrap() as f64 / weeks / 3600.0;
            let operations: Map<String, Value> = key
                .operations
                .iter()
                .map(|(name, sum)| ((*name).to_owned(), json!({"calls": sum.calls, "failed": sum.failed})))
                .collect();
            let applications: Vec<Value> = key
                .applications
                .iter()
                .map(|((principal, caller, purpose), sum)| {
                    json!({"principal": principal, "caller": caller, "purpose": purpose, "calls": sum.calls, "last": show(sum.last)})
                })
                .collect();
            let hours: Vec<Value> =
                key.hours.iter().map(|(hour, calls)| json!({"hour": hour, "calls": calls})).collect();
            json!({"record": "key", "key_id": id, "account_id": scope.0, "region": scope.1, "calls": key.all.calls,
                "failed": key.all.failed, "first": show(key.all.first), "last": show(key.all.last),
                "operations": operations, "applications": applications, "places": key.from.places,
                "networks": key.from.networks, "vpcs": key.vpcs, "services": key.services, "hours": hours,
                "busiest_per_second": (busiest * 1e6).round() / 1e6,
                "peak_per_second": (busiest + 3.0 * busiest.sqrt()).ceil() as u64})
        });
        std::iter::once(head).chain(coverage).chain(unattributed).chain(keys).collect()
    }
}

/// A time in one of the spellings in which it may stand.
fn spelt(time: i64, spelling: usize) -> String {
    match spelling {
        0 => show(time).replace('Z', ".250Z"),
        1 => format!("{}+08:00", show(time + 8 * 3600).trim_end_matches('Z')),
        _ => show(time),
    }
}

/// Which keys an event is about, each with its account and region.
type Named = Vec<(String, Scope)>;

/// The members of an event that name keys, in one of the ways in which they do, and which keys those are.
fn naming(dice: &mut Dice, scope: Scope, operation: &mut &'static str) -> (Vec<String>, Named) {
    let other_scope = *dice.pick(&SCOPES);
    let mut id = || match dice.below(150) {
        number if number % 3 == 0 => format!("key-hzz{number:017x}"),
        number => format!("0f5a1c1e-8a51-4b0e-9a5e-{number:012x}"),
    };
    let (one, other) = (id(), id());
    let alias = format!("alias/app-{}", dice.below(20));
    let arn = |resource: &str| format!("acs:kms:{}:{}:{resource}", other_scope.1, other_scope.0);
    // An ARN without an account leaves that of the event.
    let of_arn = (if other_scope.0.is_empty() { scope.0 } else { other_scope.0 }, other_scope.1);
    let request = |key: &str| format!(r#""requestParameters":{{"Note":"{{\"KeyId\":\"no\"}}","KeyId":"{key}"}}"#);
    let key_resource = r#""resourceType":"ACS::KMS::Key""#.to_owned();
    let here = |key: &String| vec![(key.clone(), scope)];
    // Of two keys, and there are no more, it does not matter which is which.
    let both = || if one == other { here(&one) } else { [here(&one), here(&other)].concat() };
    match dice.below(16) {
        0 => {
            // Of two keys where there is one, nobody knows which it is.
            let named = if *operation == "ReEncrypt" || one == other { both() } else { Vec::new() };
            (vec![request(&one), format!(r#""resourceName":"{other}""#)], named)
        }
        1 => (vec![request(&arn(&format!("key/{one}")))], vec![(one, of_arn)]),
        2 => (vec![request(&alias.replace('/', r"\/")), r#""responseElements":null"#.to_owned()], here(&alias)),
        3 => (vec![request(&arn(&alias))], vec![(alias, of_arn)]),
        4 => (vec![format!(r#""responseElements":{{"Plaintext":"***","KeyId":"{one}"}}"#)], here(&one)),
        5 => {
            (vec![format!(r#""referencedResources":{{"ACS::RAM::Role":["r"],"ACS::KMS::Key":["{one}"]}}"#)], here(&one))
        }
        6 => (
            vec![format!(
                r#""referencedResources":[{{"resourceType":"ACS::RAM::Role","resourceName":"r"}},{{"resourceType":"ACS::KMS::Key","resourceName":"{one}"}}]"#
            )],
            here(&one),
        ),
        7 => (vec![key_resource, format!(r#""resourceName":"{one}""#)], here(&one)),
        8 => (vec![format!(r#""resourceName":"{}""#, arn(&format!("key/{one}")))], vec![(one, of_arn)]),
        9 => {
            *operation = "ReEncrypt";
            (vec![format!(r#""requestParameters":{{"DestinationKeyId":"{one}"}}"#)], here(&one))
        }
        10 | 11 => {
            *operation = "ReEncrypt";
            let named = both();
            (vec![format!(r#""responseElements":{{"KeyId":"{one}","SourceKeyId":"{other}"}}"#)], named)
        }
        14 => {
            *operation = "ReEncrypt";
            let named = both();
            let destination = format!(r#""requestParameters":{{"DestinationKeyId":"{other}"}}"#);
            (vec![destination, format!(r#""responseElements":{{"KeyId":"{one}"}}"#)], named)
        }
        12 if one != other => {
            let named = if *operation == "ReEncrypt" { both() } else { Vec::new() };
            (vec![format!(r#""referencedResources":{{"ACS::KMS::Key":["{one}","{other}"]}}"#)], named)
        }
        13 => {
            let alias_resource = r#""resourceType":"ACS::KMS::Alias""#.to_owned();
            (vec![alias_resource, format!(r#""resourceName":"{alias}""#)], here(&alias))
        }
        _ => (vec![r#""requestParameters":{"CiphertextBlob":"x"}"#.to_owned()], Vec::new()),
    }
}

/// The text of an event, which the truth then knows.
fn event(number: usize, dice: &mut Dice, truth: &mut Truth) -> String {
    let scope = SCOPES[dice.below(SCOPES.len() - 1)];
    // In two days nobody listened, and at night few did.
    let day = [0..9, 11..30][usize::from(dice.below(3) > 0)].clone();
    let day = day.start + dice.below(day.len());
    let hour = [8 + dice.below(12), dice.below(24)][usize::from(dice.below(50) == 0)];
    let time = START + (day * 86_400 + hour * 3600 + dice.below(3600)) as i64;
    let mut operation = *dice.pick(&OPERATIONS);
    let (naming, named) = naming(dice, scope, &mut operation);
    let (agent, mut caller) = *dice.pick(&AGENTS);
    let (identity, principal, is_service) = *dice.pick(&IDENTITIES);
    let (address, vpc, mut place, network) = *dice.pick(&PLACES);
    let (endpoint, is_of_vpc) = *dice.pick(&ENDPOINTS);
    // Whoever reaches that has a private address.
    if is_of_vpc && place == "private" && !OUTSIDE.contains(&network) {
        place = "vpc";
    }
    let event_rw = *dice.pick(&["Read", "Write", ""]);
    let (failure, failed) = *dice.pick(&FAILURES);
    let kind = *dice.pick(&["ApiCall", "ApiCall", "ConsoleOperation", "AliyunServiceEvent"]);
    if is_service || kind == "AliyunServiceEvent" {
        caller = "cloud-service";
    } else if caller == "cloud-service"
        && address.contains(['.', ':'])
        && !address.ends_with(".com")
        && !address.starts_with("100.100.")
    {
        // Services have no address; who writes their names behind one may be anybody.
        caller = "unknown";
    }
    let service = if dice.below(8) == 0 { *dice.pick(&["Ecs", "Oss", "Rds", "Sts"]) } else { "Kms" };
    let is_broken = dice.below(200) == 0;
    let written = if is_broken { "yesterday".to_owned() } else { spelt(time, dice.below(20)) };
    let identity = identity.replace('#', &(number % 977).to_string());
    let mut members = naming;
    members.extend([
        format!(r#""eventTime":"{written}","eventName":"{operation}""#),
        format!(r#""userAgent":"{agent}","eventType":"{kind}""#),
        format!(r#""acsRegion": "{}""#, scope.1),
        format!(r#""serviceName":"{service}","requestParameterJson":"{{\"KeyId\":\"alias/no\"}}""#),
        format!(r#""userIdentity":{{{identity}}}"#),
        format!(r#""sourceIpAddress":"{address}","additionalEventData":{{"Scheme":"https","vpcId":["}}"]}}"#),
    ]);
    // Some events have no id, and each counts.
    if !number.is_multiple_of(500) {
        members.push(format!(r#""eventId":"3f0d6a1e-0b0c-4c8e-9f67-{number:012x}""#));
    }
    if !failure.is_empty() {
        members.push(failure.to_owned());
    }
    for (name, text) in [("eventSource", endpoint), ("eventRW", event_rw)] {
        if !text.is_empty() {
            members.push(format!(r#""{name}":"{text}""#));
        }
    }
    if !vpc.is_empty() {
        members.push(format!(r#""vpcId":"{vpc}""#));
    }
    if !scope.0.is_empty() {
        members.push(format!(r#""recipientAccountId":"{}""#, scope.0));
    }
    // Most logs are written by one program, which writes all events alike.
    if dice.below(4) == 0 {
        dice.shuffle(&mut members);
    }
    truth.count("events");
    if is_broken {
        truth.count("broken");
    } else if service != "Kms" {
        truth.count("other_services");
    } else {
        truth.count("kms");
    }
    if !is_broken {
        truth.cover(scope, time, event_rw);
    }
    if service == "Kms" && !is_broken {
        let has = |text: &str| members.iter().any(|member| member.contains(text));
        let side = match named.len() {
            0 => Some("all"),
            // The answer names the source, and the request the other one.
            1 if operation == "ReEncrypt" && has("\"responseElements\":{") => {
                let is_one = has("SourceKeyId") || has("DestinationKeyId");
                (!is_one).then_some("destination")
            }
            1 if operation == "ReEncrypt" => Some("source"),
            _ => None,
        };
        let call = Call { time, failed, operation, principal, caller, from: (place, network, vpc) };
        if named.is_empty() {
            truth.count("no_key");
        }
        if let Some(side) = side {
            let (sum, from) = truth.unattributed.entry((scope, operation, side, principal, caller)).or_default();
            sum.add(time, failed);
            from.add(call);
        }
        for (key, scope) in named {
            truth.keys.entry((key, scope)).or_default().add(call);
        }
    }
    format!("{{{}}}", members.join(","))
}

/// The events by number, with those that are delivered twice, shuffled.
fn deliveries() -> (Vec<(usize, String)>, Truth) {
    let (mut dice, mut truth) = (Dice(20_260_105), Truth::default());
    let mut events: Vec<(usize, String)> =
        (0..EVENTS).map(|number| (number, event(number, &mut dice, &mut truth))).collect();
    for number in (0..EVENTS).step_by(37).filter(|number| !number.is_multiple_of(500)) {
        let text = events[number].1.clone();
        truth.count("events");
        truth.count(match text {
            _ if text.contains("yesterday") => "broken",
            _ if !text.contains("\"serviceName\":\"Kms\"") => "other_services",
            _ => "duplicates",
        });
        events.push((number, text));
    }
    dice.shuffle(&mut events);
    (events, truth)
}

/// The lines of a result as the truth has them: without the digest, and applications in order of their names.
fn said(out: &str) -> Vec<Value> {
    let mut lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[0].as_object_mut().unwrap().remove("digest");
    for line in lines.iter_mut().filter(|line| line["record"] == "key") {
        let applications = line["applications"].as_array_mut().unwrap();
        assert!(applications.is_sorted_by_key(|one| std::cmp::Reverse(one["calls"].as_u64())), "{line}");
        let applications = line["applications"].as_array_mut().unwrap();
        let name = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
        applications.sort_by_cached_key(|one| (name(one, "principal"), name(one, "caller"), name(one, "purpose")));
    }
    lines
}

#[test]
fn of_a_hundred_thousand_events_everything_comes_out_however_they_are_divided() {
    let (events, truth) = deliveries();
    let folder = folder();
    let networks = put(&folder, "networks.csv", NETWORKS);
    let usage = |logs: &[&str], jobs: &str| {
        let options = ["--networks", &networks, "--jobs", jobs, "--quiet"];
        let ran = run(&[&["usage"], logs, &options].concat());
        assert_eq!(ran.code, 3, "some events are broken: {}", ran.err);
        ran.out
    };
    let merge = |results: &[&String]| {
        let results: Vec<&str> = results.iter().map(|result| result.as_str()).collect();
        run(&[&["usage", "merge", "--quiet"], &results[..]].concat()).out
    };
    // Both deliveries of an event stand in one part, or each anywhere.
    let divided = |part_of: &dyn Fn(usize, usize) -> usize, name: &str| -> Vec<String> {
        let mut parts = vec![Vec::new(); logs::LAYOUTS];
        for (place, (number, text)) in events.iter().enumerate() {
            parts[part_of(place, *number)].push(text.clone());
        }
        let written = parts.iter().enumerate().map(|(layout, part)| {
            let (extension, bytes) = logs::log(layout, part);
            put(&folder, &format!("{name}-{layout}.{extension}"), bytes)
        });
        written.collect()
    };
    let parts = divided(&|_, number| number * 7919 % 101 % logs::LAYOUTS, "part");
    let mut parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let whole = usage(&parts, "1");
    let (said, expected) = (said(&whole), truth.lines());
    for (said, expected) in said.iter().zip(&expected) {
        assert_eq!(said, expected);
    }
    assert_eq!(said.len(), expected.len());
    assert!(truth.keys.len() > 700 && truth.unattributed.len() > 700, "the log is not as varied as it should be");
    parts.reverse();
    assert!(usage(&parts, "2") == whole, "in another order, on two threads");
    let scattered = divided(&|place, _| place % logs::LAYOUTS, "scattered");
    let scattered: Vec<&str> = scattered.iter().map(String::as_str).collect();
    assert!(usage(&scattered, "2") == whole, "with deliveries of an event in different files");

    let result = put(&folder, "whole.usage.jsonl", whole.as_bytes());
    let of_logs = run(&[&["usage", "--format", "csv", "--networks", &networks], &parts[..]].concat());
    let of_result = run(&["usage", "merge", "--format", "csv", &result]);
    let told = |err: &str| err.lines().filter(|line| !line.starts_with("rejected: ")).collect::<Vec<_>>().join("\n");
    assert!(of_logs.out == of_result.out, "a table needs less, and says the same");
    assert_eq!(told(&of_logs.err), told(&of_result.err));

    let result = |name: &str, text: String| put(&folder, &format!("{name}.usage.jsonl"), text);
    let results: Vec<String> =
        parts.iter().enumerate().map(|(number, part)| result(&number.to_string(), usage(&[part], "1"))).collect();
    let [a, b, c, d, e, f, g, h] = results.iter().collect::<Vec<_>>()[..] else { panic!("as many as layouts") };
    assert!(merge(&[a, b, c, d, e, f, g, h]) == whole, "merged at once");
    assert!(merge(&[h, c, a, f, e, b, d, g]) == whole, "in another order");
    let (left, right) = (result("left", merge(&[a, b])), result("right", merge(&[c, d, e, f, g, h])));
    assert!(merge(&[&left, &right]) == whole, "in two groups");
    let chained = [c, d, e, f, g, h].into_iter().fold(left.clone(), |so_far, part| {
        let merged = merge(&[part, &so_far]);
        result("chained", merged)
    });
    assert!(std::fs::read_to_string(&chained).unwrap() == whole, "one behind the other");
    assert!(merge(&[&left, &right, &chained, &left]) != whole, "results that share some of their events");
    assert!(merge(&[&chained, &chained]) == whole, "the same result twice");
}
