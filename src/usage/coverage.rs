//! When there was anybody who listened: the hours with any event of an account and region.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Span;
use super::time::{HOUR, hour, show};

/// So many days on end may have events and none that reads, as of an account in which little happens.
const DAYS_WITHOUT_READS: usize = 7;

/// From when to when events say that they read, and that they write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said([Option<Span>; 2]);

impl Said {
    /// What an event says in `eventRW`, as a bit: `Read` or `Write`; 0 if it says neither.
    #[inline]
    pub fn bit_of(event_rw: &[u8]) -> u8 {
        match event_rw {
            b"Read" => Said::READ,
            b"Write" => Said::WRITE,
            b"" => 0,
            other => Said::otherwise(other),
        }
    }

    /// The same of what is written in another way. What is not understood does not say that it reads.
    #[cold]
    fn otherwise(event_rw: &[u8]) -> u8 {
        let event_rw = event_rw.trim_ascii();
        let is_any = |words: &[&str]| words.iter().any(|word| event_rw.eq_ignore_ascii_case(word.as_bytes()));
        match () {
            () if is_any(&["Read"]) => Said::READ,
            () if is_any(&["", "-", "null", "none"]) => 0,
            () => Said::WRITE,
        }
    }

    /// The bit of events that read.
    pub const READ: u8 = 1;
    /// The bit of events that write.
    pub const WRITE: u8 = 2;

    /// Events from then to then say so.
    #[inline]
    pub fn add(&mut self, bits: u8, span: Span) {
        for (_, known) in self.0.iter_mut().enumerate().filter(|(at, _)| bits >> at & 1 == 1) {
            known.get_or_insert(span).add(span);
        }
    }

    /// Adds what others say.
    pub fn merge(&mut self, other: &Said) {
        other.0.iter().enumerate().for_each(|(at, span)| span.iter().for_each(|span| self.add(1 << at, *span)));
    }
}

/// Hours since 1970, 64 in each number, by the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Hours(BTreeMap<i64, u64>);

impl Hours {
    fn add(&mut self, at: i64, bits: u64) {
        *self.0.entry(at).or_default() |= bits;
    }

    fn add_run(&mut self, first: i64, count: i64) {
        let (mut hour, end) = (first, first + count);
        while hour < end {
            let bit = hour.rem_euclid(64);
            let here = (64 - bit).min(end - hour);
            self.add(hour.div_euclid(64), (u64::MAX >> (64 - here)) << bit);
            hour += here;
        }
    }

    /// One run behind the other: the first hour, and how many.
    fn runs(&self) -> Vec<(i64, i64)> {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for (at, bits) in &self.0 {
            let mut rest = *bits;
            while rest != 0 {
                let start = rest.trailing_zeros();
                let count = (rest >> start).trailing_ones();
                rest = rest.checked_shr(start + count).map_or(0, |rest| rest << (start + count));
                let (hour, count) = (at * 64 + i64::from(start), i64::from(count));
                match runs.last_mut() {
                    Some((first, known)) if *first + *known == hour => *known += count,
                    _ => runs.push((hour, count)),
                }
            }
        }
        runs
    }

    /// The days, in UTC, of which there are hours.
    fn days(&self) -> BTreeSet<i64> {
        let days = |(first, count): (i64, i64)| first.div_euclid(24)..=(first + count - 1).div_euclid(24);
        self.runs().into_iter().flat_map(days).collect()
    }
}

/// The hours of an account and region in which there was any event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// The first and the last event.
    pub span: Option<Span>,
    /// What events say that they do. A trail records both only if it is told to (ActionTrail, `CreateTrail`, `EventRW`).
    pub said: Said,
    hours: Hours,
    /// The hours with events that say that they read.
    read_hours: Hours,
}

impl Coverage {
    /// There was an event.
    pub fn add(&mut self, time: i64) {
        self.add_hour(hour(time));
        self.add_span(Span::of(time));
    }

    /// The first and the last event that says that it reads.
    pub fn reads(&self) -> Option<Span> {
        self.said.0[0]
    }

    /// The first and the last event that says that it writes.
    pub fn writes(&self) -> Option<Span> {
        self.said.0[1]
    }

    /// There were events in an hour.
    pub fn add_hour(&mut self, hour: i64) {
        self.add_hours(hour.div_euclid(64), 1 << hour.rem_euclid(64));
    }

    /// There were events in each of so many hours.
    pub fn add_run(&mut self, first: i64, count: i64) {
        self.hours.add_run(first, count);
    }

    /// There were events that read in each of so many hours.
    pub fn add_read_run(&mut self, first: i64, count: i64) {
        self.read_hours.add_run(first, count);
    }

    /// There were events in some of 64 hours.
    pub fn add_hours(&mut self, at: i64, bits: u64) {
        self.hours.add(at, bits);
    }

    /// There were events that read in some of 64 hours.
    pub fn add_read_hours(&mut self, at: i64, bits: u64) {
        if bits != 0 {
            self.read_hours.add(at, bits);
        }
    }

    /// There were events from then to then.
    pub fn add_span(&mut self, span: Span) {
        match &mut self.span {
            Some(known) => known.add(span),
            None => self.span = Some(span),
        }
    }

    /// The hours with events, one run behind the other: the first, and how many.
    pub fn runs(&self) -> Vec<(i64, i64)> {
        self.hours.runs()
    }

