//! What was sent before in another form: parted otherwise, planned again, for another account, or for a window that is past.

use std::sync::{Arc, Mutex};

use super::faults::{Fault, Rt};
use super::trackers::contracts;
use super::*;
use crate::http::server::Server;
use crate::ticket::submit::ledger::{FORMAT, Line, State};
use crate::ticket::submit::records::Records;

const SUPERSEDE: Intent = Intent { yes: true, supersede: true };

fn part(tracker: Tracker, number: u32, part: u32, parts: u32) -> Payload {
    payload_of(tracker, number, &Mark { part, parts, ..mark(number) })
}

/// A batch with keys.
fn of_keys(number: u32, keys: &[&str]) -> Payload {
    Payload { matter: matter(keys), ..payload(Tracker::Rt, number) }
}

/// What a tracker answers of which one ticket has a label.
fn having(contract: &super::trackers::Contract, label: String) -> Server {
    let (tracker, search, create, id) = (contract.tracker, contract.search, contract.create, contract.id);
    Server::with(move |seen| {
        let (none, one) = search.1(&label);
        // An external id is found as a whole only, and so is the label of a part.
        let is_of_part = |text: &str| text.contains("-of-") || text.contains("+of+");
        let is_own = is_of_part(&seen.head) || is_of_part(&seen.body) || tracker == Tracker::Zendesk;
        if asks_for_caller(seen) {
            caller(ACCOUNT)
        } else if seen.is("GET /api/v2/search.json?query=type%3Aticket+tags%3Acmk_") {
            Answer::new(200, json!({"results": [{"id": id, "external_id": label}]}).to_string())
        } else if seen.is("GET /search/issues?") {
            Answer::new(200, r#"{"items":[]}"#)
        } else if seen.is(search.0) {
            Answer::new(200, if is_own { none } else { one }.to_string())
        } else {
            assert!(seen.is(create.0), "{}", seen.head);
            Answer::new(201, create.1(&label).to_string())
        }
    })
}

#[test]
fn what_a_tracker_has_in_other_parts_is_not_sent_again() {
    for contract in contracts() {
        for (sent, there) in [((1, 1), (1, 2)), ((1, 2), (1, 1)), ((1, 2), (2, 3))] {
            let there = Mark { part: there.0, parts: there.1, ..mark(1) };
            let server = having(&contract, there.label());
            let ran = Desk::new().send(&[part(contract.tracker, 1, sent.0, sent.1)], &server.base());
            let why = ran.why();
            assert!(why.contains(contract.id) && why.contains("--lang"), "{:?}: {why}", contract.tracker);
            let is_created =
                |seen: &Seen| seen.is(contract.create.0) && !seen.is(contract.search.0) && !asks_for_caller(seen);
            assert!(!server.seen().iter().any(is_created), "{:?}", contract.tracker);
        }
        // Another part of as many is none of its business.
        let server = having(&contract, Mark { part: 1, parts: 2, ..mark(1) }.label());
        let desk = Desk::new();
        let ran = desk.send(&[part(contract.tracker, 1, 2, 2)], &server.base());
        assert_eq!(ran.created().id, contract.id, "{:?}: {}", contract.tracker, ran.said);
        assert_eq!(desk.states(), ["sending", "created"]);
    }
}

#[test]
fn service_now_finds_other_parts_by_the_begin_of_their_label() {
    let label = Mark { part: 2, parts: 2, ..mark(1) }.label();
    let server = Server::with(move |seen| {
        assert!(seen.is("GET /api/now/table/incident?sysparm_query=correlation_idSTARTSWITHcmk-"), "{}", seen.head);
        let row = json!({"sys_id": "abc", "number": "INC0010001", "correlation_id": label});
        Answer::new(200, json!({"result": [row]}).to_string())
    });
    let ran = Desk::new().send(&[payload(Tracker::ServicenowIncident, 1)], &server.base());
    assert!(ran.why().contains("INC0010001"), "{}", ran.said);
}

#[test]
fn what_the_ledger_has_in_other_parts_is_not_sent_again() {
    for is_answered in [true, false] {
        let (desk, tracker) = (Desk::new(), Rt::new(&[]));
        let base = tracker.server.base();
        desk.send(&[payload(Tracker::Rt, 1)], &base).created();
        if !is_answered {
            desk.keep_lines(1);
        }
        // The search of the tracker does not find it.
        tracker.state.lock().unwrap().subjects.clear();
        let parts = [part(Tracker::Rt, 1, 1, 2), part(Tracker::Rt, 1, 2, 2)];
        let expected = if is_answered { "1 (batch-1)" } else { "batch-1 (sent, and no answer is known)" };
        for ran in [desk.run(&parts, &base, false), desk.send(&parts, &base), desk.run_as(&parts, &base, SUPERSEDE)] {
            assert!(ran.why().contains(expected) && ran.why().contains("--config"), "{}", ran.said);
            assert!(matches!(ran.outcome.fates[1].1, Fate::NotSent(_)), "{}", ran.said);
        }
        assert_eq!(tracker.posts(), 1);
    }
}

#[test]
fn keys_that_are_planned_again_are_not_sent_again() {
    let (desk, tracker) = (Desk::new(), Rt::new(&[]));
    let base = tracker.server.base();
    desk.send(&[of_keys(1, &["k1", "k2"])], &base).created();
    let again = [of_keys(2, &["k2", "k3"])];
    for ran in [desk.run(&again, &base, false), desk.send(&again, &base)] {
        let why = ran.why();
        for words in ["1 of its 2 keys", "1 (batch-1): k2", "--supersede"] {
            assert!(why.contains(words), "{words} is not in {why}");
        }
        assert!(!ran.outcome.is_done());
    }
    assert_eq!(tracker.count(), 1);
    // About something else, or somewhere else, the same keys may be named.
    let mut other = of_keys(3, &["k1", "k2"]);
    other.matter.about = "ask-support-about-language".to_owned();
    desk.send(&[other], &base).created();
    desk.send(&[of_keys(4, &["k1"])], &Rt::new(&[]).server.base()).created();
    // In its place.
    let dry = desk.run_as(&again, &base, Intent { yes: false, supersede: true });
    assert!(dry.outcome.is_done() && dry.said.contains(", in place of 1 (batch-1): "), "{}", dry.said);
    let ran = desk.run_as(&again, &base, SUPERSEDE);
    assert!(ran.said.contains("in place of 1 (batch-1): close that"), "{}", ran.said);
    ran.created();
    let line: Value = desk.ledger().lines().rev().nth(1).map(|line| serde_json::from_str(line).unwrap()).unwrap();
    assert_eq!((&line["state"], &line["supersedes"]), (&json!("sending"), &json!([mark(1).label()])));
    assert_eq!((&line["about"], &line["keys"]), (&json!("migration"), &json!(["k2", "k3"])));
    // What was superseded does not count any more, and what took its place does.
    desk.send(&[of_keys(5, &["k1"])], &base).created();
    let ran = desk.send(&[of_keys(6, &["k1", "k2", "k3"])], &base);
    assert!(ran.why().contains("3 of its 3 keys") && !ran.why().contains("(batch-1)"), "{}", ran.said);
    assert!(ran.why().contains("(batch-2), ") && ran.why().contains("(batch-5): k1, k2, k3;"), "{}", ran.said);
    let ran = desk.send(&[of_keys(1, &["k1", "k2"])], &base);
    // Its ticket was to be closed.
    assert!(!ran.outcome.is_done() && ran.why().contains("3 (batch-2) took its place"), "{}", ran.said);
}

#[test]
fn what_may_have_been_sent_counts_and_what_was_refused_does_not() {
    // No answer is known of the earlier ticket.
    let (desk, tracker) = (Desk::new(), Rt::new(&[]));
    let base = tracker.server.base();
    desk.send(&[of_keys(1, &["k1"])], &base);
    desk.keep_lines(1);
    let ran = desk.send(&[of_keys(2, &["k1"])], &base);
    assert!(ran.why().contains("batch-1 (sent, and no answer is known)"), "{}", ran.said);
    // The one that should take its place is refused: the earlier one counts again.
    tracker.state.lock().unwrap().faults = vec![Fault::Refused];
    assert!(desk.run_as(&[of_keys(2, &["k1"])], &base, SUPERSEDE).why().contains("400"));
    assert!(desk.send(&[of_keys(3, &["k1"])], &base).why().contains("batch-1"));
    // One that was refused never counted.
    let (desk, tracker) = (Desk::new(), Rt::new(&[Fault::Refused]));
    desk.send(&[of_keys(1, &["k1"])], &tracker.server.base());
    desk.send(&[of_keys(2, &["k1"])], &tracker.server.base()).created();
    // One that was only found tells of its keys, too.
    let other = Desk::new();
    let found = other.send(&[of_keys(2, &["k1"])], &tracker.server.base());
    assert!(matches!(found.fate(), Fate::Found(_)));
    assert!(other.send(&[of_keys(3, &["k1"])], &tracker.server.base()).why().contains("(batch-2)"));
}

#[test]
fn thousands_of_tickets_are_compared_at_once() {
    let keys = |ticket: u32| (0..50).map(|key| format!("key-{ticket}-{key}")).collect::<Vec<_>>();
    let mark = |round: u32, ticket: u32| mark(round * 10_000 + ticket);
    let mut records = Records::default();
    for ticket in 0..3_000 {
        records.add(&Line {
            format: FORMAT.to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            tracker: "rt".to_owned(),
            place: "p".to_owned(),
            label: mark(0, ticket).label(),
            mark: mark(0, ticket).line(),
            name: String::new(),
            state: State::Sending,
            ticket: None,
            url: None,
            why: None,
            about: Some(MIGRATION.to_owned()),
            keys: keys(ticket),
            supersedes: Vec::new(),
            remarks: Vec::new(),
        });
    }
    let began = std::time::Instant::now();
    for ticket in 0..3_000 {
        let keys = keys(ticket);
        let matter = matter(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        let spot = Spot { tracker: "rt", place: "p" };
        let found = records.naming(spot, &mark(1, ticket), &matter);
        assert_eq!((found.len(), found[0].1.len()), (1, 50));
        assert!(records.divided_otherwise(spot, &mark(1, ticket)).is_empty());
    }
    // Quadratic work would be 22 thousand million comparisons.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_window_that_has_begun_is_not_asked_for() {
    let (desk, tracker) = (Desk::new(), Rt::new(&[]));
    let base = tracker.server.base();
    let mut past = payload(Tracker::Rt, 1);
    past.matter.begins = Some("2023-12-05T18:00:00Z".parse().unwrap());
    for yes in [false, true] {
        let ran = desk.run(&[past.clone(), payload(Tracker::Rt, 2)], &base, yes);
        assert!(
            ran.why().contains("began at 2023-12-05T18:00:00Z") && ran.why().contains("plan again"),
            "{}",
            ran.said
        );
        assert!(ran.outcome.fates[1].1.is_done(), "{}", ran.said);
    }
    assert_eq!((tracker.count(), desk.states().len()), (1, 2));
    // What was sent in time was sent.
    desk.send(&[payload(Tracker::Rt, 3)], &base).created();
    let mut later = payload(Tracker::Rt, 3);
    later.matter.begins = past.matter.begins;
    assert!(matches!(desk.send(&[later.clone()], &base).fate(), Fate::Sent(_)));
    assert!(matches!(Desk::new().send(&[later], &base).fate(), Fate::Found(_)));
    // A consultation has none.
    let mut asked = payload(Tracker::Rt, 4);
    asked.matter.begins = None;
    desk.send(&[asked], &base).created();
}

/// Technical support of Alibaba Cloud, called in the name of an account, which sees its own tickets only.
fn support(account: &Arc<Mutex<&'static str>>) -> Server {
    let account = Arc::clone(account);
    Server::with(move |seen| {
        if asks_for_caller(seen) {
            caller(*account.lock().unwrap())
        } else if seen.head.contains("x-acs-action: ListTickets\r\n") {
            Answer::new(200, r#"{"Success":true,"Data":[]}"#)
        } else {
            assert!(seen.head.contains("x-acs-action: CreateTicket\r\n"), "{}", seen.head);
            Answer::new(200, r#"{"Success":true,"Data":"0005PYGCW"}"#)
        }
    })
}

#[test]
fn tickets_of_an_account_go_out_in_its_name_only() {
    let account = Arc::new(Mutex::new(ACCOUNT));
    let (desk, server) = (Desk::new(), support(&account));
    let mut foreign = payload(Tracker::Alibaba, 1);
    foreign.matter.account = Some("1000000000000001".to_owned());
    let mut unknown = payload(Tracker::Alibaba, 3);
    unknown.matter.account = None;
    let all = [foreign.clone(), payload(Tracker::Alibaba, 2), unknown];
    // A dry run asks nobody.
    let dry = desk.run(&all, &server.base(), false);
    assert!(server.seen().is_empty() && dry.outcome.is_done(), "{}", dry.said);
    assert!(dry.said.contains(&format!("to {}/1000000000000001: ", server.base())), "{}", dry.said);
    assert!(dry.said.contains(&format!("to {}/{ACCOUNT}: ", server.base())), "{}", dry.said);

    let ran = desk.send(&all, &server.base());
    assert!(ran.why().contains("1000000000000001") && ran.why().contains(ACCOUNT), "{}", ran.said);
    assert!(matches!(ran.outcome.fates[1].1, Fate::Created(_)) && matches!(ran.outcome.fates[2].1, Fate::Created(_)));
    let seen = server.seen();
    assert!(asks_for_caller(&seen[0]) && seen[0].head.contains("x-acs-version: 2015-04-01\r\n"), "{}", seen[0].head);
    assert_eq!(seen.iter().filter(|seen| asks_for_caller(seen)).count(), 1);
    let place = format!("\"place\":\"{}/{ACCOUNT}\"", server.base());
    assert!(desk.ledger().lines().all(|line| line.contains(&place)), "{}", desk.ledger());
    assert!(desk.run(&all[1..2], &server.base(), false).said.contains("sent before"));
    // With the credentials of each account in turn, all are sent in the end.
    *account.lock().unwrap() = "1000000000000001";
    let ran = desk.send(&all[..2], &server.base());
    assert!(ran.outcome.is_done() && ran.said.contains("batch-2: sent before"), "{}", ran.said);
    ran.created();
}

#[test]
fn without_knowing_whose_the_credentials_are_nothing_is_sent() {
    for answer in [
        Answer::new(403, r#"{"Code":"InvalidAccessKeyId.NotFound","Message":"no"}"#),
        Answer::new(200, r#"{"RequestId":"3C87"}"#),
        Answer::new(200, r#"{"AccountId":"../x"}"#),
        Answer::hang_up(),
    ] {
        let (desk, server) = (Desk::new(), Server::with(move |_| answer.clone()));
        let two = [payload(Tracker::Alibaba, 1), payload(Tracker::Alibaba, 2)];
        let ran = desk.send(&two, &server.base());
        assert!(ran.why().starts_with("it is not known to which account the credentials belong: "), "{}", ran.said);
        assert_eq!((ran.outcome.fates[1].1.clone(), desk.states().len()), (Fate::NotTried, 0));
        assert!(server.seen().iter().all(asks_for_caller));
    }
    // It is asked again, as other questions are.
    let none = Answer::new(200, r#"{"Success":true,"Data":[]}"#);
    let made = Answer::new(200, r#"{"Success":true,"Data":"0005"}"#);
    let server = Server::start(vec![Answer::new(503, ""), caller(ACCOUNT), none, made]);
    Desk::new().send(&[payload(Tracker::Alibaba, 1)], &server.base()).created();
}

/// What is said of a setting that cannot be used.
fn unusable(tracker: Tracker, name: &'static str, value: &'static str) -> String {
    let environment = |asked: &str| match asked == name {
        true => Some(value.to_owned()),
        false => setting(asked, "https://tracker.example.com"),
    };
    let error = Target::from_settings(tracker, &Settings::load(&environment).unwrap()).map(|_| ()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(name) && !shown.contains("hunter2"), "{shown}");
    error.to_string()
}

#[test]
fn a_project_is_no_address_and_is_not_shown() {
    for (tracker, name) in [(Tracker::Gitlab, "CMKDIAG_GITLAB_PROJECT"), (Tracker::Github, "CMKDIAG_GITHUB_REPOSITORY")]
    {
        for value in ["https://joe:hunter2@gitlab.example.com/a/b", "joe:hunter2@a/b", "https://example.com/hunter2"] {
            assert!(unusable(tracker, name, value).contains("not an address"));
        }
    }
}

#[test]
fn requests_that_are_signed_go_to_alibaba_cloud_only() {
    let name = "CMKDIAG_ALIBABA_ENDPOINT";
    for value in
        ["https://hunter2.example.com", "aliyuncs.com.hunter2.net", "hunter2aliyuncs.com", "http://a.aliyuncs.com"]
    {
        unusable(Tracker::Alibaba, name, value);
    }
    for value in
        ["workorder.cn-hangzhou.aliyuncs.com", "https://workorder-vpc.cn-hangzhou.aliyuncs.com", "http://[::1]:8"]
    {
        let environment = |asked: &str| if asked == name { Some(value.to_owned()) } else { setting(asked, "") };
        assert!(Target::from_settings(Tracker::Alibaba, &Settings::load(&environment).unwrap()).is_ok(), "{value}");
    }
}
