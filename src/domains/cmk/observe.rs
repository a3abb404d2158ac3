//! Cells to facts: what each field of an inventory says about a key.
//!
//! All parsing lives here. A blank or a word such as "N/A" makes a fact unknown; a value that is not
//! understood is a [`Misread`], never a guess.

use unicode_normalization::UnicodeNormalization as _;

use crate::domains::cell::{Cell, LIST_SEPARATOR};
use crate::engine::facts::Bits;

use super::aliases::aliases;
use super::applications::{in_vpc, language, network, several};
use super::facts::{self, FACTS};
use super::fields::Field;
use super::operations;
use super::periods::parse_interval;
use super::versions;
use super::words::{self, Word};
use crate::domains::spelling::{bracketed, is_none, is_unknown, plain, unmarked};

/// A value that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The field.
    pub field: Field,
    /// What stands there.
    pub value: String,
    /// What was expected.
    pub expected: String,
}

/// The values that a cell gives to the field's fact; `0` if it says that nobody knows. Full-width letters and digits
/// are the same as others, and what Markdown puts around code and bold text is no part of it.
///
/// # Errors
/// The value is not understood.
pub fn observe(field: Field, cell: Cell<'_>) -> Result<Bits, Misread> {
    let cell = match cell {
        // Of aliases, stars may also be a mask.
        Cell::Text(text) if field != Field::Aliases => Cell::of_table(unmarked(text)),
        cell => cell,
    };
    let is_wide = || cell.text().is_some_and(|text| !text.is_ascii());
    let refused = match read(field, cell) {
        Err(refused) if is_wide() => Err(refused),
        Ok(0) if is_wide() && is_unknown_label(field, cell.text().unwrap_or_default()) => Ok(0),
        understood => return understood,
    };
    let narrow: String = cell.text().unwrap_or_default().nfkc().collect();
    let cell = match cell {
        Cell::List(_) => Cell::List(&narrow),
        Cell::Flag(_) => Cell::Flag(&narrow),
        Cell::Object(_) => Cell::Object(&narrow),
        _ => Cell::of_table(&narrow),
    };
    read(field, cell).or(refused)
}

/// What a column of key types or creators says, which is either who manages the key or its spec: the old console
/// calls the spec 密钥类型, which lists made by hand use for service keys and CMKs.
///
/// # Errors
/// A key type is none of both.
pub fn key_type(field: Field, cell: Cell<'_>) -> Result<(Field, Bits), Misread> {
    let nothing = Ok((Field::ManagerType, 0));
    let Cell::Text(text) = cell else { return nothing };
    let narrow: String = text.nfkc().collect();
    let word = plain(&narrow);
    if let Some(bits) = lookup(Field::ManagerType, words::MANAGER_TYPE, &word) {
        return Ok((Field::ManagerType, bits));
    }
    let spec = key_spec(Cell::Text(&narrow));
    let resembles_spec =
        ["aliyun", "rsa", "ec", "aes", "sm", "des", "hmac"].iter().any(|start| word.starts_with(start));
    if field == Field::Creator || is_unknown(&narrow) || words::OTHER_KEY_TYPES.contains(&word.as_str()) {
        nothing
    } else if spec != 0 || resembles_spec {
        Ok((Field::KeySpec, spec))
    } else {
        Err(misread(field, cell, "a key spec such as Aliyun_AES_256, or service or customer (服务密钥, 用户主密钥)"))
    }
}

fn read(field: Field, cell: Cell<'_>) -> Result<Bits, Misread> {
    let cell = match cell {
        Cell::Flag(text) => Cell::Text(text),
        Cell::Object(_) if field.spec().fact.is_some() => {
            return Err(misread(field, cell, "a text or a list, not an object"));
        }
        cell => cell,
    };
    match field {
        Field::Resource => choice(field, cell, words::RESOURCE),
        Field::Instance => instance(cell),
        Field::Aliases => aliases(cell),
        Field::ManagerType => choice(field, cell, words::MANAGER_TYPE),
        Field::Origin => choice(field, cell, words::ORIGIN),
        Field::Rotation => rotation(cell),
        Field::Versions => versions::versions(cell),
        Field::MultipleVersions => versions::multiple_versions(cell),
        // Of a table with a column for KeyUsage, or as an assumption.
        Field::Usage if key_usage_under_usage(cell).is_some() => Ok(0),
        Field::Usage => list(field, cell, |word| several(word, |word| lookup(field, words::USAGE, &plain(word)))),
        Field::ServiceUse => choice(field, cell, words::SERVICE_USE),
        Field::Operations => list(field, cell, operations::operations),
        Field::Languages => list(field, cell, |word| several(word, language)),
        Field::Network => list(field, cell, |word| several(word, network)),
        Field::InVpc => in_vpc(cell),
        Field::State => label(field, cell, words::STATE),
        Field::KeySpec => Ok(key_spec(cell)),
        Field::KeyUsage => label(field, cell, words::KEY_USAGE),
        Field::ProtectionLevel => label(field, cell, words::PROTECTION_LEVEL),
        _ => Ok(0),
    }
}

