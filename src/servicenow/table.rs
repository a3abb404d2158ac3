//! The body of an answer to rows, without trust: an instance may send an error with any status, a page instead of
//! JSON, and rows that nobody asked for.

use serde_json::{Map, Value};

/// One row; its members are the fields that were asked for and may be seen.
pub(super) type Row = Map<String, Value>;

/// Why a body holds no rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRows {
    /// It is an error, in the server's own words.
    Error(String),
    /// It is something else; the text says what, and what to do.
    Else(&'static str),
}

/// The rows of a body.
pub(super) fn rows(body: &[u8]) -> Result<Vec<Row>, NoRows> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(NoRows::Else(looks_like(body)));
    };
    if let Some(error) = error_of(&value) {
        return Err(NoRows::Error(error));
    }
    let Value::Object(mut whole) = value else {
        return Err(NoRows::Else("other JSON; check that the address is an instance"));
    };
    match whole.remove("result") {
        Some(Value::Array(rows)) => all_objects(rows),
        Some(_) => Err(NoRows::Else("a `result` that is no list; check that the address is an instance")),
        None => Err(NoRows::Else("an object without it; check that the address is an instance")),
    }
}

fn all_objects(rows: Vec<Value>) -> Result<Vec<Row>, NoRows> {
    let object = |row| match row {
        Value::Object(row) => Ok(row),
        _ => Err(NoRows::Else("a row that is no object; check that the address is an instance")),
    };
    rows.into_iter().map(object).collect()
}

/// The server's reason in a body that is an error.
pub(super) fn error_in(body: &[u8]) -> Option<String> {
    error_of(&serde_json::from_slice(body).ok()?)
}

/// `{"error": {"message": …, "detail": …}}`, or a plain text in that place.
fn error_of(value: &Value) -> Option<String> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    if let Value::String(text) = error {
        return Some(text.clone());
    }
    let part = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let parts: Vec<&str> = [part("message"), part("detail")].into_iter().flatten().collect();
    Some(parts.join(": "))
}

/// What a body is that is no JSON.
fn looks_like(body: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(body).to_lowercase();
    match text.trim() {
        "" => "nothing at all; check that the address is an instance",
        page if page.contains("hibernat") => "the page of a developer instance that hibernates; wake it, and try again",
        page if page.starts_with('<') && (page.contains("login") || page.contains("log in")) => {
            "a login page; use credentials that need none, and the address of the instance itself"
        }
        page if page.starts_with('<') => {
            "a web page; check that the address is an instance, and that it is awake and not in maintenance"
        }
        _ => "no JSON; check that the address is an instance",
    }
}

/// What the rows say about one name.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'r> {
    /// No row has the name.
    No,
    /// One row has it.
    One(&'r Row),
    /// Several rows have it.
    Several,
}

/// The row whose `field` is exactly `wanted`.
pub(super) fn find<'r>(rows: &'r [Row], field: &str, wanted: &str) -> Found<'r> {
    let mut having = rows.iter().filter(|row| row.get(field).and_then(Value::as_str) == Some(wanted));
    match (having.next(), having.next()) {
        (None, _) => Found::No,
        (Some(row), None) => Found::One(row),
        (Some(_), Some(_)) => Found::Several,
    }
}

/// How many rows have none of the names in `field`.
pub(super) fn not_asked_for(rows: &[Row], field: &str, asked: &[&str]) -> usize {
    let name = |row: &Row| row.get(field).and_then(Value::as_str).is_some_and(|name| asked.contains(&name));
    rows.iter().filter(|row| !name(row)).count()
}

/// A field as text; nothing if it is hidden or no text. Instances send texts only, proxies in front of them may not.
pub(super) fn text(row: &Row, field: &str) -> Option<String> {
    match row.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Result<Vec<Row>, NoRows> {
        rows(body.as_bytes())
    }

    fn other(body: &str) -> &'static str {
        match read(body) {
            Err(NoRows::Else(got)) => got,
            told => panic!("{told:?}"),
        }
    }

    #[test]
    fn an_error_is_an_error_whatever_stands_beside_it() {
        let error = |text: &str| Err(NoRows::Error(text.to_owned()));
        assert_eq!(read(r#"{"error":{"message":"a","detail":"b"},"status":"failure"}"#), error("a: b"));
        assert_eq!(read(r#"{"result":[],"error":{"message":"a","detail":null}}"#), error("a"));
        assert_eq!(read(r#"{"result":[],"error":"a"}"#), error("a"));
        assert_eq!(read(r#"{"result":[],"error":{}}"#), error(""));
        assert_eq!(read(r#"{"result":[],"error":null}"#), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_list_of_rows_is_told_apart() {
        assert!(other("").starts_with("nothing"));
        assert!(other("<html><body>Your instance is hibernating").contains("wake it"));
        assert!(other("<!DOCTYPE html><form action=\"login.do\">").starts_with("a login page"));
        assert!(other("\n<html>").starts_with("a web page"));
        assert!(other("{\"result\":[").starts_with("no JSON"));
        assert!(other("[]").starts_with("other JSON"));
        assert!(other("{}").starts_with("an object without"));
        assert!(other(r#"{"result":{}}"#).contains("no list"));
        assert!(other(r#"{"result":[1]}"#).contains("no object"));
    }

    /// Any JSON, more often than not with the members that answers have.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "(name|active|[a-z\u{1b}é]{0,4})".prop_map(Value::from),
        ];
        let key = "(result|error|message|detail|name|value|active|source|sys_updated_on|[a-z]?)";
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..5).prop_map(|members| members.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn every_row_is_found_or_counted(value in json(), wrap in any::<bool>()) {
            let value = if wrap { serde_json::json!({ "result": [value] }) } else { value };
            if let Ok(rows) = rows(value.to_string().as_bytes()) {
                let asked = ["name", "active"];
                let found = |wanted| match find(&rows, "name", wanted) {
                    Found::No => 0,
                    Found::One(_) => 1,
                    Found::Several => rows.iter().filter(|row| text(row, "name").as_deref() == Some(wanted)).count(),
                };
                prop_assert_eq!(not_asked_for(&rows, "name", &asked) + found("name") + found("active"), rows.len());
            }
        }

        #[test]
        fn no_bytes_are_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = rows(&body);
            let _ = error_in(&body);
        }
    }
}
