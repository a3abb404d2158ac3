//! Events to tallies, on any number of threads: every thread reads blocks of events and counts into tables that all share.
//!
//! Nothing is kept for an event but the hash of what it says, for some time, so that one which is delivered twice counts
//! once.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;

use super::agent::Caller;
use super::attribution::{Role, keys_of};
use super::batch::{Batch, Waiting};
use super::changes::{Change, Tells, names_instance};
use super::coverage::Said;
use super::event::Event;
use super::known::{Scope, Texts};
use super::named::{self, KINDS, Who};
use super::network::{is_inside_cloud, is_vpc};
use super::place::Place;
use super::scan::Raw;
use super::stable;
use super::table::UNKNOWN;
use super::table::lock;
pub use super::table::{Counted, Detail, Entry, From, Names, Rest, Shared, text};
use super::tally::{Account, Application, Call, Calls, Purpose, Side, Span, Unattributed};
use super::time::{Clock, NO_TIME, hour};
use crate::domains::cmk::operations::{api_name, resembles_forbidden};
use crate::inventory::identity::arn_parts;

/// So many events are read before they are counted. What is known of their keys and ids lies far from the processor, and
/// is fetched for many at once.
const BATCH: usize = 4096;

/// So many kinds of calls without a key wait in each thread.
const UNATTRIBUTED: usize = 1 << 12;

/// What is known of an operation.
#[derive(Debug, Clone, Copy)]
struct Operation {
    number: u32,
    purpose: Purpose,
    role: Role,
    /// What it may change.
    tells: Option<Tells>,
    /// Whether nobody knows it, and it is not like one that blocks the migration.
    is_unknown: bool,
    hash: u64,
}

/// One thread.
#[derive(Debug)]
pub struct Worker<'s> {
    shared: &'s Shared,
    batch: Batch,
    scopes: Vec<Scope>,
    /// Where accounts and regions stand in the list, by their numbers.
    places_of_scopes: HashMap<(u32, u32), u32, FixedState>,
    accounts: Texts<u32>,
    regions: Texts<u32>,
    /// Operations by name.
    operations: Texts<Operation>,
    vpcs: Texts<u32>,
    /// Principals, by kind and name: the number, and whether it is a cloud service.
    principals: [Texts<(u32, bool)>; KINDS.len() + 1],
    /// Agents: what they are.
    agents: Texts<Caller>,
    clock: Clock,
    /// The aliases by which keys were called, by the hash of both.
    called_as: HashSet<u64, FixedState>,
    unattributed: HashMap<From, Unattributed, FixedState>,
    account: Account,
    digest: u64,
}

