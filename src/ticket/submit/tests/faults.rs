//! A tracker that fails in every way that trackers do, and what becomes of tickets then.

use std::sync::{Arc, Mutex};

use super::*;
use crate::http::server::Server;
use crate::ticket::submit;

/// What goes wrong with the next requests that create something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
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
pub(super) struct Tickets {
    pub(super) subjects: Vec<String>,
    pub(super) faults: Vec<Fault>,
    /// Searches fail.
    blind: bool,
    /// Searches fail as soon as somebody tries to create something.
    blinded_by_post: bool,
    /// Searches that do not find what is there before one does.
    late: u32,
    posts: u32,
}

pub(super) struct Rt {
    pub(super) state: Arc<Mutex<Tickets>>,
    pub(super) server: Server,
}

impl Rt {
    pub(super) fn new(faults: &[Fault]) -> Rt {
        let state = Arc::new(Mutex::new(Tickets { faults: faults.to_vec(), ..Tickets::default() }));
        let shared = Arc::clone(&state);
        let server = Server::with(move |seen| answer(&mut shared.lock().unwrap(), seen));
        Rt { state, server }
    }

    pub(super) fn count(&self) -> usize {
        self.state.lock().unwrap().subjects.len()
    }

    pub(super) fn posts(&self) -> u32 {
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

const YES: Intent = Intent { yes: true, supersede: false };

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
    // Each call is written down before it is made.
    let states = ["sending", "sending", "sending", "created"].map(str::to_owned).to_vec();
    assert_eq!((tracker.count(), tracker.posts(), desk.states()), (1, 3, states));

    for (faults, posts) in [(vec![Fault::Busy; 9], 3), (vec![Fault::BusyForLong], 1)] {
        let (desk, tracker) = (Desk::new(), Rt::new(&faults));
        let ran = desk.send(&[rt(1), rt(2)], &tracker.server.base());
        assert!(ran.why().contains("429") && !ran.outcome.is_done(), "{}", ran.said);
        assert_eq!(ran.outcome.fates[1].1, Fate::NotTried);
        let mut states = vec!["sending".to_owned(); posts as usize];
        states.push("not-sent".to_owned());
        assert_eq!((tracker.posts(), desk.states()), (posts, states));
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
    let error = submit::run(&[rt(1)], &target, &desk.path(), YES, &mut silent).unwrap_err();
    assert!(matches!(error, SubmitError::Busy { .. }), "{error}");
    drop(held);
    std::fs::write(desk.path(), "nonsense\n").unwrap();
    let error = submit::run(&[rt(1)], &target, &desk.path(), YES, &mut silent).unwrap_err();
    assert!(matches!(error, SubmitError::Ledger { .. }), "{error}");
    let nowhere = desk.folder.path().join("none/l.jsonl");
    assert!(submit::run(&[rt(1)], &target, &nowhere, YES, &mut silent).is_err());
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
    let error = submit::run(&[payload(Tracker::Zendesk, 1)], &target, &ledger.path(), YES, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SubmitError::OtherTracker { .. }), "{error}");
    let clear = |name: &str| setting(name, "http://tracker.example.com");
    let error = Target::from_settings(Tracker::Rt, &Settings::load(&clear).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("CMKDIAG_RT_URL cannot be used: http would send"), "{error}");
}
