//! Cells to facts: what each field of an inventory says about a key.
//!
//! All parsing lives here. A blank or a word such as "N/A" makes a fact unknown; a value that is not
//! understood is a [`Misread`], never a guess.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::bytes::{all, equal, letters, within};
use crate::domains::cell::Cell;
use crate::engine::facts::Bits;

use super::applications::{in_vpc, language, network, several};
use super::facts::{self, FACTS};
use super::fields::Field;
use super::operations;
use super::periods::parse_interval;
use super::versions;
use super::words::{self, Word};
use crate::domains::spelling::{acts, is_none, is_unknown, plain};

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
/// are the same as others.
///
/// # Errors
/// The value is not understood.
pub fn observe(field: Field, cell: Cell<'_>) -> Result<Bits, Misread> {
    let is_wide = || cell.text().is_some_and(|text| !text.is_ascii());
    let refused = match read(field, cell) {
        Err(refused) if is_wide() => Err(refused),
        Ok(0) if is_wide() && is_unread(field, cell.text().unwrap_or_default()) => Ok(0),
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
    let value = cell.text().unwrap_or_default().replace(crate::domains::cell::LIST_SEPARATOR, ";");
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
/// another tool, is unknown and costs no record; see [`is_unread`].
fn label(field: Field, cell: Cell<'_>, table: &[Word]) -> Result<Bits, Misread> {
    match cell {
        Cell::Text(text) => Ok(lookup(field, table, &plain(text)).unwrap_or(0)),
        cell => choice(field, cell, table),
    }
}

/// Whether a text of which nothing is known is one that nobody understands: a word for a fact that decides nothing.
pub fn is_unread(field: Field, text: &str) -> bool {
    matches!(field, Field::State | Field::KeySpec | Field::KeyUsage | Field::ProtectionLevel) && !is_unknown(text)
}

/// What a cell of the field `usage` says if it is what the API calls KeyUsage, which other tools call usage: it says
/// nothing about who uses the key.
pub fn key_usage_under_usage(cell: Cell<'_>) -> Option<Bits> {
    let Cell::Text(text) = cell else { return None };
    let bits = observe(Field::KeyUsage, cell).unwrap_or(0);
    (bits != 0 && lookup(Field::Usage, words::USAGE, &plain(text)).is_none()).then_some(bits)
}

/// Whether a key rotates: in a word, or by the period after which it does.
fn rotation(cell: Cell<'_>) -> Result<Bits, Misread> {
    match (choice(Field::Rotation, cell, words::ROTATION), cell) {
        (Err(_), Cell::Text(text)) if is_period(text) => Ok(bit(facts::ROTATION.index(), "Enabled")),
        (read, _) => read,
    }
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
    let mut bits = 0;
    for element in cell.elements() {
        if is_unknown(element) {
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

/// A key is in the default instance, or in the one whose id is given (`kst-…`).
fn instance(cell: Cell<'_>) -> Result<Bits, Misread> {
    let (default, dedicated) = (bit(facts::INSTANCE.index(), "default"), bit(facts::INSTANCE.index(), "dedicated"));
    let Cell::Text(text) = cell else {
        return if matches!(cell, Cell::List(_)) { misplaced_list(Field::Instance, cell) } else { Ok(0) };
    };
    let word = plain(text);
    match word.as_str() {
        _ if is_unknown(text) => Ok(0),
        "default" | "defaultinstance" | "defaultkmsinstance" | "shared" | "默认" | "默认实例" | "kms默认实例" => {
            Ok(default)
        }
        "dedicated" | "dedicatedinstance" | "专属" => Ok(dedicated),
        _ if text.len() > 4 && text.to_lowercase().starts_with("kst-") && text.bytes().all(is_id_byte) => Ok(dedicated),
        _ => Err(misread(Field::Instance, cell, "default, or the id of a KMS instance (kst-…)")),
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*')
}

/// A blank alias cell means that the key has no alias: lists of keys leave it blank where there is none.
fn aliases(cell: Cell<'_>) -> Result<Bits, Misread> {
    let none = FACTS[facts::ALIASES.index()].none_bit();
    match cell {
        Cell::Absent => Ok(0),
        Cell::Blank | Cell::EmptyList => Ok(none),
        Cell::Text("true" | "false") => Err(misread(Field::Aliases, cell, ALIASES_EXPECTED)),
        Cell::Text(text) if is_plain_alias(text) => Ok(alias_form(text)),
        Cell::Text(text) | Cell::List(text) if is_unknown(text) => Ok(0),
        _ => {
            let mut bits = 0;
            let names = alias_names(cell).filter(|names| !names.iter().any(|name| is_no_alias(name)));
            let names = names.ok_or_else(|| misread(Field::Aliases, cell, ALIASES_EXPECTED))?;
            for alias in &names {
                let alias = alias_of_arn(alias);
                bits |= if is_none(alias) { none } else { alias_form(alias) };
            }
            if bits & none != 0 && bits != none {
                return Err(misread(Field::Aliases, cell, "either `none` or aliases, not both"));
            }
            Ok(bits)
        }
    }
}

const ALIASES_EXPECTED: &str =
    "names such as alias/orders, separated by `;`; `none` if there is none, `unknown` if nobody knows";

/// The aliases of a cell: texts as they stand, and of objects the member `AliasName`, as in replies of the API and
/// in the JSON that Steampipe writes into cells. Nothing if JSON is broken or names no alias.
pub fn alias_names<'a>(cell: Cell<'a>) -> Option<Vec<Cow<'a, str>>> {
    if let Cell::Text(text) = cell
        && text.starts_with(['[', '{'])
        && !is_none(text)
    {
        let parsed: serde_json::Value = serde_json::from_str(text).ok()?;
        let several = if let serde_json::Value::Array(several) = parsed { several } else { vec![parsed] };
        return several.iter().map(alias_name).map(|name| name.map(Cow::Owned)).collect();
    }
    let name = |element: &'a str| match element.strip_prefix('{') {
        None => Some(Cow::Borrowed(element)),
        Some(_) => alias_name(&serde_json::from_str(element).ok()?).map(Cow::Owned),
    };
    cell.elements().map(name).collect()
}

fn alias_name(value: &serde_json::Value) -> Option<String> {
    let named = |(name, _): &(&String, &serde_json::Value)| plain(name) == "aliasname";
    let name = match value {
        serde_json::Value::Object(members) => members.iter().find(named)?.1.as_str()?,
        value => value.as_str()?,
    };
    Some(name.to_owned())
}

/// Whether an element of a list of aliases cannot be one: JSON, a hole, or text around an alias.
fn is_no_alias(element: &str) -> bool {
    element.starts_with(['{', '[']) && !is_none(element)
        || is_unknown(element)
        || alias_of_arn(element).rfind("alias/").is_some_and(|at| at > 0)
}

/// The alias that an alias ARN names (`acs:kms:<region>:<account>:alias/<name>`), or the text itself.
fn alias_of_arn(text: &str) -> &str {
    let named = text.strip_prefix("acs:kms:").and_then(|rest| rest.splitn(3, ':').nth(2));
    named.filter(|name| name.starts_with("alias/")).unwrap_or(text)
}

/// The form of one alias. Service keys have the exact form `alias/acs/<service>`, in lower case, with one
/// segment that is not empty and has no white space.
#[inline]
pub fn alias_form(alias: &str) -> Bits {
    // Most names differ from `acs` in the first letter.
    let first = alias.strip_prefix("alias/").and_then(|name| name.bytes().next());
    if first.is_some_and(|first| first.is_ascii_alphanumeric() && !first.eq_ignore_ascii_case(&b'a')) {
        return facts::ALIAS_OF_USER;
    }
    match alias.strip_prefix("alias/acs/") {
        Some(service) if is_service_name(service) => facts::ALIAS_OF_SERVICE,
        _ if resembles_service_alias(alias) => facts::ALIAS_LOOK_ALIKE,
        _ => facts::ALIAS_OF_USER,
    }
}

/// Whether the text is one alias of letters, digits, `-`, `.`, `/` and `_`. Other texts need a closer look.
#[inline]
pub fn is_plain_alias(text: &str) -> bool {
    let plain = |bytes| letters(bytes) | within(bytes, b'-', b'9') | equal(bytes, b'_');
    text.starts_with("alias/") && all(text, plain)
}

fn is_service_name(segment: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && c != '/' && !c.is_ascii_uppercase();
    !segment.is_empty() && segment.chars().all(plain)
}

/// Whether an alias looks like that of a service key to a person, or to a system that is less strict: whatever its case,
/// its blanks, doubled slashes, full-width or invisible characters, and letters of other alphabets that look alike.
fn resembles_service_alias(alias: &str) -> bool {
    // Many names begin with `a`; what may hide something needs a closer look.
    let name = alias.strip_prefix("alias/").filter(|name| is_plain_alias(alias) && !name.starts_with('/'));
    if let Some(name) = name {
        let first = name.split('/').next().unwrap_or_default();
        return first.eq_ignore_ascii_case("acs");
    }
    let seen = alias.nfkc().filter(|c| !c.is_whitespace() && !acts(*c)).flat_map(char::to_lowercase).map(latin);
    let seen: String = seen.collect();
    let mut segments = seen.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next();
    first == Some("acs") || first == Some("alias") && segments.next() == Some("acs")
}

/// The letter of `alias/acs/` that a letter of another alphabet looks like.
fn latin(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'ӏ' | 'ι' | '|' => 'l',
        'і' | 'ı' => 'i',
        'ѕ' | 'ꜱ' => 's',
        'с' | 'ϲ' | 'ᴄ' => 'c',
        '\\' | '⁄' | '∕' => '/',
        c => c,
    }
}

/// The key spec; one that is newer than this program is unknown, for it decides nothing here.
fn key_spec(cell: Cell<'_>) -> Bits {
    let Cell::Text(text) = cell else { return 0 };
    let spec = &FACTS[facts::KEY_SPEC.index()];
    let same = |name: &&&str| plain(name) == plain(text);
    spec.values.iter().find(same).and_then(|name| spec.value(name)).unwrap_or(0)
}
