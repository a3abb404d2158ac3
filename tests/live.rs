//! `--instance`: what a live instance says, from a server on this machine that answers as the Table API does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod program;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use program::{FORMATS, Ran, command, document, end, folder, put};
use serde_json::json;

const PASSWORD: &str = "invented-password-0001";

/// A server that answers every request for a table with its answer, and remembers what it was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Head and body of an answer; the first argument is the table.
type Answer = fn(&str) -> (String, String);

impl Server {
    fn start(answer: Answer) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, answer, &log);
            }
        });
        Server { port, asked }
    }

    fn address(&self) -> String {
        format!("http://{}", self.name())
    }

    fn name(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The text without host and port, which differs from run to run.
    fn steady(&self, text: &str) -> String {
        text.replace(&self.name(), "INSTANCE")
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request and closes.
fn serve(mut stream: TcpStream, answer: Answer, log: &Mutex<Vec<String>>) {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let table = ["sys_properties", "sys_plugins"].into_iter().find(|table| head.contains(table)).unwrap_or_default();
    log.lock().unwrap().push(head);
    let (status, body) = answer(table);
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
}

fn json_answer(body: &serde_json::Value) -> (String, String) {
    ("200 OK\r\nContent-Type: application/json".to_owned(), body.to_string())
}

/// An instance on Australia with the plugin, where nothing is hidden.
fn australia(table: &str) -> (String, String) {
    let property =
        |name: &str, value: &str| json!({ "name": name, "value": value, "sys_updated_on": "2026-11-20 08:00:00" });
    json_answer(&match table {
        "sys_properties" => json!({ "result": [
            property("glide.buildname", "Australia"),
            property("glide.war", "glide-australia-01-01-2026__patch0.zip"),
            property("glide.ekms.ia.non_bagheera_support", "true"),
            property("glide_encryption.auto_key_exchange.enabled", "true"),
            property("protected.script.values.kmf.rekeyed", "false"),
        ] }),
        _ => {
            json!({ "result": [{ "source": "com.glide.encryption.external_kms", "name": "EKMS", "active": "active" }] })
        }
    })
}

fn run(arguments: &[&str]) -> Ran {
    let variables = [("SERVICENOW_USERNAME", "reader"), ("SERVICENOW_PASSWORD", PASSWORD)];
    let ran = end(command().envs(variables).args(arguments));
    // `reader:` and the password, as the header has them.
    for secret in [PASSWORD, "cmVhZGVyOmludmVudGVk"] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{}\n{}", ran.out, ran.err);
    }
    ran
}

#[test]
fn what_an_instance_says_is_measured() {
    let server = Server::start(australia);
    let folder = folder();
    let pairs = put(
        &folder,
        "pairs.csv",
        format!("source,target,operation,source_posture\n{},test,clone,in_use\n", server.name()),
    );
    for format in FORMATS {
        let ran = run(&["preflight", &pairs, "--instance", &server.address(), "--format", format]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let ran = run(&["preflight", &pairs, "--instance", &server.address(), "--format", "json"]);
    let document = document(&ran.out);
    let facts = &document["pairs"][0]["facts"];
    assert_eq!(facts["source_legacy_support"], json!({ "value": "true", "grade": "measured" }), "{facts}");
    assert_eq!(facts["source_posture"], json!({ "value": "in_use", "grade": "stated" }), "{facts}");
    let texts = &document["pairs"][0]["texts"];
    assert_eq!(
        (texts["source_release"].as_str(), texts["source_plugin"].as_str()),
        (Some("Australia"), Some("active"))
    );
    let records = &document["summary"]["records"];
    assert_eq!((records["read"].as_u64(), records["judged"].as_u64()), (Some(2), Some(2)));
}

#[test]
fn only_two_tables_are_read_and_nothing_is_changed() {
    let server = Server::start(australia);
    let ran = run(&["preflight", "--instance", &server.address(), "--all-pairs"]);
    assert_eq!(ran.code, 2, "one instance makes no pair: {}", ran.err);
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for (head, table) in asked.iter().zip(["sys_properties", "sys_plugins"]) {
        assert!(head.starts_with(&format!("GET /api/now/v2/table/{table}?")), "{head}");
        assert!(head.to_lowercase().contains("authorization: basic "), "{head}");
    }
}

#[test]
fn two_instances_make_a_pair() {
    let (source, target) = (Server::start(australia), Server::start(australia));
    let ran = run(&[
        "preflight",
        "--instance",
        &source.address(),
        "--instance",
        &target.address(),
        "--from",
        &source.name(),
        "--operation",
        "clone",
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document = document(&ran.out);
    assert_eq!(document["pairs"].as_array().unwrap().len(), 1);
    assert_eq!(document["pairs"][0]["class"], "undetermined", "a plugin tells no posture");
}

#[test]
fn what_an_instance_says_goes_against_a_record_that_says_otherwise() {
    let server = Server::start(australia);
    let folder = folder();
    let pairs = put(
        &folder,
        "pairs.csv",
        format!(
            "source,target,source_non_bagheera_support,target_posture,source_posture\n{},test,false,older,older\n",
            server.name()
        ),
    );
    let ran = run(&["preflight", &pairs, "--instance", &server.address(), "--format", "json"]);
    let document = document(&ran.out);
    let pair = &document["pairs"][0];
    assert_eq!(pair["class"], "undetermined");
    assert_eq!(pair["facts"]["source_legacy_support"]["grade"], "conflict");
    assert_eq!(pair["facts"]["source_posture"]["grade"], "conflict", "an older release has no such plugin");
    assert!(pair["conflicts"].to_string().contains("(Table API)"), "{}", pair["conflicts"]);
}

#[test]
fn a_request_gets_the_properties_of_its_sides() {
    let server = Server::start(australia);
    let folder = folder();
    let request =
        json!({ "request": "R1", "frequency": "adhoc", "rekey": "yes", "source": "a", "target": server.name() });
    let file = put(&folder, "requests.json", request.to_string());
    let of = |as_of: &str| {
        let ran = run(&["exchange", &file, "--instance", &server.address(), "--format", "jsonl", "--as-of", as_of]);
        document(&ran.out)
    };
    let judged = of("2026-11-21T07:00:00Z");
    assert_eq!(
        judged["facts"]["auto_key_exchange_target"],
        json!({ "value": "true", "grade": "measured" }),
        "{judged}"
    );
    assert_eq!(judged["facts"]["rekeyed"]["value"], "false-young");
    assert_eq!(of("2026-11-22T07:00:00Z")["facts"]["rekeyed"]["value"], "false-old");
}

fn said(answer: Answer) -> String {
    let server = Server::start(answer);
    let ran = run(&["preflight", "--instance", &server.address(), "--all-pairs"]);
    assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{}", ran.err);
    server.steady(&ran.err)
}

#[test]
fn an_instance_that_does_not_answer_with_rows_ends_the_run_with_the_reason() {
    let refused = said(|_| {
        let body = json!({ "error": { "message": "User Not Authenticated", "detail": format!("not {PASSWORD}") } });
        ("401 Unauthorized".to_owned(), body.to_string())
    });
    assert_snapshot!(refused, @r#"error: INSTANCE, table sys_properties: the instance does not accept SERVICENOW_USERNAME and SERVICENOW_PASSWORD (401), saying "(withheld, as it repeats a credential)"; check that they are set to what is valid now, and that the user may log in"#);
    let busy = said(|_| ("429 Too Many Requests\r\nRetry-After: 3600".to_owned(), String::new()));
    assert_snapshot!(busy, @"error: INSTANCE, table sys_properties: asked 1 time(s), and the instance wants to be left alone (429); try again in 3600 s");
    let elsewhere =
        said(|_| ("302 Found\r\nLocation: https://login.example.invalid/?ticket=1".to_owned(), String::new()));
    assert_snapshot!(elsewhere, @"error: INSTANCE, table sys_properties: expected an answer, but the instance points to login.example.invalid (302), which is not followed; give the address of the instance itself, and credentials that need no login page");
    let page = said(|_| ("200 OK\r\nContent-Type: text/html".to_owned(), "<html><form action=login.do>".to_owned()));
    assert_snapshot!(page, @"error: INSTANCE, table sys_properties: expected a JSON object with a list `result`, but got a login page; use credentials that need none, and the address of the instance itself");
    let broken = said(|_| ("500 Internal Server Error".to_owned(), "<html>\u{1b}[31m".to_owned()));
    assert_snapshot!(broken, @"error: INSTANCE, table sys_properties: the instance cannot answer now (500); try again later");
}

#[test]
fn a_plugin_that_may_not_be_read_is_a_note() {
    let server = Server::start(|table| match table {
        "sys_plugins" => ("403 Forbidden".to_owned(), String::new()),
        table => australia(table),
    });
    let folder = folder();
    let pairs = put(&folder, "pairs.csv", format!("source,target\n{},test\n", server.name()));
    let ran = run(&["preflight", &pairs, "--instance", &server.address(), "--format", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("whether com.glide.encryption.external_kms is active is not known"), "{}", ran.err);
}

#[test]
fn hostile_values_of_an_instance_do_not_act() {
    let server = Server::start(|_| {
        json_answer(&json!({ "result": [{ "name": "glide.buildname", "value": "=1\u{1b}[31m<script>\u{202e}" }] }))
    });
    let folder = folder();
    let pairs = put(&folder, "pairs.csv", format!("source,target\n{},test\n", server.name()));
    for format in FORMATS {
        let ran = run(&["preflight", &pairs, "--instance", &server.address(), "--format", format]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(!ran.out.chars().any(program::acts) && !ran.err.chars().any(program::acts), "{format}");
        assert!(format != "html" || !ran.out.contains("<script>"));
    }
}

#[test]
fn without_credentials_nobody_is_asked() {
    let server = Server::start(australia);
    let ran = end(command().args(["preflight", "--instance", &server.address(), "--all-pairs"]));
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("SERVICENOW_USERNAME"), "{}", ran.err);
    let ran = run(&["preflight", "--instance", &format!("http://reader:{PASSWORD}@{}", server.name()), "--all-pairs"]);
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.err, @"error: --instance: the address of the instance cannot be used: it holds a user name or a password, which belong into the environment; expected a name or a host, such as prod, prod.service-now.com or https://prod.service-now.com");
    let ran = run(&["preflight", "--instance", "http://instance.example.invalid", "--all-pairs"]);
    assert_snapshot!(ran.err, @"error: --instance: the address of the instance cannot be used: http would send the credentials in the clear; expected a name or a host, such as prod, prod.service-now.com or https://prod.service-now.com");
    assert!(server.asked().is_empty());
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let ran = run(&["preflight", "--instance", &format!("http://{}:{free}", Ipv4Addr::LOCALHOST), "--all-pairs"]);
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains(&format!("{}:{free}", Ipv4Addr::LOCALHOST)), "{}", ran.err);
}
