//! Results that were written, read again and put together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use serde::Deserialize;

use super::agent::Caller;
use super::collect::{Counted, Entry, From, Names, Rest};
use super::named;
use super::network::Networks;
use super::place::{Place, Places};
use super::result::{Count, CoverageLine, Head, HourCalls, KeyLine, Line, LineCounts, Run, UnattributedLine, VERSION};
use super::tally::{Account, Application, ApplicationCalls, Calls, KeyTally, Purpose, Side, Span, Unattributed};
use super::time::{HOUR, NO_TIME, WEEK, hour, seconds, show};
use crate::domains::cmk::operations::api_name;

/// Results that were written, put together.
#[derive(Debug, Default)]
pub struct Merged {
    names: Names,
    networks: Networks,
    rest: Rest,
    keys: BTreeMap<(String, u32, u32), KeyTally>,
    /// What was added, by its digest: the hash of everything that it says.
    known: BTreeMap<u64, u64>,
    /// How many results were the same as one before, and were left out.
    pub repeated: u64,
    /// The result that is being read.
    at: Option<Reading>,
    /// All calls of all lines: if these can be counted, any of them together can.
    calls: u64,
    /// All events, and all files that could not be read.
    events: u64,
}

/// A result that is being read.
#[derive(Debug)]
struct Reading {
    digest: u64,
    /// The hash of all lines so far.
    says: u64,
    /// How many lines its first one announces, and how many have come.
    announced: LineCounts,
    come: LineCounts,
    /// Whether it has events, which its digest tells from others.
    has_events: bool,
    /// Whether it has the digest of one before.
    is_left_out: bool,
}

