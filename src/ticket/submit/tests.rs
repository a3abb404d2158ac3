//! Sending against trackers on this machine that fail in every way that trackers do.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::rest::Patience;
use super::*;
use crate::http::server::{Answer, Seen, Server};
use crate::ticket::payload::{Body, Mark, Tracker};

const SECRET: &str = "invented-s3cret-0001";

fn patience() -> Patience {
    let mut patience = Patience {
        tries: 3,
        pause: Duration::from_millis(5),
        longest_pause: Duration::from_secs(2),
        looks: [5, 10, 20].map(Duration::from_millis).to_vec(),
        ..Patience::default()
    };
    patience.limits.answer = Duration::from_secs(5);
    patience
}

fn mark(number: u32) -> Mark {
    Mark { digest: format!("sha256:{number:064x}"), part: 1, parts: 1 }
}

fn payload(tracker: Tracker, number: u32) -> Payload {
    let (mark, title) = (mark(number), format!("KMS CMK migration {number}"));
    let (label, text) = (mark.label(), format!("keys\n{}", mark.line()));
    let body = match tracker {
        Tracker::Alibaba => Body::Form(
            [("CategoryId", "53812"), ("Severity", "1"), ("Title", &title), ("Description", &text)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        ),
        Tracker::Zendesk => {
            Body::Json(json!({"ticket": {"subject": title, "external_id": label, "comment": {"body": text}}}))
        }
        Tracker::JiraCloud | Tracker::JiraDc => Body::Json(json!({"fields": {"summary": title, "labels": [label]}})),
        Tracker::Roundup => Body::Json(
            json!({"msg": {"content": text}, "issue": {"title": format!("{title} [{label}]"), "priority": "urgent"}}),
        ),
        Tracker::Rt => {
            Body::Json(json!({"Queue": "General", "Subject": format!("{title} [{label}]"), "Content": text}))
        }
        Tracker::Github => Body::Json(json!({"title": title, "body": text, "labels": [label]})),
        Tracker::Gitlab => Body::Json(json!({"title": title, "description": text, "labels": format!("x,{label}")})),
        Tracker::ServicenowChange | Tracker::ServicenowIncident => Body::Json(
            json!({"short_description": title, "description": text, "correlation_id": label, "work_notes": "x", "risk": 3}),
        ),
        Tracker::Email | Tracker::Markdown => Body::Text(text),
    };
    Payload { tracker, name: format!("batch-{number}"), mark, title, body }
}

/// The settings of every tracker, all at one address.
fn setting(name: &str, base: &str) -> Option<String> {
    Some(match name {
        "CMKDIAG_TRACKERS" | "XDG_CONFIG_HOME" | "HOME" | "USERPROFILE" => return None,
        "CMKDIAG_ROUNDUP_URL" => format!("{base}/demo/"),
        name if name.ends_with("_URL") || name == "CMKDIAG_ALIBABA_ENDPOINT" => base.to_owned(),
        "CMKDIAG_GITHUB_REPOSITORY" => "acme/keys".to_owned(),
        "CMKDIAG_GITLAB_PROJECT" => "acme/keys".to_owned(),
        "ALIBABA_CLOUD_ACCESS_KEY_ID" => "LTAIexample".to_owned(),
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET" | "SERVICENOW_TOKEN" => SECRET.to_owned(),
        name if name.starts_with("CMKDIAG_") && (name.ends_with("_TOKEN") || name.ends_with("_PASSWORD")) => {
            SECRET.to_owned()
        }
        name if name.starts_with("CMKDIAG_") && name.ends_with("_USER") => "admin".to_owned(),
        _ => return None,
    })
}

fn target(tracker: Tracker, base: &str) -> Target {
    let environment = |name: &str| setting(name, base);
    Target::with(tracker, &Settings::load(&environment).unwrap(), patience()).unwrap()
}

/// What a run said, and how it ended.
struct Ran {
    outcome: Outcome,
    said: String,
}

impl Ran {
    fn fate(&self) -> &Fate {
        &self.outcome.fates[0].1
    }

    fn created(&self) -> &Ticket {
        let Fate::Created(ticket) = self.fate() else { panic!("{:?}\n{}", self.outcome, self.said) };
        ticket
    }

    fn why(&self) -> &str {
        let (Fate::NotSent(why) | Fate::Unknown(why)) = self.fate() else { panic!("{:?}", self.outcome) };
        why
    }
}

/// A folder with a ledger.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("plan.ledger.jsonl")
    }

    fn ledger(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap_or_default()
    }

    /// The states in the ledger, in order.
    fn states(&self) -> Vec<String> {
        let state = |line: &str| serde_json::from_str::<Value>(line).unwrap()["state"].as_str().unwrap().to_owned();
        self.ledger().lines().map(state).collect()
    }

    /// Sends, and finds no secret in what is said or written.
    fn run(&self, payloads: &[Payload], base: &str, yes: bool) -> Ran {
        let target = target(payloads[0].tracker, base);
        let mut said = String::new();
        let result = super::run(payloads, &target, &self.path(), yes, &mut |line| said += &format!("{line}\n"));
        let shown = format!("{said}{result:?}{}{target:?}", self.ledger());
        assert!(!shown.contains(SECRET), "{shown}");
        Ran { outcome: result.unwrap(), said }
    }

    fn send(&self, payloads: &[Payload], base: &str) -> Ran {
        self.run(payloads, base, true)
    }

    /// Leaves only the first lines of the ledger: a crash, or a power cut.
    fn keep_lines(&self, count: usize) {
        let kept: String = self.ledger().split_inclusive('\n').take(count).collect();
        std::fs::write(self.path(), kept).unwrap();
    }
}

