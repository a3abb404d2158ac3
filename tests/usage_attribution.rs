//! Which key an event counts for, how operations, accounts and regions are written, and which events are one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

mod program;
use program::{Ran, folder, put, run};

const ONE: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01";
const OTHER: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f02";
const THIRD: &str = "0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f03";

/// An event of KMS, of which each member can be changed.
fn event(id: &str, changes: &Value) -> Value {
    let mut event = json!({
        "eventId": id, "eventName": "Decrypt", "eventTime": "2026-11-18T03:12:45Z", "serviceName": "Kms",
        "acsRegion": "cn-hangzhou", "recipientAccountId": "1234567890123456",
        "userAgent": "AlibabaCloud (linux; amd64) Golang/1.22 Core/0.01 TeaDSL/1",
        "userIdentity": {"type": "ram-user", "userName": "batch"},
    });
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

fn usage(logs: &[&str]) -> Ran {
    let folder = folder();
    let name = |(number, log): (usize, &&str)| put(&folder, &format!("{number}.jsonl"), log);
    let logs: Vec<String> = logs.iter().enumerate().map(name).collect();
    let logs: Vec<&str> = logs.iter().map(String::as_str).collect();
    run(&[&["usage", "--quiet"], &logs[..]].concat())
}

/// The lines of keys, or of calls without one.
fn records(ran: &Ran, record: &str) -> Vec<Value> {
    let lines = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["record"] == record).collect()
}

