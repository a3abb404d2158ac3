//! `usage`: whatever stands in a log, no event is lost without a word.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

use serde_json::{Value, json};

mod program;
use program::logs::gzip;
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

#[test]
fn rows_of_tables_are_all_told() {
    let cell = |event: &str| format!("\"{}\"", event.replace('"', "\"\""));
    let rows = |delimiter: &str| {
        format!("a{delimiter}event\n1{delimiter}{}\n\n2{delimiter}{}\n", cell(&kms(1)), cell(&ecs(1)))
    };
    for delimiter in [",", ";", "\t"] {
        let table = rows(delimiter);
        assert_eq!(counts(&usage("t.csv", &table)), [1, 1, 0], "{delimiter}");
        let short = format!("{table}3\n4{delimiter}\n{delimiter}\n");
        assert_eq!(counts(&usage("t.csv", short)), [1, 1, 2], "{delimiter}");
    }
    let open = format!("{}5,\"{}\n", rows(","), "x\n".repeat(9 << 20));
    let ran = usage("t.csv", open);
    assert_eq!(counts(&ran), [1, 1, 0]);
    assert!(ran.err.contains("a row of more than 16 MiB; is a quote never closed?"), "{}", ran.err);
}

/// The most memory that a run has taken, in KiB.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded_whatever_is_read() {
    let folder = folder();
    let zeros = put(&folder, "zeros.json", "");
    std::fs::File::options().write(true).open(&zeros).unwrap().set_len(300 << 20).unwrap();
    let bomb = put(&folder, "bomb.gz", gzip(&vec![b'a'; 200 << 20]));
    let quote = put(&folder, "quote.csv.gz", gzip(&[b"a,event\n1,\"".to_vec(), vec![b'a'; 200 << 20]].concat()));
    for (path, told) in [(zeros, "neither JSON nor a table"), (bomb, "neither JSON nor a table"), (quote, "16 MiB")] {
        let limited = format!("ulimit -v 450000; exec '{}' usage '{path}' --jobs 1", env!("CARGO_BIN_EXE_cmkdiag"));
        let ran = std::process::Command::new("sh").args(["-c", &limited]).output().unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(4), "{err}");
        assert!(err.contains(told), "{err}");
    }
}

#[test]
fn what_stands_before_a_cut_is_read() {
    let events = many(3000);
    for log in [format!("[{}]", events.join(",")), events.join("\n"), json_around(&events)] {
        let packed = gzip(log.as_bytes());
        let folder = folder();
        let cut = put(&folder, "cut.gz", &packed[..packed.len() - 20]);
        let ran = run(&["usage", &cut]);
        let [kms, others, _] = counts(&ran);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(kms + others > 2900 && ran.out.contains("\"unread_files\":1"), "{}", ran.err);
        let whole = put(&folder, "whole.json", &log);
        let ran = run(&["usage", &whole, "--max-input", "100KB"]);
        let [kms, others, _] = counts(&ran);
        assert!(kms + others > 200 && ran.out.contains("\"unread_files\":1"), "{}", ran.err);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_no_unfinished_file() {
    use std::io::BufRead as _;
    let folder = folder();
    let result: String = run(&["usage", &put(&folder, "e.jsonl", kms(1))]).out;
    // A result of many keys takes a while to write.
    let log: String = (0..150_000).map(|n| kms(n).replace("\"k\"", &format!("\"key-{n}\"")) + "\n").collect();
    let log = put(&folder, "many.jsonl", log);
    let out = tempfile::tempdir().unwrap();
    let target = out.path().join("result.jsonl");
    let unfinished = || {
        let names = std::fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(".cmkdiag-")).count()
    };
    // The program may be done before the signal comes, and then has to be tried again.
    let is_ended_by = |signal: &str| {
        std::fs::write(&target, &result).unwrap();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_cmkdiag"))
            .args(["usage", &log, "--quiet", "-o", target.to_str().unwrap()])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        while unfinished() == 0 && child.try_wait().unwrap().is_none() {}
        let pid = child.id().to_string();
        std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap();
        let ended = child.wait().unwrap();
        assert_eq!(unfinished(), 0, "{signal}");
        assert_eq!(std::io::BufReader::new(child.stderr.take().unwrap()).lines().count(), 0);
        let is_untouched = std::fs::read_to_string(&target).unwrap() == result;
        assert_eq!(is_untouched, !ended.success(), "{signal}: the result is whole, or not there");
        !ended.success()
    };
    // Signals that whoever runs the tests has the program ignore stay ignored, as under `nohup`.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    for (signal, number) in [("HUP", 1), ("INT", 2), ("TERM", 15)] {
        if ignored >> (number - 1) & 1 == 1 {
            continue;
        }
        assert!((0..30).any(|_| is_ended_by(signal)), "{signal}: it always ended before the signal came");
    }
}

