//! What was counted, as JSON Lines that can be merged: one line about the logs, one for each account and region, one for
//! each key, and one for each kind of call that no key is known of. The same events give the same bytes, however they are
//! divided.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agent::Caller;
use super::changes::{Changes, ChangesLine};
use super::collect::{Counted, Entry, From, Names, Rest, text};
use super::coverage::Coverage;
pub use super::coverage::{CoverageLine, Moments, Run};
use super::hours::{peak, weeks};
use super::named::of_service;
use super::place::{Place, Places};
use super::tally::{Account, ApplicationCalls, OperationCalls, Purpose, Unattributed};
use super::time::{HOUR, show};

/// The version of the format.
pub const VERSION: u32 = 2;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
#[schemars(transform = describe_record)]
pub enum Line {
    /// About all logs; the first line.
    Usage(Head),
    /// The hours of an account and region in which there was any event, of whatever service.
    Coverage(CoverageLine),
    /// The calls of one key.
    Key(KeyLine),
    /// Calls that no key is known of.
    Unattributed(UnattributedLine),
}

/// The member that tells the kinds of lines apart has no field, and so no comment, of its own.
fn describe_record(schema: &mut schemars::Schema) {
    let kinds = schema.get_mut("oneOf").and_then(serde_json::Value::as_array_mut);
    for kind in kinds.into_iter().flatten() {
        if let Some(record) = kind.pointer_mut("/properties/record").and_then(serde_json::Value::as_object_mut) {
            record.insert("description".to_owned(), "What the line is about.".into());
        }
    }
}

/// About all logs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// The version of the format.
    pub version: u32,
    /// Events that were read.
    pub events: u64,
    /// Events of KMS that count.
    pub kms: u64,
    /// Events of other services.
    pub other_services: u64,
    /// Deliveries of events that were delivered before.
    pub duplicates: u64,
    /// Events that could not be read.
    pub broken: u64,
    /// Events of KMS that name no key at all.
    pub no_key: u64,
    /// Files, or the rests of such, that could not be read.
    pub unread_files: u64,
    /// The sum of the hashes of all events that count, of all broken ones and of files that could not be read, in hexadecimal
    /// digits: results of the same events have the same.
    pub digest: String,
    /// How many lines of each other kind follow: a result that has fewer is cut off.
    pub lines: LineCounts,
}

/// How many lines of each kind there are, by what they say under `record`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineCounts {
    /// Lines of accounts and regions.
    pub coverage: u64,
    /// Lines of calls that no key is known of.
    pub unattributed: u64,
    /// Lines of keys.
    pub key: u64,
}

/// How many calls.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Count(pub u64);

/// Calls in one hour of the week.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct HourCalls {
    /// The hour, in UTC: 0 is Monday, 00 to 01.
    pub hour: u8,
    /// How many calls.
    pub calls: u64,
}

/// How many calls.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct CallCounts {
    /// All, with those that failed.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
}

/// The calls of one application: a principal, without its sessions, with a language or tool, and what it calls.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ApplicationLine {
    /// Who: `role/orders-svc`, `user/alice`, `root`.
    pub principal: String,
    /// The language of the SDK, or the tool, as `userAgent` tells it.
    pub caller: Cow<'static, str>,
    /// `cryptographic` if the calls used the material of the key, `supposed` if nobody knows their operation, `failed` if they
    /// failed at either, else `management`.
    pub purpose: Cow<'static, str>,
    /// How many calls.
    pub calls: u64,
    /// The last of them, in UTC.
    pub last: String,
}

/// The calls of one key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeyLine {
    /// The id, or the alias by which it was called.
    pub key_id: String,
    /// The account; empty if the events do not say.
    pub account_id: String,
    /// The region; empty if the events do not say.
    pub region: String,
    /// All calls, with those that failed.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// The first call, in UTC.
    pub first: String,
    /// The last call, in UTC.
    pub last: String,
    /// By operation.
    pub operations: BTreeMap<String, CallCounts>,
    /// By application; the most calls first.
    pub applications: Vec<ApplicationLine>,
    /// The cryptographic calls of applications that did not fail, by place: `vpc`, `private`, `internal`, `public`, `unknown`; without
    /// those from networks that the user has named, unless a VPC is known.
    pub places: BTreeMap<String, Count>,
    /// The same calls by the user's own networks.
    pub networks: BTreeMap<String, Count>,
    /// The VPCs.
    pub vpcs: Vec<String>,
    /// The cryptographic calls of cloud services, by service.
    pub services: BTreeMap<String, Count>,
    /// By hour of the week, those with calls.
    pub hours: Vec<HourCalls>,
    /// Calls per second in the busiest hour of the week, on average.
    pub busiest_per_second: f64,
    /// How many calls per second a busiest second may have: an estimate, not a count.
    pub peak_per_second: u64,
    /// What the calls changed of the key or alias, and by which aliases the key was called, if they tell any of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Box<ChangesLine>>,
}

