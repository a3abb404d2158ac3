//! Jira: the fields of an issue. Jira Cloud takes the description in the Atlassian Document Format, Data Center in wiki
//! markup.

use serde_json::{Map, Value, json};

use super::limits::Measure;
use super::options::{Jira, Options};
use super::payload::Body;
use super::split::Draft;
use super::text::Ticket;
use super::{adf, wiki};

/// The limit of a description; of a document in JSON, we count all of it.
const DESCRIPTION: usize = 32_767;

/// The limit of a summary.
const SUMMARY: usize = 255;

/// The label of all tickets of plans.
pub(super) const LABEL: &str = "cmk-migration";

/// An issue of Jira Cloud.
pub(super) fn cloud(ticket: &Ticket, options: &Options) -> Draft {
    let description = adf::document(ticket);
    let length = Measure::characters("description", &description.to_string(), DESCRIPTION);
    issue(ticket, &options.jira_cloud, description, length)
}

/// An issue of Jira Data Center.
pub(super) fn data_center(ticket: &Ticket, options: &Options) -> Draft {
    let description = wiki::wiki(ticket);
    let length = Measure::characters("description", &description, DESCRIPTION);
    issue(ticket, &options.jira_dc, Value::String(description), length)
}

fn issue(ticket: &Ticket, options: &Jira, description: Value, length: Measure) -> Draft {
    let mut fields = Map::new();
    if let Some(project) = &options.project {
        fields.insert("project".to_owned(), json!({ "key": project }));
    }
    let issue_type = options.issue_type.as_deref().unwrap_or("Task");
    fields.insert("issuetype".to_owned(), json!({ "name": issue_type }));
    fields.insert("summary".to_owned(), json!(ticket.title));
    let own = [vec![LABEL.to_owned()], ticket.mark.labels()].concat();
    let labels: Vec<&String> = own.iter().chain(&options.labels).collect();
    fields.insert("labels".to_owned(), json!(labels));
    if let Some(priority) = &options.priority {
        fields.insert("priority".to_owned(), json!({ "name": priority }));
    }
    if !options.components.is_empty() {
        let components: Vec<Value> = options.components.iter().map(|name| json!({ "name": name })).collect();
        fields.insert("components".to_owned(), json!(components));
    }
    if let Some(change) = &ticket.change {
        fields.insert("duedate".to_owned(), json!(change.times.last_day.to_string()));
    }
    fields.insert("description".to_owned(), description);
    let measures = vec![Measure::characters("summary", &ticket.title, SUMMARY), length];
    Draft { title: ticket.title.clone(), body: Body::Json(json!({ "fields": fields })), measures }
}
