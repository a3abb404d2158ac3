//! Events to tallies, on any number of threads: every thread reads blocks of events and counts into tables that all share.
//!
//! Nothing is kept for an event but its id, for some time, so that one which is delivered twice counts once.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::agent::Caller;
use super::coverage::Coverage;
use super::event::Event;
use super::network::Networks;
use super::scan::Raw;
use super::seen::Seen;
use super::tally::{Account, Application, Call, Calls, KeyTally, Purpose, Side, Span, Unattributed};
use super::time::{hour, seconds};
use crate::inventory::identity::arn_parts;
use crate::inventory::shared::Numbering;

/// Tables are shared by their parts, so that threads seldom wait for each other.
const PARTS: usize = 64;

/// Ids of events are remembered in so many parts.
const SEEN_PARTS: usize = 16;

/// Longer names are no ids of keys.
const LONGEST_NAME: usize = 1024;

/// So many texts of a kind are remembered by each thread, so that it need not ask for their numbers.
const REMEMBERED: usize = 1 << 14;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    keys: Vec<Mutex<HashTable<Entry>>>,
    seen: Vec<Mutex<Seen>>,
    names: Mutex<Names>,
    rest: Mutex<Rest>,
    networks: Networks,
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

impl Counted {
    /// The account and region of a key, by name; empty if nobody knows.
    pub fn scope(&self, entry: &Entry) -> (&str, &str) {
        (text(&self.names.accounts, entry.account), text(&self.names.regions, entry.region))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let of = |part: Mutex<HashTable<Entry>>| part.into_inner().unwrap_or_else(PoisonError::into_inner);
        Counted {
            keys: self.keys.into_iter().flat_map(of).collect(),
            names: self.names.into_inner().unwrap_or_else(PoisonError::into_inner),
            rest: self.rest.into_inner().unwrap_or_else(PoisonError::into_inner),
            networks: self.networks,
        }
    }

    fn is_new(&self, hash: u64) -> bool {
        lock(&self.seen[(hash >> 60) as usize % SEEN_PARTS]).is_new(hash)
    }

    fn add(&self, key: &str, account: u32, region: u32, call: &Call) {
        let hash_of = |key: &str, account: u32, region: u32| FixedState::default().hash_one((key, account, region));
        let hash = hash_of(key, account, region);
        let mut part = lock(&self.keys[(hash >> 32) as usize % PARTS]);
        let is_same = |entry: &Entry| entry.account == account && entry.region == region && *entry.key == *key;
        match part.find_mut(hash, is_same) {
            Some(entry) => entry.tally.add(call),
            None => {
                let entry = Entry { key: key.into(), account, region, tally: KeyTally::of(call) };
                part.insert_unique(hash, entry, |entry| hash_of(&entry.key, entry.account, entry.region));
            }
        }
    }
}

/// Numbers of texts that a thread has asked for before.
#[derive(Debug, Default)]
struct Known(HashMap<Box<[u8]>, u32, FixedState>);

impl Known {
    fn number(&mut self, raw: Raw<'_>, ask: impl FnOnce(&str) -> u32) -> u32 {
        if let Some(number) = self.0.get(raw.bytes) {
            return *number;
        }
        let number = ask(&raw.text());
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(raw.bytes.into(), number);
        number
    }
}

/// Principals by name: the number, and whether it is a cloud service.
type Principals = HashMap<Box<[u8]>, (u32, bool), FixedState>;

/// One thread.
#[derive(Debug)]
pub struct Worker<'s> {
    shared: &'s Shared,
    scopes: HashTable<Scope>,
    /// Operations by name: the number, and what they are for.
    operations: HashMap<Box<[u8]>, (u32, Purpose), FixedState>,
    vpcs: Known,
    /// Principals, by kind.
    principals: [Principals; KINDS.len() + 1],
    agents: HashMap<Box<[u8]>, Caller, FixedState>,
    account: Account,
    digest: u64,
}

