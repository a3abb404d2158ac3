//! When there was anybody who listened: the hours with any event of an account and region.

use std::collections::BTreeMap;

use super::tally::Span;
use super::time::hour;

/// What `eventRW` says.
const EVENT_RW: [&str; 2] = ["Read", "Write"];

/// From when to when events say that they read, and that they write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said([Option<Span>; 2]);

impl Said {
    /// What an event says in `eventRW`, as a bit: `Read` or `Write`; 0 if it says neither.
    #[inline]
    pub fn bit_of(event_rw: &[u8]) -> u8 {
        EVENT_RW.iter().position(|name| name.as_bytes() == event_rw).map_or(0, |at| 1 << at)
    }

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

/// The hours of an account and region in which there was any event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// The first and the last event.
    pub span: Option<Span>,
    /// What events say that they do. A trail records both only if it is told to (ActionTrail, `CreateTrail`, `EventRW`).
    pub said: Said,
    /// Hours since 1970, 64 in each number, by the first of them.
    hours: BTreeMap<i64, u64>,
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
        let (mut hour, end) = (first, first + count);
        while hour < end {
            let bit = hour.rem_euclid(64);
            let here = (64 - bit).min(end - hour);
            self.add_hours(hour.div_euclid(64), (u64::MAX >> (64 - here)) << bit);
            hour += here;
        }
    }

    /// There were events in some of 64 hours.
    pub fn add_hours(&mut self, at: i64, bits: u64) {
        *self.hours.entry(at).or_default() |= bits;
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
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for (at, bits) in &self.hours {
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
