//! The mark in a ticket by which it is found again: put where its tracker can be asked for it, and recognised there.

use serde_json::{Map, Value};

use crate::ticket::payload::{Body, Mark, Payload, Tracker};
use crate::ticket::zendesk::tag;

/// The parameters of a request as they are sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ready {
    /// A JSON object.
    Json(Map<String, Value>),
    /// A form.
    Form(Vec<(String, String)>),
}

/// The body of a ticket with its mark where its tracker is asked for it; most have it there already.
///
/// # Errors
/// What is wrong with the body.
pub(super) fn marked(payload: &Payload) -> Result<Ready, String> {
    let (label, line) = (payload.mark.label(), payload.mark.line());
    let mut body = match &payload.body {
        Body::Form(form) if payload.tracker == Tracker::Alibaba => {
            let mut form = form.clone();
            let at = form.iter().position(|(name, _)| name == "Description").ok_or("it has no Description")?;
            if !carries(&form[at].1, &payload.mark) {
                form[at].1 += &format!("\n{line}");
            }
            // The search shows titles only.
            if let Some((_, title)) = form.iter_mut().find(|(name, title)| name == "Title" && !title.contains(&label)) {
                *title += &format!(" [{label}]");
            }
            return Ok(Ready::Form(form));
        }
        Body::Json(Value::Object(body)) if payload.tracker != Tracker::Alibaba => body.clone(),
        _ => return Err(format!("its body has not the form that {} takes", payload.tracker.name())),
    };
    match payload.tracker {
        Tracker::ServicenowChange | Tracker::ServicenowIncident => {
            body.insert("correlation_id".to_owned(), label.into());
        }
        Tracker::JiraCloud | Tracker::JiraDc => {
            let fields = body.get_mut("fields").and_then(Value::as_object_mut).ok_or("it has no fields")?;
            add_labels(fields, payload.mark.labels());
        }
        Tracker::Github => {
            add_labels(&mut body, payload.mark.labels());
            add_text(&mut body, "body", |text| carries(text, &payload.mark), &format!("\n\n<!-- {line} -->"));
        }
        Tracker::Gitlab => match body.get("labels").and_then(Value::as_str) {
            Some(known) => {
                let mut labels: Vec<String> = known.split(',').map(|label| label.trim().to_owned()).collect();
                labels.retain(|label| !label.is_empty());
                labels.extend(
                    payload.mark.labels().into_iter().filter(|own| !known.split(',').any(|label| label.trim() == own)),
                );
                body.insert("labels".to_owned(), labels.join(",").into());
            }
            None => add_labels(&mut body, payload.mark.labels()),
        },
        Tracker::Zendesk => {
            let ticket = body.get_mut("ticket").and_then(Value::as_object_mut).ok_or("it has no ticket")?;
            ticket.insert("external_id".to_owned(), label.into());
            let (mut tags, own) = (
                ticket.get("tags").and_then(Value::as_array).cloned().unwrap_or_default(),
                Value::from(tag(&payload.mark)),
            );
            if !tags.contains(&own) {
                tags.push(own);
            }
            ticket.insert("tags".to_owned(), tags.into());
        }
        Tracker::Rt => add_text(&mut body, "Subject", |text| text.contains(&label), &format!(" [{label}]")),
        Tracker::Roundup => {
            let issue = body.get_mut("issue").and_then(Value::as_object_mut).ok_or("it has no issue")?;
            add_text(issue, "title", |text| text.contains(&label), &format!(" [{label}]"));
        }
        Tracker::Alibaba | Tracker::Email | Tracker::Markdown => return Err("it is no JSON".to_owned()),
    }
    Ok(Ready::Json(body))
}

fn add_labels(body: &mut Map<String, Value>, own: Vec<String>) {
    let mut labels = match body.get("labels") {
        Some(Value::Array(labels)) => labels.clone(),
        _ => Vec::new(),
    };
    for label in own.into_iter().map(Value::from) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    body.insert("labels".to_owned(), labels.into());
}

fn add_text(body: &mut Map<String, Value>, member: &str, has: impl Fn(&str) -> bool, more: &str) {
    let text = body.get(member).and_then(Value::as_str).unwrap_or_default();
    if !has(text) {
        let text = format!("{text}{more}");
        body.insert(member.to_owned(), text.trim_start().into());
    }
}

