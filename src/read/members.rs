//! Objects of JSON by member, with the place of each value in the text.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domains::cmk::fields::Field;
use crate::domains::spelling::plain;
use crate::inventory::identity::parse_arn;
use crate::inventory::row::{FileId, Place};
use crate::inventory::tidy::keys_named_in;

/// The members of an object. Names are compared without case and `_`, since tools write `KeyId`, `keyId` and `key_id`.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Members<'a> {
    /// The members of the object that the text is; nothing if it is none.
    ///
    /// # Errors
    /// Two members have the same name.
    pub(super) fn of(text: &'a str) -> Result<Option<Members<'a>>, String> {
        let Ok(Pairs(pairs)) = serde_json::from_str(text) else { return Ok(None) };
        let members: Vec<(String, &RawValue)> = pairs.iter().map(|(name, value)| (plain(name), *value)).collect();
        // There may be as many members as a hostile document has room for.
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by(|a, b| members[*a].0.cmp(&members[*b].0));
        match order.windows(2).find(|pair| members[pair[0]].0 == members[pair[1]].0) {
            Some(twice) => Err(format!("the member `{}` stands twice in one object; keep one", pairs[twice[1]].0)),
            None => Ok(Some(Members { members })),
        }
    }

    /// The value of a member.
    pub(super) fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The names, without case and `_`.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// A member that is an object.
    ///
    /// # Errors
    /// Two members of it have the same name.
    pub(super) fn object(&self, name: &str) -> Result<Option<Members<'a>>, String> {
        self.value(name).map_or(Ok(None), |value| Members::of(value.get()))
    }

    /// A member that is a list.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        serde_json::from_str(self.value(name)?.get()).ok()
    }

    /// A member that is a list, or is not there; `None` stands for one that is something else.
    pub(super) fn list_or_nothing(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        match self.value(name).map(RawValue::get) {
            None | Some("null") => Some(Vec::new()),
            Some(_) => self.list(name),
        }
    }

    /// A member that is a text, a number, or yes or no, as text; nothing if it is null or something else.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let raw = self.value(name)?.get();
        match raw.as_bytes().first()? {
            b'"' => serde_json::from_str::<Text<'_>>(raw).ok().map(|text| text.0),
            b'n' | b'{' | b'[' => None,
            _ => Some(Cow::Borrowed(raw)),
        }
    }

    /// The same, if it is not blank.
    pub(super) fn filled(&self, name: &str) -> Option<Cow<'a, str>> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// A member that is a whole number, perhaps as a text.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let text = self.text(name)?;
        let whole = |number: f64| (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64);
        text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?))
    }
}

/// A text in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    /// The line on which the text begins.
    pub(super) line: u64,
    /// The lines of the text.
    pub(super) lines: &'a Lines,
}

impl At<'_> {
    /// The line of a part of the text.
    pub(super) fn line_of(&self, part: &str) -> u64 {
        self.line + self.lines.before(self.text, part)
    }

    /// The place of a part of the text.
    pub(super) fn place_of(&self, part: &str) -> Place {
        Place { file: self.file, line: self.line_of(part) }
    }

    /// The place where it begins.
    pub(super) fn place(&self) -> Place {
        Place { file: self.file, line: self.line }
    }
}

