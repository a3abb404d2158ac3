//! Batches of keys, so that a further key changes no more than the batch into which it comes.
//!
//! Keys of one application are one unit. Units are told apart by the digest of their name: as long as those whose digests
//! begin alike are too many for a batch, they are parted by the next bit. So it hangs on the units themselves in which batch
//! they are, and not on how many others there are.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::candidate::{Candidate, Needs};

/// The first bits of a digest.
pub(super) fn hash(parts: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// What keys of one batch have in common, apart from their destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) needs: Needs,
    /// Whether and when its keys rotate.
    pub(super) rotates: Rotates,
    /// The applications whose keys are too many for one batch.
    pub(super) large: Option<String>,
}

/// Whether and when keys rotate, in the order in which they get windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rotates {
    /// Behind the first window, which may still come in time.
    Later,
    /// Nobody knows when: perhaps tomorrow.
    Unknown,
    /// They do not.
    Never,
    /// Before a window can have ended. They take no slot from keys that can still be saved.
    TooSoon,
}

/// Keys that stay together.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) kind: Kind,
    /// By which it is told apart.
    pub(super) hash: u64,
    /// The candidates, by number.
    pub(super) keys: Vec<usize>,
}

/// The keys that stay together: those of one application, as far as a batch has room, and the others alone. The first window ends
/// at that moment, in seconds since 1970.
///
/// A key that rotates before is not late if its window in an earlier plan is `still_in_time`.
pub(super) fn units(
    candidates: &[Candidate<'_>],
    keys_per_batch: usize,
    first_end: i64,
    still_in_time: impl Fn(&Candidate<'_>) -> bool,
) -> Vec<Unit> {
    let mut of_application: BTreeMap<Scope<'_>, Vec<usize>> = BTreeMap::new();
    for (number, key) in candidates.iter().enumerate() {
        key.applications.iter().for_each(|name| of_application.entry(scope(key, name)).or_default().push(number));
    }
    // What uses more keys than a batch takes, such as a backup, cannot be kept together, and shall not tie others together.
    of_application.retain(|_, keys| keys.len() <= keys_per_batch);
    // Those that use fewest keys come first, so that as few as possible are parted.
    let mut applications: Vec<(&Scope<'_>, &Vec<usize>)> = of_application.iter().collect();
    applications.sort_by_key(|(_, keys)| keys.len());
    let mut joined = Joined::new(candidates.len());
    let (mut whole, mut in_part): (BTreeSet<Scope<'_>>, BTreeSet<Scope<'_>>) = Default::default();
    for (scope, keys) in applications {
        if joined.join(keys, keys_per_batch) {
            whole.insert(*scope);
        } else {
            joined.join_some(keys, keys_per_batch);
            in_part.insert(*scope);
        }
    }
    let mut together: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    (0..candidates.len()).for_each(|number| together.entry(joined.root(number)).or_default().push(number));
    let mut units = Vec::new();
    for mut keys in together.into_values() {
        keys.sort_by_key(|key| candidates[*key].key_id);
        // What rotates too soon holds up no others of its application.
        let is_late = |key: &usize| {
            let key = &candidates[*key];
            key.deadline.is_some_and(|time| time.as_second() < first_end) && !still_in_time(key)
        };
        let (late, keys): (Vec<usize>, Vec<usize>) = keys.into_iter().partition(is_late);
        let rotates = if keys.iter().any(|key| candidates[*key].deadline.is_some()) {
            Rotates::Later
        } else if keys.iter().any(|key| candidates[*key].rotates_at_unknown()) {
            Rotates::Unknown
        } else {
            Rotates::Never
        };
        for (rotates, keys) in [(Rotates::TooSoon, late), (rotates, keys)] {
            let Some(first) = keys.first().map(|key| &candidates[*key]) else { continue };
            let (account, region) = (first.account.to_owned(), first.region.to_owned());
            let kind = Kind { account, region, needs: first.needs, rotates, large: None };
            let names =
                || keys.iter().flat_map(|key| candidates[*key].applications.iter().map(move |name| (key, name)));
            let first_of = |applications: &BTreeSet<Scope<'_>>| {
                let is_one = |(key, name): &(&usize, &String)| applications.contains(&scope(&candidates[**key], name));
                names().filter(is_one).map(|(_, name)| name).min()
            };
            let shared = || first_of(&in_part).filter(|_| keys.len() > 1);
            if let Some(name) = first_of(&whole).or_else(shared) {
                let hash = hash(&["application", name]);
                units.push(Unit { kind, hash, keys });
                continue;
            }
            let large = names().map(|(_, name)| name).min().cloned();
            let kind = Kind { large, ..kind };
            let alone = |key: &usize| {
                let hash = hash(&[candidates[*key].key_id]);
                Unit { kind: kind.clone(), hash, keys: vec![*key] }
            };
            units.extend(keys.iter().map(alone));
        }
    }
    units.sort_by(|one, other| (&one.kind, one.hash).cmp(&(&other.kind, other.hash)));
    units
}

/// An application, where its keys can be together.
type Scope<'c> = (&'c str, &'c str, Needs, &'c str);

fn scope<'c>(key: &Candidate<'c>, name: &'c str) -> Scope<'c> {
    (key.account, key.region, key.needs, name)
}

/// Parts units of one kind, in order of their hashes, so that none of the parts has more keys than a batch; gives them with
/// what their hashes begin with.
pub(super) fn parted<'u>(units: &[&'u Unit], keys_per_batch: usize) -> Vec<(String, Vec<&'u Unit>)> {
    let mut parts = Vec::new();
    part(units, keys_per_batch, &mut String::new(), &mut parts);
    parts
}

