//! What calls change of keys and aliases, and when: to which key an alias is given, whether a key is made for imported
//! material, whether it is switched off or on again, whether it rotates, and whether it encrypts secrets. Few events say such things; they are looked through
//! once more for them, as all others are only read along their shapes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attribution::KeysOf;
use super::event::{Event, Part, plain};
use super::result::Count;
use super::scan::{Raw, Value, members};
use super::tally::Span;
use super::time::{HOUR, seconds, show};

/// What an operation may change, or tell of what was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// An alias gets its key.
    Alias,
    /// A key is made, for material of KMS or for imported one, and may rotate from then on.
    Creation,
    /// The answer describes a key.
    Description,
    /// A key begins to rotate, or stops.
    Rotation,
    /// A key that could not be used can be used again.
    Enabling,
    /// A key can no longer be used.
    Disabling,
    /// A secret is made, which the key encrypts.
    Secret,
}

impl Tells {
    /// What an operation may change, by its name in the API.
    pub(super) fn of(operation: &str) -> Option<Tells> {
        Some(match operation {
            "CreateAlias" => Tells::Alias,
            "CreateKey" => Tells::Creation,
            "DescribeKey" => Tells::Description,
            "UpdateRotationPolicy" => Tells::Rotation,
            "EnableKey" | "CancelKeyDeletion" => Tells::Enabling,
            "DisableKey" | "ScheduleKeyDeletion" => Tells::Disabling,
            "CreateSecret" => Tells::Secret,
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
    /// The key rotates from now on, every so many seconds.
    Rotates(i64),
    /// The key no longer rotates.
    Rests,
    /// The key can be used again.
    Enabled,
    /// The key can no longer be used.
    Disabled,
    /// The key encrypts a secret.
    HoldsSecret,
    /// The key was called by this alias.
    CalledAs(String),
}

impl Change {
    /// What an event that did not fail changed, and the key or alias of which it did, if it names one.
    pub(super) fn of<'k>(tells: Tells, event: &Event<'_>, keys: &'k KeysOf<'_>) -> Option<(Option<&'k str>, Change)> {
        let is = |word: Raw<'_>, expected: &str| word.text().trim().eq_ignore_ascii_case(expected);
        let rotates = || Change::Rotates(interval(&asked(event, Part::Request, b"RotationInterval").text()));
        let change = match tells {
            Tells::Alias => {
                let (alias, key) = keys.alias()?;
                return Some((Some(alias), Change::GivenTo(key?.to_owned())));
            }
            // Most answers are not in the log.
            Tells::Description if event.answered_key.is_empty() => return None,
            Tells::Creation | Tells::Description => {
                let says = |name: &[u8], value| {
                    [Part::Request, Part::Response].iter().any(|part| is(asked(event, *part, name), value))
                };
                match () {
                    () if says(b"Origin", "EXTERNAL") => Change::External,
                    () if says(b"EnableAutomaticRotation", "true") || says(b"AutomaticRotation", "Enabled") => {
                        rotates()
                    }
                    () => return None,
                }
            }
            // What does not say that it stops may begin.
            Tells::Rotation if is(asked(event, Part::Request, b"EnableAutomaticRotation"), "false") => Change::Rests,
            Tells::Rotation => rotates(),
            Tells::Enabling => Change::Enabled,
            Tells::Disabling => Change::Disabled,
            Tells::Secret => Change::HoldsSecret,
        };
        Some((keys.each().next(), change))
    }

    /// A number that tells it from others of the same texts.
    pub(super) fn number(&self) -> u64 {
        match self {
            Change::GivenTo(_) => 1,
            Change::External => 2,
            Change::Rotates(every) => 3 | every.unsigned_abs() << 8,
            Change::Rests => 4,
            Change::Enabled => 5,
            Change::Disabled => 6,
            Change::HoldsSecret => 7,
            Change::CalledAs(_) => 8,
        }
    }
}

/// Keys rotate no more often (KMS API 2016-01-20, "UpdateRotationPolicy": 7 to 730 days).
const LEAST_INTERVAL: i64 = 7 * 24 * HOUR;

/// The seconds of an interval such as `365d` or `31536000s`; the least there is if it is not understood.
fn interval(text: &str) -> i64 {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "d" | "D" => 24 * HOUR,
        "h" | "H" => HOUR,
        "m" | "M" => 60,
        "s" | "S" => 1,
        _ => 0,
    };
    let seconds = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| *seconds > 0).unwrap_or(LEAST_INTERVAL)
}

