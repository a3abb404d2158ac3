//! The mark in a ticket by which it is found again: put where its tracker can be asked for it, and recognised there.

use serde_json::{Map, Value, json};

use crate::ticket::payload::{Body, Mark, Payload, Tracker};

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
            add_label(fields, label);
        }
        Tracker::Github => {
            add_label(&mut body, label);
            add_text(&mut body, "body", |text| carries(text, &payload.mark), &format!("\n\n<!-- {line} -->"));
        }
        Tracker::Gitlab => match body.get("labels").and_then(Value::as_str) {
            Some(labels) if !labels.split(',').any(|known| known.trim() == label) => {
                let labels = format!("{labels},{label}");
                body.insert("labels".to_owned(), labels.trim_start_matches(',').into());
            }
            Some(_) => {}
            None => add_label(&mut body, label),
        },
        Tracker::Zendesk => {
            let ticket = body.get_mut("ticket").and_then(Value::as_object_mut).ok_or("it has no ticket")?;
            ticket.insert("external_id".to_owned(), label.into());
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

fn add_label(body: &mut Map<String, Value>, label: String) {
    let labels = body.entry("labels").or_insert_with(|| json!([]));
    match labels {
        Value::Array(labels) if !labels.contains(&Value::from(label.as_str())) => labels.push(label.into()),
        Value::Array(_) => {}
        other => *other = json!([label]),
    }
}

fn add_text(body: &mut Map<String, Value>, member: &str, has: impl Fn(&str) -> bool, more: &str) {
    let text = body.get(member).and_then(Value::as_str).unwrap_or_default();
    if !has(text) {
        let text = format!("{text}{more}");
        body.insert(member.to_owned(), text.trim_start().into());
    }
}

/// Whether a text has the line of a mark; that of another part does not count.
pub(super) fn carries(text: &str, mark: &Mark) -> bool {
    let line = mark.line();
    let bare = |found: &str| found.trim().trim_start_matches("<!--").trim_end_matches("-->").trim() == line;
    text.lines().any(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(tracker: Tracker, body: Body) -> Payload {
        let mark = Mark { digest: "sha256:ab".to_owned(), part: 1, parts: 2 };
        Payload { tracker, name: "n".to_owned(), mark, title: "t".to_owned(), body }
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
        let (label, line) = (mark.label(), mark.line());
        let change = json_of(Tracker::ServicenowChange, json!({"short_description": "x"}));
        assert_eq!(change["correlation_id"], label.as_str());
        let jira = json_of(Tracker::JiraCloud, json!({"fields": {"labels": ["cmk-migration"]}}));
        assert_eq!(jira["fields"]["labels"], json!(["cmk-migration", label]));
        let github = json_of(Tracker::Github, json!({"title": "x", "body": "y"}));
        assert_eq!(github["body"], format!("y\n\n<!-- {line} -->"));
        assert_eq!(github["labels"], json!([label]));
        let gitlab = json_of(Tracker::Gitlab, json!({"labels": "a,b"}));
        assert_eq!(gitlab["labels"], format!("a,b,{label}"));
        assert_eq!(json_of(Tracker::Gitlab, json!({}))["labels"], json!([label]));
        assert_eq!(json_of(Tracker::Zendesk, json!({"ticket": {}}))["ticket"]["external_id"], label.as_str());
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
    }
}
