//! The API for tickets against a server on this machine.

use std::time::Duration;

use super::call::Cause;
use super::workorder::{Named, Workorder, host};
use super::*;
use crate::http::server::{Answer, Server};
use crate::http::{Limits, Secret};

const SECRET: &str = "ExampleSecretExampleSecret0001";

const TOKEN: &str = "CAISexampletoken==";

fn credentials() -> Credentials {
    Credentials {
        key_id: "STS.NExample".to_owned(),
        secret: Secret::new(SECRET),
        token: Some(Secret::new(TOKEN)),
        origin: "the test".to_owned(),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn api(server: &Server) -> Workorder {
    let limits = Limits { answer: Duration::from_secs(5), ..Limits::default() };
    Workorder::new(Endpoint::parse(&server.base()).unwrap(), credentials(), limits).unwrap()
}

fn ticket() -> Vec<(String, String)> {
    [("CategoryId", "53812"), ("Description", "CMK 迁移"), ("Severity", "1")]
        .map(|(a, b)| (a.into(), b.into()))
        .to_vec()
}

fn refused(answer: Answer) -> CallError {
    let server = Server::start(vec![answer]);
    let error = run(api(&server).create_ticket(&ticket())).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
    error
}

#[test]
fn a_ticket_is_created_with_one_signed_call() {
    let answer = r#"{"Code":200,"Message":"","Data":"0005PYGCW","RequestId":"6CCE","Success":true}"#;
    let server = Server::start(vec![Answer::new(200, answer)]);
    assert_eq!(run(api(&server).create_ticket(&ticket())).unwrap().as_deref(), Some("0005PYGCW"));
    let seen = &server.seen()[0];
    assert_eq!(seen.body, "CategoryId=53812&Description=CMK+%E8%BF%81%E7%A7%BB&Severity=1");
    assert!(seen.is("POST / HTTP/1.1\r\n"), "{}", seen.head);
    for part in [
        "x-acs-action: CreateTicket\r\n",
        "x-acs-version: 2021-06-10\r\n",
        "x-acs-accesskey-id: STS.NExample\r\n",
        "x-acs-security-token: CAISexampletoken==\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "authorization: ACS3-HMAC-SHA256 Credential=STS.NExample,SignedHeaders=content-type;host;x-acs-accesskey-id;",
    ] {
        assert!(seen.head.contains(part), "{part} is not in {}", seen.head);
    }
    assert!(!seen.head.contains(SECRET));
}

/// What was received is signed again with what the server knows, as the service does.
#[test]
fn the_signature_is_that_of_what_is_sent() {
    let server = Server::start(vec![Answer::new(200, r#"{"Success":true,"Data":[]}"#)]);
    run(api(&server).products("Key Management & more", "en")).unwrap();
    let head = server.seen()[0].head.clone();
    assert!(head.starts_with("POST /?Language=en&Name=Key%20Management%20%26%20more HTTP/1.1\r\n"), "{head}");
    let all: Vec<(String, String)> =
        head.lines().filter_map(|line| line.split_once(": ")).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    let sent = all.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
    let signed = sent.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let headers: Vec<_> = all.into_iter().filter(|(name, _)| signed.split(';').any(|known| known == name)).collect();
    assert_eq!(headers.len(), signed.split(';').count());
    let query = [("Name", "Key Management & more"), ("Language", "en")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    let again = sign::Unsigned { query: &query, headers: &headers, body: b"" };
    assert_eq!(again.authorization("STS.NExample", &Secret::new(SECRET)), sent);
}

#[test]
fn no_nonce_comes_twice() {
    let server = Server::with(|_| Answer::new(200, r#"{"Success":true}"#));
    let api = api(&server);
    for _ in 0..20 {
        run(api.tickets("x", 1)).unwrap();
    }
    let nonce =
        |head: &str| head.lines().find_map(|line| line.strip_prefix("x-acs-signature-nonce: ")).unwrap().to_owned();
    let mut nonces: Vec<String> = server.requests().iter().map(|head| nonce(head)).collect();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 20);
    assert!(nonces.iter().all(|nonce| nonce.len() == 32));
}

#[test]
fn products_categories_and_tickets_are_listed() {
    let products = r#"{"Success":true,"Data":[{"DirectoryId":1,"DirectoryName":"Security","ProductList":[
        {"ProductId":18422,"ProductName":"Key Management Service"},{"ProductId":"7","ProductName":"Other"}]},
        {"DirectoryName":"empty"}]}"#;
    let categories =
        r#"{"Success":true,"Data":[{"CategoryId":53812,"CategoryName":"Migration"},{"CategoryName":"no id"}]}"#;
    let tickets = r#"{"Success":true,"Data":[{"TicketId":"0005","Title":"KMS","Status":{"Value":"1","Label":"x"}}],"TotalCount":1}"#;
    let server = Server::start([products, categories, tickets].map(|body| Answer::new(200, body)).to_vec());
    let (api, one) = (api(&server), |id: &str, name: &str| Named { id: id.to_owned(), name: name.to_owned() });
    let found = run(api.products("Key", "en")).unwrap();
    assert_eq!(found, [one("18422", "Key Management Service"), one("7", "Other")]);
    assert_eq!(run(api.categories("18422", "zh")).unwrap(), [one("53812", "Migration")]);
    assert_eq!(run(api.tickets("sha256:ab", 1)).unwrap(), Some(vec![one("0005", "KMS")]));
    let seen = server.seen();
    assert!(seen[1].is("POST /?Language=zh HTTP") && seen[1].body == "ProductId=18422", "{:?}", seen[1]);
    assert!(
        seen[2].is("POST /?PageNumber=1&PageSize=50 HTTP") && seen[2].body == "Keyword=sha256%3Aab",
        "{:?}",
        seen[2]
    );
}

#[test]
fn an_error_under_200_is_an_error() {
    let error =
        refused(Answer::new(200, r#"{"Code":400,"Message":"param.illegal","RequestId":"6CCE2F3C","Success":false}"#));
    let text = error.to_string();
    assert!(text.contains("400: param.illegal (200, request 6CCE2F3C)"), "{text}");
    assert!(!error.may_have_happened() && !error.concerns_all());
    for (code, is_open) in [
        ("500", true),
        ("InternalError", true),
        ("ServiceUnavailable", true),
        ("UnknownError", true),
        ("WORK_ORDER", true),
        ("InvalidParameter", false),
        ("Category.NotExist", false),
    ] {
        let failed = refused(Answer::new(200, format!(r#"{{"Code":"{code}","Message":"no","Success":false}}"#)));
        assert_eq!(failed.may_have_happened(), is_open, "{code}");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let error = |status, code: &str| {
        let body = format!(r#"{{"HttpStatus":{status},"Code":"{code}","Message":"no","RequestId":"R"}}"#);
        refused(Answer::new(status, body))
    };
    for (status, code, word) in [
        (404, "InvalidAccessKeyId.NotFound", "enabled"),
        (400, "InvalidSecurityToken.Expired", "expired"),
        (400, "SignatureDoesNotMatch", "secret of the access key"),
        (400, "IllegalTimestamp", "clock"),
        (403, "Forbidden.NoPermission", "AliyunSupportFullAccess"),
        (400, "MissingParameter", "parameters"),
        (503, "ServiceUnavailable", "try again later"),
    ] {
        let text = error(status, code).to_string();
        assert!(text.contains(code) && text.contains(word) && text.contains("request R"), "{text}");
    }
    assert!(error(403, "Forbidden.NoPermission").concerns_all() && !error(400, "MissingParameter").concerns_all());
    let page = refused(Answer::new(200, "<html>"));
    assert!(page.to_string().contains("a web page came") && page.may_have_happened());
    let moved = refused(Answer::new(302, "").header("Location", "https://elsewhere.example.com/"));
    assert!(moved.may_have_happened(), "{moved}");
    let echo = refused(Answer::new(403, format!(r#"{{"Code":"X","Message":"bad {SECRET}"}}"#)));
    assert!(echo.to_string().contains("(withheld"), "{echo}");
}

#[test]
fn whether_a_call_may_have_happened_is_told() {
    assert!(refused(Answer::hang_up()).may_have_happened());
    assert!(refused(Answer::new(500, "")).may_have_happened());
    let later = refused(Answer::new(429, r#"{"Code":"Throttling.User"}"#).header("x-acs-retry-after", "7"));
    assert!(!later.may_have_happened());
    assert!(matches!(later, CallError::Refused { cause: Cause::Rate, retry_after: Some(7), .. }), "{later:?}");
    let later = refused(Answer::new(400, r#"{"Code":"Throttling"}"#));
    assert!(matches!(later, CallError::Refused { cause: Cause::Rate, retry_after: None, .. }), "{later:?}");
    let server = Server::start(Vec::new());
    let api = api(&server);
    drop(server);
    let error = run(api.create_ticket(&ticket())).unwrap_err();
    assert!(matches!(&error, CallError::NotSent { .. }) && !error.may_have_happened(), "{error}");
}

#[test]
fn endpoints_are_encrypted_and_follow_the_region() {
    assert_eq!(host("cn-hangzhou"), "workorder.aliyuncs.com");
    assert_eq!(host("ap-southeast-1"), "workorder.ap-southeast-1.aliyuncs.com");
    assert_eq!(host("ap-northeast-1"), "workorder.ap-northeast-1.aliyuncs.com");
    assert_eq!(Endpoint::parse(host("")).unwrap().name(), "https://workorder.aliyuncs.com");
    assert!(Endpoint::parse("http://workorder.aliyuncs.com").is_err());
    assert!(Endpoint::parse("https://workorder.aliyuncs.com/x").is_err());
}
