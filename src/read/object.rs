//! One JSON object to cells, by `serde_json`, into buffers that are used again.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::csv::count_lines;
use super::found::Found;
use super::json::Span;
use super::keyed;
use super::members::{At, Lines, Strict, named_keys, strict_members};
use super::prowler;
use super::replies;
use crate::domains::cell::{Cell, LIST_SEPARATOR};
use crate::domains::cmk::fields::Field;
use crate::domains::spelling::plain;
use crate::inventory::row::{Cells, FileId, Names, Place, RecordKind, Reject, Row, RowSink};

/// Takes objects apart; keeps its buffers and the names of members.
#[derive(Debug, Default)]
pub struct Parser {
    names: Names,
    file: Option<FileId>,
    /// What is known of each name.
    known: Vec<Known>,
    /// How many lists of names there were.
    lists: u64,
    text: String,
    members: Vec<Member>,
    /// Takes apart what stands inside replies, whose members have names of their own.
    inner: Option<Box<Parser>>,
    /// Whether this is such a parser.
    is_inner: bool,
}

/// A member of the object at hand, by position in the parser's text.
#[derive(Debug, Clone, Copy)]
struct Member {
    name: u16,
    kind: Kind,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Text,
    Flag,
    Object,
    EmptyList,
    List,
}

/// What is known of a name of members.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// Members called so stand in replies.
    in_replies: bool,
    /// They do if they are objects.
    as_object: bool,
    /// It names the instance of a key.
    is_instance: bool,
    /// It is a field of a key, and no reply has it.
    is_foreign: bool,
    /// It says which key a record is about.
    is_key_id: bool,
}

/// An object longer than this is a reply that lists much, or no record of a key. Taking apart whatever is nested in an
/// object may need forty times its length.
const LONGEST_RECORD: usize = 2 << 20;

/// Sources of JSON are told from tables by this bit.
const JSON_SOURCE: u64 = 1 << 40;

/// And what stands inside replies by this one.
const INNER_SOURCE: u64 = 1 << 41;

impl Parser {
    /// Hands every object of the block to the sink.
    /// `canonical` are the names of records that are made of replies.
    pub(super) fn rows(
        &mut self,
        file: FileId,
        bytes: &[u8],
        spans: &[Span],
        canonical: &Names,
        sink: &mut dyn RowSink,
    ) {
        self.begin(file);
        for span in spans {
            let place = Place { file, line: span.line };
            let bytes = &bytes[span.start..span.end];
            let Some(members) = keyed::members(bytes) else {
                self.record(place, bytes, canonical, sink);
                continue;
            };
            for member in members {
                match member.object {
                    Ok(object) => {
                        let before = &bytes[..(object.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize)];
                        let line = span.line + count_lines(before);
                        self.record(Place { file, line }, object.as_bytes(), canonical, sink);
                    }
                    Err(reason) => {
                        sink.reject(Reject { key_id: Some(member.key_id.clone()), ..Reject::whole(place, reason) });
                        sink.taint(&member.key_id);
                    }
                }
            }
        }
    }

    /// Hands over what one object says.
    fn record(&mut self, place: Place, bytes: &[u8], canonical: &Names, sink: &mut dyn RowSink) {
        self.begin(place.file);
        match self.reply(place, bytes) {
            Ok(None) => {
                // Without an id it is rejected, and what it wraps is lost.
                let names_key = self.members.iter().any(|member| self.known[usize::from(member.name)].is_key_id);
                match keyed::part_of_terraform(bytes).filter(|_| !names_key) {
                    Some(reason) => sink.reject(Reject::whole(place, reason)),
                    None => self.hand_over(RecordKind::Plain, place.line, bytes, sink),
                }
                if !names_key {
                    named_keys(bytes).iter().for_each(|key_id| sink.taint(key_id));
                }
            }
            Ok(Some(found)) => self.found(place.file, found, bytes, canonical, sink),
            Err(reject) => refuse(reject, bytes, sink),
        }
    }

    /// Hands over what a reply says, and the objects that stand in it.
    fn found(&mut self, file: FileId, mut found: Found, bytes: &[u8], canonical: &Names, sink: &mut dyn RowSink) {
        let parser = self.inner.get_or_insert_with(|| Box::new(Parser { is_inner: true, ..Parser::default() }));
        for inner in std::mem::take(&mut found.objects) {
            let (place, bytes) = (Place { file, line: inner.line }, &bytes[inner.text]);
            parser.begin(file);
            match parser.take_apart(place, bytes) {
                Ok(()) => parser.hand_over(inner.kind, inner.line, bytes, sink),
                Err(reject) => refuse(reject, bytes, sink),
            }
        }
        found.hand_over(file, canonical, sink);
    }