/// The keys for which an event counts, and the side of which the key is not known.
fn keys_of(event: &Value) -> (Vec<String>, Option<String>) {
    let ran = usage(&[&event.to_string()]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = records(&ran, "key").iter().map(|line| text(&line["key_id"])).collect();
    (keys, records(&ran, "unattributed").first().map(|line| text(&line["side"])))
}

#[test]
fn of_re_encrypt_both_keys_are_found_wherever_they_stand() {
    let arn = |id: &str| format!("acs:kms:cn-hangzhou:1234567890123456:key/{id}");
    let written = json!({"DestinationKeyId": ONE});
    let keys = |resources: &[&str]| json!({"ACS::KMS::Key": resources});
    let cases = [
        (json!({"requestParameters": written}), &[ONE][..], Some("source")),
        (json!({"requestParameters": written, "responseElements": {"KeyId": OTHER}}), &[ONE, OTHER], None),
        (json!({"requestParameters": written, "responseElements": {"KeyId": ONE}}), &[ONE], None),
        (json!({"requestParameters": written, "referencedResources": keys(&[OTHER])}), &[ONE, OTHER], None),
        (json!({"requestParameters": written, "referencedResources": keys(&[OTHER, ONE])}), &[ONE, OTHER], None),
        (
            json!({"requestParameters": written, "resourceName": OTHER, "resourceType": "ACS::KMS::Key"}),
            &[ONE, OTHER],
            None,
        ),
        (json!({"referencedResources": keys(&[OTHER, ONE])}), &[ONE, OTHER], None),
        // The key under which it writes, once more.
        (json!({"requestParameters": written, "referencedResources": keys(&[ONE])}), &[ONE], Some("source")),
        (json!({"requestParameters": written, "referencedResources": keys(&[&arn(ONE)])}), &[ONE], Some("source")),
        (json!({"requestParameters": written, "resourceName": ONE.to_uppercase()}), &[ONE], Some("source")),
        (json!({"requestParameters": written, "resourceName": ONE.replace('-', "")}), &[ONE], Some("source")),
        // An alias may be that of the key beside it.
        (
            json!({"requestParameters": {"DestinationKeyId": "alias/x"}, "resourceName": ONE}),
            &[ONE, "alias/x"],
            Some("source"),
        ),
        (
            json!({"requestParameters": written, "referencedResources": keys(&[&format!(" {ONE}")])}),
            &[ONE],
            Some("source"),
        ),
        (
            json!({"requestParameters": written, "referencedResources": keys(&[ONE, &arn(ONE), OTHER])}),
            &[ONE, OTHER],
            None,
        ),
        (
            json!({"requestParameters": {"DestinationKeyId": "alias/x"}, "responseElements": {"KeyId": ONE}}),
            &[ONE, "alias/x"],
            None,
        ),
        // Under which key it writes is not known.
        (json!({"responseElements": {"KeyId": ONE}}), &[ONE], Some("destination")),
        (json!({"requestParameters": {"SourceKeyId": ONE}}), &[ONE], Some("destination")),
        (
            json!({"requestParameters": {"DestinationKeyId": "***"}, "responseElements": {"KeyId": ONE}}),
            &[ONE],
            Some("destination"),
        ),
        // Nobody knows which two.
        (
            json!({"requestParameters": written, "referencedResources": keys(&[OTHER, THIRD])}),
            &[ONE, OTHER],
            Some("source"),
        ),
        (json!({}), &[], Some("all")),
    ];
    for (changes, expected, side) in cases {
        let mut event = event("1", &changes);
        event["eventName"] = json!("ReEncrypt");
        let (mut keys, unknown) = keys_of(&event);
        keys.iter_mut().for_each(|key| *key = key.to_lowercase().trim().to_owned());
        keys.sort();
        keys.dedup();
        assert_eq!(
            (keys, unknown.as_deref()),
            (expected.iter().map(|key| (*key).to_owned()).collect(), side),
            "{event}"
        );
    }
}

#[test]
fn operations_that_matter_are_known_in_other_letters() {
    let written = json!({"requestParameters": {"DestinationKeyId": ONE}});
    for name in ["ReEncrypt", "reEncrypt", "REENCRYPT", "ReEncrypt ", "\\u0052eEncrypt"] {
        let event = event("1", &written).to_string().replace("\"Decrypt\"", &format!("\"{name}\""));
        let unattributed = records(&usage(&[&event]), "unattributed");
        assert_eq!(
            (&unattributed[0]["operation"], &unattributed[0]["side"]),
            (&json!("ReEncrypt"), &json!("source")),
            "{name}"
        );
    }
    for (name, known) in [("createKeyVersion", "CreateKeyVersion"), ("IMPORTKEYMATERIAL", "ImportKeyMaterial")] {
        let event = event("1", &json!({"eventName": name, "requestParameters": {"KeyId": ONE}}));
        assert_eq!(records(&usage(&[&event.to_string()]), "key")[0]["operations"][known]["calls"], 1, "{name}");
    }
}

#[test]
fn accounts_and_regions_have_one_spelling() {
    let spellings = [
        json!({}),
        json!({"acsRegion": "CN-HANGZHOU"}),
        json!({"recipientAccountId": " 1234567890123456 "}),
        json!({"recipientAccountId": "1.234567890123456E15"}),
        json!({"recipientAccountId": 1_234_567_890_123_456_u64}),
        json!({"requestParameters": {"KeyId": format!("acs:kms:CN-Hangzhou:1234567890123456:key/{ONE}")}}),
    ];
    let events = spellings.iter().enumerate().map(|(number, changes)| {
        let mut event = event(&number.to_string(), &json!({"requestParameters": {"KeyId": ONE}}));
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        format!("{event}\n")
    });
    let ran = usage(&[&events.collect::<String>()]);
    let keys = records(&ran, "key");
    assert_eq!(
        (keys.len(), &keys[0]["calls"], &keys[0]["region"]),
        (1, &json!(6), &json!("cn-hangzhou")),
        "{}",
        ran.out
    );
    assert_eq!(records(&ran, "coverage").len(), 1, "{}", ran.out);
}

#[test]
fn ids_and_aliases_are_known_however_they_are_written() {
    let escaped = ONE.replace('-', "\\u002d");
    for written in [ONE, &escaped, &format!("key/{ONE}"), &format!("key\\/{ONE}")] {
        let event = event("1", &json!({"requestParameters": {"KeyId": "HERE"}})).to_string().replace("HERE", written);
        assert_eq!(records(&usage(&[&event]), "key")[0]["key_id"], ONE, "{written}");
    }
    let in_resource = |resource_type: &str| json!({"resourceName": ONE, "resourceType": resource_type});
    assert_eq!(keys_of(&event("1", &in_resource("Key"))).0, [ONE]);
    assert_eq!(keys_of(&event("1", &in_resource("ACS::RAM::Role"))).0.len(), 0);
    let referenced = |keys: &[&str]| keys_of(&event("1", &json!({"referencedResources": {"ACS::KMS::Key": keys}}))).0;
    let arn = format!("acs:kms:cn-hangzhou:1234567890123456:key/{ONE}");
    assert_eq!(referenced(&[ONE, &arn, &ONE.to_uppercase()]), [ONE]);
    assert_eq!(referenced(&[ONE, "alias/orders"]), [ONE, "alias/orders"]);
    assert_eq!(referenced(&[ONE, OTHER]).len(), 0);
    // An id tells more than the alias with which the key was called.
    for beside in [json!({"referencedResources": {"ACS::KMS::Key": [ONE]}}), json!({"resourceName": ONE})] {
        let mut event = event("1", &beside);
        event["requestParameters"] = json!({"KeyId": "alias/orders"});
        assert_eq!(keys_of(&event).0, [ONE], "{event}");
    }
    for changes in [
        json!({"requestParameters": {"KeyId": ONE, "AliasName": "alias/orders"}}),
        json!({"requestParameters": {"KeyId": ONE, "AliasName": "orders"}}),
        json!({"requestParameters": {"KeyId": ONE, "AliasName": " alias/orders "}}),
        json!({"requestParameters": {"KeyId": ONE}, "resourceName": "alias/orders", "resourceType": "ACS::KMS::Alias"}),
    ] {
        let mut event = event("1", &changes);
        event["eventName"] = json!("UpdateAlias");
        assert_eq!(keys_of(&event), (vec![ONE.to_owned(), "alias/orders".to_owned()], None), "{event}");
    }
    let moved =
        event("1", &json!({"eventName": "UpdateAlias", "requestParameters": {"KeyId": ONE, "AliasName": "***"}}));
    assert_eq!(keys_of(&moved), (vec![ONE.to_owned()], Some("alias".to_owned())));
    assert_eq!(records(&usage(&[&moved.to_string()]), "usage")[0]["no_key"], 0);
}

#[test]
fn events_are_one_only_if_they_say_the_same() {
    let base = event("***", &json!({"requestParameters": {"KeyId": ONE}, "sourceIpAddress": "10.0.0.1"}));
    let changes = [
        json!({"requestParameters": {"KeyId": OTHER}}),
        json!({"requestParameters": {}}),
        json!({"userAgent": "AlibabaCloud (Linux; x86_64) PHP/7.4 Core/3.1 TeaDSL/1"}),
        json!({"userIdentity": {"type": "ram-user", "userName": "other"}}),
        json!({"userIdentity": {"type": "assumed-role", "userName": "batch:session"}}),
        json!({"userIdentity": {"type": "assumed-role", "userName": "batch:other"}}),
        json!({"sourceIpAddress": "10.0.0.2"}),
        json!({"vpcId": "vpc-bp1example"}),
        json!({"errorCode": "Forbidden"}),
        json!({"acsRegion": "cn-shanghai"}),
        json!({"eventTime": "2026-11-18T03:12:46Z"}),
        json!({"eventName": "Encrypt"}),
        json!({"eventId": "1"}),
    ];
    let mut events = vec![base.clone()];
    for changes in &changes {
        let mut event = base.clone();
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        events.push(event);
    }
    let lines: Vec<String> = events.iter().map(|event| format!("{event}\n")).collect();
    let (forth, back) = (lines.concat(), lines.iter().rev().cloned().collect::<String>());
    let (ran, turned) = (usage(&[&forth, &back]), usage(&[&back, &forth]));
    let head = &records(&ran, "usage")[0];
    assert_eq!((&head["kms"], &head["duplicates"]), (&json!(events.len()), &json!(events.len())), "{head}");
    assert_eq!(ran.out, turned.out);
}

#[test]
fn results_of_other_events_are_not_taken_for_the_same() {
    let other = |id: &str| event(id, &json!({"serviceName": "Ecs", "eventName": "StopInstance", "eventRW": "Write"}));
    let folder = folder();
    let result = |name: &str| {
        let log = put(&folder, &format!("{name}.jsonl"), other(name).to_string());
        put(&folder, &format!("{name}.usage"), run(&["usage", "--quiet", &log]).out)
    };
    let [one, two, three] = ["1", "2", "3"].map(result);
    let merge = |results: &[&str]| run(&[&["usage", "merge", "--quiet"], results].concat()).out;
    let whole = usage(&[&["1", "2", "3"].map(|id| other(id).to_string()).join("\n")]).out;
    assert_eq!(merge(&[&one, &two, &three]), whole);
    let pair = put(&folder, "pair.usage", merge(&[&three, &one]));
    assert_eq!(merge(&[&pair, &two]), whole);
}

#[test]
fn an_event_that_names_no_service_is_known_by_its_endpoint() {
    let mut kms = event("2", &json!({"requestParameters": {"KeyId": ONE}}));
    kms.as_object_mut().unwrap().remove("serviceName");
    let ecs = event("1", &json!({"serviceName": "Ecs", "eventRW": "Read"}));
    let endpoints = [
        "kms-vpc.cn-hangzhou.aliyuncs.com",
        "https://kms.cn-hangzhou.aliyuncs.com",
        "kst-hzz65f176a0ogplgq5bvu.cryptoservice.kms.aliyuncs.com",
    ];
    for endpoint in endpoints {
        kms["eventSource"] = json!(endpoint);
        for log in [format!("{ecs}{kms}\n"), format!("{ecs}\n{kms}\n"), format!("[{ecs},{kms}]")] {
            let ran = usage(&[&log]);
            let head = &records(&ran, "usage")[0];
            let counts: BTreeMap<&str, &Value> = ["events", "kms"].iter().map(|name| (*name, &head[*name])).collect();
            assert_eq!(json!(counts), json!({"events": 2, "kms": 1}), "{log}: {}", ran.err);
        }
    }
}

#[test]
fn a_key_that_is_created_is_known_by_the_answer() {
    let metadata =
        json!({"KeyId": ONE, "Arn": format!("acs:kms:cn-hangzhou:1234567890123456:key/{ONE}"), "KeyState": "Enabled"});
    let create = json!({"eventName": "CreateKey", "responseElements": {"RequestId": "r", "KeyMetadata": metadata}});
    // Events are read in another way once there were many alike.
    let log: String = (0..200).map(|number| format!("{}\n", event(&number.to_string(), &create))).collect();
    let ran = usage(&[&log]);
    let keys = records(&ran, "key");
    assert_eq!((keys.len(), &keys[0]["key_id"], &keys[0]["calls"]), (1, &json!(ONE), &json!(200)), "{}", ran.out);
}

#[test]
fn rows_that_say_something_of_themselves_are_read_in_any_order() {
    let kms = event("1", &json!({"requestParameters": {"KeyId": ONE}})).to_string();
    let own = r#""eventId":"2","eventTime":"2026-11-18T03:12:45Z","serviceName":"Sls","acsRegion":"cn-hangzhou","recipientAccountId":"1234567890123456","eventRW":"Read""#;
    for row in [format!("{{\"event\":{},{own}}}", json!(kms)), format!("{{{own},\"event\":{}}}", json!(kms))] {
        let log = format!("{row}\n").repeat(100);
        let ran = usage(&[&log]);
        assert_eq!(records(&ran, "key")[0]["key_id"], ONE, "{row}");
        assert_eq!(records(&ran, "usage")[0]["other_services"], 0, "{row}");
    }
}
