//! Whether ServiceNow has what it was sent. An instance ignores fields that it does not know, and says nothing; so every
//! record is read and compared.

use serde_json::{Map, Value};

use super::rest::Site;

/// Fields for what people say are empty when they are read.
const JOURNALS: [&str; 3] = ["work_notes", "comments", "comments_and_work_notes"];

/// The names of the fields that can be compared.
pub(super) fn names(sent: &Map<String, Value>) -> Vec<&str> {
    sent.keys().map(String::as_str).filter(|name| !JOURNALS.contains(name)).collect()
}

/// What a record does not have as it was sent, if anything.
pub(super) fn missing(sent: &Map<String, Value>, kept: &Value) -> Option<String> {
    let lost: Vec<&str> = names(sent).into_iter().filter(|name| !is_same(&sent[*name], &kept[*name])).collect();
    (!lost.is_empty())
        .then(|| format!("the instance does not have what was sent as {}; set it there by hand", lost.join(", ")))
}

/// Reads a record that was just created, and says what it does not have.
pub(super) async fn missing_there(site: &Site, path: &[&str], sent: &Map<String, Value>) -> Option<String> {
    let names = names(sent).join(",");
    let query = [
        ("sysparm_fields", names.as_str()),
        ("sysparm_display_value", "false"),
        ("sysparm_exclude_reference_link", "true"),
    ];
    match site.get(site.below(path, &query)).await {
        Ok(answer) => missing(sent, &answer["result"]),
        Err(trouble) => Some(format!("it could not be read back, so compare it by hand: {}", trouble.words())),
    }
}

/// Instances send texts only, and may change line ends.
fn is_same(sent: &Value, kept: &Value) -> bool {
    let words = |value: &Value| match value {
        Value::String(text) => text.replace("\r\n", "\n").trim().to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    words(sent) == words(kept)
}
