//! What every ticket must be, whatever stands in the plan: valid by the schema of its tracker, within its limits, complete,
//! and without markup from outside.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cmkdiag::plan::model::Plan;
use cmkdiag::ticket::payload::{Body, Payload, Tracker};
use jsonschema::Validator;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

/// The schema of a tracker's payload; messages and pages have none.
pub(crate) fn schema(tracker: Tracker) -> Option<Validator> {
    let text = match tracker {
        Tracker::Alibaba => include_str!("../schemas/alibaba.json"),
        Tracker::ServicenowChange => include_str!("../schemas/servicenow-change.json"),
        Tracker::ServicenowIncident => include_str!("../schemas/servicenow-incident.json"),
        Tracker::JiraCloud => include_str!("../schemas/jira-cloud.json"),
        Tracker::JiraDc => include_str!("../schemas/jira-dc.json"),
        Tracker::Zendesk => include_str!("../schemas/zendesk.json"),
        Tracker::Github => include_str!("../schemas/github.json"),
        Tracker::Gitlab => include_str!("../schemas/gitlab.json"),
        Tracker::Rt => include_str!("../schemas/rt.json"),
        Tracker::Roundup => include_str!("../schemas/roundup.json"),
        Tracker::Email | Tracker::Markdown => return None,
    };
    let schema = serde_json::from_str(text).unwrap();
    Some(jsonschema::draft202012::new(&schema).unwrap())
}

/// The body as JSON, if it is any.
pub(crate) fn json(payload: &Payload) -> Option<Value> {
    match &payload.body {
        Body::Json(value) => Some(value.clone()),
        Body::Form(form) => {
            Some(form.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect())
        }
        Body::Text(_) => None,
    }
}

/// What is wrong with a body by the schema of its tracker.
pub(crate) fn schema_errors(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// All texts of a body, by the path to each.
fn strings(value: &Value, path: &str, into: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => into.push((path.to_owned(), text.clone())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| strings(item, &format!("{path}/{at}"), into))
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| strings(value, &format!("{path}/{name}"), into))
        }
        _ => {}
    }
}

