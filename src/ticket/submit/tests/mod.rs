//! Sending against trackers on this machine that fail in every way that trackers do.

mod again;
mod faults;
mod trackers;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::rest::Patience;
use super::*;
use crate::http::server::{Answer, Seen};
use crate::ticket::payload::{Body, MIGRATION, Mark, Matter, Tracker};

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

/// The account to which all keys belong, and whose the credentials are.
const ACCOUNT: &str = "1540355698841234";

fn matter(keys: &[&str]) -> Matter {
    Matter {
        about: MIGRATION.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        account: Some(ACCOUNT.to_owned()),
        begins: Some("2099-12-05T18:00:00Z".parse().unwrap()),
    }
}

/// What Alibaba Cloud says to whoever asks who asks.
fn caller(account: &str) -> Answer {
    Answer::new(200, json!({"AccountId": account, "IdentityType": "RAMUser", "RequestId": "3C87"}).to_string())
}

fn asks_for_caller(seen: &Seen) -> bool {
    seen.head.contains("x-acs-action: GetCallerIdentity\r\n")
}

fn payload(tracker: Tracker, number: u32) -> Payload {
    let mark = mark(number);
    payload_of(tracker, number, &mark)
}

/// The ticket with a mark.
fn payload_of(tracker: Tracker, number: u32, mark: &Mark) -> Payload {
    let (mark, title) = (mark.clone(), format!("KMS CMK migration {number}"));
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
    Payload { tracker, name: format!("batch-{number}"), mark, title, body, matter: matter(&[&format!("key-{number}")]) }
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
        self.run_as(payloads, base, Intent { yes, supersede: false })
    }

    fn run_as(&self, payloads: &[Payload], base: &str, intent: Intent) -> Ran {
        let target = target(payloads[0].tracker, base);
        let mut said = String::new();
        let result = super::run(payloads, &target, &self.path(), intent, &mut |line| said += &format!("{line}\n"));
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
