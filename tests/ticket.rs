//! Tickets of plans: what each tracker gets, what is refused, what the program writes, and that no plan makes a ticket that
//! its tracker would refuse, cut or misread.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;
mod tickets;

use std::sync::LazyLock;

use cmkdiag::engine::facts::Lang;
use cmkdiag::plan::model::{Batch, Before, Condition, Plan, PlannedKey, Remark, StepBefore, Words};
use cmkdiag::plan::work::{Consultation, ConsultedKey, Problem, Severity, SourceName};
use cmkdiag::ticket::options::Options;
use cmkdiag::ticket::payload::{Body, Mark, Payload, Tracker};
use cmkdiag::ticket::{Tickets, tickets};
use program::{command, end, expect, folder, put, run};
use proptest::prelude::*;
use serde_json::{Value, json};
use tickets::checks::{demand_complete, demand_valid, message, said, schema, schema_errors};
use tickets::plans::{CONFIG, INSTANCE, batch, consulted, full, key, plan, uuid};

fn options() -> Options {
    Options::read(CONFIG).unwrap()
}

fn made(plan: &Plan, tracker: Tracker) -> Tickets {
    tickets(plan, tracker, Lang::En, &options()).unwrap()
}

/// A ticket as one reads it: line breaks of texts in JSON are line breaks.
fn readable(payload: &Payload) -> String {
    let json = |value: &Value| format!("{value:#}").replace("\\n", "\n").replace("\\\"", "\"");
    let body = match &payload.body {
        Body::Text(text) if payload.tracker == Tracker::Email => {
            let (head, _) = text.split_once("\r\n\r\n").unwrap();
            format!("{}\n\n{}", head.replace("\r\n", "\n"), message(text).body)
        }
        Body::Text(text) => text.clone(),
        Body::Json(value) => json(value),
        Body::Form(form) => form.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(),
    };
    format!("{} ({})\n\n{body}", payload.name, payload.title)
}

#[test]
fn what_each_tracker_gets() {
    for tracker in Tracker::ALL {
        let validator = schema(tracker);
        for (lang, name) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
            let made = tickets(&full(), tracker, lang, &options()).unwrap();
            assert_eq!((made.payloads.len(), made.refusals.len()), (2, 0));
            made.payloads.iter().for_each(|payload| demand_valid(payload, validator.as_ref()));
            demand_complete(&full(), 0, &[&made.payloads[0]]);
            let texts: Vec<String> = made.payloads.iter().map(readable).collect();
            if lang == Lang::En || matches!(tracker, Tracker::Alibaba | Tracker::ServicenowChange | Tracker::Email) {
                insta::assert_snapshot!(format!("{}_{name}", tracker.name()), texts.join("\n\n----\n\n"));
            }
        }
    }
}

#[test]
fn a_schema_finds_what_is_wrong() {
    for tracker in Tracker::ALL {
        let Some(validator) = schema(tracker) else { continue };
        let good = tickets::checks::json(&made(&full(), tracker).payloads[0]).unwrap();
        let mut more = good.clone();
        more["surprise"] = json!(1);
        assert!(!schema_errors(&validator, &more).is_empty(), "{more:#}");
        assert!(!schema_errors(&validator, &json!({})).is_empty());
    }
    let cloud = schema(Tracker::JiraCloud).unwrap();
    let good = tickets::checks::json(&made(&full(), Tracker::JiraCloud).payloads[0]).unwrap();
    for (path, wrong) in [
        ("/fields/description/content/0/content/0/text", json!("")),
        ("/fields/description/content/0/type", json!("panel")),
        ("/fields/description/content/3/content/0", json!({"type": "text", "text": "a", "marks": [{"type": "code"}]})),
    ] {
        let mut value = good.clone();
        *value.pointer_mut(path).unwrap() = wrong;
        assert!(!schema_errors(&cloud, &value).is_empty(), "{path}");
    }
}