impl<'s> Worker<'s> {
    /// A thread that has read nothing yet.
    pub fn new(shared: &'s Shared) -> Worker<'s> {
        Worker {
            shared,
            batch: Batch::default(),
            scopes: Vec::new(),
            places_of_scopes: HashMap::default(),
            accounts: Texts::default(),
            regions: Texts::default(),
            operations: Texts::default(),
            vpcs: Texts::default(),
            principals: Default::default(),
            agents: Texts::default(),
            clock: Clock::default(),
            called_as: HashSet::default(),
            unattributed: HashMap::default(),
            account: Account::default(),
            digest: 0,
        }
    }

    /// Counts an event that could not be read.
    pub fn broken(&mut self) {
        self.account.events += 1;
        self.account.broken += 1;
        self.digest = self.digest.wrapping_add(stable::finish(BROKEN));
    }

    /// Counts a file that could not be read, or not to its end.
    pub fn unread_file(&mut self) {
        self.account.unread_files += 1;
        self.digest = self.digest.wrapping_add(stable::finish(UNREAD_FILE));
    }

    /// When an event was.
    fn time(&mut self, event: &Event<'_>) -> Result<i64, String> {
        if let Some(time) = self.clock.seconds(event.time.bytes) {
            return Ok(time);
        }
        self.broken();
        Err(format!("eventTime is `{}`, {NO_TIME}", shortened(&event.time.text())))
    }

    /// Counts an event of another service.
    ///
    /// # Errors
    /// It does not say when it was; the message says what it says instead.
    pub fn other(&mut self, event: &Event<'_>) -> Result<(), String> {
        let time = self.time(event)?;
        self.account.events += 1;
        self.account.others += 1;
        let scope = self.scope(event, time);
        let hash_of_scope = self.scopes.get(scope as usize).map_or(0, |scope| scope.hash);
        let read_write = Said::bit_of(event.event_rw.bytes);
        let [id, service] = [event.event_id, event.service].map(|text| stable::hash(text.bytes));
        let parts = [time as u64, id, service, u64::from(read_write)];
        let hash = parts.into_iter().fold(hash_of_scope, stable::mix);
        self.digest = self.digest.wrapping_add(stable::finish(hash));
        self.cover(scope, time, read_write);
        Ok(())
    }

    /// Counts an event of KMS.
    ///
    /// # Errors
    /// It says too little to count; the message says what is missing.
    pub fn kms(&mut self, event: &Event<'_>) -> Result<(), String> {
        let time = self.time(event)?;
        if event.operation.is_empty() {
            self.broken();
            return Err("eventName is missing".to_owned());
        }
        self.account.events += 1;
        let scope = self.scope(event, time);
        let operation = self.operation(event.operation);
        let keys = keys_of(event, operation.role);
        let read_write = Said::bit_of(event.event_rw.bytes);
        // Whose calls name no key is told beside a table, too.
        let detail = if keys.unknown.is_some() { Detail::Result } else { self.shared.detail };
        let call = self.call(event, operation, time, detail);
        let hash_of_scope = self.scopes.get(scope as usize).map_or(0, |scope| scope.hash);
        let said = u64::from(event.references_more) << 3 | u64::from(event.failed) << 2 | u64::from(read_write);
        let parts = [operation.hash, time as u64, hash_of_scope, said];
        let hash = parts.into_iter().fold(stable::hash_of_texts(event), stable::mix);
        let changed = operation.tells.filter(|_| !event.failed).and_then(|tells| Change::of(tells, event, &keys));
        let hash = stable::finish(changed.iter().fold(hash, |hash, (_, change)| stable::mix(hash, change.number())));
        let is_of_instance = operation.is_unknown && keys.unknown == Some(Side::All) && names_instance(event);
        let hash = if is_of_instance { stable::mix(hash, OF_INSTANCE) } else { hash };
        let side = match &changed {
            Some((None, Change::External)) => Some(Side::Imported),
            Some((None, Change::Rotates(_))) if operation.tells == Some(Tells::Creation) => Some(Side::Rotating),
            _ => keys.unknown,
        };
        for key in keys.each() {
            let (key, account, region) = self.named(key, scope);
            self.batch.name(key, account, region);
        }
        if let (Some(alias), Some(key)) = (&keys.called_as, keys.each().next()) {
            self.call_as(alias, key, scope);
        }
        if let Some((Some(key), change)) = changed {
            let (key, account, region) = self.named(key, scope);
            let change = match change {
                Change::GivenTo(key) => Change::GivenTo(self.named(&key, scope).0.to_owned()),
                change => change,
            };
            self.batch.change(key, (account, region), change);
        }
        self.batch.events.push(Waiting {
            has_id: !event.event_id.is_empty(),
            hash,
            scope,
            call,
            read_write,
            side,
            is_of_instance,
            is_new: true,
        });
        if self.batch.events.len() >= BATCH {
            self.count();
        }
        Ok(())
    }

    /// Remembers by which alias a key was called. Applications do so all the time, and it is told once.
    fn call_as(&mut self, alias: &str, key: &str, scope: u32) {
        let hash = FixedState::default().hash_one((alias, key, scope));
        if self.called_as.insert(hash) {
            let (alias, ..) = self.named(alias, scope);
            let (key, account, region) = self.named(key, scope);
            self.batch.change(key, (account, region), Change::CalledAs(alias.to_owned()));
        }
    }

    /// A key by its id or alias, which an event of an account and region may name by its ARN, with its own account and region.
    fn named<'n>(&mut self, name: &'n str, scope: u32) -> (&'n str, u32, u32) {
        let numbers = self.scopes.get(scope as usize).map_or((0, 0), |scope| scope.numbers);
        // Few names are more than an id.
        let is_longer = name.len() > 8 && name.as_bytes()[..8].eq_ignore_ascii_case(b"acs:kms:");
        let named = is_longer.then(|| arn_parts(name)).flatten().and_then(|(region, account, resource)| {
            let is_alias = resource.starts_with("alias/");
            let key = if is_alias { Some(resource) } else { resource.strip_prefix("key/") };
            Some((region, account, key.filter(|key| !key.is_empty())?))
        });
        let Some((of_region, of_account, key)) = named else {
            return (name, numbers.0, numbers.1);
        };
        let (of_account, of_region) = (Raw::plain(of_account), Raw::plain(of_region));
        let account = if of_account.is_empty() { numbers.0 } else { self.account([of_account; 2]) };
        let region = if of_region.is_empty() { numbers.1 } else { self.region([of_region; 2]) };
        (key, account, region)
    }

