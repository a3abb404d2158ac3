//! Zendesk, `tickets.json`: a ticket whose first comment is internal.

use serde_json::json;

use super::limits::Measure;
use super::options::Options;
use super::payload::{Body, Mark};
use super::split::Draft;
use super::text::{Ticket, plain_ticket};
use super::times::utc;

/// About 64 KB; we stay below.
const COMMENT: usize = 64_000;

/// No limit is documented; other trackers have this one.
const SUBJECT: usize = 255;

/// The tag of all tickets of plans; Zendesk makes underscores of other signs.
const TAG: &str = "cmk_migration";

/// The ticket.
pub(super) fn draft(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.zendesk;
    let body = without_placeholders(&plain_ticket(ticket));
    let title = without_placeholders(&ticket.title);
    let measures = vec![Measure::characters("subject", &title, SUBJECT), Measure::bytes("comment", &body, COMMENT)];
    let labels = ticket.mark.labels().into_iter().map(|label| label.replace('-', "_"));
    let own: Vec<String> = std::iter::once(TAG.to_owned()).chain(labels).collect();
    let tags: Vec<&String> = own.iter().chain(&options.tags).collect();
    let mut all = json!({
        "subject": title,
        "external_id": ticket.mark.label(),
        "priority": options.priority.as_deref().unwrap_or("normal"),
        "type": "task",
        "tags": tags,
        "comment": { "body": body, "public": false },
    });
    if let Some(group) = options.group_id {
        all["group_id"] = json!(group);
    }
    if let Some(change) = &ticket.change {
        all["due_at"] = json!(utc(change.times.start));
    }
    Draft { title, body: Body::Json(json!({ "ticket": all })), measures }
}

/// The label of the whole as a tag: an external id is found as a whole only, and a part has its own.
pub(super) fn tag(mark: &Mark) -> String {
    mark.whole().label().replace('-', "_")
}

/// Zendesk fills in what stands between `{{` and `}}`, and acts on what stands between `{%` and `%}`.
fn without_placeholders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        if before == '{' && matches!(c, '{' | '%') {
            out.push(' ');
        }
        out.push(c);
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_filled_in() {
        assert_eq!(without_placeholders("{{ticket.id}} {%if%} {{{a}}} {b}"), "{ {ticket.id}} { %if%} { { {a}}} {b}");
    }
}
