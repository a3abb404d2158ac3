//! Roundup, REST: a message, and the issue to which it belongs. Each stands under the name of its class; the message is
//! created first, and the issue gets its id in `messages`. The label stands in the title, by which issues are searched.

use serde_json::{Value, json};

use super::limits::Measure;
use super::options::Options;
use super::payload::Body;
use super::rt::titled;
use super::split::Draft;
use super::text::{Ticket, plain_ticket};

/// No limit is documented; other trackers have this one.
const TITLE: usize = 255;

/// Message and issue.
pub(super) fn draft(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.roundup;
    let title = titled(ticket);
    let measures = vec![Measure::characters("title", &title, TITLE)];
    let (mut message, mut issue) = (json!({ "content": plain_ticket(ticket) }), json!({ "title": title }));
    let give = |to: &mut Value, name: &str, value: &Option<String>| {
        if let Some(value) = value {
            to[name] = json!(value);
        }
    };
    give(&mut message, "author", &options.author);
    give(&mut issue, "priority", &options.priority);
    give(&mut issue, "assignedto", &options.assignedto);
    Draft { title, body: Body::Json(json!({ "msg": message, "issue": issue })), measures }
}
