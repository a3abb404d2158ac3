//! What an object that wraps a list of records says beside it: further records, and what nobody must lose of the keys
//! in the list.

use std::mem;
use std::ops::Range;

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::members::{Pairs, named_keys, offset_of};
use crate::domains::cmk::fields::Field;
use crate::domains::spelling::{is_unknown, plain};
use crate::inventory::mentions::{has_mention, is_affirmed};
use crate::inventory::tidy::{is_new_id, is_uuid, key_ids_in, keys_named_in};

/// What stands beside the lists of a wrapper, with an empty list for each that was cut out.
#[derive(Debug)]
pub(super) struct Wrapper {
    /// The line on which it begins.
    pub(super) line: u64,
    pub(super) text: Vec<u8>,
    /// Where pieces of the text begin, and their lines in the file.
    pub(super) pieces: Vec<(usize, u64)>,
    /// Its records among those that were not handed over yet.
    pub(super) records: Range<usize>,
    /// Whether others were handed over before.
    pub(super) is_begun: bool,
    /// Whether it is rejected as a record that was not read.
    pub(super) is_torn: bool,
    /// Whether it names a key, so that it speaks of that one and not of those in its lists.
    pub(super) names_key: bool,
}

impl Wrapper {
    /// The line of the file on which a part of the text begins.
    pub(super) fn line_of(&self, offset: usize) -> u64 {
        let piece = self.pieces.iter().rev().find(|(start, _)| *start <= offset);
        let (start, line) = piece.copied().unwrap_or((0, self.line));
        line + super::csv::count_lines(self.text.get(start..offset).unwrap_or_default())
    }
}

/// What wrappers say beside their lists is kept up to this length, all pieces of one together.
const MAX_LENGTH: usize = 32 << 20;

/// Collects what the object at hand says beside lists of records, while these are handed over.
#[derive(Debug, Default)]
pub(super) struct Collected {
    text: Vec<u8>,
    pieces: Vec<(usize, u64)>,
    /// Place and line from which on nothing was copied.
    from: (usize, u64),
    /// The position of its first record, and whether others were handed over before.
    first_record: usize,
    is_begun: bool,
    /// Whether more stands there than is kept.
    pub(super) is_too_much: bool,
}

impl Collected {
    /// A new object begins there; its first record will have this position.
    pub(super) fn begin(&mut self, start: (usize, u64), first_record: usize) {
        let (text, pieces, is_too_much) = (mem::take(&mut self.text), mem::take(&mut self.pieces), self.is_too_much);
        *self = Collected { text, pieces, from: start, first_record, is_begun: false, is_too_much };
        self.text.clear();
        self.pieces.clear();
    }

    /// So many bytes were handed over, and so many records.
    pub(super) fn rebase(&mut self, bytes: usize, records: usize) {
        self.from.0 = self.from.0.saturating_sub(bytes);
        self.is_begun |= records > self.first_record;
        self.first_record = 0;
    }

    /// Copies what was not copied, up to there.
    pub(super) fn copy(&mut self, bytes: &[u8], end: usize) {
        let piece = bytes.get(self.from.0..end).unwrap_or_default();
        if self.text.len() + piece.len() > MAX_LENGTH {
            self.is_too_much = true;
            return;
        }
        self.pieces.push((self.text.len(), self.from.1));
        self.text.extend(piece);
    }

    /// The same, up to a list of records.
    pub(super) fn copy_to_list(&mut self, bytes: &[u8], end: usize) {
        self.copy(bytes, end);
        self.text.extend(b"[]");
    }

    /// A list of records ends there.
    pub(super) fn resume(&mut self, from: (usize, u64)) {
        self.from = from;
    }

    /// The input ends, or is broken.
    pub(super) fn break_off(&mut self, bytes: &[u8], is_in_list: bool) {
        let rest = bytes.get(self.from.0..).unwrap_or_default().trim_ascii();
        if is_in_list || rest.is_empty() {
            self.text.push(b'}');
        } else {
            self.copy(bytes, bytes.len());
        }
    }

