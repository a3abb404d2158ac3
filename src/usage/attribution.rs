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

/// The keys that an event is about. Decrypt, ExportDataKey and the source side of ReEncrypt name none in the request; the
/// answer, or the resources beside it, may. The `KeyId` that ReEncrypt answers is that of the source (KMS API 2016-01-20,
/// "ReEncrypt"). An id tells more than an alias, which may be that of another key tomorrow.
pub(super) fn keys_of<'e>(event: &Event<'e>) -> KeysOf<'e> {
    let referenced = if event.references_several { Raw::default() } else { event.referenced_key };
    let first = |names: &[Raw<'e>]| {
        let named = || names.iter().filter(|name| may_name_key(name.bytes));
        let best = named().find(|name| !is_of_alias(name.bytes)).or_else(|| named().next());
        best.map(|name| text_of(*name))
    };
    if event.operation.bytes == b"ReEncrypt" {
        // An answer that tells both keys says which is the source.
        let answered = if event.source_key.is_empty() { Raw::default() } else { event.answered_key };
        let source = first(&[event.source_key]).or_else(|| first(&[event.answered_key]));
        let beside = [answered, event.requested_key, referenced, event.resource];
        let destination = first(&[event.destination_key]).or_else(|| first(&beside));
        let unknown = match (&source, &destination) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(Side::Source),
            (None, None) => Some(Side::All),
        };
        // From an older version of a key to its newest.
        let other = destination.filter(|destination| source.as_ref() != Some(destination));
        return KeysOf { key: source, other, unknown };
    }
    let key = first(&[event.requested_key, event.answered_key, event.destination_key, referenced, event.resource]);
    // An alias that is moved is told by these calls under its name.
    let moves = matches!(event.operation.bytes, b"CreateAlias" | b"UpdateAlias" | b"DeleteAlias");
    let alias = if moves { first(&[event.alias]) } else { None };
    let other = alias.filter(|alias| key.as_ref() != Some(alias));
    let is_unknown = key.is_none() && other.is_none();
    KeysOf { unknown: is_unknown.then_some(Side::All), key, other }
}

/// Whether a text may be the id, ARN or alias of one key. `resourceName` may be a list, and logs may be masked.
fn may_name_key(name: &[u8]) -> bool {
    let is_of_id = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b' ');
    let is_longer = || is_of_alias(name) || name.len() > 8 && name[..8].eq_ignore_ascii_case(b"acs:kms:");
    let is_list = || name.iter().any(|byte| matches!(byte, b',' | b';'));
    !name.is_empty() && name.len() <= LONGEST_NAME && (name.iter().all(is_of_id) || is_longer() && !is_list())
}

/// Whether a name is that of an alias.
fn is_of_alias(name: &[u8]) -> bool {
    name.starts_with(b"alias") || memchr::memmem::find(name, b":alias").is_some()
}

fn text_of<'e>(name: Raw<'e>) -> Cow<'e, str> {
    match std::str::from_utf8(name.bytes) {
        Ok(text) if !name.is_escaped => text.into(),
        _ => name.text().into_owned().into(),
    }
}
