//! What calls add up to: for each key, and for calls that name none.

use super::agent::Caller;
use super::hours::Hours;
use super::place::{Place, Places};
pub use super::side::Side;
use super::time::{hour, hour_of_week};
use crate::domains::cmk::purposes::{Use, use_of};

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

/// What a call is for: to use the material of a key, or to manage keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// It uses the material of a key: `Decrypt`, `GenerateDataKey`, …
    Cryptographic,
    /// It was to do so, and failed: who may not use a key does not use it.
    Failed,
    /// It manages keys or tells of them, as tools do that never use one: `DescribeKey`, `TagResource`, …
    Management,
    /// Nobody knows the operation: perhaps it uses the material of a key.
    Supposed,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Purpose; 4] = [Purpose::Cryptographic, Purpose::Failed, Purpose::Management, Purpose::Supposed];

    /// What an operation is for.
    pub fn of(operation: &str) -> Purpose {
        match use_of(operation) {
            Use::Material => Purpose::Cryptographic,
            Use::Managing => Purpose::Management,
            Use::Unknown => Purpose::Supposed,
        }
    }

    /// Whether such an operation may use the material of a key.
    pub fn may_use(self) -> bool {
        self != Purpose::Management
    }

    /// What a call of such an operation was.
    #[must_use]
    pub fn of_call(self, failed: bool) -> Purpose {
        if failed && self.may_use() { Purpose::Failed } else { self }
    }

    /// The word for outputs.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Cryptographic => "cryptographic",
            Purpose::Failed => "failed",
            Purpose::Management => "management",
            Purpose::Supposed => "supposed",
        }
    }
}

/// Who made calls with what: a principal, without its sessions, by number, and a language or tool; and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Application(u32);

impl Application {
    /// The application of a principal.
    pub fn new(principal: u32, caller: Caller, purpose: Purpose) -> Application {
        Application(principal << 6 | (purpose as u32) << 4 | caller as u32)
    }

    /// The same without who made the calls and what for, where only the language matters.
    #[must_use]
    pub fn of_anybody(self) -> Application {
        Application::new(0, self.caller(), Purpose::Management)
    }

    /// The principal, by number.
    pub fn principal(self) -> u32 {
        self.0 >> 6
    }

    /// What its calls are for.
    pub fn purpose(self) -> Purpose {
        Purpose::ALL.get((self.0 >> 4 & 3) as usize).copied().unwrap_or(Purpose::Cryptographic)
    }

    /// Whether these calls are of an application that used the material of keys, so that its language and place matter.
    pub fn counts(self) -> bool {
        self.purpose() == Purpose::Cryptographic && self.caller().is_application()
    }

    /// Whether these calls may be of an application that used the material of keys: also those of operations that nobody knows.
    pub fn may_count(self) -> bool {
        matches!(self.purpose(), Purpose::Cryptographic | Purpose::Supposed) && self.caller().is_application()
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

/// All calls with one key.
#[derive(Debug, Clone)]
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
    /// The operation, by number.
    pub operation: u32,
    /// By whom.
    pub application: Application,
    /// Through which VPC, by number, or [`Call::NO_VPC`].
    pub vpc: u32,
    /// From which of the user's own networks, by number, or [`Call::NO_NETWORK`].
    pub network: u16,
    /// From where.
    pub place: Place,
    /// Whether it failed.
    pub failed: bool,
}

impl Call {
    /// Through no VPC.
    pub const NO_VPC: u32 = u32::MAX;
    /// From none of the user's networks.
    pub const NO_NETWORK: u16 = u16::MAX;
}

impl KeyTally {
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

    /// Adds calls. Of one key they come seldom, and what is known of it lies far from the processor: several at once wait for
    /// that once. `room` is for their applications.
    pub fn add(&mut self, calls: &[Call], room: &mut Vec<u64>) {
        room.clear();
        for call in calls {
            let one = Calls::one(call.failed);
            self.calls.add(one);
            self.span.add(Span::of(call.time));
            self.add_operation(call.operation, one);
            let last = u32::try_from(call.time.max(0)).unwrap_or(u32::MAX);
            room.push(u64::from(call.application.0) << 32 | u64::from(last));
            if call.application.counts() {
                self.places.add(call);
            }
            if call.vpc != Call::NO_VPC {
                self.add_vpc(call.vpc);
            }
            self.hours.add(hour_of_week(hour(call.time)), 1);
        }
        room.sort_unstable();
        self.add_applications(room);
    }

