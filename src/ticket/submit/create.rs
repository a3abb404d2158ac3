//! Creates one ticket, with one call that creates it; what comes before and after changes nothing that people see.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::error::Trouble;
use super::look::{self, Ticket, text};
use super::rest::Site;
use super::target::Scope;
use super::{kept, roundup};
use crate::alibaba::workorder::Workorder;
use crate::ticket::payload::{Payload, Tracker};

/// The name of the product about which technical support is asked, in the language in which it is looked up.
const PRODUCT: (&str, &str) = ("Key Management Service", "en");

/// Creates a ticket in a tracker that speaks JSON. What has to be there before the ticket is left in `message`, for another
/// try.
///
/// # Errors
/// See [`Trouble`]: it may have been created.
pub(super) async fn in_rest(
    site: &Site,
    scope: &Scope,
    payload: &Payload,
    body: Map<String, Value>,
    message: &mut Option<String>,
) -> Result<Ticket, Trouble> {
    let none = HeaderMap::new();
    match payload.tracker {
        Tracker::ServicenowChange => servicenow(site, "change_request", &body).await,
        Tracker::ServicenowIncident => servicenow(site, "incident", &body).await,
        Tracker::JiraCloud | Tracker::JiraDc => {
            let version = if payload.tracker == Tracker::JiraCloud { "3" } else { "2" };
            let url = site.below(&["rest", "api", version, "issue"], &[]);
            made(look::jira_ticket(site, &site.post(url, &Value::Object(body), none).await?))
        }
        Tracker::Zendesk => {
            let url = site.below(&["api", "v2", "tickets.json"], &[]);
            // Its documentation: the same key does not create a second ticket.
            let key =
                HeaderValue::from_str(&payload.mark.label()).map_err(|error| Trouble::Refused(error.to_string()))?;
            let key = HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), key)]);
            let answer = site.post(url, &Value::Object(body), key).await?;
            made(look::zendesk_ticket(site, &answer["ticket"]))
        }
        Tracker::Github => {
            let url = site.below(&look::issues_of(&look::within(scope)), &[]);
            made(look::github_ticket(&site.post(url, &Value::Object(body), none).await?))
        }
        Tracker::Gitlab => {
            let project = look::within(scope).join("/");
            let url = site.below(&["api", "v4", "projects", &project, "issues"], &[]);
            made(look::gitlab_ticket(&site.post(url, &Value::Object(body), none).await?))
        }
        Tracker::Rt => {
            let url = site.below(&["REST", "2.0", "ticket"], &[]);
            made(look::rt_ticket(site, &site.post(url, &Value::Object(body), none).await?))
        }
        Tracker::Roundup => {
            let issue = roundup::with_message(site, scope, body, message).await?;
            let answer = site.post(site.below(&["rest", "data", "issue"], &[]), &issue, none).await?;
            made(look::roundup_ticket(site, &answer["data"]))
        }
        Tracker::Alibaba | Tracker::Email | Tracker::Markdown => {
            Err(Trouble::RefusedAll("it is no tracker that speaks JSON".to_owned()))
        }
    }
}

/// The answer says that something was created; without its id, only a search tells what.
fn made(ticket: Option<Ticket>) -> Result<Ticket, Trouble> {
    ticket.ok_or_else(|| Trouble::Lost("it did not say which ticket it created".to_owned()))
}

/// Times are sent in UTC: `sysparm_input_display_value=false` has no other meaning on any instance.
async fn servicenow(site: &Site, table: &str, body: &Map<String, Value>) -> Result<Ticket, Trouble> {
    let path = ["api", "now", "table", table];
    let fields = [("sysparm_fields", "sys_id,number"), ("sysparm_input_display_value", "false")];
    let answer = site.post(site.below(&path, &fields), &Value::Object(body.clone()), HeaderMap::new()).await?;
    let record = &answer["result"];
    let mut ticket = made(look::servicenow_ticket(site, table, record))?;
    let sys_id = text(record, "sys_id").unwrap_or_default();
    ticket.remarks.extend(kept::missing_there(site, &[&path[..], &[&sys_id]].concat(), body).await);
    Ok(ticket)
}

/// Creates a ticket for technical support of Alibaba Cloud.
///
/// # Errors
/// See [`Trouble`]: it may have been created.
pub(super) async fn in_alibaba(api: &Workorder, form: &[(String, String)]) -> Result<Ticket, Trouble> {
    let id = api.create_ticket(form).await.map_err(look::trouble)?;
    made(id.map(|id| Ticket::new(id, None)))
}

/// The category of a ticket about keys, if there is only one.
///
/// # Errors
/// It cannot be looked up, or somebody has to choose.
pub(super) async fn category(api: &Workorder) -> Result<String, Trouble> {
    let (name, language) = PRODUCT;
    let listed = |found: &[crate::alibaba::workorder::Named]| {
        found.iter().map(|one| format!("{} {}", one.id, one.name)).collect::<Vec<_>>().join("; ")
    };
    let products = api.products(name, language).await.map_err(look::trouble)?;
    let [product] = products.as_slice() else {
        return Err(Trouble::RefusedAll(format!(
            "which product the ticket is about is not clear: {}; give the category of the ticket",
            listed(&products)
        )));
    };
    let categories = api.categories(&product.id, language).await.map_err(look::trouble)?;
    match categories.as_slice() {
        [category] => Ok(category.id.clone()),
        _ => Err(Trouble::RefusedAll(format!(
            "choose the category of the ticket, and give its id (category_id): {}",
            listed(&categories)
        ))),
    }
}
