//! What calls add up to: for each key, and for calls that name none.

use super::agent::Caller;
use super::time::{WEEK, hour, hour_of_week};
use crate::domains::cmk::operations::uses_material;

/// How many calls, and how many of them failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// All, with those that failed.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
}

impl Calls {
    /// One call.
    pub fn one(failed: bool) -> Calls {
        Calls { calls: 1, failed: u64::from(failed) }
    }

    /// Adds others.
    pub fn add(&mut self, other: Calls) {
        self.calls += other.calls;
        self.failed += other.failed;
    }
}

/// The first and the last of some moments, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

impl Span {
    /// One moment.
    pub fn of(time: i64) -> Span {
        Span { first: time, last: time }
    }

    /// Adds others.
    pub fn add(&mut self, other: Span) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Calls by the hour of the week in which they were made, in UTC. Most keys are used in few of the 168.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hours {
    /// The hour in the upper 8 bits, the calls in the others; by hour.
    Few(Vec<u32>),
    /// All of them.
    All(Box<[u64; WEEK]>),
}

impl Default for Hours {
    fn default() -> Hours {
        Hours::Few(Vec::new())
    }
}

impl Hours {
    const COUNT: u32 = (1 << 24) - 1;

    /// Adds calls of one hour of the week.
    pub fn add(&mut self, hour: u8, calls: u64) {
        match self {
            Hours::All(all) => all[usize::from(hour)] += calls,
            Hours::Few(few) => match few.binary_search_by_key(&hour, |entry| (entry >> 24) as u8) {
                Ok(at) if u64::from(few[at] & Hours::COUNT) + calls <= u64::from(Hours::COUNT) => {
                    few[at] += calls as u32
                }
                Err(at) if calls <= u64::from(Hours::COUNT) => few.insert(at, u32::from(hour) << 24 | calls as u32),
                _ => {
                    let mut all = Box::new([0; WEEK]);
                    few.iter().for_each(|entry| all[(entry >> 24) as usize] = u64::from(entry & Hours::COUNT));
                    all[usize::from(hour)] += calls;
                    *self = Hours::All(all);
                }
            },
        }
    }

    /// The hours in which there were calls, with how many.
    pub fn iter(&self) -> impl Iterator<Item = (u8, u64)> {
        let (few, all) = match self {
            Hours::Few(few) => (&few[..], &[][..]),
            Hours::All(all) => (&[][..], &all[..]),
        };
        let few = few.iter().map(|entry| ((entry >> 24) as u8, u64::from(entry & Hours::COUNT)));
        few.chain((0..).zip(all.iter().copied()).filter(|(_, calls)| *calls > 0))
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Hours) {
        other.iter().for_each(|(hour, calls)| self.add(hour, calls));
    }
}

/// Whether an operation uses the material of a key, or manages keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// It uses the material of a key: `Decrypt`, `GenerateDataKey`, …
    Cryptographic,
    /// It manages keys or tells of them, as tools do that never use one: `DescribeKey`, `TagResource`, …
    Management,
}

impl Purpose {
    /// What an operation is for.
    pub fn of(operation: &str) -> Purpose {
        if uses_material(operation) { Purpose::Cryptographic } else { Purpose::Management }
    }

    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Cryptographic => "cryptographic",
            Purpose::Management => "management",
        }
    }
}

/// Who made calls with what: a principal, without its sessions, by number, and a language or tool; and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Application(u32);

impl Application {
    /// The application of a principal.
    pub fn new(principal: u32, caller: Caller, purpose: Purpose) -> Application {
        Application(principal << 5 | (purpose as u32) << 4 | caller as u32)
    }

    /// The principal, by number.
    pub fn principal(self) -> u32 {
        self.0 >> 5
    }

    /// What its calls are for.
    pub fn purpose(self) -> Purpose {
        if self.0 >> 4 & 1 == 0 { Purpose::Cryptographic } else { Purpose::Management }
    }

    /// Whether these calls are of an application that uses the material of keys, so that its language and place matter.
    pub fn counts(self) -> bool {
        self.purpose() == Purpose::Cryptographic && self.caller().is_application()
    }

    /// The language or tool.
    pub fn caller(self) -> Caller {
        Caller::ALL.get((self.0 & 0xf) as usize).copied().unwrap_or(Caller::Unknown)
    }
}

