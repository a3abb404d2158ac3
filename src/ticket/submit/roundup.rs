//! Roundup keeps texts as messages of their own, which an issue then names; one that no issue names is seen by nobody.

use reqwest::header::{HeaderMap, HeaderValue, IF_MATCH};
use serde_json::{Map, Value, json};

use super::error::Trouble;
use super::look::text;
use super::rest::Site;
use super::target::Scope;

/// The issue of a payload. Its message is created if `message` has none yet, and its id is left there.
///
/// # Errors
/// The message was not created, or nobody knows: of the issue nothing exists.
pub(super) async fn with_message(
    site: &Site,
    scope: &Scope,
    mut body: Map<String, Value>,
    message: &mut Option<String>,
) -> Result<Value, Trouble> {
    let Some(mut issue) = body.remove("issue") else { return Err(Trouble::Refused("it has no issue".to_owned())) };
    let Some(words) = body.remove("msg") else { return Ok(issue) };
    let id = match message {
        Some(known) => known.clone(),
        None => create(site, scope, words).await?,
    };
    issue["messages"] = json!([id]);
    *message = Some(id);
    Ok(issue)
}

async fn create(site: &Site, scope: &Scope, mut words: Value) -> Result<String, Trouble> {
    let before = |trouble: Trouble| match trouble {
        Trouble::Lost(why) => Trouble::RefusedAll(format!("the text could not be sent before the ticket: {why}")),
        other => other,
    };
    if text(&words, "author").is_none() {
        words["author"] = author(site, scope).await.map_err(before)?.into();
    }
    let answer = site.post(site.below(&["rest", "data", "msg"], &[]), &words, HeaderMap::new()).await;
    let id = text(&answer.map_err(before)?["data"], "id");
    id.ok_or_else(|| before(Trouble::Lost("it gave no id".to_owned())))
}

/// The id of the user; a message without an author cannot be attached.
async fn author(site: &Site, scope: &Scope) -> Result<String, Trouble> {
    let Scope::User(name) = scope else { return Err(Trouble::RefusedAll("the user is not set".to_owned())) };
    let query = [("username", name.as_str()), ("@fields", "username")];
    let answer = site.get(site.below(&["rest", "data", "user"], &query)).await?;
    let users = answer.pointer("/data/collection").and_then(Value::as_array);
    let own = users.and_then(|users| users.iter().find(|user| user["username"] == name.as_str()));
    own.and_then(|user| text(user, "id")).ok_or_else(|| Trouble::RefusedAll(format!("it knows no user {name}")))
}

/// Retires a message that no issue will name: `DELETE` with the entity tag of what is there.
///
/// # Errors
/// It stays there, which does no harm: the user may not retire messages, or the tracker is not reached.
pub(super) async fn retire(site: &Site, id: &str) -> Result<(), Trouble> {
    let path = ["rest", "data", "msg", id];
    let answer = site.get(site.below(&path, &[])).await?;
    let tag = text(&answer["data"], "@etag").and_then(|tag| HeaderValue::from_str(&tag).ok());
    let tag = tag.ok_or_else(|| Trouble::Refused("the message has no entity tag".to_owned()))?;
    site.delete(site.below(&path, &[]), HeaderMap::from_iter([(IF_MATCH, tag)])).await?;
    Ok(())
}