#[test]
fn damage_is_told_the_same_whatever_the_number_of_threads() {
    // So many are handed from the thread that inflates them in several pieces.
    for count in [40, 40_000] {
        let events = many(count);
        let (one, other) = events.split_at(count / 3);
        let [lines, array] = [events.join("\n"), json_around(&events)];
        let members = [gzip(format!("{}\n", one.join("\n")).as_bytes()), gzip(other.join("\n").as_bytes())].concat();
        for (packed, name) in
            [(gzip(lines.as_bytes()), "lines"), (gzip(array.as_bytes()), "array"), (members, "members")]
        {
            let length = packed.len();
            let flipped = |at: usize| {
                let mut packed = packed.clone();
                packed[at] ^= 0xff;
                packed
            };
            let folder = folder();
            for (packed, told) in [
                (packed.clone(), ""),
                (packed[..length - 3].to_vec(), "data is cut off after "),
                (packed[..length * 3 / 4].to_vec(), "data is cut off after "),
                (flipped(length - 6), "data is damaged (corrupt gzip stream does not have a matching checksum)"),
                (flipped(length / 2), "data is damaged ("),
                ([&packed[..], &[0; 99]].concat(), "data is damaged (invalid gzip header)"),
            ] {
                let log = put(&folder, "log.gz", packed);
                let [one, two, three] = ["1", "2", "3"].map(|jobs| run(&["usage", &log, "--jobs", jobs]));
                assert!(one.err.contains(told), "{name}: {}", one.err);
                assert_eq!(one.code == 0, told.is_empty(), "{name}: {}", one.err);
                let rejected = |ran: &Ran| ran.err.lines().find(|line| line.starts_with("rejected")).map(str::to_owned);
                let events = |ran: &Ran| ran.out.split("\"kms\"").next().map(str::to_owned);
                for more in [two, three] {
                    assert_eq!((more.code, rejected(&more), events(&more)), (one.code, rejected(&one), events(&one)));
                    // Of garbled events with one id, the first counts, whichever thread has met it.
                    if !told.ends_with('(') {
                        assert_eq!((more.out, more.err), (one.out.clone(), one.err.clone()), "{name}");
                    }
                }
            }
            let limited = |jobs: &str| {
                let ran = run(&["usage", &put(&folder, "log.gz", &packed), "--jobs", jobs, "--max-input", "7KB"]);
                (ran.code, ran.out, ran.err)
            };
            assert_eq!(limited("1"), limited("2"));
            assert!(limited("2").2.contains("bytes after inflating; --max-input SIZE allows more"), "{name}");
        }
    }
}

