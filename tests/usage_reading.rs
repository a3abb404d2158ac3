//! `usage`: whatever stands in a log, no event is lost without a word.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use serde_json::{Value, json};

mod program;
use program::{Ran, folder, put, run};

/// An event of a service; those of other services say first what is wanted of them.
fn event(service: &str, number: usize) -> String {
    format!(
        r#"{{"serviceName":"{service}","eventTime":"2026-11-02T03:00:00Z","acsRegion":"r","recipientAccountId":"1","eventId":"{service}-{number}","eventName":"Decrypt","requestParameters":{{"KeyId":"k"}},"more":[{{"a":"]}}"}}]}}"#
    )
}

fn kms(number: usize) -> String {
    event("Kms", number)
}

fn ecs(number: usize) -> String {
    event("Ecs", number)
}

/// Many events, so that they are read the fast way, too.
fn many(count: usize) -> Vec<String> {
    (0..count).map(|number| if number % 3 == 0 { kms(1000 + number) } else { ecs(1000 + number) }).collect()
}

fn usage(name: &str, log: impl AsRef<[u8]>) -> Ran {
    let folder = folder();
    let path = put(&folder, name, log);
    run(&["usage", &path, "--allow-rejects"])
}

/// What the first line of a result says: events of KMS, of other services, and broken ones.
fn counts(ran: &Ran) -> [u64; 3] {
    let line: Value = serde_json::from_str(ran.out.lines().next().unwrap_or("{}")).unwrap();
    ["kms", "other_services", "broken"].map(|name| line[name].as_u64().unwrap_or(u64::MAX))
}

fn of(log: impl AsRef<[u8]>) -> [u64; 3] {
    counts(&usage("log.json", log))
}

#[test]
fn brackets_that_do_not_match_swallow_no_event() {
    for before in [0, 99] {
        let (known, of_kms) = (many(before), before as u64 / 3);
        let others = before as u64 - of_kms;
        let array = |events: &[String]| format!("[{}]", [&known[..], events].concat().join(",\n"));
        let open = ecs(1).replace("\"k\"}", "\"k\"");
        let closed = ecs(1).replace("\"k\"}", "\"k\"}}");
        for broken in [open, closed, ecs(1).replace("\"}]", "\"}")] {
            let [read, read_others, told] = of(array(&[broken.clone(), kms(1), ecs(2), kms(2)]));
            assert_eq!(read, of_kms + 2, "{broken}");
            assert!(read_others > others && told > 0, "{broken}: {read_others} {told}");
        }
        // A bracket of the other kind.
        let counts = of(array(&[ecs(1).replace("\"}]}", "\"}}}"), kms(1)]));
        assert_eq!((counts[0], counts[2] > 0), (of_kms + 1, true));
    }
}

#[test]
fn all_events_of_a_line_are_read() {
    let (e, k) = (ecs(1), kms(1));
    for (line, expected) in [
        (format!("{e}{k}\n"), [1, 1, 0]),
        (format!("{k}{e}"), [1, 1, 0]),
        (format!("{k}{}", kms(2)), [2, 0, 0]),
        (format!("{e} , {k}\n"), [1, 1, 0]),
        (format!("{e}{}", ecs(2)), [0, 2, 0]),
        (format!("{k},\n{e},\n"), [1, 1, 0]),
        (format!("{k}\n{}", &e[..e.len() - 9]), [1, 0, 1]),
        (format!("{k}\n{e} garbage\n"), [1, 1, 1]),
        (format!("{k}\n\u{feff}{e}\n"), [1, 1, 0]),
    ] {
        assert_eq!(of(&line), expected, "{line}");
        // The same behind events like it.
        let [kms, others, broken] = expected;
        assert_eq!(of(format!("{}\n{line}", many(99).join("\n"))), [kms + 33, others + 66, broken], "{line}");
    }
    for together in ["", " , "] {
        let one_line = format!("{}{together}{}", ecs(1), many(3000).join(together));
        assert_eq!(of(one_line), [1000, 2001, 0], "{together:?}");
    }
}

#[test]
fn one_broken_event_leaves_those_behind_it() {
    let k = kms(1);
    let broken = [&k[..60], &k.replacen("\"Kms\"", "\"Kms", 1), &k.replace("\"k\"", ""), &k[1..], "nonsense", "!", "1"];
    for broken in broken {
        for count in [4, 2000] {
            let mut events = many(count);
            events.insert(1, broken.to_owned());
            let whole = many(count).len() as u64;
            for log in [format!("[{}]", events.join(",")), json_around(&events)] {
                let ran = usage("log.json", log);
                let counts = counts(&ran);
                assert_eq!(counts[0] + counts[1], whole, "{broken}: {}", ran.err);
                // What stands around it may be told, too.
                assert!((1..=3).contains(&counts[2]), "{broken}: {}", ran.err);
            }
        }
    }
    let ran = usage("log.json", format!("[{},{},{}]", kms(1), "{\"a\":[", "1,".repeat(100)));
    assert!(ran.err.contains("no event behind it could be read"), "{}", ran.err);
    // Cut off between two events.
    assert_eq!(of(format!("[{},{},", kms(1), ecs(1))), [1, 1, 1]);
}

fn json_around(events: &[String]) -> String {
    format!("{{\"RequestId\":\"x\",\"Records\":[{}],\"NextToken\":\"y\",\"Count\":2}}", events.join(","))
}

#[test]
fn events_are_read_wherever_they_stand_whatever_the_size() {
    for count in [3, 999] {
        let events = many(count);
        let expected = [count as u64 / 3, count as u64 - count as u64 / 3, 0];
        let text = |event: &String| json!(event).to_string();
        let texts: Vec<String> = events.iter().map(text).collect();
        let lists: Vec<String> = events.iter().map(|event| format!("[{event}]")).collect();
        let (one, other) = events.split_at(count / 2);
        let rows = events.iter().map(|event| json!({"serviceName": "actiontrail", "eventTime": "2026-11-02T03:00:00Z", "acsRegion": "r", "recipientAccountId": "1", "event": event}).to_string());
        let rows: Vec<String> = rows.collect();
        let [pairs, triples] = [2, 3].map(|size| {
            let together = events.chunks(size).map(|events| json!({"event": events.concat()}).to_string());
            together.collect::<Vec<_>>().join("\n")
        });
        for log in [
            json_around(&texts),
            format!("[{}]", texts.join(",")),
            format!("[{}]", lists.join(",")),
            format!("{{\"Records\":[{}],\"Events\":[{}]}}", one.join(","), other.join(",")),
            rows.join("\n"),
            format!("[{}]", rows.join(",")),
            pairs,
            triples,
        ] {
            assert_eq!(of(&log), expected, "{}", &log[..log.len().min(300)]);
        }
    }
}