/// A plan of one batch of so many keys, of which each has an application.
fn of_keys(count: usize) -> Plan {
    let keys = (0..count).map(|number| {
        let applications = vec![format!("application-with-a-long-name-{number}")];
        PlannedKey { applications, ..key(&uuid(number)) }
    });
    plan(vec![batch("many", keys.collect())], Vec::new())
}

#[test]
fn a_batch_is_split_where_a_tracker_asks_for_it_and_never_cut() {
    let plan = of_keys(60);
    let parts = made(&plan, Tracker::Alibaba).payloads;
    assert_eq!(parts.len(), 2);
    assert_eq!([&parts[0].name, &parts[1].name], ["batch-many-part-1-of-2", "batch-many-part-2-of-2"]);
    assert!(
        parts[1].title.contains("30 keys to kst-hzz62ee817bvyyr5a0001 (batch many, part 2 of 2) [cmk-"),
        "{}",
        parts[1].title
    );
    demand_complete(&plan, 0, &parts.iter().collect::<Vec<_>>());
    assert_eq!(made(&plan, Tracker::Gitlab).payloads.len(), 1);
    // All that a part says of applications is of its own keys.
    assert!(said(&parts[0]).contains("name-29") && !said(&parts[0]).contains("name-30"));
    let marks: std::collections::BTreeSet<String> = parts.iter().map(|part| part.mark.label()).collect();
    assert_eq!(marks.len(), 2);
}

#[test]
fn what_does_not_fit_with_one_key_is_refused() {
    let mut long = key(&uuid(1));
    long.applications = (0..400).map(|number| format!("application-{number}")).collect();
    let plan = plan(vec![batch("long", vec![key(&uuid(0)), long]), batch("short", vec![key(&uuid(2))])], Vec::new());
    let made_of = made(&plan, Tracker::Alibaba);
    assert_eq!(made_of.payloads.len(), 1);
    let [refusal] = &made_of.refusals[..] else { panic!("{:?}", made_of.refusals) };
    assert_eq!(refusal.what, "batch long");
    assert!(
        refusal.reasons[0]
            .starts_with("it does not fit into alibaba, not even with one key a ticket: Description would have ")
    );
    assert_eq!(made(&plan, Tracker::Rt).refusals, []);
}

/// The reasons for which the batch of a plan is refused, once something was changed in it.
fn refused(change: impl Fn(&mut Plan, usize)) -> String {
    let mut plan =
        plan(vec![batch("good", vec![key(&uuid(1))]), batch("bad", vec![key(&uuid(2)), key(&uuid(3))])], Vec::new());
    change(&mut plan, 1);
    plan.seal();
    let made = made(&plan, Tracker::Markdown);
    assert_eq!(made.payloads.iter().map(|payload| payload.name.as_str()).collect::<Vec<_>>(), ["batch-good"]);
    let [refusal] = &made.refusals[..] else { panic!("{:?}", made.refusals) };
    assert_eq!(refusal.what, "batch bad");
    refusal.reasons.join("\n")
}