/// What is known of the calls of one application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationCalls {
    /// How many calls.
    pub calls: u64,
    /// The application.
    pub application: Application,
    /// When the last of them was made, in seconds since 1970.
    pub last: u32,
}

/// What is known of the calls of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationCalls {
    /// How many calls, with those that failed.
    pub calls: u64,
    /// Those that failed, or more than can be counted.
    pub failed: u32,
    /// The operation, by number.
    pub operation: u32,
}

/// From where calls came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Place {
    /// Through a VPC, which the event names.
    Vpc,
    /// From a private address.
    Private,
    /// From inside the cloud, of which no more is said.
    Internal,
    /// From a public address: perhaps from outside, perhaps through a NAT gateway of a VPC.
    Public,
    /// Nobody knows.
    Unknown,
}

impl Place {
    /// All of them, in order.
    pub const ALL: [Place; 5] = [Place::Vpc, Place::Private, Place::Internal, Place::Public, Place::Unknown];

    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Place::Vpc => "vpc",
            Place::Private => "private",
            Place::Internal => "internal",
            Place::Public => "public",
            Place::Unknown => "unknown",
        }
    }
}

/// From where applications called cryptographic operations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// By place, unless one of the user's networks has the address and no VPC is named.
    pub calls: [u64; Place::ALL.len()],
    /// By the user's own network, by number.
    pub networks: Vec<(u16, u64)>,
}

impl Places {
    /// Adds one call.
    pub fn add(&mut self, place: Place, network: Option<u16>) {
        if network.is_none() || place == Place::Vpc {
            self.calls[place as usize] += 1;
        }
        network.into_iter().for_each(|network| self.add_network(network, 1));
    }

    /// Adds calls of one of the user's networks.
    pub fn add_network(&mut self, network: u16, calls: u64) {
        match self.networks.iter_mut().find(|(known, _)| *known == network) {
            Some((_, known)) => *known += calls,
            None => self.networks.push((network, calls)),
        }
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Places) {
        self.calls.iter_mut().zip(other.calls).for_each(|(mine, theirs)| *mine += theirs);
        other.networks.iter().for_each(|(network, calls)| self.add_network(*network, *calls));
    }
}

/// All calls with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTally {
    /// All of them.
    pub calls: Calls,
    /// The first and the last.
    pub span: Span,
    /// By operation, in no order.
    pub operations: Vec<OperationCalls>,
    /// By application, in order of their numbers.
    pub applications: Vec<ApplicationCalls>,
    /// From where applications used the key.
    pub places: Places,
    /// The VPCs, by number, in order.
    pub vpcs: Vec<u32>,
    /// By hour of the week.
    pub hours: Hours,
}

/// One call, as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// When, in seconds since 1970.
    pub time: i64,
    /// Whether it failed.
    pub failed: bool,
    /// The operation, by number.
    pub operation: u32,
    /// By whom.
    pub application: Application,
    /// From where.
    pub place: Place,
    /// From which of the user's own networks, by number.
    pub network: Option<u16>,
    /// Through which VPC, by number.
    pub vpc: Option<u32>,
}

impl KeyTally {
    /// One call.
    pub fn of(call: &Call) -> KeyTally {
        let mut tally = KeyTally::empty(call.time);
        tally.add(call);
        tally
    }

    /// No calls yet, of which the first will be at this time.
    pub fn empty(time: i64) -> KeyTally {
        KeyTally {
            calls: Calls::default(),
            span: Span::of(time),
            operations: Vec::new(),
            applications: Vec::new(),
            places: Places::default(),
            vpcs: Vec::new(),
            hours: Hours::default(),
        }
    }

    /// Adds one call.
    pub fn add(&mut self, call: &Call) {
        let one = Calls::one(call.failed);
        self.calls.add(one);
        self.span.add(Span::of(call.time));
        self.add_operation(call.operation, one);
        let last = u32::try_from(call.time.max(0)).unwrap_or(u32::MAX);
        self.add_application(ApplicationCalls { application: call.application, calls: 1, last });
        if call.application.counts() {
            self.places.add(call.place, call.network);
        }
        call.vpc.into_iter().for_each(|vpc| self.add_vpc(vpc));
        self.hours.add(hour_of_week(hour(call.time)), 1);
    }