    /// Begins a new list of names for a new file, or if there are too many.
    fn begin(&mut self, file: FileId) {
        if self.file != Some(file) || self.names.as_slice().len() > MANY_NAMES {
            self.file = Some(file);
            self.forget_names(file);
        }
    }

    /// Finds the members of an object.
    fn take_apart(&mut self, place: Place, bytes: &[u8]) -> Result<(), Reject> {
        self.object(bytes).map_err(|reason| Reject::whole(place, reason))?;
        match self.member_twice() {
            Some(twice) => Err(Reject::cell(place, &twice, "", "the member stands twice in one object; keep one")),
            None => Ok(()),
        }
    }

    /// What an object says if it is a reply or a finding. If it is neither, its members have been found.
    fn reply(&mut self, place: Place, bytes: &[u8]) -> Result<Option<Found>, Reject> {
        let is_long = bytes.len() > LONGEST_RECORD;
        if !is_long {
            self.take_apart(place, bytes)?;
        }
        let text = if is_long || self.may_be_reply() { std::str::from_utf8(bytes).ok() } else { None };
        let found = text.map_or(Ok(None), |text| {
            let lines = Lines::of(text);
            let at = At { file: place.file, text, line: place.line, lines: &lines };
            replies::read(at).and_then(|found| found.map_or_else(|| prowler::read(at), |found| Ok(Some(found))))
        });
        match found.map_err(|reason| Reject::whole(place, reason))? {
            None if is_long => {
                let reason = "an object longer than 2 MiB that is no reply of the API; is a list of keys in a member of another name?";
                Err(Reject::whole(place, reason))
            }
            found => Ok(found),
        }
    }

    /// Hands over the object at hand as it stands.
    fn hand_over(&mut self, kind: RecordKind, line: u64, bytes: &[u8], sink: &mut dyn RowSink) {
        self.learn_names();
        let cells: Vec<(u16, Cell<'_>)> =
            self.members.iter().map(|member| (member.name, self.cell(member, kind))).collect();
        // The same object means more in a reply, so that one is no duplicate of the other.
        let content = FixedState::default().hash_one((kind, bytes));
        // What somebody has added to a reply is stated, not measured, and nobody knows what else was changed.
        let is_edited = self
            .members
            .iter()
            .any(|member| self.known[usize::from(member.name)].is_foreign && member.kind != Kind::Null);
        let kind = if is_edited { RecordKind::Plain } else { kind };
        sink.row(&self.names, Row { line, content, kind, cells: Cells::Members(&cells) });
    }

    /// Whether the object at hand has a member that replies have.
    fn may_be_reply(&mut self) -> bool {
        self.learn_names();
        self.members.iter().any(|member| {
            let known = self.known[usize::from(member.name)];
            known.in_replies || known.as_object && member.kind == Kind::Object
        })
    }

    /// The number of the list of names at hand.
    fn source(&self, file: FileId) -> u64 {
        let inner = if self.is_inner { INNER_SOURCE } else { 0 };
        JSON_SOURCE + inner + u64::from(file) + (self.lists << 42)
    }

    fn learn_names(&mut self) {
        for name in &self.names.as_slice()[self.known.len()..] {
            let name_alone = plain(name);
            self.known.push(Known {
                in_replies: replies::may_be_member(&name_alone, false),
                as_object: replies::may_be_member(&name_alone, true),
                is_instance: name_alone == replies::INSTANCE,
                is_key_id: matches!(Field::from_header(name), Some(Field::KeyId | Field::Arn)),
                is_foreign: self.is_inner && replies::is_foreign(&name_alone),
            });
        }
    }

    /// Begins a new list of names, so that there are never more than positions.
    fn forget_names(&mut self, file: FileId) {
        self.lists += 1;
        let names = Names::new(self.source(file), Vec::new());
        self.names = if self.is_inner { names.of_system() } else { names };
        self.known.clear();
    }

    fn cell(&self, member: &Member, kind: RecordKind) -> Cell<'_> {
        let text = &self.text[member.start..member.end];
        match member.kind {
            Kind::Null => Cell::Absent,
            Kind::EmptyList => Cell::EmptyList,
            Kind::List => Cell::List(text),
            // Only in a table does an empty cell say something.
            Kind::Text => match Cell::of_table(text) {
                Cell::Blank if kind.is_reply() && self.known[usize::from(member.name)].is_instance => {
                    Cell::Text(replies::DEFAULT_INSTANCE)
                }
                Cell::Blank => Cell::Absent,
                cell => cell,
            },
            Kind::Flag => Cell::Flag(text),
            Kind::Object => Cell::Object(text),
        }
    }