/// What all versions of the first line say.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Merged {
    /// Adds a line of a result. A first line ends the result before it and begins the next.
    ///
    /// # Errors
    /// It is none; the message says why.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let read = serde_json::from_str(line).map_err(|error| match serde_json::from_str(line) {
            Ok(Versioned { version }) if version != VERSION => of_version(version),
            _ => format!("no line of a result of `usage`: {error}"),
        });
        self.add_line(read?)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// It is at the wrong place, or says what cannot be; the message says why.
    pub fn add_line(&mut self, mut line: Line) -> Result<(), String> {
        if let Line::Usage(head) = &line {
            if self.at.is_some() {
                self.end()?;
            }
            self.at = Some(self.begin(head)?);
        }
        if let Line::Key(line) = &mut line {
            // What is reckoned from the rest is reckoned anew.
            line.busiest_per_second = 0.0;
        }
        let at = self
            .at
            .as_mut()
            .ok_or("the first line of a result says `\"record\":\"usage\"`; is its beginning missing?")?;
        let text = serde_json::to_string(&line).map_err(|error| error.to_string())?;
        at.says = FixedState::default().hash_one((at.says, text));
        let (kind, come, announced) = match &line {
            Line::Usage(_) => return Ok(()),
            Line::Coverage(_) => ("coverage", &mut at.come.coverage, at.announced.coverage),
            Line::Unattributed(_) => ("unattributed", &mut at.come.unattributed, at.announced.unattributed),
            Line::Key(_) => ("key", &mut at.come.key, at.announced.key),
        };
        *come += 1;
        if *come > announced {
            return Err(format!(
                "the first line of the result announces {announced} `{kind}` line(s), and this is one more"
            ));
        }
        match line {
            _ if at.is_left_out => Ok(()),
            Line::Usage(_) => Ok(()),
            Line::Coverage(line) => self.add_coverage(&line),
            Line::Key(line) => self.add_key(line),
            Line::Unattributed(line) => self.add_unattributed(&line),
        }
    }

    /// A result ends.
    ///
    /// # Errors
    /// It has not begun, is cut off, or contradicts one before; the message says why.
    pub fn end(&mut self) -> Result<(), String> {
        let Some(Reading { digest, says, announced, come, has_events, is_left_out }) = self.at.take() else {
            return Err(
                "there is no result of `usage`: expected a first line that says `\"record\":\"usage\"`".to_owned()
            );
        };
        if come != announced {
            let kinds = [
                ("coverage", come.coverage, announced.coverage),
                ("unattributed", come.unattributed, announced.unattributed),
                ("key", come.key, announced.key),
            ];
            let kinds: Vec<String> = kinds.iter().map(|(kind, come, of)| format!("{kind} {come} of {of}")).collect();
            // The first line is one of them.
            let all = |lines: LineCounts| {
                1 + u128::from(lines.coverage) + u128::from(lines.unattributed) + u128::from(lines.key)
            };
            let (come, announced) = (all(come), all(announced));
            return Err(format!(
                "the result is cut off: {come} of {announced} lines ({}); take the whole of it, or count its logs again",
                kinds.join(", ")
            ));
        }
        if is_left_out {
            if self.known.get(&digest) != Some(&says) {
                return Err("the result is of the same events as one before, and says something else of them: were they counted with \
                            other --networks, or with repeated deliveries? Leave one of the two out"
                    .to_owned());
            }
            self.repeated += 1;
        } else if has_events {
            self.known.insert(digest, says);
        }
        Ok(())
    }

    /// All of them together.
    pub fn finish(self) -> Counted {
        let entry = |((key, account, region), tally): ((String, u32, u32), KeyTally)| Entry {
            key: key.into(),
            account,
            region,
            tally,
        };
        Counted {
            keys: self.keys.into_iter().map(entry).collect(),
            names: self.names,
            rest: self.rest,
            networks: self.networks,
        }
    }

    fn begin(&mut self, head: &Head) -> Result<Reading, String> {
        if head.version != VERSION {
            return Err(of_version(head.version));
        }
        let is_digest = head.digest.len() == 16 && head.digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digest = u64::from_str_radix(&head.digest, 16).ok().filter(|_| is_digest);
        let digest =
            digest.ok_or_else(|| format!("the digest `{}` is no number of 16 hexadecimal digits", head.digest))?;
        if sum([head.kms, head.other_services, head.duplicates, head.broken]) != Some(head.events) {
            return Err("`events` are not `kms`, `other_services`, `duplicates` and `broken` together".to_owned());
        }
        if head.no_key > head.kms {
            return Err(format!("`no_key` is {} of {} events of KMS", head.no_key, head.kms));
        }
        // Results of the same events say the same. Of parts in which no event could be read nobody knows whether they are the
        // same: what they leave open adds up.
        let has_events = head.kms > 0 || head.other_services > 0;
        let is_left_out = has_events && self.known.contains_key(&digest);
        if !is_left_out {
            self.events = sum([self.events, head.events, head.unread_files]).ok_or(TOO_MANY)?;
            self.rest.digest = self.rest.digest.wrapping_add(digest);
            self.rest.account.add(Account {
                events: head.events,
                kms: head.kms,
                others: head.other_services,
                duplicates: head.duplicates,
                broken: head.broken,
                no_key: head.no_key,
                unread_files: head.unread_files,
            });
        }
        let (announced, come) = (head.lines, LineCounts::default());
        Ok(Reading { digest, says: 0, announced, come, has_events, is_left_out })
    }

    /// Adds calls to those of all lines.
    fn count(&mut self, calls: u64, failed: u64) -> Result<(), String> {
        if calls == 0 || failed > calls {
            return Err(format!(
                "{failed} of {calls} calls have failed; expected at least one call, and no more failures"
            ));
        }
        self.calls = self.calls.checked_add(calls).ok_or(TOO_MANY)?;
        Ok(())
    }

    fn scope(&mut self, account: &str, region: &str) -> (u32, u32) {
        (self.names.accounts.number(&*named::account(account)), self.names.regions.number(&*named::region(region)))
    }

    fn add_coverage(&mut self, line: &CoverageLine) -> Result<(), String> {
        let scope = self.scope(&line.account_id, &line.region);
        let span = span(&line.first, &line.last)?;
        let coverage = self.rest.coverage.entry(scope).or_default();
        coverage.add_span(span);
        for (bit, moments) in [(1, &line.reads), (2, &line.writes)] {
            let Some(moments) = moments else { continue };
            let of = self::span(&moments.first, &moments.last)?;
            if of.first < span.first || of.last > span.last {
                return Err(format!(
                    "events that read or write are from {} to {}, and all others are not",
                    moments.first, moments.last
                ));
            }
            coverage.said.add(bit, of);
        }
        for (first, count) in runs("hours", &line.hours, span)? {
            coverage.add_run(first, count);
        }
        match (&line.reads, &line.read_hours[..]) {
            // Results of before these were counted.
            (_, []) => {}
            (None, _) => return Err("there are `read_hours`, and no `reads`".to_owned()),
            (Some(reads), all) => {
                for (first, count) in runs("read_hours", all, self::span(&reads.first, &reads.last)?)? {
                    coverage.add_read_run(first, count);
                }
            }
        }
        Ok(())
    }

    fn add_key(&mut self, line: KeyLine) -> Result<(), String> {
        let (account, region) = self.scope(&line.account_id, &line.region);
        let span = span(&line.first, &line.last)?;
        self.count(line.calls, line.failed)?;
        check_parts(&line)?;
        let mut tally = KeyTally::empty(span.first);
        tally.span = span;
        tally.calls = Calls { calls: line.calls, failed: line.failed };
        for (name, counts) in &line.operations {
            let operation = self.names.operations.number(&*api_name(name));
            tally.add_operation(operation, Calls { calls: counts.calls, failed: counts.failed });
        }
        for line_of in &line.applications {
            let principal = self.names.principals.number(line_of.principal.as_str());
            let last = time(&line_of.last)?;
            let is_within = (span.first..=span.last).contains(&last);
            let last = u32::try_from(last).ok().filter(|_| is_within);
            let last = last.ok_or_else(|| {
                format!("the last call of an application is at {}, and none of the key then", line_of.last)
            })?;
            let application = Application::new(principal, caller(&line_of.caller)?, purpose(&line_of.purpose)?);
            tally.add_application(ApplicationCalls { calls: line_of.calls, application, last });
        }
        tally.places = self.places(&line.places, &line.networks, line.calls)?;
        for vpc in &line.vpcs {
            let number = self.names.vpcs.number(vpc.as_str());
            tally.add_vpc(number);
        }
        for HourCalls { hour, calls } in &line.hours {
            tally.hours.add(*hour, *calls);
        }
        if let Some(changes) = &line.changes {
            let changes = changes.read(span, line.calls)?;
            let of_scope = self.rest.changes.entry((account, region)).or_default();
            of_scope.entry(line.key_id.as_str().into()).or_default().merge(&changes);
        }
        match self.keys.entry((line.key_id, account, region)) {
            Slot::Occupied(mut known) => known.get_mut().merge(&tally),
            Slot::Vacant(new) => {
                new.insert(tally);
            }
        }
        Ok(())
    }

    fn add_unattributed(&mut self, line: &UnattributedLine) -> Result<(), String> {
        let (account, region) = self.scope(&line.account_id, &line.region);
        let side = Side::ALL.into_iter().find(|side| side.name() == line.side);
        let side = side.ok_or_else(|| format!("there is no side `{}`", line.side))?;
        let operation = self.names.operations.number(&*api_name(&line.operation));
        let principal = self.names.principals.number(line.principal.as_str());
        let from = From { account, region, operation, principal, caller: caller(&line.caller)?, side };
        let span = span(&line.first, &line.last)?;
        self.count(line.calls, line.failed)?;
        let places = self.places(&line.places, &line.networks, line.calls)?;
        let known = self.rest.unattributed.entry(from).or_insert_with(|| Unattributed::empty(span.first));
        known.calls.add(Calls { calls: line.calls, failed: line.failed });
        known.span.add(span);
        known.places.merge(&places);
        Ok(())
    }

    fn places(
        &mut self,
        by_place: &BTreeMap<String, Count>,
        by_network: &BTreeMap<String, Count>,
        calls: u64,
    ) -> Result<Places, String> {
        for (what, counts) in [("places", by_place), ("networks", by_network)] {
            if sum(counts.values().map(|count| count.0)).is_none_or(|sum| sum > calls) {
                return Err(format!("`{what}` have more calls than the {calls} of the line"));
            }
        }
        let mut places = Places::default();
        for (name, Count(calls)) in by_place {
            let place = Place::ALL.into_iter().find(|place| place.name() == name);
            places.calls[place.ok_or_else(|| format!("there is no place `{name}`"))? as usize] += calls;
        }
        for (name, Count(calls)) in by_network {
            let number = self.networks.named(name).ok_or_else(|| "a network without a name, or too many".to_owned())?;
            places.add_network(number, *calls);
        }
        Ok(places)
    }
}