#[test]
fn what_would_make_a_wrong_ticket_is_refused_and_the_others_are_written() {
    let told = refused(|plan, at| plan.batches[at].keys[0].key_id = "0575****-****-****-****-********0001".to_owned());
    assert_eq!(told, "ids are masked, and the vendor needs them in full: 0575****-****-****-****-********0001");
    let told = refused(|plan, at| plan.batches[at].keys[0].key_id = format!("acs:kms:cn-beijing:1:key/{}", uuid(9)));
    assert!(told.contains("these are ARNs") && told.contains("several regions: cn-hangzhou, cn-beijing"), "{told}");
    let told = refused(|plan, at| plan.batches[at].keys[0].aliases = vec!["acs:kms:cn-beijing:1:alias/a".to_owned()]);
    assert_eq!(told, "its keys are of several regions: cn-hangzhou, cn-beijing");
    let told = refused(|plan, at| plan.batches[at].window = None);
    assert_eq!(told, "it has no window; widen the calendar or the dates, and plan again");
    let told = refused(|plan, at| {
        plan.batches[at].window.as_mut().unwrap().local_end = "2026-12-06T05:00:00+08:00".to_owned()
    });
    assert_eq!(told, "the local times of the window are not those in UTC");
    let told = refused(|plan, at| plan.batches[at].destination = None);
    assert_eq!(told, "it has no destination; add one to --destinations, and plan again");
    let told = refused(|plan, at| plan.batches[at].destination = Some("kst-hzz6****".to_owned()));
    assert_eq!(told, "the destination `kst-hzz6****` is masked; give its id in full");
    let told = refused(|plan, at| plan.batches[at].destination = Some("kst-1 and more".to_owned()));
    assert_eq!(told, "the destination `kst-1 and more` is no id of a KMS instance");
    let told = refused(|plan, at| plan.batches[at].region = "cn-beijing".to_owned());
    assert_eq!(told, format!("the destination {INSTANCE} is in cn-hangzhou, and the keys are in cn-beijing"));
    let told = refused(|plan, at| plan.batches[at].account_id = Some("1540****1234".to_owned()));
    assert!(told.contains("the account `1540****1234` is masked"), "{told}");
    let told = refused(|plan, at| plan.batches[at].keys.clear());
    assert_eq!(told, "it has no keys");
    let told = refused(|plan, at| plan.batches[at].keys[1] = key(&uuid(2)));
    assert_eq!(told, format!("keys are named twice: {}", uuid(2)));
    let told = refused(|plan, at| plan.batches[at].destination = Some("kst-hzz62ee817bvyyr5a0099".to_owned()));
    let why = "the destination kst-hzz62ee817bvyyr5a0099 is none of the destinations of the plan; plan again";
    assert_eq!(told, why);
    let told = refused(|plan, _| plan.settings.keys_per_batch = 1);
    assert_eq!(told, "it has 2 keys, and the plan allows 1 in a batch; plan again");
    let problem = |batch: Option<&str>| Problem {
        severity: Severity::Error,
        batch: batch.map(str::to_owned),
        text: Words::new("the rotation comes first", "先发生轮转"),
        keys: vec![uuid(3)],
    };
    let told = refused(|plan, _| plan.problems = vec![problem(Some("bad")), problem(None)]);
    assert_eq!(told, "an error of the plan: the rotation comes first\nan error of the plan: the rotation comes first");
    let told = refused(|plan, at| {
        plan.batches[at].window = None;
        plan.batches[at].destination = None;
        plan.batches[at].keys[0].key_id = "key-1".to_owned();
    });
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn a_plan_that_has_a_key_in_two_batches_gives_no_tickets() {
    let batches = vec![batch("one", vec![key(&uuid(1)), key(&uuid(2))]), batch("two", vec![key(&uuid(2))])];
    let error = tickets(&plan(batches, Vec::new()), Tracker::Markdown, Lang::En, &options()).unwrap_err();
    assert_eq!(error, format!("the key {} is in two batches, one and two; plan again", uuid(2)));
}

#[test]
fn a_warning_stops_nothing_and_a_masked_consultation_is_refused() {
    let mut plan = full();
    plan.problems = vec![Problem {
        severity: Severity::Warning,
        batch: Some("hangzhou-1".to_owned()),
        text: Words::new("look", "看"),
        keys: Vec::new(),
    }];
    plan.consultations[0].keys[1].key_id = "0575****0005".to_owned();
    plan.seal();
    let made = made(&plan, Tracker::JiraDc);
    assert_eq!(made.payloads.len(), 1);
    assert_eq!(made.refusals[0].what, "consultation \"Ask technical support about the application's language\"");
}

#[test]
fn a_plan_of_another_format_or_that_was_changed_gives_no_tickets() {
    let told = |plan: &Plan| tickets(plan, Tracker::Markdown, Lang::En, &options()).unwrap_err();
    let mut other = full();
    other.format = "cmkdiag.plan/2".to_owned();
    other.seal();
    assert_eq!(told(&other), "its format is `cmkdiag.plan/2`, and `cmkdiag.plan/1` is expected");
    let mut changed = full();
    changed.batches[0].window.as_mut().unwrap().start = "2026-12-05T19:00:00Z".to_owned();
    assert!(told(&changed).starts_with("its digest does not fit"), "{}", told(&changed));
}

// ---------------------------------------------------------------------------------------------------
// The program.

#[test]
fn each_ticket_is_a_file_of_the_folder() {
    let folder = folder();
    let plan = put(&folder, "plan.json", serde_json::to_string(&full()).unwrap());
    let config = put(&folder, "tickets.toml", CONFIG);
    for tracker in Tracker::ALL {
        let out = folder.path().join("out").join(tracker.name());
        let out = out.to_str().unwrap();
        let ran = expect(0, &["ticket", &plan, "--tracker", tracker.name(), "--config", &config, "-o", out]);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "2 ticket(s) written, 0 refused\n"));
        let ending = match tracker {
            Tracker::Email => "eml",
            Tracker::Markdown => "md",
            _ => "json",
        };
        let mut names: Vec<String> =
            std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let expected = ["ask-support-about-language-1540355698841234", "batch-hangzhou-1"];
        assert_eq!(names, expected.map(|name| format!("{name}.{ending}")));
        let text = std::fs::read_to_string(format!("{out}/{}", names[1])).unwrap();
        if let Some(validator) = schema(tracker) {
            assert_eq!(schema_errors(&validator, &serde_json::from_str(&text).unwrap()), [""; 0]);
        }
        // On standard output stands the same, a line for each, and twice the same.
        let printed = expect(0, &["ticket", &plan, "--tracker", tracker.name(), "--config", &config, "--quiet"]);
        assert_eq!(printed.err, "");
        match ending {
            "json" => {
                let lines: Vec<Value> = printed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                assert_eq!((lines.len(), &lines[0]), (2, &serde_json::from_str::<Value>(&text).unwrap()));
            }
            _ => assert!(printed.out.starts_with(&text), "{}", printed.out),
        }
    }
}

