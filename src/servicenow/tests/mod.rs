//! The room against an instance that answers by a script: every trap of the interface once.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use super::*;
use crate::http::server::{Answer, Server};

const PASSWORD: &str = "0pen-sesame";

/// `Aladdin:0pen-sesame`.
const BOTH: &str = "QWxhZGRpbjowcGVuLXNlc2FtZQ==";

fn patience() -> Patience {
    Patience { pause: Duration::from_secs(1), ..Patience::default() }
}

fn credentials(instance: &Instance) -> Credentials {
    let lookup = |name: &str| match name {
        "SERVICENOW_USERNAME" => Some("Aladdin".to_owned()),
        "SERVICENOW_PASSWORD" => Some(PASSWORD.to_owned()),
        _ => None,
    };
    Credentials::from_environment(&lookup, instance).unwrap()
}

/// What is read from an instance with a script, and what it was asked. Nothing else than GET is sent, and no secret
/// comes back.
fn reading(script: Vec<Answer>, patience: Patience) -> (Result<Reading, LiveError>, Vec<String>) {
    let server = Server::start(script);
    let instance = Instance::parse(&server.base()).unwrap();
    let result = read_with(&instance, &credentials(&instance), patience);
    let shown = match &result {
        Ok(reading) => format!("{reading:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!shown.contains(PASSWORD) && !shown.contains(BOTH), "{shown}");
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.starts_with("GET ")), "{requests:?}");
    (result, requests)
}

