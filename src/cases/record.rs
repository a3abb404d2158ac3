//! Rows of readers to records by a form: every cell understood, left out with its name, or the reason of a reject.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value::{Refused, accepted, choice, fact_of, modules, shown, texts_of, value_of};
use crate::domains::cell::{Cell, LIST_SEPARATOR};
use crate::domains::form::{FieldSpec, Form, OPEN, Of, PART_NAME, Reads, Side, Word};
use crate::domains::spelling::{is_none, is_unknown};
use crate::engine::facts::{Bits, Grade};
use crate::inventory::row::{Names, Place, Reject, Row};

/// What a cell or member says, before anybody asks what it means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Heard {
    /// One text.
    One(String),
    /// A list of texts.
    Many(Vec<String>),
    /// A list of objects.
    Objects(Vec<Vec<(String, Heard)>>),
}

/// One record with what it says by a form.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Where it stands, for people.
    pub at: String,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// How what it says is known.
    pub grade: Grade,
    /// Whether it is about one instance, not about a subject.
    pub is_instance: bool,
    /// Values of facts, by field and side.
    pub facts: Vec<(&'static str, Option<Side>, FactOf)>,
    /// Texts, by field and side.
    pub texts: Vec<(&'static str, Option<Side>, String)>,
    /// What is said of each module, by side; `?` if nobody knows.
    pub modules: Vec<(Option<Side>, String, String)>,
    /// Texts of parts, by field.
    pub parts: Vec<BTreeMap<&'static str, String>>,
    /// Columns that the form does not know.
    pub others: Vec<(String, String)>,
}

/// The facts that a field speaks of, and the values that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactOf {
    /// Whose the field is; a record about an instance is applied to either side.
    pub of: Of,
    /// The values.
    pub bits: Bits,
}

impl Record {
    /// The names by which a record about an instance calls it.
    pub fn instance_names(&self) -> impl Iterator<Item = &str> {
        let named = self.texts.iter().filter(|(field, side, _)| side.is_none() && matches!(*field, "name" | "host"));
        named.map(|(_, _, text)| text.as_str())
    }
}

/// What a field of a side is called.
pub(super) fn text_name(field: &str, side: Option<Side>) -> String {
    side.map_or_else(|| field.to_owned(), |side| format!("{}_{field}", side.name()))
}

/// The cells of a row that say something.
pub fn entries(names: &Names, row: &Row<'_>) -> Vec<(String, Heard)> {
    let mut entries = Vec::new();
    for (position, cell) in row.cells.iter() {
        let Some(name) = names.as_slice().get(usize::from(position)) else { continue };
        match cell {
            Cell::Absent | Cell::Blank => {}
            Cell::EmptyList => entries.push((name.clone(), Heard::Many(Vec::new()))),
            Cell::Text(text) | Cell::Flag(text) => entries.push((name.clone(), Heard::One(text.to_owned()))),
            Cell::Object(json) => {
                let value = serde_json::from_str(json).unwrap_or(Value::String(json.to_owned()));
                flatten(name, value, &mut entries);
            }
            Cell::List(text) => {
                let elements = text.split(LIST_SEPARATOR).map(|element| {
                    let object = serde_json::from_str(element).ok().filter(Value::is_object);
                    object.unwrap_or_else(|| Value::String(element.to_owned()))
                });
                flatten(name, Value::Array(elements.collect()), &mut entries);
            }
        }
    }
    entries
}

/// Members of objects get the object's name before their own: `source.posture` is `source_posture`.
fn flatten(name: &str, value: Value, entries: &mut Vec<(String, Heard)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (member, value) in members {
                let whole = if name.is_empty() { member } else { format!("{name}_{member}") };
                flatten(&whole, value, entries);
            }
        }
        Value::Array(elements) if elements.iter().any(Value::is_object) => {
            let object = |element: Value| {
                let mut members = Vec::new();
                match element {
                    Value::Object(_) => flatten("", element, &mut members),
                    other => flatten("name", other, &mut members),
                }
                members
            };
            entries.push((name.to_owned(), Heard::Objects(elements.into_iter().map(object).collect())));
        }
        Value::Array(elements) => {
            entries.push((name.to_owned(), Heard::Many(elements.iter().map(text_of).collect())));
        }
        plain => entries.push((name.to_owned(), Heard::One(text_of(&plain)))),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

/// A cell that is not understood.
struct Misread {
    column: String,
    value: String,
    expected: String,
}

