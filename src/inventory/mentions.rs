//! What is said of keys where no field is read: in columns that nobody knows, and in descriptions. None of it decides
//! that a key can be migrated, but some of it decides that nobody knows.

use serde_json::Value;

use crate::domains::cell::{Cell, LIST_SEPARATOR};
use crate::domains::cmk::fields::Field;
use crate::domains::cmk::observe::observe;
use crate::domains::cmk::operations::mentions_forbidden;
use crate::domains::spelling::{is_none, is_unknown, plain};

/// How a column is watched that no field reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Not at all: a field reads it, or a system writes it.
    No,
    /// Its texts may name an operation that blocks the migration, or other keys.
    Texts,
    /// Its own name is that of such an operation, so that whatever is no "no" says that it is called.
    Name,
}

impl Watch {
    /// How a column of that name is watched.
    pub fn of(name: &str) -> Watch {
        if mentions_forbidden(name) { Watch::Name } else { Watch::Texts }
    }

    /// Whether a cell of the column says that an operation is called that blocks the migration.
    #[inline]
    pub fn mentions(self, text: &str) -> bool {
        match self {
            Watch::No => false,
            Watch::Texts if text.starts_with(['{', '[']) => text.split(LIST_SEPARATOR).any(tells),
            Watch::Texts => mentions_forbidden(text),
            Watch::Name => !says_no(text),
        }
    }
}

fn says_no(text: &str) -> bool {
    const NO: [&str; 16] = [
        "no",
        "n",
        "false",
        "never",
        "not",
        "notused",
        "unused",
        "notapplicable",
        "x",
        "×",
        "✗",
        "✘",
        "否",
        "不",
        "未使用",
        "不使用",
    ];
    let word = plain(text);
    let word = word.trim_end_matches('.');
    let is_zero = text.trim().split(' ').next().is_some_and(|number| number.parse::<f64>() == Ok(0.0));
    let is_no_with_reason =
        word.strip_prefix("no").is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric()));
    is_unknown(text) || is_none(text) || NO.contains(&word) || is_zero || is_no_with_reason || text == "-"
}

/// Whether a text tells what decides about a key; JSON by its members and texts, and not by their names alone.
#[cold]
fn tells(text: &str) -> bool {
    let value: Option<Value> = if text.starts_with(['{', '[']) { serde_json::from_str(text).ok() } else { None };
    match value {
        Some(value) => deciding_name(&value).is_some() || has_mention(&value),
        None => mentions_forbidden(text),
    }
}

/// Whether a value names an operation that blocks the migration: in its texts, or by a member that does not say no.
pub fn has_mention(value: &Value) -> bool {
    match value {
        Value::String(text) => mentions_forbidden(text),
        Value::Array(elements) => elements.iter().any(has_mention),
        Value::Object(members) => members.iter().any(|(name, value)| is_affirmed(name, value) || has_mention(value)),
        _ => false,
    }
}

/// Whether a member is called like such an operation, and does not say no.
pub fn is_affirmed(name: &str, value: &Value) -> bool {
    mentions_forbidden(name) && !denies(value)
}

/// The name of a member inside an object, or inside the objects of a list, that decides what becomes of a key. What is
/// nested is not read as a part of the record.
pub fn field_inside(cell: Cell<'_>) -> Option<String> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    match cell {
        Cell::Object(text) => deciding_name(&parse(text)?),
        Cell::List(_) => {
            let objects = cell.elements().filter(|element| element.starts_with('{'));
            objects.filter_map(parse).find_map(|object| deciding_name(&object))
        }
        _ => None,
    }
}

/// serde_json allows no values inside each other deeper than 128.
fn deciding_name(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let decides = Field::from_header(name).is_some_and(|field| says(field, value)) || is_affirmed(name, value);
            if decides { Some(name.clone()) } else { deciding_name(value) }
        }),
        Value::Array(elements) => elements.iter().find_map(deciding_name),
        _ => None,
    }
}

/// Whether a value says that something is not there.
fn denies(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => says_no(text),
        Value::Array(elements) => elements.iter().all(denies),
        Value::Object(members) => members.values().all(denies),
    }
}

/// Whether a value is one that the field may have, of those that decide: other programs use the names for other things.
fn says(field: Field, value: &Value) -> bool {
    let observed = |cell: Cell<'_>| observe(field, cell).is_ok_and(|bits| bits != 0);
    decides(field)
        && match value {
            Value::String(text) => observed(Cell::of_table(text)),
            Value::Number(number) => observed(Cell::Text(&number.to_string())),
            Value::Array(elements) => elements.iter().any(|element| says(field, element)),
            _ => false,
        }
}

/// Whether what becomes of a key depends on the field, and its name is used for little else.
fn decides(field: Field) -> bool {
    matches!(
        field,
        Field::Operations
            | Field::Origin
            | Field::Rotation
            | Field::Versions
            | Field::MultipleVersions
            | Field::Languages
            | Field::Network
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found_in_any_text() {
        for text in [
            "also ReEncrypt",
            "uses re-encrypt twice",
            "RE_ENCRYPT",
            "kms:ReEncrypt*",
            "GenerateAndExportDataKey",
            "export data key",
            "还使用重加密",
            "重 加密",
            "re‑encrypt",
            "re encrypt",
            "ＲｅＥｎｃｒｙｐｔ",
            "Re.Encrypt",
            "re\nencrypt",
            "R\u{200b}eEncrypt",
            "**Re**Encrypt",
            "kmsReEncrypt",
            "generate_and_export_data_key",
            "导出数据密钥",
        ] {
            assert!(Watch::Texts.mentions(text), "{text}");
        }
        for text in [
            "encrypts orders",
            "Disks are encrypted with this key",
            "Hardware encryption key",
            "Software encryption (AES)",
            "More encryption",
            "pre-encrypted uploads",
            "双重加密",
            "三重加密",
            "传输中转加密",
            "exported by the key team",
            "data key",
            "密钥",
            "Decrypt",
            "y",
            "monkey",
            "cry",
            "",
        ] {
            assert!(!Watch::Texts.mentions(text), "{text}");
        }
    }

    #[test]
    fn a_column_that_is_called_like_an_operation_says_so_unless_it_says_no() {
        assert_eq!((Watch::of("uses ReEncrypt"), Watch::of("remarks")), (Watch::Name, Watch::Texts));
        for text in ["yes", "是", "1", "12 calls", "true"] {
            assert!(Watch::Name.mentions(text), "{text}");
        }
        for text in
            ["no", "No.", "FALSE", "0", "0.0", "0 calls", "no (checked 2024)", "×", "否", "N/A", "none", "-", ""]
        {
            assert!(!Watch::Name.mentions(text), "{text}");
        }
    }

    #[test]
    fn deciding_members_are_found_at_any_depth() {
        let found = |text| field_inside(Cell::Object(text));
        assert_eq!(found(r#"{"a":{"b":[{"Origin":"EXTERNAL"}]}}"#).as_deref(), Some("Origin"));
        assert_eq!(found(r#"{"ReEncrypt":5}"#).as_deref(), Some("ReEncrypt"));
        for text in [
            r#"{"a":{"origin":null,"team":"x"}}"#,
            r#"{"calls":{"Encrypt":5,"ReEncrypt":0}}"#,
            r#"{"reencrypt":{"used":false}}"#,
            r#"{"git":{"origin":"https://example.com"}}"#,
            r#"{"locale":{"language":"en"}}"#,
        ] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(field_inside(Cell::List("x\u{1f}{\"operations\":[\"ReEncrypt\"]}")).as_deref(), Some("operations"));
        assert_eq!(found("{"), None);
    }
}