impl<'s> Worker<'s> {
    /// A thread that has read nothing yet.
    pub fn new(shared: &'s Shared) -> Worker<'s> {
        Worker {
            shared,
            scopes: HashTable::new(),
            operations: HashMap::default(),
            vpcs: Known::default(),
            principals: Default::default(),
            agents: HashMap::default(),
            account: Account::default(),
            digest: 0,
        }
    }

    /// Counts an event that could not be read.
    pub fn broken(&mut self) {
        self.account.events += 1;
        self.account.broken += 1;
    }

    /// Counts a file that could not be read, or not to its end.
    pub fn unread_file(&mut self) {
        self.account.unread_files += 1;
    }

    /// Counts an event of another service.
    pub fn other(&mut self, event: &Event<'_>) {
        self.account.events += 1;
        self.account.others += 1;
        if let Some(time) = seconds(event.time.bytes) {
            self.cover(event, time, 0);
        }
    }

    /// Counts an event of KMS.
    ///
    /// # Errors
    /// It says too little to count; the message says what is missing.
    pub fn kms(&mut self, event: &Event<'_>) -> Result<(), String> {
        let Some(time) = seconds(event.time.bytes) else {
            self.broken();
            return Err(format!("eventTime is `{}`; expected 2026-11-18T03:12:45Z", shortened(&event.time.text())));
        };
        if event.operation.is_empty() {
            self.broken();
            return Err("eventName is missing".to_owned());
        }
        self.account.events += 1;
        let hash = stable_hash([event.event_id, event.time, event.operation]);
        if !event.event_id.is_empty() && !self.shared.is_new(FixedState::default().hash_one(event.event_id.bytes)) {
            self.account.duplicates += 1;
            return Ok(());
        }
        self.digest = self.digest.wrapping_add(hash);
        self.account.kms += 1;
        let (account, region) = self.cover(event, time, Coverage::bit_of(event.event_rw.bytes));
        let call = self.call(event, time);
        let keys = keys_of(event);
        keys.each().for_each(|key| self.add(key, account, region, &call));
        self.account.no_key += u64::from(keys.unknown == Some(Side::All));
        let side = keys.unknown;
        if let Some(side) = side {
            let (principal, caller) = (call.application.principal(), call.application.caller());
            let from = From { account, region, operation: call.operation, principal, caller, side };
            let mut rest = lock(&self.shared.rest);
            let known = rest.unattributed.entry(from).or_insert_with(|| Unattributed::empty(time));
            known.calls.add(Calls::one(call.failed));
            known.span.add(Span::of(time));
            if call.application.counts() {
                known.places.add(call.place, call.network);
            }
        }
        Ok(())
    }

    /// Counts a call of a key, by its id, ARN or alias.
    fn add(&mut self, name: &str, account: u32, region: u32, call: &Call) {
        let named = arn_parts(name).and_then(|(region, account, resource)| {
            let is_alias = resource.starts_with("alias/");
            let key = if is_alias { Some(resource) } else { resource.strip_prefix("key/") };
            Some((region, account, key.filter(|key| !key.is_empty())?))
        });
        if let Some((of_region, of_account, key)) = named {
            let mut names = lock(&self.shared.names);
            let account = if of_account.is_empty() { account } else { names.accounts.number(of_account) };
            let region = if of_region.is_empty() { region } else { names.regions.number(of_region) };
            drop(names);
            return self.shared.add(key, account, region, call);
        }
        self.shared.add(name, account, region, call);
    }

    fn call(&mut self, event: &Event<'_>, time: i64) -> Call {
        let names = &self.shared.names;
        let (operation, purpose) = self.operation(event.operation);
        let vpc = (!event.vpc.is_empty()).then(|| self.vpcs.number(event.vpc, |text| lock(names).vpcs.number(text)));
        let mut caller = match self.agents.get(event.agent.bytes) {
            Some(caller) => *caller,
            None => {
                let caller = Caller::of(&event.agent.text());
                if self.agents.len() >= REMEMBERED {
                    self.agents.clear();
                }
                self.agents.insert(event.agent.bytes.into(), caller);
                caller
            }
        };
        let (principal, is_service) = self.principal(event);
        if is_service || event.event_type.bytes == b"AliyunServiceEvent" {
            caller = Caller::Service;
        }
        let (place, network) = self.shared.networks.place(event);
        Call {
            time,
            failed: event.failed,
            operation,
            application: Application::new(principal, caller, purpose),
            place,
            network,
            vpc,
        }
    }

    /// The number of an operation, and what it is for.
    fn operation(&mut self, name: Raw<'_>) -> (u32, Purpose) {
        if let Some(known) = self.operations.get(name.bytes) {
            return *known;
        }
        let text = name.text();
        let known = (lock(&self.shared.names).operations.number(&*text), Purpose::of(&text));
        if self.operations.len() >= REMEMBERED {
            self.operations.clear();
        }
        self.operations.insert(name.bytes.into(), known);
        known
    }

    /// The number of the principal, without its session, and whether it is a cloud service.
    fn principal(&mut self, event: &Event<'_>) -> (u32, bool) {
        let user = if event.user.is_empty() { event.principal } else { event.user };
        let kind = KINDS.iter().position(|(kind, _)| *kind == event.identity.bytes).unwrap_or(KINDS.len());
        let is_role = kind == 0;
        let session = if is_role { memchr::memchr(b':', user.bytes) } else { None };
        let name = Raw { bytes: &user.bytes[..session.unwrap_or(user.bytes.len())], ..user };
        if let Some(known) = self.principals[kind].get(name.bytes) {
            return *known;
        }
        let text = name.text();
        let word = KINDS.get(kind).map_or("other", |(_, word)| word);
        let is_service = text.to_ascii_lowercase().starts_with("aliyunservicerolefor");
        let shown = if text.is_empty() { word.to_owned() } else { format!("{word}/{text}") };
        let number = lock(&self.shared.names).principals.number(shown.as_str());
        if self.principals[kind].len() >= REMEMBERED {
            self.principals[kind].clear();
        }
        self.principals[kind].insert(name.bytes.into(), (number, is_service));
        (number, is_service)
    }

    /// Counts the hour of an event, and gives its account and region.
    fn cover(&mut self, event: &Event<'_>, time: i64, read_write: u8) -> (u32, u32) {
        let (account, region) = (event.account, event.region);
        let hash = FixedState::default().hash_one((account.bytes, region.bytes));
        let is_same = |scope: &Scope| *scope.texts.0 == *account.bytes && *scope.texts.1 == *region.bytes;
        let scope = match self.scopes.find_mut(hash, is_same) {
            Some(scope) => scope,
            None => {
                let mut names = lock(&self.shared.names);
                let numbers = (names.accounts.number(&*account.text()), names.regions.number(&*region.text()));
                drop(names);
                let texts = (account.bytes.into(), region.bytes.into());
                let scope = Scope { texts, numbers, span: Span::of(time), hours: [i64::MIN; 4], read_write: 0 };
                let rehash = |scope: &Scope| FixedState::default().hash_one((&*scope.texts.0, &*scope.texts.1));
                self.scopes.insert_unique(hash, scope, rehash).into_mut()
            }
        };
        scope.span.add(Span::of(time));
        scope.read_write |= read_write;
        let hour = hour(time);
        // Events stand nearly in order.
        if !scope.hours.contains(&hour) {
            scope.hours.rotate_right(1);
            scope.hours[0] = hour;
            lock(&self.shared.rest).coverage.entry(scope.numbers).or_default().add(time);
        }
        scope.numbers
    }
}

/// What a thread knows of an account and region.
#[derive(Debug)]
struct Scope {
    texts: (Box<[u8]>, Box<[u8]>),
    numbers: (u32, u32),
    span: Span,
    /// The last hours that were counted.
    hours: [i64; 4],
    /// What its events do; see [`Coverage`].
    read_write: u8,
}

/// `userIdentity.type`, with the word for outputs.
const KINDS: [(&[u8], &str); 4] =
    [(b"assumed-role", "role"), (b"ram-user", "user"), (b"root-account", "root"), (b"", "principal")];

impl Drop for Worker<'_> {
    /// What the thread has counted alone is added to what all have.
    fn drop(&mut self) {
        let mut rest = lock(&self.shared.rest);
        rest.account.add(self.account);
        rest.digest = rest.digest.wrapping_add(self.digest);
        for scope in &self.scopes {
            let coverage = rest.coverage.entry(scope.numbers).or_default();
            coverage.add_span(scope.span);
            coverage.read_write |= scope.read_write;
        }
    }
}

