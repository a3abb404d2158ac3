//! Events that were read and wait to be counted, many at once: what is known of their keys and ids lies far from the
//! processor, and is fetched for all of them together.

use super::changes::Change;
use super::table::{OfKey, PARTS, SEEN_PARTS, Shared, hash_of};
use super::tally::{Call, Side};

/// An event that was read and is not counted yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// The hash of what it says.
    pub(super) hash: u64,
    /// Whether it has an id. Those that have none may be equal and yet two: who exports a log may leave them out.
    pub(super) has_id: bool,
    /// Its account and region, by their place in the thread's list.
    pub(super) scope: u32,
    pub(super) call: Call,
    /// What it says that it does; see [`Said`](super::coverage::Said).
    pub(super) read_write: u8,
    /// Which of its keys is not known.
    pub(super) side: Option<Side>,
    /// Whether it names an instance alone, so that it is no call with a key.
    pub(super) is_of_instance: bool,
    pub(super) is_new: bool,
}

/// A key that an event which waits names.
#[derive(Debug, Clone, Copy)]
struct Named {
    hash: u64,
    /// Where its name begins.
    start: u32,
    length: u32,
    account: u32,
    region: u32,
    /// The place of the event.
    event: u32,
}

/// What an event that waits changed.
#[derive(Debug)]
pub(super) struct Changed {
    /// The place of the event.
    event: u32,
    /// The key or alias, with its account and region by number.
    pub(super) key: Box<str>,
    pub(super) scope: (u32, u32),
    pub(super) change: Change,
}

/// Events that wait.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Waiting>,
    keys: Vec<Named>,
    /// The names of the keys, one behind the other.
    names: String,
    /// Places of events or keys, by the parts of the tables that have them.
    order: Vec<u32>,
    /// Where keys were found.
    found: Vec<Option<u32>>,
    pub(super) room: Vec<u64>,
    changed: Vec<Changed>,
}

impl Batch {
    /// The next event has this key.
    pub(super) fn name(&mut self, key: &str, account: u32, region: u32) {
        let start = self.names.len();
        self.names.push_str(key);
        let hash = hash_of(&self.names[start..], account, region);
        let (length, event) = ((self.names.len() - start) as u32, self.events.len() as u32);
        self.keys.push(Named { hash, start: start as u32, length, account, region, event });
    }

    /// The next event changed something of this key or alias.
    pub(super) fn change(&mut self, key: &str, scope: (u32, u32), change: Change) {
        self.changed.push(Changed { event: self.events.len() as u32, key: key.into(), scope, change });
    }

    /// What those changed that were not delivered before, and when.
    pub(super) fn changes(&mut self) -> impl Iterator<Item = (Changed, i64)> {
        let events = &self.events;
        self.changed.drain(..).filter_map(|changed| {
            let event = events.get(changed.event as usize).filter(|event| event.is_new)?;
            Some((changed, event.call.time))
        })
    }

    /// Finds out which events were delivered before.
    pub(super) fn find_new(&mut self, shared: &Shared) {
        let part_of = |event: &Waiting| (event.hash >> 60) as usize;
        let ends = in_parts::<SEEN_PARTS, _>(&self.events, &mut self.order, part_of);
        let mut start = 0;
        for (part, end) in ends.into_iter().enumerate() {
            if start < end {
                let mut seen = shared.seen(part);
                for place in &self.order[start..end] {
                    if let Some(event) = self.events.get_mut(*place as usize) {
                        event.is_new = !event.has_id || seen.is_new(event.hash, event.call.time);
                    }
                }
            }
            start = end;
        }
    }

    /// Adds the calls of keys.
    pub(super) fn add(&mut self, shared: &Shared) {
        let ends = in_parts::<PARTS, _>(&self.keys, &mut self.order, |key| (key.hash >> 32) as usize % PARTS);
        let mut start = 0;
        for (part, end) in ends.into_iter().enumerate() {
            if start < end {
                let places = &self.order[start..end];
                let mut part = shared.part(part);
                // Each look-up waits for memory, and all together wait not much longer than one.
                self.found.clear();
                self.found.extend(places.iter().map(|at| part.find(self.keys.get(*at as usize)?.hash)));
                std::hint::black_box(self.found.iter().map(|found| part.look_at(*found)).fold(0, u64::wrapping_add));
                for (place, found) in places.iter().zip(&self.found) {
                    let Some(named) = self.keys.get(*place as usize) else { continue };
                    let Some(event) = self.events.get(named.event as usize).filter(|event| event.is_new) else {
                        continue;
                    };
                    let key = &self.names[named.start as usize..(named.start + named.length) as usize];
                    let (account, region, hash) = (named.account, named.region, named.hash);
                    part.add(&OfKey { key, account, region, hash, call: event.call }, *found, &mut self.room);
                }
            }
            start = end;
        }
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.keys.clear();
        self.names.clear();
        self.changed.clear();
    }
}

/// Puts the places of things in the order of the parts to which they belong, and gives where each part ends.
fn in_parts<const N: usize, T>(things: &[T], order: &mut Vec<u32>, part_of: impl Fn(&T) -> usize) -> [usize; N] {
    let mut ends = [0; N];
    things.iter().for_each(|thing| ends[part_of(thing) % N] += 1);
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum - *end;
    }
    order.clear();
    order.resize(things.len(), 0);
    for (at, thing) in things.iter().enumerate() {
        let end = &mut ends[part_of(thing) % N];
        order[*end] = at as u32;
        *end += 1;
    }
    ends
}