/// Calls of one operation by one application that no key is known of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UnattributedLine {
    /// The account; empty if the events do not say.
    pub account_id: String,
    /// The region; empty if the events do not say.
    pub region: String,
    /// The operation.
    pub operation: String,
    /// `all` if no key is known at all; of `ReEncrypt`, `source` if the key is not known for sure under which it reads, and
    /// `destination` if the one is not known under which it writes; `alias` if the alias is not known that is moved; of
    /// `CreateKey` without a key, `imported` if it made one for imported material, and `rotating` if one that rotates.
    pub side: String,
    /// Who.
    pub principal: String,
    /// The language or tool.
    pub caller: String,
    /// All calls, with those that failed.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// The first, in UTC.
    pub first: String,
    /// The last, in UTC.
    pub last: String,
    /// By place, if an application made them and they may be cryptographic.
    pub places: BTreeMap<String, Count>,
    /// The same calls by the user's own networks.
    pub networks: BTreeMap<String, Count>,
}

/// The service that a service-linked role belongs to, as its name says (`AliyunServiceRoleForOSS…`), or else the principal.
fn service_name(principal: &str) -> String {
    let name = principal.split_once('/').map_or(principal, |(_, name)| name);
    let service = of_service(name.as_bytes()).and_then(|service| std::str::from_utf8(service).ok());
    service.filter(|service| !service.is_empty()).map_or_else(|| name.to_owned(), str::to_ascii_lowercase)
}

/// Everything that was counted, in order.
pub struct Written<'c> {
    counted: &'c Counted,
}

impl<'c> Written<'c> {
    /// What was counted.
    pub fn new(counted: &'c Counted) -> Written<'c> {
        Written { counted }
    }

    /// All lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        let keys = self.entries().into_iter().map(|entry| Line::Key(self.key(entry)));
        self.beside_keys().chain(keys)
    }

    /// All lines but those of keys, which follow.
    pub fn beside_keys(&self) -> impl Iterator<Item = Line> + use<> {
        let coverage = self.coverage().into_iter().map(Line::Coverage);
        let unattributed = self.unattributed().into_iter().map(Line::Unattributed);
        std::iter::once(Line::Usage(self.head())).chain(coverage).chain(unattributed)
    }

    /// The first line.
    pub fn head(&self) -> Head {
        let Account { events, kms, others, duplicates, broken, no_key, unread_files } = self.counted.rest.account;
        let digest = format!("{:016x}", self.counted.rest.digest);
        let Rest { coverage, unattributed, .. } = &self.counted.rest;
        let lines = LineCounts {
            coverage: coverage.values().filter(|coverage| coverage.span.is_some()).count() as u64,
            unattributed: unattributed.len() as u64,
            key: self.counted.keys.len() as u64,
        };
        Head {
            version: VERSION,
            events,
            kms,
            other_services: others,
            duplicates,
            broken,
            no_key,
            unread_files,
            digest,
            lines,
        }
    }

    /// The hours with events, in order.
    pub fn coverage(&self) -> Vec<CoverageLine> {
        let names = &self.counted.names;
        let line = |((account, region), coverage): (&(u32, u32), &Coverage)| {
            coverage.line(text(&names.accounts, *account), text(&names.regions, *region))
        };
        let mut lines: Vec<CoverageLine> = self.counted.rest.coverage.iter().filter_map(line).collect();
        lines.sort_by(|a, b| (&a.account_id, &a.region).cmp(&(&b.account_id, &b.region)));
        lines
    }

