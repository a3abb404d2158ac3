//! How many versions a key has, as inventories write it.

use super::facts;
use super::fields::Field;
use super::observe::{Misread, bit, lookup, misread};
use super::words;
use crate::domains::cell::Cell;
use crate::domains::spelling::{is_none, is_unknown, plain};
use crate::engine::facts::Bits;

/// The number of versions, in digits or in words, or the list of their ids.
pub(super) fn versions(cell: Cell<'_>) -> Result<Bits, Misread> {
    let (one, several) = (bit(facts::VERSIONS.index(), "one"), bit(facts::VERSIONS.index(), "several"));
    let expected = "the number of key versions, 1 or more";
    match cell {
        Cell::Text(text) if is_unknown(text) => Ok(0),
        Cell::Text(text) => match count(text) {
            Some(0) => Err(misread(Field::Versions, cell, expected)),
            Some(1) => Ok(one),
            Some(_) => Ok(several),
            None => lookup(Field::Versions, words::VERSIONS, &plain(text))
                .ok_or_else(|| misread(Field::Versions, cell, expected)),
        },
        // A list of version ids; a number in a list may be a count, and a hole in it may be anything.
        Cell::List(text) => {
            let is_id = |id: &str| {
                !id.trim().is_empty() && !is_unknown(id) && !id.starts_with('[') && id.parse::<f64>().is_err()
            };
            let ids = || text.split(crate::domains::cell::LIST_SEPARATOR);
            let plain_ids = ids().all(|id| is_id(id) && !id.contains([';', ',', '|']) && !is_none(id));
            match ids().count() {
                _ if !plain_ids => {
                    Err(misread(Field::Versions, cell, "the number of key versions, or the list of their ids"))
                }
                1 => Ok(one),
                _ => Ok(several),
            }
        }
        Cell::EmptyList => Err(misread(Field::Versions, cell, expected)),
        _ => Ok(0),
    }
}

/// A count as people and programs write it: `2`, `2.0`, `2个版本`, `2 version(s)`.
fn count(text: &str) -> Option<u64> {
    const UNITS: &[&str] =
        &["", "个", "个版本", "个密钥版本", "version", "versions", "version(s)", "keyversion", "keyversions"];
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = text.split_at_checked(digits)?;
    let unit = match rest.strip_prefix('.') {
        // Programs that know blank cells write all numbers of a column as fractions.
        Some(decimals) => decimals.strip_prefix('0')?.trim_start_matches('0'),
        // In much of Europe the comma stands for the point; three zeros make a thousand in the rest of the world.
        None if matches!(rest, ",0" | ",00") => "",
        None => rest,
    };
    UNITS.contains(&plain(unit).as_str()).then(|| number.parse().ok()).flatten()
}

/// Whether a key has several versions: yes or no, or how many.
pub(super) fn multiple_versions(cell: Cell<'_>) -> Result<Bits, Misread> {
    let field = Field::MultipleVersions;
    let expected = "yes or no, or the number of key versions in words (`1 version`): 0 and 1 may mean either";
    match cell {
        Cell::Text(text) if is_unknown(text) => Ok(0),
        Cell::Text("0" | "1") => Err(misread(field, cell, expected)),
        Cell::Text(text) => match lookup(field, words::SEVERAL_VERSIONS, &plain(text)) {
            Some(bits) => Ok(bits),
            None => versions(cell).map_err(|_| misread(field, cell, expected)),
        },
        Cell::List(_) | Cell::EmptyList => Err(misread(field, cell, expected)),
        _ => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(bits: Result<Bits, Misread>) -> Option<String> {
        bits.ok().map(|bits| facts::FACTS[facts::VERSIONS.index()].show(bits))
    }

    #[test]
    fn counts_are_read_as_people_and_programs_write_them() {
        for (text, expected) in [
            ("1", "one"),
            ("1.0", "one"),
            ("2.0", "several"),
            ("1.00", "one"),
            ("1,0", "one"),
            ("2,00", "several"),
            ("1个", "one"),
            ("2 个版本", "several"),
            ("1 version(s)", "one"),
            ("3 versions", "several"),
            ("single", "one"),
        ] {
            assert_eq!(show(versions(Cell::Text(text))).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "1.5",
            "0",
            "0.0",
            "-1",
            "1.",
            "1e0",
            "v1",
            "1 or 2",
            "1,5",
            "1,000",
            "yes",
            "no",
            "+1",
            "99999999999999999999999",
        ] {
            assert!(versions(Cell::Text(text)).is_err(), "{text}");
        }
        assert_eq!(versions(Cell::Text("NaN")), Ok(0));
    }

    #[test]
    fn whether_there_are_several_is_answered_by_yes_or_no() {
        for (text, expected) in [
            ("是", "several"),
            ("yes", "several"),
            ("否", "one"),
            ("No", "one"),
            ("3", "several"),
            ("1个", "one"),
            ("单个", "one"),
        ] {
            assert_eq!(show(multiple_versions(Cell::Text(text))).as_deref(), Some(expected), "{text}");
        }
        for text in ["0", "1", "1.5", "maybe"] {
            assert!(multiple_versions(Cell::Text(text)).is_err(), "{text}");
        }
        assert_eq!(multiple_versions(Cell::Text("?")), Ok(0));
    }
}