/// The first hour of each run, and how many, from the first moment to the last.
fn runs(name: &str, runs: &[Run], span: Span) -> Result<Vec<(i64, i64)>, String> {
    let wrong = || {
        let (first, last) = (show(span.first), show(span.last));
        format!("`{name}` are not the runs of hours from {first} to {last}, each behind the one before")
    };
    let (begin, end) = (hour(span.first), hour(span.last));
    let (mut next, mut all) = (begin, Vec::with_capacity(runs.len()));
    for Run { first, hours: count } in runs {
        let from = time(first)?;
        let count =
            i64::try_from(*count).ok().filter(|count| (1..=end - begin + 1).contains(count)).ok_or_else(wrong)?;
        let (is_whole, from) = (from % HOUR == 0, hour(from));
        // The first event is in the first of them.
        if !is_whole || from < next || next == begin && from != begin || from + count - 1 > end {
            return Err(wrong());
        }
        all.push((from, count));
        next = from + count + 1;
    }
    // And the last in the last.
    if next == end + 2 { Ok(all) } else { Err(wrong()) }
}

const TOO_MANY: &str = "with the lines before, more than can be counted (18446744073709551615)";

/// More operations than any service has; what has more is not read, for it would take long.
const OPERATIONS: usize = 4096;

/// All of them together, if that can be counted.
fn sum(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    counts.into_iter().try_fold(0, u64::checked_add)
}

