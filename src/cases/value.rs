//! One cell by its field: texts, values of facts, modules, moments.

use jiff::Timestamp;

use super::record::Heard;
use crate::domains::cell::is_list_separator;
use crate::domains::form::{FieldSpec, Form, PART_NAME, Reads, Side, Word};
use crate::domains::spelling::{is_none, is_unknown, plain};
use crate::engine::facts::{Bits, FactId};

/// What stands there, and what was expected.
pub(super) type Refused = (String, String);

/// Modules with what is said of each; nothing if it is said of the instance as a whole.
pub(super) fn modules(heard: &Heard) -> Option<Vec<(String, String)>> {
    let split = |text: &str| {
        let (module, word) = text.split_once('=')?;
        Some((module.trim().to_owned(), word.trim().to_owned()))
    };
    let of_object = |members: &Vec<(String, Heard)>| {
        let member = |wanted: &dyn Fn(&str) -> bool| {
            members.iter().find(|(name, _)| wanted(name)).map(|(_, heard)| shown(heard))
        };
        Some((member(&|name| name == PART_NAME)?, member(&|name| name != PART_NAME)?))
    };
    match heard {
        Heard::One(text) if text.contains('=') => {
            text.split(is_list_separator).map(str::trim).filter(|element| !element.is_empty()).map(split).collect()
        }
        Heard::Many(texts) => texts.iter().map(|text| split(text)).collect(),
        Heard::Objects(objects) => objects.iter().map(of_object).collect(),
        Heard::One(_) => None,
    }
}

/// The texts of a cell; nothing if it says that nobody knows.
pub(super) fn texts_of(field: &FieldSpec, heard: &Heard) -> Result<Option<Vec<String>>, Refused> {
    let is_list = matches!(field.reads, Reads::Texts);
    match heard {
        Heard::One(text) if is_unknown(text) => Ok(None),
        Heard::One(text) if is_list => {
            let elements = text.split(is_list_separator).map(str::trim).filter(|element| !element.is_empty());
            Ok(known(elements.map(str::to_owned).collect()))
        }
        Heard::One(text) => Ok(Some(vec![text.clone()])),
        Heard::Many(texts) if is_list => Ok(known(texts.clone())),
        Heard::Many(texts) => match texts.as_slice() {
            [] => Ok(None),
            [text] => Ok((!is_unknown(text)).then(|| vec![text.clone()])),
            _ => Err((texts.join("; "), "one value, not a list".to_owned())),
        },
        Heard::Objects(_) => Err((shown(heard), "a text, not a list of objects".to_owned())),
    }
}

/// The elements that say something; nothing if there are elements and none does.
fn known(elements: Vec<String>) -> Option<Vec<String>> {
    let known: Vec<String> = elements.iter().filter(|text| !is_unknown(text)).cloned().collect();
    (elements.is_empty() || !known.is_empty()).then_some(known)
}

/// The text to keep, and the values of the field's fact.
pub(super) fn value_of(
    form: &'static Form,
    field: &'static FieldSpec,
    side: Option<Side>,
    text: &str,
) -> Result<(String, Bits), Refused> {
    match field.reads {
        Reads::Texts => Ok((text.to_owned(), 0)),
        Reads::Text(check) => {
            check(text).map(|text| (text, 0)).map_err(|expected| (text.to_owned(), expected.to_owned()))
        }
        Reads::Time => moment(text).map(|moment| (moment.to_string(), 0)).ok_or_else(|| {
            (text.to_owned(), "a date and time, such as 2026-11-21T08:30:00Z (without a zone it is UTC)".to_owned())
        }),
        Reads::Presence(words) => presence(words, text)
            .map(|value| (value.to_owned(), 0))
            .ok_or_else(|| (text.to_owned(), "yes or no, or a name such as global.orders".to_owned())),
        Reads::Choice(words) | Reads::OfModules(words, _) => choice(form, field, side, words, text)
            .ok_or_else(|| (text.to_owned(), format!("one of {}", accepted(form, field, words)))),
        // That there is no label says nothing of what it would be.
        Reads::Label(..) if is_none(text) => Ok((text.to_owned(), 0)),
        Reads::Label(words, otherwise) => {
            let bits = choice(form, field, side, words, text).map_or_else(
                || fact_of(field, side).map_or(0, |fact| form.domain.facts[fact.index()].value(otherwise).unwrap_or(0)),
                |(_, bits)| bits,
            );
            Ok((text.to_owned(), bits))
        }
    }
}

/// The field's fact; of a field of both sides that of either, for their values are the same.
pub(super) fn fact_of(field: &FieldSpec, side: Option<Side>) -> Option<FactId> {
    field.of.fact(side).or_else(|| field.of.fact(Some(Side::Source)))
}

pub(super) fn choice(
    form: &'static Form,
    field: &'static FieldSpec,
    side: Option<Side>,
    words: &[Word],
    text: &str,
) -> Option<(String, Bits)> {
    let wanted = plain(text);
    let spec = fact_of(field, side).map(|fact| &form.domain.facts[fact.index()]);
    let named = spec.and_then(|spec| spec.values.iter().find(|value| plain(value) == wanted));
    let word = words.iter().find(|(word, _)| *word == wanted).map(|(_, value)| value);
    let value = *named.or(word)?;
    Some((value.to_owned(), spec.and_then(|spec| spec.value(value)).unwrap_or(0)))
}

pub(super) fn accepted(form: &'static Form, field: &'static FieldSpec, words: &[Word]) -> String {
    let spec = fact_of(field, None).map(|fact| &form.domain.facts[fact.index()]);
    let mut values: Vec<&str> = spec.map_or_else(Vec::new, |spec| spec.values.to_vec());
    for (_, value) in words {
        if !values.contains(value) {
            values.push(value);
        }
    }
    values.join(", ")
}

/// Whether something is there: a name such as `global.orders` or `K-17` stands for a yes, words that deny for a no. What
/// consists of letters and blanks alone may be a state as well as a name, and is not understood.
fn presence(words: &[Word], text: &str) -> Option<&'static str> {
    let wanted = plain(text);
    let first = text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
    let denies = matches!(first.to_lowercase().as_str(), "no" | "not" | "non" | "without" | "never");
    let word = words.iter().find(|(word, _)| *word == wanted).map(|(_, value)| *value);
    let is_name = !text.contains(char::is_whitespace) && !text.chars().all(char::is_alphabetic);
    let name = || is_name.then_some("yes");
    word.or((denies || is_none(text)).then_some("no")).or_else(name)
}

/// A moment: with a zone or offset, or in UTC.
pub fn moment(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|zoned| zoned.timestamp()))
}

/// What stands in a cell, as one text.
pub(super) fn shown(heard: &Heard) -> String {
    match heard {
        Heard::One(text) => text.clone(),
        Heard::Many(texts) => texts.join("; "),
        Heard::Objects(objects) => format!("{} objects", objects.len()),
    }
}
