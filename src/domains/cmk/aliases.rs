//! What inventories say of the aliases of a key.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::facts::{self, FACTS};
use super::fields::Field;
use super::observe::{Misread, misread};
use crate::bytes::{Sixteen, all, equal, letters, within};
use crate::domains::cell::Cell;
use crate::domains::spelling::{acts, has_row_of_x, is_none, is_unknown, masks, plain, unmarked};
use crate::engine::facts::Bits;

/// A blank alias cell means that the key has no alias: lists of keys leave it blank where there is none.
pub(super) fn aliases(cell: Cell<'_>) -> Result<Bits, Misread> {
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
            let mut is_any_hidden = false;
            for alias in &names {
                let alias = alias_of_arn(alias);
                match is_hidden(alias) {
                    true => is_any_hidden = true,
                    false => bits |= if is_none(alias) { none } else { alias_form(alias) },
                }
            }
            if is_any_hidden {
                return Ok(bits & facts::ALIAS_OF_SERVICE);
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
    cell.elements().map(bare).map(name).collect()
}

/// An alias without the marks of Markdown. Stars may also mask what stands before and behind a part of a name.
fn bare(text: &str) -> &str {
    let inner = unmarked(text);
    if inner.starts_with("alias/") || !text.contains('*') { inner } else { text }
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

/// Whether a cell hides an alias, or a part of one, that may be one of a service.
pub fn hides_alias(cell: Cell<'_>) -> bool {
    alias_names(cell).unwrap_or_default().iter().any(|name| is_hidden(alias_of_arn(name)))
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

/// Nobody calls anything by so many x in a row, but masks look like this.
const ROW_OF_X: usize = 4;

/// Whether the text is one alias of letters, digits, `-`, `/` and `_`, of which no part is hidden. Other texts need a
/// closer look.
#[inline]
pub fn is_plain_alias(text: &str) -> bool {
    let plain = |bytes| letters(bytes) | within(bytes, b'/', b'9') | equal(bytes, b'-') | equal(bytes, b'_');
    let Some(name) = text.strip_prefix("alias/") else { return false };
    // Of the names in which a row of x may hide that of a service, few begin like this.
    let is_candidate = matches!(name.as_bytes(), [b'a' | b'A' | b'x' | b'X' | b'/', ..]);
    let may_hide = is_candidate && !all(name, has_no_x) && has_row_of_x(name, ROW_OF_X);
    !may_hide && all(text, plain)
}

/// Which bytes are no `x`.
#[inline]
fn has_no_x(bytes: Sixteen) -> Sixteen {
    !equal(bytes | Sixteen::splat(0x20), b'x')
}

/// Whether a text hides a part of an alias, or of a list of aliases, and what is left may belong to the alias of a
/// service. Consoles cut long texts with dots; what is behind them may be another alias.
pub fn is_hidden(alias: &str) -> bool {
    let is_cut = |text: &str| text.contains(['…', '⋯']) || text.contains("..");
    let hides = |c: char| masks(c) || matches!(c, '×' | '?' | '？');
    if is_cut(alias) {
        return true;
    }
    let lower = alias.trim().to_lowercase();
    if matches!(
        lower.trim_start_matches("alias/"),
        "masked" | "redacted" | "hidden" | "[masked]" | "[redacted]" | "<masked>" | "<redacted>"
    ) {
        return true;
    }
    let row = if has_row_of_x(alias, ROW_OF_X) { lower.find("xxxx") } else { None };
    let Some(mask) = lower.find(hides).into_iter().chain(row).min() else { return false };
    let seen = lower.get(..mask).unwrap_or_default();
    ["alias/acs/", "acs/"].iter().any(|service| service.starts_with(seen) || seen.starts_with(service))
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
    let bare = |segment| str::trim_matches(segment, |c: char| !c.is_alphanumeric());
    let mut segments = seen.split('/').map(bare).filter(|segment| !segment.is_empty());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hide_the_alias_of_a_service_is_unknown() {
        let read = |text| aliases(Cell::Text(text));
        for text in [
            "****",
            "alias/****",
            "alias/a****",
            "alias/A****",
            "ali…",
            "ali...",
            "alias/a...",
            "alias/…",
            "alias/acs..",
            "alias/acs/o**",
            "xxxx",
            "alias/xxxx",
            "alias/axxxx",
            "alias/orders...",
            "alias/orders;alias/****",
            "alias/orders, …",
            "****/orders",
            "**oss**",
            "**acs/oss**",
            "ac***",
            "`alias/****`",
            "[\"alias/****\"]",
            "alias/•••",
            "REDACTED",
            "alias/orders;...",
        ] {
            assert_eq!(read(text), Ok(0), "{text}");
        }
        for text in
            ["alias/o****", "alias/orders-****-prod", "alias/xxx", "alias/orders.prod", "alias/oxxxx", "alias/a1"]
        {
            assert_eq!(read(text), Ok(facts::ALIAS_OF_USER), "{text}");
        }
        assert_eq!(read("alias/acs/oss;alias/****"), Ok(facts::ALIAS_OF_SERVICE));
        assert_eq!(read("alias/acs/oss"), Ok(facts::ALIAS_OF_SERVICE));
    }

    #[test]
    fn what_stands_around_an_alias_does_not_hide_it() {
        for text in ["`alias/acs/oss`", "**alias/acs/oss**", "**`alias/acs/oss`**", "`alias/acs/oss`, `alias/acs/rds`"]
        {
            assert_eq!(aliases(Cell::Text(text)), Ok(facts::ALIAS_OF_SERVICE), "{text}");
        }
        for text in ["'alias/acs/oss'", "\"alias/acs/oss\"", "<alias/acs/oss>", "alias/`acs`/oss"] {
            assert_ne!(aliases(Cell::Text(text)), Ok(facts::ALIAS_OF_USER), "{text}");
        }
    }
}