    /// The first member that repeats an earlier one.
    fn member_twice(&self) -> Option<String> {
        let mut order: Vec<(u16, usize)> =
            self.members.iter().enumerate().map(|(at, member)| (member.name, at)).collect();
        order.sort_unstable();
        let repeats = order.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        let first = repeats.map(|pair| pair[1].1).min()?;
        Some(self.names.as_slice()[usize::from(self.members[first].name)].clone())
    }

    fn object(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.text.clear();
        self.members.clear();
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let parsed = (&mut deserializer).deserialize_map(Object(self)).and_then(|()| deserializer.end());
        parsed.map_err(|error| format!("not an object of JSON: {error}"))
    }
}

/// Rejects an object that could not be used, with the keys that it names.
fn refuse(reject: Reject, bytes: &[u8], sink: &mut dyn RowSink) {
    sink.reject(reject);
    named_keys(bytes).iter().for_each(|key_id| sink.taint(key_id));
}

struct Object<'p>(&'p mut Parser);

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object that describes a key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let parser = self.0;
        while let Some(name) = map.next_key_seed(MemberName(&mut parser.names, parser.members.len()))? {
            let start = parser.text.len();
            let kind = map.next_value_seed(Value { text: &mut parser.text, element: false })?;
            parser.members.push(Member { name, kind, start, end: parser.text.len() });
        }
        Ok(())
    }
}

struct MemberName<'p>(&'p mut Names, usize);

impl<'de> DeserializeSeed<'de> for MemberName<'_> {
    type Value = u16;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u16, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// An object with more members than this describes no key.
const MAX_MEMBERS: usize = 4096;

/// With more names than this a new list of names is begun.
const MANY_NAMES: usize = 1 << 15;

impl Visitor<'_> for MemberName<'_> {
    type Value = u16;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<u16, E> {
        if self.1 >= MAX_MEMBERS {
            return Err(E::custom(format!("more than {MAX_MEMBERS} members")));
        }
        Ok(self.0.position(name, self.1))
    }
}

/// Writes a value as text.
struct Value<'p> {
    text: &'p mut String,
    /// Whether the value is an element of a list.
    element: bool,
}

impl Value<'_> {
    fn write(self, value: &str) -> Kind {
        let mut parts = value.split(LIST_SEPARATOR);
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            self.text.push(' ');
            self.text.push_str(part);
        }
        Kind::Text
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        // In a list, a blank text is a hole, as null is.
        let is_hole = self.element && Cell::of_table(value) == Cell::Blank;
        Ok(self.write(if is_hole { "unknown" } else { value }))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        // In a list, null is an element that nobody knows.
        Ok(if self.element { self.write("unknown") } else { Kind::Null })
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        self.write(if value { "true" } else { "false" });
        Ok(Kind::Flag)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(self.write(&value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(self.write(&value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Kind, E> {
        if value.abs() >= 9_007_199_254_740_992.0 {
            return Err(E::custom("a number with more digits than can be kept; write it as a text"));
        }
        Ok(self.write(&value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
        if self.element {
            let mut nested: Vec<serde_json::Value> = Vec::new();
            while let Some(Strict(element)) = list.next_element()? {
                nested.push(element);
            }
            return Ok(self.write(&serde_json::Value::Array(nested).to_string()));
        }
        let mut count = 0_usize;
        loop {
            let at = self.text.len();
            if count > 0 {
                self.text.push(LIST_SEPARATOR);
            }
            if list.next_element_seed(Value { text: self.text, element: true })?.is_none() {
                self.text.truncate(at);
                break;
            }
            count += 1;
        }
        Ok(if count == 0 { Kind::EmptyList } else { Kind::List })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kind, A::Error> {
        let members = strict_members(map)?;
        self.write(&serde_json::Value::Object(members).to_string());
        Ok(Kind::Object)
    }
}