/// The keys that an event is about, as they are named there.
struct KeysOf<'e> {
    key: Option<Cow<'e, str>>,
    /// The key that `ReEncrypt` writes under, or that it reads under, beside the other.
    other: Option<Cow<'e, str>>,
    /// Which key is not known.
    unknown: Option<Side>,
}

impl KeysOf<'_> {
    fn each(&self) -> impl Iterator<Item = &str> {
        [&self.key, &self.other].into_iter().flatten().map(Cow::as_ref)
    }
}

/// The keys that an event is about. Decrypt, ExportDataKey and the source side of ReEncrypt name none in the request; the
/// answer, or the resources beside it, may. The `KeyId` that ReEncrypt answers is that of the source (KMS API 2016-01-20,
/// "ReEncrypt").
fn keys_of<'e>(event: &Event<'e>) -> KeysOf<'e> {
    let referenced = if event.references_several { Raw::default() } else { event.referenced_key };
    let first = |names: &[Raw<'e>]| {
        let named = names.iter().find(|name| !name.is_empty() && name.bytes.len() <= LONGEST_NAME);
        named.map(|name| text_of(*name))
    };
    if event.operation.bytes == b"ReEncrypt" {
        // An answer that tells both keys says which is which.
        let answered = if event.source_key.is_empty() { Raw::default() } else { event.answered_key };
        let source = first(&[event.source_key, event.answered_key]);
        let destination = first(&[event.destination_key, answered, event.requested_key, referenced, event.resource]);
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
    KeysOf { unknown: key.is_none().then_some(Side::All), key, other: None }
}

fn text_of<'e>(name: Raw<'e>) -> Cow<'e, str> {
    match std::str::from_utf8(name.bytes) {
        Ok(text) if !name.is_escaped => text.into(),
        _ => name.text().into_owned().into(),
    }
}

/// A hash that is the same in every version of the program, for it stands in results: eight bytes at a time, multiplied by
/// an odd number and turned. It tells apart what differs by chance, and is no protection against anybody.
fn stable_hash(texts: [Raw<'_>; 3]) -> u64 {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    texts.iter().fold(0x5bd1_e995_cbf2_9ce4, |hash, text| {
        let (words, rest) = text.bytes.as_chunks::<8>();
        let hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
        mix(mix(hash, last), text.bytes.len() as u64)
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