    /// Adds calls of an operation.
    pub fn add_operation(&mut self, operation: u32, calls: Calls) {
        let failed = u32::try_from(calls.failed).unwrap_or(u32::MAX);
        match self.operations.iter_mut().find(|known| known.operation == operation) {
            Some(known) => {
                known.calls += calls.calls;
                known.failed = known.failed.saturating_add(failed);
            }
            None => insert(&mut self.operations, 0, OperationCalls { calls: calls.calls, failed, operation }),
        }
    }

    /// Adds calls of an application.
    pub fn add_application(&mut self, calls: ApplicationCalls) {
        match self.applications.binary_search_by_key(&calls.application, |known| known.application) {
            Ok(at) => {
                let known = &mut self.applications[at];
                known.calls += calls.calls;
                known.last = known.last.max(calls.last);
            }
            Err(at) => insert(&mut self.applications, at, calls),
        }
    }

    /// Adds a VPC.
    pub fn add_vpc(&mut self, vpc: u32) {
        if let Err(at) = self.vpcs.binary_search(&vpc) {
            self.vpcs.insert(at, vpc);
        }
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &KeyTally) {
        self.calls.add(other.calls);
        self.span.add(other.span);
        for theirs in &other.operations {
            self.add_operation(theirs.operation, Calls { calls: theirs.calls, failed: u64::from(theirs.failed) });
        }
        other.applications.iter().for_each(|calls| self.add_application(*calls));
        self.places.merge(&other.places);
        other.vpcs.iter().for_each(|vpc| self.add_vpc(*vpc));
        self.hours.merge(&other.hours);
    }
}

/// Inserts an element. Lists are many, and shall not take twice the room that they need.
fn insert<T>(list: &mut Vec<T>, at: usize, element: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 4 + 2);
    }
    list.insert(at, element);
}

/// Why a call is attributed to no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The event names no key at all.
    All,
    /// The key is known under which `ReEncrypt` writes, and not the one under which it reads.
    Source,
}

impl Side {
    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Side::All => "all",
            Side::Source => "source",
        }
    }
}

/// Calls of an operation by a principal that no key is known of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattributed {
    /// How many.
    pub calls: Calls,
    /// The first and the last.
    pub span: Span,
    /// From where, if an application made them and they are cryptographic.
    pub places: Places,
}

impl Unattributed {
    /// No calls yet, of which the first will be at this time.
    pub fn empty(time: i64) -> Unattributed {
        Unattributed { calls: Calls::default(), span: Span::of(time), places: Places::default() }
    }
}

/// Counts that are not of any key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Events that were read, all of them.
    pub events: u64,
    /// Those of KMS that count.
    pub kms: u64,
    /// Those of other services.
    pub others: u64,
    /// Those that were delivered more than once, each time but the first.
    pub duplicates: u64,
    /// Those that could not be read.
    pub broken: u64,
    /// Those of KMS that name no key at all.
    pub no_key: u64,
    /// Files, or the rests of such, that could not be read.
    pub unread_files: u64,
}

impl Account {
    /// Adds others.
    pub fn add(&mut self, other: Account) {
        self.events += other.events;
        self.kms += other.kms;
        self.others += other.others;
        self.duplicates += other.duplicates;
        self.broken += other.broken;
        self.no_key += other.no_key;
        self.unread_files += other.unread_files;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hours_are_counted_whatever_the_order(calls in proptest::collection::vec((0..168_u8, 1..20_000_000_u64), 0..60), at in 0..60_usize) {
            let mut all = [0_u64; WEEK];
            calls.iter().for_each(|(hour, calls)| all[usize::from(*hour)] += calls);
            let sum = |calls: &[(u8, u64)]| {
                let mut hours = Hours::default();
                calls.iter().for_each(|(hour, calls)| hours.add(*hour, *calls));
                hours
            };
            let (one, other) = calls.split_at(at.min(calls.len()));
            let mut merged = sum(other);
            merged.merge(&sum(one));
            let expected: Vec<(u8, u64)> = (0..).zip(all).filter(|(_, calls)| *calls > 0).collect();
            prop_assert_eq!(merged.iter().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(sum(&calls).iter().collect::<Vec<_>>(), expected);
        }
    }
}