/// The bit of a value that is known to exist; a test asks for every one used here.
pub(super) fn bit(fact: usize, value: &str) -> Bits {
    FACTS[fact].value(value).unwrap_or_default()
}

fn fact_of(field: Field) -> usize {
    field.spec().fact.map_or(0, |fact| fact.index())
}

pub(super) fn misread(field: Field, cell: Cell<'_>, expected: impl Into<String>) -> Misread {
    let value = cell.text().unwrap_or_default().replace(LIST_SEPARATOR, ";");
    Misread { field, value, expected: expected.into() }
}

/// The bits of a word, if it is in the table.
pub(super) fn lookup(field: Field, table: &[Word], word: &str) -> Option<Bits> {
    let (_, values) = table.iter().find(|(known, _)| *known == word)?;
    Some(values.iter().fold(0, |bits, value| bits | bit(fact_of(field), value)))
}

/// The values of the field's fact, for messages.
fn accepted(field: Field) -> String {
    FACTS[fact_of(field)].values.join(", ")
}

/// A field that holds one of few words.
fn choice(field: Field, cell: Cell<'_>, table: &[Word]) -> Result<Bits, Misread> {
    match cell {
        Cell::Text(text) if is_unknown(text) => Ok(0),
        Cell::Text(text) => lookup(field, table, &plain(text))
            .ok_or_else(|| misread(field, cell, format!("one of {}; leave it blank if nobody knows", accepted(field)))),
        Cell::List(_) => misplaced_list(field, cell),
        _ => Ok(0),
    }
}

/// A field that holds one of few words and decides nothing, so that a word that is newer than this program, or of
/// another tool, is unknown and costs no record; see [`is_unknown_label`].
fn label(field: Field, cell: Cell<'_>, table: &[Word]) -> Result<Bits, Misread> {
    match cell {
        Cell::Text(text) => Ok(lookup(field, table, &plain(text)).unwrap_or(0)),
        cell => choice(field, cell, table),
    }
}

/// Whether a text of which nothing is known is one that nobody understands: a word for a fact that decides nothing.
pub fn is_unknown_label(field: Field, text: &str) -> bool {
    matches!(field, Field::State | Field::KeySpec | Field::KeyUsage | Field::ProtectionLevel) && !is_unknown(text)
}

/// What a cell of the field `usage` says if it is what the API calls KeyUsage, which other tools call usage: it says
/// nothing about who uses the key.
pub fn key_usage_under_usage(cell: Cell<'_>) -> Option<Bits> {
    let Cell::Text(text) = cell else { return None };
    let bits = observe(Field::KeyUsage, cell).unwrap_or(0);
    (bits != 0 && lookup(Field::Usage, words::USAGE, &plain(text)).is_none()).then_some(bits)
}

/// Whether a key rotates: in a word, by the period after which it does, or in a word with the period in brackets.
fn rotation(cell: Cell<'_>) -> Result<Bits, Misread> {
    let Cell::Text(text) = cell else { return choice(Field::Rotation, cell, words::ROTATION) };
    let text = text.replace("轮换", "轮转");
    let read = choice(Field::Rotation, Cell::Text(&text), words::ROTATION);
    // `-1` is neither yes nor a period, and `-0` no more so.
    let has_number = text.contains(|c: char| c.is_ascii_digit()) && !matches!(text.trim(), "0" | "1");
    match read {
        Ok(bits) if bits == 0 || !has_number => Ok(bits),
        Err(_) if is_period(&text) => Ok(bit(facts::ROTATION.index(), "Enabled")),
        _ => rotation_with_reason(&text).ok_or_else(|| {
            let expected = format!("one of {}, or a period; leave it blank if nobody knows", accepted(Field::Rotation));
            misread(Field::Rotation, cell, expected)
        }),
    }
}

/// What stands beside a word for rotation: its period, or that the key is asymmetric. KMS rotates symmetric keys only. That
/// rotation is "not supported" has many reasons, and tells nothing alone.
fn rotation_with_reason(text: &str) -> Option<Bits> {
    let cannot = |head: &str| words::NOT_ROTATABLE.contains(&plain(head).as_str());
    if cannot(text) {
        return Some(0);
    }
    let (head, inner) = bracketed(text)?;
    let on = bit(facts::ROTATION.index(), "Enabled");
    let is_on = lookup(Field::Rotation, words::ROTATION, &plain(head)) == Some(on) && !head.contains('-');
    if is_on && is_period(inner) {
        return Some(on);
    }
    let is_asymmetric = ["asymmetric", "asymmetrickey", "非对称", "非对称密钥"].contains(&plain(inner).as_str());
    (is_asymmetric && (cannot(head) || matches!(plain(head).as_str(), "n/a" | "na")))
        .then(|| bit(facts::ROTATION.index(), "Disabled"))
}

