//! Does a tracker have a ticket with this mark? Nothing is changed there.
//!
//! Services leave out parts of a query that they do not understand, or search for less than was asked; so whatever comes
//! back is compared with the mark again.

use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

use super::error::Trouble;
use super::kept;
use super::marks::{Kin, kin, kin_by_line};
use super::rest::Site;
use super::target::Scope;
use crate::alibaba::workorder::{MOST_FOUND, Workorder};
use crate::alibaba::{CallError, call::Cause};
use crate::ticket::payload::{Mark, Payload, Tracker};
use crate::ticket::zendesk::tag;

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

/// What is asked of a tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The ticket itself, by its own label.
    Own,
    /// All tickets of its batch or consultation, by the label of the whole.
    Whole,
}

/// What a tracker has of a batch or consultation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    /// The ticket itself.
    pub(super) own: Option<Ticket>,
    /// Tickets of another number of parts, which name some of the same keys.
    pub(super) otherwise: Vec<Ticket>,
}

/// A ticket that was found, and what it is to the one that is looked for.
type Hit = (Kin, Ticket);

/// So many tickets of a batch or consultation are looked at: who sent one part asked for all others, too, so that one
/// ticket tells into how many parts it was parted.
const MOST: &str = "50";

/// What a tracker that speaks JSON has of a ticket and of its batch or consultation. `sent` is what the ticket would be made
/// of.
///
/// # Errors
/// The tracker did not say.
pub(super) async fn of_rest(
    site: &Site,
    scope: &Scope,
    payload: &Payload,
    sent: &Map<String, Value>,
    ask: Ask,
) -> Result<Found, Trouble> {
    let mark = &payload.mark;
    let label = match ask {
        Ask::Own => mark.label(),
        Ask::Whole => mark.whole().label(),
    };
    let hits = match payload.tracker {
        Tracker::ServicenowChange => servicenow(site, "change_request", mark, &label, sent).await?,
        Tracker::ServicenowIncident => servicenow(site, "incident", mark, &label, sent).await?,
        Tracker::JiraCloud | Tracker::JiraDc => jira(site, payload.tracker, mark, &label).await?,
        Tracker::Zendesk => zendesk(site, mark, ask).await?,
        Tracker::Github => github(site, scope, mark, &label).await?,
        Tracker::Gitlab => gitlab(site, scope, mark, &label).await?,
        Tracker::Rt => rt(site, mark, &label).await?,
        Tracker::Roundup => roundup(site, mark, &label).await?,
        Tracker::Alibaba | Tracker::Email | Tracker::Markdown => Vec::new(),
    };
    Ok(sorted(hits))
}

/// Whether a search for the label of a ticket finds other divisions of its batch, too: the label of a batch in one part
/// stands in all of them. Only Zendesk is asked for external ids as a whole.
pub(super) fn own_is_whole(payload: &Payload) -> bool {
    payload.mark.parts <= 1 && payload.tracker != Tracker::Zendesk
}

