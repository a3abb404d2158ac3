//! Which names of keys are whole ids, and which may be parts of such: what masks leave, and what agrees with an id of the
//! inventory in some places only.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;

use super::evidence::name_of;
use crate::inventory::survey::Survey;
use crate::inventory::tidy;

/// So many times the same digit is no id. Of random ids, one in 40,000 has so many by chance.
const ONE_DIGIT: usize = 6;

/// Words that stand where ids were left out.
const FOR_MASKED: [&str; 5] = ["mask", "hidden", "redact", "secret", "xxxx"];

/// Whether a name has the form of a whole id, as KMS gives it, so that it may be one of a key that is in no inventory. One
/// digit many times over is what masks leave, and so are blocks that are all alike.
fn has_form_of_id(name: &str) -> bool {
    let is_newer = name.strip_prefix("key-").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let digits: Vec<u8> = name.bytes().filter(|byte| *byte != b'-').collect();
    (tidy::is_uuid(name) || is_newer && !FOR_MASKED.iter().any(|word| name.contains(word)))
        && tidy::is_given_by_kms(name)
        && !digits.windows(ONE_DIGIT).any(is_one_digit)
        && !has_masked_block(name)
        && !repeats_block(name)
}

/// Whether a block of a UUID is one digit many times over.
pub(super) fn has_masked_block(id: &str) -> bool {
    tidy::is_uuid(id) && blocks(id).any(is_one_digit)
}

/// Whether two of the short blocks of a UUID are the same, as in `12345678-1234-1234-1234-123456789012`.
fn repeats_block(id: &str) -> bool {
    let short: Vec<&[u8]> = blocks(id).filter(|block| block.len() == 4).collect();
    tidy::is_uuid(id) && (1..short.len()).any(|at| short[..at].contains(&short[at]))
}

fn is_one_digit(part: &[u8]) -> bool {
    part.iter().all(|byte| *byte == part[0])
}

fn blocks(id: &str) -> impl Iterator<Item = &[u8]> {
    id.as_bytes().split(|byte| *byte == b'-').filter(|block| !block.is_empty())
}

/// Whether one id agrees with another in some places, and in the others is something else altogether, as where these were
/// masked: UUIDs in two blocks or more, newer ones at both ends. Ids that somebody has numbered differ in a digit or two.
fn is_masked_like(name: &str, id: &str) -> bool {
    let alike = |one: &[u8], other: &[u8]| one.iter().zip(other).filter(|(one, other)| one == other).count();
    if tidy::is_uuid(name) && tidy::is_uuid(id) {
        let pairs = || blocks(name).zip(blocks(id));
        return pairs().filter(|(one, other)| one == other).count() >= 2
            && pairs().all(|(one, other)| one == other || 2 * alike(one, other) < one.len());
    }
    let (one, other) = (name.as_bytes(), id.as_bytes());
    let begin = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let shorter = one.len().min(other.len());
    let middle = shorter.saturating_sub(begin + end);
    let is_newer = name.starts_with("key-") && id.starts_with("key-");
    let is_middle_alike = || {
        let [one, other] = [one, other].map(|id| &id[begin..begin + middle]);
        2 * alike(one, other) >= middle
    };
    is_newer && end >= 3 && begin + end >= AT_ENDS && middle >= 3 && !is_middle_alike()
}

/// So many letters of a newer id at both its ends, with `key-`, are hardly the same by chance.
const AT_ENDS: usize = 12;

/// Those of some names that are whole ids of keys that are in no inventory. Nobody knows how long newer ids are: one that
/// begins as one of the inventory, or with which one of it begins, may be a part of that.
pub(super) fn whole_ids(names: impl Iterator<Item = String>, survey: &Survey) -> BTreeSet<String> {
    let mut whole: BTreeSet<String> = names.filter(|name| has_form_of_id(name)).collect();
    if whole.is_empty() {
        return whole;
    }
    let all = whole.clone();
    let parts = Parts::of(&all);
    for key in survey.keys() {
        let id = name_of(key.key_id());
        for name in parts.like(&id).filter(|name| is_masked_like(name, &id)) {
            whole.remove(name);
        }
        if id.starts_with("key-") {
            (0..=id.len()).filter_map(|end| id.get(..end)).for_each(|start| {
                whole.remove(start);
            });
            while let Some(longer) = whole.range(id.clone()..).next().filter(|name| name.starts_with(&id)).cloned() {
                whole.remove(&longer);
            }
        }
    }
    whole
}

/// Names by two of their blocks, or by their last letters, so that few are compared with each id of a large inventory.
struct Parts<'n>(HashMap<(usize, usize, u64), Vec<&'n str>, FixedState>);

/// Where more names share two blocks with one id, somebody has numbered them.
const MOST_ALIKE: usize = 64;

impl<'n> Parts<'n> {
    fn of(names: &'n BTreeSet<String>) -> Parts<'n> {
        let mut all: HashMap<_, Vec<&str>, FixedState> = HashMap::default();
        for name in names {
            places(name).for_each(|place| all.entry(place).or_default().push(name));
        }
        Parts(all)
    }

    fn like(&self, id: &str) -> impl Iterator<Item = &'n str> {
        let lists = places(id).filter_map(|place| self.0.get(&place)).filter(|names| names.len() <= MOST_ALIKE);
        lists.flatten().copied().collect::<Vec<_>>().into_iter()
    }
}

/// Where a name stands in [`Parts`].
fn places(name: &str) -> impl Iterator<Item = (usize, usize, u64)> {
    let hash = |parts: [&[u8]; 2]| FixedState::default().hash_one(parts);
    let blocks: Vec<&[u8]> = if tidy::is_uuid(name) { blocks(name).collect() } else { Vec::new() };
    let ends = blocks.is_empty().then(|| (0, 0, hash([&name.as_bytes()[name.len().saturating_sub(3)..], b""])));
    let pairs = (0..blocks.len()).flat_map(|one| (one + 1..5).map(move |other| (one, other)));
    let pairs: Vec<_> =
        pairs.filter_map(|(one, other)| Some((one, other, hash([blocks.get(one)?, blocks.get(other)?])))).collect();
    ends.into_iter().chain(pairs)
}