fn part<'u>(units: &[&'u Unit], most: usize, prefix: &mut String, parts: &mut Vec<(String, Vec<&'u Unit>)>) {
    let keys: usize = units.iter().map(|unit| unit.keys.len()).sum();
    if keys == 0 {
        return;
    }
    if keys <= most || units.len() == 1 {
        parts.push((prefix.clone(), units.to_vec()));
        return;
    }
    let Some(bit) = 63_usize.checked_sub(prefix.len()) else {
        // Equal hashes: chance, or keys of one id.
        let half = units.len() / 2;
        for (name, units) in [("a", &units[..half]), ("b", &units[half..])] {
            let mut inside = Vec::new();
            part(units, most, prefix, &mut inside);
            parts.extend(inside.into_iter().map(|(prefix, units)| (prefix + name, units)));
        }
        return;
    };
    let zeros = units.partition_point(|unit| unit.hash >> bit & 1 == 0);
    for (digit, units) in [('0', &units[..zeros]), ('1', &units[zeros..])] {
        prefix.push(digit);
        part(units, most, prefix, parts);
        prefix.pop();
    }
}

/// Which things belong together.
struct Joined {
    parents: Vec<usize>,
    /// How many there are, for each root.
    counts: Vec<usize>,
}

impl Joined {
    fn new(count: usize) -> Joined {
        Joined { parents: (0..count).collect(), counts: vec![1; count] }
    }

    /// The first of those that belong together.
    fn root(&mut self, mut thing: usize) -> usize {
        while self.parents[thing] != thing {
            self.parents[thing] = self.parents[self.parents[thing]];
            thing = self.parents[thing];
        }
        thing
    }

    /// Joins as many of some as there is room for, those to which fewest belong first.
    fn join_some(&mut self, things: &[usize], most: usize) {
        let roots: BTreeSet<usize> = things.iter().map(|thing| self.root(*thing)).collect();
        let mut roots: Vec<usize> = roots.into_iter().collect();
        roots.sort_by_key(|root| self.counts[*root]);
        let mut count = 0;
        roots.retain(|root| {
            count += self.counts[*root];
            count <= most
        });
        self.join(&roots, most);
    }

    /// Joins some, with all that belong to them, unless there would be more than so many; says whether they are joined.
    fn join(&mut self, things: &[usize], most: usize) -> bool {
        let roots: BTreeSet<usize> = things.iter().map(|thing| self.root(*thing)).collect();
        let count = roots.iter().map(|root| self.counts[*root]).sum::<usize>();
        let Some(first) = roots.first().filter(|_| count <= most) else { return false };
        roots.iter().for_each(|root| self.parents[*root] = *first);
        self.counts[*first] = count;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(name: u32, keys: usize) -> Unit {
        let kind = Kind {
            account: String::new(),
            region: "cn-hangzhou".to_owned(),
            needs: Needs::Any,
            rotates: Rotates::Never,
            large: None,
        };
        Unit { kind, hash: hash(&[&name.to_string()]), keys: vec![name as usize; keys] }
    }

    /// The names of the units of each part.
    fn parts(units: &[Unit], most: usize) -> Vec<Vec<usize>> {
        let mut sorted: Vec<&Unit> = units.iter().collect();
        sorted.sort_by_key(|unit| unit.hash);
        let parts = parted(&sorted, most);
        parts.into_iter().map(|(_, units)| units.iter().map(|unit| unit.keys[0]).collect()).collect()
    }

    proptest! {
        #[test]
        fn a_further_unit_changes_one_batch_only(sizes in proptest::collection::vec(1..=8_usize, 1..400)) {
            let most = 8;
            let units: Vec<Unit> = (0..).zip(&sizes).map(|(name, keys)| unit(name, *keys)).collect();
            let before = parts(&units[1..], most);
            let after = parts(&units, most);
            let gone: Vec<_> = before.iter().filter(|part| !after.contains(part)).collect();
            prop_assert!(gone.len() <= 1, "{gone:?}");
            let all: usize = after.iter().map(Vec::len).sum();
            prop_assert_eq!(all, units.len());
            for part in &after {
                let keys: usize = part.iter().map(|name| sizes[*name]).sum();
                prop_assert!(keys <= most);
            }
        }
    }

    #[test]
    fn equal_hashes_are_parted_all_the_same() {
        let units: Vec<Unit> = (0..10).map(|_| unit(1, 3)).collect();
        let units: Vec<&Unit> = units.iter().collect();
        let parts = parted(&units, 6);
        assert!(parts.iter().all(|(_, units)| units.len() <= 2));
        assert_eq!(parts.iter().map(|(_, units)| units.len()).sum::<usize>(), 10);
        let names: std::collections::BTreeSet<_> = parts.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), parts.len());
    }
}