/// What goes wrong with the next requests that create something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is created, and the answer is lost.
    Created,
    /// Nothing is created, and the connection is lost.
    Dropped,
    /// It is created, and the answer is 500.
    CreatedThen500,
    /// 500, and nothing is created.
    Failed,
    /// 429 with Retry-After.
    Busy,
    /// 429 without.
    BusyForLong,
    /// 400.
    Refused,
    /// 401.
    Stranger,
    /// It is created, and the answer is no JSON.
    Garbled,
}

/// A tracker that works like RT: POST creates, GET searches by subject.
#[derive(Default)]
struct Tickets {
    subjects: Vec<String>,
    faults: Vec<Fault>,
    /// Searches fail.
    blind: bool,
    /// Searches fail as soon as somebody tries to create something.
    blinded_by_post: bool,
    /// Searches that do not find what is there before one does.
    late: u32,
    posts: u32,
}

struct Rt {
    state: Arc<Mutex<Tickets>>,
    server: Server,
}

impl Rt {
    fn new(faults: &[Fault]) -> Rt {
        let state = Arc::new(Mutex::new(Tickets { faults: faults.to_vec(), ..Tickets::default() }));
        let shared = Arc::clone(&state);
        let server = Server::with(move |seen| answer(&mut shared.lock().unwrap(), seen));
        Rt { state, server }
    }

    fn count(&self) -> usize {
        self.state.lock().unwrap().subjects.len()
    }

    fn posts(&self) -> u32 {
        self.state.lock().unwrap().posts
    }
}