    /// All of an object that began on this line.
    pub(super) fn take(&mut self, line: u64, records: usize, is_torn: bool, names_key: bool) -> Wrapper {
        Wrapper {
            line,
            text: mem::take(&mut self.text),
            pieces: mem::take(&mut self.pieces),
            records: self.first_record..records,
            is_begun: self.is_begun,
            is_torn,
            names_key,
        }
    }
}

/// What became of the members of a wrapper.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// Objects that describe keys, by place in the text.
    pub(super) records: Vec<Range<usize>>,
    /// Names of members that say something of keys, and are not used.
    pub(super) lost: Vec<String>,
    /// Names of members that are left out though keys have such fields.
    pub(super) idle: Vec<String>,
    /// The keys that the lost members name.
    pub(super) key_ids: Vec<String>,
    /// Whether one of them says something of all keys of the lists.
    pub(super) is_about_all: bool,
}

/// Members that describe the list, in which no key is meant unless its id stands behind the name of one.
const METADATA: [&str; 8] = ["columns", "filters", "metadata", "meta", "query", "request", "response", "headers"];

/// A longer value is not taken apart, which may need forty times its length.
const LONGEST: usize = 2 << 20;

/// Takes the members of a wrapper apart.
///
/// # Errors
/// It is no JSON.
pub(super) fn read(text: &[u8], is_field: fn(&str) -> bool) -> Result<Beside, String> {
    let text = std::str::from_utf8(text).map_err(|error| broken(&error))?;
    let Pairs(pairs) = serde_json::from_str(text).map_err(|error| broken(&error))?;
    let mut beside = Beside::default();
    for (name, raw) in pairs {
        let mut member = Member { is_metadata: is_metadata(&name), name, ..Member::default() };
        member.key_ids.extend(key_ids_in(&member.name));
        if raw.get().starts_with('[') {
            let take = |element: &str| member.element(text, element, &mut beside.records);
            serde_json::Deserializer::from_str(raw.get())
                .deserialize_seq(Each(take))
                .map_err(|error| broken(&error))?;
        } else {
            member.value(raw.get()).map_err(|error| broken(&error))?;
        }
        beside.take(member, is_field);
    }
    Ok(beside)
}

fn broken(error: &dyn std::fmt::Display) -> String {
    format!("what stands beside a list of records is no JSON: {error}")
}

/// Visits the elements of a list one by one, for there may be as many as there is room for.
struct Each<F>(F);

impl<'de, F: FnMut(&'de str) -> serde_json::Result<()>> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&RawValue>()? {
            (self.0)(element.get()).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

/// What a member says of which no record was made.
#[derive(Default)]
struct Member {
    name: String,
    is_metadata: bool,
    says_something: bool,
    /// Whether it has objects or lists inside.
    is_nested: bool,
    /// Whether it says that it is about keys.
    names_resource: bool,
    /// Whether it names an operation that blocks the migration.
    names_operation: bool,
    key_ids: Vec<String>,
}

impl Member {
    /// Takes a value that is no list.
    fn value(&mut self, raw: &str) -> serde_json::Result<()> {
        if raw.len() > LONGEST {
            (self.says_something, self.is_nested) = (true, true);
            self.key_ids.extend(named_keys(raw.as_bytes()));
            return Ok(());
        }
        let value: Value = serde_json::from_str(raw)?;
        let is_bare = value.as_str().is_some_and(|text| is_uuid(text.trim()) || is_new_id(text.trim()));
        // Calls and reports have ids of the same form, which stand alone.
        self.say(&value, !is_bare);
        self.names_resource = value.as_str().is_some_and(|text| text.to_ascii_lowercase().contains("key"));
        Ok(())
    }

    /// Takes an element of a list: a record, or what is said of no key or of several.
    fn element(&mut self, text: &str, raw: &str, records: &mut Vec<Range<usize>>) -> serde_json::Result<()> {
        if raw.len() > LONGEST {
            return self.value(raw);
        }
        let value: Value = serde_json::from_str(raw)?;
        if describes_key(&value) && !self.is_metadata {
            let start = offset_of(text, raw);
            records.push(start..start + raw.len());
        } else {
            self.say(&value, true);
        }
        Ok(())
    }