/// Whether a text is a period after which keys rotate. A number alone may also be a yes or a count; periods have at
/// least 7 days (KMS API, `UpdateRotationPolicy`).
fn is_period(text: &str) -> bool {
    let is_number = text.trim().bytes().all(|byte| byte.is_ascii_digit());
    parse_interval(text).is_some_and(|seconds| !is_number || seconds >= 7 * 86_400)
}

fn misplaced_list(field: Field, cell: Cell<'_>) -> Result<Bits, Misread> {
    Err(misread(field, cell, format!("one value, not a list: {}", accepted(field))))
}

/// A field that holds a list: of members, or "none", or nothing known.
pub(super) fn list(field: Field, cell: Cell<'_>, member: impl Fn(&str) -> Option<Bits>) -> Result<Bits, Misread> {
    let none = FACTS[fact_of(field)].none_bit();
    if cell == Cell::EmptyList {
        return Ok(none);
    }
    if cell.text().is_some_and(is_unknown) {
        return Ok(0);
    }
    let array = if let Cell::Text(text) = cell { json_array(text) } else { None };
    if let Some(elements) = &array {
        return list(field, if elements.is_empty() { Cell::EmptyList } else { Cell::List(elements) }, member);
    }
    let mut bits = 0;
    for element in cell.elements().map(unmarked) {
        if is_unknown(element) || is_cut(element) {
            return Err(misread(field, cell, "a list that is known in full, or a blank cell"));
        }
        bits |= if is_none(element) {
            none
        } else {
            member(element).ok_or_else(|| {
                misread(
                    field,
                    Cell::Text(element),
                    format!("one of {}; {}", accepted(field), "`none` if there is none, blank if nobody knows"),
                )
            })?
        };
    }
    if bits & none != 0 && bits != none {
        return Err(misread(field, cell, "either `none` or members, not both"));
    }
    Ok(bits)
}

/// The elements of a JSON array of texts that stands in a cell, as those of a list.
fn json_array(text: &str) -> Option<String> {
    if !text.starts_with('[') || is_none(text) {
        return None;
    }
    let elements: Vec<String> = serde_json::from_str(text).ok()?;
    // A blank among them is a hole in the list, which is not to be passed over.
    let is_whole = |element: &String| !element.trim().is_empty() && !element.contains(LIST_SEPARATOR);
    elements.iter().all(is_whole).then(|| elements.join("\u{1f}"))
}

/// Whether an element of a list ends in the dots with which consoles cut long lists. Nobody knows what else was there.
fn is_cut(element: &str) -> bool {
    element.contains(['…', '⋯', '︙']) || element.contains("..") || element.contains("。。")
}

/// A key is in the default instance, or in the one whose id is given (`kst-…`).
fn instance(cell: Cell<'_>) -> Result<Bits, Misread> {
    let (default, dedicated) = (bit(facts::INSTANCE.index(), "default"), bit(facts::INSTANCE.index(), "dedicated"));
    let Cell::Text(text) = cell else {
        return if matches!(cell, Cell::List(_)) { misplaced_list(Field::Instance, cell) } else { Ok(0) };
    };
    let word = plain(text);
    match word.as_str() {
        _ if is_unknown(text) => Ok(0),
        "default"
        | "defaultinstance"
        | "defaultkmsinstance"
        | "defaultkeymanagement"
        | "shared"
        | "默认"
        | "默认实例"
        | "kms默认实例"
        | "默认密钥管理" => Ok(default),
        "dedicated" | "dedicatedinstance" | "专属" => Ok(dedicated),
        _ if text.len() > 4 && text.to_lowercase().starts_with("kst-") && text.bytes().all(is_id_byte) => Ok(dedicated),
        _ => Err(misread(Field::Instance, cell, "default, or the id of a KMS instance (kst-…)")),
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*')
}

/// The key spec; one that is newer than this program is unknown, for it decides nothing here.
fn key_spec(cell: Cell<'_>) -> Bits {
    let Cell::Text(text) = cell else { return 0 };
    let spec = &FACTS[facts::KEY_SPEC.index()];
    let same = |name: &&&str| plain(name) == plain(text);
    spec.values.iter().find(same).and_then(|name| spec.value(name)).unwrap_or(0)
}