    /// Whether events that read are missing where there are others: on more than half of the days, or on many on end.
    pub fn lacks_reads(&self) -> bool {
        let (days, read) = (self.hours.days(), self.read_hours.days());
        let (mut missing, mut longest, mut now) = (0, 0, 0);
        for day in &days {
            now = if read.contains(day) { 0 } else { now + 1 };
            missing += usize::from(now > 0);
            longest = longest.max(now);
        }
        2 * missing > days.len() || longest > DAYS_WITHOUT_READS
    }

    /// The line of a result; nothing without events.
    pub fn line(&self, account: &str, region: &str) -> Option<CoverageLine> {
        let span = self.span?;
        let moments = |span: Span| Moments { first: show(span.first), last: show(span.last) };
        let run = |(first, count): (i64, i64)| Run { first: show(first * HOUR), hours: count as u64 };
        Some(CoverageLine {
            account_id: account.to_owned(),
            region: region.to_owned(),
            first: show(span.first),
            last: show(span.last),
            reads: self.reads().map(moments),
            writes: self.writes().map(moments),
            read_hours: self.read_hours.runs().into_iter().map(run).collect(),
            silent_hours: self.silent_hours(),
            hours: self.runs().into_iter().map(run).collect(),
        })
    }

    /// The longest run of hours without any event between the first and the last.
    pub fn longest_silence(&self) -> i64 {
        let runs = self.runs();
        let silence = |pair: &[(i64, i64)]| pair[1].0 - pair[0].0 - pair[0].1;
        runs.windows(2).map(silence).max().unwrap_or(0)
    }

    /// All hours from that of the first event to that of the last.
    pub fn all_hours(&self) -> i64 {
        self.span.map_or(0, |span| hour(span.last) - hour(span.first) + 1)
    }

    /// How many hours between the first and the last event had none.
    pub fn silent_hours(&self) -> u64 {
        let covered: i64 = self.runs().iter().map(|(_, count)| count).sum();
        (self.all_hours() - covered).max(0) as u64
    }
}

/// The hours with events of an account and region.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CoverageLine {
    /// The account; empty if the events do not say.
    pub account_id: String,
    /// The region; empty if the events do not say.
    pub region: String,
    /// The first event, in UTC.
    pub first: String,
    /// The last event, in UTC.
    pub last: String,
    /// The first and the last event that says in `eventRW` that it reads; null if none does.
    pub reads: Option<Moments>,
    /// The first and the last event that says in `eventRW` that it writes; null if none does.
    pub writes: Option<Moments>,
    /// The runs of hours with events that say that they read; results of before these were counted have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_hours: Vec<Run>,
    /// Hours between the first and the last event without any.
    pub silent_hours: u64,
    /// Runs of hours with events.
    pub hours: Vec<Run>,
}

/// From when to when there are events of a kind.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Moments {
    /// The first, in UTC.
    pub first: String,
    /// The last, in UTC.
    pub last: String,
}

/// Hours behind each other.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// When the first of them begins, in UTC.
    pub first: String,
    /// How many.
    pub hours: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_without_events_are_counted() {
        let mut coverage = Coverage::default();
        for hour in [0_i64, 1, 2, 70, 71, 200] {
            coverage.add(hour * 3600 + 17);
        }
        assert_eq!(coverage.runs(), [(0, 3), (70, 2), (200, 1)]);
        assert_eq!(coverage.silent_hours(), 201 - 6);
        assert_eq!(coverage.longest_silence(), 128);
    }

    #[test]
    fn reads_are_missing_on_many_days() {
        let of = |days: i64, reads: &dyn Fn(i64) -> bool| {
            let mut coverage = Coverage::default();
            coverage.add_run(0, 24 * days);
            (0..days).filter(|day| reads(*day)).for_each(|day| coverage.add_read_run(24 * day + 5, 1));
            coverage.lacks_reads()
        };
        assert!(of(31, &|day| [0, 30].contains(&day)) && of(31, &|_| false) && of(1, &|_| false));
        assert!(of(31, &|day| day % 3 == 0) && of(60, &|day| !(20..28).contains(&day)));
        assert!(!of(31, &|_| true) && !of(31, &|day| day % 2 == 0) && !of(60, &|day| !(20..27).contains(&day)));
    }

    #[test]
    fn what_events_say_that_they_do_is_known_in_other_letters() {
        for (said, bit) in [("Read", 1), ("Write", 2), (" write", 2), ("READ ", 1), ("", 0), ("-", 0), ("\u{5199}", 2)]
        {
            assert_eq!(Said::bit_of(said.as_bytes()), bit, "{said}");
        }
    }

    #[test]
    fn runs_are_added_as_their_hours_are() {
        for (first, count) in
            [(0, 1), (3, 64), (63, 1), (63, 2), (64, 64), (1, 200), (-70, 300), (5, 0), (0, 1_192_000)]
        {
            let (mut runs, mut hours) = (Coverage::default(), Coverage::default());
            runs.add_run(first, count);
            (first..first + count).for_each(|hour| hours.add_hour(hour));
            assert_eq!(runs, hours, "{first}, {count}");
            assert_eq!(runs.runs(), if count > 0 { vec![(first, count)] } else { Vec::new() });
        }
    }
}