/// What a ticket is to the one that is looked for, of the same batch or consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// It is the one.
    Own,
    /// Another of as many parts.
    Part,
    /// One of another number of parts, which names some of the same keys.
    Otherwise,
}

/// A part, and how many there are.
type Division = (u32, u32);

/// What a ticket is whose labels, or whose title, are these; nothing if they are of another batch or consultation.
pub(super) fn kin(labels: &str, mark: &Mark) -> Option<Kin> {
    let whole = mark.whole().label();
    let behind = labels.match_indices(&whole).map(|(at, _)| &labels[at + whole.len()..]);
    kin_of(behind.filter_map(|behind| division(behind, "-", "-of-")), mark)
}

/// The same by the lines of a text.
pub(super) fn kin_by_line(text: &str, mark: &Mark) -> Option<Kin> {
    let whole = mark.whole().line();
    let bare = |line: &'_ str| line.trim().trim_start_matches("<!--").trim_end_matches("-->").trim().to_owned();
    let behind = text.lines().map(bare).filter_map(|line| line.strip_prefix(&whole).map(str::to_owned));
    kin_of(behind.filter_map(|behind| division(&behind, " part ", " of ")), mark)
}

/// A part has the label of the whole, too, so that the most parts count.
fn kin_of(divisions: impl Iterator<Item = Division>, mark: &Mark) -> Option<Kin> {
    let (part, parts) = divisions.max_by_key(|(_, parts)| *parts)?;
    Some(match parts == mark.parts.max(1) {
        true if part == mark.part.max(1) => Kin::Own,
        true => Kin::Part,
        false => Kin::Otherwise,
    })
}

/// Which part is named at the begin of a text, such as `-2-of-3`; the whole if none is. Nothing if the digits of another
/// label go on.
fn division(text: &str, before: &str, between: &str) -> Option<Division> {
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    let parted = text.strip_prefix(before).and_then(|text| {
        let (part, parts) = text.split_once(between)?;
        Some((part.parse().ok()?, number(parts)?))
    });
    Some(parted.unwrap_or((1, 1)))
}

/// The label of the whole to which a label belongs.
pub(super) fn whole_of(label: &str) -> &str {
    label.match_indices('-').nth(1).map_or(label, |(at, _)| &label[..at])
}

