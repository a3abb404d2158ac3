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
        let named = |named| names.iter().find(|name| Named::by(name.bytes) == Some(named));
        named(Named::Key).or_else(|| named(Named::Alias)).map(|name| text_of(*name))
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

fn text_of<'e>(name: Raw<'e>) -> Cow<'e, str> {
    match std::str::from_utf8(name.bytes) {
        Ok(text) if !name.is_escaped => text.into(),
        _ => name.text().into_owned().into(),
    }
}