    fn say(&mut self, value: &Value, may_name: bool) {
        if says_nothing(value) {
            return;
        }
        self.says_something = true;
        self.names_operation |= !self.is_metadata && (has_mention(value) || is_affirmed(&self.name, value));
        self.is_nested |= value.is_object() || value.is_array();
        if may_name {
            find_keys(value, self.is_metadata, &mut self.key_ids);
        }
    }
}

impl Beside {
    /// Takes a member, without the records in it.
    fn take(&mut self, mut member: Member, is_field: fn(&str) -> bool) {
        let names_keys = !member.key_ids.is_empty();
        if !member.says_something {
            return;
        }
        let is_field = is_field(&member.name);
        let is_about_all = !names_keys && (is_field && is_statement(&member) || member.names_operation);
        self.is_about_all |= is_about_all;
        self.key_ids.append(&mut member.key_ids);
        if is_about_all || names_keys || member.names_operation {
            self.lost.push(member.name);
        } else if is_field {
            self.idle.push(member.name);
        }
    }
}

fn is_metadata(name: &str) -> bool {
    METADATA.contains(&plain(name).as_str())
}

/// Whether an object describes a key.
pub(super) fn is_about_key(object: &[u8]) -> bool {
    object.len() <= LONGEST && serde_json::from_slice(object).is_ok_and(|value| describes_key(&value))
}

/// Whether an element of a list is an object about a key.
fn describes_key(element: &Value) -> bool {
    let members = element.as_object();
    members.is_some_and(|members| members.iter().any(|(name, value)| key_behind(name, value).is_some()))
}

/// The key that a member names by what it is called.
fn key_behind<'v>(name: &str, value: &'v Value) -> Option<&'v str> {
    let id = value.as_str().map(str::trim).filter(|id| !id.is_empty() && !is_unknown(id))?;
    let names_key = matches!(Field::from_header(name), Some(Field::KeyId | Field::Arn));
    // Tags and filters have keys, and nearly everything an id.
    let is_vague = matches!(plain(name).as_str(), "id" | "key" | "arn");
    (names_key && (!is_vague || key_ids_in(id).next().is_some())).then_some(id)
}

/// Whether nothing is said: no value, an empty one, or that nobody knows.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty() || is_unknown(text.trim()),
        Value::Array(elements) => elements.iter().all(says_nothing),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The keys that a value names: behind names that key ids have, and whatever looks like an id. serde_json allows no
/// values inside each other deeper than 128.
fn find_keys(value: &Value, is_metadata: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !is_metadata => found.extend(keys_named_in(text)),
        Value::Array(elements) => elements.iter().for_each(|element| find_keys(element, is_metadata, found)),
        Value::Object(members) => {
            for (name, value) in members {
                found.extend(key_ids_in(name).filter(|_| !is_metadata));
                match key_behind(name, value) {
                    Some(id) => found.push(id.to_owned()),
                    None if is_call(name) => {}
                    None => find_keys(value, is_metadata, found),
                }
            }
        }
        _ => {}
    }
}

/// Whether a member has the name of ids that are given to calls and runs.
fn is_call(name: &str) -> bool {
    matches!(plain(name).as_str(), "requestid" | "traceid" | "runid" | "reportid" | "uuid" | "nexttoken")
}

/// Whether a field that is said once may decide about every key of the lists. Names, dates and places do not; nor does
/// the state, by which many interfaces say that they have answered.
fn is_statement(member: &Member) -> bool {
    match Field::from_header(&member.name) {
        Some(Field::Resource) => !member.names_resource,
        // What is nested may say more than its name does.
        Some(Field::Services | Field::Applications | Field::Owner | Field::State) => member.is_nested,
        Some(
            Field::KeyId
            | Field::Arn
            | Field::AccountId
            | Field::Region
            | Field::Description
            | Field::Tags
            | Field::Created
            | Field::Creator
            | Field::TerraformAddress
            | Field::MigrationWindow,
        ) => false,
        _ => true,
    }
}
