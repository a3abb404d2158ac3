//! Issues of GitLab, confidential unless somebody says otherwise: ids of keys are sensitive.

use serde_json::json;

use super::jira::LABEL;
use super::limits::Measure;
use super::markdown;
use super::options::Options;
use super::payload::Body;
use super::split::Draft;
use super::text::Ticket;

/// The limit of a description.
const DESCRIPTION: usize = 1_048_576;

/// The limit of a title.
const TITLE: usize = 255;

/// The issue.
pub(super) fn draft(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.gitlab;
    let description = markdown::text(ticket);
    let measures = vec![
        Measure::characters("title", &ticket.title, TITLE),
        Measure::bytes("description", &description, DESCRIPTION),
    ];
    let own = [vec![LABEL.to_owned()], ticket.mark.labels()].concat();
    let labels: Vec<&str> = own.iter().chain(&options.labels).map(String::as_str).collect();
    let mut all = json!({
        "title": ticket.title,
        "description": description,
        "labels": labels.join(","),
        "confidential": options.confidential.unwrap_or(true),
    });
    if !options.assignee_ids.is_empty() {
        all["assignee_ids"] = json!(options.assignee_ids);
    }
    if let Some(change) = &ticket.change {
        all["due_date"] = json!(change.times.last_day.to_string());
    }
    Draft { title: ticket.title.clone(), body: Body::Json(all), measures }
}
