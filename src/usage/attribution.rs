//! Which keys an event is about.

use std::borrow::Cow;

use super::event::Event;
use super::scan::Raw;
use super::tally::Side;
use crate::domains::cmk::operations::{forbidden, resembles_forbidden};
use crate::inventory::tidy;

/// Longer names are no ids of keys.
const LONGEST_NAME: usize = 1024;

/// The keys that an event is about, as they are named there.
pub(super) struct KeysOf<'e> {
    key: Option<Cow<'e, str>>,
    /// The key that `ReEncrypt` writes under, beside the one that it reads under; or the alias that is moved.
    other: Option<Cow<'e, str>>,
    /// Which key is not known.
    pub(super) unknown: Option<Side>,
    /// The alias by which the key was called, if the event names its id as well.
    pub(super) called_as: Option<Cow<'e, str>>,
}

impl KeysOf<'_> {
    /// Each of them.
    pub(super) fn each(&self) -> impl Iterator<Item = &str> {
        [&self.key, &self.other].into_iter().flatten().map(Cow::as_ref)
    }

    /// The alias that the event gives to a key, or takes from one, and that key.
    pub(super) fn alias(&self) -> Option<(&str, Option<&str>)> {
        match (&self.key, &self.other) {
            (key, Some(alias)) => Some((alias, key.as_deref())),
            (Some(key), None) => is_alias(key).then_some((key, None)),
            (None, None) => None,
        }
    }
}

/// What is special about an operation, as far as its keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `ReEncrypt` reads under one key and writes under another.
    ReEncrypts,
    /// Nobody knows it, and it is like one that blocks: if it has two sides, more keys than those that are named may be those
    /// from which it reads.
    ResemblesForbidden,
    /// An alias is given to a key, or taken from one.
    MovesAlias,
    /// Nothing.
    Usual,
}

impl Role {
    /// That of an operation, by its name in the API.
    pub(super) fn of(operation: &str) -> Role {
        match operation {
            "ReEncrypt" => Role::ReEncrypts,
            "CreateAlias" | "UpdateAlias" | "DeleteAlias" => Role::MovesAlias,
            name if forbidden(name) == 0 && resembles_forbidden(name) => Role::ResemblesForbidden,
            _ => Role::Usual,
        }
    }
}

/// The keys that an event is about. Decrypt, ExportDataKey and the source side of ReEncrypt name none in the request; the
/// answer, or the resources beside it, may. The `KeyId` that ReEncrypt answers is that of the source (KMS API 2016-01-20,
/// "ReEncrypt"). An id tells more than an alias, which may be that of another key tomorrow.
pub(super) fn keys_of<'e>(event: &Event<'e>, role: Role) -> KeysOf<'e> {
    let has_sides = !event.destination_key.is_empty() || !event.source_key.is_empty();
    match role {
        Role::ReEncrypts => return keys_of_both_sides(event),
        Role::ResemblesForbidden if has_sides => {
            let unknown = keys_of_both_sides(event).unknown.filter(|side| *side == Side::All).or(Some(Side::Source));
            return KeysOf { unknown, ..keys_of_both_sides(event) };
        }
        _ => {}
    }
    let mut referenced = distinct(&event.referenced);
    if referenced.iter().filter(|name| !is_alias(name)).count() > 1 || event.references_more {
        referenced.clear();
    }
    let mut referenced = referenced.into_iter();
    let (beside, second) = (referenced.next(), referenced.next());
    let named = first(&[event.requested_key, event.answered_key, event.destination_key, event.encryption_key]);
    let is_beside = named.is_none() && beside.is_some();
    let mut all = [named, beside, first(&[event.resource])];
    let is_id = |name: &Option<Cow<'e, str>>| name.as_ref().is_some_and(|name| !is_alias(name));
    let at = all.iter().position(is_id).or_else(|| all.iter().position(Option::is_some));
    let key = at.and_then(|at| all[at].take());
    if role == Role::MovesAlias {
        // These calls are told under the name of the alias, too.
        let alias = alias_of(event.alias).or_else(|| first(&[event.resource]).filter(|name| is_alias(name)));
        let unknown = alias.is_none().then_some(Side::Alias);
        let other = alias.filter(|alias| key.as_ref() != Some(alias));
        return KeysOf { key, other, unknown, called_as: None };
    }
    if contradicts_itself(event) {
        return KeysOf { key: None, other: None, unknown: Some(Side::All), called_as: None };
    }
    let called_as = first(&[event.requested_key]).filter(|name| is_alias(name));
    let called_as = called_as.filter(|_| key.as_ref().is_some_and(|key| !is_alias(key)));
    // An alias beside an id may be that of another key.
    KeysOf { unknown: key.is_none().then_some(Side::All), key, other: second.filter(|_| is_beside), called_as }
}

