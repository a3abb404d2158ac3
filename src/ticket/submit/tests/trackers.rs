//! What each tracker is asked and told, and what its answers mean.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::http::server::Server;

/// The answers to a search without and with the ticket that has a label.
pub(super) type Searched = fn(&str) -> (Value, Value);

/// The answers of each tracker to a search that finds nothing, to a creation, and to the same search afterwards.
pub(super) struct Contract {
    pub(super) tracker: Tracker,
    /// How the search begins, and its answers.
    pub(super) search: (&'static str, Searched),
    /// How the creation begins, and its answer.
    pub(super) create: (&'static str, fn(&str) -> Value),
    pub(super) id: &'static str,
}

pub(super) fn contracts() -> Vec<Contract> {
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
                let other = json!({"id": 34, "external_id": null});
                (json!({"tickets": []}), json!({"tickets": [other, {"id": 35, "external_id": label}]}))
            }),
            create: ("POST /api/v2/tickets.json ", |_| json!({"ticket": {"id": 35}})),
            id: "35",
        },
        Contract {
            tracker: Tracker::Github,
            search: ("GET /repos/acme/keys/issues?labels=cmk-", |label| {
                let own =
                    json!({"number": 12, "labels": [{"name": label}], "html_url": "https://github.example.com/12"});
                let request = json!({"number": 7, "labels": [{"name": label}], "pull_request": {}});
                (json!([]), json!([request, own]))
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
            search: ("POST /?PageNumber=1&PageSize=50 ", |label| {
                // The search is fuzzy, and titles of other batches may be the same.
                let other = json!({"TicketId": "0005OTHER", "Title": "KMS CMK migration 1"});
                let ticket = json!({"TicketId": "0005PYGCW", "Title": format!("KMS CMK migration 1 [{label}]")});
                (json!({"Success": true, "Data": [other]}), json!({"Success": true, "Data": [other, ticket]}))
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
        if asks_for_caller(seen) {
            return caller(ACCOUNT);
        }
        if seen.is("GET /api/v2/search.json?query=type%3Aticket+tags%3Acmk_") {
            return Answer::new(200, r#"{"results":[]}"#);
        }
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
            let created =
                server.seen().into_iter().find(|seen| seen.is(contract.create.0) && !asks_for_caller(seen)).unwrap();
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
fn what_is_no_answer_to_the_question_is_no_no() {
    // Lists of others, lists without what was asked for, and what is no list.
    let others = |tracker: Tracker| match tracker {
        Tracker::JiraCloud | Tracker::JiraDc => vec![json!({"issues": [{"key": "HR-1"}]}), json!({})],
        Tracker::Zendesk => vec![json!({"tickets": [{"id": 34, "external_id": null}]}), json!({"tickets": null})],
        Tracker::Github => vec![json!([{"number": 7, "labels": []}]), json!({"message": "odd"})],
        Tracker::Gitlab => vec![json!([{"iid": 3, "labels": ["else"]}]), json!({})],
        Tracker::Alibaba => vec![
            json!({"Code": "System.error", "Message": "busy"}),
            json!({"Success": true, "Data": {"List": []}}),
            json!({"Success": true, "Data": [{"Title": "x"}]}),
            json!({}),
        ],
        _ => Vec::new(),
    };
    for contract in contracts() {
        for answer in others(contract.tracker) {
            let server = Server::with(move |seen| match asks_for_caller(seen) {
                true => caller(ACCOUNT),
                false => Answer::new(200, answer.to_string()),
            });
            let ran = Desk::new().send(&[payload(contract.tracker, 1)], &server.base());
            assert!(matches!(ran.fate(), Fate::NotSent(_)), "{:?}: {}", contract.tracker, ran.said);
            let is_created = |seen: &Seen| seen.is(contract.create.0) && !asks_for_caller(seen);
            assert!(!server.seen().iter().any(is_created), "{:?}", contract.tracker);
        }
    }
}

#[test]
fn a_redirect_after_a_creation_says_nothing_of_it() {
    let contract = contracts().into_iter().find(|contract| contract.tracker == Tracker::JiraDc).unwrap();
    let (desk, label) = (Desk::new(), mark(1).label());
    let seen_posts = Arc::new(Mutex::new(0));
    let posts = Arc::clone(&seen_posts);
    let server = Server::with(move |seen| {
        let mut posts = posts.lock().unwrap();
        if seen.is(contract.search.0) {
            let (none, one) = contract.search.1(&label);
            return Answer::new(200, if *posts > 0 { one } else { none }.to_string());
        }
        *posts += 1;
        Answer::new(303, "")
    });
    let ran = desk.send(&[payload(Tracker::JiraDc, 1)], &server.base());
    assert_eq!(ran.created().id, "SEC-7", "{}", ran.said);
    assert_eq!(*seen_posts.lock().unwrap(), 1);
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
fn servicenow(drops: &'static [&'static str]) -> (Arc<Mutex<HashMap<String, Value>>>, Server) {
    let kept: Arc<Mutex<HashMap<String, Value>>> = Arc::default();
    let shared = Arc::clone(&kept);
    let server = Server::with(move |seen| {
        let mut records = shared.lock().unwrap();
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
    });
    (kept, server)
}

#[test]
fn fields_that_an_instance_drops_are_told() {
    let change = [payload(Tracker::ServicenowChange, 1)];
    let (desk, (_, server)) = (Desk::new(), servicenow(&[]));
    let ran = desk.send(&change, &server.base());
    assert_eq!((ran.created().id.as_str(), ran.created().remarks.len()), ("CHG0030001", 0), "{}", ran.said);
    desk.keep_lines(1);
    assert!(matches!(desk.send(&change, &server.base()).fate(), Fate::Found(_)));

    let (desk, (records, server)) = (Desk::new(), servicenow(&["risk", "description"]));
    let ran = desk.send(&change, &server.base());
    assert!(
        !ran.outcome.is_done() && ran.said.contains("warning: batch-1: the instance does not have what was sent as")
    );
    assert!(ran.created().remarks[0].contains("description, risk"), "{:?}", ran.created());
    let ran = desk.send(&change, &server.base());
    assert!(!ran.outcome.is_done() && ran.said.contains("description, risk"), "it is told again: {}", ran.said);
    assert_eq!(desk.states(), ["sending", "created"], "nothing new is to be written down");
    let dry = desk.run(&change, &server.base(), false);
    assert!(!dry.outcome.is_done() && dry.said.contains("description, risk"), "{}", dry.said);
    // Somebody mends the one, and then the other.
    let mend = |field: &str, value: &str| records.lock().unwrap().get_mut("abc").unwrap()[field] = value.into();
    mend("risk", "3");
    let ran = desk.send(&change, &server.base());
    assert!(!ran.outcome.is_done() && ran.said.contains("what was sent as description; set"), "{}", ran.said);
    mend("description", &format!("keys\n{}", mark(1).line()));
    let ran = desk.send(&change, &server.base());
    assert!(ran.outcome.is_done() && ran.said.contains("CHG0030001 was mended"), "{}", ran.said);
    assert_eq!(desk.states(), ["sending", "created", "found", "found"]);
    let asked = server.seen().len();
    assert_eq!(desk.send(&change, &server.base()).fate(), &Fate::Sent("CHG0030001".to_owned()));
    assert_eq!(server.seen().len(), asked);

    // Also when the answer was lost, or the ledger.
    let (desk, (_, server)) = (Desk::new(), servicenow(&["risk"]));
    desk.send(&change, &server.base());
    desk.keep_lines(1);
    for _ in 0..2 {
        let ran = desk.send(&change, &server.base());
        assert!(!ran.outcome.is_done() && ran.said.contains("what was sent as risk; set"), "{}", ran.said);
        std::fs::remove_file(desk.path()).unwrap();
    }

    // An instance that does not keep the mark cannot be asked for it, and sends what nobody asked for.
    let (desk, (_, server)) = (Desk::new(), servicenow(&["correlation_id"]));
    desk.send(&change, &server.base());
    desk.keep_lines(1);
    let ran = desk.send(&change, &server.base());
    assert!(matches!(ran.fate(), Fate::Unknown(why) if why.contains("may not understand the query")), "{}", ran.said);
}

#[test]
fn pages_of_other_tickets_are_read_on() {
    let found = |tickets: Vec<Value>| Answer::new(200, json!({"Success": true, "Data": tickets}).to_string());
    let others: Vec<Value> = (0..50).map(|number| json!({"TicketId": number, "Title": "another"})).collect();
    let sent = payload(Tracker::Alibaba, 1);
    let own = json!({"TicketId": "77", "Title": format!("x [{}]", sent.mark.label())});
    let script = vec![caller(ACCOUNT), found(others), found(vec![own])];
    let (desk, server) = (Desk::new(), Server::start(script));
    let ran = desk.send(&[sent], &server.base());
    assert!(matches!(ran.fate(), Fate::Found(ticket) if ticket.id == "77"), "{}", ran.said);
}

#[test]
fn an_error_of_alibaba_cloud_under_200_is_a_refusal() {
    let none = Answer::new(200, r#"{"Success":true,"Data":[]}"#);
    let illegal = Answer::new(200, r#"{"Code":400,"Message":"param.illegal","RequestId":"6CCE","Success":false}"#);
    let (desk, server) = (Desk::new(), Server::start(vec![caller(ACCOUNT), none.clone(), illegal]));
    let ran = desk.send(&[payload(Tracker::Alibaba, 1)], &server.base());
    assert!(ran.why().contains("param.illegal") && ran.why().contains("6CCE"), "{}", ran.said);
    assert_eq!(desk.states(), ["sending", "refused"]);
    // A failure under 200 leaves open what happened.
    let failed = Answer::new(200, r#"{"Code":500,"Message":"System.error","Success":false}"#);
    let script = [vec![caller(ACCOUNT), none.clone(), failed], vec![none; 4]].concat();
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
    let server = Server::start(vec![caller(ACCOUNT), none.clone(), products.clone(), one, made]);
    Desk::new().send(&[first.clone()], &server.base()).created();
    assert!(server.seen()[4].body.contains("CategoryId=53812"));

    let two = r#"{"Success":true,"Data":[{"CategoryId":1,"CategoryName":"A"},{"CategoryId":2,"CategoryName":"B"}]}"#;
    let (desk, server) = (Desk::new(), Server::start(vec![caller(ACCOUNT), none, products, Answer::new(200, two)]));
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

/// Roundup, where an issue is refused in a way, and what was done with messages.
fn refusing(refusals: Vec<Answer>) -> (Arc<Mutex<Vec<&'static str>>>, Server) {
    let (done, mut refusals) = (Arc::new(Mutex::new(Vec::new())), refusals.into_iter());
    let shared = Arc::clone(&done);
    let server = Server::with(move |seen| {
        let mut done = shared.lock().unwrap();
        if seen.is("GET /demo/rest/data/issue?") {
            Answer::new(200, r#"{"data":{"collection":[]}}"#)
        } else if seen.is("GET /demo/rest/data/user?") {
            Answer::new(200, r#"{"data":{"collection":[{"id":"1","username":"admin"}]}}"#)
        } else if seen.is("GET /demo/rest/data/msg/22 ") {
            Answer::new(200, r#"{"data":{"id":"22","@etag":"\"ab12\""}}"#)
        } else if seen.is("DELETE /demo/rest/data/msg/22 ") {
            assert!(seen.head.contains("if-match: \"ab12\"\r\n"), "{}", seen.head);
            done.push("retired");
            Answer::new(200, r#"{"data":{"status":"ok"}}"#)
        } else if seen.is("POST /demo/rest/data/msg ") {
            done.push("message");
            Answer::new(201, r#"{"data":{"id":"22"}}"#)
        } else {
            assert!(seen.is("POST /demo/rest/data/issue ") && seen.body.contains(r#""messages":["22"]"#), "{seen:?}");
            done.push("issue");
            refusals.next().unwrap_or_else(|| Answer::new(201, r#"{"data":{"id":"5"}}"#))
        }
    });
    (done, server)
}

#[test]
fn roundup_keeps_no_message_without_an_issue() {
    let busy = || Answer::new(429, "").header("Retry-After", "0");
    let refused = || Answer::new(400, r#"{"error":{"msg":"no such priority"}}"#);
    for (refusals, expected) in [
        (vec![busy()], vec!["message", "issue", "issue"]),
        (vec![busy(), refused()], vec!["message", "issue", "issue", "retired"]),
        (vec![busy(), busy(), busy()], vec!["message", "issue", "issue", "issue", "retired"]),
        // Nobody knows whether an issue names it.
        (vec![Answer::hang_up()], vec!["message", "issue"]),
    ] {
        let (done, server) = refusing(refusals);
        Desk::new().send(&[payload(Tracker::Roundup, 1)], &server.base());
        assert_eq!(*done.lock().unwrap(), expected);
    }
}