fn ok(properties: &str, plugins: &str) -> Reading {
    let answers = [properties, plugins].map(|rows| Answer::new(200, format!(r#"{{"result":[{rows}]}}"#)));
    reading(answers.to_vec(), patience()).0.unwrap()
}

/// The error for a first answer, without the address of the instance.
fn error(answer: Answer) -> String {
    let (result, requests) = reading(vec![answer], patience());
    assert_eq!(requests.len(), 1);
    let error = result.unwrap_err().to_string();
    assert!(error.contains(", table sys_properties: "), "{error}");
    error
}

fn row(name: &str, value: &str) -> String {
    format!(r#"{{"name":"{name}","value":"{value}","sys_updated_on":"2026-11-21 09:15:00"}}"#)
}

/// A row for everything that is asked for.
fn all_rows() -> String {
    asked().iter().map(|name| row(name, &format!("v-{name}"))).collect::<Vec<_>>().join(",")
}

fn plugin_row(active: &str) -> String {
    format!(r#"{{"source":"{PLUGIN}","name":"External Key Management","active":"{active}"}}"#)
}

#[test]
fn everything_that_is_visible_is_read() {
    let reading = ok(&all_rows(), &plugin_row("active"));
    assert_eq!(reading.release.as_deref(), Some("v-glide.buildname"));
    assert_eq!(reading.war.as_deref(), Some("v-glide.war"));
    assert_eq!(reading.plugin, Plugin::Active);
    assert_eq!(reading.properties.iter().map(|property| property.name).collect::<Vec<_>>(), PROPERTIES);
    let expected = Property {
        name: PROPERTIES[0],
        value: format!("v-{}", PROPERTIES[0]),
        updated_on: Some("2026-11-21 09:15:00".to_owned()),
    };
    assert_eq!(reading.properties[0], expected);
    assert_eq!(reading.notes, [""; 0]);
}

#[test]
fn both_questions_carry_what_the_interface_wants() {
    let empty = Answer::new(200, r#"{"result":[]}"#);
    let (_, requests) = reading(vec![empty.clone(), empty], patience());
    assert_eq!(requests.len(), 2);
    let first =
        "GET /api/now/v2/table/sys_properties?sysparm_query=name%3Dglide.buildname%5EORname%3Dglide.war%5EORname";
    assert!(requests[0].starts_with(first), "{}", requests[0]);
    assert!(requests[0].contains("&sysparm_fields=name%2Cvalue%2Csys_updated_on&sysparm_limit=20&"), "{}", requests[0]);
    let second = "GET /api/now/v2/table/sys_plugins?sysparm_query=source%3Dcom.glide.encryption.external_kms&";
    assert!(requests[1].starts_with(second), "{}", requests[1]);
    for request in requests {
        assert!(request.contains("\r\naccept: application/json\r\n"), "{request}");
        assert!(request.contains(&format!("\r\nauthorization: Basic {BOTH}\r\n")), "{request}");
        assert!(request.contains("\r\nuser-agent: cmkdiag/"), "{request}");
        assert!(!request.contains("cookie"), "{request}");
    }
}

#[test]
fn a_query_that_was_not_understood_gives_nothing_away() {
    let strangers = [row("glide.ui.theme", "true"), row("glide.war.old", "x"), r#"{"value":"true"}"#.to_owned()];
    let reading = ok(&[strangers.join(","), row(PROPERTIES[1], "false")].join(","), r#"{"active":"active"}"#);
    assert_eq!(reading.properties.len(), 1);
    assert_eq!(reading.properties[0].value, "false");
    assert_eq!((reading.release, reading.war, reading.plugin), (None, None, Plugin::NotSeen));
    assert!(reading.notes[0].starts_with("sys_properties: 3 row(s) that were not asked for"), "{:?}", reading.notes);
    assert!(reading.notes.iter().any(|note| note.starts_with("sys_plugins: 1 row(s)")), "{:?}", reading.notes);
}

#[test]
fn what_is_hidden_stays_unknown() {
    let reading = ok("", "");
    assert_eq!((reading.release, reading.properties, reading.plugin), (None, Vec::new(), Plugin::NotSeen));
    assert_eq!(reading.notes.len(), asked().len() + 1);
    assert!(reading.notes.iter().all(|note| note.ends_with("is not visible: absent, or hidden by an ACL")));

    let without_value = format!(r#"{{"name":"{BUILD_NAME}"}},{{"name":"{}","value":{{}}}}"#, PROPERTIES[2]);
    let reading = ok(&without_value, &format!(r#"{{"source":"{PLUGIN}"}}"#));
    assert_eq!((reading.release, reading.properties, reading.plugin), (None, Vec::new(), Plugin::NotSeen));
    assert!(reading.notes[0].starts_with("sys_properties: the value of glide.buildname is not visible"));
    assert!(reading.notes.iter().any(|note| note.starts_with("sys_plugins: whether")), "{:?}", reading.notes);
}

#[test]
fn what_comes_twice_is_not_known() {
    let twice = [row(PROPERTIES[2], "true"), row(PROPERTIES[2], "false")].join(",");
    let reading = ok(&twice, &[plugin_row("active"), plugin_row("inactive")].join(","));
    assert_eq!((reading.properties, reading.plugin), (Vec::new(), Plugin::NotSeen));
    assert_eq!(reading.notes.iter().filter(|note| note.contains("came more than once")).count(), 2);
}

#[test]
fn values_are_kept_as_they_are() {
    let rows = format!(r#"{{"name":"{}","value":true,"sys_updated_on":""}},{}"#, PROPERTIES[0], row(PROPERTIES[1], ""));
    let reading = ok(&[rows, row(BUILD_NAME, " ")].join(","), &plugin_row("FALSE"));
    let values: Vec<_> = reading.properties.iter().map(|property| property.value.as_str()).collect();
    assert_eq!(values, ["true", ""]);
    assert_eq!(reading.properties[0].updated_on, None);
    assert_eq!((reading.release, reading.plugin), (None, Plugin::Inactive));
}

#[test]
fn a_plugin_table_that_may_not_be_read_is_a_note() {
    for status in [403, 404] {
        let properties = Answer::new(200, format!(r#"{{"result":[{}]}}"#, all_rows()));
        let refused = Answer::new(status, r#"{"error":{"message":"no","detail":"ACL"},"status":"failure"}"#);
        let (result, _) = reading(vec![properties, refused], patience());
        let reading = result.unwrap();
        assert_eq!((reading.plugin, reading.properties.len()), (Plugin::NotSeen, 3));
        assert_eq!(reading.notes.len(), 1);
        assert!(reading.notes[0].contains(&status.to_string()) && reading.notes[0].contains("no: ACL"));
    }
    let properties = Answer::new(200, r#"{"result":[]}"#);
    let (result, _) = reading(vec![properties, Answer::new(503, "")], patience());
    assert!(matches!(result, Err(LiveError::Unavailable { status: 503, .. })));
}

#[test]
fn a_refusal_says_what_to_do() {
    let refused = |status| Answer::new(status, r#"{"error":{"message":"User Not Authenticated","detail":"Required"}}"#);
    let text = error(refused(401));
    assert!(text.contains("does not accept SERVICENOW_USERNAME and SERVICENOW_PASSWORD (401)"), "{text}");
    assert!(text.contains("saying \"User Not Authenticated: Required\"") && !text.contains("MFA"), "{text}");
    let text = error(refused(401).header("X-MFA_TOKEN", "invalid"));
    assert!(text.contains("second factor (MFA)"), "{text}");
    assert!(error(refused(403)).contains("may not read it (403)"));
    assert!(error(refused(404)).contains("not there, or hidden"));
    assert!(error(refused(500)).contains("cannot answer now (500), saying"));
    assert!(error(Answer::new(503, "<html>")).ends_with("cannot answer now (503); try again later"));
    assert!(error(Answer::new(400, "")).contains("expected 200, but the instance answered 400"));
    assert!(error(Answer::new(201, r#"{"result":[]}"#)).contains("answered 201"));
}

#[test]
fn an_error_under_200_is_an_error() {
    let cancelled = "Transaction cancelled: maximum execution time exceeded";
    let text = error(Answer::new(200, format!(r#"{{"result":[],"error":{{"message":"{cancelled}"}}}}"#)));
    assert!(text.contains(cancelled) && text.contains("60 s"), "{text}");
}

#[test]
fn a_page_is_no_answer() {
    let page = Answer::new(200, "<html><title>Instance Hibernating</title>").header("Content-Type", "text/html");
    assert!(error(page).contains("wake it"));
    assert!(error(Answer::new(200, "<!DOCTYPE html><a href=/login.do>")).contains("a login page"));
    assert!(error(Answer::new(200, "")).contains("nothing at all"));
}

#[test]
fn a_redirect_is_not_followed() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    other.set_nonblocking(true).unwrap();
    let target = format!("http://{}/login?ticket=t1cket", other.local_addr().unwrap());
    for status in [301, 302, 303, 307, 308] {
        let text = error(Answer::new(status, "").header("Location", &target));
        let expected = format!("points to {} ({status})", Ipv4Addr::LOCALHOST);
        assert!(text.contains(&expected) && !text.contains("t1cket"), "{text}");
    }
    assert!(other.accept().is_err(), "the redirect was followed");
    assert!(error(Answer::new(302, "").header("Location", "https://sso.example.com/x")).contains("sso.example.com"));
    assert!(error(Answer::new(302, "")).contains("an address that cannot be read"));
}

#[test]
fn a_limit_is_waited_for_but_not_for_ever() {
    let wait = |seconds: &str| Answer::new(429, "").header("Retry-After", seconds);
    let empty = Answer::new(200, r#"{"result":[]}"#);

    let begin = Instant::now();
    let (result, requests) = reading(vec![wait("1"), wait("0"), empty.clone(), empty.clone()], patience());
    assert!(result.is_ok() && begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(requests.len(), 4);

    let (result, requests) = reading(vec![wait("0"), wait("0"), wait("0"), empty.clone()], patience());
    let text = result.unwrap_err().to_string();
    assert!(text.contains("asked 3 time(s)") && text.ends_with("try again in 0 s"), "{text}");
    assert_eq!(requests.len(), 3);

    assert!(
        error(wait("3600"))
            .ends_with("asked 1 time(s), and the instance wants to be left alone (429); try again in 3600 s")
    );
    assert!(error(Answer::new(429, "")).contains("did not say when"));
}

#[test]
fn an_answer_may_not_be_endless() {
    let small = Patience { bytes: 1000, ..patience() };
    let (result, _) = reading(vec![Answer::new(200, vec![b' '; 1001])], small);
    assert!(matches!(result, Err(LiveError::TooLong { most: 1000, .. })), "{result:?}");
    let (result, _) = reading(vec![Answer::new(403, vec![b' '; 1001])], small);
    assert!(matches!(result, Err(LiveError::Forbidden { .. })), "{result:?}");
    assert_eq!(Patience::default().bytes, 4 * 1024 * 1024);
}

#[test]
fn a_slow_answer_is_given_up() {
    let short = Patience { answer: Duration::from_millis(100), ..patience() };
    let slow = Answer::new(200, "").after(Duration::from_millis(400));
    let text = reading(vec![slow], short).0.unwrap_err().to_string();
    assert!(text.contains("no whole answer within 0.1 s"), "{text}");
}

#[test]
fn an_instance_that_is_not_there_is_named() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let instance = Instance::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let text = read(&instance, &credentials(&instance)).unwrap_err().to_string();
    assert!(text.starts_with(instance.name()) && text.contains("refused") && text.contains("HTTPS_PROXY"), "{text}");
}

#[test]
fn nothing_is_sent_in_the_clear_where_encryption_is_wanted() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let instance = Instance::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    let overheard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = vec![0; 1 << 14];
        let count = stream.read(&mut bytes).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"result\":[]}").unwrap();
        bytes.truncate(count);
        bytes
    });
    let error = read(&instance, &credentials(&instance)).unwrap_err();
    assert!(matches!(error, LiveError::Unreachable { .. }), "{error}");
    let overheard = overheard.join().unwrap();
    // A record of a handshake, as TLS begins.
    assert_eq!(overheard[0], 0x16);
    assert!(!String::from_utf8_lossy(&overheard).contains(BOTH));
}

#[test]
fn a_secret_that_comes_back_is_withheld() {
    for echo in [PASSWORD.to_owned(), format!("Basic {BOTH}")] {
        for status in [200, 401, 403, 500, 418] {
            let body = format!(r#"{{"error":{{"message":"bad header","detail":"{echo}"}}}}"#);
            assert!(error(Answer::new(status, body)).contains("(withheld"), "{status}");
        }
    }
    let target = format!("https://{PASSWORD}.example.com/");
    assert!(error(Answer::new(302, "").header("Location", &target)).contains("(withheld"));
}