/// Whether an event names different ids where there is one key: then it may be about any of them, or about none.
fn contradicts_itself(event: &Event<'_>) -> bool {
    let [one, two, ..] = event.referenced;
    let names = [event.requested_key, event.answered_key, one, two, event.resource];
    let mut known: Option<(Raw<'_>, Cow<'_, str>)> = None;
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        // Nearly all events name their key in one way.
        if known.as_ref().is_some_and(|(written, _)| written.bytes == name.bytes) {
            continue;
        }
        let Some(id) = first(&[name]).filter(|name| !is_alias(name)) else { continue };
        match &known {
            Some((_, known)) if !is_same(known, &id) => return true,
            Some(_) => {}
            None => known = Some((name, id)),
        }
    }
    false
}

/// The keys of `ReEncrypt`: the one under which it reads, and the one under which it writes.
fn keys_of_both_sides<'e>(event: &Event<'e>) -> KeysOf<'e> {
    // An answer that tells both keys says which is the source.
    let (answered_source, answered_destination) = match event.source_key.is_empty() {
        true => (event.answered_key, Raw::default()),
        false => (Raw::default(), event.answered_key),
    };
    let source = first(&[event.source_key, answered_source]);
    let destination = first(&[event.destination_key, answered_destination, event.requested_key]);
    let [one, two, three, four] = event.referenced;
    let [request, answer] = [event.requested_key, event.answered_key];
    let all =
        distinct(&[event.source_key, answer, event.destination_key, request, one, two, three, four, event.resource]);
    let ids = all.iter().filter(|name| !is_alias(name)).count();
    let mut names = all.into_iter();
    let (key, other) = (names.next(), names.next());
    let unknown = match (source, destination) {
        // There are two keys and no more: if both stand there, it does not matter which is which.
        _ if ids == 2 && !event.references_more => None,
        _ if key.is_none() => Some(Side::All),
        // From an older version of a key to its newest, perhaps.
        (Some(_), Some(_)) if ids < 2 => None,
        (Some(_), None) if ids < 2 => Some(Side::Destination),
        _ => Some(Side::Source),
    };
    // An alias beside two ids is that of one of them.
    KeysOf { key, other, unknown, called_as: None }
}

/// The names of keys among these, each once: ids before aliases.
fn distinct<'e>(names: &[Raw<'e>]) -> Vec<Cow<'e, str>> {
    let mut all: Vec<Cow<'e, str>> = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()).filter_map(|name| first(&[*name])) {
        if !all.iter().any(|known| is_same(known, &name)) {
            all.push(name);
        }
    }
    all.sort_by_key(|name| is_alias(name));
    all
}

/// Whether two names are of one key, by its id or by the ARN of that, however it is written.
fn is_same(one: &str, other: &str) -> bool {
    let id = |name| tidy::key_id(name).ok();
    one == other || id(one).is_some_and(|one| Some(one) == id(other))
}

/// The first of these names that may be one of a key, and before aliases.
fn first<'e>(names: &[Raw<'e>]) -> Option<Cow<'e, str>> {
    let mut alias = None;
    for name in names.iter().filter(|name| !name.is_empty()) {
        let text = text_of(*name);
        match Named::by(text.as_bytes()) {
            Some(Named::Key) => return Some(text),
            Some(Named::Alias) => alias = alias.or(Some(text)),
            None => {}
        }
    }
    alias
}

fn is_alias(name: &str) -> bool {
    Named::by(name.as_bytes()) == Some(Named::Alias)
}

/// The alias of that name, which may stand there without what all begin with.
fn alias_of(name: Raw<'_>) -> Option<Cow<'_, str>> {
    let text = text_of(name);
    match Named::by(text.as_bytes())? {
        Named::Alias => Some(text),
        Named::Key => Some(format!("alias/{text}").into()),
    }
}

/// How a text names one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// By its id, or by the ARN of that.
    Key,
    /// By an alias, or by the ARN of one.
    Alias,
}

impl Named {
    /// Nothing if it names none, or several: `resourceName` may be a list, and logs may be masked.
    fn by(name: &[u8]) -> Option<Named> {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return None;
        }
        let of_alias = |is_alias| if is_alias { Named::Alias } else { Named::Key };
        // All bytes are looked at, as nearly all names are ids.
        if name.iter().fold(true, |all, byte| all & IS_OF_ID[usize::from(*byte)]) {
            return Some(of_alias(name.starts_with(b"alias")));
        }
        let is_alias = name.starts_with(b"alias") || memchr::memmem::find(name, b":alias").is_some();
        let is_longer = is_alias || name.len() > 8 && name[..8].eq_ignore_ascii_case(b"acs:kms:");
        let is_list = || name.iter().any(|byte| matches!(byte, b',' | b';'));
        (is_longer && !is_list()).then(|| of_alias(is_alias))
    }
}

/// Whether each byte may stand in the id of a key.
const IS_OF_ID: [bool; 256] = {
    let mut is_of_id = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_of_id[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_' | b'.' | b' ');
        byte += 1;
    }
    is_of_id
};

fn bare(name: &str) -> &str {
    let name = name.trim_ascii();
    name.strip_prefix("key/").unwrap_or(name)
}

/// A name without its escapes, and without what says that it is one of a key.
fn text_of<'e>(name: Raw<'e>) -> Cow<'e, str> {
    match std::str::from_utf8(name.bytes) {
        Ok(text) if !name.is_escaped => bare(text).into(),
        _ => bare(&name.text()).to_owned().into(),
    }
}