    /// Counts the events that wait.
    fn count(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        batch.find_new(self.shared);
        for (changed, time) in batch.changes() {
            let mut rest = lock(&self.shared.rest);
            let known = rest.changes.entry(changed.scope).or_default().entry(changed.key).or_default();
            known.add(changed.change, time);
        }
        for event in &mut batch.events {
            if !event.is_new {
                self.account.duplicates += 1;
                continue;
            }
            self.digest = self.digest.wrapping_add(event.hash);
            self.account.kms += 1;
            self.account.no_key += u64::from(event.side.is_some_and(Side::names_none));
            self.cover(event.scope, event.call.time, event.read_write);
            let Some(side) = event.side.filter(|_| !event.is_of_instance) else { continue };
            let (account, region) = self.scopes.get(event.scope as usize).map_or((0, 0), |scope| scope.numbers);
            let Call { application, operation, time, failed, .. } = event.call;
            let (principal, caller) = (application.principal(), application.caller());
            let from = From { account, region, operation, principal, caller, side };
            let known = self.unattributed.entry(from).or_insert_with(|| Unattributed::empty(time));
            known.calls.add(Calls::one(failed));
            known.span.add(Span::of(time));
            if application.may_count() {
                known.places.add(&event.call);
            }
            if self.shared.detail == Detail::Table {
                event.call.application = application.of_anybody();
            }
        }
        batch.add(self.shared);
        batch.clear();
        self.batch = batch;
        if self.unattributed.len() >= UNATTRIBUTED {
            self.hand_over_unattributed();
        }
    }

    fn hand_over_unattributed(&mut self) {
        let mut rest = lock(&self.shared.rest);
        // Sums are the same in any order.
        self.unattributed.drain().for_each(|(from, calls)| {
            rest.unattributed.entry(from).or_insert_with(|| Unattributed::empty(calls.span.first)).add(&calls);
        });
    }

    /// The call that an event tells of, in this detail.
    fn call(&mut self, event: &Event<'_>, operation: Operation, time: i64, detail: Detail) -> Call {
        let names = &self.shared.names;
        let vpc = match is_vpc(event.vpc.bytes) {
            false => Call::NO_VPC,
            true => self.vpcs.number(event.vpc, |text| lock(names).vpcs.number(text)),
        };
        let mut caller = match self.agents.get(event.agent.bytes) {
            Some(known) => known,
            None => {
                let known = Caller::of(&event.agent.text());
                self.agents.insert(event.agent.bytes, known);
                known
            }
        };
        let (principal, is_service) = match detail {
            Detail::Result => self.principal(event),
            Detail::Table => (0, Who::of(event).is_service()),
        };
        if is_service || event.event_type.bytes == b"AliyunServiceEvent" {
            caller = Caller::Service;
        } else if caller == Caller::Service && !is_inside_cloud(event.source.bytes) {
            // Anybody can write a name into a userAgent; services call from inside the cloud.
            caller = Caller::Unknown;
        }
        let (place, network) = match detail {
            Detail::Result => self.shared.networks.place(event),
            Detail::Table => (Place::Unknown, None),
        };
        Call {
            time,
            failed: event.failed,
            operation: operation.number,
            application: Application::new(principal, caller, operation.purpose.of_call(event.failed)),
            place,
            network: network.unwrap_or(Call::NO_NETWORK),
            vpc,
        }
    }

