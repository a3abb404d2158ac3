//! Which keys an event is about.

use std::borrow::Cow;

use super::event::Event;
use super::scan::Raw;
use super::tally::Side;

/// Longer names are no ids of keys.
const LONGEST_NAME: usize = 1024;

/// The keys that an event is about, as they are named there.
pub(super) struct KeysOf<'e> {
    key: Option<Cow<'e, str>>,
    /// The key that `ReEncrypt` writes under, beside the one that it reads under; or the alias that is moved.
    other: Option<Cow<'e, str>>,
    /// Which key is not known.
    pub(super) unknown: Option<Side>,
}

impl KeysOf<'_> {
    /// Each of them.
    pub(super) fn each(&self) -> impl Iterator<Item = &str> {
        [&self.key, &self.other].into_iter().flatten().map(Cow::as_ref)
    }
}

/// What is special about an operation, as far as its keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `ReEncrypt` reads under one key and writes under another.
    ReEncrypts,
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
            _ => Role::Usual,
        }
    }
}

/// The keys that an event is about. Decrypt, ExportDataKey and the source side of ReEncrypt name none in the request; the
/// answer, or the resources beside it, may. The `KeyId` that ReEncrypt answers is that of the source (KMS API 2016-01-20,
/// "ReEncrypt"). An id tells more than an alias, which may be that of another key tomorrow.
pub(super) fn keys_of<'e>(event: &Event<'e>, role: Role) -> KeysOf<'e> {
    if role == Role::ReEncrypts {
        return keys_of_both_sides(event);
    }
    let is_one = event.referenced_other.is_empty();
    let referenced = if is_one { event.referenced_key } else { Raw::default() };
    let named = [event.requested_key, event.answered_key, event.destination_key, referenced, event.resource];
    let key = first(&named);
    if role == Role::MovesAlias {
        // These calls are told under the name of the alias, too.
        let alias = alias_of(event.alias).or_else(|| first(&[event.resource]).filter(|name| is_alias(name)));
        let other = alias.filter(|alias| key.as_ref() != Some(alias));
        let is_unknown = key.is_none() && other.is_none();
        return KeysOf { key, other, unknown: is_unknown.then_some(Side::All) };
    }
    KeysOf { unknown: key.is_none().then_some(Side::All), key, other: None }
}

/// The keys of `ReEncrypt`: the one under which it reads, and the one under which it writes.
fn keys_of_both_sides<'e>(event: &Event<'e>) -> KeysOf<'e> {
    // An answer that tells both keys says which is the source.
    let answered = if event.source_key.is_empty() { Raw::default() } else { event.answered_key };
    let source = first(&[event.source_key]).or_else(|| first(&[event.answered_key]));
    let destination = first(&[event.destination_key]).or_else(|| first(&[answered, event.requested_key]));
    let beside = [event.referenced_key, event.referenced_other, event.resource];
    let beside = beside.iter().filter(|_| !event.references_several).filter_map(|name| first(&[*name]));
    if source.is_some() {
        // The other one may be the same: from an older version of a key to its newest.
        let is_other = |name: &Cow<'e, str>| source.as_ref().is_some_and(|source| !is_same(source, name));
        let other = destination.or_else(|| beside.fold(None, |known, name| known.or(Some(name).filter(is_other))));
        return KeysOf { other: other.filter(is_other), key: source, unknown: None };
    }
    let (mut ids, mut aliases): (Vec<Cow<'e, str>>, Vec<Cow<'e, str>>) = Default::default();
    for name in destination.into_iter().chain(beside) {
        let names = if is_alias(&name) { &mut aliases } else { &mut ids };
        if !names.iter().any(|known| is_same(known, &name)) {
            names.push(name);
        }
    }
    // There are two keys and no more: if both stand there, it does not matter which is which. An id and an alias may be of
    // one key.
    let are_both = ids.len() == 2;
    let mut names = ids.into_iter().chain(aliases.into_iter().filter(|_| !are_both));
    let (key, other) = (names.next(), names.next());
    let unknown = if key.is_none() { Side::All } else { Side::Source };
    KeysOf { key, other, unknown: (!are_both).then_some(unknown) }
}

/// Whether two names are of one key: by its id, and by the ARN of that.
fn is_same(one: &str, other: &str) -> bool {
    let id = |name: &str| if is_alias(name) { None } else { name.rsplit('/').next().map(str::to_ascii_lowercase) };
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

/// A name without its escapes, and without what says that it is one of a key.
fn text_of<'e>(name: Raw<'e>) -> Cow<'e, str> {
    match std::str::from_utf8(name.bytes) {
        Ok(text) if !name.is_escaped => text.strip_prefix("key/").unwrap_or(text).into(),
        _ => {
            let text = name.text();
            text.strip_prefix("key/").unwrap_or(&text).to_owned().into()
        }
    }
}
