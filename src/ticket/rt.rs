//! Request Tracker 5, REST2. Times are in UTC. The label stands in the subject, by which tickets are searched.

use serde_json::json;

use super::limits::Measure;
use super::options::Options;
use super::payload::Body;
use super::split::Draft;
use super::text::{Ticket, plain_ticket};
use super::times::utc_spaced;

/// The limit of a subject; in bytes, to be on the safe side.
const SUBJECT: usize = 200;

/// The ticket.
pub(super) fn draft(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.rt;
    let subject = titled(ticket);
    let measures = vec![Measure::bytes("Subject", &subject, SUBJECT)];
    let mut all = json!({ "Subject": subject, "ContentType": "text/plain", "Content": plain_ticket(ticket) });
    if let Some(queue) = &options.queue {
        all["Queue"] = json!(queue);
    }
    if let Some(requestor) = &options.requestor {
        all["Requestor"] = json!(requestor);
    }
    if let Some(change) = &ticket.change {
        all["Starts"] = json!(utc_spaced(change.times.start));
        all["Due"] = json!(utc_spaced(change.times.end));
    }
    if let Some(field) = &options.digest_field {
        all["CustomFields"] = json!({ field: ticket.mark.label() });
    }
    Draft { title: subject, body: Body::Json(all), measures }
}

/// The title with the label, for trackers that are searched by title.
pub(super) fn titled(ticket: &Ticket) -> String {
    format!("{} [{}]", ticket.title, ticket.mark.label())
}
