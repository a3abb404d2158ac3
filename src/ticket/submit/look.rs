//! Does a tracker have a ticket with this mark? Nothing is changed there.
//!
//! Services leave out parts of a query that they do not understand, or search for less than was asked; so whatever comes
//! back is compared with the mark again.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::error::Trouble;
use super::marks::carries;
use super::rest::Site;
use super::target::Scope;
use crate::alibaba::workorder::{MOST_FOUND, Workorder};
use crate::alibaba::{CallError, call::Cause};
use crate::ticket::payload::{Payload, Tracker};

/// A ticket that exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticket {
    /// As its tracker calls it, such as `CHG0030001`.
    pub id: String,
    /// Where people see it, if that is known.
    pub url: Option<String>,
    /// What is not as it should be; one sentence each.
    pub remarks: Vec<String>,
}

impl Ticket {
    pub(super) fn new(id: impl Into<String>, url: Option<String>) -> Ticket {
        Ticket { id: id.into(), url, remarks: Vec::new() }
    }
}

/// The ticket with the mark of a payload, if there is one.
///
/// # Errors
/// The tracker did not say.
pub(super) async fn of_rest(site: &Site, scope: &Scope, payload: &Payload) -> Result<Option<Ticket>, Trouble> {
    let label = payload.mark.label();
    let found = match payload.tracker {
        Tracker::ServicenowChange => servicenow(site, "change_request", &label).await?,
        Tracker::ServicenowIncident => servicenow(site, "incident", &label).await?,
        Tracker::JiraCloud | Tracker::JiraDc => jira(site, payload.tracker, &label).await?,
        Tracker::Zendesk => zendesk(site, &label).await?,
        Tracker::Github => github(site, scope, payload).await?,
        Tracker::Gitlab => gitlab(site, scope, &label).await?,
        Tracker::Rt => rt(site, &label).await?,
        Tracker::Roundup => roundup(site, &label).await?,
        Tracker::Alibaba | Tracker::Email | Tracker::Markdown => Vec::new(),
    };
    Ok(only(found))
}

/// The first of several, with a remark.
fn only(found: Vec<Ticket>) -> Option<Ticket> {
    let others: Vec<&str> = found.iter().skip(1).map(|ticket| ticket.id.as_str()).collect();
    let remark =
        (!others.is_empty()).then(|| format!("the same mark stands in other tickets, too: {}", others.join(", ")));
    let mut first = found.into_iter().next()?;
    first.remarks.extend(remark);
    Some(first)
}

async fn servicenow(site: &Site, table: &str, label: &str) -> Result<Vec<Ticket>, Trouble> {
    let query = [
        ("sysparm_query", format!("correlation_id={label}")),
        ("sysparm_fields", "sys_id,number,correlation_id".to_owned()),
        ("sysparm_limit", "10".to_owned()),
        ("sysparm_display_value", "false".to_owned()),
        ("sysparm_exclude_reference_link", "true".to_owned()),
    ];
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = site.get(site.below(&["api", "now", "table", table], &query)).await?;
    let rows = rows(&answer, "/result")?;
    let own = own(rows, |row| row["correlation_id"] == label)?;
    Ok(own.iter().filter_map(|row| servicenow_ticket(site, table, row)).collect())
}

/// The ticket of a record.
pub(super) fn servicenow_ticket(site: &Site, table: &str, record: &Value) -> Option<Ticket> {
    let sys_id = text(record, "sys_id")?;
    let url = site.below(&[&format!("{table}.do")], &[("sys_id", &sys_id)]);
    Some(Ticket::new(text(record, "number").unwrap_or(sys_id), Some(url.to_string())))
}

/// The search of Jira Cloud runs behind what is created, usually by seconds.
async fn jira(site: &Site, tracker: Tracker, label: &str) -> Result<Vec<Ticket>, Trouble> {
    let (jql, most) = (format!("labels = \"{label}\""), 5);
    let answer = if tracker == Tracker::JiraCloud {
        let body = json!({ "jql": jql, "fields": ["labels"], "maxResults": most });
        site.post(site.below(&["rest", "api", "3", "search", "jql"], &[]), &body, HeaderMap::new()).await?
    } else {
        let query = [("jql", jql.as_str()), ("fields", "labels"), ("maxResults", "5")];
        site.get(site.below(&["rest", "api", "2", "search"], &query)).await?
    };
    let has = |issue: &&Value| {
        issue["fields"]["labels"].as_array().is_some_and(|labels| labels.iter().any(|own| own == label))
    };
    let own = own(rows(&answer, "/issues")?, has)?;
    Ok(own.into_iter().filter_map(|issue| jira_ticket(site, issue)).collect())
}