#[test]
fn refusals_are_told_and_change_the_exit_code() {
    let folder = folder();
    let mut wrong = full();
    wrong.batches.push(batch("bad\n", vec![key("key-hzz6****")]));
    wrong.seal();
    let plan = put(&folder, "plan.json", serde_json::to_string(&wrong).unwrap());
    let ran = expect(3, &["ticket", &plan, "--tracker", "markdown", "--lang", "zh"]);
    assert!(ran.out.starts_with("# KMS 密钥迁移"), "{}", ran.out);
    assert_eq!(
        ran.err,
        "error: no ticket for batch bad\u{fffd}: ids are masked, and the vendor needs them in full: key-hzz6****\n2 ticket(s) written, 1 refused\n"
    );
}

#[test]
fn a_plan_that_cannot_be_read_is_told_with_its_place() {
    let folder = folder();
    let said = |name: &str, text: &str, more: &[&str]| {
        let plan = put(&folder, name, text);
        let ran = expect(4, &[&["ticket", &plan, "--tracker", "markdown"], more].concat());
        assert_eq!(ran.out, "");
        ran.err.replace(&plan, "PLAN")
    };
    let expected = "a plan is expected, as `cmkdiag plan -o DIR` writes it";
    assert_eq!(
        said("a.json", "{\n  \"format\": 5}", &[]),
        format!("error: PLAN, line 2, column 13: invalid type: integer `5`, expected a string; {expected}\n")
    );
    assert_eq!(said("b.json", "{}", &[]), "error: PLAN is no plan; `cmkdiag plan -o DIR` writes one as plan.json\n");
    let text = serde_json::to_string(&full()).unwrap();
    assert_eq!(said("c.json", &text, &["--max-input", "100"]), "error: cannot read PLAN: it has more than 100 bytes\n");
    let changed = text.replace("cn-hangzhou", "cn-beijing");
    assert!(said("d.json", &changed, &[]).starts_with("error: PLAN gives no tickets: its digest does not fit"));
    let ran = end(command().args(["ticket", "-", "--tracker", "markdown", "-q"]).write_stdin(text));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(run(&["ticket", "no-such-plan.json", "--tracker", "rt"]).code, 2);
    assert_eq!(run(&["ticket", "no-such-plan.json", "--tracker", "markdown"]).code, 4);
}

