//! Workorder 2021-06-10, `CreateTicket`: parameters of a form; the description is plain text.
//!
//! Neither the length of titles nor that of descriptions is documented, so that both are kept short. The search shows titles, so
//! that the label stands there.

use super::limits::Measure;
use super::options::Options;
use super::payload::Body;
use super::rt::titled;
use super::split::Draft;
use super::text::{Ticket, plain_ticket};

/// Nobody documents how long a description may be.
const DESCRIPTION: usize = 4000;

/// Nor a title.
const TITLE: usize = 255;

/// The ticket as parameters.
pub(super) fn draft(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.alibaba;
    let (title, description) = (titled(ticket), plain_ticket(ticket));
    let measures = vec![
        Measure::characters("Title", &title, TITLE),
        Measure::characters("Description", &description, DESCRIPTION),
    ];
    let mut form: Vec<(String, String)> = Vec::new();
    let mut give = |name: &str, value: Option<String>| form.extend(value.map(|value| (name.to_owned(), value)));
    give("CategoryId", options.category_id.clone());
    give("Severity", Some(options.severity.unwrap_or(1).to_string()));
    give("Title", Some(title.clone()));
    give("Email", options.email.clone());
    give("Description", Some(description));
    Draft { title, body: Body::Form(form), measures }
}