/// The ticket of an issue.
pub(super) fn jira_ticket(site: &Site, issue: &Value) -> Option<Ticket> {
    let key = text(issue, "key")?;
    Some(Ticket::new(key.clone(), Some(site.below(&["browse", &key], &[]).to_string())))
}

async fn zendesk(site: &Site, label: &str) -> Result<Vec<Ticket>, Trouble> {
    let answer = site.get(site.below(&["api", "v2", "tickets.json"], &[("external_id", label)])).await?;
    let own = own(rows(&answer, "/tickets")?, |ticket| ticket["external_id"] == label)?;
    Ok(own.into_iter().filter_map(|ticket| zendesk_ticket(site, ticket)).collect())
}

/// The ticket of a ticket.
pub(super) fn zendesk_ticket(site: &Site, ticket: &Value) -> Option<Ticket> {
    let id = text(ticket, "id")?;
    Some(Ticket::new(id.clone(), Some(site.below(&["agent", "tickets", &id], &[]).to_string())))
}

/// Labels are dropped silently if the user may not set them, and the search runs behind; so both are asked.
async fn github(site: &Site, scope: &Scope, payload: &Payload) -> Result<Vec<Ticket>, Trouble> {
    let label = payload.mark.label();
    let path = within(scope);
    let query = [("labels", label.as_str()), ("state", "all"), ("per_page", "10")];
    let answer = site.get(site.below(&issues_of(&path), &query)).await?;
    let is_labelled = |issue: &&Value| {
        let labels = issue["labels"].as_array();
        let is_own = labels.is_some_and(|labels| labels.iter().any(|own| *own == label || own["name"] == label));
        is_own && issue.get("pull_request").is_none()
    };
    let labelled = own(rows(&answer, "")?, is_labelled)?;
    let labelled: Vec<Ticket> = labelled.into_iter().filter_map(github_ticket).collect();
    if !labelled.is_empty() {
        return Ok(labelled);
    }
    let words = format!("\"{}\" in:body type:issue repo:{}", payload.mark.digest, path.join("/"));
    let answer = site.get(site.below(&["search", "issues"], &[("q", &words), ("per_page", "50")])).await?;
    let has = |issue: &&Value| issue["body"].as_str().is_some_and(|body| carries(body, &payload.mark));
    if answer["incomplete_results"] == true {
        return Err(Trouble::Later(None, "its search is not complete".to_owned()));
    }
    Ok(rows(&answer, "/items")?.iter().filter(has).filter_map(github_ticket).collect())
}

/// The segments of a repository: owner and name.
pub(super) fn within(scope: &Scope) -> Vec<&str> {
    match scope {
        Scope::Within(path) => path.split('/').filter(|part| !part.is_empty()).collect(),
        Scope::None | Scope::User(_) => Vec::new(),
    }
}

/// The address of the issues of a repository of GitHub.
pub(super) fn issues_of<'p>(path: &[&'p str]) -> Vec<&'p str> {
    let whole = std::iter::once("repos").chain(path.iter().copied());
    whole.chain(std::iter::once("issues")).collect()
}

/// The ticket of an issue.
pub(super) fn github_ticket(issue: &Value) -> Option<Ticket> {
    Some(Ticket::new(format!("#{}", text(issue, "number")?), text(issue, "html_url")))
}

async fn gitlab(site: &Site, scope: &Scope, label: &str) -> Result<Vec<Ticket>, Trouble> {
    let project = within(scope).join("/");
    let query = [("labels", label), ("scope", "all"), ("state", "all"), ("per_page", "10")];
    let answer = site.get(site.below(&["api", "v4", "projects", &project, "issues"], &query)).await?;
    let has = |issue: &&Value| issue["labels"].as_array().is_some_and(|labels| labels.iter().any(|own| own == label));
    Ok(own(rows(&answer, "")?, has)?.into_iter().filter_map(gitlab_ticket).collect())
}

/// The ticket of an issue.
pub(super) fn gitlab_ticket(issue: &Value) -> Option<Ticket> {
    Some(Ticket::new(format!("#{}", text(issue, "iid")?), text(issue, "web_url")))
}

