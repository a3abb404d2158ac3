//! ServiceNow, tables `change_request` and `incident`: one record each.
//!
//! Times are in UTC, as the Table API takes them with `sysparm_input_display_value=false`; with `true` it would take them
//! in the time zone of the user.

use serde_json::{Map, Value, json};

use super::limits::Measure;
use super::options::Options;
use super::payload::Body;
use super::split::Draft;
use super::text::{Ticket, plain, plain_ticket};
use super::times::utc_spaced;

/// `short_description`, by the dictionary as it is delivered.
const SHORT_DESCRIPTION: usize = 160;

/// `correlation_id`, likewise.
const CORRELATION_ID: usize = 100;

/// `description` and the plans, likewise; an instance cuts what is longer without a word.
const TEXT: usize = 4000;

/// What marks tickets of plans in ServiceNow.
const CORRELATION_DISPLAY: &str = "cmk-migration-plan";

/// Members of a record that have a value.
fn given<const N: usize>(members: [(&str, Option<String>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect()
}

/// What both tables have.
fn record(ticket: &Ticket) -> (Map<String, Value>, Vec<Measure>) {
    let (description, label) = (plain_ticket(ticket), ticket.mark.label());
    let measures = vec![
        Measure::characters("short_description", &ticket.title, SHORT_DESCRIPTION),
        Measure::characters("description", &description, TEXT),
        Measure::characters("correlation_id", &label, CORRELATION_ID),
    ];
    let record = given([
        ("short_description", Some(ticket.title.clone())),
        ("description", Some(description)),
        ("correlation_id", Some(label)),
        ("correlation_display", Some(CORRELATION_DISPLAY.to_owned())),
    ]);
    (record, measures)
}

/// A change, with its plans.
pub(super) fn change(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.servicenow_change;
    let (mut all, mut measures) = record(ticket);
    if let Some(change) = &ticket.change {
        let plans = [
            ("implementation_plan", &change.implementation),
            ("backout_plan", &change.backout),
            ("test_plan", &change.test),
        ];
        for (field, blocks) in plans {
            let text = plain(blocks);
            measures.push(Measure::characters(field, &text, TEXT));
            all.insert(field.to_owned(), json!(text));
        }
        all.insert("start_date".to_owned(), json!(utc_spaced(change.times.start)));
        all.insert("end_date".to_owned(), json!(utc_spaced(change.times.end)));
    }
    all.extend(given([
        ("type", Some(options.kind.clone().unwrap_or_else(|| "normal".to_owned()))),
        ("category", options.category.clone()),
        ("assignment_group", options.assignment_group.clone()),
        ("requested_by", options.requested_by.clone()),
        ("risk", options.risk.clone()),
        ("impact", options.impact.clone()),
    ]));
    Draft { title: ticket.title.clone(), body: Body::Json(Value::Object(all)), measures }
}

/// An incident.
pub(super) fn incident(ticket: &Ticket, options: &Options) -> Draft {
    let options = &options.servicenow_incident;
    let (mut all, measures) = record(ticket);
    all.extend(given([
        ("category", options.category.clone()),
        ("assignment_group", options.assignment_group.clone()),
        ("caller_id", options.caller_id.clone()),
        ("urgency", options.urgency.clone()),
        ("impact", options.impact.clone()),
    ]));
    Draft { title: ticket.title.clone(), body: Body::Json(Value::Object(all)), measures }
}