    /// What is known of an operation.
    fn operation(&mut self, name: Raw<'_>) -> Operation {
        if let Some(known) = self.operations.get(name.bytes) {
            return known;
        }
        let text = name.text();
        let name_of = api_name(&text);
        let number = lock(&self.shared.names).operations.number(&*name_of);
        let (purpose, role) = (Purpose::of(&name_of), Role::of(&name_of));
        let is_unknown = purpose == Purpose::Supposed && !resembles_forbidden(&name_of);
        let (tells, hash) = (Tells::of(&name_of), stable::hash(name_of.as_bytes()));
        let known = Operation { number, purpose, role, tells, is_unknown, hash };
        self.operations.insert(name.bytes, known);
        known
    }

    /// The number of the principal, without its session, and whether it is a cloud service.
    fn principal(&mut self, event: &Event<'_>) -> (u32, bool) {
        let who = Who::of(event);
        let Who { kind, name } = who;
        if let Some(known) = self.principals[kind].get(name.bytes) {
            return known;
        }
        let text = name.text();
        let word = KINDS.get(kind).map_or("other", |(_, word)| word);
        let shown = if text.is_empty() { word.to_owned() } else { format!("{word}/{text}") };
        let number = lock(&self.shared.names).principals.number(shown.as_str());
        let known = (number, who.is_service());
        self.principals[kind].insert(name.bytes, known);
        known
    }

    /// The number of the first of these accounts that says which it is.
    fn account(&mut self, texts: [Raw<'_>; 2]) -> u32 {
        let names = &self.shared.names;
        let ask = |text: &str| lock(names).accounts.number(&*named::account(text));
        match self.accounts.number(texts[0], ask) {
            UNKNOWN => self.accounts.number(texts[1], ask),
            known => known,
        }
    }

    /// The same of regions.
    fn region(&mut self, texts: [Raw<'_>; 2]) -> u32 {
        let names = &self.shared.names;
        let ask = |text: &str| lock(names).regions.number(&*named::region(text));
        match self.regions.number(texts[0], ask) {
            UNKNOWN => self.regions.number(texts[1], ask),
            known => known,
        }
    }

    /// The place of the account and region of an event.
    fn scope(&mut self, event: &Event<'_>, time: i64) -> u32 {
        let account = self.account([event.account, event.caller_account]);
        let region = self.region([event.region, event.requested_region]);
        let numbers = (account, region);
        let (names, scopes) = (&self.shared.names, &mut self.scopes);
        *self.places_of_scopes.entry(numbers).or_insert_with(|| {
            let names = lock(names);
            let texts = [text(&names.accounts, account), text(&names.regions, region)];
            let [account, region] = texts.map(|text| stable::hash(text.as_bytes()));
            scopes.push(Scope {
                numbers,
                hash: stable::mix(account, region),
                span: Span::of(time),
                is_covered: false,
                hours: (0, 0),
                read_hours: 0,
                said: Said::default(),
            });
            scopes.len() as u32 - 1
        })
    }

    /// Counts the hour of an event.
    fn cover(&mut self, scope: u32, time: i64, read_write: u8) {
        let Some(scope) = self.scopes.get_mut(scope as usize) else { return };
        if !scope.is_covered {
            (scope.is_covered, scope.span) = (true, Span::of(time));
        }
        scope.span.add(Span::of(time));
        scope.said.add(read_write, Span::of(time));
        // Events stand nearly in order.
        let hour = hour(time);
        let (word, bit) = (hour.div_euclid(64), 1 << hour.rem_euclid(64));
        if scope.hours.0 != word {
            scope.hand_over(&self.shared.rest);
            (scope.hours, scope.read_hours) = ((word, 0), 0);
        }
        scope.hours.1 |= bit;
        scope.read_hours |= if read_write & Said::READ != 0 { bit } else { 0 };
    }
}

impl Drop for Worker<'_> {
    /// What the thread has counted alone is added to what all have.
    fn drop(&mut self) {
        self.count();
        self.shared.add_up(&mut self.batch.room);
        self.hand_over_unattributed();
        self.scopes.iter().for_each(|scope| scope.hand_over(&self.shared.rest));
        let mut rest = lock(&self.shared.rest);
        rest.account.add(self.account);
        rest.digest = rest.digest.wrapping_add(self.digest);
        for scope in self.scopes.iter().filter(|scope| scope.is_covered) {
            let coverage = rest.coverage.entry(scope.numbers).or_default();
            coverage.add_span(scope.span);
            coverage.said.merge(&scope.said);
        }
    }
}

/// What stands in the digest for an event that could not be read, and for a file.
const BROKEN: u64 = 1;
const UNREAD_FILE: u64 = 2;

/// What tells an event that names an instance alone from others of the same texts.
const OF_INSTANCE: u64 = 3;

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::super::known::REMEMBERED;
    use super::super::network::Networks;
    use super::*;

