//! Issues of GitHub.

use serde_json::json;

use super::jira::LABEL;
use super::limits::Measure;
use super::markdown;
use super::options::Options;
use super::payload::Body;
use super::split::Draft;
use super::text::Ticket;

/// The limit of a body.
const BODY: usize = 65_536;

/// The limit of a title.
const TITLE: usize = 256;

/// The issue. The line of the mark is a comment, which a search finds.
pub(super) fn draft(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.github;
    let body = format!("{}\n\n<!-- {} -->\n", markdown::blocks(&ticket.blocks), ticket.mark.line());
    let measures = vec![Measure::characters("title", &ticket.title, TITLE), Measure::characters("body", &body, BODY)];
    let own = [vec![LABEL.to_owned()], ticket.mark.labels()].concat();
    let labels: Vec<&String> = own.iter().chain(&options.labels).collect();
    let all = json!({ "title": ticket.title, "body": body, "labels": labels, "assignees": options.assignees });
    Draft { title: ticket.title.clone(), body: Body::Json(all), measures }
}
