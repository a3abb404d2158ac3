//! Results that were written, read again and put together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use serde::Deserialize;

use super::agent::Caller;
use super::collect::{Counted, Entry, From, Names, Rest};
use super::coverage::Coverage;
use super::network::Networks;
use super::place::{Place, Places};
use super::result::{Count, CoverageLine, Head, HourCalls, KeyLine, Line, Run, UnattributedLine, VERSION};
use super::tally::{Account, Application, ApplicationCalls, Calls, KeyTally, Purpose, Side, Span, Unattributed};
use super::time::{HOUR, seconds};

/// Results that were written, put together.
#[derive(Debug, Default)]
pub struct Merged {
    names: Names,
    networks: Networks,
    rest: Rest,
    keys: BTreeMap<(String, u32, u32), KeyTally>,
    /// The digests of what was added.
    digests: Vec<u64>,
    /// How many results were the same as one before, and were left out.
    pub repeated: u64,
    at_head: bool,
    is_left_out: bool,
}

/// What all versions of the first line say.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Merged {
    /// A further result begins.
    pub fn begin(&mut self) {
        (self.at_head, self.is_left_out) = (true, false);
    }

    /// Adds a line of a result.
    ///
    /// # Errors
    /// It is none; the message says why.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        if self.at_head
            && let Ok(Versioned { version }) = serde_json::from_str(line)
            && version != VERSION
        {
            return Err(format!("version {version} of the format; this program reads version {VERSION}"));
        }
        self.add_line(serde_json::from_str(line).map_err(|error| format!("no line of a result of `usage`: {error}"))?)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// It is at the wrong place, or says what cannot be; the message says why.
    pub fn add_line(&mut self, line: Line) -> Result<(), String> {
        match (self.at_head, &line) {
            (true, Line::Usage(_)) => {}
            (true, _) => return Err("the first line of a result says `\"record\":\"usage\"`".to_owned()),
            (false, Line::Usage(_)) => {}
            (false, _) if self.is_left_out => return Ok(()),
            (false, _) => {}
        }
        self.at_head = false;
        match line {
            Line::Usage(head) => self.add_head(&head),
            Line::Coverage(line) => self.add_coverage(&line),
            Line::Key(line) => self.add_key(line),
            Line::Unattributed(line) => self.add_unattributed(&line),
        }
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

    fn add_head(&mut self, head: &Head) -> Result<(), String> {
        let digest =
            u64::from_str_radix(&head.digest, 16).map_err(|_| format!("the digest `{}` is no number", head.digest))?;
        // Results of the same events say the same; without events there is nothing to count twice.
        self.is_left_out = head.kms > 0 && self.digests.contains(&digest);
        if self.is_left_out {
            self.repeated += 1;
            return Ok(());
        }
        self.digests.push(digest);
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
        Ok(())
    }

    fn scope(&mut self, account: &str, region: &str) -> (u32, u32) {
        (self.names.accounts.number(account), self.names.regions.number(region))
    }

    fn add_coverage(&mut self, line: &CoverageLine) -> Result<(), String> {
        let scope = self.scope(&line.account_id, &line.region);
        let span = span(&line.first, &line.last)?;
        let coverage = self.rest.coverage.entry(scope).or_default();
        coverage.add_span(span);
        coverage.read_write |= line.event_rw.iter().fold(0, |bits, name| bits | Coverage::bit_of(name.as_bytes()));
        for Run { first, hours: count } in &line.hours {
            let first = time(first)?.div_euclid(HOUR);
            // A run is no longer than there is time between the first and the last event.
            let most = (span.last - span.first) / HOUR + 2;
            let count = i64::try_from(*count).ok().filter(|count| *count <= most);
            let count =
                count.ok_or_else(|| "more hours than there are between the first and the last event".to_owned())?;
            (first..first + count).for_each(|hour| coverage.add_hour(hour));
        }
        Ok(())
    }

    fn add_key(&mut self, line: KeyLine) -> Result<(), String> {
        let (account, region) = self.scope(&line.account_id, &line.region);
        let span = span(&line.first, &line.last)?;
        let mut tally = KeyTally::empty(span.first);
        tally.span = span;
        tally.calls = Calls { calls: line.calls, failed: line.failed };
        for (name, counts) in &line.operations {
            let operation = self.names.operations.number(name.as_str());
            tally.add_operation(operation, Calls { calls: counts.calls, failed: counts.failed });
        }
        for line_of in &line.applications {
            let principal = self.names.principals.number(line_of.principal.as_str());
            let last =
                u32::try_from(time(&line_of.last)?).map_err(|_| "a time before 1970 or after 2106".to_owned())?;
            let application = Application::new(principal, caller(&line_of.caller)?, purpose(&line_of.purpose)?);
            tally.add_application(ApplicationCalls { calls: line_of.calls, application, last });
        }
        tally.places = self.places(&line.places, &line.networks)?;
        for vpc in &line.vpcs {
            let number = self.names.vpcs.number(vpc.as_str());
            tally.add_vpc(number);
        }
        for HourCalls { hour, calls } in &line.hours {
            if *hour >= 168 {
                return Err(format!("there is no hour {hour} of the week"));
            }
            tally.hours.add(*hour, *calls);
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
        let side = [Side::All, Side::Source].into_iter().find(|side| side.name() == line.side);
        let side = side.ok_or_else(|| format!("there is no side `{}`", line.side))?;
        let operation = self.names.operations.number(line.operation.as_str());
        let principal = self.names.principals.number(line.principal.as_str());
        let from = From { account, region, operation, principal, caller: caller(&line.caller)?, side };
        let span = span(&line.first, &line.last)?;
        let places = self.places(&line.places, &line.networks)?;
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
    ) -> Result<Places, String> {
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

fn time(text: &str) -> Result<i64, String> {
    seconds(text.as_bytes()).ok_or_else(|| format!("`{text}` is no time; expected 2026-11-18T03:12:45Z"))
}

fn span(first: &str, last: &str) -> Result<Span, String> {
    Ok(Span { first: time(first)?, last: time(last)? })
}

fn purpose(name: &str) -> Result<Purpose, String> {
    let found = Purpose::ALL.into_iter().find(|purpose| purpose.name() == name);
    found.ok_or_else(|| format!("there is no purpose `{name}`"))
}

fn caller(name: &str) -> Result<Caller, String> {
    Caller::named(name).ok_or_else(|| format!("there is no caller `{name}`"))
}
