//! What all threads count into: keys and ids of events in tables that are shared by their parts, and the texts that have
//! numbers.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::agent::Caller;
use super::changes::Changes;
use super::coverage::Coverage;
use super::network::Networks;
use super::seen::Seen;
use super::tally::{Account, Call, KeyTally, Side, Unattributed};
use crate::inventory::shared::Numbering;

/// Tables are shared by their parts, so that threads seldom wait for each other.
pub(super) const PARTS: usize = 64;

/// Ids of events are remembered in so many parts.
pub(super) const SEEN_PARTS: usize = 16;

/// So many calls of a key wait at most until they are added up.
const WAITING: usize = 16;

/// The calls of one key.
#[derive(Debug)]
pub struct Entry {
    /// The id, or the alias by which it was called.
    pub key: Box<str>,
    /// The account, by number.
    pub account: u32,
    /// The region, by number.
    pub region: u32,
    /// The calls.
    pub tally: KeyTally,
}

/// By whom calls were made that no key is known of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct From {
    /// The account, by number.
    pub account: u32,
    /// The region, by number.
    pub region: u32,
    /// The operation, by number.
    pub operation: u32,
    /// The principal, by number.
    pub principal: u32,
    /// The language or tool.
    pub caller: Caller,
    /// Which key is not known.
    pub side: Side,
}

/// The text of a number.
pub fn text(texts: &Numbering<String>, number: u32) -> &str {
    texts.things.get(number as usize).map_or("", String::as_str)
}

/// The number of the account, and of the region, of which nobody knows which it is, while events are counted.
pub(super) const UNKNOWN: u32 = 0;

/// The texts that tallies name by number.
#[derive(Debug, Default)]
pub struct Names {
    /// Accounts.
    pub accounts: Numbering<String>,
    /// Regions.
    pub regions: Numbering<String>,
    /// Operations.
    pub operations: Numbering<String>,
    /// Principals.
    pub principals: Numbering<String>,
    /// VPCs.
    pub vpcs: Numbering<String>,
}

/// What is counted of the calls with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything that a result says.
    Result,
    /// What a table shows: neither who made them nor from where.
    Table,
}

/// What all threads count into.
#[derive(Debug)]
pub struct Shared {
    pub(super) detail: Detail,
    keys: Vec<Mutex<Part>>,
    seen: Vec<Mutex<Seen>>,
    pub(super) names: Mutex<Names>,
    pub(super) rest: Mutex<Rest>,
    pub(super) networks: Networks,
}

/// What is not of any key.
#[derive(Debug, Default)]
pub struct Rest {
    /// Calls that no key is known of.
    pub unattributed: BTreeMap<From, Unattributed>,
    /// The hours with events, by account and region.
    pub coverage: BTreeMap<(u32, u32), Coverage>,
    /// What calls changed of keys and aliases, by account and region, and by their names.
    pub changes: BTreeMap<(u32, u32), BTreeMap<Box<str>, Changes>>,
    /// Counts.
    pub account: Account,
    /// The sum of the hashes of all events that count, which tells whether two results are of the same events.
    pub digest: u64,
}

/// Everything that was counted.
#[derive(Debug)]
pub struct Counted {
    /// The keys, in no order.
    pub keys: Vec<Entry>,
    /// The texts of their numbers.
    pub names: Names,
    /// What is not of any key.
    pub rest: Rest,
    /// The user's networks.
    pub networks: Networks,
}

impl Counted {
    /// The account and region of a key, by name; empty if nobody knows.
    pub fn scope(&self, entry: &Entry) -> (&str, &str) {
        self.scope_of(entry.account, entry.region)
    }

    /// What the calls of a key, or under an alias, changed; nothing if nothing.
    pub fn changes(&self, entry: &Entry) -> Option<&Changes> {
        self.rest.changes.get(&(entry.account, entry.region))?.get(&*entry.key)
    }

    /// An account and region, by name; empty if nobody knows.
    pub fn scope_of(&self, account: u32, region: u32) -> (&str, &str) {
        (text(&self.names.accounts, account), text(&self.names.regions, region))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Nothing was counted yet; the user's networks have names.
    pub fn new(networks: Networks, detail: Detail) -> Shared {
        let mut names = Names::default();
        // They are the first, and have the number UNKNOWN.
        names.accounts.number("");
        names.regions.number("");
        Shared {
            detail,
            keys: (0..PARTS).map(|_| Mutex::default()).collect(),
            seen: (0..SEEN_PARTS).map(|_| Mutex::default()).collect(),
            names: Mutex::new(names),
            rest: Mutex::default(),
            networks,
        }
    }

    /// Everything that was counted, once all threads are done.
    pub fn finish(self) -> Counted {
        let mut room = Vec::new();
        let mut keys = Vec::new();
        keys.reserve_exact(self.keys.iter().map(|part| lock(part).keys.len()).sum());
        for part in self.keys {
            let mut part = unlocked(part);
            part.add_up(&mut room);
            let entry = |(Key { name, account, region, .. }, tally)| Entry { key: name, account, region, tally };
            keys.extend(part.keys.into_iter().zip(part.tallies).map(entry));
        }
        Counted { keys, names: unlocked(self.names), rest: unlocked(self.rest), networks: self.networks }
    }

    /// Adds up calls that wait, as far as no other thread is at that.
    pub(super) fn add_up(&self, room: &mut Vec<u64>) {
        for part in &self.keys {
            if let Ok(mut part) = part.try_lock() {
                part.add_up(room);
            }
        }
    }

    /// The part that remembers the ids of these hashes.
    pub(super) fn seen(&self, part: usize) -> MutexGuard<'_, Seen> {
        lock(&self.seen[part % SEEN_PARTS])
    }