/// What a line says of the parts of its calls must be true of all of them.
fn check_parts(line: &KeyLine) -> Result<(), String> {
    if line.operations.len() > OPERATIONS {
        return Err(format!("{} operations; expected at most {OPERATIONS}", line.operations.len()));
    }
    if let Some(HourCalls { hour, .. }) = line.hours.iter().find(|of| usize::from(of.hour) >= WEEK) {
        return Err(format!("there is no hour {hour} of the week; the last is 167"));
    }
    let parts = [
        ("operations", sum(line.operations.values().map(|of| of.calls))),
        ("applications", sum(line.applications.iter().map(|of| of.calls))),
        ("hours", sum(line.hours.iter().map(|of| of.calls))),
    ];
    if let Some((what, _)) = parts.into_iter().find(|(_, sum)| *sum != Some(line.calls)) {
        return Err(format!("the calls of `{what}` are not the {} of the key together", line.calls));
    }
    let failed = sum(line.operations.values().map(|of| of.failed));
    let is_counted = line.failed <= u64::from(u32::MAX);
    if line.operations.values().any(|of| of.failed > of.calls) || is_counted && failed != Some(line.failed) {
        return Err(format!("the failed calls of `operations` are not the {} of the key together", line.failed));
    }
    Ok(())
}

fn of_version(version: u32) -> String {
    format!(
        "version {version} of the format; this program reads version {VERSION}: count the logs again with `cmkdiag usage`"
    )
}

fn time(text: &str) -> Result<i64, String> {
    seconds(text.as_bytes()).ok_or_else(|| format!("`{text}` is {NO_TIME}"))
}

fn span(first: &str, last: &str) -> Result<Span, String> {
    let span = Span { first: time(first)?, last: time(last)? };
    if span.first > span.last { Err(format!("the first, {first}, is later than the last, {last}")) } else { Ok(span) }
}

fn purpose(name: &str) -> Result<Purpose, String> {
    let found = Purpose::ALL.into_iter().find(|purpose| purpose.name() == name);
    found.ok_or_else(|| format!("there is no purpose `{name}`"))
}

fn caller(name: &str) -> Result<Caller, String> {
    Caller::named(name).ok_or_else(|| format!("there is no caller `{name}`"))
}