/// A message, taken apart.
pub(crate) struct Message {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Takes a message apart, and demands that its lines are such as mail servers take.
pub(crate) fn message(text: &str) -> Message {
    assert!(text.is_ascii() && !text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        assert!(line.len() <= 998 && !line.trim().is_empty(), "{line}");
        assert!(line.len() <= 78, "{line}");
        match line.strip_prefix(' ') {
            Some(more) => {
                let (_, value) = headers.last_mut().unwrap();
                let words = value.ends_with("?=") && more.starts_with("=?");
                value.push_str(if words { "" } else { " " });
                value.push_str(more);
            }
            None => {
                let (name, value) = line.split_once(": ").unwrap();
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    let count = headers.len();
    let headers: BTreeMap<_, _> = headers.into_iter().map(|(name, value)| (name, decoded(&value))).collect();
    assert_eq!(headers.len(), count, "a header stands there twice");
    assert!(body.split("\r\n").all(|line| line.len() <= 76));
    let body = BASE64_STANDARD.decode(body.replace("\r\n", "")).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(!body.replace("\r\n", "").contains(['\r', '\n']), "lines of text end with CRLF");
    Message { headers, body: body.replace("\r\n", "\n") }
}

/// Encoded words that stand alone.
fn decoded(value: &str) -> String {
    if !value.starts_with("=?UTF-8?B?") || !value.ends_with("?=") {
        return value.to_owned();
    }
    let words = value["=?UTF-8?B?".len()..value.len() - 2].split("?==?UTF-8?B?");
    let bytes: Vec<u8> = words.flat_map(|word| BASE64_STANDARD.decode(word).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

/// Everything that a ticket says, as its reader sees it.
pub(crate) fn said(payload: &Payload) -> String {
    match (&payload.body, json(payload)) {
        (Body::Text(text), _) if payload.tracker == Tracker::Email => message(text).body,
        (Body::Text(text), _) => text.clone(),
        (_, Some(value)) => {
            let mut all = Vec::new();
            strings(&value, "", &mut all);
            all.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// The lengths that trackers limit, counted by us once more: path, most, and whether bytes are counted.
const LIMITS: [(Tracker, &str, usize, bool); 20] = [
    (Tracker::Alibaba, "/Description", 4000, false),
    (Tracker::ServicenowChange, "/short_description", 160, false),
    (Tracker::ServicenowChange, "/correlation_id", 100, false),
    (Tracker::ServicenowChange, "/description", 4000, false),
    (Tracker::ServicenowChange, "/implementation_plan", 4000, false),
    (Tracker::ServicenowIncident, "/short_description", 160, false),
    (Tracker::ServicenowIncident, "/correlation_id", 100, false),
    (Tracker::ServicenowIncident, "/description", 4000, false),
    (Tracker::JiraCloud, "/fields/summary", 255, false),
    (Tracker::JiraDc, "/fields/summary", 255, false),
    (Tracker::JiraDc, "/fields/description", 32_767, false),
    (Tracker::Zendesk, "/ticket/subject", 255, false),
    (Tracker::Zendesk, "/ticket/comment/body", 65_000, true),
    (Tracker::Github, "/title", 256, false),
    (Tracker::Github, "/body", 65_536, false),
    (Tracker::Gitlab, "/title", 255, false),
    (Tracker::Gitlab, "/description", 1_048_576, true),
    (Tracker::Rt, "/Subject", 200, true),
    (Tracker::Roundup, "/issue/title", 255, false),
    (Tracker::Alibaba, "/Title", 255, false),
];

/// Demands that a ticket is valid, within the limits, marked, and acts on nobody.
pub(crate) fn demand_valid(payload: &Payload, validator: Option<&Validator>) {
    let name = &payload.name;
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')), "{name}");
    assert!(!name.starts_with(['.', '-']) && name.len() < 200, "{name}");
    let value = json(payload);
    if let (Some(value), Some(validator)) = (&value, validator) {
        assert_eq!(schema_errors(validator, value), [""; 0], "{value:#}");
        for (tracker, path, most, bytes) in LIMITS {
            if let (true, Some(Value::String(text))) = (tracker == payload.tracker, value.pointer(path)) {
                let length = if bytes { text.len() } else { text.encode_utf16().count() };
                assert!(length <= most, "{path} has {length}: {text}");
            }
        }
        if payload.tracker == Tracker::JiraCloud {
            let document = value["fields"]["description"].to_string();
            assert!(document.encode_utf16().count() <= 32_767, "{document}");
        }
    }
    let text = said(payload);
    assert!(text.contains(&payload.mark.line()), "no mark in {text}");
    assert!(!text.contains(super::super::program::acts), "{text:?}");
    match (payload.tracker, &payload.body, &value) {
        (Tracker::Email, Body::Text(text), _) => {
            assert_eq!(message(text).headers["Subject"], payload.title);
        }
        (Tracker::Markdown, Body::Text(text), _) => demand_no_markup(text),
        (Tracker::Github, _, Some(value)) => demand_no_markup(value["body"].as_str().unwrap()),
        (Tracker::Gitlab, _, Some(value)) => demand_no_markup(value["description"].as_str().unwrap()),
        (Tracker::Zendesk, _, _) => assert!(!text.contains("{{") && !text.contains("{%"), "{text}"),
        _ => {}
    }
}

/// Demands that Markdown has our headings, lists and code only, and outside of code nothing by which somebody is called
/// or something is referred to.
fn demand_no_markup(text: &str) {
    let (mut in_code, mut boxes) = (false, 0);
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => {
                let acting = text.contains(['@', '#', '<', '&', '`', '$', '~', '|', '\\', '[', '*', '_', '^', '%']);
                assert!(!acting && !text.contains("://"), "{text}");
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                assert!(html.starts_with("<!-- cmk-plan: sha256:"), "{html}")
            }
            Event::TaskListMarker(_) => boxes += 1,
            Event::Start(Tag::Heading { .. } | Tag::Paragraph | Tag::List(None) | Tag::Item | Tag::HtmlBlock)
            | Event::End(_)
            | Event::Text(_)
            | Event::Code(_)
            | Event::SoftBreak => {}
            other => panic!("{other:?} in {text}"),
        }
    }
    assert!(!in_code && boxes < 10_000);
}

/// Demands that the tickets of a batch name each of its keys once, and that each has window, destination and ids.
pub(crate) fn demand_complete(plan: &Plan, at: usize, parts: &[&Payload]) {
    let batch = &plan.batches[at];
    let (window, destination) = (batch.window.as_ref().unwrap(), batch.destination.as_deref().unwrap());
    let texts: Vec<String> = parts.iter().map(|payload| said(payload)).collect();
    for text in &texts {
        for needed in [window.start.as_str(), &window.end, destination, &batch.region, &plan.digest] {
            assert!(text.contains(needed), "no {needed} in {text}");
        }
        let has_key = batch.keys.iter().any(|key| lines_of(text).any(|line| line == key.key_id));
        assert!(has_key, "no id on a line of its own in {text}");
    }
    for key in &batch.keys {
        let times: usize = texts.iter().map(|text| text.matches(key.key_id.as_str()).count()).sum();
        assert_eq!(times, 1, "{} stands there {times} times", key.key_id);
    }
    for (payload, part) in parts.iter().zip(1..) {
        let mark = &payload.mark;
        assert_eq!((mark.part, mark.parts as usize, &mark.digest), (part, parts.len(), &batch.digest));
    }
}

fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim)
}