/// What a part of an event says under a name, also in the `KeyMetadata` of an answer.
fn asked<'e>(event: &Event<'e>, part: Part, asked: &[u8]) -> Raw<'e> {
    let mut found = Raw::default();
    let _ = members(event.whole.0, 0, |name, value| {
        let Value::Nested(object) = value else { return };
        if Part::named(&plain(name)) != Some(part) {
            return;
        }
        let _ = members(object, 0, |name, value| match (&*plain(name), value) {
            (b"KeyMetadata", Value::Nested(metadata)) => {
                let _ = members(metadata, 0, |name, value| {
                    if *plain(name) == *asked {
                        found = value.word();
                    }
                });
            }
            // Members of members may stand there with a dot between their names.
            (name, value) if name.strip_prefix(b"KeyMetadata.").unwrap_or(name) == asked => found = value.word(),
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
    /// When it did so first, in seconds since 1970.
    pub given_first: Option<i64>,
    /// The aliases by which the key was called, where events name both.
    pub called_as: BTreeSet<String>,
    /// Whether the key was made for imported material.
    pub is_external: bool,
    /// When it was made to rotate first and last.
    pub rotates: Option<Span>,
    /// How often it rotated at most, as seconds from one time to the next.
    pub rotates_every: Option<i64>,
    /// When it was made not to rotate, last.
    pub rests: Option<i64>,
    /// When it was made usable again, last.
    pub enabled: Option<i64>,
    /// When it was made unusable, last.
    pub disabled: Option<i64>,
    /// Whether it encrypts secrets.
    pub holds_secrets: bool,
}

/// The later, or the earlier, of two moments of which either may be none.
fn either(one: Option<i64>, other: Option<i64>, of: fn(i64, i64) -> i64) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(of(one, other)),
        (one, other) => one.or(other),
    }
}

impl Changes {
    /// Adds what an event changed.
    pub(super) fn add(&mut self, change: Change, time: i64) {
        let time = Some(time);
        let one = match change {
            Change::GivenTo(key) => Changes { given_to: [(key, 1)].into(), given_first: time, ..Changes::default() },
            Change::CalledAs(alias) => Changes { called_as: [alias].into(), ..Changes::default() },
            Change::External => Changes { is_external: true, ..Changes::default() },
            Change::Rotates(every) => {
                Changes { rotates: time.map(Span::of), rotates_every: Some(every), ..Changes::default() }
            }
            Change::Rests => Changes { rests: time, ..Changes::default() },
            Change::Enabled => Changes { enabled: time, ..Changes::default() },
            Change::Disabled => Changes { disabled: time, ..Changes::default() },
            Change::HoldsSecret => Changes { holds_secrets: true, ..Changes::default() },
        };
        self.merge(&one);
    }

    /// Adds all of others.
    pub fn merge(&mut self, other: &Changes) {
        for (key, count) in &other.given_to {
            let known = self.given_to.entry(key.clone()).or_default();
            *known = known.saturating_add(*count);
        }
        self.given_first = either(self.given_first, other.given_first, i64::min);
        self.called_as.extend(other.called_as.iter().cloned());
        self.is_external |= other.is_external;
        if let Some(span) = other.rotates {
            self.rotates.get_or_insert(span).add(span);
        }
        self.rotates_every = either(self.rotates_every, other.rotates_every, i64::min);
        self.rests = self.rests.max(other.rests);
        self.enabled = self.enabled.max(other.enabled);
        self.disabled = self.disabled.max(other.disabled);
        self.holds_secrets |= other.holds_secrets;
    }

    /// Whether the last that the log shows is that the key begins to rotate.
    pub fn is_made_to_rotate(&self) -> bool {
        self.rotates.is_some_and(|rotates| Some(rotates.last) >= self.rests)
    }

    /// Whether the key may have rotated until now, so that it has more than one version.
    pub fn may_have_rotated(&self, now: i64) -> bool {
        let Some(Span { first, .. }) = self.rotates else { return false };
        let end = if self.is_made_to_rotate() { now } else { self.rests.unwrap_or(now) };
        end.saturating_sub(first) >= self.rotates_every.unwrap_or(LEAST_INTERVAL)
    }

    /// Whether the last that the log shows is that the key cannot be used.
    pub fn is_disabled(&self) -> bool {
        self.disabled.is_some() && self.disabled > self.enabled
    }

    /// For a result; nothing if nothing was changed.
    pub fn line(&self) -> Option<ChangesLine> {
        let line = ChangesLine {
            given_to: self.given_to.iter().map(|(key, count)| (key.clone(), Count(*count))).collect(),
            given_first: self.given_first.map(show),
            called_as: self.called_as.iter().cloned().collect(),
            external: self.is_external,
            rotation_first: self.rotates.map(|rotates| show(rotates.first)),
            rotation_on: self.rotates.map(|rotates| show(rotates.last)),
            rotation_every: self.rotates_every.map(|every| Count(every.unsigned_abs())),
            rotation_off: self.rests.map(show),
            enabled: self.enabled.map(show),
            disabled: self.disabled.map(show),
            secrets: self.holds_secrets,
        };
        (*self != Changes::default()).then_some(line)
    }
}

/// What the calls with a key, or under an alias, changed, and by which aliases the key was called.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChangesLine {
    /// The keys to which CreateAlias gave the alias, as the log names them, and how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given_to: BTreeMap<String, Count>,
    /// When CreateAlias did so first, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_first: Option<String>,
    /// The aliases by which the key was called, where events name both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called_as: Vec<String>,
    /// Whether the key was made for imported material, as CreateKey or DescribeKey say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// When the key was first made to rotate, or seen to, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_first: Option<String>,
    /// When the key was last made to rotate, or seen to, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_on: Option<String>,
    /// How many seconds lie between two rotations at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_every: Option<Count>,
    /// When UpdateRotationPolicy made the key not rotate, last, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_off: Option<String>,
    /// When EnableKey or CancelKeyDeletion made the key usable again, last, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<String>,
    /// When DisableKey or ScheduleKeyDeletion made the key unusable, last, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// Whether CreateSecret names the key to encrypt a secret.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secrets: bool,
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
        let rotates = match (time(&self.rotation_first)?, time(&self.rotation_on)?) {
            (Some(first), Some(last)) if first <= last => Some(Span { first, last }),
            (None, None) => None,
            _ => {
                return Err(
                    "`rotation_first` and `rotation_on` are not the first and the last of some moments".to_owned()
                );
            }
        };
        Ok(Changes {
            given_to: self.given_to.iter().map(|(key, count)| (key.clone(), count.0)).collect(),
            given_first: time(&self.given_first)?,
            called_as: self.called_as.iter().cloned().collect(),
            is_external: self.external,
            rotates,
            rotates_every: self.rotation_every.and_then(|every| i64::try_from(every.0).ok()),
            rests: time(&self.rotation_off)?,
            enabled: time(&self.enabled)?,
            disabled: time(&self.disabled)?,
            holds_secrets: self.secrets,
        })
    }
}