/// Where a part of a text begins in it.
pub(super) fn offset_of(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// How many lines end before some places of a text, so that nobody counts from its beginning for every value.
#[derive(Debug)]
pub(super) struct Lines {
    before: Vec<u64>,
}

impl Lines {
    /// The distance of these places.
    const STRIDE: usize = 1 << 14;

    pub(super) fn of(text: &str) -> Lines {
        let mut count = 0;
        let before = text.as_bytes().chunks(Lines::STRIDE).map(|chunk| {
            let before = count;
            count += memchr::memchr_iter(b'\n', chunk).count() as u64;
            before
        });
        Lines { before: before.collect() }
    }

    /// How many lines of the text end before a value that stands in it.
    pub(super) fn before(&self, text: &str, value: &str) -> u64 {
        let (offset, bytes) = (offset_of(text, value), text.as_bytes());
        let chunk = offset / Lines::STRIDE;
        let rest = bytes.get(chunk * Lines::STRIDE..offset).unwrap_or_default();
        self.before.get(chunk).copied().unwrap_or_default() + memchr::memchr_iter(b'\n', rest).count() as u64
    }
}

/// The keys that a piece of JSON names, however broken it is: texts behind names that key ids have, and whatever looks
/// like an id. It may be no JSON at all, but what Python prints, what a word processor made of its quotes, or JSON inside
/// a text.
pub(super) fn named_keys(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut keys: Vec<String> = keys_named_in(&text).collect();
    let is_curly = |c: char| matches!(c, '“' | '”' | '„' | '‘' | '’');
    if text.contains(is_curly) {
        keys.extend(keys_behind_names(&text.replace(is_curly, "\""), b'"'));
    }
    if text.contains("\\\"") {
        let inside = text.replace("\\\"", "\u{1}").replace('"', " ").replace('\u{1}', "\"");
        keys.extend(keys_behind_names(&inside, b'"'));
    }
    for quote in [b'"', b'\''] {
        keys.extend(keys_behind_names(&text, quote));
    }
    keys
}

/// Texts between such quotes behind names that key ids have.
pub(super) fn keys_behind_names(text: &str, quote: u8) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let strings = std::iter::from_fn(|| {
        let start = at + memchr::memchr(quote, bytes.get(at..)?)? + 1;
        let mut end = start;
        loop {
            end += memchr::memchr2(quote, b'\\', bytes.get(end..)?)?;
            if bytes[end] == quote {
                break;
            }
            end += 2;
        }
        at = end + 1;
        let is_name = bytes[at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        Some((is_name, text.get(start..end).unwrap_or_default()))
    });
    let (mut names_key, mut keys) = (false, Vec::new());
    for (is_name, text) in strings {
        let is_key_id = !is_name && std::mem::take(&mut names_key);
        if is_name {
            names_key = matches!(Field::from_header(text), Some(Field::KeyId | Field::Arn));
        }
        if is_key_id && !text.is_empty() {
            keys.push(parse_arn(text).map_or(text, |arn| arn.key_id).to_owned());
        }
    }
    keys
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object as they are called, in order.
pub(super) struct Pairs<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Pairs<'a>, D::Error> {
        struct Visitor<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> serde::de::Visitor<'de> for Visitor<'a> {
            type Value = Pairs<'a>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, &'a RawValue>()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

/// A value inside another, in which no object has a member twice.
pub(super) struct Strict(pub(super) serde_json::Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> serde::de::Visitor<'de> for StrictVisitor {
    type Value = serde_json::Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(serde_json::Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(Strict(element)) = list.next_element()? {
            elements.push(element);
        }
        Ok(elements.into())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        strict_members(map).map(serde_json::Value::Object)
    }
}

/// The members of an object.
pub(super) fn strict_members<'de, A: serde::de::MapAccess<'de>>(
    mut map: A,
) -> Result<serde_json::Map<String, serde_json::Value>, A::Error> {
    let mut members = serde_json::Map::new();
    while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
        if members.contains_key(&name) {
            let message = format!("the member `{name}` stands twice in one object; keep one");
            return Err(serde::de::Error::custom(message));
        }
        members.insert(name, value);
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_any_spelling_and_texts_are_unescaped() {
        let text = "{\"KeyId\": \"a\\u0062\",\n \"total_count\": 12, \"more\": null, \"inner\":\n{\"x\": true}}";
        let members = Members::of(text).unwrap().unwrap();
        assert_eq!(members.text("keyid").as_deref(), Some("ab"));
        assert_eq!((members.number("totalcount"), members.text("more")), (Some(12), None));
        let inner = members.value("inner").unwrap().get();
        assert_eq!(Lines::of(text).before(text, inner), 2);
        assert_eq!(members.object("inner").unwrap().unwrap().text("x").as_deref(), Some("true"));
        let count = |text: &str| Members::of(text).unwrap().unwrap().number("n");
        assert_eq!([count("{\"n\": 12.0}"), count("{\"n\": \"1e1\"}")], [Some(12), Some(10)]);
        assert_eq!([count("{\"n\": 1.5}"), count("{\"n\": -1}"), count("{\"n\": 1e30}")], [None; 3]);
        assert!(Members::of("[1]").unwrap().is_none());
        assert!(Members::of("{\"KeyId\": 1, \"key_id\": 2}").is_err());
    }

    #[test]
    fn keys_are_found_in_broken_json_too() {
        let keys = |text: &str| named_keys(text.as_bytes());
        assert_eq!(keys("{\"KeyId\" : \"a\", \"x\": {\"key_arn\": \"acs:kms:r:1:key/b\", \"y\": \"c\""), ["a", "b"]);
        assert_eq!(keys("{\"KeyId\": null, \"x\": \"a\", \"KeyId\": 1, \"id\": \"\\\"d"), Vec::<String>::new());
        assert_eq!(keys("\"KeyId\":\"\u{5bc6}\"\"KeyId"), ["\u{5bc6}"]);
        assert_eq!(keys("{'KeyId': 'a', 'Origin': None}"), ["a"], "of Python");
        assert_eq!(keys("{“KeyId”: “a”}"), ["a"], "of a word processor");
        assert_eq!(keys("{\"body\": \"{\\\"KeyId\\\": \\\"a\\\"}\"}"), ["a"], "JSON inside a text");
        assert_eq!(keys("KeyId: key-hzz65f3a1b2"), ["key-hzz65f3a1b2"], "no JSON at all");
    }

    #[test]
    fn lines_are_counted_wherever_a_value_stands() {
        let text: String = (0..9_000).map(|number| format!("{number}\n")).collect();
        let lines = Lines::of(&text);
        for offset in (0..text.len()).step_by(97).chain([Lines::STRIDE, Lines::STRIDE - 1, text.len()]) {
            let expected = text[..offset].matches('\n').count() as u64;
            assert_eq!(lines.before(&text, &text[offset..]), expected, "{offset}");
        }
    }
}