/// Whether a text has the line of a mark; that of another part does not count.
pub(super) fn carries(text: &str, mark: &Mark) -> bool {
    kin_by_line(text, mark) == Some(Kin::Own)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ticket::payload::{MIGRATION, Matter};

    fn payload(tracker: Tracker, body: Body) -> Payload {
        let mark = Mark { digest: "sha256:ab".to_owned(), part: 1, parts: 2 };
        let matter = Matter { about: MIGRATION.to_owned(), keys: Vec::new(), account: None, begins: None };
        Payload { tracker, name: "n".to_owned(), mark, title: "t".to_owned(), body, matter }
    }

    fn json_of(tracker: Tracker, body: Value) -> Value {
        let first = payload(tracker, Body::Json(body));
        let Ok(Ready::Json(body)) = marked(&first) else { panic!("{:?}", marked(&first)) };
        let again = payload(tracker, Body::Json(Value::Object(body.clone())));
        assert_eq!(marked(&again), Ok(Ready::Json(body.clone())), "marking twice changes nothing");
        Value::Object(body)
    }

    #[test]
    fn a_mark_stands_where_its_tracker_is_asked_for_it() {
        let mark = Mark { digest: "sha256:ab".to_owned(), part: 1, parts: 2 };
        let (label, line, whole) = (mark.label(), mark.line(), mark.whole().label());
        assert_eq!(label, format!("{whole}-1-of-2"));
        let change = json_of(Tracker::ServicenowChange, json!({"short_description": "x"}));
        assert_eq!(change["correlation_id"], label.as_str());
        let jira = json_of(Tracker::JiraCloud, json!({"fields": {"labels": ["cmk-migration"]}}));
        assert_eq!(jira["fields"]["labels"], json!(["cmk-migration", whole, label]));
        let github = json_of(Tracker::Github, json!({"title": "x", "body": "y"}));
        assert_eq!(github["body"], format!("y\n\n<!-- {line} -->"));
        assert_eq!(github["labels"], json!([whole, label]));
        let gitlab = json_of(Tracker::Gitlab, json!({"labels": "a,b"}));
        assert_eq!(gitlab["labels"], format!("a,b,{whole},{label}"));
        assert_eq!(json_of(Tracker::Gitlab, json!({}))["labels"], json!([whole, label]));
        let zendesk = json_of(Tracker::Zendesk, json!({"ticket": {"tags": ["a"]}}));
        assert_eq!(zendesk["ticket"]["external_id"], label.as_str());
        assert_eq!(zendesk["ticket"]["tags"], json!(["a", whole.replace('-', "_")]));
        assert_eq!(json_of(Tracker::Rt, json!({"Subject": "x"}))["Subject"], format!("x [{label}]"));
        assert_eq!(
            json_of(Tracker::Roundup, json!({"issue": {"title": "x"}}))["issue"]["title"],
            format!("x [{label}]")
        );
        let form = vec![("Description".to_owned(), "x".to_owned())];
        let Ok(Ready::Form(form)) = marked(&payload(Tracker::Alibaba, Body::Form(form))) else { panic!("no form") };
        assert_eq!(form[0].1, format!("x\n{line}"));
    }

    #[test]
    fn a_body_of_another_form_is_refused() {
        for (tracker, body) in [
            (Tracker::Alibaba, Body::Json(json!({}))),
            (Tracker::Alibaba, Body::Form(Vec::new())),
            (Tracker::Rt, Body::Form(Vec::new())),
            (Tracker::Rt, Body::Json(json!([]))),
            (Tracker::JiraDc, Body::Json(json!({}))),
            (Tracker::Zendesk, Body::Text(String::new())),
        ] {
            assert!(marked(&payload(tracker, body)).is_err());
        }
    }

    #[test]
    fn the_mark_of_another_part_is_another() {
        let mark = |part, parts| Mark { digest: "sha256:ab".to_owned(), part, parts };
        let text = "a\n<!-- cmk-plan: sha256:ab part 1 of 2 -->\n";
        assert!(carries(text, &mark(1, 2)));
        assert!(!carries(text, &mark(1, 1)) && !carries(text, &mark(2, 2)) && !carries(text, &mark(1, 12)));
        assert!(carries("x\n  cmk-plan: sha256:ab\n", &mark(1, 1)));
        assert_eq!(kin_by_line("cmk-plan: sha256:abc", &mark(1, 1)), None);
    }

    #[test]
    fn labels_tell_what_a_ticket_is_to_another() {
        let mark = |part, parts| Mark { digest: "sha256:ab".to_owned(), part, parts };
        let label = |part, parts| mark(part, parts).label();
        for (labels, wanted, expected) in [
            (label(1, 1), mark(1, 1), Some(Kin::Own)),
            (format!("KMS [{}]", label(2, 3)), mark(2, 3), Some(Kin::Own)),
            (format!("KMS [{}]", label(2, 3)), mark(1, 3), Some(Kin::Part)),
            (format!("KMS [{}]", label(2, 3)), mark(1, 1), Some(Kin::Otherwise)),
            // The one begins like the other.
            (label(1, 23), mark(1, 2), Some(Kin::Otherwise)),
            (label(1, 1), mark(1, 2), Some(Kin::Otherwise)),
            // A part has the label of the whole, too.
            (format!("{} {}", label(1, 1), label(2, 2)), mark(2, 2), Some(Kin::Own)),
            (format!("{} {}", label(2, 2), label(1, 1)), mark(1, 1), Some(Kin::Otherwise)),
            (Mark { digest: "sha256:ac".to_owned(), part: 1, parts: 1 }.label(), mark(1, 1), None),
            (format!("{}0", label(1, 1)), mark(1, 1), None),
            (String::new(), mark(1, 1), None),
        ] {
            assert_eq!(kin(&labels, &wanted), expected, "{labels} {wanted:?}");
        }
        assert_eq!((whole_of(&label(2, 3)), whole_of(&label(1, 1))), (label(1, 1).as_str(), label(1, 1).as_str()));
    }
}