#[test]
fn what_the_tracker_needs_and_the_config_lacks_is_told() {
    let folder = folder();
    let plan = put(&folder, "plan.json", serde_json::to_string(&full()).unwrap());
    let said = |tracker: &str, config: Option<&str>| {
        let path = config.map(|config| put(&folder, "tickets.toml", config)).unwrap_or_default();
        let mut arguments = vec!["ticket", &plan, "--tracker", tracker];
        if config.is_some() {
            arguments.extend(["--config", &path]);
        }
        let ran = expect(2, &arguments);
        if path.is_empty() { ran.err } else { ran.err.replace(&path, "CONFIG") }
    };
    assert_eq!(
        said("jira-cloud", None),
        "error: jira-cloud needs more than the plan has: add to [jira-cloud] of the file of --config, such as project = \"SEC\"\n"
    );
    assert_eq!(
        said("rt", Some("[rt]\nqueu = \"a\"")),
        "error: CONFIG: [rt] has no key `queu`; did you mean `queue`?\n"
    );
}

#[cfg(unix)]
#[test]
fn nothing_is_written_outside_the_folder() {
    let folder = folder();
    let plan = put(&folder, "plan.json", serde_json::to_string(&full()).unwrap());
    let precious = put(&folder, "precious", "mine");
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::os::unix::fs::symlink(&precious, out.join("batch-hangzhou-1.md")).unwrap();
    let ran = expect(4, &["ticket", &plan, "--tracker", "markdown", "-o", out.to_str().unwrap()]);
    assert!(ran.err.contains("something else than a file is there"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "mine");
    // Names of batches lead nowhere, and what is left of an earlier plan is told.
    let mut hostile = full();
    hostile.batches[0].id = "../../precious".to_owned();
    hostile.seal();
    let plan = put(&folder, "hostile.json", serde_json::to_string(&hostile).unwrap());
    let ran = expect(0, &["ticket", &plan, "--tracker", "markdown", "-o", out.to_str().unwrap()]);
    assert!(
        ran.err.starts_with("note: ") && ran.err.contains("1 more file(s) that may be tickets of another plan"),
        "{}",
        ran.err
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn the_page_tells_of_every_tracker_and_every_key_of_the_config() {
    let page = include_str!("../docs/tickets.md");
    for tracker in Tracker::ALL {
        assert!(page.contains(&format!("\n| `{}` | ", tracker.name())), "{}", tracker.name());
    }
    let known = serde_json::to_value(Options::default()).unwrap();
    for (section, keys) in known.as_object().unwrap() {
        let row = page.lines().find(|line| line.starts_with("| `[") && line.contains(&format!("`[{section}]`")));
        let row = row.unwrap_or_else(|| panic!("no row of [{section}]"));
        for key in keys.as_object().unwrap().keys() {
            assert!(row.contains(&format!("`{key}`")), "[{section}] {key} is not in {row}");
        }
    }
}

// ---------------------------------------------------------------------------------------------------
// What was sent before.

/// A plan whose window is far away, so that it may be sent.
fn far(mut plan: Plan, year: u32) -> Plan {
    for batch in &mut plan.batches {
        let window = batch.window.as_mut().unwrap();
        for time in [&mut window.start, &mut window.end, &mut window.local_start, &mut window.local_end] {
            *time = format!("{year}{}", &time[4..]);
        }
    }
    plan.seal();
    plan
}

/// Sends, or says what would be sent, as the settings say.
fn submit(plan: &str, tracker: &str, settings: &[(&str, &str)], more: &[&str]) -> program::Ran {
    let mut command = command();
    command.args(["ticket", plan, "--tracker", tracker, "--submit"]).args(more);
    end(command.envs(settings.iter().copied()))
}

/// Request Tracker as far as it is needed: it finds nothing, and creates what it gets.
fn request_tracker() -> String {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            reader.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
            let body = if head.starts_with("GET") { json!({"items": []}) } else { json!({"id": number}) }.to_string();
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    address
}

#[test]
fn a_plan_that_was_made_again_is_not_sent_beside_the_earlier_one() {
    let (folder, address) = (folder(), request_tracker());
    let settings = [("CMKDIAG_RT_URL", address.as_str()), ("CMKDIAG_RT_TOKEN", "hunter2")];
    let config = put(&folder, "tickets.toml", CONFIG);
    let ledger = folder.path().join("sent.jsonl").to_str().unwrap().to_owned();
    let written = |year| put(&folder, &format!("{year}.json"), serde_json::to_string(&far(full(), year)).unwrap());
    let send = |plan: &str, more: &[&str]| {
        let ran = submit(plan, "rt", &settings, &[&["--config", &config, "--ledger", &ledger], more].concat());
        assert!(!ran.err.contains("hunter2"), "{}", ran.err);
        ran
    };
    let ran = send(&written(2098), &["--yes"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = std::fs::read_to_string(&ledger).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["state"], &first["about"]), (&json!("sending"), &json!("migration")));
    assert_eq!(first["keys"], json!([uuid(1), "key-hzz62f1cb66fa42qo29iq", uuid(3)]));
    // The consultation is the same, and is there; of the batch the windows are others.
    let again = written(2099);
    for more in [&[][..], &["--yes"]] {
        let ran = send(&again, more);
        assert_eq!(ran.code, 4, "{}", ran.err);
        for words in ["3 of its 3 keys", "(batch-hangzhou-1)", "--supersede", "1 there already · 1 not sent"] {
            assert!(ran.err.contains(words), "{words} is not in {}", ran.err);
        }
    }
    let ran = send(&again, &["--supersede"]);
    assert!(ran.code == 0 && ran.err.contains("in place of "), "{}", ran.err);
    let ran = send(&again, &["--supersede", "--yes"]);
    assert!(ran.code == 0 && ran.err.contains("1 created · 1 there already"), "{}", ran.err);
    // The other one was to be closed, and is not there any more.
    let ran = send(&written(2098), &["--yes"]);
    assert!(ran.code == 4 && ran.err.contains("took its place"), "{}", ran.err);
    let ran = send(&written(2020), &["--supersede"]);
    assert!(ran.code == 4 && ran.err.contains("its window began at 2020-12-05T18:00:00Z"), "{}", ran.err);
    assert_eq!(run(&["ticket", &again, "--tracker", "rt", "--supersede"]).code, 2);
}

#[test]
fn keys_that_were_sent_in_other_parts_are_not_sent_again() {
    let folder = folder();
    let sent = far(full(), 2099);
    let plan = put(&folder, "plan.json", serde_json::to_string(&sent).unwrap());
    let config = put(&folder, "tickets.toml", CONFIG);
    let mark = Mark { digest: sent.batches[0].digest.clone(), part: 2, parts: 2 };
    let line = json!({
        "format": "cmkdiag.ledger/1", "at": "2026-11-23T08:00:00Z", "tracker": "rt", "place": "https://rt.example.com",
        "label": mark.label(), "mark": mark.line(), "name": "batch-hangzhou-1-part-2-of-2", "state": "created", "ticket": "7",
    });
    put(&folder, "plan.ledger.jsonl", format!("{line}\n"));
    let settings = [("CMKDIAG_RT_URL", "https://rt.example.com"), ("CMKDIAG_RT_TOKEN", "x")];
    let ran = submit(&plan, "rt", &settings, &["--config", &config]);
    assert!(ran.code == 4 && ran.err.contains("7 (batch-hangzhou-1-part-2-of-2)"), "{}", ran.err);
    assert!(ran.err.contains("same --lang and --config"), "{}", ran.err);
}

#[test]
fn settings_that_are_shown_or_called_are_looked_at_first() {
    let folder = folder();
    let plan = put(&folder, "plan.json", serde_json::to_string(&far(full(), 2099)).unwrap());
    let keys = [("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIexample"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "x")];
    let of =
        |name: &'static str, value: &'static str| [&keys[..], &[(name, value), ("CMKDIAG_GITLAB_TOKEN", "x")]].concat();
    for (tracker, name, value) in [
        ("alibaba", "CMKDIAG_ALIBABA_ENDPOINT", "https://hunter2.example.com"),
        ("gitlab", "CMKDIAG_GITLAB_PROJECT", "https://joe:hunter2@gitlab.example.com/keys"),
    ] {
        let ran = submit(&plan, tracker, &of(name, value), &[]);
        assert!(ran.code == 2 && ran.err.contains(name) && !ran.err.contains("hunter2"), "{}", ran.err);
    }
    // An account of Alibaba Cloud is a place of its own.
    let ran = submit(&plan, "alibaba", &keys, &[]);
    let place = "batch-hangzhou-1: would be sent to https://workorder.aliyuncs.com/1540355698841234: ";
    assert!(ran.code == 0 && ran.err.contains(place), "{}", ran.err);
}

// ---------------------------------------------------------------------------------------------------
// No plan makes a wrong ticket.

/// Texts that mean something somewhere.
fn hostile() -> impl Strategy<Value = String> {
    let told: [&str; 24] = [
        "",
        " ",
        "\n\nh1. big\n# big",
        "@everyone and @admin",
        "closes #1, GH-12, org/repo#3, !4, ~bug, %\"M 1\", $5, &6",
        "/close\n/assign me",
        "<script>alert(1)</script>",
        "<!-- cmk-plan: x -->",
        "```\nend\n```",
        "{noformat}{code}*b*",
        "{{ticket.id}} {% if x %}",
        "[a](http://b.c) ![x](y) www.d.e a@b.c",
        "| a | b |\n| - | - |",
        "1. one\n- two\n    code",
        "=?UTF-8?B?eA==?=",
        "\r\nBcc: a@b.c\r\n",
        "=1+1",
        "😀👩‍👩‍👧",
        "密钥，应用：支付",
        "\u{202e}\u{200b}\u{1b}[31m",
        "`",
        "\\",
        "bq. x -- y --- z ^w^ ~v~ ??u??",
        ":D (y) [~admin] SEC-1",
    ];
    prop_oneof![
        8 => proptest::sample::select(told.to_vec()).prop_map(str::to_owned),
        4 => "\\PC{0,40}",
        4 => "[a-z]{1,12}",
        1 => proptest::sample::select(vec!["a", "密", "😀", "`", "* ", "@x "]).prop_map(|text| text.repeat(10_000 / text.chars().count())),
    ]
}

fn keys() -> impl Strategy<Value = Vec<PlannedKey>> {
    let applications = proptest::collection::vec(hostile(), 0..3);
    let one = (any::<bool>(), applications, proptest::option::of(hostile()), hostile(), any::<bool>());
    let one = one.prop_map(|(is_uuid, applications, owner, alias, rotates)| {
        let rotation_deadline = rotates.then(|| "2026-12-20T02:00:00Z".to_owned());
        let id = if is_uuid { "uuid" } else { "" };
        PlannedKey { applications, owner, aliases: vec![alias], rotation_deadline, ..key(id) }
    });
    proptest::collection::vec(one, 1..=60).prop_map(|mut keys| {
        for (at, key) in keys.iter_mut().enumerate() {
            key.key_id = if key.key_id.is_empty() { format!("key-hzz62f1cb66fa42q{at:03}") } else { uuid(at) };
        }
        keys
    })
}

fn words() -> impl Strategy<Value = Words> {
    (hostile(), hostile()).prop_map(|(en, zh)| Words { en, zh })
}

fn batches() -> impl Strategy<Value = Batch> {
    let lists = proptest::collection::vec((words(), proptest::option::of(hostile()), any::<u64>()), 0..4);
    let id = prop_oneof![4 => "[a-z]{1,8}", 1 => hostile()];
    (id, keys(), lists, any::<bool>()).prop_map(|(id, keys, lists, has_account)| {
        let named = |bits: u64| -> Vec<String> {
            let chosen = keys.iter().enumerate().filter(|(at, _)| bits >> (at % 64) & 1 == 1);
            chosen.map(|(_, key)| key.key_id.clone()).collect()
        };
        let mut batch = batch(&id, keys.clone());
        for (what, command, bits) in lists {
            let keys = named(bits);
            batch.remarks.push(Remark { rule: "x".to_owned(), text: what.clone(), keys: keys.clone() });
            let (rule, before) = ("x".to_owned(), Before::Window);
            batch.steps_before.push(StepBefore { rule, before, what: what.clone(), keys: keys.clone() });
            batch.conditions.push(Condition { fact: "x".to_owned(), confirm: what, command, keys });
        }
        batch.split_applications = keys.iter().flat_map(|key| key.applications.clone()).step_by(3).collect();
        batch.account_id = batch.account_id.filter(|_| has_account);
        batch
    })
}

fn consultations() -> impl Strategy<Value = Consultation> {
    let key = (hostile(), hostile(), proptest::collection::vec(hostile(), 0..3), any::<bool>());
    let keys = proptest::collection::vec(key, 1..=60);
    (words(), words(), hostile(), keys).prop_map(|(title, request, document, keys)| Consultation {
        rule: "ask-support-about-language".to_owned(),
        digest: String::new(),
        title,
        request,
        source: vec![SourceName { document, section: String::new(), url: None }],
        account_id: None,
        keys: keys
            .into_iter()
            .enumerate()
            .map(|(at, (region, found, applications, only_obstacle))| ConsultedKey {
                region,
                applications,
                only_obstacle,
                ..consulted(at, &found)
            })
            .collect(),
    })
}

/// The schemas of all trackers, in their order.
static SCHEMAS: LazyLock<Vec<Option<jsonschema::Validator>>> = LazyLock::new(|| Tracker::ALL.map(schema).into());

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn no_plan_makes_a_wrong_ticket(batch in batches(), consultation in consultations(), zh in any::<bool>()) {
        let plan = plan(vec![batch], vec![consultation]);
        let lang = if zh { Lang::Zh } else { Lang::En };
        for (tracker, validator) in Tracker::ALL.into_iter().zip(SCHEMAS.iter()) {
            let made = tickets(&plan, tracker, lang, &options()).unwrap();
            for refusal in &made.refusals {
                let too_long = refusal.reasons.iter().all(|reason| reason.starts_with("it does not fit into "));
                prop_assert!(too_long && tracker != Tracker::Markdown, "{:?}", refusal);
            }
            made.payloads.iter().for_each(|payload| demand_valid(payload, validator.as_ref()));
            let names: std::collections::BTreeSet<&str> = made.payloads.iter().map(|payload| payload.name.as_str()).collect();
            prop_assert_eq!(names.len(), made.payloads.len());
            let parts: Vec<&Payload> = made.payloads.iter().filter(|payload| payload.mark.digest == plan.batches[0].digest).collect();
            let is_refused = made.refusals.iter().any(|refusal| refusal.what.starts_with("batch "));
            prop_assert_eq!(parts.is_empty(), is_refused);
            if !is_refused {
                demand_complete(&plan, 0, &parts);
            }
        }
    }
}
