//! When there was anybody who listened: the hours with any event of an account and region.

use std::collections::BTreeMap;

use super::tally::Span;
use super::time::hour;

/// The hours of an account and region in which there was any event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// The first and the last event.
    pub span: Option<Span>,
    /// Hours since 1970, 64 in each number, by the first of them.
    hours: BTreeMap<i64, u64>,
}

impl Coverage {
    /// There was an event.
    pub fn add(&mut self, time: i64) {
        self.add_hour(hour(time));
        self.add_span(Span::of(time));
    }

    /// There were events in an hour.
    pub fn add_hour(&mut self, hour: i64) {
        self.add_hours(hour.div_euclid(64), 1 << hour.rem_euclid(64));
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

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Coverage) {
        other.hours.iter().for_each(|(at, bits)| *self.hours.entry(*at).or_default() |= bits);
        other.span.into_iter().for_each(|span| self.add_span(span));
    }

    /// The hours with events, one run behind the other: the first, and how many.
    pub fn runs(&self) -> Vec<(i64, i64)> {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for (at, bits) in &self.hours {
            for hour in (0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| at * 64 + bit) {
                match runs.last_mut() {
                    Some((first, count)) if *first + *count == hour => *count += 1,
                    _ => runs.push((hour, 1)),
                }
            }
        }
        runs
    }

    /// How many hours between the first and the last event had none.
    pub fn silent_hours(&self) -> u64 {
        let covered: i64 = self.runs().iter().map(|(_, count)| count).sum();
        self.span.map_or(0, |span| (hour(span.last) - hour(span.first) + 1 - covered).max(0) as u64)
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
    }
}
