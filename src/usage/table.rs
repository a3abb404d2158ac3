//! What all threads count into: keys and ids of events in tables that are shared by their parts, and the texts that have
//! numbers.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::agent::Caller;
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

/// What all threads count into.
#[derive(Debug)]
pub struct Shared {
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Nothing was counted yet; the user's networks have names.
    pub fn new(networks: Networks) -> Shared {
        Shared {
            keys: (0..PARTS).map(|_| Mutex::default()).collect(),
            seen: (0..SEEN_PARTS).map(|_| Mutex::default()).collect(),
            names: Mutex::default(),
            rest: Mutex::default(),
            networks,
        }
    }

    /// Everything that was counted, once all threads are done.
    pub fn finish(self) -> Counted {
        let mut room = Vec::new();
        let mut keys = Vec::new();
        keys.reserve_exact(self.keys.iter().map(|part| lock(part).slots.len()).sum());
        for part in self.keys {
            keys.extend(unlocked(part).slots.into_iter().map(|mut slot| {
                if !slot.waiting.is_empty() {
                    slot.add_up(&mut room);
                }
                slot.entry
            }));
        }
        Counted { keys, names: unlocked(self.names), rest: unlocked(self.rest), networks: self.networks }
    }

    /// Adds up calls that wait, as far as no other thread is at that.
    pub(super) fn add_up(&self, room: &mut Vec<u64>) {
        for part in &self.keys {
            if let Ok(mut part) = part.try_lock() {
                part.slots.iter_mut().filter(|slot| !slot.waiting.is_empty()).for_each(|slot| slot.add_up(room));
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
    slots: Vec<Slot>,
}

/// A key in a table.
#[derive(Debug)]
struct Slot {
    entry: Entry,
    /// Calls that were not added up yet.
    waiting: Vec<Call>,
}

impl Slot {
    fn add_up(&mut self, room: &mut Vec<u64>) {
        self.entry.tally.add(&self.waiting, room);
        self.waiting.clear();
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
        let Some(slot) = found.and_then(|place| self.slots.get(place as usize)) else { return 0 };
        let key = slot.entry.key.as_bytes();
        let ends = [key.first(), key.last()].map(|byte| byte.map_or(0, |byte| u64::from(*byte)));
        ends[0] + ends[1] + slot.waiting.last().map_or(0, |call| call.time as u64)
    }

    /// Adds a call to a key, which stands there or elsewhere.
    #[inline]
    pub(super) fn add(&mut self, of: &OfKey<'_>, found: Option<u32>, room: &mut Vec<u64>) {
        let is_same = |slot: &&mut Slot| {
            let entry = &slot.entry;
            entry.account == of.account && entry.region == of.region && *entry.key == *of.key
        };
        let found = found.and_then(|place| self.slots.get_mut(place as usize));
        let slot = match found.filter(is_same) {
            Some(slot) => slot,
            None => {
                let place = self.place(of);
                let Some(slot) = self.slots.get_mut(place as usize) else { return };
                slot
            }
        };
        if slot.waiting.len() >= WAITING {
            slot.add_up(room);
        }
        // Most keys of a large account are called seldom.
        if slot.waiting.len() == slot.waiting.capacity() {
            slot.waiting.reserve_exact(slot.waiting.len().max(4));
        }
        slot.waiting.push(of.call);
    }

    /// The place of a key, which it gets if it has none.
    fn place(&mut self, of: &OfKey<'_>) -> u32 {
        let slots = &self.slots;
        let is_same = |place: &u64| {
            let slot = slots.get(*place as u32 as usize);
            (place ^ of.hash) & UPPER == 0
                && slot.is_some_and(|Slot { entry, .. }| {
                    entry.account == of.account && entry.region == of.region && *entry.key == *of.key
                })
        };
        if let Some(place) = self.places.find(of.hash, is_same) {
            return *place as u32;
        }
        let place = self.slots.len() as u32;
        let hash_at = |place: &u64| {
            self.slots
                .get(*place as u32 as usize)
                .map_or(0, |Slot { entry, .. }| hash_of(&entry.key, entry.account, entry.region))
        };
        self.places.insert_unique(of.hash, of.hash & UPPER | u64::from(place), hash_at);
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(self.slots.len() / 4 + 4);
        }
        let entry =
            Entry { key: of.key.into(), account: of.account, region: of.region, tally: KeyTally::empty(of.call.time) };
        self.slots.push(Slot { entry, waiting: Vec::new() });
        place
    }
}