fn answer(state: &mut Tickets, seen: &Seen) -> Answer {
    if seen.is("GET /REST/2.0/tickets?") {
        if state.blind {
            return Answer::new(503, "");
        }
        let words = seen.head.split("LIKE+%27").nth(1).unwrap().split("%27").next().unwrap();
        let found = state.subjects.iter().enumerate().filter(|(_, subject)| subject.contains(words));
        let items: Vec<Value> = found.map(|(index, subject)| json!({"id": index + 1, "Subject": subject})).collect();
        if state.late > 0 && !items.is_empty() {
            state.late -= 1;
            return Answer::new(200, r#"{"items":[]}"#);
        }
        return Answer::new(200, json!({ "items": items }).to_string());
    }
    assert!(seen.is("POST /REST/2.0/ticket "), "{}", seen.head);
    state.posts += 1;
    state.blind = state.blinded_by_post;
    let fault = (!state.faults.is_empty()).then(|| state.faults.remove(0));
    if matches!(fault, None | Some(Fault::Created | Fault::CreatedThen500 | Fault::Garbled)) {
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        state.subjects.push(body["Subject"].as_str().unwrap().to_owned());
    }
    match fault {
        None => Answer::new(201, json!({"type": "ticket", "id": state.subjects.len().to_string()}).to_string()),
        Some(Fault::Created | Fault::Dropped) => Answer::hang_up(),
        Some(Fault::CreatedThen500 | Fault::Failed) => Answer::new(500, "<html>"),
        Some(Fault::Busy) => Answer::new(429, "").header("Retry-After", "0"),
        Some(Fault::BusyForLong) => Answer::new(429, "").header("Retry-After", "3600"),
        Some(Fault::Refused) => Answer::new(400, r#"{"message":"Could not create ticket"}"#),
        Some(Fault::Stranger) => Answer::new(401, format!(r#"{{"message":"who is {SECRET}?"}}"#)),
        Some(Fault::Garbled) => Answer::new(201, "<html>"),
    }
}

fn rt(number: u32) -> Payload {
    payload(Tracker::Rt, number)
}

#[test]
fn tickets_are_created_once_however_often_they_are_sent() {
    let (desk, rt_server) = (Desk::new(), Rt::new(&[]));
    let base = rt_server.server.base();
    let payloads = [rt(1), rt(2)];
    let ran = desk.send(&payloads, &base);
    assert_eq!(ran.created().id, "1");
    assert_eq!(ran.created().url.as_deref(), Some(format!("{base}/Ticket/Display.html?id=1").as_str()));
    assert!(ran.outcome.is_done() && ran.outcome.summary() == "tickets: 2 created");
    assert_eq!(desk.states(), ["sending", "created", "sending", "created"]);
    let seen = rt_server.server.seen().len();
    let again = desk.send(&payloads, &base);
    assert_eq!(again.fate(), &Fate::Sent("1".to_owned()));
    assert_eq!((rt_server.count(), rt_server.server.seen().len()), (2, seen), "nothing was asked or sent");
    // Without the ledger, the tracker knows.
    let other = Desk::new();
    let ran = other.send(&payloads, &base);
    assert!(matches!(ran.fate(), Fate::Found(ticket) if ticket.id == "1"));
    assert_eq!((rt_server.count(), other.states()), (2, vec!["found".to_owned(); 2]));
    // The same ticket twice in one run.
    let ran = Desk::new().send(&[rt(3), rt(3)], &base);
    assert!(ran.outcome.is_done() && rt_server.count() == 3);
}

#[test]
fn a_dry_run_asks_and_writes_nothing() {
    let (desk, tracker) = (Desk::new(), Rt::new(&[]));
    let ran = desk.run(&[rt(1)], &tracker.server.base(), false);
    assert_eq!(ran.fate(), &Fate::WouldSend);
    assert!(
        ran.said.contains("batch-1: would be sent to http://") && ran.said.contains(&mark(1).label()),
        "{}",
        ran.said
    );
    assert!(!desk.path().exists() && tracker.server.seen().is_empty());
    desk.send(&[rt(1)], &tracker.server.base());
    let ran = desk.run(&[rt(1)], &tracker.server.base(), false);
    assert_eq!(ran.said, "batch-1: sent before, as 1\n");
    desk.keep_lines(1);
    assert!(desk.run(&[rt(1)], &tracker.server.base(), false).said.contains("would be asked before"));
}

#[test]
fn a_call_that_was_turned_away_is_made_again_but_not_for_ever() {
    let (desk, tracker) = (Desk::new(), Rt::new(&[Fault::Busy, Fault::Busy]));
    desk.send(&[rt(1)], &tracker.server.base()).created();
    assert_eq!(
        (tracker.count(), tracker.posts(), desk.states()),
        (1, 3, vec!["sending".to_owned(), "created".to_owned()])
    );

    for (faults, posts) in [(vec![Fault::Busy; 9], 3), (vec![Fault::BusyForLong], 1)] {
        let (desk, tracker) = (Desk::new(), Rt::new(&faults));
        let ran = desk.send(&[rt(1), rt(2)], &tracker.server.base());
        assert!(ran.why().contains("429") && !ran.outcome.is_done(), "{}", ran.said);
        assert_eq!(ran.outcome.fates[1].1, Fate::NotTried);
        assert_eq!((tracker.posts(), desk.states()), (posts, vec!["sending".to_owned(), "not-sent".to_owned()]));
        tracker.state.lock().unwrap().faults.clear();
        desk.send(&[rt(1)], &tracker.server.base()).created();
    }
}

#[test]
fn without_a_connection_nothing_is_sent() {
    let desk = Desk::new();
    let server = Server::start(Vec::new());
    let base = server.base();
    drop(server);
    let ran = desk.send(&[rt(1), rt(2)], &base);
    assert!(ran.why().contains("refused") && ran.outcome.fates[1].1 == Fate::NotTried, "{}", ran.said);
    assert_eq!(desk.states(), [""; 0]);
}

#[test]
fn a_lost_answer_is_resolved_by_asking() {
    for (fault, late) in [(Fault::Created, 0), (Fault::CreatedThen500, 0), (Fault::Garbled, 0), (Fault::Created, 2)] {
        let (desk, tracker) = (Desk::new(), Rt::new(&[fault]));
        tracker.state.lock().unwrap().late = late;
        let ran = desk.send(&[rt(1)], &tracker.server.base());
        assert_eq!(ran.created().id, "1", "{fault:?}");
        assert_eq!(
            (tracker.count(), tracker.posts(), desk.states()),
            (1, 1, vec!["sending".to_owned(), "found".to_owned()])
        );
    }
    for fault in [Fault::Dropped, Fault::Failed] {
        let (desk, tracker) = (Desk::new(), Rt::new(&[fault]));
        let ran = desk.send(&[rt(1), rt(2)], &tracker.server.base());
        assert!(ran.why().contains("the tracker does not have it"), "{}", ran.said);
        assert_eq!((tracker.count(), tracker.posts(), ran.outcome.is_done()), (0, 1, false));
        assert_eq!(desk.states(), ["sending", "not-created"]);
        desk.send(&[rt(1)], &tracker.server.base()).created();
        assert_eq!(tracker.count(), 1);
    }
}

#[test]
fn what_is_unknown_is_not_sent_again_before_the_tracker_says() {
    for (fault, posts) in [(Fault::Created, 1), (Fault::Dropped, 2)] {
        let (desk, tracker) = (Desk::new(), Rt::new(&[fault]));
        let base = tracker.server.base();
        let state = Arc::clone(&tracker.state);
        state.lock().unwrap().blinded_by_post = true;
        let ran = desk.send(&[rt(1), rt(2)], &base);
        assert!(matches!(ran.fate(), Fate::Unknown(_)), "{}", ran.said);
        assert_eq!(ran.outcome.fates[1].1, Fate::NotTried);
        assert_eq!(desk.states(), ["sending", "unknown"]);
        let again = desk.send(&[rt(1)], &base);
        assert!(matches!(again.fate(), Fate::Unknown(why) if why.contains("503")), "{}", again.said);
        assert!(again.said.contains("is not sent again before the tracker says") && !again.outcome.is_done());
        assert_eq!((tracker.posts(), desk.states().len()), (1, 3));
        let mut seeing = state.lock().unwrap();
        (seeing.blind, seeing.blinded_by_post) = (false, false);
        drop(seeing);
        assert!(desk.send(&[rt(1)], &base).outcome.is_done());
        assert_eq!((tracker.count(), tracker.posts()), (1, posts));
    }
}

#[test]
fn a_crash_between_send_and_ledger_is_resolved_at_the_next_run() {
    for cut in [0, 1] {
        let (desk, tracker) = (Desk::new(), Rt::new(&[]));
        let base = tracker.server.base();
        desk.send(&[rt(1)], &base);
        desk.keep_lines(1);
        // The line end may be missing, too.
        let ledger = desk.ledger();
        std::fs::write(desk.path(), &ledger[..ledger.len() - cut]).unwrap();
        let ran = desk.send(&[rt(1)], &base);
        assert!(matches!(ran.fate(), Fate::Found(ticket) if ticket.id == "1"), "{}", ran.said);
        assert_eq!(
            (tracker.count(), tracker.posts(), desk.states()),
            (1, 1, vec!["sending".to_owned(), "found".to_owned()])
        );
    }
    // The crash came before anything was sent.
    let (desk, tracker) = (Desk::new(), Rt::new(&[Fault::Dropped]));
    let base = tracker.server.base();
    desk.send(&[rt(1)], &base);
    desk.keep_lines(1);
    desk.send(&[rt(1)], &base).created();
    assert_eq!(desk.states(), ["sending", "not-created", "sending", "created"]);
    assert_eq!(tracker.count(), 1);
    // A "no" right after the crash is not believed at once: the tracker finds it late.
    let (desk, tracker) = (Desk::new(), Rt::new(&[]));
    desk.send(&[rt(1)], &tracker.server.base());
    desk.keep_lines(1);
    tracker.state.lock().unwrap().late = 2;
    let text = desk.ledger();
    let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(5)).unwrap();
    let mut line: Value = serde_json::from_str(&text).unwrap();
    line["at"] = at.to_string().into();
    std::fs::write(desk.path(), format!("{line}\n")).unwrap();
    assert!(matches!(desk.send(&[rt(1)], &tracker.server.base()).fate(), Fate::Found(_)));
    assert_eq!(tracker.posts(), 1);
}

#[test]
fn a_refusal_of_one_does_not_stop_the_others_but_that_of_all_does() {
    let (desk, tracker) = (Desk::new(), Rt::new(&[Fault::Refused]));
    let ran = desk.send(&[rt(1), rt(2)], &tracker.server.base());
    assert!(ran.why().contains("400") && ran.why().contains("Could not create ticket"));
    assert!(matches!(ran.outcome.fates[1].1, Fate::Created(_)));
    assert_eq!(desk.states(), ["sending", "refused", "sending", "created"]);

    let (desk, tracker) = (Desk::new(), Rt::new(&[Fault::Stranger]));
    let ran = desk.send(&[rt(1), rt(2)], &tracker.server.base());
    assert!(ran.why().contains("401") && ran.why().contains("(withheld"), "{}", ran.why());
    assert_eq!((ran.outcome.fates[1].1.clone(), tracker.posts()), (Fate::NotTried, 1));
}

#[test]
fn a_ledger_that_is_held_or_broken_stops_everything() {
    let (desk, tracker) = (Desk::new(), Rt::new(&[]));
    let base = tracker.server.base();
    let held = Ledger::open(&desk.path()).unwrap();
    let target = target(Tracker::Rt, &base);
    let mut silent = |_: &str| {};
    let error = super::run(&[rt(1)], &target, &desk.path(), true, &mut silent).unwrap_err();
    assert!(matches!(error, SubmitError::Busy { .. }), "{error}");
    drop(held);
    std::fs::write(desk.path(), "nonsense\n").unwrap();
    let error = super::run(&[rt(1)], &target, &desk.path(), true, &mut silent).unwrap_err();
    assert!(matches!(error, SubmitError::Ledger { .. }), "{error}");
    let nowhere = desk.folder.path().join("none/l.jsonl");
    assert!(super::run(&[rt(1)], &target, &nowhere, true, &mut silent).is_err());
    assert_eq!(tracker.posts(), 0);
}

#[test]
fn another_place_is_another_ticket() {
    let (desk, one, two) = (Desk::new(), Rt::new(&[]), Rt::new(&[]));
    desk.send(&[rt(1)], &one.server.base());
    desk.send(&[rt(1)], &two.server.base()).created();
    assert_eq!((one.count(), two.count()), (1, 1));
}

#[test]
fn what_cannot_be_sent_is_told() {
    let environment = |name: &str| setting(name, "https://tracker.example.com");
    let settings = Settings::load(&environment).unwrap();
    for tracker in [Tracker::Email, Tracker::Markdown] {
        let error = Target::from_settings(tracker, &settings).unwrap_err().to_string();
        assert!(error.contains("files for people to send"), "{error}");
    }
    let none = Settings::load(&|_| None).unwrap();
    for tracker in Tracker::ALL {
        let error = Target::from_settings(tracker, &none).unwrap_err().to_string();
        assert!(error.len() > 30, "{error}");
    }
    let target = target(Tracker::Rt, "https://tracker.example.com");
    let ledger = Desk::new();
    let error = super::run(&[payload(Tracker::Zendesk, 1)], &target, &ledger.path(), true, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SubmitError::OtherTracker { .. }), "{error}");
    let clear = |name: &str| setting(name, "http://tracker.example.com");
    let error = Target::from_settings(Tracker::Rt, &Settings::load(&clear).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("CMKDIAG_RT_URL cannot be used: http would send"), "{error}");
}

/// The answers to a search without and with the ticket that has a label.
type Searched = fn(&str) -> (Value, Value);

/// The answers of each tracker to a search that finds nothing, to a creation, and to the same search afterwards.
struct Contract {
    tracker: Tracker,
    /// How the search begins, and its answers.
    search: (&'static str, Searched),
    /// How the creation begins, and its answer.
    create: (&'static str, fn(&str) -> Value),
    id: &'static str,
}

fn contracts() -> Vec<Contract> {
    vec![
        Contract {
            tracker: Tracker::JiraCloud,
            search: ("POST /rest/api/3/search/jql ", |label| {
                let issue = json!({"id": "1", "key": "SEC-7", "fields": {"labels": [label]}});
                (json!({"issues": [], "isLast": true}), json!({"issues": [issue], "isLast": true}))
            }),
            create: ("POST /rest/api/3/issue ", |_| json!({"id": "1", "key": "SEC-7", "self": "x"})),
            id: "SEC-7",
        },
        Contract {
            tracker: Tracker::JiraDc,
            search: ("GET /rest/api/2/search?jql=labels+%3D+%22cmk-", |label| {
                let issue = json!({"key": "SEC-7", "fields": {"labels": [label]}});
                (json!({"issues": []}), json!({"issues": [issue]}))
            }),
            create: ("POST /rest/api/2/issue ", |_| json!({"key": "SEC-7"})),
            id: "SEC-7",
        },
        Contract {
            tracker: Tracker::Zendesk,
            search: ("GET /api/v2/tickets.json?external_id=cmk-", |label| {
                // A service that does not know the parameter lists everything.
                let other = json!({"id": 34, "external_id": null});
                (json!({"tickets": [other]}), json!({"tickets": [other, {"id": 35, "external_id": label}]}))
            }),
            create: ("POST /api/v2/tickets.json ", |_| json!({"ticket": {"id": 35}})),
            id: "35",
        },
        Contract {
            tracker: Tracker::Github,
            search: ("GET /repos/acme/keys/issues?labels=cmk-", |_| {
                (json!([]), json!([{"number": 12, "html_url": "https://github.example.com/12"}]))
            }),
            create: (
                "POST /repos/acme/keys/issues ",
                |_| json!({"number": 12, "html_url": "https://github.example.com/12"}),
            ),
            id: "#12",
        },
        Contract {
            tracker: Tracker::Gitlab,
            search: ("GET /api/v4/projects/acme%2Fkeys/issues?labels=cmk-", |label| {
                (json!([]), json!([{"iid": 3, "labels": [label], "web_url": "https://gitlab.example.com/3"}]))
            }),
            create: ("POST /api/v4/projects/acme%2Fkeys/issues ", |_| json!({"iid": 3, "web_url": "x"})),
            id: "#3",
        },
        Contract {
            tracker: Tracker::Alibaba,
            search: ("POST /?PageNumber=1&PageSize=50 ", |_| {
                let ticket = json!({"TicketId": "0005PYGCW", "Title": "KMS CMK migration 1"});
                (json!({"Success": true, "Data": []}), json!({"Success": true, "Data": [ticket]}))
            }),
            create: ("POST / ", |_| json!({"Success": true, "Code": 200, "Data": "0005PYGCW"})),
            id: "0005PYGCW",
        },
    ]
}

/// What a tracker of a contract has, and whether its next answer to a creation is lost.
type Shelf = Arc<Mutex<(bool, bool, u32)>>;

fn tracker(contract: &Contract) -> (Shelf, Server) {
    let shelf: Shelf = Arc::default();
    let (shared, label) = (Arc::clone(&shelf), mark(1).label());
    let (search, create) = (contract.search, contract.create);
    let server = Server::with(move |seen| {
        let mut shelf = shared.lock().unwrap();
        if seen.is(search.0) {
            let (none, one) = search.1(&label);
            return Answer::new(200, if shelf.0 { one } else { none }.to_string());
        }
        if seen.is("GET /search/issues?") {
            return Answer::new(200, r#"{"items":[{"number":5,"body":"cmk-plan: sha256:other"}]}"#);
        }
        assert!(seen.is(create.0), "{}", seen.head);
        (shelf.0, shelf.2) = (true, shelf.2 + 1);
        if shelf.1 { Answer::hang_up() } else { Answer::new(201, create.1(&label).to_string()) }
    });
    (shelf, server)
}

#[test]
fn every_tracker_is_searched_by_its_mark_and_gets_one_ticket() {
    for contract in contracts() {
        for is_lost in [false, true] {
            let (desk, (shelf, server)) = (Desk::new(), tracker(&contract));
            shelf.lock().unwrap().1 = is_lost;
            let payloads = [payload(contract.tracker, 1)];
            let ran = desk.send(&payloads, &server.base());
            assert_eq!(ran.created().id, contract.id, "{}", ran.said);
            desk.keep_lines(1);
            let ran = desk.send(&payloads, &server.base());
            assert!(matches!(ran.fate(), Fate::Found(ticket) if ticket.id == contract.id), "{}", ran.said);
            assert_eq!(shelf.lock().unwrap().2, 1, "{:?}", contract.tracker);
            let created = server.seen().into_iter().find(|seen| seen.is(contract.create.0)).unwrap();
            let key = format!("idempotency-key: {}\r\n", mark(1).label());
            assert_eq!(created.head.contains(&key), contract.tracker == Tracker::Zendesk);
            assert!(
                created.body.contains(&mark(1).label()) || created.body.contains("cmk-plan%3A+sha256"),
                "{}",
                created.body
            );
        }
    }
}

#[test]
fn each_tracker_is_called_in_the_name_that_is_set() {
    let basic = |user: &str| {
        format!("authorization: Basic {}", crate::http::Secret::basic(user, &crate::http::Secret::new(SECRET)).expose())
    };
    for (tracker_name, header) in [
        (Tracker::JiraCloud, basic("admin")),
        (Tracker::JiraDc, format!("authorization: Bearer {SECRET}")),
        (Tracker::Zendesk, basic("admin/token")),
        (Tracker::Github, format!("authorization: Bearer {SECRET}")),
        (Tracker::Gitlab, format!("private-token: {SECRET}")),
        (Tracker::Rt, format!("authorization: token {SECRET}")),
        (Tracker::Roundup, basic("admin")),
        (Tracker::ServicenowChange, format!("authorization: Bearer {SECRET}")),
    ] {
        let (desk, server) = (Desk::new(), Server::with(|_| Answer::new(404, "")));
        let ran = desk.send(&[payload(tracker_name, 1)], &server.base());
        assert!(ran.why().contains("404"), "{}", ran.said);
        let head = server.seen()[0].head.clone();
        assert!(head.contains(&format!("{header}\r\n")), "{head}");
        if tracker_name == Tracker::Roundup {
            let base = server.base();
            for line in
                ["x-requested-with: rest".to_owned(), format!("origin: {base}"), format!("referer: {base}/demo/")]
            {
                assert!(head.contains(&format!("{line}\r\n")), "{line} is not in {head}");
            }
        }
    }
}

#[test]
fn a_label_that_github_dropped_is_found_in_the_text() {
    let body = format!("keys\n<!-- {} -->", mark(1).line());
    let items =
        json!({"items": [{"number": 4, "body": "else"}, {"number": 5, "body": body, "html_url": "x"}]}).to_string();
    let server = Server::start(vec![Answer::new(200, "[]"), Answer::new(200, items)]);
    let ran = Desk::new().send(&[payload(Tracker::Github, 1)], &server.base());
    assert!(matches!(ran.fate(), Fate::Found(ticket) if ticket.id == "#5"), "{}", ran.said);
    let search = server.seen()[1].head.clone();
    assert!(search.contains("+repo%3Aacme%2Fkeys") && search.contains("%22sha256%3A"), "{search}");
}

/// An instance of ServiceNow that drops some fields.
fn servicenow(drops: &'static [&'static str]) -> Server {
    let mut records: HashMap<String, Value> = HashMap::new();
    Server::with(move |seen| {
        let table = "/api/now/table/change_request";
        if seen.is(&format!("GET {table}?")) {
            let found: Vec<&Value> = records.values().collect();
            return Answer::new(200, json!({ "result": found }).to_string());
        }
        if seen.is(&format!("GET {table}/abc?")) {
            return Answer::new(200, json!({ "result": records["abc"] }).to_string());
        }
        assert!(
            seen.is(&format!("POST {table}?sysparm_fields=sys_id%2Cnumber&sysparm_input_display_value=false ")),
            "{}",
            seen.head
        );
        let sent: Value = serde_json::from_str(&seen.body).unwrap();
        let mut kept = json!({"sys_id": "abc", "number": "CHG0030001"});
        for (name, value) in sent.as_object().unwrap() {
            let text = value.as_str().map_or_else(|| value.to_string(), |text| text.replace('\n', "\r\n"));
            let is_kept = !drops.contains(&name.as_str()) && name != "work_notes";
            kept[name] = if is_kept { text } else { String::new() }.into();
        }
        records.insert("abc".to_owned(), kept);
        Answer::new(201, r#"{"result":{"sys_id":"abc","number":"CHG0030001"}}"#)
    })
}

#[test]
fn fields_that_an_instance_drops_are_told() {
    let change = [payload(Tracker::ServicenowChange, 1)];
    let (desk, server) = (Desk::new(), servicenow(&[]));
    let ran = desk.send(&change, &server.base());
    assert_eq!((ran.created().id.as_str(), ran.created().remarks.len()), ("CHG0030001", 0), "{}", ran.said);
    desk.keep_lines(1);
    assert!(matches!(desk.send(&change, &server.base()).fate(), Fate::Found(_)));

    let (desk, server) = (Desk::new(), servicenow(&["risk", "description"]));
    let ran = desk.send(&change, &server.base());
    assert!(
        !ran.outcome.is_done() && ran.said.contains("warning: batch-1: the instance did not keep what was sent as")
    );
    assert!(ran.created().remarks[0].contains("description, risk"), "{:?}", ran.created());
    assert!(desk.send(&change, &server.base()).outcome.is_done(), "it was created, and is not sent again");

    // An instance that does not keep the mark cannot be asked for it, and sends what nobody asked for.
    let (desk, server) = (Desk::new(), servicenow(&["correlation_id"]));
    desk.send(&change, &server.base());
    desk.keep_lines(1);
    let ran = desk.send(&change, &server.base());
    assert!(matches!(ran.fate(), Fate::Unknown(why) if why.contains("may not understand the query")), "{}", ran.said);
}

#[test]
fn an_error_of_alibaba_cloud_under_200_is_a_refusal() {
    let none = Answer::new(200, r#"{"Success":true,"Data":[]}"#);
    let illegal = Answer::new(200, r#"{"Code":400,"Message":"param.illegal","RequestId":"6CCE","Success":false}"#);
    let (desk, server) = (Desk::new(), Server::start(vec![none.clone(), illegal]));
    let ran = desk.send(&[payload(Tracker::Alibaba, 1)], &server.base());
    assert!(ran.why().contains("param.illegal") && ran.why().contains("6CCE"), "{}", ran.said);
    assert_eq!(desk.states(), ["sending", "refused"]);
    // A failure under 200 leaves open what happened.
    let failed = Answer::new(200, r#"{"Code":500,"Message":"System.error","Success":false}"#);
    let script = [vec![none.clone(), failed], vec![none; 4]].concat();
    let (desk, server) = (Desk::new(), Server::start(script));
    desk.send(&[payload(Tracker::Alibaba, 1)], &server.base());
    assert_eq!(desk.states(), ["sending", "not-created"]);
}

#[test]
fn the_category_is_looked_up_if_it_is_not_given() {
    let mut first = payload(Tracker::Alibaba, 1);
    let Body::Form(form) = &mut first.body else { panic!("no form") };
    form.retain(|(name, _)| name != "CategoryId");
    let none = Answer::new(200, r#"{"Success":true,"Data":[]}"#);
    let products = Answer::new(
        200,
        r#"{"Success":true,"Data":[{"ProductList":[{"ProductId":"7","ProductName":"Key Management Service"}]}]}"#,
    );
    let one = Answer::new(200, r#"{"Success":true,"Data":[{"CategoryId":"53812","CategoryName":"Migration"}]}"#);
    let made = Answer::new(200, r#"{"Success":true,"Data":"0005"}"#);
    let server = Server::start(vec![none.clone(), products.clone(), one, made]);
    Desk::new().send(&[first.clone()], &server.base()).created();
    assert!(server.seen()[3].body.contains("CategoryId=53812"));

    let two = r#"{"Success":true,"Data":[{"CategoryId":1,"CategoryName":"A"},{"CategoryId":2,"CategoryName":"B"}]}"#;
    let (desk, server) = (Desk::new(), Server::start(vec![none, products, Answer::new(200, two)]));
    let ran = desk.send(&[first], &server.base());
    assert!(ran.why().contains("choose the category") && ran.why().contains("1 A; 2 B"), "{}", ran.said);
    assert_eq!(desk.states(), [""; 0]);
}

#[test]
fn roundup_gets_a_message_and_an_issue_that_names_it() {
    let label = mark(1).label();
    let server = Server::with(move |seen| {
        let demo = |rest: &str| seen.is(&format!("{rest} "));
        if seen.is("GET /demo/rest/data/issue?title=cmk-") {
            Answer::new(200, r#"{"data":{"collection":[],"@total_size":0}}"#)
        } else if seen.is("GET /demo/rest/data/user?username=admin") {
            let users = json!({"data": {"collection": [{"id": "9", "username": "administrator"}, {"id": "1", "username": "admin"}]}});
            Answer::new(200, users.to_string())
        } else if demo("POST /demo/rest/data/msg") {
            let body: Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!(body["author"], "1");
            Answer::new(201, r#"{"data":{"id":"22","link":"x"}}"#)
        } else {
            assert!(demo("POST /demo/rest/data/issue"), "{}", seen.head);
            let body: Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!((&body["messages"], &body["priority"]), (&json!(["22"]), &json!("urgent")));
            assert!(body["title"].as_str().unwrap().contains(&label));
            Answer::new(201, r#"{"data":{"id":"5","link":"x"}}"#)
        }
    });
    let ran = Desk::new().send(&[payload(Tracker::Roundup, 1)], &server.base());
    assert_eq!(ran.created().id, "issue5");
    assert_eq!(ran.created().url.as_deref(), Some(format!("{}/demo/issue5", server.base()).as_str()));
}