    /// The part that has the keys of these hashes.
    pub(super) fn part(&self, part: usize) -> MutexGuard<'_, Part> {
        lock(&self.keys[part % PARTS])
    }
}

/// A part of the keys.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Where keys stand: the upper half is of their hash, the lower the place.
    places: HashTable<u64>,
    keys: Vec<Key>,
    /// What the calls of each key have added up to.
    tallies: Vec<KeyTally>,
}

/// A key in a table, and what each of its calls needs, in as little memory as possible.
#[derive(Debug)]
struct Key {
    name: Box<str>,
    account: u32,
    region: u32,
    /// Calls that were not added up yet.
    waiting: Vec<Call>,
}

impl Key {
    fn is(&self, of: &OfKey<'_>) -> bool {
        self.account == of.account && self.region == of.region && *self.name == *of.key
    }
}

/// A call of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfKey<'n> {
    /// The key, by the name that stands in the event.
    pub(super) key: &'n str,
    pub(super) account: u32,
    pub(super) region: u32,
    /// The hash of all three.
    pub(super) hash: u64,
    pub(super) call: Call,
}

/// The hash of a key, by which its place in a table is found.
pub(super) fn hash_of(key: &str, account: u32, region: u32) -> u64 {
    FixedState::default().hash_one((key, account, region))
}

const UPPER: u64 = !0 << 32;

impl Part {
    /// Where the key stands that is most probably meant; nothing if there is none.
    #[inline]
    pub(super) fn find(&self, hash: u64) -> Option<u32> {
        self.places.find(hash, |place| (place ^ hash) & UPPER == 0).map(|place| *place as u32)
    }

    /// Looks at what a call of the key there will need, so that memory is on its way.
    #[inline]
    pub(super) fn look_at(&self, found: Option<u32>) -> u64 {
        let Some(key) = found.and_then(|place| self.keys.get(place as usize)) else { return 0 };
        let name = key.name.as_bytes();
        let ends = [name.first(), name.last()].map(|byte| byte.map_or(0, |byte| u64::from(*byte)));
        ends[0] + ends[1] + key.waiting.last().map_or(0, |call| call.time as u64)
    }

    /// Adds a call to a key, which stands there or elsewhere.
    #[inline]
    pub(super) fn add(&mut self, of: &OfKey<'_>, found: Option<u32>, room: &mut Vec<u64>) {
        let is_there = |place: &u32| self.keys.get(*place as usize).is_some_and(|key| key.is(of));
        let place = match found.filter(is_there) {
            Some(place) => place,
            None => self.place(of),
        };
        let Some(key) = self.keys.get_mut(place as usize) else { return };
        if key.waiting.len() >= WAITING {
            if let Some(tally) = self.tallies.get_mut(place as usize) {
                tally.add(&key.waiting, room);
            }
            key.waiting.clear();
        }
        // Most keys of a large account are called seldom.
        if key.waiting.len() == key.waiting.capacity() {
            key.waiting.reserve_exact(key.waiting.len().max(4));
        }
        key.waiting.push(of.call);
    }

    /// Adds up the calls that wait.
    fn add_up(&mut self, room: &mut Vec<u64>) {
        for (key, tally) in self.keys.iter_mut().zip(&mut self.tallies) {
            if !key.waiting.is_empty() {
                tally.add(&key.waiting, room);
                key.waiting = Vec::new();
            }
        }
    }

    /// The place of a key, which it gets if it has none.
    fn place(&mut self, of: &OfKey<'_>) -> u32 {
        let keys = &self.keys;
        let key_at = |place: &u64| keys.get(*place as u32 as usize);
        let is_same = |place: &u64| (place ^ of.hash) & UPPER == 0 && key_at(place).is_some_and(|key| key.is(of));
        if let Some(place) = self.places.find(of.hash, is_same) {
            return *place as u32;
        }
        let place = keys.len() as u32;
        let hash_at = |place: &u64| key_at(place).map_or(0, |key| hash_of(&key.name, key.account, key.region));
        self.places.insert_unique(of.hash, of.hash & UPPER | u64::from(place), hash_at);
        if self.keys.len() == self.keys.capacity() {
            self.keys.reserve_exact(self.keys.len() / 4 + 4);
            self.tallies.reserve_exact(self.keys.len() / 4 + 4);
        }
        let (account, region) = (of.account, of.region);
        self.keys.push(Key { name: of.key.into(), account, region, waiting: Vec::new() });
        self.tallies.push(KeyTally::empty(of.call.time));
        place
    }
}