    /// How much is kept after so many events of 20 keys, by 3 roles whose sessions and agents are all different.
    fn kept(events: usize) -> [usize; 8] {
        let shared = Shared::new(Networks::default(), Detail::Result);
        let mut worker = Worker::new(&shared);
        for number in 0..events {
            let texts = [
                format!("id-{number}"),
                format!("2026-11-{:02}T{:02}:00:00Z", number % 28 + 1, number / 28 % 24),
                format!("Golang/1.{number}"),
                format!("role-{}:session-{number}", number % 3),
                format!("key-{}", number % 20),
                format!("vpc-{}", number % 7),
            ];
            let [id, time, agent, user, key, vpc] = texts.each_ref().map(|text| Raw::plain(text));
            let (operation, identity, account) = (Raw::plain("Decrypt"), Raw::plain("assumed-role"), Raw::plain("1"));
            let event = Event {
                event_id: id,
                time,
                agent,
                user,
                vpc,
                operation,
                identity,
                account,
                requested_key: if number % 10 == 0 { Raw::default() } else { key },
                ..Event::default()
            };
            worker.kms(&event).unwrap();
        }
        let of_worker = [worker.batch.events.capacity(), worker.agents.len(), worker.vpcs.len(), worker.scopes.len()];
        assert!(of_worker[0] <= 2 * BATCH && of_worker[1] <= REMEMBERED, "{of_worker:?}");
        drop(worker);
        let counted = shared.finish();
        assert_eq!(counted.rest.account.kms, events as u64);
        let applications = counted.keys.iter().map(|entry| entry.tally.applications.len()).sum();
        let hours = counted.keys.iter().map(|entry| entry.tally.hours.iter().count()).max();
        let others = [counted.keys.len(), applications, hours.unwrap_or(0), counted.rest.unattributed.len()];
        let [_, _, vpcs, scopes] = of_worker;
        let [keys, applications, hours, unattributed] = others;
        [
            keys,
            applications,
            hours,
            unattributed,
            vpcs,
            scopes,
            counted.names.principals.things.len(),
            counted.names.vpcs.things.len(),
        ]
    }

    #[test]
    fn what_is_kept_does_not_grow_with_the_events() {
        let few = kept(40_000);
        assert_eq!(few[0], 18, "keys");
        assert_eq!(kept(160_000), few);
    }
}
