//! What is said of keys where no field is read: in columns that nobody knows, and in descriptions. None of it decides
//! that a key can be migrated, but some of it decides that nobody knows.

use serde_json::Value;

use crate::domains::cell::Cell;
use crate::domains::cmk::fields::Field;
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
            Watch::Texts => mentions_forbidden(text),
            Watch::Name => !says_no(text),
        }
    }
}

fn says_no(text: &str) -> bool {
    const NO: [&str; 12] =
        ["no", "n", "false", "0", "never", "not", "notused", "unused", "否", "不", "未使用", "不使用"];
    is_unknown(text) || is_none(text) || NO.contains(&plain(text).as_str()) || text == "-"
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
            let says = !value.is_null() && value.as_str() != Some("");
            let decides = says && (Field::from_header(name).is_some_and(decides) || mentions_forbidden(name));
            if decides { Some(name.clone()) } else { deciding_name(value) }
        }),
        Value::Array(elements) => elements.iter().find_map(deciding_name),
        _ => None,
    }
}

/// Whether what becomes of a key depends on the field, and its name is used for little else.
pub fn decides(field: Field) -> bool {
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
            "导出数据密钥",
        ] {
            assert!(Watch::Texts.mentions(text), "{text}");
        }
        for text in ["encrypts orders", "data key", "密钥", "Decrypt", "y", "monkey", "cry", ""] {
            assert!(!Watch::Texts.mentions(text), "{text}");
        }
    }

    #[test]
    fn a_column_that_is_called_like_an_operation_says_so_unless_it_says_no() {
        assert_eq!((Watch::of("uses ReEncrypt"), Watch::of("remarks")), (Watch::Name, Watch::Texts));
        for text in ["yes", "是", "1", "12 calls", "true"] {
            assert!(Watch::Name.mentions(text), "{text}");
        }
        for text in ["no", "FALSE", "0", "否", "N/A", "none", "-", ""] {
            assert!(!Watch::Name.mentions(text), "{text}");
        }
    }

    #[test]
    fn deciding_members_are_found_at_any_depth() {
        let found = |text| field_inside(Cell::Object(text));
        assert_eq!(found(r#"{"a":{"b":[{"Origin":"EXTERNAL"}]}}"#).as_deref(), Some("Origin"));
        assert_eq!(found(r#"{"ReEncrypt":5}"#).as_deref(), Some("ReEncrypt"));
        assert_eq!(found(r#"{"a":{"origin":null,"team":"x"}}"#), None);
        assert_eq!(field_inside(Cell::List("x\u{1f}{\"operations\":[\"a\"]}")).as_deref(), Some("operations"));
        assert_eq!(found("{"), None);
    }
}