/// Reads the entries of a record by a form.
///
/// # Errors
/// A cell is not understood, or the record says nothing that the form knows. What names the record's subject is read
/// all the same, so that the subject is known to lack a record.
pub fn understand(
    form: &'static Form,
    entries: &[(String, Heard)],
    at: &str,
    place: Place,
) -> Result<Record, Box<(Reject, Record)>> {
    let entries = &modules_together(form, entries);
    let fields: Vec<_> = entries.iter().map(|(column, _)| form.field(column)).collect();
    let about_subject = |field: &Option<(&FieldSpec, Option<Side>)>| {
        field.is_some_and(|(field, side)| side.is_some() || !matches!(field.of, Of::Side { .. }))
    };
    let is_instance = !fields.iter().any(about_subject);
    let mut record =
        Record { at: at.to_owned(), line: place.line, grade: Grade::Stated, is_instance, ..Record::default() };
    let mut wrong = None;
    let mut common = BTreeMap::new();
    for ((column, heard), field) in entries.iter().zip(&fields) {
        let taken = match field {
            Some((field, side)) if is_instance || side.is_some() || !matches!(field.of, Of::Side { .. }) => {
                take(form, &mut record, &mut common, field, *side, heard)
            }
            Some((FieldSpec { of: Of::Side { source: Some(_), .. }, .. }, None)) if !is_unknown(&shown(heard)) => {
                Err((shown(heard), format!("the side of which it is said, as in source_{column} or target_{column}")))
            }
            _ => {
                record.others.push((column.clone(), shown(heard)));
                Ok(())
            }
        };
        if let Err((value, expected)) = taken {
            wrong.get_or_insert(Misread { column: column.clone(), value, expected });
        }
    }
    if let Err((field, value, expected)) = settle_parts(form, &mut record, &common) {
        wrong.get_or_insert(Misread { column: field.to_owned(), value, expected });
    }
    let known = fields.iter().any(Option::is_some);
    if let Some(misread) = wrong {
        let reason = format!("expected {}", misread.expected);
        return Err(Box::new((Reject::cell(place, &misread.column, &misread.value, reason), record)));
    }
    if !known {
        let names: Vec<&str> = form.fields.iter().take(6).map(|field| field.name).collect();
        let reason = format!("none of its columns is one that {} have, such as {}", form.plural, names.join(", "));
        return Err(Box::new((Reject::whole(place, reason), record)));
    }
    if is_instance && record.instance_names().next().is_none() {
        let reason = "nothing names the instance: give its name, or the sides of a subject, as in source_ and target_";
        return Err(Box::new((Reject::whole(place, reason.to_owned()), record)));
    }
    Ok(record)
}

/// Members such as `source_wrapping_global.orders`, which an object of modules leaves behind, become one entry again.
fn modules_together(form: &'static Form, entries: &[(String, Heard)]) -> Vec<(String, Heard)> {
    let mut together: Vec<(String, Heard)> = Vec::new();
    for (column, heard) in entries {
        let Some((field, module)) = module_of(form, column) else {
            together.push((column.clone(), heard.clone()));
            continue;
        };
        let said = format!("{module}={}", shown(heard));
        match together.iter_mut().find(|(known, _)| known == field) {
            Some((_, Heard::Many(modules))) => modules.push(said),
            _ => together.push((field.to_owned(), Heard::Many(vec![said]))),
        }
    }
    together
}

/// The column of the field and the module's name, if the column is a field of modules with a module behind it.
fn module_of<'c>(form: &'static Form, column: &'c str) -> Option<(&'c str, &'c str)> {
    if form.field(column).is_some() {
        return None;
    }
    let cuts = column.match_indices('_').map(|(at, _)| (&column[..at], &column[at + 1..]));
    let of_modules =
        |column: &str| form.field(column).is_some_and(|(field, _)| matches!(field.reads, Reads::OfModules(..)));
    cuts.into_iter().find(|(column, module)| of_modules(column) && !module.is_empty())
}

/// What stands beside the specifications in a table's row is said of each of them.
///
/// # Errors
/// One of them says otherwise of itself: field, value and what was expected.
fn settle_parts(
    form: &Form,
    record: &mut Record,
    common: &BTreeMap<&'static str, String>,
) -> Result<(), (&'static str, String, String)> {
    if record.parts.is_empty() && !common.is_empty() {
        let names: Vec<&String> =
            record.texts.iter().filter(|(field, _, _)| *field == form.parts).map(|(_, _, name)| name).collect();
        let real = names.iter().filter(|name| !is_none(name));
        record.parts = real.map(|name| BTreeMap::from([(PART_NAME, (*name).clone())])).collect();
        if names.is_empty() {
            record.parts.push(BTreeMap::new());
        }
    }
    for part in &mut record.parts {
        for (field, text) in common {
            let own = part.entry(field).or_insert_with(|| text.clone());
            if own != text {
                return Err((field, text.clone(), format!("what one of the {} says of itself: {own}", form.parts)));
            }
        }
    }
    Ok(())
}