#[test]
fn a_file_among_many_is_read_as_one_alone() {
    let events = many(40_000);
    let array = json_around(&events);
    let whole = gzip(array.as_bytes());
    let damaged = |at: usize| {
        let mut packed = whole.clone();
        packed[at] ^= 0xff;
        packed
    };
    let unclosed = array.replacen("\"k\"}", "\"k\"", 1);
    // More than a thread reads at once.
    let large = json_around(&many(90_000));
    for log in [
        whole.clone(),
        whole[..whole.len() * 3 / 4].to_vec(),
        damaged(whole.len() / 2),
        damaged(whole.len() - 6),
        gzip(&array.as_bytes()[..array.len() - 300]),
        gzip(unclosed.as_bytes()),
        gzip(large.as_bytes()),
        gzip(large.replacen("\"Kms\"", "\"Kms", 1).as_bytes()),
    ] {
        let folder = folder();
        let path = put(&folder, "a/log.gz", log);
        let alone = run(&["usage", &path, "--allow-rejects"]);
        for (name, event) in [("b", kms(1)), ("c", ecs(1)), ("d", ecs(2))] {
            put(&folder, &format!("a/{name}.json"), event);
        }
        let ran = run(&["usage", path.strip_suffix("/log.gz").unwrap(), "--allow-rejects"]);
        let [of_kms, others, broken] = counts(&alone);
        assert_eq!(counts(&ran), [of_kms + 1, others + 2, broken], "{}\n{}", alone.err, ran.err);
        let rejected = |ran: &Ran| {
            ran.err.lines().filter(|line| line.starts_with("rejected")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(rejected(&ran), rejected(&alone));
    }
}

#[test]
fn a_result_in_a_folder_of_logs_is_no_log_and_replaces_none() {
    let folder = folder();
    let log = put(&folder, "j.jsonl", kms(1));
    let path = folder.path().to_str().unwrap();
    let ran = run(&["usage", path, "-o", &log]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("are the same place"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), kms(1));
    let result = folder.path().join("result.jsonl");
    assert_eq!(run(&["usage", path, "-o", result.to_str().unwrap()]).code, 0);
    let ran = run(&["usage", path]);
    assert_eq!((ran.code, ran.out), (0, std::fs::read_to_string(result).unwrap()), "{}", ran.err);
    assert!(ran.err.contains("result.jsonl: a result of `cmkdiag usage` and no log"), "{}", ran.err);
}

#[test]
fn no_log_of_a_folder_is_overlooked() {
    let folder = folder();
    put(&folder, "Actiontrail_cn-hangzhou_20261118000000_1002_1_2_0123456789abcdef", kms(1));
    put(&folder, "empty.json", "");
    put(&folder, "empty.gz", gzip(b""));
    put(&folder, "notes.pdf", "x");
    let path = folder.path().to_str().unwrap();
    let ran = run(&["usage", path]);
    assert_eq!((ran.code, counts(&ran)), (0, [1, 0, 0]), "{}", ran.err);
    assert!(ran.err.contains("empty.json: the log is empty"), "{}", ran.err);
    for (name, content, told) in [
        (
            "a.json.bz2",
            &b"BZh91AY&SY\x8e\x01"[..],
            "compressed with bzip2, which is not read; unpack it with `bunzip2`",
        ),
        ("a.zip", b"PK\x03\x04", "a zip archive, which is not read"),
        ("a.br", b"x", "compressed with brotli, which is not read"),
        ("a.parquet", b"PAR1\x15\x04", "a Parquet file, which is not read"),
    ] {
        let packed = put(&folder, name, content);
        let ran = run(&["usage", path]);
        assert_eq!((ran.code, counts(&ran)), (3, [1, 0, 0]), "{}", ran.err);
        assert!(ran.err.contains(told), "{}", ran.err);
        std::fs::remove_file(packed).unwrap();
    }
    let none = tempfile::tempdir().unwrap();
    std::fs::write(none.path().join("a.xlsx"), "x").unwrap();
    let ran = run(&["usage", none.path().to_str().unwrap()]);
    assert!(ran.err.contains("holds no log: no .json, .jsonl, .ndjson, .log"), "{}", ran.err);
}

#[test]
fn line_breaks_of_others_begin_no_line() {
    let text = kms(1).replace("2026-11-02T03:00:00Z", "now\\nkey: migratable");
    let user = kms(2)
        .replace("\"Decrypt\"", "\"ReEncrypt\"")
        .replace("\"KeyId\":\"k\"", "")
        .replace("\"more\"", "\"userIdentity\":{\"type\":\"ram-user\",\"userName\":\"bob\\nmigratable all\"},\"more\"");
    let ran = usage("a\nmigratable.jsonl", format!("{text}\n{user}\n"));
    assert!(ran.err.contains("bob"), "{}", ran.err);
    assert!(ran.err.lines().all(|line| !line.starts_with("migratable") && !line.starts_with("key:")), "{}", ran.err);
}