    /// Adds calls of applications: the application in the upper half, the time in the lower, in order.
    fn add_applications(&mut self, calls: &mut Vec<u64>) {
        let known = self.applications.len();
        // Of those that are known, the calls go to them; the others stay. Both lists are in order.
        let (mut place, mut at, mut kept, mut new) = (0, 0, 0, 0);
        while let Some(first) = calls.get(at).copied() {
            let end = at + calls[at..].iter().take_while(|call| *call >> 32 == first >> 32).count();
            let application = Application((first >> 32) as u32);
            let rest = self.applications.get(place..).unwrap_or_default();
            place += match rest.get(NEAR) {
                // What lies together is fetched together, so that to look for one after the other is faster.
                None => rest.iter().position(|known| known.application >= application).unwrap_or(rest.len()),
                Some(_) => rest.partition_point(|known| known.application < application),
            };
            match self.applications.get_mut(place).filter(|known| known.application == application) {
                Some(known) => {
                    known.calls += (end - at) as u64;
                    known.last = known.last.max(calls[end - 1] as u32);
                }
                None => {
                    calls.copy_within(at..end, kept);
                    (kept, new) = (kept + end - at, new + 1);
                }
            }
            at = end;
        }
        calls.truncate(kept);
        if new == 0 {
            return;
        }
        // From the last on, each goes where it belongs, so that those before are moved once.
        if known + new > self.applications.capacity() {
            self.applications.reserve_exact(new.max(known / 4 + 2));
        }
        let nothing = ApplicationCalls { calls: 0, application: Application(0), last: 0 };
        self.applications.resize(known + new, nothing);
        let (mut from, mut to) = (known, known + new);
        while let Some(last) = calls.pop() {
            let application = Application((last >> 32) as u32);
            while from > 0 && self.applications[from - 1].application > application {
                (from, to) = (from - 1, to - 1);
                self.applications[to] = self.applications[from];
            }
            let mut one = ApplicationCalls { calls: 1, application, last: last as u32 };
            while calls.pop_if(|call| *call >> 32 == last >> 32).is_some() {
                one.calls += 1;
            }
            to -= 1;
            self.applications[to] = one;
        }
    }

    /// Adds calls of an operation.
    pub fn add_operation(&mut self, operation: u32, calls: Calls) {
        let failed = u32::try_from(calls.failed).unwrap_or(u32::MAX);
        match self.operations.iter_mut().find(|known| known.operation == operation) {
            Some(known) => {
                known.calls += calls.calls;
                known.failed = known.failed.saturating_add(failed);
            }
            None => push(&mut self.operations, OperationCalls { calls: calls.calls, failed, operation }),
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
            insert(&mut self.vpcs, at, vpc);
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

/// Shorter lists are gone through one by one.
const NEAR: usize = 256;

/// Inserts an element. Lists are many, and shall not take twice the room that they need.
pub(super) fn insert<T>(list: &mut Vec<T>, at: usize, element: T) {
    make_room(list);
    list.insert(at, element);
}

/// Adds an element at the end.
fn push<T>(list: &mut Vec<T>, element: T) {
    make_room(list);
    list.push(element);
}

fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 4 + 2);
    }
}

/// Calls of an operation by a principal that no key is known of.
#[derive(Debug, Clone)]
pub struct Unattributed {
    /// How many.
    pub calls: Calls,
    /// The first and the last.
    pub span: Span,
    /// From where, if an application made them and they may be cryptographic.
    pub places: Places,
}

impl Unattributed {
    /// No calls yet, of which the first will be at this time.
    pub fn empty(time: i64) -> Unattributed {
        Unattributed { calls: Calls::default(), span: Span::of(time), places: Places::default() }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Unattributed) {
        self.calls.add(other.calls);
        self.span.add(other.span);
        self.places.merge(&other.places);
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
