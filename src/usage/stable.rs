//! Hashes that are the same in every version of the program, for their sums stand in results. They tell apart what differs by
//! chance, and are no protection against anybody.

use super::event::Event;

/// Adds a word to a hash.
#[inline]
pub(super) fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

/// The hash of a text, of which eight bytes are taken at a time; the last eight may have been taken before.
#[inline]
pub(super) fn hash(text: &[u8]) -> u64 {
    let (words, _) = text.as_chunks::<8>();
    let hash = words.iter().fold(0x5bd1_e995_cbf2_9ce4, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let last = match text.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => text.iter().fold(0, |last, byte| last << 8 | u64::from(*byte)),
    };
    mix(mix(hash, last), text.len() as u64)
}

/// A hash that can be added to others. Sums of what [`mix`] gives could be equal where two events have exchanged something.
#[inline]
pub(super) fn finish(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let hash = (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ hash >> 32
}

/// The stable hash of the texts that an event says. Two deliveries of an event have all of them; different events may have
/// one id, where a log was masked.
pub(super) fn hash_of_texts(event: &Event<'_>) -> u64 {
    let texts = [
        event.event_id,
        event.agent,
        event.user,
        event.principal,
        event.identity,
        event.vpc,
        event.source,
        event.endpoint,
        event.event_type,
        event.requested_key,
        event.alias,
        event.answered_key,
        event.resource,
        event.destination_key,
        event.source_key,
        event.referenced[0],
        event.referenced[1],
        event.referenced[2],
        event.referenced[3],
        event.encryption_key,
    ];
    let mut sum = 0_u64;
    for (at, text) in texts.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
        // No hash waits for that of the text before it.
        let hash = if text.is_escaped { hash(text.text().as_bytes()) } else { hash(text.bytes) };
        sum = sum.wrapping_add(finish(mix(hash, at as u64)));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stay_what_they_are() {
        assert_eq!(finish(mix(hash(b"acs:kms:cn-hangzhou"), 1)), 0x5368_4365_426e_f5d7);
        assert_eq!(finish(1), 0x64aa_0aad_47c9_9b7d);
    }

    #[test]
    fn what_two_events_have_exchanged_is_seen_in_the_sum() {
        let event = |id: u64, failed: u64| finish(mix(mix(hash(b"Decrypt"), id), failed));
        for id in 0..10_000 {
            let (one, other) = (event(id, 0), event(id + 1, 1));
            assert_ne!(one.wrapping_add(other), event(id, 1).wrapping_add(event(id + 1, 0)), "{id}");
        }
    }
}
