//! What calls change of keys and aliases, and when: to which key an alias is given, whether a key is made for imported
//! material, whether it is switched on again, and whether it rotates. Few events say such things; they are looked through
//! once more for them, as all others are only read along their shapes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attribution::KeysOf;
use super::event::{Event, Part};
use super::result::Count;
use super::scan::{Raw, Value, members};
use super::tally::Span;
use super::time::{seconds, show};

/// What an operation may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// An alias gets its key.
    Alias,
    /// A key is made, for material of KMS or for imported one.
    Creation,
    /// A key begins to rotate, or stops.
    Rotation,
    /// A key that could not be used can be used again.
    Enabling,
}

impl Tells {
    /// What an operation may change, by its name in the API.
    pub(super) fn of(operation: &str) -> Option<Tells> {
        Some(match operation {
            "CreateAlias" => Tells::Alias,
            "CreateKey" => Tells::Creation,
            "UpdateRotationPolicy" => Tells::Rotation,
            "EnableKey" | "CancelKeyDeletion" => Tells::Enabling,
            _ => return None,
        })
    }
}

/// What an event changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The alias was given to this key, as the event names it.
    GivenTo(String),
    /// The key was made for imported material.
    External,
    /// The key rotates from now on, or no longer does.
    Rotates(bool),
    /// The key can be used again.
    Enabled,
}

impl Change {
    /// What an event that did not fail changed, and the key or alias of which it did.
    pub(super) fn of<'k>(tells: Tells, event: &Event<'_>, keys: &'k KeysOf<'_>) -> Option<(&'k str, Change)> {
        if tells == Tells::Alias {
            let (alias, key) = keys.alias()?;
            return Some((alias, Change::GivenTo(key?.to_owned())));
        }
        let is = |word: Raw<'_>, expected: &str| word.text().trim().eq_ignore_ascii_case(expected);
        let change = match tells {
            Tells::Alias | Tells::Enabling => Change::Enabled,
            Tells::Creation => {
                let origin = |part| asked(event, part, b"Origin");
                let is_external = [Part::Request, Part::Response].iter().any(|part| is(origin(*part), "EXTERNAL"));
                is_external.then_some(Change::External)?
            }
            // What does not say that it stops may begin.
            Tells::Rotation => Change::Rotates(!is(asked(event, Part::Request, b"EnableAutomaticRotation"), "false")),
        };
        Some((keys.each().next()?, change))
    }

    /// A number that tells it from others of the same texts.
    pub(super) fn number(&self) -> u64 {
        match self {
            Change::GivenTo(_) => 1,
            Change::External => 2,
            Change::Rotates(true) => 3,
            Change::Rotates(false) => 4,
            Change::Enabled => 5,
        }
    }
}

/// What a part of an event says under a name, also in the `KeyMetadata` of an answer.
fn asked<'e>(event: &Event<'e>, part: Part, asked: &[u8]) -> Raw<'e> {
    let mut found = Raw::default();
    let _ = members(event.whole.0, 0, |name, value| {
        let Value::Nested(object) = value else { return };
        if Part::named(name) != Some(part) {
            return;
        }
        let _ = members(object, 0, |name, value| match value {
            Value::Nested(metadata) if name == b"KeyMetadata" => {
                let _ = members(metadata, 0, |name, value| {
                    if name == asked {
                        found = value.word();
                    }
                });
            }
            value if name == asked => found = value.word(),
            _ => {}
        });
    });
    found
}

/// Whether an event names an instance.
pub(super) fn names_instance(event: &Event<'_>) -> bool {
    !asked(event, Part::Request, b"KmsInstanceId").is_empty()
}

/// What the calls with a key, or under an alias, changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The keys to which `CreateAlias` gave the alias, as the log names them, and how often.
    pub given_to: BTreeMap<String, u64>,
    /// Whether the key was made for imported material.
    pub is_external: bool,
    /// When it was made to rotate, last, in seconds since 1970.
    pub rotates: Option<i64>,
    /// When it was made not to rotate, last.
    pub rests: Option<i64>,
    /// When it was made usable again, last.
    pub enabled: Option<i64>,
}

impl Changes {
    /// Adds what an event changed.
    pub(super) fn add(&mut self, change: Change, time: i64) {
        let last = |known: &mut Option<i64>| *known = (*known).max(Some(time));
        match change {
            Change::GivenTo(key) => *self.given_to.entry(key).or_default() += 1,
            Change::External => self.is_external = true,
            Change::Rotates(true) => last(&mut self.rotates),
            Change::Rotates(false) => last(&mut self.rests),
            Change::Enabled => last(&mut self.enabled),
        }
    }

    /// Adds all of others.
    pub fn merge(&mut self, other: &Changes) {
        for (key, count) in &other.given_to {
            let known = self.given_to.entry(key.clone()).or_default();
            *known = known.saturating_add(*count);
        }
        self.is_external |= other.is_external;
        self.rotates = self.rotates.max(other.rotates);
        self.rests = self.rests.max(other.rests);
        self.enabled = self.enabled.max(other.enabled);
    }

    /// Whether the last that the log shows is that the key begins to rotate.
    pub fn is_made_to_rotate(&self) -> bool {
        self.rotates.is_some() && self.rotates >= self.rests
    }

    /// For a result; nothing if nothing was changed.
    pub fn line(&self) -> Option<ChangesLine> {
        let line = ChangesLine {
            given_to: self.given_to.iter().map(|(key, count)| (key.clone(), Count(*count))).collect(),
            external: self.is_external,
            rotation_on: self.rotates.map(show),
            rotation_off: self.rests.map(show),
            enabled: self.enabled.map(show),
        };
        (*self != Changes::default()).then_some(line)
    }
}

/// What the calls with a key, or under an alias, changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChangesLine {
    /// The keys to which CreateAlias gave the alias, as the log names them, and how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given_to: BTreeMap<String, Count>,
    /// Whether CreateKey made the key for imported material.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// When UpdateRotationPolicy made the key rotate, last, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_on: Option<String>,
    /// When UpdateRotationPolicy made the key not rotate, last, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_off: Option<String>,
    /// When EnableKey or CancelKeyDeletion made the key usable again, last, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<String>,
}

impl ChangesLine {
    /// What it says, of a key with so many calls in that time.
    ///
    /// # Errors
    /// It cannot be; the message says why.
    pub fn read(&self, span: Span, calls: u64) -> Result<Changes, String> {
        let given = self.given_to.values().try_fold(0_u64, |sum, count| sum.checked_add(count.0));
        if given.is_none_or(|given| given > calls) {
            return Err(format!("the alias was given to a key more often than it has calls, which are {calls}"));
        }
        let time = |text: &Option<String>| match text.as_deref().map(|text| (text, seconds(text.as_bytes()))) {
            None => Ok(None),
            Some((_, Some(time))) if (span.first..=span.last).contains(&time) => Ok(Some(time)),
            Some((text, _)) => Err(format!("a key was changed at `{text}`, and none of its calls was made then")),
        };
        Ok(Changes {
            given_to: self.given_to.iter().map(|(key, count)| (key.clone(), count.0)).collect(),
            is_external: self.external,
            rotates: time(&self.rotation_on)?,
            rests: time(&self.rotation_off)?,
            enabled: time(&self.enabled)?,
        })
    }
}