    /// The keys as they were counted, in order.
    pub fn entries(&self) -> Vec<&'c Entry> {
        let names = &self.counted.names;
        let by =
            |entry: &'c Entry| (&*entry.key, text(&names.accounts, entry.account), text(&names.regions, entry.region));
        let mut entries: Vec<&'c Entry> = self.counted.keys.iter().collect();
        entries.sort_unstable_by(|a, b| by(a).cmp(&by(b)));
        entries
    }

    /// The texts of the numbers that [`Written::entries`] have.
    pub fn names(&self) -> &'c Names {
        &self.counted.names
    }

    /// The line of a key.
    pub fn key(&self, entry: &Entry) -> KeyLine {
        self.key_within(entry, self.coverage_of(entry))
    }

    /// The line of a key in a log that reaches so far.
    fn key_within(&self, entry: &Entry, coverage: Option<&Coverage>) -> KeyLine {
        let (names, tally) = (&self.counted.names, &entry.tally);
        let mut operations = BTreeMap::new();
        for OperationCalls { operation, calls, failed } in &tally.operations {
            let counts = CallCounts { calls: *calls, failed: u64::from(*failed) };
            operations.insert(text(&names.operations, *operation).to_owned(), counts);
        }
        let mut sums: BTreeMap<(&str, Caller, Purpose), (u64, u32)> = BTreeMap::new();
        for ApplicationCalls { application, calls, last } in &tally.applications {
            let principal = text(&names.principals, application.principal());
            let sum = sums.entry((principal, application.caller(), application.purpose())).or_default();
            *sum = (sum.0 + calls, sum.1.max(*last));
        }
        let mut services = BTreeMap::new();
        for ((principal, caller, purpose), (calls, _)) in &sums {
            if (*caller, *purpose) == (Caller::Service, Purpose::Cryptographic) {
                services.entry(service_name(principal)).or_insert(Count(0)).0 += calls;
            }
        }
        let mut applications: Vec<_> = sums.into_iter().collect();
        applications.sort_by_key(|(application, (calls, _))| (std::cmp::Reverse(*calls), *application));
        let applications =
            applications.into_iter().map(|((principal, caller, purpose), (calls, last))| ApplicationLine {
                principal: principal.to_owned(),
                caller: caller.name().into(),
                purpose: purpose.name().into(),
                calls,
                last: show(i64::from(last)),
            });
        let mut vpcs: Vec<String> = tally.vpcs.iter().map(|vpc| text(&names.vpcs, *vpc).to_owned()).collect();
        vpcs.sort_unstable();
        let hours: Vec<HourCalls> = tally.hours.iter().map(|(hour, calls)| HourCalls { hour, calls }).collect();
        let busiest = hours.iter().map(|hour| hour.calls).max().unwrap_or(0) as f64;
        let per_second = busiest / weeks(coverage, tally.span) / HOUR as f64;
        let (places, networks) = self.places(&tally.places);
        KeyLine {
            key_id: entry.key.to_string(),
            account_id: text(&names.accounts, entry.account).to_owned(),
            region: text(&names.regions, entry.region).to_owned(),
            calls: tally.calls.calls,
            failed: tally.calls.failed,
            first: show(tally.span.first),
            last: show(tally.span.last),
            operations,
            applications: applications.collect(),
            places,
            networks,
            vpcs,
            services,
            hours,
            busiest_per_second: (per_second * 1e6).round() / 1e6,
            peak_per_second: peak(per_second),
            changes: self.counted.changes(entry).and_then(Changes::line).map(Box::new),
        }
    }

    /// The calls of several entries of one key together; nothing if there are none.
    pub fn joined(&self, entries: &[&Entry]) -> Option<KeyLine> {
        let (first, rest) = entries.split_first()?;
        if rest.is_empty() {
            return Some(self.key(first));
        }
        let mut tally = first.tally.clone();
        rest.iter().for_each(|entry| tally.merge(&entry.tally));
        // The longest log counts, in whatever order threads have met the entries.
        let coverages = entries.iter().filter_map(|entry| self.coverage_of(entry));
        let longest = coverages.max_by_key(|coverage| coverage.span.map_or(0, |span| span.last - span.first));
        let Entry { key, account, region, .. } = first;
        let joined = Entry { key: key.clone(), account: *account, region: *region, tally };
        Some(self.key_within(&joined, longest))
    }

    fn coverage_of(&self, entry: &Entry) -> Option<&'c Coverage> {
        self.counted.rest.coverage.get(&(entry.account, entry.region))
    }

    fn places(&self, places: &Places) -> (BTreeMap<String, Count>, BTreeMap<String, Count>) {
        let by_place = Place::ALL.iter().zip(places.calls).filter(|(_, calls)| *calls > 0);
        let by_network = places.networks.iter();
        (
            by_place.map(|(place, calls)| (place.name().to_owned(), Count(calls))).collect(),
            by_network.map(|(number, calls)| (self.counted.networks.name(*number).to_owned(), Count(*calls))).collect(),
        )
    }

    /// The calls that no key is known of, in order.
    pub fn unattributed(&self) -> Vec<UnattributedLine> {
        let names = &self.counted.names;
        let line = |(from, calls): (&From, &Unattributed)| {
            let (places, networks) = self.places(&calls.places);
            UnattributedLine {
                account_id: text(&names.accounts, from.account).to_owned(),
                region: text(&names.regions, from.region).to_owned(),
                operation: text(&names.operations, from.operation).to_owned(),
                side: from.side.name().to_owned(),
                principal: text(&names.principals, from.principal).to_owned(),
                caller: from.caller.name().to_owned(),
                calls: calls.calls.calls,
                failed: calls.calls.failed,
                first: show(calls.span.first),
                last: show(calls.span.last),
                places,
                networks,
            }
        };
        let mut lines: Vec<UnattributedLine> = self.counted.rest.unattributed.iter().map(line).collect();
        let by = |line: &UnattributedLine| {
            let UnattributedLine { account_id, region, operation, side, principal, caller, .. } = line.clone();
            (account_id, region, operation, side, principal, caller)
        };
        lines.sort_by_cached_key(by);
        lines
    }
}
