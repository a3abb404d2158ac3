//! Replies of `aws kms describe-key`, and the errors in their stead, as evidence of the state of keys.

use serde_json::Value;

use crate::domains::form::{Answer, DescribedKey};

/// Reads what `aws kms describe-key` printed: replies one behind the other or in an array, an error as JSON, or the
/// message that the AWS CLI prints.
///
/// # Errors
/// The text is none of these, or an error that does not name its key; the message says which.
pub fn described_keys(text: &str, at: &str) -> Result<Vec<DescribedKey>, String> {
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if !trimmed.starts_with(['{', '[']) {
        return message(trimmed, at).map(|key| vec![key]);
    }
    let mut keys = Vec::new();
    for value in serde_json::Deserializer::from_str(trimmed).into_iter::<Value>() {
        let value = value.map_err(|error| format!("{at}: not JSON: {error}"))?;
        let replies = match value {
            Value::Array(replies) => replies,
            reply => vec![reply],
        };
        for reply in replies {
            keys.push(reply_of(&reply, at)?);
        }
    }
    match keys.is_empty() {
        true => Err(format!("{at}: no reply of describe-key")),
        false => Ok(keys),
    }
}

fn reply_of(reply: &Value, at: &str) -> Result<DescribedKey, String> {
    let metadata = reply.get("KeyMetadata").unwrap_or(reply);
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    if let (Some(key), Some(state)) = (text("Arn"), text("KeyState")) {
        return Ok(DescribedKey {
            key,
            answer: Answer::State(state),
            deletion_date: metadata
                .get("DeletionDate")
                .map(|date| date.as_str().map_or(date.to_string(), str::to_owned)),
            multi_region: metadata.get("MultiRegion").and_then(Value::as_bool),
            key_spec: text("KeySpec").or_else(|| text("CustomerMasterKeySpec")),
            at: at.to_owned(),
        });
    }
    let error = reply.get("Error").unwrap_or(reply);
    let part = |names: [&str; 2]| names.iter().find_map(|name| error.get(*name)).and_then(Value::as_str);
    let code = part(["__type", "Code"]).map(|code| code.rsplit('#').next().unwrap_or(code));
    let words = part(["message", "Message"]).unwrap_or_default();
    match code {
        Some(code) => failed(code, words, at),
        None => Err(format!("{at}: expected KeyMetadata with Arn and KeyState, as `aws kms describe-key` prints it")),
    }
}

/// `An error occurred (NotFoundException) when calling the DescribeKey operation: …`, as the AWS CLI prints it.
fn message(text: &str, at: &str) -> Result<DescribedKey, String> {
    let code = text.split_once("An error occurred (").and_then(|(_, rest)| rest.split_once(')')).map(|(code, _)| code);
    match code {
        Some(code) => failed(code, text, at),
        None if text.contains("Could not connect to the endpoint") => failed("EndpointConnectionError", text, at),
        None => Err(format!("{at}: expected a reply of `aws kms describe-key`, or the error that it printed")),
    }
}

fn failed(code: &str, words: &str, at: &str) -> Result<DescribedKey, String> {
    let key = arn_in(words).ok_or_else(|| {
        format!("{at}: {code}, but the message names no key; add it to the file as {{\"__type\": …, \"message\": \"… <ARN> …\"}}")
    })?;
    Ok(DescribedKey {
        key: key.to_owned(),
        answer: Answer::Error(code.to_owned()),
        deletion_date: None,
        multi_region: None,
        key_spec: None,
        at: at.to_owned(),
    })
}

/// The first ARN of a key or alias in a text.
fn arn_in(text: &str) -> Option<&str> {
    let of_arn = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '-' | '_');
    let mut words = text.split(|c: char| !of_arn(c));
    words.find(|word| word.starts_with("arn:aws") && word.contains(":kms:")).map(|word| word.trim_end_matches(':'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails says where")]
    use super::*;

    const ARN: &str = "arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn replies_and_errors_name_key_and_state() {
        let reply = format!(
            r#"{{"KeyMetadata":{{"Arn":"{ARN}","KeyState":"PendingDeletion","DeletionDate":"2026-12-01T00:00:00Z","MultiRegion":false,"KeySpec":"SYMMETRIC_DEFAULT"}}}}"#
        );
        let of = |text: &str| described_keys(text, "file").unwrap().remove(0);
        let key = of(&reply);
        assert_eq!((key.key.as_str(), key.answer.name()), (ARN, "PendingDeletion"));
        assert_eq!(key.deletion_date.as_deref(), Some("2026-12-01T00:00:00Z"));
        let gone = format!(r#"{{"__type":"NotFoundException","message":"Key '{ARN}' does not exist"}}"#);
        assert_eq!((of(&gone).key.as_str(), of(&gone).answer.name()), (ARN, "NotFoundException"));
        let printed = format!(
            "\nAn error occurred (AccessDeniedException) when calling the DescribeKey operation: User: arn:aws:iam::123456789012:user/x is not authorized to perform: kms:DescribeKey on resource: {ARN} because\n"
        );
        assert_eq!((of(&printed).key.as_str(), of(&printed).answer.name()), (ARN, "AccessDeniedException"));
        assert_eq!(described_keys(&format!("{reply}\n{reply}"), "file").unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_reply_is_refused_with_the_reason() {
        for text in ["", "{}", "[]", "hello", "{\"KeyMetadata\":{}}", "{\"__type\":\"NotFoundException\"}", "{"] {
            assert!(described_keys(text, "file").unwrap_err().starts_with("file: "), "{text}");
        }
    }
}