fn take(
    form: &'static Form,
    record: &mut Record,
    common: &mut BTreeMap<&'static str, String>,
    field: &'static FieldSpec,
    side: Option<Side>,
    heard: &Heard,
) -> Result<(), Refused> {
    if let (Heard::Objects(objects), true) = (heard, field.name == form.parts) {
        for object in objects {
            let part = part(form, object, &mut record.others)?;
            if let Some(name) = part.get(PART_NAME) {
                record.texts.push((field.name, None, name.clone()));
            }
            record.parts.push(part);
        }
        return Ok(());
    }
    if let Reads::OfModules(words, otherwise) = field.reads
        && let Some(modules) = modules(heard)
    {
        return take_modules(form, record, field, side, words, otherwise, &modules);
    }
    let Some(texts) = texts_of(field, heard)? else { return Ok(()) };
    if field.of == Of::Part {
        for text in texts {
            say_once(common, field.name, value_of(form, field, None, &text)?.0)?;
        }
        return Ok(());
    }
    if texts.is_empty() {
        record.texts.push((field.name, side, "none".to_owned()));
    }
    for text in texts {
        // What is known to be absent is no text of its kind.
        if matches!(field.reads, Reads::Text(check) if is_none(&text) && check(&text).is_err()) {
            continue;
        }
        let (text, bits) = value_of(form, field, side, &text)?;
        if bits != 0 {
            record.facts.push((field.name, side, FactOf { of: field.of, bits }));
        }
        record.texts.push((field.name, side, text));
    }
    Ok(())
}

fn take_modules(
    form: &'static Form,
    record: &mut Record,
    field: &'static FieldSpec,
    side: Option<Side>,
    words: &[Word],
    otherwise: &'static str,
    modules: &[(String, String)],
) -> Result<(), Refused> {
    let (mut all, mut kept, mut open) = (0, BTreeMap::new(), false);
    for (module, word) in modules {
        let (value, bits) = match is_unknown(word) {
            true => (OPEN.to_owned(), 0),
            false => choice(form, field, side, words, word).ok_or_else(|| {
                (word.clone(), format!("one of {} for the module {module}", accepted(form, field, words)))
            })?,
        };
        open |= bits == 0;
        all |= bits;
        if let Some(before) = kept.insert(module, value.clone()).filter(|before| *before != value) {
            return Err((word.clone(), format!("what is said before of the module {module}: {before}")));
        }
    }
    let whole = fact_of(field, side).map(|fact| &form.domain.facts[fact.index()]);
    let mixed = whole.and_then(|spec| spec.value(otherwise)).unwrap_or(0);
    // As long as a module is open, all others may still be alike.
    let bits = match all.count_ones() {
        0 => 0,
        1 if open => 0,
        1 => all,
        _ => mixed,
    };
    if bits != 0 {
        record.facts.push((field.name, side, FactOf { of: field.of, bits }));
        record.texts.push((field.name, side, whole.map(|spec| spec.show(bits)).unwrap_or_default()));
    }
    record.modules.extend(kept.into_iter().map(|(module, value)| (side, module.clone(), value)));
    Ok(())
}

/// Two columns that mean the same must say the same: neither may win in silence.
fn say_once(part: &mut BTreeMap<&'static str, String>, field: &'static str, text: String) -> Result<(), Refused> {
    match part.insert(field, text.clone()) {
        Some(before) if before != text => {
            Err((text, format!("what another column of the record says of {field}: {before}")))
        }
        _ => Ok(()),
    }
}

/// One object of a list of parts.
fn part(
    form: &'static Form,
    object: &[(String, Heard)],
    others: &mut Vec<(String, String)>,
) -> Result<BTreeMap<&'static str, String>, Refused> {
    let mut part = BTreeMap::new();
    for (member, heard) in object {
        match form.field(member).filter(|(field, _)| field.of == Of::Part) {
            Some((field, _)) => {
                for text in texts_of(field, heard)?.unwrap_or_default() {
                    say_once(&mut part, field.name, value_of(form, field, None, &text)?.0)?;
                }
            }
            None if member == PART_NAME => {
                part.insert(PART_NAME, shown(heard));
            }
            None => others.push((format!("{}.{member}", form.parts), shown(heard))),
        }
    }
    Ok(part)
}