fn sorted(hits: Vec<Hit>) -> Found {
    let of = |wanted: Kin| hits.iter().filter(move |(kin, _)| *kin == wanted).map(|(_, ticket)| ticket.clone());
    Found { own: only(of(Kin::Own).collect()), otherwise: of(Kin::Otherwise).collect() }
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

async fn servicenow(
    site: &Site,
    table: &str,
    mark: &Mark,
    label: &str,
    sent: &Map<String, Value>,
) -> Result<Vec<Hit>, Trouble> {
    let words = format!("correlation_idSTARTSWITH{label}");
    let mut fields = vec!["sys_id", "number", "correlation_id"];
    fields.extend(kept::names(sent).into_iter().filter(|name| *name != "correlation_id"));
    let fields = fields.join(",");
    let query = [
        ("sysparm_query", words.as_str()),
        ("sysparm_fields", fields.as_str()),
        ("sysparm_limit", MOST),
        ("sysparm_display_value", "false"),
        ("sysparm_exclude_reference_link", "true"),
    ];
    let answer = site.get(site.below(&["api", "now", "table", table], &query)).await?;
    let ticket = |row: &Value| {
        let mut ticket = servicenow_ticket(site, table, row)?;
        // Of other parts nothing but their names is shown.
        ticket.remarks.extend(kept::missing(sent, row));
        Some(ticket)
    };
    hits(rows(&answer, "/result")?, |row| kin(row["correlation_id"].as_str()?, mark), ticket)
}

/// The ticket of a record.
pub(super) fn servicenow_ticket(site: &Site, table: &str, record: &Value) -> Option<Ticket> {
    let sys_id = text(record, "sys_id")?;
    let url = site.below(&[&format!("{table}.do")], &[("sys_id", &sys_id)]);
    Some(Ticket::new(text(record, "number").unwrap_or(sys_id), Some(url.to_string())))
}

/// The search of Jira Cloud runs behind what is created, usually by seconds.
async fn jira(site: &Site, tracker: Tracker, mark: &Mark, label: &str) -> Result<Vec<Hit>, Trouble> {
    let jql = format!("labels = \"{label}\"");
    let answer = if tracker == Tracker::JiraCloud {
        let body = json!({ "jql": jql, "fields": ["labels"], "maxResults": 50 });
        site.post(site.below(&["rest", "api", "3", "search", "jql"], &[]), &body, HeaderMap::new()).await?
    } else {
        let query = [("jql", jql.as_str()), ("fields", "labels"), ("maxResults", MOST)];
        site.get(site.below(&["rest", "api", "2", "search"], &query)).await?
    };
    hits(
        rows(&answer, "/issues")?,
        |issue| kin(&labels(&issue["fields"]["labels"]), mark),
        |issue| jira_ticket(site, issue),
    )
}

/// Labels as one text; GitHub gives them as objects with names.
fn labels(value: &Value) -> String {
    let all = value.as_array().map_or(&[][..], Vec::as_slice);
    let names = all.iter().filter_map(|label| label.as_str().or_else(|| label["name"].as_str()));
    names.collect::<Vec<_>>().join(" ")
}

/// The ticket of an issue.
pub(super) fn jira_ticket(site: &Site, issue: &Value) -> Option<Ticket> {
    let key = text(issue, "key")?;
    Some(Ticket::new(key.clone(), Some(site.below(&["browse", &key], &[]).to_string())))
}

/// External ids are found as a whole only; a tag finds the other parts. Its search runs minutes behind.
async fn zendesk(site: &Site, mark: &Mark, ask: Ask) -> Result<Vec<Hit>, Trouble> {
    let (path, query, at) = match ask {
        Ask::Own => ("tickets.json", ("external_id", mark.label()), "/tickets"),
        Ask::Whole => ("search.json", ("query", format!("type:ticket tags:{}", tag(mark))), "/results"),
    };
    let answer = site.get(site.below(&["api", "v2", path], &[(query.0, &query.1)])).await?;
    let kin = |ticket: &Value| {
        // Somebody may have taken the external id away.
        let by_tag = || labels(&ticket["tags"]).replace('_', "-");
        kin(ticket["external_id"].as_str().unwrap_or_default(), mark).or_else(|| kin(&by_tag(), mark))
    };
    hits(rows(&answer, at)?, kin, |ticket| zendesk_ticket(site, ticket))
}

/// The ticket of a ticket.
pub(super) fn zendesk_ticket(site: &Site, ticket: &Value) -> Option<Ticket> {
    let id = text(ticket, "id")?;
    Some(Ticket::new(id.clone(), Some(site.below(&["agent", "tickets", &id], &[]).to_string())))
}

/// Labels are dropped silently if the user may not set them, and the search runs behind; so both are asked.
async fn github(site: &Site, scope: &Scope, mark: &Mark, label: &str) -> Result<Vec<Hit>, Trouble> {
    let path = within(scope);
    let query = [("labels", label), ("state", "all"), ("per_page", MOST)];
    let answer = site.get(site.below(&issues_of(&path), &query)).await?;
    let by_label = |issue: &Value| kin(&labels(&issue["labels"]), mark);
    // A pull request may have the label, too, and is no ticket.
    let is_issue = |issue: &&Value| issue.get("pull_request").is_none() || by_label(issue).is_none();
    let issues: Vec<Value> = rows(&answer, "")?.iter().filter(is_issue).cloned().collect();
    let labelled = hits(&issues, by_label, github_ticket)?;
    if !labelled.is_empty() {
        return Ok(labelled);
    }
    let words = format!("\"{}\" in:body type:issue repo:{}", mark.digest, path.join("/"));
    let answer = site.get(site.below(&["search", "issues"], &[("q", &words), ("per_page", MOST)])).await?;
    if answer["incomplete_results"] == true {
        return Err(Trouble::Later(None, "its search is not complete".to_owned()));
    }
    let by_text = |issue: &Value| Some((kin_by_line(issue["body"].as_str()?, mark)?, github_ticket(issue)?));
    Ok(rows(&answer, "/items")?.iter().filter_map(by_text).collect())
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

async fn gitlab(site: &Site, scope: &Scope, mark: &Mark, label: &str) -> Result<Vec<Hit>, Trouble> {
    let project = within(scope).join("/");
    let query = [("labels", label), ("scope", "all"), ("state", "all"), ("per_page", MOST)];
    let answer = site.get(site.below(&["api", "v4", "projects", &project, "issues"], &query)).await?;
    hits(rows(&answer, "")?, |issue| kin(&labels(&issue["labels"]), mark), gitlab_ticket)
}

/// The ticket of an issue.
pub(super) fn gitlab_ticket(issue: &Value) -> Option<Ticket> {
    Some(Ticket::new(format!("#{}", text(issue, "iid")?), text(issue, "web_url")))
}

async fn rt(site: &Site, mark: &Mark, label: &str) -> Result<Vec<Hit>, Trouble> {
    let words = format!("Subject LIKE '{label}'");
    let query = [("query", words.as_str()), ("fields", "Subject"), ("per_page", MOST)];
    let answer = site.get(site.below(&["REST", "2.0", "tickets"], &query)).await?;
    hits(rows(&answer, "/items")?, |ticket| kin(ticket["Subject"].as_str()?, mark), |ticket| rt_ticket(site, ticket))
}

/// The ticket of a ticket.
pub(super) fn rt_ticket(site: &Site, ticket: &Value) -> Option<Ticket> {
    let id = text(ticket, "id")?;
    let url = site.below(&["Ticket", "Display.html"], &[("id", &id)]);
    Some(Ticket::new(id, Some(url.to_string())))
}

async fn roundup(site: &Site, mark: &Mark, label: &str) -> Result<Vec<Hit>, Trouble> {
    let query = [("title", label), ("@fields", "title")];
    let answer = site.get(site.below(&["rest", "data", "issue"], &query)).await?;
    hits(
        rows(&answer, "/data/collection")?,
        |issue| kin(issue["title"].as_str()?, mark),
        |issue| roundup_ticket(site, issue),
    )
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
pub(super) async fn of_alibaba(api: &Workorder, payload: &Payload, ask: Ask) -> Result<Found, Trouble> {
    let mark = &payload.mark;
    let line = match ask {
        Ask::Own => mark.line(),
        Ask::Whole => mark.whole().line(),
    };
    let mut hits: Vec<Hit> = Vec::new();
    for page in 1..=PAGES {
        let rows = api.tickets(&line, page).await.map_err(trouble)?;
        let rows =
            rows.ok_or_else(|| Trouble::RefusedAll("it did not answer the search with a list of tickets".to_owned()))?;
        hits.extend(rows.iter().filter_map(|ticket| Some((kin(&ticket.name, mark)?, Ticket::new(&ticket.id, None)))));
        let wanted = if ask == Ask::Own { Kin::Own } else { Kin::Otherwise };
        if rows.len() < MOST_FOUND || hits.iter().any(|(kin, _)| *kin == wanted) {
            return Ok(sorted(hits));
        }
    }
    let why = "its search gave many other tickets, so that this one may be behind them; look for it by hand";
    Err(Trouble::Refused(why.to_owned()))
}

/// So many pages of a search are read.
const PAGES: u32 = 20;

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

/// Those of some tickets that belong to the batch or consultation.
///
/// # Errors
/// There are others, and the ticket itself is not among them: the tracker does not understand the question, or hides what was asked for, so that nobody knows.
fn hits(
    rows: &[Value],
    kin: impl Fn(&Value) -> Option<Kin>,
    ticket: impl Fn(&Value) -> Option<Ticket>,
) -> Result<Vec<Hit>, Trouble> {
    let hits: Vec<Hit> = rows.iter().filter_map(|row| Some((kin(row)?, ticket(row)?))).collect();
    let is_found = hits.iter().any(|(kin, _)| *kin == Kin::Own);
    if !is_found && hits.len() < rows.len() {
        let why = "it sent other tickets than it was asked for; it may not understand the query, or hide the mark";
        return Err(Trouble::RefusedAll(why.to_owned()));
    }
    Ok(hits)
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