async fn rt(site: &Site, label: &str) -> Result<Vec<Ticket>, Trouble> {
    let words = format!("Subject LIKE '{label}'");
    let query = [("query", words.as_str()), ("fields", "Subject"), ("per_page", "10")];
    let answer = site.get(site.below(&["REST", "2.0", "tickets"], &query)).await?;
    let has = |ticket: &&Value| ticket["Subject"].as_str().is_some_and(|subject| subject.contains(label));
    Ok(own(rows(&answer, "/items")?, has)?.into_iter().filter_map(|ticket| rt_ticket(site, ticket)).collect())
}

/// The ticket of a ticket.
pub(super) fn rt_ticket(site: &Site, ticket: &Value) -> Option<Ticket> {
    let id = text(ticket, "id")?;
    let url = site.below(&["Ticket", "Display.html"], &[("id", &id)]);
    Some(Ticket::new(id, Some(url.to_string())))
}

async fn roundup(site: &Site, label: &str) -> Result<Vec<Ticket>, Trouble> {
    let query = [("title", label), ("@fields", "title")];
    let answer = site.get(site.below(&["rest", "data", "issue"], &query)).await?;
    let has = |issue: &&Value| issue["title"].as_str().is_some_and(|title| title.contains(label));
    let own = own(rows(&answer, "/data/collection")?, has)?;
    Ok(own.into_iter().filter_map(|issue| roundup_ticket(site, issue)).collect())
}

/// The ticket of an issue.
pub(super) fn roundup_ticket(site: &Site, issue: &Value) -> Option<Ticket> {
    let name = format!("issue{}", text(issue, "id")?);
    let url = site.below(&[&name], &[]).to_string();
    Some(Ticket::new(name, Some(url)))
}

/// The search for descriptions is called fuzzy, and shows titles only; so the title must have the label. Others that are
/// found are not meant.
///
/// # Errors
/// The service did not say, or gave so many others that there may be more.
pub(super) async fn of_alibaba(api: &Workorder, payload: &Payload) -> Result<Option<Ticket>, Trouble> {
    let found = api.tickets(&payload.mark.line()).await.map_err(trouble)?;
    let found =
        found.ok_or_else(|| Trouble::RefusedAll("it did not answer the search with a list of tickets".to_owned()))?;
    let label = payload.mark.label();
    let own = found.iter().filter(|ticket| ticket.name.contains(&label));
    let own: Vec<Ticket> = own.map(|ticket| Ticket::new(&ticket.id, None)).collect();
    if own.is_empty() && found.len() >= MOST_FOUND {
        let why = "its search gave many other tickets, so that this one may be behind them; look for it by hand";
        return Err(Trouble::Refused(why.to_owned()));
    }
    Ok(only(own))
}

/// What an error of the API means for a ticket.
pub(super) fn trouble(error: CallError) -> Trouble {
    let words = error.to_string();
    match error {
        CallError::Refused { cause: Cause::Rate, retry_after, .. } => Trouble::Later(retry_after, words),
        CallError::Start { .. } | CallError::NotSent { .. } => Trouble::NotSent(words),
        error if error.may_have_happened() => Trouble::Lost(words),
        error if error.concerns_all() => Trouble::RefusedAll(words),
        _ => Trouble::Refused(words),
    }
}

/// Those of some tickets that have the mark.
///
/// # Errors
/// There are others only: the tracker does not understand the question, or hides what was asked for, so that nobody knows.
fn own(rows: &[Value], has: impl Fn(&&Value) -> bool) -> Result<Vec<&Value>, Trouble> {
    let own: Vec<&Value> = rows.iter().filter(|row| has(row)).collect();
    if own.is_empty() && !rows.is_empty() {
        let why = "it sent other tickets than it was asked for; it may not understand the query, or hide the mark";
        return Err(Trouble::RefusedAll(why.to_owned()));
    }
    Ok(own)
}

/// The list at a place of an answer.
fn rows<'v>(answer: &'v Value, at: &str) -> Result<&'v [Value], Trouble> {
    let rows = answer.pointer(at).and_then(Value::as_array);
    rows.map(Vec::as_slice).ok_or_else(|| {
        Trouble::RefusedAll("it did not answer a search with a list; check that the address is the tracker".to_owned())
    })
}

/// Ids come as numbers or as texts.
pub(super) fn text(value: &Value, member: &str) -> Option<String> {
    match value.get(member)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
